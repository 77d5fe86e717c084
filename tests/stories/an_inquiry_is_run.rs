//! An inquiry goes its way at desks: opened, a probe handed over, a face chosen, approved by touch,
//! searched, and looked at by two examiners who know neither score nor name nor each other's word.
//! Whatever comes out of turn is refused by its name.

use std::process::Command;

use image::imageops;
use serde_json::json;
use smrt::api::wire::ChallengeView;
use smrt::api::wire::{InquiryView, UploadRequest, UploadState};
use smrt::audit::{Leaf, LeafKind};
use smrt::booking::VersionId;
use smrt::client::console_session::{ConsoleSession, SharedKey};
use smrt::client::software_key::KeyBehaviour;
use smrt::face::Edits;
use smrt::inquiry::{Component, Disposition, Finding, Observation, Seen, Stage};
use smrt::limits::{PROBE_BYTES_MAX, PROBE_PIECE_BYTES};
use smrt::roster::{Person, Role};

use crate::desks::{Hand, key_of, person, refused, relying_party, request_json};
use crate::photos::{BIDEN, COLLINS, OBAMA, OBAMA_LATER, edition, photo, png, small};
use crate::raw::Answer;
use crate::site::{Daemon, Site, booking, number, request, strict_models};

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
    for secret in ["\"score\"", "\"known\"", "Person 26", "26-1", "26-2", "26-3", "\"both\""] {
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

#[test]
fn two_examiners_judge_without_score_name_or_each_others_word_and_then_all_who_take_part_see_all() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let bookings = enrol(&daemon);
    let [operator, first, second] = three(&daemon);
    let array = operator.ask(&request(), &photo(OBAMA_LATER)).unwrap();
    let id = array.view.inquiry;
    assert_eq!((array.view.stage, array.view.candidates.len()), (Stage::Answered, 3));
    blind(&daemon, "rtcc-1", &operator, &array.view);
    refused(
        operator.claim(&array.view),
        403,
        "not-this-role",
        "an operator may not review candidates",
    );
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
    refused(
        finish(&first, &view),
        409,
        "candidate-skipped",
        "3 candidates have no disposition, wanted one for each",
    );

    // Score and biography come with the disposition, of that candidate alone, and it stays.
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
        refused(first.dispose(&view, hollow), 422, "finding-unfounded", words);
    }
    refused(
        first.dispose(&view, lead(VersionId([9; 16]))),
        409,
        "wrong-candidate",
        "is no candidate of this inquiry",
    );
    let view = first.dispose(&view, lead(best)).unwrap();
    assert_eq!(
        view.candidates.iter().map(|candidate| candidate.known.is_some()).collect::<Vec<_>>(),
        [true, false, false]
    );
    assert_eq!(view.candidates[0].known.as_ref().unwrap().number.as_str(), "26-1");
    refused(
        first.dispose(&view, no_lead(best)),
        409,
        "wrong-candidate",
        "has its disposition and keeps it",
    );
    refused(finish(&first, &view), 409, "candidate-skipped", "2 candidates have no disposition");
    let view = first.dispose(&view, no_lead(view.candidates[1].version)).unwrap();
    let view = first.dispose(&view, no_lead(view.candidates[2].version)).unwrap();
    let view = finish(&first, &view).unwrap();
    assert_eq!(view.stage, Stage::ReviewedOnce);
    blind(&daemon, "rtcc-1", &operator, &view);

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
    let leaves: Vec<Leaf> =
        site.ledger().log().unwrap().iter().map(|leaf| Leaf::from_bytes(leaf).unwrap()).collect();
    let reviewed: Vec<&Leaf> =
        leaves.iter().filter(|leaf| leaf.kind == LeafKind::Reviewed).collect();
    assert_eq!(
        reviewed.iter().map(|leaf| leaf.counts.clone()).collect::<Vec<_>>(),
        [vec![1, 3, 1, 0], vec![2, 3, 0, 1]]
    );
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
        "the requester can't be the second examiner",
    );
    refused(requester.inquiry(reviewed.inquiry), 403, "not-shown", "");
    assert!(requester.inquiries().unwrap().is_empty());
    daemon.desk("rtcc-2").claim(&reviewed).unwrap();
}

#[test]
fn each_step_waits_for_its_turn_and_a_second_tab_is_told_that_the_inquiry_has_changed() {
    let site = Site::staffed();
    let daemon = site.start("test");
    enrol(&daemon);
    let (desk, other) = (daemon.desk("rtcc-1"), daemon.desk("rtcc-2"));
    let hand = Hand::new(&daemon, &site.console_identity("rtcc-1")).at(&desk);
    let candidate = json!({"candidate": "0".repeat(32), "disposition": "inconclusive",
        "observations": [], "note": "nothing to be seen"});
    let early = |view: &InquiryView, steps: &[(&str, serde_json::Value, u16, &str, &str)]| {
        for (verb, more, status, kind, words) in steps {
            let mut body = more.clone();
            body["revision"] = view.revision.into();
            hand.post(&step(view, verb), &body).is_problem(*status, kind, words);
        }
    };
    let none = || json!({});
    let outcome = || json!({"outcome": {"upshot": "no_lead"}});
    let handover = || json!({"handover": {"received_by": "Evidence room", "of": "slmpd"}});
    let opened = desk.open(&request()).unwrap();
    early(
        &opened,
        &[
            (
                "probe",
                json!({"bytes": 9, "sha256": "0".repeat(64)}),
                409,
                "upload-torn",
                "0 bytes have been received of 9 announced",
            ),
            ("face", none(), 404, "not-found", "no probe of that name is yours"),
            ("challenge", none(), 409, "out-of-turn", "no face is chosen"),
            ("claim", none(), 409, "out-of-turn", "the search is not answered"),
            (
                "findings",
                json!({"finding": candidate}),
                409,
                "out-of-turn",
                "nobody holds a review",
            ),
            ("finish", none(), 409, "out-of-turn", "nobody holds a review"),
            ("evidence", handover(), 409, "out-of-turn", "no report is issued"),
            ("outcome", outcome(), 409, "out-of-turn", "no report is issued"),
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
    early(&probed, &[("challenge", none(), 409, "out-of-turn", "no face is chosen")]);
    let chosen = desk.choose(&probed, None, Edits::default(), None).unwrap().view;
    assert_eq!(chosen.stage, Stage::FaceChosen);

    // The other tab still shows what was.
    let old = "and the inquiry stands at 3";
    refused(desk.hand_over(&opened, &photo(OBAMA_LATER)), 409, "changed-meanwhile", old);
    refused(desk.choose(&probed, None, Edits::default(), None), 409, "changed-meanwhile", old);
    refused(desk.approve(&probed), 409, "changed-meanwhile", old);
    refused(desk.claim(&probed), 409, "changed-meanwhile", old);
    early(
        &probed,
        &[
            (
                "withdraw",
                json!({"reason": "the detective withdrew the request"}),
                409,
                "changed-meanwhile",
                old,
            ),
            ("findings", json!({"finding": candidate}), 409, "changed-meanwhile", old),
            ("finish", none(), 409, "changed-meanwhile", old),
            ("evidence", handover(), 409, "changed-meanwhile", old),
            ("outcome", outcome(), 409, "changed-meanwhile", old),
        ],
    );
    // What is another's is theirs.
    refused(
        other.approve(&chosen),
        403,
        "not-theirs",
        "op-rtcc-2 did not open this inquiry, wanted op-rtcc-1",
    );
    refused(
        other.hand_over(&chosen, &photo(COLLINS)),
        403,
        "not-theirs",
        "did not open this inquiry",
    );
    refused(
        other.choose(&chosen, None, Edits::default(), None),
        403,
        "not-shown",
        "the probe is not shown to you now",
    );
    let sha256 = desk.inquiry(chosen.inquiry).unwrap().probe.unwrap().sha256;
    let taken = json!({"revision": chosen.revision, "bytes": 9, "sha256": "0".repeat(64)});
    let others = Hand::new(&daemon, &site.console_identity("rtcc-2")).at(&other);
    others.post(&step(&chosen, "probe"), &taken).is_problem(
        403,
        "not-theirs",
        "did not open this inquiry",
    );
    others.get(&step(&chosen, "probe")).is_problem(
        403,
        "not-shown",
        "the probe is not shown to you now",
    );
    assert_eq!(desk.inquiry(chosen.inquiry).unwrap().probe.unwrap().sha256, sha256);
    assert_eq!(
        hand.get(&step(&chosen, "probe?part=searched")).status,
        200,
        "and the probe is still there"
    );

    let answered = desk.approve(&chosen).unwrap().view;
    refused(
        desk.hand_over(&answered, &photo(COLLINS)),
        409,
        "out-of-turn",
        "a search was asked for with the probe that is here",
    );
    refused(
        desk.choose(&answered, None, Edits::default(), None),
        409,
        "out-of-turn",
        "the search was answered",
    );
    refused(desk.approve(&answered), 409, "out-of-turn", "the search was answered");

    // Withdrawn, with a reason that says something, it is over.
    for (reason, status, kind, words) in [
        ("n/a", 422, "field-hollow", "the field reason says nothing"),
        (
            "robbery at Grand and Gravois, suspect on store camera",
            422,
            "field-hollow",
            "the field reason says nothing",
        ),
    ] {
        early(&answered, &[("withdraw", json!({"reason": reason}), status, kind, words)]);
    }
    let withdraw =
        json!({"revision": answered.revision, "reason": "the detective named the wrong store"});
    others.post(&step(&answered, "withdraw"), &withdraw).is_problem(
        403,
        "not-theirs",
        "did not open this inquiry",
    );
    let ended: InquiryView =
        serde_json::from_slice(&hand.post(&step(&answered, "withdraw"), &withdraw).body).unwrap();
    assert!(ended.stage == Stage::Withdrawn && ended.ended.is_some());
    refused(desk.claim(&ended), 409, "out-of-turn", "the inquiry is withdrawn");
    early(
        &ended,
        &[(
            "withdraw",
            json!({"reason": "the detective named the wrong store"}),
            409,
            "out-of-turn",
            "the inquiry is withdrawn",
        )],
    );
    assert_eq!(daemon.stop(), Some(0));
    let log = site.log();
    let closed = log.iter().find(|(kind, _)| *kind == LeafKind::InquiryClosed).unwrap();
    assert_eq!(
        (&closed.1["withdrawn"], &closed.1["reason"]),
        (&true.into(), &"the detective named the wrong store".into())
    );
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
    for habits in [
        KeyBehaviour { present: false, ..habits() },
        KeyBehaviour { verified: false, ..habits() },
        KeyBehaviour { backup_eligible: true, ..habits() },
        KeyBehaviour { backup_eligible: true, backed_up: true, ..habits() },
        KeyBehaviour { origin: Some("https://other.example".to_owned()), ..habits() },
        KeyBehaviour { rp_id: Some("other.example".to_owned()), ..habits() },
        KeyBehaviour { cross_origin: true, ..habits() },
        KeyBehaviour { ceremony: Some("webauthn.create".to_owned()), ..habits() },
        KeyBehaviour { count: Some(1), ..habits() },
        KeyBehaviour { misplaced_credential: true, ..habits() },
        KeyBehaviour { more_flags: 0x02, ..habits() },
    ] {
        approve(&hand, &chosen, &key, &habits).is_problem(403, kind, "");
    }
    approve(&hand, &chosen, &others, &habits()).is_problem(403, "wrong-key", "");
    // A touch for anything else that the same person was asked for.
    let asked = ask(&hand, &chosen);
    let mut swapped = touched(&chosen, &asked, &key, &habits());
    swapped["nonce"] = hex::encode(ask(&hand, &chosen).nonce).into();
    hand.post(&step(&chosen, "search"), &swapped).is_problem(403, "wrong-challenge", "");
    hand.post(&step(&chosen, "search"), &swapped).is_problem(
        403,
        "wrong-challenge",
        "or it was used already",
    );
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
    // A search needs the seconds between that the ceilings say, whatever was restarted.
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

/// A portrait that takes several pieces.
fn large() -> Vec<u8> {
    let portrait = image::load_from_memory(&photo(OBAMA_LATER)).unwrap().to_rgb8();
    let sides = [portrait.width(), portrait.height()];
    let large = png(&imageops::resize(
        &portrait,
        1_400,
        1_400 * sides[1] / sides[0],
        imageops::FilterType::Triangle,
    ));
    assert!(large.len() > PROBE_PIECE_BYTES + 1_000, "{}", large.len());
    large
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref().try_into().unwrap()
}

#[test]
fn an_upload_goes_on_where_it_was_after_a_restart_and_takes_no_other_bytes() {
    let site = Site::staffed();
    let mut daemon = site.start("test");
    enrol(&daemon);
    let desk = daemon.desk("rtcc-1");
    let (opened, probe) = (desk.open(&request()).unwrap(), large());
    let (id, bytes, digest) = (opened.inquiry, probe.len() as u64, sha256(&probe));
    let begin = |desk: &ConsoleSession,
                 bytes: u64,
                 sha256: [u8; 32]|
     -> Result<UploadState, smrt::client::ClientError> {
        desk.post(&format!("/v1/inquiries/{id}/upload"), &UploadRequest { bytes, sha256 })
    };
    refused(begin(&desk, 0, digest), 413, "probe-size", "wanted 1 to 67108864 bytes");
    refused(
        begin(&desk, PROBE_BYTES_MAX as u64 + 1, digest),
        413,
        "probe-size",
        "wanted 1 to 67108864 bytes",
    );
    assert_eq!(
        begin(&desk, bytes, digest).unwrap(),
        UploadState { received: 0, piece: PROBE_PIECE_BYTES as u64 }
    );
    let first = &probe[..PROBE_PIECE_BYTES];
    let rest = &probe[PROBE_PIECE_BYTES..probe.len().min(2 * PROBE_PIECE_BYTES)];
    refused(
        desk.put_piece(id, bytes, &digest, PROBE_PIECE_BYTES as u64, rest),
        409,
        "upload-torn",
        "the next piece begins there",
    );
    refused(
        desk.put_piece(id, bytes, &digest, 5, first),
        409,
        "upload-torn",
        "the next piece begins there",
    );
    refused(
        desk.put_piece(id, bytes, &digest, 0, &first[1..]),
        409,
        "upload-torn",
        "has 1048575 bytes, wanted 1048576",
    );
    refused(
        desk.put_piece(id, bytes, &digest, 0, &probe[..PROBE_PIECE_BYTES + 1]),
        413,
        "too-large",
        "1048576 bytes",
    );
    assert_eq!(
        desk.put_piece(id, bytes, &digest, 0, first).unwrap().received,
        PROBE_PIECE_BYTES as u64
    );
    let other: Vec<u8> = first.iter().map(|byte| byte ^ 1).collect();
    refused(
        desk.put_piece(id, bytes, &digest, 0, &other),
        409,
        "upload-torn",
        "came before with other bytes",
    );
    refused(begin(&desk, bytes - 1, digest), 409, "upload-torn", "announced otherwise before");
    let early: Result<InquiryView, _> = desk.post(
        &format!("/v1/inquiries/{id}/probe"),
        &json!({"revision": opened.revision, "bytes": bytes, "sha256": hex::encode(digest)}),
    );
    refused(early, 409, "upload-torn", "bytes have been received of");
    let hand = Hand::new(&daemon, &site.console_identity("rtcc-1")).at(&desk);
    for query in ["", "?offset=0", "?offset=0&bytes=9&sha256=xyz", "?offset=-1&bytes=9&sha256=00"] {
        hand.ask("PUT", &format!("/v1/inquiries/{id}/upload{query}"), b"x").is_problem(
            400,
            "malformed",
            "a piece is not placed",
        );
    }
    refused(
        daemon.desk("rtcc-2").put_piece(id, bytes, &digest, 0, first),
        403,
        "not-theirs",
        "did not open this inquiry",
    );
    daemon.kill();

    let daemon = site.start("test");
    let desk = daemon.desk("rtcc-1");
    assert_eq!(
        begin(&desk, bytes, digest).unwrap().received,
        PROBE_PIECE_BYTES as u64,
        "what was acknowledged is there"
    );
    let view = desk.hand_over(&desk.inquiry(id).unwrap(), &probe).unwrap();
    assert_eq!((view.stage, view.probe.as_ref().unwrap().faces.len()), (Stage::ProbeReceived, 1));
    let chosen = desk.choose(&view, None, Edits::default(), None).unwrap().view;
    // Another file takes the place of the first; its choice is gone with it.
    let again = desk.hand_over(&chosen, &photo(COLLINS)).unwrap();
    assert!(again.choice.is_none() && again.stage == Stage::ProbeReceived);
    let again = desk.choose(&again, None, Edits::default(), None).unwrap().view;
    assert_eq!(desk.approve(&again).unwrap().view.stage, Stage::Answered);

    // Other bytes than were announced: the upload begins anew. What is no photo is no probe.
    let wrong = desk.open(&request()).unwrap();
    let (small, lie) = (photo(COLLINS), sha256(b"something else"));
    desk.put_piece(
        wrong.inquiry,
        small.len() as u64,
        &lie,
        0,
        &small[..small.len().min(PROBE_PIECE_BYTES)],
    )
    .unwrap();
    let end = json!({"revision": 1, "bytes": small.len(), "sha256": hex::encode(lie)});
    let ended: Result<InquiryView, _> =
        desk.post(&format!("/v1/inquiries/{}/probe", wrong.inquiry), &end);
    refused(ended, 409, "upload-torn", "the upload begins anew");
    for (file, kind, words) in [
        (&b"GIF89a, not a photo of ours"[..], "photo-kind", "begins with 474946383961"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "photo-kind", "wanted a JPEG, PNG or JPEG 2000 photo"),
        (b"%PDF-1.7", "photo-kind", "wanted a JPEG, PNG or JPEG 2000 photo"),
        (&small[..small.len() / 2], "photo-damaged", "wanted a complete file"),
    ] {
        refused(desk.hand_over(&wrong, file), 422, kind, words);
    }
    assert_eq!(desk.inquiry(wrong.inquiry).unwrap().stage, Stage::Opened);
    desk.hand_over(&wrong, &small).expect("the inquiry goes on");
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
    let withdrawn = json!({"revision": claimed.revision, "reason": "n/a"});
    assert_eq!(field(&path("withdraw"), &withdrawn), Some("reason".into()));
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
        &format!("ItsSHA-256{}", hex::encode(sha256(&order))),
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
    assert!(view.candidates.iter().any(|candidate| candidate.known.is_some()));
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
