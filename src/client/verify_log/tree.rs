//! Merkle tree of a copy of the log, computed again from its leaves on all cores and compared with
//! every tile, while the rules check each leaf in its order.
//!
//! Where leaves and tiles contradict each other, the signed root tells which of the two was
//! changed; the tree goes on with the other, so that one changed leaf is one finding and not one
//! for everything above it.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::details::Details;
use super::error::{LogVerifyError, damage};
use crate::audit::{
    Edge, Entry, Hash, Holds, Opened, Place, Remarks, Rules, TILE_WIDTH, TileId, TileNode, entries,
    leaf_hash, tile_hashes,
};
use crate::calendar::Time;
use crate::client::log_folder::{DETAILS, LogFolder, LogFolderError};
use crate::limits::{MISSING_FILES_MAX, VERIFY_BUNDLES_PER_CORE};

/// A pass over the tree: its input.
pub(super) struct Walk<'w> {
    pub(super) folder: &'w LogFolder,
    pub(super) leaves: u64,
    /// The root that the log signed for so many leaves.
    pub(super) root: Option<Hash>,
    /// Sizes whose roots are wanted, rising.
    pub(super) wanted: &'w [u64],
    pub(super) bounds: &'w [Bound],
}

/// Bounds on the times of all leaves from one on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) first: u64,
    pub(super) not_before: Time,
    pub(super) not_after: Time,
}

/// Result of the pass.
pub(super) struct Walked {
    pub(super) rules: Rules,
    /// The root over all leaves; none where some hashes can't be had.
    pub(super) root: Option<Hash>,
    /// Roots at the sizes that were wanted.
    pub(super) roots: BTreeMap<u64, Hash>,
    /// For each size that was wanted, the time of the first leaf beyond it.
    pub(super) times: BTreeMap<u64, Time>,
    pub(super) violations: Remarks,
    pub(super) files: u64,
}

/// A bundle, hashed.
struct Bundle {
    id: TileId,
    bytes: Vec<u8>,
    /// What the tree goes on with; of other length than the bundle where it can't.
    hashes: Vec<Hash>,
    /// The tile's hashes, where they are others and only the root can tell which are right.
    instead: Option<Vec<Hash>>,
    /// Whether each leaf is the one of its hash; all are, where it is none.
    fits: Option<Vec<bool>>,
    edge: Edge,
    missing: u64,
    violations: Remarks,
}

#[derive(Clone, Copy)]
enum Wrong {
    Leaves,
    Tile,
    Either,
}

/// State of the pass.
struct Way<'w, D> {
    walk: &'w Walk<'w>,
    edge: Edge,
    /// Nodes of higher tiles, from level 1.
    levels: Vec<Vec<Hash>>,
    /// Hashes of the leaves of the last bundle, where it isn't full.
    tail: Vec<Hash>,
    broken: bool,
    missing: u64,
    rules: Rules,
    details: Details<D>,
    bounds: &'w [Bound],
    roots: BTreeMap<u64, Hash>,
    times: BTreeMap<u64, Time>,
    violations: Remarks,
    files: u64,
}

impl Walk<'_> {
    /// Walks from the first leaf to the last, then over the tiles above.
    ///
    /// Errors: a file that is there and can't be read.
    pub(super) fn run<D>(&self, rules: Rules, details: Details<D>) -> Result<Walked, LogVerifyError>
    where
        D: Iterator<
                Item = Result<(usize, crate::client::log_folder::OpenedDetail), LogFolderError>,
            > + Send,
    {
        let mut way = Way {
            walk: self,
            edge: Edge::default(),
            levels: Vec::new(),
            tail: Vec::new(),
            broken: false,
            missing: 0,
            rules,
            details,
            bounds: self.bounds,
            roots: self
                .wanted
                .first()
                .filter(|&&size| size == 0)
                .map(|_| (0, Edge::default().root()))
                .into_iter()
                .collect(),
            times: BTreeMap::new(),
            violations: Remarks::default(),
            files: 0,
        };
        let mut ids = TileId::all(self.leaves).take_while(|id| id.holds == Holds::Entries);
        let at_once = VERIFY_BUNDLES_PER_CORE * rayon::current_num_threads();
        let mut hashed: Vec<Result<Bundle, LogFolderError>> = Vec::new();
        loop {
            let window: Vec<TileId> = ids.by_ref().take(at_once).collect();
            let last = window.is_empty();
            // While the rules see what is hashed, the next bundles are hashed.
            let hash = || window.into_par_iter().map(|id| self.hash(id)).collect();
            let (next, taken) = rayon::join(hash, || {
                hashed.into_iter().try_for_each(|bundle| bundle.map(|bundle| way.take(bundle)))
            });
            taken?;
            hashed = next;
            if way.missing > MISSING_FILES_MAX {
                way.violations.add(
                    Place::Log,
                    format!(
                        "more than {MISSING_FILES_MAX} files are \
                    missing; the rest is not looked for"
                    ),
                );
                way.broken = true;
                break;
            }
            if last {
                break;
            }
        }
        way.higher_tiles()?;
        Ok(way.end())
    }

    fn hash(&self, id: TileId) -> Result<Bundle, LogFolderError> {
        let tile_id = TileId { holds: Holds::Hashes(0), ..id };
        let mut bundle = Bundle {
            id,
            bytes: Vec::new(),
            hashes: Vec::new(),
            instead: None,
            fits: None,
            edge: Edge::default(),
            missing: 0,
            violations: Remarks::default(),
        };
        let tile_bytes = self.read(tile_id, &mut bundle)?;
        let tile = tile_bytes.as_deref().and_then(|bytes| tile_hashes(tile_id, bytes).ok());
        if tile.is_none() && tile_bytes.is_some() {
            bundle.violations.add(
                Place::File { path: tile_id.path() },
                "has not as many hashes as its name says: it was cut or added to",
            );
        }
        let read = self.read(id, &mut bundle)?;
        let whole = read.as_deref().is_some_and(|bytes| entries(id, bytes).is_ok());
        bundle.bytes = read.unwrap_or_default();
        bundle.hashes = split(&bundle.bytes).map(leaf_hash).collect();
        let width = usize::try_from(id.width).expect("a bundle is small");
        match tile {
            Some(tile) if !whole => bundle.torn(tile),
            None if !whole => {
                bundle
                    .violations
                    .add(leaves_of(id), "can't be read, and their hashes are not there either");
                // What is too much at its end is no reason to give up what is before it.
                bundle.hashes.truncate(width);
            }
            Some(tile) if bundle.hashes != tile => {
                let wrong = self.which(id, &bundle.hashes, tile)?;
                bundle.disagrees(tile, wrong);
            }
            _ => {}
        }
        bundle.edge = edge_of(&bundle.hashes);
        Ok(bundle)
    }

    /// A file of the tree; a missing one is a remark.
    fn read(&self, id: TileId, bundle: &mut Bundle) -> Result<Option<Vec<u8>>, LogFolderError> {
        match self.folder.tile(id) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) => {
                let (place, what) = damage(self.folder, e)?;
                bundle.violations.add(place, what);
                bundle.missing += 1;
                Ok(None)
            }
        }
    }

    /// Whether the tile above, of a full bundle, was made of the leaves as they are or of the
    /// tile's hashes.
    fn which(
        &self,
        id: TileId,
        hashes: &[Hash],
        tile: &[Hash],
    ) -> Result<Option<Wrong>, LogFolderError> {
        let above = TileId::at(Holds::Hashes(1), id.index / TILE_WIDTH, self.leaves)
            .filter(|above| id.index < above.first() + above.width);
        let Some(above) = above.filter(|_| id.width == TILE_WIDTH) else { return Ok(None) };
        let node = match self.folder.tile(above) {
            Ok(bytes) => tile_hashes(above, &bytes).ok().and_then(|nodes| {
                nodes.get(usize::try_from(id.index - above.first()).ok()?).copied()
            }),
            Err(e) => damage(self.folder, e).map(|_| None)?,
        };
        Ok(Some(match node {
            Some(node) if node == edge_of(hashes).root() => Wrong::Tile,
            Some(node) if node == edge_of(tile).root() => Wrong::Leaves,
            _ => Wrong::Either,
        }))
    }
}

impl Bundle {
    /// Leaves that can't be told one from the other: the tile says what they were.
    fn torn(&mut self, tile: &[Hash]) {
        let fits: Vec<bool> =
            tile.iter().enumerate().map(|(at, hash)| self.hashes.get(at) == Some(hash)).collect();
        let good = fits.iter().take_while(|&&fits| fits).count();
        if !self.bytes.is_empty() {
            let what = format!(
                "is damaged: the first {good} of its {} leaves are as they were",
                self.id.width
            );
            self.violations.add(Place::File { path: self.id.path() }, what);
        }
        if good < fits.len() {
            let place = Place::Leaves {
                first: self.id.first() + good as u64,
                end: self.id.first() + self.id.width,
            };
            self.violations
                .add(place, "missing, or not where they were in the tree that was signed");
        }
        (self.hashes, self.fits) = (tile.to_vec(), Some(fits));
    }

    fn disagrees(&mut self, tile: &[Hash], wrong: Option<Wrong>) {
        let Some(wrong) = wrong else {
            self.instead = Some(tile.to_vec());
            return;
        };
        let path = TileId { holds: Holds::Hashes(0), ..self.id }.path();
        let fits: Vec<bool> =
            self.hashes.iter().zip(tile).map(|(hash, tile)| hash == tile).collect();
        for position in (0..).zip(&fits).filter(|(_, fits)| !**fits).map(|(position, _)| position) {
            let leaf = self.id.first() + position;
            match wrong {
                Wrong::Leaves => self.violations.add(
                    Place::leaf(leaf),
                    "is not the leaf that was signed: it was changed or exchanged",
                ),
                Wrong::Tile => {
                    let what = format!(
                        "is not the hash of leaf {leaf}, while the leaf is the one that was \
                         signed: this file was changed"
                    );
                    self.violations.add(Place::Hash { path: path.clone(), position }, what);
                }
                Wrong::Either => {
                    let what = format!(
                        "does not fit its hash in {path}, and what stands above can't tell which \
                         of the two was changed"
                    );
                    self.violations.add(Place::leaf(leaf), what);
                }
            }
        }
        if matches!(wrong, Wrong::Leaves) {
            (self.hashes, self.fits) = (tile.to_vec(), Some(fits));
            self.edge = edge_of(&self.hashes);
        }
    }
}

impl<D: Iterator<Item = Result<(usize, crate::client::log_folder::OpenedDetail), LogFolderError>>>
    Way<'_, D>
{
    fn take(&mut self, mut bundle: Bundle) {
        let first = bundle.id.first();
        if let Some(tile) = bundle.instead.take() {
            // The last bundle isn't full, so nothing but the root stands above it.
            let root_with = |hashes: &[Hash]| {
                let mut edge = self.edge.clone();
                edge.join(&edge_of(hashes));
                Some(edge.root())
            };
            let wrong = match self.walk.root {
                root if root == root_with(&bundle.hashes) => Wrong::Tile,
                root if root == root_with(&tile) => Wrong::Leaves,
                _ => Wrong::Either,
            };
            bundle.disagrees(&tile, Some(wrong));
        }
        self.violations.append(std::mem::take(&mut bundle.violations));
        self.missing += bundle.missing;
        self.files += 2 - bundle.missing;
        self.broken |= bundle.hashes.len() as u64 != bundle.id.width;
        self.leaves(&bundle);
        self.roots(&bundle);
        if !self.broken {
            let levels = &mut self.levels;
            self.edge.join_telling(&bundle.edge, &mut |TileNode { level, hash, .. }| {
                let level = usize::from(level);
                levels.resize_with(levels.len().max(level), Vec::new);
                levels[level - 1].push(hash);
            });
            if bundle.id.width < TILE_WIDTH {
                self.tail = bundle.hashes;
            }
        }
        debug_assert!(self.broken || self.edge.leaves() == first + bundle.id.width);
    }

    /// Lets the rules see the bundle's leaves.
    fn leaves(&mut self, bundle: &Bundle) {
        let mut leaves = split(&bundle.bytes);
        for index in bundle.id.first()..bundle.id.first() + bundle.id.width {
            if let Some((bound, rest)) =
                self.bounds.split_first().filter(|(bound, _)| bound.first <= index)
            {
                self.rules.bound(bound.not_before, bound.not_after);
                self.bounds = rest;
            }
            let at = usize::try_from(index - bundle.id.first()).expect("a bundle is small");
            let fits = bundle.fits.as_ref().is_none_or(|fits| fits[at]);
            let leaf = leaves.next().filter(|_| fits).map(Entry::read);
            let given = self.details.of(index);
            match leaf {
                Some(Ok(entry)) => {
                    let edge = &self.edge;
                    let mut root = || {
                        let mut edge = edge.clone();
                        edge.join(&edge_of(&bundle.hashes[..=at]));
                        edge.root()
                    };
                    let opened = given.as_ref().map(|(line, salt, detail)| Opened {
                        salt,
                        text: &detail.detail,
                        place: Place::Line { path: DETAILS.to_owned(), line: *line },
                    });
                    self.rules.leaf(&entry, opened, &mut root);
                    self.time(index, entry.time());
                }
                Some(Err(e)) => {
                    self.violations.add(Place::leaf(index), format!("is no leaf of a log: {e}"));
                    self.rules.unread();
                }
                None => self.rules.unread(),
            }
        }
    }

    fn time(&mut self, index: u64, time: Time) {
        while let Some(&size) =
            self.walk.wanted.get(self.times.len()).filter(|&&size| size <= index)
        {
            self.times.insert(size, time);
        }
    }

    /// Takes the roots that are wanted within this bundle.
    fn roots(&mut self, bundle: &Bundle) {
        let first = bundle.id.first();
        let (mut edge, mut done) = (None, 0);
        let from = self.walk.wanted.partition_point(|&size| size <= first);
        for &size in self.walk.wanted[from..]
            .iter()
            .take_while(|&&size| size <= first + bundle.id.width)
            .filter(|_| !self.broken)
        {
            let edge = edge.get_or_insert_with(|| self.edge.clone());
            let upto = usize::try_from(size - first).expect("a bundle is small");
            for hash in &bundle.hashes[done..upto] {
                edge.append_hash(*hash, &mut |_| {});
            }
            done = upto;
            self.roots.insert(size, edge.root());
        }
    }

    /// Holds what was hashed against the tiles above the lowest.
    fn higher_tiles(&mut self) -> Result<(), LogVerifyError> {
        let mut differ: BTreeMap<u8, Vec<(TileId, u64, Hash)>> = BTreeMap::new();
        // Not by way of all tiles, of which a size that nobody signed may promise without end.
        let leaves = self.walk.leaves;
        let of_level = |level| {
            (0..).map_while(move |index| {
                Some((TileId::at(Holds::Hashes(level), index, leaves)?, level))
            })
        };
        for (id, level) in (1..8).flat_map(of_level) {
            if self.missing > MISSING_FILES_MAX {
                break;
            }
            let bytes = match self.walk.folder.tile(id) {
                Ok(bytes) => bytes,
                Err(e) => {
                    let (place, what) = damage(self.walk.folder, e)?;
                    self.violations.add(place, what);
                    self.missing += 1;
                    continue;
                }
            };
            self.files += 1;
            let Ok(stored) = tile_hashes(id, &bytes) else {
                self.violations.add(
                    Place::File { path: id.path() },
                    "has not as many hashes as its name says: it was cut or added to",
                );
                continue;
            };
            let first = usize::try_from(id.first()).unwrap_or(usize::MAX);
            let hashed = self
                .levels
                .get(usize::from(level) - 1)
                .and_then(|nodes| nodes.get(first..))
                .unwrap_or_default();
            let off = (id.first()..)
                .zip(hashed.iter().zip(stored))
                .filter(|(_, (hashed, stored))| hashed != stored);
            differ
                .entry(level)
                .or_default()
                .extend(off.map(|(index, (_, stored))| (id, index, *stored)));
        }
        let signed = self.walk.root.filter(|_| !self.broken);
        let stale = signed.filter(|root| *root != self.edge.root());
        // Below the first level whose stored nodes make the signed root, leaves and tiles were
        // changed together.
        let right = stale
            .and_then(|root| {
                differ.iter().find(|(level, nodes)| self.root_with(**level, nodes) == root)
            })
            .map(|(&level, _)| level);
        for (level, nodes) in &differ {
            for (id, index, _) in nodes {
                let place = Place::Hash { path: id.path(), position: index - id.first() };
                if right == Some(*level) {
                    let leaves = TILE_WIDTH.pow(u32::from(*level));
                    let below = Place::Leaves { first: index * leaves, end: (index + 1) * leaves };
                    let what = format!(
                        "changed together with their hashes below; {place} is still of what was \
                         signed"
                    );
                    self.violations.add(below, what);
                } else if right.is_none() {
                    let what = if stale.is_some() {
                        "does not fit the leaves below it"
                    } else {
                        "does not fit what stands below it, which is what was signed: this file \
                         was changed"
                    };
                    self.violations.add(place, what);
                }
            }
        }
        Ok(())
    }

    /// The root over the stored nodes of a level, and what was hashed of the leaves that it doesn't
    /// reach.
    fn root_with(&self, level: u8, stored: &[(TileId, u64, Hash)]) -> Hash {
        let mut edge = Edge::default();
        let mut nodes = self.levels.get(usize::from(level) - 1).cloned().unwrap_or_default();
        for (_, index, hash) in stored {
            if let Some(node) = usize::try_from(*index).ok().and_then(|index| nodes.get_mut(index))
            {
                *node = *hash;
            }
        }
        let mut height = 8 * u32::from(level);
        nodes.iter().for_each(|node| edge.join(&subtree(height, node)));
        for below in (0..usize::from(level)).rev() {
            height -= 8;
            let nodes = if below == 0 { &self.tail[..] } else { &self.levels[below - 1][..] };
            // What the level above has in full is joined already.
            let done = if below == 0 {
                0
            } else {
                usize::try_from(edge.leaves() >> height).unwrap_or(usize::MAX)
            };
            nodes.iter().skip(done).for_each(|node| edge.join(&subtree(height, node)));
        }
        edge.root()
    }

    fn end(mut self) -> Walked {
        self.violations.append(self.details.end(self.walk.leaves));
        let root = (!self.broken).then(|| self.edge.root());
        Walked {
            rules: self.rules,
            root,
            roots: self.roots,
            times: self.times,
            violations: self.violations,
            files: self.files,
        }
    }
}

/// The leaves of a bundle as far as they can be told one from the other.
fn split(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<2>()?;
        let (leaf, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        bytes = rest;
        Some(leaf)
    })
}

fn edge_of(hashes: &[Hash]) -> Edge {
    let mut edge = Edge::default();
    for hash in hashes {
        edge.append_hash(*hash, &mut |_| {});
    }
    edge
}

fn subtree(height: u32, hash: &Hash) -> Edge {
    Edge::from_bytes(&[&(1_u64 << height).to_le_bytes(), &hash[..]].concat())
        .expect("a perfect subtree is one hash")
}

fn leaves_of(id: TileId) -> Place {
    Place::Leaves { first: id.first(), end: id.first() + id.width }
}
