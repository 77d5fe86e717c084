//! What a leaf's sealed detail says: who did what for whom, why, and how it ended. Bookings are named by version id only; no booking data
//! is copied here.

use serde::Serialize;

use crate::booking::{Identifier, VersionId};
use crate::inquiry::SearchRequest;
use crate::roster::Caller;

/// The actor of a transaction or query, as the door established it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Actor {
    certificate: String,
    fingerprint: String,
}

impl From<&Caller> for Actor {
    fn from(caller: &Caller) -> Self {
        Self { certificate: caller.name.to_string(), fingerprint: hex::encode(caller.fingerprint) }
    }
}

/// One detail, one variant a kind of leaf.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "detail", rename_all = "snake_case")]
pub(super) enum Detail {
    /// The daemon is about to serve.
    Started { software: &'static str, state: &'static str, model: String, engine: &'static str, device: String, roster_sha256: String },
    /// The daemon stopped in order.
    Stopped { software: &'static str },
    /// A booking came in.
    BookingIn { actor: Actor, agency: Identifier, version: VersionId, replaces: Option<VersionId>, photo_commitment: String },
    /// A booking was refused.
    BookingRefused { actor: Actor, reason: String },
    /// A booking was released.
    Released { actor: Actor, agency: Identifier, versions: Vec<VersionId>, reason: String },
    /// A booking was purged.
    Purged { agency: Identifier, version: VersionId, assurance: &'static str },
    /// A search was asked for.
    Asked { actor: Actor, search: String, request: SearchRequest, probe_sha256: String, face: usize, model: String },
    /// A search was answered.
    Answered { actor: Actor, search: String, model: String, gallery_rows: u64, candidates: Vec<Shown> },
    /// A search was never answered.
    Interrupted { search: String, device: Identifier },
    /// A search was refused.
    SearchRefused { actor: Actor, request: Option<SearchRequest>, reason: String },
    /// A candidate's photo was shown.
    PhotoViewed { actor: Actor, search: String, version: VersionId },
    /// A caller was refused for who it is.
    CallerRefused { actor: Actor, reason: String },
    /// A switch of the model was begun.
    ModelSwitchBegun { actor: Actor, from: String, to: String, bookings: u64, accept_failed: u64 },
    /// The model was switched.
    ModelSwitched { from: String, to: String, bookings: u64, suppressed: u64, found_again: u64 },
    /// A switch of the model was given up.
    ModelSwitchGivenUp { actor: Actor, from: String, to: String, embedded: u64, failed: u64 },
    /// Bookings that a model suppresses.
    BookingsSuppressed { model: String, bookings: Vec<Unusable> },
}

/// A booking of whose photo a model makes no vector.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Unusable {
    pub(super) version: VersionId,
    pub(super) reason: String,
}

/// A candidate as it was answered.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Shown {
    pub(super) version: VersionId,
    pub(super) score: f64,
}

impl Detail {
    /// The detail as it is committed to and sealed.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a detail holds only strings, numbers and lists of them")
    }
}
