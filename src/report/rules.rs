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
pub(super) const OTHER: &str = "other";
/// An agency that a request named and the roster didn't.
const NOT_LISTED: &str = "agency_not_listed";

/// The name of the rule by which somebody was refused something.
pub fn rule_of(reason: &str) -> &'static str {
    if reason.starts_with("agency '") && reason.ends_with("is not in the roster") {
        return NOT_LISTED;
    }
    RULES.iter().find(|(words, _)| reason.contains(words)).map_or(OTHER, |(_, rule)| rule)
}

/// Whether a search refused by this rule had named an agency that the roster knows.
pub(super) fn names_a_member(rule: &str) -> bool {
    const BEFORE: [&str; 5] = [NOT_LISTED, "no_plain_search", "not_in_roster", "not_this_role", OTHER];
    !BEFORE.contains(&rule)
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
        assert!(names_a_member("reason_hollow") && names_a_member("no_face") && names_a_member("agency_not_active"));
        assert!(!names_a_member("agency_not_listed") && !names_a_member("no_plain_search") && !names_a_member("other"));
    }
}
