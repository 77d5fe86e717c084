//! The log that nobody can quietly rewrite: what a leaf is, how leaves form a tree, and what a
//! checkpoint signs. Pure: no I/O, no clock.
//!
//! Invariant: a leaf names nobody. It carries its kind, its time, the leaves that it follows,
//! counts, and one salted commitment to its detail; the detail with its salt is sealed beside it.
//! Whoever is shown a detail can check it against the leaf, and without the salt nobody can guess
//! it.

mod detail;
#[cfg(test)]
mod document;
mod error;
#[cfg(test)]
pub(crate) mod examples;
mod leaf;
mod leaves;
mod note;
mod proof;
mod quorum;
mod remark;
mod rules;
mod sample;
mod shown;
mod tile;
pub mod touch;
mod tree;

pub use detail::{Actor, Alarm, Refusal, SampleFinding, Sealed, Shown, Unusable};
pub use error::AuditError;
pub use leaf::{Commitment, Entry, Leaf, LeafView, SALT_BYTES, commit};
pub use leaves::{Detail, Follows, LeafKind};
pub use note::{Checkpoint, CosignerKey, KeyUse, LogKey, Note, VerifierKey};
pub use proof::{
    ReadHashes, TlogProof, consistency, inclusion, is_consistent, is_included, root_of,
};
pub use quorum::{Quorum, Witness, Witnessed};
pub use remark::{Place, Remark, Remarks, when};
pub use rules::{Opened, OriginOpened, Ruled, Rules};
pub use sample::SampleKey;
pub use shown::ShownLeaf;
pub use tile::{Holds, TileId, entries, push_entry, tile_bytes, tile_hashes};
pub use tree::{Edge, Hash, TILE_WIDTH, TileNode, leaf_hash, node_hash};
