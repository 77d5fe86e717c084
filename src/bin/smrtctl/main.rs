//! `smrtctl`: the command for people: installers, agencies, administrators, auditors, witnesses.
//!
//! Exit status: 0 done, 1 failed, 2 done with refusals, or a log or report that doesn't hold, 3 it
//! holds but isn't witnessed yet, 64 a wrong command line.

mod authority;
mod clock;
mod evaluate;
mod feed;
mod key;
mod log;
mod model;
mod report;
mod revocation_list;
mod roster;
mod server;
mod witness;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exit status of a wrong command line (`EX_USAGE` of sysexits.h).
const USAGE: u8 = 64;

/// SMRT, mugshot comparison under a public policy: the command for people.
#[derive(Parser)]
#[command(name = "smrtctl", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Issue and revoke certificates of the server, feeds, consoles and witnesses.
    #[command(subcommand)]
    Authority(authority::AuthorityCommand),
    /// An agency's bookings: push, release, look up.
    #[command(subcommand)]
    Feed(feed::FeedCommand),
    /// Make secret keys.
    #[command(subcommand)]
    Key(key::KeyCommand),
    #[command(subcommand)]
    Log(log::LogCommand),
    /// Confirm the server's clock, after it jumped.
    #[command(subcommand)]
    Clock(clock::ClockCommand),
    Evaluate(evaluate::EvaluateCommand),
    Model(model::ModelCommand),
    /// Run a witness of the log on another machine: it keeps a copy, and cosigns what continues it.
    #[command(subcommand)]
    Witness(witness::WitnessCommand),
    #[command(subcommand)]
    Report(report::ReportCommand),
    #[command(subcommand)]
    Roster(roster::RosterCommand),
    RevocationList(revocation_list::RevocationListCommand),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            let status = if e.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
            return if e.print().is_ok() { status } else { ExitCode::FAILURE };
        }
    };
    let done = match cli.command {
        Command::Authority(command) => command.run().map(|()| ExitCode::SUCCESS),
        Command::Feed(command) => command.run(),
        Command::Key(command) => command.run().map(|()| ExitCode::SUCCESS),
        Command::Log(command) => command.run(),
        Command::Clock(command) => command.run().map(|()| ExitCode::SUCCESS),
        Command::Evaluate(command) => command.run().map(|()| ExitCode::SUCCESS),
        Command::Model(command) => command.run(),
        Command::Witness(command) => command.run(),
        Command::Report(command) => command.run(),
        Command::Roster(command) => command.run().map(|()| ExitCode::SUCCESS),
        Command::RevocationList(command) => command.run().map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|e| {
        eprintln!("smrtctl: {e:#}");
        ExitCode::FAILURE
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    const SERVER: &str = "--server https://h --ca a --cert b --key c";

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(format!("smrtctl {line}").split(' '))
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_report_is_made_from_a_server_or_verified_from_a_folder() {
        let period = "--from 2026-01-01 --to 2026-07-01";
        assert!(parse(&format!("report public {SERVER} {period} --out r")).is_ok());
        assert!(
            parse(&format!(
                "report public {SERVER} {period} --out r --evaluation e.json --data-set s"
            ))
            .is_ok()
        );
        assert!(parse("report public --verify log r.json").is_ok());
        for wrong in [
            "report public",
            "report public --verify log",
            "report public r.json",
            "report public --verify log r.json --from 2026-01-01",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse(&format!("report public {SERVER} {period}")).is_err());
        assert!(
            parse(&format!("report public {SERVER} --from soon --to 2026-07-01 --out r")).is_err()
        );
        assert!(
            parse(&format!("report public {SERVER} {period} --out r --evaluation e.json")).is_err()
        );
    }

    #[test]
    fn identifiers_are_checked_before_anything_runs() {
        assert!(parse("authority issue feed --dir d slmpd").is_ok());
        assert!(parse("authority issue feed --dir d St-Louis").is_err());
        assert!(parse(&format!("feed release {SERVER} B/1 --reason expunged")).is_err());
    }
}
