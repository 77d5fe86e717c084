//! An operator searches with one probe for one recorded purpose: the answer is an array of leads,
//! and the probe stays a probe.

use std::fs;
use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use smrt::audit::LeafKind;
use smrt::booking::VersionId;
use smrt::client::console_session::{Array, ConsoleSession};
use smrt::face::{Edit, Edits};
use smrt::inquiry::NOTE;

use crate::desks::{Hand, refused};
use crate::photos::{
    BIDEN, COLLINS, OBAMA, OBAMA_LATER, OBAMA_THIRD, gradient, pair, photo, png, small,
};
use crate::raw::Identity;
use crate::site::{Daemon, EXIT_CONFIG, Site, booking, models, number, request, request_json};

const ENROLLED: [(&str, &str); 3] = [("26-1", OBAMA), ("26-2", BIDEN), ("26-3", COLLINS)];

/// What is changed in a good request.
type Change = fn(&mut serde_json::Value);

fn enrol(daemon: &Daemon<'_>, who: &[(&str, &str)]) -> Vec<VersionId> {
    let feed = daemon.feed("slmpd");
    who.iter()
        .map(|(n, path)| {
            feed.put_booking(&number(n), &booking(&format!("Person {n}")), &photo(path))
                .unwrap()
                .version
        })
        .collect()
}

fn scores(array: &Array) -> Vec<f64> {
    array.candidates().map(|candidate| candidate.known.as_ref().unwrap().score).collect()
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
    let site = Site::staffed();
    let daemon = site.start("test");
    enrol(&daemon, &ENROLLED);
    let desk = daemon.desk("rtcc-1");
    let leaves = daemon.leaves();
    let once = desk.search(&request(), &photo(OBAMA_LATER)).unwrap();
    let after_the_first = daemon.leaves();
    assert_eq!((once.view.candidates.len(), once.candidates().count()), (3, 0));
    assert!(once.view.candidates.iter().all(|candidate| candidate.rank.is_none()));
    let array = Array { view: daemon.second_review(&desk, &once.view), ..once };
    assert_eq!(array.numbers()[0], "26-1", "the same person in another photo comes first");
    assert_eq!((array.view.candidates.len(), array.candidates().count()), (3, 3));
    let ranks: Vec<_> = array.view.candidates.iter().map(|candidate| candidate.rank).collect();
    assert_eq!(ranks, [Some(1), Some(2), Some(3)]);
    assert!(scores(&array).is_sorted_by(|a, b| a >= b));
    assert_eq!(array.view.note, NOTE);
    let text = serde_json::to_string(&array.view).unwrap();
    let lower = text.to_lowercase();
    assert!(
        !lower.contains('%') && !lower.contains("percent") && !lower.contains("match"),
        "a lead is no verdict: {text}"
    );
    let (asked, answered) = (array.view.asked.unwrap(), array.view.answered.unwrap());
    assert_eq!(
        (asked, answered, after_the_first),
        (leaves + 2, leaves + 3, leaves + 5),
        "opened, shown to its operator, asked, answered, reviewed"
    );
    let third = daemon.array(&daemon.desk("rtcc-2"), &request(), &photo(OBAMA_THIRD)).unwrap();
    assert_eq!(third.numbers()[0], "26-1");
    assert_eq!(daemon.stop(), Some(0));
    let log = site.log();
    let leaf = |leaf: u64| &log[usize::try_from(leaf).unwrap()];
    let (asked, answered) = (leaf(asked), leaf(answered));
    let kinds = [leaf(leaves).0, leaf(leaves + 1).0, asked.0, answered.0, leaf(leaves + 4).0];
    assert_eq!(
        kinds,
        [
            LeafKind::InquiryOpened,
            LeafKind::SealedRead,
            LeafKind::Asked,
            LeafKind::Answered,
            LeafKind::Reviewed
        ]
    );
    assert_eq!(asked.1["search"], answered.1["search"]);
    assert_eq!(asked.1["inquiry"], array.view.inquiry.to_string());
    let actor = &asked.1["actor"];
    assert_eq!(
        (&actor["certificate"], &actor["person"]),
        (&"smrt:device/rtcc-1".into(), &"op-rtcc-1".into())
    );
    assert_eq!(asked.1["request"]["requester"]["name"], "Det. A. Ortiz");
    assert_eq!(asked.1["key"]["software"], true, "a key of software is named as one");
    assert_eq!(answered.1["candidates"].as_array().unwrap().len(), 3);
}

#[test]
fn an_answer_says_how_long_each_step_took() {
    let site = Site::staffed();
    let daemon = site.start("test");
    enrol(&daemon, &ENROLLED[..1]);
    let array = daemon.desk("rtcc-1").ask(&request(), &photo(OBAMA_LATER)).unwrap();
    let names: Vec<&str> = array.timings.iter().map(|step| step.0.as_str()).collect();
    assert_eq!(names, ["examine", "ask", "scan", "answer"]);
    assert!(array.timings.iter().all(|step| step.1 > 0.0), "{:?}", array.timings);
}

#[test]
fn a_console_reads_the_boxs_figures_and_nobody_else_does() {
    let site = Site::staffed();
    let daemon = site.start("test");
    enrol(&daemon, &ENROLLED[..2]);
    daemon.desk("rtcc-1").search(&request(), &photo(OBAMA_LATER)).unwrap();
    let read = |identity: &Identity| daemon.send(identity, "GET", "/v1/metrics", b"");
    let answer = read(&site.console_identity("rtcc-1"));
    assert_eq!(
        (answer.status, &*answer.headers["content-type"]),
        (200, "application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
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
    let value = |name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok())
    };
    for name in [
        "smrt_gallery_probes_total",
        "smrt_gallery_passes_total",
        "smrt_gallery_row_memory_bytes",
        "smrt_start_seconds",
    ] {
        assert!(value(name).is_some_and(|value| value > 0.0), "{name} in\n{text}");
    }
    for secret in ["slmpd", "rtcc", "Ortiz", "Officer", "badge", "Person", "26-1"] {
        assert!(!text.contains(secret), "figures name nobody: {secret}");
    }
    for (identity, detail) in [
        (site.feed_identity("slmpd"), "may not read metrics"),
        (site.console_identity("unlisted"), "unlisted"),
    ] {
        let refused = read(&identity);
        assert_eq!(refused.status, 403);
        let body = String::from_utf8(refused.body).unwrap();
        assert!(body.contains(detail), "{body}");
    }
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(
        site.log().iter().filter(|leaf| leaf.0 == LeafKind::CallerRefused).count(),
        2,
        "each refusal is a leaf"
    );
}

#[test]
fn a_probe_searched_twice_never_appears_in_an_array_nor_beside_the_bookings() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let enrolled = enrol(&daemon, &ENROLLED[..2]);
    let (desk, probe) = (daemon.desk("rtcc-1"), photo(COLLINS));
    let first = daemon.array(&desk, &request(), &probe).unwrap();
    let second = daemon.array(&desk, &request(), &probe).unwrap();
    for array in [&first, &second] {
        assert_eq!(array.view.candidates.len(), 2);
        assert!(
            array.view.candidates.iter().all(|c| enrolled.contains(&c.version)),
            "the probe found itself: {array:?}"
        );
        assert!(
            scores(array).iter().all(|score| *score < 0.9),
            "the probe found itself: {array:?}"
        );
    }
    assert_eq!(first.numbers(), second.numbers());
    assert_eq!(daemon.console("rtcc-1").health().unwrap().gallery_rows, 2);
    assert_eq!(daemon.stop(), Some(0));

    let daemon = site.start("test");
    let third = daemon.array(&daemon.desk("rtcc-1"), &request(), &probe).unwrap();
    assert_eq!(third.numbers(), first.numbers(), "nor after a restart");
    assert_eq!(daemon.stop(), Some(0));
    let ledger = site.ledger();
    assert_eq!(ledger.photo_ids().unwrap(), enrolled.iter().copied().collect());
    // A photo of one chunk has a head of 16 bytes, a nonce of 12 and a tag of 16.
    let sealed_bytes = u64::try_from(probe.len() + 16 + 12 + 16).unwrap();
    let sizes = |folder| {
        files(&site.path(folder)).iter().map(|f| fs::metadata(f).unwrap().len()).collect::<Vec<_>>()
    };
    assert_eq!(sizes("state/photos").len(), 2);
    assert!(!sizes("state/photos").contains(&sealed_bytes));
    assert_eq!(sizes("state/probes"), [sealed_bytes; 3]);
    assert_eq!(
        ledger.probe(first.view.inquiry).unwrap().as_deref(),
        Some(&probe[..]),
        "its own key opens it"
    );
    drop(ledger);
    for file in files(&site.path("state")) {
        let bytes = fs::read(&file).unwrap();
        for secret in
            [&probe[1000..1032], b"Ortiz", b"Gravois", b"Person 26", b"Officer op", b"badge-op"]
        {
            assert!(
                !bytes.windows(secret.len()).any(|w| w == secret),
                "{} holds plain text",
                file.display()
            );
        }
    }
}

/// Requests that say too little, or of nobody, by what they change in one that is in order.
const HOLLOW: [(Change, &str, &str); 14] = [
    (
        |r| r["reason"] = "robbery".into(),
        "reason-length",
        "the reason has 7 characters, wanted 12 to 2000",
    ),
    (|r| r["reason"] = "aaaa aaaa aaaa aaaa".into(), "reason-hollow", "the reason"),
    (
        |r| r["reason"] = "26-004711 store camera".into(),
        "reason-hollow",
        "words of the reason stand in no other field",
    ),
    (
        |r| r["reference"]["number"] = "00000".into(),
        "reference-hollow",
        "the reference is a placeholder",
    ),
    (
        |r| r["reference"]["number"] = "n/a".into(),
        "reference-hollow",
        "the reference is a placeholder",
    ),
    (
        |r| r["requester"]["name"] = "Det.".into(),
        "requester-hollow",
        "the requester's name is a placeholder or a title alone",
    ),
    (
        |r| r["requester"]["badge"] = "000".into(),
        "requester-hollow",
        "the requester's badge is a placeholder",
    ),
    (
        |r| r["probe_source"] = "unknown".into(),
        "source-hollow",
        "the probe's source is a placeholder",
    ),
    (
        |r| r["candidates"] = 51.into(),
        "candidates-number",
        "51 candidates asked for, wanted 1 to 50",
    ),
    (
        |r| r["attestations"]["not_solely_protected"] = false.into(),
        "not-attested",
        "it is not attested that",
    ),
    (
        |r| r["attestations"]["shows_person_sought"] = false.into(),
        "not-attested",
        "it is not attested that",
    ),
    (
        |r| r["attestations"]["source_as_stated"] = false.into(),
        "not-attested",
        "it is not attested that",
    ),
    (
        |r| {
            r["purpose"] = serde_json::json!({"kind": "other", "description": "a line-up",
            "supervisor": "Lt.", "supervisor_badge": "DSN 77", "supervisor_agency": "slmpd"})
        },
        "supervisor-hollow",
        "supervisor",
    ),
    (
        |r| r["requester"]["agency"] = "nobody".into(),
        "agency-not-listed",
        "agency 'nobody' is not in the roster",
    ),
];

#[test]
fn a_request_that_is_hollow_or_of_nobody_is_refused_and_logged() {
    let site = Site::staffed();
    let daemon = site.start("test");
    enrol(&daemon, &ENROLLED[2..]);
    let desk = daemon.desk("rtcc-1");
    let hand = Hand::new(&daemon, &site.console_identity("rtcc-1")).at(&desk);
    let leaves = daemon.leaves();
    for (change, kind, words) in HOLLOW {
        let mut request = request_json();
        change(&mut request);
        hand.post("/v1/inquiries", &request).is_problem(422, kind, words);
        assert_eq!(
            daemon.leaves(),
            leaves + 1,
            "the first has a leaf, the others of this hour wait for its end: {words}"
        );
    }
    let mut inactive = request_json();
    inactive["requester"]["agency"] = "gone".into();
    hand.post("/v1/inquiries", &inactive).is_problem(
        403,
        "agency-not-active",
        "agency 'gone' is not active",
    );
    let mut own = request_json();
    own["requester"]["badge"] = "badge-op-rtcc-1".into();
    hand.post("/v1/inquiries", &own).is_problem(
        403,
        "operator-is-requester",
        "nobody runs their own request",
    );
    refused(desk.ask(&request(), &gradient()), 422, "no-face", "no face found");
    let mut supervised = request_json();
    supervised["purpose"] = serde_json::json!({"kind": "other", "description": "a line-up",
        "supervisor": "Lt. B. Chen", "supervisor_badge": "DSN 77", "supervisor_agency": "slmpd"});
    supervised["requester"]["agency"] = "madison".into();
    let supervised = serde_json::from_value(supervised).unwrap();
    desk.ask(&supervised, &photo(COLLINS))
        .expect("an admitted requester's search with its supervisor");
    assert_eq!(daemon.stop(), Some(0));
    let log = site.log();
    let told: Vec<_> = log.iter().filter(|(kind, _)| *kind == LeafKind::SearchRefused).collect();
    assert_eq!(site.refusals(LeafKind::SearchRefused).len(), HOLLOW.len() + 3);
    assert_eq!(
        (&told[0].1["request"]["reason"], &told[0].1["actor"]["person"]),
        (&"robbery".into(), &"op-rtcc-1".into())
    );
    assert_eq!(
        log.iter().filter(|(kind, _)| *kind == LeafKind::Asked).count(),
        1,
        "no refused search ran"
    );
    assert_eq!(
        files(&site.path("state/probes")).len(),
        2,
        "a probe lies in each inquiry that one was handed over for, and no other"
    );
}

#[test]
fn a_request_that_is_not_what_the_contract_says_is_refused() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let desk = daemon.desk("rtcc-1");
    let hand = Hand::new(&daemon, &site.console_identity("rtcc-1")).at(&desk);
    let leaves = daemon.leaves();
    let unreadable: [(Change, &str); 6] = [
        (|r| r["purpose"]["kind"] = "curiosity".into(), "unknown variant `curiosity`"),
        (|r| r["threshold"] = 0.9.into(), "unknown field `threshold`"),
        (
            |r| r["purpose"] = serde_json::json!({"kind": "other", "description": "a line-up"}),
            "missing field `supervisor`",
        ),
        (|r| r["requester"]["name"] = " ".into(), "a text has 0 characters"),
        (
            |r| r.as_object_mut().unwrap().remove("purpose").map(drop).unwrap(),
            "missing field `purpose`",
        ),
        (
            |r| {
                r["attestations"]
                    .as_object_mut()
                    .unwrap()
                    .remove("source_as_stated")
                    .map(drop)
                    .unwrap()
            },
            "missing field `source_as_stated`",
        ),
    ];
    for (change, words) in unreadable {
        let mut request = request_json();
        change(&mut request);
        hand.post("/v1/inquiries", &request).is_problem(422, "json", words);
    }
    assert_eq!(daemon.leaves(), leaves + 1, "the first has a leaf, the others of its hour one");
}

#[test]
fn a_feed_may_not_search_and_the_try_is_logged() {
    let site = Site::new();
    let daemon = site.start("test");
    for (identity, kind, words) in [
        (
            site.feed_identity("slmpd"),
            "not-this-role",
            "may not work at a console, that is for a console at the RTCC",
        ),
        (site.console_identity("unlisted"), "not-in-roster", "is not in the roster"),
    ] {
        let leaves = daemon.leaves();
        Hand::new(&daemon, &identity)
            .post("/v1/inquiries", &request_json())
            .is_problem(403, kind, words);
        assert_eq!(daemon.leaves(), leaves + 1);
    }
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(site.log().iter().filter(|(kind, _)| *kind == LeafKind::CallerRefused).count(), 2);
}

#[test]
fn of_several_faces_the_operator_chooses_one() {
    let site = Site::staffed();
    let daemon = site.start("test");
    enrol(&daemon, &ENROLLED);
    let desk = daemon.desk("rtcc-1");
    let both = pair(&small(OBAMA_LATER), &small(COLLINS));
    let mut firsts = Vec::new();
    for at in 0..2 {
        let view = desk.hand_over(&desk.open(&request()).unwrap(), &both).unwrap();
        let faces = view.probe.as_ref().unwrap().faces.clone();
        assert_eq!(faces.len(), 2);
        refused(
            desk.choose(&view, None, Edits::default(), None),
            422,
            "several-faces",
            "2 faces found, wanted one face or a choice of one",
        );
        refused(
            desk.choose(&view, Some(2), Edits::default(), None),
            422,
            "no-such-face",
            "face 2 was chosen of 2 found",
        );
        let hand = Hand::new(&daemon, &site.console_identity("rtcc-1")).at(&desk);
        let preview = hand
            .post(
                &format!("/v1/inquiries/{}/preview", view.inquiry),
                &serde_json::json!({"edits": []}),
            )
            .json();
        assert_eq!(preview["faces"].as_array().unwrap().len(), 2, "{preview}");
        let chosen = desk
            .choose(
                &view,
                Some(at),
                Edits::default(),
                Some("the only photo that the case has of him"),
            )
            .unwrap();
        let asked = desk.approve(&chosen.view).unwrap();
        let reviewed = desk.dispose_all(desk.claim(&asked.view).unwrap()).unwrap();
        let array = Array { view: daemon.second_review(&desk, &reviewed), ..asked };
        // Obama's portrait is on the left.
        let left = faces[at].x < 200;
        assert_eq!(
            array.numbers()[0],
            if left { "26-1" } else { "26-3" },
            "face {at} of {faces:?}"
        );
        firsts.push(left);
    }
    assert_ne!(firsts[0], firsts[1]);
}

#[test]
fn a_face_is_chosen_among_those_of_the_photo_as_it_would_be_searched() {
    let site = Site::staffed();
    let daemon = site.start("test");
    enrol(&daemon, &ENROLLED);
    let desk = daemon.desk("rtcc-1");
    let hand = Hand::new(&daemon, &site.console_identity("rtcc-1")).at(&desk);
    let both =
        image::load_from_memory(&pair(&small(OBAMA_LATER), &small(COLLINS))).unwrap().to_rgb8();
    let height = both.height();
    let mut far = image::RgbImage::from_pixel(6_000, 4_500, image::Rgb([90, 110, 120]));
    image::imageops::replace(&mut far, &both, 3_000, 2_000);
    let crop = |x, y, width| Edits::new(vec![Edit::Crop { x, y, width, height }]).unwrap();
    // Obama's portrait is on the left, Collins' on the right: from afar one is seen until a crop
    // shows both, from near a crop leaves one.
    for (photo, edits, seen, faces, numbers) in [
        (png(&far), crop(3_000, 2_000, 512), 1, 2, ["26-1", "26-3"]),
        (png(&both), crop(256, 0, 256), 2, 1, ["", "26-3"]),
    ] {
        for at in 0..faces {
            let view = desk.hand_over(&desk.open(&request()).unwrap(), &photo).unwrap();
            assert_eq!(view.probe.as_ref().unwrap().faces.len(), seen);
            let preview = hand
                .post(
                    &format!("/v1/inquiries/{}/preview", view.inquiry),
                    &serde_json::json!({"edits": edits}),
                )
                .json();
            assert_eq!(preview["faces"].as_array().unwrap().len(), faces);
            let face = &preview["faces"][at];
            let shown = STANDARD.decode(face["picture"].as_str().unwrap()).unwrap();
            assert!(
                image::load_from_memory(&shown).unwrap().width() > 50,
                "what the operator chooses by"
            );
            let chosen = desk
                .choose(&view, Some(at), edits.clone(), Some("the only photo that the case has"))
                .unwrap();
            let choice = chosen.view.choice.clone().unwrap();
            assert_eq!(
                (choice.face, choice.faces, serde_json::json!(choice.frame)),
                (at, faces, face["frame"].clone())
            );
            assert_eq!(
                serde_json::json!(choice.searched_px),
                serde_json::json!([preview["width"], preview["height"]])
            );
            let on_the_right = faces == 1 || choice.frame.x > 256;
            let asked = desk.approve(&chosen.view).unwrap();
            let reviewed = desk.dispose_all(desk.claim(&asked.view).unwrap()).unwrap();
            let array = Array { view: daemon.second_review(&desk, &reviewed), ..asked };
            assert_eq!(
                array.numbers()[0],
                numbers[usize::from(on_the_right)],
                "face {at} of {faces}"
            );
        }
        let view = desk.hand_over(&desk.open(&request()).unwrap(), &photo).unwrap();
        let absent = desk.choose(&view, Some(faces), edits.clone(), None);
        refused(absent, 422, "no-such-face", &format!("face {faces} was chosen of {faces} found"));
    }
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn a_candidates_photo_is_shown_to_the_examiner_at_work_and_each_view_is_logged() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let enrolled = enrol(&daemon, &ENROLLED);
    let mut one = request();
    one.candidates = 1;
    let (desk, other) = (daemon.desk("rtcc-1"), daemon.desk("rtcc-2"));
    let asked = desk.ask(&one, &photo(OBAMA_LATER)).unwrap().view;
    let id = asked.inquiry;
    refused(desk.photo(id, enrolled[0]), 403, "not-shown", "the candidate is not shown to you now");
    desk.claim(&asked).unwrap();
    let leaves = daemon.leaves();
    let seen = image::load_from_memory(&desk.photo(id, enrolled[0]).unwrap()).unwrap();
    let sent = image::load_from_memory(&photo(OBAMA)).unwrap();
    assert_eq!(
        seen.width() * sent.height() / sent.width(),
        seen.height(),
        "the whole photo as its agency sent it"
    );
    assert_eq!(daemon.leaves(), leaves + 1);
    for (desk, version) in
        [(&other, enrolled[0]), (&desk, enrolled[1]), (&desk, VersionId([7; 16]))]
    {
        refused(desk.photo(id, version), 403, "not-shown", "the candidate is not shown to you now");
    }
    let hand = Hand::new(&daemon, &site.console_identity("rtcc-1")).at(&desk);
    let path = |inquiry: &str, version: &str| {
        format!("/v1/inquiries/{inquiry}/candidates/{version}/photo")
    };
    hand.get(&path(&"0f".repeat(16), &enrolled[0].to_string())).is_problem(
        404,
        "not-found",
        "no inquiry of that name is yours",
    );
    hand.get(&path("1", &enrolled[0].to_string())).is_problem(
        400,
        "malformed",
        "32 hexadecimal digits",
    );
    hand.get(&path(&id.to_string(), "26-1")).is_problem(400, "malformed", "not a version id");
    let feed = Hand::new(&daemon, &site.feed_identity("slmpd"));
    feed.get(&path(&id.to_string(), &enrolled[0].to_string())).is_problem(
        403,
        "not-this-role",
        "may not work at a console",
    );
    assert_eq!(daemon.stop(), Some(0));
    let log = site.log();
    let viewed: Vec<_> = log.iter().filter(|(kind, _)| *kind == LeafKind::PhotoViewed).collect();
    assert_eq!(viewed.len(), 1);
    let search = &log[usize::try_from(asked.asked.unwrap()).unwrap()].1["search"];
    assert_eq!(
        (&viewed[0].1["search"], &viewed[0].1["version"]),
        (search, &enrolled[0].to_string().into())
    );
}

#[test]
fn probe_and_candidate_are_laid_face_upon_face_once_the_examiner_may_see_both() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let enrolled = enrol(&daemon, &ENROLLED)[2];
    let (desk, other) = (daemon.desk("rtcc-1"), daemon.desk("rtcc-2"));
    let asked =
        desk.ask(&request(), &pair(&small(COLLINS), &image::RgbImage::new(256, 256))).unwrap().view;
    let page = |desk: &ConsoleSession, console: &str| {
        let hand = Hand::new(&daemon, &site.console_identity(console)).at(desk);
        String::from_utf8(
            hand.get(&format!("/console/inquiries/{}/compare/{enrolled}", asked.inquiry)).body,
        )
        .unwrap()
    };
    let part = |page: &str, name: &str| -> Vec<Vec<f64>> {
        let name = format!("{name}=\"");
        page.split(&name)
            .skip(1)
            .map(|rest| {
                rest.split('"').next().unwrap().split(' ').map(|n| n.parse().unwrap()).collect()
            })
            .collect()
    };
    let before = page(&desk, "rtcc-1");
    assert!(before.contains("Not shown to you now"));
    assert_eq!(
        (part(&before, "data-px"), part(&before, "data-frame").len()),
        (vec![vec![512.0, 256.0]], 1),
        "the probe's alone"
    );
    desk.claim(&asked).unwrap();
    let at_work = page(&desk, "rtcc-1");
    assert_eq!(
        part(&at_work, "data-px"),
        [[512.0, 256.0], [512.0, 512.0]],
        "the astronaut's portrait has 512 px"
    );
    let frames = part(&at_work, "data-frame");
    // The same portrait at half its size.
    for (probe, candidate) in frames[0].iter().zip(&frames[1]) {
        assert!((2.0 * probe - candidate).abs() < 12.0, "{frames:?}");
    }
    assert!(page(&other, "rtcc-2").contains("This is not shown"), "the second review is not due");
    assert!(part(&page(&other, "rtcc-2"), "data-frame").is_empty());
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn both_engines_give_the_same_array() {
    let arrays = ["cpu", "gpu"].map(|engine| {
        let site = Site::staffed();
        site.write_config(engine, &models(), "");
        let daemon = match site.try_start(Some("test")) {
            Ok(daemon) => daemon,
            Err(ended)
                if engine == "gpu"
                    && ended.status == Some(EXIT_CONFIG)
                    && std::env::var_os("REQUIRE_GPU").is_none() =>
            {
                eprintln!(
                    "NOT RUN: the story of both engines, this machine has no adapter: {}",
                    ended.stderr
                );
                return None;
            }
            Err(ended) => panic!("{ended:?}"),
        };
        enrol(&daemon, &ENROLLED);
        let desk = daemon.desk("rtcc-1");
        let array = daemon.array(&desk, &request(), &photo(OBAMA_LATER)).unwrap();
        assert_eq!(daemon.console("rtcc-1").health().unwrap().engine, engine);
        Some(array)
    });
    let [Some(cpu), Some(gpu)] = arrays else { return };
    assert_eq!(cpu.numbers(), gpu.numbers());
    for (one, two) in scores(&cpu).iter().zip(scores(&gpu)) {
        assert_eq!(one.to_bits(), two.to_bits(), "{one} and {two}");
    }
}
