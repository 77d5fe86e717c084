//! The bodies and headers that cross the wire, the same types for both ends; each is defined beside
//! the handler that takes or gives it.

pub use super::app::SESSION_COOKIE;
pub use super::audit::{
    ClockWord, ExportView, FindingView, LogReviewed, OpenedDetail, ReviewLeaf, SampleOrder,
    SampleReview, SampleView,
};
pub use super::bookings::{
    BOOKING_PART, Booked, BookingState, BookingView, ReleaseRequest, Released,
};
pub use super::copies::{CopyRequest, CopyTouched, CopyView};
pub use super::credentials::RevocationListView;
pub use super::form::PHOTO_PART;
pub use super::frame::{CHECKPOINT_HEADER, STATE_HEADER, TIMING_HEADER};
pub use super::health::{AlarmView, DoorsView, Health};
pub use super::inquiry::wire::*;
pub use super::log::CosignedView;
pub use super::model::{ModelState, ModelSwitchRequest, ModelView};
pub use super::people::{AccountView, Because, GrantAsked, GrantRequest, GrantTouched, GrantView};
pub use super::problem::{FaceView, Problem};
pub use super::public_report::LEAF_HEADER;
pub use super::roster::{AgencyStanding, RosterView, WitnessView};
pub use super::sessions::{Banner, Enrolment, EnrolmentRequest, LogOn, LogOnRequest, SessionState};
pub use super::touch::{ChallengeView, Touched};
