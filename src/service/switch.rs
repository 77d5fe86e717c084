//! From one model to another: what the ledger keeps of it, and the writer's steps.
//!
//! Invariants: searches stay on the active generation until the next one is whole and checked, and
//! change over in one step: one store transaction, then one pointer. **Standing bookings without a
//! vector or a named failure of the next model are due**, however they came to be, so whatever a
//! crash or a missing folder of models left is made up for. The next gallery is filled from the
//! store in the order of the leaves, as a start fills it, so that equal scores stand in the same
//! order before and after a restart.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use super::core::Core;
use super::error::ServiceError;
use super::faces::{self, NextFace};
use super::generation::{Generation, Shelf};
use super::ledger::Ledger;
use super::load::{Live, Vectors, open_vectors};
use super::stage::{Staged, StagedRows, sealed_vector};
use super::writer::{Change, Done, Writer};
use crate::audit::{Actor, Detail, Unusable};
use crate::booking::VersionId;
use crate::embed::Pool;
use crate::face::{Embedding, ModelId};
use crate::limits::{FILL_ATTEMPTS_MAX, GATHER_LEAVES, SUPPRESSED_PER_LEAF_MAX};
use crate::roster::Caller;
use crate::store::{Store, StoreError, SwitchRow, VersionRow, VersionState};
use crate::vault::{KeyOwner, SealedPart};

/// The reason of a booking whose photo, key or vector can't be read.
pub(super) const UNREADABLE: &str = "unreadable";

/// A switch that is under way.
#[derive(Clone)]
pub(super) struct Switch {
    row: SwitchRow,
    /// The next model's threads; none while the configuration doesn't offer that model.
    pub(super) pool: Option<Arc<Pool>>,
    /// The next gallery, while it is filled.
    pub(super) incoming: Option<Arc<Incoming>>,
}

/// A generation that is being filled. What is suppressed meanwhile is masked in it or never gets
/// in.
pub(super) struct Incoming {
    generation: Arc<Generation>,
    gone: Mutex<HashSet<VersionId>>,
    /// Leaves before this one are gathered beside the writer, later ones by it at the turn.
    below: u64,
}

/// Where a switch of the model stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchState {
    /// No switch is under way.
    None,
    /// None is under way, and the vectors of a former model are being removed.
    Sweeping,
    /// The bookings' photos are being embedded.
    Embedding,
    /// The next gallery is being filled and checked.
    Gathering,
    /// More photos than are accepted have no usable face under the next model, or galleries were
    /// begun too often: it must be asked for again, or given up.
    Blocked,
    /// The configuration doesn't offer the next model any more.
    Absent,
}

/// The models in use and to come.
#[derive(Clone, Debug)]
pub struct ModelStanding {
    /// The model that answers.
    pub active: ModelId,
    /// The model to come.
    pub next: Option<ModelId>,
    /// Where the switch stands.
    pub state: SwitchState,
    /// Bookings that have a vector of the model to come.
    pub embedded: u64,
    /// Bookings that stand.
    pub standing: u64,
    /// Bookings that the model to come makes no vector of.
    pub failed: u64,
    /// The failures by their reasons.
    pub reasons: BTreeMap<String, u64>,
    /// So many failures are accepted.
    pub accept_failed: u64,
}

impl Switch {
    /// The switch that the store says is under way.
    pub(super) fn resumed(store: &Store, shelf: &Shelf) -> Result<Option<Self>, ServiceError> {
        let Some(row) = store.switch()? else { return Ok(None) };
        let pool = shelf.pool(ModelId(row.model)).unwrap_or_else(|e| {
            log::error!("the switch of the model waits: {}", e.chain());
            None
        });
        if pool.is_none() {
            log::warn!(
                "a switch to the models {} is under way, found {}",
                hex::encode(row.model),
                shelf.offers()
            );
        }
        Ok(Some(Self { row, pool, incoming: None }))
    }

    pub(super) fn model(&self) -> ModelId {
        ModelId(self.row.model)
    }
}

impl Incoming {
    fn gone(&self) -> MutexGuard<'_, HashSet<VersionId>> {
        self.gone.lock().expect("nothing panics while it holds what is gone")
    }

    fn take(&self, mut faces: Vec<(VersionId, Embedding)>) -> Result<(), ServiceError> {
        // Held until the rows have their names: what is masked next finds them.
        let gone = self.gone();
        faces.retain(|(version, _)| !gone.contains(version));
        Ok(self.generation.append(faces)?)
    }

    pub(super) fn mask(&self, version: VersionId) -> Result<(), ServiceError> {
        let mut gone = self.gone();
        if !self.generation.mask(version)? {
            gone.insert(version);
        }
        Ok(())
    }

    pub(super) fn zero(&self, version: VersionId) -> Result<(), ServiceError> {
        let mut gone = self.gone();
        if !self.generation.zero(version)? {
            gone.insert(version);
        }
        Ok(())
    }
}

impl Ledger {
    /// Begins a switch to `model`, or changes the terms of the one under way: `accept_failed`
    /// bookings may have no usable face under it. A switch to the model in use is done already.
    ///
    /// Errors: `NotSwitchable` where the configuration has no such model, another switch is under
    /// way or the machine has no room for a second gallery; `Busy` while a former model's vectors
    /// are being removed.
    pub fn begin_switch(
        &self,
        caller: &Caller,
        model: ModelId,
        accept_failed: u64,
    ) -> Result<(), ServiceError> {
        let core = self.core();
        if core.switch().is_none() && self.model() == model {
            return Ok(());
        }
        let wanted = || format!("models_next with the digest {model}");
        let pool = match core.shelf.pool(model) {
            Ok(Some(pool)) => pool,
            Ok(None) => {
                return Err(ServiceError::NotSwitchable {
                    found: core.shelf.offers(),
                    wanted: wanted(),
                });
            }
            Err(e) => {
                return Err(ServiceError::NotSwitchable { found: e.chain(), wanted: wanted() });
            }
        };
        core.shelf.room_for(core.standing(), pool.dimension())?;
        self.change(Change::BeginSwitch { actor: Actor::from(caller), pool, accept_failed })
            .map(|_| ())
    }

    /// Gives the switch up: searches stay on the model they had, and what was made for the other is
    /// removed.
    ///
    /// Errors: `NoSwitch`.
    pub fn give_up_switch(&self, caller: &Caller) -> Result<(), ServiceError> {
        self.change(Change::GiveUpSwitch { actor: Actor::from(caller) }).map(|_| ())
    }

    /// The models in use and to come.
    pub fn model_standing(&self) -> Result<ModelStanding, ServiceError> {
        let core = self.core();
        let active = self.model();
        let Some(switch) = core.switch() else {
            let state = if core.store.next_vectors()? > 0 {
                SwitchState::Sweeping
            } else {
                SwitchState::None
            };
            let standing = core.standing();
            return Ok(ModelStanding {
                active,
                next: None,
                state,
                embedded: 0,
                standing,
                failed: 0,
                reasons: BTreeMap::new(),
                accept_failed: 0,
            });
        };
        let (embedded, failed) = (core.store.next_vectors()?, core.store.failed()?);
        let whole = embedded + failed >= core.standing();
        let state = match &switch {
            Switch { incoming: Some(_), .. } => SwitchState::Gathering,
            Switch { pool: None, .. } => SwitchState::Absent,
            Switch { row, .. }
                if whole
                    && (failed > row.accept_failed || row.fill_attempts >= FILL_ATTEMPTS_MAX) =>
            {
                SwitchState::Blocked
            }
            _ => SwitchState::Embedding,
        };
        Ok(ModelStanding {
            active,
            next: Some(switch.model()),
            state,
            embedded,
            standing: core.standing(),
            failed,
            reasons: core.store.failures_by_reason()?,
            accept_failed: switch.row.accept_failed,
        })
    }

    /// The threads of the model to come, while a switch is under way and its models are there.
    pub fn next_pool(&self) -> Option<Arc<Pool>> {
        self.core().switch().and_then(|switch| switch.pool)
    }

    /// How many photos a switch of the model may examine at the same time.
    pub(super) fn switch_workers(&self) -> usize {
        self.core().shelf.switch_workers()
    }

    /// Bookings of which the next model has neither vector nor failure, at most `len_max`, after
    /// `after` in the order of their ids.
    pub fn due(
        &self,
        after: Option<VersionId>,
        len_max: usize,
    ) -> Result<Vec<VersionId>, ServiceError> {
        Ok(self.core().store.due(after, len_max)?.into_iter().map(|(version, _)| version).collect())
    }

    /// The photo of a booking that stands, to be embedded; `None` where it doesn't stand any more.
    ///
    /// Errors: a photo that can't be read.
    pub fn standing_photo(&self, version: VersionId) -> Result<Option<Vec<u8>>, ServiceError> {
        let core = self.core();
        let Some(row) = core.store.version(version)?.filter(stands) else { return Ok(None) };
        let key =
            core.vault.bookings.key(row.slot, &KeyOwner { owner: row.agency, id: version.0 })?;
        Ok(Some(core.vault.bookings.read_photo(version.0, &key)?))
    }

    /// Keeps what the next model makes of these bookings: durable on return, unless it is the next
    /// model no longer.
    pub fn embed(
        &self,
        model: ModelId,
        faces: Vec<(VersionId, NextFace)>,
    ) -> Result<(), ServiceError> {
        self.change(Change::Embed { model, faces }).map(|_| ())
    }

    /// Fills a gallery of the next model, checks it, and has searches answered by it from then on.
    /// Says whether they are; else bookings are due again, failures aren't accepted, the switch was
    /// given up, or `ended` was set, which it looks at from time to time.
    pub fn turn(&self, ended: &AtomicBool) -> Result<bool, ServiceError> {
        let core = self.core();
        let Done::Gathering(Some(incoming)) = self.change(Change::Gather)? else {
            return Ok(false);
        };
        let unreadable = core.gather(&incoming, ended)?;
        if ended.load(Ordering::Acquire) {
            return self.change(Change::LeaveGallery).map(|_| false);
        }
        if !unreadable.is_empty() {
            self.embed(
                incoming.generation.model(),
                unreadable.into_iter().map(|version| (version, Err(UNREADABLE))).collect(),
            )?;
        }
        incoming.generation.gallery().prove()?;
        match self.change(Change::Turn)? {
            Done::Turned(turned) => Ok(turned),
            _ => unreachable!("the writer answers a turn with its outcome"),
        }
    }

    /// Removes some vectors of no model in use; says whether some are left.
    pub fn sweep(&self) -> Result<bool, ServiceError> {
        match self.change(Change::Sweep)? {
            Done::Swept(more) => Ok(more),
            _ => unreachable!("the writer answers a sweep with whether there is more"),
        }
    }
}

impl Core {
    /// Bookings that stand.
    fn standing(&self) -> u64 {
        self.standing.load(Ordering::Acquire)
    }

    /// Adds to the number of bookings that stand.
    pub(super) fn count_standing(&self, more: i64) {
        // Wrapping, so that what is negative takes away.
        self.standing.fetch_add(more.cast_unsigned(), Ordering::AcqRel);
    }

    /// Takes the next model's vectors of the leaves before `incoming.below` into the incoming
    /// gallery; gives the bookings whose vectors don't open. Ends early where the switch has ended,
    /// or is to.
    fn gather(
        &self,
        incoming: &Arc<Incoming>,
        ended: &AtomicBool,
    ) -> Result<Vec<VersionId>, ServiceError> {
        let mut unreadable = Vec::new();
        // Read after the incoming gallery was made known: what falls from here on is masked in it
        // or never gets in.
        let standing = Live::standing(&self.store)?;
        for first in (0..incoming.below).step_by(GATHER_LEAVES) {
            let ours =
                |switch: Switch| switch.incoming.is_some_and(|other| Arc::ptr_eq(&other, incoming));
            if ended.load(Ordering::Acquire) || !self.switch().is_some_and(ours) {
                break;
            }
            let leaves = first..incoming.below.min(first + GATHER_LEAVES as u64);
            let opened =
                open_vectors(self, &incoming.generation, Vectors::Next, &standing, leaves)?;
            for (version, cause) in opened.unreadable {
                log::error!("version {version} has no vector of the next model: {}", cause.chain());
                unreadable.push(version);
            }
            incoming.take(opened.faces)?;
        }
        Ok(unreadable)
    }

    /// Takes the vectors of the bookings that came while the gallery was filled, a few; says
    /// whether all of them open.
    fn gather_late(&self, incoming: &Incoming) -> Result<bool, ServiceError> {
        let mut faces = Vec::new();
        let mut whole = true;
        self.store.for_each_next_vector::<ServiceError>(
            incoming.below..u64::MAX,
            |_, version, sealed| {
                let Some(row) = self.store.version(version)?.filter(stands) else { return Ok(()) };
                let key = self
                    .vault
                    .bookings
                    .key(row.slot, &KeyOwner { owner: row.agency, id: version.0 })?;
                match key.open(SealedPart::Vector(incoming.generation.model()), version.0, sealed) {
                    Ok(plain) => {
                        let dimension = incoming.generation.gallery().dimension();
                        faces.push((
                            version,
                            faces::embedding(dimension, &plain).map_err(ServiceError::Vector)?,
                        ));
                    }
                    Err(e) => {
                        log::error!(
                            "version {version} has no vector of the next model: {}",
                            ServiceError::from(e).chain()
                        );
                        whole = false;
                    }
                }
                Ok(())
            },
        )?;
        incoming.take(faces).map(|()| whole)
    }

    fn set_switch(&self, switch: Option<Switch>) {
        *self.switch.write().expect("nothing panics while it holds the switch") = switch;
    }
}

impl Writer {
    /// Begins a switch, or changes its terms.
    pub(super) fn begin_switch(
        &mut self,
        actor: Actor,
        pool: Arc<Pool>,
        accept_failed: u64,
    ) -> Result<Done, ServiceError> {
        let core = self.core().clone();
        let (from, to) = (core.generation().model(), pool.id());
        let under_way = core.switch();
        let row = match &under_way {
            Some(switch) if switch.model() != to => {
                return Err(ServiceError::NotSwitchable {
                    found: format!("a switch to {} under way", switch.model()),
                    wanted: "it to end, or to be given up".to_owned(),
                });
            }
            Some(switch) => SwitchRow { accept_failed, fill_attempts: 0, ..switch.row },
            None if from == to => return Ok(Done::Made),
            None if core.store.next_vectors()? > 0 => return Err(ServiceError::Busy),
            None => SwitchRow { model: to.0, accept_failed, begun: 0, fill_attempts: 0 },
        };
        let standing = core.standing();
        let incoming = under_way.as_ref().and_then(|switch| switch.incoming.clone());
        if under_way.as_ref().is_some_and(|switch| switch.row == row) {
            core.set_switch(Some(Switch { row, pool: Some(pool), incoming }));
            return Ok(Done::Made);
        }
        // A change of the terms follows the leaf that logged the begin.
        let follows: Vec<u64> = under_way.iter().map(|switch| switch.row.begun).collect();
        let first = under_way.is_none();
        let detail = Detail::ModelSwitchBegun {
            actor,
            from: from.to_string(),
            to: to.to_string(),
            bookings: standing,
            accept_failed,
        };
        let begun = StagedRows::SwitchBegun { row, from, first };
        self.transact_one(begun, follows, vec![standing, accept_failed], detail)?;
        let row =
            core.store.switch()?.ok_or(StoreError::Corrupt { what: "switch of the model" })?;
        core.set_switch(Some(Switch { row, pool: Some(pool), incoming }));
        Ok(Done::Made)
    }

    /// Keeps vectors and failures of bookings that still stand.
    pub(super) fn embed(
        &mut self,
        model: ModelId,
        faces: &[(VersionId, NextFace)],
    ) -> Result<Done, ServiceError> {
        let core = self.core();
        if core.switch().is_none_or(|switch| switch.model() != model) {
            return Ok(Done::Made);
        }
        let mut vectors = Vec::new();
        let mut failures = Vec::new();
        for (version, face) in faces {
            let Some(row) = core.store.version(*version)?.filter(stands) else { continue };
            let key_owner = KeyOwner { owner: row.agency, id: version.0 };
            match (core.vault.bookings.key(row.slot, &key_owner), face) {
                (Ok(key), Ok(face)) => {
                    vectors.push(sealed_vector(&key, model, row.leaf, *version, face))
                }
                (Ok(_), Err(reason)) => failures.push((row.leaf, *version, *reason)),
                (Err(e), _) if e.is_damage() => failures.push((row.leaf, *version, UNREADABLE)),
                (Err(e), _) => return Err(e.into()),
            }
        }
        core.store.commit::<StoreError>(|tables| {
            for vector in &vectors {
                tables.put_next_vector(vector)?;
            }
            for (leaf, version, reason) in &failures {
                tables.remove_next(*leaf)?;
                tables.put_failure(*leaf, *version, reason)?;
            }
            Ok(())
        })?;
        Ok(Done::Made)
    }

    /// Opens a gallery to be filled, where the switch may have one.
    pub(super) fn gather(&mut self) -> Result<Done, ServiceError> {
        let core = self.core();
        let Some(mut switch) = core.switch() else { return Ok(Done::Gathering(None)) };
        let (Some(pool), true) =
            (switch.pool.clone(), switch.row.fill_attempts < FILL_ATTEMPTS_MAX)
        else {
            return Ok(Done::Gathering(None));
        };
        switch.row.fill_attempts += 1;
        core.store.commit::<StoreError>(|tables| tables.put_switch(&switch.row))?;
        let generation = Arc::new(core.shelf.generation(pool)?);
        let incoming =
            Arc::new(Incoming { generation, gone: Mutex::default(), below: self.leaves() });
        switch.incoming = Some(incoming.clone());
        core.set_switch(Some(switch));
        Ok(Done::Gathering(Some(incoming)))
    }

    /// Drops a gallery that was left in the middle, in order: that it was begun doesn't count.
    pub(super) fn leave_gallery(&mut self) -> Result<Done, ServiceError> {
        let core = self.core();
        if let Some(mut switch) = core.switch()
            && switch.incoming.take().is_some()
        {
            switch.row.fill_attempts = switch.row.fill_attempts.saturating_sub(1);
            core.store.commit::<StoreError>(|tables| tables.put_switch(&switch.row))?;
            core.set_switch(Some(switch));
        }
        Ok(Done::Made)
    }

    /// Holds the filled gallery against the store, and makes it the one that answers.
    pub(super) fn turn(&mut self) -> Result<Done, ServiceError> {
        let core = self.core().clone();
        let Some(switch) = core.switch() else { return Ok(Done::Turned(false)) };
        let Some(incoming) = switch.incoming.clone() else { return Ok(Done::Turned(false)) };
        // Whatever it comes to, this gallery is used or never again.
        let outcome = core.gather_late(&incoming);
        core.set_switch(Some(Switch { incoming: None, ..switch.clone() }));
        if !outcome? {
            return Ok(Done::Turned(false));
        }
        let (embedded, failed) = (core.store.next_vectors()?, core.store.failed()?);
        if embedded + failed != core.standing() || failed > switch.row.accept_failed {
            return Ok(Done::Turned(false));
        }
        let found = u64::from(incoming.generation.gallery().live());
        if found != embedded {
            return Err(ServiceError::Setup {
                found: format!("{found} rows in the next gallery"),
                wanted: format!("the store's {embedded}"),
            });
        }
        let former = core.generation();
        let (mut staged, unusable) = self.stage_turn(&switch, former.model(), embedded)?;
        self.transact(&mut staged)?;
        *core.unusable.lock().expect("nothing panics while it holds what is unusable") = unusable;
        // Its searches go on to their end; its vectors are swept after them.
        *core.former.lock().expect("nothing panics while it holds the former generation") =
            Arc::downgrade(&former);
        *core.active.write().expect("nothing panics while it holds the generation") =
            incoming.generation.clone();
        core.set_switch(None);
        log::info!(
            "searches are answered by the models {}: {embedded} bookings, {failed} suppressed",
            switch.model()
        );
        Ok(Done::Turned(true))
    }

    /// The leaves and rows of a turn, and the bookings that are unusable after it: those that
    /// change their state are few.
    fn stage_turn(
        &self,
        switch: &Switch,
        from: ModelId,
        bookings: u64,
    ) -> Result<(Vec<Staged>, Vec<VersionId>), ServiceError> {
        let core = self.core();
        let failures = core.store.failures()?;
        let mut versions = Vec::new();
        for (version, _) in &failures {
            let row =
                core.store.version(*version)?.ok_or(ServiceError::NotFound { what: "version" })?;
            versions.push((*version, VersionRow { state: VersionState::Unusable, ..row }));
        }
        let mut found_again = 0;
        for &version in
            &*core.unusable.lock().expect("nothing panics while it holds what is unusable")
        {
            // Released or purged since, or unusable still.
            let Some(row) =
                core.store.version(version)?.filter(|row| row.state == VersionState::Unusable)
            else {
                continue;
            };
            if core.store.has_next_vector(row.leaf)? {
                found_again += 1;
                versions.push((version, VersionRow { state: VersionState::Live, ..row }));
            }
        }
        let to = switch.model();
        let suppressed = failures.len() as u64;
        let mut staged = Vec::new();
        for failures in failures.chunks(SUPPRESSED_PER_LEAF_MAX) {
            let bookings = failures
                .iter()
                .map(|(version, reason)| Unusable { version: *version, reason: reason.clone() })
                .collect();
            let detail = Detail::BookingsSuppressed { model: to.to_string(), bookings };
            let counts = vec![failures.len() as u64];
            staged.push(Staged::of(StagedRows::None, vec![switch.row.begun], counts, detail));
        }
        let detail = Detail::ModelSwitched {
            from: from.to_string(),
            to: to.to_string(),
            bookings,
            suppressed,
            found_again,
        };
        let rows = StagedRows::Switched { model: to, versions };
        staged.push(Staged::of(rows, vec![switch.row.begun], vec![bookings, suppressed], detail));
        Ok((staged, failures.into_iter().map(|(version, _)| version).collect()))
    }

    /// Ends the switch without a change of the model.
    pub(super) fn give_up_switch(&mut self, actor: Actor) -> Result<Done, ServiceError> {
        let core = self.core().clone();
        let switch = core.switch().ok_or(ServiceError::NoSwitch)?;
        let (embedded, failed) = (core.store.next_vectors()?, core.store.failed()?);
        let (from, to) = (core.generation().model().to_string(), switch.model().to_string());
        let detail = Detail::ModelSwitchGivenUp { actor, from, to, embedded, failed };
        let (rows, follows) = (StagedRows::SwitchGivenUp, vec![switch.row.begun]);
        self.transact_one(rows, follows, vec![embedded, failed], detail)?;
        core.set_switch(None);
        Ok(Done::Made)
    }

    /// Removes some vectors that no generation uses; those of a former one wait for its last
    /// search.
    pub(super) fn sweep(&mut self) -> Result<Done, ServiceError> {
        let core = self.core();
        if core.switch().is_some() || core.store.next_vectors()? == 0 {
            return Ok(Done::Swept(false));
        }
        let former = core
            .former
            .lock()
            .expect("nothing panics while it holds the former generation")
            .strong_count();
        if former > 0 {
            return Ok(Done::Swept(true));
        }
        let mut more = false;
        core.store.commit::<StoreError>(|tables| {
            more = tables.delete_former_vectors()?;
            Ok(())
        })?;
        Ok(Done::Swept(more))
    }

    fn transact_one(
        &mut self,
        rows: StagedRows,
        follows: Vec<u64>,
        counts: Vec<u64>,
        detail: Detail,
    ) -> Result<(), ServiceError> {
        self.transact(&mut [Staged::of(rows, follows, counts, detail)]).map(|_| ())
    }
}

/// Whether a version is its agency's booking: found by searches, or it would be if the active model
/// made a vector of its photo.
pub(super) fn stands(row: &VersionRow) -> bool {
    matches!(row.state, VersionState::Live | VersionState::Unusable)
}
