//! What would fill the log if each of it had a leaf: refusals of one caller that go on, and reads
//! of the log itself.
//!
//! An hour begins with what is first. The first refusal of a kind, caller and hour has a leaf of
//! its own before it is told; the others of that hour wait in the store, durable before they are
//! told too, and one leaf with their number ends the hour. The first read of the log by a caller in
//! an hour has a leaf; how much more it read is counted in memory and follows in a second one.

use std::collections::HashMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::core::Core;
use super::error::ServiceError;
use super::ledger::Ledger;
use super::stage::{NewLeaf, Stage, Staged, StagedRows};
use super::writer::{Done, Reply, Writer};
use crate::audit::{Actor, Detail, Refusal};
use crate::limits::REFUSALS_KEPT_BYTES_MAX;
use crate::roster::Caller;
use crate::store::RefusalCountRow;

/// Hundredths of a second of an hour.
const HOUR_CS: u64 = 360_000;

/// What is kept of gathered refusals, as it is sealed.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    actor: Actor,
    refusals: Vec<Refusal>,
}

impl Kept {
    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("it holds only strings and numbers")
    }

    fn of(core: &Core, row: &RefusalCountRow) -> Result<Option<Self>, ServiceError> {
        if row.sealed.is_empty() {
            return Ok(None);
        }
        let plain = core.master.open_refusals(row.kind, &row.caller, &row.sealed)?;
        serde_json::from_slice(&plain)
            .map(Some)
            .map_err(|source| ServiceError::Sealed { what: "gathered refusals", source })
    }
}

impl Ledger {
    /// What waits for the end of its hour: the details of the leaves to be.
    pub fn gathered(&self) -> Result<Vec<Detail>, ServiceError> {
        let mut details = Vec::new();
        for row in self.core().store.refusal_counts()? {
            if let Some(Kept { actor, refusals: kept }) = Kept::of(self.core(), &row)? {
                details.push(Detail::RefusalsGathered {
                    actor,
                    hour_cs: row.hour_cs,
                    refusals: row.refusals,
                    kept,
                });
            }
        }
        Ok(details)
    }
}

impl Writer {
    /// A refusal: a leaf, or one more of those that wait.
    pub(super) fn stage_refusal(
        &self,
        detail: Detail,
        reply: &Reply,
    ) -> Result<Stage, ServiceError> {
        let kind = detail.kind();
        let (actor, request, reason) = detail.refusal().expect("only refusals are sent as such");
        let (caller, now_cs) = (actor.certificate.clone(), self.now_cs());
        let waiting = self.core().store.refusal_count(kind as u16, &caller)?;
        if let Some(row) = waiting.as_ref().filter(|row| now_cs < row.hour_cs + HOUR_CS) {
            let mut kept = Kept::of(self.core(), row)?
                .unwrap_or_else(|| Kept { actor: actor.clone(), refusals: Vec::new() });
            let before = kept.to_bytes();
            kept.refusals.push(Refusal {
                time_cs: now_cs,
                reason: reason.to_owned(),
                request: request.cloned(),
            });
            let after = kept.to_bytes();
            let plain = if after.len() <= REFUSALS_KEPT_BYTES_MAX { after } else { before };
            let sealed = self.core().master.seal_refusals(kind as u16, &caller, &plain);
            let row = RefusalCountRow { refusals: row.refusals + 1, sealed, ..row.clone() };
            return Ok(Stage::commit(reply, StagedRows::Gathered { row }, Vec::new()));
        }
        let mut leaves = Vec::new();
        if let Some(row) = waiting {
            leaves.extend(self.gathered_leaf(&row)?);
        }
        leaves.push(NewLeaf::new(Vec::new(), Vec::new(), detail));
        // The leaf's index is known when it is written.
        let row = RefusalCountRow {
            kind: kind as u16,
            caller,
            hour_cs: now_cs,
            leaf: 0,
            refusals: 0,
            sealed: Vec::new(),
        };
        Ok(Stage::commit(reply, StagedRows::Gathered { row }, leaves))
    }

    /// Ends the hours that are over: one leaf for each kind and caller with more refusals than one.
    pub(super) fn end_hours(&mut self) -> Result<Done, ServiceError> {
        let now_cs = self.now_cs();
        let mut staged = Vec::new();
        for row in self
            .core()
            .store
            .refusal_counts()?
            .into_iter()
            .filter(|row| row.hour_cs + HOUR_CS <= now_cs)
        {
            let leaves = self.gathered_leaf(&row)?.into_iter().collect();
            staged.push(Staged::by_itself(
                StagedRows::GatheredEnded { kind: row.kind, caller: row.caller },
                leaves,
            ));
        }
        if !staged.is_empty() {
            self.transact(&mut staged)?;
        }
        Ok(Done::Made)
    }

    fn gathered_leaf(&self, row: &RefusalCountRow) -> Result<Option<NewLeaf>, ServiceError> {
        let Some(Kept { actor, refusals: kept }) = Kept::of(self.core(), row)? else {
            return Ok(None);
        };
        let counts = vec![u64::from(row.kind), row.refusals];
        let detail =
            Detail::RefusalsGathered { actor, hour_cs: row.hour_cs, refusals: row.refusals, kept };
        Ok(Some(NewLeaf::new(vec![row.leaf], counts, detail)))
    }
}

/// Who read how much of the log in this hour.
#[derive(Debug, Default)]
pub(super) struct Reads(Mutex<HashMap<String, Read>>);

#[derive(Debug)]
struct Read {
    actor: Actor,
    hour_cs: u64,
    leaf: u64,
    tiles: u64,
    bundles: u64,
}

impl Reads {
    /// Notes that a caller is about to read a tile, or a bundle of leaves.
    pub(super) fn note(
        &self,
        ledger: &Ledger,
        caller: &Caller,
        is_bundle: bool,
    ) -> Result<(), ServiceError> {
        let (tiles, bundles) = (u64::from(!is_bundle), u64::from(is_bundle));
        let name = caller.name.to_string();
        let now_cs = ledger.now_cs();
        let mut reads = self.0.lock().expect("nothing panics while it holds the reads");
        if let Some(read) = reads.get_mut(&name).filter(|read| now_cs < read.hour_cs + HOUR_CS) {
            read.tiles += tiles;
            read.bundles += bundles;
            return Ok(());
        }
        // Held while the leaf is written, so that one caller's first reads write one.
        let over = reads.remove(&name);
        if let Some(read) = over {
            read.end(ledger)?;
        }
        let actor = Actor::from(caller);
        let leaf = ledger.note(
            Vec::new(),
            vec![tiles, bundles],
            Detail::LogRead { actor: actor.clone(), hour_cs: now_cs },
        )?;
        reads.insert(name, Read { actor, hour_cs: now_cs, leaf, tiles: 0, bundles: 0 });
        Ok(())
    }

    /// Logs what was read in hours that are over, or in all of them.
    pub(super) fn end_hours(&self, ledger: &Ledger, all: bool) -> Result<(), ServiceError> {
        let now_cs = ledger.now_cs();
        let mut reads = self.0.lock().expect("nothing panics while it holds the reads");
        let over: Vec<String> = reads
            .iter()
            .filter(|(_, read)| all || read.hour_cs + HOUR_CS <= now_cs)
            .map(|(name, _)| name.clone())
            .collect();
        over.iter().filter_map(|name| reads.remove(name)).try_for_each(|read| read.end(ledger))
    }
}

impl Read {
    fn end(self, ledger: &Ledger) -> Result<(), ServiceError> {
        if self.tiles + self.bundles > 0 {
            let detail = Detail::LogRead { actor: self.actor, hour_cs: self.hour_cs };
            ledger.note(vec![self.leaf], vec![self.tiles, self.bundles], detail)?;
        }
        Ok(())
    }
}
