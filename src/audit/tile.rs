//! Tiles and entry bundles (C2SP `tlog-tiles`): where they are asked for and what lies in them.
//!
//! A tile is up to 256 hashes of one level on end; a bundle is up to 256 leaves, each behind its
//! length in two bytes, big-endian. The same paths name resources at the door and files in a
//! folder.

use super::AuditError;
use super::tree::{Hash, TILE_WIDTH};

const HASH_BYTES: usize = 32;

/// A tile or bundle that a tree has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TileId {
    /// What it holds.
    pub holds: Holds,
    /// Its index within its level.
    pub index: u64,
    /// How many hashes or leaves it holds, 1 to 256.
    pub width: u64,
}

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Holds {
    /// Leaves.
    Entries,
    /// Hashes of a level; 0 are those of leaves.
    Hashes(u8),
}

impl TileId {
    /// All tiles and bundles of a tree of this size; bundles first, then level by level.
    pub fn all(leaves: u64) -> impl Iterator<Item = Self> {
        Self::since(0, leaves)
    }

    /// Those that a tree of this size has and one of `old` leaves has not, or only with fewer in
    /// them.
    pub fn since(old: u64, leaves: u64) -> impl Iterator<Item = Self> {
        let levels = (0..8).map(Holds::Hashes).take_while(move |holds| holds.count(leaves) > 0);
        std::iter::once(Holds::Entries).chain(levels).flat_map(move |holds| {
            let count = holds.count(leaves);
            let whole = holds.count(old) / TILE_WIDTH;
            let first = if holds.count(old) == count { count.div_ceil(TILE_WIDTH) } else { whole };
            (first..count.div_ceil(TILE_WIDTH)).map(move |index| Self {
                holds,
                index,
                width: (count - index * TILE_WIDTH).min(TILE_WIDTH),
            })
        })
    }

    /// The tile or bundle of this index in a tree of this size; none where it is empty.
    pub fn at(holds: Holds, index: u64, leaves: u64) -> Option<Self> {
        let width =
            holds.count(leaves).checked_sub(index.checked_mul(TILE_WIDTH)?)?.min(TILE_WIDTH);
        (width > 0).then_some(Self { holds, index, width })
    }

    /// Whether a tree of this size has it.
    pub fn is_of(&self, leaves: u64) -> bool {
        let end =
            self.index.checked_mul(TILE_WIDTH).and_then(|first| first.checked_add(self.width));
        end.is_some_and(|end| end <= self.holds.count(leaves))
    }

    /// Index of its first leaf or hash within its level.
    pub fn first(&self) -> u64 {
        self.index * TILE_WIDTH
    }

    /// Its path below the log's prefix.
    pub fn path(&self) -> String {
        let level = match self.holds {
            Holds::Entries => "entries".to_owned(),
            Holds::Hashes(level) => level.to_string(),
        };
        let mut number = format!("{:03}", self.index % 1000);
        let mut above = self.index / 1000;
        while above > 0 {
            number = format!("x{:03}/{number}", above % 1000);
            above /= 1000;
        }
        let part =
            if self.width == TILE_WIDTH { String::new() } else { format!(".p/{}", self.width) };
        format!("tile/{level}/{number}{part}")
    }

    /// Reads a path, with or without `tile/` before it.
    ///
    /// Errors: any other form; a number is written in one way only.
    pub fn parse(path: &str) -> Result<Self, AuditError> {
        let wrong = || AuditError::TilePath { found: path.chars().take(80).collect() };
        let rest = path.strip_prefix("tile/").unwrap_or(path);
        let (level, rest) = rest.split_once('/').ok_or_else(wrong)?;
        let holds = match level {
            "entries" => Holds::Entries,
            level => Holds::Hashes(level.parse().ok().filter(|&l| l < 8).ok_or_else(wrong)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (
                number,
                width.parse().ok().filter(|w| (1..TILE_WIDTH).contains(w)).ok_or_else(wrong)?,
            ),
            None => (rest, TILE_WIDTH),
        };
        let digits = |element: &str| {
            element.strip_prefix('x').unwrap_or(element).parse::<u64>().ok().filter(|&n| n < 1000)
        };
        let mut index = 0u64;
        for element in number.split('/') {
            index = digits(element)
                .and_then(|n| index.checked_mul(1000)?.checked_add(n))
                .ok_or_else(wrong)?;
        }
        let id = Self { holds, index, width };
        // Nothing but its own spelling names it.
        if id.path().strip_prefix("tile/") == path.strip_prefix("tile/").or(Some(path)) {
            Ok(id)
        } else {
            Err(wrong())
        }
    }
}

impl Holds {
    /// How many leaves or hashes a level has in a tree of this size.
    pub fn count(self, leaves: u64) -> u64 {
        match self {
            Self::Entries => leaves,
            Self::Hashes(level) => leaves.checked_shr(8 * u32::from(level)).unwrap_or(0),
        }
    }
}

/// The bytes of a tile.
pub fn tile_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

/// The hashes of a tile.
///
/// Errors: other than `width` hashes.
pub fn tile_hashes(id: TileId, bytes: &[u8]) -> Result<&[Hash], AuditError> {
    let (hashes, torn) = bytes.as_chunks::<HASH_BYTES>();
    let fits = torn.is_empty() && hashes.len() as u64 == id.width;
    fits.then_some(hashes).ok_or_else(|| AuditError::Tile {
        path: id.path(),
        reason: "it has not as many hashes as its path says",
    })
}

/// Adds a leaf to a bundle.
pub fn push_entry(bundle: &mut Vec<u8>, leaf: &[u8]) {
    let bytes = u16::try_from(leaf.len()).expect("a leaf's lists are bounded");
    bundle.extend_from_slice(&bytes.to_be_bytes());
    bundle.extend_from_slice(leaf);
}

/// The leaves of a bundle, where they lie.
///
/// Errors: other than `width` leaves, or a torn one.
pub fn entries(id: TileId, bundle: &[u8]) -> Result<Vec<&[u8]>, AuditError> {
    let wrong = |reason| AuditError::Tile { path: id.path(), reason };
    let mut leaves = Vec::with_capacity(usize::try_from(id.width).expect("a tile is small"));
    let mut rest = bundle;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (leaf, after) = after
            .split_at_checked(usize::from(u16::from_be_bytes(*length)))
            .ok_or(wrong("an entry of it is torn"))?;
        leaves.push(leaf);
        rest = after;
    }
    let whole = rest.is_empty() && leaves.len() as u64 == id.width;
    whole.then_some(leaves).ok_or(wrong("it has not as many entries as its path says"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_of_seventy_thousand_has_the_tiles_of_the_specifications_example() {
        let tiles: Vec<TileId> = TileId::all(70_000).collect();
        let of = |holds| {
            tiles.iter().filter(move |t| t.holds == holds).map(|t| t.width).collect::<Vec<_>>()
        };
        assert_eq!((of(Holds::Hashes(0)).len(), of(Holds::Hashes(0))[273]), (274, 112));
        assert_eq!(of(Holds::Hashes(1)), [256, 17]);
        assert_eq!(of(Holds::Hashes(2)), [1]);
        assert_eq!(of(Holds::Entries).len(), 274);
        assert!(
            tiles.iter().all(|tile| tile.is_of(70_000)
                && TileId::at(tile.holds, tile.index, 70_000) == Some(*tile))
        );
        assert_eq!(TileId::at(Holds::Hashes(2), 1, 70_000), None);
    }

    #[test]
    fn what_came_since_is_what_a_mirror_lacks() {
        for (old, new) in [(0, 5), (5, 5), (5, 300), (256, 256), (256, 512), (700, 70_000)] {
            let before: std::collections::HashSet<TileId> = TileId::all(old).collect();
            let lacking: Vec<TileId> =
                TileId::all(new).filter(|tile| !before.contains(tile)).collect();
            assert_eq!(TileId::since(old, new).collect::<Vec<_>>(), lacking, "{old} to {new}");
        }
    }

    #[test]
    fn a_path_survives_being_read_and_no_other_spelling_names_the_same_tile() {
        let id = |holds, index, width| TileId { holds, index, width };
        for (tile, path) in [
            (id(Holds::Hashes(0), 0, 256), "tile/0/000"),
            (id(Holds::Hashes(2), 1_234_067, 256), "tile/2/x001/x234/067"),
            (id(Holds::Entries, 273, 112), "tile/entries/273.p/112"),
        ] {
            assert_eq!(tile.path(), path);
            assert_eq!((TileId::parse(path), TileId::parse(&path[5..])), (Ok(tile), Ok(tile)));
        }
        for wrong in [
            "",
            "0",
            "0/0",
            "0/0000",
            "00/000",
            "8/000",
            "0/x000/001",
            "0/001/000",
            "0/000.p/0",
            "0/000.p/256",
            "0/000.p/01",
            "data/000",
            "0/+01",
            "0/000/",
        ] {
            assert!(matches!(TileId::parse(wrong), Err(AuditError::TilePath { .. })), "{wrong}");
        }
    }

    #[test]
    fn a_bundle_gives_its_leaves_back_and_a_torn_one_is_refused() {
        let id = TileId { holds: Holds::Entries, index: 0, width: 3 };
        let leaves: [&[u8]; 3] = [b"one", b"", &[7; 300]];
        let mut bundle = Vec::new();
        leaves.iter().for_each(|leaf| push_entry(&mut bundle, leaf));
        assert_eq!(entries(id, &bundle).unwrap(), leaves);
        assert!(
            entries(id, &bundle[..bundle.len() - 1]).is_err()
                && entries(id, &[&bundle[..], &[0]].concat()).is_err()
        );
        assert!(entries(TileId { width: 2, ..id }, &bundle).is_err());
        let tile = TileId { holds: Holds::Hashes(0), ..id };
        assert_eq!(
            tile_hashes(tile, &tile_bytes(&[[1; 32], [2; 32], [3; 32]])).unwrap(),
            [[1; 32], [2; 32], [3; 32]]
        );
        assert!(tile_hashes(tile, &[0; 95]).is_err());
    }
}
