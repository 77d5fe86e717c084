//! Mutual TLS: ends handshakes, and reads from the client certificate who is calling.
//!
//! Invariants: TLS 1.3 only; no byte of HTTP before a client certificate of the site's authority; a
//! revoked or expired certificate is refused, and so is everybody when the revocation list itself
//! has expired. A certificate's name is parsed once, here.

pub mod authority;
pub mod files;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::{ServerConfig, WebPkiClientVerifier};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use x509_parser::extensions::GeneralName;

use crate::ids::Digest;
use crate::limits::HANDSHAKE_SECONDS_MAX;
use crate::roster::{Caller, CertificateName, NAME_PREFIX};

/// Why the server's TLS can't be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    #[error("{what} {path} can't be read")]
    Pem { what: &'static str, path: PathBuf, source: rustls::pki_types::pem::Error },
    #[error("{path} expired {days} days ago, wanted a valid one; renew it")]
    Expired { path: PathBuf, days: i64 },
    #[error(
        "the server's certificate, its key, the authority and its revocation list don't fit \
         together"
    )]
    Config { source: Box<dyn std::error::Error + Send + Sync> },
}

/// Paths of the four files that a server needs.
#[derive(Clone, Debug)]
pub struct ServerFiles {
    /// The server's certificate chain.
    pub cert: PathBuf,
    pub key: PathBuf,
    /// The certificate of the authority that issued the callers' certificates.
    pub ca: PathBuf,
    /// That authority's revocation list.
    pub crl: PathBuf,
}

/// Server side of handshakes; reads the revocation list again whenever its file has changed.
pub struct Acceptor {
    files: ServerFiles,
    current: Mutex<(Option<SystemTime>, Arc<ServerConfig>)>,
}

/// A connection after its handshake, and the caller that its certificate names; no caller where it
/// names none of this system.
pub type Accepted = (TlsStream<TcpStream>, Option<Caller>);

impl Acceptor {
    /// Reads the four files.
    ///
    /// Errors: a file that isn't there or isn't PEM; files that don't fit together; a certificate
    /// that has ended. A revocation list that has ended is none: it refuses everybody until it is
    /// renewed, and then it is read without a new start.
    pub fn open(files: ServerFiles) -> Result<Self, TlsError> {
        let changed = changed(&files.crl);
        let config = Arc::new(server_config(&files)?);
        for path in [&files.cert, &files.ca] {
            let days = valid_days(path)?;
            if days < 0 {
                return Err(TlsError::Expired { path: path.clone(), days: -days });
            }
        }
        Ok(Self { files, current: Mutex::new((changed, config)) })
    }

    /// Does one handshake; `None` where the caller was refused, which the journal says, hung up, or
    /// took too long.
    pub async fn accept(&self, tcp: TcpStream) -> Option<Accepted> {
        let acceptor = tokio_rustls::TlsAcceptor::from(self.config());
        // The answer is worth more at once than a full packet later.
        let _ = tcp.set_nodelay(true);
        match tokio::time::timeout(Duration::from_secs(HANDSHAKE_SECONDS_MAX), acceptor.accept(tcp))
            .await
        {
            Ok(Ok(tls)) => {
                let caller = tls
                    .get_ref()
                    .1
                    .peer_certificates()
                    .and_then(|chain| chain.first())
                    .and_then(caller);
                Some((tls, caller))
            }
            // Browsers open connections ahead of time and hang up when they ask their user for a
            // certificate: nobody was refused.
            Ok(Err(e)) if hung_up(&e) => {
                log::debug!("a caller hung up in the middle of the handshake: {e}");
                None
            }
            Ok(Err(e)) => {
                log::warn!("a handshake was refused: {e}");
                None
            }
            Err(_) => {
                log::debug!("a handshake took over {HANDSHAKE_SECONDS_MAX} s and was given up");
                None
            }
        }
    }

    /// The current configuration. A changed list that can't be read leaves the old one in use,
    /// which still refuses everybody once it has expired.
    fn config(&self) -> Arc<ServerConfig> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = changed(&self.files.crl);
        if changed != current.0 {
            match server_config(&self.files) {
                Ok(config) => {
                    log::info!("the revocation list was read again");
                    *current = (changed, Arc::new(config));
                }
                Err(e) => log::error!("the changed revocation list was not taken: {e}"),
            }
        }
        current.1.clone()
    }
}

/// Whether a handshake ended because the caller went away.
fn hung_up(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let cancelled = |e: &rustls::Error| {
        matches!(e, rustls::Error::AlertReceived(rustls::AlertDescription::UserCanceled))
    };
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
        || error.get_ref().and_then(|e| e.downcast_ref()).is_some_and(cancelled)
}

/// The caller that a certificate names: by exactly one URI of this system's form, or none.
pub fn caller(certificate: &CertificateDer<'_>) -> Option<Caller> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let names = parsed.subject_alternative_name().ok()??;
    let mut ours = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) if uri.starts_with(NAME_PREFIX) => Some(*uri),
        _ => None,
    });
    let name = CertificateName::parse(ours.next()?)?;
    if ours.next().is_some() {
        return None;
    }
    Some(Caller { name, fingerprint: Digest::of(certificate) })
}

/// Days until the first certificate or the revocation list of a PEM file ends; negative once it
/// has.
pub fn valid_days(path: &Path) -> Result<i64, TlsError> {
    use x509_parser::prelude::FromDer;
    let days = |end: i64| {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX));
        (end - now).div_euclid(86_400)
    };
    let unreadable = |e: x509_parser::nom::Err<x509_parser::error::X509Error>| unfit(e.to_string());
    if let Ok(list) = CertificateRevocationListDer::from_pem_file(path) {
        let (_, list) = x509_parser::revocation_list::CertificateRevocationList::from_der(&list)
            .map_err(unreadable)?;
        let end = list
            .next_update()
            .ok_or_else(|| unfit("the revocation list says nothing of its end"))?;
        return Ok(days(end.timestamp()));
    }
    let certificate = CertificateDer::from_pem_file(path).map_err(pem("the certificate", path))?;
    let (_, certificate) = x509_parser::parse_x509_certificate(&certificate).map_err(unreadable)?;
    Ok(days(certificate.validity().not_after.timestamp()))
}

fn server_config(files: &ServerFiles) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    for authority in certificates("the authority's certificate", &files.ca)? {
        roots.add(authority).map_err(unfit)?;
    }
    let list = CertificateRevocationListDer::from_pem_file(&files.crl)
        .map_err(pem("the revocation list", &files.crl))?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .with_crls([list])
        .enforce_revocation_expiration()
        .build()
        .map_err(unfit)?;
    let key =
        PrivateKeyDer::from_pem_file(&files.key).map_err(pem("the server's key", &files.key))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(unfit)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(certificates("the server's certificate", &files.cert)?, key)
        .map_err(unfit)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A replayed first flight must never be a request.
    config.max_early_data_size = 0;
    Ok(config)
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(pem(what, path))
}

fn pem(what: &'static str, path: &Path) -> impl FnOnce(rustls::pki_types::pem::Error) -> TlsError {
    let path = path.to_owned();
    move |source| TlsError::Pem { what, path, source }
}

fn unfit(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> TlsError {
    TlsError::Config { source: source.into() }
}

fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|m| m.modified()).ok()
}
