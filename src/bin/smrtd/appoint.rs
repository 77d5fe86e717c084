//! `smrtd appoint`: make the accounts of the first commander and the first administrator, before
//! anybody can ask for accounts or approve them.

use std::path::PathBuf;

use smrt::booking::{Identifier, Text, iso_date};
use smrt::config::Config;
use smrt::ledger::LedgerError;
use smrt::limits::APPOINTMENT_HOURS_MAX;
use smrt::roster::{Person, Role};
use smrt::service::{self, ServiceError};
use time::Date;

use crate::restore::stopped_setup;
use crate::run::{CreateAs, RunError};

/// Appoint the first commander or administrator, on the server itself; these two then admit
/// everybody else at a console. The daemon must not be running.
///
/// Prints the code with which the person enrols a security key at a console of the roster.
#[derive(clap::Args)]
pub(crate) struct AppointCommand {
    /// The configuration file.
    #[arg(long)]
    config: PathBuf,
    /// What an empty state folder is made for; this can't be changed later.
    #[arg(long, value_enum)]
    create_as: Option<CreateAs>,
    /// The role.
    #[arg(long, value_enum)]
    role: Appointed,
    /// The account's name: a-z, 0-9 and '-'.
    #[arg(long)]
    id: Identifier,
    /// The person's name.
    #[arg(long)]
    name: Text,
    /// The person's badge number.
    #[arg(long)]
    badge: Text,
    /// The agency that employs the person, as the roster names it.
    #[arg(long)]
    agency: Identifier,
    /// The last day on which the person's training is valid, YYYY-MM-DD.
    #[arg(long, value_name = "DAY", value_parser = iso_date::parse)]
    trained_until: Date,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Appointed {
    Commander,
    Administrator,
}

impl AppointCommand {
    pub(crate) fn run(self) -> Result<(), RunError> {
        let config = Config::load(&self.config).map_err(|e| RunError::Config(e.into()))?;
        let setup = stopped_setup(&config)?;
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
            "{id} must enrol a security key with this code at a console within \
             {APPOINTMENT_HOURS_MAX} hours."
        );
        Ok(())
    }
}
