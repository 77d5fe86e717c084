//! `smrtctl feed`: an agency's verbs: push, release, look up, findings.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use smrt::api::wire::{BookingState, BookingView};
use smrt::booking::BookingNumber;
use smrt::client::push::{PushOptions, PushProgress, PushSummary, column_list, push};
use smrt::limits::{FEED_JOBS_DEFAULT, FEED_PATIENCE_SECONDS};

use crate::server::ServerOptions;

/// Exit status of a push that ended, but with refused rows.
const REFUSALS: u8 = 2;
/// Most refused rows that are printed; all of them are in the file.
const REFUSALS_PRINTED_MAX: usize = 10;
/// Time between two lines of progress, where stderr is no terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

#[derive(Subcommand)]
pub(crate) enum FeedCommand {
    /// Book all rows of a CSV file with their photos; run it again to resume.
    Push(PushCommand),
    /// Release a booking: no search finds it from then on.
    Release {
        #[command(flatten)]
        server: ServerOptions,
        /// The agency's booking number.
        number: BookingNumber,
        /// Why, for the agency's own record.
        #[arg(long)]
        reason: String,
    },
    /// Show one of your agency's bookings.
    Status {
        #[command(flatten)]
        server: ServerOptions,
        /// The agency's booking number.
        number: BookingNumber,
        /// Print the server's answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print, as JSON, findings of misuse in searches that your agency's people asked for.
    Findings {
        #[command(flatten)]
        server: ServerOptions,
    },
}

#[derive(Args)]
pub(crate) struct PushCommand {
    #[command(flatten)]
    server: ServerOptions,
    /// The folder below which the photos lie.
    folder: PathBuf,
    #[arg(long, value_name = "FILE", help = format!("The CSV file: {}", column_list()))]
    csv: PathBuf,
    /// Bookings sent at the same time.
    #[arg(long, default_value_t = FEED_JOBS_DEFAULT, value_name = "N")]
    jobs: usize,
    /// Seconds to go on trying while the server accepts nothing.
    #[arg(long, default_value_t = FEED_PATIENCE_SECONDS, value_name = "SECONDS")]
    patience: u64,
}

impl FeedCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Push(command) => return command.run(),
            Self::Release { server, number, reason } => {
                let released = server.client()?.release(&number, &reason)?;
                let already = if released.new { "" } else { " already" };
                writeln!(
                    stdout(),
                    "{} is{already} released, leaf {}",
                    released.number,
                    released.leaf
                )?;
            }
            Self::Findings { server } => writeln!(
                stdout(),
                "{}",
                serde_json::to_string_pretty(&server.client()?.findings()?)?
            )?,
            Self::Status { server, number, json } => {
                let view = server.client()?.booking(&number)?;
                let text = if json { serde_json::to_string_pretty(&view)? } else { words(&view) };
                writeln!(stdout(), "{text}")?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn words(view: &BookingView) -> String {
    let state = match view.state {
        BookingState::Live => "live",
        BookingState::Released => "released",
        BookingState::Unusable => "unusable: no search finds it, push it again with another photo",
    };
    let BookingView { number, version, leaf, photo_sha256, booking, .. } = view;
    [
        format!("number      {number}"),
        format!("state       {state}"),
        format!("version     {version}"),
        format!("leaf        {leaf}"),
        format!("photo       sha256 {photo_sha256}"),
        format!("name        {}", booking.name),
        format!("booked on   {}", booking.booked_on),
    ]
    .join("\n")
}

impl PushCommand {
    fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.server.client()?;
        let mut options = PushOptions::new(&self.folder, &self.csv);
        options.jobs = self.jobs;
        options.patience = Duration::from_secs(self.patience);
        let summary = if stderr().is_terminal() {
            with_bar(|tell| push(&client, &options, tell))
        } else {
            with_lines(|tell| push(&client, &options, tell))
        }?;
        print_summary(&summary)?;
        Ok(if summary.refusals.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(REFUSALS) })
    }
}

type Tell<'a> = &'a (dyn Fn(&PushProgress) + Sync);

fn with_bar<T>(work: impl FnOnce(Tell<'_>) -> T) -> T {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} eta {eta} {wide_msg}");
    let bar =
        ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let done = work(&|progress| {
        bar.set_length(progress.rows.try_into().unwrap_or(u64::MAX));
        bar.set_position(progress.done().try_into().unwrap_or(u64::MAX));
        bar.set_message(match (&progress.waiting, progress.refused) {
            (Some(waiting), _) => format!("waiting: {waiting}"),
            (None, 0) => String::new(),
            (None, refused) => format!("{refused} refused"),
        });
    });
    bar.finish_and_clear();
    done
}

fn with_lines<T>(work: impl FnOnce(Tell<'_>) -> T) -> T {
    let told: Mutex<Option<Instant>> = Mutex::new(None);
    work(&|progress| {
        let Ok(mut told) = told.lock() else { return };
        if told.is_some_and(|when| when.elapsed() < LINE_INTERVAL) {
            return;
        }
        *told = Some(Instant::now());
        let waiting =
            progress.waiting.as_ref().map_or(String::new(), |why| format!(", waiting: {why}"));
        eprintln!(
            "{} of {} rows done, {} refused{waiting}",
            progress.done(),
            progress.rows,
            progress.refused
        );
    })
}

fn print_summary(summary: &PushSummary) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    let PushProgress { rows, booked, unchanged, skipped, refused, .. } = &summary.progress;
    writeln!(
        out,
        "{rows} rows in {:.1} s: {booked} booked, {unchanged} there already, {skipped} \
         acknowledged by an earlier push, {refused} refused",
        summary.time.as_secs_f64()
    )?;
    for refusal in summary.refusals.iter().take(REFUSALS_PRINTED_MAX) {
        writeln!(out, "  line {}, {}: {}", refusal.line, refusal.number, refusal.reason)?;
    }
    if summary.refusals.len() > REFUSALS_PRINTED_MAX {
        writeln!(out, "  and {} more", summary.refusals.len() - REFUSALS_PRINTED_MAX)?;
    }
    if let Some(file) = &summary.refused_file {
        writeln!(out, "refused rows with reasons: {}", file.display())?;
    }
    Ok(())
}
