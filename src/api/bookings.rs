//! Bookings: an agency's feed pushes, looks at and releases its own.

use axum::Json;
use axum::extract::Request;
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::http::StatusCode;
use axum::routing::on;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::app::{Answer, Call};
use super::form;
use super::path::InPath;
use super::problem::ApiError;
use super::route::Method::{Get, Post, Put};
use super::route::{Access, FEEDS, Route};
use crate::audit::LeafKind;
use crate::booking::{BookingData, BookingNumber, Text, VersionId};
use crate::ids::Digest;

pub(super) const ROUTES: &[Route] = &[
    Route::new(Put, "/v1/bookings/{number}", FEEDS_ONLY, |m| on(m, put_booking))
        .door_leaves(LeafKind::BookingRefused),
    Route::new(Get, "/v1/bookings/{number}", FEEDS_ONLY, |m| on(m, get_booking)),
    Route::new(Post, "/v1/bookings/{number}/release", FEEDS_ONLY, |m| on(m, post_release)),
];

const FEEDS_ONLY: Access = Access::Certificates(FEEDS);

/// The multipart part with a booking's JSON.
pub const BOOKING_PART: &str = "booking";

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
    #[schema(value_type = String)]
    pub photo_sha256: Digest,
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

/// A booking's form.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it words the contract; the parts are read by `form`")]
struct BookingForm {
    booking: BookingData,
    #[schema(value_type = String, format = Binary)]
    photo: Vec<u8>,
}

/// Pushes a booking: durable, logged and findable when answered. The same bytes again give the same
/// answer.
#[utoipa::path(put, path = "/v1/bookings/{number}",
    request_body(content = BookingForm, content_type = "multipart/form-data"),
    params(("number" = String, Path, description = "The agency's booking number")),
    responses((status = 201, body = Booked),
        (status = 200, body = Booked, description = "The same bytes were there already")))]
pub(super) async fn put_booking(
    call: Call,
    path: InPath,
    body: Result<Multipart, MultipartRejection>,
) -> Answer<(StatusCode, Json<Booked>)> {
    let number = path.read("number", BookingNumber::parse)?;
    let (booking, photo) = form::read::<BookingData>(body, BOOKING_PART).await?;
    let pushed = number.clone();
    let taken = call
        .by_certificate(move |service, caller| service.book(caller, &pushed, booking, photo))
        .await?;
    let booked = Booked {
        number,
        version: taken.version,
        leaf: taken.leaf,
        new: taken.new,
        quality: taken.length,
    };
    Ok((created(taken.new), Json(booked)))
}

/// A booking of the caller's own agency.
#[utoipa::path(get, path = "/v1/bookings/{number}",
    params(("number" = String, Path, description = "The agency's booking number")),
    responses((status = 200, body = BookingView)))]
pub(super) async fn get_booking(call: Call, path: InPath) -> Answer<Json<BookingView>> {
    let number = path.read("number", BookingNumber::parse)?;
    let standing =
        call.by_certificate(move |service, caller| service.booking(caller, &number)).await?;
    let state = match (standing.released, standing.unusable) {
        (Some(_), _) => BookingState::Released,
        (None, true) => BookingState::Unusable,
        (None, false) => BookingState::Live,
    };
    let record = standing.record;
    Ok(Json(BookingView {
        number: record.number,
        version: standing.version,
        state,
        leaf: standing.leaf,
        photo_sha256: record.photo_sha256,
        booking: record.booking,
    }))
}

/// Releases a booking: suppressed from every search when answered.
#[utoipa::path(post, path = "/v1/bookings/{number}/release", request_body = ReleaseRequest,
    params(("number" = String, Path, description = "The agency's booking number")),
    responses((status = 201, body = Released),
        (status = 200, body = Released, description = "It was released already")))]
pub(super) async fn post_release(
    call: Call,
    path: InPath,
    request: Request,
) -> Answer<(StatusCode, Json<Released>)> {
    let number = path.read("number", BookingNumber::parse)?;
    let ReleaseRequest { reason } = form::read_json(request, "release").await?;
    let reason =
        Text::parse(&reason).map_err(|e| ApiError::malformed(format!("the reason: {e}")))?;
    let released = number.clone();
    let (leaf, new) = call
        .by_certificate(move |service, caller| service.release(caller, &released, reason.as_str()))
        .await?;
    Ok((created(new), Json(Released { number, leaf, new })))
}

fn created(new: bool) -> StatusCode {
    if new { StatusCode::CREATED } else { StatusCode::OK }
}
