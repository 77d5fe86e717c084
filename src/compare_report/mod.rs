//! The Facial Recognition Image Compare Report (SO-C4, C5): one finished inquiry as a tagged PDF/A
//! that needs nothing but itself to be read.
//!
//! Invariants: the same inquiry and supplement give the same bytes; no I/O, no clock, no chance.
//! Photos keep their proportions and are never sharpened. A score is a plain number. The special
//! order's NOTE stands on every page.
//!
//! **Why the layout is own code.** krilla writes tagged PDF/A-2a and PDF/UA-1, but draws glyphs and
//! shapes at given places: lines, tables and pages are left to whoever calls it. typst lays out and
//! writes by the same krilla; it brings 300 crates, half of them new here, twelve minutes of
//! compiling, and a language with files and packages into the process that holds every key.
//! forme-pdf lays out tables and pages too, with 20 crates that are new here (RSA among them); its
//! PDF/A is valid from 0.16 on only, and it changes every few weeks. What this report needs is 800
//! lines in `fonts`, `layout` and `compose`: wrapped text, blocks that aren't torn, columns, and
//! tables whose heads come again.
//! A library takes over when a year of its releases passes the tests of this module: the same bytes
//! each time, every mark tagged, nothing outside its page, no unseen character, and our fonts only.

mod back;
mod candidates;
mod compose;
mod error;
mod fonts;
mod front;
mod header_footer;
mod layout;
mod pdf;
mod photo;
mod qr;
mod render;
mod report;
#[cfg(test)]
pub(crate) mod sample;
mod supplement;
#[cfg(test)]
mod tests;
mod words;

pub use error::CompareReportError;
pub use report::CompareReport;
pub use supplement::{BookedPhoto, Jpeg, Names, ProbePhotos, ProvenLeaf, SearchFacts, Supplement};
