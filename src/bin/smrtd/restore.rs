//! `smrtd restore`: continue the log of a restored backup, before the server opens again.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use smrt::audit::{Holds, TileId, entries};
use smrt::client::log_folder::LogFolder;
use smrt::config::Config;
use smrt::disk::RealDisk;
use smrt::ledger::{self, KeptLog, LedgerError, Restored, StoppedSetup, SystemClock};

use crate::run::RunError;

/// Continue the log of a restored backup from a witness' copy, or begin again under another origin.
/// The daemon must not be running.
#[derive(clap::Args)]
pub(crate) struct RestoreCommand {
    /// The configuration file.
    #[arg(long)]
    config: PathBuf,
    /// The newest copy of the log that anybody kept: a witness' folder, or an export.
    #[arg(
        long,
        value_name = "DIR",
        required_unless_present = "new_origin",
        conflicts_with = "new_origin"
    )]
    log: Option<PathBuf>,
    /// Nobody kept a newer log: go on under the configuration's origin, which must be a new one.
    /// The log says so for ever, witnesses must accept it, and no search finds a booking of the
    /// backup until its agency has sent it again.
    #[arg(long)]
    new_origin: bool,
}

/// What opens the state folder of a server that doesn't run.
pub(crate) fn stopped_setup(config: &Config) -> Result<StoppedSetup, RunError> {
    let key = |what, path| config.read_key(what, path).map_err(|e| RunError::Config(e.into()));
    Ok(StoppedSetup {
        disk: Arc::new(RealDisk),
        state: config.state.clone(),
        origin: config.origin.clone(),
        master_key: key("the master key", &config.master_key)?,
        log_key: key("the log key", &config.log_key)?,
        clock: Arc::new(SystemClock::default()),
        anchor: config.anchor.clone(),
    })
}

impl RestoreCommand {
    pub(crate) fn run(self) -> Result<(), RunError> {
        let failed = |e: anyhow::Error| RunError::Failed(e);
        let config = Config::load(&self.config).map_err(|e| RunError::Config(e.into()))?;
        let setup = stopped_setup(&config)?;
        let Restored { backup_leaves, supplied_leaves, suppressed, interrupted } = match &self.log {
            Some(log) => take_over(&setup, &LogFolder::at(log)).map_err(failed)?,
            None => {
                let former = ledger::origin_of(&setup.disk, &config.state)
                    .context("the state folder")
                    .map_err(failed)?;
                ledger::open_origin(&setup, &former)
                    .context("the log was not continued under another origin")
                    .map_err(failed)?
            }
        };
        match self.log {
            Some(_) => println!(
                "The log of the backup had {backup_leaves} leaves and has {supplied_leaves} now.\n\
                 {suppressed} bookings of the backup were released or replaced since: no search \
                 finds them.\n\
                 {interrupted} searches were never answered.\n\
                 Bookings that came in since the backup are lost: ask the agencies to push again."
            ),
            None => println!(
                "The log goes on under the origin '{}' after the backup's {backup_leaves} leaves; \
                 witnesses had cosigned {supplied_leaves}.\n\
                 No search finds {suppressed} bookings until their agencies have sent them again.\n\
                 Give the witnesses the log's new key, and publish what happened.",
                config.origin
            ),
        }
        Ok(())
    }
}

fn take_over(setup: &StoppedSetup, folder: &LogFolder) -> anyhow::Result<Restored> {
    let checkpoint = folder.checkpoint()?.with_context(|| {
        format!("{} holds no checkpoint, wanted a copy of the log", folder.path().display())
    })?;
    let leaves = checkpoint.checkpoint()?.leaves;
    let bundles = TileId::all(leaves).take_while(|tile| tile.holds == Holds::Entries);
    let unreadable = |e: &dyn std::fmt::Display| LedgerError::Supplied { what: e.to_string() };
    let mut supplied = bundles.flat_map(|tile| {
        let read = folder.tile(tile).map_err(|e| unreadable(&e)).and_then(|bytes| {
            let leaves = entries(tile, &bytes).map_err(|e| unreadable(&e))?;
            Ok(leaves.into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>())
        });
        match read {
            Ok(leaves) => leaves.into_iter().map(Ok).collect(),
            Err(e) => vec![Err(e)],
        }
    });
    let kept = KeptLog { cosigned: folder.checkpoints()?, checkpoint, leaves: &mut supplied };
    ledger::restore(setup, kept).context("the log was not restored, the state folder is unchanged")
}
