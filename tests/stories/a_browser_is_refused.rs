//! What a person can try at a browser and isn't let: keys that aren't as they should be, words that
//! say nothing, files that aren't photos, steps out of turn, pages of others. Each refusal is read
//! off the page, in words; and a break in the middle loses nothing.

use std::fs::{self, File};

use image::imageops::{self, FilterType};
use serde_json::json;
use smrt::audit::LeafKind;
use smrt::limits::{PROBE_BYTES_MAX, PROBE_PIECE_BYTES};

use crate::browser::{Browsers, Manner};
use crate::control_room::{ControlRoom, Seat};
use crate::photos::{OBAMA, OBAMA_LATER, gradient, photo, png};
use crate::site::{booking, number};

const REASON: &str =
    "A man held up the corner shop at Grand and Gravois; the camera over the till shows his face.";

/// A key that says that nobody was there, that nobody was verified, or signs something else.
const LIES: [(Manner, &str); 3] = [
    (Manner::WithoutPresenceBit, "nobody touched it"),
    (Manner::WithoutVerificationBit, "did not verify its user"),
    (Manner::WithBadSignature, "the signature is not by this security key"),
];

#[test]
fn a_key_that_lies_was_copied_or_is_somebody_elses_neither_logs_on_nor_searches_and_five_tries_lock_the_account()
 {
    let room = ControlRoom::new();
    let daemon = room.start();
    let browsers = Browsers::start("bad-keys", &room.site);
    room.admit(&browsers, &daemon, &[("olsen", "Operator"), ("ellis", "Examiner")]);
    daemon
        .feed("slmpd")
        .put_booking(&number("B4401"), &booking("Person of B4401"), &photo(OBAMA))
        .unwrap();
    let probe = room.site.path("still.jpg");
    fs::write(&probe, photo(OBAMA_LATER)).unwrap();

    let operator = Seat::take(&browsers, "rtcc-1", &daemon);
    operator.desk.expects("status of 4");
    operator.logs_on("olsen", "/console/work");
    let inquiry = operator.opens_inquiry(REASON);
    operator.sends(&probe);
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

    operator.desk.insert("olsen");
    for (manner, words) in LIES.iter().cycle().take(5) {
        operator.desk.open("/console/log-on");
        operator.desk.key_is(*manner);
        operator.types("Account name", "olsen");
        operator.desk.press("Enter");
        operator.desk.sees(words);
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

    // A key that can be copied is nobody's, and one person has one account.
    officials.desk.expects("status of 4");
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

    drop((officials, operator));
    assert_eq!(daemon.stop(), Some(0));
    let kinds = room.site.log_kinds();
    assert_eq!(
        kinds.iter().filter(|kind| **kind == LeafKind::Asked).count(),
        1,
        "a refused touch asks nothing"
    );
}

#[test]
fn what_says_nothing_is_no_photo_or_comes_out_of_turn_is_refused_in_words_and_a_restart_in_the_middle_loses_nothing()
 {
    let room = ControlRoom::new();
    let mut daemon = room.start();
    let browsers = Browsers::start("out-of-turn", &room.site);
    room.admit(
        &browsers,
        &daemon,
        &[("olsen", "Operator"), ("ellis", "Examiner"), ("frey", "Examiner")],
    );
    daemon
        .feed("slmpd")
        .put_booking(&number("B4401"), &booking("Person of B4401"), &photo(OBAMA))
        .unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = room.site.path(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let operator = Seat::take(&browsers, "rtcc-1", &daemon);
    operator.desk.expects("status of 4");
    operator.logs_on("olsen", "/console/work");

    // Words.
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
    let path = operator.path();
    let inquiry = path.split('/').nth(3).unwrap().to_owned();
    let verb = |verb: &str| format!("/v1/inquiries/{inquiry}/{verb}");

    // Files.
    let huge = room.site.path("huge.jpg");
    File::create(&huge).unwrap().set_len(PROBE_BYTES_MAX as u64 + (1 << 20)).unwrap();
    operator.sends(&huge);
    operator.desk.sees("wanted a photo of up to 64.0 MiB");
    operator.sends(&file("letter.jpg", b"Dear Sir or Madam, this is not a photo."));
    operator.desk.sees("JPEG");
    operator.reads("refused-file");
    operator.sends(&file("nobody.jpg", &gradient()));
    operator.desk.sees("No face is seen in this photo as it was received.");
    operator.looks("no-face");

    // A restart in the middle of a big file: the box has what it acknowledged, and wants the rest.
    let portrait = image::load_from_memory(&photo(OBAMA_LATER)).unwrap().to_rgb8();
    let big = png(&imageops::resize(
        &portrait,
        2 * portrait.width(),
        2 * portrait.height(),
        FilterType::Triangle,
    ));
    assert!(big.len() > PROBE_PIECE_BYTES, "{} bytes", big.len());
    let big = file("big.png", &big);
    for method in ["POST", "PUT", "PUT"] {
        operator.desk.holds(method, &verb("upload"));
    }
    operator.sends(&big);
    operator.desk.lets_go();
    operator.desk.lets_go();
    operator.desk.is_held_up();
    daemon.kill();
    drop(daemon);
    let daemon = room.start();
    operator.desk.lets_go();
    operator.desk.arrives_at("/console/log-on");
    operator.logs_on("olsen", "/console/work");
    operator.presses("link", "Go on with the probe for 26-004711");
    operator.desk.sees("Faces seen");
    operator.sends(&big);
    operator.desk.sees("image/png");

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

    // The search, and reviews in which nobody is skipped and nobody is second to themselves.
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

    // Nobody at the desk for half an hour: the page hides, and what was typed is there again after
    // a touch.
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
    operator.desk.open("/console/work");
    operator.desk.arrives_at("/console/lock");
    operator.looks("lock-page");
    operator.presses("button", "Touch your key to go on");
    operator.desk.arrives_at("/console/work");
}
