//! The gallery: rows in segments, searched exactly.
//!
//! The invariant: **an answer equals what scoring every live row in f64 would give, ties broken by row**, on each engine and each
//! device. On the grid that `face` keeps, such scores are exact in any order of summation, so there is one right answer and no
//! tolerance. The device's f32 sums only rule rows out, by a bound argued in `score`; what they can't rule out is scored on the host.
//!
//! Who owns what: `rows` the master copy and the bits of the live rows; `cpu` the plain engine; `gpu` the device and its compiled
//! shaders, shared by galleries; `segments` a gallery's rows on the device; `scan` a pass over them, with `score` and `top_k`
//! beside their shaders; `thread` the one thread that owns the gallery of a daemon.

mod binding;
mod cpu;
pub mod gpu;
mod rows;
mod scan;
mod score;
mod segments;
#[cfg(test)]
mod tests;
mod thread;
mod top_k;

pub use thread::GalleryHandle;

use crate::face::{Candidate, Embedding};
use crate::limits::{CANDIDATES_DEFAULT, CANDIDATES_MAX, DIMENSION_MAX, DIMENSION_MIN, PROBES_PER_PASS_MAX};
use rows::Rows;
use scan::{Scan, Scanned};
use std::sync::Arc;

/// Why the gallery did not do what it was asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GalleryError {
    /// The GPU engine was asked for and there is nothing to run it on.
    #[error("no Vulkan adapter found, the gpu engine needs one (a software adapter counts)")]
    NoAdapter,
    /// The device failed; its gallery is dead.
    #[error("the gallery's device is lost: {reason}")]
    DeviceLost {
        /// What the device said first.
        reason: String,
    },
    /// The queue is full.
    #[error("the gallery's queue is full, wanted a free place among {len_max}")]
    Busy {
        /// Places in the queue.
        len_max: usize,
    },
    /// An embedding of another dimension, or a dimension that no embedding has.
    #[error("{found} components, this gallery's rows have {wanted}")]
    Dimension {
        /// Components given.
        found: usize,
        /// Components of this gallery's rows.
        wanted: usize,
    },
    /// A gallery can't have this dimension.
    #[error("a gallery of {found} components was asked for, wanted {DIMENSION_MIN} to {DIMENSION_MAX}")]
    NoSuchDimension {
        /// Components asked for.
        found: usize,
    },
    /// Row ids have run out.
    #[error("the gallery has {rows} rows, which is all that a row id can name")]
    Full {
        /// Rows there are.
        rows: u32,
    },
    /// No such row.
    #[error("row {row} is unknown, the gallery has {rows} rows")]
    UnknownRow {
        /// Row asked for.
        row: u32,
        /// Rows there are.
        rows: u32,
    },
    /// The row's numbers are gone.
    #[error("row {row} was zeroed and can't be found again")]
    Zeroed {
        /// Row asked for.
        row: u32,
    },
    /// More candidates asked for than a search gives.
    #[error("{found} candidates asked for, at most {CANDIDATES_MAX} are given")]
    TooManyCandidates {
        /// Candidates asked for.
        found: usize,
    },
    /// The gallery's thread has ended.
    #[error("the gallery's thread has ended")]
    Stopped,
    /// The engine's answer to a known probe isn't the processor's.
    #[error("the engine's answer to a known probe differs from the processor's, wanted the same {wanted} candidates")]
    EnginesDiffer {
        /// Candidates that the processor found.
        wanted: usize,
    },
    /// No engine has this name.
    #[error("the engine is {found:?}, wanted auto, gpu or cpu")]
    UnknownEngine {
        /// Name given.
        found: String,
    },
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

/// Counts since the gallery was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GalleryStats {
    /// Rows that the host scored in f64 after a device had narrowed them down.
    pub rescored: u64,
    /// Probes that a device could not narrow down, so that the host scored every row.
    pub fallbacks: u64,
}

/// Rows of one dimension that can be searched.
pub struct Gallery {
    rows: Rows,
    /// None: the processor scores.
    scan: Option<Scan>,
    device: String,
    threads: usize,
    stats: GalleryStats,
}

impl Gallery {
    /// An empty gallery on the engine that `choice` means.
    ///
    /// Errors: as `gpu::Device::open` and `on`.
    pub fn open(choice: EngineChoice, dimension: usize) -> Result<Self, GalleryError> {
        Self::on(gpu::Device::open(choice)?, dimension)
    }

    /// An empty gallery on a device that others may use too, or on the processor.
    ///
    /// Errors: a dimension that no embedding has; `DeviceLost`.
    pub fn on(device: Option<Arc<gpu::Device>>, dimension: usize) -> Result<Self, GalleryError> {
        if !(DIMENSION_MIN..=DIMENSION_MAX).contains(&dimension) {
            return Err(GalleryError::NoSuchDimension { found: dimension });
        }
        if let Some(device) = &device {
            device.check()?;
        }
        Ok(Self::with_scan(device.map(|device| Scan::new(device, dimension)), dimension))
    }

    fn with_scan(scan: Option<Scan>, dimension: usize) -> Self {
        let threads = cpu::threads();
        let device = scan.as_ref().map_or_else(|| format!("{threads} threads"), |scan| scan.device().name().to_owned());
        Self { rows: Rows::new(dimension), scan, device, threads, stats: GalleryStats::default() }
    }

    /// Adds a live row and gives its index; rows are numbered from 0 in the order of their coming.
    ///
    /// A device gets its copy before the next search, many rows at once.
    ///
    /// Errors: an embedding of another dimension, no row id left, `DeviceLost`.
    pub fn append(&mut self, embedding: &Embedding) -> Result<u32, GalleryError> {
        self.check()?;
        let row = self.rows.append(embedding)?;
        if let Some(scan) = &mut self.scan {
            scan.note_append(row);
        }
        Ok(row)
    }

    /// Hides a row from every later search; one hidden already stays hidden.
    ///
    /// Errors: no such row, `DeviceLost`.
    pub fn mask(&mut self, row: u32) -> Result<(), GalleryError> {
        self.set_live(row, false)
    }

    /// Lets later searches find a row again.
    ///
    /// Errors: no such row, one that was zeroed, `DeviceLost`.
    pub fn unmask(&mut self, row: u32) -> Result<(), GalleryError> {
        self.set_live(row, true)
    }

    /// Hides a row for good and overwrites its numbers with zeros, in the host's memory and, before this returns, on the device.
    ///
    /// Memory that drivers and the library used on the way to the device is theirs, and isn't overwritten by this.
    ///
    /// Errors: no such row, `DeviceLost`: then the host's copy is gone, and the device's goes with the process.
    pub fn zero(&mut self, row: u32) -> Result<(), GalleryError> {
        self.check()?;
        self.rows.zero(row)?;
        match &mut self.scan {
            Some(scan) => scan.zero(&self.rows, row),
            None => Ok(()),
        }
    }

    /// Rows ever appended, hidden and zeroed ones included.
    pub fn rows(&self) -> u32 {
        self.rows.len()
    }

    /// Rows that a search may find.
    pub fn live(&self) -> u32 {
        self.rows.live_len()
    }

    /// D.
    pub fn dimension(&self) -> usize {
        self.rows.dimension()
    }

    /// `gpu` or `cpu`.
    pub fn engine(&self) -> &'static str {
        if self.scan.is_some() { "gpu" } else { "cpu" }
    }

    /// The adapter's name and driver, or how many threads.
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Counts since the gallery was opened.
    pub fn stats(&self) -> GalleryStats {
        self.stats
    }

    /// The `k` best live rows for each probe, best first.
    ///
    /// Shapes: `probes` is P x D, any P; the result is P lists of at most `k`, fewer where fewer rows are live.
    /// Units: score is a cosine, exact in f64; both engines agree to the bit.
    /// Errors: a probe of another dimension, too large a `k`, `DeviceLost`, after which this gallery is dead.
    /// Source: exact scan, no index; ties broken by row so results repeat.
    pub fn search(&mut self, probes: &[Embedding], k: usize) -> Result<Vec<Vec<Candidate>>, GalleryError> {
        self.check()?;
        check_search(probes.iter().map(Embedding::dimension), k, self.dimension())?;
        if k == 0 || self.live() == 0 {
            return Ok(vec![Vec::new(); probes.len()]);
        }
        let probes: Vec<&[f32]> = probes.iter().map(Embedding::components).collect();
        let mut answers = Vec::with_capacity(probes.len());
        for probes in probes.chunks(PROBES_PER_PASS_MAX) {
            answers.extend(self.pass(probes, k)?);
        }
        Ok(answers)
    }

    /// Holds the engine's answer to a known probe against the processor's, over all rows.
    ///
    /// Errors: `EnginesDiffer`; as `search`.
    pub fn prove(&mut self) -> Result<(), GalleryError> {
        // Any vector that favours no component does; small whole numbers are exact everywhere.
        let raw: Vec<f32> = (0..self.dimension()).map(|at| f32::from(u8::try_from(at * 37 % 101).expect("below 101")) - 50.0).collect();
        let Ok((probe, _)) = Embedding::from_raw(&raw) else { unreachable!("the known probe has a length") };
        let found = self.search(std::slice::from_ref(&probe), CANDIDATES_DEFAULT)?.remove(0);
        let wanted = cpu::search(&self.rows, &[probe.components()], CANDIDATES_DEFAULT, self.threads).remove(0);
        if found == wanted { Ok(()) } else { Err(GalleryError::EnginesDiffer { wanted: wanted.len() }) }
    }

    fn pass(&mut self, probes: &[&[f32]], k: usize) -> Result<Vec<Vec<Candidate>>, GalleryError> {
        let scanned: Vec<Scanned> = match &mut self.scan {
            None => return Ok(cpu::search(&self.rows, probes, k, self.threads)),
            Some(scan) if scan.can(k) => scan.pass(&self.rows, probes, k)?,
            Some(_) => probes.iter().map(|_| Scanned::Overflowed).collect(),
        };
        let bound = self.scan.as_ref().map_or(0.0, Scan::bound);
        let mut answers: Vec<Vec<Candidate>> = Vec::with_capacity(probes.len());
        let mut left = Vec::new();
        for (at, scanned) in scanned.into_iter().enumerate() {
            answers.push(match scanned {
                Scanned::Found(found) => {
                    let (candidates, rescored) = scan::rescore(&self.rows, probes[at], found, k, bound);
                    self.stats.rescored += rescored;
                    candidates
                }
                Scanned::Overflowed => {
                    left.push(at);
                    Vec::new()
                }
            });
        }
        self.stats.fallbacks += left.len() as u64;
        let left_probes: Vec<&[f32]> = left.iter().map(|&at| probes[at]).collect();
        for (at, answer) in left.into_iter().zip(cpu::search(&self.rows, &left_probes, k, self.threads)) {
            answers[at] = answer;
        }
        Ok(answers)
    }

    fn set_live(&mut self, row: u32, live: bool) -> Result<(), GalleryError> {
        self.check()?;
        let changed = self.rows.set_live(row, live)?;
        if let Some(scan) = self.scan.as_mut().filter(|_| changed) {
            scan.note_live(row);
        }
        Ok(())
    }

    fn check(&self) -> Result<(), GalleryError> {
        self.scan.as_ref().map_or(Ok(()), |scan| scan.device().check())
    }
}

/// Whether probes of these dimensions and `k` are a search for a gallery of the dimension `wanted`.
fn check_search(dimensions: impl IntoIterator<Item = usize>, k: usize, wanted: usize) -> Result<(), GalleryError> {
    if k > CANDIDATES_MAX {
        return Err(GalleryError::TooManyCandidates { found: k });
    }
    match dimensions.into_iter().find(|&found| found != wanted) {
        Some(found) => Err(GalleryError::Dimension { found, wanted }),
        None => Ok(()),
    }
}
