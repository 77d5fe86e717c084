//! The gallery: embeddings as rows, searched exactly for the best candidates.
//!
//! The invariant: **an answer equals what scoring every live row in f64 would give, ties broken by
//! row**, on each engine and each device. On the grid that `face` keeps, such scores are exact in
//! any order of summation, so there is one right answer and no tolerance. Engines read int8 codes
//! only and drop the rows that one bound rules out, argued in `bound`; `rescore` scores the rest.
//!
//! Who owns what: `rows` the exact numbers, the ids and the processor's codes, in memory of
//! `pages`; `cpu` the engine on the processor, with `simd` (`avx512`, `avx2`) as its hot loop over
//! `blocks`; `gpu` the device and its compiled shaders, shared by galleries; `segments` a gallery's
//! rows on the device; `scan` a pass over them, with `score` and `top_k` beside their shaders;
//! `thread` the one thread that owns the gallery of a daemon.

mod avx2;
mod avx512;
mod binding;
mod blocks;
mod bound;
mod cpu;
mod error;
mod gpu;
mod pages;
mod prefetch;
mod rescore;
mod rows;
mod scan;
#[cfg(test)]
mod scan_tests;
mod score;
mod segments;
mod simd;
#[cfg(test)]
mod tests;
mod thread;
mod top_k;

pub use error::{EngineChoice, GalleryError};
pub use gpu::GpuDevice;
pub use thread::GalleryHandle;

use crate::face::{Candidate, Embedding};
use crate::limits::{
    CANDIDATES_DEFAULT, CANDIDATES_MAX, DIMENSION_MAX, DIMENSION_MIN, GAPS_SHARE_MAX,
    PROBES_PER_PASS_MAX,
};
use bound::ProbeBound;
use rows::Rows;
use scan::Scan;
use simd::Path;
use std::sync::Arc;

/// Statistics of a gallery: what it did since it was opened, and what memory it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GalleryStats {
    /// Probes answered.
    pub probes: u64,
    /// Passes over the rows that it took.
    pub passes: u64,
    /// Bytes of codes that the passes read.
    pub bytes_read: u64,
    /// Rows that were scored in f64 after the bound had narrowed them down.
    pub rescored: u64,
    /// How often more rows came close than a list holds, so that they were scored on the way.
    pub fallbacks: u64,
    /// How often the gaps of purged rows were closed.
    pub compactions: u64,
    /// Bytes of the host's memory that rows take.
    pub host_bytes: u64,
    /// Bytes of the device's memory that rows take.
    pub device_bytes: u64,
}

/// Multiply-adds of int8 codes a second that one thread of this processor can do at most, measured;
/// none where no instruction does them.
pub fn multiply_adds_per_second() -> Option<f64> {
    Path::all()[0].peak()
}

/// A gallery: rows of one dimension that can be searched.
pub struct Gallery {
    rows: Rows,
    engine: Engine,
    device: String,
    threads: usize,
    stats: GalleryStats,
    /// The next piece of rows whose gaps are to be closed, while that goes on.
    closing: Option<usize>,
}

enum Engine {
    Cpu(Path),
    Gpu(Box<Scan>),
}

impl Gallery {
    /// An empty gallery on the engine that `choice` means.
    ///
    /// Errors: as `GpuDevice::open` and `on`.
    pub fn open(choice: EngineChoice, dimension: usize) -> Result<Self, GalleryError> {
        Self::on(GpuDevice::open(choice)?, dimension)
    }

    /// An empty gallery on a device that others may use too, or on the processor.
    ///
    /// Errors: a dimension that no embedding has; `DeviceLost`.
    pub fn on(device: Option<Arc<GpuDevice>>, dimension: usize) -> Result<Self, GalleryError> {
        if !(DIMENSION_MIN..=DIMENSION_MAX).contains(&dimension) {
            return Err(GalleryError::NoSuchDimension { found: dimension });
        }
        if let Some(device) = &device {
            device.check()?;
        }
        Ok(Self::with_engine(
            match device {
                Some(device) => Engine::Gpu(Box::new(Scan::new(device, dimension))),
                None => Engine::Cpu(Path::all()[0]),
            },
            dimension,
        ))
    }

    fn with_engine(engine: Engine, dimension: usize) -> Self {
        let keeps_codes = matches!(engine, Engine::Cpu(_));
        let gallery = Self {
            rows: Rows::new(dimension, keeps_codes),
            engine,
            device: String::new(),
            threads: 0,
            stats: GalleryStats::default(),
            closing: None,
        };
        gallery.with_threads(cpu::threads())
    }

    /// With so many threads of the processor to a search, one at least; without this, as many as it
    /// has.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self.device = match &self.engine {
            Engine::Cpu(path) => format!("{}, {} threads", path.name(), self.threads),
            Engine::Gpu(scan) => scan.device().name().to_owned(),
        };
        self
    }

    /// Adds a live row and gives its index; rows are numbered from 0 in the order of their coming.
    ///
    /// A device gets its copy before the next search, many rows at once.
    ///
    /// Errors: an embedding of another dimension, no row id left, `DeviceLost`.
    pub fn append(&mut self, embedding: &Embedding) -> Result<u32, GalleryError> {
        self.check()?;
        let (row, place) = self.rows.append(embedding)?;
        self.mark_changed(place, place + 1);
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

    /// Hides a row for good and overwrites its numbers with zeros, in the host's memory and, before
    /// this returns, on the device.
    ///
    /// Memory that drivers and the library used on the way to the device is theirs, and isn't
    /// overwritten by this.
    ///
    /// Errors: no such row, `DeviceLost`: then the host's copy is gone, and the device's goes with
    /// the process.
    pub fn zero(&mut self, row: u32) -> Result<(), GalleryError> {
        self.check()?;
        let Some(place) = self.rows.zero(row)? else { return Ok(()) };
        self.mark_changed(place, place + 1);
        match &mut self.engine {
            Engine::Cpu(_) => Ok(()),
            Engine::Gpu(scan) => scan.write_changes(&self.rows),
        }
    }

    /// Closes a few of the gaps that zeroed rows left, if there are enough of them, and tells
    /// whether there is more to do.
    ///
    /// Rows keep their ids; a search may come between any two calls. Each call moves at most a few
    /// thousand rows.
    ///
    /// Errors: `DeviceLost`.
    fn close_gaps(&mut self) -> Result<bool, GalleryError> {
        self.check()?;
        let piece = match self.closing {
            Some(piece) => piece,
            None if self.rows.gaps() > self.rows.places() / GAPS_SHARE_MAX => 0,
            None => return Ok(false),
        };
        for (first, end) in self.rows.close_gaps_of(piece) {
            self.mark_changed(first, end);
        }
        self.closing = Some(piece + 1).filter(|&next| next < self.rows.pieces());
        if self.closing.is_none() {
            self.stats.compactions += 1;
        }
        Ok(self.closing.is_some())
    }

    /// Rows ever appended, hidden and zeroed ones included.
    pub fn rows(&self) -> u32 {
        self.rows.len()
    }

    /// Rows that a search may find.
    pub fn live(&self) -> u32 {
        self.rows.live()
    }

    /// D.
    pub fn dimension(&self) -> usize {
        self.rows.dimension()
    }

    /// `gpu` or `cpu`.
    pub fn engine(&self) -> &'static str {
        match self.engine {
            Engine::Cpu(_) => "cpu",
            Engine::Gpu(_) => "gpu",
        }
    }

    /// The adapter's name and driver, or the processor's instructions and how many threads.
    pub fn device(&self) -> &str {
        &self.device
    }

    /// Counts since the gallery was opened, and what it takes now.
    pub fn stats(&self) -> GalleryStats {
        let (device_bytes, bound_bytes) = match &self.engine {
            Engine::Cpu(_) => (0, 0),
            Engine::Gpu(scan) => (scan.bytes(), scan.host_bytes()),
        };
        GalleryStats { host_bytes: self.rows.bytes() + bound_bytes, device_bytes, ..self.stats }
    }

    /// The `k` best live rows for each probe, best first.
    ///
    /// Shapes: `probes` is P x D, any P; the result is P lists of at most `k`, fewer where fewer
    /// rows are live. Units: score is a cosine, exact in f64; both engines agree to the bit.
    /// Errors: a probe of another dimension, too large a `k`, `DeviceLost`, after which this
    /// gallery is dead. Source: exact scan, no index; ties broken by row so results repeat.
    pub fn search(
        &mut self,
        probes: &[Embedding],
        k: usize,
    ) -> Result<Vec<Vec<Candidate>>, GalleryError> {
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

    /// Checks the engine: its answer to a known probe must be that of all rows' f64 scores.
    ///
    /// Errors: `EnginesDiffer`; as `search`.
    pub fn prove(&mut self) -> Result<(), GalleryError> {
        // Any vector that favours no component does; small whole numbers are exact everywhere.
        let raw: Vec<f32> = (0..self.dimension())
            .map(|at| f32::from(u8::try_from(at * 37 % 101).expect("below 101")) - 50.0)
            .collect();
        let Ok((probe, _)) = Embedding::from_raw(&raw) else {
            unreachable!("the known probe has a length")
        };
        let found = self.search(std::slice::from_ref(&probe), CANDIDATES_DEFAULT)?.remove(0);
        let wanted =
            cpu::brute_force(&self.rows, probe.components(), CANDIDATES_DEFAULT, self.threads);
        if found == wanted {
            Ok(())
        } else {
            Err(GalleryError::EnginesDiffer { wanted: wanted.len() })
        }
    }

    fn pass(&mut self, probes: &[&[f32]], k: usize) -> Result<Vec<Vec<Candidate>>, GalleryError> {
        let bounds: Vec<ProbeBound> = probes.iter().map(|probe| ProbeBound::new(probe)).collect();
        let (scanned, bytes_read) = match &mut self.engine {
            Engine::Cpu(path) => (
                cpu::scan(&self.rows, *path, probes, &bounds, k, self.threads),
                self.rows.code_bytes(),
            ),
            Engine::Gpu(scan) => scan.pass(&self.rows, probes, &bounds, k)?,
        };
        self.stats.fallbacks += scanned.iter().map(|scanned| scanned.fallbacks).sum::<u64>();
        let answers = cpu::finish(&self.rows, probes, &bounds, scanned, k, self.threads);
        self.stats.passes += 1;
        self.stats.probes += probes.len() as u64;
        self.stats.bytes_read += bytes_read;
        self.stats.rescored += answers.iter().map(|(_, rescored)| rescored).sum::<u64>();
        Ok(answers.into_iter().map(|(answer, _)| answer).collect())
    }

    fn set_live(&mut self, row: u32, live: bool) -> Result<(), GalleryError> {
        self.check()?;
        if let Some(place) = self.rows.set_live(row, live)? {
            self.mark_changed(place, place + 1);
        }
        Ok(())
    }

    /// Marks rows as changed for a device.
    fn mark_changed(&mut self, first: u32, end: u32) {
        if let Engine::Gpu(scan) = &mut self.engine {
            scan.mark_changed(first, end);
        }
    }

    fn check(&self) -> Result<(), GalleryError> {
        match &self.engine {
            Engine::Cpu(_) => Ok(()),
            Engine::Gpu(scan) => scan.device().check(),
        }
    }
}

/// Whether probes of these dimensions and `k` are a search for a gallery of the dimension `wanted`.
fn check_search(
    dimensions: impl IntoIterator<Item = usize>,
    k: usize,
    wanted: usize,
) -> Result<(), GalleryError> {
    if k > CANDIDATES_MAX {
        return Err(GalleryError::TooManyCandidates { found: k });
    }
    match dimensions.into_iter().find(|&found| found != wanted) {
        Some(found) => Err(GalleryError::Dimension { found, wanted }),
        None => Ok(()),
    }
}
