//! The AVX2 path of `simd`.

#![cfg(target_arch = "x86_64")]
#![allow(unsafe_code, reason = "vector loads and stores; each block says why it is sound")]

use std::arch::x86_64::{
    __m256i, _mm256_abs_epi8, _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_maddubs_epi16, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_sign_epi8, _mm256_storeu_si256, _mm256_xor_si256,
};

use super::blocks::{
    BLOCK_ROWS, BlocksByTiles, Hit, LINE_ROWS, Line, Lows, Pair, SIDES, TILE_PROBES,
};
use super::prefetch::fetch;

/// Probes whose sums fit into the sixteen registers together.
const AVX2_PROBES: usize = 4;

#[target_feature(enable = "avx2")]
pub(super) fn scan(
    pairs: &BlocksByTiles<'_>,
    thetas: &mut [[f32; TILE_PROBES]],
    hit: &mut impl FnMut(&Hit, &mut f32),
) {
    for at in 0..pairs.count() {
        let block = pairs.block(at);
        for (tile_at, tile) in pairs.tiles.iter().enumerate() {
            let pair = Pair { block, tile, tile_at };
            let thetas = &mut thetas[pair.tile_at];
            if pair.tile.width == 1 {
                pair.test(0, &sums_of_tile::<1>(&pair, 0)[0], &mut thetas[0], hit);
            } else {
                for (part, thetas) in thetas[..pair.tile.width]
                    .as_chunks_mut::<AVX2_PROBES>()
                    .0
                    .iter_mut()
                    .enumerate()
                {
                    let first = part * AVX2_PROBES;
                    for ((dots, theta), probe) in
                        sums_of_tile::<AVX2_PROBES>(&pair, first).iter().zip(thetas).zip(first..)
                    {
                        pair.test(probe, dots, theta, hit);
                    }
                }
            }
        }
    }
}

#[target_feature(enable = "avx2")]
pub(super) fn largest_lows(pairs: &BlocksByTiles<'_>, largest: &mut [[Lows; TILE_PROBES]]) {
    for at in 0..pairs.count() {
        let block = pairs.block(at);
        for (tile_at, tile) in pairs.tiles.iter().enumerate() {
            let pair = Pair { block, tile, tile_at };
            for (probe, largest) in largest[pair.tile_at][..pair.tile.width].iter_mut().enumerate()
            {
                pair.raise(probe, &sums_of_tile::<1>(&pair, probe)[0], largest);
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn sums_of_tile<const PROBES: usize>(pair: &Pair<'_>, first: usize) -> [[i32; BLOCK_ROWS]; PROBES] {
    let ones = _mm256_set1_epi16(1);
    let mut all = [[0; BLOCK_ROWS]; PROBES];
    for side in 0..SIDES {
        let mut dots = [[_mm256_setzero_si256(); 2]; PROBES];
        for (at, (lines, quads)) in
            pair.codes().iter().zip(pair.tile.quads.chunks_exact(pair.tile.width)).enumerate()
        {
            let line = &lines[side];
            if first == 0 && pair.tile_at == 0 {
                fetch(pair.block.later.wrapping_add(at * SIDES + side).cast());
            }
            let rows = load(line).map(|half| _mm256_xor_si256(half, _mm256_set1_epi8(i8::MIN)));
            let magnitudes = rows.map(|half| _mm256_abs_epi8(half));
            for (dots, &quad) in dots.iter_mut().zip(&quads[first..first + PROBES]) {
                let probe = _mm256_set1_epi32(quad);
                for half in 0..2 {
                    // |c| times p with c's sign: two products are at most 2 x 127 x 127, which
                    // fits into 16 bits.
                    let products =
                        _mm256_maddubs_epi16(magnitudes[half], _mm256_sign_epi8(probe, rows[half]));
                    dots[half] = _mm256_add_epi32(dots[half], _mm256_madd_epi16(products, ones));
                }
            }
        }
        for (all, dots) in all.iter_mut().zip(dots) {
            all.as_chunks_mut().0[side] = store(dots);
        }
    }
    all
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(line: &Line) -> [__m256i; 2] {
    let halves = std::ptr::from_ref(line).cast::<__m256i>();
    // SAFETY: a line is 64 readable bytes, two registers; these loads ask for no alignment, and
    // every pattern of bits is valid.
    unsafe { [_mm256_loadu_si256(halves), _mm256_loadu_si256(halves.add(1))] }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(dots: [__m256i; 2]) -> [i32; LINE_ROWS] {
    let mut values = [0; LINE_ROWS];
    let halves = values.as_mut_ptr().cast::<__m256i>();
    // SAFETY: the array is 64 writable bytes, two registers; these stores ask for no alignment.
    unsafe {
        _mm256_storeu_si256(halves, dots[0]);
        _mm256_storeu_si256(halves.add(1), dots[1]);
    }
    values
}
