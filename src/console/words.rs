//! Words for nouns of the house on pages.

use crate::audit::{Alarm, Finding};
use crate::inquiry::{Disposition, Purpose, Upshot};
use crate::roster::Role;

/// A role without its article, for lists.
pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Operator => "Operator",
        Role::Examiner => "Examiner",
        Role::OperatorExaminer => "Operator and examiner",
        Role::Administrator => "Administrator",
        Role::Commander => "Commander",
        Role::Auditor => "Auditor",
    }
}

/// A role's name in JSON.
pub(super) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Operator => "operator",
        Role::Examiner => "examiner",
        Role::OperatorExaminer => "operator_examiner",
        Role::Administrator => "administrator",
        Role::Commander => "commander",
        Role::Auditor => "auditor",
    }
}

/// The closed list of purposes, by their names in JSON.
pub(super) const PURPOSES: [&str; 7] = [
    "crime",
    "law_violation",
    "terrorism",
    "missing_or_endangered",
    "identity_verification",
    "other",
    "court_order",
];

/// A purpose by its name in JSON, as the order words it.
pub(super) fn purpose_words(kind: &str) -> &'static str {
    match kind {
        "crime" => "Investigation, detection or analysis of crime",
        "law_violation" => "Violation of state or federal criminal or other public safety law",
        "terrorism" => "Operation of terrorists",
        "missing_or_endangered" => "Missing or endangered person",
        "identity_verification" => "Verification of who somebody is in a public safety situation",
        "court_order" => "Final court order that requires or authorises it",
        _ => "Another purpose for which mugshots are lawfully examined by eye",
    }
}

/// A purpose in a word or two, for lists.
pub(super) fn purpose_short(of: &Purpose) -> &'static str {
    match of {
        Purpose::Crime => "Crime",
        Purpose::LawViolation => "Violation of law",
        Purpose::Terrorism => "Terrorism",
        Purpose::MissingOrEndangered => "Missing or endangered",
        Purpose::IdentityVerification => "Who somebody is",
        Purpose::Other { .. } => "Other",
        Purpose::CourtOrder { .. } => "Court order",
    }
}

/// An alarm, for its heading.
pub(super) fn alarm_words(alarm: Alarm) -> &'static str {
    match alarm {
        Alarm::Unwitnessed => "Not witnessed in time",
        Alarm::LogInDoubt => "The log is in doubt",
        Alarm::ClockBehind => "The clock is behind",
        Alarm::ClockAhead => "The clock went ahead",
        Alarm::DiskLow => "The disk is almost full",
        Alarm::NoWitnesses => "No witness is listed",
        Alarm::AuditOverdue => "An audit is overdue",
    }
}

/// What to do about an alarm.
pub(super) fn alarm_remedy(alarm: Alarm) -> &'static str {
    match alarm {
        Alarm::Unwitnessed => {
            "ask the witnesses whether they reach the box; each of them logs why it doesn't cosign."
        }
        Alarm::LogInDoubt => {
            "call the installer and keep what the witness showed; nothing is written until a \
             restore."
        }
        Alarm::ClockBehind => {
            "have the installer correct the clock; no search runs until it is past the newest \
             entry of the log."
        }
        Alarm::ClockAhead => {
            "compare the clock with the site's time source, and confirm it or have it corrected."
        }
        Alarm::DiskLow => "make room or add a disk; changes are refused before the disk is full.",
        Alarm::NoWitnesses => {
            "list witnesses and their quorum in the roster; without one, nobody outside holds the \
             log."
        }
        Alarm::AuditOverdue => {
            "remind the auditors: a sample is to be drawn, reviews of one are open, or nobody went \
             through the log for a week."
        }
    }
}

/// What an auditor found, for lists.
pub(super) fn finding_words(finding: Finding) -> &'static str {
    match finding {
        Finding::InOrder => "In order",
        Finding::Irregular => "Irregular, to be put right",
        Finding::Misuse => "Misuse",
    }
}

/// What may become of a report, by its name in JSON.
pub(super) const UPSHOTS: [(Upshot, &str); 7] = [
    (Upshot::NoLead, "no_lead"),
    (Upshot::NoLeadFollowed, "no_lead_followed"),
    (Upshot::LeadEliminated, "lead_eliminated"),
    (Upshot::NoArrest, "no_arrest"),
    (Upshot::ArrestOnIndependentEvidence, "arrest_on_independent_evidence"),
    (Upshot::PositiveIdentification, "positive_identification"),
    (Upshot::PersonFound, "person_found"),
];

/// How an examiner's look at a candidate may end, by its name in JSON.
pub(super) const DISPOSITIONS: [(Disposition, &str); 3] = [
    (Disposition::Lead, "lead"),
    (Disposition::NoLead, "no_lead"),
    (Disposition::Inconclusive, "inconclusive"),
];
