//! The gallery's thread: the one that owns a daemon's gallery, and the handles by which everyone
//! else asks it.
//!
//! The invariant: what was acknowledged before a search was sent is seen by it. The thread takes
//! all commands that wait, does the changes among them in their order and then answers all the
//! searches together, as few passes as they fit into. A change may thus overtake a search that was
//! waiting beside it, which only makes the answer newer; nothing is ever answered from an older
//! state. Between two rounds of commands, and as long as none waits, the thread closes gaps that
//! purged rows left, a piece at a time.

use super::error::GalleryError;
use super::{Gallery, GalleryStats, check_search};
use crate::face::{Candidate, Embedding};
use crate::limits::{GALLERY_QUEUE_LEN_MAX, PROBES_PER_PASS_MAX};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;

/// A handle to the thread that owns a gallery; the thread ends when the last handle is dropped.
#[derive(Clone)]
pub struct GalleryHandle {
    queue: SyncSender<Command>,
    shared: Arc<Shared>,
}

impl GalleryHandle {
    /// Gives `gallery` to a new thread named `gallery`; joining the thread waits for the last
    /// handle to be dropped.
    ///
    /// Errors: those of starting a thread.
    pub fn spawn(gallery: Gallery) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (queue, commands) = sync_channel(GALLERY_QUEUE_LEN_MAX);
        let shared = Arc::new(Shared {
            engine: gallery.engine(),
            device: gallery.device().to_owned(),
            dimension: gallery.dimension(),
            ..Shared::default()
        });
        shared.publish(&gallery);
        let handle = Self { queue, shared: Arc::clone(&shared) };
        let thread = std::thread::Builder::new()
            .name("gallery".to_owned())
            .spawn(move || run(gallery, &commands, &shared))?;
        Ok((handle, thread))
    }

    /// Adds a live row and gives its index; waits for room in the queue and for the row to be
    /// there.
    ///
    /// Errors: as `Gallery::append`, and `Stopped`.
    pub fn append(&self, embedding: Embedding) -> Result<u32, GalleryError> {
        self.ask(|reply| Command::Append(vec![embedding], reply))
    }

    /// Adds live rows in their order and gives the first one's index, the next free one if there
    /// are none.
    ///
    /// Errors: as `append`; the rows before the one that was refused are there.
    pub fn append_all(&self, embeddings: Vec<Embedding>) -> Result<u32, GalleryError> {
        self.ask(|reply| Command::Append(embeddings, reply))
    }

    /// Hides a row; no search that is sent after this returns finds it.
    ///
    /// Errors: as `Gallery::mask`, and `Stopped`.
    pub fn mask(&self, row: u32) -> Result<(), GalleryError> {
        self.ask(|reply| Command::Change(Change::Mask, row, reply))
    }

    /// Lets searches find a row again.
    ///
    /// Errors: as `Gallery::unmask`, and `Stopped`.
    pub fn unmask(&self, row: u32) -> Result<(), GalleryError> {
        self.ask(|reply| Command::Change(Change::Unmask, row, reply))
    }

    /// Hides a row for good and overwrites its numbers, everywhere, before this returns.
    ///
    /// Errors: as `Gallery::zero`, and `Stopped`.
    pub fn zero(&self, row: u32) -> Result<(), GalleryError> {
        self.ask(|reply| Command::Change(Change::Zero, row, reply))
    }

    /// The `k` best live rows, best first.
    ///
    /// Errors: as `Gallery::search`; `Busy` at once if the queue is full; `Stopped`.
    pub fn search(&self, probe: Embedding, k: usize) -> Result<Vec<Candidate>, GalleryError> {
        // One caller's mistake must not fail the others of its pass.
        check_search([probe.dimension()], k, self.shared.dimension)?;
        let (reply, answer) = sync_channel(1);
        match self.queue.try_send(Command::Search(Search { probe, k, reply })) {
            Ok(()) => answer.recv().unwrap_or_else(|_| Err(self.ended())),
            Err(TrySendError::Full(_)) => {
                Err(GalleryError::Busy { len_max: GALLERY_QUEUE_LEN_MAX })
            }
            Err(TrySendError::Disconnected(_)) => Err(self.ended()),
        }
    }

    /// Checks the engine's answer to a known probe against all rows' f64 scores.
    ///
    /// Errors: as `Gallery::prove`, and `Stopped`.
    pub fn prove(&self) -> Result<(), GalleryError> {
        self.ask(Command::Prove)
    }

    /// Rows ever appended, as of the last acknowledgement.
    pub fn rows(&self) -> u32 {
        self.shared.rows.load(Ordering::Acquire)
    }

    /// Rows that a search may find, as of the last acknowledgement.
    pub fn live(&self) -> u32 {
        self.shared.live.load(Ordering::Acquire)
    }

    /// D.
    pub fn dimension(&self) -> usize {
        self.shared.dimension
    }

    /// `gpu` or `cpu`.
    pub fn engine(&self) -> &'static str {
        self.shared.engine
    }

    /// The adapter's name and driver, or how many threads.
    pub fn device(&self) -> &str {
        &self.shared.device
    }

    /// What the gallery did since it was opened and what it takes, as of the last acknowledgement.
    pub fn stats(&self) -> GalleryStats {
        *self.shared.stats.lock().expect("nothing panics while it holds the counts")
    }

    /// Why the gallery is dead, if it is.
    pub fn lost(&self) -> Option<GalleryError> {
        self.shared.lost.get().cloned()
    }

    fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, GalleryError> {
        let (reply, answer) = sync_channel(1);
        self.queue.send(command(reply)).map_err(|_| self.ended())?;
        answer.recv().unwrap_or_else(|_| Err(self.ended()))
    }

    fn ended(&self) -> GalleryError {
        self.lost().unwrap_or(GalleryError::Stopped)
    }
}

/// What handles read without asking the thread.
#[derive(Default)]
struct Shared {
    engine: &'static str,
    device: String,
    dimension: usize,
    rows: AtomicU32,
    live: AtomicU32,
    stats: Mutex<GalleryStats>,
    lost: OnceLock<GalleryError>,
}

impl Shared {
    fn publish(&self, gallery: &Gallery) {
        self.rows.store(gallery.rows(), Ordering::Release);
        self.live.store(gallery.live(), Ordering::Release);
        *self.stats.lock().expect("nothing panics while it holds the counts") = gallery.stats();
    }

    /// Passes a result on and remembers a loss.
    fn noted<T>(&self, result: Result<T, GalleryError>) -> Result<T, GalleryError> {
        if let Err(lost @ GalleryError::DeviceLost { .. }) = &result {
            self.lost.get_or_init(|| lost.clone());
        }
        result
    }
}

type Reply<T> = SyncSender<Result<T, GalleryError>>;

enum Command {
    Append(Vec<Embedding>, Reply<u32>),
    Change(Change, u32, Reply<()>),
    Prove(Reply<()>),
    Search(Search),
}

enum Change {
    Mask,
    Unmask,
    Zero,
}

struct Search {
    probe: Embedding,
    k: usize,
    reply: Reply<Vec<Candidate>>,
}

/// Serves commands until the last handle is gone. A caller that left doesn't matter: replies into
/// the void are dropped.
fn run(mut gallery: Gallery, commands: &Receiver<Command>, shared: &Shared) {
    loop {
        let gaps_left = shared.noted(gallery.close_gaps()).unwrap_or(false);
        let command = if gaps_left {
            commands.try_recv()
        } else {
            commands.recv().map_err(|_| TryRecvError::Disconnected)
        };
        let command = match command {
            Ok(command) => command,
            Err(TryRecvError::Empty) => continue,
            Err(TryRecvError::Disconnected) => return,
        };
        let mut searches = Vec::new();
        // Not more than the queue holds, or changes that keep coming would keep the searches
        // waiting.
        for command in
            std::iter::once(command).chain(commands.try_iter().take(GALLERY_QUEUE_LEN_MAX))
        {
            match command {
                Command::Append(embeddings, reply) => {
                    let first = gallery.rows();
                    let result = embeddings
                        .iter()
                        .try_for_each(|embedding| gallery.append(embedding).map(drop));
                    let result = shared.noted(result.map(|()| first));
                    shared.publish(&gallery);
                    drop(reply.send(result));
                }
                Command::Change(change, row, reply) => {
                    let result = shared.noted(match change {
                        Change::Mask => gallery.mask(row),
                        Change::Unmask => gallery.unmask(row),
                        Change::Zero => gallery.zero(row),
                    });
                    shared.publish(&gallery);
                    drop(reply.send(result));
                }
                Command::Prove(reply) => drop(reply.send(shared.noted(gallery.prove()))),
                Command::Search(search) => searches.push(search),
            }
        }
        for searches in searches.chunks(PROBES_PER_PASS_MAX) {
            answer(&mut gallery, searches, shared);
        }
    }
}

/// Answers searches in one pass with the largest `k` among them, each cut to its own.
fn answer(gallery: &mut Gallery, searches: &[Search], shared: &Shared) {
    let probes: Vec<_> = searches.iter().map(|search| search.probe.clone()).collect();
    let k_max = searches.iter().map(|search| search.k).max().unwrap_or(0);
    let result = shared.noted(gallery.search(&probes, k_max));
    shared.publish(gallery);
    match result {
        Ok(answers) => {
            for (search, mut candidates) in searches.iter().zip(answers) {
                candidates.truncate(search.k);
                drop(search.reply.send(Ok(candidates)));
            }
        }
        Err(error) => {
            searches.iter().for_each(|search| drop(search.reply.send(Err(error.clone()))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Numbers;
    use super::super::{EngineChoice, gpu};
    use super::*;

    fn cpu_gallery() -> Gallery {
        Gallery::open(EngineChoice::Cpu, 32).unwrap()
    }

    #[test]
    fn what_was_acknowledged_is_seen_by_the_next_search() {
        let mut numbers = Numbers::new(21);
        let (gallery, thread) = GalleryHandle::spawn(cpu_gallery()).unwrap();
        let embeddings: Vec<_> = (0..50).map(|_| numbers.embedding(32)).collect();
        assert_eq!(gallery.append_all(embeddings.clone()).unwrap(), 0);
        assert_eq!(gallery.append(embeddings[7].clone()).unwrap(), 50);
        assert_eq!((gallery.rows(), gallery.live()), (51, 51));
        let best = |k| {
            gallery
                .search(embeddings[7].clone(), k)
                .unwrap()
                .iter()
                .map(|candidate| candidate.row)
                .collect::<Vec<_>>()
        };
        assert_eq!(best(2), [7, 50]);
        gallery.mask(7).unwrap();
        assert_eq!(best(1), [50]);
        gallery.unmask(7).unwrap();
        assert_eq!(best(1), [7]);
        gallery.zero(7).unwrap();
        assert_eq!(best(1), [50]);
        assert_eq!(gallery.unmask(7), Err(GalleryError::Zeroed { row: 7 }));
        assert_eq!(gallery.mask(51), Err(GalleryError::UnknownRow { row: 51, rows: 51 }));
        assert_eq!((gallery.rows(), gallery.live()), (51, 50));
        drop(gallery);
        thread.join().unwrap();
    }

    #[test]
    fn searches_that_wait_together_get_each_their_own_answer() {
        let mut numbers = Numbers::new(22);
        let mut gallery = cpu_gallery();
        let embeddings: Vec<_> = (0..300).map(|_| numbers.embedding(32)).collect();
        for embedding in &embeddings {
            gallery.append(embedding).unwrap();
        }
        let expected = gallery.search(&embeddings, 9).unwrap();
        // The thread finds all of them waiting, in more than one pass.
        let (queue, commands) = sync_channel(GALLERY_QUEUE_LEN_MAX);
        let asked: Vec<_> = (0..150)
            .map(|i| {
                let (reply, answer) = sync_channel(1);
                queue
                    .send(Command::Search(Search {
                        probe: embeddings[i].clone(),
                        k: i % 10,
                        reply,
                    }))
                    .unwrap();
                answer
            })
            .collect();
        drop(queue);
        run(gallery, &commands, &Shared::default());
        for (i, answer) in asked.into_iter().enumerate() {
            assert_eq!(answer.recv().unwrap().unwrap(), expected[i][..i % 10]);
        }
    }

    #[test]
    fn a_change_that_waits_before_a_search_is_seen_by_it() {
        let mut numbers = Numbers::new(23);
        let (queue, commands) = sync_channel(GALLERY_QUEUE_LEN_MAX);
        let embedding = numbers.embedding(32);
        let (appended, row) = sync_channel(1);
        queue.send(Command::Append(vec![embedding.clone(), embedding.clone()], appended)).unwrap();
        let (masked, done) = sync_channel(1);
        queue.send(Command::Change(Change::Mask, 0, masked)).unwrap();
        let (reply, answer) = sync_channel(1);
        queue.send(Command::Search(Search { probe: embedding.clone(), k: 5, reply })).unwrap();
        drop(queue);
        run(cpu_gallery(), &commands, &Shared::default());
        assert_eq!((row.recv().unwrap(), done.recv().unwrap()), (Ok(0), Ok(())));
        assert_eq!(
            answer.recv().unwrap().unwrap(),
            [Candidate { row: 1, score: embedding.score(&embedding) }]
        );
    }

    #[test]
    fn a_search_that_finds_the_queue_full_is_told_to_wait() {
        // No thread serves this queue, so it stays full.
        let (queue, commands) = sync_channel(1);
        let gallery = GalleryHandle {
            queue,
            shared: Arc::new(Shared { dimension: 32, ..Shared::default() }),
        };
        let probe = Numbers::new(24).embedding(32);
        let (reply, _answer) = sync_channel(1);
        gallery.queue.send(Command::Search(Search { probe: probe.clone(), k: 1, reply })).unwrap();
        assert_eq!(
            gallery.search(probe.clone(), 1),
            Err(GalleryError::Busy { len_max: GALLERY_QUEUE_LEN_MAX })
        );
        drop(commands);
        assert_eq!(gallery.search(probe.clone(), 1), Err(GalleryError::Stopped));
        assert_eq!(gallery.append(probe), Err(GalleryError::Stopped));
    }

    #[test]
    fn a_search_that_cannot_be_is_refused_before_it_joins_others() {
        let (gallery, _thread) = GalleryHandle::spawn(cpu_gallery()).unwrap();
        let mut numbers = Numbers::new(25);
        assert_eq!(
            gallery.search(numbers.embedding(31), 1),
            Err(GalleryError::Dimension { found: 31, wanted: 32 })
        );
        assert_eq!(
            gallery.search(numbers.embedding(32), 1_001),
            Err(GalleryError::TooManyCandidates { found: 1_001 })
        );
        assert_eq!(gallery.search(numbers.embedding(32), 1_000), Ok(Vec::new()));
    }

    #[test]
    fn a_lost_device_is_told_to_every_caller() {
        let Some(device) = gpu::tests::opened() else { return };
        let (gallery, thread) =
            GalleryHandle::spawn(Gallery::on(Some(Arc::clone(&device)), 32).unwrap()).unwrap();
        let mut numbers = Numbers::new(26);
        gallery.append(numbers.embedding(32)).unwrap();
        assert_eq!(gallery.search(numbers.embedding(32), 3).unwrap().len(), 1);
        device.raw().destroy();
        let lost = gallery.search(numbers.embedding(32), 3).unwrap_err();
        assert!(matches!(lost, GalleryError::DeviceLost { .. }), "{lost}");
        assert_eq!(gallery.append(numbers.embedding(32)), Err(lost.clone()));
        assert_eq!(gallery.zero(0), Err(lost.clone()));
        assert_eq!(gallery.lost(), Some(lost));
        drop(gallery);
        thread.join().unwrap();
    }
}
