//! Made-up logs, for tests: any leaf with its detail, and a whole year of a busy site.

use time::macros::date;

use super::{CosignedCheckpoints, Period, PublicReport, PublicReportError, ReportBuilder};
use crate::audit::examples::example;
use crate::audit::{
    Actor, Alarm, Checkpoint, CosignerKey, Detail, Edge, Leaf, LeafKind, LogKey, Note, Quorum,
    Refusal, SampleFinding, Shown, Witness,
};
use crate::booking::{Identifier, VersionId};
use crate::calendar::{Span, Time};
use crate::inquiry::{Disposition, Finding, Outcome, Request, Upshot};
use crate::rule::Rule;

pub(super) const ORIGIN: &str = "rtcc.example/smrt-2026";
pub(super) const MODEL: &str = "5be1f2c07d1f4a0c9b5d3e8a7f60c1d2e3f4a5b6c7d8e9f00112233445566778";

/// A tree, when its checkpoint was kept in seconds, and which witnesses cosigned it how many
/// seconds later.
type Kept = (Checkpoint, u64, Vec<(usize, u64)>);

/// A log with its details.
#[derive(Default)]
pub(super) struct SampleLog {
    pub(super) leaves: Vec<Vec<u8>>,
    pub(super) details: Vec<Option<Detail>>,
    /// The time of the next leaf.
    pub(super) now: Time,
    edge: Edge,
    kept: Vec<Kept>,
}

impl SampleLog {
    pub(super) fn from(day: time::Date) -> Self {
        Self { now: Time::from_date(day), ..Self::default() }
    }

    /// Adds a leaf with its detail.
    pub(super) fn add(&mut self, follows: &[u64], counts: &[u64], detail: Detail) -> u64 {
        self.add_bare(detail.kind(), follows, counts, Some(detail))
    }

    pub(super) fn add_bare(
        &mut self,
        kind: LeafKind,
        follows: &[u64],
        counts: &[u64],
        detail: Option<Detail>,
    ) -> u64 {
        let leaf = Leaf {
            kind,
            time: self.now,
            follows: follows.to_vec(),
            counts: counts.to_vec(),
            commitment: [7; 32],
        };
        self.details.push(detail);
        self.push(leaf.to_bytes())
    }

    /// Adds an entry of whatever bytes.
    pub(super) fn add_bytes(&mut self, bytes: Vec<u8>) -> u64 {
        self.details.push(None);
        self.push(bytes)
    }

    fn push(&mut self, bytes: Vec<u8>) -> u64 {
        self.leaves.push(bytes);
        self.edge.append(self.leaves.last().unwrap())
    }

    /// Keeps what another log of the same key kept.
    pub(super) fn take_checkpoints(&mut self, other: &Self) {
        self.kept.extend(other.kept.iter().cloned());
    }

    pub(super) fn asked(&mut self, purpose: &str, agency: &str) -> u64 {
        let detail = match example(LeafKind::Asked) {
            Detail::Asked { search, inquiry, approval, touch, key, .. } => Detail::Asked {
                actor: actor(),
                search,
                inquiry,
                request: request(purpose, agency),
                approval,
                touch,
                key,
            },
            _ => unreachable!("it is of its kind"),
        };
        self.add(&[], &[], detail)
    }

    pub(super) fn answered(&mut self, asked: u64, candidates: u64) -> u64 {
        let shown =
            (0..candidates).map(|_| Shown { version: VersionId([3; 16]), score: 0.5 }).collect();
        let detail = Detail::Answered {
            actor: actor(),
            search: String::new(),
            model: MODEL.to_owned(),
            gallery_rows: 212_480,
            candidates: shown,
        };
        self.add(&[asked], &[candidates], detail)
    }

    pub(super) fn refused(&mut self, rule: Rule, purpose: &str, agency: &str) -> u64 {
        let (request, reason) = (Some(request(purpose, agency)), rule.words().to_owned());
        self.add(&[], &[], Detail::SearchRefused { actor: actor(), request, rule, reason })
    }

    /// A booking, or one that replaces that of a leaf.
    pub(super) fn booking(&mut self, agency: &str, replaced: Option<u64>) -> u64 {
        let detail = Detail::BookingIn {
            actor: actor(),
            agency: identifier(agency),
            version: VersionId([4; 16]),
            replaces: replaced.map(|_| VersionId([4; 16])),
            photo_commitment: String::new(),
        };
        self.add(&[], &[replaced.map_or(0, tag)], detail)
    }

    pub(super) fn released(&mut self, agency: &str, booking: u64) -> u64 {
        let detail = Detail::Released {
            actor: actor(),
            agency: identifier(agency),
            versions: Vec::new(),
            reason: "expunged".to_owned(),
        };
        self.add(&[], &[tag(booking)], detail)
    }

    /// The purge of a booking, after its release where there was one.
    pub(super) fn purged(&mut self, agency: &str, release: Option<u64>, booking: u64) -> u64 {
        let detail = Detail::Purged {
            agency: identifier(agency),
            version: VersionId([4; 16]),
            assurance: String::new(),
        };
        self.add(release.as_slice(), &[tag(booking)], detail)
    }

    /// A finished review: of the first or second examiner, of so many candidates, the first so
    /// many of them leads, with so many disagreements.
    pub(super) fn reviewed(&mut self, follows: &[u64], counts: [u64; 4]) -> u64 {
        let [examiner, candidates, leads, disagreements] = counts;
        let finding = |at: u64| Finding {
            candidate: VersionId([4; 16]),
            disposition: if at < leads { Disposition::Lead } else { Disposition::NoLead },
            observations: Vec::new(),
            note: None,
        };
        let detail = Detail::Reviewed {
            actor: actor(),
            inquiry: String::new(),
            findings: (0..candidates).map(finding).collect(),
            released: Vec::new(),
            disagreements,
        };
        self.add(follows, &[examiner, candidates], detail)
    }

    /// A report with so many leads.
    pub(super) fn issued(&mut self, follows: &[u64], leads: usize) -> u64 {
        let detail = Detail::ReportIssued {
            actor: actor(),
            inquiry: String::new(),
            report_sha256: String::new(),
            leads: vec![VersionId([4; 16]); leads],
        };
        self.add(follows, &[], detail)
    }

    /// What became of a report.
    pub(super) fn outcome(&mut self, upshot: Upshot) -> u64 {
        let outcome = Outcome { upshot, independent_evidence: None, leads_number: None };
        let detail = Detail::OutcomeRecorded { actor: actor(), inquiry: String::new(), outcome };
        self.add(&[], &[9], detail)
    }

    /// Keeps a checkpoint of now, cosigned by some of the witnesses so many seconds later.
    pub(super) fn checkpoint(&mut self, signers: &[(usize, u64)]) {
        self.kept.push((self.head(), self.now.seconds(), signers.to_vec()));
    }

    pub(super) fn notes(&self) -> Vec<Note> {
        let note = |(checkpoint, now, signers): &Kept| {
            let mut note =
                Note::parse(&log_key().sign(checkpoint.leaves, checkpoint.root)).unwrap();
            signers
                .iter()
                .for_each(|&(witness, seconds)| cosigner(witness).cosign(&mut note, now + seconds));
            note
        };
        self.kept.iter().map(note).collect()
    }

    pub(super) fn head(&self) -> Checkpoint {
        Checkpoint { origin: ORIGIN.to_owned(), leaves: self.edge.leaves(), root: self.edge.root() }
    }

    /// The report of a period; `opened` says which leaves' details are at hand.
    pub(super) fn report(&self, period: Period, opened: impl Fn(u64) -> bool) -> PublicReport {
        self.built(ReportBuilder::new(period, self.edge.leaves(), None), opened)
    }

    pub(super) fn witnessed_report(&self, period: Period) -> PublicReport {
        self.witnessed_report_until(period, self.now.seconds())
    }

    pub(super) fn witnessed_report_until(&self, period: Period, until: u64) -> PublicReport {
        let (notes, quorum) = (self.notes(), quorum());
        self.built(
            ReportBuilder::new(
                period,
                self.edge.leaves(),
                Some(CosignedCheckpoints { notes: &notes, quorum: &quorum, until }),
            ),
            |_| true,
        )
    }

    fn built(&self, mut builder: ReportBuilder, opened: impl Fn(u64) -> bool) -> PublicReport {
        for (leaf, detail) in self.leaves.iter().zip(&self.details) {
            builder
                .take::<PublicReportError>(leaf, |index| {
                    Ok(detail.clone().filter(|_| opened(index)))
                })
                .unwrap();
        }
        assert_eq!(builder.root(), self.head().root);
        builder.finish(ORIGIN)
    }
}

fn log_key() -> LogKey {
    LogKey::new(ORIGIN, &[9; 32]).unwrap()
}

fn cosigner(witness: usize) -> CosignerKey {
    let name =
        ["circuit-court.example/witness", "slmpd.example/feed", "stlco.example/feed"][witness];
    CosignerKey::new(name, &[u8::try_from(witness).unwrap() + 20; 32]).unwrap()
}

/// Two of three witnesses, the court among them, within an hour.
pub(super) fn quorum() -> Quorum {
    let witness = |(at, name): (usize, &str)| Witness {
        name: name.to_owned(),
        key: cosigner(at).verifier().clone(),
        independent: at == 0,
    };
    let witnesses =
        ["circuit-court", "slmpd", "stlco"].into_iter().enumerate().map(witness).collect();
    Quorum::new(log_key().verifier().clone(), witnesses, 2, 60).unwrap()
}

/// As good as a tag of the box's own.
fn tag(booking: u64) -> u64 {
    (booking + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

pub(super) fn actor() -> Actor {
    Actor {
        certificate: "smrt:device/rtcc-1".to_owned(),
        fingerprint: String::new(),
        person: None,
        agency: None,
    }
}

pub(super) fn identifier(text: &str) -> Identifier {
    Identifier::parse(text).unwrap()
}

pub(super) fn request(purpose: &str, agency: &str) -> Request {
    let purpose = match purpose {
        "other" => {
            serde_json::json!({"kind": "other", "description": "line-up",
                "supervisor": "Sgt. Lee", "supervisor_badge": "77", "supervisor_agency": agency})
        }
        "court_order" => {
            serde_json::json!({"kind": "court_order", "court": "22nd Circuit", "number": "77",
                "date": "2026-01-01"})
        }
        kind => serde_json::json!({"kind": kind}),
    };
    let request = serde_json::json!({
        "requester": {"name": "Det. A. Ortiz", "badge": "2210", "agency": agency},
        "reference": {"kind": "complaint_number", "number": "26-004711"}, "purpose": purpose,
        "reason": "robbery at Grand and Gravois, a suspect on camera",
            "probe_source": "store camera",
        "attestations": {"not_solely_protected": true, "shows_person_sought": true,
            "source_as_stated": true}
    });
    serde_json::from_value(request).unwrap()
}

/// Numbers that look drawn and are always the same.
#[derive(Default)]
pub(super) struct Dice(pub(super) u64);

impl Dice {
    /// A number below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of these, by their weights.
    pub(super) fn of<T: Copy>(&mut self, weighted: &[(T, u64)]) -> T {
        let mut at = self.below(weighted.iter().map(|(_, weight)| weight).sum());
        for &(name, weight) in weighted {
            match at.checked_sub(weight) {
                Some(rest) => at = rest,
                None => return name,
            }
        }
        unreachable!("the weights sum up")
    }
}

pub(super) fn year_2026() -> Period {
    Period::new(date!(2026 - 01 - 01), date!(2027 - 01 - 01)).unwrap()
}

/// A year of a busy site, some days before it included.
pub(super) fn year() -> SampleLog {
    let log = SampleLog::from(date!(2025 - 12 - 20));
    let mut year = Year { log, dice: Dice(0x5eed_2026), ..Year::default() };
    year.start(198_112);
    (0..377).for_each(|day| year.day(day));
    year.log
}

const AGENCIES: [(&str, u64); 7] = [
    ("slmpd", 60),
    ("stlco", 30),
    ("st-charles", 12),
    ("jefferson", 9),
    ("madison", 5),
    ("clayton", 2),
    ("metro-transit", 1),
];
const PURPOSES: [(&str, u64); 7] = [
    ("crime", 70),
    ("law_violation", 16),
    ("missing_or_endangered", 8),
    ("identity_verification", 6),
    ("terrorism", 1),
    ("court_order", 2),
    ("other", 1),
];
const RULES: [(Rule, u64); 7] = [
    (Rule::ReasonHollow, 5),
    (Rule::ReasonLength, 6),
    (Rule::ReferenceHollow, 4),
    (Rule::FaceTooSmall, 9),
    (Rule::NoFace, 5),
    (Rule::SeveralFaces, 2),
    (Rule::AgencyNotListed, 1),
];
/// Alarms: the day on which each is raised, and how many days it stands.
const ALARMS: [(u64, u64, Alarm); 5] = [
    (60, 1, Alarm::Unwitnessed),
    (140, 2, Alarm::Unwitnessed),
    (166, 12, Alarm::DiskLow),
    (290, 30, Alarm::AuditOverdue),
    (371, 30, Alarm::ClockBehind),
];

/// A notice of release that no purge has followed yet.
struct Notice {
    leaf: u64,
    booking: u64,
    at: Time,
    agency: &'static str,
}

/// The year in the making.
#[derive(Default)]
struct Year {
    log: SampleLog,
    dice: Dice,
    /// Bookings that can be found, with their agencies.
    standing: Vec<(u64, &'static str)>,
    notices: Vec<Notice>,
    answers: Vec<u64>,
    /// Reports without an outcome.
    reports: Vec<u64>,
    /// Leaf, alarm and the day on which it is cleared.
    alarms: Vec<(u64, Alarm, u64)>,
}

impl Year {
    fn start(&mut self, rows: u64) {
        let detail = Detail::Started {
            software: "0.1.0".to_owned(),
            state: "test".to_owned(),
            model: MODEL.to_owned(),
            engine: "gpu".to_owned(),
            device: "a card".to_owned(),
            roster_sha256: String::new(),
        };
        self.log.add(&[], &[rows], detail);
    }

    fn day(&mut self, day: u64) {
        let midnight = self.log.now;
        if day % 61 == 17 {
            self.log.add(&[], &[], Detail::Stopped { software: "0.1.0".to_owned() });
            self.start(198_112 + day * 40);
        }
        for hour in 0..24 {
            let within = Span::from_cs(self.dice.below(Span::hours(1).cs()));
            self.log.now = midnight + Span::hours(hour) + within;
            self.hour(day);
        }
        self.log.now = midnight + Span::days(1) - Span::seconds(1);
        // The purge runs by itself after two days; two weeks of it went wrong in June.
        if !(150..166).contains(&day) {
            self.purge();
        }
        while self.reports.len() > 30 {
            self.record_outcome();
        }
        if day % 91 == 20 && self.answers.len() > 20 {
            self.audit();
        }
        self.raise_and_clear(day);
        if day % 30 == 3 {
            self.refuse_what_is_no_search();
        }
        self.log.checkpoint(&[(0, 45), (1, 30), (2, 50)]);
        self.log.now = midnight + Span::days(1);
    }

    fn hour(&mut self, day: u64) {
        for _ in 0..self.dice.below(2) {
            let agency = self.dice.of(&AGENCIES[..4]);
            self.standing.push((self.log.booking(agency, None), agency));
        }
        if self.dice.one_in(7) {
            let (purpose, agency) = (self.dice.of(&PURPOSES), self.dice.of(&AGENCIES));
            match self.dice.below(24) {
                0..3 => _ = self.log.refused(self.dice.of(&RULES), purpose, agency),
                3 if self.dice.one_in(3) => {
                    let asked = self.log.asked(purpose, agency);
                    self.log.add(&[asked], &[], Detail::Interrupted { search: None });
                }
                _ => self.inquire(purpose, agency),
            }
        }
        // The court is away for a day in May.
        let signers: &[(usize, u64)] = if day == 140 {
            &[(1, 90)]
        } else {
            &[(1, 70), (0, 400 + self.dice.below(900)), (2, 2_000)]
        };
        let signers = if self.dice.one_in(11) { &signers[..signers.len().min(2)] } else { signers };
        self.log.checkpoint(signers);
        if self.dice.one_in(60) && !self.standing.is_empty() {
            let at = usize::try_from(self.dice.below(self.standing.len() as u64)).unwrap();
            let (booking, agency) = self.standing.swap_remove(at);
            let leaf = self.log.released(agency, booking);
            self.notices.push(Notice { leaf, booking, at: self.log.now, agency });
        }
    }

    /// A search with its answer, both reviews and its report.
    fn inquire(&mut self, purpose: &str, agency: &str) {
        let (log, dice) = (&mut self.log, &mut self.dice);
        let asked = log.asked(purpose, agency);
        log.now += Span::from_cs(90);
        let candidates = if dice.one_in(9) { 0 } else { 10 + dice.below(11) };
        let answered = log.answered(asked, candidates);
        self.answers.push(answered);
        let leads = dice.below(3).min(candidates);
        let first = log.reviewed(&[answered], [1, candidates, leads, 0]);
        log.now += Span::seconds(30);
        let disagreements = if dice.one_in(5) { 1 + dice.below(2) } else { 0 };
        let counts = [2, candidates, leads, disagreements.min(candidates)];
        let second = log.reviewed(&[answered, first], counts);
        let leads = usize::try_from(leads).expect("a few leads");
        self.reports.push(log.issued(&[answered, first, second], leads));
    }

    fn purge(&mut self) {
        let log = &mut self.log;
        self.notices.retain(|notice| {
            let due = log.now > notice.at + Span::days(2);
            if due {
                log.purged(notice.agency, Some(notice.leaf), notice.booking);
            }
            !due
        });
    }

    fn record_outcome(&mut self) {
        let upshots = [Upshot::NoLead, Upshot::NoLeadFollowed, Upshot::LeadEliminated];
        self.reports.remove(0);
        let at = usize::try_from(self.dice.below(3)).expect("one of three");
        self.log.outcome(upshots[at]);
    }

    /// A sample of one in twenty searches, all but one of them reviewed.
    fn audit(&mut self) {
        let seeded =
            Detail::SampleSeeded { actor: actor(), seed: 7, rate_ppm: 50_000, first: 0, end: 9 };
        let seeded = self.log.add(&[], &[7, 50_000, 0, 9], seeded);
        let population = self.answers.len() as u64;
        let drawn = population / 20;
        let sample = Detail::SampleDrawn { actor: actor(), leaves: Vec::new() };
        let sample = self.log.add(&[seeded], &[population, drawn], sample);
        for at in 0..drawn.saturating_sub(1) {
            let detail = Detail::SampleReviewed {
                actor: actor(),
                asked: 0,
                finding: if at == 2 { SampleFinding::Irregular } else { SampleFinding::InOrder },
                note: String::new(),
                routed_to: None,
            };
            self.log.add(&[sample], &[], detail);
        }
    }

    fn raise_and_clear(&mut self, day: u64) {
        let log = &mut self.log;
        for (_, days, alarm) in ALARMS.into_iter().filter(|(on, ..)| *on == day) {
            let raised = Detail::AlarmRaised { alarm, what: String::new() };
            let leaf = log.add(&[], &[alarm as u64], raised);
            self.alarms.push((leaf, alarm, day + days));
        }
        self.alarms.retain(|&(leaf, alarm, until)| {
            if day == until {
                let cleared = Detail::AlarmCleared { alarm, what: String::new() };
                log.add(&[leaf], &[alarm as u64], cleared);
            }
            day != until
        });
    }

    /// Refusals gathered in one leaf, and refusals of a booking and of a caller.
    fn refuse_what_is_no_search(&mut self) {
        let kept = vec![Refusal {
            time_cs: Time::EPOCH,
            rule: Rule::NoFace,
            reason: "no face found, wanted a photo with a face".to_owned(),
            request: Some(request("crime", "stlco")),
        }];
        let gathered =
            Detail::RefusalsGathered { actor: actor(), hour_cs: Time::EPOCH, refusals: 3, kept };
        self.log.add(&[0], &[LeafKind::SearchRefused as u64, 3], gathered);
        let booking = Detail::BookingRefused {
            actor: actor(),
            rule: Rule::PhotoDamaged,
            reason: "the photo is damaged".to_owned(),
        };
        self.log.add(&[], &[], booking);
        let caller = Detail::CallerRefused {
            actor: actor(),
            rule: Rule::AgencyNotActive,
            reason: "agency 'gone' is not active: its agreement has ended".to_owned(),
        };
        self.log.add(&[], &[], caller);
    }
}
