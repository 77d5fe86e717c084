//! The pool: worker threads for photos from outside.
//!
//! Each worker takes one photo at a time: a batch is slower than its photos one by one. A panic
//! over one photo is caught at the worker's edge and told to its caller; the worker takes the next.
//! The queue is bounded, and a full one says so at once.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use super::error::EmbedError;
use super::examine::{ExaminedPhoto, FaceChoice, Models};
use super::probe::{ChosenFace, EncodedPicture, Encoding, Preview, ProbeFaces, picture, replay};
use crate::face::{Edits, ModelId};
use crate::ids::Digest;
use crate::limits::EMBED_QUEUE_LEN_MAX;

/// The pool of worker threads, named `embed`. Dropping the pool finishes what waits and joins them.
pub struct Pool {
    jobs: Option<SyncSender<Job>>,
    workers: Vec<JoinHandle<()>>,
    id: ModelId,
    dimension: usize,
}

/// A job: one photo's examination, which sends its own answer.
type Job = Box<dyn FnOnce(&Models) + Send>;

impl Pool {
    /// Starts `workers` threads, at least one.
    ///
    /// Errors: `EmbedError::Thread`.
    pub fn start(models: impl Into<Arc<Models>>, workers: usize) -> Result<Self, EmbedError> {
        let models = models.into();
        let (sender, receiver) = sync_channel(EMBED_QUEUE_LEN_MAX);
        let jobs = Arc::new(Mutex::new(receiver));
        // Made first: on an early return its drop ends the threads that run already.
        let mut pool = Self {
            jobs: Some(sender),
            workers: Vec::new(),
            id: models.id(),
            dimension: models.dimension(),
        };
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

    /// Decodes a photo, finds its faces and makes the embedding of the one that is meant. Blocks
    /// until a worker is done with it.
    ///
    /// Errors: `Busy` when the queue is full, `Panicked` when a decoder or model panicked over it,
    /// `Stopped`; else what is wrong with the photo or its faces.
    pub fn examine(
        &self,
        photo: impl Into<Arc<[u8]>>,
        choice: FaceChoice,
    ) -> Result<ExaminedPhoto, EmbedError> {
        let photo = photo.into();
        self.ask(move |models| models.examine(&photo, choice))
    }

    /// Finds all faces of a probe as searched, usable or not, and embeds none.
    ///
    /// Errors: those of the pool as `examine`; what is wrong with the photo or its edits. A probe
    /// without a face is no error here.
    pub fn find_faces(
        &self,
        original: impl Into<Arc<[u8]>>,
        edits: &Edits,
    ) -> Result<ProbeFaces, EmbedError> {
        let (original, edits) = (original.into(), edits.clone());
        self.ask(move |models| models.find_faces(&original, &edits))
    }

    /// Finds all faces of a probe as searched, with a picture of it and one of each face.
    ///
    /// Errors: as `find_faces`.
    pub fn preview(
        &self,
        original: impl Into<Arc<[u8]>>,
        edits: &Edits,
    ) -> Result<Preview, EmbedError> {
        let (original, edits) = (original.into(), edits.clone());
        self.ask(move |models| models.preview(&original, &edits))
    }

    /// Makes embedding and quality sheet of one face of a probe as searched: the one at this index
    /// of `find_faces`, or the only usable one.
    ///
    /// Errors: those of the pool as `examine`; what is wrong with the photo, its edits or the face.
    pub fn probe(
        &self,
        original: impl Into<Arc<[u8]>>,
        edits: &Edits,
        face: Option<usize>,
    ) -> Result<ChosenFace, EmbedError> {
        let (original, edits) = (original.into(), edits.clone());
        self.ask(move |models| models.probe(&original, &edits, FaceChoice::Face(face)))
    }

    /// Makes a picture of a probe as searched, or of any photo without edits, for people to look
    /// at: upright, without metadata, scaled down to at most `side_px_max` and
    /// `PICTURE_SIDE_PX_MAX` along its longer side, never up.
    ///
    /// Errors: those of the pool as `examine`; what is wrong with the photo or its edits.
    pub fn picture(
        &self,
        original: impl Into<Arc<[u8]>>,
        edits: &Edits,
        side_px_max: u32,
        encoding: Encoding,
    ) -> Result<EncodedPicture, EmbedError> {
        let (original, edits) = (original.into(), edits.clone());
        self.ask(move |_| picture(&original, &edits, side_px_max, encoding))
    }

    /// The names of a probe's upright original and of the image after each of its edits, as
    /// `replay` gives them.
    ///
    /// Errors: those of the pool as `examine`; what is wrong with the photo or its edits.
    pub fn replay(
        &self,
        original: impl Into<Arc<[u8]>>,
        edits: &Edits,
    ) -> Result<Vec<Digest>, EmbedError> {
        let (original, edits) = (original.into(), edits.clone());
        self.ask(move |_| replay(&original, &edits))
    }

    /// The name of everything that decides an embedding's value.
    pub fn id(&self) -> ModelId {
        self.id
    }

    /// Components of an embedding.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    fn ask<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Models) -> Result<T, EmbedError> + Send + 'static,
    ) -> Result<T, EmbedError> {
        self.submit(task)?.recv().map_err(|_| EmbedError::Stopped)?
    }

    fn submit<T: Send + 'static>(
        &self,
        task: impl FnOnce(&Models) -> Result<T, EmbedError> + Send + 'static,
    ) -> Result<Receiver<Result<T, EmbedError>>, EmbedError> {
        let (answer, answered) = sync_channel(1);
        let job: Job = Box::new(move |models| {
            // Models are only read, and what the photo was decoded into is gone: nothing half-done
            // outlives a panic.
            let result = catch_unwind(AssertUnwindSafe(|| task(models)));
            // A caller that went away wants no answer.
            let _ = answer.send(
                result.unwrap_or_else(|panic| Err(EmbedError::Panicked { reason: said(&*panic) })),
            );
        });
        match self.jobs.as_ref().ok_or(EmbedError::Stopped)?.try_send(job) {
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
        let Ok(job) = next else { return };
        job(models);
    }
}

fn said(panic: &(dyn Any + Send)) -> String {
    let words = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    words.unwrap_or("a panic without words").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::super::examine::tests::{MODELS, PORTRAIT};
    use super::*;
    use crate::face::Edit;

    fn pool(workers: usize) -> Pool {
        Pool::start(Arc::clone(&MODELS), workers).unwrap()
    }

    #[test]
    fn photos_from_many_callers_get_the_answers_that_one_thread_gives() {
        let pool = pool(2);
        let wanted = MODELS.examine(PORTRAIT, FaceChoice::Only).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    assert_eq!(
                        pool.examine(PORTRAIT, FaceChoice::Only).unwrap().embedding,
                        wanted.embedding
                    );
                    assert!(matches!(
                        pool.examine(&b"no photo"[..], FaceChoice::Only),
                        Err(EmbedError::NotAPhoto { .. })
                    ));
                });
            }
        });
        assert_eq!((pool.id(), pool.dimension()), (MODELS.id(), 128));
    }

    #[test]
    fn a_probe_s_verbs_run_on_the_workers_too() {
        let pool = pool(1);
        let edits = Edits::new(vec![Edit::Exposure { tenths: 5 }]).unwrap();
        let original: Arc<[u8]> = Arc::from(PORTRAIT);
        let look = pool.find_faces(Arc::clone(&original), &edits).unwrap();
        let probe = pool.probe(Arc::clone(&original), &edits, Some(0)).unwrap();
        assert_eq!((look.digests, look.faces.len()), (probe.look.digests, 1));
        assert!(matches!(
            pool.probe(Arc::clone(&original), &edits, Some(1)),
            Err(EmbedError::NoSuchFace { asked: 1, found: 1 })
        ));
        assert_eq!(pool.picture(original, &edits, 200, Encoding::Jpeg).unwrap().width, 200);
        assert!(matches!(
            pool.find_faces(&b"no photo"[..], &edits),
            Err(EmbedError::NotAPhoto { .. })
        ));
    }

    #[test]
    fn whatever_file_comes_as_a_probe_is_refused_by_what_is_wrong_with_it() {
        let pool = pool(2);
        let mut encoded = Vec::new();
        let portrait = image::load_from_memory(PORTRAIT).unwrap();
        portrait
            .write_to(&mut std::io::Cursor::new(&mut encoded), image::ImageFormat::Png)
            .unwrap();
        let originals: [&[u8]; 4] = [
            PORTRAIT,
            &encoded,
            include_bytes!("test_photos/astronaut.jp2"),
            include_bytes!("test_photos/palette.png"),
        ];
        let mut files: Vec<Vec<u8>> =
            ["", "GIF89a", "BM", "RIFF....WEBPVP8 ", "%PDF-1.7", "<svg/>", "\u{feff}text"]
                .map(|f| f.into())
                .to_vec();
        files.extend(originals.map(|photo| [photo, b"<script>"].concat()));
        let mut seed = 1u64;
        let mut below = |end: usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap() % end
        };
        for photo in originals {
            for _ in 0..12 {
                files.push(photo[..below(photo.len())].to_vec());
                let mut flipped = photo.to_vec();
                for _ in 0..4 {
                    let at = below(photo.len().min(3_000));
                    flipped[at] ^= 1 << below(8);
                }
                files.push(flipped);
            }
        }
        let mut refused = 0;
        for file in files {
            let file: Arc<[u8]> = file.into();
            let edits = Edits::new(vec![Edit::Rotate { tenths: 137 }]).unwrap();
            let looks = [
                pool.preview(file.clone(), &edits).map(|_| ()),
                pool.probe(file.clone(), &Edits::default(), None).map(|_| ()),
            ];
            for e in looks.into_iter().filter_map(Result::err) {
                assert!(
                    e.about_the_photo().is_some(),
                    "{e:?} of {:?}",
                    &file[..file.len().min(16)]
                );
                refused += 1;
            }
        }
        assert!(refused > 60, "{refused}");
        assert!(pool.preview(PORTRAIT, &Edits::default()).is_ok(), "the workers go on");
    }

    #[test]
    fn a_panic_over_one_photo_reaches_its_caller_and_the_worker_goes_on() {
        let pool = pool(1);
        for _ in 0..3 {
            let answer =
                pool.submit::<()>(|_| panic!("the decoder lost its way")).unwrap().recv().unwrap();
            assert!(matches!(answer, Err(EmbedError::Panicked { reason })
                    if reason == "the decoder lost its way"));
        }
        assert!(pool.examine(PORTRAIT, FaceChoice::Only).is_ok());
    }

    #[test]
    fn a_full_queue_says_busy_at_once_and_empties_again() {
        let pool = pool(1);
        let (let_go, until) = sync_channel(1);
        let waiting =
            pool.submit::<()>(move |_| until.recv().map_err(|_| EmbedError::Stopped)).unwrap();
        // The worker may or may not have taken the first job yet, so one place more or less is
        // right.
        let mut queued = Vec::new();
        let refused = (0..EMBED_QUEUE_LEN_MAX + 1)
            .map(|_| pool.submit(|models| models.examine(b"no photo", FaceChoice::Only)));
        let refused: Vec<EmbedError> =
            refused.filter_map(|r| r.map(|answer| queued.push(answer)).err()).collect();
        assert!(!refused.is_empty() && refused.len() <= 2, "{}", refused.len());
        assert!(refused.iter().all(|e| matches!(e, EmbedError::Busy)));
        let_go.send(()).unwrap();
        assert!(waiting.recv().unwrap().is_ok());
        for answer in queued {
            assert!(matches!(answer.recv().unwrap(), Err(EmbedError::NotAPhoto { .. })));
        }
        assert!(pool.examine(PORTRAIT, FaceChoice::Only).is_ok());
    }
}
