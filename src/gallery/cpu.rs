//! The CPU engine: one pass over the codes for all probes, on as many threads as the
//! work is worth.
//!
//! Threads take piece after piece of the rows and share each probe's threshold: what one has found
//! out is valid for all. Rows that the bound can't drop are kept by their places and scored after
//! the scan.

use super::blocks::{BLOCK_ROWS, Hit, Line, TILE_PROBES, Tile, block_lines};
use super::bound::{ProbeBound, THETA_CLOSED, THETA_OPEN};
use super::rescore::{KeptRow, Scanned, keep_best};
use super::rows::{PIECE_ROWS, Rows};
use super::simd::{Path, exact};
use crate::face::Candidate;
use crate::limits::{FOUND_LEN_MAX, GALLERY_THREADS_MAX};
use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};

/// Multiplications that a further thread must bring, so that starting it pays.
const WORK_PER_THREAD_MIN: u64 = 1 << 23;

/// The most pieces that the first thresholds are taken from: one for each tile. With more, they
/// would cost more than they save.
const FIRST_PIECES_MAX: usize = 4;
/// Groups of the first rows, for each of the k best: few of the best share one.
const FIRST_GROUPS_PER_ROW: usize = 2;
/// The fewest groups of the first rows.
const FIRST_GROUPS_MIN: usize = 128;

/// Threads that a search may use on this machine.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(GALLERY_THREADS_MAX)
}

/// A pass: what all its threads read.
struct Pass<'a> {
    rows: &'a Rows,
    probes: &'a [&'a [f32]],
    bounds: &'a [ProbeBound],
    tiles: Vec<Tile>,
    k: usize,
    path: Path,
    /// The best theta that any thread has, for each probe, as bits in the order of the numbers.
    thetas: Vec<AtomicU32>,
    /// The next piece that nobody has taken.
    next: AtomicUsize,
}

/// All rows that may be among the `k` best, for each probe.
///
/// Shapes: `probes` is P x D with their bounds; `k` is at least 1.
pub(super) fn scan(
    rows: &Rows,
    path: Path,
    probes: &[&[f32]],
    bounds: &[ProbeBound],
    k: usize,
    threads_max: usize,
) -> Vec<Scanned> {
    let coded: Vec<(&[i8], f32)> =
        bounds.iter().map(|bound| (bound.codes.as_slice(), bound.a)).collect();
    let tiles = coded.chunks(TILE_PROBES).map(Tile::new).collect();
    let mut pass = Pass {
        rows,
        probes,
        bounds,
        tiles,
        k,
        path,
        thetas: Vec::new(),
        next: AtomicUsize::new(0),
    };
    pass.thetas =
        pass.first_thetas().into_iter().map(|theta| AtomicU32::new(ordered(theta))).collect();
    let work = u64::from(rows.places()) * rows.dimension() as u64 * probes.len() as u64;
    let threads = usize::try_from(work / WORK_PER_THREAD_MIN)
        .unwrap_or(threads_max)
        .clamp(1, threads_max.max(1));
    let mut parts = in_parallel(threads.min(rows.pieces()), || pass.take_pieces());
    let mut merged = parts.pop().expect("this thread took part");
    for part in parts {
        for (all, one) in merged.iter_mut().zip(part) {
            all.merge(one);
        }
    }
    for (scanned, theta) in merged.iter_mut().zip(&pass.thetas) {
        let theta = number(theta.load(Ordering::Relaxed));
        scanned.found.retain(|found| found.z >= theta);
    }
    merged
}

/// The `k` best of what was scanned, for each probe, with what it took.
pub(super) fn finish(
    rows: &Rows,
    probes: &[&[f32]],
    bounds: &[ProbeBound],
    scanned: Vec<Scanned>,
    k: usize,
    threads_max: usize,
) -> Vec<(Vec<Candidate>, u64)> {
    let jobs: Vec<Mutex<Scanned>> = scanned.into_iter().map(Mutex::new).collect();
    let next = AtomicUsize::new(0);
    let done = in_parallel(threads_max.min(jobs.len()), || {
        let mut done = Vec::new();
        while let Some((at, job)) = take(&next, &jobs) {
            let scanned = std::mem::take(&mut *job.lock().expect("each job is taken once"));
            done.push((at, scanned.finish(rows, probes[at], &bounds[at], k)));
        }
        done
    });
    let mut done: Vec<_> = done.into_iter().flatten().collect();
    done.sort_unstable_by_key(|&(at, _)| at);
    done.into_iter().map(|(_, answer)| answer).collect()
}

/// The `k` best live rows, every one of them scored: the reference that needs no bound.
pub(super) fn brute_force(
    rows: &Rows,
    probe: &[f32],
    k: usize,
    threads_max: usize,
) -> Vec<Candidate> {
    brute_force_in(rows, 0..rows.places(), probe, k, threads_max)
}

/// The `k` best live rows in these places.
pub(super) fn brute_force_in(
    rows: &Rows,
    places: Range<u32>,
    probe: &[f32],
    k: usize,
    threads_max: usize,
) -> Vec<Candidate> {
    let next = AtomicUsize::new(0);
    let pieces = places.len().div_ceil(PIECE_ROWS as usize);
    let parts = in_parallel(threads_max.min(pieces), || {
        let mut best = Vec::new();
        loop {
            let piece = u32::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap_or(u32::MAX);
            let first = places.start.saturating_add(piece.saturating_mul(PIECE_ROWS));
            if first >= places.end {
                return best;
            }
            let live = (first..places.end.min(first.saturating_add(PIECE_ROWS)))
                .filter_map(|place| rows.live_row(place));
            best.extend(live.map(|(row, numbers)| Candidate { row, score: exact(numbers, probe) }));
            keep_best(&mut best, k);
        }
    });
    let mut best = parts.concat();
    keep_best(&mut best, k);
    best
}

impl Pass<'_> {
    /// What the first rows alone say of each probe's theta, before any is kept: nearly half of the
    /// rows that a threshold rising from nothing would keep are among them.
    ///
    /// The k-th largest of the largest `low` in each of many groups of rows: k rows, one of each
    /// group, have at least this.
    fn first_thetas(&self) -> Vec<f32> {
        let pieces =
            self.rows.pieces().saturating_sub(1).min(self.tiles.len()).min(FIRST_PIECES_MAX);
        let groups_wanted =
            (FIRST_GROUPS_PER_ROW * self.k).max(FIRST_GROUPS_MIN).div_ceil(BLOCK_ROWS);
        let group_blocks = pieces * (PIECE_ROWS as usize / BLOCK_ROWS) / groups_wanted;
        if group_blocks == 0 {
            return vec![THETA_OPEN; self.bounds.len()];
        }
        let group_lines = group_blocks * block_lines(self.rows.dimension());
        let blocks =
            (0..pieces).flat_map(|piece| self.rows.blocks(first_of(piece)).chunks(group_lines));
        let groups: Vec<_> =
            blocks.map(|blocks| self.path.largest_lows(blocks, &self.tiles)).collect();
        let theta = |(at, bound): (usize, &ProbeBound)| {
            let mut lows: Vec<f32> =
                groups.iter().flat_map(|group| group[at / TILE_PROBES][at % TILE_PROBES]).collect();
            let (_, low, _) = lows.select_nth_unstable_by(self.k - 1, |a, b| b.total_cmp(a));
            // A group without a row that may be found has less than any row.
            if *low < THETA_OPEN { THETA_OPEN } else { bound.theta_of_low(*low) }
        };
        self.bounds.iter().enumerate().map(theta).collect()
    }

    /// One thread's share: piece after piece until none is left.
    fn take_pieces(&self) -> Vec<Scanned> {
        let mut probes: Vec<ProbeState> =
            self.probes.iter().map(|_| ProbeState::new(self.k)).collect();
        let mut thetas = vec![[THETA_CLOSED; TILE_PROBES]; self.tiles.len()];
        let mut piece = self.take_piece();
        while let Some((first, blocks)) = piece {
            piece = self.take_piece();
            for (at, shared) in self.thetas.iter().enumerate() {
                thetas[at / TILE_PROBES][at % TILE_PROBES] = number(shared.load(Ordering::Relaxed));
            }
            let next = piece.map_or(&[][..], |(_, blocks)| blocks);
            self.path.scan(blocks, next, &self.tiles, &mut thetas, &mut |hit, theta| {
                let at = hit.tile * TILE_PROBES + hit.probe;
                self.keep(hit, first, at, &mut probes[at], theta);
            });
        }
        probes.into_iter().map(|state| state.scanned).collect()
    }

    /// The next piece that nobody has: the place of its first row, and its blocks.
    fn take_piece(&self) -> Option<(u32, &[Line])> {
        let piece = self.next.fetch_add(1, Ordering::Relaxed);
        (piece < self.rows.pieces()).then(|| (first_of(piece), self.rows.blocks(first_of(piece))))
    }

    /// Keeps a row that was not dropped for the probe `at`.
    #[inline]
    fn keep(&self, hit: &Hit, first: u32, at: usize, state: &mut ProbeState, theta: &mut f32) {
        let bound = &self.bounds[at];
        let before = *theta;
        let low = bound.low(hit.z, hit.residual);
        let place = first + u32::try_from(hit.row).expect("a piece has few rows");
        state.scanned.found.push(KeptRow { place, z: hit.z, low });
        if let Some(low) = state.note_low(low) {
            *theta = theta.max(bound.theta_of_low(low));
        }
        if state.scanned.found.len() > FOUND_LEN_MAX as usize {
            let kept = *theta;
            state.scanned.found.retain(|found| found.z >= kept);
            if state.scanned.found.len() > FOUND_LEN_MAX as usize / 2
                && let Some(score_theta) =
                    state.scanned.fall_back(self.rows, self.probes[at], bound, self.k)
            {
                *theta = theta.max(score_theta);
            }
        }
        if *theta > before {
            let known = self.thetas[at].fetch_max(ordered(*theta), Ordering::Relaxed);
            *theta = theta.max(number(known));
        }
    }
}

/// The state of one probe on one thread.
struct ProbeState {
    scanned: Scanned,
    k: usize,
    /// The k best lower bounds known, then those that came since.
    lows: Vec<f32>,
    /// How many of `lows` count.
    known: usize,
    /// The k-th best lower bound when it was last looked for.
    floor: f32,
}

impl ProbeState {
    fn new(k: usize) -> Self {
        Self {
            scanned: Scanned::default(),
            k,
            lows: vec![0.0; k + k / 4 + BLOCK_ROWS / 4],
            known: 0,
            floor: f32::MIN,
        }
    }

    /// Takes note of a lower bound and gives the k-th best when it was looked for again: now and
    /// then, which costs less than keeping order.
    #[inline]
    fn note_low(&mut self, low: f32) -> Option<f32> {
        // Without a branch, which nothing could foretell.
        self.lows[self.known] = low;
        self.known += usize::from(low > self.floor);
        (self.known == self.lows.len()).then(|| {
            let (_, floor, _) = self.lows.select_nth_unstable_by(self.k - 1, |a, b| b.total_cmp(a));
            self.floor = *floor;
            self.known = self.k;
            self.floor
        })
    }
}

/// Runs `work` on at most so many threads, this one included, and gives what each made of it, in no
/// order.
///
/// The other threads are the process's own and wait between searches: a new one may need longer to
/// begin than a search takes.
pub(super) fn in_parallel<T: Send>(threads_max: usize, work: impl Fn() -> T + Sync) -> Vec<T> {
    static OTHERS: OnceLock<Option<rayon::ThreadPool>> = OnceLock::new();
    let others = threads_max.min(threads()).saturating_sub(1);
    let pool = if others == 0 { None } else { OTHERS.get_or_init(start_others).as_ref() };
    let Some(pool) = pool else { return vec![work()] };
    let made = Mutex::new(Vec::with_capacity(others + 1));
    let add = || {
        let one = work();
        made.lock().expect("nothing panics while it holds the results").push(one);
    };
    // A panic over there is a bug here: it goes on in this thread.
    pool.in_place_scope(|scope| {
        (0..others).for_each(|_| scope.spawn(|_| add()));
        add();
    });
    made.into_inner().expect("nothing panics while it holds the results")
}

fn start_others() -> Option<rayon::ThreadPool> {
    let builder = rayon::ThreadPoolBuilder::new().num_threads(threads().saturating_sub(1).max(1));
    match builder.thread_name(|at| format!("gallery-{}", at + 1)).build() {
        Ok(pool) => Some(pool),
        Err(error) => {
            log::warn!("the gallery has one thread only, others can't be started: {error}");
            None
        }
    }
}

/// The place of a piece's first row.
fn first_of(piece: usize) -> u32 {
    u32::try_from(piece).expect("places are below 2^32") * PIECE_ROWS
}

fn take<'a, T>(next: &AtomicUsize, jobs: &'a [T]) -> Option<(usize, &'a T)> {
    let at = next.fetch_add(1, Ordering::Relaxed);
    jobs.get(at).map(|job| (at, job))
}

/// Bits that order as the numbers do.
fn ordered(x: f32) -> u32 {
    let bits = x.to_bits();
    if x.is_sign_negative() { !bits } else { bits | 1 << 31 }
}

fn number(ordered: u32) -> f32 {
    f32::from_bits(if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered })
}

#[cfg(test)]
mod tests {
    use super::super::tests::Numbers;
    use super::*;

    #[test]
    fn many_threads_and_every_path_give_what_brute_force_gives() {
        let mut numbers = Numbers::new(7);
        let mut rows = Rows::new(19, true);
        for i in 0..12_000 {
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
        let bounds: Vec<_> = probes.iter().map(|probe| ProbeBound::new(probe)).collect();
        const {
            assert!(
                12_000 * 19 * 40 > WORK_PER_THREAD_MIN,
                "the work is worth a thread \
            more"
            )
        };
        let wanted: Vec<_> = probes.iter().map(|probe| brute_force(&rows, probe, 70, 1)).collect();
        assert_eq!(
            wanted,
            probes.iter().map(|probe| brute_force(&rows, probe, 70, 3)).collect::<Vec<_>>()
        );
        for path in Path::all() {
            for threads in [1, 2, 7] {
                let scanned = scan(&rows, path, &probes, &bounds, 70, threads);
                let found = finish(&rows, &probes, &bounds, scanned, 70, threads);
                assert_eq!(
                    found.into_iter().map(|(best, _)| best).collect::<Vec<_>>(),
                    wanted,
                    "{path:?}, {threads} threads"
                );
            }
        }
    }

    #[test]
    fn bits_order_as_the_numbers_do() {
        let numbers = [THETA_OPEN, -2.5, -0.0, 0.0, 1e-30, 0.7, THETA_CLOSED];
        assert!(numbers.windows(2).all(|pair| ordered(pair[0]) < ordered(pair[1])));
        assert!(numbers.iter().all(|&x| number(ordered(x)).to_bits() == x.to_bits()));
    }
}
