//! The search's figures: milliseconds a batch, beside what the machine could do at most, every
//! answer held against brute force.
//!
//! ```text
//! cargo bench --bench search -- --json                              one JSON object a line; a table without --json
//!   --rows 100k,1M --dimension 128,512 --k 50 --batch 1,8,32        what is searched
//!   --threads 1,all --engine cpu|gpu|both --runs 11                 how
//!   --data uniform|clustered|FILE [--probes-file FILE]              vectors: made from a seed, or raw little-endian f32
//!   --write DIR                                                     rows.f32 and probes.f32 for others, and no figures
//!   --serve                                                         commands on standard input, see `search/serve.rs`
//!   --plot FILE.svg [--from LINES]                                  ms against rows; from earlier JSON lines instead of measuring
//! ```
//!
//! The plot beside this file: `--json --dimension 128 --threads all --rows 100k,316k,1M,3160k,10M >
//! tests/bench/search.jsonl`, then `--plot tests/bench/search.svg --from tests/bench/search.jsonl`.
//! It needs 8 GB of memory.
//!
//! All configurations of one gallery run in turn, each once before the count begins, and with them
//! the two things that no scan can beat: reading memory, and multiplying int8. A small gallery
//! stays in the last-level cache; its share of bandwidth may exceed 1. The bench fails, and says
//! where, as soon as one answer differs from f64 brute force with ties broken by row.

#[path = "search/machine.rs"]
mod machine;
#[path = "search/measure.rs"]
mod measure;
#[path = "search/options.rs"]
mod options;
#[path = "search/plot.rs"]
mod plot;
#[path = "search/serve.rs"]
mod serve;
#[path = "search/vectors.rs"]
mod vectors;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use machine::Memory;
use measure::Figure;
use options::Options;
use vectors::Vectors;

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    if let Some(dir) = &options.write {
        first_vectors(options)?.write(dir)?;
        if !options.serve {
            return Ok(());
        }
    }
    if options.serve {
        return serve::serve(options, &first_vectors(options)?);
    }
    let figures = match &options.from {
        Some(lines) => read(lines)?,
        None => measure_all(options)?,
    };
    match &options.plot {
        Some(file) => {
            fs::write(file, plot::draw(&figures)?).map_err(|e| format!("{}: {e}", file.display()))
        }
        None => Ok(()),
    }
}

fn first_vectors(options: &Options) -> Result<Vectors, String> {
    open(options, options.rows.first().copied(), options.dimension[0])
}

fn open(options: &Options, rows: Option<u32>, dimension: usize) -> Result<Vectors, String> {
    let batch_max = options.batch.iter().copied().max().unwrap_or(1);
    Vectors::open(&options.data, rows, dimension, options.probes_file.as_deref(), batch_max)
}

/// Measures all galleries, one after the other, and prints the figures of each as soon as they are
/// there.
fn measure_all(options: &Options) -> Result<Vec<Figure>, String> {
    let memory = Memory::new();
    let rows: Vec<Option<u32>> = if options.rows.is_empty() {
        vec![None]
    } else {
        options.rows.iter().copied().map(Some).collect()
    };
    let mut figures = Vec::new();
    if !options.json {
        println!(
            "{:>9} {:>5} {:>3} {:>5} {:>7} {:>6} {:>9} {:>9} {:>9} {:>6} {:>10} {:>8} {:>7} {:>8} \
             {:>9}  device",
            "n",
            "d",
            "k",
            "batch",
            "threads",
            "engine",
            "ms",
            "ms min",
            "cpu ms",
            "GB/s",
            "of memory",
            "GMAC/s",
            "of peak",
            "rescored",
            "fallbacks"
        );
    }
    for &dimension in &options.dimension {
        for &rows in &rows {
            let vectors = open(options, rows, dimension)?;
            for figure in measure::measure(options, &memory, &vectors)? {
                if options.json {
                    println!("{}", serde_json::to_string(&figure).map_err(|e| e.to_string())?);
                } else {
                    print_row(&figure);
                }
                figures.push(figure);
            }
        }
    }
    if !options.json {
        println!("every answer of every run was that of f64 brute force, ties broken by row");
    }
    Ok(figures)
}

fn print_row(f: &Figure) {
    let percent = |share: Option<f64>| {
        share.map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", share * 100.0))
    };
    println!(
        "{:>9} {:>5} {:>3} {:>5} {:>7} {:>6} {:>9.2} {:>9.2} {:>9.2} {:>6.1} {:>10} {:>8.1} {:>7} \
         {:>8.1} {:>9}  {}",
        f.n,
        f.d,
        f.k,
        f.batch,
        f.threads,
        f.engine,
        f.ms,
        f.ms_min,
        f.cpu_ms,
        f.gigabytes_per_second,
        percent(f.share_of_bandwidth),
        f.multiply_adds_per_second / 1e9,
        percent(f.share_of_peak),
        f.rescored,
        f.fallbacks,
        f.device
    );
}

fn read(lines: &Path) -> Result<Vec<Figure>, String> {
    let text = fs::read_to_string(lines).map_err(|e| format!("{}: {e}", lines.display()))?;
    let figures = text.lines().zip(1..).map(|(line, number)| {
        serde_json::from_str(line).map_err(|e| format!("{}, line {number}: {e}", lines.display()))
    });
    figures.collect()
}

/// A count as a number to divide by.
fn float(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "what is counted here stays far below 2^53")]
    let float = count as f64;
    float
}
