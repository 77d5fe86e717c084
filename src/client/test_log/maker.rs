//! Makes up logs: the same few doings again and again, as the daemon would write them. Shared by
//! the bench and the tests of `log verify`.

use smrt::audit::{Commitment, Leaf, LeafKind};
use smrt::calendar::Time;

/// A leaf of an episode: its kind, the leaves of the same episode that it follows, and its counts.
pub(crate) type Step = (LeafKind, &'static [u64], &'static [u64]);

/// Set in a count that is a step of the same episode: what stands there is the tag of the booking
/// that came in with it.
const TAG: u64 = 1 << 63;

/// Bookings come and go, searches are asked for, answered, reviewed and reported; each follows only
/// what is in the same episode.
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
    (LeafKind::Reviewed, &[7], &[1, 2]),
    (LeafKind::LoggedOff, &[3], &[0]),
    (LeafKind::Reviewed, &[7, 9], &[2, 2]),
    (LeafKind::ReportIssued, &[7, 9, 11], &[]),
    (LeafKind::InquiryClosed, &[], &[77, 0]),
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
pub(crate) fn leaf(
    (kind, follows, counts): Step,
    begin: u64,
    time: Time,
    commitment: Commitment,
) -> Leaf {
    // Any numbers that differ do for tags.
    let tag = |booking: u64| (booking + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let count = |&count: &u64| if count & TAG == 0 { count } else { tag(begin + (count & !TAG)) };
    Leaf {
        kind,
        time,
        follows: follows.iter().map(|step| begin + step).collect(),
        counts: counts.iter().map(count).collect(),
        commitment,
    }
}
