//! Errors of embed: of photos, of model files, and of the packages that model files come from.

use std::path::PathBuf;

use super::format::Format;
use crate::face::{Face, FaceError};
use crate::ids::Digest;
use crate::limits::{
    DECODE_BYTES_MAX, EMBED_QUEUE_LEN_MAX, EYES_APART_PX_MIN, PHOTO_BYTES_MAX, PHOTO_PIXELS_MAX,
    PHOTO_SIDE_PX_MAX, PHOTO_SIDE_PX_MIN, PROBE_BYTES_MAX, USABLE_SCORE_MIN,
};
use crate::rule::Rule;

/// Errors of a photo: why it has no embedding.
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
    Bytes { found: usize },
    /// The probe's file is too long.
    #[error("the probe file has {found} bytes, most accepted is {PROBE_BYTES_MAX}")]
    ProbeBytes { found: usize },
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
    Picture { source: Box<dyn std::error::Error + Send + Sync> },
    /// The photo has too many pixels, or too many along one side.
    #[error(
        "photo is {width}x{height} px, most accepted is {PHOTO_SIDE_PX_MAX} along a side and \
         {PHOTO_PIXELS_MAX} in all"
    )]
    TooLarge { width: u32, height: u32 },
    /// The photo has too few pixels along one side.
    #[error(
        "photo is {width}x{height} px, smallest accepted is {PHOTO_SIDE_PX_MIN} along each side"
    )]
    TooSmall { width: u32, height: u32 },
    /// Decoding would take too much memory.
    #[error(
        "decoding this {format} photo takes {needed} bytes of memory, most allowed is \
         {DECODE_BYTES_MAX}"
    )]
    Memory { format: Format, needed: u64 },
    /// The file ends before the photo does.
    #[error(
        "the {format} file ends after {found} bytes in the middle of the photo, wanted a complete \
         file"
    )]
    Truncated { format: Format, found: usize },
    /// A well-formed photo of a kind that isn't read.
    #[error("the {format} photo has {found}, wanted {wanted}")]
    Unsupported { format: Format, found: String, wanted: String },
    /// The decoder gave up.
    #[error("the {format} photo is damaged, wanted one that decodes")]
    Damaged { format: Format, source: Box<dyn std::error::Error + Send + Sync> },
    /// No face was found.
    #[error("no face found, wanted a photo with a face")]
    NoFace,
    /// The face is too small.
    #[error("the eyes are {found:.1} px apart, wanted at least {EYES_APART_PX_MIN}")]
    FaceTooSmall { found: f32 },
    /// The detector isn't sure that it is a face.
    #[error(
        "the face is unclear: the detector gives it {found:.2} of 1, wanted at least \
         {USABLE_SCORE_MIN}"
    )]
    FaceUnclear { found: f32 },
    /// Several usable faces, and none was chosen or may be.
    #[error("{} faces found, wanted one face or a choice of one", faces.len())]
    SeveralFaces {
        /// Best first; a choice is an index into them.
        faces: Vec<Face>,
    },
    /// The face chosen isn't there.
    #[error("face {asked} was chosen of {found} found, counted from 0")]
    NoSuchFace { asked: usize, found: usize },
    /// The pool's queue is full.
    #[error("{EMBED_QUEUE_LEN_MAX} photos wait already, wanted a free place")]
    Busy,
    /// A decoder or model panicked over this photo.
    #[error("examining the photo panicked: {reason}")]
    Panicked { reason: String },
    /// The pool's threads are gone.
    #[error("the pool has stopped")]
    Stopped,
    /// A thread of the pool could not be started.
    #[error("no thread for the pool")]
    Thread { source: std::io::Error },
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
    /// The rule by which the photo is refused, or put off.
    pub fn rule(&self) -> Rule {
        match self {
            Self::NotAPhoto { .. } | Self::Unsupported { .. } => Rule::PhotoKind,
            Self::Bytes { .. }
            | Self::ProbeBytes { .. }
            | Self::TooLarge { .. }
            | Self::Memory { .. } => Rule::PhotoTooLarge,
            Self::TooSmall { .. } => Rule::PhotoTooSmall,
            Self::Truncated { .. } | Self::Damaged { .. } => Rule::PhotoDamaged,
            Self::CropOutside { .. } => Rule::EditsOutOfBounds,
            Self::NoFace => Rule::NoFace,
            Self::FaceTooSmall { .. } => Rule::FaceTooSmall,
            Self::FaceUnclear { .. } => Rule::FaceUnclear,
            Self::SeveralFaces { .. } => Rule::SeveralFaces,
            Self::NoSuchFace { .. } => Rule::NoSuchFace,
            Self::Panicked { .. } | Self::Embedding { .. } => Rule::PhotoUnusable,
            Self::Busy => Rule::Busy,
            Self::Picture { .. } | Self::Stopped | Self::Thread { .. } | Self::Model { .. } => {
                Rule::Failed
            }
        }
    }

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

/// Errors of a model: why it can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The system refused.
    #[error("{path}")]
    Io { path: PathBuf, source: std::io::Error },
    /// A manifest doesn't parse.
    #[error("the manifest {path} is malformed")]
    Manifest { path: PathBuf, source: Box<toml::de::Error> },
    /// A field of a manifest doesn't fit.
    #[error("the manifest {path} doesn't fit: {reason}")]
    Field { path: PathBuf, reason: String },
    /// There is no model of a role.
    #[error("no manifest names a {role}, wanted one")]
    NoModel { role: &'static str },
    /// It isn't clear which model of a role is meant.
    #[error(
        "{found} manifests name a {role} and {active} of them say `active = true`, wanted exactly \
         one that does"
    )]
    SeveralModels { role: &'static str, found: usize, active: usize },
    /// The model file isn't there.
    #[error("the model file {path} is absent: run `smrtctl model fetch`")]
    Absent { path: PathBuf },
    /// A file is too long.
    #[error("{path} has {found} bytes, most accepted is {most}")]
    Size { path: PathBuf, found: u64, most: u64 },
    /// The model file isn't the one that was vetted.
    #[error("{path} has SHA-256 {found}, its manifest wants {wanted}: run `smrtctl model fetch`")]
    Digest { path: PathBuf, found: Digest, wanted: Digest },
    /// The file is no model.
    #[error("the file is no ONNX model")]
    Format { source: Box<dyn std::error::Error + Send + Sync> },
    /// The quantised model has something that can't be rewritten exactly.
    #[error("the quantised model has {found}, which can't be rewritten exactly")]
    Quantised { found: String },
    /// The engine doesn't take the model.
    #[error("the engine doesn't run {name}")]
    Engine { name: String, source: Box<dyn std::error::Error + Send + Sync> },
    /// The model's inputs or outputs aren't those of its role.
    #[error("{name} has {found}, wanted {wanted}")]
    Shape { name: String, found: String, wanted: String },
}

/// Errors of a package: why it was not fetched. Nothing is left behind but files that were there
/// before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// The registry's client isn't installed.
    #[error(
        "{program} can't be run, wanted Python's package client: install python3 and python3-pip"
    )]
    MissingClient { program: String },
    /// The client reported failure.
    #[error("downloading {package} failed ({status}): {said}")]
    Client { package: String, status: std::process::ExitStatus, said: String },
    /// The client delivered no file, or several.
    #[error("the client delivered {found} files for {package}, wanted 1")]
    Delivered { package: String, found: usize },
    /// A file is too long.
    #[error("{what} has {found} bytes or more, most accepted is {most}")]
    Size { what: String, found: u64, most: u64 },
    /// A file isn't the one that was vetted.
    #[error("{what} has SHA-256 {found}, wanted {wanted}")]
    Digest { what: String, found: Digest, wanted: Digest },
    /// The archive has no such file.
    #[error("{package} has no file {member}")]
    NoMember { package: String, member: String },
    /// The archive can't be read.
    #[error("{package} is no readable archive")]
    Archive { package: String, source: Box<dyn std::error::Error + Send + Sync> },
    /// A name that could leave the folder or be an option.
    #[error("'{found}' is not a plain name of A-Z, a-z, 0-9, '.', '_', '+' and '-'")]
    Name { found: String },
    /// A list of packages doesn't parse.
    #[error("the list of packages is malformed")]
    List { source: Box<toml::de::Error> },
    /// The system refused.
    #[error("{path}")]
    Io { path: PathBuf, source: std::io::Error },
    /// The file fetched is no model.
    #[error("the model can't be prepared")]
    Model {
        /// What happened.
        #[from]
        source: ModelError,
    },
}
