//! The one writer: changes in, commits out.
//!
//! A group of waiting changes is committed together, in this order: key slots written and synced once; photos sealed, synced and named,
//! their folders synced; then **one store transaction** with rows, leaves, the tree's edge and the signed checkpoint: the commit point.
//! After it the gallery follows, and only then does anybody hear of it. What a crash leaves before the commit point is an orphan that
//! start-up wipes; after it, start-up rebuilds the gallery. An error whose effect is unknown ends the writer: the process halts.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{Context, SHA256, digest};
use aws_lc_rs::rand::fill;
use zeroize::Zeroizing;

use super::detail::{Actor, Detail, Shown};
use super::error::{Fate, ServiceError};
use super::ledger::{Core, Enrolled, Newest, Record, Taken};
use crate::audit::{Edge, Leaf, LeafKind, SALT_BYTES, commit};
use crate::booking::{BookingData, BookingNumber, Identifier, VersionId};
use crate::face::Embedding;
use crate::inquiry::SearchRequest;
use crate::limits::COMMIT_CHANGES_MAX;
use crate::store::{Commit, NumberRow, NumberState, SearchRow, SearchState, StoreError, VectorRow, VersionRow, VersionState};
use crate::vault::{BookingKey, Lodger, Part, ProbeKey, SafeKey, VaultError};

const PHOTO_DOMAIN: &[u8] = b"smrt photo digest v1\0";
/// What a purge can promise where the epoch's anchor is a file.
const ASSURANCE: &str = "key overwritten, medium not proven";

pub(super) struct Job {
    pub(super) change: Change,
    pub(super) reply: SyncSender<Result<Done, ServiceError>>,
}

/// What may be asked of the writer.
pub(super) enum Change {
    Book(Box<NewBooking>),
    Release(Release),
    Ask(Box<Ask>),
    Answer(Answer),
    Interrupt { search: [u8; 16] },
    Note { kind: LeafKind, follows: Vec<u64>, counts: Vec<u64>, detail: Box<Detail> },
    Purge(Vec<VersionId>),
}

/// What the writer answers.
pub(super) enum Done {
    Booked(Taken),
    Released {
        leaf: u64,
        new: bool,
    },
    Logged {
        leaf: u64,
    },
    /// These candidates were suppressed after the search ran; nothing was logged.
    Stale(Vec<VersionId>),
    Purged,
}

pub(super) struct NewBooking {
    pub(super) actor: Actor,
    pub(super) agency: Identifier,
    pub(super) number: BookingNumber,
    pub(super) booking: BookingData,
    pub(super) photo: Arc<[u8]>,
    pub(super) face: Enrolled,
}

pub(super) struct Release {
    pub(super) actor: Actor,
    pub(super) agency: Identifier,
    pub(super) number: BookingNumber,
    pub(super) reason: String,
}

pub(super) struct Ask {
    pub(super) actor: Actor,
    pub(super) device: Identifier,
    pub(super) search: [u8; 16],
    pub(super) request: SearchRequest,
    pub(super) probe: Arc<[u8]>,
    pub(super) face: usize,
}

pub(super) struct Answer {
    pub(super) actor: Actor,
    pub(super) search: [u8; 16],
    pub(super) candidates: Vec<Shown>,
    pub(super) gallery_rows: u64,
}

pub(super) struct Writer {
    core: Arc<Core>,
    edge: Edge,
    /// Time of the newest leaf: the floor of the next.
    newest_cs: u64,
    backlog: VecDeque<Job>,
}

type Reply = SyncSender<Result<Done, ServiceError>>;

/// A change that is ready for the store's transaction.
struct Staged {
    reply: Reply,
    rows: StagedRows,
    kind: LeafKind,
    follows: Vec<u64>,
    counts: Vec<u64>,
    detail: Detail,
}

enum StagedRows {
    Booked(Box<StagedBooking>),
    Released { number_key: [u8; 32], number: NumberRow, versions: Vec<(VersionId, VersionRow)> },
    Asked { id: [u8; 16], row: SearchRow, key: ProbeKey, probe: Arc<[u8]> },
    Answered { id: [u8; 16], row: SearchRow },
    Interrupted { id: [u8; 16], row: SearchRow },
    Purged { id: VersionId, row: VersionRow, tombstone: Option<NumberRow> },
    None,
}

struct StagedBooking {
    id: VersionId,
    key: BookingKey,
    row: VersionRow,
    record: Record,
    photo: Arc<[u8]>,
    embedding: Embedding,
    replaces: Option<(VersionId, VersionRow)>,
}

/// What staging a change came to.
enum Stage {
    Now(Done),
    Commit(Box<Staged>),
}

impl Writer {
    pub(super) fn new(core: Arc<Core>, edge: Edge, newest_cs: u64) -> Self {
        Self { core, edge, newest_cs, backlog: VecDeque::new() }
    }

    /// Commits until no sender is left or the state is unknown.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            if self.backlog.is_empty() {
                let Ok(job) = jobs.recv() else { return };
                self.backlog.push_back(job);
            }
            while self.backlog.len() < COMMIT_CHANGES_MAX {
                let Ok(job) = jobs.try_recv() else { break };
                self.backlog.push_back(job);
            }
            if let Err(e) = self.commit_group() {
                let cause = e.chain();
                log::error!("the writer halts: {cause}");
                let waiting = std::mem::take(&mut self.backlog).into_iter().chain(jobs.try_iter());
                for job in waiting {
                    // A caller that left doesn't mind.
                    let _ = job.reply.send(Err(ServiceError::Halted { cause: cause.clone() }));
                }
                return;
            }
        }
    }

    /// Takes a group off the backlog and commits it. An error here means that the state is unknown.
    fn commit_group(&mut self) -> Result<(), ServiceError> {
        if let Some(Job { change: Change::Purge(_), .. }) = self.backlog.front() {
            let job = self.backlog.pop_front().expect("it was just seen");
            let Change::Purge(versions) = job.change else { unreachable!("it was just seen") };
            return settle(&job.reply, self.purge(&versions).map(|()| Done::Purged));
        }
        let mut staged: Vec<Staged> = Vec::new();
        let mut numbers = HashSet::new();
        let mut suppressed = HashSet::new();
        while let Some(job) = self.backlog.front() {
            // One change a number and group: the second must see what the first did. A purge is a group of its own.
            let number = self.number_of(&job.change);
            if matches!(job.change, Change::Purge(_)) || number.is_some_and(|n| !numbers.insert(n)) {
                break;
            }
            let Job { change, reply } = self.backlog.pop_front().expect("it was just seen");
            match self.stage(change, &reply, &mut suppressed) {
                Ok(Stage::Now(done)) => settle(&reply, Ok(done))?,
                Ok(Stage::Commit(change)) => staged.push(*change),
                Err(e) => settle(&reply, Err(e))?,
            }
        }
        self.commit(staged)
    }

    fn number_of(&self, change: &Change) -> Option<[u8; 32]> {
        let (agency, number) = match change {
            Change::Book(new) => (&new.agency, &new.number),
            Change::Release(release) => (&release.agency, &release.number),
            _ => return None,
        };
        Some(self.core.master.number_key(agency.as_str(), number.as_str()))
    }

    fn stage(&self, change: Change, reply: &Reply, suppressed: &mut HashSet<VersionId>) -> Result<Stage, ServiceError> {
        let commit = |rows, kind, follows, counts, detail| {
            Ok(Stage::Commit(Box::new(Staged { reply: reply.clone(), rows, kind, follows, counts, detail })))
        };
        match change {
            Change::Book(new) => self.stage_booking(*new, reply, suppressed),
            Change::Release(release) => self.stage_release(release, reply, suppressed),
            Change::Ask(ask) => {
                let Ask { actor, device, search, request, probe, face } = *ask;
                let key = ProbeKey::generate();
                let slot = self.core.vault.probes.lodge(&Lodger { owner: device.clone(), id: search }, &key).map_err(full_or_halted)?;
                let detail = Detail::Asked {
                    actor,
                    search: hex::encode(search),
                    request,
                    probe_sha256: hex::encode(digest(&SHA256, &probe)),
                    face,
                    model: self.core.model.to_string(),
                };
                let row = SearchRow { state: SearchState::Asked, slot, asked: 0, answered: None, device, candidates: Vec::new() };
                commit(StagedRows::Asked { id: search, row, key, probe }, LeafKind::Asked, Vec::new(), Vec::new(), detail)
            }
            Change::Answer(Answer { actor, search, candidates, gallery_rows }) => {
                let mut gone = Vec::new();
                for shown in &candidates {
                    let live = self.core.store.version(shown.version)?.is_some_and(|row| row.state == VersionState::Live);
                    if !live || suppressed.contains(&shown.version) {
                        gone.push(shown.version);
                    }
                }
                if !gone.is_empty() {
                    return Ok(Stage::Now(Done::Stale(gone)));
                }
                let row = self.asked(search)?;
                let (follows, counts) = (vec![row.asked], vec![candidates.len() as u64]);
                let row = SearchRow { state: SearchState::Answered, candidates: candidates.iter().map(|c| c.version).collect(), ..row };
                let detail = Detail::Answered { actor, search: hex::encode(search), gallery_rows, candidates };
                commit(StagedRows::Answered { id: search, row }, LeafKind::Answered, follows, counts, detail)
            }
            Change::Interrupt { search } => {
                let row = self.asked(search)?;
                let follows = vec![row.asked];
                let detail = Detail::Interrupted { search: hex::encode(search), device: row.device.clone() };
                let row = SearchRow { state: SearchState::Interrupted, ..row };
                commit(StagedRows::Interrupted { id: search, row }, LeafKind::Interrupted, follows, Vec::new(), detail)
            }
            Change::Note { kind, follows, counts, detail } => commit(StagedRows::None, kind, follows, counts, *detail),
            Change::Purge(_) => unreachable!("a purge is a group of its own"),
        }
    }

    fn stage_booking(&self, new: NewBooking, reply: &Reply, suppressed: &mut HashSet<VersionId>) -> Result<Stage, ServiceError> {
        let NewBooking { actor, agency, number, booking, photo, face } = new;
        let Enrolled { embedding, length, frame } = face;
        let number_key = self.core.master.number_key(agency.as_str(), number.as_str());
        let photo_digest = digest(&SHA256, &photo);
        let known = self.core.store.number(&number_key)?;
        let mut replaces = None;
        if let Some(known) = known {
            if known.state != NumberState::Live {
                return Err(ServiceError::Released { leaf: known.released.unwrap_or(known.leaf) });
            }
            let version = known.current.ok_or(StoreError::Corrupt { what: "booking number" })?;
            let (row, record) = self.core.record(version)?.ok_or(StoreError::Corrupt { what: "booking number" })?;
            if record.photo_sha256 == hex::encode(photo_digest) && record.booking == booking {
                return Ok(Stage::Now(Done::Booked(Taken { version, leaf: row.leaf, new: false, length: record.length })));
            }
            replaces = Some((version, VersionRow { state: VersionState::Superseded, ..row }));
        }
        let mut id = [0; 16];
        let mut salt = [0; SALT_BYTES];
        random(&mut id);
        random(&mut salt);
        let id = VersionId(id);
        let mut context = Context::new(&SHA256);
        for part in [PHOTO_DOMAIN, &salt, photo_digest.as_ref()] {
            context.update(part);
        }
        let previous = replaces.as_ref().map(|(version, _)| *version);
        let detail = Detail::BookingIn {
            actor,
            agency: agency.clone(),
            version: id,
            replaces: previous,
            photo_commitment: hex::encode(context.finish()),
        };
        let record = Record { number, booking, photo_sha256: hex::encode(photo_digest), salt: hex::encode(salt), length, frame };
        let key = BookingKey::generate();
        let slot = self.core.vault.bookings.lodge(&Lodger { owner: agency.clone(), id: id.0 }, &key).map_err(full_or_halted)?;
        suppressed.extend(previous);
        let follows = replaces.iter().map(|(_, row)| row.leaf).collect();
        let row = VersionRow { state: VersionState::Live, slot, leaf: 0, previous, number_key, agency, record: Vec::new() };
        let booking = StagedBooking { id, key, row, record, photo, embedding, replaces };
        Ok(Stage::Commit(Box::new(Staged {
            reply: reply.clone(),
            rows: StagedRows::Booked(Box::new(booking)),
            kind: LeafKind::BookingIn,
            follows,
            counts: Vec::new(),
            detail,
        })))
    }

    fn stage_release(&self, release: Release, reply: &Reply, suppressed: &mut HashSet<VersionId>) -> Result<Stage, ServiceError> {
        let Release { actor, agency, number, reason } = release;
        let number_key = self.core.master.number_key(agency.as_str(), number.as_str());
        let Some(known) = self.core.store.number(&number_key)? else { return Err(ServiceError::NotFound { what: "booking" }) };
        if known.state != NumberState::Live {
            return Ok(Stage::Now(Done::Released { leaf: known.released.unwrap_or(known.leaf), new: false }));
        }
        let mut versions = Vec::new();
        let mut next = known.current;
        while let Some(version) = next {
            // An earlier version may be purged already; the chain ends there.
            let Some(row) = self.core.store.version(version)? else { break };
            next = row.previous;
            versions.push((version, VersionRow { state: VersionState::Released, ..row }));
        }
        suppressed.extend(versions.iter().map(|(version, _)| *version));
        let detail = Detail::Released { actor, agency, versions: versions.iter().map(|(version, _)| *version).collect(), reason };
        let follows = vec![known.leaf];
        let number = NumberRow { state: NumberState::Released, ..known };
        Ok(Stage::Commit(Box::new(Staged {
            reply: reply.clone(),
            rows: StagedRows::Released { number_key, number, versions },
            kind: LeafKind::Released,
            follows,
            counts: Vec::new(),
            detail,
        })))
    }

    fn asked(&self, search: [u8; 16]) -> Result<SearchRow, ServiceError> {
        let row = self.core.store.search(search)?.filter(|row| row.state == SearchState::Asked);
        row.ok_or(ServiceError::NotFound { what: "open search" })
    }

    /// Slots, photos, the transaction, the gallery, the answers: in this order.
    fn commit(&mut self, staged: Vec<Staged>) -> Result<(), ServiceError> {
        let outcome = self.try_commit(staged);
        if let Err((e, replies)) = outcome {
            let cause = e.chain();
            for reply in replies {
                // A caller that left doesn't mind.
                let _ = reply.send(Err(ServiceError::Halted { cause: cause.clone() }));
            }
            return Err(e);
        }
        Ok(())
    }

    fn try_commit(&mut self, mut staged: Vec<Staged>) -> Result<(), (ServiceError, Vec<Reply>)> {
        let waiting: Vec<Reply> = staged.iter().map(|change| change.reply.clone()).collect();
        let outcome = self.place(&mut staged).and_then(|()| match staged.is_empty() {
            true => Ok(()),
            false => self.transact(&mut staged).and_then(|indices| self.follow(staged, &indices)),
        });
        outcome.map_err(|e| (e, waiting))
    }

    /// Slots and photos onto the medium. A change for which there was no room is answered so and leaves the group.
    fn place(&self, staged: &mut Vec<Staged>) -> Result<(), ServiceError> {
        let vault = &self.core.vault;
        let booked: Vec<[u8; 16]> = staged.iter().filter_map(Staged::booking).map(|b| b.id.0).collect();
        let probed: Vec<[u8; 16]> = staged.iter().filter_map(Staged::probe_id).collect();
        if !booked.is_empty() {
            vault.bookings.sync_slots()?;
        }
        if !probed.is_empty() {
            vault.probes.sync_slots()?;
        }
        let mut kept = Vec::with_capacity(staged.len());
        for change in std::mem::take(staged) {
            let (written, slot) = match &change.rows {
                StagedRows::Booked(b) => (vault.bookings.write_photo(b.id.0, &b.key, &b.photo), Ok(b.row.slot)),
                StagedRows::Asked { id, row, key, probe } => (vault.probes.write_photo(*id, key, probe), Err(row.slot)),
                _ => (Ok(()), Ok(0)),
            };
            match written {
                Ok(()) => kept.push(change),
                Err(e) if e.is_full() => {
                    match slot {
                        Ok(slot) => vault.bookings.evict(slot)?,
                        Err(slot) => vault.probes.evict(slot)?,
                    }
                    settle(&change.reply, Err(ServiceError::DiskFull))?;
                }
                Err(e) => return Err(e.into()),
            }
        }
        *staged = kept;
        vault.bookings.sync_names(booked)?;
        vault.probes.sync_names(probed)?;
        Ok(())
    }

    /// The commit point: gives each change's leaf.
    fn transact(&mut self, staged: &mut [Staged]) -> Result<Vec<u64>, ServiceError> {
        let core = self.core.clone();
        let mut edge = self.edge.clone();
        let mut indices = Vec::with_capacity(staged.len());
        let now_cs = now_cs().max(self.newest_cs);
        core.store
            .commit::<ServiceError>(|tables| {
                for change in staged.iter_mut() {
                    let detail = change.detail.to_bytes();
                    let mut salt = [0; SALT_BYTES];
                    random(&mut salt);
                    let leaf = Leaf {
                        kind: change.kind,
                        time_cs: now_cs,
                        follows: change.follows.clone(),
                        counts: change.counts.clone(),
                        commitment: commit(&salt, &detail),
                    };
                    let bytes = leaf.to_bytes();
                    let index = edge.append(&bytes);
                    indices.push(index);
                    let sealed = core.master.seal_detail(core.log_key.origin(), index, &[&salt[..], &detail].concat());
                    tables.put_leaf(index, &bytes, &sealed)?;
                    put_rows(&core, tables, &mut change.rows, index)?;
                }
                tables.put_checkpoint(&edge.to_bytes(), &core.log_key.sign(edge.leaves(), edge.root())).map_err(ServiceError::from)
            })
            // Once filling has begun, an error of any kind leaves slots and photos without a record: start-up knows what to do with them.
            .map_err(|e| if e.fate() == Fate::Halt { e } else { ServiceError::Halted { cause: e.chain() } })?;
        let note = core.store.checkpoint()?.ok_or(StoreError::Corrupt { what: "checkpoint" })?;
        *core.newest.write().expect("nothing panics while it holds the checkpoint") = Newest { note, leaves: edge.leaves() };
        self.edge = edge;
        self.newest_cs = now_cs;
        Ok(indices)
    }

    /// The gallery follows the commit; then the callers hear of it.
    fn follow(&self, staged: Vec<Staged>, indices: &[u64]) -> Result<(), ServiceError> {
        for (change, &leaf) in staged.into_iter().zip(indices) {
            let done = match change.rows {
                StagedRows::Booked(b) => {
                    let length = b.record.length;
                    {
                        // A search that meets the new row waits here until the row has its name.
                        let mut rows = self.core.rows.write().expect("nothing panics while it holds the rows");
                        let row = self.core.gallery.append(b.embedding)?;
                        rows.ids.push(b.id);
                        rows.row_of.insert(b.id, row);
                    }
                    if let Some((replaced, _)) = b.replaces {
                        self.core.mask(replaced)?;
                    }
                    Done::Booked(Taken { version: b.id, leaf, new: true, length })
                }
                StagedRows::Released { versions, .. } => {
                    for (version, _) in versions {
                        self.core.mask(version)?;
                    }
                    Done::Released { leaf, new: true }
                }
                _ => Done::Logged { leaf },
            };
            // A caller that left doesn't mind.
            let _ = change.reply.send(Ok(done));
        }
        Ok(())
    }

    /// Purges suppressed versions, whatever part of it was done before a crash.
    pub(super) fn purge(&mut self, versions: &[VersionId]) -> Result<(), ServiceError> {
        let mut rows = Vec::new();
        for &version in versions {
            let row = self.core.store.version(version)?.ok_or(ServiceError::NotFound { what: "version" })?;
            if row.state == VersionState::Live {
                return Err(ServiceError::NotSuppressed { version: version.to_string() });
            }
            rows.push((version, VersionRow { state: VersionState::Purging, ..row }));
        }
        let halted = |e: ServiceError| ServiceError::Halted { cause: e.chain() };
        self.core.store.commit::<StoreError>(|tables| rows.iter().try_for_each(|(version, row)| tables.put_version(*version, row)))?;
        self.destroy(&rows).map_err(halted)?;
        self.bury(rows).map_err(halted)
    }

    /// Numbers, keys and photos go.
    fn destroy(&self, rows: &[(VersionId, VersionRow)]) -> Result<(), ServiceError> {
        let core = &self.core;
        for (version, row) in rows {
            let gallery_row = core.rows.read().expect("nothing panics while it holds the rows").row_of.get(version).copied();
            if let Some(gallery_row) = gallery_row {
                core.gallery.zero(gallery_row)?;
            }
            core.vault.bookings.evict(row.slot)?;
        }
        core.vault.bookings.sync_slots()?;
        let gone: HashSet<VersionId> = rows.iter().map(|(version, _)| *version).collect();
        let staying: Vec<(u32, Lodger)> = core
            .store
            .versions()?
            .into_iter()
            .filter(|(version, row)| !gone.contains(version) && row.state != VersionState::Purging)
            .map(|(version, row)| (row.slot, Lodger { owner: row.agency, id: version.0 }))
            .collect();
        core.vault.bookings.rotate(&staying)?;
        for (version, _) in rows {
            core.vault.bookings.unlink_photo(version.0)?;
        }
        Ok(core.vault.bookings.sync_names(rows.iter().map(|(version, _)| version.0))?)
    }

    /// Records and vectors go, tombstones stay: one transaction with the leaves that say so.
    fn bury(&mut self, rows: Vec<(VersionId, VersionRow)>) -> Result<(), ServiceError> {
        let (nobody, _) = std::sync::mpsc::sync_channel(1);
        let mut staged = Vec::new();
        for (id, row) in rows {
            let number = self.core.store.number(&row.number_key)?;
            let follows = vec![number.as_ref().and_then(|number| number.released).unwrap_or(row.leaf)];
            let tombstone = number.filter(|number| number.current == Some(id)).map(|number| NumberRow {
                state: NumberState::Purged,
                current: None,
                ..number
            });
            staged.push(Staged {
                reply: nobody.clone(),
                kind: LeafKind::Purged,
                follows,
                counts: Vec::new(),
                detail: Detail::Purged { agency: row.agency.clone(), version: id, assurance: ASSURANCE },
                rows: StagedRows::Purged { id, row, tombstone },
            });
        }
        self.transact(&mut staged).map(|_| ())
    }
}

impl Staged {
    fn booking(&self) -> Option<&StagedBooking> {
        match &self.rows {
            StagedRows::Booked(booking) => Some(booking),
            _ => None,
        }
    }

    fn probe_id(&self) -> Option<[u8; 16]> {
        match &self.rows {
            StagedRows::Asked { id, .. } => Some(*id),
            _ => None,
        }
    }
}

/// Writes a change's rows; `leaf` is the index of the leaf that logs it.
fn put_rows(core: &Core, tables: &Commit, rows: &mut StagedRows, leaf: u64) -> Result<(), ServiceError> {
    match rows {
        StagedRows::Booked(booking) => {
            let StagedBooking { id, key, row, record, embedding, replaces, .. } = &mut **booking;
            let plain = Zeroizing::new(serde_json::to_vec(record).expect("a record holds only strings, numbers and lists of them"));
            row.leaf = leaf;
            row.record = key.seal(Part::Record, id.0, &plain);
            tables.put_model(&core.model.0)?;
            tables.put_version(*id, row)?;
            tables.put_vector(&VectorRow {
                leaf,
                id: *id,
                vector: key.seal(Part::Vector(core.model), id.0, &Zeroizing::new(embedding.to_le_bytes())),
            })?;
            let number = NumberRow { state: NumberState::Live, current: Some(*id), leaf, released: None, purged: None };
            tables.put_number(&row.number_key, &number)?;
            if let Some((replaced, row)) = replaces {
                tables.put_version(*replaced, row)?;
            }
        }
        StagedRows::Released { number_key, number, versions } => {
            number.released = Some(leaf);
            tables.put_number(number_key, number)?;
            for (version, row) in versions {
                tables.put_version(*version, row)?;
            }
        }
        StagedRows::Asked { id, row, .. } => {
            row.asked = leaf;
            tables.put_search(*id, row)?;
        }
        StagedRows::Answered { id, row } => {
            row.answered = Some(leaf);
            tables.put_search(*id, row)?;
        }
        StagedRows::Interrupted { id, row } => tables.put_search(*id, row)?,
        StagedRows::Purged { id, row, tombstone } => {
            tables.remove_version(*id, row.leaf)?;
            if let Some(tombstone) = tombstone {
                tombstone.purged = Some(leaf);
                tables.put_number(&row.number_key, tombstone)?;
            }
        }
        StagedRows::None => {}
    }
    Ok(())
}

/// Answers a caller; an error of unknown state comes back, for the writer to halt.
fn settle(reply: &Reply, result: Result<Done, ServiceError>) -> Result<(), ServiceError> {
    let (told, halt) = match result {
        Err(e) if e.fate() == Fate::Halt => (Err(ServiceError::Halted { cause: e.chain() }), Some(e)),
        other => (other, None),
    };
    // A caller that left doesn't mind.
    let _ = reply.send(told);
    halt.map_or(Ok(()), Err)
}

/// A full medium refuses this change; any other failure while writing a slot leaves the medium in doubt.
fn full_or_halted(e: VaultError) -> ServiceError {
    if e.is_full() { ServiceError::DiskFull } else { ServiceError::Halted { cause: ServiceError::from(e).chain() } }
}

fn random(bytes: &mut [u8]) {
    fill(bytes).expect("the operating system's random source works, or nothing here may go on");
}

/// Hundredths of a second since 1970-01-01 UTC.
fn now_cs() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis() / 10).expect("the year is before the end of 64 bits")
}
