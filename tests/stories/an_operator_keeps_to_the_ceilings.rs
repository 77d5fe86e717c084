//! Operators search by hand: one search at a time, with seconds between, so often an hour and a
//! day, whatever is restarted (SO-B4); and auditors are shown how regular it was.

use std::sync::Barrier;

use serde_json::json;
use smrt::api::wire::ChallengeView;
use smrt::audit::LeafKind;
use smrt::calendar::Span;
use smrt::client::console_session::{ConsoleSession, SharedKey};
use smrt::face::Edits;
use smrt::roster::Role;
use smrt::tls::key_maker::KeyMaker;

use crate::clocked::Clocked;
use crate::desks::{Hand, key_of, logs_on, official, person, refused, relying_party};
use crate::photos::{OBAMA, OBAMA_LATER, photo};
use crate::raw::Answer;
use crate::site::{MODEL, Site, booking, number, request};

fn enrol(clocked: &Clocked<'_>) {
    clocked
        .feed("slmpd")
        .put_booking(&number("26-1"), &booking("Person 26-1"), &photo(OBAMA))
        .unwrap();
}

fn searches(desk: &ConsoleSession) -> Result<(), smrt::client::ClientError> {
    desk.ask(&request(), &photo(OBAMA_LATER)).map(|_| ())
}

#[test]
fn seconds_hours_and_days_bound_an_operators_searches_and_a_restart_forgets_none() {
    let site = Site::staffed();
    site.set_ceilings(5, 3, 5);
    let clocked = Clocked::of(&site);
    enrol(&clocked);
    let desk = clocked.desk("rtcc-1");
    searches(&desk).unwrap();
    clocked.pass(Span::seconds(5) - Span::from_cs(1));
    refused(
        searches(&desk),
        409,
        "too-fast",
        "the last search was less than 5 s ago; searches are made by hand, one after the other",
    );
    clocked.pass(Span::from_cs(1));
    searches(&desk).unwrap();
    clocked.pass(Span::seconds(5));
    searches(&desk).unwrap();
    clocked.pass(Span::seconds(5));
    refused(
        searches(&desk),
        409,
        "too-many",
        "3 searches within the hour, at most 3 are made by one operator",
    );
    searches(&clocked.desk("rtcc-2")).expect("each operator by themselves");
    let clocked = clocked.restart();
    refused(searches(&clocked.desk("rtcc-1")), 409, "too-many", "3 searches within the hour");
    clocked.pass(Span::hours(1));
    let desk = clocked.desk("rtcc-1");
    searches(&desk).unwrap();
    clocked.pass(Span::seconds(5));
    searches(&desk).unwrap();
    clocked.pass(Span::hours(1));
    refused(
        searches(&clocked.desk("rtcc-1")),
        409,
        "too-many",
        "5 searches within the day, at most 5 are made by one operator",
    );
    let clocked = clocked.restart();
    refused(searches(&clocked.desk("rtcc-1")), 409, "too-many", "5 searches within the day");
    clocked.pass(Span::hours(22));
    searches(&clocked.desk("rtcc-1")).unwrap();
    // What was refused was never asked, and the log says what was refused.
    let of = |operator: &str| {
        clocked
            .details(LeafKind::Asked)
            .iter()
            .filter(|detail| detail["actor"]["person"] == operator)
            .count()
    };
    assert_eq!((of("op-rtcc-1"), of("op-rtcc-2")), (6, 1));
    let told = clocked.refusals();
    for (words, times) in [("less than 5 s ago", 1), ("within the hour", 2), ("within the day", 2)]
    {
        assert_eq!(
            told.iter().filter(|reason| reason.contains(words)).count(),
            times,
            "{words}: {told:?}"
        );
    }
}

#[test]
fn one_search_of_an_operator_is_in_flight_at_a_time_whatever_the_number_of_desks() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    enrol(&clocked);
    let here = clocked.desk("rtcc-1");
    let key = key_of(&clocked, "op-rtcc-1");
    let there = logs_on(&clocked, "rtcc-2", "op-rtcc-1", &key).unwrap();
    let approved = |desk: &ConsoleSession, device: &str, barrier: &Barrier| -> Answer {
        approve_at(&clocked, desk, device, &key, barrier)
    };
    let mut refusals = 0;
    let mut answers = 0;
    while refusals == 0 {
        let barrier = Barrier::new(2);
        let both = std::thread::scope(|scope| {
            let other = scope.spawn(|| approved(&there, "rtcc-2", &barrier));
            [approved(&here, "rtcc-1", &barrier), other.join().unwrap()]
        });
        for answer in &both {
            match answer.status {
                200 => answers += 1,
                // The touch that was made later came first, and no counter goes back.
                403 => answer.is_problem(403, "counter-back", "counter"),
                _ => {
                    answer.is_problem(409, "one-at-a-time", "");
                    refusals += 1;
                }
            }
        }
        assert!(answers < 100, "two searches at once were never seen");
    }
    assert!(refusals == 1 && answers > 0);
    // None was asked before the one before it was answered.
    let steps: Vec<LeafKind> = clocked
        .log()
        .into_iter()
        .map(|(kind, _)| kind)
        .filter(|kind| matches!(kind, LeafKind::Asked | LeafKind::Answered))
        .collect();
    assert_eq!(steps.len(), 2 * answers);
    assert!(steps.chunks(2).all(|pair| pair == [LeafKind::Asked, LeafKind::Answered]), "{steps:?}");
    assert!(
        clocked
            .details(LeafKind::SearchRefused)
            .iter()
            .any(|detail| detail["actor"]["person"] == "op-rtcc-1")
    );
}

/// Has a search approved and sent when the other is, too.
fn approve_at(
    clocked: &Clocked<'_>,
    desk: &ConsoleSession,
    device: &str,
    key: &SharedKey,
    barrier: &Barrier,
) -> Answer {
    let view = desk.hand_over(&desk.open(&request()).unwrap(), &photo(OBAMA_LATER)).unwrap();
    let view = desk.choose(&view, None, Edits::default(), None).unwrap().view;
    let hand = Hand::new(clocked, &clocked.site.console_identity(device)).at(desk);
    let asked = hand.post(
        &format!("/v1/inquiries/{}/challenge", view.inquiry),
        &json!({"revision": view.revision}),
    );
    let asked: ChallengeView = serde_json::from_slice(&asked.body).unwrap();
    let touch = key.lock().unwrap().touch(&asked.challenge, &relying_party()).unwrap();
    let body =
        json!({"revision": view.revision, "nonce": hex::encode(asked.nonce), "touch": touch});
    barrier.wait();
    hand.post(&format!("/v1/inquiries/{}/search", view.inquiry), &body)
}

#[test]
fn other_ceilings_are_a_leaf_that_says_which() {
    let site = Site::staffed();
    site.set_ceilings(5, 30, 100);
    let clocked = Clocked::of(&site).restart();
    assert!(clocked.details(LeafKind::RosterChanged).is_empty(), "the same roster is no change");
    site.set_ceilings(1, 60, 200);
    let clocked = clocked.restart();
    let roster = std::fs::read_to_string(site.path("roster.toml")).unwrap();
    std::fs::write(site.path("roster.toml"), roster.replace("desk 1", "desk 9")).unwrap();
    let clocked = clocked.restart();
    let said: Vec<_> = clocked
        .details(LeafKind::RosterChanged)
        .into_iter()
        .map(|detail| detail["what"].clone())
        .collect();
    let changed = "the roster file; an operator's searches: 1 s between two, 60 an hour, 200 a \
        day, before: 5 s between two, 30 an hour, 100 a day";
    assert_eq!(said, [changed, "the roster file"]);
}

#[test]
fn no_box_with_real_bookings_serves_by_looser_ceilings() {
    let mut real = Site::new();
    real.be_real(&KeyMaker::of_a_root("Maker", MODEL).unwrap());
    for (seconds, hour, day) in [(0, 60, 200), (1, 61, 200), (1, 60, 201)] {
        real.set_ceilings(seconds, hour, day);
        let Err(ended) = real.try_start(Some("real")) else {
            panic!("it serves by {seconds} s, {hour}, {day}")
        };
        assert_eq!(ended.status, Some(crate::site::EXIT_CONFIG));
        assert!(
            ended
                .stderr
                .contains("wanted 1 s at least, 60 and 200 at most where bookings are real"),
            "{}",
            ended.stderr
        );
    }
    real.set_ceilings(1, 60, 200);
    assert_eq!(real.start("real").stop(), Some(0));
}

#[test]
fn auditors_and_nobody_else_are_shown_how_regular_each_operators_searches_are() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    enrol(&clocked);
    clocked.pass_to_hour(8);
    let (even, uneven) = (
        clocked.desk_of("rtcc-1", &person("even", Role::Operator)),
        clocked.desk_of("rtcc-2", &person("uneven", Role::Operator)),
    );
    for minute in 0..22u64 {
        if minute % 2 == 0 {
            searches(&even).unwrap();
        }
        if [0, 1, 2, 3, 5, 6, 7, 8, 17, 18, 19, 21].contains(&minute) {
            searches(&uneven).unwrap();
        }
        clocked.pass(Span::minutes(1));
    }
    clocked.pass(Span::days(1));
    searches(&clocked.desk("rtcc-1")).unwrap();
    let page = |device: &str, desk: &ConsoleSession| {
        Hand::new(&clocked, &site.console_identity(device)).at(desk).get("/console/operators")
    };
    let auditor = clocked.desk_of("audit-1", &person("auditor", Role::Auditor));
    let shown = page("audit-1", &auditor);
    assert_eq!(shown.status, 200);
    let shown = String::from_utf8(shown.body).unwrap();
    let row = |operator: &str| -> Vec<String> {
        let of = format!("<th scope=\"row\">{operator}</th>");
        let row =
            shown.split("</tr>").find(|row| row.contains(&of)).unwrap_or_else(|| panic!("{shown}"));
        let cells = row.split("<td").skip(1).filter_map(|cell| cell.split_once('>'));
        cells
            .map(|(_, cell)| {
                cell.split('<')
                    .map(|part| part.split_once('>').map_or(part, |(_, text)| text))
                    .collect()
            })
            .collect()
    };
    assert_eq!(row("even"), ["11", "1", "10", "120", "0.00", "Regular"]);
    // Gaps of 1 1 1 2 1 1 1 9 1 1 2 minutes: their mean is 21 / 11, their deviation 2.386.
    assert_eq!(row("uneven"), ["12", "1", "11", "115", "1.25", "Not regular"]);
    assert_eq!(row("op-rtcc-1")[..5], ["1", "1", "0", "0", "none"]);
    for words in [
        "the coefficient of variation of the gaps between an operator's searches of the last 90 \
         days",
        "1 operator searches regularly",
    ] {
        assert!(shown.contains(words), "{shown}");
    }
    let opened = clocked.details(LeafKind::DetailsOpened);
    assert_eq!(
        (opened.len(), &opened[0]["actor"]["person"]),
        (1, &json!("auditor")),
        "the look is in the log"
    );

    let others = [
        ("rtcc-1", clocked.desk("rtcc-1")),
        ("admin-1", official(&clocked, "administrator")),
        ("admin-1", official(&clocked, "commander")),
    ];
    for (device, desk) in &others {
        let refused = page(device, desk);
        assert_eq!(refused.status, 403);
        assert!(
            String::from_utf8(refused.body)
                .unwrap()
                .contains("may not look at how operators search")
        );
    }
    assert_eq!(clocked.details(LeafKind::DetailsOpened).len(), 1);
    assert_eq!(
        clocked
            .refusals()
            .iter()
            .filter(|reason| reason.contains("may not look at how operators search"))
            .count(),
        3
    );

    // After ninety days it is forgotten here.
    clocked.pass(Span::days(89));
    let key = key_of(&clocked, "auditor");
    let auditor = logs_on(&clocked, "audit-1", "auditor", &key).unwrap();
    let shown = String::from_utf8(page("audit-1", &auditor).body).unwrap();
    assert!(!shown.contains(">even<") && shown.contains(">op-rtcc-1<"), "{shown}");
}
