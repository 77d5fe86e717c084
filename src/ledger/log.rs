//! The log in the ledger: tiles, proofs and checkpoints of the published tree, the cosignatures
//! that are kept beside them, and the anchor.
//!
//! Only what a published checkpoint covers is given out.

use std::ops::Range;

use super::core::{Core, Newest};
use super::error::LedgerError;
use super::handle::Ledger;
use super::records::Witnessing;
use super::start;
use super::write::{Subject, Write};
use crate::audit::{
    Checkpoint, Hash, Holds, Note, Quorum, TileId, TlogProof, VerifierKey, consistency, inclusion,
    leaf_hash, push_entry, root_of, tile_bytes,
};
use crate::limits::CONSISTENCY_PROOF_LEN_MAX;

impl Core {
    /// Hashes of a tile level.
    fn hashes(&self, level: u8, first: u64, count: u64) -> Result<Vec<Hash>, LedgerError> {
        let hashes = match level {
            0 => {
                let mut hashes = Vec::new();
                self.store.for_each_leaf::<LedgerError>(first..first + count, |_, leaf| {
                    hashes.push(leaf_hash(leaf));
                    Ok(())
                })?;
                hashes
            }
            level => self.store.nodes(level, first..first + count)?,
        };
        match hashes.len() as u64 == count {
            true => Ok(hashes),
            false => Err(LedgerError::Log {
                what: format!("hashes {first} to {} of level {level} are not there", first + count),
            }),
        }
    }

    /// The root of the first leaves, of which there are as many.
    pub(crate) fn root_at(&self, leaves: u64) -> Result<Hash, LedgerError> {
        root_of(leaves, &mut |level, first, count| self.hashes(level, first, count))
    }

    /// Whether this log begins with what a checkpoint says of it.
    pub(crate) fn contains(&self, checkpoint: &Checkpoint) -> Result<bool, LedgerError> {
        let published = self.newest().leaves;
        Ok(checkpoint.leaves == 0
            || checkpoint.leaves <= published
                && self.root_at(checkpoint.leaves)? == checkpoint.root)
    }

    /// Has the newest checkpoint carry its cosignatures, where these are of it.
    fn keep_newest_cosigned(&self, leaves: u64, note: &Note) {
        let mut newest = self.newest.write().expect("nothing panics while it holds the checkpoint");
        if newest.leaves == leaves {
            newest.cosigned = Some(note.to_string());
        }
    }

    pub(crate) fn newest(&self) -> Newest {
        self.newest.read().expect("nothing panics while it holds the checkpoint").clone()
    }

    pub(crate) fn witnessing(&self) -> Witnessing {
        self.witnessing.read().expect("nothing panics while it holds what is witnessed").clone()
    }

    /// Notes that a tree was cosigned, and by a quorum since when.
    pub(crate) fn witnessed(&self, leaves: u64, complete: Option<u64>) {
        let mut witnessing =
            self.witnessing.write().expect("nothing panics while it holds what is witnessed");
        witnessing.cosigned = witnessing.cosigned.max(Some(leaves));
        if let Some(time) = complete
            && witnessing.complete.is_none_or(|(before, _)| before < leaves)
        {
            witnessing.complete = Some((leaves, time));
        }
    }

    /// What is known of the witnesses' work from the checkpoints that are kept.
    pub(crate) fn read_witnessing(&self, quorum: &Quorum) -> Result<(), LedgerError> {
        let mut found = Witnessing::default();
        self.store.for_each_cosigned_back::<LedgerError>(|leaves, note| {
            let note = Note::parse(note)?;
            if note.checkpoint()?.origin != self.log_key.origin() {
                // Of the log under its former origin: nobody has accepted this one yet.
                return Ok(false);
            }
            found.cosigned = found.cosigned.or(Some(leaves));
            found.complete = quorum.witnessed(&note).complete.map(|time| (leaves, time));
            Ok(found.complete.is_none())
        })?;
        *self.witnessing.write().expect("nothing panics while it holds what is witnessed") = found;
        Ok(())
    }
}

impl Ledger {
    /// A tile or bundle of the published tree; none where it has none of that width.
    pub fn tile(&self, id: TileId) -> Result<Option<Vec<u8>>, LedgerError> {
        if !id.is_of(self.leaves()) {
            return Ok(None);
        }
        let core = self.core();
        match id.holds {
            Holds::Hashes(level) => {
                Ok(Some(tile_bytes(&core.hashes(level, id.first(), id.width)?)))
            }
            Holds::Entries => {
                let (mut bundle, mut count) = (Vec::new(), 0);
                core.store.for_each_leaf::<LedgerError>(
                    id.first()..id.first() + id.width,
                    |_, leaf| {
                        push_entry(&mut bundle, leaf);
                        count += 1;
                        Ok(())
                    },
                )?;
                if count == id.width {
                    Ok(Some(bundle))
                } else {
                    Err(LedgerError::Log { what: format!("leaves of {} are missing", id.path()) })
                }
            }
        }
    }

    /// A leaf as it was hashed.
    ///
    /// Errors: no such leaf.
    pub(crate) fn leaf(&self, index: u64) -> Result<Vec<u8>, LedgerError> {
        let row = self.core().store.leaf(index)?;
        row.map(|row| row.leaf).ok_or(LedgerError::NotFound { what: "leaf" })
    }

    /// The proof that a leaf stands in the published tree, with the newest checkpoint that
    /// witnesses cosigned if it covers the leaf, and with the newest one otherwise.
    ///
    /// Errors: no such leaf.
    pub fn proof(&self, leaf: u64) -> Result<TlogProof, LedgerError> {
        let core = self.core();
        let newest = core.newest();
        let witnessed =
            core.witnessing().complete.map(|(leaves, _)| leaves).filter(|&leaves| leaf < leaves);
        let kept = witnessed
            .map(|leaves| core.store.cosigned(leaves..leaves + 1, 1))
            .transpose()?
            .and_then(|mut notes| notes.pop());
        let (leaves, checkpoint) =
            kept.unwrap_or_else(|| (newest.leaves, newest.checkpoint().to_owned()));
        if leaf >= leaves {
            return Err(LedgerError::NotFound { what: "leaf" });
        }
        let path =
            inclusion(leaf, leaves, &mut |level, first, count| core.hashes(level, first, count))?;
        Ok(TlogProof { index: leaf, path, checkpoint })
    }

    /// The proof that the tree of `new` leaves continues that of `old`.
    ///
    /// Errors: a tree larger than the published one, or an old one larger than the new.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, LedgerError> {
        if old > new || new > self.leaves() {
            return Err(LedgerError::NotFound { what: "tree of that size" });
        }
        let proof = consistency(old, new, &mut |level, first, count| {
            self.core().hashes(level, first, count)
        })?;
        debug_assert!(proof.len() <= CONSISTENCY_PROOF_LEN_MAX);
        Ok(proof)
    }

    /// The newest checkpoint with what cosignatures there are of it.
    pub fn cosigned_checkpoint(&self) -> String {
        self.core().newest().checkpoint().to_owned()
    }

    /// Checkpoints that witnesses cosigned, of trees of these sizes, the smallest first.
    pub fn cosigned(&self, leaves: Range<u64>, most: usize) -> Result<Vec<String>, LedgerError> {
        Ok(self.core().store.cosigned(leaves, most)?.into_iter().map(|(_, note)| note).collect())
    }

    /// What witnesses have cosigned.
    pub fn witnessing(&self) -> Witnessing {
        self.core().witnessing()
    }

    /// Keeps the cosignature of this key, valid and of a checkpoint of this log, beside what others
    /// have cosigned of it; gives all of them.
    pub fn keep_cosignature(&self, note: Note, key: &VerifierKey) -> Result<Note, LedgerError> {
        let (checkpoint, key) = (note.checkpoint()?, key.clone());
        let leaves = checkpoint.leaves;
        self.write(Subject::Checkpoint(leaves), move |core, _| {
            let mut merged = match core.store.cosigned(leaves..leaves + 1, 1)?.pop() {
                Some((_, kept)) => Note::parse(&kept)?,
                // What others may have written below the checkpoint is theirs to bring.
                None => Note::parse(&core.log_key.sign(leaves, checkpoint.root))?,
            };
            merged.take_over(&note, &key);
            let text = merged.to_string();
            Write::unlogged(move |_, tables| Ok(tables.put_cosigned(leaves, &text)?))
                .then(move |core, _| {
                    core.keep_newest_cosigned(leaves, &merged);
                    Ok(merged)
                })
                .decided()
        })
    }

    /// Has the anchor hold a cosigned checkpoint, if none over a larger tree is there; durable on
    /// return.
    pub(crate) fn anchor(&self, leaves: u64, note: &Note) -> Result<(), LedgerError> {
        if self.core().anchor.is_none()
            || self.core().witnessing().cosigned.is_some_and(|cosigned| cosigned > leaves)
        {
            return Ok(());
        }
        start::write_anchor(self.core(), note)
            .map_err(|source| LedgerError::Io { what: "writing the anchor", source })
    }
}
