//! The compare report's content: a finished inquiry with its supplement, and what follows from
//! both.

use super::error::CompareReportError;
use super::supplement::{BookedPhoto, ProvenLeaf, Supplement};
use crate::audit::{Note, is_included, leaf_hash};
use crate::booking::Identifier;
use crate::calendar::Time;
use crate::inquiry::{Choice, Inquiry, Participant, Probe, Ranked, Review, Search, SearchAnswer};

/// A compare report, ready to be written as a file.
#[derive(Clone, Copy, Debug)]
pub struct CompareReport<'a> {
    pub(super) inquiry: &'a Inquiry,
    pub(super) supplement: &'a Supplement,
    pub(super) probe: &'a Probe,
    pub(super) choice: &'a Choice,
    pub(super) search: &'a Search,
    pub(super) answer: &'a SearchAnswer,
    pub(super) first: Reviewed<'a>,
    pub(super) second: Reviewed<'a>,
    pub(super) proofs: [Proven<'a>; 4],
}

/// A finished review.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reviewed<'a> {
    pub(super) review: &'a Review,
    pub(super) leaf: u64,
    pub(super) finished: Time,
}

/// A leaf with its proof, and what the leaf says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proven<'a> {
    pub(super) what: &'static str,
    pub(super) proven: &'a ProvenLeaf,
}

impl<'a> CompareReport<'a> {
    /// The report of an inquiry that two examiners have finished.
    ///
    /// Errors: an inquiry that isn't finished; a leaf without a proof, or with one that doesn't
    /// lead to its checkpoint, whose signatures are not looked at here.
    pub fn new(
        inquiry: &'a Inquiry,
        supplement: &'a Supplement,
    ) -> Result<Self, CompareReportError> {
        let unfinished = || CompareReportError::Unfinished { stage: inquiry.stage().words() };
        let finished = |review: Option<&'a Review>| {
            review.and_then(|review| Some((review, review.leaf?))).ok_or_else(unfinished)
        };
        let (first, second) = (finished(inquiry.first())?, finished(inquiry.second())?);
        let search = inquiry.searches().last().ok_or_else(unfinished)?;
        let answer = inquiry.answer().ok_or_else(unfinished)?;
        let proven = |what, leaf| {
            let proven = supplement.proofs.iter().find(|proven| proven.proof.index == leaf);
            Proven::check(what, proven.ok_or(CompareReportError::Unproven { what })?)
        };
        let proofs = [
            proven("asked", search.leaf)?,
            proven("answered", answer.leaf)?,
            proven("reviewed by the first examiner", first.1)?,
            proven("reviewed by the second examiner", second.1)?,
        ];
        let reviewed = |(review, leaf): (&'a Review, u64), proof: &Proven<'_>| Reviewed {
            review,
            leaf,
            finished: proof.proven.leaf.time,
        };
        Ok(Self {
            inquiry,
            supplement,
            probe: inquiry.probe().ok_or_else(unfinished)?,
            choice: inquiry.choice().ok_or_else(unfinished)?,
            search,
            answer,
            first: reviewed(first, &proofs[2]),
            second: reviewed(second, &proofs[3]),
            proofs,
        })
    }

    /// The candidate's booking; none where its agency released it.
    pub(super) fn booking(&self, candidate: &Ranked) -> Option<&'a BookedPhoto> {
        self.supplement.bookings.get(&candidate.version)
    }

    pub(super) fn is_lead(&self, candidate: &Ranked) -> bool {
        self.inquiry.is_lead(candidate.version)
    }

    /// Whether the examiners came to different dispositions of a candidate.
    pub(super) fn is_disputed(&self, candidate: &Ranked) -> bool {
        self.first.disposition(candidate) != self.second.disposition(candidate)
    }

    /// An agency's name, or its identifier where it has none any more.
    pub(super) fn agency(&self, agency: &'a Identifier) -> &'a str {
        self.supplement.names.agencies.get(agency).map_or(agency.as_str(), String::as_str)
    }

    /// A person's name, or their account where it isn't known any more.
    pub(super) fn name(&self, person: &'a Participant) -> &'a str {
        let known = self.supplement.names.people.iter().find(|(known, _)| known == person);
        known.map_or(person.id.as_str(), |(_, name)| name.as_str())
    }

    /// A person on one line.
    pub(super) fn person(&self, person: &'a Participant) -> String {
        let (badge, agency) = (person.badge.as_str(), self.agency(&person.agency));
        format!("{}, badge {badge}, {agency}", self.name(person))
    }

    /// The frame of the face that was compared: left edge, upper edge, width and height as shares
    /// of the photo as searched.
    #[expect(clippy::cast_precision_loss, reason = "a photo's pixels are far below 2^24")]
    pub(super) fn face(&self) -> [f32; 4] {
        let frame = self.choice.frame;
        let [wide, high] = self.choice.searched_px.map(|side| side.max(1) as f32);
        let (x, y) = (frame.x as f32 / wide, frame.y as f32 / high);
        [x, y, frame.width as f32 / wide, frame.height as f32 / high]
    }
}

impl Reviewed<'_> {
    /// The disposition of a candidate in words.
    pub(super) fn disposition(&self, candidate: &Ranked) -> &'static str {
        self.review.disposed(candidate).map_or("not dispositioned", |disposed| disposed.words())
    }
}

impl<'a> Proven<'a> {
    /// A report that prints proofs which don't hold would be worse than none.
    fn check(what: &'static str, proven: &'a ProvenLeaf) -> Result<Self, CompareReportError> {
        let ProvenLeaf { leaf, proof } = proven;
        let checkpoint = Note::parse(&proof.checkpoint).and_then(|note| note.checkpoint());
        let hash = leaf_hash(&leaf.to_bytes());
        let holds = checkpoint.is_ok_and(|checkpoint| {
            is_included(&hash, proof.index, checkpoint.leaves, &checkpoint.root, &proof.path)
        });
        if holds { Ok(Self { what, proven }) } else { Err(CompareReportError::Proof { what }) }
    }
}
