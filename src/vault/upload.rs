//! Resumable uploads: a probe arrives in pieces, over hours and restarts if need be.
//!
//! Invariants: a piece is sealed before it touches the medium and synced before it is acknowledged,
//! so what is acknowledged survives a power cut and what lies there is never plaintext. The file
//! that grows is byte for byte the sealed photo that it becomes: taking it is a rename. A photo
//! that lies there already stays until then, so that a record which names one finds it whatever
//! came after. Each piece is one chunk of that format, bound to the size announced, its index and
//! whether it is the last; nothing else says how far an upload is, so what was cut off in mid-write
//! simply doesn't open and is sent again.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SealedPhotos;
use super::error::VaultError;
use super::keys::{PhotoKey, ProbeKey};
use super::photos::{self, Chunks, HEAD_BYTES, UPLOAD};
use crate::disk::{Disk, DiskFile, OpenMode};
use crate::ids::{Digest, InquiryId, ProbeFileId};

/// The announcement of an upload: what the sender says of it before its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced {
    /// Bytes of the file.
    pub size: u64,
    /// SHA-256 of the file.
    pub sha256: Digest,
}

/// An upload under way. Dropping it loses nothing.
#[derive(Debug)]
pub struct Upload {
    disk: Arc<dyn Disk>,
    file: Arc<dyn DiskFile>,
    part: PathBuf,
    announced: Announced,
    chunks: Chunks,
    /// Chunks that are durable, from the first on.
    received: usize,
}

impl SealedPhotos<ProbeKey> {
    /// Begins an upload, or goes on with one that was begun with the same announcement, whether a
    /// moment or a restart ago; one that was finished and not taken is there whole and may be
    /// finished again. Its id and key are the caller's, the key stored and durable before. One
    /// upload is held once at a time: that, too, is the caller's to see to.
    ///
    /// Errors: a size of 0 or beyond `PROBE_BYTES_MAX`; `UploadDiffers` where another size was
    /// announced and something came already.
    pub fn upload(
        &self,
        id: InquiryId,
        key: &ProbeKey,
        announced: Announced,
    ) -> Result<Upload, VaultError> {
        Upload::begin(&self.disk, &self.folder, id, key, announced)
    }

    /// Removes an upload that wasn't taken, whatever came of it; one that isn't there is fine, and
    /// what was taken is a photo like any other. Durable on return.
    pub fn abandon_upload(&self, id: InquiryId) -> Result<(), VaultError> {
        let whole = photos::path(&self.folder, ProbeFileId::from(id));
        remove(self.disk.as_ref(), &whole.with_extension(UPLOAD))
    }

    /// Gives a finished upload the name of the photo, in one step with the removal of the photo
    /// that had it; one that isn't there is fine. Durable on return.
    pub fn take_upload(&self, id: InquiryId) -> Result<(), VaultError> {
        let whole = photos::path(&self.folder, ProbeFileId::from(id));
        match self.disk.rename(&whole.with_extension(UPLOAD), &whole) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(VaultError::Io { what: "naming an upload", source: e })
            }
            _ => self.sync_names([id]),
        }
    }

    /// An upload that is whole and was not taken; none where there is none, or it isn't whole.
    pub fn finished_upload(
        &self,
        id: InquiryId,
        key: &ProbeKey,
    ) -> Result<Option<Vec<u8>>, VaultError> {
        let part = photos::path(&self.folder, ProbeFileId::from(id)).with_extension(UPLOAD);
        match photos::read_at(self.disk.as_ref(), &part, id.into(), key) {
            Err(e) if e.is_lost() || e.is_damage() => Ok(None),
            read => read.map(Some),
        }
    }

    /// The uploads that were begun and neither taken nor abandoned.
    pub fn uploads(&self) -> Result<Vec<InquiryId>, VaultError> {
        photos::uploads(self.disk.as_ref(), &self.folder)
    }
}

impl Upload {
    fn begin(
        disk: &Arc<dyn Disk>,
        folder: &Path,
        id: InquiryId,
        key: &ProbeKey,
        announced: Announced,
    ) -> Result<Self, VaultError> {
        let size = usize::try_from(announced.size)
            .ok()
            .filter(|&size| (1..=ProbeKey::BYTES_MAX).contains(&size));
        let size = size
            .ok_or(VaultError::UploadSize { found: announced.size, most: ProbeKey::BYTES_MAX })?;
        let chunks = Chunks::new(id.into(), key, size);
        let part = photos::path(folder, ProbeFileId::from(id)).with_extension(UPLOAD);
        let file = match disk.open(&part, OpenMode::Existing) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                disk.open(&part, OpenMode::New).map_err(VaultError::io("making an upload"))?
            }
            Err(source) => return Err(VaultError::Io { what: "opening an upload", source }),
        };
        let mut upload = Self { disk: disk.clone(), file, part, announced, chunks, received: 0 };
        upload.resume()?;
        Ok(upload)
    }

    /// Finds out which pieces are there already.
    fn resume(&mut self) -> Result<(), VaultError> {
        let head = self.chunks.head();
        let mut found = [0; HEAD_BYTES];
        let size = self.file.size().map_err(VaultError::io("reading an upload's size"))?;
        if size >= HEAD_BYTES as u64 {
            self.file.read_at(0, &mut found).map_err(VaultError::io("reading an upload"))?;
        }
        if found != head {
            // Of a head that was torn from its file nothing was acknowledged; behind another one
            // something may have been.
            if size > HEAD_BYTES as u64 {
                return Err(VaultError::UploadDiffers);
            }
            self.file.set_size(0).map_err(VaultError::io("emptying an upload"))?;
            self.file.write_at(0, &head).map_err(VaultError::io("writing an upload"))?;
            self.file.sync().map_err(VaultError::io("syncing an upload"))?;
        }
        self.sync_name()?;
        while self.received < self.chunks.count() {
            match self.chunk(self.received) {
                Ok(_) => self.received += 1,
                Err(e) if e.is_damage() || e.is_lost() => break,
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Bytes of the probe that are durable, from the first on; the next piece begins there.
    pub fn received(&self) -> u64 {
        self.chunks.plain_offset(self.received)
    }

    /// What was announced.
    pub fn announced(&self) -> Announced {
        self.announced
    }

    /// Takes a piece of `PROBE_PIECE_BYTES`, of which only the last may be shorter, and gives how
    /// much is durable now. A piece that came before is fine.
    ///
    /// Errors: `PiecePlace` and `PieceSize` where it doesn't fit, `PieceDiffers` where other bytes
    /// came before; after any error the upload goes on from `received`.
    pub fn put(&mut self, offset: u64, piece: &[u8]) -> Result<u64, VaultError> {
        let place = VaultError::PiecePlace { found: offset, received: self.received() };
        let index = self
            .chunks
            .index_at(offset)
            .filter(|&index| index <= self.received && index < self.chunks.count())
            .ok_or(place)?;
        let wanted = self.chunks.plain_bytes(index);
        if piece.len() != wanted {
            return Err(VaultError::PieceSize { offset, found: piece.len(), wanted });
        }
        if index < self.received {
            return if self.chunk(index)?.as_slice() == piece {
                Ok(self.received())
            } else {
                Err(VaultError::PieceDiffers { offset })
            };
        }
        let sealed = self.chunks.seal(index, piece);
        self.file
            .write_at(self.chunks.sealed_offset(index), &sealed)
            .map_err(VaultError::io("writing an upload"))?;
        self.file.sync().map_err(VaultError::io("syncing an upload"))?;
        self.received += 1;
        Ok(self.received())
    }

    /// Reads back all that came, holds it against what was announced and gives it. It waits, whole
    /// and durable, for `take_upload`.
    ///
    /// Errors: `UploadIncomplete`; `UploadDigest` where other bytes came than were announced: the
    /// upload is gone then and begins anew.
    pub fn finish(self) -> Result<Vec<u8>, VaultError> {
        if self.received < self.chunks.count() {
            return Err(VaultError::UploadIncomplete {
                received: self.received(),
                announced: self.announced.size,
            });
        }
        let mut probe = Vec::with_capacity(usize::try_from(self.announced.size).unwrap_or(0));
        for index in 0..self.chunks.count() {
            probe.extend_from_slice(&self.chunk(index)?);
        }
        let found = Digest::of(&probe);
        if found != self.announced.sha256 {
            remove(self.disk.as_ref(), &self.part)?;
            return Err(VaultError::UploadDigest { found, announced: self.announced.sha256 });
        }
        Ok(probe)
    }

    fn chunk(&self, index: usize) -> Result<zeroize::Zeroizing<Vec<u8>>, VaultError> {
        let mut sealed = vec![0; self.chunks.sealed_bytes(index)];
        self.file
            .read_at(self.chunks.sealed_offset(index), &mut sealed)
            .map_err(VaultError::io("reading an upload"))?;
        self.chunks.open(index, &sealed)
    }

    fn sync_name(&self) -> Result<(), VaultError> {
        let folder = self.part.parent().expect("an upload lies in a photo folder");
        self.disk.sync_folder(folder).map_err(VaultError::io("syncing a photo folder"))
    }
}

fn remove(disk: &dyn Disk, path: &Path) -> Result<(), VaultError> {
    match disk.unlink(path) {
        Ok(()) => {}
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(VaultError::Io { what: "removing an upload", source }),
    }
    let folder = path.parent().expect("an upload lies in a photo folder");
    disk.sync_folder(folder).map_err(VaultError::io("syncing a photo folder"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::fake::{Choices, FakeDisk};
    use crate::limits::{PROBE_BYTES_MAX, PROBE_PIECE_BYTES};
    use crate::vault::{MasterKey, Vault};

    const STATE: &str = "/state";
    const ID: InquiryId = InquiryId([0x5a; 16]);
    const SIZE: usize = 2 * PROBE_PIECE_BYTES + 70_000;

    /// A vault on a fake disk, with the key that the caller would have stored.
    struct Station {
        disk: FakeDisk,
        vault: Vault,
        key: ProbeKey,
    }

    impl Station {
        fn new() -> Self {
            let disk = FakeDisk::with_folder(Path::new(STATE));
            let vault = Vault::create(&shared(&disk), Path::new(STATE), &master()).unwrap();
            Self { disk: disk.copy(), vault, key: ProbeKey::generate() }.restarted_on(disk.copy())
        }

        fn restarted_on(self, disk: FakeDisk) -> Self {
            let vault = Vault::open(&shared(&disk), Path::new(STATE), &master()).unwrap();
            drop(self.vault);
            Self { disk, vault, key: self.key }
        }

        fn begin(&self, probe: &[u8]) -> Result<Upload, VaultError> {
            self.vault.probes.upload(ID, &self.key, announced(probe))
        }
    }

    fn master() -> MasterKey {
        MasterKey::new(&[1; 32]).unwrap()
    }

    fn shared(disk: &FakeDisk) -> Arc<dyn Disk> {
        Arc::new(disk.clone())
    }

    fn probe(size: usize) -> Vec<u8> {
        (0..size).map(|i| u8::try_from(i % 251).unwrap()).collect()
    }

    fn announced(probe: &[u8]) -> Announced {
        Announced { size: probe.len() as u64, sha256: Digest::of(probe) }
    }

    /// Sends from where the box is, as a browser does; `told` is what the box acknowledged last.
    fn send(upload: &mut Upload, probe: &[u8], told: &mut u64) -> Result<(), VaultError> {
        while upload.received() < upload.announced().size {
            let from = usize::try_from(upload.received()).unwrap();
            *told = upload
                .put(upload.received(), &probe[from..probe.len().min(from + PROBE_PIECE_BYTES)])?;
        }
        Ok(())
    }

    #[test]
    fn a_probe_sent_in_pieces_is_read_whole_and_never_lies_there_in_plaintext() {
        for size in [1, PROBE_PIECE_BYTES - 1, PROBE_PIECE_BYTES, PROBE_PIECE_BYTES + 1, SIZE] {
            let (at, probe) = (Station::new(), probe(size));
            let mut upload = at.begin(&probe).unwrap();
            send(&mut upload, &probe, &mut 0).unwrap();
            assert_eq!(at.vault.probes.uploads().unwrap(), [ID]);
            assert!(upload.finish().unwrap() == probe);
            assert_eq!(at.vault.probes.uploads().unwrap(), [ID], "it waits to be taken");
            at.vault.probes.take_upload(ID).unwrap();
            assert!(at.vault.probes.uploads().unwrap().is_empty());
            assert_eq!(at.vault.probes.read_photo(ID, &at.key).unwrap(), probe);
            let plain = &probe[..probe.len().min(64)];
            assert!(
                size < 64
                    || at.disk.medium().iter().all(|file| !file.windows(64).any(|w| w == plain))
            );
        }
    }

    #[test]
    fn a_piece_may_come_again_and_one_with_other_bytes_place_or_size_is_refused() {
        let (at, probe) = (Station::new(), probe(SIZE));
        let piece = PROBE_PIECE_BYTES;
        let mut upload = at.begin(&probe).unwrap();
        assert_eq!(upload.put(0, &probe[..piece]).unwrap(), piece as u64);
        assert_eq!(upload.put(0, &probe[..piece]).unwrap(), piece as u64, "again");
        let (start, second) = (piece as u64, &probe[piece..2 * piece]);
        assert!(matches!(upload.put(0, second), Err(VaultError::PieceDiffers { offset: 0 })));
        assert!(matches!(upload.put(start, &second[1..]),
                Err(VaultError::PieceSize { wanted, .. }) if wanted == piece));
        for wrong in [1, start + 1, 2 * start, 3 * start, SIZE as u64, u64::MAX] {
            let refused = upload.put(wrong, second).unwrap_err();
            assert!(
                matches!(refused, VaultError::PiecePlace { received, .. } if received == start)
                    && refused.is_refusal(),
                "{wrong}"
            );
        }
        send(&mut upload, &probe, &mut 0).unwrap();
        assert!(upload.finish().unwrap() == probe);
    }

    #[test]
    fn other_bytes_than_announced_are_refused_at_the_end_and_nothing_of_them_stays() {
        let (at, probe) = (Station::new(), probe(SIZE));
        let mut other = probe.clone();
        other[SIZE - 1] ^= 1;
        let mut upload = at.begin(&probe).unwrap();
        assert!(matches!(
            at.begin(&probe).unwrap().finish(),
            Err(VaultError::UploadIncomplete { received: 0, .. })
        ));
        send(&mut upload, &other, &mut 0).unwrap();
        assert!(matches!(upload.finish(), Err(VaultError::UploadDigest { .. })));
        assert!(at.disk.names().iter().all(|path| !path.starts_with("/state/probes")));
        let mut again = at.begin(&probe).unwrap();
        assert_eq!(again.received(), 0);
        send(&mut again, &probe, &mut 0).unwrap();
        again.finish().unwrap();
    }

    #[test]
    fn an_announcement_out_of_bounds_or_unlike_the_one_before_is_refused() {
        let at = Station::new();
        for size in [0, PROBE_BYTES_MAX as u64 + 1, u64::MAX] {
            let wrong =
                at.vault.probes.upload(ID, &at.key, Announced { size, sha256: Digest([0; 32]) });
            assert!(matches!(wrong, Err(VaultError::UploadSize { found, .. }) if found == size));
        }
        let (long, short) = (probe(SIZE), probe(SIZE - 1));
        at.begin(&long).unwrap();
        let mut upload = at.begin(&short).expect("nothing came yet");
        upload.put(0, &short[..PROBE_PIECE_BYTES]).unwrap();
        assert!(matches!(at.begin(&long), Err(VaultError::UploadDiffers)));
        at.vault.probes.abandon_upload(ID).unwrap();
        at.vault.probes.abandon_upload(ID).unwrap();
        assert_eq!(at.begin(&long).unwrap().received(), 0);
    }

    #[test]
    fn a_finished_upload_may_be_finished_again_and_the_photo_before_stays_until_taken() {
        let (at, first, second) = (Station::new(), probe(9), probe(SIZE));
        let whole = |probe: &[u8]| {
            let mut upload = at.begin(probe).unwrap();
            send(&mut upload, probe, &mut 0).unwrap();
            upload.finish().unwrap();
        };
        let (probes, read) =
            (&at.vault.probes, || at.vault.probes.read_photo(ID, &at.key).unwrap());
        whole(&first);
        probes.take_upload(ID).unwrap();
        assert_eq!(
            (probes.finished_upload(ID, &at.key).unwrap(), at.begin(&second).unwrap().received()),
            (None, 0)
        );
        assert_eq!(probes.finished_upload(ID, &at.key).unwrap(), None, "begun");
        whole(&second);
        let shorter = Announced { size: 9, sha256: Digest([7; 32]) };
        assert!(matches!(probes.upload(ID, &at.key, shorter), Err(VaultError::UploadDiffers)));
        assert_eq!(
            probes.upload(ID, &ProbeKey::generate(), announced(&second)).unwrap().received(),
            0,
            "nothing opens with another key"
        );
        assert!(
            read() == first
                && probes.finished_upload(ID, &at.key).unwrap().as_ref() == Some(&second)
        );
        whole(&second);
        probes.take_upload(ID).unwrap();
        assert!(read() == second);
        let other = Announced { size: 9, sha256: Digest([7; 32]) };
        let mut lie = probes.upload(ID, &at.key, other).unwrap();
        lie.put(0, &first).unwrap();
        assert!(matches!(lie.finish(), Err(VaultError::UploadDigest { .. })));
        assert!(read() == second && probes.uploads().unwrap().is_empty());
    }

    #[test]
    fn a_start_keeps_the_uploads_that_a_record_knows_and_wipes_the_others() {
        let (at, probe) = (Station::new(), probe(SIZE));
        at.begin(&probe).unwrap().put(0, &probe[..PROBE_PIECE_BYTES]).unwrap();
        assert!(at.vault.probes.orphan_photos(ID.0[0], |id| id == ID.into()).unwrap().is_empty());
        let orphans = at.vault.probes.orphan_photos(ID.0[0], |_| false).unwrap();
        at.vault.probes.unlink_orphans(&orphans).unwrap();
        assert!(at.vault.probes.uploads().unwrap().is_empty());
    }

    #[test]
    fn a_full_medium_stops_an_upload_which_goes_on_when_there_is_room() {
        let (at, probe) = (Station::new(), probe(SIZE));
        let mut upload = at.begin(&probe).unwrap();
        upload.put(0, &probe[..PROBE_PIECE_BYTES]).unwrap();
        at.disk.full_at(Some(at.disk.operations()));
        assert!(send(&mut upload, &probe, &mut 0).unwrap_err().is_full());
        at.disk.full_at(None);
        assert_eq!(upload.received(), PROBE_PIECE_BYTES as u64);
        send(&mut upload, &probe, &mut 0).unwrap();
        upload.finish().unwrap();
    }

    /// Cuts the power at each operation of an upload, starts again on what this choice of unsynced
    /// bytes leaves, and goes on. Gives what was wrong after the first restart at which anything
    /// was.
    fn cut_everywhere(seed: u64, forgotten: Option<fn(&Path) -> bool>) -> Result<(), String> {
        let probe = probe(SIZE);
        let whole = |at: &Station| -> Result<u64, VaultError> {
            let mut told = 0;
            let mut upload = at.begin(&probe)?;
            send(&mut upload, &probe, &mut told)?;
            upload.finish()?;
            at.vault.probes.take_upload(ID)?;
            Ok(at.disk.operations())
        };
        let operations = whole(&Station::new()).unwrap();
        for cut in 0..operations {
            let at = Station::new();
            if let Some(forgotten) = forgotten {
                at.disk.forget(forgotten);
            }
            at.disk.cut_at(cut);
            let (mut told, mut taken) = (0, false);
            let mut live = || -> Result<(), VaultError> {
                let mut upload = at.begin(&probe)?;
                send(&mut upload, &probe, &mut told)?;
                upload.finish()?;
                at.vault.probes.take_upload(ID)?;
                taken = true;
                Ok(())
            };
            let _ = live();
            let survived = at.disk.after_cut(&mut Choices::new(seed * 1_000 + cut));
            let at = at.restarted_on(survived);
            let fail = |what: &str, e: VaultError| format!("cut {cut}: {what}: {e}");
            let read = at.vault.probes.read_photo(ID, &at.key);
            if taken || read.is_ok() {
                if read.map_err(|e| fail("taken and lost", e))? != probe {
                    return Err(format!("cut {cut}: other bytes"));
                }
                continue;
            }
            let mut upload = at.begin(&probe).map_err(|e| fail("going on", e))?;
            if upload.received() < told {
                return Err(format!(
                    "cut {cut}: {told} bytes were acknowledged and {} are there",
                    upload.received()
                ));
            }
            send(&mut upload, &probe, &mut told).map_err(|e| fail("sending on", e))?;
            upload.finish().map_err(|e| fail("finishing", e))?;
            at.vault.probes.take_upload(ID).map_err(|e| fail("taking", e))?;
            if at.vault.probes.read_photo(ID, &at.key).map_err(|e| fail("reading", e))? != probe {
                return Err(format!("cut {cut}: other bytes in the end"));
            }
        }
        Ok(())
    }

    #[test]
    fn a_power_cut_anywhere_loses_at_most_the_piece_in_flight() {
        for seed in 1..=4 {
            cut_everywhere(seed, None).unwrap();
        }
    }

    #[test]
    fn each_sync_of_an_upload_is_needed() {
        let of_files = |path: &Path| path.extension().is_some_and(|e| e == UPLOAD);
        let of_names = |path: &Path| path.ends_with("probes/5a");
        for forgotten in [of_files as fn(&Path) -> bool, of_names] {
            assert!((1..=4).any(|seed| cut_everywhere(seed, Some(forgotten)).is_err()));
        }
    }
}
