//! The ledger: store, vault, log and gallery under one writer, so that what is acknowledged is
//! durable, logged and findable.
//!
//! Everything that changes the state folder is a change sent to the writer (`writer.rs`);
//! everything here only asks for one or reads.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::clock::Clock;
use super::core::Core;
use super::error::ServiceError;
use super::faces::{self, Faces};
use super::generation::{Generation, Shelf};
use super::metrics::Waits;
use super::progress::{Progress, Started};
use super::start::{self, Opened};
use super::writer::{Change, Done, Job, NewBooking, Release};
use crate::audit::{Actor, Alarm, Detail, Note, SALT_BYTES, VerifierKey};
use crate::booking::{BookingData, BookingNumber, Identifier, VersionId};
use crate::disk::Disk;
use crate::face::{Embedding, ModelId};
use crate::gallery::GalleryHandle;
use crate::retention::RetentionDays;
use crate::roster::{Caller, Ceilings};
use crate::store::{NumberState, StateKind, VersionState};
use crate::vault::{Lodger, Part};

/// What opening a ledger takes.
pub struct LedgerSetup {
    /// The medium.
    pub disk: Arc<dyn Disk>,
    /// The state folder; it exists.
    pub state: PathBuf,
    /// Make the state folder's content for this use if it is empty; without it, an empty folder is
    /// an error.
    pub create_as: Option<StateKind>,
    /// The log's origin.
    pub origin: String,
    /// The master key's 32 bytes.
    pub master_key: Zeroizing<Vec<u8>>,
    /// The log key's 32 bytes.
    pub log_key: Zeroizing<Vec<u8>>,
    /// The models that the configuration offers; the one of the stored vectors is taken.
    pub shelf: Arc<Shelf>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The file outside of the state folder and its backups that holds the newest cosigned
    /// checkpoint.
    pub anchor: Option<PathBuf>,
    /// Bytes of the medium that stay free for releases, purges and the log.
    pub reserve_bytes: u64,
    /// For how many days what is kept.
    pub retention: RetentionDays,
}

/// The open ledger.
pub struct Ledger {
    core: Arc<Core>,
    started: Started,
    unfinished: Mutex<Unfinished>,
    queue: Mutex<Option<SyncSender<Job>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What a crash left that is finished, and logged, once the doors open.
#[derive(Debug, Default)]
pub(super) struct Unfinished {
    /// Versions whose purge had begun.
    pub(super) purging: Vec<VersionId>,
    /// Inquiries with a search that was asked for and neither answered nor interrupted.
    pub(super) searching: Vec<[u8; 16]>,
    /// Inquiries whose end had begun.
    pub(super) ending: Vec<[u8; 16]>,
}

/// What is sealed of a booking beside photo and vector.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The agency's number.
    pub number: BookingNumber,
    /// Basic booking data.
    pub booking: BookingData,
    /// SHA-256 of the photo as received, hexadecimal.
    pub photo_sha256: String,
    /// The salt under which the log commits to that digest, hexadecimal.
    pub salt: String,
    /// Length of the embedding before normalisation.
    pub length: f64,
    /// The face that was enrolled: left edge, upper edge, width, height in pixels of the photo as
    /// shown.
    pub frame: [f32; 4],
    /// Width and height of the photo as shown, in pixels; bookings that came before this was kept
    /// lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub px: Option<[u32; 2]>,
}

/// A detail with the salt of its commitment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedLeaf {
    /// Index of its leaf.
    pub leaf: u64,
    /// The salt.
    pub salt: [u8; SALT_BYTES],
    /// The detail as it was committed to.
    pub detail: Vec<u8>,
}

/// A booking as it stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The version that stands.
    pub version: VersionId,
    /// Whether it is released.
    pub released: Option<u64>,
    /// Whether no search finds it though it isn't released: the model in use makes nothing of its
    /// photo, or a log that was lost may have said that it was released.
    pub unusable: bool,
    /// The leaf that logged it.
    pub leaf: u64,
    /// Its record.
    pub record: Record,
}

/// A booking that was taken, or was there already.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Taken {
    /// Its version.
    pub version: VersionId,
    /// The leaf that logged it.
    pub leaf: u64,
    /// False when the same bytes were there already.
    pub new: bool,
    /// Length of the embedding before normalisation.
    pub length: f64,
}

impl Ledger {
    /// Opens, or makes and opens, a state folder: recovery is this.
    ///
    /// Errors: a folder of another kind, key, log, model or a newer format; one that another
    /// process holds; damage.
    pub fn open(setup: LedgerSetup) -> Result<Self, ServiceError> {
        Self::open_watched(setup, &mut |_| {})
    }

    /// Opens as `open` does and tells `watch`, on this thread, how far it is: when each stage
    /// begins and after each batch of rows.
    pub fn open_watched(
        setup: LedgerSetup,
        watch: &mut dyn FnMut(&Progress),
    ) -> Result<Self, ServiceError> {
        let ledger = Self::open_with(setup, start::workers(), watch)?;
        ledger.begin()?;
        Ok(ledger)
    }

    /// Opens as `open_watched` does and writes no leaf before `begin`.
    pub(super) fn open_held(
        setup: LedgerSetup,
        watch: &mut dyn FnMut(&Progress),
    ) -> Result<Self, ServiceError> {
        Self::open_with(setup, start::workers(), watch)
    }

    pub(super) fn open_with(
        setup: LedgerSetup,
        workers: usize,
        watch: &mut dyn FnMut(&Progress),
    ) -> Result<Self, ServiceError> {
        let Opened { core, writer, started, unfinished } = start::open(setup, workers, watch)?;
        let (queue, jobs) = sync_channel(crate::limits::COMMIT_QUEUE_LEN_MAX);
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run(&jobs))
            .map_err(|source| ServiceError::Io { what: "starting the writer", source })?;
        let (queue, writer, unfinished) =
            (Mutex::new(Some(queue)), Mutex::new(Some(thread)), Mutex::new(unfinished));
        Ok(Self { core, started, unfinished, queue, writer })
    }

    /// Finishes what a crash left: purges and ends of inquiries that had begun, and searches that
    /// were never answered; their operators must ask again.
    pub(super) fn begin(&self) -> Result<(), ServiceError> {
        let mut unfinished = self.unfinished.lock().expect("nothing panics while it holds them");
        if !unfinished.purging.is_empty() {
            log::info!("finishing {} purges", unfinished.purging.len());
            self.purge(unfinished.purging.clone())?;
            unfinished.purging.clear();
        }
        if !unfinished.ending.is_empty() {
            log::info!("finishing the end of {} inquiries", unfinished.ending.len());
            self.end_inquiries(unfinished.ending.clone())?;
            unfinished.ending.clear();
        }
        while let Some(&inquiry) = unfinished.searching.last() {
            self.interrupt(inquiry)?;
            unfinished.searching.pop();
        }
        Ok(())
    }

    /// Whether the medium has more room than what is kept for releases, purges and the log.
    pub(super) fn room(&self) -> Result<(), ServiceError> {
        let free = self.core.disk.free_bytes(&self.core.state);
        let free = free.map_err(|source| ServiceError::Io {
            what: "asking for the medium's free room",
            source,
        })?;
        match free < self.core.reserve_bytes {
            true => Err(ServiceError::DiskLow {
                free_mib: free >> 20,
                wanted_mib: self.core.reserve_bytes >> 20,
            }),
            false => Ok(()),
        }
    }

    /// Has the anchor hold a cosigned checkpoint, if none over a larger tree is there; durable on
    /// return.
    pub(super) fn anchor(&self, leaves: u64, note: &Note) -> Result<(), ServiceError> {
        if self.core.anchor.is_none()
            || self.core.witnessing().cosigned.is_some_and(|cosigned| cosigned > leaves)
        {
            return Ok(());
        }
        start::write_anchor(&self.core, note)
            .map_err(|source| ServiceError::Io { what: "writing the anchor", source })
    }

    /// What the state folder was made for.
    pub fn kind(&self) -> StateKind {
        self.core.kind
    }

    /// The newest signed checkpoint.
    pub fn checkpoint(&self) -> String {
        self.core.newest().note
    }

    /// The log's origin.
    pub fn origin(&self) -> &str {
        self.core.log_key.origin()
    }

    /// Now, in hundredths of a second since 1970-01-01 UTC.
    pub fn now(&self) -> u64 {
        self.now_cs()
    }

    /// Number of leaves in the log.
    pub fn leaves(&self) -> u64 {
        self.core.newest().leaves
    }

    /// What a search that begins now is answered by, to its end.
    pub fn generation(&self) -> Arc<Generation> {
        self.core.generation()
    }

    /// The gallery of now.
    pub fn gallery(&self) -> GalleryHandle {
        self.generation().gallery().clone()
    }

    /// The model of now.
    pub fn model(&self) -> ModelId {
        self.generation().model()
    }

    /// How long opening the folder took.
    pub fn started(&self) -> &Started {
        &self.started
    }

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
    ) -> Result<Taken, ServiceError> {
        let new = NewBooking {
            actor: Actor::from(caller),
            agency: agency.clone(),
            number: number.clone(),
            booking,
            photo,
            faces,
        };
        match self.change(Change::Book(Box::new(new)))? {
            Done::Booked(taken) => Ok(taken),
            _ => unreachable!("the writer answers a booking with one"),
        }
    }

    /// Suppresses a booking in all its versions: on return no search finds it.
    ///
    /// Errors: no such number; gives the leaf of the release and whether it was this one's.
    pub fn release(
        &self,
        caller: &Caller,
        agency: &Identifier,
        number: &BookingNumber,
        reason: &str,
    ) -> Result<(u64, bool), ServiceError> {
        let release = Release {
            actor: Actor::from(caller),
            agency: agency.clone(),
            number: number.clone(),
            reason: reason.to_owned(),
        };
        match self.change(Change::Release(release))? {
            Done::Released { leaf, new } => Ok((leaf, new)),
            _ => unreachable!("the writer answers a release with one"),
        }
    }

    /// The best `k` live bookings for a probe of this generation's model.
    pub fn compare(
        &self,
        generation: &Generation,
        probe: &Embedding,
        k: usize,
    ) -> Result<Vec<(VersionId, f64)>, ServiceError> {
        Ok(self.core.waits.gallery.during(|| generation.compare(probe, k))?)
    }

    /// Purges suppressed versions: key, photo, record and vector are gone on return; the numbers'
    /// tombstones stay.
    pub fn purge(&self, versions: Vec<VersionId>) -> Result<(), ServiceError> {
        match self.change(Change::Purge(versions))? {
            Done::Purged => Ok(()),
            _ => unreachable!("the writer answers a purge with one"),
        }
    }

    /// Logs what changes nothing else; gives the leaf's index.
    pub fn note(
        &self,
        follows: Vec<u64>,
        counts: Vec<u64>,
        detail: Detail,
    ) -> Result<u64, ServiceError> {
        match self.change(Change::Note { follows, counts, detail: Box::new(detail) })? {
            Done::Logged { leaf } => Ok(leaf),
            _ => unreachable!("the writer answers a note with its leaf"),
        }
    }

    /// Keeps the cosignature of this key, valid and of a checkpoint of this log, beside what others
    /// have cosigned of it; gives all of them.
    pub fn keep_cosignature(&self, note: Note, key: &VerifierKey) -> Result<Note, ServiceError> {
        let leaves = note.checkpoint()?.leaves;
        match self.change(Change::Cosigned {
            leaves,
            note: Box::new(note),
            key: Box::new(key.clone()),
        })? {
            Done::Cosigned { note } => Ok(*note),
            _ => unreachable!("the writer answers a cosignature with the note"),
        }
    }

    /// Logs that the box serves by another roster than before, where it does.
    pub(super) fn serve_by(
        &self,
        roster_sha256: &str,
        ceilings: Ceilings,
    ) -> Result<(), ServiceError> {
        self.change(Change::Roster { sha256: roster_sha256.to_owned(), ceilings }).map(|_| ())
    }

    /// Logs that an alarm stands; gives the leaf.
    pub fn raise(&self, alarm: Alarm, what: &str) -> Result<u64, ServiceError> {
        self.logged(Change::Raise { alarm, what: what.to_owned() })
    }

    /// Logs that the alarm that a leaf raised is over.
    pub fn clear(&self, alarm: Alarm, raised: u64, what: &str) -> Result<u64, ServiceError> {
        self.logged(Change::Clear { alarm, raised, what: what.to_owned() })
    }

    /// The alarms that stand, with the leaves that raised them.
    pub fn standing_alarms(&self) -> Result<Vec<(Alarm, u64, String)>, ServiceError> {
        let rows = self.core.store.alarms()?;
        Ok(rows
            .into_iter()
            .filter_map(|(code, leaf, what)| Some((Alarm::of(code.into())?, leaf, what)))
            .collect())
    }

    /// Has the writer log something that answers with its leaf.
    fn logged(&self, change: Change) -> Result<u64, ServiceError> {
        match self.change(change)? {
            Done::Logged { leaf } => Ok(leaf),
            _ => unreachable!("only what answers with its leaf is sent here"),
        }
    }

    /// Logs what was gathered of hours that are over.
    pub fn end_hours(&self) -> Result<(), ServiceError> {
        self.change(Change::EndHours).map(|_| ())
    }

    /// Logs a refusal before it is told, by a leaf of its own or among those that wait to be
    /// gathered.
    pub fn refused(&self, detail: Detail) -> Result<(), ServiceError> {
        self.change(Change::Refused(Box::new(detail))).map(|_| ())
    }

    /// The time of now, in hundredths of a second since 1970-01-01 UTC: never before the newest
    /// leaf.
    pub(super) fn now_cs(&self) -> u64 {
        self.core.clock.now_cs().max(self.core.newest().time_cs)
    }

    /// A booking as its agency knows it.
    ///
    /// Errors: nothing under that number, or only a tombstone.
    pub fn standing(
        &self,
        agency: &Identifier,
        number: &BookingNumber,
    ) -> Result<Standing, ServiceError> {
        let key = self.core.master.number_key(agency.as_str(), number.as_str());
        let not_found = ServiceError::NotFound { what: "booking" };
        let Some(row) = self.core.store.number(&key)? else { return Err(not_found) };
        let Some(version) = row.current else {
            return Err(ServiceError::Released { leaf: row.released.unwrap_or(row.leaf) });
        };
        let (version_row, record) = self.core.record(version)?.ok_or(not_found)?;
        let (released, unusable) = (
            row.released.filter(|_| row.state != NumberState::Live),
            matches!(version_row.state, VersionState::Unusable | VersionState::Withheld),
        );
        Ok(Standing { version, released, unusable, leaf: row.leaf, record })
    }

    /// A live booking with its owner; the record says which face of it this generation compares.
    pub fn record(
        &self,
        generation: &Generation,
        version: VersionId,
    ) -> Result<Option<(Identifier, Record)>, ServiceError> {
        self.record_where(generation, version, |state| state == VersionState::Live)
    }

    /// As `record`, of a booking that a search showed and its agency hasn't released.
    pub(super) fn shown_record(
        &self,
        generation: &Generation,
        version: VersionId,
    ) -> Result<Option<(Identifier, Record)>, ServiceError> {
        self.record_where(generation, version, is_shown)
    }

    fn record_where(
        &self,
        generation: &Generation,
        version: VersionId,
        stands: impl Fn(VersionState) -> bool,
    ) -> Result<Option<(Identifier, Record)>, ServiceError> {
        let Some((row, record)) = self.core.record(version)?.filter(|(row, _)| stands(row.state))
        else {
            return Ok(None);
        };
        let key = self
            .core
            .vault
            .bookings
            .key(row.slot, &Lodger { owner: row.agency.clone(), id: version.0 })?;
        for sealed in self.core.store.vectors(row.leaf)? {
            // The other one is another model's and doesn't open as this one's.
            let Ok(plain) = key.open(Part::Vector(generation.model()), version.0, &sealed) else {
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
    pub fn photo(&self, version: VersionId) -> Result<Option<Vec<u8>>, ServiceError> {
        let Some(row) =
            self.core.store.version(version)?.filter(|row| row.state == VersionState::Live)
        else {
            return Ok(None);
        };
        let key =
            self.core.vault.bookings.key(row.slot, &Lodger { owner: row.agency, id: version.0 })?;
        Ok(Some(self.core.vault.bookings.read_photo(version.0, &key)?))
    }

    /// The photo of a booking that a search showed and its agency hasn't released, as it was
    /// received.
    pub(super) fn shown_photo(&self, version: VersionId) -> Result<Option<Vec<u8>>, ServiceError> {
        let Some(row) = self.core.store.version(version)?.filter(|row| is_shown(row.state)) else {
            return Ok(None);
        };
        let key =
            self.core.vault.bookings.key(row.slot, &Lodger { owner: row.agency, id: version.0 })?;
        Ok(Some(self.core.vault.bookings.read_photo(version.0, &key)?))
    }

    /// Every leaf in order, as it was hashed, up to the newest checkpoint.
    pub fn log(&self) -> Result<Vec<Vec<u8>>, ServiceError> {
        let mut leaves = Vec::new();
        self.core.store.for_each_leaf::<ServiceError>(0..u64::MAX, |_, leaf| {
            leaves.push(leaf.to_vec());
            Ok(())
        })?;
        Ok(leaves)
    }

    /// The first `leaves` leaves in order, as they were hashed, without holding them all.
    pub(super) fn for_each_leaf(
        &self,
        leaves: u64,
        mut visit: impl FnMut(&[u8]) -> Result<(), ServiceError>,
    ) -> Result<(), ServiceError> {
        self.core.store.for_each_leaf(0..leaves, |_, leaf| visit(leaf))
    }

    /// A leaf's detail, checked against its commitment.
    pub fn detail(&self, leaf: u64) -> Result<Option<serde_json::Value>, ServiceError> {
        let detail = self
            .core
            .open_detail(leaf)?
            .map(|opened| serde_json::from_slice(&opened.detail))
            .transpose();
        detail.map_err(|source| ServiceError::Sealed { what: "detail", source })
    }

    /// A leaf's salt and detail as they were committed to; none once its term was over.
    pub fn open_detail(&self, leaf: u64) -> Result<Option<OpenedLeaf>, ServiceError> {
        self.core.open_detail(leaf)
    }

    /// The ids of sealed photos on the booking side of the vault.
    pub fn photo_ids(&self) -> Result<std::collections::HashSet<[u8; 16]>, ServiceError> {
        Ok(self.core.vault.bookings.photo_ids()?)
    }

    /// Leaves written since the start, by the name of their kind.
    pub(super) fn leaves_written(&self) -> BTreeMap<&'static str, u64> {
        self.core.written.lock().expect("nothing panics while it holds the counts").clone()
    }

    /// Who waits for the ledger's threads.
    pub(super) fn waits(&self) -> &Waits {
        &self.core.waits
    }

    /// The version of each row of the gallery.
    #[cfg(test)]
    pub(super) fn rows_in_order(&self) -> Vec<VersionId> {
        self.generation().rows_in_order()
    }

    /// Lets the writer finish what waits and ends it.
    pub fn close(&self) {
        drop(self.queue.lock().expect("nothing panics while it holds the queue").take());
        if let Some(writer) =
            self.writer.lock().expect("nothing panics while it holds the writer").take()
        {
            // A writer that panicked has told every caller that it halted.
            let _ = writer.join();
        }
    }

    pub(super) fn core(&self) -> &Core {
        &self.core
    }

    pub(super) fn change(&self, change: Change) -> Result<Done, ServiceError> {
        let halted = || ServiceError::Halted { cause: "the writer has ended".to_owned() };
        let (reply, answer) = sync_channel(1);
        let queue = self
            .queue
            .lock()
            .expect("nothing panics while it holds the queue")
            .clone()
            .ok_or_else(halted)?;
        self.core.waits.store.during(|| {
            queue.try_send(Job { change, reply }).map_err(|e| match e {
                TrySendError::Full(_) => ServiceError::Busy,
                TrySendError::Disconnected(_) => halted(),
            })?;
            answer.recv().map_err(|_| halted())?
        })
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.close();
    }
}

/// Whether a booking that a search showed is shown still: its agency hasn't released it.
fn is_shown(state: VersionState) -> bool {
    matches!(state, VersionState::Live | VersionState::Superseded | VersionState::Unusable)
}
