//! What details are made of: actors, alarms, candidates as they were answered, refusals that were
//! gathered, findings of audits.

use std::fmt::{Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::booking::{Identifier, VersionId};
use crate::calendar::Time;
use crate::inquiry::Request;
use crate::named::named;
use crate::roster::{Caller, Person};
use crate::rule::Rule;

/// The actor of a transaction or query, as the door established it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The name in its certificate.
    pub certificate: String,
    /// SHA-256 of that certificate, hexadecimal.
    pub fingerprint: String,
    /// Who had logged on there; none where it is no console or nobody had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Identifier>,
    /// The agency that employed that person then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<Identifier>,
}

impl Actor {
    /// A person at a console.
    pub fn at(caller: &Caller, person: &Person) -> Self {
        Self {
            person: Some(person.id.clone()),
            agency: Some(person.agency.clone()),
            ..Self::from(caller)
        }
    }
}

/// Something that people must look after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Alarm {
    /// Witnesses did not cosign the log in time.
    Unwitnessed = 1,
    /// A checkpoint under the log's own key contradicts the log.
    LogInDoubt = 2,
    /// The clock stands behind the newest leaf.
    ClockBehind = 3,
    /// The clock went ahead by more than time passed.
    ClockAhead = 4,
    /// The medium is almost full.
    DiskLow = 5,
    /// No witness is listed.
    NoWitnesses = 6,
    /// An audit's sample, a review of one, or the weekly look through the log is overdue.
    AuditOverdue = 7,
    /// A booking that was released or replaced isn't purged in time.
    PurgeOverdue = 8,
    /// The authority's revocation list that was put in place doesn't count.
    RevocationListUnfit = 9,
    /// The authority's revocation list has ended.
    RevocationListOver = 10,
    /// The authority's revocation list or a certificate of the box ends soon.
    CredentialEnds = 11,
    /// A locked account was released at the box.
    ReleasedAtBox = 12,
}

/// What an audit found of one search.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum SampleFinding {
    /// All as the order wants it.
    InOrder = 0,
    /// Something is missing or unclear, and to be put right.
    Irregular = 1,
    /// It was used for what it may not be used for: routed to the agency that employs the person.
    Misuse = 2,
}

/// What is sealed and was shown to somebody: a closed list. What has a leaf of its own for each
/// look, as a candidate's photo, a report's file and a detail, isn't among it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sealed {
    /// The list of inquiries that a person has part in, or may have.
    Inquiries,
    /// An inquiry, with what the person may see of its candidates.
    Inquiry,
    /// The probe of an inquiry.
    Probe,
    /// Further copies of reports that were ordered.
    Copies,
    /// The proof of a report, which opens the leaf that issued it.
    ReportProof,
    /// What audits found.
    Findings,
    /// Samples, and how far their reviews are.
    Samples,
    /// Accounts.
    Accounts,
    /// Changes of accounts that wait for approval.
    Grants,
    /// An agency's own bookings.
    Bookings,
}

/// A booking of whose photo a model makes no vector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unusable {
    /// The booking's version.
    pub version: VersionId,
    /// The reason's name.
    pub reason: String,
}

/// A candidate as it was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The booking's version.
    pub version: VersionId,
    /// Cosine, -1 to 1.
    pub score: f64,
}

/// A refusal that was gathered with others of its caller and hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// When.
    pub time_cs: Time,
    /// The rule by which it was refused.
    pub rule: Rule,
    /// Why, in the words that were told.
    pub reason: String,
    /// What was asked for, where it was a search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
}

impl From<&Caller> for Actor {
    fn from(caller: &Caller) -> Self {
        Self {
            certificate: caller.name.to_string(),
            fingerprint: caller.fingerprint.to_string(),
            person: None,
            agency: None,
        }
    }
}

named!(Alarm {
    Unwitnessed = "unwitnessed" "Not witnessed in time";
    LogInDoubt = "log_in_doubt" "Log in doubt";
    ClockBehind = "clock_behind" "Clock behind";
    ClockAhead = "clock_ahead" "Clock ahead";
    DiskLow = "disk_low" "Disk almost full";
    NoWitnesses = "no_witnesses" "No witness listed";
    AuditOverdue = "audit_overdue" "Audit overdue";
    PurgeOverdue = "purge_overdue" "Purge overdue";
    RevocationListUnfit = "revocation_list_unfit" "Revocation list not taken";
    RevocationListOver = "revocation_list_over" "Revocation list over";
    CredentialEnds = "credential_ends" "Certificate or list ends soon";
    ReleasedAtBox = "released_at_box" "Account released at the box";
});

impl Alarm {
    /// The alarm of a code.
    pub fn of(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|&alarm| alarm as u64 == code)
    }
}

impl Display for Alarm {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

named!(SampleFinding {
    InOrder = "in_order" "In order";
    Irregular = "irregular" "Irregular, to be put right";
    Misuse = "misuse" "Misuse";
});
