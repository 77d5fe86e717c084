//! Refusals in the public report: what stands where no rule is known, and under which agency a
//! refused search is counted.

use crate::rule::Rule;

/// A refusal that was gathered with others, and whose own rule wasn't kept.
pub(super) const GATHERED: &str = "reason_not_kept";
/// Purpose and agency of such a search.
pub(super) const NOT_STATED: &str = "not_stated";
/// Rule, purpose and agency of a leaf whose detail wasn't open to whoever counted.
pub(super) const NOT_OPENED: &str = "not_opened";
/// The agency of a request that was refused before it was looked up: what was typed may be
/// anything, a person's name included.
pub(super) const NOT_LISTED: &str = "not_listed";

/// The label that stands for the agency of searches that this rule refused; none where the agency
/// that the request named is shown.
pub(super) fn agency_of(rule: &str) -> Option<&'static str> {
    match rule {
        GATHERED => Some(NOT_STATED),
        NOT_OPENED => Some(NOT_OPENED),
        rule => (!Rule::of(rule).is_some_and(comes_after_the_agency)).then_some(NOT_LISTED),
    }
}

/// Whether the roster was asked for the request's agency, and has it, before this rule could refuse
/// a search. A rule that isn't named here publishes no agency.
fn comes_after_the_agency(rule: Rule) -> bool {
    use Rule as R;
    let of_the_request = matches!(
        rule,
        R::AgencyNotActive
            | R::ReasonLength
            | R::ReasonHollow
            | R::ReferenceHollow
            | R::ReferencePattern
            | R::RequesterHollow
            | R::OperatorIsRequester
            | R::PurposeHollow
            | R::SupervisorHollow
            | R::CourtOrderHollow
            | R::SourceHollow
            | R::NotAttested
            | R::CandidatesNumber
            | R::FieldHollow
            | R::TableFull
    );
    let of_a_step = matches!(
        rule,
        R::ChangedMeanwhile
            | R::OutOfTurn
            | R::NotTheirs
            | R::NotShown
            | R::PoorProbe
            | R::FaceMoved
            | R::EditsOutOfBounds
            | R::OneAtATime
            | R::TooFast
            | R::TooMany
            | R::ProbeSize
            | R::UploadTorn
    );
    let of_a_photo = matches!(
        rule,
        R::NoFace
            | R::SeveralFaces
            | R::NoSuchFace
            | R::FaceTooSmall
            | R::FaceUnclear
            | R::PhotoTooSmall
            | R::PhotoTooLarge
            | R::PhotoDamaged
            | R::PhotoUnusable
            | R::PhotoKind
    );
    let of_a_touch = matches!(
        rule,
        R::WrongChallenge
            | R::WrongKey
            | R::WrongSignature
            | R::NotPresent
            | R::NotVerified
            | R::CounterBack
            | R::KeyCanBeCopied
            | R::WrongPage
            | R::MalformedTouch
            | R::NoKey
    );
    of_the_request || of_a_step || of_a_photo || of_a_touch
}

/// The label that this is, where it is no agency's name.
pub(super) fn label_of(agency: &str) -> Option<&'static str> {
    [NOT_LISTED, NOT_STATED, NOT_OPENED].into_iter().find(|&label| label == agency)
}

/// Whether a count under this name says nothing of any search but that it was counted; then it is
/// shown however small it is.
pub(super) fn says_nothing(name: &str) -> bool {
    [GATHERED, NOT_STATED, NOT_OPENED].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agency_that_was_only_typed_is_not_published() {
        let published = ["reason-hollow", "no-face", "agency-not-active"];
        assert!(published.into_iter().all(|rule| agency_of(rule).is_none()));
        let typed = ["agency-not-listed", "not-this-role", "failed", "unheard"];
        assert!(typed.into_iter().all(|rule| agency_of(rule) == Some(NOT_LISTED)));
    }
}
