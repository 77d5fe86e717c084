//! The next step of an inquiry: what one person may do in it now, and where.

use crate::inquiry::{Inquiry, InquiryId, Participant, Review, Stage};
use crate::roster::{self, Duty};

/// What somebody may do next in an inquiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Hand over the probe, choose a face.
    Probe,
    /// Approve the search by touch.
    Approve,
    ClaimFirst,
    /// Claim the second, blind review.
    ClaimSecond,
    /// Go on with the own review.
    Review,
    /// Issue the report.
    Issue,
    /// Record the outcome.
    Outcome,
}

/// A person of the roster as inquiries name people.
pub(super) fn participant(person: &roster::Person) -> Participant {
    Participant {
        id: person.id.clone(),
        badge: person.badge.clone(),
        agency: person.agency.clone(),
    }
}

impl NextStep {
    /// What this person may do next, by role and by what they did so far.
    pub fn of(inquiry: &Inquiry, person: &roster::Person) -> Option<Self> {
        let me = participant(person);
        let (operates, examines) = (person.role.may(Duty::Operate), person.role.may(Duty::Examine));
        let own = operates && me.is(inquiry.operator());
        let mine =
            |review: Option<&Review>| examines && review.is_some_and(|of| me.is(&of.examiner));
        let first = examines && !inquiry.asked_by(&me);
        let second = first
            && !me.is(inquiry.operator())
            && inquiry.first().is_some_and(|first| !me.is(&first.examiner));
        match inquiry.stage() {
            Stage::Opened | Stage::ProbeReceived if own => Some(Self::Probe),
            Stage::FaceChosen if own => Some(Self::Approve),
            Stage::Answered if first => Some(Self::ClaimFirst),
            Stage::FirstReview if mine(inquiry.first()) => Some(Self::Review),
            Stage::ReviewedOnce if second => Some(Self::ClaimSecond),
            Stage::SecondReview if mine(inquiry.second()) => Some(Self::Review),
            Stage::Reviewed if inquiry.takes_part(&me) => Some(Self::Issue),
            Stage::Issued if operates => Some(Self::Outcome),
            _ => None,
        }
    }

    /// Where it is done, and what it is called.
    pub(super) fn link(self, id: InquiryId) -> (String, &'static str) {
        let (place, words) = match self {
            Self::Probe => ("/probe", "Go on with the probe"),
            Self::Approve => ("/approve", "Approve the search"),
            Self::ClaimFirst => ("", "Take the first review"),
            Self::ClaimSecond => ("", "Take the second, blind review"),
            Self::Review => ("/array", "Go on with your review"),
            Self::Issue => ("/report", "Issue the report"),
            Self::Outcome => ("/report", "Record the outcome"),
        };
        (format!("/console/inquiries/{id}{place}"), words)
    }
}
