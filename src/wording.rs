//! Wording: numbers, times and spans of time as people read them, the same on every page, in every
//! report and in every command's output.

use time::macros::format_description;

use crate::calendar::Time;

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
pub fn minute(time: Time) -> Option<String> {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    time.in_calendar()?.format(format).ok()
}

/// A time to the second, as programs read it: `2026-11-23T16:00:00Z`. None beyond the calendar's
/// years.
pub fn timestamp(time: Time) -> Option<String> {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    time.in_calendar()?.format(format).ok()
}

/// How far two times are apart, in the largest unit that fits: `95 minutes`, `26 hours`, `12 days`.
pub fn span(from: Time, to: Time) -> String {
    let minutes = to.since(from).max(from.since(to)).whole_minutes();
    match minutes {
        0 => "less than a minute".to_owned(),
        1 => "1 minute".to_owned(),
        2..120 => format!("{minutes} minutes"),
        120..2_880 => format!("{} hours", minutes / 60),
        _ => format!("{} days", number(minutes / 1_440)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Span;

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
        let time = Time::from_cs(179_000_000_001);
        assert_eq!(minute(time).as_deref(), Some("2026-09-21 14:13 UTC"));
        assert_eq!(timestamp(time).as_deref(), Some("2026-09-21T14:13:20Z"));
        assert_eq!((minute(Time::MAX), timestamp(Time::MAX)), (None, None));
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
        let now = Time::from_cs(179_000_000_000);
        for (minutes, words) in minutes.into_iter().zip(words) {
            assert_eq!(span(now - Span::minutes(minutes), now), words);
            assert_eq!(span(now, now + Span::minutes(minutes)), words);
        }
    }
}
