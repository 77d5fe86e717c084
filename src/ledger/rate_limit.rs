//! Rate-limited leaves: refusals of one caller that go on, reads of the log, and reads of what is
//! sealed, counted per caller and hour.
//!
//! An hour begins with what is first. The first refusal of a kind, caller and hour has a leaf of
//! its own before it is told; the others of that hour wait in the store, durable before they are
//! told too, and one leaf with their number ends the hour. The first read by a caller in an hour
//! has a leaf, of what is sealed one for each person, kind and inquiry; how much more was read is
//! counted in memory and follows in a second one.

use std::collections::HashMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::core::Core;
use super::error::LedgerError;
use super::handle::Ledger;
use super::write::{NewLeaf, Staged, Subject, Write};
use super::writer::{Alone, Writer};
use crate::audit::{Actor, Detail, Refusal, Sealed};
use crate::booking::Identifier;
use crate::calendar::{Span, Time};
use crate::ids::InquiryId;
use crate::limits::{READERS_GATHERED_MAX, REFUSALS_KEPT_BYTES_MAX};
use crate::roster::Caller;
use crate::store::RefusalCountRow;

const HOUR: Span = Span::hours(1);

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

    fn of(core: &Core, row: &RefusalCountRow) -> Result<Option<Self>, LedgerError> {
        if row.sealed.is_empty() {
            return Ok(None);
        }
        let plain = core.master.open_refusals(row.kind, &row.caller, &row.sealed)?;
        serde_json::from_slice(&plain)
            .map(Some)
            .map_err(|source| LedgerError::Sealed { what: "gathered refusals", source })
    }
}

impl Ledger {
    /// Logs a refusal before it is told, by a leaf of its own or among those that wait for the end
    /// of their hour.
    pub fn refused(&self, detail: Detail) -> Result<(), LedgerError> {
        let detail = detail.within_bounds();
        let (actor, _) = detail.refusal(Time::EPOCH).expect("only refusals are sent as such");
        let kind = detail.kind();
        // Two people at one device are two callers.
        let caller = match &actor.person {
            Some(person) => format!("{} {person}", actor.certificate),
            None => actor.certificate.clone(),
        };
        self.write(Subject::Refused(kind, caller.clone()), move |core, group| {
            let waiting = core.store.refusal_count(kind as u16, &caller)?;
            match waiting {
                Some(row) if group.now < row.hour + HOUR => {
                    let row = one_more(core, row, &detail, group.now)?;
                    Write::unlogged(move |_, tables| Ok(tables.put_refusal_count(&row)?)).decided()
                }
                over => {
                    let ended = over.map(|row| hour_leaf(core, &row)).transpose()?.flatten();
                    let leaves =
                        ended.into_iter().chain([NewLeaf::new(Vec::new(), Vec::new(), detail)]);
                    let hour = group.now;
                    Write::all_logged(leaves.collect(), move |_, tables, leaf| {
                        let (kind, sealed) = (kind as u16, Vec::new());
                        let row = RefusalCountRow { kind, caller, hour, leaf, refusals: 0, sealed };
                        Ok(tables.put_refusal_count(&row)?)
                    })
                    .answering(())
                    .decided()
                }
            }
        })
    }

    /// Logs the refusals of hours that are over: one leaf for each kind and caller with more of
    /// them than one.
    pub fn end_hours(&self) -> Result<(), LedgerError> {
        self.alone(Alone::EndHours, Writer::end_hours)
    }

    /// What waits for the end of its hour: the details of the leaves to be.
    pub fn gathered(&self) -> Result<Vec<Detail>, LedgerError> {
        let rows = self.core().store.refusal_counts()?;
        let details = rows.iter().map(|row| hour_detail(self.core(), row));
        Ok(details.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }
}

impl Writer {
    fn end_hours(&mut self) -> Result<(), LedgerError> {
        let (core, now) = (self.core().clone(), self.now());
        let mut staged = Vec::new();
        for row in core.store.refusal_counts()? {
            if row.hour + HOUR <= now {
                let leaf = hour_leaf(&core, &row)?;
                staged.push(Staged::new(leaf.into_iter().collect(), move |_, tables, _| {
                    Ok(tables.remove_refusal_count(row.kind, &row.caller)?)
                }));
            }
        }
        if staged.is_empty() { Ok(()) } else { self.transact_alone(staged).map(|_| ()) }
    }
}

/// The row with one more refusal; its words are kept as long as there is room.
fn one_more(
    core: &Core,
    row: RefusalCountRow,
    detail: &Detail,
    now: Time,
) -> Result<RefusalCountRow, LedgerError> {
    let (actor, refusal) = detail.refusal(now).expect("only refusals are sent as such");
    let mut kept = Kept::of(core, &row)?
        .unwrap_or_else(|| Kept { actor: actor.clone(), refusals: Vec::new() });
    let before = kept.to_bytes();
    kept.refusals.push(refusal);
    let after = kept.to_bytes();
    let plain = if after.len() <= REFUSALS_KEPT_BYTES_MAX { after } else { before };
    let sealed = core.master.seal_refusals(row.kind, &row.caller, &plain);
    Ok(RefusalCountRow { refusals: row.refusals + 1, sealed, ..row })
}

/// The leaf that ends an hour; none where its first refusal was its only one.
fn hour_leaf(core: &Core, row: &RefusalCountRow) -> Result<Option<NewLeaf>, LedgerError> {
    let counts = vec![u64::from(row.kind), row.refusals];
    let detail = hour_detail(core, row)?;
    Ok(detail.map(|detail| NewLeaf::new(vec![row.leaf], counts, detail)))
}

fn hour_detail(core: &Core, row: &RefusalCountRow) -> Result<Option<Detail>, LedgerError> {
    let Some(Kept { actor, refusals: kept }) = Kept::of(core, row)? else { return Ok(None) };
    let (hour_cs, refusals) = (row.hour, row.refusals);
    Ok(Some(Detail::RefusalsGathered { actor, hour_cs, refusals, kept }))
}

/// Who read what in this hour.
#[derive(Debug, Default)]
pub(crate) struct Reads(Mutex<HashMap<Reader, Read>>);

/// Whose reads of what are gathered in one leaf.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Reader {
    certificate: String,
    person: Option<Identifier>,
    /// None where it is the public half of the log.
    sealed: Option<(Sealed, Option<String>)>,
}

#[derive(Debug)]
struct Read {
    hour: Time,
    leaf: u64,
    /// What came after the first.
    counts: Vec<u64>,
    detail: Detail,
}

impl Reads {
    /// Notes that a caller is about to read a tile, or a bundle of leaves.
    pub(crate) fn of_log(
        &self,
        ledger: &Ledger,
        caller: &Caller,
        is_bundle: bool,
    ) -> Result<(), LedgerError> {
        let actor = Actor::from(caller);
        let reader = Reader { certificate: actor.certificate.clone(), person: None, sealed: None };
        let counts = vec![u64::from(!is_bundle), u64::from(is_bundle)];
        self.note(ledger, reader, counts, |hour_cs| Detail::LogRead { actor, hour_cs })
    }

    /// Notes that somebody is about to be shown what is sealed: of this kind, and of which inquiry,
    /// where it is one's.
    pub(crate) fn of_sealed(
        &self,
        ledger: &Ledger,
        actor: Actor,
        what: Sealed,
        inquiry: Option<InquiryId>,
    ) -> Result<(), LedgerError> {
        let inquiry = inquiry.map(|inquiry| inquiry.to_string());
        let reader = Reader {
            certificate: actor.certificate.clone(),
            person: actor.person.clone(),
            sealed: Some((what, inquiry.clone())),
        };
        self.note(ledger, reader, vec![1], |hour_cs| Detail::SealedRead {
            actor,
            what,
            inquiry,
            hour_cs,
        })
    }

    fn note(
        &self,
        ledger: &Ledger,
        reader: Reader,
        counts: Vec<u64>,
        detail: impl FnOnce(Time) -> Detail,
    ) -> Result<(), LedgerError> {
        let now = ledger.now();
        let mut reads = self.0.lock().expect("nothing panics while it holds the reads");
        if let Some(read) = reads.get_mut(&reader).filter(|read| now < read.hour + HOUR) {
            read.counts.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            return Ok(());
        }
        // Held while the leaf is written, so that one reader's first reads write one.
        if let Some(read) = reads.get(&reader) {
            read.end(ledger)?;
            reads.remove(&reader);
        }
        let detail = detail(now);
        let none = vec![0; counts.len()];
        let leaf = ledger.note(Vec::new(), counts, detail.clone())?;
        // Of more readers each read has a leaf of its own.
        if reads.len() < READERS_GATHERED_MAX {
            reads.insert(reader, Read { hour: now, leaf, counts: none, detail });
        }
        Ok(())
    }

    /// Logs what was read in hours that are over, or in all of them.
    pub(crate) fn end_hours(&self, ledger: &Ledger, all: bool) -> Result<(), LedgerError> {
        let now = ledger.now();
        let mut reads = self.0.lock().expect("nothing panics while it holds the reads");
        let over: Vec<Reader> = reads
            .iter()
            .filter(|(_, read)| all || read.hour + HOUR <= now)
            .map(|(reader, _)| reader.clone())
            .collect();
        for reader in over {
            reads.get(&reader).map_or(Ok(()), |read| read.end(ledger))?;
            reads.remove(&reader);
        }
        Ok(())
    }
}

impl Read {
    fn end(&self, ledger: &Ledger) -> Result<(), LedgerError> {
        if self.counts.iter().any(|count| *count > 0) {
            ledger.note(vec![self.leaf], self.counts.clone(), self.detail.clone())?;
        }
        Ok(())
    }
}
