//! Steps of an inquiry: what people do in it, what happens to it, and what they record by it.

use serde::{Deserialize, Serialize};

use super::features::Feature;
use crate::booking::{Identifier, Text, VersionId};
use crate::face::Edits;
use crate::ids::{Digest, SearchId};
use crate::named::named;

/// A person as a step of an inquiry names them: by account, and by the badge and agency that they
/// had when they took it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// The account.
    #[schema(value_type = String, max_length = 32)]
    pub id: Identifier,
    /// The badge, as the agency numbers them.
    #[schema(value_type = String, max_length = 200)]
    pub badge: Text,
    /// The employing agency.
    #[schema(value_type = String, max_length = 32)]
    pub agency: Identifier,
}

/// Who acts: a person, and what their role and training let them do now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The person.
    pub person: Participant,
    /// Whether they may run inquiries.
    pub may_operate: bool,
    /// Whether they may review candidates.
    pub may_examine: bool,
    /// Whether they command.
    pub may_command: bool,
    /// Whether they audit.
    pub may_audit: bool,
}

/// A step that a person takes. What it carries was checked on its way in: digests computed, a touch
/// verified, a leaf's index given.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The operator hands over the probe.
    ReceiveProbe(Probe),
    /// The operator chooses a face of the probe and lists the edits.
    ChooseFace(Choice),
    /// The operator, by a touch, asks for the search; this is the approval.
    Ask {
        /// The search's name.
        search: SearchId,
        /// Index of the leaf `asked`.
        leaf: u64,
    },
    /// An examiner takes the first review.
    ClaimFirst {
        /// A number drawn at random, by which the order is made in which they meet the candidates.
        order: u64,
    },
    /// Another examiner takes the second, blind review.
    ClaimSecond {
        /// As for the first.
        order: u64,
    },
    /// The examiner at work records what a candidate is.
    Dispose(Finding),
    /// The examiner at work ends the review.
    Finish {
        /// Index of the leaf `reviewed`.
        leaf: u64,
    },
    /// The operator or an examiner issues the report.
    Issue {
        /// Digest of the whole report.
        sha256: Digest,
        /// Index of the leaf `issued`.
        leaf: u64,
    },
    /// Somebody received the report as evidence of a positive identification (SO-C5).
    MarkEvidence(Handover),
    /// An operator records what became of the report.
    RecordOutcome(Outcome),
    /// The commander orders a further copy of the report.
    OrderCopy {
        /// For whom and why.
        order: CopyOrder,
        /// Index of the leaf `copy_ordered`.
        leaf: u64,
    },
    /// An auditor gives out the copy that was ordered.
    GiveCopy {
        /// Its index among those that were ordered.
        copy: usize,
        /// Index of the leaf `copy_given`.
        leaf: u64,
    },
    /// The operator withdraws the inquiry.
    Withdraw {
        /// Why, in words.
        reason: String,
    },
}

/// What happens to an inquiry without a person of it taking a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The search under way was answered.
    Answered {
        /// Version and score, best first.
        candidates: Vec<(VersionId, f64)>,
        /// Index of the leaf `answered`.
        leaf: u64,
    },
    /// The search under way will never be answered.
    Interrupted {
        /// Index of the leaf `interrupted`.
        leaf: u64,
    },
    /// A candidate's agency released its booking.
    Released {
        /// The candidate.
        version: VersionId,
    },
    /// The house goes no further with this inquiry.
    Refused {
        /// Why, in words.
        reason: String,
    },
}

/// A probe as received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    /// SHA-256 of the file.
    pub sha256: Digest,
    /// Bytes of the file.
    pub bytes: u64,
    /// The file's kind, as its first bytes say.
    pub media_type: Text,
    /// Width and height of the upright photo in pixels.
    pub px: [u32; 2],
    /// Frames of the faces seen in it.
    pub faces: Vec<Frame>,
}

/// The frame of a face. Units: whole pixels from the upper left corner, which a frame may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Frame {
    /// Left edge.
    pub x: i32,
    /// Upper edge.
    pub y: i32,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// Which face is searched for, and how the probe was prepared for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// The face's index among those seen in the probe as searched, which edits may number otherwise
    /// than the original's.
    pub face: usize,
    /// How many faces are seen in the probe as searched.
    pub faces: usize,
    /// The face's frame in the probe as searched.
    pub frame: Frame,
    /// What was done to the probe.
    pub edits: Edits,
    /// SHA-256 of the probe as searched.
    pub searched: Digest,
    /// Width and height of the probe as searched, in pixels.
    pub searched_px: [u32; 2],
    /// How good the face is.
    pub quality: Quality,
    /// Why the search is worth its while though the face is poor, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How good a face is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// What was measured.
    pub measures: Vec<Measure>,
    /// What falls short.
    pub shortfalls: Vec<Shortfall>,
}

/// One measure of a face's quality.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// What is measured, and in which unit.
    #[schema(value_type = String, max_length = 200)]
    pub name: Text,
    /// The value.
    #[serde(with = "super::exact")]
    #[schema(value_type = String)]
    pub value: f64,
}

/// One measure that falls short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Shortfall {
    /// What falls short, in words.
    #[schema(value_type = String, max_length = 200)]
    pub name: Text,
    /// Whether nothing is searched because of it unless a reason is recorded.
    pub blocks: bool,
}

/// What an examiner says of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// An investigative lead, and no more than that.
    Lead,
    /// No lead.
    NoLead,
    /// The photos don't let anybody tell.
    Inconclusive,
}

/// An examiner's disposition of one candidate, with what it stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The candidate.
    #[schema(value_type = String, max_length = 32)]
    pub candidate: VersionId,
    /// What it is.
    pub disposition: Disposition,
    /// Features that are alike or differ, each named once.
    pub observations: Vec<Observation>,
    /// A note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 200)]
    pub note: Option<Text>,
}

/// What was seen of one feature in both photos.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Observation {
    /// The feature.
    pub feature: Feature,
    /// What was seen.
    pub seen: Seen,
}

/// How a feature compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// Alike in both photos.
    Similarity,
    /// Different in a way that neither time nor the photos explain.
    Difference,
}

/// Who received a report that was used for a positive identification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Handover {
    /// Who received it.
    #[schema(value_type = String, max_length = 200)]
    pub received_by: Text,
    /// For which agency, court or office.
    #[schema(value_type = String, max_length = 200)]
    pub of: Text,
    /// The I/Leads number under which the identification is documented (SO-C6), once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 200)]
    pub leads_number: Option<Text>,
}

/// A further copy of a report: for whom, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopyOrder {
    /// Who is to receive it.
    #[schema(value_type = String, max_length = 200)]
    pub received_by: Text,
    /// For which agency, court or office.
    #[schema(value_type = String, max_length = 200)]
    pub of: Text,
    /// Why, in words.
    #[schema(max_length = 2000, min_length = 12)]
    pub reason: String,
}

/// What became of a report (SO-C6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// What became of it, from a closed list.
    pub upshot: Upshot,
    /// The evidence that it stands on, independent of the search, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 2000, min_length = 12)]
    pub independent_evidence: Option<String>,
    /// The I/Leads number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, max_length = 200)]
    pub leads_number: Option<Text>,
}

/// What can become of a report: a closed list, whose codes the log counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Upshot {
    /// The report held no lead.
    NoLead = 0,
    /// No lead was followed.
    NoLeadFollowed = 1,
    /// Leads were followed and eliminated.
    LeadEliminated = 2,
    /// A lead was followed; nobody was arrested.
    NoArrest = 3,
    /// Somebody was arrested, on evidence other than the report.
    ArrestOnIndependentEvidence = 4,
    /// The report was used for a positive identification, made on other evidence.
    PositiveIdentification = 5,
    /// A missing, endangered or unknown person was found or named, on evidence other than the
    /// report.
    PersonFound = 6,
}

impl Participant {
    /// Whether two accounts are one person's: the same badge of the same agency. An account's name
    /// says nothing of that, since it may be somebody else's a year later.
    pub fn is(&self, other: &Self) -> bool {
        self.bears(&other.badge, &other.agency)
    }

    /// Whether the person bears this badge of this agency, however it is spelt.
    pub fn bears(&self, badge: &Text, agency: &Identifier) -> bool {
        use super::hollow::bare;
        self.agency == *agency && bare(self.badge.as_str()) == bare(badge.as_str())
    }
}

impl From<[f32; 4]> for Frame {
    /// The smallest whole frame around left edge, upper edge, width and height as a detector gives
    /// them.
    fn from([x, y, width, height]: [f32; 4]) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float beyond an i32 becomes its end, which no photo reaches"
        )]
        let whole = |edge: f32| edge as i32;
        let (left, top) = (whole(x.floor()), whole(y.floor()));
        let (right, bottom) = (whole((x + width).ceil()), whole((y + height).ceil()));
        Self {
            x: left,
            y: top,
            width: right.saturating_sub(left).max(0).unsigned_abs(),
            height: bottom.saturating_sub(top).max(0).unsigned_abs(),
        }
    }
}

impl Quality {
    /// What falls short so that nothing is searched without a reason.
    pub fn blocking(&self) -> impl Iterator<Item = &Shortfall> {
        self.shortfalls.iter().filter(|shortfall| shortfall.blocks)
    }
}

named!(Disposition {
    Lead = "lead" "investigative lead";
    NoLead = "no_lead" "no lead";
    Inconclusive = "inconclusive" "inconclusive";
});

named!(Seen {
    Similarity = "similarity" "similar";
    Difference = "difference" "different";
});

named!(Upshot {
    NoLead = "no_lead" "the report held no lead";
    NoLeadFollowed = "no_lead_followed" "no lead followed";
    LeadEliminated = "lead_eliminated" "lead eliminated";
    NoArrest = "no_arrest" "no arrest";
    ArrestOnIndependentEvidence = "arrest_on_independent_evidence" "arrest on independent evidence";
    PositiveIdentification = "positive_identification"
        "positive identification on independent evidence";
    PersonFound = "person_found" "person found or named on independent evidence";
});

impl Upshot {
    /// The upshot of a code, as the leaf `outcome_recorded` counts it.
    pub fn of(code: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|&upshot| upshot as u64 == code)
    }

    /// Whether it is only worth anything with the independent evidence said.
    pub(super) fn stands_on_evidence(self) -> bool {
        matches!(
            self,
            Self::ArrestOnIndependentEvidence | Self::PositiveIdentification | Self::PersonFound
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_the_smallest_whole_one_around_what_the_detector_saw() {
        assert_eq!(
            Frame::from([-0.5, 10.2, 20.4, 30.0]),
            Frame { x: -1, y: 10, width: 21, height: 31 }
        );
        assert_eq!(
            Frame::from([f32::NAN, 1e30, -5.0, 1e30]),
            Frame { x: 0, y: i32::MAX, width: 0, height: 0 }
        );
    }

    #[test]
    fn one_badge_of_one_agency_is_one_person_however_it_is_spelt() {
        let person = |id: &str, badge: &str, agency: &str| Participant {
            id: Identifier::parse(id).unwrap(),
            badge: Text::parse(badge).unwrap(),
            agency: Identifier::parse(agency).unwrap(),
        };
        let ortiz = person("ortiz", "DSN 4711", "slmpd");
        assert!(ortiz.is(&person("a-ortiz", "dsn-4711", "slmpd")));
        assert!(!ortiz.is(&person("ortiz", "9", "slmpd")), "a name may be another's later");
        assert!(
            !ortiz.is(&person("malik", "DSN 4711", "slcpd"))
                && !ortiz.is(&person("malik", "DSN 4712", "slmpd"))
        );
    }
}
