//! Errors of the store, one for each way in which redb can fail.

/// Errors of the store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store can't be opened.
    #[error("the store does not open")]
    Open { source: Box<dyn std::error::Error + Send + Sync> },
    /// A read failed.
    #[error("reading the store failed")]
    Read { source: Box<dyn std::error::Error + Send + Sync> },
    /// A commit failed: whether it counts is unknown until the store is opened again.
    #[error("a commit of the store failed, its state is unknown until it is opened again")]
    Commit { source: Box<dyn std::error::Error + Send + Sync> },
    /// The folder was made by another version of this software.
    #[error("the state folder has format {found}, this software reads format {wanted}")]
    Format { found: u8, wanted: u8 },
    /// A stored value can't be understood.
    #[error("the store's {what} can't be understood")]
    Corrupt { what: &'static str },
}

pub(super) fn open_error(
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Open { source: source.into() }
}

pub(super) fn read_error(
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Read { source: source.into() }
}

pub(super) fn commit_error(
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Commit { source: source.into() }
}
