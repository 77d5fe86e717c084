//! Errors of an inquiry's steps: every refusal by its own name, and the one place through which all
//! of them go.

use super::invalid::InquiryError;
use super::record::Stage;
use crate::booking::{Identifier, VersionId};
use crate::ids::SearchId;
use crate::limits::{
    COPIES_MAX, COPY_ORDER_DAYS_MAX, EVIDENCE_CHAIN_MAX, FACES_MAX, PROBE_BYTES_MAX,
    QUALITY_ENTRIES_MAX, REASON_CHARS_MAX, REASON_CHARS_MIN, SEARCHES_PER_INQUIRY_MAX,
};
use crate::rule::Rule;

/// Why an inquiry doesn't take a step.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum ActionError {
    /// The request is no valid inquiry.
    #[error(transparent)]
    Request(#[from] InquiryError),
    /// Words that say nothing, or nothing new.
    #[error(
        "the field {field} says nothing or what the inquiry says already, wanted \
         {REASON_CHARS_MIN} to {REASON_CHARS_MAX} characters in words of its own"
    )]
    Hollow {
        /// The field.
        field: &'static str,
    },
    /// The step was decided on another state of the inquiry.
    #[error(
        "decided on revision {found}, and the inquiry stands at {wanted}: wanted a decision on \
         what it is now"
    )]
    Changed {
        /// The revision that the step names.
        found: u64,
        /// The inquiry's.
        wanted: u64,
    },
    /// The inquiry is over.
    #[error("the inquiry is {}: what is still wanted needs an inquiry of its own", .stage.words())]
    Ended {
        /// How it ended.
        stage: Stage,
    },

    // Who acts
    /// A step of operators by somebody who isn't one now.
    #[error("{found} may not operate now, wanted an operator whose training is in date")]
    MayNotOperate {
        /// Who acted.
        found: Identifier,
    },
    /// A step of examiners by somebody who isn't one now.
    #[error("{found} may not examine now, wanted an examiner whose training is in date")]
    MayNotExamine {
        /// Who acted.
        found: Identifier,
    },
    /// A further copy ordered by somebody who doesn't command.
    #[error("{found} may not order a further copy of a report, wanted the commander")]
    MayNotCommand {
        /// Who acted.
        found: Identifier,
    },
    /// A further copy given out by somebody who doesn't audit.
    #[error("{found} may not give out a further copy of a report, wanted an auditor")]
    MayNotAudit {
        /// Who acted.
        found: Identifier,
    },
    /// A further copy ordered or given out by a person of the inquiry.
    #[error("{found} had a part in this inquiry, wanted somebody who had none")]
    PartInIt {
        /// Who acted.
        found: Identifier,
    },
    /// Requester and operator are one person (SO-C1).
    #[error(
        "the requester's badge is the operator's own, wanted another operator: nobody runs their \
         own request"
    )]
    OperatorIsRequester,
    /// Whoever answers for the purpose opens the inquiry.
    #[error(
        "the supervisor who answers for the purpose is the operator, wanted another operator: \
         nobody runs what they answer for"
    )]
    OperatorAnswersForIt,
    /// A step of the inquiry's operator by somebody else.
    #[error("{found} did not open this inquiry, wanted {wanted}, or an inquiry of their own")]
    NotTheOperator {
        /// Who acted.
        found: Identifier,
        /// Who opened it.
        wanted: Identifier,
    },
    /// A step of the examiner at work by somebody else.
    #[error("{found} does not hold this review, wanted {wanted}")]
    NotTheExaminer {
        /// Who acted.
        found: Identifier,
        /// Who claimed it.
        wanted: Identifier,
    },
    /// The operator claims the second review.
    #[error(
        "the operator can't be the second examiner, wanted an examiner without a part in this \
         inquiry"
    )]
    SecondIsOperator,
    /// The requester, or whoever answers for the purpose, claims the first review.
    #[error(
        "who asked or answers for the purpose can't be the first examiner, wanted an examiner who \
         did neither"
    )]
    FirstAsked,
    /// The requester, or whoever answers for the purpose, claims the second review.
    #[error(
        "who asked or answers for the purpose can't be the second examiner, wanted an examiner \
         without a part in this inquiry"
    )]
    SecondAsked,
    /// The first examiner claims the second review.
    #[error(
        "the first examiner can't be the second, wanted an examiner without a part in this inquiry"
    )]
    SecondIsFirst,
    /// The report is issued by somebody without a part in it.
    #[error("{found} has no part in this inquiry, wanted its operator or one of its examiners")]
    NoPartInIt {
        /// Who acted.
        found: Identifier,
    },

    // The probe and the search
    /// The probe is too large, or holds more faces than are told apart.
    #[error(
        "the probe has {bytes} bytes and {faces} faces, wanted 1 to {PROBE_BYTES_MAX} bytes and at \
         most {FACES_MAX} faces"
    )]
    ProbeSize {
        /// Bytes received.
        bytes: u64,
        /// Faces seen.
        faces: usize,
    },
    /// A probe comes after a search was asked for with another.
    #[error(
        "a search was asked for with the probe that is here, wanted an inquiry of its own for \
         another probe"
    )]
    ProbeSearched,
    /// There is no probe yet.
    #[error("no probe was received, wanted the probe first")]
    NoProbe,
    /// The probe has no such face.
    #[error(
        "face {found} was chosen of {faces}, wanted one of them by its index from 0, or another \
         probe"
    )]
    NoSuchFace {
        /// The index given.
        found: usize,
        /// Faces seen.
        faces: usize,
    },
    /// The quality has too many entries.
    #[error(
        "the quality has more than {QUALITY_ENTRIES_MAX} entries of one kind, wanted the named \
         measures only"
    )]
    QualitySize,
    /// The face is poor, and nobody says why it should be searched for all the same.
    #[error(
        "the face falls short in {shortfalls}, wanted a better photo or a recorded reason to go on"
    )]
    PoorProbe {
        /// What falls short.
        shortfalls: String,
    },
    /// No face is chosen.
    #[error("no face is chosen, wanted a face of the probe with the edits, if any")]
    NoFace,
    /// A search is under way.
    #[error("a search is under way, wanted its answer first: look again in a moment")]
    SearchUnderWay,
    /// The search was answered.
    #[error("the search was answered, wanted an inquiry of its own for another one")]
    AlreadyAnswered,
    /// A search's name is used twice.
    #[error("search {found} was asked for before, wanted a new name and a new touch")]
    SearchRepeated {
        /// The name.
        found: SearchId,
    },
    /// Too many searches were interrupted.
    #[error(
        "{SEARCHES_PER_INQUIRY_MAX} searches of this inquiry were interrupted, wanted the cause \
         found first and then a new inquiry"
    )]
    TooManySearches,
    /// No search is under way.
    #[error("no search is under way, wanted one that could be answered or interrupted")]
    NoSearchUnderWay,
    /// The answer holds more than was asked for.
    #[error("{found} candidates were answered, wanted at most {wanted}")]
    TooManyCandidates {
        /// Candidates answered.
        found: usize,
        /// Candidates asked for.
        wanted: usize,
    },
    /// The answer isn't in order.
    #[error(
        "the candidates are not in order, wanted each once, the best first, by scores that are \
         numbers"
    )]
    CandidatesDisordered,

    // The reviews
    /// There is nothing to review yet.
    #[error("the search is not answered, wanted an answer before a review")]
    NotAnswered,
    /// The first review is somebody's.
    #[error("the first review is {by}'s, wanted the second once it is finished")]
    FirstClaimed {
        /// Whose.
        by: Identifier,
    },
    /// The first review isn't finished.
    #[error("the first review is not finished, wanted all its dispositions before a second look")]
    FirstUnfinished,
    /// The second review is somebody's.
    #[error("the second review is {by}'s, wanted nobody else")]
    SecondClaimed {
        /// Whose.
        by: Identifier,
    },
    /// Nobody holds a review.
    #[error("nobody holds a review that is under way, wanted it claimed first")]
    NoReviewUnderWay,
    /// The answer has no such candidate.
    #[error("{found} is no candidate of this inquiry, wanted one of its array")]
    NotACandidate {
        /// The version named.
        found: VersionId,
    },
    /// The candidate's booking was released.
    #[error(
        "{found} was released by its agency and counts as dispositioned, wanted the next candidate"
    )]
    CandidateReleased {
        /// The candidate.
        found: VersionId,
    },
    /// The candidate has this examiner's disposition.
    #[error("{found} has its disposition and keeps it, wanted the next candidate")]
    AlreadyDispositioned {
        /// The candidate.
        found: VersionId,
    },
    /// A feature is named twice.
    #[error("a feature is named twice, wanted each once, as a similarity or as a difference")]
    FeatureTwice,
    /// A lead without a similarity.
    #[error("a lead without a similarity, wanted at least one feature that is alike")]
    LeadUnfounded,
    /// No lead, and no difference.
    #[error("no lead without a difference, wanted at least one feature that differs")]
    NoLeadUnfounded,
    /// Inconclusive, and nothing said.
    #[error(
        "inconclusive without a word, wanted a feature or a note that says what the photos don't \
         show"
    )]
    InconclusiveUnfounded,
    /// Candidates are skipped.
    #[error("{left} candidates have no disposition, wanted one for each: none may be skipped")]
    CandidatesSkipped {
        /// How many.
        left: usize,
    },

    // The report and what became of it
    /// A report, or the end of an answered inquiry, before both reviews are finished.
    #[error(
        "the inquiry is {}, wanted both reviews finished before it is reported or withdrawn",
        .stage.words()
    )]
    NotReviewed {
        /// Where it stands.
        stage: Stage,
    },
    /// There is a report.
    #[error("the report is issued, wanted its outcome next")]
    AlreadyIssued,
    /// There is no report.
    #[error("no report is issued, wanted the report first")]
    NotIssued,
    /// A report that nobody is given any more.
    #[error(
        "the report is not given out any more, since an agency released or replaced a booking that \
         it shows; whoever wanted it finds its digest in the log"
    )]
    ReportWithheld,
    /// The report of an inquiry that is closed.
    #[error(
        "the inquiry is closed: a further copy of its report comes from an auditor, on the \
         commander's order"
    )]
    ReportClosed,
    /// No copy of this number waits to be given out.
    #[error("no copy {found} waits to be given out, wanted one that the commander ordered")]
    NoSuchCopy {
        /// The index given.
        found: usize,
    },
    /// The order of a copy is too old.
    #[error(
        "the copy was ordered over {COPY_ORDER_DAYS_MAX} days ago, wanted another order of the \
         commander's"
    )]
    CopyOrderOver,
    /// Too many copies.
    #[error("{COPIES_MAX} further copies were ordered, wanted the rest made of one of them")]
    TooManyCopies,
    /// Whoever received the report isn't named.
    #[error("who received the report is a placeholder, wanted a name")]
    ReceiverHollow,
    /// The chain is too long.
    #[error(
        "the report changed hands {EVIDENCE_CHAIN_MAX} times, wanted the rest on paper with the \
         property custodian"
    )]
    ChainTooLong,
    /// An identification without its documentation.
    #[error(
        "a positive identification without an I/Leads number, wanted the number under which it is \
         documented"
    )]
    LeadsNumberMissing,
    /// An I/Leads number that isn't one.
    #[error(
        "the I/Leads number is a placeholder, wanted the number as I/Leads gave it, or none yet"
    )]
    LeadsNumberHollow,
    /// An identification without an evidence mark.
    #[error(
        "a positive identification and nobody who received the report as evidence, wanted that \
         recorded first"
    )]
    EvidenceUnmarked,
    /// An outcome that nothing but the report would support.
    #[error(
        "an outcome without its independent evidence, wanted in words what it stands on beside the \
         report"
    )]
    EvidenceUnsaid,
}

impl ActionError {
    /// The rule by which the step is refused.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Request(hollow) => hollow.rule(),
            Self::Hollow { .. } => Rule::FieldHollow,
            Self::Changed { .. } => Rule::ChangedMeanwhile,
            Self::MayNotOperate { .. }
            | Self::MayNotExamine { .. }
            | Self::MayNotCommand { .. }
            | Self::MayNotAudit { .. } => Rule::NotThisRole,
            Self::OperatorIsRequester | Self::OperatorAnswersForIt => Rule::OperatorIsRequester,
            Self::NotTheOperator { .. } | Self::NotTheExaminer { .. } | Self::NoPartInIt { .. } => {
                Rule::NotTheirs
            }
            Self::SecondIsOperator
            | Self::FirstAsked
            | Self::SecondAsked
            | Self::SecondIsFirst
            | Self::PartInIt { .. } => Rule::NotIndependent,
            Self::ProbeSize { .. } | Self::QualitySize => Rule::ProbeSize,
            Self::NoSuchFace { .. } => Rule::NoSuchFace,
            Self::PoorProbe { .. } => Rule::PoorProbe,
            Self::TooManyCandidates { .. } | Self::CandidatesDisordered => Rule::CandidatesNumber,
            Self::NotACandidate { .. }
            | Self::CandidateReleased { .. }
            | Self::AlreadyDispositioned { .. } => Rule::WrongCandidate,
            Self::FeatureTwice
            | Self::LeadUnfounded
            | Self::NoLeadUnfounded
            | Self::InconclusiveUnfounded => Rule::FindingUnfounded,
            Self::CandidatesSkipped { .. } => Rule::CandidateSkipped,
            Self::ReceiverHollow
            | Self::LeadsNumberMissing
            | Self::LeadsNumberHollow
            | Self::EvidenceUnsaid => Rule::OutcomeHollow,
            Self::EvidenceUnmarked => Rule::EvidenceUnmarked,
            Self::ReportWithheld => Rule::ReportWithheld,
            Self::ReportClosed => Rule::NotShown,
            Self::Ended { .. }
            | Self::ProbeSearched
            | Self::NoProbe
            | Self::NoFace
            | Self::SearchUnderWay
            | Self::AlreadyAnswered
            | Self::SearchRepeated { .. }
            | Self::TooManySearches
            | Self::NoSearchUnderWay
            | Self::NotAnswered
            | Self::FirstClaimed { .. }
            | Self::FirstUnfinished
            | Self::SecondClaimed { .. }
            | Self::NoReviewUnderWay
            | Self::NotReviewed { .. }
            | Self::AlreadyIssued
            | Self::NotIssued
            | Self::NoSuchCopy { .. }
            | Self::CopyOrderOver
            | Self::TooManyCopies
            | Self::ChainTooLong => Rule::OutOfTurn,
        }
    }

    /// The field of what was sent beside which the refusal belongs, by its JSON name; none where it
    /// is about the step as a whole.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Request(hollow) => hollow.field(),
            Self::Hollow { field } => Some(field),
            Self::NoSuchFace { .. } => Some("face"),
            Self::PoorProbe { .. } => Some("reason"),
            Self::FeatureTwice
            | Self::LeadUnfounded
            | Self::NoLeadUnfounded
            | Self::InconclusiveUnfounded => Some("observations"),
            Self::ReceiverHollow => Some("received_by"),
            Self::LeadsNumberMissing | Self::LeadsNumberHollow => Some("leads_number"),
            Self::EvidenceUnsaid => Some("independent_evidence"),
            _ => None,
        }
    }
}

/// Every rule of the machine goes through here: where it doesn't hold, the step is refused by name.
pub(super) fn demand(
    holds: bool,
    refusal: impl FnOnce() -> ActionError,
) -> Result<(), ActionError> {
    if holds {
        return Ok(());
    }
    let refusal = refusal();
    if removed(&refusal) { Ok(()) } else { Err(refusal) }
}

/// No rule is ever removed, but in tests, to see that the removal is noticed.
#[cfg(not(test))]
const fn removed(_: &ActionError) -> bool {
    false
}

#[cfg(test)]
use super::tests::removed;
