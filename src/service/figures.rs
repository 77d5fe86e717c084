//! Figures of the running box: counts and sizes, of nobody.

use std::collections::BTreeMap;

use super::appliance::Service;
use super::error::ServiceError;
use crate::gallery::GalleryStats;
use crate::ledger::{Started, VERSION};
use crate::roster::Caller;

/// What can be counted of a box without saying anything of anybody.
#[derive(Clone, Debug)]
pub struct Figures {
    /// The version of this software.
    pub version: &'static str,
    /// The engine that compares: `gpu` or `cpu`.
    pub engine: &'static str,
    /// What the state folder was made for.
    pub state: &'static str,
    /// Rows ever given to the gallery since the start.
    pub rows: u64,
    /// Rows that a search may find.
    pub live_rows: u64,
    /// What the gallery did since the start.
    pub gallery: GalleryStats,
    /// Leaves in the log.
    pub leaves: u64,
    /// Leaves of each kind that were written since the start.
    pub leaves_written: BTreeMap<&'static str, u64>,
    /// Who waits for each resource, those that it is at work for included: `embed`, `gallery`,
    /// `store`.
    pub queues: [(&'static str, u64); 3],
    /// How long the start took.
    pub started: Started,
}

impl Service {
    /// The box's figures.
    ///
    /// Errors: a caller that is no console.
    pub fn figures(&self, caller: &Caller) -> Result<Figures, ServiceError> {
        self.admitted(caller, self.roster.console(caller, "read metrics"))?;
        let gallery = self.ledger.gallery();
        Ok(Figures {
            version: VERSION,
            engine: gallery.engine(),
            state: self.ledger.kind().name(),
            rows: u64::from(gallery.rows()),
            live_rows: u64::from(gallery.live()),
            gallery: gallery.stats(),
            leaves: self.ledger.leaves(),
            leaves_written: self.ledger.leaves_written(),
            queues: [
                ("embed", self.examining.now()),
                ("gallery", self.ledger.waits().gallery.now()),
                ("store", self.ledger.waits().store.now()),
            ],
            started: self.ledger.started().clone(),
        })
    }
}
