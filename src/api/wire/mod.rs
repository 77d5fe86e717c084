//! The bodies that cross the wire, one type each, the same for both ends.

pub mod desk;
pub mod inquiry;
pub mod roster;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::audit::SampleFinding;
use crate::booking::{BookingData, BookingNumber, VersionId};
use crate::inquiry::Request;

/// The header that carries the newest signed checkpoint, base64 of the note, on every answer.
pub const CHECKPOINT_HEADER: &str = "smrt-checkpoint";
/// The header that says what kind of state folder answers: `real`, `demo` or `test`.
pub const STATE_HEADER: &str = "smrt-state";
/// Names the leaf that holds the digest of a report.
pub const LEAF_HEADER: &str = "smrt-leaf";
/// The header of a search's answer that says what took how long: `name;dur=` and milliseconds, in a
/// list.
pub const TIMING_HEADER: &str = "server-timing";
/// The multipart part with a booking's JSON.
pub const BOOKING_PART: &str = "booking";
/// The multipart part with the photo.
pub const PHOTO_PART: &str = "photo";

/// The answer to a booking pushed: durable, logged and findable.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Booked {
    /// The agency's number.
    #[schema(value_type = String)]
    pub number: BookingNumber,
    /// The version of the booking that now stands.
    #[schema(value_type = String)]
    pub version: VersionId,
    /// Index of the leaf that logged it.
    pub leaf: u64,
    /// False when the same bytes were there already.
    pub new: bool,
    /// Length of the embedding before normalisation: the higher, the better the photo served.
    pub quality: f64,
}

/// A booking as its own agency sees it.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookingView {
    /// The agency's number.
    #[schema(value_type = String)]
    pub number: BookingNumber,
    /// The version that stands.
    #[schema(value_type = String)]
    pub version: VersionId,
    /// `live`, `released` or `unusable`.
    pub state: BookingState,
    /// Index of the leaf that logged this version.
    pub leaf: u64,
    /// SHA-256 of the photo as received, hexadecimal.
    pub photo_sha256: String,
    /// The booking data.
    pub booking: BookingData,
}

/// Whether a booking can be found by a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BookingState {
    /// In the gallery.
    Live,
    /// Withdrawn by its agency: suppressed from every search.
    Released,
    /// No search finds it until its agency sends it again: the model in use finds no usable face on
    /// its photo, or the log was lost for a while and nobody knows whether it was released.
    Unusable,
}

/// What a release says.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseRequest {
    /// The agency's reason, for its own record.
    #[schema(max_length = 200)]
    pub reason: String,
}

/// The answer to a release: suppressed and logged.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Released {
    /// The agency's number.
    #[schema(value_type = String)]
    pub number: BookingNumber,
    /// Index of the leaf that logged the release.
    pub leaf: u64,
    /// False when it was released already.
    pub new: bool,
}

/// A face found in a probe.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FaceView {
    /// The detector's confidence, 0 to 1.
    pub score: f32,
    /// Left edge, upper edge, width, height in pixels of the photo as shown.
    pub frame: [f32; 4],
}

/// How the box is.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// What kind of state folder it has: `real`, `demo` or `test`.
    pub state: String,
    /// The version of this software.
    pub version: String,
    /// The engine that compares: `gpu` or `cpu`.
    pub engine: String,
    /// The device that the engine runs on.
    pub device: String,
    /// The models' digest, hexadecimal.
    pub model: String,
    /// Bookings that can be found.
    pub gallery_rows: u64,
    /// Leaves in the log.
    pub leaves: u64,
    /// Whether the verbs may be used.
    pub doors: DoorsView,
    /// Leaves that a quorum of witnesses has cosigned.
    pub witnessed: Option<u64>,
    /// What is wrong at the moment.
    pub alarms: Vec<AlarmView>,
}

/// Whether the verbs may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DoorsView {
    /// All of them.
    Open,
    /// Reading the log only, until witnesses have confirmed it.
    Waiting,
    /// Reading the log only: something contradicts it.
    Shut,
}

/// An alarm that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmView {
    /// Its name.
    pub alarm: String,
    /// The leaf that says so.
    pub leaf: Option<u64>,
    /// What is wrong, in words.
    pub what: String,
}

/// What the log made of a cosignature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CosignedView {
    /// Size of the tree that was cosigned.
    pub leaves: u64,
    /// Whether a quorum has cosigned it now.
    pub complete: bool,
}

/// A detail that was opened, with what proves that it is its leaf's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenedDetail {
    /// Index of its leaf.
    pub leaf: u64,
    /// The salt of the leaf's commitment, hexadecimal.
    pub salt: String,
    /// The detail as it was committed to: JSON, to be hashed as it stands here.
    pub detail: String,
}

/// What an export takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportView {
    /// Leaves to take, the one that logs this export included.
    pub leaves: u64,
}

/// Which sample is to be drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleOrder {
    /// Any number; it is logged before anything is drawn.
    pub seed: u64,
    /// So many of a million searches are drawn on average.
    pub rate_ppm: u64,
    /// The first leaf of the range; 0 where it isn't said.
    #[serde(default)]
    pub first: u64,
    /// The leaf after its last; the newest where it isn't said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<u64>,
}

/// A sample and what is left to be reviewed of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleView {
    /// The leaf that says what was drawn: the sample's name.
    pub sample: u64,
    /// The leaf with its seed.
    pub seeded: u64,
    /// When it was drawn, in hundredths of a second since 1970-01-01 UTC.
    pub drawn_at_cs: u64,
    /// When its reviews are due, likewise.
    pub due_cs: u64,
    /// Searches that it was drawn from.
    pub population: u64,
    /// Leaves `asked` that were drawn.
    pub asked: Vec<u64>,
    /// Those that nobody has reviewed yet.
    pub open: Vec<u64>,
    /// Those that were reviewed, with the finding.
    #[schema(value_type = Vec<Vec<String>>)]
    pub reviewed: Vec<(u64, SampleFinding)>,
}

/// What an auditor found of a search of a sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SampleReview {
    /// The sample.
    pub sample: u64,
    /// The search's leaf `asked`.
    pub asked: u64,
    /// What was found.
    pub finding: SampleFinding,
    /// In words.
    #[schema(max_length = 200)]
    pub note: String,
}

/// The leaf that a review left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewView {
    /// Its index.
    pub leaf: u64,
}

/// That an auditor went through the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogReviewed {
    /// Up to this leaf, which is the first that wasn't gone through.
    pub end: u64,
    /// What was found, in words.
    #[schema(max_length = 200)]
    pub note: String,
}

/// A finding of misuse, for the agency that employed the person who asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FindingView {
    /// The leaf of the review.
    pub review: u64,
    /// The leaf of the search.
    pub asked: u64,
    /// When it was asked for, in hundredths of a second since 1970-01-01 UTC.
    pub asked_at_cs: u64,
    /// Who asked for what and why.
    pub request: Request,
    /// What the auditor found, in words.
    pub note: String,
}

/// What the site's time source says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClockWord {
    /// Its time, as RFC 3339 writes it.
    pub time_source: String,
}

/// Which model is to be switched to, and on which terms.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelSwitchRequest {
    /// The wanted models' digest, 64 hexadecimal digits: nobody switches to something else than was
    /// meant.
    pub model: String,
    /// So many bookings may be without a usable face under it; no search finds them until their
    /// agencies send other photos.
    #[serde(default)]
    pub accept_failed: u64,
}

/// The models in use and to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelView {
    /// Digest of the models that answer, hexadecimal.
    pub active: String,
    /// Digest of the models to come, while a switch is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Where the switch stands.
    pub state: ModelState,
    /// Bookings that were embedded by the models to come.
    pub embedded: u64,
    /// Bookings in all.
    pub total: u64,
    /// Bookings that the models to come can't use.
    pub failed: u64,
    /// Those by their reasons.
    pub reasons: BTreeMap<String, u64>,
    /// So many of them are accepted.
    pub accept_failed: u64,
}

/// Where a switch of the model stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelState {
    /// No switch is under way.
    Settled,
    /// None is under way, and the vectors of a former model are being removed.
    Sweeping,
    /// Bookings are being embedded again.
    Embedding,
    /// The new gallery is being filled and checked.
    Gathering,
    /// It waits to be asked for again, with more failures accepted, or to be given up.
    Blocked,
    /// The configuration doesn't offer the models to come any more.
    Absent,
}

/// An error as RFC 9457 words it, `application/problem+json`.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// A short name of the kind of error, stable.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status.
    pub status: u16,
    /// What was found and what was wanted.
    pub detail: String,
    /// The request's id, under which the journal knows it.
    pub request: String,
    /// The field of the JSON sent beside which the refusal belongs, its names joined by dots; all
    /// of what lies below it, if anything does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The faces found, where a probe has several and none was chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faces: Vec<FaceView>,
}
