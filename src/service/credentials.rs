//! The certificates by which callers come in, as the watch looks at them: whether the authority's
//! revocation list counts, and what ends when.
//!
//! Once the list in force has ended, nobody knows who was revoked meanwhile: nobody searches and
//! nothing is booked. What makes the gallery smaller is still taken.

use crate::calendar::Time;

/// What lets callers in.
pub trait Credentials: Send + Sync {
    /// Why the revocation list that was put in place doesn't count, if it doesn't.
    fn unfit_list(&self) -> Option<String>;
    /// When the revocation list in force ended, if it has.
    fn list_ended(&self) -> Option<Time>;
    /// What of list and certificates ends within the days for which an alarm stands, and when.
    fn ending(&self) -> Vec<(&'static str, Time)>;
}

/// Callers come in by certificates of which none ends.
#[cfg(test)]
pub(super) struct Sound;

#[cfg(test)]
impl Credentials for Sound {
    fn unfit_list(&self) -> Option<String> {
        None
    }

    fn list_ended(&self) -> Option<Time> {
        None
    }

    fn ending(&self) -> Vec<(&'static str, Time)> {
        Vec::new()
    }
}
