//! A compare report is given out only as it was logged, to those whose inquiry it is, while that
//! goes on, and to nobody once an agency has released a booking that it shows. Whoever was shown
//! what is sealed is in the log.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use smrt::api::wire::InquiryView;
use smrt::audit::{Leaf, LeafKind};
use smrt::booking::Text;
use smrt::calendar::Span;
use smrt::client::console_session::ConsoleSession;
use smrt::inquiry::{CopyOrder, Request, Stage};
use smrt::roster::Role;

use crate::builders::request;
use crate::clocked::Clocked;
use crate::desks::{Hand, official, person, refused};
use crate::door::Door;
use crate::photos::{BIDEN, COLLINS, OBAMA, OBAMA_LATER, photo};
use crate::site::{Site, booking, number};

const WITHHELD: &str = "an agency released or replaced a booking that it shows";

fn enrol(door: &Door<'_>) {
    let feed = door.feed("slmpd");
    for (n, path) in [("26-1", OBAMA), ("26-2", BIDEN), ("26-3", COLLINS)] {
        feed.put_booking(&number(n), &booking(&format!("Person {n}")), &photo(path)).unwrap();
    }
}

fn operator(door: &Door<'_>) -> ConsoleSession {
    door.desk_of("rtcc-1", &person("diaz", Role::OperatorExaminer))
}

/// An inquiry that two examiners have reviewed, as its operator sees it.
fn reviewed(door: &Door<'_>, desk: &ConsoleSession, candidates: usize) -> InquiryView {
    let second = door.desk_of("rtcc-2", &person("okafor", Role::Examiner));
    let once = desk.search(&Request { candidates, ..request() }, &photo(OBAMA_LATER)).unwrap().view;
    let done = second.dispose_all(second.claim(&once).unwrap()).unwrap();
    desk.inquiry(done.inquiry).unwrap()
}

/// How many sealed files of inquiries lie in a state folder: probes and reports.
fn sealed_files(state: &Path) -> usize {
    let folders = std::fs::read_dir(state.join("probes")).unwrap();
    folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
}

/// The sealed file that was written last.
fn newest_sealed_file(state: &Path) -> PathBuf {
    let folders = std::fs::read_dir(state.join("probes")).unwrap();
    let files = folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap());
    let files = files.map(|file| file.unwrap());
    files.max_by_key(|file| file.metadata().unwrap().modified().unwrap()).unwrap().path()
}

/// What the details of leaves of a kind say of one inquiry in one field.
fn of_inquiry(details: Vec<Value>, id: &str, field: &str) -> Vec<String> {
    let of = details.into_iter().filter(|detail| detail["inquiry"] == id);
    of.map(|detail| detail[field].as_str().unwrap_or_default().to_owned()).collect()
}

fn count(door: &Clocked<'_>, kind: LeafKind) -> usize {
    door.log().iter().filter(|(found, _)| *found == kind).count()
}

#[test]
fn a_report_that_a_release_overtakes_is_given_to_nobody_and_lies_nowhere() {
    let site = Site::staffed();
    let door = Clocked::of(&site);
    enrol(&door);
    let desk = operator(&door);
    let done = reviewed(&door, &desk, 3);
    let state = site.path("state");
    let before = sealed_files(&state);
    // The report takes far longer to be made than a release to be taken.
    std::thread::scope(|scope| {
        let issued = scope.spawn(|| desk.issue(&done));
        door.feed("slmpd").release(&number("26-3"), "expunged").unwrap();
        refused(issued.join().unwrap(), 409, "changed-meanwhile", "decided on revision");
    });
    assert_eq!((sealed_files(&state), count(&door, LeafKind::ReportIssued)), (before, 0));
    refused(desk.report(done.inquiry), 409, "out-of-turn", "no report is issued");
    let door = door.restart();
    let desk = operator(&door);
    refused(desk.report(done.inquiry), 409, "out-of-turn", "no report is issued");
    assert_eq!(sealed_files(&state), before);
    // Of the inquiry as it stands now there is one, and it is given out.
    let issued = desk.issue(&desk.inquiry(done.inquiry).unwrap()).unwrap();
    assert!(issued.stage == Stage::Issued && desk.report(done.inquiry).is_ok());
}

#[test]
fn a_stray_file_is_wiped_and_one_in_a_reports_place_is_given_to_nobody() {
    let site = Site::staffed();
    let door = Clocked::of(&site);
    enrol(&door);
    let desk = operator(&door);
    let (first, second) = (reviewed(&door, &desk, 3), reviewed(&door, &desk, 1));
    let state = site.path("state");
    let probes = sealed_files(&state);
    desk.issue(&first).unwrap();
    let file = newest_sealed_file(&state);
    desk.issue(&second).unwrap();
    let other = newest_sealed_file(&state);
    assert_eq!(sealed_files(&state), probes + 2);
    let report = desk.report(first.inquiry).unwrap();
    assert!(report != desk.report(second.inquiry).unwrap());
    // The one file in the other's place opens as nobody's report.
    let own = std::fs::read(&file).unwrap();
    std::fs::copy(&other, &file).unwrap();
    refused(desk.report(first.inquiry), 500, "failed", "the box failed");
    std::fs::write(&file, own).unwrap();
    assert_eq!(desk.report(first.inquiry).unwrap(), report);
    // A name that no report has.
    let mut name = hex::decode(file.file_name().unwrap().to_str().unwrap()).unwrap();
    name[15] ^= 1;
    let stray = file.with_file_name(hex::encode(name));
    std::fs::copy(&file, &stray).unwrap();
    let door = door.restart();
    assert!(!stray.exists() && file.exists());
    assert_eq!(operator(&door).report(first.inquiry).unwrap(), report);
}

#[test]
fn a_report_is_withheld_from_a_candidates_release_on_and_goes_with_its_purge() {
    let site = Site::staffed();
    let door = Clocked::of(&site);
    enrol(&door);
    let desk = operator(&door);
    // One shows the best alone, the other all three.
    let [best, all] =
        [1, 3].map(|candidates| desk.issue(&reviewed(&door, &desk, candidates)).unwrap().inquiry);
    let kept = desk.report(best).unwrap();
    assert!(desk.report(all).is_ok());
    let state = site.path("state");
    let before = sealed_files(&state);
    // An evidence mark keeps nothing on the box.
    let marked = desk.inquiry(all).unwrap();
    let handover = json!({"received_by": "Det. A. Ortiz", "of": "Circuit Attorney",
        "leads_number": "26-1187"});
    let mark = json!({"revision": marked.revision, "handover": handover});
    let hand = Hand::new(&door, &site.console_identity("rtcc-1")).at(&desk);
    assert_eq!(hand.post(&format!("/v1/inquiries/{all}/evidence"), &mark).status, 200);
    door.feed("slmpd").release(&number("26-3"), "expunged").unwrap();
    let second = door.desk_of("rtcc-2", &person("okafor", Role::Examiner));
    for desk in [&desk, &second] {
        refused(desk.report(all), 410, "report-withheld", WITHHELD);
        assert!(
            desk.report_proof(all).is_ok(),
            "whoever was given the paper still has it verified"
        );
    }
    let page = hand.get(&format!("/console/inquiries/{all}/report"));
    let page = String::from_utf8(page.body).unwrap();
    assert!(page.contains(WITHHELD) && !page.contains("report.pdf\""), "{page}");
    assert_eq!((desk.report(best).unwrap(), sealed_files(&state)), (kept.clone(), before));
    // By itself, within two days.
    door.pass(Span::hours(24));
    door.pass(Span::hours(12));
    assert_eq!((count(&door, LeafKind::Purged), sealed_files(&state)), (1, before - 1));
    let desk = operator(&door);
    refused(desk.report(all), 410, "report-withheld", WITHHELD);
    assert!(desk.report_proof(all).is_ok());
    assert_eq!(desk.report(best).unwrap(), kept, "the other one is as it was");
    let door = door.restart();
    refused(operator(&door).report(all), 410, "report-withheld", WITHHELD);
    assert_eq!(operator(&door).report(best).unwrap(), kept);
}

#[test]
fn after_its_outcome_an_inquirys_probe_and_report_are_shown_to_nobody_of_it() {
    let site = Site::staffed();
    let door = Clocked::of(&site);
    enrol(&door);
    let desk = operator(&door);
    let issued = desk.issue(&reviewed(&door, &desk, 3)).unwrap();
    let id = issued.inquiry;
    let second = door.desk_of("rtcc-2", &person("okafor", Role::Examiner));
    let probe = format!("/v1/inquiries/{id}/probe");
    for desk in [&desk, &second] {
        assert!(desk.report(id).is_ok() && desk.file(&probe).is_ok());
    }
    let outcome = json!({"revision": issued.revision,
        "outcome": {"upshot": "no_lead"}});
    let hand = Hand::new(&door, &site.console_identity("rtcc-1")).at(&desk);
    assert_eq!(hand.post(&format!("/v1/inquiries/{id}/outcome"), &outcome).status, 200);
    for desk in [&desk, &second] {
        refused(desk.report(id), 403, "not-shown", "a further copy of its report comes from");
        refused(desk.file(&probe), 403, "not-shown", "the probe is not shown to you now");
    }
}

fn order(reason: &str) -> CopyOrder {
    let text = |words| Text::parse(words).unwrap();
    let (received_by, of) = (text("Clerk V. Brandt"), text("Circuit Court"));
    CopyOrder { received_by, of, reason: reason.to_owned() }
}

#[test]
fn a_further_copy_takes_the_commanders_order_and_an_auditors_touch_once() {
    let site = Site::staffed();
    let door = Clocked::of(&site);
    enrol(&door);
    let desk = operator(&door);
    let issued = desk.issue(&reviewed(&door, &desk, 3)).unwrap();
    let id = issued.inquiry;
    let report = desk.report(id).unwrap();
    let outcome = json!({"revision": issued.revision, "outcome": {"upshot": "no_lead"}});
    let hand = Hand::new(&door, &site.console_identity("rtcc-1")).at(&desk);
    assert_eq!(hand.post(&format!("/v1/inquiries/{id}/outcome"), &outcome).status, 200);
    let commander = official(&door, "commander");
    let auditor = door.desk_of("audit-1", &person("audra", Role::Auditor));
    let good = order("discovery in the case against the person found");
    // Nobody else orders, nobody else gives out, and nothing is given out that wasn't ordered.
    refused(desk.order_copy(id, &good), 403, "not-this-role", "may not order a copy");
    refused(auditor.order_copy(id, &good), 403, "not-this-role", "may not order a copy");
    refused(commander.give_copy(id, 0), 403, "not-this-role", "may not give out a copy");
    refused(auditor.give_copy(id, 0), 409, "out-of-turn", "no copy 0 waits");
    refused(commander.order_copy(id, &order("n/a")), 422, "field-hollow", "reason");
    let hollow = CopyOrder { received_by: Text::parse("n/a").unwrap(), ..good.clone() };
    refused(commander.order_copy(id, &hollow), 422, "outcome-hollow", "placeholder");
    commander.order_copy(id, &good).unwrap();
    // The touch is for this copy: another's, or none, gives nothing.
    let by_hand = Hand::new(&door, &site.console_identity("audit-1")).at(&auditor);
    let untouched = json!({"nonce": "00".repeat(32), "touch": {"credential": "AAAA",
        "authenticator_data": "AAAA", "client_data": "AAAA", "signature": "AAAA"}});
    let path = format!("/v1/copies/{id}/0");
    assert_eq!(by_hand.post(&path, &untouched).status, 403);
    assert_eq!(auditor.give_copy(id, 0).unwrap(), report, "byte for byte");
    refused(auditor.give_copy(id, 0), 409, "out-of-turn", "no copy 0 waits");
    for kind in [LeafKind::CopyOrdered, LeafKind::CopyGiven] {
        assert_eq!(of_inquiry(door.details(kind), &id.to_string(), "inquiry").len(), 1);
    }
    let [copy] = &commander.copies().unwrap()[..] else { panic!("one was ordered") };
    assert_eq!(copy.further.given.as_ref().unwrap().by.id.as_str(), "audra");
    // An order holds for a month, and none for what an agency released since.
    commander.order_copy(id, &good).unwrap();
    door.days_with(30, &["commander", "audra"]);
    let auditor = door.desk_of("audit-1", &person("audra", Role::Auditor));
    refused(auditor.give_copy(id, 1), 409, "out-of-turn", "wanted another order");
    let commander = official(&door, "commander");
    commander.order_copy(id, &good).unwrap();
    door.feed("slmpd").release(&number("26-3"), "expunged").unwrap();
    refused(auditor.give_copy(id, 2), 410, "report-withheld", WITHHELD);
    refused(commander.order_copy(id, &good), 410, "report-withheld", WITHHELD);
}

#[test]
fn whoever_is_shown_what_is_sealed_is_in_the_log_before_they_see_it() {
    let site = Site::staffed();
    let door = Clocked::of(&site);
    enrol(&door);
    let desk = operator(&door);
    let issued = desk.issue(&reviewed(&door, &desk, 3)).unwrap();
    let id = issued.inquiry.to_string();
    let reads = |what: &str, person: &str| {
        let all = door.details(LeafKind::SealedRead).into_iter();
        let of = all.filter(|read| read["what"] == what && read["actor"]["person"] == person);
        of.collect::<Vec<_>>()
    };
    let probe = format!("/v1/inquiries/{id}/probe");
    // The operator has looked at the probe while choosing its face.
    let before = (reads("probe", "diaz").len(), reads("probe", "okafor").len());
    let second = door.desk_of("rtcc-2", &person("okafor", Role::Examiner));
    for _ in 0..3 {
        second.file(&probe).unwrap();
    }
    assert_eq!(reads("probe", "okafor").len(), before.1 + 1, "one an hour, person and inquiry");
    assert_eq!(reads("probe", "okafor").last().unwrap()["inquiry"], id.as_str());
    for times in 1..3 {
        desk.report(issued.inquiry).unwrap();
        let given = door.details(LeafKind::ReportGiven);
        assert_eq!(given.len(), times, "one each time");
        let sha256 = of_inquiry(given, &id, "report_sha256");
        assert_eq!(sha256.last().unwrap(), &issued.report.as_ref().unwrap().sha256.to_string());
    }
    desk.report_proof(issued.inquiry).unwrap();
    assert_eq!(reads("report_proof", "diaz").len(), 1);
    assert!(!reads("inquiry", "diaz").is_empty() && !reads("inquiry", "okafor").is_empty());
    let auditor = door.desk_of("audit-1", &person("audra", Role::Auditor));
    for (path, what) in [("findings", "findings"), ("samples", "samples")] {
        assert_eq!(reads(what, "audra").len(), 0);
        auditor.file(&format!("/console/{path}")).unwrap();
        assert_eq!(reads(what, "audra").len(), 1);
    }
    for (path, what) in [("/v1/people", "accounts"), ("/v1/grants", "grants")] {
        auditor.file(path).unwrap();
        assert_eq!(reads(what, "audra").len(), 1);
    }
    door.feed("slmpd").booking(&number("26-1")).unwrap();
    let by_feed = door.details(LeafKind::SealedRead);
    assert!(by_feed.iter().any(|read| read["what"] == "bookings"
        && read["actor"]["certificate"] == "smrt:agency/slmpd/feed"));
    // How often more within the hour stands in a second leaf, behind the first.
    let shown = reads("probe", "okafor").len();
    door.pass(Span::hours(1));
    assert_eq!(reads("probe", "okafor").len(), shown + 1);
    let log = door.log();
    let at = log.iter().rposition(|(kind, detail)| {
        *kind == LeafKind::SealedRead
            && detail.as_ref().unwrap()["what"] == "probe"
            && detail.as_ref().unwrap()["actor"]["person"] == "okafor"
    });
    let last = Leaf::from_bytes(&door.leaf(at.unwrap())).unwrap();
    assert_eq!((last.follows.len(), last.counts), (1, vec![2]));
}
