//! The one command for people.

mod evaluate;
mod model;

use clap::{Parser, Subcommand};

/// The one command for people: installers, agency feeds, administrators, auditors.
#[derive(Parser)]
#[command(name = "smrtctl", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Evaluate(evaluate::Evaluate),
    Model(model::Model),
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Evaluate(c) => c.run(),
        Command::Model(c) => c.run(),
    }
}
