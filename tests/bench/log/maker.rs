//! Makes up logs: the same few doings again and again, as the daemon would write them. Shared by the bench and the tests of `log verify`.

use smrt::audit::{Commitment, Edge, Hash, Holds, Leaf, LeafKind, TILE_WIDTH, TileId, leaf_hash, push_entry, tile_bytes};

const FULL: usize = 256;

/// A leaf of an episode: its kind, the leaves of the same episode that it follows, and its counts.
pub(crate) type Step = (LeafKind, &'static [u64], &'static [u64]);

/// Set in a count that is a step of the same episode: what stands there is the tag of the booking that came in with it.
const TAG: u64 = 1 << 63;

/// Bookings come and go, searches are asked for, answered, reviewed and reported; each follows only what is in the same episode.
pub(crate) const EPISODE: [Step; 28] = [
    (LeafKind::BookingIn, &[], &[0]),
    (LeafKind::BookingIn, &[], &[0]),
    (LeafKind::BookingIn, &[], &[TAG | 1]),
    (LeafKind::LoggedOn, &[], &[]),
    (LeafKind::InquiryOpened, &[], &[]),
    (LeafKind::Asked, &[4], &[]),
    (LeafKind::Purged, &[], &[TAG | 1]),
    (LeafKind::Answered, &[5], &[2]),
    (LeafKind::PhotoViewed, &[7], &[]),
    (LeafKind::Reviewed, &[7], &[1, 2, 1, 0]),
    (LeafKind::LoggedOff, &[3], &[0]),
    (LeafKind::Reviewed, &[7, 9], &[2, 2, 1, 0]),
    (LeafKind::ReportIssued, &[7, 9, 11], &[1]),
    (LeafKind::InquiryClosed, &[4], &[0]),
    (LeafKind::HoldNoticed, &[], &[1]),
    (LeafKind::Released, &[], &[TAG]),
    (LeafKind::HoldDecided, &[14], &[1]),
    (LeafKind::Transferred, &[16], &[]),
    (LeafKind::Purged, &[15], &[TAG]),
    (LeafKind::Released, &[], &[TAG | 2]),
    (LeafKind::InquiryOpened, &[], &[]),
    (LeafKind::SearchRefused, &[20], &[]),
    (LeafKind::Asked, &[20], &[]),
    (LeafKind::Interrupted, &[22], &[]),
    (LeafKind::Started, &[], &[1_000]),
    (LeafKind::RefusalsGathered, &[21], &[35, 7]),
    (LeafKind::Purged, &[19], &[TAG | 2]),
    (LeafKind::LogRead, &[], &[4, 2]),
];

/// The leaf of a step in an episode that begins at `begin`.
pub(crate) fn leaf((kind, follows, counts): Step, begin: u64, time_cs: u64, commitment: Commitment) -> Leaf {
    // Any numbers that differ do for tags.
    let tag = |booking: u64| (booking + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let count = |&count: &u64| if count & TAG == 0 { count } else { tag(begin + (count & !TAG)) };
    Leaf {
        kind,
        time_cs,
        follows: follows.iter().map(|step| begin + step).collect(),
        counts: counts.iter().map(count).collect(),
        commitment,
    }
}

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
        let last = |holds: Holds| TileId::at(holds, holds.count(leaves).saturating_sub(1) / TILE_WIDTH, leaves);
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
