//! `smrtctl search`: one probe, one purpose, one reason, one array of leads.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use smrt::booking::{Identifier, Text, iso_date};
use smrt::client::leads::{contact_sheet, face_list, table};
use smrt::embed::decode;
use smrt::inquiry::{Purpose, Reference, SearchRequest};
use smrt::limits::{CANDIDATES_DEFAULT, PHOTO_BYTES_MAX};
use smrt::tls::files::{SECRET_MODE, write_new};
use time::{Date, OffsetDateTime};

use crate::server::Server;

#[derive(Args)]
pub(crate) struct Search {
    #[command(flatten)]
    server: Server,
    /// The probe photo.
    #[arg(long, value_name = "FILE")]
    probe: PathBuf,
    /// The complaint number, or another identifier whose kind is given by --reference-kind.
    #[arg(long, value_name = "NUMBER")]
    reference: Text,
    /// What kind of identifier the reference is, if it is no complaint number.
    #[arg(long, value_name = "KIND")]
    reference_kind: Option<Text>,
    /// The detective or officer who asks.
    #[arg(long, value_name = "NAME")]
    requester: Text,
    /// The agency that employs the requester.
    #[arg(long, value_name = "ID")]
    agency: Identifier,
    /// What the search is for.
    #[arg(long)]
    purpose: PurposeKind,
    /// The purpose in words, with --purpose other.
    #[arg(long, value_name = "TEXT", required_if_eq("purpose", "other"))]
    purpose_detail: Option<Text>,
    /// The supervisor who answers for it, with --purpose other.
    #[arg(long, value_name = "NAME", required_if_eq("purpose", "other"))]
    supervisor: Option<Text>,
    /// The court, with --purpose court-order.
    #[arg(long, value_name = "NAME", required_if_eq("purpose", "court-order"))]
    court: Option<Text>,
    /// The order's number, with --purpose court-order.
    #[arg(long, value_name = "NUMBER", required_if_eq("purpose", "court-order"))]
    order_number: Option<Text>,
    /// The order's date, YYYY-MM-DD, with --purpose court-order.
    #[arg(long, value_name = "DATE", value_parser = iso_date::parse, required_if_eq("purpose", "court-order"))]
    order_date: Option<Date>,
    /// Why, in words.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Where the probe photo came from.
    #[arg(long, value_name = "TEXT")]
    source: Text,
    /// Which face of a probe with several is meant.
    #[arg(long, value_name = "N")]
    face: Option<usize>,
    /// How many candidates are wanted.
    #[arg(long, default_value_t = CANDIDATES_DEFAULT, value_name = "N")]
    candidates: usize,
    /// Write the contact sheet to this new file.
    #[arg(long, value_name = "OUT.png")]
    sheet: Option<PathBuf>,
    /// Print the server's answer as JSON.
    #[arg(long)]
    json: bool,
}

/// The permitted purposes.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PurposeKind {
    Crime,
    LawViolation,
    Terrorism,
    MissingOrEndangered,
    IdentityVerification,
    Other,
    CourtOrder,
}

impl Search {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let request = self.request()?;
        request.check()?;
        if let Some(sheet) = self.sheet.as_ref().filter(|sheet| sheet.exists()) {
            bail!("{} exists already and is never overwritten", sheet.display());
        }
        let probe = read_probe(&self.probe)?;
        let client = self.server.client()?;
        let array = match client.search(&request, &probe) {
            Ok(array) => array,
            Err(e) => match e.problem() {
                Some(problem) if !problem.faces.is_empty() => {
                    bail!("{}\n{}choose one with --face N", problem.detail, face_list(&problem.faces));
                }
                _ => return Err(e.into()),
            },
        };
        // First of all: the search is made and logged, whatever becomes of the sheet.
        let text = if self.json { serde_json::to_string_pretty(&array)? + "\n" } else { table(&array) };
        stdout().write_all(text.as_bytes())?;
        if let Some(path) = &self.sheet {
            let probe = decode(&probe).context("the probe cannot be drawn")?;
            let sheet = contact_sheet(&client, &request, &array, probe.rgb, OffsetDateTime::now_utc())?;
            write_new(path, &sheet.png()?, SECRET_MODE).with_context(|| format!("{} was not written", path.display()))?;
        }
        Ok(())
    }

    fn request(&self) -> anyhow::Result<SearchRequest> {
        let number = self.reference.clone();
        let reference = match self.reference_kind.clone() {
            None => Reference::ComplaintNumber { number },
            Some(description) => Reference::Other { description, number },
        };
        let purpose = match self.purpose {
            PurposeKind::Crime => Purpose::Crime,
            PurposeKind::LawViolation => Purpose::LawViolation,
            PurposeKind::Terrorism => Purpose::Terrorism,
            PurposeKind::MissingOrEndangered => Purpose::MissingOrEndangered,
            PurposeKind::IdentityVerification => Purpose::IdentityVerification,
            PurposeKind::Other => Purpose::Other {
                description: self.purpose_detail.clone().context("--purpose other needs --purpose-detail")?,
                supervisor: self.supervisor.clone().context("--purpose other needs --supervisor")?,
            },
            PurposeKind::CourtOrder => Purpose::CourtOrder {
                court: self.court.clone().context("--purpose court-order needs --court")?,
                number: self.order_number.clone().context("--purpose court-order needs --order-number")?,
                date: self.order_date.context("--purpose court-order needs --order-date")?,
            },
        };
        Ok(SearchRequest {
            reference,
            requester: self.requester.clone(),
            agency: self.agency.clone(),
            purpose,
            reason: self.reason.clone(),
            probe_source: self.source.clone(),
            face: self.face,
            candidates: self.candidates,
        })
    }
}

fn read_probe(path: &Path) -> anyhow::Result<Vec<u8>> {
    let unreadable = || format!("{} cannot be read", path.display());
    let bytes = fs::metadata(path).with_context(unreadable)?.len();
    if bytes > u64::try_from(PHOTO_BYTES_MAX)? {
        bail!("{} has {bytes} bytes, at most {PHOTO_BYTES_MAX} are accepted", path.display());
    }
    fs::read(path).with_context(unreadable)
}
