//! Leaves, byte for byte.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 1 | version, 1 |
//! | 1 | 1 | F, number of leaves followed |
//! | 2 | 1 | C, number of counts |
//! | 3 | 1 | zero |
//! | 4 | 2 | kind |
//! | 6 | 2 | zero |
//! | 8 | 8 | time, hundredths of a second since 1970-01-01 UTC |
//! | 16 | 32 | commitment to the detail |
//! | 48 | 8 F | indices of the leaves followed |
//! | 48 + 8 F | 8 C | counts; the kind says what they count |
//!
//! Little-endian. Version, kind and time stand where they are in every version to come, so that a
//! reader of today can walk through leaves of tomorrow: what it can't understand it still hashes,
//! counts and puts in its time.

use super::AuditError;
use super::leaves::LeafKind;
use crate::calendar::Time;
use crate::ids::Digest;
use crate::limits::{LEAF_COUNTS_MAX, LEAF_FOLLOWS_MAX};

/// The version that this software writes.
pub(super) const VERSION: u8 = 1;
const FOLLOWS_AT: usize = 1;
const COUNTS_AT: usize = 2;
const KIND_AT: usize = 4;
const TIME_AT: usize = 8;
const COMMITMENT_AT: usize = 16;
const HEAD_BYTES: usize = 48;
/// Bytes of the random salt in a commitment.
pub const SALT_BYTES: usize = 32;
const COMMITMENT_DOMAIN: &[u8] = b"smrt leaf detail v1\0";

/// SHA-256 over a domain, a random salt and a detail.
pub type Commitment = [u8; 32];

/// One entry of the log, safe to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// What happened.
    pub kind: LeafKind,
    /// When.
    pub time: Time,
    /// Indices of the leaves that this one follows, at most `LEAF_FOLLOWS_MAX`.
    pub follows: Vec<u64>,
    /// Counts that name nobody, at most `LEAF_COUNTS_MAX`.
    pub counts: Vec<u64>,
    /// What the sealed detail must hash to.
    pub commitment: Commitment,
}

impl Leaf {
    /// The leaf as it is hashed, stored and published.
    pub fn to_bytes(&self) -> Vec<u8> {
        let count = |n: usize, max: usize| {
            assert!(n <= max, "a leaf's lists are bounded by its one writer");
            u8::try_from(n).expect("the bounds are below 256")
        };
        let mut bytes = vec![0; HEAD_BYTES];
        bytes[0] = VERSION;
        bytes[FOLLOWS_AT] = count(self.follows.len(), LEAF_FOLLOWS_MAX);
        bytes[COUNTS_AT] = count(self.counts.len(), LEAF_COUNTS_MAX);
        bytes[KIND_AT..KIND_AT + 2].copy_from_slice(&(self.kind as u16).to_le_bytes());
        bytes[TIME_AT..TIME_AT + 8].copy_from_slice(&self.time.cs().to_le_bytes());
        bytes[COMMITMENT_AT..HEAD_BYTES].copy_from_slice(&self.commitment);
        for number in self.follows.iter().chain(&self.counts) {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes
    }

    /// Reads a leaf.
    ///
    /// Errors: another version, an unknown kind, another length than its header promises.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AuditError> {
        match Entry::read(bytes)? {
            Entry::Known(leaf) => Ok(Self {
                kind: leaf.kind,
                time: leaf.time,
                follows: leaf.follows().collect(),
                counts: leaf.counts().collect(),
                commitment: *leaf.commitment,
            }),
            Entry::Foreign { version: VERSION, kind, .. } => {
                Err(AuditError::LeafKind { found: kind })
            }
            Entry::Foreign { version, .. } => {
                Err(AuditError::LeafVersion { found: version, wanted: VERSION })
            }
        }
    }
}

/// A leaf as it lies in a bundle, read where it lies.
#[derive(Clone, Copy, Debug)]
pub enum Entry<'b> {
    /// One that this software knows.
    Known(LeafView<'b>),
    /// One of a newer version or kind: it has its time, and nothing else is understood.
    Foreign {
        /// Its version.
        version: u8,
        /// Its kind.
        kind: u16,
        /// When.
        time: Time,
    },
}

/// A known leaf, read where it lies.
#[derive(Clone, Copy, Debug)]
pub struct LeafView<'b> {
    /// What happened.
    pub kind: LeafKind,
    /// When.
    pub time: Time,
    /// What the sealed detail must hash to.
    pub commitment: &'b Commitment,
    follows: &'b [[u8; 8]],
    counts: &'b [[u8; 8]],
}

impl<'b> Entry<'b> {
    /// Reads an entry of a log.
    ///
    /// Errors: fewer bytes than any version has; in this version, another length than its header
    /// promises.
    pub fn read(bytes: &'b [u8]) -> Result<Self, AuditError> {
        let short = |wanted| AuditError::LeafBytes { found: bytes.len(), wanted };
        let head: &[u8; COMMITMENT_AT] = bytes.first_chunk().ok_or(short(COMMITMENT_AT))?;
        let code = u16::from_le_bytes([head[KIND_AT], head[KIND_AT + 1]]);
        let time = *head[TIME_AT..].first_chunk().expect("the head holds the time");
        let time = Time::from_cs(u64::from_le_bytes(time));
        let foreign = Self::Foreign { version: head[0], kind: code, time };
        if head[0] != VERSION {
            return Ok(foreign);
        }
        let (follows, counts) = (usize::from(head[FOLLOWS_AT]), usize::from(head[COUNTS_AT]));
        let wanted = HEAD_BYTES + 8 * (follows + counts);
        let (numbers, torn) = bytes.get(HEAD_BYTES..).ok_or(short(wanted))?.as_chunks::<8>();
        if bytes.len() != wanted || !torn.is_empty() {
            return Err(short(wanted));
        }
        let Some(kind) = LeafKind::of(code) else { return Ok(foreign) };
        let commitment =
            bytes[COMMITMENT_AT..].first_chunk().expect("the head holds the commitment");
        let (follows, counts) = numbers.split_at(follows);
        Ok(Self::Known(LeafView { kind, time, commitment, follows, counts }))
    }

    /// When.
    pub fn time(&self) -> Time {
        match self {
            Self::Known(leaf) => leaf.time,
            Self::Foreign { time, .. } => *time,
        }
    }
}

impl<'b> LeafView<'b> {
    /// Indices of the leaves that this one follows.
    pub fn follows(&self) -> impl ExactSizeIterator<Item = u64> + use<'b> {
        self.follows.iter().map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// Its counts.
    pub fn counts(&self) -> impl ExactSizeIterator<Item = u64> + use<'b> {
        self.counts.iter().map(|bytes| u64::from_le_bytes(*bytes))
    }

    /// One of its counts; 0 where it isn't there.
    pub fn count(&self, at: usize) -> u64 {
        self.counts().nth(at).unwrap_or(0)
    }
}

/// The commitment to a detail under a salt.
pub fn commit(salt: &[u8; SALT_BYTES], detail: &[u8]) -> Commitment {
    Digest::of_parts(&[COMMITMENT_DOMAIN, salt, detail]).0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf() -> Leaf {
        Leaf {
            kind: LeafKind::Answered,
            time: Time::from_cs(179_000_000_001),
            follows: vec![7, 9],
            counts: vec![20],
            commitment: [3; 32],
        }
    }

    #[test]
    fn a_leaf_survives_its_bytes() {
        for &kind in LeafKind::ALL {
            let leaf = Leaf { kind, ..leaf() };
            assert_eq!(Leaf::from_bytes(&leaf.to_bytes()), Ok(leaf));
        }
        assert_eq!(leaf().to_bytes().len(), 48 + 3 * 8);
    }

    #[test]
    fn another_version_kind_or_length_is_refused() {
        let good = leaf().to_bytes();
        let with = |at: usize, byte: u8| {
            let mut wrong = good.clone();
            wrong[at] = byte;
            Leaf::from_bytes(&wrong)
        };
        assert_eq!(with(0, 2), Err(AuditError::LeafVersion { found: 2, wanted: VERSION }));
        assert_eq!(with(KIND_AT, 200), Err(AuditError::LeafKind { found: 200 }));
        assert_eq!(
            Leaf::from_bytes(&good[..15]),
            Err(AuditError::LeafBytes { found: 15, wanted: 16 })
        );
        assert_eq!(with(FOLLOWS_AT, 3), Err(AuditError::LeafBytes { found: 72, wanted: 80 }));
        assert_eq!(
            Leaf::from_bytes(&good[..47]),
            Err(AuditError::LeafBytes { found: 47, wanted: 72 })
        );
        assert_eq!(
            Leaf::from_bytes(&good[..71]),
            Err(AuditError::LeafBytes { found: 71, wanted: 72 })
        );
    }

    #[test]
    fn a_leaf_of_a_version_or_kind_to_come_still_tells_its_time() {
        let mut newer = leaf().to_bytes();
        (newer[0], newer[KIND_AT + 1]) = (9, 200);
        newer.extend_from_slice(b"more than this version has");
        let kind = 200 * 256 + 33;
        let Entry::Foreign { version: 9, kind: found, time } = Entry::read(&newer).unwrap() else {
            panic!("it is foreign")
        };
        assert_eq!((found, time), (kind, Time::from_cs(179_000_000_001)));
        let mut other = leaf().to_bytes();
        other[KIND_AT] = 200;
        assert!(matches!(
            Entry::read(&other),
            Ok(Entry::Foreign { version: VERSION, kind: 200, .. })
        ));
    }

    #[test]
    fn a_commitment_hides_a_guessable_detail_behind_its_salt() {
        assert_ne!(commit(&[0; 32], b"crime"), commit(&[1; 32], b"crime"));
        assert_ne!(commit(&[0; 32], b"crime"), commit(&[0; 32], b"other"));
    }
}
