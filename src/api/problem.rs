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
use crate::ledger::LedgerError;
use crate::limits::RETRY_AFTER_SECONDS;
use crate::rule::Rule;
use crate::service::ServiceError;

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
    /// The detector's score, 0 to 1.
    pub score: f32,
    /// Left edge, upper edge, width, height in pixels of the photo as shown.
    pub frame: [f32; 4],
}

/// A problem on its way to the caller; the frame writes it, under the request's id.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    rule: Rule,
    detail: String,
    field: Option<String>,
    faces: Vec<FaceView>,
    /// Whether the door refused before any verb was asked, which logs its own refusals.
    by_door: bool,
}

/// A problem that an answer has in words already, as a page.
#[derive(Clone, Debug)]
pub(super) struct Worded(pub(super) ApiError);

impl ApiError {
    pub(super) fn new(rule: Rule, detail: impl Into<String>) -> Self {
        Self { rule, detail: detail.into(), field: None, faces: Vec::new(), by_door: true }
    }

    pub(super) fn rule(&self) -> Rule {
        self.rule
    }

    pub(super) fn status(&self) -> StatusCode {
        status(self.rule)
    }

    /// Whether the door refused the caller, so that nobody has logged it yet.
    pub(super) fn is_unlogged_refusal(&self) -> bool {
        self.by_door && self.status().is_client_error()
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
        Self::new(Rule::Malformed, detail)
    }

    pub(super) fn too_large(what: &str, max: usize) -> Self {
        Self::new(Rule::TooLarge, format!("{what} has more than {max} bytes"))
    }

    /// A request that changes something and comes from a page that isn't the box's own.
    pub(super) fn other_origin(found: &str, own: Option<&str>) -> Self {
        let wanted = own.unwrap_or("a console, and none is configured");
        let detail = format!("the request comes from {found}, wanted a page of {wanted}");
        Self::new(Rule::OtherOrigin, detail)
    }

    pub(super) fn busy() -> Self {
        Self::new(Rule::Busy, "too many requests are at work")
    }

    pub(super) fn failed() -> Self {
        Self::new(Rule::Failed, "the box failed; its journal has the cause under this request's id")
    }

    /// Words an error of a verb: its kind is its rule's code. A failure of ours tells nothing more.
    pub(super) fn of(error: &ServiceError) -> Self {
        let rule = error.rule();
        if rule == Rule::Failed {
            return Self { by_door: false, ..Self::failed() };
        }
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
        let field = field.map(str::to_owned);
        Self { rule, detail: error.to_string(), field, faces, by_door: false }
    }

    /// The answer, under the request's id.
    pub(super) fn into_answer(self, request: &str) -> Response {
        let status = self.status();
        let details = Problem {
            kind: self.rule.code().to_owned(),
            status: status.as_u16(),
            detail: self.detail,
            request: request.to_owned(),
            field: self.field,
            faces: self.faces,
        };
        let mut answer = (status, axum::Json(details)).into_response();
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        answer
    }
}

impl IntoResponse for ApiError {
    /// Carries the problem to the frame, which knows the request's id.
    fn into_response(self) -> Response {
        let mut answer = self.status().into_response();
        answer.extensions_mut().insert(self);
        answer
    }
}

impl From<&Face> for FaceView {
    fn from(face: &Face) -> Self {
        Self { score: face.score, frame: face.frame }
    }
}

/// The status of answers by this rule.
fn status(rule: Rule) -> StatusCode {
    use Rule::*;
    match rule {
        Malformed => StatusCode::BAD_REQUEST,
        Method => StatusCode::METHOD_NOT_ALLOWED,
        Timeout => StatusCode::REQUEST_TIMEOUT,
        ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        NoSession | BannerFirst | ScreenHidden => StatusCode::UNAUTHORIZED,
        NotInRoster | CertificateOver | OtherOrigin | AgencyNotActive | NotThisRole | NotTheirs
        | Untrained | OwnAccount | OperatorIsRequester | NotShown | NotIndependent
        | UnknownPerson | WrongCode | NotProven | LockedOut | AccountOff | WrongChallenge
        | WrongKey | WrongSignature | NotPresent | NotVerified | CounterBack | KeyCanBeCopied
        | KeyNotVouchedFor | WrongPage | MalformedTouch => StatusCode::FORBIDDEN,
        NotFound | NoSwitch => StatusCode::NOT_FOUND,
        TooManyChallenges => StatusCode::TOO_MANY_REQUESTS,
        ReportWithheld => StatusCode::GONE,
        ChangedMeanwhile | OutOfTurn | FaceMoved | CandidateSkipped | WrongCandidate
        | EvidenceUnmarked | OneAtATime | TooFast | TooMany | TableFull | UploadTorn
        | NumberReleased | BookingDamaged | NotSuppressed | AccountTerms | NameTaken
        | SecondAccount | NotAppointed | NoKey | KeyTaken | KeyOfSoftware | KeyNotListed
        | NoConsoleName | ModelNotSwitched | LogInDoubt | NotPending | ClockDisagrees => {
            StatusCode::CONFLICT
        }
        TooLarge | ProbeSize => StatusCode::PAYLOAD_TOO_LARGE,
        Json | AgencyNotListed | ReasonLength | ReasonHollow | ReferenceHollow
        | ReferencePattern | RequesterHollow | PurposeHollow | SupervisorHollow
        | CourtOrderHollow | SourceHollow | NotAttested | CandidatesNumber | FieldHollow
        | PoorProbe | EditsOutOfBounds | FindingUnfounded | OutcomeHollow | NoFace
        | SeveralFaces | NoSuchFace | FaceTooSmall | FaceUnclear | PhotoTooSmall
        | PhotoTooLarge | PhotoDamaged | PhotoUnusable | PhotoKind | CosignatureInvalid
        | RevocationListUnfit | RangeOutside => StatusCode::UNPROCESSABLE_ENTITY,
        Busy | DoorsShut | ClockBehind | RevocationListOver => StatusCode::SERVICE_UNAVAILABLE,
        DiskFull => StatusCode::INSUFFICIENT_STORAGE,
        Failed => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
