//! The host's side of `shaders/score.wgsl`: one pass over a chunk of rows that appends what the
//! bound can't rule out.
//!
//! # A block
//!
//! ```text
//! 64 rows of D components, D padded with zero codes to a multiple of 16: 1,024 bytes for each 16
//! components and 512 behind them
//!
//! 0             row 0: codes 0 to 15     row 1: codes 0 to 15     ...  row 63: codes 0 to 15
//! 1,024         row 0: codes 16 to 31    ...
//! 1,024 D / 16  row 0: scale, residual   row 1: scale, residual   ...  row 63
//! ```
//!
//! Codes are signed bytes, four in a word, the first in its lowest byte. A place without a row that
//! may be found has zeros and the residual `HIDDEN`, so masks need no test of their own. A row that
//! changes is one write of its block.

use super::binding::{group, layout, pipeline, storage, uniform};
use super::bound::{HIDDEN, ProbeBound, RowBound, quantise_row};
use super::rows::Rows;

/// Rows that lie interleaved on the device.
pub(super) const BLOCK_ROWS: u32 = 64;
/// Probes that one workgroup scores together, unless there is but one.
pub(super) const TILE_PROBES: usize = 8;
/// Lanes of one workgroup.
pub(super) const WORKGROUP: u32 = 64;
/// Rows that one workgroup scores.
pub(super) const WORKGROUP_ROWS: u32 = WORKGROUP * 4;
/// Storage buffers that the shader reads or writes.
pub(super) const STORAGE_BUFFERS: u32 = 4;

/// Codes of a row that lie together.
const QUAD_CODES: usize = 16;
/// Words of one quad of all rows of a block.
const QUAD_WORDS: usize = BLOCK_ROWS as usize * QUAD_CODES / 4;
/// Words behind a block's codes: scale and residual of each row.
const BOUND_WORDS: usize = BLOCK_ROWS as usize * 2;

/// The parameters of one chunk of one segment, for both shaders.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub(super) struct ChunkParams {
    pub(super) row_first: u32,
    pub(super) row_end: u32,
    pub(super) row_base: u32,
    pub(super) quads: u32,
    pub(super) list_len_max: u32,
    pub(super) chunk: u32,
    pub(super) tiles_open: u32,
    pub(super) k: u32,
}

/// The progress of one probe through the chunks.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub(super) struct ProbeProgress {
    pub(super) theta: f32,
    pub(super) a: f32,
    pub(super) margin: f32,
    pub(super) chunk: u32,
    pub(super) kept_len: u32,
    pub(super) list_len: u32,
}

/// A row that the device could not drop.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub(super) struct DeviceHit {
    pub(super) place: u32,
    pub(super) dot: i32,
    pub(super) z: f32,
    pub(super) low: f32,
}

/// vec4 of one row's or probe's codes on the device.
pub(super) fn quads(dimension: usize) -> u32 {
    u32::try_from(dimension.div_ceil(QUAD_CODES)).expect("a dimension is small")
}

/// Words of one block.
pub(super) fn block_words(dimension: usize) -> usize {
    quads(dimension) as usize * QUAD_WORDS + BOUND_WORDS
}

/// Writes a block of rows as the shader reads it, and their bounds for the host.
///
/// Shapes: `words` is `block_words(D)`, `bounds` one pair of scale and residual for each of the
/// block's rows.
pub(super) fn pack_block(rows: &Rows, block: u32, words: &mut [u32], bounds: &mut [[f32; 2]]) {
    let mut codes = vec![0; rows.dimension()];
    words.fill(0);
    let (code_words, bound_words) =
        words.split_at_mut(quads(rows.dimension()) as usize * QUAD_WORDS);
    for (lane, (bound, bound_words)) in
        bounds.iter_mut().zip(bound_words.as_chunks_mut::<2>().0).enumerate()
    {
        let place = u64::from(block) * u64::from(BLOCK_ROWS) + lane as u64;
        let live = u32::try_from(place).ok().and_then(|place| rows.live_row(place));
        *bound = [0.0, HIDDEN];
        if let Some((_, numbers)) = live {
            let RowBound { scale, residual } = quantise_row(numbers, &mut codes);
            *bound = [scale, residual];
            for (quad, codes) in codes.chunks(QUAD_CODES).enumerate() {
                pack_codes(codes, &mut code_words[quad * QUAD_WORDS + lane * QUAD_CODES / 4..]);
            }
        }
        *bound_words = bound.map(f32::to_bits);
    }
}

/// The probes' codes as the shader reads them: one alone quad by quad, more of them tile by tile,
/// in each quad 8 probes side by side.
pub(super) fn pack_probes(bounds: &[ProbeBound], dimension: usize) -> Vec<u32> {
    let (quads, width) = (quads(dimension) as usize, tile_width(bounds.len()));
    let mut packed = vec![0; tiles(bounds.len()) * quads * width * QUAD_CODES / 4];
    for (probe, bound) in bounds.iter().enumerate() {
        for (quad, codes) in bound.codes.chunks(QUAD_CODES).enumerate() {
            let at = (probe / width * quads + quad) * width + probe % width;
            pack_codes(codes, &mut packed[at * QUAD_CODES / 4..]);
        }
    }
    packed
}

/// Tiles that so many probes fill.
pub(super) fn tiles(probes: usize) -> usize {
    probes.div_ceil(tile_width(probes))
}

/// Probes of one tile: a single probe doesn't pay for eight.
pub(super) fn tile_width(probes: usize) -> usize {
    if probes == 1 { 1 } else { TILE_PROBES }
}

fn pack_codes(codes: &[i8], words: &mut [u32]) {
    for (word, codes) in words.iter_mut().zip(codes.chunks(4)) {
        let mut bytes = [0; 4];
        for (byte, &code) in bytes.iter_mut().zip(codes) {
            *byte = code.cast_unsigned();
        }
        *word = u32::from_le_bytes(bytes);
    }
}

/// The compiled shader with the layouts of what it binds.
pub(super) struct ScorePipeline {
    one: wgpu::ComputePipeline,
    tile: wgpu::ComputePipeline,
    segment_layout: wgpu::BindGroupLayout,
    pass_layout: wgpu::BindGroupLayout,
}

impl ScorePipeline {
    pub(super) fn new(device: &wgpu::Device) -> Self {
        Self::of(device, include_str!("../../shaders/score.wgsl"))
    }

    /// With another text, to show which changes of it tests would see.
    fn of(device: &wgpu::Device, source: &str) -> Self {
        let segment_layout = layout(device, "score segment", &[storage(0, true)]);
        let pass_layout = layout(
            device,
            "score pass",
            &[uniform(0, true), storage(1, true), storage(2, false), storage(3, false)],
        );
        let layouts = [&segment_layout, &pass_layout];
        let [one, tile] = ["score_one", "score_tile"]
            .map(|entry| pipeline(device, entry, source, &layouts, WORKGROUP));
        Self { one, tile, segment_layout, pass_layout }
    }

    /// Binds one segment's rows.
    pub(super) fn segment_group(
        &self,
        device: &wgpu::Device,
        rows: &wgpu::Buffer,
    ) -> wgpu::BindGroup {
        group(device, "score segment", &self.segment_layout, &[rows.as_entire_binding()])
    }

    /// Binds what all chunks of a pass share; `params` holds one `ChunkParams` per chunk, at
    /// dynamic offsets.
    pub(super) fn pass_group(
        &self,
        device: &wgpu::Device,
        params: &wgpu::Buffer,
        probes: &wgpu::Buffer,
        progress: &wgpu::Buffer,
        list: &wgpu::Buffer,
    ) -> wgpu::BindGroup {
        let bindings = [
            chunk_binding(params),
            probes.as_entire_binding(),
            progress.as_entire_binding(),
            list.as_entire_binding(),
        ];
        group(device, "score pass", &self.pass_layout, &bindings)
    }

    /// Scores `rows` rows of a segment, from the params at `params_at`, against so many probes.
    pub(super) fn dispatch(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        segment: &wgpu::BindGroup,
        shared: &wgpu::BindGroup,
        params_at: u32,
        rows: u32,
        probes: usize,
    ) {
        pass.set_pipeline(if tile_width(probes) == 1 { &self.one } else { &self.tile });
        pass.set_bind_group(0, segment, &[]);
        pass.set_bind_group(1, shared, &[params_at]);
        let tiles = u32::try_from(tiles(probes)).expect("probes are few");
        pass.dispatch_workgroups(tiles, rows.div_ceil(WORKGROUP_ROWS), 1);
    }
}

/// One `ChunkParams` of a buffer that holds many.
pub(super) fn chunk_binding(params: &wgpu::Buffer) -> wgpu::BindingResource<'_> {
    let one = wgpu::BufferSize::new(size_of::<ChunkParams>() as u64);
    wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: params, offset: 0, size: one })
}

/// The CPU twin: what the shader does, on the processor, with its f32 operations in the order in
/// which they are written.
#[cfg(test)]
fn twin(
    params: &ChunkParams,
    rows: &[u32],
    bounds: &[ProbeBound],
    progress: &mut [ProbeProgress],
    list: &mut [DeviceHit],
) {
    let (quads, block_rows) = (params.quads as usize, BLOCK_ROWS as usize);
    for place in params.row_first..params.row_end {
        let (block, lane) = (place as usize / block_rows, place as usize % block_rows);
        let block = &rows[block * (quads * QUAD_WORDS + BOUND_WORDS)..];
        let [scale, residual] =
            [0, 1].map(|at| f32::from_bits(block[quads * QUAD_WORDS + lane * 2 + at]));
        for ((probe, progress), bound) in progress.iter_mut().enumerate().zip(bounds) {
            let code = |at: usize| {
                let word = block
                    [at / QUAD_CODES * QUAD_WORDS + lane * QUAD_CODES / 4 + at % QUAD_CODES / 4];
                word.to_le_bytes()[at % 4].cast_signed()
            };
            let dot = bound
                .codes
                .iter()
                .enumerate()
                .map(|(at, &p)| i32::from(code(at)) * i32::from(p))
                .sum();
            let z = bound.z(dot, RowBound { scale, residual });
            let open = params.tiles_open >> (probe / tile_width(bounds.len())) & 1 == 1;
            if open && progress.chunk == params.chunk && z >= progress.theta {
                let at = progress.list_len;
                progress.list_len += 1;
                if at < params.list_len_max {
                    let found = DeviceHit {
                        place: params.row_base + place,
                        dot,
                        z,
                        low: bound.low(z, residual),
                    };
                    list[probe * params.list_len_max as usize + at as usize] = found;
                }
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::bound::{THETA_CLOSED, THETA_OPEN};
    use super::super::gpu::GpuDevice;
    use super::super::gpu::tests::{compute, shared};
    use super::super::tests::Numbers;
    use super::*;

    pub(in super::super) const SOURCE: &str = include_str!("../../shaders/score.wgsl");

    /// Name, offset and size of a WGSL struct's members, and its own size.
    pub(in super::super) fn wgsl_struct(source: &str, name: &str) -> (Vec<(String, u32)>, u32) {
        let module = naga::front::wgsl::parse_str(source).unwrap();
        let (_, found) =
            module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some(name)).unwrap();
        let naga::TypeInner::Struct { members, span } = &found.inner else {
            panic!("{name} is no struct")
        };
        (
            members.iter().map(|member| (member.name.clone().unwrap(), member.offset)).collect(),
            *span,
        )
    }

    /// Checks that a `#[repr(C)]` struct lies in memory as the shader's struct of the same name
    /// does.
    macro_rules! assert_layout {
        ($source:expr, $name:ident { $($field:ident),* }) => {{
            let (members, size) = $crate::gallery::score::tests::wgsl_struct($source,
                stringify!($name));
            let fields = vec![$((stringify!($field).to_owned(),
                u32::try_from(std::mem::offset_of!($name, $field)).unwrap())),*];
            assert_eq!(members, fields);
            assert_eq!(size as usize, size_of::<$name>());
        }};
    }
    pub(in super::super) use assert_layout;

    #[test]
    fn the_shader_and_the_host_agree_on_every_struct_and_constant() {
        assert_layout!(
            SOURCE,
            ChunkParams { row_first, row_end, row_base, quads, list_len_max, chunk, tiles_open, k }
        );
        assert_layout!(SOURCE, ProbeProgress { theta, a, margin, chunk, kept_len, list_len });
        assert_layout!(SOURCE, DeviceHit { place, dot, z, low });
        for constant in [
            format!("const BLOCK_ROWS: u32 = {BLOCK_ROWS}u;"),
            format!("const BOUND_QUADS: u32 = {}u;", BOUND_WORDS / 4),
            format!("const ROWS_A_LANE: u32 = {}u;", WORKGROUP_ROWS / WORKGROUP),
            format!("const TILE_PROBES: u32 = {TILE_PROBES}u;"),
            format!("const HIDDEN: f32 = {HIDDEN:e};"),
            format!("const THETA_CLOSED: f32 = {THETA_CLOSED:e};"),
        ] {
            assert!(SOURCE.contains(&constant), "{constant}");
        }
        assert_eq!(SOURCE.matches("storage").count(), 4, "{STORAGE_BUFFERS} storage buffers");
    }

    #[test]
    fn a_block_lies_as_it_is_drawn_and_hides_what_must_not_be_found() {
        let mut numbers = Numbers::new(6);
        for dimension in [16, 17, 128, 515] {
            let mut rows = Rows::new(dimension, false);
            for _ in 0..100 {
                rows.append(&numbers.embedding(dimension)).unwrap();
            }
            rows.set_live(70, false).unwrap();
            rows.zero(71).unwrap();
            let mut words = vec![u32::MAX; block_words(dimension)];
            let mut bounds = vec![[9.0; 2]; 64];
            pack_block(&rows, 1, &mut words, &mut bounds);
            let bytes: &[u8] = bytemuck::cast_slice(&words);
            let (ends, mut codes) = (quads(dimension) as usize * 1_024, vec![0; dimension]);
            for (lane, bound) in bounds.into_iter().enumerate() {
                let mut wanted = vec![0; quads(dimension) as usize * 16];
                let mut wanted_bound = [0.0, HIDDEN];
                if let Some((_, row)) = rows.live_row(64 + u32::try_from(lane).unwrap()) {
                    let RowBound { scale, residual } = quantise_row(row, &mut codes);
                    wanted_bound = [scale, residual];
                    wanted[..dimension].copy_from_slice(bytemuck::cast_slice(&codes));
                }
                let found: Vec<u8> = (0..quads(dimension) as usize)
                    .flat_map(|quad| bytes[quad * 1_024 + lane * 16..][..16].to_vec())
                    .collect();
                assert_eq!(found, wanted, "row {lane}");
                assert_eq!(bound, wanted_bound);
                assert_eq!(
                    bytes[ends + lane * 8..][..8],
                    bytemuck::cast_slice::<f32, u8>(&wanted_bound)[..]
                );
            }
            // 70 is hidden, 71 is zeroed, and from 100 on there are no rows.
            assert!([6, 7, 36, 63].iter().all(|&lane| bytes[ends + lane * 8..][..4] == [0; 4]));
        }
    }

    /// A unit vector that is its codes times 2^-7, so that its z is the same however it is rounded.
    fn plain_row(dimension: usize) -> crate::face::Embedding {
        let mut components = vec![0.0; dimension];
        components[..5].copy_from_slice(&[127.0, -15.0, 5.0, 2.0, -1.0].map(|code| code / 128.0));
        crate::face::Embedding::from_grid(components).unwrap()
    }

    /// Rows, probes and how far each probe has come, for the shader and for its twin.
    struct Case {
        dimension: usize,
        packed: Vec<u32>,
        bounds: Vec<ProbeBound>,
        params: ChunkParams,
        progress: Vec<ProbeProgress>,
        list: Vec<DeviceHit>,
    }

    impl Case {
        fn new(numbers: &mut Numbers, dimension: usize, probes_len: usize) -> Self {
            let mut rows = Rows::new(dimension, false);
            for at in 0..600 {
                let row =
                    if at % 50 == 3 { plain_row(dimension) } else { numbers.embedding(dimension) };
                rows.append(&row).unwrap();
            }
            for row in (0..600).step_by(7) {
                rows.set_live(row, false).unwrap();
            }
            let mut bounds: Vec<_> = (1..probes_len)
                .map(|_| ProbeBound::new(numbers.embedding(dimension).components()))
                .collect();
            bounds.push(ProbeBound::new(plain_row(dimension).components()));
            let mut packed = vec![0; 10 * block_words(dimension)];
            for (block, words) in (0..).zip(packed.chunks_mut(block_words(dimension))) {
                pack_block(&rows, block, words, &mut [[0.0; 2]; 64]);
            }
            let params = ChunkParams {
                row_first: 64,
                row_end: 590,
                row_base: 1_000,
                quads: quads(dimension),
                list_len_max: 250,
                chunk: 3,
                tiles_open: 0b101,
                k: 1,
            };
            let places = tiles(probes_len) * tile_width(probes_len);
            let empty = DeviceHit { place: u32::MAX, dot: 0, z: 9.0, low: 9.0 };
            let list = vec![empty; places * params.list_len_max as usize];
            let progress = Self::progress(&bounds, dimension, places);
            Self { dimension, packed, bounds, params, progress, list }
        }

        /// Some probes take all rows and lose some, some a part, some none, and some are in another
        /// chunk.
        fn progress(bounds: &[ProbeBound], dimension: usize, places: usize) -> Vec<ProbeProgress> {
            let of = |probe: usize| {
                let a = bounds.get(probe).map_or(0.0, |bound| bound.a);
                let theta = [THETA_OPEN, a * 0.1, a * 0.2, THETA_CLOSED][probe % 4];
                let chunk = 3 + u32::from(probe % 5 == 2);
                ProbeProgress { theta, a, margin: 0.0, chunk, kept_len: 0, list_len: 2 }
            };
            let mut progress: Vec<_> = (0..places).map(of).collect();
            // The plain rows are exactly at the theta of the plain probe, and must not be dropped.
            let plain = quantise_row(plain_row(dimension).components(), &mut vec![0; dimension]);
            let last = bounds.len() - 1;
            progress[last].theta = bounds[last].z(128 * 128, plain);
            progress[last].chunk = 3;
            progress
        }

        fn on_device(
            &self,
            device: &GpuDevice,
            pipeline: &ScorePipeline,
        ) -> (Vec<ProbeProgress>, Vec<DeviceHit>) {
            let probes = pack_probes(&self.bounds, self.dimension);
            let inputs = [bytemuck::cast_slice(&self.progress), bytemuck::cast_slice(&self.list)];
            let outputs = compute(device, &inputs, |gpu, buffers, pass| {
                let segment = pipeline.segment_group(gpu.raw(), &gpu.filled("rows", &self.packed));
                let shared = pipeline.pass_group(
                    gpu.raw(),
                    &gpu.filled("params", &[self.params]),
                    &gpu.filled("probes", &probes),
                    &buffers[0],
                    &buffers[1],
                );
                let rows = self.params.row_end - self.params.row_first;
                pipeline.dispatch(pass, &segment, &shared, 0, rows, self.bounds.len());
            });
            (bytemuck::pod_collect_to_vec(&outputs[0]), bytemuck::pod_collect_to_vec(&outputs[1]))
        }

        fn on_twin(&self) -> (Vec<ProbeProgress>, Vec<DeviceHit>) {
            let (mut progress, mut list) = (self.progress.clone(), self.list.clone());
            twin(&self.params, &self.packed, &self.bounds, &mut progress, &mut list);
            (progress, list)
        }

        fn difference(&self, device: &GpuDevice, pipeline: &ScorePipeline) -> Option<String> {
            let (gpu, twin) = (self.on_device(device, pipeline), self.on_twin());
            let len_max = self.params.list_len_max;
            let list_of = |list: &[DeviceHit], probe: usize| {
                list[probe * len_max as usize..][..len_max as usize].to_vec()
            };
            (0..self.bounds.len()).find_map(|probe| {
                let (ours, theirs) = (twin.0[probe], gpu.0[probe]);
                let their_list = list_of(&gpu.1, probe);
                let what = if ours.list_len > len_max && theirs == ours {
                    // Which rows are lost is the device's business, but no place may be wasted.
                    let wasted = their_list[2..].iter().any(|hit| hit.place == u32::MAX);
                    wasted.then_some("an empty place in a full list")
                } else {
                    let our_list = list_of(&twin.1, probe);
                    self.list_difference(&ours, &our_list, &theirs, &their_list)
                };
                what.map(|what| {
                    format!("D {}, probe {probe} of {}: {what}", self.dimension, self.bounds.len())
                })
            })
        }

        fn list_difference(
            &self,
            ours: &ProbeProgress,
            our_list: &[DeviceHit],
            theirs: &ProbeProgress,
            their_list: &[DeviceHit],
        ) -> Option<&'static str> {
            let slack = ours.a * 2f32.powi(-20);
            // A row whose z is within the lemma of theta may fall on either side.
            let close = |hit: &DeviceHit| (hit.z - ours.theta).abs() < slack && hit.z != ours.theta;
            let sorted = |list: &[DeviceHit], progress: &ProbeProgress| {
                let len = progress.list_len.min(self.params.list_len_max) as usize;
                let mut list = list[..len].to_vec();
                list.retain(|hit| !close(hit));
                list.sort_by_key(|hit| hit.place);
                list
            };
            let (our_list, their_list) = (sorted(our_list, ours), sorted(their_list, theirs));
            if our_list.len() != their_list.len() {
                return Some("another number of rows");
            }
            our_list.iter().zip(&their_list).find_map(|(ours, theirs)| {
                if (ours.place, ours.dot) != (theirs.place, theirs.dot) {
                    return Some("another row or dot product");
                }
                ((ours.z - theirs.z).abs() > slack || (ours.low - theirs.low).abs() > slack)
                    .then_some("another bound")
            })
        }
    }

    /// What differs between the shader and its twin, over rows and probes of many kinds.
    fn difference(source: &str) -> Option<String> {
        let device = shared()?;
        let pipeline = ScorePipeline::of(device.raw(), source);
        let mut numbers = Numbers::new(5);
        [(16, 1usize), (33, 8), (128, 9), (515, 20), (2_048, 2), (2_048, 1)].into_iter().find_map(
            |(dimension, probes_len)| {
                Case::new(&mut numbers, dimension, probes_len).difference(&device, &pipeline)
            },
        )
    }

    #[test]
    fn the_shader_does_what_its_twin_does() {
        assert_eq!(difference(SOURCE), None);
    }

    /// Checks that a shader with any one of these errors in it is told from its twin.
    pub(in super::super) fn assert_errors_seen(
        source: &str,
        difference: fn(&str) -> Option<String>,
        errors: &[(&str, &str)],
    ) {
        if shared().is_none() {
            return;
        }
        for (right, wrong) in errors {
            assert!(source.contains(right), "{right}");
            assert!(difference(&source.replace(right, wrong)).is_some(), "{wrong}");
        }
    }

    #[test]
    fn a_shader_that_errs_is_told_from_its_twin() {
        assert_errors_seen(
            SOURCE,
            difference,
            &[
                // Rows at theta are dropped.
                ("if (z[row] >= head.x)", "if (z[row] > head.x)"),
                ("any(z >= ", "any(z > "),
                // Neither bound counts the residual, or only one of them.
                ("+ head.y * lane.residuals", "+ 0.0 * lane.residuals"),
                ("z - 2.0 * head.y", "z - 1.0 * head.y"),
                // Rows of the next chunk are found, or the last ones of this are not.
                (
                    "places < vec4<u32>(params.row_end));",
                    "places < vec4<u32>(params.row_end + 8u));",
                ),
                (
                    "places < vec4<u32>(params.row_end));",
                    "places < vec4<u32>(params.row_end - 1u));",
                ),
                // A probe that stays behind goes on.
                ("progress[probe].chunk == params.chunk", "progress[probe].chunk >= params.chunk"),
                ("if (at < params.list_len_max)", "if (at + 1u < params.list_len_max)"),
                // Codes without a sign.
                ("dot4I8Packed(r.x, p.x)", "i32(dot4U8Packed(r.x, p.x))"),
                (
                    "select(pair.xy, pair.zw, place % 2u == 1u)",
                    "select(pair.xy, pair.zw, place % 2u == 0u)",
                ),
            ],
        );
    }
}
