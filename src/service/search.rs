//! A console's verbs: search with one probe, look at a candidate's photo.
//!
//! The plain search exists in state folders made as demo or test only; a real one refuses it whoever asks.

use std::sync::Arc;
use std::time::Instant;

use super::Service;
use super::error::{Fate, ServiceError};
use super::generation::Generation;
use super::ledger::Record;
use super::writer::random;
use crate::audit::{Actor, Detail};
use crate::booking::{Identifier, VersionId};
use crate::embed::{Choice, Portrait};
use crate::face::ModelId;
use crate::inquiry::SearchRequest;
use crate::roster::Caller;
use crate::store::StateKind;

/// How often a search runs again because candidates were released meanwhile, before its operator is told to wait.
const RUNS_MAX: usize = 16;

/// The answer to a search: leads, never identifications.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The search's id.
    pub search: [u8; 16],
    /// What was found in the probe, and which face was compared.
    pub portrait: Portrait,
    /// The model that examined the probe and made all that it was compared with.
    pub model: ModelId,
    /// The engine that compared: `gpu` or `cpu`.
    pub engine: &'static str,
    /// Rows that could be found.
    pub gallery_rows: u64,
    /// The leaf written before the search ran.
    pub asked: u64,
    /// The leaf written before this answer left.
    pub answered: u64,
    /// Most similar first.
    pub leads: Vec<Lead>,
    /// What took how long.
    pub timings: SearchTimings,
}

/// How long each step of a search took, the waiting in its queue included; what the probe's examination itself took is in its portrait.
///
/// Units: milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct SearchTimings {
    /// The probe's examination.
    pub examine_ms: f64,
    /// The leaf `asked` until it is durable, the sealed probe with it.
    pub ask_ms: f64,
    /// The gallery's comparison, repeated where a candidate was released meanwhile.
    pub scan_ms: f64,
    /// The leaf `answered` until it is durable.
    pub answer_ms: f64,
    /// The candidates' records.
    pub leads_ms: f64,
}

/// One candidate.
#[derive(Clone, Debug)]
pub struct Lead {
    /// The booking's version.
    pub version: VersionId,
    /// Cosine, -1 to 1.
    pub score: f64,
    /// The agency that owns the booking.
    pub agency: Identifier,
    /// The booking's record.
    pub record: Record,
}

impl Service {
    /// Compares one probe with the gallery for one recorded purpose.
    ///
    /// Errors: a real state folder; a caller that is no console; an agency that is no member; a hollow request; a probe without a usable
    /// face, or with several and none chosen; full queues.
    pub fn search(&self, caller: &Caller, request: &SearchRequest, probe: Arc<[u8]>) -> Result<Answered, ServiceError> {
        let device = self.admitted(caller, self.roster.console(caller, "search"))?;
        self.guard.clock_allows()?;
        self.ledger.room()?;
        let refused = |reason| Detail::SearchRefused { actor: Actor::from(caller), request: Some(request.clone()), reason };
        let mut timings = SearchTimings::default();
        // Taken once: whatever is switched meanwhile, this search is of one model to its end.
        let generation = self.ledger.generation();
        let portrait = timed(&mut timings.examine_ms, || self.examine_probe(&generation, request, &probe));
        let portrait = self.logged(portrait, refused)?;
        let mut search = [0; 16];
        random(&mut search);
        let (face, model) = (portrait.chosen, generation.model());
        let asked = timed(&mut timings.ask_ms, || self.ledger.ask(caller, &device.id, search, request, probe, face, model))?;
        let ran = self.run(caller, &generation, request, search, &portrait, &mut timings);
        if let Err(e) = &ran
            && e.fate() != Fate::Halt
        {
            self.ledger.interrupt(search)?;
        }
        let (candidates, answered) = ran?;
        let leads = timed(&mut timings.leads_ms, || self.leads(&generation, candidates))?;
        let (engine, gallery_rows) = (generation.gallery().engine(), u64::from(generation.gallery().live()));
        Ok(Answered { search, portrait, model, engine, gallery_rows, asked, answered, leads, timings })
    }

    /// The photo of a candidate of one of the caller's own searches, as its agency sent it; the view is logged.
    ///
    /// Errors: a caller that is no console; not its search, not a candidate of it, or released meanwhile.
    pub fn candidate_photo(&self, caller: &Caller, search: [u8; 16], version: VersionId) -> Result<Vec<u8>, ServiceError> {
        let device = self.admitted(caller, self.roster.console(caller, "look at candidates"))?;
        let not_found = ServiceError::NotFound { what: "candidate" };
        let Some(answered) = self.ledger.shown(&device.id, search, version)? else { return Err(not_found) };
        let Some(photo) = self.ledger.photo(version)? else { return Err(not_found) };
        let viewed = Detail::PhotoViewed { actor: Actor::from(caller), search: hex::encode(search), version };
        self.ledger.note(vec![answered], Vec::new(), viewed)?;
        Ok(photo)
    }

    fn examine_probe(&self, generation: &Generation, request: &SearchRequest, probe: &Arc<[u8]>) -> Result<Portrait, ServiceError> {
        if self.ledger.kind() == StateKind::Real {
            return Err(ServiceError::NoSearchDoor);
        }
        self.roster.requester(&request.agency, self.today())?;
        request.check()?;
        self.examine(generation.pool(), probe.clone(), Choice::Face(request.face))
    }

    fn run(
        &self,
        caller: &Caller,
        generation: &Generation,
        request: &SearchRequest,
        search: [u8; 16],
        portrait: &Portrait,
        timings: &mut SearchTimings,
    ) -> Result<(Vec<(VersionId, f64)>, u64), ServiceError> {
        for _ in 0..RUNS_MAX {
            let compare = || self.ledger.compare(generation, &portrait.embedding, request.candidates);
            let candidates = timed(&mut timings.scan_ms, compare)?;
            if let Ok(answered) = timed(&mut timings.answer_ms, || self.ledger.answer(caller, generation, search, &candidates))? {
                return Ok((candidates, answered));
            }
        }
        Err(ServiceError::Busy)
    }
    fn leads(&self, generation: &Generation, candidates: Vec<(VersionId, f64)>) -> Result<Vec<Lead>, ServiceError> {
        let mut leads = Vec::with_capacity(candidates.len());
        for (version, score) in candidates {
            // Released since the answer was logged: it doesn't leave any more.
            let Some((agency, record)) = self.ledger.record(generation, version)? else { continue };
            leads.push(Lead { version, score, agency, record });
        }
        Ok(leads)
    }
}

/// Does `work` and adds what it took.
fn timed<T>(ms: &mut f64, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    *ms += begun.elapsed().as_secs_f64() * 1e3;
    done
}
