//! The models in use and the switch to others.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::on;
use serde::{Deserialize, Serialize};

use super::app::{Answer, Call};
use super::form;
use super::problem::ApiError;
use super::route::Method::{Delete, Get, Post};
use super::route::{ADMINISTRATION, Access, Route};
use crate::face::ModelId;
use crate::ledger::{ModelStanding, SwitchState};

pub(super) const ROUTES: &[Route] = &[
    Route::new(Get, "/v1/model", ADMINISTRATORS_CONSOLES, |m| on(m, get_model)),
    Route::new(Post, "/v1/model/switch", ADMINISTRATORS_CONSOLES, |m| on(m, post_switch)),
    Route::new(Delete, "/v1/model/switch", ADMINISTRATORS_CONSOLES, |m| on(m, delete_switch)),
];

const ADMINISTRATORS_CONSOLES: Access = Access::Certificates(ADMINISTRATION);

/// Which model is to be switched to, and on which terms.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelSwitchRequest {
    /// The wanted models' digest, 64 hexadecimal digits: nobody switches to something else than was
    /// meant.
    pub model: String,
    /// So many bookings may be without a usable face under it; no search finds them until their
    /// agencies send other photos.
    #[serde(default)]
    pub accept_failed: u64,
}

/// The models in use and to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelView {
    /// Digest of the models that answer, hexadecimal.
    pub active: String,
    /// Digest of the models to come, while a switch is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Where the switch stands.
    pub state: ModelState,
    /// Bookings that were embedded by the models to come.
    pub embedded: u64,
    /// Bookings in all.
    pub total: u64,
    /// Bookings that the models to come can't use.
    pub failed: u64,
    /// Those by their reasons.
    pub reasons: BTreeMap<String, u64>,
    /// So many of them are accepted.
    pub accept_failed: u64,
}

/// Where a switch of the model stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ModelState {
    /// No switch is under way.
    Settled,
    /// None is under way, and the vectors of a former model are being removed.
    Sweeping,
    /// Bookings are being embedded again.
    Embedding,
    /// The new gallery is being filled and checked.
    Filling,
    /// It waits to be asked for again, with more failures accepted, or to be given up.
    Blocked,
    /// The configuration doesn't offer the models to come any more.
    Absent,
}

/// The models in use and to come. For consoles with administration.
#[utoipa::path(get, path = "/v1/model", responses((status = 200, body = ModelView)))]
pub(super) async fn get_model(call: Call) -> Answer<Json<ModelView>> {
    let standing = call.by_certificate(|service, caller| service.model_standing(caller)).await?;
    Ok(Json(standing.into()))
}

/// Begins a switch to the models of this digest, or changes its terms; searches stay on the models
/// in use until every booking was embedded again. For consoles with administration. The same
/// request again changes nothing.
#[utoipa::path(post, path = "/v1/model/switch", request_body = ModelSwitchRequest,
    responses((status = 202, body = ModelView)))]
pub(super) async fn post_switch(
    call: Call,
    request: Request,
) -> Answer<(StatusCode, Json<ModelView>)> {
    let ModelSwitchRequest { model, accept_failed } = form::read_json(request, "switch").await?;
    let model = ModelId::parse(&model).map_err(|_| {
        ApiError::malformed(
            "the model's digest is not 64 hexadecimal digits, wanted those that \
            'smrtctl model check' prints",
        )
    })?;
    let standing = call
        .by_certificate(move |service, caller| service.switch_model(caller, model, accept_failed))
        .await?;
    Ok((StatusCode::ACCEPTED, Json(standing.into())))
}

/// Gives the switch under way up: searches stay on the models in use, and what was made for the
/// others is removed. For consoles with administration.
#[utoipa::path(delete, path = "/v1/model/switch", responses((status = 200, body = ModelView)))]
pub(super) async fn delete_switch(call: Call) -> Answer<Json<ModelView>> {
    let standing = call.by_certificate(|service, caller| service.give_up_switch(caller)).await?;
    Ok(Json(standing.into()))
}

impl From<ModelStanding> for ModelView {
    fn from(standing: ModelStanding) -> Self {
        Self {
            active: standing.active.to_string(),
            next: standing.next.map(|next| next.to_string()),
            state: match standing.state {
                SwitchState::None => ModelState::Settled,
                SwitchState::Sweeping => ModelState::Sweeping,
                SwitchState::Embedding => ModelState::Embedding,
                SwitchState::Filling => ModelState::Filling,
                SwitchState::Blocked => ModelState::Blocked,
                SwitchState::Absent => ModelState::Absent,
            },
            embedded: standing.embedded,
            total: standing.standing,
            failed: standing.failed,
            reasons: standing.reasons,
            accept_failed: standing.accept_failed,
        }
    }
}
