//! Numbers, times and digests as the report writes them.

use time::OffsetDateTime;

use super::input::{Candidate, Disposition, Feature, Person};

/// Hundredths of a second since 1970-01-01 UTC as a time; what is beyond the calendar stands at its
/// end.
pub(super) fn time_of(time_cs: u64) -> OffsetDateTime {
    let seconds = i64::try_from(time_cs / 100).unwrap_or(i64::MAX);
    OffsetDateTime::from_unix_timestamp(seconds)
        .unwrap_or(time::macros::datetime!(9999-12-31 23:59:59 UTC))
}

/// `2026-11-23 16:00:12.34 UTC`.
pub(super) fn moment(time_cs: u64) -> String {
    let time = time_of(time_cs);
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    format!("{} {hour:02}:{minute:02}:{second:02}.{:02} UTC", time.date(), time_cs % 100)
}

/// `1,234,567`.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 candidate`, `20 candidates`.
pub(super) fn count(n: usize, noun: &str) -> String {
    let ending = if n == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", number(n as u64))
}

/// `rank 1`, `ranks 1, 4 and 7`.
pub(super) fn ranks(of: &[&Candidate]) -> String {
    let numbers: Vec<String> = of.iter().map(|candidate| candidate.rank.to_string()).collect();
    match &numbers[..] {
        [] => "none".to_owned(),
        [one] => format!("rank {one}"),
        [before @ .., last] => format!("ranks {} and {last}", before.join(", ")),
    }
}

/// A person on one line.
pub(super) fn person(person: &Person) -> String {
    format!("{}, badge {}, {}", person.name, person.badge, person.agency)
}

/// A score as a plain number.
pub(super) fn score(score: f64) -> String {
    format!("{score:.3}")
}

/// A digest in two lines of the same length, for where it is wider than its place.
pub(super) fn halves(sha256: &[u8]) -> String {
    let (first, second) = sha256.split_at(sha256.len() / 2);
    format!("{}\n{}", hex::encode(first), hex::encode(second))
}

/// A share of one, as measured.
pub(super) fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "not measured".to_owned(), |share| format!("{share:.3}"))
}

/// The features that an examiner recorded, those of one finding together, in the order in which
/// each finding first came.
pub(super) fn features(disposition: &Disposition) -> Vec<(String, String)> {
    let mut findings: Vec<(String, Vec<String>)> = Vec::new();
    for Feature { name, finding, remark } in &disposition.features {
        let words = if remark.is_empty() { name.clone() } else { format!("{name} ({remark})") };
        match findings.iter_mut().find(|(known, _)| known == finding) {
            Some((_, names)) => names.push(words),
            None => findings.push((finding.clone(), vec![words])),
        }
    }
    findings.into_iter().map(|(finding, names)| (capital(&finding), names.join(", "))).collect()
}

/// With its first letter as a capital.
pub(super) fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc_to_the_hundredth_and_numbers_in_groups_of_three() {
        assert_eq!(moment(179_000_000_001), "2026-09-21 14:13:20.01 UTC");
        assert_eq!(moment(u64::MAX), "9999-12-31 23:59:59.15 UTC");
        assert_eq!(
            (number(0), number(999), number(1_234_567)),
            ("0".to_owned(), "999".to_owned(), "1,234,567".to_owned())
        );
        assert_eq!(
            (count(1, "candidate"), count(1_000, "candidate")),
            ("1 candidate".to_owned(), "1,000 candidates".to_owned())
        );
    }

    #[test]
    fn features_of_one_finding_stand_together() {
        let feature = |name: &str, finding: &str, remark: &str| Feature {
            name: name.to_owned(),
            finding: finding.to_owned(),
            remark: remark.to_owned(),
        };
        let disposition = Disposition {
            lead: true,
            words: "lead".to_owned(),
            features: vec![
                feature("ears", "similar", ""),
                feature("scar", "different", "left brow"),
                feature("nose", "similar", ""),
            ],
            remark: String::new(),
        };
        let wanted = [("Similar", "ears, nose"), ("Different", "scar (left brow)")]
            .map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(features(&disposition), wanted);
    }
}
