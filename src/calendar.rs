//! Times: hundredths of a second since 1970-01-01 UTC, and spans between them. Days are days of
//! UTC; how people read them says `wording`.

use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};
use time::macros::date;
use time::{Date, OffsetDateTime};

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
    /// The last moment that can be counted.
    pub const MAX: Self = Self(u64::MAX);

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
        Self::EPOCH + Span::days(u64::try_from(days).unwrap_or(0))
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

    /// So many seconds; the longest span that can be counted where they are more.
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(SECOND_CS))
    }

    /// So many minutes; the longest span that can be counted where they are more.
    pub const fn minutes(minutes: u64) -> Self {
        Self(minutes.saturating_mul(MINUTE_CS))
    }

    /// So many hours; the longest span that can be counted where they are more.
    pub const fn hours(hours: u64) -> Self {
        Self(hours.saturating_mul(HOUR_CS))
    }

    /// So many days; the longest span that can be counted where they are more.
    pub const fn days(days: u64) -> Self {
        Self(days.saturating_mul(DAY_CS))
    }

    /// Its hundredths of a second.
    pub const fn cs(self) -> u64 {
        self.0
    }

    /// Its whole seconds.
    pub const fn whole_seconds(self) -> u64 {
        self.0 / SECOND_CS
    }

    /// Its whole minutes.
    pub const fn whole_minutes(self) -> u64 {
        self.0 / MINUTE_CS
    }

    /// Its whole days.
    pub const fn whole_days(self) -> u64 {
        self.0 / DAY_CS
    }
}

/// A moment later; the last one that can be counted where that would be beyond it.
impl Add<Span> for Time {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

/// A moment earlier; the epoch where that would be before it.
impl Sub<Span> for Time {
    type Output = Self;

    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

/// Both spans; the longest one that can be counted where they are longer.
impl Add for Span {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// What one span is longer; nothing where it isn't.
impl Sub for Span {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl From<OffsetDateTime> for Time {
    /// The epoch for what was before it.
    fn from(at: OffsetDateTime) -> Self {
        let hundredths = at.unix_timestamp_nanos() / 10_000_000;
        Self(u64::try_from(hundredths.max(0)).unwrap_or(u64::MAX))
    }
}

const SECOND_CS: u64 = 100;
const MINUTE_CS: u64 = 60 * SECOND_CS;
const HOUR_CS: u64 = 60 * MINUTE_CS;
const DAY_CS: u64 = 24 * HOUR_CS;
const EPOCH_DATE: Date = date!(1970 - 01 - 01);

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn a_time_is_of_its_day_and_a_day_begins_at_midnight() {
        let noon = Time::from(datetime!(2026-11-23 12:00:00.25 UTC));
        assert_eq!(noon.date(), date!(2026 - 11 - 23));
        assert_eq!(Time::from_cs(179_554_560_099).date(), date!(2026 - 11 - 24));
        assert_eq!(noon.since(Time::from_date(noon.date())).cs(), Span::hours(12).cs() + 25);
        assert_eq!(Time::from_date(noon.date()).days(), noon.days());
        assert_eq!(Time::from_date(date!(1969 - 12 - 31)), Time::EPOCH);
        assert_eq!(Time::from(datetime!(1969-12-31 12:00 UTC)), Time::EPOCH);
        assert_eq!((Time::MAX.date(), Time::EPOCH.date()), (Date::MAX, date!(1970 - 01 - 01)));
    }

    #[test]
    fn no_sum_of_times_and_spans_runs_over() {
        let (first, last) = (Time::EPOCH, Time::MAX);
        assert_eq!((first - Span::days(1), last + Span::hours(1)), (first, last));
        assert_eq!(first.since(last), Span::default());
        assert_eq!(last.since(last - Span::minutes(2)), Span::seconds(120));
        assert_eq!(first + (Span::days(u64::MAX) + Span::seconds(1)), last);
        assert_eq!(Time::from_seconds(u64::MAX), first + Span::seconds(u64::MAX));
        assert_eq!(Span::hours(1) - Span::minutes(1), Span::minutes(59));
        assert_eq!(Span::minutes(1) - Span::hours(1), Span::default());
    }

    #[test]
    fn a_span_has_whole_units_only() {
        let span = Span::from_cs(Span::days(2).cs() - 1);
        assert_eq!((span.whole_days(), span.whole_minutes()), (1, 2_879));
        assert_eq!(span.whole_seconds(), 172_799);
    }

    #[test]
    fn a_time_is_a_number_where_it_is_stored() {
        let time = Time::from_seconds(1_790_000_000);
        assert_eq!(serde_json::to_string(&time).unwrap(), "179000000000");
        assert_eq!(serde_json::from_str::<Time>("179000000000").unwrap(), time);
    }
}
