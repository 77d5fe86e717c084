use super::tests::{DAY_H, SEARCH, Step, leaf};
use super::*;
use crate::audit::examples::example;
use crate::audit::{Actor, Detail, Leaf, SampleFinding, Shown, commit};
use crate::booking::{Identifier, VersionId};
use crate::inquiry::{self, Disposition};
use LeafKind as K;

/// Leaves with their details; what was found of the details.
fn told(all_details: bool, steps: &[(Step<'_>, Option<Detail>)]) -> Vec<String> {
    ruled_with(all_details, steps).violations.list.iter().map(ToString::to_string).collect()
}

fn ruled_with(all_details: bool, steps: &[(Step<'_>, Option<Detail>)]) -> Ruled {
    let mut rules = Rules::new(all_details);
    for (step, detail) in steps {
        let text = detail.as_ref().map(|detail| String::from_utf8(detail.to_bytes()).unwrap());
        let commitment = text.as_ref().map_or([0; 32], |text| commit(&[1; 32], text.as_bytes()));
        let bytes = Leaf { commitment, ..leaf(*step) }.to_bytes();
        let opened = text.as_ref().map(|text| Opened { salt: &[1; 32], text, place: Place::Log });
        rules.leaf(&Entry::read(&bytes).unwrap(), opened, &mut || [0; 32]);
    }
    rules.end()
}

fn actor(name: &str) -> Actor {
    Actor { certificate: name.to_owned(), fingerprint: String::new(), person: None, agency: None }
}

#[test]
fn a_detail_repeats_its_leaf_and_agrees_with_those_before_it() {
    let shown = Shown { version: VersionId([1; 16]), score: 0.5 };
    let answered = |search: &str, candidates: usize| Detail::Answered {
        actor: actor("ann"),
        search: search.to_owned(),
        model: String::new(),
        gallery_rows: 1,
        candidates: vec![shown.clone(); candidates],
    };
    let asked = || match example(K::Asked) {
        Detail::Asked { inquiry, request, approval, touch, key, .. } => Detail::Asked {
            actor: actor("ann"),
            search: "s1".to_owned(),
            inquiry,
            request,
            approval,
            touch,
            key,
        },
        _ => unreachable!("it is of its kind"),
    };
    let reviewed = |examiner: &str| {
        let findings = vec![inquiry::Finding {
            candidate: VersionId([1; 16]),
            disposition: Disposition::Inconclusive,
            observations: Vec::new(),
            note: None,
        }];
        Detail::Reviewed {
            actor: actor(examiner),
            inquiry: String::new(),
            findings,
            released: Vec::new(),
            disagreements: 0,
        }
    };
    let log_by = |answer: Detail, first: &str, second: &str, follows: &[u64]| {
        told(
            false,
            &[
                ((K::InquiryOpened, 0, &[], &[]), None),
                ((K::Asked, 0, &[0], &[]), Some(asked())),
                ((K::Answered, 0, &[1], &[1]), Some(answer)),
                ((K::Reviewed, 0, &[2], &[1, 1]), Some(reviewed(first))),
                ((K::Reviewed, 0, follows, &[2, 1]), Some(reviewed(second))),
            ],
        )
    };
    let log = |answer, first, second| log_by(answer, first, second, &[2, 3]);
    assert_eq!(log(answered("s1", 1), "ann", "bo"), [""; 0]);
    assert_eq!(log(answered("s1", 2), "ann", "bo"), ["leaf 2: counts 1 candidates, its detail 2"]);
    assert_eq!(
        log(answered("s2", 1), "ann", "bo"),
        ["leaf 2: its detail names another search than that of leaf 1"]
    );
    assert_eq!(
        log(answered("s1", 1), "bo", "bo"),
        ["leaf 4: the second examiner of leaf 2 is the first one again"]
    );
    assert_eq!(
        log(answered("s1", 1), "bo", "ann"),
        ["leaf 4: the second examiner of leaf 2 is the person who ran the search"]
    );
    assert_eq!(
        log_by(answered("s1", 1), "bo", "bo", &[3]),
        ["leaf 4: the second examiner of leaf 2 is the first one again"]
    );
    let other = log(Detail::Stopped { software: String::new() }, "ann", "bo");
    assert_eq!(other, ["leaf 2: is 'answered', and its detail is of a leaf 'stopped'"]);
}

#[test]
fn what_became_of_an_inquiry_bears_the_tag_of_that_inquiry() {
    let closed = |name: &str| Detail::InquiryClosed {
        actor: actor("ann"),
        inquiry: name.to_owned(),
        withdrawn: true,
        reason: String::new(),
    };
    let log = |names: [&str; 2], tags: [u64; 2]| {
        told(
            false,
            &[
                ((K::InquiryClosed, 0, &[], &[tags[0], 1]), Some(closed(names[0]))),
                ((K::InquiryClosed, 0, &[], &[tags[1], 1]), Some(closed(names[1]))),
            ],
        )
    };
    assert_eq!(log(["a", "b"], [4, 5]), [""; 0]);
    assert_eq!(log(["a", "a"], [4, 4]), [""; 0]);
    assert_eq!(
        log(["a", "a"], [4, 5]),
        ["leaf 1: its detail names an inquiry that bore another tag before"]
    );
}

#[test]
fn a_purge_names_what_was_released() {
    let agency = || Identifier::parse("slmpd").unwrap();
    let version = |n| VersionId([n; 16]);
    let purged =
        |n| Detail::Purged { agency: agency(), version: version(n), assurance: String::new() };
    let released = Detail::Released {
        actor: actor("a"),
        agency: agency(),
        versions: vec![version(1), version(2)],
        reason: String::new(),
    };
    let log = |n| {
        let released = ((K::Released, 0, &[][..], &[71][..]), Some(released.clone()));
        told(
            false,
            &[
                ((K::BookingIn, 0, &[], &[0]), None),
                released,
                ((K::Purged, 0, &[1], &[71]), Some(purged(n))),
            ],
        )
    };
    assert_eq!(log(2), [""; 0]);
    assert_eq!(log(3), ["leaf 2: its detail names another booking than that of leaf 1"]);
    let booked = |n, replaces| Detail::BookingIn {
        actor: actor("a"),
        agency: agency(),
        version: version(n),
        replaces,
        photo_commitment: String::new(),
    };
    let replaced = |tag: u64, replaces: Option<VersionId>, purge| {
        let second = ((K::BookingIn, 0, &[][..], &[tag][..]), Some(booked(2, replaces)));
        told(
            false,
            &[
                ((K::BookingIn, 0, &[], &[0]), Some(booked(1, None))),
                second,
                ((K::Purged, 0, &[], &[71]), Some(purge)),
            ],
        )
    };
    assert_eq!(replaced(71, Some(version(1)), purged(1)), [""; 0]);
    assert_eq!(
        replaced(71, Some(version(1)), purged(3)),
        ["leaf 2: its detail names another booking than the one that leaf 1 replaced"]
    );
    let none = "leaf 1: its detail says that it replaces a version, and it bears the tag of none";
    assert_eq!(replaced(0, Some(version(1)), purged(1))[0], none);
    assert_eq!(
        replaced(71, None, purged(1)),
        ["leaf 1: it bears the tag of a version that it replaces, and its detail names none"]
    );
}

#[test]
fn a_notice_before_release_holds_it_where_details_say_so_and_else_is_a_doubt() {
    let (agency, version) = (|| Identifier::parse("slmpd").unwrap(), |n| VersionId([n; 16]));
    let notice = |n| Detail::HoldNoticed {
        actor: actor("a"),
        agency: agency(),
        version: version(n),
        order: None,
        reason: String::new(),
    };
    let released = || Detail::Released {
        actor: actor("a"),
        agency: agency(),
        versions: vec![version(1)],
        reason: String::new(),
    };
    // Noticed, released, decided or not, and the log goes on: what is found wrong, and what is said
    // of the release.
    let log = |held: Option<Detail>, release: Option<Detail>, ends: Option<u64>, days: u64| {
        let mut steps: Vec<(Step<'_>, Option<Detail>)> = vec![
            ((K::HoldNoticed, 0, &[], &[0]), held),
            ((K::Released, DAY_H, &[], &[71]), release),
        ];
        steps.extend(ends.map(|day| ((K::HoldDecided, day * DAY_H, &[0][..], &[0][..]), None)));
        steps.push(((K::Stopped, days * DAY_H, &[], &[]), None));
        let ruled = ruled_with(false, &steps);
        (
            ruled.violations.count(),
            ruled
                .observations
                .list
                .iter()
                .map(|remark| remark.what.clone())
                .collect::<Vec<_>>()
                .join("; "),
        )
    };
    assert_eq!(log(None, None, None, 11), (0, String::new()), "ten days");
    let doubt = "was released 11 days before the log ends and is not purged; 10 days are allowed; \
        the notice of leaf 0, of a booking that \
                 stood then, may hold it: only opened details tell";
    assert_eq!(log(None, None, None, 12), (0, doubt.to_owned()));
    assert_eq!(log(Some(notice(1)), None, None, 12), (0, doubt.to_owned()));
    assert_eq!(log(None, Some(released()), None, 12), (0, doubt.to_owned()));
    let undecided =
        "past due, undecided: kept because nobody decided the notice of leaf 0".to_owned();
    assert_eq!(log(Some(notice(1)), Some(released()), None, 12), (0, undecided));
    assert_eq!(
        log(Some(notice(2)), Some(released()), None, 12),
        (1, String::new()),
        "it is about another booking"
    );
    // Refused on the fifth day: the clock stood for four.
    for (held, release) in [(None, None), (Some(notice(1)), Some(released()))] {
        assert_eq!(log(held.clone(), release.clone(), Some(5), 15).0, 0);
        assert_eq!(log(held, release, Some(5), 16), (1, String::new()));
    }
    assert_eq!(log(Some(notice(2)), Some(released()), Some(5), 15), (1, String::new()));
}

#[test]
fn a_review_is_of_a_search_that_its_sample_drew() {
    let (finding, note) = (SampleFinding::Misuse, String::new());
    let review = |asked| Detail::SampleReviewed {
        actor: actor("a"),
        asked,
        finding,
        note: note.clone(),
        routed_to: None,
    };
    let log = |asked| {
        let mut steps: Vec<(Step<'_>, Option<Detail>)> =
            SEARCH.iter().map(|step| (*step, None)).collect();
        steps.push(((K::SampleSeeded, 0, &[], &[7, 1_000_000, 0, 5]), None));
        steps.push(((K::SampleDrawn, 0, &[5], &[1, 1]), None));
        steps.push(((K::SampleReviewed, 0, &[6], &[]), Some(review(asked))));
        told(false, &steps)
    };
    assert_eq!(log(1), [""; 0]);
    assert_eq!(
        log(2),
        ["leaf 7: its detail is about the search of leaf 2, which the sample of leaf 6 did not \
             draw"]
    );
}

#[test]
fn where_all_details_were_asked_for_only_what_the_log_calls_expired_may_be_missing() {
    let stopped = || Some(Detail::Stopped { software: String::new() });
    let expired = |first: u64, end: u64| Detail::DetailsExpired { first, end, kept_days: 1_095 };
    let log = |detail| {
        let stop = (K::Stopped, 0, &[][..], &[][..]);
        let counts: &[u64] = &[1, 3];
        let steps = [
            (stop, detail),
            (stop, None),
            (stop, None),
            ((K::DetailsExpired, 0, &[], counts), Some(expired(1, 3))),
        ];
        told(true, &steps)
    };
    assert_eq!(log(stopped()), [""; 0]);
    assert_eq!(
        log(None),
        ["leaf 0: its detail is not there, though all were asked for and no leaf says that it \
             has expired"]
    );
    assert_eq!(
        without(vec![(0, 9), (12, 20)], &[(2, 4), (8, 13), (30, 40)]),
        [(0, 2), (4, 8), (13, 20)]
    );
}

#[test]
fn whoever_went_through_the_log_went_through_leaves_that_were_there() {
    let log = |counts: &'static [u64]| {
        told(
            false,
            &[
                ((K::Started, 0, &[], &[0]), None),
                ((K::Stopped, 0, &[], &[]), None),
                ((K::LogReviewed, 0, &[], counts), None),
            ],
        )
    };
    assert_eq!(log(&[0, 2]), [""; 0]);
    for counts in [&[0, 3][..], &[2, 2], &[2, 1]] {
        assert_eq!(
            log(counts),
            ["leaf 2: says that somebody went through leaves that do not come before it"],
            "{counts:?}"
        );
    }
}
