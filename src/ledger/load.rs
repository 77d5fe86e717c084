//! What a start reads of the store: the log, the heads of all records, and every live booking's
//! vector.
//!
//! The invariant: rows reach the gallery **in the order of their leaves**, however many threads
//! open them. All walks go over ranges of a table, several at once, and nothing commits while they
//! run. What is kept of a booking until the gallery is full are some 40 bytes.

use std::collections::HashMap;
use std::ops::{Range, RangeInclusive};

use super::core::{Core, Newest};
use super::error::{Fated, LedgerError};
use super::faces;
use super::generation::Generation;
use super::in_order::in_order;
use super::inquiry_keys::report_id;
use super::progress::StageSteps;
use crate::audit::{Edge, Entry, Hash, LogKey, TILE_WIDTH, TileNode, leaf_hash};
use crate::booking::{Identifier, VersionId};
use crate::calendar::Time;
use crate::face::Embedding;
use crate::ids::{InquiryId, ProbeFileId};
use crate::limits::START_BATCH_LEAVES;
use crate::store::{Store, StoreError, VersionState};
use crate::vault::{KeyOwner, SealedPart};

/// The first bytes of ids, each a batch of its own: ids are random, so the batches are of a size.
pub(super) const ID_BATCHES: usize = 256;

/// What every booking's and search's record says beside what is sealed of it.
#[derive(Debug, Default)]
pub(super) struct Records {
    /// Sorted by id.
    versions: Vec<Version>,
    agencies: Vec<Identifier>,
    /// Sorted.
    slots: Vec<u32>,
    /// Sorted by id, with the probe's slot.
    inquiries: Vec<(InquiryId, u32)>,
    /// Under which the reports that are kept lie sealed, sorted.
    reports: Vec<ProbeFileId>,
    /// Sorted.
    probe_slots: Vec<u32>,
    /// Versions whose purge has begun.
    pub(super) purging: Vec<VersionId>,
    /// Versions that left the gallery for good, with the leaf by which each left.
    pub(super) left: Vec<(u64, VersionId)>,
    /// Inquiries with a search that was asked for and neither answered nor interrupted.
    pub(super) searching: Vec<InquiryId>,
    /// Inquiries whose end has begun; their slots and probes are nobody's.
    pub(super) ending: Vec<InquiryId>,
    /// Versions that belong in the gallery.
    pub(super) live: u64,
    /// Versions that would, if the active model made a vector of their photos.
    pub(super) unusable: Vec<VersionId>,
}

#[derive(Clone, Copy, Debug)]
struct Version {
    id: VersionId,
    leaf: u64,
    slot: u32,
    /// Index among `agencies`.
    agency: u32,
    state: VersionState,
}

/// The records of one batch, with agencies of its own.
#[derive(Default)]
struct Batch {
    versions: Vec<Version>,
    agencies: Vec<Identifier>,
    purging: Vec<VersionId>,
    left: Vec<(u64, VersionId)>,
    unusable: Vec<VersionId>,
}

/// The log as a start finds it.
pub(super) struct ReadLog {
    pub(super) edge: Edge,
    pub(super) newest: Newest,
    pub(super) audit_leaves: Vec<u64>,
}

/// Some leaves: the tree over them, the time of the last, the nodes over each 256 of them, and
/// which belong to audits.
struct LogPart {
    edge: Edge,
    time: Time,
    nodes: Vec<Hash>,
    audit_leaves: Vec<u64>,
}

/// The log's edge, recomputed: an edge or a checkpoint that doesn't fit the leaves is damage, not
/// something to go on from.
pub(super) fn read_log(
    store: &Store,
    log_key: &LogKey,
    workers: usize,
    step: &mut StageSteps<'_>,
) -> Result<ReadLog, LedgerError> {
    let wrong = |what: String| LedgerError::Log { what };
    let stored = Edge::from_bytes(&store.edge()?)?;
    let found = store.leaves_len()?;
    if found != stored.leaves() {
        return Err(wrong(format!(
            "the stored edge is that of {} leaves, {found} are there",
            stored.leaves()
        )));
    }
    let (mut edge, mut newest, mut nodes, mut audit_leaves) =
        (Edge::default(), Time::EPOCH, Vec::new(), Vec::new());
    let hash = |batch| hash_leaves(store, leaves_of(batch, found));
    in_order(workers, batches(found), hash, |part: LogPart| {
        let first = edge.leaves() / TILE_WIDTH;
        nodes.extend(part.nodes.into_iter().zip(first..).map(|(hash, index)| TileNode {
            level: 1,
            index,
            hash,
        }));
        edge.join_telling(&part.edge, &mut |node| nodes.extend((node.level > 1).then_some(node)));
        newest = part.time;
        audit_leaves.extend(part.audit_leaves);
        step.add(part.edge.leaves());
        Ok(())
    })?;
    if stored != edge {
        return Err(wrong(format!("the stored edge is not that of the {found} leaves")));
    }
    keep_nodes(store, nodes)?;
    let note = store.checkpoint()?.unwrap_or_default();
    if found > 0 {
        let checkpoint = log_key.open(&note)?;
        if checkpoint.leaves != edge.leaves() || checkpoint.root != edge.root() {
            return Err(wrong(format!(
                "the checkpoint signs {} leaves, {found} are there",
                checkpoint.leaves
            )));
        }
    }
    let cosigned = store.cosigned(found..found + 1, 1)?.pop().map(|(_, note)| note);
    Ok(ReadLog {
        edge,
        newest: Newest { note, cosigned, leaves: found, time: newest },
        audit_leaves,
    })
}

/// Holds the stored nodes against those that the leaves give; what a folder of an older form lacks
/// is written.
fn keep_nodes(store: &Store, mut nodes: Vec<TileNode>) -> Result<(), LedgerError> {
    nodes.sort_unstable_by_key(|node| (node.level, node.index));
    let mut lacking = Vec::new();
    for of_level in nodes.chunk_by(|a, b| a.level == b.level) {
        let level = of_level[0].level;
        let stored = store.nodes(level, 0..of_level.len() as u64)?;
        if let Some((node, _)) =
            of_level.iter().zip(&stored).find(|(node, stored)| node.hash != **stored)
        {
            return Err(LedgerError::Log {
                what: format!("node {} of level {level} is not that of its leaves", node.index),
            });
        }
        lacking.extend_from_slice(&of_level[stored.len()..]);
    }
    if lacking.is_empty() { Ok(()) } else { Ok(store.commit(|tables| tables.put_nodes(&lacking))?) }
}

fn hash_leaves(store: &Store, leaves: Range<u64>) -> Result<LogPart, LedgerError> {
    let (mut edge, mut time, mut nodes, mut audit_leaves) =
        (Edge::default(), Time::EPOCH, Vec::new(), Vec::new());
    let (first, end) = (leaves.start, leaves.end);
    let misplaced = |found, wanted| LedgerError::Log {
        what: format!("leaf {found} stands where leaf {wanted} was wanted"),
    };
    store.for_each_leaf::<LedgerError>(leaves, |index, bytes| {
        let wanted = first + edge.append_hash(leaf_hash(bytes), &mut |node| nodes.push(node.hash));
        if index != wanted {
            return Err(misplaced(index, wanted));
        }
        let entry = Entry::read(bytes)?;
        time = entry.time();
        if let Entry::Known(leaf) = entry
            && leaf.kind.is_of_audits()
        {
            audit_leaves.push(index);
        }
        Ok(())
    })?;
    match first + edge.leaves() {
        missing if missing < end => {
            Err(LedgerError::Log { what: format!("leaf {missing} is missing") })
        }
        _ => Ok(LogPart { edge, time, nodes, audit_leaves }),
    }
}

impl Records {
    /// Reads the heads of all records.
    pub(super) fn read(
        store: &Store,
        workers: usize,
        step: &mut StageSteps<'_>,
    ) -> Result<Self, LedgerError> {
        let mut records = Self::default();
        let mut index_of: HashMap<Identifier, u32> = HashMap::new();
        in_order(
            workers,
            ID_BATCHES,
            |batch| {
                let first_byte = u8::try_from(batch).expect("there is a batch for each byte");
                Batch::read(store, first_byte..=first_byte)
            },
            |batch| {
                let mut known = Vec::with_capacity(batch.agencies.len());
                for agency in batch.agencies {
                    let next =
                        u32::try_from(index_of.len()).expect("there are fewer agencies than slots");
                    let index = *index_of.entry(agency.clone()).or_insert(next);
                    if index == next {
                        records.agencies.push(agency);
                    }
                    known.push(index);
                }
                step.add(batch.versions.len() as u64);
                records.purging.extend(batch.purging);
                records.left.extend(batch.left);
                records.unusable.extend(batch.unusable);
                for version in batch.versions {
                    records.slots.push(version.slot);
                    records.live += u64::from(version.state == VersionState::Live);
                    records
                        .versions
                        .push(Version { agency: known[index(version.agency)], ..version });
                }
                Ok(())
            },
        )?;
        let mut untold = 0;
        store.for_each_inquiry::<LedgerError>(|id, head| {
            records.probe_slots.push(head.slot);
            records.inquiries.push((id, head.slot));
            records.reports.extend(head.issued.map(|_| report_id(id)));
            if head.asked.is_some() {
                records.searching.push(id);
            }
            untold += 1;
            if untold == START_BATCH_LEAVES {
                step.add(std::mem::take(&mut untold));
            }
            Ok(())
        })?;
        step.add(untold);
        records.ending = store.ending_inquiries()?;
        records.slots.sort_unstable();
        records.probe_slots.sort_unstable();
        records.reports.sort_unstable();
        Ok(records)
    }

    pub(super) fn knows_photo(&self, id: VersionId) -> bool {
        self.versions.binary_search_by_key(&id, |version| version.id).is_ok()
    }

    pub(super) fn knows_slot(&self, slot: u32) -> bool {
        self.slots.binary_search(&slot).is_ok()
    }

    pub(super) fn knows_probe(&self, id: ProbeFileId) -> bool {
        self.inquiries.binary_search_by_key(&id, |inquiry| inquiry.0.into()).is_ok()
            || self.reports.binary_search(&id).is_ok()
    }

    pub(super) fn knows_probe_slot(&self, slot: u32) -> bool {
        self.probe_slots.binary_search(&slot).is_ok()
    }

    /// What belongs in the gallery, in the order of the leaves.
    pub(super) fn into_live(mut self) -> Live {
        self.versions.retain(|version| version.state == VersionState::Live);
        Live::of_these(self.versions, self.agencies)
    }
}

/// The versions that belong in a gallery, in the order in which their vectors lie in the store:
/// whoever walks over both never looks far.
pub(super) struct Live {
    versions: Vec<Version>,
    agencies: Vec<Identifier>,
}

impl Live {
    /// The versions that stand now, read on this thread: those that belong in another model's
    /// gallery.
    pub(super) fn standing(store: &Store) -> Result<Self, LedgerError> {
        let mut batch = Batch::read(store, 0..=u8::MAX)?;
        batch
            .versions
            .retain(|version| matches!(version.state, VersionState::Live | VersionState::Unusable));
        Ok(Self::of_these(batch.versions, batch.agencies))
    }

    fn of_these(mut versions: Vec<Version>, agencies: Vec<Identifier>) -> Self {
        versions.sort_unstable_by_key(|version| version.leaf);
        Self { versions, agencies }
    }

    /// Those that these leaves logged.
    fn of(&self, leaves: &Range<u64>) -> &[Version] {
        let from = |leaf| self.versions.partition_point(|version| version.leaf < leaf);
        &self.versions[from(leaves.start)..from(leaves.end)]
    }

    fn key_owner(&self, version: &Version) -> KeyOwner<VersionId> {
        KeyOwner { owner: self.agencies[index(version.agency)].clone(), id: version.id }
    }
}

impl Batch {
    fn read(store: &Store, first_bytes: RangeInclusive<u8>) -> Result<Self, LedgerError> {
        let mut batch = Self::default();
        store.for_each_version::<LedgerError>(first_bytes, |id, head| {
            // A handful of agencies, mostly one after the other the same few.
            let at = match batch.agencies.iter().position(|agency| agency.as_str() == head.agency) {
                Some(at) => at,
                None => {
                    let agency = Identifier::parse(head.agency)
                        .map_err(|_| StoreError::Corrupt { what: "agency of a booking" })?;
                    batch.agencies.push(agency);
                    batch.agencies.len() - 1
                }
            };
            match head.state {
                VersionState::Purging => batch.purging.push(id),
                VersionState::Released | VersionState::Superseded => {
                    batch.left.extend(head.left.map(|leaf| (leaf, id)))
                }
                VersionState::Unusable => batch.unusable.push(id),
                _ => {}
            }
            let agency = u32::try_from(at).expect("there are fewer agencies than slots");
            batch.versions.push(Version {
                id,
                leaf: head.leaf,
                slot: head.slot,
                agency,
                state: head.state,
            });
            Ok(())
        })?;
        Ok(batch)
    }
}

/// Of which model vectors are wanted.
#[derive(Clone, Copy)]
pub(super) enum Vectors {
    Active,
    Next,
}

/// The vectors of some leaves, opened.
#[derive(Default)]
pub(super) struct OpenedVectors {
    pub(super) faces: Vec<(VersionId, Embedding)>,
    /// Those that don't open, and why.
    pub(super) unreadable: Vec<(VersionId, LedgerError)>,
}

/// Fills the gallery with the live bookings' vectors, in the order of their leaves.
pub(super) fn load_gallery(
    core: &Core,
    live: &Live,
    leaves: u64,
    workers: usize,
    step: &mut StageSteps<'_>,
) -> Result<(), LedgerError> {
    let generation = core.generation();
    generation.reserve(live.versions.len());
    let mut unreadable = 0;
    let open =
        |batch| open_vectors(core, &generation, Vectors::Active, live, leaves_of(batch, leaves));
    in_order(workers, batches(leaves), open, |opened| {
        for (version, cause) in &opened.unreadable {
            // The booking can't be found until its agency sends it again; everything else can.
            log::error!("version {version} is suppressed: {}", cause.chain());
        }
        unreadable += opened.unreadable.len();
        step.add((opened.faces.len() + opened.unreadable.len()) as u64);
        Ok(generation.append(opened.faces)?)
    })?;
    if unreadable > 0 {
        log::error!(
            "{unreadable} bookings are suppressed because their keys or vectors do not open"
        );
    }
    let (found, wanted) = (generation.gallery().live(), live.versions.len() - unreadable);
    if index(found) != wanted {
        return Err(disagree(
            format!("{found} rows in the gallery"),
            format!("the store's {wanted}"),
        ));
    }
    Ok(())
}

/// Opens the vectors of versions that belong in a generation's gallery.
pub(super) fn open_vectors(
    core: &Core,
    generation: &Generation,
    vectors: Vectors,
    live: &Live,
    leaves: Range<u64>,
) -> Result<OpenedVectors, LedgerError> {
    let mut opened = OpenedVectors::default();
    let mut wanted = live.of(&leaves).iter().peekable();
    let visit = |leaf, id, sealed: &[u8]| -> Result<(), LedgerError> {
        // A live version without a vector is missed in the end, where rows are counted.
        while wanted.next_if(|version| version.leaf < leaf).is_some() {}
        let Some(version) = wanted.next_if(|version| version.leaf == leaf && version.id == id)
        else {
            return Ok(());
        };
        let key = core.vault.bookings.key(version.slot, &live.key_owner(version));
        match key.and_then(|key| key.open(SealedPart::Vector(generation.model()), id, sealed)) {
            Ok(plain) => {
                let embedding = faces::embedding(generation.gallery().dimension(), &plain)
                    .map_err(LedgerError::Vector)?;
                opened.faces.push((id, embedding));
            }
            Err(e) => opened.unreadable.push((id, e.into())),
        }
        Ok(())
    };
    match vectors {
        Vectors::Active => core.store.for_each_vector(leaves, visit)?,
        Vectors::Next => core.store.for_each_next_vector(leaves, visit)?,
    }
    Ok(opened)
}

fn disagree(found: String, wanted: String) -> LedgerError {
    LedgerError::Setup { found, wanted }
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

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
