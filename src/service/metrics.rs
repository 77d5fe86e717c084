//! Figures of the running box: counts and sizes, of nobody.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::ServiceError;
use super::progress::Started;
use super::{Service, VERSION};
use crate::gallery::GalleryStats;
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

/// Who waits for the ledger's two threads.
#[derive(Debug, Default)]
pub(super) struct Waits {
    pub(super) gallery: Waiting,
    pub(super) store: Waiting,
}

/// How many wait for one resource.
#[derive(Debug, Default)]
pub(super) struct Waiting(AtomicU64);

/// One of them; gone when dropped.
struct One<'w>(&'w Waiting);

impl Waiting {
    /// Counts the caller for as long as `wait` takes.
    pub(super) fn during<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.0.fetch_add(1, Ordering::Relaxed);
        let _one = One(self);
        wait()
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for One<'_> {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_is_counted_for_as_long_as_it_waits_even_if_that_ends_in_a_panic() {
        let waiting = Waiting::default();
        assert_eq!(waiting.during(|| (waiting.now(), waiting.during(|| waiting.now()))), (1, 2));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            waiting.during(|| panic!("on purpose"))
        }));
        assert!(panicked.is_err());
        assert_eq!(waiting.now(), 0);
    }
}
