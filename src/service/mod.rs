//! The verbs, by who acts. Each takes a `&Caller` or a person at a desk.
//!
//! Invariants: nothing leaves the box before its leaf is durable; a search's request is logged
//! before it runs; a refusal of a caller, a booking or a search is logged with its reason. Every
//! error has one `Fate`.
//!
//! | who | file |
//! |---|---|
//! | an agency's feed | `agency` |
//! | operators and examiners | `inquiry/{open, probe, search, review, report}` |
//! | everybody at a console; administrators and the commander | `people/{sessions, accounts}` |
//! | auditors | `audit`, `operators` |
//! | witnesses | `witness` |
//! | administrators of the model | `model`, `switch_worker` |
//! | the public | `public` |
//! | the box itself | `appliance`, `guard`, `watch`, `figures` |

mod agency;
mod appliance;
mod audit;
mod background;
mod ceilings;
mod credentials;
mod error;
mod figures;
mod guard;
mod inquiry;
mod model;
mod operators;
mod people;
mod probe_memory;
mod public;
#[cfg(test)]
mod refusal_tests;
mod revocation_list;
#[cfg(test)]
mod session_tests;
mod switch_worker;
mod watch;
#[cfg(test)]
mod watch_tests;
mod witness;

pub use appliance::Service;
pub use audit::{LeafAt, LogReview, Routed};
pub use background::OnHalt;
pub use credentials::{BroughtList, Credentials};
pub use error::ServiceError;
pub use figures::Figures;
pub use guard::{Doors, Raised};
pub use inquiry::{Head, InquirySight, OrderedCopy, SearchTimings, SeenCandidate};
pub use people::{
    AccountStanding, Acting, Asked, AtDesk, BANNER, Begun, GrantOrder, SessionView, appoint,
    release_at_box,
};
pub use public::Published;
pub use witness::Cosigned;
