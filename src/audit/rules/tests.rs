use super::*;
use crate::audit::{Edge, Leaf};
use crate::calendar::{Span, Time};
use LeafKind as K;

pub(super) const DAY_H: u64 = 24;

/// Kind, hours since the log began, leaves followed, counts.
pub(super) type Step<'s> = (LeafKind, u64, &'s [u64], &'s [u64]);

pub(super) fn leaf((kind, hours, follows, counts): Step<'_>) -> Leaf {
    let time = after(hours);
    Leaf { kind, time, follows: follows.to_vec(), counts: counts.to_vec(), commitment: [0; 32] }
}

/// So many hours since the log began.
fn after(hours: u64) -> Time {
    Time::from_cs(179_000_000_000) + Span::hours(hours)
}

pub(super) fn ruled(steps: &[Step<'_>]) -> Ruled {
    let (mut rules, mut edge) = (Rules::new(false), Edge::default());
    for step in steps {
        let bytes = leaf(*step).to_bytes();
        edge.append(&bytes);
        rules.leaf(&Entry::read(&bytes).unwrap(), None, &mut || edge.root());
    }
    rules.end()
}

/// What was found wrong, and with which leaf.
pub(super) fn wrong(steps: &[Step<'_>]) -> Vec<String> {
    ruled(steps).violations.list.iter().map(ToString::to_string).collect()
}

fn noted(steps: &[Step<'_>]) -> Vec<String> {
    let ruled = ruled(steps);
    assert!(ruled.violations.is_empty(), "{:?}", ruled.violations);
    ruled.observations.list.iter().map(ToString::to_string).collect()
}

/// An inquiry, a search, its answer and its two reviews: leaves 0 to 4.
pub(super) const SEARCH: [Step<'_>; 5] = [
    (K::InquiryOpened, 0, &[], &[]),
    (K::Asked, 0, &[0], &[]),
    (K::Answered, 0, &[1], &[2]),
    (K::Reviewed, 0, &[2], &[1, 2]),
    (K::Reviewed, 0, &[2, 3], &[2, 2]),
];

fn after_a_search(steps: &[Step<'_>]) -> Vec<String> {
    wrong(&[&SEARCH, steps].concat())
}

#[test]
fn a_search_with_its_answer_its_reviews_and_its_report_is_in_order() {
    assert_eq!(
        after_a_search(&[
            (K::ReportIssued, 0, &[2, 3, 4], &[]),
            (K::InquiryClosed, 0, &[], &[9, 0])
        ]),
        [""; 0]
    );
}

#[test]
fn a_leaf_of_the_wrong_shape_or_time_is_found() {
    for (steps, found) in [
        (
            &[(K::Stopped, 2, &[][..], &[][..]), (K::Stopped, 1, &[], &[])][..],
            "leaves 0 to 1: the time goes back from 2026-",
        ),
        (&[(K::Asked, 0, &[], &[])], "leaf 0: follows 0 leaves; a leaf 'asked' follows 1 to 1"),
        (
            &[(K::Asked, 0, &[0], &[])],
            "leaf 0: says that it follows leaf 0, which does not come before it",
        ),
        (
            &[(K::Stopped, 0, &[], &[]), (K::Asked, 0, &[0], &[])],
            "leaf 1: 'asked' says that it follows leaf 0, which is 'stopped'",
        ),
        (&[(K::Started, 0, &[], &[])], "leaf 0: has 0 counts; a leaf 'started' has 1"),
        (
            &[(K::AlarmRaised, 0, &[], &[5]), (K::AlarmCleared, 0, &[0], &[6])],
            "leaf 1: clears another alarm than leaf 0 raised",
        ),
    ] {
        let wrong = wrong(steps);
        assert!(wrong.len() == 1 && wrong[0].starts_with(found), "{wrong:?}, wanted {found}");
    }
}

#[test]
fn a_search_has_one_end_and_is_open_no_longer_than_a_request_lives() {
    let twice = after_a_search(&[(K::Interrupted, 0, &[1], &[])]);
    assert_eq!(
        twice,
        ["leaf 5: 'interrupted' ends the search of leaf 1, which had its end before"]
    );
    assert_eq!(after_a_search(&[(K::Asked, 0, &[0], &[]), (K::Stopped, 0, &[], &[])]), [""; 0]);
    let late = after_a_search(&[(K::Asked, 0, &[0], &[]), (K::Stopped, 1, &[], &[])]);
    assert_eq!(
        late,
        ["leaf 5: a search was asked for and neither answered nor interrupted in the time that \
             a request lives"]
    );
    let started = after_a_search(&[(K::Asked, 0, &[0], &[]), (K::Started, 0, &[], &[9])]);
    assert_eq!(
        started,
        ["leaf 5: a search was asked for and never ended, though the box started again in leaf 6"]
    );
}

#[test]
fn a_report_without_a_first_and_a_second_review_of_its_answer_is_found() {
    let other = [
        (K::Asked, 0, &[0][..], &[][..]),
        (K::Answered, 0, &[5], &[0]),
        (K::Reviewed, 0, &[6], &[1, 0]),
    ];
    let report = |follows| [&other[..], &[(K::ReportIssued, 0, follows, &[])]].concat();
    assert_eq!(after_a_search(&report(&[2, 3, 4])), [""; 0]);
    for follows in [&[2, 3, 3], &[2, 3, 7], &[6, 3, 4]] {
        let wrong = after_a_search(&report(follows));
        assert!(
            wrong.len() == 1
                && wrong[0].contains("without a first and a second review of that answer"),
            "{follows:?}: {wrong:?}"
        );
    }
    let two_answers = after_a_search(&report(&[2, 6, 3]));
    assert_eq!(
        two_answers,
        ["leaf 8: is a report that does not follow one answer and two reviews of it"]
    );
    assert_eq!(
        after_a_search(&[(K::Reviewed, 0, &[2], &[3, 0])]),
        ["leaf 5: is by examiner 3; there is a first and a second"]
    );
}

#[test]
fn a_release_is_purged_within_ten_days_and_nothing_else_is_purged() {
    let released = [(K::BookingIn, 0, &[][..], &[0][..]), (K::Released, 0, &[], &[71])];
    let then = |rest: &[Step<'_>]| wrong(&[&released, rest].concat());
    assert_eq!(then(&[(K::Purged, 10 * DAY_H, &[1], &[71])]), [""; 0]);
    assert_eq!(
        then(&[(K::Purged, 10 * DAY_H + 1, &[1], &[71])]),
        ["leaf 2: purges what leaf 1 released 10 days before; 10 days are allowed"]
    );
    assert_eq!(then(&[(K::Stopped, 10 * DAY_H, &[], &[])]), [""; 0]);
    let open =
        "leaf 1: was released 11 days before the log ends and is not purged; 10 days are allowed";
    assert_eq!(then(&[(K::Stopped, 11 * DAY_H, &[], &[])]), [open]);
    let other = "leaf 2: bears the tag of another booking than leaf 1, which it follows";
    assert_eq!(then(&[(K::Purged, 1, &[1], &[72])]), [other]);
    let twice = [
        (K::Purged, 1, &[1][..], &[71][..]),
        (K::Purged, 1, &[1], &[71]),
        (K::Purged, 1, &[1], &[0]),
    ];
    assert_eq!(
        then(&twice),
        ["leaf 4: bears the tag of another booking than leaf 1, which it follows"]
    );
    let unreleased = "leaf 2: purges a booking that no leaf before it released or replaced";
    // The tag alone, of what was released, isn't enough: the purge names the release, or how long
    // it took would be anybody's guess.
    assert_eq!(then(&[(K::Purged, 1, &[], &[71])])[0], unreleased);
    let replaced = |tag: u64| {
        wrong(&[
            (K::BookingIn, 0, &[], &[0]),
            (K::BookingIn, 0, &[], &[tag]),
            (K::Purged, 0, &[], &[71]),
        ])
    };
    assert_eq!(replaced(71), [""; 0]);
    assert_eq!(replaced(72), [unreleased]);
    assert_eq!(
        wrong(&[
            (K::BookingIn, 0, &[], &[0]),
            (K::BookingIn, 0, &[], &[0]),
            (K::Purged, 0, &[], &[0])
        ]),
        [unreleased]
    );
}

#[test]
fn notices_and_extensions_stop_the_clock_and_what_nobody_decided_is_said() {
    let days = |days: u64| days * DAY_H;
    fn log<'s>(rest: &[Step<'s>]) -> Vec<Step<'s>> {
        [&[(K::BookingIn, 0, &[][..], &[0][..]), (K::Released, 0, &[], &[71])], rest].concat()
    }
    let end = (K::Stopped, days(25), &[][..], &[][..]);
    let undecided = "leaf 1: past due, undecided: kept because nobody decided the notice of leaf 2";
    for by_order in [0, 1] {
        assert_eq!(noted(&log(&[(K::HoldNoticed, days(2), &[1], &[by_order]), end])), [undecided]);
    }
    let granted =
        [(K::HoldNoticed, days(2), &[1][..], &[0][..]), (K::HoldDecided, days(3), &[2], &[1])];
    let kept = "leaf 1: is kept until it is transferred, since the notice of leaf 2 was granted";
    assert_eq!(noted(&log(&[&granted[..], &[end]].concat())), [kept]);
    // The clock stood for four days.
    let transferred = [&granted[..], &[(K::Transferred, days(6), &[3], &[])]].concat();
    assert_eq!(
        noted(&log(&[&transferred[..], &[(K::Purged, days(14), &[1], &[71])]].concat())),
        [""; 0]
    );
    assert_eq!(
        wrong(&log(&[&transferred[..], &[(K::Purged, days(15), &[1], &[71])]].concat())).len(),
        1
    );
    let refused =
        [(K::HoldNoticed, days(2), &[1][..], &[0][..]), (K::HoldDecided, days(3), &[2], &[0])];
    assert_eq!(
        wrong(&log(&[&refused[..], &[(K::Purged, days(12), &[1], &[71])]].concat())).len(),
        1
    );
    assert_eq!(
        wrong(&log(&[&refused[..], &[(K::Purged, days(11), &[1], &[71])]].concat())),
        [""; 0]
    );
    let ordered =
        [(K::HoldNoticed, days(2), &[1][..], &[1][..]), (K::Purged, days(3), &[1], &[71])];
    assert_eq!(
        wrong(&log(&ordered)),
        ["leaf 3: purges what leaf 1 released, though the order noticed in leaf 2 had stopped \
             that"]
    );
    for (granted, days_late, violations) in [(1, 25, 0), (1, 42, 1), (0, 25, 1)] {
        let extended = [
            (K::ExtensionDecided, days(1), &[1][..], &[granted, 30][..]),
            (K::Purged, days(days_late), &[1], &[71]),
        ];
        assert_eq!(wrong(&log(&extended)).len(), violations, "{granted} {days_late}");
    }
}

#[test]
fn a_sample_is_drawn_again_and_must_come_out_as_the_log_says() {
    let searches =
        [&SEARCH[..], &[(K::Asked, 0, &[0], &[]), (K::Interrupted, 0, &[5], &[])]].concat();
    let sample = |end, drawn: &[u64; 2]| {
        let seeded: &[u64] = &[7, 1_000_000, 0, end];
        let rest = [
            (K::SampleSeeded, 0, &[][..], seeded),
            (K::SampleDrawn, 0, &[7], drawn),
            (K::SampleReviewed, 0, &[8], &[]),
        ];
        wrong(&[&searches[..], &rest].concat())
    };
    assert_eq!(sample(7, &[2, 2]), [""; 0]);
    let again = "leaf 8: says that 1 of 2 searches were drawn by the seed of leaf 7; drawn again, \
        it is 2 of 2";
    assert_eq!(sample(7, &[2, 1]), [again]);
    assert_eq!(sample(5, &[1, 1]), [""; 0]);
    assert_eq!(
        sample(8, &[2, 2]),
        ["leaf 7: a sample's seed must come after all that the sample is drawn from"]
    );
}

#[test]
fn what_is_not_understood_or_not_there_is_counted_and_nothing_is_held_against_it() {
    let mut newer = leaf((K::Stopped, 0, &[], &[])).to_bytes();
    newer[0] = 2;
    let mut rules = Rules::new(false);
    rules.leaf(&Entry::read(&newer).unwrap(), None, &mut || unreachable!());
    rules.unread();
    for step in
        [(K::Asked, 1, &[0][..], &[][..]), (K::Answered, 1, &[1], &[3]), (K::Started, 9, &[], &[1])]
    {
        rules.leaf(&Entry::read(&leaf(step).to_bytes()).unwrap(), None, &mut || unreachable!());
    }
    for step in [
        (K::BookingIn, 9, &[][..], &[0][..]),
        (K::ReportIssued, 9, &[1, 1, 1], &[]),
        (K::Asked, 9, &[1], &[]),
        (K::Interrupted, 9, &[7], &[]),
    ] {
        rules.leaf(&Entry::read(&leaf(step).to_bytes()).unwrap(), None, &mut || unreachable!());
    }
    // What replaced the booking, what asked for the search and what stopped the purge may be among
    // those that weren't read.
    rules.unread();
    let late = 9 + 20 * DAY_H;
    for step in [
        (K::Purged, 9, &[][..], &[5][..]),
        (K::Answered, 9, &[9], &[0]),
        (K::Released, 9, &[], &[6]),
        (K::Purged, late, &[12], &[6]),
    ] {
        rules.leaf(&Entry::read(&leaf(step).to_bytes()).unwrap(), None, &mut || unreachable!());
    }
    let ruled = rules.end();
    assert!(ruled.violations.is_empty(), "{:?}", ruled.violations);
    assert_eq!((ruled.foreign, ruled.tallies["asked"], ruled.tallies.len()), (1, 2, 8));
}

#[test]
fn alarms_are_counted_and_those_that_nobody_cleared_are_named() {
    let alarms = [
        (K::AlarmRaised, 0, &[][..], &[1][..]),
        (K::AlarmCleared, 0, &[0], &[1]),
        (K::AlarmRaised, 0, &[], &[1]),
    ];
    let told = [
        "the log: the alarm 'unwitnessed': raised 2, cleared 1",
        "leaf 2: the alarm 'unwitnessed' was raised and never cleared",
    ];
    assert_eq!(noted(&alarms), told);
}

#[test]
fn times_that_no_witness_can_have_seen_are_found() {
    let mut rules = Rules::new(false);
    let (until, from) = ((Time::EPOCH, after(2)), (after(4), Time::MAX));
    for (bound, hours) in [(until, 1), (until, 3), (from, 3), (from, 5)] {
        rules.bound(bound.0, bound.1);
        rules.leaf(
            &Entry::read(&leaf((K::Stopped, hours, &[], &[])).to_bytes()).unwrap(),
            None,
            &mut || unreachable!(),
        );
    }
    let wrong: Vec<String> =
        rules.end().violations.list.iter().map(|remark| remark.what[..12].to_owned()).collect();
    assert_eq!(wrong, ["dated after ", "dated before"]);
}
