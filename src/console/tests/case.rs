//! A made-up inquiry that is taken from stage to stage, with its candidates and their bookings.

use serde_json::json;
use time::macros::date;

use super::people::{NOW, id, operator, second, text};
use crate::booking::{BookingNumber, VersionId};
use crate::calendar::Span;
use crate::console::next_step::participant;
use crate::console::{Biography, ShownCandidate};
use crate::embed::{QualityMeasure as Measured, QualitySheet, QualityVerdict, Reading};
use crate::face::{Edit, Edits};
use crate::inquiry::{
    Action, Choice, Digest, Disposition, Event, Feature, Finding, Frame, Handover, Inquiry,
    InquiryId, Measure, Observation, Outcome, Probe, Quality, Request, SearchId, Seen, Shortfall,
    Sight, Upshot, Who,
};
use crate::roster::{Duty, Person};

/// An inquiry on its way, and whoever takes its next step.
#[derive(Clone)]
pub(super) struct Case(pub(super) Inquiry);

impl Case {
    pub(super) fn opened(number: u8, complaint: &str) -> Self {
        let request: Request = serde_json::from_value(json!({
            "requester": {"name": "Det. Anna Ortiz", "badge": "DSN 4711", "agency": "slmpd"},
            "reference": {"kind": "complaint_number", "number": complaint},
            "purpose": {"kind": "crime"},
            "reason": "Armed robbery of a pharmacy at Grand and Gravois on 18 November; the man at \
             the counter was filmed without a mask for six seconds.",
            "probe_source": "store camera 2, still exported by the evidence technician",
            "candidates": 8,
            "attestations": {"not_solely_protected": true, "shows_person_sought": true,
                "source_as_stated": true},
        }))
        .unwrap();
        let opened = Inquiry::open(
            InquiryId([number; 16]),
            request,
            &who(&operator()),
            date!(2026 - 11 - 23),
            None,
            NOW - Span::hours(5),
        );
        Self(opened.unwrap())
    }

    pub(super) fn act(mut self, by: &Person, action: Action) -> Self {
        let revision = self.0.revision();
        self.0.act(&who(by), revision, NOW - Span::hours(1), action).unwrap();
        self
    }

    pub(super) fn probe(self, faces: usize) -> Self {
        let frame = |at: usize| Frame {
            x: 170 + 40 * i32::try_from(at).unwrap(),
            y: 60,
            width: 110,
            height: 145,
        };
        let (media_type, faces) = (text("image/jpeg"), (0..faces).map(frame).collect());
        let probe = Probe {
            sha256: Digest([0xa7; 32]),
            bytes: 4_812_006,
            media_type,
            px: [512, 512],
            faces,
        };
        self.act(&operator(), Action::ReceiveProbe(probe))
    }

    pub(super) fn face(self) -> Self {
        let edits = Edits::new(vec![
            Edit::Crop { x: 20, y: 10, width: 470, height: 480 },
            Edit::Exposure { tenths: 3 },
        ])
        .unwrap();
        let choice = Choice {
            face: 0,
            faces: 1,
            frame: Frame { x: 170, y: 60, width: 110, height: 145 },
            edits,
            searched: Digest([0x5c; 32]),
            searched_px: [470, 480],
            quality: quality(),
            reason: Some(
                "The only footage there is, and the suspect is armed and at large.".to_owned(),
            ),
        };
        self.act(&operator(), Action::ChooseFace(choice))
    }

    pub(super) fn asked(self) -> Self {
        self.act(&operator(), Action::Ask { search: SearchId([9; 16]), leaf: 40_112 })
    }

    pub(super) fn answered(mut self, count: u8) -> Self {
        let candidates =
            (0..count).map(|at| (version(at), 0.731 - 0.037 * f64::from(at))).collect();
        self.0.happen(NOW - Span::hours(1), Event::Answered { candidates, leaf: 40_113 }).unwrap();
        self
    }

    pub(super) fn disposed(self, by: &Person, count: u8, leads: &[u8]) -> Self {
        (0..count)
            .fold(self, |way, at| way.act(by, Action::Dispose(finding(at, leads.contains(&at)))))
    }

    /// Up to a whole array with the first examiner at work.
    pub(super) fn first_review() -> Self {
        Self::opened(3, "26-041877")
            .probe(1)
            .face()
            .asked()
            .answered(8)
            .act(&operator(), Action::ClaimFirst { order: 3 })
    }

    pub(super) fn second_review() -> Self {
        let first = Self::first_review()
            .disposed(&operator(), 8, &[0, 2])
            .act(&operator(), Action::Finish { leaf: 40_140 });
        first.act(&second(), Action::ClaimSecond { order: 4 })
    }

    pub(super) fn reviewed() -> Self {
        Self::second_review()
            .disposed(&second(), 8, &[2])
            .act(&second(), Action::Finish { leaf: 40_151 })
    }

    pub(super) fn issued() -> Self {
        let issued = Self::reviewed()
            .act(&operator(), Action::Issue { sha256: Digest([0x1f; 32]), leaf: 40_152 });
        let handover = Handover {
            received_by: text("Sgt. Paul Reyes"),
            of: text("Circuit Attorney's Office"),
            leads_number: None,
        };
        issued.act(&operator(), Action::MarkEvidence(handover))
    }

    /// What this person may see of it.
    pub(super) fn sight(&self, person: &Person) -> Sight {
        self.0.sight(&participant(person))
    }

    pub(super) fn closed() -> Self {
        let outcome = Outcome {
            upshot: Upshot::ArrestOnIndependentEvidence,
            independent_evidence: Some(
                "Two fingerprints on the counter, and the stolen till found at his address."
                    .to_owned(),
            ),
            leads_number: Some(text("IL-26-00981")),
        };
        Self::issued().act(&operator(), Action::RecordOutcome(outcome))
    }

    pub(super) fn withdrawn() -> Self {
        let reason = "The complainant found the wallet at home.".to_owned();
        Self::opened(8, "26-041903").act(&operator(), Action::Withdraw { reason })
    }
}

fn who(person: &Person) -> Who {
    Who {
        person: participant(person),
        may_operate: person.role.may(Duty::Operate),
        may_examine: person.role.may(Duty::Examine),
        may_command: person.role.may(Duty::Command),
        may_audit: person.role.may(Duty::Audit),
    }
}

/// The candidate at this rank, counted from 0. Names are random to an array: these are neither in
/// the order of ranks nor against it.
pub(super) fn version(rank: u8) -> VersionId {
    const NAMES: [u8; 8] = [0xb1, 0x2f, 0xe0, 0x47, 0x90, 0x0c, 0xd3, 0x6a];
    VersionId([NAMES[usize::from(rank)]; 16])
}

fn finding(rank: u8, lead: bool) -> Finding {
    let seen = |feature, seen| Observation { feature, seen };
    let observations = match lead {
        true => vec![
            seen(Feature::EarLobe, Seen::Similarity),
            seen(Feature::NoseBridge, Seen::Similarity),
            seen(Feature::Moles, Seen::Similarity),
        ],
        false => vec![
            seen(Feature::ChinCleft, Seen::Difference),
            seen(Feature::NoseTip, Seen::Similarity),
        ],
    };
    let disposition = if lead { Disposition::Lead } else { Disposition::NoLead };
    Finding {
        candidate: version(rank),
        disposition,
        observations,
        note: lead.then(|| text("Left ear covered in the probe.")),
    }
}

fn quality() -> Quality {
    let sheet = sheet();
    let measures = sheet
        .0
        .iter()
        .map(|reading| Measure { name: text(reading.measure.label()), value: reading.value });
    let short = sheet.0.iter().filter(|reading| reading.verdict != QualityVerdict::Fine);
    let shortfalls = short.map(|reading| Shortfall {
        name: text(reading.measure.label()),
        blocks: reading.measure.blocks() && reading.verdict == QualityVerdict::Poor,
    });
    Quality { measures: measures.collect(), shortfalls: shortfalls.collect() }
}

pub(super) fn sheet() -> QualitySheet {
    let values = [6.1, 38.5, 0.91, 0.08, 100.0, 71.2, 1_204.0, 0.11, 0.0, 0.62, 78.4];
    let verdict = |measure| match measure {
        Measured::EmbeddingLength => QualityVerdict::Poor,
        Measured::EyesApart | Measured::Sharpness | Measured::UnderExposure => QualityVerdict::Low,
        _ => QualityVerdict::Fine,
    };
    let reading =
        |(measure, value)| Reading { measure, value, score: None, verdict: verdict(measure) };
    QualitySheet(Measured::ALL.into_iter().zip(values).map(reading).collect())
}

pub(super) const NAMES: [&str; 8] = [
    "Daniel Frost",
    "Elias Krane",
    "Owen Marsh",
    "Felix Adair",
    "Victor Nagel",
    "Simon Thorne",
    "Caleb Rooke",
    "Hugo Lasker",
];

/// All candidates with their bookings.
pub(super) fn shown() -> Vec<ShownCandidate> {
    let shown = |rank: u8| {
        let name = NAMES[usize::from(rank)];
        let booking = json!({"name": name, "date_of_birth": format!("19{}-03-1{rank}", 80 + rank),
            "booked_on": format!("2025-0{}-12", rank + 1),
            "charges": ["burglary, second degree", "resisting arrest"],
                "basis": {"kind": "post_arrest_booking"}});
        let number =
            BookingNumber::parse(&format!("B-2025-{:05}", 11_830 + u32::from(rank))).unwrap();
        let biography = Biography {
            agency: id("slcpd"),
            number,
            booking: serde_json::from_value(booking).unwrap(),
        };
        let face = Some((Frame { x: 170, y: 60, width: 110, height: 145 }, [512, 512]));
        ShownCandidate { version: version(rank), biography: Some(biography), face }
    };
    (0..8).map(shown).collect()
}
