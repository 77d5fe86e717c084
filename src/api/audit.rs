//! Audits: details and probes opened, the log exported, samples drawn and reviewed; findings on
//! their way to the agency; an administrator's word on the clock.

use axum::Json;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::on;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::app::{Answer, Call};
use super::form;
use super::path::{InPath, InQuery, Queried};
use super::problem::ApiError;
use super::route::Method::{Get, Post};
use super::route::{ADMINISTRATION, ADMINISTRATORS, AGENCIES, AUDIT, AUDITORS, Access, Route};
use crate::audit::SampleFinding;
use crate::booking::Text;
use crate::calendar::Time;
use crate::inquiry::Request as InquiryRequest;
use crate::ledger::{Drawn, OpenedLeaf};
use crate::service::{Routed, Service};

pub(super) const ROUTES: &[Route] = &[
    Route::new(Get, "/v1/log/details", AUDIT_BY_HAND_OR_COMMAND, |m| on(m, get_details)),
    Route::new(Get, "/v1/log/probes/{search}", AUDIT_BY_HAND_OR_COMMAND, |m| on(m, get_probe)),
    Route::new(Post, "/v1/log/exports", AUDIT_BY_HAND_OR_COMMAND, |m| on(m, post_export)),
    Route::new(Post, "/v1/log/samples", AUDIT_BY_HAND_OR_COMMAND, |m| on(m, post_sample)),
    Route::new(Get, "/v1/log/samples", AUDIT_BY_HAND_OR_COMMAND, |m| on(m, get_samples)),
    Route::new(Post, "/v1/log/reviews", AUDIT_BY_HAND_OR_COMMAND, |m| on(m, post_review)),
    Route::new(Post, "/v1/log/looks", Access::People(AUDITORS), |m| on(m, post_look)),
    Route::new(Get, "/v1/findings", Access::Certificates(AGENCIES), |m| on(m, get_findings)),
    Route::new(Post, "/v1/clock", Access::PeopleOrDevices(ADMINISTRATORS, ADMINISTRATION), |m| {
        on(m, post_clock)
    }),
];

const AUDIT_BY_HAND_OR_COMMAND: Access = Access::PeopleOrDevices(AUDITORS, AUDIT);

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
    /// When it was drawn.
    pub drawn_at_cs: Time,
    /// When its reviews are due.
    pub due_cs: Time,
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
pub struct ReviewLeaf {
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
    /// When it was asked for.
    pub asked_at_cs: Time,
    /// Who asked for what and why.
    pub request: InquiryRequest,
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

/// A range of leaves.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LeafRange {
    first: u64,
    end: u64,
}

impl Queried for LeafRange {
    const WANTED: &'static str = "the query is not '?first=' and '&end=' with leaves";
}

/// Details of some leaves, opened; one leaf says so. For auditors at a desk, and consoles of
/// auditors by themselves.
#[utoipa::path(get, path = "/v1/log/details",
    params(("first" = u64, Query, description = "The first leaf"),
    ("end" = u64, Query, description = "The leaf after the last")),
    responses((status = 200, body = Vec<OpenedDetail>)))]
pub(super) async fn get_details(
    call: Call,
    InQuery(LeafRange { first, end }): InQuery<LeafRange>,
) -> Answer<Json<Vec<OpenedDetail>>> {
    let opened =
        call.acting(move |service, acting| service.open_details(acting, first..end)).await?;
    Ok(Json(opened.into_iter().map(OpenedDetail::from).collect()))
}

/// The probe of a search, as it was received; one leaf says so. For auditors at a desk, and
/// consoles of auditors by themselves.
#[utoipa::path(get, path = "/v1/log/probes/{search}",
    params(("search" = String, Path, description = "The search's id")),
    responses((status = 200, content_type = "application/octet-stream",
        description = "The bytes as received")))]
pub(super) async fn get_probe(call: Call, path: InPath) -> Answer<impl IntoResponse> {
    let search = path.id("search")?;
    let probe = call.acting(move |service, acting| service.open_probe(acting, search)).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], probe))
}

/// Begins an export: one leaf says so, and the answer how many leaves to take. For auditors at a
/// desk, and consoles of auditors by themselves.
#[utoipa::path(post, path = "/v1/log/exports",
    responses((status = 201, body = ExportView)))]
pub(super) async fn post_export(call: Call) -> Answer<(StatusCode, Json<ExportView>)> {
    let leaves = call.acting(Service::begin_export).await?;
    Ok((StatusCode::CREATED, Json(ExportView { leaves })))
}

/// Draws a sample of searches: its seed is logged before it is drawn. For auditors at a desk, and
/// consoles of auditors by themselves.
#[utoipa::path(post, path = "/v1/log/samples", request_body = SampleOrder,
    responses((status = 201, body = SampleView)))]
pub(super) async fn post_sample(
    call: Call,
    request: Request,
) -> Answer<(StatusCode, Json<SampleView>)> {
    let SampleOrder { seed, rate_ppm, first, end } = form::read_json(request, "sample").await?;
    let drawn = call.acting(move |service, acting| {
        let end = end.unwrap_or_else(|| service.ledger().leaves());
        service.draw_sample(acting, seed, rate_ppm, first..end)
    });
    Ok((StatusCode::CREATED, Json(drawn.await?.into())))
}

/// The newest samples and what is left to be reviewed of them. For auditors at a desk, and consoles
/// of auditors by themselves.
#[utoipa::path(get, path = "/v1/log/samples",
    responses((status = 200, body = Vec<SampleView>)))]
pub(super) async fn get_samples(call: Call) -> Answer<Json<Vec<SampleView>>> {
    let samples = call.acting(Service::samples).await?;
    Ok(Json(samples.into_iter().map(SampleView::from).collect()))
}

/// Records what was found of a search of a sample. For auditors at a desk, and consoles of auditors
/// by themselves.
#[utoipa::path(post, path = "/v1/log/reviews", request_body = SampleReview,
    responses((status = 201, body = ReviewLeaf)))]
pub(super) async fn post_review(
    call: Call,
    request: Request,
) -> Answer<(StatusCode, Json<ReviewLeaf>)> {
    let SampleReview { sample, asked, finding, note } = form::read_json(request, "review").await?;
    let note = noted(&note)?.to_string();
    let leaf = call
        .acting(move |service, acting| service.review_sample(acting, sample, asked, finding, note))
        .await?;
    Ok((StatusCode::CREATED, Json(ReviewLeaf { leaf })))
}

/// Records that the auditor at this desk went through the log since the look before.
#[utoipa::path(post, path = "/v1/log/looks", request_body = LogReviewed,
    responses((status = 201, body = ReviewLeaf)))]
pub(super) async fn post_look(
    call: Call,
    request: Request,
) -> Answer<(StatusCode, Json<ReviewLeaf>)> {
    let LogReviewed { end, note } = form::read_json(request, "review").await?;
    let note = noted(&note)?;
    let leaf = call.at_desk(move |service, desk| service.review_log(desk, end, &note)).await?;
    Ok((StatusCode::CREATED, Json(ReviewLeaf { leaf })))
}

/// Findings of misuse by people whom the caller's agency employed when they asked for a search. For
/// feeds.
#[utoipa::path(get, path = "/v1/findings",
    responses((status = 200, body = Vec<FindingView>)))]
pub(super) async fn get_findings(call: Call) -> Answer<Json<Vec<FindingView>>> {
    let routed = call.by_certificate(|service, caller| service.findings(caller)).await?;
    Ok(Json(routed.into_iter().map(FindingView::from).collect()))
}

/// Says what the site's time source says: where it agrees, a clock that went ahead is believed
/// again. For administrators at a desk, and consoles with administration by themselves.
#[utoipa::path(post, path = "/v1/clock", request_body = ClockWord,
    responses((status = 204, description = "The clock is believed again")))]
pub(super) async fn post_clock(call: Call, request: Request) -> Answer<StatusCode> {
    let ClockWord { time_source } = form::read_json(request, "clock").await?;
    let said = OffsetDateTime::parse(&time_source, &Rfc3339).map_err(|_| {
        ApiError::malformed("the time source's word is not of the form 2026-11-23T16:00:00Z")
    })?;
    call.acting(move |service, acting| service.confirm_clock(acting, said)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn noted(note: &str) -> Answer<Text> {
    Text::parse(note).map_err(|e| ApiError::malformed(format!("the note: {e}")))
}

impl From<OpenedLeaf> for OpenedDetail {
    fn from(opened: OpenedLeaf) -> Self {
        // A detail is JSON, as it was written by this software.
        let detail = String::from_utf8_lossy(&opened.detail).into_owned();
        Self { leaf: opened.leaf, salt: hex::encode(opened.salt), detail }
    }
}

impl From<Drawn> for SampleView {
    fn from(drawn: Drawn) -> Self {
        let open = drawn
            .asked
            .iter()
            .filter(|asked| !drawn.reviewed.iter().any(|(reviewed, _)| reviewed == *asked));
        Self {
            sample: drawn.leaf,
            seeded: drawn.seeded,
            drawn_at_cs: drawn.time,
            due_cs: drawn.due,
            population: drawn.population,
            open: open.copied().collect(),
            reviewed: drawn.reviewed.iter().map(|(asked, finding)| (*asked, *finding)).collect(),
            asked: drawn.asked,
        }
    }
}

impl From<Routed> for FindingView {
    fn from(routed: Routed) -> Self {
        Self {
            review: routed.leaf,
            asked: routed.asked,
            asked_at_cs: routed.asked_at,
            request: routed.request,
            note: routed.note,
        }
    }
}
