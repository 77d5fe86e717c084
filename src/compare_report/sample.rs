//! Finished inquiries that are made up, for tests: drawn faces, one photo of an astronaut, a log of
//! a few leaves. Each is made by the steps that people take, so only what can happen is printed.

use std::collections::BTreeMap;

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use serde_json::json;
use time::macros::date;

use super::*;
use crate::audit::{
    CosignerKey, Edge, Hash, Leaf, LeafKind, LogKey, Note as SignedNote, TileNode, TlogProof,
    inclusion, leaf_hash,
};
use crate::booking::{BookingData, BookingNumber, CollectionBasis, Identifier, Text, VersionId};
use crate::calendar::{Span, Time};
use crate::error_rates::ErrorRates;
use crate::face::{Edit, Edits, ModelId};
use crate::inquiry::{
    Action, Choice, Digest, Disposition, Event, Feature, Finding, Frame, Handover, Inquiry,
    InquiryId, Measure, Observation, Participant, Probe, Quality, Request, SearchId, Seen,
    Shortfall, Who,
};
use crate::limits::REVIEWED_CANDIDATES_MAX;
use crate::state_kind::StateKind;

pub(crate) const ORIGIN: &str = "fusion.example/smrt";
pub(crate) const ASTRONAUT: &[u8] = include_bytes!("../embed/test_photos/astronaut.jpg");
/// 2026-11-23 00:00 UTC.
pub(crate) const ISSUED: Time = Time::from_cs(179_539_200_000);
/// How many seconds before that its steps were taken, from the opening to the second review.
const STEPS_SECONDS: [u64; 5] = [9_000, 8_000, 7_999, 5_000, 600];
const OKAFOR: (&str, &str, &str) = ("okafor", "R-208", "fusion");
const HADDAD: (&str, &str, &str) = ("haddad", "R-114", "fusion");
/// The rank of the candidate whose agency releases it before anybody looks at it.
const RELEASED: usize = 5;

/// A finished inquiry with its supplement.
pub(crate) struct SampleReport {
    pub(crate) inquiry: Inquiry,
    pub(crate) supplement: Supplement,
}

/// A sample in the making; what isn't said otherwise is as in `SampleReport::of`.
pub(crate) struct SampleBuilder {
    candidates: usize,
    request: Request,
    choice: Choice,
    /// By rank and examiner (1 or 2).
    findings: BTreeMap<(usize, usize), Finding>,
    is_evidence: bool,
}

impl SampleReport {
    /// The inquiry with so many candidates: ranks 1 and 7 are leads, the examiners disagree on rank
    /// 3, and the agency of rank 5 released it.
    pub(crate) fn of(candidates: usize) -> Self {
        Self::with(candidates).build()
    }

    pub(crate) fn with(candidates: usize) -> SampleBuilder {
        let mut findings = BTreeMap::new();
        for rank in (1..=candidates).filter(|&rank| rank != RELEASED) {
            let lead = rank == 1 || rank == 7;
            findings.insert((rank, 1), finding(rank, lead || rank == 3, 7));
            findings.insert((rank, 2), finding(rank, lead, 5));
        }
        SampleBuilder {
            candidates,
            request: request(),
            choice: choice(),
            findings,
            is_evidence: false,
        }
    }

    pub(crate) fn report(&self) -> Result<CompareReport<'_>, CompareReportError> {
        CompareReport::new(&self.inquiry, &self.supplement)
    }

    pub(crate) fn to_pdf(&self) -> Result<Vec<u8>, CompareReportError> {
        self.report()?.to_pdf()
    }

    /// The booking of a rank.
    pub(crate) fn booked(&mut self, rank: usize) -> &mut BookedPhoto {
        self.supplement.bookings.get_mut(&version(rank)).unwrap()
    }
}

impl SampleBuilder {
    pub(crate) fn request(mut self, change: impl FnOnce(&mut Request)) -> Self {
        change(&mut self.request);
        self
    }

    pub(crate) fn choice(mut self, change: impl FnOnce(&mut Choice)) -> Self {
        change(&mut self.choice);
        self
    }

    /// What the first (1) or second (2) examiner says of a rank.
    pub(crate) fn finding(mut self, rank: usize, examiner: usize, finding: Finding) -> Self {
        self.findings.insert((rank, examiner), finding);
        self
    }

    /// Used for a positive identification: two people received it.
    pub(crate) fn evidence(mut self) -> Self {
        self.is_evidence = true;
        self
    }

    pub(crate) fn build(self) -> SampleReport {
        let leaves = [
            LeafKind::InquiryOpened,
            LeafKind::Asked,
            LeafKind::Answered,
            LeafKind::Reviewed,
            LeafKind::Reviewed,
        ];
        let supplement = supplement(self.candidates, proven(&leaves));
        SampleReport { inquiry: self.inquiry(), supplement }
    }

    fn inquiry(self) -> Inquiry {
        let (okafor, haddad) = (who(OKAFOR), who(HADDAD));
        let [opened, asked, answered, first, second] = step_times();
        let mut run = Run(Inquiry::open(
            InquiryId(*b"\x0f:\x9c^w\x11\xd2D\x08\xb6\xa1\xc0\xff\xee+\x91"),
            self.request,
            &okafor,
            date!(2026 - 11 - 22),
            None,
            opened,
        )
        .unwrap());
        run.act(&okafor, asked, Action::ReceiveProbe(probe()));
        run.act(&okafor, asked, Action::ChooseFace(self.choice));
        run.act(&okafor, asked, Action::Ask { search: SearchId([1; 16]), leaf: 1 });
        let score = |rank: usize| 0.7 - 0.011 * f64::from(u32::try_from(rank).unwrap());
        let candidates = (1..=self.candidates).map(|rank| (version(rank), score(rank))).collect();
        run.happen(answered, Event::Answered { candidates, leaf: 2 });
        if self.candidates >= RELEASED {
            run.happen(answered + Span::seconds(1), Event::Released { version: version(RELEASED) });
        }
        for (examiner, who, claim, at, leaf) in [
            (1, &okafor, Action::ClaimFirst { order: 3 }, first, 3),
            (2, &haddad, Action::ClaimSecond { order: 4 }, second, 4),
        ] {
            run.act(who, at, claim);
            for (_, finding) in self.findings.iter().filter(|((_, of), _)| *of == examiner) {
                run.act(who, at, Action::Dispose(finding.clone()));
            }
            run.act(who, at, Action::Finish { leaf });
        }
        if self.is_evidence {
            run.act(&okafor, ISSUED, Action::Issue { sha256: Digest([9; 32]), leaf: 5 });
            for (hours, by, of) in
                [(1, "Det. A. Ortiz", "seized as evidence"), (2, "S. Lindqvist", "property room")]
            {
                let handover = Handover {
                    received_by: text(by),
                    of: text(of),
                    leads_number: Some(text("IL-26-55310")),
                };
                run.act(&okafor, ISSUED + Span::hours(hours), Action::MarkEvidence(handover));
            }
        }
        run.0
    }
}

/// When each step of the inquiry was taken, from its opening to its second review.
fn step_times() -> [Time; 5] {
    STEPS_SECONDS.map(|seconds| ISSUED - Span::seconds(seconds))
}

/// An inquiry on its way.
struct Run(Inquiry);

impl Run {
    fn act(&mut self, who: &Who, at: Time, action: Action) {
        let revision = self.0.revision();
        self.0.act(who, revision, at, action).unwrap();
    }

    fn happen(&mut self, at: Time, event: Event) {
        self.0.happen(at, event).unwrap();
    }
}

pub(crate) fn text(words: &str) -> Text {
    Text::parse(words).unwrap()
}

fn identifier(words: &str) -> Identifier {
    Identifier::parse(words).unwrap()
}

fn version(rank: usize) -> VersionId {
    VersionId([u8::try_from(rank).unwrap(); 16])
}

fn person((id, badge, agency): (&str, &str, &str)) -> Participant {
    Participant { id: identifier(id), badge: text(badge), agency: identifier(agency) }
}

fn who(of: (&str, &str, &str)) -> Who {
    Who {
        person: person(of),
        may_operate: true,
        may_examine: true,
        may_command: false,
        may_audit: false,
    }
}

fn request() -> Request {
    serde_json::from_value(json!({
        "requester": {"name": "Det. A. Ortiz", "badge": "4711", "agency": "slmpd"},
        "reference": {"kind": "complaint_number", "number": "26-004711"},
        "purpose": {"kind": "crime"},
        "reason": "Robbery at Grand and Gravois on 2026-11-21, about 22:40. The suspect's face is \
            on the store's camera by the door; two witnesses describe the same jacket.",
        "probe_source": "store camera 2, north-west door; still exported by the store's manager to \
            a USB stick",
        "candidates": REVIEWED_CANDIDATES_MAX,
        "attestations": {"not_solely_protected": true, "shows_person_sought": true,
            "source_as_stated": true},
    }))
    .unwrap()
}

fn probe() -> Probe {
    Probe {
        sha256: Digest([0xa1; 32]),
        bytes: ASTRONAUT.len() as u64,
        media_type: text("image/jpeg"),
        px: [512, 512],
        faces: vec![frame()],
    }
}

fn frame() -> Frame {
    Frame { x: 175, y: 60, width: 110, height: 140 }
}

fn choice() -> Choice {
    let measures = [
        ("Pixels between the eyes", 52.0),
        ("Sharpness", 0.61),
        ("Length of the embedding", 11.4),
        ("Under-exposure", 0.02),
    ];
    Choice {
        face: 0,
        faces: 1,
        frame: frame(),
        edits: Edits::new(vec![Edit::Rotate { tenths: 25 }, Edit::Exposure { tenths: 3 }]).unwrap(),
        searched: Digest([0xa2; 32]),
        searched_px: [512, 512],
        quality: Quality {
            measures: measures.map(|(name, value)| Measure { name: text(name), value }).into(),
            shortfalls: vec![Shortfall { name: text("Sharpness"), blocks: false }],
        },
        reason: None,
    }
}

/// What an examiner says of a rank, with so many features compared.
pub(crate) fn finding(rank: usize, is_lead: bool, features: usize) -> Finding {
    const COMPARED: [(Feature, Seen); 7] = [
        (Feature::FaceShape, Seen::Similarity),
        (Feature::EyebrowShape, Seen::Difference),
        (Feature::EarLobe, Seen::Similarity),
        (Feature::NoseTip, Seen::Similarity),
        (Feature::HairlineShape, Seen::Difference),
        (Feature::LipUpper, Seen::Similarity),
        (Feature::ChinShape, Seen::Similarity),
    ];
    let observations =
        COMPARED.into_iter().take(features).map(|(feature, seen)| Observation { feature, seen });
    Finding {
        candidate: version(rank),
        disposition: if is_lead { Disposition::Lead } else { Disposition::NoLead },
        observations: observations.collect(),
        note: is_lead.then(|| text("left lobe attached in both")),
    }
}

/// A drawn face, one unlike the other.
pub(crate) fn drawn(number: u32) -> RgbImage {
    let (width, height) = (240, 300);
    let shade = |base: u32| u8::try_from((base + number * 23) % 120 + 100).unwrap();
    let within = |x: u32, y: u32, cx: f64, cy: f64, rx: f64, ry: f64| {
        ((f64::from(x) - cx) / rx).powi(2) + ((f64::from(y) - cy) / ry).powi(2) <= 1.0
    };
    RgbImage::from_fn(width, height, |x, y| {
        let eye = within(x, y, 90.0, 130.0, 12.0, 7.0) || within(x, y, 150.0, 130.0, 12.0, 7.0);
        let mouth = within(x, y, 120.0, 205.0, 28.0, 5.0 + f64::from(number % 5));
        if eye || mouth {
            Rgb([40, 30, 30])
        } else if within(x, y, 120.0, 155.0, 62.0 + f64::from(number % 4) * 3.0, 88.0) {
            Rgb([shade(60), shade(40), shade(30)])
        } else if y > 250 {
            Rgb([60, 60, 70])
        } else {
            Rgb([200, 205, 210])
        }
    })
}

pub(crate) fn jpeg(pixels: &RgbImage) -> Jpeg {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(pixels).unwrap();
    Jpeg(bytes)
}

fn booked(rank: usize) -> BookedPhoto {
    const NAMES: [&str; 6] = [
        "Jane Roe",
        "José Peña-Núñez",
        "Łukasz Żółkiewski",
        "Nguyễn Thị Ánh",
        "Ђорђе Ћирић",
        "李 Wei",
    ];
    const CHARGES: [&str; 3] = [
        "burglary in the second degree",
        "stealing",
        "property damage in the first degree, a class E felony",
    ];
    let mut booking = BookingData::new(
        text(NAMES[rank % NAMES.len()]),
        date!(2025 - 06 - 14),
        CollectionBasis::PostArrestBooking,
    );
    booking.date_of_birth = (!rank.is_multiple_of(3)).then_some(date!(1984 - 02 - 29));
    booking.charges = CHARGES[..rank % 4].iter().map(|words| text(words)).collect();
    BookedPhoto {
        photo: jpeg(&drawn(u32::try_from(rank).unwrap())),
        photo_sha256: Digest([u8::try_from(rank).unwrap(); 32]),
        booking,
        number: BookingNumber::parse(&format!("25-{:06}", 4_711 + rank)).unwrap(),
        agency: identifier("slmpd"),
    }
}

/// A log of these leaves, each with its proof at the cosigned checkpoint.
fn proven(kinds: &[LeafKind]) -> Vec<ProvenLeaf> {
    let leaf = |(&kind, time)| Leaf {
        kind,
        time,
        follows: Vec::new(),
        counts: Vec::new(),
        commitment: [7; 32],
    };
    let leaves: Vec<Leaf> = kinds.iter().zip(step_times()).map(leaf).collect();
    let (mut edge, mut hashes): (Edge, Vec<Hash>) = Default::default();
    for leaf in &leaves {
        let hash = leaf_hash(&leaf.to_bytes());
        hashes.push(hash);
        edge.append_hash(hash, &mut |_: TileNode| {});
    }
    let size = leaves.len() as u64;
    let log = LogKey::new(ORIGIN, &[5; 32]).unwrap();
    let mut note = SignedNote::parse(&log.sign(size, edge.root())).unwrap();
    CosignerKey::new("court.example/witness", &[6; 32])
        .unwrap()
        .cosign(&mut note, ISSUED.seconds());
    let path = |index: u64| {
        let mut read = |level: u8, first: u64, count: u64| -> Result<Vec<Hash>, ()> {
            assert_eq!(level, 0, "a small log has one tile");
            let (first, count) = (usize::try_from(first).unwrap(), usize::try_from(count).unwrap());
            Ok(hashes[first..first + count].to_vec())
        };
        inclusion(index, size, &mut read).unwrap()
    };
    let proven = |(leaf, index)| ProvenLeaf {
        leaf,
        proof: TlogProof { index, path: path(index), checkpoint: note.to_string() },
    };
    leaves.into_iter().zip(0..).map(proven).collect()
}

fn supplement(candidates: usize, proofs: Vec<ProvenLeaf>) -> Supplement {
    let agencies = [
        ("slmpd", "St. Louis Metropolitan Police Department"),
        ("fusion", "St. Louis Fusion Center"),
    ];
    let ranks = (1..=candidates).filter(|&rank| rank != RELEASED);
    Supplement {
        state: StateKind::Demo,
        issuer: "St. Louis Fusion Center, Real-Time Crime Center".to_owned(),
        issued: ISSUED,
        software: "smrt 0.1.0".to_owned(),
        names: Names {
            people: vec![
                (person(OKAFOR), "M. Okafor".to_owned()),
                (person(HADDAD), "L. Haddad".to_owned()),
            ],
            agencies: agencies.map(|(id, name)| (identifier(id), name.to_owned())).into(),
        },
        opened_leaf: 0,
        probe: ProbePhotos {
            received: Jpeg(ASTRONAUT.to_vec()),
            searched: Jpeg(ASTRONAUT.to_vec()),
            edit_digests: vec![Digest([0xa3; 32]), Digest([0xa2; 32])],
        },
        search: search_facts(),
        bookings: ranks.map(|rank| (version(rank), booked(rank))).collect(),
        proofs,
    }
}

fn search_facts() -> SearchFacts {
    let rates = json!({
        "data_set": "LFW, one-to-many", "model": hex::encode([0xd0; 32]),
        "enrolled": 3_680, "mated": 1_662, "non_mated": 2_027, "failed": 3,
        "rank1": 0.976, "rank10": 0.991, "rank20": 0.995, "rank50": null,
        "fnir_at_fpir_0.1": 0.032, "fnir_at_fpir_0.05": 0.041, "fnir_at_fpir_0.01": 0.092,
        "threshold_at_fpir_0.1": 0.443, "threshold_at_fpir_0.05": 0.458,
        "threshold_at_fpir_0.01": 0.52,
    });
    SearchFacts {
        model: ModelId([0xd0; 32]),
        model_name: "YuNet 2023mar and SFace 2021dec, mirrored".to_owned(),
        error_rates: Some(serde_json::from_value::<ErrorRates>(rates).unwrap()),
        origin: ORIGIN.to_owned(),
        root: [0x33; 32],
        rows: 412_903,
    }
}
