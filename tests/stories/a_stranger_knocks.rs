//! Whoever shouldn't come in doesn't: refused at the handshake, before a byte of HTTP, or by name.

use std::io::Write;
use std::net::TcpStream;
use std::time::Instant;

use rcgen::{ExtendedKeyUsagePurpose, SanType};
use rustls::version::{TLS12, TLS13};
use smrt::audit::LeafKind;
use smrt::booking::Identifier;
use smrt::client::ClientError;
use smrt::roster::CertificateName;
use smrt::tls::authority::Authority;

use crate::photos::{COLLINS, photo};
use crate::raw::{Identity, Line};
use crate::site::{Daemon, PATIENCE, Site, booking, number};

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
fn a_caller_of_tls_1_2_is_refused() {
    let site = Site::new();
    let daemon = site.start("test");
    let mut line =
        Line::open(daemon.address, &site.ca(), Some(&site.feed_identity("slmpd")), &TLS12).unwrap();
    let error = line.ask("GET", "/v1/health", "text/plain", b"").expect_err("TLS 1.3 only");
    assert!(error.to_string().contains("ProtocolVersion"), "{error}");
}

#[test]
fn a_revocation_list_that_has_ended_refuses_everybody_until_it_is_renewed() {
    let site = Site::new();
    let daemon = site.start("test");
    daemon.feed("slmpd").health().unwrap();
    let good = std::fs::read(site.crl()).unwrap();
    site.let_the_list_end();
    for refused in [daemon.feed("slmpd").health(), daemon.console("rtcc-1").health()] {
        assert!(refused.is_err_and(|e| !e.passes()), "nobody can know who was revoked meanwhile");
    }
    std::fs::write(site.crl(), good).unwrap();
    site.authority().renew_list().unwrap();
    daemon.feed("slmpd").health().unwrap();
    std::fs::write(site.crl(), "half a li").unwrap();
    daemon.feed("slmpd").health().expect("a list that can't be read leaves the last one in force");
}
