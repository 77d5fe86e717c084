//! The client against a real TLS peer on port 0 that checks certificates as the door does and
//! answers from a list.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use rustls::pki_types::CertificateRevocationListDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

use super::*;
use crate::booking::{BookingData, BookingNumber, Identifier};
use crate::roster::CertificateName;
use crate::tls::authority::{Authority, IssuedCertificate};

struct Site {
    _folder: tempfile::TempDir,
    authority: Authority,
    server: IssuedCertificate,
    feed: IssuedCertificate,
}

struct Peer {
    address: String,
    thread: JoinHandle<Vec<String>>,
}

fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::init(folder.path(), "Test site").unwrap();
    let server = authority.issue_server(&["127.0.0.1".to_owned()]).unwrap();
    let feed =
        authority.issue(&CertificateName::Feed(Identifier::parse("slmpd").unwrap())).unwrap();
    Site { _folder: folder, authority, server, feed }
}

impl Site {
    /// Answers as many connections as there are answers, one request each; gives the requests'
    /// heads and bodies.
    fn peer(&self, versions: &[&'static SupportedProtocolVersion], answers: Vec<String>) -> Peer {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(self.authority.certificate_path()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let list =
            CertificateRevocationListDer::from_pem_file(self.authority.revocation_list_path())
                .unwrap();
        let door = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .with_crls([list])
            .build()
            .unwrap();
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_client_cert_verifier(door)
            .with_single_cert(
                vec![CertificateDer::from_pem_file(&self.server.certificate).unwrap()],
                PrivateKeyDer::from_pem_file(&self.server.key).unwrap(),
            )
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            answers
                .into_iter()
                .map(|answer| {
                    exchange(&config, listener.accept().unwrap().0, &answer).unwrap_or_default()
                })
                .collect()
        });
        Peer { address, thread }
    }

    fn client(&self, address: &str) -> Client {
        let credentials = Credentials {
            server: address.to_owned(),
            ca: self.authority.certificate_path(),
            cert: self.feed.certificate.clone(),
            key: self.feed.key.clone(),
        };
        Client::open(&credentials).unwrap()
    }
}

fn exchange(
    config: &Arc<ServerConfig>,
    socket: TcpStream,
    answer: &str,
) -> std::io::Result<String> {
    let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), socket);
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Ok(String::new());
        }
        request.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let wanted = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok()
            })
            .unwrap_or(0);
        if body.len() >= wanted {
            stream.write_all(answer.as_bytes())?;
            stream.conn.send_close_notify();
            stream.flush()?;
            return Ok(text);
        }
    }
}

fn answer(status: &str, content_type: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\nconnection: \
         close\r\n\r\n{body}",
        body.len()
    )
}

const TLS13_ONLY: &[&SupportedProtocolVersion] = &[&TLS13];
const HEALTH: &str = r#"{"state":"test","version":"0","engine":"cpu","device":"1 thread",
    "model":"00","gallery_rows":3,"leaves":4,"doors":"open","witnessed":null,"alarms":[]}"#;

#[test]
fn a_good_answer_is_read() {
    let site = site();
    let peer = site.peer(TLS13_ONLY, vec![answer("200 OK", "application/json", HEALTH)]);
    assert_eq!(site.client(&peer.address).health().unwrap().gallery_rows, 3);
    assert!(peer.thread.join().unwrap()[0].starts_with("GET /v1/health HTTP/1.1\r\n"));
}

#[test]
fn a_booking_is_sent_as_two_parts_under_its_number() {
    let site = site();
    let booked = r#"{"number":"B-1","version":"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f","leaf":7,
        "new":true,"quality":9.5}"#;
    let peer = site.peer(TLS13_ONLY, vec![answer("201 Created", "application/json", booked)]);
    let booking: BookingData = serde_json::from_str(
        r#"{"name":"A","booked_on":"2026-11-01","basis":{"kind":"post_arrest_booking"}}"#,
    )
    .unwrap();
    let number = BookingNumber::parse("B-1").unwrap();
    assert_eq!(site.client(&peer.address).put_booking(&number, &booking, b"JPEG").unwrap().leaf, 7);
    let request = peer.thread.join().unwrap().remove(0);
    assert!(request.starts_with("PUT /v1/bookings/B-1 HTTP/1.1\r\n"), "{request}");
    assert!(
        request
            .contains("name=\"booking\"\r\nContent-Type: application/json\r\n\r\n{\"name\":\"A\""),
        "{request}"
    );
    assert!(
        request.contains(
            "name=\"photo\"; filename=\"photo\"\r\nContent-Type: \
        application/octet-stream\r\n\r\nJPEG\r\n"
        ),
        "{request}"
    );
}

#[test]
fn a_refusal_keeps_the_servers_words() {
    let site = site();
    let problem = r#"{"type":"no-face","status":422,"detail":"no face found, wanted exactly one","request":"r1"}"#;
    let peer = site.peer(
        TLS13_ONLY,
        vec![answer("422 Unprocessable Content", "application/problem+json", problem)],
    );
    let error =
        site.client(&peer.address).booking(&BookingNumber::parse("B-1").unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "no face found, wanted exactly one (422 no-face, request r1)");
    assert!(!error.passes());
    peer.thread.join().unwrap();
}

#[test]
fn a_busy_server_says_how_long_to_wait() {
    let site = site();
    let busy = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 3\r\ncontent-length: \
        0\r\nconnection: close\r\n\r\n"
        .to_owned();
    let peer = site.peer(TLS13_ONLY, vec![busy]);
    let error = site
        .client(&peer.address)
        .release(&BookingNumber::parse("B-1").unwrap(), "expunged")
        .unwrap_err();
    assert!(matches!(error, ClientError::Wait { seconds: 3, .. }) && error.passes());
    let request = peer.thread.join().unwrap().remove(0);
    assert!(
        request.starts_with("POST /v1/bookings/B-1/release")
            && request.ends_with(r#"{"reason":"expunged"}"#),
        "{request}"
    );
}

#[test]
fn an_answer_that_makes_no_sense_is_named() {
    let site = site();
    let peer = site.peer(
        TLS13_ONLY,
        vec![
            answer("502 Bad Gateway", "text/html", "<h1>proxy</h1>"),
            answer("200 OK", "application/json", "{}"),
            answer("302 Found", "text/plain", "elsewhere"),
        ],
    );
    let client = site.client(&peer.address);
    assert!(matches!(client.health(), Err(ClientError::Unexpected { status: 502, .. })));
    assert!(matches!(client.health(), Err(ClientError::Json { .. })));
    assert!(
        matches!(client.health(), Err(ClientError::Unexpected { status: 302, .. })),
        "no redirect is followed"
    );
    peer.thread.join().unwrap();
}

#[test]
fn a_connection_that_ends_before_the_answer_may_be_tried_again() {
    let site = site();
    let peer = site.peer(TLS13_ONLY, vec![String::new()]);
    let error = site.client(&peer.address).health().unwrap_err();
    assert!(error.passes(), "{error:?}");
    peer.thread.join().unwrap();
}

#[test]
fn nobody_at_the_address_is_said_in_words() {
    let site = site();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = site.client(&format!("https://{closed}")).health().unwrap_err();
    assert!(
        matches!(&error, ClientError::Unreachable { why } if why.contains("refused")),
        "{error}"
    );
    assert!(error.passes());
}

#[test]
fn a_revoked_client_learns_that_its_certificate_was_refused() {
    let site = site();
    site.authority.revoke(&site.feed.entry.serial).unwrap();
    let peer = site.peer(TLS13_ONLY, vec![String::new()]);
    let error = site.client(&peer.address).health().unwrap_err();
    assert!(
        matches!(error, ClientError::CertificateRefused { .. }) && !error.passes(),
        "{error:?}"
    );
    peer.thread.join().unwrap();
}

#[test]
fn a_server_of_another_authority_is_not_trusted() {
    let (here, there) = (site(), site());
    let peer = there.peer(TLS13_ONLY, vec![String::new()]);
    let error = here.client(&peer.address).health().unwrap_err();
    assert!(matches!(error, ClientError::ServerNotTrusted { .. }) && !error.passes(), "{error:?}");
    peer.thread.join().unwrap();
}

#[test]
fn a_server_without_tls_1_3_is_not_spoken_to() {
    let site = site();
    let peer =
        site.peer(&[&rustls::version::TLS12], vec![answer("200 OK", "application/json", HEALTH)]);
    let error = site.client(&peer.address).health().unwrap_err();
    assert!(matches!(error, ClientError::Handshake { .. }), "{error:?}");
    assert_eq!(peer.thread.join().unwrap(), [""]);
}

#[test]
fn addresses_and_credentials_beyond_use_are_refused_before_anything_is_sent() {
    let site = site();
    for wrong in [
        "",
        "localhost",
        "http://localhost",
        "https://",
        "https://h/path",
        "https://u:p@h",
        "https://h?q",
    ] {
        assert!(matches!(parse_address(wrong), Err(ClientError::Address { .. })), "{wrong}");
    }
    assert_eq!(parse_address("https://h:1/").unwrap(), "https://h:1");
    let pem = |path: &Path| fs::read(path).unwrap();
    let (ca, cert) = (pem(&site.authority.certificate_path()), pem(&site.feed.certificate));
    let (own, other) = (pem(&site.feed.key), pem(&site.server.key));
    assert!(Client::new("https://h", &ca, &cert, &own).is_ok());
    assert!(
        matches!(
            Client::new("https://h", &ca, &cert, &other),
            Err(ClientError::Credentials { .. })
        ),
        "a key of another certificate"
    );
    assert!(matches!(Client::new("https://h", b"", &cert, &own), Err(ClientError::Pem { .. })));
    assert!(matches!(Client::new("https://h", &ca, &cert, b"key"), Err(ClientError::Pem { .. })));
}
