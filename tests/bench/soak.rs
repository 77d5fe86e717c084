//! Searches beside everything that changes a gallery, for as long as it is told to, every answer
//! checked.
//!
//! `cargo bench --bench soak -- --seconds 600 [--engine cpu|gpu|both] [--rows N] [--dimension D]
//! [--json]`: one thread appends, one hides, shows and zeroes rows so that about N stay, four
//! search. A search sees a row for certain if the row was live from before it was sent until after
//! it was answered, and perhaps if the row was live at any moment between. An answer is wrong if it
//! is out of order, if a score isn't the exact one, if it holds a row that can't have been seen, or
//! if it misses one that was certainly seen and ranks before its last. It ends with an error at the
//! first wrong answer, and when the process's memory has grown between the second quarter and the
//! last.

#[path = "soak/lives.rs"]
mod lives;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::process::ExitCode;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lives::{Changes, Clock, GROWTH_MAX, Numbers, Resident};
use serde_json::json;
use smrt::face::{Candidate, Embedding};
use smrt::gallery::{EngineChoice, Gallery, GalleryError, GalleryHandle};

const SEARCHERS: u64 = 4;

struct Options {
    seconds: u64,
    engines: Vec<EngineChoice>,
    rows: usize,
    dimension: usize,
    json: bool,
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(options) => options,
        Err(reason) => {
            eprintln!(
                "{reason}; wanted --seconds N, --engine cpu, gpu or both, --rows N, --dimension D, \
                 --json"
            );
            return ExitCode::FAILURE;
        }
    };
    for &engine in &options.engines {
        if let Err(reason) = soak(&options, engine) {
            eprintln!("{engine}: {reason}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn options() -> Result<Options, String> {
    let mut options = Options {
        seconds: 20,
        engines: vec![EngineChoice::Cpu],
        rows: 30_000,
        dimension: 128,
        json: false,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} without a value"));
        let number = |value: String| {
            value.parse::<usize>().map_err(|_| format!("{value:?} is not a number"))
        };
        match arg.as_str() {
            "--json" => options.json = true,
            // Cargo says so to every bench.
            "--bench" => {}
            "--seconds" => options.seconds = number(value()?)? as u64,
            "--rows" => options.rows = number(value()?)?.max(100),
            "--dimension" => options.dimension = number(value()?)?,
            "--engine" => {
                options.engines = match value()?.as_str() {
                    "both" => vec![EngineChoice::Cpu, EngineChoice::Gpu],
                    one => vec![one.parse().map_err(|e: GalleryError| e.to_string())?],
                }
            }
            other => return Err(format!("unknown argument {other}")),
        }
    }
    Ok(options)
}

struct Life {
    embedding: Embedding,
    /// Whether it could be found.
    shown: Changes<bool>,
    /// How often it was hidden or shown.
    changed: u32,
    zeroed: bool,
}

struct World {
    gallery: GalleryHandle,
    clock: Clock,
    lives: RwLock<BTreeMap<u32, Life>>,
    stop: AtomicBool,
    searches: AtomicU64,
}

fn soak(options: &Options, engine: EngineChoice) -> Result<(), String> {
    let gallery = Gallery::open(engine, options.dimension).map_err(|e| e.to_string())?;
    let (gallery, thread) = GalleryHandle::spawn(gallery).map_err(|e| e.to_string())?;
    let world = World {
        gallery,
        clock: Clock::default(),
        lives: RwLock::default(),
        stop: AtomicBool::new(false),
        searches: AtomicU64::new(0),
    };
    let begin = Instant::now();
    let (result, resident) = std::thread::scope(|scope| {
        let mut workers =
            vec![scope.spawn(|| world.append(options)), scope.spawn(|| world.change(options))];
        workers.extend((0..SEARCHERS).map(|seed| {
            let world = &world;
            scope.spawn(move || world.search(options.dimension, seed))
        }));
        let mut resident = Resident::default();
        while begin.elapsed() < Duration::from_secs(options.seconds)
            && workers.iter().all(|worker| !worker.is_finished())
        {
            std::thread::sleep(Duration::from_millis(200));
            resident.look();
        }
        world.stop.store(true, Ordering::Release);
        let results = workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        (results.collect::<Result<Vec<()>, String>>(), resident)
    });
    result?;
    let stats = world.gallery.stats();
    let (last, growth) = resident.growth();
    let searches = world.searches.load(Ordering::Relaxed);
    let (rows, live) = (world.gallery.rows(), world.gallery.live());
    if options.json {
        let figures = json!({
            "engine": engine.to_string(), "device": world.gallery.device(),
                "seconds": begin.elapsed().as_secs_f64(), "d": options.dimension,
            "rows_ever": rows, "rows_live": live, "searches": searches, "passes": stats.passes,
                "wrong": 0, "rescored": stats.rescored,
            "fallbacks": stats.fallbacks, "compactions": stats.compactions, "resident_bytes": last,
                "growth": growth,
            "host_bytes": stats.host_bytes, "device_bytes": stats.device_bytes,
        });
        println!("{figures}");
    } else {
        println!(
            "{engine} ({}): {searches} searches in {} passes beside {rows} rows appended, {live} \
             live at the end, gaps closed {} times: no wrong answer; \
             memory grew {growth:.3} times in the second half",
            world.gallery.device(),
            stats.passes,
            stats.compactions
        );
    }
    drop(world);
    thread.join().map_err(|_| "the gallery's thread panicked".to_owned())?;
    if growth > GROWTH_MAX {
        return Err(format!(
            "memory grew {growth:.3} times in the second half, wanted at most {GROWTH_MAX}"
        ));
    }
    Ok(())
}

impl World {
    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Appends until told to stop; waits while there are more rows than wanted.
    fn append(&self, options: &Options) -> Result<(), String> {
        let mut numbers = Numbers(1);
        while !self.stopped() {
            if self.gallery.live() as usize > options.rows {
                std::thread::yield_now();
                continue;
            }
            let embeddings: Vec<Embedding> =
                (0..=numbers.below(20)).map(|_| numbers.embedding(options.dimension)).collect();
            let sent = self.clock.now();
            // Held while the rows have no names: whoever found one of them waits for it here.
            let mut lives = self.lives.write().expect("nobody panics with it");
            let first = self.gallery.append_all(embeddings.clone()).map_err(|e| e.to_string())?;
            let acknowledged = self.clock.now();
            lives.extend((first..).zip(embeddings).map(|(row, embedding)| {
                (
                    row,
                    Life {
                        embedding,
                        shown: Changes::begun(sent, acknowledged, true),
                        changed: 0,
                        zeroed: false,
                    },
                )
            }));
        }
        Ok(())
    }

    /// Hides, shows and zeroes rows by chance.
    fn change(&self, options: &Options) -> Result<(), String> {
        let mut numbers = Numbers(2);
        let mut gone = VecDeque::new();
        while !self.stopped() {
            let rows = self.gallery.rows();
            if (self.gallery.live() as usize) < options.rows / 2 {
                std::thread::yield_now();
                continue;
            }
            let row = u32::try_from(numbers.below(u64::from(rows))).expect("a row id");
            let kind = numbers.below(4);
            let sent = self.clock.now();
            let told = {
                let mut lives = self.lives.write().expect("nobody panics with it");
                let next = lives.range_mut(row..).next();
                let Some((&row, life)) = next.filter(|(_, life)| !life.zeroed && life.changed < 12)
                else {
                    continue;
                };
                life.shown.sent(sent, kind == 1);
                life.changed += 1;
                life.zeroed = kind >= 2;
                row
            };
            let row = told;
            match kind {
                0 => self.gallery.mask(row),
                1 => self.gallery.unmask(row),
                _ => self.gallery.zero(row),
            }
            .map_err(|e| e.to_string())?;
            let acknowledged = self.clock.now();
            let mut lives = self.lives.write().expect("nobody panics with it");
            let life = lives.get_mut(&row).expect("this thread alone removes rows");
            life.shown.acknowledged(acknowledged);
            if kind >= 2 {
                gone.push_back((acknowledged, row));
            }
            // Searches that are under way may still have seen what is gone.
            let oldest = self.clock.oldest();
            while let Some((_, row)) = gone.pop_front_if(|(acknowledged, _)| *acknowledged < oldest)
            {
                lives.remove(&row);
            }
        }
        Ok(())
    }

    /// Searches and checks.
    fn search(&self, dimension: usize, seed: u64) -> Result<(), String> {
        let mut numbers = Numbers(100 + seed);
        while !self.stopped() {
            let probe = match numbers.below(3) {
                0 => numbers.embedding(dimension),
                _ => self.near_a_row(&mut numbers).unwrap_or_else(|| numbers.embedding(dimension)),
            };
            let k = [1, 20, 50, 300][usize::try_from(numbers.below(4)).expect("below 4")];
            let begin = self.clock.begin();
            let answer = self.gallery.search(probe.clone(), k);
            let end = self.clock.now();
            let checked = match answer {
                Ok(answer) => self.check(&probe, k, &answer, begin, end),
                Err(GalleryError::Busy { .. }) => Ok(()),
                Err(e) => Err(e.to_string()),
            };
            self.clock.end(begin);
            checked?;
            self.searches.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn near_a_row(&self, numbers: &mut Numbers) -> Option<Embedding> {
        let lives = self.lives.read().expect("nobody panics with it");
        let row = u32::try_from(numbers.below(u64::from(self.gallery.rows().max(1)))).ok()?;
        Some(numbers.near(&lives.range(row..).next()?.1.embedding))
    }

    fn check(
        &self,
        probe: &Embedding,
        k: usize,
        answer: &[Candidate],
        begin: u64,
        end: u64,
    ) -> Result<(), String> {
        let lives = self.lives.read().expect("nobody panics with it");
        if answer.len() > k || answer.windows(2).any(|pair| pair[0].order(&pair[1]).is_ge()) {
            return Err(format!("an answer of {} rows out of order", answer.len()));
        }
        let found: BTreeSet<u32> = answer.iter().map(|candidate| candidate.row).collect();
        for candidate in answer {
            let life = lives
                .get(&candidate.row)
                .ok_or(format!("row {} was gone before the search was sent", candidate.row))?;
            if life.embedding.score(probe).to_bits() != candidate.score.to_bits() {
                return Err(format!(
                    "row {} was given {}, its score is {}",
                    candidate.row,
                    candidate.score,
                    life.embedding.score(probe)
                ));
            }
            if !life.shown.seen(begin, end).1 {
                return Err(format!("row {} was hidden before the search was sent", candidate.row));
            }
        }
        for (&row, life) in
            lives.iter().filter(|(row, life)| !found.contains(row) && life.shown.seen(begin, end).0)
        {
            let missed = Candidate { row, score: life.embedding.score(probe) };
            if answer.len() < k || missed.order(&answer[k - 1]).is_lt() {
                return Err(format!(
                    "row {row} with score {} is missing from an answer of {}",
                    missed.score,
                    answer.len()
                ));
            }
        }
        Ok(())
    }
}
