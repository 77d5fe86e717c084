//! A purge: numbers, key, photo, record and vector go, in an order that start-up can finish from
//! wherever a crash ended it.
//!
//! redb commit `purging` -> row masked and zeroed, in the GPU too -> keys evicted, reports that
//! show the booking unlinked, the slot file rewritten under a fresh epoch -> photos unlinked,
//! folders synced -> redb commit with the leaf, the record and vector gone, the number's tombstone
//! left.
//!
//! What was released or replaced is purged by itself: the watch asks for what is due.

use std::collections::HashSet;

use super::core::Core;
use super::error::{Fate, Fated, LedgerError};
use super::handle::Ledger;
use super::records::stands;
use super::write::{NewLeaf, Staged};
use super::writer::{Alone, Writer};
use crate::audit::Detail;
use crate::booking::{Identifier, VersionId};
use crate::calendar::Span;
use crate::ids::InquiryId;
use crate::limits::{PURGE_AFTER_HOURS, PURGE_WITHIN_HOURS, PURGED_AT_ONCE_MAX};
use crate::store::{InquiryRow, NumberRow, NumberState, StoreError, VersionRow, VersionState};
use crate::vault::KeyOwner;

/// What a purge can promise where the epoch's anchor is a file.
pub(super) const ASSURANCE: &str = "key overwritten, medium not proven";

impl Ledger {
    /// Purges suppressed versions: key, photo, record and vector are gone on return, and so are the
    /// box's copies of reports that show them; the numbers' tombstones stay.
    pub fn purge(&self, versions: Vec<VersionId>) -> Result<(), LedgerError> {
        self.alone(Alone::Purge, move |writer| writer.purge(&versions))
    }

    /// Purges all versions that left the gallery for good `PURGE_AFTER_HOURS` ago or earlier. One
    /// that can't be purged is told to the journal and holds no other up.
    pub fn purge_due(&self) -> Result<(), LedgerError> {
        for versions in self.left_before(PURGE_AFTER_HOURS)?.chunks(PURGED_AT_ONCE_MAX) {
            let Err(e) = self.purge(versions.to_vec()) else { continue };
            if e.fate() == Fate::Halt {
                return Err(e);
            }
            for &version in versions {
                match self.purge(vec![version]) {
                    Err(e) if e.fate() == Fate::Halt => return Err(e),
                    Err(e) => log::error!("version {version} was not purged: {}", e.chain()),
                    Ok(()) => {}
                }
            }
        }
        Ok(())
    }

    /// How many versions should have been purged by now, `PURGE_WITHIN_HOURS` after they left the
    /// gallery.
    pub fn purges_overdue(&self) -> Result<usize, LedgerError> {
        Ok(self.left_before(PURGE_WITHIN_HOURS)?.len())
    }

    /// The versions that left the gallery so many hours ago or earlier and aren't purged, the first
    /// to leave first.
    fn left_before(&self, hours: u64) -> Result<Vec<VersionId>, LedgerError> {
        let first = self.first_leaf_since(self.now() - Span::hours(hours))?;
        let left = self.core().left.lock().expect("nothing panics while it holds what left");
        Ok(left.iter().take_while(|(leaf, _)| *leaf < first).map(|(_, version)| *version).collect())
    }
}

impl Core {
    /// Notes that versions left the gallery for good by this leaf: each is to be purged.
    pub(super) fn leave(&self, leaf: u64, versions: impl IntoIterator<Item = VersionId>) {
        let mut left = self.left.lock().expect("nothing panics while it holds what left");
        left.extend(versions.into_iter().map(|version| (leaf, version)));
    }
}

impl Writer {
    /// Purges suppressed versions, whatever part of it was done before a crash.
    pub(super) fn purge(&mut self, versions: &[VersionId]) -> Result<(), LedgerError> {
        let mut rows = Vec::new();
        for &version in versions {
            let row = self
                .core()
                .store
                .version(version)?
                .ok_or(LedgerError::NotFound { what: "version" })?;
            if stands(&row) {
                return Err(LedgerError::NotSuppressed { version: version.to_string() });
            }
            rows.push((version, VersionRow { state: VersionState::Purging, ..row }));
        }
        let reports = self.core().reports_of(&versions.iter().copied().collect())?;
        self.core().store.commit::<StoreError>(|tables| {
            rows.iter().try_for_each(|(version, row)| tables.put_version(*version, row))?;
            // A start wipes the file of a report that no row knows.
            reports.iter().try_for_each(|(id, row)| {
                tables.put_inquiry(*id, &InquiryRow { issued: None, ..row.clone() })
            })
        })?;
        let reports: Vec<InquiryId> = reports.into_iter().map(|(id, _)| id).collect();
        self.destroy(&rows, &reports).map_err(LedgerError::halting)?;
        self.write_tombstones(rows).map_err(LedgerError::halting)?;
        let mut left = self.core().left.lock().expect("nothing panics while it holds what left");
        left.retain(|(_, version)| !versions.contains(version));
        Ok(())
    }

    /// Numbers, keys, photos and reports go.
    fn destroy(
        &self,
        rows: &[(VersionId, VersionRow)],
        reports: &[InquiryId],
    ) -> Result<(), LedgerError> {
        let core = self.core();
        let gone: HashSet<VersionId> = rows.iter().map(|(version, _)| *version).collect();
        let mut staying: Vec<(u32, KeyOwner<VersionId>)> = Vec::new();
        core.store.for_each_version::<LedgerError>(0..=u8::MAX, |version, head| {
            if !gone.contains(&version) && head.state != VersionState::Purging {
                let owner = Identifier::parse(head.agency)
                    .map_err(|_| StoreError::Corrupt { what: "agency of a booking" })?;
                staying.push((head.slot, KeyOwner { owner, id: version }));
            }
            Ok(())
        })?;
        let taken: HashSet<u32> = staying.iter().map(|(slot, _)| *slot).collect();
        for (version, row) in rows {
            core.zero(*version)?;
            // A damaged slot may have been taken by another booking since.
            if !taken.contains(&row.slot) {
                core.vault.bookings.destroy_key(row.slot)?;
            }
        }
        core.unlink_reports(reports)?;
        core.vault.bookings.sync_slots()?;
        core.vault.bookings.rotate(&staying)?;
        for (version, _) in rows {
            core.vault.bookings.unlink_photo(*version)?;
        }
        Ok(core.vault.bookings.sync_names(rows.iter().map(|(version, _)| *version))?)
    }

    /// Records and vectors go, tombstones stay: one transaction with the leaves that say so.
    fn write_tombstones(&mut self, rows: Vec<(VersionId, VersionRow)>) -> Result<(), LedgerError> {
        let mut staged = Vec::new();
        for (id, row) in rows {
            let number = self.core().store.number(&row.number_key)?;
            let (follows, tag) = self.grounds(id, &row, number.as_ref());
            let tombstone = number
                .filter(|number| number.current == Some(id))
                .map(|number| NumberRow { state: NumberState::Purged, current: None, ..number });
            let detail = Detail::Purged {
                agency: row.agency.clone(),
                version: id,
                assurance: ASSURANCE.to_owned(),
            };
            let leaf = NewLeaf::new(follows, vec![tag], detail);
            staged.push(Staged::new(vec![leaf], move |_, tables, leaf| {
                tables.remove_version(id, row.leaf)?;
                if let Some(tombstone) = tombstone {
                    let tombstone = NumberRow { purged: leaf, ..tombstone };
                    tables.put_number(&row.number_key, &tombstone)?;
                }
                Ok(())
            }));
        }
        self.transact_alone(staged).map(|_| ())
    }

    /// The release that a purge follows, and the tag that it bears.
    ///
    /// Every version that a release named goes under the release's own tag: under another one, the
    /// purge of an older version would tell which leaf replaced it, and so when the released
    /// booking came in. A version that was only replaced follows nothing.
    fn grounds(
        &self,
        id: VersionId,
        row: &VersionRow,
        number: Option<&NumberRow>,
    ) -> (Vec<u64>, u64) {
        let master = &self.core().master;
        let own = (Vec::new(), master.booking_tag(row.leaf));
        let Some((number, release)) = number.and_then(|number| Some((number, number.released?)))
        else {
            return own;
        };
        let of_release = (vec![release], master.booking_tag(number.leaf));
        // The state of a version whose purge a crash ended no longer tells whether it was released;
        // the release's detail does, and where that is lost or damaged, the purge ends all the same
        // and nobody can hold the version against it.
        let opened = self.core().open_detail(release).ok().flatten();
        match opened.and_then(|opened| serde_json::from_slice(&opened.detail).ok()) {
            Some(Detail::Released { versions, .. }) if !versions.contains(&id) => own,
            _ => of_release,
        }
    }
}
