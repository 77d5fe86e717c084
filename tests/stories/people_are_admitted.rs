//! People are admitted by two others, log on with a device's certificate and a key of their own,
//! and may do what their role may.

use serde_json::json;
use smrt::api::wire::ChallengeView;
use smrt::audit::LeafKind;
use smrt::booking::{Identifier, Text};
use smrt::client::console_session::{ConsoleSession, SharedKey, enrol_first_key, shared_key};
use smrt::client::software_key::KeyBehaviour;
use smrt::roster::{Person, Role};
use time::OffsetDateTime;

use crate::desks::{Hand, key_of, log_on, logs_on, official, person, refused, relying_party};
use crate::site::{Daemon, Site, request, request_json};

fn id(id: &str) -> Identifier {
    Identifier::parse(id).unwrap()
}

#[test]
fn a_first_key_is_enrolled_once_and_by_the_code_that_the_box_gave_for_that_person() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let (console, commander, administrator) =
        (daemon.console("rtcc-1"), id("commander"), id("administrator"));
    let key = shared_key().unwrap();
    let enrol = |person: &Identifier, code: &str, key: &SharedKey| {
        enrol_first_key(&console, &relying_party(), person, code, key)
    };
    let wrong = "0".repeat(32);
    for (person, code) in [
        (&commander, wrong.as_str()),
        (&commander, site.code_of("administrator")),
        (&id("nobody"), site.code_of("commander")),
    ] {
        refused(
            enrol(person, code, &key),
            403,
            "wrong-code",
            "the code is not the one that this person was appointed with",
        );
    }
    let hand = Hand::new(&daemon, &site.console_identity("rtcc-1"));
    let order = json!({"person": "commander", "code": site.code_of("commander")});
    for (habits, kind, words) in [
        (KeyBehaviour { verified: false, ..KeyBehaviour::default() }, "not-verified", "verif"),
        (
            KeyBehaviour { backup_eligible: true, ..KeyBehaviour::default() },
            "key-can-be-copied",
            "cop",
        ),
        (
            KeyBehaviour {
                origin: Some("https://evil.example".to_owned()),
                ..KeyBehaviour::default()
            },
            "wrong-page",
            "evil.example",
        ),
    ] {
        let asked: ChallengeView =
            serde_json::from_slice(&hand.post("/v1/enrolment/challenge", &order).body).unwrap();
        let registration =
            key.lock().unwrap().register_as(&asked.challenge, &relying_party(), &habits);
        let mut enrolment = order.clone();
        (enrolment["nonce"], enrolment["registration"]) =
            (hex::encode(asked.nonce).into(), serde_json::to_value(registration).unwrap());
        hand.post("/v1/enrolment", &enrolment).is_problem(403, kind, words);
    }
    enrol(&commander, site.code_of("commander"), &key).unwrap();
    refused(
        enrol(&commander, site.code_of("commander"), &shared_key().unwrap()),
        403,
        "wrong-code",
        "or it no longer holds",
    );
    refused(
        enrol(&administrator, site.code_of("administrator"), &key),
        409,
        "key-taken",
        "another person's",
    );
    let feed = Hand::new(&daemon, &site.feed_identity("slmpd"));
    feed.post("/v1/enrolment/challenge", &order).is_problem(
        403,
        "not-this-role",
        "may not enrol a key",
    );
    logs_on(&daemon, "rtcc-1", "commander", &key).unwrap();
    assert_eq!(daemon.stop(), Some(0));
    let log = site.log();
    let of = |wanted: LeafKind| log.iter().filter(|(kind, _)| *kind == wanted).count();
    assert_eq!(
        (of(LeafKind::Appointed), of(LeafKind::KeyEnrolled), of(LeafKind::LoggedOn)),
        (2, 1, 1)
    );
    assert_eq!(site.refusals(LeafKind::LogOnRefused).len(), 3 + 3 + 2);
    assert!(
        !serde_json::to_string(&log.iter().map(|leaf| &leaf.1).collect::<Vec<_>>())
            .unwrap()
            .contains(site.code_of("commander"))
    );
}

#[test]
fn nobody_is_admitted_by_one_person_alone() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let operator = daemon.desk("rtcc-1");
    let (administrator, commander) =
        (official(&daemon, "administrator"), official(&daemon, "commander"));
    let (new, key) = (person("jdoe", Role::Operator), shared_key().unwrap());

    let grant = administrator.ask_grant(&new, Some(&key)).unwrap();
    refused(
        logs_on(&daemon, "rtcc-2", "jdoe", &key),
        403,
        "not-proven",
        "no account of that name takes this key",
    );
    refused(
        administrator.approve_grant(grant),
        403,
        "not-this-role",
        "an administrator may not approve a change of the roster",
    );
    refused(
        operator.approve_grant(grant),
        403,
        "not-this-role",
        "may not approve a change of the roster",
    );
    refused(commander.ask_grant(&new, Some(&key)), 403, "not-this-role", "the commander may not");
    refused(operator.ask_grant(&new, Some(&key)), 403, "not-this-role", "may not");
    commander.approve_grant(grant).unwrap();
    refused(
        commander.approve_grant(grant),
        404,
        "not-found",
        "no change of the roster of that name is yours",
    );
    logs_on(&daemon, "rtcc-2", "jdoe", &key).unwrap();

    // What is declined is over.
    let (other, other_key) = (person("mroe", Role::Examiner), shared_key().unwrap());
    let declined = administrator.ask_grant(&other, Some(&other_key)).unwrap();
    commander.decline_grant(declined, "no such person is employed").unwrap();
    refused(
        commander.approve_grant(declined),
        404,
        "not-found",
        "no change of the roster of that name is yours",
    );
    refused(
        logs_on(&daemon, "rtcc-2", "mroe", &other_key),
        403,
        "not-proven",
        "no account of that name takes this key",
    );
    assert_eq!(daemon.stop(), Some(0));
    assert!(site.log_kinds().contains(&LeafKind::GrantDeclined));
}

#[test]
fn nobody_decides_on_an_account_of_their_own() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let (administrator, commander) =
        (official(&daemon, "administrator"), official(&daemon, "commander"));
    let raised = Person { role: Role::Auditor, ..person("administrator", Role::Administrator) };
    refused(
        administrator.ask_grant(&raised, None),
        403,
        "own-account",
        "nobody decides on an account of their own",
    );
    let own = administrator.ask_grant(&person("commander", Role::Commander), None).unwrap();
    refused(
        commander.approve_grant(own),
        403,
        "own-account",
        "nobody decides on an account of their own",
    );
    for official in [&administrator, &commander] {
        refused(
            official.send(&format!("/v1/people/{}/off", official.person()), &()),
            403,
            "own-account",
            "nobody decides",
        );
    }
}

#[test]
fn one_person_has_one_account_one_role_and_one_key() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let (administrator, commander) =
        (official(&daemon, "administrator"), official(&daemon, "commander"));
    let (new, key) = (person("jdoe", Role::Operator), shared_key().unwrap());
    commander.approve_grant(administrator.ask_grant(&new, Some(&key)).unwrap()).unwrap();
    let (other, other_key) = (person("mroe", Role::Examiner), shared_key().unwrap());
    let twin = Person { badge: new.badge.clone(), ..person("jdoe-2", Role::Examiner) };
    refused(
        administrator.ask_grant(&twin, Some(&shared_key().unwrap())),
        409,
        "second-account",
        "the person has the account 'jdoe' already, and one role",
    );
    let taken = Person { badge: Text::parse("another").unwrap(), ..new };
    refused(
        administrator.ask_grant(&taken, Some(&shared_key().unwrap())),
        409,
        "name-taken",
        "'jdoe' is the name of another account",
    );
    refused(
        administrator.ask_grant(&other, None),
        409,
        "no-key",
        "an account needs a security key of its own",
    );
    refused(
        administrator.ask_grant(&other, Some(&key)),
        409,
        "key-taken",
        "the security key is another person's",
    );
    let in_a_week = OffsetDateTime::now_utc() + time::Duration::days(7);
    let long = Person { temporary_until_cs: Some(in_a_week.into()), ..other.clone() };
    refused(
        administrator.ask_grant(&long, Some(&other_key)),
        409,
        "account-terms",
        "a temporary account lasts 72 hours at most",
    );
    for (agency, status, kind) in
        [("nobody", 422, "agency-not-listed"), ("gone", 403, "agency-not-active")]
    {
        let elsewhere = Person { agency: id(agency), ..other.clone() };
        refused(administrator.ask_grant(&elsewhere, Some(&other_key)), status, kind, agency);
    }
}

#[test]
fn a_change_of_role_takes_two_and_switching_an_account_off_takes_one() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let (administrator, commander) =
        (official(&daemon, "administrator"), official(&daemon, "commander"));
    let (new, key) = (person("jdoe", Role::Operator), shared_key().unwrap());
    commander.approve_grant(administrator.ask_grant(&new, Some(&key)).unwrap()).unwrap();
    let desk = logs_on(&daemon, "rtcc-2", "jdoe", &key).unwrap();
    // A change ends what the person had open.
    assert_eq!(desk.inquiries().unwrap().len(), 0);
    let changed = administrator.ask_grant(&Person { role: Role::Auditor, ..new }, None).unwrap();
    commander.approve_grant(changed).unwrap();
    refused(desk.inquiries(), 401, "no-session", "log on first");
    let desk = logs_on(&daemon, "rtcc-2", "jdoe", &key).unwrap();
    refused(desk.inquiries(), 403, "not-this-role", "an auditor may not look at inquiries");

    // Taking away takes one.
    administrator.send("/v1/people/jdoe/off", &()).unwrap();
    refused(desk.people(), 401, "no-session", "log on first");
    refused(
        logs_on(&daemon, "rtcc-2", "jdoe", &key),
        403,
        "account-off",
        "the account is off: its person or agency no longer belongs to the site",
    );
    assert_eq!(daemon.stop(), Some(0));
    let kinds = site.log_kinds();
    for kind in [LeafKind::GrantAsked, LeafKind::GrantApproved, LeafKind::AccountOff] {
        assert!(kinds.contains(&kind), "{kind:?}");
    }
}

/// What is sent by which path, and the roles whose duty it is.
fn verbs_with_their_roles(
    inquiry: &str,
    grant: &str,
    new: &Person,
) -> Vec<(String, serde_json::Value, Vec<Role>)> {
    let order = json!({"order": {"person": new}});
    let step = |verb: &str| format!("/v1/inquiries/{inquiry}/{verb}");
    let finding = json!({"revision": 1,
        "finding": {"candidate": "0".repeat(32), "disposition": "inconclusive",
        "observations": []}});
    let handover =
        json!({"revision": 1, "handover": {"received_by": "Evidence room", "of": "slmpd"}});
    let operates = [Role::Operator, Role::OperatorExaminer];
    let examines = [Role::Examiner, Role::OperatorExaminer];
    let upload = json!({"bytes": 9, "sha256": "0".repeat(64)});
    vec![
        ("/v1/inquiries".to_owned(), request_json(), operates.to_vec()),
        (step("upload"), upload, operates.to_vec()),
        (
            step("probe"),
            json!({"revision": 1, "bytes": 9, "sha256": "0".repeat(64)}),
            operates.to_vec(),
        ),
        (step("face"), json!({"revision": 1}), operates.to_vec()),
        (step("challenge"), json!({"revision": 1}), operates.to_vec()),
        (
            step("withdraw"),
            json!({"revision": 7, "reason": "the detective withdrew the request"}),
            Role::ALL.to_vec(),
        ),
        (step("evidence"), handover, operates.to_vec()),
        (
            step("outcome"),
            json!({"revision": 1, "outcome": {"upshot": "no_lead"}}),
            operates.to_vec(),
        ),
        (step("claim"), json!({"revision": 1}), examines.to_vec()),
        (step("findings"), finding, examines.to_vec()),
        (step("finish"), json!({"revision": 1}), examines.to_vec()),
        ("/v1/people/jdoe/key/challenge".to_owned(), json!(null), vec![Role::Administrator]),
        ("/v1/grants/challenge".to_owned(), order, vec![Role::Administrator]),
        (format!("/v1/grants/{grant}/approval/challenge"), json!(null), vec![Role::Commander]),
        ("/v1/people/commander/confirm".to_owned(), json!(null), vec![Role::Administrator]),
        (
            "/v1/people/nobody/off".to_owned(),
            json!(null),
            vec![Role::Administrator, Role::Commander],
        ),
        ("/v1/people/role-0/release/challenge".to_owned(), json!(null), vec![Role::Administrator]),
        (
            "/v1/people/administrator/release/challenge".to_owned(),
            json!(null),
            vec![Role::Administrator, Role::Commander],
        ),
    ]
}

#[test]
fn each_verb_is_refused_to_every_role_whose_duty_it_is_not() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let desks: Vec<(Role, ConsoleSession)> = Role::ALL
        .into_iter()
        .map(|role| match role {
            Role::Administrator => (role, official(&daemon, "administrator")),
            Role::Commander => (role, official(&daemon, "commander")),
            _ => (role, daemon.desk_of("rtcc-1", &person(&format!("role-{}", role as u8), role))),
        })
        .collect();
    let at = |role: Role| &desks.iter().find(|(of, _)| *of == role).unwrap().1;
    let inquiry = at(Role::OperatorExaminer).open(&request()).unwrap().inquiry;
    let (new, key) = (person("jdoe", Role::Operator), shared_key().unwrap());
    let grant = at(Role::Administrator).ask_grant(&new, Some(&key)).unwrap();
    let verbs = verbs_with_their_roles(&inquiry.to_string(), &grant.to_string(), &new);
    let reads = [
        ("/v1/inquiries", vec![Role::Operator, Role::Examiner, Role::OperatorExaminer]),
        ("/v1/people", vec![Role::Administrator, Role::Commander, Role::Auditor]),
        ("/v1/grants", vec![Role::Administrator, Role::Commander, Role::Auditor]),
    ];
    let mut tried = 0;
    for (role, desk) in &desks {
        let device_of = |role: Role| {
            if matches!(role, Role::Administrator | Role::Commander) { "admin-1" } else { "rtcc-1" }
        };
        let hand = Hand::new(&daemon, &site.console_identity(device_of(*role))).at(desk);
        for (path, body, may) in &verbs {
            if !may.contains(role) {
                hand.post(path, body).is_problem(403, "not-this-role", " may not ");
                tried += 1;
            }
        }
        for (path, may) in &reads {
            match may.contains(role) {
                true => assert_eq!(hand.get(path).status, 200, "{role:?} {path}"),
                false => hand.get(path).is_problem(403, "not-this-role", " may not "),
            }
        }
    }
    assert!(tried > 60, "{tried}");
    assert_eq!(
        at(Role::OperatorExaminer).inquiry(inquiry).unwrap().revision,
        1,
        "nothing of this came near the inquiry"
    );
}

#[test]
fn whoever_is_not_trained_neither_searches_nor_compares() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let inquiry = daemon.desk("rtcc-1").open(&request()).unwrap();
    let untrained = Person {
        trained_until: OffsetDateTime::now_utc().date().previous_day().unwrap(),
        ..person("late", Role::OperatorExaminer)
    };
    let late = daemon.desk_of("rtcc-2", &untrained);
    refused(late.open(&request()), 403, "untrained", "the training ended on");
    refused(late.claim(&inquiry), 403, "untrained", "the training ended on");
    assert_eq!(daemon.desk("rtcc-1").inquiry(inquiry.inquiry).unwrap().revision, inquiry.revision);
}

#[test]
fn five_refused_touches_lock_an_account_until_somebody_else_releases_it() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let open = daemon.desk("rtcc-1");
    let (administrator, commander) =
        (official(&daemon, "administrator"), official(&daemon, "commander"));
    let bad = KeyBehaviour { verified: false, ..KeyBehaviour::default() };
    let lock = |person: &str| {
        let key = key_of(&daemon, person);
        for _ in 0..5 {
            log_on(&daemon, "rtcc-2", person, &key, &bad).is_problem(403, "not-verified", "");
        }
        log_on(&daemon, "rtcc-2", person, &key, &KeyBehaviour::default()).is_problem(
            403,
            "locked-out",
            "the account is locked after 5 refused log-ons",
        );
        refused(logs_on(&daemon, "admin-1", person, &key), 403, "locked-out", "locked");
    };
    lock("op-rtcc-1");
    refused(open.inquiries(), 401, "no-session", "log on first");
    let (operator, other) = (id("op-rtcc-1"), daemon.desk("rtcc-2"));
    refused(
        other.release_lock(&operator),
        403,
        "not-this-role",
        "may not release a locked account",
    );
    refused(
        commander.release_lock(&operator),
        403,
        "not-this-role",
        "may not release a locked account",
    );
    refused(
        administrator.release_lock(other.person()),
        404,
        "not-found",
        "no locked account of that name is yours",
    );
    administrator.release_lock(&operator).unwrap();
    logs_on(&daemon, "rtcc-2", "op-rtcc-1", &key_of(&daemon, "op-rtcc-1")).unwrap();

    lock("administrator");
    refused(administrator.people(), 401, "no-session", "log on first");
    commander.release_lock(&id("administrator")).unwrap();
    let administrator = official(&daemon, "administrator");
    refused(
        administrator.release_lock(&id("administrator")),
        403,
        "own-account",
        "nobody decides on an account of their own",
    );
    assert_eq!(daemon.stop(), Some(0));
    let kinds = site.log_kinds();
    let of = |wanted: LeafKind| kinds.iter().filter(|kind| **kind == wanted).count();
    assert_eq!((of(LeafKind::LockedOut), of(LeafKind::Unlocked)), (2, 2));
}

#[test]
fn a_log_on_takes_this_persons_own_key_at_this_device_for_this_challenge_once() {
    let site = Site::staffed();
    let daemon = site.start("test");
    daemon.desk("rtcc-1");
    daemon.desk("rtcc-2");
    let [key, others] = ["op-rtcc-1", "op-rtcc-2"].map(|person| key_of(&daemon, person));
    let habits = KeyBehaviour::default;
    for (habits, kind, words) in [
        (KeyBehaviour { present: false, ..habits() }, "not-present", "touched"),
        (KeyBehaviour { verified: false, ..habits() }, "not-verified", "did not verify its user"),
        (KeyBehaviour { backup_eligible: true, ..habits() }, "key-can-be-copied", "cop"),
        (
            KeyBehaviour { origin: Some("https://other.example".to_owned()), ..habits() },
            "wrong-page",
            "other.example",
        ),
        (KeyBehaviour { rp_id: Some("other.example".to_owned()), ..habits() }, "wrong-page", ""),
        (KeyBehaviour { cross_origin: true, ..habits() }, "wrong-page", "within another's page"),
        (
            KeyBehaviour { ceremony: Some("webauthn.create".to_owned()), ..habits() },
            "malformed-touch",
            "webauthn.create",
        ),
        (KeyBehaviour { count: Some(1), ..habits() }, "counter-back", "counter"),
    ] {
        log_on(&daemon, "rtcc-1", "op-rtcc-1", &key, &habits).is_problem(403, kind, words);
        // A log-on that goes through lets the tries be forgotten.
        assert_eq!(
            log_on(&daemon, "rtcc-1", "op-rtcc-1", &key, &KeyBehaviour::default()).status,
            201
        );
    }
    log_on(&daemon, "rtcc-1", "op-rtcc-1", &others, &habits()).is_problem(403, "not-proven", "");

    let [here, there] =
        ["rtcc-1", "rtcc-2"].map(|device| Hand::new(&daemon, &site.console_identity(device)));
    let ask = |person: &str| -> ChallengeView {
        serde_json::from_slice(&here.post("/v1/session/challenge", &json!({"person": person})).body)
            .unwrap()
    };
    let answer = |asked: &ChallengeView, person: &str, challenge: &[u8; 32]| {
        let touch = key.lock().unwrap().touch(challenge, &relying_party()).unwrap();
        json!({"person": person, "nonce": hex::encode(asked.nonce), "touch": touch})
    };
    let asked = ask("op-rtcc-1");
    here.post("/v1/session", &answer(&asked, "op-rtcc-1", &[7; 32])).is_problem(
        403,
        "not-proven",
        "no account of that name takes this key",
    );
    here.post("/v1/session", &answer(&asked, "op-rtcc-1", &asked.challenge)).is_problem(
        403,
        "wrong-challenge",
        "or it was used already",
    );
    let asked = ask("op-rtcc-1");
    let once = answer(&asked, "op-rtcc-1", &asked.challenge);
    there.post("/v1/session", &once).is_problem(
        403,
        "wrong-challenge",
        "was asked for something else",
    );
    assert_eq!(log_on(&daemon, "rtcc-1", "op-rtcc-1", &key, &habits()).status, 201);
    let asked = ask("op-rtcc-2");
    here.post("/v1/session", &answer(&asked, "op-rtcc-1", &asked.challenge)).is_problem(
        403,
        "wrong-challenge",
        "was asked for something else",
    );
    let asked = ask("op-rtcc-1");
    let once = answer(&asked, "op-rtcc-1", &asked.challenge);
    assert_eq!(here.post("/v1/session", &once).status, 201);
    here.post("/v1/session", &once).is_problem(403, "wrong-challenge", "or it was used already");
    Hand::new(&daemon, &site.feed_identity("slmpd"))
        .post("/v1/session/challenge", &json!({"person": "op-rtcc-1"}))
        .is_problem(403, "not-this-role", "may not log on");
}

/// A fresh session of the first desk's operator, behind its banner: the cookie with its attributes.
fn begun(daemon: &Daemon<'_>) -> String {
    daemon.desk("rtcc-1");
    let key = key_of(daemon, "op-rtcc-1");
    let begun = log_on(daemon, "rtcc-1", "op-rtcc-1", &key, &KeyBehaviour::default());
    assert!(
        begun.json()["banner"].as_str().unwrap().contains("consent to recording and monitoring")
    );
    begun.headers["set-cookie"].clone()
}

/// Whoever has a cookie at a device.
fn with_cookie<'d>(daemon: &'d Daemon<'_>, device: &str, cookie: &str) -> Hand<'d> {
    Hand {
        cookie: Some(cookie.to_owned()),
        ..Hand::new(daemon, &daemon.site.console_identity(device))
    }
}

/// The first desk's operator, who has read the banner.
fn at_work<'d>(daemon: &'d Daemon<'_>) -> Hand<'d> {
    let set = begun(daemon);
    let hand = with_cookie(daemon, "rtcc-1", set.split(';').next().unwrap());
    assert_eq!(hand.post("/v1/session/banner", &json!(null)).status, 204);
    hand
}

#[test]
fn a_session_is_this_certificates_and_behind_the_banner() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let set = begun(&daemon);
    let (cookie, attributes) = set.split_once(';').unwrap();
    for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
        assert!(attributes.contains(attribute), "{attributes}");
    }
    assert!(
        cookie.starts_with("__Host-smrt=") && cookie.len() >= "__Host-smrt=".len() + 32,
        "128 bits at least: {cookie}"
    );
    let hand = with_cookie(&daemon, "rtcc-1", cookie);
    hand.get("/v1/inquiries").is_problem(401, "banner-first", "when the banner is acknowledged");
    assert_eq!(hand.get("/v1/session").json(), json!({"state": "banner", "person": "op-rtcc-1"}));
    assert_eq!(hand.post("/v1/session/banner", &json!(null)).status, 204);
    assert_eq!(hand.get("/v1/inquiries").status, 200);

    // With another certificate, a changed cookie or none there is no session.
    let other = with_cookie(&daemon, "rtcc-2", cookie);
    other.get("/v1/inquiries").is_problem(401, "no-session", "log on first");
    assert_eq!(other.get("/v1/session").json(), json!({"state": "none"}));
    other.ask("DELETE", "/v1/session", b"").is_problem(401, "no-session", "");
    let last = if cookie.ends_with('0') { "1" } else { "0" };
    let changed = format!("{}{last}", &cookie[..cookie.len() - 1]);
    let changed = with_cookie(&daemon, "rtcc-1", &changed);
    changed.get("/v1/inquiries").is_problem(401, "no-session", "");
    Hand { cookie: None, ..hand }.get("/v1/inquiries").is_problem(401, "no-session", "");
}

#[test]
fn what_changes_something_comes_from_a_page_of_the_console() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let mut hand = at_work(&daemon);
    for origin in [None, Some("https://other.example"), Some("http://localhost"), Some("null")] {
        hand = hand.from(origin);
        hand.post("/v1/inquiries", &request_json()).is_problem(
            403,
            "other-origin",
            "wanted a page of https://localhost",
        );
        hand.ask("DELETE", "/v1/session", b"").is_problem(403, "other-origin", "");
    }
    assert_eq!(hand.from(None).get("/v1/inquiries").status, 200, "reading changes nothing");
}

#[test]
fn a_locked_session_comes_back_to_its_own_persons_touch_only() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let hand = at_work(&daemon);
    assert_eq!(hand.post("/v1/session/lock", &json!(null)).status, 204);
    hand.get("/v1/inquiries").is_problem(401, "screen-hidden", "the session's screen is hidden");
    hand.post("/v1/inquiries", &request_json()).is_problem(401, "screen-hidden", "");
    assert_eq!(hand.get("/v1/session").json(), json!({"state": "locked", "person": "op-rtcc-1"}));
    let unlock = |key: &SharedKey| {
        let asked: ChallengeView =
            serde_json::from_slice(&hand.post("/v1/session/unlock/challenge", &json!(null)).body)
                .unwrap();
        let touch = key.lock().unwrap().touch(&asked.challenge, &relying_party()).unwrap();
        hand.post("/v1/session/unlock", &json!({"nonce": hex::encode(asked.nonce), "touch": touch}))
    };
    daemon.desk("rtcc-2");
    unlock(&key_of(&daemon, "op-rtcc-2")).is_problem(403, "wrong-key", "");
    hand.get("/v1/inquiries").is_problem(401, "screen-hidden", "");
    assert_eq!(unlock(&key_of(&daemon, "op-rtcc-1")).status, 204);
    assert_eq!(hand.get("/v1/inquiries").status, 200);
}

#[test]
fn a_session_is_gone_after_log_off_and_after_a_restart() {
    let site = Site::staffed();
    let mut daemon = site.start("test");
    let hand = at_work(&daemon);
    let gone = hand.ask("DELETE", "/v1/session", b"");
    assert!(gone.status == 204 && gone.headers["set-cookie"].contains("Max-Age=0"), "{gone:?}");
    hand.get("/v1/inquiries").is_problem(401, "no-session", "");

    let desk = daemon.desk("rtcc-1");
    let cookie = desk.cookie().to_owned();
    daemon.kill();
    let daemon = site.start("test");
    let hand = with_cookie(&daemon, "rtcc-1", &cookie);
    hand.get("/v1/inquiries").is_problem(401, "no-session", "log on first");
}
