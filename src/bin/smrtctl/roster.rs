//! `smrtctl roster`: check a roster file, and show the roster that a server serves by.

use std::fmt::Write as _;
use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Subcommand;
use smrt::api::wire::RosterView;
use smrt::audit::VerifierKey;
use smrt::config::read_roster;
use smrt::inquiry::NumberPattern;
use smrt::limits::{SEARCHES_PER_DAY_MAX, SEARCHES_PER_HOUR_MAX};
use smrt::roster::{Device, Roster};
use time::{Date, OffsetDateTime};

use crate::server::ServerOptions;

/// Check and show the roster: agencies, consoles, witnesses and search ceilings. Accounts, roles
/// and keys are not in it: an administrator asks for them at a console, and the commander approves.
#[derive(Subcommand)]
pub(crate) enum RosterCommand {
    /// Check a roster file before you copy it to the server.
    Check {
        /// The file.
        file: PathBuf,
        /// Also accept search ceilings that a server with real bookings refuses.
        #[arg(long)]
        for_tests: bool,
    },
    /// Show the roster that a server serves by now; needs a console with administration.
    Show {
        #[command(flatten)]
        server: ServerOptions,
        /// Print the server's answer as JSON.
        #[arg(long)]
        json: bool,
    },
}

impl RosterCommand {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Check { file, for_tests } => {
                let roster = read_roster(&file)?;
                let (told, wrong) = check(&roster, for_tests, OffsetDateTime::now_utc().date());
                write!(stdout(), "{told}")?;
                match wrong {
                    0 => writeln!(
                        stdout(),
                        "\nAll is right. Its digest, as the log will have it: {}",
                        roster.sha256()
                    )?,
                    1 => bail!("one thing in {} is not right", file.display()),
                    wrong => bail!("{wrong} things in {} are not right", file.display()),
                }
            }
            Self::Show { server, json } => {
                let view = server.client()?.roster()?;
                let text = if json { serde_json::to_string_pretty(&view)? } else { words(&view)? };
                writeln!(stdout(), "{}", text.trim_end())?;
            }
        }
        Ok(())
    }
}

/// One line for each thing checked, and how many of them are not right.
fn check(roster: &Roster, for_tests: bool, today: Date) -> (String, usize) {
    let (mut told, mut wrong) = (String::new(), 0);
    let mut line = |what: &str, found: anyhow::Result<String>| {
        wrong += usize::from(found.is_err());
        let (word, words) = match found {
            Ok(words) => ("ok    ", words),
            Err(e) => ("WRONG ", format!("{e:#}")),
        };
        writeln!(told, "{word} {what}: {words}").expect("a string takes all that is written");
    };
    for agency in &roster.agencies {
        let pattern = agency
            .numbers
            .as_deref()
            .map(NumberPattern::parse)
            .transpose()
            .context("the pattern of its numbers");
        let stands = || {
            roster
                .requester(&agency.id, today)
                .map_or_else(|e| format!("WARNING: {e}"), |_| "active today".to_owned())
        };
        line(&format!("agency '{}'", agency.id), pattern.map(|_| stands()));
    }
    for device in &roster.devices {
        line(&format!("device '{}'", device.id), Ok(format!("{}{}", device.place, use_of(device))));
    }
    if !roster.devices.iter().any(|device| device.administration) {
        line(
            "devices",
            Ok("WARNING: none has administration; nobody can confirm the clock or switch the model"
                .to_owned()),
        );
    }
    if !roster.devices.iter().any(|device| device.audit) {
        line(
            "devices",
            Ok("WARNING: none has audit; nobody can open a detail, a probe or a sample".to_owned()),
        );
    }
    for witness in &roster.witnesses {
        let of =
            witness.agency.as_ref().map_or("independent of the agencies".to_owned(), |agency| {
                format!("run by '{agency}'")
            });
        line(
            &format!("witness '{}'", witness.id),
            VerifierKey::parse(witness.key.as_str()).map(|_| of).context("its key"),
        );
    }
    line(
        "quorum",
        Ok(roster.quorum.map_or_else(
            || NO_QUORUM.to_owned(),
            |terms| quorum(terms.witnesses, terms.within_minutes),
        )),
    );
    let humane = roster.ceilings.are_humane() || for_tests;
    line(
        "ceilings",
        match humane {
            true => Ok(format!("an operator searches with {}", roster.ceilings)),
            false => Err(anyhow::anyhow!(
                "an operator would search with {}; wanted 1 s at least, {SEARCHES_PER_HOUR_MAX} an \
                 hour and {SEARCHES_PER_DAY_MAX} a day at most",
                roster.ceilings
            )),
        },
    );
    (told, wrong)
}

const NO_QUORUM: &str = "WARNING: none; nobody outside would notice if the log were rewritten";

fn quorum(witnesses: usize, within_minutes: u64) -> String {
    format!("{witnesses} witnesses within {within_minutes} minutes")
}

fn use_of(device: &Device) -> &'static str {
    match (device.administration, device.audit) {
        (true, _) => ", administers",
        (_, true) => ", audits",
        _ => "",
    }
}

fn words(view: &RosterView) -> Result<String, std::fmt::Error> {
    let mut text = format!("digest    {}\n", view.sha256);
    for agency in &view.agencies {
        let stands = agency
            .inactive
            .as_deref()
            .map_or("active".to_owned(), |reason| format!("not active: {reason}"));
        writeln!(
            text,
            "agency    {:<16} {:<12} {} ({stands})",
            agency.id.to_string(),
            agency.kind,
            agency.name
        )?;
    }
    for device in &view.devices {
        writeln!(
            text,
            "device    {:<16} {}{}",
            device.id.to_string(),
            device.place,
            use_of(device)
        )?;
    }
    for witness in &view.witnesses {
        let of = witness
            .agency
            .as_ref()
            .map_or("independent".to_owned(), |agency| format!("of {agency}"));
        writeln!(text, "witness   {:<16} {of}", witness.id.to_string())?;
    }
    let terms = view.quorum.map_or_else(
        || NO_QUORUM.to_owned(),
        |terms| quorum(terms.witnesses, terms.within_minutes),
    );
    writeln!(text, "quorum    {terms}")?;
    writeln!(text, "ceilings  {}", view.ceilings)?;
    writeln!(text, "Accounts, roles and keys are given at a console, not in the roster.")?;
    Ok(text)
}
