//! The door for the public report.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::desk::FromDesk;
use super::problem::Refusal;
use super::wire::{LEAF_HEADER, Problem};
use super::{Door, answer};
use crate::booking::iso_date;
use crate::public_report::{Period, PublicReport};

/// The days that a report is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Days {
    from: String,
    to: String,
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
        description = "The leaf that holds the digest of these very bytes"))),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
            (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get_public(
    State(door): State<Door>,
    from: FromDesk,
    query: Result<Query<Days>, QueryRejection>,
) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let Query(days) = query.map_err(|_| {
            Refusal::malformed("no period named, wanted '?from=YYYY-MM-DD&to=YYYY-MM-DD'")
        })?;
        let day = |name: &str, text: &str| {
            iso_date::parse(text).map_err(|_| {
                Refusal::malformed(format!("'{name}' is not a date of the form YYYY-MM-DD"))
            })
        };
        let period = Period::new(day("from", &days.from)?, day("to", &days.to)?)
            .map_err(|e| Refusal::malformed(e.to_string()))?;
        let published =
            door.acting(from, move |service, acting| service.public_report(acting, period)).await?;
        let mut answer =
            ([(header::CONTENT_TYPE, "application/json")], published.json).into_response();
        answer.headers_mut().extend(
            published
                .leaf
                .map(|leaf| (HeaderName::from_static(LEAF_HEADER), HeaderValue::from(leaf))),
        );
        Ok(answer)
    };
    answer(&ticket, get.await)
}
