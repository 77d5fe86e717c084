//! The public report as data: what its JSON holds, and what the log commits to.

use serde::{Deserialize, Serialize};

use super::error::PublicReportError;
use super::opened::OpenedFigures;
use super::period::Period;
use super::totals::Totals;
use super::witnesses::WitnessFigures;
use crate::error_rates::ErrorRates;

/// The version of the report's form.
pub const FORM: u32 = 1;

/// The log over which a report was computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogHead {
    /// The log's name.
    pub origin: String,
    /// Its number of leaves then.
    pub leaves: u64,
    /// Its root then, in base64 as checkpoints have it.
    pub root: String,
    /// The time of its newest leaf then, RFC 3339; none of an empty log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<String>,
}

/// The public report (SO-F1 to F3): numbers and suppressed numbers, nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicReport {
    /// The version of its form.
    pub form: u32,
    /// The days that it is about.
    pub period: Period,
    /// The log over which it was computed.
    pub log: LogHead,
    /// A count below this that needs opened details is not shown.
    pub count_min: u64,
    /// Figures that anybody counts from the log alone.
    pub totals: Totals,
    /// What anybody counts who has the kept checkpoints and the witnesses' keys too; none where the
    /// log asks for no cosignatures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witnesses: Option<WitnessFigures>,
    /// Figures that an auditor counts, who has the opened details.
    pub opened: OpenedFigures,
    /// The model's error rates as they were measured; added by whoever publishes, and no part of
    /// what the log commits to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<ErrorRates>,
}

impl PublicReport {
    /// The report as the log commits to it: JSON with a line's end, without what was added later.
    pub fn to_bytes(&self) -> Vec<u8> {
        let committed = Self { measured: None, ..self.clone() };
        committed.to_json()
    }

    /// The report as it is published.
    pub fn to_json(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self)
            .expect("a report holds only strings, numbers and maps of them");
        bytes.push(b'\n');
        bytes
    }

    /// Adds the model's measured rates.
    ///
    /// Errors: rates of another model, or a report that names none.
    pub fn add(&mut self, measured: ErrorRates) -> Result<(), PublicReportError> {
        let wanted = self.opened.site.model.clone().ok_or(PublicReportError::NoModel)?;
        if measured.model != wanted {
            return Err(PublicReportError::OtherModel { found: measured.model, wanted });
        }
        self.measured = Some(measured);
        Ok(())
    }
}
