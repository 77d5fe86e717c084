//! The box: what every door calls, and how its verbs let a caller pass and log a refusal.

use std::sync::Arc;

use time::Date;

use super::background::{BackgroundThread, OnHalt};
use super::ceilings::{Places, SearchRate};
use super::credentials::Credentials;
use super::error::ServiceError;
use super::guard::{Doors, Guard};
use super::probe_memory::ProbeMemory;
use super::switch_worker::switch_models;
use super::watch::keep_watch;
use crate::audit::touch::SecurityKeys;
use crate::audit::{Actor, Alarm, Detail, LeafKind, Quorum, Sealed, VerifierKey, Witness};
use crate::calendar::Span;
use crate::embed::{ExaminedPhoto, FaceChoice, Pool};
use crate::ids::{Digest, InquiryId};
use crate::inquiry::NumberPattern;
use crate::ledger::{Fate, Fated, Ledger, LedgerSetup, Progress, VERSION, WaitCount};
use crate::limits::{SEARCHES_PER_DAY_MAX, SEARCHES_PER_HOUR_MAX};
use crate::roster::{Agency, Caller, Ceilings, Roster, RosterError};
use crate::rule::Rule;
use crate::store::StateKind;

/// The box: what every door calls.
pub struct Service {
    pub(super) ledger: Arc<Ledger>,
    pub(super) roster: Arc<Roster>,
    pub(super) guard: Arc<Guard>,
    pub(super) watch: BackgroundThread,
    pub(super) switch_worker: BackgroundThread,
    /// Photos that wait for a worker.
    pub(super) examining: WaitCount,
    /// Which keys people have.
    pub(super) keys: Option<SecurityKeys>,
    pub(super) search_rate: SearchRate,
    /// Uploads of probes that somebody is at.
    pub(super) uploads: Places,
    pub(super) probe_memory: ProbeMemory,
}

impl Service {
    /// Opens the state folder and, where the doors may open, logs that the box is about to serve;
    /// tells `watch`, on this thread, how far it is.
    pub fn open(
        setup: LedgerSetup,
        roster: Roster,
        keys: Option<SecurityKeys>,
        credentials: Arc<dyn Credentials>,
        watch: &mut dyn FnMut(&Progress),
    ) -> Result<Self, ServiceError> {
        roster.check()?;
        let numbers = roster.agencies.iter().filter_map(|agency| agency.numbers.as_deref());
        numbers.map(NumberPattern::parse).collect::<Result<Vec<_>, _>>()?;
        let ledger = Arc::new(Ledger::open_held(setup, watch)?);
        if ledger.kind() == StateKind::Real && !roster.ceilings.are_humane() {
            let what = format!(
                "an operator's searches with {}, wanted 1 s at least, {SEARCHES_PER_HOUR_MAX} and \
                 {SEARCHES_PER_DAY_MAX} at most where bookings are real",
                roster.ceilings
            );
            return Err(RosterError::Malformed { what }.into());
        }
        let no_hardware = keys.as_ref().and_then(|keys| keys.models.no_hardware());
        if let (StateKind::Real, Some(what)) = (ledger.kind(), no_hardware) {
            return Err(ServiceError::NoHardware { what });
        }
        let quorum = quorum_of(&roster, ledger.verifier())?;
        let (begun, roster_sha256) = (ledger.clone(), roster.sha256());
        let ceilings = roster.ceilings;
        let begin = Box::new(move || begin(&begun, roster_sha256, ceilings));
        let searched = ledger.searched_since(ledger.now() - Span::days(1))?.into_iter().collect();
        let (search_rate, roster) = (SearchRate::new(roster.ceilings, searched), Arc::new(roster));
        let guard =
            Arc::new(Guard::new(ledger.clone(), roster.clone(), quorum, credentials, begin)?);
        Ok(Self {
            ledger,
            roster,
            guard,
            watch: BackgroundThread::default(),
            switch_worker: BackgroundThread::default(),
            examining: WaitCount::default(),
            keys,
            search_rate,
            uploads: Places::default(),
            probe_memory: ProbeMemory::default(),
        })
    }

    /// Whether the verbs may be used.
    pub fn doors(&self) -> Doors {
        self.guard.doors()
    }

    /// Whether holds and extensions don't expire at the moment, because the clock is in doubt.
    pub fn is_expiry_frozen(&self) -> bool {
        self.guard.stands(Alarm::ClockAhead)
    }

    /// Starts the threads that work in the background, until the service is closed; `on_halt` is
    /// told where the state becomes unknown.
    ///
    /// Errors: those of starting a thread.
    pub fn tend(&self, on_halt: OnHalt) -> Result<(), ServiceError> {
        // Once before anybody is let in, so that what is wrong from the start is said from the
        // start.
        self.guard.look()?;
        let (guard, to_watch) = (self.guard.clone(), on_halt.clone());
        self.watch.start("watch", move |bell| keep_watch(&guard, bell, &to_watch))?;
        let ledger = self.ledger.clone();
        Ok(self
            .switch_worker
            .start("model-switch", move |bell| switch_models(&ledger, bell, &on_halt))?)
    }

    /// Looks at clock, medium, witnesses, accounts and terms now, as the watch does every
    /// `WATCH_SECONDS`.
    pub fn keep_watch(&self) -> Result<(), ServiceError> {
        self.guard.look()
    }

    /// The origin of the console's pages, where one is configured.
    pub fn console_origin(&self) -> Option<&str> {
        self.keys.as_ref().map(|keys| keys.relying_party.origin())
    }

    /// The name that people's keys are bound to, where one is configured.
    pub fn console_name(&self) -> Option<&str> {
        self.keys.as_ref().map(|keys| keys.relying_party.id())
    }

    /// Agencies for which may be asked today.
    pub fn active_agencies(&self) -> impl Iterator<Item = &Agency> {
        let today = self.today();
        self.roster
            .agencies
            .iter()
            .filter(move |agency| self.roster.requester(&agency.id, today).is_ok())
    }

    /// The roster file as it was read, and the day by which its agencies stand.
    ///
    /// Errors: a caller that is no console with administration.
    pub fn roster_now(&self, caller: &Caller) -> Result<(Arc<Roster>, Date), ServiceError> {
        self.admitted(caller, self.roster.administrator(caller, "look at the roster file"))?;
        Ok((self.roster.clone(), self.today()))
    }

    /// The ledger beneath, for what only reads.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether a caller stands in the roster; whoever doesn't is refused and logged. Shut doors let
    /// whoever does read the log.
    pub fn admit(&self, caller: &Caller) -> Result<(), ServiceError> {
        self.read_by(caller, self.roster.admit(caller, self.today()))
    }

    /// Logs that the box stops, and ends the writer.
    pub fn close(&self) -> Result<(), ServiceError> {
        self.watch.end();
        self.switch_worker.end();
        if self.guard.is_open() {
            self.guard.reads.end_hours(&self.ledger, true)?;
            self.ledger.note(
                Vec::new(),
                Vec::new(),
                Detail::Stopped { software: VERSION.to_owned() },
            )?;
        }
        self.ledger.close();
        Ok(())
    }

    /// The day of now.
    pub(super) fn today(&self) -> Date {
        self.ledger.now().date()
    }

    /// Has a worker look at a photo.
    pub(super) fn examine(
        &self,
        pool: &Pool,
        photo: Arc<[u8]>,
        choice: FaceChoice,
    ) -> Result<ExaminedPhoto, ServiceError> {
        Ok(self.examining.during(|| pool.examine(photo, choice))?)
    }

    /// Lets a caller pass open doors; a refusal of the caller itself is logged.
    pub(super) fn admitted<T>(
        &self,
        caller: &Caller,
        result: Result<T, RosterError>,
    ) -> Result<T, ServiceError> {
        self.guard.pass()?;
        self.known(caller, result)
    }

    /// Lets a caller pass to what may be read whether the doors are open or shut; a shut box writes
    /// nothing, no refusal either.
    pub(super) fn read_by<T>(
        &self,
        caller: &Caller,
        result: Result<T, RosterError>,
    ) -> Result<T, ServiceError> {
        if self.guard.is_open() { self.known(caller, result) } else { Ok(result?) }
    }

    /// Whether a caller stands in the roster today.
    pub fn is_listed(&self, caller: &Caller) -> bool {
        self.roster.lists(caller, self.today()).is_ok()
    }

    /// Refuses a caller that doesn't, and logs it.
    pub fn comes_in(&self, caller: &Caller) -> Result<(), ServiceError> {
        self.read_by(caller, self.roster.lists(caller, self.today()))
    }

    /// Logs that somebody is about to be shown what is sealed.
    pub(super) fn shows(
        &self,
        actor: Actor,
        what: Sealed,
        inquiry: Option<InquiryId>,
    ) -> Result<(), ServiceError> {
        Ok(self.guard.reads.of_sealed(&self.ledger, actor, what, inquiry)?)
    }

    /// Logs that the door refused a request, since it isn't of the form that its route takes or
    /// comes from elsewhere. A shut box writes nothing.
    pub fn refused_at_door(
        &self,
        caller: &Caller,
        secret: Option<&[u8]>,
        kind: LeafKind,
        rule: Rule,
        reason: String,
    ) -> Result<(), ServiceError> {
        if !self.guard.is_open() {
            return Ok(());
        }
        let at_desk = secret.and_then(|secret| self.guard.sessions.actor(caller, secret));
        let actor = at_desk.unwrap_or_else(|| Actor::from(caller));
        Ok(self.ledger.refused(Detail::refused(kind, actor, rule, reason))?)
    }

    pub(super) fn known<T>(
        &self,
        caller: &Caller,
        result: Result<T, RosterError>,
    ) -> Result<T, ServiceError> {
        self.logged(result, |rule, reason| {
            let actor = Actor::from(caller);
            Detail::CallerRefused { actor, rule, reason }
        })
    }

    /// Logs a refusal before it is told.
    pub(super) fn logged<T, E: Into<ServiceError>>(
        &self,
        result: Result<T, E>,
        detail: impl FnOnce(Rule, String) -> Detail,
    ) -> Result<T, ServiceError> {
        let result = result.map_err(E::into);
        if let Err(e) = &result
            && e.fate() == Fate::Refuse
        {
            self.ledger.refused(detail(e.rule(), e.to_string()))?;
        }
        result
    }
}

/// Finishes what a crash left, and logs that the box is about to serve.
fn begin(ledger: &Ledger, roster_sha256: Digest, ceilings: Ceilings) -> Result<(), ServiceError> {
    ledger.begin()?;
    ledger.serve_by(roster_sha256, ceilings)?;
    let gallery = ledger.gallery();
    let started = Detail::Started {
        software: VERSION.to_owned(),
        state: ledger.kind().name().to_owned(),
        model: ledger.model().to_string(),
        engine: gallery.engine().to_owned(),
        device: gallery.device().to_owned(),
        roster_sha256: roster_sha256.to_string(),
    };
    ledger.note(Vec::new(), vec![u64::from(gallery.live())], started)?;
    Ok(())
}

/// The quorum that a roster states for a log.
///
/// Errors: a key that can't be read or stands there twice.
fn quorum_of(roster: &Roster, log: &VerifierKey) -> Result<Quorum, ServiceError> {
    let witness = |witness: &crate::roster::WitnessEntry| {
        let key = VerifierKey::parse(witness.key.as_str())?;
        Ok::<_, ServiceError>(Witness {
            name: witness.id.to_string(),
            key,
            independent: witness.agency.is_none(),
        })
    };
    let witnesses = roster.witnesses.iter().map(witness).collect::<Result<_, _>>()?;
    let (least, within) =
        roster.quorum.map_or((0, 0), |terms| (terms.witnesses, terms.within_minutes));
    Ok(Quorum::new(log.clone(), witnesses, least, within)?)
}
