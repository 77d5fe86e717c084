//! Routes: method, path, who may call, and the leaf that a refusal of a wrong caller writes.
//!
//! The router is built from these and from nothing else, so a route that stands in no table doesn't
//! exist. `service` decides who may; a table says what it decides, and a story tries every route
//! with every kind of caller and fails where the two disagree.

use axum::Router;
use axum::routing::{MethodFilter, MethodRouter};

use super::app::App;
use crate::audit::LeafKind;
use crate::roster::Role;

/// A route of the interface.
pub struct Route {
    pub method: Method,
    /// As axum and OpenAPI write it, with names in braces.
    pub path: &'static str,
    pub access: Access,
    /// The leaf where a person of another role calls; gathered after the first of an hour.
    pub wrong_role: LeafKind,
    /// The leaf where the door refuses a caller: from another site's page, or with a request that
    /// isn't of the form that the route takes.
    pub door: LeafKind,
    handler: fn(MethodFilter) -> MethodRouter<App>,
}

/// A method of HTTP; whoever may `Get` may ask for the head alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    Get,
    Put,
    Post,
    Delete,
}

/// Who may call a route. A caller whose certificate names nobody of this system may call none.
///
/// What changes something is taken from no other site's page, and where a session is asked for from
/// the console's own pages only; a request from elsewhere leaves the route's `door` leaf. From a
/// caller that isn't listed it is refused before its body is read, and leaves `caller_refused`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever's certificate names a feed, device or witness, in the roster or not.
    Named,
    /// Callers with one of these certificates, whoever sits there. Others leave `caller_refused`.
    Certificates(&'static [Certificate]),
    /// Devices of the roster, from the console's own pages: the way to a session. Others leave
    /// `caller_refused`.
    LogOn,
    /// A session at this device, open or not. Without one: 401, no leaf.
    Session,
    /// A session at this device whose banner was acknowledged, open or locked. Without one: 401, no
    /// leaf.
    SessionPastBanner,
    /// People with one of these roles in an open session. Without one: 401, no leaf; another role
    /// leaves the route's own leaf, a certificate that is no device's `caller_refused`.
    People(&'static [Role]),
    /// As `People` from a browser; from a command, callers with one of these certificates by
    /// themselves, and others leave `caller_refused`.
    PeopleOrDevices(&'static [Role], &'static [Certificate]),
}

/// A certificate as the roster knows it today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// The feed of a contributing agency.
    Feed,
    /// The feed of a contributing agency that also runs a witness.
    WitnessFeed,
    /// The feed of an agency that requests searches and contributes no bookings.
    RequesterFeed,
    /// A witness that no agency runs.
    Witness,
    /// A device without a flag.
    Console,
    /// A device flagged `audit`.
    AuditConsole,
    /// A device flagged `administration`.
    AdministrationConsole,
    /// A name that isn't in the roster, or the feed of an agency that isn't active.
    Unknown,
}

/// Whoever stands in the roster.
pub(super) const LISTED: &[Certificate] = &[
    Certificate::Feed,
    Certificate::WitnessFeed,
    Certificate::RequesterFeed,
    Certificate::Witness,
    Certificate::Console,
    Certificate::AuditConsole,
    Certificate::AdministrationConsole,
];
/// Feeds that push and release bookings.
pub(super) const FEEDS: &[Certificate] = &[Certificate::Feed, Certificate::WitnessFeed];
/// Feeds of all active agencies.
pub(super) const AGENCIES: &[Certificate] =
    &[Certificate::Feed, Certificate::WitnessFeed, Certificate::RequesterFeed];
/// Callers that cosign the log.
pub(super) const WITNESSES: &[Certificate] = &[Certificate::Witness, Certificate::WitnessFeed];
/// Callers that read the log's public half.
pub(super) const READERS: &[Certificate] = &[
    Certificate::Feed,
    Certificate::WitnessFeed,
    Certificate::Witness,
    Certificate::Console,
    Certificate::AuditConsole,
    Certificate::AdministrationConsole,
];
/// Devices but those of auditors.
pub(super) const CONSOLES: &[Certificate] =
    &[Certificate::Console, Certificate::AdministrationConsole];
pub(super) const ADMINISTRATION: &[Certificate] = &[Certificate::AdministrationConsole];
pub(super) const AUDIT: &[Certificate] = &[Certificate::AuditConsole];

/// Roles that open inquiries and search.
pub(super) const OPERATORS: &[Role] = &[Role::Operator, Role::OperatorExaminer];
/// Roles that compare candidates.
pub(super) const EXAMINERS: &[Role] = &[Role::Examiner, Role::OperatorExaminer];
/// Roles that look at inquiries in work.
pub(super) const INQUIRERS: &[Role] = &[Role::Operator, Role::Examiner, Role::OperatorExaminer];
pub(super) const ADMINISTRATORS: &[Role] = &[Role::Administrator];
pub(super) const COMMANDERS: &[Role] = &[Role::Commander];
/// Roles that decide on accounts together.
pub(super) const OFFICIALS: &[Role] = &[Role::Administrator, Role::Commander];
pub(super) const AUDITORS: &[Role] = &[Role::Auditor];
/// Roles that see which copies of reports were ordered.
pub(super) const COPY_READERS: &[Role] = &[Role::Commander, Role::Auditor];
/// Roles that see who has an account.
pub(super) const ACCOUNT_READERS: &[Role] = &[Role::Administrator, Role::Commander, Role::Auditor];

impl Route {
    /// A route to a handler.
    pub(super) const fn new(
        method: Method,
        path: &'static str,
        access: Access,
        handler: fn(MethodFilter) -> MethodRouter<App>,
    ) -> Self {
        let refusal = LeafKind::CallerRefused;
        Self { method, path, access, wrong_role: refusal, door: refusal, handler }
    }

    /// The same, where a person of another role leaves another leaf.
    pub(super) const fn wrong_role_leaves(self, wrong_role: LeafKind) -> Self {
        Self { wrong_role, ..self }
    }

    /// The same, where the door's refusal leaves another leaf.
    pub(super) const fn door_leaves(self, door: LeafKind) -> Self {
        Self { door, ..self }
    }
}

impl Method {
    /// Its name in HTTP.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }

    fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Put => MethodFilter::PUT,
            Self::Post => MethodFilter::POST,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

/// The router of these routes.
pub(super) fn router(routes: &[Route]) -> Router<App> {
    routes.iter().fold(Router::new(), |router, route| {
        router.route(route.path, (route.handler)(route.method.filter()))
    })
}
