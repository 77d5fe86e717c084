//! Rows: what the tables hold, as types.

use super::error::StoreError;
use crate::booking::{Identifier, VersionId};

pub(super) type Id = [u8; 16];
pub(super) type NumberKey = [u8; 32];

/// State, slot, leaf, leaf by which it left the gallery, previous version, number key, agency,
/// sealed record.
pub(super) type VersionValue<'a> =
    (u8, u32, u64, Option<u64>, Option<Id>, NumberKey, &'a str, &'a [u8]);
/// State, version that stands, its leaf, leaf of the release, leaf of the purge.
pub(super) type NumberValue = (u8, Option<Id>, u64, Option<u64>, Option<u64>);

/// The state of a version of a booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum VersionState {
    /// In the gallery.
    Live = 1,
    /// Replaced by a later version of the same booking: out of the gallery.
    Superseded = 2,
    /// Released by its agency: out of the gallery.
    Released = 3,
    /// Its purge has begun and must be finished.
    Purging = 4,
    /// The active model makes no vector of its photo: out of the gallery until its agency sends
    /// another photo.
    Unusable = 5,
    /// Nobody knows whether it was released while the log that would say so was lost: out of the
    /// gallery until its agency sends it again.
    Withheld = 6,
}

/// The state of a booking number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum NumberState {
    /// A version stands.
    Live = 1,
    /// Released.
    Released = 2,
    /// Purged: only this tombstone is left.
    Purged = 3,
}

/// A version of a booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionRow {
    pub state: VersionState,
    /// The slot of its key.
    pub slot: u32,
    /// The leaf that logged it.
    pub leaf: u64,
    /// The leaf by which it left the gallery for good: its release, or the booking that replaced
    /// it.
    pub left: Option<u64>,
    /// The version that it replaced.
    pub previous: Option<VersionId>,
    /// HMAC of agency and number.
    pub number_key: [u8; 32],
    /// The agency that owns it.
    pub agency: Identifier,
    /// Sealed.
    pub record: Vec<u8>,
}

/// A booking number: which version stands, and the leaves that logged what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberRow {
    pub state: NumberState,
    /// The version that stands; none once purged.
    pub current: Option<VersionId>,
    /// The leaf that logged that version.
    pub leaf: u64,
    /// The leaf that logged the release.
    pub released: Option<u64>,
    /// The leaf that logged the purge.
    pub purged: Option<u64>,
}

/// A sealed vector in the gallery's order.
#[derive(Clone, Debug)]
pub struct VectorRow {
    /// The leaf of the booking.
    pub leaf: u64,
    pub id: VersionId,
    /// Sealed.
    pub vector: Vec<u8>,
}

pub(super) fn version_state(state: u8) -> Result<VersionState, StoreError> {
    use VersionState::{Live, Purging, Released, Superseded, Unusable, Withheld};
    [Live, Superseded, Released, Purging, Unusable, Withheld]
        .into_iter()
        .find(|&s| s as u8 == state)
        .ok_or(StoreError::Corrupt { what: "state of a booking" })
}

pub(super) fn version_row(value: VersionValue<'_>) -> Result<VersionRow, StoreError> {
    let (state, slot, leaf, left, previous, number_key, agency, record) = value;
    let state = version_state(state)?;
    let agency = Identifier::parse(agency)
        .map_err(|_| StoreError::Corrupt { what: "agency of a booking" })?;
    Ok(VersionRow {
        state,
        slot,
        leaf,
        left,
        previous: previous.map(VersionId),
        number_key,
        agency,
        record: record.to_vec(),
    })
}

pub(super) fn number_row(value: NumberValue) -> Result<NumberRow, StoreError> {
    let (state, current, leaf, released, purged) = value;
    let state = [NumberState::Live, NumberState::Released, NumberState::Purged]
        .into_iter()
        .find(|&s| s as u8 == state)
        .ok_or(StoreError::Corrupt { what: "state of a booking number" })?;
    Ok(NumberRow { state, current: current.map(VersionId), leaf, released, purged })
}
