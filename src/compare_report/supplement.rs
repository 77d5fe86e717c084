//! The supplement: what a compare report shows that the inquiry's own record doesn't hold. All of
//! it is given; nothing is looked up here.

use std::collections::BTreeMap;

use crate::audit::{Hash, Leaf, TlogProof};
use crate::booking::{BookingData, BookingNumber, Identifier, VersionId};
use crate::calendar::Time;
use crate::error_rates::ErrorRates;
use crate::face::ModelId;
use crate::ids::Digest;
use crate::inquiry::Participant;
use crate::state_kind::StateKind;

/// The supplement of an inquiry, for its compare report.
///
/// Units: digests are SHA-256.
#[derive(Clone, Debug)]
pub struct Supplement {
    pub state: StateKind,
    /// Who runs the appliance and issues the report, as its head names them.
    pub issuer: String,
    /// When it is issued; the file's own date.
    pub issued: Time,
    /// The software that made it, with its version.
    pub software: String,
    pub names: Names,
    /// Index of the leaf `inquiry_opened`.
    pub opened_leaf: u64,
    pub probe: ProbePhotos,
    pub search: SearchFacts,
    /// The candidates' bookings; one that is missing was released by its agency.
    pub bookings: BTreeMap<VersionId, BookedPhoto>,
    /// The leaves `asked`, `answered` and both `reviewed`, with their proofs.
    pub proofs: Vec<ProvenLeaf>,
}

/// Names that the inquiry's record knows by their identifiers only.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// People whose account is still known.
    pub people: Vec<(Participant, String)>,
    pub agencies: BTreeMap<Identifier, String>,
}

/// The probe's photos, both upright and without metadata.
#[derive(Clone, Debug)]
pub struct ProbePhotos {
    pub received: Jpeg,
    /// After the edits: the same where there are none.
    pub searched: Jpeg,
    /// The digest of the outcome of each edit, in their order.
    pub edit_digests: Vec<Digest>,
}

/// A JPEG file.
#[derive(Clone)]
pub struct Jpeg(pub Vec<u8>);

/// What the probe was compared with, and by what.
#[derive(Clone, Debug)]
pub struct SearchFacts {
    pub model: ModelId,
    pub model_name: String,
    /// The model's error rates; none where nobody measured them.
    pub error_rates: Option<ErrorRates>,
    /// The log's origin.
    pub origin: String,
    /// The log's root just before the leaf `answered`.
    pub root: Hash,
    /// Bookings compared.
    pub rows: u64,
}

/// A candidate's booking with its photo.
#[derive(Clone, Debug)]
pub struct BookedPhoto {
    pub photo: Jpeg,
    /// Digest of the photo as received.
    pub photo_sha256: Digest,
    pub booking: BookingData,
    pub number: BookingNumber,
    pub agency: Identifier,
}

/// A leaf with the proof that the log holds it.
#[derive(Clone, Debug)]
pub struct ProvenLeaf {
    pub leaf: Leaf,
    pub proof: TlogProof,
}

impl std::fmt::Debug for Jpeg {
    /// Names the size only: a photo of a person doesn't belong into a journal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Jpeg({} bytes)", self.0.len())
    }
}
