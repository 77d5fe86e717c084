//! The door of consoles: who sits at the desk, and the verbs of sessions and people.
//!
//! Invariants: a session is the device's certificate and the cookie's secret together; whatever
//! changes something comes from a page of our own origin; the secret goes out once, in a cookie
//! that no script reads and no other site sends along.

use axum::Json;
use axum::Router;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use zeroize::Zeroizing;

use super::problem::Refusal;
use super::wire::desk::{
    AccountView, Banner, Because, ChallengeView, Enrolment, EnrolmentRequest, GrantAsked,
    GrantRequest, GrantTouched, GrantView, LogOn, LogOnRequest, SESSION_COOKIE, SessionState,
    Touched,
};
use super::{Door, From, InPath, Ticket, answer, form};
use crate::booking::{Identifier, Text, VersionId};
use crate::limits::SESSION_SECRET_BYTES;
use crate::roster::Caller;
use crate::service::{Acting, Asked, AtDesk, Service, ServiceError, SessionView};

/// What browsers send along by themselves, one of these with every request.
const BROWSERS_SEND: [&str; 5] =
    ["origin", "cookie", "referer", "sec-fetch-site", "sec-fetch-mode"];

/// A caller with what the browser sent along.
pub(super) struct FromDesk {
    pub(super) ticket: Ticket,
    caller: Caller,
    secret: Option<Zeroizing<Vec<u8>>>,
    origin: Option<String>,
    changes: bool,
    /// Whether a browser asks: it says so of itself, and no page can keep it from that.
    browser: bool,
}

impl FromDesk {
    /// The ticket, the caller and the session's secret.
    pub(super) fn parts(self) -> (Ticket, Caller, Option<Zeroizing<Vec<u8>>>) {
        (self.ticket, self.caller, self.secret)
    }
}

/// The routes of sessions and people.
pub(super) fn routes() -> Router<Door> {
    Router::new()
        .route("/v1/session/challenge", post(post_session_challenge))
        .route("/v1/session", post(post_session).get(get_session).delete(delete_session))
        .route("/v1/session/banner", post(post_banner))
        .route("/v1/session/lock", post(post_lock))
        .route("/v1/session/unlock/challenge", post(post_unlock_challenge))
        .route("/v1/session/unlock", post(post_unlock))
        .route("/v1/enrolment/challenge", post(post_enrolment_challenge))
        .route("/v1/enrolment", post(post_enrolment))
        .route("/v1/people", get(get_people))
        .route("/v1/people/{person}/key/challenge", post(post_key_challenge))
        .route("/v1/people/{person}/off", post(post_off))
        .route("/v1/people/{person}/confirm", post(post_confirm))
        .route("/v1/people/{person}/release/challenge", post(post_release_challenge))
        .route("/v1/people/{person}/release", post(post_release))
        .route("/v1/grants", get(get_grants).post(post_grant))
        .route("/v1/grants/challenge", post(post_grant_challenge))
        .route("/v1/grants/{grant}", delete(delete_grant))
        .route("/v1/grants/{grant}/approval/challenge", post(post_approval_challenge))
        .route("/v1/grants/{grant}/approval", post(post_approval))
}

impl<S: Send + Sync> FromRequestParts<S> for FromDesk {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let From { ticket, caller } = From::from_request_parts(parts, state).await?;
        let cookies = parts
            .headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|cookies| cookies.to_str().ok());
        let secret = cookies.flat_map(|cookies| cookies.split(';')).find_map(|cookie| {
            let (name, value) = cookie.trim().split_once('=')?;
            (name == SESSION_COOKIE)
                .then(|| hex::decode(value).ok())
                .flatten()
                .filter(|secret| secret.len() == SESSION_SECRET_BYTES)
        });
        let origin = parts
            .headers
            .get(header::ORIGIN)
            .and_then(|origin| origin.to_str().ok())
            .map(str::to_owned);
        let changes = !matches!(parts.method, Method::GET | Method::HEAD);
        let browser =
            secret.is_some() || BROWSERS_SEND.iter().any(|name| parts.headers.contains_key(*name));
        Ok(Self { ticket, caller, secret: secret.map(Zeroizing::new), origin, changes, browser })
    }
}

impl Door {
    /// Runs a verb for the person at a desk.
    pub(super) async fn at_desk<T: Send + 'static>(
        &self,
        from: FromDesk,
        verb: impl FnOnce(&Service, &AtDesk) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.own_page(&from)?;
        let FromDesk { ticket, caller, secret, .. } = from;
        self.call(ticket, move |service| {
            let desk = service.at_desk(&caller, secret.as_ref().map(|secret| secret.as_slice()))?;
            verb(service, &desk)
        })
        .await
    }

    /// Runs a verb for whoever acts: from a browser the person at the desk and nobody else, from a
    /// command the device.
    pub(super) async fn acting<T: Send + 'static>(
        &self,
        from: FromDesk,
        verb: impl FnOnce(&Service, &Acting) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, Refusal> {
        if from.browser {
            return self
                .at_desk(from, move |service, desk| verb(service, &Acting::Person(desk.clone())))
                .await;
        }
        let FromDesk { ticket, caller, .. } = from;
        self.call(ticket, move |service| verb(service, &Acting::Device(caller))).await
    }

    /// Runs a verb of a session that need not be open.
    async fn of_session<T: Send + 'static>(
        &self,
        from: FromDesk,
        verb: impl FnOnce(&Service, &Caller, &[u8]) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.own_page(&from)?;
        let FromDesk { ticket, caller, secret, .. } = from;
        self.call(ticket, move |service| {
            verb(service, &caller, &secret.ok_or(ServiceError::NoSession)?)
        })
        .await
    }

    /// Whatever changes something must come from a page of ours: browsers say where a request comes
    /// from, and no page can say otherwise.
    fn own_page(&self, from: &FromDesk) -> Result<(), Refusal> {
        let own = self.service.console_origin();
        match from.changes && (own.is_none() || from.origin.as_deref() != own) {
            true => {
                let found = from.origin.as_deref().unwrap_or("nowhere that it names");
                let detail = format!(
                    "the request comes from {found}, wanted a page of {}",
                    own.unwrap_or("a console, and none is configured")
                );
                Err(Refusal::new(StatusCode::FORBIDDEN, "other-origin", detail))
            }
            false => Ok(()),
        }
    }

    /// What a key is to answer, for the page that asks it.
    pub(super) fn challenge(&self, asked: Asked) -> Response {
        let rp_id = self.service.console_name().unwrap_or_default().to_owned();
        let Asked { nonce, challenge, key, expires } = asked;
        Json(ChallengeView {
            nonce,
            challenge,
            rp_id,
            key: key.map(|key| key.to_string()),
            expires,
        })
        .into_response()
    }
}

async fn post_session_challenge(
    State(door): State<Door>,
    from: FromDesk,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        door.own_page(&from)?;
        let LogOnRequest { person } = form::read_json(request, "log-on").await?;
        Ok(door.challenge(
            door.call(from.ticket, move |service| service.challenge_log_on(&from.caller, &person))
                .await?,
        ))
    };
    answer(&ticket, post.await)
}

async fn post_session(State(door): State<Door>, from: FromDesk, request: Request) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        door.own_page(&from)?;
        let LogOn { person, nonce, touch } = form::read_json(request, "log-on").await?;
        let begun = door
            .call(from.ticket, move |service| service.log_on(&from.caller, &person, nonce, touch))
            .await?;
        let mut answer =
            (StatusCode::CREATED, Json(Banner { banner: begun.banner.to_owned() })).into_response();
        answer
            .headers_mut()
            .insert(header::SET_COOKIE, cookie(&hex::encode(begun.secret.as_slice()), None)?);
        Ok(answer)
    };
    answer(&ticket, post.await)
}

async fn get_session(State(door): State<Door>, from: FromDesk) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let FromDesk { ticket, caller, secret, .. } = from;
        let view = door
            .call(ticket, move |service| {
                Ok(service.session(&caller, secret.as_ref().map(|secret| secret.as_slice())))
            })
            .await?;
        let state = match view {
            SessionView::None => SessionState::None,
            SessionView::Banner(person) => SessionState::Banner { person },
            SessionView::Locked(person) => SessionState::Locked { person },
            SessionView::Open(person) => SessionState::Open { person },
        };
        Ok(Json(state).into_response())
    };
    answer(&ticket, get.await)
}

async fn delete_session(State(door): State<Door>, from: FromDesk) -> Response {
    let ticket = from.ticket.clone();
    let delete = async {
        door.of_session(from, |service, caller, secret| service.log_off(caller, secret)).await?;
        let mut answer = StatusCode::NO_CONTENT.into_response();
        answer.headers_mut().insert(header::SET_COOKIE, cookie("", Some(0))?);
        Ok(answer)
    };
    answer(&ticket, delete.await)
}

async fn post_banner(State(door): State<Door>, from: FromDesk) -> Response {
    let ticket = from.ticket.clone();
    let post = door.of_session(from, |service, caller, secret| service.acknowledge(caller, secret));
    answer(&ticket, post.await.map(|()| StatusCode::NO_CONTENT.into_response()))
}

async fn post_lock(State(door): State<Door>, from: FromDesk) -> Response {
    let ticket = from.ticket.clone();
    let post = door.of_session(from, |service, caller, secret| service.lock(caller, secret));
    answer(&ticket, post.await.map(|()| StatusCode::NO_CONTENT.into_response()))
}

async fn post_unlock_challenge(State(door): State<Door>, from: FromDesk) -> Response {
    let ticket = from.ticket.clone();
    let post =
        door.of_session(from, |service, caller, secret| service.challenge_unlock(caller, secret));
    answer(&ticket, post.await.map(|asked| door.challenge(asked)))
}

async fn post_unlock(State(door): State<Door>, from: FromDesk, request: Request) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let Touched { nonce, touch } = form::read_json(request, "touch").await?;
        door.of_session(from, move |service, caller, secret| {
            service.unlock(caller, secret, nonce, touch)
        })
        .await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    answer(&ticket, post.await)
}

async fn post_enrolment_challenge(
    State(door): State<Door>,
    from: FromDesk,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        door.own_page(&from)?;
        let EnrolmentRequest { person, code } = form::read_json(request, "enrolment").await?;
        let asked = door
            .call(from.ticket, move |service| {
                service.challenge_first_key(&from.caller, &person, &code)
            })
            .await?;
        Ok(door.challenge(asked))
    };
    answer(&ticket, post.await)
}

async fn post_enrolment(State(door): State<Door>, from: FromDesk, request: Request) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        door.own_page(&from)?;
        let Enrolment { person, code, nonce, registration } =
            form::read_json(request, "enrolment").await?;
        door.call(from.ticket, move |service| {
            service.enrol_first_key(&from.caller, &person, &code, nonce, &registration)
        })
        .await?;
        Ok(StatusCode::CREATED.into_response())
    };
    answer(&ticket, post.await)
}

async fn get_people(State(door): State<Door>, from: FromDesk) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let people = door.at_desk(from, Service::people).await?.into_iter();
        let people: Vec<AccountView> = people
            .map(|s| AccountView { account: s.account, key: s.key, review_due: s.review_due })
            .collect();
        Ok(Json(people).into_response())
    };
    answer(&ticket, get.await)
}

async fn post_key_challenge(State(door): State<Door>, from: FromDesk, person: InPath) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let person = identifier(person)?;
        Ok(door.challenge(
            door.at_desk(from, move |service, desk| service.challenge_key(desk, &person)).await?,
        ))
    };
    answer(&ticket, post.await)
}

async fn post_off(State(door): State<Door>, from: FromDesk, person: InPath) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let person = identifier(person)?;
        door.at_desk(from, move |service, desk| service.turn_off(desk, &person)).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    answer(&ticket, post.await)
}

async fn post_confirm(State(door): State<Door>, from: FromDesk, person: InPath) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let person = identifier(person)?;
        door.at_desk(from, move |service, desk| service.confirm_account(desk, &person)).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    answer(&ticket, post.await)
}

async fn post_release_challenge(
    State(door): State<Door>,
    from: FromDesk,
    person: InPath,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let person = identifier(person)?;
        Ok(door.challenge(
            door.at_desk(from, move |service, desk| service.challenge_release(desk, &person))
                .await?,
        ))
    };
    answer(&ticket, post.await)
}

async fn post_release(
    State(door): State<Door>,
    from: FromDesk,
    person: InPath,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let person = identifier(person)?;
        let Touched { nonce, touch } = form::read_json(request, "touch").await?;
        door.at_desk(from, move |service, desk| service.release_lock(desk, &person, nonce, touch))
            .await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    answer(&ticket, post.await)
}

async fn get_grants(State(door): State<Door>, from: FromDesk) -> Response {
    let ticket = from.ticket.clone();
    let get = async {
        let grants =
            door.at_desk(from, Service::grants).await?.into_iter().map(|(id, grant)| GrantView {
                id: hex::encode(id),
                person: grant.person,
                key: grant.key,
                asked_by: grant.asked_by.id,
                asked_cs: grant.asked_cs,
            });
        Ok(Json(grants.collect::<Vec<_>>()).into_response())
    };
    answer(&ticket, get.await)
}

async fn post_grant_challenge(
    State(door): State<Door>,
    from: FromDesk,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let GrantRequest { order, key_nonce } = form::read_json(request, "order").await?;
        let key_nonce = key_nonce.as_deref().map(nonce).transpose()?;
        Ok(door.challenge(
            door.at_desk(from, move |service, desk| {
                service.challenge_grant(desk, &order, key_nonce)
            })
            .await?,
        ))
    };
    answer(&ticket, post.await)
}

async fn post_grant(State(door): State<Door>, from: FromDesk, request: Request) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let GrantTouched { order, key_nonce, nonce: asked, touch } =
            form::read_json(request, "order").await?;
        let key_nonce = key_nonce.as_deref().map(nonce).transpose()?;
        let id = door
            .at_desk(from, move |service, desk| {
                service.ask_grant(desk, order, key_nonce, asked, touch)
            })
            .await?;
        Ok((StatusCode::CREATED, Json(GrantAsked { id: hex::encode(id) })).into_response())
    };
    answer(&ticket, post.await)
}

async fn delete_grant(
    State(door): State<Door>,
    from: FromDesk,
    grant: InPath,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let delete = async {
        let grant = id_in(grant)?;
        let Because { reason } = form::read_json(request, "reason").await?;
        let reason =
            Text::parse(&reason).map_err(|e| Refusal::malformed(format!("the reason: {e}")))?;
        door.at_desk(from, move |service, desk| {
            service.decline_grant(desk, grant, reason.as_str())
        })
        .await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    answer(&ticket, delete.await)
}

async fn post_approval_challenge(
    State(door): State<Door>,
    from: FromDesk,
    grant: InPath,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let grant = id_in(grant)?;
        Ok(door.challenge(
            door.at_desk(from, move |service, desk| service.challenge_approval(desk, grant))
                .await?,
        ))
    };
    answer(&ticket, post.await)
}

async fn post_approval(
    State(door): State<Door>,
    from: FromDesk,
    grant: InPath,
    request: Request,
) -> Response {
    let ticket = from.ticket.clone();
    let post = async {
        let grant = id_in(grant)?;
        let Touched { nonce, touch } = form::read_json(request, "touch").await?;
        door.at_desk(from, move |service, desk| service.approve_grant(desk, grant, nonce, touch))
            .await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    answer(&ticket, post.await)
}

/// The session's cookie: of this host alone, never over plain HTTP, never to scripts, never from
/// another site's page.
fn cookie(secret: &str, max_age: Option<u32>) -> Result<HeaderValue, Refusal> {
    let age = max_age.map_or(String::new(), |seconds| format!("; Max-Age={seconds}"));
    let cookie =
        format!("{SESSION_COOKIE}={secret}; Path=/; Secure; HttpOnly; SameSite=Strict{age}");
    let mut value = HeaderValue::from_str(&cookie).map_err(|_| Refusal::failed())?;
    value.set_sensitive(true);
    Ok(value)
}

fn identifier(found: InPath) -> Result<Identifier, Refusal> {
    let Path(found) = found.map_err(|_| Refusal::malformed("the path is not UTF-8"))?;
    Identifier::parse(&found).map_err(|e| Refusal::malformed(e.to_string()))
}

/// An id of 32 hexadecimal digits.
pub(super) fn id_in(found: InPath) -> Result<[u8; 16], Refusal> {
    let Path(found) = found.map_err(|_| Refusal::malformed("the path is not UTF-8"))?;
    VersionId::parse(&found)
        .map(|id| id.0)
        .map_err(|_| Refusal::malformed("an id in the path is not 32 hexadecimal digits"))
}

fn nonce(digits: &str) -> Result<[u8; 32], Refusal> {
    let mut nonce = [0; 32];
    hex::decode_to_slice(digits, &mut nonce)
        .map_err(|_| Refusal::malformed("a nonce is not 64 hexadecimal digits"))?;
    Ok(nonce)
}
