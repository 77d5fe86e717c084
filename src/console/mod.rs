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
//! | before a session | `door`: log on, first key, banner, lock screen, what is refused |
//! | operators and examiners | `work`, `request`, `inquiry`, `probe`, `approve`, `array`, `compare`, `report`, `outcomes` |
//! | administrators | `decisions`, `roster`, `grants`, `alarms` |
//! | the commander | `grants`, `figures`, `roster`, `alarms` |
//! | auditors | `log`, `samples`, `findings`, `operators`, `roster` |
//! | everybody | `policy` |

mod approval;
mod assets;
mod log;
mod compare;
mod log_on;
mod inquiry_facts;
mod grants;
mod inquiry;
mod components;
mod policy;
mod probe;
mod report;
mod new_inquiry;
mod roster;
mod layout;
mod decisions;
mod my_work;

#[cfg(test)]
mod tests;

pub use approval::{ApproveView, approve};
pub use assets::{CONTENT_SECURITY_POLICY, HEADERS, asset, assets};
pub use log::{
    FindingRow, FindingsView, LeafPage, LogView, OperatorsView, SamplesView, findings, leaf, log,
    operators, samples,
};
pub use compare::{ArrayView, Biography, CompareView, Shown, array, candidate_order, compare};
pub use log_on::{
    BannerView, LockView, LogOnView, ProblemView, banner, enrol, lock, log_on, problem,
};
pub use inquiry_facts::QualityLine;
pub use grants::{GrantView, GrantsView, NewGrantView, grants, new_grant};
pub use inquiry::{InquiryView, Part, inquiry};
pub use policy::{PolicyText, PolicyView, policy};
pub use probe::{ProbeView, probe};
pub use report::{ReportView, report};
pub use new_inquiry::{AgencyChoice, RequestView, request};
pub use roster::{RosterView, roster};
pub use layout::{Desk, Here, home};
pub use decisions::{AlarmsView, DecisionsView, Figure, FiguresView, alarms, decisions, figures};
pub use my_work::{Head, OutcomesView, Step, WorkView, outcomes, work};
