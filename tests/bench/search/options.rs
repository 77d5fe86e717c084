//! What the bench is asked to do: one field a flag, its documentation the flag's help.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, ValueEnum};
use smrt::gallery::EngineChoice;
use smrt::limits::CANDIDATES_MAX;

/// The gallery's figures: milliseconds a batch, beside what the machine could do.
#[derive(Parser)]
#[command(name = "search")]
pub(crate) struct Options {
    /// Print one JSON object a line instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// N: rows of the gallery; 100k and 1M are understood. With a file, all of its rows unless
    /// fewer are named.
    #[arg(long, value_delimiter = ',', num_args = 1.., value_parser = rows)]
    pub(crate) rows: Vec<u32>,
    /// D: components of a row.
    #[arg(long, value_delimiter = ',', num_args = 1.., default_values_t = [128, 512])]
    pub(crate) dimension: Vec<usize>,
    /// Candidates for each probe.
    #[arg(long, default_value_t = 50, value_parser = candidates)]
    pub(crate) k: usize,
    /// Probes that are searched for together.
    #[arg(long, value_delimiter = ',', num_args = 1.., default_values_t = [1, 8, 32],
        value_parser = positive)]
    pub(crate) batch: Vec<usize>,
    /// Threads of one search: numbers, or all.
    #[arg(long, value_delimiter = ',', num_args = 1..,
        default_values_t = [Threads(1), Threads::all()])]
    pub(crate) threads: Vec<Threads>,
    /// Which engine searches; `gpu` takes software Vulkan as well, and leaves one line a batch
    /// whatever `--threads` says.
    #[arg(long, value_enum, default_value_t = Engine::Cpu)]
    pub(crate) engine: Engine,
    /// Times that each configuration is measured, all of them in turn.
    #[arg(long, default_value_t = 11, value_parser = positive)]
    pub(crate) runs: usize,
    /// `uniform`, `clustered` (five bookings a person), or a file of raw little-endian f32, D a
    /// row.
    #[arg(long, visible_alias = "rows-file", default_value = "uniform")]
    pub(crate) data: Data,
    /// Probes from a file of raw little-endian f32; without it, the last rows of a rows file are
    /// the probes and aren't enrolled.
    #[arg(long, value_name = "FILE")]
    pub(crate) probes_file: Option<PathBuf>,
    /// Write the first gallery's `rows.f32` and `probes.f32` into this folder, so that others can
    /// search the same.
    #[arg(long, value_name = "DIR")]
    pub(crate) write: Option<PathBuf>,
    /// Answer commands on standard input, one JSON object a line, so that others can be measured in
    /// between.
    #[arg(long)]
    pub(crate) serve: bool,
    /// Draw milliseconds against rows into this SVG file.
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// Draw from the JSON lines of an earlier run instead of measuring.
    #[arg(long, value_name = "FILE", requires = "plot")]
    pub(crate) from: Option<PathBuf>,
    /// Cargo says so to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Which engines are measured.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Engine {
    /// The processor.
    Cpu,
    /// A Vulkan device.
    Gpu,
    /// Both, in turn.
    Both,
}

impl Engine {
    /// What the gallery calls them.
    pub(crate) fn choices(self) -> &'static [EngineChoice] {
        match self {
            Self::Cpu => &[EngineChoice::Cpu],
            Self::Gpu => &[EngineChoice::Gpu],
            Self::Both => &[EngineChoice::Cpu, EngineChoice::Gpu],
        }
    }
}

/// Threads of one search.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Threads(pub(crate) usize);

impl Threads {
    /// As many as the machine runs at once.
    pub(crate) fn all() -> Self {
        Self(std::thread::available_parallelism().map_or(1, usize::from))
    }
}

impl FromStr for Threads {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" { Ok(Self::all()) } else { positive(text).map(Self) }
    }
}

impl std::fmt::Display for Threads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Where the vectors come from.
#[derive(Clone)]
pub(crate) enum Data {
    /// Directions without any order.
    Uniform,
    /// Five bookings a person.
    Clustered,
    /// Somebody's embeddings.
    File(PathBuf),
}

impl FromStr for Data {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "uniform" => Ok(Self::Uniform),
            "clustered" => Ok(Self::Clustered),
            file if PathBuf::from(file).is_file() => Ok(Self::File(file.into())),
            other => {
                Err(format!("{other:?} is no file, wanted uniform, clustered or a file of f32"))
            }
        }
    }
}

impl std::fmt::Display for Data {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Uniform => f.write_str("uniform"),
            Self::Clustered => f.write_str("clustered"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Reads `1000000`, `316k`, `3160k` or `10M`.
fn rows(text: &str) -> Result<u32, String> {
    let (digits, unit) = match text.strip_suffix(['k', 'M']) {
        Some(digits) if text.ends_with('k') => (digits, 1_000),
        Some(digits) => (digits, 1_000_000),
        None => (text, 1),
    };
    let rows = digits
        .parse::<u32>()
        .ok()
        .and_then(|count| count.checked_mul(unit))
        .filter(|&rows| rows > 0);
    rows.ok_or_else(|| format!("{text:?} rows, wanted 1 to {}, as 1000000, 1000k or 1M", u32::MAX))
}

fn positive(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&count| count > 0)
        .ok_or_else(|| format!("{text:?}, wanted 1 or more"))
}

fn candidates(text: &str) -> Result<usize, String> {
    positive(text)
        .ok()
        .filter(|&k| k <= CANDIDATES_MAX)
        .ok_or_else(|| format!("{text:?} candidates, wanted 1 to {CANDIDATES_MAX}"))
}
