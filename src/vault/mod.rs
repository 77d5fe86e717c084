//! Sealed photos, and the keys that open them.
//!
//! Invariants: a photo never lies on the medium in plaintext. Every booking has one random key and
//! every probe another; a key lies only in its 64-byte slot, wrapped by the epoch's key, and the
//! epoch's key only in its anchor, wrapped by the master key. Destroying a key destroys everything
//! that was sealed under it. Bookings and probes are two safes with two types of key and no way
//! from one to the other.

mod keys;
mod photos;
mod slots;
mod upload;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub use keys::{BookingKey, MasterKey, SealedPart, ProbeKey, PhotoKey};
pub use slots::KeyOwner;
pub use upload::{Announced, Upload};

use crate::disk::Disk;
use slots::Slots;

/// Why the vault can't give or take.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The operating system refused.
    #[error("{what} failed")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The operating system's error.
        source: io::Error,
    },
    /// Sealed bytes don't open: another key, another place, or changed bytes.
    #[error(
        "{what} does not open: its key, its place or its bytes are not those it was sealed with"
    )]
    Unreadable {
        /// What was to be opened.
        what: &'static str,
    },
    /// A slot holds no key.
    #[error("slot {slot} holds no key")]
    Vacant {
        /// The slot.
        slot: u32,
    },
    /// No slot is left.
    #[error("all {found} key slots are taken")]
    Full {
        /// Slots in the file.
        found: u32,
    },
    /// A file is there in a form that this software doesn't know.
    #[error("{what} has format {found}, this software reads format {wanted}")]
    Format {
        /// Which file.
        what: &'static str,
        /// Format found.
        found: u8,
        /// Format known.
        wanted: u8,
    },
    /// The slot file or its anchor is missing.
    #[error(
        "the key slots '{name}' or the anchor of their epoch are missing from the state folder"
    )]
    Missing {
        /// Name of the slot file.
        name: &'static str,
    },
    /// An upload of a size that isn't taken.
    #[error("an upload of {found} bytes was announced, wanted 1 to {most}")]
    UploadSize {
        /// Bytes announced.
        found: u64,
        /// Most accepted.
        most: usize,
    },
    /// An upload was begun, or finished, with another announcement.
    #[error("this upload was announced otherwise before, wanted the same size and SHA-256 again")]
    UploadDiffers,
    /// A piece of an upload isn't the next one.
    #[error(
        "the piece begins at byte {found}, {received} bytes have been received and the next piece \
         begins there"
    )]
    PiecePlace {
        /// Where the piece begins.
        found: u64,
        /// Bytes received.
        received: u64,
    },
    /// A piece of an upload is too long or too short.
    #[error("the piece at byte {offset} has {found} bytes, wanted {wanted}")]
    PieceSize {
        /// Where the piece begins.
        offset: u64,
        /// Bytes given.
        found: usize,
        /// Bytes that the piece at this place has.
        wanted: usize,
    },
    /// A piece that came before came again with other bytes.
    #[error("the piece at byte {offset} came before with other bytes")]
    PieceDiffers {
        /// Where the piece begins.
        offset: u64,
    },
    /// An upload is to be finished before all of it has come.
    #[error("{received} bytes have been received of {announced} announced")]
    UploadIncomplete {
        /// Bytes received.
        received: u64,
        /// Bytes announced.
        announced: u64,
    },
    /// Other bytes came than were announced.
    #[error(
        "what was received has SHA-256 {}, {} was announced; the upload begins anew",
        hex::encode(found),
        hex::encode(announced)
    )]
    UploadDigest {
        /// Digest of what came.
        found: [u8; 32],
        /// Digest announced.
        announced: [u8; 32],
    },
    /// The master key file is malformed.
    #[error("a master key of {found} bytes, wanted 32")]
    MasterKey {
        /// Bytes found.
        found: usize,
    },
}

impl VaultError {
    /// Whether the medium had no room left; nothing was acknowledged and the caller may come again.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { source, .. }
            if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }

    /// Whether the sender of an upload is wrong, and nothing here.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::UploadSize { .. }
                | Self::UploadDiffers
                | Self::PiecePlace { .. }
                | Self::PieceSize { .. }
                | Self::PieceDiffers { .. }
                | Self::UploadIncomplete { .. }
                | Self::UploadDigest { .. }
        )
    }

    /// Whether stored bytes are damaged, so that what they held is gone.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Unreadable { .. } | Self::Vacant { .. })
    }

    /// Whether a file isn't there, or ends too early.
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Io { source, .. }
            if matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof))
    }

    fn io(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what, source }
    }
}

/// The two safes.
pub struct Vault {
    /// Photos of bookings.
    pub bookings: SealedPhotos<BookingKey>,
    /// Probes of searches, apart from bookings for good.
    pub probes: SealedPhotos<ProbeKey>,
}

/// One kind of sealed photos with the key slots that open them.
pub struct SealedPhotos<K: PhotoKey> {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    slots: RwLock<Slots<K>>,
}

impl Vault {
    /// Makes both safes in an empty state folder; durable once the caller has synced that folder.
    pub fn create(disk: &Arc<dyn Disk>, state: &Path, master: &MasterKey) -> Result<Self, VaultError> {
        Ok(Self {
            bookings: SealedPhotos::create(disk, state, master)?,
            probes: SealedPhotos::create(disk, state, master)?,
        })
    }

    /// Opens both safes.
    ///
    /// Errors: missing or unreadable slots, another master key.
    pub fn open(disk: &Arc<dyn Disk>, state: &Path, master: &MasterKey) -> Result<Self, VaultError> {
        Ok(Self {
            bookings: SealedPhotos::open(disk, state, master)?,
            probes: SealedPhotos::open(disk, state, master)?,
        })
    }
}

impl<K: PhotoKey> SealedPhotos<K> {
    fn create(disk: &Arc<dyn Disk>, state: &Path, master: &MasterKey) -> Result<Self, VaultError> {
        let folder = state.join(K::FOLDER);
        photos::create_folders(disk.as_ref(), &folder)?;
        let slots = Slots::create(disk, state, master)?;
        Ok(Self { disk: disk.clone(), folder, slots: RwLock::new(slots) })
    }

    fn open(disk: &Arc<dyn Disk>, state: &Path, master: &MasterKey) -> Result<Self, VaultError> {
        let slots = Slots::open(disk, state, master)?;
        Ok(Self { disk: disk.clone(), folder: state.join(K::FOLDER), slots: RwLock::new(slots) })
    }

    fn slots(&self) -> RwLockReadGuard<'_, Slots<K>> {
        self.slots.read().expect("no slot operation panics while it holds the lock")
    }

    fn slots_mut(&self) -> RwLockWriteGuard<'_, Slots<K>> {
        self.slots.write().expect("no slot operation panics while it holds the lock")
    }

    /// Writes a key into a free slot and gives the slot; durable after `sync_slots`.
    pub fn store_key(&self, key_owner: &KeyOwner, key: &K) -> Result<u32, VaultError> {
        self.slots_mut().store_key(key_owner, key)
    }

    /// Makes every slot written so far durable.
    pub fn sync_slots(&self) -> Result<(), VaultError> {
        self.slots().sync()
    }

    /// The key in a slot.
    ///
    /// Errors: a vacant slot, or one that was written for another lodger.
    pub fn key(&self, slot: u32, key_owner: &KeyOwner) -> Result<K, VaultError> {
        self.slots().key(slot, key_owner)
    }

    /// Overwrites a slot; durable after `sync_slots`.
    pub fn destroy_key(&self, slot: u32) -> Result<(), VaultError> {
        self.slots_mut().destroy_key(slot)
    }

    /// Rewrites the slots of these lodgers under a fresh epoch key and destroys the old one: what
    /// was evicted before is gone from old pages and copies of the slot file too, as far as the
    /// anchor can be destroyed.
    pub fn rotate(&self, key_owners: &[(u32, KeyOwner)]) -> Result<(), VaultError> {
        self.slots_mut().rotate(key_owners)
    }

    /// Seals a photo under its key and gives it its name; the name is durable after `sync_names`.
    pub fn write_photo(&self, id: [u8; 16], key: &K, photo: &[u8]) -> Result<(), VaultError> {
        photos::write(self.disk.as_ref(), &self.folder, id, key, photo)
    }

    /// Makes the names of these photos, given or removed, durable.
    pub fn sync_names(&self, ids: impl IntoIterator<Item = [u8; 16]>) -> Result<(), VaultError> {
        photos::sync_names(self.disk.as_ref(), &self.folder, ids)
    }

    /// Reads a photo, as it was received.
    pub fn read_photo(&self, id: [u8; 16], key: &K) -> Result<Vec<u8>, VaultError> {
        photos::read(self.disk.as_ref(), &self.folder, id, key)
    }

    /// Removes a photo; one that isn't there is fine. Durable after `sync_names`.
    pub fn unlink_photo(&self, id: [u8; 16]) -> Result<(), VaultError> {
        photos::unlink(self.disk.as_ref(), &self.folder, id)
    }

    /// The photos that have a name.
    pub fn photo_ids(&self) -> Result<HashSet<[u8; 16]>, VaultError> {
        photos::ids(self.disk.as_ref(), &self.folder)
    }

    /// Evicts every slot that no record knows: what a crash before the commit point left. Gives how
    /// many there were; durable on return.
    pub fn destroy_orphan_keys(&self, knows: impl Fn(u32) -> bool) -> Result<usize, VaultError> {
        self.slots_mut().destroy_orphan_keys(knows)
    }

    /// The photos and uploads of one folder, by their ids' first byte, that no record knows, and
    /// half-written files there.
    pub fn orphan_photos(
        &self,
        first_byte: u8,
        knows: impl Fn(&[u8; 16]) -> bool,
    ) -> Result<Vec<PathBuf>, VaultError> {
        photos::strays(self.disk.as_ref(), &self.folder, first_byte, knows)
    }

    /// Removes what `orphan_photos` gave; durable on return.
    pub fn unlink_orphans(&self, strays: &[PathBuf]) -> Result<(), VaultError> {
        photos::unlink_orphans(self.disk.as_ref(), strays)
    }
}
