//! The state machine of an inquiry: `act`, by people, and `happen`, by the house, are the only two
//! ways to change one. Every rule is a `demand`, and every `demand` comes before the first change.

use time::Date;

use super::action::{
    Action, Choice, CopyOrder, Disposition, Event, Finding, Handover, Probe, Seen, Upshot, Who,
};
use super::hollow::{names_nobody, numbers_nothing, says_nothing};
use super::pattern::NumberPattern;
use super::record::{
    End, Evidence, FurtherCopy, GivenCopy, Inquiry, Ranked, Recorded, Report, Review, Search,
    SearchAnswer,
};
use super::refusal::{ActionError as Refuse, demand};
use super::request::{Request, check_reason};
use crate::booking::{Text, VersionId};
use crate::calendar::{Span, Time};
use crate::ids::{Digest, InquiryId};
use crate::limits::{
    COPIES_MAX, COPY_ORDER_DAYS_MAX, EVIDENCE_CHAIN_MAX, FACES_MAX, PROBE_BYTES_MAX,
    QUALITY_ENTRIES_MAX, SEARCHES_PER_INQUIRY_MAX,
};

impl Inquiry {
    /// Opens an inquiry: revision 1.
    ///
    /// `today` is the day at the site, `pattern` that of the requester's agency for its complaint
    /// numbers, where it has set one.
    ///
    /// Errors: what `Request::check` refuses; somebody who may not operate, or who is the
    /// requester.
    pub fn open(
        id: InquiryId,
        request: Request,
        who: &Who,
        today: Date,
        pattern: Option<&NumberPattern>,
        at: Time,
    ) -> Result<Self, Refuse> {
        may_operate(who)?;
        request.check(today, pattern)?;
        demand(!who.person.bears(&request.requester.badge, &request.requester.agency), || {
            Refuse::OperatorIsRequester
        })?;
        demand(!request.purpose.is_answered_for_by(&who.person), || Refuse::OperatorAnswersForIt)?;
        Ok(Self {
            id,
            revision: 1,
            opened_cs: at,
            operator: who.person.clone(),
            request,
            probe: None,
            choice: None,
            searches: Vec::new(),
            answer: None,
            reviews: Vec::new(),
            report: None,
            evidence: Vec::new(),
            copies: Vec::new(),
            outcome: None,
            end: None,
        })
    }

    /// Takes a person's step, which was decided on this revision of the inquiry, and raises the
    /// revision by one.
    ///
    /// Errors: a refusal by its name; then nothing has changed.
    pub fn act(
        &mut self,
        who: &Who,
        revision: u64,
        at: Time,
        action: Action,
    ) -> Result<(), Refuse> {
        demand(revision == self.revision, || Refuse::Changed {
            found: revision,
            wanted: self.revision,
        })?;
        match action {
            Action::ReceiveProbe(probe) => self.receive_probe(who, probe),
            Action::ChooseFace(choice) => self.choose_face(who, choice),
            Action::Ask { search, leaf } => {
                self.ask(who, Search { id: search, leaf, at_cs: at, interrupted: None })
            }
            Action::ClaimFirst { order } => self.claim_first(who, order, at),
            Action::ClaimSecond { order } => self.claim_second(who, order, at),
            Action::Dispose(finding) => self.dispose(who, finding),
            Action::Finish { leaf } => self.finish(who, leaf),
            Action::Issue { sha256, leaf } => self.issue(who, sha256, leaf, at),
            Action::MarkEvidence(handover) => {
                self.mark_evidence(who, Evidence { handover, by: who.person.clone(), at_cs: at })
            }
            Action::RecordOutcome(outcome) => {
                self.record_outcome(who, Recorded { outcome, by: who.person.clone(), at_cs: at })
            }
            Action::OrderCopy { order, leaf } => self.order_copy(who, order, leaf, at),
            Action::GiveCopy { copy, leaf } => self.give_copy(who, copy, leaf, at),
            Action::Withdraw { reason } => self.withdraw(who, reason, at),
        }?;
        self.revision += 1;
        Ok(())
    }

    /// Takes what happened to the inquiry, and raises the revision by one.
    ///
    /// An interruption is taken even after the inquiry ended, since the log pairs each search with
    /// its end.
    ///
    /// Errors: a refusal by its name; then nothing has changed.
    pub fn happen(&mut self, at: Time, event: Event) -> Result<(), Refuse> {
        match event {
            Event::Answered { candidates, leaf } => self.answered(&candidates, leaf, at),
            Event::Interrupted { leaf } => self.interrupted(leaf),
            Event::Released { version } => self.released(version, at),
            Event::Refused { reason } => self.end(End { by: None, reason, at_cs: at }),
        }?;
        self.revision += 1;
        Ok(())
    }

    /// Whether a review waits that this person may claim: what a list of work shows.
    pub fn may_claim(&self, who: &Who) -> bool {
        self.first_waits_for(who).is_ok() || self.second_waits_for(who).is_ok()
    }

    /// The report, if those who take part may be given it now: until the inquiry is closed.
    ///
    /// Errors: none is issued; one that is withheld; a closed inquiry.
    pub fn given_report(&self) -> Result<&Report, Refuse> {
        let report = self.report.as_ref().ok_or(Refuse::NotIssued)?;
        if self.is_report_withheld() {
            return Err(Refuse::ReportWithheld);
        }
        if self.stage().is_over() { Err(Refuse::ReportClosed) } else { Ok(report) }
    }

    // Up to the answer

    fn receive_probe(&mut self, who: &Who, probe: Probe) -> Result<(), Refuse> {
        self.operates(who)?;
        demand(self.searches.is_empty(), || Refuse::ProbeSearched)?;
        let fits =
            (1..=PROBE_BYTES_MAX as u64).contains(&probe.bytes) && probe.faces.len() <= FACES_MAX;
        demand(fits, || Refuse::ProbeSize { bytes: probe.bytes, faces: probe.faces.len() })?;
        self.probe = Some(probe);
        self.choice = None;
        Ok(())
    }

    fn choose_face(&mut self, who: &Who, choice: Choice) -> Result<(), Refuse> {
        self.operates(who)?;
        self.searchable()?;
        if self.probe.is_none() {
            return Err(Refuse::NoProbe);
        }
        let (found, faces) = (choice.face, choice.faces);
        demand(found < faces, || Refuse::NoSuchFace { found, faces })?;
        let quality = &choice.quality;
        let entries = quality.measures.len().max(quality.shortfalls.len());
        demand(entries <= QUALITY_ENTRIES_MAX, || Refuse::QualitySize)?;
        demand(choice.reason.is_some() || quality.blocking().next().is_none(), || {
            let names: Vec<&str> =
                quality.blocking().map(|shortfall| shortfall.name.as_str()).collect();
            Refuse::PoorProbe { shortfalls: names.join(", ") }
        })?;
        self.says("reason", choice.reason.as_deref())?;
        self.choice = Some(choice);
        Ok(())
    }

    fn ask(&mut self, who: &Who, search: Search) -> Result<(), Refuse> {
        self.operates(who)?;
        self.searchable()?;
        demand(self.choice.is_some(), || Refuse::NoFace)?;
        demand(self.searches.iter().all(|asked| asked.id != search.id), || {
            Refuse::SearchRepeated { found: search.id }
        })?;
        demand(self.searches.len() < SEARCHES_PER_INQUIRY_MAX, || Refuse::TooManySearches)?;
        self.searches.push(search);
        Ok(())
    }

    fn answered(
        &mut self,
        candidates: &[(VersionId, f64)],
        leaf: u64,
        at: Time,
    ) -> Result<(), Refuse> {
        self.goes_on()?;
        demand(self.under_way(), || Refuse::NoSearchUnderWay)?;
        let (found, wanted) = (candidates.len(), self.request.candidates);
        demand(found <= wanted, || Refuse::TooManyCandidates { found, wanted })?;
        let best_first = candidates.iter().all(|(_, score)| score.is_finite())
            && candidates.is_sorted_by(|(_, a), (_, b)| a >= b);
        let once = candidates
            .iter()
            .enumerate()
            .all(|(at, (version, _))| candidates[..at].iter().all(|(before, _)| before != version));
        demand(best_first && once, || Refuse::CandidatesDisordered)?;
        let ranked = |(at, &(version, score)): (usize, _)| Ranked {
            version,
            score,
            rank: at + 1,
            released_cs: None,
        };
        self.answer = Some(SearchAnswer {
            leaf,
            at_cs: at,
            candidates: candidates.iter().enumerate().map(ranked).collect(),
        });
        Ok(())
    }

    fn interrupted(&mut self, leaf: u64) -> Result<(), Refuse> {
        let under_way = self.under_way();
        demand(under_way, || Refuse::NoSearchUnderWay)?;
        if let Some(search) = self.searches.last_mut() {
            search.interrupted = Some(leaf);
        }
        Ok(())
    }

    // The reviews

    fn claim_first(&mut self, who: &Who, order: u64, at: Time) -> Result<(), Refuse> {
        self.first_waits_for(who)?;
        self.claim(who, order, at);
        Ok(())
    }

    fn claim_second(&mut self, who: &Who, order: u64, at: Time) -> Result<(), Refuse> {
        self.second_waits_for(who)?;
        self.claim(who, order, at);
        Ok(())
    }

    fn first_waits_for(&self, who: &Who) -> Result<(), Refuse> {
        self.goes_on()?;
        may_examine(who)?;
        demand(self.answer.is_some(), || Refuse::NotAnswered)?;
        if let Some(review) = self.reviews.first() {
            demand(false, || Refuse::FirstClaimed { by: review.examiner.id.clone() })?;
        }
        demand(!self.asked_by(&who.person), || Refuse::FirstAsked)
    }

    fn second_waits_for(&self, who: &Who) -> Result<(), Refuse> {
        self.goes_on()?;
        may_examine(who)?;
        demand(self.first().is_some_and(Review::is_finished), || Refuse::FirstUnfinished)?;
        if let Some(review) = self.second() {
            demand(false, || Refuse::SecondClaimed { by: review.examiner.id.clone() })?;
        }
        demand(!who.person.is(&self.operator), || Refuse::SecondIsOperator)?;
        demand(!self.asked_by(&who.person), || Refuse::SecondAsked)?;
        demand(self.first().is_none_or(|first| !who.person.is(&first.examiner)), || {
            Refuse::SecondIsFirst
        })
    }

    fn claim(&mut self, who: &Who, order: u64, at: Time) {
        self.reviews.push(Review {
            examiner: who.person.clone(),
            claimed_cs: at,
            order,
            findings: Vec::new(),
            leaf: None,
        });
    }

    fn dispose(&mut self, who: &Who, finding: Finding) -> Result<(), Refuse> {
        let review = self.at_work(who)?;
        let found = finding.candidate;
        let candidate = self.candidate(found);
        demand(candidate.is_some(), || Refuse::NotACandidate { found })?;
        demand(candidate.is_none_or(|candidate| candidate.released_cs.is_none()), || {
            Refuse::CandidateReleased { found }
        })?;
        demand(self.reviews[review].finding(found).is_none(), || Refuse::AlreadyDispositioned {
            found,
        })?;
        finding.check()?;
        self.reviews[review].findings.push(finding);
        Ok(())
    }

    fn finish(&mut self, who: &Who, leaf: u64) -> Result<(), Refuse> {
        let review = self.at_work(who)?;
        let left = self
            .candidates()
            .iter()
            .filter(|candidate| self.reviews[review].disposed(candidate).is_none())
            .count();
        demand(left == 0, || Refuse::CandidatesSkipped { left })?;
        self.reviews[review].leaf = Some(leaf);
        Ok(())
    }

    fn released(&mut self, version: VersionId, at: Time) -> Result<(), Refuse> {
        let candidates = self.answer.as_mut().map_or(&mut [][..], |answer| &mut answer.candidates);
        let Some(candidate) = candidates.iter_mut().find(|candidate| candidate.version == version)
        else {
            return Err(Refuse::NotACandidate { found: version });
        };
        demand(candidate.released_cs.is_none(), || Refuse::CandidateReleased { found: version })?;
        candidate.released_cs = Some(at);
        Ok(())
    }

    // The report and what became of it

    fn issue(&mut self, who: &Who, sha256: Digest, leaf: u64, at: Time) -> Result<(), Refuse> {
        self.goes_on()?;
        self.unissued()?;
        demand(self.both_finished(), || Refuse::NotReviewed { stage: self.stage() })?;
        demand(self.takes_part(&who.person), || Refuse::NoPartInIt {
            found: who.person.id.clone(),
        })?;
        let standing = self.candidates().iter().filter(|candidate| candidate.released_cs.is_none());
        let shows = standing.map(|candidate| candidate.version).collect();
        self.report = Some(Report { sha256, leaf, by: who.person.clone(), at_cs: at, shows });
        Ok(())
    }

    fn mark_evidence(&mut self, who: &Who, evidence: Evidence) -> Result<(), Refuse> {
        may_operate(who)?;
        demand(self.report.is_some(), || Refuse::NotIssued)?;
        let Handover { received_by, of, leads_number } = &evidence.handover;
        demand(!names_nobody(received_by.as_str()) && !says_nothing(of.as_str()), || {
            Refuse::ReceiverHollow
        })?;
        is_number(leads_number.as_ref())?;
        demand(self.evidence.len() < EVIDENCE_CHAIN_MAX, || Refuse::ChainTooLong)?;
        // Until the outcome is recorded the number can still come with it.
        let numbered = self.leads_number().is_some() || leads_number.is_some();
        demand(numbered || self.outcome.is_none(), || Refuse::LeadsNumberMissing)?;
        self.evidence.push(evidence);
        Ok(())
    }

    fn order_copy(
        &mut self,
        who: &Who,
        order: CopyOrder,
        leaf: u64,
        at: Time,
    ) -> Result<(), Refuse> {
        let found = || who.person.id.clone();
        demand(who.may_command, || Refuse::MayNotCommand { found: found() })?;
        self.copyable(who)?;
        demand(
            !names_nobody(order.received_by.as_str()) && !says_nothing(order.of.as_str()),
            || Refuse::ReceiverHollow,
        )?;
        self.says("reason", Some(&order.reason))?;
        demand(self.copies.len() < COPIES_MAX, || Refuse::TooManyCopies)?;
        let by = who.person.clone();
        self.copies.push(FurtherCopy { order, leaf, by, at_cs: at, given: None });
        Ok(())
    }

    fn give_copy(&mut self, who: &Who, copy: usize, leaf: u64, at: Time) -> Result<(), Refuse> {
        let found = || who.person.id.clone();
        demand(who.may_audit, || Refuse::MayNotAudit { found: found() })?;
        self.copyable(who)?;
        let by = who.person.clone();
        let ordered = self.copies.get_mut(copy);
        let due = ordered.as_ref().is_some_and(|ordered| ordered.given.is_none());
        demand(due, || Refuse::NoSuchCopy { found: copy })?;
        let over = |ordered: &FurtherCopy| at >= ordered.at_cs + Span::days(COPY_ORDER_DAYS_MAX);
        demand(!ordered.as_deref().is_some_and(over), || Refuse::CopyOrderOver)?;
        // Whoever commanded then may audit now.
        let alone = ordered.as_deref().is_some_and(|ordered| who.person.is(&ordered.by));
        demand(!alone, || Refuse::PartInIt { found: found() })?;
        if let Some(ordered) = ordered {
            ordered.given = Some(GivenCopy { leaf, by, at_cs: at });
        }
        Ok(())
    }

    /// That there is a report which may be given out, and that this person has no part in it.
    fn copyable(&self, who: &Who) -> Result<(), Refuse> {
        demand(self.report.is_some(), || Refuse::NotIssued)?;
        demand(!self.is_report_withheld(), || Refuse::ReportWithheld)?;
        let found = || who.person.id.clone();
        demand(!self.is_of(&who.person), || Refuse::PartInIt { found: found() })
    }

    fn record_outcome(&mut self, who: &Who, recorded: Recorded) -> Result<(), Refuse> {
        self.goes_on()?;
        may_operate(who)?;
        demand(self.report.is_some(), || Refuse::NotIssued)?;
        let outcome = &recorded.outcome;
        let positive = outcome.upshot == Upshot::PositiveIdentification;
        demand(!positive || !self.evidence.is_empty(), || Refuse::EvidenceUnmarked)?;
        is_number(outcome.leads_number.as_ref())?;
        let numbered = self.leads_number().is_some() || outcome.leads_number.is_some();
        demand(numbered || !positive && self.evidence.is_empty(), || Refuse::LeadsNumberMissing)?;
        let evidence = outcome.independent_evidence.as_deref();
        demand(evidence.is_some() || !outcome.upshot.stands_on_evidence(), || {
            Refuse::EvidenceUnsaid
        })?;
        self.says("independent_evidence", evidence)?;
        self.outcome = Some(recorded);
        Ok(())
    }

    fn withdraw(&mut self, who: &Who, reason: String, at: Time) -> Result<(), Refuse> {
        self.operates(who)?;
        // Whoever saw an array whose two reviews are not done would be the only one who did.
        demand(self.answer.is_none() || self.both_finished(), || Refuse::NotReviewed {
            stage: self.stage(),
        })?;
        self.end(End { by: Some(who.person.clone()), reason, at_cs: at })
    }

    fn end(&mut self, end: End) -> Result<(), Refuse> {
        self.goes_on()?;
        self.unissued()?;
        self.says("reason", Some(&end.reason))?;
        self.end = Some(end);
        Ok(())
    }

    // What several steps demand

    fn goes_on(&self) -> Result<(), Refuse> {
        let stage = self.stage();
        demand(!stage.is_over(), || Refuse::Ended { stage })
    }

    fn unissued(&self) -> Result<(), Refuse> {
        demand(self.report.is_none(), || Refuse::AlreadyIssued)
    }

    /// That this is the inquiry's operator, who may still operate.
    fn operates(&self, who: &Who) -> Result<(), Refuse> {
        self.goes_on()?;
        may_operate(who)?;
        demand(who.person.is(&self.operator), || Refuse::NotTheOperator {
            found: who.person.id.clone(),
            wanted: self.operator.id.clone(),
        })
    }

    /// That no search is under way or answered.
    fn searchable(&self) -> Result<(), Refuse> {
        demand(self.answer.is_none(), || Refuse::AlreadyAnswered)?;
        demand(!self.under_way(), || Refuse::SearchUnderWay)
    }

    /// The review under way, given that it is this examiner's, who may still examine.
    fn at_work(&self, who: &Who) -> Result<usize, Refuse> {
        self.goes_on()?;
        may_examine(who)?;
        let Some(last) = self.reviews.len().checked_sub(1) else {
            return Err(Refuse::NoReviewUnderWay);
        };
        let review = &self.reviews[last];
        demand(!review.is_finished(), || Refuse::NoReviewUnderWay)?;
        demand(who.person.is(&review.examiner), || Refuse::NotTheExaminer {
            found: who.person.id.clone(),
            wanted: review.examiner.id.clone(),
        })?;
        Ok(last)
    }

    /// That the words of a field, where there are any, say something that the request doesn't say
    /// already.
    fn says(&self, field: &'static str, words: Option<&str>) -> Result<(), Refuse> {
        let stated = [self.request.reason.as_str(), self.request.reference.number().as_str()];
        let said = words.is_none_or(|words| check_reason(words, &stated).is_ok());
        demand(said, || Refuse::Hollow { field })
    }
}

impl Finding {
    fn check(&self) -> Result<(), Refuse> {
        let seen = &self.observations;
        let twice = seen
            .iter()
            .enumerate()
            .any(|(at, one)| seen[..at].iter().any(|before| before.feature == one.feature));
        demand(!twice, || Refuse::FeatureTwice)?;
        let any = |what: Seen| seen.iter().any(|observation| observation.seen == what);
        match self.disposition {
            Disposition::Lead => demand(any(Seen::Similarity), || Refuse::LeadUnfounded),
            Disposition::NoLead => demand(any(Seen::Difference), || Refuse::NoLeadUnfounded),
            Disposition::Inconclusive => {
                demand(self.note.is_some() || !seen.is_empty(), || Refuse::InconclusiveUnfounded)
            }
        }
    }
}

fn may_operate(who: &Who) -> Result<(), Refuse> {
    demand(who.may_operate, || Refuse::MayNotOperate { found: who.person.id.clone() })
}

fn may_examine(who: &Who) -> Result<(), Refuse> {
    demand(who.may_examine, || Refuse::MayNotExamine { found: who.person.id.clone() })
}

/// That an I/Leads number, where one is given, is a number.
fn is_number(found: Option<&Text>) -> Result<(), Refuse> {
    demand(found.is_none_or(|number| !numbers_nothing(number.as_str())), || {
        Refuse::LeadsNumberHollow
    })
}
