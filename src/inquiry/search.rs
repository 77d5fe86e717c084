//! The request of a single search that no inquiry stands behind yet.

use serde::{Deserialize, Serialize};

use super::hollow::{numbers_nothing, says_nothing};
use super::request::{InquiryError, Purpose, Reference};
use crate::booking::{Identifier, Text};
use crate::limits::{CANDIDATES_DEFAULT, CANDIDATES_MAX, REASON_CHARS_MAX, REASON_CHARS_MIN};

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

impl SearchRequest {
    /// Checks what the types alone can't: a reason in words, a reference that says something, a number within bounds.
    pub fn check(&self) -> Result<(), InquiryError> {
        let chars = self.reason.trim().chars().count();
        if !(REASON_CHARS_MIN..=REASON_CHARS_MAX).contains(&chars) {
            return Err(InquiryError::ReasonLength { found: chars });
        }
        if says_nothing(&self.reason) || self.reason.split_whitespace().count() < 3 {
            return Err(InquiryError::ReasonHollow);
        }
        if numbers_nothing(self.reference.number().as_str()) {
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
    fn the_number_of_candidates_is_bounded() {
        let mut wrong = request();
        for found in [0, CANDIDATES_MAX + 1] {
            wrong.candidates = found;
            assert_eq!(wrong.check(), Err(InquiryError::Candidates { found }));
        }
    }
}
