//! Copy of the log in a folder, in the layout of C2SP `tlog-tiles`: an export writes it, a witness
//! keeps it, `smrtctl log verify` reads it. Any software that reads `tlog-tiles` from files does
//! too.
//!
//! - `checkpoint`: the newest signed checkpoint with its cosignatures
//! - `tile/...`: hashes and leaves, at the paths of `tlog-tiles`
//! - `checkpoints.jsonl`: every checkpoint that was kept, one note a line as a JSON string, the
//!   smallest tree first
//! - `details.jsonl`: opened details, one a line: `leaf`, `salt` in hexadecimal, `detail` as the
//!   very text that the leaf commits to
//! - `policy`: the keys of the log and its witnesses with the quorum, as the log states them (C2SP
//!   `tlog-policy`)
//!
//! The checkpoint is written after the tiles that it needs, so a folder whose writing was
//! interrupted is an older log, whole.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

pub use crate::api::wire::OpenedDetail;
use crate::audit::{AuditError, Hash, Holds, Note, TILE_WIDTH, TileId, entries, tile_hashes};
use crate::tls::files::{PUBLIC_MODE, replace};

/// The file of the newest checkpoint.
pub const CHECKPOINT: &str = "checkpoint";
/// The file of kept checkpoints.
pub const CHECKPOINTS: &str = "checkpoints.jsonl";
/// The file of opened details.
pub const DETAILS: &str = "details.jsonl";
/// The file of the policy.
pub const POLICY: &str = "policy";
/// Bytes of a line of details: a detail, escaped.
const LINE_BYTES_MAX: u64 = 1 << 20;

/// Why a copy of the log can't be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogFolderError {
    #[error("{path} can't be read or written")]
    File { path: PathBuf, source: io::Error },
    #[error("{path}, line {line}: {reason}")]
    Line {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        reason: String,
    },
    #[error("{path} is not part of a log")]
    Log { path: PathBuf, source: AuditError },
}

/// A folder with a copy of the log.
#[derive(Clone, Debug)]
pub struct LogFolder {
    folder: PathBuf,
}

impl LogFolder {
    /// A folder, which is made when something is first written.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The folder's path.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The bytes of a tile or bundle, from the file of its name or from a wider one that begins
    /// with it.
    pub fn tile(&self, id: TileId) -> Result<Vec<u8>, LogFolderError> {
        let path = self.folder.join(id.path());
        match fs::read(&path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound && id.width < TILE_WIDTH => {
                let wider = TileId { width: TILE_WIDTH, ..id };
                let whole = fs::read(self.folder.join(wider.path()))
                    .map_err(|_| LogFolderError::File { path: path.clone(), source: e })?;
                beginning(id, wider, &whole).map_err(|source| LogFolderError::Log { path, source })
            }
            read => read.map_err(|source| LogFolderError::File { path, source }),
        }
    }

    /// Reads hashes of a tree of this size as proofs ask for them; of each level the tile read last
    /// is remembered, since a proof asks for several pieces of it.
    pub fn read_hashes(
        &self,
        leaves: u64,
    ) -> impl FnMut(u8, u64, u64) -> Result<Vec<Hash>, LogFolderError> + use<'_> {
        let mut read: Vec<(TileId, Vec<u8>)> = Vec::new();
        move |level, first, count| {
            let holds = Holds::Hashes(level);
            let id = TileId::at(holds, first / TILE_WIDTH, leaves).unwrap_or(TileId {
                holds,
                index: first / TILE_WIDTH,
                width: 1,
            });
            if !read.iter().any(|(known, _)| *known == id) {
                let bytes = self.tile(id)?;
                read.retain(|(known, _)| known.holds != holds);
                read.push((id, bytes));
            }
            let bytes =
                read.iter().find(|(known, _)| *known == id).map_or(&[][..], |(_, bytes)| bytes);
            let wrong = |source| LogFolderError::Log { path: self.folder.join(id.path()), source };
            let at = |hash| usize::try_from(hash - id.first()).unwrap_or(usize::MAX);
            let hashes = tile_hashes(id, bytes).map_err(wrong)?.get(at(first)..at(first + count));
            let short = || {
                wrong(AuditError::Tile {
                    path: id.path(),
                    reason: "it has not as many hashes as its path says",
                })
            };
            hashes.map(<[Hash]>::to_vec).ok_or_else(short)
        }
    }

    /// Writes a tile or bundle. `durable`: synced before this returns.
    pub fn put_tile(&self, id: TileId, bytes: &[u8], durable: bool) -> Result<(), LogFolderError> {
        let path = self.folder.join(id.path());
        let error = |source| LogFolderError::File { path: path.clone(), source };
        fs::create_dir_all(path.parent().unwrap_or(&self.folder)).map_err(error)?;
        if durable { replace(&path, bytes, PUBLIC_MODE) } else { fs::write(&path, bytes) }
            .map_err(error)
    }

    /// Removes partial tiles of a tree of `old` leaves that a tree of `leaves` has wider.
    pub fn drop_partial(&self, old: u64, leaves: u64) -> Result<(), LogFolderError> {
        for tile in TileId::all(old).filter(|tile| {
            tile.width < TILE_WIDTH && TileId::at(tile.holds, tile.index, leaves) != Some(*tile)
        }) {
            let path = self.folder.join(tile.path());
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(LogFolderError::File { path, source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The newest checkpoint; none where nothing was written yet.
    pub fn checkpoint(&self) -> Result<Option<Note>, LogFolderError> {
        let path = self.folder.join(CHECKPOINT);
        let Some(text) = self.text(&path)? else { return Ok(None) };
        Note::parse(&text).map(Some).map_err(|source| LogFolderError::Log { path, source })
    }

    /// Writes the newest checkpoint, durable on return.
    pub fn put_checkpoint(&self, note: &Note) -> Result<(), LogFolderError> {
        self.put(CHECKPOINT, note.to_string().as_bytes())
    }

    /// Every checkpoint that was kept, in the order of the file; one that isn't a note says so with
    /// its line.
    pub fn checkpoints(&self) -> Result<Vec<Note>, LogFolderError> {
        self.checkpoint_lines()?.into_iter().collect()
    }

    /// Every line of kept checkpoints, whether it is one or not.
    pub fn checkpoint_lines(&self) -> Result<Vec<Result<Note, LogFolderError>>, LogFolderError> {
        let path = self.folder.join(CHECKPOINTS);
        let note = |line: Result<(usize, String), LogFolderError>| {
            let (number, line) = line?;
            let wrong =
                |reason: String| LogFolderError::Line { path: path.clone(), line: number, reason };
            Note::parse(&serde_json::from_str::<String>(&line).map_err(|e| wrong(e.to_string()))?)
                .map_err(|e| wrong(e.to_string()))
        };
        Ok(self.lines(&path)?.into_iter().flatten().map(note).collect())
    }

    /// Writes all kept checkpoints anew, durable on return.
    pub fn put_checkpoints(&self, notes: &[Note]) -> Result<(), LogFolderError> {
        let line = |note: &Note| {
            serde_json::to_string(&note.to_string()).expect("a string is JSON") + "\n"
        };
        self.put(CHECKPOINTS, notes.iter().map(line).collect::<String>().as_bytes())
    }

    /// The policy that the log states.
    pub fn policy(&self) -> Result<Option<String>, LogFolderError> {
        self.text(&self.folder.join(POLICY))
    }

    /// Writes the policy that the log states.
    pub fn put_policy(&self, policy: &str) -> Result<(), LogFolderError> {
        self.put(POLICY, policy.as_bytes())
    }

    /// Takes every opened detail in the order of the file, with its line.
    pub fn for_each_detail<E: From<LogFolderError>>(
        &self,
        mut take: impl FnMut(usize, OpenedDetail) -> Result<(), E>,
    ) -> Result<(), E> {
        self.detail_lines()?.try_for_each(|line| {
            line.map_err(E::from).and_then(|(number, detail)| take(number, detail))
        })
    }

    /// Every line of opened details with its number, whether it is one or not.
    pub fn detail_lines(
        &self,
    ) -> Result<
        impl Iterator<Item = Result<(usize, OpenedDetail), LogFolderError>> + use<>,
        LogFolderError,
    > {
        let path = self.folder.join(DETAILS);
        let lines = self.lines(&path)?.into_iter().flatten();
        Ok(lines.map(move |line| {
            let (number, line) = line?;
            let wrong = |e: serde_json::Error| LogFolderError::Line {
                path: path.clone(),
                line: number,
                reason: e.to_string(),
            };
            serde_json::from_str(&line).map(|detail| (number, detail)).map_err(wrong)
        }))
    }

    /// Writes opened details, in place of those that were there.
    pub fn put_details(
        &self,
        details: impl IntoIterator<Item = OpenedDetail>,
    ) -> Result<(), LogFolderError> {
        let path = self.folder.join(DETAILS);
        let error = |source| LogFolderError::File { path: path.clone(), source };
        let mut file = BufWriter::new(File::create(&path).map_err(error)?);
        for detail in details {
            serde_json::to_writer(&mut file, &detail).map_err(|e| error(e.into()))?;
            file.write_all(b"\n").map_err(error)?;
        }
        file.into_inner().map_err(|e| error(e.into_error()))?.sync_all().map_err(error)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<(), LogFolderError> {
        let path = self.folder.join(name);
        let written =
            fs::create_dir_all(&self.folder).and_then(|()| replace(&path, bytes, PUBLIC_MODE));
        written.map_err(|source| LogFolderError::File { path, source })
    }

    /// The lines of a file, which may not be there; one without an end, too long or not UTF-8 is an
    /// error and the next one follows.
    fn lines(&self, path: &Path) -> Result<Option<Lines>, LogFolderError> {
        match File::open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => {
                let file = opened
                    .map_err(|source| LogFolderError::File { path: path.to_owned(), source })?;
                Ok(Some(Lines {
                    path: path.to_owned(),
                    reader: BufReader::new(file),
                    line: 0,
                    failed: false,
                }))
            }
        }
    }

    fn text(&self, path: &Path) -> Result<Option<String>, LogFolderError> {
        match fs::read_to_string(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            read => read
                .map(Some)
                .map_err(|source| LogFolderError::File { path: path.to_owned(), source }),
        }
    }
}

struct Lines {
    path: PathBuf,
    reader: BufReader<File>,
    line: usize,
    failed: bool,
}

impl Iterator for Lines {
    type Item = Result<(usize, String), LogFolderError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = Vec::new();
        match io::Read::take(&mut self.reader, LINE_BYTES_MAX).read_until(b'\n', &mut bytes) {
            _ if self.failed => return None,
            Ok(0) => return None,
            Ok(_) => self.line += 1,
            Err(source) => {
                self.failed = true;
                return Some(Err(LogFolderError::File { path: self.path.clone(), source }));
            }
        }
        let wrong = |reason: &str| LogFolderError::Line {
            path: self.path.clone(),
            line: self.line,
            reason: reason.to_owned(),
        };
        if bytes.pop() != Some(b'\n') {
            return Some(Err(wrong("the line has no end, or is too long")));
        }
        Some(
            String::from_utf8(bytes)
                .map(|line| (self.line, line))
                .map_err(|_| wrong("the line is not UTF-8")),
        )
    }
}

/// The beginning of a wider tile or bundle.
fn beginning(id: TileId, wider: TileId, bytes: &[u8]) -> Result<Vec<u8>, AuditError> {
    let width = usize::try_from(id.width).expect("a tile is small");
    match id.holds {
        Holds::Hashes(_) => {
            let short = || AuditError::Tile {
                path: wider.path(),
                reason: "it has not as many hashes as its path says",
            };
            bytes.get(..width * 32).map(<[u8]>::to_vec).ok_or_else(short)
        }
        Holds::Entries => {
            let leaves = entries(wider, bytes)?;
            let end: usize = leaves[..width].iter().map(|leaf| 2 + leaf.len()).sum();
            Ok(bytes[..end].to_vec())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{LogKey, push_entry};

    #[test]
    fn a_wider_tile_or_bundle_serves_for_a_narrower_one() {
        let temp = tempfile::tempdir().unwrap();
        let folder = LogFolder::at(temp.path());
        let id = |holds, width| TileId { holds, index: 0, width };
        let mut bundle = Vec::new();
        (0..=255).for_each(|n| push_entry(&mut bundle, &vec![n; usize::from(n)]));
        folder.put_tile(id(Holds::Entries, 256), &bundle, false).unwrap();
        folder.put_tile(id(Holds::Hashes(0), 256), &[7; 8192], true).unwrap();
        let three = folder.tile(id(Holds::Entries, 3)).unwrap();
        assert_eq!(entries(id(Holds::Entries, 3), &three).unwrap(), [&[][..], &[1], &[2, 2]]);
        assert_eq!(folder.tile(id(Holds::Hashes(0), 3)).unwrap(), [7; 96]);
        assert!(matches!(folder.tile(id(Holds::Hashes(1), 1)), Err(LogFolderError::File { .. })));
    }

    #[test]
    fn what_is_written_is_read_again() {
        let temp = tempfile::tempdir().unwrap();
        let folder = LogFolder::at(&temp.path().join("log"));
        assert_eq!((folder.checkpoint().unwrap(), folder.checkpoints().unwrap().len()), (None, 0));
        let key = LogKey::new("test.example/log", &[3; 32]).unwrap();
        let notes: Vec<Note> =
            (1..4).map(|leaves| Note::parse(&key.sign(leaves, [1; 32])).unwrap()).collect();
        folder.put_checkpoints(&notes).unwrap();
        folder.put_checkpoint(&notes[2]).unwrap();
        assert_eq!(
            (folder.checkpoints().unwrap(), folder.checkpoint().unwrap()),
            (notes.clone(), Some(notes[2].clone()))
        );
        let detail = |leaf| OpenedDetail {
            leaf,
            salt: "00".repeat(32),
            detail: r#"{"detail":"stopped","software":"0"}"#.to_owned(),
        };
        folder.put_details((0..3).map(detail)).unwrap();
        let mut read = Vec::new();
        folder
            .for_each_detail::<LogFolderError>(|line, detail| {
                read.push((line, detail));
                Ok(())
            })
            .unwrap();
        assert_eq!(
            read,
            (0..3).map(|n| (usize::try_from(n).unwrap() + 1, detail(n))).collect::<Vec<_>>()
        );
        std::fs::write(temp.path().join("log").join(CHECKPOINTS), "\"no note\"\n").unwrap();
        assert!(matches!(folder.checkpoints(), Err(LogFolderError::Line { line: 1, .. })));
    }
}
