//! The door to the log: tiles and checkpoints for everybody in the roster, cosignatures from
//! witnesses, details and samples for auditors.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::desk::FromDesk;
use super::problem::Refusal;
use super::wire::{
    ClockWord, CosignedView, ExportView, FindingView, LogReviewed, OpenedDetail, Problem,
    ReviewView, SampleOrder, SampleReview, SampleView,
};
use super::{Door, From, InPath, answer, form};
use crate::audit::TileId;
use crate::booking::{Text, VersionId};
use crate::ledger::{Drawn, OpenedLeaf};
use crate::limits::CHECKPOINT_BYTES_MAX;
use crate::service::{Routed, Service};

const TEXT: &str = "text/plain; charset=utf-8";

/// A range of leaves, or of sizes of the tree.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InRange {
    first: u64,
    end: u64,
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

/// The newest signed checkpoint, with what cosignatures there are of it.
#[utoipa::path(get, path = "/v1/log/checkpoint",
    responses((status = 200, content_type = "text/plain", body = String),
    (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get_checkpoint(State(door): State<Door>, from: From) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let note = door
            .call(from.ticket, move |service| {
                service.admit(&from.caller).map(|()| service.ledger().cosigned_checkpoint())
            })
            .await?;
        Ok(([(header::CONTENT_TYPE, TEXT)], note).into_response())
    };
    answer(&ticket, get.await)
}

/// The checkpoint that witnesses are asked to cosign: it stands still until a quorum has, so that
/// they all sign the same one.
#[utoipa::path(get, path = "/v1/log/checkpoint/pending",
    responses((status = 200, content_type = "text/plain", body = String),
    (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get_pending(State(door): State<Door>, from: From) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let note =
            door.call(from.ticket, move |service| service.pending_checkpoint(&from.caller)).await?;
        Ok(([(header::CONTENT_TYPE, TEXT)], note).into_response())
    };
    answer(&ticket, get.await)
}

/// Checkpoints that witnesses cosigned, of trees of this size or larger, the smallest first; as
/// many as one answer gives.
#[utoipa::path(get, path = "/v1/log/checkpoints",
    params(("since" = Option<u64>, Query, description = "The smallest size")),
    responses((status = 200, body = Vec<String>),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get_checkpoints(
    State(door): State<Door>,
    from: From,
    query: Result<Query<Since>, QueryRejection>,
) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let Query(Since { since }) = query
            .map_err(|_| Refusal::malformed("the query is not '?since=' and a number of leaves"))?;
        let notes = door.call(from.ticket, move |service| {
            service.admit(&from.caller)?;
            Ok(service.ledger().cosigned(since..u64::MAX, usize::MAX)?)
        });
        Ok(Json(notes.await?).into_response())
    };
    answer(&ticket, get.await)
}

/// A tile or bundle of leaves, as C2SP `tlog-tiles` names them: `0/x001/234`, `entries/000.p/7`.
/// The read is logged, by the hour.
#[utoipa::path(get, path = "/v1/log/tile/{tile}",
    params(("tile" = String, Path, description = "Level and index, or 'entries' and index")),
    responses((status = 200, content_type = "application/octet-stream",
        description = "Hashes on end, or leaves behind their lengths"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
            (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get_tile(State(door): State<Door>, from: From, path: InPath) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let Path(path) = path.map_err(|_| Refusal::malformed("the path is not UTF-8"))?;
        let id = TileId::parse(&path).map_err(|e| Refusal::malformed(e.to_string()))?;
        let bytes = door.call(from.ticket, move |service| service.tile(&from.caller, id)).await?;
        Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
    };
    answer(&ticket, get.await)
}

/// The proof that a leaf stands in the log, as C2SP `tlog-proof` writes it.
#[utoipa::path(get, path = "/v1/log/proof/{leaf}",
    params(("leaf" = u64, Path, description = "The leaf's index")),
    responses((status = 200, content_type = "text/plain", body = String),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get_proof(
    State(door): State<Door>,
    from: From,
    leaf: Result<Path<u64>, PathRejection>,
) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let Path(leaf) =
            leaf.map_err(|_| Refusal::malformed("the leaf's index is not a number"))?;
        let proof = door.call(from.ticket, move |service| {
            service.admit(&from.caller)?;
            Ok(service.ledger().proof(leaf)?)
        });
        Ok(([(header::CONTENT_TYPE, TEXT)], proof.await?.to_text()).into_response())
    };
    answer(&ticket, get.await)
}

/// The proof that the tree of one size continues that of another: a hash a line, in base64.
#[utoipa::path(get, path = "/v1/log/consistency",
    params(("old" = u64, Query, description = "The smaller size"),
    ("new" = u64, Query, description = "The larger size")),
    responses((status = 200, content_type = "text/plain", body = String),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get_consistency(
    State(door): State<Door>,
    from: From,
    query: Result<Query<Sizes>, QueryRejection>,
) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let Query(Sizes { old, new }) = query.map_err(|_| {
            Refusal::malformed("the query is not '?old=' and '&new=' with numbers of leaves")
        })?;
        let proof = door.call(from.ticket, move |service| {
            service.admit(&from.caller)?;
            Ok(service.ledger().consistency(old, new)?)
        });
        let lines: String = proof.await?.iter().map(|hash| STANDARD.encode(hash) + "\n").collect();
        Ok(([(header::CONTENT_TYPE, TEXT)], lines).into_response())
    };
    answer(&ticket, get.await)
}

/// The keys of the log and of its witnesses with their quorum, as C2SP `tlog-policy` writes it.
#[utoipa::path(get, path = "/v1/log/policy",
    responses((status = 200, content_type = "text/plain", body = String),
    (status = "4XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get_policy(State(door): State<Door>, from: From) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let policy = door.call(from.ticket, move |service| service.policy(&from.caller)).await?;
        Ok(([(header::CONTENT_TYPE, TEXT)], policy).into_response())
    };
    answer(&ticket, get.await)
}

/// Brings a witness' cosignature: the checkpoint as the log signed it, with the witness' line. A
/// checkpoint of this log that the log does not contain is taken as evidence: it shuts the doors.
/// For witnesses and feeds.
#[utoipa::path(post, path = "/v1/log/cosignatures",
    request_body(content = String, content_type = "text/plain"),
    responses((status = 200, body = CosignedView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn post_cosignature(
    State(door): State<Door>,
    from: From,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let note = to_bytes(request.into_body(), CHECKPOINT_BYTES_MAX).await;
        let note = note.map_err(|_| Refusal::too_large("the note", CHECKPOINT_BYTES_MAX))?;
        let note = String::from_utf8(note.into())
            .map_err(|_| Refusal::malformed("the note is not UTF-8"))?;
        let cosigned =
            door.call(from.ticket, move |service| service.cosign(&from.caller, &note)).await?;
        Ok(Json(CosignedView { leaves: cosigned.leaves, complete: cosigned.complete })
            .into_response())
    };
    answer(&ticket, post.await)
}

/// Details of some leaves, opened; one leaf says so. For auditors at a desk, and consoles of
/// auditors by themselves.
#[utoipa::path(get, path = "/v1/log/details",
    params(("first" = u64, Query, description = "The first leaf"),
    ("end" = u64, Query, description = "The leaf after the last")),
    responses((status = 200, body = Vec<OpenedDetail>),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get_details(
    State(door): State<Door>,
    from: FromDesk,
    query: Result<Query<InRange>, QueryRejection>,
) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let Query(InRange { first, end }) = query.map_err(|_| {
            Refusal::malformed("the query is not '?first=' and '&end=' with leaves")
        })?;
        let opened = door
            .acting(from, move |service, acting| service.open_details(acting, first..end))
            .await?;
        Ok(Json(opened.into_iter().map(OpenedDetail::from).collect::<Vec<_>>()).into_response())
    };
    answer(&ticket, get.await)
}

/// The probe of a search, as it was received; one leaf says so. For auditors at a desk, and
/// consoles of auditors by themselves.
#[utoipa::path(get, path = "/v1/log/probes/{search}",
    params(("search" = String, Path, description = "The search's id")),
    responses((status = 200, content_type = "application/octet-stream",
        description = "The bytes as received"),
        (status = "4XX", body = Problem, content_type = "application/problem+json"),
        (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get_probe(
    State(door): State<Door>,
    from: FromDesk,
    search: InPath,
) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let Path(search) = search.map_err(|_| Refusal::malformed("the path is not UTF-8"))?;
        let search = VersionId::parse(&search)
            .map_err(|_| Refusal::malformed("the search's id is not 32 hexadecimal digits"))?
            .0;
        let probe =
            door.acting(from, move |service, acting| service.open_probe(acting, search)).await?;
        Ok(([(header::CONTENT_TYPE, "application/octet-stream")], probe).into_response())
    };
    answer(&ticket, get.await)
}

/// Begins an export: one leaf says so, and the answer how many leaves to take. For auditors at a
/// desk, and consoles of auditors by themselves.
#[utoipa::path(post, path = "/v1/log/exports",
    responses((status = 201, body = ExportView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn post_export(State(door): State<Door>, from: FromDesk) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let leaves = door.acting(from, Service::begin_export).await?;
        Ok((StatusCode::CREATED, Json(ExportView { leaves })).into_response())
    };
    answer(&ticket, post.await)
}

/// Draws a sample of searches: its seed is logged before it is drawn. For auditors at a desk, and
/// consoles of auditors by themselves.
#[utoipa::path(post, path = "/v1/log/samples", request_body = SampleOrder,
    responses((status = 201, body = SampleView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn post_sample(
    State(door): State<Door>,
    from: FromDesk,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let SampleOrder { seed, rate_ppm, first, end } = form::read_json(request, "sample").await?;
        let drawn = door.acting(from, move |service, acting| {
            let end = end.unwrap_or_else(|| service.ledger().leaves());
            service.draw_sample(acting, seed, rate_ppm, first..end)
        });
        Ok((StatusCode::CREATED, Json(SampleView::from(drawn.await?))).into_response())
    };
    answer(&ticket, post.await)
}

/// The newest samples and what is left to be reviewed of them. For auditors at a desk, and consoles
/// of auditors by themselves.
#[utoipa::path(get, path = "/v1/log/samples",
    responses((status = 200, body = Vec<SampleView>),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get_samples(State(door): State<Door>, from: FromDesk) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let samples = door.acting(from, Service::samples).await?;
        Ok(Json(samples.into_iter().map(SampleView::from).collect::<Vec<_>>()).into_response())
    };
    answer(&ticket, get.await)
}

/// Records what was found of a search of a sample. For auditors at a desk, and consoles of auditors
/// by themselves.
#[utoipa::path(post, path = "/v1/log/reviews", request_body = SampleReview,
    responses((status = 201, body = ReviewView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn post_review(
    State(door): State<Door>,
    from: FromDesk,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let SampleReview { sample, asked, finding, note } =
            form::read_json(request, "review").await?;
        let note = Text::parse(&note)
            .map_err(|e| Refusal::malformed(format!("the note: {e}")))?
            .to_string();
        let leaf = door
            .acting(from, move |service, acting| {
                service.review_sample(acting, sample, asked, finding, note)
            })
            .await?;
        Ok((StatusCode::CREATED, Json(ReviewView { leaf })).into_response())
    };
    answer(&ticket, post.await)
}

/// Records that the auditor at this desk went through the log since the look before.
#[utoipa::path(post, path = "/v1/log/looks", request_body = LogReviewed,
    responses((status = 201, body = ReviewView),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn post_look(
    State(door): State<Door>,
    from: FromDesk,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let LogReviewed { end, note } = form::read_json(request, "review").await?;
        let note = Text::parse(&note).map_err(|e| Refusal::malformed(format!("the note: {e}")))?;
        let leaf =
            door.at_desk(from, move |service, desk| service.review_log(desk, end, &note)).await?;
        Ok((StatusCode::CREATED, Json(ReviewView { leaf })).into_response())
    };
    answer(&ticket, post.await)
}

/// Findings of misuse by people whom the caller's agency employed when they asked for a search. For
/// feeds.
#[utoipa::path(get, path = "/v1/findings",
    responses((status = 200, body = Vec<FindingView>),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn get_findings(State(door): State<Door>, from: From) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let routed = door.call(from.ticket, move |service| service.findings(&from.caller)).await?;
        let view = |routed: Routed| FindingView {
            review: routed.leaf,
            asked: routed.asked,
            asked_at_cs: routed.asked_cs,
            request: routed.request,
            note: routed.note,
        };
        Ok(Json(routed.into_iter().map(view).collect::<Vec<_>>()).into_response())
    };
    answer(&ticket, get.await)
}

/// Says what the site's time source says: where it agrees, a clock that went ahead is believed
/// again. For administrators at a desk, and consoles with administration by themselves.
#[utoipa::path(post, path = "/v1/clock", request_body = ClockWord,
    responses((status = 204, description = "The clock is believed again"),
    (status = "4XX", body = Problem, content_type = "application/problem+json"),
    (status = "5XX", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn post_clock(
    State(door): State<Door>,
    from: FromDesk,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let ClockWord { time_source } = form::read_json(request, "clock").await?;
        let said = OffsetDateTime::parse(&time_source, &Rfc3339);
        let said = said.map_err(|_| {
            Refusal::malformed("the time source's word is not of the form 2026-11-23T16:00:00Z")
        })?;
        door.acting(from, move |service, acting| service.confirm_clock(acting, said)).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    answer(&ticket, post.await)
}

impl std::convert::From<OpenedLeaf> for OpenedDetail {
    fn from(opened: OpenedLeaf) -> Self {
        // A detail is JSON, as it was written by this software.
        let detail = String::from_utf8_lossy(&opened.detail).into_owned();
        Self { leaf: opened.leaf, salt: hex::encode(opened.salt), detail }
    }
}

impl std::convert::From<Drawn> for SampleView {
    fn from(drawn: Drawn) -> Self {
        let open = drawn
            .asked
            .iter()
            .filter(|asked| !drawn.reviewed.iter().any(|(reviewed, _)| reviewed == *asked));
        Self {
            sample: drawn.leaf,
            seeded: drawn.seeded,
            drawn_at_cs: drawn.time_cs,
            due_cs: drawn.due_cs,
            population: drawn.population,
            open: open.copied().collect(),
            reviewed: drawn.reviewed.iter().map(|(asked, finding)| (*asked, *finding)).collect(),
            asked: drawn.asked,
        }
    }
}
