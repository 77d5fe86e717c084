//! Embedding: photo bytes to faces, quality and embedding.
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
mod edit;
mod error;
mod examine;
mod fetch;
mod format;
mod jpeg2000;
mod manifest;
mod model;
mod package;
mod package_client;
mod package_list;
mod photo_bounds;
mod pool;
mod probe;
mod quality;

pub use decode::{Photo, decode};
pub use detect::UnusableFace;
pub use error::{EmbedError, ModelError, PackageError};
pub use examine::{ExaminedPhoto, FaceChoice, Models, Timings};
pub use fetch::{CheckedModel, FetchedModel, check, fetch};
pub use format::Format;
pub use manifest::{Colours, Manifest, ModelRole, Prepare};
pub use package::fetch_package;
pub use package_client::PackageClient;
pub use package_list::{Package, PackageKind, PackageMember, packages};
pub use pool::Pool;
pub use probe::{ChosenFace, EncodedPicture, Encoding, Preview, ProbeFace, ProbeFaces, replay};
pub use quality::{Bounds, QualityBounds, QualityMeasure, QualitySheet, QualityVerdict, Reading};
