//! A log as the daemon would write it, whole and then tampered with in every way that one can think of.

#[path = "../../../tests/bench/log/maker.rs"]
mod maker;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rayon::prelude::*;
use serde_json::json;

use super::*;
use crate::audit::{
    Actor, CosignerKey, Detail, Disposed, Edge, Finding, Holds, Leaf, LeafKind, LogKey, Refusal, SampleKey, Shown, TileId, Witness, commit,
    push_entry,
};
use crate::booking::{Identifier, VersionId};
use crate::client::archive::{CHECKPOINT, CHECKPOINTS, DETAILS, OpenedDetail, POLICY};
use maker::{EPISODE, Step, Tiles};

const ORIGIN: &str = "fusion.example/smrt";
const BEGAN_CS: u64 = 179_000_000_000;
const STEP_CS: u64 = 3_000;
const EPISODES: u64 = 20;
const CHECKPOINT_EVERY: usize = 56;
const WITHIN_MINUTES: u64 = 10;

fn key() -> LogKey {
    LogKey::new(ORIGIN, &[5; 32]).unwrap()
}

fn witness(n: u8) -> CosignerKey {
    CosignerKey::new(&format!("w{n}.example"), &[10 + n; 32]).unwrap()
}

fn quorum() -> Quorum {
    let witness = |n| Witness { name: format!("w{n}"), key: witness(n).verifier().clone(), independent: n == 2 };
    Quorum::new(key().verifier().clone(), (0..3).map(witness).collect(), 2, WITHIN_MINUTES).unwrap()
}

/// Everything that an export is made of.
#[derive(Clone)]
struct Log {
    leaves: Vec<Vec<u8>>,
    details: Vec<OpenedDetail>,
    kept: Vec<Note>,
    newest: Note,
}

type Files = BTreeMap<String, Vec<u8>>;

impl Log {
    fn made() -> Self {
        let mut log = Self { leaves: Vec::new(), details: Vec::new(), kept: Vec::new(), newest: note(0, &[]) };
        for episode in 0..EPISODES {
            let begin = log.leaves.len() as u64;
            for (at, step) in EPISODE.iter().enumerate() {
                log.push(*step, begin, &detail(at, episode, begin));
            }
            if episode % 6 == 5 {
                log.audit();
            }
        }
        let last = log.leaves.len();
        for size in (CHECKPOINT_EVERY..last - 25).step_by(CHECKPOINT_EVERY).chain([last]) {
            let mut note = note(size, &log.leaves);
            let seconds = (BEGAN_CS + size as u64 * STEP_CS) / 100;
            // Not all of them are there every time.
            (0..3).filter(|&n| n != 1 || size % 3 != 0).for_each(|n| witness(n).cosign(&mut note, seconds + 7 * u64::from(n)));
            log.kept.push(note);
        }
        log.newest = log.kept.last().unwrap().clone();
        log
    }

    fn push(&mut self, step: Step, begin: u64, detail: &Detail) {
        self.push_leaf(maker::leaf(step, begin, 0, [0; 32]), detail);
    }

    fn push_leaf(&mut self, leaf: Leaf, detail: &Detail) {
        let index = self.leaves.len() as u64;
        assert_eq!(leaf.kind, detail.kind());
        let salt = crate::audit::leaf_hash(&index.to_le_bytes());
        let commitment = commit(&salt, &detail.to_bytes());
        self.leaves.push(Leaf { time_cs: BEGAN_CS + index * STEP_CS, commitment, ..leaf }.to_bytes());
        let detail = String::from_utf8(detail.to_bytes()).unwrap();
        self.details.push(OpenedDetail { leaf: index, salt: hex::encode(salt), detail });
    }

    /// An auditor's sample of all searches so far, and a review of the first one drawn.
    fn audit(&mut self) {
        let (seed, rate_ppm, end) = (7, 400_000, self.leaves.len() as u64);
        let leaf = |kind, follows: Vec<u64>, counts: Vec<u64>| Leaf { kind, time_cs: 0, follows, counts, commitment: [0; 32] };
        let seeded = leaf(LeafKind::SampleSeeded, vec![], vec![seed, rate_ppm, 0, end]);
        self.push_leaf(seeded, &Detail::SampleSeeded { actor: actor("auditor"), seed, rate_ppm, first: 0, end });
        let sample = SampleKey::new(seed, &root(&self.leaves));
        let asked: Vec<u64> = (0..end).filter(|&leaf| self.kind(leaf) == LeafKind::Asked).collect();
        let leaves: Vec<u64> = asked.iter().copied().filter(|&leaf| sample.draws(leaf, rate_ppm)).collect();
        let first = leaves[0];
        let drawn = leaf(LeafKind::SampleDrawn, vec![end], vec![asked.len() as u64, leaves.len() as u64]);
        self.push_leaf(drawn, &Detail::SampleDrawn { actor: actor("auditor"), leaves });
        let reviewed = leaf(LeafKind::SampleReviewed, vec![end + 1], vec![]);
        let note = "in order".to_owned();
        let detail = Detail::SampleReviewed { actor: actor("auditor"), asked: first, finding: Finding::InOrder, note, routed_to: None };
        self.push_leaf(reviewed, &detail);
    }

    fn kind(&self, leaf: u64) -> LeafKind {
        Leaf::from_bytes(&self.leaves[usize::try_from(leaf).unwrap()]).unwrap().kind
    }

    fn len(&self) -> usize {
        self.leaves.len()
    }

    fn files(&self) -> Files {
        let mut files = Files::new();
        let mut tiles = Tiles::new(|id: TileId, bytes: &[u8]| {
            files.insert(id.path(), bytes.to_vec());
        });
        self.leaves.iter().for_each(|leaf| tiles.push(leaf));
        tiles.end();
        assert_eq!(tiles.root(), root(&self.leaves));
        files.insert(CHECKPOINT.to_owned(), self.newest.to_string().into_bytes());
        let lines = |notes: &[Note]| notes.iter().map(|note| json!(note.to_string()).to_string() + "\n").collect::<String>();
        files.insert(CHECKPOINTS.to_owned(), lines(&self.kept).into_bytes());
        let lines = self.details.iter().map(|detail| serde_json::to_string(detail).unwrap() + "\n").collect::<String>();
        files.insert(DETAILS.to_owned(), lines.into_bytes());
        files.insert(POLICY.to_owned(), quorum().to_string().into_bytes());
        files
    }

    /// Signs all checkpoints that no longer fit anew with the log's own key, which leaves their cosignatures behind or keeps their lines.
    fn sign_again(&mut self, stale: bool) {
        let last = self.len();
        self.kept.retain(|note| size_of(note) <= last);
        if self.kept.last().is_none_or(|note| size_of(note) < last) {
            self.kept.push(note(last, &self.leaves));
        }
        for kept in &mut self.kept {
            let again = note(size_of(kept), &self.leaves);
            if kept.text() != again.text() {
                let lines =
                    kept.to_string().lines().filter(|line| line.starts_with("\u{2014} w")).map(|l| format!("{l}\n")).collect::<String>();
                *kept = Note::parse(&format!("{again}{}", if stale { lines } else { String::new() })).unwrap();
            }
        }
        self.newest = self.kept.last().unwrap().clone();
    }
}

fn actor(name: &str) -> Actor {
    Actor { certificate: format!("smrt:{name}"), fingerprint: "ab".repeat(32) }
}

fn version(episode: u64, step: u64) -> VersionId {
    VersionId((u128::from(episode) << 64 | u128::from(step)).to_be_bytes())
}

fn detail(step: usize, episode: u64, begin: u64) -> Detail {
    let actor = || actor("console-3");
    let agency = || Identifier::parse("slmpd").unwrap();
    let id = |text: &str| Identifier::parse(text).unwrap();
    let version = |step| version(episode, step);
    let (search, inquiry) = (format!("s{episode}"), format!("i{episode}-{}", if step < 20 { 1 } else { 2 }));
    let request = || {
        let request = json!({
            "reference": {"kind": "complaint_number", "number": format!("26-{episode}")}, "requester": "Det. Ortiz", "agency": "slmpd",
            "purpose": {"kind": "crime"}, "reason": "a burglary on Market Street", "probe_source": "a shop's camera",
        });
        serde_json::from_value(request).unwrap()
    };
    let reason = || "because of \u{201c}it\u{201d}".to_owned();
    let reviewed = |examiner: &str| Detail::Reviewed {
        actor: actor(),
        inquiry: inquiry.clone(),
        examiner: examiner.to_owned(),
        dispositions: vec![Disposed { version: version(0), lead: true }, Disposed { version: version(2), lead: false }],
    };
    let booked = |step, replaces| Detail::BookingIn {
        actor: actor(),
        agency: agency(),
        version: version(step),
        replaces,
        photo_commitment: "cd".repeat(32),
    };
    let purged = |step| Detail::Purged { agency: agency(), version: version(step), assurance: "key gone".to_owned() };
    let released = |step| Detail::Released { actor: actor(), agency: agency(), versions: vec![version(step)], reason: reason() };
    let opened = || Detail::InquiryOpened { actor: actor(), inquiry: inquiry.clone(), request: request() };
    let asked = |search| Detail::Asked {
        actor: actor(),
        search,
        request: request(),
        probe_sha256: "ef".repeat(32),
        face: 0,
        model: "m".to_owned(),
    };
    match step {
        0 => booked(0, None),
        1 => booked(1, None),
        2 => booked(2, Some(version(1))),
        3 => Detail::LoggedOn { person: id("diaz"), device: id("console-3"), credential: "k".to_owned() },
        4 | 20 => opened(),
        5 => asked(search),
        6 => purged(1),
        7 => Detail::Answered {
            actor: actor(),
            search,
            model: "m".to_owned(),
            gallery_rows: begin,
            candidates: [0, 2].map(|step| Shown { version: version(step), score: 0.5 }).to_vec(),
        },
        8 => Detail::PhotoViewed { actor: actor(), search, version: version(0) },
        9 => reviewed("diaz"),
        10 => Detail::LoggedOff { person: id("diaz"), device: id("console-3"), why: reason() },
        11 => reviewed("okafor"),
        12 => Detail::ReportIssued { actor: actor(), inquiry, report_sha256: "00".repeat(32), leads: vec![version(0)] },
        13 => Detail::InquiryClosed { actor: actor(), inquiry, withdrawn: false, reason: reason() },
        14 => Detail::HoldNoticed { actor: actor(), agency: agency(), version: version(0), order: Some(reason()), reason: reason() },
        15 => released(0),
        16 => Detail::HoldDecided { actor: actor(), version: version(0), granted: true, reason: reason() },
        17 => Detail::Transferred { actor: actor(), version: version(0), manifest_sha256: "11".repeat(32) },
        18 => purged(0),
        19 => released(2),
        21 => Detail::SearchRefused { actor: actor(), request: Some(request()), reason: reason() },
        22 => asked(format!("t{episode}")),
        23 => Detail::Interrupted { search: Some(format!("t{episode}")), device: Some(id("console-3")) },
        24 => {
            let [software, state, model, engine, device, roster_sha256] = std::array::from_fn(|_| "x".to_owned());
            Detail::Started { software, state, model, engine, device, roster_sha256 }
        }
        25 => {
            let kept = vec![Refusal { time_cs: BEGAN_CS, reason: reason(), request: None }];
            Detail::RefusalsGathered { actor: actor(), hour_cs: BEGAN_CS, refusals: 7, kept }
        }
        26 => purged(2),
        _ => Detail::LogRead { actor: actor(), hour_cs: BEGAN_CS },
    }
}

fn root(leaves: &[Vec<u8>]) -> Hash {
    let mut edge = Edge::default();
    leaves.iter().for_each(|leaf| {
        edge.append(leaf);
    });
    edge.root()
}

fn note(size: usize, leaves: &[Vec<u8>]) -> Note {
    Note::parse(&key().sign(size as u64, root(&leaves[..size]))).unwrap()
}

fn size_of(note: &Note) -> usize {
    usize::try_from(note.checkpoint().unwrap().leaves).unwrap()
}

fn terms(since: Option<Note>, all_details: bool) -> Terms {
    Terms { keys: Some(quorum()), since: since.map(|note| ("mine".to_owned(), note)), all_details }
}

/// Makes the folder hold these files and no others.
fn write(folder: &Path, before: &Files, after: &Files) {
    before.keys().filter(|path| !after.contains_key(*path)).for_each(|path| fs::remove_file(folder.join(path)).unwrap());
    for (path, bytes) in after.iter().filter(|(path, bytes)| before.get(*path) != Some(bytes)) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

#[test]
fn a_log_that_nobody_touched_holds_and_its_verdict_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::made();
    write(folder.path(), &Files::new(), &log.files());
    let archive = Archive::at(folder.path());
    for (since, all_details) in [(None, false), (Some(log.kept[3].clone()), true)] {
        let verdict = verify(&archive, &terms(since, all_details)).unwrap();
        assert!(verdict.holds, "{}", verdict.words());
        // Its witnesses come every half an hour, and ten minutes are allowed.
        assert!(matches!(&verdict.observations.list[..], [wait] if wait.what.starts_with("waited 32 minutes")), "{}", verdict.words());
        assert_eq!((verdict.leaves, verdict.checked.details, verdict.not_witnessed), (log.len() as u64, log.len() as u64, 0));
        assert_eq!((verdict.kinds["asked"], verdict.kinds["sample_drawn"]), (2 * EPISODES, EPISODES / 6));
        assert!(log.kept.len() >= 10 && verdict.checked.cosignatures > 20, "{:?}", verdict.checked);
        assert!(verdict.words().contains("The log holds") && !verdict.words().contains("WHOSE KEYS"), "{}", verdict.words());
    }
    let verdict = verify(&archive, &Terms::default()).unwrap();
    assert!(verdict.holds && verdict.words().contains("WHOSE KEYS"), "{}", verdict.words());
    assert!(verdict.keys.iter().all(|key| verdict.words().contains(&key.fingerprint)));
}

/// What is wrong with a log that somebody made otherwise.
fn verdict(files: &Files, terms: &Terms) -> Verdict {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &Files::new(), files);
    verify(&Archive::at(folder.path()), terms).unwrap()
}

fn says(verdict: &Verdict, place: &Place, what: &str) -> bool {
    verdict.violations.list.iter().any(|remark| remark.place == *place && remark.what.contains(what))
}

#[test]
fn two_histories_under_one_key_are_told_even_where_the_log_looks_whole() {
    let mut log = Log::made();
    log.kept[4] = Note::parse(&key().sign(size_of(&log.kept[4]) as u64, [9; 32])).unwrap();
    let verdict = verdict(&log.files(), &terms(None, false));
    let place = Place::Line { path: CHECKPOINTS.to_owned(), line: 5 };
    assert!(says(&verdict, &place, "it has signed two histories") && verdict.violations.count() == 1, "{}", verdict.words());
}

#[test]
fn leaves_that_were_changed_with_their_lower_hashes_are_found_by_the_tile_above() {
    let log = Log::made();
    let (mut changed, clean) = (log.clone(), log.files());
    changed.leaves[300][20] ^= 1;
    let mut files = changed.files();
    files.insert("tile/1/000.p/2".to_owned(), clean["tile/1/000.p/2"].clone());
    let verdict = verdict(&files, &terms(None, false));
    assert!(says(&verdict, &Place::Leaves { first: 256, end: 512 }, "changed together with their hashes"), "{}", verdict.words());
}

#[test]
fn a_checkpoint_of_another_name_is_believed_only_where_a_leaf_says_that_the_log_was_renamed() {
    let former = LogKey::new("former.example/smrt", &[6; 32]).unwrap();
    let renamed = |log: &Log, opened: bool| {
        let mut log = log.clone();
        if opened {
            let at = log.len() as u64;
            let backup_root = hex::encode(root(&log.leaves));
            let leaf = Leaf { kind: LeafKind::OriginOpened, time_cs: 0, follows: vec![], counts: vec![at, at + 9], commitment: [0; 32] };
            let [software, name, cosigned] = ["x", "former.example/smrt", "x"].map(str::to_owned);
            log.push_leaf(leaf, &Detail::OriginOpened { software, former: name, backup_leaves: at, backup_root, cosigned });
            let mut note = note(log.len(), &log.leaves);
            (0..3).for_each(|n| witness(n).cosign(&mut note, (BEGAN_CS + log.len() as u64 * STEP_CS) / 100));
            log.kept.push(note.clone());
            log.newest = note;
        }
        let of = size_of(&log.kept[0]);
        log.kept[0] = Note::parse(&former.sign(of as u64, root(&log.leaves[..of]))).unwrap();
        let policy = format!("log {}\n{}", former.verifier(), quorum());
        let since = Some(("mine".to_owned(), log.kept[0].clone()));
        verdict(&log.files(), &Terms { keys: Some(Quorum::parse(&policy).unwrap()), since, ..Terms::default() })
    };
    let log = Log::made();
    let unexplained = renamed(&log, false);
    let place = Place::Line { path: CHECKPOINTS.to_owned(), line: 1 };
    assert!(says(&unexplained, &place, "no leaf says that this log ever had that name"), "{}", unexplained.words());
    let explained = renamed(&log, true);
    assert!(explained.holds && explained.words().contains("goes on under another name"), "{}", explained.words());
}

#[test]
fn leaves_whose_times_contradict_a_witness_are_found_though_everything_is_cosigned() {
    let log = Log::made();
    let at = size_of(&log.kept[4]) as u64;
    let cosigned = |late_cs: i64| {
        let mut log = log.clone();
        let time = (BEGAN_CS + at * STEP_CS).checked_add_signed(late_cs).unwrap() / 100;
        witness(2).cosign(&mut log.kept[4], time);
        verdict(&log.files(), &terms(None, false))
    };
    assert!(cosigned(0).holds && cosigned(20_000).holds && cosigned(-20_000).holds);
    // Ten minutes: of twenty leaves to either side, those beyond the five minutes that clocks may differ.
    let late = cosigned(60_000);
    assert!(says(&late, &Place::Leaves { first: at, end: at + 10 }, "dated before 2026-"), "{}", late.words());
    let early = cosigned(-60_000);
    assert!(says(&early, &Place::Leaves { first: at - 9, end: at }, "dated after 2026-"), "{}", early.words());
}

#[test]
fn a_log_of_other_keys_is_refused_and_the_size_it_claims_is_not_waited_for() {
    let mut files = Log::made().files();
    let other = LogKey::new(ORIGIN, &[77; 32]).unwrap();
    files.insert(CHECKPOINT.to_owned(), other.sign(u64::MAX, [1; 32]).into_bytes());
    files.insert(CHECKPOINTS.to_owned(), Vec::new());
    let verdict = verdict(&files, &terms(None, false));
    let place = Place::File { path: CHECKPOINT.to_owned() };
    assert!(says(&verdict, &place, "is not signed by the key of the log"), "{}", verdict.words());
    assert!(verdict.words().contains("the rest is not looked for"), "{}", verdict.words());
}

#[test]
fn without_witnesses_the_verdict_says_who_alone_vouches() {
    let none = Quorum::new(key().verifier().clone(), Vec::new(), 0, 60).unwrap();
    let verdict = verdict(&Log::made().files(), &Terms { keys: Some(none), ..Terms::default() });
    assert!(verdict.holds && verdict.words().contains("NO WITNESSES"), "{}", verdict.words());
    assert!(verdict.words().contains("other keys or another quorum than those that you gave"), "{}", verdict.words());
}

/// Numbers that are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % below as u64).unwrap()
    }
}

/// What was tampered with, and what it looks like then.
struct Tampered {
    how: &'static str,
    files: Files,
    terms: Terms,
    /// One of these places must be named.
    places: Vec<Where>,
}

#[derive(Clone, Debug, PartialEq)]
enum Where {
    Leaf(usize),
    Path(String),
    Line(&'static str, usize),
    Hash(String, u64),
}

impl Where {
    fn is_named(&self, place: &Place) -> bool {
        match (self, place) {
            (Self::Leaf(leaf), place) => place.covers(*leaf as u64),
            (Self::Path(path), place) => place.path() == Some(path),
            (Self::Line(path, line), Place::Line { path: found, line: at }) => path == found && line == at,
            (Self::Hash(path, position), Place::Hash { path: found, position: at }) => path == found && position == at,
            _ => false,
        }
    }
}

mod tampering;

#[test]
fn every_one_of_two_thousand_tamperings_is_found_where_it_is() {
    let log = Log::made();
    let clean = log.files();
    let worker = |worker: u64| {
        let folder = tempfile::tempdir().unwrap();
        let mut before = Files::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for number in (0..2_000).filter(|number| number % 8 == worker) {
            let Tampered { how, files, terms, places } = tampering::tampered(&log, &clean, number);
            assert!(files != clean || terms.since.is_some(), "{how} {number} changed nothing");
            write(folder.path(), &before, &files);
            let verdict = verify(&Archive::at(folder.path()), &terms).unwrap();
            let named = |place: &Place| places.iter().any(|wanted| wanted.is_named(place));
            // Whoever looks at one place that was touched is told of that one, not of everything that depends on it.
            let words = if how.contains("again") || how == "file cut" { u64::MAX } else { 2 };
            assert!(verdict.violations.count() <= words, "{how} {number}: too many words\n{}", verdict.words());
            let found = !verdict.holds && verdict.violations.list.iter().any(|remark| named(&remark.place));
            assert!(found, "{how} {number}, wanted {places:?}\n{}", verdict.words());
            *counts.entry(how).or_default() += 1;
            before = files;
        }
        counts
    };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (how, count) in (0..8).into_par_iter().map(worker).collect::<Vec<_>>().into_iter().flatten() {
        *counts.entry(how).or_default() += count;
    }
    assert_eq!(counts.values().sum::<usize>(), 2_000);
    assert_eq!(counts.iter().filter(|(how, _)| how.starts_with("signed again")).map(|(_, count)| count).sum::<usize>(), 200, "{counts:?}");
    assert!(counts.values().all(|&count| count >= 20), "{counts:?}");
}
