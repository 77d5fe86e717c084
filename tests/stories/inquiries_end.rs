//! An inquiry and its probe are kept for three years after its last search, for audits, and are
//! gone then: key, probe, report and record, with a leaf that says so (SO-E2b, CJIS AU-11).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use smrt::api::wire::InquiryView;
use smrt::audit::LeafKind;
use smrt::calendar::Span;
use smrt::client::console_session::ConsoleSession;
use smrt::face::Edits;
use smrt::ids::Digest;
use smrt::inquiry::Stage;
use smrt::limits::{DETAILS_KEPT_DAYS_MIN, PROBE_PIECE_BYTES};
use smrt::roster::{Person, Role};
use time::macros::date;

use crate::clocked::Clocked;
use crate::desks::{Hand, key_of, logs_on, person, refused};
use crate::photos::{COLLINS, OBAMA, OBAMA_LATER, photo};
use crate::site::{Site, booking, ended, number, request};

const PEOPLE: [&str; 5] = ["administrator", "commander", "operator", "first", "second"];

fn trained(id: &str, role: Role) -> Person {
    Person { trained_until: date!(2099 - 12 - 31), ..person(id, role) }
}

fn desk(clocked: &Clocked<'_>, device: &str, id: &str) -> ConsoleSession {
    logs_on(clocked, device, id, &key_of(clocked, id)).unwrap()
}

/// What lies in the probes' folder, and the files of their keys.
fn kept(site: &Site) -> (BTreeSet<PathBuf>, BTreeSet<PathBuf>) {
    fn below(folder: &Path, found: &mut BTreeSet<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { below(&path, found) } else { found.extend([path]) }
        }
    }
    let mut photos = BTreeSet::new();
    below(&site.path("state/probes"), &mut photos);
    let state = fs::read_dir(site.path("state")).unwrap().map(|entry| entry.unwrap().path());
    let keys = state.filter(|path| {
        path.file_name().unwrap().to_str().unwrap().starts_with("probe") && path.is_file()
    });
    (photos, keys.collect())
}

/// The whole of an inquiry, up to its report.
fn whole(clocked: &Clocked<'_>) -> InquiryView {
    let [operator, first, second] =
        [("rtcc-1", "operator"), ("rtcc-2", "first"), ("rtcc-2", "second")]
            .map(|(d, id)| desk(clocked, d, id));
    let view = operator.ask(&request(), &photo(OBAMA_LATER)).unwrap().view;
    let view = first.dispose_all(first.claim(&view).unwrap()).unwrap();
    let view =
        second.dispose_all(second.claim(&second.inquiry(view.inquiry).unwrap()).unwrap()).unwrap();
    operator.issue(&operator.inquiry(view.inquiry).unwrap()).unwrap()
}

/// Holds that the log is exported and verified with all its details.
#[track_caller]
fn exports_whole(clocked: &Clocked<'_>) {
    let site = clocked.site;
    let folder = site.path("exported");
    let exported = clocked.smrtctl(
        &site.console_identity("audit-1"),
        &["log", "export", folder.to_str().unwrap(), "--details", "all"],
    );
    assert_eq!(exported.status, Some(0), "{exported:?}");
    let keys = site.path("log.keys");
    fs::write(&keys, clocked.feed("slmpd").policy().unwrap()).unwrap();
    let mut verify = std::process::Command::new(env!("CARGO_BIN_EXE_smrtctl"));
    let verified = ended(
        verify.args(["log", "verify"]).arg(&folder).arg("--keys").arg(&keys).arg("--all-details"),
    );
    assert_eq!(verified.status, Some(0), "{verified:?}");
}

#[test]
fn three_years_after_its_last_search_nothing_is_left_of_an_inquiry() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    clocked
        .feed("slmpd")
        .put_booking(&number("26-1"), &booking("Person 26-1"), &photo(OBAMA))
        .unwrap();
    for (device, id, role) in [
        ("rtcc-1", "operator", Role::Operator),
        ("rtcc-2", "first", Role::Examiner),
        ("rtcc-2", "second", Role::Examiner),
    ] {
        clocked.desk_of(device, &trained(id, role));
    }
    let issued = whole(&clocked);
    let operator = desk(&clocked, "rtcc-1", "operator");
    // One that nobody went on with, and a probe that came in part.
    let (left, part) = (operator.open(&request()).unwrap(), vec![7; 2 * PROBE_PIECE_BYTES]);
    operator
        .put_piece(left.inquiry, part.len() as u64, Digest([7; 32]), 0, &part[..PROBE_PIECE_BYTES])
        .unwrap();
    // One that is begun now and searched two years later: its term begins then.
    let late = operator.hand_over(&operator.open(&request()).unwrap(), &photo(COLLINS)).unwrap();
    let late = operator.choose(&late, None, Edits::default(), None).unwrap().view;
    clocked.days_with(730, &PEOPLE);
    let late = desk(&clocked, "rtcc-1", "operator").approve(&late).unwrap().view;

    let (photos, keys) = kept(&site);
    assert_eq!(photos.len(), 4, "two probes, a report, and what came of the third: {photos:?}");
    clocked.days_with(DETAILS_KEPT_DAYS_MIN - 730, &PEOPLE);
    let probe_of = |view: &InquiryView| {
        let out = site.path(&format!("probe-{}", view.inquiry));
        let words = ["log", "probe", &view.inquiry.to_string(), "--out", out.to_str().unwrap()];
        let ended = clocked.smrtctl(&site.console_identity("audit-1"), &words);
        (ended.status, fs::read(&out).ok(), ended.stderr)
    };
    assert_eq!(probe_of(&issued).1, Some(photo(OBAMA_LATER)), "to the day");
    assert_eq!(
        (kept(&site), clocked.details(LeafKind::ProbesExpired).len()),
        ((photos.clone(), keys.clone()), 0)
    );
    clocked.pass(Span::days(1) + Span::hours(1));

    let gone = clocked.details(LeafKind::ProbesExpired);
    let named: BTreeSet<&str> = gone
        .iter()
        .flat_map(|detail| detail["inquiries"].as_array().unwrap())
        .map(|id| id.as_str().unwrap())
        .collect();
    let [issued_id, left_id] = [&issued, &left].map(|view| view.inquiry.to_string());
    assert_eq!(named, BTreeSet::from([&*issued_id, &*left_id]));
    assert_eq!(
        (gone[0]["kept_days"].as_u64(), gone[0]["assurance"].as_str()),
        (Some(DETAILS_KEPT_DAYS_MIN), Some("key overwritten, medium not proven"))
    );
    let (photos_now, keys_now) = kept(&site);
    assert_eq!(photos_now.len(), 1, "{photos_now:?}");
    assert!(
        photos_now.is_subset(&photos) && keys_now.is_disjoint(&keys),
        "the keys that stay are under a fresh epoch: {keys_now:?}"
    );

    // Nobody finds it any more, through no door.
    let operator = desk(&clocked, "rtcc-1", "operator");
    for view in [&issued, &left] {
        refused(
            operator.inquiry(view.inquiry),
            404,
            "not-found",
            "no inquiry of that name is yours",
        );
        let (status, _, told) = probe_of(view);
        assert!(status == Some(1) && told.contains("no inquiry of that name"), "{told}");
    }
    refused(operator.report(issued.inquiry), 404, "not-found", "");
    let hand = Hand::new(&clocked, &site.console_identity("rtcc-1")).at(&operator);
    assert_eq!(hand.get(&format!("/v1/inquiries/{issued_id}/probe")).status, 404);
    let mine: Vec<_> = operator.inquiries().unwrap().into_iter().map(|head| head.inquiry).collect();
    assert_eq!(mine, [late.inquiry]);
    assert_eq!(operator.inquiry(late.inquiry).unwrap().stage, Stage::Answered);
    assert_eq!(probe_of(&late).1, Some(photo(COLLINS)));

    // A restart finds it as it is, and whoever exports the log finds it whole.
    let clocked = clocked.restart();
    assert_eq!(clocked.details(LeafKind::ProbesExpired).len(), gone.len());
    exports_whole(&clocked);

    // The last one goes three years after its own search.
    clocked.days_with(730, &PEOPLE);
    clocked.pass(Span::days(1) + Span::hours(1) + Span::minutes(1));
    assert!(kept(&site).0.is_empty());
    refused(desk(&clocked, "rtcc-1", "operator").inquiry(late.inquiry), 404, "not-found", "");
}
