//! `smrtd check`: check a configuration and everything that it names, before the first start.
//! Changes nothing.

use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use smrt::audit::VerifierKey;
use smrt::config::Config;
use smrt::embed::Models;
use smrt::gallery::Gallery;
use smrt::service::Credentials;
use smrt::store::{STORE_FILE, StateKind};
use smrt::tls::{Acceptor, valid_days};

use crate::run::{CreateAs, RunError};

/// Days before the end of a certificate or revocation list from which a warning is printed.
const DAYS_LEFT_WARN: i64 = 14;

/// Check a configuration and the files that it names, without starting anything.
#[derive(clap::Args)]
pub(crate) struct CheckCommand {
    /// The configuration file.
    #[arg(long)]
    config: PathBuf,
    /// What the state folder is made for, or will be.
    #[arg(long, value_enum, default_value_t = CreateAs::Real)]
    create_as: CreateAs,
}

/// Prints one line for each check, and counts what isn't right.
#[derive(Default)]
struct Checklist {
    wrong: usize,
}

impl CheckCommand {
    pub(crate) fn run(self) -> Result<(), RunError> {
        let mut list = Checklist::default();
        let name = format!("configuration {}", self.config.display());
        let config = list.check(&name, Config::load(&self.config), |_| "read".to_owned());
        if let Some(config) = config {
            list.roster(&config);
            list.anchor(&config);
            list.keys(&config);
            list.certificates(&config);
            list.security_keys(&config, self.create_as.into());
            list.models(&config);
            list.state_and_address(&config);
        }
        match list.wrong {
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

impl Checklist {
    fn roster(&mut self, config: &Config) {
        let roster = self.check("roster", config.read_roster(), |roster| {
            format!(
                "agencies {}, consoles {}, witnesses {}",
                roster.agencies.len(),
                roster.devices.len(),
                roster.witnesses.len()
            )
        });
        let Some(roster) = roster else { return };
        let ceilings = &roster.ceilings;
        println!(
            "ok     ceilings: {}",
            match ceilings.are_humane() {
                true => format!("an operator searches with {ceilings}"),
                false =>
                    format!("WARNING: {ceilings}; a box with real bookings doesn't start by these"),
            }
        );
        let keys: Result<Vec<_>, _> =
            roster.witnesses.iter().map(|w| VerifierKey::parse(w.key.as_str())).collect();
        self.check("witnesses", keys, |_| match roster.quorum {
            Some(terms) => format!(
                "keys can be read; {} of {} within {} minutes",
                terms.witnesses,
                roster.witnesses.len(),
                terms.within_minutes
            ),
            None => {
                "WARNING: none are listed; nobody outside would notice if the log were rewritten"
                    .to_owned()
            }
        });
    }

    fn anchor(&mut self, config: &Config) {
        let Some(anchor) = &config.anchor else {
            println!(
                "ok     anchor: none; with witnesses, each start waits until they have cosigned \
                 the log"
            );
            return;
        };
        let folder = anchor.parent().unwrap_or(Path::new("."));
        let usable = std::fs::metadata(folder).map_err(anyhow::Error::from).and_then(|found| {
            ensure!(found.is_dir(), "{} is not a folder", folder.display());
            ensure!(
                !anchor.starts_with(&config.state),
                "it lies in the state folder, so that a backup of that would bring back an old one"
            );
            Ok(())
        });
        self.check(&format!("anchor {}", anchor.display()), usable, |()| {
            "its folder exists, outside of the state folder".to_owned()
        });
    }

    fn keys(&mut self, config: &Config) {
        for (what, path) in [("master key", &config.master_key), ("log key", &config.log_key)] {
            let key = config.read_key(what, path).map_err(anyhow::Error::from).and_then(|key| {
                ensure!(key.len() == 32, "{} has {} bytes, wanted 32", path.display(), key.len());
                Ok(())
            });
            self.check(what, key, |()| "32 bytes, readable by its owner only".to_owned());
        }
    }

    fn certificates(&mut self, config: &Config) {
        let acceptor = Acceptor::open(config.server_files()).map_err(anyhow::Error::from);
        let fit = acceptor.and_then(|acceptor| match acceptor.unfit_list() {
            Some(why) => Err(anyhow::anyhow!(why)),
            None => Ok(()),
        });
        self.check("TLS", fit, |()| {
            "certificate, key, authority and revocation list fit together".to_owned()
        });
        for (what, path) in [
            ("server certificate", &config.tls.cert),
            ("authority certificate", &config.tls.ca),
            ("revocation list", &config.tls.crl),
        ] {
            let days = valid_days(path).map_err(anyhow::Error::from).and_then(|days| {
                ensure!(days >= 0, "{} ended {} days ago, renew it", path.display(), -days);
                Ok(days)
            });
            self.check(what, days, |&days| match days {
                days if days < DAYS_LEFT_WARN => {
                    format!("WARNING: ends in {days} days, renew it now")
                }
                days => format!("ends in {days} days"),
            });
        }
    }

    fn security_keys(&mut self, config: &Config, kind: StateKind) {
        let keys = config.security_keys().map_err(anyhow::Error::from).and_then(|keys| {
            let Some(keys) = keys else { return Ok("no console is configured".to_owned()) };
            let (names, what) = (keys.models.names().join(", "), keys.models.no_hardware());
            ensure!(!keys.models.is_empty(), "no key_model is listed: nobody can enrol a key");
            match what {
                Some(what) if kind == StateKind::Real => bail!(
                    "keys of {what} are listed, which are no hardware; a box with real bookings \
                     doesn't start by them"
                ),
                Some(what) => Ok(format!("{names}; WARNING: keys of {what} are no hardware")),
                None => Ok(names),
            }
        });
        self.check("security keys", keys, String::clone);
    }

    fn models(&mut self, config: &Config) {
        let models = Models::load(&config.models).map_err(anyhow::Error::from);
        let models = self.check("models", models, |models| format!("digest {}", models.id()));
        if let Some(models) = models {
            let gallery = Gallery::open(config.engine, models.dimension());
            self.check("engine", gallery, |gallery| {
                format!("{} on {}", gallery.engine(), gallery.device())
            });
        }
        if let Some(folder) = &config.models_next {
            let next = Models::load(folder).map_err(anyhow::Error::from);
            self.check("models_next", next, |models| {
                format!("digest {}; switch to them with: smrtctl model switch", models.id())
            });
        }
    }

    fn state_and_address(&mut self, config: &Config) {
        let state = std::fs::metadata(&config.state).map_err(anyhow::Error::from).and_then(|m| {
            ensure!(m.is_dir(), "it is not a folder");
            Ok(config.state.join(STORE_FILE).exists())
        });
        let name = format!("state folder {}", config.state.display());
        self.check(&name, state, |&made| match made {
            true => "made before".to_owned(),
            false => "empty: the first start needs --create-as real".to_owned(),
        });
        match config.listen {
            Some(address) => {
                let bound = std::net::TcpListener::bind(address);
                self.check(&format!("address {address}"), bound, |_| "free".to_owned());
            }
            None => println!("ok     address: none configured, systemd must hand a socket over"),
        }
    }

    fn check<T, E: Into<anyhow::Error>>(
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
