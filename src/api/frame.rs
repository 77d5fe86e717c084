//! The frame around every request: id, permit, caller, body and time on the way in; problem, kind
//! of state folder, newest checkpoint and timings on the way out. No handler builds these itself.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::{Engine, engine::general_purpose::STANDARD};

use super::app::{Answer, App, Peer, Ticket, secret};
use super::problem::{ApiError, Worded};
use super::route::Route;
use crate::crypto::random;
use crate::limits::{BODY_BYTES_MAX, DISCARD_SECONDS_MAX, REQUEST_SECONDS_MAX};
use crate::rule::Rule;
use crate::service::SearchTimings;

/// The header that carries the newest signed checkpoint, base64 of the note, on every answer.
pub const CHECKPOINT_HEADER: &str = "smrt-checkpoint";
/// The header that says what kind of state folder answers: `real`, `demo` or `test`.
pub const STATE_HEADER: &str = "smrt-state";
/// The header of a search's answer that says what took how long: `name;dur=` and milliseconds, in a
/// list.
pub const TIMING_HEADER: &str = "server-timing";

/// What the frame knows of every request.
#[derive(Clone)]
pub(super) struct FrameState {
    pub(super) app: App,
    /// The table of routes.
    pub(super) routes: Arc<[&'static Route]>,
}

/// Lets a request through and stamps its answer.
pub(super) async fn frame(
    State(state): State<FrameState>,
    Extension(peer): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let id = request_id();
    let work = through(&state, &id, peer, request, next);
    let worked = tokio::time::timeout(Duration::from_secs(REQUEST_SECONDS_MAX), work).await;
    let mut answer = match worked {
        Ok(Ok(answer)) => answer,
        Ok(Err(problem)) => problem.into_response(),
        Err(_) => {
            let detail = format!(
                "the request took over {REQUEST_SECONDS_MAX} s; what was acknowledged before stands"
            );
            ApiError::new(Rule::Timeout, detail).into_response()
        }
    };
    if let Some(problem) = answer.extensions_mut().remove::<ApiError>() {
        answer = problem.into_answer(&id);
    }
    stamp(&state.app, &mut answer);
    answer
}

/// The answer of a request that has a permit, a whole body and a caller. What the door refuses is
/// logged before it is told; verbs log what they refuse.
async fn through(
    FrameState { app, routes }: &FrameState,
    id: &str,
    Peer { caller, stands, over }: Peer,
    request: Request,
    next: Next,
) -> Answer<Response> {
    let permit = app.permits.clone().try_acquire_owned().map_err(|_| ApiError::busy())?;
    let path = request.extensions().get::<MatchedPath>();
    let route = path.and_then(|path| route_of(routes, request.method(), path));
    let secret = secret(request.headers());
    let Some(caller) = caller else {
        discard(request).await;
        let detail = "the certificate names no caller of this system, wanted one URI like \
            smrt:agency/<id>/feed, smrt:device/<id> or smrt:witness/<id>";
        return Err(ApiError::new(Rule::NotInRoster, detail));
    };
    let ticket = Ticket { id: id.to_owned(), permit: Arc::new(permit), caller };
    let is_over = !stands();
    let request = if is_over {
        let detail = "the connection's certificate was revoked or has ended; connect anew";
        discard(request).await;
        Err(ApiError::new(Rule::CertificateOver, detail))
    } else {
        let_in(app, &ticket, request).await
    };
    let answer = match request {
        Ok(mut request) => {
            request.extensions_mut().insert(ticket.clone());
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    };
    if is_over {
        // Not before: with the connection goes whatever is still at work on it.
        over.notify_one();
    }
    let worded = || answer.extensions().get::<Worded>().map(|Worded(problem)| problem);
    let problem = answer.extensions().get::<ApiError>().or_else(worded);
    if let (Some(route), Some(problem)) = (route, problem)
        && problem.is_unlogged_refusal()
    {
        let reason = format!("{} {}: {}", route.method.name(), route.path, problem.detail());
        app.log_refusal(ticket, secret, route.door, problem.rule(), reason).await?;
    }
    Ok(answer)
}

/// The request with its body read. The body of a caller that isn't listed, or that shows another
/// site's page, is never read: what would change something is refused by that alone.
async fn let_in(app: &App, ticket: &Ticket, request: Request) -> Answer<Request> {
    let refused = match foreign_page(app, &request) {
        Some(found) => Err(ApiError::other_origin(found, app.service.console_origin())),
        None if app.service.is_listed(&ticket.caller) => return whole(request).await,
        None if changes(&request) => app.comes_in(ticket).await,
        // Whoever may read it says so to each in its own way.
        None => Ok(()),
    };
    let rest = discard(request).await;
    refused.map(|()| rest)
}

/// Where a request that changes something says that it comes from, if that is no page of ours: a
/// browser sends its device's certificate along whichever page it shows. What says nothing comes
/// from no browser.
fn foreign_page<'r>(app: &App, request: &'r Request) -> Option<&'r str> {
    if !changes(request) {
        return None;
    }
    let said = |name: &str| request.headers().get(name).map(|said| said.to_str().unwrap_or("?"));
    let origin = said("origin").filter(|origin| Some(*origin) != app.service.console_origin());
    origin.or(said("sec-fetch-site").filter(|site| *site != "same-origin"))
}

fn changes(request: &Request) -> bool {
    !matches!(*request.method(), Method::GET | Method::HEAD)
}

/// The request without its body, which is thrown away as it comes, for a moment: a caller that is
/// still sending would take an early answer for a broken connection.
async fn discard(request: Request) -> Request {
    let (parts, mut body) = request.into_parts();
    let rest = async {
        let mut left = BODY_BYTES_MAX;
        while let Some(Ok(frame)) = poll_fn(|at| Pin::new(&mut body).poll_frame(at)).await {
            let bytes = frame.data_ref().map_or(0, |bytes| bytes.len());
            let Some(less) = left.checked_sub(bytes) else { return };
            left = less;
        }
    };
    // Whoever takes longer finds out by itself.
    let _ = tokio::time::timeout(Duration::from_secs(DISCARD_SECONDS_MAX), rest).await;
    Request::from_parts(parts, Body::empty())
}

/// The route of the table that a request is for.
fn route_of(
    routes: &[&'static Route],
    method: &Method,
    path: &MatchedPath,
) -> Option<&'static Route> {
    // Whoever may get may ask for the head alone.
    let method = if method == Method::HEAD { Method::GET } else { method.clone() };
    let mut routes = routes.iter().copied();
    routes.find(|route| route.path == path.as_str() && route.method.name() == method.as_str())
}

/// The request with its body read: a caller that is still sending would take an early answer for a
/// broken connection.
async fn whole(request: Request) -> Answer<Request> {
    let (parts, body) = request.into_parts();
    let body =
        axum::body::to_bytes(body, BODY_BYTES_MAX).await.map_err(|e| match e.to_string() {
            too_long if too_long.contains("length limit") => {
                ApiError::too_large("the body", BODY_BYTES_MAX)
            }
            torn => ApiError::malformed(format!("the body is torn: {torn}")),
        })?;
    Ok(Request::from_parts(parts, body.into()))
}

/// What every answer carries.
fn stamp(app: &App, answer: &mut Response) {
    let timings = answer.extensions_mut().remove::<SearchTimings>();
    let ledger = app.service.ledger();
    let headers = answer.headers_mut();
    headers.insert(STATE_HEADER, HeaderValue::from_static(ledger.kind().name()));
    if let Ok(note) = HeaderValue::from_str(&STANDARD.encode(ledger.checkpoint())) {
        headers.insert(CHECKPOINT_HEADER, note);
    }
    if let Some(Ok(timings)) = timings.map(|timings| HeaderValue::from_str(&list(&timings))) {
        headers.insert(TIMING_HEADER, timings);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
}

/// Milliseconds of each step, in the form of the header that says so.
fn list(search: &SearchTimings) -> String {
    let steps = [
        ("examine", search.examine_ms),
        ("ask", search.ask_ms),
        ("scan", search.scan_ms),
        ("answer", search.answer_ms),
    ];
    steps.map(|(name, ms)| format!("{name};dur={ms:.2}")).join(", ")
}

fn request_id() -> String {
    hex::encode(random::<8>())
}
