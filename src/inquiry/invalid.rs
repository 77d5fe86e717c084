//! Why a request is no valid inquiry: each hollow field by its name.

use time::Date;

use crate::booking::{Identifier, Text};
use crate::limits::{
    CANDIDATES_MAX, NUMBER_PATTERN_CHARS_MAX, REASON_CHARS_MAX, REASON_CHARS_MIN, REASON_WORDS_MIN,
    REVIEWED_CANDIDATES_MAX,
};
use crate::rule::Rule;

/// Why a request is no valid inquiry.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum InquiryError {
    /// The reason is too short or too long.
    #[error("the reason has {found} characters, wanted {REASON_CHARS_MIN} to {REASON_CHARS_MAX}")]
    ReasonLength {
        /// Characters given.
        found: usize,
    },
    /// The reason says nothing.
    #[error("the reason is a placeholder, wanted the reason for this very request in words")]
    ReasonHollow,
    /// The reason says one thing over and over.
    #[error("the reason repeats itself, wanted it once and in words")]
    ReasonRepeated,
    /// The reason says what other fields say already.
    #[error(
        "{found} words of the reason stand in no other field, wanted at least {REASON_WORDS_MIN} \
         that say what it is about"
    )]
    ReasonCopied {
        /// Words of its own.
        found: usize,
    },
    /// The reason holds a character that isn't text.
    #[error("the reason holds a control character, wanted text in lines")]
    ReasonControl,
    /// The reference says nothing.
    #[error("the reference is a placeholder, wanted a complaint number or another identifier")]
    ReferenceHollow,
    /// A complaint number that its agency would not have given.
    #[error(
        "complaint number '{found}' is not written as {agency} writes them, wanted {pattern} (9 is \
         a digit, A a letter, * any of both)"
    )]
    ReferencePattern {
        /// The number given.
        found: Text,
        /// The requester's agency.
        agency: Identifier,
        /// The agency's pattern.
        pattern: String,
    },
    /// The requester isn't somebody.
    #[error(
        "the requester's name is a placeholder or a title alone, wanted the name of the detective \
         or officer who asks"
    )]
    RequesterHollow,
    /// The requester's badge isn't one.
    #[error("the requester's badge is a placeholder, wanted the number that the agency gave")]
    BadgeHollow,
    /// The other purpose isn't named.
    #[error(
        "the purpose is a placeholder, wanted which purpose for which mugshots are lawfully \
         examined by eye"
    )]
    PurposeHollow,
    /// Nobody answers for the other purpose.
    #[error(
        "the supervisor's name or badge is a placeholder or a title alone, wanted who answers for \
         this purpose"
    )]
    SupervisorHollow,
    /// The requester answers for the other purpose.
    #[error("the supervisor is the requester, wanted somebody else who answers for this purpose")]
    SupervisorIsRequester,
    /// The court order can't be found by what is said of it.
    #[error(
        "the court order's {found} is a placeholder, wanted the court and the order's number as \
         they stand on the order"
    )]
    CourtOrderHollow {
        /// Court or number.
        found: &'static str,
    },
    /// The court order doesn't exist yet.
    #[error("the court order is of {date}, wanted a date not after {today}")]
    CourtOrderAhead {
        /// The date given.
        date: Date,
        /// The day of the request.
        today: Date,
    },
    /// The probe's source says nothing.
    #[error(
        "the probe's source is a placeholder or only repeats, wanted where the photo came from"
    )]
    SourceHollow,
    /// The probe's source is the reference.
    #[error("the probe's source is the reference, wanted where the photo came from")]
    SourceCopied,
    /// A statement isn't attested.
    #[error("it is not attested that {statement}, and without that nothing is searched")]
    NotAttested {
        /// The statement.
        statement: &'static str,
    },
    /// The number of candidates is out of bounds.
    #[error("{found} candidates asked for, wanted 1 to {CANDIDATES_MAX}")]
    Candidates {
        /// Number given.
        found: usize,
    },
    /// More candidates than two people can look at with care.
    #[error(
        "{found} candidates asked for, wanted 1 to {REVIEWED_CANDIDATES_MAX}: two examiners look \
         at each of them"
    )]
    CandidatesReviewed {
        /// Number given.
        found: usize,
    },
    /// A pattern of complaint numbers is malformed.
    #[error(
        "a pattern of numbers is 1 to {NUMBER_PATTERN_CHARS_MAX} printable ASCII characters, at \
         least one 9 and at most one * among them"
    )]
    Pattern,
}

impl InquiryError {
    /// The rule by which the request is refused.
    pub fn rule(&self) -> Rule {
        match self {
            Self::ReasonLength { .. } => Rule::ReasonLength,
            Self::ReasonHollow
            | Self::ReasonRepeated
            | Self::ReasonCopied { .. }
            | Self::ReasonControl => Rule::ReasonHollow,
            Self::ReferenceHollow => Rule::ReferenceHollow,
            Self::ReferencePattern { .. } => Rule::ReferencePattern,
            Self::RequesterHollow | Self::BadgeHollow => Rule::RequesterHollow,
            Self::PurposeHollow => Rule::PurposeHollow,
            Self::SupervisorHollow | Self::SupervisorIsRequester => Rule::SupervisorHollow,
            Self::CourtOrderHollow { .. } | Self::CourtOrderAhead { .. } => Rule::CourtOrderHollow,
            Self::SourceHollow | Self::SourceCopied => Rule::SourceHollow,
            Self::NotAttested { .. } => Rule::NotAttested,
            Self::Candidates { .. } | Self::CandidatesReviewed { .. } => Rule::CandidatesNumber,
            Self::Pattern => Rule::Malformed,
        }
    }

    /// The field of a `Request` that is refused, as a path of JSON names; none where the fault
    /// isn't in a request.
    pub fn field(&self) -> Option<&'static str> {
        Some(match self {
            Self::ReasonLength { .. }
            | Self::ReasonHollow
            | Self::ReasonRepeated
            | Self::ReasonCopied { .. }
            | Self::ReasonControl => "reason",
            Self::ReferenceHollow | Self::ReferencePattern { .. } => "reference.number",
            Self::RequesterHollow => "requester.name",
            Self::BadgeHollow => "requester.badge",
            Self::PurposeHollow => "purpose.description",
            Self::SupervisorHollow | Self::SupervisorIsRequester => "purpose.supervisor",
            Self::CourtOrderHollow { found: "court" } => "purpose.court",
            Self::CourtOrderHollow { .. } => "purpose.number",
            Self::CourtOrderAhead { .. } => "purpose.date",
            Self::SourceHollow | Self::SourceCopied => "probe_source",
            Self::NotAttested { .. } => "attestations",
            Self::Candidates { .. } | Self::CandidatesReviewed { .. } => "candidates",
            Self::Pattern => return None,
        })
    }
}
