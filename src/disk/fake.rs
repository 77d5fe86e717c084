//! A disk that keeps nothing that wasn't synced: at a power cut each unsynced write, size, name and
//! removal is kept, dropped or torn, one by one and in no order.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use smrt::disk::{Disk, DiskFile, OpenMode};

const SECTOR_BYTES: usize = 512;

/// A disk in memory.
#[derive(Clone)]
pub(crate) struct FakeDisk(Arc<Mutex<State>>);

/// Which syncs do nothing though they say that they did: a build that forgot them.
pub(crate) type Forgotten = fn(&Path) -> bool;

#[derive(Clone, Default)]
struct State {
    files: HashMap<u64, Content>,
    names: BTreeMap<PathBuf, u64>,
    folders: BTreeSet<PathBuf>,
    durable_names: BTreeMap<PathBuf, u64>,
    durable_folders: BTreeSet<PathBuf>,
    unsynced_names: Vec<NameChange>,
    next_file: u64,
    operations: u64,
    cut_at: Option<u64>,
    full_at: Option<u64>,
    forgotten: Option<Forgotten>,
    held: BTreeSet<PathBuf>,
}

#[derive(Clone, Default)]
struct Content {
    live: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Size(usize),
}

#[derive(Clone)]
enum NameChange {
    Made(PathBuf, u64),
    Renamed(PathBuf, PathBuf, u64),
    Removed(PathBuf),
    Folder(PathBuf),
}

/// A small reproducible source of choices.
pub(crate) struct Choices(u64);

impl Choices {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

impl FakeDisk {
    /// An empty disk with one folder.
    pub(crate) fn with_folder(folder: &Path) -> Self {
        let folders = BTreeSet::from([folder.to_owned()]);
        Self(Arc::new(Mutex::new(State {
            folders: folders.clone(),
            durable_folders: folders,
            ..State::default()
        })))
    }

    /// A disk of its own with the same content, all of it durable.
    pub(crate) fn copy(&self) -> Self {
        let mut state = self.state().clone();
        state.settle();
        Self(Arc::new(Mutex::new(state)))
    }

    /// How many operations have changed or synced anything.
    pub(crate) fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Cuts the power at this operation, counted from 0 as `operations` does.
    pub(crate) fn cut_at(&self, operation: u64) {
        self.state().cut_at = Some(operation);
    }

    /// Has no room for any file's growth from this operation on; `None` gives room again.
    pub(crate) fn full_at(&self, operation: Option<u64>) {
        self.state().full_at = operation;
    }

    /// Makes syncs of these paths do nothing.
    pub(crate) fn forget(&self, forgotten: Forgotten) {
        self.state().forgotten = Some(forgotten);
    }

    /// What a restart finds: what was synced, and of the rest what these choices keep.
    pub(crate) fn after_cut(&self, choices: &mut Choices) -> Self {
        let mut state = self.state().clone();
        for change in std::mem::take(&mut state.unsynced_names) {
            if choices.below(2) == 0 {
                state.keep_name(change);
            }
        }
        // A file whose folder was lost is lost too.
        let folders = state.durable_folders.clone();
        state
            .durable_names
            .retain(|path, _| path.parent().is_some_and(|folder| folders.contains(folder)));
        for content in state.files.values_mut() {
            content.survive(choices);
        }
        state.names = state.durable_names.clone();
        state.folders = state.durable_folders.clone();
        (state.cut_at, state.full_at, state.operations) = (None, None, 0);
        state.held.clear();
        Self(Arc::new(Mutex::new(state)))
    }

    /// The files with a name.
    pub(crate) fn names(&self) -> Vec<PathBuf> {
        self.state().names.keys().cloned().collect()
    }

    /// All bytes of all files, those without a name included, synced or not: what a thief of the
    /// medium reads.
    pub(crate) fn medium(&self) -> Vec<Vec<u8>> {
        self.state()
            .files
            .values()
            .flat_map(|content| [content.live.clone(), content.durable.clone()])
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl State {
    /// Counts an operation; from the cut on, all fail.
    fn operate(&mut self) -> io::Result<()> {
        let at = self.operations;
        self.operations += 1;
        match self.cut_at {
            Some(cut) if at >= cut => Err(io::Error::other("the power is cut")),
            _ => Ok(()),
        }
    }

    /// The operation at which the power goes may still reach the medium.
    fn reaches_medium(&self) -> bool {
        self.cut_at.is_none_or(|cut| self.operations <= cut + 1)
    }

    fn room_for_growth(&self) -> io::Result<()> {
        match self.full_at {
            Some(full) if self.operations > full => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    fn is_forgotten(&self, path: &Path) -> bool {
        self.forgotten.is_some_and(|forgotten| forgotten(path))
    }

    fn keep_name(&mut self, change: NameChange) {
        match change {
            NameChange::Made(path, file) => drop(self.durable_names.insert(path, file)),
            NameChange::Renamed(from, to, file) => {
                self.durable_names.remove(&from);
                self.durable_names.insert(to, file);
            }
            NameChange::Removed(path) => drop(self.durable_names.remove(&path)),
            NameChange::Folder(path) => drop(self.durable_folders.insert(path)),
        }
    }

    fn settle(&mut self) {
        (self.durable_names, self.durable_folders) = (self.names.clone(), self.folders.clone());
        self.unsynced_names.clear();
        for content in self.files.values_mut() {
            content.durable = content.live.clone();
            content.unsynced.clear();
        }
        self.operations = 0;
        self.held.clear();
    }
}

impl NameChange {
    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Made(path, _)
            | Self::Renamed(_, path, _)
            | Self::Removed(path)
            | Self::Folder(path) => path.parent(),
        }
    }
}

impl Content {
    fn apply(bytes: &mut Vec<u8>, change: &Change) {
        match change {
            Change::Size(size) => bytes.resize(*size, 0),
            Change::Write { offset, bytes: written } => {
                bytes.resize(bytes.len().max(offset + written.len()), 0);
                bytes[*offset..offset + written.len()].copy_from_slice(written);
            }
        }
    }

    fn change(&mut self, change: Change) {
        Self::apply(&mut self.live, &change);
        self.unsynced.push(change);
    }

    fn survive(&mut self, choices: &mut Choices) {
        for change in std::mem::take(&mut self.unsynced) {
            match (choices.below(3), &change) {
                (0, _) => Self::apply(&mut self.durable, &change),
                (1, Change::Write { offset, bytes }) => {
                    // Torn: some of its sectors.
                    let mut at = 0;
                    while at < bytes.len() {
                        let end =
                            (at + SECTOR_BYTES - (offset + at) % SECTOR_BYTES).min(bytes.len());
                        if choices.below(2) == 0 {
                            Self::apply(
                                &mut self.durable,
                                &Change::Write {
                                    offset: offset + at,
                                    bytes: bytes[at..end].to_vec(),
                                },
                            );
                        }
                        at = end;
                    }
                }
                _ => {}
            }
        }
        self.live = self.durable.clone();
    }
}

impl std::fmt::Debug for FakeDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FakeDisk")
    }
}

impl Disk for FakeDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state();
        let file = match (state.names.get(path).copied(), mode) {
            (Some(file), OpenMode::Existing) => file,
            (None, OpenMode::Existing) => return Err(io::ErrorKind::NotFound.into()),
            (Some(_), OpenMode::New) => return Err(io::ErrorKind::AlreadyExists.into()),
            (None, OpenMode::New) => {
                if !path.parent().is_some_and(|folder| state.folders.contains(folder)) {
                    return Err(io::ErrorKind::NotFound.into());
                }
                state.operate()?;
                state.room_for_growth()?;
                let file = state.next_file;
                state.next_file += 1;
                state.files.insert(file, Content::default());
                state.names.insert(path.to_owned(), file);
                state.unsynced_names.push(NameChange::Made(path.to_owned(), file));
                file
            }
        };
        Ok(Arc::new(FakeFile { disk: self.clone(), path: path.to_owned(), file }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        let cut = state.operate();
        if state.reaches_medium() {
            let file = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
            state.names.insert(to.to_owned(), file);
            state.unsynced_names.push(NameChange::Renamed(from.to_owned(), to.to_owned(), file));
        }
        cut
    }

    fn unlink(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        if !state.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let cut = state.operate();
        if state.reaches_medium() {
            state.names.remove(path);
            state.unsynced_names.push(NameChange::Removed(path.to_owned()));
        }
        cut
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        if state.folders.contains(path) {
            return Ok(());
        }
        state.operate()?;
        state.folders.insert(path.to_owned());
        state.unsynced_names.push(NameChange::Folder(path.to_owned()));
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let state = self.state();
        if !state.folders.contains(folder) {
            return Err(io::ErrorKind::NotFound.into());
        }
        // Paths sort by their components: what is below a folder comes right after it.
        let names = state
            .names
            .range::<Path, _>((Bound::Included(folder), Bound::Unbounded))
            .map(|(path, _)| path)
            .take_while(|path| path.starts_with(folder));
        let folders = state
            .folders
            .range::<Path, _>((Bound::Included(folder), Bound::Unbounded))
            .take_while(|path| path.starts_with(folder));
        let mut paths: Vec<PathBuf> =
            names.chain(folders).filter(|path| path.parent() == Some(folder)).cloned().collect();
        paths.sort();
        Ok(paths)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.operate()?;
        if state.is_forgotten(folder) {
            return Ok(());
        }
        let (synced, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut state.unsynced_names)
            .into_iter()
            .partition(|change| change.folder() == Some(folder));
        state.unsynced_names = waiting;
        for change in synced {
            state.keep_name(change);
        }
        Ok(())
    }

    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(1 << 40)
    }

    fn lock(&self, folder: &Path) -> io::Result<Box<dyn Send + Sync>> {
        if !self.state().held.insert(folder.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Held(self.clone(), folder.to_owned())))
    }
}

struct Held(FakeDisk, PathBuf);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.state().held.remove(&self.1);
    }
}

#[derive(Debug)]
struct FakeFile {
    disk: FakeDisk,
    path: PathBuf,
    file: u64,
}

impl FakeFile {
    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.disk.state();
        let cut = state.operate();
        let grows = match &change {
            Change::Write { offset, bytes } => {
                offset + bytes.len() > state.files[&self.file].live.len()
            }
            Change::Size(size) => *size > state.files[&self.file].live.len(),
        };
        if grows {
            state.room_for_growth()?;
        }
        if state.reaches_medium() {
            state.files.get_mut(&self.file).expect("files are never forgotten").change(change);
        }
        cut
    }
}

impl DiskFile for FakeFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[&self.file].live.len() as u64)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.disk.state();
        let live = &state.files[&self.file].live;
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        let from = live.get(offset..offset + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(from);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.change(Change::Write {
            offset: usize::try_from(offset).map_err(io::Error::other)?,
            bytes: bytes.to_vec(),
        })
    }

    fn set_size(&self, size: u64) -> io::Result<()> {
        self.change(Change::Size(usize::try_from(size).map_err(io::Error::other)?))
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        state.operate()?;
        if state.is_forgotten(&self.path) {
            return Ok(());
        }
        let content = state.files.get_mut(&self.file).expect("files are never forgotten");
        content.durable = content.live.clone();
        content.unsynced.clear();
        Ok(())
    }
}
