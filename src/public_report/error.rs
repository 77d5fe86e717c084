//! Why a public report can't be made.

use time::Date;

use crate::audit::AuditError;
use crate::limits::REPORT_DAYS_MAX;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublicReportError {
    #[error(
        "the period from {from} to {to} has no day, wanted a last day's successor that is later \
         than the first day"
    )]
    Backwards { from: Date, to: Date },
    #[error("the period has {days} days, at most {REPORT_DAYS_MAX} are reported on at once")]
    TooLong { days: i64 },
    /// The period begins before any log can.
    #[error("the period begins on {from}, wanted a day from 1970-01-01 on")]
    TooEarly { from: Date },
    /// Something in the log is no leaf.
    #[error("leaf {leaf} can't be read")]
    Leaf { leaf: u64, source: AuditError },
    /// The measured rates are another model's.
    #[error(
        "the rates were measured with the model {found}, the report is about the model {wanted}"
    )]
    OtherModel {
        /// The model of the measurement.
        found: String,
        /// The model of the report.
        wanted: String,
    },
    /// The report doesn't say which model was in use.
    #[error("the report names no model in use, so no measured rates belong to it")]
    NoModel,
}
