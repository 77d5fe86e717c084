//! Visibility: who may see what of an inquiry now. Blind review is here: an examiner judges faces,
//! not scores, names or the other examiner.

use super::action::Participant;
use super::record::{Inquiry, Ranked, Review, Stage};
use crate::booking::VersionId;

/// What one person may see of one inquiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Whether they may open the probe: operator and examiners, while the inquiry goes on.
    pub probe: bool,
    /// Whether they may see the dispositions of others, and where the two disagree: those who take
    /// part, once both are finished.
    pub others: bool,
    /// The candidates, best first.
    pub candidates: Vec<CandidateSight>,
}

/// What one person may see of one candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandidateSight {
    /// The candidate.
    pub version: VersionId,
    /// Whether they may see the photo.
    pub photo: bool,
    /// Whether they may see score and biography.
    pub score_and_biography: bool,
}

impl Inquiry {
    /// What this person may see now.
    ///
    /// | who | the photos | score and biography |
    /// |---|---|---|
    /// | first examiner | from the claim on | of a candidate, once it has their own disposition |
    /// | second examiner | from the claim on | once their whole review is finished |
    /// | operator | once both are finished | once both are finished |
    /// | anybody else | never | never |
    ///
    /// Of a released candidate nobody sees anything, and of an inquiry that was withdrawn or
    /// refused nobody sees any candidate: fewer than two stand for it, or nobody issued it.
    pub fn sight(&self, person: &Participant) -> Sight {
        let takes_part = self.takes_part(person);
        let dropped = matches!(self.stage(), Stage::Withdrawn | Stage::Refused);
        let both = takes_part && self.both_finished() && !dropped;
        let own = |review: &&Review| review.examiner.id == person.id && !dropped;
        let (first, second) = (self.first().filter(own), self.second().filter(own));
        let candidate = |candidate: &Ranked| {
            let shown = candidate.released_cs.is_none();
            let disposed = first.is_some_and(|review| review.finding(candidate.version).is_some());
            CandidateSight {
                version: candidate.version,
                photo: shown && (both || first.is_some() || second.is_some()),
                score_and_biography: shown && (both || disposed),
            }
        };
        Sight {
            probe: takes_part && !self.stage().is_over(),
            others: both,
            candidates: self.candidates().iter().map(candidate).collect(),
        }
    }
}
