//! Progress of a start, reported to the journal and to systemd: `systemctl status` shows it, and
//! the unit's start timeout is extended while the start goes on.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use smrt::ledger::{Progress, StartStage, Started};
use smrt::limits::{START_EXTEND_SECONDS, START_LINE_SECONDS, START_STATUS_SECONDS};

/// Reports progress, at most once in a while.
pub(crate) struct StartNotifier {
    stage: Option<StartStage>,
    status: Interval,
    line: Interval,
}

/// The least time between two reports.
struct Interval {
    every: Duration,
    last: Instant,
}

impl StartNotifier {
    pub(crate) fn new() -> Self {
        let interval =
            |seconds| Interval { every: Duration::from_secs(seconds), last: Instant::now() };
        Self {
            stage: None,
            status: interval(START_STATUS_SECONDS),
            line: interval(START_LINE_SECONDS),
        }
    }

    pub(crate) fn report(&mut self, progress: &Progress) {
        let now = Instant::now();
        let begins = self.stage.replace(progress.stage) != Some(progress.stage);
        if self.status.is_due(now) || begins {
            let extend = u32::try_from(START_EXTEND_SECONDS * 1_000_000)
                .expect("limits holds it to 32 bits");
            let status = format!("starting, {progress}");
            // Without systemd this does nothing.
            let _ = sd_notify::notify(&[
                NotifyState::Status(&status),
                NotifyState::ExtendTimeoutUsec(extend),
            ]);
        }
        if self.line.is_due(now) {
            log::info!("starting, {progress}");
        }
    }
}

impl Interval {
    fn is_due(&mut self, now: Instant) -> bool {
        let due = now.duration_since(self.last) >= self.every;
        if due {
            self.last = now;
        }
        due
    }
}

/// Duration of a start and of its stages, in words.
pub(crate) fn took(started: &Started) -> String {
    let stages: Vec<String> = started
        .stages
        .iter()
        .map(|(stage, took)| format!("{} {:.1}", stage.name(), took.as_secs_f64()))
        .collect();
    format!("{:.1} s ({})", started.whole.as_secs_f64(), stages.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_reported_at_most_once_an_interval() {
        let begun = Instant::now();
        let mut interval = Interval { every: Duration::from_secs(5), last: begun };
        let due: Vec<u64> = (0..=16)
            .filter(|&second| interval.is_due(begun + Duration::from_secs(second)))
            .collect();
        assert_eq!(due, [5, 10, 15]);
    }

    #[test]
    fn the_duration_of_a_start_is_told_stage_by_stage() {
        let stages = vec![
            (StartStage::Open, Duration::from_millis(40)),
            (StartStage::Gallery, Duration::from_millis(4_210)),
        ];
        assert_eq!(
            took(&Started { stages, whole: Duration::from_millis(4_300) }),
            "4.3 s (open 0.0, gallery 4.2)"
        );
    }
}
