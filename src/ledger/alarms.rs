//! Alarms, the roster in force and the medium's free room, as the ledger keeps them.

use super::core::Core;
use super::error::LedgerError;
use super::handle::Ledger;
use super::write::{NewLeaf, Subject, Write};
use crate::audit::{Alarm, Detail};
use crate::ids::Digest;
use crate::roster::Ceilings;

impl Ledger {
    /// Logs that an alarm stands; gives the leaf.
    ///
    /// Errors: one that stands already.
    pub fn raise(&self, alarm: Alarm, what: &str) -> Result<u64, LedgerError> {
        let what = what.to_owned();
        self.write(Subject::Alarms, move |core, _| {
            if core.store.alarms()?.iter().any(|(code, ..)| *code == alarm as u8) {
                let what = format!("alarm {alarm} stands already");
                return Err(LedgerError::Log { what });
            }
            let detail = Detail::AlarmRaised { alarm, what: what.clone() };
            let leaf = NewLeaf::new(Vec::new(), vec![alarm as u64], detail);
            Write::logged(leaf, move |_, tables, leaf| {
                Ok(tables.put_alarm(alarm as u8, leaf, &what)?)
            })
            .decided()
        })
    }

    /// Logs that the alarm that a leaf raised is over.
    pub fn clear(&self, alarm: Alarm, raised: u64, what: &str) -> Result<u64, LedgerError> {
        let detail = Detail::AlarmCleared { alarm, what: what.to_owned() };
        let leaf = NewLeaf::new(vec![raised], vec![alarm as u64], detail);
        self.write(Subject::Alarms, move |_, _| {
            Write::logged(leaf, move |_, tables, _| Ok(tables.remove_alarm(alarm as u8)?)).decided()
        })
    }

    /// The alarms that stand, with the leaves that raised them.
    pub fn standing_alarms(&self) -> Result<Vec<(Alarm, u64, String)>, LedgerError> {
        let alarms = self.core().store.alarms()?.into_iter();
        let known =
            |(code, leaf, what): (u8, u64, String)| Some((Alarm::of(u64::from(code))?, leaf, what));
        Ok(alarms.filter_map(known).collect())
    }

    /// Logs that the box serves by another roster than before, where it does.
    pub(crate) fn serve_by(&self, sha256: Digest, ceilings: Ceilings) -> Result<(), LedgerError> {
        self.write(Subject::Roster, move |core, _| {
            let known = core.store.roster()?.filter(|known| *known != sha256);
            let leaf = known.map(|_| roster_changed(core, sha256, ceilings)).transpose()?;
            Write::new(leaf.into_iter().collect(), move |_, tables, _| {
                let ceilings = serde_json::to_vec(&ceilings).expect("ceilings are numbers");
                Ok(tables.put_roster(sha256, &ceilings)?)
            })
            .answering(())
            .decided()
        })
    }

    /// Whether the medium has more room than what is kept for releases, purges and the log.
    pub(crate) fn room(&self) -> Result<(), LedgerError> {
        let core = self.core();
        let free = core.disk.free_bytes(&core.state).map_err(|source| LedgerError::Io {
            what: "asking for the medium's free room",
            source,
        })?;
        if free >= core.reserve_bytes {
            return Ok(());
        }
        Err(LedgerError::DiskLow { free_mib: free >> 20, wanted_mib: core.reserve_bytes >> 20 })
    }
}

/// The leaf that the box serves by another roster, and by which ceilings, where those are others.
fn roster_changed(core: &Core, sha256: Digest, ceilings: Ceilings) -> Result<NewLeaf, LedgerError> {
    let before = core.store.ceilings()?;
    let before = before
        .map(|before| serde_json::from_slice::<Ceilings>(&before))
        .transpose()
        .map_err(|source| LedgerError::Sealed { what: "ceilings", source })?;
    let what = match before {
        Some(before) if before != ceilings => {
            format!("the roster file; an operator's searches: {ceilings}, before: {before}")
        }
        _ => "the roster file".to_owned(),
    };
    let detail = Detail::RosterChanged { by: Vec::new(), what, roster_sha256: sha256.to_string() };
    Ok(NewLeaf::new(Vec::new(), Vec::new(), detail))
}
