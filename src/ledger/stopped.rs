//! State folder of a server that doesn't run: what is written to it at the box itself, by its
//! installer.

use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::clock::Clock;
use super::error::LedgerError;
use super::load::{ReadLog, read_log};
use super::progress::{Progress, StartStage, Steps};
use super::start::{create, hold, read_anchor, workers};
use super::write::NewLeaf;
use crate::audit::{Alarm, Checkpoint, Edge, LogKey, leaf_hash};
use crate::calendar::Time;
use crate::disk::Disk;
use crate::store::{Commit, LeafRow, STORE_FILE, StateKind, Store};
use crate::vault::MasterKey;

/// What opening the folder takes: the same as the daemon, which must not be running.
pub struct StoppedSetup {
    /// The medium.
    pub disk: Arc<dyn Disk>,
    /// The state folder.
    pub state: PathBuf,
    /// The log's origin; the new one, where a restore opens one.
    pub origin: String,
    /// The master key's 32 bytes.
    pub master_key: Zeroizing<Vec<u8>>,
    /// The log key's 32 bytes.
    pub log_key: Zeroizing<Vec<u8>>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The file that holds the newest cosigned checkpoint.
    pub anchor: Option<PathBuf>,
}

/// An opened state folder whose daemon doesn't run.
pub(crate) struct StoppedFolder {
    pub(crate) master: MasterKey,
    pub(super) log_key: LogKey,
    pub(crate) store: Store,
    pub(super) edge: Edge,
    pub(crate) time: Time,
    pub(super) anchor: Option<Checkpoint>,
    _held: Box<dyn Send + Sync>,
}

impl StoppedFolder {
    /// A state folder that no daemon holds; one that is empty is made for a use, where it is said
    /// for which.
    pub(crate) fn open_or_create(
        setup: &StoppedSetup,
        create_as: Option<StateKind>,
    ) -> Result<Self, LedgerError> {
        let held = hold(setup.disk.as_ref(), &setup.state)?;
        let listed = setup
            .disk
            .list(&setup.state)
            .map_err(|source| LedgerError::Io { what: "listing the state folder", source })?;
        if !listed.contains(&setup.state.join(STORE_FILE)) {
            let master = MasterKey::new(&setup.master_key)?;
            create(&setup.disk, &setup.state, &listed, create_as, &setup.origin, &master)?;
        }
        drop(held);
        Self::open(setup, &setup.origin)
    }

    /// Leaves of its log.
    pub(crate) fn leaves(&self) -> u64 {
        self.edge.leaves()
    }

    /// Writes leaves behind all others, with the checkpoint over them.
    ///
    /// Errors: a log in doubt takes none.
    pub(crate) fn log(
        &self,
        tables: &Commit,
        leaves: Vec<NewLeaf>,
        clock: &dyn Clock,
    ) -> Result<(), LedgerError> {
        if self.standing(Alarm::LogInDoubt)?.is_some() {
            return Err(LedgerError::Shut);
        }
        self.append(tables, self.edge.clone(), leaves, clock)
    }

    /// The leaf that raised an alarm which stands.
    pub(crate) fn standing(&self, alarm: Alarm) -> Result<Option<u64>, LedgerError> {
        let mut alarms = self.store.alarms()?.into_iter();
        Ok(alarms.find(|(code, ..)| *code == alarm as u8).map(|(_, leaf, _)| leaf))
    }

    /// A state folder that no daemon holds, with the log of this origin.
    pub(crate) fn open(setup: &StoppedSetup, origin: &str) -> Result<Self, LedgerError> {
        let held = hold(setup.disk.as_ref(), &setup.state)?;
        let master = MasterKey::new(&setup.master_key)?;
        let store = Store::open(&setup.disk, &setup.state)?;
        let found = store.origin()?;
        if found != origin {
            return Err(LedgerError::Setup {
                found: format!("the log of origin '{found}'"),
                wanted: format!("origin '{origin}'"),
            });
        }
        let former_key = LogKey::new(origin, &setup.log_key)?;
        let mut quiet = |_: &Progress| {};
        let ReadLog { edge, newest, .. } =
            Steps::new(&mut quiet).run(StartStage::Log, store.leaves_len()?, |step| {
                read_log(&store, &former_key, workers(), step)
            })?;
        let anchor = setup
            .anchor
            .as_deref()
            .map_or(Ok(None), |anchor| read_anchor(setup.disk.as_ref(), anchor, &former_key))?;
        Ok(Self {
            master,
            log_key: LogKey::new(&setup.origin, &setup.log_key)?,
            store,
            edge,
            time: newest.time,
            anchor,
            _held: held,
        })
    }

    /// Writes leaves behind all others, with the checkpoint over them.
    pub(super) fn append(
        &self,
        tables: &Commit,
        mut edge: Edge,
        leaves: Vec<NewLeaf>,
        clock: &dyn Clock,
    ) -> Result<(), LedgerError> {
        let (first, mut nodes, mut rows) = (edge.leaves(), Vec::new(), Vec::new());
        let time = clock.now().max(self.time);
        for new in leaves {
            let (leaf, salted) = new.leaf(time, None);
            let at = edge.append_hash(leaf_hash(&leaf), &mut |node| nodes.push(node));
            rows.push(LeafRow {
                leaf,
                detail: Some(self.master.seal_detail(self.log_key.origin(), at, &salted)),
            });
        }
        tables.put_leaves(first, &rows)?;
        tables.put_nodes(&nodes)?;
        Ok(tables
            .put_checkpoint(&edge.to_bytes(), &self.log_key.sign(edge.leaves(), edge.root()))?)
    }
}
