//! Visibility: who may see what of an inquiry now, and in which order. Blind review is here: an
//! examiner judges faces, not scores, names or the other examiner.

use super::action::Participant;
use super::record::{Inquiry, Ranked, Review, Stage};
use crate::booking::VersionId;
use crate::ids::Digest;

/// What one person may see of one inquiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Whether they may open the probe: operator and examiners, while the inquiry goes on.
    pub probe: bool,
    /// Whether they may see the dispositions of others, where the two disagree, and the rank of a
    /// candidate: those who take part, once both are finished.
    pub others: bool,
    /// The candidates, in the order in which this person meets them: best first once both reviews
    /// are finished. Before, an order that says nothing of a score: each examiner's own, drawn at
    /// random; to everybody else that of their random names.
    pub candidates: Vec<CandidateSight>,
}

/// What one person may see of one candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CandidateSight {
    /// The candidate.
    pub version: VersionId,
    /// Whether they may see the photo.
    pub photo: bool,
    /// Whether they may see score, rank, name and booking data.
    pub score_and_biography: bool,
}

impl Inquiry {
    /// What this person may see now.
    ///
    /// | who | the photos | score, rank, name and booking data |
    /// |---|---|---|
    /// | an examiner | from the claim on | once both are finished |
    /// | operator | once both are finished | once both are finished |
    /// | anybody else | never | never |
    ///
    /// So nobody learns a name whom no second examiner looked at, and the first one's finding is
    /// told to nobody before the second has theirs. Of a released candidate nobody sees anything,
    /// and of an inquiry that was withdrawn or refused nobody sees any candidate: nobody issued it.
    pub fn sight(&self, person: &Participant) -> Sight {
        let takes_part = self.takes_part(person);
        let dropped = matches!(self.stage(), Stage::Withdrawn | Stage::Refused);
        let both = takes_part && self.both_finished() && !dropped;
        let examines = self.review_of(person).is_some() && !dropped;
        let candidate = |candidate: &Ranked| {
            let shown = candidate.released_cs.is_none();
            CandidateSight {
                version: candidate.version,
                photo: shown && (both || examines),
                score_and_biography: shown && both,
            }
        };
        Sight {
            probe: takes_part && !self.stage().is_over(),
            others: both,
            candidates: self.met_by(person, both).into_iter().map(candidate).collect(),
        }
    }

    /// The candidates in the order in which this person meets them.
    fn met_by(&self, person: &Participant, best_first: bool) -> Vec<&Ranked> {
        let mut ranked: Vec<&Ranked> = self.candidates().iter().collect();
        let own = |review: Option<&Review>| review.is_some_and(|of| person.is(&of.examiner));
        if best_first {
            return ranked;
        }
        if own(self.second()) {
            return self.drawn_for_second();
        }
        match self.first().filter(|first| own(Some(first))) {
            Some(first) => self.drawn(first),
            None => {
                ranked.sort_unstable_by_key(|candidate| candidate.version);
                ranked
            }
        }
    }

    /// The order that was drawn for the second examiner: never the one of the first.
    fn drawn_for_second(&self) -> Vec<&Ranked> {
        let [first, mut second] = [self.first(), self.second()]
            .map(|review| review.map_or(Vec::new(), |of| self.drawn(of)));
        if second.len() > 1 && first == second {
            second.rotate_left(1);
        }
        second
    }

    fn drawn(&self, review: &Review) -> Vec<&Ranked> {
        let mut ranked: Vec<&Ranked> = self.candidates().iter().collect();
        let drawn = |candidate: &&Ranked| {
            Digest::of_parts(&[&review.order.to_le_bytes(), &candidate.version.0])
        };
        ranked.sort_by_cached_key(drawn);
        ranked
    }
}
