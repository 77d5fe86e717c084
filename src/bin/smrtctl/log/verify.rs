//! `smrtctl log verify`: offline verification of a copy of the log.

use std::fs;
use std::io::{Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::Args;
use smrt::audit::{Note, Quorum};
use smrt::client::log_folder::LogFolder;
use smrt::client::verify_log::{VerifyOptions, verify};
use smrt::limits::CHECKPOINT_BYTES_MAX;

/// Exit status of a log that does not hold.
const VIOLATED: u8 = 2;
/// Exit status of a log that holds, but not all of which is witnessed.
const NOT_WITNESSED: u8 = 3;

/// Verify an exported log, offline: every leaf, checkpoint, cosignature and opened detail, and the
/// rules between them.
///
/// Exit status: 0 all holds, 1 it can't be verified, 2 something does not hold, 3 it holds, but not
/// enough witnesses have cosigned some leaves, so that only the log's owner has signed them; the
/// output says which.
#[derive(Args)]
pub(crate) struct VerifyLogCommand {
    /// The folder with the log, as `smrtctl log export` or a witness wrote it.
    dir: PathBuf,
    /// A checkpoint kept from before: the log must continue it.
    #[arg(long, value_name = "CHECKPOINT_FILE")]
    since: Option<PathBuf>,
    /// Keys of the log and its witnesses with their quorum (C2SP tlog-policy), from somebody other
    /// than the log's owner. Without it the folder's own keys are used, which proves nothing about
    /// who signed until you compare them.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// The export has all details: each must be there, unless the log says that it has expired.
    #[arg(long)]
    all_details: bool,
    /// Print the result as one JSON object.
    #[arg(long)]
    json: bool,
}

impl VerifyLogCommand {
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
        let options = VerifyOptions { keys, since, all_details: self.all_details };
        let verdict = verify(&LogFolder::at(&self.dir), &options)?;
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
