//! The log: leaves and their sealed details, tree nodes, cosigned checkpoints, counts of refusals,
//! and standing alarms.
//!
//! Leaves and nodes are written once and never again; details only ever go, and a leaf says which.
//! The lowest tiles are not kept: they are the hashes of leaves that lie here.

use std::ops::Range;

use redb::{ReadableTable, ReadableTableMetadata, TableDefinition};

use super::database::{Commit, Store};
use super::error::{StoreError, commit_error, read_error};
use crate::audit::{Hash, TileNode};
use crate::calendar::Time;

/// Index to leaf.
const LEAVES: TableDefinition<u64, &[u8]> = TableDefinition::new("leaves");
/// Index to sealed detail.
const DETAILS: TableDefinition<u64, &[u8]> = TableDefinition::new("details");
/// Level and index to the hash of a node over 256^level leaves.
const NODES: TableDefinition<(u8, u64), Hash> = TableDefinition::new("nodes");
/// Size of the tree to the signed note with cosignatures.
const COSIGNED: TableDefinition<u64, &str> = TableDefinition::new("cosigned");
/// Hour, first leaf, number of refusals after it, sealed list.
type RefusalCountValue<'a> = (u64, u64, u64, &'a [u8]);
/// Kind of refusal and caller's name to the count of the hour.
const REFUSAL_COUNTS: TableDefinition<(u16, &str), RefusalCountValue<'static>> =
    TableDefinition::new("refusal-counts");
/// Code of the alarm to the leaf that raised it and what it says.
const ALARMS: TableDefinition<u8, (u64, &str)> = TableDefinition::new("alarms");

/// The first leaf whose detail has not expired.
const META_FIRST_UNEXPIRED: &str = "first-unexpired";

/// A leaf with its sealed detail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafRow {
    /// The leaf as it was hashed.
    pub leaf: Vec<u8>,
    /// Its sealed detail; none once its term was over.
    pub detail: Option<Vec<u8>>,
}

/// A count of refusals: those of one kind, caller and hour that have no leaf of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusalCountRow {
    /// The kind's code.
    pub kind: u16,
    pub caller: String,
    /// The beginning of the hour.
    pub hour: Time,
    /// The leaf of the first refusal in that hour.
    pub leaf: u64,
    /// How many came after it.
    pub refusals: u64,
    /// What is kept of them, sealed.
    pub sealed: Vec<u8>,
}

impl Store {
    /// Number of leaves.
    pub fn leaves_len(&self) -> Result<u64, StoreError> {
        self.table(LEAVES)?.len().map_err(read_error)
    }

    /// A leaf and its sealed detail.
    pub fn leaf(&self, index: u64) -> Result<Option<LeafRow>, StoreError> {
        let read = self.read()?;
        let (leaves, details) = (read.table(LEAVES)?, read.table(DETAILS)?);
        let Some(leaf) = leaves.get(index).map_err(read_error)? else { return Ok(None) };
        let detail = details.get(index).map_err(read_error)?.map(|detail| detail.value().to_vec());
        Ok(Some(LeafRow { leaf: leaf.value().to_vec(), detail }))
    }

    /// The index of the first leaf whose detail has not expired.
    pub fn first_unexpired(&self) -> Result<u64, StoreError> {
        let Some(end) = self.meta(META_FIRST_UNEXPIRED)? else { return Ok(0) };
        Ok(u64::from_le_bytes(
            end.try_into()
                .map_err(|_| StoreError::Corrupt { what: "end of the expired details" })?,
        ))
    }

    /// These leaves in their order.
    pub fn for_each_leaf<E: From<StoreError>>(
        &self,
        leaves: Range<u64>,
        mut visit: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let table = self.table(LEAVES)?;
        for row in table.range(leaves).map_err(read_error)? {
            let (index, leaf) = row.map_err(read_error)?;
            visit(index.value(), leaf.value())?;
        }
        Ok(())
    }

    /// The sealed details of these leaves that are still there, in their order.
    pub fn for_each_detail<E: From<StoreError>>(
        &self,
        leaves: Range<u64>,
        mut visit: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let table = self.table(DETAILS)?;
        for row in table.range(leaves).map_err(read_error)? {
            let (index, sealed) = row.map_err(read_error)?;
            visit(index.value(), sealed.value())?;
        }
        Ok(())
    }

    /// The nodes of a level, from this index on, as many as there are of them in a row.
    pub fn nodes(&self, level: u8, indices: Range<u64>) -> Result<Vec<Hash>, StoreError> {
        let table = self.table(NODES)?;
        let mut nodes = Vec::new();
        for row in table.range((level, indices.start)..(level, indices.end)).map_err(read_error)? {
            let (key, node) = row.map_err(read_error)?;
            if key.value().1 != indices.start + nodes.len() as u64 {
                break;
            }
            nodes.push(node.value());
        }
        Ok(nodes)
    }

    /// The checkpoints that witnesses cosigned, of trees of these sizes, the smallest first; at
    /// most `most`.
    pub fn cosigned(
        &self,
        leaves: Range<u64>,
        most: usize,
    ) -> Result<Vec<(u64, String)>, StoreError> {
        let table = self.table(COSIGNED)?;
        let rows = table.range(leaves).map_err(read_error)?.take(most);
        rows.map(|row| {
            row.map(|(size, note)| (size.value(), note.value().to_owned())).map_err(read_error)
        })
        .collect()
    }

    /// The checkpoints that witnesses cosigned, the largest tree first, for as long as `visit`
    /// says.
    pub fn for_each_cosigned_back<E: From<StoreError>>(
        &self,
        mut visit: impl FnMut(u64, &str) -> Result<bool, E>,
    ) -> Result<(), E> {
        let table = self.table(COSIGNED)?;
        for row in table.iter().map_err(read_error)?.rev() {
            let (size, note) = row.map_err(read_error)?;
            if !visit(size.value(), note.value())? {
                break;
            }
        }
        Ok(())
    }

    /// The count of refusals of a kind and caller.
    pub fn refusal_count(
        &self,
        kind: u16,
        caller: &str,
    ) -> Result<Option<RefusalCountRow>, StoreError> {
        let table = self.table(REFUSAL_COUNTS)?;
        let row = table.get((kind, caller)).map_err(read_error)?;
        Ok(row.map(|row| refusal_count_row((kind, caller), row.value())))
    }

    /// All counts of refusals.
    pub fn refusal_counts(&self) -> Result<Vec<RefusalCountRow>, StoreError> {
        let table = self.table(REFUSAL_COUNTS)?;
        let rows = table.iter().map_err(read_error)?;
        rows.map(|row| {
            row.map(|(key, row)| refusal_count_row(key.value(), row.value())).map_err(read_error)
        })
        .collect()
    }

    /// The alarms that stand: code, leaf that raised it, what it says.
    pub fn alarms(&self) -> Result<Vec<(u8, u64, String)>, StoreError> {
        let table = self.table(ALARMS)?;
        let rows = table.iter().map_err(read_error)?;
        rows.map(|row| {
            row.map(|(code, row)| (code.value(), row.value().0, row.value().1.to_owned()))
                .map_err(read_error)
        })
        .collect()
    }
}

impl Commit {
    /// Makes the log's tables.
    pub(super) fn make_log_tables(&self) -> Result<(), StoreError> {
        self.table(LEAVES)?;
        self.table(DETAILS)?;
        self.table(NODES)?;
        self.table(COSIGNED)?;
        self.table(REFUSAL_COUNTS)?;
        self.table(ALARMS)?;
        Ok(())
    }

    /// Writes leaves with their sealed details, those that have any; the first has this index.
    pub fn put_leaves(&self, first: u64, leaves: &[LeafRow]) -> Result<(), StoreError> {
        let mut table = self.table(LEAVES)?;
        let mut details = self.table(DETAILS)?;
        for (LeafRow { leaf, detail }, index) in leaves.iter().zip(first..) {
            table.insert(index, &leaf[..]).map_err(commit_error)?;
            if let Some(detail) = detail {
                details.insert(index, &detail[..]).map_err(commit_error)?;
            }
        }
        Ok(())
    }

    /// Removes the details of these leaves, which follow those that were removed before.
    pub fn expire_details(&self, leaves: Range<u64>) -> Result<(), StoreError> {
        let end = leaves.end;
        self.table(DETAILS)?.retain_in(leaves, |_, _| false).map_err(commit_error)?;
        self.put_meta(META_FIRST_UNEXPIRED, &end.to_le_bytes())
    }

    /// Writes nodes of higher tiles.
    pub fn put_nodes(&self, nodes: &[TileNode]) -> Result<(), StoreError> {
        if nodes.is_empty() {
            return Ok(());
        }
        let mut table = self.table(NODES)?;
        for node in nodes {
            table.insert((node.level, node.index), node.hash).map_err(commit_error)?;
        }
        Ok(())
    }

    /// Writes a cosigned checkpoint in place of the one of its size.
    pub fn put_cosigned(&self, leaves: u64, note: &str) -> Result<(), StoreError> {
        self.table(COSIGNED)?.insert(leaves, note).map_err(commit_error)?;
        Ok(())
    }

    /// Writes the count of a kind and caller.
    pub fn put_refusal_count(&self, row: &RefusalCountRow) -> Result<(), StoreError> {
        let mut table = self.table(REFUSAL_COUNTS)?;
        let value = (row.hour.cs(), row.leaf, row.refusals, &row.sealed[..]);
        table.insert((row.kind, &row.caller[..]), value).map_err(commit_error)?;
        Ok(())
    }

    /// Removes the count of a kind and caller.
    pub fn remove_refusal_count(&self, kind: u16, caller: &str) -> Result<(), StoreError> {
        self.table(REFUSAL_COUNTS)?.remove((kind, caller)).map_err(commit_error)?;
        Ok(())
    }

    /// Writes an alarm that stands from here on.
    pub fn put_alarm(&self, code: u8, leaf: u64, what: &str) -> Result<(), StoreError> {
        self.table(ALARMS)?.insert(code, (leaf, what)).map_err(commit_error)?;
        Ok(())
    }

    /// Removes an alarm.
    pub fn remove_alarm(&self, code: u8) -> Result<(), StoreError> {
        self.table(ALARMS)?.remove(code).map_err(commit_error)?;
        Ok(())
    }
}

fn refusal_count_row(
    (kind, caller): (u16, &str),
    (hour, leaf, refusals, sealed): RefusalCountValue<'_>,
) -> RefusalCountRow {
    RefusalCountRow {
        kind,
        caller: caller.to_owned(),
        hour: Time::from_cs(hour),
        leaf,
        refusals,
        sealed: sealed.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::disk::{Disk, RealDisk};
    use crate::store::StateKind;

    fn store(folder: &tempfile::TempDir) -> Store {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        Store::create(&disk, folder.path(), StateKind::Test, "test.example/log", b"edge").unwrap()
    }

    #[test]
    fn leaves_lose_their_details_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let row = |n: u8| LeafRow { leaf: vec![n; 3], detail: (n != 4).then(|| vec![n; 9]) };
        store.commit(|commit| commit.put_leaves(0, &(0..10).map(row).collect::<Vec<_>>())).unwrap();
        assert_eq!(
            (store.leaf(3).unwrap(), store.leaf(4).unwrap(), store.leaf(10).unwrap()),
            (Some(row(3)), Some(row(4)), None)
        );
        assert_eq!(store.first_unexpired().unwrap(), 0);
        store.commit(|commit| commit.expire_details(0..6)).unwrap();
        assert_eq!((store.first_unexpired().unwrap(), store.leaves_len().unwrap()), (6, 10));
        assert_eq!(store.leaf(3).unwrap(), Some(LeafRow { detail: None, ..row(3) }));
        let mut left = Vec::new();
        store
            .for_each_detail::<StoreError>(0..8, |index, sealed| {
                left.push((index, sealed[0]));
                Ok(())
            })
            .unwrap();
        assert_eq!(left, [(6, 6), (7, 7)]);
    }

    #[test]
    fn nodes_come_in_a_row_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let node = |level: u8, index: u64| TileNode {
            level,
            index,
            hash: [level * 16 + u8::try_from(index).unwrap(); 32],
        };
        let nodes: Vec<TileNode> =
            (0..6).filter(|&n| n != 4).map(|n| node(1, n)).chain([node(2, 0)]).collect();
        store.commit(|commit| commit.put_nodes(&nodes)).unwrap();
        assert_eq!(store.nodes(1, 1..6).unwrap(), [[17; 32], [18; 32], [19; 32]]);
        assert_eq!(
            (store.nodes(2, 0..9).unwrap(), store.nodes(1, 4..5).unwrap().len()),
            (vec![[32; 32]], 0)
        );
    }

    #[test]
    fn cosigned_checkpoints_come_from_either_end() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        store
            .commit(|commit| {
                [5, 9, 300]
                    .into_iter()
                    .try_for_each(|n| commit.put_cosigned(n, &format!("note {n}")))
            })
            .unwrap();
        assert_eq!(store.cosigned(6..u64::MAX, 1).unwrap(), [(9, "note 9".to_owned())]);
        let mut back = Vec::new();
        store
            .for_each_cosigned_back::<StoreError>(|size, _| {
                back.push(size);
                Ok(size > 9)
            })
            .unwrap();
        assert_eq!(back, [300, 9]);
    }

    #[test]
    fn refusal_counts_and_alarms_stay_until_they_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder);
        let row = RefusalCountRow {
            kind: 35,
            caller: "smrt:device/rtcc-1".to_owned(),
            hour: Time::from_cs(1),
            leaf: 2,
            refusals: 3,
            sealed: vec![4],
        };
        store
            .commit(|commit| {
                commit.put_refusal_count(&row).and_then(|()| commit.put_alarm(2, 7, "in doubt"))
            })
            .unwrap();
        assert_eq!(
            (
                store.refusal_count(35, &row.caller).unwrap(),
                store.refusal_count(17, &row.caller).unwrap()
            ),
            (Some(row.clone()), None)
        );
        assert_eq!(
            (store.refusal_counts().unwrap(), store.alarms().unwrap()),
            (vec![row.clone()], vec![(2, 7, "in doubt".to_owned())])
        );
        store
            .commit(|commit| {
                commit.remove_refusal_count(35, &row.caller).and_then(|()| commit.remove_alarm(2))
            })
            .unwrap();
        assert!(store.refusal_counts().unwrap().is_empty() && store.alarms().unwrap().is_empty());
    }
}
