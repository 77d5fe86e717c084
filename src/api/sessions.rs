//! Sessions: log-on, banner, lock and log-off of people at consoles, and the first key of somebody
//! who was appointed at the box.
//!
//! Invariant: a session's secret goes out once, in a cookie that no script reads and no other site
//! sends along.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use axum::routing::on;
use serde::{Deserialize, Serialize};

use super::app::{Answer, Call, SESSION_COOKIE};
use super::form;
use super::problem::ApiError;
use super::route::Method::{Delete, Get, Post};
use super::route::{Access, Route};
use super::touch::{ChallengeView, Touched};
use crate::audit::touch::{Registration, Touch, lower_hex};
use crate::booking::Identifier;
use crate::service::{Service, SessionView};

pub(super) const ROUTES: &[Route] = &[
    Route::new(Post, "/v1/session/challenge", Access::LogOn, |m| on(m, post_session_challenge)),
    Route::new(Post, "/v1/session", Access::LogOn, |m| on(m, post_session)),
    Route::new(Get, "/v1/session", Access::Named, |m| on(m, get_session)),
    Route::new(Delete, "/v1/session", Access::Session, |m| on(m, delete_session)),
    Route::new(Post, "/v1/session/banner", Access::Session, |m| on(m, post_banner)),
    Route::new(Post, "/v1/session/lock", Access::Session, |m| on(m, post_lock)),
    Route::new(Post, "/v1/session/unlock/challenge", Access::SessionPastBanner, |m| {
        on(m, post_unlock_challenge)
    }),
    Route::new(Post, "/v1/session/unlock", Access::SessionPastBanner, |m| on(m, post_unlock)),
    Route::new(Post, "/v1/enrolment/challenge", Access::LogOn, |m| on(m, post_enrolment_challenge)),
    Route::new(Post, "/v1/enrolment", Access::LogOn, |m| on(m, post_enrolment)),
];

/// Who wants to log on.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogOnRequest {
    /// The account's name.
    #[schema(value_type = String)]
    pub person: Identifier,
}

/// A log-on.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LogOn {
    /// The account's name.
    #[schema(value_type = String)]
    pub person: Identifier,
    /// The challenge that was answered.
    #[serde(with = "lower_hex")]
    #[schema(value_type = String)]
    pub nonce: [u8; 32],
    /// The answer.
    pub touch: Touch,
}

/// What must be acknowledged before a session begins.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Banner {
    /// In words.
    pub banner: String,
}

/// Where a session stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "state", rename_all = "snake_case", deny_unknown_fields)]
pub enum SessionState {
    /// There is none.
    None,
    /// The banner is yet to be acknowledged.
    Banner {
        /// By whom.
        #[schema(value_type = String)]
        person: Identifier,
    },
    /// Its screen is hidden.
    Locked {
        /// Until this person comes back.
        #[schema(value_type = String)]
        person: Identifier,
    },
    /// It stands.
    Open {
        /// Whose it is.
        #[schema(value_type = String)]
        person: Identifier,
    },
}

/// Who was appointed at the box, by which code.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolmentRequest {
    /// The account's name.
    #[schema(value_type = String)]
    pub person: Identifier,
    /// The code.
    pub code: String,
}

/// The first key of somebody who was appointed at the box.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// The account's name.
    #[schema(value_type = String)]
    pub person: Identifier,
    /// The code.
    pub code: String,
    /// The challenge by which the key was made.
    #[serde(with = "lower_hex")]
    #[schema(value_type = String)]
    pub nonce: [u8; 32],
    /// The key.
    pub registration: Registration,
}

async fn post_session_challenge(call: Call, request: Request) -> Answer<Json<ChallengeView>> {
    let LogOnRequest { person } = form::read_json(request, "log-on").await?;
    let asked = call.at_log_on(move |service, caller| {
        ChallengeView::of(service, service.challenge_log_on(caller, &person))
    });
    asked.await.map(Json)
}

async fn post_session(call: Call, request: Request) -> Answer<impl IntoResponse> {
    let LogOn { person, nonce, touch } = form::read_json(request, "log-on").await?;
    let begun = call
        .at_log_on(move |service, caller| service.log_on(caller, &person, nonce, touch))
        .await?;
    let cookie = cookie(&hex::encode(begun.secret.as_slice()), None)?;
    let banner = Banner { banner: begun.banner.to_owned() };
    Ok((StatusCode::CREATED, AppendHeaders([(header::SET_COOKIE, cookie)]), Json(banner)))
}

async fn get_session(call: Call) -> Answer<Json<SessionState>> {
    Ok(Json(match call.with_secret(Service::session).await? {
        SessionView::None => SessionState::None,
        SessionView::Banner(person) => SessionState::Banner { person },
        SessionView::Locked(person) => SessionState::Locked { person },
        SessionView::Open(person) => SessionState::Open { person },
    }))
}

async fn delete_session(call: Call) -> Answer<impl IntoResponse> {
    call.in_session(Service::log_off).await?;
    let cookie = cookie("", Some(0))?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, cookie)])))
}

async fn post_banner(call: Call) -> Answer<StatusCode> {
    call.in_session(Service::acknowledge).await.map(|()| StatusCode::NO_CONTENT)
}

async fn post_lock(call: Call) -> Answer<StatusCode> {
    call.in_session(Service::lock).await.map(|()| StatusCode::NO_CONTENT)
}

async fn post_unlock_challenge(call: Call) -> Answer<Json<ChallengeView>> {
    let asked = call.in_session(|service, caller, secret| {
        ChallengeView::of(service, service.challenge_unlock(caller, secret))
    });
    asked.await.map(Json)
}

async fn post_unlock(call: Call, request: Request) -> Answer<StatusCode> {
    let Touched { nonce, touch } = form::read_json(request, "touch").await?;
    call.in_session(move |service, caller, secret| service.unlock(caller, secret, nonce, touch))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn post_enrolment_challenge(call: Call, request: Request) -> Answer<Json<ChallengeView>> {
    let EnrolmentRequest { person, code } = form::read_json(request, "enrolment").await?;
    let asked = call.at_log_on(move |service, caller| {
        ChallengeView::of(service, service.challenge_first_key(caller, &person, &code))
    });
    asked.await.map(Json)
}

async fn post_enrolment(call: Call, request: Request) -> Answer<StatusCode> {
    let Enrolment { person, code, nonce, registration } =
        form::read_json(request, "enrolment").await?;
    call.at_log_on(move |service, caller| {
        service.enrol_first_key(caller, &person, &code, nonce, &registration)
    })
    .await?;
    Ok(StatusCode::CREATED)
}

/// The session's cookie: of this host alone, never over plain HTTP, never to scripts, never from
/// another site's page.
fn cookie(secret: &str, max_age: Option<u32>) -> Answer<HeaderValue> {
    let age = max_age.map_or(String::new(), |seconds| format!("; Max-Age={seconds}"));
    let cookie =
        format!("{SESSION_COOKIE}={secret}; Path=/; Secure; HttpOnly; SameSite=Strict{age}");
    let mut value = HeaderValue::from_str(&cookie).map_err(|_| ApiError::failed())?;
    value.set_sensitive(true);
    Ok(value)
}
