//! The door of inquiries: each verb of the console, one request each.

use axum::Json;
use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

use super::desk::FromDesk;
use super::problem::Refusal;
use super::wire::TIMING_HEADER;
use super::wire::inquiry::{
    At, CandidateCard, EvidenceRequest, FaceChosen, FaceRequest, FindingRequest, HeadView,
    InquiryView, Known, OutcomeRequest, PreviewFace, PreviewRequest, PreviewView, ProbeHere,
    ReviewView, SearchTouched, UploadRequest, UploadState, WithdrawRequest,
};
use super::{Door, InPath, answer, form};
use crate::booking::VersionId;
use crate::embed::{EncodedPicture, Preview, ProbeFace};
use crate::face::Edits;
use crate::inquiry::{InquiryId, NOTE, Request as InquiryRequest, Review};
use crate::limits::PROBE_PIECE_BYTES;
use crate::service::{AtDesk, Head, InquirySight, SearchTimings, Service, ServiceError};
use crate::vault::Announced;

pub(super) type InPaths = Result<Path<(String, String)>, PathRejection>;

/// The routes of inquiries.
pub(super) fn routes() -> Router<Door> {
    Router::new()
        .route("/v1/inquiries", get(get_inquiries).post(post_inquiry))
        .route("/v1/inquiries/{inquiry}", get(get_inquiry))
        .route("/v1/inquiries/{inquiry}/upload", post(post_upload).put(put_upload))
        .route("/v1/inquiries/{inquiry}/probe", post(post_probe).get(get_probe))
        .route("/v1/inquiries/{inquiry}/preview", post(post_preview))
        .route("/v1/inquiries/{inquiry}/face", post(post_face))
        .route("/v1/inquiries/{inquiry}/challenge", post(post_challenge))
        .route("/v1/inquiries/{inquiry}/search", post(post_search))
        .route("/v1/inquiries/{inquiry}/claim", post(post_claim))
        .route("/v1/inquiries/{inquiry}/candidates/{version}/photo", get(get_photo))
        .route("/v1/inquiries/{inquiry}/findings", post(post_finding))
        .route("/v1/inquiries/{inquiry}/finish", post(post_finish))
        .route("/v1/inquiries/{inquiry}/report", post(post_report))
        .route("/v1/inquiries/{inquiry}/report.pdf", get(get_report))
        .route("/v1/inquiries/{inquiry}/report.pdf.tlog-proof", get(get_report_proof))
        .route("/v1/inquiries/{inquiry}/evidence", post(post_evidence))
        .route("/v1/inquiries/{inquiry}/outcome", post(post_outcome))
        .route("/v1/inquiries/{inquiry}/withdraw", post(post_withdraw))
}

/// Which part of a probe a picture shows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OfProbe {
    #[serde(default)]
    part: ProbePart,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ProbePart {
    #[default]
    Original,
    Searched,
}

/// Where a piece of an upload belongs, and of what.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Piece {
    offset: u64,
    bytes: u64,
    sha256: String,
}

impl Door {
    /// Runs a step of an inquiry and answers with how it stands then.
    async fn step<T: Send + 'static>(
        &self,
        from: FromDesk,
        id: InquiryId,
        step: impl FnOnce(&Service, &AtDesk) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<(T, InquiryView), Refusal> {
        self.at_desk(from, move |service, desk| {
            let done = step(service, desk)?;
            Ok((done, view(service.inquiry(desk, id)?)))
        })
        .await
    }
}

async fn get_inquiries(State(door): State<Door>, from: FromDesk) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let heads = door.at_desk(from, Service::inquiries).await?;
        Ok(Json(heads.into_iter().map(head).collect::<Vec<_>>()).into_response())
    };
    answer(&ticket, get.await)
}

async fn post_inquiry(State(door): State<Door>, from: FromDesk, request: Request) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let request: InquiryRequest = form::read_json(request, "inquiry").await?;
        let opened = door.at_desk(from, move |service, desk| {
            let id = service.open_inquiry(desk, request)?;
            Ok(view(service.inquiry(desk, id)?))
        });
        Ok((StatusCode::CREATED, Json(opened.await?)).into_response())
    };
    answer(&ticket, post.await)
}

async fn get_inquiry(State(door): State<Door>, from: FromDesk, id: InPath) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let id = inquiry_id(id)?;
        Ok(Json(door.step(from, id, |_, _| Ok(())).await?.1).into_response())
    };
    answer(&ticket, get.await)
}

async fn post_upload(
    State(door): State<Door>,
    from: FromDesk,
    id: InPath,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let id = inquiry_id(id)?;
        let UploadRequest { bytes, sha256 } = form::read_json(request, "upload").await?;
        let announced = Announced { size: bytes, sha256 };
        let received = door
            .at_desk(from, move |service, desk| service.begin_upload(desk, id, announced))
            .await?;
        Ok(Json(UploadState { received, piece: PROBE_PIECE_BYTES as u64 }).into_response())
    };
    answer(&ticket, post.await)
}

async fn put_upload(
    State(door): State<Door>,
    from: FromDesk,
    id: InPath,
    query: Result<Query<Piece>, QueryRejection>,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let put = async {
        let id = inquiry_id(id)?;
        let wanted = "a piece is not placed, wanted '?offset=' with '&bytes=' and '&sha256=' of \
            the whole file";
        let Query(Piece { offset, bytes, sha256 }) =
            query.map_err(|_| Refusal::malformed(wanted))?;
        let mut digest = [0; 32];
        hex::decode_to_slice(&sha256, &mut digest).map_err(|_| Refusal::malformed(wanted))?;
        let announced = Announced { size: bytes, sha256: digest };
        let piece = axum::body::to_bytes(request.into_body(), PROBE_PIECE_BYTES).await;
        let piece = piece
            .map_err(|_| Refusal::too_large("the piece (or it is torn)", PROBE_PIECE_BYTES))?;
        let received = door
            .at_desk(from, move |service, desk| {
                service.put_piece(desk, id, announced, offset, &piece)
            })
            .await?;
        Ok(Json(UploadState { received, piece: PROBE_PIECE_BYTES as u64 }).into_response())
    };
    answer(&ticket, put.await)
}

async fn post_probe(
    State(door): State<Door>,
    from: FromDesk,
    id: InPath,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let id = inquiry_id(id)?;
        let ProbeHere { revision, bytes, sha256 } = form::read_json(request, "probe").await?;
        let announced = Announced { size: bytes, sha256 };
        Ok(Json(
            door.step(from, id, move |service, desk| {
                service.receive_probe(desk, id, revision, announced)
            })
            .await?
            .1,
        )
        .into_response())
    };
    answer(&ticket, post.await)
}

async fn get_probe(
    State(door): State<Door>,
    from: FromDesk,
    id: InPath,
    query: Result<Query<OfProbe>, QueryRejection>,
) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let id = inquiry_id(id)?;
        let Query(OfProbe { part }) =
            query.map_err(|_| Refusal::malformed("wanted '?part=original' or '?part=searched'"))?;
        let shown = door.at_desk(from, move |service, desk| {
            let edits = match part {
                ProbePart::Original => Edits::default(),
                ProbePart::Searched => service
                    .inquiry(desk, id)?
                    .inquiry
                    .choice()
                    .map(|choice| choice.edits.clone())
                    .unwrap_or_default(),
            };
            service.probe_picture(desk, id, &edits)
        });
        Ok(picture(shown.await?))
    };
    answer(&ticket, get.await)
}

async fn post_preview(
    State(door): State<Door>,
    from: FromDesk,
    id: InPath,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let id = inquiry_id(id)?;
        let PreviewRequest { edits } = form::read_json(request, "edits").await?;
        let Preview { look, whole, faces } =
            door.at_desk(from, move |service, desk| service.preview(desk, id, &edits)).await?;
        let face = |(found, shown): (&ProbeFace, &EncodedPicture)| PreviewFace {
            frame: found.face.frame.into(),
            unusable: found.unusable.as_ref().map(ToString::to_string),
            picture: STANDARD.encode(&shown.bytes),
        };
        let faces = look.faces.iter().zip(&faces).map(face).collect();
        let [width, height] = look.searched_px;
        Ok(Json(PreviewView { width, height, faces, picture: STANDARD.encode(&whole.bytes) })
            .into_response())
    };
    answer(&ticket, post.await)
}

async fn post_face(
    State(door): State<Door>,
    from: FromDesk,
    id: InPath,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let id = inquiry_id(id)?;
        let FaceRequest { revision, face, edits, reason } =
            form::read_json(request, "face").await?;
        let chosen = door.step(from, id, move |service, desk| {
            service.choose_face(desk, id, revision, edits, face, reason)
        });
        let (quality, view) = chosen.await?;
        Ok(Json(FaceChosen { view, quality }).into_response())
    };
    answer(&ticket, post.await)
}

async fn post_challenge(
    State(door): State<Door>,
    from: FromDesk,
    id: InPath,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let id = inquiry_id(id)?;
        let At { revision } = form::read_json(request, "revision").await?;
        Ok(door.challenge(
            door.at_desk(from, move |service, desk| service.challenge_search(desk, id, revision))
                .await?,
        ))
    };
    answer(&ticket, post.await)
}

async fn post_search(
    State(door): State<Door>,
    from: FromDesk,
    id: InPath,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let id = inquiry_id(id)?;
        let SearchTouched { revision, nonce, touch } = form::read_json(request, "search").await?;
        let (timings, view) = door
            .step(from, id, move |service, desk| service.search(desk, id, revision, nonce, touch))
            .await?;
        Ok(([(TIMING_HEADER, timing(&timings))], Json(view)).into_response())
    };
    answer(&ticket, post.await)
}

async fn post_claim(
    State(door): State<Door>,
    from: FromDesk,
    id: InPath,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let id = inquiry_id(id)?;
        let At { revision } = form::read_json(request, "revision").await?;
        Ok(Json(
            door.step(from, id, move |service, desk| service.claim(desk, id, revision)).await?.1,
        )
        .into_response())
    };
    answer(&ticket, post.await)
}

async fn get_photo(State(door): State<Door>, from: FromDesk, path: InPaths) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let (id, version) = both(path)?;
        let version = VersionId::parse(&version).map_err(|e| Refusal::malformed(e.to_string()))?;
        Ok(picture(
            door.at_desk(from, move |service, desk| service.candidate_picture(desk, id, version))
                .await?,
        ))
    };
    answer(&ticket, get.await)
}

async fn post_finding(
    State(door): State<Door>,
    from: FromDesk,
    id: InPath,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let id = inquiry_id(id)?;
        let FindingRequest { revision, finding } = form::read_json(request, "finding").await?;
        let step =
            door.step(from, id, move |service, desk| service.dispose(desk, id, revision, finding));
        Ok(Json(step.await.map_err(|refusal| refusal.within("finding"))?.1).into_response())
    };
    answer(&ticket, post.await)
}

async fn post_finish(
    State(door): State<Door>,
    from: FromDesk,
    id: InPath,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let id = inquiry_id(id)?;
        let At { revision } = form::read_json(request, "revision").await?;
        Ok(Json(
            door.step(from, id, move |service, desk| service.finish_review(desk, id, revision))
                .await?
                .1,
        )
        .into_response())
    };
    answer(&ticket, post.await)
}

async fn post_report(
    State(door): State<Door>,
    from: FromDesk,
    id: InPath,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let id = inquiry_id(id)?;
        let At { revision } = form::read_json(request, "revision").await?;
        Ok(Json(
            door.step(from, id, move |service, desk| service.issue_report(desk, id, revision))
                .await?
                .1,
        )
        .into_response())
    };
    answer(&ticket, post.await)
}

async fn get_report(State(door): State<Door>, from: FromDesk, id: InPath) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let id = inquiry_id(id)?;
        let file = door.at_desk(from, move |service, desk| service.report_file(desk, id)).await?;
        Ok(download(file, "application/pdf", &format!("compare-report-{id}.pdf")))
    };
    answer(&ticket, get.await)
}

async fn get_report_proof(State(door): State<Door>, from: FromDesk, id: InPath) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let id = inquiry_id(id)?;
        let proof = door.at_desk(from, move |service, desk| service.report_proof(desk, id)).await?;
        Ok(download(
            proof.into_bytes(),
            "text/plain; charset=utf-8",
            &format!("compare-report-{id}.pdf.tlog-proof"),
        ))
    };
    answer(&ticket, get.await)
}

async fn post_evidence(
    State(door): State<Door>,
    from: FromDesk,
    id: InPath,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let id = inquiry_id(id)?;
        let EvidenceRequest { revision, handover } = form::read_json(request, "handover").await?;
        let step = door.step(from, id, move |service, desk| {
            service.mark_evidence(desk, id, revision, handover)
        });
        Ok(Json(step.await.map_err(|refusal| refusal.within("handover"))?.1).into_response())
    };
    answer(&ticket, post.await)
}

async fn post_outcome(
    State(door): State<Door>,
    from: FromDesk,
    id: InPath,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let id = inquiry_id(id)?;
        let OutcomeRequest { revision, outcome } = form::read_json(request, "outcome").await?;
        let step = door.step(from, id, move |service, desk| {
            service.record_outcome(desk, id, revision, outcome)
        });
        Ok(Json(step.await.map_err(|refusal| refusal.within("outcome"))?.1).into_response())
    };
    answer(&ticket, post.await)
}

async fn post_withdraw(
    State(door): State<Door>,
    from: FromDesk,
    id: InPath,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let id = inquiry_id(id)?;
        let WithdrawRequest { revision, reason } = form::read_json(request, "withdrawal").await?;
        Ok(Json(
            door.step(from, id, move |service, desk| service.withdraw(desk, id, revision, reason))
                .await?
                .1,
        )
        .into_response())
    };
    answer(&ticket, post.await)
}

/// A file to be kept under this name.
fn download(file: Vec<u8>, media_type: &'static str, name: &str) -> Response {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let mut answer =
        ([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))], file).into_response();
    if let Ok(disposition) = disposition {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    answer
}

fn picture(shown: EncodedPicture) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"))], shown.bytes).into_response()
}

pub(super) fn inquiry_id(found: InPath) -> Result<InquiryId, Refusal> {
    let Path(found) = found.map_err(|_| Refusal::malformed("the path is not UTF-8"))?;
    InquiryId::parse(&found).map_err(|e| Refusal::malformed(e.to_string()))
}

pub(super) fn both(path: InPaths) -> Result<(InquiryId, String), Refusal> {
    let Path((id, other)) = path.map_err(|_| Refusal::malformed("the path is not UTF-8"))?;
    Ok((InquiryId::parse(&id).map_err(|e| Refusal::malformed(e.to_string()))?, other))
}

fn head(Head { inquiry, waits }: Head) -> HeadView {
    HeadView {
        inquiry: inquiry.id(),
        stage: inquiry.stage(),
        requester: inquiry.request().requester.clone(),
        reference: inquiry.request().reference.clone(),
        operator: inquiry.operator().clone(),
        opened_cs: inquiry.opened_cs(),
        waits,
    }
}

/// What of an inquiry the person may see.
fn view(InquirySight { inquiry, sight, candidates }: InquirySight) -> InquiryView {
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
    InquiryView {
        inquiry: inquiry.id(),
        revision: inquiry.revision(),
        stage: inquiry.stage(),
        opened_cs: inquiry.opened_cs(),
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

/// Milliseconds of each step, in the form of the header that says so.
fn timing(search: &SearchTimings) -> String {
    let steps = [
        ("examine", search.examine_ms),
        ("ask", search.ask_ms),
        ("scan", search.scan_ms),
        ("answer", search.answer_ms),
    ];
    steps.map(|(name, ms)| format!("{name};dur={ms:.2}")).join(", ")
}
