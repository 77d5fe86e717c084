//! Rescoring, the exact end of every search: of the rows that no bound could drop, the k best by
//! their f64 scores.
//!
//! In two steps. The k rows with the best lower bounds are scored first, and the k-th best of these
//! scores is a lower bound of the k-th best of all that is hard to beat: most of the other rows end
//! below it without being scored.

use super::bound::ProbeBound;
use super::rows::Rows;
use super::simd::exact;
use crate::face::Candidate;

/// Bytes of rows that are asked for before they are scored, because they lie anywhere in memory:
/// what the nearest cache has room for.
const AHEAD_BYTES: usize = 32 << 10;

/// A row that was kept, with its bounds in f32 as `bound` defines them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct KeptRow {
    pub(super) place: u32,
    pub(super) z: f32,
    pub(super) low: f32,
}

/// The outcome of a scan for one probe: together, all rows that may be among its k best.
#[derive(Clone, Debug, Default)]
pub(super) struct Scanned {
    /// Not scored yet.
    pub(super) found: Vec<KeptRow>,
    /// Scored already, because there were too many to keep.
    pub(super) scored: Vec<Candidate>,
    /// Rows that were scored on the way.
    pub(super) rescored: u64,
    /// How often there were too many to keep.
    pub(super) fallbacks: u64,
}

impl Scanned {
    /// The `k` best, best first, and how many rows were scored in all.
    pub(super) fn finish(
        mut self,
        rows: &Rows,
        probe: &[f32],
        bound: &ProbeBound,
        k: usize,
    ) -> (Vec<Candidate>, u64) {
        if self.found.len() > k {
            self.found.select_nth_unstable_by(k, |a, b| b.low.total_cmp(&a.low));
        }
        let mut rest = self.found.split_off(k.min(self.found.len()));
        self.score_found(rows, probe, k);
        if let Some(last) = self.scored.get(k - 1) {
            let theta = bound.theta_of_score(last.score);
            rest.retain(|found| found.z >= theta);
        }
        self.found = rest;
        self.score_found(rows, probe, k);
        (self.scored, self.rescored)
    }

    /// Scores what was found and keeps the `k` best: what to do when there are too many. Gives the
    /// theta that follows.
    pub(super) fn fall_back(
        &mut self,
        rows: &Rows,
        probe: &[f32],
        bound: &ProbeBound,
        k: usize,
    ) -> Option<f32> {
        self.fallbacks += 1;
        self.score_found(rows, probe, k);
        (self.scored.len() == k).then(|| bound.theta_of_score(self.scored[k - 1].score))
    }

    fn score_found(&mut self, rows: &Rows, probe: &[f32], k: usize) {
        self.rescored += self.found.len() as u64;
        score(rows, probe, &self.found, &mut self.scored);
        self.found.clear();
        keep_best(&mut self.scored, k);
    }

    /// Adds what another scan knows of other rows.
    pub(super) fn merge(&mut self, other: Self) {
        self.found.extend(other.found);
        self.scored.extend(other.scored);
        self.rescored += other.rescored;
        self.fallbacks += other.fallbacks;
    }
}

/// Sorts, best first, and keeps at most `k`.
pub(super) fn keep_best(candidates: &mut Vec<Candidate>, k: usize) {
    if k > 0 && candidates.len() > k {
        candidates.select_nth_unstable_by(k - 1, Candidate::order);
    }
    candidates.truncate(k);
    candidates.sort_unstable_by(Candidate::order);
}

fn score(rows: &Rows, probe: &[f32], found: &[KeptRow], scored: &mut Vec<Candidate>) {
    scored.reserve(found.len());
    let ahead = (AHEAD_BYTES / size_of_val(probe)).max(1);
    found.iter().take(ahead).for_each(|found| rows.prefetch(found.place));
    for (at, one) in found.iter().enumerate() {
        if let Some(later) = found.get(at + ahead) {
            rows.prefetch(later.place);
        }
        let (row, numbers) = rows.row(one.place);
        scored.push(Candidate { row, score: exact(numbers, probe) });
    }
}

#[cfg(test)]
mod tests {
    use super::super::bound::quantise_row;
    use super::super::tests::Numbers;
    use super::*;

    #[test]
    fn every_order_of_summing_gives_the_same_score() {
        let mut numbers = Numbers::new(3);
        for dimension in (16..150).chain([512, 2_048]) {
            let (a, b) = (numbers.embedding(dimension), numbers.embedding(dimension));
            assert_eq!(exact(a.components(), b.components()).to_bits(), a.score(&b).to_bits());
        }
    }

    #[test]
    fn only_what_the_bound_cannot_rule_out_is_scored() {
        let mut numbers = Numbers::new(2);
        let mut rows = Rows::new(32, false);
        for _ in 0..500 {
            rows.append(&numbers.embedding(32)).unwrap();
        }
        let probe = numbers.embedding(32);
        let bound = ProbeBound::new(probe.components());
        let mut codes = vec![0; 32];
        let found: Vec<KeptRow> = (0..500)
            .map(|place| {
                let row = quantise_row(rows.row(place).1, &mut codes);
                let dot = codes
                    .iter()
                    .zip(&bound.codes)
                    .map(|(&c, &p)| i32::from(c) * i32::from(p))
                    .sum();
                let z = bound.z(dot, row);
                KeptRow { place, z, low: bound.low(z, row.residual) }
            })
            .collect();
        let mut wanted: Vec<_> = (0..500)
            .map(|row| Candidate { row, score: exact(rows.row(row).1, probe.components()) })
            .collect();
        keep_best(&mut wanted, 10);
        let finish = |found: &[KeptRow], k| {
            let scanned = Scanned { found: found.to_vec(), ..Scanned::default() };
            scanned.finish(&rows, probe.components(), &bound, k)
        };
        let (candidates, rescored) = finish(&found, 10);
        assert_eq!(candidates, wanted);
        assert!((10..40).contains(&rescored), "{rescored}");
        assert_eq!(finish(&found[..3], 10).1, 3);
        assert_eq!(finish(&[], 10), (Vec::new(), 0));
        let mut crowded = Scanned { found, ..Scanned::default() };
        crowded.fall_back(&rows, probe.components(), &bound, 10).unwrap();
        assert_eq!((crowded.rescored, crowded.fallbacks, crowded.found.len()), (500, 1, 0));
        assert_eq!(crowded.finish(&rows, probe.components(), &bound, 10).0, wanted);
    }
}
