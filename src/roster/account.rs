//! Accounts: when one is locked, off or due for review. Pure: time is given.
//!
//! An account goes off by itself; it comes back only by the same two people who give a role: an
//! administrator who asks for it and the commander who approves. It is locked at a device by what
//! is refused there, and everywhere by what only its own key can have signed.

use serde::{Deserialize, Serialize};

use super::error::{AGREEMENT_ENDED, RosterError};
use super::people::{Person, PersonError};
use crate::booking::Identifier;
use crate::calendar::{Span, Time};
use crate::limits::{
    ACCOUNT_REVIEW_DAYS, ACCOUNT_UNASSOCIATED_DAYS_MAX, ACCOUNT_UNUSED_DAYS_MAX, LOG_ON_TRIES_MAX,
    LOG_ON_TRIES_MINUTES, PERSON_ID_REUSE_DAYS, TEMPORARY_HOURS_MAX,
};
use crate::named::named;

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
    pub tries: Vec<Try>,
    /// The leaf that locked it everywhere.
    pub locked: Option<u64>,
    /// Devices at which it is locked.
    pub locked_at: Vec<DeviceLock>,
    /// Why and since when nobody may use it.
    pub off: Option<Off>,
}

/// A refused log-on: an answer to a challenge that was asked at this device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Try {
    /// When.
    pub at_cs: Time,
    /// Where.
    pub device: Identifier,
    /// Whether the account's own key signed it.
    pub signed: bool,
}

/// A device at which an account is locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceLock {
    /// Where.
    pub device: Identifier,
    /// The leaf that locked it there.
    pub leaf: u64,
}

/// What a refused log-on locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lockout {
    /// The tries that lock it.
    pub tries: u64,
    /// Where; none if everywhere.
    pub device: Option<Identifier>,
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
            tries: Vec::new(),
            locked: None,
            locked_at: Vec::new(),
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

    /// Whether the account may be logged on to now, at this device.
    pub fn stands_at(&self, device: &Identifier, now: Time) -> Result<(), PersonError> {
        self.stands(now)?;
        match self.is_locked_at(device) {
            true => Err(PersonError::LockedHere { device: device.clone() }),
            false => Ok(()),
        }
    }

    /// Whether it is locked, everywhere or at some device.
    pub fn is_locked(&self) -> bool {
        self.locked.is_some() || !self.locked_at.is_empty()
    }

    fn is_locked_at(&self, device: &Identifier) -> bool {
        self.locked_at.iter().any(|lock| lock.device == *device)
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

    /// Counts a refused log-on; gives what that locks. Whoever sits at a device can have any name
    /// refused there, so that locks the account there alone. Everywhere it is locked by what only
    /// its own key can have signed.
    pub fn refused(&mut self, device: &Identifier, signed: bool, now: Time) -> Option<Lockout> {
        self.tries.retain(|other| other.at_cs + Span::minutes(LOG_ON_TRIES_MINUTES) > now);
        let locked_here = self.is_locked_at(device);
        if self.locked.is_some() || locked_here && !signed {
            return None;
        }
        self.tries.push(Try { at_cs: now, device: device.clone(), signed });
        let those = |fits: &dyn Fn(&Try) -> bool| {
            let tries = self.tries.iter().filter(|other| fits(other)).count() as u64;
            (tries >= LOG_ON_TRIES_MAX).then_some(tries)
        };
        if let Some(tries) = those(&|other| other.signed) {
            return Some(Lockout { tries, device: None });
        }
        let tries = those(&|other| other.device == *device).filter(|_| !locked_here)?;
        Some(Lockout { tries, device: Some(device.clone()) })
    }

    /// Locks it by this leaf.
    pub fn lock(&mut self, lockout: Lockout, leaf: u64) {
        match lockout.device {
            Some(device) => self.locked_at.push(DeviceLock { device, leaf }),
            None => self.locked = Some(leaf),
        }
    }

    /// The person logged on.
    pub fn logged_on(&mut self, now: Time) {
        self.used_cs = Some(now);
        self.tries.clear();
    }

    /// All locks are off; gives the leaves that had locked it, in their order.
    pub fn released(&mut self) -> Vec<u64> {
        let at_devices = self.locked_at.drain(..).map(|lock| lock.leaf);
        let mut leaves: Vec<u64> = at_devices.chain(self.locked.take()).collect();
        leaves.sort_unstable();
        self.tries.clear();
        leaves
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
    use super::super::people::Role;
    use super::super::people::tests::person;
    use super::*;

    const NOW: Time = Time::from_cs(179_000_000_000);
    const MOMENT: Span = Span::from_cs(1);

    fn device(id: &str) -> Identifier {
        Identifier::parse(id).unwrap()
    }

    fn account() -> Account {
        Account::new(person(Role::Operator), NOW).unwrap()
    }

    #[test]
    fn five_refused_log_ons_within_a_quarter_of_an_hour_lock_until_somebody_releases() {
        let (mut account, desk) = (account(), device("rtcc-1"));
        let minute = |n: u64| NOW + Span::minutes(n);
        for n in 0..4 {
            assert_eq!(account.refused(&desk, true, minute(n)), None);
        }
        assert_eq!(account.refused(&desk, true, minute(15)), None, "the first counts no longer");
        let lockout = account.refused(&desk, true, minute(15)).unwrap();
        assert_eq!(lockout, Lockout { tries: 5, device: None });
        account.lock(lockout, 7);
        assert_eq!(
            account.stands(minute(1_000_000 / 60)),
            Err(PersonError::Locked),
            "no time releases it"
        );
        assert_eq!(account.refused(&desk, true, minute(16)), None, "it is locked already");
        assert_eq!(account.released(), [7]);
        assert_eq!(account.stands(minute(16)), Ok(()));
        assert_eq!(account.refused(&desk, true, minute(17)), None, "counting begins anew");
        account.logged_on(minute(18));
        assert!(account.tries.is_empty());
    }

    #[test]
    fn what_its_own_key_did_not_sign_locks_an_account_at_that_device_alone() {
        let mut account = account();
        for (leaf, desk) in [(3, device("rtcc-1")), (4, device("rtcc-2"))] {
            for _ in 0..4 {
                assert_eq!(account.refused(&desk, false, NOW), None);
            }
            let lockout = account.refused(&desk, false, NOW).unwrap();
            assert_eq!(lockout, Lockout { tries: 5, device: Some(desk.clone()) });
            account.lock(lockout, leaf);
            let here = Err(PersonError::LockedHere { device: desk.clone() });
            assert_eq!(account.stands_at(&desk, NOW), here);
            for _ in 0..1_000 {
                assert_eq!(account.refused(&desk, false, NOW), None, "nothing is kept of more");
            }
        }
        assert_eq!(account.tries.len(), 10);
        assert_eq!((account.stands(NOW), account.is_locked()), (Ok(()), true));
        assert_eq!(account.stands_at(&device("rtcc-3"), NOW), Ok(()));
        for _ in 0..4 {
            assert_eq!(account.refused(&device("rtcc-1"), true, NOW), None);
        }
        let everywhere = account.refused(&device("rtcc-3"), true, NOW).unwrap();
        assert_eq!(everywhere, Lockout { tries: 5, device: None }, "its own key signed five");
        account.lock(everywhere, 9);
        assert_eq!(account.stands(NOW), Err(PersonError::Locked));
        assert_eq!(account.released(), [3, 4, 9]);
        assert_eq!(
            (account.stands_at(&device("rtcc-1"), NOW), account.is_locked()),
            (Ok(()), false)
        );
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
