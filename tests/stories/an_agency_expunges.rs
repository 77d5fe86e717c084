//! An agency expunges a record: from the answer on, no search finds the booking, and no retry
//! brings it back.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use smrt::api::wire::BookingState;
use smrt::audit::LeafKind;
use smrt::calendar::Span;
use smrt::client::console_session::{Array, ConsoleSession};
use smrt::client::{Client, ClientError};
use smrt::roster::Role;

use crate::clocked::Clocked;
use crate::daemon::Daemon;
use crate::desks::person;
use crate::door::Door;
use crate::photos::{BIDEN, COLLINS, OBAMA, edition, photo, small};
use crate::raw::Form;
use crate::site::{PATIENCE, Site, booking, number, request};

/// Searches that run at the same time while a booking is released.
const SEARCHERS: usize = 4;
/// Searches of each that begin after the release was answered.
const SEARCHES_AFTER: usize = 3;

fn release_json() -> &'static str {
    r#"{"reason":"expunged by order of the circuit court"}"#
}

#[track_caller]
fn refused(error: &ClientError, status: u16, kind: &str) {
    let problem = error.problem().unwrap_or_else(|| panic!("{error}"));
    assert_eq!((problem.status, problem.kind.as_str()), (status, kind), "{problem:?}");
}

fn holds(array: &Array, number: &str) -> bool {
    array.numbers().contains(&number)
}

fn search(door: &Door<'_>, desk: &ConsoleSession) -> Array {
    door.array(desk, &request(), &photo(COLLINS)).unwrap()
}

#[test]
fn a_released_booking_is_found_no_more_and_no_retry_brings_it_back() {
    let site = Site::staffed();
    let mut daemon = site.start("test");
    let (feed, console) = (daemon.feed("slmpd"), daemon.desk("rtcc-1"));
    let collins = feed.put_booking(&number("26-1"), &booking("Collins"), &photo(COLLINS)).unwrap();
    feed.put_booking(&number("26-2"), &booking("Obama"), &photo(OBAMA)).unwrap();
    let before = search(&daemon, &console);
    assert!(holds(&before, "26-1"));
    let seen =
        image::load_from_memory(&console.photo(before.view.inquiry, collins.version).unwrap())
            .unwrap();
    assert!(seen.width() > 100 && seen.height() > 100, "{}x{}", seen.width(), seen.height());

    let slmpd = site.feed_identity("slmpd");
    let release = |path: &str| {
        daemon
            .line(&slmpd)
            .ask("POST", path, "application/json", release_json().as_bytes())
            .unwrap()
    };
    let first = release("/v1/bookings/26-1/release");
    assert_eq!((first.status, first.json()["new"].as_bool()), (201, Some(true)));
    let leaf = first.json()["leaf"].as_u64().unwrap();
    let again = release("/v1/bookings/26-1/release");
    assert_eq!(
        (again.status, again.json()["new"].as_bool(), again.json()["leaf"].as_u64()),
        (200, Some(false), Some(leaf))
    );
    release("/v1/bookings/26-9/release").is_problem(
        404,
        "not-found",
        "no booking of that name is yours",
    );

    let hold = |daemon: &Daemon<'_>, feed: &Client, console: &ConsoleSession| {
        let after = search(daemon, console);
        assert!(!holds(&after, "26-1") && holds(&after, "26-2"));
        assert_eq!(feed.health().unwrap().gallery_rows, 1);
        refused(
            &console.photo(before.view.inquiry, collins.version).unwrap_err(),
            403,
            "not-shown",
        );
        let again = console.inquiry(before.view.inquiry).unwrap();
        let gone =
            again.candidates.iter().find(|candidate| candidate.version == collins.version).unwrap();
        assert!(
            gone.released && gone.known.is_none() && !gone.photo,
            "of an earlier array, too, it is gone: {gone:?}"
        );
        let view = feed.booking(&number("26-1")).unwrap();
        assert_eq!((view.state, view.version), (BookingState::Released, collins.version));
        for bytes in [photo(COLLINS), photo(BIDEN)] {
            let error = feed.put_booking(&number("26-1"), &booking("Collins"), &bytes).unwrap_err();
            refused(&error, 409, "number-released");
            assert!(error.problem().unwrap().detail.contains(&format!("leaf {leaf} ")), "{error}");
        }
    };
    hold(&daemon, &feed, &console);
    daemon.kill();
    daemon = site.start("test");
    hold(&daemon, &daemon.feed("slmpd"), &daemon.desk("rtcc-1"));
    assert_eq!(daemon.stop(), Some(0));
    let (kind, detail) = &site.log()[usize::try_from(leaf).unwrap()];
    assert_eq!(
        (*kind, &detail["versions"][0]),
        (LeafKind::Released, &collins.version.to_string().into())
    );
    assert_eq!(detail["reason"], "expunged by order of the circuit court");
}

#[test]
fn every_version_of_a_released_booking_is_out_of_every_search() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let (feed, console) = (daemon.feed("slmpd"), daemon.desk("rtcc-1"));
    let portrait = small(COLLINS);
    for light in [0, 10, 20] {
        feed.put_booking(&number("26-1"), &booking("Collins"), &edition(&portrait, light)).unwrap();
    }
    assert_eq!(search(&daemon, &console).view.candidates.len(), 1);
    feed.release(&number("26-1"), "expunged").unwrap();
    let after = search(&daemon, &console);
    assert_eq!(
        (after.view.candidates.len(), feed.health().unwrap().gallery_rows),
        (0, 0),
        "an empty array is an answer too"
    );
}

#[test]
fn an_agency_releases_its_own_bookings_only() {
    let site = Site::new();
    let daemon = site.start("test");
    let feed = daemon.feed("slmpd");
    feed.put_booking(&number("26-1"), &booking("Collins"), &photo(COLLINS)).unwrap();
    refused(
        &daemon.feed("stlco").release(&number("26-1"), "not theirs").unwrap_err(),
        404,
        "not-found",
    );
    for (identity, kind) in [
        (site.console_identity("rtcc-1"), "not-this-role"),
        (site.feed_identity("gone"), "agency-not-active"),
        (site.feed_identity("madison"), "not-this-role"),
    ] {
        let leaves = daemon.leaves();
        refused(
            &daemon.client(&identity).release(&number("26-1"), "not theirs").unwrap_err(),
            403,
            kind,
        );
        assert_eq!(daemon.leaves(), leaves + 1, "who tries is logged");
    }
    let slmpd = site.feed_identity("slmpd");
    for (body, status, kind) in
        [("{}", 422, "json"), (r#"{"reason":""}"#, 400, "malformed"), ("reason", 422, "json")]
    {
        let answer = daemon
            .line(&slmpd)
            .ask("POST", "/v1/bookings/26-1/release", "application/json", body.as_bytes())
            .unwrap();
        answer.is_problem(status, kind, "");
    }
    let long = " ".repeat(70_000);
    let answer = daemon
        .line(&slmpd)
        .ask("POST", "/v1/bookings/26-1/release", "application/json", long.as_bytes())
        .unwrap();
    answer.is_problem(413, "too-large", "65536 bytes");
    daemon.send(&slmpd, "POST", "/v1/bookings/-/release", &Form::new().end()).is_problem(
        400,
        "malformed",
        "booking number",
    );
    assert_eq!(feed.booking(&number("26-1")).unwrap().state, BookingState::Live);
    let released = daemon.smrtctl(&slmpd, &["feed", "release", "26-1", "--reason", "expunged"]);
    assert!(
        released.status == Some(0) && released.stdout.contains("26-1 is released, leaf"),
        "{released:?}"
    );
    assert_eq!(feed.booking(&number("26-1")).unwrap().state, BookingState::Released);
}

#[test]
fn no_array_asked_for_after_the_release_was_answered_holds_the_booking() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let feed = daemon.feed("slmpd");
    feed.put_booking(&number("26-1"), &booking("Collins"), &photo(COLLINS)).unwrap();
    feed.put_booking(&number("26-2"), &booking("Obama"), &photo(OBAMA)).unwrap();
    let (released, found_before) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (probe, until) = (edition(&small(COLLINS), 5), Instant::now() + PATIENCE);
    let leaf = std::thread::scope(|scope| {
        for searcher in 0..SEARCHERS {
            let desk = daemon
                .desk_of("rtcc-1", &person(&format!("op-{searcher}"), Role::OperatorExaminer));
            let second = person(&format!("second-{searcher}"), Role::Examiner);
            let second = daemon.desk_of("rtcc-2", &second);
            let (probe, released, found_before) = (&probe, &released, &found_before);
            scope.spawn(move || {
                let mut after = 0;
                while after < SEARCHES_AFTER {
                    assert!(Instant::now() < until);
                    let asked_after = released.load(Ordering::SeqCst);
                    let array = desk.search_with(&second, &request(), probe).unwrap();
                    let held = holds(&array, "26-1");
                    assert!(
                        !(asked_after && held),
                        "a search that began after the release found the booking: {array:?}"
                    );
                    assert!(holds(&array, "26-2"));
                    after += usize::from(asked_after);
                    found_before.fetch_add(usize::from(held), Ordering::SeqCst);
                }
            });
        }
        // Every searcher is at work before the release comes among them.
        while found_before.load(Ordering::SeqCst) < 2 * SEARCHERS {
            assert!(Instant::now() < until);
            std::thread::yield_now();
        }
        let leaf = feed.release(&number("26-1"), "expunged").unwrap().leaf;
        released.store(true, Ordering::SeqCst);
        leaf
    });
    assert_eq!(daemon.stop(), Some(0));
    let log = site.log();
    let version = log[usize::try_from(leaf).unwrap()].1["versions"][0].clone();
    for (kind, detail) in &log[usize::try_from(leaf).unwrap()..] {
        assert!(
            *kind != LeafKind::Answered
                || !detail["candidates"].to_string().contains(version.as_str().unwrap()),
            "{detail}"
        );
    }
}

#[test]
fn what_is_released_or_replaced_is_purged_by_itself_within_two_days() {
    let site = Site::staffed();
    let door = Clocked::of(&site);
    let feed = door.feed("slmpd");
    let put = |n: &str, bytes: &[u8]| feed.put_booking(&number(n), &booking(n), bytes).unwrap();
    let portrait = small(COLLINS);
    let first = put("26-1", &edition(&portrait, 0)).version;
    let replaced = put("26-2", &edition(&portrait, 10)).version;
    let stays = put("26-2", &edition(&portrait, 20)).version;
    let damaged = put("26-3", &edition(&portrait, 30)).version;
    feed.release(&number("26-1"), "expunged").unwrap();
    feed.release(&number("26-3"), "expunged").unwrap();
    let photos = || door.ledger().photo_ids().unwrap();
    assert_eq!(photos(), [first, replaced, stays, damaged].into());
    // A damaged key slot holds no other booking up: the first byte of each wrapped key lies 16
    // bytes into its slot of 64.
    let slots = site.path("state").join("slots.1");
    let mut bytes = std::fs::read(&slots).unwrap();
    bytes[3 * 64 + 16] ^= 1;
    std::fs::write(&slots, bytes).unwrap();
    door.pass(Span::hours(23));
    assert_eq!(photos().len(), 4, "a notice of evidentiary value may come behind a release");
    door.pass(Span::hours(12));
    assert_eq!(photos(), [stays].into());
    let purged = door.details(LeafKind::Purged);
    let versions: BTreeSet<&str> =
        purged.iter().map(|purged| purged["version"].as_str().unwrap()).collect();
    let wanted = [first, replaced, damaged].map(|version| version.to_string());
    assert_eq!(versions, wanted.iter().map(String::as_str).collect());
    assert!(!slots.exists(), "under a fresh epoch, so that no old copy of the slots opens them");
    assert_eq!(feed.booking(&number("26-2")).unwrap().state, BookingState::Live);
    refused(&feed.booking(&number("26-1")).unwrap_err(), 409, "number-released");
    let again = feed.put_booking(&number("26-1"), &booking("again"), &edition(&portrait, 0));
    refused(&again.unwrap_err(), 409, "number-released");
}

#[test]
fn a_purge_that_was_due_while_the_box_was_off_comes_with_its_start() {
    let site = Site::staffed();
    let door = Clocked::of(&site);
    let feed = door.feed("slmpd");
    feed.put_booking(&number("26-1"), &booking("Collins"), &photo(COLLINS)).unwrap();
    feed.release(&number("26-1"), "expunged").unwrap();
    door.pass_unseen(Span::hours(25));
    let door = door.restart();
    assert_eq!(door.details(LeafKind::Purged).len(), 1);
    assert!(door.ledger().photo_ids().unwrap().is_empty());
}
