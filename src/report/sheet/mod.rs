//! The Facial Recognition Image Compare Report (SO-C4, C5): one inquiry on paper, as a tagged PDF/A that needs nothing but itself to be read.
//!
//! Invariants: the same report gives the same bytes; no I/O, no clock, no chance. Photos keep their proportions and are never sharpened. A
//! score is a plain number. The order's NOTE stands on every page.

mod input;

pub use input::{
    Booking, Candidate, CompareReport, Disposition, Edit, Event, Evidence, Feature, Measure, Person, Picture, Policy, Probe, Proven,
    Receipt, Request, Review, Search, StateMark,
};
