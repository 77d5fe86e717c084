//! From one model to another: what the ledger keeps of it, and the writer's steps.
//!
//! Invariants: searches stay on the active generation until the next one is whole and checked, and
//! change over in one step: one store transaction, then one pointer. **Standing bookings without a
//! vector or a named failure of the next model are due**, however they came to be, so whatever a
//! crash or a missing folder of models left is made up for. The next gallery is filled from the
//! store in the order of the leaves, as a start fills it, so that equal scores stand in the same
//! order before and after a restart.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::bookings::sealed_vector;
use super::core::Core;
use super::error::{Fated, LedgerError};
use super::faces::{self, NextFace};
use super::handle::Ledger;
use super::load::{Live, Vectors, open_vectors};
use super::next_model::{Incoming, Switch};
use super::records::stands;
use super::write::{NewLeaf, Staged};
use super::writer::{Alone, Writer};
use crate::audit::{Actor, Detail, Unusable};
use crate::booking::VersionId;
use crate::embed::Pool;
use crate::face::ModelId;
use crate::limits::{FILL_ATTEMPTS_MAX, FILL_LEAVES, SUPPRESSED_PER_LEAF_MAX};
use crate::roster::Caller;
use crate::store::{StoreError, SwitchRow, VersionRow, VersionState};
use crate::vault::{KeyOwner, SealedPart};

/// The reason of a booking whose photo, key or vector can't be read.
pub(crate) const UNREADABLE: &str = "unreadable";

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
    Filling,
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
    ) -> Result<(), LedgerError> {
        let core = self.core();
        if core.switch().is_none() && self.model() == model {
            return Ok(());
        }
        let wanted = || format!("models_next with the digest {model}");
        let pool = match core.models.pool(model) {
            Ok(Some(pool)) => pool,
            Ok(None) => {
                return Err(LedgerError::NotSwitchable {
                    found: core.models.offers(),
                    wanted: wanted(),
                });
            }
            Err(e) => {
                return Err(LedgerError::NotSwitchable { found: e.chain(), wanted: wanted() });
            }
        };
        core.models.room_for(core.standing(), pool.dimension())?;
        let actor = Actor::from(caller);
        self.alone(Alone::BeginSwitch, move |writer| {
            writer.begin_switch(actor, pool, accept_failed)
        })
    }

    /// Gives the switch up: searches stay on the model they had, and what was made for the other is
    /// removed.
    ///
    /// Errors: `NoSwitch`.
    pub fn give_up_switch(&self, caller: &Caller) -> Result<(), LedgerError> {
        let actor = Actor::from(caller);
        self.alone(Alone::GiveUpSwitch, move |writer| writer.give_up_switch(actor))
    }

    /// The models in use and to come.
    pub fn model_standing(&self) -> Result<ModelStanding, LedgerError> {
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
            Switch { incoming: Some(_), .. } => SwitchState::Filling,
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
    pub(crate) fn switch_workers(&self) -> usize {
        self.core().models.switch_workers()
    }

    /// Bookings of which the next model has neither vector nor failure, at most `len_max`, after
    /// `after` in the order of their ids.
    pub fn due(
        &self,
        after: Option<VersionId>,
        len_max: usize,
    ) -> Result<Vec<VersionId>, LedgerError> {
        Ok(self.core().store.due(after, len_max)?.into_iter().map(|(version, _)| version).collect())
    }

    /// The photo of a booking that stands, to be embedded; `None` where it doesn't stand any more.
    ///
    /// Errors: a photo that can't be read.
    pub fn standing_photo(&self, version: VersionId) -> Result<Option<Vec<u8>>, LedgerError> {
        let core = self.core();
        let Some(row) = core.store.version(version)?.filter(stands) else { return Ok(None) };
        let key =
            core.vault.bookings.key(row.slot, &KeyOwner { owner: row.agency, id: version })?;
        Ok(Some(core.vault.bookings.read_photo(version, &key)?))
    }

    /// Keeps what the next model makes of these bookings: durable on return, unless it is the next
    /// model no longer.
    pub fn embed(
        &self,
        model: ModelId,
        faces: Vec<(VersionId, NextFace)>,
    ) -> Result<(), LedgerError> {
        self.alone(Alone::Embed, move |writer| writer.embed(model, &faces))
    }

    /// Fills a gallery of the next model, checks it, and has searches answered by it from then on.
    /// Says whether they are; else bookings are due again, failures aren't accepted, the switch was
    /// given up, or `ended` was set, which it looks at from time to time.
    pub fn activate_next(&self, ended: &AtomicBool) -> Result<bool, LedgerError> {
        let core = self.core();
        let Some(incoming) = self.alone(Alone::BeginFill, Writer::begin_fill)? else {
            return Ok(false);
        };
        let unreadable = core.fill(&incoming, ended)?;
        if ended.load(Ordering::Acquire) {
            return self.alone(Alone::LeaveGallery, Writer::leave_gallery).map(|()| false);
        }
        if !unreadable.is_empty() {
            self.embed(
                incoming.generation.model(),
                unreadable.into_iter().map(|version| (version, Err(UNREADABLE))).collect(),
            )?;
        }
        incoming.generation.gallery().prove()?;
        self.alone(Alone::Activate, Writer::activate)
    }

    /// Removes some vectors of no model in use; says whether some are left.
    pub fn remove_former(&self) -> Result<bool, LedgerError> {
        self.alone(Alone::RemoveFormer, Writer::remove_former)
    }
}

impl Core {
    /// Bookings that stand.
    fn standing(&self) -> u64 {
        self.standing.load(Ordering::Acquire)
    }

    /// Adds to the number of bookings that stand.
    pub(crate) fn count_standing(&self, more: i64) {
        // Wrapping, so that what is negative takes away.
        self.standing.fetch_add(more.cast_unsigned(), Ordering::AcqRel);
    }

    /// Takes the next model's vectors of the leaves before `incoming.below` into the incoming
    /// gallery; gives the bookings whose vectors don't open. Ends early where the switch has ended,
    /// or is to.
    fn fill(
        &self,
        incoming: &Arc<Incoming>,
        ended: &AtomicBool,
    ) -> Result<Vec<VersionId>, LedgerError> {
        let mut unreadable = Vec::new();
        // Read after the incoming gallery was made known: what falls from here on is masked in it
        // or never gets in.
        let standing = Live::standing(&self.store)?;
        for first in (0..incoming.below).step_by(FILL_LEAVES) {
            let ours =
                |switch: Switch| switch.incoming.is_some_and(|other| Arc::ptr_eq(&other, incoming));
            if ended.load(Ordering::Acquire) || !self.switch().is_some_and(ours) {
                break;
            }
            let leaves = first..incoming.below.min(first + FILL_LEAVES as u64);
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
    fn fill_late(&self, incoming: &Incoming) -> Result<bool, LedgerError> {
        let mut faces = Vec::new();
        let mut whole = true;
        self.store.for_each_next_vector::<LedgerError>(
            incoming.below..u64::MAX,
            |_, version, sealed| {
                let Some(row) = self.store.version(version)?.filter(stands) else { return Ok(()) };
                let key = self
                    .vault
                    .bookings
                    .key(row.slot, &KeyOwner { owner: row.agency, id: version })?;
                match key.open(SealedPart::Vector(incoming.generation.model()), version, sealed) {
                    Ok(plain) => {
                        let dimension = incoming.generation.gallery().dimension();
                        faces.push((
                            version,
                            faces::embedding(dimension, &plain).map_err(LedgerError::Vector)?,
                        ));
                    }
                    Err(e) => {
                        log::error!(
                            "version {version} has no vector of the next model: {}",
                            LedgerError::from(e).chain()
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
    pub(crate) fn begin_switch(
        &mut self,
        actor: Actor,
        pool: Arc<Pool>,
        accept_failed: u64,
    ) -> Result<(), LedgerError> {
        let core = self.core().clone();
        let (from, to) = (core.generation().model(), pool.id());
        let under_way = core.switch();
        let row = match &under_way {
            Some(switch) if switch.model() != to => {
                return Err(LedgerError::NotSwitchable {
                    found: format!("a switch to {} under way", switch.model()),
                    wanted: "it to end, or to be given up".to_owned(),
                });
            }
            Some(switch) => SwitchRow { accept_failed, fill_attempts: 0, ..switch.row },
            None if from == to => return Ok(()),
            None if core.store.next_vectors()? > 0 => return Err(LedgerError::Busy),
            None => SwitchRow { model: to, accept_failed, begun: 0, fill_attempts: 0 },
        };
        let standing = core.standing();
        let incoming = under_way.as_ref().and_then(|switch| switch.incoming.clone());
        if under_way.as_ref().is_some_and(|switch| switch.row == row) {
            core.set_switch(Some(Switch { row, pool: Some(pool), incoming }));
            return Ok(());
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
        let leaf = NewLeaf::new(follows, vec![standing, accept_failed], detail);
        self.transact_alone(vec![Staged::new(vec![leaf], move |_, tables, leaf| {
            let begun = leaf.filter(|_| first).unwrap_or(row.begun);
            // Named now, so that a folder without bookings knows it too.
            tables.put_model(from)?;
            Ok(tables.put_switch(&SwitchRow { begun, ..row })?)
        })])?;
        let row =
            core.store.switch()?.ok_or(StoreError::Corrupt { what: "switch of the model" })?;
        core.set_switch(Some(Switch { row, pool: Some(pool), incoming }));
        Ok(())
    }

    /// Keeps vectors and failures of bookings that still stand.
    pub(crate) fn embed(
        &mut self,
        model: ModelId,
        faces: &[(VersionId, NextFace)],
    ) -> Result<(), LedgerError> {
        let core = self.core();
        if core.switch().is_none_or(|switch| switch.model() != model) {
            return Ok(());
        }
        let mut vectors = Vec::new();
        let mut failures = Vec::new();
        for (version, face) in faces {
            let Some(row) = core.store.version(*version)?.filter(stands) else { continue };
            let key_owner = KeyOwner { owner: row.agency, id: *version };
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
        Ok(())
    }

    /// Opens a gallery to be filled, where the switch may have one.
    pub(crate) fn begin_fill(&mut self) -> Result<Option<Arc<Incoming>>, LedgerError> {
        let core = self.core();
        let Some(mut switch) = core.switch() else { return Ok(None) };
        let (Some(pool), true) =
            (switch.pool.clone(), switch.row.fill_attempts < FILL_ATTEMPTS_MAX)
        else {
            return Ok(None);
        };
        switch.row.fill_attempts += 1;
        core.store.commit::<StoreError>(|tables| tables.put_switch(&switch.row))?;
        let generation = Arc::new(core.models.generation(pool)?);
        let incoming =
            Arc::new(Incoming { generation, gone: Mutex::default(), below: self.leaves() });
        switch.incoming = Some(incoming.clone());
        core.set_switch(Some(switch));
        Ok(Some(incoming))
    }

    /// Drops a gallery that was left in the middle, in order: that it was begun doesn't count.
    pub(crate) fn leave_gallery(&mut self) -> Result<(), LedgerError> {
        let core = self.core();
        if let Some(mut switch) = core.switch()
            && switch.incoming.take().is_some()
        {
            switch.row.fill_attempts = switch.row.fill_attempts.saturating_sub(1);
            core.store.commit::<StoreError>(|tables| tables.put_switch(&switch.row))?;
            core.set_switch(Some(switch));
        }
        Ok(())
    }

    /// Holds the filled gallery against the store, and makes it the one that answers.
    pub(crate) fn activate(&mut self) -> Result<bool, LedgerError> {
        let core = self.core().clone();
        let Some(switch) = core.switch() else { return Ok(false) };
        let Some(incoming) = switch.incoming.clone() else { return Ok(false) };
        // Whatever it comes to, this gallery is used or never again.
        let outcome = core.fill_late(&incoming);
        core.set_switch(Some(Switch { incoming: None, ..switch.clone() }));
        if !outcome? {
            return Ok(false);
        }
        let (embedded, failed) = (core.store.next_vectors()?, core.store.failed()?);
        if embedded + failed != core.standing() || failed > switch.row.accept_failed {
            return Ok(false);
        }
        let found = u64::from(incoming.generation.gallery().live());
        if found != embedded {
            return Err(LedgerError::Setup {
                found: format!("{found} rows in the next gallery"),
                wanted: format!("the store's {embedded}"),
            });
        }
        let former = core.generation();
        let (staged, unusable) = self.stage_activation(&switch, former.model(), embedded)?;
        self.transact_alone(staged)?;
        *core.unusable.lock().expect("nothing panics while it holds what is unusable") = unusable;
        // Its searches go on to their end; its vectors are removed after them.
        *core.former.lock().expect("nothing panics while it holds the former generation") =
            Arc::downgrade(&former);
        *core.active.write().expect("nothing panics while it holds the generation") =
            incoming.generation.clone();
        core.set_switch(None);
        log::info!(
            "searches are answered by the models {}: {embedded} bookings, {failed} suppressed",
            switch.model()
        );
        Ok(true)
    }

    /// The leaves and rows of the change-over, and the bookings that are unusable after it: those
    /// that change their state are few.
    fn stage_activation(
        &self,
        switch: &Switch,
        from: ModelId,
        bookings: u64,
    ) -> Result<(Vec<Staged>, Vec<VersionId>), LedgerError> {
        let core = self.core();
        let failures = core.store.failures()?;
        let mut versions = Vec::new();
        for (version, _) in &failures {
            let row =
                core.store.version(*version)?.ok_or(LedgerError::NotFound { what: "version" })?;
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
            let leaf = NewLeaf::new(vec![switch.row.begun], counts, detail);
            staged.push(Staged::new(vec![leaf], |_, _, _| Ok(())));
        }
        let detail = Detail::ModelSwitched {
            from: from.to_string(),
            to: to.to_string(),
            bookings,
            suppressed,
            found_again,
        };
        let leaf = NewLeaf::new(vec![switch.row.begun], vec![bookings, suppressed], detail);
        staged.push(Staged::new(vec![leaf], move |_, tables, _| {
            versions.iter().try_for_each(|(version, row)| tables.put_version(*version, row))?;
            Ok(tables.activate_next_model(to)?)
        }));
        Ok((staged, failures.into_iter().map(|(version, _)| version).collect()))
    }

    /// Ends the switch without a change of the model.
    pub(crate) fn give_up_switch(&mut self, actor: Actor) -> Result<(), LedgerError> {
        let core = self.core().clone();
        let switch = core.switch().ok_or(LedgerError::NoSwitch)?;
        let (embedded, failed) = (core.store.next_vectors()?, core.store.failed()?);
        let (from, to) = (core.generation().model().to_string(), switch.model().to_string());
        let detail = Detail::ModelSwitchGivenUp { actor, from, to, embedded, failed };
        let leaf = NewLeaf::new(vec![switch.row.begun], vec![embedded, failed], detail);
        self.transact_alone(vec![Staged::new(
            vec![leaf],
            |_, tables, _| Ok(tables.end_switch()?),
        )])?;
        core.set_switch(None);
        Ok(())
    }

    /// Removes some vectors that no generation uses; those of a former one wait for its last
    /// search.
    pub(crate) fn remove_former(&mut self) -> Result<bool, LedgerError> {
        let core = self.core();
        if core.switch().is_some() || core.store.next_vectors()? == 0 {
            return Ok(false);
        }
        let former = core
            .former
            .lock()
            .expect("nothing panics while it holds the former generation")
            .strong_count();
        if former > 0 {
            return Ok(true);
        }
        let mut more = false;
        core.store.commit::<StoreError>(|tables| {
            more = tables.delete_former_vectors()?;
            Ok(())
        })?;
        Ok(more)
    }
}
