//! Errors of the ledger: what store, vault, gallery, clock and medium found, and what follows.

use std::path::PathBuf;

use crate::audit::AuditError;
use crate::embed::{EmbedError, ModelError};
use crate::face::FaceError;
use crate::gallery::GalleryError;
use crate::inquiry::{ActionError, InquiryError};
use crate::rule::Rule;
use crate::store::StoreError;
use crate::vault::VaultError;

/// What happens after an error.
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

/// An error that says what happens after it.
pub trait Fated: std::error::Error {
    /// What happens next; everything above obeys it.
    fn fate(&self) -> Fate;

    /// The error with its causes, for the journal.
    fn chain(&self) -> String {
        let mut words = self.to_string();
        let mut cause = self.source();
        while let Some(source) = cause {
            words = format!("{words}: {source}");
            cause = source.source();
        }
        words
    }
}

/// Why the ledger didn't do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// A step of an inquiry isn't this person's, or not its turn.
    #[error(transparent)]
    Step(#[from] ActionError),
    /// The request is no valid inquiry.
    #[error(transparent)]
    Inquiry(#[from] InquiryError),
    /// A table is full.
    #[error("there are {most} {what} already, more are not kept")]
    TooMany { what: &'static str, most: usize },
    /// Nothing of that name is the caller's.
    #[error("no {what} of that name is yours")]
    NotFound { what: &'static str },
    /// The number was released: its booking doesn't come back by itself.
    #[error(
        "booking number released: leaf {leaf} of the log withdrew it, and a retry does not bring \
         it back"
    )]
    Released { leaf: u64 },
    /// The booking's key or record is damaged: it is suppressed until its agency sends it again.
    #[error("the booking does not open any more and no search finds it, push it again")]
    Unreadable,
    /// Only suppressed bookings can be purged.
    #[error("version {version} is not suppressed, only released or superseded ones are purged")]
    NotSuppressed { version: String },
    /// The log takes no leaf.
    #[error("the log takes no leaf while the doors are shut")]
    Shut,
    /// The writer's queue is full.
    #[error("too many changes are waiting")]
    Busy,
    #[error(transparent)]
    Gallery(#[from] GalleryError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Stored numbers are no embedding.
    #[error("a stored vector is damaged")]
    Vector(#[source] FaceError),
    /// The stored log doesn't hold together.
    #[error("the stored log does not hold together: {what}")]
    Log { what: String },
    /// A stored part of the log can't be read.
    #[error(transparent)]
    Audit(#[from] AuditError),
    /// A sealed record or detail isn't what it should be.
    #[error("a sealed {what} can't be understood")]
    Sealed { what: &'static str, source: serde_json::Error },
    /// The state folder doesn't fit the configuration.
    #[error("the state folder does not fit: {found}, wanted {wanted}")]
    Setup { found: String, wanted: String },
    /// A folder of models can't be used.
    #[error("the models in {folder} can't be used")]
    Models { folder: PathBuf, source: Box<ModelError> },
    /// The threads of a model don't start.
    #[error("the threads of the models do not start")]
    Pool(#[source] EmbedError),
    /// The model can't be switched as asked.
    #[error("the model is not switched: {found}, wanted {wanted}")]
    NotSwitchable { found: String, wanted: String },
    /// There is no switch of the model to give up.
    #[error("no switch of the model is under way")]
    NoSwitch,
    /// The model was switched, or a switch was begun, while the photo was examined.
    #[error("the model was switched meanwhile")]
    ModelChanged,
    /// The operating system refused.
    #[error("{what} failed")]
    Io { what: &'static str, source: std::io::Error },
    /// The writer halted; the process must end.
    #[error("the writer halted: {cause}")]
    Halted { cause: String },
    /// The stored log is older than what witnesses have cosigned of it.
    #[error(
        "the log has {found} leaves and does not contain the checkpoint over {wanted} that \
         witnesses cosigned (anchor {anchor}): this is a restored or rewritten state folder; \
         supply the newer log with smrtd restore"
    )]
    Behind { found: u64, wanted: u64, anchor: PathBuf },
    /// A log that was supplied to a restored backup isn't its continuation.
    #[error("the supplied log can't be taken over: {what}")]
    Supplied { what: String },
    /// The clock stands behind the newest leaf.
    #[error(
        "the clock of the box is {seconds} s behind its newest leaf: nobody searches until it is \
         right"
    )]
    ClockBehind { seconds: u64 },
    /// The medium has almost no room left.
    #[error(
        "{free_mib} MiB are free on the medium, {wanted_mib} MiB are kept for releases, purges and \
         the log"
    )]
    DiskLow { free_mib: u64, wanted_mib: u64 },
    /// A disk without room, with nothing acknowledged and nothing lost.
    #[error("the disk is full, nothing of this request was kept")]
    DiskFull,
}

impl Fated for LedgerError {
    fn fate(&self) -> Fate {
        match self {
            Self::Step(_)
            | Self::Inquiry(_)
            | Self::TooMany { .. }
            | Self::NotFound { .. }
            | Self::Released { .. }
            | Self::Unreadable
            | Self::NotSuppressed { .. }
            | Self::NotSwitchable { .. }
            | Self::NoSwitch => Fate::Refuse,
            Self::Vault(e) if e.is_refusal() => Fate::Refuse,
            Self::Busy | Self::Shut | Self::ModelChanged | Self::ClockBehind { .. } => Fate::Wait,
            Self::Gallery(e) => match e {
                GalleryError::Busy { .. } => Fate::Wait,
                GalleryError::Full { .. } => Fate::Fail,
                _ => Fate::Halt,
            },
            Self::Store(StoreError::Commit { .. }) | Self::Halted { .. } => Fate::Halt,
            Self::Vault(_)
            | Self::Store(_)
            | Self::Vector(_)
            | Self::Log { .. }
            | Self::Audit(_)
            | Self::Sealed { .. }
            | Self::Setup { .. }
            | Self::Models { .. }
            | Self::Pool(_)
            | Self::Io { .. }
            | Self::Behind { .. }
            | Self::Supplied { .. }
            | Self::DiskLow { .. }
            | Self::DiskFull => Fate::Fail,
        }
    }
}

impl LedgerError {
    /// The rule by which the caller is refused or put off.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Step(e) => e.rule(),
            Self::Inquiry(e) => e.rule(),
            Self::Vault(e) => e.rule(),
            Self::TooMany { .. } => Rule::TableFull,
            Self::NotFound { .. } => Rule::NotFound,
            Self::Released { .. } => Rule::NumberReleased,
            Self::Unreadable => Rule::BookingDamaged,
            Self::NotSuppressed { .. } => Rule::NotSuppressed,
            Self::NotSwitchable { .. } => Rule::ModelNotSwitched,
            Self::NoSwitch => Rule::NoSwitch,
            Self::Gallery(GalleryError::Busy { .. }) | Self::Busy | Self::ModelChanged => {
                Rule::Busy
            }
            Self::Shut => Rule::DoorsShut,
            Self::ClockBehind { .. } => Rule::ClockBehind,
            Self::DiskLow { .. } | Self::DiskFull => Rule::DiskFull,
            Self::Gallery(_)
            | Self::Store(_)
            | Self::Vector(_)
            | Self::Log { .. }
            | Self::Audit(_)
            | Self::Sealed { .. }
            | Self::Setup { .. }
            | Self::Models { .. }
            | Self::Pool(_)
            | Self::Io { .. }
            | Self::Halted { .. }
            | Self::Behind { .. }
            | Self::Supplied { .. } => Rule::Failed,
        }
    }

    /// This error, or the halt that follows it where the state is unknown from here on.
    pub(crate) fn halting(self) -> Self {
        if self.fate() == Fate::Halt { self } else { Self::Halted { cause: self.chain() } }
    }

    /// What a full medium refuses; any other failure while a key slot is written leaves the medium
    /// in doubt.
    pub(crate) fn of_slot(e: VaultError) -> Self {
        if e.is_full() { Self::DiskFull } else { Self::Halted { cause: Self::from(e).chain() } }
    }
}
