//! An inquiry's verbs after its answer: two examiners, blind to score, name and each other, and
//! what becomes of it.

use std::sync::Arc;

use crate::audit::{Detail, Sealed};
use crate::booking::{Identifier, VersionId};
use crate::calendar::Time;
use crate::crypto::random;
use crate::embed::EncodedPicture;
use crate::face::Edits;
use crate::inquiry::{
    Action, CandidateSight, Finding, Frame, Handover, Inquiry, InquiryId, Outcome, Review, Sight,
    Stage, Who,
};
use crate::ledger::{NewLeaf, Record};
use crate::roster::Duty;
use crate::service::appliance::Service;
use crate::service::error::ServiceError;
use crate::service::people::AtDesk;

/// An inquiry in a list.
#[derive(Clone, Debug)]
pub struct Head {
    /// Its record.
    pub inquiry: Inquiry,
    /// Whether it waits for a step that this person may take.
    pub waits: bool,
}

/// An inquiry with what one person may see of it.
#[derive(Clone, Debug)]
pub struct InquirySight {
    /// Its record. Whoever shows it obeys the sight.
    pub inquiry: Inquiry,
    /// What the person may see.
    pub sight: Sight,
    /// The candidates, in the order in which the person meets them.
    pub candidates: Vec<SeenCandidate>,
}

/// A candidate as one person may see it.
#[derive(Clone, Debug)]
pub struct SeenCandidate {
    /// The booking's version.
    pub version: VersionId,
    /// The place in the array, counted from 1, where it may be known.
    pub rank: Option<usize>,
    /// Whether its agency released it.
    pub released: bool,
    /// Whether its photo may be seen.
    pub photo: bool,
    /// The face in its photo and that photo's width and height in pixels, where the photo may be
    /// seen.
    pub face: Option<(Frame, [u32; 2])>,
    /// Score, agency and record, where they may be seen.
    pub known: Option<(f64, Identifier, Record)>,
    /// What this person recorded of it.
    pub own: Option<Finding>,
    /// What the first and the second examiner recorded, where that may be seen.
    pub both: Option<[Option<Finding>; 2]>,
}

impl Service {
    /// The inquiries of which a person is a part, or may become one; those that wait for that
    /// person first, then the newest.
    /// That the list is shown is logged, by the hour.
    ///
    /// Errors: another role.
    pub fn inquiries(&self, desk: &AtDesk) -> Result<Vec<Head>, ServiceError> {
        self.allowed(desk, Duty::Inquire, "look at inquiries")?;
        self.shows(desk.actor(), Sealed::Inquiries, None)?;
        let who = self.who(desk);
        let mut heads = Vec::new();
        for id in self.ledger.inquiry_ids()? {
            let inquiry = self.ledger.core().inquiry(id)?.inquiry;
            let waits = waits_for(&inquiry, &who);
            if waits || inquiry.takes_part(&who.person) {
                heads.push(Head { inquiry, waits });
            }
        }
        heads.sort_by_key(|head| (!head.waits, std::cmp::Reverse(head.inquiry.opened())));
        Ok(heads)
    }

    /// An inquiry as this person may see it; that it is shown is logged, by the hour.
    ///
    /// Errors: another role; an inquiry of which the person is no part and may not become one.
    pub fn inquiry(&self, desk: &AtDesk, id: InquiryId) -> Result<InquirySight, ServiceError> {
        self.allowed(desk, Duty::Inquire, "look at inquiries")?;
        let (inquiry, who) = (self.ledger.core().inquiry(id)?.inquiry, self.who(desk));
        let seen = inquiry.takes_part(&who.person) || waits_for(&inquiry, &who);
        self.refused_at(
            desk,
            if seen { Ok(()) } else { Err(ServiceError::NotShown { what: "inquiry" }) },
        )?;
        self.shows(desk.actor(), Sealed::Inquiry, Some(id))?;
        let sight = inquiry.sight(&who.person);
        let candidates =
            sight.candidates.iter().map(|seen| self.candidate(&inquiry, &who, &sight, *seen));
        Ok(InquirySight { candidates: candidates.collect::<Result<_, _>>()?, sight, inquiry })
    }

    fn candidate(
        &self,
        inquiry: &Inquiry,
        who: &Who,
        sight: &Sight,
        seen: CandidateSight,
    ) -> Result<SeenCandidate, ServiceError> {
        let version = seen.version;
        let ranked = inquiry.candidate(version).ok_or(ServiceError::not_found("candidate"))?;
        let record =
            if seen.photo || seen.score_and_biography { self.shown_record(version)? } else { None };
        let face = record
            .as_ref()
            .filter(|_| seen.photo)
            .and_then(|(_, record)| Some((Frame::from(record.frame), record.px?)));
        let known = record
            .filter(|_| seen.score_and_biography)
            .map(|(agency, record)| (ranked.score, agency, record));
        let of =
            |review: Option<&Review>| review.and_then(|review| review.finding(version)).cloned();
        let own = inquiry.review_of(&who.person);
        Ok(SeenCandidate {
            version,
            rank: sight.others.then_some(ranked.rank),
            released: ranked.released_cs.is_some(),
            photo: seen.photo,
            face,
            known,
            own: of(own),
            both: sight.others.then(|| [of(inquiry.first()), of(inquiry.second())]),
        })
    }

    /// A candidate's record, for as long as its agency hasn't released it.
    pub(in crate::service) fn shown_record(
        &self,
        version: VersionId,
    ) -> Result<Option<(Identifier, Record)>, ServiceError> {
        Ok(self.ledger.shown_record(&self.ledger.generation(), version)?)
    }

    /// A picture of a candidate's photo; the view is logged.
    ///
    /// Errors: a person who may not see it now; a candidate that was released.
    pub fn candidate_picture(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        version: VersionId,
    ) -> Result<EncodedPicture, ServiceError> {
        let photo: Arc<[u8]> = self.candidate_photo(desk, id, version)?.into();
        self.picture(&self.ledger.generation(), photo, &Edits::default())
    }

    /// A candidate's photo as its agency sent it; the view is logged.
    ///
    /// Errors: as `candidate_picture`.
    pub fn candidate_photo(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        version: VersionId,
    ) -> Result<Vec<u8>, ServiceError> {
        self.allowed(desk, Duty::Inquire, "look at candidates")?;
        let inquiry = self.ledger.core().inquiry(id)?.inquiry;
        let sight = inquiry.sight(&self.who(desk).person);
        let not_shown = ServiceError::NotShown { what: "candidate" };
        let seen = sight.candidates.iter().any(|seen| seen.version == version && seen.photo);
        self.refused_at(desk, if seen { Ok(()) } else { Err(not_shown) })?;
        let answer = inquiry.answer().ok_or(ServiceError::not_found("answer"))?;
        let search =
            inquiry.searches().last().map(|search| search.id.to_string()).unwrap_or_default();
        let viewed = Detail::PhotoViewed { actor: desk.actor(), search, version };
        self.ledger.note(vec![answer.leaf], Vec::new(), viewed)?;
        // Looked for after the leaf: what was released meanwhile doesn't leave any more.
        self.ledger.shown_photo(version)?.ok_or(ServiceError::not_found("candidate"))
    }

    /// Takes the review that is due, the first or the second.
    ///
    /// Errors: another role, or a person who may not; none is due.
    pub fn claim(&self, desk: &AtDesk, id: InquiryId, revision: u64) -> Result<(), ServiceError> {
        self.allowed(desk, Duty::Examine, "review candidates")?;
        let (who, order) = (self.who(desk), u64::from_le_bytes(random()));
        let act = move |inquiry: &mut Inquiry, _: u64, now: Time| {
            let claim = match inquiry.first() {
                None => Action::ClaimFirst { order },
                Some(_) => Action::ClaimSecond { order },
            };
            inquiry.act(&who, revision, now, claim)
        };
        self.refused_at(desk, self.ledger.step(id, act, |_| Vec::new())).map(|_| ())
    }

    /// Records what the examiner at work made of a candidate; it is recorded once.
    pub fn dispose(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        revision: u64,
        finding: Finding,
    ) -> Result<(), ServiceError> {
        self.allowed(desk, Duty::Examine, "review candidates")?;
        let who = self.who(desk);
        let act = move |inquiry: &mut Inquiry, _: u64, now: Time| {
            inquiry.act(&who, revision, now, Action::Dispose(finding.clone()))
        };
        self.refused_at(desk, self.ledger.step(id, act, |_| Vec::new())).map(|_| ())
    }

    /// Ends the review of the examiner at work.
    ///
    /// Errors: a candidate that was skipped.
    pub fn finish_review(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        revision: u64,
    ) -> Result<(), ServiceError> {
        self.allowed(desk, Duty::Examine, "review candidates")?;
        self.refused_at(desk, self.ledger.finish(id, desk.actor(), self.who(desk), revision))
            .map(|_| ())
    }

    /// Records that a report went to somebody because it was used for a positive identification.
    pub fn mark_evidence(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        revision: u64,
        handover: Handover,
    ) -> Result<(), ServiceError> {
        self.allowed(desk, Duty::Operate, "mark evidence")?;
        let (who, actor, marked) = (self.who(desk), desk.actor(), handover.clone());
        let tag = self.ledger.core().inquiry(id)?.tag(&self.ledger);
        let act = move |inquiry: &mut Inquiry, _: u64, now: Time| {
            inquiry.act(&who, revision, now, Action::MarkEvidence(handover.clone()))
        };
        let log = move |inquiry: &Inquiry| {
            let detail = Detail::EvidenceMarked {
                actor,
                inquiry: inquiry.id().to_string(),
                handover: marked,
            };
            vec![NewLeaf::new(Vec::new(), vec![tag], detail)]
        };
        self.refused_at(desk, self.ledger.step(id, act, log)).map(|_| ())
    }

    /// Records what became of a report, which closes the inquiry.
    pub fn record_outcome(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        revision: u64,
        outcome: Outcome,
    ) -> Result<(), ServiceError> {
        self.allowed(desk, Duty::Operate, "record an outcome")?;
        let (who, actor, recorded) = (self.who(desk), desk.actor(), outcome.clone());
        let tag = self.ledger.core().inquiry(id)?.tag(&self.ledger);
        let act = move |inquiry: &mut Inquiry, _: u64, now: Time| {
            inquiry.act(&who, revision, now, Action::RecordOutcome(outcome.clone()))
        };
        let log = move |inquiry: &Inquiry| {
            let name = inquiry.id().to_string();
            let closed = Detail::InquiryClosed {
                actor: actor.clone(),
                inquiry: name.clone(),
                withdrawn: false,
                reason: "its outcome is recorded".to_owned(),
            };
            vec![
                NewLeaf::new(
                    Vec::new(),
                    vec![tag],
                    Detail::OutcomeRecorded { actor, inquiry: name, outcome: recorded },
                ),
                NewLeaf::new(Vec::new(), vec![tag, 0], closed),
            ]
        };
        self.refused_at(desk, self.ledger.step(id, act, log)).map(|_| ())
    }
}

/// Whether an inquiry waits for a step that this person may take.
fn waits_for(inquiry: &Inquiry, who: &Who) -> bool {
    let operator = who.person.is(inquiry.operator()) && who.may_operate;
    let at_work = |review: Option<&Review>| {
        review.is_some_and(|review| who.person.is(&review.examiner)) && who.may_examine
    };
    let may = |claim: Action| {
        inquiry.clone().act(who, inquiry.revision(), inquiry.opened(), claim).is_ok()
    };
    match inquiry.stage() {
        Stage::Opened | Stage::ProbeReceived | Stage::FaceChosen => operator,
        Stage::Asked => false,
        Stage::Answered => may(Action::ClaimFirst { order: 0 }),
        Stage::FirstReview => at_work(inquiry.first()),
        Stage::ReviewedOnce => may(Action::ClaimSecond { order: 0 }),
        Stage::SecondReview => at_work(inquiry.second()),
        Stage::Reviewed => inquiry.takes_part(&who.person),
        Stage::Issued => operator,
        Stage::Closed | Stage::Withdrawn | Stage::Refused => false,
    }
}
