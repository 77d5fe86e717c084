//! Wording: numbers, times and spans of time as people read them, the same on every page, in every
//! report and in every command's output.

use time::OffsetDateTime;
use time::macros::format_description;

const MINUTE_CS: u64 = 6_000;

/// A number in groups of three: `1,234,567`.
pub fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A number with its noun, which is given in both forms: `1 entry`, `2,000 entries`.
pub fn count(of: u64, one: &str, many: &str) -> String {
    format!("{} {}", number(of), if of == 1 { one } else { many })
}

/// Words with their first letter as a capital.
pub fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A time to the minute: `2026-11-23 16:00 UTC`. None beyond the calendar's years.
///
/// Units: hundredths of a second since 1970-01-01 UTC.
pub fn minute(time_cs: u64) -> Option<String> {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    calendar(time_cs)?.format(format).ok()
}

/// A time to the second, as programs read it: `2026-11-23T16:00:00Z`. None beyond the calendar's
/// years.
///
/// Units: hundredths of a second since 1970-01-01 UTC.
pub fn timestamp(time_cs: u64) -> Option<String> {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    calendar(time_cs)?.format(format).ok()
}

/// How far two times are apart, in the largest unit that fits: `95 minutes`, `26 hours`, `12 days`.
///
/// Units: hundredths of a second since 1970-01-01 UTC.
pub fn span(from_cs: u64, to_cs: u64) -> String {
    let minutes = to_cs.abs_diff(from_cs) / MINUTE_CS;
    match minutes {
        0 => "less than a minute".to_owned(),
        1 => "1 minute".to_owned(),
        2..120 => format!("{minutes} minutes"),
        120..2_880 => format!("{} hours", minutes / 60),
        _ => format!("{} days", number(minutes / 1_440)),
    }
}

fn calendar(time_cs: u64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(i64::try_from(time_cs / 100).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_groups_of_three() {
        assert_eq!([0, 999, 1_000, 12_345_678].map(number), ["0", "999", "1,000", "12,345,678"]);
    }

    #[test]
    fn a_noun_is_singular_for_one_thing_only() {
        let entries = |of| count(of, "entry", "entries");
        assert_eq!([0, 1, 2_000].map(entries), ["0 entries", "1 entry", "2,000 entries"]);
    }

    #[test]
    fn a_capital_changes_the_first_letter_only() {
        assert_eq!((capital("no lead"), capital("")), ("No lead".to_owned(), String::new()));
        assert_eq!(capital("\u{e9}t\u{e9}"), "\u{c9}t\u{e9}");
    }

    #[test]
    fn times_are_written_in_utc() {
        assert_eq!(minute(179_000_000_001).as_deref(), Some("2026-09-21 14:13 UTC"));
        assert_eq!(timestamp(179_000_000_001).as_deref(), Some("2026-09-21T14:13:20Z"));
        assert_eq!((minute(u64::MAX), timestamp(u64::MAX)), (None, None));
    }

    #[test]
    fn a_span_is_said_in_the_largest_unit_that_fits() {
        let minutes = [0, 1, 2, 119, 120, 2_879, 2_880, 2_000_000];
        let words = [
            "less than a minute",
            "1 minute",
            "2 minutes",
            "119 minutes",
            "2 hours",
            "47 hours",
            "2 days",
            "1,388 days",
        ];
        let now = 179_000_000_000;
        for (minutes, words) in minutes.into_iter().zip(words) {
            assert_eq!(span(now - minutes * MINUTE_CS, now), words);
            assert_eq!(span(now, now + minutes * MINUTE_CS), words);
        }
    }
}
