//! Times: hundredths of a second since 1970-01-01 UTC, and spans between them. Days are days of
//! UTC; how people read them says `wording`.

use std::ops::{Add, Sub};

use serde::{Deserialize, Serialize};
use time::macros::date;
use time::{Date, OffsetDateTime};

/// Hundredths of a second in a second.
pub const SECOND_CS: u64 = 100;
/// Hundredths of a second in a minute.
pub const MINUTE_CS: u64 = 60 * SECOND_CS;
/// Hundredths of a second in an hour.
pub const HOUR_CS: u64 = 60 * MINUTE_CS;
/// Hundredths of a second in a day.
pub const DAY_CS: u64 = 24 * HOUR_CS;

/// A moment, counted in hundredths of a second since 1970-01-01 UTC.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct Time(u64);

/// How long something takes, in hundredths of a second.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct Span(u64);

impl Time {
    /// The beginning of the count.
    pub const EPOCH: Self = Self(0);

    /// The moment so many hundredths of a second after the epoch.
    pub const fn from_cs(cs: u64) -> Self {
        Self(cs)
    }

    /// The moment so many seconds after the epoch.
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(SECOND_CS))
    }

    /// Midnight at the beginning of a day; the epoch for days before it.
    pub fn from_date(date: Date) -> Self {
        let days = i64::from(date.to_julian_day()) - i64::from(EPOCH_DATE.to_julian_day());
        Self(u64::try_from(days).unwrap_or(0) * DAY_CS)
    }

    /// Hundredths of a second since the epoch.
    pub const fn cs(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch.
    pub const fn seconds(self) -> u64 {
        self.0 / SECOND_CS
    }

    /// Whole days since the epoch.
    pub const fn days(self) -> u64 {
        self.0 / DAY_CS
    }

    /// The moment as the calendar has it; none beyond its years.
    pub fn in_calendar(self) -> Option<OffsetDateTime> {
        let seconds = i64::try_from(self.seconds()).ok()?;
        OffsetDateTime::from_unix_timestamp(seconds).ok()
    }

    /// The day; the calendar's last one beyond its years.
    pub fn date(self) -> Date {
        self.in_calendar().map_or(Date::MAX, OffsetDateTime::date)
    }

    /// How long ago another moment was; nothing where it is still to come.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// So many hundredths of a second.
    pub const fn from_cs(cs: u64) -> Self {
        Self(cs)
    }

    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds * SECOND_CS)
    }

    /// So many minutes.
    pub const fn minutes(minutes: u64) -> Self {
        Self(minutes * MINUTE_CS)
    }

    /// So many hours.
    pub const fn hours(hours: u64) -> Self {
        Self(hours * HOUR_CS)
    }

    /// So many days.
    pub const fn days(days: u64) -> Self {
        Self(days * DAY_CS)
    }

    /// Its hundredths of a second.
    pub const fn cs(self) -> u64 {
        self.0
    }

    /// Its whole seconds.
    pub const fn whole_seconds(self) -> u64 {
        self.0 / SECOND_CS
    }
}

/// A moment later; the last one that can be counted where that would be beyond it.
impl Add<Span> for Time {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

/// A moment earlier; the epoch where that would be before it.
impl Sub<Span> for Time {
    type Output = Self;

    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl From<OffsetDateTime> for Time {
    /// The epoch for what was before it.
    fn from(at: OffsetDateTime) -> Self {
        let hundredths = at.unix_timestamp_nanos() / 10_000_000;
        Self(u64::try_from(hundredths.max(0)).unwrap_or(u64::MAX))
    }
}

const EPOCH_DATE: Date = date!(1970 - 01 - 01);

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_time_is_of_its_day_and_a_day_begins_at_midnight() {
        let noon = Time::from(datetime!(2026-11-23 12:00:00.25 UTC));
        assert_eq!(noon.date(), date!(2026 - 11 - 23));
        assert_eq!(noon.since(Time::from_date(noon.date())).cs(), DAY_CS / 2 + 25);
        assert_eq!(Time::from_date(noon.date()).days(), noon.days());
        assert_eq!(Time::from_date(date!(1969 - 12 - 31)), Time::EPOCH);
        assert_eq!(Time::from(datetime!(1969-12-31 12:00 UTC)), Time::EPOCH);
        assert_eq!(Time::from_cs(u64::MAX).date(), Date::MAX);
    }

    #[test]
    fn no_sum_of_times_and_spans_runs_over() {
        let (first, last) = (Time::EPOCH, Time::from_cs(u64::MAX));
        assert_eq!((first - Span::days(1), last + Span::hours(1)), (first, last));
        assert_eq!(first.since(last), Span::default());
        assert_eq!(last.since(last - Span::minutes(2)), Span::seconds(120));
    }

    #[test]
    fn a_time_is_a_number_where_it_is_stored() {
        let time = Time::from_seconds(1_790_000_000);
        assert_eq!(serde_json::to_string(&time).unwrap(), "179000000000");
        assert_eq!(serde_json::from_str::<Time>("179000000000").unwrap(), time);
    }
}
