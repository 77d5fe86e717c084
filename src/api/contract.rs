//! The contract: the interface as an OpenAPI document, served at `/v1/openapi.json`.
//!
//! Operations and bodies are described beside their handlers. What is common to all of them, the
//! form of a problem, is said here once.

use axum::Json;
use axum::routing::on;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContentBuilder, OpenApi as Document, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::problem::Problem;
use super::route::Method::Get;
use super::route::{Access, Route};
use super::{audit, bookings, credentials, health, log, metrics, model, public_report, roster};

pub(super) const ROUTES: &[Route] =
    &[Route::new(Get, "/v1/openapi.json", Access::Named, |m| on(m, get_openapi))];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "SMRT",
        description = "Mugshot comparison under a public policy. Answers are arrays of candidates: \
            investigative leads, never identifications."
    ),
    paths(
        bookings::put_booking,
        bookings::get_booking,
        bookings::post_release,
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
        audit::get_details,
        audit::get_probe,
        audit::post_export,
        audit::post_sample,
        audit::get_samples,
        audit::post_review,
        audit::post_look,
        audit::get_findings,
        audit::post_clock,
        public_report::get_public,
        roster::get_roster,
        credentials::post_list,
        health::get_health,
        metrics::get_metrics,
        get_openapi
    ),
    components(schemas(Problem)),
    modifiers(&Problems)
)]
struct Contract;

/// The answers of every operation that are problems.
struct Problems;

impl Modify for Problems {
    fn modify(&self, contract: &mut Document) {
        let schema = Ref::from_schema_name("Problem");
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let problem = |description: &str| {
            ResponseBuilder::new()
                .description(description)
                .content("application/problem+json", content.clone())
                .build()
        };
        let refused = problem("Refused, with the reason");
        let failed = problem("Not possible now, or failed under the request's id");
        for item in contract.paths.paths.values_mut() {
            let operations: [&mut Option<Operation>; 4] =
                [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                let responses = &mut operation.responses.responses;
                responses.insert("4XX".to_owned(), RefOr::T(refused.clone()));
                responses.insert("5XX".to_owned(), RefOr::T(failed.clone()));
            }
        }
    }
}

/// This contract.
#[utoipa::path(get, path = "/v1/openapi.json",
    responses((status = 200, content_type = "application/json", description = "This contract")))]
pub(super) async fn get_openapi() -> Json<Document> {
    Json(document())
}

pub(super) fn document() -> Document {
    Contract::openapi()
}
