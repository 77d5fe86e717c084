//! HTTPS client: what agencies' feeds, consoles, auditors and witnesses ask of the server over
//! mutual TLS, and what they verify offline.
//!
//! - `connection`: [`Client`], the mutual TLS connection, and how answers are read
//! - `feed`: an agency's verbs: book, look up, release, findings
//! - `push`: bulk upload of an agency's CSV file and photos
//! - `log`: the log's verbs, and its export
//! - `model`, `administration`: switching the model; clock, roster, health, public report
//! - `witness`: fetches the log, verifies that it continues, cosigns it
//! - `log_folder`: a copy of the log in a folder
//! - `verify_log`, `verify_report`, `recount`: offline verification of a log, of an issued report
//!   and of a public report
//! - `console_session`, `staff`, `software_key`, `demo_proxy`: consoles without browsers and
//!   hardware, for tests and the demonstration

pub mod administration;
pub mod connection;
pub mod console_session;
pub mod demo_proxy;
pub mod error;
pub mod feed;
#[cfg(test)]
mod key_maker_tests;
pub mod log;
pub mod log_folder;
pub mod model;
mod multipart;
pub mod push;
pub mod recount;
pub mod software_key;
pub mod staff;
pub mod verify_log;
pub mod verify_report;
pub mod witness;

pub use connection::{Client, Credentials};
pub use error::ClientError;
