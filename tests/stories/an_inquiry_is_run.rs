//! An inquiry goes its way at desks: opened, a probe handed over, a face chosen, approved by touch,
//! searched, and looked at by two examiners who know neither score nor name nor each other's word.
//! Whatever comes out of turn is refused by its name.

use std::process::Command;

use serde_json::json;
use sha2::{Digest, Sha256};
use smrt::api::wire::ChallengeView;
use smrt::api::wire::InquiryView;
use smrt::audit::{Leaf, LeafKind};
use smrt::booking::VersionId;
use smrt::client::console_session::{ConsoleSession, SharedKey};
use smrt::client::software_key::KeyBehaviour;
use smrt::face::Edits;
use smrt::inquiry::{Component, Disposition, Finding, Observation, Seen, Stage};
use smrt::roster::{Person, Role};

use crate::builders::{request, request_json};
use crate::desks::{Hand, key_of, person, refused, relying_party};
use crate::photos::{BIDEN, COLLINS, OBAMA, OBAMA_LATER, edition, photo, small};
use crate::raw::Answer;
use crate::site::{Daemon, Site, booking, number, strict_models};

const WORDS: &str = "the still is all that the store has of him";

fn enrol(daemon: &Daemon<'_>) -> Vec<VersionId> {
    let feed = daemon.feed("slmpd");
    let push = |(n, path): (&str, &str)| {
        feed.put_booking(&number(n), &booking(&format!("Person {n}")), &photo(path))
            .unwrap()
            .version
    };
    [("26-1", OBAMA), ("26-2", BIDEN), ("26-3", COLLINS)].map(push).to_vec()
}

/// An operator, and two examiners at the other console.
fn three(daemon: &Daemon<'_>) -> [ConsoleSession; 3] {
    let desk = |device: &str, id: &str, role| daemon.desk_of(device, &person(id, role));
    [
        desk("rtcc-1", "operator", Role::Operator),
        desk("rtcc-2", "first", Role::Examiner),
        desk("rtcc-2", "second", Role::Examiner),
    ]
}

fn finding(candidate: VersionId, disposition: Disposition, seen: Seen) -> Finding {
    Finding {
        candidate,
        disposition,
        observations: vec![Observation { feature: Component::ALL[0].features()[0], seen }],
        note: None,
    }
}

fn lead(candidate: VersionId) -> Finding {
    finding(candidate, Disposition::Lead, Seen::Similarity)
}

fn no_lead(candidate: VersionId) -> Finding {
    finding(candidate, Disposition::NoLead, Seen::Difference)
}

fn finish(
    desk: &ConsoleSession,
    view: &InquiryView,
) -> Result<InquiryView, smrt::client::ClientError> {
    desk.post(
        &format!("/v1/inquiries/{}/finish", view.inquiry),
        &json!({"revision": view.revision}),
    )
}

/// Holds that nothing of score, name or number is in an inquiry as this desk is shown it.
#[track_caller]
fn blind(daemon: &Daemon<'_>, device: &str, desk: &ConsoleSession, view: &InquiryView) {
    let shown = Hand::new(daemon, &daemon.site.console_identity(device))
        .at(desk)
        .get(&format!("/v1/inquiries/{}", view.inquiry));
    let text = String::from_utf8(shown.body).unwrap();
    let secrets =
        ["\"score\"", "\"rank\"", "\"known\"", "Person 26", "26-1", "26-2", "26-3", "\"both\""];
    for secret in secrets {
        assert!(!text.contains(secret), "'{secret}' in {text}");
    }
}

/// An approval by hand, by a key with these habits.
fn approve(hand: &Hand<'_>, view: &InquiryView, key: &SharedKey, habits: &KeyBehaviour) -> Answer {
    let asked = ask(hand, view);
    hand.post(&step(view, "search"), &touched(view, &asked, key, habits))
}

fn step(view: &InquiryView, verb: &str) -> String {
    format!("/v1/inquiries/{}/{verb}", view.inquiry)
}

fn ask(hand: &Hand<'_>, view: &InquiryView) -> ChallengeView {
    let asked = hand.post(&step(view, "challenge"), &json!({"revision": view.revision}));
    serde_json::from_slice(&asked.body)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&asked.body)))
}

fn touched(
    view: &InquiryView,
    asked: &ChallengeView,
    key: &SharedKey,
    habits: &KeyBehaviour,
) -> serde_json::Value {
    let touch = key.lock().unwrap().touch_as(&asked.challenge, &relying_party(), habits).unwrap();
    json!({"revision": view.revision, "nonce": hex::encode(asked.nonce), "touch": touch})
}

/// Holds that a disposition without what it rests on is refused, and one of no candidate.
#[track_caller]
fn unfounded_findings_are_refused(examiner: &ConsoleSession, view: &InquiryView) {
    let best = view.candidates[0].version;
    for (hollow, words) in [
        (finding(best, Disposition::Lead, Seen::Difference), "a lead without a similarity"),
        (finding(best, Disposition::NoLead, Seen::Similarity), "no lead without a difference"),
        (
            Finding {
                observations: Vec::new(),
                ..finding(best, Disposition::Inconclusive, Seen::Difference)
            },
            "inconclusive without a word",
        ),
        (
            Finding {
                observations: [lead(best).observations, no_lead(best).observations].concat(),
                ..lead(best)
            },
            "a feature is named twice",
        ),
    ] {
        refused(examiner.dispose(view, hollow), 422, "finding-unfounded", words);
    }
    refused(
        examiner.dispose(view, lead(VersionId([9; 16]))),
        409,
        "wrong-candidate",
        "is no candidate of this inquiry",
    );
}

#[test]
fn two_examiners_judge_without_score_name_or_each_others_word() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let bookings = enrol(&daemon);
    let [operator, first, second] = three(&daemon);
    let array = operator.ask(&request(), &photo(OBAMA_LATER)).unwrap();
    let id = array.view.inquiry;
    assert_eq!((array.view.stage, array.view.candidates.len()), (Stage::Answered, 3));
    blind(&daemon, "rtcc-1", &operator, &array.view);
    let may_not = "an operator may not review candidates";
    refused(operator.claim(&array.view), 403, "not-this-role", may_not);
    refused(operator.photo(id, bookings[0]), 403, "not-shown", "not shown to you now");

    // It waits for an examiner, who sees faces and no more.
    let head = first.inquiries().unwrap().remove(0);
    assert!(head.waits && head.inquiry == id);
    let view = first.claim(&first.inquiry(id).unwrap()).unwrap();
    assert_eq!(view.stage, Stage::FirstReview);
    blind(&daemon, "rtcc-2", &first, &view);
    assert!(!first.photo(id, view.candidates[0].version).unwrap().is_empty());
    refused(second.claim(&view), 409, "out-of-turn", "the first review is not finished");
    refused(
        second.dispose(&view, lead(bookings[0])),
        403,
        "not-theirs",
        "second does not hold this review, wanted first",
    );
    refused(second.inquiry(id), 403, "not-shown", "the inquiry is not shown to you now");
    let skipped = "3 candidates have no disposition, wanted one for each";
    refused(finish(&first, &view), 409, "candidate-skipped", skipped);

    // A disposition brings nothing to see, and it stays.
    let best = bookings[0];
    unfounded_findings_are_refused(&first, &view);
    let view = first.dispose(&view, lead(best)).unwrap();
    blind(&daemon, "rtcc-2", &first, &view);
    refused(
        first.dispose(&view, no_lead(best)),
        409,
        "wrong-candidate",
        "has its disposition and keeps it",
    );
    refused(finish(&first, &view), 409, "candidate-skipped", "2 candidates have no disposition");
    let view = first.dispose(&view, no_lead(bookings[1])).unwrap();
    let view = first.dispose(&view, no_lead(bookings[2])).unwrap();
    let view = finish(&first, &view).unwrap();
    assert_eq!(view.stage, Stage::ReviewedOnce);
    blind(&daemon, "rtcc-1", &operator, &view);
    blind(&daemon, "rtcc-2", &first, &view);

    // The second is another, and as blind until all is done.
    refused(first.claim(&view), 403, "not-independent", "the first examiner can't be the second");
    let mine = second.claim(&second.inquiry(id).unwrap()).unwrap();
    blind(&daemon, "rtcc-2", &second, &mine);
    assert!(mine.candidates.iter().all(|candidate| candidate.photo && candidate.own.is_none()));
    let mut mine = mine;
    for at in 0..3 {
        mine = second.dispose(&mine, no_lead(mine.candidates[at].version)).unwrap();
        assert!(
            mine.candidates
                .iter()
                .all(|candidate| candidate.known.is_none() && candidate.both.is_none()),
            "{mine:?}"
        );
    }
    assert!(
        first.inquiry(id).unwrap().candidates.iter().all(|candidate| candidate.both.is_none()),
        "nor does the first see the second's"
    );
    let done = finish(&second, &mine).unwrap();
    assert_eq!((done.stage, done.disagreements.as_deref()), (Stage::Reviewed, Some(&[best][..])));
    for desk in [&operator, &first, &second] {
        // Now all who take part see all.
        let view = desk.inquiry(id).unwrap();
        assert_eq!(view.disagreements.as_deref(), Some(&[best][..]));
        assert!(
            view.candidates.iter().all(|candidate| candidate.known.is_some() && candidate.photo)
        );
        let both =
            view.candidates[0].both.clone().unwrap().map(|finding| finding.unwrap().disposition);
        assert_eq!(both, [Disposition::Lead, Disposition::NoLead]);
    }
    refused(second.claim(&done), 409, "out-of-turn", "the second review is second's");
    let late: Result<InquiryView, _> = operator.post(
        &step(&done, "outcome"),
        &json!({"revision": done.revision, "outcome": {"upshot": "no_lead"}}),
    );
    refused(late, 409, "out-of-turn", "no report is issued, wanted the report first");
    assert_eq!(daemon.stop(), Some(0));
    let log = site.ledger().log().unwrap();
    let leaves = log.iter().map(|leaf| Leaf::from_bytes(leaf).unwrap());
    let reviewed: Vec<Leaf> = leaves.filter(|leaf| leaf.kind == LeafKind::Reviewed).collect();
    let counts: Vec<&[u64]> = reviewed.iter().map(|leaf| &*leaf.counts).collect();
    assert_eq!(counts, [[1, 3], [2, 3]], "what they found is sealed");
    assert_eq!(reviewed[0].follows, [array.view.answered.unwrap()]);
}

#[test]
fn nobody_with_a_part_in_an_inquiry_is_its_second_examiner() {
    let site = Site::staffed();
    let daemon = site.start("test");
    enrol(&daemon);
    let desk = daemon.desk("rtcc-1");
    let requester = Person { badge: request().requester.badge, ..person("ortiz", Role::Examiner) };
    let requester = daemon.desk_of("rtcc-2", &requester);
    let reviewed = desk.search(&request(), &photo(OBAMA_LATER)).unwrap().view;
    refused(
        desk.claim(&reviewed),
        403,
        "not-independent",
        "the operator can't be the second examiner",
    );
    refused(
        requester.claim(&reviewed),
        403,
        "not-independent",
        "who asked or answers for the purpose can't be the second examiner",
    );
    refused(requester.inquiry(reviewed.inquiry), 403, "not-shown", "");
    assert!(requester.inquiries().unwrap().is_empty());
    daemon.desk("rtcc-2").claim(&reviewed).unwrap();
}

/// Steps that this desk tries out of turn, by hand, each with its refusal.
type Steps<'a> = &'a [(&'a str, serde_json::Value, u16, &'a str, &'a str)];

#[track_caller]
fn refused_by_hand(hand: &Hand<'_>, view: &InquiryView, steps: Steps<'_>) {
    for (verb, more, status, kind, words) in steps {
        let mut body = more.clone();
        body["revision"] = view.revision.into();
        hand.post(&step(view, verb), &body).is_problem(*status, kind, words);
    }
}

fn undecided() -> serde_json::Value {
    json!({"finding": {"candidate": "0".repeat(32), "disposition": "inconclusive",
        "observations": [], "note": "nothing to be seen"}})
}

fn no_lead_came_of_it() -> serde_json::Value {
    json!({"outcome": {"upshot": "no_lead"}})
}

fn handover() -> serde_json::Value {
    json!({"handover": {"received_by": "Evidence room", "of": "slmpd"}})
}

/// An inquiry with its face chosen, and what its desk was shown on the way.
fn chosen(desk: &ConsoleSession) -> [InquiryView; 3] {
    let opened = desk.open(&request()).unwrap();
    let probed = desk.hand_over(&opened, &photo(OBAMA_LATER)).unwrap();
    let chosen = desk.choose(&probed, None, Edits::default(), None).unwrap().view;
    assert_eq!(chosen.stage, Stage::FaceChosen);
    [opened, probed, chosen]
}

#[test]
fn each_step_waits_for_its_turn() {
    let site = Site::staffed();
    let daemon = site.start("test");
    enrol(&daemon);
    let desk = daemon.desk("rtcc-1");
    let hand = Hand::new(&daemon, &site.console_identity("rtcc-1")).at(&desk);
    let opened = desk.open(&request()).unwrap();
    let probe = json!({"bytes": 9, "sha256": "0".repeat(64)});
    let none = || json!({});
    refused_by_hand(
        &hand,
        &opened,
        &[
            ("probe", probe, 409, "upload-torn", "0 bytes have been received of 9 announced"),
            ("face", none(), 404, "not-found", "no probe of that name is yours"),
            ("challenge", none(), 409, "out-of-turn", "no face is chosen"),
            ("claim", none(), 409, "out-of-turn", "the search is not answered"),
            ("findings", undecided(), 409, "out-of-turn", "nobody holds a review"),
            ("finish", none(), 409, "out-of-turn", "nobody holds a review"),
            ("evidence", handover(), 409, "out-of-turn", "no report is issued"),
            ("outcome", no_lead_came_of_it(), 409, "out-of-turn", "no report is issued"),
        ],
    );
    hand.post("/v1/inquiries/00/claim", &json!({"revision": 1})).is_problem(
        400,
        "malformed",
        "32 hexadecimal digits",
    );
    hand.post(&format!("/v1/inquiries/{}/claim", "ab".repeat(16)), &json!({"revision": 1}))
        .is_problem(404, "not-found", "no inquiry");
    let probed = desk.hand_over(&opened, &photo(OBAMA_LATER)).unwrap();
    refused_by_hand(
        &hand,
        &probed,
        &[("challenge", none(), 409, "out-of-turn", "no face is chosen")],
    );
    let chosen = desk.choose(&probed, None, Edits::default(), None).unwrap().view;
    let answered = desk.approve(&chosen).unwrap().view;
    refused(
        desk.hand_over(&answered, &photo(COLLINS)),
        409,
        "out-of-turn",
        "a search was asked for with the probe that is here",
    );
    let again = desk.choose(&answered, None, Edits::default(), None);
    refused(again, 409, "out-of-turn", "the search was answered");
    refused(desk.approve(&answered), 409, "out-of-turn", "the search was answered");
}

#[test]
fn a_second_tab_is_told_that_the_inquiry_has_changed() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let desk = daemon.desk("rtcc-1");
    let hand = Hand::new(&daemon, &site.console_identity("rtcc-1")).at(&desk);
    let [opened, probed, third] = chosen(&desk);
    let old = "and the inquiry stands at 3";
    refused(desk.hand_over(&opened, &photo(OBAMA_LATER)), 409, "changed-meanwhile", old);
    refused(desk.choose(&probed, None, Edits::default(), None), 409, "changed-meanwhile", old);
    refused(desk.approve(&probed), 409, "changed-meanwhile", old);
    refused(desk.claim(&probed), 409, "changed-meanwhile", old);
    let withdrawn = json!({"reason": "the detective withdrew the request"});
    refused_by_hand(
        &hand,
        &probed,
        &[
            ("withdraw", withdrawn, 409, "changed-meanwhile", old),
            ("findings", undecided(), 409, "changed-meanwhile", old),
            ("finish", json!({}), 409, "changed-meanwhile", old),
            ("evidence", handover(), 409, "changed-meanwhile", old),
            ("outcome", no_lead_came_of_it(), 409, "changed-meanwhile", old),
        ],
    );
    assert_eq!(desk.approve(&third).unwrap().view.stage, Stage::Answered, "it goes on");
    assert_eq!(daemon.stop(), Some(0));
    assert!(site.log().iter().all(|(kind, _)| *kind != LeafKind::InquiryClosed));
}

#[test]
fn what_another_opened_is_theirs() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let (desk, other) = (daemon.desk("rtcc-1"), daemon.desk("rtcc-2"));
    let [_, _, chosen] = chosen(&desk);
    let not_opened = "op-rtcc-2 did not open this inquiry, wanted op-rtcc-1";
    refused(other.approve(&chosen), 403, "not-theirs", not_opened);
    refused(other.hand_over(&chosen, &photo(COLLINS)), 403, "not-theirs", not_opened);
    let not_shown = "the probe is not shown to you now";
    refused(other.choose(&chosen, None, Edits::default(), None), 403, "not-shown", not_shown);
    let sha256 = desk.inquiry(chosen.inquiry).unwrap().probe.unwrap().sha256;
    let taken = json!({"revision": chosen.revision, "bytes": 9, "sha256": "0".repeat(64)});
    let others = Hand::new(&daemon, &site.console_identity("rtcc-2")).at(&other);
    others.post(&step(&chosen, "probe"), &taken).is_problem(403, "not-theirs", not_opened);
    others.get(&step(&chosen, "probe")).is_problem(403, "not-shown", not_shown);
    let withdraw =
        json!({"revision": chosen.revision, "reason": "the detective named the wrong store"});
    others.post(&step(&chosen, "withdraw"), &withdraw).is_problem(403, "not-theirs", not_opened);
    assert_eq!(desk.inquiry(chosen.inquiry).unwrap().probe.unwrap().sha256, sha256);
    let hand = Hand::new(&daemon, &site.console_identity("rtcc-1")).at(&desk);
    assert_eq!(
        hand.get(&step(&chosen, "probe?part=searched")).status,
        200,
        "and the probe is still there"
    );
    let answered = desk.approve(&chosen).unwrap().view;
    assert_eq!(answered.stage, Stage::Answered, "its own operator goes on");
    let withdraw = json!({"revision": answered.revision, "reason": "the wrong store was named"});
    others.post(&step(&answered, "withdraw"), &withdraw).is_problem(403, "not-theirs", not_opened);
    assert_eq!(desk.inquiry(answered.inquiry).unwrap().revision, answered.revision);
    assert_eq!(daemon.stop(), Some(0));
    assert!(site.log().iter().all(|(kind, _)| *kind != LeafKind::InquiryClosed));
}

#[test]
fn a_withdrawn_inquiry_is_over() {
    let site = Site::staffed();
    let daemon = site.start("test");
    enrol(&daemon);
    let desk = daemon.desk("rtcc-1");
    let hand = Hand::new(&daemon, &site.console_identity("rtcc-1")).at(&desk);
    let [_, _, chosen] = chosen(&desk);
    for hollow in ["n/a", "robbery at Grand and Gravois, suspect on store camera"] {
        let words = "the field reason says nothing";
        let hollow = json!({"reason": hollow});
        refused_by_hand(&hand, &chosen, &[("withdraw", hollow, 422, "field-hollow", words)]);
    }
    let reason = "the detective named the wrong store";
    let withdraw = json!({"revision": chosen.revision, "reason": reason});
    let ended: InquiryView =
        serde_json::from_slice(&hand.post(&step(&chosen, "withdraw"), &withdraw).body).unwrap();
    assert!(ended.stage == Stage::Withdrawn && ended.ended.is_some());
    let over = "the inquiry is withdrawn";
    refused(desk.claim(&ended), 409, "out-of-turn", over);
    refused_by_hand(
        &hand,
        &ended,
        &[("withdraw", json!({"reason": reason}), 409, "out-of-turn", over)],
    );
    assert_eq!(daemon.stop(), Some(0));
    let log = site.log();
    let closed = log.iter().find(|(kind, _)| *kind == LeafKind::InquiryClosed).unwrap();
    assert_eq!((&closed.1["withdrawn"], &closed.1["reason"]), (&true.into(), &reason.into()));
}

#[test]
fn a_search_takes_its_operators_own_touch_for_exactly_this_once() {
    let site = Site::staffed();
    let daemon = site.start("test");
    enrol(&daemon);
    let (desk, other) = (daemon.desk("rtcc-1"), daemon.desk("rtcc-2"));
    let [key, others] = ["op-rtcc-1", "op-rtcc-2"].map(|person| key_of(&daemon, person));
    let hand = Hand::new(&daemon, &site.console_identity("rtcc-1")).at(&desk);
    let probed = desk.hand_over(&desk.open(&request()).unwrap(), &photo(OBAMA_LATER)).unwrap();
    let chosen = desk.choose(&probed, None, Edits::default(), None).unwrap().view;
    let habits = KeyBehaviour::default;
    for (habits, kind) in [
        (KeyBehaviour { present: false, ..habits() }, "not-present"),
        (KeyBehaviour { verified: false, ..habits() }, "not-verified"),
        (KeyBehaviour { backup_eligible: true, ..habits() }, "key-can-be-copied"),
        (KeyBehaviour { backup_eligible: true, backed_up: true, ..habits() }, "key-can-be-copied"),
        (
            KeyBehaviour { origin: Some("https://other.example".to_owned()), ..habits() },
            "wrong-page",
        ),
        (KeyBehaviour { rp_id: Some("other.example".to_owned()), ..habits() }, "wrong-page"),
        (KeyBehaviour { cross_origin: true, ..habits() }, "wrong-page"),
        (
            KeyBehaviour { ceremony: Some("webauthn.create".to_owned()), ..habits() },
            "malformed-touch",
        ),
        (KeyBehaviour { count: Some(1), ..habits() }, "counter-back"),
        (KeyBehaviour { misplaced_credential: true, ..habits() }, "malformed-touch"),
        (KeyBehaviour { more_flags: 0x02, ..habits() }, "malformed-touch"),
    ] {
        approve(&hand, &chosen, &key, &habits).is_problem(403, kind, "");
    }
    approve(&hand, &chosen, &others, &habits()).is_problem(403, "wrong-key", "");
    // A touch for anything else that the same person was asked for.
    let asked = ask(&hand, &chosen);
    let mut swapped = touched(&chosen, &asked, &key, &habits());
    swapped["nonce"] = hex::encode(ask(&hand, &chosen).nonce).into();
    for words in ["the touch is for another request", "or it was used already"] {
        let refused = hand.post(&step(&chosen, "search"), &swapped);
        refused.is_problem(403, "wrong-challenge", words);
    }
    let unlock: ChallengeView =
        serde_json::from_slice(&hand.post("/v1/session/unlock/challenge", &json!(null)).body)
            .unwrap();
    hand.post(&step(&chosen, "search"), &touched(&chosen, &unlock, &key, &habits())).is_problem(
        403,
        "wrong-challenge",
        "under this nonce",
    );

    // What was asked for has changed since: another choice, and another inquiry.
    let before = ask(&hand, &chosen);
    let again = desk.choose(&chosen, Some(0), Edits::default(), Some(WORDS)).unwrap().view;
    let stale = touched(&chosen, &before, &key, &habits());
    hand.post(&step(&chosen, "search"), &stale).is_problem(409, "changed-meanwhile", "");
    let mut forged = stale.clone();
    forged["revision"] = again.revision.into();
    hand.post(&step(&chosen, "search"), &forged).is_problem(
        403,
        "wrong-challenge",
        "or it was changed since",
    );
    let twin = desk.choose(
        &desk.hand_over(&desk.open(&request()).unwrap(), &photo(OBAMA_LATER)).unwrap(),
        None,
        Edits::default(),
        None,
    );
    let twin = twin.unwrap().view;
    let asked = ask(&hand, &twin);
    hand.post(&step(&again, "search"), &touched(&again, &asked, &key, &habits())).is_problem(
        403,
        "wrong-challenge",
        "for something else",
    );
    // The same person at another device has another request.
    let elsewhere =
        ConsoleSession::log_on(&daemon.console("rtcc-2"), &relying_party(), desk.person(), &key)
            .unwrap();
    let there = Hand::new(&daemon, &site.console_identity("rtcc-2")).at(&elsewhere);
    let asked = ask(&hand, &again);
    there.post(&step(&again, "search"), &touched(&again, &asked, &key, &habits())).is_problem(
        403,
        "wrong-challenge",
        "for something else",
    );
    drop(other);

    let asked = ask(&hand, &again);
    let once = touched(&again, &asked, &key, &habits());
    assert_eq!(hand.post(&step(&again, "search"), &once).status, 200);
    hand.post(&step(&again, "search"), &once).is_problem(409, "changed-meanwhile", "");
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(
        site.log_kinds().into_iter().filter(|kind| *kind == LeafKind::Asked).count(),
        1,
        "one touch, one search"
    );
}

#[test]
fn a_search_waits_for_the_seconds_of_the_ceilings_whatever_was_restarted() {
    let site = Site::staffed();
    let daemon = site.start("test");
    enrol(&daemon);
    daemon.desk("rtcc-1").ask(&request(), &photo(OBAMA_LATER)).unwrap();
    daemon.desk("rtcc-2");
    assert_eq!(daemon.stop(), Some(0));
    let roster = std::fs::read_to_string(site.path("roster.toml")).unwrap();
    std::fs::write(
        site.path("roster.toml"),
        roster.replace("seconds_between = 0", "seconds_between = 3600"),
    )
    .unwrap();
    let daemon = site.start("test");
    let [desk, other] = ["rtcc-1", "rtcc-2"].map(|device| daemon.desk(device));
    refused(
        desk.ask(&request(), &photo(OBAMA_LATER)),
        409,
        "too-fast",
        "the last search was less than 3600 s ago",
    );
    other.ask(&request(), &photo(OBAMA_LATER)).expect("each operator by themselves");
    refused(
        other.ask(&request(), &photo(OBAMA_LATER)),
        409,
        "too-fast",
        "the last search was less than 3600 s ago",
    );
}

#[test]
fn a_refusal_names_the_field_of_what_was_sent_that_it_is_about() {
    let site = Site::staffed();
    let daemon = site.start("test");
    enrol(&daemon);
    let desk = daemon.desk("rtcc-1");
    let hand = Hand::new(&daemon, &site.console_identity("rtcc-1")).at(&desk);
    let field =
        |path: &str, body: &serde_json::Value| hand.post(path, body).json().get("field").cloned();
    for (path, value, named) in [
        ("/reason", json!("robbery"), "reason"),
        ("/reference/number", json!("00000"), "reference.number"),
        ("/requester/name", json!("Det."), "requester.name"),
        ("/requester/badge", json!("000"), "requester.badge"),
        ("/probe_source", json!("unknown"), "probe_source"),
        ("/attestations/source_as_stated", json!(false), "attestations"),
    ] {
        let mut hollow = request_json();
        *hollow.pointer_mut(path).unwrap() = value;
        assert_eq!(field("/v1/inquiries", &hollow), Some(named.into()), "{path}");
    }
    let asked = desk.ask(&request(), &photo(OBAMA_LATER)).unwrap().view;
    let id = asked.inquiry;
    let path = |verb: &str| format!("/v1/inquiries/{id}/{verb}");
    assert_eq!(
        field(&path("finish"), &json!({"revision": asked.revision})),
        None,
        "it is about the step"
    );
    let claimed = desk.claim(&asked).unwrap();
    let unfounded = Finding { observations: Vec::new(), ..lead(claimed.candidates[0].version) };
    let finding = json!({"revision": claimed.revision, "finding": unfounded});
    assert_eq!(field(&path("findings"), &finding), Some("finding.observations".into()));
    let opened = desk.open(&request()).unwrap();
    let withdrawn = json!({"revision": opened.revision, "reason": "n/a"});
    assert_eq!(field(&step(&opened, "withdraw"), &withdrawn), Some("reason".into()));
    let second = daemon.desk("rtcc-2");
    let view = desk.dispose_all(claimed).unwrap();
    let issued = second
        .issue(
            &second
                .dispose_all(second.claim(&second.inquiry(view.inquiry).unwrap()).unwrap())
                .unwrap(),
        )
        .unwrap();
    let handover = json!({"revision": issued.revision,
        "handover": {"received_by": "unknown", "of": "Circuit Attorney"}});
    assert_eq!(field(&path("evidence"), &handover), Some("handover.received_by".into()));
    let outcome = json!({"revision": issued.revision, "outcome": {"upshot": "person_found"}});
    assert_eq!(field(&path("outcome"), &outcome), Some("outcome.independent_evidence".into()));
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn a_report_names_the_order_in_force_by_its_version_and_digest() {
    let site = Site::staffed();
    let daemon = site.start("test");
    enrol(&daemon);
    let (desk, second) = (daemon.desk("rtcc-1"), daemon.desk("rtcc-2"));
    let asked = desk.ask(&request(), &photo(OBAMA_LATER)).unwrap().view;
    let first = desk.dispose_all(desk.claim(&asked).unwrap()).unwrap();
    let view =
        second.dispose_all(second.claim(&second.inquiry(first.inquiry).unwrap()).unwrap()).unwrap();
    let issued = second.issue(&view).unwrap();
    let paper = site.path("report.pdf");
    std::fs::write(&paper, second.report(issued.inquiry).unwrap()).unwrap();
    let text = Command::new("pdftotext")
        .args(["-raw", "-enc", "UTF-8", paper.to_str().unwrap(), "-"])
        .output();
    let text = text.expect("pdftotext can be run, of the package poppler-utils").stdout;
    let text: String = String::from_utf8(text).unwrap().split_whitespace().collect();
    // The file that the console gives to whoever asks.
    let order = Hand::new(&daemon, &site.console_identity("rtcc-1"))
        .get("/console/assets/policy-5-27.txt")
        .body;
    for words in [
        "PolicyinforceSO5-27,SectionV,of2016-04-19",
        &format!("ItsSHA-256{}", hex::encode(Sha256::digest(&order))),
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[test]
fn a_poor_probe_is_searched_for_a_recorded_reason_only() {
    let site = Site::staffed();
    site.write_config("cpu", &strict_models(), "");
    let daemon = site.start("test");
    enrol(&daemon);
    let desk = daemon.desk("rtcc-1");
    let view = desk.hand_over(&desk.open(&request()).unwrap(), &photo(OBAMA_LATER)).unwrap();
    refused(
        desk.choose(&view, None, Edits::default(), None),
        422,
        "poor-probe",
        "the face falls short in Embedding length",
    );
    for hollow in ["n/a", "store camera", "robbery at Grand and Gravois, suspect on store camera"] {
        refused(
            desk.choose(&view, None, Edits::default(), Some(hollow)),
            422,
            "field-hollow",
            "the field reason says nothing",
        );
    }
    let chosen = desk.choose(&view, None, Edits::default(), Some(WORDS)).unwrap();
    assert_eq!(chosen.view.choice.as_ref().unwrap().reason.as_deref(), Some(WORDS));
    desk.approve(&chosen.view).unwrap();
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(
        site.refusals(LeafKind::SearchRefused)
            .iter()
            .filter(|reason| reason.contains("falls short in"))
            .count(),
        1
    );
}

#[test]
fn a_restart_in_the_middle_loses_nothing_and_the_inquiry_goes_on() {
    let site = Site::staffed();
    let mut daemon = site.start("test");
    enrol(&daemon);
    three(&daemon);
    let mut view: Option<InquiryView> = None;
    type Step = fn([ConsoleSession; 3], Option<InquiryView>) -> InquiryView;
    let steps: [(Step, Stage); 8] = [
        (|[operator, ..], _| operator.open(&request()).unwrap(), Stage::Opened),
        (
            |[operator, ..], view| operator.hand_over(&view.unwrap(), &photo(OBAMA_LATER)).unwrap(),
            Stage::ProbeReceived,
        ),
        (
            |[operator, ..], view| {
                operator.choose(&view.unwrap(), None, Edits::default(), None).unwrap().view
            },
            Stage::FaceChosen,
        ),
        (|[operator, ..], view| operator.approve(&view.unwrap()).unwrap().view, Stage::Answered),
        (|[_, first, _], view| first.claim(&view.unwrap()).unwrap(), Stage::FirstReview),
        (|[_, first, _], view| first.dispose_all(view.unwrap()).unwrap(), Stage::ReviewedOnce),
        (|[_, _, second], view| second.claim(&view.unwrap()).unwrap(), Stage::SecondReview),
        (|[_, _, second], view| second.dispose_all(view.unwrap()).unwrap(), Stage::Reviewed),
    ];
    for (step, stage) in steps {
        let done = step(three(&daemon), view.take());
        assert_eq!(done.stage, stage);
        daemon.kill();
        daemon = site.start("test");
        let [operator, first, second] = three(&daemon);
        let whose = match stage {
            Stage::FirstReview => first,
            Stage::SecondReview => second,
            _ => operator,
        };
        let found = whose.inquiry(done.inquiry).unwrap();
        assert_eq!(
            (found.revision, found.stage),
            (done.revision, done.stage),
            "nothing that was acknowledged is lost"
        );
        view = Some(found);
    }
    assert_eq!(daemon.stop(), Some(0));
    assert!(!site.log_kinds().contains(&LeafKind::Interrupted));
}

#[test]
fn a_candidate_that_its_agency_releases_is_gone_at_once_wherever_the_inquiry_stands() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let bookings = enrol(&daemon);
    let feed = daemon.feed("slmpd");
    let [operator, first, second] = three(&daemon);
    let chosen = {
        let probed =
            operator.hand_over(&operator.open(&request()).unwrap(), &photo(OBAMA_LATER)).unwrap();
        operator.choose(&probed, None, Edits::default(), None).unwrap().view
    };
    // Between choice and answer: it is in no array.
    feed.put_booking(&number("26-4"), &booking("Person 26-4"), &edition(&small(OBAMA), 9)).unwrap();
    feed.release(&number("26-4"), "expunged").unwrap();
    let answered = operator.approve(&chosen).unwrap().view;
    assert_eq!(answered.candidates.len(), 3);

    // Between answer and view.
    feed.release(&number("26-1"), "expunged").unwrap();
    refused(first.claim(&answered), 409, "changed-meanwhile", "decided on revision");
    let view = first.claim(&first.inquiry(answered.inquiry).unwrap()).unwrap();
    let gone = |view: &InquiryView, version: VersionId| {
        let card =
            view.candidates.iter().find(|candidate| candidate.version == version).unwrap().clone();
        card.released && !card.photo && card.known.is_none()
    };
    assert!(gone(&view, bookings[0]) && !gone(&view, bookings[1]));
    refused(first.photo(view.inquiry, bookings[0]), 403, "not-shown", "not shown to you now");
    refused(
        first.dispose(&view, lead(bookings[0])),
        409,
        "wrong-candidate",
        "was released by its agency and counts as dispositioned",
    );

    // In mid-review: what was said of it stays in the log alone.
    let view = first.dispose(&view, no_lead(bookings[1])).unwrap();
    feed.release(&number("26-2"), "expunged").unwrap();
    let shown = first.inquiry(view.inquiry).unwrap();
    assert!(gone(&shown, bookings[1]) && shown.revision == view.revision + 1);
    refused(first.dispose(&view, no_lead(bookings[2])), 409, "changed-meanwhile", "");
    refused(finish(&first, &shown), 409, "candidate-skipped", "1 candidates have no disposition");
    let done = finish(&first, &first.dispose(&shown, no_lead(bookings[2])).unwrap()).unwrap();
    let done = second.dispose_all(second.claim(&done).unwrap()).unwrap();
    assert_eq!(done.stage, Stage::Reviewed);
    feed.release(&number("26-3"), "expunged").unwrap();
    for desk in [&operator, &first, &second] {
        let view = desk.inquiry(done.inquiry).unwrap();
        assert!(
            bookings.iter().all(|version| gone(&view, *version)),
            "of a released booking nobody sees anything"
        );
        refused(desk.photo(done.inquiry, bookings[2]), 403, "not-shown", "");
    }
    assert_eq!(daemon.stop(), Some(0));
    let log = site.log();
    let reviewed: Vec<_> = log
        .iter()
        .filter(|(kind, _)| *kind == LeafKind::Reviewed)
        .map(|(_, detail)| detail)
        .collect();
    assert_eq!(reviewed[0]["released"], json!([bookings[0].to_string()]));
    assert_eq!(reviewed[1]["released"].as_array().unwrap().len(), 2);
}
