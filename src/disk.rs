//! Disk access: every byte that the state folder keeps goes through the trait `Disk`.
//!
//! Invariant: nothing counts as kept before its `sync` returned: a file's bytes by
//! `DiskFile::sync`, a file's name (made, renamed or removed) by `Disk::sync_folder` of the folder
//! that holds it. The tests put a disk here that drops, tears and reorders all that wasn't synced,
//! and cuts the power.
//!
//! Every method's error is the operating system's own.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The mode of `Disk::open`: whether the file must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// The file must be there.
    Existing,
    /// The file must not be there.
    New,
}

/// A disk: a medium that holds folders and files.
pub trait Disk: Debug + Send + Sync {
    /// Opens a file for reading and writing.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>>;
    /// Gives a file another name in the same folder, replacing what has that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn unlink(&self, path: &Path) -> io::Result<()>;
    /// Makes a folder; one that is there already is fine.
    fn make_folder(&self, path: &Path) -> io::Result<()>;
    /// The files and folders directly below a folder, sorted.
    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;
    /// Makes the names in a folder durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Bytes that may still be written to the medium of a folder.
    fn free_bytes(&self, folder: &Path) -> io::Result<u64>;
    /// Holds a folder for this process until the result is dropped; fails with `WouldBlock` where
    /// another process holds it.
    fn lock(&self, folder: &Path) -> io::Result<Box<dyn Send + Sync>>;
}

/// An open file.
pub trait DiskFile: Debug + Send + Sync {
    /// Its length in bytes.
    fn size(&self) -> io::Result<u64>;
    /// Fills `out` from `offset`; a file that ends before is `UnexpectedEof`.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()>;
    /// Writes all of `bytes` at `offset`, growing the file where needed.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the file or grows it with zeros.
    fn set_size(&self, size: u64) -> io::Result<()>;
    /// Makes its bytes and size durable.
    fn sync(&self) -> io::Result<()>;
}

/// Reads a whole file of at most `bytes_max`.
pub fn read_whole(disk: &dyn Disk, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let file = disk.open(path, OpenMode::Existing)?;
    let size = file.size()?;
    if size > bytes_max {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("{size} bytes, at most {bytes_max} are read"),
        ));
    }
    let mut bytes = vec![0; usize::try_from(size).map_err(|_| io::ErrorKind::FileTooLarge)?];
    file.read_at(0, &mut bytes)?;
    Ok(bytes)
}

/// The real disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        use std::os::unix::fs::OpenOptionsExt;
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true).create_new(mode == OpenMode::New).mode(0o600);
        Ok(Arc::new(RealFile(options.open(path)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        use std::os::unix::fs::DirBuilderExt;
        match std::fs::DirBuilder::new().mode(0o700).create(path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            other => other,
        }
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        // Sorted as names: comparing whole paths takes longer than listing them.
        let mut names = std::fs::read_dir(folder)?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort_unstable();
        Ok(names.into_iter().map(|name| folder.join(name)).collect())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        std::fs::File::open(folder)?.sync_all()
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        let medium = rustix::fs::statvfs(folder)?;
        Ok(medium.f_bavail.saturating_mul(medium.f_frsize))
    }

    fn lock(&self, folder: &Path) -> io::Result<Box<dyn Send + Sync>> {
        let held = std::fs::File::open(folder)?;
        match held.try_lock() {
            Ok(()) => Ok(Box::new(held)),
            Err(std::fs::TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(std::fs::TryLockError::Error(e)) => Err(e),
        }
    }
}

#[derive(Debug)]
struct RealFile(std::fs::File);

impl DiskFile for RealFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.0, out, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::write_all_at(&self.0, bytes, offset)
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.0.set_len(size)
    }

    fn sync(&self) -> io::Result<()> {
        // fdatasync brings the size along, and the size is all of the metadata that is read back.
        self.0.sync_data()
    }
}

#[cfg(test)]
pub(crate) mod fake;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_held_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let held = RealDisk.lock(folder.path()).unwrap();
        assert_eq!(RealDisk.lock(folder.path()).err().unwrap().kind(), io::ErrorKind::WouldBlock);
        drop(held);
        assert!(RealDisk.lock(folder.path()).is_ok());
    }

    #[test]
    fn a_file_over_its_bound_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        RealDisk.open(&path, OpenMode::New).unwrap().write_at(0, &[7; 100]).unwrap();
        assert_eq!(read_whole(&RealDisk, &path, 100).unwrap(), [7; 100]);
        assert_eq!(
            read_whole(&RealDisk, &path, 99).unwrap_err().kind(),
            io::ErrorKind::FileTooLarge
        );
        assert_eq!(
            RealDisk.open(&path, OpenMode::New).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
    }
}
