//! The bound: which rows int8 codes can rule out. Every engine drops rows by this and nothing else.
//!
//! # What is kept of a row and of a probe
//!
//! Let r be a row and q a probe, both on the grid of `face`, so that S = <q, r> is one f64 number
//! in whatever order it is summed. A row keeps integer codes c in [-127, 127], a scale s (f32) and
//! a residual e (f32), rounded up, with |r - s c| <= e. A probe keeps codes p in [-127, 127], a
//! scale t, P = |p| and f >= |q - t p|; b = f G, where G = 1 + 2^-16 is at least |r|, because an
//! embedding's squared length is within 2^-16 of 1. With I = <c, p>, an exact integer:
//!
//! **Theorem.** |S - t s I| <= t P e + b.
//!
//! Proof. S = <t p, s c> + <t p, r - s c> + <q - t p, r>. The first term is t s I; by Cauchy and
//! Schwarz the second is at most t P e and the third at most f |r| <= b.
//!
//! # The test in f32
//!
//! Let A be P rounded up to f32. An engine computes z = f32(I) s + A e in f32 and drops the row iff
//! z < theta.
//!
//! **Lemma.** Each of the four operations may round to either neighbour, a relative error of at
//! most u = 2^-23 (IEEE 754 gives half of it, WGSL this much); they may be fused. Then |z - (s I +
//! A e)| < 2^-20 P, and so is the error of `low` = z - 2 A e.
//!
//! Proof. |s I| <= |s c| P <= (|r| + e) P. No code is further from r / s than 1/2 + 2^-16, and s is
//! at most (1 + 2^-23) |r| / 127, hence e <= 0.501 sqrt(D) / 127 <= 0.18 for D <= 2,048; so |s I|
//! <= 1.19 P and A e <= 0.181 P. To first order the errors are u times: 1.19 P for the conversion
//! of I, 1.19 P for its product with s, 0.181 P for A e, 1.38 P for the sum: below 4 u P. `low`
//! adds 0.37 P for 2 A e and 1.38 P for the difference: below 6 u P. Terms of second order and A's
//! own rounding, which only raises z, are far below u P. 2^-20 P is 8 u P. Nothing is subnormal: A
//! >= 127, e >= 2^-40, s >= 2^-13 and I is whole.
//!
//! **No row is lost.** Let T be any lower bound of the k-th best exact score among the live rows,
//! and theta <= (T - b) / t - 2^-20 P. If z < theta, then s I + P e <= s I + A e < z + 2^-20 P <=
//! (T - b) / t, so S <= t s I + t P e + b < T: the row is **strictly** below k others. Ties are
//! never dropped, and the order of the kept rows is decided by their exact scores alone.
//!
//! **Where T comes from.** While scanning: S / t >= s I - P e - b / t >= low - 2^-20 P - b / t. If
//! k live rows have `low` at least w, the k-th best score is at least t (w - 2^-20 P) - b, and
//! theta = w - 2 b / t - 2^-19 P serves. After scanning: the k-th best exact score of any k rows.
//! The thetas themselves are computed in f64 and rounded down to f32; what f64 rounds on the way is
//! below 2^-45 P and paid by the slack, of which the lemma leaves a quarter.
//!
//! `simd` makes the test in whole numbers first, and argues that this drops nothing that z >= theta
//! would keep.
//!
//! A hidden row keeps `HIDDEN` as its residual, and so z is below `THETA_OPEN`: it never enters,
//! and masks need no test of their own.

use crate::face::LENGTH_SLACK;

/// Residual of a row that must not be found. A is 127 at least and 5,748 at most: its z lies
/// between -6e35 and -1e34, both finite.
pub(super) const HIDDEN: f32 = -1e32;
/// Below the z of every row that may be found, above that of every hidden one: theta as long as
/// fewer than k rows are known.
pub(super) const THETA_OPEN: f32 = -1e30;
/// Above every z: theta of a place in a tile that no probe has.
pub(super) const THETA_CLOSED: f32 = 1e30;

/// The largest magnitude of a code.
const CODE_MAX: f32 = 127.0;
/// What the lemma allows for, in units of P: 2^-20.
const SLACK: f64 = 1.0 / 1_048_576.0;
/// What rounding one difference of f32 takes at most, in units of P: 2^-22.
const DIFFERENCE_SLACK: f64 = 1.0 / 4_194_304.0;
/// Relative error that a sum of up to 2,048 squares in f64 and its root stay below: 2^-40.
const SUM_SLACK: f64 = 1.0 / 1_099_511_627_776.0;
/// Sums kept side by side, so that the compiler can use vector registers.
const LANES: usize = 8;

/// The bound of a row: s and e.
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

/// The bound of a probe: what an engine needs of it.
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
    /// What the lemma allows for, in units of P.
    slack: f64,
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
        Self { codes, a: up(length), scale, length, beyond, slack: SLACK }
    }

    /// Theta, when the k-th best exact score is at least `score`.
    pub(super) fn theta_of_score(&self, score: f64) -> f32 {
        down((score - self.beyond) / self.scale - self.slack * self.length)
    }

    /// Theta, when k live rows have a `low` of at least `low`.
    pub(super) fn theta_of_low(&self, low: f32) -> f32 {
        down(f64::from(low) - 2.0 * self.beyond / self.scale - 2.0 * self.slack * self.length)
    }

    /// What a device takes off the k-th largest `low` in f32 to have a theta that isn't above
    /// `theta_of_low`: see `top_k`.
    pub(super) fn margin(&self) -> f32 {
        up(2.0 * self.beyond / self.scale + (2.0 * self.slack + DIFFERENCE_SLACK) * self.length)
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
    // Adding a number whose neighbours are 1 apart rounds to a whole number, without a call for
    // each component. Any integers would keep the theorem: what they leave out is measured
    // afterwards.
    const ONE_APART: f32 = 12_582_912.0;
    let steps = scale.recip();
    for (code, &x) in codes.iter_mut().zip(values) {
        #[expect(clippy::cast_possible_truncation, reason = "between -127 and 127")]
        let whole = ((x * steps + ONE_APART) - ONE_APART).clamp(-CODE_MAX, CODE_MAX) as i8;
        *code = whole;
    }
}

/// |values - scale codes|, rounded up. Each difference is exact in f64: the scale is an f32 of at
/// least 2^-13, so both terms are multiples of 2^-36 below 2.
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

#[cfg(test)]
pub(super) mod tests {
    use super::super::tests::Numbers;
    use super::*;
    use crate::face::{Embedding, GRID_STEP};

    impl ProbeBound {
        /// Without what the lemma allows for: an engine that trusts its f32 sums.
        pub(in super::super) fn without_slack(self) -> Self {
            Self { slack: 0.0, ..self }
        }
    }

    /// A probe and two rows that score exactly alike: one as far from its codes as can be, in the
    /// probe's own direction, so that its score is all that the bound allows; one that is its
    /// codes.
    pub(in super::super) struct Tie {
        pub(in super::super) probe: Embedding,
        pub(in super::super) far: Embedding,
        pub(in super::super) near: Embedding,
    }

    /// Components of such a tie.
    const TIE_DIMENSION: usize = 128;
    /// The row's residual is so many grid steps times the probe's codes: 32 x 127 is just below
    /// half a code.
    const TIE_STEPS: i64 = 32;

    impl Tie {
        /// Everything in whole numbers: probe = t p, far = s c + 32 grid steps p, near = s d, with
        /// t = u grid steps and s = v grid steps. <p, d> - <p, c> = 32 |p|^2 / v makes the two
        /// scores equal.
        pub(in super::super) fn new(numbers: &mut Numbers) -> Self {
            loop {
                let v = 9_000 + i64::try_from(numbers.below(5_000)).unwrap();
                let target = i64::try_from(numbers.below(200_000)).unwrap() + 400_000;
                let p_squares = target / v * v;
                #[expect(
                    clippy::cast_precision_loss,
                    clippy::cast_possible_truncation,
                    reason = "a search by trial"
                )]
                let u = (2f64.powi(23) / (p_squares as f64).sqrt()).round() as i64;
                if !is_unit(u * u * p_squares) {
                    continue;
                }
                let Some(p) = with_squares(numbers, p_squares) else { continue };
                let Some((c, d)) = rows(numbers, &p, v) else { continue };
                let far = c.iter().zip(&p).map(|(&c, &p)| v * c + TIE_STEPS * p);
                let (Some(far), Some(probe)) = (on_grid(far), on_grid(p.iter().map(|&p| u * p)))
                else {
                    continue;
                };
                let Some(near) = on_grid(d.iter().map(|&d| v * d)) else { continue };
                assert_eq!(far.score(&probe), near.score(&probe));
                return Self { probe, far, near };
            }
        }
    }

    /// Whether a squared length, in squared grid steps, is that of an embedding; with something to
    /// spare.
    fn is_unit(squares: i64) -> bool {
        (squares - (1 << 46)).abs() < 1 << 29
    }

    fn on_grid(steps: impl Iterator<Item = i64>) -> Option<Embedding> {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "below 2^24 steps: exact"
        )]
        let components = steps.map(|steps| (steps as f64 * GRID_STEP) as f32).collect();
        Embedding::from_grid(components).ok()
    }

    /// The probe's codes: component 0 to 31 are 0, 32 to 39 are 1, one is 127, and the squares sum
    /// to `squares`.
    fn with_squares(numbers: &mut Numbers, squares: i64) -> Option<Vec<i64>> {
        let mut p = vec![0; TIE_DIMENSION];
        p[32..40].fill(1);
        p[40] = 127;
        let mean = squares / 87;
        for (at, p) in p.iter_mut().enumerate().skip(41) {
            let size = mean.isqrt() + i64::try_from(numbers.below(30)).unwrap() - 15;
            *p = size.clamp(1, 126) * if at % 2 == 0 { 1 } else { -1 };
        }
        tune(&mut p, 41..TIE_DIMENSION, squares)
    }

    /// Changes components until their squares sum to `squares`: large steps first, then what a few
    /// squares can add.
    fn tune(values: &mut [i64], free: std::ops::Range<usize>, squares: i64) -> Option<Vec<i64>> {
        let lack = |values: &[i64]| squares - values.iter().map(|x| x * x).sum::<i64>();
        for _ in 0..40 {
            for at in free.clone() {
                let left = lack(values);
                if left == 0 {
                    return Some(values.to_vec());
                }
                let x = values[at];
                let wanted =
                    (x * x + left).clamp(1, 126 * 126).isqrt().max(1) * if x < 0 { -1 } else { 1 };
                let step = (wanted - x).clamp(-3, 3);
                let better = |step: i64| (left - (2 * x * step + step * step)).abs() < left.abs();
                if let Some(step) = [step, step.signum()].into_iter().find(|&step| better(step)) {
                    values[at] = x + step;
                }
            }
        }
        None
    }

    /// Codes of the far and of the near row: 127 first, then 31 components that change the length
    /// alone, 8 that change the dot product by 1.
    fn rows(numbers: &mut Numbers, p: &[i64], v: i64) -> Option<(Vec<i64>, Vec<i64>)> {
        let p_squares: i64 = p.iter().map(|p| p * p).sum();
        let dot = |c: &[i64]| c.iter().zip(p).map(|(c, p)| c * p).sum::<i64>();
        let mut c = vec![0; TIE_DIMENSION];
        c[0] = 127;
        for (c, &p) in c.iter_mut().zip(p).skip(32) {
            let noise = i64::try_from(numbers.below(100)).unwrap() - 50;
            *c = (p / 2 + noise).clamp(-110, 110);
        }
        let mut d = c.clone();
        let mut lack = TIE_STEPS * p_squares / v;
        for at in (32..TIE_DIMENSION).rev() {
            let step = (lack / p[at]).clamp(-110 - d[at], 110 - d[at]);
            d[at] += step;
            lack -= step * p[at];
        }
        let length = |c: &[i64], steps: i64| {
            c.iter().zip(p).map(|(&c, &p)| (v * c + steps * p).pow(2)).sum::<i64>()
        };
        for (c, steps) in [(&mut c, TIE_STEPS), (&mut d, 0)] {
            // The components that no code of the probe meets make the length right.
            for at in 1..32 {
                let missing = (1 << 46) - length(c, steps);
                c[at] = (missing.max(0) / (v * v)).isqrt().min(126);
            }
            if !is_unit(length(c, steps)) {
                return None;
            }
        }
        (lack == 0 && dot(&d) - dot(&c) == TIE_STEPS * p_squares / v).then_some((c, d))
    }

    #[test]
    fn a_residual_is_never_shorter_than_what_the_codes_leave_out() {
        // In whole numbers: s is a multiple of 2^-36, so is each difference, and a residual is one
        // of 2^-63.
        let mut numbers = Numbers::new(31);
        for dimension in [16, 64, 100, 512, 2_048] {
            for _ in 0..40 {
                let row = numbers.embedding(dimension);
                let mut codes = vec![0; dimension];
                let RowBound { scale, residual } = quantise_row(row.components(), &mut codes);
                let whole = |x: f64, unit: i32| {
                    let steps = x * 2f64.powi(unit);
                    assert_eq!(steps.fract(), 0.0);
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "just seen to be whole, and small"
                    )]
                    let steps = steps as i128;
                    steps
                };
                let scale = whole(f64::from(scale), 36);
                let differences = row
                    .components()
                    .iter()
                    .zip(&codes)
                    .map(|(&r, &c)| whole(f64::from(r), 36) - scale * i128::from(c));
                let squares: i128 = differences.map(|difference| difference * difference).sum();
                let residual = whole(f64::from(residual), 63);
                assert!(residual * residual >= squares << 54, "D {dimension}");
                // And not by much longer, or the bound would be loose: a few in ten million.
                let shorter = residual - residual / 8_000_000 - 2;
                assert!(shorter * shorter < squares << 54, "D {dimension}");
            }
        }
    }

    #[test]
    fn no_score_is_further_from_its_codes_than_the_theorem_says() {
        let mut numbers = Numbers::new(32);
        let mut closest = f64::MAX;
        let mut check = |row: &Embedding, probe: &Embedding| {
            let bound = ProbeBound::new(probe.components());
            let mut codes = vec![0; row.dimension()];
            let RowBound { scale, residual } = quantise_row(row.components(), &mut codes);
            let dot: i32 =
                codes.iter().zip(&bound.codes).map(|(&c, &p)| i32::from(c) * i32::from(p)).sum();
            let off = (row.score(probe) - bound.scale * f64::from(scale) * f64::from(dot)).abs();
            let allowed = bound.scale * bound.length * f64::from(residual) + bound.beyond;
            assert!(off <= allowed);
            closest = closest.min(1.0 - off / allowed);
        };
        for dimension in [16, 64, 127, 512, 2_048] {
            for _ in 0..100 {
                check(&numbers.embedding(dimension), &numbers.embedding(dimension));
            }
        }
        for _ in 0..20 {
            let tie = Tie::new(&mut numbers);
            check(&tie.far, &tie.probe);
        }
        assert!(closest < 1e-6, "the ties lie on the bound: {closest}");
    }

    #[test]
    fn the_slack_covers_every_way_of_rounding_the_test() {
        let mut numbers = Numbers::new(33);
        let round = |x: f64, up: bool| {
            let near = nearest(x);
            match up {
                true if f64::from(near) < x => near.next_up(),
                false if f64::from(near) > x => near.next_down(),
                _ => near,
            }
        };
        let mut worst = 0.0f64;
        for dimension in [16, 128, 513, 2_048] {
            for _ in 0..200 {
                let (row, probe) = (numbers.embedding(dimension), numbers.embedding(dimension));
                let bound = ProbeBound::new(probe.components());
                let mut codes = vec![0; dimension];
                let RowBound { scale, residual } = quantise_row(row.components(), &mut codes);
                // The row's own codes as the probe make the largest dot product.
                for probe in [&bound.codes, &codes] {
                    let dot: i32 =
                        codes.iter().zip(probe).map(|(&c, &p)| i32::from(c) * i32::from(p)).sum();
                    let length = probe.iter().map(|&p| f64::from(p).powi(2)).sum::<f64>().sqrt();
                    let a = up(length);
                    let exact =
                        f64::from(scale) * f64::from(dot) + f64::from(a) * f64::from(residual);
                    let exact_low = exact - 2.0 * f64::from(a) * f64::from(residual);
                    for ups in 0..64u32 {
                        let up = |at: u32| ups >> at & 1 == 1;
                        let first = round(
                            f64::from(round(f64::from(dot), up(0))) * f64::from(scale),
                            up(1),
                        );
                        let second = round(f64::from(a) * f64::from(residual), up(2));
                        let z = round(f64::from(first) + f64::from(second), up(3));
                        let low = round(
                            f64::from(z)
                                - f64::from(round(2.0 * f64::from(a) * f64::from(residual), up(4))),
                            up(5),
                        );
                        let off =
                            (f64::from(z) - exact).abs().max((f64::from(low) - exact_low).abs());
                        worst = worst.max(off / (SLACK * length));
                    }
                }
            }
        }
        // IEEE 754 rounds to the nearest, WGSL to a neighbour: the factor 1 is WGSL's.
        assert!((0.05..0.75).contains(&worst), "{worst} of the slack");
    }

    #[test]
    fn thetas_are_rounded_down() {
        let mut numbers = Numbers::new(34);
        for _ in 0..1_000 {
            let probe = numbers.embedding(64);
            let bound = ProbeBound::new(probe.components());
            let score = numbers.embedding(64).score(&probe);
            let exact = (score - bound.beyond) / bound.scale - SLACK * bound.length;
            let theta = bound.theta_of_score(score);
            assert!(f64::from(theta) <= exact && f64::from(theta.next_up()) > exact);
            let low = nearest(score / bound.scale);
            let exact =
                f64::from(low) - 2.0 * bound.beyond / bound.scale - 2.0 * SLACK * bound.length;
            assert!(f64::from(bound.theta_of_low(low)) <= exact);
        }
    }

    #[test]
    fn hidden_rows_lie_below_every_open_threshold() {
        for a in [127.0f32, 5_748.0] {
            for sums in [-3.4e7f32, 0.0, 3.4e7] {
                let z = sums * 8e-3 + a * HIDDEN;
                assert!(z.is_finite() && z < THETA_OPEN);
            }
        }
    }
}
