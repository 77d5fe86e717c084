//! What goes when its term is over: details of the log, and inquiries with their probes.
//!
//! An inquiry goes as a booking is purged, in an order that start-up can finish from wherever a
//! crash ended it: redb commit that empties its record -> key evicted, the slot file rewritten
//! under a fresh epoch -> probe, upload and report unlinked, folders synced -> redb commit with the
//! leaf, the row gone. One whose record is empty is there for nobody.

use super::core::Core;
use super::error::LedgerError;
use super::handle::Ledger;
use super::inquiry_keys::{key_owner, report_id};
use super::purge::ASSURANCE;
use super::write::{Decision, NewLeaf, Staged, Subject, Write};
use super::writer::{Alone, Writer};
use crate::audit::{Detail, Entry};
use crate::calendar::{Span, Time};
use crate::ids::InquiryId;
use crate::limits::{EXPIRED_PER_LEAF_MAX, INQUIRIES_EXPIRED_PER_LEAF_MAX};
use crate::store::{InquiryRow, StoreError};

impl Ledger {
    /// Removes details whose term is over, the oldest first, a bounded number at a time; one leaf
    /// says which.
    pub fn expire_details(&self) -> Result<(), LedgerError> {
        self.write(Subject::Details, |core, group| {
            let kept_days = core.retention.details;
            let before = group.now - Span::days(kept_days);
            let first = core.store.first_unexpired()?;
            let mut end = first;
            let leaves = first..first + EXPIRED_PER_LEAF_MAX;
            core.store.for_each_leaf::<LedgerError>(leaves, |index, leaf| {
                if index == end && Entry::read(leaf)?.time() < before {
                    end = index + 1;
                }
                Ok(())
            })?;
            if end == first {
                return Ok(Decision::Nothing(()));
            }
            let detail = Detail::DetailsExpired { first, end, kept_days };
            let leaf = NewLeaf::new(Vec::new(), vec![first, end], detail);
            Write::logged(leaf, move |_, tables, _| Ok(tables.expire_details(first..end)?))
                .answering(())
                .decided()
        })
    }

    /// Destroys inquiries whose term is over, a bounded number of them, and logs that; gives
    /// whether that were all. Not for every look: it goes over all inquiries.
    pub fn expire_inquiries(&self) -> Result<bool, LedgerError> {
        let mut over = self.inquiries_over()?;
        let all = over.len() <= INQUIRIES_EXPIRED_PER_LEAF_MAX;
        over.truncate(INQUIRIES_EXPIRED_PER_LEAF_MAX);
        self.end_inquiries(over).map(|()| all)
    }

    /// Destroys these inquiries, and logs that.
    pub(crate) fn end_inquiries(&self, inquiries: Vec<InquiryId>) -> Result<(), LedgerError> {
        if inquiries.is_empty() {
            Ok(())
        } else {
            self.alone(Alone::EndInquiries, move |writer| writer.end_inquiries(&inquiries))
        }
    }

    /// Inquiries whose last search, or whose opening where there was none, is longer ago than the
    /// term.
    fn inquiries_over(&self) -> Result<Vec<InquiryId>, LedgerError> {
        let core = self.core();
        let before = self.now() - Span::days(core.retention.inquiries);
        let first = self.first_leaf_since(before)?;
        let mut opened = Vec::new();
        core.store.for_each_inquiry::<LedgerError>(|id, head| {
            opened.extend((head.opened < first && head.asked.is_none()).then_some(id));
            Ok(())
        })?;
        let mut over = Vec::new();
        for id in opened {
            let asked = match core.inquiry(id) {
                Ok(kept) => {
                    kept.inquiry.searches().last().map_or(Time::EPOCH, |search| search.at_cs)
                }
                // What doesn't open any more has nothing to be kept.
                Err(LedgerError::Vault(e)) if e.is_damage() => Time::EPOCH,
                Err(e) => return Err(e),
            };
            over.extend((asked < before).then_some(id));
            if over.len() > INQUIRIES_EXPIRED_PER_LEAF_MAX {
                break;
            }
        }
        Ok(over)
    }
}

impl Writer {
    /// Destroys inquiries, whatever part of it was done before a crash.
    pub(crate) fn end_inquiries(&mut self, inquiries: &[InquiryId]) -> Result<(), LedgerError> {
        let core = self.core().clone();
        let mut rows = Vec::new();
        for &id in inquiries {
            let row = core
                .store
                .inquiry_even_if_ending(id)?
                .ok_or(LedgerError::NotFound { what: "inquiry" })?;
            rows.push((id, InquiryRow { record: Vec::new(), ..row }));
        }
        core.store.commit::<StoreError>(|tables| {
            rows.iter().try_for_each(|(id, row)| tables.put_inquiry(*id, row))
        })?;
        core.destroy_inquiries(&rows).map_err(LedgerError::halting)?;
        let names = inquiries.iter().map(InquiryId::to_string).collect();
        let detail = Detail::ProbesExpired {
            inquiries: names,
            kept_days: core.retention.inquiries,
            assurance: ASSURANCE.to_owned(),
        };
        let leaf = NewLeaf::new(Vec::new(), vec![inquiries.len() as u64], detail);
        let staged = Staged::new(vec![leaf], move |_, tables, _| {
            rows.iter().try_for_each(|(id, _)| Ok(tables.remove_inquiry(*id)?))
        });
        self.transact_alone(vec![staged]).map(|_| ()).map_err(LedgerError::halting)
    }
}

impl Core {
    /// Keys, probes and reports of inquiries that nobody finds any more go; durable on return.
    fn destroy_inquiries(&self, rows: &[(InquiryId, InquiryRow)]) -> Result<(), LedgerError> {
        let mut staying = Vec::new();
        self.store.for_each_inquiry::<LedgerError>(|id, head| {
            staying.push((head.slot, key_owner(id)));
            Ok(())
        })?;
        let probes = &self.vault.probes;
        for (_, row) in rows {
            // A start evicts the slot of an inquiry that is ending, and another inquiry may have
            // taken it since.
            if !staying.iter().any(|(slot, _)| *slot == row.slot) {
                probes.destroy_key(row.slot)?;
            }
        }
        probes.sync_slots()?;
        probes.rotate(&staying)?;
        for (id, _) in rows {
            probes.abandon_upload(*id)?;
            probes.unlink_photo(*id)?;
            probes.unlink_photo(report_id(*id))?;
        }
        Ok(probes.sync_names(rows.iter().flat_map(|(id, _)| [(*id).into(), report_id(*id)]))?)
    }
}
