//! A second model's vectors beside those of the first, while the box goes from one to the other.
//!
//! Invariants: there are two tables of vectors, keyed alike by the booking's leaf; one is active
//! and is of the model that `model` names, the other holds what is made for the next model, or what
//! is left of a former one and waits to be swept. Which is which is one byte, and `Commit::activate_next_model`
//! changes it together with the model. While a switch is recorded, **the other table and the table
//! of failures hold standing bookings only**, none in both, so that their lengths are the progress.
//! A version stands if it is live, or would be if the active model made a vector of its photo.

use std::collections::BTreeMap;
use std::ops::{Bound, Range};

use redb::{ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};

use super::rows::Id;
use super::rows::version_row;
use super::{
    BOOKINGS, Commit, META, META_MODEL, Store, StoreError, VectorRow, VersionRow, VersionState,
    commit_error, read_error,
};
use crate::booking::VersionId;
use crate::limits::{EMBED_FAILURE_CHARS_MAX, FORMER_VECTORS_DELETED_MAX};

/// Leaf of the booking to version id and sealed vector: the order of the gallery's rows.
type Vectors = TableDefinition<'static, u64, (Id, &'static [u8])>;
pub(super) const VECTORS: [Vectors; 2] =
    [TableDefinition::new("vectors"), TableDefinition::new("vectors-b")];
/// Leaf of the booking to version id and why the next model makes no vector of its photo.
pub(super) const FAILURES: TableDefinition<u64, (Id, &str)> = TableDefinition::new("failures");

/// Which of the two tables is active; absent means the first.
const META_BANK: &str = "bank";
/// The switch under way, absent where there is none.
const META_SWITCH: &str = "switch";

/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 32 | the next model |
/// | 32 | 8 | failures that are accepted |
/// | 40 | 8 | leaf that logged the begin |
/// | 48 | 1 | how often a gallery of the next model was begun to be filled |
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
    pub model: [u8; 32],
    /// So many bookings may be without a vector of the next model when it is switched to.
    pub accept_failed: u64,
    /// The leaf that logged the begin.
    pub begun: u64,
    /// How often a gallery was begun to be filled; a process that dies of it leaves this behind.
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
        let model = *bytes.first_chunk().expect("the row holds the model");
        Ok(Some(SwitchRow {
            model,
            accept_failed: number(ACCEPT_AT),
            begun: number(BEGUN_AT),
            fill_attempts: bytes[FILL_ATTEMPTS_AT],
        }))
    }

    /// The sealed vectors of the next model of bookings that these leaves logged, in the order of
    /// the leaves: leaf, version, sealed vector.
    pub fn for_each_next_vector<E: From<StoreError>>(
        &self,
        leaves: Range<u64>,
        visit: impl FnMut(u64, VersionId, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.visit_vectors(1 - self.bank()?, leaves, visit)
    }

    /// The sealed vectors of a booking's version, of whatever models there are.
    pub fn vectors(&self, leaf: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let read = self.database.begin_read().map_err(read_error)?;
        let mut found = Vec::new();
        for table in VECTORS {
            let table = read.open_table(table).map_err(read_error)?;
            found.extend(table.get(leaf).map_err(read_error)?.map(|row| row.value().1.to_vec()));
        }
        Ok(found)
    }

    /// Standing versions that have neither a vector of the next model nor a failure, at most
    /// `len_max`, in the order of their ids after `after`; none of them means that there are none
    /// behind it.
    pub fn due(
        &self,
        after: Option<VersionId>,
        len_max: usize,
    ) -> Result<Vec<(VersionId, VersionRow)>, StoreError> {
        let next = VECTORS[1 - self.bank()?];
        let read = self.database.begin_read().map_err(read_error)?;
        let (bookings, vectors) = (
            read.open_table(BOOKINGS).map_err(read_error)?,
            read.open_table(next).map_err(read_error)?,
        );
        let failures = read.open_table(FAILURES).map_err(read_error)?;
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

    /// Whether a booking has a vector of the next model.
    pub fn has_next_vector(&self, leaf: u64) -> Result<bool, StoreError> {
        let table = VECTORS[1 - self.bank()?];
        let table = self
            .database
            .begin_read()
            .map_err(read_error)?
            .open_table(table)
            .map_err(read_error)?;
        Ok(table.get(leaf).map_err(read_error)?.is_some())
    }

    /// How many vectors of the next model, or of a former one, are stored.
    pub fn next_vectors(&self) -> Result<u64, StoreError> {
        let table = VECTORS[1 - self.bank()?];
        self.database
            .begin_read()
            .map_err(read_error)?
            .open_table(table)
            .map_err(read_error)?
            .len()
            .map_err(read_error)
    }

    /// How many standing bookings have no vector of the next model for a reason.
    pub fn failed(&self) -> Result<u64, StoreError> {
        self.database
            .begin_read()
            .map_err(read_error)?
            .open_table(FAILURES)
            .map_err(read_error)?
            .len()
            .map_err(read_error)
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
        let table = self
            .database
            .begin_read()
            .map_err(read_error)?
            .open_table(FAILURES)
            .map_err(read_error)?;
        let rows = table.iter().map_err(read_error)?;
        rows.map(|row| {
            row.map_err(read_error)
                .map(|(_, row)| (VersionId(row.value().0), row.value().1.to_owned()))
        })
        .collect()
    }

    pub(super) fn visit_vectors<E: From<StoreError>>(
        &self,
        bank: usize,
        leaves: Range<u64>,
        mut visit: impl FnMut(u64, VersionId, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let table = self
            .database
            .begin_read()
            .map_err(read_error)?
            .open_table(VECTORS[bank])
            .map_err(read_error)?;
        for row in table.range(leaves).map_err(read_error)? {
            let (leaf, row) = row.map_err(read_error)?;
            let (id, vector) = row.value();
            visit(leaf.value(), VersionId(id), vector)?;
        }
        Ok(())
    }

    pub(super) fn bank(&self) -> Result<usize, StoreError> {
        bank(self.meta(META_BANK)?.as_deref())
    }
}

impl Commit {
    /// Makes the tables that a folder of the format before this one lacks.
    pub(super) fn make_switch_tables(&self) -> Result<(), StoreError> {
        for table in VECTORS {
            self.transaction.open_table(table).map_err(commit_error)?;
        }
        self.transaction.open_table(FAILURES).map(|_| ()).map_err(commit_error)
    }

    /// Records the switch under way.
    pub fn put_switch(&self, row: &SwitchRow) -> Result<(), StoreError> {
        let mut bytes = [0; SWITCH_BYTES];
        bytes[..ACCEPT_AT].copy_from_slice(&row.model);
        bytes[ACCEPT_AT..BEGUN_AT].copy_from_slice(&row.accept_failed.to_le_bytes());
        bytes[BEGUN_AT..FILL_ATTEMPTS_AT].copy_from_slice(&row.begun.to_le_bytes());
        bytes[FILL_ATTEMPTS_AT] = row.fill_attempts;
        self.put_meta(META_SWITCH, &bytes)
    }

    /// Forgets the switch under way and its failures; what it made is left to be swept.
    pub fn end_switch(&self) -> Result<(), StoreError> {
        self.transaction
            .open_table(META)
            .map_err(commit_error)?
            .remove(META_SWITCH)
            .map_err(commit_error)?;
        self.transaction.delete_table(FAILURES).map_err(commit_error)?;
        self.transaction.open_table(FAILURES).map(|_| ()).map_err(commit_error)
    }

    /// Makes the next model's vectors the active ones and ends the switch; the former model's are
    /// left to be swept.
    pub fn activate_next_model(&self, model: &[u8; 32]) -> Result<(), StoreError> {
        let other = u8::try_from(1 - self.bank()?).expect("there are two tables");
        self.put_meta(META_BANK, &[other])?;
        self.put_meta(META_MODEL, model)?;
        self.end_switch()
    }

    /// Writes a sealed vector of the next model.
    pub fn put_next_vector(&self, row: &VectorRow) -> Result<(), StoreError> {
        self.put_vector_in(1 - self.bank()?, row)
    }

    /// Writes why a standing version has no vector of the next model.
    pub fn put_failure(&self, leaf: u64, id: VersionId, reason: &str) -> Result<(), StoreError> {
        debug_assert!(reason.len() <= EMBED_FAILURE_CHARS_MAX, "reasons are names of a short list");
        self.transaction
            .open_table(FAILURES)
            .map_err(commit_error)?
            .insert(leaf, (id.0, reason))
            .map_err(commit_error)?;
        Ok(())
    }

    /// Removes a version's vector of the next model, or its failure: it doesn't stand any more.
    pub fn remove_next(&self, leaf: u64) -> Result<(), StoreError> {
        let bank = self.bank()?;
        self.transaction
            .open_table(VECTORS[1 - bank])
            .map_err(commit_error)?
            .remove(leaf)
            .map_err(commit_error)?;
        self.transaction
            .open_table(FAILURES)
            .map_err(commit_error)?
            .remove(leaf)
            .map_err(commit_error)?;
        Ok(())
    }

    /// Removes some vectors that are of no model in use; says whether some are left. Only without a
    /// switch under way.
    pub fn delete_former_vectors(&self) -> Result<bool, StoreError> {
        let mut table =
            self.transaction.open_table(VECTORS[1 - self.bank()?]).map_err(commit_error)?;
        for _ in 0..FORMER_VECTORS_DELETED_MAX {
            if table.pop_first().map_err(commit_error)?.is_none() {
                break;
            }
        }
        Ok(!table.is_empty().map_err(commit_error)?)
    }

    pub(super) fn put_vector_in(&self, bank: usize, row: &VectorRow) -> Result<(), StoreError> {
        let mut table = self.transaction.open_table(VECTORS[bank]).map_err(commit_error)?;
        table.insert(row.leaf, (row.id.0, row.vector.as_slice())).map_err(commit_error)?;
        Ok(())
    }

    pub(super) fn bank(&self) -> Result<usize, StoreError> {
        let table = self.transaction.open_table(META).map_err(commit_error)?;
        let value = table.get(META_BANK).map_err(commit_error)?;
        bank(value.as_ref().map(|value| value.value()))
    }
}

fn stands(state: u8) -> bool {
    state == VersionState::Live as u8 || state == VersionState::Unusable as u8
}

fn bank(value: Option<&[u8]>) -> Result<usize, StoreError> {
    match value {
        None | Some([0]) => Ok(0),
        Some([1]) => Ok(1),
        Some(_) => Err(StoreError::Corrupt { what: "active table of vectors" }),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::super::{FORMATS_BEFORE, META_FORMAT, StateKind};
    use super::*;
    use crate::booking::Identifier;
    use crate::disk::{Disk, RealDisk};

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
                (0..5).try_for_each(|n| put(commit, n)).and_then(|()| commit.put_model(&[1; 32]))
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
        let row = SwitchRow { model: [2; 32], accept_failed: 7, begun: 50, fill_attempts: 1 };
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
    fn a_turn_makes_the_next_vectors_the_active_ones_and_the_former_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path());
        let row = SwitchRow { model: [2; 32], accept_failed: 0, begun: 50, fill_attempts: 0 };
        let fill = |commit: &Commit| {
            [0, 1, 2, 4].into_iter().try_for_each(|n| commit.put_next_vector(&vector(n, 2)))
        };
        store
            .commit::<StoreError>(|commit| commit.put_switch(&row).and_then(|()| fill(commit)))
            .unwrap();
        store.commit::<StoreError>(|commit| commit.activate_next_model(&[2; 32])).unwrap();
        drop(store);
        let store = Store::open(&disk(), folder.path()).unwrap();
        assert_eq!((store.model().unwrap(), store.switch().unwrap()), (Some([2; 32]), None));
        assert_eq!(active(&store), [[2, 0], [2, 1], [2, 2], [2, 4]]);
        assert_eq!(
            store.vectors(10).unwrap().len(),
            2,
            "the former model's are there until they are swept"
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
                commit.put_next_vector(&vector(1, 3)).and_then(|()| commit.activate_next_model(&[3; 32]))
            })
            .unwrap();
        assert_eq!(active(&store), [[3, 1]]);
    }

    #[test]
    fn a_folder_made_before_there_could_be_two_models_opens_with_all_that_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let older = store(folder.path());
        older
            .commit::<StoreError>(|commit| {
                commit.transaction.delete_table(VECTORS[1]).map_err(commit_error)?;
                commit.transaction.delete_table(FAILURES).map_err(commit_error)?;
                commit.put_meta(META_FORMAT, &[*FORMATS_BEFORE.start()])
            })
            .unwrap();
        drop(older);
        for _ in 0..2 {
            let store = Store::open(&disk(), folder.path()).unwrap();
            assert_eq!(
                (active(&store).len(), store.next_vectors().unwrap(), store.failed().unwrap()),
                (5, 0, 0)
            );
            assert_eq!(
                (store.model().unwrap(), store.switch().unwrap(), due(&store).len()),
                (Some([1; 32]), None, 4)
            );
        }
    }
}
