//! What a caller is told when a verb doesn't do what it was asked: RFC 9457
//! `application/problem+json`.
//!
//! A refusal tells its reason. A failure of ours tells the request's id only; the cause goes to the
//! journal under that id.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::wire::{FaceView, Problem};
use crate::embed::EmbedError;
use crate::face::Face;
use crate::inquiry::ActionError;
use crate::ledger::{Fate, Fated, LedgerError};
use crate::limits::RETRY_AFTER_SECONDS;
use crate::roster::{PersonError, RosterError};
use crate::service::ServiceError;
use crate::vault::VaultError;

/// A problem on its way to the caller.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    kind: &'static str,
    detail: String,
    field: Option<String>,
    faces: Vec<FaceView>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, detail: detail.into(), field: None, faces: Vec::new() }
    }

    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    pub(super) fn detail(&self) -> &str {
        &self.detail
    }

    /// The same, where what was judged is a part of what was sent.
    pub(super) fn within(self, part: &str) -> Self {
        Self { field: self.field.map(|field| format!("{part}.{field}")), ..self }
    }

    /// A request that isn't of the form that the door takes.
    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", detail)
    }

    pub(super) fn too_large(what: &str, max: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            format!("{what} has more than {max} bytes"),
        )
    }

    pub(super) fn busy() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", "too many requests are at work")
    }

    pub(super) fn failed() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "failed",
            "the box failed; its journal has the cause under this request's id",
        )
    }

    /// Words an error of a verb.
    pub(super) fn of(error: &ServiceError) -> Self {
        match error.fate() {
            Fate::Refuse => Self::refused(error),
            Fate::Wait => {
                let kind = match error {
                    ServiceError::Shut { .. } => "shut",
                    ServiceError::Ledger(LedgerError::ClockBehind { .. }) => "clock",
                    _ => "busy",
                };
                Self::new(StatusCode::SERVICE_UNAVAILABLE, kind, error.to_string())
            }
            Fate::Fail | Fate::Halt => match error {
                ServiceError::Ledger(LedgerError::DiskFull | LedgerError::DiskLow { .. }) => {
                    Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk-full", error.to_string())
                }
                _ => Self::failed(),
            },
        }
    }

    fn refused(error: &ServiceError) -> Self {
        let (status, kind) = match error {
            ServiceError::Roster(RosterError::UnknownAgency { .. }) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "unknown-agency")
            }
            ServiceError::Roster(_) => (StatusCode::FORBIDDEN, "not-allowed"),
            ServiceError::Person(PersonError::Locked | PersonError::Off { .. }) => {
                (StatusCode::FORBIDDEN, "account")
            }
            ServiceError::Person(PersonError::Untrained { .. }) => {
                (StatusCode::FORBIDDEN, "untrained")
            }
            ServiceError::Person(PersonError::NameTaken { .. } | PersonError::TooLong) => {
                (StatusCode::CONFLICT, "account")
            }
            ServiceError::Person(_) => (StatusCode::FORBIDDEN, "not-allowed"),
            ServiceError::Touch(_) => (StatusCode::FORBIDDEN, "touch"),
            ServiceError::NoChallenge
            | ServiceError::ChallengeOver
            | ServiceError::ChallengeChanged => (StatusCode::FORBIDDEN, "challenge"),
            ServiceError::NoSession => (StatusCode::UNAUTHORIZED, "no-session"),
            ServiceError::BannerFirst => (StatusCode::UNAUTHORIZED, "banner"),
            ServiceError::ScreenHidden => (StatusCode::UNAUTHORIZED, "locked"),
            ServiceError::NoPerson | ServiceError::NoSuchCode => (StatusCode::FORBIDDEN, "log-on"),
            ServiceError::NoKey | ServiceError::KeyTaken | ServiceError::SoftwareKey => {
                (StatusCode::CONFLICT, "key")
            }
            ServiceError::SecondAccount { .. } | ServiceError::NotAppointed { .. } => {
                (StatusCode::CONFLICT, "account")
            }
            ServiceError::Ledger(LedgerError::Inquiry(_)) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "inquiry")
            }
            ServiceError::Ledger(LedgerError::Step(step)) => Self::step(step),
            ServiceError::NotShown { .. } => (StatusCode::FORBIDDEN, "not-shown"),
            ServiceError::AtWork => (StatusCode::CONFLICT, "at-work"),
            ServiceError::TooFast { .. } | ServiceError::Ceiling { .. } => {
                (StatusCode::CONFLICT, "ceiling")
            }
            ServiceError::Ledger(LedgerError::Vault(VaultError::UploadSize { .. })) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "upload")
            }
            ServiceError::Ledger(LedgerError::Vault(_)) => (StatusCode::CONFLICT, "upload"),
            ServiceError::Photo(EmbedError::SeveralFaces { .. }) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "several-faces")
            }
            ServiceError::Photo(_) => (StatusCode::UNPROCESSABLE_ENTITY, "photo"),
            ServiceError::Ledger(LedgerError::NotFound { .. }) => {
                (StatusCode::NOT_FOUND, "not-found")
            }
            ServiceError::Ledger(LedgerError::Released { .. }) => {
                (StatusCode::CONFLICT, "released")
            }
            ServiceError::Ledger(LedgerError::Unreadable) => (StatusCode::CONFLICT, "unreadable"),
            ServiceError::Ledger(LedgerError::NotSwitchable { .. }) => {
                (StatusCode::CONFLICT, "not-switchable")
            }
            ServiceError::InDoubt { .. } => (StatusCode::CONFLICT, "log-in-doubt"),
            ServiceError::NotPending { .. } => (StatusCode::CONFLICT, "not-pending"),
            ServiceError::Posted(_) | ServiceError::NoCosignature { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "cosignature")
            }
            ServiceError::Range { .. } | ServiceError::Sample { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "range")
            }
            ServiceError::ClockDisagrees { .. } => (StatusCode::CONFLICT, "clock"),
            ServiceError::Ledger(LedgerError::NoSwitch) => (StatusCode::NOT_FOUND, "no-switch"),
            _ => (StatusCode::CONFLICT, "refused"),
        };
        let faces = match error {
            ServiceError::Photo(EmbedError::SeveralFaces { faces }) => {
                faces.iter().map(FaceView::from).collect()
            }
            _ => Vec::new(),
        };
        let field = match error {
            ServiceError::Ledger(LedgerError::Inquiry(hollow)) => hollow.field(),
            ServiceError::Ledger(LedgerError::Step(step)) => step.field(),
            _ => None,
        };
        Self { status, kind, detail: error.to_string(), field: field.map(str::to_owned), faces }
    }

    /// Why an inquiry doesn't take a step.
    fn step(error: &ActionError) -> (StatusCode, &'static str) {
        match error {
            ActionError::Changed { .. } => (StatusCode::CONFLICT, "changed"),
            ActionError::ProbeSize { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            ActionError::PoorProbe { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "poor-probe"),
            ActionError::CandidatesSkipped { .. } => (StatusCode::CONFLICT, "skipped"),
            ActionError::Request(_) => (StatusCode::UNPROCESSABLE_ENTITY, "inquiry"),
            ActionError::MayNotOperate { .. }
            | ActionError::MayNotExamine { .. }
            | ActionError::OperatorIsRequester
            | ActionError::NotTheOperator { .. }
            | ActionError::NotTheExaminer { .. }
            | ActionError::SecondIsOperator
            | ActionError::SecondIsRequester
            | ActionError::SecondIsFirst
            | ActionError::NoPartInIt { .. } => (StatusCode::FORBIDDEN, "not-allowed"),
            step if step.field().is_some() => (StatusCode::UNPROCESSABLE_ENTITY, "inquiry"),
            _ => (StatusCode::CONFLICT, "step"),
        }
    }

    /// The answer, under the request's id.
    pub(super) fn into_answer(self, request: &str) -> Response {
        let problem = Problem {
            kind: self.kind.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            request: request.to_owned(),
            field: self.field,
            faces: self.faces,
        };
        let mut answer = (self.status, axum::Json(problem)).into_response();
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        answer
    }
}

impl From<&Face> for FaceView {
    fn from(face: &Face) -> Self {
        Self { score: face.score, frame: face.frame }
    }
}
