//! Atomic writes of keys, certificates and lists: a file appears whole or not at all, and a file
//! that exists is never overwritten unless asked.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Mode of a file that holds a secret.
pub const SECRET_MODE: u32 = 0o600;
/// Mode of a file that anyone may read.
pub const PUBLIC_MODE: u32 = 0o644;

/// Writes a file that must not exist yet.
///
/// Errors: `AlreadyExists` if the name is taken, whose file is left as it was; whatever the file
/// system says otherwise.
pub fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = write_beside(path, bytes, mode)?;
    // A link fails where the name is taken; a rename would replace what stands there.
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    linked?;
    sync_folder_of(path)
}

/// Writes a file, in place of the one of that name if there is one; a reader sees the old bytes or
/// the new ones, never a mixture.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = write_beside(path, bytes, mode)?;
    if let Err(e) = fs::rename(&temporary, path) {
        fs::remove_file(&temporary)?;
        return Err(e);
    }
    sync_folder_of(path)
}

/// Writes and syncs a temporary file in the same folder, since neither links nor renames cross file
/// systems.
fn write_beside(path: &Path, bytes: &[u8], mode: u32) -> io::Result<PathBuf> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?);
    name.push(format!(".{}.part", std::process::id()));
    let temporary = path.with_file_name(name);
    match fs::remove_file(&temporary) {
        // Left by a process that had this id and was killed.
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    let written =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary).and_then(
            |mut file| {
                // The mode at creation is cut by the umask; a certificate must be readable by the
                // daemon's user whatever the installer's is.
                file.set_permissions(Permissions::from_mode(mode))?;
                file.write_all(bytes)?;
                file.sync_all()
            },
        );
    match written {
        Ok(()) => Ok(temporary),
        Err(e) => {
            let _ = fs::remove_file(&temporary);
            Err(e)
        }
    }
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_name_is_left_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        write_new(&path, b"first", SECRET_MODE).unwrap();
        assert_eq!(
            write_new(&path, b"second", SECRET_MODE).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing temporary is left");
    }

    #[test]
    fn a_secret_is_for_its_owner_only_and_a_replaced_file_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_new(&path, b"first", SECRET_MODE).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        replace(&path, b"second", PUBLIC_MODE).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
    }
}
