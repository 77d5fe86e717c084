//! Who may do what: agencies, devices and the caller at a door, as pure rules without I/O.

mod people;
mod rhythm;
mod session;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use time::Date;

pub use people::{Account, Duty, Off, OffReason, Person, PersonError, Role, decide_together};
pub use rhythm::Rhythm;
pub use session::{SessionStanding, SessionTimes};

use crate::booking::{Identifier, Text, iso_date};
use crate::limits::{ROSTER_ENTRIES_MAX, SEARCHES_PER_DAY_MAX, SEARCHES_PER_HOUR_MAX};
use crate::rule::Rule;

/// The scheme and first word of every certificate name that this system issues and accepts.
pub const NAME_PREFIX: &str = "smrt:";

/// Why an agency whose memorandum is over isn't active.
const AGREEMENT_ENDED: &str = "its agreement has ended";

/// What a client certificate's URI SAN says that its holder is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum CertificateName {
    /// `smrt:agency/<id>/feed`: the system of an agency that pushes and releases its own bookings.
    Feed(Identifier),
    /// `smrt:device/<id>`: a console at the RTCC.
    Device(Identifier),
    /// `smrt:witness/<id>`: a witness of the log.
    Witness(Identifier),
}

impl CertificateName {
    /// Parses the URI of a certificate's subject alternative name; anything else is `None`.
    pub fn parse(uri: &str) -> Option<Self> {
        let mut words = uri.strip_prefix(NAME_PREFIX)?.split('/');
        let name = match (words.next()?, words.next()?, words.next()) {
            ("agency", id, Some("feed")) => Self::Feed(Identifier::parse(id).ok()?),
            ("device", id, None) => Self::Device(Identifier::parse(id).ok()?),
            ("witness", id, None) => Self::Witness(Identifier::parse(id).ok()?),
            _ => return None,
        };
        if words.next().is_some() { None } else { Some(name) }
    }
}

impl std::fmt::Display for CertificateName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Feed(agency) => write!(f, "{NAME_PREFIX}agency/{agency}/feed"),
            Self::Device(device) => write!(f, "{NAME_PREFIX}device/{device}"),
            Self::Witness(witness) => write!(f, "{NAME_PREFIX}witness/{witness}"),
        }
    }
}

/// Who is calling, as the door established it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// What the certificate says.
    pub name: CertificateName,
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
}

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
    pub witnesses: Vec<Witness>,
    /// How many of the witnesses must cosign the log, and how soon; at least one of them is no
    /// agency's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quorum: Option<QuorumTerms>,
    /// How fast one operator may search.
    #[serde(default)]
    pub ceilings: Ceilings,
}

/// A witness of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// Its name in certificates, or the agency's whose feed it is.
    pub id: Identifier,
    /// Its name in words.
    pub name: Text,
    /// The key by which it cosigns, as `smrtctl witness key` prints it.
    pub key: Text,
    /// The agency that runs it beside its feed; none for one that is independent of the agencies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<Identifier>,
}

/// When the log counts as witnessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuorumTerms {
    /// So many witnesses.
    pub witnesses: usize,
    /// Minutes from a leaf to their cosignatures.
    pub within_minutes: u64,
}

/// How fast one operator may search. A change of it is a change of the roster file, and so of the
/// log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ceilings {
    /// Seconds from one search to the next. Default 5.
    pub seconds_between: u64,
    /// Searches an hour. Default 30.
    pub per_hour: usize,
    /// Searches a day. Default 100.
    pub per_day: usize,
}

impl Default for Ceilings {
    fn default() -> Self {
        Self { seconds_between: 5, per_hour: 30, per_day: 100 }
    }
}

impl std::fmt::Display for Ceilings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} s between two, {} an hour, {} a day",
            self.seconds_between, self.per_hour, self.per_day
        )
    }
}

impl Ceilings {
    /// Whether they are such as a person searches by hand; a box with real bookings serves by no
    /// others.
    pub fn are_humane(&self) -> bool {
        self.seconds_between >= 1
            && self.per_hour <= SEARCHES_PER_HOUR_MAX
            && self.per_day <= SEARCHES_PER_DAY_MAX
    }
}

/// An agency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agency {
    /// Its name in certificates and requests.
    pub id: Identifier,
    /// Its name in words.
    pub name: Text,
    /// What it is to the site, and since when.
    pub standing: Standing,
    /// How it writes its complaint numbers: 9 is a digit, A a letter, * any of both, anything else
    /// itself. None where it has set no pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<String>,
}

/// What an agency is to the site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Standing {
    /// It has a memorandum of understanding: it feeds bookings, and the RTCC searches for it.
    Contributor {
        /// First day of the memorandum.
        #[serde(with = "iso_date")]
        mou_from: Date,
        /// First day on which it no longer holds, where an end is known.
        #[serde(
            default,
            with = "crate::booking::iso_date_option",
            skip_serializing_if = "Option::is_none"
        )]
        mou_until: Option<Date>,
        /// Day on which its chief executive reviewed the privacy policy (MOU-IV-B3).
        #[serde(with = "iso_date")]
        policy_reviewed_on: Date,
        /// The version of the policy that was reviewed.
        policy_version: Text,
    },
    /// The commander admitted it: the RTCC searches for it, and it feeds nothing.
    Requester {
        /// Day of its admission.
        #[serde(with = "iso_date")]
        admitted_on: Date,
        /// Day on which its chief executive reviewed the privacy policy (MOU-IV-B3).
        #[serde(with = "iso_date")]
        policy_reviewed_on: Date,
        /// The version of the policy that was reviewed.
        policy_version: Text,
    },
}

/// A console at the RTCC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Its name in certificates.
    pub id: Identifier,
    /// Where it stands.
    pub place: Text,
    /// Whether the box's models may be switched from it. Default no.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub administration: bool,
    /// Whether the log's details, its probes and samples may be opened from it by a command, which
    /// has no way to a security key, so that the log names the device and nobody; it can then do
    /// nothing else by itself. An auditor who has logged on needs no such device. Default no.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub audit: bool,
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
        let unknown = |w: &&Witness| {
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
    pub fn sha256(&self) -> [u8; 32] {
        let json = serde_json::to_vec(self).expect("a roster holds only strings and numbers");
        digest(&SHA256, &json).as_ref().try_into().expect("SHA-256 gives 32 bytes")
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
    ) -> Result<&'a Witness, RosterError> {
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

    /// Whether a caller stands in the roster at all.
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

impl Agency {
    fn active(&self, today: Date) -> Result<(), RosterError> {
        let inactive = |reason| Err(RosterError::Inactive { agency: self.id.clone(), reason });
        let (from, until, reviewed) = match &self.standing {
            Standing::Contributor { mou_from, mou_until, policy_reviewed_on, .. } => {
                (*mou_from, *mou_until, *policy_reviewed_on)
            }
            Standing::Requester { admitted_on, policy_reviewed_on, .. } => {
                (*admitted_on, None, *policy_reviewed_on)
            }
        };
        if today < from {
            return inactive("its agreement has not begun");
        }
        if until.is_some_and(|until| today >= until) {
            return inactive(AGREEMENT_ENDED);
        }
        if today < reviewed {
            return inactive("its chief executive's review of the policy is still to come");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    fn caller(name: &str) -> Caller {
        Caller { name: CertificateName::parse(name).unwrap(), fingerprint: [0; 32] }
    }

    fn roster() -> Roster {
        toml::from_str(
            r#"
            [[agency]]
            id = "slmpd"
            name = "Metropolitan Police Department"
            standing = { kind = "contributor", mou_from = "2026-01-12", mou_until = "2027-01-01",
                policy_reviewed_on = "2026-01-10", policy_version = "3" }
            [[agency]]
            id = "madison"
            name = "Madison County"
            standing = { kind = "requester", admitted_on = "2026-02-01",
                policy_reviewed_on = "2026-02-01", policy_version = "3" }
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
    fn certificate_names_parse_and_nothing_like_them_does() {
        for name in ["smrt:agency/slmpd/feed", "smrt:device/rtcc-1", "smrt:witness/court"] {
            assert_eq!(CertificateName::parse(name).unwrap().to_string(), name);
        }
        for wrong in [
            "",
            "smrt:agency/slmpd",
            "smrt:agency/SLMPD/feed",
            "smrt:agency/a/feed/x",
            "smrt:device/",
            "smrt:device/a/b",
            "http:device/a",
        ] {
            assert_eq!(CertificateName::parse(wrong), None, "{wrong}");
        }
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
