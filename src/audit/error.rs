//! Errors of the log's formats: why bytes are no part of a log.

use crate::limits::DETAIL_BYTES_MAX;

/// Why bytes are no part of a log.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditError {
    /// A leaf's version isn't known.
    #[error("leaf version {found}, this software reads version {wanted}")]
    LeafVersion { found: u8, wanted: u8 },
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
    /// A verifier key's text is malformed.
    #[error("'{found}' is not a verifier key: {reason}")]
    VerifierKey {
        /// What was given.
        found: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A proof's text is malformed.
    #[error("not a proof: {0}")]
    Proof(&'static str),
    /// A policy's text is malformed.
    #[error("the witness policy is wrong in line {line}: {reason}")]
    Policy {
        /// The line, counted from 1; 0 for all of it.
        line: usize,
        /// What was found and what was wanted.
        reason: String,
    },
    /// A path names no tile.
    #[error(
        "'{found}' is no path of a tile, wanted tile/<level>/<index> as C2SP tlog-tiles writes it"
    )]
    TilePath {
        /// What was given.
        found: String,
    },
    /// A tile or bundle holds something else than its path says.
    #[error("{path}: {reason}")]
    Tile {
        /// The tile.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A log's or witness' name can't stand in a signed note.
    #[error("name '{found}' is not 1 to 200 printable characters without spaces and plus signs")]
    Origin {
        /// Origin given.
        found: String,
    },
    /// A detail is too long to be kept.
    #[error("a detail of {found} bytes, at most {DETAIL_BYTES_MAX} are kept")]
    DetailBytes { found: usize },
}
