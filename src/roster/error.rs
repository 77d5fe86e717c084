//! Errors of the roster: why a caller may not do what it asks for.

use crate::booking::Identifier;
use crate::rule::Rule;

/// Why an agency whose memorandum is over isn't active.
pub(super) const AGREEMENT_ENDED: &str = "its agreement has ended";

/// Why a caller may not do what it asks for.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RosterError {
    /// The certificate is good, but its name stands on no list.
    #[error("certificate name '{name}' is not in the roster")]
    Unknown {
        /// The certificate's name.
        name: String,
    },
    /// The agency's agreement isn't in force.
    #[error("agency '{agency}' is not active: {reason}")]
    Inactive {
        /// The agency.
        agency: Identifier,
        /// Why not.
        reason: &'static str,
    },
    /// The verb is another role's.
    #[error("'{name}' may not {verb}, that is for {wanted}")]
    WrongRole {
        /// The certificate's name.
        name: String,
        /// What it asked for.
        verb: &'static str,
        /// Who may.
        wanted: &'static str,
    },
    /// The agency that a request names stands on no list.
    #[error("agency '{agency}' is not in the roster")]
    UnknownAgency {
        /// The agency.
        agency: Identifier,
    },
    /// The roster itself is wrong.
    #[error("the roster is wrong: {what}")]
    Malformed {
        /// What was found and what was wanted.
        what: String,
    },
}

impl RosterError {
    /// The rule by which the caller is refused.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Unknown { .. } => Rule::NotInRoster,
            Self::Inactive { .. } => Rule::AgencyNotActive,
            Self::WrongRole { .. } => Rule::NotThisRole,
            Self::UnknownAgency { .. } => Rule::AgencyNotListed,
            Self::Malformed { .. } => Rule::Malformed,
        }
    }
}
