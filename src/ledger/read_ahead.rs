//! The store's file, read once from end to end while a start walks over its tables.
//!
//! A table's pages lie wherever there was room when they were written: a walk in the order of keys
//! asks the medium for one page after the other from all over the file, and waits for each. One
//! linear read brings them all into the operating system's cache at the medium's full speed. It is
//! a hint and nothing more: what it doesn't get to, or what doesn't fit the memory, is read where
//! it is needed.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{Builder, JoinHandle};

use crate::disk::{Disk, DiskFile, OpenMode};
use crate::limits::{READ_AHEAD_BYTES, READ_AHEAD_THREADS};

/// The threads that read; dropped, they end.
pub(super) struct ReadAhead {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl ReadAhead {
    /// Begins to read a file, if half of the memory that is free can hold it.
    pub(super) fn begin(disk: &dyn Disk, path: &Path) -> Self {
        let mut ahead = Self { stop: Arc::new(AtomicBool::new(false)), threads: Vec::new() };
        let Ok(file) = disk.open(path, OpenMode::Existing) else { return ahead };
        let size = file.size().unwrap_or(0);
        if size > memory_available_bytes().unwrap_or(0) / 2 {
            log::info!(
                "the store has {size} bytes, more than half of the memory that is free: it is not \
                 read ahead"
            );
            return ahead;
        }
        let next = Arc::new(AtomicU64::new(0));
        for _ in 0..READ_AHEAD_THREADS {
            let (file, next, stop) = (file.clone(), next.clone(), ahead.stop.clone());
            // Without the thread the start is slower, and that is all.
            ahead.threads.extend(
                Builder::new()
                    .name("read-ahead".to_owned())
                    .spawn(move || read(file.as_ref(), size, &next, &stop)),
            );
        }
        ahead
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // It only reads; whatever ended it, the start goes on.
            let _ = thread.join();
        }
    }
}

fn read(file: &dyn DiskFile, size: u64, next: &AtomicU64, stop: &AtomicBool) {
    let mut piece = vec![0; READ_AHEAD_BYTES];
    while !stop.load(Ordering::Relaxed) {
        let offset = next.fetch_add(READ_AHEAD_BYTES as u64, Ordering::Relaxed);
        let Some(left) = size.checked_sub(offset).filter(|&left| left > 0) else { return };
        let length =
            usize::try_from(left).map_or(READ_AHEAD_BYTES, |left| left.min(READ_AHEAD_BYTES));
        // An error shows itself where the bytes are needed.
        if file.read_at(offset, &mut piece[..length]).is_err() {
            return;
        }
    }
}

/// What the operating system can give without pressing anybody, where it says so.
pub(super) fn memory_available_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    kib.checked_mul(1024)
}
