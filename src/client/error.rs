//! Why a call came to nothing, in words that say whose turn it is.

use std::io;
use std::path::PathBuf;

use rustls::AlertDescription;
use ureq::Timeout;

use crate::api::wire::Problem;
use crate::limits::PHOTO_BYTES_MAX;

/// Why a call to the server came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server's address can't be used.
    #[error("'{found}' is not an address of the form https://host:port")]
    Address {
        /// What was given.
        found: String,
    },
    /// A file of the client's can't be read.
    #[error("{path} cannot be read")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A certificate or key isn't PEM.
    #[error("{what} is not in PEM form")]
    Pem {
        /// Which one.
        what: &'static str,
    },
    /// Certificates or keys can't be used, or don't belong together.
    #[error("{what} cannot be used")]
    Credentials {
        /// Which ones.
        what: &'static str,
        /// Why.
        source: rustls::Error,
    },
    /// The machine gave no random numbers.
    #[error("the machine gives no random numbers")]
    Random,
    /// The photo is too large to be sent.
    #[error("the photo has {found} bytes, at most {PHOTO_BYTES_MAX} are accepted")]
    PhotoBytes {
        /// Bytes given.
        found: usize,
    },
    /// The server understood and said no.
    #[error("{detail} ({status} {kind}, request {request})", detail = problem.detail,
        status = problem.status, kind = problem.kind, request = problem.request)]
    Refused {
        /// What it said.
        problem: Box<Problem>,
    },
    /// The server has no room at the moment.
    #[error("{why}; the server asks to be tried again in {seconds} s")]
    Wait {
        /// Seconds it asked for.
        seconds: u64,
        /// What it says.
        why: String,
    },
    /// Nobody answers at the address.
    #[error("the server cannot be reached: {why}")]
    Unreachable {
        /// What happened.
        why: String,
    },
    /// The connection ended before the answer; whether the request took effect is unknown.
    #[error("the connection ended before the answer: {why}")]
    Lost {
        /// What happened.
        why: String,
    },
    /// The server took longer than a request may.
    #[error("the server did not answer in time: {why}")]
    TooSlow {
        /// Which step took too long.
        why: String,
    },
    /// The server refused the client's certificate.
    #[error("the server refused this client's certificate: {why}")]
    CertificateRefused {
        /// What it said.
        why: &'static str,
    },
    /// The server's certificate isn't the authority's, or is for another name.
    #[error(
        "the server is not trusted; wanted a certificate of the given authority for this very host \
         name or address"
    )]
    ServerNotTrusted {
        /// Why.
        source: rustls::Error,
    },
    /// No TLS connection came about.
    #[error("no TLS 1.3 connection came about")]
    Handshake {
        /// Why.
        source: rustls::Error,
    },
    /// The answer is larger than any answer of this server.
    #[error("the answer has more than {bytes_max} bytes")]
    AnswerBytes {
        /// The bound.
        bytes_max: usize,
    },
    /// A body isn't the JSON that both ends agreed on.
    #[error("a body is not the agreed JSON; is the server of another version?")]
    Json {
        /// Why.
        source: serde_json::Error,
    },
    /// The answer makes no sense here.
    #[error("unexpected answer with status {status}: {found}")]
    Unexpected {
        /// Its HTTP status.
        status: u16,
        /// Its beginning.
        found: String,
    },
    /// HTTP itself failed.
    #[error("the exchange with the server failed")]
    Http {
        /// Why.
        source: ureq::Error,
    },
}

impl ClientError {
    /// Whether the same request may do better later: a busy, restarting or unreachable server.
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Self::Wait { .. } | Self::Unreachable { .. } | Self::Lost { .. } | Self::TooSlow { .. }
        )
    }

    /// The server's own words, where it refused.
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
            AlertDescription::CertificateRequired => "it wants one and got none",
            AlertDescription::CertificateRevoked => "it is revoked",
            AlertDescription::CertificateExpired => "it has expired",
            AlertDescription::UnknownCA => "it is not of the server's authority",
            AlertDescription::AccessDenied => "it names nobody who may come in",
            AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::DecryptError => "it is not valid there",
            _ => return ClientError::Handshake { source: error },
        },
        _ => return ClientError::Handshake { source: error },
    };
    ClientError::CertificateRefused { why }
}
