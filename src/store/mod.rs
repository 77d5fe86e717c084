//! Records, vectors, accounts, inquiries and the log in one redb file; the truth from which all
//! else is rebuilt.
//!
//! Invariants: one write transaction is one commit point; quick-repair is on, so that opening after
//! a crash takes no scan. Records, vectors and details come here sealed and leave sealed: the store
//! holds no key. A booking number is known by its HMAC only. The kind of a state folder is written
//! when it is made and never again.

mod inquiries;
mod log;
mod people;
mod rows;
mod switch;
mod walk;

use std::io;
use std::path::Path;
use std::sync::Arc;

use redb::{
    Builder, Database, ReadableDatabase, ReadableTable, StorageBackend, TableDefinition,
    WriteTransaction,
};

use crate::booking::VersionId;
use crate::disk::{Disk, DiskFile, OpenMode};
use crate::limits::STORE_CACHE_BYTES;
pub use crate::state_kind::StateKind;
pub use inquiries::{InquiryHead, InquiryRow};
pub use log::{GatheredRow, LeafRow};
use rows::{Id, NumberKey, NumberValue, VersionValue, number_row, version_row};
pub use rows::{NumberRow, NumberState, VectorRow, VersionRow, VersionState};
pub use switch::SwitchRow;
use switch::VECTORS;
pub use walk::VersionHead;

/// The name of the store's file below the state folder.
pub const STORE_FILE: &str = "smrt.redb";
/// The form of the tables below.
const FORMAT: u8 = 4;
/// The forms before there could be vectors of a second model, before tiles, and before people and
/// inquiries; opening brings them to the present one.
const FORMATS_BEFORE: std::ops::RangeInclusive<u8> = 1..=3;

/// Version id to version.
const BOOKINGS: TableDefinition<Id, VersionValue<'static>> = TableDefinition::new("bookings");
/// HMAC of agency and number to what is known under it.
const NUMBERS: TableDefinition<NumberKey, NumberValue> = TableDefinition::new("numbers");
/// Facts about the folder.
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

const META_FORMAT: &str = "format";
const META_KIND: &str = "kind";
const META_ORIGIN: &str = "origin";
/// Digest of the roster that the box last served by.
const META_ROSTER: &str = "roster";
const META_CEILINGS: &str = "ceilings";
/// Former origins, a line each.
const META_FORMER: &str = "former";
const META_MODEL: &str = "model";
const META_EDGE: &str = "edge";
const META_CHECKPOINT: &str = "checkpoint";

/// Why the store can't give or take.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store can't be opened.
    #[error("the store does not open")]
    Open {
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A read failed.
    #[error("reading the store failed")]
    Read {
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A commit failed: whether it counts is unknown until the store is opened again.
    #[error("a commit of the store failed, its state is unknown until it is opened again")]
    Commit {
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The folder was made by a newer version of this software.
    #[error(
        "the state folder has format {found}, this software reads format {FORMAT}; a newer version \
         made it"
    )]
    Newer {
        /// Format found.
        found: u8,
    },
    /// A stored value can't be understood.
    #[error("the store's {what} can't be understood")]
    Corrupt {
        /// Which value.
        what: &'static str,
    },
}

/// The open store.
#[derive(Debug)]
pub struct Store {
    database: Database,
}

/// A write transaction at work; it counts when `Store::commit` returns.
pub struct Commit {
    transaction: WriteTransaction,
}

impl Store {
    /// Makes the store's file: whole or not at all, durable on return.
    pub fn create(
        disk: &Arc<dyn Disk>,
        state: &Path,
        kind: StateKind,
        origin: &str,
        edge: &[u8],
    ) -> Result<Self, StoreError> {
        let (part, path) = (state.join("smrt.redb.part"), state.join(STORE_FILE));
        match disk.unlink(&part) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(open_error(e)),
            _ => {}
        }
        let file = disk.open(&part, OpenMode::New).map_err(open_error)?;
        let store =
            Self { database: builder().create_with_backend(Backend(file)).map_err(open_error)? };
        store.commit(|commit| {
            let tables = &commit.transaction;
            tables.open_table(BOOKINGS).map_err(commit_error)?;
            commit.make_switch_tables()?;
            tables.open_table(NUMBERS).map_err(commit_error)?;
            commit.make_log_tables()?;
            commit.make_people_tables()?;
            commit.make_inquiry_tables()?;
            commit.put_meta(META_FORMAT, &[FORMAT])?;
            commit.put_meta(META_KIND, kind.name().as_bytes())?;
            commit.put_meta(META_ORIGIN, origin.as_bytes())?;
            commit.put_meta(META_EDGE, edge)
        })?;
        disk.rename(&part, &path).map_err(open_error)?;
        disk.sync_folder(state).map_err(open_error)?;
        Ok(store)
    }

    /// Opens the store.
    ///
    /// Errors: a file of a newer format, damage, an operating system's error.
    pub fn open(disk: &Arc<dyn Disk>, state: &Path) -> Result<Self, StoreError> {
        let file = disk.open(&state.join(STORE_FILE), OpenMode::Existing).map_err(open_error)?;
        let store =
            Self { database: builder().create_with_backend(Backend(file)).map_err(open_error)? };
        match store.meta(META_FORMAT)?.as_deref() {
            Some([FORMAT]) => Ok(store),
            Some([before]) if FORMATS_BEFORE.contains(before) => {
                store.commit::<StoreError>(|commit| {
                    commit.make_switch_tables()?;
                    commit.make_log_tables()?;
                    commit.make_people_tables()?;
                    commit.make_inquiry_tables()?;
                    commit.put_meta(META_FORMAT, &[FORMAT])
                })?;
                Ok(store)
            }
            Some(&[found]) if found > FORMAT => Err(StoreError::Newer { found }),
            _ => Err(StoreError::Corrupt { what: "format" }),
        }
    }

    /// What the folder was made for.
    pub fn kind(&self) -> Result<StateKind, StoreError> {
        let name = self.meta(META_KIND)?.unwrap_or_default();
        str::from_utf8(&name)
            .ok()
            .and_then(StateKind::named)
            .ok_or(StoreError::Corrupt { what: "kind" })
    }

    /// The log's origin.
    pub fn origin(&self) -> Result<String, StoreError> {
        self.meta(META_ORIGIN)?
            .and_then(|o| String::from_utf8(o).ok())
            .ok_or(StoreError::Corrupt { what: "origin" })
    }

    /// Digest of the roster that the box last served by.
    pub fn roster(&self) -> Result<Option<String>, StoreError> {
        let digest = self.meta(META_ROSTER)?;
        digest
            .map(|d| {
                String::from_utf8(d)
                    .map_err(|_| StoreError::Corrupt { what: "digest of the roster" })
            })
            .transpose()
    }

    /// The ceilings that were served by last.
    pub fn ceilings(&self) -> Result<Option<Vec<u8>>, StoreError> {
        self.meta(META_CEILINGS)
    }

    /// Origins that the log had before, the oldest first.
    pub fn former_origins(&self) -> Result<Vec<String>, StoreError> {
        let former = self.meta(META_FORMER)?.unwrap_or_default();
        let former = String::from_utf8(former)
            .map_err(|_| StoreError::Corrupt { what: "former origins" })?;
        Ok(former.lines().map(str::to_owned).collect())
    }

    /// The models whose vectors are active, none before the first.
    pub fn model(&self) -> Result<Option<[u8; 32]>, StoreError> {
        let model = self.meta(META_MODEL)?;
        model.map(|m| m.try_into().map_err(|_| StoreError::Corrupt { what: "model" })).transpose()
    }

    /// The tree's edge.
    pub fn edge(&self) -> Result<Vec<u8>, StoreError> {
        self.meta(META_EDGE)?.ok_or(StoreError::Corrupt { what: "edge" })
    }

    /// The newest signed checkpoint, none before the first leaf.
    pub fn checkpoint(&self) -> Result<Option<String>, StoreError> {
        let note = self.meta(META_CHECKPOINT)?;
        note.map(|n| String::from_utf8(n).map_err(|_| StoreError::Corrupt { what: "checkpoint" }))
            .transpose()
    }

    /// A version of a booking.
    pub fn version(&self, id: VersionId) -> Result<Option<VersionRow>, StoreError> {
        let table = self.read()?.open_table(BOOKINGS).map_err(read_error)?;
        let row = table.get(id.0).map_err(read_error)?;
        row.map(|row| version_row(row.value())).transpose()
    }

    /// What is known under a number.
    pub fn number(&self, key: &[u8; 32]) -> Result<Option<NumberRow>, StoreError> {
        let table = self.read()?.open_table(NUMBERS).map_err(read_error)?;
        let row = table.get(key).map_err(read_error)?;
        row.map(|row| number_row(row.value())).transpose()
    }

    /// Fills a write transaction and commits it; durable on return.
    ///
    /// Errors: an error of `fill` leaves the store as it was; a failed commit leaves it unknown.
    pub fn commit<E: From<StoreError>>(
        &self,
        fill: impl FnOnce(&Commit) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut transaction = self.database.begin_write().map_err(commit_error)?;
        transaction.set_quick_repair(true);
        let commit = Commit { transaction };
        fill(&commit)?;
        commit.transaction.commit().map_err(commit_error)?;
        Ok(())
    }

    fn read(&self) -> Result<redb::ReadTransaction, StoreError> {
        self.database.begin_read().map_err(read_error)
    }

    fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let table = self.read()?.open_table(META).map_err(read_error)?;
        Ok(table.get(name).map_err(read_error)?.map(|value| value.value().to_vec()))
    }
}

impl Commit {
    /// Writes a version of a booking.
    pub fn put_version(&self, id: VersionId, row: &VersionRow) -> Result<(), StoreError> {
        let mut table = self.transaction.open_table(BOOKINGS).map_err(commit_error)?;
        let previous = row.previous.map(|p| p.0);
        let value = (
            row.state as u8,
            row.slot,
            row.leaf,
            previous,
            row.number_key,
            row.agency.as_str(),
            row.record.as_slice(),
        );
        table.insert(id.0, value).map_err(commit_error)?;
        Ok(())
    }

    /// Writes a sealed vector of the active model in its place in the gallery's order.
    pub fn put_vector(&self, row: &VectorRow) -> Result<(), StoreError> {
        self.put_vector_in(self.bank()?, row)
    }

    /// Removes a version and its vectors of whatever model: what a purge leaves is the number's
    /// tombstone.
    pub fn remove_version(&self, id: VersionId, leaf: u64) -> Result<(), StoreError> {
        self.transaction
            .open_table(BOOKINGS)
            .map_err(commit_error)?
            .remove(id.0)
            .map_err(commit_error)?;
        for table in VECTORS {
            self.transaction
                .open_table(table)
                .map_err(commit_error)?
                .remove(leaf)
                .map_err(commit_error)?;
        }
        Ok(())
    }

    /// Writes what is known under a number.
    pub fn put_number(&self, key: &[u8; 32], row: &NumberRow) -> Result<(), StoreError> {
        let mut table = self.transaction.open_table(NUMBERS).map_err(commit_error)?;
        table
            .insert(
                key,
                (row.state as u8, row.current.map(|c| c.0), row.leaf, row.released, row.purged),
            )
            .map_err(commit_error)?;
        Ok(())
    }

    /// Writes the tree's edge and the checkpoint over it.
    pub fn put_checkpoint(&self, edge: &[u8], note: &str) -> Result<(), StoreError> {
        self.put_meta(META_EDGE, edge)?;
        self.put_meta(META_CHECKPOINT, note.as_bytes())
    }

    /// Writes which models the vectors are of.
    pub fn put_model(&self, model: &[u8; 32]) -> Result<(), StoreError> {
        self.put_meta(META_MODEL, model)
    }

    /// Writes the digest of the roster that the box serves by from here on.
    pub fn put_roster(&self, sha256: &str, ceilings: &[u8]) -> Result<(), StoreError> {
        self.put_meta(META_ROSTER, sha256.as_bytes())?;
        self.put_meta(META_CEILINGS, ceilings)
    }

    /// Lets the log go on under another origin.
    pub fn put_origin(&self, origin: &str, former: &str) -> Result<(), StoreError> {
        let before = {
            let table = self.transaction.open_table(META).map_err(commit_error)?;
            table
                .get(META_FORMER)
                .map_err(commit_error)?
                .map(|value| value.value().to_vec())
                .unwrap_or_default()
        };
        self.put_meta(META_FORMER, &[&before[..], former.as_bytes(), b"\n"].concat())?;
        self.put_meta(META_ORIGIN, origin.as_bytes())
    }

    fn put_meta(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.transaction
            .open_table(META)
            .map_err(commit_error)?
            .insert(name, value)
            .map_err(commit_error)?;
        Ok(())
    }
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(STORE_CACHE_BYTES);
    builder
}

fn open_error(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Open { source: source.into() }
}

fn read_error(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Read { source: source.into() }
}

fn commit_error(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Commit { source: source.into() }
}

/// The store's file, through the one disk.
#[derive(Debug)]
struct Backend(Arc<dyn DiskFile>);

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.0.size()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read_at(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_size(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::Identifier;
    use crate::disk::RealDisk;

    fn disk() -> Arc<dyn Disk> {
        Arc::new(RealDisk)
    }

    #[test]
    fn rows_come_back_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let agency = Identifier::parse("slmpd").unwrap();
        let version = VersionRow {
            state: VersionState::Live,
            slot: 3,
            leaf: 0,
            previous: Some(VersionId([9; 16])),
            number_key: [4; 32],
            agency: agency.clone(),
            record: vec![1, 2, 3],
        };
        let number = NumberRow {
            state: NumberState::Live,
            current: Some(VersionId([1; 16])),
            leaf: 0,
            released: None,
            purged: None,
        };
        let leaf = LeafRow { leaf: b"leaf".to_vec(), detail: Some(b"detail".to_vec()) };
        let store =
            Store::create(&disk(), folder.path(), StateKind::Test, "test.example/log", b"edge")
                .unwrap();
        store
            .commit::<StoreError>(|commit| {
                commit.put_version(VersionId([1; 16]), &version)?;
                commit.put_vector(&VectorRow {
                    leaf: 0,
                    id: VersionId([1; 16]),
                    vector: vec![5],
                })?;
                commit.put_number(&[4; 32], &number)?;
                commit.put_leaves(0, std::slice::from_ref(&leaf))?;
                commit.put_checkpoint(b"edge", "note")
            })
            .unwrap();
        drop(store);
        let store = Store::open(&disk(), folder.path()).unwrap();
        assert_eq!(
            (store.kind().unwrap(), store.origin().unwrap()),
            (StateKind::Test, "test.example/log".to_owned())
        );
        assert_eq!(store.version(VersionId([1; 16])).unwrap(), Some(version));
        assert_eq!(store.number(&[4; 32]).unwrap(), Some(number));
        assert_eq!(store.leaf(0).unwrap(), Some(leaf));
        assert_eq!(store.checkpoint().unwrap().as_deref(), Some("note"));
        assert_eq!(store.version(VersionId([2; 16])).unwrap(), None);
    }

    #[test]
    fn a_change_that_fails_while_it_is_filled_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Store::create(&disk(), folder.path(), StateKind::Test, "test.example/log", b"edge")
                .unwrap();
        let failed = store.commit(|commit| {
            commit.put_leaves(0, &[LeafRow { leaf: b"leaf".to_vec(), detail: None }])?;
            Err(StoreError::Corrupt { what: "test" })
        });
        assert!(matches!(failed, Err(StoreError::Corrupt { .. })));
        assert_eq!(store.leaf(0).unwrap(), None);
    }

    #[test]
    fn a_folder_of_a_newer_version_is_refused_by_its_format() {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Store::create(&disk(), folder.path(), StateKind::Test, "test.example/log", b"edge")
                .unwrap();
        store.commit(|commit| commit.put_meta(META_FORMAT, &[FORMAT + 1])).unwrap();
        drop(store);
        assert!(matches!(Store::open(&disk(), folder.path()), Err(StoreError::Newer { found: 5 })));
    }

    #[test]
    fn a_file_that_is_no_store_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(STORE_FILE), vec![7; 9000]).unwrap();
        assert!(matches!(Store::open(&disk(), folder.path()), Err(StoreError::Open { .. })));
    }
}
