//! The record of an inquiry, whole, as it is stored.
//!
//! It holds what was done, never where the inquiry stands: that follows from it, so the two can't
//! disagree.

use serde::{Deserialize, Serialize};

use super::action::{
    Choice, CopyOrder, Disposition, Finding, Handover, Outcome, Participant, Probe,
};
use super::request::Request;
use crate::booking::{Text, VersionId};
use crate::calendar::Time;
use crate::ids::{Digest, InquiryId, SearchId};
use crate::named::named;

/// One inquiry, whole, as it is stored. Leaves are indices in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inquiry {
    pub(super) id: InquiryId,
    pub(super) revision: u64,
    pub(super) opened_cs: Time,
    pub(super) operator: Participant,
    pub(super) request: Request,
    pub(super) probe: Option<Probe>,
    pub(super) choice: Option<Choice>,
    pub(super) searches: Vec<Search>,
    pub(super) answer: Option<SearchAnswer>,
    /// The first, then the second.
    pub(super) reviews: Vec<Review>,
    pub(super) report: Option<Report>,
    pub(super) evidence: Vec<Evidence>,
    pub(super) copies: Vec<FurtherCopy>,
    pub(super) outcome: Option<Recorded>,
    pub(super) end: Option<End>,
}

/// A search that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Its name.
    pub id: SearchId,
    /// The leaf `asked`.
    pub leaf: u64,
    /// When.
    pub at_cs: Time,
    /// The leaf `interrupted`, where it will never be answered.
    pub interrupted: Option<u64>,
}

/// The answer of the last search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchAnswer {
    /// The leaf `answered`.
    pub leaf: u64,
    /// When.
    pub at_cs: Time,
    /// Best first; none is an answer too.
    pub candidates: Vec<Ranked>,
}

/// A candidate of the array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ranked {
    /// The booking's version.
    pub version: VersionId,
    /// Cosine of probe and candidate.
    #[serde(with = "super::exact")]
    pub score: f64,
    /// The place in the array, counted from 1.
    pub rank: usize,
    /// When its agency released it, if it did.
    pub released_cs: Option<Time>,
}

/// One examiner's review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Review {
    /// Whose it is.
    pub examiner: Participant,
    /// When it was claimed.
    pub claimed_cs: Time,
    /// A random number, by which the order is made in which the examiner meets the candidates.
    pub order: u64,
    /// Dispositions in the order in which they were made.
    pub findings: Vec<Finding>,
    /// The leaf `reviewed`, once it is finished.
    pub leaf: Option<u64>,
}

/// How one examiner's look at one candidate ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposed<'a> {
    /// By the examiner.
    By(&'a Finding),
    /// The agency released the booking before the examiner came to it.
    ReleasedByAgency,
}

/// The report that was issued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Digest of the whole report.
    pub sha256: Digest,
    /// The leaf `issued`.
    pub leaf: u64,
    /// Who issued it.
    pub by: Participant,
    /// When.
    pub at_cs: Time,
    /// The candidates whose photos it shows.
    pub shows: Vec<VersionId>,
}

/// One link of the chain of those who received the report as evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Who received it.
    pub handover: Handover,
    /// Who recorded it.
    pub by: Participant,
    /// When.
    pub at_cs: Time,
}

/// A further copy of the report, ordered by the commander and given out by an auditor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FurtherCopy {
    /// For whom and why.
    pub order: CopyOrder,
    /// The leaf that says so.
    pub leaf: u64,
    /// The commander.
    pub by: Participant,
    /// When.
    pub at_cs: Time,
    /// Who gave it out, once somebody did.
    pub given: Option<GivenCopy>,
}

/// A copy that was given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GivenCopy {
    /// The leaf that says so.
    pub leaf: u64,
    /// The auditor.
    pub by: Participant,
    /// When.
    pub at_cs: Time,
}

/// The outcome as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// What became of the report.
    pub outcome: Outcome,
    /// Who recorded it.
    pub by: Participant,
    /// When.
    pub at_cs: Time,
}

/// How an inquiry ended without a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Its operator, who withdrew it; none where the house refused it.
    pub by: Option<Participant>,
    /// Why, in words.
    pub reason: String,
    /// When.
    pub at_cs: Time,
}

/// Where an inquiry stands.
#[derive(
    Clone, Copy, Debug, PartialEq, PartialOrd, Ord, Eq, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The request stands; the probe is wanted.
    Opened,
    /// The probe is here; a face is to be chosen.
    ProbeReceived,
    /// A face is chosen; the operator's touch is wanted.
    FaceChosen,
    /// A search is under way.
    Asked,
    /// The array is here; a first examiner is wanted.
    Answered,
    /// The first examiner is at work.
    FirstReview,
    /// A second examiner is wanted.
    ReviewedOnce,
    /// The second examiner is at work.
    SecondReview,
    /// The report can be issued.
    Reviewed,
    /// The report is out; its outcome is wanted.
    Issued,
    /// The outcome is recorded.
    Closed,
    /// Its operator withdrew it.
    Withdrawn,
    /// The house refused it.
    Refused,
}

impl Inquiry {
    /// Its name.
    pub fn id(&self) -> InquiryId {
        self.id
    }

    /// How many steps were taken, the opening included.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// When it was opened.
    pub fn opened(&self) -> Time {
        self.opened_cs
    }

    /// Who opened it.
    pub fn operator(&self) -> &Participant {
        &self.operator
    }

    /// What it states.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The probe, once received.
    pub fn probe(&self) -> Option<&Probe> {
        self.probe.as_ref()
    }

    /// The face, once chosen.
    pub fn choice(&self) -> Option<&Choice> {
        self.choice.as_ref()
    }

    /// The searches asked for; all but the last were interrupted.
    pub fn searches(&self) -> &[Search] {
        &self.searches
    }

    /// The answer, once there is one. Who may see what of it, `sight` says.
    pub fn answer(&self) -> Option<&SearchAnswer> {
        self.answer.as_ref()
    }

    /// The array, empty before the answer.
    pub fn candidates(&self) -> &[Ranked] {
        self.answer.as_ref().map_or(&[], |answer| &answer.candidates)
    }

    /// A candidate of the array.
    pub fn candidate(&self, version: VersionId) -> Option<&Ranked> {
        self.candidates().iter().find(|candidate| candidate.version == version)
    }

    /// The first review, once claimed.
    pub fn first(&self) -> Option<&Review> {
        self.reviews.first()
    }

    /// The second review, once claimed.
    pub fn second(&self) -> Option<&Review> {
        self.reviews.get(1)
    }

    /// The report, once issued.
    pub fn report(&self) -> Option<&Report> {
        self.report.as_ref()
    }

    /// Whether the report shows a candidate that its agency released since: then nobody is given it
    /// any more.
    pub fn is_report_withheld(&self) -> bool {
        let released = |version: &VersionId| {
            self.candidate(*version).is_none_or(|candidate| candidate.released_cs.is_some())
        };
        self.report.as_ref().is_some_and(|report| report.shows.iter().any(released))
    }

    /// Who received the report as evidence, in turn.
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// Further copies of the report, as they were ordered.
    pub fn copies(&self) -> &[FurtherCopy] {
        &self.copies
    }

    /// The outcome, once recorded.
    pub fn outcome(&self) -> Option<&Recorded> {
        self.outcome.as_ref()
    }

    /// How it ended without a report, if it did.
    pub fn ended(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Where it stands.
    pub fn stage(&self) -> Stage {
        match &self.end {
            Some(End { by: Some(_), .. }) => return Stage::Withdrawn,
            Some(End { by: None, .. }) => return Stage::Refused,
            None => {}
        }
        let finished = |review: Option<&Review>| review.map(Review::is_finished);
        match (finished(self.first()), finished(self.second())) {
            _ if self.outcome.is_some() => Stage::Closed,
            _ if self.report.is_some() => Stage::Issued,
            (_, Some(true)) => Stage::Reviewed,
            (_, Some(false)) => Stage::SecondReview,
            (Some(true), None) => Stage::ReviewedOnce,
            (Some(false), None) => Stage::FirstReview,
            (None, None) if self.answer.is_some() => Stage::Answered,
            (None, None) if self.under_way() => Stage::Asked,
            (None, None) if self.choice.is_some() => Stage::FaceChosen,
            (None, None) if self.probe.is_some() => Stage::ProbeReceived,
            (None, None) => Stage::Opened,
        }
    }

    /// Whether a search was asked for and has no end yet.
    pub fn under_way(&self) -> bool {
        self.answer.is_none()
            && self.searches.last().is_some_and(|search| search.interrupted.is_none())
    }

    /// Whether two examiners have finished.
    pub fn both_finished(&self) -> bool {
        self.reviews.len() == 2 && self.reviews.iter().all(Review::is_finished)
    }

    /// Whether this person is the inquiry's operator or one of its examiners.
    pub fn takes_part(&self, person: &Participant) -> bool {
        person.is(&self.operator) || self.review_of(person).is_some()
    }

    /// The review that is or was this person's.
    pub fn review_of(&self, person: &Participant) -> Option<&Review> {
        self.reviews.iter().find(|review| person.is(&review.examiner))
    }

    /// Whether this person asked, or answers for the purpose: such a one neither searches nor
    /// compares.
    pub fn asked_by(&self, person: &Participant) -> bool {
        let requester = &self.request.requester;
        person.bears(&requester.badge, &requester.agency)
            || self.request.purpose.is_answered_for_by(person)
    }

    /// Whether this is a person of the inquiry, by whatever account: its operator, one of its
    /// examiners, who asked, or who answers for the purpose.
    pub fn is_of(&self, person: &Participant) -> bool {
        self.takes_part(person) || self.asked_by(person)
    }

    /// Whether both examiners, each for themselves, left a candidate a lead.
    pub fn is_lead(&self, candidate: VersionId) -> bool {
        let lead = |review: Option<&Review>| {
            review
                .and_then(|review| review.finding(candidate))
                .is_some_and(|finding| finding.disposition == Disposition::Lead)
        };
        self.both_finished() && lead(self.first()) && lead(self.second())
    }

    /// Candidates that one examiner took for a lead and the other did not, best first; none before
    /// both are finished, since neither may know. A candidate that was released before one of them
    /// came to it counts as no disagreement.
    pub fn disagreements(&self) -> Option<Vec<VersionId>> {
        if !self.both_finished() {
            return None;
        }
        let lead = |review: Option<&Review>, version| {
            Some(review?.finding(version)?.disposition == Disposition::Lead)
        };
        let differ = |version: &VersionId| match (
            lead(self.first(), *version),
            lead(self.second(), *version),
        ) {
            (Some(first), Some(second)) => first != second,
            _ => false,
        };
        Some(self.candidates().iter().map(|candidate| candidate.version).filter(differ).collect())
    }

    /// The I/Leads number, from the outcome or else the newest hand-over that has one.
    pub fn leads_number(&self) -> Option<&Text> {
        let outcome =
            self.outcome.as_ref().and_then(|recorded| recorded.outcome.leads_number.as_ref());
        outcome.or_else(|| {
            self.evidence.iter().rev().find_map(|evidence| evidence.handover.leads_number.as_ref())
        })
    }
}

impl Review {
    /// Whether every candidate has its disposition and the examiner said so.
    pub fn is_finished(&self) -> bool {
        self.leaf.is_some()
    }

    /// What this examiner recorded of a candidate.
    pub fn finding(&self, version: VersionId) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.candidate == version)
    }

    /// How this examiner's look at a candidate ended, if it has.
    pub fn disposed(&self, candidate: &Ranked) -> Option<Disposed<'_>> {
        let released = candidate.released_cs.map(|_| Disposed::ReleasedByAgency);
        self.finding(candidate.version).map(Disposed::By).or(released)
    }
}

impl Disposed<'_> {
    /// The disposition in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::By(finding) => finding.disposition.words(),
            Self::ReleasedByAgency => "released by its agency",
        }
    }
}

// The words are read after 'the inquiry is'.
named!(Stage {
    Opened = "opened" "opened";
    ProbeReceived = "probe_received" "waiting for a face to be chosen";
    FaceChosen = "face_chosen" "waiting for the operator's touch";
    Asked = "asked" "being searched";
    Answered = "answered" "waiting for a first examiner";
    FirstReview = "first_review" "in its first review";
    ReviewedOnce = "reviewed_once" "waiting for a second examiner";
    SecondReview = "second_review" "in its second review";
    Reviewed = "reviewed" "reviewed by two";
    Issued = "issued" "waiting for the report's outcome";
    Closed = "closed" "closed";
    Withdrawn = "withdrawn" "withdrawn";
    Refused = "refused" "refused";
});

impl Stage {
    /// Whether nothing but the chain of evidence goes on.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::Withdrawn | Self::Refused)
    }
}
