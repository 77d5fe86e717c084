//! Logger: writes to the journal under systemd, else to stderr. No line holds personal data:
//! bookings are named by version id.

use log::{LevelFilter, Log, Metadata, Record};

/// Starts logging: all lines of the daemon, only warnings and errors of a command, whose own output
/// says the rest.
pub(crate) fn start(daemon: bool) {
    let journal = systemd_journal_logger::connected_to_journal()
        && systemd_journal_logger::JournalLog::new()
            .and_then(|log| log.install().map_err(std::io::Error::other))
            .is_ok();
    if !journal && log::set_logger(&Stderr).is_err() {
        return;
    }
    log::set_max_level(if daemon { LevelFilter::Info } else { LevelFilter::Warn });
}

struct Stderr;

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Of libraries, only errors.
        metadata.target().starts_with("smrt") || metadata.level() == log::Level::Error
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("{} {}", record.level().as_str().to_lowercase(), record.args());
        }
    }

    fn flush(&self) {}
}
