//! What keeps watch over the log: whether the doors are open, what is wrong at the moment, and the
//! thread that looks.
//!
//! **Doors.** A log that may have been taken back must not go on in silence, and every leaf written
//! to it would fork it. So a start writes nothing before it knows better: the anchor, a file
//! outside of the state folder, holds the newest cosigned checkpoint, and a log that doesn't
//! contain it doesn't start. Without an anchor, the doors of a box with witnesses stay shut until a
//! quorum has cosigned the log as it is found; until then it gives out its log and nothing else. A
//! witness that shows a checkpoint of this log that the log does not contain shuts the doors at any
//! time, and only a restore opens them again.
//!
//! **Alarms.** Raised once, logged, told to the journal and in health until what they are about is
//! right again.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use super::clock::{LastLook, Step, behind_cs};
use super::error::{Fate, ServiceError};
use super::gather::Reads;
use super::ledger::Ledger;
use super::model::OnHalt;
use super::sessions::Sessions;
use crate::audit::{Alarm, Detail, Entry, Note, Quorum};
use crate::limits::{COSIGNED_BEFORE_SECONDS_MAX, EXPIRY_LOOK_HOURS, WATCH_SECONDS};
use crate::roster::Roster;
use crate::store::StateKind;

/// Whether the verbs may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doors {
    /// All verbs.
    Open,
    /// Reading the log only, until a quorum of witnesses has cosigned it as it was found.
    Waiting,
    /// Reading the log only, for this reason.
    Shut(String),
}

/// An alarm that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raised {
    /// Which one.
    pub alarm: Alarm,
    /// The leaf that says so; none where nothing could be written.
    pub leaf: Option<u64>,
    /// What is wrong, in words that name nobody.
    pub what: String,
}

/// Watches over one ledger.
pub(super) struct Guard {
    pub(super) ledger: Arc<Ledger>,
    pub(super) roster: Arc<Roster>,
    pub(super) quorum: Quorum,
    pub(super) reads: Reads,
    pub(super) sessions: Sessions,
    doors: RwLock<Doors>,
    alarms: RwLock<BTreeMap<Alarm, Raised>>,
    look: Mutex<LastLook>,
    /// When inquiries whose term is over are looked for again.
    expiry_cs: Mutex<u64>,
    /// The checkpoint that witnesses are asked to cosign, until a quorum has: it stands still, so
    /// that they sign the same one.
    pending: Mutex<Option<(u64, String)>>,
    /// When this start found the log, in seconds since 1970-01-01 UTC.
    found_at: u64,
    /// What opening the doors for the first time does.
    begin: Mutex<Option<Begin>>,
}

/// What is done when the doors open for the first time since the start.
pub(super) type Begin = Box<dyn Fn() -> Result<(), ServiceError> + Send>;

impl Guard {
    /// Takes over a ledger that was opened and not begun.
    pub(super) fn new(
        ledger: Arc<Ledger>,
        roster: Arc<Roster>,
        quorum: Quorum,
        begin: Begin,
    ) -> Result<Self, ServiceError> {
        let core = ledger.core();
        core.read_witnessing(&quorum)?;
        let mut alarms = BTreeMap::new();
        for (alarm, leaf, what) in ledger.standing_alarms()? {
            alarms.insert(alarm, Raised { alarm, leaf: Some(leaf), what });
        }
        let doors = match alarms.get(&Alarm::LogInDoubt) {
            Some(doubt) => Doors::Shut(doubt.what.clone()),
            None if quorum.is_asked() && !core.anchored && ledger.leaves() > 0 => Doors::Waiting,
            None => Doors::Open,
        };
        let (look, found_at) = (LastLook::at(core.clock.as_ref()), core.clock.now_cs() / 100);
        let guard = Self {
            roster,
            quorum,
            reads: Reads::default(),
            sessions: Sessions::default(),
            doors: RwLock::new(doors.clone()),
            alarms: RwLock::new(alarms),
            look: Mutex::new(look),
            expiry_cs: Mutex::default(),
            pending: Mutex::default(),
            found_at,
            begin: Mutex::new(Some(begin)),
            ledger,
        };
        match doors {
            Doors::Open => guard.begin()?,
            Doors::Waiting => {
                log::warn!(
                    "the doors stay shut until a quorum of witnesses has cosigned the log of {} \
                     leaves",
                    guard.ledger.leaves()
                )
            }
            Doors::Shut(why) => log::error!("the doors stay shut: {why}"),
        }
        Ok(guard)
    }

    pub(super) fn doors(&self) -> Doors {
        self.doors.read().expect("nothing panics while it holds the doors").clone()
    }

    pub(super) fn is_open(&self) -> bool {
        *self.doors.read().expect("nothing panics while it holds the doors") == Doors::Open
    }

    /// Lets a verb pass, or says why not.
    pub(super) fn pass(&self) -> Result<(), ServiceError> {
        match &*self.doors.read().expect("nothing panics while it holds the doors") {
            Doors::Open => Ok(()),
            Doors::Waiting => Err(ServiceError::Shut {
                why: "witnesses have yet to confirm that this is the newest log".to_owned(),
            }),
            Doors::Shut(why) => Err(ServiceError::Shut { why: why.clone() }),
        }
    }

    /// The alarms that stand.
    pub(super) fn alarms(&self) -> Vec<Raised> {
        self.alarms
            .read()
            .expect("nothing panics while it holds the alarms")
            .values()
            .cloned()
            .collect()
    }

    pub(super) fn stands(&self, alarm: Alarm) -> bool {
        self.alarms.read().expect("nothing panics while it holds the alarms").contains_key(&alarm)
    }

    /// Raises an alarm that doesn't stand yet.
    pub(super) fn raise(&self, alarm: Alarm, what: String) -> Result<(), ServiceError> {
        if self.stands(alarm) {
            return Ok(());
        }
        log::error!("alarm {alarm}: {what}");
        let leaf = match self.is_open() {
            true => Some(self.ledger.raise(alarm, &what)?),
            false => None,
        };
        self.alarms
            .write()
            .expect("nothing panics while it holds the alarms")
            .insert(alarm, Raised { alarm, leaf, what });
        Ok(())
    }

    /// Clears an alarm that stands.
    pub(super) fn clear(&self, alarm: Alarm, what: &str) -> Result<(), ServiceError> {
        let Some(raised) = self
            .alarms
            .read()
            .expect("nothing panics while it holds the alarms")
            .get(&alarm)
            .cloned()
        else {
            return Ok(());
        };
        log::warn!("alarm {alarm} is over: {what}");
        if let (Some(leaf), true) = (raised.leaf, self.is_open()) {
            self.ledger.clear(alarm, leaf, what)?;
        }
        self.alarms.write().expect("nothing panics while it holds the alarms").remove(&alarm);
        Ok(())
    }

    /// Evidence against this log: an alarm, and the doors shut.
    pub(super) fn doubt(&self, what: String) -> Result<(), ServiceError> {
        self.raise(Alarm::LogInDoubt, what.clone())?;
        *self.doors.write().expect("nothing panics while it holds the doors") = Doors::Shut(what);
        Ok(())
    }

    /// The checkpoint that witnesses are asked to cosign.
    pub(super) fn pending(&self) -> String {
        let mut pending =
            self.pending.lock().expect("nothing panics while it holds the checkpoint");
        let newest = self.ledger.core().newest();
        pending.get_or_insert_with(|| (newest.leaves, newest.note)).1.clone()
    }

    /// Whether the checkpoint of this size is the one that witnesses are asked to cosign.
    pub(super) fn asks_for(&self, leaves: u64) -> bool {
        self.pending
            .lock()
            .expect("nothing panics while it holds the checkpoint")
            .as_ref()
            .is_some_and(|(size, _)| *size == leaves)
    }

    /// A witness cosigned: the anchor follows, and doors that wait may open.
    pub(super) fn witnessed(&self, leaves: u64, note: &Note) -> Result<(), ServiceError> {
        self.ledger.anchor(leaves, note)?;
        if self.quorum.witnessed(note).complete.is_some() {
            // The next one to ask is given the newest.
            self.pending
                .lock()
                .expect("nothing panics while it holds the checkpoint")
                .take_if(|(size, _)| *size <= leaves);
        }
        let fresh = self
            .quorum
            .witnessed_since(note, self.found_at.saturating_sub(COSIGNED_BEFORE_SECONDS_MAX));
        if self.doors() == Doors::Waiting
            && leaves == self.ledger.leaves()
            && fresh.complete.is_some()
        {
            // Before anybody else writes; what fails here is tried again when the next witness
            // comes.
            self.begin()?;
            *self.doors.write().expect("nothing panics while it holds the doors") = Doors::Open;
            log::info!("witnesses have cosigned the log of {leaves} leaves: the doors are open");
        }
        Ok(())
    }

    fn begin(&self) -> Result<(), ServiceError> {
        let mut begin = self.begin.lock().expect("nothing panics while it holds what begins");
        begin.as_ref().map_or(Ok(()), |begin| begin())?;
        *begin = None;
        let real = self.ledger.kind() == StateKind::Real;
        match self.quorum.is_asked() {
            false if real => self.raise(
                Alarm::NoWitnesses,
                "the roster lists no witness: nobody outside notices a log that is rewritten"
                    .to_owned(),
            ),
            _ => self.clear(Alarm::NoWitnesses, "the roster lists witnesses"),
        }
    }

    /// Looks at clock, medium and witnesses, and ends the hours that are over.
    pub(super) fn look(&self) -> Result<(), ServiceError> {
        if !self.is_open() {
            return Ok(());
        }
        self.look_at_clock()?;
        self.look_at_disk()?;
        self.look_at_witnesses()?;
        match self.ledger.audit_overdue()? {
            Some(what) => self.raise(Alarm::AuditOverdue, what)?,
            None => self.clear(Alarm::AuditOverdue, "nothing of audits is overdue")?,
        }
        self.end_idle_sessions()?;
        // What a clock in doubt says ends no account and destroys nothing.
        if !self.stands(Alarm::ClockAhead) {
            self.end_accounts()?;
            self.expire_inquiries()?;
            self.ledger.expire_details()?;
        }
        self.ledger.end_hours()?;
        self.reads.end_hours(&self.ledger, false)
    }

    fn expire_inquiries(&self) -> Result<(), ServiceError> {
        let (now_cs, mut next_cs) = (
            self.ledger.now_cs(),
            self.expiry_cs.lock().expect("nothing panics while it holds the time"),
        );
        if now_cs >= *next_cs && self.ledger.expire_inquiries()? {
            *next_cs = now_cs + EXPIRY_LOOK_HOURS * 360_000;
        }
        Ok(())
    }

    fn look_at_clock(&self) -> Result<(), ServiceError> {
        let core = self.ledger.core();
        let newest_cs = core.newest().time_cs;
        let step = self
            .look
            .lock()
            .expect("nothing panics while it holds the last look")
            .again(core.clock.as_ref(), newest_cs);
        match step {
            Step::Behind(behind_cs) if !self.stands(Alarm::ClockBehind) => {
                self.ledger.note(
                    Vec::new(),
                    vec![behind_cs, 0],
                    Detail::ClockStepped { behind_cs, ahead_cs: 0 },
                )?;
                let what = format!(
                    "the clock is {} s behind the newest leaf: nobody searches until it is right",
                    behind_cs / 100
                );
                self.raise(Alarm::ClockBehind, what)
            }
            Step::Ahead(ahead_cs) => {
                self.ledger.note(
                    Vec::new(),
                    vec![0, ahead_cs],
                    Detail::ClockStepped { behind_cs: 0, ahead_cs },
                )?;
                let what = format!(
                    "the clock went {} s ahead: holds and extensions don't expire until it is \
                     confirmed",
                    ahead_cs / 100
                );
                self.raise(Alarm::ClockAhead, what)
            }
            Step::Behind(_) => Ok(()),
            Step::None => self.clear(Alarm::ClockBehind, "the clock has reached the newest leaf"),
        }
    }

    fn look_at_disk(&self) -> Result<(), ServiceError> {
        match self.ledger.room() {
            Err(e @ ServiceError::DiskLow { .. }) => self.raise(Alarm::DiskLow, e.to_string()),
            Err(e) => Err(e),
            Ok(()) => self.clear(Alarm::DiskLow, "there is room again"),
        }
    }

    fn look_at_witnesses(&self) -> Result<(), ServiceError> {
        let (Some(within), true) = (self.quorum.within_minutes(), self.quorum.is_asked()) else {
            return Ok(());
        };
        let core = self.ledger.core();
        let witnessed = core.witnessing().complete.map_or(0, |(leaves, _)| leaves);
        let oldest = core
            .store
            .leaf(witnessed)?
            .map(|row| Entry::read(&row.leaf).map(|entry| entry.time_cs()))
            .transpose()?;
        match oldest {
            Some(time_cs) if core.clock.now_cs() > time_cs + within * 6_000 => {
                let what = format!(
                    "leaves from {witnessed} on are not cosigned by a quorum after {within} minutes"
                );
                self.raise(Alarm::Unwitnessed, what)
            }
            _ => self.clear(Alarm::Unwitnessed, "a quorum has cosigned what was late"),
        }
    }

    /// Whether the clock lets anybody search.
    pub(super) fn clock_allows(&self) -> Result<(), ServiceError> {
        let core = self.ledger.core();
        match behind_cs(core.clock.now_cs(), core.newest().time_cs) {
            Some(behind) => Err(ServiceError::ClockBehind { seconds: behind / 100 }),
            None => Ok(()),
        }
    }
}

/// The thread `watch`.
#[derive(Default)]
pub(super) struct Watch {
    ended: Arc<AtomicBool>,
    bell: Mutex<Option<SyncSender<()>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Watch {
    /// Starts the thread; `on_halt` is told where the state becomes unknown.
    pub(super) fn start(&self, guard: Arc<Guard>, on_halt: OnHalt) -> Result<(), ServiceError> {
        let (ring, bell) = sync_channel(1);
        let ended = self.ended.clone();
        let work = move || {
            while !ended.load(Ordering::Acquire) {
                match guard.look() {
                    Err(e) if e.fate() == Fate::Halt => {
                        return on_halt(&format!("keeping watch: {}", e.chain()));
                    }
                    Err(e) => log::error!(
                        "keeping watch failed and is tried again in {WATCH_SECONDS} s: {}",
                        e.chain()
                    ),
                    Ok(()) => {}
                }
                if bell.recv_timeout(Duration::from_secs(WATCH_SECONDS))
                    == Err(RecvTimeoutError::Disconnected)
                {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("watch".to_owned()).spawn(work);
        let thread =
            thread.map_err(|source| ServiceError::Io { what: "starting the watch", source })?;
        *self.bell.lock().expect("nothing panics while it holds the bell") = Some(ring);
        *self.thread.lock().expect("nothing panics while it holds the thread") = Some(thread);
        Ok(())
    }

    /// Ends the thread after the look at work.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::Release);
        drop(self.bell.lock().expect("nothing panics while it holds the bell").take());
        if let Some(thread) =
            self.thread.lock().expect("nothing panics while it holds the thread").take()
        {
            // One that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end();
    }
}
