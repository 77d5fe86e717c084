//! The interface over HTTP: requests in, the verbs of `service` out. Only this module knows HTTP.
//!
//! Invariants: every request has a caller or gets no further; every body, header block, connection
//! and request is bounded in bytes and time; every answer carries the kind of state folder and the
//! newest checkpoint; every error is `application/problem+json`, on a page a page.
//!
//! Each module of a domain holds its routes, its handlers and the bodies that cross the wire.

mod app;
mod audit;
mod bookings;
mod contract;
mod copies;
mod credentials;
mod form;
mod frame;
mod health;
mod inquiry;
mod listener;
mod log;
mod metrics;
mod model;
mod pages;
mod path;
mod people;
mod problem;
mod public_report;
mod roster;
mod route;
mod sessions;
#[cfg(test)]
mod table_tests;
mod touch;
pub mod wire;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;

use crate::limits::BODY_BYTES_MAX;
use crate::rule::Rule;
pub use crate::service::OnHalt;
use crate::service::Service;
use app::App;
pub use listener::serve;
use problem::ApiError;
pub use route::{Access, Certificate, Method, Route};

/// The table of all routes, by domain; pages are the last.
const TABLE: [&[Route]; 14] = [
    bookings::ROUTES,
    model::ROUTES,
    log::ROUTES,
    audit::ROUTES,
    sessions::ROUTES,
    people::ROUTES,
    inquiry::ROUTES,
    copies::ROUTES,
    roster::ROUTES,
    credentials::ROUTES,
    public_report::ROUTES,
    health::ROUTES,
    metrics::ROUTES,
    contract::ROUTES,
];

/// All routes.
pub fn routes() -> impl Iterator<Item = &'static Route> {
    TABLE.into_iter().chain([pages::ROUTES]).flatten()
}

/// The router over a service.
pub fn router(service: Arc<Service>, on_halt: OnHalt) -> Router {
    let app = App::new(service, on_halt);
    let frame = frame::FrameState { app: app.clone(), routes: routes().collect() };
    let domains = TABLE.into_iter().map(route::router);
    domains
        .fold(pages::pages(&app), Router::merge)
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(frame, frame::frame))
        .with_state(app)
}

async fn no_such_path() -> ApiError {
    ApiError::new(
        Rule::NotFound,
        "there is nothing at this path; /v1/openapi.json says what there is",
    )
}

async fn no_such_method() -> ApiError {
    ApiError::new(
        Rule::Method,
        "this path doesn't take this method; /v1/openapi.json says which it takes",
    )
}
