//! What an inquiry needs before anything is searched: purpose, reference, requester, reason, probe source. Pure rules without I/O.

use serde::{Deserialize, Serialize};
use time::Date;

use crate::booking::{Identifier, Text};
use crate::limits::{CANDIDATES_DEFAULT, CANDIDATES_MAX, REASON_CHARS_MAX, REASON_CHARS_MIN};

/// What stands on every array, as the special order words it (SO-C4).
pub const NOTE: &str = "NOTE: Identity comparisons with SMRT are nonscientific and are intended for investigative lead purposes only. \
These investigative leads should not be used as the sole basis for any decision in the investigation. \
The intent of this SMRT analysis is only to illustrate facial similarities or differences between two subjects \u{2013} not to make a positive identification.";

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
    /// The reference says nothing.
    #[error("the reference is a placeholder, wanted a complaint number or another identifier")]
    ReferenceHollow,
    /// The number of candidates is out of bounds.
    #[error("{found} candidates asked for, wanted 1 to {CANDIDATES_MAX}")]
    Candidates {
        /// Number given.
        found: usize,
    },
}

/// What a search is asked for: one probe, one purpose, one reason, two named people's agencies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchRequest {
    /// The complaint number or another identifier.
    pub reference: Reference,
    /// The detective or officer who asks.
    #[schema(value_type = String, max_length = 200)]
    pub requester: Text,
    /// The agency that employs the requester.
    #[schema(value_type = String, max_length = 32)]
    pub agency: Identifier,
    /// What the search is for, from a closed list.
    pub purpose: Purpose,
    /// Why, in words.
    #[schema(max_length = 2000, min_length = 12)]
    pub reason: String,
    /// Where the probe photo came from.
    #[schema(value_type = String, max_length = 200)]
    pub probe_source: Text,
    /// Which face of the probe is meant, counted from 0 in the order of the answer to a probe with several faces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face: Option<usize>,
    /// How many candidates are wanted, 20 if not said.
    #[serde(default = "candidates_default")]
    #[schema(minimum = 1, maximum = 1000)]
    pub candidates: usize,
}

/// What ties an inquiry to a case (SO-C2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Reference {
    /// A complaint number.
    ComplaintNumber {
        /// The number.
        #[schema(value_type = String, max_length = 200)]
        number: Text,
    },
    /// Another identifier with its kind.
    Other {
        /// What kind of identifier it is.
        #[schema(value_type = String, max_length = 200)]
        description: Text,
        /// The identifier.
        #[schema(value_type = String, max_length = 200)]
        number: Text,
    },
}

/// The permitted purposes (SO-B1, SO-B2): a closed list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Purpose {
    /// Investigation, detection or analysis of crime.
    Crime,
    /// Investigation, detection or analysis of a violation of criminal or other public safety law.
    LawViolation,
    /// Investigation, detection or analysis of the operation of terrorists.
    Terrorism,
    /// Investigation, detection or analysis of missing or endangered persons.
    MissingOrEndangered,
    /// Identity verification of a person encountered in a public safety situation.
    IdentityVerification,
    /// Another purpose for which mugshots are lawfully examined by eye.
    Other {
        /// The purpose.
        #[schema(value_type = String, max_length = 200)]
        description: Text,
        /// The supervisor who answers for it.
        #[schema(value_type = String, max_length = 200)]
        supervisor: Text,
    },
    /// What a final court order requires or authorises.
    CourtOrder {
        /// The court.
        #[schema(value_type = String, max_length = 200)]
        court: Text,
        /// The order's number.
        #[schema(value_type = String, max_length = 200)]
        number: Text,
        /// The order's date, `YYYY-MM-DD`.
        #[serde(with = "crate::booking::iso_date")]
        #[schema(value_type = String, format = Date)]
        date: Date,
    },
}

impl SearchRequest {
    /// Checks what the types alone can't: a reason in words, a reference that says something, a number within bounds.
    pub fn check(&self) -> Result<(), InquiryError> {
        let chars = self.reason.trim().chars().count();
        if !(REASON_CHARS_MIN..=REASON_CHARS_MAX).contains(&chars) {
            return Err(InquiryError::ReasonLength { found: chars });
        }
        if hollow(&self.reason) || self.reason.split_whitespace().count() < 3 {
            return Err(InquiryError::ReasonHollow);
        }
        let (Reference::ComplaintNumber { number } | Reference::Other { number, .. }) = &self.reference;
        if hollow(number.as_str()) || !number.as_str().chars().any(|c| c.is_ascii_digit()) {
            return Err(InquiryError::ReferenceHollow);
        }
        if !(1..=CANDIDATES_MAX).contains(&self.candidates) {
            return Err(InquiryError::Candidates { found: self.candidates });
        }
        Ok(())
    }
}

fn candidates_default() -> usize {
    CANDIDATES_DEFAULT
}

/// Whether words stand there only because a field wanted some: one character over and over, or a known placeholder.
fn hollow(words: &str) -> bool {
    const PLACEHOLDERS: [&str; 14] =
        ["na", "none", "test", "testing", "tbd", "unknown", "asdf", "xxx", "investigation", "case", "reason", "seeabove", "00000", "12345"];
    let bare: String = words.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let mut seen: Vec<char> = bare.chars().collect();
    seen.sort_unstable();
    seen.dedup();
    seen.len() < 2 || PLACEHOLDERS.contains(&bare.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> SearchRequest {
        serde_json::from_value(serde_json::json!({
            "reference": {"kind": "complaint_number", "number": "26-004711"},
            "requester": "Det. A. Ortiz",
            "agency": "slmpd",
            "purpose": {"kind": "crime"},
            "reason": "robbery at Grand and Gravois, suspect on store camera",
            "probe_source": "store camera, exported still",
        }))
        .unwrap()
    }

    #[test]
    fn a_full_request_passes_and_asks_for_twenty_candidates() {
        let request = request();
        assert_eq!(request.check(), Ok(()));
        assert_eq!(request.candidates, 20);
    }

    #[test]
    fn hollow_reasons_and_references_are_refused() {
        for reason in ["", "robbery", "aaaaaaaaaaaaaaaaaaaa", "............. .. .", "investigation", "test test"] {
            let mut wrong = request();
            wrong.reason = reason.to_owned();
            assert!(wrong.check().is_err(), "{reason}");
        }
        for number in ["n/a", "unknown", "0000000", "-", "abc"] {
            let mut wrong = request();
            wrong.reference = Reference::ComplaintNumber { number: Text::parse(number).unwrap() };
            assert_eq!(wrong.check(), Err(InquiryError::ReferenceHollow), "{number}");
        }
    }

    #[test]
    fn purposes_off_the_list_or_short_of_their_particulars_do_not_parse() {
        for wrong in [
            r#"{"kind":"curiosity"}"#,
            r#"{"kind":"other","description":"line-up"}"#,
            r#"{"kind":"court_order","court":"22nd Circuit","number":"77"}"#,
            r#"{"kind":"court_order","court":"22nd Circuit","number":"77","date":"soon"}"#,
        ] {
            assert!(serde_json::from_str::<Purpose>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_number_of_candidates_is_bounded() {
        let mut wrong = request();
        for found in [0, CANDIDATES_MAX + 1] {
            wrong.candidates = found;
            assert_eq!(wrong.check(), Err(InquiryError::Candidates { found }));
        }
    }
}
