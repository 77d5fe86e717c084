//! The model to come: the switch under way, and the gallery that is filled for it.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};

use super::error::{Fated, LedgerError};
use super::generation::{Generation, ModelSet};
use crate::booking::VersionId;
use crate::embed::Pool;
use crate::face::{Embedding, ModelId};
use crate::store::{Store, SwitchRow};

/// A switch that is under way.
#[derive(Clone)]
pub(super) struct Switch {
    pub(super) row: SwitchRow,
    /// The next model's threads; none while the configuration doesn't offer that model.
    pub(super) pool: Option<Arc<Pool>>,
    /// The next gallery, while it is filled.
    pub(super) incoming: Option<Arc<Incoming>>,
}

/// A generation that is being filled. What is suppressed meanwhile is masked in it or never gets
/// in.
pub(super) struct Incoming {
    pub(super) generation: Arc<Generation>,
    pub(super) gone: Mutex<HashSet<VersionId>>,
    /// Leaves before this one are filled in beside the writer, later ones by it when the generation
    /// is activated.
    pub(super) below: u64,
}

impl Switch {
    /// The switch that the store says is under way.
    pub(super) fn resumed(store: &Store, models: &ModelSet) -> Result<Option<Self>, LedgerError> {
        let Some(row) = store.switch()? else { return Ok(None) };
        let pool = models.pool(row.model).unwrap_or_else(|e| {
            log::error!("the switch of the model waits: {}", e.chain());
            None
        });
        if pool.is_none() {
            log::warn!(
                "a switch to the models {} is under way, found {}",
                row.model,
                models.offers()
            );
        }
        Ok(Some(Self { row, pool, incoming: None }))
    }

    pub(super) fn model(&self) -> ModelId {
        self.row.model
    }
}

impl Incoming {
    fn gone(&self) -> MutexGuard<'_, HashSet<VersionId>> {
        self.gone.lock().expect("nothing panics while it holds what is gone")
    }

    pub(super) fn take(&self, mut faces: Vec<(VersionId, Embedding)>) -> Result<(), LedgerError> {
        // Held until the rows have their names: what is masked next finds them.
        let gone = self.gone();
        faces.retain(|(version, _)| !gone.contains(version));
        Ok(self.generation.append(faces)?)
    }

    pub(super) fn mask(&self, version: VersionId) -> Result<(), LedgerError> {
        let mut gone = self.gone();
        if !self.generation.mask(version)? {
            gone.insert(version);
        }
        Ok(())
    }

    pub(super) fn zero(&self, version: VersionId) -> Result<(), LedgerError> {
        let mut gone = self.gone();
        if !self.generation.zero(version)? {
            gone.insert(version);
        }
        Ok(())
    }
}
