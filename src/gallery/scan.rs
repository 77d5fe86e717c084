//! The engine on a device: chunk after chunk through `score` and `top_k`, and the exact end of it on the host.
//!
//! The device answers with the few rows that its f32 sums can't rule out; `rescore` scores these in f64 from the host's rows, so
//! no f32 value ever decides an order. A probe whose list overflowed is not answered here: the caller scores it without a device.

use super::GalleryError;
use super::bound::ProbeBound;
use super::cpu::{brute_force, threads};
use super::gpu::Device;
use super::rescore::Scanned;
use super::rows::Rows;
use super::score::{Found, Progress, ScoreParams, THETA_CLOSED, THETA_OPEN, TILE_PROBES, WORKGROUP, error_bound, pack_probes, quads};
use super::segments::{Segments, Sizes};
use super::top_k::{TopKParams, margin};
use crate::limits::{CANDIDATES_MAX, PROBES_PER_PASS_MAX};
use std::sync::Arc;

/// The device's side of one gallery.
pub(super) struct Scan {
    device: Arc<Device>,
    sizes: Sizes,
    segments: Segments,
    work: Option<Work>,
    /// B of `score`, for this dimension.
    bound: f64,
}

impl Scan {
    pub(super) fn new(device: Arc<Device>, dimension: usize) -> Self {
        let sizes = Sizes::of(&device, dimension);
        Self::with(device, sizes, error_bound(dimension))
    }

    /// With a layout and an error bound of the caller's choice.
    pub(super) fn with(device: Arc<Device>, sizes: Sizes, bound: f64) -> Self {
        Self { device, sizes, segments: Segments::new(sizes), work: None, bound }
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// Bytes of the device's memory that rows take.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.bytes()
    }

    /// Notes that the rows in these places changed.
    pub(super) fn note(&mut self, first: u32, end: u32) {
        for place in first..end {
            self.segments.note_row(place);
            self.segments.note_live(place);
        }
    }

    /// Overwrites what was noted and returns when the device has done it.
    pub(super) fn settle(&mut self, rows: &Rows) -> Result<(), GalleryError> {
        self.segments.flush(&self.device, rows)?;
        self.device.queue().submit([]);
        self.device.wait()
    }

    /// Whether lists are long enough for `k`: a chunk makes about 3 k rows wait beside the k best so far.
    pub(super) fn can(&self, k: usize) -> bool {
        k.saturating_mul(4) <= self.sizes.list_len_max as usize
    }

    /// What may be among the `k` best, for each probe.
    ///
    /// Shapes: `probes` is P x D, at most `PROBES_PER_PASS_MAX`; `k` is at least 1 and one that `can`.
    pub(super) fn pass(
        &mut self,
        rows: &Rows,
        probes: &[&[f32]],
        _bounds: &[ProbeBound],
        k: usize,
    ) -> Result<(Vec<Scanned>, u64), GalleryError> {
        if !self.can(k) {
            return Ok((probes.iter().map(|probe| overflowed(rows, probe, k)).collect(), 0));
        }
        debug_assert!((1..=CANDIDATES_MAX).contains(&k) && probes.len() <= PROBES_PER_PASS_MAX);
        self.segments.flush(&self.device, rows)?;
        let firsts: Vec<u32> = self.segments.all().iter().map(|segment| segment.first).collect();
        let dispatch_rows_max = self.device.workgroups_max().saturating_mul(WORKGROUP);
        let chunks = chunks(&firsts, rows.places(), self.sizes.segment_rows_first, dispatch_rows_max);
        let tiles = probes.len().div_ceil(TILE_PROBES);
        let work = match self.work.take() {
            Some(work) if work.chunks_max >= chunks.len() && work.tiles >= tiles => work,
            _ => Work::new(&self.device, &self.sizes, rows.dimension(), tiles, chunks.len().next_power_of_two()),
        };
        let read = self.submit(&work, &chunks, rows, probes, k);
        let words: Vec<u32> = bytemuck::pod_collect_to_vec(&self.device.read(&work.back, read.bytes)?);
        self.work = Some(work);
        Ok((read.scanned(&words, rows, probes, k), self.bytes()))
    }

    /// Records and submits all chunks at once.
    fn submit(&self, work: &Work, chunks: &[Chunk], rows: &Rows, probes: &[&[f32]], k: usize) -> Read {
        let (device, queue) = (&self.device, self.device.queue());
        let list_len_max = self.sizes.list_len_max;
        let stride = device.uniform_stride() as usize;
        let mut params = vec![0; chunks.len() * stride];
        for (chunk, place) in chunks.iter().zip(params.chunks_mut(stride)) {
            let row_base = self.segments.all()[chunk.segment].first;
            let (row_first, row_end) = (chunk.row_first, chunk.row_end);
            let one = ScoreParams { row_first, row_end, row_base, quads: quads(rows.dimension()), list_len_max };
            place[..size_of::<ScoreParams>()].copy_from_slice(bytemuck::bytes_of(&one));
        }
        let k = u32::try_from(k).expect("k is at most CANDIDATES_MAX");
        let top_k = TopKParams { k, list_len_max, margin: margin(self.bound) };
        let tiles = probes.len().div_ceil(TILE_PROBES);
        let mut progress = vec![Progress { theta: THETA_OPEN, list_len: 0, overflowed: 0 }; tiles * TILE_PROBES];
        // The places that only fill up a tile find nothing.
        progress[probes.len()..].iter_mut().for_each(|place| place.theta = THETA_CLOSED);
        queue.write_buffer(&work.params, 0, &params);
        queue.write_buffer(&work.top_k_params, 0, bytemuck::bytes_of(&top_k));
        queue.write_buffer(&work.progress, 0, bytemuck::cast_slice(&progress));
        queue.write_buffer(&work.probes, 0, bytemuck::cast_slice(&pack_probes(probes, rows.dimension())));

        let probes_len = u32::try_from(probes.len()).expect("probes are few");
        let mut encoder = device.raw().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("search") });
        let descriptor = wgpu::ComputePassDescriptor { label: Some("search"), timestamp_writes: None };
        let mut pass = encoder.begin_compute_pass(&descriptor);
        let mut params_at = 0;
        for chunk in chunks {
            let segment = &self.segments.all()[chunk.segment].group;
            let tiles = u32::try_from(tiles).expect("tiles are few");
            device.score().dispatch(&mut pass, segment, &work.score, params_at, chunk.row_end - chunk.row_first, tiles);
            device.top_k().dispatch(&mut pass, &work.top_k, probes_len);
            params_at += device.uniform_stride();
        }
        drop(pass);
        let read = Read::new(probes.len(), k, list_len_max);
        let progress_bytes = probes.len() as u64 * size_of::<Progress>() as u64;
        encoder.copy_buffer_to_buffer(&work.progress, 0, &work.back, 0, progress_bytes);
        for probe in 0..probes.len() as u64 {
            let found_bytes = size_of::<Found>() as u64;
            let (from, to) = (probe * u64::from(list_len_max) * found_bytes, progress_bytes + probe * read.list_len as u64 * found_bytes);
            encoder.copy_buffer_to_buffer(&work.list, from, &work.back, to, read.list_len as u64 * found_bytes);
        }
        // A probe doesn't outlive its search on the device.
        encoder.clear_buffer(&work.probes, 0, None);
        queue.submit([encoder.finish()]);
        read
    }
}

fn overflowed(rows: &Rows, probe: &[f32], k: usize) -> Scanned {
    Scanned { scored: brute_force(rows, probe, k, threads()), fallbacks: 1, ..Scanned::default() }
}

/// Stretches of rows, each within a segment: the first as long as the first segment, later ones three times what came before.
///
/// `firsts` are the segments' first rows. Thresholds rise after each chunk, so short ones come first, while any row still counts.
fn chunks(firsts: &[u32], rows_len: u32, len_min: u32, len_max: u32) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    for (segment, &row_base) in firsts.iter().enumerate() {
        let end = firsts.get(segment + 1).map_or(rows_len, |&next| next.min(rows_len));
        let mut first = row_base;
        while first < end {
            let len = first.saturating_mul(3).max(len_min).min(len_max).min(end - first);
            chunks.push(Chunk { segment, row_first: first - row_base, row_end: first - row_base + len });
            first += len;
        }
    }
    chunks
}

/// A stretch of one segment's rows, counted in the segment.
struct Chunk {
    segment: usize,
    row_first: u32,
    row_end: u32,
}

/// What comes back: each probe's progress, then the front of each probe's list.
struct Read {
    list_len: usize,
    bytes: u64,
}

impl Read {
    fn new(probes: usize, k: u32, list_len_max: u32) -> Self {
        // After the last chunk a list holds the k best and the few rows within the margin of the last of them.
        let list_len = (2 * k + 256).min(list_len_max) as usize;
        let bytes = probes * (size_of::<Progress>() + list_len * size_of::<Found>());
        Self { list_len, bytes: bytes as u64 }
    }

    fn scanned(&self, words: &[u32], rows: &Rows, probes: &[&[f32]], k: usize) -> Vec<Scanned> {
        let (progress, lists) = words.split_at(probes.len() * size_of::<Progress>() / 4);
        let progress: &[Progress] = bytemuck::cast_slice(progress);
        let lists: &[Found] = bytemuck::cast_slice(lists);
        let one = |((progress, list), probe): ((&Progress, &[Found]), &&[f32])| match list.get(..progress.list_len as usize) {
            Some(found) if progress.overflowed == 0 => {
                let found = found.iter().map(|found| super::rescore::Found { place: found.row, z: f32::MAX, low: found.z }).collect();
                Scanned { found, ..Scanned::default() }
            }
            _ => overflowed(rows, probe, k),
        };
        progress.iter().zip(lists.chunks(self.list_len)).zip(probes).map(one).collect()
    }
}

/// The buffers of a pass, kept from search to search.
struct Work {
    chunks_max: usize,
    tiles: usize,
    params: wgpu::Buffer,
    top_k_params: wgpu::Buffer,
    probes: wgpu::Buffer,
    progress: wgpu::Buffer,
    list: wgpu::Buffer,
    back: wgpu::Buffer,
    score: wgpu::BindGroup,
    top_k: wgpu::BindGroup,
}

impl Work {
    fn new(device: &Device, sizes: &Sizes, dimension: usize, tiles: usize, chunks_max: usize) -> Self {
        use wgpu::BufferUsages as Usage;
        let places = (tiles * TILE_PROBES) as u64;
        let progress_bytes = places * size_of::<Progress>() as u64;
        let list_bytes = places * u64::from(sizes.list_len_max) * size_of::<Found>() as u64;
        let params = device.buffer("score params", chunks_max as u64 * u64::from(device.uniform_stride()), Usage::UNIFORM);
        let top_k_params = device.buffer("top_k params", size_of::<TopKParams>() as u64, Usage::UNIFORM);
        let probes = device.buffer("probes", places * u64::from(quads(dimension)) * 16, Usage::STORAGE);
        let progress = device.buffer("progress", progress_bytes, Usage::STORAGE | Usage::COPY_SRC);
        let list = device.buffer("list", list_bytes, Usage::STORAGE | Usage::COPY_SRC);
        let back = device.buffer("answer", progress_bytes + list_bytes, Usage::MAP_READ);
        let score = device.score().pass_group(device.raw(), &params, &probes, &progress, &list);
        let top_k = device.top_k().group(device.raw(), &top_k_params, &progress, &list);
        Self { chunks_max, tiles, params, top_k_params, probes, progress, list, back, score, top_k }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Scan {
        /// The bytes of the first segment's rows as they are on the device.
        pub(in super::super) fn segment_bytes(&self, device: &Device) -> Vec<u8> {
            let rows = self.segments.all()[0].rows();
            let mapped = device.buffer("test result", rows.size(), wgpu::BufferUsages::MAP_READ);
            let mut encoder = device.raw().create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("test") });
            encoder.copy_buffer_to_buffer(rows, 0, &mapped, 0, rows.size());
            device.queue().submit([encoder.finish()]);
            device.read(&mapped, mapped.size()).unwrap()
        }
    }

    #[test]
    fn every_row_is_in_exactly_one_chunk_and_no_chunk_is_too_long() {
        let segments = [0, 1_024, 4_096, 16_384, 32_768, 49_152];
        for rows_len in [0, 1, 64, 1_000, 1_024, 1_025, 16_383, 16_384, 49_153, 60_001] {
            for len_max in [64, 640, u32::MAX] {
                let mut next = 0;
                for chunk in chunks(&segments, rows_len, 1_024, len_max) {
                    assert_eq!(segments[chunk.segment] + chunk.row_first, next);
                    assert!(chunk.row_first < chunk.row_end && chunk.row_end - chunk.row_first <= len_max);
                    // Blocks begin at multiples of 64, and so must chunks.
                    assert!(chunk.row_first.is_multiple_of(64));
                    next = segments[chunk.segment] + chunk.row_end;
                }
                assert_eq!(next, rows_len);
            }
        }
    }
}
