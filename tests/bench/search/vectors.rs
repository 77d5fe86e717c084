//! The vectors that are searched, and what brute force finds among them.
//!
//! A row is made from its number alone, so that millions of them need not be kept beside the
//! gallery, and each run of the bench has the same ones. All are `Embedding`s: on the grid, so that
//! a file of them gives every contestant the very same numbers.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread;

use smrt::face::{Candidate, Embedding};

use crate::options::{Data, Threads};

/// Bookings of one person in clustered vectors.
const BOOKINGS_PER_PERSON: u32 = 5;
/// The share of a person's own direction in the square of each of its vectors: the mean cosine of
/// two bookings of a person.
const PERSON_SHARE: f32 = 0.6;
/// Probes made where no file brings them.
const PROBES: usize = 64;
/// Rows made, appended and scored by brute force at a time.
const BLOCK_ROWS: u32 = 1 << 16;
/// Sums side by side, for vector registers: exact arithmetic doesn't mind the order.
const LANES: usize = 8;
/// Rows against which brute force holds one probe before it takes the next: they stay in the
/// innermost cache.
const TRUTH_ROWS: usize = 8;

/// Vectors of one dimension: a gallery's rows and the probes.
pub(crate) struct Vectors {
    data: Data,
    file: Option<File>,
    rows: u32,
    dimension: usize,
    probes: Vec<Embedding>,
}

impl Vectors {
    /// `rows` rows, or all of a file where none are named; at least `probes_min` probes.
    pub(crate) fn open(
        data: &Data,
        rows: Option<u32>,
        dimension: usize,
        probes_file: Option<&Path>,
        probes_min: usize,
    ) -> Result<Self, String> {
        let mut vectors = Self {
            data: data.clone(),
            file: None,
            rows: rows.unwrap_or(1_000_000),
            dimension,
            probes: Vec::new(),
        };
        let probes = PROBES.max(probes_min);
        if let Data::File(path) = data {
            let (file, there) = open_file(path, dimension)?;
            vectors.file = Some(file);
            let held_out = if probes_file.is_some() {
                0
            } else {
                u32::try_from(probes).map_err(|e| e.to_string())?
            };
            let most = there.saturating_sub(held_out);
            vectors.rows = rows.unwrap_or(most);
            if vectors.rows == 0 || vectors.rows > most {
                let path = path.display();
                return Err(format!(
                    "{path} has {there} rows, {held_out} of them probes; wanted {} for the gallery",
                    vectors.rows.max(1)
                ));
            }
            if probes_file.is_none() {
                vectors.probes = vectors.block(most..there)?;
            }
        }
        if let Some(path) = probes_file {
            let (file, there) = open_file(path, dimension)?;
            vectors.probes = read_rows(&file, path, 0..there, dimension)?;
        } else if vectors.probes.is_empty() {
            vectors.probes =
                (0..probes).map(|at| vectors.make_probe(at as u64)).collect::<Result<_, _>>()?;
        }
        if vectors.probes.len() < probes_min {
            return Err(format!(
                "{} probes, wanted {probes_min} for the largest batch",
                vectors.probes.len()
            ));
        }
        Ok(vectors)
    }

    /// N.
    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    /// D.
    pub(crate) fn dimension(&self) -> usize {
        self.dimension
    }

    /// All probes.
    pub(crate) fn probes(&self) -> &[Embedding] {
        &self.probes
    }

    /// Hands all rows to `take`, in order, some at a time.
    pub(crate) fn each_block(
        &self,
        mut take: impl FnMut(u32, &[Embedding]) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut first = 0;
        while first < self.rows {
            let end = self.rows.min(first.saturating_add(BLOCK_ROWS));
            take(first, &self.block(first..end)?)?;
            first = end;
        }
        Ok(())
    }

    /// Writes rows and probes as raw little-endian f32.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), String> {
        let said = |e: std::io::Error| format!("{}: {e}", dir.display());
        std::fs::create_dir_all(dir).map_err(said)?;
        let mut rows = BufWriter::new(File::create(dir.join("rows.f32")).map_err(said)?);
        self.each_block(|_, block| {
            block.iter().try_for_each(|row| rows.write_all(&row.to_le_bytes())).map_err(said)
        })?;
        rows.flush().map_err(said)?;
        let probes: Vec<u8> = self.probes.iter().flat_map(Embedding::to_le_bytes).collect();
        std::fs::write(dir.join("probes.f32"), probes).map_err(said)
    }

    /// Some rows, made on all threads.
    fn block(&self, rows: Range<u32>) -> Result<Vec<Embedding>, String> {
        let parts = on_all_threads(rows, |part| match (&self.file, &self.data) {
            (Some(file), Data::File(path)) => read_rows(file, path, part, self.dimension),
            _ => part.map(|row| self.make_row(row)).collect(),
        });
        Ok(parts.into_iter().collect::<Result<Vec<_>, _>>()?.concat())
    }

    fn make_row(&self, row: u32) -> Result<Embedding, String> {
        let mut own = Numbers::of(1, u64::from(row)).direction(self.dimension);
        if matches!(self.data, Data::Clustered) {
            // The bookings of a person come far apart, as in life.
            self.turn_to_person(&mut own, u64::from(row % self.persons()));
        }
        embedding(&own)
    }

    fn make_probe(&self, at: u64) -> Result<Embedding, String> {
        let mut numbers = Numbers::of(2, at);
        let mut own = numbers.direction(self.dimension);
        if matches!(self.data, Data::Clustered) {
            self.turn_to_person(&mut own, numbers.next() % u64::from(self.persons()));
        }
        embedding(&own)
    }

    fn turn_to_person(&self, own: &mut [f32], person: u64) {
        let centre = Numbers::of(3, person).direction(self.dimension);
        for (own, centre) in own.iter_mut().zip(centre) {
            *own = PERSON_SHARE.sqrt() * centre + (1.0 - PERSON_SHARE).sqrt() * *own;
        }
    }

    fn persons(&self) -> u32 {
        self.rows.div_ceil(BOOKINGS_PER_PERSON)
    }
}

/// What brute force finds: every row scored in f64 against every probe, ties broken by row.
///
/// It shares nothing with the gallery but the nouns.
pub(crate) struct Truth {
    k: usize,
    probes: Vec<Vec<f64>>,
    best: Vec<Vec<Candidate>>,
}

impl Truth {
    /// Nothing scored yet.
    pub(crate) fn new(probes: &[Embedding], k: usize) -> Self {
        let wide = |probe: &Embedding| probe.components().iter().map(|&x| f64::from(x)).collect();
        Self { k, probes: probes.iter().map(wide).collect(), best: vec![Vec::new(); probes.len()] }
    }

    /// Scores rows that begin with `first`.
    pub(crate) fn take(&mut self, first: u32, rows: &[Embedding]) -> Result<(), String> {
        let len = u32::try_from(rows.len()).map_err(|e| e.to_string())?;
        let parts = on_all_threads(0..len, |part| {
            let mut best = self.best.clone();
            let (start, end) = (part.start as usize, part.end as usize);
            for (rows, row) in
                rows[start..end].chunks(TRUTH_ROWS).zip((first + part.start..).step_by(TRUTH_ROWS))
            {
                let wide: Vec<Vec<f64>> = rows
                    .iter()
                    .map(|row| row.components().iter().map(|&x| f64::from(x)).collect())
                    .collect();
                for (probe, best) in self.probes.iter().zip(&mut best) {
                    for (wide, row) in wide.iter().zip(row..) {
                        offer(best, Candidate { row, score: dot(probe, wide) }, self.k);
                    }
                }
            }
            best
        });
        for part in parts {
            for (best, found) in self.best.iter_mut().zip(part) {
                for candidate in found {
                    // What every thread began with comes back from each.
                    if candidate.row >= first {
                        offer(best, candidate, self.k);
                    }
                }
            }
        }
        Ok(())
    }

    /// The `k` best rows for a probe, best first.
    pub(crate) fn of(&self, probe: usize) -> &[Candidate] {
        &self.best[probe]
    }
}

fn offer(best: &mut Vec<Candidate>, candidate: Candidate, k: usize) {
    if best.len() == k && best.last().is_some_and(|last| last.order(&candidate).is_lt()) {
        return;
    }
    let at = best.partition_point(|other| other.order(&candidate).is_lt());
    best.insert(at, candidate);
    best.truncate(k);
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    // A negative zero would order below zero.
    sums.iter().sum::<f64>() + rest + 0.0
}

/// What `work` gives for each of the parts into which the machine's threads share `range`, in
/// order.
fn on_all_threads<T: Send>(range: Range<u32>, work: impl Fn(Range<u32>) -> T + Sync) -> Vec<T> {
    let threads = u32::try_from(Threads::all().0).unwrap_or(u32::MAX);
    let share = (range.end - range.start).div_ceil(threads).max(1);
    thread::scope(|scope| {
        let starts = range.clone().step_by(share as usize);
        let parts = starts.map(|start| {
            let part = start..range.end.min(start.saturating_add(share));
            scope.spawn(|| work(part))
        });
        let parts: Vec<_> = parts.collect();
        parts
            .into_iter()
            .map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

fn open_file(path: &Path, dimension: usize) -> Result<(File, u32), String> {
    let said = |e: std::io::Error| format!("{}: {e}", path.display());
    let file = File::open(path).map_err(said)?;
    let bytes = file.metadata().map_err(said)?.len();
    let row_bytes = dimension as u64 * 4;
    match u32::try_from(bytes / row_bytes) {
        Ok(rows) if rows > 0 && bytes.is_multiple_of(row_bytes) => Ok((file, rows)),
        _ => Err(format!(
            "{} has {bytes} bytes, wanted whole rows of {row_bytes}, 1 to {} of them",
            path.display(),
            u32::MAX
        )),
    }
}

fn read_rows(
    file: &File,
    path: &Path,
    rows: Range<u32>,
    dimension: usize,
) -> Result<Vec<Embedding>, String> {
    let row_bytes = dimension * 4;
    let mut bytes = vec![0; (rows.end - rows.start) as usize * row_bytes];
    file.read_exact_at(&mut bytes, u64::from(rows.start) * row_bytes as u64)
        .map_err(|e| format!("{}: {e}", path.display()))?;
    let read = bytes.chunks_exact(row_bytes).zip(rows).map(|(bytes, row)| {
        // What is on the grid is taken as it is, so that all contestants have the same numbers;
        // what isn't is put there.
        Embedding::from_le_bytes(bytes).or_else(|_| {
            let raw: Vec<f32> =
                bytes.as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
            embedding(&raw).map_err(|e| format!("{}, row {row}: {e}", path.display()))
        })
    });
    read.collect()
}

fn embedding(raw: &[f32]) -> Result<Embedding, String> {
    Embedding::from_raw(raw).map(|(embedding, _)| embedding).map_err(|e| e.to_string())
}

/// SplitMix64: fast, and the same everywhere.
struct Numbers(u64);

impl Numbers {
    /// The numbers that belong to one thing of one kind.
    fn of(kind: u64, thing: u64) -> Self {
        let mut seed = Self(kind);
        Self(Self(seed.next().wrapping_add(thing)).next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A vector of length one; each component a sum of four even draws, which is close enough to a
    /// normal one.
    fn direction(&mut self, dimension: usize) -> Vec<f32> {
        let mean = 2.0 * f32::from(u16::MAX);
        let mut component = || {
            let bytes = self.next().to_le_bytes();
            bytes.as_chunks::<2>().0.iter().map(|&b| f32::from(u16::from_le_bytes(b))).sum::<f32>()
                - mean
        };
        let raw: Vec<f32> = (0..dimension).map(|_| component()).collect();
        let length = raw.iter().map(|x| x * x).sum::<f32>().sqrt();
        raw.into_iter().map(|x| x / length).collect()
    }
}
