//! The public reads the figures: a console makes the report, anybody counts it again from a copy of
//! the log, an auditor counts all of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use aws_lc_rs::digest::{SHA256, digest};
use smrt::api::wire::{SampleOrder, SampleReview};
use smrt::audit::{
    Edge, Holds, Leaf, LeafKind, Note, SampleFinding, TileId, push_entry, tile_bytes,
};
use smrt::client::log_folder::{LogFolder, OpenedDetail};
use smrt::public_report::{Cell, PublicReport};
use time::OffsetDateTime;

use crate::photos::{BIDEN, COLLINS, OBAMA, OBAMA_LATER, gradient, photo};
use crate::site::{Daemon, Ended, Site, booking, ended, number, request};

/// Searches of the story that are answered.
const SEARCHES: u64 = 6;

/// Yesterday and the day after tomorrow: whatever the clock is about to strike, today lies between.
fn days() -> [String; 2] {
    let today = OffsetDateTime::now_utc().date();
    [
        today.previous_day().unwrap().to_string(),
        today.next_day().unwrap().next_day().unwrap().to_string(),
    ]
}

/// `smrtctl report public`, into files of this name.
fn publish(site: &Site, daemon: &Daemon<'_>, name: &str, more: &[&str]) -> Ended {
    let [from, to] = days();
    let out = site.path(name);
    let words = ["report", "public", "--from", &from, "--to", &to, "--out", out.to_str().unwrap()];
    daemon.smrtctl(&site.console_identity("rtcc-1"), &[&words[..], more].concat())
}

/// `smrtctl report public --verify`, without a server.
fn verify(folder: &Path, report: &Path) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smrtctl"));
    ended(command.args(["report", "public", "--verify"]).arg(folder).arg(report))
}

fn read(path: &Path) -> PublicReport {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// What a day brings: bookings, searches, refusals of each kind, a release, an audit.
fn a_day(site: &Site, daemon: &Daemon<'_>) {
    let (feed, console) = (daemon.feed("slmpd"), daemon.desk("rtcc-1"));
    for (n, path) in [("26-1", OBAMA), ("26-2", BIDEN), ("26-3", COLLINS)] {
        feed.put_booking(&number(n), &booking("Person"), &photo(path)).unwrap();
    }
    for _ in 0..SEARCHES {
        console.search(&request(), &photo(OBAMA_LATER)).unwrap();
    }
    let mut hollow = request();
    hollow.reason = "investigation".to_owned();
    console.search(&hollow, &photo(OBAMA_LATER)).unwrap_err();
    // Of one caller the second refusal in an hour waits for the hour to end.
    daemon.desk("rtcc-2").search(&request(), &gradient()).unwrap_err();
    feed.put_booking(&number("26-4"), &booking("Nobody"), &gradient()).unwrap_err();
    daemon.client(&site.feed_identity("gone")).health().unwrap_err();
    feed.release(&number("26-2"), "expunged").unwrap();
    let auditor = daemon.console("audit-1");
    let sample = auditor
        .draw_sample(&SampleOrder { seed: 7, rate_ppm: 1_000_000, first: 0, end: None })
        .unwrap();
    let (finding, note) = (SampleFinding::InOrder, "looked at".to_owned());
    auditor
        .review_sample(&SampleReview {
            sample: sample.sample,
            asked: sample.asked[1],
            finding,
            note,
        })
        .unwrap();
}

/// A copy of the log of a stopped site, as an export writes it; with the details opened where an
/// auditor wants them.
fn copy_of(site: &Site, name: &str, with_details: bool) -> PathBuf {
    let ledger = site.ledger();
    let leaves = ledger.log().unwrap();
    let folder = site.path(name);
    let archive = LogFolder::at(&folder);
    let mut edge = Edge::default();
    leaves.iter().for_each(|leaf| _ = edge.append(leaf));
    for id in TileId::all(edge.leaves()) {
        let first = usize::try_from(id.first()).unwrap();
        let held = &leaves[first..first + usize::try_from(id.width).unwrap()];
        let bytes = match id.holds {
            Holds::Entries => held.iter().fold(Vec::new(), |mut bundle, leaf| {
                push_entry(&mut bundle, leaf);
                bundle
            }),
            Holds::Hashes(0) => tile_bytes(
                &held.iter().map(|leaf| smrt::audit::leaf_hash(leaf)).collect::<Vec<_>>(),
            ),
            Holds::Hashes(level) => panic!("a story's log has no tile of level {level}"),
        };
        archive.put_tile(id, &bytes, false).unwrap();
    }
    if with_details {
        let opened = (0..edge.leaves()).map(|leaf| {
            let opened = ledger.open_detail(leaf).unwrap().unwrap();
            OpenedDetail {
                leaf,
                salt: hex::encode(opened.salt),
                detail: String::from_utf8(opened.detail).unwrap(),
            }
        });
        archive.put_details(opened).unwrap();
    }
    archive.put_checkpoint(&Note::parse(&ledger.checkpoint()).unwrap()).unwrap();
    folder
}

/// The figures of `a_day`.
#[track_caller]
fn figures_are_of_the_day(report: &PublicReport) {
    let totals = &report.totals;
    assert_eq!(
        (totals.kinds["booking_in"], totals.inquiries.answered, totals.inquiries.refused),
        (3, SEARCHES, 2)
    );
    assert_eq!(
        (
            totals.bookings.refused,
            totals.refusals["caller_refused"],
            totals.purges.notices,
            totals.purges.open
        ),
        (1, 1, 1, 1)
    );
    assert_eq!(
        (totals.gallery.standing, totals.audits.reviewed, totals.audits.waiting),
        (2, 1, SEARCHES - 1)
    );
    let opened = &report.opened;
    assert_eq!((opened.site.state.as_deref(), opened.site.gallery_rows), (Some("test"), Some(3)));
    assert_eq!(opened.inquiries.purposes.cells["crime"]["answered"], Cell::Exact(SEARCHES));
    assert_eq!(
        (opened.inquiries.purposes.left_out["refused"], opened.inquiries.agencies.cells.len()),
        (2, 1)
    );
    assert!(
        opened.refusals.kinds["search_refused"].withheld,
        "two refusals by two rules would each be of one request"
    );
}

/// One figure changed by one is found by anybody, and by an auditor where it needs details.
#[track_caller]
fn every_forged_figure_is_found(site: &Site, report: &PublicReport, public: &Path, audited: &Path) {
    let text = fs::read_to_string(site.path("july.1.json")).unwrap();
    let forged = site.path("forged.json");
    for (before, after, figure, folders) in [
        (
            "\"notices\": 1",
            "\"notices\": 0",
            "totals.purges.notices: stated 0, counted 1",
            &[public, audited][..],
        ),
        (
            "\"answered\": 6",
            "\"answered\": 7",
            "answered: stated 7, counted 6",
            &[public, audited][..],
        ),
        (
            "\"gallery_rows\": 3",
            "\"gallery_rows\": 4",
            "opened.site.gallery_rows: stated 4, counted 3",
            &[audited][..],
        ),
        (
            &report.log.root,
            &format!("A{}", &report.log.root[1..]),
            "log.root: stated",
            &[public][..],
        ),
    ] {
        assert!(text.contains(before), "{before} in {text}");
        fs::write(&forged, text.replacen(before, after, 1)).unwrap();
        for folder in folders {
            let told = verify(folder, &forged);
            assert!(told.status == Some(2) && told.stdout.contains(figure), "{figure}: {told:?}");
        }
    }
}

#[test]
fn a_report_is_counted_again_by_anybody_and_in_whole_by_an_auditor() {
    let site = Site::staffed();
    let daemon = site.start("test");
    a_day(&site, &daemon);
    let made = publish(&site, &daemon, "july.1", &[]);
    assert!(
        made.status == Some(0) && made.stdout.contains("the report's digest is in leaf"),
        "{made:?}"
    );
    let (json, page) =
        (site.path("july.1.json"), fs::read_to_string(site.path("july.1.html")).unwrap());
    let report = read(&json);
    figures_are_of_the_day(&report);
    assert!(
        page.contains("TEST.") && page.contains("july.1.json") && page.contains(&report.log.root)
    );
    for secret in ["rtcc-1", "Ortiz", "Person", "26-004711", "Grand and Gravois"] {
        assert!(
            !page.contains(secret) && !fs::read_to_string(&json).unwrap().contains(secret),
            "the report names nobody: {secret}"
        );
    }
    assert_eq!(daemon.stop(), Some(0));

    let log = site.log();
    let leaf = usize::try_from(report.log.leaves).unwrap();
    assert_eq!((log[leaf].0, log.last().unwrap().0), (LeafKind::PublicReport, LeafKind::Stopped));
    let sha256 = hex::encode(digest(&SHA256, &fs::read(&json).unwrap()));
    assert_eq!(log[leaf].1["report_sha256"], *sha256, "the log commits to the published bytes");
    let counts = Leaf::from_bytes(&site.ledger().log().unwrap()[leaf]).unwrap().counts;
    let [from, to] = report.period.days();
    assert_eq!(counts, [from, to, report.log.leaves]);

    let public = copy_of(&site, "public", false);
    let told = verify(&public, &json);
    assert!(told.status == Some(0) && told.stdout.contains("figures agree"), "{told:?}");
    for section in
        ["opened.site", "opened.inquiries", "opened.refusals", "opened.agencies", "opened.audits"]
    {
        assert!(told.stdout.contains(&format!("not recounted: {section} (0 of ")), "{told:?}");
    }
    let audited = copy_of(&site, "audited", true);
    let told = verify(&audited, &json);
    assert!(
        told.status == Some(0) && told.stdout.matches("not recounted").count() == 1,
        "nothing was said of witnesses: {told:?}"
    );

    every_forged_figure_is_found(&site, &report, &public, &audited);

    // A detail that isn't its leaf's counts for nothing.
    let details = audited.join("details.jsonl");
    let lines = fs::read_to_string(&details).unwrap();
    let asked = lines.lines().find(|line| line.contains(r#"\"asked\""#)).unwrap();
    fs::write(&details, lines.replacen(asked, &asked.replacen("crime", "other", 1), 1)).unwrap();
    let told = verify(&audited, &json);
    assert!(
        told.status == Some(0)
            && told.stdout.contains("1 opened details are not what their leaves commit to"),
        "{told:?}"
    );
    assert!(told.stdout.contains("not recounted: opened.inquiries"), "{told:?}");
}

#[test]
fn a_report_that_cannot_be_counted_again_says_why() {
    let site = Site::new();
    let daemon = site.start("test");
    let made = publish(&site, &daemon, "r", &[]);
    assert_eq!(made.status, Some(0), "{made:?}");
    assert_eq!(daemon.stop(), Some(0));
    let folder = copy_of(&site, "log", false);
    let json = site.path("r.json");
    assert_eq!(verify(&folder, &json).status, Some(0));
    let text = fs::read_to_string(&json).unwrap();
    let forged = site.path("forged.json");
    let refused = |folder: &Path, report: &Path, says: &str| {
        let told = verify(folder, report);
        assert!(told.status == Some(1) && told.stderr.contains(says), "{says}: {told:?}");
    };
    refused(&site.path("nowhere"), &json, "holds no checkpoint");
    refused(&folder, &site.path("roster.toml"), "is not a public report");
    for (before, after, says) in [
        ("test.example/smrt", "other.example/smrt", "the folder holds the log 'test.example/smrt'"),
        ("\"form\": 1", "\"form\": 2", "this program recounts format 1"),
        ("\"leaves\": 1,", "\"leaves\": 1000,", "get a newer copy of the log"),
    ] {
        assert!(text.contains(before), "{before} in {text}");
        fs::write(&forged, text.replacen(before, after, 1)).unwrap();
        refused(&folder, &forged, says);
    }
    let bundle = folder.join("tile/entries/000.p/3");
    let mut bytes = fs::read(&bundle).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&bundle, bytes).unwrap();
    refused(&folder, &json, "not those that its checkpoint signs");
}

#[test]
fn a_report_is_for_consoles_and_about_days_that_make_sense() {
    let site = Site::new();
    let daemon = site.start("test");
    let console = site.console_identity("rtcc-1");
    let get = |identity, query: &str| {
        daemon.send(identity, "GET", &format!("/v1/report/public{query}"), b"")
    };
    for (query, words) in [
        ("", "no period named"),
        ("?from=2026-01-01", "no period named"),
        ("?from=soon&to=2026-01-01", "'from' is not a date"),
        ("?from=2026-01-01&to=2026-01-01", "has no day"),
        ("?from=2010-01-01&to=2026-01-01", "at most 3653"),
        ("?from=1960-01-01&to=1961-01-01", "from 1970-01-01 on"),
    ] {
        get(&console, query).is_problem(400, "malformed", words);
    }
    let leaves = daemon.leaves();
    let feed = site.feed_identity("slmpd");
    get(&feed, "?from=2026-01-01&to=2027-01-01").is_problem(
        403,
        "not-this-role",
        "may not make the public report",
    );
    assert_eq!(daemon.leaves(), leaves + 1, "who tries is logged");
    let answer = get(&console, "?from=2026-01-01&to=2027-01-01");
    let contract = daemon.send(&console, "GET", "/v1/openapi.json", b"").json();
    let named = |name: &str| contract["components"]["schemas"].get(name).is_some();
    assert!(
        contract["paths"].get("/v1/report/public").is_some()
            && ["PublicReport", "Totals", "InquiryTables", "Cell", "WitnessFigures"]
                .into_iter()
                .all(named)
    );
    assert_eq!(
        (answer.status, &*answer.headers["smrt-leaf"]),
        (200, (leaves + 1).to_string().as_str())
    );
}

#[test]
fn a_report_overwrites_nothing_unasked() {
    let site = Site::new();
    let daemon = site.start("test");
    assert_eq!(publish(&site, &daemon, "r", &[]).status, Some(0));
    let before = fs::read(site.path("r.json")).unwrap();
    let again = publish(&site, &daemon, "r", &[]);
    assert!(
        again.status == Some(1) && again.stderr.contains("add --force to overwrite it"),
        "{again:?}"
    );
    assert_eq!(fs::read(site.path("r.json")).unwrap(), before);
    assert_eq!(publish(&site, &daemon, "r", &["--force"]).status, Some(0));
    assert_ne!(fs::read(site.path("r.json")).unwrap(), before, "the log has grown");
}

#[test]
fn measured_rates_belong_to_the_model_of_the_report() {
    let site = Site::new();
    let daemon = site.start("test");
    assert_eq!(publish(&site, &daemon, "r", &[]).status, Some(0));
    let model = read(&site.path("r.json")).opened.site.model.unwrap();
    let rates = |model: &str| {
        let unmeasured = ["rank1", "rank10", "rank50"].map(str::to_owned).into_iter().chain(
            ["fnir", "threshold"].iter().flat_map(|rate| {
                ["0.1", "0.05", "0.01"].map(|fpir| format!("{rate}_at_fpir_{fpir}"))
            }),
        );
        let mut rates: serde_json::Map<_, _> =
            unmeasured.map(|name| (name, serde_json::Value::Null)).collect();
        rates.insert("model".to_owned(), model.into());
        rates.insert("rank20".to_owned(), 0.75.into());
        for (name, count) in [("enrolled", 9), ("mated", 4), ("non_mated", 3), ("failed", 0)] {
            rates.insert(name.to_owned(), count.into());
        }
        let text = serde_json::Value::from(rates).to_string();
        fs::write(site.path("rates.json"), text).unwrap();
        let file = site.path("rates.json");
        publish(
            &site,
            &daemon,
            "rated",
            &["--evaluation", file.to_str().unwrap(), "--data-set", "nine photos"],
        )
    };
    let other = rates(&"0".repeat(64));
    assert!(
        other.status == Some(1) && other.stderr.contains("the report is about the model"),
        "{other:?}"
    );
    assert_eq!(rates(&model).status, Some(0));
    let page = fs::read_to_string(site.path("rated.html")).unwrap();
    assert!(page.contains("nine photos") && page.contains("0.750"), "{page}");
    assert_eq!(daemon.stop(), Some(0));
    let told = verify(&copy_of(&site, "log", true), &site.path("rated.json"));
    assert!(told.status == Some(0) && told.stdout.contains("not recounted: measured"), "{told:?}");
}
