//! An auditor exports the log of the running box, verifies the copy with nothing else at hand,
//! draws a sample and reviews it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use smrt::api::wire::{SampleOrder, SampleReview};
use smrt::audit::{Holds, Quorum, SampleFinding, TileId, entries};
use smrt::client::log_folder::{LogFolder, LogFolderError};
use smrt::client::verify_log::{VerifyOptions, verify};
use smrt::roster::Role;

use crate::desks::{Hand, official, person, refused};
use crate::fake_disk::Choices;
use crate::photos::{COLLINS, OBAMA, OBAMA_LATER, gradient, photo, several};
use crate::site::{Daemon, Ended, LOG_KEY, ORIGIN, Site, booking, ended, number, request};
use crate::tampering::{self, TestLog};

fn smrtctl(words: &[&str]) -> Ended {
    ended(Command::new(env!("CARGO_BIN_EXE_smrtctl")).args(words))
}

/// A box with witnesses after a day's work, all of it logged and witnessed.
fn worked(site: &Site) -> Daemon<'_> {
    site.add_witnesses(&[("court", None), ("press", None)], 2, 60);
    let daemon = site.start("test");
    let visits = || {
        for id in ["court", "press"] {
            assert_eq!(daemon.witness(id, &site.witness_identity(id)).status, Some(0));
        }
    };
    // People were appointed before witnesses came, so that the doors wait until these have
    // confirmed the log.
    visits();
    let feed = daemon.feed("slmpd");
    for (n, face) in [("26-1", OBAMA), ("26-2", COLLINS)] {
        feed.put_booking(&number(n), &booking("Roe, Jane"), &photo(face)).unwrap();
    }
    let desk = daemon.desk("rtcc-1");
    for _ in 0..3 {
        let array = desk.search(&request(), &photo(OBAMA_LATER)).unwrap();
        desk.photo(array.view.inquiry, array.view.candidates[0].version).unwrap();
    }
    for _ in 0..3 {
        desk.ask(&request(), &gradient()).unwrap_err();
    }
    feed.release(&number("26-2"), "record expunged").unwrap();
    for _ in 0..2 {
        visits();
    }
    daemon
}

#[test]
fn an_exported_log_verifies_offline_with_its_details_and_a_changed_one_does_not() {
    let site = Site::staffed();
    let daemon = worked(&site);
    let (auditor, log) = (site.console_identity("audit-1"), site.path("exported"));
    let exported = daemon.smrtctl(
        &auditor,
        &["log", "export", log.to_str().unwrap(), "--details", "all", "--witnessed"],
    );
    assert_eq!(exported.status, Some(0), "{exported:?}");
    let keys = site.path("keys");
    fs::write(&keys, daemon.feed("slmpd").policy().unwrap()).unwrap();
    let kept = site.path("kept-press/checkpoint");
    assert_eq!(daemon.stop(), Some(0), "what follows needs no box");
    let verify = |more: &[&str]| {
        smrtctl(
            &[
                &[
                    "log",
                    "verify",
                    log.to_str().unwrap(),
                    "--keys",
                    keys.to_str().unwrap(),
                    "--since",
                    kept.to_str().unwrap(),
                ],
                more,
            ]
            .concat(),
        )
    };
    let holds = verify(&["--all-details"]);
    assert_eq!(holds.status, Some(0), "{}{}", holds.stdout, holds.stderr);
    let own = smrtctl(&["log", "verify", log.to_str().unwrap()]);
    assert_eq!(own.status, Some(0));
    assert!(
        own.stdout.contains("prove"),
        "keys from the export itself are no proof: {}",
        own.stdout
    );

    let archive = LogFolder::at(&log);
    let details = fs::read_to_string(log.join("details.jsonl")).unwrap();
    assert!(details.contains("Det. A. Ortiz"), "the auditor reads who asked");
    fs::write(log.join("details.jsonl"), details.replace("Det. A. Ortiz", "Det. B. Ortiz"))
        .unwrap();
    let lied = verify(&[]);
    assert_eq!(lied.status, Some(2), "{}", lied.stdout);
    fs::write(log.join("details.jsonl"), details).unwrap();
    let first = smrt::audit::TileId::all(
        archive.checkpoint().unwrap().unwrap().checkpoint().unwrap().leaves,
    )
    .next()
    .unwrap();
    let mut bundle = archive.tile(first).unwrap();
    let bundle_file = log.join(first.path());
    bundle[200] ^= 1;
    fs::write(&bundle_file, &bundle).unwrap();
    let flipped = verify(&[]);
    assert_eq!(flipped.status, Some(2));
    assert!(
        flipped.stdout.contains("- leaf 3: is not the leaf that was signed"),
        "the place is named: {}",
        flipped.stdout
    );
}

#[test]
fn nobody_but_an_auditor_opens_details_probes_or_samples_and_each_opening_is_a_leaf() {
    let site = Site::staffed();
    let daemon = worked(&site);
    let (auditor, console) = (daemon.console("audit-1"), daemon.console("rtcc-1"));
    for other in [&console, &daemon.console("admin-1"), &daemon.feed("slmpd")] {
        for refused in [
            other.details(0, 1).unwrap_err(),
            other.probe(&"0".repeat(32)).unwrap_err(),
            other.samples().unwrap_err(),
        ] {
            assert_eq!(refused.problem().unwrap().kind, "not-this-role", "{refused}");
        }
    }
    let auditing = daemon.desk_of("audit-1", &person("inspector", Role::Auditor));
    refused(auditing.open(&request()), 403, "not-this-role", "an auditor may not open inquiries");
    let leaves = auditor.health().unwrap().leaves;
    let opened = auditor.details(0, 3).unwrap();
    assert_eq!(opened.iter().map(|opened| opened.leaf).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(auditor.health().unwrap().leaves, leaves + 1);
    let all = auditor.details(0, leaves).unwrap();
    let asked = all.iter().find(|opened| opened.detail.contains("\"detail\":\"asked\"")).unwrap();
    let detail: serde_json::Value = serde_json::from_str(&asked.detail).unwrap();
    let probe = auditor.probe(detail["inquiry"].as_str().unwrap()).unwrap();
    assert_eq!(probe, photo(OBAMA_LATER), "as it was received");
    assert_eq!(auditor.probe(&"0".repeat(32)).unwrap_err().problem().unwrap().status, 404);
    assert_eq!(auditor.details(0, 10_000).unwrap_err().problem().unwrap().kind, "range-outside");
    assert_eq!(daemon.stop(), Some(0));
}

fn every_search() -> serde_json::Value {
    json!({"seed": 7, "rate_ppm": 1_000_000, "first": 0})
}

const FIGURES: &str = "/v1/report/public?from=2026-01-01&to=2027-01-01";

#[test]
fn from_a_browser_nobody_audits_but_a_person_of_that_role() {
    let site = Site::staffed();
    let daemon = site.start("test");
    // A desk without any flag, and the auditor's console with somebody else at it.
    let inspector = daemon.desk_of("rtcc-2", &person("inspector", Role::Auditor));
    let operator = daemon.desk_of("audit-1", &person("op-rtcc-1", Role::OperatorExaminer));
    let at = |device: &str| Hand::new(&daemon, &site.console_identity(device));
    let (audits, operates) = (at("rtcc-2").at(&inspector), at("audit-1").at(&operator));
    let (sample, clock) = (every_search(), json!({"time_source": "2026-11-23T16:00:00Z"}));
    let probe = format!("/v1/log/probes/{}", "0".repeat(32));
    // Nobody has logged on at the browser, or somebody of another role.
    for (who, status, kind, words) in [
        (at("audit-1"), 401, "no-session", "log on first"),
        (operates, 403, "not-this-role", "an operator and examiner may not"),
    ] {
        for path in ["/v1/log/details?first=0&end=1", &probe, "/v1/log/samples"] {
            who.get(path).is_problem(status, kind, words);
        }
        for path in ["/v1/log/samples", "/v1/log/reviews", "/v1/log/exports", "/v1/clock"] {
            let body = match path {
                "/v1/log/samples" => sample.clone(),
                "/v1/log/reviews" => {
                    json!({"sample": 1, "asked": 1, "finding": "in_order", "note": "looked at"})
                }
                "/v1/clock" => clock.clone(),
                _ => json!({}),
            };
            who.post(path, &body).is_problem(status, kind, words);
        }
    }
    audits.get(FIGURES).is_problem(
        403,
        "not-this-role",
        "an auditor may not make the public report",
    );
    audits.post("/v1/clock", &clock).is_problem(
        403,
        "not-this-role",
        "an auditor may not confirm the clock",
    );
    let official = official(&daemon, "administrator");
    let administers = at("admin-1").at(&official);
    administers.post("/v1/clock", &clock).is_problem(404, "not-found", "no doubt about the clock");
    administers.post("/v1/log/samples", &sample).is_problem(
        403,
        "not-this-role",
        "an administrator may not draw a sample",
    );
}

#[test]
fn an_audit_names_the_person_at_a_browser_and_nobody_at_a_device_by_itself() {
    let site = Site::staffed();
    let daemon = worked(&site);
    let inspector = daemon.desk_of("rtcc-2", &person("inspector", Role::Auditor));
    let official = official(&daemon, "administrator");
    let at = |device: &str| Hand::new(&daemon, &site.console_identity(device));
    let (audits, administers) = (at("rtcc-2").at(&inspector), at("admin-1").at(&official));
    let first = daemon.leaves();
    let drawn = audits.post("/v1/log/samples", &every_search()).json();
    let asked = drawn["asked"][0].as_u64().unwrap();
    let review = json!({"sample": drawn["sample"], "asked": asked, "finding": "in_order",
        "note": "looked at"});
    assert_eq!(audits.post("/v1/log/reviews", &review).status, 201);
    let opened = audits.get(&format!("/v1/log/details?first={asked}&end={}", asked + 1)).json();
    let detail: serde_json::Value =
        serde_json::from_str(opened[0]["detail"].as_str().unwrap()).unwrap();
    let probe = format!("/v1/log/probes/{}", detail["inquiry"].as_str().unwrap());
    assert_eq!(audits.get(&probe).body, photo(OBAMA_LATER));
    assert_eq!(audits.post("/v1/log/exports", &json!({})).status, 201);
    assert_eq!(administers.get(FIGURES).status, 200);
    let then = daemon.leaves();
    daemon.console("audit-1").details(0, 1).unwrap();
    assert_eq!(daemon.stop(), Some(0));
    let log = site.log();
    let actors: Vec<_> = (first..then)
        .map(|leaf| log[usize::try_from(leaf).unwrap()].1["actor"]["person"].clone())
        .collect();
    let inspected = vec!["inspector"; actors.len() - 1];
    assert_eq!(
        actors,
        [inspected, vec!["administrator"]].concat(),
        "who is at the desk, in each leaf"
    );
    let actor = &log[usize::try_from(then).unwrap()].1["actor"];
    assert!(
        actor["certificate"] == "smrt:device/audit-1" && actor.get("person").is_none(),
        "a device by itself: {actor}"
    );
}

#[test]
fn each_of_two_thousand_tamperings_with_an_exported_log_is_found_with_its_place() {
    let site = Site::staffed();
    site.add_witnesses(&[("court", None), ("press", None), ("bar", None)], 2, 60);
    let daemon = site.start("test");
    let visits = || {
        for id in ["court", "press", "bar"] {
            assert_eq!(daemon.witness(id, &site.witness_identity(id)).status, Some(0));
        }
    };
    visits();
    let (feed, desk) = (daemon.feed("slmpd"), daemon.desk("rtcc-1"));
    for (n, face) in several(60).into_iter().enumerate() {
        let booked = number(&format!("26-{n}"));
        feed.put_booking(&booked, &booking("Roe, Jane"), &face).unwrap();
        let claimed = desk.claim(&desk.ask(&request(), &photo(OBAMA_LATER)).unwrap().view).unwrap();
        desk.photo(claimed.inquiry, claimed.candidates[0].version).unwrap();
        if n % 4 == 3 {
            feed.release(&booked, "record expunged").unwrap();
            visits();
        }
    }
    visits();
    let folder = site.path("exported");
    let words = ["log", "export", folder.to_str().unwrap(), "--details", "all", "--witnessed"];
    let exported = daemon.smrtctl(&site.console_identity("audit-1"), &words);
    assert_eq!(exported.status, Some(0), "{exported:?}");
    let quorum = Quorum::parse(&daemon.feed("slmpd").policy().unwrap()).unwrap();
    assert_eq!(daemon.stop(), Some(0));
    let log = exported_log(&folder, quorum);
    assert!(
        log.len() > 256 && log.kept.len() >= 12,
        "{} leaves, {} checkpoints",
        log.len(),
        log.kept.len()
    );
    let untouched = verify(&LogFolder::at(&folder), &log.terms(None, true)).unwrap();
    assert!(untouched.holds && untouched.not_witnessed.is_none(), "{}", untouched.words());
    tampering::every_one_is_found(&log);
}

/// What an export holds, with the key that only its owner has.
fn exported_log(folder: &Path, quorum: Quorum) -> TestLog {
    let archive = LogFolder::at(folder);
    let newest = archive.checkpoint().unwrap().unwrap();
    let bundles =
        TileId::all(newest.checkpoint().unwrap().leaves).filter(|id| id.holds == Holds::Entries);
    let read = |id| {
        entries(id, &archive.tile(id).unwrap())
            .unwrap()
            .into_iter()
            .map(<[u8]>::to_vec)
            .collect::<Vec<_>>()
    };
    let mut details = Vec::new();
    let taken = archive.for_each_detail::<LogFolderError>(|_, detail| {
        details.push(detail);
        Ok(())
    });
    taken.unwrap();
    let kept = archive.checkpoints().unwrap();
    TestLog {
        leaves: bundles.flat_map(read).collect(),
        details,
        kept,
        newest,
        origin: ORIGIN,
        secret: LOG_KEY,
        quorum,
    }
}

/// The files of a folder and of those below it.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn no_bit_of_an_exported_log_can_be_flipped_unnoticed() {
    let site = Site::staffed();
    let daemon = worked(&site);
    let log = site.path("exported");
    let exported = daemon.smrtctl(
        &site.console_identity("audit-1"),
        &["log", "export", log.to_str().unwrap(), "--details", "all"],
    );
    assert_eq!(exported.status, Some(0), "{exported:?}");
    let keys = Quorum::parse(&daemon.feed("slmpd").policy().unwrap()).unwrap();
    assert_eq!(daemon.stop(), Some(0));
    let archive = LogFolder::at(&log);
    let terms = VerifyOptions { keys: Some(keys), all_details: true, ..VerifyOptions::default() };
    assert!(verify(&archive, &terms).unwrap().holds);
    // The policy in the folder is only what the log says of itself; the auditor has the keys from
    // elsewhere.
    let mut files: Vec<PathBuf> =
        files(&log).into_iter().filter(|path| !path.ends_with("policy")).collect();
    files.sort();
    let mut choices = Choices::new(7);
    let mut flipped = 0;
    while flipped < 600 {
        let path = &files[usize::try_from(choices.below(files.len() as u64)).unwrap()];
        let whole = fs::read(path).unwrap();
        let (at, bit) =
            (usize::try_from(choices.below(whole.len() as u64)).unwrap(), choices.below(8));
        let mut changed = whole.clone();
        changed[at] ^= 1 << bit;
        fs::write(path, &changed).unwrap();
        let holds = verify(&archive, &terms).is_ok_and(|verdict| verdict.holds);
        assert!(!holds, "bit {bit} of byte {at} of {} was flipped unnoticed", path.display());
        fs::write(path, whole).unwrap();
        flipped += 1;
    }
    assert!(verify(&archive, &terms).unwrap().holds);
}

#[test]
fn a_finding_of_misuse_goes_to_the_agency_that_employs_the_person_and_to_no_other() {
    let site = Site::staffed();
    let daemon = worked(&site);
    let auditor = daemon.console("audit-1");
    let order = SampleOrder { seed: 7, rate_ppm: 1_000_000, first: 0, end: None };
    let sample = auditor.draw_sample(&order).unwrap();
    assert_eq!(sample.asked.len(), 3);
    let review = |asked: u64, finding| {
        let note = "no complaint of this number".to_owned();
        auditor
            .review_sample(&SampleReview { sample: sample.sample, asked, finding, note })
            .unwrap()
    };
    review(sample.asked[0], SampleFinding::Irregular);
    let leaf = review(sample.asked[1], SampleFinding::Misuse).leaf;
    let findings = daemon.feed("slmpd").findings().unwrap();
    assert_eq!(findings.len(), 1, "what is to be put right is no misuse");
    assert_eq!(
        (findings[0].review, findings[0].asked, &*findings[0].note),
        (leaf, sample.asked[1], "no complaint of this number")
    );
    assert_eq!(findings[0].request, request());
    assert_eq!(daemon.feed("stlco").findings().unwrap(), []);
    for other in [daemon.console("rtcc-1"), daemon.console("audit-1")] {
        assert_eq!(other.findings().unwrap_err().problem().unwrap().kind, "not-this-role");
    }
    assert_eq!(daemon.stop(), Some(0));
    assert!(
        site.log_kinds().contains(&smrt::audit::LeafKind::FindingsRead),
        "who read them is in the log"
    );
}

#[test]
fn a_sample_is_drawn_by_a_seed_that_was_logged_before_and_anybody_can_draw_it_again() {
    let site = Site::staffed();
    let daemon = worked(&site);
    let auditor = site.console_identity("audit-1");
    let drawn = daemon
        .smrtctl(&auditor, &["log", "sample", "--rate", "0.9", "--seed", "20261123", "--json"]);
    assert_eq!(drawn.status, Some(0), "{drawn:?}");
    let sample: serde_json::Value =
        serde_json::from_str::<Vec<serde_json::Value>>(&drawn.stdout).unwrap().remove(0);
    assert_eq!(sample["population"], 3);
    let (name, searches) =
        (sample["sample"].to_string(), sample["asked"].as_array().unwrap().clone());
    let review = |search: &str| {
        let words = [
            "log",
            "review",
            "--sample",
            &name,
            "--search",
            search,
            "--finding",
            "in-order",
            "--note",
            "reason fits the case file",
        ];
        daemon.smrtctl(&auditor, &words)
    };
    for search in &searches {
        assert_eq!(review(&search.to_string()).status, Some(0));
    }
    assert_eq!(review("0").status, Some(1), "no search of the sample");
    let shown = daemon.smrtctl(&auditor, &["log", "sample"]);
    assert!(
        shown.stdout.contains("of 3 searches") && !shown.stdout.contains("open"),
        "{}",
        shown.stdout
    );
    let log = site.path("exported");
    assert_eq!(
        daemon
            .smrtctl(&auditor, &["log", "export", log.to_str().unwrap(), "--details", "all"])
            .status,
        Some(0)
    );
    assert_eq!(daemon.stop(), Some(0));
    // The verifier draws the sample again from the log alone.
    let verified = smrtctl(&["log", "verify", log.to_str().unwrap()]);
    assert_eq!(
        verified.status,
        Some(3),
        "all holds, and the sample's leaves are not witnessed yet: {}",
        verified.stdout
    );
}
