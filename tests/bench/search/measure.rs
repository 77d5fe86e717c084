//! Searches that are timed: all configurations of a gallery in turn, run by run, so that a machine
//! that drifts drifts for all.

use std::time::Instant;

use cpu_time::ProcessTime;
use serde::{Deserialize, Serialize};
use smrt::face::Candidate;
use smrt::gallery::{EngineChoice, Gallery};

use crate::float;
use crate::machine::{Memory, multiply_adds_per_second};
use crate::options::Options;
use crate::vectors::{Truth, Vectors};

/// What was measured of one configuration; with `--json` one line.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Figure {
    /// `search`.
    pub(crate) bench: String,
    /// Rows.
    pub(crate) n: u32,
    /// Components of a row.
    pub(crate) d: usize,
    /// Candidates for each probe.
    pub(crate) k: usize,
    /// Probes searched for together.
    pub(crate) batch: usize,
    /// Threads on the processor.
    pub(crate) threads: usize,
    /// `cpu` or `gpu`.
    pub(crate) engine: String,
    /// The gallery's own word for where it runs.
    pub(crate) device: String,
    /// `uniform`, `clustered` or a file.
    pub(crate) data: String,
    /// Milliseconds a batch: the median of all runs.
    pub(crate) ms: f64,
    /// Milliseconds of the fastest run.
    pub(crate) ms_min: f64,
    /// Runs.
    pub(crate) runs: usize,
    /// Milliseconds of the processor that the whole process spent on a batch, in all threads: the
    /// median.
    pub(crate) cpu_ms: f64,
    /// Bytes of the scan that a batch reads.
    pub(crate) bytes_read: u64,
    /// `bytes_read` over `ms`.
    pub(crate) gigabytes_per_second: f64,
    /// GB/s of reading memory by as many threads, measured in between: the median. None for a
    /// device with a memory of its own.
    pub(crate) bandwidth: Option<f64>,
    /// The best of those.
    pub(crate) bandwidth_best: Option<f64>,
    /// Of the median bandwidth; above 1 where the scan stays in a cache.
    pub(crate) share_of_bandwidth: Option<f64>,
    /// Components multiplied a second.
    pub(crate) multiply_adds_per_second: f64,
    /// Those that as many threads do at most.
    pub(crate) peak: Option<f64>,
    /// Of that peak.
    pub(crate) share_of_peak: Option<f64>,
    /// Rows rescored for a probe, the mean.
    pub(crate) rescored: f64,
    /// How often, in all runs, more rows came close than a list holds.
    pub(crate) fallbacks: u64,
    /// Different probes whose answers were held against brute force.
    pub(crate) checked: usize,
    /// All answers of all runs were those of brute force; the bench fails where one isn't.
    pub(crate) certified: bool,
}

/// A gallery that can be searched by a number of threads that changes.
pub(crate) struct Contestant {
    /// Always there, but for the moment of changing its threads.
    gallery: Option<Gallery>,
    threads: usize,
}

/// One timed search.
pub(crate) struct Run {
    /// Milliseconds that it took.
    pub(crate) ms: f64,
    /// Milliseconds of the processor.
    pub(crate) cpu_ms: f64,
    /// What it found.
    pub(crate) answers: Vec<Vec<Candidate>>,
    /// Bytes of the scan read.
    pub(crate) bytes_read: u64,
    /// Rows rescored.
    pub(crate) rescored: u64,
    /// How often a list was too short.
    pub(crate) fallbacks: u64,
}

impl Contestant {
    /// An empty gallery.
    pub(crate) fn open(choice: EngineChoice, dimension: usize) -> Result<Self, String> {
        let gallery = Gallery::open(choice, dimension).map_err(|e| e.to_string())?;
        Ok(Self { gallery: Some(gallery), threads: 0 })
    }

    /// The gallery itself.
    pub(crate) fn gallery(&mut self) -> &mut Gallery {
        self.gallery.as_mut().expect("only `with_threads` takes it, and puts it back")
    }

    /// Lets later searches use so many threads of the processor.
    pub(crate) fn with_threads(&mut self, threads: usize) {
        if self.threads != threads {
            self.gallery = self.gallery.take().map(|gallery| gallery.with_threads(threads));
            self.threads = threads;
        }
    }

    /// Searches once for the probes from `offset` on.
    pub(crate) fn run(
        &mut self,
        vectors: &Vectors,
        offset: usize,
        batch: usize,
        k: usize,
    ) -> Result<Run, String> {
        let probes = &vectors.probes()[offset..offset + batch];
        let gallery = self.gallery();
        let before = gallery.stats();
        let (begin, cpu) = (Instant::now(), ProcessTime::now());
        let answers = gallery.search(probes, k).map_err(|e| e.to_string())?;
        let (ms, cpu_ms) = (begin.elapsed().as_secs_f64() * 1e3, cpu.elapsed().as_secs_f64() * 1e3);
        let after = gallery.stats();
        Ok(Run {
            ms,
            cpu_ms,
            answers,
            bytes_read: after.bytes_read - before.bytes_read,
            rescored: after.rescored - before.rescored,
            fallbacks: after.fallbacks - before.fallbacks,
        })
    }
}

/// Fills one contestant for each engine that was asked for, `also` seeing the rows on their way.
pub(crate) fn fill(
    options: &Options,
    vectors: &Vectors,
    mut also: impl FnMut(u32, &[smrt::face::Embedding]) -> Result<(), String>,
) -> Result<Vec<Contestant>, String> {
    let open = |&choice: &EngineChoice| Contestant::open(choice, vectors.dimension());
    let mut contestants: Vec<Contestant> =
        options.engine.choices().iter().map(open).collect::<Result<_, _>>()?;
    vectors.each_block(|first, rows| {
        for contestant in &mut contestants {
            let gallery = contestant.gallery();
            rows.iter()
                .try_for_each(|row| gallery.append(row).map(drop))
                .map_err(|e| e.to_string())?;
        }
        also(first, rows)
    })?;
    Ok(contestants)
}

/// Measures every configuration of one gallery.
pub(crate) fn measure(
    options: &Options,
    memory: &Memory,
    vectors: &Vectors,
) -> Result<Vec<Figure>, String> {
    let mut truth = Truth::new(vectors.probes(), options.k);
    let mut contestants = fill(options, vectors, |first, rows| truth.take(first, rows))?;
    let mut threads: Vec<usize> = options.threads.iter().map(|threads| threads.0).collect();
    threads.sort_unstable();
    threads.dedup();
    let mut ceilings: Vec<Ceiling> = threads.iter().map(|&threads| Ceiling::new(threads)).collect();
    let mut configurations = Vec::new();
    for (at, contestant) in contestants.iter_mut().enumerate() {
        let last = threads.len() - 1;
        // A device leaves the processor's threads little to do: one line, with all of them.
        let ceilings = if contestant.gallery().engine() == "gpu" { last..=last } else { 0..=last };
        for ceiling in ceilings {
            configurations
                .extend(options.batch.iter().map(|&batch| Configuration::new(at, ceiling, batch)));
        }
    }
    // Once before the count begins: shaders are compiled, pages are there.
    for run in 0..=options.runs {
        for ceiling in &mut ceilings {
            ceiling.measure(memory);
        }
        for configuration in &mut configurations {
            let contestant = &mut contestants[configuration.contestant];
            contestant.with_threads(ceilings[configuration.ceiling].threads);
            let offset =
                run * configuration.batch % (vectors.probes().len() - configuration.batch + 1);
            let found = contestant.run(vectors, offset, configuration.batch, options.k)?;
            configuration.check(&found.answers, offset, &truth, vectors)?;
            if run > 0 {
                configuration.runs.push(found);
            }
        }
    }
    let figure = |configuration: Configuration| {
        let contestant = &mut contestants[configuration.contestant];
        // Its own word for where it runs names the threads.
        contestant.with_threads(ceilings[configuration.ceiling].threads);
        configuration.figure(options, contestant.gallery(), &ceilings)
    };
    Ok(configurations.into_iter().map(figure).collect())
}

/// What so many threads of the machine could do at most.
struct Ceiling {
    threads: usize,
    bytes_per_second: Vec<f64>,
    multiply_adds_per_second: Vec<f64>,
}

impl Ceiling {
    fn new(threads: usize) -> Self {
        Self { threads, bytes_per_second: Vec::new(), multiply_adds_per_second: Vec::new() }
    }

    fn measure(&mut self, memory: &Memory) {
        self.bytes_per_second.push(memory.bytes_per_second(self.threads));
        self.multiply_adds_per_second.extend(multiply_adds_per_second(self.threads));
    }
}

/// A batch, by an engine, on so many threads.
struct Configuration {
    contestant: usize,
    ceiling: usize,
    batch: usize,
    runs: Vec<Run>,
    /// For each probe, whether its answer was held against brute force.
    checked: Vec<bool>,
}

impl Configuration {
    fn new(contestant: usize, ceiling: usize, batch: usize) -> Self {
        Self { contestant, ceiling, batch, runs: Vec::new(), checked: Vec::new() }
    }

    /// Fails unless every answer is that of brute force, to the bit.
    fn check(
        &mut self,
        answers: &[Vec<Candidate>],
        offset: usize,
        truth: &Truth,
        vectors: &Vectors,
    ) -> Result<(), String> {
        self.checked.resize(vectors.probes().len(), false);
        if answers.len() != self.batch {
            return Err(format!("{} answers, wanted {}", answers.len(), self.batch));
        }
        for (answer, probe) in answers.iter().zip(offset..) {
            let wanted = truth.of(probe);
            let same = |(a, b): (&Candidate, &Candidate)| {
                a.row == b.row && a.score.to_bits() == b.score.to_bits()
            };
            if answer.len() != wanted.len() || !answer.iter().zip(wanted).all(same) {
                let rank = answer.iter().zip(wanted).take_while(|&pair| same(pair)).count();
                return Err(format!(
                    "NOT EXACT: {} rows of {}, batch {}, probe {probe}, rank {rank}: found {:?}, \
                     brute force {:?}",
                    vectors.rows(),
                    vectors.dimension(),
                    self.batch,
                    answer.get(rank),
                    wanted.get(rank)
                ));
            }
            self.checked[probe] = true;
        }
        Ok(())
    }

    fn figure(&self, options: &Options, gallery: &Gallery, ceilings: &[Ceiling]) -> Figure {
        let ceiling = &ceilings[self.ceiling];
        let (ms_min, ms) = least_and_median(self.runs.iter().map(|run| run.ms));
        let runs = self.runs.len() as u64;
        let bytes_read = self.runs.iter().map(|run| run.bytes_read).sum::<u64>() / runs;
        let gigabytes_per_second = float(bytes_read) / ms / 1e6;
        let multiply_adds_per_second =
            f64::from(gallery.rows()) * float((gallery.dimension() * self.batch) as u64) / ms * 1e3;
        let of_processor = gallery.engine() == "cpu";
        let bandwidth = of_processor
            .then(|| least_and_median(ceiling.bytes_per_second.iter().map(|bytes| bytes / 1e9)).1);
        let best = ceiling.bytes_per_second.iter().copied().fold(0.0, f64::max) / 1e9;
        let peaks = &ceiling.multiply_adds_per_second;
        let peak =
            (of_processor && !peaks.is_empty()).then(|| least_and_median(peaks.iter().copied()).1);
        Figure {
            bench: "search".to_owned(),
            n: gallery.rows(),
            d: gallery.dimension(),
            k: options.k,
            batch: self.batch,
            threads: ceiling.threads,
            engine: gallery.engine().to_owned(),
            device: gallery.device().to_owned(),
            data: options.data.to_string(),
            ms,
            ms_min,
            runs: self.runs.len(),
            cpu_ms: least_and_median(self.runs.iter().map(|run| run.cpu_ms)).1,
            bytes_read,
            gigabytes_per_second,
            bandwidth,
            bandwidth_best: of_processor.then_some(best),
            share_of_bandwidth: bandwidth.map(|bandwidth| gigabytes_per_second / bandwidth),
            multiply_adds_per_second,
            peak,
            share_of_peak: peak.map(|peak| multiply_adds_per_second / peak),
            rescored: float(self.runs.iter().map(|run| run.rescored).sum())
                / float(runs * self.batch as u64),
            fallbacks: self.runs.iter().map(|run| run.fallbacks).sum(),
            checked: self.checked.iter().filter(|&&checked| checked).count(),
            certified: true,
        }
    }
}

fn least_and_median(figures: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    (figures[0], figures[figures.len() / 2])
}
