//! The door: HTTP in, the verbs of `service` out. Only this module knows HTTP.
//!
//! Invariants: every request has a caller or gets no further; every body, header block, connection
//! and request is bounded in bytes and time; every answer carries the kind of state folder and the
//! newest checkpoint; every error is `application/problem+json`.

mod desk;
mod form;
mod inquire;
mod log;
mod metrics;
mod model;
mod pages;
mod problem;
mod report;
mod roster;
mod serve;
pub mod wire;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::multipart::MultipartRejection;
use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, FromRequestParts, Multipart, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Extension, Json, Router};
use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa::{OpenApi, ToSchema};

use crate::booking::{BookingData, BookingNumber, Text};
use crate::crypto::random;
use crate::ledger::{Fate, Fated, VERSION};
use crate::limits::{BODY_BYTES_MAX, REQUEST_SECONDS_MAX, REQUESTS_IN_FLIGHT_MAX};
use crate::roster::Caller;
use crate::rule::Rule;
pub use crate::service::OnHalt;
use crate::service::{Doors, Raised, Service, ServiceError};
use problem::Refusal;
pub use serve::serve;
use wire::{
    AlarmView, BOOKING_PART, Booked, BookingState, BookingView, CHECKPOINT_HEADER, DoorsView,
    Health, Problem, ReleaseRequest, Released, STATE_HEADER,
};

/// What a connection's certificate names.
#[derive(Clone, Debug)]
struct Peer(Option<Caller>);

/// A name in the path, and a body's form. Neither refuses by itself: every refusal is a problem
/// under the request's id.
type InPath = Result<Path<String>, PathRejection>;
type Form = Result<Multipart, MultipartRejection>;

/// What the handlers share.
#[derive(Clone)]
struct Door {
    service: Arc<Service>,
    permits: Arc<Semaphore>,
    on_halt: OnHalt,
}

/// A request's id, in its answer and in the journal, and its place among those at work; the place
/// is free again when the last copy is gone.
#[derive(Clone, Debug)]
struct Ticket {
    id: String,
    place: Option<Arc<OwnedSemaphorePermit>>,
}

/// The request's ticket and who is calling.
struct From {
    ticket: Ticket,
    caller: Caller,
}

/// The router over a service.
pub fn router(service: Arc<Service>, on_halt: OnHalt) -> Router {
    let door = Door { service, permits: Arc::new(Semaphore::new(REQUESTS_IN_FLIGHT_MAX)), on_halt };
    Router::new()
        .route("/v1/bookings/{number}", put(put_booking).get(get_booking))
        .route("/v1/bookings/{number}/release", post(post_release))
        .route("/v1/model", get(model::get_model))
        .route("/v1/model/switch", post(model::post_switch).delete(model::delete_switch))
        .merge(log_routes())
        .merge(desk::routes())
        .merge(inquire::routes())
        .merge(pages::routes())
        .route("/v1/roster", get(roster::get_roster))
        .route("/v1/report/public", get(report::get_public))
        .route("/v1/health", get(get_health))
        .route("/v1/metrics", get(get_metrics))
        .route("/v1/openapi.json", get(get_openapi))
        .fallback(no_suchplace)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(door.clone(), frame))
        .with_state(door)
}

fn log_routes() -> Router<Door> {
    Router::new()
        .route("/v1/log/checkpoint", get(log::get_checkpoint))
        .route("/v1/log/checkpoint/pending", get(log::get_pending))
        .route("/v1/log/checkpoints", get(log::get_checkpoints))
        .route("/v1/log/tile/{*tile}", get(log::get_tile))
        .route("/v1/log/proof/{leaf}", get(log::get_proof))
        .route("/v1/log/consistency", get(log::get_consistency))
        .route("/v1/log/policy", get(log::get_policy))
        .route("/v1/log/cosignatures", post(log::post_cosignature))
        .route("/v1/log/details", get(log::get_details))
        .route("/v1/log/probes/{search}", get(log::get_probe))
        .route("/v1/log/exports", post(log::post_export))
        .route("/v1/log/samples", post(log::post_sample).get(log::get_samples))
        .route("/v1/log/reviews", post(log::post_review))
        .route("/v1/log/looks", post(log::post_look))
        .route("/v1/findings", get(log::get_findings))
        .route("/v1/clock", post(log::post_clock))
}

/// The contract, as it is served at `/v1/openapi.json`.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "SMRT",
        description = "Mugshot comparison under a public policy. Answers are arrays of candidates: \
            investigative leads, never identifications."
    ),
    paths(
        put_booking,
        get_booking,
        post_release,
        model::get_model,
        model::post_switch,
        model::delete_switch,
        log::get_checkpoint,
        log::get_pending,
        log::get_checkpoints,
        log::get_tile,
        log::get_proof,
        log::get_consistency,
        log::get_policy,
        log::post_cosignature,
        log::get_details,
        log::get_probe,
        log::post_export,
        log::post_sample,
        log::get_samples,
        log::post_review,
        log::post_look,
        log::get_findings,
        log::post_clock,
        report::get_public,
        roster::get_roster,
        get_health,
        get_metrics,
        get_openapi
    )
)]
struct Contract;

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
        (status = 200, body = Booked, description = "The same bytes were there already"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
            (status = "5XX", body = Problem, content_type = "application/problem+json")))]
async fn put_booking(State(door): State<Door>, from: From, number: InPath, body: Form) -> Response {
    let ticket = from.ticket.clone();
    let put = async {
        let number = booking_number(number)?;
        let (booking, photo) = form::read::<BookingData>(body, BOOKING_PART).await?;
        let told = number.clone();
        let taken = door
            .call(from.ticket, move |service| service.book(&from.caller, &number, booking, photo))
            .await?;
        let status = if taken.new { StatusCode::CREATED } else { StatusCode::OK };
        let booked = Booked {
            number: told,
            version: taken.version,
            leaf: taken.leaf,
            new: taken.new,
            quality: taken.length,
        };
        Ok((status, Json(booked)).into_response())
    };
    answer(&ticket, put.await)
}

/// A booking of the caller's own agency.
#[utoipa::path(get, path = "/v1/bookings/{number}",
    params(("number" = String, Path, description = "The agency's booking number")),
    responses((status = 200, body = BookingView),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
async fn get_booking(State(door): State<Door>, from: From, number: InPath) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let number = booking_number(number)?;
        let standing =
            door.call(from.ticket, move |service| service.booking(&from.caller, &number)).await?;
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
        })
        .into_response())
    };
    answer(&ticket, get.await)
}

/// Releases a booking: suppressed from every search when answered.
#[utoipa::path(post, path = "/v1/bookings/{number}/release", request_body = ReleaseRequest,
    params(("number" = String, Path, description = "The agency's booking number")),
    responses((status = 201, body = Released),
        (status = 200, body = Released, description = "It was released already"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
            (status = "5XX", body = Problem, content_type = "application/problem+json")))]
async fn post_release(
    State(door): State<Door>,
    from: From,
    number: InPath,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let release = async {
        let number = booking_number(number)?;
        let request: ReleaseRequest = form::read_json(request, "release").await?;
        let reason = Text::parse(&request.reason)
            .map_err(|e| Refusal::malformed(format!("the reason: {e}")))?;
        let told = number.clone();
        let (leaf, new) = door
            .call(from.ticket, move |service| {
                service.release(&from.caller, &number, reason.as_str())
            })
            .await?;
        let status = if new { StatusCode::CREATED } else { StatusCode::OK };
        Ok((status, Json(Released { number: told, leaf, new })).into_response())
    };
    answer(&ticket, release.await)
}

/// How the box is.
#[utoipa::path(get, path = "/v1/health",
    responses((status = 200, body = Health),
    (status = "4XX", body = Problem, content_type = "application/problem+json")))]
async fn get_health(State(door): State<Door>, from: From) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let health = door
            .call(from.ticket, move |service| service.admit(&from.caller).map(|()| health(service)))
            .await?;
        Ok(Json(health).into_response())
    };
    answer(&ticket, get.await)
}

/// The box's figures, for consoles: counts and sizes only, OpenMetrics text as Prometheus reads it.
#[utoipa::path(get, path = "/v1/metrics",
    responses((status = 200, content_type = "application/openmetrics-text", body = String),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json")))]
async fn get_metrics(State(door): State<Door>, from: From) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let figures = door.call(from.ticket, move |service| service.figures(&from.caller)).await?;
        let at_work = REQUESTS_IN_FLIGHT_MAX - door.permits.available_permits();
        Ok((
            [(header::CONTENT_TYPE, metrics::CONTENT_TYPE)],
            metrics::text(&figures, at_work as u64),
        )
            .into_response())
    };
    answer(&ticket, get.await)
}

/// This contract.
#[utoipa::path(get, path = "/v1/openapi.json",
    responses((status = 200, content_type = "application/json", description = "This contract")))]
async fn get_openapi(_: From) -> Response {
    Json(Contract::openapi()).into_response()
}

async fn no_suchplace(Extension(ticket): Extension<Ticket>) -> Response {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "not-found",
        "there is nothing at this path; /v1/openapi.json says what there is",
    )
    .into_answer(&ticket.id)
}

async fn no_such_method(Extension(ticket): Extension<Ticket>) -> Response {
    Refusal::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method",
        "this path doesn't take this method; /v1/openapi.json says which it takes",
    )
    .into_answer(&ticket.id)
}

/// Around every request: its ticket, its whole body within its bound, its time, and what every
/// answer carries.
async fn frame(State(door): State<Door>, request: Request, next: Next) -> Response {
    let place = door.permits.clone().try_acquire_owned().ok().map(Arc::new);
    let ticket = Ticket { id: request_id(), place };
    let work = async {
        if ticket.place.is_none() {
            return Refusal::busy().into_answer(&ticket.id);
        }
        match whole(request).await {
            Ok(mut request) => {
                request.extensions_mut().insert(ticket.clone());
                next.run(request).await
            }
            Err(refusal) => refusal.into_answer(&ticket.id),
        }
    };
    let worked = tokio::time::timeout(Duration::from_secs(REQUEST_SECONDS_MAX), work).await;
    let mut answer = worked.unwrap_or_else(|_| {
        let detail = format!(
            "the request took over {REQUEST_SECONDS_MAX} s; what was acknowledged before stands"
        );
        Refusal::new(StatusCode::REQUEST_TIMEOUT, "timeout", detail).into_answer(&ticket.id)
    });
    let ledger = door.service.ledger();
    let headers = answer.headers_mut();
    headers.insert(STATE_HEADER, HeaderValue::from_static(ledger.kind().name()));
    if let Ok(note) = HeaderValue::from_str(&STANDARD.encode(ledger.checkpoint())) {
        headers.insert(CHECKPOINT_HEADER, note);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
    answer
}

/// The request with its body read: a caller that is still sending would take an early answer for a
/// broken connection.
async fn whole(request: Request) -> Result<Request, Refusal> {
    let (parts, body) = request.into_parts();
    let body =
        axum::body::to_bytes(body, BODY_BYTES_MAX).await.map_err(|e| match e.to_string() {
            too_long if too_long.contains("length limit") => {
                Refusal::too_large("the body", BODY_BYTES_MAX)
            }
            torn => Refusal::malformed(format!("the body is torn: {torn}")),
        })?;
    Ok(Request::from_parts(parts, body.into()))
}

impl Door {
    /// Runs a verb on a thread that may block; the request keeps its place until that thread is
    /// done.
    async fn call<T: Send + 'static>(
        &self,
        ticket: Ticket,
        verb: impl FnOnce(&Service) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (service, on_halt, request) =
            (self.service.clone(), self.on_halt.clone(), ticket.id.clone());
        let told = request.clone();
        let work = move || {
            let _ticket = ticket;
            let done = verb(&service);
            if let Err(e) = &done {
                match e.fate() {
                    Fate::Refuse | Fate::Wait => {}
                    Fate::Fail => ::log::error!("request {request} failed: {}", e.chain()),
                    // Told here and not to the handler: a caller that went away takes its handler
                    // along.
                    Fate::Halt => on_halt(&format!("request {request}: {}", e.chain())),
                }
            }
            done
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Err(e)) if e.fate() == Fate::Halt => {
                // The process is ending; this connection drops with it.
                std::future::pending().await
            }
            Ok(done) => done.map_err(|e| Refusal::of(&e)),
            Err(panicked) => {
                ::log::error!("request {told} panicked: {panicked}");
                Err(Refusal::failed())
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for From {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let ticket = parts
            .extensions
            .get::<Ticket>()
            .cloned()
            .unwrap_or_else(|| Ticket { id: request_id(), place: None });
        match parts.extensions.get::<Peer>() {
            Some(Peer(Some(caller))) => Ok(Self { ticket, caller: caller.clone() }),
            _ => {
                let detail = "the certificate names no caller of this system, wanted one URI like \
                    smrt:agency/<id>/feed, smrt:device/<id> or smrt:witness/<id>";
                Err(Refusal::new(StatusCode::FORBIDDEN, Rule::NotInRoster.code(), detail)
                    .into_answer(&ticket.id))
            }
        }
    }
}

fn answer(ticket: &Ticket, worked: Result<Response, Refusal>) -> Response {
    worked.unwrap_or_else(|refusal| refusal.into_answer(&ticket.id))
}

fn request_id() -> String {
    hex::encode(random::<8>())
}

fn booking_number(number: InPath) -> Result<BookingNumber, Refusal> {
    let Path(number) = number.map_err(|_| Refusal::malformed("the booking number is not UTF-8"))?;
    BookingNumber::parse(&number).map_err(|e| Refusal::malformed(e.to_string()))
}

fn health(service: &Service) -> Health {
    let ledger = service.ledger();
    let generation = ledger.generation();
    let gallery = generation.gallery();
    Health {
        state: ledger.kind().name().to_owned(),
        version: VERSION.to_owned(),
        engine: gallery.engine().to_owned(),
        device: gallery.device().to_owned(),
        model: generation.model().to_string(),
        gallery_rows: u64::from(gallery.live()),
        leaves: ledger.leaves(),
        doors: match service.doors() {
            Doors::Open => DoorsView::Open,
            Doors::Waiting => DoorsView::Waiting,
            Doors::Shut(_) => DoorsView::Shut,
        },
        witnessed: ledger.witnessing().complete.map(|(leaves, _)| leaves),
        alarms: service
            .alarms()
            .into_iter()
            .map(|Raised { alarm, leaf, what }| AlarmView {
                alarm: alarm.name().to_owned(),
                leaf,
                what,
            })
            .collect(),
    }
}
