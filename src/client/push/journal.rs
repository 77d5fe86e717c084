//! Journal of a push: the bookings that the server has acknowledged, in a file beside the CSV file,
//! one line each: `number TAB sha256 TAB leaf`.
//!
//! A line is written after its acknowledgement and never before, so what stands here is done; what
//! is done and doesn't stand here is pushed again, which changes nothing. The first line names the
//! log that acknowledged, so that bookings are sent again to another server. A last line without
//! its end was torn by a crash and is removed.

use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::error::PushError;
use crate::ids::Digest;

/// The first word of the first line; the log's origin follows.
const HEADER: &str = "smrt-feed";

/// The journal of one CSV file.
#[derive(Debug)]
pub(super) struct PushJournal {
    path: PathBuf,
    file: File,
    done: HashMap<String, (Digest, u64)>,
}

impl PushJournal {
    /// Opens the journal, or begins it, for the log of this origin.
    ///
    /// Errors: it belongs to another log, has a line of another form, or is in use.
    pub(super) fn open(path: &Path, origin: &str) -> Result<Self, PushError> {
        let file_error = |source| PushError::File { path: path.to_owned(), source };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(file_error)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(PushError::InUse { path: path.to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(file_error(source)),
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(file_error)?;
        let whole = text.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let mut journal = Self { path: path.to_owned(), file, done: HashMap::new() };
        journal.read(&text[..whole], origin)?;
        journal.file.set_len(u64::try_from(whole).unwrap_or(u64::MAX)).map_err(file_error)?;
        journal.file.seek(SeekFrom::End(0)).map_err(file_error)?;
        if whole == 0 {
            journal.write(&format!("{HEADER}\t{origin}\n"))?;
        }
        Ok(journal)
    }

    /// Whether this row with this photo was acknowledged.
    pub(super) fn holds(&self, number: &str, digest: Digest) -> bool {
        self.done.get(number).is_some_and(|(held, _)| *held == digest)
    }

    /// The largest leaf index acknowledged.
    pub(super) fn leaf_max(&self) -> Option<u64> {
        self.done.values().map(|&(_, leaf)| leaf).max()
    }

    /// Writes down an acknowledgement; it is with the operating system when this returns.
    pub(super) fn append(
        &mut self,
        number: &str,
        digest: Digest,
        leaf: u64,
    ) -> Result<(), PushError> {
        self.write(&format!("{number}\t{digest}\t{leaf}\n"))?;
        self.done.insert(number.to_owned(), (digest, leaf));
        Ok(())
    }

    fn write(&mut self, line: &str) -> Result<(), PushError> {
        self.file
            .write_all(line.as_bytes())
            .map_err(|source| PushError::File { path: self.path.clone(), source })
    }

    fn read(&mut self, text: &[u8], origin: &str) -> Result<(), PushError> {
        for (at, line) in text.split_inclusive(|&b| b == b'\n').enumerate() {
            let parsed = std::str::from_utf8(line)
                .ok()
                .map(|line| line.trim_end_matches('\n').split('\t').collect::<Vec<_>>());
            let understood = match parsed.as_deref() {
                Some([HEADER, found]) if at == 0 => {
                    if *found != origin {
                        return Err(PushError::OtherLog {
                            path: self.path.clone(),
                            found: (*found).to_owned(),
                            wanted: origin.to_owned(),
                        });
                    }
                    true
                }
                Some([number, digest, leaf]) if at > 0 => {
                    match (Digest::parse(digest), leaf.parse()) {
                        (Ok(digest), Ok(leaf)) => {
                            self.done.insert((*number).to_owned(), (digest, leaf));
                            true
                        }
                        _ => false,
                    }
                }
                _ => false,
            };
            if !understood {
                return Err(PushError::Journal { path: self.path.clone(), line: at + 1 });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_was_acknowledged_is_known_after_reopening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.csv.pushed");
        let mut journal = PushJournal::open(&path, "log.example").unwrap();
        journal.append("B-1", Digest([1; 32]), 7).unwrap();
        journal.append("B-2", Digest([2; 32]), 5).unwrap();
        journal.append("B-1", Digest([3; 32]), 6).unwrap();
        drop(journal);
        let journal = PushJournal::open(&path, "log.example").unwrap();
        assert!(journal.holds("B-1", Digest([3; 32])) && journal.holds("B-2", Digest([2; 32])));
        assert!(
            !journal.holds("B-1", Digest([1; 32])),
            "a later acknowledgement of other bytes replaces the earlier"
        );
        assert_eq!(journal.leaf_max(), Some(6));
    }

    #[test]
    fn a_torn_last_line_goes_and_the_next_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.csv.pushed");
        let mut journal = PushJournal::open(&path, "log.example").unwrap();
        journal.append("B-1", Digest([1; 32]), 7).unwrap();
        journal.append("B-2", Digest([2; 32]), 8).unwrap();
        drop(journal);
        let text = fs::read(&path).unwrap();
        for cut in 0..=text.len() {
            fs::write(&path, &text[..cut]).unwrap();
            let mut journal = PushJournal::open(&path, "log.example").unwrap();
            assert_eq!(journal.holds("B-2", Digest([2; 32])), cut == text.len());
            journal.append("B-3", Digest([3; 32]), 9).unwrap();
            drop(journal);
            assert!(
                PushJournal::open(&path, "log.example").unwrap().holds("B-3", Digest([3; 32])),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn the_journal_of_another_log_or_a_damaged_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.csv.pushed");
        drop(PushJournal::open(&path, "log.example").unwrap());
        assert!(matches!(
            PushJournal::open(&path, "other.example"),
            Err(PushError::OtherLog { .. })
        ));
        fs::write(&path, "smrt-feed\tlog.example\nB-1 what\n").unwrap();
        assert!(matches!(
            PushJournal::open(&path, "log.example"),
            Err(PushError::Journal { line: 2, .. })
        ));
        fs::write(&path, "number,photo\n").unwrap();
        assert!(matches!(
            PushJournal::open(&path, "log.example"),
            Err(PushError::Journal { line: 1, .. })
        ));
    }

    #[test]
    fn two_pushes_of_one_file_at_a_time_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("feed.csv.pushed");
        let held = PushJournal::open(&path, "log.example").unwrap();
        assert!(matches!(PushJournal::open(&path, "log.example"), Err(PushError::InUse { .. })));
        drop(held);
        PushJournal::open(&path, "log.example").unwrap();
    }
}
