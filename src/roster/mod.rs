//! The roster: which agencies, devices and witnesses a site knows, and what each of them may do.
//! Pure rules, without I/O.

mod account;
mod caller;
mod entry;
mod error;
mod people;
mod rhythm;
mod session;

use serde::{Deserialize, Serialize};
use time::Date;

pub use account::{Account, DeviceLock, Lockout, Off, OffReason, decide_together};
pub use caller::{Caller, CertificateName, NAME_PREFIX};
pub use entry::{Agency, Ceilings, Device, QuorumTerms, Standing, WitnessEntry};
pub use error::RosterError;
pub use people::{Duty, Person, PersonError, Role};
pub use rhythm::Rhythm;
pub use session::{SessionStanding, SessionTimes};

use crate::booking::Identifier;
use crate::ids::Digest;
use crate::limits::ROSTER_ENTRIES_MAX;

/// The agencies and devices that a site knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Roster {
    /// Agencies (MOU-IV-B1).
    #[serde(default, rename = "agency")]
    pub agencies: Vec<Agency>,
    /// Consoles at the RTCC.
    #[serde(default, rename = "device")]
    pub devices: Vec<Device>,
    /// Witnesses of the log.
    #[serde(default, rename = "witness")]
    pub witnesses: Vec<WitnessEntry>,
    /// How many of the witnesses must cosign the log, and how soon; at least one of them is no
    /// agency's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<QuorumTerms>,
    /// How fast one operator may search.
    #[serde(default)]
    pub ceilings: Ceilings,
}

impl Roster {
    /// Checks what the types alone can't: every name once, and bounded.
    pub fn check(&self) -> Result<(), RosterError> {
        let entries = self.agencies.len() + self.devices.len() + self.witnesses.len();
        if entries > ROSTER_ENTRIES_MAX {
            return Err(RosterError::Malformed {
                what: format!("{entries} entries, at most {ROSTER_ENTRIES_MAX} are kept"),
            });
        }
        let twice = |ids: Vec<&Identifier>| {
            let mut seen = std::collections::HashSet::new();
            ids.into_iter().find(|&id| !seen.insert(id)).cloned()
        };
        let agency = twice(self.agencies.iter().map(|a| &a.id).collect());
        let device = twice(self.devices.iter().map(|d| &d.id).collect());
        let witness = twice(self.witnesses.iter().map(|w| &w.id).collect());
        let wrong = |what: String| Err(RosterError::Malformed { what });
        if let Some(id) = agency.or(device).or(witness) {
            return wrong(format!("'{id}' stands there twice"));
        }
        if let Some(device) = self.devices.iter().find(|d| d.audit && d.administration) {
            return wrong(format!(
                "'{}' both administers and audits, wanted one of the two",
                device.id
            ));
        }
        let unknown = |w: &&WitnessEntry| {
            w.agency.as_ref().is_some_and(|id| !self.agencies.iter().any(|a| a.id == *id))
        };
        if let Some(witness) = self.witnesses.iter().find(unknown) {
            return wrong(format!(
                "witness '{}' is run by an agency that is not in the roster",
                witness.id
            ));
        }
        match self.quorum {
            Some(terms) if terms.witnesses == 0 || terms.within_minutes == 0 => wrong(
                "a quorum of no witnesses, or within no time; leave it out where there is none"
                    .to_owned(),
            ),
            Some(terms)
                if terms.witnesses > self.witnesses.len()
                    || self.witnesses.iter().all(|w| w.agency.is_some()) =>
            {
                wrong(format!(
                    "{} of {} witnesses make a quorum, wanted as many and at least one that is no \
                     agency's",
                    terms.witnesses,
                    self.witnesses.len()
                ))
            }
            None if !self.witnesses.is_empty() => wrong(
                "witnesses without a quorum: say how many of them, and within which time"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }

    /// Its digest, as the log names it.
    pub fn sha256(&self) -> Digest {
        let json = serde_json::to_vec(self).expect("a roster holds only strings and numbers");
        Digest::of(&json)
    }

    /// The agency of a feed that may push and release today.
    pub fn feed<'a>(
        &'a self,
        caller: &Caller,
        verb: &'static str,
        today: Date,
    ) -> Result<&'a Agency, RosterError> {
        let agency = self.member(caller, verb, today)?;
        match agency.standing {
            Standing::Contributor { .. } => Ok(agency),
            Standing::Requester { .. } => Err(RosterError::WrongRole {
                name: caller.name.to_string(),
                verb,
                wanted: "a contributing agency",
            }),
        }
    }

    /// The agency of a feed, whatever it is to the site, active today.
    pub fn member<'a>(
        &'a self,
        caller: &Caller,
        verb: &'static str,
        today: Date,
    ) -> Result<&'a Agency, RosterError> {
        let CertificateName::Feed(id) = &caller.name else {
            return Err(RosterError::WrongRole {
                name: caller.name.to_string(),
                verb,
                wanted: "an agency's feed",
            });
        };
        let agency = self
            .agencies
            .iter()
            .find(|a| a.id == *id)
            .ok_or_else(|| RosterError::Unknown { name: caller.name.to_string() })?;
        agency.active(today)?;
        Ok(agency)
    }

    /// The console that may search: any but an auditor's.
    pub fn console<'a>(
        &'a self,
        caller: &Caller,
        verb: &'static str,
    ) -> Result<&'a Device, RosterError> {
        let wanted = "a console at the RTCC";
        let device = self.device(caller, verb)?;
        if device.audit {
            Err(RosterError::WrongRole { name: caller.name.to_string(), verb, wanted })
        } else {
            Ok(device)
        }
    }

    /// The console from which the log is audited.
    pub fn auditor<'a>(
        &'a self,
        caller: &Caller,
        verb: &'static str,
    ) -> Result<&'a Device, RosterError> {
        let wanted = "a console of an auditor";
        let device = self.device(caller, verb)?;
        if device.audit {
            Ok(device)
        } else {
            Err(RosterError::WrongRole { name: caller.name.to_string(), verb, wanted })
        }
    }

    /// A device of whatever use.
    pub fn device<'a>(
        &'a self,
        caller: &Caller,
        verb: &'static str,
    ) -> Result<&'a Device, RosterError> {
        let CertificateName::Device(id) = &caller.name else {
            return Err(RosterError::WrongRole {
                name: caller.name.to_string(),
                verb,
                wanted: "a console at the RTCC",
            });
        };
        self.devices
            .iter()
            .find(|d| d.id == *id)
            .ok_or_else(|| RosterError::Unknown { name: caller.name.to_string() })
    }

    /// The console from which the box is administered.
    pub fn administrator<'a>(
        &'a self,
        caller: &Caller,
        verb: &'static str,
    ) -> Result<&'a Device, RosterError> {
        let device = self.console(caller, verb)?;
        let wanted = "a console with administration";
        if device.administration {
            Ok(device)
        } else {
            Err(RosterError::WrongRole { name: caller.name.to_string(), verb, wanted })
        }
    }

    /// The witness that cosigns: by a certificate of its own, or as the feed of the agency that
    /// runs it.
    pub fn witness<'a>(
        &'a self,
        caller: &Caller,
        verb: &'static str,
    ) -> Result<&'a WitnessEntry, RosterError> {
        let found = match &caller.name {
            CertificateName::Witness(id) => {
                self.witnesses.iter().find(|w| w.id == *id && w.agency.is_none())
            }
            CertificateName::Feed(agency) => {
                self.witnesses.iter().find(|w| w.agency.as_ref() == Some(agency))
            }
            CertificateName::Device(_) => {
                return Err(RosterError::WrongRole {
                    name: caller.name.to_string(),
                    verb,
                    wanted: "a witness of the log",
                });
            }
        };
        found.ok_or_else(|| RosterError::Unknown { name: caller.name.to_string() })
    }

    /// Whether a certificate's name stands in the roster today.
    pub fn names(&self, name: &CertificateName, today: Date) -> bool {
        let caller = Caller { name: name.clone(), fingerprint: Digest([0; 32]) };
        self.lists(&caller, today).is_ok()
    }

    /// Whether a caller stands in the roster for anything today.
    pub fn lists(&self, caller: &Caller, today: Date) -> Result<(), RosterError> {
        let verb = "come in";
        match &caller.name {
            CertificateName::Device(_) => self.device(caller, verb).map(|_| ()),
            CertificateName::Witness(_) => self.witness(caller, verb).map(|_| ()),
            CertificateName::Feed(_) => match self.member(caller, verb, today) {
                Ok(_) => Ok(()),
                Err(e) => self.witness(caller, verb).map(|_| ()).map_err(|_| e),
            },
        }
    }

    /// Whether a caller may read the log's public half.
    pub fn admit(&self, caller: &Caller, today: Date) -> Result<(), RosterError> {
        match &caller.name {
            CertificateName::Device(_) => self.device(caller, "come in").map(|_| ()),
            CertificateName::Witness(_) => self.witness(caller, "come in").map(|_| ()),
            CertificateName::Feed(_) => self.feed(caller, "come in", today).map(|_| ()),
        }
    }

    /// The agency for which a search is asked: contributor or admitted requester, active today.
    pub fn requester<'a>(
        &'a self,
        id: &Identifier,
        today: Date,
    ) -> Result<&'a Agency, RosterError> {
        let unknown = || RosterError::UnknownAgency { agency: id.clone() };
        let agency = self.agencies.iter().find(|a| a.id == *id).ok_or_else(unknown)?;
        agency.active(today)?;
        Ok(agency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    fn caller(name: &str) -> Caller {
        Caller { name: CertificateName::parse(name).unwrap(), fingerprint: Digest([0; 32]) }
    }

    fn roster() -> Roster {
        toml::from_str(
            r#"
            [[agency]]
            id = "slmpd"
            name = "Metropolitan Police Department"
            standing = { kind = "contributor", mou_from = "2026-01-12", mou_until = "2027-01-01", policy_reviewed_on = "2026-01-10", policy_version = "3" }
            [[agency]]
            id = "madison"
            name = "Madison County"
            standing = { kind = "requester", admitted_on = "2026-02-01", policy_reviewed_on = "2026-02-01", policy_version = "3" }
            [[device]]
            id = "rtcc-1"
            place = "RTCC, desk 1"
            [[device]]
            id = "admin-1"
            place = "server room"
            administration = true
            [[device]]
            id = "audit-1"
            place = "inspector's office"
            audit = true
            [[witness]]
            id = "court"
            name = "Clerk of the circuit court"
            key = "court.example+00000000+AAAA"
            [[witness]]
            id = "slmpd-feed"
            name = "Metropolitan Police Department"
            key = "slmpd.example+00000000+AAAA"
            agency = "slmpd"
            [quorum]
            witnesses = 2
            within_minutes = 60
            "#,
        )
        .unwrap()
    }

    #[test]
    fn a_contributor_feeds_while_its_agreement_holds() {
        let (roster, feed) = (roster(), caller("smrt:agency/slmpd/feed"));
        assert_eq!(roster.feed(&feed, "push", date!(2026 - 11 - 23)).unwrap().id.as_str(), "slmpd");
        for day in [date!(2026 - 01 - 11), date!(2027 - 01 - 01)] {
            assert!(
                matches!(roster.feed(&feed, "push", day), Err(RosterError::Inactive { .. })),
                "{day}"
            );
        }
    }

    #[test]
    fn whoever_is_not_listed_or_of_another_role_is_refused() {
        let (roster, today) = (roster(), date!(2026 - 11 - 23));
        assert!(matches!(
            roster.feed(&caller("smrt:agency/other/feed"), "push", today),
            Err(RosterError::Unknown { .. })
        ));
        assert!(matches!(
            roster.feed(&caller("smrt:agency/madison/feed"), "push", today),
            Err(RosterError::WrongRole { .. })
        ));
        assert!(matches!(
            roster.feed(&caller("smrt:device/rtcc-1"), "push", today),
            Err(RosterError::WrongRole { .. })
        ));
        assert!(matches!(
            roster.console(&caller("smrt:agency/slmpd/feed"), "search"),
            Err(RosterError::WrongRole { .. })
        ));
        assert!(matches!(
            roster.console(&caller("smrt:device/rtcc-2"), "search"),
            Err(RosterError::Unknown { .. })
        ));
        assert!(roster.requester(&Identifier::parse("madison").unwrap(), today).is_ok());
        assert!(roster.requester(&Identifier::parse("nobody").unwrap(), today).is_err());
    }

    #[test]
    fn only_a_console_with_administration_administers() {
        let roster = roster();
        assert_eq!(
            roster.administrator(&caller("smrt:device/admin-1"), "switch").unwrap().id.as_str(),
            "admin-1"
        );
        for other in ["smrt:device/rtcc-1", "smrt:agency/slmpd/feed"] {
            assert!(
                matches!(
                    roster.administrator(&caller(other), "switch"),
                    Err(RosterError::WrongRole { .. })
                ),
                "{other}"
            );
        }
        assert!(matches!(
            roster.administrator(&caller("smrt:device/nobody"), "switch"),
            Err(RosterError::Unknown { .. })
        ));
    }

    #[test]
    fn an_auditors_console_audits_and_does_nothing_else() {
        let (roster, auditor) = (roster(), caller("smrt:device/audit-1"));
        assert_eq!(roster.auditor(&auditor, "open details").unwrap().id.as_str(), "audit-1");
        assert!(roster.admit(&auditor, date!(2026 - 11 - 23)).is_ok());
        assert!(matches!(roster.console(&auditor, "search"), Err(RosterError::WrongRole { .. })));
        assert!(matches!(
            roster.administrator(&auditor, "switch"),
            Err(RosterError::WrongRole { .. })
        ));
        for other in [
            "smrt:device/rtcc-1",
            "smrt:device/admin-1",
            "smrt:agency/slmpd/feed",
            "smrt:witness/court",
        ] {
            assert!(
                matches!(
                    roster.auditor(&caller(other), "open details"),
                    Err(RosterError::WrongRole { .. })
                ),
                "{other}"
            );
        }
    }

    #[test]
    fn a_witness_cosigns_under_its_certificate_or_as_its_agencys_feed() {
        let roster = roster();
        assert_eq!(
            roster.witness(&caller("smrt:witness/court"), "cosign").unwrap().id.as_str(),
            "court"
        );
        assert_eq!(
            roster.witness(&caller("smrt:agency/slmpd/feed"), "cosign").unwrap().id.as_str(),
            "slmpd-feed"
        );
        for other in ["smrt:witness/slmpd-feed", "smrt:witness/press", "smrt:agency/madison/feed"] {
            assert!(
                matches!(
                    roster.witness(&caller(other), "cosign"),
                    Err(RosterError::Unknown { .. })
                ),
                "{other}"
            );
        }
        assert!(matches!(
            roster.witness(&caller("smrt:device/rtcc-1"), "cosign"),
            Err(RosterError::WrongRole { .. })
        ));
        assert!(roster.feed(&caller("smrt:witness/court"), "push", date!(2026 - 11 - 23)).is_err());
        assert!(roster.console(&caller("smrt:witness/court"), "search").is_err());
    }

    #[test]
    fn a_quorum_that_no_witnesses_can_make_is_refused() {
        let wrong = |change: fn(&mut Roster)| {
            let mut roster = roster();
            change(&mut roster);
            assert!(matches!(roster.check(), Err(RosterError::Malformed { .. })));
        };
        wrong(|r| r.quorum = None);
        wrong(|r| r.quorum = Some(QuorumTerms { witnesses: 3, within_minutes: 60 }));
        wrong(|r| r.quorum = Some(QuorumTerms { witnesses: 0, within_minutes: 60 }));
        wrong(|r| r.witnesses[0].agency = Identifier::parse("slmpd").ok());
        wrong(|r| r.witnesses[1].agency = Identifier::parse("nobody").ok());
        wrong(|r| r.witnesses[1].id = Identifier::parse("court").unwrap());
        wrong(|r| r.devices[2].administration = true);
    }

    #[test]
    fn a_roster_that_names_somebody_twice_is_refused() {
        let mut roster = roster();
        assert_eq!(roster.check(), Ok(()));
        roster.devices.push(roster.devices[0].clone());
        assert!(matches!(roster.check(), Err(RosterError::Malformed { .. })));
    }
}
