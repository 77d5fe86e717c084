//! Worker threads for photos from outside.
//!
//! Each worker takes one photo at a time: a batch is slower than its photos one by one. A panic over one photo is caught at the worker's
//! edge and told to its caller; the worker takes the next. The queue is bounded, and a full one says so at once.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::EmbedError;
use super::examine::{Choice, Models, Portrait};
use crate::face::ModelId;
use crate::limits::EMBED_QUEUE_LEN_MAX;

/// The threads, named `embed`. Dropping the pool finishes what waits and joins them.
pub struct Pool {
    jobs: Option<SyncSender<Job>>,
    workers: Vec<JoinHandle<()>>,
    id: ModelId,
    dimension: usize,
}

struct Job {
    task: Task,
    answer: SyncSender<Result<Portrait, EmbedError>>,
}

enum Task {
    Examine(Arc<[u8]>, Choice),
    /// Keeps a worker until the test lets go.
    #[cfg(test)]
    Wait(Receiver<()>),
    #[cfg(test)]
    Panic,
}

impl Pool {
    /// Starts `workers` threads, at least one.
    ///
    /// Errors: `EmbedError::Thread`.
    pub fn start(models: impl Into<Arc<Models>>, workers: usize) -> Result<Self, EmbedError> {
        let models = models.into();
        let (sender, receiver) = sync_channel(EMBED_QUEUE_LEN_MAX);
        let jobs = Arc::new(Mutex::new(receiver));
        // Made first: on an early return its drop ends the threads that run already.
        let mut pool = Self { jobs: Some(sender), workers: Vec::new(), id: models.id(), dimension: models.dimension() };
        for _ in 0..workers.max(1) {
            let (models, jobs) = (Arc::clone(&models), Arc::clone(&jobs));
            let worker = Builder::new()
                .name("embed".to_owned())
                .spawn(move || work(&models, &jobs))
                .map_err(|source| EmbedError::Thread { source })?;
            pool.workers.push(worker);
        }
        Ok(pool)
    }

    /// Decodes a photo, finds its faces and makes the embedding of the one that is meant. Blocks until a worker is done with it.
    ///
    /// Errors: `Busy` when the queue is full, `Panicked` when a decoder or model panicked over it, `Stopped`; else what is wrong with the
    /// photo or its faces.
    pub fn examine(&self, photo: impl Into<Arc<[u8]>>, choice: Choice) -> Result<Portrait, EmbedError> {
        self.submit(Task::Examine(photo.into(), choice))?.recv().map_err(|_| EmbedError::Stopped)?
    }

    /// The name of everything that decides an embedding's value.
    pub fn id(&self) -> ModelId {
        self.id
    }

    /// Components of an embedding.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    fn submit(&self, task: Task) -> Result<Receiver<Result<Portrait, EmbedError>>, EmbedError> {
        let (answer, answered) = sync_channel(1);
        match self.jobs.as_ref().ok_or(EmbedError::Stopped)?.try_send(Job { task, answer }) {
            Ok(()) => Ok(answered),
            Err(TrySendError::Full(_)) => Err(EmbedError::Busy),
            Err(TrySendError::Disconnected(_)) => Err(EmbedError::Stopped),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // Without a sender the workers' queue ends.
        self.jobs = None;
        for worker in self.workers.drain(..) {
            // A worker that panicked outside of a job has nothing left to tell.
            let _ = worker.join();
        }
    }
}

fn work(models: &Models, jobs: &Mutex<Receiver<Job>>) {
    loop {
        // Nothing panics while the lock is held; a poisoned one is as good.
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { task, answer }) = next else { return };
        // Models are only read, and what the photo was decoded into is gone: nothing half-done outlives a panic.
        let result = catch_unwind(AssertUnwindSafe(|| match task {
            Task::Examine(photo, choice) => models.examine(&photo, choice),
            #[cfg(test)]
            Task::Wait(until) => until.recv().map_err(|_| EmbedError::Stopped).and(Err(EmbedError::NoFace)),
            #[cfg(test)]
            Task::Panic => panic!("the decoder lost its way"),
        }));
        // A caller that went away wants no answer.
        let _ = answer.send(result.unwrap_or_else(|panic| Err(EmbedError::Panicked { reason: said(&*panic) })));
    }
}

fn said(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    words.unwrap_or("a panic without words").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::super::examine::tests::{MODELS, PORTRAIT};
    use super::*;

    fn pool(workers: usize) -> Pool {
        Pool::start(Arc::clone(&MODELS), workers).unwrap()
    }

    #[test]
    fn photos_from_many_callers_get_the_answers_that_one_thread_gives() {
        let pool = pool(2);
        let wanted = MODELS.examine(PORTRAIT, Choice::Only).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    assert_eq!(pool.examine(PORTRAIT, Choice::Only).unwrap().embedding, wanted.embedding);
                    assert!(matches!(pool.examine(&b"no photo"[..], Choice::Only), Err(EmbedError::NotAPhoto { .. })));
                });
            }
        });
        assert_eq!((pool.id(), pool.dimension()), (MODELS.id(), 128));
    }

    #[test]
    fn a_panic_over_one_photo_reaches_its_caller_and_the_worker_goes_on() {
        let pool = pool(1);
        for _ in 0..3 {
            let answer = pool.submit(Task::Panic).unwrap().recv().unwrap();
            assert!(matches!(answer, Err(EmbedError::Panicked { reason }) if reason == "the decoder lost its way"));
        }
        assert!(pool.examine(PORTRAIT, Choice::Only).is_ok());
    }

    #[test]
    fn a_full_queue_says_busy_at_once_and_empties_again() {
        let pool = pool(1);
        let (let_go, until) = sync_channel(1);
        let waiting = pool.submit(Task::Wait(until)).unwrap();
        // The worker may or may not have taken the first job yet, so one place more or less is right.
        let mut queued = Vec::new();
        let refused = (0..EMBED_QUEUE_LEN_MAX + 1).map(|_| pool.submit(Task::Examine(Arc::from(&b"no photo"[..]), Choice::Only)));
        let refused: Vec<EmbedError> = refused.filter_map(|r| r.map(|answer| queued.push(answer)).err()).collect();
        assert!(!refused.is_empty() && refused.len() <= 2, "{}", refused.len());
        assert!(refused.iter().all(|e| matches!(e, EmbedError::Busy)));
        let_go.send(()).unwrap();
        assert!(waiting.recv().unwrap().is_err());
        for answer in queued {
            assert!(matches!(answer.recv().unwrap(), Err(EmbedError::NotAPhoto { .. })));
        }
        assert!(pool.examine(PORTRAIT, Choice::Only).is_ok());
    }
}
