//! Errors of the gallery, and the choice of its engine.

use crate::limits::{CANDIDATES_MAX, DIMENSION_MAX, DIMENSION_MIN};

/// Why the gallery did not do what it was asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GalleryError {
    /// The GPU engine was asked for and there is nothing to run it on.
    #[error("no Vulkan adapter found, the gpu engine needs one (a software adapter counts)")]
    NoAdapter,
    /// The device failed; its gallery is dead.
    #[error("the gallery's device is lost: {reason}")]
    DeviceLost { reason: String },
    /// The queue is full.
    #[error("the gallery's queue is full, wanted a free place among {len_max}")]
    Busy { len_max: usize },
    /// An embedding of another dimension, or a dimension that no embedding has.
    #[error("{found} components, this gallery's rows have {wanted}")]
    Dimension { found: usize, wanted: usize },
    /// A gallery can't have this dimension.
    #[error(
        "a gallery of {found} components was asked for, wanted {DIMENSION_MIN} to {DIMENSION_MAX}"
    )]
    NoSuchDimension { found: usize },
    /// Row ids have run out.
    #[error("the gallery has {rows} rows, which is all that a row id can name")]
    Full { rows: u32 },
    /// No such row.
    #[error("row {row} is unknown, the gallery has {rows} rows")]
    UnknownRow { row: u32, rows: u32 },
    /// The row's numbers are gone.
    #[error("row {row} was zeroed and can't be found again")]
    Zeroed { row: u32 },
    /// More candidates asked for than a search gives.
    #[error("{found} candidates asked for, at most {CANDIDATES_MAX} are given")]
    TooManyCandidates { found: usize },
    /// The gallery's thread has ended.
    #[error("the gallery's thread has ended")]
    Stopped,
    /// The engine's answer to a known probe isn't that of all rows' exact scores.
    #[error(
        "the engine's answer to a known probe differs from that of all rows' exact scores, wanted \
         the same {wanted} candidates"
    )]
    EnginesDiffer { wanted: usize },
    /// No engine has this name.
    #[error("the engine is {found:?}, wanted auto, gpu or cpu")]
    UnknownEngine { found: String },
}

/// Which engine a gallery runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// A real GPU where there is one, else the processor.
    #[default]
    Auto,
    /// Any Vulkan adapter, software included, or none at all.
    Gpu,
    /// The processor.
    Cpu,
}

impl std::str::FromStr for EngineChoice {
    type Err = GalleryError;

    fn from_str(name: &str) -> Result<Self, GalleryError> {
        match name {
            "auto" => Ok(Self::Auto),
            "gpu" => Ok(Self::Gpu),
            "cpu" => Ok(Self::Cpu),
            _ => Err(GalleryError::UnknownEngine { found: name.to_owned() }),
        }
    }
}

impl std::fmt::Display for EngineChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Gpu => "gpu",
            Self::Cpu => "cpu",
        })
    }
}
