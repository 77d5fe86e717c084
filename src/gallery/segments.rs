//! One gallery's rows on the device: segments that are never moved or rebuilt, only filled and overwritten in place.
//!
//! Changes are noted block by block and written before the next search: a million appended rows go over in large pieces, one
//! appended, hidden or zeroed row as its own block of 64.

use super::GalleryError;
use super::gpu::Device;
use super::rows::Rows;
use super::score::{BLOCK_ROWS, pack_block, quads};
use crate::limits::{FOUND_LEN_MAX, SEGMENT_ROWS_FIRST, UPLOAD_BYTES_MAX};
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// How a gallery is laid out on a device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Rows of the first segment, a multiple of 64.
    pub(super) segment_rows_first: u32,
    /// Rows of the largest segment, a multiple of 64.
    pub(super) segment_rows_max: u32,
    /// Places in one probe's list.
    pub(super) list_len_max: u32,
    /// Bytes written before the host waits for them to arrive.
    pub(super) upload_bytes_max: usize,
}

impl Sizes {
    /// What the device's own limits allow for rows of this dimension.
    pub(super) fn of(device: &Device, dimension: usize) -> Self {
        let block_bytes = u64::from(quads(dimension)) * 16 * u64::from(BLOCK_ROWS);
        let blocks = (device.segment_bytes_max() / block_bytes).max(1);
        let rows = u32::try_from(blocks * u64::from(BLOCK_ROWS)).unwrap_or(u32::MAX / BLOCK_ROWS * BLOCK_ROWS);
        Self {
            segment_rows_first: SEGMENT_ROWS_FIRST.min(rows),
            segment_rows_max: rows,
            list_len_max: FOUND_LEN_MAX,
            upload_bytes_max: UPLOAD_BYTES_MAX,
        }
    }
}

/// A stretch of rows in buffers of its own.
pub(super) struct Segment {
    /// The gallery's index of row 0.
    pub(super) first: u32,
    rows_max: u32,
    rows: wgpu::Buffer,
    live: wgpu::Buffer,
    /// Both buffers, bound for `score`.
    pub(super) group: wgpu::BindGroup,
}

#[cfg(test)]
impl Segment {
    /// The buffer with the rows' numbers; tests copy it back, so only there it can be a source.
    pub(super) fn rows(&self) -> &wgpu::Buffer {
        &self.rows
    }
}

/// All segments and the blocks in which they are behind the host's rows.
pub(super) struct Segments {
    sizes: Sizes,
    all: Vec<Segment>,
    stale_rows: BTreeSet<u32>,
    stale_live: BTreeSet<u32>,
}

impl Segments {
    pub(super) fn new(sizes: Sizes) -> Self {
        Self { sizes, all: Vec::new(), stale_rows: BTreeSet::new(), stale_live: BTreeSet::new() }
    }

    /// Notes that a row's numbers changed.
    pub(super) fn note_row(&mut self, row: u32) {
        self.stale_rows.insert(row / BLOCK_ROWS);
    }

    /// Notes that a row was hidden or made live.
    pub(super) fn note_live(&mut self, row: u32) {
        self.stale_live.insert(row / BLOCK_ROWS);
    }

    /// The segments in the order of their rows.
    pub(super) fn all(&self) -> &[Segment] {
        &self.all
    }

    /// Hands everything noted to the device; it is there before any later submission runs.
    pub(super) fn flush(&mut self, device: &Device, rows: &Rows) -> Result<(), GalleryError> {
        device.check()?;
        while self.rows_max() < u64::from(rows.places()) {
            self.grow(device, rows.dimension());
        }
        let block_bytes = quads(rows.dimension()) as usize * 16 * BLOCK_ROWS as usize;
        let blocks_max = u32::try_from(self.sizes.upload_bytes_max / block_bytes).unwrap_or(u32::MAX).max(1);
        let mut packed = Zeroizing::new(Vec::new());
        let mut waiting_bytes = 0;
        for (first, end) in self.runs(&self.stale_rows, blocks_max) {
            packed.clear();
            (first..end).for_each(|block| pack_block(rows, block, &mut packed));
            let segment = self.segment_of(first);
            let at = u64::from(first - segment.first / BLOCK_ROWS) * block_bytes as u64;
            device.queue().write_buffer(&segment.rows, at, bytemuck::cast_slice(&packed));
            waiting_bytes += packed.len() * 4;
            // What was written waits in memory of its own until it is submitted and done.
            if waiting_bytes >= self.sizes.upload_bytes_max {
                device.queue().submit([]);
                device.wait()?;
                waiting_bytes = 0;
            }
        }
        for (first, end) in self.runs(&self.stale_live, u32::MAX) {
            let live = |place: u32| u32::from(rows.live_row(place).is_some());
            let word = |first: u32| (0..32).fold(0, |word, at| word | live(first + at) << at);
            let words: Vec<u32> = (first * BLOCK_ROWS..end.saturating_mul(BLOCK_ROWS)).step_by(32).map(word).collect();
            let segment = self.segment_of(first);
            let at = u64::from(first - segment.first / BLOCK_ROWS) * u64::from(BLOCK_ROWS / 8);
            device.queue().write_buffer(&segment.live, at, bytemuck::cast_slice(&words));
        }
        device.check()?;
        self.stale_rows.clear();
        self.stale_live.clear();
        Ok(())
    }

    /// Bytes of the device's memory that segments take.
    pub(super) fn bytes(&self) -> u64 {
        self.all.iter().map(|segment| segment.rows.size() + segment.live.size()).sum()
    }

    fn rows_max(&self) -> u64 {
        self.all.last().map_or(0, |last| u64::from(last.first) + u64::from(last.rows_max))
    }

    /// Adds a segment that makes the gallery four times as large, within bounds.
    fn grow(&mut self, device: &Device, dimension: usize) {
        let first = u32::try_from(self.rows_max()).expect("a segment begins at or below the last row");
        let rows_max = first.saturating_mul(3).clamp(self.sizes.segment_rows_first, self.sizes.segment_rows_max);
        let usage = wgpu::BufferUsages::STORAGE;
        let readable = if cfg!(test) { wgpu::BufferUsages::COPY_SRC } else { wgpu::BufferUsages::empty() };
        let rows = device.buffer("segment rows", u64::from(rows_max) * u64::from(quads(dimension)) * 16, usage | readable);
        let live = device.buffer("segment live", u64::from(rows_max / 8), usage);
        let group = device.score().segment_group(device.raw(), &rows, &live);
        self.all.push(Segment { first, rows_max, rows, live, group });
    }

    fn segment_of(&self, block: u32) -> &Segment {
        let row = block * BLOCK_ROWS;
        let at = self.all.partition_point(|segment| segment.first <= row);
        &self.all[at - 1]
    }

    /// Neighbouring blocks joined, as first and end, up to `blocks_max` and never across segments.
    fn runs(&self, blocks: &BTreeSet<u32>, blocks_max: u32) -> Vec<(u32, u32)> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for &block in blocks {
            match runs.last_mut() {
                Some((first, end))
                    if *end == block && block - *first < blocks_max && self.segment_of(*first).first == self.segment_of(block).first =>
                {
                    *end += 1;
                }
                _ => runs.push((block, block + 1)),
            }
        }
        runs
    }
}
