//! What the machine could do at most: bytes a second from memory, and int8 multiply-adds a second.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use crate::float;

/// Bytes that are read for one figure: many times any last-level cache's share of this process.
const BUFFER_BYTES: usize = 512 << 20;
/// Sums side by side, so that the compiler's vector registers wait for memory only.
const LANES: usize = 32;

/// A buffer whose reading shows the memory's bandwidth.
pub(crate) struct Memory(Vec<u64>);

impl Memory {
    /// A buffer that is really there, page by page.
    pub(crate) fn new() -> Self {
        Self((0..BUFFER_BYTES as u64 / 8).collect())
    }

    /// Bytes a second, reading the whole buffer once by so many threads.
    pub(crate) fn bytes_per_second(&self, threads: usize) -> f64 {
        let share = self.0.len().div_ceil(threads);
        let begin = Instant::now();
        thread::scope(|scope| {
            for part in self.0.chunks(share) {
                scope.spawn(move || black_box(sum(part)));
            }
        });
        float(BUFFER_BYTES as u64) / begin.elapsed().as_secs_f64()
    }
}

fn sum(words: &[u64]) -> u64 {
    let mut sums = [0u64; LANES];
    let (blocks, rest) = words.as_chunks::<LANES>();
    for block in blocks {
        for lane in 0..LANES {
            sums[lane] = sums[lane].wrapping_add(block[lane]);
        }
    }
    sums.iter().chain(rest).fold(0, |sum, &word| sum.wrapping_add(word))
}

/// Multiply-adds a second of the processor's int8 instruction, on so many threads at once; none
/// where it has no such instruction.
pub(crate) fn multiply_adds_per_second(threads: usize) -> Option<f64> {
    thread::scope(|scope| {
        let measured: Vec<_> =
            (0..threads).map(|_| scope.spawn(smrt::gallery::multiply_adds_per_second)).collect();
        // A panic over there is a bug there: it goes on here.
        measured
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .sum()
    })
}
