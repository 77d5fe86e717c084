//! The people and the moves that random inquiries are played with, few enough that everything
//! happens often.

use std::sync::LazyLock;

use serde_json::json;

use crate::booking::{Identifier, Text, VersionId};
use crate::face::Edits;
use crate::inquiry::{
    Action, Choice, CopyOrder, Digest, Disposition, Event, Feature, Finding, Frame, Handover,
    Measure, Observation, Outcome, Participant, Probe, Purpose, Quality, Request, SearchId, Seen,
    Shortfall, Upshot, Who,
};
use crate::limits::{PROBE_BYTES_MAX, QUALITY_ENTRIES_MAX};

/// Candidates that the played requests ask for.
pub(super) const WANTED: usize = 2;
/// Versions that candidates are drawn from: one more than is wanted.
pub(super) const VERSIONS: u8 = 3;
/// Names that searches are drawn from.
pub(super) const SEARCHES: u8 = 3;

/// An account of the cast, by its place in `CAST`.
pub(super) type Account = u8;

/// What an account may do, one bit each.
pub(super) const OPERATES: u8 = 1;
pub(super) const EXAMINES: u8 = 2;
pub(super) const COMMANDS: u8 = 4;
pub(super) const AUDITS: u8 = 8;

/// Account, badge, agency, and what it may do; omar and ed have come to another role since. Some
/// share a badge: one person with two accounts.
pub(super) const CAST: [(&str, &str, &str, u8); 9] = [
    ("olga", "DSN 11", "slmpd", OPERATES | EXAMINES),
    ("omar", "DSN 12", "slmpd", OPERATES | COMMANDS),
    ("erin", "DSN 13", "slmpd", EXAMINES),
    ("ed", "DSN 14", "slmpd", EXAMINES | AUDITS),
    ("rita", "DSN 11", "slcpd", EXAMINES),
    ("olga-too", "dsn-11", "slmpd", EXAMINES),
    ("erin-too", "dsn 13", "slmpd", EXAMINES),
    ("cleo", "DSN 1", "slmpd", COMMANDS),
    ("audra", "DSN 15", "slcpd", AUDITS),
];
pub(super) const OLGA: Account = 0;
pub(super) const OMAR: Account = 1;
pub(super) const ERIN: Account = 2;
pub(super) const ED: Account = 3;
pub(super) const RITA: Account = 4;
pub(super) const CLEO: Account = 7;
pub(super) const AUDRA: Account = 8;

/// One try to move an inquiry on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Try {
    pub(super) who: Account,
    /// Whether role and training are in order now.
    pub(super) fit: bool,
    /// Whether it was decided on the revision that stands.
    pub(super) fresh: bool,
    pub(super) mv: Move,
}

/// What is tried, with what may be wrong with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Move {
    Probe { faces: u8, too_large: bool },
    Face { index: u8, faces: u8, quality: Grade },
    Ask { search: u8 },
    Answered { candidates: u8, order: Order },
    Interrupted,
    Released { version: u8 },
    ClaimFirst { order: u8 },
    ClaimSecond { order: u8 },
    Dispose { version: u8, disposition: Disposition, founded: bool, twice: bool },
    Finish,
    Issue,
    Evidence { hollow: bool, number: Words },
    Outcome { upshot: Upshot, number: Words, evidence: Words },
    OrderCopy { hollow: bool, reason: Words },
    GiveCopy { copy: u8 },
    Withdraw { reason: Words },
    Refused { reason: Words },
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Grade {
    Good,
    Poor(Words),
    TooManyMeasures,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Order {
    BestFirst,
    WorstFirst,
    NoNumber,
    SameTwice,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Words {
    Said,
    Hollow,
    Unsaid,
}

static REQUEST: LazyLock<Request> = LazyLock::new(|| {
    serde_json::from_value(json!({
        "requester": {"name": "Det. R. Okafor", "badge": "DSN 11", "agency": "slcpd"},
        "reference": {"kind": "complaint_number", "number": "26-004711"},
        "purpose": {"kind": "crime"},
        "reason": "robbery at Grand and Gravois",
        "probe_source": "store camera",
        "candidates": WANTED,
        "attestations": {"not_solely_protected": true, "shows_person_sought": true,
            "source_as_stated": true},
    }))
    .unwrap()
});
static PEOPLE: LazyLock<Vec<Participant>> = LazyLock::new(|| {
    let person = |(id, badge, agency, _): &(&str, &str, &str, u8)| Participant {
        id: Identifier::parse(id).unwrap(),
        badge: text(badge),
        agency: Identifier::parse(agency).unwrap(),
    };
    CAST.iter().map(person).collect()
});

/// Whose request it is, and who answers for its purpose, if anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asks {
    /// Rita, for a purpose of the list.
    Rita,
    /// The first of the cast for herself.
    Olga,
    /// Rita, for another purpose, for which this account's person answers.
    Supervised(Account),
}

/// A full request.
pub(super) fn request(asks: Asks) -> Request {
    let mut request = REQUEST.clone();
    match asks {
        Asks::Rita => {}
        Asks::Olga => request.requester.agency = person(OLGA).agency.clone(),
        Asks::Supervised(by) => {
            request.purpose = Purpose::Other {
                description: text("register of art thefts"),
                supervisor: text("Sgt. B. Malik"),
                // However it is spelt.
                supervisor_badge: text(&person(by).badge.as_str().replace(' ', "-")),
                supervisor_agency: person(by).agency.clone(),
            };
        }
    }
    request
}

pub(super) fn person(account: Account) -> &'static Participant {
    &PEOPLE[usize::from(account)]
}

pub(super) fn who(account: Account, fit: bool) -> Who {
    let may = |what: u8| fit && CAST[usize::from(account)].3 & what != 0;
    Who {
        person: person(account).clone(),
        may_operate: may(OPERATES),
        may_examine: may(EXAMINES),
        may_command: may(COMMANDS),
        may_audit: may(AUDITS),
    }
}

pub(super) fn version(version: u8) -> VersionId {
    VersionId([version; 16])
}

pub(super) fn text(words: &str) -> Text {
    Text::parse(words).unwrap()
}

/// What the machine is given for a move: a person's step, or an event.
pub(super) fn given(mv: Move, leaf: u64) -> Result<Action, Event> {
    Ok(match mv {
        Move::Probe { faces, too_large } => Action::ReceiveProbe(Probe {
            sha256: Digest([1; 32]),
            bytes: if too_large { PROBE_BYTES_MAX as u64 + 1 } else { 70_000 },
            media_type: text("image/jpeg"),
            px: [600, 800],
            faces: vec![frame(); usize::from(faces)],
        }),
        Move::Face { index, faces, quality } => Action::ChooseFace(choice(index, faces, quality)),
        Move::Ask { search } => Action::Ask { search: SearchId([search; 16]), leaf },
        Move::ClaimFirst { order } => Action::ClaimFirst { order: order.into() },
        Move::ClaimSecond { order } => Action::ClaimSecond { order: order.into() },
        Move::Dispose { version: candidate, disposition, founded, twice } => {
            Action::Dispose(finding(candidate, disposition, founded, twice))
        }
        Move::Finish => Action::Finish { leaf },
        Move::Issue => Action::Issue { sha256: Digest([3; 32]), leaf },
        Move::Evidence { hollow, number } => Action::MarkEvidence(Handover {
            received_by: text(if hollow { "n/a" } else { "Clerk V. Brandt" }),
            of: text("property custody"),
            leads_number: leads_number(number),
        }),
        Move::Outcome { upshot, number, evidence } => Action::RecordOutcome(Outcome {
            upshot,
            independent_evidence: words(evidence),
            leads_number: leads_number(number),
        }),
        Move::OrderCopy { hollow, reason } => Action::OrderCopy {
            order: CopyOrder {
                received_by: text(if hollow { "n/a" } else { "Clerk V. Brandt" }),
                of: text("circuit court"),
                reason: words(reason).unwrap_or_default(),
            },
            leaf,
        },
        Move::GiveCopy { copy } => Action::GiveCopy { copy: copy.into(), leaf },
        Move::Withdraw { reason } => Action::Withdraw { reason: words(reason).unwrap_or_default() },
        Move::Answered { candidates, order } => {
            return Err(Event::Answered { candidates: array(candidates, order), leaf });
        }
        Move::Interrupted => return Err(Event::Interrupted { leaf }),
        Move::Released { version: candidate } => {
            return Err(Event::Released { version: version(candidate) });
        }
        Move::Refused { reason } => {
            return Err(Event::Refused { reason: words(reason).unwrap_or_default() });
        }
    })
}

fn choice(index: u8, faces: u8, quality: Grade) -> Choice {
    let measures = if quality == Grade::TooManyMeasures { QUALITY_ENTRIES_MAX + 1 } else { 1 };
    let poor = matches!(quality, Grade::Poor(_));
    Choice {
        face: index.into(),
        faces: faces.into(),
        frame: frame(),
        edits: Edits::default(),
        searched: Digest([2; 32]),
        searched_px: [600, 800],
        quality: Quality {
            measures: vec![
                Measure { name: text("pixels between the eyes"), value: 44.0 };
                measures
            ],
            shortfalls: vec![Shortfall { name: text("the eyes are close together"), blocks: poor }],
        },
        reason: if let Grade::Poor(reason) = quality { words(reason) } else { None },
    }
}

fn finding(candidate: u8, disposition: Disposition, founded: bool, twice: bool) -> Finding {
    let seen = if (disposition == Disposition::Lead) == founded {
        Seen::Similarity
    } else {
        Seen::Difference
    };
    let silent = disposition == Disposition::Inconclusive && !founded && !twice;
    let times = if silent { 0 } else { 1 + usize::from(twice) };
    Finding {
        candidate: version(candidate),
        disposition,
        observations: vec![Observation { feature: Feature::NoseTip, seen }; times],
        note: None,
    }
}

/// So many candidates, with what is wrong with their order; one candidate alone can't be out of
/// order. The best have the last names, so that neither order can be taken for the other.
fn array(candidates: u8, order: Order) -> Vec<(VersionId, f64)> {
    let score = |at: u8| match order {
        Order::WorstFirst => f64::from(at),
        Order::NoNumber => f64::NAN,
        _ => 1.0 - f64::from(at),
    };
    let name = |at| version(if order == Order::SameTwice { 0 } else { candidates - 1 - at });
    (0..candidates).map(|at| (name(at), score(at))).collect()
}

fn frame() -> Frame {
    Frame { x: 10, y: 10, width: 90, height: 110 }
}

fn leads_number(number: Words) -> Option<Text> {
    match number {
        Words::Said => Some(text("IL-26-0815")),
        Words::Hollow => Some(text("pending")),
        Words::Unsaid => None,
    }
}

fn words(words: Words) -> Option<String> {
    match words {
        Words::Said => Some("two witnesses named somebody".to_owned()),
        Words::Hollow => Some("robbery at Grand and Gravois".to_owned()),
        Words::Unsaid => None,
    }
}
