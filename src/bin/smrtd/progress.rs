//! How far a start is, told to the journal and to systemd: `systemctl status` shows it, and the
//! unit's start timeout doesn't end a start that goes on.

use std::time::{Duration, Instant};

use sd_notify::NotifyState;
use smrt::ledger::{Progress, StartStage, Started};
use smrt::limits::{START_EXTEND_SECONDS, START_LINE_SECONDS, START_STATUS_SECONDS};

/// Tells no more often than anybody reads.
pub(crate) struct Teller {
    stage: Option<StartStage>,
    status: Pace,
    line: Pace,
}

/// When something was told last.
struct Pace {
    every: Duration,
    last: Instant,
}

impl Teller {
    pub(crate) fn new() -> Self {
        let pace = |seconds| Pace { every: Duration::from_secs(seconds), last: Instant::now() };
        Self { stage: None, status: pace(START_STATUS_SECONDS), line: pace(START_LINE_SECONDS) }
    }

    pub(crate) fn tell(&mut self, progress: &Progress) {
        let now = Instant::now();
        let begins = self.stage.replace(progress.stage) != Some(progress.stage);
        if self.status.is_due(now) || begins {
            let extend = u32::try_from(START_EXTEND_SECONDS * 1_000_000)
                .expect("limits holds it to 32 bits");
            let status = format!("starting, {progress}");
            // Without systemd there is nobody to tell.
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

impl Pace {
    fn is_due(&mut self, now: Instant) -> bool {
        let due = now.duration_since(self.last) >= self.every;
        if due {
            self.last = now;
        }
        due
    }
}

/// What a start took, in words.
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
    fn lines_keep_their_distance() {
        let begun = Instant::now();
        let mut pace = Pace { every: Duration::from_secs(5), last: begun };
        let due: Vec<u64> =
            (0..=16).filter(|&second| pace.is_due(begun + Duration::from_secs(second))).collect();
        assert_eq!(due, [5, 10, 15]);
    }

    #[test]
    fn what_a_start_took_is_told_stage_by_stage() {
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
