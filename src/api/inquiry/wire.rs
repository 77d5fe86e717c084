//! Bodies of the requests and answers about an inquiry.

use serde::{Deserialize, Serialize};

use crate::audit::touch::{Touch, lower_hex};
use crate::booking::{BookingData, BookingNumber, Identifier, VersionId};
use crate::calendar::Time;
use crate::embed::QualitySheet;
use crate::face::Edits;
use crate::ids::Digest;
use crate::inquiry::{
    Choice, End, Evidence, Finding, Frame, Handover, InquiryId, NOTE, Outcome, Participant, Probe,
    Recorded, Reference, Report, Request, Requester, Review, Stage,
};
use crate::service::{Head, InquirySight};

/// An inquiry in a list.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadView {
    /// Its name.
    #[schema(value_type = String)]
    pub inquiry: InquiryId,
    /// Where it stands.
    pub stage: Stage,
    /// Who asks.
    pub requester: Requester,
    /// For which case.
    pub reference: Reference,
    /// Who opened it.
    pub operator: Participant,
    /// When.
    pub opened_cs: Time,
    /// Whether it waits for a step that the caller may take.
    pub waits: bool,
}

/// An inquiry as the caller may see it.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InquiryView {
    /// Its name.
    #[schema(value_type = String)]
    pub inquiry: InquiryId,
    /// What every step names: another one now is refused.
    pub revision: u64,
    /// Where it stands.
    pub stage: Stage,
    /// When it was opened.
    pub opened_cs: Time,
    /// Who opened it.
    pub operator: Participant,
    /// What it states.
    pub request: Request,
    /// What stands on every array.
    pub note: String,
    /// The probe, once received.
    #[schema(value_type = Option<Object>)]
    pub probe: Option<Probe>,
    /// The face, once chosen.
    #[schema(value_type = Option<Object>)]
    pub choice: Option<Choice>,
    /// The leaf `asked` of the last search.
    pub asked: Option<u64>,
    /// The leaf `answered`.
    pub answered: Option<u64>,
    /// The candidates: leads, never identifications. Best first once both reviews are finished;
    /// before, in an order that says nothing of a score.
    pub candidates: Vec<CandidateCard>,
    /// The first examiner.
    pub first: Option<ReviewView>,
    /// The second examiner.
    pub second: Option<ReviewView>,
    /// Candidates on which the two disagree, once both are finished and the caller may know.
    #[schema(value_type = Option<Vec<String>>)]
    pub disagreements: Option<Vec<VersionId>>,
    /// The report, once issued.
    #[schema(value_type = Option<Object>)]
    pub report: Option<Report>,
    /// Who received it as evidence.
    #[schema(value_type = Vec<Object>)]
    pub evidence: Vec<Evidence>,
    /// What became of it.
    #[schema(value_type = Option<Object>)]
    pub outcome: Option<Recorded>,
    /// How it ended without a report.
    #[schema(value_type = Option<Object>)]
    pub ended: Option<End>,
}

/// A candidate as the caller may see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CandidateCard {
    /// The booking's version.
    #[schema(value_type = String)]
    pub version: VersionId,
    /// The place in the array, counted from 1, once both reviews are finished.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// Whether its agency released it meanwhile.
    pub released: bool,
    /// Whether its photo may be seen.
    pub photo: bool,
    /// Score and biography, where they may be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Known>,
    /// What the caller recorded of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Finding>,
    /// What both examiners recorded, where that may be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub both: Option<[Option<Finding>; 2]>,
}

/// Score and biography of a candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Cosine of probe and candidate, -1 to 1.
    pub score: f64,
    /// The agency that owns the booking.
    #[schema(value_type = String)]
    pub agency: Identifier,
    /// That agency's number.
    #[schema(value_type = String)]
    pub number: BookingNumber,
    /// Basic booking data.
    pub booking: BookingData,
    /// The enrolled face: left edge, upper edge, width, height in pixels of the photo as shown.
    pub frame: [f32; 4],
}

/// A review as the caller may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewView {
    /// Whose it is.
    pub examiner: Participant,
    /// The leaf `reviewed`, once it is finished.
    pub leaf: Option<u64>,
}

/// A probe that is to come.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadRequest {
    /// Bytes of the file.
    pub bytes: u64,
    /// SHA-256 of the file, hexadecimal.
    #[serde(with = "lower_hex")]
    #[schema(value_type = String)]
    pub sha256: Digest,
}

/// How much of a probe is durable: the next piece begins there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UploadState {
    /// Bytes.
    pub received: u64,
    /// Bytes of a piece; only the last may be shorter.
    pub piece: u64,
}

/// Ends an upload.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeHere {
    /// The inquiry's revision.
    pub revision: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// SHA-256 of the file, hexadecimal.
    #[serde(with = "lower_hex")]
    #[schema(value_type = String)]
    pub sha256: Digest,
}

/// Edits to be looked at.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// The edits.
    #[schema(value_type = Vec<Object>)]
    pub edits: Edits,
}

/// A probe with its edits, and all its faces.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewView {
    /// Width of the probe as searched in pixels.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// Faces, best first: a choice with the same edits is an index into them.
    pub faces: Vec<PreviewFace>,
    /// A picture of it, base64 of a JPEG.
    pub picture: String,
}

/// A face of a probe.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewFace {
    /// Where it is in the probe as searched.
    pub frame: Frame,
    /// A picture of it with some of what is around it, base64 of a JPEG.
    pub picture: String,
    /// Why it can't be searched, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unusable: Option<String>,
}

/// The choice of a face.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FaceRequest {
    /// The inquiry's revision.
    pub revision: u64,
    /// Its index in the probe as searched, as a preview of the same edits gives it; the only usable
    /// one where it isn't said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face: Option<usize>,
    /// What is done to the probe.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    pub edits: Edits,
    /// Why the search is worth its while though the face is poor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A chosen face, and how good it is.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FaceChosen {
    /// The inquiry.
    pub view: InquiryView,
    /// The measures.
    #[schema(value_type = Vec<Object>)]
    pub quality: QualitySheet,
}

/// A step that takes no more than the revision on which it was decided.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct At {
    /// The inquiry's revision.
    pub revision: u64,
}

/// A search that was approved by touch.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchTouched {
    /// The inquiry's revision.
    pub revision: u64,
    /// The challenge that was answered.
    #[serde(with = "lower_hex")]
    #[schema(value_type = String)]
    pub nonce: [u8; 32],
    /// The answer.
    pub touch: Touch,
}

/// What an examiner made of a candidate.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FindingRequest {
    /// The inquiry's revision.
    pub revision: u64,
    /// The finding.
    pub finding: Finding,
}

/// Who received a report as evidence.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EvidenceRequest {
    /// The inquiry's revision.
    pub revision: u64,
    /// Who.
    pub handover: Handover,
}

/// What became of a report.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OutcomeRequest {
    /// The inquiry's revision.
    pub revision: u64,
    /// What.
    pub outcome: Outcome,
}

/// Why an inquiry is withdrawn.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawRequest {
    /// The inquiry's revision.
    pub revision: u64,
    /// In words.
    pub reason: String,
}

impl From<Head> for HeadView {
    fn from(Head { inquiry, waits }: Head) -> Self {
        Self {
            inquiry: inquiry.id(),
            stage: inquiry.stage(),
            requester: inquiry.request().requester.clone(),
            reference: inquiry.request().reference.clone(),
            operator: inquiry.operator().clone(),
            opened_cs: inquiry.opened(),
            waits,
        }
    }
}

impl From<InquirySight> for InquiryView {
    fn from(InquirySight { inquiry, sight, candidates }: InquirySight) -> Self {
        let review = |review: Option<&Review>| {
            review.map(|review| ReviewView { examiner: review.examiner.clone(), leaf: review.leaf })
        };
        let cards = candidates.into_iter().map(|candidate| CandidateCard {
            version: candidate.version,
            rank: candidate.rank,
            released: candidate.released,
            photo: candidate.photo,
            known: candidate.known.map(|(score, agency, record)| Known {
                score,
                agency,
                number: record.number,
                booking: record.booking,
                frame: record.frame,
            }),
            own: candidate.own,
            both: candidate.both,
        });
        Self {
            inquiry: inquiry.id(),
            revision: inquiry.revision(),
            stage: inquiry.stage(),
            opened_cs: inquiry.opened(),
            operator: inquiry.operator().clone(),
            request: inquiry.request().clone(),
            note: NOTE.to_owned(),
            probe: inquiry.probe().cloned(),
            choice: inquiry.choice().cloned(),
            asked: inquiry.searches().last().map(|search| search.leaf),
            answered: inquiry.answer().map(|answer| answer.leaf),
            candidates: cards.collect(),
            first: review(inquiry.first()),
            second: review(inquiry.second()),
            disagreements: inquiry.disagreements().filter(|_| sight.others),
            report: inquiry.report().cloned(),
            evidence: inquiry.evidence().to_vec(),
            outcome: inquiry.outcome().cloned(),
            ended: inquiry.ended().cloned(),
        }
    }
}
