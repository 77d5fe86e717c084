//! Errors of a verification, and damaged files as findings.

use std::io;
use std::path::PathBuf;

use crate::audit::{AuditError, Place};
use crate::client::log_folder::{LogFolder, LogFolderError};

/// Why a log can't be verified at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogVerifyError {
    #[error("{folder} holds no log: there is no checkpoint in it")]
    NoLog { folder: PathBuf },
    #[error(
        "there are no keys to verify the log by: you gave none, and the folder has no policy; give \
         some with --keys"
    )]
    NoKeys,
    #[error("the keys in the folder's policy cannot be read")]
    Policy(#[source] AuditError),
    #[error("the keys name no log; wanted a line 'log' with the log's key")]
    NoLogKey,
    #[error(transparent)]
    Folder(#[from] LogFolderError),
}

/// A missing or damaged file as a finding: place and reason.
///
/// Errors: one that says nothing about the log itself, such as a disk that fails.
pub(super) fn damage(
    folder: &LogFolder,
    error: LogFolderError,
) -> Result<(Place, String), LogFolderError> {
    let below =
        |path: &PathBuf| path.strip_prefix(folder.path()).unwrap_or(path).display().to_string();
    Ok(match &error {
        LogFolderError::File { path, source } if source.kind() == io::ErrorKind::NotFound => {
            (Place::File { path: below(path) }, "is missing".to_owned())
        }
        LogFolderError::File { path, source } if source.kind() == io::ErrorKind::InvalidData => {
            (Place::File { path: below(path) }, "is damaged: it is not text".to_owned())
        }
        LogFolderError::Log { path, source } => {
            (Place::File { path: below(path) }, format!("is damaged: {source}"))
        }
        LogFolderError::Line { path, line, reason } => {
            (Place::Line { path: below(path), line: *line }, format!("is damaged: {reason}"))
        }
        LogFolderError::File { .. } => return Err(error),
    })
}
