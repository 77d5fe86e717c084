//! The store: bookings, vectors, accounts, inquiries and the log in one redb file.
//!
//! It is the truth from which all else is rebuilt. Invariants: one write transaction is one commit
//! point; quick-repair is on, so that opening after a crash takes no scan. Records, vectors and
//! details come here sealed and leave sealed: the store holds no key. A booking number is known by
//! its HMAC only. The kind of a state folder is written when it is made and never again.

mod bookings;
mod database;
mod error;
mod inquiries;
mod log;
mod meta;
mod people;
mod rows;
mod switch;
mod vectors;

use std::io;
use std::path::Path;
use std::sync::Arc;

pub use crate::state_kind::StateKind;
pub use bookings::VersionHead;
pub use database::{Commit, Store};
pub use error::StoreError;
pub use inquiries::{InquiryHead, InquiryRow};
pub use log::{LeafRow, RefusalCountRow};
pub use rows::{NumberRow, NumberState, VectorRow, VersionRow, VersionState};
pub use switch::SwitchRow;

use crate::disk::{Disk, OpenMode};
use error::open_error;

/// The name of the store's file below the state folder.
pub const STORE_FILE: &str = "smrt.redb";
/// The form of all tables; a file of another form isn't opened.
const FORMAT: u8 = 6;

const META_FORMAT: &str = "format";

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
        let store = Self::on(disk.open(&part, OpenMode::New).map_err(open_error)?)?;
        store.commit(|commit| {
            commit.make_booking_tables()?;
            commit.make_vector_tables()?;
            commit.make_switch_tables()?;
            commit.make_log_tables()?;
            commit.make_people_tables()?;
            commit.make_inquiry_tables()?;
            commit.put_meta(META_FORMAT, &[FORMAT])?;
            commit.put_new_log(kind, origin, edge)
        })?;
        disk.rename(&part, &path).map_err(open_error)?;
        disk.sync_folder(state).map_err(open_error)?;
        Ok(store)
    }

    /// Opens the store.
    ///
    /// Errors: a file of another format, damage, an operating system's error.
    pub fn open(disk: &Arc<dyn Disk>, state: &Path) -> Result<Self, StoreError> {
        let file = disk.open(&state.join(STORE_FILE), OpenMode::Existing).map_err(open_error)?;
        let store = Self::on(file)?;
        match store.meta(META_FORMAT)?.as_deref() {
            Some([FORMAT]) => Ok(store),
            Some(&[found]) => Err(StoreError::Format { found, wanted: FORMAT }),
            _ => Err(StoreError::Corrupt { what: "format" }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::booking::{Identifier, VersionId};
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
            left: None,
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
    fn a_folder_of_another_format_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Store::create(&disk(), folder.path(), StateKind::Test, "test.example/log", b"edge")
                .unwrap();
        store.commit(|commit| commit.put_meta(META_FORMAT, &[FORMAT + 1])).unwrap();
        drop(store);
        assert!(matches!(
            Store::open(&disk(), folder.path()),
            Err(StoreError::Format { found, wanted: FORMAT }) if found == FORMAT + 1
        ));
    }

    #[test]
    fn a_file_that_is_no_store_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(STORE_FILE), vec![7; 9000]).unwrap();
        assert!(matches!(Store::open(&disk(), folder.path()), Err(StoreError::Open { .. })));
    }

    #[test]
    fn walks_over_ranges_meet_every_row_once_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let store =
            Store::create(&disk(), folder.path(), StateKind::Test, "test.example/log", b"edge")
                .unwrap();
        let id = |n: u8| VersionId([n.wrapping_mul(97); 16]);
        store
            .commit::<StoreError>(|commit| {
                for n in 0..=255 {
                    let (leaf, state) = (
                        u64::from(n) * 3,
                        if n == 9 { VersionState::Purging } else { VersionState::Live },
                    );
                    let agency =
                        Identifier::parse(if n < 100 { "slmpd" } else { "stlco" }).unwrap();
                    let slot = u32::from(n);
                    let row = VersionRow {
                        state,
                        slot,
                        leaf,
                        left: None,
                        previous: None,
                        number_key: [n; 32],
                        agency,
                        record: vec![n; 9],
                    };
                    commit.put_version(id(n), &row)?;
                    commit.put_vector(&VectorRow { leaf, id: id(n), vector: vec![n; 5] })?;
                    commit
                        .put_leaves(u64::from(n), &[LeafRow { leaf: vec![n; 3], detail: None }])?;
                }
                Ok(())
            })
            .unwrap();
        assert_eq!((store.versions_len().unwrap(), store.leaves_len().unwrap()), (256, 256));
        let mut versions = Vec::new();
        for range in [0..=0, 1..=99, 100..=255] {
            let visit = |id: VersionId, head: VersionHead<'_>| -> Result<(), StoreError> {
                assert_eq!(head.leaf, u64::from(head.slot) * 3);
                versions.push((id, head.slot, head.state, head.agency.to_owned()));
                Ok(())
            };
            store.for_each_version(range, visit).unwrap();
        }
        assert_eq!(versions.len(), 256);
        assert!(versions.is_sorted_by_key(|version| version.0));
        for (found, slot, state, agency) in versions {
            assert_eq!(found, id(u8::try_from(slot).unwrap()));
            assert_eq!(
                (state == VersionState::Purging, agency == "slmpd"),
                (slot == 9, slot < 100)
            );
        }
        let mut vectors = Vec::new();
        for range in [0..1, 1..300, 300..301, 301..2000] {
            let visit = |leaf, id, vector: &[u8]| -> Result<(), StoreError> {
                vectors.push((leaf, id, vector.to_vec()));
                Ok(())
            };
            store.for_each_vector(range, visit).unwrap();
        }
        assert_eq!(
            vectors,
            (0..=255).map(|n| (u64::from(n) * 3, id(n), vec![n; 5])).collect::<Vec<_>>()
        );
        let mut leaves = Vec::new();
        for range in [0..40, 40..40, 40..256] {
            let visit = |index, leaf: &[u8]| -> Result<(), StoreError> {
                leaves.push((index, leaf.to_vec()));
                Ok(())
            };
            store.for_each_leaf(range, visit).unwrap();
        }
        assert_eq!(leaves, (0..=255).map(|n| (u64::from(n), vec![n; 3])).collect::<Vec<_>>());
    }
}
