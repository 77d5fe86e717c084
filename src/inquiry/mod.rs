//! An inquiry as the special order runs it: what it must state, who may take which step, and who
//! may see what meanwhile.
//!
//! Invariant: an `Inquiry` is changed by `act` and `happen` alone, and what either refuses changes
//! nothing. So no record can hold a search that its operator didn't ask for in person, a review
//! with a candidate skipped, or a report that fewer than two people stand for. All of it is pure:
//! the time comes in, and so does the day; nothing is read, drawn or written here.
//!
//! ```text
//!  open ─> Opened ─> ProbeReceived ─> FaceChosen ─> Asked ─> Answered   the operator alone,
//!            │ probe    ↻ probe face    ↻ face  ask │ answered  │        up to the answer
//!            │                          ^           │           │ claim first
//!            │                          └───────────┘           v
//!            │                           interrupted       FirstReview   the operator who may
//!            │                                                  │        examine, or another;
//!            │                                                  │ finish  candidate by candidate
//!            │                                                  v
//!            │                                            ReviewedOnce
//!            │                                                  │ claim second
//!            │                                                  v
//!            │                                            SecondReview   neither operator nor
//!            │                                                  │ finish  first examiner; blind
//!            │                                                  v
//!            │ withdraw (operator) before the answer or     Reviewed
//!            │ from Reviewed; refused (house) before Issued     │ issue
//!            v                                                  v
//!    Withdrawn, Refused                      evidence ↻      Issued ─> Closed ↻ evidence
//!                                                                outcome
//! ```
//!
//! Who asks, or answers for another purpose, neither searches nor compares. An empty answer takes
//! the same way: that nobody looks alike is a finding too, and two people stand for it. A candidate
//! that its agency releases counts as dispositioned by everybody who hasn't yet, and is shown to
//! nobody again.

mod action;
mod exact;
mod features;
mod hollow;
mod invalid;
mod machine;
mod order;
mod pattern;
mod purpose;
mod record;
mod refusal;
mod request;
mod requester;
mod sight;
#[cfg(test)]
mod tests;

pub use action::{
    Action, Choice, CopyOrder, Disposition, Event, Finding, Frame, Handover, Measure, Observation,
    Outcome, Participant, Probe, Quality, Seen, Shortfall, Upshot, Who,
};
pub use features::{Component, Feature};
pub use invalid::InquiryError;
pub use order::{NOTE, SPECIAL_ORDER, SPECIAL_ORDER_VERSION};
pub use pattern::NumberPattern;
pub use purpose::{Purpose, PurposeField, PurposeKind};
pub use record::{
    Disposed, End, Evidence, FurtherCopy, GivenCopy, Inquiry, Ranked, Recorded, Report, Review,
    Search, SearchAnswer, Stage,
};
pub use refusal::ActionError;
pub use request::{Attestations, Reference, Request};
pub use requester::Requester;
pub use sight::{CandidateSight, Sight};

pub use crate::ids::{Digest, InquiryId, SearchId};
