//! The one writer: changes in, commits out.
//!
//! A group of waiting changes is committed together, in this order: key slots written and synced
//! once; photos sealed, synced and named, their folders synced; then **one store transaction** with
//! rows, leaves, the tree's edge and the signed checkpoint: the commit point. After it the gallery
//! follows, and only then does anybody hear of it. What a crash leaves before the commit point is
//! an orphan that start-up wipes; after it, start-up rebuilds the gallery. An error whose effect is
//! unknown ends the writer: the process halts.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

use aws_lc_rs::rand::fill;

use super::core::{Core, Newest};
use super::decide::Decide;
use super::error::{Fate, ServiceError};
use super::faces::{Faces, NextFace};
use super::ledger::Taken;
use super::stage::{Stage, Staged, StagedRows, put_rows};
use super::switch::Incoming;
use crate::audit::{Actor, Alarm, Detail, Edge, LeafKind, Note, VerifierKey, leaf_hash};
use crate::booking::{BookingData, BookingNumber, Identifier, VersionId};
use crate::embed::Pool;
use crate::face::ModelId;
use crate::limits::{COMMIT_CHANGES_MAX, COMMIT_THREADS_MAX};
use crate::roster::Ceilings;
use crate::store::LeafRow;
use crate::vault::VaultError;

pub(super) struct Job {
    pub(super) change: Change,
    pub(super) reply: SyncSender<Result<Done, ServiceError>>,
}

/// What may be asked of the writer.
pub(super) enum Change {
    Book(Box<NewBooking>),
    Release(Release),
    /// Serve by a roster of this digest from here on.
    Roster {
        sha256: String,
        ceilings: Ceilings,
    },
    /// Raise an alarm.
    Raise {
        alarm: Alarm,
        what: String,
    },
    /// Clear the alarm that a leaf raised.
    Clear {
        alarm: Alarm,
        raised: u64,
        what: String,
    },
    /// Keep a witness' cosignature of a checkpoint of this log.
    Cosigned {
        leaves: u64,
        note: Box<Note>,
        key: Box<VerifierKey>,
    },
    /// A refusal, told after it is logged.
    Refused(Box<Detail>),
    /// Remove details whose term is over.
    ExpireDetails,
    /// Destroy inquiries whose term is over.
    EndInquiries(Vec<[u8; 16]>),
    /// Log what was gathered of hours that are over.
    EndHours,
    Note {
        follows: Vec<u64>,
        counts: Vec<u64>,
        detail: Box<Detail>,
    },
    /// Decide by what the store says then.
    Decide {
        subject: Subject,
        decide: Decide,
    },
    Purge(Vec<VersionId>),
    /// Begin a switch of the model, or change its terms.
    BeginSwitch {
        actor: Actor,
        pool: Arc<Pool>,
        accept_failed: u64,
    },
    /// Keep what the next model makes of these bookings.
    Embed {
        model: ModelId,
        faces: Vec<(VersionId, NextFace)>,
    },
    /// Let a gallery of the next model be filled.
    Gather,
    /// Drop a gallery that isn't filled to its end.
    LeaveGallery,
    /// Let searches be answered by the gallery that was filled.
    Turn,
    GiveUpSwitch {
        actor: Actor,
    },
    /// Remove some vectors of no model in use.
    Sweep,
}

impl Change {
    /// Whether it is a group of its own: it commits in more than one step, or what comes after it
    /// must see what it did.
    fn is_alone(&self) -> bool {
        use Change::{
            BeginSwitch, Embed, EndHours, EndInquiries, ExpireDetails, Gather, GiveUpSwitch,
            LeaveGallery, Purge, Sweep, Turn,
        };
        let in_steps = matches!(self, Purge(_) | EndInquiries(_) | EndHours | ExpireDetails);
        in_steps
            || matches!(
                self,
                BeginSwitch { .. }
                    | Embed { .. }
                    | Gather
                    | LeaveGallery
                    | Turn
                    | GiveUpSwitch { .. }
                    | Sweep
            )
    }
}

/// What two changes of one group must not both be about.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// All accounts, and what waits to be approved of them.
    People,
    Inquiry([u8; 16]),
    Number([u8; 32]),
    Refused(LeafKind, String),
    Checkpoint(u64),
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
    Decided {
        leaf: Option<u64>,
    },
    /// The checkpoint with all its cosignatures so far.
    Cosigned {
        note: Box<Note>,
    },
    Purged,
    /// The change that was alone is made.
    Made,
    /// This gallery is to be filled; none where there is no switch that may fill one.
    Gathering(Option<Arc<Incoming>>),
    /// Whether searches are answered by the next model now; else something was left to be done
    /// before.
    Turned(bool),
    /// Whether something is left to be swept.
    Swept(bool),
}

pub(super) struct NewBooking {
    pub(super) actor: Actor,
    pub(super) agency: Identifier,
    pub(super) number: BookingNumber,
    pub(super) booking: BookingData,
    pub(super) photo: Arc<[u8]>,
    pub(super) faces: Faces,
}

pub(super) struct Release {
    pub(super) actor: Actor,
    pub(super) agency: Identifier,
    pub(super) number: BookingNumber,
    pub(super) reason: String,
}

pub(super) struct Writer {
    core: Arc<Core>,
    edge: Edge,
    backlog: VecDeque<Job>,
}

pub(super) type Reply = SyncSender<Result<Done, ServiceError>>;

impl Writer {
    /// Leaves so far.
    pub(super) fn leaves(&self) -> u64 {
        self.edge.leaves()
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    pub(super) fn new(core: Arc<Core>, edge: Edge) -> Self {
        Self { core, edge, backlog: VecDeque::new() }
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
        if self.backlog.front().is_some_and(|job| job.change.is_alone()) {
            let Job { change, reply } = self.backlog.pop_front().expect("it was just seen");
            let done = self.make_alone(change);
            return settle(&reply, done);
        }
        let mut staged: Vec<Staged> = Vec::new();
        let mut subjects = HashSet::new();
        let mut suppressed = HashSet::new();
        while let Some(job) = self.backlog.front() {
            // One change a subject and group: the second must see what the first did.
            let subject = self.subject_of(&job.change);
            if job.change.is_alone() || subject.is_some_and(|subject| !subjects.insert(subject)) {
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

    fn make_alone(&mut self, change: Change) -> Result<Done, ServiceError> {
        match change {
            Change::Purge(versions) => self.purge(&versions).map(|()| Done::Purged),
            Change::BeginSwitch { actor, pool, accept_failed } => {
                self.begin_switch(actor, pool, accept_failed)
            }
            Change::Embed { model, faces } => self.embed(model, &faces),
            Change::EndHours => self.end_hours(),
            Change::ExpireDetails => self.expire_details(),
            Change::EndInquiries(inquiries) => self.end_inquiries(&inquiries),
            Change::Gather => self.gather(),
            Change::LeaveGallery => self.leave_gallery(),
            Change::Turn => self.turn(),
            Change::GiveUpSwitch { actor } => self.give_up_switch(actor),
            Change::Sweep => self.sweep(),
            _ => unreachable!("only these are groups of their own"),
        }
    }

    fn subject_of(&self, change: &Change) -> Option<Subject> {
        let (agency, number) = match change {
            Change::Book(new) => (&new.agency, &new.number),
            Change::Release(release) => (&release.agency, &release.number),
            Change::Refused(detail) => {
                let (actor, ..) = detail.refusal()?;
                return Some(Subject::Refused(detail.kind(), actor.certificate.clone()));
            }
            Change::Cosigned { leaves, .. } => return Some(Subject::Checkpoint(*leaves)),
            Change::Decide { subject, .. } => return Some(subject.clone()),
            _ => return None,
        };
        Some(Subject::Number(self.core.master.number_key(agency.as_str(), number.as_str())))
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

    /// Slots and photos onto the medium. A change for which there was no room is answered so and
    /// leaves the group.
    fn place(&self, staged: &mut Vec<Staged>) -> Result<(), ServiceError> {
        let vault = &self.core.vault;
        let booked: Vec<[u8; 16]> =
            staged.iter().filter_map(Staged::booking).map(|b| b.id.0).collect();
        if !booked.is_empty() {
            vault.bookings.sync_slots()?;
        }
        if staged
            .iter()
            .any(|change| matches!(change.rows, StagedRows::Decided { lodged: true, .. }))
        {
            vault.probes.sync_slots()?;
        }
        let written = self.write_photos(staged);
        let mut kept = Vec::with_capacity(staged.len());
        for (change, written) in std::mem::take(staged).into_iter().zip(written) {
            match written {
                Ok(()) => kept.push(change),
                Err(e) if e.is_full() => {
                    if let Some(booking) = change.booking() {
                        vault.bookings.destroy_key(booking.row.slot)?;
                    }
                    settle(&change.reply, Err(ServiceError::DiskFull))?;
                }
                Err(e) => return Err(e.into()),
            }
        }
        *staged = kept;
        vault.bookings.sync_names(booked)?;
        Ok(())
    }

    /// Each change's photo, sealed and synced under its name; several at once, since most of that
    /// is waiting for the medium.
    fn write_photos(&self, staged: &[Staged]) -> Vec<Result<(), VaultError>> {
        let vault = &self.core.vault;
        let write = |change: &Staged| match &change.rows {
            StagedRows::Booked(b) => vault.bookings.write_photo(b.id.0, &b.key, &b.photo),
            _ => Ok(()),
        };
        if staged.len() < 2 {
            return staged.iter().map(write).collect();
        }
        let share = staged.len().div_ceil(COMMIT_THREADS_MAX);
        std::thread::scope(|scope| {
            let shares: Vec<_> = staged
                .chunks(share)
                .map(|share| scope.spawn(|| share.iter().map(write).collect::<Vec<_>>()))
                .collect();
            shares
                .into_iter()
                .flat_map(|share| share.join().expect("writing a photo does not panic"))
                .collect()
        })
    }

    /// The time that a leaf of now is dated: never before the newest one.
    pub(super) fn now_cs(&self) -> u64 {
        self.core.clock.now_cs().max(self.core.newest().time_cs)
    }

    /// The commit point: gives each change's last leaf.
    pub(super) fn transact(
        &mut self,
        staged: &mut [Staged],
    ) -> Result<Vec<Option<u64>>, ServiceError> {
        let core = self.core.clone();
        let mut edge = self.edge.clone();
        let mut last = Vec::with_capacity(staged.len());
        let (mut rows, mut nodes) = (Vec::new(), Vec::new());
        let mut note = None;
        let now_cs = self.now_cs();
        core.store
            .commit::<ServiceError>(|tables| {
                for change in staged.iter_mut() {
                    let mut index = None;
                    for new in &change.leaves {
                        let (leaf, salted) = new.leaf(now_cs, index);
                        let at = edge.append_hash(leaf_hash(&leaf), &mut |node| nodes.push(node));
                        let sealed = core.master.seal_detail(core.log_key.origin(), at, &salted);
                        rows.push(LeafRow { leaf, detail: Some(sealed) });
                        index = Some(at);
                    }
                    put_rows(&core, tables, &mut change.rows, index)?;
                    last.push(index);
                }
                if rows.is_empty() {
                    return Ok(());
                }
                tables.put_leaves(self.edge.leaves(), &rows)?;
                tables.put_nodes(&nodes)?;
                let signed = core.log_key.sign(edge.leaves(), edge.root());
                tables.put_checkpoint(&edge.to_bytes(), &signed)?;
                note = Some(signed);
                Ok(())
            })
            // Once filling has begun, an error of any kind leaves slots and photos without a
            // record: start-up knows what to do with them.
            .map_err(|e| {
                if e.fate() == Fate::Halt { e } else { ServiceError::Halted { cause: e.chain() } }
            })?;
        if let Some(note) = note {
            *core.newest.write().expect("nothing panics while it holds the checkpoint") =
                Newest { note, cosigned: None, leaves: edge.leaves(), time_cs: now_cs };
        }
        let audits = staged
            .iter()
            .zip(&last)
            .filter(|(change, _)| change.leaves.iter().any(|new| new.detail.kind().is_of_audits()));
        core.audit_leaves
            .lock()
            .expect("nothing panics while it holds the leaves")
            .extend(audits.filter_map(|(_, leaf)| *leaf));
        let mut written = core.written.lock().expect("nothing panics while it holds the counts");
        for new in staged.iter().flat_map(|change| &change.leaves) {
            *written.entry(new.detail.kind().name()).or_default() += 1;
        }
        drop(written);
        self.edge = edge;
        Ok(last)
    }

    /// The gallery follows the commit; then the callers hear of it.
    fn follow(&self, staged: Vec<Staged>, last: &[Option<u64>]) -> Result<(), ServiceError> {
        for (change, &leaf) in staged.into_iter().zip(last) {
            let logged = || leaf.expect("every other change is logged");
            let done = match change.rows {
                StagedRows::Cosigned { leaves, note } => {
                    let mut newest = self
                        .core
                        .newest
                        .write()
                        .expect("nothing panics while it holds the checkpoint");
                    if newest.leaves == leaves {
                        newest.cosigned = Some(note.to_string());
                    }
                    Done::Cosigned { note }
                }
                StagedRows::Roster { .. } => Done::Made,
                StagedRows::Decided { .. } => Done::Decided { leaf },
                StagedRows::Gathered { row } => Done::Logged { leaf: row.leaf },
                StagedRows::Booked(b) => {
                    let length = b.record.length;
                    self.core.generation().append(vec![(b.id, b.face.embedding)])?;
                    if let Some((replaced, _)) = b.replaces {
                        self.core.mask(replaced)?;
                    }
                    self.core.count_standing(i64::from(b.more_standing));
                    Done::Booked(Taken { version: b.id, leaf: logged(), new: true, length })
                }
                StagedRows::Released { versions, .. } => {
                    for (version, _) in versions {
                        self.core.mask(version)?;
                    }
                    // Of a booking's versions the current one stood.
                    self.core.count_standing(-1);
                    Done::Released { leaf: logged(), new: true }
                }
                _ => Done::Logged { leaf: logged() },
            };
            // A caller that left doesn't mind.
            let _ = change.reply.send(Ok(done));
        }
        Ok(())
    }
}

/// Answers a caller; an error of unknown state comes back, for the writer to halt.
fn settle(reply: &Reply, result: Result<Done, ServiceError>) -> Result<(), ServiceError> {
    let (told, halt) = match result {
        Err(e) if e.fate() == Fate::Halt => {
            (Err(ServiceError::Halted { cause: e.chain() }), Some(e))
        }
        other => (other, None),
    };
    // A caller that left doesn't mind.
    let _ = reply.send(told);
    halt.map_or(Ok(()), Err)
}

/// Fills bytes at random.
pub(super) fn random(bytes: &mut [u8]) {
    fill(bytes).expect("the operating system's random source works, or nothing here may go on");
}
