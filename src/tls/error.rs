//! Errors of setting up TLS.

use std::io;
use std::path::PathBuf;

/// Why the server's TLS can't be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    #[error("{what} {path} can't be read")]
    Pem { what: &'static str, path: PathBuf, source: rustls::pki_types::pem::Error },
    #[error("{path} is no revocation list to go by: {why}")]
    List { path: PathBuf, why: &'static str },
    #[error("{path}, where the last good revocation list is kept, can't be used")]
    Kept { path: PathBuf, source: io::Error },
    #[error("{path} expired {days} days ago, wanted a valid one; renew it")]
    Expired { path: PathBuf, days: i64 },
    #[error(
        "the server's certificate, its key, the authority and its revocation list don't fit \
         together"
    )]
    Config { source: Box<dyn std::error::Error + Send + Sync> },
}
