//! Accounts as time goes on: they go off by themselves, names rest, locks stay, and somebody
//! confirms once a year that they are needed (CJIS AC-2, AC-7, IA-4).

use smrt::audit::LeafKind;
use smrt::booking::{Identifier, Text};
use smrt::calendar::Span;
use smrt::client::console_session::{ConsoleSession, enrol_first_key, shared_key};
use smrt::client::software_key::KeyBehaviour;
use smrt::roster::{Person, Role};

use crate::clocked::Clocked;
use crate::desks::{key_of, log_on, logs_on, official, person, refused, relying_party};
use crate::site::Site;

fn id(id: &str) -> Identifier {
    Identifier::parse(id).unwrap()
}

fn officials(clocked: &Clocked<'_>) -> [ConsoleSession; 2] {
    ["administrator", "commander"].map(|id| official(clocked, id))
}

fn off(clocked: &Clocked<'_>) -> Vec<(String, String)> {
    let word = |detail: &serde_json::Value, field: &str| detail[field].as_str().unwrap().to_owned();
    let of = |detail: serde_json::Value| {
        assert!(detail["actor"].is_null(), "nobody did it");
        (word(&detail, "person"), word(&detail, "why"))
    };
    clocked.details(LeafKind::AccountOff).into_iter().map(of).collect()
}

#[test]
fn an_account_that_nobody_used_for_ninety_days_is_off_and_two_people_bring_it_back() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    for id in ["idle", "busy"] {
        clocked.desk_of("rtcc-1", &person(id, Role::Operator));
    }
    let (idle, busy) = (key_of(&clocked, "idle"), key_of(&clocked, "busy"));
    clocked.days_with(80, &["administrator", "commander", "busy"]);
    clocked.pass(Span::days(10) - Span::hours(1));
    assert_eq!(off(&clocked), [], "not an hour too early");
    clocked.pass_unseen(Span::hours(1));
    refused(
        logs_on(&clocked, "rtcc-1", "idle", &idle),
        403,
        "account-off",
        "the account is off: nobody used it for 90 days",
    );
    clocked.look();
    assert_eq!(off(&clocked), [("idle".to_owned(), "unused".to_owned())]);
    refused(
        logs_on(&clocked, "rtcc-1", "idle", &idle),
        403,
        "account-off",
        "the account is off: nobody used it for 90 days",
    );
    logs_on(&clocked, "rtcc-1", "busy", &busy).unwrap();

    let [administrator, commander] = officials(&clocked);
    let grant = administrator.ask_grant(&person("idle", Role::Operator), None).unwrap();
    refused(logs_on(&clocked, "rtcc-1", "idle", &idle), 403, "account-off", "the account is off");
    commander.approve_grant(grant).unwrap();
    logs_on(&clocked, "rtcc-1", "idle", &idle).unwrap();
}

#[test]
fn when_an_agencys_agreement_ends_its_people_are_out_at_once() {
    let site = Site::staffed();
    let last = time::OffsetDateTime::now_utc().date() + time::Duration::days(5);
    let roster = std::fs::read_to_string(site.path("roster.toml")).unwrap();
    let county = "name = \"County Police\"\nstanding = { kind = \"contributor\", ";
    assert!(roster.contains(county));
    std::fs::write(
        site.path("roster.toml"),
        roster.replace(county, &format!("{county}mou_until = \"{last}\", ")),
    )
    .unwrap();
    let clocked = Clocked::of(&site);
    let theirs = Person { agency: id("stlco"), ..person("county", Role::OperatorExaminer) };
    clocked.desk_of("rtcc-1", &theirs);
    clocked.desk_of("rtcc-2", &person("city", Role::OperatorExaminer));
    while clocked.today() < last - time::Duration::days(2) {
        clocked.pass(Span::days(1));
    }
    clocked.pass_to_hour(23);
    clocked.pass(Span::minutes(50));
    let [theirs, others] = [("rtcc-1", "county"), ("rtcc-2", "city")].map(|(device, id)| {
        let desk = logs_on(&clocked, device, id, &key_of(&clocked, id)).unwrap();
        desk.inquiries().unwrap();
        desk
    });
    // Over midnight, in the middle of their work.
    clocked.pass_unseen(Span::minutes(20));
    refused(
        theirs.inquiries(),
        403,
        "agency-not-active",
        "agency 'stlco' is not active: its agreement has ended",
    );
    refused(theirs.inquiries(), 401, "no-session", "log on first");
    let key = key_of(&clocked, "county");
    refused(
        logs_on(&clocked, "rtcc-1", "county", &key),
        403,
        "agency-not-active",
        "its agreement has ended",
    );
    clocked.look();
    assert_eq!(off(&clocked), [("county".to_owned(), "unassociated".to_owned())]);
    refused(
        logs_on(&clocked, "rtcc-1", "county", &key),
        403,
        "account-off",
        "its person or agency no longer belongs to the site",
    );
    others.inquiries().unwrap();
    let ended = clocked.details(LeafKind::LoggedOff);
    assert!(
        ended.iter().any(|detail| detail["actor"]["person"] == "county"
            && detail["why"] == "the account went off"),
        "{ended:?}"
    );
}

/// The box serves by this roster file from here on.
fn serve_by<'s>(clocked: Clocked<'s>, roster: &str) -> Clocked<'s> {
    std::fs::write(clocked.site.path("roster.toml"), roster).unwrap();
    clocked.restart()
}

#[test]
fn people_of_an_agency_missing_in_the_roster_are_out_and_off_within_a_week() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    clocked.desk_of("rtcc-1", &Person { agency: id("stlco"), ..person("county", Role::Operator) });
    let whole = std::fs::read_to_string(site.path("roster.toml")).unwrap();
    let lacking = whole.replace("id = \"stlco\"", "id = \"stlc0\"");
    let clocked = serve_by(clocked, &lacking);
    let key = key_of(&clocked, "county");
    let unknown = "agency 'stlco' is not in the roster";
    refused(logs_on(&clocked, "rtcc-1", "county", &key), 422, "agency-not-listed", unknown);
    // A slip of the pen is put right, and nobody was turned off by it.
    clocked.pass(Span::days(6));
    assert_eq!(off(&clocked), []);
    let clocked = serve_by(clocked, &whole);
    logs_on(&clocked, "rtcc-1", "county", &key).unwrap();
    let clocked = serve_by(clocked, &lacking);
    clocked.pass(Span::days(7) - Span::hours(1));
    refused(logs_on(&clocked, "rtcc-1", "county", &key), 422, "agency-not-listed", unknown);
    clocked.pass(Span::hours(1));
    assert_eq!(off(&clocked), [("county".to_owned(), "unassociated".to_owned())]);
    refused(
        logs_on(&clocked, "rtcc-1", "county", &key),
        403,
        "account-off",
        "its person or agency no longer belongs to the site",
    );
}

#[test]
fn a_temporary_account_is_gone_after_seventy_two_hours_in_the_middle_of_a_session() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    let until = |hours: u64| Some(clocked.now() + Span::hours(hours));
    let key = shared_key().unwrap();
    let long = Person { temporary_until_cs: until(73), ..person("guest", Role::Examiner) };
    let administrator = {
        clocked.desk("rtcc-1");
        official(&clocked, "administrator")
    };
    refused(
        administrator.ask_grant(&long, Some(&key)),
        409,
        "account-terms",
        "a temporary account lasts 72 hours at most",
    );
    clocked.desk_of("rtcc-1", &Person { temporary_until_cs: until(72), ..long });
    clocked.pass(Span::hours(72) - Span::minutes(1));
    let key = key_of(&clocked, "guest");
    let desk = logs_on(&clocked, "rtcc-1", "guest", &key).unwrap();
    desk.inquiries().unwrap();
    clocked.pass_unseen(Span::minutes(1));
    refused(desk.inquiries(), 403, "account-off", "the account is off: it was temporary");
    refused(
        logs_on(&clocked, "rtcc-1", "guest", &key),
        403,
        "account-off",
        "the account is off: it was temporary",
    );
    clocked.look();
    assert_eq!(off(&clocked), [("guest".to_owned(), "time_over".to_owned())]);
    refused(desk.inquiries(), 401, "no-session", "log on first");
}

#[test]
fn a_name_is_nobody_elses_for_a_year_after_its_account_went_off() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    clocked.desk_of("rtcc-1", &person("jdoe", Role::Operator));
    let (theirs, other) = (key_of(&clocked, "jdoe"), shared_key().unwrap());
    let namesake =
        Person { badge: Text::parse("another badge").unwrap(), ..person("jdoe", Role::Operator) };
    // The same number means somebody else at another agency.
    let elsewhere = Person { agency: id("stlco"), ..person("jdoe", Role::Operator) };
    official(&clocked, "administrator").send("/v1/people/jdoe/off", &()).unwrap();
    let rests = "'jdoe' is the name of another account, or was until less than 365 days ago";
    for other_person in [&namesake, &elsewhere] {
        refused(
            official(&clocked, "administrator").ask_grant(other_person, Some(&other)),
            409,
            "name-taken",
            rests,
        );
    }
    clocked.days_with(364, &["administrator", "commander"]);
    clocked.pass(Span::days(1) - Span::hours(1));
    refused(
        official(&clocked, "administrator").ask_grant(&namesake, Some(&other)),
        409,
        "name-taken",
        rests,
    );
    clocked.pass(Span::hours(1));
    let [administrator, commander] = officials(&clocked);
    let grant = administrator.ask_grant(&namesake, Some(&other)).unwrap();
    commander.approve_grant(grant).unwrap();
    logs_on(&clocked, "rtcc-1", "jdoe", &other).unwrap();
    refused(logs_on(&clocked, "rtcc-1", "jdoe", &theirs), 403, "not-proven", "");
}

#[test]
fn tries_of_a_quarter_of_an_hour_ago_count_no_longer_and_no_time_releases_a_lock() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    clocked.desk("rtcc-1");
    let key = key_of(&clocked, "op-rtcc-1");
    let bad = KeyBehaviour { verified: false, ..KeyBehaviour::default() };
    let tries = |times: usize| {
        for _ in 0..times {
            log_on(&clocked, "rtcc-1", "op-rtcc-1", &key, &bad).is_problem(
                403,
                "not-verified",
                "did not verify its user",
            );
        }
    };
    tries(4);
    clocked.pass(Span::minutes(15));
    tries(4);
    logs_on(&clocked, "rtcc-1", "op-rtcc-1", &key)
        .expect("eight were refused, and four within a quarter of an hour");
    tries(4);
    clocked.pass(Span::minutes(15) - Span::seconds(1));
    assert_eq!(clocked.details(LeafKind::LockedOut).len(), 0);
    tries(1);
    let locked = "the account is locked after 5 refused log-ons; an administrator releases it";
    refused(logs_on(&clocked, "rtcc-1", "op-rtcc-1", &key), 403, "locked-out", locked);
    clocked.pass(Span::days(30));
    refused(logs_on(&clocked, "rtcc-1", "op-rtcc-1", &key), 403, "locked-out", locked);
    official(&clocked, "administrator").release_lock(&id("op-rtcc-1")).unwrap();
    logs_on(&clocked, "rtcc-1", "op-rtcc-1", &key).unwrap();
    let [out, in_again] =
        [LeafKind::LockedOut, LeafKind::Unlocked].map(|kind| clocked.details(kind));
    assert_eq!(
        (out.len(), &out[0]["person"], &out[0]["tries"]),
        (1, &"op-rtcc-1".into(), &5.into())
    );
    assert_eq!((in_again.len(), &in_again[0]["actor"]["person"]), (1, &"administrator".into()));
}

#[test]
fn an_account_is_on_the_list_every_year_until_somebody_confirms_that_it_is_needed() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    clocked.desk("rtcc-1");
    let people = ["administrator", "commander", "op-rtcc-1"];
    let due = |desk: &ConsoleSession| -> Vec<String> {
        desk.people()
            .unwrap()
            .into_iter()
            .filter(|account| account.review_due)
            .map(|account| account.account.person.id.to_string())
            .collect()
    };
    clocked.days_with(364, &people);
    let administrator = official(&clocked, "administrator");
    // The first two were appointed a moment before the others.
    assert_eq!(due(&administrator).len(), 0);
    clocked.days_with(1, &people);
    let [administrator, commander] = officials(&clocked);
    assert_eq!(
        (due(&administrator), due(&commander)),
        (people.map(str::to_owned).to_vec(), people.map(str::to_owned).to_vec())
    );
    refused(
        commander.send("/v1/people/op-rtcc-1/confirm", &()),
        403,
        "not-this-role",
        "the commander may not review an account",
    );
    administrator.send("/v1/people/op-rtcc-1/confirm", &()).unwrap();
    assert_eq!(due(&administrator), ["administrator", "commander"]);
    let reviewed = clocked.details(LeafKind::AccountReviewed);
    assert_eq!(
        (reviewed.len(), &reviewed[0]["person"], &reviewed[0]["actor"]["person"]),
        (1, &"op-rtcc-1".into(), &"administrator".into())
    );
    clocked.days_with(365, &people);
    assert!(
        due(&official(&clocked, "administrator")).contains(&"op-rtcc-1".to_owned()),
        "every year"
    );
}

#[test]
fn the_code_of_an_appointment_holds_for_seventy_two_hours() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    clocked.pass(Span::hours(72) - Span::minutes(5));
    let console = clocked.console("admin-1");
    let enrol = |person: &str| {
        enrol_first_key(
            &console,
            &relying_party(),
            &id(person),
            site.code_of(person),
            &shared_key().unwrap(),
        )
    };
    enrol("commander").unwrap();
    clocked.pass(Span::minutes(5));
    refused(enrol("administrator"), 403, "wrong-code", "or it no longer holds");
    assert_eq!(clocked.details(LeafKind::KeyEnrolled).len(), 1);
    assert!(clocked.refusals().iter().any(|reason| reason.contains("or it no longer holds")));
}
