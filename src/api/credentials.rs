//! What lets callers in: a newer revocation list, brought over the wire.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::routing::on;
use serde::{Deserialize, Serialize};

use super::app::{Answer, Call};
use super::problem::ApiError;
use super::route::Method::Post;
use super::route::{Access, LISTED, Route};
use crate::calendar::Time;
use crate::limits::REVOCATION_LIST_BYTES_MAX;

pub(super) const ROUTES: &[Route] =
    &[Route::new(Post, "/v1/revocation-list", Access::Certificates(LISTED), |m| on(m, post_list))];

/// The revocation list in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevocationListView {
    /// Whether it is another one than before.
    pub is_new: bool,
    /// The number that the authority gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// When it was made.
    pub made_cs: Time,
    /// When it ends.
    pub ends_cs: Time,
    /// How many certificates it revokes.
    pub revoked: u64,
}

/// Brings a newer revocation list of the site's authority, in DER or PEM. It counts from here on,
/// through restarts too; one that the authority did not sign, or that is not newer, is refused.
#[utoipa::path(post, path = "/v1/revocation-list",
    request_body(content = Vec<u8>, content_type = "application/pkix-crl"),
    responses((status = 200, body = RevocationListView)))]
pub(super) async fn post_list(call: Call, request: Request) -> Answer<Json<RevocationListView>> {
    let list = to_bytes(request.into_body(), REVOCATION_LIST_BYTES_MAX).await;
    let list = list.map_err(|_| ApiError::too_large("the list", REVOCATION_LIST_BYTES_MAX))?;
    let list =
        call.by_certificate(move |service, caller| service.bring_list(caller, &list)).await?;
    Ok(Json(RevocationListView {
        is_new: list.is_new,
        number: list.number,
        made_cs: list.made,
        ends_cs: list.ends,
        revoked: list.revoked,
    }))
}
