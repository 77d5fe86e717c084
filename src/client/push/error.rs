//! Errors of a push: why it ended before its file did.

use std::io;
use std::path::PathBuf;

use crate::client::error::ClientError;
use crate::limits::{FEED_BYTES_MAX, FEED_JOBS_MAX, FEED_ROWS_MAX};

/// Why a push ended before its file did.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    #[error("{path} cannot be read or written")]
    File { path: PathBuf, source: io::Error },
    #[error("{path} has {found} bytes, at most {FEED_BYTES_MAX} are accepted; divide it")]
    Bytes { path: PathBuf, found: u64 },
    #[error("{path} has more than {FEED_ROWS_MAX} rows; divide it")]
    Rows { path: PathBuf },
    #[error("{path} cannot be read as CSV")]
    Csv { path: PathBuf, source: csv::Error },
    #[error("{path}, line 1: column '{found}' is unknown or repeated, wanted {wanted}")]
    Column { path: PathBuf, found: String, wanted: String },
    #[error("{path}, line 1: no column '{wanted}'")]
    NoColumn { path: PathBuf, wanted: &'static str },
    #[error("{found} bookings at the same time, wanted 1 to {FEED_JOBS_MAX}")]
    Jobs { found: usize },
    #[error("{path} is in use by another push of the same file; wait until that has ended")]
    InUse { path: PathBuf },
    #[error(
        "{path}, line {line}: not a line of a push's journal; if you don't need the file, remove \
         it \
         and every booking is pushed again"
    )]
    Journal {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    #[error(
        "{path} holds acknowledgements of log '{found}', the server's log is '{wanted}'; remove it \
         to push every booking again"
    )]
    OtherLog { path: PathBuf, found: String, wanted: String },
    /// The server's log is shorter than what it acknowledged.
    #[error(
        "{path} holds the acknowledgement of leaf {leaf}, but the server's log has {leaves} \
         leaves: it has lost data or is another; \
         ask its operator, then remove the file to push every booking again"
    )]
    LogShorter { path: PathBuf, leaf: u64, leaves: u64 },
    /// The server refuses this feed, or gives answers of another form.
    #[error("the push was stopped; running it again resumes after the last acknowledgement")]
    Stopped { source: ClientError },
    /// The server couldn't be reached, or was busy, for longer than the push waits.
    #[error(
        "the server accepted nothing for {seconds} s; running the push again resumes after the \
         last \
         acknowledgement"
    )]
    ServerGone { seconds: u64, source: ClientError },
}
