//! The host's side of `shaders/score.wgsl`: one f32 pass over a chunk of rows that appends what may still count.
//!
//! # The error bound
//!
//! Let S be the exact dot product of a row r and a probe q of D components, and z the shader's f32 sum. WGSL rounds each sum and
//! product to one of the two neighbours of the true value, a relative error below u = 2^-23; it may fuse a product into a sum,
//! which only drops a rounding, and it may add the products in any order. In each order a product goes through its own rounding
//! and at most D - 1 sums, so with c = D u / (1 - D u)
//!
//! |z - S| <= c sum |r_i q_i| <= c |r| |q| <= c (1 + 2^-16).
//!
//! Nothing is lost below the normal numbers: products are multiples of 2^-46, and a rounded sum of such multiples is one too, so
//! every value is zero or at least 2^-46 and a device that flushes subnormals changes nothing. Padding adds zeros, which is exact.
//! For D <= 2048 the two factors beyond D u stay below 1 + 2^-11, hence `error_bound` B = D 2^-23 (1 + 2^-11).
//!
//! # Why no row is lost
//!
//! Let zk be the k-th largest z of the live rows so far. These k rows have S >= zk - B each, so the k-th best exact score is at
//! least zk - B. The threshold theta is at most zk - 2 B, after rounding (see `top_k`); a row left out has z < theta and so
//! S <= z + B < zk - B: **strictly** below k other rows. Ties are never left out, and masked rows never raise a threshold.

use super::binding::{group, layout, pipeline, storage, uniform};
use super::rows::Rows;
use crate::limits::DIMENSION_MAX;

/// Rows that lie interleaved on the device.
pub(super) const BLOCK_ROWS: u32 = 64;
/// Probes that one workgroup scores together.
pub(super) const TILE_PROBES: usize = 8;
/// Rows that one workgroup scores.
pub(super) const WORKGROUP: u32 = 64;
/// Below every z.
pub(super) const THETA_OPEN: f32 = -4.0;
/// Above every z.
pub(super) const THETA_CLOSED: f32 = 4.0;

/// One chunk of one segment.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub(super) struct ScoreParams {
    pub(super) row_first: u32,
    pub(super) row_end: u32,
    pub(super) row_base: u32,
    pub(super) quads: u32,
    pub(super) list_len_max: u32,
}

/// How far one probe has come.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub(super) struct Progress {
    pub(super) theta: f32,
    pub(super) list_len: u32,
    pub(super) overflowed: u32,
}

/// A row that may count, with its sum in f32.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub(super) struct Found {
    pub(super) row: u32,
    pub(super) z: f32,
}

/// B: how far a device's z may be from the exact score.
pub(super) fn error_bound(dimension: usize) -> f64 {
    debug_assert!(dimension <= DIMENSION_MAX, "argued for 2048 components");
    let dimension = u32::try_from(dimension).expect("a dimension is small");
    f64::from(dimension) * 2f64.powi(-23) * (1.0 + 2f64.powi(-11))
}

/// vec4 of one row or probe on the device.
pub(super) fn quads(dimension: usize) -> u32 {
    u32::try_from(dimension.div_ceil(4)).expect("a dimension is small")
}

/// Appends a block of rows as the shader reads it: quad by quad, in each the 64 rows side by side; what isn't there is zero.
pub(super) fn pack_block(rows: &Rows, block: u32, packed: &mut Vec<f32>) {
    let stride = BLOCK_ROWS as usize * 4;
    let start = packed.len();
    packed.resize(start + quads(rows.dimension()) as usize * stride, 0.0);
    let first = block * BLOCK_ROWS;
    for (lane, place) in (first..rows.places().min(first.saturating_add(BLOCK_ROWS))).enumerate() {
        let Some((_, numbers)) = rows.live_row(place) else { continue };
        for (quad, components) in numbers.chunks(4).enumerate() {
            let at = start + quad * stride + lane * 4;
            packed[at..at + components.len()].copy_from_slice(components);
        }
    }
}

/// The probes as the shader reads them: tile by tile, component by component, in each the 8 probes side by side.
pub(super) fn pack_probes(probes: &[&[f32]], dimension: usize) -> Vec<f32> {
    let tile_len = quads(dimension) as usize * 4 * TILE_PROBES;
    let mut packed = vec![0.0; probes.len().div_ceil(TILE_PROBES) * tile_len];
    for (probe, components) in probes.iter().enumerate() {
        let at = probe / TILE_PROBES * tile_len + probe % TILE_PROBES;
        for (i, &x) in components.iter().enumerate() {
            packed[at + i * TILE_PROBES] = x;
        }
    }
    packed
}

/// The compiled shader with the layouts of what it binds.
pub(super) struct ScorePipeline {
    pipeline: wgpu::ComputePipeline,
    segment_layout: wgpu::BindGroupLayout,
    pass_layout: wgpu::BindGroupLayout,
}

impl ScorePipeline {
    pub(super) fn new(device: &wgpu::Device) -> Self {
        let segment_layout = layout(device, "score segment", &[storage(0, true), storage(1, true)]);
        let pass_layout = layout(device, "score pass", &[uniform(0, true), storage(1, true), storage(2, false), storage(3, false)]);
        let shader = wgpu::include_wgsl!("../../shaders/score.wgsl");
        let pipeline = pipeline(device, "score", shader, &[&segment_layout, &pass_layout], WORKGROUP);
        Self { pipeline, segment_layout, pass_layout }
    }

    /// Binds one segment's rows and live bits.
    pub(super) fn segment_group(&self, device: &wgpu::Device, rows: &wgpu::Buffer, live: &wgpu::Buffer) -> wgpu::BindGroup {
        group(device, "score segment", &self.segment_layout, &[rows.as_entire_binding(), live.as_entire_binding()])
    }

    /// Binds what all chunks of a pass share; `params` holds one `ScoreParams` per chunk, at dynamic offsets.
    pub(super) fn pass_group(
        &self,
        device: &wgpu::Device,
        params: &wgpu::Buffer,
        probes: &wgpu::Buffer,
        progress: &wgpu::Buffer,
        list: &wgpu::Buffer,
    ) -> wgpu::BindGroup {
        let one = wgpu::BufferSize::new(size_of::<ScoreParams>() as u64);
        let params = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: params, offset: 0, size: one });
        let bindings = [params, probes.as_entire_binding(), progress.as_entire_binding(), list.as_entire_binding()];
        group(device, "score pass", &self.pass_layout, &bindings)
    }

    /// Scores `rows` rows of a segment, from the params at `params_at`, against all tiles.
    pub(super) fn dispatch(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        segment: &wgpu::BindGroup,
        shared: &wgpu::BindGroup,
        params_at: u32,
        rows: u32,
        tiles: u32,
    ) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, segment, &[]);
        pass.set_bind_group(1, shared, &[params_at]);
        pass.dispatch_workgroups(rows.div_ceil(WORKGROUP), tiles, 1);
    }
}

/// What the shader does, on the processor.
#[cfg(test)]
pub(super) fn twin(
    params: &ScoreParams,
    (rows, live): (&[[f32; 4]], &[u32]),
    probes: &[[f32; 4]],
    progress: &mut [Progress],
    list: &mut [Found],
) {
    let (quads, block_rows, list_len_max) = (params.quads as usize, BLOCK_ROWS as usize, params.list_len_max as usize);
    for row in params.row_first..params.row_end {
        if (live[row as usize / 32] >> (row % 32)) & 1 == 0 {
            continue;
        }
        let row_at = row as usize / block_rows * quads * block_rows + row as usize % block_rows;
        for (probe, progress) in progress.iter_mut().enumerate() {
            let (tile, half, lane) = (probe / TILE_PROBES, probe % TILE_PROBES / 4, probe % 4);
            let tile_at = tile * quads * 8;
            let mut z = 0.0;
            for quad in 0..quads {
                let r = rows[row_at + quad * block_rows];
                for (i, r) in r.iter().enumerate() {
                    z += r * probes[tile_at + quad * 8 + i * 2 + half][lane];
                }
            }
            if z >= progress.theta {
                let at = progress.list_len as usize;
                progress.list_len += 1;
                if at < list_len_max {
                    list[probe * list_len_max + at] = Found { row: params.row_base + row, z };
                }
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::gpu::tests::{compute, shared};
    use super::super::tests::Numbers;
    use super::*;

    pub(in super::super) const SOURCE: &str = include_str!("../../shaders/score.wgsl");

    /// Name, offset and size of a WGSL struct's members, and its own size.
    pub(in super::super) fn wgsl_struct(source: &str, name: &str) -> (Vec<(String, u32)>, u32) {
        let module = naga::front::wgsl::parse_str(source).unwrap();
        let (_, found) = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some(name)).unwrap();
        let naga::TypeInner::Struct { members, span } = &found.inner else { panic!("{name} is no struct") };
        (members.iter().map(|member| (member.name.clone().unwrap(), member.offset)).collect(), *span)
    }

    /// Checks that a `#[repr(C)]` struct lies in memory as the shader's struct of the same name does.
    macro_rules! assert_layout {
        ($source:expr, $name:ident { $($field:ident),* }) => {{
            let (members, size) = $crate::gallery::score::tests::wgsl_struct($source, stringify!($name));
            let fields = vec![$((stringify!($field).to_owned(), u32::try_from(std::mem::offset_of!($name, $field)).unwrap())),*];
            assert_eq!(members, fields);
            assert_eq!(size as usize, size_of::<$name>());
        }};
    }
    pub(in super::super) use assert_layout;

    #[test]
    fn the_shader_and_the_host_agree_on_every_struct() {
        assert_layout!(SOURCE, ScoreParams { row_first, row_end, row_base, quads, list_len_max });
        assert_layout!(SOURCE, Progress { theta, list_len, overflowed });
        assert_layout!(SOURCE, Found { row, z });
        assert!(SOURCE.contains(&format!("const BLOCK_ROWS: u32 = {BLOCK_ROWS}u;")));
        assert!(SOURCE.contains(&format!("let probe = tile * {TILE_PROBES}u;")));
    }

    #[test]
    fn the_bound_holds_for_the_worst_order_of_sums() {
        // Rounding down throughout, as WGSL permits, with one sum after the other.
        let mut numbers = Numbers::new(11);
        for dimension in [16, 128, 513, 2_048] {
            for _ in 0..20 {
                let (r, q) = (numbers.embedding(dimension), numbers.embedding(dimension));
                let down = |x: f64| {
                    #[expect(clippy::cast_possible_truncation, reason = "rounding is the point")]
                    let near = x as f32;
                    if f64::from(near) > x { near.next_down() } else { near }
                };
                // Equal signs make every rounding count in the same direction.
                let z = r
                    .components()
                    .iter()
                    .zip(q.components())
                    .fold(0.0f32, |z, (&r, &q)| down(f64::from(z) + f64::from(down(f64::from(r.abs()) * f64::from(q.abs())))));
                let exact: f64 = r.components().iter().zip(q.components()).map(|(&r, &q)| f64::from(r.abs()) * f64::from(q.abs())).sum();
                assert!((f64::from(z) - exact).abs() <= error_bound(dimension));
            }
        }
    }

    #[test]
    fn the_shader_does_what_its_twin_does() {
        let Some(device) = shared() else { return };
        let mut numbers = Numbers::new(5);
        for (dimension, probes_len) in [(16, 1usize), (33, 8), (128, 9), (515, 20), (2_048, 2)] {
            let mut rows = Rows::new(dimension, false);
            for _ in 0..200 {
                rows.append(&numbers.embedding(dimension)).unwrap();
            }
            for row in (0..200).step_by(7) {
                rows.set_live(row, false).unwrap();
            }
            let probes: Vec<_> = (0..probes_len).map(|_| numbers.embedding(dimension)).collect();
            let probes: Vec<&[f32]> = probes.iter().map(crate::face::Embedding::components).collect();
            let probes = pack_probes(&probes, dimension);
            let mut packed = Vec::new();
            (0..4).for_each(|block| pack_block(&rows, block, &mut packed));
            let live: Vec<u32> =
                (0..8).map(|word| (0..32).fold(0, |bits, at| bits | u32::from(rows.live_row(word * 32 + at).is_some()) << at)).collect();
            let params = ScoreParams { row_first: 64, row_end: 190, row_base: 1_000, quads: quads(dimension), list_len_max: 90 };
            let places = probes_len.div_ceil(TILE_PROBES) * TILE_PROBES;
            // Some probes take all rows and lose some, some a part, some none.
            let thetas = [THETA_OPEN, 0.1, THETA_CLOSED];
            let progress: Vec<_> = (0..places).map(|probe| Progress { theta: thetas[probe % 3], list_len: 2, overflowed: 0 }).collect();
            let list = vec![Found { row: u32::MAX, z: 9.0 }; places * 90];

            let outputs = compute(&device, &[bytemuck::cast_slice(&progress), bytemuck::cast_slice(&list)], |gpu, buffers, pass| {
                let (rows, live) = (gpu.filled("rows", &packed), gpu.filled("live", &live));
                let (params_buffer, probes) = (gpu.filled("params", &[params]), gpu.filled("probes", &probes));
                let segment = gpu.score().segment_group(gpu.raw(), &rows, &live);
                let shared = gpu.score().pass_group(gpu.raw(), &params_buffer, &probes, &buffers[0], &buffers[1]);
                let tiles = u32::try_from(places / TILE_PROBES).unwrap();
                gpu.score().dispatch(pass, &segment, &shared, 0, params.row_end - params.row_first, tiles);
            });
            let gpu_progress: Vec<Progress> = bytemuck::pod_collect_to_vec(&outputs[0]);
            let gpu_list: Vec<Found> = bytemuck::pod_collect_to_vec(&outputs[1]);
            let (mut twin_progress, mut twin_list) = (progress, list);
            let (rows_view, probes_view) = (bytemuck::cast_slice(&packed), bytemuck::cast_slice(&probes));
            twin(&params, (rows_view, &live), probes_view, &mut twin_progress, &mut twin_list);

            for probe in 0..places {
                let (ours, theirs) = (twin_progress[probe], gpu_progress[probe]);
                assert_eq!((ours.theta, ours.list_len, ours.overflowed), (theirs.theta, theirs.list_len, theirs.overflowed));
                if ours.list_len > 90 {
                    continue; // Which rows are lost is the device's business.
                }
                let place = probe * 90..probe * 90 + ours.list_len as usize;
                let sorted = |list: &[Found]| {
                    let mut list = list[place.clone()].to_vec();
                    list.sort_by_key(|found| found.row);
                    list
                };
                for (ours, theirs) in sorted(&twin_list).into_iter().zip(sorted(&gpu_list)) {
                    assert_eq!(ours.row, theirs.row);
                    assert!(f64::from((ours.z - theirs.z).abs()) <= 2.0 * error_bound(dimension));
                }
            }
        }
    }
}
