//! What opening a ledger takes, and what an opening leaves to be finished.

use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::clock::Clock;
use super::generation::ModelSet;
use crate::booking::VersionId;
use crate::disk::Disk;
use crate::ids::InquiryId;
use crate::retention::RetentionDays;
use crate::store::StateKind;

/// This software's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What opening a ledger takes.
pub struct LedgerSetup {
    /// The medium.
    pub disk: Arc<dyn Disk>,
    /// The state folder; it exists.
    pub state: PathBuf,
    /// Make the state folder's content for this use if it is empty; without it, an empty folder is
    /// an error.
    pub create_as: Option<StateKind>,
    /// The log's origin.
    pub origin: String,
    /// The master key's 32 bytes.
    pub master_key: Zeroizing<Vec<u8>>,
    /// The log key's 32 bytes.
    pub log_key: Zeroizing<Vec<u8>>,
    /// The models that the configuration offers; the one of the stored vectors is taken.
    pub models: Arc<ModelSet>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The file outside of the state folder and its backups that holds the newest cosigned
    /// checkpoint.
    pub anchor: Option<PathBuf>,
    /// Bytes of the medium that stay free for releases, purges and the log.
    pub reserve_bytes: u64,
    /// For how many days what is kept.
    pub retention: RetentionDays,
}

/// What a crash left that is finished, and logged, once the doors open.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    /// Versions whose purge had begun.
    pub(super) purging: Vec<VersionId>,
    /// Inquiries with a search that was asked for and neither answered nor interrupted.
    pub(super) searching: Vec<InquiryId>,
    /// Inquiries whose end had begun.
    pub(super) ending: Vec<InquiryId>,
}
