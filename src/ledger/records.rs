//! Records as the ledger gives them: bookings with what is sealed of them, and opened leaves.

use serde::{Deserialize, Serialize};

use crate::audit::SALT_BYTES;
use crate::booking::{BookingData, BookingNumber, VersionId};
use crate::ids::Digest;
use crate::store::{VersionRow, VersionState};

/// What is sealed of a booking beside photo and vector.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The agency's number.
    pub number: BookingNumber,
    /// Basic booking data.
    pub booking: BookingData,
    /// SHA-256 of the photo as received.
    pub photo_sha256: Digest,
    /// The salt under which the log commits to that digest, hexadecimal.
    pub salt: String,
    /// Length of the embedding before normalisation.
    pub length: f64,
    /// The face that was enrolled: left edge, upper edge, width, height in pixels of the photo as
    /// shown.
    pub frame: [f32; 4],
    /// Width and height of the photo as shown, in pixels; bookings that came before this was kept
    /// lack it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub px: Option<[u32; 2]>,
}

/// A detail with the salt of its commitment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedLeaf {
    /// Index of its leaf.
    pub leaf: u64,
    /// The salt.
    pub salt: [u8; SALT_BYTES],
    /// The detail as it was committed to.
    pub detail: Vec<u8>,
}

/// A booking as it stands.
#[derive(Clone, Debug)]
pub struct StandingBooking {
    /// The version that stands.
    pub version: VersionId,
    /// Whether it is released.
    pub released: Option<u64>,
    /// Whether no search finds it though it isn't released: the model in use makes nothing of its
    /// photo, or a log that was lost may have said that it was released.
    pub unusable: bool,
    /// The leaf that logged it.
    pub leaf: u64,
    /// Its record.
    pub record: Record,
}

/// A booking that was taken, or was there already.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Taken {
    /// Its version.
    pub version: VersionId,
    /// The leaf that logged it.
    pub leaf: u64,
    /// False when the same bytes were there already.
    pub new: bool,
    /// Length of the embedding before normalisation.
    pub length: f64,
}

/// Whether a version is its agency's booking: found by searches, or it would be if the active model
/// made a vector of its photo.
pub(super) fn stands(row: &VersionRow) -> bool {
    matches!(row.state, VersionState::Live | VersionState::Unusable)
}

/// What witnesses have cosigned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witnessing {
    /// The largest tree that any witness cosigned.
    pub cosigned: Option<u64>,
    /// The largest tree that a quorum cosigned, and when that was complete, in seconds since
    /// 1970-01-01 UTC.
    pub complete: Option<(u64, u64)>,
}
