//! Model manifests: one TOML file a model, which says what the model is, where its file comes from
//! and how it is fed.
//!
//! Of each role exactly one model is active: the only one there is, or the one that says `active =
//! true`.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::ModelError;
use super::package_list::{Package, plain_name};
use super::quality::QualityBounds;
use crate::ids::Digest;
use crate::limits::{DIMENSION_MAX, DIMENSION_MIN, MANIFEST_BYTES_MAX, MODEL_SIDE_PX_MAX};

/// The role of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelRole {
    /// Finds faces and their five landmarks.
    Detector,
    /// Makes an embedding of an aligned face.
    Embedder,
}

impl ModelRole {
    fn name(self) -> &'static str {
        match self {
            Self::Detector => "detector",
            Self::Embedder => "embedder",
        }
    }
}

/// The order of the colour planes that a model wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Colours {
    /// Blue first.
    Bgr,
    /// Red first.
    Rgb,
}

/// The preparation that makes the packaged file the model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prepare {
    /// Nothing.
    None,
    /// Quantised weights become f32 weights, exactly.
    Dequantise,
}

/// The manifest of one model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub role: ModelRole,
    /// The name that people know it by.
    pub name: String,
    /// Chosen among several of its role.
    #[serde(default)]
    pub active: bool,
    /// The model file, beside the manifest.
    pub file: String,
    /// Digest of the model file.
    pub sha256: Digest,
    /// How the packaged file becomes the model file.
    pub prepare: Prepare,
    /// The licence of the weights.
    pub licence: String,
    /// Width and height of the input; a detector's largest.
    pub input: [u32; 2],
    pub colours: Colours,
    /// Taken from each value of 0 to 255 before it is scaled.
    #[serde(default)]
    pub pixel_offset: f32,
    /// Multiplied with each value after the offset is taken.
    #[serde(default = "one")]
    pub pixel_scale: f32,
    /// Components of an embedding; embedders only.
    pub dimension: Option<usize>,
    /// Whether the embedding of the mirrored crop is added; embedders only.
    #[serde(default)]
    pub mirror: bool,
    /// Who made the model, of what.
    pub provenance: String,
    /// What is known not to hold.
    pub known_limits: Vec<String>,
    /// From where on measures of a probe are low or poor with this model; embedders only. Says
    /// nothing about embeddings.
    #[serde(default)]
    pub quality: QualityBounds,
    /// The package that has it; without one the file is put there by hand.
    pub package: Option<Package>,
}

impl Manifest {
    /// Reads all manifests of `dir` in the order of their file names.
    ///
    /// Errors: an unreadable folder or file, a field that is missing, unknown or doesn't fit.
    pub fn read_all(dir: &Path) -> Result<Vec<Self>, ModelError> {
        let io = |source| ModelError::Io { path: dir.to_owned(), source };
        let mut paths: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(dir).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.extension().is_some_and(|e| e == "toml") {
                paths.push(path);
            }
        }
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    /// Reads one manifest.
    ///
    /// Errors: as `read_all`.
    pub fn read(path: &Path) -> Result<Self, ModelError> {
        let io = |source| ModelError::Io { path: path.to_owned(), source };
        let bytes = fs::metadata(path).map_err(io)?.len();
        if bytes > MANIFEST_BYTES_MAX {
            return Err(ModelError::Size {
                path: path.to_owned(),
                found: bytes,
                most: MANIFEST_BYTES_MAX,
            });
        }
        let text = fs::read_to_string(path).map_err(io)?;
        let manifest: Self = toml::from_str(&text).map_err(|source| ModelError::Manifest {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        manifest.fits().map_err(|reason| ModelError::Field { path: path.to_owned(), reason })?;
        Ok(manifest)
    }

    /// The active model of `role`.
    ///
    /// Errors: none of the role, or several of which not exactly one is active.
    pub fn active(manifests: &[Self], role: ModelRole) -> Result<&Self, ModelError> {
        let of_role: Vec<&Self> = manifests.iter().filter(|m| m.role == role).collect();
        let chosen: Vec<&Self> = of_role.iter().copied().filter(|m| m.active).collect();
        match (&of_role[..], &chosen[..]) {
            ([], _) => Err(ModelError::NoModel { role: role.name() }),
            ([only], _) | (_, [only]) => Ok(only),
            _ => Err(ModelError::SeveralModels {
                role: role.name(),
                found: of_role.len(),
                active: chosen.len(),
            }),
        }
    }

    fn fits(&self) -> Result<(), String> {
        plain_name(&self.file).map_err(|e| e.to_string())?;
        match (self.role, self.dimension) {
            (ModelRole::Embedder, Some(d)) if (DIMENSION_MIN..=DIMENSION_MAX).contains(&d) => {}
            (ModelRole::Embedder, found) => {
                return Err(format!(
                    "dimension is {found:?}, an embedder has {DIMENSION_MIN} to {DIMENSION_MAX}"
                ));
            }
            (ModelRole::Detector, None) if !self.mirror && self.quality.is_empty() => {}
            (ModelRole::Detector, _) => {
                return Err("dimension, mirror and quality are for embedders, this is a detector"
                    .to_owned());
            }
        }
        for (measure, bounds) in &self.quality {
            if let Some(flaw) = bounds.flaw() {
                return Err(format!("the quality bounds of {measure:?} are {flaw}"));
            }
        }
        if self.input.iter().any(|&side| side == 0 || side > MODEL_SIDE_PX_MAX) {
            return Err(format!(
                "input is {:?}, wanted two sides of 1 to {MODEL_SIDE_PX_MAX} px",
                self.input
            ));
        }
        if self.role == ModelRole::Embedder && self.input[0] != self.input[1] {
            return Err(format!("input is {:?}, an aligned face is square", self.input));
        }
        if !self.pixel_offset.is_finite() || !self.pixel_scale.is_normal() {
            return Err(format!(
                "pixel_offset {} and pixel_scale {} aren't usable numbers",
                self.pixel_offset, self.pixel_scale
            ));
        }
        match &self.package {
            Some(package) if package.members.len() != 1 => {
                Err(format!("the package names {} members, a model is one", package.members.len()))
            }
            None if self.prepare != Prepare::None => {
                Err("a file put there by hand is used as it is: prepare = \"none\"".to_owned())
            }
            _ => Ok(()),
        }
    }
}

fn one() -> f32 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(extra: &str) -> String {
        format!(
            "role = \"embedder\"\nname = \"a\"\nfile = \"a.onnx\"\nsha256 = \"{}\"\nprepare \
             = \"none\"\nlicence = \"own\"\n\
             input = [112, 112]\ncolours = \"rgb\"\ndimension = 128\nprovenance \
             = \"own\"\nknown_limits = []\n{extra}",
            "0".repeat(64)
        )
    }

    fn read(texts: &[String]) -> Result<Vec<Manifest>, ModelError> {
        let dir = tempfile::tempdir().unwrap();
        for (at, text) in texts.iter().enumerate() {
            fs::write(dir.path().join(format!("{at}.toml")), text).unwrap();
        }
        Manifest::read_all(dir.path())
    }

    #[test]
    fn the_only_model_of_a_role_is_active_and_of_several_the_one_that_says_so() {
        let only = read(&[manifest("")]).unwrap();
        assert_eq!(Manifest::active(&only, ModelRole::Embedder).unwrap().name, "a");
        assert!(matches!(
            Manifest::active(&only, ModelRole::Detector),
            Err(ModelError::NoModel { role: "detector" })
        ));
        let two =
            read(&[manifest(""), manifest("active = true").replace("\"a\"", "\"b\"")]).unwrap();
        assert_eq!(Manifest::active(&two, ModelRole::Embedder).unwrap().name, "b");
        for wrong in
            [[manifest(""), manifest("")], [manifest("active = true"), manifest("active = true")]]
        {
            let found = read(&wrong).unwrap();
            assert!(matches!(
                Manifest::active(&found, ModelRole::Embedder),
                Err(ModelError::SeveralModels { found: 2, .. })
            ));
        }
    }

    #[test]
    fn a_manifest_that_says_too_little_too_much_or_nonsense_is_refused_by_name() {
        for (wrong, says) in [
            (manifest("colour = \"red\""), "unknown field"),
            (manifest("").replace("dimension = 128\n", ""), "dimension is None"),
            (manifest("").replace("dimension = 128", "dimension = 4"), "dimension is Some(4)"),
            (manifest("").replace("a.onnx", "../a.onnx"), "../a.onnx"),
            (manifest("").replace("[112, 112]", "[112, 96]"), "square"),
            (manifest("").replace("\"none\"", "\"dequantise\""), "by hand"),
            (manifest("").replace("\"embedder\"", "\"detector\""), "for embedders"),
            (manifest("pixel_scale = 0.0"), "pixel_scale 0"),
            (manifest("").replace(&"0".repeat(64), "00ff"), "SHA-256"),
            (manifest("quality.embedding_length = {}"), "EmbeddingLength"),
            (
                manifest("quality.sharpness = { low_below = 1.0, poor_below = 2.0 }"),
                "poor_below <= low_below",
            ),
            (manifest("quality.beauty = { low_below = 1.0 }"), "beauty"),
        ] {
            let error = read(&[wrong]).unwrap_err();
            let said = format!(
                "{error} {}",
                std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default()
            );
            assert!(said.contains(says), "{said}");
        }
    }
}
