//! `smrtd check`: what an installer wants to know before the first start, in plain words. Changes
//! nothing.

use std::path::PathBuf;

use smrt::audit::VerifierKey;
use smrt::config::Config;
use smrt::embed::Models;
use smrt::gallery::Gallery;
use smrt::store::STORE_FILE;
use smrt::tls::{Acceptor, valid_days};

use crate::run::RunError;

/// Days before the end of a certificate or revocation list at which the installer is warned.
const DAYS_LEFT_WARN: i64 = 14;

/// Check a configuration without starting anything.
#[derive(clap::Args)]
pub(crate) struct Check {
    /// The configuration file.
    #[arg(long)]
    config: PathBuf,
}

/// Prints a line a check and counts what isn't right.
#[derive(Default)]
struct Report {
    wrong: usize,
}

impl Check {
    pub(crate) fn run(self) -> Result<(), RunError> {
        let mut report = Report::default();
        let config = report.hold(
            &format!("configuration {}", self.config.display()),
            Config::load(&self.config),
            |_| "read".to_owned(),
        );
        if let Some(config) = config {
            report.all(&config);
        }
        match report.wrong {
            0 => {
                println!(
                    "\nAll is right. Start it with: smrtd run --config {}",
                    self.config.display()
                );
                Ok(())
            }
            1 => Err(RunError::Config(anyhow::anyhow!("one thing is not right"))),
            wrong => Err(RunError::Config(anyhow::anyhow!("{wrong} things are not right"))),
        }
    }
}

impl Report {
    fn all(&mut self, config: &Config) {
        let roster = self.hold("roster", config.read_roster(), |roster| {
            format!(
                "agencies {}, consoles {}, witnesses {}",
                roster.agencies.len(),
                roster.devices.len(),
                roster.witnesses.len()
            )
        });
        if let Some(roster) = roster {
            let ceilings = match roster.ceilings.are_humane() {
                true => format!("an operator searches with {}", roster.ceilings),
                false => format!(
                    "WARNING: {}; a box with real bookings doesn't start by these",
                    roster.ceilings
                ),
            };
            println!("ok     ceilings: {ceilings}");
            let keys: Result<Vec<_>, _> = roster
                .witnesses
                .iter()
                .map(|witness| VerifierKey::parse(witness.key.as_str()))
                .collect();
            self.hold("witnesses", keys, |_| match roster.quorum {
                Some(terms) => {
                    format!(
                        "keys can be read; {} of {} within {} minutes",
                        terms.witnesses,
                        roster.witnesses.len(),
                        terms.within_minutes
                    )
                }
                None => {
                    "WARNING: none are listed; nobody outside would notice a log that is rewritten"
                        .to_owned()
                }
            });
        }
        match &config.anchor {
            Some(anchor) => {
                let folder = anchor.parent().unwrap_or(std::path::Path::new("."));
                let usable =
                    std::fs::metadata(folder).map_err(anyhow::Error::from).and_then(|found| {
                        anyhow::ensure!(found.is_dir(), "{} is not a folder", folder.display());
                        anyhow::ensure!(
                            !anchor.starts_with(&config.state),
                            "it lies in the state folder, and would go back with it"
                        );
                        Ok(())
                    });
                self.hold(&format!("anchor {}", anchor.display()), usable, |()| {
                    "its folder is there, outside of the state folder".to_owned()
                });
            }
            None => println!(
                "ok     anchor: none; with witnesses, each start waits until they have cosigned \
                 the log"
            ),
        }
        for (what, path) in [("master key", &config.master_key), ("log key", &config.log_key)] {
            let key = config.read_key(what, path).map_err(anyhow::Error::from).and_then(|key| {
                anyhow::ensure!(
                    key.len() == 32,
                    "{} has {} bytes, wanted 32",
                    path.display(),
                    key.len()
                );
                Ok(())
            });
            self.hold(what, key, |()| "32 bytes, readable by its owner alone".to_owned());
        }
        self.hold("door", Acceptor::open(config.server_files()), |_| {
            "certificate, key, authority and revocation list fit".to_owned()
        });
        for (what, path) in [
            ("server certificate", &config.tls.cert),
            ("authority certificate", &config.tls.ca),
            ("revocation list", &config.tls.crl),
        ] {
            let days = valid_days(path).map_err(anyhow::Error::from).and_then(|days| {
                anyhow::ensure!(
                    days >= 0,
                    "{} ended {} days ago; nobody could come in",
                    path.display(),
                    -days
                );
                Ok(days)
            });
            self.hold(what, days, |&days| match days {
                days if days < DAYS_LEFT_WARN => {
                    format!("WARNING: ends in {days} days, renew it now")
                }
                days => format!("ends in {days} days"),
            });
        }
        let models = Models::load(&config.models).map_err(anyhow::Error::from);
        let models = self.hold("models", models, |models| format!("digest {}", models.id()));
        if let Some(models) = models {
            let gallery = Gallery::open(config.engine, models.dimension());
            self.hold("engine", gallery, |gallery| {
                format!("{} on {}", gallery.engine(), gallery.device())
            });
        }
        if let Some(folder) = &config.models_next {
            let next = Models::load(folder).map_err(anyhow::Error::from);
            self.hold("models_next", next, |models| {
                format!("digest {}; switch to them with: smrtctl model switch", models.id())
            });
        }
        let state = std::fs::metadata(&config.state).map_err(anyhow::Error::from).and_then(|m| {
            anyhow::ensure!(m.is_dir(), "it is not a folder");
            Ok(config.state.join(STORE_FILE).exists())
        });
        self.hold(&format!("state folder {}", config.state.display()), state, |&made| match made {
            true => "made before".to_owned(),
            false => "empty: the first start needs --create-as real".to_owned(),
        });
        match config.listen {
            Some(address) => {
                let bound = std::net::TcpListener::bind(address);
                self.hold(&format!("address {address}"), bound, |_| "free".to_owned());
            }
            None => println!("ok     address: none configured, systemd must hand the socket over"),
        }
    }

    fn hold<T, E: Into<anyhow::Error>>(
        &mut self,
        what: &str,
        found: Result<T, E>,
        words: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        match found {
            Ok(found) => {
                println!("ok     {what}: {}", words(&found));
                Some(found)
            }
            Err(e) => {
                self.wrong += 1;
                println!("WRONG  {what}: {:#}", e.into());
                None
            }
        }
    }
}
