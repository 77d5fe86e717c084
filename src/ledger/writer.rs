//! Group commit: the one thread that changes the state folder. It takes all waiting writes, lets
//! each decide, and commits them together.
//!
//! The order of a group: key slots written and synced once; photos sealed, synced and named, their
//! folders synced; then **one store transaction** with rows, leaves, the tree's edge and the signed
//! checkpoint: the commit point. After it the gallery follows, and only then does anybody hear of
//! it. What a crash leaves before the commit point is an orphan that start-up wipes; after it,
//! start-up rebuilds the gallery. An error whose effect is unknown ends the writer: the process
//! halts.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};

use super::core::{Core, Newest};
use super::error::{Fate, Fated, LedgerError};
use super::write::{Decision, FilesFirst, Group, Staged, Subject};
use crate::audit::{Edge, LeafKind, leaf_hash};
use crate::calendar::Time;
use crate::limits::{COMMIT_CHANGES_MAX, COMMIT_THREADS_MAX};
use crate::store::LeafRow;
use crate::vault::VaultError;

/// What must be alone in its transaction.
///
/// | work | why it is alone |
/// |---|---|
/// | `Purge`, `EndInquiries` | two transactions with the destruction of keys between them |
/// | `EndHours` | it is about the refusals of all callers at once |
/// | `BeginSwitch`, `GiveUpSwitch` | bookings that come after it must see what it did |
/// | `Embed` | it looks at bookings that others of a group may release |
/// | `BeginFill`, `LeaveGallery`, `Activate` | galleries change over between two transactions |
/// | `RemoveFormer` | it removes what `Activate` or a begun switch would read |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alone {
    Purge,
    EndInquiries,
    EndHours,
    BeginSwitch,
    GiveUpSwitch,
    Embed,
    BeginFill,
    LeaveGallery,
    Activate,
    RemoveFormer,
}

/// What waits for the writer.
pub(super) enum Job {
    /// A write that shares its transaction; `None` as subject: it is about nothing that another
    /// write could be about.
    Write(Option<Subject>, Box<dyn Ask>),
    /// Work that has the writer to itself.
    Alone(Alone, Box<dyn AskAlone>),
}

/// A write whose caller waits, whatever its answer's type.
pub(super) trait Ask: Send {
    /// Decides: staged for the transaction, or answered at once. An error halts the writer.
    fn stage(
        self: Box<Self>,
        core: &Core,
        group: &mut Group<'_>,
    ) -> Result<Option<WaitingWrite>, LedgerError>;
    /// Tells the caller that the writer halted.
    fn halt(self: Box<Self>, cause: &str);
}

/// As `Ask`, for work that is alone.
pub(super) trait AskAlone: Send {
    /// Works and answers. An error halts the writer.
    fn work(self: Box<Self>, writer: &mut Writer) -> Result<(), LedgerError>;
    /// Tells the caller that the writer halted.
    fn halt(self: Box<Self>, cause: &str);
}

/// A staged write and who waits for it.
pub(super) struct WaitingWrite {
    staged: Staged,
    answer: Box<dyn Answer>,
}

/// Whoever waits for a staged write.
trait Answer: Send {
    /// The write is committed: the gallery follows, and the caller is told.
    fn committed(self: Box<Self>, core: &Core, leaf: Option<u64>) -> Result<(), LedgerError>;
    /// The write is not made, for this reason.
    fn failed(self: Box<Self>, error: LedgerError);
}

/// A decision and the caller who waits for what it gives.
pub(super) struct PendingAsk<D, T, E> {
    pub(super) decide: D,
    pub(super) reply: SyncSender<Result<T, E>>,
}

impl<D, T, E> Ask for PendingAsk<D, T, E>
where
    D: FnOnce(&Core, &mut Group<'_>) -> Result<Decision<T>, E> + Send,
    T: Send + 'static,
    E: Fated + From<LedgerError> + Send + 'static,
{
    fn stage(
        self: Box<Self>,
        core: &Core,
        group: &mut Group<'_>,
    ) -> Result<Option<WaitingWrite>, LedgerError> {
        let Self { decide, reply } = *self;
        match decide(core, group) {
            Ok(Decision::Write(write)) => {
                if let Err(e) = write.staged.check(core) {
                    return settle(&reply, Err(e.into())).map(|()| None);
                }
                let answer = Box::new(Committed { follow: write.follow, reply });
                Ok(Some(WaitingWrite { staged: write.staged, answer }))
            }
            Ok(Decision::Nothing(answer)) => settle(&reply, Ok(answer)).map(|()| None),
            Err(e) => settle(&reply, Err(e)).map(|()| None),
        }
    }

    fn halt(self: Box<Self>, cause: &str) {
        // A caller that left doesn't mind.
        let _ = self.reply.send(Err(halted(cause).into()));
    }
}

impl<D, T, E> AskAlone for PendingAsk<D, T, E>
where
    D: FnOnce(&mut Writer) -> Result<T, E> + Send,
    T: Send,
    E: Fated + From<LedgerError> + Send,
{
    fn work(self: Box<Self>, writer: &mut Writer) -> Result<(), LedgerError> {
        let Self { decide, reply } = *self;
        settle(&reply, decide(writer))
    }

    fn halt(self: Box<Self>, cause: &str) {
        // A caller that left doesn't mind.
        let _ = self.reply.send(Err(halted(cause).into()));
    }
}

/// What follows a commit, and the caller who waits for it.
struct Committed<F, T, E> {
    follow: F,
    reply: SyncSender<Result<T, E>>,
}

impl<F, T, E> Answer for Committed<F, T, E>
where
    F: FnOnce(&Core, Option<u64>) -> Result<T, LedgerError> + Send,
    T: Send,
    E: Fated + From<LedgerError> + Send,
{
    fn committed(self: Box<Self>, core: &Core, leaf: Option<u64>) -> Result<(), LedgerError> {
        let Self { follow, reply } = *self;
        // What is committed and not followed is a state that only a start puts right.
        settle(&reply, follow(core, leaf).map_err(|e| E::from(e.halting())))
    }

    fn failed(self: Box<Self>, error: LedgerError) {
        // A caller that left doesn't mind.
        let _ = self.reply.send(Err(error.into()));
    }
}

/// Answers a caller; an error of unknown state comes back, for the writer to halt.
fn settle<T, E: Fated + From<LedgerError>>(
    reply: &SyncSender<Result<T, E>>,
    result: Result<T, E>,
) -> Result<(), LedgerError> {
    let halt = match &result {
        Err(e) if e.fate() == Fate::Halt => Some(e.chain()),
        _ => None,
    };
    let Some(cause) = halt else {
        // A caller that left doesn't mind.
        let _ = reply.send(result);
        return Ok(());
    };
    let _ = reply.send(Err(halted(&cause).into()));
    Err(halted(&cause))
}

fn halted(cause: &str) -> LedgerError {
    LedgerError::Halted { cause: cause.to_owned() }
}

/// The writer: the store's only writing end, with the tree's edge.
pub(super) struct Writer {
    core: Arc<Core>,
    edge: Edge,
    backlog: VecDeque<Job>,
}

impl Writer {
    pub(super) fn new(core: Arc<Core>, edge: Edge) -> Self {
        Self { core, edge, backlog: VecDeque::new() }
    }

    pub(super) fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Leaves so far.
    pub(super) fn leaves(&self) -> u64 {
        self.edge.leaves()
    }

    /// The time that a leaf of now is dated: never before the newest one.
    pub(super) fn now(&self) -> Time {
        self.core.clock.now().max(self.core.newest().time)
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
                for job in std::mem::take(&mut self.backlog).into_iter().chain(jobs.try_iter()) {
                    match job {
                        Job::Write(_, ask) => ask.halt(&cause),
                        Job::Alone(_, ask) => ask.halt(&cause),
                    }
                }
                return;
            }
        }
    }

    /// Takes a group off the backlog and commits it. An error here means that the state is unknown.
    fn commit_group(&mut self) -> Result<(), LedgerError> {
        let (mut subjects, mut suppressed) = (HashSet::new(), HashSet::new());
        let mut waiting: Vec<WaitingWrite> = Vec::new();
        let now = self.now();
        while let Some(job) = self.backlog.pop_front() {
            match job {
                Job::Alone(work, ask) if waiting.is_empty() && subjects.is_empty() => {
                    return ask.work(self).inspect_err(|_| log::error!("at work: {work:?}"));
                }
                Job::Write(subject, ask)
                    if subject.as_ref().is_none_or(|subject| !subjects.contains(subject)) =>
                {
                    subjects.extend(subject);
                    let mut group = Group { now, suppressed: &mut suppressed };
                    match ask.stage(&self.core, &mut group) {
                        Ok(staged) => waiting.extend(staged),
                        Err(e) => return Err(fail_all(waiting, e)),
                    }
                }
                // One write a subject and group: the second must see what the first did.
                next => {
                    self.backlog.push_front(next);
                    break;
                }
            }
        }
        self.commit(waiting)
    }

    /// FilesFirst, the transaction, the gallery, the answers: in this order.
    fn commit(&mut self, mut waiting: Vec<WaitingWrite>) -> Result<(), LedgerError> {
        if let Err(e) = self.place(&mut waiting) {
            return Err(fail_all(waiting, e));
        }
        if waiting.is_empty() {
            return Ok(());
        }
        let (staged, mut answers): (Vec<Staged>, VecDeque<Box<dyn Answer>>) =
            waiting.into_iter().map(|waiting| (waiting.staged, waiting.answer)).unzip();
        let followed = self.transact(staged).and_then(|leaves| {
            leaves.into_iter().try_for_each(|leaf| match answers.pop_front() {
                Some(answer) => answer.committed(&self.core, leaf),
                None => Ok(()),
            })
        });
        if let Err(e) = &followed {
            answers.into_iter().for_each(|answer| answer.failed(halted(&e.chain())));
        }
        followed
    }

    /// Slots, photos and reports onto the medium. A write for which there was no room is answered
    /// so and leaves the group.
    fn place(&self, waiting: &mut Vec<WaitingWrite>) -> Result<(), LedgerError> {
        let vault = &self.core.vault;
        let (mut booked, mut reports, mut probe_slot) = (Vec::new(), Vec::new(), false);
        for waits in &*waiting {
            match &waits.staged.files {
                FilesFirst::Booking(files) => booked.push(files.id),
                FilesFirst::Report(report) => reports.push(report.id),
                FilesFirst::ProbeSlot => probe_slot = true,
                FilesFirst::None => {}
            }
        }
        if !booked.is_empty() {
            vault.bookings.sync_slots()?;
        }
        if probe_slot {
            vault.probes.sync_slots()?;
        }
        let written = self.write_files(waiting);
        let mut failed = None;
        for (waits, written) in std::mem::take(waiting).into_iter().zip(written) {
            match written {
                Ok(()) => waiting.push(waits),
                Err(e) if e.is_full() => {
                    if let FilesFirst::Booking(files) = &waits.staged.files {
                        vault.bookings.destroy_key(files.slot)?;
                    }
                    waits.answer.failed(LedgerError::DiskFull);
                }
                Err(e) => {
                    waiting.push(waits);
                    failed = failed.or(Some(e));
                }
            }
        }
        if let Some(e) = failed {
            return Err(e.into());
        }
        vault.bookings.sync_names(booked)?;
        Ok(vault.probes.sync_names(reports)?)
    }

    /// Each write's photo or report, sealed and synced under its name; several at once, since most
    /// of that is waiting for the medium.
    fn write_files(&self, waiting: &[WaitingWrite]) -> Vec<Result<(), VaultError>> {
        let vault = &self.core.vault;
        let files: Vec<&FilesFirst> = waiting.iter().map(|waits| &waits.staged.files).collect();
        let with_files =
            |files: &&&FilesFirst| matches!(files, FilesFirst::Booking(_) | FilesFirst::Report(_));
        if files.iter().filter(with_files).count() < 2 {
            return files.into_iter().map(|files| files.write(vault)).collect();
        }
        let share = files.len().div_ceil(COMMIT_THREADS_MAX);
        std::thread::scope(|scope| {
            let shares: Vec<_> = files
                .chunks(share)
                .map(|share| {
                    scope.spawn(|| share.iter().map(|files| files.write(vault)).collect::<Vec<_>>())
                })
                .collect();
            shares
                .into_iter()
                .flat_map(|share| share.join().expect("writing a photo does not panic"))
                .collect()
        })
    }

    /// Commits what is alone in its transaction, or nothing where a detail is too long or the log
    /// takes no leaf; gives each write's last leaf.
    pub(super) fn transact_alone(
        &mut self,
        staged: Vec<Staged>,
    ) -> Result<Vec<Option<u64>>, LedgerError> {
        staged.iter().try_for_each(|staged| staged.check(&self.core))?;
        self.transact(staged)
    }

    /// The commit point: gives each write's last leaf.
    fn transact(&mut self, staged: Vec<Staged>) -> Result<Vec<Option<u64>>, LedgerError> {
        let core = self.core.clone();
        let mut edge = self.edge.clone();
        let (mut last, mut kinds) = (Vec::with_capacity(staged.len()), Vec::new());
        let (mut rows, mut nodes) = (Vec::new(), Vec::new());
        let mut note = None;
        let now = self.now();
        core.store
            .commit::<LedgerError>(|tables| {
                for Staged { leaves, rows: put, .. } in staged {
                    let mut index = None;
                    for new in &leaves {
                        let (leaf, salted) = new.leaf(now, index);
                        let at = edge.append_hash(leaf_hash(&leaf), &mut |node| nodes.push(node));
                        let sealed = core.master.seal_detail(core.log_key.origin(), at, &salted);
                        rows.push(LeafRow { leaf, detail: Some(sealed) });
                        kinds.push((new.detail.kind(), at));
                        index = Some(at);
                    }
                    put(&core, tables, index)?;
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
            .map_err(LedgerError::halting)?;
        if let Some(note) = note {
            *core.newest.write().expect("nothing panics while it holds the checkpoint") =
                Newest { note, cosigned: None, leaves: edge.leaves(), time: now };
        }
        self.edge = edge;
        core.count_written(&kinds);
        Ok(last)
    }
}

impl Core {
    /// Counts leaves by their kinds, and keeps the indices of those of audits.
    fn count_written(&self, leaves: &[(LeafKind, u64)]) {
        let mut written = self.written.lock().expect("nothing panics while it holds the counts");
        for (kind, _) in leaves {
            *written.entry(kind.name()).or_default() += 1;
        }
        drop(written);
        let audits = leaves.iter().filter(|(kind, _)| kind.is_of_audits());
        self.audit_leaves
            .lock()
            .expect("nothing panics while it holds the leaves")
            .extend(audits.map(|(_, leaf)| *leaf));
    }
}

/// Tells all who wait that the writer halts, and gives the error back.
fn fail_all(waiting: Vec<WaitingWrite>, e: LedgerError) -> LedgerError {
    let cause = e.chain();
    waiting.into_iter().for_each(|waiting| waiting.answer.failed(halted(&cause)));
    e
}
