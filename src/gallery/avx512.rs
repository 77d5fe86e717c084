//! The AVX-512 path of `simd`, for processors with VNNI.
//!
//! # The test in whole numbers
//!
//! With AVX-512 a sum doesn't begin at 0 but at x = (A e - theta) / s + `MARGIN` D + 16, in f32 and
//! rounded: a row whose sum ends below 0 is dropped, and eight probes need one look at their signs.
//! This drops no row with s I + A e >= theta. Each rounding errs by at most 2^-24 of its result; a
//! theta above 2 P drops every row rightly, so |A e - theta| is at most 2.2 A, and the start that
//! undoes the bias at most 16,256 D. Difference and quotient err by 2.2 (P / s) 2^-24 each, the sum
//! and the start by 2^-24 (2.2 P / s + 16,256 D) and 2^-24 16,256 D, the rounding to a whole number
//! by 1/2: together less than 0.01 D + 1, which the margin of D / 16 + 16 covers. x is below 2^31 -
//! 2^30, so no sum overflows; where x is below -2^31, of a row or a probe that isn't there, the sum
//! begins at -2^31 and saturates. What isn't dropped takes `bound`'s test as on every path.

#![cfg(target_arch = "x86_64")]
#![allow(unsafe_code, reason = "vector loads and stores; each block says why it is sound")]

use std::arch::x86_64::{
    __m512, __m512i, _CMP_GE_OQ, _mm512_add_epi32, _mm512_and_si512, _mm512_castsi512_ps,
    _mm512_cmp_ps_mask, _mm512_cmpge_epi32_mask, _mm512_cvtepi32_ps, _mm512_cvtps_epi32,
    _mm512_div_ps, _mm512_dpbusds_epi32, _mm512_fmadd_ps, _mm512_fmsub_ps, _mm512_fnmadd_ps,
    _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_max_ps, _mm512_mul_ps, _mm512_set1_epi32,
    _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512, _mm512_storeu_ps, _mm512_storeu_si512,
    _mm512_sub_epi32,
};

use super::blocks::{
    BLOCK_ROWS, BlocksByTiles, Hit, LINE_ROWS, Line, Lows, Pair, SIDES, TILE_PROBES, Tile,
};
use super::prefetch::fetch;

/// One register for each side of a block.
type Sides<T> = [T; SIDES];

/// The sums of one tile on one block, as they ended.
#[repr(align(64))]
struct TileSums {
    dots: [Sides<[i32; LINE_ROWS]>; TILE_PROBES],
    /// Those that the sums began with.
    thetas: [f32; TILE_PROBES],
    /// Whether any ended at 0 or above.
    any: bool,
    block: usize,
    tile: usize,
}

#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) fn scan(
    pairs: &BlocksByTiles<'_>,
    thetas: &mut [[f32; TILE_PROBES]],
    hit: &mut impl FnMut(&Hit, &mut f32),
) {
    let nothing = || TileSums {
        dots: [[[0; LINE_ROWS]; SIDES]; TILE_PROBES],
        thetas: [0.0; TILE_PROBES],
        any: false,
        block: 0,
        tile: 0,
    };
    let mut ended = [nothing(), nothing()];
    let [mut now, mut before] = ended.each_mut();
    for at in 0..pairs.count() {
        let block = pairs.block(at);
        for (tile_at, tile) in pairs.tiles.iter().enumerate() {
            let pair = Pair { block, tile, tile_at };
            let begun = &thetas[pair.tile_at];
            // All tiles but the last are full, and the first four share the asking for lines:
            // memory brings them while all compute.
            match (pair.tile.width, pairs.tiles.len(), pair.tile_at) {
                (1, 1, _) => test_tile::<1, 4>(&pair, begun, now),
                (4, 1, _) => test_tile::<4, 4>(&pair, begun, now),
                (_, 1, _) => test_tile::<TILE_PROBES, 4>(&pair, begun, now),
                (1, ..) => test_tile::<1, 0>(&pair, begun, now),
                (4, ..) => test_tile::<4, 0>(&pair, begun, now),
                (_, 2, 0) => test_tile::<TILE_PROBES, 4>(&pair, begun, now),
                (_, 3, 0 | 1) => test_tile::<TILE_PROBES, 2>(&pair, begun, now),
                (_, 4.., 0..4) => test_tile::<TILE_PROBES, 1>(&pair, begun, now),
                _ => test_tile::<TILE_PROBES, 0>(&pair, begun, now),
            }
            // One tile late, when it is long known whether there is anything to report: a wrong
            // guess costs little. One probe alone waits for memory anyway.
            if before.any {
                report_rows(pairs, before, thetas, hit);
            }
            if tile.width == 1 && now.any {
                report_rows(pairs, now, thetas, hit);
                now.any = false;
            }
            (now, before) = (before, now);
        }
    }
    if before.any {
        report_rows(pairs, before, thetas, hit);
    }
}

/// The test in whole numbers, for one tile.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn test_tile<const PROBES: usize, const FETCH: usize>(
    pair: &Pair<'_>,
    thetas: &[f32; TILE_PROBES],
    ended: &mut TileSums,
) {
    let (scales, residuals) = load_ends(pair);
    let steps = [reciprocals(scales[0]), reciprocals(scales[1])];
    let mut dots = [[_mm512_setzero_si512(); SIDES]; PROBES];
    for (probe, dots) in dots.iter_mut().enumerate() {
        *dots = sums_from_theta(pair.tile, probe, thetas[probe], &steps, &residuals);
    }
    let dots = sums_of_tile::<PROBES, FETCH>(pair, dots);
    let mut all = dots[0][0];
    for &dots in &dots.as_flattened()[1..] {
        all = _mm512_and_si512(all, dots);
    }
    for (ended, dots) in ended.dots.as_flattened_mut().iter_mut().zip(dots.as_flattened()) {
        *ended = store(*dots);
    }
    (ended.thetas, ended.block, ended.tile) = (*thetas, pair.block.at, pair.tile_at);
    ended.any = _mm512_cmpge_epi32_mask(all, _mm512_setzero_si512()) != 0;
}

/// The sums of one tile, from where they begin; and lines of a later block are asked for, `FETCH`
/// for every two quads.
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn sums_of_tile<const PROBES: usize, const FETCH: usize>(
    pair: &Pair<'_>,
    mut dots: [Sides<__m512i>; PROBES],
) -> [Sides<__m512i>; PROBES] {
    let (lines, last_lines) = pair.codes().as_chunks::<2>();
    let (quads, last_quads) = pair.tile.quads.as_chunks::<PROBES>().0.as_chunks::<2>();
    let mut later = pair.block.later.wrapping_add(pair.tile_at * (lines.len() + 1) * FETCH);
    let mut fetch_share = || {
        for _ in 0..FETCH {
            fetch(later.cast());
            later = later.wrapping_add(1);
        }
    };
    fetch_share();
    for (lines, quads) in lines.iter().zip(quads) {
        fetch_share();
        add_products(&mut dots, &lines[0], &quads[0]);
        add_products(&mut dots, &lines[1], &quads[1]);
    }
    for (lines, quads) in last_lines.iter().zip(last_quads) {
        add_products(&mut dots, lines, quads);
    }
    dots
}

#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn add_products<const PROBES: usize>(
    dots: &mut [Sides<__m512i>; PROBES],
    lines: &Sides<Line>,
    quads: &[i32; PROBES],
) {
    let rows = [load(&lines[0]), load(&lines[1])];
    for (dots, &quad) in dots.iter_mut().zip(quads) {
        // Bytes of rows have no sign, bytes of probes have one. What saturates is no sum that
        // counts.
        let probe = _mm512_set1_epi32(quad);
        *dots = [
            _mm512_dpbusds_epi32(dots[0], rows[0], probe),
            _mm512_dpbusds_epi32(dots[1], rows[1], probe),
        ];
    }
}

/// Scales and residuals.
#[inline]
#[target_feature(enable = "avx512f")]
fn load_ends(pair: &Pair<'_>) -> (Sides<__m512>, Sides<__m512>) {
    let [scales, residuals] = pair.ends();
    let load = |line: &Line| _mm512_castsi512_ps(load(line));
    ([load(&scales[0]), load(&scales[1])], [load(&residuals[0]), load(&residuals[1])])
}

/// 1 / s.
#[inline]
#[target_feature(enable = "avx512f")]
fn reciprocals(scales: __m512) -> __m512 {
    _mm512_div_ps(_mm512_set1_ps(1.0), scales)
}

/// Where sums begin that shall end below 0 if their rows may be dropped.
#[inline]
#[target_feature(enable = "avx512f")]
fn sums_from_theta(
    tile: &Tile,
    probe: usize,
    theta: f32,
    steps: &Sides<__m512>,
    residuals: &Sides<__m512>,
) -> Sides<__m512i> {
    let side = |steps: __m512, residuals: __m512| {
        let above =
            _mm512_fmsub_ps(residuals, _mm512_set1_ps(tile.a[probe]), _mm512_set1_ps(theta));
        _mm512_cvtps_epi32(_mm512_fmadd_ps(above, steps, _mm512_set1_ps(tile.floors[probe])))
    };
    [side(steps[0], residuals[0]), side(steps[1], residuals[1])]
}

#[inline]
#[target_feature(enable = "avx512f")]
fn z_of(dots: __m512i, a: f32, scales: __m512, residuals: __m512) -> __m512 {
    _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots), scales, _mm512_mul_ps(residuals, _mm512_set1_ps(a)))
}

/// Works out which rows of which probes ended at 0 or above, and reports those whose z isn't below
/// theta.
#[cold]
#[inline(never)]
#[target_feature(enable = "avx512f")]
fn report_rows(
    pairs: &BlocksByTiles<'_>,
    ended: &TileSums,
    thetas: &mut [[f32; TILE_PROBES]],
    hit: &mut impl FnMut(&Hit, &mut f32),
) {
    let tile = &pairs.tiles[ended.tile];
    let pair = Pair { block: pairs.block(ended.block), tile, tile_at: ended.tile };
    let (scales, residuals) = load_ends(&pair);
    let mut left = 0u32;
    for (probe, dots) in ended.dots[..tile.width].iter().enumerate() {
        let both = _mm512_and_si512(reload(&dots[0]), reload(&dots[1]));
        left |= u32::from(_mm512_cmpge_epi32_mask(both, _mm512_setzero_si512()) != 0) << probe;
    }
    while left != 0 {
        let probe = left.trailing_zeros() as usize;
        left &= left - 1;
        let theta = &mut thetas[ended.tile][probe];
        let steps = [reciprocals(scales[0]), reciprocals(scales[1])];
        let begun = sums_from_theta(tile, probe, ended.thetas[probe], &steps, &residuals);
        let (mut z, mut rows) = ([0.0; BLOCK_ROWS], 0);
        for (side, z) in z.as_chunks_mut::<LINE_ROWS>().0.iter_mut().enumerate() {
            let added = _mm512_sub_epi32(reload(&ended.dots[probe][side]), begun[side]);
            let dots = _mm512_add_epi32(added, _mm512_set1_epi32(tile.starts[probe]));
            let values = z_of(dots, tile.a[probe], scales[side], residuals[side]);
            rows |= u32::from(_mm512_cmp_ps_mask::<_CMP_GE_OQ>(values, _mm512_set1_ps(*theta)))
                << (side * LINE_ROWS);
            // SAFETY: the chunk is 64 writable bytes; this store asks for no alignment.
            unsafe { _mm512_storeu_ps(z.as_mut_ptr(), values) };
        }
        pair.report(probe, rows, &z, theta, hit);
    }
}

#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) fn largest_lows(pairs: &BlocksByTiles<'_>, largest: &mut [[Lows; TILE_PROBES]]) {
    for at in 0..pairs.count() {
        let block = pairs.block(at);
        for (tile_at, tile) in pairs.tiles.iter().enumerate() {
            let pair = Pair { block, tile, tile_at };
            let largest = &mut largest[pair.tile_at];
            match pair.tile.width {
                1 => raise_lows::<1>(&pair, largest),
                4 => raise_lows::<4>(&pair, largest),
                _ => raise_lows::<TILE_PROBES>(&pair, largest),
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn raise_lows<const PROBES: usize>(pair: &Pair<'_>, largest: &mut [Lows; TILE_PROBES]) {
    let tile = pair.tile;
    let mut dots = [[_mm512_setzero_si512(); SIDES]; PROBES];
    for (dots, &start) in dots.iter_mut().zip(&tile.starts) {
        *dots = [_mm512_set1_epi32(start); SIDES];
    }
    let dots = sums_of_tile::<PROBES, 0>(pair, dots);
    let (scales, residuals) = load_ends(pair);
    for ((dots, &a), largest) in dots.iter().zip(&tile.a).zip(largest) {
        for (side, largest) in largest.as_chunks_mut::<LINE_ROWS>().0.iter_mut().enumerate() {
            let z = z_of(dots[side], a, scales[side], residuals[side]);
            let low = _mm512_fnmadd_ps(_mm512_set1_ps(2.0 * a), residuals[side], z);
            let shown = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(residuals[side], _mm512_setzero_ps());
            // SAFETY: the chunk is 64 readable and writable bytes; load and store ask for no
            // alignment.
            unsafe {
                let before = _mm512_loadu_ps(largest.as_ptr());
                _mm512_storeu_ps(
                    largest.as_mut_ptr(),
                    _mm512_mask_max_ps(before, shown, before, low),
                );
            }
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(line: &Line) -> __m512i {
    // SAFETY: a line is 64 readable bytes; this load asks for no alignment, and every pattern of
    // bits is a valid register.
    unsafe { _mm512_loadu_si512(std::ptr::from_ref(line).cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(register: __m512i) -> [i32; LINE_ROWS] {
    let mut values = [0; LINE_ROWS];
    // SAFETY: the array is 64 writable bytes; this store asks for no alignment.
    unsafe { _mm512_storeu_si512(values.as_mut_ptr().cast(), register) };
    values
}

#[inline]
#[target_feature(enable = "avx512f")]
fn reload(values: &[i32; LINE_ROWS]) -> __m512i {
    // SAFETY: the array is 64 readable bytes; this load asks for no alignment, and every pattern of
    // bits is a valid register.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

/// Sixteen independent sums, so that neither latency nor memory holds the instruction up.
#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) fn peak() -> f64 {
    const ROUNDS: u32 = 1 << 20;
    let (rows, probes) =
        std::hint::black_box((_mm512_set1_epi32(0x0102_0304), _mm512_set1_epi32(0x0101_0101)));
    let begin = std::time::Instant::now();
    let mut dots = [_mm512_set1_epi32(0); 16];
    for _ in 0..ROUNDS {
        for dot in &mut dots {
            *dot = _mm512_dpbusds_epi32(*dot, rows, probes);
        }
    }
    std::hint::black_box(&dots);
    f64::from(ROUNDS) * 16.0 * 64.0 / begin.elapsed().as_secs_f64()
}
