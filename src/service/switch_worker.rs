//! The switch's worker: the thread that embeds bookings again while the model is switched.
//!
//! The thread keeps nothing: it asks the ledger what is due, and what it made is durable a batch at
//! a time. It ends between two photos and takes the work up again wherever the next start finds it.
//! At most one in `SWITCH_WORKERS_ONE_IN` workers is at its service, so that operators and agencies
//! wait for no more than a photo of its.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::background::{Bell, OnHalt};
use super::error::ServiceError;
use crate::booking::VersionId;
use crate::embed::{EmbedError, Pool};
use crate::ledger::{
    Fate, Fated, Ledger, LedgerError, NextFace, SwitchState, UNREADABLE, next_face,
};
use crate::limits::{SWITCH_BATCH_LEN_MAX, SWITCH_PAUSE_MS, SWITCH_RETRY_SECONDS};

const PAUSE: Duration = Duration::from_millis(SWITCH_PAUSE_MS);

/// The work of the thread `model-switch`, until it is to end.
pub(super) fn switch_models(ledger: &Ledger, bell: &Bell, on_halt: &OnHalt) {
    Work { ledger, ended: bell.ended(), after: None }.run(bell, on_halt)
}

/// What comes after a step.
enum Next {
    /// Another step at once.
    Step,
    /// Another step soon.
    Pause,
    /// Nothing until it is asked for.
    Rest,
}

struct Work<'l> {
    ledger: &'l Ledger,
    ended: &'l AtomicBool,
    /// Bookings up to this one were looked at in this round.
    after: Option<VersionId>,
}

impl Work<'_> {
    fn run(mut self, bell: &Bell, on_halt: &OnHalt) {
        while !bell.has_ended() {
            let pause = match self.step() {
                Ok(Next::Step) => continue,
                Ok(Next::Pause) => PAUSE,
                Ok(Next::Rest) => {
                    bell.wait();
                    continue;
                }
                Err(e) => match e.fate() {
                    Fate::Halt => return on_halt(&format!("switching the model: {}", e.chain())),
                    Fate::Wait => PAUSE,
                    Fate::Refuse | Fate::Fail => {
                        log::error!(
                            "switching the model failed and is tried again in \
                             {SWITCH_RETRY_SECONDS} s: {}",
                            e.chain()
                        );
                        Duration::from_secs(SWITCH_RETRY_SECONDS)
                    }
                },
            };
            bell.wait_for(pause);
        }
    }

    fn step(&mut self) -> Result<Next, ServiceError> {
        let Some(pool) = self.ledger.next_pool() else {
            self.after = None;
            return Ok(if self.ledger.remove_former()? { Next::Pause } else { Next::Rest });
        };
        let due = self.ledger.due(self.after, SWITCH_BATCH_LEN_MAX)?;
        let Some(last) = due.last() else {
            // Only a round from the very beginning says that nothing is due.
            return if self.after.take().is_some() { Ok(Next::Step) } else { self.activate() };
        };
        let faces = self.examine(&pool, &due)?;
        self.ledger.embed(pool.id(), faces)?;
        self.after = Some(*last);
        Ok(Next::Step)
    }

    fn activate(&self) -> Result<Next, ServiceError> {
        if self.ledger.model_standing()?.state == SwitchState::Blocked
            || (!self.ledger.activate_next(self.ended)? && self.ledger.next_pool().is_none())
        {
            return Ok(Next::Rest);
        }
        Ok(Next::Step)
    }

    /// What the next model makes of these bookings; fewer of them where the work is to end.
    fn examine(
        &self,
        pool: &Pool,
        due: &[VersionId],
    ) -> Result<Vec<(VersionId, NextFace)>, ServiceError> {
        let (taken, made) = (AtomicUsize::new(0), Mutex::new(Ok(Vec::with_capacity(due.len()))));
        let work = || {
            while let Some(&version) = due.get(taken.fetch_add(1, Ordering::Relaxed))
                && !self.ended.load(Ordering::Acquire)
            {
                let face = self.face(pool, version);
                let mut made = made.lock().expect("nothing panics while it holds the faces");
                match (&mut *made, face) {
                    (Ok(faces), Ok(Some(face))) => faces.push((version, face)),
                    (Ok(_), Ok(None)) => {}
                    (Ok(_), Err(e)) => *made = Err(e),
                    (Err(_), _) => return,
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.ledger.switch_workers() {
                scope.spawn(work);
            }
            work();
        });
        made.into_inner().expect("nothing panics while it holds the faces")
    }

    fn face(&self, pool: &Pool, version: VersionId) -> Result<Option<NextFace>, ServiceError> {
        let photo: Arc<[u8]> = match self.ledger.standing_photo(version) {
            Ok(Some(photo)) => photo.into(),
            Ok(None) => return Ok(None),
            Err(LedgerError::Vault(e)) if e.is_damage() || e.is_lost() => {
                log::error!(
                    "the photo of version {version} is not embedded: {}",
                    ServiceError::from(e).chain()
                );
                return Ok(Some(Err(UNREADABLE)));
            }
            Err(e) => return Err(e.into()),
        };
        loop {
            match next_face(pool, photo.clone()) {
                // Operators and agencies have filled the queue: theirs goes first.
                Err(EmbedError::Busy) if !self.ended.load(Ordering::Acquire) => {
                    std::thread::sleep(PAUSE)
                }
                face => return Ok(Some(face?)),
            }
        }
    }
}
