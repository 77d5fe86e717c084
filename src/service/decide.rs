//! Changes that are decided where they are written: a decision runs in the writer, so what it reads
//! is what its transaction will find, and nobody else decides on the same subject meanwhile.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use super::core::Core;
use super::error::ServiceError;
use super::ledger::Ledger;
use super::stage::NewLeaf;
use super::writer::{Change, Done, Subject};
use crate::booking::VersionId;
use crate::store::Commit;

/// What decides, in the writer.
pub(super) type Decide =
    Box<dyn FnOnce(&Core, &Group<'_>) -> Result<Option<Decided>, ServiceError> + Send>;
/// Writes rows; it is told the index of the last leaf that logs them.
pub(super) type PutRows =
    Box<dyn FnOnce(&Core, &Commit, Option<u64>) -> Result<(), ServiceError> + Send + Sync>;

/// What a decision must know beside what the store says.
pub(super) struct Group<'g> {
    /// The time that its leaves are dated.
    pub(super) now_cs: u64,
    /// Versions that other changes of the same transaction take out of the gallery.
    pub(super) suppressed: &'g HashSet<VersionId>,
}

/// What was decided: leaves, and rows that are written with them.
pub(super) struct Decided {
    pub(super) leaves: Vec<NewLeaf>,
    pub(super) rows: PutRows,
    /// The slot of a key that was lodged for it among the probes' keys.
    pub(super) slot: Option<u32>,
}

impl Decided {
    pub(super) fn new(
        leaves: Vec<NewLeaf>,
        rows: impl FnOnce(&Core, &Commit, Option<u64>) -> Result<(), ServiceError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { leaves, rows: Box::new(rows), slot: None }
    }
}

impl Ledger {
    /// Has something decided; gives what the decision gives and the index of its last leaf, once
    /// both are durable. A decision of nothing writes nothing.
    ///
    /// Errors: the decision's own; a full queue; a failed commit halts.
    pub(super) fn decide<T: Send + 'static>(
        &self,
        subject: Subject,
        decide: impl FnOnce(&Core, &Group<'_>) -> Result<(T, Option<Decided>), ServiceError>
        + Send
        + 'static,
    ) -> Result<(T, Option<u64>), ServiceError> {
        let given = Arc::new(Mutex::new(None));
        let put = given.clone();
        let decide: Decide = Box::new(move |core, group| {
            let (value, decided) = decide(core, group)?;
            *put.lock().expect("nothing panics while it holds the value") = Some(value);
            Ok(decided)
        });
        match self.change(Change::Decide { subject, decide })? {
            Done::Decided { leaf } => {
                let value = given.lock().expect("nothing panics while it holds the value").take();
                Ok((value.expect("whoever decided gave it"), leaf))
            }
            _ => unreachable!("the writer answers a decision with one"),
        }
    }
}
