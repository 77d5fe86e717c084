//! The log as others read it: tiles, bundles, proofs, checkpoints with their cosignatures; and what
//! witnesses bring back.
//!
//! Only what a published checkpoint covers is given out. A witness' cosignature is kept beside the
//! checkpoint that it is about; a checkpoint under this log's own key that this log doesn't contain
//! is evidence that something was taken back or forked, and shuts the doors.

use std::ops::Range;

use super::Service;
use super::core::{Core, Newest};
use super::error::ServiceError;
use super::guard::Raised;
use super::ledger::Ledger;
use crate::audit::{
    Checkpoint, Hash, Holds, Note, Quorum, TileId, TlogProof, VerifierKey, Witness, consistency,
    inclusion, leaf_hash, push_entry, root_of, tile_bytes,
};
use crate::limits::{CHECKPOINTS_PER_ANSWER_MAX, CONSISTENCY_PROOF_LEN_MAX};
use crate::roster::{Caller, Roster};

/// What witnesses have cosigned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witnessing {
    /// The largest tree that any witness cosigned.
    pub cosigned: Option<u64>,
    /// The largest tree that a quorum cosigned, and when that was complete, in seconds since
    /// 1970-01-01 UTC.
    pub complete: Option<(u64, u64)>,
}

/// What the log makes of a cosigned checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The size of the tree that was cosigned.
    pub leaves: u64,
    /// Whether a quorum has cosigned it now.
    pub complete: bool,
}

impl Core {
    /// Hashes of a tile level.
    fn hashes(&self, level: u8, first: u64, count: u64) -> Result<Vec<Hash>, ServiceError> {
        let hashes = match level {
            0 => {
                let mut hashes = Vec::new();
                self.store.for_each_leaf::<ServiceError>(first..first + count, |_, leaf| {
                    hashes.push(leaf_hash(leaf));
                    Ok(())
                })?;
                hashes
            }
            level => self.store.nodes(level, first..first + count)?,
        };
        match hashes.len() as u64 == count {
            true => Ok(hashes),
            false => Err(ServiceError::Log {
                what: format!("hashes {first} to {} of level {level} are not there", first + count),
            }),
        }
    }

    /// The root of the first leaves, of which there are as many.
    pub(super) fn root_at(&self, leaves: u64) -> Result<Hash, ServiceError> {
        root_of(leaves, &mut |level, first, count| self.hashes(level, first, count))
    }

    /// Whether this log begins with what a checkpoint says of it.
    pub(super) fn contains(&self, checkpoint: &Checkpoint) -> Result<bool, ServiceError> {
        let published = self.newest().leaves;
        Ok(checkpoint.leaves == 0
            || checkpoint.leaves <= published
                && self.root_at(checkpoint.leaves)? == checkpoint.root)
    }

    pub(super) fn newest(&self) -> Newest {
        self.newest.read().expect("nothing panics while it holds the checkpoint").clone()
    }

    pub(super) fn witnessing(&self) -> Witnessing {
        self.witnessing.read().expect("nothing panics while it holds what is witnessed").clone()
    }

    /// What is known of the witnesses' work from the checkpoints that are kept.
    pub(super) fn read_witnessing(&self, quorum: &Quorum) -> Result<(), ServiceError> {
        let mut found = Witnessing::default();
        self.store.for_each_cosigned_back::<ServiceError>(|leaves, note| {
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
    pub fn tile(&self, id: TileId) -> Result<Option<Vec<u8>>, ServiceError> {
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
                core.store.for_each_leaf::<ServiceError>(
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
                    Err(ServiceError::Log { what: format!("leaves of {} are missing", id.path()) })
                }
            }
        }
    }

    /// The proof that a leaf stands in the published tree, with the newest checkpoint that
    /// witnesses cosigned if it covers the leaf, and with the newest one otherwise.
    ///
    /// Errors: no such leaf.
    pub fn proof(&self, leaf: u64) -> Result<TlogProof, ServiceError> {
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
            return Err(ServiceError::NotFound { what: "leaf" });
        }
        let path =
            inclusion(leaf, leaves, &mut |level, first, count| core.hashes(level, first, count))?;
        Ok(TlogProof { index: leaf, path, checkpoint })
    }

    /// The proof that the tree of `new` leaves continues that of `old`.
    ///
    /// Errors: a tree larger than the published one, or an old one larger than the new.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, ServiceError> {
        if old > new || new > self.leaves() {
            return Err(ServiceError::NotFound { what: "tree of that size" });
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
    pub fn cosigned(&self, leaves: Range<u64>, most: usize) -> Result<Vec<String>, ServiceError> {
        let most = most.min(CHECKPOINTS_PER_ANSWER_MAX);
        Ok(self.core().store.cosigned(leaves, most)?.into_iter().map(|(_, note)| note).collect())
    }

    /// What witnesses have cosigned.
    pub fn witnessing(&self) -> Witnessing {
        self.core().witnessing()
    }
}

impl Service {
    /// A tile or bundle of the published tree; the read is logged, by the hour.
    ///
    /// Errors: a caller that isn't in the roster; a tile that the tree has not.
    pub fn tile(&self, caller: &Caller, id: TileId) -> Result<Vec<u8>, ServiceError> {
        self.admit(caller)?;
        // A shut box writes nothing, and its log is all that it gives out.
        if self.guard.is_open() {
            self.guard.reads.note(&self.ledger, caller, id.holds == Holds::Entries)?;
        }
        self.ledger.tile(id)?.ok_or(ServiceError::NotFound { what: "tile" })
    }

    /// The checkpoint that witnesses are asked to cosign: it stands still until a quorum has, so
    /// that they all sign the same one.
    pub fn pending_checkpoint(&self, caller: &Caller) -> Result<String, ServiceError> {
        self.admit(caller)?;
        Ok(self.guard.pending())
    }

    /// The log's and its witnesses' keys with the quorum.
    pub fn policy(&self, caller: &Caller) -> Result<String, ServiceError> {
        self.admit(caller)?;
        Ok(self.guard.quorum.to_string())
    }

    /// Takes a witness' cosignature of a checkpoint, or its evidence that this log isn't what it
    /// was.
    ///
    /// Errors: a caller that is no witness; a note that this log never signed; no cosignature by
    /// the witness' key; `InDoubt` where the checkpoint is this log's and contradicts it.
    pub fn cosign(&self, caller: &Caller, note: &str) -> Result<Cosigned, ServiceError> {
        let witness = self.read_by(caller, self.roster.witness(caller, "cosign"))?;
        let posted = Note::parse(note).map_err(ServiceError::Posted)?;
        let core = self.ledger.core();
        let checkpoint =
            posted.checkpoint_of(core.log_key.verifier()).map_err(ServiceError::Posted)?;
        if !core.contains(&checkpoint)? {
            let what = format!(
                "witness '{}' has a checkpoint of this log over {} leaves that this log of {} \
                 leaves does not contain",
                witness.id,
                checkpoint.leaves,
                core.newest().leaves
            );
            self.guard.doubt(what.clone())?;
            return Err(ServiceError::InDoubt { what });
        }
        let key = VerifierKey::parse(witness.key.as_str())?;
        if key.cosigned(&posted).is_none() {
            return Err(ServiceError::NoCosignature { witness: witness.id.clone() });
        }
        // Nobody fills the store with cosignatures of one checkpoint after the other.
        let asked = self.guard.asks_for(checkpoint.leaves)
            || !self.ledger.cosigned(checkpoint.leaves..checkpoint.leaves + 1, 1)?.is_empty();
        if !asked {
            return Err(ServiceError::NotPending { leaves: checkpoint.leaves });
        }
        let note = self.ledger.keep_cosignature(posted, &key)?;
        let complete = self.guard.quorum.witnessed(&note).complete;
        core.witnessed(checkpoint.leaves, complete);
        self.guard.witnessed(checkpoint.leaves, &note)?;
        Ok(Cosigned { leaves: checkpoint.leaves, complete: complete.is_some() })
    }

    /// What is wrong at the moment.
    pub fn alarms(&self) -> Vec<Raised> {
        self.guard.alarms()
    }
}

impl Core {
    /// Notes that a tree was cosigned, and by a quorum since when.
    fn witnessed(&self, leaves: u64, complete: Option<u64>) {
        let mut witnessing =
            self.witnessing.write().expect("nothing panics while it holds what is witnessed");
        witnessing.cosigned = witnessing.cosigned.max(Some(leaves));
        if let Some(time) = complete
            && witnessing.complete.is_none_or(|(before, _)| before < leaves)
        {
            witnessing.complete = Some((leaves, time));
        }
    }
}

/// The quorum that a roster states for a log.
///
/// Errors: a key that can't be read or stands there twice.
pub(super) fn quorum_of(roster: &Roster, log: &VerifierKey) -> Result<Quorum, ServiceError> {
    let witness = |witness: &crate::roster::Witness| {
        let key = VerifierKey::parse(witness.key.as_str())?;
        Ok::<_, ServiceError>(Witness {
            name: witness.id.to_string(),
            key,
            independent: witness.agency.is_none(),
        })
    };
    let witnesses = roster.witnesses.iter().map(witness).collect::<Result<_, _>>()?;
    let (least, within) =
        roster.quorum.map_or((0, 0), |terms| (terms.witnesses, terms.within_minutes));
    Ok(Quorum::new(log.clone(), witnesses, least, within)?)
}
