//! `smrtctl feed`: an agency's side.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use smrt::api::wire::BookingState;
use smrt::booking::BookingNumber;
use smrt::client::feed::{Progress, PushOrder, PushReport, push};
use smrt::limits::{FEED_JOBS_DEFAULT, FEED_PATIENCE_SECONDS};

use crate::server::Server;

/// Exit status of a push whose file went through, but with refusals.
const REFUSALS: u8 = 2;
/// Refusals told on the terminal; all of them stand in the file.
const REFUSALS_TOLD: usize = 10;
/// Between two plain lines of progress.
const LINE_INTERVAL: Duration = Duration::from_secs(10);

#[derive(Subcommand)]
pub(crate) enum Feed {
    /// Push a CSV file's bookings with their photos; run it again to resume.
    Push(Push),
    /// Withdraw a booking: it is out of every search at once.
    Release {
        #[command(flatten)]
        server: Server,
        /// The agency's booking number.
        number: BookingNumber,
        /// Why, for the agency's own record.
        #[arg(long)]
        reason: String,
    },
    /// Show one of the agency's own bookings.
    Status {
        #[command(flatten)]
        server: Server,
        /// The agency's booking number.
        number: BookingNumber,
        /// Print the server's answer as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show what audits found of searches that people of the agency asked for, where it is misuse;
    /// as JSON.
    Findings {
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Args)]
pub(crate) struct Push {
    #[command(flatten)]
    server: Server,
    /// The folder below which the photos lie.
    folder: PathBuf,
    /// The CSV file: number, photo, name, date_of_birth, booked_on, charges (with ';' between),
    /// basis, basis_detail.
    #[arg(long, value_name = "FILE")]
    csv: PathBuf,
    /// Bookings pushed at the same time.
    #[arg(long, default_value_t = FEED_JOBS_DEFAULT, value_name = "N")]
    jobs: usize,
    /// Seconds to go on trying while the server takes nothing.
    #[arg(long, default_value_t = FEED_PATIENCE_SECONDS, value_name = "SECONDS")]
    patience: u64,
}

impl Feed {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Push(command) => return command.run(),
            Self::Release { server, number, reason } => {
                let released = server.client()?.release(&number, &reason)?;
                let already = if released.new { "" } else { " already" };
                writeln!(
                    stdout(),
                    "{} is{already} released, log entry {}",
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
                let mut out = stdout().lock();
                if json {
                    writeln!(out, "{}", serde_json::to_string_pretty(&view)?)?;
                } else {
                    let state = match view.state {
                        BookingState::Live => "live",
                        BookingState::Released => "released",
                        BookingState::Unusable => {
                            "unusable: no search finds it, push it again with another photo"
                        }
                    };
                    writeln!(
                        out,
                        "number      {}\nstate       {state}\nversion     {}",
                        view.number, view.version
                    )?;
                    writeln!(
                        out,
                        "log entry   {}\nphoto       sha256 {}",
                        view.leaf, view.photo_sha256
                    )?;
                    writeln!(
                        out,
                        "name        {}\nbooked on   {}",
                        view.booking.name, view.booking.booked_on
                    )?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Push {
    fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.server.client()?;
        let mut order = PushOrder::new(&self.folder, &self.csv);
        order.jobs = self.jobs;
        order.patience = Duration::from_secs(self.patience);
        let report = if stderr().is_terminal() {
            with_bar(|tell| push(&client, &order, tell))
        } else {
            with_lines(|tell| push(&client, &order, tell))
        }?;
        print_report(&report)?;
        Ok(if report.refusals.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(REFUSALS) })
    }
}

type Tell<'a> = &'a (dyn Fn(&Progress) + Sync);

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

fn print_report(report: &PushReport) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    let Progress { rows, booked, unchanged, skipped, refused, .. } = &report.progress;
    writeln!(
        out,
        "{rows} rows in {:.1} s: {booked} booked, {unchanged} there already, {skipped} \
         acknowledged by an earlier push, {refused} refused",
        report.time.as_secs_f64()
    )?;
    for refusal in report.refusals.iter().take(REFUSALS_TOLD) {
        writeln!(out, "  line {}, {}: {}", refusal.line, refusal.number, refusal.reason)?;
    }
    if report.refusals.len() > REFUSALS_TOLD {
        writeln!(out, "  and {} more", report.refusals.len() - REFUSALS_TOLD)?;
    }
    if let Some(file) = &report.refused_file {
        writeln!(out, "refused rows with reasons: {}", file.display())?;
    }
    Ok(())
}
