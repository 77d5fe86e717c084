//! Errors of calls to the server, and which of them may be tried again.

use std::io;
use std::path::PathBuf;

use rustls::AlertDescription;
use ureq::Timeout;

use crate::api::wire::Problem;
use crate::limits::PHOTO_BYTES_MAX;

/// Why a call to the server failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    #[error("'{found}' is not an address of the form https://host:port")]
    Address { found: String },
    #[error("{path} cannot be read")]
    File { path: PathBuf, source: io::Error },
    #[error("{what} is not in PEM form")]
    Pem { what: &'static str },
    #[error("{what} cannot be used")]
    Credentials { what: &'static str, source: rustls::Error },
    /// Making a key or a signature failed, which only happens without random numbers.
    #[error("the machine gives no random numbers")]
    Random,
    #[error("the photo has {found} bytes, at most {PHOTO_BYTES_MAX} are accepted")]
    PhotoBytes { found: usize },
    /// The server understood the request and refused it.
    #[error("{detail} ({status} {kind}, request {request})", detail = problem.detail,
        status = problem.status, kind = problem.kind, request = problem.request)]
    Refused { problem: Box<Problem> },
    /// The server is busy.
    #[error("{why}; the server asks to be tried again in {seconds} s")]
    Wait { seconds: u64, why: String },
    #[error("the server cannot be reached: {why}")]
    Unreachable { why: String },
    /// The connection ended before the answer; whether the request took effect is unknown.
    #[error("the connection ended before the answer: {why}")]
    Lost { why: String },
    #[error("the server did not answer in time: {why}")]
    TooSlow {
        /// The step that took too long.
        why: String,
    },
    #[error("the server refused this client's certificate: {why}")]
    CertificateRefused { why: &'static str },
    #[error(
        "the server is not trusted; wanted a certificate of the given authority for this very host \
         name or address"
    )]
    ServerNotTrusted { source: rustls::Error },
    #[error("no TLS 1.3 connection came about")]
    Handshake { source: rustls::Error },
    #[error("the answer has more than {bytes_max} bytes")]
    AnswerBytes { bytes_max: usize },
    #[error("a body is not the agreed JSON; is the server of another version?")]
    Json { source: serde_json::Error },
    /// The server's answer isn't one that this program knows.
    #[error("unexpected answer with status {status}: {found}")]
    Unexpected {
        status: u16,
        /// The beginning of its body.
        found: String,
    },
    #[error("the exchange with the server failed")]
    Http { source: ureq::Error },
}

impl ClientError {
    /// Whether the same request may succeed later: the server is busy, restarting or unreachable.
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Self::Wait { .. } | Self::Unreachable { .. } | Self::Lost { .. } | Self::TooSlow { .. }
        )
    }

    /// The server's problem details, where it refused.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused { problem } => Some(problem),
            _ => None,
        }
    }
}

impl From<ureq::Error> for ClientError {
    fn from(error: ureq::Error) -> Self {
        match error {
            ureq::Error::Io(e) => from_io(e),
            ureq::Error::Rustls(e) => from_tls(e),
            ureq::Error::HostNotFound => {
                Self::Unreachable { why: "no address is known for its host name".to_owned() }
            }
            ureq::Error::ConnectionFailed => {
                Self::Unreachable { why: "no connection came about".to_owned() }
            }
            ureq::Error::Timeout(step @ (Timeout::Resolve | Timeout::Connect)) => {
                Self::Unreachable { why: format!("no connection in time ({step})") }
            }
            ureq::Error::Timeout(step) => Self::TooSlow { why: step.to_string() },
            source => Self::Http { source },
        }
    }
}

fn from_io(error: io::Error) -> ClientError {
    match error.downcast::<rustls::Error>() {
        Ok(tls) => from_tls(tls),
        Err(error) => match error.kind() {
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof
            | io::ErrorKind::NotConnected => ClientError::Lost { why: error.to_string() },
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
                ClientError::TooSlow { why: error.to_string() }
            }
            _ => ClientError::Unreachable { why: error.to_string() },
        },
    }
}

fn from_tls(error: rustls::Error) -> ClientError {
    let why = match &error {
        rustls::Error::InvalidCertificate(_) => {
            return ClientError::ServerNotTrusted { source: error };
        }
        rustls::Error::AlertReceived(alert) => match alert {
            AlertDescription::CertificateRequired => "it wants one, and this client sent none",
            AlertDescription::CertificateRevoked => "it is revoked",
            AlertDescription::CertificateExpired => "it has expired",
            AlertDescription::UnknownCA => "another authority issued it",
            AlertDescription::AccessDenied => "it names no caller that the server admits",
            AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::DecryptError => "the server finds it invalid",
            _ => return ClientError::Handshake { source: error },
        },
        _ => return ClientError::Handshake { source: error },
    };
    ClientError::CertificateRefused { why }
}
