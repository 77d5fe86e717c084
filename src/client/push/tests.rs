//! Pushing without a server: what is sent again, what is not, and when a push gives up.

use std::sync::atomic::AtomicU64;

use super::*;
use crate::api::wire::Problem;
use crate::booking::VersionId;

const HEADER: &str = "number,photo,name,booked_on,basis\n";

fn feed_of(rows: usize) -> (tempfile::TempDir, PushOptions) {
    let folder = tempfile::tempdir().unwrap();
    let mut text = HEADER.to_owned();
    for i in 0..rows {
        text += &format!("B-{i},{i}.jpg,Person {i},2026-11-01,post_arrest_booking\n");
        fs::write(folder.path().join(format!("{i}.jpg")), format!("photo {i}")).unwrap();
    }
    let csv = folder.path().join("feed.csv");
    fs::write(&csv, text).unwrap();
    let options = PushOptions::new(folder.path(), &csv);
    (folder, options)
}

fn booked(row: &FeedRow, leaf: u64) -> Booked {
    Booked {
        number: row.number.clone(),
        version: VersionId([0; 16]),
        leaf,
        new: true,
        quality: 10.0,
    }
}

fn refused(status: u16) -> ClientError {
    let problem = Problem {
        kind: "no-face".to_owned(),
        status,
        detail: "no face found".to_owned(),
        request: "r".to_owned(),
        field: None,
        faces: Vec::new(),
    };
    ClientError::Refused { problem: Box::new(problem) }
}

fn lost() -> ClientError {
    ClientError::Lost { why: "reset".to_owned() }
}

fn checkpoint() -> Result<String, ClientError> {
    Ok("log.example\n1000\nroot=\n\n\u{2014} log.example sig\n".to_owned())
}

#[test]
fn a_second_push_sends_only_what_was_not_acknowledged() {
    let (_folder, options) = feed_of(20);
    let calls = AtomicU64::new(0);
    let book = |row: &FeedRow, _: &[u8]| {
        let leaf = calls.fetch_add(1, Ordering::Relaxed);
        if row.number.as_str() == "B-7" { Err(refused(422)) } else { Ok(booked(row, leaf)) }
    };
    let summary = push_through(&checkpoint, &book, &options, &|_| {}).unwrap();
    assert_eq!(
        (summary.progress.booked, summary.progress.refused, summary.progress.done()),
        (19, 1, 20)
    );
    assert_eq!(calls.load(Ordering::Relaxed), 20);
    let written = fs::read_to_string(summary.refused_file.unwrap()).unwrap();
    assert_eq!(
        written,
        "line,number,photo,reason\n9,B-7,7.jpg,\"no face found (422 no-face, request r)\"\n"
    );

    let summary =
        push_through(&checkpoint, &|row, _| Ok(booked(row, 30)), &options, &|_| {}).unwrap();
    assert_eq!((summary.progress.booked, summary.progress.skipped), (1, 19));
    assert_eq!(summary.refused_file, None);
    assert!(!options.folder.join("feed.csv.refused.csv").exists(), "yesterday's refusals are gone");
}

#[test]
fn a_changed_photo_or_row_is_pushed_again() {
    let (folder, options) = feed_of(3);
    push_through(&checkpoint, &|row, _| Ok(booked(row, 1)), &options, &|_| {}).unwrap();
    fs::write(folder.path().join("1.jpg"), "another photo").unwrap();
    let text = fs::read_to_string(&options.csv).unwrap().replace("Person 2", "Person Two");
    fs::write(&options.csv, text).unwrap();
    let summary =
        push_through(&checkpoint, &|row, _| Ok(booked(row, 2)), &options, &|_| {}).unwrap();
    assert_eq!((summary.progress.booked, summary.progress.skipped), (2, 1));
}

#[test]
fn a_server_that_comes_back_loses_nothing() {
    let (_folder, mut options) = feed_of(8);
    options.patience = Duration::from_secs(30);
    let calls = AtomicU64::new(0);
    let book = |row: &FeedRow, _: &[u8]| match calls.fetch_add(1, Ordering::Relaxed) {
        3..6 => Err(lost()),
        6 => Err(ClientError::Wait { seconds: 0, why: "busy".to_owned() }),
        leaf => Ok(booked(row, leaf)),
    };
    let waits = AtomicU64::new(0);
    let progress = |progress: &PushProgress| {
        waits.fetch_add(u64::from(progress.waiting.is_some()), Ordering::Relaxed);
    };
    let summary = push_through(&checkpoint, &book, &options, &progress).unwrap();
    assert_eq!(
        (summary.progress.booked, summary.progress.refused, summary.progress.waiting),
        (8, 0, None)
    );
    assert!(waits.load(Ordering::Relaxed) > 0, "the wait was told");
}

#[test]
fn a_server_that_stays_away_ends_the_push_and_the_next_push_resumes() {
    let (_folder, mut options) = feed_of(10);
    options.patience = Duration::from_millis(300);
    let calls = AtomicU64::new(0);
    let book = |row: &FeedRow, _: &[u8]| match calls.fetch_add(1, Ordering::Relaxed) {
        leaf @ 0..4 => Ok(booked(row, leaf)),
        _ => Err(ClientError::Unreachable { why: "refused".to_owned() }),
    };
    let error = push_through(&checkpoint, &book, &options, &|_| {}).unwrap_err();
    assert!(
        matches!(error, PushError::ServerGone { source: ClientError::Unreachable { .. }, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("resumes"));
    let summary =
        push_through(&checkpoint, &|row, _| Ok(booked(row, 9)), &options, &|_| {}).unwrap();
    assert_eq!((summary.progress.booked, summary.progress.skipped), (6, 4));
}

#[test]
fn a_row_that_always_loses_its_connection_does_not_hold_up_the_rest() {
    let (_folder, mut options) = feed_of(6);
    options.jobs = 1;
    let book = |row: &FeedRow, _: &[u8]| {
        if row.number.as_str() == "B-2" { Err(lost()) } else { Ok(booked(row, 1)) }
    };
    let summary = push_through(&checkpoint, &book, &options, &|_| {}).unwrap();
    assert_eq!((summary.progress.booked, summary.progress.refused), (5, 1));
    assert!(summary.refusals[0].reason.contains("tried 3 times"), "{}", summary.refusals[0].reason);
}

#[test]
fn a_feed_that_may_not_push_at_all_is_stopped_at_once() {
    let (_folder, mut options) = feed_of(50);
    options.jobs = 1;
    let calls = AtomicU64::new(0);
    let book = |_: &FeedRow, _: &[u8]| {
        calls.fetch_add(1, Ordering::Relaxed);
        Err(refused(403))
    };
    assert!(matches!(
        push_through(&checkpoint, &book, &options, &|_| {}),
        Err(PushError::Stopped { .. })
    ));
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[test]
fn rows_without_their_photo_and_malformed_rows_are_refused_and_the_rest_is_pushed() {
    let (folder, options) = feed_of(4);
    fs::remove_file(folder.path().join("2.jpg")).unwrap();
    let text =
        fs::read_to_string(&options.csv).unwrap() + "B-9,9.jpg,,2026-11-01,post_arrest_booking\n";
    fs::write(&options.csv, text).unwrap();
    let summary =
        push_through(&checkpoint, &|row, _| Ok(booked(row, 1)), &options, &|_| {}).unwrap();
    assert_eq!((summary.progress.booked, summary.progress.refused), (3, 2));
    assert!(
        summary.refusals[0].reason.starts_with("line 4: photo 2.jpg: No such file"),
        "{}",
        summary.refusals[0].reason
    );
    assert!(
        summary.refusals[1].reason.starts_with("line 6: name:"),
        "{}",
        summary.refusals[1].reason
    );
}

#[test]
fn a_log_that_forgot_what_it_acknowledged_is_not_pushed_to() {
    let (_folder, options) = feed_of(2);
    push_through(&checkpoint, &|row, _| Ok(booked(row, 999)), &options, &|_| {}).unwrap();
    let shorter = || Ok("log.example\n999\nroot=\n".to_owned());
    let error =
        push_through(&shorter, &|row, _| Ok(booked(row, 1)), &options, &|_| {}).unwrap_err();
    assert!(matches!(error, PushError::LogShorter { leaf: 999, leaves: 999, .. }), "{error}");
}

#[test]
fn the_number_at_a_time_is_bounded() {
    let (_folder, mut options) = feed_of(1);
    for jobs in [0, FEED_JOBS_MAX + 1] {
        options.jobs = jobs;
        assert!(matches!(
            push_through(&checkpoint, &|row, _| Ok(booked(row, 1)), &options, &|_| {}),
            Err(PushError::Jobs { .. })
        ));
    }
}
