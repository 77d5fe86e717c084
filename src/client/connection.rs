//! Connection to the server: mutual TLS 1.3 under one site authority, and how answers are read.
//!
//! A `Client` trusts one authority, shows one certificate, follows no redirect and no proxy, and
//! reads no answer beyond its bound. It never retries by itself: `ClientError::passes` says what
//! may be tried again, and the caller decides.

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

use super::error::ClientError;
use crate::api::wire::Problem;
use crate::limits::{
    ANSWER_BYTES_MAX, ANSWER_SECONDS_MAX, CHECKPOINT_BYTES_MAX, FEED_JOBS_MAX,
    HANDSHAKE_SECONDS_MAX, HEADER_BYTES_MAX, HEADER_SECONDS_MAX, JSON_BYTES_MAX,
    RETRY_AFTER_SECONDS,
};

/// Address and files that a [`Client`] is made from.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The server's address, `https://host:port`.
    pub server: String,
    /// The site authority's certificate: the only one trusted.
    pub ca: PathBuf,
    pub cert: PathBuf,
    /// The private key of `cert`.
    pub key: PathBuf,
}

/// HTTPS client of one server under one client certificate. Clones share connections.
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

    pub(super) fn agent(&self) -> &Agent {
        &self.agent
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server)
    }

    pub(super) fn get_json<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        Self::read_json(self.agent.get(self.url(path)).call())
    }

    pub(super) fn get_bytes(&self, path: &str, bytes_max: usize) -> Result<Vec<u8>, ClientError> {
        Self::read_bytes(self.agent.get(self.url(path)).call(), bytes_max)
    }

    /// Reads a checkpoint, proof or policy: text of at most `CHECKPOINT_BYTES_MAX`.
    pub(super) fn get_text(&self, path: &str) -> Result<String, ClientError> {
        let bytes = self.get_bytes(path, CHECKPOINT_BYTES_MAX)?;
        String::from_utf8(bytes).map_err(|_| ClientError::Unexpected {
            status: 200,
            found: format!("{path} gave a text that is not UTF-8"),
        })
    }

    pub(super) fn post_json<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        Self::read_json(self.post(path, body))
    }

    /// Posts JSON where the answer has no body.
    pub(super) fn post_empty(&self, path: &str, body: &impl Serialize) -> Result<(), ClientError> {
        Self::read_bytes(self.post(path, body), ANSWER_BYTES_MAX).map(|_| ())
    }

    fn post(&self, path: &str, body: &impl Serialize) -> Result<Response<Body>, ClientError> {
        let request = self.agent.post(self.url(path)).content_type("application/json");
        Ok(request.send(&Self::to_json(body)?[..])?)
    }

    pub(super) fn to_json(value: &impl Serialize) -> Result<Vec<u8>, ClientError> {
        serde_json::to_vec(value).map_err(|source| ClientError::Json { source })
    }

    pub(super) fn read_json<T: DeserializeOwned>(
        answer: Result<Response<Body>, impl Into<ClientError>>,
    ) -> Result<T, ClientError> {
        let bytes = Self::read_bytes(answer, ANSWER_BYTES_MAX)?;
        serde_json::from_slice(&bytes).map_err(|source| ClientError::Json { source })
    }

    /// The body of a successful answer; every other answer is an error that repeats what the server
    /// said.
    pub(super) fn read_bytes(
        answer: Result<Response<Body>, impl Into<ClientError>>,
        bytes_max: usize,
    ) -> Result<Vec<u8>, ClientError> {
        let mut answer = answer.map_err(Into::<ClientError>::into)?;
        match answer.status() {
            status if status.is_success() => {
                let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
                match answer.body_mut().with_config().limit(limit).read_to_vec() {
                    Err(ureq::Error::BodyExceedsLimit(_)) => {
                        Err(ClientError::AnswerBytes { bytes_max })
                    }
                    read => Ok(read?),
                }
            }
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                Err(wait(&mut answer))
            }
            status => Err(refusal(status, &mut answer)?),
        }
    }
}

/// HTTP agent for another witness (C2SP `tlog-witness`): https under the one authority given, or
/// http on this machine.
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

/// What a busy server says: in how many seconds to try again, and why.
fn wait(answer: &mut Response<Body>) -> ClientError {
    let seconds = answer
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .unwrap_or(RETRY_AFTER_SECONDS);
    let limit = u64::try_from(JSON_BYTES_MAX).unwrap_or(u64::MAX);
    let body = answer.body_mut().with_config().limit(limit).read_to_vec().unwrap_or_default();
    let why = serde_json::from_slice::<Problem>(&body)
        .map_or_else(|_| "the server is busy".to_owned(), |problem| problem.detail);
    ClientError::Wait { seconds, why }
}

/// A refusal with the server's own problem, or the beginning of an answer that isn't of this
/// server's form.
fn refusal(status: StatusCode, answer: &mut Response<Body>) -> Result<ClientError, ClientError> {
    let limit = u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX);
    let body = answer.body_mut().with_config().limit(limit).read_to_vec()?;
    Ok(match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => ClientError::Refused { problem: Box::new(problem) },
        Err(_) => {
            let text = String::from_utf8_lossy(&body);
            let found = text.chars().filter(|c| !c.is_control()).take(200).collect();
            ClientError::Unexpected { status: status.as_u16(), found }
        }
    })
}

#[cfg(test)]
mod tests;
