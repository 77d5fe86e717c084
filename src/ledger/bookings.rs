//! Bookings in the ledger: the writes of an agency's verbs, and what is read of a booking.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::core::Core;
use super::error::LedgerError;
use super::faces::{self, Enrolled, Faces, NextFace};
use super::generation::Generation;
use super::handle::Ledger;
use super::records::{Record, StandingBooking, Taken, stands};
use super::write::{BookingFiles, Decision, FilesFirst, Group, NewLeaf, Subject, Write};
use crate::audit::{Actor, Detail, SALT_BYTES};
use crate::booking::{BookingData, BookingNumber, Identifier, VersionId};
use crate::crypto::random;
use crate::face::ModelId;
use crate::ids::Digest;
use crate::roster::Caller;
use crate::store::{
    Commit, NumberRow, NumberState, StoreError, VectorRow, VersionRow, VersionState,
};
use crate::vault::{BookingKey, KeyOwner, PhotoKey, SealedPart};

const PHOTO_DOMAIN: &[u8] = b"smrt photo digest v1\0";

/// A booking on its way into the ledger.
struct NewBooking {
    actor: Actor,
    agency: Identifier,
    number: BookingNumber,
    booking: BookingData,
    photo: Arc<[u8]>,
    faces: Faces,
}

/// What a new booking takes the place of.
struct Replaced {
    version: VersionId,
    row: VersionRow,
    /// Whether it stood.
    stood: bool,
}

impl Ledger {
    /// Takes a booking: on return it is durable, logged and findable.
    ///
    /// Errors: a released number, a full queue or disk; `ModelChanged` where the photo must be
    /// examined again; a failed commit halts.
    pub fn book(
        &self,
        caller: &Caller,
        agency: &Identifier,
        number: &BookingNumber,
        booking: BookingData,
        photo: Arc<[u8]>,
        faces: Faces,
    ) -> Result<Taken, LedgerError> {
        let new = NewBooking {
            actor: Actor::from(caller),
            agency: agency.clone(),
            number: number.clone(),
            booking,
            photo,
            faces,
        };
        let number_key = self.core().number_key(agency, number);
        self.write(Subject::Number(number_key), move |core, group| {
            new.decide(core, group, number_key)
        })
    }

    /// Suppresses a booking in all its versions: on return no search finds it. Gives the leaf of
    /// the release and whether it was this one's.
    ///
    /// Errors: no such number.
    pub fn release(
        &self,
        caller: &Caller,
        agency: &Identifier,
        number: &BookingNumber,
        reason: &str,
    ) -> Result<(u64, bool), LedgerError> {
        let (actor, agency, reason) = (Actor::from(caller), agency.clone(), reason.to_owned());
        let number_key = self.core().number_key(&agency, number);
        self.write(Subject::Number(number_key), move |core, group| {
            let known =
                core.store.number(&number_key)?.ok_or(LedgerError::NotFound { what: "booking" })?;
            if known.state != NumberState::Live {
                return Ok(Decision::Nothing((known.released.unwrap_or(known.leaf), false)));
            }
            let mut versions = Vec::new();
            let mut next = known.current;
            while let Some(version) = next {
                // An earlier version may be purged already; the chain ends there.
                let Some(row) = core.store.version(version)? else { break };
                next = row.previous;
                versions.push((version, VersionRow { state: VersionState::Released, ..row }));
            }
            let ids: Vec<VersionId> = versions.iter().map(|(version, _)| *version).collect();
            // Those that another one replaced have left by that one's leaf.
            let standing = versions.iter().filter(|(_, row)| row.left.is_none());
            let left: Vec<VersionId> = standing.map(|(version, _)| *version).collect();
            group.suppressed.extend(&ids);
            let detail = Detail::Released { actor, agency, versions: ids.clone(), reason };
            let counts = vec![core.master.booking_tag(known.leaf)];
            let rows = move |core: &Core, tables: &Commit, leaf: u64| {
                let released = Some(leaf);
                let number = NumberRow { state: NumberState::Released, released, ..known };
                tables.put_number(&number_key, &number)?;
                for (version, row) in versions {
                    let row = VersionRow { left: row.left.or(released), ..row };
                    put_inactive(core, tables, version, &row)?;
                }
                Ok(())
            };
            Write::logged(NewLeaf::new(Vec::new(), counts, detail), rows)
                .then(move |core, leaf| {
                    let leaf = leaf.expect("a release is logged");
                    ids.iter().try_for_each(|version| core.mask(*version))?;
                    core.leave(leaf, left);
                    // Of a booking's versions the current one stood.
                    core.count_standing(-1);
                    Ok((leaf, true))
                })
                .decided()
        })
    }

    /// A booking as its agency knows it.
    ///
    /// Errors: nothing under that number, or only a tombstone.
    pub fn standing(
        &self,
        agency: &Identifier,
        number: &BookingNumber,
    ) -> Result<StandingBooking, LedgerError> {
        let key = self.core().master.number_key(agency.as_str(), number.as_str());
        let not_found = LedgerError::NotFound { what: "booking" };
        let Some(row) = self.core().store.number(&key)? else { return Err(not_found) };
        let Some(version) = row.current else {
            return Err(LedgerError::Released { leaf: row.released.unwrap_or(row.leaf) });
        };
        let (version_row, record) = self.core().record(version)?.ok_or(not_found)?;
        let (released, unusable) = (
            row.released.filter(|_| row.state != NumberState::Live),
            matches!(version_row.state, VersionState::Unusable | VersionState::Withheld),
        );
        Ok(StandingBooking { version, released, unusable, leaf: row.leaf, record })
    }

    /// A live booking with its owner; the record says which face of it this generation compares.
    pub fn record(
        &self,
        generation: &Generation,
        version: VersionId,
    ) -> Result<Option<(Identifier, Record)>, LedgerError> {
        self.record_where(generation, version, |state| state == VersionState::Live)
    }

    /// As `record`, of a booking that a search showed and its agency hasn't released.
    pub(crate) fn shown_record(
        &self,
        generation: &Generation,
        version: VersionId,
    ) -> Result<Option<(Identifier, Record)>, LedgerError> {
        self.record_where(generation, version, is_shown)
    }

    fn record_where(
        &self,
        generation: &Generation,
        version: VersionId,
        stands: impl Fn(VersionState) -> bool,
    ) -> Result<Option<(Identifier, Record)>, LedgerError> {
        let Some((row, record)) = self.core().record(version)?.filter(|(row, _)| stands(row.state))
        else {
            return Ok(None);
        };
        let key = self
            .core()
            .vault
            .bookings
            .key(row.slot, &KeyOwner { owner: row.agency.clone(), id: version })?;
        for sealed in self.core().store.vectors(row.leaf)? {
            // The other one is another model's and doesn't open as this one's.
            let Ok(plain) = key.open(SealedPart::Vector(generation.model()), version, &sealed)
            else {
                continue;
            };
            if let Some((length, frame)) = faces::measures(generation.gallery().dimension(), &plain)
            {
                return Ok(Some((row.agency, Record { length, frame, ..record })));
            }
        }
        Ok(Some((row.agency, record)))
    }

    /// The photo of a live booking as it was received.
    pub fn photo(&self, version: VersionId) -> Result<Option<Vec<u8>>, LedgerError> {
        self.photo_in(version, |state| state == VersionState::Live)
    }

    /// The photo of a booking that a search showed and its agency hasn't released, as it was
    /// received.
    pub(crate) fn shown_photo(&self, version: VersionId) -> Result<Option<Vec<u8>>, LedgerError> {
        self.photo_in(version, is_shown)
    }

    /// The photo of a booking whose state `admits`, as it was received.
    fn photo_in(
        &self,
        version: VersionId,
        admits: impl FnOnce(VersionState) -> bool,
    ) -> Result<Option<Vec<u8>>, LedgerError> {
        let core = self.core();
        let Some(row) = core.store.version(version)?.filter(|row| admits(row.state)) else {
            return Ok(None);
        };
        let owner = KeyOwner { owner: row.agency, id: version };
        let key = core.vault.bookings.key(row.slot, &owner)?;
        Ok(Some(core.vault.bookings.read_photo(version, &key)?))
    }
}

impl NewBooking {
    fn decide(
        self,
        core: &Core,
        group: &mut Group<'_>,
        number_key: [u8; 32],
    ) -> Result<Decision<Taken>, LedgerError> {
        let photo_sha256 = Digest::of(&self.photo);
        let mut replaced = None;
        if let Some(known) = core.store.number(&number_key)? {
            if known.state != NumberState::Live {
                return Err(LedgerError::Released { leaf: known.released.unwrap_or(known.leaf) });
            }
            let corrupt = || StoreError::Corrupt { what: "booking number" };
            let version = known.current.ok_or_else(corrupt)?;
            let row = core.store.version(version)?.ok_or_else(corrupt)?;
            if let Some(taken) = self.is_there(core, version, &row, photo_sha256)? {
                return Ok(Decision::Nothing(taken));
            }
            let stood = stands(&row);
            let row = VersionRow { state: VersionState::Superseded, ..row };
            replaced = Some(Replaced { version, row, stood });
        }
        let Self { actor, agency, number, booking, photo, faces } = self;
        let Faces { model, active: face, next } = faces;
        // Embedded before a switch or its begin came between: what is missing must be made first.
        let wanted = core.embeds_also();
        let next = next.filter(|(model, _)| Some(*model) == wanted);
        if model != core.generation().model() || next.as_ref().map(|(model, _)| *model) != wanted {
            return Err(LedgerError::ModelChanged);
        }
        let (id, salt): (_, [u8; SALT_BYTES]) = (VersionId::random(), random());
        let committed = Digest::of_parts(&[PHOTO_DOMAIN, &salt, photo_sha256.as_ref()]);
        let previous = replaced.as_ref().map(|replaced| replaced.version);
        group.suppressed.extend(previous);
        let detail = Detail::BookingIn {
            actor,
            agency: agency.clone(),
            version: id,
            replaces: previous,
            photo_commitment: committed.to_string(),
        };
        let length = face.length;
        let record = Record {
            number,
            booking,
            photo_sha256,
            salt: hex::encode(salt),
            length,
            frame: face.frame,
            px: Some(face.px),
        };
        let key = Arc::new(BookingKey::generate());
        let owner = KeyOwner { owner: agency.clone(), id };
        let slot = core.vault.bookings.store_key(&owner, &key).map_err(LedgerError::of_slot)?;
        let tag = replaced.as_ref().map_or(0, |old| core.master.booking_tag(old.row.leaf));
        let row = VersionRow {
            state: VersionState::Live,
            slot,
            leaf: 0,
            left: None,
            previous,
            number_key,
            agency,
            record: Vec::new(),
        };
        let embedding = face.embedding.clone();
        let files = BookingFiles { id, key: key.clone(), slot, photo };
        let staged = StagedBooking { id, key, row, record, model, face, next };
        let more_standing = !replaced.as_ref().is_some_and(|replaced| replaced.stood);
        Write::logged(NewLeaf::new(Vec::new(), vec![tag], detail), move |core, tables, leaf| {
            staged.put(tables, leaf)?;
            replaced.map_or(Ok(()), |Replaced { version, row, .. }| {
                let row = VersionRow { left: Some(leaf), ..row };
                Ok(put_inactive(core, tables, version, &row)?)
            })
        })
        .behind(FilesFirst::Booking(Box::new(files)))
        .then(move |core, leaf| {
            core.generation().append(vec![(id, embedding)])?;
            previous.map_or(Ok(()), |replaced| core.mask(replaced))?;
            core.count_standing(i64::from(more_standing));
            let leaf = leaf.expect("a booking is logged");
            core.leave(leaf, previous);
            Ok(Taken { version: id, leaf, new: true, length })
        })
        .decided()
    }

    /// The booking that stands under the number already, where it is this one to the byte.
    fn is_there(
        &self,
        core: &Core,
        version: VersionId,
        row: &VersionRow,
        photo_sha256: Digest,
    ) -> Result<Option<Taken>, LedgerError> {
        let findable = core.generation().holds(version);
        match core.open_record(version, row) {
            Ok(record) => {
                let same = record.photo_sha256 == photo_sha256 && record.booking == self.booking;
                let (leaf, length) = (row.leaf, record.length);
                Ok((findable && same).then_some(Taken { version, leaf, new: false, length }))
            }
            // One that doesn't open any more is suppressed; what its agency sends again takes its
            // place.
            Err(LedgerError::Unreadable) => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// A new booking's rows, but for the leaf that they name.
struct StagedBooking {
    id: VersionId,
    key: Arc<BookingKey>,
    row: VersionRow,
    record: Record,
    model: ModelId,
    face: Enrolled,
    next: Option<(ModelId, NextFace)>,
}

impl StagedBooking {
    fn put(self, tables: &Commit, leaf: u64) -> Result<(), StoreError> {
        let Self { id, key, mut row, record, model, face, next } = self;
        let plain = Zeroizing::new(
            serde_json::to_vec(&record)
                .expect("a record holds only strings, numbers and lists of them"),
        );
        row.leaf = leaf;
        row.record = key.seal(SealedPart::Record, id, &plain);
        tables.put_model(model)?;
        tables.put_version(id, &row)?;
        tables.put_vector(&sealed_vector(&key, model, leaf, id, &face))?;
        match next {
            Some((model, Ok(face))) => {
                tables.put_next_vector(&sealed_vector(&key, model, leaf, id, &face))?;
            }
            Some((_, Err(reason))) => tables.put_failure(leaf, id, reason)?,
            None => {}
        }
        let number = NumberRow {
            state: NumberState::Live,
            current: Some(id),
            leaf,
            released: None,
            purged: None,
        };
        tables.put_number(&row.number_key, &number)
    }
}

/// A vector as it is stored.
pub(super) fn sealed_vector(
    key: &BookingKey,
    model: ModelId,
    leaf: u64,
    id: VersionId,
    face: &Enrolled,
) -> VectorRow {
    let vector = key.seal(SealedPart::Vector(model), id, &Zeroizing::new(face.to_le_bytes()));
    VectorRow { leaf, id, vector }
}

/// Writes a version that doesn't stand any more: a model to come has no use for it.
fn put_inactive(
    core: &Core,
    tables: &Commit,
    version: VersionId,
    row: &VersionRow,
) -> Result<(), StoreError> {
    tables.put_version(version, row)?;
    if core.switch().is_some() { tables.remove_next(row.leaf) } else { Ok(()) }
}

/// Whether a booking that a search showed is shown still: its agency hasn't released it.
fn is_shown(state: VersionState) -> bool {
    matches!(state, VersionState::Live | VersionState::Superseded | VersionState::Unusable)
}
