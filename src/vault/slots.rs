//! Key slots: a file of 64-byte slots, each with one wrapped key; one file an epoch.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 1 | version, 1; 0 where nothing was ever written |
//! | 1 | 1 | state: 1 holds a key, 2 its key was destroyed |
//! | 2 | 2 | generation: how many keys this slot has held |
//! | 4 | 12 | nonce |
//! | 16 | 32 | wrapped key |
//! | 48 | 16 | tag |
//!
//! Little-endian. The associated data binds slot, generation, epoch, owner and id. A slot whose
//! key was destroyed keeps its generation, so that an old copy of it never opens in its place.
//!
//! The epoch's key lies in its anchor, a file of one slot wrapped under the master key. The current
//! epoch is the highest that has both files; that rename is the moment at which a rotation counts,
//! and everything older is destroyed then or at the next start.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::aead::NONCE_LEN;
use zeroize::Zeroizing;

use super::error::VaultError;
use super::keys::{self, KEY_BYTES, MasterKey, PhotoKey};
use crate::booking::Identifier;
use crate::crypto::fill_random;
use crate::disk::{Disk, DiskFile, OpenMode};
use crate::limits::{SLOT_BYTES, SLOTS_MAX};

const VERSION: u8 = 1;
const VERSION_AT: usize = 0;
const STATE_AT: usize = 1;
const GENERATION_AT: usize = 2;
const SEALED_AT: usize = 4;
const HOLDS_KEY: u8 = 1;
const KEY_DESTROYED: u8 = 2;
/// Slots that are read at a time while the file is opened.
const SLOTS_READ: usize = 1 << 14;

const _: () = assert!(SEALED_AT + NONCE_LEN + KEY_BYTES + 16 == SLOT_BYTES);

/// The owner of a key: who it is kept for, and what names the photo under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyOwner<I> {
    /// The agency of a booking, the device of a search.
    pub owner: Identifier,
    /// The version of a booking, the name of an inquiry's probe.
    pub id: I,
}

/// The head of a slot: whether it holds a key, and how many it has held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Head {
    holds_key: bool,
    generation: u16,
}

/// The open slot file of the current epoch.
pub(super) struct Slots<K> {
    disk: Arc<dyn Disk>,
    state: PathBuf,
    file: Arc<dyn DiskFile>,
    epoch: u64,
    epoch_key: Zeroizing<[u8; KEY_BYTES]>,
    anchor_key: Zeroizing<[u8; KEY_BYTES]>,
    heads: Vec<Head>,
    vacant: BTreeSet<u32>,
    kind: PhantomData<fn() -> K>,
}

impl<K: PhotoKey> Slots<K> {
    /// Makes an empty slot file of epoch 1.
    pub(super) fn create(
        disk: &Arc<dyn Disk>,
        state: &Path,
        master: &MasterKey,
    ) -> Result<Self, VaultError> {
        let anchor_key = master.anchor_key(K::SLOTS);
        let epoch_key = write_anchor::<K>(disk.as_ref(), state, 1, &anchor_key)?;
        let file = disk
            .open(&slots_path::<K>(state, 1), OpenMode::New)
            .map_err(VaultError::io("making the key slots"))?;
        file.sync().map_err(VaultError::io("syncing the key slots"))?;
        Ok(Self {
            disk: disk.clone(),
            state: state.to_owned(),
            file,
            epoch: 1,
            epoch_key,
            anchor_key,
            heads: Vec::new(),
            vacant: BTreeSet::new(),
            kind: PhantomData,
        })
    }

    /// Opens the slot file of the current epoch and destroys what is left of others.
    pub(super) fn open(
        disk: &Arc<dyn Disk>,
        state: &Path,
        master: &MasterKey,
    ) -> Result<Self, VaultError> {
        let paths = disk.list(state).map_err(VaultError::io("listing the state folder"))?;
        let epochs = |path_of: fn(&Path, u64) -> PathBuf| -> BTreeSet<u64> {
            let epoch_of = |path: &PathBuf| {
                path.extension()?.to_str()?.parse().ok().filter(|&e| path_of(state, e) == *path)
            };
            paths.iter().filter_map(epoch_of).collect()
        };
        let (files, anchors) = (epochs(slots_path::<K>), epochs(anchor_path::<K>));
        let epoch = files
            .intersection(&anchors)
            .max()
            .copied()
            .ok_or(VaultError::Missing { name: K::SLOTS })?;
        let anchor_key = master.anchor_key(K::SLOTS);
        let epoch_key = read_anchor::<K>(disk.as_ref(), state, epoch, &anchor_key)?;
        let file = disk
            .open(&slots_path::<K>(state, epoch), OpenMode::Existing)
            .map_err(VaultError::io("opening the key slots"))?;
        let heads = read_heads(file.as_ref())?;
        let vacant = heads
            .iter()
            .zip(0u32..)
            .filter(|(head, _)| head.is_vacant())
            .map(|(_, slot)| slot)
            .collect();
        let slots = Self {
            disk: disk.clone(),
            state: state.to_owned(),
            file,
            epoch,
            epoch_key,
            anchor_key,
            heads,
            vacant,
            kind: PhantomData,
        };
        let others = files.union(&anchors).copied().filter(|&other| other != epoch);
        let torn = paths.iter().filter(|path| {
            path.extension().is_some_and(|e| e == "new") && **path == new_path::<K>(state)
        });
        for path in torn {
            disk.unlink(path).map_err(VaultError::io("removing half-written key slots"))?;
        }
        for other in others {
            slots.destroy_epoch(other)?;
        }
        Ok(slots)
    }

    /// Stores a key in the lowest vacant slot.
    pub(super) fn store_key(
        &mut self,
        owner: &KeyOwner<K::Id>,
        key: &K,
    ) -> Result<u32, VaultError> {
        let slot = match self.vacant.first() {
            Some(&slot) => slot,
            None => {
                let next = u32::try_from(self.heads.len()).ok().filter(|&n| n < SLOTS_MAX);
                next.ok_or(VaultError::Full { found: SLOTS_MAX })?
            }
        };
        let before = self.heads.get(index(slot)).copied().unwrap_or_default();
        let head = Head { holds_key: true, generation: before.generation + 1 };
        let bytes = self.slot_bytes(slot, head.generation, owner, key);
        self.write(slot, &bytes)?;
        self.vacant.remove(&slot);
        self.set_head(slot, head);
        Ok(slot)
    }

    pub(super) fn sync(&self) -> Result<(), VaultError> {
        self.file.sync().map_err(VaultError::io("syncing the key slots"))
    }

    pub(super) fn key(&self, slot: u32, owner: &KeyOwner<K::Id>) -> Result<K, VaultError> {
        let head = self.heads.get(index(slot)).copied().unwrap_or_default();
        if !head.holds_key {
            return Err(VaultError::Vacant { slot });
        }
        let mut bytes = Zeroizing::new([0; SLOT_BYTES]);
        self.file
            .read_at(offset(slot), bytes.as_mut_slice())
            .map_err(VaultError::io("reading a key slot"))?;
        let binding = binding::<K>(slot, head.generation, self.epoch, owner);
        let key = keys::open(&self.epoch_key, &binding, &bytes[SEALED_AT..], "a key slot")?;
        let key = <[u8; KEY_BYTES]>::try_from(key.as_slice())
            .map_err(|_| VaultError::Unreadable { what: "a key slot" })?;
        Ok(K::from_bytes(Zeroizing::new(key)))
    }

    /// Destroys the key in a slot, if it holds one.
    pub(super) fn destroy_key(&mut self, slot: u32) -> Result<(), VaultError> {
        let head = self.heads.get(index(slot)).copied().unwrap_or_default();
        if !head.holds_key {
            return Ok(());
        }
        let destroyed = Head { holds_key: false, ..head };
        let mut bytes = [0; SLOT_BYTES];
        bytes[VERSION_AT] = VERSION;
        bytes[STATE_AT] = KEY_DESTROYED;
        bytes[GENERATION_AT..GENERATION_AT + 2].copy_from_slice(&head.generation.to_le_bytes());
        self.write(slot, &bytes)?;
        self.set_head(slot, destroyed);
        if destroyed.is_vacant() {
            self.vacant.insert(slot);
        }
        Ok(())
    }

    /// Destroys every key whose slot nobody knows; durable on return.
    pub(super) fn destroy_orphan_keys(
        &mut self,
        knows: impl Fn(u32) -> bool,
    ) -> Result<usize, VaultError> {
        let orphans: Vec<u32> = self
            .heads
            .iter()
            .zip(0u32..)
            .filter(|&(head, slot)| head.holds_key && !knows(slot))
            .map(|(_, slot)| slot)
            .collect();
        for &slot in &orphans {
            self.destroy_key(slot)?;
        }
        if !orphans.is_empty() {
            self.sync()?;
        }
        Ok(orphans.len())
    }

    /// Key rotation: a new epoch with the keys of these owners, and the end of the old one.
    pub(super) fn rotate(&mut self, owners: &[(u32, KeyOwner<K::Id>)]) -> Result<(), VaultError> {
        let (old, new) = (self.epoch, self.epoch + 1);
        let fresh = write_anchor::<K>(self.disk.as_ref(), &self.state, new, &self.anchor_key)?;
        self.sync_state()?;
        // Heads of slots without a key move along, for their generations.
        let mut image = Zeroizing::new(vec![0; self.heads.len() * SLOT_BYTES]);
        for (bytes, head) in image.as_chunks_mut::<SLOT_BYTES>().0.iter_mut().zip(&self.heads) {
            bytes[VERSION_AT] = VERSION;
            bytes[STATE_AT] = KEY_DESTROYED;
            bytes[GENERATION_AT..GENERATION_AT + 2].copy_from_slice(&head.generation.to_le_bytes());
        }
        let mut heads: Vec<Head> =
            self.heads.iter().map(|head| Head { holds_key: false, ..*head }).collect();
        let mut keys = Vec::with_capacity(owners.len());
        for (slot, owner) in owners {
            match self.key(*slot, owner) {
                Ok(key) => keys.push((*slot, owner, key)),
                // What didn't open before doesn't open after; the others move on.
                Err(e) if e.is_damage() => {
                    log::error!("key slot {slot} is damaged and stays behind: {e}")
                }
                Err(e) => return Err(e),
            }
        }
        let old_key = std::mem::replace(&mut self.epoch_key, fresh);
        self.epoch = new;
        for (slot, owner, key) in keys {
            let head = &mut heads[index(slot)];
            head.holds_key = true;
            let bytes = self.slot_bytes(slot, head.generation, owner, &key);
            image[index(slot) * SLOT_BYTES..][..SLOT_BYTES].copy_from_slice(bytes.as_slice());
        }
        drop(old_key);
        let path = new_path::<K>(&self.state);
        let file = self
            .disk
            .open(&path, OpenMode::New)
            .map_err(VaultError::io("making the new key slots"))?;
        file.write_at(0, &image).map_err(VaultError::io("writing the new key slots"))?;
        file.sync().map_err(VaultError::io("syncing the new key slots"))?;
        self.disk
            .rename(&path, &slots_path::<K>(&self.state, new))
            .map_err(VaultError::io("naming the new key slots"))?;
        self.sync_state()?;
        self.file = file;
        self.vacant = heads
            .iter()
            .zip(0u32..)
            .filter(|(head, _)| head.is_vacant())
            .map(|(_, slot)| slot)
            .collect();
        self.heads = heads;
        self.destroy_epoch(old)
    }

    /// Destroys an epoch that isn't the current one: its anchor's bytes first, then the names.
    fn destroy_epoch(&self, epoch: u64) -> Result<(), VaultError> {
        let anchor = anchor_path::<K>(&self.state, epoch);
        if let Ok(file) = self.disk.open(&anchor, OpenMode::Existing) {
            file.write_at(0, &[0; SLOT_BYTES])
                .map_err(VaultError::io("overwriting an old epoch's anchor"))?;
            file.sync().map_err(VaultError::io("syncing an old epoch's anchor"))?;
        }
        for path in [anchor, slots_path::<K>(&self.state, epoch)] {
            unlink_if_there(self.disk.as_ref(), &path, "removing an old epoch")?;
        }
        self.sync_state()
    }

    fn sync_state(&self) -> Result<(), VaultError> {
        self.disk.sync_folder(&self.state).map_err(VaultError::io("syncing the state folder"))
    }

    fn slot_bytes(
        &self,
        slot: u32,
        generation: u16,
        owner: &KeyOwner<K::Id>,
        key: &K,
    ) -> Zeroizing<[u8; SLOT_BYTES]> {
        let mut bytes = Zeroizing::new([0; SLOT_BYTES]);
        bytes[VERSION_AT] = VERSION;
        bytes[STATE_AT] = HOLDS_KEY;
        bytes[GENERATION_AT..GENERATION_AT + 2].copy_from_slice(&generation.to_le_bytes());
        let sealed = keys::seal(
            &self.epoch_key,
            &binding::<K>(slot, generation, self.epoch, owner),
            key.bytes(),
        );
        bytes[SEALED_AT..].copy_from_slice(&sealed);
        bytes
    }

    fn write(&self, slot: u32, bytes: &[u8; SLOT_BYTES]) -> Result<(), VaultError> {
        self.file.write_at(offset(slot), bytes).map_err(VaultError::io("writing a key slot"))
    }

    fn set_head(&mut self, slot: u32, head: Head) {
        if index(slot) == self.heads.len() {
            self.heads.push(head)
        } else {
            self.heads[index(slot)] = head
        }
    }
}

impl Head {
    /// A slot whose generations are used up holds no further key.
    fn is_vacant(self) -> bool {
        !self.holds_key && self.generation < u16::MAX
    }
}

fn binding<K: PhotoKey>(
    slot: u32,
    generation: u16,
    epoch: u64,
    owner: &KeyOwner<K::Id>,
) -> Vec<u8> {
    [
        K::SLOTS.as_bytes(),
        b"\0",
        &slot.to_le_bytes(),
        &generation.to_le_bytes(),
        &epoch.to_le_bytes(),
        owner.id.as_ref(),
        owner.owner.as_str().as_bytes(),
    ]
    .concat()
}

fn read_heads(file: &dyn DiskFile) -> Result<Vec<Head>, VaultError> {
    let size = file.size().map_err(VaultError::io("measuring the key slots"))?;
    // A slot that was half written when the power went has no record; the next write there
    // completes it.
    let whole =
        usize::try_from(size).expect("a slot file fits the address space").div_ceil(SLOT_BYTES);
    let head = |slot: &[u8; SLOT_BYTES]| {
        let generation = u16::from_le_bytes([slot[GENERATION_AT], slot[GENERATION_AT + 1]]);
        match (slot[VERSION_AT], slot[STATE_AT]) {
            (0, _) => Ok(Head::default()),
            (VERSION, state) => Ok(Head { holds_key: state == HOLDS_KEY, generation }),
            (found, _) => Err(VaultError::Format { what: "a key slot", found, wanted: VERSION }),
        }
    };
    let mut heads = Vec::with_capacity(whole);
    let mut piece = vec![0; SLOTS_READ * SLOT_BYTES];
    while heads.len() < whole {
        let offset = heads.len() as u64 * SLOT_BYTES as u64;
        let bytes =
            usize::try_from(size - offset).map_or(piece.len(), |left| left.min(piece.len()));
        piece[bytes..].fill(0);
        file.read_at(offset, &mut piece[..bytes])
            .map_err(VaultError::io("reading the key slots"))?;
        for slot in piece[..bytes.next_multiple_of(SLOT_BYTES)].as_chunks().0 {
            heads.push(head(slot)?);
        }
    }
    Ok(heads)
}

fn write_anchor<K: PhotoKey>(
    disk: &dyn Disk,
    state: &Path,
    epoch: u64,
    anchor_key: &[u8; KEY_BYTES],
) -> Result<Zeroizing<[u8; KEY_BYTES]>, VaultError> {
    let path = anchor_path::<K>(state, epoch);
    // A rotation that a crash ended before it counted may have left one.
    unlink_if_there(disk, &path, "removing a stale anchor")?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    fill_random(key.as_mut_slice());
    let mut bytes = [0; SLOT_BYTES];
    bytes[VERSION_AT] = VERSION;
    bytes[STATE_AT] = HOLDS_KEY;
    bytes[SEALED_AT..].copy_from_slice(&keys::seal(
        anchor_key,
        &anchor_binding::<K>(epoch),
        key.as_slice(),
    ));
    let file =
        disk.open(&path, OpenMode::New).map_err(VaultError::io("making an epoch's anchor"))?;
    file.write_at(0, &bytes).map_err(VaultError::io("writing an epoch's anchor"))?;
    file.sync().map_err(VaultError::io("syncing an epoch's anchor"))?;
    Ok(key)
}

fn read_anchor<K: PhotoKey>(
    disk: &dyn Disk,
    state: &Path,
    epoch: u64,
    anchor_key: &[u8; KEY_BYTES],
) -> Result<Zeroizing<[u8; KEY_BYTES]>, VaultError> {
    let what = "the anchor of the key slots' epoch (is this the master key that the state folder \
        was made with?)";
    let mut bytes = [0; SLOT_BYTES];
    let file = disk
        .open(&anchor_path::<K>(state, epoch), OpenMode::Existing)
        .map_err(VaultError::io("opening an epoch's anchor"))?;
    file.read_at(0, &mut bytes).map_err(VaultError::io("reading an epoch's anchor"))?;
    if bytes[VERSION_AT] != VERSION {
        return Err(VaultError::Format {
            what: "an epoch's anchor",
            found: bytes[VERSION_AT],
            wanted: VERSION,
        });
    }
    let key = keys::open(anchor_key, &anchor_binding::<K>(epoch), &bytes[SEALED_AT..], what)?;
    Ok(Zeroizing::new(
        <[u8; KEY_BYTES]>::try_from(key.as_slice()).map_err(|_| VaultError::Unreadable { what })?,
    ))
}

fn anchor_binding<K: PhotoKey>(epoch: u64) -> Vec<u8> {
    [K::SLOTS.as_bytes(), b"\0", &epoch.to_le_bytes()].concat()
}

fn slots_path<K: PhotoKey>(state: &Path, epoch: u64) -> PathBuf {
    state.join(format!("{}.{epoch}", K::SLOTS))
}

fn anchor_path<K: PhotoKey>(state: &Path, epoch: u64) -> PathBuf {
    state.join(format!("{}-anchor.{epoch}", K::SLOTS))
}

fn new_path<K: PhotoKey>(state: &Path) -> PathBuf {
    state.join(format!("{}.new", K::SLOTS))
}

fn unlink_if_there(disk: &dyn Disk, path: &Path, what: &'static str) -> Result<(), VaultError> {
    match disk.unlink(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(VaultError::Io { what, source: e })
        }
        _ => Ok(()),
    }
}

fn index(slot: u32) -> usize {
    usize::try_from(slot).expect("a slot's number fits the address space")
}

fn offset(slot: u32) -> u64 {
    u64::from(slot) * SLOT_BYTES as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::RealDisk;
    use crate::ids::VersionId;
    use crate::vault::{BookingKey, ProbeKey};

    fn owner(n: u8) -> KeyOwner<VersionId> {
        KeyOwner { owner: Identifier::parse("slmpd").unwrap(), id: VersionId([n; 16]) }
    }

    fn fresh(folder: &Path) -> (Arc<dyn Disk>, MasterKey, Slots<BookingKey>) {
        let disk: Arc<dyn Disk> = Arc::new(RealDisk);
        let master = MasterKey::new(&[1; 32]).unwrap();
        let slots = Slots::create(&disk, folder, &master).unwrap();
        (disk, master, slots)
    }

    #[test]
    fn a_key_comes_back_for_its_owner_only_and_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let (disk, master, mut slots) = fresh(folder.path());
        let keys: Vec<_> = (0..3).map(|_| BookingKey::generate()).collect();
        for (n, key) in (0..).zip(&keys) {
            assert_eq!(slots.store_key(&owner(n), key).unwrap(), u32::from(n));
        }
        slots.sync().unwrap();
        let slots = Slots::<BookingKey>::open(&disk, folder.path(), &master).unwrap();
        assert_eq!(slots.key(1, &owner(1)).unwrap().bytes(), keys[1].bytes());
        assert!(matches!(slots.key(1, &owner(2)), Err(VaultError::Unreadable { .. })));
        assert!(matches!(slots.key(3, &owner(3)), Err(VaultError::Vacant { slot: 3 })));
        assert!(matches!(
            Slots::<ProbeKey>::open(&disk, folder.path(), &master),
            Err(VaultError::Missing { name: "probe-slots" })
        ));
        assert!(matches!(
            Slots::<BookingKey>::open(&disk, folder.path(), &MasterKey::new(&[2; 32]).unwrap()),
            Err(VaultError::Unreadable { .. })
        ));
    }

    #[test]
    fn an_old_copy_of_a_slot_does_not_open_in_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let (_, _, mut slots) = fresh(folder.path());
        slots.store_key(&owner(1), &BookingKey::generate()).unwrap();
        let mut copy = [0; SLOT_BYTES];
        slots.file.read_at(0, &mut copy).unwrap();
        slots.destroy_key(0).unwrap();
        assert!(matches!(slots.key(0, &owner(1)), Err(VaultError::Vacant { slot: 0 })));
        assert_eq!(
            slots.store_key(&owner(1), &BookingKey::generate()).unwrap(),
            0,
            "a slot whose key was destroyed holds another"
        );
        slots.file.write_at(0, &copy).unwrap();
        assert!(matches!(slots.key(0, &owner(1)), Err(VaultError::Unreadable { .. })));
    }

    #[test]
    fn a_rotation_keeps_the_stored_keys_and_leaves_nothing_of_the_old_epoch() {
        let folder = tempfile::tempdir().unwrap();
        let (disk, master, mut slots) = fresh(folder.path());
        let keys: Vec<_> = (0..3).map(|_| BookingKey::generate()).collect();
        for (n, key) in (0..).zip(&keys) {
            slots.store_key(&owner(n), key).unwrap();
        }
        slots.destroy_key(1).unwrap();
        slots.rotate(&[(0, owner(0)), (2, owner(2))]).unwrap();
        for slots in [slots, Slots::open(&disk, folder.path(), &master).unwrap()] {
            assert_eq!(slots.key(0, &owner(0)).unwrap().bytes(), keys[0].bytes());
            assert!(slots.key(1, &owner(1)).is_err());
            assert_eq!(slots.key(2, &owner(2)).unwrap().bytes(), keys[2].bytes());
        }
        let names: Vec<_> = disk
            .list(folder.path())
            .unwrap()
            .into_iter()
            .map(|p| p.file_name().unwrap().to_owned())
            .collect();
        assert_eq!(names, ["slots-anchor.2", "slots.2"]);
    }

    #[test]
    fn a_file_of_several_pieces_that_ends_in_half_a_slot_opens() {
        let folder = tempfile::tempdir().unwrap();
        let (disk, master, slots) = fresh(folder.path());
        let many = u32::try_from(2 * SLOTS_READ + 3).unwrap();
        let mut destroyed = [0; SLOT_BYTES];
        (destroyed[VERSION_AT], destroyed[STATE_AT], destroyed[GENERATION_AT]) =
            (VERSION, KEY_DESTROYED, 7);
        let mut bytes = destroyed.repeat(usize::try_from(many).unwrap());
        bytes.truncate(bytes.len() - 30);
        slots.file.write_at(0, &bytes).unwrap();
        let mut slots = Slots::<BookingKey>::open(&disk, folder.path(), &master).unwrap();
        assert_eq!(
            (slots.heads.len(), slots.vacant.len()),
            (bytes.len().div_ceil(SLOT_BYTES), bytes.len().div_ceil(SLOT_BYTES))
        );
        assert!(slots.heads.iter().all(|head| *head == Head { holds_key: false, generation: 7 }));
        assert_eq!(slots.store_key(&owner(1), &BookingKey::generate()).unwrap(), 0);
    }

    #[test]
    fn orphaned_keys_are_destroyed_and_their_slots_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let (_, _, mut slots) = fresh(folder.path());
        for n in 0..4 {
            slots.store_key(&owner(n), &BookingKey::generate()).unwrap();
        }
        assert_eq!(slots.destroy_orphan_keys(|slot| slot == 1 || slot == 3).unwrap(), 2);
        assert_eq!(slots.destroy_orphan_keys(|slot| slot == 1 || slot == 3).unwrap(), 0);
        assert_eq!(slots.store_key(&owner(9), &BookingKey::generate()).unwrap(), 0);
    }
}
