//! What a leaf may say, in one table: each kind with its name in figures, what its counts count,
//! and which leaves it may follow.
//!
//! Codes are for ever: a kind that isn't written any more keeps its code. `LEAVES.md` beside this
//! file shows an example of each.
//!
//! Everybody in the roster reads leaves, and the time of a booking is public elsewhere: so the leaf
//! that says that a booking came in, and the leaf that says that a search was asked for, are
//! pointed at by nothing that would tell what became of that one person. What must be tied to a
//! booking bears its **tag**: a number that only the box can compute, from its master key and the
//! index of the leaf with which that version of the booking came in. By it a restored box finds its
//! bookings again in what others kept of the log; to everybody else it is a random number.

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $code:literal $name:literal [$($count:literal),*] $least:literal..=$most:literal of [$($from:ident),*];)+) => {
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
                    $(Self::$kind => &[$($count),*],)+
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
    };
}

/// How many leaves a kind follows, and of which kinds these may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follows {
    /// Fewest.
    pub least: usize,
    /// Most.
    pub most: usize,
    /// Their kinds.
    pub kinds: &'static [LeafKind],
}

kinds! {
    /// The daemon is about to serve.
    Started = 1 "started" ["gallery_rows"] 0..=0 of [];
    /// The daemon stopped in order.
    Stopped = 2 "stopped" [] 0..=0 of [];
    /// Something is wrong that people must look after.
    AlarmRaised = 3 "alarm_raised" ["alarm"] 0..=0 of [];
    /// What an alarm was about is right again.
    AlarmCleared = 4 "alarm_cleared" ["alarm"] 1..=1 of [AlarmRaised];
    /// The clock of the box stands behind its newest leaf, or went ahead by more than time passed.
    ClockStepped = 5 "clock_stepped" ["behind_cs", "ahead_cs"] 0..=0 of [];
    /// An administrator and the site's time source agree with the clock.
    ClockConfirmed = 6 "clock_confirmed" [] 1..=1 of [AlarmRaised];
    /// The log of a restored backup was brought up to what witnesses had kept of it.
    LogRestored = 7 "log_restored" ["backup_leaves", "supplied_leaves"] 0..=0 of [];
    /// The log goes on under another origin, because what witnesses had cosigned beyond the backup
    /// is lost.
    OriginOpened = 8 "origin_opened" ["backup_leaves", "cosigned_leaves"] 0..=0 of [];
    /// A booking came in. Where it replaces an older version of itself, it bears the tag of that
    /// one, by which only the box finds it again; else 0.
    BookingIn = 16 "booking_in" ["replaces"] 0..=0 of [];
    /// A booking was refused.
    BookingRefused = 17 "booking_refused" [] 0..=0 of [];
    /// An agency released a booking: it is suppressed from here on. The tag says to the box alone
    /// which one.
    Released = 18 "released" ["booking"] 0..=0 of [];
    /// A suppressed booking's key, photo and record are gone. The tag is that of its release, or of
    /// the version that another one replaced.
    Purged = 19 "purged" ["booking"] 0..=1 of [Released];
    /// An agency gave notice of evidentiary value, of a booking that it released or, where it
    /// follows nothing, of one that stands.
    HoldNoticed = 20 "hold_noticed" ["by_order"] 0..=1 of [Released];
    /// The notice of evidentiary value was decided.
    HoldDecided = 21 "hold_decided" ["granted"] 1..=1 of [HoldNoticed];
    /// An agency's request for longer retention was decided.
    ExtensionDecided = 22 "extension_decided" ["granted", "days"] 1..=1 of [Released];
    /// A held booking was transferred to removable media.
    Transferred = 23 "transferred" [] 1..=1 of [HoldDecided];
    /// Bookings were suppressed because what is kept of them is damaged.
    BookingsDamaged = 24 "bookings_damaged" ["bookings"] 0..=0 of [];
    /// A search was asked for; written before it runs.
    Asked = 32 "asked" [] 1..=1 of [InquiryOpened];
    /// A search was answered; written before the answer leaves.
    Answered = 33 "answered" ["candidates"] 1..=1 of [Asked];
    /// A search was asked for and never answered.
    Interrupted = 34 "interrupted" [] 1..=1 of [Asked];
    /// A search was refused.
    SearchRefused = 35 "search_refused" [] 0..=1 of [InquiryOpened];
    /// A candidate's photo was shown.
    PhotoViewed = 36 "photo_viewed" [] 1..=1 of [Answered];
    /// An inquiry was opened.
    InquiryOpened = 37 "inquiry_opened" [] 0..=0 of [];
    /// An examiner dispositioned all candidates of an answer.
    Reviewed = 38 "reviewed" ["examiner", "candidates", "leads",
        "disagreements"] 1..=2 of [Answered, Reviewed];
    /// A report was issued.
    ReportIssued = 39 "report_issued" ["leads"] 3..=3 of [Answered, Reviewed];
    /// What came of a report was recorded.
    OutcomeRecorded = 40 "outcome_recorded" ["outcome"] 1..=1 of [ReportIssued];
    /// An inquiry was closed.
    InquiryClosed = 41 "inquiry_closed" ["withdrawn"] 1..=1 of [InquiryOpened];
    /// A report was handed over as evidence, because it was used for a positive identification.
    EvidenceMarked = 42 "evidence_marked" [] 1..=1 of [ReportIssued];
    /// A caller with a valid certificate was refused for who it is.
    CallerRefused = 48 "caller_refused" [] 0..=0 of [];
    /// A caller was refused again and again within an hour, for whatever reasons; the first refusal
    /// has a leaf of its own.
    RefusalsGathered = 49 "refusals_gathered"
        ["kind", "refusals"] 1..=1 of [BookingRefused, SearchRefused, CallerRefused, LogOnRefused];
    /// A person logged on.
    LoggedOn = 50 "logged_on" [] 0..=0 of [];
    /// A person logged off, or was.
    LoggedOff = 51 "logged_off" ["by_itself"] 1..=1 of [LoggedOn];
    /// A log-on was refused.
    LogOnRefused = 52 "log_on_refused" [] 0..=0 of [];
    /// A person was locked out.
    LockedOut = 53 "locked_out" [] 0..=1 of [LogOnRefused];
    /// A person who was locked out was let in again.
    Unlocked = 54 "unlocked" [] 1..=1 of [LockedOut];
    /// Agencies, people, devices, witnesses or their quorum changed.
    RosterChanged = 55 "roster_changed" [] 0..=1 of [RosterChanged, Started];
    /// The policy's text or its terms changed.
    PolicyChanged = 56 "policy_changed" [] 0..=1 of [PolicyChanged];
    /// An administrator asked for an account, a role or a key, by touch; the commander is yet to
    /// approve.
    GrantAsked = 57 "grant_asked" [] 0..=0 of [];
    /// The commander approved, by touch: from here on it holds.
    GrantApproved = 58 "grant_approved" [] 1..=1 of [GrantAsked];
    /// It was declined, or nobody approved in time.
    GrantDeclined = 59 "grant_declined" [] 1..=1 of [GrantAsked];
    /// A first commander or administrator was appointed at the box itself, before there was anybody
    /// who could ask or approve.
    Appointed = 60 "appointed" [] 0..=0 of [];
    /// A person who was appointed at the box enrolled a key.
    KeyEnrolled = 61 "key_enrolled" [] 1..=1 of [Appointed];
    /// An account went off: its person left, nobody used it, or its time was over.
    AccountOff = 62 "account_off" ["why"] 0..=0 of [];
    /// Somebody confirmed that a person still needs an account.
    AccountReviewed = 63 "account_reviewed" [] 0..=0 of [];
    /// A switch to another model was begun, or asked for again under other terms.
    ModelSwitchBegun = 64 "model_switch_begun"
        ["bookings", "failures_accepted"] 0..=1 of [ModelSwitchBegun];
    /// Searches are answered by another model from here on.
    ModelSwitched = 65 "model_switched" ["bookings", "suppressed"] 1..=1 of [ModelSwitchBegun];
    /// A switch was given up: searches stay on the model they had.
    ModelSwitchGivenUp = 66 "model_switch_given_up"
        ["embedded", "failed"] 1..=1 of [ModelSwitchBegun];
    /// A model makes no vector of these bookings' photos: no search finds them until their agencies
    /// send others.
    BookingsSuppressed = 67 "bookings_suppressed"
        ["bookings"] 1..=1 of [ModelSwitchBegun, ModelSwitched];
    /// A caller read the log, for the first time in an hour; or how much more it read in that hour.
    LogRead = 80 "log_read" ["tiles", "bundles"] 0..=1 of [LogRead];
    /// Details were opened for an auditor.
    DetailsOpened = 81 "details_opened" ["details"] 0..=0 of [];
    /// A probe was opened for an auditor.
    ProbeOpened = 82 "probe_opened" [] 0..=0 of [];
    /// The log was exported with its checkpoints.
    Exported = 83 "exported" ["leaves"] 0..=0 of [];
    /// Details whose term was over are gone.
    DetailsExpired = 84 "details_expired" ["first", "end"] 0..=0 of [];
    /// Inquiries whose term was over are gone: their keys, probes, records and the box's own copies
    /// of reports.
    ProbesExpired = 85 "probes_expired" ["probes"] 0..=0 of [];
    /// The seed of an audit's sample, before anything is drawn.
    SampleSeeded = 86 "sample_seeded" ["seed", "rate_ppm", "first", "end"] 0..=0 of [];
    /// An audit's sample was drawn.
    SampleDrawn = 87 "sample_drawn" ["population", "drawn"] 1..=1 of [SampleSeeded];
    /// An auditor reviewed a search of a sample; which one, and what was found, its detail says.
    SampleReviewed = 88 "sample_reviewed" [] 1..=1 of [SampleDrawn];
    /// A public report was made.
    PublicReport = 89 "public_report" ["from_day", "to_day", "leaves"] 0..=0 of [];
    /// An agency looked at findings of misuse by people whom it employs.
    FindingsRead = 90 "findings_read" ["findings"] 0..=0 of [];
    /// An auditor went through what the log says since the look before.
    LogReviewed = 91 "log_reviewed" ["first", "end"] 0..=0 of [];
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
    }
}
