//! People: who may do what, and why not. Pure: time is given.
//!
//! A person holds one role; operator and examiner together are one, the only pair.

use serde::{Deserialize, Serialize};
use time::Date;

use crate::booking::{Identifier, Text, iso_date};
use crate::calendar::Time;
use crate::limits::{LOG_ON_TRIES_MAX, PERSON_ID_REUSE_DAYS, TEMPORARY_HOURS_MAX};
use crate::named::named;
use crate::rule::Rule;

/// What a person is to the site: one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Opens inquiries and searches.
    Operator,
    /// Compares candidates.
    Examiner,
    /// Opens inquiries, searches, and compares candidates.
    OperatorExaminer,
    /// Keeps the roster and decides what the policy leaves to the System Administrator.
    Administrator,
    /// Appoints, approves and publishes.
    Commander,
    /// Reads the log, probes and samples, and can do nothing else.
    Auditor,
}

/// What somebody is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Duty {
    /// Open an inquiry and search.
    Operate,
    /// Compare candidates.
    Examine,
    /// Look at an inquiry in work.
    Inquire,
    /// Ask for changes of the roster, release locks.
    Administer,
    /// Approve changes of the roster.
    Command,
    /// Read details, probes and samples.
    Audit,
}

/// A person with an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The account's name.
    pub id: Identifier,
    /// The person's name.
    pub name: Text,
    /// The number by which the employing agency knows the person.
    pub badge: Text,
    /// The agency that employs the person.
    pub agency: Identifier,
    /// What the person is to the site.
    pub role: Role,
    /// The last day on which the training counts.
    #[serde(with = "iso_date")]
    pub trained_until: Date,
    /// When a temporary account ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temporary_until_cs: Option<Time>,
}

/// Why a person may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PersonError {
    /// Too many refused log-ons.
    #[error(
        "the account is locked after {LOG_ON_TRIES_MAX} refused log-ons; an administrator releases \
         it"
    )]
    Locked,
    /// Too many refused log-ons at one device.
    #[error(
        "the account is locked at '{device}' after {LOG_ON_TRIES_MAX} refused log-ons there; \
         another device takes it, and an administrator releases it"
    )]
    LockedHere {
        /// The device.
        device: Identifier,
    },
    /// The account is off.
    #[error("the account is off: {why}")]
    Off {
        /// Why.
        why: &'static str,
    },
    /// Another role's duty.
    #[error("{role} may not {verb}, that is for {wanted}")]
    WrongRole {
        /// The person's role.
        role: &'static str,
        /// What was to be done.
        verb: &'static str,
        /// Whose duty it is.
        wanted: &'static str,
    },
    /// The training is over.
    #[error("the training ended on {until}; wanted a training that lasts until today at least")]
    Untrained {
        /// Its last day.
        until: Date,
    },
    /// Somebody would decide on himself.
    #[error(
        "nobody decides on an account of their own, or twice on the same one; wanted another person"
    )]
    SamePerson,
    /// A temporary account for too long.
    #[error("a temporary account lasts {TEMPORARY_HOURS_MAX} hours at most")]
    TooLong,
    /// The name is or was somebody else's.
    #[error(
        "'{id}' is the name of another account, or was until less than {PERSON_ID_REUSE_DAYS} days \
         ago; wanted another name"
    )]
    NameTaken {
        /// The name.
        id: Identifier,
    },
}

impl PersonError {
    /// The rule by which the person is refused.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Locked | Self::LockedHere { .. } => Rule::LockedOut,
            Self::Off { .. } => Rule::AccountOff,
            Self::WrongRole { .. } => Rule::NotThisRole,
            Self::Untrained { .. } => Rule::Untrained,
            Self::SamePerson => Rule::OwnAccount,
            Self::TooLong => Rule::AccountTerms,
            Self::NameTaken { .. } => Rule::NameTaken,
        }
    }
}

named!(Role {
    Operator = "operator" "an operator";
    Examiner = "examiner" "an examiner";
    OperatorExaminer = "operator_examiner" "an operator and examiner";
    Administrator = "administrator" "an administrator";
    Commander = "commander" "the commander";
    Auditor = "auditor" "an auditor";
});

impl Role {
    /// Whether it is this role's duty.
    pub fn may(self, duty: Duty) -> bool {
        match duty {
            Duty::Operate => matches!(self, Self::Operator | Self::OperatorExaminer),
            Duty::Examine => matches!(self, Self::Examiner | Self::OperatorExaminer),
            Duty::Inquire => {
                matches!(self, Self::Operator | Self::Examiner | Self::OperatorExaminer)
            }
            Duty::Administer => self == Self::Administrator,
            Duty::Command => self == Self::Commander,
            Duty::Audit => self == Self::Auditor,
        }
    }

    /// Its words without their article, for lists.
    pub fn title(self) -> &'static str {
        let words = self.words();
        words.split_once(' ').map_or(words, |(_, title)| title)
    }
}

impl Duty {
    fn wanted(self) -> &'static str {
        match self {
            Self::Operate => "an operator",
            Self::Examine => "an examiner",
            Self::Inquire => "an operator or examiner",
            Self::Administer => "an administrator",
            Self::Command => "the commander",
            Self::Audit => "an auditor",
        }
    }

    fn needs_training(self) -> bool {
        matches!(self, Self::Operate | Self::Examine)
    }
}

impl Person {
    /// Whether the person may do this today.
    ///
    /// Errors: another role's duty; a training that is over.
    pub fn may(&self, duty: Duty, verb: &'static str, today: Date) -> Result<(), PersonError> {
        if !self.role.may(duty) {
            return Err(PersonError::WrongRole {
                role: self.role.words(),
                verb,
                wanted: duty.wanted(),
            });
        }
        if duty.needs_training() && today > self.trained_until {
            return Err(PersonError::Untrained { until: self.trained_until });
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use time::macros::date;

    pub(in crate::roster) fn person(role: Role) -> Person {
        let text = |text| Text::parse(text).unwrap();
        Person {
            id: Identifier::parse("diaz").unwrap(),
            name: text("R. Diaz"),
            badge: text("4711"),
            agency: Identifier::parse("slmpd").unwrap(),
            role,
            trained_until: date!(2027 - 01 - 31),
            temporary_until_cs: None,
        }
    }

    #[test]
    fn each_duty_is_of_its_roles_and_operator_and_examiner_are_the_only_pair() {
        let of = |role: Role| {
            let duties =
                [Duty::Operate, Duty::Examine, Duty::Administer, Duty::Command, Duty::Audit];
            duties.into_iter().filter(|&duty| role.may(duty)).collect::<Vec<_>>()
        };
        assert_eq!(of(Role::OperatorExaminer), [Duty::Operate, Duty::Examine]);
        for (role, duty) in [
            (Role::Operator, Duty::Operate),
            (Role::Examiner, Duty::Examine),
            (Role::Administrator, Duty::Administer),
            (Role::Commander, Duty::Command),
            (Role::Auditor, Duty::Audit),
        ] {
            assert_eq!(of(role), [duty], "{role:?}");
        }
    }

    #[test]
    fn an_expired_training_keeps_from_searching_and_comparing_and_from_nothing_else() {
        let (last, over) = (date!(2027 - 01 - 31), date!(2027 - 02 - 01));
        assert_eq!(person(Role::OperatorExaminer).may(Duty::Operate, "search", last), Ok(()));
        for duty in [Duty::Operate, Duty::Examine] {
            assert!(matches!(
                person(Role::OperatorExaminer).may(duty, "search", over),
                Err(PersonError::Untrained { .. })
            ));
        }
        assert_eq!(person(Role::Administrator).may(Duty::Administer, "ask", over), Ok(()));
    }
}
