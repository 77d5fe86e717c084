//! A made-up shift: people, inquiries at every stage, and all pages over them.

use std::collections::BTreeMap;

use maud::Markup;
use serde_json::json;
use time::macros::date;

use super::super::*;
use crate::audit::touch::{Credential, Registration, RelyingParty, verify_registration};
use crate::audit::{Alarm, Finding as AuditFinding, LeafKind};
use crate::booking::{BookingNumber, Identifier, Text, VersionId};
use crate::embed::{Measure as Measured, QualitySheet, Reading, Verdict};
use crate::face::{Edit, Edits, ModelId};
use crate::inquiry::{
    Action, Choice, Digest, Disposition, Event, Feature, Finding, Frame, Handover, Inquiry,
    InquiryId, NumberPattern, Observation, Outcome, Person as Part_, Probe, Quality, Request,
    SPECIAL_ORDER, SPECIAL_ORDER_VERSION, SearchId, Seen, Shortfall, Upshot, Who,
};
use crate::report::Period;
use crate::roster::{Account, Off, OffReason, Person, Rhythm, Role};
use crate::service::{AccountStanding, Doors, Drawn, Grant, LogReview, Raised, Witnessing};
use crate::store::StateKind;

pub(super) const NOW: u64 = 179_548_200_000;
const HOUR: u64 = 360_000;
const DAY: u64 = 24 * HOUR;

pub(super) fn text(of: &str) -> Text {
    Text::parse(of).unwrap()
}

pub(super) fn id(of: &str) -> Identifier {
    Identifier::parse(of).unwrap()
}

pub(super) fn person(name: &str, words: &str, badge: &str, agency: &str, role: Role) -> Person {
    Person {
        id: id(name),
        name: text(words),
        badge: text(badge),
        agency: id(agency),
        role,
        trained_until: date!(2027 - 06 - 30),
        temporary_until_cs: None,
    }
}

pub(super) fn operator() -> Person {
    person("m-weber", "Maria Weber", "DSN 2204", "slmpd", Role::OperatorExaminer)
}

pub(super) fn second() -> Person {
    person("j-okafor", "James Okafor", "DSN 3117", "slcpd", Role::Examiner)
}

fn administrator() -> Person {
    person("t-lind", "Tove Lind", "CIV 88", "slfc", Role::Administrator)
}

fn commander() -> Person {
    person("r-hayes", "Capt. Ruth Hayes", "DSN 1002", "slmpd", Role::Commander)
}

fn auditor() -> Person {
    person("p-novak", "Petra Novak", "A-17", "slfc", Role::Auditor)
}

pub(super) fn desk(person: Person, state: StateKind) -> Desk {
    let alarms = usize::from(person.role == Role::Administrator);
    Desk { state, person, device: id("rtcc-3"), alarms, now_cs: NOW }
}

fn who(person: &Person) -> Who {
    let part =
        Part_ { id: person.id.clone(), badge: person.badge.clone(), agency: person.agency.clone() };
    Who {
        person: part,
        may_operate: person.role.may(crate::roster::Duty::Operate),
        may_examine: person.role.may(crate::roster::Duty::Examine),
    }
}

/// An inquiry on its way, and whoever takes its next step.
#[derive(Clone)]
pub(super) struct Way(pub(super) Inquiry);

impl Way {
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
            NOW - 5 * HOUR,
        );
        Self(opened.unwrap())
    }

    pub(super) fn act(mut self, by: &Person, action: Action) -> Self {
        let revision = self.0.revision();
        self.0.act(&who(by), revision, NOW - HOUR, action).unwrap();
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
        self.0.happen(NOW - HOUR, Event::Answered { candidates, leaf: 40_113 }).unwrap();
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
            .act(&operator(), Action::ClaimFirst)
    }

    pub(super) fn second_review() -> Self {
        let first = Self::first_review()
            .disposed(&operator(), 8, &[0, 2])
            .act(&operator(), Action::Finish { leaf: 40_140 });
        first.act(&second(), Action::ClaimSecond)
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

    fn closed() -> Self {
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

    fn withdrawn() -> Self {
        let reason = "The complainant found the wallet at home.".to_owned();
        Self::opened(8, "26-041903").act(&operator(), Action::Withdraw { reason })
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
    let measures = sheet.0.iter().map(|reading| crate::inquiry::Measure {
        name: text(reading.measure.label()),
        value: reading.value,
    });
    let short = sheet.0.iter().filter(|reading| reading.verdict != Verdict::Fine);
    let shortfalls = short.map(|reading| Shortfall {
        name: text(reading.measure.label()),
        blocks: reading.measure.blocks() && reading.verdict == Verdict::Poor,
    });
    Quality { measures: measures.collect(), shortfalls: shortfalls.collect() }
}

pub(super) fn sheet() -> QualitySheet {
    let values = [6.1, 38.5, 0.91, 0.08, 100.0, 71.2, 1_204.0, 0.11, 0.0, 0.62, 78.4];
    let verdict = |measure| match measure {
        Measured::EmbeddingLength => Verdict::Poor,
        Measured::EyesApart | Measured::Sharpness | Measured::UnderExposure => Verdict::Low,
        _ => Verdict::Fine,
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

pub(super) fn shown() -> Vec<Shown> {
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
        Shown { version: version(rank), biography: Some(biography), face }
    };
    (0..8).map(shown).collect()
}

fn key() -> Credential {
    let line = include_str!("../../audit/touch/chromium_keys.jsonl").lines().next().unwrap();
    let recorded: serde_json::Value = serde_json::from_str(line).unwrap();
    let registration: Registration =
        serde_json::from_value(recorded["registration"].clone()).unwrap();
    verify_registration(
        &registration,
        &[7; 32],
        &RelyingParty::new("http://localhost:8765").unwrap(),
    )
    .unwrap()
}

fn accounts() -> Vec<AccountStanding> {
    let standing = |person: Person, used: u64| {
        let mut account = Account::new(person, NOW - 300 * DAY).unwrap();
        account.logged_on(NOW - used);
        AccountStanding { account, key: Some(key()), review_due: false }
    };
    let mut all: Vec<AccountStanding> =
        [operator(), second(), administrator(), commander(), auditor()]
            .map(|person| standing(person, 3 * HOUR))
            .into();
    all[1].account.locked = Some(39_990);
    all[4].review_due = true;
    all[4].account.reviewed_cs = NOW - 366 * DAY;
    let mut temporary =
        standing(person("k-bauer", "Karl Bauer", "DSN 5120", "slcpd", Role::Examiner), DAY);
    temporary.account.person.temporary_until_cs = Some(NOW + 20 * HOUR);
    temporary.key = None;
    let mut off =
        standing(person("a-silva", "Ana Silva", "DSN 2871", "slmpd", Role::Operator), 91 * DAY);
    off.account.off = Some(Off { since_cs: NOW - 12 * DAY, why: OffReason::Unused });
    all.extend([temporary, off]);
    all
}

fn grant_of(person: Person, key: Option<Credential>) -> Grant {
    Grant { person, key, asked_by: administrator(), asked_cs: NOW - 26 * HOUR, leaf: 40_001 }
}

fn agencies() -> Vec<AgencyChoice> {
    let agency = |name: &str, words: &str, pattern: Option<&str>| AgencyChoice {
        id: id(name),
        name: text(words),
        pattern: pattern.map(|pattern| NumberPattern::parse(pattern).unwrap()),
    };
    vec![
        agency("slmpd", "Metropolitan Police Department, City of St. Louis", Some("99-999999")),
        agency("slcpd", "St. Louis County Police", None),
        agency("slfc", "St. Louis Fusion Center", None),
    ]
}

fn drawn() -> Vec<Drawn> {
    let sample = |leaf: u64, reviewed: Vec<(u64, AuditFinding)>, due_cs: u64| Drawn {
        seeded: leaf - 1,
        leaf,
        time_cs: NOW - 31 * DAY,
        population: 412,
        asked: vec![31_007, 33_415, 38_220],
        reviewed,
        due_cs,
    };
    vec![
        sample(
            33_901,
            vec![(31_007, AuditFinding::InOrder), (33_415, AuditFinding::Irregular)],
            NOW - DAY,
        ),
        sample(39_720, vec![], NOW + 24 * DAY),
    ]
}

fn alarms_standing() -> Vec<Raised> {
    vec![
        Raised {
            alarm: Alarm::Unwitnessed,
            leaf: Some(40_090),
            what: "no quorum has cosigned the log for 95 minutes".to_owned(),
        },
        Raised {
            alarm: Alarm::ClockAhead,
            leaf: Some(40_101),
            what: "the clock went ahead by 4,103 seconds more than time passed".to_owned(),
        },
    ]
}

/// Every page with its name, in this kind of state folder.
pub(super) fn pages(state: StateKind) -> BTreeMap<&'static str, Markup> {
    let mut all = BTreeMap::new();
    door_pages(state, &mut all);
    operator_pages(state, &mut all);
    review_pages(state, &mut all);
    report_pages(state, &mut all);
    people_pages(state, &mut all);
    audit_pages(state, &mut all);
    all
}

fn door_pages(state: StateKind, all: &mut BTreeMap<&'static str, Markup>) {
    let person = operator().id;
    all.insert(
        "log-on",
        log_on(&LogOnView {
            state,
            why: Some("The session ended after an hour without use.".to_owned()),
        }),
    );
    all.insert("enrol", enrol(state));
    let banner_view = BannerView {
        state,
        person: person.clone(),
        banner: crate::service::BANNER,
        next: home(Role::Operator),
    };
    all.insert("banner", banner(&banner_view));
    all.insert("lock", lock(&LockView { state, person }));
    let refused = ProblemView {
        state,
        title: "Not for you".to_owned(),
        detail: "An auditor may not search, that is for an operator.".to_owned(),
        request: Some("f3a1-0099".to_owned()),
        next: Some(("/console/log".to_owned(), "To the log".to_owned())),
    };
    all.insert("problem", problem(&refused));
    let versions = [PolicyText {
        version: SPECIAL_ORDER_VERSION,
        text: SPECIAL_ORDER,
        sha256: [0x2e; 32],
        since_cs: None,
    }];
    all.insert(
        "policy-outside",
        policy(&PolicyView { state, desk: None, versions: &versions, shown: 0 }),
    );
    let desk = desk(operator(), state);
    all.insert(
        "policy",
        policy(&PolicyView { state, desk: Some(&desk), versions: &versions, shown: 0 }),
    );
}

fn operator_pages(state: StateKind, all: &mut BTreeMap<&'static str, Markup>) {
    let desk = desk(operator(), state);
    let under_way = [
        Way::opened(1, "26-041911"),
        Way::opened(2, "26-041902").probe(3),
        Way::first_review(),
        Way::issued(),
        Way::second_review(),
        Way::opened(7, "26-041860").probe(1).face().asked().answered(3),
    ];
    let heads: Vec<Head> = under_way.iter().map(|way| Head::of(&way.0, &desk.person)).collect();
    all.insert("work", work(&WorkView { desk: &desk, inquiries: &heads }));
    all.insert(
        "outcomes",
        outcomes(&OutcomesView {
            desk: &desk,
            reports: &[
                Head::of(&Way::issued().0, &desk.person),
                Head::of(&Way::closed().0, &desk.person),
            ],
        }),
    );
    all.insert("request", request(&RequestView { desk: &desk, agencies: &agencies() }));
    let upload = Way::opened(1, "26-041911").0;
    all.insert("probe-upload", probe(&ProbeView { desk: &desk, inquiry: &upload, quality: &[] }));
    let several = Way::opened(2, "26-041902").probe(3).0;
    all.insert("probe-faces", probe(&ProbeView { desk: &desk, inquiry: &several, quality: &[] }));
    let none = Way::opened(2, "26-041902").probe(0).0;
    all.insert("probe-none", probe(&ProbeView { desk: &desk, inquiry: &none, quality: &[] }));
    let chosen = Way::opened(3, "26-041877").probe(1).face().0;
    let lines = QualityLine::of_sheet(&sheet());
    all.insert(
        "probe-chosen",
        probe(&ProbeView { desk: &desk, inquiry: &chosen, quality: &lines }),
    );
    let approval = ApproveView {
        desk: &desk,
        inquiry: &chosen,
        fields_sha256: [0x3d; 32],
        certificate_sha256: [0x77; 32],
        log: "fusion.example/smrt",
        model: ModelId([0xe4; 32]),
        gallery_rows: 812_440,
    };
    all.insert("approve", approve(&approval));
    let mut whole = |name, way: Way, person: Person| {
        let desk = super::scene::desk(person, state);
        let sight = way.0.sight(&super::part(&desk.person));
        all.insert(name, inquiry(&InquiryView { desk: &desk, inquiry: &way.0, sight: &sight }));
    };
    whole("inquiry-asked", Way::opened(3, "26-041877").probe(1).face().asked(), operator());
    whole(
        "inquiry-answered",
        Way::opened(3, "26-041877").probe(1).face().asked().answered(8),
        operator(),
    );
    let once = Way::first_review()
        .disposed(&operator(), 8, &[0, 2])
        .act(&operator(), Action::Finish { leaf: 40_140 });
    whole("inquiry-second", once, second());
    whole("inquiry-withdrawn", Way::withdrawn(), operator());
    whole("inquiry-closed", Way::closed(), operator());
}

/// The pages of an array and of one of its candidates, as one person sees them.
pub(super) fn compared(way: &Way, person: Person, rank: u8, state: StateKind) -> (Markup, Markup) {
    let desk = desk(person, state);
    let sight = way.0.sight(&super::part(&desk.person));
    let candidates = shown();
    let view = ArrayView { desk: &desk, inquiry: &way.0, sight: &sight, candidates: &candidates };
    let one = compare(&CompareView { array: view.clone(), at: version(rank) });
    (array(&view), one.unwrap())
}

fn review_pages(state: StateKind, all: &mut BTreeMap<&'static str, Markup>) {
    let begun = Way::first_review().disposed(&operator(), 3, &[0, 2]);
    let (page, open) = compared(&begun, operator(), 5, state);
    all.insert("array-first", page);
    all.insert("compare-first-open", open);
    all.insert("compare-first-disposed", compared(&begun, operator(), 2, state).1);
    let whole = Way::first_review().disposed(&operator(), 8, &[0, 2]);
    all.insert("array-first-whole", compared(&whole, operator(), 0, state).0);
    let blind = Way::second_review().disposed(&second(), 2, &[]);
    let (page, open) = compared(&blind, second(), 4, state);
    all.insert("array-second", page);
    all.insert("compare-second-open", open);
    all.insert("compare-second-disposed", compared(&blind, second(), 1, state).1);
    all.insert(
        "array-operator-waits",
        compared(
            &Way::second_review(),
            person("o-lee", "Olive Lee", "DSN 90", "slmpd", Role::Operator),
            0,
            state,
        )
        .0,
    );
    let mut released = Way::reviewed();
    released.0.happen(NOW, Event::Released { version: version(6) }).unwrap();
    let (page, one) = compared(&released, operator(), 0, state);
    all.insert("array-both", page);
    all.insert("compare-both", one);
    let empty = Way::opened(3, "26-041877")
        .probe(1)
        .face()
        .asked()
        .answered(0)
        .act(&operator(), Action::ClaimFirst);
    let desk = desk(operator(), state);
    let sight = empty.0.sight(&super::part(&desk.person));
    all.insert(
        "array-empty",
        array(&ArrayView { desk: &desk, inquiry: &empty.0, sight: &sight, candidates: &[] }),
    );
}

fn report_pages(state: StateKind, all: &mut BTreeMap<&'static str, Markup>) {
    let biographies: Vec<(VersionId, Biography)> =
        shown().into_iter().filter_map(|shown| Some((shown.version, shown.biography?))).collect();
    for (name, way, person, witnessed) in [
        ("report-ready", Way::reviewed(), operator(), false),
        ("report-issued", Way::issued(), operator(), false),
        ("report-closed", Way::closed(), second(), true),
    ] {
        let desk = desk(person, state);
        let sight = way.0.sight(&super::part(&desk.person));
        all.insert(
            name,
            report(&ReportView {
                desk: &desk,
                inquiry: &way.0,
                sight: &sight,
                biographies: &biographies,
                witnessed,
                kept: true,
            }),
        );
    }
}

fn people_pages(state: StateKind, all: &mut BTreeMap<&'static str, Markup>) {
    let (admin, chief) = (desk(administrator(), state), desk(commander(), state));
    let accounts = accounts();
    all.insert("roster-administrator", roster(&RosterView { desk: &admin, accounts: &accounts }));
    all.insert("roster-commander", roster(&RosterView { desk: &chief, accounts: &accounts }));
    let new =
        grant_of(person("d-stone", "Dana Stone", "DSN 6410", "slmpd", Role::Operator), Some(key()));
    let changed = grant_of(Person { role: Role::OperatorExaminer, ..second() }, None);
    let waiting = [
        GrantView { id: [0x51; 16], grant: &new, known: None },
        GrantView { id: [0x52; 16], grant: &changed, known: Some(&accounts[1]) },
    ];
    all.insert("grants-commander", grants(&GrantsView { desk: &chief, grants: &waiting }));
    all.insert("grants-administrator", grants(&GrantsView { desk: &admin, grants: &waiting }));
    all.insert(
        "grant-new",
        new_grant(&NewGrantView { desk: &admin, agencies: &agencies(), known: None }),
    );
    all.insert(
        "grant-change",
        new_grant(&NewGrantView { desk: &admin, agencies: &agencies(), known: Some(&accounts[1]) }),
    );
    all.insert(
        "decisions",
        decisions(&DecisionsView {
            desk: &admin,
            grants: &waiting,
            accounts: &accounts,
            alarms: &alarms_standing(),
        }),
    );
    all.insert(
        "alarms",
        alarms(&AlarmsView { desk: &admin, doors: &Doors::Open, alarms: &alarms_standing() }),
    );
    all.insert(
        "alarms-shut",
        alarms(&AlarmsView {
            desk: &chief,
            doors: &Doors::Shut("a witness holds another log".to_owned()),
            alarms: &[],
        }),
    );
    let figure = |name: &str, value, what: &str| Figure {
        name: name.to_owned(),
        value,
        what: what.to_owned(),
    };
    let counted = [
        figure("Bookings that a search may find", 812_440, "now"),
        figure("Searches answered", 402, "since 2026-01-01"),
        figure("Reports without an outcome", 7, "now"),
        figure("Leaves in the log", 40_152, "now"),
    ];
    let period = Period::new(date!(2026 - 10 - 01), date!(2026 - 11 - 01)).unwrap();
    all.insert(
        "figures",
        figures(&FiguresView { desk: &chief, figures: &counted, periods: &[period] }),
    );
}

fn audit_pages(state: StateKind, all: &mut BTreeMap<&'static str, Markup>) {
    let desk = desk(auditor(), state);
    let kinds = [
        LeafKind::ReportIssued,
        LeafKind::Reviewed,
        LeafKind::Answered,
        LeafKind::Asked,
        LeafKind::LoggedOn,
        LeafKind::GrantAsked,
    ];
    let newest: Vec<(u64, LeafKind, u64)> = kinds
        .into_iter()
        .enumerate()
        .map(|(n, kind)| (40_152 - n as u64, kind, NOW - n as u64 * 7_000))
        .collect();
    let view = LogView {
        desk: &desk,
        log: "fusion.example/smrt",
        leaves: 40_153,
        checkpoint: "fusion.example/smrt\n40153\nq1nZ0eY0o2m9bKJ8mXw1rVb1s0n6p8Qy0c3d5e7f9g0=\n\n\u{2014} fusion.example/smrt 4gqT1rVb1s0n6p8Qy0c3d5e7f9g0AbCdEf\n",
        witnessing: &Witnessing {
            cosigned: Some(40_150),
            complete: Some((40_120, NOW / 100 - 900)),
        },
        doors: &Doors::Open,
        alarms: &alarms_standing()[..1],
        newest: &newest,
        review: &LogReview {
            first: 39_870,
            last_cs: NOW - 8 * DAY,
            due_cs: NOW - DAY,
            end: 40_153,
            kinds: kinds.into_iter().map(|kind| (kind, 7)).collect(),
        },
    };
    all.insert("log", log(&view));
    let detail = json!({"asked": {"actor": {"person": "m-weber", "agency": "slmpd",
        "device": "rtcc-3"}, "reason": "Armed robbery of a pharmacy at Grand and Gravois"}});
    let leaf_page = LeafPage {
        desk: &desk,
        leaf: 40_112,
        kind: LeafKind::Asked,
        time_cs: NOW - HOUR,
        follows: &[40_098],
        detail: Some(&detail),
        search: Some("09090909090909090909090909090909"),
    };
    all.insert("leaf", leaf(&leaf_page));
    all.insert("samples", samples(&SamplesView { desk: &desk, samples: &drawn(), leaves: 40_153 }));
    let row = |finding, asked, note: &str| FindingRow {
        sample: 33_901,
        asked,
        finding,
        note: note.to_owned(),
    };
    let found = [
        row(AuditFinding::Misuse, 29_114, "The reason names a case that doesn't exist."),
        row(AuditFinding::Irregular, 33_415, "The source says camera, the file is a screenshot."),
        row(AuditFinding::InOrder, 31_007, "As the order wants it."),
    ];
    all.insert("findings", findings(&FindingsView { desk: &desk, findings: &found }));
    let rhythm = |gaps: &[u64]| {
        let mut at = NOW;
        let mut times = vec![at];
        for gap in gaps {
            at += gap * 100;
            times.push(at);
        }
        Rhythm::of(&times)
    };
    let rhythms = [
        (operator().id, rhythm(&[240, 900, 75, 3_100, 410, 60, 1_250, 95, 700, 2_050, 130])),
        (id("d-stone"), rhythm(&[60; 14])),
        (id("new"), rhythm(&[45])),
    ];
    all.insert("operators", operators(&OperatorsView { desk: &desk, rhythms: &rhythms }));
}
