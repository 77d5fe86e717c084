//! Model inference: model files and the engine that runs them, tract, which only this file calls.
//!
//! A file's digest is checked before the engine reads a byte of it. A network is compiled once for
//! one input shape, and its output shapes are checked then; running it can't change them.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use prost::Message;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::{
    DatumExt, Framework, InferenceModelExt, IntoRunnable, Tensor, TractResult, TypedRunnableModel,
    tvec,
};

use super::error::ModelError;
use super::manifest::{Colours, Manifest};
use crate::ids::Digest;
use crate::limits::MODEL_BYTES_MAX;

/// The bytes of a model file whose digest is the manifest's.
///
/// Errors: `Absent`, `Size`, `Digest`, `Io`.
pub(super) fn read_model(dir: &Path, manifest: &Manifest) -> Result<Vec<u8>, ModelError> {
    let path = dir.join(&manifest.file);
    let size = match fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(ModelError::Absent { path });
        }
        Err(source) => return Err(ModelError::Io { path, source }),
    };
    if size > MODEL_BYTES_MAX {
        return Err(ModelError::Size { path, found: size, most: MODEL_BYTES_MAX });
    }
    let bytes = fs::read(&path).map_err(|source| ModelError::Io { path: path.clone(), source })?;
    let found = Digest::of(&bytes);
    if found == manifest.sha256 {
        Ok(bytes)
    } else {
        Err(ModelError::Digest { path, found, wanted: manifest.sha256 })
    }
}

/// A model file's graph, read once and compiled for as many input shapes as needed.
pub(super) struct Graph {
    name: String,
    proto: ModelProto,
}

/// A graph compiled for one input shape.
pub(super) struct Network {
    name: String,
    plan: Arc<TypedRunnableModel>,
    width: usize,
    height: usize,
    outputs: Vec<String>,
}

/// The scaling of pixels to the numbers that a model wants.
#[derive(Clone, Copy, Debug)]
pub(super) struct PixelScale {
    colours: Colours,
    offset: f32,
    scale: f32,
}

impl Graph {
    /// Parses a model file.
    pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Self, ModelError> {
        let proto =
            ModelProto::decode(bytes).map_err(|e| ModelError::Format { source: Box::new(e) })?;
        Ok(Self { name: name.to_owned(), proto })
    }

    /// Compiles for photos of `width` x `height`; `wanted` names outputs and their shapes, in any
    /// order.
    pub(super) fn compile(
        &self,
        width: u32,
        height: u32,
        wanted: &[(String, Vec<usize>)],
    ) -> Result<Network, ModelError> {
        let (width, height) = (width as usize, height as usize);
        let engine = |e: tract_onnx::prelude::TractError| ModelError::Engine {
            name: self.name.clone(),
            source: e.into(),
        };
        let plan = self.plan(width, height).map_err(engine)?;
        let inputs = plan.model().inputs.len();
        if inputs != 1 {
            return Err(ModelError::Shape {
                name: self.name.clone(),
                found: format!("{inputs} inputs"),
                wanted: "one".to_owned(),
            });
        }
        let names: Vec<String> =
            self.proto.graph.iter().flat_map(|g| &g.output).map(|o| o.name.clone()).collect();
        let mut found = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let shape = plan
                .model()
                .output_fact(at)
                .map_err(engine)?
                .shape
                .as_concrete()
                .map(<[usize]>::to_vec)
                .unwrap_or_default();
            found.push((name.clone(), shape));
        }
        // A single output may have any name.
        let fits = match (&found[..], wanted) {
            ([(_, found)], [(_, wanted)]) => found == wanted,
            _ => wanted.iter().all(|w| found.contains(w)),
        };
        if !fits {
            return Err(ModelError::Shape {
                name: self.name.clone(),
                found: listed(&found),
                wanted: listed(wanted),
            });
        }
        Ok(Network { name: self.name.clone(), plan, width, height, outputs: names })
    }

    fn plan(&self, width: usize, height: usize) -> TractResult<Arc<TypedRunnableModel>> {
        // Declared output shapes belong to the input shape that the file was made for.
        tract_onnx::onnx()
            .with_ignore_output_shapes(true)
            .with_ignore_value_info(true)
            .model_for_proto_model(&self.proto)?
            .with_input_fact(0, f32::fact([1, 3, height, width]).into())?
            .into_optimized()?
            .into_runnable()
    }
}

impl Network {
    /// The model's outputs, each flat, in the order of its file.
    ///
    /// Shapes: `planes` is 3 x height x width as `PixelScale::planes` gives it.
    pub(super) fn run(&self, planes: &[f32]) -> Result<Outputs<'_>, ModelError> {
        let engine = |e: tract_onnx::prelude::TractError| ModelError::Engine {
            name: self.name.clone(),
            source: e.into(),
        };
        let input = Tensor::from_shape(&[1, 3, self.height, self.width], planes).map_err(engine)?;
        let mut values = Vec::new();
        for output in self.plan.run(tvec!(input.into())).map_err(engine)? {
            values.push(
                output
                    .try_as_plain_ram()
                    .and_then(|v| Ok(v.as_slice::<f32>()?.to_vec()))
                    .map_err(engine)?,
            );
        }
        Ok(Outputs { names: &self.outputs, values })
    }
}

/// The outputs of a network.
pub(super) struct Outputs<'a> {
    names: &'a [String],
    values: Vec<Vec<f32>>,
}

impl Outputs<'_> {
    /// The output of this name.
    pub(super) fn named(&self, name: &str) -> &[f32] {
        let at = self
            .names
            .iter()
            .position(|n| n == name)
            .expect("compiling checked that the outputs are there");
        &self.values[at]
    }

    /// The only output.
    pub(super) fn only(self) -> Vec<f32> {
        self.values.into_iter().next().expect("compiling checked that there is an output")
    }
}

impl PixelScale {
    pub(super) fn of(manifest: &Manifest) -> Self {
        Self {
            colours: manifest.colours,
            offset: manifest.pixel_offset,
            scale: manifest.pixel_scale,
        }
    }

    /// Interleaved RGB of 0 to 255 to the planes that the model wants.
    ///
    /// Shapes: `rgb` is n pixels of 3; the result is 3 planes of n.
    pub(super) fn planes(self, rgb: &[f32]) -> Vec<f32> {
        let (pixels, _) = rgb.as_chunks::<3>();
        let order = match self.colours {
            Colours::Rgb => [0, 1, 2],
            Colours::Bgr => [2, 1, 0],
        };
        order
            .into_iter()
            .flat_map(|c| pixels.iter().map(move |p| (p[c] - self.offset) * self.scale))
            .collect()
    }
}

fn listed(outputs: &[(String, Vec<usize>)]) -> String {
    let each: Vec<String> =
        outputs.iter().map(|(name, shape)| format!("{name} {shape:?}")).collect();
    format!("the outputs {}", each.join(", "))
}
