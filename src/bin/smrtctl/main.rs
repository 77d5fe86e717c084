//! The one command for people: installers, agency feeds, administrators and operators.
//!
//! Exit status: 0 done, 1 failed, 2 done but with refusals or with a log that does not hold, 64 the
//! command line makes no sense.

mod authority;
mod clock;
mod evaluate;
mod feed;
mod key;
mod log;
mod model;
mod report;
mod roster;
mod server;
mod witness;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Exit status of a command line that makes no sense, as sysexits.h has it.
const USAGE: u8 = 64;

/// Mugshot comparison under a public policy: the command for people.
#[derive(Parser)]
#[command(name = "smrtctl", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The site's authority: certificates for the server, feeds and consoles.
    #[command(subcommand)]
    Authority(authority::Authority),
    /// An agency's side: push, release, look up.
    #[command(subcommand)]
    Feed(feed::Feed),
    /// Keys of the server.
    #[command(subcommand)]
    Key(key::Key),
    /// The log: export and verify it, prove a leaf, draw and review samples.
    #[command(subcommand)]
    Log(log::Log),
    /// The clock of the box, where it is in doubt.
    #[command(subcommand)]
    Clock(clock::Clock),
    Evaluate(evaluate::Evaluate),
    Model(model::Model),
    /// A witness of the log, on another machine: keep all of it, cosign what continues what was
    /// seen.
    #[command(subcommand)]
    Witness(witness::Witness),
    /// Reports.
    #[command(subcommand)]
    Report(report::Report),
    #[command(subcommand)]
    Roster(roster::RosterVerb),
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
