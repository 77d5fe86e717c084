//! The guard of the log: whether the doors are open, which alarms stand, and whose sessions are
//! open.
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
use std::sync::{Arc, Mutex, RwLock};

use super::credentials::Credentials;
use super::error::ServiceError;
use super::people::{Session, Sessions};
use crate::audit::{Alarm, Detail, Note, Quorum};
use crate::booking::Identifier;
use crate::calendar::Time;
use crate::ids::Digest;
use crate::ledger::{LastLook, Ledger, LedgerError, Reads, behind};
use crate::limits::COSIGNED_BEFORE_SECONDS_MAX;
use crate::roster::{Caller, Roster, SessionStanding};
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

/// Why a session ended that its person ended.
pub(super) const BY_HAND: &str = "by hand";

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
    pub(super) credentials: Arc<dyn Credentials>,
    pub(super) reads: Reads,
    pub(super) sessions: Sessions,
    doors: RwLock<Doors>,
    alarms: RwLock<BTreeMap<Alarm, Raised>>,
    pub(super) look: Mutex<LastLook>,
    /// When inquiries whose term is over are looked for again.
    pub(super) expiry: Mutex<Time>,
    /// When bookings that are to be purged are looked for again.
    pub(super) purging: Mutex<Time>,
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
        credentials: Arc<dyn Credentials>,
        begin: Begin,
    ) -> Result<Self, ServiceError> {
        ledger.core().read_witnessing(&quorum)?;
        let mut alarms = BTreeMap::new();
        for (alarm, leaf, what) in ledger.standing_alarms()? {
            alarms.insert(alarm, Raised { alarm, leaf: Some(leaf), what });
        }
        let doors = match alarms.get(&Alarm::LogInDoubt) {
            Some(doubt) => Doors::Shut(doubt.what.clone()),
            None if quorum.is_asked() && !ledger.is_anchored() && ledger.leaves() > 0 => {
                Doors::Waiting
            }
            None => Doors::Open,
        };
        let (look, found_at) = (LastLook::at(ledger.clock()), ledger.clock().now().seconds());
        let guard = Self {
            roster,
            quorum,
            credentials,
            reads: Reads::default(),
            sessions: Sessions::default(),
            doors: RwLock::new(doors.clone()),
            alarms: RwLock::new(alarms),
            look: Mutex::new(look),
            expiry: Mutex::default(),
            purging: Mutex::default(),
            pending: Mutex::default(),
            found_at,
            begin: Mutex::new(Some(begin)),
            ledger,
        };
        guard.ledger.shut(doors != Doors::Open);
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

    /// As `raise`; one that stands for something else is cleared first.
    pub(super) fn raise_for(&self, alarm: Alarm, what: String) -> Result<(), ServiceError> {
        if self.alarms().iter().any(|raised| raised.alarm == alarm && raised.what != what) {
            self.clear(alarm, "it stands for something else now")?;
        }
        self.raise(alarm, what)
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
        self.ledger.shut(true);
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
            self.ledger.shut(false);
            self.begin().inspect_err(|_| self.ledger.shut(true))?;
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

    /// Whether clock and revocation list let anybody search.
    pub(super) fn searches_allowed(&self) -> Result<(), ServiceError> {
        match behind(self.ledger.clock().now(), self.ledger.core().newest().time) {
            Some(behind) => {
                Err(LedgerError::ClockBehind { seconds: behind.whole_seconds() }.into())
            }
            None => self.list_allows(),
        }
    }

    /// Whether it is known who was revoked.
    pub(super) fn list_allows(&self) -> Result<(), ServiceError> {
        let ended = self.credentials.list_ended();
        ended.map_or(Ok(()), |ended| Err(ServiceError::ListOver { ended }))
    }

    /// Ends what was idle for too long; asked for by the watch.
    pub(super) fn end_idle_sessions(&self) -> Result<(), ServiceError> {
        let now = self.ledger.now();
        let over = |(key, session): (&Digest, &Session)| {
            let over = session.times.standing(now) == SessionStanding::Ended;
            (over || session.ended.is_some()).then_some(*key)
        };
        let over: Vec<Digest> = self.sessions.open().iter().filter_map(over).collect();
        over.iter().try_for_each(|key| self.end_session(key, "idle for too long"))
    }

    /// Turns off the accounts whose time has come, and ends their sessions; asked for by the watch.
    pub(super) fn end_accounts(&self) -> Result<(), ServiceError> {
        for person in self.ledger.end_accounts(&self.roster)? {
            self.end_sessions_of(&person, "the account went off")?;
        }
        Ok(())
    }

    /// Ends all sessions of a person.
    pub(super) fn end_sessions_of(
        &self,
        person: &Identifier,
        why: &str,
    ) -> Result<(), ServiceError> {
        self.end_sessions(|session| session.person == *person, why)
    }

    /// Ends the sessions of a person whose account was locked at the caller's device.
    pub(super) fn end_sessions_at(
        &self,
        caller: &Caller,
        person: &Identifier,
    ) -> Result<(), ServiceError> {
        let device = caller.name.to_string();
        let there =
            |session: &Session| session.person == *person && session.actor.certificate == device;
        self.end_sessions(there, "the account was locked at this device")
    }

    fn end_sessions(&self, ends: impl Fn(&Session) -> bool, why: &str) -> Result<(), ServiceError> {
        let of = |(key, session): (&Digest, &Session)| ends(session).then_some(*key);
        let of: Vec<Digest> = self.sessions.open().iter().filter_map(of).collect();
        of.iter().try_for_each(|key| self.end_session(key, why))
    }

    /// Ends a session: from here on nobody uses it. It is forgotten once its leaf is durable; where
    /// that fails, the watch tries again.
    pub(super) fn end_session(&self, key: &Digest, why: &str) -> Result<(), ServiceError> {
        let (leaf, actor, why) = {
            let mut open = self.sessions.open();
            let Some(session) = open.get_mut(key).filter(|session| !session.ending) else {
                return Ok(());
            };
            session.ending = true;
            let why = session.ended.get_or_insert_with(|| why.to_owned()).clone();
            (session.leaf, session.actor.clone(), why)
        };
        let by_itself = u64::from(why != BY_HAND);
        let noted = self.ledger.note(vec![leaf], vec![by_itself], Detail::LoggedOff { actor, why });
        let mut open = self.sessions.open();
        if noted.is_ok() {
            open.remove(key);
        } else if let Some(session) = open.get_mut(key) {
            session.ending = false;
        }
        Ok(noted.map(|_| ())?)
    }
}
