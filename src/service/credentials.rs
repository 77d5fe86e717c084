//! The certificates by which callers come in: what the watch looks at of them, and a newer
//! revocation list that a caller brings.
//!
//! Once the list in force has ended, nobody knows who was revoked meanwhile: nobody searches and
//! nothing is booked. What makes the gallery smaller is still taken, and so is a newer list, from
//! whomever the last good one lets in.

use crate::calendar::Time;
use crate::roster::CertificateName;

/// What lets callers in.
pub trait Credentials: Send + Sync {
    /// Why the revocation list that was put in place doesn't count, if it doesn't.
    fn unfit_list(&self) -> Option<String>;
    /// When the revocation list in force ended, if it has.
    fn list_ended(&self) -> Option<Time>;
    /// What of list and certificates of the box ends within the days for which an alarm stands, and
    /// when.
    fn ending(&self) -> Vec<(&'static str, Time)>;
    /// Which callers' certificates do, of those that came in since the start.
    fn callers_ending(&self) -> Vec<(CertificateName, Time)>;
    /// Reads a revocation list, DER or PEM.
    ///
    /// Errors: why it doesn't count: the authority did not sign it, or it is not newer than the one
    /// in force.
    fn read_list(&self, list: &[u8]) -> Result<BroughtList, String>;
    /// Has a list count from here on, through restarts too.
    ///
    /// Errors: why it can't be kept.
    fn put_in_force(&self, list: &BroughtList) -> Result<(), String>;
}

/// A revocation list that a caller brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroughtList {
    /// The list.
    pub der: Vec<u8>,
    /// Whether it is another one than that in force.
    pub is_new: bool,
    /// The number that the authority gave it.
    pub number: Option<String>,
    /// When it was made.
    pub made: Time,
    /// When it ends.
    pub ends: Time,
    /// How many certificates it revokes.
    pub revoked: u64,
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

    fn callers_ending(&self) -> Vec<(CertificateName, Time)> {
        Vec::new()
    }

    fn read_list(&self, _: &[u8]) -> Result<BroughtList, String> {
        Err("there is no authority".to_owned())
    }

    fn put_in_force(&self, _: &BroughtList) -> Result<(), String> {
        Err("there is no authority".to_owned())
    }
}
