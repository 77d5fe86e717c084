//! What the hot loop promises: the same integers on every path, and no row dropped that may count.

use super::super::blocks::{block_lines, put_nothing, put_residual, put_row, residual};
use super::super::prefetch::prefetch;
use super::*;

/// Residual of a hidden row.
const HIDDEN: f32 = -1e32;
/// Theta of a place without a probe.
const CLOSED: f32 = 1e30;

/// Numbers that are the same everywhere (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn codes(&mut self, dimension: usize) -> Vec<i8> {
        // The largest magnitudes come often: they are where something could saturate.
        (0..dimension)
            .map(|_| match self.next() % 4 {
                0 => 127,
                1 => -127,
                _ => i8::try_from(i64::try_from(self.next() % 255).unwrap() - 127).unwrap(),
            })
            .collect()
    }

    fn unit(&mut self) -> f32 {
        f32::from(u16::try_from(self.next() >> 48).unwrap()) / 65_536.0
    }
}

/// Rows, each with its scale and its residual, and probes, each with its A: what `simd` asks of
/// them, near its limits.
struct Case {
    rows: Vec<(Vec<i8>, f32, f32)>,
    probes: Vec<(Vec<i8>, f32)>,
    blocks: Vec<Line>,
    tiles: Vec<Tile>,
}

fn length(codes: &[i8]) -> f32 {
    codes.iter().map(|&code| f32::from(code) * f32::from(code)).sum::<f32>().sqrt()
}

impl Case {
    fn new(numbers: &mut Numbers, dimension: usize, blocks_len: usize, probes_len: usize) -> Self {
        let row = |numbers: &mut Numbers| {
            let codes = numbers.codes(dimension);
            let scale = (0.8 + 0.4 * numbers.unit()) / length(&codes);
            (codes, scale, 0.2 * numbers.unit())
        };
        let rows: Vec<_> = (0..blocks_len * BLOCK_ROWS).map(|_| row(numbers)).collect();
        let lines = block_lines(dimension);
        let mut blocks = vec![[0; 64]; blocks_len * lines];
        for (at, (codes, scale, residual)) in rows.iter().enumerate() {
            put_row(
                &mut blocks[at / BLOCK_ROWS * lines..][..lines],
                at % BLOCK_ROWS,
                codes,
                *scale,
                *residual,
            );
        }
        let probes: Vec<_> = (0..probes_len)
            .map(|_| {
                let codes = numbers.codes(dimension);
                let a = length(&codes).next_up();
                (codes, a)
            })
            .collect();
        let refs: Vec<_> = probes.iter().map(|(codes, a)| (codes.as_slice(), *a)).collect();
        let tiles = refs.chunks(TILE_PROBES).map(Tile::new).collect();
        Self { rows, probes, blocks, tiles }
    }

    fn hide(&mut self, row: usize) {
        let lines = block_lines(self.rows[0].0.len());
        put_residual(
            &mut self.blocks[row / BLOCK_ROWS * lines..][..lines],
            row % BLOCK_ROWS,
            HIDDEN,
        );
    }

    /// z by plain arithmetic, with the error that f32 may make of it.
    fn z(&self, row: usize, probe: usize) -> (f64, f64) {
        let ((codes, scale, residual), (probe, a)) = (&self.rows[row], &self.probes[probe]);
        let dot: i32 = codes.iter().zip(probe).map(|(&c, &p)| i32::from(c) * i32::from(p)).sum();
        let (first, second) =
            (f64::from(dot) * f64::from(*scale), f64::from(*a) * f64::from(*residual));
        (first + second, (first.abs() + second.abs()) * 2f64.powi(-22))
    }

    /// Row, probe and z of what isn't dropped. Places without a probe are given as closed, as
    /// `simd` wants them.
    fn hits(&self, path: Path, theta: f32) -> Vec<(usize, usize, f32)> {
        let mut thetas = vec![[CLOSED; TILE_PROBES]; self.tiles.len()];
        thetas.as_flattened_mut()[..self.probes.len()].fill(theta);
        let mut found = Vec::new();
        path.scan(
            &self.blocks,
            &self.blocks[..self.blocks.len() / 2],
            &self.tiles,
            &mut thetas,
            &mut |hit, _| {
                found.push((hit.row, hit.tile * TILE_PROBES + hit.probe, hit.z));
            },
        );
        found.sort_by_key(|&(row, probe, _)| (row, probe));
        found
    }
}

#[test]
fn every_path_gives_every_row_its_exact_dot_product() {
    let mut numbers = Numbers(1);
    for dimension in [16, 17, 63, 64, 65, 128, 510, 512, 2_047, 2_048] {
        for probes_len in [1, 2, 5, 8, 9, 16, 17, 33] {
            let case = Case::new(&mut numbers, dimension, 2, probes_len);
            for path in Path::all() {
                let found = case.hits(path, f32::MIN);
                assert_eq!(found.len(), case.rows.len() * probes_len, "{path:?}");
                for (row, probe, z) in found {
                    let (wanted, error) = case.z(row, probe);
                    assert!(
                        (f64::from(z) - wanted).abs() <= error,
                        "{path:?} D {dimension} row {row} probe {probe}: {z} {wanted}"
                    );
                }
            }
        }
    }
}

#[test]
fn no_path_drops_a_row_on_its_threshold() {
    let mut numbers = Numbers(2);
    for dimension in [16, 130, 600] {
        for probes_len in [1, 3, 8, 20, 40] {
            let case = Case::new(&mut numbers, dimension, 3, probes_len);
            for path in Path::all() {
                let all = case.hits(path, f32::MIN);
                assert_eq!(all.len(), case.rows.len() * probes_len);
                for at in 0..12 {
                    // Every row's own z in turn; the largest first, as in a search that knows a
                    // lot.
                    let mut z: Vec<f32> = all.iter().map(|found| found.2).collect();
                    z.sort_by(|a, b| b.total_cmp(a));
                    let theta = z[at * z.len() / 12];
                    let kept: Vec<_> =
                        all.iter().copied().filter(|found| found.2 >= theta).collect();
                    assert_eq!(
                        case.hits(path, theta),
                        kept,
                        "{path:?} D {dimension} theta {theta}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_test_in_whole_numbers_holds_at_the_limits_of_every_number() {
    // All codes 127 or -127, the largest dimension: the largest sums, the largest P / s, thetas at
    // both ends.
    for (row_code, probe_code) in [(127, 127), (127, -127), (-127, 127), (-127, -127)] {
        let row = vec![row_code; 2_048];
        let probe = vec![probe_code; 2_048];
        let (scale, a) = (1.19 / length(&row), length(&probe).next_up());
        let mut block = vec![[0; 64]; block_lines(2_048)];
        (0..BLOCK_ROWS).for_each(|at| put_row(&mut block, at, &row, scale, 0.18));
        put_residual(&mut block, 7, HIDDEN);
        put_nothing(&mut block, 8);
        put_residual(&mut block, 8, HIDDEN);
        let tiles = [Tile::new(&[(&probe, a)])];
        for path in Path::all() {
            let rows = |theta: f32| {
                let mut rows = 0;
                path.scan(
                    &block,
                    &[],
                    &tiles,
                    &mut [[theta, CLOSED, CLOSED, CLOSED, CLOSED, CLOSED, CLOSED, CLOSED]],
                    &mut |hit, _| rows |= 1u32 << hit.row,
                );
                rows
            };
            let shown = !(1 << 7 | 1 << 8);
            assert_eq!(rows(-1e30), shown, "{path:?}");
            assert_eq!(rows(-2.0 * a), shown, "{path:?}");
            assert_eq!(rows(2.0 * a), 0, "{path:?}");
            assert_eq!(rows(CLOSED), 0, "{path:?}");
        }
    }
}

#[test]
fn hidden_rows_are_never_told_and_have_no_low() {
    let mut numbers = Numbers(4);
    for (dimension, probes_len) in [(64, 1), (100, 5), (512, 8), (33, 19)] {
        let mut case = Case::new(&mut numbers, dimension, 5, probes_len);
        let hidden: Vec<usize> =
            (0..case.rows.len()).filter(|row| row % 3 == 1 || row / BLOCK_ROWS == 2).collect();
        hidden.iter().for_each(|&row| case.hide(row));
        for path in Path::all() {
            let hits = case.hits(path, f32::MIN);
            assert_eq!(hits.len(), (case.rows.len() - hidden.len()) * probes_len, "{path:?}");
            assert!(hits.iter().all(|(row, ..)| !hidden.contains(row)), "{path:?}");
            let largest = path.largest_lows(&case.blocks, &case.tiles);
            for (probe, (_, a)) in case.probes.iter().enumerate() {
                for (place, &found) in
                    largest[probe / TILE_PROBES][probe % TILE_PROBES].iter().enumerate()
                {
                    let shown = (place..case.rows.len())
                        .step_by(BLOCK_ROWS)
                        .filter(|row| !hidden.contains(row));
                    let low = |row: usize| {
                        case.z(row, probe).0 - 2.0 * f64::from(*a) * f64::from(case.rows[row].2)
                    };
                    let wanted = shown.map(low).fold(f64::from(f32::MIN), f64::max);
                    let found = f64::from(found);
                    assert!(
                        (found - wanted).abs() <= f64::from(*a) * 2f64.powi(-20),
                        "{path:?}: {found}, wanted {wanted}"
                    );
                }
            }
            // Nothing is found where nothing is shown.
            let lines = block_lines(dimension);
            let largest = path.largest_lows(&case.blocks[2 * lines..3 * lines], &case.tiles);
            assert!(
                largest.as_flattened().as_flattened().iter().all(|&low| low == f32::MIN),
                "{path:?}"
            );
        }
    }
}

#[test]
fn every_width_of_register_gives_the_exact_score() {
    let mut numbers = Numbers(5);
    for length in [0, 1, 7, 16, 33, 128, 300, 2_048] {
        // On a grid of 2^-10: products and sums are exact in any order.
        let mut list = || {
            (0..length)
                .map(|_| {
                    f32::from(i16::try_from(numbers.next() % 2_048).unwrap() - 1_024) / 1_024.0
                })
                .collect::<Vec<_>>()
        };
        let (a, b) = (list(), list());
        let wanted: f64 = a.iter().zip(&b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
        assert_eq!(exact(&a, &b), wanted);
        assert_eq!(
            (
                exact_in_lanes::<8>(&a, &b),
                exact_in_lanes::<16>(&a, &b),
                exact_in_lanes::<32>(&a, &b)
            ),
            (wanted, wanted, wanted)
        );
    }
}

#[test]
fn a_raised_threshold_holds_from_the_next_block_on() {
    let mut numbers = Numbers(3);
    let case = Case::new(&mut numbers, 64, 4, 1);
    for path in Path::all() {
        let mut told = 0;
        path.scan(
            &case.blocks,
            &[],
            &case.tiles,
            &mut [[f32::MIN; TILE_PROBES]],
            &mut |_, theta| {
                told += 1;
                *theta = f32::MAX;
            },
        );
        assert_eq!(told, 1, "{path:?}");
    }
}

#[test]
fn thresholds_that_rise_with_every_row_leave_the_best_one_and_every_z_right() {
    let mut numbers = Numbers(6);
    for (dimension, probes_len) in [(64, 1), (64, 3), (130, 8), (33, 17)] {
        let case = Case::new(&mut numbers, dimension, 40, probes_len);
        let best: Vec<f64> = (0..probes_len)
            .map(|probe| {
                (0..case.rows.len()).map(|row| case.z(row, probe).0).fold(f64::MIN, f64::max)
            })
            .collect();
        for path in Path::all() {
            let mut thetas = vec![[CLOSED; TILE_PROBES]; case.tiles.len()];
            thetas.as_flattened_mut()[..probes_len].fill(f32::MIN);
            path.scan(&case.blocks, &[], &case.tiles, &mut thetas, &mut |hit, theta| {
                let (wanted, error) = case.z(hit.row, hit.tile * TILE_PROBES + hit.probe);
                assert!(
                    hit.z >= *theta && (f64::from(hit.z) - wanted).abs() <= error,
                    "{path:?}: {} {wanted}",
                    hit.z
                );
                *theta = hit.z;
            });
            for (theta, best) in thetas.as_flattened().iter().zip(&best) {
                assert!(
                    (f64::from(*theta) - best).abs() <= best.abs() * 2f64.powi(-20),
                    "{path:?}: {theta}, {best} is the best"
                );
            }
        }
    }
}

#[test]
fn a_residual_is_read_back_and_overwritten_alone() {
    let mut block = vec![[0; 64]; block_lines(21)];
    put_row(&mut block, 3, &[7; 21], 0.5, 0.25);
    let before = block.clone();
    assert_eq!(residual(&block, 3), 0.25);
    put_residual(&mut block, 3, -1.0);
    assert_eq!(residual(&block, 3), -1.0);
    put_residual(&mut block, 3, 0.25);
    assert_eq!(block, before);
}

#[test]
fn a_row_that_is_asked_for_may_be_of_any_length() {
    for length in [0, 1, 15, 16, 17, 512] {
        prefetch(&vec![0.0; length]);
    }
}
