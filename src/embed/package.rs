//! Files out of published packages, by digest.
//!
//! The registry's ordinary client downloads; nothing that it brings is read before its digest is
//! right. Everything temporary lies in one folder inside the target, which goes whatever happens;
//! finished files are synced and renamed into place.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde::Deserialize;
use tempfile::TempDir;

use super::digest::Digest;
use super::model::ModelError;
use crate::limits::{MODEL_BYTES_MAX, PACKAGE_BYTES_MAX};

/// Why a package was not fetched. Nothing is left behind but files that were there before.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackageError {
    /// The registry's client isn't installed.
    #[error(
        "{program} can't be run, wanted Python's package client: install python3 and python3-pip"
    )]
    MissingClient {
        /// What was called.
        program: String,
    },
    /// The client reported failure.
    #[error("downloading {package} failed ({status}): {said}")]
    Client {
        /// Name and version.
        package: String,
        /// Its exit status.
        status: std::process::ExitStatus,
        /// The end of what it said.
        said: String,
    },
    /// The client delivered no file, or several.
    #[error("the client delivered {found} files for {package}, wanted 1")]
    Delivered {
        /// Name and version.
        package: String,
        /// Files found.
        found: usize,
    },
    /// A file is too long.
    #[error("{what} has {found} bytes or more, most accepted is {most}")]
    Size {
        /// Which file.
        what: String,
        /// Its length as far as it was read.
        found: u64,
        /// The limit.
        most: u64,
    },
    /// A file isn't the one that was vetted.
    #[error("{what} has SHA-256 {found}, wanted {wanted}")]
    Digest {
        /// Which file.
        what: String,
        /// Its digest.
        found: Digest,
        /// The digest in the list.
        wanted: Digest,
    },
    /// The archive has no such file.
    #[error("{package} has no file {member}")]
    NoMember {
        /// Name and version.
        package: String,
        /// Path inside the archive.
        member: String,
    },
    /// The archive can't be read.
    #[error("{package} is no readable archive")]
    Archive {
        /// Name and version.
        package: String,
        /// The reader's reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A name that could leave the folder or be an option.
    #[error("'{found}' is not a plain name of A-Z, a-z, 0-9, '.', '_', '+' and '-'")]
    Name {
        /// What was given.
        found: String,
    },
    /// A list of packages doesn't parse.
    #[error("the list of packages is malformed")]
    List {
        /// Where and why.
        source: Box<toml::de::Error>,
    },
    /// The system refused.
    #[error("{path}")]
    Io {
        /// What was worked on.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file fetched is no model.
    #[error("the model can't be prepared")]
    Model {
        /// What happened.
        #[from]
        source: ModelError,
    },
}

/// How a package is packed.
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

/// A published package and what is wanted of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Its name in the registry.
    pub name: String,
    /// Its version.
    pub version: String,
    /// How it is packed.
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
    /// The files wanted.
    pub members: Vec<PackageMember>,
}

/// One file of a package.
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

/// The registry's client: a program with the arguments that come before `download`.
#[derive(Clone, Debug)]
pub struct PackageClient {
    program: OsString,
    args: Vec<OsString>,
}

/// A package on this machine, its digest checked; the folder goes with it.
pub(super) struct Delivered {
    package: String,
    kind: PackageKind,
    archive: File,
    folder: TempDir,
}

/// Puts all members of `package` into `dir` and gives their paths, in the order of the list.
///
/// Errors: every `PackageError`; then none of the members was put there.
pub fn fetch_package(
    package: &Package,
    dir: &Path,
    client: &PackageClient,
) -> Result<Vec<PathBuf>, PackageError> {
    let names = package.members.iter().map(PackageMember::name).collect::<Result<Vec<_>, _>>()?;
    let mut delivered = deliver(package, dir, client)?;
    // All of them are right and on disk before the first becomes visible.
    for (member, name) in package.members.iter().zip(&names) {
        let bytes = delivered.read(member)?;
        delivered.stage(name, &bytes)?;
    }
    names.iter().map(|name| delivered.publish(name, dir)).collect()
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

/// Downloads `package` into a folder inside `dir` and checks its digest.
pub(super) fn deliver(
    package: &Package,
    dir: &Path,
    client: &PackageClient,
) -> Result<Delivered, PackageError> {
    fs::create_dir_all(dir).map_err(|e| io(dir, e))?;
    // Absolute, because the client is another process; below `dir`, because a rename stays within
    // one file system.
    let dir = fs::canonicalize(dir).map_err(|e| io(dir, e))?;
    let folder =
        tempfile::Builder::new().prefix(".fetch-").tempdir_in(&dir).map_err(|e| io(&dir, e))?;
    let said_name = package.said_name();
    for word in [&package.name, &package.version]
        .into_iter()
        .chain(&package.platforms)
        .chain(&package.python)
    {
        plain_name(word)?;
    }
    let requirements = folder.path().join("requirements.txt");
    let line = format!("{}=={} --hash=sha256:{}\n", package.name, package.version, package.sha256);
    fs::write(&requirements, line).map_err(|e| io(&requirements, e))?;
    let downloads = folder.path().join("downloads");
    let output = client.download(package, &requirements, &downloads)?;
    if !output.status.success() {
        let said = tail(&output.stderr);
        if said.contains("No module named pip") {
            return Err(PackageError::MissingClient {
                program: client.program.to_string_lossy().into_owned(),
            });
        }
        return Err(PackageError::Client { package: said_name, status: output.status, said });
    }
    let mut found = Vec::new();
    if downloads.is_dir() {
        for entry in fs::read_dir(&downloads).map_err(|e| io(&downloads, e))? {
            found.push(entry.map_err(|e| io(&downloads, e))?.path());
        }
    }
    let [path] = &found[..] else {
        return Err(PackageError::Delivered { package: said_name, found: found.len() });
    };
    // One open file is measured, hashed and then read: what was checked is what is used.
    let mut archive = File::open(path).map_err(|e| io(path, e))?;
    let bytes = archive.metadata().map_err(|e| io(path, e))?.len();
    if bytes > PACKAGE_BYTES_MAX {
        return Err(PackageError::Size { what: said_name, found: bytes, most: PACKAGE_BYTES_MAX });
    }
    let digest = Digest::of_reader(&mut archive).map_err(|e| io(path, e))?;
    if digest != package.sha256 {
        return Err(PackageError::Digest { what: said_name, found: digest, wanted: package.sha256 });
    }
    archive.rewind().map_err(|e| io(path, e))?;
    Ok(Delivered { package: said_name, kind: package.kind, archive, folder })
}

/// `found`, when it is a name that can't leave its folder, hide or be taken for an option.
pub(super) fn plain_name(found: &str) -> Result<&str, PackageError> {
    let fits = found.starts_with(|c: char| c.is_ascii_alphanumeric())
        && found.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-'));
    if fits { Ok(found) } else { Err(PackageError::Name { found: found.to_owned() }) }
}

impl Delivered {
    /// One file of the archive, its digest checked.
    pub(super) fn read(&mut self, member: &PackageMember) -> Result<Vec<u8>, PackageError> {
        let package = self.package.clone();
        self.archive.rewind().map_err(|e| io(self.folder.path(), e))?;
        let bytes = match self.kind {
            PackageKind::Wheel => {
                let mut zip =
                    zip::ZipArchive::new(&self.archive).map_err(|e| archive_error(&package, e))?;
                let file = match zip.by_name(&member.path) {
                    Ok(file) => file,
                    Err(zip::result::ZipError::FileNotFound) => {
                        return Err(PackageError::NoMember { package, member: member.path.clone() });
                    }
                    Err(e) => return Err(archive_error(&package, e)),
                };
                read_bounded(file, &member.path, &package)?
            }
            PackageKind::Sdist => {
                let unpacked = flate2::read::GzDecoder::new(&self.archive).take(PACKAGE_BYTES_MAX);
                let mut tar = tar::Archive::new(unpacked);
                let mut found = None;
                for entry in tar.entries().map_err(|e| archive_error(&package, e))? {
                    let entry = entry.map_err(|e| archive_error(&package, e))?;
                    if entry.path().map_err(|e| archive_error(&package, e))?
                        == Path::new(&member.path)
                    {
                        found = Some(read_bounded(entry, &member.path, &package)?);
                        break;
                    }
                }
                found.ok_or(PackageError::NoMember { package, member: member.path.clone() })?
            }
        };
        let digest = Digest::of(&bytes);
        if digest == member.sha256 {
            Ok(bytes)
        } else {
            Err(PackageError::Digest {
                what: member.path.clone(),
                found: digest,
                wanted: member.sha256,
            })
        }
    }

    /// Writes a finished file beside its place and syncs it.
    pub(super) fn stage(&self, name: &str, bytes: &[u8]) -> Result<(), PackageError> {
        let path = self.staged(plain_name(name)?);
        let mut file = File::create_new(&path).map_err(|e| io(&path, e))?;
        file.write_all(bytes).and_then(|()| file.sync_all()).map_err(|e| io(&path, e))
    }

    fn staged(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.staged"))
    }

    /// Renames a staged file into `dir`.
    pub(super) fn publish(&self, name: &str, dir: &Path) -> Result<PathBuf, PackageError> {
        let path = dir.join(name);
        fs::rename(self.staged(name), &path).map_err(|e| io(&path, e))?;
        File::open(dir).and_then(|d| d.sync_all()).map_err(|e| io(dir, e))?;
        Ok(path)
    }
}

impl PackageClient {
    /// Python's package client, as this machine's `python3` runs it.
    pub fn pip() -> Self {
        Self::new("python3", &["-m", "pip"])
    }

    /// Another program that understands the same arguments.
    pub fn new(program: impl Into<OsString>, args: &[&str]) -> Self {
        Self { program: program.into(), args: args.iter().map(OsString::from).collect() }
    }

    fn download(
        &self,
        package: &Package,
        requirements: &Path,
        downloads: &Path,
    ) -> Result<Output, PackageError> {
        let mut command = Command::new(&self.program);
        command.args(&self.args).args([
            "download",
            "--quiet",
            "--no-input",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
        ]);
        match package.kind {
            PackageKind::Wheel => command.arg("--only-binary=:all:"),
            PackageKind::Sdist => command.arg("--no-binary=:all:"),
        };
        for platform in &package.platforms {
            command.args(["--platform", platform]);
        }
        if let Some(python) = &package.python {
            command
                .args(["--implementation", "cp", "--python-version", python])
                .arg("--abi")
                .arg(format!("cp{python}"));
        }
        command
            .arg("--dest")
            .arg(downloads)
            .arg("--requirement")
            .arg(requirements)
            .stdin(Stdio::null());
        command.output().map_err(|_| PackageError::MissingClient {
            program: self.program.to_string_lossy().into_owned(),
        })
    }
}

impl Package {
    fn said_name(&self) -> String {
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

fn read_bounded(from: impl Read, what: &str, package: &str) -> Result<Vec<u8>, PackageError> {
    let mut bytes = Vec::new();
    let found = from
        .take(MODEL_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| archive_error(package, e))? as u64;
    if found > MODEL_BYTES_MAX {
        return Err(PackageError::Size { what: what.to_owned(), found, most: MODEL_BYTES_MAX });
    }
    Ok(bytes)
}

fn archive_error(
    package: &str,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> PackageError {
    PackageError::Archive { package: package.to_owned(), source: source.into() }
}

fn io(path: &Path, source: std::io::Error) -> PackageError {
    PackageError::Io { path: path.to_owned(), source }
}

/// The last lines of what the client said, on one line.
fn tail(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    lines[lines.len().saturating_sub(6)..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const WANTED: &[u8] = b"the file that was vetted";

    /// A wheel as a registry would have it.
    fn wheel(member: &str, content: &[u8]) -> Vec<u8> {
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file(member, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
        zip.finish().unwrap().into_inner()
    }

    fn sdist(member: &str, content: &[u8]) -> Vec<u8> {
        let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(
            Vec::new(),
            flate2::Compression::fast(),
        ));
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append_data(&mut header, member, content).unwrap();
        tar.into_inner().unwrap().finish().unwrap()
    }

    fn package(archive: &[u8], kind: PackageKind) -> Package {
        Package {
            name: "faces".to_owned(),
            version: "1.0".to_owned(),
            kind,
            sha256: Digest::of(archive),
            platforms: Vec::new(),
            python: None,
            licence: None,
            members: vec![PackageMember {
                path: "faces/a.bin".to_owned(),
                sha256: Digest::of(WANTED),
                rename: Some("b.bin".to_owned()),
                subject: None,
            }],
        }
    }

    /// A client that is a shell script: it delivers `archive` by `how`, which sees the destination
    /// as `$dest`.
    fn client(at: &Path, archive: &[u8], how: &str) -> PackageClient {
        let store = at.join("archive");
        fs::write(&store, archive).unwrap();
        let script = at.join("client.sh");
        fs::write(
            &script,
            format!(
                "#!/bin/sh\nwhile [ $# -gt 0 ]; do case $1 in --dest) dest=$2;; --requirement) \
                 req=$2;; esac; shift; done\n\
                 mkdir -p \"$dest\"; archive={}\n{how}\n",
                store.display()
            ),
        )
        .unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        PackageClient::new("/bin/sh", &[script.to_str().unwrap()])
    }

    fn left_in(dir: &Path) -> Vec<String> {
        fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// Fetches and gives what stands in the target folder afterwards.
    fn attempt(
        package: &Package,
        archive: &[u8],
        how: &str,
    ) -> (Result<Vec<PathBuf>, PackageError>, Vec<String>) {
        let (tools, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let result = fetch_package(package, target.path(), &client(tools.path(), archive, how));
        (result, left_in(target.path()))
    }

    #[test]
    fn a_member_of_a_wheel_or_a_source_package_arrives_under_its_new_name() {
        for (archive, kind) in [
            (wheel("faces/a.bin", WANTED), PackageKind::Wheel),
            (sdist("faces/a.bin", WANTED), PackageKind::Sdist),
        ] {
            let (result, left) = attempt(&package(&archive, kind), &archive, "cp $archive $dest/x");
            assert_eq!(result.unwrap().len(), 1);
            assert_eq!(left, ["b.bin"]);
        }
    }

    #[test]
    fn the_client_is_told_the_digest_too() {
        let archive = wheel("faces/a.bin", WANTED);
        let how = format!(
            "grep -qx 'faces==1.0 --hash=sha256:{}' $req && cp $archive $dest/x",
            Digest::of(&archive)
        );
        assert!(attempt(&package(&archive, PackageKind::Wheel), &archive, &how).0.is_ok());
    }

    #[test]
    fn half_a_download_another_file_and_several_files_are_refused_and_nothing_stays() {
        let archive = wheel("faces/a.bin", WANTED);
        let package = package(&archive, PackageKind::Wheel);
        for (how, says) in [
            ("head -c 60 $archive > $dest/x", "SHA-256"),
            ("echo other > $dest/x", "SHA-256"),
            ("cp $archive $dest/x; cp $archive $dest/y", "2 files"),
            ("rmdir $dest", "0 files"),
            ("echo no such version >&2; exit 3", "no such version"),
            ("cp $archive $dest/x; exit 1", "failed"),
            ("echo 'No module named pip' >&2; exit 1", "install python3"),
        ] {
            let (result, left) = attempt(&package, &archive, how);
            let said = result.unwrap_err().to_string();
            assert!(said.contains(says), "{said}");
            assert!(left.is_empty(), "{how}: {left:?}");
        }
    }

    #[test]
    fn a_package_without_the_member_or_with_another_one_is_refused_and_nothing_stays() {
        for kind in [PackageKind::Wheel, PackageKind::Sdist] {
            let pack = if kind == PackageKind::Wheel { wheel } else { sdist };
            let absent = pack("faces/c.bin", WANTED);
            let (result, left) = attempt(&package(&absent, kind), &absent, "cp $archive $dest/x");
            assert!(matches!(result, Err(PackageError::NoMember { .. })));
            assert!(left.is_empty());
            let other = pack("faces/a.bin", b"something else");
            let (result, left) = attempt(&package(&other, kind), &other, "cp $archive $dest/x");
            assert!(matches!(result, Err(PackageError::Digest { .. })));
            assert!(left.is_empty());
        }
    }

    #[test]
    fn an_archive_that_is_none_is_refused_and_nothing_stays() {
        for kind in [PackageKind::Wheel, PackageKind::Sdist] {
            let (result, left) = attempt(
                &package(b"no archive at all", kind),
                b"no archive at all",
                "cp $archive $dest/x",
            );
            assert!(matches!(result, Err(PackageError::Archive { .. })), "{result:?}");
            assert!(left.is_empty());
        }
    }

    #[test]
    fn a_client_that_is_not_installed_is_named_with_what_to_install() {
        let archive = wheel("faces/a.bin", WANTED);
        let target = tempfile::tempdir().unwrap();
        let error = fetch_package(
            &package(&archive, PackageKind::Wheel),
            target.path(),
            &PackageClient::new("no-such-client", &[]),
        )
        .unwrap_err();
        assert!(
            error.to_string().contains("no-such-client") && error.to_string().contains("install"),
            "{error}"
        );
        assert!(left_in(target.path()).is_empty());
    }

    #[test]
    fn names_that_leave_the_folder_or_look_like_options_are_refused() {
        for wrong in ["", ".", "..", "a/b", "--index-url", ".hidden", "a b"] {
            assert!(plain_name(wrong).is_err(), "{wrong}");
        }
        assert!(plain_name("manylinux_2_28_x86_64").is_ok());
    }

    #[test]
    fn the_list_of_demonstration_photos_parses_and_every_photo_has_a_subject() {
        let list = packages(include_str!("../bin/smrtd/photos.toml")).unwrap();
        let members: Vec<&PackageMember> = list.iter().flat_map(|p| &p.members).collect();
        assert!(
            members.len() >= 5 && members.iter().all(|m| m.subject.is_some() && m.name().is_ok())
        );
        assert!(list.iter().all(|p| p.licence.is_some()));
        assert!(matches!(
            packages("[[package]]\nname = \"a\"\nsize = 1"),
            Err(PackageError::List { .. })
        ));
    }
}
