//! What details are made of: actors, alarms, candidates as they were answered, refusals that were
//! gathered, findings of audits.

use std::fmt::{Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::booking::{Identifier, VersionId};
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
    /// When, in hundredths of a second since 1970-01-01 UTC.
    pub time_cs: u64,
    /// The rule by which it was refused.
    pub rule: Rule,
    /// Why, in the words that were told.
    pub reason: String,
    /// What was asked for, where it was a search.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
}

macro_rules! details {
    ($($(#[doc = $doc:literal])+ $kind:ident { $($(#[$meta:meta])* $field:ident: $type:ty),* $(,)?
        })+) => {
        /// One detail, one variant a kind of leaf.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "detail", rename_all = "snake_case")]
        #[expect(clippy::large_enum_variant, reason = "one is made for a leaf and goes when it is \
            written; none are kept by the thousand")]
        pub enum Detail {
            $($(#[doc = $doc])+ $kind { $($(#[$meta])* $field: $type),* },)+
        }

        impl Detail {
            /// The kind of leaf that it belongs to.
            pub fn kind(&self) -> LeafKind {
                match self {
                    $(Self::$kind { .. } => LeafKind::$kind,)+
                }
            }
        }
    };
}

details! {
    /// The daemon is about to serve.
    Started { software: String, state: String, model: String, engine: String, device: String,
        roster_sha256: String }
    /// The daemon stopped in order.
    Stopped { software: String }
    /// Something is wrong.
    AlarmRaised { alarm: Alarm, what: String }
    /// It is right again.
    AlarmCleared { alarm: Alarm, what: String }
    /// The clock is behind, or went ahead.
    ClockStepped { behind_cs: u64, ahead_cs: u64 }
    /// The clock is right.
    ClockConfirmed { actor: Actor, time_source: String }
    /// A backup's log was brought up to what witnesses kept.
    LogRestored { software: String, backup_leaves: u64, supplied_leaves: u64, checkpoint: String }
    /// The log goes on under another origin.
    OriginOpened { software: String, former: String, backup_leaves: u64, backup_root: String,
        cosigned: String }
    /// A booking came in.
    BookingIn { actor: Actor, agency: Identifier, version: VersionId, replaces: Option<VersionId>,
        photo_commitment: String }
    /// A booking was refused.
    BookingRefused { actor: Actor, reason: String }
    /// A booking was released.
    Released { actor: Actor, agency: Identifier, versions: Vec<VersionId>, reason: String }
    /// A booking was purged.
    Purged { agency: Identifier, version: VersionId, assurance: String }
    /// A notice of evidentiary value came.
    HoldNoticed { actor: Actor, agency: Identifier, version: VersionId, order: Option<String>,
        reason: String }
    /// It was decided.
    HoldDecided { actor: Actor, version: VersionId, granted: bool, reason: String }
    /// A request for longer retention was decided.
    ExtensionDecided { actor: Actor, agency: Identifier, version: VersionId, granted: bool,
        case_number: String, contact: String, reason: String, days: u64 }
    /// A held booking went to removable media.
    Transferred { actor: Actor, version: VersionId, manifest_sha256: String }
    /// Bookings that are suppressed because what is kept of them is damaged.
    BookingsDamaged { versions: Vec<VersionId> }
    /// A search was asked for.
    Asked { actor: Actor, search: String, inquiry: String, request: Request,
        approval: SearchApproval, touch: Touch, key: Credential }
    /// A search was answered.
    Answered { actor: Actor, search: String, model: String, gallery_rows: u64,
        candidates: Vec<Shown> }
    /// A search was never answered.
    Interrupted { search: Option<String> }
    /// A search was refused.
    SearchRefused { actor: Actor, request: Option<Request>, reason: String }
    /// A candidate's photo was shown.
    PhotoViewed { actor: Actor, search: String, version: VersionId }
    /// An inquiry was opened.
    InquiryOpened { actor: Actor, inquiry: String, request: Request }
    /// An examiner dispositioned all candidates.
    Reviewed { actor: Actor, inquiry: String, findings: Vec<inquiry::Finding>,
        released: Vec<VersionId> }
    /// A report was issued.
    ReportIssued { actor: Actor, inquiry: String, report_sha256: String, leads: Vec<VersionId> }
    /// What came of a report.
    OutcomeRecorded { actor: Actor, inquiry: String, outcome: Outcome }
    /// The report was handed over as evidence.
    EvidenceMarked { actor: Actor, inquiry: String, handover: Handover }
    /// An inquiry was closed.
    InquiryClosed { actor: Actor, inquiry: String, withdrawn: bool, reason: String }
    /// A caller was refused for who it is.
    CallerRefused { actor: Actor, reason: String }
    /// A caller was refused again and again.
    RefusalsGathered { actor: Actor, hour_cs: u64, refusals: u64, kept: Vec<Refusal> }
    /// A person logged on.
    LoggedOn { actor: Actor, approval: ActApproval, touch: Touch }
    /// A person logged off.
    LoggedOff { actor: Actor, why: String }
    /// A log-on was refused.
    LogOnRefused { actor: Actor, person: Option<Identifier>, reason: String }
    /// A person was locked out.
    LockedOut { person: Identifier, tries: u64 }
    /// A person was let in again.
    Unlocked { actor: Actor, person: Identifier, approval: ActApproval, touch: Touch }
    /// Who and what stands in the roster changed.
    RosterChanged { by: Vec<Identifier>, what: String, roster_sha256: String }
    /// An account, a role or a key was asked for.
    GrantAsked { actor: Actor, grant: String, person: Person, key: Option<Credential>,
        approval: ActApproval, touch: Touch }
    /// It was approved.
    GrantApproved { actor: Actor, grant: String, person: Identifier, approval: ActApproval,
        touch: Touch }
    /// It was declined.
    GrantDeclined { actor: Option<Actor>, grant: String, person: Identifier, reason: String }
    /// A first commander or administrator was appointed at the box.
    Appointed { person: Person }
    /// A person who was appointed enrolled a key.
    KeyEnrolled { actor: Actor, person: Identifier, key: Credential, approval: ActApproval }
    /// An account went off.
    AccountOff { actor: Option<Actor>, person: Identifier, why: OffReason }
    /// An account is still needed.
    AccountReviewed { actor: Actor, person: Identifier }
    /// The policy changed.
    PolicyChanged { by: Vec<Identifier>, version: String, policy_sha256: String }
    /// A switch of the model was begun.
    ModelSwitchBegun { actor: Actor, from: String, to: String, bookings: u64, accept_failed: u64 }
    /// The model was switched.
    ModelSwitched { from: String, to: String, bookings: u64, suppressed: u64, found_again: u64 }
    /// A switch of the model was given up.
    ModelSwitchGivenUp { actor: Actor, from: String, to: String, embedded: u64, failed: u64 }
    /// Bookings that a model suppresses.
    BookingsSuppressed { model: String, bookings: Vec<Unusable> }
    /// A caller read the log.
    LogRead { actor: Actor, hour_cs: u64 }
    /// An auditor had details opened.
    DetailsOpened { actor: Actor, first: u64, end: u64 }
    /// An auditor had a probe opened.
    ProbeOpened { actor: Actor, inquiry: String }
    /// The log was exported.
    Exported { actor: Actor, leaves: u64 }
    /// Details whose term was over are gone.
    DetailsExpired { first: u64, end: u64, kept_days: u64 }
    /// Inquiries whose term was over are gone with their probes.
    ProbesExpired { inquiries: Vec<String>, kept_days: u64, assurance: String }
    /// The seed of a sample.
    SampleSeeded { actor: Actor, seed: u64, rate_ppm: u64, first: u64, end: u64 }
    /// A sample was drawn.
    SampleDrawn { actor: Actor, leaves: Vec<u64> }
    /// A search of a sample was reviewed.
    SampleReviewed { actor: Actor, asked: u64, finding: Finding, note: String,
        routed_to: Option<Identifier> }
    /// An agency looked at findings about people whom it employs.
    FindingsRead { actor: Actor, first: u64, end: u64 }
    /// An auditor went through the log.
    LogReviewed { actor: Actor, first: u64, end: u64, note: String }
    /// A public report was made.
    PublicReport { actor: Actor, report_sha256: String }
}

impl Detail {
    /// Who was refused what and why, where this is a refusal.
    pub fn refusal(&self) -> Option<(&Actor, Option<&Request>, &str)> {
        match self {
            Self::SearchRefused { actor, request, reason } => {
                Some((actor, request.as_ref(), reason))
            }
            Self::BookingRefused { actor, reason }
            | Self::CallerRefused { actor, reason }
            | Self::LogOnRefused { actor, reason, .. } => Some((actor, None, reason)),
            _ => None,
        }
    }

    /// The detail as it is committed to and sealed.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a detail holds only strings, numbers and lists of them")
    }
}

impl From<&Caller> for Actor {
    fn from(caller: &Caller) -> Self {
        Self {
            certificate: caller.name.to_string(),
            fingerprint: hex::encode(caller.fingerprint),
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
