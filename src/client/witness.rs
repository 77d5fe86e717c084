//! Witness of the log: runs on another organisation's machine, keeps a copy of the whole log, and
//! cosigns a checkpoint only if it continues the copy.
//!
//! The server calls nobody, so the witness calls it. A visit fetches the newest checkpoint and the
//! leaves since the last one, recomputes the tree, compares it with the checkpoint before, stores
//! everything durably, and only then cosigns. A log that was shortened or forked gets no
//! cosignature: the witness keeps both checkpoints as evidence, and shows the server its own
//! earlier one.

use std::fs;
use std::path::{Path, PathBuf};

use ureq::Agent;

use super::connection::Client;
use super::error::ClientError;
use super::log::LogFetchError;
use super::log_folder::{LogFolder, LogFolderError};
use crate::api::wire::CosignedView;
use crate::audit::{
    AuditError, Checkpoint, CosignerKey, Hash, Holds, Note, TileId, VerifierKey, entries,
    is_consistent, leaf_hash, node_hash, root_of, tile_hashes,
};
use crate::limits::CHECKPOINT_BYTES_MAX;
use crate::rule::Rule;

/// Folder of what is fetched, until it is verified.
const INCOMING: &str = "incoming";
/// Folder of evidence, one folder a refused visit.
const EVIDENCE: &str = "evidence";

/// Why a visit failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    #[error(transparent)]
    Fetch(#[from] LogFetchError),
    #[error("{path} can't be moved or removed")]
    Move { path: PathBuf, source: std::io::Error },
    /// Another witness, called over a bridge, didn't answer as C2SP `tlog-witness` says.
    #[error("the witness behind the bridge {found}")]
    Bridge { found: String },
}

impl From<ClientError> for WitnessError {
    fn from(e: ClientError) -> Self {
        Self::Fetch(e.into())
    }
}

impl From<LogFolderError> for WitnessError {
    fn from(e: LogFolderError) -> Self {
        Self::Fetch(e.into())
    }
}

impl From<AuditError> for WitnessError {
    fn from(e: AuditError) -> Self {
        Self::Fetch(e.into())
    }
}

/// Key or service that signs for a witness.
pub enum Cosigner {
    Own(CosignerKey),
    /// Another witness that speaks C2SP `tlog-witness`, on a network that the server can't reach.
    Bridge {
        /// Its submission prefix (C2SP `tlog-witness`).
        url: String,
        key: VerifierKey,
        agent: Box<Agent>,
    },
}

/// Result of a visit.
#[derive(Debug)]
pub enum Visit {
    /// The log has no leaf yet.
    Empty,
    /// The log continues the copy, and its checkpoint was cosigned.
    Cosigned(CosignedView),
    /// The log doesn't continue the copy: no cosignature, and evidence is kept.
    Refused {
        /// What is wrong.
        what: String,
        /// The folder with the evidence.
        evidence: PathBuf,
        /// Whether the server was shown its earlier checkpoint and accepted that it signed it.
        server_knows: bool,
    },
}

/// A witness of one log, with its copy in a folder.
pub struct LogWitness {
    copy: LogFolder,
    log: VerifierKey,
    cosigner: Cosigner,
}

impl LogWitness {
    /// A witness of the log with this key; its copy and evidence lie in this folder.
    pub fn new(folder: &Path, log: VerifierKey, cosigner: Cosigner) -> Self {
        Self { copy: LogFolder::at(folder), log, cosigner }
    }

    /// The copy of the log.
    pub fn copy(&self) -> &LogFolder {
        &self.copy
    }

    /// Fetches, verifies and cosigns the log once.
    ///
    /// Units: `now` in seconds since 1970-01-01 UTC.
    pub fn visit(&self, client: &Client, now: u64) -> Result<Visit, WitnessError> {
        let note = client.pending_checkpoint()?;
        let checkpoint = note.checkpoint_of(&self.log)?;
        if checkpoint.leaves == 0 {
            return Ok(Visit::Empty);
        }
        let kept = self.copy.checkpoint()?;
        let before = kept.as_ref().map(|kept| kept.checkpoint_of(&self.log)).transpose()?;
        let incoming = LogFolder::at(&self.copy.path().join(INCOMING));
        self.clear(incoming.path())?;
        let wrong = match &before {
            Some(before) if checkpoint.leaves < before.leaves => Some(format!(
                "it shows {} leaves and had {} before",
                checkpoint.leaves, before.leaves
            )),
            before => self.fetch(client, &incoming, before.as_ref(), &checkpoint)?,
        };
        if let Some(what) = wrong {
            return self.refuse(client, &incoming, &note, kept, what, now);
        }
        let mut note = note;
        self.cosign(client, &mut note, before.as_ref(), &checkpoint, now)?;
        self.keep(&incoming, before.map_or(0, |before| before.leaves), &note, client)?;
        match client.cosign(&note) {
            Ok(view) => Ok(Visit::Cosigned(view)),
            // It can't deny that it signed this, and says that its log is another one now.
            Err(e)
                if e.problem().is_some_and(|problem| problem.kind == Rule::LogInDoubt.code()) =>
            {
                self.refuse(
                    client,
                    &incoming,
                    &note,
                    Some(note.clone()),
                    "it denies a checkpoint that it has just shown".to_owned(),
                    now,
                )
            }
            Err(e) => Err(e.into()),
        }
    }

    /// Fetches the leaves and tiles since the last visit and verifies them against both
    /// checkpoints; returns what is wrong.
    fn fetch(
        &self,
        client: &Client,
        incoming: &LogFolder,
        before: Option<&Checkpoint>,
        checkpoint: &Checkpoint,
    ) -> Result<Option<String>, WitnessError> {
        let old = before.map_or(0, |before| before.leaves);
        for tile in TileId::since(old, checkpoint.leaves) {
            incoming.put_tile(tile, &client.tile(tile)?, true)?;
        }
        for tile in TileId::since(old, checkpoint.leaves) {
            if let Some(what) = self.misfit(incoming, tile, checkpoint.leaves)? {
                return Ok(Some(what));
            }
        }
        let mut read =
            |level, first, count| self.hashes(incoming, checkpoint.leaves, level, first, count);
        if root_of(checkpoint.leaves, &mut read)? != checkpoint.root {
            return Ok(Some(format!(
                "its {} leaves don't have the root that it signed",
                checkpoint.leaves
            )));
        }
        let Some(before) = before else { return Ok(None) };
        let proof = client.consistency(before.leaves, checkpoint.leaves)?;
        let proven =
            is_consistent(before.leaves, &before.root, checkpoint.leaves, &checkpoint.root, &proof);
        let continued = root_of(before.leaves, &mut read)? == before.root;
        Ok((!proven || !continued).then(|| {
            format!(
                "its {} leaves don't begin with the {} that it had before",
                checkpoint.leaves, before.leaves
            )
        }))
    }

    /// Checks that a new tile has the hashes of the leaves, or tiles, below it; returns what is
    /// wrong.
    fn misfit(
        &self,
        incoming: &LogFolder,
        tile: TileId,
        leaves: u64,
    ) -> Result<Option<String>, WitnessError> {
        let Holds::Hashes(level) = tile.holds else { return Ok(None) };
        let found = self.tile(incoming, tile)?;
        let found = tile_hashes(tile, &found)?;
        let fits = match level {
            0 => {
                let bundle = TileId { holds: Holds::Entries, ..tile };
                let bytes = self.tile(incoming, bundle)?;
                entries(bundle, &bytes)?
                    .iter()
                    .zip(found)
                    .all(|(leaf, hash)| leaf_hash(leaf) == *hash)
            }
            level => {
                let mut fits = true;
                for (hash, index) in found.iter().zip(tile.first()..) {
                    let below = TileId::at(Holds::Hashes(level - 1), index, leaves)
                        .expect("a hash stands above a full tile");
                    fits &= root_over(tile_hashes(below, &self.tile(incoming, below)?)?) == *hash;
                }
                fits
            }
        };
        Ok((!fits).then(|| format!("{} doesn't fit what lies below it", tile.path())))
    }

    fn hashes(
        &self,
        incoming: &LogFolder,
        leaves: u64,
        level: u8,
        first: u64,
        count: u64,
    ) -> Result<Vec<Hash>, WitnessError> {
        let tile = TileId::at(Holds::Hashes(level), first / 256, leaves)
            .ok_or(AuditError::Proof("it asks for a tile that the tree has not"))?;
        let bytes = self.tile(incoming, tile)?;
        let begin = usize::try_from(first - tile.first()).expect("a tile is small");
        let end = begin + usize::try_from(count).expect("a tile is small");
        let hashes = tile_hashes(tile, &bytes)?
            .get(begin..end)
            .ok_or(AuditError::Proof("it asks for hashes that the tile has not"))?;
        Ok(hashes.to_vec())
    }

    /// A tile that came in now, or one that was kept before.
    fn tile(&self, incoming: &LogFolder, tile: TileId) -> Result<Vec<u8>, LogFolderError> {
        incoming.tile(tile).or_else(|_| self.copy.tile(tile))
    }

    fn cosign(
        &self,
        client: &Client,
        note: &mut Note,
        before: Option<&Checkpoint>,
        checkpoint: &Checkpoint,
        now: u64,
    ) -> Result<(), WitnessError> {
        match &self.cosigner {
            Cosigner::Own(key) => {
                key.cosign(note, now);
                Ok(())
            }
            Cosigner::Bridge { url, key, agent } => {
                let mut old = before.map_or(0, |before| before.leaves);
                // The other witness may remember another size than was kept here; it says so once.
                for _ in 0..2 {
                    match add_checkpoint(agent, url, client, old, checkpoint.leaves, note)? {
                        Added::Cosigned(lines) => {
                            let signed = Note::parse(&format!("{note}{lines}"))?;
                            let found = || WitnessError::Bridge {
                                found: "answered without a cosignature by its key".to_owned(),
                            };
                            key.cosigned(&signed).ok_or_else(found)?;
                            note.take_over(&signed, key);
                            return Ok(());
                        }
                        Added::Remembers(size) if size <= checkpoint.leaves && size != old => {
                            old = size
                        }
                        Added::Remembers(size) => {
                            return Err(WitnessError::Bridge {
                                found: format!(
                                    "remembers {size} leaves and does not cosign {}",
                                    checkpoint.leaves
                                ),
                            });
                        }
                    }
                }
                Err(WitnessError::Bridge {
                    found: "does not remember the size that it named".to_owned(),
                })
            }
        }
    }

    /// Moves what was fetched into the copy; the checkpoint comes last.
    fn keep(
        &self,
        incoming: &LogFolder,
        old: u64,
        note: &Note,
        client: &Client,
    ) -> Result<(), WitnessError> {
        let leaves = note.checkpoint()?.leaves;
        for tile in TileId::since(old, leaves) {
            let (from, to) =
                (incoming.path().join(tile.path()), self.copy.path().join(tile.path()));
            let moved = to
                .parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| fs::rename(&from, &to));
            moved.map_err(|source| WitnessError::Move { path: from, source })?;
        }
        let mut kept = self.copy.checkpoints()?;
        let last = kept.last().map(Note::checkpoint).transpose()?.map_or(0, |last| last.leaves);
        // The last one may have been cosigned by others since.
        kept.retain(|note| note.checkpoint().is_ok_and(|checkpoint| checkpoint.leaves < last));
        kept.extend(
            client
                .all_checkpoints(last)?
                .into_iter()
                .filter(|note| note.checkpoint_of(&self.log).is_ok()),
        );
        kept.retain(|note| note.checkpoint().is_ok_and(|checkpoint| checkpoint.leaves < leaves));
        kept.push(note.clone());
        self.copy.put_checkpoints(&kept)?;
        self.copy.put_policy(&client.policy()?)?;
        self.copy.put_checkpoint(note)?;
        self.copy.drop_partial(old, leaves)?;
        self.clear(incoming.path())
    }

    /// Keeps both checkpoints as evidence, and shows the server its earlier one.
    fn refuse(
        &self,
        client: &Client,
        incoming: &LogFolder,
        shown: &Note,
        kept: Option<Note>,
        what: String,
        now: u64,
    ) -> Result<Visit, WitnessError> {
        incoming.put_checkpoint(shown)?;
        let (folder, leaves) = (self.copy.path().join(EVIDENCE), shown.checkpoint()?.leaves);
        // Evidence is never written over.
        let names = (0..).map(|n: u32| folder.join(format!("{now}-{leaves}-{n}")));
        let evidence = names.into_iter().find(|path| !path.exists()).expect("the names don't end");
        let moved = evidence
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::rename(incoming.path(), &evidence));
        moved.map_err(|source| WitnessError::Move { path: evidence.clone(), source })?;
        if let Some(kept) = &kept {
            LogFolder::at(&evidence.join("before")).put_checkpoint(kept)?;
        }
        let told = kept.map(|kept| client.cosign(&kept));
        let server_knows = matches!(told,
            Some(Err(ref e)) if e.problem().is_some_and(|problem| problem.kind == "log-in-doubt"));
        Ok(Visit::Refused { what, evidence, server_knows })
    }

    fn clear(&self, folder: &Path) -> Result<(), WitnessError> {
        match fs::remove_dir_all(folder) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(WitnessError::Move { path: folder.to_owned(), source })
            }
            _ => Ok(()),
        }
    }
}

/// The hash over a full tile.
fn root_over(hashes: &[Hash]) -> Hash {
    match hashes {
        [hash] => *hash,
        hashes => {
            let (left, right) = hashes.split_at(hashes.len() / 2);
            node_hash(&root_over(left), &root_over(right))
        }
    }
}

/// Another witness' answer to a checkpoint.
enum Added {
    Cosigned(String),
    Remembers(u64),
}

/// Asks another witness for its cosignature (C2SP `tlog-witness`).
fn add_checkpoint(
    agent: &Agent,
    url: &str,
    client: &Client,
    old: u64,
    new: u64,
    note: &Note,
) -> Result<Added, WitnessError> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let proof = if old == 0 { Vec::new() } else { client.consistency(old, new)? };
    let lines: String = proof.iter().map(|hash| STANDARD.encode(hash) + "\n").collect();
    let body = format!("old {old}\n{lines}\n{note}");
    let failed = |what: String| WitnessError::Bridge { found: what };
    let mut answer = agent
        .post(format!("{}/add-checkpoint", url.trim_end_matches('/')))
        .send(body.as_bytes())
        .map_err(|e| failed(format!("can't be reached: {e}")))?;
    let text = answer.body_mut().with_config().limit(CHECKPOINT_BYTES_MAX as u64).read_to_string();
    let text = text.map_err(|e| failed(format!("broke off: {e}")))?;
    match answer.status().as_u16() {
        200 => Ok(Added::Cosigned(text)),
        409 => match text.trim_end_matches('\n').parse() {
            Ok(size) => Ok(Added::Remembers(size)),
            Err(_) => {
                Err(failed("says that the checkpoint contradicts what it has seen".to_owned()))
            }
        },
        status => Err(failed(format!(
            "answered {status}: {}",
            text.chars().filter(|c| !c.is_control()).take(200).collect::<String>()
        ))),
    }
}
