//! Every page of a made-up shift.

use std::collections::BTreeMap;

use maud::Markup;
use serde_json::json;
use time::macros::date;

use super::case::{Case, shown, version};
use super::people::{
    self, NOW, administrator, auditor, commander, desk, id, operator, person, second, text,
};
use crate::audit::touch::{Credential, Registration, RelyingParty, verify_registration};
use crate::audit::{Alarm, LeafKind, SampleFinding};
use crate::booking::VersionId;
use crate::calendar::{Span, Time};
use crate::console::*;
use crate::face::ModelId;
use crate::ids::{Digest, GrantId, InquiryId};
use crate::inquiry::{
    Action, CopyOrder, Event, FurtherCopy, GivenCopy, NumberPattern, Participant, SPECIAL_ORDER,
    SPECIAL_ORDER_VERSION,
};
use crate::ledger::{Drawn, Grant, Witnessing};
use crate::public_report::Period;
use crate::roster::{Account, Off, OffReason, Person, Rhythm, Role};
use crate::service::{AccountStanding, Doors, LogReview, OrderedCopy, Raised};
use crate::store::StateKind;

/// Every page with its name, in this kind of state folder.
pub(super) fn pages(state: StateKind) -> BTreeMap<&'static str, Markup> {
    let mut all = BTreeMap::new();
    pages_without_session(state, &mut all);
    operator_pages(state, &mut all);
    review_pages(state, &mut all);
    report_pages(state, &mut all);
    people_pages(state, &mut all);
    audit_pages(state, &mut all);
    all
}

fn pages_without_session(state: StateKind, all: &mut BTreeMap<&'static str, Markup>) {
    let person = operator().id;
    all.insert(
        "log-on",
        log_on(&LogOnPage {
            state,
            why: Some("The session ended after an hour without use.".to_owned()),
        }),
    );
    all.insert("enrol", enrol(state));
    let banner_view = BannerPage {
        state,
        person: person.clone(),
        banner: crate::service::BANNER,
        next: home(Role::Operator),
    };
    all.insert("banner", banner(&banner_view));
    all.insert("lock", lock(&LockPage { state, person }));
    let refused = ProblemPage {
        state,
        title: "Not for you".to_owned(),
        detail: "An auditor may not search, that is for an operator.".to_owned(),
        request: Some("f3a1-0099".to_owned()),
        next: Some(("/console/log".to_owned(), "To the log".to_owned())),
    };
    all.insert("problem", problem(&refused));
    let order = |desk| PolicyPage {
        state,
        desk,
        version: SPECIAL_ORDER_VERSION,
        text: SPECIAL_ORDER,
        sha256: Digest([0x2e; 32]),
    };
    all.insert("policy-outside", policy(&order(None)));
    let desk = desk(operator(), state);
    all.insert("policy", policy(&order(Some(&desk))));
}

fn operator_pages(state: StateKind, all: &mut BTreeMap<&'static str, Markup>) {
    let desk = desk(operator(), state);
    let under_way = [
        Case::opened(1, "26-041911"),
        Case::opened(2, "26-041902").probe(3),
        Case::first_review(),
        Case::issued(),
        Case::second_review(),
        Case::opened(7, "26-041860").probe(1).face().asked().answered(3),
    ];
    let heads: Vec<ListedInquiry> =
        under_way.iter().map(|way| ListedInquiry::of(&way.0, &desk.person)).collect();
    all.insert("work", work(&WorkPage { desk: &desk, inquiries: &heads }));
    all.insert(
        "outcomes",
        outcomes(&OutcomesPage {
            desk: &desk,
            reports: &[
                ListedInquiry::of(&Case::issued().0, &desk.person),
                ListedInquiry::of(&Case::closed().0, &desk.person),
            ],
        }),
    );
    all.insert("request", new_inquiry(&NewInquiryPage { desk: &desk, agencies: &agencies() }));
    let upload = Case::opened(1, "26-041911").0;
    all.insert("probe-upload", probe(&ProbePage { desk: &desk, inquiry: &upload, quality: &[] }));
    let several = Case::opened(2, "26-041902").probe(3).0;
    all.insert("probe-faces", probe(&ProbePage { desk: &desk, inquiry: &several, quality: &[] }));
    let none = Case::opened(2, "26-041902").probe(0).0;
    all.insert("probe-none", probe(&ProbePage { desk: &desk, inquiry: &none, quality: &[] }));
    let chosen = Case::opened(3, "26-041877").probe(1).face().0;
    let kept = chosen.choice().map(|choice| &choice.quality).unwrap();
    let lines = QualityLine::of_record(kept);
    all.insert(
        "probe-chosen",
        probe(&ProbePage { desk: &desk, inquiry: &chosen, quality: &lines }),
    );
    let approval = ApprovalPage {
        desk: &desk,
        inquiry: &chosen,
        fields_sha256: Digest([0x3d; 32]),
        certificate_sha256: Digest([0x77; 32]),
        log: "fusion.example/smrt",
        model: ModelId([0xe4; 32]),
        gallery_rows: 812_440,
    };
    all.insert("approve", approve(&approval));
    let mut whole = |name, way: Case, person: Person| {
        let desk = people::desk(person, state);
        let sight = way.sight(&desk.person);
        all.insert(name, inquiry(&InquiryPage { desk: &desk, inquiry: &way.0, sight: &sight }));
    };
    whole("inquiry-asked", Case::opened(3, "26-041877").probe(1).face().asked(), operator());
    whole(
        "inquiry-answered",
        Case::opened(3, "26-041877").probe(1).face().asked().answered(8),
        operator(),
    );
    let once = Case::first_review()
        .disposed(&operator(), 8, &[0, 2])
        .act(&operator(), Action::Finish { leaf: 40_140 });
    whole("inquiry-second", once, second());
    whole("inquiry-withdrawn", Case::withdrawn(), operator());
    whole("inquiry-closed", Case::closed(), operator());
}

/// The pages of an array and of one of its candidates, as one person sees them.
pub(super) fn compared(way: &Case, person: Person, rank: u8, state: StateKind) -> (Markup, Markup) {
    let desk = desk(person, state);
    let sight = way.sight(&desk.person);
    let candidates = shown();
    let view = ArrayPage { desk: &desk, inquiry: &way.0, sight: &sight, candidates: &candidates };
    let one = compare(&ComparePage { array: view.clone(), at: version(rank) });
    (array(&view), one.unwrap())
}

fn review_pages(state: StateKind, all: &mut BTreeMap<&'static str, Markup>) {
    let begun = Case::first_review().disposed(&operator(), 3, &[0, 2]);
    let (page, open) = compared(&begun, operator(), 5, state);
    all.insert("array-first", page);
    all.insert("compare-first-open", open);
    all.insert("compare-first-disposed", compared(&begun, operator(), 2, state).1);
    let whole = Case::first_review().disposed(&operator(), 8, &[0, 2]);
    all.insert("array-first-whole", compared(&whole, operator(), 0, state).0);
    let blind = Case::second_review().disposed(&second(), 2, &[]);
    let (page, open) = compared(&blind, second(), 4, state);
    all.insert("array-second", page);
    all.insert("compare-second-open", open);
    all.insert("compare-second-disposed", compared(&blind, second(), 1, state).1);
    all.insert(
        "array-operator-waits",
        compared(
            &Case::second_review(),
            person("o-lee", "Olive Lee", "DSN 90", "slmpd", Role::Operator),
            0,
            state,
        )
        .0,
    );
    let mut released = Case::reviewed();
    released.0.happen(NOW, Event::Released { version: version(6) }).unwrap();
    let (page, one) = compared(&released, operator(), 0, state);
    all.insert("array-both", page);
    all.insert("compare-both", one);
    let empty = Case::opened(3, "26-041877")
        .probe(1)
        .face()
        .asked()
        .answered(0)
        .act(&operator(), Action::ClaimFirst { order: 3 });
    let desk = desk(operator(), state);
    let sight = empty.sight(&desk.person);
    all.insert(
        "array-empty",
        array(&ArrayPage { desk: &desk, inquiry: &empty.0, sight: &sight, candidates: &[] }),
    );
}

fn report_pages(state: StateKind, all: &mut BTreeMap<&'static str, Markup>) {
    let biographies: Vec<(VersionId, Biography)> =
        shown().into_iter().filter_map(|shown| Some((shown.version, shown.biography?))).collect();
    for (name, way, person, witnessed) in [
        ("report-ready", Case::reviewed(), operator(), false),
        ("report-issued", Case::issued(), operator(), false),
        ("report-closed", Case::closed(), second(), true),
    ] {
        let desk = desk(person, state);
        let sight = way.sight(&desk.person);
        all.insert(
            name,
            report(&ReportPage {
                desk: &desk,
                inquiry: &way.0,
                sight: &sight,
                biographies: &biographies,
                witnessed,
            }),
        );
    }
}

fn people_pages(state: StateKind, all: &mut BTreeMap<&'static str, Markup>) {
    let (admin, chief) = (desk(administrator(), state), desk(commander(), state));
    let accounts = accounts();
    all.insert("roster-administrator", roster(&RosterPage { desk: &admin, accounts: &accounts }));
    all.insert("roster-commander", roster(&RosterPage { desk: &chief, accounts: &accounts }));
    let new =
        grant_of(person("d-stone", "Dana Stone", "DSN 6410", "slmpd", Role::Operator), Some(key()));
    let changed = grant_of(Person { role: Role::OperatorExaminer, ..second() }, None);
    let waiting = [
        WaitingGrant { id: GrantId([0x51; 16]), grant: &new, known: None },
        WaitingGrant { id: GrantId([0x52; 16]), grant: &changed, known: Some(&accounts[1]) },
    ];
    all.insert("grants-commander", grants(&GrantsPage { desk: &chief, grants: &waiting }));
    all.insert("grants-administrator", grants(&GrantsPage { desk: &admin, grants: &waiting }));
    all.insert(
        "grant-new",
        new_grant(&NewGrantPage { desk: &admin, agencies: &agencies(), known: None }),
    );
    all.insert(
        "grant-change",
        new_grant(&NewGrantPage { desk: &admin, agencies: &agencies(), known: Some(&accounts[1]) }),
    );
    all.insert(
        "decisions",
        decisions(&DecisionsPage {
            desk: &admin,
            grants: &waiting,
            accounts: &accounts,
            alarms: &alarms_standing(),
        }),
    );
    all.insert(
        "alarms",
        alarms(&AlarmsPage { desk: &admin, doors: &Doors::Open, alarms: &alarms_standing() }),
    );
    all.insert(
        "alarms-shut",
        alarms(&AlarmsPage {
            desk: &chief,
            doors: &Doors::Shut("a witness holds another log".to_owned()),
            alarms: &[],
        }),
    );
    let ordered = ordered_copies();
    all.insert("copies-commander", copies(&CopiesPage { desk: &chief, copies: &ordered }));
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
        figures(&FiguresPage { desk: &chief, figures: &counted, periods: &[period] }),
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
    let newest: Vec<(u64, LeafKind, Time)> = kinds
        .into_iter()
        .enumerate()
        .map(|(n, kind)| (40_152 - n as u64, kind, NOW - Span::seconds(n as u64 * 70)))
        .collect();
    let view = LogPage {
        desk: &desk,
        log: "fusion.example/smrt",
        leaves: 40_153,
        checkpoint: "fusion.example/smrt\n40153\nq1nZ0eY0o2m9bKJ8mXw1rVb1s0n6p8Qy0c3d5e7f9g0=\n\n\
            \u{2014} fusion.example/smrt 4gqT1rVb1s0n6p8Qy0c3d5e7f9g0AbCdEf\n",
        witnessing: &Witnessing {
            cosigned: Some(40_150),
            complete: Some((40_120, NOW.seconds() - 900)),
        },
        doors: &Doors::Open,
        alarms: &alarms_standing()[..1],
        newest: &newest,
        review: &LogReview {
            first: 39_870,
            last: NOW - Span::days(8),
            due: NOW - Span::days(1),
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
        time: NOW - Span::hours(1),
        follows: &[40_098],
        detail: Some(&detail),
        search: Some("09090909090909090909090909090909"),
    };
    all.insert("leaf", leaf(&leaf_page));
    let ordered = ordered_copies();
    all.insert("copies-auditor", copies(&CopiesPage { desk: &desk, copies: &ordered }));
    all.insert("copies-none", copies(&CopiesPage { desk: &desk, copies: &[] }));
    all.insert("samples", samples(&SamplesPage { desk: &desk, samples: &drawn(), leaves: 40_153 }));
    let row = |finding, asked, note: &str| FindingRow {
        sample: 33_901,
        asked,
        finding,
        note: note.to_owned(),
    };
    let found = [
        row(SampleFinding::Misuse, 29_114, "The reason names a case that doesn't exist."),
        row(SampleFinding::Irregular, 33_415, "The source says camera, the file is a screenshot."),
        row(SampleFinding::InOrder, 31_007, "As the order wants it."),
    ];
    all.insert("findings", findings(&FindingsPage { desk: &desk, findings: &found }));
    let rhythm = |gaps: &[u64]| {
        let mut at = NOW;
        let mut times = vec![at];
        for gap in gaps {
            at += Span::seconds(*gap);
            times.push(at);
        }
        Rhythm::of(&times)
    };
    let rhythms = [
        (operator().id, rhythm(&[240, 900, 75, 3_100, 410, 60, 1_250, 95, 700, 2_050, 130])),
        (id("d-stone"), rhythm(&[60; 14])),
        (id("new"), rhythm(&[45])),
    ];
    all.insert("operators", operators(&OperatorsPage { desk: &desk, rhythms: &rhythms }));
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
    let standing = |person: Person, unused: Span| {
        let mut account = Account::new(person, NOW - Span::days(300)).unwrap();
        account.logged_on(NOW - unused);
        AccountStanding { account, key: Some(key()), review_due: false }
    };
    let mut all: Vec<AccountStanding> =
        [operator(), second(), administrator(), commander(), auditor()]
            .map(|person| standing(person, Span::hours(3)))
            .into();
    all[1].account.locked = Some(39_990);
    all[4].review_due = true;
    all[4].account.reviewed_cs = NOW - Span::days(366);
    let mut temporary = standing(
        person("k-bauer", "Karl Bauer", "DSN 5120", "slcpd", Role::Examiner),
        Span::days(1),
    );
    temporary.account.person.temporary_until_cs = Some(NOW + Span::hours(20));
    temporary.key = None;
    let mut off = standing(
        person("a-silva", "Ana Silva", "DSN 2871", "slmpd", Role::Operator),
        Span::days(91),
    );
    off.account.off = Some(Off { since_cs: NOW - Span::days(12), why: OffReason::Unused });
    all.extend([temporary, off]);
    all
}

fn grant_of(person: Person, key: Option<Credential>) -> Grant {
    Grant { person, key, asked_by: administrator(), asked_cs: NOW - Span::hours(26), leaf: 40_001 }
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

fn ordered_copies() -> Vec<OrderedCopy> {
    let by =
        |id_of: &str| Participant { id: id(id_of), badge: text("DSN 0001"), agency: id("slmpd") };
    let order = CopyOrder {
        received_by: text("Clerk V. Brandt"),
        of: text("Circuit Court, 22nd Judicial Circuit"),
        reason: "Discovery in the case against the person who was arrested".to_owned(),
    };
    let given = GivenCopy { leaf: 40_120, by: by("a-lindqvist"), at_cs: NOW - Span::hours(2) };
    [None, Some(given)]
        .into_iter()
        .zip(0..)
        .map(|(given, copy)| OrderedCopy {
            inquiry: InquiryId([9; 16]),
            copy,
            further: FurtherCopy {
                order: order.clone(),
                leaf: 40_100,
                by: by("c-marsh"),
                at_cs: NOW - Span::hours(5),
                given,
            },
        })
        .collect()
}

fn drawn() -> Vec<Drawn> {
    let sample = |leaf: u64, reviewed: Vec<(u64, SampleFinding)>, due: Time| Drawn {
        seeded: leaf - 1,
        leaf,
        time: NOW - Span::days(31),
        population: 412,
        asked: vec![31_007, 33_415, 38_220],
        reviewed,
        due,
    };
    vec![
        sample(
            33_901,
            vec![(31_007, SampleFinding::InOrder), (33_415, SampleFinding::Irregular)],
            NOW - Span::days(1),
        ),
        sample(39_720, vec![], NOW + Span::days(24)),
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
