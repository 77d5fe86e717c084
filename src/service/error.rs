//! Errors of the verbs: what a caller did wrong, and what the ledger found.

use crate::audit::AuditError;
use crate::audit::touch::TouchError;
use crate::booking::Identifier;
use crate::calendar::Time;
use crate::compare_report::CompareReportError;
use crate::embed::EmbedError;
use crate::gallery::GalleryError;
use crate::inquiry::{ActionError, InquiryError};
use crate::ledger::{Fate, Fated, LedgerError};
use crate::limits::{CLOCK_AGREE_SECONDS_MAX, TOUCH_SECONDS_MAX};
use crate::roster::{PersonError, RosterError};
use crate::rule::Rule;
use crate::store::StoreError;
use crate::vault::VaultError;

/// Why a verb didn't do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// What the ledger found.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The caller may not do this.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// The person may not do this.
    #[error(transparent)]
    Person(#[from] PersonError),
    /// A security key's answer isn't what was asked for.
    #[error(transparent)]
    Touch(#[from] TouchError),
    /// Nobody has logged on with this certificate and secret.
    #[error("no session: log on first, with this device's certificate and your key")]
    NoSession,
    /// The banner wasn't acknowledged.
    #[error("the session begins when the banner is acknowledged")]
    BannerFirst,
    /// The screen is hidden.
    #[error("the session's screen is hidden, touch your key to come back")]
    ScreenHidden,
    /// Nobody is known by that name.
    #[error("no person of that name has an account with a key")]
    NoPerson,
    /// The account has no key, and none was made for it.
    #[error("an account needs a security key of its own, wanted one that was made for this person")]
    NoKey,
    /// The key is somebody's.
    #[error("the security key is another person's, or was; wanted one of this person's own")]
    KeyTaken,
    /// A software key.
    #[error("a key of software is taken in demonstrations and tests only, wanted a security key")]
    SoftwareKey,
    /// Keys that are no hardware are listed where bookings are real.
    #[error(
        "keys of {what} are listed, which are no hardware: a box with real bookings takes none of \
         them"
    )]
    NoHardware { what: &'static str },
    /// The person has an account.
    #[error("the person has the account '{id}' already, and one role; change that one")]
    SecondAccount { id: Identifier },
    /// No such appointment.
    #[error("the code is not the one that this person was appointed with, or it no longer holds")]
    NoSuchCode,
    /// Nobody is appointed at the box.
    #[error("not appointed: {why}")]
    NotAppointed { why: &'static str },
    /// Only a commander is released at the box.
    #[error(
        "only a commander is released at the box; an administrator releases everybody else, and \
         the commander an administrator"
    )]
    NotReleased,
    /// Nobody showed the key of that account, if there is one.
    #[error(
        "no account of that name takes this key: check the name, and touch the key that was \
         enrolled for it"
    )]
    NotProven,
    /// A device asks for too many touches.
    #[error("'{device}' has asked for {most} touches within the hour, wanted no more than that")]
    TooManyChallenges { device: Identifier, most: usize },
    /// Nothing was asked for under this nonce, or it was answered.
    #[error("no touch was asked for under this nonce, or it was used already; ask again")]
    NoChallenge,
    /// The challenge is too old.
    #[error("the touch came too late, wanted within {TOUCH_SECONDS_MAX} s; ask again")]
    ChallengeOver,
    /// What was asked for isn't what comes in.
    #[error(
        "the touch was asked for something else than what came in, or it was changed since; ask \
         again"
    )]
    ChallengeChanged,
    /// The models in use see another face where one was chosen, or the photo otherwise.
    #[error(
        "the face was chosen when other models were in use, which saw the photo otherwise; choose \
         it again"
    )]
    FaceMoved,
    /// The box has no name that keys could be bound to.
    #[error("no console name is configured, wanted 'console_origin' in the configuration")]
    NoConsole,
    /// This person may not see it now.
    #[error("the {what} is not shown to you now")]
    NotShown { what: &'static str },
    /// Somebody is at it already.
    #[error("one is at work already, wanted one at a time")]
    AtWork,
    /// Too soon after the last search.
    #[error(
        "the last search was less than {seconds} s ago; searches are made by hand, one after the \
         other"
    )]
    TooFast { seconds: u64 },
    /// Too many searches.
    #[error("{found} searches within the {within}, at most {most} are made by one operator")]
    Ceiling { found: usize, within: &'static str, most: usize },
    /// The report can't be made.
    #[error(transparent)]
    CompareReport(#[from] CompareReportError),
    /// The photo can't be used.
    #[error(transparent)]
    Photo(#[from] EmbedError),
    /// The doors are shut.
    #[error("the doors are shut: {why}")]
    Shut { why: String },
    /// Nobody knows whose certificates were revoked.
    #[error(
        "the revocation list ended on {}: nobody searches and nothing is booked until a newer one \
         is in place",
        .ended.date()
    )]
    ListOver { ended: Time },
    /// A revocation list that doesn't count.
    #[error("the revocation list was not taken: {why}")]
    ListUnfit { why: String },
    /// A revocation list that counts and can't be kept.
    #[error("the revocation list can't be kept: {why}")]
    ListNotKept { why: String },
    /// Evidence against this log.
    #[error("{what}; the doors are shut until the newer log is supplied")]
    InDoubt { what: String },
    /// What was posted is no checkpoint of this log.
    #[error("no checkpoint of this log: {0}")]
    Posted(#[source] AuditError),
    /// What was posted isn't cosigned by whom it came from.
    #[error("no valid cosignature by the key that the roster has for witness '{witness}'")]
    NoCosignature { witness: Identifier },
    /// A cosignature of a checkpoint that no witness is asked for.
    #[error(
        "the checkpoint over {leaves} leaves is not the one that witnesses are asked to cosign; \
         ask for that one again"
    )]
    NotPending { leaves: u64 },
    /// A range of leaves that can't be given.
    #[error(
        "leaves {first} to {end} were asked for, wanted a range within the {leaves} of the log, of \
         at most {most}"
    )]
    Range { first: u64, end: u64, leaves: u64, most: u64 },
    /// A sample that can't be drawn.
    #[error(
        "a sample of {rate_ppm} in a million of leaves {first} to {end}, wanted 1 to 1000000 and a \
         range within the {leaves} of the log"
    )]
    Sample { rate_ppm: u64, first: u64, end: u64, leaves: u64 },
    /// The site's time source says something else than the clock.
    #[error(
        "the time source and the clock of the box are {seconds} s apart, wanted at most \
         {CLOCK_AGREE_SECONDS_MAX}"
    )]
    ClockDisagrees { seconds: u64 },
}

impl Fated for ServiceError {
    fn fate(&self) -> Fate {
        match self {
            Self::Ledger(e) => e.fate(),
            Self::Shut { .. } | Self::ListOver { .. } => Fate::Wait,
            Self::Photo(EmbedError::Busy) => Fate::Wait,
            // A decoder's panic over the photo is about it, too.
            Self::Photo(e) if e.about_the_photo().is_some() => Fate::Refuse,
            Self::Photo(_) | Self::CompareReport(_) | Self::ListNotKept { .. } => Fate::Fail,
            Self::Roster(_)
            | Self::Person(_)
            | Self::Touch(_)
            | Self::NoSession
            | Self::BannerFirst
            | Self::ScreenHidden
            | Self::NoPerson
            | Self::NoKey
            | Self::KeyTaken
            | Self::SoftwareKey
            | Self::NoHardware { .. }
            | Self::SecondAccount { .. }
            | Self::NoSuchCode
            | Self::NotAppointed { .. }
            | Self::NotReleased
            | Self::NotProven
            | Self::TooManyChallenges { .. }
            | Self::NoChallenge
            | Self::ChallengeOver
            | Self::ChallengeChanged
            | Self::FaceMoved
            | Self::NoConsole
            | Self::NotShown { .. }
            | Self::AtWork
            | Self::TooFast { .. }
            | Self::Ceiling { .. }
            | Self::InDoubt { .. }
            | Self::ListUnfit { .. }
            | Self::Posted(_)
            | Self::NoCosignature { .. }
            | Self::NotPending { .. }
            | Self::Range { .. }
            | Self::Sample { .. }
            | Self::ClockDisagrees { .. } => Fate::Refuse,
        }
    }
}

impl ServiceError {
    /// The rule by which the caller is refused or put off.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Ledger(e) => e.rule(),
            Self::Roster(e) => e.rule(),
            Self::Person(e) => e.rule(),
            Self::Touch(e) => e.rule(),
            Self::Photo(e) => e.rule(),
            Self::NoSession => Rule::NoSession,
            Self::BannerFirst => Rule::BannerFirst,
            Self::ScreenHidden => Rule::ScreenHidden,
            Self::NoPerson => Rule::UnknownPerson,
            Self::NoKey => Rule::NoKey,
            Self::KeyTaken => Rule::KeyTaken,
            Self::SoftwareKey | Self::NoHardware { .. } => Rule::KeyOfSoftware,
            Self::SecondAccount { .. } => Rule::SecondAccount,
            Self::NoSuchCode => Rule::WrongCode,
            Self::NotAppointed { .. } => Rule::NotAppointed,
            Self::NotReleased => Rule::NotThisRole,
            Self::NotProven => Rule::NotProven,
            Self::TooManyChallenges { .. } => Rule::TooManyChallenges,
            Self::NoChallenge | Self::ChallengeOver | Self::ChallengeChanged => {
                Rule::WrongChallenge
            }
            Self::FaceMoved => Rule::FaceMoved,
            Self::NoConsole => Rule::NoConsoleName,
            Self::NotShown { .. } => Rule::NotShown,
            Self::AtWork => Rule::OneAtATime,
            Self::TooFast { .. } => Rule::TooFast,
            Self::Ceiling { .. } => Rule::TooMany,
            Self::InDoubt { .. } => Rule::LogInDoubt,
            Self::Posted(_) | Self::NoCosignature { .. } => Rule::CosignatureInvalid,
            Self::NotPending { .. } => Rule::NotPending,
            Self::Range { .. } | Self::Sample { .. } => Rule::RangeOutside,
            Self::ClockDisagrees { .. } => Rule::ClockDisagrees,
            Self::Shut { .. } => Rule::DoorsShut,
            Self::ListOver { .. } => Rule::RevocationListOver,
            Self::ListUnfit { .. } => Rule::RevocationListUnfit,
            Self::CompareReport(_) | Self::ListNotKept { .. } => Rule::Failed,
        }
    }

    /// Nothing of that kind and name is the caller's.
    pub(crate) fn not_found(what: &'static str) -> Self {
        LedgerError::NotFound { what }.into()
    }

    /// Too many are at it; the caller comes again.
    pub(crate) fn busy() -> Self {
        LedgerError::Busy.into()
    }
}

/// Errors of the rooms below reach a verb as what the ledger found.
macro_rules! found_by_the_ledger {
    ($($error:ty),*) => {
        $(impl From<$error> for ServiceError {
            fn from(e: $error) -> Self {
                Self::Ledger(e.into())
            }
        })*
    };
}

found_by_the_ledger!(ActionError, AuditError, GalleryError, InquiryError, StoreError, VaultError);
