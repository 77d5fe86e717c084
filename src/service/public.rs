//! The public report: counted on the box, since only the box opens the sealed details; its digest
//! is in the log before it leaves.

use super::appliance::Service;
use super::error::ServiceError;
use super::people::Acting;
use crate::audit::{Detail, Note, Quorum};
use crate::ids::Digest;
use crate::ledger::{Ledger, LedgerError};
use crate::public_report::{
    CosignedCheckpoints, Period, PublicReport, PublicReportError, ReportBuilder,
};
use crate::roster::Duty;

/// A report and the leaf that holds its digest.
#[derive(Clone, Debug)]
pub struct Published {
    /// The report's JSON, byte for byte as the log commits to it.
    pub json: Vec<u8>,
    /// The leaf; none where the doors are shut, since nothing is written then.
    pub leaf: Option<u64>,
}

impl Service {
    /// Counts the public report of a period over the log as it is now, and logs its digest.
    ///
    /// Errors: neither commander nor administrator, nor a console by itself; a stored log that
    /// doesn't hold together.
    pub fn public_report(
        &self,
        acting: &Acting,
        period: Period,
    ) -> Result<Published, ServiceError> {
        let verb = "make the public report";
        match acting {
            Acting::Person(desk) => {
                self.allowed_any(desk, &[Duty::Command, Duty::Administer], verb)?
            }
            Acting::Device(caller) => {
                self.read_by(caller, self.roster.console(caller, verb)).map(|_| ())?
            }
        }
        let report = count(&self.ledger, &self.guard.quorum, period)?;
        let json = report.to_bytes();
        let report_sha256 = Digest::of(&json).to_string();
        let [from, to] = period.days();
        if !self.guard.is_open() {
            // What shut the doors is to be published, and a shut box writes nothing.
            return Ok(Published { json, leaf: None });
        }
        let made = Detail::PublicReport { actor: acting.actor(), report_sha256 };
        let leaf = self.ledger.note(Vec::new(), vec![from, to, report.log.leaves], made)?;
        Ok(Published { json, leaf: Some(leaf) })
    }
}

/// Counts over all leaves that the newest checkpoint signs; what is written meanwhile is left to
/// the next report.
fn count(ledger: &Ledger, quorum: &Quorum, period: Period) -> Result<PublicReport, ServiceError> {
    let signed = Note::parse(&ledger.checkpoint())?.checkpoint()?;
    let cosigned = ledger.cosigned(0..signed.leaves + 1, usize::MAX)?;
    let notes = cosigned.iter().map(|note| Note::parse(note)).collect::<Result<Vec<_>, _>>()?;
    let until = ledger.now().seconds();
    let mut builder = ReportBuilder::new(
        period,
        signed.leaves,
        quorum.is_asked().then(|| CosignedCheckpoints { notes: &notes, quorum, until }),
    );
    ledger.for_each_leaf::<ServiceError>(0..signed.leaves, |_, leaf| {
        builder.take(leaf, |index| {
            let opened = ledger.open_detail(index)?;
            let detail = opened.map(|opened| serde_json::from_slice(&opened.detail)).transpose();
            Ok(detail.map_err(|source| LedgerError::Sealed { what: "detail", source })?)
        })
    })?;
    if (builder.leaves(), builder.root()) != (signed.leaves, signed.root) {
        let what = format!(
            "{} leaves have another root than the newest checkpoint signs",
            builder.leaves()
        );
        return Err(LedgerError::Log { what }.into());
    }
    Ok(builder.finish(&signed.origin))
}

impl From<PublicReportError> for ServiceError {
    fn from(e: PublicReportError) -> Self {
        match e {
            PublicReportError::Leaf { source, .. } => source.into(),
            other => LedgerError::Log { what: other.to_string() }.into(),
        }
    }
}
