//! Errors of the vault: what a sender did wrong, what is damaged, and what the medium refused.

use std::io;

use crate::ids::Digest;
use crate::rule::Rule;

/// Why the vault refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The operating system refused.
    #[error("{what} failed")]
    Io { what: &'static str, source: io::Error },
    /// Sealed bytes don't open: another key, another place, or changed bytes.
    #[error(
        "{what} does not open: its key, its place or its bytes are not those it was sealed with"
    )]
    Unreadable { what: &'static str },
    /// A slot holds no key.
    #[error("slot {slot} holds no key")]
    Vacant { slot: u32 },
    /// No slot is left.
    #[error("all {found} key slots are taken")]
    Full { found: u32 },
    /// A file is there in a form that this software doesn't know.
    #[error("{what} has format {found}, this software reads format {wanted}")]
    Format { what: &'static str, found: u8, wanted: u8 },
    /// The slot file or its anchor is missing.
    #[error(
        "the key slots '{name}' or the anchor of their epoch are missing from the state folder"
    )]
    Missing { name: &'static str },
    /// An upload of a size that isn't taken.
    #[error("an upload of {found} bytes was announced, wanted 1 to {most}")]
    UploadSize { found: u64, most: usize },
    /// An upload was begun, or finished, with another announcement.
    #[error("this upload was announced otherwise before, wanted the same size and SHA-256 again")]
    UploadDiffers,
    /// A piece of an upload isn't the next one.
    #[error(
        "the piece begins at byte {found}, {received} bytes have been received and the next piece \
         begins there"
    )]
    PiecePlace { found: u64, received: u64 },
    /// A piece of an upload is too long or too short.
    #[error("the piece at byte {offset} has {found} bytes, wanted {wanted}")]
    PieceSize { offset: u64, found: usize, wanted: usize },
    /// A piece that came before came again with other bytes.
    #[error("the piece at byte {offset} came before with other bytes")]
    PieceDiffers { offset: u64 },
    /// An upload is to be finished before all of it has come.
    #[error("{received} bytes have been received of {announced} announced")]
    UploadIncomplete { received: u64, announced: u64 },
    /// Other bytes came than were announced.
    #[error(
        "what was received has SHA-256 {found}, {announced} was announced; the upload begins anew"
    )]
    UploadDigest { found: Digest, announced: Digest },
    /// The master key file is malformed.
    #[error("a master key of {found} bytes, wanted 32")]
    MasterKey { found: usize },
}

impl VaultError {
    /// The rule by which an upload is refused; all else is a failure of the box.
    pub fn rule(&self) -> Rule {
        match self {
            Self::UploadSize { .. } => Rule::ProbeSize,
            Self::UploadDiffers
            | Self::PiecePlace { .. }
            | Self::PieceSize { .. }
            | Self::PieceDiffers { .. }
            | Self::UploadIncomplete { .. }
            | Self::UploadDigest { .. } => Rule::UploadTorn,
            Self::Io { .. }
            | Self::Unreadable { .. }
            | Self::Vacant { .. }
            | Self::Full { .. }
            | Self::Format { .. }
            | Self::Missing { .. }
            | Self::MasterKey { .. } => Rule::Failed,
        }
    }

    /// Whether the medium had no room left; nothing was acknowledged and the caller may come again.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { source, .. }
            if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }

    /// Whether the sender of an upload is wrong, and nothing here.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::UploadSize { .. }
                | Self::UploadDiffers
                | Self::PiecePlace { .. }
                | Self::PieceSize { .. }
                | Self::PieceDiffers { .. }
                | Self::UploadIncomplete { .. }
                | Self::UploadDigest { .. }
        )
    }

    /// Whether stored bytes are damaged, so that what they held is gone.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Unreadable { .. } | Self::Vacant { .. })
    }

    /// Whether a file isn't there, or ends too early.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Io { source, .. }
            if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof))
    }

    pub(super) fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}
