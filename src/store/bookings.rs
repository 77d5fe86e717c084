//! Bookings: their versions by id, and their numbers by HMAC.
//!
//! A start reads a million versions without their records: it walks over ranges of ids, so that
//! several threads share the table, and borrows each row from the store's pages. Each range is a
//! read transaction of its own, so nothing may commit meanwhile where the ranges must fit each
//! other.

use std::ops::RangeInclusive;

use redb::{ReadableTableMetadata, TableDefinition};

use super::database::{Commit, Store};
use super::error::{StoreError, commit_error, read_error};
use super::rows::{
    Id, NumberKey, NumberRow, NumberValue, VersionRow, VersionState, VersionValue, number_row,
    version_row, version_state,
};
use crate::booking::VersionId;

/// Version id to version.
pub(super) const BOOKINGS: TableDefinition<Id, VersionValue<'static>> =
    TableDefinition::new("bookings");
/// HMAC of agency and number to what is known under it.
const NUMBERS: TableDefinition<NumberKey, NumberValue> = TableDefinition::new("numbers");

/// A version of a booking without its sealed record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VersionHead<'a> {
    pub state: VersionState,
    /// The slot of its key.
    pub slot: u32,
    /// The leaf that logged it.
    pub leaf: u64,
    /// The leaf by which it left the gallery for good.
    pub left: Option<u64>,
    /// The agency that owns it.
    pub agency: &'a str,
}

impl Store {
    /// A version of a booking.
    pub fn version(&self, id: VersionId) -> Result<Option<VersionRow>, StoreError> {
        let table = self.table(BOOKINGS)?;
        let row = table.get(id.0).map_err(read_error)?;
        row.map(|row| version_row(row.value())).transpose()
    }

    /// A booking number, by its HMAC.
    pub fn number(&self, key: &[u8; 32]) -> Result<Option<NumberRow>, StoreError> {
        let table = self.table(NUMBERS)?;
        let row = table.get(key).map_err(read_error)?;
        row.map(|row| number_row(row.value())).transpose()
    }

    /// Number of versions of bookings.
    pub fn versions_len(&self) -> Result<u64, StoreError> {
        self.table(BOOKINGS)?.len().map_err(read_error)
    }

    /// The versions whose ids begin with one of these bytes, in the order of their ids.
    pub fn for_each_version<E: From<StoreError>>(
        &self,
        first_bytes: RangeInclusive<u8>,
        mut visit: impl FnMut(VersionId, VersionHead<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let table = self.table(BOOKINGS)?;
        let (mut first, mut last) = ([0; 16], [u8::MAX; 16]);
        (first[0], last[0]) = (*first_bytes.start(), *first_bytes.end());
        for row in table.range(first..=last).map_err(read_error)? {
            let (id, row) = row.map_err(read_error)?;
            let (state, slot, leaf, left, _, _, agency, _) = row.value();
            visit(
                VersionId(id.value()),
                VersionHead { state: version_state(state)?, slot, leaf, left, agency },
            )?;
        }
        Ok(())
    }
}

impl Commit {
    /// Makes the tables of bookings.
    pub(super) fn make_booking_tables(&self) -> Result<(), StoreError> {
        self.table(BOOKINGS)?;
        self.table(NUMBERS)?;
        Ok(())
    }

    /// Writes a version of a booking.
    pub fn put_version(&self, id: VersionId, row: &VersionRow) -> Result<(), StoreError> {
        let mut table = self.table(BOOKINGS)?;
        let previous = row.previous.map(|p| p.0);
        let value = (
            row.state as u8,
            row.slot,
            row.leaf,
            row.left,
            previous,
            row.number_key,
            row.agency.as_str(),
            row.record.as_slice(),
        );
        table.insert(id.0, value).map_err(commit_error)?;
        Ok(())
    }

    /// Removes a version and its vectors of whatever model: what a purge leaves is the number's
    /// tombstone.
    pub fn remove_version(&self, id: VersionId, leaf: u64) -> Result<(), StoreError> {
        self.table(BOOKINGS)?.remove(id.0).map_err(commit_error)?;
        self.remove_vectors(leaf)
    }

    /// Writes a booking number.
    pub fn put_number(&self, key: &[u8; 32], row: &NumberRow) -> Result<(), StoreError> {
        let mut table = self.table(NUMBERS)?;
        table
            .insert(
                key,
                (row.state as u8, row.current.map(|c| c.0), row.leaf, row.released, row.purged),
            )
            .map_err(commit_error)?;
        Ok(())
    }
}
