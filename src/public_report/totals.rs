//! Figures that anybody counts from the log alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The coverage of a figure that needs details: how many leaves have one, and how many of these
/// were open to whoever counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DetailCoverage {
    /// Leaves.
    pub leaves: u64,
    /// Of these, with an opened detail.
    pub opened: u64,
}

/// Figures of the period that need nothing but the log. Units: seconds, where a name says so; all
/// else counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Leaves written in the period.
    pub leaves: u64,
    /// Of these, leaves of kinds that this software doesn't know.
    pub unknown: u64,
    /// Leaves of each kind.
    pub kinds: BTreeMap<String, u64>,
    /// The same month by month.
    pub months: Vec<MonthFigures>,
    pub inquiries: InquiryFigures,
    /// Refusals by what was refused, those gathered in one leaf each for itself.
    pub refusals: BTreeMap<String, u64>,
    pub reviews: ReviewFigures,
    pub reports: ReportFigures,
    pub bookings: BookingFigures,
    pub purges: PurgeFigures,
    pub audits: AuditFigures,
    pub alarms: AlarmFigures,
    pub gallery: GalleryFigures,
}

/// One month, or the part of it that lies in the period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MonthFigures {
    /// `YYYY-MM`.
    pub month: String,
    /// Searches refused in it, gathered ones each for itself.
    pub searches_refused: u64,
    /// Leaves of each kind that it has any of.
    pub kinds: BTreeMap<String, u64>,
}

/// Inquiries and searches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InquiryFigures {
    /// Inquiries opened.
    pub opened: u64,
    /// Inquiries closed.
    pub closed: u64,
    /// Of these, withdrawn.
    pub withdrawn: u64,
    /// Inquiries open when the period ended.
    pub open: u64,
    /// Searches asked for.
    pub asked: u64,
    /// Of these, answered before the period ended.
    pub answered: u64,
    /// Of these, interrupted before the period ended.
    pub interrupted: u64,
    /// Of these, neither when the period ended.
    pub waiting: u64,
    /// Searches refused.
    pub refused: u64,
    /// Candidates in the answers of the period.
    pub candidates: u64,
    /// Answers without a candidate.
    pub empty_answers: u64,
    /// Views of a candidate's photo.
    pub photo_views: u64,
}

/// Reviews of answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewFigures {
    /// Answers that a first examiner reviewed.
    pub first: u64,
    /// Answers that a second examiner reviewed, without knowing what the first had found.
    pub second: u64,
    /// Candidates in the first reviews.
    pub candidates_first: u64,
    /// Candidates in the second reviews.
    pub candidates_second: u64,
}

/// Reports. What they held and what came of them, details say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportFigures {
    /// Reports issued.
    pub issued: u64,
    /// Outcomes recorded; what they are, details say.
    pub outcomes: u64,
    /// Reports without an outcome when the period ended, whenever they were issued.
    pub open: u64,
}

/// Bookings that came in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookingFigures {
    /// Bookings.
    pub came_in: u64,
    /// Of these, new versions of a booking that stood.
    pub replaced: u64,
    /// Bookings refused.
    pub refused: u64,
    /// Suppressed because what is kept of them was damaged.
    pub damaged: u64,
    /// Suppressed because a new model makes nothing of their photos.
    pub unusable: u64,
}

/// Purges, from an agency's notice that it no longer keeps a booking on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PurgeFigures {
    /// Notices: each suppresses its booking at once.
    pub notices: u64,
    /// Versions of bookings purged.
    pub purged: u64,
    /// Of these, replaced versions, purged without a notice.
    pub replaced: u64,
    /// Of the others, half were purged within this time of their notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_seconds: Option<u64>,
    /// The longest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_seconds: Option<u64>,
    /// How many took less than 1 day, less than 2 days, and so on to 10 days, and how many 10 days
    /// or longer.
    pub by_days: Vec<u64>,
    /// How many took longer than ten days.
    pub over_limit: u64,
    /// Notices that no purge had followed when the period ended, whenever they were given.
    pub open: u64,
    /// Of these, older than ten days.
    pub open_over_limit: u64,
    /// How old the oldest of these was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oldest_open_seconds: Option<u64>,
}

/// Audits and what else auditors did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditFigures {
    /// Samples drawn.
    pub samples: u64,
    /// Searches from which these were drawn.
    pub population: u64,
    /// Searches drawn.
    pub drawn: u64,
    /// Reviews of them; what they found is in details only.
    pub reviewed: u64,
    /// Searches drawn and not reviewed when the period ended, whenever they were drawn.
    pub waiting: u64,
    /// How often an audit was overdue.
    pub overdue: u64,
    /// Leaves whose details were opened for an auditor.
    pub details_opened: u64,
    /// Probes opened for an auditor.
    pub probes_opened: u64,
    /// Exports of the log.
    pub exports: u64,
}

/// Alarms.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmFigures {
    /// By what they are about.
    pub kinds: BTreeMap<String, AlarmCount>,
    /// Those that stood in the period, the earliest first, at most `REPORT_ALARMS_MAX`.
    pub spans: Vec<AlarmSpan>,
    /// How many more stood in it.
    pub more: u64,
}

/// Alarms of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmCount {
    /// Raised in the period.
    pub raised: u64,
    /// Cleared in the period.
    pub cleared: u64,
    /// Standing when it ended.
    pub standing: u64,
}

/// An alarm from when it was raised to when it was cleared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmSpan {
    /// What it is about.
    pub alarm: String,
    /// When it was raised, RFC 3339.
    pub raised: String,
    /// When it was cleared, RFC 3339; none where it stood when the period ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared: Option<String>,
}

/// The gallery.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GalleryFigures {
    /// Booking numbers that had come in and weren't released when the period ended.
    pub standing: u64,
    /// Rows that a search could find when the box last started before the period ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_at_last_start: Option<u64>,
    /// Starts of the box.
    pub starts: u64,
    /// Times that another model took over.
    pub model_switches: u64,
}
