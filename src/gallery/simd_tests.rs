//! What the hot loop promises: the same integers on every path, and no row dropped that may count.

use super::*;

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

struct Case {
    rows: Vec<(Vec<i8>, f32, f32)>,
    probes: Vec<(Vec<i8>, f32)>,
    blocks: Vec<Line>,
    tiles: Vec<Tile>,
}

impl Case {
    fn new(numbers: &mut Numbers, dimension: usize, blocks_len: usize, probes_len: usize) -> Self {
        let rows: Vec<_> = (0..blocks_len * BLOCK_ROWS).map(|_| (numbers.codes(dimension), numbers.unit(), numbers.unit())).collect();
        let lines = block_lines(dimension);
        let mut blocks = vec![Line([0; 64]); blocks_len * lines];
        for (at, (codes, scale, residual)) in rows.iter().enumerate() {
            put_row(&mut blocks[at / BLOCK_ROWS * lines..][..lines], at % BLOCK_ROWS, codes, *scale, *residual);
        }
        let probes: Vec<_> = (0..probes_len).map(|_| (numbers.codes(dimension), 100.0 + numbers.unit())).collect();
        let refs: Vec<_> = probes.iter().map(|(codes, a)| (codes.as_slice(), *a)).collect();
        let tiles = refs.chunks(TILE_PROBES).map(Tile::new).collect();
        Self { rows, probes, blocks, tiles }
    }

    /// z by plain arithmetic, with the error that f32 may make of it.
    fn z(&self, row: usize, probe: usize) -> (f64, f64) {
        let ((codes, scale, residual), (probe, a)) = (&self.rows[row], &self.probes[probe]);
        let dot: i32 = codes.iter().zip(probe).map(|(&c, &p)| i32::from(c) * i32::from(p)).sum();
        let (first, second) = (f64::from(dot) * f64::from(*scale), f64::from(*a) * f64::from(*residual));
        (first + second, (first.abs() + second.abs()) * 2f64.powi(-22))
    }

    fn hits(&self, path: Path, theta: f32) -> Vec<(usize, usize, f32)> {
        let mut thetas = vec![[theta; TILE_PROBES]; self.tiles.len()];
        let mut found = Vec::new();
        path.scan(&self.blocks, &self.tiles, &mut thetas, &mut |hit, _| {
            for row in (0..BLOCK_ROWS).filter(|row| hit.rows >> row & 1 == 1) {
                let probe = hit.tile * TILE_PROBES + hit.probe;
                if probe < self.probes.len() {
                    found.push((hit.block * BLOCK_ROWS + row, probe, hit.z[row]));
                }
            }
        });
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
                    assert!((f64::from(z) - wanted).abs() <= error, "{path:?} D {dimension} row {row} probe {probe}: {z} {wanted}");
                }
            }
        }
    }
}

#[test]
fn no_path_drops_a_row_on_its_threshold() {
    let mut numbers = Numbers(2);
    for probes_len in [1, 3, 8, 16, 20] {
        let case = Case::new(&mut numbers, 96, 3, probes_len);
        for path in Path::all() {
            let all = case.hits(path, f32::MIN);
            let theta = all[all.len() / 2].2;
            let kept = case.hits(path, theta);
            assert_eq!(kept, all.into_iter().filter(|found| found.2 >= theta).collect::<Vec<_>>(), "{path:?}");
        }
    }
}

#[test]
fn a_raised_threshold_holds_from_the_next_block_on() {
    let mut numbers = Numbers(3);
    let case = Case::new(&mut numbers, 64, 4, 1);
    for path in Path::all() {
        let mut told = 0;
        path.scan(&case.blocks, &case.tiles, &mut [[f32::MIN; TILE_PROBES]], &mut |_, theta| {
            told += 1;
            *theta = f32::MAX;
        });
        assert_eq!(told, 1, "{path:?}");
    }
}

#[test]
fn a_residual_is_read_back_and_overwritten_alone() {
    let mut block = vec![Line([0; 64]); block_lines(21)];
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
        ask_for(&vec![0.0; length]);
    }
}
