//! Candidates of an array as one person may see them, and the order in which they stand.
//!
//! Before both reviews are finished the place of a candidate says nothing of its score, and each
//! examiner meets another order. Ranks come with the scores.

use super::layout::DeskContext;
use super::next_step::participant;
use crate::booking::{BookingData, BookingNumber, Identifier, VersionId};
use crate::inquiry::{CandidateSight, Disposed, Frame, Inquiry, Ranked, Review, Sight};

/// What a booking says of a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Biography {
    /// The agency that booked.
    pub agency: Identifier,
    /// Its booking number.
    pub number: BookingNumber,
    /// The basic booking data.
    pub booking: BookingData,
}

/// A candidate's photo and data, as far as there is any. Pages show of it what the sight allows.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownCandidate {
    pub version: VersionId,
    /// Its booking; may be left out where the sight hides it.
    pub biography: Option<Biography>,
    /// The face that was compared, and the size in pixels of the photo in which it was found.
    pub face: Option<(Frame, [u32; 2])>,
}

/// What the array shows.
#[derive(Clone, Debug)]
pub struct ArrayPage<'a> {
    pub desk: &'a DeskContext,
    /// The inquiry, answered.
    pub inquiry: &'a Inquiry,
    /// What this person may see of it.
    pub sight: &'a Sight,
    /// Its candidates, in any order.
    pub candidates: &'a [ShownCandidate],
}

/// A candidate with all that this person may see of it.
pub(super) struct CandidateEntry<'a> {
    /// Its place in the order in which this person meets the candidates, from 0.
    pub(super) at: usize,
    pub(super) ranked: &'a Ranked,
    pub(super) sight: CandidateSight,
    pub(super) biography: Option<&'a Biography>,
    pub(super) face: Option<(Frame, [u32; 2])>,
    /// What this person recorded.
    pub(super) own: Option<Disposed<'a>>,
    /// What both examiners recorded, once it may be seen.
    pub(super) both: Option<[Option<Disposed<'a>>; 2]>,
}

impl<'a> ArrayPage<'a> {
    /// The review that is or was this person's.
    pub(super) fn own(&self) -> Option<&'a Review> {
        self.inquiry.review_of(&participant(&self.desk.person))
    }

    /// The review that this person is at.
    pub(super) fn at_work(&self) -> Option<&'a Review> {
        self.own().filter(|review| !review.is_finished() && !self.inquiry.stage().is_over())
    }

    pub(super) fn entries(&self) -> Vec<CandidateEntry<'a>> {
        let met = self.sight.candidates.iter();
        let ranked = met.filter_map(|seen| self.inquiry.candidate(seen.version));
        ranked.enumerate().map(|(at, ranked)| self.entry(at, ranked)).collect()
    }

    fn entry(&self, at: usize, ranked: &'a Ranked) -> CandidateEntry<'a> {
        let version = ranked.version;
        let sight = self.sight.candidates.iter().find(|sight| sight.version == version).copied();
        let nothing = CandidateSight { version, photo: false, score_and_biography: false };
        let sight = sight.unwrap_or(nothing);
        let shown = self.candidates.iter().find(|shown| shown.version == version);
        let disposed = |review: Option<&'a Review>| review.and_then(|of| of.disposed(ranked));
        let both = [self.inquiry.first(), self.inquiry.second()].map(disposed);
        let biography = shown.and_then(|shown| shown.biography.as_ref());
        CandidateEntry {
            at,
            ranked,
            sight,
            biography: biography.filter(|_| sight.score_and_biography),
            face: shown.and_then(|shown| shown.face).filter(|_| sight.photo),
            own: disposed(self.own()),
            both: self.sight.others.then_some(both),
        }
    }
}

impl CandidateEntry<'_> {
    /// A candidate's name on pages: by rank where the score may be seen, else by its place among
    /// all.
    pub(super) fn name(&self) -> String {
        if self.sight.score_and_biography && self.both.is_some() {
            format!("Rank {}", self.ranked.rank)
        } else {
            format!("Candidate {}", self.at + 1)
        }
    }

    /// Why there is no photo.
    pub(super) fn absent(&self) -> &'static str {
        if self.ranked.released_cs.is_some() {
            "Released by its agency and shown to nobody again"
        } else {
            "Not shown to you now"
        }
    }

    /// Where its photo is served.
    pub(super) fn photo(&self, inquiry: &Inquiry) -> String {
        format!("/v1/inquiries/{}/candidates/{}/photo", inquiry.id(), self.ranked.version)
    }

    /// Where it is compared with the probe.
    pub(super) fn compare(&self, inquiry: &Inquiry) -> String {
        format!("/console/inquiries/{}/compare/{}", inquiry.id(), self.ranked.version)
    }
}

/// A disposition in words, or that there is none.
pub(super) fn disposition_words(disposed: Option<Disposed<'_>>) -> String {
    disposed.map_or("none".to_owned(), |disposed| disposed.words().to_owned())
}
