//! Writes leaves as tiles. Shared by the bench, the stories and the tests of `log verify`.

use smrt::audit::{Edge, Hash, Holds, TILE_WIDTH, TileId, leaf_hash, push_entry, tile_bytes};

const FULL: usize = 256;

/// Takes leaves and gives the tiles and bundles of their tree.
pub(crate) struct Tiles<P> {
    put: P,
    edge: Edge,
    bundle: Vec<u8>,
    /// Hashes of the last tile of each level.
    levels: Vec<Vec<Hash>>,
}

impl<P: FnMut(TileId, &[u8])> Tiles<P> {
    pub(crate) fn new(put: P) -> Self {
        Self { put, edge: Edge::default(), bundle: Vec::new(), levels: vec![Vec::new(); 8] }
    }

    pub(crate) fn push(&mut self, leaf: &[u8]) {
        push_entry(&mut self.bundle, leaf);
        let hash = leaf_hash(leaf);
        self.levels[0].push(hash);
        let levels = &mut self.levels;
        self.edge.append_hash(hash, &mut |node| levels[usize::from(node.level)].push(node.hash));
        if self.edge.leaves().is_multiple_of(TILE_WIDTH) {
            self.write(FULL);
        }
    }

    pub(crate) fn root(&self) -> Hash {
        self.edge.root()
    }

    /// Gives the last tiles, as full as they are.
    pub(crate) fn end(&mut self) {
        self.write(1);
    }

    /// Gives the newest tile of each level that has at least so many hashes, and begins the next.
    fn write(&mut self, least: usize) {
        let leaves = self.edge.leaves();
        let last = |holds: Holds| {
            TileId::at(holds, holds.count(leaves).saturating_sub(1) / TILE_WIDTH, leaves)
        };
        if let Some(id) = last(Holds::Entries).filter(|_| !self.bundle.is_empty()) {
            (self.put)(id, &self.bundle);
            self.bundle.clear();
        }
        for (level, hashes) in (0..).zip(&mut self.levels) {
            if let Some(id) = last(Holds::Hashes(level)).filter(|_| hashes.len() >= least) {
                (self.put)(id, &tile_bytes(hashes));
                hashes.clear();
            }
        }
    }
}
