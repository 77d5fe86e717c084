//! `smrtctl report`: make and recount public reports; verify an issued compare report.

use std::fs::{self, File};
use std::io::{Read, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::builder::ArgPredicate;
use clap::{Arg, Args, Subcommand};
use smrt::audit::Quorum;
use smrt::booking::iso_date;
use smrt::client::log_folder::LogFolder;
use smrt::client::recount::{Recount, recount};
use smrt::client::verify_report::{Conclusion, proof_beside, verify_report};
use smrt::error_rates::ErrorRates;
use smrt::limits::SHOWN_PROOF_BYTES_MAX;
use smrt::public_report::{Imprint, Period, PublicReport, page};
use smrt::tls::files::{PUBLIC_MODE, replace, write_new};
use time::Date;

use crate::server::ServerOptions;

/// Exit status of a report that doesn't hold, or whose figures differ.
const DIFFERS: u8 = 2;
/// Exit status of a report that holds, but that no quorum of witnesses has cosigned yet.
const NOT_WITNESSED: u8 = 3;
/// Most figures that are listed one by one.
const NAMED_MAX: usize = 40;

/// Make and recount public reports; verify an issued compare report.
#[derive(Subcommand)]
pub(crate) enum ReportCommand {
    /// Make the public report of a period, as one page and as JSON; or recount one with --verify.
    ///
    /// Publish reports of periods that don't overlap: where two do, one can be subtracted from the
    /// other, and the remaining figures may be small enough to identify somebody.
    ///
    /// Exit status with --verify: 0 all figures agree, 2 some differ, 1 the report can't be
    /// recounted.
    Public(Box<PublicReportCommand>),
    Verify(VerifyReportCommand),
}

/// Verify an issued Facial Recognition Image Compare Report, offline: that the file is byte for
/// byte the one that was issued, that the log has it, that the log's key signed the checkpoint, and
/// that enough witnesses cosigned it.
///
/// Exit status: 0 all holds, 1 it can't be verified, for instance without keys, 2 something does
/// not hold, 3 it holds, but only the log's owner has signed so far.
#[derive(Args)]
pub(crate) struct VerifyReportCommand {
    /// The report.
    file: PathBuf,
    /// Its proof [default: the file beside the report whose name has '.tlog-proof' added].
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// Keys of the log and its witnesses with their quorum (C2SP tlog-policy), from somebody other
    /// than who gave you the report.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[command(mut_args(without_a_server))]
pub(crate) struct PublicReportCommand {
    #[command(flatten)]
    server: ServerOptions,
    /// First day, YYYY-MM-DD, in UTC.
    #[arg(long, value_name = "DAY", value_parser = day, required_unless_present = "verify",
        conflicts_with = "verify")]
    from: Option<Date>,
    /// The day after the last, YYYY-MM-DD, in UTC.
    #[arg(long, value_name = "DAY", value_parser = day, required_unless_present = "verify",
        conflicts_with = "verify")]
    to: Option<Date>,
    /// Write NAME.html and NAME.json.
    #[arg(
        long,
        value_name = "NAME",
        required_unless_present = "verify",
        conflicts_with = "verify"
    )]
    out: Option<PathBuf>,
    /// Overwrite NAME.html and NAME.json if they exist.
    #[arg(long)]
    force: bool,
    /// Add the model's error rates from this file, the output of `smrtctl evaluate --json`.
    #[arg(long, value_name = "FILE", requires = "data_set", conflicts_with = "verify")]
    evaluation: Option<PathBuf>,
    /// The name of the data set on which they were measured.
    #[arg(long, value_name = "TEXT", requires = "evaluation")]
    data_set: Option<String>,
    /// Who publishes the report, printed on the page.
    #[arg(long, value_name = "TEXT")]
    publisher: Option<String>,
    /// Where readers can ask about it, printed on the page.
    #[arg(long, value_name = "TEXT")]
    contact: Option<String>,
    /// Recount REPORT from the copy of the log in this folder, and from the opened details in it.
    #[arg(long, value_name = "DIR", requires = "report")]
    verify: Option<PathBuf>,
    /// The report's JSON file, with --verify.
    #[arg(value_name = "REPORT", requires = "verify")]
    report: Option<PathBuf>,
}

impl ReportCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Verify(verify) => verify.run(),
            Self::Public(public) => match (&public.verify, &public.report) {
                (Some(folder), Some(report)) => recounted(folder, report),
                _ => public.make(),
            },
        }
    }
}

impl VerifyReportCommand {
    fn run(self) -> anyhow::Result<ExitCode> {
        let read = |path: &Path| {
            fs::read(path).with_context(|| format!("{} can't be read", path.display()))
        };
        let keys = match &self.keys {
            Some(path) => {
                let text = String::from_utf8(read(path)?)
                    .with_context(|| format!("{} is not a policy with keys", path.display()))?;
                Some(
                    Quorum::parse(&text)
                        .with_context(|| format!("{} is not a policy with keys", path.display()))?,
                )
            }
            None => None,
        };
        let beside = self.proof.unwrap_or_else(|| proof_beside(&self.file));
        let file = File::open(&beside)
            .with_context(|| format!("the report's proof {} can't be read", beside.display()))?;
        let mut proof = Vec::new();
        file.take(SHOWN_PROOF_BYTES_MAX)
            .read_to_end(&mut proof)
            .with_context(|| format!("{} can't be read", beside.display()))?;
        let verdict = verify_report(&read(&self.file)?, &proof, keys.as_ref());
        let text =
            if self.json { serde_json::to_string_pretty(&verdict)? } else { verdict.words() };
        writeln!(stdout(), "{}", text.trim_end())?;
        Ok(match verdict.conclusion() {
            Conclusion::Holds => ExitCode::SUCCESS,
            Conclusion::NoKeys => ExitCode::FAILURE,
            Conclusion::Violated => ExitCode::from(DIFFERS),
            Conclusion::NotWitnessed => ExitCode::from(NOT_WITNESSED),
        })
    }
}

impl PublicReportCommand {
    fn make(self) -> anyhow::Result<ExitCode> {
        let (Some(from), Some(to), Some(out)) = (self.from, self.to, &self.out) else {
            bail!("wanted --from, --to and --out")
        };
        let period = Period::new(from, to)?;
        let files = ["html", "json"].map(|ending| named(out, ending));
        for file in files.iter().filter(|_| !self.force) {
            if file.exists() {
                bail!("{} exists already; add --force to overwrite it", file.display());
            }
        }
        let measured = self
            .evaluation
            .as_deref()
            .map(|file| read_measured(file, self.data_set.as_deref().unwrap_or_default()))
            .transpose()?;
        let (json, leaf) = self.server.client()?.public_report(&period)?;
        let mut report = read_report(&json).context("the server's report can't be read")?;
        if report.to_bytes() != json {
            bail!(
                "the server's report has another format than this program; use smrtctl of its \
                 version"
            );
        }
        if let Some(measured) = measured {
            report.add(measured)?;
        }
        let [html, published] = &files;
        let name = published.file_name().map(|name| name.to_string_lossy().into_owned());
        let imprint =
            Imprint { publisher: self.publisher, contact: self.contact, leaf, json_name: name };
        for (path, bytes) in
            [(published, report.to_json()), (html, page(&report, &imprint).into_bytes())]
        {
            let written = if self.force {
                replace(path, &bytes, PUBLIC_MODE)
            } else {
                write_new(path, &bytes, PUBLIC_MODE)
            };
            written.with_context(|| format!("{} can't be written", path.display()))?;
        }
        writeln!(
            stdout(),
            "{} and {}: {} leaves of the log, {}",
            html.display(),
            published.display(),
            report.log.leaves,
            leaf.map_or_else(
                || "the report's digest is in no leaf, because the server is closed".to_owned(),
                |leaf| format!("the report's digest is in leaf {leaf}")
            )
        )?;
        Ok(ExitCode::SUCCESS)
    }
}

fn recounted(folder: &Path, path: &Path) -> anyhow::Result<ExitCode> {
    let bytes = fs::read(path).with_context(|| format!("{} can't be read", path.display()))?;
    let report = read_report(&bytes)
        .with_context(|| format!("{} is not a public report", path.display()))?;
    let recount =
        recount(&LogFolder::at(folder), &report).context("the report can't be recounted")?;
    write!(stdout(), "{}", words(&recount))?;
    Ok(if recount.differ.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(DIFFERS) })
}

fn words(recount: &Recount) -> String {
    let mut text = format!("{} figures agree\n", recount.agree);
    for (figures, why) in &recount.missing {
        text += &format!("not recounted: {figures} ({why})\n");
    }
    if recount.forged_details > 0 {
        text += &format!(
            "{} opened details are not what their leaves commit to, and were left out\n",
            recount.forged_details
        );
    }
    if !recount.differ.is_empty() {
        text += &format!("{} figures DIFFER\n", recount.differ.len());
    }
    let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    for difference in recount.differ.iter().take(NAMED_MAX) {
        text += &format!(
            "{}: stated {}, counted {}\n",
            difference.figure,
            shown(&difference.stated),
            shown(&difference.counted)
        );
    }
    if recount.differ.len() > NAMED_MAX {
        text += &format!("and {} more\n", recount.differ.len() - NAMED_MAX);
    }
    text
}

fn read_report(bytes: &[u8]) -> serde_json::Result<PublicReport> {
    serde_json::from_slice(bytes)
}

fn read_measured(file: &Path, data_set: &str) -> anyhow::Result<ErrorRates> {
    let text = fs::read(file).with_context(|| format!("{} can't be read", file.display()))?;
    let measured: ErrorRates = serde_json::from_slice(&text).with_context(|| {
        format!("{} is not what 'smrtctl evaluate --json' prints", file.display())
    })?;
    Ok(ErrorRates { data_set: data_set.to_owned(), ..measured })
}

/// The path with `.ending` added, whatever dots its name has.
fn named(out: &Path, ending: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// Makes the server's options optional with --verify, which needs no server.
fn without_a_server(arg: Arg) -> Arg {
    match arg.get_id().as_str() {
        "server" | "ca" | "cert" | "key" => arg
            .required(false)
            .required_unless_present("verify")
            .default_value_if("verify", ArgPredicate::IsPresent, "-"),
        _ => arg,
    }
}

fn day(text: &str) -> Result<Date, String> {
    iso_date::parse(text).map_err(|_| "wanted a date of the form YYYY-MM-DD".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_have_the_name_that_was_given_whatever_dots_it_has() {
        assert_eq!(named(Path::new("out/2026.q3"), "json"), PathBuf::from("out/2026.q3.json"));
    }

    #[test]
    fn what_evaluate_prints_is_read_as_measured_rates() {
        let printed = crate::evaluate::printed_in_a_test();
        let measured: ErrorRates = serde_json::from_str(&printed).unwrap();
        assert_eq!(
            (measured.model.as_str(), measured.enrolled, measured.rank20),
            ("m", 2, Some(0.5))
        );
    }
}
