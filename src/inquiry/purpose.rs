//! The permitted purposes of a search (SO-B1, SO-B2): a closed list, each with its name, its words
//! and what it must state. Forms, pages, reports and figures take all of it from here.

use serde::{Deserialize, Serialize};
use time::Date;

use super::action::Participant;
use super::hollow::{bare, names_nobody, numbers_nothing, says_nothing};
use super::invalid::InquiryError;
use super::requester::Requester;
use crate::booking::{Identifier, Text};
use crate::named::named;

/// A purpose with what it states.
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
        /// The supervisor who answers for it: neither requester, operator nor examiner.
        #[schema(value_type = String, max_length = 200)]
        supervisor: Text,
        /// The supervisor's badge.
        #[schema(value_type = String, max_length = 200)]
        supervisor_badge: Text,
        /// The agency that employs the supervisor.
        #[schema(value_type = String, max_length = 32)]
        supervisor_agency: Identifier,
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

/// A purpose of the list, whatever it states; its words are the order's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PurposeKind {
    Crime,
    LawViolation,
    Terrorism,
    MissingOrEndangered,
    IdentityVerification,
    Other,
    CourtOrder,
}

/// A field that a purpose states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PurposeField {
    /// Its name in JSON.
    pub name: &'static str,
    pub label: &'static str,
    /// What must be so, where the label doesn't say it.
    pub hint: &'static str,
    /// Whether it is a date; else it is one line of text.
    pub is_date: bool,
}

named!(PurposeKind {
    Crime = "crime" "Investigation, detection or analysis of crime";
    LawViolation = "law_violation"
        "Violation of state or federal criminal or other public safety law";
    Terrorism = "terrorism" "Operation of terrorists";
    MissingOrEndangered = "missing_or_endangered" "Missing or endangered person";
    IdentityVerification = "identity_verification"
        "Verification of who somebody is in a public safety situation";
    Other = "other" "Another purpose for which mugshots are lawfully examined by eye";
    CourtOrder = "court_order" "Final court order that requires or authorises it";
});

impl PurposeKind {
    /// A word or two, for lists and tables.
    pub fn short(self) -> &'static str {
        match self {
            Self::Crime => "Crime",
            Self::LawViolation => "Violation of law",
            Self::Terrorism => "Terrorism",
            Self::MissingOrEndangered => "Missing or endangered person",
            Self::IdentityVerification => "Identity verification",
            Self::Other => "Other",
            Self::CourtOrder => "Court order",
        }
    }

    /// What it must state beside itself.
    pub fn fields(self) -> &'static [PurposeField] {
        const fn field(
            name: &'static str,
            label: &'static str,
            hint: &'static str,
        ) -> PurposeField {
            PurposeField { name, label, hint, is_date: false }
        }
        const OTHER: [PurposeField; 4] = [
            field("description", "Which purpose", ""),
            field(
                "supervisor",
                "Supervisor who answers for it",
                "Another person than the requester, the operator and the examiners.",
            ),
            field("supervisor_badge", "Badge of the supervisor", ""),
            field(
                "supervisor_agency",
                "Agency of the supervisor",
                "Its short name in the roster, for example slmpd.",
            ),
        ];
        const COURT_ORDER: [PurposeField; 3] = [
            field("court", "Court", ""),
            field("number", "Number of the order", ""),
            PurposeField {
                is_date: true,
                ..field("date", "Date of the order", "Not after today.")
            },
        ];
        match self {
            Self::Crime
            | Self::LawViolation
            | Self::Terrorism
            | Self::MissingOrEndangered
            | Self::IdentityVerification => &[],
            Self::Other => &OTHER,
            Self::CourtOrder => &COURT_ORDER,
        }
    }
}

impl Purpose {
    /// Which purpose of the list it is.
    pub fn kind(&self) -> PurposeKind {
        match self {
            Self::Crime => PurposeKind::Crime,
            Self::LawViolation => PurposeKind::LawViolation,
            Self::Terrorism => PurposeKind::Terrorism,
            Self::MissingOrEndangered => PurposeKind::MissingOrEndangered,
            Self::IdentityVerification => PurposeKind::IdentityVerification,
            Self::Other { .. } => PurposeKind::Other,
            Self::CourtOrder { .. } => PurposeKind::CourtOrder,
        }
    }

    /// The values of its kind's fields, in their order.
    pub fn values(&self) -> Vec<String> {
        match self {
            Self::Other { description, supervisor, supervisor_badge, supervisor_agency } => {
                let [description, supervisor] = [description, supervisor].map(Text::to_string);
                let (badge, agency) = (supervisor_badge.to_string(), supervisor_agency.to_string());
                vec![description, supervisor, badge, agency]
            }
            Self::CourtOrder { court, number, date } => {
                vec![court.to_string(), number.to_string(), date.to_string()]
            }
            _ => Vec::new(),
        }
    }

    /// What it states beside its kind, in words.
    pub fn stated(&self) -> Option<String> {
        match self {
            Self::Other { description, supervisor, supervisor_badge, supervisor_agency } => {
                Some(format!(
                    "{description}; {supervisor} ({supervisor_agency}, {supervisor_badge}) answers \
                     for it"
                ))
            }
            Self::CourtOrder { court, number, date } => Some(format!("{court}, {number}, {date}")),
            _ => None,
        }
    }

    /// The agency of the supervisor who answers for it, where one does.
    pub fn supervisors_agency(&self) -> Option<&Identifier> {
        match self {
            Self::Other { supervisor_agency, .. } => Some(supervisor_agency),
            _ => None,
        }
    }

    /// Whether this person answers for it.
    pub(super) fn is_answered_for_by(&self, person: &Participant) -> bool {
        matches!(self, Self::Other { supervisor_badge, supervisor_agency, .. }
            if person.bears(supervisor_badge, supervisor_agency))
    }

    /// Refuses a purpose that only looks like one.
    pub(super) fn check(&self, requester: &Requester, today: Date) -> Result<(), InquiryError> {
        match self {
            Self::Other { description, .. } if says_nothing(description.as_str()) => {
                Err(InquiryError::PurposeHollow)
            }
            Self::Other { supervisor, supervisor_badge, .. }
                if names_nobody(supervisor.as_str())
                    || numbers_nothing(supervisor_badge.as_str()) =>
            {
                Err(InquiryError::SupervisorHollow)
            }
            Self::Other { supervisor, supervisor_badge, supervisor_agency, .. }
                if bare(supervisor.as_str()) == bare(requester.name.as_str())
                    || *supervisor_agency == requester.agency
                        && bare(supervisor_badge.as_str()) == bare(requester.badge.as_str()) =>
            {
                Err(InquiryError::SupervisorIsRequester)
            }
            Self::CourtOrder { court, .. } if says_nothing(court.as_str()) => {
                Err(InquiryError::CourtOrderHollow { found: "court" })
            }
            Self::CourtOrder { number, .. } if numbers_nothing(number.as_str()) => {
                Err(InquiryError::CourtOrderHollow { found: "number" })
            }
            Self::CourtOrder { date, .. } if *date > today => {
                Err(InquiryError::CourtOrderAhead { date: *date, today })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purpose_is_read_by_its_kinds_name_and_fields() {
        for kind in PurposeKind::ALL {
            let mut json = serde_json::json!({ "kind": kind.name() });
            for field in kind.fields() {
                let value = match field.name {
                    "supervisor_agency" => "slmpd",
                    _ if field.is_date => "2026-01-31",
                    _ => "words of its own",
                };
                json[field.name] = value.into();
            }
            let purpose: Purpose = serde_json::from_value(json).unwrap();
            assert_eq!(purpose.kind(), kind);
            assert_eq!(purpose.values().len(), kind.fields().len());
            assert_eq!(purpose.stated().is_some(), !kind.fields().is_empty());
        }
    }

    #[test]
    fn no_two_purposes_share_a_name_or_words() {
        let words = PurposeKind::ALL.map(|kind| [kind.name(), kind.short(), kind.words()]);
        for (at, one) in words.iter().enumerate() {
            assert!(
                words[..at].iter().all(|other| (0..3).all(|of| one[of] != other[of])),
                "{one:?}"
            );
        }
    }
}
