//! Entries of the roster: agencies, devices, witnesses with their quorum, and how fast an operator
//! may search.

use serde::{Deserialize, Serialize};
use time::Date;

use super::error::{AGREEMENT_ENDED, RosterError};
use crate::booking::{Identifier, Text, iso_date};
use crate::limits::{SEARCHES_PER_DAY_MAX, SEARCHES_PER_HOUR_MAX};

/// A witness of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessEntry {
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

impl Agency {
    /// Whether its agreement is in force on a day.
    pub(super) fn active(&self, today: Date) -> Result<(), RosterError> {
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
