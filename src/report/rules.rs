//! The rule that refused, by the words in which the refusal was told: reasons are sentences with what was found in them, and what was found
//! may name somebody.

/// Words that a reason holds, and its rule. The first that fits counts.
const RULES: [(&str, &str); 33] = [
    // Callers
    ("is not in the roster", "not_in_roster"),
    ("is not active", "agency_not_active"),
    (" may not ", "not_this_role"),
    // Inquiries
    ("the reason has", "reason_length"),
    ("the reason is a placeholder", "reason_hollow"),
    ("the reference is a placeholder", "reference_hollow"),
    ("candidates asked for", "candidates_number"),
    ("this box has no plain search door", "no_plain_search"),
    // Bookings
    ("booking number released", "number_released"),
    ("of that name is yours", "not_theirs"),
    ("the booking does not open any more", "booking_damaged"),
    ("is not suppressed", "not_suppressed"),
    // Photos
    ("no face found", "no_face"),
    ("faces found, wanted one face", "several_faces"),
    ("was chosen of", "no_such_face"),
    ("the eyes are", "face_too_small"),
    ("found with confidence", "face_unclear"),
    ("smallest accepted is", "photo_too_small"),
    ("bytes of memory", "photo_too_large"),
    ("most accepted", "photo_too_large"),
    ("file ends after", "photo_damaged"),
    ("photo is damaged", "photo_damaged"),
    ("is no embedding", "photo_unusable"),
    ("examining the photo panicked", "photo_unusable"),
    ("photo has", "photo_kind"),
    ("the file begins with", "photo_kind"),
    // The model
    ("the model is not switched", "model_not_switched"),
    ("no switch of the model", "model_not_switched"),
    // Log-ons
    ("locked", "locked_out"),
    ("signature", "wrong_signature"),
    ("session", "no_session"),
    ("credential", "unknown_credential"),
    ("person", "unknown_person"),
];
/// A reason that no rule's words fit.
const OTHER: &str = "other";
/// An agency that a request named and the roster didn't.
const AGENCY_NOT_LISTED: &str = "agency_not_listed";
/// A refusal that was gathered with others, and whose own reason wasn't kept.
pub(super) const GATHERED: &str = "reason_not_kept";
/// Purpose and agency of such a search.
pub(super) const NOT_STATED: &str = "not_stated";
/// Rule, purpose and agency of a leaf whose detail wasn't open to whoever counted.
pub(super) const NOT_OPENED: &str = "not_opened";
/// The agency of a request that was refused before it was looked up: what was typed may be anything, a person's name included.
pub(super) const NOT_LISTED: &str = "not_listed";

/// The name of the rule by which somebody was refused something.
pub fn rule_of(reason: &str) -> &'static str {
    if reason.starts_with("agency '") && reason.ends_with("is not in the roster") {
        return AGENCY_NOT_LISTED;
    }
    RULES.iter().find(|(words, _)| reason.contains(words)).map_or(OTHER, |(_, rule)| rule)
}

/// What stands for the agency of searches that were refused by this rule; none where it is the agency that the request named.
pub(super) fn agency_of(rule: &str) -> Option<&'static str> {
    match rule {
        AGENCY_NOT_LISTED | "no_plain_search" | "not_in_roster" | "not_this_role" | OTHER => Some(NOT_LISTED),
        GATHERED => Some(NOT_STATED),
        NOT_OPENED => Some(NOT_OPENED),
        _ => None,
    }
}

/// What stands for an agency, where this is no agency's name.
pub(super) fn label_of(agency: &str) -> Option<&'static str> {
    [NOT_LISTED, NOT_STATED, NOT_OPENED].into_iter().find(|&label| label == agency)
}

/// Whether a count under this name says nothing of any search but that it was counted; then it is shown however small it is.
pub(super) fn says_nothing(name: &str) -> bool {
    [GATHERED, NOT_STATED, NOT_OPENED].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::Identifier;
    use crate::inquiry::InquiryError;
    use crate::roster::RosterError;

    #[test]
    fn every_reason_of_rosters_and_inquiries_has_its_rule_whatever_was_found() {
        let agency = || Identifier::parse("slmpd").unwrap();
        let name = || "smrt:device/person-session".to_owned();
        for (reason, rule) in [
            (RosterError::Unknown { name: name() }.to_string(), "not_in_roster"),
            (RosterError::Inactive { agency: agency(), reason: "its agreement has ended" }.to_string(), "agency_not_active"),
            (RosterError::WrongRole { name: name(), verb: "search", wanted: "a console" }.to_string(), "not_this_role"),
            (RosterError::UnknownAgency { agency: agency() }.to_string(), "agency_not_listed"),
            (InquiryError::ReasonLength { found: 3 }.to_string(), "reason_length"),
            (InquiryError::ReasonHollow.to_string(), "reason_hollow"),
            (InquiryError::ReferenceHollow.to_string(), "reference_hollow"),
            (InquiryError::Candidates { found: 0 }.to_string(), "candidates_number"),
            ("something that nobody has written yet".to_owned(), "other"),
        ] {
            assert_eq!(rule_of(&reason), rule, "{reason}");
        }
    }

    #[test]
    fn an_agency_that_was_only_typed_is_not_published() {
        assert!(["reason_hollow", "no_face", "agency_not_active"].into_iter().all(|rule| agency_of(rule).is_none()));
        assert!(["agency_not_listed", "no_plain_search", "other"].into_iter().all(|rule| agency_of(rule) == Some(NOT_LISTED)));
    }
}
