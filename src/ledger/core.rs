//! What the writer and all readers share, and what is read of it: rows with what is sealed in them,
//! opened.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock, Weak};

use super::clock::Clock;
use super::error::LedgerError;
use super::generation::{Generation, ModelSet};
use super::next_model::Switch;
use super::records::{OpenedLeaf, Record, Witnessing};
use super::waits::Waits;
use crate::audit::{Leaf, LogKey, SALT_BYTES, commit};
use crate::booking::{BookingNumber, Identifier, VersionId};
use crate::calendar::Time;
use crate::disk::Disk;
use crate::face::ModelId;
use crate::retention::RetentionDays;
use crate::store::{StateKind, Store, VersionRow};
use crate::vault::{KeyOwner, MasterKey, SealedPart, Vault};

/// What writer and readers share.
pub(crate) struct Core {
    pub(super) kind: StateKind,
    pub(super) master: MasterKey,
    pub(super) log_key: LogKey,
    pub(super) former_origins: Vec<String>,
    pub(super) store: Store,
    pub(super) vault: Vault,
    pub(super) models: Arc<ModelSet>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) disk: Arc<dyn Disk>,
    pub(super) state: PathBuf,
    pub(super) anchor: Option<PathBuf>,
    /// Whether the log was found to contain what the anchor says.
    pub(super) anchored: bool,
    pub(super) reserve_bytes: u64,
    pub(super) retention: RetentionDays,
    pub(super) witnessing: RwLock<Witnessing>,
    /// What searches that begin now are answered by; only the writer changes it.
    pub(super) active: RwLock<Arc<Generation>>,
    /// What searches that began earlier may still be answered by.
    pub(super) former: Mutex<Weak<Generation>>,
    /// The switch under way; only the writer changes it.
    pub(super) switch: RwLock<Option<Switch>>,
    /// Versions that stand: live, or unusable for the active model. Counted by the writer, so that
    /// it never has to walk over all of them.
    pub(super) standing: AtomicU64,
    /// Versions that left the gallery for good and aren't purged, with the leaf by which each left.
    pub(super) left: Mutex<BTreeSet<(u64, VersionId)>>,
    /// Those that the active model made unusable; some may not stand any more.
    pub(super) unusable: Mutex<Vec<VersionId>>,
    pub(super) newest: RwLock<Newest>,
    /// Indices of audits' leaves, which are few among many.
    pub(super) audit_leaves: Mutex<Vec<u64>>,
    /// Leaves written since the start, by the name of their kind.
    pub(super) written: Mutex<BTreeMap<&'static str, u64>>,
    pub(super) waits: Waits,
    /// Whether the log takes no leaf, since nobody knows that it is the newest.
    pub(super) shut: AtomicBool,
    /// Keeps a second daemon off the folder.
    pub(super) _held: Box<dyn Send + Sync>,
}

/// The newest checkpoint and the number of leaves that it signs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Newest {
    pub(crate) note: String,
    /// The same with cosignatures, where there are any.
    pub(crate) cosigned: Option<String>,
    pub(crate) leaves: u64,
    /// Time of the newest leaf.
    pub(crate) time: Time,
}

impl Newest {
    /// The checkpoint with what cosignatures there are of it.
    pub(crate) fn checkpoint(&self) -> &str {
        self.cosigned.as_ref().unwrap_or(&self.note)
    }
}

/// For tests that make what a crash leaves.
#[cfg(test)]
impl Core {
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.vault
    }
}

impl Core {
    /// A version's row and its opened record.
    pub(crate) fn record(
        &self,
        version: VersionId,
    ) -> Result<Option<(VersionRow, Record)>, LedgerError> {
        let Some(row) = self.store.version(version)? else { return Ok(None) };
        let record = self.open_record(version, &row)?;
        Ok(Some((row, record)))
    }

    /// A row's record.
    ///
    /// Errors: `Unreadable` where key slot or record are damaged.
    pub(crate) fn open_record(
        &self,
        version: VersionId,
        row: &VersionRow,
    ) -> Result<Record, LedgerError> {
        let key_owner = KeyOwner { owner: row.agency.clone(), id: version };
        let plain = self
            .vault
            .bookings
            .key(row.slot, &key_owner)
            .and_then(|key| key.open(SealedPart::Record, version, &row.record));
        let plain =
            plain.map_err(|e| if e.is_damage() { LedgerError::Unreadable } else { e.into() })?;
        serde_json::from_slice(&plain)
            .map_err(|source| LedgerError::Sealed { what: "record", source })
    }

    /// Whether the log takes leaves.
    ///
    /// Errors: it takes none.
    pub(super) fn takes_leaves(&self) -> Result<(), LedgerError> {
        if self.shut.load(Ordering::Acquire) { Err(LedgerError::Shut) } else { Ok(()) }
    }

    /// The key under which a booking number's row is found.
    pub(crate) fn number_key(&self, agency: &Identifier, number: &BookingNumber) -> [u8; 32] {
        self.master.number_key(agency.as_str(), number.as_str())
    }

    /// The model that photos are embedded by beside the active one, while a switch is under way and
    /// its models are there.
    pub(crate) fn embeds_also(&self) -> Option<ModelId> {
        self.switch().filter(|switch| switch.pool.is_some()).map(|switch| switch.model())
    }

    pub(crate) fn generation(&self) -> Arc<Generation> {
        self.active.read().expect("nothing panics while it holds the generation").clone()
    }

    pub(super) fn switch(&self) -> Option<Switch> {
        self.switch.read().expect("nothing panics while it holds the switch").clone()
    }

    /// Takes a version out of every search that begins from here on, by whatever model.
    pub(crate) fn mask(&self, version: VersionId) -> Result<(), LedgerError> {
        self.generation().mask(version)?;
        if let Some(incoming) = self.switch().and_then(|switch| switch.incoming) {
            incoming.mask(version)?;
        }
        Ok(())
    }

    /// Overwrites a version's numbers, those of a model to come included.
    pub(crate) fn zero(&self, version: VersionId) -> Result<(), LedgerError> {
        self.generation().zero(version)?;
        if let Some(incoming) = self.switch().and_then(|switch| switch.incoming) {
            incoming.zero(version)?;
        }
        Ok(())
    }

    /// Leaves of audits: what was drawn, and what was found.
    pub(crate) fn audit_leaves(&self) -> Vec<u64> {
        self.audit_leaves.lock().expect("nothing panics while it holds the leaves").clone()
    }

    pub(crate) fn open_detail(&self, leaf: u64) -> Result<Option<OpenedLeaf>, LedgerError> {
        let Some(row) = self.store.leaf(leaf)? else { return Ok(None) };
        let Some(sealed) = row.detail else { return Ok(None) };
        let own = self.master.open_detail(self.log_key.origin(), leaf, &sealed);
        // Sealed while the log had another origin.
        let former = || {
            self.former_origins
                .iter()
                .rev()
                .find_map(|origin| self.master.open_detail(origin, leaf, &sealed).ok())
        };
        let plain = own.or_else(|e| former().ok_or(e))?;
        let damaged = || LedgerError::Log { what: format!("leaf {leaf} is not about its detail") };
        let (salt, detail) = plain.split_first_chunk::<SALT_BYTES>().ok_or_else(damaged)?;
        if Leaf::from_bytes(&row.leaf)?.commitment != commit(salt, detail) {
            return Err(damaged());
        }
        Ok(Some(OpenedLeaf { leaf, salt: *salt, detail: detail.to_vec() }))
    }
}
