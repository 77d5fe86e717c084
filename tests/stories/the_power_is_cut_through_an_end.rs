//! The power goes at each write and sync while an inquiry is ended: it is there as it was, or gone
//! with its key, its probe and a leaf, and the others are there whatever happens.

use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use smrt::audit::{Actor, Leaf, LeafKind};
use smrt::booking::{Identifier, Text};
use smrt::calendar::Span;
use smrt::disk::{Disk, read_whole};
use smrt::inquiry::{self, Action, Digest, Frame, InquiryId, Probe, Who};
use smrt::ledger::{Fated, Ledger, LedgerError, LedgerSetup};
use smrt::limits::DETAILS_KEPT_DAYS_MIN;
use smrt::roster::{Caller, CertificateName};
use smrt::vault::{Announced, Upload};

use crate::builders::{ledger_setup, request};
use crate::clocked::{MODEL_SET, StoryClock};
use crate::fake_disk::{Choices, FakeDisk};

const STATE: &str = "/state";
/// Those of the first, which ends, and of the second, which stays.
const PROBES: [&[u8]; 2] =
    [b"the first probe, whose term is over", b"the second probe, a year younger"];

fn open(disk: &FakeDisk, clock: &Arc<StoryClock>) -> Result<Ledger, LedgerError> {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    Ledger::open(LedgerSetup {
        clock: clock.clone(),
        ..ledger_setup(disk, Path::new(STATE), MODEL_SET.0.clone())
    })
}

/// An inquiry with its probe.
fn inquire(ledger: &Ledger, bytes: &[u8]) -> InquiryId {
    let id = |name| Identifier::parse(name).unwrap();
    let person = inquiry::Participant {
        id: id("operator"),
        badge: Text::parse("4711").unwrap(),
        agency: id("slmpd"),
    };
    let who =
        Who { person, may_operate: true, may_examine: false, may_command: false, may_audit: false };
    let device = Caller {
        name: CertificateName::parse("smrt:device/rtcc-1").unwrap(),
        fingerprint: Digest([1; 32]),
    };
    let today = time::OffsetDateTime::now_utc().date();
    let opened =
        ledger.open_inquiry(Actor::from(&device), who.clone(), request(), today, None).unwrap();
    let sha256 = Digest(digest(&SHA256, bytes).as_ref().try_into().unwrap());
    let announced = Announced { sha256, size: bytes.len() as u64 };
    ledger.upload(opened, announced, |mut upload| upload.put(0, bytes)).unwrap();
    ledger.upload(opened, announced, Upload::finish).unwrap();
    let faces = vec![Frame { x: 1, y: 2, width: 3, height: 4 }];
    let probe = Probe {
        sha256,
        bytes: announced.size,
        media_type: Text::parse("image/png").unwrap(),
        px: [9, 9],
        faces,
    };
    ledger.act(opened, who, 1, Action::ReceiveProbe(probe)).unwrap();
    opened
}

/// A disk with two inquiries, of which one is to end, and the clock by which it is.
fn base() -> (FakeDisk, Arc<StoryClock>, [InquiryId; 2]) {
    let (disk, clock) = (FakeDisk::with_folder(Path::new(STATE)), Arc::new(StoryClock::default()));
    let ledger = open(&disk, &clock).unwrap();
    let first = inquire(&ledger, PROBES[0]);
    clock.pass(Span::days(365));
    let second = inquire(&ledger, PROBES[1]);
    clock.pass(Span::days(DETAILS_KEPT_DAYS_MIN - 364));
    drop(ledger);
    (disk.copy(), clock, [first, second])
}

fn ends(ledger: &Ledger) -> usize {
    ledger
        .log()
        .unwrap()
        .iter()
        .filter(|leaf| Leaf::from_bytes(leaf).unwrap().kind == LeafKind::ProbesExpired)
        .count()
}

fn is_gone(ledger: &Ledger, id: InquiryId) -> bool {
    match ledger.probe(id) {
        Ok(probe) => {
            assert_eq!(probe.as_deref(), Some(PROBES[0]), "what is there is whole");
            false
        }
        Err(LedgerError::NotFound { .. }) => true,
        Err(e) => panic!("neither there nor gone: {}", e.chain()),
    }
}

#[test]
fn no_power_cut_leaves_an_inquiry_half_ended_or_takes_another_along() {
    let (base, clock, [first, second]) = base();
    let mut cuts = 0;
    for seed in 0..3 {
        for cut in 0.. {
            let disk = base.copy();
            disk.cut_at(cut);
            let done = open(&disk, &clock).and_then(|ledger| ledger.expire_inquiries());
            let left = disk.after_cut(&mut Choices::new(seed * 1_000_003 + cut));
            let ledger = open(&left, &clock)
                .unwrap_or_else(|e| panic!("cut at {cut}, seed {seed}: {}", e.chain()));
            assert_eq!(
                ledger.probe(second).unwrap().as_deref(),
                Some(PROBES[1]),
                "cut at {cut}, seed {seed}"
            );
            let (gone, told) = (is_gone(&ledger, first), ends(&ledger));
            assert_eq!(
                usize::from(gone),
                told,
                "cut at {cut}, seed {seed}: gone with its leaf, or neither"
            );
            assert!(
                gone || done.is_err(),
                "cut at {cut}, seed {seed}: what was acknowledged is done"
            );
            // Where it wasn't, the next look does it, once.
            assert!(ledger.expire_inquiries().unwrap());
            assert!(is_gone(&ledger, first) && ends(&ledger) == 1);
            if done.is_ok() {
                break;
            }
            cuts += 1;
        }
    }
    assert!(cuts >= 60, "{cuts} cuts");
}

#[test]
fn an_ended_inquirys_key_is_on_no_page_of_the_medium() {
    let (disk, clock, [first, second]) = base();
    let bytes = |name: &str| read_whole(&disk, &Path::new(STATE).join(name), 1 << 20).unwrap();
    let (anchor, slots) = (bytes("probe-slots-anchor.1"), bytes("probe-slots.1"));
    let ledger = open(&disk, &clock).unwrap();
    assert!(ledger.expire_inquiries().unwrap() && is_gone(&ledger, first));
    for page in disk.medium() {
        // Without the anchor the old slots' wrapped keys are noise; the probe's ciphertext is too.
        assert!(
            !page.windows(anchor.len()).any(|w| w == anchor),
            "the old epoch's key lies on the medium"
        );
    }
    assert_ne!(bytes("probe-slots.2")[..64], slots[..64]);
    assert_eq!(
        ledger.probe(second).unwrap().as_deref(),
        Some(PROBES[1]),
        "the other's key moved to the new epoch"
    );
}
