//! How the box is, for everybody in the roster.

use axum::Json;
use axum::routing::on;
use serde::{Deserialize, Serialize};

use super::app::{Answer, Call};
use super::route::Method::Get;
use super::route::{Access, READERS, Route};
use crate::ledger::VERSION;
use crate::service::{Doors, Raised, Service};

pub(super) const ROUTES: &[Route] =
    &[Route::new(Get, "/v1/health", Access::Certificates(READERS), |m| on(m, get_health))];

/// How the box is.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Health {
    /// What kind of state folder it has: `real`, `demo` or `test`.
    pub state: String,
    /// The version of this software.
    pub version: String,
    /// The engine that compares: `gpu` or `cpu`.
    pub engine: String,
    /// The device that the engine runs on.
    pub device: String,
    /// The models' digest, hexadecimal.
    pub model: String,
    /// Bookings that can be found.
    pub gallery_rows: u64,
    /// Leaves in the log.
    pub leaves: u64,
    /// Whether the verbs may be used.
    pub doors: DoorsView,
    /// Leaves that a quorum of witnesses has cosigned.
    pub witnessed: Option<u64>,
    /// What is wrong at the moment.
    pub alarms: Vec<AlarmView>,
}

/// Whether the verbs may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DoorsView {
    /// All of them.
    Open,
    /// Reading the log only, until witnesses have confirmed it.
    Waiting,
    /// Reading the log only: something contradicts it.
    Shut,
}

/// An alarm that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmView {
    /// Its name.
    pub alarm: String,
    /// The leaf that says so.
    pub leaf: Option<u64>,
    /// What is wrong, in words.
    pub what: String,
}

/// How the box is.
#[utoipa::path(get, path = "/v1/health", responses((status = 200, body = Health)))]
pub(super) async fn get_health(call: Call) -> Answer<Json<Health>> {
    let health =
        call.by_certificate(|service, caller| service.admit(caller).map(|()| Health::of(service)));
    health.await.map(Json)
}

impl Health {
    fn of(service: &Service) -> Self {
        let ledger = service.ledger();
        let generation = ledger.generation();
        let gallery = generation.gallery();
        let alarm =
            |Raised { alarm, leaf, what }| AlarmView { alarm: alarm.name().to_owned(), leaf, what };
        Self {
            state: ledger.kind().name().to_owned(),
            version: VERSION.to_owned(),
            engine: gallery.engine().to_owned(),
            device: gallery.device().to_owned(),
            model: generation.model().to_string(),
            gallery_rows: u64::from(gallery.live()),
            leaves: ledger.leaves(),
            doors: match service.doors() {
                Doors::Open => DoorsView::Open,
                Doors::Waiting => DoorsView::Waiting,
                Doors::Shut(_) => DoorsView::Shut,
            },
            witnessed: ledger.witnessing().complete.map(|(leaves, _)| leaves),
            alarms: service.alarms().into_iter().map(alarm).collect(),
        }
    }
}
