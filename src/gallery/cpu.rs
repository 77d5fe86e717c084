//! The engine that needs no device: every live row scored in f64, on as many threads as the work is worth.
//!
//! It is the reference for the other engine, and its way out where the device's list of candidates is too short.

use super::rows::Rows;
use crate::face::Candidate;
use crate::limits::GALLERY_THREADS_MAX;

/// Multiplications that a further thread must bring, so that starting it pays.
const WORK_PER_THREAD_MIN: u64 = 1 << 20;
/// Sums kept side by side, so that the compiler can use vector registers; exact arithmetic doesn't mind the order.
const LANES: usize = 8;

/// Threads that a search may use on this machine.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(GALLERY_THREADS_MAX)
}

/// The `k` best live rows for each probe, best first.
///
/// Shapes: `probes` is P x D; the result is P lists of at most `k`.
pub(super) fn search(rows: &Rows, probes: &[&[f32]], k: usize, threads_max: usize) -> Vec<Vec<Candidate>> {
    let work = u64::from(rows.len()) * rows.dimension() as u64 * probes.len() as u64;
    let threads = usize::try_from(work / WORK_PER_THREAD_MIN).unwrap_or(threads_max).clamp(1, threads_max.max(1));
    let share = rows.len().div_ceil(u32::try_from(threads).expect("threads are few"));
    if threads == 1 {
        return search_range(rows, 0, rows.len(), probes, k).into_iter().map(Best::into_sorted).collect();
    }
    let parts: Vec<Vec<Best>> = std::thread::scope(|scope| {
        let starts = (0..rows.len()).step_by(share as usize);
        let parts =
            starts.map(|first| scope.spawn(move || search_range(rows, first, rows.len().min(first.saturating_add(share)), probes, k)));
        let parts: Vec<_> = parts.collect();
        // A panic over there is a bug here: it goes on in the caller's thread.
        parts.into_iter().map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    let mut merged: Vec<Best> = probes.iter().map(|_| Best::new(k)).collect();
    for part in parts {
        for (all, best) in merged.iter_mut().zip(part) {
            best.found.into_iter().for_each(|candidate| all.offer(candidate));
        }
    }
    merged.into_iter().map(Best::into_sorted).collect()
}

fn search_range(rows: &Rows, first: u32, end: u32, probes: &[&[f32]], k: usize) -> Vec<Best> {
    let mut best: Vec<Best> = probes.iter().map(|_| Best::new(k)).collect();
    for row in (first..end).filter(|&row| rows.is_live(row)) {
        let components = rows.row(row);
        for (probe, best) in probes.iter().zip(&mut best) {
            best.offer(Candidate { row, score: score(components, probe) });
        }
    }
    best
}

/// What `face::dot` gives, in an order that vector registers like.
fn score(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0; LANES];
    let (a_lanes, a_rest) = a.as_chunks::<LANES>();
    let (b_lanes, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_lanes.iter().zip(b_lanes) {
        for lane in 0..LANES {
            sums[lane] += f64::from(a[lane]) * f64::from(b[lane]);
        }
    }
    sums.iter().sum::<f64>() + crate::face::dot(a_rest, b_rest)
}

/// The `k` best of the candidates offered so far.
struct Best {
    k: usize,
    found: Vec<Candidate>,
    /// The k-th best of an earlier moment: what isn't before it can't be among the best.
    last: Option<Candidate>,
}

impl Best {
    fn new(k: usize) -> Self {
        Self { k, found: Vec::new(), last: None }
    }

    fn offer(&mut self, candidate: Candidate) {
        if self.k == 0 || self.last.is_some_and(|last| last.order(&candidate).is_lt()) {
            return;
        }
        self.found.push(candidate);
        // Cutting only now and then costs less than keeping order.
        if self.found.len() >= self.k.saturating_mul(2).max(64) && self.found.len() > self.k {
            let (_, last, _) = self.found.select_nth_unstable_by(self.k - 1, Candidate::order);
            self.last = Some(*last);
            self.found.truncate(self.k);
        }
    }

    fn into_sorted(mut self) -> Vec<Candidate> {
        self.found.sort_unstable_by(Candidate::order);
        self.found.truncate(self.k);
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Numbers;
    use super::*;

    #[test]
    fn many_threads_give_what_one_gives() {
        let mut numbers = Numbers::new(7);
        let mut rows = Rows::new(19);
        for i in 0..3_000 {
            let embedding = numbers.embedding(19);
            rows.append(&embedding).unwrap();
            // Equal rows far apart end in different threads.
            if i % 100 == 0 {
                rows.append(&embedding).unwrap();
            }
        }
        rows.set_live(5, false).unwrap();
        let probes: Vec<_> = (0..40).map(|_| numbers.embedding(19)).collect();
        let probes: Vec<&[f32]> = probes.iter().map(crate::face::Embedding::components).collect();
        const { assert!(3_000 * 19 * 40 > 2 * WORK_PER_THREAD_MIN, "the work is worth two threads") };
        let one = search(&rows, &probes, 70, 1);
        assert_eq!(search(&rows, &probes, 70, 2), one);
        assert_eq!(search(&rows, &probes, 70, 7), one);
        assert_eq!(one[0].len(), 70);
    }

    #[test]
    fn the_lanes_give_the_exact_dot_product() {
        let mut numbers = Numbers::new(3);
        for dimension in 16..60 {
            let (a, b) = (numbers.embedding(dimension), numbers.embedding(dimension));
            assert_eq!(score(a.components(), b.components()).to_bits(), a.score(&b).to_bits());
        }
    }
}
