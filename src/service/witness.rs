//! The log as others read it: tiles, bundles, proofs, checkpoints with their cosignatures; and what
//! witnesses bring back.
//!
//! Only what a published checkpoint covers is given out. A witness' cosignature is kept beside the
//! checkpoint that it is about; a checkpoint under this log's own key that this log doesn't contain
//! is evidence that something was taken back or forked, and shuts the doors.

use super::appliance::Service;
use super::error::ServiceError;
use super::guard::Raised;
use crate::audit::{Holds, Note, TileId, VerifierKey};
use crate::roster::Caller;

/// What the log makes of a cosigned checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The size of the tree that was cosigned.
    pub leaves: u64,
    /// Whether a quorum has cosigned it now.
    pub complete: bool,
}

impl Service {
    /// A tile or bundle of the published tree; the read is logged, by the hour.
    ///
    /// Errors: a caller that isn't in the roster; a tile that the tree has not.
    pub fn tile(&self, caller: &Caller, id: TileId) -> Result<Vec<u8>, ServiceError> {
        self.admit(caller)?;
        // A shut box writes nothing, and its log is all that it gives out.
        if self.guard.is_open() {
            self.guard.reads.of_log(&self.ledger, caller, id.holds == Holds::Entries)?;
        }
        self.ledger.tile(id)?.ok_or(ServiceError::not_found("tile"))
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
            posted.checkpoint_of(self.ledger.verifier()).map_err(ServiceError::Posted)?;
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
