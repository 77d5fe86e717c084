//! The verbs. Each takes a `&Caller`; this is the only place that orders effects.
//!
//! Invariants: nothing leaves the box before its leaf is durable; a search's request is logged
//! before it runs; a refusal of a caller, a booking or a search is logged with its reason. Every
//! error has one `Fate`.

mod audits;
mod book;
mod clock;
mod core;
mod decide;
mod error;
mod expire;
mod faces;
mod gather;
mod generation;
mod guard;
mod in_order;
mod inquire;
mod ledger;
mod load;
mod log;
mod members;
mod memory;
mod metrics;
mod model;
mod operators;
mod pace;
mod progress;
mod purge;
mod read_ahead;
mod report;
mod restore;
mod review;
mod sessions;
mod sheet;
mod stage;
mod start;
mod switch;
#[cfg(test)]
mod watch_tests;
mod writer;

use std::sync::Arc;

use time::Date;

pub use audits::{Drawn, LeafAt, LogReview, Routed};
pub use clock::{Clock, SystemClock};
pub use error::{Fate, ServiceError};
pub use faces::{Enrolled, Faces, NextFace};
pub use generation::{Generation, Shelf};
pub use guard::{Doors, Raised};
pub use inquire::SearchTimings;
pub use ledger::{Ledger, LedgerSetup, OpenedLeaf, Record, Standing, Taken};
pub use log::{Cosigned, Witnessing};
pub use members::{AccountStanding, Grant, GrantOrder, appoint};
pub use metrics::Figures;
pub use model::OnHalt;
pub use progress::{Progress, StartStage, Started};
pub use report::Published;
pub use restore::{KeptLog, RestoreSetup, Restored, open_origin, origin_of, restore};
pub use review::{Candidate, Head, InquirySight};
pub use sessions::{Acting, Asked, AtDesk, BANNER, Begun, SessionView};
pub use switch::{ModelStanding, SwitchState};

use crate::audit::touch::RelyingParty;
use crate::audit::{Actor, Alarm, Detail};
use crate::embed::{ExaminedPhoto, FaceChoice, Pool};
use crate::inquiry::NumberPattern;
use crate::limits::{SEARCHES_PER_DAY_MAX, SEARCHES_PER_HOUR_MAX};
use crate::roster::{Agency, Caller, Ceilings, Roster, RosterError};
use crate::store::StateKind;
use guard::{Guard, Watch};
use memory::ProbeMemory;
use metrics::Waiting;
use model::Tender;
use pace::{Pace, Places};

/// This software's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The box: what every door calls.
pub struct Service {
    ledger: Arc<Ledger>,
    roster: Arc<Roster>,
    guard: Arc<Guard>,
    watch: Watch,
    tender: Tender,
    /// Photos that wait for a worker.
    examining: Waiting,
    /// The name that people's keys are bound to.
    relying_party: Option<RelyingParty>,
    pace: Pace,
    /// Uploads of probes that somebody is at.
    uploads: Places,
    probe_memory: ProbeMemory,
}

impl Service {
    /// Opens the state folder and, where the doors may open, logs that the box is about to serve;
    /// tells `watch`, on this thread, how far it is.
    pub fn open(
        setup: LedgerSetup,
        roster: Roster,
        relying_party: Option<RelyingParty>,
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
        let quorum = log::quorum_of(&roster, ledger.core().log_key.verifier())?;
        let (begun, roster_sha256) = (ledger.clone(), hex::encode(roster.sha256()));
        let ceilings = roster.ceilings;
        let begin = Box::new(move || begin(&begun, &roster_sha256, ceilings));
        let searched = ledger
            .searched_since(ledger.now_cs().saturating_sub(pace::DAY_CS))?
            .into_iter()
            .collect();
        let (pace, roster) = (Pace::new(roster.ceilings, searched), Arc::new(roster));
        let guard = Arc::new(Guard::new(ledger.clone(), roster.clone(), quorum, begin)?);
        Ok(Self {
            ledger,
            roster,
            guard,
            watch: Watch::default(),
            tender: Tender::default(),
            examining: Waiting::default(),
            relying_party,
            pace,
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
        self.watch.start(self.guard.clone(), on_halt.clone())?;
        self.tender.start(self.ledger.clone(), on_halt)
    }

    /// Looks at clock, medium, witnesses, accounts and terms now, as the watch does every
    /// `WATCH_SECONDS`.
    pub fn keep_watch(&self) -> Result<(), ServiceError> {
        self.guard.look()
    }

    /// The origin of the console's pages, where one is configured.
    pub fn console_origin(&self) -> Option<&str> {
        self.relying_party.as_ref().map(RelyingParty::origin)
    }

    /// The name that people's keys are bound to, where one is configured.
    pub fn console_name(&self) -> Option<&str> {
        self.relying_party.as_ref().map(RelyingParty::id)
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
        self.tender.end();
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
    fn today(&self) -> Date {
        clock::day(self.ledger.now_cs())
    }

    /// Has a worker look at a photo.
    fn examine(
        &self,
        pool: &Pool,
        photo: Arc<[u8]>,
        choice: FaceChoice,
    ) -> Result<ExaminedPhoto, ServiceError> {
        Ok(self.examining.during(|| pool.examine(photo, choice))?)
    }

    /// Lets a caller pass open doors; a refusal of the caller itself is logged.
    fn admitted<T>(
        &self,
        caller: &Caller,
        result: Result<T, RosterError>,
    ) -> Result<T, ServiceError> {
        self.guard.pass()?;
        self.known(caller, result)
    }

    /// Lets a caller pass to what may be read whether the doors are open or shut; a shut box writes
    /// nothing, no refusal either.
    fn read_by<T>(
        &self,
        caller: &Caller,
        result: Result<T, RosterError>,
    ) -> Result<T, ServiceError> {
        if self.guard.is_open() { self.known(caller, result) } else { Ok(result?) }
    }

    fn known<T>(&self, caller: &Caller, result: Result<T, RosterError>) -> Result<T, ServiceError> {
        let result = result.map_err(ServiceError::from);
        self.logged(result, |reason| Detail::CallerRefused { actor: Actor::from(caller), reason })
    }

    /// Logs a refusal before it is told.
    fn logged<T>(
        &self,
        result: Result<T, ServiceError>,
        detail: impl FnOnce(String) -> Detail,
    ) -> Result<T, ServiceError> {
        if let Err(e) = &result
            && e.fate() == Fate::Refuse
        {
            self.ledger.refused(detail(e.to_string()))?;
        }
        result
    }
}

/// Finishes what a crash left, and logs that the box is about to serve.
fn begin(ledger: &Ledger, roster_sha256: &str, ceilings: Ceilings) -> Result<(), ServiceError> {
    ledger.begin()?;
    ledger.serve_by(roster_sha256, ceilings)?;
    let gallery = ledger.gallery();
    let started = Detail::Started {
        software: VERSION.to_owned(),
        state: ledger.kind().name().to_owned(),
        model: ledger.model().to_string(),
        engine: gallery.engine().to_owned(),
        device: gallery.device().to_owned(),
        roster_sha256: roster_sha256.to_owned(),
    };
    ledger.note(Vec::new(), vec![u64::from(gallery.live())], started).map(|_| ())
}
