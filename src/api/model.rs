//! The door for changing the model.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::problem::Refusal;
use super::wire::{ModelState, ModelSwitchRequest, ModelView, Problem};
use super::{Door, From, answer, form};
use crate::face::ModelId;
use crate::ledger::{ModelStanding, SwitchState};

/// The models in use and to come. For consoles with administration.
#[utoipa::path(get, path = "/v1/model", responses((status = 200, body = ModelView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get_model(State(door): State<Door>, from: From) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let standing =
            door.call(from.ticket, move |service| service.model_standing(&from.caller)).await?;
        Ok(Json(view(standing)).into_response())
    };
    answer(&ticket, get.await)
}

/// Begins a switch to the models of this digest, or changes its terms; searches stay on the models
/// in use until every booking was embedded again. For consoles with administration. The same
/// request again changes nothing.
#[utoipa::path(post, path = "/v1/model/switch", request_body = ModelSwitchRequest,
    responses((status = 202, body = ModelView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn post_switch(
    State(door): State<Door>,
    from: From,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let ModelSwitchRequest { model, accept_failed } =
            form::read_json(request, "switch").await?;
        let model = ModelId::parse(&model).ok_or_else(|| {
            Refusal::malformed(
                "the model's digest is not 64 hexadecimal digits, wanted those that \
                'smrtctl model check' prints",
            )
        })?;
        let standing = door
            .call(from.ticket, move |service| {
                service.switch_model(&from.caller, model, accept_failed)
            })
            .await?;
        Ok((StatusCode::ACCEPTED, Json(view(standing))).into_response())
    };
    answer(&ticket, post.await)
}

/// Gives the switch under way up: searches stay on the models in use, and what was made for the
/// others is removed. For consoles with administration.
#[utoipa::path(delete, path = "/v1/model/switch", responses((status = 200, body = ModelView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn delete_switch(State(door): State<Door>, from: From) -> Response {
    let ticket = from.ticket.clone();
    let delete = async {
        let standing =
            door.call(from.ticket, move |service| service.give_up_switch(&from.caller)).await?;
        Ok(Json(view(standing)).into_response())
    };
    answer(&ticket, delete.await)
}

fn view(standing: ModelStanding) -> ModelView {
    ModelView {
        active: standing.active.to_string(),
        next: standing.next.map(|next| next.to_string()),
        state: match standing.state {
            SwitchState::None => ModelState::Settled,
            SwitchState::Sweeping => ModelState::Sweeping,
            SwitchState::Embedding => ModelState::Embedding,
            SwitchState::Gathering => ModelState::Gathering,
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
