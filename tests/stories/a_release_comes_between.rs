//! An agency's release, and a crash, at the worst moments of a search: between the touch and the
//! answer. The box's own state folder is worked on between two runs of the daemon, where each
//! moment stands still.

use smrt::api::wire::InquiryView;
use smrt::audit::touch::{FaceBox, SearchApproval, verify_registration};
use smrt::audit::{Actor, LeafKind};
use smrt::booking::{Identifier, VersionId};
use smrt::client::console_session::ConsoleSession;
use smrt::client::software_key::SoftwareKey;
use smrt::face::Edits;
use smrt::ids::Digest;
use smrt::inquiry::{Participant, Stage, Who};
use smrt::ledger::Ledger;
use smrt::roster::{Caller, CertificateName, Role};

use crate::builders::request;
use crate::daemon::Daemon;
use crate::desks::{person, refused, relying_party};
use crate::photos::{BIDEN, COLLINS, OBAMA, OBAMA_LATER, photo};
use crate::site::{ORIGIN, Site, booking, number};

fn enrol(daemon: &Daemon<'_>) -> Vec<VersionId> {
    let feed = daemon.feed("slmpd");
    let push = |(n, path): (&str, &str)| {
        feed.put_booking(&number(n), &booking(&format!("Person {n}")), &photo(path))
            .unwrap()
            .version
    };
    [("26-1", OBAMA), ("26-2", BIDEN), ("26-3", COLLINS)].map(push).to_vec()
}

fn chosen(desk: &ConsoleSession) -> InquiryView {
    let probed = desk.hand_over(&desk.open(&request()).unwrap(), &photo(OBAMA_LATER)).unwrap();
    desk.choose(&probed, None, Edits::default(), None).unwrap().view
}

fn feed() -> Caller {
    Caller {
        name: CertificateName::parse("smrt:agency/slmpd/feed").unwrap(),
        fingerprint: Digest([0; 32]),
    }
}

fn actor() -> Actor {
    Actor::from(&Caller {
        name: CertificateName::parse("smrt:device/rtcc-1").unwrap(),
        fingerprint: Digest([1; 32]),
    })
}

/// Has the box write that this search was asked for, as it does once it has verified the touch, and
/// leaves it at that.
fn ask(ledger: &Ledger, view: &InquiryView) -> u64 {
    let of = person("op-rtcc-1", Role::OperatorExaminer);
    let who = Who {
        person: Participant { id: of.id.clone(), badge: of.badge, agency: of.agency },
        may_operate: true,
        may_examine: true,
        may_command: false,
        may_audit: false,
    };
    let mut key = SoftwareKey::new().unwrap();
    let kept =
        verify_registration(&key.register(&[0; 32], &relying_party()), &[0; 32], &relying_party())
            .unwrap();
    let approval = SearchApproval {
        log: ORIGIN.to_owned(),
        inquiry: view.inquiry,
        revision: view.revision,
        fields_sha256: Digest([5; 32]),
        probe_sha256: Digest([6; 32]),
        searched_sha256: Digest([7; 32]),
        face: FaceBox { left: 1, top: 2, width: 3, height: 4 },
        edits: Vec::new(),
        candidates: 20,
        operator: of.id,
        device: Identifier::parse("rtcc-1").unwrap(),
        certificate_sha256: Digest([1; 32]),
        model: ledger.model(),
        expires: 1_790_000_060,
        nonce: [8; 32],
    };
    let touch = key.touch(&approval.challenge(), &relying_party()).unwrap();
    ledger.ask(view.inquiry, actor(), who, approval, touch, kept).unwrap()
}

#[test]
fn a_booking_released_between_touch_and_answer_is_in_no_answer() {
    let site = Site::staffed();
    let daemon = site.start("test");
    let bookings = enrol(&daemon);
    let desk = daemon.desk("rtcc-1");
    let view = chosen(&desk);
    assert_eq!(daemon.stop(), Some(0));
    let ledger = site.ledger();
    let asked = ask(&ledger, &view);
    let found: Vec<(VersionId, f64)> =
        bookings.iter().zip([0.9, 0.5, 0.1]).map(|(version, score)| (*version, score)).collect();
    ledger
        .release(&feed(), &Identifier::parse("slmpd").unwrap(), &number("26-1"), "expunged")
        .unwrap();
    let before = ledger.leaves();
    let gone = ledger.answer(view.inquiry, actor(), &ledger.generation(), found.clone()).unwrap();
    assert_eq!((gone, ledger.leaves()), (vec![bookings[0]], before), "nothing was answered");
    let gone =
        ledger.answer(view.inquiry, actor(), &ledger.generation(), found[1..].to_vec()).unwrap();
    assert_eq!(gone, []);
    drop(ledger);
    let log = site.log();
    let answered = log.iter().find(|(kind, _)| *kind == LeafKind::Answered).unwrap();
    assert!(!answered.1.to_string().contains(&bookings[0].to_string()), "{}", answered.1);
    assert_eq!(
        log[usize::try_from(asked).unwrap()].1["search"],
        answered.1["search"],
        "the log pairs"
    );
    let daemon = site.start("test");
    let shown = daemon.desk("rtcc-1").inquiry(view.inquiry).unwrap();
    assert!(
        shown.stage == Stage::Answered
            && shown.candidates.iter().all(|candidate| candidate.version != bookings[0])
    );
}

#[test]
fn a_search_cut_off_by_a_crash_is_interrupted_and_takes_another_touch() {
    let site = Site::staffed();
    let daemon = site.start("test");
    enrol(&daemon);
    let view = chosen(&daemon.desk("rtcc-1"));
    assert_eq!(daemon.stop(), Some(0));
    let ledger = site.ledger();
    let asked = ask(&ledger, &view);
    // The process is gone before the search has run.
    drop(ledger);
    let daemon = site.start("test");
    let desk = daemon.desk("rtcc-1");
    let after = desk.inquiry(view.inquiry).unwrap();
    assert_eq!(after.stage, Stage::FaceChosen);
    refused(desk.approve(&view), 409, "changed-meanwhile", "decided on revision");
    let answered = desk.approve(&after).unwrap().view;
    assert_eq!((answered.stage, answered.candidates.len()), (Stage::Answered, 3));
    assert_eq!(daemon.stop(), Some(0));
    let log = site.log();
    let search = |index: usize| log[index].1["search"].clone();
    let interrupted: Vec<_> =
        (0..log.len()).filter(|&at| log[at].0 == LeafKind::Interrupted).map(search).collect();
    assert_eq!(interrupted, [search(usize::try_from(asked).unwrap())]);
    let count = |wanted| log.iter().filter(|(kind, _)| *kind == wanted).count();
    assert_eq!(
        (count(LeafKind::Asked), count(LeafKind::Answered)),
        (2, 1),
        "each search has its end"
    );
}
