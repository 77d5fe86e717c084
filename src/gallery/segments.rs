//! Segments: one gallery's rows in the device's memory, in buffers that are never moved or rebuilt,
//! only filled and overwritten in place.
//!
//! Changes are marked block by block and written before the next search: a million appended rows go
//! over in large pieces that all threads pack together, one appended, hidden or zeroed row as its
//! own block of 64, in one write. A block is packed from the host's rows as they are when it is
//! written, so what was hidden, zeroed or moved away is overwritten.
//!
//! The host keeps the scale and the residual of each place, 8 bytes beside the 4 D of its numbers.
//! With them and the exact dot product of codes it computes the bounds of what a device found
//! itself: what it decides by is the same on every device. Finding them out again from a row's
//! numbers would take longer than scoring the row.

use super::bound::{HIDDEN, RowBound};
use super::cpu::{in_parallel, threads};
use super::error::GalleryError;
use super::gpu::GpuDevice;
use super::rows::Rows;
use super::score::{BLOCK_ROWS, block_words, pack_block};
use crate::limits::{FOUND_LEN_DEVICE_MAX, SEGMENT_ROWS_FIRST, UPLOAD_BYTES_MAX};
use std::collections::BTreeSet;
use std::sync::Mutex;
use zeroize::Zeroizing;

/// Blocks that a further thread must bring, so that starting it pays.
const BLOCKS_PER_THREAD_MIN: usize = 32;

/// The layout of a gallery on a device.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeviceLayout {
    /// Rows of the first segment, a multiple of 64.
    pub(super) segment_rows_first: u32,
    /// Rows of the largest segment, a multiple of 64.
    pub(super) segment_rows_max: u32,
    /// Places in one probe's list, most.
    pub(super) list_len_max: u32,
    /// Bytes written before the host waits for them to arrive.
    pub(super) upload_bytes_max: usize,
}

impl DeviceLayout {
    /// What the device's own limits allow for rows of this dimension.
    pub(super) fn of(device: &GpuDevice, dimension: usize) -> Self {
        let blocks = (device.segment_bytes_max() / block_bytes(dimension)).max(1);
        let rows = u32::try_from(blocks * u64::from(BLOCK_ROWS))
            .unwrap_or(u32::MAX / BLOCK_ROWS * BLOCK_ROWS);
        Self {
            segment_rows_first: SEGMENT_ROWS_FIRST.min(rows),
            segment_rows_max: rows,
            list_len_max: FOUND_LEN_DEVICE_MAX,
            upload_bytes_max: UPLOAD_BYTES_MAX,
        }
    }
}

/// Bytes of one block of 64 rows.
pub(super) fn block_bytes(dimension: usize) -> u64 {
    block_words(dimension) as u64 * 4
}

/// A segment: a stretch of rows in a buffer of its own.
pub(super) struct Segment {
    /// The gallery's place of row 0.
    pub(super) first: u32,
    rows_max: u32,
    rows: wgpu::Buffer,
    /// The buffer, bound for `score`.
    pub(super) group: wgpu::BindGroup,
    /// Scale and residual of each row as the device has them. As long as it will ever be: a vector
    /// that grows leaves old numbers behind.
    bounds: Zeroizing<Vec<[f32; 2]>>,
}

#[cfg(test)]
impl Segment {
    /// The buffer with the rows' codes; tests copy it back, so only there it can be a source.
    pub(super) fn rows(&self) -> &wgpu::Buffer {
        &self.rows
    }
}

/// All segments and the blocks in which they are behind the host's rows.
pub(super) struct Segments {
    layout: DeviceLayout,
    all: Vec<Segment>,
    stale: BTreeSet<u32>,
}

impl Segments {
    pub(super) fn new(layout: DeviceLayout) -> Self {
        Self { layout, all: Vec::new(), stale: BTreeSet::new() }
    }

    /// Marks the blocks of the rows in these places as changed.
    pub(super) fn mark_changed(&mut self, first: u32, end: u32) {
        if first < end {
            self.stale.extend(first / BLOCK_ROWS..=(end - 1) / BLOCK_ROWS);
        }
    }

    /// The segments in the order of their rows.
    pub(super) fn all(&self) -> &[Segment] {
        &self.all
    }

    /// The bound of the row in a place that the device has.
    pub(super) fn bound(&self, place: u32) -> RowBound {
        let segment = &self.all[self.at(place)];
        let [scale, residual] = segment.bounds[(place - segment.first) as usize];
        RowBound { scale, residual }
    }

    /// Hands the blocks that changed to the device; all is there before any later submission runs.
    pub(super) fn flush(&mut self, device: &GpuDevice, rows: &Rows) -> Result<(), GalleryError> {
        device.check()?;
        while self.places_max() < u64::from(rows.places()) {
            self.grow(device, rows.dimension());
        }
        let words = block_words(rows.dimension());
        let blocks_max =
            u32::try_from(self.layout.upload_bytes_max / (words * 4)).unwrap_or(u32::MAX).max(1);
        let mut packed = Zeroizing::new(Vec::new());
        let mut waiting_bytes = 0;
        for (first, end) in self.runs(blocks_max) {
            let at = self.at(first * BLOCK_ROWS);
            let segment = &mut self.all[at];
            let offset = (first * BLOCK_ROWS - segment.first) as usize;
            let bounds =
                &mut segment.bounds[offset..][..(end - first) as usize * BLOCK_ROWS as usize];
            packed.resize((end - first) as usize * words, 0);
            pack(rows, first, &mut packed, bounds);
            let at = offset as u64 / u64::from(BLOCK_ROWS) * block_bytes(rows.dimension());
            device.queue().write_buffer(&segment.rows, at, bytemuck::cast_slice(&packed));
            waiting_bytes += packed.len() * 4;
            // What was written waits in memory of its own until it is submitted and done.
            if waiting_bytes >= self.layout.upload_bytes_max {
                device.queue().submit([]);
                device.wait()?;
                waiting_bytes = 0;
            }
        }
        device.check()?;
        self.stale.clear();
        Ok(())
    }

    /// Bytes of the device's memory that segments take.
    pub(super) fn bytes(&self) -> u64 {
        self.all.iter().map(|segment| segment.rows.size()).sum()
    }

    /// Bytes of the host's memory that the rows' bounds take.
    pub(super) fn host_bytes(&self) -> u64 {
        self.all.iter().map(|segment| size_of_val(segment.bounds.as_slice()) as u64).sum()
    }

    fn places_max(&self) -> u64 {
        self.all.last().map_or(0, |last| u64::from(last.first) + u64::from(last.rows_max))
    }

    /// Adds a segment that makes the gallery four times as large, within bounds.
    fn grow(&mut self, device: &GpuDevice, dimension: usize) {
        let first =
            u32::try_from(self.places_max()).expect("a segment begins at or below the last row");
        let rows_max = first
            .saturating_mul(3)
            .clamp(self.layout.segment_rows_first, self.layout.segment_rows_max);
        let readable =
            if cfg!(test) { wgpu::BufferUsages::COPY_SRC } else { wgpu::BufferUsages::empty() };
        let bytes = u64::from(rows_max / BLOCK_ROWS) * block_bytes(dimension);
        let rows = device.buffer("segment rows", bytes, wgpu::BufferUsages::STORAGE | readable);
        let group = device.score().segment_group(device.raw(), &rows);
        let bounds = Zeroizing::new(vec![[0.0, HIDDEN]; rows_max as usize]);
        self.all.push(Segment { first, rows_max, rows, group, bounds });
    }

    /// The segment in which a place is.
    fn at(&self, place: u32) -> usize {
        self.all.partition_point(|segment| segment.first <= place) - 1
    }

    /// Neighbouring stale blocks joined, as first and end, up to `blocks_max` and never across
    /// segments.
    fn runs(&self, blocks_max: u32) -> Vec<(u32, u32)> {
        // Rows that came and left again before any search may have no segment: there is nothing to
        // overwrite.
        let blocks = u32::try_from(self.places_max() / u64::from(BLOCK_ROWS))
            .expect("places are below 2^32");
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for &block in self.stale.range(..blocks) {
            match runs.last_mut() {
                Some((first, end))
                    if *end == block
                        && block - *first < blocks_max
                        && self.at(*first * BLOCK_ROWS) == self.at(block * BLOCK_ROWS) =>
                {
                    *end += 1;
                }
                _ => runs.push((block, block + 1)),
            }
        }
        runs
    }
}

/// Packs neighbouring blocks on as many threads as they are worth.
fn pack(rows: &Rows, first: u32, words: &mut [u32], bounds: &mut [[f32; 2]]) {
    let (block_len, bounds_len) = (block_words(rows.dimension()), BLOCK_ROWS as usize);
    let blocks = words.len() / block_len;
    let jobs = (first..).zip(words.chunks_mut(block_len).zip(bounds.chunks_mut(bounds_len)));
    let jobs = Mutex::new(jobs);
    in_parallel((blocks / BLOCKS_PER_THREAD_MIN).min(threads()), || {
        loop {
            let job = jobs.lock().expect("taking a block doesn't panic").next();
            let Some((block, (words, bounds))) = job else { return };
            pack_block(rows, block, words, bounds);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::gpu::tests::shared;
    use super::super::tests::Numbers;
    use super::*;

    #[test]
    fn a_changed_row_is_one_block_and_neighbours_go_together_within_bounds() {
        let Some(device) = shared() else { return };
        let mut numbers = Numbers::new(70);
        let mut rows = Rows::new(16, false);
        let layout = DeviceLayout {
            segment_rows_first: 128,
            segment_rows_max: 256,
            list_len_max: 64,
            upload_bytes_max: 4_000,
        };
        let mut segments = Segments::new(layout);
        for _ in 0..600 {
            let (_, place) = rows.append(&numbers.embedding(16)).unwrap();
            segments.mark_changed(place, place + 1);
        }
        assert_eq!(segments.runs(9), [], "nothing is there to be written to");
        segments.flush(&device, &rows).unwrap();
        // Two blocks, then four and four more: each segment as long as is allowed.
        assert_eq!(
            segments.all().iter().map(|segment| segment.first).collect::<Vec<_>>(),
            [0, 128, 384]
        );
        assert_eq!((segments.bytes(), segments.host_bytes()), (10 * 1_536, 640 * 8));
        assert_eq!(segments.runs(9), []);
        segments.mark_changed(70, 71);
        segments.mark_changed(9, 9);
        assert_eq!(segments.runs(9), [(1, 2)]);
        segments.mark_changed(0, 600);
        assert_eq!(segments.runs(9), [(0, 2), (2, 6), (6, 10)]);
        assert_eq!(segments.runs(3), [(0, 2), (2, 5), (5, 6), (6, 9), (9, 10)]);
        // Beyond the segments, where rows were and no longer are.
        segments.mark_changed(600, 5_000);
        assert_eq!(segments.runs(9).last(), Some(&(6, 10)));
        segments.flush(&device, &rows).unwrap();
        assert_eq!(segments.runs(9), []);
    }

    #[test]
    fn the_host_knows_the_bound_of_every_place() {
        let Some(device) = shared() else { return };
        let mut numbers = Numbers::new(71);
        let mut rows = Rows::new(40, false);
        // More blocks than one thread packs alone.
        for _ in 0..5_000 {
            rows.append(&numbers.embedding(40)).unwrap();
        }
        rows.set_live(4_000, false).unwrap();
        let mut segments = Segments::new(DeviceLayout::of(&device, 40));
        segments.mark_changed(0, 5_000);
        segments.flush(&device, &rows).unwrap();
        let mut codes = vec![0; 40];
        for place in 0..5_000 {
            let hidden = RowBound { scale: 0.0, residual: HIDDEN };
            let wanted = rows.live_row(place).map_or(hidden, |(_, numbers)| {
                super::super::bound::quantise_row(numbers, &mut codes)
            });
            assert_eq!(segments.bound(place), wanted, "place {place}");
        }
    }
}
