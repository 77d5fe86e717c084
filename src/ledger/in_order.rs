//! Work by several threads whose results are taken in order, as if one thread had done it.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::Builder;

use super::error::LedgerError;
use crate::limits::START_AHEAD_MAX;

/// Has `workers` threads, at least one, work on the batches 0 to `batches`, and takes their results
/// on this thread, in the order of the batches.
///
/// Each worker has every `workers`th batch and is at most `START_AHEAD_MAX` results and the one at
/// work ahead of what was taken, so that memory doesn't grow with the batches.
///
/// Errors: the first one in the order of the batches; what comes after it isn't taken.
pub(super) fn in_order<T: Send>(
    workers: usize,
    batches: usize,
    work: impl Fn(usize) -> Result<T, LedgerError> + Sync,
    mut take: impl FnMut(T) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    let workers = workers.clamp(1, batches.max(1));
    let work = &work;
    std::thread::scope(|scope| {
        let mut results: Vec<Receiver<Result<T, LedgerError>>> = Vec::with_capacity(workers);
        for worker in 0..workers {
            let (sender, receiver) = sync_channel(START_AHEAD_MAX);
            results.push(receiver);
            let run = move || {
                for batch in (worker..batches).step_by(workers) {
                    let result = work(batch);
                    let failed = result.is_err();
                    // Nobody takes any more once a batch before this one has failed.
                    if sender.send(result).is_err() || failed {
                        return;
                    }
                }
            };
            let named = Builder::new().name("start".to_owned());
            named.spawn_scoped(scope, run).map_err(|source| LedgerError::Io {
                what: "starting a thread of the start",
                source,
            })?;
        }
        for batch in 0..batches {
            take(
                results[batch % workers]
                    .recv()
                    .expect("a worker gives each of its batches, or its panic ends this one too")?,
            )?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn results_are_taken_in_order_and_never_far_behind_the_work() {
        for workers in [0, 1, 2, 3, 7, 64] {
            for batches in [0, 1, 2, 50] {
                let (begun, mut taken) = (AtomicUsize::new(0), Vec::new());
                let work = |batch: usize| {
                    begun.fetch_add(1, Ordering::SeqCst);
                    Ok(batch)
                };
                let take = |batch| {
                    taken.push(batch);
                    let ahead = begun.load(Ordering::SeqCst) - taken.len();
                    assert!(
                        ahead <= workers.max(1) * (START_AHEAD_MAX + 1),
                        "{ahead} batches ahead of what was taken"
                    );
                    Ok(())
                };
                in_order(workers, batches, work, take).unwrap();
                assert_eq!(taken, (0..batches).collect::<Vec<_>>(), "{workers} workers");
            }
        }
    }

    #[test]
    fn the_first_error_in_order_ends_it_wherever_it_comes_from() {
        let failed = |at: usize| LedgerError::Log { what: at.to_string() };
        for workers in [1, 2, 5] {
            let mut taken = 0;
            let work = |batch| if batch >= 6 { Err(failed(batch)) } else { Ok(batch) };
            let ended = in_order(workers, 100, work, |_| {
                taken += 1;
                Ok(())
            });
            assert!(matches!(ended, Err(LedgerError::Log { what }) if what == "6"));
            assert_eq!(taken, 6);
            let ended =
                in_order(
                    workers,
                    100,
                    Ok,
                    |batch| if batch == 9 { Err(failed(batch)) } else { Ok(()) },
                );
            assert!(matches!(ended, Err(LedgerError::Log { what }) if what == "9"));
        }
    }
}
