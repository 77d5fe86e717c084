//! Paper for people outside. The public report: figures counted from the log alone, and figures
//! that need its opened details, as JSON and as one page; whoever has a copy of the log counts the
//! first again, an auditor with the opened details all of them.
//!
//! Invariants: the report names no person, no device and no booking; a count below
//! `PUBLIC_COUNT_MIN` that the log itself doesn't publish is not shown, nor is anything from which
//! sums would give it away; the same log, details and period give the same bytes.

mod builder;
mod cell;
mod counting;
mod opened;
mod page;
mod parts;
mod plot;
mod rules;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod secrecy_tests;
mod sections;
mod suppression;
mod tables;
mod times;
mod totals;
mod witnesses;

use serde::{Deserialize, Serialize};
use time::{Date, macros::date};

pub use builder::Reckoner;
pub use cell::{Breakdown, Cell, Hidden, Table};
pub use opened::{InquiryTables, Opened, OpenedOf, Site};
pub use page::{Imprint, page};
pub use totals::{
    AlarmCount, AlarmSpan, Alarms, Audits, Bookings, Details, Gallery, Holds, Inquiries, Month,
    Purges, Reports, Reviews, Totals,
};
pub use witnesses::{Attendance, Witnesses, Witnessing};

use crate::audit::AuditError;
use crate::booking::iso_date;
use crate::error_rates::ErrorRates;
use crate::limits::REPORT_DAYS_MAX;

/// The version of the report's form.
pub const FORM: u32 = 1;

const EPOCH: Date = date!(1970 - 01 - 01);
const DAY_CS: u64 = 24 * 60 * 60 * 100;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The period has no days.
    #[error(
        "the period from {from} to {to} has no day, wanted a last day's successor that is later \
         than the first day"
    )]
    Backwards {
        /// First day.
        from: Date,
        /// The day after the last.
        to: Date,
    },
    /// The period is too long.
    #[error("the period has {days} days, at most {REPORT_DAYS_MAX} are reported on at once")]
    TooLong {
        /// Its days.
        days: i64,
    },
    /// The period begins before any log can.
    #[error("the period begins on {from}, wanted a day from {EPOCH} on")]
    TooEarly {
        /// First day.
        from: Date,
    },
    /// Something in the log is no leaf.
    #[error("leaf {leaf} can't be read")]
    Leaf {
        /// Its index.
        leaf: u64,
        /// Why not.
        source: AuditError,
    },
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

/// The days that a report is about, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// First day, `YYYY-MM-DD`.
    #[serde(with = "iso_date")]
    #[schema(value_type = String, format = Date)]
    from: Date,
    /// The day after the last, `YYYY-MM-DD`.
    #[serde(with = "iso_date")]
    #[schema(value_type = String, format = Date)]
    to: Date,
}

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
    /// What anybody counts from the log alone.
    pub totals: Totals,
    /// What anybody counts who has the kept checkpoints and the witnesses' keys too; none where the
    /// log asks for no cosignatures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub witnesses: Option<Witnesses>,
    /// What an auditor counts who has the opened details.
    pub opened: Opened,
    /// The model's error rates as they were measured; added by whoever publishes, and no part of
    /// what the log commits to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<ErrorRates>,
}

impl Period {
    /// The days from `from` to before `to`.
    ///
    /// Errors: no day, more than `REPORT_DAYS_MAX`, one before 1970.
    pub fn new(from: Date, to: Date) -> Result<Self, ReportError> {
        let days = (to - from).whole_days();
        match days {
            _ if days <= 0 => Err(ReportError::Backwards { from, to }),
            _ if days > REPORT_DAYS_MAX => Err(ReportError::TooLong { days }),
            _ if from < EPOCH => Err(ReportError::TooEarly { from }),
            _ => Ok(Self { from, to }),
        }
    }

    /// First day.
    pub fn from(&self) -> Date {
        self.from
    }

    /// The day after the last.
    pub fn to(&self) -> Date {
        self.to
    }

    /// Both as days since 1970-01-01.
    pub fn days(&self) -> [u64; 2] {
        [self.from, self.to].map(|day| u64::try_from((day - EPOCH).whole_days()).unwrap_or(0))
    }

    /// The first hundredth of a second in it, and the first after it, since 1970-01-01 UTC.
    fn bounds_cs(&self) -> [u64; 2] {
        self.days().map(|day| day * DAY_CS)
    }
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
    pub fn add(&mut self, measured: ErrorRates) -> Result<(), ReportError> {
        let wanted = self.opened.site.model.clone().ok_or(ReportError::NoModel)?;
        if measured.model != wanted {
            return Err(ReportError::OtherModel { found: measured.model, wanted });
        }
        self.measured = Some(measured);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_without_days_of_over_ten_years_or_before_1970_is_refused() {
        let period = Period::new(date!(2026 - 01 - 01), date!(2027 - 01 - 01)).unwrap();
        assert_eq!(period.days(), [20_454, 20_819]);
        assert_eq!(period.bounds_cs()[0], 20_454 * 86_400 * 100);
        assert!(matches!(
            Period::new(date!(2026 - 01 - 01), date!(2026 - 01 - 01)),
            Err(ReportError::Backwards { .. })
        ));
        assert!(matches!(
            Period::new(date!(2026 - 01 - 02), date!(2026 - 01 - 01)),
            Err(ReportError::Backwards { .. })
        ));
        assert!(Period::new(date!(2016 - 01 - 01), date!(2026 - 01 - 01)).is_ok());
        assert!(matches!(
            Period::new(date!(2016 - 01 - 01), date!(2026 - 01 - 03)),
            Err(ReportError::TooLong { days: 3655 })
        ));
        assert!(matches!(
            Period::new(date!(1969 - 12 - 31), date!(1970 - 01 - 03)),
            Err(ReportError::TooEarly { .. })
        ));
    }
}
