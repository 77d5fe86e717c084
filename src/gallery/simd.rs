//! The hot loop: exact dot products of int8 codes, a block of rows against a tile of probes, and
//! the drop test of `bound`.
//!
//! This is the one file with `unsafe` code, and so it knows `blocks` only: the two can be compiled
//! and run alone, under a sanitizer too. Three paths give the same integers: AVX-512 with VNNI,
//! AVX2, and one that any processor takes.
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

#![allow(
    unsafe_code,
    reason = "vector instructions and their loads; each block says why it is sound"
)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256i, __m512, __m512i, _CMP_GE_OQ, _MM_HINT_T0, _mm_prefetch, _mm256_abs_epi8,
    _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_sign_epi8,
    _mm256_storeu_si256, _mm256_xor_si256, _mm512_add_epi32, _mm512_and_si512, _mm512_castsi512_ps,
    _mm512_cmp_ps_mask, _mm512_cmpge_epi32_mask, _mm512_cvtepi32_ps, _mm512_cvtps_epi32,
    _mm512_div_ps, _mm512_dpbusds_epi32, _mm512_fmadd_ps, _mm512_fmsub_ps, _mm512_fnmadd_ps,
    _mm512_loadu_ps, _mm512_loadu_si512, _mm512_mask_max_ps, _mm512_mul_ps, _mm512_set1_epi32,
    _mm512_set1_ps, _mm512_setzero_ps, _mm512_setzero_si512, _mm512_storeu_ps, _mm512_storeu_si512,
    _mm512_sub_epi32,
};

use super::blocks::{
    BLOCK_ROWS, Hit, LINE_ROWS, Line, Lows, Pair, Pairs, SIDES, TILE_PROBES, Tile,
    largest_lows_portable, scan_portable,
};

/// A way of computing dot products that this processor can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Path(Kind);

/// Private, so that a path can't be made without asking the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Path {
    /// All paths that this processor can go, the fastest first.
    pub(super) fn all() -> Vec<Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni") {
                all.push(Self(Kind::Avx512Vnni));
            }
            if is_x86_feature_detected!("avx2") {
                all.push(Self(Kind::Avx2));
            }
        }
        all.push(Self(Kind::Portable));
        all
    }

    /// Its name, as a journal or a bench shows it.
    pub(super) fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512Vnni => "AVX-512 VNNI",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "AVX2",
            Kind::Portable => "portable",
        }
    }

    /// Tests all rows of whole blocks against all probes of the tiles and tells what may not be
    /// dropped; `hit` may raise the theta.
    ///
    /// `next` is what will be scanned afterwards, and asked for in time.
    ///
    /// Shapes: `blocks` is a multiple of `block_lines(D)` lines; `thetas` has 8 values for each
    /// tile.
    pub(super) fn scan(
        self,
        blocks: &[Line],
        next: &[Line],
        tiles: &[Tile],
        thetas: &mut [[f32; TILE_PROBES]],
        hit: &mut impl FnMut(&Hit, &mut f32),
    ) {
        assert_eq!(tiles.len(), thetas.len(), "each tile has its thetas");
        for (tile, thetas) in tiles.iter().zip(&mut *thetas) {
            thetas.iter_mut().zip(&tile.a).for_each(|(theta, a)| *theta = theta.max(-2.0 * a));
        }
        let Some(pairs) = Pairs::new(blocks, next, tiles) else { return };
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Path::all` alone makes this kind, where the processor has avx512f and
            // avx512vnni.
            Kind::Avx512Vnni => unsafe { scan_avx512(&pairs, thetas, hit) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Path::all` alone makes this kind, where the processor has avx2.
            Kind::Avx2 => unsafe { scan_avx2(&pairs, thetas, hit) },
            Kind::Portable => scan_portable(&pairs, thetas, hit),
        }
    }

    /// The largest `low` of the rows that share a place in their blocks, for each probe; hidden
    /// rows aside.
    ///
    /// Shapes: `blocks` is a multiple of `block_lines(D)` lines; 32 values for each probe of each
    /// tile.
    pub(super) fn largest_lows(self, blocks: &[Line], tiles: &[Tile]) -> Vec<[Lows; TILE_PROBES]> {
        let mut largest = vec![[[f32::MIN; BLOCK_ROWS]; TILE_PROBES]; tiles.len()];
        let Some(pairs) = Pairs::new(blocks, &[], tiles) else { return largest };
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as in `scan`.
            Kind::Avx512Vnni => unsafe { largest_lows_avx512(&pairs, &mut largest) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as in `scan`.
            Kind::Avx2 => unsafe { largest_lows_avx2(&pairs, &mut largest) },
            Kind::Portable => largest_lows_portable(&pairs, &mut largest),
        }
        largest
    }

    /// Multiply-adds a second that one thread can do at most, measured for a few milliseconds; none
    /// where no one instruction does it.
    pub(super) fn peak(self) -> Option<f64> {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as in `scan`.
            Kind::Avx512Vnni => Some(unsafe { peak_avx512() }),
            _ => None,
        }
    }
}

/// The dot product in f64, which is exact for numbers on the grid of `face` in whatever order it is
/// summed.
///
/// Shapes: both are D.
pub(super) fn exact(a: &[f32], b: &[f32]) -> f64 {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has avx512f.
            return unsafe { exact_avx512(a, b) };
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has avx2.
            return unsafe { exact_avx2(a, b) };
        }
    }
    exact_in_lanes::<8>(a, b)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn exact_avx512(a: &[f32], b: &[f32]) -> f64 {
    exact_in_lanes::<32>(a, b)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn exact_avx2(a: &[f32], b: &[f32]) -> f64 {
    exact_in_lanes::<16>(a, b)
}

/// Sums kept side by side, written so that the compiler can use whatever registers the caller was
/// compiled for.
#[inline(always)]
fn exact_in_lanes<const LANES: usize>(a: &[f32], b: &[f32]) -> f64 {
    let product = |a: f32, b: f32| f64::from(a) * f64::from(b);
    let mut sums = [0.0; LANES];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += product(a[lane], b[lane]);
        }
    }
    let rest = a_rest.iter().zip(b_rest).fold(0.0, |sum, (&a, &b)| sum + product(a, b));
    sums.iter().sum::<f64>() + rest
}

/// Asks the processor to have values near when they are read soon.
pub(super) fn ask_for<T>(row: &[T]) {
    for line in row.chunks((64 / size_of::<T>()).max(1)) {
        fetch(line.as_ptr().cast());
    }
}

/// Any address may be given: a wrong one costs nothing but the asking.
#[inline(always)]
fn fetch(address: *const i8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE is part of every x86-64, and a prefetch neither faults nor changes what a program
    // can see.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(address);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

// AVX-512

/// One register for each side of a block.
#[cfg(target_arch = "x86_64")]
type Sides<T> = [T; SIDES];

/// What one tile's sums on one block ended as.
#[cfg(target_arch = "x86_64")]
#[repr(align(64))]
struct Ended {
    dots: [Sides<[i32; LINE_ROWS]>; TILE_PROBES],
    /// Those that the sums began with.
    thetas: [f32; TILE_PROBES],
    /// Whether any ended at 0 or above.
    any: bool,
    block: usize,
    tile: usize,
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vnni")]
fn scan_avx512(
    pairs: &Pairs<'_>,
    thetas: &mut [[f32; TILE_PROBES]],
    hit: &mut impl FnMut(&Hit, &mut f32),
) {
    let nothing = || Ended {
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
                (1, 1, _) => tile_avx512::<1, 4>(&pair, begun, now),
                (4, 1, _) => tile_avx512::<4, 4>(&pair, begun, now),
                (_, 1, _) => tile_avx512::<TILE_PROBES, 4>(&pair, begun, now),
                (1, ..) => tile_avx512::<1, 0>(&pair, begun, now),
                (4, ..) => tile_avx512::<4, 0>(&pair, begun, now),
                (_, 2, 0) => tile_avx512::<TILE_PROBES, 4>(&pair, begun, now),
                (_, 3, 0 | 1) => tile_avx512::<TILE_PROBES, 2>(&pair, begun, now),
                (_, 4.., 0..4) => tile_avx512::<TILE_PROBES, 1>(&pair, begun, now),
                _ => tile_avx512::<TILE_PROBES, 0>(&pair, begun, now),
            }
            // One tile late, when it is long known whether there is anything to tell: a wrong guess
            // costs little. One probe alone waits for memory anyway.
            if before.any {
                tell_avx512(pairs, before, thetas, hit);
            }
            if tile.width == 1 && now.any {
                tell_avx512(pairs, now, thetas, hit);
                now.any = false;
            }
            (now, before) = (before, now);
        }
    }
    if before.any {
        tell_avx512(pairs, before, thetas, hit);
    }
}

/// The test in whole numbers, for one tile.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn tile_avx512<const PROBES: usize, const FETCH: usize>(
    pair: &Pair<'_>,
    thetas: &[f32; TILE_PROBES],
    ended: &mut Ended,
) {
    let (scales, residuals) = ends_avx512(pair);
    let steps = [steps_avx512(scales[0]), steps_avx512(scales[1])];
    let mut dots = [[_mm512_setzero_si512(); SIDES]; PROBES];
    for (probe, dots) in dots.iter_mut().enumerate() {
        *dots = from_theta_avx512(pair.tile, probe, thetas[probe], &steps, &residuals);
    }
    let dots = dots_avx512::<PROBES, FETCH>(pair, dots);
    let mut all = dots[0][0];
    for &dots in &dots.as_flattened()[1..] {
        all = _mm512_and_si512(all, dots);
    }
    for (ended, dots) in ended.dots.as_flattened_mut().iter_mut().zip(dots.as_flattened()) {
        *ended = store_avx512(*dots);
    }
    (ended.thetas, ended.block, ended.tile) = (*thetas, pair.block.at, pair.tile_at);
    ended.any = _mm512_cmpge_epi32_mask(all, _mm512_setzero_si512()) != 0;
}

/// The sums of one tile, from where they begin; and lines of a later block are asked for, `FETCH`
/// for every two quads.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn dots_avx512<const PROBES: usize, const FETCH: usize>(
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
        add_avx512(&mut dots, &lines[0], &quads[0]);
        add_avx512(&mut dots, &lines[1], &quads[1]);
    }
    for (lines, quads) in last_lines.iter().zip(last_quads) {
        add_avx512(&mut dots, lines, quads);
    }
    dots
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn add_avx512<const PROBES: usize>(
    dots: &mut [Sides<__m512i>; PROBES],
    lines: &Sides<Line>,
    quads: &[i32; PROBES],
) {
    let rows = [load_avx512(&lines[0]), load_avx512(&lines[1])];
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
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
fn ends_avx512(pair: &Pair<'_>) -> (Sides<__m512>, Sides<__m512>) {
    let [scales, residuals] = pair.ends();
    let load = |line: &Line| _mm512_castsi512_ps(load_avx512(line));
    ([load(&scales[0]), load(&scales[1])], [load(&residuals[0]), load(&residuals[1])])
}

/// 1 / s.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
fn steps_avx512(scales: __m512) -> __m512 {
    _mm512_div_ps(_mm512_set1_ps(1.0), scales)
}

/// Where sums begin that shall end below 0 if their rows may be dropped.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
fn from_theta_avx512(
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

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
fn z_avx512(dots: __m512i, a: f32, scales: __m512, residuals: __m512) -> __m512 {
    _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots), scales, _mm512_mul_ps(residuals, _mm512_set1_ps(a)))
}

/// Works out which rows of which probes ended at 0 or above, and tells of those whose z isn't below
/// theta.
#[cfg(target_arch = "x86_64")]
#[cold]
#[inline(never)]
#[target_feature(enable = "avx512f")]
fn tell_avx512(
    pairs: &Pairs<'_>,
    ended: &Ended,
    thetas: &mut [[f32; TILE_PROBES]],
    hit: &mut impl FnMut(&Hit, &mut f32),
) {
    let tile = &pairs.tiles[ended.tile];
    let pair = Pair { block: pairs.block(ended.block), tile, tile_at: ended.tile };
    let (scales, residuals) = ends_avx512(&pair);
    let mut left = 0u32;
    for (probe, dots) in ended.dots[..tile.width].iter().enumerate() {
        let both = _mm512_and_si512(reload_avx512(&dots[0]), reload_avx512(&dots[1]));
        left |= u32::from(_mm512_cmpge_epi32_mask(both, _mm512_setzero_si512()) != 0) << probe;
    }
    while left != 0 {
        let probe = left.trailing_zeros() as usize;
        left &= left - 1;
        let theta = &mut thetas[ended.tile][probe];
        let steps = [steps_avx512(scales[0]), steps_avx512(scales[1])];
        let begun = from_theta_avx512(tile, probe, ended.thetas[probe], &steps, &residuals);
        let (mut z, mut rows) = ([0.0; BLOCK_ROWS], 0);
        for (side, z) in z.as_chunks_mut::<LINE_ROWS>().0.iter_mut().enumerate() {
            let added = _mm512_sub_epi32(reload_avx512(&ended.dots[probe][side]), begun[side]);
            let dots = _mm512_add_epi32(added, _mm512_set1_epi32(tile.starts[probe]));
            let values = z_avx512(dots, tile.a[probe], scales[side], residuals[side]);
            rows |= u32::from(_mm512_cmp_ps_mask::<_CMP_GE_OQ>(values, _mm512_set1_ps(*theta)))
                << (side * LINE_ROWS);
            // SAFETY: the chunk is 64 writable bytes; this store asks for no alignment.
            unsafe { _mm512_storeu_ps(z.as_mut_ptr(), values) };
        }
        pair.tell(probe, rows, &z, theta, hit);
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vnni")]
fn largest_lows_avx512(pairs: &Pairs<'_>, largest: &mut [[Lows; TILE_PROBES]]) {
    for at in 0..pairs.count() {
        let block = pairs.block(at);
        for (tile_at, tile) in pairs.tiles.iter().enumerate() {
            let pair = Pair { block, tile, tile_at };
            let largest = &mut largest[pair.tile_at];
            match pair.tile.width {
                1 => raise_avx512::<1>(&pair, largest),
                4 => raise_avx512::<4>(&pair, largest),
                _ => raise_avx512::<TILE_PROBES>(&pair, largest),
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn raise_avx512<const PROBES: usize>(pair: &Pair<'_>, largest: &mut [Lows; TILE_PROBES]) {
    let tile = pair.tile;
    let mut dots = [[_mm512_setzero_si512(); SIDES]; PROBES];
    for (dots, &start) in dots.iter_mut().zip(&tile.starts) {
        *dots = [_mm512_set1_epi32(start); SIDES];
    }
    let dots = dots_avx512::<PROBES, 0>(pair, dots);
    let (scales, residuals) = ends_avx512(pair);
    for ((dots, &a), largest) in dots.iter().zip(&tile.a).zip(largest) {
        for (side, largest) in largest.as_chunks_mut::<LINE_ROWS>().0.iter_mut().enumerate() {
            let z = z_avx512(dots[side], a, scales[side], residuals[side]);
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

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
fn load_avx512(line: &Line) -> __m512i {
    // SAFETY: a line is 64 readable bytes; this load asks for no alignment, and every pattern of
    // bits is a valid register.
    unsafe { _mm512_loadu_si512(std::ptr::from_ref(line).cast()) }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
fn store_avx512(register: __m512i) -> [i32; LINE_ROWS] {
    let mut values = [0; LINE_ROWS];
    // SAFETY: the array is 64 writable bytes; this store asks for no alignment.
    unsafe { _mm512_storeu_si512(values.as_mut_ptr().cast(), register) };
    values
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
fn reload_avx512(values: &[i32; LINE_ROWS]) -> __m512i {
    // SAFETY: the array is 64 readable bytes; this load asks for no alignment, and every pattern of
    // bits is a valid register.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

/// Sixteen independent sums, so that neither latency nor memory holds the instruction up.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vnni")]
fn peak_avx512() -> f64 {
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

// AVX2

/// Probes whose sums fit into the sixteen registers together.
#[cfg(target_arch = "x86_64")]
const AVX2_PROBES: usize = 4;

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn scan_avx2(
    pairs: &Pairs<'_>,
    thetas: &mut [[f32; TILE_PROBES]],
    hit: &mut impl FnMut(&Hit, &mut f32),
) {
    for at in 0..pairs.count() {
        let block = pairs.block(at);
        for (tile_at, tile) in pairs.tiles.iter().enumerate() {
            let pair = Pair { block, tile, tile_at };
            let thetas = &mut thetas[pair.tile_at];
            if pair.tile.width == 1 {
                pair.offer(0, &dots_avx2::<1>(&pair, 0)[0], &mut thetas[0], hit);
            } else {
                for (part, thetas) in thetas[..pair.tile.width]
                    .as_chunks_mut::<AVX2_PROBES>()
                    .0
                    .iter_mut()
                    .enumerate()
                {
                    let first = part * AVX2_PROBES;
                    for ((dots, theta), probe) in
                        dots_avx2::<AVX2_PROBES>(&pair, first).iter().zip(thetas).zip(first..)
                    {
                        pair.offer(probe, dots, theta, hit);
                    }
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn largest_lows_avx2(pairs: &Pairs<'_>, largest: &mut [[Lows; TILE_PROBES]]) {
    for at in 0..pairs.count() {
        let block = pairs.block(at);
        for (tile_at, tile) in pairs.tiles.iter().enumerate() {
            let pair = Pair { block, tile, tile_at };
            for (probe, largest) in largest[pair.tile_at][..pair.tile.width].iter_mut().enumerate()
            {
                pair.raise(probe, &dots_avx2::<1>(&pair, probe)[0], largest);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn dots_avx2<const PROBES: usize>(pair: &Pair<'_>, first: usize) -> [[i32; BLOCK_ROWS]; PROBES] {
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
            let rows =
                load_avx2(line).map(|half| _mm256_xor_si256(half, _mm256_set1_epi8(i8::MIN)));
            let magnitudes = rows.map(|half| _mm256_abs_epi8(half));
            for (dots, &quad) in dots.iter_mut().zip(&quads[first..first + PROBES]) {
                let probe = _mm256_set1_epi32(quad);
                for half in 0..2 {
                    // |c| times p with c's sign: two products are at most 2 x 127 x 127, which fits into 16 bits.
                    let products =
                        _mm256_maddubs_epi16(magnitudes[half], _mm256_sign_epi8(probe, rows[half]));
                    dots[half] = _mm256_add_epi32(dots[half], _mm256_madd_epi16(products, ones));
                }
            }
        }
        for (all, dots) in all.iter_mut().zip(dots) {
            all.as_chunks_mut().0[side] = store_avx2(dots);
        }
    }
    all
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn load_avx2(line: &Line) -> [__m256i; 2] {
    let halves = std::ptr::from_ref(line).cast::<__m256i>();
    // SAFETY: a line is 64 readable bytes, two registers; these loads ask for no alignment, and
    // every pattern of bits is valid.
    unsafe { [_mm256_loadu_si256(halves), _mm256_loadu_si256(halves.add(1))] }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn store_avx2(dots: [__m256i; 2]) -> [i32; LINE_ROWS] {
    let mut values = [0; LINE_ROWS];
    let halves = values.as_mut_ptr().cast::<__m256i>();
    // SAFETY: the array is 64 writable bytes, two registers; these stores ask for no alignment.
    unsafe {
        _mm256_storeu_si256(halves, dots[0]);
        _mm256_storeu_si256(halves.add(1), dots[1]);
    }
    values
}

#[cfg(test)]
#[path = "simd_tests.rs"]
mod tests;
