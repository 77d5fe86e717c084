//! What a change comes to: the answer at once, or rows and a leaf for the next transaction.
//!
//! Staging runs in the writer, so what it reads is what the transaction will find, but for the
//! changes of the same group: `suppressed` names the versions that those take out of the gallery.

use std::collections::HashSet;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256, digest};
use zeroize::Zeroizing;

use super::core::Core;
use super::decide::{Decided, Group, PutRows};
use super::error::ServiceError;
use super::faces::{Enrolled, Faces, NextFace};
use super::ledger::{Record, Taken};
use super::switch::stands;
use super::writer::{Change, Done, NewBooking, Release, Reply, Writer, random};
use crate::audit::{Alarm, Detail, Leaf, Note, SALT_BYTES, commit};
use crate::booking::VersionId;
use crate::face::ModelId;
use crate::roster::Ceilings;
use crate::store::{
    Commit, NumberRow, NumberState, RefusalCountRow, StoreError, SwitchRow, VectorRow, VersionRow,
    VersionState,
};
use crate::vault::{BookingKey, KeyOwner, PhotoKey, SealedPart, VaultError};

const PHOTO_DOMAIN: &[u8] = b"smrt photo digest v1\0";

/// A change that is ready for the store's transaction.
pub(super) struct Staged {
    pub(super) reply: Reply,
    pub(super) rows: StagedRows,
    /// What logs it, mostly one leaf; rows name the last.
    pub(super) leaves: Vec<NewLeaf>,
}

/// A leaf to be.
pub(super) struct NewLeaf {
    pub(super) follows: Vec<u64>,
    /// It follows the leaf before it in the same change, too.
    pub(super) goes_on: bool,
    pub(super) counts: Vec<u64>,
    pub(super) detail: Detail,
}

pub(super) enum StagedRows {
    Booked(Box<StagedBooking>),
    Released { number_key: [u8; 32], number: NumberRow, versions: Vec<(VersionId, VersionRow)> },
    Purged { id: VersionId, row: VersionRow, tombstone: Option<NumberRow> },
    SwitchBegun { row: SwitchRow, from: ModelId, first: bool },
    SwitchGivenUp,
    Roster { sha256: String, ceilings: Ceilings },
    AlarmRaised { alarm: Alarm, what: String },
    AlarmCleared { alarm: Alarm },
    Cosigned { leaves: u64, note: Box<Note> },
    Gathered { row: RefusalCountRow },
    Expired { first: u64, end: u64 },
    InquiriesEnded { inquiries: Vec<[u8; 16]> },
    GatheredEnded { kind: u16, caller: String },
    Switched { model: ModelId, versions: Vec<(VersionId, VersionRow)> },
    Decided { rows: Option<PutRows>, lodged: bool },
    None,
}

pub(super) struct StagedBooking {
    pub(super) id: VersionId,
    pub(super) key: BookingKey,
    pub(super) row: VersionRow,
    pub(super) record: Record,
    pub(super) photo: Arc<[u8]>,
    pub(super) model: ModelId,
    pub(super) face: Enrolled,
    pub(super) next: Option<(ModelId, NextFace)>,
    pub(super) replaces: Option<(VersionId, VersionRow)>,
    /// Whether what it replaces stood, or nothing did under its number.
    pub(super) more_standing: bool,
}

/// What staging a change came to.
pub(super) enum Stage {
    Now(Done),
    Commit(Box<Staged>),
}

impl Writer {
    pub(super) fn stage(
        &self,
        change: Change,
        reply: &Reply,
        suppressed: &mut HashSet<VersionId>,
    ) -> Result<Stage, ServiceError> {
        let commit = |rows, follows, counts, detail| {
            Ok(Stage::commit(reply, rows, vec![NewLeaf::new(follows, counts, detail)]))
        };
        match change {
            Change::Book(new) => self.stage_booking(*new, reply, suppressed),
            Change::Release(release) => self.stage_release(release, reply, suppressed),
            Change::Refused(detail) => self.stage_refusal(*detail, reply),
            Change::Roster { sha256, ceilings } => {
                let known = self.core().store.roster()?.filter(|known| *known != sha256);
                let leaf = known.map(|_| self.roster_changed(&sha256, ceilings)).transpose()?;
                Ok(Stage::commit(
                    reply,
                    StagedRows::Roster { sha256, ceilings },
                    leaf.into_iter().collect(),
                ))
            }
            Change::Raise { alarm, what } => {
                if self.core().store.alarms()?.iter().any(|(code, ..)| *code == alarm as u8) {
                    return Err(ServiceError::Log {
                        what: format!("alarm {alarm} stands already"),
                    });
                }
                let detail = Detail::AlarmRaised { alarm, what: what.clone() };
                commit(
                    StagedRows::AlarmRaised { alarm, what },
                    Vec::new(),
                    vec![alarm as u64],
                    detail,
                )
            }
            Change::Clear { alarm, raised, what } => commit(
                StagedRows::AlarmCleared { alarm },
                vec![raised],
                vec![alarm as u64],
                Detail::AlarmCleared { alarm, what },
            ),
            Change::Cosigned { leaves, note, key } => {
                let kept = self.core().store.cosigned(leaves..leaves + 1, 1)?.pop();
                let merged = match kept {
                    Some((_, kept)) => {
                        let mut kept = Note::parse(&kept)?;
                        kept.take_over(&note, &key);
                        kept
                    }
                    None => {
                        // What others may have written below the checkpoint is theirs to bring.
                        let mut plain = Note::parse(
                            &self.core().log_key.sign(leaves, note.checkpoint()?.root),
                        )?;
                        plain.take_over(&note, &key);
                        plain
                    }
                };
                Ok(Stage::commit(
                    reply,
                    StagedRows::Cosigned { leaves, note: Box::new(merged) },
                    Vec::new(),
                ))
            }
            Change::Decide { decide, .. } => {
                match decide(self.core(), &Group { now_cs: self.now_cs(), suppressed })? {
                    Some(Decided { leaves, rows, slot }) => {
                        let rows = StagedRows::Decided { rows: Some(rows), lodged: slot.is_some() };
                        Ok(Stage::commit(reply, rows, leaves))
                    }
                    None => Ok(Stage::Now(Done::Decided { leaf: None })),
                }
            }
            Change::Note { follows, counts, detail } => {
                commit(StagedRows::None, follows, counts, *detail)
            }
            _ => unreachable!("the writer makes these by themselves"),
        }
    }

    /// That the box serves by another roster, and by which ceilings, where those are others.
    fn roster_changed(&self, sha256: &str, ceilings: Ceilings) -> Result<NewLeaf, ServiceError> {
        let before =
            self.core().store.ceilings()?.map(|before| serde_json::from_slice::<Ceilings>(&before));
        let before = before
            .transpose()
            .map_err(|source| ServiceError::Sealed { what: "ceilings", source })?;
        let what = match before {
            Some(before) if before != ceilings => {
                format!("the roster file; an operator's searches: {ceilings}, before: {before}")
            }
            _ => "the roster file".to_owned(),
        };
        let detail =
            Detail::RosterChanged { by: Vec::new(), what, roster_sha256: sha256.to_owned() };
        Ok(NewLeaf::new(Vec::new(), Vec::new(), detail))
    }

    fn stage_booking(
        &self,
        new: NewBooking,
        reply: &Reply,
        suppressed: &mut HashSet<VersionId>,
    ) -> Result<Stage, ServiceError> {
        let NewBooking { actor, agency, number, booking, photo, faces } = new;
        let Faces { model, active: face, next } = faces;
        let number_key = self.core().master.number_key(agency.as_str(), number.as_str());
        let photo_digest = digest(&SHA256, &photo);
        let known = self.core().store.number(&number_key)?;
        let (mut replaces, mut more_standing) = (None, true);
        if let Some(known) = known {
            if known.state != NumberState::Live {
                return Err(ServiceError::Released { leaf: known.released.unwrap_or(known.leaf) });
            }
            let version = known.current.ok_or(StoreError::Corrupt { what: "booking number" })?;
            let row = self
                .core()
                .store
                .version(version)?
                .ok_or(StoreError::Corrupt { what: "booking number" })?;
            let findable = self.core().generation().holds(version);
            match self.core().open_record(version, &row) {
                Ok(record)
                    if findable
                        && record.photo_sha256 == hex::encode(photo_digest)
                        && record.booking == booking =>
                {
                    return Ok(Stage::Now(Done::Booked(Taken {
                        version,
                        leaf: row.leaf,
                        new: false,
                        length: record.length,
                    })));
                }
                // One that doesn't open any more is suppressed; what its agency sends again takes
                // its place.
                Ok(_) | Err(ServiceError::Unreadable) => {}
                Err(e) => return Err(e),
            }
            more_standing = !stands(&row);
            replaces = Some((version, VersionRow { state: VersionState::Superseded, ..row }));
        }
        // Embedded before a switch or its begin came between: what is missing must be made first.
        let wanted = self
            .core()
            .switch()
            .filter(|switch| switch.pool.is_some())
            .map(|switch| switch.model());
        let next = next.filter(|(model, _)| Some(*model) == wanted);
        if model != self.core().generation().model()
            || next.as_ref().map(|(model, _)| *model) != wanted
        {
            return Err(ServiceError::ModelChanged);
        }
        let mut id = [0; 16];
        let mut salt = [0; SALT_BYTES];
        random(&mut id);
        random(&mut salt);
        let id = VersionId(id);
        let mut context = Context::new(&SHA256);
        for part in [PHOTO_DOMAIN, &salt, photo_digest.as_ref()] {
            context.update(part);
        }
        let previous = replaces.as_ref().map(|(version, _)| *version);
        let detail = Detail::BookingIn {
            actor,
            agency: agency.clone(),
            version: id,
            replaces: previous,
            photo_commitment: hex::encode(context.finish()),
        };
        let record = Record {
            number,
            booking,
            photo_sha256: hex::encode(photo_digest),
            salt: hex::encode(salt),
            length: face.length,
            frame: face.frame,
            px: Some(face.px),
        };
        let key = BookingKey::generate();
        let slot = self
            .core()
            .vault
            .bookings
            .store_key(&KeyOwner { owner: agency.clone(), id: id.0 }, &key)
            .map_err(full_or_halted)?;
        suppressed.extend(previous);
        let counts =
            vec![replaces.as_ref().map_or(0, |(_, row)| self.core().master.booking_tag(row.leaf))];
        let row = VersionRow {
            state: VersionState::Live,
            slot,
            leaf: 0,
            previous,
            number_key,
            agency,
            record: Vec::new(),
        };
        let booking = StagedBooking {
            id,
            key,
            row,
            record,
            photo,
            model,
            face,
            next,
            replaces,
            more_standing,
        };
        Ok(Stage::commit(
            reply,
            StagedRows::Booked(Box::new(booking)),
            vec![NewLeaf::new(Vec::new(), counts, detail)],
        ))
    }

    fn stage_release(
        &self,
        release: Release,
        reply: &Reply,
        suppressed: &mut HashSet<VersionId>,
    ) -> Result<Stage, ServiceError> {
        let Release { actor, agency, number, reason } = release;
        let number_key = self.core().master.number_key(agency.as_str(), number.as_str());
        let Some(known) = self.core().store.number(&number_key)? else {
            return Err(ServiceError::NotFound { what: "booking" });
        };
        if known.state != NumberState::Live {
            return Ok(Stage::Now(Done::Released {
                leaf: known.released.unwrap_or(known.leaf),
                new: false,
            }));
        }
        let mut versions = Vec::new();
        let mut next = known.current;
        while let Some(version) = next {
            // An earlier version may be purged already; the chain ends there.
            let Some(row) = self.core().store.version(version)? else { break };
            next = row.previous;
            versions.push((version, VersionRow { state: VersionState::Released, ..row }));
        }
        suppressed.extend(versions.iter().map(|(version, _)| *version));
        let detail = Detail::Released {
            actor,
            agency,
            versions: versions.iter().map(|(version, _)| *version).collect(),
            reason,
        };
        let counts = vec![self.core().master.booking_tag(known.leaf)];
        let number = NumberRow { state: NumberState::Released, ..known };
        let rows = StagedRows::Released { number_key, number, versions };
        Ok(Stage::commit(reply, rows, vec![NewLeaf::new(Vec::new(), counts, detail)]))
    }
}

impl Stage {
    pub(super) fn commit(reply: &Reply, rows: StagedRows, leaves: Vec<NewLeaf>) -> Self {
        Self::Commit(Box::new(Staged { reply: reply.clone(), rows, leaves }))
    }
}

impl NewLeaf {
    pub(super) fn new(follows: Vec<u64>, counts: Vec<u64>, detail: Detail) -> Self {
        Self { follows, goes_on: false, counts, detail }
    }

    /// The leaf's bytes, and its detail behind a fresh salt; `before` is the leaf before it in the
    /// same change.
    pub(super) fn leaf(&self, time_cs: u64, before: Option<u64>) -> (Vec<u8>, Zeroizing<Vec<u8>>) {
        let detail = self.detail.to_bytes();
        let mut salt = [0; SALT_BYTES];
        random(&mut salt);
        let leaf = Leaf {
            kind: self.detail.kind(),
            time_cs,
            follows: self.follows.iter().copied().chain(before.filter(|_| self.goes_on)).collect(),
            counts: self.counts.clone(),
            commitment: commit(&salt, &detail),
        };
        (leaf.to_bytes(), Zeroizing::new([&salt[..], &detail].concat()))
    }
}

impl Staged {
    /// What the writer itself stages: nobody waits for an answer.
    pub(super) fn of(
        rows: StagedRows,
        follows: Vec<u64>,
        counts: Vec<u64>,
        detail: Detail,
    ) -> Self {
        Self::by_itself(rows, vec![NewLeaf::new(follows, counts, detail)])
    }

    /// As `of`, with any number of leaves.
    pub(super) fn by_itself(rows: StagedRows, leaves: Vec<NewLeaf>) -> Self {
        let (reply, _) = std::sync::mpsc::sync_channel(1);
        Self { reply, rows, leaves }
    }

    pub(super) fn booking(&self) -> Option<&StagedBooking> {
        match &self.rows {
            StagedRows::Booked(booking) => Some(booking),
            _ => None,
        }
    }
}

/// Writes a change's rows; `leaf` is the index of the last leaf that logs it.
pub(super) fn put_rows(
    core: &Core,
    tables: &Commit,
    rows: &mut StagedRows,
    leaf: Option<u64>,
) -> Result<(), ServiceError> {
    let logged = || leaf.expect("every other change is logged");
    match rows {
        StagedRows::Booked(booking) => {
            let StagedBooking { id, key, row, record, model, face, next, replaces, .. } =
                &mut **booking;
            let plain = Zeroizing::new(
                serde_json::to_vec(record)
                    .expect("a record holds only strings, numbers and lists of them"),
            );
            let leaf = logged();
            row.leaf = leaf;
            row.record = key.seal(SealedPart::Record, id.0, &plain);
            tables.put_model(&model.0)?;
            tables.put_version(*id, row)?;
            tables.put_vector(&sealed_vector(key, *model, leaf, *id, face))?;
            match next {
                Some((model, Ok(face))) => {
                    tables.put_next_vector(&sealed_vector(key, *model, leaf, *id, face))?
                }
                Some((_, Err(reason))) => tables.put_failure(leaf, *id, reason)?,
                None => {}
            }
            let number = NumberRow {
                state: NumberState::Live,
                current: Some(*id),
                leaf,
                released: None,
                purged: None,
            };
            tables.put_number(&row.number_key, &number)?;
            if let Some((replaced, row)) = replaces {
                put_fallen(core, tables, *replaced, row)?;
            }
        }
        StagedRows::Released { number_key, number, versions } => {
            number.released = Some(logged());
            tables.put_number(number_key, number)?;
            for (version, row) in versions {
                put_fallen(core, tables, *version, row)?;
            }
        }
        StagedRows::Purged { id, row, tombstone } => {
            tables.remove_version(*id, row.leaf)?;
            if let Some(tombstone) = tombstone {
                tombstone.purged = Some(logged());
                tables.put_number(&row.number_key, tombstone)?;
            }
        }
        StagedRows::SwitchBegun { row, from, first } => {
            if *first {
                row.begun = logged();
            }
            // Named now, so that a folder without bookings knows it too.
            tables.put_model(&from.0)?;
            tables.put_switch(row)?;
        }
        StagedRows::Roster { sha256, ceilings } => {
            tables
                .put_roster(sha256, &serde_json::to_vec(ceilings).expect("ceilings are numbers"))?;
        }
        StagedRows::AlarmRaised { alarm, what } => {
            tables.put_alarm(*alarm as u8, logged(), what)?
        }
        StagedRows::AlarmCleared { alarm } => tables.remove_alarm(*alarm as u8)?,
        StagedRows::Cosigned { leaves, note } => tables.put_cosigned(*leaves, &note.to_string())?,
        StagedRows::Gathered { row } => {
            // A refusal with a leaf of its own begins the hour; the others name it.
            row.leaf = leaf.unwrap_or(row.leaf);
            tables.put_refusal_count(row)?;
        }
        StagedRows::Expired { first, end } => tables.expire_details(*first..*end)?,
        StagedRows::InquiriesEnded { inquiries } => {
            inquiries.iter().try_for_each(|id| tables.remove_inquiry(*id))?
        }
        StagedRows::GatheredEnded { kind, caller } => tables.remove_refusal_count(*kind, caller)?,
        StagedRows::SwitchGivenUp => tables.end_switch()?,
        StagedRows::Switched { model, versions } => {
            for (version, row) in versions {
                tables.put_version(*version, row)?;
            }
            tables.activate_next_model(&model.0)?;
        }
        StagedRows::Decided { rows, .. } => {
            rows.take().expect("rows are written once")(core, tables, leaf)?
        }
        StagedRows::None => {}
    }
    Ok(())
}

/// A vector as it is stored.
pub(super) fn sealed_vector(
    key: &BookingKey,
    model: ModelId,
    leaf: u64,
    id: VersionId,
    face: &Enrolled,
) -> VectorRow {
    VectorRow {
        leaf,
        id,
        vector: key.seal(SealedPart::Vector(model), id.0, &Zeroizing::new(face.to_le_bytes())),
    }
}

/// Writes a version that doesn't stand any more: a model to come has no use for it.
fn put_fallen(
    core: &Core,
    tables: &Commit,
    version: VersionId,
    row: &VersionRow,
) -> Result<(), StoreError> {
    tables.put_version(version, row)?;
    if core.switch().is_some() { tables.remove_next(row.leaf) } else { Ok(()) }
}

/// A full medium refuses this change; any other failure while writing a slot leaves the medium in
/// doubt.
pub(super) fn full_or_halted(e: VaultError) -> ServiceError {
    if e.is_full() {
        ServiceError::DiskFull
    } else {
        ServiceError::Halted { cause: ServiceError::from(e).chain() }
    }
}
