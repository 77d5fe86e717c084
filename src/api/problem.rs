//! Problems: what a caller is told when a verb doesn't do what it was asked, RFC 9457
//! `application/problem+json`.
//!
//! A refusal tells its reason. A failure of ours tells the request's id only; the cause goes to the
//! journal under that id.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::embed::EmbedError;
use crate::face::Face;
use crate::inquiry::ActionError;
use crate::limits::RETRY_AFTER_SECONDS;
use crate::roster::{PersonError, RosterError};
use crate::service::{Fate, ServiceError};
use crate::vault::VaultError;

/// An error as RFC 9457 words it, `application/problem+json`.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Problem {
    /// A short name of the kind of error, stable.
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status.
    pub status: u16,
    /// What was found and what was wanted.
    pub detail: String,
    /// The request's id, under which the journal knows it.
    pub request: String,
    /// The field of the JSON sent beside which the refusal belongs, its names joined by dots; all
    /// of what lies below it, if anything does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The faces found, where a probe has several and none was chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faces: Vec<FaceView>,
}

/// A face found in a probe.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FaceView {
    /// The detector's confidence, 0 to 1.
    pub score: f32,
    /// Left edge, upper edge, width, height in pixels of the photo as shown.
    pub frame: [f32; 4],
}

/// A problem on its way to the caller; the frame writes it, under the request's id.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    kind: &'static str,
    detail: String,
    field: Option<String>,
    faces: Vec<FaceView>,
}

impl ApiError {
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

    /// A request that isn't of the form that the route takes.
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
                    ServiceError::ClockBehind { .. } => "clock",
                    _ => "busy",
                };
                Self::new(StatusCode::SERVICE_UNAVAILABLE, kind, error.to_string())
            }
            Fate::Fail | Fate::Halt => match error {
                ServiceError::DiskFull | ServiceError::DiskLow { .. } => {
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
            ServiceError::Inquiry(_) => (StatusCode::UNPROCESSABLE_ENTITY, "inquiry"),
            ServiceError::Step(step) => Self::step(step),
            ServiceError::NotShown { .. } => (StatusCode::FORBIDDEN, "not-shown"),
            ServiceError::AtWork => (StatusCode::CONFLICT, "at-work"),
            ServiceError::TooFast { .. } | ServiceError::Ceiling { .. } => {
                (StatusCode::CONFLICT, "ceiling")
            }
            ServiceError::Vault(VaultError::UploadSize { .. }) => {
                (StatusCode::PAYLOAD_TOO_LARGE, "upload")
            }
            ServiceError::Vault(_) => (StatusCode::CONFLICT, "upload"),
            ServiceError::Photo(EmbedError::SeveralFaces { .. }) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "several-faces")
            }
            ServiceError::Photo(_) => (StatusCode::UNPROCESSABLE_ENTITY, "photo"),
            ServiceError::NotFound { .. } => (StatusCode::NOT_FOUND, "not-found"),
            ServiceError::Released { .. } => (StatusCode::CONFLICT, "released"),
            ServiceError::Unreadable => (StatusCode::CONFLICT, "unreadable"),
            ServiceError::NotSwitchable { .. } => (StatusCode::CONFLICT, "not-switchable"),
            ServiceError::InDoubt { .. } => (StatusCode::CONFLICT, "log-in-doubt"),
            ServiceError::NotPending { .. } => (StatusCode::CONFLICT, "not-pending"),
            ServiceError::Posted(_) | ServiceError::NoCosignature { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "cosignature")
            }
            ServiceError::Range { .. } | ServiceError::Sample { .. } => {
                (StatusCode::UNPROCESSABLE_ENTITY, "range")
            }
            ServiceError::ClockDisagrees { .. } => (StatusCode::CONFLICT, "clock"),
            ServiceError::NoSwitch => (StatusCode::NOT_FOUND, "no-switch"),
            _ => (StatusCode::CONFLICT, "refused"),
        };
        let faces = match error {
            ServiceError::Photo(EmbedError::SeveralFaces { faces }) => {
                faces.iter().map(FaceView::from).collect()
            }
            _ => Vec::new(),
        };
        let field = match error {
            ServiceError::Inquiry(hollow) => hollow.field(),
            ServiceError::Step(step) => step.field(),
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
        let details = Problem {
            kind: self.kind.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            request: request.to_owned(),
            field: self.field,
            faces: self.faces,
        };
        let mut answer = (self.status, axum::Json(details)).into_response();
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        answer
    }
}

impl IntoResponse for ApiError {
    /// Carries the problem to the frame, which knows the request's id.
    fn into_response(self) -> Response {
        let mut answer = self.status.into_response();
        answer.extensions_mut().insert(self);
        answer
    }
}

impl From<&Face> for FaceView {
    fn from(face: &Face) -> Self {
        Self { score: face.score, frame: face.frame }
    }
}
