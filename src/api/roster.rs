//! The door to the roster file as the box has it.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::wire::Problem;
use super::wire::roster::{AgencyStanding, RosterView, WitnessView};
use super::{Door, From, answer};
use crate::roster::{Agency, RosterError, Standing};

/// Agencies with their standing today, consoles, witnesses and ceilings. For consoles with
/// administration.
#[utoipa::path(get, path = "/v1/roster", responses((status = 200, body = RosterView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get_roster(State(door): State<Door>, from: From) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let (roster, today) =
            door.call(from.ticket, move |service| service.roster_now(&from.caller)).await?;
        let standing = |agency: &Agency| AgencyStanding {
            id: agency.id.clone(),
            name: agency.name.clone(),
            kind: match agency.standing {
                Standing::Contributor { .. } => "contributor".to_owned(),
                Standing::Requester { .. } => "requester".to_owned(),
            },
            inactive: roster.requester(&agency.id, today).err().map(|e| match e {
                RosterError::Inactive { reason, .. } => reason.to_owned(),
                e => e.to_string(),
            }),
        };
        let view = RosterView {
            sha256: hex::encode(roster.sha256()),
            agencies: roster.agencies.iter().map(standing).collect(),
            devices: roster.devices.clone(),
            witnesses: roster
                .witnesses
                .iter()
                .map(|w| WitnessView { id: w.id.clone(), agency: w.agency.clone() })
                .collect(),
            quorum: roster.quorum,
            ceilings: roster.ceilings,
        };
        Ok(Json(view).into_response())
    };
    answer(&ticket, get.await)
}
