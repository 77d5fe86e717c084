//! An inquiry's verbs: open it, hand over the probe, search, review, report.

mod copies;
mod open;
mod probe;
mod report;
mod review;
mod search;

pub use copies::OrderedCopy;
pub use review::{Head, InquirySight, SeenCandidate};
pub use search::SearchTimings;
