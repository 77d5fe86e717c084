//! The roster file as the box has it now; people are not in it.

use axum::Json;
use axum::routing::on;
use serde::{Deserialize, Serialize};
use time::Date;

use super::app::{Answer, Call};
use super::route::Method::Get;
use super::route::{ADMINISTRATION, Access, Route};
use crate::booking::{Identifier, Text};
use crate::ids::Digest;
use crate::roster::{
    Agency, Ceilings, Device, QuorumTerms, Roster, RosterError, Standing, WitnessEntry,
};

pub(super) const ROUTES: &[Route] =
    &[Route::new(Get, "/v1/roster", Access::Certificates(ADMINISTRATION), |m| on(m, get_roster))];

/// What the box serves by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RosterView {
    /// Digest of the roster, hexadecimal, as the log's leaves `started` and `roster_changed` have
    /// it.
    #[schema(value_type = String)]
    pub sha256: Digest,
    /// Agencies and how they stand today.
    pub agencies: Vec<AgencyStanding>,
    /// Consoles.
    #[schema(value_type = Vec<Object>)]
    pub devices: Vec<Device>,
    /// Witnesses of the log.
    pub witnesses: Vec<WitnessView>,
    /// How many of them must cosign, and how soon.
    #[schema(value_type = Option<Object>)]
    pub quorum: Option<QuorumTerms>,
    /// How fast one operator may search.
    #[schema(value_type = Object)]
    pub ceilings: Ceilings,
}

/// An agency and how it stands today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AgencyStanding {
    /// Its name in certificates and requests.
    #[schema(value_type = String)]
    pub id: Identifier,
    /// Its name in words.
    #[schema(value_type = String)]
    pub name: Text,
    /// `contributor` or `requester`.
    pub kind: String,
    /// Why it isn't active today; none where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inactive: Option<String>,
}

/// A witness of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WitnessView {
    /// Its name in certificates, or the agency's whose feed it is.
    #[schema(value_type = String)]
    pub id: Identifier,
    /// The agency that runs it; none for one that is independent of the agencies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub agency: Option<Identifier>,
}

/// Agencies with their standing today, consoles, witnesses and ceilings. For consoles with
/// administration.
#[utoipa::path(get, path = "/v1/roster", responses((status = 200, body = RosterView)))]
pub(super) async fn get_roster(call: Call) -> Answer<Json<RosterView>> {
    let (roster, today) = call.by_certificate(|service, caller| service.roster_now(caller)).await?;
    Ok(Json(RosterView::of(&roster, today)))
}

impl RosterView {
    fn of(roster: &Roster, today: Date) -> Self {
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
        let witness = |witness: &WitnessEntry| WitnessView {
            id: witness.id.clone(),
            agency: witness.agency.clone(),
        };
        Self {
            sha256: roster.sha256(),
            agencies: roster.agencies.iter().map(standing).collect(),
            devices: roster.devices.clone(),
            witnesses: roster.witnesses.iter().map(witness).collect(),
            quorum: roster.quorum,
            ceilings: roster.ceilings,
        }
    }
}
