//! The other side of the door: what an agency's feed and a console's search do over mutual TLS.
//!
//! A `Client` trusts one authority, shows one certificate, speaks TLS 1.3 only, follows no redirect
//! and no proxy, and reads no answer beyond its bound. It never retries by itself: what may be
//! tried again is said by `ClientError::passes`, who tries is the caller.

pub mod archive;
pub mod desk;
mod error;
pub mod feed;
pub mod forward;
pub mod issued;
pub mod journal;
pub mod log;
mod multipart;
pub mod recount;
pub mod rows;
pub mod soft_key;
pub mod switch;
pub mod verify;
pub mod witness;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::sign::CertifiedKey;
use rustls::version::TLS13;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::{Response, StatusCode, Uri, header};
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};
use ureq::{Agent, Body};
use zeroize::Zeroizing;

pub use error::ClientError;

use crate::api::wire::RosterView;
use crate::api::wire::{
    BOOKING_PART, Booked, BookingView, Health, LEAF_HEADER, ModelSwitchRequest, ModelView,
    PHOTO_PART, Problem, ReleaseRequest, Released,
};
use crate::booking::{BookingData, BookingNumber};
use crate::limits::{
    ANSWER_BYTES_MAX, ANSWER_SECONDS_MAX, CHECKPOINT_BYTES_MAX, FEED_JOBS_MAX,
    HANDSHAKE_SECONDS_MAX, HEADER_BYTES_MAX, HEADER_SECONDS_MAX, JSON_BYTES_MAX, PHOTO_BYTES_MAX,
    RETRY_AFTER_SECONDS,
};
use crate::report::Period;
use multipart::Multipart;

/// Where the four things lie that a client needs.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The server's address, `https://host:port`.
    pub server: String,
    /// The site authority's certificate.
    pub ca: PathBuf,
    /// The client's own certificate.
    pub cert: PathBuf,
    /// The private key of that certificate.
    pub key: PathBuf,
}

/// A caller at the server's door. Clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    agent: Agent,
    server: String,
}

impl Client {
    /// Makes a client from PEM texts; nothing is sent yet.
    ///
    /// Errors: an address that isn't `https://host:port`; certificates or a key that can't be read
    /// or don't belong together.
    pub fn new(server: &str, ca: &[u8], cert: &[u8], key: &[u8]) -> Result<Self, ClientError> {
        let server = parse_address(server)?;
        let provider = Arc::new(tls13_only(rustls::crypto::aws_lc_rs::default_provider()));
        let roots = certificates("the authority's certificate", ca)?;
        let mut store = RootCertStore::empty();
        for root in &roots {
            store.add(root.clone()).map_err(|source| ClientError::Credentials {
                what: "the authority's certificate",
                source,
            })?;
        }
        let chain = certificates("the client's certificate", cert)?;
        let unreadable = || ClientError::Pem { what: "the client's private key" };
        // The connector takes a pair that doesn't fit for a bug and panics; here it is an error.
        CertifiedKey::from_der(
            chain.clone(),
            PrivateKeyDer::from_pem_slice(key).map_err(|_| unreadable())?,
            &provider,
        )
        .map_err(|source| ClientError::Credentials {
            what: "the client's certificate and key",
            source,
        })?;
        let key = PrivateKey::from_pem(key).map_err(|_| unreadable())?;
        let owned = |der: &CertificateDer<'_>| Certificate::from_der(der).to_owned();
        let identity =
            ClientCert::new_with_certs(&chain.iter().map(owned).collect::<Vec<_>>(), key);
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(RootCerts::new_with_certs(&roots.iter().map(owned).collect::<Vec<_>>()))
            .client_cert(Some(identity))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .https_only(true)
            // A proxy named by the environment would be an outbound surprise.
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("smrtctl/", env!("CARGO_PKG_VERSION")))
            .max_response_header_size(HEADER_BYTES_MAX)
            .max_idle_connections_per_host(FEED_JOBS_MAX)
            // Well before the server hangs up a connection that has nothing to say.
            .max_idle_age(Duration::from_secs(HEADER_SECONDS_MAX / 2))
            .timeout_connect(Some(Duration::from_secs(HANDSHAKE_SECONDS_MAX)))
            .timeout_send_request(Some(Duration::from_secs(HANDSHAKE_SECONDS_MAX)))
            .timeout_send_body(Some(Duration::from_secs(ANSWER_SECONDS_MAX)))
            .timeout_recv_response(Some(Duration::from_secs(ANSWER_SECONDS_MAX)))
            .timeout_recv_body(Some(Duration::from_secs(ANSWER_SECONDS_MAX)))
            .build()
            .new_agent();
        Ok(Self { agent, server })
    }

    /// Makes a client from files.
    ///
    /// Errors: as `new`, and a file that can't be read.
    pub fn open(credentials: &Credentials) -> Result<Self, ClientError> {
        let key = Zeroizing::new(read(&credentials.key)?);
        Self::new(&credentials.server, &read(&credentials.ca)?, &read(&credentials.cert)?, &key)
    }

    /// The server's address, `https://host:port`.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Books: the photo and its data are durable, logged and findable when this returns. The same
    /// bytes again change nothing.
    pub fn put_booking(
        &self,
        number: &BookingNumber,
        booking: &BookingData,
        photo: &[u8],
    ) -> Result<Booked, ClientError> {
        let body = two_parts(BOOKING_PART, booking, photo)?;
        let request = self
            .agent
            .put(self.url(&format!("/v1/bookings/{number}")))
            .content_type(body.content_type());
        read_json(request.send(body.as_bytes()))
    }

    /// A booking as its own agency sees it.
    pub fn booking(&self, number: &BookingNumber) -> Result<BookingView, ClientError> {
        self.read(&format!("/v1/bookings/{number}"))
    }

    /// Withdraws a booking: it is out of every search when this returns.
    pub fn release(&self, number: &BookingNumber, reason: &str) -> Result<Released, ClientError> {
        let body = json(&ReleaseRequest { reason: reason.to_owned() })?;
        let request = self
            .agent
            .post(self.url(&format!("/v1/bookings/{number}/release")))
            .content_type("application/json");
        read_json(request.send(&body[..]))
    }

    /// The models in use and to come.
    pub fn model(&self) -> Result<ModelView, ClientError> {
        self.read("/v1/model")
    }

    /// The roster file as the box has it, as a console with administration.
    pub fn roster(&self) -> Result<RosterView, ClientError> {
        self.read("/v1/roster")
    }

    /// Begins a switch to another model, or changes its terms.
    pub fn switch_model(&self, order: &ModelSwitchRequest) -> Result<ModelView, ClientError> {
        let request =
            self.agent.post(self.url("/v1/model/switch")).content_type("application/json");
        read_json(request.send(&json(order)?[..]))
    }

    /// Gives the switch under way up.
    pub fn give_up_switch(&self) -> Result<ModelView, ClientError> {
        read_json(self.agent.delete(self.url("/v1/model/switch")).call())
    }

    /// The public report of a period, byte for byte as the log commits to it, and the leaf that
    /// does; none where the doors are shut.
    pub fn public_report(&self, period: &Period) -> Result<(Vec<u8>, Option<u64>), ClientError> {
        let path = format!("/v1/report/public?from={}&to={}", period.from(), period.to());
        let answer = self.agent.get(self.url(&path)).call();
        let leaf = answer
            .as_ref()
            .ok()
            .and_then(|answer| answer.headers().get(LEAF_HEADER)?.to_str().ok()?.parse().ok());
        Ok((read_bytes(answer, ANSWER_BYTES_MAX)?, leaf))
    }

    /// The newest signed checkpoint of the server's log.
    pub fn checkpoint(&self) -> Result<String, ClientError> {
        let bytes = read_bytes(
            self.agent.get(self.url("/v1/log/checkpoint")).call(),
            CHECKPOINT_BYTES_MAX,
        )?;
        String::from_utf8(bytes).map_err(|_| ClientError::Unexpected {
            status: 200,
            found: "a checkpoint that is not UTF-8".to_owned(),
        })
    }

    /// How the box is.
    pub fn health(&self) -> Result<Health, ClientError> {
        self.read("/v1/health")
    }

    fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        read_json(self.agent.get(self.url(path)).call())
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server)
    }
}

/// How another witness is called over a bridge: by https under the one authority that is given, or
/// on this very machine.
///
/// Errors: an address of another form, or one elsewhere without an authority.
pub fn bridge_agent(url: &str, ca: Option<&[u8]>) -> Result<Agent, ClientError> {
    let wrong = || ClientError::Address { found: url.to_owned() };
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let here = matches!(uri.host(), Some("127.0.0.1" | "[::1]" | "localhost"));
    let config = Agent::config_builder().proxy(None).max_redirects(0).http_status_as_error(false);
    let config = match (uri.scheme_str(), ca) {
        (Some("http"), _) if here => config,
        (Some("https"), Some(ca)) => {
            let provider = Arc::new(tls13_only(rustls::crypto::aws_lc_rs::default_provider()));
            let roots = certificates("the authority's certificate", ca)?;
            let roots: Vec<_> =
                roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect();
            let tls = TlsConfig::builder()
                .provider(TlsProvider::Rustls)
                .unversioned_rustls_crypto_provider(provider)
                .root_certs(RootCerts::new_with_certs(&roots))
                .build();
            config.tls_config(tls).https_only(true)
        }
        _ => return Err(wrong()),
    };
    Ok(config.timeout_global(Some(Duration::from_secs(ANSWER_SECONDS_MAX))).build().new_agent())
}

fn parse_address(found: &str) -> Result<String, ClientError> {
    let wrong = || ClientError::Address { found: found.to_owned() };
    let uri: Uri = found.parse().map_err(|_| wrong())?;
    let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
    match (uri.scheme_str(), uri.authority()) {
        (Some("https"), Some(authority)) if bare && !authority.as_str().contains('@') => {
            Ok(format!("https://{authority}"))
        }
        _ => Err(wrong()),
    }
}

/// A provider without suites for TLS 1.2 is never offered it, and the connector has no other
/// switch.
fn tls13_only(mut provider: CryptoProvider) -> CryptoProvider {
    provider.cipher_suites.retain(|suite| suite.version() == &TLS13);
    provider
}

fn certificates(
    what: &'static str,
    pem: &[u8],
) -> Result<Vec<CertificateDer<'static>>, ClientError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| ClientError::Pem { what })?;
    if found.is_empty() { Err(ClientError::Pem { what }) } else { Ok(found) }
}

fn read(path: &Path) -> Result<Vec<u8>, ClientError> {
    fs::read(path).map_err(|source| ClientError::File { path: path.to_owned(), source })
}

/// The steps that a timing header names; what isn't of its form is left out.
fn steps(header: &str) -> Vec<(String, f64)> {
    let step = |step: &str| {
        let (name, ms) = step.trim().split_once(";dur=")?;
        Some((name.to_owned(), ms.parse().ok()?))
    };
    header.split(',').filter_map(step).collect()
}

fn two_parts<T: Serialize>(name: &str, first: &T, photo: &[u8]) -> Result<Multipart, ClientError> {
    if photo.len() > PHOTO_BYTES_MAX {
        return Err(ClientError::PhotoBytes { found: photo.len() });
    }
    let mut body = Multipart::new()?;
    body.part(name, "application/json", &json(first)?);
    body.file(PHOTO_PART, "photo", photo);
    Ok(body.end())
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, ClientError> {
    serde_json::to_vec(value).map_err(|source| ClientError::Json { source })
}

fn read_json<T: DeserializeOwned>(
    answer: Result<Response<Body>, ureq::Error>,
) -> Result<T, ClientError> {
    let bytes = read_bytes(answer, ANSWER_BYTES_MAX)?;
    serde_json::from_slice(&bytes).map_err(|source| ClientError::Json { source })
}

/// The body of a good answer; every other answer is an error that says what the server said.
fn read_bytes(
    answer: Result<Response<Body>, ureq::Error>,
    bytes_max: usize,
) -> Result<Vec<u8>, ClientError> {
    let mut answer = answer?;
    let status = answer.status();
    if status.is_success() {
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
        return match answer.body_mut().with_config().limit(limit).read_to_vec() {
            Err(ureq::Error::BodyExceedsLimit(_)) => Err(ClientError::AnswerBytes { bytes_max }),
            read => Ok(read?),
        };
    }
    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        let said = answer
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.parse().ok());
        let seconds = said.unwrap_or(RETRY_AFTER_SECONDS);
        let body = answer
            .body_mut()
            .with_config()
            .limit(JSON_BYTES_MAX as u64)
            .read_to_vec()
            .unwrap_or_default();
        let why = serde_json::from_slice::<Problem>(&body)
            .map_or_else(|_| "the server is busy".to_owned(), |problem| problem.detail);
        return Err(ClientError::Wait { seconds, why });
    }
    let limit = u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX);
    let body = answer.body_mut().with_config().limit(limit).read_to_vec()?;
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => Err(ClientError::Refused { problem: Box::new(problem) }),
        Err(_) => {
            let found = String::from_utf8_lossy(&body)
                .chars()
                .filter(|c| !c.is_control())
                .take(200)
                .collect();
            Err(ClientError::Unexpected { status: status.as_u16(), found })
        }
    }
}

#[cfg(test)]
mod tests;
