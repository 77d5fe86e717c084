//! A real browser, with a device's certificate and a person's security key, can do at the door what
//! the console needs of it; and what a page does wrong is found.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::browser::{Browsers, Desk, Manner};
use crate::site::{PATIENCE, Site};

const CHALLENGE: &[u8] = b"a request of which this is the digest";
/// As strict as the console's: nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const PRESENT: u8 = 1;
const VERIFIED: u8 = 4;
const SYNCED: u8 = 8;

/// A door of the site's authority with pages of its own.
struct Door {
    url: String,
    posted: Receiver<Posted>,
}

/// What a page posted, and the name in the certificate under which it came.
struct Posted {
    path: String,
    from: String,
    words: Value,
}

#[test]
fn a_browser_gets_in_with_a_consoles_certificate_and_not_without_one() {
    let site = Site::new();
    let daemon = site.start("test");
    let browsers = Browsers::start("door", &site);
    let desk = browsers.desk("rtcc-1", &daemon.url());
    assert_eq!(desk.open("/v1/health"), 200);
    let health: Value = serde_json::from_str(&desk.reads("body")).unwrap();
    assert_eq!(health["state"], "test");
    let stranger = browsers.desk_without_certificate(&daemon.url());
    let why = stranger.open_in_vain("/v1/health");
    // Which of them depends on what comes first, the alert or the end of the connection.
    let told = [
        "BAD_SSL_CLIENT_AUTH_CERT",
        "SOCKET_NOT_CONNECTED",
        "CONNECTION_CLOSED",
        "CONNECTION_RESET",
    ];
    assert!(told.iter().any(|error| why == format!("net::ERR_{error}")), "{why}");
}

#[test]
fn a_person_registers_and_touches_a_key_by_keyboard_alone() {
    let site = Site::new();
    let door = Door::open(&site);
    let browsers = Browsers::start("keyboard", &site);
    let desk = browsers.desk("rtcc-1", &door.url);
    desk.insert("adams");
    assert_eq!(desk.open("/"), 200);
    desk.tab_to("textbox", "Reason");
    desk.write("robbery at Grand and Gravois");
    desk.press("Tab");
    desk.press("ArrowDown");
    desk.tab_to("checkbox", "I attest it");
    desk.press("Space");
    desk.press("Enter");
    desk.sees("Said");
    let said = door.hear("/said").words;
    assert_eq!(
        said,
        json!({ "reason": "robbery at Grand and Gravois", "purpose": "crime", "attested": "on",
            "probe": "" })
    );
    desk.tab_to("button", "Register");
    desk.press("Enter");
    desk.sees("Registered");
    assert_eq!(desk.tab_to("button", "Touch"), 1);
    assert_eq!(desk.focus(), ("button".to_owned(), "Touch".to_owned()));
    desk.press("Enter");
    desk.sees("Touched");
    desk.sees_no("Registered");
    let registered = door.hear("/registered");
    assert_eq!(registered.from, "smrt:device/rtcc-1");
    let asserted = door.hear("/asserted");
    let (flags, count) = door.verified(&asserted.words, &registered.words).unwrap();
    assert_eq!((flags & (PRESENT | VERIFIED | SYNCED), count), (PRESENT | VERIFIED, 2));
}

#[test]
fn a_key_goes_from_one_open_desk_to_another_with_its_counter() {
    let site = Site::new();
    let door = Door::open(&site);
    let browsers = Browsers::start("desks", &site);
    let [first, second, auditor] =
        ["rtcc-1", "rtcc-2", "audit-1"].map(|device| browsers.desk(device, &door.url));
    for (desk, key) in [(&first, "adams"), (&second, "baker"), (&auditor, "clark")] {
        desk.open("/");
        desk.insert(key);
        desk.click("button", "Register");
        desk.sees("Registered");
    }
    let registered = [(); 3].map(|()| door.hear("/registered"));
    assert_eq!(
        registered.each_ref().map(|r| r.from.as_str()),
        ["smrt:device/rtcc-1", "smrt:device/rtcc-2", "smrt:device/audit-1"]
    );
    // Adams goes to the second desk, whose own key is taken out.
    second.insert("adams");
    assert_eq!(second.reload(), 200);
    let touched = |desk: &Desk<'_>| {
        desk.click("button", "Touch");
        desk.sees("Touched");
        let asserted = door.hear("/asserted");
        assert_eq!(asserted.from, "smrt:device/rtcc-2");
        door.verified(&asserted.words, &registered[0].words).unwrap().1
    };
    // Chromium may ask a key more than once for a touch, each time counted.
    let before = touched(&second);
    // And there to another tab.
    let tab = second.open_tab();
    second.open("/");
    let there = touched(&second);
    second.turn_to_tab(0);
    let back = touched(&second);
    assert!(tab == 1 && 1 < before && before < there && there < back, "{before} {there} {back}");
    second.withdraw();
    assert_eq!(browsers.credentials("adams")[0]["signCount"], back);
}

#[test]
fn a_key_can_be_untouched_unverified_lying_synced_or_set_back() {
    let site = Site::new();
    let door = Door::open(&site);
    let browsers = Browsers::start("refusals", &site);
    let desk = browsers.desk("rtcc-1", &door.url);
    desk.insert("adams");
    desk.open("/");
    desk.click("button", "Register");
    desk.sees("Registered");
    let registered = door.hear("/registered").words;
    for manner in [Manner::Untouched, Manner::Unverified] {
        desk.key_is(manner);
        desk.click("button", "Touch");
        desk.sees("refused: NotAllowedError");
        desk.reload();
    }
    let touched = |manner: Manner| {
        desk.key_is(manner);
        desk.click("button", "Touch");
        desk.sees("Touched");
        let asserted = door.hear("/asserted").words;
        desk.reload();
        door.verified(&asserted, &registered)
    };
    let flags = |manner| touched(manner).unwrap().0 & (PRESENT | VERIFIED);
    assert_eq!(flags(Manner::WithoutPresenceBit), VERIFIED);
    assert_eq!(flags(Manner::WithoutVerificationBit), PRESENT);
    assert!(touched(Manner::WithBadSignature).is_err());
    assert_eq!(flags(Manner::Willing), PRESENT | VERIFIED);
    let mut credentials = browsers.credentials("adams");
    credentials[0]["signCount"] = 0.into();
    credentials[0]["backupEligibility"] = true.into();
    browsers.give("adams", &credentials);
    let (flags, count) = touched(Manner::Willing).unwrap();
    assert_eq!((flags & SYNCED, count), (SYNCED, 1));
}

#[test]
fn forms_are_filled_and_files_go_both_ways() {
    let site = Site::new();
    let door = Door::open(&site);
    let browsers = Browsers::start("forms", &site);
    let desk = browsers.desk("rtcc-1", &door.url);
    desk.open("/");
    desk.fill("Reason", "theft");
    desk.choose("Purpose", "crime");
    desk.check("I attest it");
    desk.attach("Probe", &site.ca());
    desk.click("button", "Say");
    desk.sees("Said");
    assert_eq!(
        door.hear("/said").words,
        json!({ "reason": "theft", "purpose": "crime", "attested": "on", "probe": "ca.pem" })
    );
    desk.click("link", "Paper");
    assert_eq!(std::fs::read(desk.downloaded()).unwrap(), b"a paper");
    desk.arrives_at("/");
}

#[test]
fn half_an_hour_passes_on_a_page_at_once() {
    let site = Site::new();
    let door = Door::open(&site);
    let browsers = Browsers::start("clock", &site);
    let desk = browsers.desk("rtcc-1", &door.url);
    desk.holds_the_clock();
    desk.open("/");
    desk.pass_minutes(29);
    desk.sees("Ready");
    desk.pass_minutes(1);
    desk.sees("Idle");
}

#[test]
fn a_good_page_is_accessible_stands_still_and_is_quick_at_every_size() {
    let site = Site::new();
    let door = Door::open(&site);
    let browsers = Browsers::start("sizes", &site);
    let desk = browsers.desk("rtcc-1", &door.url);
    for (name, width, height, scale) in
        [("desk", 1280, 800, 1.0), ("4k", 3840, 2160, 1.0), ("4k-at-two", 1920, 1080, 2.0)]
    {
        desk.resize(width, height, scale);
        desk.open("/");
        let findings = desk.axe();
        assert_eq!((findings.violations, findings.unsure), (vec![], vec![]));
        desk.is_accessible();
        let (shifts, times) = (desk.shifts(), desk.times());
        assert_eq!((shifts.alone, shifts.all), (0.0, 0.0));
        assert!(
            0.0 < times.answered_ms
                && times.answered_ms <= times.ready_ms
                && times.ready_ms <= times.loaded_ms,
            "{times:?}"
        );
        assert_eq!(
            desk.evaluate("[innerWidth, innerHeight, devicePixelRatio]"),
            json!([width, height, if scale > 1.0 { 2 } else { 1 }])
        );
        let wanted = if width == 1280 { (1280, 800) } else { (3840, 2160) };
        assert_eq!(image::image_dimensions(desk.picture(name)).unwrap(), wanted);
    }
    desk.resize(640, 200, 1.0);
    let (_, height) = image::image_dimensions(desk.picture_of_all("whole")).unwrap();
    assert!(height > 200, "{height}");
}

#[test]
fn whatever_a_page_does_wrong_is_found() {
    let site = Site::new();
    let door = Door::open(&site);
    let browsers = Browsers::start("odd", &site);
    let desk = browsers.desk("rtcc-1", &door.url);
    desk.expects("console error: the page is at a loss");
    desk.expects("page error: Error: the page gives up");
    desk.expects(
        "console error: Failed to load resource: the server responded with a status of 404",
    );
    // The picture from elsewhere, the style and the script.
    desk.expects("violates the following Content Security Policy directive");
    desk.expects("ContentSecurityPolicyIssue");
    desk.expects("failed request: csp: GET https://elsewhere.example/picture.png");
    desk.open("/odd");
    let violations = desk.axe().violations;
    for rule in ["image-alt", "region", "page-has-heading-one"] {
        assert!(violations.iter().any(|line| line.starts_with(rule)), "{rule}: {violations:?}");
    }
    desk.sees("first");
    let shifts = desk.shifts();
    assert!(shifts.alone > 0.01 && shifts.all >= shifts.alone, "{shifts:?}");
    assert_ne!(desk.evaluate("document.title"), "run");
}

#[test]
#[should_panic(expected = "the page is at a loss")]
fn a_complaint_that_nobody_expects_fails_the_story() {
    let site = Site::new();
    let door = Door::open(&site);
    let browsers = Browsers::start("unexpected", &site);
    let desk = browsers.desk("rtcc-1", &door.url);
    desk.open("/odd");
}

impl Door {
    /// Opens the door; it stays open for as long as the tests run.
    fn open(site: &Site) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let config = config(site);
        let (post, posted) = channel();
        let known = Arc::new(Mutex::new(Vec::new()));
        std::thread::spawn(move || {
            for tcp in listener.incoming() {
                let (config, post, known) = (config.clone(), post.clone(), known.clone());
                // A browser hangs up whenever it likes.
                std::thread::spawn(move || serve(tcp?, config, &post, &known));
            }
        });
        Self { url, posted }
    }

    /// Waits for what the page posts next, to this path.
    #[track_caller]
    fn hear(&self, path: &str) -> Posted {
        let posted = self.posted.recv_timeout(PATIENCE).unwrap();
        assert_eq!(posted.path, path, "{}", posted.words);
        posted
    }

    /// Flags and counter of an assertion for this page, if the registered key signed it.
    fn verified(
        &self,
        asserted: &Value,
        registered: &Value,
    ) -> Result<(u8, u32), aws_lc_rs::error::Unspecified> {
        let bytes =
            |of: &Value, name: &str| BASE64_STANDARD.decode(of[name].as_str().unwrap()).unwrap();
        let client = bytes(asserted, "client");
        let words: Value = serde_json::from_slice(&client).unwrap();
        assert_eq!(words["type"], "webauthn.get");
        assert_eq!(words["origin"], self.url);
        assert_eq!(words["challenge"], BASE64_URL_SAFE_NO_PAD.encode(CHALLENGE));
        assert_eq!(asserted["id"], registered["id"]);
        let signed = bytes(asserted, "authenticator");
        assert_eq!(&signed[..32], digest(&SHA256, b"localhost").as_ref());
        let (flags, count) = (signed[32], u32::from_be_bytes(signed[33..37].try_into().unwrap()));
        // The point, which ends the key's wrapping.
        let key = bytes(registered, "key");
        let message = [&signed[..], digest(&SHA256, &client).as_ref()].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &key[key.len() - 65..])
            .verify(&message, &bytes(asserted, "signature"))?;
        Ok((flags, count))
    }
}

fn config(site: &Site) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(site.ca()).unwrap()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .unwrap();
    let server = site.server_identity();
    let chain = CertificateDer::pem_file_iter(server.certificate)
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap();
    let key = PrivateKeyDer::from_pem_file(server.key).unwrap();
    Arc::new(builder.with_client_cert_verifier(verifier).with_single_cert(chain, key).unwrap())
}

/// Answers one connection until the browser hangs up.
fn serve(
    tcp: TcpStream,
    config: Arc<ServerConfig>,
    post: &Sender<Posted>,
    known: &Mutex<Vec<Value>>,
) -> io::Result<()> {
    let mut stream = BufReader::new(StreamOwned::new(ServerConnection::new(config).unwrap(), tcp));
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap().to_owned();
        let mut headers = HashMap::new();
        loop {
            let mut header = String::new();
            stream.read_line(&mut header)?;
            let Some((name, value)) = header.trim_end().split_once(": ") else { break };
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        let mut body =
            vec![0; headers.get("content-length").map_or(0, |bytes| bytes.parse().unwrap())];
        stream.read_exact(&mut body)?;
        let tls = stream.get_mut();
        if line.starts_with("POST ") {
            let from = name(&tls.conn.peer_certificates().unwrap()[0]);
            let words: Value = serde_json::from_slice(&body).unwrap();
            if path == "/registered" {
                known.lock().unwrap().push(words["id"].clone());
            }
            // Nobody hears it where the story is over.
            let _ = post.send(Posted { path, from, words });
            tls.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
        } else {
            let known = Value::from(known.lock().unwrap().clone()).to_string();
            let (status, kind, body) = page(&path, &known);
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} Told\r\ncontent-type: {kind}\r\ncontent-length: \
                 {length}\r\ncontent-security-policy: {POLICY}\r\n\r\n"
            );
            tls.write_all(&[head.as_bytes(), body].concat())?;
        }
        tls.flush()?;
    }
}

fn page<'k>(path: &str, known: &'k str) -> (u16, &'static str, &'k [u8]) {
    match path {
        "/" => (200, "text/html", include_bytes!("../browser/pages/touch.html")),
        "/touch.mjs" => (200, "text/javascript", include_bytes!("../browser/pages/touch.mjs")),
        "/style.css" => (200, "text/css", include_bytes!("../browser/pages/style.css")),
        "/odd" => (200, "text/html", include_bytes!("../browser/pages/odd.html")),
        "/odd.mjs" => (200, "text/javascript", include_bytes!("../browser/pages/odd.mjs")),
        "/known" => (200, "application/json", known.as_bytes()),
        "/paper" => (200, "application/octet-stream", b"a paper"),
        _ => (404, "text/plain", b"nothing"),
    }
}

/// The name in a certificate by which the site knows its holder.
fn name(certificate: &CertificateDer<'_>) -> String {
    let (_, certificate) = X509Certificate::from_der(certificate).unwrap();
    let names = certificate.subject_alternative_name().unwrap().unwrap();
    let uri = names.value.general_names.iter().find_map(|name| match name {
        GeneralName::URI(uri) => Some((*uri).to_owned()),
        _ => None,
    });
    uri.unwrap()
}
