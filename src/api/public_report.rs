//! The public report, made for the days that are asked for.

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::on;
use serde::Deserialize;

use super::app::{Answer, Call};
use super::path::{InQuery, Queried};
use super::problem::ApiError;
use super::route::Method::Get;
use super::route::{Access, CONSOLES, OFFICIALS, Route};
use crate::booking::iso_date;
use crate::public_report::{Period, PublicReport};

/// Names the leaf that holds the digest of a report.
pub const LEAF_HEADER: &str = "smrt-leaf";

pub(super) const ROUTES: &[Route] =
    &[Route::new(Get, "/v1/report/public", Access::PeopleOrDevices(OFFICIALS, CONSOLES), |m| {
        on(m, get_public)
    })];

/// The days that a report is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Days {
    from: String,
    to: String,
}

impl Queried for Days {
    const WANTED: &'static str = "no period named, wanted '?from=YYYY-MM-DD&to=YYYY-MM-DD'";
}

/// The public report of the days from `from` to before `to`, in UTC, over the log as it is now. Its
/// digest is in the log, in the leaf that the header names, before it is answered; a box whose
/// doors are shut writes none. For the commander and administrators at a desk, and consoles by
/// themselves.
#[utoipa::path(get, path = "/v1/report/public",
    params(("from" = String, Query, description = "First day, YYYY-MM-DD"),
        ("to" = String, Query, description = "The day after the last, YYYY-MM-DD")),
    responses((status = 200, body = PublicReport,
        headers(("smrt-leaf" = u64,
        description = "The leaf that holds the digest of these very bytes")))))]
pub(super) async fn get_public(call: Call, InQuery(days): InQuery<Days>) -> Answer<Response> {
    let day = |name: &str, text: &str| {
        iso_date::parse(text).map_err(|_| {
            ApiError::malformed(format!("'{name}' is not a date of the form YYYY-MM-DD"))
        })
    };
    let period = Period::new(day("from", &days.from)?, day("to", &days.to)?)
        .map_err(|e| ApiError::malformed(e.to_string()))?;
    let published =
        call.acting(move |service, acting| service.public_report(acting, period)).await?;
    let mut answer = ([(header::CONTENT_TYPE, "application/json")], published.json).into_response();
    answer.headers_mut().extend(
        published.leaf.map(|leaf| (HeaderName::from_static(LEAF_HEADER), HeaderValue::from(leaf))),
    );
    Ok(answer)
}
