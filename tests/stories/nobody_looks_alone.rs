//! One person who operates and examines tries to see names, scores or ranks that nobody else
//! vouches for; who asks tries to compare; and somebody bears a name that was another's.

use std::collections::BTreeSet;

use serde_json::json;
use smrt::api::wire::InquiryView;
use smrt::audit::{Leaf, LeafKind};
use smrt::booking::{Identifier, Text, VersionId};
use smrt::client::ClientError;
use smrt::client::console_session::{ConsoleSession, shared_key};
use smrt::inquiry::{Purpose, Request, Stage};
use smrt::roster::{Person, Role};

use crate::clocked::Clocked;
use crate::desks::{Hand, logs_on, official, person, refused};
use crate::door::Door;
use crate::photos::{BIDEN, COLLINS, OBAMA, OBAMA_LATER, photo};
use crate::site::{Site, booking, number, request};

const NAMES: [&str; 3] = ["Person 26-1", "Person 26-2", "Person 26-3"];

fn enrol(door: &Door<'_>) -> Vec<VersionId> {
    let feed = door.feed("slmpd");
    let put = |(at, path): (usize, &str)| {
        let (number, name) = (number(&format!("alone-{at}")), booking(&format!("Person 26-{at}")));
        feed.put_booking(&number, &name, &photo(path)).unwrap().version
    };
    [(1, OBAMA), (2, BIDEN), (3, COLLINS)].into_iter().map(put).collect()
}

/// Everything that the box tells a desk of an inquiry: its routes and its pages.
fn told(door: &Door<'_>, device: &str, desk: &ConsoleSession, view: &InquiryView) -> String {
    let hand = Hand::new(door, &door.site.console_identity(device)).at(desk);
    let id = view.inquiry;
    let mut paths = vec![
        "/v1/inquiries".to_owned(),
        format!("/v1/inquiries/{id}"),
        "/console/work".to_owned(),
        format!("/console/inquiries/{id}"),
        format!("/console/inquiries/{id}/array"),
        format!("/console/inquiries/{id}/report"),
    ];
    let compared = view.candidates.iter().map(|candidate| candidate.version);
    paths.extend(compared.map(|version| format!("/console/inquiries/{id}/compare/{version}")));
    let body = |path: String| String::from_utf8_lossy(&hand.get(&path).body).into_owned();
    paths.into_iter().map(body).collect()
}

/// Holds that nothing of it tells a name, a number, a score or a rank.
#[track_caller]
fn blind(door: &Door<'_>, device: &str, desk: &ConsoleSession, view: &InquiryView) {
    let told = told(door, device, desk, view);
    for secret in NAMES.iter().chain(&["alone-", "\"score\"", "\"rank\"", "Rank "]) {
        let at = told.find(secret).map(|at| &told[at.saturating_sub(60)..at + 20]);
        assert!(at.is_none(), "'{secret}' in {at:?}");
    }
}

fn order(desk: &ConsoleSession, view: &InquiryView) -> Vec<VersionId> {
    let seen = desk.inquiry(view.inquiry).unwrap().candidates;
    seen.into_iter().map(|candidate| candidate.version).collect()
}

fn withdraw(desk: &ConsoleSession, view: &InquiryView) -> Result<InquiryView, ClientError> {
    let body = json!({"revision": view.revision, "reason": "the witness took it all back"});
    desk.post(&format!("/v1/inquiries/{}/withdraw", view.inquiry), &body)
}

#[test]
fn one_person_alone_sees_no_name_and_drops_nothing_that_was_answered() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    enrol(&clocked);
    let desk = clocked.desk("rtcc-1");
    let asked = desk.ask(&request(), &photo(OBAMA_LATER)).unwrap().view;
    blind(&clocked, "rtcc-1", &desk, &asked);
    let out_of_turn = |view: &InquiryView| {
        let words = "wanted both reviews finished before it is reported or withdrawn";
        refused(withdraw(&desk, view), 409, "out-of-turn", words);
        refused(desk.issue(view), 409, "out-of-turn", words);
    };
    out_of_turn(&asked);
    let claimed = desk.claim(&asked).unwrap();
    out_of_turn(&claimed);
    blind(&clocked, "rtcc-1", &desk, &claimed);
    let once = desk.dispose_all(claimed).unwrap();
    assert_eq!(once.stage, Stage::ReviewedOnce);
    blind(&clocked, "rtcc-1", &desk, &once);
    out_of_turn(&once);
    refused(desk.claim(&once), 403, "not-independent", "the operator can't be the second examiner");

    let second = clocked.desk_of("rtcc-2", &person("second-look", Role::Examiner));
    let claimed = second.claim(&second.inquiry(once.inquiry).unwrap()).unwrap();
    out_of_turn(&claimed);
    blind(&clocked, "rtcc-2", &second, &claimed);
    let done = second.dispose_all(claimed).unwrap();
    let told = told(&clocked, "rtcc-1", &desk, &done);
    assert!(NAMES.iter().all(|name| told.contains(name)), "two have looked");
    let dropped = withdraw(&desk, &done).unwrap();
    assert_eq!(dropped.stage, Stage::Withdrawn);
    blind(&clocked, "rtcc-1", &desk, &dropped);
}

#[test]
fn no_order_leaf_or_page_tells_a_rank_before_two_have_finished() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    let best_first = enrol(&clocked);
    let [operator, first, second] = [
        ("rtcc-1", "op", Role::Operator),
        ("rtcc-2", "first", Role::Examiner),
        ("rtcc-2", "second", Role::Examiner),
    ]
    .map(|(device, id, role)| clocked.desk_of(device, &person(id, role)));
    let mut by_name = best_first.clone();
    by_name.sort_unstable();
    let mut met = BTreeSet::new();
    for _ in 0..12 {
        let asked = operator.ask(&request(), &photo(OBAMA_LATER)).unwrap().view;
        assert_eq!(order(&operator, &asked), by_name, "the order of their random names");
        let claimed = first.claim(&asked).unwrap();
        let of_first = order(&first, &claimed);
        let finished = first.dispose_all(claimed).unwrap();
        let claimed = second.claim(&finished).unwrap();
        let of_second = order(&second, &claimed);
        assert_ne!(of_first, of_second, "each examiner meets another order");
        for (device, desk) in [("rtcc-1", &operator), ("rtcc-2", &first), ("rtcc-2", &second)] {
            blind(&clocked, device, desk, &claimed);
        }
        let done = second.dispose_all(claimed).unwrap();
        assert_eq!(order(&operator, &done), best_first);
        met.extend([of_first, of_second]);
    }
    assert!(met.len() > 3, "an order is drawn for each review: {met:?}");
    // What everybody reads of a review is who came first, and of how many.
    for (at, (kind, _)) in clocked.log().into_iter().enumerate() {
        if kind == LeafKind::Reviewed {
            let counts = Leaf::from_bytes(&clocked.leaf(at)).unwrap().counts;
            assert!(counts == [1, 3] || counts == [2, 3], "{counts:?}");
        }
    }
}

#[test]
fn who_asks_or_answers_for_the_purpose_neither_searches_nor_compares() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    enrol(&clocked);
    let bears = |id: &str, badge: &str| Person {
        badge: Text::parse(badge).unwrap(),
        ..person(id, Role::OperatorExaminer)
    };
    let (requester, supervisor) = (
        clocked.desk_of("rtcc-1", &bears("ortiz", request().requester.badge.as_str())),
        clocked.desk_of("rtcc-1", &bears("chen", "DSN 77")),
    );
    let other = |agency: &str| Request {
        purpose: Purpose::Other {
            description: Text::parse("register of art thefts").unwrap(),
            supervisor: Text::parse("Lt. B. Chen").unwrap(),
            supervisor_badge: Text::parse("dsn-77").unwrap(),
            supervisor_agency: Identifier::parse(agency).unwrap(),
        },
        ..request()
    };
    refused(requester.open(&request()), 403, "operator-is-requester", "the operator's own");
    let answers = "the supervisor who answers for the purpose is the operator";
    refused(supervisor.open(&other("slmpd")), 403, "operator-is-requester", answers);
    refused(supervisor.open(&other("nowhere")), 422, "agency-not-listed", "not in the roster");

    let desk = clocked.desk("rtcc-1");
    let asked = desk.ask(&other("slmpd"), &photo(OBAMA_LATER)).unwrap().view;
    for (who, others) in [(&requester, "first"), (&supervisor, "first")] {
        let words = format!("who asked or answers for the purpose can't be the {others} examiner");
        refused(who.claim(&asked), 403, "not-independent", &words);
        refused(who.inquiry(asked.inquiry), 403, "not-shown", "not shown to you now");
    }
    let once = desk.dispose_all(desk.claim(&asked).unwrap()).unwrap();
    for who in [&requester, &supervisor] {
        let words = "who asked or answers for the purpose can't be the second examiner";
        refused(who.claim(&once), 403, "not-independent", words);
        refused(who.inquiry(once.inquiry), 403, "not-shown", "not shown to you now");
        assert!(who.inquiries().unwrap().is_empty());
    }
}

#[test]
fn whoever_bears_a_name_that_was_anothers_has_no_part_in_what_the_other_did() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    enrol(&clocked);
    let former = clocked.desk_of("rtcc-1", &person("jdoe", Role::OperatorExaminer));
    let view = former.ask(&request(), &photo(OBAMA_LATER)).unwrap().view;
    official(&clocked, "administrator").send("/v1/people/jdoe/off", &()).unwrap();
    clocked.days_with(366, &["commander", "administrator"]);
    let namesake = Person {
        badge: Text::parse("another badge").unwrap(),
        trained_until: clocked.today() + time::Duration::days(100),
        ..person("jdoe", Role::OperatorExaminer)
    };
    let key = shared_key().unwrap();
    let [administrator, commander] =
        ["administrator", "commander"].map(|id| official(&clocked, id));
    let grant = administrator.ask_grant(&namesake, Some(&key)).unwrap();
    commander.approve_grant(grant).unwrap();
    let namesake = logs_on(&clocked, "rtcc-1", "jdoe", &key).unwrap();
    // The review is anybody's to take, and nothing else of it theirs.
    let seen = namesake.inquiry(view.inquiry).unwrap();
    let probe = format!("/v1/inquiries/{}/probe", view.inquiry);
    let hand = Hand::new(&clocked, &site.console_identity("rtcc-1")).at(&namesake);
    hand.get(&probe).is_problem(403, "not-shown", "");
    refused(withdraw(&namesake, &seen), 403, "not-theirs", "did not open this inquiry");
    let claimed = namesake.claim(&seen).expect("they are not the operator");
    let once = namesake.dispose_all(claimed).unwrap();
    let words = "the first examiner can't be the second";
    refused(namesake.claim(&once), 403, "not-independent", words);
}
