//! The GPU device: one Vulkan device with the compiled shaders, shared by any number of galleries.
//!
//! The invariant: a device that failed once, in whatever way, is lost. What it holds can't be told
//! from then on, so every later call answers `GalleryError::DeviceLost` with the first reason, and
//! nothing here panics.

use super::error::{EngineChoice, GalleryError};
use super::score::{self, ScorePipeline};
use super::top_k::{self, TopKPipeline};
use crate::limits::{PASS_SECONDS_MAX, PROBES_PER_PASS_MAX, SEGMENT_BYTES_MAX};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock, mpsc};
use std::time::Duration;

/// An open GPU device.
pub struct GpuDevice {
    device: wgpu::Device,
    queue: wgpu::Queue,
    name: String,
    /// Why the device is lost, once it is.
    lost: Arc<OnceLock<String>>,
    score: ScorePipeline,
    top_k: TopKPipeline,
}

impl GpuDevice {
    /// The device that `choice` means with its shaders compiled, none of which has run yet; see
    /// `open`.
    pub(super) fn compiled(choice: EngineChoice) -> Result<Option<Arc<Self>>, GalleryError> {
        if choice == EngineChoice::Cpu {
            return Ok(None);
        }
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::VULKAN;
        descriptor.flags = wgpu::InstanceFlags::empty();
        let adapters = pollster::block_on(
            wgpu::Instance::new(descriptor).enumerate_adapters(wgpu::Backends::VULKAN),
        );
        let best =
            adapters.into_iter().min_by_key(|adapter| preference(adapter.get_info().device_type));
        match best {
            Some(adapter)
                if choice == EngineChoice::Gpu
                    || adapter.get_info().device_type != wgpu::DeviceType::Cpu =>
            {
                Ok(Some(Arc::new(Self::of(&adapter)?)))
            }
            None if choice == EngineChoice::Gpu => Err(GalleryError::NoAdapter),
            _ => Ok(None),
        }
    }

    fn of(adapter: &wgpu::Adapter) -> Result<Self, GalleryError> {
        let info = adapter.get_info();
        let name = format!("{} ({} {})", info.name, info.driver, info.driver_info);
        // What every WebGPU device has, or less where this one has less, and of memory as much as
        // it gives in one piece.
        let found = adapter.limits();
        let required_limits = wgpu::Limits {
            max_storage_buffer_binding_size: found.max_storage_buffer_binding_size,
            max_buffer_size: found.max_buffer_size,
            ..wgpu::Limits::default().or_worse_values_from(&found)
        };
        if let Some(lack) = lack(&required_limits) {
            return Err(GalleryError::DeviceLost { reason: format!("{name} has {lack}") });
        }
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("gallery"),
            required_limits,
            ..Default::default()
        }))
        .map_err(|error| GalleryError::DeviceLost {
            reason: format!("{name} can't be opened: {error}"),
        })?;
        let lost = Arc::new(OnceLock::new());
        device.on_uncaptured_error(Arc::new({
            let lost = Arc::clone(&lost);
            move |error: wgpu::Error| drop(lost.set(error.to_string()))
        }));
        device.set_device_lost_callback({
            let lost = Arc::clone(&lost);
            move |reason, message| drop(lost.set(format!("{reason:?}: {message}")))
        });
        let (score, top_k) = (ScorePipeline::new(&device), TopKPipeline::new(&device));
        let device = Self { device, queue, name, lost, score, top_k };
        device.check()?;
        Ok(device)
    }

    /// The adapter's name and driver.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Fails once the device is lost.
    pub(super) fn check(&self) -> Result<(), GalleryError> {
        match self.lost.get() {
            None => Ok(()),
            Some(reason) => Err(GalleryError::DeviceLost { reason: reason.clone() }),
        }
    }

    /// Waits until the device has done all that it was given.
    pub(super) fn wait(&self) -> Result<(), GalleryError> {
        self.check()?;
        let wait = wgpu::PollType::Wait {
            submission_index: None,
            timeout: Some(Duration::from_secs(PASS_SECONDS_MAX)),
        };
        // The library panics where the driver reports the loss to a waiting caller; for us that is
        // one more way of losing it.
        match catch_unwind(AssertUnwindSafe(|| self.device.poll(wait))) {
            Ok(Ok(_)) => self.check(),
            Ok(Err(error)) => self.lose(format!("no answer within {PASS_SECONDS_MAX} s: {error}")),
            Err(_) => self.lose("the driver reported a loss while it was waited for".to_owned()),
        }
    }

    /// The bytes of a buffer that can be mapped, after all that was submitted.
    pub(super) fn read(&self, buffer: &wgpu::Buffer, bytes: u64) -> Result<Vec<u8>, GalleryError> {
        self.check()?;
        let (sender, receiver) = mpsc::channel();
        buffer
            .slice(..bytes)
            .map_async(wgpu::MapMode::Read, move |result| drop(sender.send(result)));
        self.wait()?;
        // Where galleries share the device, another one's waiting may have taken the message and be
        // about to pass it on.
        match receiver.recv_timeout(Duration::from_secs(PASS_SECONDS_MAX)) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return self.lose(format!("a buffer can't be mapped: {error}")),
            Err(error) => return self.lose(format!("a buffer was not mapped: {error}")),
        }
        let view = match buffer.slice(..bytes).get_mapped_range() {
            Ok(view) => view,
            Err(error) => return self.lose(format!("a mapped buffer can't be read: {error}")),
        };
        let read = view.to_vec();
        drop(view);
        buffer.unmap();
        Ok(read)
    }

    /// A new buffer of zeros.
    pub(super) fn buffer(
        &self,
        label: &str,
        bytes: u64,
        usage: wgpu::BufferUsages,
    ) -> wgpu::Buffer {
        let usage = usage | wgpu::BufferUsages::COPY_DST;
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes,
            usage,
            mapped_at_creation: false,
        })
    }

    /// Bytes that one segment's rows may take here.
    pub(super) fn segment_bytes_max(&self) -> u64 {
        let limits = self.device.limits();
        SEGMENT_BYTES_MAX.min(limits.max_storage_buffer_binding_size).min(limits.max_buffer_size)
    }

    /// Workgroups that one dispatch may have along one side.
    pub(super) fn workgroups_max(&self) -> u32 {
        self.device.limits().max_compute_workgroups_per_dimension
    }

    /// Bytes between two uniforms bound at dynamic offsets.
    pub(super) fn uniform_stride(&self) -> u32 {
        self.device.limits().min_uniform_buffer_offset_alignment
    }

    pub(super) fn raw(&self) -> &wgpu::Device {
        &self.device
    }

    pub(super) fn queue(&self) -> &wgpu::Queue {
        &self.queue
    }

    pub(super) fn score(&self) -> &ScorePipeline {
        &self.score
    }

    pub(super) fn top_k(&self) -> &TopKPipeline {
        &self.top_k
    }

    fn lose<T>(&self, reason: String) -> Result<T, GalleryError> {
        // The first reason stays: later ones follow from it.
        Err(GalleryError::DeviceLost { reason: self.lost.get_or_init(|| reason).clone() })
    }
}

/// What a device with these limits has too little of, if anything, as found and wanted.
fn lack(limits: &wgpu::Limits) -> Option<String> {
    // One workgroup for each probe of a pass.
    let workgroups = u32::try_from(PROBES_PER_PASS_MAX).expect("probes are few");
    [
        (
            "storage buffers a stage",
            limits.max_storage_buffers_per_shader_stage,
            score::STORAGE_BUFFERS,
        ),
        (
            "bytes of a workgroup's memory",
            limits.max_compute_workgroup_storage_size,
            top_k::WORKGROUP_BYTES,
        ),
        ("invocations a workgroup", limits.max_compute_invocations_per_workgroup, score::WORKGROUP),
        ("invocations along x", limits.max_compute_workgroup_size_x, score::WORKGROUP),
        ("workgroups a side", limits.max_compute_workgroups_per_dimension, workgroups),
    ]
    .into_iter()
    .find(|(_, found, wanted)| found < wanted)
    .map(|(what, found, wanted)| format!("{found} {what}, wanted {wanted}"))
}

/// The lower, the better.
fn preference(found: wgpu::DeviceType) -> u8 {
    match found {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::gallery::Gallery;
    use crate::gallery::tests::Numbers;
    use std::io::Write;

    /// The one device of all tests; where there is none, says so and lets the caller leave, or
    /// fails if `REQUIRE_GPU` is set.
    pub(in super::super) fn shared() -> Option<Arc<GpuDevice>> {
        static SHARED: OnceLock<Option<Arc<GpuDevice>>> = OnceLock::new();
        SHARED.get_or_init(opened).clone()
    }

    /// A device of the test's own; none where there is none, as `shared`.
    pub(in super::super) fn opened() -> Option<Arc<GpuDevice>> {
        match GpuDevice::open(EngineChoice::Gpu) {
            Err(GalleryError::NoAdapter) if std::env::var_os("REQUIRE_GPU").is_none() => {
                // Written past the test harness, which shows nothing of a test that passes.
                writeln!(std::io::stderr(), "no Vulkan adapter: GPU checks were NOT run").unwrap();
                None
            }
            other => other.expect("REQUIRE_GPU is set or an adapter is there, so it must open"),
        }
    }

    impl GpuDevice {
        /// A buffer with these values, for any use.
        pub(in super::super) fn filled<T: bytemuck::NoUninit>(
            &self,
            label: &str,
            values: &[T],
        ) -> wgpu::Buffer {
            let bytes: &[u8] = bytemuck::cast_slice(values);
            let usage = wgpu::BufferUsages::STORAGE
                | wgpu::BufferUsages::UNIFORM
                | wgpu::BufferUsages::COPY_SRC;
            let buffer = self.buffer(label, bytes.len() as u64, usage);
            self.queue.write_buffer(&buffer, 0, bytes);
            buffer
        }
    }

    /// Fills buffers, runs one compute pass and gives the buffers' bytes after it.
    pub(in super::super) fn compute(
        device: &GpuDevice,
        inputs: &[&[u8]],
        record: impl FnOnce(&GpuDevice, &[wgpu::Buffer], &mut wgpu::ComputePass<'_>),
    ) -> Vec<Vec<u8>> {
        let buffers: Vec<_> = inputs.iter().map(|bytes| device.filled("test", bytes)).collect();
        let mut encoder = device
            .raw()
            .create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("test") });
        record(
            device,
            &buffers,
            &mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()),
        );
        let mapped: Vec<_> = buffers
            .iter()
            .map(|buffer| {
                let mapped =
                    device.buffer("test result", buffer.size(), wgpu::BufferUsages::MAP_READ);
                encoder.copy_buffer_to_buffer(buffer, 0, &mapped, 0, buffer.size());
                mapped
            })
            .collect();
        device.queue().submit([encoder.finish()]);
        mapped.iter().map(|mapped| device.read(mapped, mapped.size()).unwrap()).collect()
    }

    #[test]
    fn a_lost_device_fails_every_later_call_the_same_way() {
        let Some(device) = opened() else { return };
        let mut numbers = Numbers::new(1);
        let embeddings: Vec<_> = (0..70).map(|_| numbers.embedding(24)).collect();
        let mut gallery = Gallery::on(Some(Arc::clone(&device)), 24).unwrap();
        for embedding in &embeddings {
            gallery.append(embedding).unwrap();
        }
        assert_eq!(gallery.search(&embeddings[..1], 1).unwrap()[0][0].row, 0);
        device.raw().destroy();
        let first = gallery.search(&embeddings[..1], 1).unwrap_err();
        assert!(matches!(first, GalleryError::DeviceLost { .. }), "{first}");
        assert_eq!(gallery.append(&embeddings[0]), Err(first.clone()));
        assert_eq!(gallery.mask(0), Err(first.clone()));
        assert_eq!(gallery.unmask(0), Err(first.clone()));
        assert_eq!(gallery.zero(0), Err(first.clone()));
        assert_eq!(gallery.search(&embeddings[..1], 1), Err(first.clone()));
        assert_eq!(Gallery::on(Some(device), 24).err(), Some(first));
    }

    #[test]
    fn what_the_device_refuses_is_a_loss_and_no_panic() {
        let Some(device) = opened() else { return };
        device.buffer("more than there is", u64::MAX / 8 * 4, wgpu::BufferUsages::STORAGE);
        let lost = device.check().unwrap_err();
        assert!(matches!(lost, GalleryError::DeviceLost { .. }), "{lost}");
        assert_eq!(device.wait(), Err(lost));
    }

    #[test]
    fn a_device_with_too_little_is_refused_by_what_it_lacks() {
        let enough = wgpu::Limits::default();
        assert_eq!(lack(&enough), None);
        let few = wgpu::Limits { max_storage_buffers_per_shader_stage: 3, ..enough.clone() };
        assert_eq!(lack(&few).unwrap(), "3 storage buffers a stage, wanted 4");
        let small = wgpu::Limits { max_compute_workgroup_storage_size: 1_000, ..enough.clone() };
        assert!(lack(&small).unwrap().starts_with("1000 bytes of a workgroup's memory, wanted "));
        let narrow = wgpu::Limits { max_compute_invocations_per_workgroup: 63, ..enough };
        assert_eq!(lack(&narrow).unwrap(), "63 invocations a workgroup, wanted 64");
    }

    #[test]
    fn a_choice_of_cpu_opens_no_device() {
        assert!(GpuDevice::open(EngineChoice::Cpu).unwrap().is_none());
    }
}
