//! `smrtctl witness`: another machine that keeps the log and cosigns what continues what it has
//! seen.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow, ensure};
use clap::{Args, Subcommand};
use smrt::audit::{CosignerKey, VerifierKey};
use smrt::client::bridge_agent;
use smrt::client::witness::{Cosigner, Visit, Witness as Keeper};
use zeroize::Zeroizing;

use crate::server::Server;

/// Exit status of a log that doesn't continue what was seen.
const REFUSED: u8 = 2;

#[derive(Subcommand)]
pub(crate) enum Witness {
    /// Print the key that the server's roster must list, of a secret that `smrtctl key new` wrote.
    Key(KeyFile),
    /// Look at the log, keep all of it, and cosign what continues what was seen.
    Run(Box<Run>),
}

#[derive(Args)]
pub(crate) struct KeyFile {
    /// The name under which this witness cosigns, such as court.example/witness.
    #[arg(long)]
    name: String,
    /// The witness' secret, 32 bytes; not the key of a TLS certificate.
    #[arg(long = "secret", value_name = "FILE")]
    file: PathBuf,
}

#[derive(Args)]
pub(crate) struct Run {
    #[command(flatten)]
    server: Server,
    /// The folder that keeps the log.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The log's key, as its operator handed it over: name+id+key.
    #[arg(long, value_name = "KEY", value_parser = verifier_key)]
    log: VerifierKey,
    /// The name under which this witness cosigns.
    #[arg(long, required_unless_present = "bridge", conflicts_with = "bridge")]
    name: Option<String>,
    /// The witness' secret, 32 bytes.
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "bridge",
        conflicts_with = "bridge"
    )]
    secret: Option<PathBuf>,
    /// Have another witness cosign, which speaks C2SP tlog-witness at this address (its submission
    /// prefix).
    #[arg(long, value_name = "URL", requires = "bridge_key")]
    bridge: Option<String>,
    /// The key by which that witness cosigns.
    #[arg(long, value_name = "KEY", value_parser = verifier_key)]
    bridge_key: Option<VerifierKey>,
    /// The certificate of the authority that vouches for that witness' server, where it is called
    /// by https.
    #[arg(long, value_name = "FILE")]
    bridge_ca: Option<PathBuf>,
    /// Stay, and look again so many seconds after each visit; without it, one visit.
    #[arg(long, value_name = "SECONDS")]
    every: Option<u64>,
}

impl Witness {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Key(KeyFile { name, file }) => {
                writeln!(stdout(), "{}", read_secret(&name, &file)?.verifier())?;
                Ok(ExitCode::SUCCESS)
            }
            Self::Run(run) => run.run(),
        }
    }
}

impl Run {
    fn run(self) -> anyhow::Result<ExitCode> {
        let cosigner = match (self.bridge, self.bridge_key, self.name, self.secret) {
            (Some(url), Some(key), ..) => {
                let ca = self.bridge_ca.as_deref().map(|path| {
                    fs::read(path).with_context(|| format!("reading {}", path.display()))
                });
                Cosigner::Bridge {
                    agent: Box::new(bridge_agent(&url, ca.transpose()?.as_deref())?),
                    url,
                    key,
                }
            }
            (None, None, Some(name), Some(file)) => Cosigner::Own(read_secret(&name, &file)?),
            _ => {
                return Err(anyhow!(
                    "either --name and --secret or --bridge and --bridge-key say who cosigns"
                ));
            }
        };
        let client = self.server.client()?;
        let keeper = Keeper::new(&self.dir, self.log, cosigner);
        loop {
            let seen = keeper.visit(&client, now()?);
            match (seen, self.every) {
                (Ok(Visit::Refused { what, evidence, box_knows }), _) => {
                    let knows = if box_knows {
                        "It was shown its earlier checkpoint and shut its doors."
                    } else {
                        "It could not be shown its earlier checkpoint."
                    };
                    eprintln!(
                        "smrtctl: REFUSED: the log does not continue what this witness has seen: \
                         {what}.\n{knows}\nThe evidence is in {}.",
                        evidence.display()
                    );
                    return Ok(ExitCode::from(REFUSED));
                }
                (Ok(Visit::Empty), _) => writeln!(stdout(), "the log has no leaf yet")?,
                (Ok(Visit::Cosigned(view)), _) => {
                    let quorum = if view.complete {
                        "a quorum has cosigned it"
                    } else {
                        "a quorum has yet to cosign it"
                    };
                    writeln!(stdout(), "cosigned {} leaves; {quorum}", view.leaves)?;
                }
                (Err(e), None) => return Err(e.into()),
                // A box that restarts or a network that is away is no reason to stop looking.
                (Err(e), Some(_)) => eprintln!("smrtctl: {:#}", anyhow::Error::from(e)),
            }
            let Some(seconds) = self.every else { return Ok(ExitCode::SUCCESS) };
            std::thread::sleep(Duration::from_secs(seconds));
        }
    }
}

fn read_secret(name: &str, file: &Path) -> anyhow::Result<CosignerKey> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(file)
        .with_context(|| format!("reading {}", file.display()))?
        .permissions()
        .mode()
        & 0o777;
    ensure!(
        mode & 0o077 == 0,
        "{} can be read by others (mode {mode:o}), wanted 600 or 400",
        file.display()
    );
    let secret =
        Zeroizing::new(fs::read(file).with_context(|| format!("reading {}", file.display()))?);
    Ok(CosignerKey::new(name, &secret)?)
}

fn verifier_key(key: &str) -> Result<VerifierKey, String> {
    VerifierKey::parse(key).map_err(|e| e.to_string())
}

fn now() -> anyhow::Result<u64> {
    Ok(SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("the clock stands before 1970")?
        .as_secs())
}
