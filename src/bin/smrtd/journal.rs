//! Where log lines go: the journal under systemd, else stderr. No line holds personal data:
//! bookings are named by version id.

use log::{LevelFilter, Log, Metadata, Record};

/// Starts logging. A person who runs a command at a terminal is told by its own output; warnings
/// still reach them.
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
        // What libraries have to say is theirs to fix, unless it is an error.
        metadata.target().starts_with("smrt") || metadata.level() == log::Level::Error
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("{} {}", record.level().as_str().to_lowercase(), record.args());
        }
    }

    fn flush(&self) {}
}
