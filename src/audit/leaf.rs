//! The leaf, byte for byte.
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
//! Little-endian.

use aws_lc_rs::digest::{Context, SHA256};

use super::AuditError;
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

/// What happened. The counts that a leaf of each kind carries are named in its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum LeafKind {
    /// The daemon is about to serve; counts: rows in the gallery.
    Started = 1,
    /// The daemon stopped in order.
    Stopped = 2,
    /// A booking came in.
    BookingIn = 16,
    /// A booking was refused.
    BookingRefused = 17,
    /// An agency released a booking: it is suppressed from here on.
    Released = 18,
    /// A released booking's key, photo and record are gone.
    Purged = 19,
    /// A search was asked for; written before it runs.
    Asked = 32,
    /// A search was answered; written before the answer leaves; counts: candidates.
    Answered = 33,
    /// A search was asked for and never answered.
    Interrupted = 34,
    /// A search was refused.
    SearchRefused = 35,
    /// A candidate's photo was shown.
    PhotoViewed = 36,
    /// A caller with a valid certificate was refused for who it is.
    CallerRefused = 48,
    /// A switch to another model was begun, or asked for again under other terms; counts: bookings to embed, failures accepted.
    ModelSwitchBegun = 64,
    /// Searches are answered by another model from here on; counts: bookings in its gallery, bookings suppressed by it.
    ModelSwitched = 65,
    /// A switch was given up: searches stay on the model they had; counts: bookings that were embedded, bookings that failed.
    ModelSwitchGivenUp = 66,
    /// A model makes no vector of these bookings' photos: no search finds them until their agencies send others; counts: bookings.
    BookingsSuppressed = 67,
}

impl LeafKind {
    /// All kinds.
    pub const ALL: [Self; 16] = [
        Self::Started,
        Self::Stopped,
        Self::BookingIn,
        Self::BookingRefused,
        Self::Released,
        Self::Purged,
        Self::Asked,
        Self::Answered,
        Self::Interrupted,
        Self::SearchRefused,
        Self::PhotoViewed,
        Self::CallerRefused,
        Self::ModelSwitchBegun,
        Self::ModelSwitched,
        Self::ModelSwitchGivenUp,
        Self::BookingsSuppressed,
    ];

    /// Its name in figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Stopped => "stopped",
            Self::BookingIn => "booking_in",
            Self::BookingRefused => "booking_refused",
            Self::Released => "released",
            Self::Purged => "purged",
            Self::Asked => "asked",
            Self::Answered => "answered",
            Self::Interrupted => "interrupted",
            Self::SearchRefused => "search_refused",
            Self::PhotoViewed => "photo_viewed",
            Self::CallerRefused => "caller_refused",
            Self::ModelSwitchBegun => "model_switch_begun",
            Self::ModelSwitched => "model_switched",
            Self::ModelSwitchGivenUp => "model_switch_given_up",
            Self::BookingsSuppressed => "bookings_suppressed",
        }
    }
}

/// One entry of the log, safe to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// What happened.
    pub kind: LeafKind,
    /// When, in hundredths of a second since 1970-01-01 UTC.
    pub time_cs: u64,
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
        bytes[TIME_AT..TIME_AT + 8].copy_from_slice(&self.time_cs.to_le_bytes());
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
        let short = |wanted| AuditError::LeafBytes { found: bytes.len(), wanted };
        let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>().ok_or(short(HEAD_BYTES))?;
        if head[0] != VERSION {
            return Err(AuditError::LeafVersion { found: head[0] });
        }
        let (follows, counts) = (usize::from(head[FOLLOWS_AT]), usize::from(head[COUNTS_AT]));
        let wanted = HEAD_BYTES + 8 * (follows + counts);
        let (numbers, torn) = rest.as_chunks::<8>();
        if bytes.len() != wanted || !torn.is_empty() {
            return Err(short(wanted));
        }
        let found = u16::from_le_bytes([head[KIND_AT], head[KIND_AT + 1]]);
        let kind = LeafKind::ALL.into_iter().find(|&k| k as u16 == found).ok_or(AuditError::LeafKind { found })?;
        let number = |b: &[u8; 8]| u64::from_le_bytes(*b);
        Ok(Self {
            kind,
            time_cs: number(head[TIME_AT..].first_chunk().expect("the head holds the time")),
            follows: numbers[..follows].iter().map(number).collect(),
            counts: numbers[follows..].iter().map(number).collect(),
            commitment: *head[COMMITMENT_AT..].first_chunk().expect("the head holds the commitment"),
        })
    }
}

/// The commitment to a detail under a salt.
pub fn commit(salt: &[u8; SALT_BYTES], detail: &[u8]) -> Commitment {
    let mut context = Context::new(&SHA256);
    context.update(COMMITMENT_DOMAIN);
    context.update(salt);
    context.update(detail);
    context.finish().as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf() -> Leaf {
        Leaf { kind: LeafKind::Answered, time_cs: 179_000_000_001, follows: vec![7, 9], counts: vec![20], commitment: [3; 32] }
    }

    #[test]
    fn a_leaf_survives_its_bytes() {
        for kind in LeafKind::ALL {
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
        assert_eq!(with(0, 2), Err(AuditError::LeafVersion { found: 2 }));
        assert_eq!(with(KIND_AT, 200), Err(AuditError::LeafKind { found: 200 }));
        assert_eq!(with(FOLLOWS_AT, 3), Err(AuditError::LeafBytes { found: 72, wanted: 80 }));
        assert_eq!(Leaf::from_bytes(&good[..47]), Err(AuditError::LeafBytes { found: 47, wanted: 48 }));
        assert_eq!(Leaf::from_bytes(&good[..71]), Err(AuditError::LeafBytes { found: 71, wanted: 72 }));
    }

    #[test]
    fn a_commitment_hides_a_guessable_detail_behind_its_salt() {
        assert_ne!(commit(&[0; 32], b"crime"), commit(&[1; 32], b"crime"));
        assert_ne!(commit(&[0; 32], b"crime"), commit(&[0; 32], b"other"));
    }
}
