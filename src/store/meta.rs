//! Facts about a state folder: what it was made for, its log's names, its newest checkpoint and the
//! roster and ceilings that it was last served by.

use hex::FromHex;

use super::database::{Commit, Store};
use super::error::StoreError;
use crate::ids::Digest;
use crate::state_kind::StateKind;

const META_KIND: &str = "kind";
const META_ORIGIN: &str = "origin";
/// Former origins, a line each.
const META_FORMER_ORIGINS: &str = "former-origins";
const META_ROSTER: &str = "roster";
const META_CEILINGS: &str = "ceilings";
const META_EDGE: &str = "edge";
const META_CHECKPOINT: &str = "checkpoint";

impl Store {
    /// The kind of the folder: what it was made for.
    pub fn kind(&self) -> Result<StateKind, StoreError> {
        let name = self.meta(META_KIND)?.unwrap_or_default();
        str::from_utf8(&name)
            .ok()
            .and_then(StateKind::named)
            .ok_or(StoreError::Corrupt { what: "kind" })
    }

    /// The log's origin.
    pub fn origin(&self) -> Result<String, StoreError> {
        self.meta(META_ORIGIN)?
            .and_then(|o| String::from_utf8(o).ok())
            .ok_or(StoreError::Corrupt { what: "origin" })
    }

    /// Digest of the roster that the box last served by.
    pub fn roster(&self) -> Result<Option<Digest>, StoreError> {
        let digest = self.meta(META_ROSTER)?;
        digest
            .map(|digits| {
                Digest::from_hex(digits)
                    .map_err(|_| StoreError::Corrupt { what: "digest of the roster" })
            })
            .transpose()
    }

    /// The ceilings that were served by last.
    pub fn ceilings(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.meta(META_CEILINGS)
    }

    /// Origins that the log had before, the oldest first.
    pub fn former_origins(&self) -> Result<Vec<String>, StoreError> {
        let former = self.meta(META_FORMER_ORIGINS)?.unwrap_or_default();
        let former = String::from_utf8(former)
            .map_err(|_| StoreError::Corrupt { what: "former origins" })?;
        Ok(former.lines().map(str::to_owned).collect())
    }

    /// The tree's edge.
    pub fn edge(&self) -> Result<Vec<u8>, StoreError> {
        self.meta(META_EDGE)?.ok_or(StoreError::Corrupt { what: "edge" })
    }

    /// The newest signed checkpoint, none before the first leaf.
    pub fn checkpoint(&self) -> Result<Option<String>, StoreError> {
        let note = self.meta(META_CHECKPOINT)?;
        note.map(|n| String::from_utf8(n).map_err(|_| StoreError::Corrupt { what: "checkpoint" }))
            .transpose()
    }
}

impl Commit {
    /// Writes what a new folder is made for.
    pub(super) fn put_new_log(
        &self,
        kind: StateKind,
        origin: &str,
        edge: &[u8],
    ) -> Result<(), StoreError> {
        self.put_meta(META_KIND, kind.name().as_bytes())?;
        self.put_meta(META_ORIGIN, origin.as_bytes())?;
        self.put_meta(META_EDGE, edge)
    }

    /// Writes the tree's edge and the checkpoint over it.
    pub fn put_checkpoint(&self, edge: &[u8], note: &str) -> Result<(), StoreError> {
        self.put_meta(META_EDGE, edge)?;
        self.put_meta(META_CHECKPOINT, note.as_bytes())
    }

    /// Writes the digest of the roster that the box serves by from here on.
    pub fn put_roster(&self, sha256: Digest, ceilings: &[u8]) -> Result<(), StoreError> {
        self.put_meta(META_ROSTER, sha256.to_string().as_bytes())?;
        self.put_meta(META_CEILINGS, ceilings)
    }

    /// Lets the log go on under another origin.
    pub fn put_origin(&self, origin: &str, former: &str) -> Result<(), StoreError> {
        let before = self.meta(META_FORMER_ORIGINS)?.unwrap_or_default();
        self.put_meta(META_FORMER_ORIGINS, &[&before[..], former.as_bytes(), b"\n"].concat())?;
        self.put_meta(META_ORIGIN, origin.as_bytes())
    }
}
