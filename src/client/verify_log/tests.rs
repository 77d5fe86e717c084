//! A log as the daemon would write it, whole and then tampered with in every way that one can think
//! of.

#[path = "../test_log/maker.rs"]
mod maker;
#[path = "../test_log/tampering.rs"]
mod tampering;
#[path = "../test_log/tiles.rs"]
mod tiles;

use super::*;
use crate::audit::examples::example;
use crate::audit::touch::{ActApproval, Base64Url, Touch, Verb};
use crate::audit::{
    Actor, CosignerKey, Detail, Leaf, LeafKind, LogKey, Refusal, SampleFinding, SampleKey, Shown,
    Witness, commit,
};
use crate::booking::{Identifier, VersionId};
use crate::client::log_folder::{CHECKPOINT, CHECKPOINTS, OpenedDetail};
use crate::inquiry::{self, Disposition};
use crate::rule::Rule;
use maker::{EPISODE, Step};
use tampering::{Files, TestLog, root, size_of, write};

const ORIGIN: &str = "fusion.example/smrt";
const SECRET: [u8; 32] = [5; 32];
const BEGAN: Time = Time::from_cs(179_000_000_000);
const STEP_SECONDS: u64 = 30;
const EPISODES: u64 = 20;
const CHECKPOINT_EVERY: usize = 56;
const WITHIN_MINUTES: u64 = 10;

/// When the log had so many leaves, and the time of the leaf of that index.
fn time_of(index: u64) -> Time {
    BEGAN + Span::seconds(index * STEP_SECONDS)
}

fn key() -> LogKey {
    LogKey::new(ORIGIN, &SECRET).unwrap()
}

fn witness(n: u8) -> CosignerKey {
    CosignerKey::new(&format!("w{n}.example"), &[10 + n; 32]).unwrap()
}

fn quorum() -> Quorum {
    let witness = |n| Witness {
        name: format!("w{n}"),
        key: witness(n).verifier().clone(),
        independent: n == 2,
    };
    Quorum::new(key().verifier().clone(), (0..3).map(witness).collect(), 2, WITHIN_MINUTES).unwrap()
}

impl TestLog {
    fn made() -> Self {
        let newest = Note::parse(&key().sign(0, root(&[]))).unwrap();
        let (leaves, details, kept) = (Vec::new(), Vec::new(), Vec::new());
        let mut log = Self {
            leaves,
            details,
            kept,
            newest,
            origin: ORIGIN,
            secret: SECRET,
            quorum: quorum(),
        };
        for episode in 0..EPISODES {
            let begin = log.leaves.len() as u64;
            let details = Episode { episode, begin };
            for (at, step) in EPISODE.iter().enumerate() {
                log.push(*step, begin, &details.detail(at));
            }
            if episode % 6 == 5 {
                log.audit();
            }
        }
        let last = log.leaves.len();
        for size in (CHECKPOINT_EVERY..last - 25).step_by(CHECKPOINT_EVERY).chain([last]) {
            let mut note = log.note(size);
            let seconds = time_of(size as u64).seconds();
            // Not all of them are there every time.
            (0..3)
                .filter(|&n| n != 1 || size % 3 != 0)
                .for_each(|n| witness(n).cosign(&mut note, seconds + 7 * u64::from(n)));
            log.kept.push(note);
        }
        log.newest = log.kept.last().unwrap().clone();
        log
    }

    fn push(&mut self, step: Step, begin: u64, detail: &Detail) {
        self.push_leaf(maker::leaf(step, begin, Time::EPOCH, [0; 32]), detail);
    }

    fn push_leaf(&mut self, leaf: Leaf, detail: &Detail) {
        let index = self.leaves.len() as u64;
        assert_eq!(leaf.kind, detail.kind());
        let salt = crate::audit::leaf_hash(&index.to_le_bytes());
        let commitment = commit(&salt, &detail.to_bytes());
        self.leaves.push(Leaf { time: time_of(index), commitment, ..leaf }.to_bytes());
        let detail = String::from_utf8(detail.to_bytes()).unwrap();
        self.details.push(OpenedDetail { leaf: index, salt: hex::encode(salt), detail });
    }

    /// An auditor's sample of all searches so far, and a review of the first one drawn.
    fn audit(&mut self) {
        let (seed, rate_ppm, end) = (7, 400_000, self.leaves.len() as u64);
        let leaf = |kind, follows: Vec<u64>, counts: Vec<u64>| Leaf {
            kind,
            time: Time::EPOCH,
            follows,
            counts,
            commitment: [0; 32],
        };
        let seeded = leaf(LeafKind::SampleSeeded, vec![], vec![seed, rate_ppm, 0, end]);
        self.push_leaf(
            seeded,
            &Detail::SampleSeeded { actor: actor("auditor"), seed, rate_ppm, first: 0, end },
        );
        let sample = SampleKey::new(seed, &root(&self.leaves));
        let asked: Vec<u64> = (0..end).filter(|&leaf| self.kind(leaf) == LeafKind::Asked).collect();
        let leaves: Vec<u64> =
            asked.iter().copied().filter(|&leaf| sample.draws(leaf, rate_ppm)).collect();
        let first = leaves[0];
        let drawn =
            leaf(LeafKind::SampleDrawn, vec![end], vec![asked.len() as u64, leaves.len() as u64]);
        self.push_leaf(drawn, &Detail::SampleDrawn { actor: actor("auditor"), leaves });
        let reviewed = leaf(LeafKind::SampleReviewed, vec![end + 1], vec![]);
        let note = "in order".to_owned();
        let detail = Detail::SampleReviewed {
            actor: actor("auditor"),
            asked: first,
            finding: SampleFinding::InOrder,
            note,
            routed_to: None,
        };
        self.push_leaf(reviewed, &detail);
    }

    fn kind(&self, leaf: u64) -> LeafKind {
        Leaf::from_bytes(&self.leaves[usize::try_from(leaf).unwrap()]).unwrap().kind
    }
}

fn actor(name: &str) -> Actor {
    Actor {
        certificate: format!("smrt:{name}"),
        fingerprint: "ab".repeat(32),
        person: None,
        agency: None,
    }
}

fn approval() -> ActApproval {
    ActApproval {
        verb: Verb::LogOn,
        log: ORIGIN.to_owned(),
        person: Identifier::parse("diaz").unwrap(),
        device: Identifier::parse("console-3").unwrap(),
        certificate_sha256: Digest([0xab; 32]),
        what_sha256: Digest([0; 32]),
        expires: 1,
        nonce: [1; 32],
    }
}

fn touch() -> Touch {
    fn bytes<const BYTES_MAX: usize>() -> Base64Url<BYTES_MAX> {
        Base64Url::new([7; 16]).unwrap()
    }
    Touch {
        credential: bytes(),
        authenticator_data: bytes(),
        client_data: bytes(),
        signature: bytes(),
    }
}

/// The details of one episode of the log: an agency's bookings, and an inquiry from its opening to
/// its end.
struct Episode {
    episode: u64,
    begin: u64,
}

fn agency() -> Identifier {
    Identifier::parse("slmpd").unwrap()
}

fn reason() -> String {
    "because of \u{201c}it\u{201d}".to_owned()
}

fn request() -> inquiry::Request {
    match example(LeafKind::InquiryOpened) {
        Detail::InquiryOpened { request, .. } => request,
        other => panic!("not of its kind: {other:?}"),
    }
}

impl Episode {
    fn version(&self, step: u64) -> VersionId {
        VersionId((u128::from(self.episode) << 64 | u128::from(step)).to_be_bytes())
    }

    fn inquiry(&self, step: usize) -> String {
        format!("i{}-{}", self.episode, if step < 20 { 1 } else { 2 })
    }

    fn booked(&self, step: u64, replaces: Option<VersionId>) -> Detail {
        Detail::BookingIn {
            actor: console(),
            agency: agency(),
            version: self.version(step),
            replaces,
            photo_commitment: "cd".repeat(32),
        }
    }

    fn released(&self, step: u64) -> Detail {
        let versions = vec![self.version(step)];
        Detail::Released { actor: console(), agency: agency(), versions, reason: reason() }
    }

    fn purged(&self, step: u64) -> Detail {
        let assurance = "key gone".to_owned();
        Detail::Purged { agency: agency(), version: self.version(step), assurance }
    }

    fn asked(&self, step: usize, search: String) -> Detail {
        match example(LeafKind::Asked) {
            Detail::Asked { request, approval, touch, key, .. } => {
                let (actor, inquiry) = (console(), self.inquiry(step));
                Detail::Asked { actor, search, inquiry, request, approval, touch, key }
            }
            other => panic!("not of its kind: {other:?}"),
        }
    }

    fn answered(&self) -> Detail {
        Detail::Answered {
            actor: console(),
            search: format!("s{}", self.episode),
            model: "m".to_owned(),
            gallery_rows: self.begin,
            candidates: [0, 2]
                .map(|step| Shown { version: self.version(step), score: 0.5 })
                .to_vec(),
        }
    }

    fn reviewed(&self, step: usize, examiner: &str) -> Detail {
        let finding = |step, disposition| inquiry::Finding {
            candidate: self.version(step),
            disposition,
            observations: Vec::new(),
            note: None,
        };
        Detail::Reviewed {
            actor: Actor { person: Some(Identifier::parse(examiner).unwrap()), ..console() },
            inquiry: self.inquiry(step),
            findings: vec![finding(0, Disposition::Lead), finding(2, Disposition::NoLead)],
            released: Vec::new(),
            disagreements: 0,
        }
    }

    fn detail(&self, step: usize) -> Detail {
        let (actor, inquiry) = (console(), self.inquiry(step));
        match step {
            0 => self.booked(0, None),
            1 => self.booked(1, None),
            2 => self.booked(2, Some(self.version(1))),
            3 => Detail::LoggedOn { actor, approval: approval(), touch: touch() },
            4 | 20 => Detail::InquiryOpened { actor, inquiry, request: request() },
            5 => self.asked(step, format!("s{}", self.episode)),
            6 => self.purged(1),
            7 => self.answered(),
            8 => {
                let search = format!("s{}", self.episode);
                Detail::PhotoViewed { actor, search, version: self.version(0) }
            }
            9 => self.reviewed(step, "diaz"),
            10 => Detail::LoggedOff { actor, why: reason() },
            11 => self.reviewed(step, "okafor"),
            12 => {
                let (report_sha256, leads) = ("00".repeat(32), vec![self.version(0)]);
                Detail::ReportIssued { actor, inquiry, report_sha256, leads }
            }
            13 => Detail::InquiryClosed { actor, inquiry, withdrawn: false, reason: reason() },
            14 => Detail::HoldNoticed {
                actor,
                agency: agency(),
                version: self.version(0),
                order: Some(reason()),
                reason: reason(),
            },
            15 => self.released(0),
            16 => {
                let version = self.version(0);
                Detail::HoldDecided { actor, version, granted: true, reason: reason() }
            }
            17 => {
                let (version, manifest_sha256) = (self.version(0), "11".repeat(32));
                Detail::Transferred { actor, version, manifest_sha256 }
            }
            18 => self.purged(0),
            19 => self.released(2),
            21 => Detail::SearchRefused {
                actor,
                request: Some(request()),
                rule: Rule::NoFace,
                reason: reason(),
            },
            22 => self.asked(step, format!("t{}", self.episode)),
            23 => Detail::Interrupted { search: Some(format!("t{}", self.episode)) },
            24 => {
                let [software, state, model, engine, device, roster_sha256] =
                    std::array::from_fn(|_| "x".to_owned());
                Detail::Started { software, state, model, engine, device, roster_sha256 }
            }
            25 => {
                let kept = vec![Refusal {
                    time_cs: BEGAN,
                    rule: Rule::NoFace,
                    reason: reason(),
                    request: None,
                }];
                Detail::RefusalsGathered { actor, hour_cs: BEGAN, refusals: 7, kept }
            }
            26 => self.purged(2),
            _ => Detail::LogRead { actor, hour_cs: BEGAN },
        }
    }
}

fn console() -> Actor {
    actor("console-3")
}

#[test]
fn a_log_that_nobody_touched_holds_and_its_verdict_says_so() {
    let temp = tempfile::tempdir().unwrap();
    let log = TestLog::made();
    write(temp.path(), &Files::new(), &log.files());
    let folder = LogFolder::at(temp.path());
    for (since, all_details) in [(None, false), (Some(log.kept[3].clone()), true)] {
        let verdict = verify(&folder, &log.terms(since, all_details)).unwrap();
        assert!(verdict.holds, "{}", verdict.words());
        // Its witnesses come every half an hour, and ten minutes are allowed.
        assert!(
            matches!(&verdict.observations.list[..],
                [wait] if wait.what.starts_with("waited 32 minutes")),
            "{}",
            verdict.words()
        );
        assert_eq!(
            (verdict.leaves, verdict.checked.details, verdict.not_witnessed.clone()),
            (log.len() as u64, log.len() as u64, None)
        );
        assert_eq!(
            (verdict.kinds["asked"], verdict.kinds["sample_drawn"]),
            (2 * EPISODES, EPISODES / 6)
        );
        assert!(log.kept.len() >= 10 && verdict.checked.cosignatures > 20, "{:?}", verdict.checked);
        assert!(
            verdict.words().contains("The log holds") && !verdict.words().contains("WHOSE KEYS"),
            "{}",
            verdict.words()
        );
    }
    let verdict = verify(&folder, &VerifyOptions::default()).unwrap();
    assert!(verdict.holds && verdict.words().contains("WHOSE KEYS"), "{}", verdict.words());
    assert!(verdict.keys.iter().all(|key| verdict.words().contains(&key.fingerprint)));
}

/// What is wrong with a log that somebody made otherwise.
fn verdict(files: &Files, terms: &VerifyOptions) -> LogVerdict {
    let temp = tempfile::tempdir().unwrap();
    write(temp.path(), &Files::new(), files);
    verify(&LogFolder::at(temp.path()), terms).unwrap()
}

fn says(verdict: &LogVerdict, place: &Place, what: &str) -> bool {
    verdict
        .violations
        .list
        .iter()
        .any(|remark| remark.place == *place && remark.what.contains(what))
}

#[test]
fn two_histories_under_one_key_are_told_even_where_the_log_looks_whole() {
    let mut log = TestLog::made();
    log.kept[4] = Note::parse(&key().sign(size_of(&log.kept[4]) as u64, [9; 32])).unwrap();
    let verdict = verdict(&log.files(), &log.terms(None, false));
    let place = Place::Line { path: CHECKPOINTS.to_owned(), line: 5 };
    assert!(
        says(&verdict, &place, "it has signed two histories") && verdict.violations.count() == 1,
        "{}",
        verdict.words()
    );
}

#[test]
fn leaves_that_were_changed_with_their_lower_hashes_are_found_by_the_tile_above() {
    let log = TestLog::made();
    let (mut changed, clean) = (log.clone(), log.files());
    changed.leaves[300][20] ^= 1;
    let mut files = changed.files();
    files.insert("tile/1/000.p/2".to_owned(), clean["tile/1/000.p/2"].clone());
    let verdict = verdict(&files, &log.terms(None, false));
    assert!(
        says(
            &verdict,
            &Place::Leaves { first: 256, end: 512 },
            "changed together with their hashes"
        ),
        "{}",
        verdict.words()
    );
}

#[test]
fn a_checkpoint_of_another_name_counts_only_if_a_leaf_says_the_log_was_renamed() {
    let former = LogKey::new("former.example/smrt", &[6; 32]).unwrap();
    let renamed = |log: &TestLog, opened: bool| {
        let mut log = log.clone();
        if opened {
            let at = log.len() as u64;
            let backup_root = hex::encode(root(&log.leaves));
            let leaf = Leaf {
                kind: LeafKind::OriginOpened,
                time: Time::EPOCH,
                follows: vec![],
                counts: vec![at, at + 9],
                commitment: [0; 32],
            };
            let [software, name, cosigned] = ["x", "former.example/smrt", "x"].map(str::to_owned);
            log.push_leaf(
                leaf,
                &Detail::OriginOpened {
                    software,
                    former: name,
                    backup_leaves: at,
                    backup_root,
                    cosigned,
                },
            );
            let mut note = log.note(log.len());
            (0..3).for_each(|n| witness(n).cosign(&mut note, time_of(log.len() as u64).seconds()));
            log.kept.push(note.clone());
            log.newest = note;
        }
        let of = size_of(&log.kept[0]);
        log.kept[0] = Note::parse(&former.sign(of as u64, root(&log.leaves[..of]))).unwrap();
        let policy = format!("log {}\n{}", former.verifier(), quorum());
        let since = Some(("mine".to_owned(), log.kept[0].clone()));
        verdict(
            &log.files(),
            &VerifyOptions {
                keys: Some(Quorum::parse(&policy).unwrap()),
                since,
                ..VerifyOptions::default()
            },
        )
    };
    let log = TestLog::made();
    let unexplained = renamed(&log, false);
    let place = Place::Line { path: CHECKPOINTS.to_owned(), line: 1 };
    assert!(
        says(&unexplained, &place, "no leaf says that this log ever had that name"),
        "{}",
        unexplained.words()
    );
    let explained = renamed(&log, true);
    assert!(
        explained.holds && explained.words().contains("goes on under another name"),
        "{}",
        explained.words()
    );
}

#[test]
fn leaves_whose_times_contradict_a_witness_are_found_though_everything_is_cosigned() {
    let log = TestLog::made();
    let at = size_of(&log.kept[4]) as u64;
    let cosigned = |late_seconds: i64| {
        let mut log = log.clone();
        let time = time_of(at).seconds().checked_add_signed(late_seconds).unwrap();
        witness(2).cosign(&mut log.kept[4], time);
        verdict(&log.files(), &log.terms(None, false))
    };
    assert!(cosigned(0).holds && cosigned(200).holds && cosigned(-200).holds);
    // Ten minutes: of twenty leaves to either side, those beyond the five minutes that clocks may
    // differ.
    let late = cosigned(600);
    assert!(
        says(&late, &Place::Leaves { first: at, end: at + 10 }, "dated before 2026-"),
        "{}",
        late.words()
    );
    let early = cosigned(-600);
    assert!(
        says(&early, &Place::Leaves { first: at - 9, end: at }, "dated after 2026-"),
        "{}",
        early.words()
    );
}

#[test]
fn a_log_of_other_keys_is_refused_and_the_size_it_claims_is_not_waited_for() {
    let log = TestLog::made();
    let mut files = log.files();
    let other = LogKey::new(ORIGIN, &[77; 32]).unwrap();
    files.insert(CHECKPOINT.to_owned(), other.sign(u64::MAX, [1; 32]).into_bytes());
    files.insert(CHECKPOINTS.to_owned(), Vec::new());
    let verdict = verdict(&files, &log.terms(None, false));
    let place = Place::File { path: CHECKPOINT.to_owned() };
    assert!(says(&verdict, &place, "is not signed by the key of the log"), "{}", verdict.words());
    assert!(verdict.words().contains("the rest is not looked for"), "{}", verdict.words());
}

#[test]
fn without_witnesses_the_verdict_says_who_alone_vouches() {
    let none = Quorum::new(key().verifier().clone(), Vec::new(), 0, 60).unwrap();
    let verdict = verdict(
        &TestLog::made().files(),
        &VerifyOptions { keys: Some(none), ..VerifyOptions::default() },
    );
    assert!(verdict.holds && verdict.words().contains("NO WITNESSES"), "{}", verdict.words());
    assert!(
        verdict.words().contains("other keys or another quorum than those that you gave"),
        "{}",
        verdict.words()
    );
}

#[test]
fn every_one_of_two_thousand_tamperings_is_found_where_it_is() {
    tampering::every_one_is_found(&TestLog::made());
}

/// A log whose last leaves no witness has cosigned yet, and the first of those leaves.
fn with_a_tail() -> (TestLog, u64) {
    let mut log = TestLog::made();
    let covered = size_of(&log.kept[log.kept.len() - 2]) as u64;
    log.newest = log.note(log.len());
    log.kept.pop();
    (log, covered)
}

/// The log's quorum, with a week's time to cosign.
fn patient(log: &TestLog) -> VerifyOptions {
    let (key, witnesses) = (log.quorum.logs()[0].clone(), log.quorum.witnesses().to_vec());
    let keys = Quorum::new(key, witnesses, 2, 10_000).unwrap();
    VerifyOptions { keys: Some(keys), ..VerifyOptions::default() }
}

#[test]
fn leaves_that_waited_too_long_for_witnesses_are_a_violation() {
    let (log, covered) = with_a_tail();
    let verdict = verdict(&log.files(), &log.terms(None, false));
    // Fifty and a few leaves came within half an hour, and witnesses had ten minutes.
    let rest = Place::Leaves { first: covered, end: log.len() as u64 };
    assert!(
        !verdict.holds && says(&verdict, &rest, "not witnessed in time"),
        "{}",
        verdict.words()
    );
}

#[test]
fn leaves_that_no_quorum_cosigned_are_said_to_rest_on_the_owners_word() {
    let (log, covered) = with_a_tail();
    let verdict = verdict(&log.files(), &patient(&log));
    let rest = Place::Leaves { first: covered, end: log.len() as u64 };
    assert!(verdict.holds && verdict.not_witnessed == Some(rest), "{}", verdict.words());
    let words = verdict.words();
    assert!(words.starts_with("THE LOG HOLDS AS FAR AS IT IS WITNESSED"), "{words}");
}

#[test]
fn a_log_of_which_nothing_is_cosigned_rests_on_the_owners_word_as_a_whole() {
    let (mut log, _) = with_a_tail();
    log.kept.clear();
    let verdict = verdict(&log.files(), &patient(&log));
    let all = Place::Leaves { first: 0, end: log.len() as u64 };
    assert!(
        verdict.holds && verdict.not_witnessed == Some(all) && verdict.witnessed.is_none(),
        "{}",
        verdict.words()
    );
    assert!(verdict.words().contains("NOT WITNESSED"), "{}", verdict.words());
}
