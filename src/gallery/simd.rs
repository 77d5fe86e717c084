//! The hot loop: exact dot products of int8 codes, a block of rows against a tile of probes, and
//! the drop test of `bound`.
//!
//! Three paths give the same integers: AVX-512 with VNNI, AVX2, and one that any processor takes
//! (`blocks`). These files hold all `unsafe` code of the crate and know each other only, so that
//! they can be compiled and run alone, under a sanitizer too.

#![allow(
    unsafe_code,
    reason = "functions compiled for more than every processor has; each block says why it is sound"
)]

use super::blocks::{
    BLOCK_ROWS, BlocksByTiles, Hit, Line, Lows, TILE_PROBES, Tile, largest_lows_portable,
    scan_portable,
};
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};

/// A path: a set of instructions that this processor has, by which dot products are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Path(Kind);

/// The kinds of paths; private, so that a path can't be made without asking the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Path {
    /// All paths that this processor has, the fastest first.
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

    /// Tests all rows of whole blocks against all probes of the tiles and reports the hits, which
    /// may not be dropped; `hit` may raise the theta.
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
        let Some(pairs) = BlocksByTiles::new(blocks, next, tiles) else { return };
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Path::all` alone makes this kind, where the processor has avx512f and
            // avx512vnni.
            Kind::Avx512Vnni => unsafe { avx512::scan(&pairs, thetas, hit) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `Path::all` alone makes this kind, where the processor has avx2.
            Kind::Avx2 => unsafe { avx2::scan(&pairs, thetas, hit) },
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
        let Some(pairs) = BlocksByTiles::new(blocks, &[], tiles) else { return largest };
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as in `scan`.
            Kind::Avx512Vnni => unsafe { avx512::largest_lows(&pairs, &mut largest) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as in `scan`.
            Kind::Avx2 => unsafe { avx2::largest_lows(&pairs, &mut largest) },
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
            Kind::Avx512Vnni => Some(unsafe { avx512::peak() }),
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

#[cfg(test)]
#[path = "simd_tests.rs"]
mod tests;
