//! Sealed vectors of two models beside each other, in the order of the gallery's rows.
//!
//! Invariants: there are two tables of vectors, keyed alike by the booking's leaf; one is active
//! and is of the model that `model` names, the other holds what is made for the next model, or what
//! is left of a former one and waits to be deleted. Which is which is one byte, and
//! `Commit::activate_next_model` changes it together with the model.

use std::ops::Range;

use redb::{ReadableTableMetadata, TableDefinition};

use super::database::{Commit, Store};
use super::error::{StoreError, commit_error, read_error};
use super::rows::{Id, VectorRow};
use crate::booking::VersionId;
use crate::ids::ModelId;

/// Leaf of the booking to version id and sealed vector: the order of the gallery's rows.
type Vectors = TableDefinition<'static, u64, (Id, &'static [u8])>;
const VECTORS: [Vectors; 2] = [TableDefinition::new("vectors"), TableDefinition::new("vectors-b")];

/// Which of the two tables is active; absent means the first.
const META_ACTIVE: &str = "active-vectors";
/// The models of the active vectors.
const META_MODEL: &str = "model";

impl Store {
    /// The models whose vectors are active, none before the first.
    pub fn model(&self) -> Result<Option<ModelId>, StoreError> {
        let model = self.meta(META_MODEL)?;
        let model = model.map(<[u8; 32]>::try_from).transpose();
        Ok(model.map_err(|_| StoreError::Corrupt { what: "model" })?.map(ModelId))
    }

    /// The active model's sealed vectors of bookings that these leaves logged, in the order of the
    /// leaves: leaf, version, sealed vector.
    pub fn for_each_vector<E: From<StoreError>>(
        &self,
        leaves: Range<u64>,
        visit: impl FnMut(u64, VersionId, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.visit_vectors(VECTORS[self.active()?], leaves, visit)
    }

    /// The next model's sealed vectors of bookings that these leaves logged, in the order of the
    /// leaves: leaf, version, sealed vector.
    pub fn for_each_next_vector<E: From<StoreError>>(
        &self,
        leaves: Range<u64>,
        visit: impl FnMut(u64, VersionId, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.visit_vectors(self.inactive_vectors()?, leaves, visit)
    }

    /// The sealed vectors of a booking's version, of whatever models there are.
    pub fn vectors(&self, leaf: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let read = self.read()?;
        let mut found = Vec::new();
        for table in VECTORS {
            let table = read.table(table)?;
            found.extend(table.get(leaf).map_err(read_error)?.map(|row| row.value().1.to_vec()));
        }
        Ok(found)
    }

    /// Whether a booking has a vector of the next model.
    pub fn has_next_vector(&self, leaf: u64) -> Result<bool, StoreError> {
        Ok(self.table(self.inactive_vectors()?)?.get(leaf).map_err(read_error)?.is_some())
    }

    /// How many vectors of the next model, or of a former one, are stored.
    pub fn next_vectors(&self) -> Result<u64, StoreError> {
        self.table(self.inactive_vectors()?)?.len().map_err(read_error)
    }

    /// The table of the next model, or of a former one.
    pub(super) fn inactive_vectors(&self) -> Result<Vectors, StoreError> {
        Ok(VECTORS[1 - self.active()?])
    }

    fn active(&self) -> Result<usize, StoreError> {
        index(self.meta(META_ACTIVE)?.as_deref())
    }

    fn visit_vectors<E: From<StoreError>>(
        &self,
        vectors: Vectors,
        leaves: Range<u64>,
        mut visit: impl FnMut(u64, VersionId, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        for row in self.table(vectors)?.range(leaves).map_err(read_error)? {
            let (leaf, row) = row.map_err(read_error)?;
            let (id, vector) = row.value();
            visit(leaf.value(), VersionId(id), vector)?;
        }
        Ok(())
    }
}

impl Commit {
    /// Makes both tables of vectors.
    pub(super) fn make_vector_tables(&self) -> Result<(), StoreError> {
        VECTORS.into_iter().try_for_each(|table| self.table(table).map(drop))
    }

    /// Writes which models the active vectors are of.
    pub fn put_model(&self, model: ModelId) -> Result<(), StoreError> {
        self.put_meta(META_MODEL, model.as_ref())
    }

    /// Writes a sealed vector of the active model in its place in the gallery's order.
    pub fn put_vector(&self, row: &VectorRow) -> Result<(), StoreError> {
        self.put_vector_in(VECTORS[self.active()?], row)
    }

    /// Writes a sealed vector of the next model.
    pub fn put_next_vector(&self, row: &VectorRow) -> Result<(), StoreError> {
        self.put_vector_in(self.inactive_vectors()?, row)
    }

    /// Removes a version's vectors of whatever model.
    pub(super) fn remove_vectors(&self, leaf: u64) -> Result<(), StoreError> {
        for table in VECTORS {
            self.table(table)?.remove(leaf).map_err(commit_error)?;
        }
        Ok(())
    }

    /// Makes the other table the active one, of this model.
    pub(super) fn exchange_vectors(&self, model: ModelId) -> Result<(), StoreError> {
        let other = u8::try_from(1 - self.active()?).expect("there are two tables");
        self.put_meta(META_ACTIVE, &[other])?;
        self.put_model(model)
    }

    /// The table of the next model, or of a former one.
    pub(super) fn inactive_vectors(&self) -> Result<Vectors, StoreError> {
        Ok(VECTORS[1 - self.active()?])
    }

    fn active(&self) -> Result<usize, StoreError> {
        index(self.meta(META_ACTIVE)?.as_deref())
    }

    fn put_vector_in(&self, vectors: Vectors, row: &VectorRow) -> Result<(), StoreError> {
        let mut table = self.table(vectors)?;
        table.insert(row.leaf, (row.id.0, row.vector.as_slice())).map_err(commit_error)?;
        Ok(())
    }
}

/// The index in `VECTORS` that the byte says.
fn index(value: Option<&[u8]>) -> Result<usize, StoreError> {
    match value {
        None | Some([0]) => Ok(0),
        Some([1]) => Ok(1),
        Some(_) => Err(StoreError::Corrupt { what: "active table of vectors" }),
    }
}
