//! Mutual TLS: ends handshakes, and reads from the client certificate who is calling.
//!
//! Invariants: TLS 1.3 only; no byte of HTTP before a client certificate of the site's authority; a
//! revoked or expired certificate is refused; a list that is unfit, older or gone leaves the last
//! good one in force, through restarts too, whether it was put in place or a caller brought it; no
//! session is resumed, since that would ask for no certificate. A certificate's name is parsed
//! once, here.

pub mod authority;
mod error;
pub mod files;
pub mod key_maker;
mod revocation;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, ServerConfig, WebPkiClientVerifier};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

pub use self::error::TlsError;
use self::files::{PUBLIC_MODE, replace};
use self::revocation::{RevocationList, time};
use crate::calendar::{Span, Time};
use crate::ids::Digest;
use crate::limits::{HANDSHAKE_SECONDS_MAX, ROSTER_ENTRIES_MAX};
use crate::roster::{Caller, CertificateName, NAME_PREFIX};
use crate::service::{BroughtList, Credentials};

const PEM_HEAD: &[u8] = b"-----BEGIN";

/// Paths of the four files that a server needs.
#[derive(Clone, Debug)]
pub struct ServerFiles {
    /// The server's certificate chain.
    pub cert: PathBuf,
    pub key: PathBuf,
    /// The certificate of the authority that issued the callers' certificates.
    pub ca: PathBuf,
    /// That authority's revocation list, as it is put in place.
    pub crl: PathBuf,
    /// The last good one that was put in place, as the daemon keeps it.
    pub crl_kept: PathBuf,
    /// The last good one that a caller brought.
    pub crl_brought: PathBuf,
    /// Days before the end of a certificate or of the list from which an alarm stands.
    pub warn_days: u64,
}

/// Server side of handshakes; reads the revocation list again whenever its file has changed.
pub struct Acceptor {
    files: ServerFiles,
    current: Mutex<Current>,
    /// Callers that came in, by their names, with the end of the certificate that ends last.
    callers: Mutex<BTreeMap<String, (CertificateName, Time)>>,
}

/// What handshakes go by now.
#[derive(Clone)]
struct Current {
    /// When the list's file was changed last, and its bytes: one that is read half-written has the
    /// time of the whole one, where the clock's steps are coarse.
    changed: Option<(SystemTime, u64)>,
    config: Arc<ServerConfig>,
    list: Arc<RevocationList>,
    /// The newest one that was put in place: the one in force, unless a caller brought a newer one.
    in_place: Arc<RevocationList>,
    /// What the certificates in use are called, and when they end.
    ends: Vec<(&'static str, Time)>,
    /// Why the list that was put in place doesn't count, if it doesn't.
    unfit: Option<String>,
}

/// Whether a connection's certificate still stands: it has not ended, and the list of now doesn't
/// name it.
pub type Stands = Arc<dyn Fn() -> bool + Send + Sync>;

/// A connection after its handshake, the caller that its certificate names (none where it names
/// none of this system), and whether that certificate stands, to be asked for again and again.
pub type Accepted = (TlsStream<TcpStream>, Option<Caller>, Stands);

impl Acceptor {
    /// Reads the files. A revocation list that doesn't count leaves the one that is kept in force.
    ///
    /// Errors: a file that can't be read, files that don't fit together, no list that counts, a
    /// certificate that has ended. A list that has ended doesn't keep the box from starting:
    /// searches and bookings wait until a newer one is in place.
    pub fn open(files: ServerFiles) -> Result<Self, TlsError> {
        let changed = changed(&files.crl);
        let kept = files.kept_list(&files.crl_kept).map(Arc::new);
        let (in_place, unfit) = match (files.newer_list(kept.as_deref()), kept) {
            (Ok(list), _) => (Arc::new(list), None),
            (Err(e), Some(kept)) => (kept, Some(not_taken(&e))),
            (Err(e), None) => return Err(e),
        };
        let brought = files.kept_list(&files.crl_brought);
        let list = match brought.filter(|brought| in_place.is_older_than(brought)) {
            Some(brought) => Arc::new(brought),
            None => in_place.clone(),
        };
        let (config, ends) = (Arc::new(server_config(&files, &list)?), files.ends()?);
        for path in [&files.cert, &files.ca] {
            let days = valid_days(path)?;
            if days < 0 {
                return Err(TlsError::Expired { path: path.clone(), days: -days });
            }
        }
        let current = Current { changed, config, list, in_place, ends, unfit };
        Ok(Self { files, current: Mutex::new(current), callers: Mutex::default() })
    }

    /// Keeps the list that was put in place, so that it counts after a restart too.
    ///
    /// Errors: the file.
    pub fn keep(&self) -> Result<(), TlsError> {
        keep(&self.files.crl_kept, &self.current().in_place)
    }

    /// Does one handshake; `None` where the caller was refused, which the journal says, hung up, or
    /// took too long.
    pub async fn accept(self: &Arc<Self>, tcp: TcpStream) -> Option<Accepted> {
        let acceptor = tokio_rustls::TlsAcceptor::from(self.current().config);
        // The answer is worth more at once than a full packet later.
        let _ = tcp.set_nodelay(true);
        match tokio::time::timeout(Duration::from_secs(HANDSHAKE_SECONDS_MAX), acceptor.accept(tcp))
            .await
        {
            Ok(Ok(tls)) => {
                let certificate = tls.get_ref().1.peer_certificates()?.first()?;
                let (caller, (end, stands)) = (caller(certificate), self.stands(certificate)?);
                if let Some(caller) = &caller {
                    self.came_in(&caller.name, end);
                }
                Some((tls, caller, stands))
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

    /// What handshakes go by now. A list that was put in place and doesn't count leaves the last
    /// good one in force.
    fn current(&self) -> Current {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, Current> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = changed(&self.files.crl);
        if changed != current.changed {
            current.changed = changed;
            current.unfit = match self.take(&mut current) {
                Ok(()) => None,
                Err(e) => Some(not_taken(&e)),
            };
        }
        current
    }

    /// Takes the list that was put in place, if it counts.
    fn take(&self, current: &mut Current) -> Result<(), TlsError> {
        let list = Arc::new(self.files.newer_list(Some(&current.in_place))?);
        let newest = match list.is_older_than(&current.list) {
            true => current.list.clone(),
            false => list.clone(),
        };
        current.put_in_force(&self.files, newest)?;
        current.in_place = list;
        log::info!("the revocation list was read again");
        keep(&self.files.crl_kept, &current.in_place)
    }

    /// When a certificate ends, and whether it stands, from here on; none where it can't be read.
    fn stands(self: &Arc<Self>, certificate: &CertificateDer<'_>) -> Option<(Time, Stands)> {
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
        let (end, serial) = (time(parsed.validity().not_after), parsed.raw_serial().to_vec());
        let acceptor = self.clone();
        let stands = move || now() <= end && !acceptor.current().list.names(&serial);
        Some((end, Arc::new(stands)))
    }

    /// Keeps in mind when a caller's certificate ends, of several the last one.
    fn came_in(&self, name: &CertificateName, end: Time) {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        let key = name.to_string();
        if callers.len() < ROSTER_ENTRIES_MAX || callers.contains_key(&key) {
            let known = callers.entry(key).or_insert_with(|| (name.clone(), end));
            known.1 = known.1.max(end);
        }
    }
}

impl Current {
    /// Has handshakes go by this list, and by the certificates as they lie there now.
    fn put_in_force(
        &mut self,
        files: &ServerFiles,
        list: Arc<RevocationList>,
    ) -> Result<(), TlsError> {
        let (config, ends) = (server_config(files, &list)?, files.ends()?);
        (self.config, self.ends, self.list) = (Arc::new(config), ends, list);
        Ok(())
    }
}

impl Credentials for Acceptor {
    fn unfit_list(&self) -> Option<String> {
        self.current().unfit
    }

    fn list_ended(&self) -> Option<Time> {
        Some(self.current().list.end).filter(|end| *end < now())
    }

    fn ending(&self) -> Vec<(&'static str, Time)> {
        let current = self.current();
        let soon = now() + Span::days(self.files.warn_days);
        let ends = current.ends.into_iter().chain([("revocation list", current.list.end)]);
        ends.filter(|(_, end)| *end < soon).collect()
    }

    fn callers_ending(&self) -> Vec<(CertificateName, Time)> {
        let soon = now() + Span::days(self.files.warn_days);
        let callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        callers.values().filter(|(_, end)| *end < soon).cloned().collect()
    }

    fn read_list(&self, list: &[u8]) -> Result<BroughtList, String> {
        let der = match list.starts_with(PEM_HEAD) {
            true => CertificateRevocationListDer::from_pem_slice(list).ok(),
            false => Some(CertificateRevocationListDer::from(list.to_vec())),
        };
        let der = der.ok_or("it is PEM, and no revocation list")?;
        let authorities = self.files.authorities().map_err(|e| e.to_string())?;
        let list = RevocationList::read(der, &authorities, &provider())?;
        let in_force = self.current().list;
        let is_new = list.der != in_force.der;
        if is_new && !in_force.is_older_than(&list) {
            return Err("it is not newer than the one in force".to_owned());
        }
        let (number, revoked) = (list.number.clone(), list.revokes());
        let RevocationList { der, made, end: ends, .. } = list;
        Ok(BroughtList { der: der.to_vec(), is_new, number, made, ends, revoked })
    }

    fn put_in_force(&self, list: &BroughtList) -> Result<(), String> {
        let words = |e: TlsError| e.to_string();
        let der = CertificateRevocationListDer::from(list.der.clone());
        let authorities = self.files.authorities().map_err(words)?;
        let list = Arc::new(RevocationList::read(der, &authorities, &provider())?);
        let mut current = self.locked();
        // Another caller may have brought a newer one meanwhile.
        if current.list.is_older_than(&list) {
            // Kept first: one in force that isn't kept would be forgotten by a restart, and brought
            // again it would be no new one.
            keep(&self.files.crl_brought, &list).map_err(words)?;
            current.put_in_force(&self.files, list).map_err(words)?;
        }
        Ok(())
    }
}

impl ServerFiles {
    /// The list that is kept at a path; none where none was yet. One that doesn't count is left
    /// aside.
    fn kept_list(&self, path: &Path) -> Option<RevocationList> {
        let der = match std::fs::read(path) {
            Ok(der) => Ok(der),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return None,
            Err(source) => Err(TlsError::Kept { path: path.to_owned(), source }),
        };
        der.and_then(|der| self.list(path, der.into()))
            .inspect_err(|e| log::error!("the revocation list that was kept doesn't count: {e}"))
            .ok()
    }

    fn list(
        &self,
        path: &Path,
        der: CertificateRevocationListDer<'static>,
    ) -> Result<RevocationList, TlsError> {
        RevocationList::read(der, &self.authorities()?, &provider())
            .map_err(|why| TlsError::List { path: path.to_owned(), why })
    }

    /// The list that was put in place, unless it is older than the one that was there before.
    fn newer_list(&self, before: Option<&RevocationList>) -> Result<RevocationList, TlsError> {
        let der = CertificateRevocationListDer::from_pem_file(&self.crl)
            .map_err(pem("the revocation list", &self.crl))?;
        let list = self.list(&self.crl, der)?;
        match before {
            Some(before) if list.is_older_than(before) => Err(TlsError::List {
                path: self.crl.clone(),
                why: "it is older than the one in force",
            }),
            _ => Ok(list),
        }
    }

    /// When the box's own certificate and the authority's end.
    fn ends(&self) -> Result<Vec<(&'static str, Time)>, TlsError> {
        Ok(vec![
            ("box's certificate", end(&self.cert)?),
            ("authority's certificate", end(&self.ca)?),
        ])
    }

    fn authorities(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        certificates("the authority's certificate", &self.ca)
    }
}

fn keep(path: &Path, list: &RevocationList) -> Result<(), TlsError> {
    replace(path, &list.der, PUBLIC_MODE)
        .map_err(|source| TlsError::Kept { path: path.to_owned(), source })
}

/// Says once why a list doesn't count.
fn not_taken(e: &TlsError) -> String {
    log::error!("the revocation list was not taken, the last good one counts: {e}");
    e.to_string()
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
    let seconds = |time: Time| i64::try_from(time.seconds()).unwrap_or(i64::MAX);
    Ok((seconds(end(path)?) - seconds(now())).div_euclid(86_400))
}

/// When the first certificate or the revocation list of a PEM file ends.
fn end(path: &Path) -> Result<Time, TlsError> {
    let unreadable = |e: x509_parser::nom::Err<x509_parser::error::X509Error>| unfit(e.to_string());
    if let Ok(list) = CertificateRevocationListDer::from_pem_file(path) {
        let (_, list) = CertificateRevocationList::from_der(&list).map_err(unreadable)?;
        let end = list
            .next_update()
            .ok_or_else(|| unfit("the revocation list says nothing of its end"))?;
        return Ok(time(end));
    }
    let certificate = CertificateDer::from_pem_file(path).map_err(pem("the certificate", path))?;
    let (_, certificate) = x509_parser::parse_x509_certificate(&certificate).map_err(unreadable)?;
    Ok(time(certificate.validity().not_after))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn server_config(files: &ServerFiles, list: &RevocationList) -> Result<ServerConfig, TlsError> {
    let provider = provider();
    let mut roots = RootCertStore::empty();
    for authority in files.authorities()? {
        roots.add(authority).map_err(unfit)?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .with_crls([list.der.clone()])
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
    // A resumed session shows no certificate, so its revocation and its end would be asked for by
    // nobody: every connection is a whole handshake.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    // A replayed first flight must never be a request.
    config.max_early_data_size = 0;
    Ok(config)
}

/// The machine's time.
fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Time::from_seconds(since.map_or(0, |since| since.as_secs()))
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

fn changed(path: &Path) -> Option<(SystemTime, u64)> {
    std::fs::metadata(path).and_then(|file| Ok((file.modified()?, file.len()))).ok()
}
