//! The hot loop: exact dot products of int8 codes, a block of rows against a tile of probes, and the drop test of `bound`.
//!
//! This is the one file with `unsafe` code, and so it knows nothing of the rest: it can be compiled and run alone, under a sanitizer
//! too. Three paths give the same integers: AVX-512 with VNNI, AVX2, and one that any processor takes.
//!
//! # A block
//!
//! ```text
//! 32 rows of D components, D padded with zero codes to a multiple of 4: D / 2 + 4 lines of 64 bytes, one after the other in memory
//!
//! line 0           row 0: codes 0 to 3    row 1: codes 0 to 3    ...   row 15: codes 0 to 3      each code + 128, as u8
//! line 1           row 16: codes 0 to 3   row 17: codes 0 to 3   ...   row 31: codes 0 to 3
//! line 2           row 0: codes 4 to 7    ...
//! line D / 2       scales of rows 0 to 15, f32 little-endian; the next line: of rows 16 to 31
//! line D / 2 + 2   residuals of rows 0 to 15, f32 little-endian; the next line: of rows 16 to 31
//! ```
//!
//! One linear stream: a scan reads each line once, whatever the number of probes. Two lines against eight probes are sixteen sums:
//! enough to hide the latency of the multiply-add, with ten loads for sixteen of them.

#![allow(unsafe_code, reason = "vector instructions and their loads; each block says why it is sound")]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256i, __m512, __m512i, _CMP_GE_OQ, _MM_HINT_T0, _mm_prefetch, _mm256_abs_epi8, _mm256_add_epi32, _mm256_load_si256,
    _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256,
    _mm256_sign_epi8, _mm256_storeu_si256, _mm256_xor_si256, _mm512_castsi512_ps, _mm512_cmp_ps_mask, _mm512_cvtepi32_ps,
    _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_load_si512, _mm512_loadu_si512, _mm512_mul_ps, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_storeu_ps, _mm512_storeu_si512,
};

/// Rows of a block.
pub(crate) const BLOCK_ROWS: usize = 32;
/// Most probes of a tile.
pub(crate) const TILE_PROBES: usize = 8;
/// Rows of a line.
const LINE_ROWS: usize = 16;
/// Lines that lie together: with the same codes of all rows.
const SIDES: usize = BLOCK_ROWS / LINE_ROWS;
/// Codes that lie together.
const QUAD: usize = 4;
/// Lines after the codes: scales, residuals.
const ENDS: usize = 2 * SIDES;
/// Added to each code of a row, because the multiply-add instruction wants one side without a sign.
const BIAS: i32 = 128;
/// Lines that a scan asks for ahead of its reading: 8 KiB. The prefetcher of the processor alone gets half the bandwidth at 8 probes.
#[cfg(target_arch = "x86_64")]
const AHEAD: usize = 128;

/// 64 bytes of a block.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line(pub(crate) [u8; 64]);

/// Lines of one block.
pub(crate) fn block_lines(dimension: usize) -> usize {
    dimension.div_ceil(QUAD) * SIDES + ENDS
}

/// Writes a row into its place in a block.
///
/// Shapes: `block` has `block_lines(D)` lines, `codes` is D, `row` is below 32.
pub(crate) fn put_row(block: &mut [Line], row: usize, codes: &[i8], scale: f32, residual: f32) {
    let ends = block.len() - ENDS;
    let (side, at) = (row / LINE_ROWS, row % LINE_ROWS * QUAD);
    for (line, codes) in block[..ends].iter_mut().skip(side).step_by(SIDES).zip(codes.chunks(QUAD)) {
        let mut biased = [0x80; QUAD];
        for (biased, &code) in biased.iter_mut().zip(codes) {
            *biased = code.cast_unsigned() ^ 0x80;
        }
        line.0[at..at + QUAD].copy_from_slice(&biased);
    }
    block[ends + side].0[at..at + QUAD].copy_from_slice(&scale.to_le_bytes());
    put_residual(block, row, residual);
}

/// Overwrites a row's place with zeros.
pub(crate) fn put_nothing(block: &mut [Line], row: usize) {
    let (side, at) = (row / LINE_ROWS, row % LINE_ROWS * QUAD);
    for line in block.iter_mut().skip(side).step_by(SIDES) {
        line.0[at..at + QUAD].fill(0);
    }
}

/// Overwrites a row's residual.
pub(crate) fn put_residual(block: &mut [Line], row: usize, residual: f32) {
    let (line, at) = (block.len() - SIDES + row / LINE_ROWS, row % LINE_ROWS * QUAD);
    block[line].0[at..at + QUAD].copy_from_slice(&residual.to_le_bytes());
}

/// A row's residual.
pub(crate) fn residual(block: &[Line], row: usize) -> f32 {
    let (line, at) = (block.len() - SIDES + row / LINE_ROWS, row % LINE_ROWS);
    f32::from_le_bytes(block[line].0.as_chunks::<QUAD>().0[at])
}

/// Up to 8 probes as the loop reads them; places without a probe are zeros.
pub(crate) struct Tile {
    /// Probes that lie side by side: 1, 4 or 8.
    width: usize,
    /// Quad by quad, in each the probes side by side: four codes as the bytes of an i32.
    quads: Vec<i32>,
    /// -128 times the sum of each probe's codes: where its dot products begin, so that they end without the rows' bias.
    starts: [i32; TILE_PROBES],
    /// A of each probe.
    a: [f32; TILE_PROBES],
}

impl Tile {
    /// Lays out 1 to 8 probes, each with its codes and its A.
    ///
    /// Shapes: the codes of each are D.
    pub(crate) fn new(probes: &[(&[i8], f32)]) -> Self {
        assert!((1..=TILE_PROBES).contains(&probes.len()), "a tile holds 1 to 8 probes");
        let width = [1, 4].into_iter().find(|&width| probes.len() <= width).unwrap_or(TILE_PROBES);
        let quads_len = probes[0].0.len().div_ceil(QUAD);
        let mut tile = Self { width, quads: vec![0; quads_len * width], starts: [0; TILE_PROBES], a: [0.0; TILE_PROBES] };
        for (at, &(codes, a)) in probes.iter().enumerate() {
            assert_eq!(codes.len().div_ceil(QUAD), quads_len, "all probes have the rows' dimension");
            for (quad, codes) in codes.chunks(QUAD).enumerate() {
                let mut bytes = [0; QUAD];
                for (byte, &code) in bytes.iter_mut().zip(codes) {
                    *byte = code.cast_unsigned();
                }
                tile.quads[quad * width + at] = i32::from_le_bytes(bytes);
            }
            tile.starts[at] = -BIAS * codes.iter().map(|&code| i32::from(code)).sum::<i32>();
            tile.a[at] = a;
        }
        tile
    }
}

/// Rows of a block that the test did not drop for one probe.
pub(crate) struct Hit<'a> {
    /// The block's index in what was scanned.
    pub(crate) block: usize,
    /// Its lines.
    pub(crate) lines: &'a [Line],
    /// The tile's index and the probe's index in it.
    pub(crate) tile: usize,
    pub(crate) probe: usize,
    /// One bit for each row that was not dropped.
    pub(crate) rows: u32,
    /// z of all 32 rows.
    pub(crate) z: [f32; BLOCK_ROWS],
}

/// A way of computing dot products that this processor can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path(Kind);

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
    pub(crate) fn all() -> Vec<Self> {
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
    pub(crate) fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512Vnni => "AVX-512 VNNI",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "AVX2",
            Kind::Portable => "portable",
        }
    }

    /// Tests all rows of whole blocks against all probes of the tiles and tells what may not be dropped; `hit` may raise the theta.
    ///
    /// Shapes: `blocks` is a multiple of `block_lines(D)` lines; `thetas` has 8 values for each tile.
    pub(crate) fn scan(self, blocks: &[Line], tiles: &[Tile], thetas: &mut [[f32; TILE_PROBES]], hit: &mut impl FnMut(&Hit<'_>, &mut f32)) {
        let Some(first) = tiles.first() else { return };
        let quads = first.quads.len() / first.width;
        let lines = quads * SIDES + ENDS;
        assert!(tiles.iter().all(|tile| tile.quads.len() == quads * tile.width), "all tiles have one dimension");
        assert_eq!(tiles.len(), thetas.len(), "each tile has its thetas");
        assert!(blocks.len().is_multiple_of(lines), "whole blocks of the tiles' dimension");
        let pairs = Pairs { blocks, lines, tiles };
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Path::all` alone makes this kind, where the processor has avx512f and avx512vnni.
            Kind::Avx512Vnni => unsafe { scan_avx512(&pairs, thetas, hit) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Path::all` alone makes this kind, where the processor has avx2.
            Kind::Avx2 => unsafe { scan_avx2(&pairs, thetas, hit) },
            Kind::Portable => scan_portable(&pairs, thetas, hit),
        }
    }

    /// Multiply-adds a second that one thread can do at most, measured for a few milliseconds; none where no one instruction does it.
    pub(crate) fn peak(self) -> Option<f64> {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as in `scan`.
            Kind::Avx512Vnni => Some(unsafe { peak_avx512() }),
            _ => None,
        }
    }
}

/// Asks the processor to have values near when they are read soon.
pub(crate) fn ask_for<T>(row: &[T]) {
    for line in row.chunks((64 / size_of::<T>()).max(1)) {
        fetch(line.as_ptr().cast());
    }
}

/// Any address may be given: a wrong one costs nothing but the asking.
#[inline(always)]
fn fetch(address: *const i8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE is part of every x86-64, and a prefetch neither faults nor changes what a program can see.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(address);
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// All blocks, each with all tiles while it is near.
struct Pairs<'a> {
    blocks: &'a [Line],
    lines: usize,
    tiles: &'a [Tile],
}

impl Pairs<'_> {
    #[inline(always)]
    fn each(&self) -> impl Iterator<Item = Pair<'_>> {
        let blocks = self.blocks.chunks_exact(self.lines).enumerate();
        blocks.flat_map(|(at, block)| self.tiles.iter().enumerate().map(move |(tile_at, tile)| Pair { block, at, tile, tile_at }))
    }
}

/// One block and one tile.
struct Pair<'a> {
    block: &'a [Line],
    at: usize,
    tile: &'a Tile,
    tile_at: usize,
}

impl Pair<'_> {
    /// Quad by quad, the lines with these codes of all rows.
    fn codes(&self) -> &[[Line; SIDES]] {
        self.block[..self.block.len() - ENDS].as_chunks().0
    }

    /// The lines with the scales, and those with the residuals.
    fn ends(&self) -> &[[Line; SIDES]; 2] {
        self.block.as_chunks().0.last_chunk().expect("a block has its last lines")
    }

    /// The test, written so that the compiler can use whatever registers the caller was compiled for.
    #[inline(always)]
    fn offer(&self, probe: usize, dots: &[i32; BLOCK_ROWS], theta: &mut f32, hit: &mut impl FnMut(&Hit<'_>, &mut f32)) {
        let [scales, residuals] = self.ends();
        let a = self.tile.a[probe];
        let mut z = [0.0; BLOCK_ROWS];
        let mut rows = 0;
        for side in 0..SIDES {
            let (scales, residuals) = (scales[side].0.as_chunks::<QUAD>().0, residuals[side].0.as_chunks::<QUAD>().0);
            for at in 0..LINE_ROWS {
                let row = side * LINE_ROWS + at;
                #[expect(clippy::cast_precision_loss, reason = "the bound counts this rounding")]
                let dot = dots[row] as f32;
                z[row] = dot * f32::from_le_bytes(scales[at]) + a * f32::from_le_bytes(residuals[at]);
                rows |= u32::from(z[row] >= *theta) << row;
            }
        }
        if rows != 0 {
            self.tell(probe, rows, &z, theta, hit);
        }
    }

    #[cold]
    #[inline(never)]
    fn tell(&self, probe: usize, rows: u32, z: &[f32; BLOCK_ROWS], theta: &mut f32, hit: &mut impl FnMut(&Hit<'_>, &mut f32)) {
        hit(&Hit { block: self.at, lines: self.block, tile: self.tile_at, probe, rows, z: *z }, theta);
    }
}

fn scan_portable(pairs: &Pairs<'_>, thetas: &mut [[f32; TILE_PROBES]], hit: &mut impl FnMut(&Hit<'_>, &mut f32)) {
    for pair in pairs.each() {
        let width = pair.tile.width;
        for probe in 0..width {
            let mut dots = [pair.tile.starts[probe]; BLOCK_ROWS];
            for (lines, quads) in pair.codes().iter().zip(pair.tile.quads.chunks_exact(width)) {
                let [p0, p1, p2, p3] = quads[probe].to_le_bytes().map(|code| i32::from(code.cast_signed()));
                for (line, dots) in lines.iter().zip(dots.as_chunks_mut::<LINE_ROWS>().0) {
                    for (dot, &row) in dots.iter_mut().zip(line.0.as_chunks::<QUAD>().0) {
                        // One word a row, taken apart by shifts: the compiler finds vector instructions for this form.
                        let [c0, c1, c2, c3] = [0, 8, 16, 24].map(|shift| (u32::from_le_bytes(row) >> shift & 0xff).cast_signed());
                        *dot += c0 * p0 + c1 * p1 + c2 * p2 + c3 * p3;
                    }
                }
            }
            pair.offer(probe, &dots, &mut thetas[pair.tile_at][probe], hit);
        }
    }
}

// AVX-512

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vnni")]
fn scan_avx512(pairs: &Pairs<'_>, thetas: &mut [[f32; TILE_PROBES]], hit: &mut impl FnMut(&Hit<'_>, &mut f32)) {
    for pair in pairs.each() {
        let thetas = &mut thetas[pair.tile_at];
        // The first tile's reading brings the lines for the others.
        match (pair.tile.width, pair.tile_at) {
            (1, 0) => tile_avx512::<1, true>(&pair, thetas, hit),
            (4, 0) => tile_avx512::<4, true>(&pair, thetas, hit),
            (_, 0) => tile_avx512::<TILE_PROBES, true>(&pair, thetas, hit),
            (1, _) => tile_avx512::<1, false>(&pair, thetas, hit),
            (4, _) => tile_avx512::<4, false>(&pair, thetas, hit),
            _ => tile_avx512::<TILE_PROBES, false>(&pair, thetas, hit),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f,avx512vnni")]
fn tile_avx512<const PROBES: usize, const FETCH: bool>(
    pair: &Pair<'_>,
    thetas: &mut [f32; TILE_PROBES],
    hit: &mut impl FnMut(&Hit<'_>, &mut f32),
) {
    let tile = pair.tile;
    let mut dots = [[_mm512_set1_epi32(0); SIDES]; PROBES];
    for (dots, &start) in dots.iter_mut().zip(&tile.starts) {
        *dots = [_mm512_set1_epi32(start); SIDES];
    }
    for (lines, quads) in pair.codes().iter().zip(tile.quads.as_chunks::<PROBES>().0) {
        if FETCH {
            fetch(std::ptr::from_ref(lines).cast::<Line>().wrapping_add(AHEAD).cast());
            fetch(std::ptr::from_ref(lines).cast::<Line>().wrapping_add(AHEAD + 1).cast());
        }
        let rows = [load_avx512(&lines[0]), load_avx512(&lines[1])];
        for (dots, &quad) in dots.iter_mut().zip(quads) {
            // Bytes of rows have no sign, bytes of probes have one; nothing saturates.
            let probe = _mm512_set1_epi32(quad);
            *dots = [_mm512_dpbusd_epi32(dots[0], rows[0], probe), _mm512_dpbusd_epi32(dots[1], rows[1], probe)];
        }
    }
    let mut some = 0;
    for side in 0..SIDES {
        let (scales, residuals) = ends_avx512(pair, side);
        for ((dots, &a), &theta) in dots.iter().zip(&tile.a).zip(&*thetas) {
            some |= _mm512_cmp_ps_mask::<_CMP_GE_OQ>(z_avx512(dots[side], a, scales, residuals), _mm512_set1_ps(theta));
        }
    }
    // Rare, and so computed again elsewhere: what the ordinary block needs stays in registers.
    if some != 0 {
        let mut told = [[[0; LINE_ROWS]; SIDES]; PROBES];
        for (told, dots) in told.as_flattened_mut().iter_mut().zip(dots.as_flattened()) {
            *told = store_avx512(*dots);
        }
        tell_avx512(pair, &told, thetas, hit);
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
fn ends_avx512(pair: &Pair<'_>, side: usize) -> (__m512, __m512) {
    let [scales, residuals] = pair.ends();
    (_mm512_castsi512_ps(load_avx512(&scales[side])), _mm512_castsi512_ps(load_avx512(&residuals[side])))
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
fn z_avx512(dots: __m512i, a: f32, scales: __m512, residuals: __m512) -> __m512 {
    _mm512_fmadd_ps(_mm512_cvtepi32_ps(dots), scales, _mm512_mul_ps(residuals, _mm512_set1_ps(a)))
}

#[cfg(target_arch = "x86_64")]
#[cold]
#[inline(never)]
#[target_feature(enable = "avx512f")]
fn tell_avx512(
    pair: &Pair<'_>,
    dots: &[[[i32; LINE_ROWS]; SIDES]],
    thetas: &mut [f32; TILE_PROBES],
    hit: &mut impl FnMut(&Hit<'_>, &mut f32),
) {
    let ends = [ends_avx512(pair, 0), ends_avx512(pair, 1)];
    for (probe, (dots, theta)) in dots.iter().zip(thetas).enumerate() {
        let z = [0, 1].map(|side: usize| {
            let (scales, residuals) = ends[side];
            z_avx512(reload_avx512(&dots[side]), pair.tile.a[probe], scales, residuals)
        });
        let kept = |side: usize| u32::from(_mm512_cmp_ps_mask::<_CMP_GE_OQ>(z[side], _mm512_set1_ps(*theta)));
        let rows = kept(0) | kept(1) << LINE_ROWS;
        if rows != 0 {
            let mut values = [0.0; BLOCK_ROWS];
            for (values, z) in values.as_chunks_mut::<LINE_ROWS>().0.iter_mut().zip(z) {
                // SAFETY: the chunk is 64 writable bytes; this store asks for no alignment.
                unsafe { _mm512_storeu_ps(values.as_mut_ptr(), z) };
            }
            pair.tell(probe, rows, &values, theta, hit);
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
fn load_avx512(line: &Line) -> __m512i {
    // SAFETY: a line is 64 readable bytes, aligned to 64, and every pattern of bits is a valid register.
    unsafe { _mm512_load_si512(std::ptr::from_ref(line).cast()) }
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
    // SAFETY: the array is 64 readable bytes; this load asks for no alignment, and every pattern of bits is a valid register.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

/// Sixteen independent sums, so that neither latency nor memory holds the instruction up.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vnni")]
fn peak_avx512() -> f64 {
    const ROUNDS: u32 = 1 << 20;
    let (rows, probes) = std::hint::black_box((_mm512_set1_epi32(0x0102_0304), _mm512_set1_epi32(0x0101_0101)));
    let begin = std::time::Instant::now();
    let mut dots = [_mm512_set1_epi32(0); 16];
    for _ in 0..ROUNDS {
        for dot in &mut dots {
            *dot = _mm512_dpbusd_epi32(*dot, rows, probes);
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
fn scan_avx2(pairs: &Pairs<'_>, thetas: &mut [[f32; TILE_PROBES]], hit: &mut impl FnMut(&Hit<'_>, &mut f32)) {
    for pair in pairs.each() {
        let thetas = &mut thetas[pair.tile_at];
        if pair.tile.width == 1 {
            tile_avx2::<1>(&pair, 0, thetas, hit);
        } else {
            for first in (0..pair.tile.width).step_by(AVX2_PROBES) {
                tile_avx2::<AVX2_PROBES>(&pair, first, thetas, hit);
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn tile_avx2<const PROBES: usize>(
    pair: &Pair<'_>,
    first: usize,
    thetas: &mut [f32; TILE_PROBES],
    hit: &mut impl FnMut(&Hit<'_>, &mut f32),
) {
    let ones = _mm256_set1_epi16(1);
    let mut all = [[0; BLOCK_ROWS]; PROBES];
    for side in 0..SIDES {
        let mut dots = [[_mm256_setzero_si256(); 2]; PROBES];
        for (lines, quads) in pair.codes().iter().zip(pair.tile.quads.chunks_exact(pair.tile.width)) {
            let line = &lines[side];
            if first == 0 {
                fetch(std::ptr::from_ref(line).wrapping_add(AHEAD).cast());
            }
            let rows = load_avx2(line).map(|half| _mm256_xor_si256(half, _mm256_set1_epi8(i8::MIN)));
            let magnitudes = rows.map(|half| _mm256_abs_epi8(half));
            for (dots, &quad) in dots.iter_mut().zip(&quads[first..first + PROBES]) {
                let probe = _mm256_set1_epi32(quad);
                for half in 0..2 {
                    // |c| times p with c's sign: two products are at most 2 x 127 x 127, which fits into 16 bits.
                    let products = _mm256_maddubs_epi16(magnitudes[half], _mm256_sign_epi8(probe, rows[half]));
                    dots[half] = _mm256_add_epi32(dots[half], _mm256_madd_epi16(products, ones));
                }
            }
        }
        for (all, dots) in all.iter_mut().zip(dots) {
            all.as_chunks_mut().0[side] = store_avx2(dots);
        }
    }
    for (at, dots) in all.iter().enumerate() {
        pair.offer(first + at, dots, &mut thetas[first + at], hit);
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2")]
fn load_avx2(line: &Line) -> [__m256i; 2] {
    let halves = std::ptr::from_ref(line).cast::<__m256i>();
    // SAFETY: a line is 64 readable bytes, aligned to 64: two registers, of which every pattern of bits is valid.
    unsafe { [_mm256_load_si256(halves), _mm256_load_si256(halves.add(1))] }
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

// Named by its path, because this file is the root when it is compiled alone.
#[cfg(test)]
#[path = "simd_tests.rs"]
mod tests;
