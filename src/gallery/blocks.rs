//! Blocks: how codes of rows and of probes lie in memory, the drop test of `bound` on a block's dot
//! products, and the path of `simd` that any processor takes.
//!
//! # A block
//!
//! ```text
//! 32 rows of D components, D padded with zero codes to a multiple of 4: D / 2 + 4 lines of 64
//! bytes, one after the other in memory; a code c is kept as c + 128, a u8
//!
//! line 0          row 0: codes 0 to 3    row 1: codes 0 to 3    ...   row 15: codes 0 to 3
//! line 1          row 16: codes 0 to 3   row 17: codes 0 to 3   ...   row 31: codes 0 to 3
//! line 2          row 0: codes 4 to 7    ...
//! line D / 2      scales of rows 0 to 15, f32 little-endian; the next line: of rows 16 to 31
//! line D / 2 + 2  residuals of rows 0 to 15, f32 little-endian; the next line: of rows 16 to 31
//! ```
//!
//! One linear stream: a scan reads each line once, whatever the number of probes. Two lines against
//! eight probes are sixteen sums: enough to hide the latency of the multiply-add, with ten loads
//! for sixteen of them.
//!
//! # What is asked of rows and probes
//!
//! With `bound`'s names: D <= 2,048, A >= P, and for a row that may be found s >= 2^-13,
//! P / s <= 16,200 D, 0 <= e <= 0.2 and |s c| <= 1.2; so its z is above -1.5 A, and a theta below
//! -2 A means no more than -2 A. Any other row has a residual of -1e32.

/// Rows of a block.
pub(super) const BLOCK_ROWS: usize = 32;
/// Most probes of a tile.
pub(super) const TILE_PROBES: usize = 8;
/// Rows of a line.
pub(super) const LINE_ROWS: usize = 16;
/// Lines that lie together: with the same codes of all rows.
pub(super) const SIDES: usize = BLOCK_ROWS / LINE_ROWS;
/// Codes that lie together.
const QUAD: usize = 4;
/// Lines after the codes: scales, residuals.
const ENDS: usize = 2 * SIDES;
/// Added to each code of a row, because the multiply-add instruction wants one side without a sign.
const BIAS: i32 = 128;
/// Lines that a scan asks for ahead of its reading, at least: 8 KiB. The prefetcher of the
/// processor alone gets half the bandwidth at 8 probes.
const AHEAD: usize = 128;
/// Lets the test in whole numbers keep a little more than it must, for each component.
#[cfg(target_arch = "x86_64")]
const MARGIN: f32 = 1.0 / 16.0;

/// 64 bytes of a block. They are read fastest where they begin at a multiple of 64.
pub(super) type Line = [u8; 64];

/// Lines of one block.
pub(super) fn block_lines(dimension: usize) -> usize {
    dimension.div_ceil(QUAD) * SIDES + ENDS
}

/// Writes a row into its place in a block.
///
/// Shapes: `block` has `block_lines(D)` lines, `codes` is D, `row` is below 32.
pub(super) fn put_row(block: &mut [Line], row: usize, codes: &[i8], scale: f32, residual: f32) {
    let ends = block.len() - ENDS;
    let (side, at) = (row / LINE_ROWS, row % LINE_ROWS * QUAD);
    for (line, codes) in block[..ends].iter_mut().skip(side).step_by(SIDES).zip(codes.chunks(QUAD))
    {
        let mut biased = [0x80; QUAD];
        for (biased, &code) in biased.iter_mut().zip(codes) {
            *biased = code.cast_unsigned() ^ 0x80;
        }
        line[at..at + QUAD].copy_from_slice(&biased);
    }
    block[ends + side][at..at + QUAD].copy_from_slice(&scale.to_le_bytes());
    put_residual(block, row, residual);
}

/// Overwrites a row's place with zeros.
pub(super) fn put_nothing(block: &mut [Line], row: usize) {
    let (side, at) = (row / LINE_ROWS, row % LINE_ROWS * QUAD);
    for line in block.iter_mut().skip(side).step_by(SIDES) {
        line[at..at + QUAD].fill(0);
    }
}

/// Overwrites a row's residual.
pub(super) fn put_residual(block: &mut [Line], row: usize, residual: f32) {
    let (line, at) = (block.len() - SIDES + row / LINE_ROWS, row % LINE_ROWS * QUAD);
    block[line][at..at + QUAD].copy_from_slice(&residual.to_le_bytes());
}

/// A row's residual.
#[inline]
pub(super) fn residual(block: &[Line], row: usize) -> f32 {
    let (line, at) = (block.len() - SIDES + row / LINE_ROWS, row % LINE_ROWS);
    f32::from_le_bytes(block[line].as_chunks::<QUAD>().0[at])
}

/// Up to 8 probes as the loop reads them; places without a probe are zeros.
pub(super) struct Tile {
    /// Probes that lie side by side: 1, 4 or 8.
    pub(super) width: usize,
    /// Quad by quad, in each the probes side by side: four codes as the bytes of an i32.
    pub(super) quads: Vec<i32>,
    /// -128 times the sum of each probe's codes: where its dot products begin, so that they end
    /// without the rows' bias.
    pub(super) starts: [i32; TILE_PROBES],
    /// A of each probe.
    pub(super) a: [f32; TILE_PROBES],
    /// Where the sums of the test in whole numbers begin, but for the theta.
    #[cfg(target_arch = "x86_64")]
    pub(super) floors: [f32; TILE_PROBES],
}

impl Tile {
    /// Lays out 1 to 8 probes, each with its codes and its A.
    ///
    /// Shapes: the codes of each are D.
    pub(super) fn new(probes: &[(&[i8], f32)]) -> Self {
        assert!((1..=TILE_PROBES).contains(&probes.len()), "a tile holds 1 to 8 probes");
        let width = [1, 4].into_iter().find(|&width| probes.len() <= width).unwrap_or(TILE_PROBES);
        let quads_len = probes[0].0.len().div_ceil(QUAD);
        let mut tile = Self {
            width,
            quads: vec![0; quads_len * width],
            starts: [0; TILE_PROBES],
            a: [0.0; TILE_PROBES],
            #[cfg(target_arch = "x86_64")]
            floors: [0.0; TILE_PROBES],
        };
        for (at, &(codes, a)) in probes.iter().enumerate() {
            assert_eq!(
                codes.len().div_ceil(QUAD),
                quads_len,
                "all probes have the rows' dimension"
            );
            for (quad, codes) in codes.chunks(QUAD).enumerate() {
                let mut bytes = [0; QUAD];
                for (byte, &code) in bytes.iter_mut().zip(codes) {
                    *byte = code.cast_unsigned();
                }
                tile.quads[quad * width + at] = i32::from_le_bytes(bytes);
            }
            tile.starts[at] = -BIAS * codes.iter().map(|&code| i32::from(code)).sum::<i32>();
            tile.a[at] = a;
            #[cfg(target_arch = "x86_64")]
            #[expect(
                clippy::cast_precision_loss,
                reason = "the argument for the margin counts this rounding"
            )]
            {
                tile.floors[at] = tile.starts[at] as f32 + (codes.len() as f32 * MARGIN + 16.0);
            }
        }
        tile
    }
}

/// A value for each place in a block.
pub(super) type Lows = [f32; BLOCK_ROWS];

/// A hit: a row that the test did not drop for one probe.
pub(super) struct Hit {
    /// The row's index among those that were scanned.
    pub(super) row: usize,
    /// The tile's index and the probe's index in it.
    pub(super) tile: usize,
    pub(super) probe: usize,
    pub(super) z: f32,
    pub(super) residual: f32,
}

/// The order of a scan: all blocks, each with all tiles while it is near.
pub(super) struct BlocksByTiles<'a> {
    blocks: &'a [Line],
    next: &'a [Line],
    lines: usize,
    pub(super) tiles: &'a [Tile],
}

impl<'a> BlocksByTiles<'a> {
    pub(super) fn new(blocks: &'a [Line], next: &'a [Line], tiles: &'a [Tile]) -> Option<Self> {
        let first = tiles.first()?;
        let quads = first.quads.len() / first.width;
        let lines = quads * SIDES + ENDS;
        assert!(
            tiles.iter().all(|tile| tile.quads.len() == quads * tile.width),
            "all tiles have one dimension"
        );
        assert!(blocks.len().is_multiple_of(lines), "whole blocks of the tiles' dimension");
        Some(Self { blocks, next, lines, tiles })
    }

    #[inline]
    pub(super) fn count(&self) -> usize {
        self.blocks.len() / self.lines
    }

    #[inline(always)]
    pub(super) fn block(&self, at: usize) -> RowBlock<'_> {
        let later = at * self.lines + AHEAD.div_ceil(self.lines) * self.lines;
        let lines = &self.blocks[at * self.lines..][..self.lines];
        // Without any later block this one is asked for again, which costs nothing.
        let later = if later < self.blocks.len() {
            self.blocks[later..].as_ptr()
        } else {
            self.next.get(later - self.blocks.len()..).map_or(lines.as_ptr(), <[Line]>::as_ptr)
        };
        RowBlock { lines, at, later }
    }
}

/// A block, and a later one to ask for meanwhile.
#[derive(Clone, Copy)]
pub(super) struct RowBlock<'a> {
    pub(super) lines: &'a [Line],
    pub(super) at: usize,
    pub(super) later: *const Line,
}

/// A block and a tile: what is computed at once.
pub(super) struct Pair<'a> {
    pub(super) block: RowBlock<'a>,
    pub(super) tile: &'a Tile,
    pub(super) tile_at: usize,
}

impl Pair<'_> {
    /// Quad by quad, the lines with these codes of all rows.
    #[inline]
    pub(super) fn codes(&self) -> &[[Line; SIDES]] {
        self.block.lines[..self.block.lines.len() - ENDS].as_chunks().0
    }

    /// The lines with the scales, and those with the residuals.
    #[inline]
    pub(super) fn ends(&self) -> &[[Line; SIDES]; 2] {
        self.block.lines.as_chunks().0.last_chunk().expect("a block has its last lines")
    }

    /// z and `low` of all rows, written so that the compiler can use whatever registers the caller
    /// was compiled for.
    #[inline(always)]
    fn bounds(&self, probe: usize, dots: &[i32; BLOCK_ROWS]) -> (Lows, Lows) {
        let [scales, residuals] = self.ends();
        let a = self.tile.a[probe];
        let (mut z, mut low) = ([0.0; BLOCK_ROWS], [f32::MIN; BLOCK_ROWS]);
        for side in 0..SIDES {
            let (scales, residuals) =
                (scales[side].as_chunks::<QUAD>().0, residuals[side].as_chunks::<QUAD>().0);
            for at in 0..LINE_ROWS {
                let row = side * LINE_ROWS + at;
                #[expect(clippy::cast_precision_loss, reason = "the bound counts this rounding")]
                let dot = dots[row] as f32;
                let residual = f32::from_le_bytes(residuals[at]);
                z[row] = dot * f32::from_le_bytes(scales[at]) + a * residual;
                if residual >= 0.0 {
                    low[row] = z[row] - 2.0 * a * residual;
                }
            }
        }
        (z, low)
    }

    /// The drop test of one probe; a row that it keeps is a hit.
    #[inline(always)]
    pub(super) fn test(
        &self,
        probe: usize,
        dots: &[i32; BLOCK_ROWS],
        theta: &mut f32,
        hit: &mut impl FnMut(&Hit, &mut f32),
    ) {
        let (z, _) = self.bounds(probe, dots);
        let rows =
            z.iter().enumerate().fold(0, |rows, (row, &z)| rows | u32::from(z >= *theta) << row);
        if rows != 0 {
            self.report(probe, rows, &z, theta, hit);
        }
    }

    /// Raises one probe's largest lows to those of this block.
    #[inline(always)]
    pub(super) fn raise(&self, probe: usize, dots: &[i32; BLOCK_ROWS], largest: &mut Lows) {
        let (_, low) = self.bounds(probe, dots);
        largest.iter_mut().zip(low).for_each(|(largest, low)| *largest = largest.max(low));
    }

    /// Reports hits of one probe.
    #[cold]
    #[inline(never)]
    pub(super) fn report(
        &self,
        probe: usize,
        mut rows: u32,
        z: &Lows,
        theta: &mut f32,
        hit: &mut impl FnMut(&Hit, &mut f32),
    ) {
        while rows != 0 {
            let row = rows.trailing_zeros() as usize;
            rows &= rows - 1;
            // An earlier row may have raised theta.
            if z[row] >= *theta {
                let residual = residual(self.block.lines, row);
                hit(
                    &Hit {
                        row: self.block.at * BLOCK_ROWS + row,
                        tile: self.tile_at,
                        probe,
                        z: z[row],
                        residual,
                    },
                    theta,
                );
            }
        }
    }
}

/// The scan on any processor.
pub(super) fn scan_portable(
    pairs: &BlocksByTiles<'_>,
    thetas: &mut [[f32; TILE_PROBES]],
    hit: &mut impl FnMut(&Hit, &mut f32),
) {
    for at in 0..pairs.count() {
        let block = pairs.block(at);
        for (tile_at, tile) in pairs.tiles.iter().enumerate() {
            let pair = Pair { block, tile, tile_at };
            for (probe, theta) in thetas[tile_at][..tile.width].iter_mut().enumerate() {
                pair.test(probe, &dots_portable(&pair, probe), theta, hit);
            }
        }
    }
}

/// The largest lows on any processor.
pub(super) fn largest_lows_portable(
    pairs: &BlocksByTiles<'_>,
    largest: &mut [[Lows; TILE_PROBES]],
) {
    for at in 0..pairs.count() {
        let block = pairs.block(at);
        for (tile_at, tile) in pairs.tiles.iter().enumerate() {
            let pair = Pair { block, tile, tile_at };
            for (probe, largest) in largest[tile_at][..tile.width].iter_mut().enumerate() {
                pair.raise(probe, &dots_portable(&pair, probe), largest);
            }
        }
    }
}

#[inline]
fn dots_portable(pair: &Pair<'_>, probe: usize) -> [i32; BLOCK_ROWS] {
    let mut dots = [pair.tile.starts[probe]; BLOCK_ROWS];
    for (lines, quads) in pair.codes().iter().zip(pair.tile.quads.chunks_exact(pair.tile.width)) {
        let [p0, p1, p2, p3] = quads[probe].to_le_bytes().map(|code| i32::from(code.cast_signed()));
        for (line, dots) in lines.iter().zip(dots.as_chunks_mut::<LINE_ROWS>().0) {
            for (dot, &row) in dots.iter_mut().zip(line.as_chunks::<QUAD>().0) {
                // One word a row, taken apart by shifts: the compiler finds vector instructions for
                // this form.
                let [c0, c1, c2, c3] = [0, 8, 16, 24]
                    .map(|shift| (u32::from_le_bytes(row) >> shift & 0xff).cast_signed());
                *dot += c0 * p0 + c1 * p1 + c2 * p2 + c3 * p3;
            }
        }
    }
    dots
}
