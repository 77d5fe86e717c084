//! An inquiry's verbs up to its answer: open it, hand over the probe, choose a face, approve by
//! touch, search.
//!
//! An inquiry is one record under a key of its own. Each step is decided in the writer on the
//! revision that its person saw, and written with its leaf: nothing of it is known to nobody, and
//! nothing that a restart could lose. The search itself runs between two such steps, `asked` and
//! `answered`; what a crash leaves between them is interrupted by the next start, and a new search
//! needs a new touch.

mod probe;

use std::time::Instant;

use aws_lc_rs::digest::{SHA256, digest};
use time::Date;
use zeroize::Zeroizing;

use super::Service;
use super::core::Core;
use super::decide::{Decided, Group};
use super::error::{Fate, ServiceError};
use super::generation::Generation;
use super::ledger::Ledger;
use super::sessions::{Asked, AtDesk};
use super::stage::{NewLeaf, full_or_halted};
use super::writer::{Subject, random};
use crate::audit::touch::{Credential, FaceBox, SearchApproval, Touch};
use crate::audit::{Actor, Detail, Shown};
use crate::booking::{Identifier, VersionId};
use crate::inquiry::{
    Action, ActionError, Event, Frame, Inquiry, InquiryId, NumberPattern, Probe, Request, SearchId,
    Who,
};
use crate::limits::INQUIRIES_MAX;
use crate::roster::Duty;
use crate::store::{Commit, InquiryRow, VersionState};
use crate::vault::{Announced, KeyOwner, PhotoKey, ProbeKey, Upload, VaultError};

/// How often a search runs again because candidates were released meanwhile, before its operator is
/// told to wait.
const RUNS_MAX: usize = 16;

/// An inquiry with the key that opens it.
pub(super) struct Kept {
    pub(super) row: InquiryRow,
    pub(super) key: ProbeKey,
    pub(super) inquiry: Inquiry,
}

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

impl Core {
    /// An inquiry as it stands now: candidates that were released since, and a search whose end
    /// lies in a log that was taken over, have happened to it.
    pub(super) fn inquiry(&self, id: [u8; 16]) -> Result<Kept, ServiceError> {
        self.inquiry_beside(id, None)
    }

    fn inquiry_beside(
        &self,
        id: [u8; 16],
        group: Option<&Group<'_>>,
    ) -> Result<Kept, ServiceError> {
        let row = self.store.inquiry(id)?.ok_or(ServiceError::NotFound { what: "inquiry" })?;
        let key = self.vault.probes.key(row.slot, &key_owner(id))?;
        let plain = key.open_record(id, &row.record)?;
        let mut inquiry: Inquiry = serde_json::from_slice(&plain)
            .map_err(|source| ServiceError::Sealed { what: "inquiry", source })?;
        let now_cs = group.map_or_else(|| self.clock.now_cs(), |group| group.now_cs);
        if row.asked.is_none() && inquiry.under_way() {
            let leaf = inquiry.searches().last().map_or(row.opened, |search| search.leaf);
            inquiry.happen(now_cs, Event::Interrupted { leaf })?;
        }
        let standing: Vec<VersionId> = inquiry
            .candidates()
            .iter()
            .filter(|candidate| candidate.released_cs.is_none())
            .map(|candidate| candidate.version)
            .collect();
        for version in standing {
            let state = self.store.version(version)?.map(|row| row.state);
            let stands = matches!(
                state,
                Some(VersionState::Live | VersionState::Superseded | VersionState::Unusable)
            );
            if !stands || group.is_some_and(|group| group.suppressed.contains(&version)) {
                inquiry.happen(now_cs, Event::Released { version })?;
            }
        }
        Ok(Kept { row, key, inquiry })
    }

    fn put_inquiry(&self, tables: &Commit, kept: &Kept) -> Result<(), ServiceError> {
        let id = kept.inquiry.id().0;
        let plain = Zeroizing::new(
            serde_json::to_vec(&kept.inquiry)
                .expect("an inquiry holds only strings, numbers and lists of them"),
        );
        let asked = kept.row.asked.filter(|_| kept.inquiry.under_way());
        let row =
            InquiryRow { asked, record: kept.key.seal_record(id, &plain), ..kept.row.clone() };
        Ok(tables.put_inquiry(id, &row)?)
    }
}

impl Core {
    /// The probe that is recorded. Between its record and its taking the upload is it, and an
    /// earlier one may lie in its place still.
    fn read_probe(&self, kept: &Kept, probe: &Probe) -> Result<Vec<u8>, ServiceError> {
        let (probes, id) = (&self.vault.probes, kept.inquiry.id().0);
        let recorded = |found: &Vec<u8>| is_recorded(probe, found);
        let read = || probes.read_photo(id, &kept.key);
        if let Some(found) = read().ok().filter(&recorded) {
            return Ok(found);
        }
        if let Some(found) = probes.finished_upload(id, &kept.key)?.filter(&recorded) {
            return Ok(found);
        }
        // It may have been taken between these two looks.
        let found = read()?;
        if recorded(&found) {
            Ok(found)
        } else {
            Err(VaultError::Unreadable { what: "the probe that is recorded" }.into())
        }
    }

    /// What a crash left of uploads: one that is recorded takes its place, one that no inquiry
    /// waits for any more is removed.
    pub(super) fn settle_uploads(&self) -> Result<(), ServiceError> {
        let probes = &self.vault.probes;
        for id in probes.uploads()? {
            let kept = match self.inquiry(id) {
                Ok(kept) => kept,
                Err(e) if e.fate() == Fate::Halt => return Err(e),
                Err(e) => {
                    log::warn!(
                        "an upload of an inquiry that doesn't open stays as it is: {}",
                        e.chain()
                    );
                    continue;
                }
            };
            let whole = match kept.inquiry.probe() {
                Some(probe) => {
                    probes.finished_upload(id, &kept.key)?.filter(|found| is_recorded(probe, found))
                }
                None => None,
            };
            if whole.is_some() {
                probes.take_upload(id)?;
            } else if kept.inquiry.stage().is_over() || !kept.inquiry.searches().is_empty() {
                probes.abandon_upload(id)?;
            }
        }
        Ok(())
    }
}

impl Ledger {
    /// Takes a step of an inquiry: `act` makes it of the index of the leaf that logs it, and it is
    /// made twice, to see that it may be taken and to take it; `log` says by which leaves, of the
    /// inquiry as it was before.
    pub(super) fn step(
        &self,
        id: [u8; 16],
        act: impl Fn(&mut Inquiry, u64, u64) -> Result<(), ActionError> + Send + Sync + 'static,
        log: impl FnOnce(&Inquiry) -> Vec<NewLeaf> + Send + 'static,
    ) -> Result<u64, ServiceError> {
        let decide = move |core: &Core, group: &Group<'_>| {
            let mut kept = core.inquiry_beside(id, Some(group))?;
            let now_cs = group.now_cs;
            act(&mut kept.inquiry.clone(), 0, now_cs)?;
            let leaves = log(&kept.inquiry);
            let rows = move |core: &Core, tables: &Commit, leaf: Option<u64>| {
                act(&mut kept.inquiry, leaf.unwrap_or(0), now_cs)?;
                if kept.inquiry.under_way() && kept.row.asked.is_none() {
                    kept.row.asked = leaf;
                }
                core.put_inquiry(tables, &kept)
            };
            Ok(((), Some(Decided::new(leaves, rows))))
        };
        Ok(self.decide(Subject::Inquiry(id), decide)?.1.unwrap_or(0))
    }

    /// Opens an inquiry under a key of its own; gives its id.
    ///
    /// Errors: what `Inquiry::open` refuses; a full table or medium.
    pub fn open_inquiry(
        &self,
        actor: Actor,
        who: Who,
        request: Request,
        today: Date,
        pattern: Option<NumberPattern>,
    ) -> Result<InquiryId, ServiceError> {
        let mut id = [0; 16];
        random(&mut id);
        let decide = move |core: &Core, group: &Group<'_>| {
            if core.store.inquiries_len()? >= INQUIRIES_MAX {
                return Err(ServiceError::TooMany {
                    what: "inquiries",
                    most: usize::try_from(INQUIRIES_MAX).unwrap_or(usize::MAX),
                });
            }
            let inquiry = Inquiry::open(
                InquiryId(id),
                request.clone(),
                &who,
                today,
                pattern.as_ref(),
                group.now_cs,
            )?;
            let key = ProbeKey::generate();
            let slot = core.vault.probes.store_key(&key_owner(id), &key).map_err(full_or_halted)?;
            let opened = Detail::InquiryOpened { actor, inquiry: hex::encode(id), request };
            let rows = move |core: &Core, tables: &Commit, leaf: Option<u64>| {
                let row = InquiryRow {
                    slot,
                    opened: leaf.expect("an opening is logged"),
                    asked: None,
                    record: Vec::new(),
                };
                core.put_inquiry(tables, &Kept { row, key, inquiry })
            };
            let decided = Decided::new(vec![NewLeaf::new(Vec::new(), Vec::new(), opened)], rows);
            Ok(((), Some(Decided { slot: Some(slot), ..decided })))
        };
        self.decide(Subject::Inquiry(id), decide)?;
        Ok(InquiryId(id))
    }

    /// Does something with the upload of an inquiry's probe; a probe that was received before stays
    /// until the next one is recorded.
    ///
    /// Errors: those of the vault: a size out of bounds, another file that was begun, pieces that
    /// don't fit.
    pub fn upload<T>(
        &self,
        id: InquiryId,
        announced: Announced,
        work: impl FnOnce(Upload) -> Result<T, VaultError>,
    ) -> Result<T, ServiceError> {
        let (kept, probes) = (self.core().inquiry(id.0)?, &self.core().vault.probes);
        probes
            .upload(id.0, &kept.key, announced)
            .and_then(work)
            .map_err(|e| if e.is_full() { ServiceError::DiskFull } else { e.into() })
    }

    /// Takes a person's step that has no leaf of its own. A probe that is received takes its place
    /// once it is recorded, and the one before is gone then.
    pub fn act(
        &self,
        id: InquiryId,
        who: Who,
        revision: u64,
        action: Action,
    ) -> Result<(), ServiceError> {
        let receives = matches!(action, Action::ReceiveProbe(_));
        let act = move |inquiry: &mut Inquiry, _: u64, now_cs: u64| {
            inquiry.act(&who, revision, now_cs, action.clone())
        };
        self.step(id.0, act, |_| Vec::new())?;
        if receives {
            let taken = self.core().vault.probes.take_upload(id.0);
            taken.map_err(|e| ServiceError::Halted { cause: ServiceError::from(e).chain() })?;
        }
        Ok(())
    }

    /// Logs that a search was approved by this touch; on return it may run. Gives the leaf.
    pub fn ask(
        &self,
        id: InquiryId,
        actor: Actor,
        who: Who,
        approval: SearchApproval,
        touch: Touch,
        key: Credential,
    ) -> Result<u64, ServiceError> {
        let mut search = [0; 16];
        random(&mut search);
        let kept = self.core().inquiry(id.0)?;
        let (opened, request, revision) =
            (kept.row.opened, kept.inquiry.request().clone(), approval.revision);
        let act = move |inquiry: &mut Inquiry, leaf: u64, now_cs: u64| {
            inquiry.act(&who, revision, now_cs, Action::Ask { search: SearchId(search), leaf })
        };
        let log = move |_: &Inquiry| {
            let detail = Detail::Asked {
                actor,
                search: hex::encode(search),
                inquiry: id.to_string(),
                request,
                approval,
                touch,
                key,
            };
            vec![NewLeaf::new(vec![opened], Vec::new(), detail)]
        };
        self.step(id.0, act, log)
    }

    /// Logs the answer before it leaves. Where a candidate was released meanwhile, nothing is
    /// logged and those are given.
    pub fn answer(
        &self,
        id: InquiryId,
        actor: Actor,
        generation: &Generation,
        candidates: Vec<(VersionId, f64)>,
    ) -> Result<Vec<VersionId>, ServiceError> {
        let (model, gallery_rows) =
            (generation.model().to_string(), u64::from(generation.gallery().live()));
        let decide = move |core: &Core, group: &Group<'_>| {
            let mut gone = Vec::new();
            for (version, _) in &candidates {
                let live = core
                    .store
                    .version(*version)?
                    .is_some_and(|row| row.state == VersionState::Live);
                if !live || group.suppressed.contains(version) {
                    gone.push(*version);
                }
            }
            if !gone.is_empty() {
                return Ok((gone, None));
            }
            let mut kept = core.inquiry_beside(id.0, Some(group))?;
            let now_cs = group.now_cs;
            let answered = move |leaf| Event::Answered { candidates: candidates.clone(), leaf };
            kept.inquiry.clone().happen(now_cs, answered(0))?;
            let search = kept
                .inquiry
                .searches()
                .last()
                .ok_or(ServiceError::NotFound { what: "open search" })?;
            let Event::Answered { candidates, .. } = answered(0) else {
                unreachable!("it was just made")
            };
            let shown: Vec<Shown> =
                candidates.into_iter().map(|(version, score)| Shown { version, score }).collect();
            let (follows, counts) = (vec![search.leaf], vec![shown.len() as u64]);
            let detail = Detail::Answered {
                actor,
                search: search.id.to_string(),
                model,
                gallery_rows,
                candidates: shown,
            };
            let rows = move |core: &Core, tables: &Commit, leaf: Option<u64>| {
                kept.inquiry.happen(now_cs, answered(leaf.expect("an answer is logged")))?;
                kept.row.asked = None;
                core.put_inquiry(tables, &kept)
            };
            Ok((Vec::new(), Some(Decided::new(vec![NewLeaf::new(follows, counts, detail)], rows))))
        };
        Ok(self.decide(Subject::Inquiry(id.0), decide)?.0)
    }

    /// Ends a search that was asked for and will never be answered.
    pub(super) fn interrupt(&self, id: [u8; 16]) -> Result<(), ServiceError> {
        let act = |inquiry: &mut Inquiry, leaf: u64, now_cs: u64| {
            inquiry.happen(now_cs, Event::Interrupted { leaf })
        };
        let log = |inquiry: &Inquiry| {
            let search = inquiry.searches().last();
            let follows = search.map(|search| search.leaf).into_iter().collect();
            let interrupted =
                Detail::Interrupted { search: search.map(|search| search.id.to_string()) };
            vec![NewLeaf::new(follows, Vec::new(), interrupted)]
        };
        self.step(id, act, log).map(|_| ())
    }

    /// An inquiry as it stands now.
    pub fn find_inquiry(&self, id: InquiryId) -> Result<Inquiry, ServiceError> {
        Ok(self.core().inquiry(id.0)?.inquiry)
    }

    /// The probe of an inquiry as it was received; none where none came or its key is gone.
    pub fn probe(&self, id: [u8; 16]) -> Result<Option<Vec<u8>>, ServiceError> {
        let kept = self.core().inquiry(id)?;
        match kept.inquiry.probe() {
            Some(probe) => Ok(Some(self.core().read_probe(&kept, probe)?)),
            None => Ok(None),
        }
    }
}

impl Service {
    /// Opens an inquiry for a requester; gives its id.
    ///
    /// Errors: another role, an expired training; an agency that is no member; a hollow field; an
    /// attestation that isn't given.
    pub fn open_inquiry(&self, desk: &AtDesk, request: Request) -> Result<InquiryId, ServiceError> {
        self.guard.clock_allows()?;
        let refused = |reason| Detail::SearchRefused {
            actor: desk.actor(),
            request: Some(request.clone()),
            reason,
        };
        let who = self.logged(self.may_open(desk, &request), refused)?;
        self.ledger.room()?;
        let (today, pattern) = (self.today(), self.number_pattern(&request.requester.agency));
        self.logged(
            self.ledger.open_inquiry(desk.actor(), who, request.clone(), today, pattern),
            refused,
        )
    }

    fn may_open(&self, desk: &AtDesk, request: &Request) -> Result<Who, ServiceError> {
        desk.person.may(Duty::Operate, "open inquiries", self.today())?;
        self.roster.requester(&request.requester.agency, self.today())?;
        Ok(self.who(desk))
    }

    /// How an agency writes its complaint numbers, where it has set that.
    fn number_pattern(&self, agency: &Identifier) -> Option<NumberPattern> {
        let agency = self.roster.agencies.iter().find(|known| known.id == *agency)?;
        NumberPattern::parse(agency.numbers.as_deref()?).ok()
    }

    /// The person at a desk, as an inquiry's steps name them.
    pub(super) fn who(&self, desk: &AtDesk) -> Who {
        let person = &desk.person;
        let may = |duty| person.may(duty, "", self.today()).is_ok();
        Who {
            person: crate::inquiry::Person {
                id: person.id.clone(),
                badge: person.badge.clone(),
                agency: person.agency.clone(),
            },
            may_operate: may(Duty::Operate),
            may_examine: may(Duty::Examine),
        }
    }

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
        let refused = |reason| Detail::SearchRefused {
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
        self.guard.sessions.ask_search(approval, self.ledger.now_cs() / 100, key)
    }

    fn approvable(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        revision: u64,
    ) -> Result<(SearchApproval, Request), ServiceError> {
        desk.person.may(Duty::Operate, "search", self.today())?;
        self.guard.clock_allows()?;
        self.relying_party()?;
        let inquiry = self.ledger.core().inquiry(id.0)?.inquiry;
        let ask = Action::Ask { search: SearchId([0; 16]), leaf: 0 };
        inquiry.clone().act(&self.who(desk), revision, self.ledger.now_cs(), ask)?;
        let (probe, choice) = inquiry
            .probe()
            .zip(inquiry.choice())
            .ok_or(ServiceError::NotFound { what: "chosen face" })?;
        let Frame { x, y, width, height } = choice.frame;
        let fields = digest(&SHA256, inquiry.request().canonical().as_bytes());
        let approval = SearchApproval {
            log: self.ledger.core().log_key.origin().to_owned(),
            inquiry: id.0,
            revision,
            fields_sha256: fields.as_ref().try_into().expect("SHA-256 gives 32 bytes"),
            probe_sha256: probe.sha256.0,
            searched_sha256: choice.searched.0,
            face: FaceBox { left: x, top: y, width, height },
            edits: choice.edits.as_slice().iter().map(ToString::to_string).collect(),
            candidates: inquiry.request().candidates as u64,
            operator: desk.person.id.clone(),
            device: desk.device.clone(),
            certificate_sha256: desk.caller.fingerprint,
            model: self.ledger.generation().model().0,
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
        let refused = |reason| Detail::SearchRefused {
            actor: desk.actor(),
            request: Some(request.clone()),
            reason,
        };
        self.ledger.room()?;
        let touched = self
            .guard
            .sessions
            .answered_search(nonce, &approval, self.ledger.now_cs() / 100)
            .and_then(|approval| {
                let key = self.verify_touch(&desk.person.id, &touch, &approval.challenge())?;
                Ok((approval, key))
            });
        let (approval, key) = self.logged(touched, refused)?;
        let _alone = self.logged(self.searching(desk), refused)?;
        let mut timings = SearchTimings::default();
        // Taken once: whatever is switched meanwhile, this search is of one model to its end.
        let generation = self.ledger.generation();
        if generation.model().0 != approval.model {
            return self.logged(Err(ServiceError::ChallengeChanged), refused);
        }
        let inquiry = self.ledger.core().inquiry(id.0)?.inquiry;
        let choice =
            inquiry.choice().cloned().ok_or(ServiceError::NotFound { what: "chosen face" })?;
        let held = self.held_probe(&inquiry)?;
        let examined = timed(&mut timings.examine_ms, || {
            self.examined(&generation, held.bytes.clone(), &choice.edits, Some(choice.face))
        });
        drop(held);
        let probe = self.logged(examined, refused)?;
        // Other models than those by which the face was chosen may number the faces otherwise.
        let face = Frame::from(probe.look.faces[probe.chosen].face.frame);
        if probe.look.searched_sha256().0 != choice.searched.0 || face != choice.frame {
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
            self.ledger.interrupt(id.0)?;
        }
        ran.map(|()| timings)
    }

    /// Compares and answers; as often as candidates are released between the two.
    fn run(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        generation: &Generation,
        probe: &crate::face::Embedding,
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
        Err(ServiceError::Busy)
    }

    /// Withdraws an inquiry.
    pub fn withdraw(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        revision: u64,
        reason: String,
    ) -> Result<(), ServiceError> {
        let (who, actor, words) = (self.who(desk), desk.actor(), reason.clone());
        let opened = self.ledger.core().inquiry(id.0)?.row.opened;
        let act = move |inquiry: &mut Inquiry, _: u64, now_cs: u64| {
            inquiry.act(&who, revision, now_cs, Action::Withdraw { reason: reason.clone() })
        };
        let log = move |_: &Inquiry| {
            let detail = Detail::InquiryClosed {
                actor,
                inquiry: id.to_string(),
                withdrawn: true,
                reason: words,
            };
            vec![NewLeaf::new(vec![opened], vec![1], detail)]
        };
        self.refused_at(desk, self.ledger.step(id.0, act, log)).map(|_| ())
    }

    /// Whether the operator's searches keep to their ceilings.
    fn paced(&self, desk: &AtDesk) -> Result<(), ServiceError> {
        self.pace.may(&desk.person.id, self.ledger.now_cs())
    }

    /// Takes the operator's one place among searches, and counts it.
    fn searching(&self, desk: &AtDesk) -> Result<super::pace::Place<'_>, ServiceError> {
        self.pace.begin(&desk.person.id, self.ledger.now_cs())
    }
}

/// Whether these are the bytes of the probe that an inquiry's record names.
fn is_recorded(probe: &Probe, found: &[u8]) -> bool {
    digest(&SHA256, found).as_ref() == probe.sha256.0
}

/// To whom an inquiry's key is lodged.
pub(super) fn key_owner(id: [u8; 16]) -> KeyOwner {
    KeyOwner { owner: Identifier::parse("inquiry").expect("it is an identifier"), id }
}

/// Does `work` and adds what it took.
fn timed<T>(ms: &mut f64, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    *ms += begun.elapsed().as_secs_f64() * 1e3;
    done
}
