//! Witnesses come by, keep the log and cosign it; one that is shown another log than before
//! refuses, and the box's doors shut.

use std::fs;
use std::path::Path;
use std::process::Command;

use smrt::audit::{Edge, LeafKind, Quorum, TileId, entries, is_included, leaf_hash};
use smrt::client::log_folder::LogFolder;

use crate::desks::Hand;
use crate::photos::{COLLINS, OBAMA, photo};
use crate::site::{Daemon, EXIT_CONFIG, Site, booking, number, request};

/// Two that are independent and an agency's; two of the three make a quorum.
const WITNESSES: [(&str, Option<&str>); 3] =
    [("court", None), ("press", None), ("slmpd-keeper", Some("slmpd"))];

fn witnessed_site() -> Site {
    let site = Site::new();
    site.add_witnesses(&WITNESSES, 2, 60);
    site
}

fn visit(daemon: &Daemon<'_>, site: &Site, id: &str) -> crate::site::Ended {
    match id {
        "slmpd-keeper" => daemon.witness(id, &site.feed_identity("slmpd")),
        id => daemon.witness(id, &site.witness_identity(id)),
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

/// The leaves that an archive holds, checked against its checkpoint.
fn leaves(archive: &LogFolder) -> Vec<Vec<u8>> {
    let checkpoint = archive.checkpoint().unwrap().unwrap().checkpoint().unwrap();
    let mut all = Vec::new();
    for tile in
        TileId::all(checkpoint.leaves).filter(|tile| tile.holds == smrt::audit::Holds::Entries)
    {
        let bundle = archive.tile(tile).unwrap();
        all.extend(entries(tile, &bundle).unwrap().into_iter().map(<[u8]>::to_vec));
    }
    let mut edge = Edge::default();
    for leaf in &all {
        edge.append(leaf);
    }
    assert_eq!((edge.leaves(), edge.root()), (checkpoint.leaves, checkpoint.root));
    all
}

#[test]
fn witnesses_keep_every_leaf_and_a_quorum_of_them_makes_the_log_witnessed() {
    let site = witnessed_site();
    let daemon = site.start("test");
    let feed = daemon.feed("slmpd");
    let booked = feed.put_booking(&number("26-1"), &booking("Roe, Jane"), &photo(COLLINS)).unwrap();
    let first = visit(&daemon, &site, "court");
    assert_eq!(
        (first.status, &*first.stdout),
        (Some(0), "cosigned 2 leaves; a quorum has yet to cosign it\n"),
        "{first:?}"
    );
    assert_eq!(feed.health().unwrap().witnessed, None);
    feed.put_booking(&number("26-2"), &booking("Roe, Jane"), &photo(OBAMA)).unwrap();
    let agency = visit(&daemon, &site, "slmpd-keeper");
    assert_eq!(
        &*agency.stdout, "cosigned 2 leaves; a quorum has cosigned it\n",
        "what they are asked to sign stood still: {agency:?}"
    );
    assert_eq!(feed.health().unwrap().witnessed, Some(2));
    for id in ["court", "press"] {
        assert_eq!(visit(&daemon, &site, id).status, Some(0));
    }
    let health = feed.health().unwrap();
    assert!(health.witnessed.unwrap() > 3 && health.alarms.is_empty(), "{health:?}");

    let proof = feed.proof(booked.leaf).unwrap();
    let quorum = Quorum::parse(&feed.policy().unwrap()).unwrap();
    let note = smrt::audit::Note::parse(&proof.checkpoint).unwrap();
    let checkpoint = note.checkpoint_of(&site.log_verifier()).unwrap();
    assert!(
        quorum.witnessed(&note).complete.is_some(),
        "a proof comes with a checkpoint that is witnessed"
    );
    let kept = leaves(&LogFolder::at(&site.path("kept-press")));
    let leaf = leaf_hash(&kept[usize::try_from(booked.leaf).unwrap()]);
    assert!(is_included(&leaf, booked.leaf, checkpoint.leaves, &checkpoint.root, &proof.path));
    assert_eq!(daemon.stop(), Some(0));
    let log = site.ledger().log().unwrap();
    assert!(log.starts_with(&kept), "a witness keeps the very leaves");
    let reads = site.log().iter().filter(|(kind, _)| *kind == LeafKind::LogRead).count();
    assert_eq!(reads, 6, "who read the log is in it: a first leaf a caller, and one with how much");
}

#[test]
fn nobody_but_a_listed_witness_cosigns_and_only_what_this_log_has_signed() {
    let site = witnessed_site();
    let daemon = site.start("test");
    daemon
        .feed("stlco")
        .put_booking(&number("26-1"), &booking("Roe, Jane"), &photo(COLLINS))
        .unwrap();
    let post = |identity: &crate::raw::Identity, note: &str| {
        daemon
            .line(identity)
            .ask("POST", "/v1/log/cosignatures", "text/plain", note.as_bytes())
            .unwrap()
    };
    let note = daemon.feed("slmpd").pending_checkpoint().unwrap();
    let court = site.witness_identity("court");
    post(&site.console_identity("rtcc-1"), &note.to_string()).is_problem(
        403,
        "not-this-role",
        "that is for a witness of the log",
    );
    post(&site.feed_identity("stlco"), &note.to_string()).is_problem(
        403,
        "not-in-roster",
        "is not in the roster",
    );
    post(&court, &note.to_string()).is_problem(
        422,
        "cosignature-invalid",
        "no valid cosignature by the key that the roster has for witness 'court'",
    );
    post(&court, "no note").is_problem(422, "cosignature-invalid", "it has no signature");
    let mut cosigned = note.clone();
    let press = smrt::audit::CosignerKey::new(
        &crate::site::witness_name("press"),
        &fs::read(site.witness_secret("press")).unwrap(),
    )
    .unwrap();
    press.cosign(&mut cosigned, 1_790_000_000);
    post(&court, &cosigned.to_string()).is_problem(
        422,
        "cosignature-invalid",
        "no valid cosignature",
    );
    let stranger =
        smrt::audit::LogKey::new("test.example/smrt", &[9; 32]).unwrap().sign(2, [7; 32]);
    post(&court, &stranger).is_problem(422, "cosignature-invalid", "not signed by this log's key");
    daemon
        .feed("stlco")
        .put_booking(&number("26-2"), &booking("Roe, Jane"), &photo(OBAMA))
        .unwrap();
    let secret = fs::read(site.witness_secret("court")).unwrap();
    let own = smrt::audit::CosignerKey::new(&crate::site::witness_name("court"), &secret).unwrap();
    let mut newest = daemon.feed("slmpd").cosigned_checkpoint().unwrap();
    own.cosign(&mut newest, 1_790_000_000);
    post(&court, &newest.to_string()).is_problem(
        409,
        "not-pending",
        "is not the one that witnesses are asked to cosign",
    );
    let health = daemon.feed("slmpd").health().unwrap();
    assert_eq!(
        (health.witnessed, health.alarms),
        (None, Vec::new()),
        "nothing of this is evidence of anything"
    );
}

#[test]
fn a_witness_that_is_shown_a_fork_refuses_keeps_the_evidence_and_the_doors_shut() {
    let site = witnessed_site();
    let daemon = site.start("test");
    let push = |daemon: &Daemon<'_>, n: &str| {
        daemon.feed("stlco").put_booking(&number(n), &booking("Roe, Jane"), &photo(COLLINS))
    };
    push(&daemon, "26-1").unwrap();
    assert_eq!(daemon.stop(), Some(0));
    copy(&site.path("state"), &site.path("backup"));

    // The log that the witnesses see and cosign.
    let daemon = site.start("test");
    visit(&daemon, &site, "court");
    visit(&daemon, &site, "press");
    push(&daemon, "26-2").unwrap();
    let seen = visit(&daemon, &site, "court");
    assert_eq!(seen.status, Some(0), "{seen:?}");
    assert_eq!(visit(&daemon, &site, "press").status, Some(0));
    assert_eq!(daemon.stop(), Some(0));

    // Another history from the backup on, as if nobody had kept the first: the doors wait for the
    // witnesses.
    fs::rename(site.path("state"), site.path("taken-back")).unwrap();
    copy(&site.path("backup"), &site.path("state"));
    let roster = fs::read_to_string(site.path("roster.toml")).unwrap();
    site.configure("");
    let daemon = site.start("test");
    for n in ["26-3", "26-4", "26-5", "26-6", "26-7", "26-8", "26-9"] {
        push(&daemon, n).unwrap();
    }
    assert_eq!(daemon.stop(), Some(0));
    fs::write(site.path("roster.toml"), roster).unwrap();
    let daemon = site.start("test");
    let shut = push(&daemon, "26-10").unwrap_err();
    assert!(
        shut.to_string().contains(
            "the doors are shut: witnesses have yet to confirm that this is the newest log"
        ) && shut.passes(),
        "{shut}"
    );
    let refused = visit(&daemon, &site, "court");
    assert_eq!(refused.status, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("does not continue this witness' copy"), "{refused:?}");
    assert!(
        refused.stderr.contains("The server was shown its earlier checkpoint, and has closed."),
        "{refused:?}"
    );
    let evidence =
        fs::read_dir(site.path("kept-court/evidence")).unwrap().next().unwrap().unwrap().path();
    let (shown, before) = (LogFolder::at(&evidence), LogFolder::at(&evidence.join("before")));
    for archive in [&shown, &before] {
        archive
            .checkpoint()
            .unwrap()
            .unwrap()
            .checkpoint_of(&site.log_verifier())
            .expect("both are signed by the log itself");
    }
    let health = daemon.console("rtcc-1").health().unwrap();
    assert_eq!(health.doors, smrt::api::wire::DoorsView::Shut);
    assert_eq!(health.alarms[0].alarm, "log_in_doubt");
    assert!(
        site.journal()
            .contains("alarm log_in_doubt: witness 'court' has a checkpoint of this log over"),
        "{}",
        site.journal()
    );
    let operator = serde_json::json!({"person": "op-rtcc-1"});
    let desk = Hand::new(&daemon, &site.console_identity("rtcc-1"));
    desk.post("/v1/session/challenge", &operator).is_problem(
        503,
        "doors-shut",
        "the doors are shut",
    );
    assert!(visit(&daemon, &site, "court").status == Some(2), "it goes on refusing");
}

#[test]
fn a_fork_found_at_work_is_in_health_journal_log_and_public_report() {
    let site = witnessed_site();
    let anchor = format!("anchor = \"{}\"", site.path("anchor").display());
    site.configure_keeping_roster(&anchor);
    let daemon = site.start("test");
    let push = |daemon: &Daemon<'_>, n: &str| {
        daemon.feed("stlco").put_booking(&number(n), &booking("Roe, Jane"), &photo(COLLINS))
    };
    push(&daemon, "26-1").unwrap();
    for id in ["court", "press", "court", "press"] {
        assert_eq!(visit(&daemon, &site, id).status, Some(0));
    }
    assert_eq!(daemon.stop(), Some(0));
    // The whole machine is set back to now later on, anchor and all: it can't know.
    copy(&site.path("state"), &site.path("backup"));
    copy(&site.path("anchor"), &site.path("anchor-backup"));
    let daemon = site.start("test");
    for n in ["26-2", "26-3"] {
        push(&daemon, n).unwrap();
    }
    for id in ["court", "press", "court", "press"] {
        assert_eq!(visit(&daemon, &site, id).status, Some(0));
    }
    assert_eq!(daemon.stop(), Some(0));
    fs::rename(site.path("state"), site.path("taken-back")).unwrap();
    copy(&site.path("backup"), &site.path("state"));
    fs::rename(site.path("anchor-backup"), site.path("anchor")).unwrap();
    let daemon = site.start("test");
    for n in ["26-4", "26-5", "26-6", "26-7", "26-8", "26-9", "26-10", "26-11"] {
        push(&daemon, n).unwrap();
    }
    let refused = visit(&daemon, &site, "press");
    assert_eq!(refused.status, Some(2), "{refused:?}");
    let health = daemon.console("rtcc-1").health().unwrap();
    assert_eq!(
        (health.doors, &*health.alarms[0].alarm),
        (smrt::api::wire::DoorsView::Shut, "log_in_doubt")
    );
    assert!(health.alarms[0].leaf.is_some(), "it was logged before the doors shut");
    assert!(site.journal().contains("alarm log_in_doubt: witness 'press'"), "{}", site.journal());
    assert!(
        push(&daemon, "26-12")
            .unwrap_err()
            .to_string()
            .contains("the doors are shut: witness 'press' has a checkpoint")
    );
    let today = time::OffsetDateTime::now_utc().date();
    let (from, to, out) =
        (today.to_string(), today.next_day().unwrap().to_string(), site.path("figures"));
    let words = ["report", "public", "--from", &from, "--to", &to, "--out", out.to_str().unwrap()];
    let made = daemon.smrtctl(&site.console_identity("rtcc-1"), &words);
    assert_eq!(made.status, Some(0), "{made:?}");
    assert!(made.stdout.contains("in no leaf, because the server is closed"), "{made:?}");
    let (page, json) = (
        fs::read_to_string(site.path("figures.html")).unwrap(),
        fs::read_to_string(site.path("figures.json")).unwrap(),
    );
    assert!(json.contains("log_in_doubt") && page.contains("Log in doubt"), "{json}");
    assert_eq!(daemon.stop(), Some(0));
    let daemon = site.start("test");
    assert_eq!(
        daemon.console("rtcc-1").health().unwrap().doors,
        smrt::api::wire::DoorsView::Shut,
        "a restart opens nothing"
    );
}

#[test]
fn a_box_without_an_anchor_opens_when_a_quorum_has_cosigned_what_it_found() {
    let site = Site::staffed();
    let daemon = site.start("test");
    daemon
        .feed("stlco")
        .put_booking(&number("26-1"), &booking("Roe, Jane"), &photo(COLLINS))
        .unwrap();
    daemon.desk("rtcc-1");
    assert_eq!(daemon.stop(), Some(0));
    site.add_witnesses(&WITNESSES, 2, 60);
    let daemon = site.start("test");
    let console = daemon.console("rtcc-1");
    let leaves = console.health().unwrap().leaves;
    assert_eq!(console.health().unwrap().doors, smrt::api::wire::DoorsView::Waiting);
    let operator = serde_json::json!({"person": "op-rtcc-1"});
    let hand = Hand::new(&daemon, &site.console_identity("rtcc-1"));
    hand.post("/v1/session/challenge", &operator).is_problem(
        503,
        "doors-shut",
        "witnesses have yet to confirm",
    );
    assert_eq!(visit(&daemon, &site, "slmpd-keeper").status, Some(0));
    assert_eq!(
        console.health().unwrap().doors,
        smrt::api::wire::DoorsView::Waiting,
        "one is no quorum"
    );
    assert_eq!(
        console.health().unwrap().leaves,
        leaves,
        "a box whose doors are shut writes nothing"
    );
    assert_eq!(visit(&daemon, &site, "court").status, Some(0));
    assert_eq!(console.health().unwrap().doors, smrt::api::wire::DoorsView::Open);
    assert_eq!(
        daemon.array(&daemon.desk("rtcc-1"), &request(), &photo(COLLINS)).unwrap().numbers(),
        ["26-1"]
    );
    assert_eq!(daemon.stop(), Some(0));
}

#[test]
fn a_box_with_an_anchor_starts_at_once_and_an_older_state_folder_does_not_start() {
    let site = witnessed_site();
    site.configure_keeping_roster(&format!("anchor = \"{}\"", site.path("anchor").display()));
    let daemon = site.start("test");
    daemon
        .feed("stlco")
        .put_booking(&number("26-1"), &booking("Roe, Jane"), &photo(COLLINS))
        .unwrap();
    assert_eq!(daemon.stop(), Some(0));
    copy(&site.path("state"), &site.path("backup"));
    let ready = |daemon: &Daemon<'_>| {
        assert_eq!(
            daemon.console("rtcc-1").health().unwrap().doors,
            smrt::api::wire::DoorsView::Open
        )
    };
    // Nobody has cosigned anything yet, so there is no anchor.
    let daemon = site.start("test");
    visit(&daemon, &site, "court");
    visit(&daemon, &site, "press");
    ready(&daemon);
    daemon.feed("stlco").release(&number("26-1"), "record expunged").unwrap();
    visit(&daemon, &site, "court");
    assert_eq!(daemon.stop(), Some(0));
    let daemon = site.start("test");
    ready(&daemon);
    assert_eq!(daemon.stop(), Some(0));

    fs::rename(site.path("state"), site.path("taken-back")).unwrap();
    copy(&site.path("backup"), &site.path("state"));
    let ended =
        site.try_start(Some("test")).err().expect("the log is older than what was cosigned");
    assert_eq!(ended.status, Some(EXIT_CONFIG), "{ended:?}");
    assert!(
        ended.stderr.contains("this is a restored or rewritten state folder; supply the newer log"),
        "{ended:?}"
    );

    // An older copy of the log doesn't help; the newest that a witness kept does.
    let old = site.restore(&["--log", site.path("kept-press").to_str().unwrap()]);
    assert_eq!(old.status, Some(1), "{old:?}");
    assert!(old.stderr.contains("wanted at least"), "{old:?}");
    let restored = site.restore(&["--log", site.path("kept-court").to_str().unwrap()]);
    assert_eq!(restored.status, Some(0), "{restored:?}");
    assert!(
        restored.stdout.contains("1 bookings of the backup were released or replaced since"),
        "{restored:?}"
    );
    let daemon = site.start("test");
    ready(&daemon);
    let health = daemon.console("rtcc-1").health().unwrap();
    assert_eq!(
        health.gallery_rows, 0,
        "what was released while the backup lay there stays out of every search"
    );
    let again = daemon
        .feed("stlco")
        .put_booking(&number("26-1"), &booking("Roe, Jane"), &photo(COLLINS))
        .unwrap_err();
    assert_eq!(again.problem().unwrap().kind, "number-released", "{again}");
    assert_eq!(
        visit(&daemon, &site, "court").status,
        Some(0),
        "it continues what the witnesses have seen"
    );
    assert_eq!(visit(&daemon, &site, "press").status, Some(0));
    assert_eq!(daemon.stop(), Some(0));
    let kinds: Vec<LeafKind> = site.log_kinds();
    assert!(kinds.contains(&LeafKind::LogRestored) && kinds.contains(&LeafKind::Released));
}

#[test]
fn a_log_that_nobody_kept_goes_on_under_another_origin_without_bookings() {
    let site = witnessed_site();
    let anchor = format!("anchor = \"{}\"", site.path("anchor").display());
    site.configure_keeping_roster(&anchor);
    let daemon = site.start("test");
    let push = |daemon: &Daemon<'_>| {
        daemon.feed("stlco").put_booking(&number("26-1"), &booking("Roe, Jane"), &photo(COLLINS))
    };
    push(&daemon).unwrap();
    assert_eq!(daemon.stop(), Some(0));
    copy(&site.path("state"), &site.path("backup"));
    let daemon = site.start("test");
    visit(&daemon, &site, "court");
    visit(&daemon, &site, "press");
    visit(&daemon, &site, "court");
    assert_eq!(daemon.stop(), Some(0));
    fs::rename(site.path("state"), site.path("lost")).unwrap();
    copy(&site.path("backup"), &site.path("state"));
    assert_eq!(
        site.restore(&["--new-origin"]).status,
        Some(1),
        "the configuration still names the former origin"
    );
    let config = fs::read_to_string(site.config()).unwrap();
    fs::write(site.config(), config.replace("test.example/smrt", "test.example/smrt-2")).unwrap();
    let opened = site.restore(&["--new-origin"]);
    assert_eq!(opened.status, Some(0), "{opened:?}");
    let daemon = site.start("test");
    let console = daemon.console("rtcc-1");
    assert_eq!(
        console.health().unwrap().doors,
        smrt::api::wire::DoorsView::Waiting,
        "witnesses must accept it first"
    );
    assert_eq!(
        visit(&daemon, &site, "court").status,
        Some(1),
        "to one that knows the former key it is another log"
    );
    let log =
        smrt::audit::LogKey::new("test.example/smrt-2", &fs::read(site.path("log.key")).unwrap())
            .unwrap();
    for id in ["court", "press"] {
        let accepted =
            daemon.witness_of(id, &site.witness_identity(id), "anew", &log.verifier().to_string());
        assert_eq!(accepted.status, Some(0), "{accepted:?}");
    }
    assert_eq!(console.health().unwrap().gallery_rows, 0);
    assert_eq!(
        daemon.feed("stlco").booking(&number("26-1")).unwrap().state,
        smrt::api::wire::BookingState::Unusable
    );
    push(&daemon).unwrap();
    assert_eq!(console.health().unwrap().gallery_rows, 1);
    assert_eq!(daemon.stop(), Some(0));
    let kinds = site.log_kinds();
    let at = kinds.iter().position(|kind| *kind == LeafKind::OriginOpened).unwrap();
    assert_eq!(
        &kinds[..at],
        [LeafKind::Started, LeafKind::BookingIn, LeafKind::Stopped],
        "the backup's leaves stand before it"
    );
}
