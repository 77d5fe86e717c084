//! The switch from one model to the next: its record, what is still to be embedded, and what the
//! next model makes no vector of.
//!
//! Invariant: while a switch is recorded, **the inactive table of vectors and the table of failures
//! hold standing bookings only**, none in both, so that their lengths are the progress. A version
//! stands if it is live, or would be if the active model made a vector of its photo.

use std::collections::BTreeMap;
use std::ops::Bound;

use redb::{ReadableTable, ReadableTableMetadata, TableDefinition};

use super::bookings::BOOKINGS;
use super::database::{Commit, Store};
use super::error::{StoreError, commit_error, read_error};
use super::rows::{Id, VersionRow, VersionState, version_row};
use crate::booking::VersionId;
use crate::ids::ModelId;
use crate::limits::{EMBED_FAILURE_CHARS_MAX, FORMER_VECTORS_DELETED_MAX};

/// Leaf of the booking to version id and why the next model makes no vector of its photo.
const FAILURES: TableDefinition<u64, (Id, &str)> = TableDefinition::new("failures");

/// The switch under way, absent where there is none.
const META_SWITCH: &str = "switch";

/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 32 | the next model |
/// | 32 | 8 | failures that are accepted |
/// | 40 | 8 | leaf that logged the begin |
/// | 48 | 1 | how often filling a gallery of the next model was begun |
///
/// Little-endian.
const SWITCH_BYTES: usize = 49;
const ACCEPT_AT: usize = 32;
const BEGUN_AT: usize = 40;
const FILL_ATTEMPTS_AT: usize = 48;

/// A switch of the model that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwitchRow {
    /// The next model.
    pub model: ModelId,
    /// So many bookings may be without a vector of the next model when it is switched to.
    pub accept_failed: u64,
    /// The leaf that logged the begin.
    pub begun: u64,
    /// How often filling a gallery of the next model was begun; a process that dies of it leaves
    /// this behind.
    pub fill_attempts: u8,
}

impl Store {
    /// The switch under way.
    pub fn switch(&self) -> Result<Option<SwitchRow>, StoreError> {
        let Some(bytes) = self.meta(META_SWITCH)? else { return Ok(None) };
        let bytes = <[u8; SWITCH_BYTES]>::try_from(bytes)
            .map_err(|_| StoreError::Corrupt { what: "switch of the model" })?;
        let number = |at: usize| {
            u64::from_le_bytes(*bytes[at..].first_chunk().expect("the row holds the number"))
        };
        let model = ModelId(*bytes.first_chunk().expect("the row holds the model"));
        Ok(Some(SwitchRow {
            model,
            accept_failed: number(ACCEPT_AT),
            begun: number(BEGUN_AT),
            fill_attempts: bytes[FILL_ATTEMPTS_AT],
        }))
    }

    /// Standing versions that have neither a vector of the next model nor a failure, at most
    /// `len_max`, in the order of their ids after `after`; none of them means that there are none
    /// behind it.
    pub fn due(
        &self,
        after: Option<VersionId>,
        len_max: usize,
    ) -> Result<Vec<(VersionId, VersionRow)>, StoreError> {
        let next = self.inactive_vectors()?;
        let read = self.read()?;
        let (bookings, vectors) = (read.table(BOOKINGS)?, read.table(next)?);
        let failures = read.table(FAILURES)?;
        let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.0));
        let mut due = Vec::new();
        for row in bookings.range::<Id>((from, Bound::Unbounded)).map_err(read_error)? {
            let (id, row) = row.map_err(read_error)?;
            let (state, _, leaf, ..) = row.value();
            if !stands(state)
                || vectors.get(leaf).map_err(read_error)?.is_some()
                || failures.get(leaf).map_err(read_error)?.is_some()
            {
                continue;
            }
            due.push((VersionId(id.value()), version_row(row.value())?));
            if due.len() == len_max {
                break;
            }
        }
        Ok(due)
    }

    /// How many standing bookings have no vector of the next model for a reason.
    pub fn failed(&self) -> Result<u64, StoreError> {
        self.table(FAILURES)?.len().map_err(read_error)
    }

    /// The failures by their reasons.
    pub fn failures_by_reason(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        let mut reasons = BTreeMap::new();
        for (_, reason) in self.failures()? {
            *reasons.entry(reason).or_default() += 1;
        }
        Ok(reasons)
    }

    /// The versions without a vector of the next model, with the reasons.
    pub fn failures(&self) -> Result<Vec<(VersionId, String)>, StoreError> {
        let table = self.table(FAILURES)?;
        let rows = table.iter().map_err(read_error)?;
        rows.map(|row| {
            row.map_err(read_error)
                .map(|(_, row)| (VersionId(row.value().0), row.value().1.to_owned()))
        })
        .collect()
    }
}

impl Commit {
    /// Makes the table of failures.
    pub(super) fn make_switch_tables(&self) -> Result<(), StoreError> {
        self.table(FAILURES).map(drop)
    }

    /// Records the switch under way.
    pub fn put_switch(&self, row: &SwitchRow) -> Result<(), StoreError> {
        let mut bytes = [0; SWITCH_BYTES];
        bytes[..ACCEPT_AT].copy_from_slice(row.model.as_ref());
        bytes[ACCEPT_AT..BEGUN_AT].copy_from_slice(&row.accept_failed.to_le_bytes());
        bytes[BEGUN_AT..FILL_ATTEMPTS_AT].copy_from_slice(&row.begun.to_le_bytes());
        bytes[FILL_ATTEMPTS_AT] = row.fill_attempts;
        self.put_meta(META_SWITCH, &bytes)
    }

    /// Forgets the switch under way and its failures; the vectors that it made are left to be
    /// deleted.
    pub fn end_switch(&self) -> Result<(), StoreError> {
        self.remove_meta(META_SWITCH)?;
        self.delete_table(FAILURES)?;
        self.make_switch_tables()
    }

    /// Makes the next model's vectors the active ones and ends the switch; the former model's are
    /// left to be deleted.
    pub fn activate_next_model(&self, model: ModelId) -> Result<(), StoreError> {
        self.exchange_vectors(model)?;
        self.end_switch()
    }

    /// Writes why a standing version has no vector of the next model.
    pub fn put_failure(&self, leaf: u64, id: VersionId, reason: &str) -> Result<(), StoreError> {
        debug_assert!(reason.len() <= EMBED_FAILURE_CHARS_MAX, "reasons are names of a short list");
        self.table(FAILURES)?.insert(leaf, (id.0, reason)).map_err(commit_error)?;
        Ok(())
    }

    /// Removes a version's vector of the next model, or its failure: it doesn't stand any more.
    pub fn remove_next(&self, leaf: u64) -> Result<(), StoreError> {
        self.table(self.inactive_vectors()?)?.remove(leaf).map_err(commit_error)?;
        self.table(FAILURES)?.remove(leaf).map_err(commit_error)?;
        Ok(())
    }

    /// Deletes some vectors that are of no model in use; says whether some are left. Only without a
    /// switch under way.
    pub fn delete_former_vectors(&self) -> Result<bool, StoreError> {
        let mut table = self.table(self.inactive_vectors()?)?;
        for _ in 0..FORMER_VECTORS_DELETED_MAX {
            if table.pop_first().map_err(commit_error)?.is_none() {
                break;
            }
        }
        Ok(!table.is_empty().map_err(commit_error)?)
    }
}

fn stands(state: u8) -> bool {
    state == VersionState::Live as u8 || state == VersionState::Unusable as u8
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::booking::Identifier;
    use crate::disk::{Disk, RealDisk};
    use crate::store::{StateKind, VectorRow};

    fn disk() -> Arc<dyn Disk> {
        Arc::new(RealDisk)
    }

    fn id(n: u8) -> VersionId {
        VersionId([n; 16])
    }

    /// A store with five versions whose leaves are ten times their numbers; 3 is released and 4
    /// unusable.
    fn store(folder: &Path) -> Store {
        let store =
            Store::create(&disk(), folder, StateKind::Test, "test.example/log", b"edge").unwrap();
        let state = |n| match n {
            3 => VersionState::Released,
            4 => VersionState::Unusable,
            _ => VersionState::Live,
        };
        let agency = Identifier::parse("slmpd").unwrap();
        let row = |n: u8| VersionRow {
            state: state(n),
            slot: 0,
            leaf: u64::from(n) * 10,
            left: None,
            previous: None,
            number_key: [n; 32],
            agency: agency.clone(),
            record: Vec::new(),
        };
        let put = |commit: &Commit, n: u8| {
            commit.put_version(id(n), &row(n)).and_then(|()| commit.put_vector(&vector(n, 1)))
        };
        store
            .commit::<StoreError>(|commit| {
                (0..5)
                    .try_for_each(|n| put(commit, n))
                    .and_then(|()| commit.put_model(ModelId([1; 32])))
            })
            .unwrap();
        store
    }

    fn vector(n: u8, model: u8) -> VectorRow {
        VectorRow { leaf: u64::from(n) * 10, id: id(n), vector: vec![model, n] }
    }

    fn due(store: &Store) -> Vec<u8> {
        store.due(None, 9).unwrap().into_iter().map(|(id, _)| id.0[0]).collect()
    }

    fn active(store: &Store) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let visit = |_, _, vector: &[u8]| -> Result<(), StoreError> {
            found.push(vector.to_vec());
            Ok(())
        };
        store.for_each_vector(0..u64::MAX, visit).unwrap();
        found
    }

    #[test]
    fn standing_bookings_are_due_until_they_have_a_vector_or_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        assert_eq!(due(&store), [0, 1, 2, 4]);
        assert_eq!(
            store.due(Some(id(1)), 1).unwrap()[0].0,
            id(2),
            "in the order of their ids, no more than asked for"
        );
        let row =
            SwitchRow { model: ModelId([2; 32]), accept_failed: 7, begun: 50, fill_attempts: 1 };
        let begin = |commit: &Commit| {
            commit.put_switch(&row).and_then(|()| commit.put_next_vector(&vector(0, 2)))
        };
        store
            .commit::<StoreError>(|commit| {
                begin(commit).and_then(|()| commit.put_failure(10, id(1), "no face"))
            })
            .unwrap();
        assert_eq!((store.switch().unwrap(), due(&store)), (Some(row), vec![2, 4]));
        assert_eq!((store.next_vectors().unwrap(), store.failed().unwrap()), (1, 1));
        assert_eq!(store.failures().unwrap(), [(id(1), "no face".to_owned())]);
        assert_eq!(
            store.failures_by_reason().unwrap(),
            BTreeMap::from([("no face".to_owned(), 1)])
        );
        assert_eq!(
            (store.has_next_vector(0).unwrap(), store.has_next_vector(10).unwrap()),
            (true, false)
        );
        store
            .commit::<StoreError>(|commit| {
                commit.remove_next(0).and_then(|()| commit.remove_next(10))
            })
            .unwrap();
        assert_eq!((store.next_vectors().unwrap(), store.failed().unwrap()), (0, 0));
    }

    #[test]
    fn activating_the_next_model_leaves_the_former_vectors_to_be_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        let row =
            SwitchRow { model: ModelId([2; 32]), accept_failed: 0, begun: 50, fill_attempts: 0 };
        let fill = |commit: &Commit| {
            [0, 1, 2, 4].into_iter().try_for_each(|n| commit.put_next_vector(&vector(n, 2)))
        };
        store
            .commit::<StoreError>(|commit| commit.put_switch(&row).and_then(|()| fill(commit)))
            .unwrap();
        store.commit::<StoreError>(|commit| commit.activate_next_model(ModelId([2; 32]))).unwrap();
        drop(store);
        let store = Store::open(&disk(), folder.path()).unwrap();
        assert_eq!(
            (store.model().unwrap(), store.switch().unwrap()),
            (Some(ModelId([2; 32])), None)
        );
        assert_eq!(active(&store), [[2, 0], [2, 1], [2, 2], [2, 4]]);
        assert_eq!(
            store.vectors(10).unwrap().len(),
            2,
            "the former model's are there until they are deleted"
        );
        assert_eq!(store.next_vectors().unwrap(), 5);
        let mut more = true;
        while more {
            store
                .commit::<StoreError>(|commit| {
                    more = commit.delete_former_vectors()?;
                    Ok(())
                })
                .unwrap();
        }
        assert_eq!(
            (store.next_vectors().unwrap(), store.vectors(10).unwrap()),
            (0, vec![vec![2, 1]])
        );
        // And back again, over the first table.
        store
            .commit::<StoreError>(|commit| {
                commit
                    .put_next_vector(&vector(1, 3))
                    .and_then(|()| commit.activate_next_model(ModelId([3; 32])))
            })
            .unwrap();
        assert_eq!(active(&store), [[3, 1]]);
    }
}
