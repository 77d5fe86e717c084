//! A report that is made up, for tests: drawn faces, one photo of an astronaut, a log of a few
//! leaves.

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use time::macros::date;

use super::*;
use crate::audit::{
    CosignerKey, Edge, Hash, Leaf, LeafKind, LogKey, Note as SignedNote, TileNode, TlogProof,
    inclusion, leaf_hash,
};
use crate::booking::{BookingNumber, Text, VersionId};
use crate::face::ModelId;
use crate::report::Measured;

pub(crate) const ORIGIN: &str = "fusion.example/smrt";
pub(crate) const ASTRONAUT: &[u8] = include_bytes!("../../embed/test_photos/astronaut.jpg");
/// 2026-11-23 16:00 UTC.
pub(crate) const ISSUED_CS: u64 = 179_539_200_000;

pub(crate) fn person(name: &str, badge: &str, agency: &str) -> Person {
    Person { name: name.to_owned(), badge: badge.to_owned(), agency: agency.to_owned() }
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

pub(crate) fn jpeg(pixels: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(pixels).unwrap();
    bytes
}

/// A log of these leaves, and the proof of each at its cosigned checkpoint.
pub(crate) fn proven(leaves: &[(&str, Leaf)]) -> Vec<Proven> {
    let (mut edge, mut hashes): (Edge, Vec<Hash>) = Default::default();
    for (_, leaf) in leaves {
        let hash = leaf_hash(&leaf.to_bytes());
        hashes.push(hash);
        edge.append_hash(hash, &mut |_: TileNode| {});
    }
    let mut note = SignedNote::parse(
        &LogKey::new(ORIGIN, &[5; 32]).unwrap().sign(leaves.len() as u64, edge.root()),
    )
    .unwrap();
    CosignerKey::new("court.example/witness", &[6; 32]).unwrap().cosign(&mut note, ISSUED_CS / 100);
    let path = |index: u64| {
        let mut read = |level: u8, first: u64, count: u64| -> Result<Vec<Hash>, ()> {
            assert_eq!(level, 0, "a small log has one tile");
            let (first, count) = (usize::try_from(first).unwrap(), usize::try_from(count).unwrap());
            Ok(hashes[first..first + count].to_vec())
        };
        inclusion(index, leaves.len() as u64, &mut read).unwrap()
    };
    let proof = |index: u64| TlogProof { index, path: path(index), checkpoint: note.to_string() };
    leaves
        .iter()
        .zip(0..)
        .map(|((what, leaf), index)| Proven {
            what: (*what).to_owned(),
            leaf: leaf.clone(),
            proof: proof(index),
        })
        .collect()
}

fn leaf(kind: LeafKind, time_cs: u64) -> Leaf {
    Leaf { kind, time_cs, follows: Vec::new(), counts: Vec::new(), commitment: [7; 32] }
}

pub(crate) fn disposition(lead: bool, words: &str, features: &[(&str, &str, &str)]) -> Disposition {
    let feature = |(name, finding, remark): &(&str, &str, &str)| Feature {
        name: (*name).to_owned(),
        finding: (*finding).to_owned(),
        remark: (*remark).to_owned(),
    };
    Disposition {
        lead,
        words: words.to_owned(),
        features: features.iter().map(feature).collect(),
        remark: String::new(),
    }
}

const SEEN: [(&str, &str, &str); 7] = [
    ("face and head outline", "similar", ""),
    ("ears", "similar", "left lobe attached in both"),
    ("nose", "similar", ""),
    ("mouth", "not visible", "hand before it in the probe"),
    ("eyebrows", "different", "fuller in the booking photo"),
    ("scars and marks", "similar", "mole below the right eye"),
    ("hairline", "different", ""),
];

pub(crate) fn candidate(rank: usize) -> Candidate {
    const NAMES: [&str; 6] = [
        "Jane Roe",
        "José Peña-Núñez",
        "Łukasz Żółkiewski",
        "Nguyễn Thị Ánh",
        "Ђорђе Ћирић",
        "李 Wei",
    ];
    let number = u32::try_from(rank).unwrap();
    let text = |words: &str| Text::parse(words).unwrap();
    let lead = rank == 1 || rank == 7;
    let charges = [
        "burglary in the second degree",
        "stealing",
        "property damage in the first degree, a class E felony",
    ];
    Candidate {
        rank,
        version: VersionId([u8::try_from(rank % 256).unwrap(); 16]),
        score: 0.7 - 0.011 * f64::from(number),
        booking: (rank != 5).then(|| Booking {
            photo: Picture::Jpeg(jpeg(&drawn(number))),
            photo_sha256: [u8::try_from(rank % 256).unwrap(); 32],
            name: text(NAMES[rank % NAMES.len()]),
            date_of_birth: (!rank.is_multiple_of(3)).then_some(date!(1984 - 02 - 29)),
            booked_on: date!(2025 - 06 - 14),
            charges: charges[..rank % 4].iter().map(|words| text(words)).collect(),
            number: BookingNumber::parse(&format!("25-{:06}", 4_711 + rank)).unwrap(),
            agency: "St. Louis Metropolitan Police Department".to_owned(),
        }),
        first: if rank == 5 {
            disposition(false, "released by its agency", &[])
        } else {
            disposition(
                lead || rank == 3,
                if lead || rank == 3 { "lead" } else { "no lead" },
                &SEEN[..if lead { 7 } else { rank % 4 }],
            )
        },
        second: if rank == 5 {
            disposition(false, "released by its agency", &[])
        } else {
            disposition(
                lead,
                if lead { "lead" } else { "no lead" },
                &SEEN[..if lead { 5 } else { rank % 3 }],
            )
        },
    }
}

pub(crate) fn report(candidates: usize) -> CompareReport {
    let times = [-900_000_i64, -840_000, -800_000, -799_900, -500_000, -60_000]
        .map(|before| ISSUED_CS.saturating_add_signed(before));
    let leaves = [
        ("inquiry opened", leaf(LeafKind::InquiryOpened, times[0])),
        ("asked", leaf(LeafKind::Asked, times[2])),
        ("answered", leaf(LeafKind::Answered, times[3])),
        ("reviewed by the first examiner", leaf(LeafKind::Reviewed, times[4])),
        ("reviewed by the second examiner", leaf(LeafKind::Reviewed, times[5])),
    ];
    let slmpd = "St. Louis Metropolitan Police Department";
    let event = |what: &str, time_cs, leaf| Event { what: what.to_owned(), time_cs, leaf };
    let measure = |name: &str, value: &str, advice: &str| Measure {
        name: name.to_owned(),
        value: value.to_owned(),
        advice: advice.to_owned(),
    };
    CompareReport {
        state: StateMark::Demo,
        inquiry: "0f3a9c5e7711d24408b6a1c0ffee2b91".to_owned(),
        issuer: "St. Louis Fusion Center, Real-Time Crime Center".to_owned(),
        issued_cs: ISSUED_CS,
        software: "smrt 0.1.0".to_owned(),
        policy: Some(Policy { version: "SO 5-27 of 2016-04-19".to_owned(), sha256: [0x5a; 32] }),
        request: Request {
            reference_kind: "Complaint number".to_owned(),
            reference: "26-004711".to_owned(),
            purpose: "Investigation, detection or analysis of crime".to_owned(),
            reason: "Robbery at Grand and Gravois on 2026-11-21, about 22:40. The suspect's face \
                is on the store's camera by the door; two witnesses \
                     describe the same jacket."
                .to_owned(),
            requester: person("Det. A. Ortiz", "4711", slmpd),
            operator: person("M. Okafor", "R-208", "St. Louis Fusion Center"),
            attestations: vec![
                "Not solely about speech or action protected by the First Amendment.".to_owned(),
                "The probe is a photo of the person sought: no sketch, composite, generated or \
                 other person's image."
                    .to_owned(),
            ],
        },
        events: vec![
            event("Inquiry opened", times[0], Some(0)),
            event("Probe received", times[1], None),
            event("Asked", times[2], Some(1)),
            event("Answered", times[3], Some(2)),
            event("First review completed", times[4], Some(3)),
            event("Second review completed", times[5], Some(4)),
        ],
        probe: Probe {
            source: "store camera 2, north-west door; still exported by the store's manager to a \
                USB stick"
                .to_owned(),
            original: Picture::Jpeg(ASTRONAUT.to_vec()),
            original_sha256: [0xa1; 32],
            searched: Picture::Jpeg(ASTRONAUT.to_vec()),
            searched_sha256: [0xa2; 32],
            edits: vec![
                Edit { what: "Rotated by 2.5 degrees, clockwise".to_owned(), sha256: [0xa3; 32] },
                Edit { what: "Exposure raised by 0.3 stops".to_owned(), sha256: [0xa2; 32] },
            ],
            face: Some([175.0, 60.0, 110.0, 140.0]),
            faces: 1,
            quality: vec![
                measure("Pixels between the eyes", "52", "enough"),
                measure(
                    "Sharpness",
                    "0.61",
                    "moderate; a still from nearer the camera would serve \
                    better",
                ),
                measure("Length of the embedding", "11.4", "good"),
                measure("Under-exposure", "0.02", ""),
            ],
            poor_because: None,
        },
        search: Search {
            model_name: "YuNet 2023mar and SFace 2021dec, mirrored".to_owned(),
            model: ModelId([0xd0; 32]),
            measured: Some(Measured {
                data_set: "LFW, one-to-many".to_owned(),
                model: hex::encode([0xd0; 32]),
                enrolled: 3_680,
                mated: 1_662,
                non_mated: 2_027,
                failed: 3,
                rank1: Some(0.976),
                rank10: Some(0.991),
                rank20: Some(0.995),
                rank50: None,
                fnir_at_10: Some(0.032),
                fnir_at_5: Some(0.041),
                fnir_at_1: Some(0.092),
                threshold_at_10: Some(0.443),
                threshold_at_5: Some(0.458),
                threshold_at_1: Some(0.52),
            }),
            origin: ORIGIN.to_owned(),
            leaves: 3,
            root: [0x33; 32],
            rows: 412_903,
            asked_for: 20,
        },
        candidates: (1..=candidates).map(candidate).collect(),
        first: Review {
            examiner: person("M. Okafor", "R-208", "St. Louis Fusion Center"),
            time_cs: times[4],
            leaf: 3,
        },
        second: Review {
            examiner: person("L. Haddad", "R-114", "St. Louis Fusion Center"),
            time_cs: times[5],
            leaf: 4,
        },
        proofs: proven(&leaves).split_off(1),
        evidence: None,
    }
}

pub(crate) fn evidence() -> Evidence {
    let slmpd = "St. Louis Metropolitan Police Department";
    Evidence {
        number: Some("P-26-118820".to_owned()),
        i_leads: Some("IL-26-55310".to_owned()),
        by: person("M. Okafor", "R-208", "St. Louis Fusion Center"),
        time_cs: ISSUED_CS,
        received: vec![
            Receipt {
                by: person("Det. A. Ortiz", "4711", slmpd),
                time_cs: ISSUED_CS + 360_000,
                what_for: "seized as evidence".to_owned(),
            },
            Receipt {
                by: person("S. Lindqvist", "P-07", slmpd),
                time_cs: ISSUED_CS + 720_000,
                what_for: "property room".to_owned(),
            },
        ],
    }
}
