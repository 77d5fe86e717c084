//! How far a start is, for whoever waits for it.

use std::time::{Duration, Instant};

use super::error::LedgerError;

/// A stage of a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StartStage {
    /// The store and the key slots are opened.
    Open,
    /// The models of the stored vectors are loaded, and those of a switch under way.
    Models,
    /// The tree is recomputed over all leaves and held against the signed checkpoint.
    Log,
    /// The heads of all bookings and searches are read.
    Records,
    /// Photos are listed, and what no record knows is wiped.
    Photos,
    /// Vectors are opened and go to the gallery.
    Gallery,
    /// The engine's answer to a known probe is held against the processor's.
    Proof,
}

/// How far a start is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The stage at work.
    pub stage: StartStage,
    /// Rows done in it: leaves, bookings and searches, folders or vectors.
    pub done: u64,
    /// Rows to do in it.
    pub total: u64,
    /// How long it has been at work.
    pub elapsed: Duration,
}

/// How long a start took.
#[derive(Clone, Debug, Default)]
pub struct Started {
    /// Each stage, in the order in which they ran.
    pub stages: Vec<(StartStage, Duration)>,
    /// All of it.
    pub whole: Duration,
}

impl StartStage {
    /// One word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Models => "models",
            Self::Log => "log",
            Self::Records => "records",
            Self::Photos => "photos",
            Self::Gallery => "gallery",
            Self::Proof => "proof",
        }
    }
}

impl std::fmt::Display for Progress {
    /// What a person is told: `gallery: 250000 of 1000000, 98000 a second`; only the name where
    /// there is nothing to count.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { stage, done, total, .. } = *self;
        f.write_str(stage.name())?;
        if total == 0 {
            return Ok(());
        }
        write!(f, ": {done} of {total}")?;
        match u128::from(done) * 1_000_000 / self.elapsed.as_micros().max(1) {
            0 => Ok(()),
            rate => write!(f, ", {rate} a second"),
        }
    }
}

/// Who is told, and what each stage took so far.
pub(super) struct Steps<'w> {
    watch: &'w mut dyn FnMut(&Progress),
    begun: Instant,
    stages: Vec<(StartStage, Duration)>,
}

/// One stage at work.
pub(super) struct StageSteps<'s> {
    watch: &'s mut dyn FnMut(&Progress),
    begun: Instant,
    stage: StartStage,
    done: u64,
    total: u64,
}

impl<'w> Steps<'w> {
    pub(super) fn new(watch: &'w mut dyn FnMut(&Progress)) -> Self {
        Self { watch, begun: Instant::now(), stages: Vec::new() }
    }

    /// Runs a stage of `total` rows; it is told when it begins and whenever `work` adds rows.
    pub(super) fn run<T>(
        &mut self,
        stage: StartStage,
        total: u64,
        work: impl FnOnce(&mut StageSteps<'_>) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let mut step =
            StageSteps { watch: &mut *self.watch, begun: Instant::now(), stage, done: 0, total };
        step.add(0);
        let result = work(&mut step);
        let took = step.begun.elapsed();
        self.stages.push((stage, took));
        result
    }

    pub(super) fn end(self) -> Started {
        Started { stages: self.stages, whole: self.begun.elapsed() }
    }
}

impl StageSteps<'_> {
    pub(super) fn add(&mut self, rows: u64) {
        self.done += rows;
        let Self { stage, done, total, .. } = *self;
        (self.watch)(&Progress { stage, done, total, elapsed: self.begun.elapsed() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_progress_gives_rows_total_and_rate() {
        let at = |done, elapsed| {
            Progress { stage: StartStage::Gallery, done, total: 1_000_000, elapsed }.to_string()
        };
        assert_eq!(
            at(250_000, Duration::from_millis(2_500)),
            "gallery: 250000 of 1000000, 100000 a second"
        );
        assert_eq!(at(0, Duration::ZERO), "gallery: 0 of 1000000");
        assert_eq!(
            Progress { stage: StartStage::Open, done: 0, total: 0, elapsed: Duration::ZERO }
                .to_string(),
            "open"
        );
    }
}
