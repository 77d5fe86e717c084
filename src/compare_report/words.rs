//! Wording of the report: times, digests, references, purposes and features in words.

use time::OffsetDateTime;
use time::macros::datetime;

use crate::calendar::Time;
use crate::ids::Digest;
use crate::inquiry::{Observation, Purpose, Ranked, Reference, Seen};
use crate::wording::capital;

/// A time as the calendar has it; what is beyond its years stands at its end.
pub(super) fn in_calendar(time: Time) -> OffsetDateTime {
    time.in_calendar().unwrap_or(datetime!(9999-12-31 23:59:59 UTC))
}

/// `2026-11-23 16:00:12.34 UTC`.
pub(super) fn moment(time: Time) -> String {
    let (date, hundredths) = (in_calendar(time), time.cs() % 100);
    let (hour, minute, second) = (date.hour(), date.minute(), date.second());
    format!("{} {hour:02}:{minute:02}:{second:02}.{hundredths:02} UTC", date.date())
}

/// `rank 1`, `ranks 1, 4 and 7`.
pub(super) fn ranks(of: &[&Ranked]) -> String {
    let numbers: Vec<String> = of.iter().map(|candidate| candidate.rank.to_string()).collect();
    match &numbers[..] {
        [] => "none".to_owned(),
        [one] => format!("rank {one}"),
        [before @ .., last] => format!("ranks {} and {last}", before.join(", ")),
    }
}

/// A score as a plain number.
pub(super) fn score(score: f64) -> String {
    format!("{score:.3}")
}

/// A measured value to at most three places behind the point.
pub(super) fn decimal(value: f64) -> String {
    let text = format!("{value:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A digest in two lines of the same length, for where it is wider than its place.
pub(super) fn halves(sha256: Digest) -> String {
    let digits = sha256.to_string();
    let (first, second) = digits.split_at(digits.len() / 2);
    format!("{first}\n{second}")
}

/// A share of one, as measured.
pub(super) fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "not measured".to_owned(), |share| format!("{share:.3}"))
}

/// The kind of the reference, and its number.
pub(super) fn reference(reference: &Reference) -> (&str, &str) {
    match reference {
        Reference::ComplaintNumber { number } => ("Complaint number", number.as_str()),
        Reference::Other { description, number } => (description.as_str(), number.as_str()),
    }
}

/// The purpose in words, with what it states.
pub(super) fn purpose(purpose: &Purpose) -> String {
    let words = purpose.kind().words();
    purpose.stated().map_or_else(|| words.to_owned(), |stated| format!("{words}: {stated}"))
}

/// The features that an examiner recorded: those that are similar, then those that differ.
pub(super) fn features(observations: &[Observation]) -> Vec<(String, String)> {
    let name =
        |one: &Observation| format!("{}: {}", one.feature.component().words(), one.feature.words());
    let of = |seen: Seen| {
        let those = observations.iter().filter(|one| one.seen == seen).map(name);
        (capital(seen.words()), those.collect::<Vec<_>>().join("; "))
    };
    Seen::ALL.into_iter().map(of).filter(|(_, names)| !names.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inquiry::Feature;

    #[test]
    fn times_are_in_utc_to_the_hundredth() {
        assert_eq!(moment(Time::from_cs(179_000_000_001)), "2026-09-21 14:13:20.01 UTC");
        assert_eq!(moment(Time::MAX), "9999-12-31 23:59:59.15 UTC");
    }

    #[test]
    fn similar_features_stand_before_those_that_differ() {
        let seen = |feature, seen| Observation { feature, seen };
        let observations = [
            seen(Feature::NoseTip, Seen::Difference),
            seen(Feature::FaceShape, Seen::Similarity),
            seen(Feature::Dimples, Seen::Similarity),
        ];
        let wanted = [
            (
                "Similar".to_owned(),
                "outline of face and head: shape of the face; cheeks: dimples".to_owned(),
            ),
            ("Different".to_owned(), "nose: tip".to_owned()),
        ];
        assert_eq!(features(&observations), wanted);
    }
}
