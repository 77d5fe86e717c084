//! Sessions and challenges as time goes on: hidden, over, to be proven again; and a training that
//! ends (CJIS AC-11, AC-12, IA-2).

use serde_json::json;
use smrt::api::wire::ChallengeView;
use smrt::audit::LeafKind;
use smrt::calendar::Span;
use smrt::client::console_session::{ConsoleSession, SharedKey};
use smrt::face::Edits;
use smrt::roster::{Person, Role};

use crate::clocked::Clocked;
use crate::desks::{Hand, key_of, logs_on, official, person, refused, relying_party};
use crate::photos::{OBAMA, OBAMA_LATER, photo};
use crate::raw::Answer;
use crate::site::{Site, booking, number, request};

fn unlock(hand: &Hand<'_>, key: &SharedKey) -> Answer {
    let asked: ChallengeView =
        serde_json::from_slice(&hand.post("/v1/session/unlock/challenge", &json!(null)).body)
            .unwrap();
    let touch = key.lock().unwrap().touch(&asked.challenge, &relying_party()).unwrap();
    hand.post("/v1/session/unlock", &json!({"nonce": hex::encode(asked.nonce), "touch": touch}))
}

fn at<'c>(clocked: &'c Clocked<'c>, desk: &ConsoleSession) -> Hand<'c> {
    Hand::new(clocked, &clocked.site.console_identity("rtcc-1")).at(desk)
}

#[test]
fn a_session_hides_after_half_an_hour_and_ends_after_an_hour_more() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    let desk = clocked.desk("rtcc-1");
    let (key, hand) = (key_of(&clocked, "op-rtcc-1"), at(&clocked, &desk));
    for _ in 0..3 {
        clocked.pass(Span::minutes(29));
        assert_eq!(hand.get("/v1/inquiries").status, 200, "whatever is asked for is use");
    }
    clocked.pass(Span::minutes(30));
    hand.get("/v1/inquiries").is_problem(
        401,
        "screen-hidden",
        "the session's screen is hidden, touch your key to come back",
    );
    assert_eq!(hand.get("/v1/session").json(), json!({"state": "locked", "person": "op-rtcc-1"}));
    assert_eq!(unlock(&hand, &key).status, 204);
    assert_eq!(hand.get("/v1/inquiries").status, 200, "where one was");

    // Nobody comes back.
    clocked.pass(Span::minutes(59));
    hand.get("/v1/inquiries").is_problem(401, "screen-hidden", "");
    assert_eq!(
        clocked
            .details(LeafKind::LoggedOff)
            .iter()
            .filter(|detail| detail["why"] == "idle for too long")
            .count(),
        0
    );
    clocked.pass(Span::minutes(1));
    hand.get("/v1/inquiries").is_problem(401, "no-session", "log on first");
    hand.post("/v1/session/unlock/challenge", &json!(null)).is_problem(401, "no-session", "");
    let ended = clocked.details(LeafKind::LoggedOff);
    let ended: Vec<_> =
        ended.iter().filter(|detail| detail["actor"]["person"] == "op-rtcc-1").collect();
    assert_eq!((ended.len(), &ended[0]["why"]), (1, &json!("idle for too long")));
}

#[test]
fn a_session_is_proven_again_after_twelve_hours_whatever_one_does() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    let desk = clocked.desk("rtcc-1");
    let (key, hand) = (key_of(&clocked, "op-rtcc-1"), at(&clocked, &desk));
    for _ in 0..(12 * 60 / 20 - 1) {
        clocked.pass(Span::minutes(20));
        assert_eq!(hand.get("/v1/inquiries").status, 200);
    }
    clocked.pass(Span::minutes(20));
    hand.get("/v1/inquiries").is_problem(401, "screen-hidden", "touch your key to come back");
    assert_eq!(unlock(&hand, &key).status, 204);
    clocked.pass(Span::minutes(20));
    assert_eq!(hand.get("/v1/inquiries").status, 200);
}

#[test]
fn a_challenge_is_answered_within_a_minute_or_never() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    clocked
        .feed("slmpd")
        .put_booking(&number("26-1"), &booking("Person 26-1"), &photo(OBAMA))
        .unwrap();
    let desk = clocked.desk("rtcc-1");
    let (key, hand) = (key_of(&clocked, "op-rtcc-1"), at(&clocked, &desk));
    let ask = |path: &str, body: serde_json::Value| -> ChallengeView {
        serde_json::from_slice(&hand.post(path, &body).body).unwrap()
    };
    let touch = |asked: &ChallengeView| {
        key.lock().unwrap().touch(&asked.challenge, &relying_party()).unwrap()
    };
    let stale = "the touch came too late, wanted within 60 s";
    // A log-on.
    for (seconds, in_time) in [(59, true), (60, false)] {
        let asked = ask("/v1/session/challenge", json!({"person": "op-rtcc-1"}));
        clocked.pass(Span::seconds(seconds));
        let answer = json!({"person": "op-rtcc-1", "nonce": hex::encode(asked.nonce),
            "touch": touch(&asked)});
        match in_time {
            true => assert_eq!(hand.post("/v1/session", &answer).status, 201),
            false => {
                hand.post("/v1/session", &answer).is_problem(403, "wrong-challenge", stale);
                hand.post("/v1/session", &answer).is_problem(
                    403,
                    "wrong-challenge",
                    "or it was used already",
                );
            }
        }
    }
    // A search: nothing was asked, and the log says who tried.
    let view = desk.hand_over(&desk.open(&request()).unwrap(), &photo(OBAMA_LATER)).unwrap();
    let view = desk.choose(&view, None, Edits::default(), None).unwrap().view;
    let asked = ask(
        &format!("/v1/inquiries/{}/challenge", view.inquiry),
        json!({"revision": view.revision}),
    );
    clocked.pass(Span::minutes(1));
    let late = json!({"revision": view.revision, "nonce": hex::encode(asked.nonce),
        "touch": touch(&asked)});
    hand.post(&format!("/v1/inquiries/{}/search", view.inquiry), &late).is_problem(
        403,
        "wrong-challenge",
        stale,
    );
    assert!(clocked.details(LeafKind::Asked).is_empty());
    let refusals = clocked.details(LeafKind::SearchRefused);
    assert!(refusals.iter().any(|detail| detail["actor"]["person"] == "op-rtcc-1"), "{refusals:?}");
    desk.approve(&view).unwrap();
    // The commander's approval.
    let (new, new_key) =
        (person("jdoe", Role::Operator), smrt::client::console_session::shared_key().unwrap());
    let grant = official(&clocked, "administrator").ask_grant(&new, Some(&new_key)).unwrap();
    let commander = official(&clocked, "commander");
    let asked: ChallengeView =
        commander.post(&format!("/v1/grants/{grant}/approval/challenge"), &()).unwrap();
    let touched = commander.touch(&asked).unwrap();
    clocked.pass(Span::minutes(1));
    refused(
        commander.send(&format!("/v1/grants/{grant}/approval"), &touched),
        403,
        "wrong-challenge",
        stale,
    );
    refused(
        logs_on(&clocked, "rtcc-1", "jdoe", &new_key),
        403,
        "not-proven",
        "no account of that name takes this key",
    );
}

#[test]
fn a_training_that_ends_overnight_ends_searching_in_the_middle_of_a_session() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    clocked
        .feed("slmpd")
        .put_booking(&number("26-1"), &booking("Person 26-1"), &photo(OBAMA))
        .unwrap();
    clocked.pass_to_hour(23);
    let trained =
        Person { trained_until: clocked.today(), ..person("trained", Role::OperatorExaminer) };
    let (desk, other) = (clocked.desk_of("rtcc-1", &trained), clocked.desk("rtcc-2"));
    let answered = other.ask(&request(), &photo(OBAMA_LATER)).unwrap().view;
    let view = desk.hand_over(&desk.open(&request()).unwrap(), &photo(OBAMA_LATER)).unwrap();
    let chosen = desk.choose(&view, None, Edits::default(), None).unwrap().view;
    // Over midnight, with a touch of the keyboard in between.
    for _ in 0..3 {
        clocked.pass(Span::minutes(20));
        desk.inquiries().unwrap();
        other.inquiries().unwrap();
    }
    let over = format!("the training ended on {}", trained.trained_until);
    refused(desk.approve(&chosen), 403, "untrained", &over);
    refused(desk.open(&request()), 403, "untrained", &over);
    refused(desk.claim(&answered), 403, "untrained", &over);
    assert_eq!(clocked.details(LeafKind::Asked).len(), 1, "the other's");
    assert!(
        clocked.refusals().iter().filter(|reason| reason.contains(&over)).count() >= 3,
        "{:?}",
        clocked.refusals()
    );
    other.claim(&answered).unwrap();
    // Trained again, as two others said, it goes on.
    clocked.pass(Span::hours(10));
    let again = Person { trained_until: clocked.today() + time::Duration::days(365), ..trained };
    let grant = official(&clocked, "administrator").ask_grant(&again, None).unwrap();
    official(&clocked, "commander").approve_grant(grant).unwrap();
    logs_on(&clocked, "rtcc-1", "trained", &key_of(&clocked, "trained"))
        .unwrap()
        .approve(&chosen)
        .unwrap();
}
