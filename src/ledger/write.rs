//! A write: one decision that runs in the writer's thread, on what its transaction will find, and
//! gives leaves, rows and a typed answer.
//!
//! Everything that changes the state folder is a write, but for the few pieces of work in
//! `writer::Alone`. Decisions on different subjects share a transaction; of two on one subject the
//! second waits for the next transaction, so that it sees what the first did.

use std::collections::HashSet;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::core::Core;
use super::error::LedgerError;
use crate::audit::{Detail, Leaf, LeafKind, SALT_BYTES, commit};
use crate::booking::VersionId;
use crate::calendar::Time;
use crate::crypto::random;
use crate::ids::{InquiryId, ProbeFileId};
use crate::store::Commit;
use crate::vault::{BookingKey, ProbeKey, Vault, VaultError};

/// What two decisions of one transaction must not both be about.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// All accounts, and the changes of them that wait for approval.
    People,
    /// One inquiry.
    Inquiry(InquiryId),
    /// A booking number, by its keyed hash.
    Number([u8; 32]),
    /// Refusals of one kind and caller.
    Refused(LeafKind, String),
    /// Cosignatures of the checkpoint over so many leaves.
    Checkpoint(u64),
    /// Alarms that stand.
    Alarms,
    /// The roster that the box serves by.
    Roster,
    /// Details whose term is over.
    Details,
}

/// What a decision must know beside what the store says.
pub(crate) struct Group<'g> {
    /// The time that its leaves are dated.
    pub(crate) now: Time,
    /// Versions that writes of the same transaction take out of the gallery; a decision adds its
    /// own.
    pub(crate) suppressed: &'g mut HashSet<VersionId>,
}

/// The outcome of a decision.
pub(crate) enum Decision<T> {
    /// Nothing is written, and this is the answer.
    Nothing(T),
    /// This is written, and its answer follows.
    Write(Box<Write<T>>),
}

/// Writes rows; it is told the index of the last leaf of its write.
pub(super) type PutRows =
    Box<dyn FnOnce(&Core, &Commit, Option<u64>) -> Result<(), LedgerError> + Send>;
/// Has the gallery follow the commit, and gives the answer.
type Follow<T> = Box<dyn FnOnce(&Core, Option<u64>) -> Result<T, LedgerError> + Send>;

/// Leaves and rows of one decision, with what must be on the medium before them.
pub(crate) struct Write<T> {
    pub(super) staged: Staged,
    pub(super) follow: Follow<T>,
}

/// The part of a write that the transaction takes.
pub(super) struct Staged {
    /// What logs it, mostly one leaf.
    pub(super) leaves: Vec<NewLeaf>,
    pub(super) rows: PutRows,
    pub(super) files: FilesFirst,
}

/// What the vault must have synced before the transaction.
pub(super) enum FilesFirst {
    None,
    /// The slot of a booking's key, and the photo to be sealed under it.
    Booking(Box<BookingFiles>),
    /// The slot of a probe's key.
    ProbeSlot,
    /// The file of a report.
    Report(Box<ReportFile>),
}

/// A booking's key, its slot and its photo.
pub(super) struct BookingFiles {
    pub(super) id: VersionId,
    pub(super) key: Arc<BookingKey>,
    pub(super) slot: u32,
    pub(super) photo: Arc<[u8]>,
}

/// A report's file, and the key of its inquiry.
pub(super) struct ReportFile {
    pub(super) id: ProbeFileId,
    pub(super) key: ProbeKey,
    pub(super) file: Arc<[u8]>,
}

/// A leaf to be.
pub(crate) struct NewLeaf {
    pub(super) follows: Vec<u64>,
    /// It follows the leaf before it in the same write, too.
    pub(super) goes_on: bool,
    pub(super) counts: Vec<u64>,
    pub(super) detail: Detail,
}

impl NewLeaf {
    pub(crate) fn new(follows: Vec<u64>, counts: Vec<u64>, detail: Detail) -> Self {
        Self { follows, goes_on: false, counts, detail }
    }

    /// The leaf's bytes, and its detail behind a fresh salt; `before` is the leaf before it in the
    /// same write.
    pub(super) fn leaf(&self, time: Time, before: Option<u64>) -> (Vec<u8>, Zeroizing<Vec<u8>>) {
        let detail = self.detail.to_bytes();
        let salt: [u8; SALT_BYTES] = random();
        let leaf = Leaf {
            kind: self.detail.kind(),
            time,
            follows: self.follows.iter().copied().chain(before.filter(|_| self.goes_on)).collect(),
            counts: self.counts.clone(),
            commitment: commit(&salt, &detail),
        };
        (leaf.to_bytes(), Zeroizing::new([&salt[..], &detail].concat()))
    }
}

impl FilesFirst {
    /// Seals the photo or report, if there is one, and gives it its name.
    pub(super) fn write(&self, vault: &Vault) -> Result<(), VaultError> {
        match self {
            Self::Booking(files) => vault.bookings.write_photo(files.id, &files.key, &files.photo),
            Self::Report(report) => vault.probes.write_photo(report.id, &report.key, &report.file),
            Self::None | Self::ProbeSlot => Ok(()),
        }
    }
}

impl Staged {
    /// Whether the log takes these leaves: every detail is short enough to be kept, and there is
    /// none while the log is shut.
    pub(super) fn check(&self, core: &Core) -> Result<(), LedgerError> {
        if !self.leaves.is_empty() {
            core.takes_leaves()?;
        }
        Ok(self.leaves.iter().try_for_each(|leaf| leaf.detail.check_length())?)
    }

    pub(super) fn new(
        leaves: Vec<NewLeaf>,
        rows: impl FnOnce(&Core, &Commit, Option<u64>) -> Result<(), LedgerError> + Send + 'static,
    ) -> Self {
        Self { leaves, rows: Box::new(rows), files: FilesFirst::None }
    }
}

impl Write<Option<u64>> {
    /// Leaves, and rows that are written with them; the answer is the index of the last leaf.
    pub(crate) fn new(
        leaves: Vec<NewLeaf>,
        rows: impl FnOnce(&Core, &Commit, Option<u64>) -> Result<(), LedgerError> + Send + 'static,
    ) -> Self {
        Self { staged: Staged::new(leaves, rows), follow: Box::new(|_, leaf| Ok(leaf)) }
    }
}

impl Write<()> {
    /// Rows without a leaf.
    pub(crate) fn unlogged(
        rows: impl FnOnce(&Core, &Commit) -> Result<(), LedgerError> + Send + 'static,
    ) -> Self {
        Write::new(Vec::new(), move |core, tables, _| rows(core, tables)).then(|_, _| Ok(()))
    }
}

impl Write<u64> {
    /// One leaf, and rows that name it; the answer is its index.
    pub(crate) fn logged(
        leaf: NewLeaf,
        rows: impl FnOnce(&Core, &Commit, u64) -> Result<(), LedgerError> + Send + 'static,
    ) -> Self {
        Self::all_logged(vec![leaf], rows)
    }

    /// As `logged`, with any number of leaves from one on; rows and answer name the last.
    pub(crate) fn all_logged(
        leaves: Vec<NewLeaf>,
        rows: impl FnOnce(&Core, &Commit, u64) -> Result<(), LedgerError> + Send + 'static,
    ) -> Self {
        let index = |leaf: Option<u64>| leaf.expect("a write with a leaf has its index");
        Write::new(leaves, move |core, tables, leaf| rows(core, tables, index(leaf)))
            .then(move |_, leaf| Ok(index(leaf)))
    }
}

impl<T: 'static> Write<T> {
    /// Has `follow` run after the commit, before anybody hears of it, and give the answer.
    pub(crate) fn then<U>(
        self,
        follow: impl FnOnce(&Core, Option<u64>) -> Result<U, LedgerError> + Send + 'static,
    ) -> Write<U> {
        Write { staged: self.staged, follow: Box::new(follow) }
    }

    /// Answers with this.
    pub(crate) fn answering<U: Send + 'static>(self, answer: U) -> Write<U> {
        self.then(move |_, _| Ok(answer))
    }

    /// Has these on the medium before the transaction.
    pub(super) fn behind(mut self, files: FilesFirst) -> Self {
        self.staged.files = files;
        self
    }

    /// The decision to write this.
    pub(crate) fn decided<E>(self) -> Result<Decision<T>, E> {
        Ok(Decision::Write(Box::new(self)))
    }
}
