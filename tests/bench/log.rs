//! What the log costs: writing it durably, verifying all of it, and proving one leaf.
//!
//! `cargo bench --bench log -- --verify --json` makes an archive of ten million leaves in a
//! temporary folder, or takes the one that `--dir DIR` holds, verifies it on all cores and on one,
//! and reads inclusion proofs from its tiles. `-- --commit --json` has 1 and 32 writers log at the
//! same time, beside a bare redb. One JSON object a line.

#[path = "../support/builders.rs"]
#[expect(dead_code, reason = "stories build more")]
mod builders;
#[path = "log/commit.rs"]
mod commit;
#[path = "../../src/client/test_log/maker.rs"]
mod maker;
#[path = "../../src/client/test_log/tiles.rs"]
mod tiles;
#[path = "log/verify.rs"]
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Figures of the log.
#[derive(Parser)]
struct Cli {
    /// Have writers log at the same time, each leaf durable before the next.
    #[arg(long)]
    commit: bool,
    /// Seconds for each number of writers.
    #[arg(long, default_value_t = 15)]
    seconds: u64,
    /// Make an archive, verify it, and prove leaves of it.
    #[arg(long)]
    verify: bool,
    /// Leaves of that archive.
    #[arg(long, default_value_t = 10_000_000)]
    leaves: u64,
    /// The folder to make it in, or to take it from [default: a temporary one that is removed].
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
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
    anyhow::ensure!(cli.verify || cli.commit, "nothing to measure, wanted --commit or --verify");
    if cli.commit {
        commit::measure(cli.seconds, cli.dir.as_deref(), cli.json)?;
    }
    if cli.verify {
        verify::measure(cli.leaves, cli.dir.as_deref(), cli.json)?;
    }
    Ok(())
}
