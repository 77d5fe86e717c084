//! Whoever shouldn't come in doesn't: refused at the handshake, before a byte of HTTP, or by name.

use std::io::Write;
use std::net::TcpStream;
use std::time::Instant;

use rcgen::{ExtendedKeyUsagePurpose, SanType};
use rustls::version::{TLS12, TLS13};
use smrt::api::wire::BookingState;
use smrt::audit::LeafKind;
use smrt::booking::Identifier;
use smrt::client::ClientError;
use smrt::roster::CertificateName;
use smrt::tls::authority::Authority;

use crate::clocked::Clocked;
use crate::daemon::Ended;
use crate::door::Door;
use crate::photos::{COLLINS, photo};
use crate::raw::{Identity, Line, head};
use crate::site::{Daemon, PATIENCE, Site, booking, number, request};

fn uri(name: &str) -> SanType {
    SanType::URI(name.try_into().unwrap())
}

/// What a caller who sends a whole request is told at the handshake.
#[track_caller]
fn refused_at_the_handshake(
    daemon: &Daemon<'_>,
    site: &Site,
    identity: Option<&Identity>,
    words: &str,
) {
    let mut line = Line::open(daemon.address, &site.ca(), identity, &TLS13).unwrap();
    let error =
        line.ask("GET", "/v1/health", "text/plain", b"").expect_err("no certificate, no HTTP");
    assert!(error.to_string().contains(words), "wanted '{words}': {error}");
}

#[test]
fn without_a_certificate_nothing_is_answered() {
    let site = Site::new();
    let daemon = site.start("test");
    refused_at_the_handshake(&daemon, &site, None, "CertificateRequired");
    let until = Instant::now() + PATIENCE;
    while !site.journal().contains("a handshake was refused") {
        assert!(Instant::now() < until, "{}", site.journal());
        assert_eq!(
            daemon.console("rtcc-1").health().unwrap().state,
            "test",
            "others still come in"
        );
    }
}

#[test]
fn a_caller_who_hangs_up_in_the_handshake_fills_no_journal() {
    let site = Site::new();
    let daemon = site.start("test");
    for first_bytes in [&b""[..], &[22, 3, 1, 2, 0, 1]] {
        for _ in 0..20 {
            TcpStream::connect(daemon.address).unwrap().write_all(first_bytes).unwrap();
        }
    }
    refused_at_the_handshake(&daemon, &site, None, "CertificateRequired");
    assert_eq!(daemon.console("rtcc-1").health().unwrap().state, "test");
    assert_eq!(daemon.stop(), Some(0));
    let journal = site.journal();
    let told =
        journal.lines().filter(|line| line.contains("handshake") || line.starts_with("warn"));
    assert!(told.count() <= 1, "who was refused, and nobody else: {journal}");
}

#[test]
fn a_certificate_of_another_authority_is_refused_whatever_it_names() {
    let (site, elsewhere) = (Site::new(), Site::bare());
    let daemon = site.start("test");
    // The other authority calls itself the same.
    let other = Authority::init(&elsewhere.path("authority"), "Test site").unwrap();
    let issued = other.issue(&CertificateName::Feed(Identifier::parse("slmpd").unwrap())).unwrap();
    let identity = Identity { certificate: issued.certificate, key: issued.key };
    let refused = daemon
        .client(&identity)
        .put_booking(&number("26-1"), &booking("Nobody"), &photo(COLLINS))
        .unwrap_err();
    assert!(
        matches!(refused, ClientError::CertificateRefused { .. })
            || refused.to_string().contains("connection"),
        "{refused:?}"
    );
    let refused = daemon.client(&identity).health().unwrap_err();
    assert!(matches!(refused, ClientError::CertificateRefused { .. }), "{refused:?}");
    assert_eq!(daemon.console("rtcc-1").health().unwrap().gallery_rows, 0);
}

#[test]
fn no_session_is_resumed_so_that_a_revoked_certificate_comes_in_no_more() {
    let site = Site::new();
    let daemon = site.start("test");
    let identity = site.feed_identity("slmpd");
    let config = Line::config(&site.ca(), Some(&identity), &TLS13);
    let ask = |line: &mut Line| line.ask("GET", "/v1/health", "text/plain", b"");
    for _ in 0..3 {
        let mut line = Line::connect(daemon.address, &config).unwrap();
        assert_eq!(ask(&mut line).unwrap().status, 200);
        assert!(!line.is_resumed(), "nobody would have looked at its certificate");
    }
    site.authority().revoke(identity.certificate.to_str().unwrap()).unwrap();
    let refused = ask(&mut Line::connect(daemon.address, &config).unwrap());
    assert!(refused.is_err_and(|e| e.to_string().contains("CertificateRevoked")));
}

#[test]
fn an_open_connection_ends_with_the_next_request_once_its_certificate_is_revoked() {
    let site = Site::new();
    let daemon = site.start("test");
    let identity = site.feed_identity("slmpd");
    let mut line = daemon.line(&identity);
    let mut other = daemon.line(&site.feed_identity("stlco"));
    let ask = |line: &mut Line| line.ask("GET", "/v1/health", "text/plain", b"");
    for line in [&mut line, &mut other] {
        assert_eq!(ask(line).unwrap().status, 200);
    }
    site.authority().revoke(identity.certificate.to_str().unwrap()).unwrap();
    ask(&mut line).unwrap().is_problem(403, "certificate-over", "connect anew");
    assert_eq!(ask(&mut other).unwrap().status, 200, "and nobody else's");
    // The box hangs up.
    let until = Instant::now() + PATIENCE;
    while ask(&mut line).is_ok_and(|answer| answer.status == 403) {
        assert!(Instant::now() < until, "the connection stays open");
    }
    assert!(ask(&mut line).is_err());
    assert_eq!(daemon.stop(), Some(0));
    let mut refused = site.log().into_iter().filter(|(kind, _)| *kind == LeafKind::CallerRefused);
    let last = refused.next_back().unwrap().1;
    assert_eq!(
        (&last["rule"], &last["actor"]["certificate"]),
        (&"certificate-over".into(), &"smrt:agency/slmpd/feed".into())
    );
}

#[test]
fn a_browser_on_another_sites_page_changes_nothing_whatever_its_certificate() {
    let site = Site::new();
    let daemon = site.start("test");
    daemon.feed("slmpd").put_booking(&number("26-1"), &booking("Roe"), &photo(COLLINS)).unwrap();
    let body = br#"{"reason":"expunged"}"#;
    for (name, value) in [
        ("origin", "https://elsewhere.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("sec-fetch-site", "none"),
    ] {
        let mut line = daemon.line(&site.feed_identity("slmpd"));
        let answer = line.ask_as(
            "POST",
            "/v1/bookings/26-1/release",
            "application/json",
            &[(name, value)],
            body,
        );
        answer.unwrap().is_problem(403, "other-origin", value);
    }
    let standing = daemon.feed("slmpd").booking(&number("26-1")).unwrap();
    assert_eq!(standing.state, BookingState::Live);
    // What comes from no browser says nothing of a page.
    daemon.feed("slmpd").release(&number("26-1"), "expunged").unwrap();
}

#[test]
fn a_certificate_revoked_while_the_box_runs_is_refused_from_the_next_connection_on() {
    let site = Site::new();
    let daemon = site.start("test");
    let identity = site.feed_identity("slmpd");
    daemon.client(&identity).health().unwrap();
    site.authority().revoke(identity.certificate.to_str().unwrap()).unwrap();
    let refused = daemon.client(&identity).health().unwrap_err();
    assert!(
        matches!(refused, ClientError::CertificateRefused { why: "it is revoked" }),
        "{refused:?}"
    );
    refused_at_the_handshake(&daemon, &site, Some(&identity), "CertificateRevoked");
    daemon.feed("stlco").health().unwrap();
}

#[test]
fn a_certificate_that_has_expired_or_is_not_yet_valid_is_refused() {
    let site = Site::new();
    let daemon = site.start("test");
    let feed = |stem, days| {
        site.odd_identity(
            stem,
            vec![uri("smrt:agency/slmpd/feed")],
            ExtendedKeyUsagePurpose::ClientAuth,
            days,
        )
    };
    refused_at_the_handshake(
        &daemon,
        &site,
        Some(&feed("expired", (-30, -1))),
        "CertificateExpired",
    );
    refused_at_the_handshake(&daemon, &site, Some(&feed("early", (1, 30))), "alert");
    daemon.client(&feed("in-force", (-1, 30))).health().unwrap();
}

#[test]
fn the_servers_own_certificate_opens_nothing() {
    let site = Site::new();
    let daemon = site.start("test");
    refused_at_the_handshake(&daemon, &site, Some(&site.server_identity()), "alert");
}

#[test]
fn a_certificate_that_names_nobody_of_this_system_is_refused_by_name() {
    let site = Site::new();
    let daemon = site.start("test");
    let leaves = daemon.leaves();
    let odd =
        |stem, names| site.odd_identity(stem, names, ExtendedKeyUsagePurpose::ClientAuth, (-1, 30));
    let strangers = [
        odd("host", vec![SanType::DnsName("rtcc-1.example".try_into().unwrap())]),
        odd("nameless", Vec::new()),
        odd("two", vec![uri("smrt:agency/slmpd/feed"), uri("smrt:device/rtcc-1")]),
        odd("near", vec![uri("smrt:agency/slmpd")]),
        odd("other", vec![uri("https://example/rtcc-1")]),
    ];
    for stranger in &strangers {
        for path in [
            "/v1/health",
            "/v1/log/checkpoint",
            "/v1/bookings/26-1",
            "/v1/metrics",
            "/v1/openapi.json",
        ] {
            let answer = daemon.send(stranger, "GET", path, b"");
            answer.is_problem(
                403,
                "not-in-roster",
                "the certificate names no caller of this system",
            );
        }
    }
    assert_eq!(daemon.leaves(), leaves, "a stranger can't make the log grow");
}

#[test]
fn a_caller_who_stands_on_no_list_is_refused_and_logged() {
    let site = Site::new();
    let daemon = site.start("test");
    let leaves = daemon.leaves();
    for (at, (identity, kind)) in (1..).zip([
        (site.feed_identity("unlisted"), "not-in-roster"),
        (site.console_identity("unlisted"), "not-in-roster"),
        (site.feed_identity("gone"), "agency-not-active"),
    ]) {
        for path in ["/v1/health", "/v1/log/checkpoint"] {
            let answer = daemon.send(&identity, "GET", path, b"");
            answer.is_problem(403, kind, "");
        }
        assert_eq!(
            daemon.leaves(),
            leaves + at,
            "whoever knocks again waits for the end of the hour"
        );
    }
    assert_eq!(daemon.stop(), Some(0));
    assert_eq!(site.refusals(LeafKind::CallerRefused).len(), 6);
}

#[test]
fn whoever_is_not_listed_is_refused_before_a_body_is_read() {
    let site = Site::new();
    let daemon = site.start("test");
    let dns = vec![SanType::DnsName("feed.example".try_into().unwrap())];
    let nameless =
        site.odd_identity("nameless", dns, ExtendedKeyUsagePurpose::ClientAuth, (-1, 30));
    let unlisted = Identifier::parse("unlisted").unwrap();
    site.authority().issue(&CertificateName::Witness(unlisted)).unwrap();
    for (identity, kind) in [
        (nameless, "not-in-roster"),
        (site.feed_identity("unlisted"), "not-in-roster"),
        (site.feed_identity("gone"), "agency-not-active"),
        (site.console_identity("unlisted"), "not-in-roster"),
        (site.witness_identity("unlisted"), "not-in-roster"),
    ] {
        for (method, path) in
            [("PUT", "/v1/bookings/26-1"), ("POST", "/v1/session"), ("POST", "/v1/inquiries")]
        {
            let mut line = daemon.line(&identity);
            // The body that is announced never comes.
            line.send(&head(method, path, "application/json", 1 << 20)).unwrap();
            line.answer().unwrap().is_problem(403, kind, "");
        }
    }
}

#[test]
fn a_caller_of_tls_1_2_is_refused() {
    let site = Site::new();
    let daemon = site.start("test");
    let mut line =
        Line::open(daemon.address, &site.ca(), Some(&site.feed_identity("slmpd")), &TLS12).unwrap();
    let error = line.ask("GET", "/v1/health", "text/plain", b"").expect_err("TLS 1.3 only");
    assert!(error.to_string().contains("ProtocolVersion"), "{error}");
}

#[test]
fn once_the_revocation_list_has_ended_nobody_searches_or_books_and_releases_go_on() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    let (feed, desk) = (clocked.feed("slmpd"), clocked.desk("rtcc-1"));
    let book = |at| feed.put_booking(&number(at), &booking("Jefferson"), &photo(COLLINS));
    let alarms = || -> Vec<String> {
        clocked.look();
        let alarms = clocked.console("rtcc-1").health().unwrap().alarms;
        alarms.into_iter().map(|alarm| alarm.alarm).collect()
    };
    book("26-1").unwrap();
    assert!(alarms().is_empty());
    site.let_the_list_end_in(3);
    assert_eq!(alarms(), ["credential_ends"]);
    site.let_the_list_end_in(-1);
    assert_eq!(alarms(), ["revocation_list_over", "credential_ends"]);
    for refused in [book("26-2").err(), desk.search(&request(), &photo(COLLINS)).err()] {
        let refused = refused.expect("nobody can know who was revoked meanwhile");
        assert!(
            refused.to_string().starts_with("the revocation list ended on ") && refused.passes(),
            "{refused}"
        );
    }
    feed.release(&number("26-1"), "expunged").expect("the gallery gets smaller at any time");
    std::fs::write(site.crl(), "half a li").unwrap();
    assert!(alarms().contains(&"revocation_list_unfit".to_owned()));
    site.let_the_list_end_in(30);
    assert!(alarms().is_empty());
    book("26-2").unwrap();
    desk.search(&request(), &photo(COLLINS)).unwrap();
}

#[test]
fn no_list_put_in_place_lets_a_revoked_certificate_back_in_through_a_restart() {
    let (site, elsewhere) = (Site::new(), Site::bare());
    // The other authority calls itself the same, and has made many lists.
    let other = Authority::init(&elsewhere.path("authority"), "Test site").unwrap();
    for _ in 0..9 {
        other.renew_list().unwrap();
    }
    let older = std::fs::read(site.crl()).unwrap();
    let revoked = site.feed_identity("slmpd");
    let mut daemon = site.start("test");
    site.authority().revoke(revoked.certificate.to_str().unwrap()).unwrap();
    let refused = |daemon: &Daemon<'_>, what: &str| {
        refused_at_the_handshake(daemon, &site, Some(&revoked), "CertificateRevoked");
        daemon.feed("stlco").health().unwrap_or_else(|e| panic!("{what}: {e}"));
    };
    refused(&daemon, "the authority's own list");
    let puts: [(&str, &dyn Fn()); 4] = [
        ("garbage", &|| std::fs::write(site.crl(), "half a li").unwrap()),
        ("older", &|| std::fs::write(site.crl(), &older).unwrap()),
        ("another's", &|| {
            std::fs::copy(other.revocation_list_path(), site.crl()).unwrap();
        }),
        ("gone", &|| std::fs::remove_file(site.crl()).unwrap()),
    ];
    for (what, put) in puts {
        put();
        refused(&daemon, what);
        assert_eq!(daemon.stop(), Some(0));
        daemon = site.start("test");
        refused(&daemon, what);
        assert!(site.journal().contains("the revocation list was not taken"), "{what}");
    }
}

/// `smrtctl revocation-list`, as this caller.
fn brings(door: &Door<'_>, identity: &Identity, list: &str) -> Ended {
    let file = door.site.path("brought.pem");
    std::fs::write(&file, list).unwrap();
    door.smrtctl(identity, &["revocation-list", file.to_str().unwrap()])
}

#[test]
fn a_newer_list_is_taken_from_whomever_the_last_one_lets_in_and_from_nobody_else() {
    let (site, elsewhere) = (Site::new(), Site::bare());
    let oldest = std::fs::read_to_string(site.crl()).unwrap();
    site.authority().renew_list().unwrap();
    let installed = site.keep_the_list_apart();
    let first = std::fs::read_to_string(&installed).unwrap();
    let other = Authority::init(&elsewhere.path("authority"), "Test site").unwrap();
    for _ in 0..9 {
        other.renew_list().unwrap();
    }
    let others = std::fs::read_to_string(other.revocation_list_path()).unwrap();
    let daemon = site.start("test");
    let revoked = site.console_identity("rtcc-2");
    let (feed, witness) = (site.feed_identity("slmpd"), site.feed_identity("madison"));
    site.authority().revoke(revoked.certificate.to_str().unwrap()).unwrap();
    let newer = std::fs::read_to_string(site.crl()).unwrap();
    let mut open = daemon.line(&revoked);
    assert_eq!(open.ask("GET", "/v1/health", "text/plain", b"").unwrap().status, 200);

    let unlisted = brings(&daemon, &site.console_identity("unlisted"), &newer);
    assert!(unlisted.stderr.contains("is not in the roster"), "{unlisted:?}");
    for (list, words) in [
        ("half a li", "it is not in the form of RFC 5280"),
        ("-----BEGIN X509 CRL-----", "it is PEM, and no revocation list"),
        (&oldest, "it is not newer than the one in force"),
        (&others, "the site's authority did not sign it"),
    ] {
        let told = brings(&daemon, &feed, list);
        assert_eq!(told.status, Some(1), "{told:?}");
        assert!(told.stderr.contains(words), "wanted '{words}': {told:?}");
    }
    // What can't be kept isn't in force either, so that bringing it again is bringing a new one.
    let in_its_place = site.path("state/revocation-list-brought.der");
    std::fs::create_dir(&in_its_place).unwrap();
    let unkept = brings(&daemon, &feed, &newer);
    assert_eq!(unkept.status, Some(1), "{unkept:?}");
    std::fs::remove_dir(&in_its_place).unwrap();
    daemon.console("rtcc-2").health().expect("nothing has changed");

    let taken = brings(&daemon, &feed, &newer);
    assert!(taken.stdout.starts_with("taken: list "), "{taken:?}");
    assert!(taken.stdout.contains("revokes 1 certificates"), "{taken:?}");
    let over = open.ask("GET", "/v1/health", "text/plain", b"").unwrap();
    over.is_problem(403, "certificate-over", "was revoked or has ended");
    let again = brings(&daemon, &witness, &newer);
    assert!(again.stdout.starts_with("in force already: list "), "{again:?}");
    let back = brings(&daemon, &feed, &first);
    assert!(back.stderr.contains("it is not newer than the one in force"), "{back:?}");
    refused_at_the_handshake(&daemon, &site, Some(&revoked), "CertificateRevoked");

    // It counts through a restart, and the older one that lies there is no alarm.
    assert_eq!(daemon.stop(), Some(0));
    let daemon = site.start("test");
    refused_at_the_handshake(&daemon, &site, Some(&revoked), "CertificateRevoked");
    let alarms = || daemon.console("rtcc-1").health().unwrap().alarms;
    assert!(alarms().is_empty(), "{:?}", alarms());
    std::fs::write(&installed, &oldest).unwrap();
    let until = Instant::now() + PATIENCE;
    while !alarms().iter().any(|raised| raised.alarm == "revocation_list_unfit") {
        assert!(Instant::now() < until, "{}", site.journal());
    }
    assert_eq!(daemon.stop(), Some(0));
    let taken = site.log_kinds().into_iter().filter(|kind| *kind == LeafKind::ListTaken);
    assert_eq!(taken.count(), 2, "a leaf comes first, whether the list can then be kept or not");
    // One caller that isn't listed, one that was revoked, and five lists.
    assert_eq!(site.refusals(LeafKind::CallerRefused).len(), 1 + 1 + 5);
}

#[test]
fn a_list_that_is_brought_ends_what_the_end_of_the_last_one_stopped() {
    let site = Site::staffed();
    let installed = site.keep_the_list_apart();
    std::fs::write(installed, site.list_of(1_000, -1)).unwrap();
    let clocked = Clocked::of(&site);
    let feed = clocked.feed("slmpd");
    let book = || feed.put_booking(&number("26-1"), &booking("Jefferson"), &photo(COLLINS));
    book().expect_err("nobody can know who was revoked");
    let over = clocked.console("rtcc-1").bring_list(site.list_of(1_001, -1).as_bytes());
    assert!(over.unwrap().is_new, "it says more than the last one");
    book().expect_err("it is over, too");
    let view = clocked.console("rtcc-1").bring_list(site.list_of(1_002, 30).as_bytes()).unwrap();
    assert_eq!((view.number.as_deref(), view.revoked), (Some("1002"), 0));
    book().unwrap();
    clocked.look();
    assert!(clocked.console("rtcc-1").health().unwrap().alarms.is_empty());
}

#[test]
fn a_callers_certificate_that_ends_soon_is_an_alarm_until_it_is_renewed() {
    let site = Site::staffed();
    let clocked = Clocked::of(&site);
    let ends = |stem: &str, name: &str, days: i64| {
        let usage = ExtendedKeyUsagePurpose::ClientAuth;
        let identity = site.odd_identity(stem, vec![uri(name)], usage, (-1, days));
        let answer = clocked.line(&identity).ask("GET", "/v1/health", "text/plain", b"");
        answer.unwrap().status
    };
    let alarms = || {
        clocked.look();
        let alarms = clocked.console("rtcc-1").health().unwrap().alarms;
        alarms.into_iter().map(|raised| raised.what).collect::<Vec<_>>()
    };
    ends("soon-unlisted", "smrt:device/of-nobody", 3);
    assert!(alarms().is_empty(), "whom the roster doesn't list has nothing to renew");
    ends("soon-2", "smrt:device/rtcc-2", 3);
    let [one] = &alarms()[..] else { panic!("one alarm stands") };
    assert!(one.contains("the certificate of 'smrt:device/rtcc-2' on "), "{one}");
    ends("soon-feed", "smrt:agency/slmpd/feed", 6);
    let [both] = &alarms()[..] else { panic!("one alarm stands") };
    assert!(both.contains("rtcc-2") && both.contains("'smrt:agency/slmpd/feed'"), "{both}");
    ends("later-2", "smrt:device/rtcc-2", 300);
    ends("later-feed", "smrt:agency/slmpd/feed", 300);
    assert!(alarms().is_empty());
}
