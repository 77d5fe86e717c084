//! `smrtd appoint`: the first commander and the first administrator, while nobody is there who
//! could ask or approve.

use std::path::PathBuf;
use std::sync::Arc;

use smrt::booking::{Identifier, Text, iso_date};
use smrt::config::Config;
use smrt::disk::RealDisk;
use smrt::ledger::{LedgerError, RestoreSetup, SystemClock};
use smrt::limits::APPOINTMENT_HOURS_MAX;
use smrt::roster::{Person, Role};
use smrt::service::{self, ServiceError};
use time::Date;

use crate::run::{CreateAs, RunError};

/// Appoint the first commander or administrator, at the box itself; everybody else is admitted by
/// these two from a console. The daemon must not be running.
///
/// Prints the code by which the person enrols a security key at a console of the roster.
#[derive(clap::Args)]
pub(crate) struct Appoint {
    /// The configuration file.
    #[arg(long)]
    config: PathBuf,
    /// Make the state folder for this use, once and for all, if it is empty.
    #[arg(long, value_enum)]
    create_as: Option<CreateAs>,
    /// As what.
    #[arg(long, value_enum)]
    role: Appointed,
    /// The account's name: a-z, 0-9 and '-'.
    #[arg(long)]
    id: Identifier,
    /// The person's name.
    #[arg(long)]
    name: Text,
    /// The number by which the employing agency knows the person.
    #[arg(long)]
    badge: Text,
    /// The agency that employs the person, as the roster names it.
    #[arg(long)]
    agency: Identifier,
    /// The last day on which the training counts, YYYY-MM-DD.
    #[arg(long, value_name = "DAY", value_parser = iso_date::parse)]
    trained_until: Date,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Appointed {
    Commander,
    Administrator,
}

impl Appoint {
    pub(crate) fn run(self) -> Result<(), RunError> {
        let config = Config::load(&self.config).map_err(|e| RunError::Config(e.into()))?;
        let setup = RestoreSetup {
            disk: Arc::new(RealDisk),
            state: config.state.clone(),
            origin: config.origin.clone(),
            master_key: config
                .read_key("the master key", &config.master_key)
                .map_err(|e| RunError::Config(e.into()))?,
            log_key: config
                .read_key("the log key", &config.log_key)
                .map_err(|e| RunError::Config(e.into()))?,
            clock: Arc::new(SystemClock::default()),
            anchor: config.anchor.clone(),
        };
        let person = Person {
            id: self.id,
            name: self.name,
            badge: self.badge,
            agency: self.agency,
            role: match self.role {
                Appointed::Commander => Role::Commander,
                Appointed::Administrator => Role::Administrator,
            },
            trained_until: self.trained_until,
            temporary_until_cs: None,
        };
        let id = person.id.clone();
        let code = service::appoint(&setup, self.create_as.map(Into::into), person).map_err(
            |e| match e {
                ServiceError::Ledger(LedgerError::Setup { .. })
                | ServiceError::NotAppointed { .. }
                | ServiceError::Person(_) => RunError::Config(e.into()),
                e => RunError::Failed(e.into()),
            },
        )?;
        println!("{code}");
        eprintln!(
            "{id} enrols a key with this code at a console within {APPOINTMENT_HOURS_MAX} hours."
        );
        Ok(())
    }
}
