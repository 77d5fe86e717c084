//! The engine on a device: chunk after chunk through `score` and `top_k`, and what is left of it
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

use super::GalleryError;
use super::bound::{ProbeBound, THETA_CLOSED, THETA_OPEN};
use super::cpu::{brute_force_in, threads};
use super::GpuDevice;
use super::rescore::{Found, Scanned, keep_best};
use super::rows::Rows;
use super::score::{
    self, ChunkParams, Progress, TILE_PROBES, WORKGROUP_ROWS, pack_probes, quads, tile_width, tiles,
};
use super::segments::{Segments, Sizes, block_bytes};
use crate::face::Embedding;
use crate::limits::{CANDIDATES_MAX, FOUND_LEN_MAX, FRONT_LEN_MIN, PROBES_PER_PASS_MAX};
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

/// The device's side of one gallery.
pub(super) struct Scan {
    device: Arc<Device>,
    sizes: Sizes,
    segments: Segments,
    work: Option<Work>,
    /// What the device takes off the k-th largest `low`.
    margin: fn(&ProbeBound) -> f32,
    /// Chunks that were scored a second time for a probe.
    redone: u64,
}

impl Scan {
    pub(super) fn new(device: Arc<Device>, dimension: usize) -> Self {
        let sizes = Sizes::of(&device, dimension);
        Self::with(device, sizes, ProbeBound::margin)
    }

    /// With a layout and a margin of the caller's choice.
    pub(super) fn with(device: Arc<Device>, sizes: Sizes, margin: fn(&ProbeBound) -> f32) -> Self {
        Self { device, sizes, segments: Segments::new(sizes), work: None, margin, redone: 0 }
    }

    pub(super) fn device(&self) -> &Device {
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

    /// Notes that the rows in these places changed.
    pub(super) fn note(&mut self, first: u32, end: u32) {
        self.segments.note(first, end);
    }

    /// Overwrites what was noted and returns when the device has done it.
    pub(super) fn settle(&mut self, rows: &Rows) -> Result<(), GalleryError> {
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
            .min(self.sizes.list_len_max as usize);
        let chunks = self.chunks(rows.places(), list_len / (CLOSE_PER_CANDIDATE * k));
        let work = match self.work.take() {
            Some(work)
                if work.chunks_max >= chunks.len()
                    && work.probes_max >= probes.len()
                    && work.list_len >= list_len =>
            {
                work
            }
            _ => Work::new(
                &self.device,
                list_len,
                rows.dimension(),
                probes.len(),
                chunks.len().next_power_of_two(),
            ),
        };
        let pass = Pass { scan: self, rows, bounds, k, chunks: &chunks, work: &work };
        let mut state = State::new(bounds, self.margin);
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
        self.work = Some(work);
        self.redone += redone;
        Ok((scanned, bytes_read))
    }

    /// A row that the device found, with the host's own bounds.
    fn bounded(&self, found: &score::Found, bound: &ProbeBound) -> Found {
        let row = self.segments.bound(found.place);
        let z = bound.z(found.dot, row);
        Found { place: found.place, z, low: bound.low(z, row.residual) }
    }

    fn chunks(&self, places: u32, growth: usize) -> Vec<Chunk> {
        let firsts: Vec<u32> = self.segments.all().iter().map(|segment| segment.first).collect();
        let growth = u32::try_from(growth).unwrap_or(GROWTH_MAX).clamp(1, GROWTH_MAX);
        let len_max = self.device.workgroups_max().saturating_mul(WORKGROUP_ROWS);
        chunks(&firsts, places, growth, self.sizes.segment_rows_first, len_max)
    }
}

/// Runs one small pass of each kind, so that no caller waits for a driver that compiles on first
/// use.
///
/// Errors: `DeviceLost`.
pub(super) fn warm(device: &Arc<Device>, dimension: usize) -> Result<(), GalleryError> {
    let mut raw = vec![0.0; dimension];
    raw[0] = 1.0;
    let Ok((embedding, _)) = Embedding::from_raw(&raw) else {
        unreachable!("a unit vector is an embedding")
    };
    let mut rows = Rows::new(dimension, false);
    rows.append(&embedding)?;
    let mut scan = Scan::new(Arc::clone(device), dimension);
    scan.note(0, 1);
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

/// A stretch of one segment's rows.
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

/// How far the probes of a pass have come.
struct State {
    /// One for each probe and for each place that only fills up a tile.
    progress: Vec<Progress>,
    /// The chunk that was last scored again for each probe.
    redone: Vec<Option<u32>>,
}

impl State {
    fn new(bounds: &[ProbeBound], margin: fn(&ProbeBound) -> f32) -> Self {
        let start = |bound: &ProbeBound| Progress {
            theta: THETA_OPEN,
            a: bound.a,
            margin: margin(bound),
            chunk: 0,
            kept_len: 0,
            list_len: 0,
        };
        let mut progress: Vec<_> = bounds.iter().map(start).collect();
        // The places that only fill up a tile find nothing.
        let filler = Progress {
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

/// What the submissions of one pass share.
struct Pass<'a> {
    scan: &'a Scan,
    rows: &'a Rows,
    bounds: &'a [ProbeBound],
    k: usize,
    chunks: &'a [Chunk],
    work: &'a Work,
}

impl Pass<'_> {
    /// Records and submits all chunks from `first` on, and gives the bytes of codes that they read.
    fn submit(&self, state: &State, first: usize) -> u64 {
        let (device, work, dimension) = (&self.scan.device, self.work, self.rows.dimension());
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
                list_len_max: small(self.work.list_len),
                chunk: number,
                tiles_open,
                k: small(self.k),
            };
            place[..size_of::<ChunkParams>()].copy_from_slice(bytemuck::bytes_of(&one));
        }
        let probes = Zeroizing::new(pack_probes(self.bounds, dimension));
        device.queue().write_buffer(&work.params, 0, &params);
        device.queue().write_buffer(&work.progress, 0, bytemuck::cast_slice(&state.progress));
        device.queue().write_buffer(&work.probes, 0, bytemuck::cast_slice(&probes));

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
            device.score().dispatch(&mut pass, segment, &work.score, at, rows, self.bounds.len());
            device.top_k().dispatch(&mut pass, &work.top_k, at, self.probes_len());
            blocks += u64::from(rows.div_ceil(score::BLOCK_ROWS));
        }
        drop(pass);
        let (progress_bytes, front_bytes) = (self.progress_bytes(), self.front_bytes());
        encoder.copy_buffer_to_buffer(&work.progress, 0, &work.back, 0, progress_bytes);
        for probe in 0..u64::from(self.probes_len()) {
            encoder.copy_buffer_to_buffer(
                &work.list,
                probe * self.list_bytes(),
                &work.back,
                progress_bytes + probe * front_bytes,
                front_bytes,
            );
        }
        // A probe doesn't outlive its search on the device.
        encoder.clear_buffer(&work.probes, 0, None);
        device.queue().submit([encoder.finish()]);
        blocks * block_bytes(dimension)
    }

    /// Waits for what was submitted: how far each probe has come, and what its list holds.
    fn read(&self, state: &mut State) -> Result<Vec<Vec<score::Found>>, GalleryError> {
        let probes = self.bounds.len();
        let read = self
            .scan
            .device
            .read(&self.work.back, self.progress_bytes() + probes as u64 * self.front_bytes())?;
        let (progress, fronts) = read.split_at(probes * size_of::<Progress>());
        state.progress[..probes]
            .copy_from_slice(&bytemuck::pod_collect_to_vec::<_, Progress>(progress));
        let fronts: Vec<score::Found> = bytemuck::pod_collect_to_vec(fronts);
        let lists = fronts.chunks(self.front_len()).zip(&state.progress).enumerate();
        lists
            .map(|(probe, (front, progress))| match front.get(..progress.kept_len as usize) {
                Some(list) => Ok(list.to_vec()),
                None => self.read_list(probe, progress.kept_len),
            })
            .collect()
    }

    /// Fetches a list that is longer than what comes back with every pass.
    fn read_list(&self, probe: usize, len: u32) -> Result<Vec<score::Found>, GalleryError> {
        let device = &self.scan.device;
        let mut encoder = device
            .raw()
            .create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("long list") });
        let bytes = u64::from(len) * size_of::<score::Found>() as u64;
        encoder.copy_buffer_to_buffer(
            &self.work.list,
            probe as u64 * self.list_bytes(),
            &self.work.back,
            0,
            bytes,
        );
        device.queue().submit([encoder.finish()]);
        Ok(bytemuck::pod_collect_to_vec(&device.read(&self.work.back, bytes)?))
    }

    /// Places of a list that come back with every pass: the k best and, as a rule, all that are
    /// close to the last of them.
    fn front_len(&self) -> usize {
        (4 * self.k).max(FRONT_LEN_MIN).min(self.work.list_len)
    }

    fn front_bytes(&self) -> u64 {
        (self.front_len() * size_of::<score::Found>()) as u64
    }

    fn list_bytes(&self) -> u64 {
        (self.work.list_len * size_of::<score::Found>()) as u64
    }

    fn progress_bytes(&self) -> u64 {
        (self.bounds.len() * size_of::<Progress>()) as u64
    }

    fn probes_len(&self) -> u32 {
        small(self.bounds.len())
    }
}

fn small(x: usize) -> u32 {
    u32::try_from(x).expect("probes, candidates and places of a list are few")
}

/// The buffers of a pass, kept from search to search.
struct Work {
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

impl Work {
    fn new(
        device: &Device,
        list_len: usize,
        dimension: usize,
        probes: usize,
        chunks_max: usize,
    ) -> Self {
        use wgpu::BufferUsages as Usage;
        let places = tiles(probes) * tile_width(probes);
        let progress_bytes = (places * size_of::<Progress>()) as u64;
        let list_bytes = (places * list_len * size_of::<score::Found>()) as u64;
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
