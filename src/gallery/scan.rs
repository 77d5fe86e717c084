//! The GPU engine: chunk after chunk through `score` and `top_k`, and what is left of it
//! for the host.
//!
//! The device answers with the few rows that the bound can't rule out, each with its exact dot
//! product of codes; `rescore` scores these in f64 from the host's rows, so no f32 value ever
//! decides an order.
//!
//! All chunks go over in one submission. A probe of whose rows more came close in a chunk than its
//! list holds stays behind there and lets the chunks after it pass; the host then submits the rest
//! once more, with the theta that the full list gave. Where that isn't enough the host scores that
//! chunk's rows itself, and the probe goes on with what these scores rule out.

use super::bound::{ProbeBound, THETA_CLOSED, THETA_OPEN};
use super::cpu::{brute_force_in, threads};
use super::error::{EngineChoice, GalleryError};
use super::gpu::GpuDevice;
use super::rescore::{KeptRow, Scanned, keep_best};
use super::rows::Rows;
use super::score::{
    self, ChunkParams, DeviceHit, ProbeProgress, TILE_PROBES, WORKGROUP_ROWS, pack_probes, quads,
    tile_width, tiles,
};
use super::segments::{DeviceLayout, Segments, block_bytes};
use crate::face::Embedding;
use crate::limits::{
    CANDIDATES_MAX, DIMENSION_MIN, FOUND_LEN_MAX, FRONT_LEN_MIN, PROBES_PER_PASS_MAX,
};
use std::ops::Range;
use std::sync::Arc;
use zeroize::Zeroizing;

/// A chunk has at most so many times the rows that came before it.
const GROWTH_MAX: u32 = 3;
/// Rows for each of the k that come close in a chunk as long as all before it, with some to spare.
const CLOSE_PER_CANDIDATE: usize = 16;
/// For so many components a list has a place more for each of the k: the more there are, the less
/// codes tell rows apart.
const COMPONENTS_PER_PLACE: usize = 16;

const _: () =
    assert!(PROBES_PER_PASS_MAX.div_ceil(TILE_PROBES) <= 32, "each tile has its bit in a u32");

/// The GPU engine of one gallery.
pub(super) struct Scan {
    device: Arc<GpuDevice>,
    layout: DeviceLayout,
    segments: Segments,
    buffers: Option<PassBuffers>,
    /// What the device takes off the k-th largest `low`.
    margin: fn(&ProbeBound) -> f32,
    /// Chunks that were scored a second time for a probe.
    redone: u64,
}

impl Scan {
    pub(super) fn new(device: Arc<GpuDevice>, dimension: usize) -> Self {
        let layout = DeviceLayout::of(&device, dimension);
        Self::with(device, layout, ProbeBound::margin)
    }

    /// With a layout and a margin of the caller's choice.
    pub(super) fn with(
        device: Arc<GpuDevice>,
        layout: DeviceLayout,
        margin: fn(&ProbeBound) -> f32,
    ) -> Self {
        Self { device, layout, segments: Segments::new(layout), buffers: None, margin, redone: 0 }
    }

    pub(super) fn device(&self) -> &GpuDevice {
        &self.device
    }

    /// Bytes of the device's memory that rows take.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.bytes()
    }

    /// Bytes of the host's memory that belong to rows on the device.
    pub(super) fn host_bytes(&self) -> u64 {
        self.segments.host_bytes()
    }

    /// Marks the rows in these places as changed; they are written before the next pass.
    pub(super) fn mark_changed(&mut self, first: u32, end: u32) {
        self.segments.mark_changed(first, end);
    }

    /// Writes what changed and returns when the device has done it.
    pub(super) fn write_changes(&mut self, rows: &Rows) -> Result<(), GalleryError> {
        self.segments.flush(&self.device, rows)?;
        self.device.queue().submit([]);
        self.device.wait()
    }

    /// What may be among the `k` best, for each probe, and the bytes of codes that were read.
    ///
    /// Shapes: `probes` is P x D with their bounds, 1 to `PROBES_PER_PASS_MAX`; `k` is at least 1.
    pub(super) fn pass(
        &mut self,
        rows: &Rows,
        probes: &[&[f32]],
        bounds: &[ProbeBound],
        k: usize,
    ) -> Result<(Vec<Scanned>, u64), GalleryError> {
        debug_assert!(
            (1..=CANDIDATES_MAX).contains(&k) && (1..=PROBES_PER_PASS_MAX).contains(&probes.len())
        );
        self.segments.flush(&self.device, rows)?;
        let list_len = (k * rows.dimension() / COMPONENTS_PER_PLACE)
            .max(FOUND_LEN_MAX as usize)
            .min(self.layout.list_len_max as usize);
        let chunks = self.chunks(rows.places(), list_len / (CLOSE_PER_CANDIDATE * k));
        let buffers = match self.buffers.take() {
            Some(buffers)
                if buffers.chunks_max >= chunks.len()
                    && buffers.probes_max >= probes.len()
                    && buffers.list_len >= list_len =>
            {
                buffers
            }
            _ => PassBuffers::new(
                &self.device,
                list_len,
                rows.dimension(),
                probes.len(),
                chunks.len().next_power_of_two(),
            ),
        };
        let pass = Pass { scan: self, rows, bounds, k, chunks: &chunks, buffers: &buffers };
        let mut state = PassState::new(bounds, self.margin);
        let mut scanned = vec![Scanned::default(); probes.len()];
        let mut lists = Vec::new();
        let (mut bytes_read, mut redone) = (0, 0);
        while let Some(first) = state.first_open(chunks.len()) {
            bytes_read += pass.submit(&state, first);
            lists = pass.read(&mut state)?;
            for (probe, behind) in state.behind(chunks.len()) {
                if state.redone[probe] != Some(behind) {
                    state.redone[probe] = Some(behind);
                    redone += 1;
                    continue;
                }
                let chunk = &chunks[behind as usize];
                let theta = score_all(
                    rows,
                    chunk.places.clone(),
                    probes[probe],
                    &bounds[probe],
                    k,
                    &mut scanned[probe],
                );
                let progress = &mut state.progress[probe];
                progress.theta = progress.theta.max(theta.unwrap_or(THETA_OPEN));
                progress.chunk += 1;
            }
        }
        for (probe, list) in lists.iter().enumerate() {
            let theta = state.progress[probe].theta;
            scanned[probe].found.extend(
                list.iter()
                    .map(|found| self.bounded(found, &bounds[probe]))
                    .filter(|found| found.z >= theta),
            );
        }
        self.buffers = Some(buffers);
        self.redone += redone;
        Ok((scanned, bytes_read))
    }

    /// A row that the device found, with the host's own bounds.
    fn bounded(&self, found: &DeviceHit, bound: &ProbeBound) -> KeptRow {
        let row = self.segments.bound(found.place);
        let z = bound.z(found.dot, row);
        KeptRow { place: found.place, z, low: bound.low(z, row.residual) }
    }

    fn chunks(&self, places: u32, growth: usize) -> Vec<Chunk> {
        let firsts: Vec<u32> = self.segments.all().iter().map(|segment| segment.first).collect();
        let growth = u32::try_from(growth).unwrap_or(GROWTH_MAX).clamp(1, GROWTH_MAX);
        let len_max = self.device.workgroups_max().saturating_mul(WORKGROUP_ROWS);
        chunks(&firsts, places, growth, self.layout.segment_rows_first, len_max)
    }
}

impl GpuDevice {
    /// Opens the device that `choice` means; none for `Cpu`, and for `Auto` where there is no real
    /// one.
    ///
    /// Errors: `NoAdapter` where `Gpu` finds none, software included; `DeviceLost` where one is
    /// there but can't be used.
    pub fn open(choice: EngineChoice) -> Result<Option<Arc<Self>>, GalleryError> {
        let Some(device) = Self::compiled(choice)? else { return Ok(None) };
        warm_up(&device, DIMENSION_MIN)?;
        Ok(Some(device))
    }
}

/// Warm-up: runs one small pass of each kind, so that no caller waits for a driver that compiles on
/// first use.
///
/// Errors: `DeviceLost`.
fn warm_up(device: &Arc<GpuDevice>, dimension: usize) -> Result<(), GalleryError> {
    let mut raw = vec![0.0; dimension];
    raw[0] = 1.0;
    let Ok((embedding, _)) = Embedding::from_raw(&raw) else {
        unreachable!("a unit vector is an embedding")
    };
    let mut rows = Rows::new(dimension, false);
    rows.append(&embedding)?;
    let mut scan = Scan::new(Arc::clone(device), dimension);
    scan.mark_changed(0, 1);
    let probes = [embedding.components(); TILE_PROBES];
    let bounds: Vec<_> = probes.iter().map(|probe| ProbeBound::new(probe)).collect();
    for width in [1, TILE_PROBES] {
        scan.pass(&rows, &probes[..width], &bounds[..width], 1)?;
    }
    Ok(())
}

/// Scores all rows in these places and gives the theta that follows from all that was scored so
/// far.
fn score_all(
    rows: &Rows,
    places: Range<u32>,
    probe: &[f32],
    bound: &ProbeBound,
    k: usize,
    scanned: &mut Scanned,
) -> Option<f32> {
    scanned.fallbacks += 1;
    scanned.rescored +=
        places.clone().filter(|&place| rows.live_row(place).is_some()).count() as u64;
    scanned.scored.extend(brute_force_in(rows, places, probe, k, threads()));
    keep_best(&mut scanned.scored, k);
    (scanned.scored.len() == k).then(|| bound.theta_of_score(scanned.scored[k - 1].score))
}

/// A chunk: a stretch of one segment's rows.
struct Chunk {
    segment: usize,
    /// The gallery's places.
    places: Range<u32>,
}

/// Stretches of rows, each within a segment: the first of `len_min` rows, later ones up to `growth`
/// times what came before.
///
/// `firsts` are the segments' first rows. Thetas rise after each chunk, so short ones come first,
/// while any row still counts.
fn chunks(firsts: &[u32], places: u32, growth: u32, len_min: u32, len_max: u32) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    for (segment, &segment_first) in firsts.iter().enumerate() {
        let end = firsts.get(segment + 1).map_or(places, |&next| next.min(places));
        let mut first = segment_first;
        while first < end {
            let len = first.saturating_mul(growth).max(len_min).min(len_max).min(end - first);
            chunks.push(Chunk { segment, places: first..first + len });
            first += len;
        }
    }
    chunks
}

/// The state of a pass: how far its probes have come.
struct PassState {
    /// One for each probe and for each place that only fills up a tile.
    progress: Vec<ProbeProgress>,
    /// The chunk that was last scored again for each probe.
    redone: Vec<Option<u32>>,
}

impl PassState {
    fn new(bounds: &[ProbeBound], margin: fn(&ProbeBound) -> f32) -> Self {
        let start = |bound: &ProbeBound| ProbeProgress {
            theta: THETA_OPEN,
            a: bound.a,
            margin: margin(bound),
            chunk: 0,
            kept_len: 0,
            list_len: 0,
        };
        let mut progress: Vec<_> = bounds.iter().map(start).collect();
        // The places that only fill up a tile find nothing.
        let filler = ProbeProgress {
            theta: THETA_CLOSED,
            a: 0.0,
            margin: 0.0,
            chunk: u32::MAX,
            kept_len: 0,
            list_len: 0,
        };
        progress.resize(tiles(bounds.len()) * tile_width(bounds.len()), filler);
        Self { progress, redone: vec![None; bounds.len()] }
    }

    /// The first chunk that any probe still needs.
    fn first_open(&self, chunks: usize) -> Option<usize> {
        self.behind(chunks).into_iter().map(|(_, chunk)| chunk as usize).min()
    }

    /// The probes that need further chunks, and the first that each needs.
    fn behind(&self, chunks: usize) -> Vec<(usize, u32)> {
        let probes = self.progress[..self.redone.len()].iter().enumerate();
        probes
            .filter(|(_, progress)| (progress.chunk as usize) < chunks)
            .map(|(probe, progress)| (probe, progress.chunk))
            .collect()
    }

    /// One bit for each tile with a probe that needs further chunks.
    fn tiles_open(&self, chunks: usize) -> u32 {
        self.behind(chunks)
            .into_iter()
            .fold(0, |open, (probe, _)| open | 1 << (probe / tile_width(self.redone.len())))
    }
}

/// A pass: what its submissions share.
struct Pass<'a> {
    scan: &'a Scan,
    rows: &'a Rows,
    bounds: &'a [ProbeBound],
    k: usize,
    chunks: &'a [Chunk],
    buffers: &'a PassBuffers,
}

impl Pass<'_> {
    /// Records and submits all chunks from `first` on, and gives the bytes of codes that they read.
    fn submit(&self, state: &PassState, first: usize) -> u64 {
        let (device, buffers, dimension) = (&self.scan.device, self.buffers, self.rows.dimension());
        let stride = device.uniform_stride() as usize;
        let tiles_open = state.tiles_open(self.chunks.len());
        let mut params = vec![0; self.chunks.len() * stride];
        for ((chunk, number), place) in self.chunks.iter().zip(0..).zip(params.chunks_mut(stride)) {
            let row_base = self.scan.segments.all()[chunk.segment].first;
            let one = ChunkParams {
                row_first: chunk.places.start - row_base,
                row_end: chunk.places.end - row_base,
                row_base,
                quads: quads(dimension),
                list_len_max: small(self.buffers.list_len),
                chunk: number,
                tiles_open,
                k: small(self.k),
            };
            place[..size_of::<ChunkParams>()].copy_from_slice(bytemuck::bytes_of(&one));
        }
        let probes = Zeroizing::new(pack_probes(self.bounds, dimension));
        device.queue().write_buffer(&buffers.params, 0, &params);
        device.queue().write_buffer(&buffers.progress, 0, bytemuck::cast_slice(&state.progress));
        device.queue().write_buffer(&buffers.probes, 0, bytemuck::cast_slice(&probes));

        let mut encoder = device
            .raw()
            .create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("search") });
        let descriptor =
            wgpu::ComputePassDescriptor { label: Some("search"), timestamp_writes: None };
        let mut pass = encoder.begin_compute_pass(&descriptor);
        let mut blocks = 0;
        for (chunk, at) in self.chunks.iter().zip((0..).step_by(stride)).skip(first) {
            let segment = &self.scan.segments.all()[chunk.segment].group;
            let rows = chunk.places.end - chunk.places.start;
            device.score().dispatch(
                &mut pass,
                segment,
                &buffers.score,
                at,
                rows,
                self.bounds.len(),
            );
            device.top_k().dispatch(&mut pass, &buffers.top_k, at, self.probes_len());
            blocks += u64::from(rows.div_ceil(score::BLOCK_ROWS));
        }
        drop(pass);
        let (progress_bytes, front_bytes) = (self.progress_bytes(), self.front_bytes());
        encoder.copy_buffer_to_buffer(&buffers.progress, 0, &buffers.back, 0, progress_bytes);
        for probe in 0..u64::from(self.probes_len()) {
            encoder.copy_buffer_to_buffer(
                &buffers.list,
                probe * self.list_bytes(),
                &buffers.back,
                progress_bytes + probe * front_bytes,
                front_bytes,
            );
        }
        // A probe doesn't outlive its search on the device.
        encoder.clear_buffer(&buffers.probes, 0, None);
        device.queue().submit([encoder.finish()]);
        blocks * block_bytes(dimension)
    }

    /// Waits for what was submitted: how far each probe has come, and what its list holds.
    fn read(&self, state: &mut PassState) -> Result<Vec<Vec<DeviceHit>>, GalleryError> {
        let probes = self.bounds.len();
        let read = self
            .scan
            .device
            .read(&self.buffers.back, self.progress_bytes() + probes as u64 * self.front_bytes())?;
        let (progress, fronts) = read.split_at(probes * size_of::<ProbeProgress>());
        state.progress[..probes]
            .copy_from_slice(&bytemuck::pod_collect_to_vec::<_, ProbeProgress>(progress));
        let fronts: Vec<DeviceHit> = bytemuck::pod_collect_to_vec(fronts);
        let lists = fronts.chunks(self.front_len()).zip(&state.progress).enumerate();
        lists
            .map(|(probe, (front, progress))| match front.get(..progress.kept_len as usize) {
                Some(list) => Ok(list.to_vec()),
                None => self.read_list(probe, progress.kept_len),
            })
            .collect()
    }

    /// Fetches a list that is longer than what comes back with every pass.
    fn read_list(&self, probe: usize, len: u32) -> Result<Vec<DeviceHit>, GalleryError> {
        let device = &self.scan.device;
        let mut encoder = device
            .raw()
            .create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("long list") });
        let bytes = u64::from(len) * size_of::<DeviceHit>() as u64;
        encoder.copy_buffer_to_buffer(
            &self.buffers.list,
            probe as u64 * self.list_bytes(),
            &self.buffers.back,
            0,
            bytes,
        );
        device.queue().submit([encoder.finish()]);
        Ok(bytemuck::pod_collect_to_vec(&device.read(&self.buffers.back, bytes)?))
    }

    /// Places of a list that come back with every pass: the k best and, as a rule, all that are
    /// close to the last of them.
    fn front_len(&self) -> usize {
        (4 * self.k).max(FRONT_LEN_MIN).min(self.buffers.list_len)
    }

    fn front_bytes(&self) -> u64 {
        (self.front_len() * size_of::<DeviceHit>()) as u64
    }

    fn list_bytes(&self) -> u64 {
        (self.buffers.list_len * size_of::<DeviceHit>()) as u64
    }

    fn progress_bytes(&self) -> u64 {
        (self.bounds.len() * size_of::<ProbeProgress>()) as u64
    }

    fn probes_len(&self) -> u32 {
        small(self.bounds.len())
    }
}

fn small(x: usize) -> u32 {
    u32::try_from(x).expect("probes, candidates and places of a list are few")
}

/// The buffers of a pass, kept from search to search.
struct PassBuffers {
    chunks_max: usize,
    probes_max: usize,
    /// Places in one probe's list.
    list_len: usize,
    params: wgpu::Buffer,
    probes: wgpu::Buffer,
    progress: wgpu::Buffer,
    list: wgpu::Buffer,
    back: wgpu::Buffer,
    score: wgpu::BindGroup,
    top_k: wgpu::BindGroup,
}

impl PassBuffers {
    fn new(
        device: &GpuDevice,
        list_len: usize,
        dimension: usize,
        probes: usize,
        chunks_max: usize,
    ) -> Self {
        use wgpu::BufferUsages as Usage;
        let places = tiles(probes) * tile_width(probes);
        let progress_bytes = (places * size_of::<ProbeProgress>()) as u64;
        let list_bytes = (places * list_len * size_of::<DeviceHit>()) as u64;
        let params = device.buffer(
            "params",
            chunks_max as u64 * u64::from(device.uniform_stride()),
            Usage::UNIFORM,
        );
        let probes = device.buffer(
            "probes",
            places as u64 * u64::from(quads(dimension)) * 16,
            Usage::STORAGE,
        );
        let progress = device.buffer("progress", progress_bytes, Usage::STORAGE | Usage::COPY_SRC);
        let list = device.buffer("list", list_bytes, Usage::STORAGE | Usage::COPY_SRC);
        let back = device.buffer("answer", progress_bytes + list_bytes, Usage::MAP_READ);
        let score = device.score().pass_group(device.raw(), &params, &probes, &progress, &list);
        let top_k = device.top_k().group(device.raw(), &params, &progress, &list);
        Self {
            chunks_max,
            probes_max: places,
            list_len,
            params,
            probes,
            progress,
            list,
            back,
            score,
            top_k,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Scan {
        /// The bytes of the first segment's rows as they are on the device.
        pub(in super::super) fn segment_bytes(&self) -> Vec<u8> {
            let rows = self.segments.all()[0].rows();
            let mapped =
                self.device.buffer("test result", rows.size(), wgpu::BufferUsages::MAP_READ);
            let mut encoder = self
                .device
                .raw()
                .create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("test") });
            encoder.copy_buffer_to_buffer(rows, 0, &mapped, 0, rows.size());
            self.device.queue().submit([encoder.finish()]);
            self.device.read(&mapped, mapped.size()).unwrap()
        }

        /// How often a chunk was scored a second time for a probe.
        pub(in super::super) fn redone(&self) -> u64 {
            self.redone
        }
    }

    #[test]
    fn every_row_is_in_exactly_one_chunk_and_no_chunk_is_too_long() {
        let segments = [0, 1_024, 4_096, 16_384, 32_768, 49_152];
        for places in [0, 1, 64, 1_000, 1_024, 1_025, 16_383, 16_384, 49_153, 60_001] {
            for len_max in [64, 640, u32::MAX] {
                for growth in 1..=GROWTH_MAX {
                    let mut next = 0;
                    for chunk in chunks(&segments, places, growth, 1_024, len_max) {
                        assert_eq!(chunk.places.start, next);
                        assert!(
                            segments[chunk.segment] <= next
                                && segments
                                    .get(chunk.segment + 1)
                                    .is_none_or(|&end| chunk.places.end <= end)
                        );
                        assert!(!chunk.places.is_empty() && chunk.places.len() <= len_max as usize);
                        assert!(next < 1_024 || chunk.places.len() <= (growth * next) as usize);
                        next = chunk.places.end;
                    }
                    assert_eq!(next, places);
                }
            }
        }
    }
}
