//! A search: approved by the operator's touch on exactly this request, logged, run, and answered.
//!
//! The search runs between two writes, `asked` and `answered`; what a crash leaves between them is
//! interrupted by the next start, and a new search needs a new touch.

use std::time::Instant;

use crate::audit::Detail;
use crate::audit::touch::{FaceBox, SearchApproval, Touch};
use crate::face::Embedding;
use crate::ids::{Digest, InquiryId, SearchId};
use crate::inquiry::{Action, Frame, Request};
use crate::ledger::{Fate, Fated, Generation};
use crate::roster::Duty;
use crate::service::appliance::Service;
use crate::service::ceilings::TakenName;
use crate::service::error::ServiceError;
use crate::service::people::{Asked, AtDesk};

/// How often a search runs again because candidates were released meanwhile, before its operator is
/// told to wait.
const RUNS_MAX: usize = 16;

/// How long each step of a search took, the waiting in its queue included.
///
/// Units: milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct SearchTimings {
    /// The probe's examination.
    pub examine_ms: f64,
    /// The leaf `asked` until it is durable.
    pub ask_ms: f64,
    /// The gallery's comparison, repeated where a candidate was released meanwhile.
    pub scan_ms: f64,
    /// The leaf `answered` until it is durable.
    pub answer_ms: f64,
}

impl Service {
    /// What the operator touches to have the search run: this request, this probe, this face, at
    /// this revision, once.
    ///
    /// Errors: not the operator, not this revision, nothing chosen; another search of the
    /// operator's is under way, or too many were.
    pub fn challenge_search(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        revision: u64,
    ) -> Result<Asked, ServiceError> {
        let unasked = self.approvable(desk, id, revision);
        let (approval, request) = self.refused_at(desk, unasked)?;
        let refused = |rule, reason| Detail::SearchRefused {
            rule,
            actor: desk.actor(),
            request: Some(request.clone()),
            reason,
        };
        self.logged(self.paced(desk), refused)?;
        let key = self
            .ledger
            .core()
            .member(&desk.person.id)?
            .and_then(|member| member.key)
            .map(|key| key.id);
        self.guard.sessions.ask_search(approval, self.ledger.now().seconds(), key)
    }

    fn approvable(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        revision: u64,
    ) -> Result<(SearchApproval, Request), ServiceError> {
        desk.person.may(Duty::Operate, "search", self.today())?;
        self.guard.searches_allowed()?;
        self.relying_party()?;
        let inquiry = self.ledger.core().inquiry(id)?.inquiry;
        let ask = Action::Ask { search: SearchId([0; 16]), leaf: 0 };
        inquiry.clone().act(&self.who(desk), revision, self.ledger.now(), ask)?;
        let (probe, choice) =
            inquiry.probe().zip(inquiry.choice()).ok_or(ServiceError::not_found("chosen face"))?;
        let Frame { x, y, width, height } = choice.frame;
        let approval = SearchApproval {
            log: self.ledger.origin().to_owned(),
            inquiry: id,
            revision,
            fields_sha256: Digest::of(inquiry.request().canonical().as_bytes()),
            probe_sha256: probe.sha256,
            searched_sha256: choice.searched,
            face: FaceBox { left: x, top: y, width, height },
            edits: choice.edits.as_slice().iter().map(ToString::to_string).collect(),
            candidates: inquiry.request().candidates as u64,
            operator: desk.person.id.clone(),
            device: desk.device.clone(),
            certificate_sha256: desk.caller.fingerprint,
            model: self.ledger.generation().model(),
            expires: 0,
            nonce: [0; 32],
        };
        Ok((approval, inquiry.request().clone()))
    }

    /// Runs the search that the operator approved by this touch.
    ///
    /// Errors: a touch for anything else, or for this before it was changed; everything that
    /// `challenge_search` refuses; full queues.
    pub fn search(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        revision: u64,
        nonce: [u8; 32],
        touch: Touch,
    ) -> Result<SearchTimings, ServiceError> {
        let begun = self.approvable(desk, id, revision);
        let (approval, request) = self.refused_at(desk, begun)?;
        let refused = |rule, reason| Detail::SearchRefused {
            rule,
            actor: desk.actor(),
            request: Some(request.clone()),
            reason,
        };
        self.ledger.room()?;
        let touched = self
            .guard
            .sessions
            .answered_search(nonce, &approval, self.ledger.now().seconds())
            .and_then(|approval| {
                let key = self.verify_touch(&desk.person.id, &touch, &approval.challenge())?;
                Ok((approval, key))
            });
        let (approval, key) = self.logged(touched, refused)?;
        let _alone = self.logged(self.searching(desk), refused)?;
        let mut timings = SearchTimings::default();
        // Taken once: whatever is switched meanwhile, this search is of one model to its end.
        let generation = self.ledger.generation();
        if generation.model() != approval.model {
            return self.logged(Err(ServiceError::ChallengeChanged), refused);
        }
        let inquiry = self.ledger.core().inquiry(id)?.inquiry;
        let choice = inquiry.choice().cloned().ok_or(ServiceError::not_found("chosen face"))?;
        let held = self.held_probe(&inquiry)?;
        let examined = timed(&mut timings.examine_ms, || {
            self.examined(&generation, held.bytes.clone(), &choice.edits, Some(choice.face))
        });
        drop(held);
        let probe = self.logged(examined, refused)?;
        // Other models than those by which the face was chosen may number the faces otherwise.
        let face = Frame::from(probe.look.faces[probe.chosen].face.frame);
        if probe.look.searched_sha256() != choice.searched || face != choice.frame {
            return self.logged(Err(ServiceError::FaceMoved), refused);
        }
        let (actor, who) = (desk.actor(), self.who(desk));
        let asked =
            timed(&mut timings.ask_ms, || self.ledger.ask(id, actor, who, approval, touch, key));
        self.logged(asked, refused)?;
        let ran =
            self.run(desk, id, &generation, &probe.embedding, request.candidates, &mut timings);
        if let Err(e) = &ran
            && e.fate() != Fate::Halt
        {
            self.ledger.interrupt(id)?;
        }
        ran.map(|()| timings)
    }

    /// Compares and answers; as often as candidates are released between the two.
    fn run(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        generation: &Generation,
        probe: &Embedding,
        k: usize,
        timings: &mut SearchTimings,
    ) -> Result<(), ServiceError> {
        for _ in 0..RUNS_MAX {
            let candidates =
                timed(&mut timings.scan_ms, || self.ledger.compare(generation, probe, k))?;
            let gone = timed(&mut timings.answer_ms, || {
                self.ledger.answer(id, desk.actor(), generation, candidates)
            })?;
            if gone.is_empty() {
                return Ok(());
            }
            for version in gone {
                generation.mask(version)?;
            }
        }
        Err(ServiceError::busy())
    }

    /// Whether the operator's searches keep to their ceilings.
    fn paced(&self, desk: &AtDesk) -> Result<(), ServiceError> {
        self.search_rate.may(&desk.person.id, self.ledger.now())
    }

    /// Takes the operator's one place among searches, and counts it.
    fn searching(&self, desk: &AtDesk) -> Result<TakenName<'_>, ServiceError> {
        self.search_rate.begin(&desk.person.id, self.ledger.now())
    }
}

/// Does `work` and adds what it took.
fn timed<T>(ms: &mut f64, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    *ms += begun.elapsed().as_secs_f64() * 1e3;
    done
}
