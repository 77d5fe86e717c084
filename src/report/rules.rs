//! The rule that refused, by the words in which the refusal was told: reasons are sentences with
//! what was found in them, and what was found may name somebody.

/// Words that a reason holds, and its rule. The first that fits counts.
const RULES: [(&str, &str); 117] = [
    // Callers
    ("is not in the roster", "not_in_roster"),
    ("is not active", "agency_not_active"),
    (" may not ", "not_this_role"),
    ("the training ended on", "untrained"),
    ("nobody decides on an account", "own_account"),
    // Inquiries
    ("the reason has", "reason_length"),
    ("the reason is a placeholder", "reason_hollow"),
    ("the reason repeats itself", "reason_hollow"),
    ("of the reason stand in no other field", "reason_hollow"),
    ("the reason holds a control character", "reason_hollow"),
    ("the reference is a placeholder", "reference_hollow"),
    ("is not written as", "reference_pattern"),
    ("the requester's name is", "requester_hollow"),
    ("the requester's badge is a placeholder", "requester_hollow"),
    ("nobody runs their own request", "operator_is_requester"),
    ("the purpose is a placeholder", "purpose_hollow"),
    ("the supervisor's name is", "supervisor_hollow"),
    ("the supervisor is the requester", "supervisor_hollow"),
    ("the court order", "court_order_hollow"),
    ("the probe's source is", "source_hollow"),
    ("it is not attested that", "not_attested"),
    ("candidates asked for", "candidates_number"),
    ("the field ", "field_hollow"),
    ("this box has no plain search door", "no_plain_search"),
    // Steps of an inquiry
    ("decided on revision", "changed_meanwhile"),
    ("did not open this inquiry", "not_theirs"),
    ("does not hold this review", "not_theirs"),
    ("has no part in this inquiry", "not_theirs"),
    ("can't be the second", "not_independent"),
    ("the probe has", "probe_size"),
    ("the face falls short", "poor_probe"),
    ("candidates have no disposition", "candidate_skipped"),
    ("a feature is named twice", "finding_unfounded"),
    ("a lead without a similarity", "finding_unfounded"),
    ("no lead without a difference", "finding_unfounded"),
    ("inconclusive without a word", "finding_unfounded"),
    ("is no candidate of this inquiry", "wrong_candidate"),
    ("was released by its agency", "wrong_candidate"),
    ("has its disposition and keeps it", "wrong_candidate"),
    ("who received the report is", "outcome_hollow"),
    ("I/Leads number", "outcome_hollow"),
    ("nobody who received the report", "outcome_hollow"),
    ("an outcome without", "outcome_hollow"),
    ("no probe was received", "out_of_turn"),
    ("no face is chosen", "out_of_turn"),
    ("a search was asked for with the probe", "out_of_turn"),
    ("a search is under way", "out_of_turn"),
    ("no search is under way", "out_of_turn"),
    ("the search was answered", "out_of_turn"),
    ("the search is not answered", "out_of_turn"),
    ("searches of this inquiry were interrupted", "out_of_turn"),
    ("the first review is", "out_of_turn"),
    ("the second review is", "out_of_turn"),
    ("nobody holds a review", "out_of_turn"),
    ("the inquiry is ", "out_of_turn"),
    ("the report is issued", "out_of_turn"),
    ("no report is issued", "out_of_turn"),
    ("the report changed hands", "out_of_turn"),
    ("is not shown to you now", "not_shown"),
    ("one is at work already", "one_at_a_time"),
    ("the last search was less than", "too_fast"),
    ("are made by one operator", "too_many"),
    // Uploads of probes
    ("an upload of", "probe_size"),
    ("this upload was begun", "upload_torn"),
    ("the piece ", "upload_torn"),
    ("bytes have been received of", "upload_torn"),
    ("what was received has SHA-256", "upload_torn"),
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
    // Accounts and log-ons
    ("the account is locked", "locked_out"),
    ("the account is off", "account_off"),
    ("a temporary account lasts", "account_terms"),
    ("is the name of another account", "name_taken"),
    ("the person has the account", "second_account"),
    ("an account needs a security key", "no_key"),
    ("a key of software is taken", "key_of_software"),
    ("the security key is another person's", "key_taken"),
    ("the code is not the one", "wrong_code"),
    ("no person of that name has an account", "unknown_person"),
    ("no session", "no_session"),
    // Touches
    ("no touch was asked for", "wrong_challenge"),
    ("the touch came too late", "wrong_challenge"),
    ("the touch was asked for something else", "wrong_challenge"),
    ("the touch is for another request", "wrong_challenge"),
    ("the touch is by another security key", "wrong_key"),
    ("the signature is not by", "wrong_signature"),
    ("says that nobody touched it", "not_present"),
    ("did not verify its user", "not_verified"),
    ("the security key's counter is", "counter_back"),
    ("can be copied", "key_can_be_copied"),
    ("to be backed up", "key_can_be_copied"),
    ("the touch was asked for by", "wrong_page"),
    ("answered for another name than ours", "wrong_page"),
    ("the client data", "malformed_touch"),
    ("authenticator data", "malformed_touch"),
    ("the attestation object", "malformed_touch"),
    ("the credential's id has", "malformed_touch"),
    ("the security key's algorithm", "malformed_touch"),
    ("the security key's public key", "malformed_touch"),
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
/// The agency of a request that was refused before it was looked up: what was typed may be
/// anything, a person's name included.
pub(super) const NOT_LISTED: &str = "not_listed";

/// The name of the rule by which somebody was refused something.
pub fn rule_of(reason: &str) -> &'static str {
    if reason.starts_with("agency '") && reason.ends_with("is not in the roster") {
        return AGENCY_NOT_LISTED;
    }
    RULES.iter().find(|(words, _)| reason.contains(words)).map_or(OTHER, |(_, rule)| rule)
}

/// What stands for the agency of searches that were refused by this rule; none where it is the
/// agency that the request named.
pub(super) fn agency_of(rule: &str) -> Option<&'static str> {
    match rule {
        AGENCY_NOT_LISTED | "no_plain_search" | "not_in_roster" | "not_this_role" | "untrained"
        | OTHER => Some(NOT_LISTED),
        GATHERED => Some(NOT_STATED),
        NOT_OPENED => Some(NOT_OPENED),
        _ => None,
    }
}

/// What stands for an agency, where this is no agency's name.
pub(super) fn label_of(agency: &str) -> Option<&'static str> {
    [NOT_LISTED, NOT_STATED, NOT_OPENED].into_iter().find(|&label| label == agency)
}

/// Whether a count under this name says nothing of any search but that it was counted; then it is
/// shown however small it is.
pub(super) fn says_nothing(name: &str) -> bool {
    [GATHERED, NOT_STATED, NOT_OPENED].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::touch::TouchError;
    use crate::booking::Identifier;
    use crate::inquiry::{ActionError, InquiryError, Stage};
    use crate::roster::{OffReason, PersonError, RosterError};
    use time::macros::date;

    #[test]
    fn every_reason_of_rosters_and_inquiries_has_its_rule_whatever_was_found() {
        let agency = || Identifier::parse("slmpd").unwrap();
        let name = || "smrt:device/person-session".to_owned();
        for (reason, rule) in [
            (RosterError::Unknown { name: name() }.to_string(), "not_in_roster"),
            (
                RosterError::Inactive { agency: agency(), reason: "its agreement has ended" }
                    .to_string(),
                "agency_not_active",
            ),
            (
                RosterError::WrongRole { name: name(), verb: "search", wanted: "a console" }
                    .to_string(),
                "not_this_role",
            ),
            (RosterError::UnknownAgency { agency: agency() }.to_string(), "agency_not_listed"),
            (InquiryError::ReasonLength { found: 3 }.to_string(), "reason_length"),
            (InquiryError::ReasonHollow.to_string(), "reason_hollow"),
            (InquiryError::ReasonRepeated.to_string(), "reason_hollow"),
            (InquiryError::ReasonCopied { found: 1 }.to_string(), "reason_hollow"),
            (InquiryError::ReasonControl.to_string(), "reason_hollow"),
            (InquiryError::ReferenceHollow.to_string(), "reference_hollow"),
            (InquiryError::RequesterHollow.to_string(), "requester_hollow"),
            (InquiryError::BadgeHollow.to_string(), "requester_hollow"),
            (InquiryError::PurposeHollow.to_string(), "purpose_hollow"),
            (InquiryError::SupervisorHollow.to_string(), "supervisor_hollow"),
            (InquiryError::SupervisorIsRequester.to_string(), "supervisor_hollow"),
            (InquiryError::CourtOrderHollow { found: "court" }.to_string(), "court_order_hollow"),
            (
                InquiryError::CourtOrderAhead {
                    date: date!(2027 - 01 - 01),
                    today: date!(2026 - 01 - 01),
                }
                .to_string(),
                "court_order_hollow",
            ),
            (InquiryError::SourceHollow.to_string(), "source_hollow"),
            (InquiryError::SourceCopied.to_string(), "source_hollow"),
            (
                InquiryError::NotAttested { statement: "the probe shows the person sought" }
                    .to_string(),
                "not_attested",
            ),
            (InquiryError::CandidatesReviewed { found: 51 }.to_string(), "candidates_number"),
            (InquiryError::Candidates { found: 0 }.to_string(), "candidates_number"),
            ("something that nobody has written yet".to_owned(), "other"),
        ] {
            assert_eq!(rule_of(&reason), rule, "{reason}");
        }
    }

    #[test]
    fn every_reason_of_people_touches_and_steps_has_its_rule() {
        let id = || Identifier::parse("diaz").unwrap();
        let version = || crate::booking::VersionId([7; 16]);
        let person = [
            (PersonError::Locked, "locked_out"),
            (PersonError::Off { why: OffReason::Unused.words() }, "account_off"),
            (
                PersonError::WrongRole {
                    role: "an auditor",
                    verb: "search",
                    wanted: "an operator",
                },
                "not_this_role",
            ),
            (PersonError::Untrained { until: date!(2026 - 01 - 31) }, "untrained"),
            (PersonError::SamePerson, "own_account"),
            (PersonError::TooLong, "account_terms"),
            (PersonError::NameTaken { id: id() }, "name_taken"),
        ];
        let touch = [
            (TouchError::Credential, "wrong_key"),
            (
                TouchError::Type { found: "payment.get".to_owned(), wanted: "webauthn.get" },
                "malformed_touch",
            ),
            (TouchError::Challenge, "wrong_challenge"),
            (
                TouchError::Origin {
                    found: "https://a.example".to_owned(),
                    wanted: "https://b.example".to_owned(),
                },
                "wrong_page",
            ),
            (TouchError::CrossOrigin, "wrong_page"),
            (TouchError::TokenBinding, "malformed_touch"),
            (TouchError::RelyingPartyId, "wrong_page"),
            (TouchError::NotPresent, "not_present"),
            (TouchError::NotVerified, "not_verified"),
            (TouchError::BackupEligible, "key_can_be_copied"),
            (TouchError::BackedUp, "key_can_be_copied"),
            (TouchError::ReservedFlags { found: 2 }, "malformed_touch"),
            (TouchError::AttestedInTouch, "malformed_touch"),
            (TouchError::NotAttested, "malformed_touch"),
            (TouchError::Signature, "wrong_signature"),
            (TouchError::Counter { found: 1, kept: 2 }, "counter_back"),
        ];
        let step = [
            (ActionError::Hollow { field: "reason" }, "field_hollow"),
            (ActionError::Changed { found: 1, wanted: 2 }, "changed_meanwhile"),
            (ActionError::Ended { stage: Stage::Withdrawn }, "out_of_turn"),
            (ActionError::MayNotOperate { found: id() }, "not_this_role"),
            (ActionError::MayNotExamine { found: id() }, "not_this_role"),
            (ActionError::OperatorIsRequester, "operator_is_requester"),
            (ActionError::NotTheOperator { found: id(), wanted: id() }, "not_theirs"),
            (ActionError::NotTheExaminer { found: id(), wanted: id() }, "not_theirs"),
            (ActionError::SecondIsOperator, "not_independent"),
            (ActionError::SecondIsRequester, "not_independent"),
            (ActionError::SecondIsFirst, "not_independent"),
            (ActionError::NoPartInIt { found: id() }, "not_theirs"),
            (ActionError::ProbeSize { bytes: 0, faces: 0 }, "probe_size"),
            (ActionError::ProbeSearched, "out_of_turn"),
            (ActionError::NoProbe, "out_of_turn"),
            (ActionError::NoSuchFace { found: 2, faces: 1 }, "no_such_face"),
            (ActionError::PoorProbe { shortfalls: "sharpness".to_owned() }, "poor_probe"),
            (ActionError::NoFace, "out_of_turn"),
            (ActionError::SearchUnderWay, "out_of_turn"),
            (ActionError::AlreadyAnswered, "out_of_turn"),
            (ActionError::TooManySearches, "out_of_turn"),
            (ActionError::NotAnswered, "out_of_turn"),
            (ActionError::FirstClaimed { by: id() }, "out_of_turn"),
            (ActionError::FirstUnfinished, "out_of_turn"),
            (ActionError::SecondClaimed { by: id() }, "out_of_turn"),
            (ActionError::NoReviewUnderWay, "out_of_turn"),
            (ActionError::NotACandidate { found: version() }, "wrong_candidate"),
            (ActionError::CandidateReleased { found: version() }, "wrong_candidate"),
            (ActionError::AlreadyDispositioned { found: version() }, "wrong_candidate"),
            (ActionError::FeatureTwice, "finding_unfounded"),
            (ActionError::LeadUnfounded, "finding_unfounded"),
            (ActionError::NoLeadUnfounded, "finding_unfounded"),
            (ActionError::InconclusiveUnfounded, "finding_unfounded"),
            (ActionError::CandidatesSkipped { left: 2 }, "candidate_skipped"),
            (ActionError::NotReviewed { stage: Stage::Answered }, "out_of_turn"),
            (ActionError::AlreadyIssued, "out_of_turn"),
            (ActionError::NotIssued, "out_of_turn"),
            (ActionError::ReceiverHollow, "outcome_hollow"),
            (ActionError::ChainTooLong, "out_of_turn"),
            (ActionError::LeadsNumberMissing, "outcome_hollow"),
            (ActionError::LeadsNumberHollow, "outcome_hollow"),
            (ActionError::EvidenceUnmarked, "outcome_hollow"),
            (ActionError::EvidenceUnsaid, "outcome_hollow"),
        ];
        let told = person.map(|(e, rule)| (e.to_string(), rule)).into_iter();
        let told = told
            .chain(touch.map(|(e, rule)| (e.to_string(), rule)))
            .chain(step.map(|(e, rule)| (e.to_string(), rule)));
        for (reason, rule) in told {
            assert_eq!(rule_of(&reason), rule, "{reason}");
        }
    }

    #[test]
    fn an_agency_that_was_only_typed_is_not_published() {
        assert!(
            ["reason_hollow", "no_face", "agency_not_active"]
                .into_iter()
                .all(|rule| agency_of(rule).is_none())
        );
        assert!(
            ["agency_not_listed", "no_plain_search", "other"].into_iter().all(|rule| agency_of(
                rule
            ) == Some(
                NOT_LISTED
            ))
        );
    }
}
