//! The RFC 6962 tree, grown by its right edge: for each bit that is set in the number of leaves,
//! the hash of that perfect subtree.
//!
//! The edge is all that appending needs, so a commit writes some hundred bytes however long the log
//! is. A test holds each root against the crate `ct-merkle`, which keeps all leaves in memory and
//! so doesn't serve here.

use aws_lc_rs::digest::{Context, SHA256, digest};

use super::AuditError;

/// The hash of a node.
pub type Hash = [u8; 32];
/// Levels of the tree from one tile to the one above.
pub(super) const TILE_HEIGHT: u32 = 8;
/// Hashes of a full tile, and leaves of a full bundle.
pub const TILE_WIDTH: u64 = 1 << TILE_HEIGHT;

/// Bytes that are hashed in one go: a prefix and more than the largest leaf of this version.
const HASHED_AT_ONCE_BYTES: usize = 192;
const LEAF_PREFIX: [u8; 1] = [0];
const NODE_PREFIX: [u8; 1] = [1];

/// The hash of a leaf's bytes.
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    hash([&LEAF_PREFIX, leaf])
}

/// The hash of a node over its two halves.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut halves = [0; 64];
    halves[..32].copy_from_slice(left);
    halves[32..].copy_from_slice(right);
    hash([&NODE_PREFIX, &halves])
}

/// A node that stands in a tile above the lowest: over 256^level leaves, the first of them at index
/// * 256^level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileNode {
    /// Level of the tile, from 1.
    pub level: u8,
    /// Index of the node among those of its level.
    pub index: u64,
    /// Its hash.
    pub hash: Hash,
}

/// The right edge of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    leaves: u64,
    /// Perfect subtrees, the largest first.
    subtrees: Vec<Hash>,
}

impl Edge {
    /// Number of leaves.
    pub fn leaves(&self) -> u64 {
        self.leaves
    }

    /// Appends a leaf and gives its index.
    pub fn append(&mut self, leaf: &[u8]) -> u64 {
        self.append_hash(leaf_hash(leaf), &mut |_| {})
    }

    /// Appends a leaf by its hash and gives its index; tells of every node of a higher tile that is
    /// whole by it.
    pub fn append_hash(&mut self, leaf: Hash, whole: &mut dyn FnMut(TileNode)) -> u64 {
        let index = self.leaves;
        self.grow(leaf, 0, whole);
        index
    }

    /// Appends the leaves of a tree that another thread has hashed.
    ///
    /// Shapes: this tree's size is a multiple of a power of two that is at least the other's size.
    pub fn join(&mut self, next: &Self) {
        self.join_telling(next, &mut |_| {});
    }

    /// Joins as `join` does; tells of every node of a higher tile that is whole by it, the other's
    /// largest subtrees included.
    pub fn join_telling(&mut self, next: &Self, whole: &mut dyn FnMut(TileNode)) {
        let aligned = next.leaves <= 1 || self.leaves.trailing_zeros() > (next.leaves - 1).ilog2();
        assert!(aligned, "{} leaves can't be joined to {}", next.leaves, self.leaves);
        // Its subtrees are the largest first, as the set bits of its size.
        let heights = (0..u64::BITS).rev().filter(|height| next.leaves & (1 << height) != 0);
        for (&subtree, height) in next.subtrees.iter().zip(heights) {
            self.grow(subtree, height, whole);
        }
    }

    /// Appends a perfect subtree of 2^height leaves.
    fn grow(&mut self, mut node: Hash, height: u32, whole: &mut dyn FnMut(TileNode)) {
        let mut tell = |height: u32, hash| {
            if height > 0 && height.is_multiple_of(TILE_HEIGHT) {
                let level =
                    u8::try_from(height / TILE_HEIGHT).expect("a tree is no higher than 64");
                whole(TileNode { level, index: self.leaves >> height, hash });
            }
        };
        tell(height, node);
        for above in 1..=(self.leaves >> height).trailing_ones() {
            let left = self.subtrees.pop().expect("each set bit of the size has its subtree");
            node = node_hash(&left, &node);
            tell(height + above, node);
        }
        self.subtrees.push(node);
        self.leaves += 1 << height;
    }

    /// The root over all leaves; of none, the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut from_right = self.subtrees.iter().rev();
        let Some(&smallest) = from_right.next() else { return hash([&[], &[]]) };
        from_right.fold(smallest, |right, left| node_hash(left, &right))
    }

    /// The edge as it is stored: the number of leaves (8 bytes, little-endian), then 32 bytes a
    /// subtree.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.leaves.to_le_bytes().to_vec();
        bytes.extend(self.subtrees.iter().flatten());
        bytes
    }

    /// Reads what `to_bytes` wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AuditError> {
        let (leaves, rest) = bytes.split_first_chunk::<8>().ok_or(AuditError::Edge {
            found: bytes.len(),
            leaves: 0,
            wanted: 8,
        })?;
        let leaves = u64::from_le_bytes(*leaves);
        let wanted = 8 + 32 * usize::try_from(leaves.count_ones()).expect("at most 64");
        if bytes.len() != wanted {
            return Err(AuditError::Edge { found: bytes.len(), leaves, wanted });
        }
        Ok(Self { leaves, subtrees: rest.as_chunks::<32>().0.to_vec() })
    }
}

/// In one go where it fits, as nodes and all leaves of today do: that takes a quarter less time
/// than feeding a context piece by piece.
fn hash(parts: [&[u8]; 2]) -> Hash {
    let mut bytes = [0; HASHED_AT_ONCE_BYTES];
    let length = parts[0].len() + parts[1].len();
    let digest = match bytes.get_mut(..length) {
        Some(whole) => {
            let (first, second) = whole.split_at_mut(parts[0].len());
            first.copy_from_slice(parts[0]);
            second.copy_from_slice(parts[1]);
            digest(&SHA256, whole)
        }
        None => {
            let mut context = Context::new(&SHA256);
            parts.iter().for_each(|part| context.update(part));
            context.finish()
        }
    };
    digest.as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ct_merkle::mem_backed_tree::MemoryBackedTree;

    #[test]
    fn every_root_equals_that_of_an_independent_tree() {
        let mut edge = Edge::default();
        let mut oracle = MemoryBackedTree::<sha2::Sha256, Vec<u8>>::new();
        assert_eq!(edge.root(), oracle.root().as_bytes().as_slice());
        for index in 0..300u64 {
            let leaf = index.to_le_bytes().repeat(usize::try_from(index % 5).unwrap());
            assert_eq!(edge.append(&leaf), index);
            oracle.push(leaf);
            assert_eq!(edge.root(), oracle.root().as_bytes().as_slice(), "{index}");
            assert_eq!(Edge::from_bytes(&edge.to_bytes()).as_ref(), Ok(&edge));
        }
    }

    #[test]
    fn a_leaf_of_any_length_hashes_as_an_independent_library_hashes_it() {
        use sha2::{Digest, Sha256};
        for length in (0..300).chain([70_000]) {
            let leaf = vec![7; length];
            assert_eq!(leaf_hash(&leaf), *Sha256::digest([&[0][..], &leaf].concat()), "{length}");
        }
    }

    fn over(leaves: std::ops::Range<u64>) -> Edge {
        let mut edge = Edge::default();
        for leaf in leaves {
            edge.append(&leaf.to_le_bytes());
        }
        edge
    }

    #[test]
    fn trees_hashed_apart_and_joined_are_the_tree_hashed_in_one_go() {
        for size in (0..80).chain([255, 256, 257, 1000]) {
            let whole = over(0..size);
            for piece in [1, 2, 16, 64] {
                let mut joined = Edge::default();
                for first in (0..size).step_by(usize::try_from(piece).unwrap()) {
                    joined.join(&over(first..size.min(first + piece)));
                }
                assert_eq!(joined, whole, "{size} leaves in pieces of {piece}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "2 leaves can't be joined to 3")]
    fn a_tree_is_not_joined_where_its_subtrees_would_not_stand() {
        over(0..3).join(&over(3..5));
    }

    #[test]
    fn an_edge_that_does_not_fit_its_size_is_refused() {
        let mut edge = Edge::default();
        edge.append(b"a");
        let mut bytes = edge.to_bytes();
        bytes[0] = 3;
        assert_eq!(
            Edge::from_bytes(&bytes),
            Err(AuditError::Edge { found: 40, leaves: 3, wanted: 72 })
        );
        assert!(Edge::from_bytes(&bytes[..7]).is_err());
    }
}
