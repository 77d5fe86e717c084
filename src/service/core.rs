//! What the writer and all readers share, and what is read of it: rows with what is sealed in them,
//! opened.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, RwLock, Weak};

use super::clock::Clock;
use super::error::ServiceError;
use super::generation::{Generation, Shelf};
use super::ledger::{OpenedLeaf, Record};
use super::log::Witnessing;
use super::metrics::Waits;
use super::switch::Switch;
use crate::audit::{Leaf, LogKey, SALT_BYTES, commit};
use crate::booking::VersionId;
use crate::disk::Disk;
use crate::retention::RetentionDays;
use crate::store::{StateKind, Store, VersionRow};
use crate::vault::{Lodger, Master, Part, Vault};

/// What writer and readers share.
pub(super) struct Core {
    pub(super) kind: StateKind,
    pub(super) master: Master,
    pub(super) log_key: LogKey,
    pub(super) former_origins: Vec<String>,
    pub(super) store: Store,
    pub(super) vault: Vault,
    pub(super) shelf: Arc<Shelf>,
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
    /// Those that the active model made unusable; some may not stand any more.
    pub(super) unusable: Mutex<Vec<VersionId>>,
    pub(super) newest: RwLock<Newest>,
    /// Indices of audits' leaves, which are few among many.
    pub(super) audit_leaves: Mutex<Vec<u64>>,
    /// Leaves written since the start, by the name of their kind.
    pub(super) written: Mutex<BTreeMap<&'static str, u64>>,
    pub(super) waits: Waits,
    /// Keeps a second daemon off the folder.
    pub(super) _held: Box<dyn Send + Sync>,
}

/// The newest checkpoint and the number of leaves that it signs.
#[derive(Clone, Debug, Default)]
pub(super) struct Newest {
    pub(super) note: String,
    /// The same with cosignatures, where there are any.
    pub(super) cosigned: Option<String>,
    pub(super) leaves: u64,
    /// Time of the newest leaf.
    pub(super) time_cs: u64,
}

impl Newest {
    /// The checkpoint with what cosignatures there are of it.
    pub(super) fn checkpoint(&self) -> &str {
        self.cosigned.as_ref().unwrap_or(&self.note)
    }
}

impl Core {
    /// A version's row and its opened record.
    pub(super) fn record(
        &self,
        version: VersionId,
    ) -> Result<Option<(VersionRow, Record)>, ServiceError> {
        let Some(row) = self.store.version(version)? else { return Ok(None) };
        let record = self.open_record(version, &row)?;
        Ok(Some((row, record)))
    }

    /// A row's record.
    ///
    /// Errors: `Unreadable` where key slot or record are damaged.
    pub(super) fn open_record(
        &self,
        version: VersionId,
        row: &VersionRow,
    ) -> Result<Record, ServiceError> {
        let lodger = Lodger { owner: row.agency.clone(), id: version.0 };
        let plain = self
            .vault
            .bookings
            .key(row.slot, &lodger)
            .and_then(|key| key.open(Part::Record, version.0, &row.record));
        let plain =
            plain.map_err(|e| if e.is_damage() { ServiceError::Unreadable } else { e.into() })?;
        serde_json::from_slice(&plain)
            .map_err(|source| ServiceError::Sealed { what: "record", source })
    }

    pub(super) fn generation(&self) -> Arc<Generation> {
        self.active.read().expect("nothing panics while it holds the generation").clone()
    }

    pub(super) fn switch(&self) -> Option<Switch> {
        self.switch.read().expect("nothing panics while it holds the switch").clone()
    }

    /// Takes a version out of every search that begins from here on, by whatever model.
    pub(super) fn mask(&self, version: VersionId) -> Result<(), ServiceError> {
        self.generation().mask(version)?;
        if let Some(incoming) = self.switch().and_then(|switch| switch.incoming) {
            incoming.mask(version)?;
        }
        Ok(())
    }

    /// Overwrites a version's numbers, those of a model to come included.
    pub(super) fn zero(&self, version: VersionId) -> Result<(), ServiceError> {
        self.generation().zero(version)?;
        if let Some(incoming) = self.switch().and_then(|switch| switch.incoming) {
            incoming.zero(version)?;
        }
        Ok(())
    }

    /// Leaves of audits: what was drawn, and what was found.
    pub(super) fn audit_leaves(&self) -> Vec<u64> {
        self.audit_leaves.lock().expect("nothing panics while it holds the leaves").clone()
    }

    pub(super) fn open_detail(&self, leaf: u64) -> Result<Option<OpenedLeaf>, ServiceError> {
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
        let damaged = || ServiceError::Log { what: format!("leaf {leaf} is not about its detail") };
        let (salt, detail) = plain.split_first_chunk::<SALT_BYTES>().ok_or_else(damaged)?;
        if Leaf::from_bytes(&row.leaf)?.commitment != commit(salt, detail) {
            return Err(damaged());
        }
        Ok(Some(OpenedLeaf { leaf, salt: *salt, detail: detail.to_vec() }))
    }
}
