//! `smrtctl log`: export and verify the log, get proofs, draw and review samples, open probes.

mod verify;

use std::io::{IsTerminal, Write, stderr, stdout};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use smrt::api::wire::{SampleOrder, SampleReview, SampleView};
use smrt::audit::SampleFinding;
use smrt::calendar::Time;
use smrt::client::log_folder::LogFolder;
use smrt::tls::files::{PUBLIC_MODE, SECRET_MODE, write_new};
use time::OffsetDateTime;

use crate::server::ServerOptions;

/// Export and verify the log; as an auditor, open details and probes, and review samples.
#[derive(Subcommand)]
pub(crate) enum LogCommand {
    /// Copy the log into a folder: leaves, tiles, checkpoints with cosignatures, and the details
    /// that you ask for.
    Export(ExportCommand),
    Verify(verify::VerifyLogCommand),
    /// Write the proof that a leaf is in the log.
    Proof {
        #[command(flatten)]
        server: ServerOptions,
        /// Index of the leaf.
        leaf: u64,
        /// The file, usually NAME.tlog-proof; it must not exist yet.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Draw a reproducible random sample of searches for review, or show all samples and what is
    /// due.
    Sample(SampleCommand),
    /// Record the finding on a search of a sample.
    Review(ReviewCommand),
    /// Open the probe of a search; a leaf logs that you did.
    Probe {
        #[command(flatten)]
        server: ServerOptions,
        /// The search's id.
        search: String,
        /// The file; it must not exist yet.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

#[derive(Args)]
pub(crate) struct ExportCommand {
    #[command(flatten)]
    server: ServerOptions,
    /// The folder; an earlier export of the same log in it is brought up to date.
    dir: PathBuf,
    /// Also open and write the details of these leaves: indices and ranges, such as 5,10-20, or
    /// 'all'. Each opening is logged.
    #[arg(long, value_name = "LEAVES", default_value = "")]
    details: String,
    /// End with the newest checkpoint that a quorum of witnesses cosigned, not with the newest
    /// leaf.
    #[arg(long)]
    witnessed: bool,
}

#[derive(Args)]
pub(crate) struct SampleCommand {
    #[command(flatten)]
    server: ServerOptions,
    /// The share of searches to draw, such as 0.05; without it, show the samples so far.
    #[arg(long, requires = "seed")]
    rate: Option<f64>,
    /// Any number, thrown by dice or drawn in public; it is logged before anything is drawn.
    #[arg(long, requires = "rate")]
    seed: Option<u64>,
    /// The first leaf to draw from.
    #[arg(long, value_name = "LEAF", default_value_t = 0)]
    from: u64,
    /// The leaf after the last to draw from [default: all leaves].
    #[arg(long, value_name = "LEAF")]
    to: Option<u64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct ReviewCommand {
    #[command(flatten)]
    server: ServerOptions,
    /// The sample, by its leaf 'sample drawn'.
    #[arg(long, value_name = "LEAF")]
    sample: u64,
    /// The search, by its leaf 'asked'.
    #[arg(long, value_name = "LEAF")]
    search: u64,
    /// What was found.
    #[arg(long, value_parser = finding)]
    finding: SampleFinding,
    /// In words.
    #[arg(long)]
    note: String,
}

/// A finding by its name, with dashes.
fn finding(name: &str) -> Result<SampleFinding, String> {
    SampleFinding::named(&name.replace('-', "_")).ok_or_else(|| {
        let names = SampleFinding::ALL.map(|finding| finding.name().replace('_', "-"));
        format!("wanted one of {}", names.join(", "))
    })
}

impl LogCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Export(export) => export.run()?,
            Self::Verify(verify) => return verify.run(),
            Self::Proof { server, leaf, out } => {
                let proof = server.client()?.proof(leaf)?;
                write_new(&out, proof.to_text().as_bytes(), PUBLIC_MODE)
                    .with_context(|| format!("{} was not written", out.display()))?;
            }
            Self::Sample(sample) => sample.run()?,
            Self::Review(ReviewCommand { server, sample, search, finding, note }) => {
                let review = SampleReview { sample, asked: search, finding, note };
                writeln!(
                    stdout(),
                    "recorded in leaf {}",
                    server.client()?.review_sample(&review)?.leaf
                )?;
            }
            Self::Probe { server, search, out } => {
                let probe = server.client()?.probe(&search)?;
                write_new(&out, &probe, SECRET_MODE)
                    .with_context(|| format!("{} was not written", out.display()))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl ExportCommand {
    fn run(self) -> anyhow::Result<()> {
        let ranges = ranges(&self.details)?;
        let client = self.server.client()?;
        let bar = match stderr().is_terminal() {
            true => ProgressBar::new(0),
            false => ProgressBar::hidden(),
        };
        let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files, eta {eta}");
        let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        let leaves = client.export(
            &LogFolder::at(&self.dir),
            &ranges,
            self.witnessed,
            &mut |done, of| {
                bar.set_length(of);
                bar.set_position(done);
            },
        )?;
        bar.finish_and_clear();
        writeln!(
            stdout(),
            "{leaves} leaves are in {}; verify them with: smrtctl log verify {} --keys FILE",
            self.dir.display(),
            self.dir.display()
        )?;
        Ok(())
    }
}

impl SampleCommand {
    fn run(self) -> anyhow::Result<()> {
        let client = self.server.client()?;
        let samples = match (self.rate, self.seed) {
            (Some(rate), Some(seed)) => {
                let order =
                    SampleOrder { seed, rate_ppm: ppm(rate)?, first: self.from, end: self.to };
                vec![client.draw_sample(&order)?]
            }
            _ => client.samples()?,
        };
        let mut out = stdout().lock();
        if self.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&samples)?)?;
        } else if samples.is_empty() {
            writeln!(out, "no sample has been drawn yet")?;
        } else {
            samples.iter().try_for_each(|sample| write!(out, "{}", words(sample)))?;
        }
        Ok(())
    }
}

fn words(sample: &SampleView) -> String {
    let day =
        |time: Time| time.in_calendar().map_or_else(|| "?".to_owned(), |at| at.date().to_string());
    let list = |leaves: &[u64]| leaves.iter().map(u64::to_string).collect::<Vec<_>>().join(" ");
    let overdue = !sample.open.is_empty()
        && Time::from(OffsetDateTime::now_utc()).seconds() > sample.due_cs.seconds();
    let mut text = format!(
        "sample {} of {}: {} of {} searches (leaves {})\n",
        sample.sample,
        day(sample.drawn_at_cs),
        sample.asked.len(),
        sample.population,
        list(&sample.asked)
    );
    for (asked, finding) in &sample.reviewed {
        text += &format!("    reviewed  {asked}: {}\n", finding.name().replace('_', " "));
    }
    if !sample.open.is_empty() {
        let state = if overdue { "OVERDUE since" } else { "due by" };
        text += &format!("    open      {} ({state} {})\n", list(&sample.open), day(sample.due_cs));
    }
    text
}

/// A share in parts of a million.
fn ppm(rate: f64) -> anyhow::Result<u64> {
    let parts = (rate * 1e6).round();
    if !(1.0..=1e6).contains(&parts) {
        bail!("--rate is {rate}, wanted more than 0 and at most 1");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is a whole number from 1 to a million"
    )]
    Ok(parts as u64)
}

/// Ranges of leaves, each with the leaf after its last.
fn ranges(text: &str) -> anyhow::Result<Vec<(u64, u64)>> {
    match text {
        "" => Ok(Vec::new()),
        "all" => Ok(vec![(0, u64::MAX)]),
        text => {
            let mut ranges = text.split(',').map(range).collect::<Result<Vec<_>, _>>()?;
            ranges.sort_unstable();
            // Each detail once, in the order of the leaves.
            Ok(ranges.into_iter().fold(Vec::new(), |mut merged: Vec<(u64, u64)>, (first, end)| {
                match merged.last_mut() {
                    Some((_, last)) if first <= *last => *last = end.max(*last),
                    _ => merged.push((first, end)),
                }
                merged
            }))
        }
    }
}

fn range(text: &str) -> anyhow::Result<(u64, u64)> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number = |n: &str| {
        n.trim()
            .parse::<u64>()
            .with_context(|| format!("'{text}' is neither a leaf nor a range such as 10-20"))
    };
    let (first, last) = (number(first)?, number(last)?);
    if first > last || last == u64::MAX {
        bail!("the range '{text}' ends before it begins");
    }
    Ok((first, last + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_are_named_one_by_one_in_ranges_or_all() {
        assert_eq!(ranges("").unwrap(), []);
        assert_eq!(ranges("15-30, 10-20,7,8").unwrap(), [(7, 9), (10, 31)]);
        assert_eq!(ranges("all").unwrap(), [(0, u64::MAX)]);
        for wrong in ["x", "5-", "-5", "9-3", "1,,2"] {
            assert!(ranges(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_rate_is_a_share_of_all() {
        assert_eq!(
            (ppm(0.05).unwrap(), ppm(1.0).unwrap(), ppm(0.000_001).unwrap()),
            (50_000, 1_000_000, 1)
        );
        for wrong in [0.0, -0.1, 1.1, f64::NAN] {
            assert!(ppm(wrong).is_err(), "{wrong}");
        }
    }
}
