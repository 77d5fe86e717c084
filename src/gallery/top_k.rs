//! The host's side of `shaders/top_k.wgsl`: after each chunk, thetas rise and lists shrink.
//!
//! # The margin
//!
//! `bound` asks for theta <= w - 2 b / t - 2^-19 P, w being the k-th largest `low`. The device
//! computes w - m in f32, m the probe's `margin`: an f32 of at least 2 b / t + 2^-19 P + 2^-22 P.
//! WGSL rounds the difference to one of its two neighbours, an error of at most 2^-23 |w - m|. By
//! the lemma |w| <= 1.19 P + 0.181 P + 2^-20 P. No code of the probe is further from its component
//! than 1/2 + 2^-16 steps, hence b / t <= 0.502 sqrt(D) <= 22.8 <= 0.18 P for D <= 2,048, because P
//! is at least 127; so m <= 0.37 P and the error is below 1.75 * 2^-23 P < 2^-22 P. A difference so
//! small that a device takes it for zero errs by less than 2^-126, which what is left of 2^-22 P
//! pays. A theta that is kept instead, because it was higher, was valid when it was made: what a
//! row must reach never falls.

use super::binding::{group, layout, pipeline, storage, uniform};
use super::score::chunk_binding;

/// Lanes that share one probe's list, where the device allows as many.
pub(super) const WORKGROUP: u32 = 256;
/// Bytes of a workgroup's own memory that the shader takes: histogram, its sums, what one lane
/// tells the others.
pub(super) const WORKGROUP_BYTES: u32 = 256 * 4 + 16 * 4 + 16 + 12;

/// The compiled shader with the layout of what it binds.
pub(super) struct TopKPipeline {
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

impl TopKPipeline {
    pub(super) fn new(device: &wgpu::Device) -> Self {
        Self::of(device, include_str!("../../shaders/top_k.wgsl"))
    }

    /// With another text, to show which changes of it tests would see.
    fn of(device: &wgpu::Device, source: &str) -> Self {
        let layout =
            layout(device, "top_k", &[uniform(0, true), storage(1, false), storage(2, false)]);
        let limits = device.limits();
        let workgroup = WORKGROUP
            .min(limits.max_compute_invocations_per_workgroup)
            .min(limits.max_compute_workgroup_size_x);
        Self { pipeline: pipeline(device, "top_k", source, &[&layout], workgroup), layout }
    }

    /// Binds what a pass needs; `params` holds one `ChunkParams` per chunk, at dynamic offsets.
    pub(super) fn group(
        &self,
        device: &wgpu::Device,
        params: &wgpu::Buffer,
        progress: &wgpu::Buffer,
        list: &wgpu::Buffer,
    ) -> wgpu::BindGroup {
        group(
            device,
            "top_k",
            &self.layout,
            &[chunk_binding(params), progress.as_entire_binding(), list.as_entire_binding()],
        )
    }

    /// One workgroup for each probe, with the params at `params_at`.
    pub(super) fn dispatch(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        shared: &wgpu::BindGroup,
        params_at: u32,
        probes: u32,
    ) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, shared, &[params_at]);
        pass.dispatch_workgroups(probes, 1, 1);
    }
}

/// The CPU twin: what the shader does, on the processor; it sorts where the shader counts bits.
#[cfg(test)]
fn twin(
    params: &super::score::ChunkParams,
    progress: &mut [super::score::ProbeProgress],
    list: &mut [super::score::DeviceHit],
) {
    for (probe, progress) in progress.iter_mut().enumerate() {
        if progress.chunk != params.chunk {
            continue;
        }
        let overflowed = progress.list_len > params.list_len_max;
        let list = &mut list[probe * params.list_len_max as usize..]
            [..progress.list_len.min(params.list_len_max) as usize];
        if list.len() >= params.k as usize {
            let mut lows: Vec<f32> = list.iter().map(|found| found.low).collect();
            lows.sort_by(|a, b| b.total_cmp(a));
            progress.theta = progress.theta.max(lows[params.k as usize - 1] - progress.margin);
        }
        let list = if overflowed { &mut list[..progress.kept_len as usize] } else { list };
        list.sort_by(|a, b| b.z.total_cmp(&a.z));
        progress.kept_len =
            u32::try_from(list.iter().filter(|found| found.z >= progress.theta).count()).unwrap();
        progress.list_len = progress.kept_len;
        progress.chunk += u32::from(!overflowed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::bound::{ProbeBound, THETA_OPEN};
    use super::super::gpu::tests::{compute, shared};
    use super::super::score::tests::{assert_errors_seen, assert_layout, wgsl_struct};
    use super::super::score::{ChunkParams, DeviceHit, ProbeProgress};
    use super::super::tests::Numbers;
    use super::*;

    const SOURCE: &str = include_str!("../../shaders/top_k.wgsl");

    #[test]
    fn the_shader_and_the_host_agree_on_every_struct_and_size() {
        assert_layout!(
            SOURCE,
            ChunkParams { row_first, row_end, row_base, quads, list_len_max, chunk, tiles_open, k }
        );
        assert_layout!(SOURCE, ProbeProgress { theta, a, margin, chunk, kept_len, list_len });
        assert_layout!(SOURCE, DeviceHit { place, dot, z, low });
        let score = super::super::score::tests::SOURCE;
        for name in ["ChunkParams", "ProbeProgress", "DeviceHit"] {
            assert_eq!(
                wgsl_struct(SOURCE, name),
                wgsl_struct(score, name),
                "{name} in both shaders"
            );
        }
        let module = naga::front::wgsl::parse_str(SOURCE).unwrap();
        let shared = module
            .global_variables
            .iter()
            .filter(|(_, variable)| variable.space == naga::AddressSpace::WorkGroup);
        let bytes: u32 =
            shared.map(|(_, variable)| module.types[variable.ty].inner.size(module.to_ctx())).sum();
        assert_eq!(bytes, WORKGROUP_BYTES);
    }

    #[test]
    fn theta_is_never_above_that_of_the_bound_however_the_difference_is_rounded() {
        let mut numbers = Numbers::new(8);
        for dimension in [16, 128, 515, 2_048] {
            for _ in 0..2_000 {
                let bound = ProbeBound::new(numbers.embedding(dimension).components());
                let part =
                    f32::from(i16::try_from(numbers.below(32_768)).unwrap()) / 16_384.0 - 1.0;
                let low = bound.a * 1.38 * part;
                let difference = (low - bound.margin()).next_up();
                assert!(difference <= bound.theta_of_low(low), "low {low} of {bound:?}");
                // And it isn't far below, either.
                assert!(
                    difference >= bound.theta_of_low(low) - bound.a * 2f32.powi(-20),
                    "low {low} of {bound:?}"
                );
            }
        }
    }

    /// What differs between the shader and its twin, over lists of many lengths.
    fn difference(source: &str) -> Option<String> {
        let device = shared()?;
        let pipeline = TopKPipeline::of(device.raw(), source);
        let mut numbers = Numbers::new(9);
        let list_len_max = 700;
        // Each probe's list_len, kept_len, theta, and whether it is in this chunk.
        let lens = [0, 1, 49, 50, 51, 256, 257, 600, 699, 700, 701, 4_000_000, u32::MAX, 300, 400];
        let kept = [0, 1, 49, 7, 0, 255, 50, 400, 699, 700, 700, 450, 3, 30, 300];
        let progress: Vec<_> = (0..lens.len())
            .map(|at| {
                // On this grid the difference is exact, so that both sides must agree to the bit.
                let theta = if at % 4 == 3 { 0.25 } else { THETA_OPEN };
                ProbeProgress {
                    theta,
                    a: 3.0,
                    margin: 0.125,
                    chunk: 5 + u32::from(at == 13),
                    kept_len: kept[at],
                    list_len: lens[at],
                }
            })
            .collect();
        for k in [1, 50, 256, 700] {
            let list: Vec<_> = (0..list_len_max * u32::try_from(lens.len()).unwrap())
                .map(|place| {
                    // Negative numbers, both zeros and many ties.
                    let mut part = |below: u64| {
                        f32::from(i16::try_from(numbers.below(below)).unwrap()) * 2f32.powi(-9)
                    };
                    let low = (part(1_024) - 1.0) * if place % 2 == 0 { 1.0 } else { -1.0 };
                    DeviceHit {
                        place,
                        dot: i32::try_from(place).unwrap() - 5_000,
                        z: low + part(256),
                        low,
                    }
                })
                .collect();
            let params = ChunkParams {
                row_first: 0,
                row_end: 0,
                row_base: 0,
                quads: 0,
                list_len_max,
                chunk: 5,
                tiles_open: 0,
                k,
            };
            let outputs = compute(
                &device,
                &[bytemuck::cast_slice(&progress), bytemuck::cast_slice(&list)],
                |gpu, buffers, pass| {
                    let shared = pipeline.group(
                        gpu.raw(),
                        &gpu.filled("params", &[params]),
                        &buffers[0],
                        &buffers[1],
                    );
                    pipeline.dispatch(pass, &shared, 0, u32::try_from(lens.len()).unwrap());
                },
            );
            let gpu_progress: Vec<ProbeProgress> = bytemuck::pod_collect_to_vec(&outputs[0]);
            let gpu_list: Vec<DeviceHit> = bytemuck::pod_collect_to_vec(&outputs[1]);
            let (mut twin_progress, mut twin_list) = (progress.clone(), list);
            twin(&params, &mut twin_progress, &mut twin_list);
            for (probe, (ours, theirs)) in twin_progress.iter().zip(&gpu_progress).enumerate() {
                if ours != theirs {
                    return Some(format!("k {k}, probe {probe}: {theirs:?}, the twin {ours:?}"));
                }
                let found = |list: &[DeviceHit]| {
                    let mut list =
                        list[probe * list_len_max as usize..][..ours.kept_len as usize].to_vec();
                    list.sort_by_key(|found| found.place);
                    list
                };
                // A probe of another chunk keeps its list as it is.
                if found(&gpu_list) != found(&twin_list) {
                    return Some(format!("k {k}, probe {probe}: another list"));
                }
            }
        }
        None
    }

    #[test]
    fn the_shader_does_what_its_twin_does() {
        assert_eq!(difference(SOURCE), None);
    }

    #[test]
    fn a_shader_that_errs_is_told_from_its_twin() {
        assert_errors_seen(
            SOURCE,
            difference,
            &[
                // Rows at theta are dropped.
                ("keep = found.z >= theta", "keep = found.z > theta"),
                // Compaction by k, or by the k-th low itself.
                ("keep = found.z >= theta", "keep = found.z >= theta && first + lane < params.k"),
                (" - progress[probe].margin", ""),
                ("rank = params.k;", "rank = params.k + 1u;"),
                // What a full list held of the chunk counts twice when it is scored again.
                ("select(list_len, before.z, overflowed)", "list_len"),
                ("select(params.chunk + 1u, params.chunk, overflowed)", "params.chunk + 1u"),
                // Theta falls.
                ("max(theta, low_of(", "max(-1e30, low_of("),
                ("if (before.x == 0u)", "if (before.x == 2u)"),
            ],
        );
    }
}
