//! The host's side of `shaders/top_k.wgsl`: after each chunk, thresholds rise and lists shrink.
//!
//! `margin` is 2 B and the rounding of one f32 subtraction, rounded up: |zk| and the result are below 2, where neighbours are at
//! most 2^-23 apart, so an error of 2^-22 covers it twice. That makes theta at most zk - 2 B, which `score` asks for.

use super::binding::{group, layout, pipeline, storage, uniform};

/// Lanes that share one probe's list.
const WORKGROUP: u32 = 256;

/// What holds for all probes of a pass.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, bytemuck::Pod, bytemuck::Zeroable)]
pub(super) struct TopKParams {
    pub(super) k: u32,
    pub(super) list_len_max: u32,
    pub(super) margin: f32,
}

/// The margin for the error bound `bound` of z.
pub(super) fn margin(bound: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "rounded up on the next line")]
    let near = (2.0 * bound + 2f64.powi(-22)) as f32;
    near.next_up()
}

/// The compiled shader with the layout of what it binds.
pub(super) struct TopKPipeline {
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

impl TopKPipeline {
    pub(super) fn new(device: &wgpu::Device) -> Self {
        let layout = layout(device, "top_k", &[uniform(0, false), storage(1, false), storage(2, false)]);
        let shader = wgpu::include_wgsl!("../../shaders/top_k.wgsl");
        Self { pipeline: pipeline(device, "top_k", shader, &[&layout], WORKGROUP), layout }
    }

    /// Binds what a pass needs.
    pub(super) fn group(
        &self,
        device: &wgpu::Device,
        params: &wgpu::Buffer,
        progress: &wgpu::Buffer,
        list: &wgpu::Buffer,
    ) -> wgpu::BindGroup {
        group(device, "top_k", &self.layout, &[params.as_entire_binding(), progress.as_entire_binding(), list.as_entire_binding()])
    }

    /// One workgroup for each probe.
    pub(super) fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>, shared: &wgpu::BindGroup, probes: u32) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, shared, &[]);
        pass.dispatch_workgroups(probes, 1, 1);
    }
}

/// What the shader does, on the processor; it sorts where the shader counts bits.
#[cfg(test)]
pub(super) fn twin(params: &TopKParams, progress: &mut [super::score::Progress], list: &mut [super::score::Found]) {
    for (probe, progress) in progress.iter_mut().enumerate() {
        let list_at = probe * params.list_len_max as usize;
        let list_len = progress.list_len as usize;
        if progress.list_len > params.list_len_max {
            *progress = super::score::Progress { theta: super::score::THETA_CLOSED, list_len: 0, overflowed: 1 };
            continue;
        }
        if progress.list_len < params.k {
            continue;
        }
        let list = &mut list[list_at..list_at + list_len];
        list.sort_by(|a, b| b.z.total_cmp(&a.z));
        let theta = list[params.k as usize - 1].z - params.margin;
        let kept = list.iter().filter(|found| found.z >= theta).count();
        progress.theta = theta;
        progress.list_len = u32::try_from(kept).unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::super::gpu::tests::{compute, shared};
    use super::super::score::tests::assert_layout;
    use super::super::score::{Found, Progress};
    use super::super::tests::Numbers;
    use super::*;

    const SOURCE: &str = include_str!("../../shaders/top_k.wgsl");

    #[test]
    fn the_shader_and_the_host_agree_on_every_struct() {
        assert_layout!(SOURCE, TopKParams { k, list_len_max, margin });
        assert_layout!(SOURCE, Progress { theta, list_len, overflowed });
        assert_layout!(SOURCE, Found { row, z });
    }

    #[test]
    fn the_margin_is_more_than_twice_the_bound() {
        for bound in [0.0, 2f64.powi(-19), 1.5e-5, 2.4e-4] {
            assert!(f64::from(margin(bound)) > 2.0 * bound + 2f64.powi(-22));
        }
    }

    #[test]
    fn the_shader_does_what_its_twin_does() {
        let Some(device) = shared() else { return };
        let mut numbers = Numbers::new(9);
        let list_len_max = 700;
        let lens = [0, 1, 49, 50, 51, 256, 257, 600, 699, 700, 701, 4_000_000];
        for k in [1, 50, 256, 700] {
            // On this grid the subtraction is exact, so that both sides must agree to the bit.
            let params = TopKParams { k, list_len_max, margin: 0.125 };
            let progress: Vec<_> = lens.iter().map(|&list_len| Progress { theta: -4.0, list_len, overflowed: 0 }).collect();
            let list: Vec<_> = (0..700 * u32::try_from(lens.len()).unwrap())
                // Negative numbers, both zeros and many ties.
                .map(|row| Found {
                    row,
                    z: f32::from(i16::try_from(numbers.below(1_024)).unwrap() - 512)
                        * 2f32.powi(-9)
                        * if row % 2 == 0 { 1.0 } else { -1.0 },
                })
                .collect();
            let outputs = compute(&device, &[bytemuck::cast_slice(&progress), bytemuck::cast_slice(&list)], |gpu, buffers, pass| {
                let params = gpu.filled("params", &[params]);
                let shared = gpu.top_k().group(gpu.raw(), &params, &buffers[0], &buffers[1]);
                gpu.top_k().dispatch(pass, &shared, u32::try_from(lens.len()).unwrap());
            });
            let gpu_progress: Vec<Progress> = bytemuck::pod_collect_to_vec(&outputs[0]);
            let gpu_list: Vec<Found> = bytemuck::pod_collect_to_vec(&outputs[1]);
            let (mut twin_progress, mut twin_list) = (progress, list);
            twin(&params, &mut twin_progress, &mut twin_list);
            assert_eq!(gpu_progress, twin_progress);
            for (probe, progress) in twin_progress.iter().enumerate() {
                let place = probe * 700..probe * 700 + progress.list_len as usize;
                let rows = |list: &[Found]| {
                    let mut rows: Vec<_> = list[place.clone()].iter().map(|found| (found.row, found.z.to_bits())).collect();
                    rows.sort_unstable();
                    rows
                };
                assert_eq!(rows(&gpu_list), rows(&twin_list));
            }
        }
    }
}
