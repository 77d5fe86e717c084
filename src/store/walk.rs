//! Walks over whole tables, row by row: what a start needs of a million bookings never lies in
//! memory twice.
//!
//! A walk borrows its rows from the store's pages and covers a range of keys, so that several
//! threads share a table. Nothing else may commit meanwhile where the ranges must fit each other:
//! each range is a read transaction of its own.

use std::ops::{Range, RangeInclusive};

use redb::ReadableTableMetadata;

use super::rows::version_state;
use super::{BOOKINGS, Store, StoreError, VersionState, read_error};
use crate::booking::VersionId;

/// What a version's row says beside its sealed record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionHead<'a> {
    /// Where it stands.
    pub state: VersionState,
    /// The slot of its key.
    pub slot: u32,
    /// The leaf that logged it.
    pub leaf: u64,
    /// The agency that owns it.
    pub agency: &'a str,
}

impl Store {
    /// Number of versions of bookings.
    pub fn versions_len(&self) -> Result<u64, StoreError> {
        self.read()?.open_table(BOOKINGS).map_err(read_error)?.len().map_err(read_error)
    }

    /// The versions whose ids begin with one of these bytes, in the order of their ids.
    pub fn for_each_version<E: From<StoreError>>(
        &self,
        first_bytes: RangeInclusive<u8>,
        mut visit: impl FnMut(VersionId, VersionHead<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let table = self.read()?.open_table(BOOKINGS).map_err(read_error)?;
        let (mut first, mut last) = ([0; 16], [u8::MAX; 16]);
        (first[0], last[0]) = (*first_bytes.start(), *first_bytes.end());
        for row in table.range(first..=last).map_err(read_error)? {
            let (id, row) = row.map_err(read_error)?;
            let (state, slot, leaf, _, _, agency, _) = row.value();
            visit(
                VersionId(id.value()),
                VersionHead { state: version_state(state)?, slot, leaf, agency },
            )?;
        }
        Ok(())
    }

    /// The active model's sealed vectors of bookings that these leaves logged, in the order of the
    /// leaves: leaf, version, sealed vector.
    pub fn for_each_vector<E: From<StoreError>>(
        &self,
        leaves: Range<u64>,
        visit: impl FnMut(u64, VersionId, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.visit_vectors(self.bank()?, leaves, visit)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::booking::Identifier;
    use crate::disk::{Disk, RealDisk};
    use crate::store::LeafRow;
    use crate::store::{StateKind, VectorRow, VersionRow};

    #[test]
    fn walks_over_ranges_meet_every_row_once_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let store =
            Store::create(&disk, folder.path(), StateKind::Test, "test.example/log", b"edge")
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
