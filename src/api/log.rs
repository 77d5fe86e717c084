//! The log: tiles, checkpoints and proofs for everybody in the roster, cosignatures from witnesses.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::on;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::app::{Answer, Call};
use super::path::{InPath, InQuery, Queried};
use super::problem::ApiError;
use super::route::Method::{Get, Post};
use super::route::{Access, READERS, Route, WITNESSES};
use crate::audit::TileId;
use crate::limits::{CHECKPOINT_BYTES_MAX, CHECKPOINTS_PER_ANSWER_MAX};

pub(super) const ROUTES: &[Route] = &[
    Route::new(Get, "/v1/log/checkpoint", ROSTER, |m| on(m, get_checkpoint)),
    Route::new(Get, "/v1/log/checkpoint/pending", ROSTER, |m| on(m, get_pending)),
    Route::new(Get, "/v1/log/checkpoints", ROSTER, |m| on(m, get_checkpoints)),
    Route::new(Get, "/v1/log/tile/{*tile}", ROSTER, |m| on(m, get_tile)),
    Route::new(Get, "/v1/log/proof/{leaf}", ROSTER, |m| on(m, get_proof)),
    Route::new(Get, "/v1/log/consistency", ROSTER, |m| on(m, get_consistency)),
    Route::new(Get, "/v1/log/policy", ROSTER, |m| on(m, get_policy)),
    Route::new(Post, "/v1/log/cosignatures", Access::Certificates(WITNESSES), |m| {
        on(m, post_cosignature)
    }),
];

const ROSTER: Access = Access::Certificates(READERS);
const TEXT: &str = "text/plain; charset=utf-8";

/// What the log made of a cosignature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CosignedView {
    /// Size of the tree that was cosigned.
    pub leaves: u64,
    /// Whether a quorum has cosigned it now.
    pub complete: bool,
}

/// Two sizes of the tree.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sizes {
    old: u64,
    new: u64,
}

/// From where on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    #[serde(default)]
    since: u64,
}

impl Queried for Sizes {
    const WANTED: &'static str = "the query is not '?old=' and '&new=' with numbers of leaves";
}

impl Queried for Since {
    const WANTED: &'static str = "the query is not '?since=' and a number of leaves";
}

/// The newest signed checkpoint, with what cosignatures there are of it.
#[utoipa::path(get, path = "/v1/log/checkpoint",
    responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn get_checkpoint(call: Call) -> Answer<impl IntoResponse> {
    let note = call.by_certificate(|service, caller| {
        service.admit(caller).map(|()| service.ledger().cosigned_checkpoint())
    });
    note.await.map(text)
}

/// The checkpoint that witnesses are asked to cosign: it stands still until a quorum has, so that
/// they all sign the same one.
#[utoipa::path(get, path = "/v1/log/checkpoint/pending",
    responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn get_pending(call: Call) -> Answer<impl IntoResponse> {
    call.by_certificate(|service, caller| service.pending_checkpoint(caller)).await.map(text)
}

/// Checkpoints that witnesses cosigned, of trees of this size or larger, the smallest first; as
/// many as one answer gives.
#[utoipa::path(get, path = "/v1/log/checkpoints",
    params(("since" = Option<u64>, Query, description = "The smallest size")),
    responses((status = 200, body = Vec<String>)))]
pub(super) async fn get_checkpoints(
    call: Call,
    InQuery(Since { since }): InQuery<Since>,
) -> Answer<Json<Vec<String>>> {
    let notes = call.by_certificate(move |service, caller| {
        service.admit(caller)?;
        Ok(service.ledger().cosigned(since..u64::MAX, CHECKPOINTS_PER_ANSWER_MAX)?)
    });
    notes.await.map(Json)
}

/// A tile or bundle of leaves, as C2SP `tlog-tiles` names them: `0/x001/234`, `entries/000.p/7`.
/// The read is logged, by the hour.
#[utoipa::path(get, path = "/v1/log/tile/{tile}",
    params(("tile" = String, Path, description = "Level and index, or 'entries' and index")),
    responses((status = 200, content_type = "application/octet-stream",
        description = "Hashes on end, or leaves behind their lengths")))]
pub(super) async fn get_tile(call: Call, path: InPath) -> Answer<impl IntoResponse> {
    let id = path.read("tile", TileId::parse)?;
    let bytes = call.by_certificate(move |service, caller| service.tile(caller, id)).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes))
}

/// The proof that a leaf stands in the log, as C2SP `tlog-proof` writes it.
#[utoipa::path(get, path = "/v1/log/proof/{leaf}",
    params(("leaf" = u64, Path, description = "The leaf's index")),
    responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn get_proof(call: Call, path: InPath) -> Answer<impl IntoResponse> {
    let leaf: u64 =
        path.read("leaf", |leaf| leaf.parse().map_err(|_| "the leaf's index is not a number"))?;
    let proof = call.by_certificate(move |service, caller| {
        service.admit(caller)?;
        Ok(service.ledger().proof(leaf)?)
    });
    proof.await.map(|proof| text(proof.to_text()))
}

/// The proof that the tree of one size continues that of another: a hash a line, in base64.
#[utoipa::path(get, path = "/v1/log/consistency",
    params(("old" = u64, Query, description = "The smaller size"),
    ("new" = u64, Query, description = "The larger size")),
    responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn get_consistency(
    call: Call,
    InQuery(Sizes { old, new }): InQuery<Sizes>,
) -> Answer<impl IntoResponse> {
    let proof = call.by_certificate(move |service, caller| {
        service.admit(caller)?;
        Ok(service.ledger().consistency(old, new)?)
    });
    let lines: String = proof.await?.iter().map(|hash| STANDARD.encode(hash) + "\n").collect();
    Ok(text(lines))
}

/// The keys of the log and of its witnesses with their quorum, as C2SP `tlog-policy` writes it.
#[utoipa::path(get, path = "/v1/log/policy",
    responses((status = 200, content_type = "text/plain", body = String)))]
pub(super) async fn get_policy(call: Call) -> Answer<impl IntoResponse> {
    call.by_certificate(|service, caller| service.policy(caller)).await.map(text)
}

/// Brings a witness' cosignature: the checkpoint as the log signed it, with the witness' line. A
/// checkpoint of this log that the log does not contain is taken as evidence: it shuts the doors.
/// For witnesses and feeds.
#[utoipa::path(post, path = "/v1/log/cosignatures",
    request_body(content = String, content_type = "text/plain"),
    responses((status = 200, body = CosignedView)))]
pub(super) async fn post_cosignature(call: Call, request: Request) -> Answer<Json<CosignedView>> {
    let note = to_bytes(request.into_body(), CHECKPOINT_BYTES_MAX).await;
    let note = note.map_err(|_| ApiError::too_large("the note", CHECKPOINT_BYTES_MAX))?;
    let note =
        String::from_utf8(note.into()).map_err(|_| ApiError::malformed("the note is not UTF-8"))?;
    let cosigned =
        call.by_certificate(move |service, caller| service.cosign(caller, &note)).await?;
    Ok(Json(CosignedView { leaves: cosigned.leaves, complete: cosigned.complete }))
}

fn text(text: String) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, TEXT)], text)
}
