//! What a start reads of the store: the log, the heads of all records, and every live booking's vector.
//!
//! The invariant: rows reach the gallery **in the order of their leaves**, however many threads open them. All walks go over ranges of a
//! table, several at once, and nothing commits while they run. What is kept of a booking until the gallery is full are some 30 bytes.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::error::ServiceError;
use super::in_order::in_order;
use super::ledger::{Core, Newest, Rows};
use super::progress::Step;
use crate::audit::{Edge, Leaf, LogKey};
use crate::booking::{Identifier, VersionId};
use crate::face::Embedding;
use crate::limits::START_BATCH_LEAVES;
use crate::store::{SearchState, Store, StoreError, VersionState};
use crate::vault::{Lodger, Part};

/// The first bytes of ids, each a batch of its own: ids are random, so the batches are of a size.
pub(super) const ID_BATCHES: usize = 256;

/// First two bytes that ids may have.
const PREFIXES: usize = 1 << 16;

/// What every booking's and search's record says beside what is sealed of it.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// Sorted by id.
    versions: Vec<Version>,
    /// Where the versions of each first two bytes begin, and the end: ids are random, so a handful is left to search among.
    begins: Vec<u32>,
    agencies: Vec<Identifier>,
    /// Sorted.
    slots: Vec<u32>,
    /// Sorted by id, with the probe's slot.
    searches: Vec<([u8; 16], u32)>,
    /// Sorted.
    probe_slots: Vec<u32>,
    /// Versions whose purge has begun.
    pub(super) purging: Vec<VersionId>,
    /// Searches that were asked for and neither answered nor ended.
    pub(super) open_searches: Vec<[u8; 16]>,
    /// Versions that belong in the gallery.
    pub(super) live: u64,
}

#[derive(Clone, Copy, Debug)]
struct Version {
    id: VersionId,
    slot: u32,
    /// Index among `agencies`.
    agency: u32,
    live: bool,
}

/// The records of one batch, with agencies of its own.
#[derive(Default)]
struct Batch {
    versions: Vec<Version>,
    agencies: Vec<Identifier>,
    purging: Vec<VersionId>,
}

/// The log's edge, recomputed: an edge or a checkpoint that doesn't fit the leaves is damage, not something to go on from.
pub(super) fn read_log(store: &Store, log_key: &LogKey, workers: usize, step: &mut Step<'_>) -> Result<(Edge, u64, Newest), ServiceError> {
    let wrong = |what: String| ServiceError::Log { what };
    let stored = Edge::from_bytes(&store.edge()?)?;
    let found = store.leaves_len()?;
    if found != stored.leaves() {
        return Err(wrong(format!("the stored edge is that of {} leaves, {found} are there", stored.leaves())));
    }
    let (mut edge, mut newest_cs) = (Edge::default(), 0);
    let hash = |batch| hash_leaves(store, leaves_of(batch, found));
    in_order(workers, batches(found), hash, |(part, time_cs)| {
        edge.join(&part);
        newest_cs = time_cs;
        step.add(part.leaves());
        Ok(())
    })?;
    if stored != edge {
        return Err(wrong(format!("the stored edge is not that of the {found} leaves")));
    }
    let note = store.checkpoint()?.unwrap_or_default();
    if found > 0 {
        let checkpoint = log_key.open(&note)?;
        if checkpoint.leaves != edge.leaves() || checkpoint.root != edge.root() {
            return Err(wrong(format!("the checkpoint signs {} leaves, {found} are there", checkpoint.leaves)));
        }
    }
    Ok((edge, newest_cs, Newest { note, leaves: found }))
}

/// The tree over some leaves, and the time of the last.
fn hash_leaves(store: &Store, leaves: Range<u64>) -> Result<(Edge, u64), ServiceError> {
    let (mut edge, mut time_cs) = (Edge::default(), 0);
    let (first, end) = (leaves.start, leaves.end);
    let misplaced = |found, wanted| ServiceError::Log { what: format!("leaf {found} stands where leaf {wanted} was wanted") };
    store.for_each_leaf::<ServiceError>(leaves, |index, bytes| {
        let wanted = first + edge.append(bytes);
        if index != wanted {
            return Err(misplaced(index, wanted));
        }
        time_cs = Leaf::from_bytes(bytes)?.time_cs;
        Ok(())
    })?;
    match first + edge.leaves() {
        missing if missing < end => Err(ServiceError::Log { what: format!("leaf {missing} is missing") }),
        _ => Ok((edge, time_cs)),
    }
}

impl Records {
    /// Reads the heads of all records.
    pub(super) fn read(store: &Store, workers: usize, step: &mut Step<'_>) -> Result<Self, ServiceError> {
        let mut records = Self::default();
        let mut index_of: HashMap<Identifier, u32> = HashMap::new();
        in_order(
            workers,
            ID_BATCHES,
            |batch| Batch::read(store, batch),
            |batch| {
                let mut known = Vec::with_capacity(batch.agencies.len());
                for agency in batch.agencies {
                    let next = u32::try_from(index_of.len()).expect("there are fewer agencies than slots");
                    let index = *index_of.entry(agency.clone()).or_insert(next);
                    if index == next {
                        records.agencies.push(agency);
                    }
                    known.push(index);
                }
                step.add(batch.versions.len() as u64);
                records.purging.extend(batch.purging);
                for version in batch.versions {
                    records.slots.push(version.slot);
                    records.live += u64::from(version.live);
                    records.versions.push(Version { agency: known[index(version.agency)], ..version });
                }
                Ok(())
            },
        )?;
        let mut told = 0;
        store.for_each_search::<ServiceError>(|id, head| {
            records.probe_slots.push(head.slot);
            records.searches.push((id, head.slot));
            if head.state == SearchState::Asked {
                records.open_searches.push(id);
            }
            let found = records.searches.len() as u64;
            if found - told == START_BATCH_LEAVES {
                step.add(found - told);
                told = found;
            }
            Ok(())
        })?;
        records.begins = begins(&records.versions);
        records.slots.sort_unstable();
        records.probe_slots.sort_unstable();
        Ok(records)
    }

    /// Forgets the versions whose purges were finished meanwhile.
    pub(super) fn forget_purged(&mut self) {
        let purged: HashSet<VersionId> = std::mem::take(&mut self.purging).into_iter().collect();
        self.versions.retain(|version| !purged.contains(&version.id));
        self.begins = begins(&self.versions);
        self.slots = self.versions.iter().map(|version| version.slot).collect();
        self.slots.sort_unstable();
    }

    pub(super) fn knows_photo(&self, id: &[u8; 16]) -> bool {
        self.at(id).is_some()
    }

    pub(super) fn knows_slot(&self, slot: u32) -> bool {
        self.slots.binary_search(&slot).is_ok()
    }

    pub(super) fn knows_probe(&self, id: &[u8; 16]) -> bool {
        self.searches.binary_search_by_key(id, |search| search.0).is_ok()
    }

    pub(super) fn knows_probe_slot(&self, slot: u32) -> bool {
        self.probe_slots.binary_search(&slot).is_ok()
    }

    /// The slot and the lodger of a live version.
    fn live(&self, id: VersionId) -> Option<(u32, Lodger)> {
        let version = self.versions[self.at(&id.0)?];
        let owner = || self.agencies[index(version.agency)].clone();
        version.live.then(|| (version.slot, Lodger { owner: owner(), id: id.0 }))
    }

    fn at(&self, id: &[u8; 16]) -> Option<usize> {
        let prefix = prefix(id);
        let (begin, end) = (index(self.begins[prefix]), index(self.begins[prefix + 1]));
        self.versions[begin..end].binary_search_by_key(id, |version| version.id.0).ok().map(|at| begin + at)
    }
}

fn begins(versions: &[Version]) -> Vec<u32> {
    let mut begins = vec![0_u32; PREFIXES + 1];
    for version in versions {
        begins[prefix(&version.id.0) + 1] += 1;
    }
    for at in 1..begins.len() {
        begins[at] += begins[at - 1];
    }
    begins
}

fn prefix(id: &[u8; 16]) -> usize {
    usize::from(u16::from_be_bytes([id[0], id[1]]))
}

impl Batch {
    fn read(store: &Store, first_byte: usize) -> Result<Self, ServiceError> {
        let first_byte = u8::try_from(first_byte).expect("there is a batch for each byte");
        let mut batch = Self::default();
        store.for_each_version::<ServiceError>(first_byte..=first_byte, |id, head| {
            // A handful of agencies, mostly one after the other the same few.
            let at = match batch.agencies.iter().position(|agency| agency.as_str() == head.agency) {
                Some(at) => at,
                None => {
                    let agency = Identifier::parse(head.agency).map_err(|_| StoreError::Corrupt { what: "agency of a booking" })?;
                    batch.agencies.push(agency);
                    batch.agencies.len() - 1
                }
            };
            if head.state == VersionState::Purging {
                batch.purging.push(id);
            }
            let agency = u32::try_from(at).expect("there are fewer agencies than slots");
            batch.versions.push(Version { id, slot: head.slot, agency, live: head.state == VersionState::Live });
            Ok(())
        })?;
        Ok(batch)
    }
}

/// The vectors of some leaves, opened.
#[derive(Default)]
struct Opened {
    ids: Vec<VersionId>,
    embeddings: Vec<Embedding>,
    /// Those that don't open, and why.
    unreadable: Vec<(VersionId, ServiceError)>,
}

/// Fills the gallery with the live bookings' vectors, in the order of their leaves, and says which row is whose.
pub(super) fn load_gallery(core: &Core, records: &Records, leaves: u64, workers: usize, step: &mut Step<'_>) -> Result<Rows, ServiceError> {
    let mut rows = Rows::default();
    let mut unreadable = 0_u64;
    let open = |batch| open_vectors(core, records, leaves_of(batch, leaves));
    in_order(workers, batches(leaves), open, |opened| {
        for (version, cause) in &opened.unreadable {
            // The booking can't be found until its agency sends it again; everything else can.
            log::error!("version {version} is suppressed: {}", cause.chain());
        }
        unreadable += opened.unreadable.len() as u64;
        step.add((opened.ids.len() + opened.unreadable.len()) as u64);
        let first = core.gallery.append_all(opened.embeddings)?;
        if rows.ids.len() != index(first) {
            return Err(disagree(format!("row {first} of the gallery comes next"), format!("row {}", rows.ids.len())));
        }
        rows.row_of.extend(opened.ids.iter().copied().zip(first..));
        rows.ids.extend(opened.ids);
        Ok(())
    })?;
    if unreadable > 0 {
        log::error!("{unreadable} bookings are suppressed because their keys or vectors do not open");
    }
    let (found, wanted) = (u64::from(core.gallery.live()), records.live - unreadable.min(records.live));
    if found != wanted || rows.ids.len() as u64 != wanted {
        return Err(disagree(format!("{found} rows in the gallery"), format!("the store's {wanted}")));
    }
    Ok(rows)
}

fn open_vectors(core: &Core, records: &Records, leaves: Range<u64>) -> Result<Opened, ServiceError> {
    let mut opened = Opened::default();
    core.store.for_each_vector::<ServiceError>(leaves, |_, id, sealed| {
        let Some((slot, lodger)) = records.live(id) else { return Ok(()) };
        match core.vault.bookings.key(slot, &lodger).and_then(|key| key.open(Part::Vector(core.model), id.0, sealed)) {
            Ok(plain) => {
                opened.embeddings.push(Embedding::from_le_bytes(&plain).map_err(ServiceError::Vector)?);
                opened.ids.push(id);
            }
            Err(e) => opened.unreadable.push((id, e.into())),
        }
        Ok(())
    })?;
    Ok(opened)
}

fn disagree(found: String, wanted: String) -> ServiceError {
    ServiceError::Setup { found, wanted }
}

/// How many batches so many leaves make.
fn batches(leaves: u64) -> usize {
    usize::try_from(leaves.div_ceil(START_BATCH_LEAVES)).expect("batches fit the address space")
}

/// The leaves of a batch.
fn leaves_of(batch: usize, leaves: u64) -> Range<u64> {
    let first = batch as u64 * START_BATCH_LEAVES;
    first..(first + START_BATCH_LEAVES).min(leaves)
}

fn index(at: u32) -> usize {
    usize::try_from(at).expect("32 bits fit the address space")
}
