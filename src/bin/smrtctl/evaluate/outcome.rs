//! Searches of a labelled folder: for each probe, where its subject came or who came best, and the
//! rates that follow.

use serde::Deserialize;
use smrt::face::{Candidate, Embedding, dot};

/// Mates count when they are among so many candidates.
pub(super) const CANDIDATES: usize = 20;
/// A line of the folder's index.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) file: String,
    pub(super) subject: String,
    pub(super) role: PhotoRole,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum PhotoRole {
    Enrol,
    MatedProbe,
    NonMatedProbe,
}

/// Results of all searches.
pub(super) struct SearchResults {
    /// For each mated probe the first place, from 1, and the score of an enrolled photo of its
    /// subject; none where it found nobody.
    pub(super) mated: Vec<Option<(usize, f64)>>,
    /// For each probe of somebody who isn't enrolled its best score; none where it found nobody.
    pub(super) non_mated: Vec<Option<f64>>,
}

impl SearchResults {
    pub(super) fn of(rows: &[Row], embeddings: &[Option<Embedding>]) -> Self {
        let with =
            |role: PhotoRole| rows.iter().zip(embeddings).filter(move |(r, _)| r.role == role);
        let gallery: Vec<(&str, &Embedding)> = with(PhotoRole::Enrol)
            .filter_map(|(r, e)| e.as_ref().map(|e| (r.subject.as_str(), e)))
            .collect();
        let mated = with(PhotoRole::MatedProbe)
            .map(|(row, probe)| first_mate(&gallery, &row.subject, probe.as_ref()?))
            .collect();
        let best = |probe: &Embedding| {
            gallery
                .iter()
                .map(|(_, e)| dot(e.components(), probe.components()))
                .max_by(f64::total_cmp)
        };
        let non_mated =
            with(PhotoRole::NonMatedProbe).map(|(_, probe)| best(probe.as_ref()?)).collect();
        Self { mated, non_mated }
    }

    /// Share of mated probes whose subject is among the first `rank`.
    pub(super) fn found_within(&self, rank: usize) -> Option<f64> {
        share(self.mated.iter().flatten().filter(|(at, _)| *at <= rank).count(), self.mated.len())
    }

    /// The score that so large a share of the probes of nobody enrolled exceed; minus infinity
    /// where some found nobody at all.
    pub(super) fn threshold(&self, false_alarms: f64) -> Option<f64> {
        let mut best: Vec<f64> =
            self.non_mated.iter().map(|s| s.unwrap_or(f64::NEG_INFINITY)).collect();
        best.sort_by(|a, b| b.total_cmp(a));
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of probes"
        )]
        let alarms = (best.len() as f64 * false_alarms) as usize;
        best.get(alarms).copied()
    }

    /// Share of mated probes whose subject isn't among the first candidates with a score above the
    /// threshold.
    pub(super) fn missed_at(&self, threshold: f64) -> Option<f64> {
        let found = self
            .mated
            .iter()
            .flatten()
            .filter(|(at, score)| *at <= CANDIDATES && *score > threshold)
            .count();
        share(self.mated.len() - found, self.mated.len())
    }
}

/// Place and score of the best enrolled photo of `subject`.
pub(super) fn first_mate(
    gallery: &[(&str, &Embedding)],
    subject: &str,
    probe: &Embedding,
) -> Option<(usize, f64)> {
    let mut candidates: Vec<Candidate> = (0u32..)
        .zip(gallery)
        .map(|(row, (_, e))| Candidate { row, score: dot(e.components(), probe.components()) })
        .collect();
    candidates.sort_by(Candidate::order);
    let at = candidates.iter().position(|c| gallery[c.row as usize].0 == subject)?;
    Some((at + 1, candidates[at].score))
}

#[expect(clippy::cast_precision_loss, reason = "counts of probes are far below 2^52")]
pub(super) fn share(part: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}
