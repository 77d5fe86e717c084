//! What a person can try at a browser and isn't let: keys that aren't as they should be, words that
//! say nothing, files that aren't photos, steps out of turn, pages of others. Each refusal is read
//! off the page, in words; and a break in the middle loses nothing.

use std::fs::{self, File};
use std::path::PathBuf;

use image::imageops::{self, FilterType};
use serde_json::json;
use smrt::audit::LeafKind;
use smrt::limits::{PROBE_BYTES_MAX, PROBE_PIECE_BYTES};

use crate::browser::{Browsers, Manner};
use crate::control_room::{ControlRoom, Seat};
use crate::photos::{OBAMA, OBAMA_LATER, gradient, photo, png};
use crate::site::{Daemon, booking, number};

const REASON: &str =
    "A man held up the corner shop at Grand and Gravois; the camera over the till shows his face.";

/// A key that says that nobody was there, that nobody was verified, or signs something else.
const LIES: [(Manner, &str); 3] = [
    (Manner::WithoutPresenceBit, "nobody touched it"),
    (Manner::WithoutVerificationBit, "did not verify its user"),
    (Manner::WithBadSignature, "the signature is not by this security key"),
];

/// A box with its people and one booking.
fn peopled(
    room: &ControlRoom,
    browsers: &Browsers<'_>,
    daemon: &Daemon<'_>,
    staff: &[(&str, &str)],
) {
    room.admit(browsers, daemon, staff);
    let (number, data) = (number("B4401"), booking("Person of B4401"));
    daemon.feed("slmpd").put_booking(&number, &data, &photo(OBAMA)).unwrap();
}

/// The operator, logged on at the first desk.
fn operator_of<'b>(browsers: &'b Browsers<'b>, daemon: &Daemon<'_>) -> Seat<'b> {
    let operator = Seat::take(browsers, "rtcc-1", daemon);
    operator.logs_on("olsen", "/console/work");
    operator
}

/// A file of the operator's.
fn file(room: &ControlRoom, name: &str, bytes: &[u8]) -> PathBuf {
    let path = room.site.path(name);
    fs::write(&path, bytes).unwrap();
    path
}

fn still(room: &ControlRoom) -> PathBuf {
    file(room, "still.jpg", &photo(OBAMA_LATER))
}

const OPERATOR: (&str, &str) = ("olsen", "Operator");

#[test]
fn a_key_that_lies_or_was_copied_or_is_anothers_does_not_search() {
    let room = ControlRoom::new();
    let daemon = room.start();
    let browsers = Browsers::start("bad-keys", &room.site);
    peopled(&room, &browsers, &daemon, &[OPERATOR, ("ellis", "Examiner")]);
    let operator = operator_of(&browsers, &daemon);
    operator.desk.expects("status of 4");
    let inquiry = operator.opens_inquiry(REASON);
    operator.sends(&still(&room));
    operator.chooses();
    operator.presses("link", "Go on to the approval");
    operator.desk.arrives_at(&format!("/console/inquiries/{inquiry}/approve"));
    for (manner, words) in LIES {
        operator.desk.key_is(manner);
        operator.presses("button", "Touch your key to search");
        operator.desk.sees(words);
    }
    operator.reads("refused-touch");
    // A key that was copied earlier counts from where it was then.
    operator.desk.key_is(Manner::Willing);
    let mut credentials = browsers.credentials("olsen");
    let counted = credentials[0]["signCount"].clone();
    credentials[0]["signCount"] = 0.into();
    browsers.give("olsen", &credentials);
    operator.presses("button", "Touch your key to search");
    operator.desk.sees("it may have been copied");
    credentials[0]["signCount"] = counted;
    browsers.give("olsen", &credentials);
    // Another's key doesn't know this box's question.
    operator.desk.insert("ellis");
    operator.presses("button", "Touch your key to search");
    operator.desk.sees("No touch came in time, or it was declined.");
    operator.desk.insert("olsen");
    operator.presses("button", "Touch your key to search");
    operator.desk.sees("The array is there.");
    operator.logs_off();
    // Nothing of it is left in the browser for whoever comes next.
    operator.desk.goes_back();
    operator.desk.sees("Account name");
    drop(operator);
    assert_eq!(daemon.stop(), Some(0));
    let asked = room.site.log_kinds().into_iter().filter(|kind| *kind == LeafKind::Asked);
    assert_eq!(asked.count(), 1, "a refused touch asks nothing");
}

#[test]
fn five_lies_lock_an_account_until_an_official_releases_it() {
    let room = ControlRoom::new();
    let daemon = room.start();
    let browsers = Browsers::start("locked", &room.site);
    room.admit(&browsers, &daemon, &[OPERATOR]);
    let operator = Seat::take(&browsers, "rtcc-1", &daemon);
    operator.desk.expects("status of 4");
    operator.desk.insert("olsen");
    for (manner, words) in LIES.iter().cycle().take(5) {
        operator.desk.open("/console/log-on");
        operator.desk.key_is(*manner);
        operator.types("Account name", "olsen");
        operator.desk.press("Enter");
        // Whoever doesn't show the account's own key is told nothing of it.
        operator.desk.sees(match manner {
            Manner::WithBadSignature => "no account of that name takes this key",
            _ => words,
        });
    }
    operator.reads("refused-log-on");
    operator.desk.key_is(Manner::Willing);
    operator.desk.open("/console/log-on");
    operator.types("Account name", "olsen");
    operator.desk.press("Enter");
    operator.desk.sees("locked");
    operator.reads("locked-out");

    let officials = Seat::take(&browsers, "admin-1", &daemon);
    officials.logs_on("administrator", "/console/decisions");
    officials.desk.sees("Locked: ");
    officials.looks("decisions-with-a-locked-account");
    officials.presses("link", "Release by touch for olsen");
    officials.presses("button", "Release by touch for olsen");
    officials.desk.sees_no("Release by touch");
    operator.logs_on("olsen", "/console/work");
}

#[test]
fn a_key_that_can_be_copied_and_a_second_account_are_refused() {
    let room = ControlRoom::new();
    let daemon = room.start();
    let browsers = Browsers::start("no-account", &room.site);
    room.admit(&browsers, &daemon, &[OPERATOR]);
    let officials = Seat::take(&browsers, "admin-1", &daemon);
    officials.desk.expects("status of 4");
    officials.logs_on("administrator", "/console/decisions");
    officials.desk.open("/console/grants/new");
    officials.fills_in("synced", "Operator");
    officials.desk.insert("synced");
    officials.desk.key_is(Manner::Synced);
    officials.desk.holds("POST", "/v1/grants/challenge");
    officials.presses("button", "Ask the commander, by touch");
    officials.desk.is_held_up();
    officials.desk.insert("administrator");
    officials.desk.lets_go();
    officials.desk.sees("the security key can be copied to other devices");
    officials.reads("refused-synced-key");
    officials.desk.open("/console/grants/new");
    officials.fills_in("olsen-again", "Auditor");
    officials.types("Badge", "badge-olsen");
    officials.desk.insert("fresh");
    officials.desk.holds("POST", "/v1/grants/challenge");
    officials.presses("button", "Ask the commander, by touch");
    officials.desk.is_held_up();
    officials.desk.insert("administrator");
    officials.desk.lets_go();
    officials.desk.sees("the person has the account 'olsen' already, and one role");
}

#[test]
fn a_request_that_says_nothing_and_a_file_that_is_no_photo_are_refused() {
    let room = ControlRoom::new();
    let daemon = room.start();
    let browsers = Browsers::start("hollow", &room.site);
    room.admit(&browsers, &daemon, &[OPERATOR]);
    let operator = operator_of(&browsers, &daemon);
    operator.desk.expects("status of 4");
    operator.desk.open("/console/inquiries/new");
    operator.asks("investigation investigation");
    operator.presses("button", "Open the inquiry");
    operator.desk.sees("reason");
    operator.reads("refused-reason");
    operator.types("Reason", REASON);
    operator.types("Badge", "badge-olsen");
    operator.presses("button", "Open the inquiry");
    operator.desk.sees("nobody runs their own request");
    operator.types("Badge", "2210");
    operator.types("Complaint number", "00-000000");
    operator.presses("button", "Open the inquiry");
    operator.desk.sees("reference");
    operator.types("Complaint number", "26-004711");
    operator.presses("button", "Open the inquiry");
    operator.desk.sees("Bring the probe");

    let huge = room.site.path("huge.jpg");
    File::create(&huge).unwrap().set_len(PROBE_BYTES_MAX as u64 + (1 << 20)).unwrap();
    operator.sends(&huge);
    operator.desk.sees("wanted a photo of up to 64.0 MiB");
    operator.sends(&file(&room, "letter.jpg", b"Dear Sir or Madam, this is not a photo."));
    operator.desk.sees("JPEG");
    operator.reads("refused-file");
    operator.sends(&file(&room, "nobody.jpg", &gradient()));
    operator.desk.sees("No face is seen in this photo as it was received.");
    operator.looks("no-face");
}

#[test]
fn a_restart_in_the_middle_of_a_big_probe_loses_nothing() {
    let room = ControlRoom::new();
    let mut daemon = room.start();
    let browsers = Browsers::start("restart", &room.site);
    room.admit(&browsers, &daemon, &[OPERATOR]);
    let operator = operator_of(&browsers, &daemon);
    operator.desk.expects("status of 4");
    let inquiry = operator.opens_inquiry(REASON);
    operator.sends(&file(&room, "nobody.jpg", &gradient()));
    operator.desk.sees("No face is seen in this photo as it was received.");
    // The box has what it acknowledged, and wants the rest.
    let portrait = image::load_from_memory(&photo(OBAMA_LATER)).unwrap().to_rgb8();
    let big = png(&imageops::resize(
        &portrait,
        2 * portrait.width(),
        2 * portrait.height(),
        FilterType::Triangle,
    ));
    assert!(big.len() > PROBE_PIECE_BYTES, "{} bytes", big.len());
    let big = file(&room, "big.png", &big);
    for method in ["POST", "PUT", "PUT"] {
        operator.desk.holds(method, &format!("/v1/inquiries/{inquiry}/upload"));
    }
    operator.sends(&big);
    operator.desk.lets_go();
    operator.desk.lets_go();
    operator.desk.is_held_up();
    daemon.kill();
    drop(daemon);
    let _daemon = room.start();
    operator.desk.lets_go();
    operator.desk.arrives_at("/console/log-on");
    operator.logs_on("olsen", "/console/work");
    operator.presses("link", "Go on with the probe for 26-004711");
    operator.desk.sees("Faces seen");
    operator.sends(&big);
    operator.desk.sees("image/png");
    operator.chooses();
}

#[test]
fn a_second_tab_and_steps_out_of_turn_are_refused_in_words() {
    let room = ControlRoom::new();
    let daemon = room.start();
    let browsers = Browsers::start("out-of-turn", &room.site);
    room.admit(&browsers, &daemon, &[OPERATOR]);
    let operator = operator_of(&browsers, &daemon);
    operator.desk.expects("status of 4");
    let inquiry = operator.opens_inquiry(REASON);
    operator.sends(&still(&room));
    operator.desk.sees("Which face");
    let path = operator.path();
    let verb = |verb: &str| format!("/v1/inquiries/{inquiry}/{verb}");
    // A second tab, which decides on what the first has changed since.
    let tab = operator.desk.open_tab();
    operator.desk.open(&path);
    operator.desk.turn_to_tab(0);
    operator.chooses();
    operator.desk.turn_to_tab(tab);
    operator.ticks("Face 1");
    operator.presses("button", "Choose this face");
    operator.desk.sees("decided on revision");
    operator.reads("second-tab");
    operator.desk.turn_to_tab(0);

    // Steps that no page offers now.
    let revision = operator.revision(&inquiry);
    let out_of_turn = [
        ("report", json!({ "revision": revision }), "waiting for the operator's touch"),
        ("claim", json!({ "revision": revision }), "examine"),
        (
            "outcome",
            json!({ "revision": revision, "outcome": { "upshot": "no_arrest" } }),
            "wanted the report first",
        ),
    ];
    for (step, body, words) in out_of_turn {
        let (status, said) = operator.asks_by_hand("POST", &verb(step), &body);
        assert!((400..500).contains(&status) && said.contains(words), "{step}: {status} {said}");
    }
    let (status, said) = operator.asks_by_hand("PUT", "/v1/bookings/B4402", &json!({}));
    assert!((400..500).contains(&status), "a console puts no booking: {status} {said}");
    for closed in ["/console/roster", "/console/samples", "/console/grants/new"] {
        assert_eq!(operator.desk.open(closed), 403, "{closed}");
        operator.desk.sees("This is not shown");
    }
    // The inquiry goes on as if nothing of this had been tried.
    operator.desk.open(&format!("/console/inquiries/{inquiry}/approve"));
    operator.presses("button", "Touch your key to search");
    operator.desk.sees("The array is there.");
}

#[test]
fn a_review_skips_nobody_and_nobody_is_second_to_themselves() {
    let room = ControlRoom::new();
    let daemon = room.start();
    let browsers = Browsers::start("reviews", &room.site);
    let staff = [OPERATOR, ("ellis", "Examiner"), ("frey", "Examiner")];
    peopled(&room, &browsers, &daemon, &staff);
    let operator = operator_of(&browsers, &daemon);
    let inquiry = operator.opens_inquiry(REASON);
    let verb = |verb: &str| format!("/v1/inquiries/{inquiry}/{verb}");
    operator.sends(&still(&room));
    operator.chooses();
    operator.desk.open(&format!("/console/inquiries/{inquiry}/approve"));
    operator.presses("button", "Touch your key to search");
    operator.desk.sees("The array is there.");
    let examiners = Seat::take(&browsers, "rtcc-2", &daemon);
    examiners.desk.expects("status of 4");
    examiners.logs_on("ellis", "/console/work");
    examiners.presses("link", "Take the first review for 26-004711");
    examiners.presses("button", "Take the first review");
    examiners.desk.sees("None may be skipped.");
    let by_hand = |step: &str| {
        examiners.asks_by_hand(
            "POST",
            &verb(step),
            &json!({ "revision": examiners.revision(&inquiry) }),
        )
    };
    let (status, said) = by_hand("finish");
    assert!(status == 409 && said.contains("disposition"), "{status} {said}");
    examiners.presses("link", "Next candidate");
    examiners.desk.sees("Record the disposition");
    // A lead without a feature alike is no lead.
    examiners.desk.press("1");
    examiners.desk.press("Enter");
    examiners.desk.sees("lead without a similarity, wanted at least one feature that is alike");
    examiners.reads("refused-lead");
    examiners.desk.press("3");
    examiners.types("Note (may be left out)", "too blurred around the eyes to tell");
    examiners.presses("button", "Record the disposition");
    examiners.desk.sees("What you noted");
    examiners.presses("link", "All are done: to the array");
    examiners.presses("button", "Finish your review");
    examiners.desk.sees("You can't act on this inquiry now.");
    let (status, said) = by_hand("claim");
    assert!(
        status == 403 && said.contains("the first examiner can't be the second"),
        "{status} {said}"
    );
}

#[test]
fn a_desk_left_alone_hides_its_screen_until_a_touch() {
    let room = ControlRoom::new();
    let daemon = room.start();
    let browsers = Browsers::start("left-alone", &room.site);
    room.admit(&browsers, &daemon, &[OPERATOR]);
    let operator = operator_of(&browsers, &daemon);
    // What was typed is there again after it.
    operator.desk.holds_the_clock();
    operator.desk.open("/console/inquiries/new");
    operator.types("Reason", "half a sentence");
    operator.desk.pass_minutes(29);
    operator.desk.sees("The screen is hidden in a minute");
    operator.desk.pass_minutes(1);
    operator.desk.sees("Touch your key to go on");
    operator.looks("hidden-screen");
    assert!(!operator.desk.reads("body").contains("Name of the detective"));
    operator.presses("button", "Touch your key to go on");
    operator.desk.sees("Name of the detective");
    assert_eq!(
        operator.desk.evaluate("document.querySelector('[name=reason]').value"),
        "half a sentence"
    );
    // Whoever leaves the desk hides it; the box shows no other page either until its person is
    // back.
    operator.presses("button", "Lock");
    operator.desk.sees("The screen is hidden.");
    operator.desk.sees("The box hides its pages too.");
    operator.desk.open("/console/work");
    operator.desk.arrives_at("/console/lock");
    operator.looks("lock-page");
    operator.presses("button", "Touch your key to go on");
    operator.desk.arrives_at("/console/work");
}

#[test]
fn a_screen_that_the_box_was_not_told_of_is_hidden_all_the_same_and_says_so() {
    let room = ControlRoom::new();
    let mut daemon = room.start();
    let browsers = Browsers::start("untold", &room.site);
    room.admit(&browsers, &daemon, &[OPERATOR]);
    let operator = operator_of(&browsers, &daemon);
    operator.desk.expects("net::");
    daemon.kill();
    operator.presses("button", "Lock");
    operator.desk.sees("The screen is hidden.");
    operator.desk.sees("The box did not confirm it");
    operator.reads("untold-lock");
}

#[test]
fn a_page_that_comes_before_the_box_heard_of_the_lock_is_hidden_too() {
    let room = ControlRoom::new();
    let daemon = room.start();
    let browsers = Browsers::start("locking", &room.site);
    room.admit(&browsers, &daemon, &[OPERATOR]);
    let operator = operator_of(&browsers, &daemon);
    operator.desk.holds("POST", "/v1/session/lock");
    operator.presses("button", "Lock");
    operator.desk.is_held_up();
    assert_eq!(operator.desk.open("/console/work"), 200, "the box doesn't know");
    operator.desk.sees("The screen is hidden.");
    operator.desk.sees("The box hides its pages too.");
    assert_eq!(operator.desk.open("/console/work"), 200);
    operator.desk.arrives_at("/console/lock");
}
