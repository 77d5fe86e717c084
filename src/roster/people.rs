//! People and their accounts: who may do what, and when an account is locked, off or due for
//! review. Pure: time is given.
//!
//! A person holds one role; operator and examiner together are one, the only pair. An account goes
//! off by itself; it comes back only by the same two people who give a role: an administrator who
//! asks for it and the commander who approves.

use serde::{Deserialize, Serialize};
use time::Date;

use super::error::{AGREEMENT_ENDED, RosterError};
use crate::booking::{Identifier, Text, iso_date};
use crate::calendar::{Span, Time};
use crate::limits::{
    ACCOUNT_REVIEW_DAYS, ACCOUNT_UNASSOCIATED_DAYS_MAX, ACCOUNT_UNUSED_DAYS_MAX, LOG_ON_TRIES_MAX,
    LOG_ON_TRIES_MINUTES, PERSON_ID_REUSE_DAYS, TEMPORARY_HOURS_MAX,
};
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

/// How an account stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Whose it is.
    pub person: Person,
    /// When it was made, or came back.
    pub since_cs: Time,
    /// When the person logged on last.
    pub used_cs: Option<Time>,
    /// When somebody last confirmed that the person still needs it.
    pub reviewed_cs: Time,
    /// Refused log-ons that still count.
    pub tries_cs: Vec<Time>,
    /// The leaf that locked it.
    pub locked: Option<u64>,
    /// Why and since when nobody may use it.
    pub off: Option<Off>,
}

/// Why an account is off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Off {
    /// Since when.
    pub since_cs: Time,
    /// Why.
    pub why: OffReason,
}

/// Why an account went off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OffReason {
    /// The person no longer belongs to the site or its agency.
    Unassociated,
    /// Nobody used it for too long.
    Unused,
    /// It was temporary, and its time is over.
    TimeOver,
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
            Self::Locked => Rule::LockedOut,
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

impl Account {
    /// A new account.
    ///
    /// Errors: a temporary one that would last too long.
    pub fn new(person: Person, now: Time) -> Result<Self, PersonError> {
        let longest = now + Span::hours(TEMPORARY_HOURS_MAX);
        if person.temporary_until_cs.is_some_and(|until| until > longest) {
            return Err(PersonError::TooLong);
        }
        Ok(Self {
            person,
            since_cs: now,
            used_cs: None,
            reviewed_cs: now,
            tries_cs: Vec::new(),
            locked: None,
            off: None,
        })
    }

    /// Whether the account may be used now.
    pub fn stands(&self, now: Time) -> Result<(), PersonError> {
        if self.locked.is_some() {
            return Err(PersonError::Locked);
        }
        match self.off.as_ref().map(|off| off.why).or(self.goes_off(now)) {
            None => Ok(()),
            Some(why) => Err(PersonError::Off { why: why.words() }),
        }
    }

    /// Why the account goes off now, where it does and isn't yet.
    pub fn goes_off(&self, now: Time) -> Option<OffReason> {
        let unused_since = self.used_cs.unwrap_or(self.since_cs);
        match self.person.temporary_until_cs {
            _ if self.off.is_some() => None,
            Some(until) if now >= until => Some(OffReason::TimeOver),
            _ if now >= unused_since + Span::days(ACCOUNT_UNUSED_DAYS_MAX) => {
                Some(OffReason::Unused)
            }
            _ => None,
        }
    }

    /// Whether the account goes off because its agency stands in the roster like this: at once
    /// where its agreement has ended, else after `ACCOUNT_UNASSOCIATED_DAYS_MAX` without a log-on,
    /// of which there can be none.
    pub fn is_unassociated(&self, agency: &Result<(), RosterError>, now: Time) -> bool {
        let used = self.used_cs.unwrap_or(self.since_cs);
        self.off.is_none()
            && match agency {
                Ok(()) => false,
                Err(RosterError::Inactive { reason: AGREEMENT_ENDED, .. }) => true,
                Err(_) => now >= used + Span::days(ACCOUNT_UNASSOCIATED_DAYS_MAX),
            }
    }

    /// Counts a refused log-on; gives how many count, where that locks the account.
    pub fn refused(&mut self, now: Time) -> Option<u64> {
        self.tries_cs.retain(|&at| at + Span::minutes(LOG_ON_TRIES_MINUTES) > now);
        self.tries_cs.push(now);
        let tries = self.tries_cs.len() as u64;
        (tries >= LOG_ON_TRIES_MAX && self.locked.is_none()).then_some(tries)
    }

    /// The person logged on.
    pub fn logged_on(&mut self, now: Time) {
        self.used_cs = Some(now);
        self.tries_cs.clear();
    }

    /// The lock is off.
    pub fn released(&mut self) {
        self.locked = None;
        self.tries_cs.clear();
    }

    /// Whether somebody must confirm that the person still needs the account.
    pub fn is_review_due(&self, now: Time) -> bool {
        self.off.is_none() && now >= self.reviewed_cs + Span::days(ACCOUNT_REVIEW_DAYS)
    }

    /// Whether another person may have its name.
    pub fn frees_name(&self, now: Time) -> bool {
        self.off.as_ref().is_some_and(|off| now >= off.since_cs + Span::days(PERSON_ID_REUSE_DAYS))
    }
}

named!(OffReason {
    Unassociated = "unassociated" "its person or agency no longer belongs to the site";
    Unused = "unused" "nobody used it for 90 days";
    TimeOver = "time_over" "it was temporary";
});

/// Whether these people may decide on an account together: an administrator who asks and the
/// commander who approves, neither of them the person whose account it is.
pub fn decide_together(
    asks: &Person,
    approves: &Person,
    of: &Identifier,
) -> Result<(), PersonError> {
    match asks.id == approves.id || asks.id == *of || approves.id == *of {
        true => Err(PersonError::SamePerson),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    const NOW: Time = Time::from_cs(179_000_000_000);
    const MOMENT: Span = Span::from_cs(1);

    fn person(role: Role) -> Person {
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

    fn account() -> Account {
        Account::new(person(Role::Operator), NOW).unwrap()
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

    #[test]
    fn five_refused_log_ons_within_a_quarter_of_an_hour_lock_until_somebody_releases() {
        let mut account = account();
        let minute = |n: u64| NOW + Span::minutes(n);
        assert_eq!((0..4).map(|n| account.refused(minute(n))).collect::<Vec<_>>(), [None; 4]);
        assert_eq!(account.refused(minute(15)), None, "the first one counts no longer");
        assert_eq!(account.refused(minute(15)), Some(5));
        account.locked = Some(7);
        assert_eq!(
            account.stands(minute(1_000_000 / 60)),
            Err(PersonError::Locked),
            "no time releases it"
        );
        account.released();
        assert_eq!(account.stands(minute(16)), Ok(()));
        assert_eq!(account.refused(minute(17)), None, "counting begins anew");
        account.logged_on(minute(18));
        assert!(account.tries_cs.is_empty());
    }

    #[test]
    fn an_account_goes_off_when_it_is_unused_for_ninety_days_or_its_time_is_over() {
        let mut unused = account();
        assert_eq!(unused.goes_off(NOW + Span::days(90) - MOMENT), None);
        assert_eq!(unused.goes_off(NOW + Span::days(90)), Some(OffReason::Unused));
        unused.logged_on(NOW + Span::days(80));
        assert_eq!(unused.goes_off(NOW + Span::days(169)), None);
        assert!(
            matches!(unused.stands(NOW + Span::days(170)), Err(PersonError::Off { .. })),
            "before anybody has written that it is off"
        );
        let temporary = |hours: u64| {
            Account::new(
                Person {
                    temporary_until_cs: Some(NOW + Span::hours(hours)),
                    ..person(Role::Operator)
                },
                NOW,
            )
        };
        assert_eq!(temporary(73), Err(PersonError::TooLong));
        let temporary = temporary(72).unwrap();
        assert_eq!(temporary.stands(NOW + Span::hours(72) - MOMENT), Ok(()));
        assert_eq!(temporary.goes_off(NOW + Span::hours(72)), Some(OffReason::TimeOver));
    }

    #[test]
    fn an_account_goes_off_with_its_agencys_agreement_or_a_week_after_delisting() {
        let mut account = account();
        account.logged_on(NOW);
        let agency = || Identifier::parse("slmpd").unwrap();
        let ended = Err(RosterError::Inactive { agency: agency(), reason: AGREEMENT_ENDED });
        let (absent, early) = (
            Err(RosterError::UnknownAgency { agency: agency() }),
            Err(RosterError::Inactive { agency: agency(), reason: "early" }),
        );
        assert!(
            account.is_unassociated(&ended, NOW)
                && !account.is_unassociated(&Ok(()), NOW + Span::days(80))
        );
        for agency in [absent, early] {
            assert!(
                !account.is_unassociated(&agency, NOW + Span::days(7) - MOMENT)
                    && account.is_unassociated(&agency, NOW + Span::days(7))
            );
        }
        account.off = Some(Off { since_cs: NOW, why: OffReason::Unused });
        assert!(!account.is_unassociated(&ended, NOW), "it is off already");
    }

    #[test]
    fn a_name_is_free_a_year_after_its_account_and_reviews_are_due_every_year() {
        let mut account = account();
        assert!(
            !account.is_review_due(NOW + Span::days(364))
                && account.is_review_due(NOW + Span::days(365))
        );
        assert!(!account.frees_name(NOW + Span::days(1_000)), "it stands");
        account.off = Some(Off { since_cs: NOW, why: OffReason::Unassociated });
        assert!(!account.is_review_due(NOW + Span::days(365)));
        assert!(
            !account.frees_name(NOW + Span::days(365) - MOMENT)
                && account.frees_name(NOW + Span::days(365))
        );
        assert!(matches!(account.stands(NOW), Err(PersonError::Off { .. })));
    }

    #[test]
    fn nobody_decides_alone_or_on_himself() {
        let other = |id: &str, role| Person { id: Identifier::parse(id).unwrap(), ..person(role) };
        let (admin, commander) =
            (other("admin", Role::Administrator), other("boss", Role::Commander));
        let of = |id: &str| Identifier::parse(id).unwrap();
        assert_eq!(decide_together(&admin, &commander, &of("diaz")), Ok(()));
        assert_eq!(decide_together(&admin, &admin, &of("diaz")), Err(PersonError::SamePerson));
        assert_eq!(decide_together(&admin, &commander, &of("admin")), Err(PersonError::SamePerson));
        assert_eq!(decide_together(&admin, &commander, &of("boss")), Err(PersonError::SamePerson));
    }
}
