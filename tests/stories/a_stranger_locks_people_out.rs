//! Somebody who has a device's certificate, and no key of anybody, tries to lock people out or to
//! find out who has an account; and a commander who is locked out everywhere comes back.

use std::process::Command;

use serde_json::{Value, json};
use smrt::api::wire::ChallengeView;
use smrt::audit::LeafKind;
use smrt::booking::Identifier;
use smrt::calendar::Span;
use smrt::client::console_session::{ConsoleSession, SharedKey, shared_key};
use smrt::client::software_key::KeyBehaviour;
use smrt::roster::Role;

use crate::clocked::Clocked;
use crate::daemon::{Ended, ended};
use crate::desks::{Hand, key_of, log_on, logs_on, official, person, refused, relying_party};
use crate::door::Door;
use crate::site::{EXIT_CONFIG, Site};

const DEVICES: [&str; 4] = ["rtcc-1", "rtcc-2", "admin-1", "audit-1"];
const OFFICIALS: [&str; 2] = ["commander", "administrator"];

fn hand<'d>(door: &'d Door<'d>, device: &str) -> Hand<'d> {
    Hand::new(door, &door.site.console_identity(device))
}

fn asked(door: &Door<'_>, device: &str, person: &str) -> ChallengeView {
    let answer = hand(door, device).post("/v1/session/challenge", &json!({"person": person}));
    assert_eq!(answer.status, 200, "{answer:?}");
    serde_json::from_slice(&answer.body).unwrap()
}

/// What answers a challenge, by whichever key.
fn answer(asked: &ChallengeView, person: &str, key: &SharedKey) -> Value {
    let touch = key.lock().unwrap().touch(&asked.challenge, &relying_party()).unwrap();
    json!({"person": person, "nonce": hex::encode(asked.nonce), "touch": touch})
}

/// The officials with their keys, each at a desk.
fn at_work(door: &Door<'_>) -> [ConsoleSession; 2] {
    OFFICIALS.map(|id| official(door, id))
}

#[test]
fn whatever_answers_no_challenge_of_this_device_locks_nobody_out() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    let desks = at_work(&clocked);
    for official in OFFICIALS {
        let key = key_of(&clocked, official);
        // What somebody saw of a touch of theirs once.
        let asked_once = asked(&clocked, "admin-1", official);
        let seen = answer(&asked_once, official, &key);
        assert_eq!(hand(&clocked, "admin-1").post("/v1/session", &seen).status, 201);
        // A challenge that another device asked for.
        let elsewhere = asked(&clocked, "audit-1", official);
        let (garbage, stranger) = (json!({"nonce": hex::encode([7; 32])}), shared_key().unwrap());
        for device in DEVICES {
            for at in 0..6 {
                let body = match at % 3 {
                    0 => {
                        let mut body = answer(&asked_once, official, &stranger);
                        body["nonce"] = garbage["nonce"].clone();
                        body
                    }
                    1 => seen.clone(),
                    _ if device == "audit-1" => continue,
                    _ => answer(&elsewhere, official, &key),
                };
                let told = hand(&clocked, device).post("/v1/session", &body);
                told.is_problem(403, "wrong-challenge", "");
            }
        }
    }
    let late = asked(&clocked, "rtcc-1", "commander");
    clocked.pass(Span::minutes(1));
    let late = answer(&late, "commander", &shared_key().unwrap());
    for _ in 0..5 {
        let told = hand(&clocked, "rtcc-1").post("/v1/session", &late);
        told.is_problem(403, "wrong-challenge", "");
    }
    assert_eq!(clocked.details(LeafKind::LockedOut).len(), 0);
    for (desk, official) in desks.iter().zip(OFFICIALS) {
        desk.people().expect("the session goes on");
        for device in DEVICES {
            logs_on(&clocked, device, official, &key_of(&clocked, official)).unwrap();
        }
    }
}

#[test]
fn what_a_stranger_signs_locks_an_account_at_the_strangers_device_alone() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    let desks = at_work(&clocked);
    let here = OFFICIALS.map(|id| logs_on(&clocked, "rtcc-2", id, &key_of(&clocked, id)).unwrap());
    let stranger = shared_key().unwrap();
    for official in OFFICIALS {
        let own = key_of(&clocked, official);
        let seen = answer(&asked(&clocked, "rtcc-2", official), official, &own);
        assert_eq!(hand(&clocked, "rtcc-2").post("/v1/session", &seen).status, 201);
        for at in 0..12 {
            // By a key of their own, which may say that it is the other one; or by a touch of the
            // person that they saw.
            let challenge = asked(&clocked, "rtcc-2", official);
            let mut body = answer(&challenge, official, &stranger);
            match at % 3 {
                0 => {}
                1 => body["touch"]["credential"] = seen["touch"]["credential"].clone(),
                _ => body["touch"] = seen["touch"].clone(),
            }
            let told = hand(&clocked, "rtcc-2").post("/v1/session", &body);
            told.is_problem(403, "not-proven", "no account of that name takes this key");
        }
        let locked = "the account is locked at 'rtcc-2' after 5 refused log-ons there";
        refused(logs_on(&clocked, "rtcc-2", official, &own), 403, "locked-out", locked);
        for device in ["rtcc-1", "admin-1", "audit-1"] {
            logs_on(&clocked, device, official, &own).unwrap();
        }
    }
    desks.iter().for_each(|desk| drop(desk.people().expect("the session goes on")));
    here.iter().for_each(|desk| refused(desk.people(), 401, "no-session", "log on first"));
    let out = clocked.details(LeafKind::LockedOut);
    let said: Vec<_> =
        out.iter().map(|out| (&out["person"], &out["device"], &out["tries"])).collect();
    let at = json!("rtcc-2");
    let wanted = [(&json!("commander"), &at, &json!(5)), (&json!("administrator"), &at, &json!(5))];
    assert_eq!(said, wanted);

    clocked.pass(Span::days(30));
    let [commander, administrator] = OFFICIALS.map(|id| official(&clocked, id));
    administrator.release_lock(&Identifier::parse("commander").unwrap()).unwrap();
    commander.release_lock(&Identifier::parse("administrator").unwrap()).unwrap();
    for official in OFFICIALS {
        logs_on(&clocked, "rtcc-2", official, &key_of(&clocked, official)).unwrap();
    }
}

#[test]
fn what_its_own_key_signed_locks_an_account_everywhere() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    let [desk, administrator] = at_work(&clocked);
    let key = key_of(&clocked, "commander");
    let elsewhere = Some("https://other.example".to_owned());
    for (device, wrong) in [
        ("rtcc-1", KeyBehaviour { verified: false, ..KeyBehaviour::default() }),
        ("rtcc-2", KeyBehaviour { origin: elsewhere, ..KeyBehaviour::default() }),
        ("admin-1", KeyBehaviour { count: Some(1), ..KeyBehaviour::default() }),
        ("audit-1", KeyBehaviour { present: false, ..KeyBehaviour::default() }),
        ("rtcc-1", KeyBehaviour { backed_up: true, ..KeyBehaviour::default() }),
    ] {
        let told = log_on(&clocked, device, "commander", &key, &wrong);
        assert_eq!(told.status, 403, "{told:?}");
    }
    refused(desk.people(), 401, "no-session", "log on first");
    for device in DEVICES {
        let locked = "the account is locked after 5 refused log-ons";
        refused(logs_on(&clocked, device, "commander", &key), 403, "locked-out", locked);
    }
    let out = clocked.details(LeafKind::LockedOut);
    assert_eq!((out.len(), &out[0]["device"]), (1, &Value::Null));
    administrator.release_lock(&Identifier::parse("commander").unwrap()).unwrap();
    logs_on(&clocked, "rtcc-1", "commander", &key).unwrap();
}

#[test]
fn a_log_on_tells_nobody_whether_a_name_has_an_account() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    let [commander, administrator] = at_work(&clocked);
    for id in ["is-on", "is-off", "is-locked"] {
        clocked.desk_of("rtcc-1", &person(id, Role::Operator));
    }
    administrator.send("/v1/people/is-off/off", &()).unwrap();
    let (lockable, unverified) = (
        key_of(&clocked, "is-locked"),
        KeyBehaviour { verified: false, ..KeyBehaviour::default() },
    );
    for _ in 0..5 {
        log_on(&clocked, "rtcc-1", "is-locked", &lockable, &unverified);
    }
    let stranger = shared_key().unwrap();
    let told = |person: &str| {
        let asked =
            hand(&clocked, "rtcc-2").post("/v1/session/challenge", &json!({"person": person}));
        let mut view: Value = serde_json::from_slice(&asked.body).unwrap();
        let challenge: ChallengeView = serde_json::from_slice(&asked.body).unwrap();
        for name in ["nonce", "challenge"] {
            assert_eq!(view[name].as_str().unwrap().len(), 64);
            view[name] = Value::Null;
        }
        let body = answer(&challenge, person, &stranger);
        let refusal = hand(&clocked, "rtcc-2").post("/v1/session", &body);
        let mut problem: Value = serde_json::from_slice(&refusal.body).unwrap();
        problem["request"] = Value::Null;
        let mut headers: Vec<String> =
            asked.headers.into_keys().chain(refusal.headers.into_keys()).collect();
        headers.sort_unstable();
        (asked.status, view, refusal.status, problem, headers)
    };
    let of_nobody = told("nobody-at-all");
    assert_eq!((of_nobody.0, of_nobody.2), (200, 403));
    assert_eq!(of_nobody.1["key"], Value::Null);
    for person in ["is-on", "is-off", "is-locked", "commander", "administrator"] {
        assert_eq!(told(person), of_nobody, "{person}");
    }
    // The log's auditors are told what it was.
    let reasons = clocked.refusals();
    let whole = |words: &str| reasons.iter().filter(|reason| reason.contains(words)).count();
    assert_eq!(whole("no person of that name has an account with a key"), 1);
    assert_eq!(whole("the touch is by another security key than was asked for"), 5);
    // Whoever has the key is told how the account stands.
    let off = key_of(&clocked, "is-off");
    refused(logs_on(&clocked, "rtcc-2", "is-off", &off), 403, "account-off", "the account is off");
    drop(commander);
}

#[test]
fn a_device_that_asks_for_touch_after_touch_keeps_nobody_from_work() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    let [_, administrator] = at_work(&clocked);
    let ask = |device: &str, person: &str| {
        hand(&clocked, device).post("/v1/session/challenge", &json!({"person": person}))
    };
    for at in 0..64 {
        assert_eq!(ask("rtcc-2", &format!("name-{at}")).status, 200);
    }
    ask("rtcc-2", "commander").is_problem(503, "busy", "");
    clocked.pass(Span::minutes(1));
    for at in 64..120 {
        assert_eq!(ask("rtcc-2", &format!("name-{at}")).status, 200);
    }
    clocked.pass(Span::minutes(1));
    ask("rtcc-2", "commander").is_problem(
        429,
        "too-many-challenges",
        "'rtcc-2' has asked for 120 touches within the hour",
    );
    // A session that is there goes on, and so does everybody elsewhere.
    administrator.people().unwrap();
    let key = key_of(&clocked, "commander");
    for device in ["rtcc-1", "admin-1", "audit-1"] {
        logs_on(&clocked, device, "commander", &key).unwrap();
    }
    clocked.pass(Span::hours(1));
    logs_on(&clocked, "rtcc-2", "commander", &key).unwrap();
}

fn release_at_box(site: &Site, person: &str) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smrtd"));
    command.arg("release-lock").arg("--config").arg(site.config());
    ended(command.args(["--id", person]))
}

#[test]
fn a_locked_commander_comes_back_at_the_box_and_everybody_hears_of_it() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    let staff = [Role::OperatorExaminer, Role::Examiner, Role::Auditor];
    let name = |role: Role| format!("is-{}", role.name().replace('_', "-"));
    for role in staff {
        clocked.desk_of("rtcc-1", &person(&name(role), role));
    }
    let unverified = KeyBehaviour { verified: false, ..KeyBehaviour::default() };
    for official in OFFICIALS {
        let key = key_of(&clocked, official);
        for _ in 0..5 {
            log_on(&clocked, "rtcc-1", official, &key, &unverified);
        }
        refused(logs_on(&clocked, "admin-1", official, &key), 403, "locked-out", "locked");
    }
    clocked.stop();

    for (other, words) in [
        ("administrator", "only a commander is released at the box"),
        (&name(Role::Auditor), "only a commander is released at the box"),
        ("nobody", "no account of that name"),
    ] {
        let ended = release_at_box(&site, other);
        assert_eq!(ended.status, Some(EXIT_CONFIG), "{ended:?}");
        assert!(ended.stderr.contains(words), "{ended:?}");
    }
    let released = release_at_box(&site, "commander");
    assert_eq!(released.status, Some(0), "{released:?}");
    assert!(released.stdout.contains("commander may log on again"), "{released:?}");
    let again = release_at_box(&site, "commander");
    assert_eq!(again.status, Some(EXIT_CONFIG), "it is locked no more: {again:?}");

    let clocked = Clocked::of(&site);
    let commander = official(&clocked, "commander");
    commander.release_lock(&Identifier::parse("administrator").unwrap()).unwrap();
    let people = staff.map(name).into_iter().chain(OFFICIALS.map(str::to_owned));
    for id in people.collect::<Vec<_>>() {
        let desk = logs_on(&clocked, "rtcc-1", &id, &key_of(&clocked, &id)).unwrap();
        let page = hand(&clocked, "rtcc-1").at(&desk).get("/console/alarms");
        let page = String::from_utf8(page.body).unwrap();
        assert!(page.contains("Account released at the box"), "{id}: {page}");
        assert!(page.contains("account of 'commander' was released at the box itself"), "{page}");
    }
    let stands = || {
        let alarms = clocked.console("rtcc-1").health().unwrap().alarms;
        alarms.iter().any(|raised| raised.alarm == "released_at_box")
    };
    assert!(stands());
    assert_eq!(
        clocked.details(LeafKind::UnlockedAtBox),
        [json!({
            "detail": "unlocked_at_box",
            "person": "commander",
        })]
    );
    clocked.pass(Span::days(7) - Span::hours(1));
    assert!(stands(), "a week is not over");
    clocked.pass(Span::hours(2));
    assert!(!stands());
}
