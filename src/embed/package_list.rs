//! Package lists: which files of which published packages are wanted, each named by its digest.

use serde::Deserialize;

use super::error::PackageError;
use crate::ids::Digest;

/// The form of a package's archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageKind {
    /// A built package, a zip file.
    Wheel,
    /// A source package, a gzipped tar file. The client runs the package's own build script to
    /// learn its name, in a build environment that it fetches for that; it has checked the
    /// package's digest before. So name only packages that are trusted to run.
    Sdist,
}

/// A published package, with the files that are wanted of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Its name in the registry.
    pub name: String,
    pub version: String,
    pub kind: PackageKind,
    /// Digest of the archive.
    pub sha256: Digest,
    /// Platforms of a wheel that is built for some, in the registry's words.
    #[serde(default)]
    pub platforms: Vec<String>,
    /// Python version of such a wheel, as in `311`.
    #[serde(default)]
    pub python: Option<String>,
    /// Where it comes from and under which terms.
    #[serde(default)]
    pub licence: Option<String>,
    pub members: Vec<PackageMember>,
}

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageMember {
    /// Path inside the archive.
    pub path: String,
    /// Digest of the file.
    pub sha256: Digest,
    /// Name that it gets; without one it keeps its own.
    #[serde(default, rename = "as")]
    pub rename: Option<String>,
    /// Who is shown, where it is a photo.
    #[serde(default)]
    pub subject: Option<String>,
}

/// Parses a list of packages, `[[package]]` tables each with their `[[package.members]]`.
///
/// Errors: a field that is missing, unknown or doesn't fit.
pub fn packages(list: &str) -> Result<Vec<Package>, PackageError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct List {
        package: Vec<Package>,
    }
    toml::from_str::<List>(list)
        .map(|l| l.package)
        .map_err(|e| PackageError::List { source: Box::new(e) })
}

/// Checks a name: gives `found` when it is a name that can't leave its folder, hide or be taken for
/// an option.
pub(super) fn plain_name(found: &str) -> Result<&str, PackageError> {
    let fits = found.starts_with(|c: char| c.is_ascii_alphanumeric())
        && found.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-'));
    if fits { Ok(found) } else { Err(PackageError::Name { found: found.to_owned() }) }
}

impl Package {
    pub(super) fn name_and_version(&self) -> String {
        format!("{} {}", self.name, self.version)
    }
}

impl PackageMember {
    /// The name that the file gets.
    ///
    /// Errors: it is no plain name.
    pub fn name(&self) -> Result<String, PackageError> {
        let own = self.path.rsplit('/').next().unwrap_or_default();
        plain_name(self.rename.as_deref().unwrap_or(own)).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_folder_or_look_like_options_are_refused() {
        for wrong in ["", ".", "..", "a/b", "--index-url", ".hidden", "a b"] {
            assert!(plain_name(wrong).is_err(), "{wrong}");
        }
        assert!(plain_name("manylinux_2_28_x86_64").is_ok());
    }

    #[test]
    fn a_list_with_an_unknown_field_is_refused() {
        assert!(matches!(
            packages("[[package]]\nname = \"a\"\nsize = 1"),
            Err(PackageError::List { .. })
        ));
    }
}
