//! Photo bytes to faces, quality and embedding.
//!
//! The same bytes, the same models and the same choice give the same embedding; `ModelId` names
//! everything that decides its value. Photos are hostile until decoded: sizes come from headers and
//! are held against `limits` before a decoder runs, and decoders and models run on the pool's
//! threads only, where a panic ends one photo and not the process.
//!
//! ```text
//! bytes -> decode (jpeg2000) -> detect -> choice -> align -> model -> Embedding
//! probe -> decode -> edit -> detect -> choice -> align -> model -> Embedding, quality
//! manifest -> fetch (package, dequantise) -> models/*.onnx -> model
//! ```

mod align;
mod decode;
mod dequantise;
mod detect;
mod digest;
mod edit;
mod examine;
mod fetch;
mod jpeg2000;
mod manifest;
mod model;
mod package;
mod pool;
mod probe;
mod quality;

pub use decode::{Format, Photo, decode, decode_probe};
pub use detect::UnusableFace;
pub use digest::Digest;
pub use examine::{FaceChoice, Models, ExaminedPhoto, Timings};
pub use fetch::{CheckedModel, FetchedModel, check, fetch};
pub use manifest::{Colours, Manifest, Prepare, ModelRole};
pub use model::ModelError;
pub use package::{PackageClient, PackageError, PackageKind, PackageMember, Package, fetch_package, packages};
pub use pool::Pool;
pub use probe::{Encoding, ProbeFace, ProbeFaces, EncodedPicture, Preview, ChosenFace, replay};
pub use quality::{Bounds, QualityMeasure, QualityBounds, QualitySheet, Reading, QualityVerdict};

use crate::face::{Face, FaceError};
use crate::limits::{
    DECODE_BYTES_MAX, EMBED_QUEUE_LEN_MAX, EYES_APART_PX_MIN, PHOTO_BYTES_MAX, PHOTO_PIXELS_MAX,
    PHOTO_SIDE_PX_MAX, PHOTO_SIDE_PX_MIN, PROBE_BYTES_MAX, USABLE_SCORE_MIN,
};

/// Why a photo has no embedding.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmbedError {
    /// The bytes begin like none of the formats.
    #[error("the file begins with {found}, wanted a JPEG, PNG or JPEG 2000 photo")]
    NotAPhoto {
        /// The first bytes, hexadecimal.
        found: String,
    },
    /// The file is too long.
    #[error("the photo file has {found} bytes, most accepted is {PHOTO_BYTES_MAX}")]
    Bytes {
        /// Bytes given.
        found: usize,
    },
    /// The probe's file is too long.
    #[error("the probe file has {found} bytes, most accepted is {PROBE_BYTES_MAX}")]
    ProbeBytes {
        /// Bytes given.
        found: usize,
    },
    /// A crop reaches beyond the original.
    #[error("the crop of {}x{} px at {},{} reaches beyond the photo of {}x{} \
        px", crop[2], crop[3], crop[0], crop[1], photo[0], photo[1])]
    CropOutside {
        /// Left and upper edge, width and height.
        crop: [u32; 4],
        /// Width and height of the upright original.
        photo: [u32; 2],
    },
    /// A picture of the probe could not be encoded.
    #[error("a picture of the photo could not be made")]
    Picture {
        /// The encoder's reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The photo has too many pixels, or too many along one side.
    #[error(
        "photo is {width}x{height} px, most accepted is {PHOTO_SIDE_PX_MAX} along a side and \
         {PHOTO_PIXELS_MAX} in all"
    )]
    TooLarge {
        /// Width that the header claims.
        width: u32,
        /// Height that the header claims.
        height: u32,
    },
    /// The photo has too few pixels along one side.
    #[error(
        "photo is {width}x{height} px, smallest accepted is {PHOTO_SIDE_PX_MIN} along each side"
    )]
    TooSmall {
        /// Width that the header claims.
        width: u32,
        /// Height that the header claims.
        height: u32,
    },
    /// Decoding would take too much memory.
    #[error(
        "decoding this {format} photo takes {needed} bytes of memory, most allowed is \
         {DECODE_BYTES_MAX}"
    )]
    Memory {
        /// The photo's format.
        format: Format,
        /// Bytes that its header asks for.
        needed: u64,
    },
    /// The file ends before the photo does.
    #[error(
        "the {format} file ends after {found} bytes in the middle of the photo, wanted a complete \
         file"
    )]
    Truncated {
        /// The photo's format.
        format: Format,
        /// Bytes given.
        found: usize,
    },
    /// A well-formed photo of a kind that isn't read.
    #[error("the {format} photo has {found}, wanted {wanted}")]
    Unsupported {
        /// The photo's format.
        format: Format,
        /// What it has.
        found: String,
        /// What is read.
        wanted: String,
    },
    /// The decoder gave up.
    #[error("the {format} photo is damaged, wanted one that decodes")]
    Damaged {
        /// The photo's format.
        format: Format,
        /// The decoder's reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No face was found.
    #[error("no face found, wanted a photo with a face")]
    NoFace,
    /// The face is too small.
    #[error("the eyes are {found:.1} px apart, wanted at least {EYES_APART_PX_MIN}")]
    FaceTooSmall {
        /// Pixels between the eyes.
        found: f32,
    },
    /// The detector isn't sure that it is a face.
    #[error("the face was found with confidence {found:.2}, wanted at least {USABLE_SCORE_MIN}")]
    FaceUnclear {
        /// The detector's confidence.
        found: f32,
    },
    /// Several usable faces, and none was chosen or may be.
    #[error("{} faces found, wanted one face or a choice of one", faces.len())]
    SeveralFaces {
        /// All faces found, best first; a choice is an index into them.
        faces: Vec<Face>,
    },
    /// The face chosen isn't there.
    #[error("face {asked} was chosen of {found} found, counted from 0")]
    NoSuchFace {
        /// Index chosen.
        asked: usize,
        /// Faces found.
        found: usize,
    },
    /// The pool's queue is full.
    #[error("{EMBED_QUEUE_LEN_MAX} photos wait already, wanted a free place")]
    Busy,
    /// A decoder or model panicked over this photo.
    #[error("examining the photo panicked: {reason}")]
    Panicked {
        /// What the panic said.
        reason: String,
    },
    /// The pool's threads are gone.
    #[error("the pool has stopped")]
    Stopped,
    /// A thread of the pool could not be started.
    #[error("no thread for the pool")]
    Thread {
        /// The system's reason.
        source: std::io::Error,
    },
    /// A model did not run.
    #[error("the models failed on this photo")]
    Model {
        /// What happened.
        #[from]
        source: ModelError,
    },
    /// The embedder's numbers are no embedding.
    #[error("the embedder's output is no embedding")]
    Embedding {
        /// What is wrong with them.
        #[from]
        source: FaceError,
    },
}

impl EmbedError {
    /// A short name for what is wrong with the photo, at most `EMBED_FAILURE_CHARS_MAX` characters;
    /// none where the fault isn't the photo's.
    pub fn about_the_photo(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotAPhoto { .. } => "not a photo",
            Self::Bytes { .. }
            | Self::ProbeBytes { .. }
            | Self::TooLarge { .. }
            | Self::Memory { .. } => "photo too large",
            Self::TooSmall { .. } => "photo too small",
            Self::Truncated { .. } | Self::Damaged { .. } => "photo damaged",
            Self::Unsupported { .. } => "photo of a kind not read",
            Self::NoFace => "no face",
            Self::FaceTooSmall { .. } => "face too small",
            Self::FaceUnclear { .. } => "face unclear",
            Self::SeveralFaces { .. } => "several faces",
            Self::NoSuchFace { .. } => "no such face",
            Self::Panicked { .. } => "examining panicked",
            Self::Embedding { .. } => "no embedding",
            Self::CropOutside { .. } => "crop outside the photo",
            Self::Busy
            | Self::Picture { .. }
            | Self::Stopped
            | Self::Thread { .. }
            | Self::Model { .. } => return None,
        })
    }
}
