//! The period of a public report: whole days in UTC.

use serde::{Deserialize, Serialize};
use time::{Date, macros::date};

use super::error::PublicReportError;
use crate::booking::iso_date;
use crate::calendar::Time;
use crate::limits::REPORT_DAYS_MAX;

const EPOCH: Date = date!(1970 - 01 - 01);

/// A period: whole days in UTC, from the first to before the last's successor.
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

impl Period {
    /// The days from `from` to before `to`.
    ///
    /// Errors: no day, more than `REPORT_DAYS_MAX`, one before 1970.
    pub fn new(from: Date, to: Date) -> Result<Self, PublicReportError> {
        let days = (to - from).whole_days();
        match days {
            _ if days <= 0 => Err(PublicReportError::Backwards { from, to }),
            _ if days > REPORT_DAYS_MAX => Err(PublicReportError::TooLong { days }),
            _ if from < EPOCH => Err(PublicReportError::TooEarly { from }),
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
        self.bounds().map(Time::days)
    }

    /// The first moment in it, and the first after it.
    pub(super) fn bounds(&self) -> [Time; 2] {
        [self.from, self.to].map(Time::from_date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_without_days_of_over_ten_years_or_before_1970_is_refused() {
        let period = Period::new(date!(2026 - 01 - 01), date!(2027 - 01 - 01)).unwrap();
        assert_eq!(period.days(), [20_454, 20_819]);
        assert_eq!(period.bounds()[0], Time::from_seconds(20_454 * 86_400));
        assert!(matches!(
            Period::new(date!(2026 - 01 - 01), date!(2026 - 01 - 01)),
            Err(PublicReportError::Backwards { .. })
        ));
        assert!(matches!(
            Period::new(date!(2026 - 01 - 02), date!(2026 - 01 - 01)),
            Err(PublicReportError::Backwards { .. })
        ));
        assert!(Period::new(date!(2016 - 01 - 01), date!(2026 - 01 - 01)).is_ok());
        assert!(matches!(
            Period::new(date!(2016 - 01 - 01), date!(2026 - 01 - 03)),
            Err(PublicReportError::TooLong { days: 3655 })
        ));
        assert!(matches!(
            Period::new(date!(1969 - 12 - 31), date!(1970 - 01 - 03)),
            Err(PublicReportError::TooEarly { .. })
        ));
    }
}
