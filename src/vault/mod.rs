//! The vault: sealed photos of bookings and of probes, and the key slots that open them.
//!
//! Invariants: a photo never lies on the medium in plaintext. Every booking has one random key and
//! every probe another; a key lies only in its 64-byte slot, wrapped by the epoch's key, and the
//! epoch's key only in its anchor, wrapped by the master key. Destroying a key destroys everything
//! that was sealed under it. Bookings and probes are kept apart: their keys are of two types, and
//! there is no way from one to the other.

mod error;
mod keys;
mod photos;
mod slots;
mod upload;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

pub use error::VaultError;
pub use keys::{BookingKey, MasterKey, PhotoId, PhotoKey, ProbeKey, SealedPart};
pub use slots::KeyOwner;
pub use upload::{Announced, Upload};

use crate::disk::Disk;
use slots::Slots;

/// The open vault of a state folder.
pub struct Vault {
    pub bookings: SealedPhotos<BookingKey>,
    /// Probes of searches, apart from bookings for good.
    pub probes: SealedPhotos<ProbeKey>,
}

/// Sealed photos of one kind, bookings' or probes', with the key slots that open them.
pub struct SealedPhotos<K: PhotoKey> {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    slots: RwLock<Slots<K>>,
}

impl Vault {
    /// Makes an empty vault in an empty state folder; durable once the caller has synced that
    /// folder.
    pub fn create(
        disk: &Arc<dyn Disk>,
        state: &Path,
        master: &MasterKey,
    ) -> Result<Self, VaultError> {
        Ok(Self {
            bookings: SealedPhotos::create(disk, state, master)?,
            probes: SealedPhotos::create(disk, state, master)?,
        })
    }

    /// Opens the vault.
    ///
    /// Errors: missing or unreadable slots, another master key.
    pub fn open(
        disk: &Arc<dyn Disk>,
        state: &Path,
        master: &MasterKey,
    ) -> Result<Self, VaultError> {
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
    pub fn store_key(&self, owner: &KeyOwner<K::Id>, key: &K) -> Result<u32, VaultError> {
        self.slots_mut().store_key(owner, key)
    }

    /// Makes every slot written so far durable.
    pub fn sync_slots(&self) -> Result<(), VaultError> {
        self.slots().sync()
    }

    /// The key in a slot.
    ///
    /// Errors: a vacant slot, or one that was written for another owner.
    pub fn key(&self, slot: u32, owner: &KeyOwner<K::Id>) -> Result<K, VaultError> {
        self.slots().key(slot, owner)
    }

    /// Destroys the key in a slot by overwriting it; durable after `sync_slots`.
    pub fn destroy_key(&self, slot: u32) -> Result<(), VaultError> {
        self.slots_mut().destroy_key(slot)
    }

    /// Key rotation: rewrites the slots of these owners under a fresh epoch key and destroys the
    /// old one. Keys that were destroyed before are gone from old pages and copies of the slot file
    /// too, as far as the anchor can be destroyed.
    pub fn rotate(&self, owners: &[(u32, KeyOwner<K::Id>)]) -> Result<(), VaultError> {
        self.slots_mut().rotate(owners)
    }

    /// Seals a photo under its key and gives it its name; the name is durable after `sync_names`.
    pub fn write_photo(
        &self,
        id: impl Into<K::Id>,
        key: &K,
        photo: &[u8],
    ) -> Result<(), VaultError> {
        photos::write(self.disk.as_ref(), &self.folder, id.into(), key, photo)
    }

    /// Makes the names of these photos, given or removed, durable.
    pub fn sync_names(
        &self,
        ids: impl IntoIterator<Item = impl Into<K::Id>>,
    ) -> Result<(), VaultError> {
        let ids = ids.into_iter().map(Into::into);
        photos::sync_names::<K::Id>(self.disk.as_ref(), &self.folder, ids)
    }

    /// Reads a photo, as it was received.
    pub fn read_photo(&self, id: impl Into<K::Id>, key: &K) -> Result<Vec<u8>, VaultError> {
        photos::read(self.disk.as_ref(), &self.folder, id.into(), key)
    }

    /// Removes a photo; one that isn't there is fine. Durable after `sync_names`.
    pub fn unlink_photo(&self, id: impl Into<K::Id>) -> Result<(), VaultError> {
        photos::unlink(self.disk.as_ref(), &self.folder, id.into())
    }

    /// The photos that have a name.
    pub fn photo_ids(&self) -> Result<HashSet<K::Id>, VaultError> {
        photos::ids(self.disk.as_ref(), &self.folder)
    }

    /// Destroys every key whose slot no record knows: what a crash before the commit point left.
    /// Gives how many there were; durable on return.
    pub fn destroy_orphan_keys(&self, knows: impl Fn(u32) -> bool) -> Result<usize, VaultError> {
        self.slots_mut().destroy_orphan_keys(knows)
    }

    /// Orphans of one folder, by their ids' first byte: photos and uploads that no record knows,
    /// and half-written files.
    pub fn orphan_photos(
        &self,
        first_byte: u8,
        knows: impl Fn(K::Id) -> bool,
    ) -> Result<Vec<PathBuf>, VaultError> {
        photos::orphans(self.disk.as_ref(), &self.folder, first_byte, knows)
    }

    /// Removes what `orphan_photos` gave; durable on return.
    pub fn unlink_orphans(&self, orphans: &[PathBuf]) -> Result<(), VaultError> {
        photos::unlink_orphans(self.disk.as_ref(), orphans)
    }
}
