//! Packages: files out of published archives, each checked by its digest.
//!
//! Nothing that the registry's client brings is read before its digest is right. Everything
//! temporary lies in one folder inside the target, which goes whatever happens; finished files are
//! synced and renamed into place.

use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::error::PackageError;
use super::package_client::PackageClient;
use super::package_list::{Package, PackageKind, PackageMember, plain_name};
use crate::ids::Digest;
use crate::limits::{MODEL_BYTES_MAX, PACKAGE_BYTES_MAX};

/// A downloaded package, its digest checked; the folder that it lies in goes with it.
pub(super) struct DownloadedPackage {
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
    let mut delivered = download(package, dir, client)?;
    // All of them are right and on disk before the first becomes visible.
    for (member, name) in package.members.iter().zip(&names) {
        let bytes = delivered.read(member)?;
        delivered.stage(name, &bytes)?;
    }
    names.iter().map(|name| delivered.publish(name, dir)).collect()
}

/// Downloads `package` into a folder inside `dir` and checks its digest.
pub(super) fn download(
    package: &Package,
    dir: &Path,
    client: &PackageClient,
) -> Result<DownloadedPackage, PackageError> {
    fs::create_dir_all(dir).map_err(|e| io(dir, e))?;
    // Absolute, because the client is another process; below `dir`, because a rename stays within
    // one file system.
    let dir = fs::canonicalize(dir).map_err(|e| io(dir, e))?;
    let folder =
        tempfile::Builder::new().prefix(".fetch-").tempdir_in(&dir).map_err(|e| io(&dir, e))?;
    let package_name = package.name_and_version();
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
    client.download(package, &requirements, &downloads)?;
    let mut found = Vec::new();
    if downloads.is_dir() {
        for entry in fs::read_dir(&downloads).map_err(|e| io(&downloads, e))? {
            found.push(entry.map_err(|e| io(&downloads, e))?.path());
        }
    }
    let [path] = &found[..] else {
        return Err(PackageError::Delivered { package: package_name, found: found.len() });
    };
    // One open file is measured, hashed and then read: what was checked is what is used.
    let mut archive = File::open(path).map_err(|e| io(path, e))?;
    let bytes = archive.metadata().map_err(|e| io(path, e))?.len();
    if bytes > PACKAGE_BYTES_MAX {
        return Err(PackageError::Size {
            what: package_name,
            found: bytes,
            most: PACKAGE_BYTES_MAX,
        });
    }
    let digest = Digest::of_reader(&mut archive).map_err(|e| io(path, e))?;
    if digest != package.sha256 {
        return Err(PackageError::Digest {
            what: package_name,
            found: digest,
            wanted: package.sha256,
        });
    }
    archive.rewind().map_err(|e| io(path, e))?;
    Ok(DownloadedPackage { package: package_name, kind: package.kind, archive, folder })
}

impl DownloadedPackage {
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
                        return Err(PackageError::NoMember {
                            package,
                            member: member.path.clone(),
                        });
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
}
