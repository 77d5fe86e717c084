//! An agency's feed pushes bookings: what is acknowledged is durable, logged and findable; what is
//! refused is told why, and logged.

use std::collections::HashSet;
use std::fs;
use std::net::TcpListener;
use std::sync::mpsc::channel;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine, engine::general_purpose::STANDARD};
use smrt::api::wire::{BookingState, CHECKPOINT_HEADER};
use smrt::audit::{Edge, LeafKind};
use smrt::client::push::{PushOptions, push};
use smrt::ids::Digest;
use smrt::limits::{BODY_BYTES_MAX, FEED_PATIENCE_SECONDS, PHOTO_BYTES_MAX};

use crate::fake_disk::Choices;
use crate::photos::{
    BIDEN, COLLINS, OBAMA, OBAMA_LATER, bomb, edition, gradient, pair, photo, png, small,
    two_hundred,
};
use crate::raw::{Answer, Form, head};
use crate::site::{Daemon, PATIENCE, Site, booking, booking_json, number, request};

const KILLS: u64 = 20;

fn form(photo: &[u8]) -> Vec<u8> {
    Form::of("booking", &booking_json("Roe, Jane"), photo)
}

fn put(daemon: &Daemon<'_>, site: &Site, number: &str, form: &[u8]) -> Answer {
    daemon.send(&site.feed_identity("slmpd"), "PUT", &format!("/v1/bookings/{number}"), form)
}

/// The numbers that a search for somebody finds, best first.
fn found(daemon: &Daemon<'_>, probe: &[u8]) -> Vec<String> {
    let array = daemon.array(&daemon.desk("rtcc-1"), &request(), probe).unwrap();
    array.numbers().into_iter().map(str::to_owned).collect()
}

fn sha256(bytes: &[u8]) -> Digest {
    Digest(digest(&SHA256, bytes).as_ref().try_into().unwrap())
}

#[test]
fn a_booking_is_durable_logged_and_findable_when_it_is_answered() {
    let site = Site::staffed();
    let mut daemon = site.start("test");
    let collins = photo(COLLINS);
    let first = put(&daemon, &site, "26-1", &form(&collins));
    assert_eq!(first.status, 201);
    let booked = first.json();
    let leaf = booked["leaf"].as_u64().unwrap();
    let note =
        String::from_utf8(STANDARD.decode(&first.headers[CHECKPOINT_HEADER]).unwrap()).unwrap();
    assert!(site.verified(&note).leaves > leaf, "the checkpoint signs the booking's leaf");
    assert_eq!(first.headers["smrt-state"], "test");

    let again = put(&daemon, &site, "26-1", &form(&collins));
    assert_eq!(
        (again.status, &again.json()["version"], &again.json()["leaf"]),
        (200, &booked["version"], &booked["leaf"])
    );
    assert_eq!(found(&daemon, &collins), ["26-1"]);
    daemon.kill();

    let daemon = site.start("test");
    let view = daemon.feed("slmpd").booking(&number("26-1")).unwrap();
    assert_eq!(
        (view.leaf, view.state, view.photo_sha256),
        (leaf, BookingState::Live, sha256(&collins))
    );
    assert_eq!(view.version.to_string(), booked["version"]);
    assert_eq!(found(&daemon, &collins), ["26-1"]);
    assert_eq!(daemon.stop(), Some(0));
    let (kind, detail) = &site.log()[usize::try_from(leaf).unwrap()];
    assert_eq!(
        (*kind, &detail["version"], &detail["agency"]),
        (LeafKind::BookingIn, &booked["version"], &"slmpd".into())
    );
    assert!(
        !detail.to_string().contains("Roe") && !detail.to_string().contains("26-1"),
        "no booking data in the log: {detail}"
    );
}

#[test]
fn another_photo_under_the_same_number_replaces_the_earlier() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let (feed, console) = (daemon.feed("slmpd"), daemon.console("rtcc-1"));
    let first = feed.put_booking(&number("26-1"), &booking("Roe, Jane"), &photo(BIDEN)).unwrap();
    let second = feed.put_booking(&number("26-1"), &booking("Roe, Jane"), &photo(OBAMA)).unwrap();
    assert!(second.new && second.version != first.version && second.leaf > first.leaf);
    let array = daemon.array(&daemon.desk("rtcc-1"), &request(), &photo(BIDEN)).unwrap();
    let candidates: Vec<_> = array
        .candidates()
        .map(|candidate| (candidate.version, candidate.known.as_ref().unwrap().score))
        .collect();
    assert_eq!((console.health().unwrap().gallery_rows, candidates.len()), (1, 1));
    assert!(
        candidates[0].0 == second.version && candidates[0].1 < 0.9,
        "the earlier photo isn't compared any more"
    );
    let other_name =
        feed.put_booking(&number("26-1"), &booking("Roe, Janet"), &photo(OBAMA)).unwrap();
    assert!(
        other_name.new && other_name.version != second.version,
        "other data are another version too"
    );
    assert_eq!(feed.booking(&number("26-1")).unwrap().version, other_name.version);
    assert_eq!(console.health().unwrap().gallery_rows, 1);
}

#[test]
fn two_agencies_with_the_same_number_keep_apart() {
    let site = Site::new();
    let daemon = site.start("test");
    let (slmpd, stlco) = (daemon.feed("slmpd"), daemon.feed("stlco"));
    let one = slmpd.put_booking(&number("26-1"), &booking("One"), &photo(COLLINS)).unwrap();
    assert_eq!(
        stlco.booking(&number("26-1")).unwrap_err().problem().unwrap().status,
        404,
        "nothing of it is theirs to see"
    );
    let two = stlco.put_booking(&number("26-1"), &booking("Two"), &photo(OBAMA)).unwrap();
    assert!(two.new && one.version != two.version);
    assert_eq!(slmpd.booking(&number("26-1")).unwrap().version, one.version);
    assert_eq!(stlco.booking(&number("26-1")).unwrap().booking.name.as_str(), "Two");
    assert_eq!(daemon.console("rtcc-1").health().unwrap().gallery_rows, 2);
}

#[test]
fn who_may_not_push_is_refused_and_logged() {
    let site = Site::new();
    let daemon = site.start("test");
    let pushes = [
        (
            site.console_identity("rtcc-1"),
            "not-this-role",
            "may not push bookings, that is for an agency's feed",
        ),
        (
            site.feed_identity("gone"),
            "agency-not-active",
            "agency 'gone' is not active: its agreement has ended",
        ),
        (
            site.feed_identity("madison"),
            "not-this-role",
            "may not push bookings, that is for a contributing agency",
        ),
        (site.feed_identity("unlisted"), "not-in-roster", "is not in the roster"),
    ];
    for (identity, kind, words) in &pushes {
        let leaves = daemon.leaves();
        daemon
            .send(identity, "PUT", "/v1/bookings/26-1", &form(&photo(COLLINS)))
            .is_problem(403, kind, words);
        assert_eq!(daemon.leaves(), leaves + 1);
    }
    assert_eq!(daemon.console("rtcc-1").health().unwrap().gallery_rows, 0);
    assert_eq!(daemon.stop(), Some(0));
    let refused: Vec<_> =
        site.log().into_iter().filter(|(kind, _)| *kind == LeafKind::CallerRefused).collect();
    assert_eq!(refused.len(), pushes.len());
    assert_eq!(refused[1].1["actor"]["certificate"], "smrt:agency/gone/feed");
}

#[test]
fn a_photo_that_can_not_be_used_is_refused_with_its_reason_and_logged() {
    let site = Site::new();
    let daemon = site.start("test");
    let (obama, biden) = (small(OBAMA), small(BIDEN));
    let jpeg = photo(COLLINS);
    let photos: [(&[u8], &str, &str); 7] = [
        (b"GIF89a, not a photo of ours", "photo-kind", "wanted a JPEG, PNG or JPEG 2000 photo"),
        (b"", "photo-kind", "wanted a JPEG, PNG or JPEG 2000 photo"),
        (&bomb(), "photo-too-large", "photo is 60000x60000 px, most accepted is"),
        (
            &jpeg[..jpeg.len() / 2],
            "photo-damaged",
            "in the middle of the photo, wanted a complete file",
        ),
        (&gradient(), "no-face", "no face found, wanted a photo with a face"),
        (&png(&image::RgbImage::new(20, 20)), "photo-too-small", "smallest accepted is"),
        (&pair(&obama, &biden), "several-faces", "2 faces found"),
    ];
    let leaves = daemon.leaves();
    for (photo, kind, words) in photos {
        put(&daemon, &site, "26-1", &form(photo)).is_problem(422, kind, words);
        assert_eq!(
            daemon.leaves(),
            leaves + 1,
            "the first has a leaf, the others of this hour wait for its end: {words}"
        );
    }
    assert_eq!(
        daemon.feed("slmpd").booking(&number("26-1")).unwrap_err().problem().unwrap().status,
        404
    );
    assert_eq!(put(&daemon, &site, "26-1", &form(&png(&obama))).status, 201, "the box goes on");
    assert_eq!(daemon.stop(), Some(0));
    let refused = site.refusals(LeafKind::BookingRefused);
    assert_eq!(refused.len(), photos.len());
    for ((_, _, words), reason) in photos.iter().zip(&refused) {
        assert!(reason.contains(words), "{reason}");
    }
    assert_eq!(site.ledger().photo_ids().unwrap().len(), 1, "nothing of what was refused is kept");
}

#[test]
fn a_malformed_request_is_told_what_was_found_and_what_was_wanted() {
    let site = Site::new();
    let daemon = site.start("test");
    let jpeg = photo(COLLINS);
    let json = |change: fn(&mut serde_json::Value)| {
        let mut json = booking_json("Roe, Jane");
        change(&mut json);
        Form::of("booking", &json, &jpeg)
    };
    let forms = [
        (json(|b| b["race"] = "x".into()), 422, "json", "unknown field `race`"),
        (
            json(|b| b.as_object_mut().unwrap().remove("basis").map(drop).unwrap()),
            422,
            "json",
            "missing field `basis`",
        ),
        (json(|b| b["basis"]["kind"] = "protest".into()), 422, "json", "unknown variant `protest`"),
        (
            json(|b| b["booked_on"] = "11/01/2026".into()),
            422,
            "json",
            "not a date of the form YYYY-MM-DD",
        ),
        (Form::new().part("booking", b"{").part("photo", &jpeg).end(), 422, "json", "EOF"),
        (
            Form::new().part("booking", booking_json("A").to_string().as_bytes()).end(),
            400,
            "malformed",
            "no part 'photo'",
        ),
        (Form::new().part("photo", &jpeg).end(), 400, "malformed", "no part 'booking'"),
        (
            Form::new().part("photo", &jpeg).part("photo", &jpeg).end(),
            400,
            "malformed",
            "two parts 'photo'",
        ),
        (
            Form::new().part("photo", &jpeg).part("note", b"x").end(),
            400,
            "malformed",
            "a part 'note' was found",
        ),
        (Vec::new(), 400, "malformed", "torn or no multipart form"),
    ];
    for (form, status, kind, words) in &forms {
        put(&daemon, &site, "26-1", form).is_problem(*status, kind, words);
    }
    let slmpd = site.feed_identity("slmpd");
    let good = form(&jpeg);
    for content_type in [
        "application/json",
        "multipart/form-data",
        "text/plain; boundary=a-boundary-of-the-stories",
    ] {
        let answer =
            daemon.line(&slmpd).ask("PUT", "/v1/bookings/26-1", content_type, &good).unwrap();
        answer.is_problem(415, "content-type", "wanted the content type multipart/form-data");
    }
    for wrong in ["-26", "26%201", "26%2F1", "%FF", &"9".repeat(65)] {
        put(&daemon, &site, wrong, &good).is_problem(400, "malformed", "booking number");
    }
    for (method, path, status, kind) in [
        ("GET", "/v1/nothing", 404, "not-found"),
        ("PUT", "/v1/bookings/", 404, "not-found"),
        ("GET", "/v1/../etc/passwd", 404, "not-found"),
        ("DELETE", "/v1/bookings/26-1", 405, "method"),
        ("POST", "/v1/searches", 404, "not-found"),
        ("POST", "/v1/health", 405, "method"),
    ] {
        daemon.send(&slmpd, method, path, b"").is_problem(status, kind, "/v1/openapi.json says");
    }
    assert_eq!(daemon.console("rtcc-1").health().unwrap().gallery_rows, 0);
    assert_eq!(put(&daemon, &site, "26-1", &good).status, 201);
}

#[test]
fn a_body_that_is_cut_off_leaves_nothing_and_the_box_goes_on() {
    let site = Site::new();
    let daemon = site.start("test");
    let (slmpd, body) = (site.feed_identity("slmpd"), form(&photo(COLLINS)));
    // The last of them lacks one hyphen of the boundary that ends the form.
    for part in [1, 200, body.len() / 2, body.len() - 3] {
        let mut line = daemon.line(&slmpd);
        line.send(&head("PUT", "/v1/bookings/26-1", &Form::content_type(), body.len())).unwrap();
        line.send(&body[..part]).unwrap();
        drop(line);
        assert_eq!(
            daemon.feed("slmpd").booking(&number("26-1")).unwrap_err().problem().unwrap().status,
            404
        );
    }
    assert_eq!(put(&daemon, &site, "26-1", &body).status, 201);
    assert_eq!(daemon.stop(), Some(0));
    let kinds = site.log_kinds();
    let booked = kinds.iter().filter(|kind| **kind == LeafKind::BookingIn).count();
    assert_eq!(booked, 1, "what never came whole was never a booking");
    assert_eq!(site.ledger().photo_ids().unwrap().len(), 1);
}

#[test]
fn a_body_over_its_bound_is_refused() {
    let site = Site::new();
    let daemon = site.start("test");
    let json = booking_json("Roe, Jane").to_string();
    let photo = vec![0; PHOTO_BYTES_MAX + 1];
    let answer = put(
        &daemon,
        &site,
        "26-1",
        &Form::new().part("booking", json.as_bytes()).part("photo", &photo).end(),
    );
    answer.is_problem(413, "too-large", "the part 'photo' has more than 16777216 bytes");
    let long = format!("{json}{}", " ".repeat(70_000));
    let answer = put(
        &daemon,
        &site,
        "26-1",
        &Form::new().part("booking", long.as_bytes()).part("photo", b"x").end(),
    );
    answer.is_problem(413, "too-large", "the part 'booking' has more than 65536 bytes");
    // Before the first part stands a preamble, which a form may have; it counts all the same.
    let preamble = [vec![b'x'; BODY_BYTES_MAX + 1], b"\r\n".to_vec()].concat();
    let answer = put(&daemon, &site, "26-1", &preamble);
    answer.is_problem(413, "too-large", "the body has more than");
    assert_eq!(put(&daemon, &site, "26-1", &form(&crate::photos::photo(COLLINS))).status, 201);
}

#[test]
fn a_feed_file_goes_through_and_a_row_without_its_photo_is_reported() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let folder = site.path("feed");
    fs::create_dir(&folder).unwrap();
    for (name, bytes) in
        [("collins.jpg", photo(COLLINS)), ("obama.jpg", photo(OBAMA)), ("nobody.jpg", gradient())]
    {
        fs::write(folder.join(name), bytes).unwrap();
    }
    let csv = site.path("feed.csv");
    let rows = "number,photo,name,booked_on,charges,basis\n\
                26-1,collins.jpg,\"Collins, Eileen\",2026-11-01,trespass; \
                theft,post_arrest_booking\n\
                26-2,absent.jpg,Absent,2026-11-01,,post_arrest_booking\n\
                26-3,obama.jpg,Barack,2026-11-01,,post_arrest_booking\n\
                26-4,nobody.jpg,Nobody,2026-11-01,,post_arrest_booking\n";
    fs::write(&csv, rows).unwrap();
    let words = ["feed", "push", folder.to_str().unwrap(), "--csv", csv.to_str().unwrap()];
    let slmpd = site.feed_identity("slmpd");
    let ended = daemon.smrtctl(&slmpd, &words);
    assert_eq!(ended.status, Some(2), "{ended:?}");
    let refused = fs::read_to_string(site.path("feed.csv.refused.csv")).unwrap();
    assert!(ended.stdout.contains("feed.csv.refused.csv"), "{ended:?}");
    assert_eq!(refused.lines().count(), 3, "{refused}");
    assert!(refused.contains("26-2,absent.jpg") && refused.contains("line 3"), "{refused}");
    assert!(refused.contains("26-4,nobody.jpg") && refused.contains("no face found"), "{refused}");
    assert_eq!(found(&daemon, &photo(OBAMA_LATER)), ["26-3", "26-1"]);

    fs::write(folder.join("absent.jpg"), photo(BIDEN)).unwrap();
    fs::write(folder.join("nobody.jpg"), edition(&small(COLLINS), 10)).unwrap();
    let leaves = daemon.leaves();
    let again = daemon.smrtctl(&slmpd, &words);
    assert_eq!(again.status, Some(0), "{again:?}");
    assert_eq!(daemon.leaves(), leaves + 2, "only what was refused is pushed again");
    assert_eq!(daemon.console("rtcc-1").health().unwrap().gallery_rows, 4);
    assert!(!site.path("feed.csv.refused.csv").exists());
}

#[test]
fn twenty_kills_in_the_middle_of_a_push_lose_nothing_and_double_nothing() {
    let site = Site::new();
    let folder = site.path("feed");
    fs::create_dir(&folder).unwrap();
    let photos = two_hundred();
    let mut csv = "number,photo,name,booked_on,basis\n".to_owned();
    for (at, photo) in photos.iter().enumerate() {
        fs::write(folder.join(format!("{at}.jpg")), photo).unwrap();
        csv += &format!("B-{at},{at}.jpg,Person {at},2026-11-01,post_arrest_booking\n");
    }
    let order = PushOptions::new(&folder, &site.path("feed.csv"));
    assert_eq!(order.patience.as_secs(), FEED_PATIENCE_SECONDS);
    fs::write(&order.csv, csv).unwrap();

    // The socket outlives the daemon, as systemd's does: callers wait in it.
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut choices = Choices::new(20_261_123);
    let kill_at: Vec<u64> = (0..KILLS).map(|kill| kill * 9 + 1 + choices.below(9)).collect();
    let mut daemon = site.start_on(&socket);
    let feed = daemon.feed("slmpd");
    let (tell, progress) = channel();
    let mut notes = Vec::new();
    let report = std::thread::scope(|scope| {
        let pushed = scope.spawn(|| {
            push(&feed, &order, &|progress| {
                // Nobody listens any more once the last kill is done.
                let _ = tell.send(progress.booked + progress.unchanged);
            })
        });
        for &kill_at in &kill_at {
            while progress.recv_timeout(PATIENCE).expect("the push goes on")
                < usize::try_from(kill_at).unwrap()
            {}
            daemon.kill();
            daemon = site.start_on(&socket);
            notes.push(daemon.feed("slmpd").checkpoint().unwrap());
        }
        pushed.join().unwrap().unwrap()
    });
    assert_eq!((report.refusals.len(), report.progress.done()), (0, photos.len()), "{report:?}");
    let feed = daemon.feed("slmpd");
    assert_eq!(daemon.console("rtcc-1").health().unwrap().gallery_rows, 200);
    let mut versions = HashSet::new();
    let mut bookings = Vec::new();
    for (at, photo) in photos.iter().enumerate() {
        let view = feed.booking(&number(&format!("B-{at}"))).unwrap();
        assert_eq!(
            (view.state, &view.photo_sha256),
            (BookingState::Live, &sha256(photo)),
            "B-{at}"
        );
        versions.insert(view.version);
        bookings.push(view);
    }
    notes.push(feed.checkpoint().unwrap());
    assert_eq!(daemon.stop(), Some(0));

    let ledger = site.ledger();
    assert_eq!(
        ledger.photo_ids().unwrap(),
        versions,
        "each booking has its one photo, and no other is left"
    );
    let leaves = ledger.log().unwrap();
    for note in &notes {
        let checkpoint = site.verified(note);
        let mut edge = Edge::default();
        for leaf in &leaves[..usize::try_from(checkpoint.leaves).unwrap()] {
            edge.append(leaf);
        }
        assert_eq!(
            edge.root(),
            checkpoint.root,
            "the log of {} leaves is not a continuation of {}",
            leaves.len(),
            checkpoint.leaves
        );
    }
    for view in &bookings {
        let detail = ledger.detail(view.leaf).unwrap().unwrap();
        assert_eq!(
            (&detail["detail"], &detail["version"]),
            (&"booking_in".into(), &view.version.to_string().into())
        );
    }
    drop(ledger);
    let log = site.log();
    let count = |wanted| log.iter().filter(|(kind, _)| *kind == wanted).count();
    assert_eq!((count(LeafKind::BookingIn), count(LeafKind::BookingRefused)), (200, 0));
    assert_eq!((count(LeafKind::Started), count(LeafKind::Stopped)), (21, 1));
    let journal = fs::read_to_string(site.path("feed.csv.pushed")).unwrap();
    for line in journal.lines().skip(1) {
        let [number, _, leaf] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let view = bookings.iter().find(|view| view.number.as_str() == number).unwrap();
        assert_eq!(view.leaf.to_string(), leaf, "{number} stands where its acknowledgement said");
    }
}
