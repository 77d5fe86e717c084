//! What a report shows. Everything is given; nothing here is looked up, and texts that come from a
//! person are shown as they were typed.

use image::RgbImage;
use time::Date;

use crate::audit::{Hash, Leaf, TlogProof};
use crate::booking::{BookingNumber, Text, VersionId};
use crate::error_rates::ErrorRates;
use crate::face::ModelId;

/// Everything that one Facial Recognition Image Compare Report shows (SO-C4).
///
/// Units: all times in hundredths of a second since 1970-01-01 UTC; all digests SHA-256.
#[derive(Clone, Debug)]
pub struct CompareReport {
    /// What kind of state folder it comes from.
    pub state: StateMark,
    /// The inquiry's id.
    pub inquiry: String,
    /// Who runs the appliance and issues the report, as its head names them.
    pub issuer: String,
    /// When it is issued; the file's own date.
    pub issued_cs: u64,
    /// The software that made it, with its version.
    pub software: String,
    /// The policy's text in force.
    pub policy: Option<Policy>,
    /// What was asked for, and by whom.
    pub request: Request,
    /// What happened when, in order: opened, asked, answered and so on, each with its leaf where it
    /// has one.
    pub events: Vec<Event>,
    /// The photo that was compared.
    pub probe: Probe,
    /// What it was compared with, and by what.
    pub search: Search,
    /// The array in rank order; empty where no candidate was returned.
    pub candidates: Vec<Candidate>,
    /// The first examiner's review.
    pub first: Review,
    /// The second, blind one's.
    pub second: Review,
    /// That the log holds what the report says: asked, answered, reviewed by the first, by the
    /// second.
    pub proofs: Vec<Proven>,
    /// Where the report is used for a positive identification: that it is evidence (SO-C5).
    pub evidence: Option<Evidence>,
}

/// Whether a report is real; all others are marked in large letters on every page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateMark {
    /// Casework.
    Real,
    /// A demonstration on public photos.
    Demo,
    /// A test.
    Test,
}

/// A policy's text by version.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its version.
    pub version: String,
    /// Its digest.
    pub sha256: Hash,
}

/// A person as the report names them.
#[derive(Clone, Debug)]
pub struct Person {
    /// The name.
    pub name: String,
    /// Badge or employee number.
    pub badge: String,
    /// The agency that employs them.
    pub agency: String,
}

/// What was asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// What kind of number the reference is, such as `Complaint number`.
    pub reference_kind: String,
    /// The number.
    pub reference: String,
    /// The purpose of the closed list, in words, with its particulars.
    pub purpose: String,
    /// Why, in the requester's words; lines as typed.
    pub reason: String,
    /// Who asked.
    pub requester: Person,
    /// Who ran the search.
    pub operator: Person,
    /// What the operator attested, a sentence each.
    pub attestations: Vec<String>,
}

/// Something that happened on the way.
#[derive(Clone, Debug)]
pub struct Event {
    /// What, in words.
    pub what: String,
    /// When.
    pub time_cs: u64,
    /// The leaf that says so.
    pub leaf: Option<u64>,
}

/// A photo to print.
#[derive(Clone)]
pub enum Picture {
    /// A JPEG file as it is stored.
    Jpeg(Vec<u8>),
    /// A PNG file as it is stored.
    Png(Vec<u8>),
    /// Pixels, upright: what a format that no PDF can hold was decoded to.
    Rgb(RgbImage),
}

/// The probe.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Where it came from, in the requester's words.
    pub source: String,
    /// As it was received.
    pub original: Picture,
    /// Digest of the file as received.
    pub original_sha256: Hash,
    /// As it was searched: the same where nothing was edited.
    pub searched: Picture,
    /// Digest of what was searched.
    pub searched_sha256: Hash,
    /// The edits that lead from one to the other, in order.
    pub edits: Vec<Edit>,
    /// The face that was compared: left edge, upper edge, width, height in pixels of the picture as
    /// searched.
    pub face: Option<[f32; 4]>,
    /// How many faces were found in it.
    pub faces: usize,
    /// The quality sheet.
    pub quality: Vec<Measure>,
    /// Why the search went on although the quality is poor.
    pub poor_because: Option<String>,
}

/// One edit of the closed list.
#[derive(Clone, Debug)]
pub struct Edit {
    /// What was done, with its numbers.
    pub what: String,
    /// Digest of the outcome.
    pub sha256: Hash,
}

/// One line of the quality sheet.
#[derive(Clone, Debug)]
pub struct Measure {
    /// What was measured.
    pub name: String,
    /// What came out, with its unit.
    pub value: String,
    /// What it means; may be empty.
    pub advice: String,
}

/// What the probe was compared with, and by what.
#[derive(Clone, Debug)]
pub struct Search {
    /// The model's name.
    pub model_name: String,
    /// The model's digest.
    pub model: ModelId,
    /// Its error rates as measured; none where nobody measured them.
    pub measured: Option<ErrorRates>,
    /// The log's origin.
    pub origin: String,
    /// The log's size at the last leaf that the gallery had applied.
    pub leaves: u64,
    /// The log's root there.
    pub root: Hash,
    /// Bookings compared.
    pub rows: u64,
    /// Candidates asked for.
    pub asked_for: usize,
}

/// One photo of the array.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Place in the array, from 1.
    pub rank: usize,
    /// The booking's version.
    pub version: VersionId,
    /// Similarity: cosine of the two embeddings.
    pub score: f64,
    /// The booking; none where its agency released it before the report was issued.
    pub booking: Option<Booking>,
    /// What the first examiner made of it.
    pub first: Disposition,
    /// What the second one did.
    pub second: Disposition,
}

/// Basic booking data with the photo.
#[derive(Clone, Debug)]
pub struct Booking {
    /// The photo.
    pub photo: Picture,
    /// Digest of the photo as received.
    pub photo_sha256: Hash,
    /// Name as booked.
    pub name: Text,
    /// Date of birth as booked.
    pub date_of_birth: Option<Date>,
    /// Date of the booking.
    pub booked_on: Date,
    /// Charges as booked.
    pub charges: Vec<Text>,
    /// The agency's number of it.
    pub number: BookingNumber,
    /// The agency that booked.
    pub agency: String,
}

/// What an examiner made of a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disposition {
    /// Whether it stays a lead.
    pub lead: bool,
    /// The disposition in words, such as `lead`, `no lead`, `inconclusive`, `released by its
    /// agency`.
    pub words: String,
    /// Features compared.
    pub features: Vec<Feature>,
    /// The examiner's remark; may be empty.
    pub remark: String,
}

/// A facial feature as an examiner compared it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Which one, as the FISWG list names it.
    pub name: String,
    /// What was seen, such as `similar`, `different`, `not visible`.
    pub finding: String,
    /// The examiner's remark; may be empty.
    pub remark: String,
}

/// An examiner's review.
#[derive(Clone, Debug)]
pub struct Review {
    /// Who.
    pub examiner: Person,
    /// When it was completed.
    pub time_cs: u64,
    /// The leaf that says so.
    pub leaf: u64,
}

/// A leaf with the proof that the log holds it.
#[derive(Clone, Debug)]
pub struct Proven {
    /// What it says, such as `asked`, `reviewed by the second examiner`.
    pub what: String,
    /// The leaf.
    pub leaf: Leaf,
    /// The proof.
    pub proof: TlogProof,
}

/// That the report is evidence, and through whose hands it went.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The evidence or property number, where one was given.
    pub number: Option<String>,
    /// The I/Leads report that documents the identification.
    pub i_leads: Option<String>,
    /// Who marked it.
    pub by: Person,
    /// When.
    pub time_cs: u64,
    /// Who received it, in order.
    pub received: Vec<Receipt>,
}

/// That somebody received the report.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// Who.
    pub by: Person,
    /// When.
    pub time_cs: u64,
    /// What for; may be empty.
    pub what_for: String,
}

impl StateMark {
    /// The word that stands on every page; none on casework.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::Real => None,
            Self::Demo => Some("DEMO"),
            Self::Test => Some("TEST"),
        }
    }
}

impl Candidate {
    /// Whether the examiners came to different dispositions.
    pub fn is_disputed(&self) -> bool {
        (self.first.lead, &self.first.words) != (self.second.lead, &self.second.words)
    }

    /// Whether both examiners left it a lead.
    pub fn is_lead(&self) -> bool {
        self.first.lead && self.second.lead
    }
}

impl std::fmt::Debug for Picture {
    /// Names the form and size only: a photo of a person doesn't belong into a journal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Jpeg(bytes) => write!(f, "Jpeg({} bytes)", bytes.len()),
            Self::Png(bytes) => write!(f, "Png({} bytes)", bytes.len()),
            Self::Rgb(pixels) => write!(f, "Rgb({} x {})", pixels.width(), pixels.height()),
        }
    }
}
