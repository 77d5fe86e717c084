//! The table of leaves: each kind with its code, its name in figures, the leaves that it follows,
//! what its counts count, and what its sealed detail says: who did what for whom, why, and how it
//! ended.
//!
//! Codes are for ever: a kind that isn't written any more keeps its code. Where a detail says again
//! what a leaf counts, the table says how, and whoever checks a log holds the two against each
//! other. Bookings are named by version id only; no booking data is copied. `LEAVES.md` beside this
//! file shows an example of each.
//!
//! Everybody in the roster reads leaves, and the time of a booking is public elsewhere: so the leaf
//! that says that a booking came in, and the leaf that says that a search was asked for, are
//! pointed at by nothing that would tell what became of that one person. What must be tied to a
//! booking bears its **tag**: a number that only the box can compute, from its master key and the
//! index of the leaf with which that version of the booking came in. By it a restored box finds its
//! bookings again in what others kept of the log; to everybody else it is a random number. What
//! became of an inquiry bears the tag of that inquiry, made the same way, and what two examiners
//! found stands in details alone: beside a register of arrests, either would single people out.

use serde::{Deserialize, Serialize};

use super::detail::{Actor, Alarm, Refusal, SampleFinding, Sealed, Shown, Unusable};
use super::error::AuditError;
use super::touch::{ActApproval, Credential, Registration, SearchApproval, Touch};
use crate::booking::{Identifier, VersionId};
use crate::calendar::{Span, Time};
use crate::inquiry::{CopyOrder, Finding, Handover, Outcome, Request};
use crate::limits::{DETAIL_BYTES_MAX, REFUSAL_CHARS_MAX};
use crate::roster::{OffReason, Person};
use crate::rule::Rule;

/// How many leaves a kind follows, and of which kinds these may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follows {
    pub least: usize,
    pub most: usize,
    pub kinds: &'static [LeafKind],
}

/// What a detail says of a count, if anything.
macro_rules! told {
    () => {
        None
    };
    ($told:expr) => {
        Some($told)
    };
}

macro_rules! leaves {
    ($(
        $(#[doc = $doc:literal])+
        $kind:ident = $code:literal $name:literal
        $least:literal..=$most:literal of [$($from:ident),*]
        [$($count:ident $(= $told:expr)?),*]
        { $($field:ident: $type:ty),* }
    )+) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum LeafKind {
            $($(#[doc = $doc])+ $kind = $code,)+
        }

        impl LeafKind {
            /// All kinds, by their codes.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)+];

            /// The kind of a code.
            pub fn of(code: u16) -> Option<Self> {
                match code {
                    $($code => Some(Self::$kind),)+
                    _ => None,
                }
            }

            /// Its name in figures.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)+
                }
            }

            /// What it says, in words.
            pub fn words(self) -> &'static str {
                match self {
                    $(Self::$kind => concat!($($doc),+).trim_ascii(),)+
                }
            }

            /// What its counts count, in their order.
            pub fn counts(self) -> &'static [&'static str] {
                match self {
                    $(Self::$kind => &[$(stringify!($count)),*],)+
                }
            }

            /// How many leaves it follows, and of which kinds these may be.
            pub fn follows(self) -> Follows {
                match self {
                    $(Self::$kind => Follows {
                        least: $least, most: $most, kinds: &[$(Self::$from),*] },)+
                }
            }
        }

        /// The detail of a leaf, one variant a kind: JSON, committed to and sealed byte for byte as
        /// it was written; an auditor to whom it is opened reads the same type.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "detail", rename_all = "snake_case")]
        #[expect(clippy::large_enum_variant, reason = "one is made for a leaf and goes when it is \
            written; none are kept by the thousand")]
        pub enum Detail {
            $($(#[doc = $doc])+ $kind { $($field: $type),* },)+
        }

        impl Detail {
            /// The kind of leaf that it belongs to.
            pub fn kind(&self) -> LeafKind {
                match self {
                    $(Self::$kind { .. } => LeafKind::$kind,)+
                }
            }

            /// What it says of each of its leaf's counts, in their order; none of those that it
            /// doesn't repeat.
            #[expect(unused_variables, reason = "few fields of a detail say what its leaf counts")]
            pub(super) fn counts(&self) -> Vec<Option<u64>> {
                match self {
                    $(Self::$kind { $($field),* } => vec![$(told!($($told)?)),*],)+
                }
            }
        }
    };
}

leaves! {
    /// The daemon is about to serve.
    Started = 1 "started" 0..=0 of [] [gallery_rows]
        { software: String, state: String, model: String, engine: String, device: String,
        roster_sha256: String }
    /// The daemon stopped in order.
    Stopped = 2 "stopped" 0..=0 of [] []
        { software: String }
    /// Something is wrong that people must look after.
    AlarmRaised = 3 "alarm_raised" 0..=0 of [] [alarm = *alarm as u64]
        { alarm: Alarm, what: String }
    /// What an alarm was about is right again.
    AlarmCleared = 4 "alarm_cleared" 1..=1 of [AlarmRaised] [alarm = *alarm as u64]
        { alarm: Alarm, what: String }
    /// The clock of the box stands behind its newest leaf, or went ahead by more than time passed.
    ClockStepped = 5 "clock_stepped" 0..=0 of []
        [behind_cs = behind_cs.cs(), ahead_cs = ahead_cs.cs()]
        { behind_cs: Span, ahead_cs: Span }
    /// An administrator and the site's time source agree with the clock.
    ClockConfirmed = 6 "clock_confirmed" 1..=1 of [AlarmRaised] []
        { actor: Actor, time_source: String }
    /// The log of a restored backup was brought up to what witnesses had kept of it.
    LogRestored = 7 "log_restored" 0..=0 of []
        [backup_leaves = *backup_leaves, supplied_leaves = *supplied_leaves]
        { software: String, backup_leaves: u64, supplied_leaves: u64, checkpoint: String }
    /// The log goes on under another origin, because what witnesses had cosigned beyond the backup
    /// is lost.
    OriginOpened = 8 "origin_opened" 0..=0 of []
        [backup_leaves = *backup_leaves, cosigned_leaves]
        { software: String, former: String, backup_leaves: u64, backup_root: String, cosigned:
        String }
    /// A booking came in. Where it replaces an older version of itself, it bears the tag of that
    /// one, by which only the box finds it again; else 0.
    BookingIn = 16 "booking_in" 0..=0 of [] [replaces]
        { actor: Actor, agency: Identifier, version: VersionId, replaces: Option<VersionId>,
        photo_commitment: String }
    /// A booking was refused.
    BookingRefused = 17 "booking_refused" 0..=0 of [] []
        { actor: Actor, rule: Rule, reason: String }
    /// An agency released a booking: it is suppressed from here on. The tag says to the box alone
    /// which one.
    Released = 18 "released" 0..=0 of [] [booking]
        { actor: Actor, agency: Identifier, versions: Vec<VersionId>, reason: String }
    /// A suppressed booking's key, photo and record are gone. The tag is that of its release, or of
    /// the version that another one replaced.
    Purged = 19 "purged" 0..=1 of [Released] [booking]
        { agency: Identifier, version: VersionId, assurance: String }
    /// An agency gave notice of evidentiary value, of a booking that it released or, where it
    /// follows nothing, of one that stands.
    HoldNoticed = 20 "hold_noticed" 0..=1 of [Released] [by_order = u64::from(order.is_some())]
        { actor: Actor, agency: Identifier, version: VersionId, order: Option<String>, reason:
        String }
    /// The notice of evidentiary value was decided.
    HoldDecided = 21 "hold_decided" 1..=1 of [HoldNoticed] [granted = u64::from(*granted)]
        { actor: Actor, version: VersionId, granted: bool, reason: String }
    /// An agency's request for longer retention was decided.
    ExtensionDecided = 22 "extension_decided" 1..=1 of [Released]
        [granted = u64::from(*granted), days = *days]
        { actor: Actor, agency: Identifier, version: VersionId, granted: bool, case_number:
        String, contact: String, reason: String, days: u64 }
    /// A held booking was transferred to removable media.
    Transferred = 23 "transferred" 1..=1 of [HoldDecided] []
        { actor: Actor, version: VersionId, manifest_sha256: String }
    /// Bookings were suppressed because what is kept of them is damaged.
    BookingsDamaged = 24 "bookings_damaged" 0..=0 of [] [bookings = len(versions)]
        { versions: Vec<VersionId> }
    /// A search was asked for; written before it runs.
    Asked = 32 "asked" 1..=1 of [InquiryOpened] []
        { actor: Actor, search: String, inquiry: String, request: Request, approval:
        SearchApproval, touch: Touch, key: Credential }
    /// A search was answered; written before the answer leaves.
    Answered = 33 "answered" 1..=1 of [Asked] [candidates = len(candidates)]
        { actor: Actor, search: String, model: String, gallery_rows: u64, candidates: Vec<Shown>
        }
    /// A search was asked for and never answered.
    Interrupted = 34 "interrupted" 1..=1 of [Asked] []
        { search: Option<String> }
    /// A search was refused.
    SearchRefused = 35 "search_refused" 0..=1 of [InquiryOpened] []
        { actor: Actor, request: Option<Request>, rule: Rule, reason: String }
    /// A candidate's photo was shown.
    PhotoViewed = 36 "photo_viewed" 1..=1 of [Answered] []
        { actor: Actor, search: String, version: VersionId }
    /// An inquiry was opened.
    InquiryOpened = 37 "inquiry_opened" 0..=0 of [] []
        { actor: Actor, inquiry: String, request: Request }
    /// An examiner dispositioned all candidates of an answer.
    Reviewed = 38 "reviewed" 1..=2 of [Answered, Reviewed]
        [examiner, candidates = len(findings) + len(released)]
        { actor: Actor, inquiry: String, findings: Vec<Finding>, released:
        Vec<VersionId>, disagreements: u64 }
    /// A report was issued.
    ReportIssued = 39 "report_issued" 3..=3 of [Answered, Reviewed] []
        { actor: Actor, inquiry: String, report_sha256: String, leads: Vec<VersionId> }
    /// What came of a report was recorded. The tag says to the box alone of which inquiry.
    OutcomeRecorded = 40 "outcome_recorded" 0..=0 of [] [inquiry]
        { actor: Actor, inquiry: String, outcome: Outcome }
    /// An inquiry was closed. The tag says to the box alone which one.
    InquiryClosed = 41 "inquiry_closed" 0..=0 of [] [inquiry, withdrawn = u64::from(*withdrawn)]
        { actor: Actor, inquiry: String, withdrawn: bool, reason: String }
    /// A report was handed over as evidence, because it was used for a positive identification. The
    /// tag says to the box alone of which inquiry.
    EvidenceMarked = 42 "evidence_marked" 0..=0 of [] [inquiry]
        { actor: Actor, inquiry: String, handover: Handover }
    /// The file of a report was given to a person of its inquiry.
    ReportGiven = 43 "report_given" 0..=0 of [] []
        { actor: Actor, inquiry: String, report_sha256: String }
    /// The commander ordered a further copy of a report, by touch. The tag says to the box alone of
    /// which inquiry.
    CopyOrdered = 44 "copy_ordered" 0..=0 of [] [inquiry]
        { actor: Actor, inquiry: String, order: CopyOrder, approval: ActApproval, touch: Touch }
    /// An auditor gave out the copy that was ordered, by touch.
    CopyGiven = 45 "copy_given" 1..=1 of [CopyOrdered] [inquiry]
        { actor: Actor, inquiry: String, report_sha256: String, approval: ActApproval, touch: Touch
        }
    /// A caller with a valid certificate was refused for who it is.
    CallerRefused = 48 "caller_refused" 0..=0 of [] []
        { actor: Actor, rule: Rule, reason: String }
    /// A caller was refused again and again within an hour, for whatever reasons; the first refusal
    /// has a leaf of its own.
    RefusalsGathered = 49 "refusals_gathered" 1..=1 of [BookingRefused, SearchRefused,
        CallerRefused, LogOnRefused]
        [kind, refusals = *refusals]
        { actor: Actor, hour_cs: Time, refusals: u64, kept: Vec<Refusal> }
    /// A person logged on.
    LoggedOn = 50 "logged_on" 0..=0 of [] []
        { actor: Actor, approval: ActApproval, touch: Touch }
    /// A person logged off, or was.
    LoggedOff = 51 "logged_off" 1..=1 of [LoggedOn] [by_itself]
        { actor: Actor, why: String }
    /// A log-on was refused.
    LogOnRefused = 52 "log_on_refused" 0..=0 of [] []
        { actor: Actor, person: Option<Identifier>, rule: Rule, reason: String }
    /// A person was locked out: at one device or, where the account's own key had signed what was
    /// refused, everywhere.
    LockedOut = 53 "locked_out" 0..=1 of [LogOnRefused] []
        { person: Identifier, device: Option<Identifier>, tries: u64 }
    /// A person who was locked out was let in again.
    Unlocked = 54 "unlocked" 1..=8 of [LockedOut] []
        { actor: Actor, person: Identifier, approval: ActApproval, touch: Touch }
    /// Agencies, people, devices, witnesses or their quorum changed.
    RosterChanged = 55 "roster_changed" 0..=1 of [RosterChanged, Started] []
        { by: Vec<Identifier>, what: String, roster_sha256: String }
    /// The policy's text or its terms changed.
    PolicyChanged = 56 "policy_changed" 0..=1 of [PolicyChanged] []
        { by: Vec<Identifier>, version: String, policy_sha256: String }
    /// An administrator asked for an account, a role or a key, by touch; the commander is yet to
    /// approve.
    GrantAsked = 57 "grant_asked" 0..=0 of [] []
        { actor: Actor, grant: String, person: Person, key: Option<Credential>, registration:
        Option<Box<Registration>>, approval: ActApproval, touch: Touch }
    /// The commander approved, by touch: from here on it holds.
    GrantApproved = 58 "grant_approved" 1..=1 of [GrantAsked] []
        { actor: Actor, grant: String, person: Identifier, approval: ActApproval, touch: Touch }
    /// It was declined, or nobody approved in time.
    GrantDeclined = 59 "grant_declined" 1..=1 of [GrantAsked] []
        { actor: Option<Actor>, grant: String, person: Identifier, reason: String }
    /// A first commander or administrator was appointed at the box itself, before there was anybody
    /// who could ask or approve.
    Appointed = 60 "appointed" 0..=0 of [] []
        { person: Person }
    /// A person who was appointed at the box enrolled a key.
    KeyEnrolled = 61 "key_enrolled" 1..=1 of [Appointed] []
        { actor: Actor, person: Identifier, key: Credential, registration: Box<Registration>,
        approval: ActApproval }
    /// An account went off: its person left, nobody used it, or its time was over.
    AccountOff = 62 "account_off" 0..=0 of [] [why]
        { actor: Option<Actor>, person: Identifier, why: OffReason }
    /// Somebody confirmed that a person still needs an account.
    AccountReviewed = 63 "account_reviewed" 0..=0 of [] []
        { actor: Actor, person: Identifier }
    /// A switch to another model was begun, or asked for again under other terms.
    ModelSwitchBegun = 64 "model_switch_begun" 0..=1 of [ModelSwitchBegun]
        [bookings = *bookings, failures_accepted = *accept_failed]
        { actor: Actor, from: String, to: String, bookings: u64, accept_failed: u64 }
    /// Searches are answered by another model from here on.
    ModelSwitched = 65 "model_switched" 1..=1 of [ModelSwitchBegun]
        [bookings = *bookings, suppressed = *suppressed]
        { from: String, to: String, bookings: u64, suppressed: u64, found_again: u64 }
    /// A switch was given up: searches stay on the model they had.
    ModelSwitchGivenUp = 66 "model_switch_given_up" 1..=1 of [ModelSwitchBegun]
        [embedded = *embedded, failed = *failed]
        { actor: Actor, from: String, to: String, embedded: u64, failed: u64 }
    /// A model makes no vector of these bookings' photos: no search finds them until their agencies
    /// send others.
    BookingsSuppressed = 67 "bookings_suppressed" 1..=1 of [ModelSwitchBegun, ModelSwitched]
        [bookings = len(bookings)]
        { model: String, bookings: Vec<Unusable> }
    /// A commander who was locked out was let in again at the box itself; an alarm says so.
    UnlockedAtBox = 68 "unlocked_at_box" 1..=8 of [LockedOut] []
        { person: Identifier }
    /// A caller brought a newer revocation list of the authority: from here on it counts.
    ListTaken = 69 "list_taken" 0..=0 of [] []
        { actor: Actor, list_sha256: String, number: Option<String>, ends_cs: Time, revoked: u64 }
    /// A caller read the log, for the first time in an hour; or how much more it read in that hour.
    LogRead = 80 "log_read" 0..=1 of [LogRead] [tiles, bundles]
        { actor: Actor, hour_cs: Time }
    /// Details were opened for an auditor.
    DetailsOpened = 81 "details_opened" 0..=0 of [] [details = end.saturating_sub(*first)]
        { actor: Actor, first: u64, end: u64 }
    /// A probe was opened for an auditor.
    ProbeOpened = 82 "probe_opened" 0..=0 of [] []
        { actor: Actor, inquiry: String }
    /// The log was exported with its checkpoints.
    Exported = 83 "exported" 0..=0 of [] [leaves = *leaves]
        { actor: Actor, leaves: u64 }
    /// Details whose term was over are gone.
    DetailsExpired = 84 "details_expired" 0..=0 of [] [first = *first, end = *end]
        { first: u64, end: u64, kept_days: u64 }
    /// Inquiries whose term was over are gone: their keys, probes, records and the box's own copies
    /// of reports.
    ProbesExpired = 85 "probes_expired" 0..=0 of [] [probes = len(inquiries)]
        { inquiries: Vec<String>, kept_days: u64, assurance: String }
    /// The seed of an audit's sample, before anything is drawn.
    SampleSeeded = 86 "sample_seeded" 0..=0 of []
        [seed = *seed, rate_ppm = *rate_ppm, first = *first, end = *end]
        { actor: Actor, seed: u64, rate_ppm: u64, first: u64, end: u64 }
    /// An audit's sample was drawn.
    SampleDrawn = 87 "sample_drawn" 1..=1 of [SampleSeeded] [population, drawn = len(leaves)]
        { actor: Actor, leaves: Vec<u64> }
    /// An auditor reviewed a search of a sample; which one, and what was found, its detail says.
    SampleReviewed = 88 "sample_reviewed" 1..=1 of [SampleDrawn] []
        { actor: Actor, asked: u64, finding: SampleFinding, note: String, routed_to:
        Option<Identifier> }
    /// A public report was made.
    PublicReport = 89 "public_report" 0..=0 of [] [from_day, to_day, leaves]
        { actor: Actor, report_sha256: String }
    /// An agency looked at findings of misuse by people whom it employs.
    FindingsRead = 90 "findings_read" 0..=0 of [] [findings]
        { actor: Actor, first: u64, end: u64 }
    /// An auditor went through what the log says since the look before.
    LogReviewed = 91 "log_reviewed" 0..=0 of [] [first = *first, end = *end]
        { actor: Actor, first: u64, end: u64, note: String }
    /// Somebody was shown what is sealed, for the first time in an hour; or how often more in that
    /// hour.
    SealedRead = 92 "sealed_read" 0..=1 of [SealedRead] [reads]
        { actor: Actor, what: Sealed, inquiry: Option<String>, hour_cs: Time }
}

impl LeafKind {
    /// What it says, in its first sentence.
    pub fn gist(self) -> &'static str {
        let words = self.words();
        words.split_once(". ").map_or(words, |(gist, _)| &words[..=gist.len()])
    }

    /// Whether it says what an audit drew, found or went through.
    pub fn is_of_audits(self) -> bool {
        matches!(self, Self::SampleDrawn | Self::SampleReviewed | Self::LogReviewed)
    }

    /// Whether it refuses somebody something.
    pub fn is_refusal(self) -> bool {
        matches!(
            self,
            Self::BookingRefused | Self::SearchRefused | Self::CallerRefused | Self::LogOnRefused
        )
    }
}

impl Detail {
    /// Who was refused, and what is kept of it where it is gathered, if this is a refusal.
    pub fn refusal(&self, time: Time) -> Option<(&Actor, Refusal)> {
        let (actor, request, rule, reason) = match self {
            Self::SearchRefused { actor, request, rule, reason } => (actor, request, rule, reason),
            Self::BookingRefused { actor, rule, reason }
            | Self::CallerRefused { actor, rule, reason }
            | Self::LogOnRefused { actor, rule, reason, .. } => (actor, &None, rule, reason),
            _ => return None,
        };
        let (request, reason) = (request.clone(), reason.clone());
        Some((actor, Refusal { time_cs: time, rule: *rule, reason, request }))
    }

    /// The refusal of this kind, of no more than its words; of a caller, where the kind is that of
    /// no booking and no search.
    pub fn refused(kind: LeafKind, actor: Actor, rule: Rule, reason: String) -> Self {
        match kind {
            LeafKind::BookingRefused => Self::BookingRefused { actor, rule, reason },
            LeafKind::SearchRefused => Self::SearchRefused { actor, request: None, rule, reason },
            _ => Self::CallerRefused { actor, rule, reason },
        }
    }

    /// The same, where it is a refusal with its words cut to what is kept of them: whoever is
    /// refused chose them.
    pub fn within_bounds(self) -> Self {
        let cut = |words: String| words.chars().take(REFUSAL_CHARS_MAX).collect();
        match self {
            Self::SearchRefused { actor, request, rule, reason } => {
                let request = request.map(Request::within_bounds);
                Self::SearchRefused { actor, request, rule, reason: cut(reason) }
            }
            Self::BookingRefused { actor, rule, reason } => {
                Self::BookingRefused { actor, rule, reason: cut(reason) }
            }
            Self::CallerRefused { actor, rule, reason } => {
                Self::CallerRefused { actor, rule, reason: cut(reason) }
            }
            Self::LogOnRefused { actor, person, rule, reason } => {
                Self::LogOnRefused { actor, person, rule, reason: cut(reason) }
            }
            other => other,
        }
    }

    /// Whether it is short enough to be kept; asked before it is written.
    pub fn check_length(&self) -> Result<(), AuditError> {
        match self.to_bytes().len() {
            found if found > DETAIL_BYTES_MAX => Err(AuditError::DetailBytes { found }),
            _ => Ok(()),
        }
    }

    /// The detail as it is committed to and sealed.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a detail holds only strings, numbers and lists of them")
    }
}

fn len<T>(of: &[T]) -> u64 {
    of.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{LEAF_COUNTS_MAX, LEAF_FOLLOWS_MAX};

    #[test]
    fn codes_and_names_are_each_of_one_kind_and_within_what_a_leaf_holds() {
        for (at, &kind) in LeafKind::ALL.iter().enumerate() {
            assert_eq!(LeafKind::of(kind as u16), Some(kind));
            assert!(
                LeafKind::ALL[..at]
                    .iter()
                    .all(|other| other.name() != kind.name() && (*other as u16) < kind as u16),
                "{kind:?}"
            );
            let follows = kind.follows();
            assert!(
                follows.least <= follows.most
                    && follows.most <= LEAF_FOLLOWS_MAX
                    && kind.counts().len() <= LEAF_COUNTS_MAX
            );
            assert_eq!(follows.most == 0, follows.kinds.is_empty(), "{kind:?}");
        }
        assert_eq!(LeafKind::of(9), None);
    }

    #[test]
    fn nothing_points_at_a_booking_and_at_a_search_only_what_every_search_comes_to() {
        let pointing = |at: LeafKind| {
            LeafKind::ALL
                .iter()
                .copied()
                .filter(|kind| kind.follows().kinds.contains(&at))
                .collect::<Vec<_>>()
        };
        assert_eq!(pointing(LeafKind::BookingIn), []);
        assert_eq!(pointing(LeafKind::Asked), [LeafKind::Answered, LeafKind::Interrupted]);
        assert_eq!(pointing(LeafKind::InquiryOpened), [LeafKind::Asked, LeafKind::SearchRefused]);
        assert_eq!(pointing(LeafKind::ReportIssued), []);
    }
}
