//! The verbs. Each takes a `&Caller`; this is the only place that orders effects.
//!
//! Invariants: nothing leaves the box before its leaf is durable; a search's request is logged before it runs; a refusal of a caller, a
//! booking or a search is logged with its reason. Every error has one `Fate`.

mod book;
mod error;
mod faces;
mod generation;
mod in_order;
mod ledger;
mod load;
mod metrics;
mod model;
mod progress;
mod purge;
mod read_ahead;
mod report;
mod search;
mod stage;
mod start;
mod switch;
mod writer;

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use time::{Date, OffsetDateTime};

pub use error::{Fate, ServiceError};
pub use faces::{Enrolled, Faces, NextFace};
pub use generation::{Generation, Shelf};
pub use ledger::{Ledger, LedgerSetup, Record, Standing, Taken};
pub use metrics::Figures;
pub use model::OnHalt;
pub use progress::{Progress, StartStage, Started};
pub use report::{Published, Unsealed};
pub use search::{Answered, Lead, SearchTimings};
pub use switch::{ModelStanding, SwitchState};

use crate::audit::{Actor, Detail};
use crate::embed::{Choice, Pool, Portrait};
use crate::roster::{Caller, Roster, RosterError};
use metrics::Waiting;
use model::Tender;

/// This software's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The box: what every door calls.
pub struct Service {
    ledger: Arc<Ledger>,
    roster: Roster,
    tender: Tender,
    /// Photos that wait for a worker.
    examining: Waiting,
}

impl Service {
    /// Opens the state folder and logs that the box is about to serve; tells `watch`, on this thread, how far it is.
    pub fn open(setup: LedgerSetup, roster: Roster, watch: &mut dyn FnMut(&Progress)) -> Result<Self, ServiceError> {
        roster.check()?;
        let ledger = Arc::new(Ledger::open_watched(setup, watch)?);
        let service = Self { ledger, roster, tender: Tender::default(), examining: Waiting::default() };
        let gallery = service.ledger.gallery();
        let roster = serde_json::to_vec(&service.roster).expect("a roster holds only strings and dates");
        let started = Detail::Started {
            software: VERSION.to_owned(),
            state: service.ledger.kind().name().to_owned(),
            model: service.ledger.model().to_string(),
            engine: gallery.engine().to_owned(),
            device: gallery.device().to_owned(),
            roster_sha256: hex::encode(digest(&SHA256, &roster)),
        };
        let rows = u64::from(gallery.live());
        service.ledger.note(Vec::new(), vec![rows], started)?;
        Ok(service)
    }

    /// The ledger beneath, for what only reads.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether a caller stands in the roster; whoever doesn't is refused and logged.
    pub fn admit(&self, caller: &Caller) -> Result<(), ServiceError> {
        self.admitted(caller, self.roster.admit(caller, today()))
    }

    /// Logs that the box stops, and ends the writer.
    pub fn close(&self) -> Result<(), ServiceError> {
        self.tender.end();
        self.ledger.note(Vec::new(), Vec::new(), Detail::Stopped { software: VERSION.to_owned() })?;
        self.ledger.close();
        Ok(())
    }

    /// Has a worker look at a photo.
    fn examine(&self, pool: &Pool, photo: Arc<[u8]>, choice: Choice) -> Result<Portrait, ServiceError> {
        Ok(self.examining.during(|| pool.examine(photo, choice))?)
    }

    /// Logs a refusal of the caller itself.
    fn admitted<T>(&self, caller: &Caller, result: Result<T, RosterError>) -> Result<T, ServiceError> {
        let result = result.map_err(ServiceError::from);
        self.logged(result, |reason| Detail::CallerRefused { actor: Actor::from(caller), reason })
    }

    /// Logs a refusal before it is told.
    fn logged<T>(&self, result: Result<T, ServiceError>, detail: impl FnOnce(String) -> Detail) -> Result<T, ServiceError> {
        if let Err(e) = &result
            && e.fate() == Fate::Refuse
        {
            self.ledger.note(Vec::new(), Vec::new(), detail(e.to_string()))?;
        }
        result
    }
}

fn today() -> Date {
    OffsetDateTime::now_utc().date()
}
