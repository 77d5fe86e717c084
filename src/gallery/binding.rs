//! Bindings and pipelines: the helpers that both shaders' host files share.

/// A storage buffer at a binding.
pub(super) fn storage(binding: u32, read_only: bool) -> wgpu::BindGroupLayoutEntry {
    entry(binding, wgpu::BufferBindingType::Storage { read_only }, false)
}

/// A uniform buffer at a binding, at an offset given with each dispatch or not.
pub(super) fn uniform(binding: u32, has_dynamic_offset: bool) -> wgpu::BindGroupLayoutEntry {
    entry(binding, wgpu::BufferBindingType::Uniform, has_dynamic_offset)
}

fn entry(
    binding: u32,
    ty: wgpu::BufferBindingType,
    has_dynamic_offset: bool,
) -> wgpu::BindGroupLayoutEntry {
    let ty = wgpu::BindingType::Buffer { ty, has_dynamic_offset, min_binding_size: None };
    wgpu::BindGroupLayoutEntry { binding, visibility: wgpu::ShaderStages::COMPUTE, ty, count: None }
}

/// A layout of bindings under its name.
pub(super) fn layout(
    device: &wgpu::Device,
    label: &str,
    entries: &[wgpu::BindGroupLayoutEntry],
) -> wgpu::BindGroupLayout {
    device
        .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries })
}

/// Resources bound in the order of their numbers.
pub(super) fn group(
    device: &wgpu::Device,
    label: &str,
    layout: &wgpu::BindGroupLayout,
    bindings: &[wgpu::BindingResource<'_>],
) -> wgpu::BindGroup {
    let entries: Vec<_> = (0..)
        .zip(bindings)
        .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource: resource.clone() })
        .collect();
    device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some(label),
        layout,
        entries: &entries,
    })
}

/// Compiles the entry point `label` of a shader for workgroups of the given size.
pub(super) fn pipeline(
    device: &wgpu::Device,
    label: &str,
    source: &str,
    layouts: &[&wgpu::BindGroupLayout],
    workgroup: u32,
) -> wgpu::ComputePipeline {
    let source = wgpu::ShaderSource::Wgsl(source.into());
    let module =
        device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some(label), source });
    let bind_group_layouts: Vec<_> = layouts.iter().map(|&layout| Some(layout)).collect();
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(label),
        bind_group_layouts: &bind_group_layouts,
        immediate_size: 0,
    });
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(label),
        layout: Some(&layout),
        module: &module,
        entry_point: Some(label),
        compilation_options: wgpu::PipelineCompilationOptions {
            constants: &[("WORKGROUP", f64::from(workgroup))],
            // The shaders write what they read of a workgroup's memory.
            zero_initialize_workgroup_memory: false,
        },
        cache: None,
    })
}
