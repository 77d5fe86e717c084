//! Further copies of issued reports: the commander orders one, an auditor gives it out.

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::on;
use serde::{Deserialize, Serialize};

use super::app::{Answer, Call};
use super::form;
use super::path::InPath;
use super::route::Method::{Get, Post};
use super::route::{AUDITORS, Access, COMMANDERS, COPY_READERS, Route};
use super::touch::{ChallengeView, Touched};
use crate::audit::touch::{Touch, lower_hex};
use crate::ids::InquiryId;
use crate::inquiry::{CopyOrder, FurtherCopy};
use crate::service::{OrderedCopy, Service};

pub(super) const ROUTES: &[Route] = &[
    Route::new(Get, "/v1/copies", Access::People(COPY_READERS), |m| on(m, get_copies)),
    Route::new(Post, "/v1/copies", Access::People(COMMANDERS), |m| on(m, post_copy)),
    Route::new(Post, "/v1/copies/challenge", Access::People(COMMANDERS), |m| {
        on(m, post_order_challenge)
    }),
    Route::new(Post, "/v1/copies/{inquiry}/{copy}/challenge", Access::People(AUDITORS), |m| {
        on(m, post_copy_challenge)
    }),
    Route::new(Post, "/v1/copies/{inquiry}/{copy}", Access::People(AUDITORS), |m| {
        on(m, post_given)
    }),
];

/// A further copy of a report that was ordered.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyView {
    /// The inquiry.
    #[schema(value_type = String)]
    pub inquiry: InquiryId,
    /// Its index among the copies of that inquiry's report.
    pub copy: usize,
    /// For whom, why, by whom, and whether it was given out.
    #[schema(value_type = Object)]
    pub further: FurtherCopy,
}

/// What the commander is about to order.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyRequest {
    /// The inquiry, as its report names it.
    #[schema(value_type = String)]
    pub inquiry: InquiryId,
    /// For whom and why.
    pub order: CopyOrder,
}

/// The same, touched.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyTouched {
    /// The inquiry, as its report names it.
    #[schema(value_type = String)]
    pub inquiry: InquiryId,
    /// For whom and why.
    pub order: CopyOrder,
    /// The challenge that was answered.
    #[serde(with = "lower_hex")]
    #[schema(value_type = String)]
    pub nonce: [u8; 32],
    /// The answer.
    pub touch: Touch,
}

async fn get_copies(call: Call) -> Answer<Json<Vec<CopyView>>> {
    let copies = call.at_desk(Service::copies).await?;
    let view =
        |OrderedCopy { inquiry, copy, further }: OrderedCopy| CopyView { inquiry, copy, further };
    Ok(Json(copies.into_iter().map(view).collect()))
}

async fn post_order_challenge(call: Call, request: Request) -> Answer<Json<ChallengeView>> {
    let CopyRequest { inquiry, order } = form::read_json(request, "order").await?;
    let asked = call.at_desk(move |service, desk| {
        ChallengeView::of(service, service.challenge_copy_order(desk, inquiry, &order))
    });
    asked.await.map(Json)
}

async fn post_copy(call: Call, request: Request) -> Answer<StatusCode> {
    let CopyTouched { inquiry, order, nonce, touch } = form::read_json(request, "order").await?;
    let ordered =
        call.at_desk(move |service, desk| service.order_copy(desk, inquiry, order, nonce, touch));
    ordered.await.map_err(|problem| problem.within("order"))?;
    Ok(StatusCode::CREATED)
}

async fn post_copy_challenge(call: Call, path: InPath) -> Answer<Json<ChallengeView>> {
    let (inquiry, copy) = named(&path)?;
    let asked = call.at_desk(move |service, desk| {
        ChallengeView::of(service, service.challenge_copy(desk, inquiry, copy))
    });
    asked.await.map(Json)
}

async fn post_given(call: Call, path: InPath, request: Request) -> Answer<impl IntoResponse> {
    let (inquiry, copy) = named(&path)?;
    let Touched { nonce, touch } = form::read_json(request, "touch").await?;
    let given =
        call.at_desk(move |service, desk| service.give_copy(desk, inquiry, copy, nonce, touch));
    form::download(given.await?, "application/pdf", &format!("compare-report-{inquiry}.pdf"))
}

fn named(path: &InPath) -> Answer<(InquiryId, usize)> {
    Ok((path.id("inquiry")?, path.read("copy", str::parse::<usize>)?))
}
