//! Start-up is the recovery: whatever a crash left, opening the state folder brings it to what was acknowledged.
//!
//! In this order: hold the folder; open store and vault; recompute the tree over all leaves and hold it against edge and checkpoint;
//! finish every purge that had begun; wipe slots and photos that no record knows; load the gallery from the sealed vectors of live
//! bookings; end every search that was asked for and never answered.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::sync::{Arc, RwLock};

use super::error::ServiceError;
use super::ledger::{Core, Ledger, LedgerSetup, Newest, Rows};
use super::writer::Writer;
use crate::audit::{Edge, Leaf, LogKey};
use crate::booking::VersionId;
use crate::disk::Disk;
use crate::face::Embedding;
use crate::store::{STORE_FILE, StateKind, Store, VersionState};
use crate::vault::{BookingKey, Lodger, Master, Part, ProbeKey, SafeKey, Vault};

pub(super) fn open(setup: LedgerSetup) -> Result<(Arc<Core>, Writer), ServiceError> {
    let LedgerSetup { disk, state, create_as, origin, master_key, log_key, model, gallery } = setup;
    let held = hold(disk.as_ref(), &state)?;
    let master = Master::new(&master_key)?;
    let log_key = LogKey::new(&origin, &log_key)?;
    let listed = disk.list(&state).map_err(|source| ServiceError::Io { what: "listing the state folder", source })?;
    let (store, vault) = if listed.contains(&state.join(STORE_FILE)) {
        (Store::open(&disk, &state)?, Vault::open(&disk, &state, &master)?)
    } else {
        create(&disk, &state, &listed, create_as, &origin, &master)?
    };
    let kind = store.kind()?;
    check_fit(&store, kind, create_as, &origin, model.0)?;
    let (edge, newest_cs, newest) = read_log(&store, &log_key)?;
    let core = Arc::new(Core {
        kind,
        model,
        master,
        log_key,
        store,
        vault,
        gallery,
        rows: RwLock::new(Rows::default()),
        newest: RwLock::new(newest),
        _held: held,
    });
    let mut writer = Writer::new(core.clone(), edge, newest_cs);
    finish_purges(&core, &mut writer)?;
    wipe_orphans(&core)?;
    load_gallery(&core)?;
    Ok((core, writer))
}

/// Ends the searches that a crash left open; their operators must ask again.
pub(super) fn close_interrupted(ledger: &Ledger) -> Result<(), ServiceError> {
    for search in ledger.open_searches()? {
        ledger.interrupt(search)?;
    }
    Ok(())
}

fn hold(disk: &dyn Disk, state: &Path) -> Result<Box<dyn Send + Sync>, ServiceError> {
    disk.lock(state).map_err(|source| match source.kind() {
        io::ErrorKind::WouldBlock => ServiceError::Setup {
            found: format!("another daemon holds {}", state.display()),
            wanted: "a state folder of this daemon's own".to_owned(),
        },
        _ => ServiceError::Io { what: "holding the state folder", source },
    })
}

fn create(
    disk: &Arc<dyn Disk>,
    state: &Path,
    listed: &[std::path::PathBuf],
    create_as: Option<StateKind>,
    origin: &str,
    master: &Master,
) -> Result<(Store, Vault), ServiceError> {
    let Some(kind) = create_as else {
        return Err(ServiceError::Setup {
            found: format!("no {STORE_FILE} in {}", state.display()),
            wanted: "a state folder made before, or --create-as real, demo or test to make one".to_owned(),
        });
    };
    // A folder that lost its store is not an empty one: what the keys open must not be wiped by a start.
    for folder in [BookingKey::FOLDER, ProbeKey::FOLDER].map(|f| state.join(f)) {
        let shards = if listed.contains(&folder) { disk.list(&folder) } else { Ok(Vec::new()) };
        let read = |e| ServiceError::Io { what: "listing the photo folders", source: e };
        for shard in shards.map_err(read)? {
            if !disk.list(&shard).map_err(read)?.is_empty() {
                return Err(ServiceError::Setup {
                    found: format!("sealed photos in {} and no {STORE_FILE}", state.display()),
                    wanted: "an empty folder, or the store that these photos belong to".to_owned(),
                });
            }
        }
    }
    // What a crash in the middle of an earlier creation left.
    for path in listed {
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        if [BookingKey::SLOTS, ProbeKey::SLOTS]
            .iter()
            .any(|slots| name.starts_with(&format!("{slots}.")) || name.starts_with(&format!("{slots}-anchor.")))
        {
            disk.unlink(path).map_err(|source| ServiceError::Io { what: "removing what a crash left", source })?;
        }
    }
    let vault = Vault::create(disk, state, master)?;
    disk.sync_folder(state).map_err(|source| ServiceError::Io { what: "syncing the state folder", source })?;
    let store = Store::create(disk, state, kind, origin, &Edge::default().to_bytes())?;
    Ok((store, vault))
}

fn check_fit(store: &Store, kind: StateKind, create_as: Option<StateKind>, origin: &str, model: [u8; 32]) -> Result<(), ServiceError> {
    if let Some(wanted) = create_as.filter(|&wanted| wanted != kind) {
        return Err(ServiceError::Setup {
            found: format!("a state folder made as {}, once and for all", kind.name()),
            wanted: wanted.name().to_owned(),
        });
    }
    let found = store.origin()?;
    if found != origin {
        return Err(ServiceError::Setup { found: format!("the log of origin '{found}'"), wanted: format!("origin '{origin}'") });
    }
    match store.model()? {
        Some(found) if found != model => Err(ServiceError::Setup {
            found: format!("vectors of the models {}", hex::encode(found)),
            wanted: format!("the configured models, {}", hex::encode(model)),
        }),
        _ => Ok(()),
    }
}

/// Recomputes the tree: an edge or a checkpoint that doesn't fit the leaves is damage, not something to go on from.
fn read_log(store: &Store, log_key: &LogKey) -> Result<(Edge, u64, Newest), ServiceError> {
    let wrong = |what: String| ServiceError::Log { what };
    let mut edge = Edge::default();
    let mut newest_cs = 0;
    store.for_each_leaf::<ServiceError>(|index, bytes| {
        let leaf = Leaf::from_bytes(bytes)?;
        if edge.append(bytes) != index {
            return Err(wrong(format!("leaf {index} stands where leaf {} was wanted", edge.leaves() - 1)));
        }
        newest_cs = leaf.time_cs;
        Ok(())
    })?;
    if Edge::from_bytes(&store.edge()?)? != edge {
        return Err(wrong(format!("the stored edge is not that of the {} leaves", edge.leaves())));
    }
    let note = store.checkpoint()?.unwrap_or_default();
    if edge.leaves() > 0 {
        let checkpoint = log_key.open(&note)?;
        if checkpoint.leaves != edge.leaves() || checkpoint.root != edge.root() {
            return Err(wrong(format!("the checkpoint signs {} leaves, {} are there", checkpoint.leaves, edge.leaves())));
        }
    }
    let leaves = edge.leaves();
    Ok((edge, newest_cs, Newest { note, leaves }))
}

fn finish_purges(core: &Core, writer: &mut Writer) -> Result<(), ServiceError> {
    let begun: Vec<VersionId> =
        core.store.versions()?.into_iter().filter(|(_, row)| row.state == VersionState::Purging).map(|(id, _)| id).collect();
    if !begun.is_empty() {
        log::info!("finishing {} purges", begun.len());
        writer.purge(&begun)?;
    }
    Ok(())
}

fn wipe_orphans(core: &Core) -> Result<(), ServiceError> {
    let versions = core.store.versions()?;
    let (slots, ids): (HashSet<u32>, HashSet<[u8; 16]>) = versions.iter().map(|(id, row)| (row.slot, id.0)).unzip();
    let searches = core.store.searches()?;
    let (probe_slots, probe_ids): (HashSet<u32>, HashSet<[u8; 16]>) = searches.iter().map(|(id, row)| (row.slot, *id)).unzip();
    let bookings = core.vault.bookings.wipe_orphans(&slots, &ids)?;
    let probes = core.vault.probes.wipe_orphans(&probe_slots, &probe_ids)?;
    let (slots, photos) = (bookings.0 + probes.0, bookings.1 + probes.1);
    if slots + photos > 0 {
        log::info!("wiped {slots} key slots and {photos} photo files that no record knows");
    }
    Ok(())
}

fn load_gallery(core: &Core) -> Result<(), ServiceError> {
    let mut rows = Rows::default();
    let mut embeddings = Vec::new();
    let mut unreadable = 0;
    core.store.for_each_vector::<ServiceError>(|vector| {
        let Some(row) = core.store.version(vector.id)?.filter(|row| row.state == VersionState::Live) else { return Ok(()) };
        let lodger = Lodger { owner: row.agency, id: vector.id.0 };
        let plain =
            core.vault.bookings.key(row.slot, &lodger).and_then(|key| key.open(Part::Vector(core.model), vector.id.0, &vector.vector));
        let plain = match plain {
            Ok(plain) => plain,
            Err(e) => {
                // The booking can't be found until its agency sends it again; everything else can.
                log::error!("version {} is suppressed: {}", vector.id, ServiceError::from(e).chain());
                unreadable += 1;
                return Ok(());
            }
        };
        embeddings.push(Embedding::from_le_bytes(&plain).map_err(ServiceError::Vector)?);
        rows.ids.push(vector.id);
        Ok(())
    })?;
    if unreadable > 0 {
        log::error!("{unreadable} bookings are suppressed because their keys or vectors do not open");
    }
    let first = core.gallery.append_all(embeddings)?;
    let found = usize::try_from(core.gallery.live()).unwrap_or(usize::MAX);
    if found != rows.ids.len() {
        return Err(ServiceError::Setup {
            found: format!("{found} rows in the gallery"),
            wanted: format!("the store's {}", rows.ids.len()),
        });
    }
    core.gallery.prove()?;
    rows.row_of = rows.ids.iter().copied().zip(first..).collect();
    *core.rows.write().expect("nothing panics while it holds the rows") = rows;
    Ok(())
}
