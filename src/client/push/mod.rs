//! Bulk upload of an agency's bookings: a CSV file and its photos, several at a time, resumable at
//! any point.
//!
//! A booking is done when its acknowledgement stands in the journal beside the CSV file. A refused
//! row doesn't stop the rest: it is written to a file, and the next push tries it again. While the
//! server can't be reached or is busy, the push waits, for as long as its options say.

mod error;
mod feed_file;
mod journal;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

pub use error::PushError;
use feed_file::{FeedRow, read};
pub use feed_file::{RefusedRow, column_list};
use journal::PushJournal;

use super::connection::Client;
use super::error::ClientError;
use crate::api::wire::Booked;
use crate::ids::Digest;
use crate::limits::{
    FEED_JOBS_DEFAULT, FEED_JOBS_MAX, FEED_LOSSES_MAX, FEED_PATIENCE_SECONDS, FEED_PAUSE_MS_MAX,
    FEED_PAUSE_MS_MIN, PHOTO_BYTES_MAX,
};

/// What a push sends, how many bookings at a time, and how long it waits for the server.
#[derive(Clone, Debug)]
pub struct PushOptions {
    /// The folder below which the photos lie.
    pub folder: PathBuf,
    /// The CSV file.
    pub csv: PathBuf,
    /// Bookings sent at the same time; the server commits those together.
    pub jobs: usize,
    /// How long to wait for a server that accepts nothing.
    pub patience: Duration,
}

/// Progress of a push, in rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushProgress {
    /// All rows of the file.
    pub rows: usize,
    /// Rows booked by this push.
    pub booked: usize,
    /// Rows that the server already had, byte for byte.
    pub unchanged: usize,
    /// Rows that an earlier push was acknowledged.
    pub skipped: usize,
    pub refused: usize,
    /// Why the push waits, if the server accepts nothing at the moment.
    pub waiting: Option<String>,
}

/// Result of a push.
#[derive(Clone, Debug)]
pub struct PushSummary {
    pub progress: PushProgress,
    /// By line.
    pub refusals: Vec<RefusedRow>,
    /// The CSV file with the refused rows and why, if there are any.
    pub refused_file: Option<PathBuf>,
    pub time: Duration,
}

impl PushOptions {
    /// Options with the default number at a time and the default wait.
    pub fn new(folder: &Path, csv: &Path) -> Self {
        let patience = Duration::from_secs(FEED_PATIENCE_SECONDS);
        Self { folder: folder.to_owned(), csv: csv.to_owned(), jobs: FEED_JOBS_DEFAULT, patience }
    }
}

impl PushProgress {
    /// Rows that are booked, skipped or refused.
    pub fn done(&self) -> usize {
        self.booked + self.unchanged + self.skipped + self.refused
    }
}

/// Pushes a CSV file's bookings; calls `progress` after each row and whenever a wait begins or
/// ends.
///
/// Errors: a file that can't be used, a server that refuses this feed or accepts nothing for too
/// long; acknowledgements until then are kept.
pub fn push(
    client: &Client,
    options: &PushOptions,
    progress: &(dyn Fn(&PushProgress) + Sync),
) -> Result<PushSummary, PushError> {
    push_through(
        &|| client.checkpoint(),
        &|row, photo| client.put_booking(&row.number, &row.booking, photo),
        options,
        progress,
    )
}

type Checkpoint<'a> = &'a (dyn Fn() -> Result<String, ClientError> + Sync);
type Book<'a> = &'a (dyn Fn(&FeedRow, &[u8]) -> Result<Booked, ClientError> + Sync);

fn push_through(
    checkpoint: Checkpoint<'_>,
    book: Book<'_>,
    options: &PushOptions,
    progress: &(dyn Fn(&PushProgress) + Sync),
) -> Result<PushSummary, PushError> {
    let begun = Instant::now();
    if !(1..=FEED_JOBS_MAX).contains(&options.jobs) {
        return Err(PushError::Jobs { found: options.jobs });
    }
    let rows = read(&options.csv)?;
    let mut tally = Tally {
        progress: PushProgress { rows: rows.len(), ..PushProgress::default() },
        ..Tally::default()
    };
    let note = loop {
        match checkpoint() {
            Ok(note) => break note,
            Err(e) => thread::sleep(tally.trouble(e, options.patience, progress)?),
        }
    };
    tally.answered();
    let journal_path = beside(&options.csv, ".pushed");
    let (origin, leaves) = log_of(&note).ok_or_else(|| PushError::Stopped {
        source: ClientError::Unexpected {
            status: 200,
            found: "a checkpoint without origin and size".to_owned(),
        },
    })?;
    let journal = PushJournal::open(&journal_path, origin)?;
    if let Some(leaf) = journal.leaf_max().filter(|&leaf| leaf >= leaves) {
        return Err(PushError::LogShorter { path: journal_path, leaf, leaves });
    }
    let refused_path = beside(&options.csv, ".refused.csv");
    remove_if_there(&refused_path)?;
    let work = Work {
        checkpoint,
        book,
        options,
        progress,
        rows: &rows,
        next: AtomicUsize::new(0),
        state: Mutex::new(State {
            tally,
            journal,
            refused_path: refused_path.clone(),
            refused_file: None,
            refusals: Vec::new(),
        }),
    };
    thread::scope(|scope| {
        for _ in 0..options.jobs.min(rows.len()) {
            scope.spawn(|| work.run());
        }
    });
    let mut state = work.state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(error) = state.tally.ended.take() {
        return Err(error);
    }
    state.refusals.sort_by_key(|refusal| refusal.line);
    let refused_file = state.refused_file.map(|_| refused_path);
    Ok(PushSummary {
        progress: state.tally.progress,
        refusals: state.refusals,
        refused_file,
        time: begun.elapsed(),
    })
}

/// State that the workers of a push share.
struct Work<'a> {
    checkpoint: Checkpoint<'a>,
    book: Book<'a>,
    options: &'a PushOptions,
    progress: &'a (dyn Fn(&PushProgress) + Sync),
    rows: &'a [Result<FeedRow, RefusedRow>],
    next: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    tally: Tally,
    journal: PushJournal,
    refused_path: PathBuf,
    refused_file: Option<csv::Writer<File>>,
    refusals: Vec<RefusedRow>,
}

#[derive(Default)]
struct Tally {
    progress: PushProgress,
    /// Since when the server accepts nothing.
    trouble_began: Option<Instant>,
    /// Why the push ends early.
    ended: Option<PushError>,
}

/// Result of one row.
enum RowOutcome {
    Acknowledged(Booked, Digest),
    Skipped,
    Refused(String),
}

impl Work<'_> {
    fn run(&self) {
        while let Some(row) = self.rows.get(self.next.fetch_add(1, Ordering::Relaxed)) {
            if self.state().tally.ended.is_some() {
                return;
            }
            let done = match row {
                Err(refusal) => self.state().refuse(refusal.clone()),
                Ok(row) => self.push_row(row).and_then(|outcome| self.state().settle(row, outcome)),
            };
            let mut state = self.state();
            if let Err(error) = done {
                state.tally.ended.get_or_insert(error);
            }
            (self.progress)(&state.tally.progress);
        }
    }

    fn push_row(&self, row: &FeedRow) -> Result<RowOutcome, PushError> {
        let photo = match read_photo(&self.options.folder.join(&row.photo)) {
            Ok(photo) => photo,
            Err(reason) => {
                return Ok(RowOutcome::Refused(format!(
                    "line {}: photo {}: {reason}",
                    row.line,
                    row.photo.display()
                )));
            }
        };
        let digest = digest_of(row, &photo);
        if self.state().journal.holds(row.number.as_str(), digest) {
            return Ok(RowOutcome::Skipped);
        }
        let mut losses = 0;
        loop {
            let error = match (self.book)(row, &photo) {
                Ok(booked) => return Ok(RowOutcome::Acknowledged(booked, digest)),
                Err(ClientError::Refused { problem }) if !matches!(problem.status, 401 | 403) => {
                    return Ok(RowOutcome::Refused(ClientError::Refused { problem }.to_string()));
                }
                Err(error) => error,
            };
            let lost = matches!(error, ClientError::Lost { .. } | ClientError::TooSlow { .. });
            let words = error.to_string();
            let pause = self.state().tally.trouble(error, self.options.patience, self.progress)?;
            self.sleep(pause);
            if self.state().tally.ended.is_some() {
                // Another worker has said why; this row is left for the next push.
                return Ok(RowOutcome::Skipped);
            }
            // A server that answers all but this row would otherwise be asked for ever, and the
            // rest of the file never come.
            if lost && (self.checkpoint)().is_ok() {
                self.state().tally.answered();
                losses += 1;
                if losses == FEED_LOSSES_MAX {
                    return Ok(RowOutcome::Refused(format!(
                        "line {}: tried {losses} times while the server answered otherwise; \
                         {words}",
                        row.line
                    )));
                }
            }
        }
    }

    /// Sleeps in short pieces, so that nobody is waited for when another worker has given up.
    fn sleep(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while Instant::now() < until && self.state().tally.ended.is_none() {
            thread::sleep((until - Instant::now()).min(Duration::from_millis(100)));
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl State {
    fn settle(&mut self, row: &FeedRow, outcome: RowOutcome) -> Result<(), PushError> {
        let tally = &mut self.tally;
        match outcome {
            RowOutcome::Acknowledged(booked, digest) => {
                self.journal.append(row.number.as_str(), digest, booked.leaf)?;
                *(if booked.new {
                    &mut tally.progress.booked
                } else {
                    &mut tally.progress.unchanged
                }) += 1;
                tally.answered();
            }
            RowOutcome::Skipped => tally.progress.skipped += 1,
            RowOutcome::Refused(reason) => {
                tally.answered();
                let (number, photo) = (row.number.to_string(), row.photo.display().to_string());
                self.refuse(RefusedRow { line: row.line, number, photo, reason })?;
            }
        }
        Ok(())
    }

    fn refuse(&mut self, refusal: RefusedRow) -> Result<(), PushError> {
        let failed =
            |source: io::Error| PushError::File { path: self.refused_path.clone(), source };
        if self.refused_file.is_none() {
            let mut writer =
                csv::Writer::from_path(&self.refused_path).map_err(|e| failed(e.into()))?;
            writer
                .write_record(["line", "number", "photo", "reason"])
                .map_err(|e| failed(e.into()))?;
            self.refused_file = Some(writer);
        }
        if let Some(writer) = &mut self.refused_file {
            let line = refusal.line.to_string();
            writer
                .write_record([&line, &refusal.number, &refusal.photo, &refusal.reason])
                .map_err(|e| failed(e.into()))?;
            writer.flush().map_err(failed)?;
        }
        self.refusals.push(refusal);
        self.tally.progress.refused += 1;
        Ok(())
    }
}

impl Tally {
    /// The server answered: whatever was wrong is over.
    fn answered(&mut self) {
        self.trouble_began = None;
        self.progress.waiting = None;
    }

    /// How long to pause before the next try.
    ///
    /// Errors: trying again doesn't help, or the patience is at its end.
    fn trouble(
        &mut self,
        error: ClientError,
        patience: Duration,
        progress: &dyn Fn(&PushProgress),
    ) -> Result<Duration, PushError> {
        if !error.passes() {
            return Err(PushError::Stopped { source: error });
        }
        let waited = self.trouble_began.get_or_insert_with(Instant::now).elapsed();
        if waited >= patience {
            return Err(PushError::ServerGone { seconds: waited.as_secs(), source: error });
        }
        // Half of the wait so far makes pauses grow the same way however many workers share the
        // trouble.
        let pause = (waited / 2).clamp(
            Duration::from_millis(FEED_PAUSE_MS_MIN),
            Duration::from_millis(FEED_PAUSE_MS_MAX),
        );
        let asked = if let ClientError::Wait { seconds, .. } = error {
            Duration::from_secs(seconds)
        } else {
            Duration::ZERO
        };
        self.progress.waiting = Some(error.to_string());
        progress(&self.progress);
        Ok(pause.max(asked).min(patience - waited))
    }
}

fn beside(csv: &Path, ending: &str) -> PathBuf {
    let mut path = csv.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

fn remove_if_there(path: &Path) -> Result<(), PushError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(PushError::File { path: path.to_owned(), source: e })
        }
        _ => Ok(()),
    }
}

/// Origin and size, the first two lines of a checkpoint.
fn log_of(note: &str) -> Option<(&str, u64)> {
    let mut lines = note.lines();
    let origin = lines.next().filter(|line| !line.is_empty())?;
    Some((origin, lines.next()?.parse().ok()?))
}

fn read_photo(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = fs::metadata(path).map_err(|e| e.to_string())?.len();
    if bytes > u64::try_from(PHOTO_BYTES_MAX).unwrap_or(u64::MAX) {
        return Err(format!("{bytes} bytes, at most {PHOTO_BYTES_MAX} are accepted"));
    }
    fs::read(path).map_err(|e| e.to_string())
}

/// SHA-256 over the row's data and its photo, kept apart by the length of the first.
fn digest_of(row: &FeedRow, photo: &[u8]) -> Digest {
    // Booking data is strings and dates within the calendar, which always become JSON; were it not
    // so, no journal line could match.
    let json = serde_json::to_vec(&row.booking).unwrap_or_default();
    let length = u64::try_from(json.len()).unwrap_or(u64::MAX).to_le_bytes();
    Digest::of_parts(&[&length, &json, photo])
}

#[cfg(test)]
mod tests;
