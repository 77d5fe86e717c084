//! The log that nobody can quietly rewrite: what a leaf is, how leaves form a tree, and what a checkpoint signs. Pure: no I/O, no clock.
//!
//! Invariant: a leaf names nobody. It carries its kind, its time, the leaves that it follows, counts, and one salted commitment to its
//! detail; the detail with its salt is sealed beside it. Whoever is shown a detail can check it against the leaf, and without the
//! salt nobody can guess it.

mod leaf;
mod note;
mod tree;

pub use leaf::{Commitment, Leaf, LeafKind, SALT_BYTES, commit};
pub use note::{Checkpoint, LogKey};
pub use tree::{Edge, leaf_hash};

/// Why bytes are no part of a log.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditError {
    /// A leaf's version isn't known.
    #[error("leaf version {found}, this software reads version {}", leaf::VERSION)]
    LeafVersion {
        /// Version found.
        found: u8,
    },
    /// A leaf's kind isn't known.
    #[error("leaf kind {found} is unknown")]
    LeafKind {
        /// Kind found.
        found: u16,
    },
    /// A leaf's bytes have the wrong length.
    #[error("a leaf of {found} bytes, wanted {wanted}")]
    LeafBytes {
        /// Bytes found.
        found: usize,
        /// Bytes that its header promises.
        wanted: usize,
    },
    /// Stored tree edges don't fit their number of leaves.
    #[error("a tree edge of {found} bytes, {leaves} leaves have one of {wanted}")]
    Edge {
        /// Bytes found.
        found: usize,
        /// Leaves that it claims.
        leaves: u64,
        /// Bytes that so many leaves need.
        wanted: usize,
    },
    /// A checkpoint's text is malformed.
    #[error("not a checkpoint: {0}")]
    Checkpoint(&'static str),
    /// A checkpoint's signature isn't by this log's key.
    #[error("the checkpoint is not signed by this log's key")]
    Signature,
    /// A log's key file is malformed.
    #[error("a log key of {found} bytes, wanted 32")]
    Key {
        /// Bytes found.
        found: usize,
    },
    /// A log's origin can't stand in a signed note.
    #[error("log origin '{found}' is not 1 to 200 printable characters without spaces and plus signs")]
    Origin {
        /// Origin given.
        found: String,
    },
}
