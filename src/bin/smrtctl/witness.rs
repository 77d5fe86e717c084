//! `smrtctl witness`: on another machine, keep a copy of the log, and cosign each checkpoint that
//! continues it.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, anyhow, ensure};
use clap::{Args, Subcommand};
use smrt::audit::{CosignerKey, VerifierKey};
use smrt::client::connection::bridge_agent;
use smrt::client::witness::{Cosigner, LogWitness, Visit};
use zeroize::Zeroizing;

use crate::server::ServerOptions;

/// Exit status of a log that doesn't continue the copy.
const REFUSED: u8 = 2;

#[derive(Subcommand)]
pub(crate) enum WitnessCommand {
    /// Print the public key for the server's roster, of a secret that `smrtctl key new` wrote.
    Key(WitnessKeyCommand),
    /// Fetch the log, verify that it continues the copy, and cosign its checkpoint.
    Run(Box<RunWitnessCommand>),
}

#[derive(Args)]
pub(crate) struct WitnessKeyCommand {
    /// The name under which this witness cosigns, such as court.example/witness.
    #[arg(long)]
    name: String,
    /// The witness' secret, 32 bytes; not the key of a TLS certificate.
    #[arg(long = "secret", value_name = "FILE")]
    file: PathBuf,
}

#[derive(Args)]
pub(crate) struct RunWitnessCommand {
    #[command(flatten)]
    server: ServerOptions,
    /// The folder of the copy.
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The log's key, as its operator gave it to you: name+id+key.
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
    /// Let another witness cosign, which speaks C2SP tlog-witness at this address (its submission
    /// prefix).
    #[arg(long, value_name = "URL", requires = "bridge_key")]
    bridge: Option<String>,
    /// The key with which that witness cosigns.
    #[arg(long, value_name = "KEY", value_parser = verifier_key)]
    bridge_key: Option<VerifierKey>,
    /// The certificate of the authority that issued that witness' certificate, where its address is
    /// https.
    #[arg(long, value_name = "FILE")]
    bridge_ca: Option<PathBuf>,
    /// Run again so many seconds after each visit; without it, once.
    #[arg(long, value_name = "SECONDS")]
    every: Option<u64>,
}

impl WitnessCommand {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Key(WitnessKeyCommand { name, file }) => {
                writeln!(stdout(), "{}", read_secret(&name, &file)?.verifier())?;
                Ok(ExitCode::SUCCESS)
            }
            Self::Run(run) => run.run(),
        }
    }
}

impl RunWitnessCommand {
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
                    "nobody would cosign; wanted --name and --secret, or --bridge and --bridge-key"
                ));
            }
        };
        let client = self.server.client()?;
        let witness = LogWitness::new(&self.dir, self.log, cosigner);
        loop {
            let seen = witness.visit(&client, now()?);
            match (seen, self.every) {
                (Ok(Visit::Refused { what, evidence, server_knows }), _) => {
                    let knows = if server_knows {
                        "The server was shown its earlier checkpoint, and has closed."
                    } else {
                        "The server could not be shown its earlier checkpoint."
                    };
                    eprintln!(
                        "smrtctl: REFUSED: the log does not continue this witness' copy: {what}.\n\
                         {knows}\nThe evidence is in {}. Keep it, and tell whoever audits the log.",
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
                // A server that restarts or a network that is down is no reason to stop.
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
