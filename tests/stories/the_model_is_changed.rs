//! An administrator changes the model while agencies push and operators search: every answer is
//! wholly of one model, and nothing is lost.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use smrt::api::wire::CandidateCard;
use smrt::api::wire::{BookingState, ModelState, ModelSwitchRequest, ModelView};
use smrt::audit::LeafKind;
use smrt::client::console_session::Array;
use smrt::client::model::SwitchEnd;
use smrt::client::{Client, ClientError};
use smrt::embed::{FaceChoice, Models};
use smrt::inquiry::Request;
use smrt::limits::{REVIEWED_CANDIDATES_MAX, SWITCH_BATCH_LEN_MAX};
use smrt::roster::Role;

use crate::desks::person;
use crate::photos::{BIDEN, COLLINS, OBAMA, OBAMA_LATER, edition, photo, several, small};
use crate::site::{
    Daemon, EXIT_CONFIG, PATIENCE, Site, booking, models, night_blind_models, number, plain_models,
    request,
};

/// More bookings than are made durable together: a switch of them has a middle.
const MANY: usize = 2 * SWITCH_BATCH_LEN_MAX + 6;
/// Searches of each of two searchers by the old model, before the switch is asked for, and by the
/// new one after it.
const SEARCHES_EACH_SIDE: usize = 3;

fn id(folder: &Path) -> String {
    Models::id_of(folder).unwrap().to_string()
}

fn order(folder: &Path, accept_failed: u64) -> ModelSwitchRequest {
    ModelSwitchRequest { model: id(folder), accept_failed }
}

/// A site whose box can be switched from the models to others.
fn site(next: &Path) -> Site {
    let site = Site::staffed();
    site.configure_next(&models(), next, "");
    site
}

/// Looks at the model until it is as wanted.
fn look_until(admin: &Client, wanted: impl Fn(&ModelView) -> bool) -> ModelView {
    let until = Instant::now() + PATIENCE;
    loop {
        let view = admin.model().unwrap();
        if wanted(&view) {
            return view;
        }
        assert!(Instant::now() < until, "{view:?}");
    }
}

/// Waits until the box has switched and nothing of the former model is left.
fn switched(admin: &Client, folder: &Path) {
    let end = admin.follow_switch(&id(folder), &mut |_| {}).unwrap();
    assert!(matches!(end, SwitchEnd::Switched(_)), "{end:?}");
    look_until(admin, |view| view.state == ModelState::Settled);
}

fn numbers(array: &Array) -> Vec<&str> {
    let mut numbers = array.numbers();
    numbers.sort_unstable();
    numbers
}

#[track_caller]
fn refused(error: &ClientError, status: u16, kind: &str, words: &str) {
    let problem = error.problem().unwrap_or_else(|| panic!("{error}"));
    assert_eq!((problem.status, problem.kind.as_str()), (status, kind), "{problem:?}");
    assert!(problem.detail.contains(words), "wanted '{words}' in {}", problem.detail);
}

/// What each model says of each booking's likeness to one probe, worked out beside the box.
struct Likeness {
    scores: HashMap<(String, String), f64>,
}

impl Likeness {
    fn of(folders: &[PathBuf], probe: &[u8], photos: &[(String, Vec<u8>)]) -> Self {
        let mut scores = HashMap::new();
        for folder in folders {
            let models = Models::load(folder).unwrap();
            let probe = models.examine(probe, FaceChoice::Only).unwrap().embedding;
            for (number, photo) in photos {
                let photo = models.examine(photo, FaceChoice::Only).unwrap().embedding;
                scores.insert((models.id().to_string(), number.clone()), probe.score(&photo));
            }
        }
        Self { scores }
    }

    /// Holds that an array is wholly of one of these models, and gives which.
    fn hold<'m>(&self, array: &Array, models: &[&'m str]) -> &'m str {
        let shown: Vec<_> =
            array.candidates().filter_map(|candidate| candidate.known.as_ref()).collect();
        assert!(!shown.is_empty() && shown.is_sorted_by(|a, b| a.score >= b.score), "{shown:?}");
        // The last bit may be lost on the way through JSON; another model's score is far away.
        let of = |model: &str| {
            shown.iter().all(|known| {
                (known.score - self.scores[&(model.to_owned(), known.number.to_string())]).abs()
                    < 1e-9
            })
        };
        models
            .iter()
            .copied()
            .find(|model| of(model))
            .unwrap_or_else(|| panic!("no model gives these scores: {shown:?}"))
    }
}

#[test]
fn every_answer_is_wholly_of_one_model_while_the_box_goes_from_one_to_another() {
    let site = site(&plain_models());
    let daemon = site.start("test");
    let (feed, admin) = (daemon.feed("slmpd"), daemon.console("admin-1"));
    let photos: Vec<(String, Vec<u8>)> =
        several(24).into_iter().zip(0..).map(|(photo, n)| (format!("26-{n}"), photo)).collect();
    let push = |n: usize| {
        feed.put_booking(&number(&photos[n].0), &booking("Somebody"), &photos[n].1).unwrap()
    };
    (0..16).for_each(|n| drop(push(n)));
    let probe = photo(OBAMA_LATER);
    let likeness = Likeness::of(&[models(), plain_models()], &probe, &photos);
    let (old, new) = (id(&models()), id(&plain_models()));
    let (before, done, until) =
        (AtomicUsize::new(0), AtomicBool::new(false), Instant::now() + PATIENCE);
    let identity = site.console_identity("admin-1");
    std::thread::scope(|scope| {
        for console in ["rtcc-1", "rtcc-2"] {
            let desk = daemon.desk(console);
            let second = format!("second-{console}");
            let second = daemon.desk_of(console, &person(&second, Role::Examiner));
            let (likeness, probe, old, new, before, done) =
                (&likeness, &probe, &old, &new, &before, &done);
            scope.spawn(move || {
                let (mut after, mut of_the_new) = (0, false);
                let few = Request { candidates: 4, ..request() };
                while after < SEARCHES_EACH_SIDE {
                    assert!(Instant::now() < until);
                    let asked_after = done.load(Ordering::SeqCst);
                    let array = desk.search_with(&second, &few, probe).unwrap();
                    let model = likeness.hold(&array, &[old, new]);
                    assert!(
                        model == new || !of_the_new && !asked_after,
                        "an answer of the former model after one of the new"
                    );
                    of_the_new = model == new;
                    before.fetch_add(usize::from(!of_the_new), Ordering::SeqCst);
                    after += usize::from(asked_after);
                }
            });
        }
        while before.load(Ordering::SeqCst) < 2 * SEARCHES_EACH_SIDE {
            assert!(Instant::now() < until);
            std::thread::yield_now();
        }
        let switching =
            scope.spawn(|| daemon.smrtctl(&identity, &["model", "switch", &new, "--wait"]));
        for n in 16..24 {
            push(n);
            feed.release(&number(&photos[n - 16].0), "expunged").unwrap();
        }
        let ended = switching.join().unwrap();
        done.store(true, Ordering::SeqCst);
        assert!(
            ended.status == Some(0)
                && ended.stdout.contains(&format!("switched: the models in use are {new}")),
            "{ended:?}"
        );
    });
    let last = daemon.array(&daemon.desk("rtcc-1"), &request(), &probe).unwrap();
    let standing: Vec<&str> = photos[8..].iter().map(|(number, _)| number.as_str()).collect();
    let rows = admin.health().unwrap().gallery_rows;
    assert_eq!((numbers(&last).len(), rows, likeness.hold(&last, &[&old, &new])), (16, 16, &*new));
    assert!(standing.iter().all(|number| numbers(&last).contains(number)));
    switched(&admin, &plain_models());
    assert_eq!(daemon.stop(), Some(0));

    // The log says the same: a search is answered by the model that it was asked of, and none by
    // the new one before the switch.
    let log = site.log();
    let turned = log.iter().position(|(kind, _)| *kind == LeafKind::ModelSwitched).unwrap();
    let mut asked = HashMap::new();
    for (at, (kind, detail)) in log.iter().enumerate() {
        match kind {
            LeafKind::Asked => {
                drop(asked.insert(detail["search"].clone(), detail["approval"]["model"].clone()))
            }
            LeafKind::Answered => {
                assert_eq!(asked[&detail["search"]], detail["model"]);
                assert!(at > turned || detail["model"] == old.as_str(), "{detail}");
            }
            _ => {}
        }
    }
    assert_eq!(
        (&log[turned].1["from"], &log[turned].1["to"]),
        (&old.as_str().into(), &new.as_str().into())
    );

    let daemon = site.start("test");
    let again = daemon.array(&daemon.desk("rtcc-1"), &request(), &probe).unwrap();
    assert_eq!(numbers(&again), numbers(&last), "the same after a restart");
    assert_eq!(likeness.hold(&again, &[&old, &new]), new);
}

#[test]
fn a_switch_survives_kills_and_finds_no_booking_released_meanwhile() {
    let site = site(&plain_models());
    let mut daemon = site.start("test");
    let feed = daemon.feed("slmpd");
    let photos: Vec<Vec<u8>> = several(MANY);
    std::thread::scope(|scope| {
        for first in 0..2 {
            let (feed, photos) = (&feed, &photos);
            let push = move |n: usize| {
                feed.put_booking(&number(&format!("26-{n}")), &booking("Somebody"), &photos[n])
                    .unwrap()
            };
            scope.spawn(move || (first..MANY).step_by(2).for_each(|n| drop(push(n))));
        }
    });
    let batch = u64::try_from(SWITCH_BATCH_LEN_MAX).unwrap();
    daemon.console("admin-1").switch_model(&order(&plain_models(), 0)).unwrap();
    let first = look_until(&daemon.console("admin-1"), |view| view.embedded >= batch);
    assert!(first.next.is_some() && first.embedded < first.total, "it has a middle: {first:?}");
    daemon.kill();

    let mut daemon = site.start("test");
    let resumed = daemon.console("admin-1").model().unwrap();
    assert!(
        resumed.next == first.next && resumed.embedded >= first.embedded,
        "{resumed:?} after {first:?}"
    );
    // Some of these are embedded by now and some are not.
    let feed = daemon.feed("slmpd");
    for n in 0..6 {
        feed.release(&number(&format!("26-{n}")), "expunged").unwrap();
    }
    feed.put_booking(&number("26-6"), &booking("Somebody"), &edition(&small(COLLINS), 40)).unwrap();
    let found = |daemon: &Daemon<'_>, model: &Path| {
        let mut wide = request();
        wide.candidates = REVIEWED_CANDIDATES_MAX;
        let array = daemon.array(&daemon.desk("rtcc-1"), &wide, &photos[0]).unwrap();
        let health = daemon.console("rtcc-1").health().unwrap();
        assert_eq!(
            (health.model, array.numbers().len(), health.gallery_rows),
            (id(model), MANY - 6, (MANY - 6) as u64)
        );
        assert!(
            (0..6).all(|n| !numbers(&array).contains(&format!("26-{n}").as_str())),
            "a released booking is found"
        );
    };
    if daemon.console("admin-1").model().unwrap().active == id(&models()) {
        found(&daemon, &models());
    }
    daemon.kill();

    let mut daemon = site.start("test");
    switched(&daemon.console("admin-1"), &plain_models());
    found(&daemon, &plain_models());
    daemon.kill();
    let daemon = site.start("test");
    found(&daemon, &plain_models());
    assert_eq!(daemon.stop(), Some(0));
    let log = site.log();
    let of = |wanted: LeafKind| {
        log.iter().filter(|(kind, _)| *kind == wanted).map(|(_, detail)| detail).collect::<Vec<_>>()
    };
    assert_eq!(
        (of(LeafKind::ModelSwitchBegun).len(), of(LeafKind::ModelSwitched).len()),
        (1, 1),
        "begun once and ended once"
    );
    let turned = of(LeafKind::ModelSwitched)[0];
    assert_eq!(
        (turned["bookings"].as_u64(), turned["suppressed"].as_u64()),
        (Some((MANY - 6) as u64), Some(0))
    );
}

#[test]
fn a_switch_that_is_given_up_leaves_everything_as_it_was() {
    let site = site(&night_blind_models());
    let daemon = site.start("test");
    let (feed, console, admin) =
        (daemon.feed("slmpd"), daemon.desk("rtcc-1"), daemon.console("admin-1"));
    refused(
        &admin.cancel_switch().unwrap_err(),
        404,
        "no-switch",
        "no switch of the model is under way",
    );
    // One that the other model can't use keeps the switch from ending by itself.
    let mut photos: Vec<Vec<u8>> = several(SWITCH_BATCH_LEN_MAX + 3);
    photos.push(edition(&small(BIDEN), -120));
    for (photo, n) in photos.iter().zip(0..) {
        feed.put_booking(&number(&format!("26-{n}")), &booking("Somebody"), photo).unwrap();
    }
    let probe = photo(OBAMA_LATER);
    let shown = |array: Array| {
        let bits = |candidate: &CandidateCard| {
            (candidate.version, candidate.known.as_ref().unwrap().score.to_bits())
        };
        array.candidates().map(bits).collect::<Vec<_>>()
    };
    let before = shown(daemon.array(&console, &request(), &probe).unwrap());
    admin.switch_model(&order(&night_blind_models(), 0)).unwrap();
    look_until(&admin, |view| view.embedded > 0);
    let identity = site.console_identity("admin-1");
    let status = daemon.smrtctl(&identity, &["model", "status"]);
    assert!(
        status.status == Some(0)
            && status.stdout.contains(&format!("next        {}", id(&night_blind_models()))),
        "{status:?}"
    );
    let cancelled = daemon.smrtctl(&identity, &["model", "cancel"]);
    assert!(
        cancelled.status == Some(0) && cancelled.stdout.contains(&id(&models())),
        "{cancelled:?}"
    );
    let settled = look_until(&admin, |view| view.state == ModelState::Settled);
    assert_eq!(
        (settled.active, settled.next, settled.embedded),
        (id(&models()), None, 0),
        "and nothing of the other model is left"
    );
    assert_eq!(shown(daemon.array(&console, &request(), &probe).unwrap()), before);

    // It can be asked for again, and then it ends.
    admin.switch_model(&order(&night_blind_models(), 1)).unwrap();
    switched(&admin, &night_blind_models());
    assert_ne!(shown(daemon.array(&console, &request(), &probe).unwrap()), before);
    assert_eq!(daemon.stop(), Some(0));
    let kinds: Vec<LeafKind> = site
        .log()
        .into_iter()
        .map(|(kind, _)| kind)
        .filter(|kind| (64..80).contains(&(*kind as u16)))
        .collect();
    assert_eq!(
        kinds,
        [
            LeafKind::ModelSwitchBegun,
            LeafKind::ModelSwitchGivenUp,
            LeafKind::ModelSwitchBegun,
            LeafKind::BookingsSuppressed,
            LeafKind::ModelSwitched
        ]
    );
}

#[test]
fn a_console_without_administration_neither_switches_nor_looks() {
    let site = site(&plain_models());
    let daemon = site.start("test");
    for (identity, kind) in [
        (site.console_identity("rtcc-1"), "not-this-role"),
        (site.feed_identity("slmpd"), "not-this-role"),
        (site.console_identity("unlisted"), "not-in-roster"),
    ] {
        let client = daemon.client(&identity);
        let leaves = daemon.leaves();
        for error in [
            client.switch_model(&order(&plain_models(), 0)).unwrap_err(),
            client.model().unwrap_err(),
            client.cancel_switch().unwrap_err(),
        ] {
            refused(&error, 403, kind, "");
        }
        assert_eq!(daemon.leaves(), leaves + 1, "the tries of one hour are gathered");
    }
    let admin = daemon.console("admin-1");
    assert_eq!(admin.model().unwrap().state, ModelState::Settled);
    assert_eq!(daemon.stop(), Some(0));
    let tries = site.refusals(LeafKind::CallerRefused);
    assert_eq!(tries.len(), 9);
    assert!(
        tries[0].contains("may not switch the model, that is for a console with administration"),
        "{tries:?}"
    );
}

#[test]
fn a_photo_unusable_under_the_next_model_blocks_the_switch_until_accepted() {
    let blind = night_blind_models();
    let site = site(&blind);
    let daemon = site.start("test");
    let (feed, admin) = (daemon.feed("slmpd"), daemon.console("admin-1"));
    let dark = |light| edition(&small(BIDEN), light);
    let mut versions = HashMap::new();
    for (n, photo) in [("26-1", dark(-120)), ("26-2", photo(OBAMA)), ("26-3", photo(COLLINS))] {
        versions
            .insert(n, feed.put_booking(&number(n), &booking("Somebody"), &photo).unwrap().version);
    }
    let identity = site.console_identity("admin-1");
    let blocked = daemon.smrtctl(&identity, &["model", "switch", &id(&blind), "--wait"]);
    assert_eq!(blocked.status, Some(2), "{blocked:?}");
    for words in
        ["waits for a decision", "failed      1 (0 accepted)", "1 no face", "--accept-failed 1"]
    {
        assert!(blocked.stdout.contains(words), "wanted '{words}' in {}", blocked.stdout);
    }
    // What comes while it waits is embedded by both, and may fail too.
    versions.insert(
        "26-4",
        feed.put_booking(&number("26-4"), &booking("Somebody"), &dark(-118)).unwrap().version,
    );
    let view = admin.model().unwrap();
    assert_eq!(
        (view.failed, view.embedded, view.total, view.state),
        (2, 2, 4, ModelState::Blocked)
    );
    let seen = daemon.array(&daemon.desk("rtcc-1"), &request(), &photo(OBAMA_LATER)).unwrap();
    assert_eq!(
        (admin.health().unwrap().model, seen.numbers().len()),
        (id(&models()), 4),
        "until then everything is found"
    );

    let accepted = daemon
        .smrtctl(&identity, &["model", "switch", &id(&blind), "--accept-failed", "2", "--wait"]);
    assert_eq!(accepted.status, Some(0), "{accepted:?}");
    let found = |daemon: &Daemon<'_>| {
        let array = daemon.array(&daemon.desk("rtcc-1"), &request(), &photo(OBAMA_LATER)).unwrap();
        let known = array.candidates().filter_map(|candidate| candidate.known.as_ref());
        let frames: HashMap<String, [f32; 4]> =
            known.map(|known| (known.number.to_string(), known.frame)).collect();
        (daemon.console("rtcc-1").health().unwrap().gallery_rows, numbers(&array).join(" "), frames)
    };
    let (rows, shown, frames) = found(&daemon);
    assert_eq!((rows, shown.as_str()), (2, "26-2 26-3"));
    let detected = Models::load(&blind).unwrap().examine(&photo(OBAMA), FaceChoice::Only).unwrap();
    assert_eq!(
        frames["26-2"], detected.faces[detected.chosen].frame,
        "the frame is of the model that compared"
    );
    assert_eq!(feed.booking(&number("26-1")).unwrap().state, BookingState::Unusable);
    let told = daemon.smrtctl(&site.feed_identity("slmpd"), &["feed", "status", "26-1"]);
    assert!(told.stdout.contains("push it again with another photo"), "{told:?}");
    refused(
        &feed.put_booking(&number("26-1"), &booking("Somebody"), &dark(-120)).unwrap_err(),
        422,
        "no-face",
        "no face found",
    );
    feed.put_booking(&number("26-1"), &booking("Somebody"), &dark(0)).unwrap();
    assert_eq!(found(&daemon).1, "26-1 26-2 26-3");
    assert_eq!(daemon.stop(), Some(0));
    let log = site.log();
    let of = |wanted: LeafKind| {
        log.iter().filter(|(kind, _)| *kind == wanted).map(|(_, detail)| detail).collect::<Vec<_>>()
    };
    let mut suppressed: Vec<_> =
        of(LeafKind::BookingsSuppressed)[0]["bookings"].as_array().unwrap().clone();
    suppressed.sort_by_key(|booking| booking["version"] != versions["26-1"].to_string());
    let wanted = |n| serde_json::json!({"version": versions[n].to_string(), "reason": "no face"});
    assert_eq!(suppressed, [wanted("26-1"), wanted("26-4")]);
    assert_eq!(
        of(LeafKind::ModelSwitchBegun)
            .iter()
            .map(|d| d["accept_failed"].as_u64().unwrap())
            .collect::<Vec<_>>(),
        [0, 2]
    );

    // Back to the former models: what they can use is found again.
    site.configure_next(&blind, &models(), "");
    let daemon = site.start("test");
    assert_eq!(found(&daemon).1, "26-1 26-2 26-3", "suppressed across a restart");
    daemon.console("admin-1").switch_model(&order(&models(), 0)).unwrap();
    switched(&daemon.console("admin-1"), &models());
    assert_eq!(found(&daemon).1, "26-1 26-2 26-3 26-4");
    assert_eq!(daemon.feed("slmpd").booking(&number("26-4")).unwrap().state, BookingState::Live);
}

#[test]
fn a_switch_to_what_is_not_there_or_without_room_is_told_what_was_found_and_wanted() {
    let site = site(&plain_models());
    let daemon = site.start("test");
    let admin = daemon.console("admin-1");
    daemon
        .feed("slmpd")
        .put_booking(&number("26-1"), &booking("Somebody"), &photo(COLLINS))
        .unwrap();
    let ask = |model: &str| {
        admin.switch_model(&ModelSwitchRequest { model: model.to_owned(), accept_failed: 0 })
    };
    refused(&ask("abc").unwrap_err(), 400, "malformed", "not 64 hexadecimal digits");
    let other = "ab".repeat(32);
    let error = ask(&other).unwrap_err();
    for words in [other, id(&models()), id(&plain_models())] {
        refused(&error, 409, "model-not-switched", &words);
    }
    let leaves = daemon.leaves();
    assert_eq!(
        ask(&id(&models())).unwrap().state,
        ModelState::Settled,
        "the models in use are switched to already"
    );
    assert_eq!(daemon.leaves(), leaves);
    assert_eq!(daemon.stop(), Some(0));

    site.configure_next(&models(), &plain_models(), "switch_memory_mib = 0\n");
    let daemon = site.start("test");
    let error = daemon.console("admin-1").switch_model(&order(&plain_models(), 0)).unwrap_err();
    refused(
        &error,
        409,
        "model-not-switched",
        "switch_memory_mib allows 0 MiB of memory for a second gallery, wanted 1 MiB for 1 rows",
    );
}

#[test]
fn the_box_starts_with_the_folder_whose_models_its_vectors_are_of() {
    let site = site(&plain_models());
    let daemon = site.start("test");
    daemon
        .feed("slmpd")
        .put_booking(&number("26-1"), &booking("Somebody"), &photo(COLLINS))
        .unwrap();
    daemon.console("admin-1").switch_model(&order(&plain_models(), 0)).unwrap();
    switched(&daemon.console("admin-1"), &plain_models());
    assert_eq!(daemon.stop(), Some(0));
    for (first, next) in [(models(), plain_models()), (plain_models(), models())] {
        site.configure_next(&first, &next, "");
        let daemon = site.start("test");
        assert_eq!(daemon.console("rtcc-1").health().unwrap().model, id(&plain_models()));
        assert_eq!(daemon.stop(), Some(0));
    }
    site.configure_next(&models(), &night_blind_models(), "");
    let ended = site.try_start(None).err().expect("no folder has the models");
    assert_eq!(ended.status, Some(EXIT_CONFIG), "{ended:?}");
    for words in [id(&plain_models()), id(&models()), id(&night_blind_models())] {
        assert!(ended.stderr.contains(&words), "wanted '{words}' in {}", ended.stderr);
    }
}

#[test]
fn a_switch_whose_models_are_gone_waits_for_them_and_the_box_works_on() {
    let site = site(&plain_models());
    let mut daemon = site.start("test");
    let photos: Vec<Vec<u8>> = several(SWITCH_BATCH_LEN_MAX + 8);
    for (photo, n) in photos.iter().zip(0..) {
        daemon
            .feed("slmpd")
            .put_booking(&number(&format!("26-{n}")), &booking("Somebody"), photo)
            .unwrap();
    }
    daemon.console("admin-1").switch_model(&order(&plain_models(), 0)).unwrap();
    daemon.kill();
    site.configure("");
    let daemon = site.start("test");
    let view = daemon.console("admin-1").model().unwrap();
    assert_eq!(
        (view.state, view.active, view.next),
        (ModelState::Absent, id(&models()), Some(id(&plain_models())))
    );
    daemon
        .feed("slmpd")
        .put_booking(&number("26-100"), &booking("Somebody"), &photo(COLLINS))
        .unwrap();
    assert_eq!(
        daemon.array(&daemon.desk("rtcc-1"), &request(), &photo(COLLINS)).unwrap().numbers()[0],
        "26-100"
    );
    assert_eq!(daemon.stop(), Some(0));
    site.configure_next(&models(), &plain_models(), "");
    let daemon = site.start("test");
    switched(&daemon.console("admin-1"), &plain_models());
    let array = daemon.array(&daemon.desk("rtcc-1"), &request(), &photo(COLLINS)).unwrap();
    let rows = daemon.console("rtcc-1").health().unwrap().gallery_rows;
    assert_eq!((array.numbers()[0], rows), ("26-100", photos.len() as u64 + 1));
}

#[test]
fn two_galleries_share_a_device_while_the_model_is_changed() {
    let site = Site::staffed();
    site.configure_next_on("gpu", &models(), &plain_models(), "");
    let daemon = match site.try_start(Some("test")) {
        Ok(daemon) => daemon,
        Err(ended)
            if ended.status == Some(EXIT_CONFIG) && std::env::var_os("REQUIRE_GPU").is_none() =>
        {
            eprintln!(
                "NOT RUN: the story of a device's two galleries, this machine has no adapter: {}",
                ended.stderr
            );
            return;
        }
        Err(ended) => panic!("{ended:?}"),
    };
    let photos: Vec<(String, Vec<u8>)> =
        several(4).into_iter().zip(0..).map(|(photo, n)| (format!("26-{n}"), photo)).collect();
    for (named, photo) in &photos {
        daemon.feed("slmpd").put_booking(&number(named), &booking("Somebody"), photo).unwrap();
    }
    let probe = photo(OBAMA_LATER);
    let likeness = Likeness::of(&[models(), plain_models()], &probe, &photos);
    let hold = |model: &Path| {
        let array = daemon.array(&daemon.desk("rtcc-1"), &request(), &probe).unwrap();
        let health = daemon.console("rtcc-1").health().unwrap();
        assert_eq!(
            (health.engine.as_str(), &health.model, array.numbers().len()),
            ("gpu", &id(model), 4)
        );
        likeness.hold(&array, &[&id(model)]);
    };
    hold(&models());
    daemon.console("admin-1").switch_model(&order(&plain_models(), 0)).unwrap();
    switched(&daemon.console("admin-1"), &plain_models());
    hold(&plain_models());
}
