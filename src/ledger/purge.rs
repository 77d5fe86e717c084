//! A purge: numbers, key, photo, record and vector go, in an order that start-up can finish from
//! wherever a crash ended it.
//!
//! redb commit `purging` -> row masked and zeroed, in the GPU too -> keys evicted, the slot file
//! rewritten under a fresh epoch -> photos unlinked, folders synced -> redb commit with the leaf,
//! the record and vector gone, the number's tombstone left.

use std::collections::HashSet;

use super::error::LedgerError;
use super::handle::Ledger;
use super::records::stands;
use super::write::{NewLeaf, Staged};
use super::writer::{Alone, Writer};
use crate::audit::Detail;
use crate::booking::{Identifier, VersionId};
use crate::store::{NumberRow, NumberState, StoreError, VersionRow, VersionState};
use crate::vault::KeyOwner;

/// What a purge can promise where the epoch's anchor is a file.
pub(super) const ASSURANCE: &str = "key overwritten, medium not proven";

impl Ledger {
    /// Purges suppressed versions: key, photo, record and vector are gone on return; the numbers'
    /// tombstones stay.
    pub fn purge(&self, versions: Vec<VersionId>) -> Result<(), LedgerError> {
        self.alone(Alone::Purge, move |writer| writer.purge(&versions))
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
        self.core().store.commit::<StoreError>(|tables| {
            rows.iter().try_for_each(|(version, row)| tables.put_version(*version, row))
        })?;
        self.destroy(&rows).map_err(LedgerError::halting)?;
        self.write_tombstones(rows).map_err(LedgerError::halting)
    }

    /// Numbers, keys and photos go.
    fn destroy(&self, rows: &[(VersionId, VersionRow)]) -> Result<(), LedgerError> {
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
        for (version, row) in rows {
            core.zero(*version)?;
            // A damaged slot may have been taken by another booking since.
            if !staying.iter().any(|(slot, _)| *slot == row.slot) {
                core.vault.bookings.destroy_key(row.slot)?;
            }
        }
        core.destroy_reports(&rows.iter().map(|(version, _)| *version).collect::<Vec<_>>())?;
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
