//! Inquiries: each verb of the console, one request each. A step names the revision on which it was
//! decided, and is answered with how the inquiry stands then.

pub(super) mod wire;

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::on;
use axum::{Extension, Json};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;

use super::app::{Answer, Call};
use super::form;
use super::path::{InPath, InQuery, Queried};
use super::problem::ApiError;
use super::route::Method::{Get, Post, Put};
use super::route::{Access, EXAMINERS, INQUIRERS, OPERATORS, Route};
use super::touch::ChallengeView;
use crate::audit::LeafKind;
use crate::booking::VersionId;
use crate::embed::{EncodedPicture, Preview, ProbeFace};
use crate::face::Edits;
use crate::ids::Digest;
use crate::inquiry::{InquiryId, Request as InquiryRequest};
use crate::limits::PROBE_PIECE_BYTES;
use crate::service::{AtDesk, SearchTimings, Service, ServiceError};
use crate::vault::Announced;
use wire::{
    At, EvidenceRequest, FaceChosen, FaceRequest, FindingRequest, HeadView, InquiryView,
    OutcomeRequest, PreviewFace, PreviewRequest, PreviewView, ProbeHere, SearchTouched,
    UploadRequest, UploadState, WithdrawRequest,
};

pub(super) const ROUTES: &[Route] = &[
    Route::new(Get, "/v1/inquiries", LOOK, |m| on(m, get_inquiries)),
    Route::new(Post, "/v1/inquiries", OPERATE, |m| on(m, post_inquiry))
        .wrong_role_leaves(LeafKind::SearchRefused)
        .door_leaves(LeafKind::SearchRefused),
    Route::new(Get, "/v1/inquiries/{inquiry}", LOOK, |m| on(m, get_inquiry)),
    Route::new(Post, "/v1/inquiries/{inquiry}/upload", OPERATE, |m| on(m, post_upload)),
    Route::new(Put, "/v1/inquiries/{inquiry}/upload", OPERATE, |m| on(m, put_upload)),
    Route::new(Post, "/v1/inquiries/{inquiry}/probe", OPERATE, |m| on(m, post_probe)),
    Route::new(Get, "/v1/inquiries/{inquiry}/probe", LOOK, |m| on(m, get_probe)),
    Route::new(Post, "/v1/inquiries/{inquiry}/preview", LOOK, |m| on(m, post_preview)),
    Route::new(Post, "/v1/inquiries/{inquiry}/face", OPERATE, |m| on(m, post_face)),
    Route::new(Post, "/v1/inquiries/{inquiry}/challenge", OPERATE, |m| on(m, post_challenge)),
    Route::new(Post, "/v1/inquiries/{inquiry}/search", OPERATE, |m| on(m, post_search))
        .door_leaves(LeafKind::SearchRefused),
    Route::new(Post, "/v1/inquiries/{inquiry}/claim", EXAMINE, |m| on(m, post_claim)),
    Route::new(Get, "/v1/inquiries/{inquiry}/candidates/{version}/photo", LOOK, |m| {
        on(m, get_photo)
    }),
    Route::new(Post, "/v1/inquiries/{inquiry}/findings", EXAMINE, |m| on(m, post_finding)),
    Route::new(Post, "/v1/inquiries/{inquiry}/finish", EXAMINE, |m| on(m, post_finish)),
    Route::new(Post, "/v1/inquiries/{inquiry}/report", LOOK, |m| on(m, post_report)),
    Route::new(Get, "/v1/inquiries/{inquiry}/report.pdf", LOOK, |m| on(m, get_report)),
    Route::new(Get, "/v1/inquiries/{inquiry}/report.pdf.tlog-proof", LOOK, |m| {
        on(m, get_report_proof)
    }),
    Route::new(Post, "/v1/inquiries/{inquiry}/evidence", OPERATE, |m| on(m, post_evidence)),
    Route::new(Post, "/v1/inquiries/{inquiry}/outcome", OPERATE, |m| on(m, post_outcome)),
    Route::new(Post, "/v1/inquiries/{inquiry}/withdraw", OPERATE, |m| on(m, post_withdraw)),
];

const LOOK: Access = Access::People(INQUIRERS);
const OPERATE: Access = Access::People(OPERATORS);
const EXAMINE: Access = Access::People(EXAMINERS);

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

impl Queried for OfProbe {
    const WANTED: &'static str = "wanted '?part=original' or '?part=searched'";
}

impl Queried for Piece {
    const WANTED: &'static str = "a piece is not placed, wanted '?offset=' with '&bytes=' and \
        '&sha256=' of the whole file";
}

impl Call {
    /// Runs a step of an inquiry and answers with how it stands then.
    async fn step<T: Send + 'static>(
        self,
        id: InquiryId,
        step: impl FnOnce(&Service, &AtDesk) -> Result<T, ServiceError> + Send + 'static,
    ) -> Answer<(T, InquiryView)> {
        self.at_desk(move |service, desk| {
            let done = step(service, desk)?;
            Ok((done, service.inquiry(desk, id)?.into()))
        })
        .await
    }

    /// As `step`, where the step itself gives nothing.
    async fn plain_step(
        self,
        id: InquiryId,
        step: impl FnOnce(&Service, &AtDesk) -> Result<(), ServiceError> + Send + 'static,
    ) -> Answer<Json<InquiryView>> {
        Ok(Json(self.step(id, step).await?.1))
    }
}

async fn get_inquiries(call: Call) -> Answer<Json<Vec<HeadView>>> {
    let heads = call.at_desk(Service::inquiries).await?;
    Ok(Json(heads.into_iter().map(HeadView::from).collect()))
}

async fn post_inquiry(call: Call, request: Request) -> Answer<(StatusCode, Json<InquiryView>)> {
    let request: InquiryRequest = form::read_json(request, "inquiry").await?;
    let opened = call.at_desk(move |service, desk| {
        let id = service.open_inquiry(desk, request)?;
        Ok(InquiryView::from(service.inquiry(desk, id)?))
    });
    Ok((StatusCode::CREATED, Json(opened.await?)))
}

async fn get_inquiry(call: Call, path: InPath) -> Answer<Json<InquiryView>> {
    call.plain_step(inquiry(&path)?, |_, _| Ok(())).await
}

async fn post_upload(call: Call, path: InPath, request: Request) -> Answer<Json<UploadState>> {
    let id = inquiry(&path)?;
    let UploadRequest { bytes, sha256 } = form::read_json(request, "upload").await?;
    let announced = Announced { size: bytes, sha256 };
    let received =
        call.at_desk(move |service, desk| service.begin_upload(desk, id, announced)).await?;
    Ok(Json(UploadState { received, piece: PROBE_PIECE_BYTES as u64 }))
}

async fn put_upload(
    call: Call,
    path: InPath,
    InQuery(Piece { offset, bytes, sha256: digits }): InQuery<Piece>,
    request: Request,
) -> Answer<Json<UploadState>> {
    let id = inquiry(&path)?;
    let sha256 = Digest::parse(&digits).map_err(|_| ApiError::malformed(Piece::WANTED))?;
    let announced = Announced { size: bytes, sha256 };
    let piece = axum::body::to_bytes(request.into_body(), PROBE_PIECE_BYTES).await;
    let piece =
        piece.map_err(|_| ApiError::too_large("the piece (or it is torn)", PROBE_PIECE_BYTES))?;
    let received = call
        .at_desk(move |service, desk| service.put_piece(desk, id, announced, offset, &piece))
        .await?;
    Ok(Json(UploadState { received, piece: PROBE_PIECE_BYTES as u64 }))
}

async fn post_probe(call: Call, path: InPath, request: Request) -> Answer<Json<InquiryView>> {
    let id = inquiry(&path)?;
    let ProbeHere { revision, bytes, sha256 } = form::read_json(request, "probe").await?;
    let announced = Announced { size: bytes, sha256 };
    call.plain_step(id, move |service, desk| service.receive_probe(desk, id, revision, announced))
        .await
}

async fn get_probe(
    call: Call,
    path: InPath,
    InQuery(OfProbe { part }): InQuery<OfProbe>,
) -> Answer<impl IntoResponse> {
    let id = inquiry(&path)?;
    let shown = call.at_desk(move |service, desk| {
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
    shown.await.map(picture)
}

async fn post_preview(call: Call, path: InPath, request: Request) -> Answer<Json<PreviewView>> {
    let id = inquiry(&path)?;
    let PreviewRequest { edits } = form::read_json(request, "edits").await?;
    let Preview { look, whole, faces } =
        call.at_desk(move |service, desk| service.preview(desk, id, &edits)).await?;
    let face = |(found, shown): (&ProbeFace, &EncodedPicture)| PreviewFace {
        frame: found.face.frame.into(),
        unusable: found.unusable.as_ref().map(ToString::to_string),
        picture: STANDARD.encode(&shown.bytes),
    };
    let faces = look.faces.iter().zip(&faces).map(face).collect();
    let [width, height] = look.searched_px;
    Ok(Json(PreviewView { width, height, faces, picture: STANDARD.encode(&whole.bytes) }))
}

async fn post_face(call: Call, path: InPath, request: Request) -> Answer<Json<FaceChosen>> {
    let id = inquiry(&path)?;
    let FaceRequest { revision, face, edits, reason } = form::read_json(request, "face").await?;
    let chosen = call.step(id, move |service, desk| {
        service.choose_face(desk, id, revision, edits, face, reason)
    });
    let (quality, view) = chosen.await?;
    Ok(Json(FaceChosen { view, quality }))
}

async fn post_challenge(call: Call, path: InPath, request: Request) -> Answer<Json<ChallengeView>> {
    let id = inquiry(&path)?;
    let At { revision } = form::read_json(request, "revision").await?;
    let asked = call.at_desk(move |service, desk| {
        ChallengeView::of(service, service.challenge_search(desk, id, revision))
    });
    asked.await.map(Json)
}

async fn post_search(
    call: Call,
    path: InPath,
    request: Request,
) -> Answer<(Extension<SearchTimings>, Json<InquiryView>)> {
    let id = inquiry(&path)?;
    let SearchTouched { revision, nonce, touch } = form::read_json(request, "search").await?;
    let searched =
        call.step(id, move |service, desk| service.search(desk, id, revision, nonce, touch));
    let (timings, view) = searched.await?;
    Ok((Extension(timings), Json(view)))
}

async fn post_claim(call: Call, path: InPath, request: Request) -> Answer<Json<InquiryView>> {
    let id = inquiry(&path)?;
    let At { revision } = form::read_json(request, "revision").await?;
    call.plain_step(id, move |service, desk| service.claim(desk, id, revision)).await
}

async fn get_photo(call: Call, path: InPath) -> Answer<impl IntoResponse> {
    let id = inquiry(&path)?;
    let version = path.read("version", VersionId::parse)?;
    let shown = call.at_desk(move |service, desk| service.candidate_picture(desk, id, version));
    shown.await.map(picture)
}

async fn post_finding(call: Call, path: InPath, request: Request) -> Answer<Json<InquiryView>> {
    let id = inquiry(&path)?;
    let FindingRequest { revision, finding } = form::read_json(request, "finding").await?;
    let step =
        call.plain_step(id, move |service, desk| service.dispose(desk, id, revision, finding));
    step.await.map_err(|problem| problem.within("finding"))
}

async fn post_finish(call: Call, path: InPath, request: Request) -> Answer<Json<InquiryView>> {
    let id = inquiry(&path)?;
    let At { revision } = form::read_json(request, "revision").await?;
    call.plain_step(id, move |service, desk| service.finish_review(desk, id, revision)).await
}

async fn post_report(call: Call, path: InPath, request: Request) -> Answer<Json<InquiryView>> {
    let id = inquiry(&path)?;
    let At { revision } = form::read_json(request, "revision").await?;
    call.plain_step(id, move |service, desk| service.issue_report(desk, id, revision)).await
}

async fn get_report(call: Call, path: InPath) -> Answer<impl IntoResponse> {
    let id = inquiry(&path)?;
    let file = call.at_desk(move |service, desk| service.report_file(desk, id)).await?;
    form::download(file, "application/pdf", &format!("compare-report-{id}.pdf"))
}

async fn get_report_proof(call: Call, path: InPath) -> Answer<impl IntoResponse> {
    let id = inquiry(&path)?;
    let proof = call.at_desk(move |service, desk| service.report_proof(desk, id)).await?;
    let name = format!("compare-report-{id}.pdf.tlog-proof");
    form::download(proof.into_bytes(), "text/plain; charset=utf-8", &name)
}

async fn post_evidence(call: Call, path: InPath, request: Request) -> Answer<Json<InquiryView>> {
    let id = inquiry(&path)?;
    let EvidenceRequest { revision, handover } = form::read_json(request, "handover").await?;
    let step = call
        .plain_step(id, move |service, desk| service.mark_evidence(desk, id, revision, handover));
    step.await.map_err(|problem| problem.within("handover"))
}

async fn post_outcome(call: Call, path: InPath, request: Request) -> Answer<Json<InquiryView>> {
    let id = inquiry(&path)?;
    let OutcomeRequest { revision, outcome } = form::read_json(request, "outcome").await?;
    let step = call
        .plain_step(id, move |service, desk| service.record_outcome(desk, id, revision, outcome));
    step.await.map_err(|problem| problem.within("outcome"))
}

async fn post_withdraw(call: Call, path: InPath, request: Request) -> Answer<Json<InquiryView>> {
    let id = inquiry(&path)?;
    let WithdrawRequest { revision, reason } = form::read_json(request, "withdrawal").await?;
    call.plain_step(id, move |service, desk| service.withdraw(desk, id, revision, reason)).await
}

fn picture(shown: EncodedPicture) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg"))], shown.bytes)
}

fn inquiry(path: &InPath) -> Answer<InquiryId> {
    path.read("inquiry", InquiryId::parse)
}
