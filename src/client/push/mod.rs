//! An agency's feed: a CSV file and its photos, pushed several at a time, resumable at any point.
//!
//! A booking counts as done when its acknowledgement stands in the journal. A refusal doesn't stop
//! the rest: it is written down, and the next push tries that row again. A server that doesn't
//! answer is waited for, as long as the caller's patience lasts.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};

use super::journal::Journal;
use super::rows::{COLUMNS, Refusal, Row, read};
use super::{Client, ClientError};
use crate::api::wire::Booked;
use crate::limits::{
    FEED_BYTES_MAX, FEED_JOBS_DEFAULT, FEED_JOBS_MAX, FEED_LOSSES_MAX, FEED_PATIENCE_SECONDS,
    FEED_PAUSE_MS_MAX, FEED_PAUSE_MS_MIN, FEED_ROWS_MAX, PHOTO_BYTES_MAX,
};

/// Why a push ended before its file did.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedError {
    /// A file can't be read or written.
    #[error("{path} cannot be read or written")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The feed's file is too large.
    #[error("{path} has {found} bytes, at most {FEED_BYTES_MAX} are accepted; divide it")]
    Bytes {
        /// The file.
        path: PathBuf,
        /// Bytes found.
        found: u64,
    },
    /// The feed's file has too many rows.
    #[error("{path} has more than {FEED_ROWS_MAX} rows; divide it")]
    Rows {
        /// The file.
        path: PathBuf,
    },
    /// The feed's file isn't CSV.
    #[error("{path} cannot be read as CSV")]
    Csv {
        /// The file.
        path: PathBuf,
        /// Why.
        source: csv::Error,
    },
    /// A column isn't known, or stands there twice.
    #[error("{path}, line 1: column '{found}' is unknown or repeated, wanted \
        {columns}", columns = COLUMNS.join(", "))]
    Column {
        /// The file.
        path: PathBuf,
        /// The column's name.
        found: String,
    },
    /// A column is missing.
    #[error("{path}, line 1: no column '{wanted}'")]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// The column's name.
        wanted: &'static str,
    },
    /// The number of bookings at a time is out of bounds.
    #[error("{found} bookings at the same time, wanted 1 to {FEED_JOBS_MAX}")]
    Jobs {
        /// Number given.
        found: usize,
    },
    /// The journal is held by another push.
    #[error("{path} is in use by another push of the same file")]
    InUse {
        /// The journal.
        path: PathBuf,
    },
    /// A line of the journal says nothing.
    #[error(
        "{path}, line {line}: not a line of a push's journal; if the file is worthless, remove it \
         and every booking is pushed again"
    )]
    Journal {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The journal speaks of another log.
    #[error(
        "{path} holds acknowledgements of log '{found}', the server's log is '{wanted}'; remove it \
         to push every booking again"
    )]
    OtherLog {
        /// The journal.
        path: PathBuf,
        /// The log named in the journal.
        found: String,
        /// The server's log.
        wanted: String,
    },
    /// The server's log is shorter than what it acknowledged.
    #[error(
        "{path} holds the acknowledgement of leaf {leaf}, but the server's log has {leaves} \
         leaves: it has lost data or is another; \
         ask its operator, then remove the file to push every booking again"
    )]
    LogShorter {
        /// The journal.
        path: PathBuf,
        /// The largest leaf index acknowledged.
        leaf: u64,
        /// Leaves that the server's log has.
        leaves: u64,
    },
    /// The server won't have this feed, or answers nonsense.
    #[error("the push was stopped; running it again resumes after the last acknowledgement")]
    Stopped {
        /// Why.
        source: ClientError,
    },
    /// The server stayed away for too long.
    #[error(
        "the server took nothing for {seconds} s; running the push again resumes after the last \
         acknowledgement"
    )]
    ServerGone {
        /// Seconds since the trouble began.
        seconds: u64,
        /// The last thing that went wrong.
        source: ClientError,
    },
}

/// What to push and how.
#[derive(Clone, Debug)]
pub struct PushOrder {
    /// The folder below which the photos lie.
    pub folder: PathBuf,
    /// The feed's file.
    pub csv: PathBuf,
    /// Bookings pushed at the same time: the server commits those together that come together.
    pub jobs: usize,
    /// How long a server is waited for that takes nothing.
    pub patience: Duration,
}

/// How far a push is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows of the file.
    pub rows: usize,
    /// Rows booked by this push.
    pub booked: usize,
    /// Rows that the server had already, byte for byte.
    pub unchanged: usize,
    /// Rows that an earlier push has the acknowledgement of.
    pub skipped: usize,
    /// Rows refused.
    pub refused: usize,
    /// What the push waits for, if the server doesn't take anything at the moment.
    pub waiting: Option<String>,
}

/// What a push did.
#[derive(Clone, Debug)]
pub struct PushReport {
    /// The figures at the end.
    pub progress: Progress,
    /// The refused rows, by line.
    pub refusals: Vec<Refusal>,
    /// Where the refused rows are written, if there are any.
    pub refused_file: Option<PathBuf>,
    /// How long it took.
    pub time: Duration,
}

impl PushOrder {
    /// An order with the usual number at a time and the usual patience.
    pub fn new(folder: &Path, csv: &Path) -> Self {
        let patience = Duration::from_secs(FEED_PATIENCE_SECONDS);
        Self { folder: folder.to_owned(), csv: csv.to_owned(), jobs: FEED_JOBS_DEFAULT, patience }
    }
}

impl Progress {
    /// Rows that are done with, one way or another.
    pub fn done(&self) -> usize {
        self.booked + self.unchanged + self.skipped + self.refused
    }
}

/// Pushes a feed's file; `progress` is told after each row and whenever a wait begins or ends.
///
/// Errors: a file beyond use, a server that refuses this feed as such or stays away; what was
/// acknowledged until then is kept.
pub fn push(
    client: &Client,
    order: &PushOrder,
    progress: &(dyn Fn(&Progress) + Sync),
) -> Result<PushReport, FeedError> {
    push_through(
        &|| client.checkpoint(),
        &|row, photo| client.put_booking(&row.number, &row.booking, photo),
        order,
        progress,
    )
}

type Checkpoint<'a> = &'a (dyn Fn() -> Result<String, ClientError> + Sync);
type Book<'a> = &'a (dyn Fn(&Row, &[u8]) -> Result<Booked, ClientError> + Sync);

fn push_through(
    checkpoint: Checkpoint<'_>,
    book: Book<'_>,
    order: &PushOrder,
    progress: &(dyn Fn(&Progress) + Sync),
) -> Result<PushReport, FeedError> {
    let begun = Instant::now();
    if !(1..=FEED_JOBS_MAX).contains(&order.jobs) {
        return Err(FeedError::Jobs { found: order.jobs });
    }
    let rows = read(&order.csv)?;
    let mut tally = Tally {
        progress: Progress { rows: rows.len(), ..Progress::default() },
        ..Tally::default()
    };
    let note = loop {
        match checkpoint() {
            Ok(note) => break note,
            Err(e) => thread::sleep(tally.trouble(e, order.patience, progress)?),
        }
    };
    tally.answered();
    let journal_path = beside(&order.csv, ".pushed");
    let (origin, leaves) = log_of(&note).ok_or_else(|| FeedError::Stopped {
        source: ClientError::Unexpected {
            status: 200,
            found: "a checkpoint without origin and size".to_owned(),
        },
    })?;
    let journal = Journal::open(&journal_path, origin)?;
    if let Some(leaf) = journal.leaf_max().filter(|&leaf| leaf >= leaves) {
        return Err(FeedError::LogShorter { path: journal_path, leaf, leaves });
    }
    let refused_path = beside(&order.csv, ".refused.csv");
    remove_if_there(&refused_path)?;
    let work = Work {
        checkpoint,
        book,
        order,
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
        for _ in 0..order.jobs.min(rows.len()) {
            scope.spawn(|| work.run());
        }
    });
    let mut state = work.state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(error) = state.tally.ended.take() {
        return Err(error);
    }
    state.refusals.sort_by_key(|refusal| refusal.line);
    let refused_file = state.refused_file.map(|_| refused_path);
    Ok(PushReport {
        progress: state.tally.progress,
        refusals: state.refusals,
        refused_file,
        time: begun.elapsed(),
    })
}

/// What the workers share.
struct Work<'a> {
    checkpoint: Checkpoint<'a>,
    book: Book<'a>,
    order: &'a PushOrder,
    progress: &'a (dyn Fn(&Progress) + Sync),
    rows: &'a [Result<Row, Refusal>],
    next: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    tally: Tally,
    journal: Journal,
    refused_path: PathBuf,
    refused_file: Option<csv::Writer<File>>,
    refusals: Vec<Refusal>,
}

#[derive(Default)]
struct Tally {
    progress: Progress,
    /// When the server stopped taking anything.
    trouble_began: Option<Instant>,
    /// Why everyone stops.
    ended: Option<FeedError>,
}

/// What became of one row.
enum Outcome {
    Acknowledged(Booked, [u8; 32]),
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

    fn push_row(&self, row: &Row) -> Result<Outcome, FeedError> {
        let photo = match read_photo(&self.order.folder.join(&row.photo)) {
            Ok(photo) => photo,
            Err(reason) => {
                return Ok(Outcome::Refused(format!(
                    "line {}: photo {}: {reason}",
                    row.line,
                    row.photo.display()
                )));
            }
        };
        let digest = digest_of(row, &photo);
        if self.state().journal.holds(row.number.as_str(), &digest) {
            return Ok(Outcome::Skipped);
        }
        let mut losses = 0;
        loop {
            let error = match (self.book)(row, &photo) {
                Ok(booked) => return Ok(Outcome::Acknowledged(booked, digest)),
                Err(ClientError::Refused { problem }) if !matches!(problem.status, 401 | 403) => {
                    return Ok(Outcome::Refused(ClientError::Refused { problem }.to_string()));
                }
                Err(error) => error,
            };
            let lost = matches!(error, ClientError::Lost { .. } | ClientError::TooSlow { .. });
            let words = error.to_string();
            let pause = self.state().tally.trouble(error, self.order.patience, self.progress)?;
            self.sleep(pause);
            if self.state().tally.ended.is_some() {
                // Another worker has said why; this row is left for the next push.
                return Ok(Outcome::Skipped);
            }
            // A server that answers all but this row would otherwise be asked for ever, and the
            // rest of the file never come.
            if lost && (self.checkpoint)().is_ok() {
                self.state().tally.answered();
                losses += 1;
                if losses == FEED_LOSSES_MAX {
                    return Ok(Outcome::Refused(format!(
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
    fn settle(&mut self, row: &Row, outcome: Outcome) -> Result<(), FeedError> {
        let tally = &mut self.tally;
        match outcome {
            Outcome::Acknowledged(booked, digest) => {
                self.journal.append(row.number.as_str(), digest, booked.leaf)?;
                *(if booked.new {
                    &mut tally.progress.booked
                } else {
                    &mut tally.progress.unchanged
                }) += 1;
                tally.answered();
            }
            Outcome::Skipped => tally.progress.skipped += 1,
            Outcome::Refused(reason) => {
                tally.answered();
                let (number, photo) = (row.number.to_string(), row.photo.display().to_string());
                self.refuse(Refusal { line: row.line, number, photo, reason })?;
            }
        }
        Ok(())
    }

    fn refuse(&mut self, refusal: Refusal) -> Result<(), FeedError> {
        let failed =
            |source: io::Error| FeedError::File { path: self.refused_path.clone(), source };
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
        progress: &dyn Fn(&Progress),
    ) -> Result<Duration, FeedError> {
        if !error.passes() {
            return Err(FeedError::Stopped { source: error });
        }
        let waited = self.trouble_began.get_or_insert_with(Instant::now).elapsed();
        if waited >= patience {
            return Err(FeedError::ServerGone { seconds: waited.as_secs(), source: error });
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

fn remove_if_there(path: &Path) -> Result<(), FeedError> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(FeedError::File { path: path.to_owned(), source: e })
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
fn digest_of(row: &Row, photo: &[u8]) -> [u8; 32] {
    // Booking data is strings and dates within the calendar, which always become JSON; were it not
    // so, no journal line could match.
    let json = serde_json::to_vec(&row.booking).unwrap_or_default();
    let mut context = Context::new(&SHA256);
    context.update(&u64::try_from(json.len()).unwrap_or(u64::MAX).to_le_bytes());
    context.update(&json);
    context.update(photo);
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

#[cfg(test)]
mod tests;
