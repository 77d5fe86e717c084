//! Sealed photo files, named by a random id, in 256 folders by the id's first byte.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | `SMRT` |
//! | 4 | 1 | version, 1 |
//! | 5 | 3 | zero |
//! | 8 | 8 | bytes of the photo, little-endian |
//! | 16 | | chunks of at most 1 MiB, each nonce (12), ciphertext, tag (16) |
//!
//! The associated data of a chunk binds the kind of photo, the id, the photo's size, the chunk's index and whether it is the last: chunks
//! can't be left out, moved or cut off.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use super::VaultError;
use super::keys::{self, SafeKey};
use crate::disk::{Disk, OpenMode, read_whole};
use crate::limits::{PHOTO_BYTES_MAX, SEAL_BYTES};

const MAGIC: [u8; 4] = *b"SMRT";
const VERSION: u8 = 1;
const VERSION_AT: usize = 4;
const SIZE_AT: usize = 8;
const HEAD_BYTES: usize = 16;
const CHUNK_BYTES: usize = 1 << 20;
const FILE_BYTES_MAX: u64 = (HEAD_BYTES + PHOTO_BYTES_MAX + (PHOTO_BYTES_MAX / CHUNK_BYTES + 1) * SEAL_BYTES) as u64;
const TEMPORARY: &str = "part";
const PHOTO: &str = "a sealed photo";

pub(super) fn create_folders(disk: &dyn Disk, folder: &Path) -> Result<(), VaultError> {
    let made = VaultError::io("making the photo folders");
    let make_all = || {
        disk.make_folder(folder)?;
        for byte in 0..=255 {
            disk.make_folder(&shard(folder, byte))?;
        }
        disk.sync_folder(folder)
    };
    make_all().map_err(made)
}

pub(super) fn write<K: SafeKey>(disk: &dyn Disk, folder: &Path, id: [u8; 16], key: &K, photo: &[u8]) -> Result<(), VaultError> {
    let sealed = seal(id, key, photo);
    let path = path(folder, id);
    let part = path.with_extension(TEMPORARY);
    let file = disk.open(&part, OpenMode::New).map_err(VaultError::io("making a photo file"))?;
    let written = file.write_at(0, &sealed).map_err(VaultError::io("writing a photo file"));
    if let Err(e) = written {
        // Best effort: on a full medium the room counts, and a start removes it anyhow.
        let _ = disk.unlink(&part);
        return Err(e);
    }
    file.sync().map_err(VaultError::io("syncing a photo file"))?;
    disk.rename(&part, &path).map_err(VaultError::io("naming a photo file"))
}

pub(super) fn sync_names(disk: &dyn Disk, folder: &Path, ids: impl IntoIterator<Item = [u8; 16]>) -> Result<(), VaultError> {
    let shards: BTreeSet<u8> = ids.into_iter().map(|id| id[0]).collect();
    for byte in shards {
        disk.sync_folder(&shard(folder, byte)).map_err(VaultError::io("syncing a photo folder"))?;
    }
    Ok(())
}

pub(super) fn read<K: SafeKey>(disk: &dyn Disk, folder: &Path, id: [u8; 16], key: &K) -> Result<Vec<u8>, VaultError> {
    let sealed = read_whole(disk, &path(folder, id), FILE_BYTES_MAX).map_err(VaultError::io("reading a photo file"))?;
    open(id, key, &sealed)
}

pub(super) fn unlink(disk: &dyn Disk, folder: &Path, id: [u8; 16]) -> Result<(), VaultError> {
    match disk.unlink(&path(folder, id)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(VaultError::Io { what: "removing a photo file", source: e }),
        _ => Ok(()),
    }
}

pub(super) fn ids(disk: &dyn Disk, folder: &Path) -> Result<HashSet<[u8; 16]>, VaultError> {
    Ok(files(disk, folder)?.iter().filter_map(|path| id_of(path)).collect())
}

/// The files of one photo folder that aren't photos with a known id.
pub(super) fn strays(disk: &dyn Disk, folder: &Path, byte: u8, knows: impl Fn(&[u8; 16]) -> bool) -> Result<Vec<PathBuf>, VaultError> {
    let mut files = disk.list(&shard(folder, byte)).map_err(VaultError::io("listing a photo folder"))?;
    files.retain(|path| !id_of(path).is_some_and(|id| knows(&id)));
    Ok(files)
}

pub(super) fn unlink_strays(disk: &dyn Disk, strays: &[PathBuf]) -> Result<(), VaultError> {
    for path in strays {
        disk.unlink(path).map_err(VaultError::io("removing an orphaned photo file"))?;
    }
    let touched: BTreeSet<&Path> = strays.iter().filter_map(|path| path.parent()).collect();
    for folder in touched {
        disk.sync_folder(folder).map_err(VaultError::io("syncing a photo folder"))?;
    }
    Ok(())
}

fn seal<K: SafeKey>(id: [u8; 16], key: &K, photo: &[u8]) -> Vec<u8> {
    let key_of_photo = keys::subkey(key.bytes(), PHOTO.as_bytes());
    let mut sealed = vec![0; HEAD_BYTES];
    sealed[..4].copy_from_slice(&MAGIC);
    sealed[VERSION_AT] = VERSION;
    sealed[SIZE_AT..].copy_from_slice(&(photo.len() as u64).to_le_bytes());
    let chunks = chunk_count(photo.len());
    for index in 0..chunks {
        let chunk = &photo[index * CHUNK_BYTES..photo.len().min((index + 1) * CHUNK_BYTES)];
        sealed.extend(keys::seal(&key_of_photo, &binding::<K>(id, photo.len(), index, chunks), chunk));
    }
    sealed
}

fn open<K: SafeKey>(id: [u8; 16], key: &K, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    let unreadable = || VaultError::Unreadable { what: PHOTO };
    let (head, mut rest) = sealed.split_first_chunk::<HEAD_BYTES>().ok_or_else(unreadable)?;
    if head[..4] != MAGIC {
        return Err(unreadable());
    }
    if head[VERSION_AT] != VERSION {
        return Err(VaultError::Format { what: PHOTO, found: head[VERSION_AT], wanted: VERSION });
    }
    let size = u64::from_le_bytes(*head[SIZE_AT..].first_chunk().expect("the head holds the size"));
    let size = usize::try_from(size).ok().filter(|&s| s <= PHOTO_BYTES_MAX).ok_or_else(unreadable)?;
    let key_of_photo = keys::subkey(key.bytes(), PHOTO.as_bytes());
    let chunks = chunk_count(size);
    let mut photo = Vec::with_capacity(size);
    for index in 0..chunks {
        let (chunk, after) = rest.split_at(rest.len().min(CHUNK_BYTES + SEAL_BYTES));
        photo.extend_from_slice(&keys::open(&key_of_photo, &binding::<K>(id, size, index, chunks), chunk, PHOTO)?);
        rest = after;
    }
    if rest.is_empty() && photo.len() == size { Ok(photo) } else { Err(unreadable()) }
}

fn chunk_count(size: usize) -> usize {
    size.div_ceil(CHUNK_BYTES).max(1)
}

fn binding<K: SafeKey>(id: [u8; 16], size: usize, index: usize, chunks: usize) -> Vec<u8> {
    let last = u8::from(index + 1 == chunks);
    [K::FOLDER.as_bytes(), b"\0", &id, &(size as u64).to_le_bytes(), &(index as u64).to_le_bytes(), &[last]].concat()
}

fn files(disk: &dyn Disk, folder: &Path) -> Result<Vec<PathBuf>, VaultError> {
    let listed = VaultError::io("listing the photo folders");
    let list_all = || -> std::io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for byte in 0..=255 {
            files.extend(disk.list(&shard(folder, byte))?);
        }
        Ok(files)
    };
    list_all().map_err(listed)
}

fn id_of(path: &Path) -> Option<[u8; 16]> {
    let mut id = [0; 16];
    hex::decode_to_slice(path.file_name()?.to_str()?, &mut id).ok()?;
    Some(id)
}

fn shard(folder: &Path, byte: u8) -> PathBuf {
    folder.join(format!("{byte:02x}"))
}

fn path(folder: &Path, id: [u8; 16]) -> PathBuf {
    shard(folder, id[0]).join(hex::encode(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::{BookingKey, ProbeKey};

    #[test]
    fn photos_of_every_length_come_back_as_received() {
        let key = BookingKey::generate();
        for size in [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES - 7] {
            let photo: Vec<u8> = (0..size).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let sealed = seal([3; 16], &key, &photo);
            assert_eq!(open([3; 16], &key, &sealed).unwrap(), photo);
            assert!(size < 64 || !sealed.windows(64).any(|w| w == &photo[..64]), "no plaintext");
        }
    }

    #[test]
    fn chunks_left_out_moved_or_cut_off_do_not_open() {
        let key = BookingKey::generate();
        let sealed = seal([3; 16], &key, &vec![5; 2 * CHUNK_BYTES + 9]);
        let chunk = CHUNK_BYTES + SEAL_BYTES;
        let (first, second) = (HEAD_BYTES..HEAD_BYTES + chunk, HEAD_BYTES + chunk..HEAD_BYTES + 2 * chunk);
        let swapped = [&sealed[..HEAD_BYTES], &sealed[second.clone()], &sealed[first.clone()], &sealed[second.end..]].concat();
        let without_first = [&sealed[..HEAD_BYTES], &sealed[second.start..]].concat();
        for wrong in [&swapped, &without_first, &sealed[..second.end], &sealed[..sealed.len() - 1], &[&sealed[..], &[0]].concat()] {
            assert!(open([3; 16], &key, wrong).is_err());
        }
        assert!(open([4; 16], &key, &sealed).is_err(), "another booking's");
        assert!(open([3; 16], &ProbeKey::generate(), &sealed).is_err(), "a probe's key");
    }
}
