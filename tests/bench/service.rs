//! What the box costs beyond its parts: the start over a large state folder, and a search from the door to the answer.
//!
//! `cargo bench --bench service -- --start 1000000 --json` makes a state folder of so many bookings, or takes the one that `--state DIR`
//! holds, and opens it with a cold page cache where it may. One JSON object a line.

#[path = "service/start.rs"]
mod start;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Figures of start-up and of a whole search.
#[derive(Parser)]
struct Cli {
    /// Open a state folder with so many bookings and give each stage's seconds.
    #[arg(long, value_name = "BOOKINGS")]
    start: Option<u32>,
    /// The folder to make or to take [default: a temporary one that is removed].
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Threads that open vectors [default: as many as there are cores].
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
    /// Open the folder in this process: what `--start` runs in a process of its own, for figures of that process alone.
    #[arg(long, hide = true, value_name = "DIR")]
    open: Option<PathBuf>,
    /// Cargo says so to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    match measure(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(cli: &Cli) -> anyhow::Result<()> {
    if let Some(state) = &cli.open {
        return start::open(state, cli.json);
    }
    let Some(bookings) = cli.start else { anyhow::bail!("nothing to measure, wanted --start BOOKINGS") };
    start::measure(bookings, cli.state.as_deref(), cli.json)
}
