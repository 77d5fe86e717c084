//! The public report (SO-F1 to F3): figures counted from the log alone, and figures that need its
//! opened details, as JSON and as one page. Whoever has a copy of the log counts the first again,
//! an auditor with the opened details all of them.
//!
//! Invariants: the report names no person, no device and no booking; a count below
//! `PUBLIC_COUNT_MIN` that the log itself doesn't publish is not shown, nor is anything from which
//! sums would give it away; the same log, details and period give the same bytes.

mod builder;
mod cell;
mod counting;
mod error;
mod opened;
mod page;
mod parts;
mod period;
mod plot;
mod report;
mod rules;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod secrecy_tests;
mod sections;
mod suppression;
mod tables;
mod times;
mod totals;
mod witnesses;

pub use builder::ReportBuilder;
pub use cell::{Breakdown, Cell, Suppressed, Table};
pub use error::PublicReportError;
pub use opened::{InquiryTables, OpenedBreakdowns, OpenedFigures, RunningSystem};
pub use page::{Imprint, page};
pub use period::Period;
pub use report::{FORM, LogHead, PublicReport};
pub use totals::{
    AlarmCount, AlarmFigures, AlarmSpan, AuditFigures, BookingFigures, DetailCoverage,
    GalleryFigures, InquiryFigures, MonthFigures, PurgeFigures, ReportFigures, ReviewFigures,
    Totals,
};
pub use witnesses::{Attendance, CosignedCheckpoints, WitnessFigures};
