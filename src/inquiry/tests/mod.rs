//! The machine in sentences, and against a model of it.

mod cast;
mod model;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use time::macros::date;

use super::{Action, ActionError, Disposition, Event, Inquiry, InquiryId, Stage, Upshot, Who};
use crate::calendar::Time;
use crate::limits::{EVIDENCE_CHAIN_MAX, SEARCHES_PER_INQUIRY_MAX};
use cast::{
    AUDRA, Account, Asks, CLEO, ED, ERIN, Grade, Move, OLGA, OMAR, Order, RITA, Words, given,
    person, request, version, who,
};
pub(super) use walk::removed;
use walk::{name, play, without};

const INQUIRIES: u64 = 100_000;
/// Every rule of the machine that a short walk comes across.
const RULES: [&str; 52] = [
    "Changed",
    "Hollow",
    "Ended",
    "MayNotOperate",
    "MayNotExamine",
    "MayNotCommand",
    "MayNotAudit",
    "PartInIt",
    "OperatorIsRequester",
    "OperatorAnswersForIt",
    "NotTheOperator",
    "NotTheExaminer",
    "SecondIsOperator",
    "FirstAsked",
    "SecondAsked",
    "SecondIsFirst",
    "NoPartInIt",
    "ProbeSize",
    "ProbeSearched",
    "NoSuchFace",
    "QualitySize",
    "PoorProbe",
    "NoFace",
    "SearchUnderWay",
    "AlreadyAnswered",
    "SearchRepeated",
    "NoSearchUnderWay",
    "TooManyCandidates",
    "CandidatesDisordered",
    "NotAnswered",
    "FirstClaimed",
    "FirstUnfinished",
    "SecondClaimed",
    "NoReviewUnderWay",
    "NotACandidate",
    "CandidateReleased",
    "AlreadyDispositioned",
    "FeatureTwice",
    "LeadUnfounded",
    "NoLeadUnfounded",
    "InconclusiveUnfounded",
    "CandidatesSkipped",
    "NotReviewed",
    "AlreadyIssued",
    "NotIssued",
    "ReportWithheld",
    "NoSuchCopy",
    "ReceiverHollow",
    "LeadsNumberMissing",
    "LeadsNumberHollow",
    "EvidenceUnmarked",
    "EvidenceUnsaid",
];

#[test]
fn a_hundred_thousand_random_inquiries_go_as_the_model_says() {
    assert_eq!(play(INQUIRIES, |_| {}), Ok(()));
}

#[test]
fn each_rule_that_is_removed_is_missed() {
    for rule in RULES {
        assert!(
            without(rule, || play(INQUIRIES, |_| {})).is_err(),
            "{rule} could go and nobody would notice"
        );
    }
}

#[test]
fn every_refusal_says_what_was_wanted_in_words_that_promise_nothing() {
    let mut told = BTreeMap::<String, String>::new();
    play(20_000, |refusal| {
        told.entry(name(refusal)).or_insert_with(|| refusal.to_string());
    })
    .unwrap();
    for rule in RULES {
        let words = told.get(rule).unwrap_or_else(|| panic!("{rule} never refused anything"));
        assert!(words.contains("wanted"), "{rule}: {words}");
        assert!(
            !["match", "percent", "probab", "identified"].iter().any(|word| words.contains(word)),
            "{rule}: {words}"
        );
    }
}

// In sentences

const PROBE: (Account, Move) = (OLGA, Move::Probe { faces: 2, too_large: false });
const FACE: (Account, Move) = (OLGA, Move::Face { index: 1, faces: 2, quality: Grade::Good });
const ASK: (Account, Move) = (OLGA, Move::Ask { search: 0 });
const FIRST: Move = Move::ClaimFirst { order: 1 };
const SECOND: Move = Move::ClaimSecond { order: 2 };
const NUMBERED: Move = Move::Evidence { hollow: false, number: Words::Said };
const UNNUMBERED: Move = Move::Evidence { hollow: false, number: Words::Unsaid };
const NO_ARREST: Move =
    Move::Outcome { upshot: Upshot::NoArrest, number: Words::Unsaid, evidence: Words::Unsaid };

const fn answered(candidates: u8) -> (Account, Move) {
    (OLGA, Move::Answered { candidates, order: Order::BestFirst })
}

const fn says(version: u8, disposition: Disposition) -> Move {
    Move::Dispose { version, disposition, founded: true, twice: false }
}

fn step(inquiry: &mut Inquiry, (account, mv): (Account, Move)) -> Result<(), ActionError> {
    let leaf = inquiry.revision();
    match given(mv, leaf) {
        Ok(action) => inquiry.act(&who(account, true), leaf, Time::from_cs(leaf), action),
        Err(event) => inquiry.happen(Time::from_cs(leaf), event),
    }
}

/// An inquiry of olga's on which these steps were taken.
fn after(steps: &[(Account, Move)]) -> Inquiry {
    let mut inquiry = Inquiry::open(
        InquiryId([7; 16]),
        request(Asks::Rita),
        &who(OLGA, true),
        date!(2026 - 11 - 23),
        None,
        Time::EPOCH,
    )
    .unwrap();
    steps.iter().for_each(|&taken| step(&mut inquiry, taken).unwrap());
    inquiry
}

/// The same with an array of two, olga's review of it and ed's, up to the stage that is wanted.
fn at(stage: Stage) -> Inquiry {
    let mut inquiry = after(&[PROBE, FACE, ASK, answered(2)]);
    for taken in [
        (OLGA, FIRST),
        (OLGA, says(0, Disposition::Lead)),
        (OLGA, says(1, Disposition::NoLead)),
        (OLGA, Move::Finish),
        (ED, SECOND),
        (ED, says(1, Disposition::NoLead)),
        (ED, says(0, Disposition::Inconclusive)),
        (ED, Move::Finish),
        (ED, Move::Issue),
    ] {
        if inquiry.stage() == stage {
            break;
        }
        step(&mut inquiry, taken).unwrap();
    }
    assert_eq!(inquiry.stage(), stage);
    inquiry
}

#[test]
fn an_inquiry_goes_through_its_stages_and_each_is_stored_and_read_as_it_is() {
    use Stage::*;
    let mut inquiry = after(&[]);
    let mut stages = vec![inquiry.stage()];
    for taken in [
        PROBE,
        FACE,
        ASK,
        answered(1),
        (ERIN, FIRST),
        (ERIN, says(0, Disposition::Lead)),
        (ERIN, Move::Finish),
        (ED, SECOND),
        (ED, says(0, Disposition::Lead)),
        (ED, Move::Finish),
        (ERIN, Move::Issue),
        (OMAR, NO_ARREST),
    ] {
        step(&mut inquiry, taken).unwrap();
        stages.push(inquiry.stage());
        let stored = serde_json::to_value(&inquiry).unwrap();
        assert_eq!(serde_json::from_value::<Inquiry>(stored.clone()).unwrap(), inquiry);
        let mut strange = stored;
        strange["stage"] = json!("closed");
        assert!(serde_json::from_value::<Inquiry>(strange).is_err(), "a record holds nothing else");
    }
    stages.dedup();
    assert_eq!(
        stages,
        [
            Opened,
            ProbeReceived,
            FaceChosen,
            Asked,
            Answered,
            FirstReview,
            ReviewedOnce,
            SecondReview,
            Reviewed,
            Issued,
            Closed
        ]
    );
    assert_eq!(inquiry.revision(), 13);
}

#[test]
fn an_empty_answer_is_reviewed_by_two_and_reported_too() {
    let mut inquiry = after(&[PROBE, FACE, ASK, answered(0), (OLGA, FIRST), (OLGA, Move::Finish)]);
    assert_eq!(
        step(&mut inquiry, (OLGA, Move::Issue)),
        Err(ActionError::NotReviewed { stage: Stage::ReviewedOnce })
    );
    for taken in [(ED, SECOND), (ED, Move::Finish), (OLGA, Move::Issue)] {
        step(&mut inquiry, taken).unwrap();
    }
    assert_eq!((inquiry.stage(), inquiry.disagreements()), (Stage::Issued, Some(vec![])));
}

#[test]
fn another_probe_takes_the_face_away_and_comes_too_late_after_a_search() {
    let mut inquiry = after(&[PROBE, FACE, PROBE]);
    assert_eq!(inquiry.stage(), Stage::ProbeReceived);
    for taken in [FACE, ASK, (OLGA, Move::Interrupted)] {
        step(&mut inquiry, taken).unwrap();
    }
    assert_eq!(step(&mut inquiry, PROBE), Err(ActionError::ProbeSearched));
}

#[test]
fn an_interrupted_search_leads_back_to_the_face_and_not_for_ever() {
    let mut inquiry = after(&[PROBE, FACE]);
    for search in 0..u8::try_from(SEARCHES_PER_INQUIRY_MAX).unwrap() {
        step(&mut inquiry, (OLGA, Move::Ask { search })).unwrap();
        assert_eq!(step(&mut inquiry, FACE), Err(ActionError::SearchUnderWay));
        step(&mut inquiry, (OLGA, Move::Interrupted)).unwrap();
        assert_eq!(inquiry.stage(), Stage::FaceChosen);
    }
    assert!(inquiry.searches().iter().all(|search| search.interrupted == Some(search.leaf + 1)));
    assert_eq!(
        step(&mut inquiry, (OLGA, Move::Ask { search: 200 })),
        Err(ActionError::TooManySearches)
    );
}

#[test]
fn a_search_of_a_withdrawn_inquiry_is_interrupted_and_never_answered() {
    let mut inquiry = after(&[PROBE, FACE, ASK, (OLGA, Move::Withdraw { reason: Words::Said })]);
    assert_eq!(
        step(&mut inquiry, answered(1)),
        Err(ActionError::Ended { stage: Stage::Withdrawn })
    );
    assert_eq!(step(&mut inquiry, (OLGA, Move::Interrupted)), Ok(()));
    assert!(
        !inquiry.under_way()
            && inquiry.stage() == Stage::Withdrawn
            && !inquiry.sight(person(OLGA)).probe
    );
}

#[test]
fn a_report_that_is_out_is_not_withdrawn_any_more() {
    let mut inquiry = at(Stage::Issued);
    for end in [Move::Withdraw { reason: Words::Said }, Move::Refused { reason: Words::Said }] {
        assert_eq!(step(&mut inquiry, (OLGA, end)), Err(ActionError::AlreadyIssued));
    }
}

#[test]
fn nobody_sees_a_score_or_a_name_before_two_have_finished() {
    let known = |inquiry: &Inquiry| -> Vec<bool> {
        let of = |account| inquiry.sight(person(account)).candidates;
        let seen = [OLGA, ED, OMAR, RITA].into_iter().flat_map(of);
        seen.map(|candidate| candidate.score_and_biography).collect()
    };
    let mut inquiry = at(Stage::FirstReview);
    for taken in [
        (OLGA, says(1, Disposition::NoLead)),
        (OLGA, says(0, Disposition::Lead)),
        (OLGA, Move::Finish),
        (ED, SECOND),
        (ED, says(0, Disposition::Lead)),
        (ED, says(1, Disposition::Lead)),
    ] {
        assert_eq!(known(&inquiry), [false; 8]);
        step(&mut inquiry, taken).unwrap();
    }
    assert_eq!(known(&inquiry), [false; 8]);
    assert!(!inquiry.sight(person(OLGA)).others && !inquiry.sight(person(ED)).others);
    step(&mut inquiry, (ED, Move::Finish)).unwrap();
    assert_eq!(known(&inquiry), [true, true, true, true, false, false, false, false]);
    assert!(inquiry.sight(person(OLGA)).others && inquiry.sight(person(ED)).others);
    assert!(!inquiry.sight(person(RITA)).others);
}

#[test]
fn an_answered_inquiry_is_withdrawn_only_when_two_have_looked() {
    let drop = (OLGA, Move::Withdraw { reason: Words::Said });
    for stage in [Stage::Answered, Stage::FirstReview, Stage::ReviewedOnce, Stage::SecondReview] {
        let refused = step(&mut at(stage), drop);
        assert_eq!(refused, Err(ActionError::NotReviewed { stage }));
    }
    let mut inquiry = at(Stage::Reviewed);
    step(&mut inquiry, drop).unwrap();
    assert_eq!(inquiry.stage(), Stage::Withdrawn);
    assert_eq!(step(&mut after(&[PROBE, FACE]), drop), Ok(()), "nobody has seen anything yet");
}

#[test]
fn an_examiner_meets_candidates_in_an_order_that_is_drawn_and_tells_no_score() {
    let wide = |scores: [f64; 3], first: u64, second: u64| {
        let mut inquiry = after(&[PROBE, FACE, ASK]);
        inquiry.request.candidates = 3;
        let versions = [2, 0, 1].map(version);
        let candidates = versions.into_iter().zip(scores).collect();
        let now = Time::EPOCH;
        inquiry.happen(now, Event::Answered { candidates, leaf: 9 }).unwrap();
        let act = |inquiry: &mut Inquiry, account, action| {
            inquiry.act(&who(account, true), inquiry.revision(), now, action).unwrap();
        };
        act(&mut inquiry, ERIN, Action::ClaimFirst { order: first });
        for candidate in versions {
            let Ok(finding) = given(says(candidate.0[0], Disposition::NoLead), 0) else {
                unreachable!("people dispose")
            };
            act(&mut inquiry, ERIN, finding);
        }
        act(&mut inquiry, ERIN, Action::Finish { leaf: 10 });
        act(&mut inquiry, ED, Action::ClaimSecond { order: second });
        [ERIN, ED].map(|account| {
            let seen = inquiry.sight(person(account)).candidates;
            seen.into_iter().map(|seen| seen.version.0[0]).collect::<Vec<u8>>()
        })
    };
    let (mut first, mut second) = (BTreeSet::new(), BTreeSet::new());
    for drawn in 0..64 {
        let [one, other] = wide([0.9, 0.5, 0.1], drawn, drawn);
        assert_ne!(one, other, "even where both drew the same number");
        assert_eq!(wide([0.3, 0.3, 0.3], drawn, drawn), [one.clone(), other.clone()]);
        first.insert(one);
        second.insert(other);
    }
    assert_eq!((first.len(), second.len()), (6, 6), "each order comes up");
}

#[test]
fn a_review_waits_for_whoever_may_claim_it() {
    let waits_for = |inquiry: &Inquiry| -> Vec<Account> {
        let may = |account: &Account| inquiry.may_claim(&who(*account, true));
        [OLGA, OMAR, ERIN, ED, RITA].into_iter().filter(may).collect()
    };
    assert_eq!(waits_for(&at(Stage::Answered)), [OLGA, ERIN, ED], "rita asked");
    assert_eq!(waits_for(&at(Stage::ReviewedOnce)), [ERIN, ED]);
    for stage in [Stage::FirstReview, Stage::SecondReview, Stage::Reviewed] {
        assert!(waits_for(&at(stage)).is_empty());
    }
}

#[test]
fn the_probe_is_open_to_operator_and_examiners_until_the_inquiry_is_over() {
    let mut inquiry = at(Stage::Issued);
    let open =
        |inquiry: &Inquiry| [OLGA, ED, ERIN].map(|account| inquiry.sight(person(account)).probe);
    assert_eq!(open(&inquiry), [true, true, false]);
    step(&mut inquiry, (OLGA, NO_ARREST)).unwrap();
    assert_eq!(open(&inquiry), [false, false, false]);
}

#[test]
fn a_released_candidate_counts_as_dispositioned_and_is_shown_to_nobody() {
    let mut inquiry = at(Stage::SecondReview);
    step(&mut inquiry, (OLGA, Move::Released { version: 0 })).unwrap();
    assert_eq!(
        step(&mut inquiry, (ED, says(0, Disposition::Lead))),
        Err(ActionError::CandidateReleased { found: version(0) })
    );
    for taken in [(ED, says(1, Disposition::Lead)), (ED, Move::Finish)] {
        step(&mut inquiry, taken).unwrap();
    }
    let candidate = inquiry.candidate(version(0)).unwrap();
    let words = [inquiry.first(), inquiry.second()]
        .map(|review| review.unwrap().disposed(candidate).unwrap().words());
    assert_eq!(words, ["investigative lead", "released by its agency"]);
    for account in [OLGA, ED] {
        let seen = inquiry.sight(person(account)).candidates;
        assert_eq!(
            seen.iter().map(|seen| (seen.photo, seen.score_and_biography)).collect::<Vec<_>>(),
            [(true, true), (false, false)]
        );
    }
    assert_eq!(
        inquiry.disagreements(),
        Some(vec![version(1)]),
        "who never came to it disagrees with nobody"
    );
}

#[test]
fn a_release_between_the_last_review_and_the_report_asks_for_another_look() {
    let mut inquiry = at(Stage::Reviewed);
    let decided_on = inquiry.revision();
    step(&mut inquiry, (OLGA, Move::Released { version: 0 })).unwrap();
    let Ok(issue) = given(Move::Issue, 99) else { unreachable!("people issue reports") };
    let changed = ActionError::Changed { found: decided_on, wanted: decided_on + 1 };
    let at = Time::from_cs(99);
    assert_eq!(inquiry.act(&who(OLGA, true), decided_on, at, issue), Err(changed));
}

#[test]
fn where_two_examiners_disagree_is_told_once_both_have_finished() {
    assert_eq!(at(Stage::SecondReview).disagreements(), None);
    assert_eq!(at(Stage::Reviewed).disagreements(), Some(vec![version(0)]));
}

#[test]
fn a_positive_identification_needs_receiver_number_and_other_evidence() {
    let positive = |number, evidence| {
        (OLGA, Move::Outcome { upshot: Upshot::PositiveIdentification, number, evidence })
    };
    let mut inquiry = at(Stage::Issued);
    assert_eq!(
        step(&mut inquiry, positive(Words::Said, Words::Said)),
        Err(ActionError::EvidenceUnmarked)
    );
    step(&mut inquiry, (OMAR, UNNUMBERED)).unwrap();
    assert_eq!(
        step(&mut inquiry, positive(Words::Unsaid, Words::Said)),
        Err(ActionError::LeadsNumberMissing)
    );
    assert_eq!(
        step(&mut inquiry, positive(Words::Said, Words::Unsaid)),
        Err(ActionError::EvidenceUnsaid)
    );
    let hollow = step(&mut inquiry, positive(Words::Said, Words::Hollow)).unwrap_err();
    assert_eq!(
        (&hollow, hollow.field()),
        (&ActionError::Hollow { field: "independent_evidence" }, Some("independent_evidence"))
    );
    step(&mut inquiry, positive(Words::Said, Words::Said)).unwrap();
    assert_eq!(inquiry.leads_number().unwrap().as_str(), "IL-26-0815");
}

#[test]
fn whoever_ordered_a_copy_does_not_give_it_out_in_another_role() {
    let mut inquiry = at(Stage::Issued);
    step(&mut inquiry, (CLEO, Move::OrderCopy { hollow: false, reason: Words::Said })).unwrap();
    let promoted = Who { may_command: false, may_audit: true, ..who(CLEO, true) };
    let revision = inquiry.revision();
    let give = || Action::GiveCopy { copy: 0, leaf: 9 };
    let now = Time::EPOCH;
    let refused = inquiry.clone().act(&promoted, revision, now, give()).unwrap_err();
    assert_eq!(refused, ActionError::PartInIt { found: promoted.person.id.clone() });
    inquiry.act(&who(AUDRA, true), revision, now, give()).unwrap();
}

#[test]
fn a_report_becomes_evidence_after_its_outcome_too_and_its_chain_ends() {
    let mut inquiry = at(Stage::Issued);
    step(&mut inquiry, (OLGA, NO_ARREST)).unwrap();
    assert_eq!(step(&mut inquiry, (OLGA, UNNUMBERED)), Err(ActionError::LeadsNumberMissing));
    step(&mut inquiry, (OLGA, NUMBERED)).unwrap();
    for _ in 1..EVIDENCE_CHAIN_MAX {
        step(&mut inquiry, (OLGA, UNNUMBERED)).unwrap();
    }
    assert_eq!(step(&mut inquiry, (OLGA, NUMBERED)), Err(ActionError::ChainTooLong));
    assert_eq!(inquiry.stage(), Stage::Closed);
}
