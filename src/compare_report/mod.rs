//! The Facial Recognition Image Compare Report (SO-C4, C5): one finished inquiry as a tagged PDF/A
//! that needs nothing but itself to be read.
//!
//! Invariants: the same inquiry and supplement give the same bytes; no I/O, no clock, no chance.
//! Photos keep their proportions and are never sharpened. A score is a plain number. The special
//! order's NOTE stands on every page.
//!
//! **Why the layout is our own code.** krilla writes PDF/A-2a and PDF/UA-1 with tags, but knows no
//! line, table or page: something must break lines, fill pages and keep a row whole. typst does all
//! of that and writes the same files by the same krilla, but brings about 300 crates, twelve
//! minutes of compiling and a language with files, packages and imports of its own into a process
//! that has the keys of every booking; genpdf, printpdf and the other small ones write no tags, and
//! without tags the file is neither PDF/A-2a nor accessible. What this report needs is little:
//! columns of blocks that aren't torn, tables whose heads come again, words wrapped by `rustybuzz`
//! (600 lines in `fonts`, `layout` and `compose`). A library takes over when it lays out text and
//! tables over pages, tags what it lays out, gives the same bytes each time, says where a thing
//! came to stand (the tests measure that nothing leaves its page), and adds a few dozen crates, not
//! hundreds.

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
