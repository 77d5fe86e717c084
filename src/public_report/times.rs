//! Times and spans of time of the report's figures.

use time::OffsetDateTime;

use super::period::Period;
use crate::calendar::Time;
use crate::wording::timestamp;

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;

/// The month of a time, `YYYY-MM`.
pub(super) fn month_of(time: Time) -> String {
    month(time.date())
}

fn month(day: time::Date) -> String {
    format!("{:04}-{:02}", day.year(), u8::from(day.month()))
}

/// All months that have a day in the period.
pub(super) fn months_of(period: &Period) -> Vec<String> {
    let mut months: Vec<String> = Vec::new();
    let mut day = period.from();
    while day < period.to() {
        months.push(month(day));
        let (year, next) = if day.month() == time::Month::December {
            (day.year() + 1, time::Month::January)
        } else {
            (day.year(), day.month().next())
        };
        match time::Date::from_calendar_date(year, next, 1) {
            Ok(first) => day = first,
            Err(_) => break,
        }
    }
    months
}

/// A time to the second, RFC 3339; the epoch for what is beyond the calendar's years.
pub(super) fn rfc3339(time: Time) -> String {
    timestamp(time).unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
}

/// The time that `rfc3339` wrote; none where it isn't of its form.
pub(super) fn parse(text: &str) -> Option<Time> {
    let moment =
        OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
    u64::try_from(moment.unix_timestamp()).ok().map(Time::from_seconds)
}

/// A time for people: date and minute.
pub(super) fn minute(text: &str) -> String {
    text.get(..16).map_or_else(|| text.to_owned(), |minute| minute.replace('T', " "))
}

/// A span of time for people, in its two largest units.
pub(super) fn span(seconds: u64) -> String {
    let units = [(DAY, "d"), (HOUR, "h"), (60, "min"), (1, "s")];
    let Some(at) = units.iter().position(|(unit, _)| seconds >= *unit) else {
        return "0 s".to_owned();
    };
    let (unit, name) = units[at];
    let rest = units
        .get(at + 1)
        .map(|(next, name)| (seconds % unit / next, name))
        .filter(|(count, _)| *count > 0);
    match rest {
        Some((count, next)) => format!("{} {name} {count} {next}", seconds / unit),
        None => format!("{} {name}", seconds / unit),
    }
}

/// The value in the middle of sorted ones, the lower of two.
pub(super) fn median(sorted: &[u64]) -> Option<u64> {
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Span;
    use time::macros::date;

    #[test]
    fn times_and_spans_read_as_people_write_them() {
        assert_eq!(
            (rfc3339(Time::EPOCH), month_of(Time::EPOCH + Span::days(20_454))),
            ("1970-01-01T00:00:00Z".to_owned(), "2026-01".to_owned())
        );
        assert_eq!(rfc3339(Time::MAX), rfc3339(Time::EPOCH));
        let time = Time::from_cs(179_000_000_042);
        assert_eq!(parse(&rfc3339(time)), Some(Time::from_cs(179_000_000_000)));
        assert_eq!(minute("2026-11-23T16:05:09Z"), "2026-11-23 16:05");
        for (seconds, words) in [
            (0, "0 s"),
            (59, "59 s"),
            (61, "1 min 1 s"),
            (3_600, "1 h"),
            (90_000, "1 d 1 h"),
            (864_000, "10 d"),
        ] {
            assert_eq!(span(seconds), words);
        }
        assert_eq!(
            (median(&[]), median(&[3]), median(&[1, 2]), median(&[1, 2, 9])),
            (None, Some(3), Some(1), Some(2))
        );
    }

    #[test]
    fn a_period_has_every_month_of_which_it_has_a_day() {
        let months = |from, to| months_of(&Period::new(from, to).unwrap());
        assert_eq!(
            months(date!(2026 - 11 - 30), date!(2027 - 02 - 01)),
            ["2026-11", "2026-12", "2027-01"]
        );
        assert_eq!(months(date!(2026 - 01 - 01), date!(2026 - 01 - 02)), ["2026-01"]);
    }
}
