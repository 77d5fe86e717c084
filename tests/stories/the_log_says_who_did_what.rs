//! Log-ons, the use of permissions, privileged acts and tries at the log are leaves: what, when to
//! the hundredth of a second, where, by which certificate, how it ended and who it was (CJIS AU-2,
//! AU-3, AU-8; MOU-IV-C2, C3).

use std::process::Command;

use serde_json::{Value, json};
use smrt::audit::{Entry, LeafKind, LogKey};
use smrt::booking::Identifier;
use smrt::calendar::Span;
use smrt::client::console_session::{ConsoleSession, shared_key};
use smrt::client::software_key::KeyBehaviour;
use smrt::roster::{Person, Role};

use crate::clocked::Clocked;
use crate::daemon::ended;
use crate::desks::{Hand, key_of, log_on, logs_on, official, person, refused};
use crate::photos::{OBAMA, OBAMA_LATER, photo};
use crate::site::{ORIGIN, Site, booking, number, request};

/// The newest leaf of a kind is dated now, and its detail says who it was, and from where.
fn says(
    clocked: &Clocked<'_>,
    kind: LeafKind,
    person: Option<(&str, &str)>,
    device: &str,
    more: &[(&str, &str)],
) {
    let log = clocked.log();
    let at = log
        .iter()
        .rposition(|(found, _)| *found == kind)
        .unwrap_or_else(|| panic!("no leaf {kind:?}"));
    let leaf = clocked.leaf(at);
    let Entry::Known(view) = Entry::read(&leaf).unwrap() else {
        panic!("it is of a kind that is known")
    };
    assert_eq!(view.time, clocked.now(), "{kind:?}");
    let detail = log[at].1.as_ref().unwrap();
    let actor = &detail["actor"];
    assert_eq!(actor["certificate"], format!("smrt:{device}"), "{detail}");
    assert_eq!(actor["fingerprint"].as_str().unwrap().len(), 64);
    match person {
        Some((id, agency)) => assert_eq!(
            (&actor["person"], &actor["agency"]),
            (&json!(id), &json!(agency)),
            "{detail}"
        ),
        None => assert_eq!(actor["person"], Value::Null, "{detail}"),
    }
    for (field, words) in more {
        assert!(
            detail[field].as_str().is_some_and(|found| found.contains(words)),
            "wanted '{words}' as {field} of {detail}"
        );
    }
}

#[test]
fn an_auditor_goes_through_the_log_every_week_or_it_is_an_alarm() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    let (auditor, operator) =
        (clocked.desk_of("audit-1", &person("auditor", Role::Auditor)), clocked.desk("rtcc-1"));
    let look = |end: u64, note: &str| json!({"end": end, "note": note});
    let late = || -> Vec<String> {
        let alarms = clocked.console("rtcc-1").health().unwrap().alarms;
        alarms
            .into_iter()
            .filter(|alarm| alarm.alarm == "audit_overdue")
            .map(|alarm| alarm.what)
            .collect()
    };
    let at = |device: &str, desk: &ConsoleSession| {
        Hand::new(&clocked, &site.console_identity(device)).at(desk)
    };
    let leaves = clocked.leaves();
    at("rtcc-1", &operator).post("/v1/log/looks", &look(leaves, "all is well")).is_problem(
        403,
        "not-this-role",
        "may not go through the log",
    );
    for (end, note, status, kind) in [
        (0, "nothing unusual", 422, "range-outside"),
        (leaves + 99, "nothing unusual", 422, "range-outside"),
        (leaves, "", 400, "malformed"),
    ] {
        assert_eq!(
            at("audit-1", &auditor).post("/v1/log/looks", &look(end, note)).json()["type"],
            kind,
            "{status}"
        );
    }
    clocked.pass(Span::days(7) - Span::hours(1));
    assert!(late().is_empty());
    clocked.pass(Span::hours(2));
    assert_eq!(late(), ["nobody went through the log for more than 7 days"]);
    let auditor = logs_on(&clocked, "audit-1", "auditor", &key_of(&clocked, "auditor")).unwrap();
    let page = String::from_utf8(at("audit-1", &auditor).get("/console/log").body).unwrap();
    assert!(
        page.contains("Weekly review of the log")
            && page.contains("overdue")
            && page.contains("from 0 on"),
        "{page}"
    );
    let leaves = clocked.leaves();
    let looked = at("audit-1", &auditor)
        .post("/v1/log/looks", &look(leaves, "two refused log-ons at desk 2, told apart"));
    assert_eq!((looked.status, looked.json()["leaf"].as_u64()), (201, Some(leaves)));
    says(
        &clocked,
        LeafKind::LogReviewed,
        Some(("auditor", "slmpd")),
        "device/audit-1",
        &[("note", "two refused log-ons at desk 2, told apart")],
    );
    clocked.look();
    assert!(late().is_empty());
    // The next one begins where this one ended.
    at("audit-1", &auditor).post("/v1/log/looks", &look(leaves, "again")).is_problem(
        422,
        "range-outside",
        "",
    );
    let page = String::from_utf8(at("audit-1", &auditor).get("/console/log").body).unwrap();
    assert!(page.contains(&format!("from {leaves} on")) && !page.contains("overdue"), "{page}");
    clocked.pass(Span::days(7) + Span::hours(1));
    assert_eq!(late().len(), 1, "every week");
}

/// Time passes, so that no two steps are at the same hundredth of a second.
fn later(clocked: &Clocked<'_>) {
    clocked.pass(Span::seconds(1) + Span::from_cs(7));
}

#[test]
fn log_ons_and_permissions_used_are_leaves_with_who_where_and_how_it_ended() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    clocked
        .feed("slmpd")
        .put_booking(&number("26-1"), &booking("Person 26-1"), &photo(OBAMA))
        .unwrap();
    says(&clocked, LeafKind::BookingIn, None, "agency/slmpd/feed", &[("agency", "slmpd")]);
    let county = Person {
        agency: Identifier::parse("stlco").unwrap(),
        ..person("jones", Role::OperatorExaminer)
    };
    // Log-ons, those that are refused among them.
    let desk = clocked.desk_of("rtcc-1", &county);
    says(&clocked, LeafKind::LoggedOn, Some(("jones", "stlco")), "device/rtcc-1", &[]);
    later(&clocked);
    let key = key_of(&clocked, "jones");
    log_on(
        &clocked,
        "rtcc-2",
        "jones",
        &key,
        &KeyBehaviour { verified: false, ..KeyBehaviour::default() },
    )
    .is_problem(403, "not-verified", "");
    says(
        &clocked,
        LeafKind::LogOnRefused,
        None,
        "device/rtcc-2",
        &[("person", "jones"), ("reason", "did not verify its user")],
    );
    // A permission used, and one that isn't theirs.
    later(&clocked);
    desk.ask(&request(), &photo(OBAMA_LATER)).unwrap();
    for kind in [LeafKind::InquiryOpened, LeafKind::Asked, LeafKind::Answered] {
        says(&clocked, kind, Some(("jones", "stlco")), "device/rtcc-1", &[]);
    }
    later(&clocked);
    refused(desk.people(), 403, "not-this-role", "may not look at the roster");
    says(
        &clocked,
        LeafKind::CallerRefused,
        Some(("jones", "stlco")),
        "device/rtcc-1",
        &[("reason", "may not look at the roster")],
    );
    later(&clocked);
    // A person who goes leaves a word, too.
    desk.log_off().unwrap();
    says(
        &clocked,
        LeafKind::LoggedOff,
        Some(("jones", "stlco")),
        "device/rtcc-1",
        &[("why", "by hand")],
    );
}

#[test]
fn privileged_acts_are_leaves_with_both_people() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    let (administrator, commander) =
        (official(&clocked, "administrator"), official(&clocked, "commander"));
    let new_key = shared_key().unwrap();
    let grant = administrator.ask_grant(&person("new", Role::Auditor), Some(&new_key)).unwrap();
    says(
        &clocked,
        LeafKind::GrantAsked,
        Some(("administrator", "slmpd")),
        "device/admin-1",
        &[("grant", &grant.to_string())],
    );
    later(&clocked);
    commander.approve_grant(grant).unwrap();
    says(
        &clocked,
        LeafKind::GrantApproved,
        Some(("commander", "slmpd")),
        "device/admin-1",
        &[("person", "new")],
    );
    later(&clocked);
    administrator.send("/v1/people/new/off", &()).unwrap();
    says(
        &clocked,
        LeafKind::AccountOff,
        Some(("administrator", "slmpd")),
        "device/admin-1",
        &[("person", "new")],
    );
}

#[test]
fn tries_at_the_log_are_leaves_and_nothing_takes_one_back() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    let administrator = official(&clocked, "administrator");
    // Tries at the log: whoever may open it, and whoever may not.
    later(&clocked);
    let auditor = clocked.desk_of("audit-1", &person("auditor", Role::Auditor));
    let page = |device: &str, desk| {
        Hand::new(&clocked, &site.console_identity(device)).at(desk).get("/console/log/0").status
    };
    assert_eq!(page("audit-1", &auditor), 200);
    says(&clocked, LeafKind::DetailsOpened, Some(("auditor", "slmpd")), "device/audit-1", &[]);
    clocked.pass(Span::minutes(1));
    // The first refusal of an hour has a leaf of its own; this one is the administrators' console's
    // first.
    assert_eq!(page("admin-1", &administrator), 403);
    says(
        &clocked,
        LeafKind::CallerRefused,
        Some(("administrator", "slmpd")),
        "device/admin-1",
        &[("reason", "may not open details")],
    );
    // Nothing takes a leaf back: there is no such verb, and what is like it is refused with its
    // reason.
    later(&clocked);
    let feed = Hand::new(&clocked, &site.feed_identity("stlco")).from(None);
    feed.ask("GET", "/v1/log/details?first=0&end=1", b"").is_problem(
        403,
        "not-this-role",
        "may not open details",
    );
    says(
        &clocked,
        LeafKind::CallerRefused,
        None,
        "agency/stlco/feed",
        &[("reason", "may not open details")],
    );
    for (method, path) in [
        ("DELETE", "/v1/log/details"),
        ("PUT", "/v1/log/details"),
        ("DELETE", "/v1/log/checkpoint"),
        ("DELETE", "/v1/log/samples"),
    ] {
        assert_eq!(feed.ask(method, path, b"").status, 405, "{method} {path}");
    }
}

#[test]
fn a_try_to_book_or_to_search_that_cannot_be_read_is_a_leaf_in_bounded_words() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    clocked.desk("rtcc-1");
    let unknown = format!("{{\"{}\": 1}}", "x".repeat(60_000));
    let search = format!("/v1/inquiries/{}/search", "0".repeat(32));
    let mut stated = serde_json::to_value(request()).unwrap();
    stated["reason"] = "y".repeat(60_000).into();
    let stated = stated.to_string();
    let (book, ask) = (LeafKind::BookingRefused, LeafKind::SearchRefused);
    for (method, path, body, kind) in [
        ("PUT", "/v1/bookings/26-1", "no form", book),
        ("PUT", "/v1/bookings/-", "no form", book),
        ("POST", "/v1/bookings/26-1/release", &unknown, LeafKind::CallerRefused),
        ("POST", "/v1/inquiries", "{", ask),
        ("POST", "/v1/inquiries", &unknown, ask),
        ("POST", "/v1/inquiries", &stated, ask),
        ("POST", "/v1/inquiries/x/search", "{}", ask),
        ("POST", &search, &unknown, ask),
    ] {
        // Refusals of an hour are gathered behind the first.
        clocked.pass_unseen(Span::minutes(61));
        let before = clocked.details(kind).len();
        let (answer, who, from) = if path.starts_with("/v1/bookings") {
            let feed = Hand::new(&clocked, &site.feed_identity("slmpd")).from(None);
            (feed.ask(method, path, body.as_bytes()), Value::Null, "smrt:agency/slmpd/feed")
        } else {
            let key = key_of(&clocked, "op-rtcc-1");
            let desk = logs_on(&clocked, "rtcc-1", "op-rtcc-1", &key).unwrap();
            let hand = Hand::new(&clocked, &site.console_identity("rtcc-1")).at(&desk);
            (hand.ask(method, path, body.as_bytes()), json!("op-rtcc-1"), "smrt:device/rtcc-1")
        };
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
        let details = clocked.details(kind);
        assert_eq!(details.len(), before + 1, "{method} {path}");
        let detail = details.last().unwrap();
        let actor = &detail["actor"];
        assert_eq!((&actor["person"], &actor["certificate"]), (&who, &json!(from)));
        assert!(detail["reason"].as_str().unwrap().chars().count() <= 400, "{detail}");
        assert!(detail.to_string().len() < 6_000, "{path}: {}", detail.to_string().len());
    }
}

#[test]
fn a_body_that_is_too_large_or_from_another_sites_page_is_a_leaf_of_its_caller() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    let desk = clocked.desk("rtcc-1");
    let large = vec![b' '; 70_000];
    let operator = Hand::new(&clocked, &site.console_identity("rtcc-1")).at(&desk);
    operator.ask("POST", "/v1/inquiries", &large).is_problem(413, "too-large", "");
    says(
        &clocked,
        LeafKind::SearchRefused,
        Some(("op-rtcc-1", "slmpd")),
        "device/rtcc-1",
        &[("reason", "POST /v1/inquiries: "), ("rule", "too-large")],
    );
    let elsewhere = operator.from(Some("https://elsewhere.example"));
    elsewhere.post("/v1/session/lock", &json!(null)).is_problem(403, "other-origin", "");
    says(
        &clocked,
        LeafKind::CallerRefused,
        Some(("op-rtcc-1", "slmpd")),
        "device/rtcc-1",
        &[("reason", "https://elsewhere.example"), ("rule", "other-origin")],
    );
}

#[test]
fn a_log_in_doubt_takes_no_leaf_whatever_is_asked_of_the_box() {
    let site = Site::staffed();
    site.add_witnesses(&[("court", None)], 1, 60);
    let clocked = Clocked::of(&site);
    assert_eq!(clocked.witness("court", &site.witness_identity("court")).status, Some(0));
    clocked
        .feed("slmpd")
        .put_booking(&number("26-1"), &booking("Person 26-1"), &photo(OBAMA))
        .unwrap();
    let (desk, other) = (clocked.desk("rtcc-1"), clocked.desk("rtcc-2"));
    desk.inquiries().unwrap();
    desk.inquiries().unwrap();
    let unverified = KeyBehaviour { verified: false, ..KeyBehaviour::default() };
    let commander = key_of(&clocked, "commander");
    for _ in 0..5 {
        log_on(&clocked, "rtcc-2", "commander", &commander, &unverified);
    }
    // Somebody has the log's key and shows another log under it.
    let secret = std::fs::read(site.path("log.key")).unwrap();
    let forged = LogKey::new(ORIGIN, &secret).unwrap().sign(2, [9; 32]);
    let court = clocked.line(&site.witness_identity("court")).ask(
        "POST",
        "/v1/log/cosignatures",
        "text/plain",
        forged.as_bytes(),
    );
    court.unwrap().is_problem(409, "log-in-doubt", "the doors are shut");
    let leaves = clocked.leaves();
    // The person is out all the same.
    desk.log_off().unwrap();
    let released = clocked.feed("slmpd").release(&number("26-1"), "expunged").unwrap_err();
    let [own, others] = [&desk, &other].map(|desk| desk.inquiries().unwrap_err());
    for shut in [own, others, released] {
        assert!(shut.to_string().contains("the doors are shut"), "{shut}");
    }
    clocked.pass(Span::hours(2));
    clocked.pass(Span::days(3));
    assert_eq!(clocked.leaves(), leaves);
    clocked.restart().stop();
    assert_eq!(site.ledger().leaves(), leaves);
    // Nor does it from whoever sits at the box itself.
    let mut command = Command::new(env!("CARGO_BIN_EXE_smrtd"));
    let release = command.args(["release-lock", "--id", "commander"]).arg("--config");
    let told = ended(release.arg(site.config()));
    assert_eq!(told.status, Some(1), "{told:?}");
    assert!(told.stderr.contains("doors are shut"), "{told:?}");
    assert_eq!(site.ledger().leaves(), leaves);
}
