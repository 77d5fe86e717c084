//! The roster file as the box has it now, for consoles with administration; people are not in it.

use serde::{Deserialize, Serialize};

use crate::booking::{Identifier, Text};
use crate::roster::{Ceilings, Device, QuorumTerms};

/// What the box serves by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RosterView {
    /// Digest of the roster, hexadecimal, as the log's leaves `started` and `roster_changed` have
    /// it.
    pub sha256: String,
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
