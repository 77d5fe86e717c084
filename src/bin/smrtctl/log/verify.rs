//! `smrtctl log verify`: offline, with nothing but a copy of the log.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::Args;
use smrt::audit::{Note, Quorum};
use smrt::client::archive::Archive;
use smrt::client::verify::{Terms, verify};
use smrt::limits::CHECKPOINT_BYTES_MAX;

/// Exit status of a log that does not hold.
const VIOLATED: u8 = 2;
/// Exit status of a log that holds, but not all of which is witnessed.
const NOT_WITNESSED: u8 = 3;

/// Verify an exported log, offline: every leaf, checkpoint, cosignature and opened detail, and the
/// rules between them.
///
/// Exit status: 0 all holds, 1 it can't be verified, 2 something does not hold, 3 it holds, but for
/// some leaves its owner alone vouches, because not enough witnesses have cosigned them; the report
/// says what and where.
#[derive(Args)]
pub(crate) struct Verify {
    /// The folder with the log, as `smrtctl log export` or a witness wrote it.
    dir: PathBuf,
    /// A checkpoint kept from before: the log must continue it.
    #[arg(long, value_name = "CHECKPOINT_FILE")]
    since: Option<PathBuf>,
    /// Keys of the log and its witnesses with their quorum (C2SP tlog-policy), from somebody else
    /// than the log's owner. Without it the folder's own are used, which proves nothing about who
    /// signed until they are compared.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// All details were asked for: each must be there, unless the log says that it has expired.
    #[arg(long)]
    all_details: bool,
    /// Print the verdict as one JSON object.
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let keys = match &self.keys {
            Some(path) => Some(
                Quorum::parse(&read(path)?)
                    .with_context(|| format!("{} holds no keys", path.display()))?,
            ),
            None => None,
        };
        let since = match &self.since {
            Some(path) => {
                let note = Note::parse(&read(path)?)
                    .with_context(|| format!("{} holds no checkpoint", path.display()))?;
                Some((path.display().to_string(), note))
            }
            None => None,
        };
        let terms = Terms { keys, since, all_details: self.all_details };
        let verdict = verify(&Archive::at(&self.dir), &terms)?;
        let text =
            if self.json { serde_json::to_string_pretty(&verdict)? } else { verdict.words() };
        writeln!(stdout(), "{}", text.trim_end())?;
        Ok(match (verdict.holds, verdict.not_witnessed) {
            (true, None) => ExitCode::SUCCESS,
            (true, Some(_)) => ExitCode::from(NOT_WITNESSED),
            (false, _) => ExitCode::from(VIOLATED),
        })
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    let text =
        fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    ensure!(
        text.len() <= CHECKPOINT_BYTES_MAX,
        "{} has {} bytes, at most {CHECKPOINT_BYTES_MAX} are accepted",
        path.display(),
        text.len()
    );
    Ok(text)
}
