//! Result of a log's verification, as JSON prints it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::audit::{Place, Remarks};

/// Result of a verification.
#[derive(Clone, Debug, Serialize)]
pub struct LogVerdict {
    /// Whether nothing is wrong. Of leaves that no witness cosigned this says only that the log's
    /// owner signed them.
    pub holds: bool,
    /// The log's name; empty where none of its checkpoints can be believed.
    pub origin: String,
    /// Number of verified leaves.
    pub leaves: u64,
    /// The root over them, hexadecimal; none where some of them are missing.
    pub root: Option<String>,
    /// Whether the keys come from the folder itself, which proves nothing about who signed.
    pub keys_from_export: bool,
    pub keys: Vec<KeyView>,
    pub checked: CheckedCounts,
    /// The newest checkpoint that a quorum cosigned.
    pub witnessed: Option<WitnessedView>,
    /// Whether the keys name a quorum at all.
    pub witnesses_asked: bool,
    /// Leaves that no such checkpoint covers, where the keys name a quorum: whoever holds the log's
    /// key could still rewrite them.
    pub not_witnessed: Option<Place>,
    /// Number of leaves of each kind.
    pub kinds: BTreeMap<&'static str, u64>,
    /// Number of leaves of a newer version or kind, which this program doesn't know.
    pub not_understood: u64,
    /// What does not hold.
    pub violations: Remarks,
    /// What a reader should know, though it breaks no rule.
    pub observations: Remarks,
}

/// A key, in the form in which people compare it.
#[derive(Clone, Debug, Serialize)]
pub struct KeyView {
    pub name: String,
    /// `log` or `witness`.
    pub of: &'static str,
    /// Whether it is of a witness that isn't an agency.
    pub independent: bool,
    /// SHA-256 of the public key, hexadecimal.
    pub fingerprint: String,
}

/// Numbers of things that were checked.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CheckedCounts {
    /// Files of leaves and hashes.
    pub files: u64,
    pub checkpoints: u64,
    /// Valid cosignatures of known witnesses.
    pub cosignatures: u64,
    pub details: u64,
    /// Leaves of the checkpoint kept from before; none where none was given.
    pub since_leaves: Option<u64>,
}

/// The newest checkpoint that a quorum cosigned.
#[derive(Clone, Debug, Serialize)]
pub struct WitnessedView {
    pub leaves: u64,
    /// When the quorum was complete, seconds since 1970-01-01 UTC.
    pub time: u64,
    /// Names of the witnesses.
    pub by: Vec<String>,
}
