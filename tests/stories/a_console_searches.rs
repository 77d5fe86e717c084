//! A console searches with one probe for one recorded purpose: the answer is an array of leads, and the probe stays a probe.

use std::fs;
use std::path::{Path, PathBuf};

use smrt::api::wire::CandidateArray;
use smrt::audit::LeafKind;
use smrt::booking::VersionId;
use smrt::client::leads::table;
use smrt::inquiry::NOTE;

use crate::photos::{BIDEN, COLLINS, OBAMA, OBAMA_LATER, OBAMA_THIRD, gradient, pair, photo, root, small};
use crate::raw::{Answer, Form, Identity};
use crate::site::{Daemon, EXIT_CONFIG, Site, booking, models, number, request, request_json};

const ENROLLED: [(&str, &str); 3] = [("26-1", OBAMA), ("26-2", BIDEN), ("26-3", COLLINS)];

/// What is changed in a good request.
type Change = fn(&mut serde_json::Value);

fn enrol(daemon: &Daemon<'_>, who: &[(&str, &str)]) -> Vec<VersionId> {
    let feed = daemon.feed("slmpd");
    who.iter().map(|(n, path)| feed.put_booking(&number(n), &booking(&format!("Person {n}")), &photo(path)).unwrap().version).collect()
}

fn ask(daemon: &Daemon<'_>, identity: &Identity, request: &serde_json::Value, probe: &[u8]) -> Answer {
    daemon.send(identity, "POST", "/v1/searches", &Form::of("request", request, probe))
}

fn numbers(array: &CandidateArray) -> Vec<&str> {
    array.candidates.iter().map(|candidate| candidate.number.as_str()).collect()
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

#[test]
fn a_search_answers_with_leads_the_note_and_its_leaves_in_order() {
    let site = Site::new();
    let daemon = site.start("test");
    enrol(&daemon, &ENROLLED);
    let console = site.console_identity("rtcc-1");
    let leaves = daemon.leaves();
    let answer = ask(&daemon, &console, &request_json(), &photo(OBAMA_LATER));
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let array: CandidateArray = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(numbers(&array)[0], "26-1", "the same person in another photo comes first");
    assert_eq!((array.candidates.len(), array.gallery_rows, array.state.as_str()), (3, 3, "test"));
    assert!(array.candidates.iter().zip(1..).all(|(c, rank)| c.rank == rank));
    assert!(array.candidates.is_sorted_by(|a, b| a.score >= b.score));
    assert_eq!(array.note, NOTE);
    for text in [String::from_utf8(answer.body).unwrap(), table(&array)] {
        let lower = text.to_lowercase();
        assert!(!lower.contains('%') && !lower.contains("percent") && !lower.contains("match"), "a lead is no verdict: {text}");
        assert!(text.contains(NOTE), "{text}");
    }
    assert_eq!((array.asked, array.answered), (leaves + 1, leaves + 2), "the inquiry was opened before");
    assert_eq!(numbers(&daemon.console("rtcc-2").search(&request(), &photo(OBAMA_THIRD).clone()).unwrap())[0], "26-1");
    assert_eq!(daemon.stop(), Some(0));
    let log = site.log();
    let (asked, answered) = (&log[usize::try_from(array.asked).unwrap()], &log[usize::try_from(array.answered).unwrap()]);
    assert_eq!((asked.0, answered.0), (LeafKind::Asked, LeafKind::Answered));
    assert_eq!((&asked.1["search"], &answered.1["search"]), (&array.search.clone().into(), &array.search.clone().into()));
    assert_eq!(
        (&asked.1["actor"]["certificate"], &asked.1["request"]["requester"]),
        (&"smrt:device/rtcc-1".into(), &"Det. A. Ortiz".into())
    );
    assert_eq!(answered.1["candidates"].as_array().unwrap().len(), 3);
}

#[test]
fn an_answer_says_how_long_each_step_took() {
    let site = Site::new();
    let daemon = site.start("test");
    enrol(&daemon, &ENROLLED[..1]);
    let (array, told) = daemon.console("rtcc-1").search_timed(&request(), &photo(OBAMA_LATER)).unwrap();
    assert_eq!(numbers(&array), ["26-1"]);
    let names: Vec<&str> = told.iter().map(|step| step.0.as_str()).collect();
    assert_eq!(names, ["examine", "wait", "decode", "detect", "align", "embed", "ask", "scan", "answer", "leads"]);
    let ms = |name: &str| told.iter().find(|step| step.0 == name).unwrap().1;
    assert!(["decode", "detect", "embed", "ask", "scan", "answer"].iter().all(|step| ms(step) > 0.0), "{told:?}");
    let parts = ["wait", "decode", "detect", "align", "embed"].map(ms).iter().sum::<f64>();
    assert!((ms("examine") - parts).abs() < 0.1, "the parts make the whole: {told:?}");
}

#[test]
fn a_console_reads_the_boxs_figures_and_nobody_else_does() {
    let site = Site::new();
    let daemon = site.start("test");
    enrol(&daemon, &ENROLLED[..2]);
    daemon.console("rtcc-1").search(&request(), &photo(OBAMA_LATER)).unwrap();
    let read = |identity: &Identity| daemon.send(identity, "GET", "/v1/metrics", b"");
    let answer = read(&site.console_identity("rtcc-1"));
    assert_eq!((answer.status, &*answer.headers["content-type"]), (200, "application/openmetrics-text; version=1.0.0; charset=utf-8"));
    let text = String::from_utf8(answer.body).unwrap();
    for line in [
        "smrt_gallery_live_rows 2",
        "smrt_log_written_leaves_total{kind=\"booking_in\"} 2",
        "smrt_log_written_leaves_total{kind=\"answered\"} 1",
        "smrt_requests_in_flight 1",
        "smrt_queue_length{resource=\"store\"} 0",
        "# EOF",
    ] {
        assert!(text.lines().any(|found| found == line), "no '{line}' in\n{text}");
    }
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
    for name in ["smrt_gallery_probes_total", "smrt_gallery_passes_total", "smrt_gallery_row_memory_bytes", "smrt_start_seconds"] {
        assert!(value(name).is_some_and(|value| value > 0.0), "{name} in\n{text}");
    }
    for secret in ["slmpd", "rtcc", "Ortiz", "Person", "26-1"] {
        assert!(!text.contains(secret), "figures name nobody: {secret}");
    }
    for (identity, detail) in [(site.feed_identity("slmpd"), "may not read metrics"), (site.console_identity("unlisted"), "unlisted")] {
        let refused = read(&identity);
        assert_eq!(refused.status, 403);
        let body = String::from_utf8(refused.body).unwrap();
        assert!(body.contains(detail), "{body}");
    }
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(site.log().iter().filter(|leaf| leaf.0 == LeafKind::CallerRefused).count(), 2, "each refusal is a leaf");
}

#[test]
fn a_probe_searched_twice_never_appears_in_an_array_nor_beside_the_bookings() {
    let site = Site::new();
    let daemon = site.start("test");
    let enrolled = enrol(&daemon, &ENROLLED[..2]);
    let (console, probe) = (daemon.console("rtcc-1"), photo(COLLINS));
    let first = console.search(&request(), &probe).unwrap();
    let second = console.search(&request(), &probe).unwrap();
    for array in [&first, &second] {
        assert_eq!(array.gallery_rows, 2);
        assert!(array.candidates.iter().all(|c| enrolled.contains(&c.version) && c.score < 0.9), "the probe found itself: {array:?}");
    }
    assert_eq!(numbers(&first), numbers(&second));
    assert_eq!(console.health().unwrap().gallery_rows, 2);
    assert_eq!(daemon.stop(), Some(0));

    let daemon = site.start("test");
    assert_eq!(daemon.console("rtcc-1").search(&request(), &probe).unwrap().gallery_rows, 2, "nor after a restart");
    assert_eq!(daemon.stop(), Some(0));
    let ledger = site.ledger();
    assert_eq!(ledger.photo_ids().unwrap(), enrolled.iter().map(|version| version.0).collect());
    // A photo of one chunk has a head of 16 bytes, a nonce of 12 and a tag of 16.
    let sealed_bytes = u64::try_from(probe.len() + 16 + 12 + 16).unwrap();
    let sizes = |folder| files(&site.path(folder)).iter().map(|f| fs::metadata(f).unwrap().len()).collect::<Vec<_>>();
    assert_eq!(sizes("state/photos").len(), 2);
    assert!(!sizes("state/photos").contains(&sealed_bytes));
    assert_eq!(sizes("state/probes"), [sealed_bytes; 3]);
    let mut search = [0; 16];
    hex::decode_to_slice(&first.search, &mut search).unwrap();
    assert_eq!(ledger.probe(search).unwrap().as_deref(), Some(&probe[..]), "its own key opens it");
    drop(ledger);
    for file in files(&site.path("state")) {
        let bytes = fs::read(&file).unwrap();
        for secret in [&probe[1000..1032], b"Ortiz", b"Gravois", b"Person 26"] {
            assert!(!bytes.windows(secret.len()).any(|w| w == secret), "{} holds plain text", file.display());
        }
    }
}

#[test]
fn a_request_that_is_hollow_or_of_nobody_is_refused_and_logged() {
    let site = Site::new();
    let daemon = site.start("test");
    enrol(&daemon, &ENROLLED[2..]);
    let console = site.console_identity("rtcc-1");
    let probe = photo(COLLINS);
    let refusals: [(Change, &str, &str); 7] = [
        (|r| r["reason"] = "robbery".into(), "inquiry", "the reason has 7 characters, wanted 12 to 2000"),
        (|r| r["reason"] = "aaaa aaaa aaaa aaaa".into(), "inquiry", "the reason is a placeholder"),
        (|r| r["reference"]["number"] = "00000".into(), "inquiry", "the reference is a placeholder"),
        (|r| r["reference"]["number"] = "n/a".into(), "inquiry", "the reference is a placeholder"),
        (|r| r["candidates"] = 1001.into(), "inquiry", "1001 candidates asked for, wanted 1 to 1000"),
        (|r| r["agency"] = "nobody".into(), "unknown-agency", "agency 'nobody' is not in the roster"),
        (|r| r["face"] = 3.into(), "photo", "face 3 was chosen of 1 found"),
    ];
    let leaves = daemon.leaves();
    for (change, kind, words) in refusals {
        let mut request = request_json();
        change(&mut request);
        ask(&daemon, &console, &request, &probe).is_problem(422, kind, words);
        assert_eq!(daemon.leaves(), leaves + 1, "the first has a leaf, the others of this hour wait for its end: {words}");
    }
    let mut inactive = request_json();
    inactive["agency"] = "gone".into();
    ask(&daemon, &console, &inactive, &probe).is_problem(403, "not-allowed", "agency 'gone' is not active");
    ask(&daemon, &console, &request_json(), &gradient()).is_problem(422, "photo", "no face found");
    let unreadable: [(Change, &str); 5] = [
        (|r| r["purpose"]["kind"] = "curiosity".into(), "unknown variant `curiosity`"),
        (|r| r["threshold"] = 0.9.into(), "unknown field `threshold`"),
        (|r| r["purpose"] = serde_json::json!({"kind": "other", "description": "a line-up"}), "missing field `supervisor`"),
        (|r| r["requester"] = " ".into(), "a text has 0 characters"),
        (|r| r.as_object_mut().unwrap().remove("purpose").map(drop).unwrap(), "missing field `purpose`"),
    ];
    for (change, words) in unreadable {
        let mut request = request_json();
        change(&mut request);
        ask(&daemon, &console, &request, &probe).is_problem(422, "json", words);
    }
    let mut supervised = request_json();
    supervised["purpose"] = serde_json::json!({"kind": "other", "description": "a line-up", "supervisor": "Lt. B. Chen"});
    supervised["agency"] = "madison".into();
    assert_eq!(ask(&daemon, &console, &supervised, &probe).status, 200, "an admitted requester's search with its supervisor");
    assert_eq!(daemon.stop(), Some(0));
    let log = site.log();
    let refused: Vec<_> = log.iter().filter(|(kind, _)| *kind == LeafKind::SearchRefused).collect();
    assert_eq!(site.refusals(LeafKind::SearchRefused).len(), refusals.len() + 2);
    assert_eq!(
        (&refused[0].1["request"]["reason"], &refused[0].1["actor"]["certificate"]),
        (&"robbery".into(), &"smrt:device/rtcc-1".into())
    );
    assert_eq!(log.iter().filter(|(kind, _)| *kind == LeafKind::Asked).count(), 1, "no refused search ran");
    assert_eq!(files(&site.path("state/probes")).len(), 1, "no probe of a refused search is kept");
}

#[test]
fn a_feed_may_not_search_and_the_try_is_logged() {
    let site = Site::new();
    let daemon = site.start("test");
    for (identity, words) in [
        (site.feed_identity("slmpd"), "may not search, that is for a console at the RTCC"),
        (site.console_identity("unlisted"), "is not in the roster"),
    ] {
        let leaves = daemon.leaves();
        ask(&daemon, &identity, &request_json(), &photo(COLLINS)).is_problem(403, "not-allowed", words);
        assert_eq!(daemon.leaves(), leaves + 1);
    }
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(site.log().iter().filter(|(kind, _)| *kind == LeafKind::CallerRefused).count(), 2);
}

#[test]
fn of_several_faces_the_operator_chooses_one() {
    let site = Site::new();
    let daemon = site.start("test");
    enrol(&daemon, &ENROLLED);
    let console = site.console_identity("rtcc-1");
    let both = pair(&small(OBAMA_LATER), &small(COLLINS));
    let answer = ask(&daemon, &console, &request_json(), &both);
    answer.is_problem(422, "several-faces", "2 faces found, wanted one face or a choice of one");
    let faces = answer.json()["faces"].as_array().unwrap().clone();
    assert_eq!(faces.len(), 2);
    let mut firsts = Vec::new();
    for (at, face) in faces.iter().enumerate() {
        let mut request = request_json();
        request["face"] = at.into();
        let array: CandidateArray = serde_json::from_slice(&ask(&daemon, &console, &request, &both).body).unwrap();
        assert_eq!((array.face, array.faces.len()), (at, 2));
        // Obama's portrait is on the left.
        let left = face["frame"][0].as_f64().unwrap() < 200.0;
        assert_eq!(numbers(&array)[0], if left { "26-1" } else { "26-3" }, "face {at} of {faces:?}");
        firsts.push(left);
    }
    assert_ne!(firsts[0], firsts[1]);
}

#[test]
fn a_candidates_photo_is_shown_to_the_console_that_searched_and_each_view_is_logged() {
    let site = Site::new();
    let daemon = site.start("test");
    let enrolled = enrol(&daemon, &ENROLLED);
    let mut one = request();
    one.candidates = 1;
    let console = daemon.console("rtcc-1");
    let array = console.search(&one, &photo(OBAMA_LATER)).unwrap();
    assert_eq!(numbers(&array), ["26-1"]);
    let leaves = daemon.leaves();
    assert_eq!(console.photo(&array.search, enrolled[0]).unwrap(), photo(OBAMA), "the bytes as its agency sent them");
    assert_eq!(daemon.leaves(), leaves + 1);
    let path = |version: &VersionId, query: &str| format!("/v1/bookings/{version}/photo{query}");
    let own = format!("?search={}", array.search);
    let (mine, other, feed) = (site.console_identity("rtcc-1"), site.console_identity("rtcc-2"), site.feed_identity("slmpd"));
    let view = |identity, path: &str| daemon.send(identity, "GET", path, b"");
    view(&other, &path(&enrolled[0], &own)).is_problem(404, "not-found", "no candidate of that name is yours");
    view(&mine, &path(&enrolled[1], &own)).is_problem(404, "not-found", "no candidate");
    view(&mine, &path(&VersionId([7; 16]), &own)).is_problem(404, "not-found", "no candidate");
    view(&mine, &path(&enrolled[0], &format!("?search={}", "0f".repeat(16)))).is_problem(404, "not-found", "no candidate");
    view(&mine, &path(&enrolled[0], "")).is_problem(400, "malformed", "no search named");
    view(&mine, &path(&enrolled[0], "?search=1")).is_problem(400, "malformed", "32 hexadecimal digits");
    view(&mine, "/v1/bookings/26-1/photo?search=1").is_problem(400, "malformed", "not a version id");
    view(&feed, &path(&enrolled[0], &own)).is_problem(403, "not-allowed", "may not look at candidates");
    assert_eq!(daemon.stop(), Some(0));
    let log = site.log();
    let viewed: Vec<_> = log.iter().filter(|(kind, _)| *kind == LeafKind::PhotoViewed).collect();
    assert_eq!(viewed.len(), 1);
    assert_eq!((&viewed[0].1["search"], &viewed[0].1["version"]), (&array.search.into(), &enrolled[0].to_string().into()));
}

#[test]
fn the_command_prints_the_array_and_writes_a_contact_sheet() {
    let site = Site::new();
    let daemon = site.start("test");
    enrol(&daemon, &ENROLLED);
    let (probe, sheet) = (root().join(OBAMA_LATER), site.path("sheet.png"));
    let words = [
        "search",
        "--probe",
        probe.to_str().unwrap(),
        "--reference",
        "26-004711",
        "--requester",
        "Det. A. Ortiz",
        "--agency",
        "slmpd",
        "--purpose",
        "crime",
        "--reason",
        "robbery at Grand and Gravois",
        "--source",
        "store camera",
    ];
    let console = site.console_identity("rtcc-1");
    let told = daemon.smrtctl(&console, &[&words[..], &["--sheet", sheet.to_str().unwrap()]].concat());
    assert_eq!(told.status, Some(0), "{told:?}");
    assert!(told.stdout.starts_with("TEST: not police data, not for casework") && told.stdout.contains(NOTE), "{}", told.stdout);
    assert!(!told.stdout.to_lowercase().contains("match") && !told.stdout.contains('%'), "{}", told.stdout);
    let drawn = image::load_from_memory(&fs::read(&sheet).unwrap()).unwrap();
    assert!(drawn.width() > 1000 && drawn.height() > 500, "{}x{}", drawn.width(), drawn.height());
    let again = daemon.smrtctl(&console, &[&words[..], &["--sheet", sheet.to_str().unwrap()]].concat());
    assert!(again.status == Some(1) && again.stderr.contains("never overwritten"), "{again:?}");
    let json = daemon.smrtctl(&console, &[&words[..], &["--json"]].concat());
    let array: CandidateArray = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(numbers(&array)[0], "26-1");
    assert_eq!(daemon.stop(), Some(0));
    let count = |wanted| site.log().iter().filter(|(kind, _)| *kind == wanted).count();
    assert_eq!((count(LeafKind::Answered), count(LeafKind::PhotoViewed)), (2, 3), "the sheet's photos were views, a refused sheet none");
}

#[test]
fn both_engines_give_the_same_array() {
    let arrays = ["cpu", "gpu"].map(|engine| {
        let site = Site::new();
        site.write_config(engine, &models(), "");
        let daemon = match site.try_start(Some("test")) {
            Ok(daemon) => daemon,
            Err(ended) if engine == "gpu" && ended.status == Some(EXIT_CONFIG) && std::env::var_os("REQUIRE_GPU").is_none() => {
                eprintln!("NOT RUN: the story of both engines, this machine has no adapter: {}", ended.stderr);
                return None;
            }
            Err(ended) => panic!("{ended:?}"),
        };
        enrol(&daemon, &ENROLLED);
        let array = daemon.console("rtcc-1").search(&request(), &photo(OBAMA_LATER)).unwrap();
        assert_eq!(array.engine, engine);
        Some(array)
    });
    let [Some(cpu), Some(gpu)] = arrays else { return };
    assert_eq!(numbers(&cpu), numbers(&gpu));
    for (one, two) in cpu.candidates.iter().zip(&gpu.candidates) {
        assert_eq!(one.score.to_bits(), two.score.to_bits(), "{} and {}", one.score, two.score);
    }
}
