//! How many callers wait for one resource: the queues' figures.

use std::sync::atomic::{AtomicU64, Ordering};

/// Who waits for the ledger's two threads.
#[derive(Debug, Default)]
pub(crate) struct Waits {
    pub(crate) gallery: WaitCount,
    pub(crate) store: WaitCount,
}

/// How many wait for one resource.
#[derive(Debug, Default)]
pub(crate) struct WaitCount(AtomicU64);

/// One of them; gone when dropped.
struct One<'w>(&'w WaitCount);

impl WaitCount {
    /// Counts the caller for as long as `wait` takes.
    pub(crate) fn during<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.0.fetch_add(1, Ordering::Relaxed);
        let _one = One(self);
        wait()
    }

    pub(crate) fn now(&self) -> u64 {
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
        let waiting = WaitCount::default();
        assert_eq!(waiting.during(|| (waiting.now(), waiting.during(|| waiting.now()))), (1, 2));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            waiting.during(|| panic!("on purpose"))
        }));
        assert!(panicked.is_err());
        assert_eq!(waiting.now(), 0);
    }
}
