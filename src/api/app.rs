//! Calls: a request's caller with what the browser sent along, and the ways in which a verb of
//! `service` is run for it.
//!
//! Invariants: a session is the device's certificate and the cookie's secret together; whatever
//! changes something in a session comes from a page of our own origin. Each way here is one kind of
//! `Access` of the table of routes.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::problem::ApiError;
use crate::audit::LeafKind;
use crate::ledger::{Fate, Fated};
use crate::limits::{REQUESTS_IN_FLIGHT_MAX, SESSION_SECRET_BYTES};
use crate::roster::Caller;
use crate::rule::Rule;
use crate::service::{Acting, AtDesk, OnHalt, Service, ServiceError};

/// The cookie that holds a session's secret.
pub const SESSION_COOKIE: &str = "__Host-smrt";

/// What browsers send along by themselves, one of these with every request.
const BROWSERS_SEND: [&str; 5] =
    ["origin", "cookie", "referer", "sec-fetch-site", "sec-fetch-mode"];

/// What a handler answers.
pub(super) type Answer<T> = Result<T, ApiError>;

/// Whether a connection's certificate still stands; asked for with every request.
pub(super) type Stands = Arc<dyn Fn() -> bool + Send + Sync>;

/// Who is at the other end of a connection.
#[derive(Clone)]
pub(super) struct Peer {
    /// What its certificate names.
    pub(super) caller: Option<Caller>,
    pub(super) stands: Stands,
    /// Told that the connection is to end.
    pub(super) over: Arc<Notify>,
}

/// What all requests share.
#[derive(Clone)]
pub(super) struct App {
    pub(super) service: Arc<Service>,
    pub(super) permits: Arc<Semaphore>,
    on_halt: OnHalt,
}

/// An admitted request: its id in answer and journal, its permit among those at work, its caller.
/// The permit is free again when the last copy is gone.
#[derive(Clone)]
pub(super) struct Ticket {
    pub(super) id: String,
    pub(super) permit: Arc<OwnedSemaphorePermit>,
    pub(super) caller: Caller,
}

/// A request on its way to a verb.
pub(super) struct Call {
    pub(super) app: App,
    ticket: Ticket,
    /// The session's secret.
    secret: Option<Zeroizing<Vec<u8>>>,
    origin: Option<String>,
    changes: bool,
    /// Whether a browser asks: it says so of itself, and no page can keep it from that.
    browser: bool,
}

impl App {
    pub(super) fn new(service: Arc<Service>, on_halt: OnHalt) -> Self {
        Self { service, permits: Arc::new(Semaphore::new(REQUESTS_IN_FLIGHT_MAX)), on_halt }
    }

    /// Runs a verb on a thread that may block; the request keeps its permit until that thread is
    /// done.
    async fn run<T: Send + 'static>(
        &self,
        ticket: Ticket,
        verb: impl FnOnce(&Service, &Caller) -> Result<T, ServiceError> + Send + 'static,
    ) -> Answer<T> {
        let (service, on_halt, request) =
            (self.service.clone(), self.on_halt.clone(), ticket.id.clone());
        let work = move || {
            let Ticket { id, permit: _permit, caller } = ticket;
            let done = verb(&service, &caller);
            if let Err(e) = &done {
                match e.fate() {
                    Fate::Refuse | Fate::Wait => {}
                    Fate::Fail => ::log::error!("request {id} failed: {}", e.chain()),
                    // Said here and not to the handler: a caller that went away takes its handler
                    // along.
                    Fate::Halt => on_halt(&format!("request {id}: {}", e.chain())),
                }
            }
            done
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Err(e)) if e.fate() == Fate::Halt => {
                // The process is ending; this connection drops with it.
                std::future::pending().await
            }
            Ok(done) => done.map_err(|e| ApiError::of(&e)),
            Err(panicked) => {
                ::log::error!("request {request} panicked: {panicked}");
                Err(ApiError::failed())
            }
        }
    }

    /// Refuses a caller that isn't listed, and logs it.
    pub(super) async fn comes_in(&self, ticket: &Ticket) -> Answer<()> {
        self.run(ticket.clone(), |service, caller| service.comes_in(caller)).await
    }

    /// Logs that the door refused a caller, before it is told.
    pub(super) async fn log_refusal(
        &self,
        ticket: Ticket,
        secret: Option<Zeroizing<Vec<u8>>>,
        kind: LeafKind,
        rule: Rule,
        reason: String,
    ) -> Answer<()> {
        self.run(ticket, move |service, caller| {
            let secret = secret.as_ref().map(|secret| secret.as_slice());
            service.refused_at_door(caller, secret, kind, rule, reason)
        })
        .await
    }
}

/// The secret of a session, where a browser sent one along.
pub(super) fn secret(headers: &HeaderMap) -> Option<Zeroizing<Vec<u8>>> {
    let cookies =
        headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let secret = cookies.flat_map(|cookies| cookies.split(';')).find_map(|cookie| {
        let (name, value) = cookie.trim().split_once('=')?;
        (name == SESSION_COOKIE)
            .then(|| hex::decode(value).ok())
            .flatten()
            .filter(|secret| secret.len() == SESSION_SECRET_BYTES)
    });
    secret.map(Zeroizing::new)
}

impl FromRequestParts<App> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let ticket = parts.extensions.get::<Ticket>().cloned().ok_or_else(ApiError::failed)?;
        let secret = secret(&parts.headers);
        let origin = parts
            .headers
            .get(header::ORIGIN)
            .and_then(|origin| origin.to_str().ok())
            .map(str::to_owned);
        let changes = !matches!(parts.method, Method::GET | Method::HEAD);
        let browser =
            secret.is_some() || BROWSERS_SEND.iter().any(|name| parts.headers.contains_key(*name));
        Ok(Self { app: app.clone(), ticket, secret, origin, changes, browser })
    }
}

impl Call {
    /// Runs a verb of whoever's certificate is good for it: `Access::Certificates`.
    pub(super) async fn by_certificate<T: Send + 'static>(
        self,
        verb: impl FnOnce(&Service, &Caller) -> Result<T, ServiceError> + Send + 'static,
    ) -> Answer<T> {
        self.app.run(self.ticket, verb).await
    }

    /// Runs a verb that leads to a session, from a page of ours: `Access::LogOn`.
    pub(super) async fn at_log_on<T: Send + 'static>(
        self,
        verb: impl FnOnce(&Service, &Caller) -> Result<T, ServiceError> + Send + 'static,
    ) -> Answer<T> {
        self.own_page()?;
        self.by_certificate(verb).await
    }

    /// Runs a verb that says what it finds of a session, or of none: `Access::Named`.
    pub(super) async fn with_secret<T: Send + 'static>(
        self,
        verb: impl FnOnce(&Service, &Caller, Option<&[u8]>) -> T + Send + 'static,
    ) -> Answer<T> {
        let secret = self.secret;
        self.app
            .run(self.ticket, move |service, caller| {
                Ok(verb(service, caller, secret.as_ref().map(|secret| secret.as_slice())))
            })
            .await
    }

    /// Runs a verb of a session that need not be open: `Access::Session`.
    pub(super) async fn in_session<T: Send + 'static>(
        self,
        verb: impl FnOnce(&Service, &Caller, &[u8]) -> Result<T, ServiceError> + Send + 'static,
    ) -> Answer<T> {
        self.own_page()?;
        let secret = self.secret;
        self.app
            .run(self.ticket, move |service, caller| {
                verb(service, caller, &secret.ok_or(ServiceError::NoSession)?)
            })
            .await
    }

    /// Runs a verb for the person at a desk: `Access::People`.
    pub(super) async fn at_desk<T: Send + 'static>(
        self,
        verb: impl FnOnce(&Service, &AtDesk) -> Result<T, ServiceError> + Send + 'static,
    ) -> Answer<T> {
        self.own_page()?;
        let secret = self.secret;
        self.app
            .run(self.ticket, move |service, caller| {
                let secret = secret.as_ref().map(|secret| secret.as_slice());
                verb(service, &service.at_desk(caller, secret)?)
            })
            .await
    }

    /// Runs a verb for whoever acts, from a browser the person at the desk and nobody else, from a
    /// command the device: `Access::PeopleOrDevices`.
    pub(super) async fn acting<T: Send + 'static>(
        self,
        verb: impl FnOnce(&Service, &Acting) -> Result<T, ServiceError> + Send + 'static,
    ) -> Answer<T> {
        if self.browser {
            self.at_desk(move |service, desk| verb(service, &Acting::Person(desk.clone()))).await
        } else {
            self.by_certificate(move |service, caller| {
                verb(service, &Acting::Device(caller.clone()))
            })
            .await
        }
    }

    /// Whatever changes something must come from a page of ours: browsers say where a request comes
    /// from, and no page can say otherwise.
    fn own_page(&self) -> Answer<()> {
        let own = self.app.service.console_origin();
        if !self.changes || (own.is_some() && self.origin.as_deref() == own) {
            return Ok(());
        }
        Err(ApiError::other_origin(self.origin.as_deref().unwrap_or("nowhere that it names"), own))
    }
}
