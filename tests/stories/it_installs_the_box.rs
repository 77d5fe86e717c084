//! An installer makes keys and certificates, checks the configuration, starts the box, and is told
//! in plain words what is wrong.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;

use rcgen::{ExtendedKeyUsagePurpose, SanType};
use redb::{Database, TableDefinition};
use smrt::audit::LeafKind;
use smrt::booking::Identifier;
use smrt::client::console_session::{enrol_first_key, shared_key};
use smrt::roster::CertificateName;
use smrt::store::StateKind;
use smrt::tls::authority::Authority;
use smrt::tls::key_maker::KeyMaker;

use crate::desks::{Hand, refused, relying_party};
use crate::photos::{COLLINS, photo};
use crate::raw::Form;
use crate::site::{
    EXIT_CONFIG, Ended, MODEL, PATIENCE, Site, booking, booking_json, ended, models, number,
    request_json,
};

/// What is wrong with a site, and the words that name it.
type Fault = (fn(&Site), &'static str);

fn smrtctl(words: &[&str]) -> Ended {
    ended(Command::new(env!("CARGO_BIN_EXE_smrtctl")).args(words))
}

/// Breaks a site of its own with each fault: `check` and `run` name it and end with 78.
fn name_each_and_end_with_78(faults: &[Fault]) {
    for (break_it, words) in faults {
        let site = Site::new();
        break_it(&site);
        let checked = site.check();
        assert_eq!(checked.status, Some(EXIT_CONFIG), "{words}: {checked:?}");
        let wrong = checked.stdout.find("WRONG").unwrap_or_else(|| panic!("{checked:?}"));
        assert!(checked.stdout[wrong..].contains(words), "wanted '{words}' in {}", checked.stdout);
        let ended = site
            .try_start(Some("test"))
            .err()
            .unwrap_or_else(|| panic!("the daemon runs in spite of: {words}"));
        assert_eq!(ended.status, Some(EXIT_CONFIG), "{words}: {ended:?}");
        assert!(ended.stderr.contains(words), "wanted '{words}' in {}", ended.stderr);
        assert!(!site.path("state/smrt.redb").exists(), "{words}: a state was made");
    }
}

fn write_key(site: &Site, name: &str, bytes: &[u8], mode: u32) {
    fs::write(site.path(name), bytes).unwrap();
    fs::set_permissions(site.path(name), Permissions::from_mode(mode)).unwrap();
}

/// Gives the site a folder of models of its own.
fn copy_models(site: &Site) {
    let own = site.path("models");
    fs::create_dir(&own).unwrap();
    for entry in fs::read_dir(models()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), own.join(entry.file_name())).unwrap();
        }
    }
    site.write_config("cpu", &own, "");
}

fn embedder(site: &Site) -> std::path::PathBuf {
    site.path("models/face_recognition_sface_2021dec.f32.onnx")
}

#[test]
fn a_box_is_installed_with_the_command_alone_and_takes_a_booking() {
    let mut site = Site::bare();
    let dir = site.path("authority");
    let (dir, key) = (dir.to_str().unwrap(), site.path("master.key"));
    for words in [
        &["authority", "init", "--dir", dir, "--name", "Fusion center"][..],
        &["authority", "issue", "server", "--dir", dir, "localhost"],
        &["authority", "issue", "feed", "--dir", dir, "slmpd"],
        &["authority", "issue", "device", "--dir", dir, "rtcc-1"],
        &["key", "new", key.to_str().unwrap()],
        &["key", "new", site.path("log.key").to_str().unwrap()],
    ] {
        assert_eq!(smrtctl(words).status, Some(0), "{words:?}");
    }
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::read(&key).unwrap();
    assert_eq!(
        smrtctl(&["key", "new", key.to_str().unwrap()]).status,
        Some(1),
        "a key is never overwritten"
    );
    assert_eq!((before.len(), &before), (32, &fs::read(&key).unwrap()));
    fs::create_dir(site.path("state")).unwrap();
    site.configure("");
    site.be_real(&KeyMaker::of_a_root("Maker", MODEL).unwrap());

    let loose = site.check();
    assert!(loose.stdout.contains("ceilings: WARNING: 0 s between two"), "{loose:?}");
    site.set_ceilings(5, 30, 100);
    let checked = site.check();
    assert_eq!(checked.status, Some(0), "{checked:?}");
    assert!(
        checked.stdout.contains("All is right") && !checked.stdout.contains("WRONG"),
        "{}",
        checked.stdout
    );
    assert!(
        checked.stdout.contains("--create-as real"),
        "the first start is explained: {}",
        checked.stdout
    );
    assert!(fs::read_dir(site.path("state")).unwrap().next().is_none(), "a check changes nothing");

    let daemon = site.start("real");
    daemon
        .feed("slmpd")
        .put_booking(&number("26-1"), &booking("Eileen Collins"), &photo(COLLINS))
        .unwrap();
    let status = daemon.smrtctl(&site.feed_identity("slmpd"), &["feed", "status", "26-1"]);
    assert!(status.status == Some(0) && status.stdout.contains("state       live"), "{status:?}");
    assert_eq!(daemon.console("rtcc-1").health().unwrap().gallery_rows, 1);
}

#[test]
fn a_wrong_key_is_named_by_check_and_run() {
    name_each_and_end_with_78(&[
        (|site| fs::remove_file(site.path("master.key")).unwrap(), "master.key can't be read"),
        (
            |site| write_key(site, "log.key", &[2; 32], 0o644),
            "log.key can be read by others (mode 644), wanted 600 or 400",
        ),
        (|site| write_key(site, "master.key", &[1; 31], 0o600), "31 bytes, wanted 32"),
        (|site| write_key(site, "log.key", &[2; 33], 0o600), "33 bytes, wanted 32"),
    ]);
}

#[test]
fn a_wrong_configuration_or_roster_is_named_by_check_and_run() {
    name_each_and_end_with_78(&[
        (|site| site.configure("threshold = 0.9"), "unknown field `threshold`"),
        (|site| fs::remove_file(site.config()).unwrap(), "smrtd.toml can't be read"),
        (|site| fs::remove_file(site.path("roster.toml")).unwrap(), "roster.toml can't be read"),
        (
            |site| {
                let twice = fs::read_to_string(site.path("roster.toml"))
                    .unwrap()
                    .replace("rtcc-2", "rtcc-1");
                fs::write(site.path("roster.toml"), twice).unwrap();
            },
            "'rtcc-1' stands there twice",
        ),
        (|site| fs::remove_dir(site.path("state")).unwrap(), "No such file or directory"),
    ]);
}

#[test]
fn a_model_that_is_absent_or_altered_is_named_by_check_and_run() {
    name_each_and_end_with_78(&[
        (
            |site| {
                copy_models(site);
                fs::remove_file(embedder(site)).unwrap();
            },
            "is absent: run `smrtctl model fetch`",
        ),
        (
            |site| {
                copy_models(site);
                let mut bytes = fs::read(embedder(site)).unwrap();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                fs::write(embedder(site), bytes).unwrap();
            },
            "its manifest wants",
        ),
    ]);
}

#[test]
fn a_certificate_that_ended_or_does_not_fit_is_named_by_check_and_run() {
    name_each_and_end_with_78(&[
        (
            |site| fs::remove_file(site.server_identity().certificate).unwrap(),
            "server-localhost.pem can't be read",
        ),
        (|site| fs::write(site.crl(), "no list").unwrap(), "the revocation list"),
        (
            |site| {
                let (server, feed) = (site.server_identity(), site.feed_identity("slmpd"));
                fs::copy(feed.key, server.key).unwrap();
            },
            "don't fit together",
        ),
        (
            |site| {
                let name = SanType::DnsName("localhost".try_into().unwrap());
                site.odd_identity(
                    "server-localhost",
                    vec![name],
                    ExtendedKeyUsagePurpose::ServerAuth,
                    (-30, -3),
                );
            },
            "server-localhost.pem expired ",
        ),
    ]);
}

#[test]
fn check_says_that_a_revocation_list_has_ended() {
    let site = Site::new();
    site.let_the_list_end_in(-1);
    let checked = site.check();
    assert_eq!(checked.status, Some(EXIT_CONFIG));
    assert!(checked.stdout.contains("days ago, renew it"), "{}", checked.stdout);
}

#[test]
fn the_demonstration_goes_from_bookings_to_a_report() {
    let folder = tempfile::tempdir().unwrap();
    let (models, place) = (models(), folder.path().join("demo"));
    let mut demo = Command::new(env!("CARGO_BIN_EXE_smrtd"));
    demo.args(["demo", "--once", "--engine", "cpu", "--models"]).arg(models);
    let demo = ended(demo.arg("--folder").arg(&place));
    assert_eq!(demo.status, Some(0), "{demo:?}");
    for words in ["DEMO: not police data, not for casework", "NOTE: Identity comparisons", "rank"] {
        assert!(demo.stdout.contains(words), "{words}: {demo:?}");
    }
    let reports = fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().path());
    let written = reports.filter(|path| path.extension().is_some_and(|ending| ending == "pdf"));
    assert_eq!(written.count(), 1);
}

#[test]
fn an_empty_folder_is_made_only_on_request_and_for_one_use_once_and_for_all() {
    let site = Site::new();
    let ended = site.try_start(None).err().expect("an empty folder is not a state folder");
    assert_eq!(ended.status, Some(EXIT_CONFIG), "{ended:?}");
    assert!(ended.stderr.contains("--create-as real, demo or test"), "{ended:?}");
    assert_eq!(site.start("test").stop(), Some(0));
    for kind in ["real", "demo"] {
        let ended = site.try_start(Some(kind)).err().expect("a test folder never becomes another");
        assert_eq!(ended.status, Some(EXIT_CONFIG), "{ended:?}");
        let words = format!("a state folder made as test, once and for all, wanted {kind}");
        assert!(ended.stderr.contains(&words), "{ended:?}");
    }
    assert_eq!(
        site.try_start(None).expect("a folder that was made needs no request").stop(),
        Some(0)
    );
}

#[test]
fn a_second_daemon_on_the_same_state_folder_is_refused_and_the_first_goes_on() {
    let site = Site::new();
    let mut first = site.start("test");
    let ended = site.try_start(Some("test")).err().expect("the folder is held");
    assert_eq!(ended.status, Some(EXIT_CONFIG), "{ended:?}");
    assert!(ended.stderr.contains("another daemon holds"), "{ended:?}");
    assert_eq!(first.console("rtcc-1").health().unwrap().state, "test");
    first.kill();
    assert_eq!(site.start("test").stop(), Some(0), "a daemon that was killed holds nothing");
}

#[test]
fn a_state_folder_of_a_newer_format_is_refused_and_left_as_it_is() {
    let site = Site::new();
    assert_eq!(site.start("test").stop(), Some(0));
    let store = site.path("state/smrt.redb");
    let database = Database::open(&store).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction
        .open_table(TableDefinition::<&str, &[u8]>::new("meta"))
        .unwrap()
        .insert("format", &[9u8][..])
        .unwrap();
    transaction.commit().unwrap();
    drop(database);
    let ended = site
        .try_start(Some("test"))
        .err()
        .expect("this software can't know what a newer format means");
    assert_eq!(ended.status, Some(EXIT_CONFIG), "{ended:?}");
    assert!(
        ended.stderr.contains("the state folder has format 9, this software reads format 6"),
        "{ended:?}"
    );
}

#[test]
fn a_folder_under_another_key_or_origin_is_refused() {
    let site = Site::new();
    assert_eq!(site.start("test").stop(), Some(0));
    let (config, good) = (site.config(), fs::read_to_string(site.config()).unwrap());
    fs::write(&config, good.replace("test.example", "other.example")).unwrap();
    assert_eq!(
        site.try_start(None).err().expect("the log has one origin").status,
        Some(EXIT_CONFIG)
    );
    fs::write(&config, good).unwrap();
    for name in ["master.key", "log.key"] {
        let key = fs::read(site.path(name)).unwrap();
        write_key(&site, name, &[9; 32], 0o600);
        let ended = site.try_start(None).err().expect("the folder has its keys");
        assert_eq!(ended.status, Some(EXIT_CONFIG), "{name}: {ended:?}");
        write_key(&site, name, &key, 0o600);
    }
    assert_eq!(site.start("test").stop(), Some(0), "nothing was spoilt by the tries");
}

/// A site whose box serves as a real one.
fn real_site() -> Site {
    let mut site = Site::new();
    site.set_ceilings(1, 60, 200);
    site.be_real(&KeyMaker::of_a_root("Maker", MODEL).unwrap());
    site.appoint_for(StateKind::Real);
    site
}

#[test]
fn a_real_box_takes_no_key_of_software_so_that_only_people_search() {
    let site = real_site();
    let daemon = site.start("real");
    let hand = Hand::new(&daemon, &site.console_identity("rtcc-1"));
    hand.post("/v1/inquiries", &request_json()).is_problem(401, "no-session", "log on first");
    hand.post("/v1/searches", &request_json()).is_problem(404, "not-found", "nothing at this path");
    let commander = Identifier::parse("commander").unwrap();
    let enrolled = enrol_first_key(
        &daemon.console("rtcc-1"),
        &relying_party(),
        &commander,
        site.code_of("commander"),
        &shared_key().unwrap(),
    );
    refused(enrolled, 409, "key-not-listed", "the security key's maker is not listed");
    assert_eq!(daemon.stop(), Some(0));
    let log = site.log();
    assert!(log.iter().any(|(kind, _)| *kind == LeafKind::LogOnRefused), "{log:?}");
    assert!(
        !log.iter().any(|(kind, _)| matches!(kind, LeafKind::KeyEnrolled | LeafKind::Asked)),
        "{log:?}"
    );
}

#[test]
fn a_real_box_says_on_every_answer_that_it_is_real() {
    let site = real_site();
    let daemon = site.start("real");
    let (console, feed) = (site.console_identity("rtcc-1"), site.feed_identity("slmpd"));
    let form = Form::of("booking", &booking_json("Eileen Collins"), &photo(COLLINS));
    let pushed = daemon.send(&feed, "PUT", "/v1/bookings/26-1", &form);
    assert_eq!((pushed.status, pushed.headers["smrt-state"].as_str()), (201, "real"));
    let refused = Hand::new(&daemon, &console).post("/v1/inquiries", &request_json());
    assert_eq!((refused.status, refused.headers["smrt-state"].as_str()), (401, "real"));
    let health = daemon.send(&console, "GET", "/v1/health", b"");
    assert_eq!(
        (health.json()["state"].as_str(), health.headers["smrt-state"].as_str()),
        (Some("real"), "real")
    );
}

#[test]
fn a_stop_signal_ends_the_daemon_in_order_and_the_log_says_so() {
    let site = Site::new();
    let daemon = site.start("test");
    daemon
        .feed("slmpd")
        .put_booking(&number("26-1"), &booking("Eileen Collins"), &photo(COLLINS))
        .unwrap();
    assert_eq!(daemon.stop(), Some(0));
    let kinds: Vec<LeafKind> = site.log().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [LeafKind::Started, LeafKind::BookingIn, LeafKind::Stopped]);
    site.start("test").kill();
    let kinds: Vec<LeafKind> = site.log().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds[3..], [LeafKind::Started], "a daemon that was killed wrote nothing of a stop");
}

#[test]
fn a_certificate_of_another_authority_does_not_hang_this_door() {
    let site = Site::new();
    let elsewhere = Site::bare();
    let other = Authority::init(&elsewhere.path("authority"), "Another site").unwrap();
    other.issue(&CertificateName::Feed(Identifier::parse("slmpd").unwrap())).unwrap();
    let move_in = |from: &Path, to: &Path| fs::copy(from, to).map(|_| ()).unwrap();
    move_in(&other.revocation_list_path(), &site.crl());
    let ended = site.try_start(Some("test")).err().expect("it says nothing of this site's callers");
    assert_eq!(ended.status, Some(EXIT_CONFIG), "{ended:?}");
    assert!(ended.stderr.contains("the site's authority did not sign it"), "{ended:?}");
    let checked = site.check();
    assert_eq!(checked.status, Some(EXIT_CONFIG));
    assert!(checked.stdout.contains("the site's authority did not sign it"), "{}", checked.stdout);
}

#[test]
fn systemd_is_told_how_far_a_start_is_and_ready_comes_last() {
    let site = Site::new();
    let daemon = site.start("test");
    daemon
        .feed("slmpd")
        .put_booking(&number("26-0001"), &booking("Jane Roe"), &photo(COLLINS))
        .unwrap();
    assert_eq!(daemon.stop(), Some(0));
    let socket = UnixDatagram::bind(site.path("notify")).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    // Read while the daemon starts: a socket of this kind holds few messages, and who notifies
    // waits for room.
    let told = std::thread::spawn(move || {
        let mut told = Vec::new();
        let mut message = [0; 4096];
        while !told.iter().any(|message: &String| message.contains("READY=1")) {
            let length = socket.recv(&mut message).unwrap();
            told.push(String::from_utf8(message[..length].to_vec()).unwrap());
        }
        told
    });
    let daemon = site.start_notifying("test", &site.path("notify"));
    let told = told.join().unwrap();
    let (ready, before) = told.split_last().unwrap();
    assert!(ready.contains("STATUS=1 bookings can be found, test"), "{ready}");
    for stage in
        ["open", "log: 0 of ", "records: 0 of 1", "photos: 0 of 512", "gallery: 0 of 1", "proof"]
    {
        let status = format!("STATUS=starting, {stage}");
        let message = before
            .iter()
            .find(|message| message.contains(&status))
            .unwrap_or_else(|| panic!("no '{status}' in {told:?}"));
        assert!(message.contains("EXTEND_TIMEOUT_USEC="), "{message}");
    }
    assert!(site.journal().contains("opened in "), "{}", site.journal());
    assert_eq!(daemon.stop(), Some(0));
}
