//! `smrtd`: the daemon, one process on one box, and the commands of its installer.

mod appoint;
mod check;
mod demo;
mod journal;
mod photos;
mod progress;
mod release_lock;
mod restore;
mod run;

use clap::{Parser, Subcommand};
use run::{EXIT_CONFIG, RunError};

/// SMRT: mugshot comparison under a public policy. Answers are investigative leads, never
/// identifications.
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(run::RunCommand),
    Appoint(appoint::AppointCommand),
    Check(check::CheckCommand),
    Demo(demo::DemoCommand),
    ReleaseLock(release_lock::ReleaseLockCommand),
    Restore(restore::RestoreCommand),
}

fn main() {
    let cli = Cli::parse();
    journal::start(matches!(cli.command, Command::Run(_)));
    let done = match cli.command {
        Command::Run(run) => run.run(),
        Command::Appoint(appoint) => appoint.run(),
        Command::Check(check) => check.run(),
        Command::Demo(demo) => demo.run(),
        Command::ReleaseLock(release) => release.run(),
        Command::Restore(restore) => restore.run(),
    };
    let Err(e) = done else { return };
    log::error!("{e}");
    std::process::exit(match e {
        RunError::Config(_) => EXIT_CONFIG,
        RunError::Failed(_) => 1,
    });
}
