//! Retention terms: for how many days the server keeps what it may delete.

use crate::limits::{DETAILS_KEPT_DAYS_MIN, INQUIRIES_KEPT_DAYS_MIN};

/// Days for which records are kept; by default the fewest that the policy allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionDays {
    /// A detail of the log, from its leaf on.
    pub details: u64,
    /// An inquiry with its probe and report, from its last search on, or from its opening if there
    /// was none.
    pub inquiries: u64,
}

impl Default for RetentionDays {
    fn default() -> Self {
        Self { details: DETAILS_KEPT_DAYS_MIN, inquiries: INQUIRIES_KEPT_DAYS_MIN }
    }
}
