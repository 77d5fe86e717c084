//! The handle of an open ledger: what everything above asks for, and the queue to its writer.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::clock::Clock;
use super::core::Core;
use super::error::{Fated, LedgerError};
use super::generation::{Generation, ModelSet};
use super::progress::{Progress, Started};
use super::records::OpenedLeaf;
use super::setup::{LedgerSetup, Unfinished};
use super::start::{self, OpenedLedger};
use super::waits::Waits;
use super::write::{Decision, Group, NewLeaf, Subject, Write};
use super::writer::{Alone, Job, PendingAsk, Writer};
use crate::audit::{Detail, VerifierKey};
use crate::booking::VersionId;
use crate::calendar::Time;
use crate::face::{Embedding, ModelId};
use crate::gallery::GalleryHandle;
use crate::store::{StateKind, StoreError};

/// The open ledger.
pub struct Ledger {
    core: Arc<Core>,
    started: Started,
    pub(super) unfinished: Mutex<Unfinished>,
    queue: Mutex<Option<SyncSender<Job>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Ledger {
    /// Opens, or makes and opens, a state folder: recovery is this.
    ///
    /// Errors: a folder of another kind, key, log, model or a newer format; one that another
    /// process holds; damage.
    pub fn open(setup: LedgerSetup) -> Result<Self, LedgerError> {
        Self::open_watched(setup, &mut |_| {})
    }

    /// Opens as `open` does and tells `watch`, on this thread, how far it is: when each stage
    /// begins and after each batch of rows.
    pub fn open_watched(
        setup: LedgerSetup,
        watch: &mut dyn FnMut(&Progress),
    ) -> Result<Self, LedgerError> {
        let ledger = Self::open_with(setup, start::workers(), watch)?;
        ledger.begin()?;
        Ok(ledger)
    }

    /// Opens as `open_watched` does and writes no leaf before `begin`.
    pub(crate) fn open_held(
        setup: LedgerSetup,
        watch: &mut dyn FnMut(&Progress),
    ) -> Result<Self, LedgerError> {
        Self::open_with(setup, start::workers(), watch)
    }

    pub(crate) fn open_with(
        setup: LedgerSetup,
        workers: usize,
        watch: &mut dyn FnMut(&Progress),
    ) -> Result<Self, LedgerError> {
        let OpenedLedger { core, writer, started, unfinished } =
            start::open(setup, workers, watch)?;
        let (queue, jobs) = sync_channel(crate::limits::COMMIT_QUEUE_LEN_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(&jobs))
            .map_err(|source| LedgerError::Io { what: "starting the writer", source })?;
        let (queue, writer, unfinished) =
            (Mutex::new(Some(queue)), Mutex::new(Some(thread)), Mutex::new(unfinished));
        Ok(Self { core, started, unfinished, queue, writer })
    }

    /// What the state folder was made for.
    pub fn kind(&self) -> StateKind {
        self.core.kind
    }

    /// The newest signed checkpoint.
    pub fn checkpoint(&self) -> String {
        self.core.newest().note
    }

    /// The log's origin.
    pub fn origin(&self) -> &str {
        self.core.log_key.origin()
    }

    /// The time of now: never before the newest leaf.
    pub fn now(&self) -> Time {
        self.core.clock.now().max(self.core.newest().time)
    }

    /// Number of leaves in the log.
    pub fn leaves(&self) -> u64 {
        self.core.newest().leaves
    }

    /// What a search that begins now is answered by, to its end.
    pub fn generation(&self) -> Arc<Generation> {
        self.core.generation()
    }

    /// The gallery of now.
    pub fn gallery(&self) -> GalleryHandle {
        self.generation().gallery().clone()
    }

    /// The model of now.
    pub fn model(&self) -> ModelId {
        self.generation().model()
    }

    /// How long opening the folder took.
    pub fn started(&self) -> &Started {
        &self.started
    }

    /// The best `k` live bookings for a probe of this generation's model.
    pub fn compare(
        &self,
        generation: &Generation,
        probe: &Embedding,
        k: usize,
    ) -> Result<Vec<(VersionId, f64)>, LedgerError> {
        Ok(self.core.waits.gallery.during(|| generation.compare(probe, k))?)
    }

    /// Has the writer decide on a subject, and write what is decided; gives the decision's answer
    /// once all of it is durable and the gallery has followed.
    ///
    /// Errors: the decision's own; a full queue; a failed commit halts.
    pub(crate) fn write<T, E>(
        &self,
        subject: impl Into<Option<Subject>>,
        decide: impl FnOnce(&Core, &mut Group<'_>) -> Result<Decision<T>, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: Fated + From<LedgerError> + Send + 'static,
    {
        let (reply, answer) = sync_channel(1);
        let job = Job::Write(subject.into(), Box::new(PendingAsk { decide, reply }));
        self.send(job, &answer)
    }

    /// Has the writer do what must be alone in its transaction.
    pub(super) fn alone<T: Send + 'static>(
        &self,
        work: Alone,
        run: impl FnOnce(&mut Writer) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        // Before anything is begun that only a leaf ends.
        self.core.takes_leaves()?;
        let (reply, answer) = sync_channel(1);
        self.send(Job::Alone(work, Box::new(PendingAsk { decide: run, reply })), &answer)
    }

    fn send<T, E: From<LedgerError>>(
        &self,
        job: Job,
        answer: &Receiver<Result<T, E>>,
    ) -> Result<T, E> {
        let halted = || LedgerError::Halted { cause: "the writer has ended".to_owned() };
        let queue = self
            .queue
            .lock()
            .expect("nothing panics while it holds the queue")
            .clone()
            .ok_or_else(halted)?;
        self.core.waits.store.during(|| {
            queue.try_send(job).map_err(|e| match e {
                TrySendError::Full(_) => LedgerError::Busy,
                TrySendError::Disconnected(_) => halted(),
            })?;
            answer.recv().map_err(|_| halted())?
        })
    }

    /// Logs what changes nothing else; gives the leaf's index.
    pub fn note(
        &self,
        follows: Vec<u64>,
        counts: Vec<u64>,
        detail: Detail,
    ) -> Result<u64, LedgerError> {
        let leaf = NewLeaf::new(follows, counts, detail);
        self.write(None, |_, _| Write::logged(leaf, |_, _, _| Ok(())).decided())
    }

    /// Has the log take no leaf from here on, or take them again: nothing is written to one that
    /// may not be the newest, whoever asks for it.
    pub(crate) fn shut(&self, shut: bool) {
        self.core.shut.store(shut, Ordering::Release);
    }

    /// Every leaf in order, as it was hashed, up to the newest checkpoint.
    pub fn log(&self) -> Result<Vec<Vec<u8>>, LedgerError> {
        let mut leaves = Vec::new();
        self.core.store.for_each_leaf::<LedgerError>(0..u64::MAX, |_, leaf| {
            leaves.push(leaf.to_vec());
            Ok(())
        })?;
        Ok(leaves)
    }

    /// These leaves in order with their indices, as they were hashed, without holding them all.
    pub(crate) fn for_each_leaf<E: From<StoreError>>(
        &self,
        leaves: Range<u64>,
        visit: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.core.store.for_each_leaf(leaves, visit)
    }

    /// A leaf's detail, checked against its commitment.
    pub fn detail(&self, leaf: u64) -> Result<Option<serde_json::Value>, LedgerError> {
        let detail = self
            .core
            .open_detail(leaf)?
            .map(|opened| serde_json::from_slice(&opened.detail))
            .transpose();
        detail.map_err(|source| LedgerError::Sealed { what: "detail", source })
    }

    /// A leaf's salt and detail as they were committed to; none once its term was over.
    pub fn open_detail(&self, leaf: u64) -> Result<Option<OpenedLeaf>, LedgerError> {
        self.core.open_detail(leaf)
    }

    /// The ids of sealed photos on the booking side of the vault.
    pub fn photo_ids(&self) -> Result<std::collections::HashSet<VersionId>, LedgerError> {
        Ok(self.core.vault.bookings.photo_ids()?)
    }

    /// Leaves written since the start, by the name of their kind.
    pub(crate) fn leaves_written(&self) -> BTreeMap<&'static str, u64> {
        self.core.written.lock().expect("nothing panics while it holds the counts").clone()
    }

    /// The clock by which everything here is dated.
    pub(crate) fn clock(&self) -> &dyn Clock {
        self.core.clock.as_ref()
    }

    /// The models of the configuration.
    pub(crate) fn models(&self) -> &ModelSet {
        &self.core.models
    }

    /// The key by which whoever reads the log verifies it.
    pub(crate) fn verifier(&self) -> &VerifierKey {
        self.core.log_key.verifier()
    }

    /// Whether the log was found to contain what the anchor says.
    pub(crate) fn is_anchored(&self) -> bool {
        self.core.anchored
    }

    /// Who waits for the ledger's threads.
    pub(crate) fn waits(&self) -> &Waits {
        &self.core.waits
    }

    /// The version of each row of the gallery.
    #[cfg(test)]
    pub(crate) fn rows_in_order(&self) -> Vec<VersionId> {
        self.generation().rows_in_order()
    }

    /// Lets the writer finish what waits and ends it.
    pub fn close(&self) {
        drop(self.queue.lock().expect("nothing panics while it holds the queue").take());
        if let Some(writer) =
            self.writer.lock().expect("nothing panics while it holds the writer").take()
        {
            // A writer that panicked has told every caller that it halted.
            let _ = writer.join();
        }
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.close();
    }
}
