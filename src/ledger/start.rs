//! Start-up is the recovery: whatever a crash left, opening the state folder brings it to what was
//! acknowledged.
//!
//! In this order: hold the folder; open store and vault; recompute the tree over all leaves and
//! hold it against edge and checkpoint; read the heads of all records; wipe slots and photos that
//! no record knows; load the gallery from the sealed vectors of live bookings; hold a known probe's
//! answer against the processor's. No leaf is written before the doors open: then every purge that
//! had begun is finished, and every search that was asked for and never answered is ended. Each
//! walk over a table goes over ranges of it on as many threads as there are cores.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, RwLock};

use super::core::Core;
use super::error::LedgerError;
use super::generation::{Generation, ModelSet};
use super::in_order::in_order;
use super::load::{ID_BATCHES, ReadLog, Records, load_gallery, read_log};
use super::next_model::Switch;
use super::progress::{Progress, StageSteps, StartStage, Started, Steps};
use super::read_ahead::ReadAhead;
use super::setup::{LedgerSetup, Unfinished};
use super::waits::Waits;
use super::writer::Writer;
use crate::audit::{Checkpoint, Edge, LogKey, Note};
use crate::disk::{Disk, OpenMode, read_whole};
use crate::limits::{CHECKPOINT_BYTES_MAX, START_WORKERS_MAX};
use crate::store::{STORE_FILE, StateKind, Store};
use crate::vault::{BookingKey, MasterKey, PhotoKey, ProbeKey, SealedPhotos, Vault};

/// What a start gives.
pub(super) struct OpenedLedger {
    pub(super) core: Arc<Core>,
    pub(super) writer: Writer,
    pub(super) started: Started,
    pub(super) unfinished: Unfinished,
}

/// As many threads as there are cores, within their bound.
pub(super) fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(START_WORKERS_MAX)
}

pub(super) fn open(
    setup: LedgerSetup,
    workers: usize,
    watch: &mut dyn FnMut(&Progress),
) -> Result<OpenedLedger, LedgerError> {
    let LedgerSetup {
        disk,
        state,
        create_as,
        origin,
        master_key,
        log_key,
        models,
        clock,
        anchor,
        reserve_bytes,
        retention,
    } = setup;
    let mut steps = Steps::new(watch);
    let held = hold(disk.as_ref(), &state)?;
    let master = MasterKey::new(&master_key)?;
    let log_key = LogKey::new(&origin, &log_key)?;
    let listed = disk
        .list(&state)
        .map_err(|source| LedgerError::Io { what: "listing the state folder", source })?;
    let made_before = listed.contains(&state.join(STORE_FILE));
    // Models that can't be used are told before anything is made.
    let _first = if made_before { None } else { models.pool(models.first()?)? };
    let (store, vault) = steps.run(StartStage::Open, 0, |_| {
        if made_before {
            Ok((Store::open(&disk, &state)?, Vault::open(&disk, &state, &master)?))
        } else {
            create(&disk, &state, &listed, create_as, &origin, &master)
        }
    })?;
    let _ahead = ReadAhead::begin(disk.as_ref(), &state.join(STORE_FILE));
    let kind = store.kind()?;
    check_fit(&store, kind, create_as, &origin)?;
    let (generation, switch) = steps.run(StartStage::Models, 0, |_| {
        Ok((fitting(&store, &models)?, Switch::resumed(&store, &models)?))
    })?;
    let leaves = store.leaves_len()?;
    let ReadLog { edge, newest, audit_leaves } =
        steps.run(StartStage::Log, leaves, |step| read_log(&store, &log_key, workers, step))?;
    let former_origins = store.former_origins()?;
    let anchored = anchor
        .as_deref()
        .map_or(Ok(None), |anchor| read_anchor(disk.as_ref(), anchor, &log_key))?;
    let heads = store.versions_len()? + store.inquiries_len()?;
    let mut records =
        steps.run(StartStage::Records, heads, |step| Records::read(&store, workers, step))?;
    let core = Arc::new(Core {
        kind,
        master,
        log_key,
        former_origins,
        store,
        vault,
        models,
        clock,
        disk,
        state,
        anchor,
        anchored: anchored.is_some(),
        reserve_bytes,
        retention,
        witnessing: RwLock::default(),
        active: RwLock::new(Arc::new(generation)),
        former: Mutex::default(),
        switch: RwLock::new(switch),
        standing: AtomicU64::new(records.live + records.unusable.len() as u64),
        left: Mutex::new(records.left.drain(..).collect()),
        unusable: Mutex::new(std::mem::take(&mut records.unusable)),
        newest: RwLock::new(newest),
        audit_leaves: Mutex::new(audit_leaves),
        written: Mutex::default(),
        waits: Waits::default(),
        shut: AtomicBool::new(false),
        _held: held,
    });
    hold_against_anchor(&core, anchored)?;
    let writer = Writer::new(core.clone(), edge);
    steps.run(StartStage::Photos, 2 * ID_BATCHES as u64, |step| {
        wipe_strays(&core, &records, workers, step)?;
        core.settle_uploads()
    })?;
    let live = records.live;
    let unfinished = Unfinished {
        purging: std::mem::take(&mut records.purging),
        searching: std::mem::take(&mut records.searching),
        ending: std::mem::take(&mut records.ending),
    };
    steps.run(StartStage::Gallery, live, |step| {
        load_gallery(&core, &records.into_live(), leaves, workers, step)
    })?;
    steps.run(StartStage::Proof, 0, |_| Ok(core.generation().gallery().prove()?))?;
    Ok(OpenedLedger { core, writer, started: steps.end(), unfinished })
}

/// Errors: a log that doesn't contain the checkpoint of its anchor.
fn hold_against_anchor(core: &Core, anchored: Option<Checkpoint>) -> Result<(), LedgerError> {
    match anchored {
        Some(anchored) if !core.contains(&anchored)? => Err(LedgerError::Behind {
            found: core.newest().leaves,
            wanted: anchored.leaves,
            anchor: core.anchor.clone().unwrap_or_default(),
        }),
        _ => Ok(()),
    }
}

/// The newest cosigned checkpoint that the anchor holds; none where there is no such file yet.
///
/// Errors: a file that this log's key never signed.
pub(super) fn read_anchor(
    disk: &dyn Disk,
    anchor: &Path,
    log_key: &LogKey,
) -> Result<Option<Checkpoint>, LedgerError> {
    let note = match read_whole(disk, anchor, CHECKPOINT_BYTES_MAX as u64) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|source| LedgerError::Io { what: "reading the anchor", source })?,
    };
    let checkpoint = String::from_utf8(note).ok().and_then(|note| log_key.open(&note).ok());
    checkpoint.map(Some).ok_or_else(|| LedgerError::Setup {
        found: format!("an anchor {} that this log's key did not sign", anchor.display()),
        wanted: format!(
            "the newest cosigned checkpoint of '{}', or no file where there is none yet",
            log_key.origin()
        ),
    })
}

/// Puts an anchor of a former origin aside.
pub(super) fn move_anchor(disk: &dyn Disk, anchor: Option<&Path>) -> Result<(), LedgerError> {
    let Some(anchor) = anchor else { return Ok(()) };
    let moved = match disk.rename(anchor, &anchor.with_extension("former")) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        moved => moved,
    };
    let moved = moved.and_then(|()| disk.sync_folder(anchor.parent().unwrap_or(Path::new("."))));
    moved.map_err(|source| LedgerError::Io { what: "putting the former anchor aside", source })
}

/// Replaces the anchor: whole or not at all, durable on return.
pub(super) fn write_anchor(core: &Core, note: &Note) -> io::Result<()> {
    let Some(anchor) = &core.anchor else { return Ok(()) };
    let part = anchor.with_extension("part");
    match core.disk.unlink(&part) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let file = core.disk.open(&part, OpenMode::New)?;
    file.write_at(0, note.to_string().as_bytes())?;
    file.sync()?;
    core.disk.rename(&part, anchor)?;
    core.disk.sync_folder(anchor.parent().unwrap_or(Path::new(".")))
}

pub(super) fn hold(disk: &dyn Disk, state: &Path) -> Result<Box<dyn Send + Sync>, LedgerError> {
    disk.lock(state).map_err(|source| match source.kind() {
        io::ErrorKind::WouldBlock => LedgerError::Setup {
            found: format!("another daemon holds {}", state.display()),
            wanted: "a state folder of this daemon's own".to_owned(),
        },
        _ => LedgerError::Io { what: "holding the state folder", source },
    })
}

pub(super) fn create(
    disk: &Arc<dyn Disk>,
    state: &Path,
    listed: &[std::path::PathBuf],
    create_as: Option<StateKind>,
    origin: &str,
    master: &MasterKey,
) -> Result<(Store, Vault), LedgerError> {
    let Some(kind) = create_as else {
        return Err(LedgerError::Setup {
            found: format!("no {STORE_FILE} in {}", state.display()),
            wanted: "a state folder made before, or --create-as real, demo or test to make one"
                .to_owned(),
        });
    };
    // A folder that lost its store is not an empty one: what the keys open must not be wiped by a
    // start.
    for folder in [BookingKey::FOLDER, ProbeKey::FOLDER].map(|f| state.join(f)) {
        let shards = if listed.contains(&folder) { disk.list(&folder) } else { Ok(Vec::new()) };
        let read = |e| LedgerError::Io { what: "listing the photo folders", source: e };
        for shard in shards.map_err(read)? {
            if !disk.list(&shard).map_err(read)?.is_empty() {
                return Err(LedgerError::Setup {
                    found: format!("sealed photos in {} and no {STORE_FILE}", state.display()),
                    wanted: "an empty folder, or the store that these photos belong to".to_owned(),
                });
            }
        }
    }
    // What a crash in the middle of an earlier creation left.
    for path in listed {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if [BookingKey::SLOTS, ProbeKey::SLOTS].iter().any(|slots| {
            name.starts_with(&format!("{slots}.")) || name.starts_with(&format!("{slots}-anchor."))
        }) {
            disk.unlink(path)
                .map_err(|source| LedgerError::Io { what: "removing what a crash left", source })?;
        }
    }
    let vault = Vault::create(disk, state, master)?;
    disk.sync_folder(state)
        .map_err(|source| LedgerError::Io { what: "syncing the state folder", source })?;
    let store = Store::create(disk, state, kind, origin, &Edge::default().to_bytes())?;
    Ok((store, vault))
}

fn check_fit(
    store: &Store,
    kind: StateKind,
    create_as: Option<StateKind>,
    origin: &str,
) -> Result<(), LedgerError> {
    if let Some(wanted) = create_as.filter(|&wanted| wanted != kind) {
        return Err(LedgerError::Setup {
            found: format!("a state folder made as {}, once and for all", kind.name()),
            wanted: wanted.name().to_owned(),
        });
    }
    let found = store.origin()?;
    if found != origin {
        return Err(LedgerError::Setup {
            found: format!("the log of origin '{found}'"),
            wanted: format!("origin '{origin}'"),
        });
    }
    Ok(())
}

/// An empty generation of the model whose vectors are stored, or of the first one offered where
/// there are none yet.
fn fitting(store: &Store, models: &ModelSet) -> Result<Generation, LedgerError> {
    let wanted = store.model()?.map_or_else(|| models.first(), Ok)?;
    match models.pool(wanted)? {
        Some(pool) => models.generation(pool),
        None => Err(LedgerError::Setup {
            found: format!("vectors of the models {wanted}"),
            wanted: models.offers(),
        }),
    }
}

/// Wipes what a crash before the commit point left: slots and photos that no record knows, and
/// half-written files.
fn wipe_strays(
    core: &Core,
    records: &Records,
    workers: usize,
    step: &mut StageSteps<'_>,
) -> Result<(), LedgerError> {
    let (bookings, probes) = (&core.vault.bookings, &core.vault.probes);
    let slots = bookings.destroy_orphan_keys(|slot| records.knows_slot(slot))?
        + probes.destroy_orphan_keys(|slot| records.knows_probe_slot(slot))?;
    let photos = wipe_photos(bookings, |id| records.knows_photo(id), workers, step)?
        + wipe_photos(probes, |id| records.knows_probe(id), workers, step)?;
    if slots + photos > 0 {
        log::info!("wiped {slots} key slots and {photos} photo files that no record knows");
    }
    Ok(())
}

fn wipe_photos<K: PhotoKey>(
    safe: &SealedPhotos<K>,
    knows: impl Fn(K::Id) -> bool + Sync,
    workers: usize,
    step: &mut StageSteps<'_>,
) -> Result<usize, LedgerError> {
    let mut strays = Vec::new();
    let list = |batch: usize| {
        Ok(safe
            .orphan_photos(u8::try_from(batch).expect("there is a batch for each byte"), &knows)?)
    };
    in_order(workers, ID_BATCHES, list, |found| {
        strays.extend(found);
        step.add(1);
        Ok(())
    })?;
    safe.unlink_orphans(&strays)?;
    Ok(strays.len())
}
