//! What people at a console see: pages as pure functions of what they show, and the few files that
//! the pages ask for.
//!
//! Invariants: a page changes nothing, it only words what it is given; every change is a JSON verb
//! under `/v1`, sent by a module of our own from a form of the page. No page holds a script, a
//! style or a handler of its own, and none asks for anything from elsewhere: `HEADERS` forbid it.
//! What a person may not see isn't hidden but absent: pages take the inquiry's `Sight` and write
//! nothing beyond it. Every page says what its state folder is for, and every page that shows
//! candidates bears the order's NOTE.
//!
//! | who | pages |
//! |---|---|
//! | without a session | `log_on`: log on, first key, banner, lock screen, what is refused |
//! | operators | `my_work` (with outcomes), `new_inquiry`, `probe`, `approval`, `report` |
//! | operators and examiners | `my_work`, `inquiry`, `array`, `compare`, `report` |
//! | administrators | `decisions`, `roster`, `grants`, `new_grant`, `alarms` |
//! | the commander | `grants`, `figures`, `roster`, `copies`, `alarms` |
//! | auditors | `log` (with its leaves), `samples` (with findings), `operators`, `copies`, `roster` |
//! | everybody | `policy` |
//!
//! Beside these: `layout` is what stands around every page, `navigation` its links, `components`
//! and `form` are what pages are built of.

mod alarms;
mod approval;
mod array;
mod assets;
mod candidates;
mod compare;
mod components;
mod copies;
mod decisions;
mod figures;
mod form;
mod grants;
mod inquiry;
mod inquiry_facts;
mod judgement;
mod layout;
mod lock;
mod log;
mod log_on;
mod my_work;
mod navigation;
mod new_grant;
mod new_inquiry;
mod next_step;
mod operators;
mod outcome;
mod policy;
mod probe;
mod probe_edits;
mod probe_picture;
mod quality;
mod report;
mod roster;
mod samples;

#[cfg(test)]
mod tests;

pub use alarms::{AlarmsPage, alarms};
pub use approval::{ApprovalPage, approve};
pub use array::array;
pub use assets::{CONTENT_SECURITY_POLICY, HEADERS, asset, assets};
pub use candidates::{ArrayPage, Biography, ShownCandidate};
pub use compare::{ComparePage, compare};
pub use copies::{CopiesPage, copies};
pub use decisions::{DecisionsPage, decisions};
pub use figures::{Figure, FiguresPage, figures};
pub use grants::{GrantsPage, WaitingGrant, grants};
pub use inquiry::{InquiryPage, inquiry};
pub use layout::DeskContext;
pub use log::{LeafPage, LogPage, leaf, log};
pub use log_on::{
    BannerPage, LockPage, LogOnPage, ProblemPage, banner, enrol, lock, log_on, problem,
};
pub use my_work::{ListedInquiry, OutcomesPage, WorkPage, outcomes, work};
pub use navigation::home;
pub use new_grant::{NewGrantPage, new_grant};
pub use new_inquiry::{AgencyChoice, NewInquiryPage, new_inquiry};
pub use next_step::NextStep;
pub use operators::{OperatorsPage, operators};
pub use policy::{PolicyPage, policy};
pub use probe::{ProbePage, probe};
pub use quality::QualityLine;
pub use report::{ReportPage, report};
pub use roster::{RosterPage, roster};
pub use samples::{FindingRow, FindingsPage, SamplesPage, findings, samples};
