//! Sealed photo files: each named by a random id, in 256 folders by the id's first byte.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | `SMRT` |
//! | 4 | 1 | version, 1 |
//! | 5 | 3 | zero |
//! | 8 | 8 | bytes of the photo, little-endian |
//! | 16 | | chunks of at most 1 MiB (`PROBE_PIECE_BYTES`), each nonce (12), ciphertext, tag (16) |
//!
//! The associated data of a chunk binds the kind of photo, the id, the photo's size, the chunk's
//! index and whether it is the last: chunks can't be left out, moved or cut off.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use zeroize::Zeroizing;

use super::error::VaultError;
use super::keys::{self, KEY_BYTES, PhotoId, PhotoKey};
use crate::disk::{Disk, OpenMode, read_whole};
use crate::limits::{PROBE_PIECE_BYTES, SEAL_BYTES};

const MAGIC: [u8; 4] = *b"SMRT";
const VERSION: u8 = 1;
const VERSION_AT: usize = 4;
const SIZE_AT: usize = 8;
pub(super) const HEAD_BYTES: usize = 16;
const CHUNK_BYTES: usize = PROBE_PIECE_BYTES;
/// The extension of a photo that is being written; a start removes it.
const TEMPORARY: &str = "part";
/// The extension of an upload; a start keeps it where a record knows its id.
pub(super) const UPLOAD: &str = "upload";
const PHOTO: &str = "a sealed photo";

/// Makes the 256 folders; their names are durable on return.
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

/// Seals a photo into a file and gives it its name, which is durable after `sync_names`.
pub(super) fn write<K: PhotoKey>(
    disk: &dyn Disk,
    folder: &Path,
    id: K::Id,
    key: &K,
    photo: &[u8],
) -> Result<(), VaultError> {
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

/// Makes the names of these photos durable.
pub(super) fn sync_names<I: PhotoId>(
    disk: &dyn Disk,
    folder: &Path,
    ids: impl Iterator<Item = I>,
) -> Result<(), VaultError> {
    let shards: BTreeSet<u8> = ids.map(first_byte).collect();
    for byte in shards {
        disk.sync_folder(&shard(folder, byte)).map_err(VaultError::io("syncing a photo folder"))?;
    }
    Ok(())
}

/// Reads a photo.
pub(super) fn read<K: PhotoKey>(
    disk: &dyn Disk,
    folder: &Path,
    id: K::Id,
    key: &K,
) -> Result<Vec<u8>, VaultError> {
    read_at(disk, &path(folder, id), id, key)
}

/// The photo of this id in a file that bears another name yet.
pub(super) fn read_at<K: PhotoKey>(
    disk: &dyn Disk,
    file: &Path,
    id: K::Id,
    key: &K,
) -> Result<Vec<u8>, VaultError> {
    let sealed = read_whole(disk, file, file_bytes(K::BYTES_MAX))
        .map_err(VaultError::io("reading a photo file"))?;
    open(id, key, &sealed)
}

/// Removes a photo; one that isn't there is fine.
pub(super) fn unlink(disk: &dyn Disk, folder: &Path, id: impl PhotoId) -> Result<(), VaultError> {
    match disk.unlink(&path(folder, id)) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(VaultError::Io { what: "removing a photo file", source: e })
        }
        _ => Ok(()),
    }
}

/// The ids of all photos.
pub(super) fn ids<I: PhotoId>(disk: &dyn Disk, folder: &Path) -> Result<HashSet<I>, VaultError> {
    Ok(files(disk, folder)?.iter().filter_map(|path| id_of(path)).collect())
}

/// The ids of all uploads.
pub(super) fn uploads<I: FromStr>(disk: &dyn Disk, folder: &Path) -> Result<Vec<I>, VaultError> {
    Ok(files(disk, folder)?.iter().filter_map(|path| upload_id_of(path)).collect())
}

/// Orphans: the files of one photo folder that are neither photos nor uploads with a known id.
pub(super) fn orphans<I: PhotoId>(
    disk: &dyn Disk,
    folder: &Path,
    byte: u8,
    knows: impl Fn(I) -> bool,
) -> Result<Vec<PathBuf>, VaultError> {
    let mut files =
        disk.list(&shard(folder, byte)).map_err(VaultError::io("listing a photo folder"))?;
    files.retain(|path| !id_of(path).or_else(|| upload_id_of(path)).is_some_and(&knows));
    Ok(files)
}

/// Removes orphans; durable on return.
pub(super) fn unlink_orphans(disk: &dyn Disk, orphans: &[PathBuf]) -> Result<(), VaultError> {
    for path in orphans {
        disk.unlink(path).map_err(VaultError::io("removing an orphaned photo file"))?;
    }
    let touched: BTreeSet<&Path> = orphans.iter().filter_map(|path| path.parent()).collect();
    for folder in touched {
        disk.sync_folder(folder).map_err(VaultError::io("syncing a photo folder"))?;
    }
    Ok(())
}

fn seal<K: PhotoKey>(id: K::Id, key: &K, photo: &[u8]) -> Vec<u8> {
    let chunks = Chunks::new(id, key, photo.len());
    let mut sealed = chunks.head().to_vec();
    for index in 0..chunks.count {
        let from = index * CHUNK_BYTES;
        sealed.extend(chunks.seal(index, &photo[from..from + chunks.plain_bytes(index)]));
    }
    sealed
}

fn open<K: PhotoKey>(id: K::Id, key: &K, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    let unreadable = || VaultError::Unreadable { what: PHOTO };
    let (head, mut rest) = sealed.split_first_chunk::<HEAD_BYTES>().ok_or_else(unreadable)?;
    if head[..4] != MAGIC {
        return Err(unreadable());
    }
    if head[VERSION_AT] != VERSION {
        return Err(VaultError::Format { what: PHOTO, found: head[VERSION_AT], wanted: VERSION });
    }
    let size = u64::from_le_bytes(*head[SIZE_AT..].first_chunk().expect("the head holds the size"));
    let size = usize::try_from(size).ok().filter(|&s| s <= K::BYTES_MAX).ok_or_else(unreadable)?;
    let chunks = Chunks::new(id, key, size);
    let mut photo = Vec::with_capacity(size);
    for index in 0..chunks.count {
        let (chunk, after) = rest.split_at(rest.len().min(CHUNK_BYTES + SEAL_BYTES));
        photo.extend_from_slice(&chunks.open(index, chunk)?);
        rest = after;
    }
    if rest.is_empty() && photo.len() == size { Ok(photo) } else { Err(unreadable()) }
}

/// The chunks of one sealed file, by their index.
pub(super) struct Chunks {
    key: Zeroizing<[u8; KEY_BYTES]>,
    /// What every chunk's associated data begin with.
    bound: Vec<u8>,
    size: usize,
    count: usize,
}

impl Chunks {
    pub(super) fn new<K: PhotoKey>(id: K::Id, key: &K, size: usize) -> Self {
        let size_bytes = (size as u64).to_le_bytes();
        let bound = [K::FOLDER.as_bytes(), b"\0", id.as_ref(), &size_bytes].concat();
        Self {
            key: keys::subkey(key.bytes(), PHOTO.as_bytes()),
            bound,
            size,
            count: size.div_ceil(CHUNK_BYTES).max(1),
        }
    }

    pub(super) fn head(&self) -> [u8; HEAD_BYTES] {
        let mut head = [0; HEAD_BYTES];
        head[..4].copy_from_slice(&MAGIC);
        head[VERSION_AT] = VERSION;
        head[SIZE_AT..].copy_from_slice(&(self.size as u64).to_le_bytes());
        head
    }

    /// How many there are, at least one.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Bytes of the photo in one chunk.
    pub(super) fn plain_bytes(&self, index: usize) -> usize {
        self.size.saturating_sub(index * CHUNK_BYTES).min(CHUNK_BYTES)
    }

    /// Where in the photo a chunk begins; of the one after the last, where the photo ends.
    pub(super) fn plain_offset(&self, index: usize) -> u64 {
        (index * CHUNK_BYTES).min(self.size) as u64
    }

    /// The chunk that begins there; none where none can.
    pub(super) fn index_at(&self, plain_offset: u64) -> Option<usize> {
        let offset = usize::try_from(plain_offset).ok()?;
        (offset < self.size && offset.is_multiple_of(CHUNK_BYTES)).then_some(offset / CHUNK_BYTES)
    }

    /// Bytes of a chunk in the file.
    pub(super) fn sealed_bytes(&self, index: usize) -> usize {
        self.plain_bytes(index) + SEAL_BYTES
    }

    /// Where in the file a chunk begins.
    pub(super) fn sealed_offset(&self, index: usize) -> u64 {
        (HEAD_BYTES + index * (CHUNK_BYTES + SEAL_BYTES)) as u64
    }

    pub(super) fn seal(&self, index: usize, plain: &[u8]) -> Vec<u8> {
        keys::seal(&self.key, &self.binding(index), plain)
    }

    pub(super) fn open(
        &self,
        index: usize,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        keys::open(&self.key, &self.binding(index), sealed, PHOTO)
    }

    fn binding(&self, index: usize) -> Vec<u8> {
        let last = u8::from(index + 1 == self.count);
        [&self.bound[..], &(index as u64).to_le_bytes(), &[last]].concat()
    }
}

impl std::fmt::Debug for Chunks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chunks({} of {} bytes)", self.count, self.size)
    }
}

/// Bytes of a sealed file with so large a photo.
fn file_bytes(photo_bytes: usize) -> u64 {
    (HEAD_BYTES + photo_bytes + photo_bytes.div_ceil(CHUNK_BYTES).max(1) * SEAL_BYTES) as u64
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

fn id_of<I: FromStr>(path: &Path) -> Option<I> {
    path.file_name()?.to_str()?.parse().ok()
}

fn upload_id_of<I: FromStr>(path: &Path) -> Option<I> {
    (path.extension()? == UPLOAD).then(|| id_of(&path.with_extension("")))?
}

fn shard(folder: &Path, byte: u8) -> PathBuf {
    folder.join(format!("{byte:02x}"))
}

fn first_byte(id: impl PhotoId) -> u8 {
    id.as_ref()[0]
}

pub(super) fn path(folder: &Path, id: impl PhotoId) -> PathBuf {
    shard(folder, first_byte(id)).join(id.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ProbeFileId, VersionId};
    use crate::vault::{BookingKey, ProbeKey};

    const ID: VersionId = VersionId([3; 16]);

    #[test]
    fn photos_of_every_length_come_back_as_received() {
        let key = BookingKey::generate();
        for size in [
            0,
            1,
            CHUNK_BYTES - 1,
            CHUNK_BYTES,
            CHUNK_BYTES + 1,
            2 * CHUNK_BYTES,
            3 * CHUNK_BYTES - 7,
        ] {
            let photo: Vec<u8> = (0..size).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let sealed = seal(ID, &key, &photo);
            assert_eq!(open(ID, &key, &sealed).unwrap(), photo);
            assert!(size < 64 || !sealed.windows(64).any(|w| w == &photo[..64]), "no plaintext");
        }
    }

    #[test]
    fn chunks_left_out_moved_or_cut_off_do_not_open() {
        let key = BookingKey::generate();
        let sealed = seal(ID, &key, &vec![5; 2 * CHUNK_BYTES + 9]);
        let chunk = CHUNK_BYTES + SEAL_BYTES;
        let (first, second) =
            (HEAD_BYTES..HEAD_BYTES + chunk, HEAD_BYTES + chunk..HEAD_BYTES + 2 * chunk);
        let swapped = [
            &sealed[..HEAD_BYTES],
            &sealed[second.clone()],
            &sealed[first.clone()],
            &sealed[second.end..],
        ]
        .concat();
        let without_first = [&sealed[..HEAD_BYTES], &sealed[second.start..]].concat();
        for wrong in [
            &swapped,
            &without_first,
            &sealed[..second.end],
            &sealed[..sealed.len() - 1],
            &[&sealed[..], &[0]].concat(),
        ] {
            assert!(open(ID, &key, wrong).is_err());
        }
        assert!(open(VersionId([4; 16]), &key, &sealed).is_err(), "another booking's");
        assert!(open(ProbeFileId(ID.0), &ProbeKey::generate(), &sealed).is_err(), "a probe's key");
    }
}
