//! Background thread: a thread of the service's own, beside those of its callers, from `tend` until
//! the service is closed. It ends between two pieces of its work, never within one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::ledger::LedgerError;

/// What the process is told when its state is unknown; it must end.
pub type OnHalt = Arc<dyn Fn(&str) + Send + Sync>;

/// A thread and its bell, or none before it is started.
#[derive(Default)]
pub(super) struct BackgroundThread {
    ring: Mutex<Option<SyncSender<()>>>,
    ended: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// The thread's own side of its bell.
pub(super) struct Bell {
    rung: Receiver<()>,
    ended: Arc<AtomicBool>,
}

impl BackgroundThread {
    /// Starts the thread; its work returns soon after the bell says that it has ended.
    ///
    /// Errors: no thread to be had.
    pub(super) fn start(
        &self,
        name: &'static str,
        work: impl FnOnce(&Bell) + Send + 'static,
    ) -> Result<(), LedgerError> {
        let (ring, rung) = sync_channel(1);
        let bell = Bell { rung, ended: self.ended.clone() };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || work(&bell))
            .map_err(|source| LedgerError::Io { what: "starting a thread", source })?;
        *self.ring.lock().expect("nothing panics while it holds the bell") = Some(ring);
        *self.thread.lock().expect("nothing panics while it holds the thread") = Some(thread);
        Ok(())
    }

    /// Says that there may be something to do.
    pub(super) fn ring(&self) {
        if let Some(ring) = &*self.ring.lock().expect("nothing panics while it holds the bell") {
            // Full: it has not heard the last one yet, and will look at everything then.
            let _ = ring.try_send(());
        }
    }

    /// Ends the thread after the piece of work that it is at.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        drop(self.ring.lock().expect("nothing panics while it holds the bell").take());
        if let Some(thread) =
            self.thread.lock().expect("nothing panics while it holds the thread").take()
        {
            // One that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}

impl Drop for BackgroundThread {
    fn drop(&mut self) {
        self.end();
    }
}

impl Bell {
    /// Whether the thread is to end.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// The same, for whoever works on the thread's behalf.
    pub(super) fn ended(&self) -> &AtomicBool {
        &self.ended
    }

    /// Waits until somebody rings, or the thread is to end.
    pub(super) fn wait(&self) {
        // An error: nobody can ring any more, which `has_ended` tells.
        let _ = self.rung.recv();
    }

    /// Waits as long as that at most.
    pub(super) fn wait_for(&self, pause: Duration) {
        let _ = self.rung.recv_timeout(pause);
    }
}
