//! What can go wrong with a verb, and what happens next.

use std::path::PathBuf;

use crate::audit::AuditError;
use crate::audit::touch::TouchError;
use crate::booking::Identifier;
use crate::compare_report::CompareReportError;
use crate::embed::{EmbedError, ModelError};
use crate::face::FaceError;
use crate::gallery::GalleryError;
use crate::inquiry::{ActionError, InquiryError};
use crate::limits::{CLOCK_AGREE_SECONDS_MAX, TOUCH_SECONDS_MAX};
use crate::roster::{PersonError, RosterError};
use crate::rule::Rule;
use crate::store::StoreError;
use crate::vault::VaultError;

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The caller is wrong and is told why; the process goes on.
    Refuse,
    /// A queue is full; the caller comes again; the process goes on.
    Wait,
    /// Our fault, state known; the caller gets a request id, the journal the cause; the process
    /// goes on.
    Fail,
    /// State unknown: the process ends, and start-up is the recovery.
    Halt,
}

/// Why a verb didn't do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// The caller may not do this.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// The request is no valid inquiry.
    #[error(transparent)]
    Inquiry(#[from] InquiryError),
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
    /// The person has an account.
    #[error("the person has the account '{id}' already, and one role; change that one")]
    SecondAccount {
        /// The other account.
        id: Identifier,
    },
    /// No such appointment.
    #[error("the code is not the one that this person was appointed with, or it no longer holds")]
    NoSuchCode,
    /// Nobody is appointed at the box.
    #[error("not appointed: {why}")]
    NotAppointed {
        /// Why not.
        why: &'static str,
    },
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
    /// A step of an inquiry isn't this person's, or not its turn.
    #[error(transparent)]
    Step(#[from] ActionError),
    /// This person may not see it now.
    #[error("the {what} is not shown to you now")]
    NotShown {
        /// What.
        what: &'static str,
    },
    /// Somebody is at it already.
    #[error("one is at work already, wanted one at a time")]
    AtWork,
    /// Too soon after the last search.
    #[error(
        "the last search was less than {seconds} s ago; searches are made by hand, one after the \
         other"
    )]
    TooFast {
        /// Seconds between two.
        seconds: u64,
    },
    /// Too many searches.
    #[error("{found} searches within the {within}, at most {most} are made by one operator")]
    Ceiling {
        /// How many.
        found: usize,
        /// Hour or day.
        within: &'static str,
        /// The ceiling.
        most: usize,
    },
    /// The report can't be made.
    #[error(transparent)]
    CompareReport(#[from] CompareReportError),
    /// A table is full.
    #[error("there are {most} {what} already, more are not kept")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The bound.
        most: usize,
    },
    /// The photo can't be used.
    #[error(transparent)]
    Photo(#[from] EmbedError),
    /// Nothing of that name is the caller's.
    #[error("no {what} of that name is yours")]
    NotFound {
        /// What was asked for.
        what: &'static str,
    },
    /// The number was released: its booking doesn't come back by itself.
    #[error(
        "booking number released: leaf {leaf} of the log withdrew it, and a retry does not bring \
         it back"
    )]
    Released {
        /// The leaf of the release.
        leaf: u64,
    },
    /// The folder is a real one.
    #[error("this box has no plain search door: searches run through an inquiry approved by touch")]
    NoSearchDoor,
    /// The booking's key or record is damaged: it is suppressed until its agency sends it again.
    #[error("the booking does not open any more and no search finds it, push it again")]
    Unreadable,
    /// Only suppressed bookings can be purged.
    #[error("version {version} is not suppressed, only released or superseded ones are purged")]
    NotSuppressed {
        /// The version.
        version: String,
    },
    /// The writer's queue is full.
    #[error("too many changes are waiting")]
    Busy,
    /// The gallery failed or is busy.
    #[error(transparent)]
    Gallery(#[from] GalleryError),
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Stored numbers are no embedding.
    #[error("a stored vector is damaged")]
    Vector(#[source] FaceError),
    /// The stored log doesn't hold together.
    #[error("the stored log does not hold together: {what}")]
    Log {
        /// What doesn't fit.
        what: String,
    },
    /// A stored part of the log can't be read.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A sealed record or detail isn't what it should be.
    #[error("a sealed {what} can't be understood")]
    Sealed {
        /// Which one.
        what: &'static str,
        /// The cause.
        source: serde_json::Error,
    },
    /// The state folder doesn't fit the configuration.
    #[error("the state folder does not fit: {found}, wanted {wanted}")]
    Setup {
        /// What was found.
        found: String,
        /// What was wanted.
        wanted: String,
    },
    /// A folder of models can't be used.
    #[error("the models in {folder} can't be used")]
    Models {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        source: Box<ModelError>,
    },
    /// The model can't be switched as asked.
    #[error("the model is not switched: {found}, wanted {wanted}")]
    NotSwitchable {
        /// What was found.
        found: String,
        /// What was wanted.
        wanted: String,
    },
    /// There is no switch of the model to give up.
    #[error("no switch of the model is under way")]
    NoSwitch,
    /// The model was switched, or a switch was begun, while the photo was examined.
    #[error("the model was switched meanwhile")]
    ModelChanged,
    /// The operating system refused.
    #[error("{what} failed")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The writer halted; the process must end.
    #[error("the writer halted: {cause}")]
    Halted {
        /// Why.
        cause: String,
    },
    /// The doors are shut.
    #[error("the doors are shut: {why}")]
    Shut {
        /// Why.
        why: String,
    },
    /// Evidence against this log.
    #[error("{what}; the doors are shut until the newer log is supplied")]
    InDoubt {
        /// What contradicts it.
        what: String,
    },
    /// What was posted is no checkpoint of this log.
    #[error("no checkpoint of this log: {0}")]
    Posted(#[source] AuditError),
    /// What was posted isn't cosigned by whom it came from.
    #[error("no valid cosignature by the key that the roster has for witness '{witness}'")]
    NoCosignature {
        /// The witness.
        witness: Identifier,
    },
    /// A cosignature of a checkpoint that no witness is asked for.
    #[error(
        "the checkpoint over {leaves} leaves is not the one that witnesses are asked to cosign; \
         ask for that one again"
    )]
    NotPending {
        /// Its size.
        leaves: u64,
    },
    /// The stored log is older than what witnesses have cosigned of it.
    #[error(
        "the log has {found} leaves and does not contain the checkpoint over {wanted} that \
         witnesses cosigned (anchor {anchor}): this is a \
         restored or rewritten state folder; supply the newer log with smrtd restore"
    )]
    Behind {
        /// Leaves found.
        found: u64,
        /// Leaves of the checkpoint.
        wanted: u64,
        /// The file that says so.
        anchor: PathBuf,
    },
    /// A log that was supplied to a restored backup isn't its continuation.
    #[error("the supplied log can't be taken over: {what}")]
    Supplied {
        /// What is wrong with it.
        what: String,
    },
    /// The clock stands behind the newest leaf.
    #[error(
        "the clock of the box is {seconds} s behind its newest leaf: nobody searches until it is \
         right"
    )]
    ClockBehind {
        /// By how much.
        seconds: u64,
    },
    /// A range of leaves that can't be given.
    #[error(
        "leaves {first} to {end} were asked for, wanted a range within the {leaves} of the log, of \
         at most {most}"
    )]
    Range {
        /// First leaf.
        first: u64,
        /// The leaf after the last.
        end: u64,
        /// Leaves of the log.
        leaves: u64,
        /// Most at a time.
        most: u64,
    },
    /// A sample that can't be drawn.
    #[error(
        "a sample of {rate_ppm} in a million of leaves {first} to {end}, wanted 1 to 1000000 and a \
         range within the {leaves} of the log"
    )]
    Sample {
        /// The rate.
        rate_ppm: u64,
        /// First leaf.
        first: u64,
        /// The leaf after the last.
        end: u64,
        /// Leaves of the log.
        leaves: u64,
    },
    /// The site's time source says something else than the clock.
    #[error(
        "the time source and the clock of the box are {seconds} s apart, wanted at most \
         {CLOCK_AGREE_SECONDS_MAX}"
    )]
    ClockDisagrees {
        /// Seconds between them.
        seconds: u64,
    },
    /// The medium has almost no room left.
    #[error(
        "{free_mib} MiB are free on the medium, {wanted_mib} MiB are kept for releases, purges and \
         the log"
    )]
    DiskLow {
        /// MiB that are free.
        free_mib: u64,
        /// MiB that must stay free.
        wanted_mib: u64,
    },
    /// A disk without room, with nothing acknowledged and nothing lost.
    #[error("the disk is full, nothing of this request was kept")]
    DiskFull,
}

impl ServiceError {
    /// The rule by which the caller is refused or put off.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Roster(e) => e.rule(),
            Self::Inquiry(e) => e.rule(),
            Self::Person(e) => e.rule(),
            Self::Touch(e) => e.rule(),
            Self::Step(e) => e.rule(),
            Self::Photo(e) => e.rule(),
            Self::Vault(e) => e.rule(),
            Self::NoSession => Rule::NoSession,
            Self::BannerFirst => Rule::BannerFirst,
            Self::ScreenHidden => Rule::ScreenHidden,
            Self::NoPerson => Rule::UnknownPerson,
            Self::NoKey => Rule::NoKey,
            Self::KeyTaken => Rule::KeyTaken,
            Self::SoftwareKey => Rule::KeyOfSoftware,
            Self::SecondAccount { .. } => Rule::SecondAccount,
            Self::NoSuchCode => Rule::WrongCode,
            Self::NotAppointed { .. } => Rule::NotAppointed,
            Self::NoChallenge | Self::ChallengeOver | Self::ChallengeChanged => {
                Rule::WrongChallenge
            }
            Self::FaceMoved => Rule::FaceMoved,
            Self::NoConsole => Rule::NoConsoleName,
            Self::NotShown { .. } => Rule::NotShown,
            Self::AtWork => Rule::OneAtATime,
            Self::TooFast { .. } => Rule::TooFast,
            Self::Ceiling { .. } => Rule::TooMany,
            Self::TooMany { .. } => Rule::TableFull,
            Self::NotFound { .. } => Rule::NotFound,
            Self::Released { .. } => Rule::NumberReleased,
            Self::NoSearchDoor => Rule::NoPlainSearch,
            Self::Unreadable => Rule::BookingDamaged,
            Self::NotSuppressed { .. } => Rule::NotSuppressed,
            Self::NotSwitchable { .. } => Rule::ModelNotSwitched,
            Self::NoSwitch => Rule::NoSwitch,
            Self::InDoubt { .. } => Rule::LogInDoubt,
            Self::Posted(_) | Self::NoCosignature { .. } => Rule::CosignatureInvalid,
            Self::NotPending { .. } => Rule::NotPending,
            Self::Range { .. } | Self::Sample { .. } => Rule::RangeOutside,
            Self::ClockDisagrees { .. } => Rule::ClockDisagrees,
            Self::Gallery(GalleryError::Busy { .. }) | Self::Busy | Self::ModelChanged => {
                Rule::Busy
            }
            Self::Shut { .. } => Rule::DoorsShut,
            Self::ClockBehind { .. } => Rule::ClockBehind,
            Self::DiskLow { .. } | Self::DiskFull => Rule::DiskFull,
            Self::Gallery(_)
            | Self::CompareReport(_)
            | Self::Store(_)
            | Self::Vector(_)
            | Self::Log { .. }
            | Self::Audit(_)
            | Self::Sealed { .. }
            | Self::Setup { .. }
            | Self::Models { .. }
            | Self::Io { .. }
            | Self::Halted { .. }
            | Self::Behind { .. }
            | Self::Supplied { .. } => Rule::Failed,
        }
    }

    /// What happens next; everything above obeys it.
    pub fn fate(&self) -> Fate {
        match self {
            Self::Roster(_)
            | Self::Inquiry(_)
            | Self::Person(_)
            | Self::Touch(_)
            | Self::NoSession
            | Self::BannerFirst
            | Self::ScreenHidden
            | Self::NoPerson
            | Self::NoKey
            | Self::KeyTaken
            | Self::SoftwareKey
            | Self::SecondAccount { .. }
            | Self::NoSuchCode
            | Self::NotAppointed { .. }
            | Self::NoChallenge
            | Self::ChallengeOver
            | Self::ChallengeChanged
            | Self::FaceMoved
            | Self::NoConsole
            | Self::Step(_)
            | Self::NotShown { .. }
            | Self::AtWork
            | Self::TooFast { .. }
            | Self::Ceiling { .. }
            | Self::TooMany { .. }
            | Self::NotFound { .. }
            | Self::Released { .. }
            | Self::NoSearchDoor
            | Self::Unreadable
            | Self::NotSuppressed { .. }
            | Self::NotSwitchable { .. }
            | Self::NoSwitch
            | Self::InDoubt { .. }
            | Self::Posted(_)
            | Self::Range { .. }
            | Self::Sample { .. }
            | Self::ClockDisagrees { .. }
            | Self::NotPending { .. }
            | Self::NoCosignature { .. } => Fate::Refuse,
            Self::Photo(e) => match e {
                EmbedError::Busy => Fate::Wait,
                // A decoder's panic over the photo is about it, too.
                e if e.about_the_photo().is_some() => Fate::Refuse,
                _ => Fate::Fail,
            },
            Self::Gallery(e) => match e {
                GalleryError::Busy { .. } => Fate::Wait,
                GalleryError::Full { .. } => Fate::Fail,
                _ => Fate::Halt,
            },
            Self::Busy | Self::ModelChanged | Self::Shut { .. } | Self::ClockBehind { .. } => {
                Fate::Wait
            }
            Self::Vault(e) if e.is_refusal() => Fate::Refuse,
            Self::Store(StoreError::Commit { .. }) | Self::Halted { .. } => Fate::Halt,
            _ => Fate::Fail,
        }
    }

    /// The error with its causes, for the journal.
    pub fn chain(&self) -> String {
        let mut words = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(source) = cause {
            words = format!("{words}: {source}");
            cause = source.source();
        }
        words
    }
}
