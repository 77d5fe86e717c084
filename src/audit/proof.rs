//! Inclusion and consistency proofs (RFC 6962, section 2.1) over the hashes that tiles hold, and
//! proofs as text (C2SP `tlog-proof`).
//!
//! Whoever makes a proof is given a way to read hashes (`ReadHashes`). Whoever
//! checks one needs nothing but the proof.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::AuditError;
use super::tree::{Hash, TILE_HEIGHT, node_hash};

const PROOF_HEAD: &str = "c2sp.org/tlog-proof@v1";
/// Hashes of the longest proof.
const PROOF_LEN_MAX: usize = 64;

/// Reads hashes of a tree, wherever they lie: so many of a tile level from the first on, all of one
/// tile.
pub type ReadHashes<'r, E> = dyn FnMut(u8, u64, u64) -> Result<Vec<Hash>, E> + 'r;

/// The root of the first `leaves` leaves, at least one.
pub fn root_of<E>(leaves: u64, read: &mut ReadHashes<'_, E>) -> Result<Hash, E> {
    range(0, leaves, read)
}

/// The proof that the leaf `index` stands in the tree of `leaves` leaves: from its sibling up to
/// the root's child.
///
/// Panics where the tree has no such leaf.
pub fn inclusion<E>(index: u64, leaves: u64, read: &mut ReadHashes<'_, E>) -> Result<Vec<Hash>, E> {
    assert!(index < leaves, "leaf {index} of {leaves}");
    let (mut proof, mut begin, mut end) = (Vec::new(), 0, leaves);
    while end - begin > 1 {
        let middle = begin + split(end - begin);
        if index < middle {
            proof.push(range(middle, end, read)?);
            end = middle;
        } else {
            proof.push(range(begin, middle, read)?);
            begin = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of `new` leaves continues that of `old`; empty where either says nothing
/// about the other.
///
/// Panics where the old tree is larger.
pub fn consistency<E>(old: u64, new: u64, read: &mut ReadHashes<'_, E>) -> Result<Vec<Hash>, E> {
    assert!(old <= new, "{old} leaves are no beginning of {new}");
    let mut proof = Vec::new();
    if old == 0 || old == new {
        return Ok(proof);
    }
    let (mut begin, mut end, mut whole) = (0, new, true);
    while end != old {
        let middle = begin + split(end - begin);
        if old <= middle {
            proof.push(range(middle, end, read)?);
            end = middle;
        } else {
            proof.push(range(begin, middle, read)?);
            (begin, whole) = (middle, false);
        }
    }
    if !whole {
        proof.push(range(begin, end, read)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Whether the leaf of this hash stands at `index` in the tree of this size and root.
pub fn is_included(leaf: &Hash, index: u64, leaves: u64, root: &Hash, proof: &[Hash]) -> bool {
    if index >= leaves {
        return false;
    }
    let (mut at, mut last, mut node) = (index, leaves - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            node = node_hash(sibling, &node);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            node = node_hash(&node, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && node == *root
}

/// Whether the tree of `new` leaves and this root continues that of `old` leaves.
pub fn is_consistent(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> bool {
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return proof.is_empty();
    }
    if old > new {
        return false;
    }
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let mut rest = proof.iter();
    let first = if at == 0 { Some(old_root) } else { rest.next() };
    let Some(&first) = first else { return false };
    let (mut old_node, mut new_node) = (first, first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old_node = node_hash(sibling, &old_node);
            new_node = node_hash(sibling, &new_node);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            new_node = node_hash(&new_node, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && old_node == *old_root && new_node == *new_root
}

/// The largest power of two below a number of leaves, at least two.
fn split(leaves: u64) -> u64 {
    1 << (leaves - 1).ilog2()
}

/// The hash over the leaves `begin..end`, as it stands in a tree: `begin` is a multiple of the
/// largest power of two below their number.
fn range<E>(begin: u64, end: u64, read: &mut ReadHashes<'_, E>) -> Result<Hash, E> {
    let leaves = end - begin;
    if leaves.is_power_of_two() {
        return perfect(begin, leaves.trailing_zeros(), read);
    }
    let middle = begin + split(leaves);
    Ok(node_hash(&range(begin, middle, read)?, &range(middle, end, read)?))
}

/// The hash over 2^height leaves: some hashes of one tile, hashed on.
fn perfect<E>(begin: u64, height: u32, read: &mut ReadHashes<'_, E>) -> Result<Hash, E> {
    let (level, within) = (height / TILE_HEIGHT, height % TILE_HEIGHT);
    let first = begin >> (level * TILE_HEIGHT);
    let mut nodes =
        read(u8::try_from(level).expect("a tree is no higher than 64"), first, 1 << within)?;
    while let [_, _, ..] = nodes[..] {
        nodes = nodes.as_chunks().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    Ok(nodes[0])
}

/// A proof that somebody can keep beside what it is about: a leaf's index, its way up, and the
/// checkpoint that it ends at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Index of the leaf.
    pub index: u64,
    /// From the leaf's sibling up to the root's child.
    pub path: Vec<Hash>,
    /// The checkpoint as a signed note with its cosignatures.
    pub checkpoint: String,
}

impl TlogProof {
    /// The proof as text.
    pub fn to_text(&self) -> String {
        let mut text = format!("{PROOF_HEAD}\nindex {}\n", self.index);
        for hash in &self.path {
            text += &STANDARD.encode(hash);
            text.push('\n');
        }
        format!("{text}\n{}", self.checkpoint)
    }

    /// Reads a proof; what it may carry as `extra` is skipped, since nothing vouches for it.
    pub fn parse(text: &str) -> Result<Self, AuditError> {
        let wrong = AuditError::Proof;
        let (head, checkpoint) = text.split_once("\n\n").ok_or(wrong("it has no checkpoint"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(PROOF_HEAD) {
            return Err(wrong("its first line names another format"));
        }
        lines.next_if(|line| line.starts_with("extra "));
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .ok_or(wrong("it has no index line"))?;
        let number = index
            .parse::<u64>()
            .ok()
            .filter(|n| n.to_string() == index)
            .ok_or(wrong("its index is not a number"))?;
        let path = lines
            .map(hash_of)
            .collect::<Option<Vec<_>>>()
            .filter(|path| path.len() < PROOF_LEN_MAX);
        let path =
            path.ok_or(wrong("a line of its path is not 32 bytes in base64, or it has too many"))?;
        Ok(Self { index: number, path, checkpoint: checkpoint.to_owned() })
    }
}

/// A hash in base64.
pub(super) fn hash_of(line: &str) -> Option<Hash> {
    STANDARD.decode(line).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::tree::{Edge, TileNode, leaf_hash};
    use ct_merkle::mem_backed_tree::MemoryBackedTree;

    /// A tree whose tiles are all in memory.
    #[derive(Default)]
    struct Kept {
        edge: Edge,
        levels: Vec<Vec<Hash>>,
    }

    impl Kept {
        fn of(leaves: u64) -> Self {
            let mut kept = Self { levels: vec![Vec::new(); 4], ..Self::default() };
            for leaf in 0..leaves {
                let hash = leaf_hash(&leaf.to_le_bytes());
                kept.levels[0].push(hash);
                let levels = &mut kept.levels;
                kept.edge.append_hash(hash, &mut |TileNode { level, index, hash }| {
                    let level = &mut levels[usize::from(level)];
                    assert_eq!(level.len() as u64, index);
                    level.push(hash);
                });
            }
            kept
        }

        fn read(&self) -> impl FnMut(u8, u64, u64) -> Result<Vec<Hash>, String> {
            |level, first, count| {
                assert!(first / 256 == (first + count - 1) / 256, "of one tile");
                let (first, count) =
                    (usize::try_from(first).unwrap(), usize::try_from(count).unwrap());
                self.levels[usize::from(level)]
                    .get(first..first + count)
                    .map(<[Hash]>::to_vec)
                    .ok_or_else(|| format!("{level} {first}"))
            }
        }
    }

    fn oracle(leaves: u64) -> MemoryBackedTree<sha2::Sha256, Vec<u8>> {
        let mut oracle = MemoryBackedTree::new();
        (0..leaves).for_each(|leaf| oracle.push(leaf.to_le_bytes().to_vec()));
        oracle
    }

    #[test]
    fn proofs_are_those_of_an_independent_tree_and_hold_for_nothing_else() {
        for leaves in (1..40).chain([255, 256, 257, 700, 1025]) {
            let (kept, oracle) = (Kept::of(leaves), oracle(leaves));
            let root = kept.edge.root();
            assert_eq!(root_of(leaves, &mut kept.read()), Ok(root));
            for index in (0..leaves).step_by(if leaves > 40 { 37 } else { 1 }) {
                let proof = inclusion(index, leaves, &mut kept.read()).unwrap();
                let wanted = oracle.prove_inclusion(usize::try_from(index).unwrap());
                assert_eq!(proof.concat(), wanted.as_bytes(), "leaf {index} of {leaves}");
                let leaf = leaf_hash(&index.to_le_bytes());
                assert!(is_included(&leaf, index, leaves, &root, &proof));
                assert!(!is_included(&leaf, index + 1, leaves, &root, &proof));
                assert!(!is_included(&leaf_hash(b"other"), index, leaves, &root, &proof));
                assert!(!is_included(
                    &leaf,
                    index,
                    leaves,
                    &leaf,
                    &[proof.clone(), vec![root]].concat()
                ));
                if let Some((_, short)) = proof.split_last() {
                    assert!(!is_included(&leaf, index, leaves, &root, short));
                }
            }
            for old in (1..leaves).step_by(if leaves > 40 { 41 } else { 1 }) {
                let before = Kept::of(old).edge.root();
                let proof = consistency(old, leaves, &mut kept.read()).unwrap();
                let wanted = oracle.prove_consistency(usize::try_from(leaves - old).unwrap());
                assert_eq!(proof.concat(), wanted.as_bytes(), "{old} of {leaves}");
                assert!(is_consistent(old, &before, leaves, &root, &proof));
                assert!(!is_consistent(old, &root, leaves, &root, &proof));
                assert!(!is_consistent(old, &before, leaves, &before, &proof));
                let (_, short) = proof.split_last().unwrap();
                assert!(!is_consistent(old, &before, leaves, &root, short));
                assert!(!is_consistent(
                    old,
                    &before,
                    leaves,
                    &root,
                    &[&proof[..], &[root]].concat()
                ));
            }
        }
    }

    #[test]
    fn a_tree_says_nothing_against_itself_and_an_empty_one_nothing_at_all() {
        let kept = Kept::of(9);
        let root = kept.edge.root();
        assert_eq!(consistency(9, 9, &mut kept.read()), Ok(Vec::new()));
        assert!(
            is_consistent(9, &root, 9, &root, &[]) && !is_consistent(9, &root, 9, &[0; 32], &[])
        );
        assert!(
            is_consistent(0, &[0; 32], 9, &root, &[])
                && !is_consistent(0, &[0; 32], 9, &root, &[root])
        );
        assert!(!is_consistent(10, &root, 9, &root, &[]));
    }

    #[test]
    fn a_proof_survives_its_text_and_a_malformed_one_is_refused() {
        let kept = Kept::of(9);
        let proof = TlogProof {
            index: 5,
            path: inclusion(5, 9, &mut kept.read()).unwrap(),
            checkpoint: "origin\n9\nroot\n\n\u{2014} origin AAAA\n".to_owned(),
        };
        let text = proof.to_text();
        assert_eq!(TlogProof::parse(&text).as_ref(), Ok(&proof));
        assert_eq!(TlogProof::parse(&text.replace("index", "extra AAAA\nindex")), Ok(proof));
        for wrong in [
            text.replace("@v1", "@v2"),
            text.replace("index 5", "index 05"),
            text.replace("index 5\n", ""),
            text.replace("\n\n", "\nAAAA\n\n"),
        ] {
            assert!(TlogProof::parse(&wrong).is_err(), "{wrong}");
        }
    }
}
