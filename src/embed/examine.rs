//! Examination: one photo's way from bytes to embedding, on one thread.
//!
//! **A face is usable** when the detector is sure of it and its eyes are far enough apart
//! (`USABLE_SCORE_MIN`, `EYES_APART_PX_MIN`). Only usable faces count when it is asked whether
//! there is one or several: a blurred head far behind neither spoils a booking photo nor makes an
//! operator choose.

use std::path::Path;
use std::time::Instant;

use image::RgbImage;

use super::align::{align, mirrored};
use super::decode::{Photo, decode};
use super::detect::{Detector, UnusableFace, unusable};
use super::error::{EmbedError, ModelError};
use super::format::Format;
use super::manifest::{Manifest, ModelRole};
use super::model::{Graph, Network, PixelScale, read_model};
use super::quality::QualityBounds;
use crate::face::{Embedding, Face, ModelId};
use crate::ids::Digest;

/// The version of the chain: goes up when the way from photo to embedding changes in a manner that
/// changes embeddings: copies, canvases, template, sampling.
const CHAIN_VERSION: u32 = 1;

/// The choice among a photo's faces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaceChoice {
    /// The only one: a booking photo must have exactly one usable face.
    Only,
    /// Of a probe: an index into its faces, best first, or the only usable one. The one chosen must
    /// be usable too.
    Face(Option<usize>),
    /// The one nearest the middle, size counting in its favour, usable or not: for labelled photos
    /// that are framed around their subject.
    Central,
}

/// An examined photo: its faces, and the embedding of the chosen one.
#[derive(Clone, Debug)]
pub struct ExaminedPhoto {
    pub format: Format,
    /// Width of the upright photo in pixels.
    pub width: u32,
    /// Height of the upright photo in pixels.
    pub height: u32,
    /// All faces found, best first.
    pub faces: Vec<Face>,
    /// Index of the face that the embedding is of.
    pub chosen: usize,
    pub embedding: Embedding,
    /// Length of the embedder's output before normalisation: the higher, the better the photo
    /// served.
    pub length: f64,
    /// What took how long.
    pub timings: Timings,
}

/// The time that each stage took, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timings {
    /// Bytes to pixels.
    pub decode_ms: f64,
    /// Pixels to faces.
    pub detect_ms: f64,
    /// The chosen face to a crop.
    pub align_ms: f64,
    /// The crop, and where the model asks for it its mirror image, to an embedding.
    pub embed_ms: f64,
}

/// The models: detector and embedder, compiled; shared by all threads.
pub struct Models {
    detector: Detector,
    embedder: Embedder,
    quality: QualityBounds,
    id: ModelId,
}

/// The embedding of one face of an image.
pub(super) struct Embedded {
    pub(super) chosen: usize,
    pub(super) crop: Vec<f32>,
    pub(super) embedding: Embedding,
    pub(super) length: f64,
}

struct Embedder {
    feed: PixelScale,
    network: Network,
    side: u32,
    dimension: usize,
    mirror: bool,
}

impl Models {
    /// Loads the active models of a folder of manifests and model files.
    ///
    /// Errors: a manifest that doesn't fit, a file that is absent or not the one that its manifest
    /// names, a model that doesn't fit its role.
    pub fn load(dir: &Path) -> Result<Self, ModelError> {
        let manifests = Manifest::read_all(dir)?;
        let detector = Manifest::active(&manifests, ModelRole::Detector)?;
        let embedder = Manifest::active(&manifests, ModelRole::Embedder)?;
        Ok(Self {
            detector: Detector::load(detector, &read_model(dir, detector)?)?,
            embedder: Embedder::load(embedder, &read_model(dir, embedder)?)?,
            quality: embedder.quality.clone(),
            id: identity(detector, embedder),
        })
    }

    /// The id that `load` of the same folder would give, from its manifests alone.
    ///
    /// Errors: as `load`, but for those of model files.
    pub fn id_of(dir: &Path) -> Result<ModelId, ModelError> {
        let manifests = Manifest::read_all(dir)?;
        Ok(identity(
            Manifest::active(&manifests, ModelRole::Detector)?,
            Manifest::active(&manifests, ModelRole::Embedder)?,
        ))
    }

    /// The name of everything that decides an embedding's value.
    pub fn id(&self) -> ModelId {
        self.id
    }

    /// Components of an embedding.
    pub fn dimension(&self) -> usize {
        self.embedder.dimension
    }

    /// Examines one photo on this thread; a panic goes through. `Pool` is for photos from outside.
    ///
    /// Errors: as `Pool::examine`, but for those of the pool itself.
    pub fn examine(&self, bytes: &[u8], choice: FaceChoice) -> Result<ExaminedPhoto, EmbedError> {
        let mut timings = Timings::default();
        let Photo { format, rgb } = timed(&mut timings.decode_ms, || decode(bytes))?;
        let faces = timed(&mut timings.detect_ms, || self.detect(&rgb))?;
        let Embedded { chosen, embedding, length, .. } =
            self.embed(&rgb, &faces, choice, &mut timings)?;
        Ok(ExaminedPhoto {
            format,
            width: rgb.width(),
            height: rgb.height(),
            faces,
            chosen,
            embedding,
            length,
            timings,
        })
    }

    /// All faces, best first.
    pub(super) fn detect(&self, rgb: &RgbImage) -> Result<Vec<Face>, ModelError> {
        self.detector.faces(rgb)
    }

    /// The embedding of the face that is meant.
    pub(super) fn embed(
        &self,
        rgb: &RgbImage,
        faces: &[Face],
        choice: FaceChoice,
        timings: &mut Timings,
    ) -> Result<Embedded, EmbedError> {
        let chosen = choose(faces, choice, rgb.dimensions())?;
        let side = self.embedder.side;
        let crop = timed(&mut timings.align_ms, || align(rgb, &faces[chosen].landmarks, side))
            .ok_or(EmbedError::NoFace)?;
        let raw = timed(&mut timings.embed_ms, || self.embedder.embed(&crop))?;
        let (embedding, length) = Embedding::from_raw(&raw)?;
        Ok(Embedded { chosen, crop, embedding, length })
    }

    /// Pixels along a side of an aligned crop.
    pub(super) fn side(&self) -> u32 {
        self.embedder.side
    }

    /// The quality bounds of the embedder's manifest.
    pub(super) fn quality_bounds(&self) -> &QualityBounds {
        &self.quality
    }
}

impl Embedder {
    fn load(manifest: &Manifest, bytes: &[u8]) -> Result<Self, ModelError> {
        let side = manifest.input[0];
        let dimension =
            manifest.dimension.expect("a manifest of an embedder has a dimension or isn't read");
        let wanted = [("one output".to_owned(), vec![1, dimension])];
        let network = Graph::read(&manifest.name, bytes)?.compile(side, side, &wanted)?;
        Ok(Self {
            feed: PixelScale::of(manifest),
            network,
            side,
            dimension,
            mirror: manifest.mirror,
        })
    }

    /// The embedder's output; with a mirror the mean of both, so that lengths mean the same either
    /// way.
    fn embed(&self, crop: &[f32]) -> Result<Vec<f32>, ModelError> {
        let mut raw = self.network.run(&self.feed.planes(crop))?.only();
        if self.mirror {
            let other = self.network.run(&self.feed.planes(&mirrored(crop, self.side)))?.only();
            for (r, o) in raw.iter_mut().zip(other) {
                *r = f32::midpoint(*r, o);
            }
        }
        Ok(raw)
    }
}

/// SHA-256 over all that decides an embedding, in words, one fact a line.
fn identity(detector: &Manifest, embedder: &Manifest) -> ModelId {
    let fed = |m: &Manifest| {
        let [width, height] = m.input;
        format!(
            "{} {width}x{height} {:?} {:08x} {:08x}",
            m.sha256,
            m.colours,
            m.pixel_offset.to_bits(),
            m.pixel_scale.to_bits()
        )
    };
    let facts = format!(
        "smrt embedding\nchain {CHAIN_VERSION}\ndetector {}\nembedder {}\nmirror {}\n",
        fed(detector),
        fed(embedder),
        embedder.mirror
    );
    ModelId(Digest::of(facts.as_bytes()).0)
}

fn choose(faces: &[Face], choice: FaceChoice, photo: (u32, u32)) -> Result<usize, EmbedError> {
    if faces.is_empty() {
        return Err(EmbedError::NoFace);
    }
    let index = match choice {
        FaceChoice::Central => return Ok(central(faces, photo)),
        FaceChoice::Face(Some(asked)) if asked >= faces.len() => {
            return Err(EmbedError::NoSuchFace { asked, found: faces.len() });
        }
        FaceChoice::Face(Some(asked)) => asked,
        FaceChoice::Only | FaceChoice::Face(None) => {
            let mut usable = (0..faces.len()).filter(|&at| unusable(&faces[at]).is_none());
            match (usable.next(), usable.next()) {
                (Some(_), Some(_)) => {
                    return Err(EmbedError::SeveralFaces { faces: faces.to_vec() });
                }
                (Some(only), None) => only,
                // The surest of the unusable ones says what is wrong.
                (None, _) => 0,
            }
        }
    };
    match unusable(&faces[index]) {
        None => Ok(index),
        Some(UnusableFace::TooSmall { eyes_apart_px }) => {
            Err(EmbedError::FaceTooSmall { found: eyes_apart_px })
        }
        Some(UnusableFace::Unclear { score }) => Err(EmbedError::FaceUnclear { found: score }),
    }
}

/// The face with the least distance from the photo's middle, less three tenths of the side of a
/// square as large as its frame.
fn central(faces: &[Face], (width, height): (u32, u32)) -> usize {
    let far = |face: &Face| {
        let [x, y, w, h] = face.frame.map(f64::from);
        let from_middle =
            (x + w / 2.0 - f64::from(width) / 2.0).hypot(y + h / 2.0 - f64::from(height) / 2.0);
        from_middle - 0.3 * (w * h).sqrt()
    };
    (0..faces.len()).min_by(|&a, &b| far(&faces[a]).total_cmp(&far(&faces[b]))).unwrap_or(0)
}

pub(super) fn timed<T>(ms: &mut f64, work: impl FnOnce() -> T) -> T {
    let begin = Instant::now();
    let done = work();
    *ms = begin.elapsed().as_secs_f64() * 1e3;
    done
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use image::imageops;
    use std::fs;
    use std::path::PathBuf;
    use std::sync::{Arc, LazyLock};

    pub(in crate::embed) const PORTRAIT: &[u8] = include_bytes!("test_photos/astronaut.jpg");

    pub(in crate::embed) fn models_dir() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("models")
    }

    /// The real models, loaded once for all tests.
    pub(in crate::embed) static MODELS: LazyLock<Arc<Models>> =
        LazyLock::new(|| {
            Arc::new(Models::load(&models_dir()).unwrap_or_else(|e| {
                panic!("the models are needed here, run smrtctl model fetch: {e}")
            }))
        });

    fn portrait() -> RgbImage {
        decode(PORTRAIT).unwrap().rgb
    }

    fn png(photo: &RgbImage) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        photo.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        bytes.into_inner()
    }

    fn side_by_side(left: &RgbImage, right: &RgbImage) -> RgbImage {
        let mut both =
            RgbImage::new(left.width() + right.width(), left.height().max(right.height()));
        imageops::replace(&mut both, left, 0, 0);
        imageops::replace(&mut both, right, i64::from(left.width()), 0);
        both
    }

    fn scaled(photo: &RgbImage, width: u32, height: u32) -> RgbImage {
        imageops::resize(photo, width, height, imageops::FilterType::Triangle)
    }

    #[test]
    fn a_portrait_has_one_face_where_it_is_and_the_same_embedding_each_time() {
        let first = MODELS.examine(PORTRAIT, FaceChoice::Only).unwrap();
        assert_eq!((first.format, first.width, first.height), (Format::Jpeg, 512, 512));
        assert_eq!((first.faces.len(), first.chosen), (1, 0));
        let [x, y, w, h] = first.faces[0].frame;
        assert!(
            x < 224.0 && x + w > 224.0 && y < 115.0 && y + h > 115.0 && w < 160.0,
            "{:?}",
            first.faces[0]
        );
        let [left, right, nose, ..] = first.faces[0].landmarks;
        assert!(left[0] < nose[0] && nose[0] < right[0] && left[1] < nose[1]);
        assert!(first.length > 1.0);
        assert_eq!(first.embedding.dimension(), MODELS.dimension());
        let again = MODELS.examine(PORTRAIT, FaceChoice::Face(Some(0))).unwrap();
        assert_eq!(again.embedding, first.embedding);
    }

    #[test]
    fn the_same_person_scores_high_at_any_size_turn_or_format_and_mirrored() {
        let wanted = MODELS.examine(PORTRAIT, FaceChoice::Only).unwrap().embedding;
        let photo = portrait();
        let turned = imageops::rotate90(&photo);
        let larger = scaled(&photo, 1_900, 1_900);
        let close = imageops::crop_imm(&larger, 500, 80, 700, 800).to_image();
        for (name, other, least) in [
            ("smaller", scaled(&photo, 250, 250), 0.85),
            ("larger", larger, 0.95),
            ("face fills the frame", close, 0.9),
            ("mirrored", imageops::flip_horizontal(&photo), 0.9),
            ("upside down", imageops::rotate180(&imageops::rotate180(&photo)), 0.999),
            ("on its side, put upright again", imageops::rotate270(&turned), 0.999),
        ] {
            let found = MODELS
                .examine(&png(&other), FaceChoice::Only)
                .unwrap_or_else(|e| panic!("{name}: {e}"));
            let score = found.embedding.score(&wanted);
            assert!(score > least, "{name}: {score}");
        }
        let jp2 =
            MODELS.examine(include_bytes!("test_photos/astronaut.jp2"), FaceChoice::Only).unwrap();
        assert!(
            jp2.embedding.score(&wanted) > 0.8,
            "256 px of JPEG 2000: {}",
            jp2.embedding.score(&wanted)
        );
    }

    #[test]
    fn a_photo_without_a_face_is_refused() {
        let empty = RgbImage::from_pixel(200, 200, image::Rgb([90, 120, 90]));
        let sky = imageops::crop_imm(&portrait(), 330, 0, 180, 180).to_image();
        for photo in [empty, sky] {
            assert!(matches!(
                MODELS.examine(&png(&photo), FaceChoice::Only),
                Err(EmbedError::NoFace)
            ));
            assert!(matches!(
                MODELS.examine(&png(&photo), FaceChoice::Central),
                Err(EmbedError::NoFace)
            ));
        }
    }

    #[test]
    fn of_two_faces_a_booking_is_refused_and_a_probe_asks_which() {
        let photo = portrait();
        let both =
            png(&side_by_side(&photo, &scaled(&imageops::flip_horizontal(&photo), 400, 400)));
        assert!(matches!(MODELS.examine(&both, FaceChoice::Only),
                Err(EmbedError::SeveralFaces { faces }) if faces.len() == 2));
        let Err(EmbedError::SeveralFaces { faces }) = MODELS.examine(&both, FaceChoice::Face(None))
        else {
            panic!("two faces")
        };
        assert!(faces[0].score >= faces[1].score, "best first");
        for (at, face) in faces.iter().enumerate() {
            let chosen = MODELS.examine(&both, FaceChoice::Face(Some(at))).unwrap();
            assert_eq!((chosen.chosen, chosen.faces[at]), (at, *face));
        }
        assert!(matches!(
            MODELS.examine(&both, FaceChoice::Face(Some(2))),
            Err(EmbedError::NoSuchFace { asked: 2, found: 2 })
        ));
    }

    #[test]
    fn a_face_too_small_to_use_is_refused_alone_and_does_not_count_beside_another() {
        let photo = portrait();
        let tiny = scaled(&photo, 72, 72);
        let alone = side_by_side(&tiny, &RgbImage::new(40, 40));
        match MODELS.examine(&png(&alone), FaceChoice::Only) {
            Err(EmbedError::FaceTooSmall { found }) => assert!(found < 10.0),
            Err(EmbedError::NoFace | EmbedError::FaceUnclear { .. }) => {
                panic!("the small face was not found")
            }
            other => panic!("{other:?}"),
        }
        let beside = MODELS.examine(&png(&side_by_side(&photo, &tiny)), FaceChoice::Only).unwrap();
        assert_eq!(beside.chosen, 0);
    }

    #[test]
    fn the_central_face_is_the_one_near_the_middle() {
        let face = |x: f32, side: f32| Face {
            score: 0.9,
            frame: [x, 90.0, side, side],
            landmarks: [[0.0; 2]; 5],
        };
        assert_eq!(central(&[face(0.0, 30.0), face(85.0, 30.0), face(170.0, 30.0)], (200, 200)), 1);
        assert_eq!(central(&[face(90.0, 4.0), face(60.0, 70.0)], (200, 200)), 1, "size counts");
    }

    /// A folder with the real manifests and copies of the real model files.
    fn folder() -> tempfile::TempDir {
        LazyLock::force(&MODELS);
        let dir = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(models_dir()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
            }
        }
        dir
    }

    fn edit(dir: &Path, role: &str, change: impl Fn(String) -> String) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|e| e == "toml") {
                let text = fs::read_to_string(&path).unwrap();
                if text.contains(&format!("role = \"{role}\"")) {
                    fs::write(&path, change(text)).unwrap();
                }
            }
        }
    }

    #[test]
    fn a_model_file_with_one_flipped_bit_or_none_is_refused_before_the_engine_reads_it() {
        let dir = folder();
        let file = dir.path().join("face_detection_yunet_2023mar.f32.onnx");
        let mut bytes = fs::read(&file).unwrap();
        bytes[1_000] ^= 1;
        fs::write(&file, bytes).unwrap();
        assert!(matches!(Models::load(dir.path()), Err(ModelError::Digest { .. })));
        fs::write(&file, b"not a model at all").unwrap();
        assert!(matches!(Models::load(dir.path()), Err(ModelError::Digest { .. })));
        fs::remove_file(&file).unwrap();
        let error = Models::load(dir.path()).err().unwrap();
        assert!(error.to_string().contains("smrtctl model fetch"), "{error}");
    }

    #[test]
    fn a_model_that_does_not_fit_its_manifest_is_refused() {
        let dir = folder();
        edit(dir.path(), "embedder", |t| t.replace("dimension = 128", "dimension = 256"));
        let error = Models::load(dir.path()).err().unwrap().to_string();
        assert!(error.contains("[1, 128]") && error.contains("[1, 256]"), "{error}");
    }

    #[test]
    fn the_identity_changes_with_everything_that_changes_embeddings() {
        let read = || Manifest::read_all(&models_dir()).unwrap();
        let id = |change: &dyn Fn(&mut Manifest)| {
            let mut manifests = read();
            manifests.iter_mut().for_each(change);
            identity(
                Manifest::active(&manifests, ModelRole::Detector).unwrap(),
                Manifest::active(&manifests, ModelRole::Embedder).unwrap(),
            )
        };
        let plain = id(&|_| ());
        assert_eq!(plain, id(&|m| m.provenance.push('!')), "words change nothing");
        assert_eq!(plain, id(&|m| m.quality.clear()), "what counts as poor changes no embedding");
        for change in [
            &(|m: &mut Manifest| m.mirror = !m.mirror) as &dyn Fn(&mut Manifest),
            &|m| m.pixel_offset += 1.0,
            &|m| m.sha256.0[0] ^= u8::from(m.role == ModelRole::Detector),
            &|m| m.sha256.0[0] ^= u8::from(m.role == ModelRole::Embedder),
        ] {
            assert_ne!(plain, id(change));
        }
    }
}
