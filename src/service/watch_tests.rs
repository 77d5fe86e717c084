//! What the box does as time goes on, told by a clock that stands where a test puts it.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use time::macros::date;

use super::appliance::Service;
use super::credentials::Sound;
use super::error::ServiceError;
use super::people::{Acting, AtDesk};
use crate::audit::examples::example;
use crate::audit::touch::SearchApproval;
use crate::audit::{Actor, Alarm, CosignerKey, Detail, Entry, Leaf, LeafKind, Note, SampleFinding};
use crate::booking::{BookingNumber, Identifier, Text};
use crate::calendar::{Span, Time};
use crate::disk::RealDisk;
use crate::face::Edits;
use crate::gallery::EngineChoice;
use crate::ids::ProbeFileId;
use crate::inquiry::{self, Action, Digest, Frame, InquiryId, Probe, Quality, Request, Who};
use crate::ledger::{Fated, LedgerError, LedgerSetup, Member, ModelSet, SetClock};
use crate::limits::{DETAILS_KEPT_DAYS_MIN, REVIEW_DAYS_MAX, SAMPLE_DAYS_MAX};
use crate::retention::RetentionDays;
use crate::roster::{Caller, CertificateName, Person, Role};
use crate::store::StateKind;
use crate::vault::{Announced, Upload};

/// What stands for a photo where nobody looks at it.
const PROBE: &[u8] = b"a probe";
/// 2026-11-24, 18:40.
pub(super) const NOON: Time = Time::from_cs(179_554_560_000);
const HOUR: Span = Span::hours(1);
const MOMENT: Span = Span::from_cs(1);

/// The models, loaded once for all tests.
static MODEL_SET: LazyLock<Arc<ModelSet>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    Arc::new(
        ModelSet::open(&folder, None, EngineChoice::Cpu, 1)
            .unwrap_or_else(|e| panic!("run smrtctl model fetch: {}", e.chain())),
    )
});

const ROSTER: &str = include_str!("watch_tests.toml");

/// A box in a folder, with a clock.
pub(super) struct Home {
    folder: tempfile::TempDir,
    clock: Arc<SetClock>,
    roster: String,
}

impl Home {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(SetClock::at(NOON)),
            roster: ROSTER.to_owned(),
        }
    }

    pub(super) fn open(&self) -> Service {
        let setup = LedgerSetup {
            disk: Arc::new(RealDisk),
            state: self.folder.path().to_owned(),
            create_as: Some(StateKind::Test),
            origin: "test.example/log".to_owned(),
            master_key: vec![1; 32].into(),
            log_key: vec![2; 32].into(),
            models: MODEL_SET.clone(),
            clock: self.clock.clone(),
            anchor: None,
            reserve_bytes: 0,
            retention: RetentionDays::default(),
        };
        let credentials = Arc::new(Sound);
        Service::open(setup, toml::from_str(&self.roster).unwrap(), None, credentials, &mut |_| {})
            .unwrap_or_else(|e| panic!("{}", e.chain()))
    }
}

pub(super) fn caller(name: &str) -> Caller {
    Caller { name: CertificateName::parse(name).unwrap(), fingerprint: Digest([0; 32]) }
}

/// A device by itself.
fn device(id: &str) -> Acting {
    Acting::Device(caller(&format!("smrt:device/{id}")))
}

fn request() -> Request {
    serde_json::from_value(serde_json::json!({
        "requester": {"name": "Det. A. Ortiz", "badge": "2210", "agency": "slmpd"},
        "reference": {"kind": "complaint_number", "number": "26-004711"},
            "purpose": {"kind": "crime"},
        "reason": "robbery at Grand and Gravois, a suspect on camera",
            "probe_source": "store camera",
        "attestations": {"not_solely_protected": true, "shows_person_sought": true,
            "source_as_stated": true}
    }))
    .unwrap()
}

pub(super) fn operator() -> Person {
    let text = |text| Text::parse(text).unwrap();
    Person {
        id: Identifier::parse("diaz").unwrap(),
        name: text("R. Diaz"),
        badge: text("4711"),
        agency: Identifier::parse("slmpd").unwrap(),
        role: Role::Operator,
        trained_until: date!(2099 - 12 - 31),
        temporary_until_cs: None,
    }
}

fn search(service: &Service) -> ServiceError {
    let desk = AtDesk {
        caller: caller("smrt:device/rtcc-1"),
        device: Identifier::parse("rtcc-1").unwrap(),
        person: operator(),
    };
    service
        .open_inquiry(&desk, Request { reason: "investigation".to_owned(), ..request() })
        .expect_err("its reason says nothing")
}

/// Has a search asked for that nobody answers; gives its inquiry.
fn asked(service: &Service) -> InquiryId {
    let Person { id, badge, agency, .. } = operator();
    let who = Who {
        person: inquiry::Participant { id, badge, agency },
        may_operate: true,
        may_examine: false,
        may_command: false,
        may_audit: false,
    };
    let (ledger, actor) = (service.ledger(), Actor::at(&caller("smrt:device/rtcc-1"), &operator()));
    let opened =
        ledger.open_inquiry(actor.clone(), who.clone(), request(), service.today(), None).unwrap();
    let frame = Frame { x: 0, y: 0, width: 9, height: 9 };
    let announced = Announced { sha256: Digest::of(PROBE), size: PROBE.len() as u64 };
    let whole =
        |mut upload: Upload| upload.put(0, PROBE).and_then(|put| upload.finish().map(|_| put));
    ledger.upload(opened, announced, whole).unwrap();
    let (sha256, media_type) = (announced.sha256, Text::parse("image/png").unwrap());
    let probe =
        Probe { sha256, bytes: announced.size, media_type, px: [64, 64], faces: vec![frame] };
    ledger.act(opened, who.clone(), 1, Action::ReceiveProbe(probe)).unwrap();
    let (edits, quality) = (Edits::default(), Quality::default());
    let choice = inquiry::Choice {
        face: 0,
        faces: 1,
        frame,
        edits,
        searched: Digest([2; 32]),
        searched_px: [64, 64],
        quality,
        reason: None,
    };
    ledger.act(opened, who.clone(), 2, Action::ChooseFace(choice)).unwrap();
    let Detail::Asked { approval, touch, key, .. } = example(LeafKind::Asked) else {
        panic!("it is of its kind")
    };
    ledger.ask(opened, actor, who, SearchApproval { revision: 3, ..approval }, touch, key).unwrap();
    opened
}

fn standing(service: &Service) -> Vec<Alarm> {
    service.alarms().into_iter().map(|raised| raised.alarm).collect()
}

fn kinds(service: &Service) -> Vec<LeafKind> {
    let leaves = service.ledger().log().unwrap();
    assert!(
        leaves.iter().map(|leaf| Entry::read(leaf).unwrap().time()).is_sorted(),
        "no leaf is dated before the one before it"
    );
    let kind = |leaf: &Vec<u8>| match Entry::read(leaf).unwrap() {
        Entry::Known(view) => view.kind,
        Entry::Foreign { .. } => panic!("all are of this version"),
    };
    leaves.iter().map(kind).collect()
}

/// The kind of the newest leaf, what it follows and its counts.
fn last(service: &Service) -> (LeafKind, Vec<u64>, Vec<u64>) {
    let leaf = Leaf::from_bytes(service.ledger().log().unwrap().last().unwrap()).unwrap();
    (leaf.kind, leaf.follows, leaf.counts)
}

#[test]
fn nobody_searches_while_the_clock_stands_behind_the_newest_leaf_and_agencies_go_on() {
    let home = Home::new();
    let service = home.open();
    assert!(
        matches!(search(&service), ServiceError::Ledger(LedgerError::Step(_))),
        "the clock is right"
    );
    home.clock.set(NOON - HOUR);
    assert!(
        matches!(
            search(&service),
            ServiceError::Ledger(LedgerError::ClockBehind { seconds: 3_600 })
        ),
        "at once, whoever has looked"
    );
    service.guard.look().unwrap();
    assert_eq!(standing(&service), [Alarm::ClockBehind]);
    let released = service.release(
        &caller("smrt:agency/slmpd/feed"),
        &BookingNumber::parse("26-1").unwrap(),
        "expunged",
    );
    assert!(
        matches!(released, Err(ServiceError::Ledger(LedgerError::NotFound { .. }))),
        "a release is looked at as ever"
    );
    service.close().unwrap();
    drop(service);

    let service = home.open();
    assert!(
        matches!(search(&service), ServiceError::Ledger(LedgerError::ClockBehind { .. })),
        "a start behind the newest leaf is no better"
    );
    home.clock.pass(HOUR);
    service.guard.look().unwrap();
    assert!(
        standing(&service).is_empty()
            && matches!(search(&service), ServiceError::Ledger(LedgerError::Step(_)))
    );
    let kinds = kinds(&service);
    let of = |kind| kinds.iter().filter(|&&k| k == kind).count();
    assert_eq!(
        (of(LeafKind::ClockStepped), of(LeafKind::AlarmRaised), of(LeafKind::AlarmCleared)),
        (1, 1, 1)
    );
}

#[test]
fn a_clock_that_went_ahead_is_doubted_until_the_time_source_agrees() {
    let home = Home::new();
    let service = home.open();
    home.clock.pass(HOUR);
    service.guard.look().unwrap();
    assert!(!service.is_expiry_frozen());
    let right = NOON + Span::hours(3) + Span::seconds(1);
    home.clock.set(right);
    service.guard.look().unwrap();
    assert!(service.is_expiry_frozen() && standing(&service) == [Alarm::ClockAhead]);
    service.close().unwrap();
    drop(service);
    let service = home.open();
    service.guard.look().unwrap();
    assert!(service.is_expiry_frozen(), "a restart is no reason to believe it");
    let admin = device("admin-1");
    assert!(matches!(
        service.confirm_clock(&device("rtcc-1"), right.in_calendar().unwrap()),
        Err(ServiceError::Roster(_))
    ));
    assert!(matches!(
        service.confirm_clock(&admin, (right - HOUR).in_calendar().unwrap()),
        Err(ServiceError::ClockDisagrees { seconds: 3_600 })
    ));
    assert!(service.is_expiry_frozen());
    service.confirm_clock(&admin, right.in_calendar().unwrap()).unwrap();
    assert!(!service.is_expiry_frozen() && standing(&service).is_empty());
    assert!(
        matches!(
            service.confirm_clock(&admin, right.in_calendar().unwrap()),
            Err(ServiceError::Ledger(LedgerError::NotFound { .. }))
        ),
        "nobody doubts it any more"
    );
}

#[test]
fn a_log_left_alone_by_its_witnesses_raises_an_alarm_until_they_cosign() {
    let mut home = Home::new();
    let court = CosignerKey::new("court.example", &[7; 32]).unwrap();
    home.roster += &format!(
        "[[witness]]\nid = \"court\"\nname = \"Clerk\"\nkey = \"{}\"\n[quorum]\nwitnesses = \
         1\nwithin_minutes = 60\n",
        court.verifier()
    );
    let service = home.open();
    home.clock.pass(HOUR);
    service.guard.look().unwrap();
    assert!(standing(&service).is_empty(), "an hour is what they have");
    home.clock.pass(MOMENT);
    service.guard.look().unwrap();
    assert_eq!(standing(&service), [Alarm::Unwitnessed]);
    let witness = caller("smrt:witness/court");
    let mut note = Note::parse(&service.pending_checkpoint(&witness).unwrap()).unwrap();
    court.cosign(&mut note, (NOON + HOUR).seconds());
    assert!(service.cosign(&witness, &note.to_string()).unwrap().complete);
    service.guard.look().unwrap();
    assert!(standing(&service).is_empty());
    assert!(kinds(&service).ends_with(&[LeafKind::AlarmRaised, LeafKind::AlarmCleared]));
}

#[test]
fn refusals_and_reads_of_an_hour_are_two_leaves_a_caller_and_survive_a_restart() {
    let home = Home::new();
    let service = home.open();
    for _ in 0..5 {
        search(&service);
    }
    let witness = caller("smrt:agency/slmpd/feed");
    let tile = crate::audit::TileId { holds: crate::audit::Holds::Entries, index: 0, width: 1 };
    for _ in 0..3 {
        service.tile(&witness, tile).unwrap();
    }
    let of = |service: &Service, kind| kinds(service).iter().filter(|&&k| k == kind).count();
    assert_eq!((of(&service, LeafKind::SearchRefused), of(&service, LeafKind::LogRead)), (1, 1));
    service.close().unwrap();
    drop(service);
    let service = home.open();
    search(&service);
    assert_eq!(
        (of(&service, LeafKind::SearchRefused), of(&service, LeafKind::LogRead)),
        (1, 2),
        "reads end with the daemon, refusals wait"
    );
    home.clock.pass(HOUR);
    service.guard.look().unwrap();
    assert_eq!(
        (of(&service, LeafKind::SearchRefused), of(&service, LeafKind::RefusalsGathered)),
        (1, 1)
    );
    let (leaves, at) = (
        service.ledger().log().unwrap(),
        kinds(&service).iter().position(|k| *k == LeafKind::RefusalsGathered).unwrap(),
    );
    let Entry::Known(view) = Entry::read(&leaves[at]).unwrap() else {
        panic!("it is of this version")
    };
    assert_eq!(view.counts().collect::<Vec<_>>(), [LeafKind::SearchRefused as u64, 5]);
    let detail = service.ledger().detail(at as u64).unwrap().unwrap();
    assert_eq!(
        (detail["refusals"].as_u64(), detail["kept"].as_array().unwrap().len()),
        (Some(5), 5)
    );
    assert_eq!(detail["kept"][0]["request"]["requester"]["name"], "Det. A. Ortiz");
    search(&service);
    assert_eq!(
        of(&service, LeafKind::SearchRefused),
        2,
        "another hour begins with a leaf of its own"
    );
}

#[test]
fn another_roster_is_a_leaf_and_the_same_one_is_none() {
    let mut home = Home::new();
    for (roster, changes) in [
        (ROSTER.to_owned(), 0),
        (ROSTER.to_owned(), 0),
        (ROSTER.replace("desk 1", "desk 2"), 1),
        (ROSTER.replace("desk 1", "desk 2"), 1),
    ] {
        home.roster = roster;
        let service = home.open();
        assert_eq!(
            kinds(&service).iter().filter(|&&kind| kind == LeafKind::RosterChanged).count(),
            changes
        );
        service.close().unwrap();
    }
}

#[test]
fn details_are_gone_after_their_term_and_a_leaf_names_them() {
    let home = Home::new();
    let service = home.open();
    search(&service);
    home.clock.pass(Span::days(DETAILS_KEPT_DAYS_MIN) - HOUR);
    service.guard.look().unwrap();
    let kept = service.ledger().leaves();
    assert!(
        (0..2).all(|leaf| service.ledger().detail(leaf).unwrap().is_some()),
        "not a day too early"
    );
    home.clock.pass(HOUR + MOMENT);
    service.guard.look().unwrap();
    assert!((0..2).all(|leaf| service.ledger().detail(leaf).unwrap().is_none()));
    assert!((2..kept).all(|leaf| service.ledger().detail(leaf).unwrap().is_some()));
    let leaves = service.ledger().log().unwrap();
    let at = kinds(&service).iter().position(|k| *k == LeafKind::DetailsExpired).unwrap();
    let Entry::Known(view) = Entry::read(&leaves[at]).unwrap() else {
        panic!("it is of this version")
    };
    assert_eq!(view.counts().collect::<Vec<_>>(), [0, 2]);
    let opened = service.open_details(&device("audit-1"), 0..3).unwrap();
    assert_eq!(
        opened.iter().map(|opened| opened.leaf).collect::<Vec<_>>(),
        [2],
        "what has expired is left out"
    );
    assert_eq!(
        last(&service),
        (LeafKind::DetailsOpened, vec![], vec![3]),
        "how many were asked for, and not which"
    );
}

/// An auditor goes through the log.
fn went_through(service: &Service) {
    let person = Person { role: Role::Auditor, ..operator() };
    let desk = AtDesk {
        caller: caller("smrt:device/audit-1"),
        device: Identifier::parse("audit-1").unwrap(),
        person,
    };
    let end = service.log_review(&desk).unwrap().end;
    service.review_log(&desk, end, &Text::parse("nothing unusual").unwrap()).unwrap();
}

#[test]
fn a_sample_and_its_reviews_are_due_and_their_lateness_is_an_alarm() {
    let home = Home::new();
    let service = home.open();
    let auditor = device("audit-1");
    let inquiries: Vec<InquiryId> = (0..40).map(|_| asked(&service)).collect();
    home.clock.pass(Span::days(SAMPLE_DAYS_MAX) + MOMENT);
    service.guard.look().unwrap();
    assert_eq!(standing(&service), [Alarm::AuditOverdue], "no sample was drawn in a month");
    let leaves = service.ledger().leaves();
    assert!(matches!(
        service.draw_sample(&device("rtcc-1"), 7, 500_000, 0..leaves),
        Err(ServiceError::Roster(_))
    ));
    for (rate, range) in [(0, 0..9), (1_000_001, 0..9), (5, 0..leaves + 9), (5, 9..9)] {
        assert!(matches!(
            service.draw_sample(&auditor, 7, rate, range),
            Err(ServiceError::Sample { .. })
        ));
    }
    assert_eq!(standing(&service), [Alarm::AuditOverdue]);
    went_through(&service);
    let drawn = service.draw_sample(&auditor, 7, 500_000, 0..leaves).unwrap();
    assert!(drawn.population == 40 && (10..30).contains(&drawn.asked.len()), "{drawn:?}");
    service.guard.look().unwrap();
    assert!(standing(&service).is_empty());
    let none = (2..leaves).find(|leaf| !drawn.asked.contains(leaf)).unwrap();
    let review = |asked, finding| {
        service.review_sample(&auditor, drawn.leaf, asked, finding, "looked at".to_owned())
    };
    assert!(
        matches!(
            review(none, SampleFinding::InOrder),
            Err(ServiceError::Ledger(LedgerError::NotFound { .. }))
        ),
        "it is none of the sample"
    );
    home.clock.pass(Span::days(REVIEW_DAYS_MAX) + MOMENT);
    went_through(&service);
    service.guard.look().unwrap();
    assert_eq!(standing(&service), [Alarm::AuditOverdue], "its reviews are late");
    for &asked in &drawn.asked {
        review(asked, SampleFinding::InOrder).unwrap();
    }
    review(drawn.asked[0], SampleFinding::Misuse).unwrap();
    assert_eq!(
        last(&service),
        (LeafKind::SampleReviewed, vec![drawn.leaf], vec![]),
        "its leaf accuses nobody"
    );
    assert_eq!(service.open_probe(&auditor, inquiries[7]).unwrap(), PROBE);
    assert_eq!(last(&service), (LeafKind::ProbeOpened, vec![], vec![]), "and warns nobody");
    service.guard.look().unwrap();
    assert!(standing(&service).is_empty());
    let samples = service.samples(&auditor).unwrap();
    assert_eq!(
        (samples.len(), samples[0].reviewed.len()),
        (1, drawn.asked.len()),
        "the last word on each counts"
    );
    assert!(samples[0].reviewed.contains(&(drawn.asked[0], SampleFinding::Misuse)));
}

#[test]
fn an_alarm_stands_through_a_restart_until_what_it_is_about_is_found_right() {
    let home = Home::new();
    let service = home.open();
    assert!(standing(&service).is_empty(), "a folder for tests needs none");
    let raised = service.guard.raise(Alarm::DiskLow, "a test".to_owned());
    raised.and_then(|()| service.guard.raise(Alarm::DiskLow, "again".to_owned())).unwrap();
    service.close().unwrap();
    drop(service);
    let service = home.open();
    assert_eq!(
        service.alarms()[0].what,
        "a test",
        "what was wrong before a restart is wrong after it until somebody has looked"
    );
    service.guard.look().unwrap();
    assert!(standing(&service).is_empty());
}

/// How many leaves there are of a kind.
pub(super) fn count(service: &Service, kind: LeafKind) -> usize {
    kinds(service).iter().filter(|&&found| found == kind).count()
}

/// Has a search asked for that never ends otherwise than interrupted.
fn interrupted(service: &Service) -> InquiryId {
    let inquiry = asked(service);
    service.ledger().interrupt(inquiry).unwrap();
    inquiry
}

#[test]
fn what_a_clock_in_doubt_says_destroys_nothing() {
    let home = Home::new();
    let service = home.open();
    let inquiry = interrupted(&service);
    service.guard.look().unwrap();
    let right = NOON + Span::days(4 * 366);
    home.clock.set(right);
    for _ in 0..2 {
        service.guard.look().unwrap();
    }
    assert!(standing(&service).contains(&Alarm::ClockAhead));
    assert_eq!(
        (count(&service, LeafKind::ProbesExpired), count(&service, LeafKind::DetailsExpired)),
        (0, 0)
    );
    assert_eq!(service.ledger().probe(inquiry).unwrap().as_deref(), Some(PROBE));
    // The time source agrees: it was four years.
    service.confirm_clock(&device("admin-1"), right.in_calendar().unwrap()).unwrap();
    service.guard.look().unwrap();
    assert_eq!(
        (count(&service, LeafKind::ProbesExpired), count(&service, LeafKind::DetailsExpired)),
        (1, 1)
    );
    assert!(matches!(service.ledger().probe(inquiry), Err(LedgerError::NotFound { .. })));
}

#[test]
fn a_start_finishes_the_end_of_an_inquiry_that_a_crash_began() {
    let home = Home::new();
    let (inquiry, staying) = {
        let service = home.open();
        let (inquiry, staying) = (interrupted(&service), interrupted(&service));
        let core = service.ledger().core();
        let row = core.store().inquiry(inquiry).unwrap().unwrap();
        // As far as the first commit, and the key; then the power went.
        let rest = crate::store::InquiryRow { record: Vec::new(), ..row };
        core.store()
            .commit::<crate::store::StoreError>(|tables| tables.put_inquiry(inquiry, &rest))
            .unwrap();
        core.vault().probes.destroy_key(rest.slot).unwrap();
        (inquiry, staying)
    };
    let service = home.open();
    assert_eq!(count(&service, LeafKind::ProbesExpired), 1);
    let core = service.ledger().core();
    assert_eq!(
        (
            core.store().inquiry_even_if_ending(inquiry).unwrap(),
            core.store().ending_inquiries().unwrap()
        ),
        (None, Vec::new())
    );
    assert!(!core.vault().probes.photo_ids().unwrap().contains(&ProbeFileId::from(inquiry)));
    assert_eq!(service.ledger().probe(staying).unwrap().as_deref(), Some(PROBE));
    drop(service);
    assert_eq!(count(&home.open(), LeafKind::ProbesExpired), 1, "once");
}

#[test]
fn accounts_stand_while_the_clock_is_in_doubt_and_go_off_once_it_is_confirmed() {
    let home = Home::new();
    let service = home.open();
    let account = crate::roster::Account::new(operator(), NOON).unwrap();
    let member = Member { account, key: None, code: None };
    let core = service.ledger().core();
    core.store().commit::<LedgerError>(|tables| core.put_member(tables, &member)).unwrap();
    service.guard.look().unwrap();
    let off = NOON + Span::days(100);
    home.clock.set(off);
    service.guard.look().unwrap();
    service.guard.look().unwrap();
    assert_eq!(
        count(&service, LeafKind::AccountOff),
        0,
        "whoever set the clock ahead turns nobody off"
    );
    service.confirm_clock(&device("admin-1"), off.in_calendar().unwrap()).unwrap();
    service.guard.look().unwrap();
    assert_eq!(count(&service, LeafKind::AccountOff), 1);
}
