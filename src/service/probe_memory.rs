//! How much memory the probes take that requests are at work on: each is held whole, and a few of
//! the largest would fill a small machine.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use super::error::ServiceError;
use crate::limits::{PROBE_COPIES, PROBE_WAIT_SECONDS_MAX, PROBES_BYTES_MAX};

/// Bytes of memory, of which each probe takes its share before it is read.
#[derive(Debug)]
pub(super) struct ProbeMemory {
    bytes_max: u64,
    wait: Duration,
    taken: Mutex<u64>,
    freed: Condvar,
}

/// A probe's share, until this is dropped.
#[derive(Debug)]
pub(super) struct Share<'m> {
    memory: &'m ProbeMemory,
    bytes: u64,
}

impl Default for ProbeMemory {
    fn default() -> Self {
        Self::new(PROBES_BYTES_MAX, Duration::from_secs(PROBE_WAIT_SECONDS_MAX))
    }
}

impl ProbeMemory {
    fn new(bytes_max: u64, wait: Duration) -> Self {
        Self { bytes_max, wait, taken: Mutex::default(), freed: Condvar::new() }
    }

    /// Takes what a probe of so many bytes needs while somebody is at work on it, once there is
    /// room.
    ///
    /// Errors: no room in time.
    pub(super) fn take(&self, probe_bytes: u64) -> Result<Share<'_>, ServiceError> {
        let bytes = probe_bytes.saturating_mul(PROBE_COPIES);
        let fits = |taken: &u64| taken.checked_add(bytes).is_some_and(|sum| sum <= self.bytes_max);
        let taken = self.taken.lock().expect("nothing panics while it holds the sum");
        let (mut taken, _) = self
            .freed
            .wait_timeout_while(taken, self.wait, |taken| !fits(taken))
            .expect("nothing panics while it holds the sum");
        if !fits(&taken) {
            return Err(ServiceError::busy());
        }
        *taken += bytes;
        Ok(Share { memory: self, bytes })
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.memory.taken.lock().expect("nothing panics while it holds the sum") -= self.bytes;
        self.memory.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::LedgerError;
    use crate::limits::PROBE_BYTES_MAX;

    #[test]
    fn probes_share_a_bounded_memory_and_one_more_waits_or_is_told_to() {
        let memory = ProbeMemory::new(10 * PROBE_COPIES, Duration::ZERO);
        let (six, four) = (memory.take(6).unwrap(), memory.take(4).unwrap());
        for bytes in [1, 10, u64::MAX] {
            assert!(
                matches!(memory.take(bytes), Err(ServiceError::Ledger(LedgerError::Busy))),
                "{bytes}"
            );
        }
        drop(six);
        assert!(matches!(memory.take(7), Err(ServiceError::Ledger(LedgerError::Busy))));
        drop((memory.take(6).unwrap(), four));
        drop(memory.take(10).unwrap());

        let patient = ProbeMemory::new(10 * PROBE_COPIES, Duration::MAX);
        let first = patient.take(8).unwrap();
        std::thread::scope(|scope| {
            let second = scope.spawn(|| patient.take(8).map(drop));
            drop(first);
            second.join().unwrap().unwrap();
        });
    }

    #[test]
    fn several_of_the_largest_probes_are_at_work_at_once() {
        let memory = ProbeMemory { wait: Duration::ZERO, ..ProbeMemory::default() };
        let held: Vec<Share<'_>> =
            std::iter::from_fn(|| memory.take(PROBE_BYTES_MAX as u64).ok()).collect();
        assert_eq!(held.len(), 8);
    }
}
