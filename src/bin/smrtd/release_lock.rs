//! `smrtd release-lock`: release a commander's locked account, where nobody else can.

use std::path::PathBuf;

use smrt::booking::Identifier;
use smrt::config::Config;
use smrt::ledger::LedgerError;
use smrt::limits::AT_BOX_ALARM_DAYS;
use smrt::service::{self, ServiceError};

use crate::restore::stopped_setup;
use crate::run::RunError;

/// Release a commander's locked account, on the server itself. The daemon must not be running.
///
/// The log says so for ever, and everybody sees an alarm for a week. All other accounts are
/// released at a console, by an administrator or the commander.
#[derive(clap::Args)]
pub(crate) struct ReleaseLockCommand {
    /// The configuration file.
    #[arg(long)]
    config: PathBuf,
    /// The account's name.
    #[arg(long)]
    id: Identifier,
}

impl ReleaseLockCommand {
    pub(crate) fn run(self) -> Result<(), RunError> {
        let config = Config::load(&self.config).map_err(|e| RunError::Config(e.into()))?;
        let setup = stopped_setup(&config)?;
        service::release_at_box(&setup, &self.id).map_err(|e| match e {
            ServiceError::Ledger(LedgerError::Setup { .. } | LedgerError::NotFound { .. })
            | ServiceError::NotReleased => RunError::Config(e.into()),
            e => RunError::Failed(e.into()),
        })?;
        println!(
            "{} may log on again. An alarm says so to everybody for {AT_BOX_ALARM_DAYS} days.",
            self.id
        );
        Ok(())
    }
}
