//! What int8 codes can rule out: the one bound that every engine drops rows by.
//!
//! # What is kept of a row and of a probe
//!
//! Let r be a row and q a probe, both on the grid of `face`, so that S = <q, r> is one f64 number in whatever order it is summed.
//! A row keeps integer codes c in [-127, 127], a scale s (f32) and a residual e (f32), rounded up, with |r - s c| <= e.
//! A probe keeps codes p in [-127, 127], a scale t, P = |p| and f >= |q - t p|; b = f G, where G = 1 + 2^-16 is at least |r|,
//! because an embedding's squared length is within 2^-16 of 1. With I = <c, p>, an exact integer:
//!
//! **Theorem.** |S - t s I| <= t P e + b.
//!
//! Proof. S = <t p, s c> + <t p, r - s c> + <q - t p, r>. The first term is t s I; by Cauchy and Schwarz the second is at most
//! t P e and the third at most f |r| <= b.
//!
//! # The test in f32
//!
//! Let A be P rounded up to f32. An engine computes z = f32(I) s + A e in f32 and drops the row iff z < theta.
//!
//! **Lemma.** Each of the four operations may round to either neighbour, a relative error of at most u = 2^-23 (IEEE 754 gives half
//! of it, WGSL this much); they may be fused. Then |z - (s I + A e)| < 2^-20 P, and so is the error of `low` = z - 2 A e.
//!
//! Proof. |s I| <= |s c| P <= (|r| + e) P. No code is further from r / s than 1/2 + 2^-16, and s is at most (1 + 2^-23) |r| / 127,
//! hence e <= 0.501 sqrt(D) / 127 <= 0.18 for D <= 2,048; so |s I| <= 1.19 P and A e <= 0.181 P. To first order the errors are u times:
//! 1.19 P for the conversion of I, 1.19 P for its product with s, 0.181 P for A e, 1.38 P for the sum: below 4 u P. `low` adds
//! 0.37 P for 2 A e and 1.38 P for the difference: below 6 u P. Terms of second order and A's own rounding, which only
//! raises z, are far below u P. 2^-20 P is 8 u P. Nothing is subnormal: A >= 127, e >= 2^-40, s >= 2^-13 and I is whole.
//!
//! **No row is lost.** Let T be any lower bound of the k-th best exact score among the live rows, and
//! theta <= (T - b) / t - 2^-20 P. If z < theta, then s I + P e <= s I + A e < z + 2^-20 P <= (T - b) / t,
//! so S <= t s I + t P e + b < T: the row is **strictly** below k others. Ties are never dropped, and the order of the kept rows is
//! decided by their exact scores alone.
//!
//! **Where T comes from.** While scanning: S / t >= s I - P e - b / t >= low - 2^-20 P - b / t. If k live rows have `low` at least
//! w, the k-th best score is at least t (w - 2^-20 P) - b, and theta = w - 2 b / t - 2^-19 P serves. After scanning: the k-th
//! best exact score of any k rows. The thetas themselves are computed in f64 and rounded down to f32; what f64 rounds on the way is
//! below 2^-45 P and paid by the slack, of which the lemma leaves a quarter.
//!
//! A hidden row keeps `HIDDEN` as its residual, and so z is below `THETA_OPEN`: it never enters, and masks need no test of their own.

use crate::face::LENGTH_SLACK;

/// Residual of a row that must not be found. A is 127 at least and 5,748 at most: its z lies between -6e35 and -1e34, both finite.
pub(super) const HIDDEN: f32 = -1e32;
/// Below the z of every row that may be found, above that of every hidden one: theta as long as fewer than k rows are known.
pub(super) const THETA_OPEN: f32 = -1e30;
/// Above every z: theta of a place in a tile that no probe has.
pub(super) const THETA_CLOSED: f32 = 1e30;

/// The largest magnitude of a code.
const CODE_MAX: f32 = 127.0;
/// What the lemma allows for, in units of P: 2^-20.
const SLACK: f64 = 1.0 / 1_048_576.0;
/// Relative error that a sum of up to 2,048 squares in f64 and its root stay below: 2^-40.
const SUM_SLACK: f64 = 1.0 / 1_099_511_627_776.0;
/// Sums kept side by side, so that the compiler can use vector registers.
const LANES: usize = 8;

/// s and e of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RowBound {
    /// s: what one step of a code is worth.
    pub(super) scale: f32,
    /// e: at least the length of what the codes leave out.
    pub(super) residual: f32,
}

/// Writes a row's codes and gives its bound.
///
/// Shapes: `row` and `codes` are D.
pub(super) fn quantise_row(row: &[f32], codes: &mut [i8]) -> RowBound {
    let scale = largest(row) / CODE_MAX;
    round_to(row, scale, codes);
    let residual = up(left_out(row, f64::from(scale), codes).max(SUM_SLACK));
    RowBound { scale, residual }
}

/// What an engine needs of a probe.
#[derive(Clone, Debug)]
pub(super) struct ProbeBound {
    /// p.
    pub(super) codes: Vec<i8>,
    /// A: P rounded up.
    pub(super) a: f32,
    /// t.
    scale: f64,
    /// P.
    length: f64,
    /// b.
    beyond: f64,
}

impl ProbeBound {
    /// Shapes: `probe` is D.
    pub(super) fn new(probe: &[f32]) -> Self {
        let mut codes = vec![0; probe.len()];
        let scale = largest(probe) / CODE_MAX;
        round_to(probe, scale, &mut codes);
        let squares: i32 = codes.iter().map(|&p| i32::from(p) * i32::from(p)).sum();
        let length = f64::from(squares).sqrt() * (1.0 + SUM_SLACK);
        let scale = f64::from(scale);
        let beyond = left_out(probe, scale, &codes) * (1.0 + LENGTH_SLACK) * (1.0 + SUM_SLACK);
        Self { codes, a: up(length), scale, length, beyond }
    }

    /// Theta, when the k-th best exact score is at least `score`.
    pub(super) fn theta_of_score(&self, score: f64) -> f32 {
        down((score - self.beyond) / self.scale - SLACK * self.length)
    }

    /// Theta, when k live rows have a `low` of at least `low`.
    pub(super) fn theta_of_low(&self, low: f32) -> f32 {
        down(f64::from(low) - 2.0 * self.beyond / self.scale - 2.0 * SLACK * self.length)
    }

    /// `low` of a row with this z and residual.
    pub(super) fn low(&self, z: f32, residual: f32) -> f32 {
        z - 2.0 * self.a * residual
    }

    /// z of a row with this dot product of codes.
    pub(super) fn z(&self, dot: i32, row: RowBound) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "the lemma counts this rounding")]
        let dot = dot as f32;
        dot * row.scale + self.a * row.residual
    }
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |largest, x| largest.max(x.abs()))
}

fn round_to(values: &[f32], scale: f32, codes: &mut [i8]) {
    // Any integers would keep the theorem: what they leave out is measured afterwards.
    let steps = scale.recip();
    for (code, &x) in codes.iter_mut().zip(values) {
        #[expect(clippy::cast_possible_truncation, reason = "between -127 and 127")]
        let whole = (x * steps).round_ties_even().clamp(-CODE_MAX, CODE_MAX) as i8;
        *code = whole;
    }
}

/// |values - scale codes|, rounded up. Each difference is exact in f64: the scale is an f32 of at least 2^-13, so both
/// terms are multiples of 2^-36 below 2.
fn left_out(values: &[f32], scale: f64, codes: &[i8]) -> f64 {
    let mut sums = [0.0; LANES];
    let square = |x: f32, code: i8| {
        let left = f64::from(x) - scale * f64::from(code);
        left * left
    };
    let (values, values_rest) = values.as_chunks::<LANES>();
    let (codes, codes_rest) = codes.as_chunks::<LANES>();
    for (values, codes) in values.iter().zip(codes) {
        for lane in 0..LANES {
            sums[lane] += square(values[lane], codes[lane]);
        }
    }
    let rest: f64 = values_rest.iter().zip(codes_rest).map(|(&x, &code)| square(x, code)).sum();
    (sums.iter().sum::<f64>() + rest).sqrt() * (1.0 + SUM_SLACK)
}

/// The nearest f32 that isn't below.
fn up(x: f64) -> f32 {
    let near = nearest(x);
    if f64::from(near) < x { near.next_up() } else { near }
}

/// The nearest f32 that isn't above.
fn down(x: f64) -> f32 {
    let near = nearest(x);
    if f64::from(near) > x { near.next_down() } else { near }
}

fn nearest(x: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "rounding is the point")]
    let near = x as f32;
    near
}
