//! What the box costs beyond its parts: the start over a large state folder, a search from the door
//! to the answer, a switch of the model.
//!
//! `cargo bench --bench service -- --start 1000000 --json` makes a state folder of so many
//! bookings, or takes the one that `--state DIR` holds, and opens it with a cold page cache where
//! it may. `-- --search --rows 100000 --json` has 1, 8 and 32 operators search at the same time
//! through the real daemon. `-- --pages --rows 1000000 --json` reads every page of the console. `--
//! --switch 100000 --json` takes so many bookings to another model. `-- --soak 600 --json` does
//! everything at once for so many seconds and checks every answer. One JSON object a line.

#[path = "../support/builders.rs"]
#[expect(dead_code, reason = "stories build more")]
mod builders;
#[path = "soak/lives.rs"]
mod lives;
#[path = "service/pages.rs"]
mod pages;
#[path = "service/search.rs"]
mod search;
#[path = "service/soak.rs"]
mod soak;
#[path = "service/start.rs"]
mod start;
#[path = "service/switch.rs"]
mod switch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

/// Figures of start-up and of a whole search.
#[derive(Parser)]
struct Cli {
    /// Open a state folder with so many bookings and give each stage's seconds.
    #[arg(long, value_name = "BOOKINGS")]
    start: Option<u32>,
    /// Have operators search through the real daemon and give what it adds to embedding and scan.
    #[arg(long)]
    search: bool,
    /// Read every page of the console from the real daemon and give how long that takes.
    #[arg(long)]
    pages: bool,
    /// Switch so many bookings to another model and give what that costs beside embedding them.
    #[arg(long, value_name = "BOOKINGS")]
    switch: Option<u32>,
    /// For so many seconds search beside bookings, releases, purges and switches of the model, and
    /// check every answer.
    #[arg(long, value_name = "SECONDS")]
    soak: Option<u64>,
    /// Bookings behind the searches.
    #[arg(long, value_name = "BOOKINGS", default_value_t = 10_000)]
    rows: u32,
    /// The folder to make or to take [default: a temporary one that is removed]. Searches are
    /// logged in it.
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// Folder of model manifests and files [default: the project's].
    #[arg(long, value_name = "DIR")]
    models: Option<PathBuf>,
    /// auto, gpu or cpu.
    #[arg(long, default_value = "cpu")]
    engine: String,
    /// Print one JSON object a line.
    #[arg(long)]
    json: bool,
    /// Open the folder in this process: what `--start` runs in a process of its own, for figures of
    /// that process alone.
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
    let state = cli.state.as_deref();
    let models =
        cli.models.clone().unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("models"));
    if let Some(state) = &cli.open {
        return start::open(state, &models, cli.json);
    }
    let any = cli.start.is_some()
        || cli.search
        || cli.pages
        || cli.switch.is_some()
        || cli.soak.is_some();
    anyhow::ensure!(
        any,
        "nothing to measure, wanted --start BOOKINGS, --search, --pages, --switch BOOKINGS or \
         --soak SECONDS"
    );
    if let Some(bookings) = cli.start {
        start::measure(bookings, state, &models, cli.json)?;
    }
    if let Some(bookings) = cli.switch {
        switch::measure(bookings, &models, cli.json)?;
    }
    if cli.search {
        search::measure(cli.rows, state, &models, &cli.engine, cli.json)?;
    }
    if cli.pages {
        pages::measure(cli.rows, state, &models, &cli.engine, cli.json)?;
    }
    if let Some(seconds) = cli.soak {
        soak::measure(seconds, cli.rows, &models, &cli.engine, cli.json)?;
    }
    Ok(())
}
