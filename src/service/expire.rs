//! What goes when its term is over: details of the log, and inquiries with their probes.
//!
//! An inquiry goes as a booking is purged, in an order that start-up can finish from wherever a
//! crash ended it: redb commit that empties its record -> key evicted, the slot file rewritten
//! under a fresh epoch -> probe, upload and report unlinked, folders synced -> redb commit with the
//! leaf, the row gone. One whose record is empty is there for nobody.

use super::core::Core;
use super::error::ServiceError;
use super::inquire::lodger;
use super::ledger::Ledger;
use super::purge::ASSURANCE;
use super::sheet::paper_id;
use super::stage::{NewLeaf, Staged, StagedRows};
use super::writer::{Change, Done, Writer};
use crate::audit::{Detail, Entry};
use crate::limits::{EXPIRED_PER_LEAF_MAX, INQUIRIES_EXPIRED_PER_LEAF_MAX};
use crate::store::{InquiryRow, StoreError};

const DAY_CS: u64 = 8_640_000;

impl Ledger {
    /// Removes details whose term is over, and logs which.
    pub fn expire_details(&self) -> Result<(), ServiceError> {
        self.change(Change::ExpireDetails).map(|_| ())
    }

    /// Destroys inquiries whose term is over, a bounded number of them, and logs that; gives
    /// whether that were all. Not for every look: it goes over all inquiries.
    pub fn expire_inquiries(&self) -> Result<bool, ServiceError> {
        let mut over = self.inquiries_over()?;
        let all = over.len() <= INQUIRIES_EXPIRED_PER_LEAF_MAX;
        over.truncate(INQUIRIES_EXPIRED_PER_LEAF_MAX);
        self.end_inquiries(over).map(|()| all)
    }

    /// Destroys these inquiries, and logs that.
    pub(super) fn end_inquiries(&self, inquiries: Vec<[u8; 16]>) -> Result<(), ServiceError> {
        if inquiries.is_empty() {
            Ok(())
        } else {
            self.change(Change::EndInquiries(inquiries)).map(|_| ())
        }
    }

    /// Inquiries whose last search, or whose opening where there was none, is longer ago than the
    /// term.
    fn inquiries_over(&self) -> Result<Vec<[u8; 16]>, ServiceError> {
        let core = self.core();
        let before_cs = self.now_cs().saturating_sub(core.retention.inquiries * DAY_CS);
        let first = self.first_leaf_since(before_cs)?;
        let mut opened = Vec::new();
        core.store.for_each_inquiry::<ServiceError>(|id, head| {
            opened.extend((head.opened < first && head.asked.is_none()).then_some(id));
            Ok(())
        })?;
        let mut over = Vec::new();
        for id in opened {
            let asked_cs = match core.inquiry(id) {
                Ok(kept) => kept.inquiry.searches().last().map_or(0, |search| search.at_cs),
                // What doesn't open any more has nothing to be kept.
                Err(ServiceError::Vault(e)) if e.is_damage() => 0,
                Err(e) => return Err(e),
            };
            over.extend((asked_cs < before_cs).then_some(id));
            if over.len() > INQUIRIES_EXPIRED_PER_LEAF_MAX {
                break;
            }
        }
        Ok(over)
    }
}

impl Writer {
    /// Removes details whose term is over, the oldest first, a bounded number at a time; one leaf
    /// says which.
    pub(super) fn expire_details(&mut self) -> Result<Done, ServiceError> {
        let (core, kept_days) = (self.core().clone(), self.core().retention.details);
        let before_cs = self.now_cs().saturating_sub(kept_days * DAY_CS);
        let first = core.store.expired()?;
        let mut end = first;
        core.store.for_each_leaf::<ServiceError>(
            first..first + EXPIRED_PER_LEAF_MAX,
            |index, leaf| {
                if index == end && Entry::read(leaf)?.time_cs() < before_cs {
                    end = index + 1;
                }
                Ok(())
            },
        )?;
        if end > first {
            let detail = Detail::DetailsExpired { first, end, kept_days };
            let leaf = NewLeaf::new(Vec::new(), vec![first, end], detail);
            self.transact(&mut [Staged::by_itself(
                StagedRows::Expired { first, end },
                vec![leaf],
            )])?;
        }
        Ok(Done::Made)
    }

    /// Destroys inquiries, whatever part of it was done before a crash.
    pub(super) fn end_inquiries(&mut self, inquiries: &[[u8; 16]]) -> Result<Done, ServiceError> {
        let core = self.core().clone();
        let mut rows = Vec::new();
        for &id in inquiries {
            let row = core
                .store
                .inquiry_or_rest(id)?
                .ok_or(ServiceError::NotFound { what: "inquiry" })?;
            rows.push((id, InquiryRow { record: Vec::new(), ..row }));
        }
        let halted = |e: ServiceError| ServiceError::Halted { cause: e.chain() };
        core.store.commit::<StoreError>(|tables| {
            rows.iter().try_for_each(|(id, row)| tables.put_inquiry(*id, row))
        })?;
        core.destroy_inquiries(&rows).map_err(halted)?;
        let names = inquiries.iter().map(hex::encode).collect();
        let detail = Detail::ProbesExpired {
            inquiries: names,
            kept_days: core.retention.inquiries,
            assurance: ASSURANCE.to_owned(),
        };
        let leaf = NewLeaf::new(Vec::new(), vec![inquiries.len() as u64], detail);
        let staged = Staged::by_itself(
            StagedRows::InquiriesEnded { inquiries: inquiries.to_vec() },
            vec![leaf],
        );
        self.transact(&mut [staged]).map_err(halted)?;
        Ok(Done::Made)
    }
}

impl Core {
    /// Keys, probes and reports of inquiries that nobody finds any more go; durable on return.
    fn destroy_inquiries(&self, rows: &[([u8; 16], InquiryRow)]) -> Result<(), ServiceError> {
        let mut staying = Vec::new();
        self.store.for_each_inquiry::<ServiceError>(|id, head| {
            staying.push((head.slot, lodger(id)));
            Ok(())
        })?;
        let probes = &self.vault.probes;
        for (_, row) in rows {
            // A start evicts the slot of an inquiry that is ending, and another inquiry may have
            // taken it since.
            if !staying.iter().any(|(slot, _)| *slot == row.slot) {
                probes.evict(row.slot)?;
            }
        }
        probes.sync_slots()?;
        probes.rotate(&staying)?;
        for (id, _) in rows {
            probes.abandon_upload(*id)?;
            probes.unlink_photo(*id)?;
            probes.unlink_photo(paper_id(*id))?;
        }
        Ok(probes.sync_names(rows.iter().flat_map(|(id, _)| [*id, paper_id(*id)]))?)
    }
}
