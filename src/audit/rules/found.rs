//! What a check of the log's rules finds: violations, and what people should know.

use crate::audit::remark::{Place, Remarks};

/// Violations and observations, by place.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) violations: Remarks,
    pub(super) observations: Remarks,
}

impl Found {
    pub(super) fn wrong(&mut self, leaf: u64, what: impl Into<String>) {
        self.violations.add(Place::leaf(leaf), what);
    }

    pub(super) fn note(&mut self, leaf: u64, what: impl Into<String>) {
        self.observations.add(Place::leaf(leaf), what);
    }
}
