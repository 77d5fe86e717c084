//! Tampers with a log in every way that one can think of, each drawn from its number, and sees that
//! `log verify` finds it. Shared by the tests of `log verify`, over a log that they make up, and by
//! the stories, over one that the daemon exported.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rayon::prelude::*;
use serde_json::json;
use smrt::audit::{Edge, Hash, Holds, LogKey, Note, Place, Quorum, TileId, push_entry};
use smrt::client::log_folder::{CHECKPOINT, CHECKPOINTS, DETAILS, LogFolder, OpenedDetail, POLICY};
use smrt::client::verify_log::{VerifyOptions, verify};

use super::tiles::Tiles;

/// So many are drawn.
const DRAWN: u64 = 2_000;

/// Everything that an export is made of, with what its owner signs by.
#[derive(Clone)]
pub(crate) struct TestLog {
    pub(crate) leaves: Vec<Vec<u8>>,
    pub(crate) details: Vec<OpenedDetail>,
    pub(crate) kept: Vec<Note>,
    pub(crate) newest: Note,
    pub(crate) origin: &'static str,
    pub(crate) secret: [u8; 32],
    pub(crate) quorum: Quorum,
}

/// The files of an export by their paths.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

impl TestLog {
    pub(crate) fn len(&self) -> usize {
        self.leaves.len()
    }

    /// The checkpoint of the first leaves, signed by the log alone.
    pub(crate) fn note(&self, size: usize) -> Note {
        let key = LogKey::new(self.origin, &self.secret).unwrap();
        Note::parse(&key.sign(size as u64, root(&self.leaves[..size]))).unwrap()
    }

    pub(crate) fn terms(&self, since: Option<Note>, all_details: bool) -> VerifyOptions {
        VerifyOptions {
            keys: Some(self.quorum.clone()),
            since: since.map(|note| ("mine".to_owned(), note)),
            all_details,
        }
    }

    pub(crate) fn files(&self) -> Files {
        let mut files = Files::new();
        let mut tiles = Tiles::new(|id: TileId, bytes: &[u8]| {
            files.insert(id.path(), bytes.to_vec());
        });
        self.leaves.iter().for_each(|leaf| tiles.push(leaf));
        tiles.end();
        assert_eq!(tiles.root(), root(&self.leaves));
        files.insert(CHECKPOINT.to_owned(), self.newest.to_string().into_bytes());
        let lines = |notes: &[Note]| {
            notes.iter().map(|note| json!(note.to_string()).to_string() + "\n").collect::<String>()
        };
        files.insert(CHECKPOINTS.to_owned(), lines(&self.kept).into_bytes());
        let lines = self
            .details
            .iter()
            .map(|detail| serde_json::to_string(detail).unwrap() + "\n")
            .collect::<String>();
        files.insert(DETAILS.to_owned(), lines.into_bytes());
        files.insert(POLICY.to_owned(), self.quorum.to_string().into_bytes());
        files
    }

    /// Signs all checkpoints that no longer fit anew with the log's own key, which leaves their
    /// cosignatures behind or keeps their lines.
    fn sign_again(&mut self, stale: bool) {
        let last = self.len();
        self.kept.retain(|note| size_of(note) <= last);
        if self.kept.last().is_none_or(|note| size_of(note) < last) {
            self.kept.push(self.note(last));
        }
        for at in 0..self.kept.len() {
            let (kept, again) = (&self.kept[at], self.note(size_of(&self.kept[at])));
            if kept.text() != again.text() {
                let (text, own) = (kept.to_string(), format!("\u{2014} {} ", self.origin));
                let others = text
                    .lines()
                    .filter(|line| line.starts_with('\u{2014}') && !line.starts_with(&own));
                let lines = others.map(|line| format!("{line}\n")).collect::<String>();
                self.kept[at] =
                    Note::parse(&format!("{again}{}", if stale { lines } else { String::new() }))
                        .unwrap();
            }
        }
        self.newest = self.kept.last().unwrap().clone();
    }

    /// The log as it was at one of its kept checkpoints.
    fn cut_at(&self, kept: usize) -> Self {
        let mut cut = self.clone();
        cut.leaves.truncate(size_of(&self.kept[kept]));
        cut.details.truncate(cut.leaves.len());
        cut.kept.truncate(kept + 1);
        cut.newest = self.kept[kept].clone();
        cut
    }
}

pub(crate) fn root(leaves: &[Vec<u8>]) -> Hash {
    let mut edge = Edge::default();
    leaves.iter().for_each(|leaf| {
        edge.append(leaf);
    });
    edge.root()
}

pub(crate) fn size_of(note: &Note) -> usize {
    usize::try_from(note.checkpoint().unwrap().leaves).unwrap()
}

/// Makes the folder hold these files and no others.
pub(crate) fn write(folder: &Path, before: &Files, after: &Files) {
    before
        .keys()
        .filter(|path| !after.contains_key(*path))
        .for_each(|path| fs::remove_file(folder.join(path)).unwrap());
    for (path, bytes) in after.iter().filter(|(path, bytes)| before.get(*path) != Some(bytes)) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Each of two thousand tamperings with this log is found, and its place is named. Of what is
/// signed again, which nothing but cosignatures tells from the log, the verdict says at least from
/// which leaf on no witness vouches; and whoever kept the newest witnessed checkpoint is told that
/// it does not hold.
pub(crate) fn every_one_is_found(log: &TestLog) {
    assert_eq!(size_of(&log.newest), log.len(), "all that is exported is signed");
    assert!(log.quorum.witnessed(&log.newest).complete.is_some(), "and witnessed");
    let clean = log.files();
    let worker = |worker: u64| {
        let folder = tempfile::tempdir().unwrap();
        let archive = LogFolder::at(folder.path());
        let mut before = Files::new();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for number in (0..DRAWN).filter(|number| number % 8 == worker) {
            let Tampered { how, files, since, all_details, places } = tampered(log, &clean, number);
            assert!(files != clean || since.is_some(), "{how} {number} changed nothing");
            write(folder.path(), &before, &files);
            let verdict = verify(&archive, &log.terms(since, all_details)).unwrap();
            // Whoever looks at one place that was touched is told of that one, not of everything
            // that depends on it.
            let words = if how.contains("again") || how == "file cut" { u64::MAX } else { 2 };
            assert!(
                verdict.violations.count() <= words,
                "{how} {number}: too many words\n{}",
                verdict.words()
            );
            let named = |place: &Place| places.iter().any(|wanted| wanted.is_named(place));
            let violated = verdict.violations.list.iter().any(|remark| named(&remark.place));
            let signed_again = how.starts_with(SIGNED_AGAIN_WORDS);
            let found = if signed_again {
                violated || verdict.not_witnessed.as_ref().is_some_and(named)
            } else {
                violated
            };
            assert!(found, "{how} {number}, wanted {places:?}\n{}", verdict.words());
            if signed_again {
                let verdict =
                    verify(&archive, &log.terms(Some(log.newest.clone()), false)).unwrap();
                assert!(
                    !verdict.holds,
                    "{how} {number} with the newest witnessed checkpoint\n{}",
                    verdict.words()
                );
            }
            *counts.entry(how).or_default() += 1;
            before = files;
        }
        counts
    };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (how, count) in (0..8).into_par_iter().map(worker).collect::<Vec<_>>().into_iter().flatten()
    {
        *counts.entry(how).or_default() += count;
    }
    assert_eq!(counts.values().sum::<usize>() as u64, DRAWN);
    let signed_again = counts
        .iter()
        .filter(|(how, _)| how.starts_with(SIGNED_AGAIN_WORDS))
        .map(|(_, count)| count)
        .sum::<usize>();
    assert_eq!(signed_again as u64, DRAWN / 10, "{counts:?}");
    assert!(counts.values().all(|&count| count >= 20), "{counts:?}");
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
    /// A checkpoint that the auditor kept from before.
    since: Option<Note>,
    /// Whether the auditor asked for all details.
    all_details: bool,
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
            (Self::Line(path, line), Place::Line { path: found, line: at }) => {
                path == found && line == at
            }
            (Self::Hash(path, position), Place::Hash { path: found, position: at }) => {
                path == found && position == at
            }
            _ => false,
        }
    }
}

type Class = fn(&TestLog, &Files, &mut Dice) -> Tampered;

const CLASSES: [Class; 18] = [
    flipped_in_a_bundle,
    flipped_in_a_tile,
    flipped_in_the_checkpoint,
    flipped_in_a_kept_checkpoint,
    flipped_in_a_detail,
    cut_to_an_older_log,
    file_cut,
    leaf_removed,
    tile_removed,
    detail_removed,
    kept_checkpoint_removed,
    leaves_exchanged,
    leaves_exchanged_and_hashed_again,
    leaf_replayed,
    leaf_replayed_and_hashed_again,
    older_checkpoint_as_newest,
    leaf_backdated,
    leaf_backdated_and_hashed_again,
];
const SIGNED_AGAIN_WORDS: &str = "signed again";
const SIGNED_AGAIN: [Class; 6] = [backdated, removed, exchanged, replayed, forked, cut];

/// One in ten is signed again with the log's own key.
fn tampered(log: &TestLog, clean: &Files, number: u64) -> Tampered {
    let mut dice = Dice(number);
    let at = usize::try_from(number / 10).unwrap();
    match number % 10 {
        9 => SIGNED_AGAIN[at % SIGNED_AGAIN.len()](log, clean, &mut dice),
        n => CLASSES[(at * 9 + usize::try_from(n).unwrap()) % CLASSES.len()](log, clean, &mut dice),
    }
}

fn of(how: &'static str, files: Files, places: Vec<Where>) -> Tampered {
    Tampered { how, files, since: None, all_details: false, places }
}

fn any<'f>(files: &'f Files, of: &str, dice: &mut Dice) -> &'f str {
    let paths: Vec<&String> = files.keys().filter(|path| path.starts_with(of)).collect();
    paths[dice.roll(paths.len())]
}

fn tile(files: &Files, dice: &mut Dice) -> String {
    loop {
        let path = any(files, "tile/", dice);
        if !path.contains("entries") {
            return path.to_owned();
        }
    }
}

fn flip(files: &mut Files, path: &str, dice: &mut Dice) -> usize {
    let bytes = files.get_mut(path).unwrap();
    let at = dice.roll(bytes.len());
    bytes[at] ^= 1 << dice.roll(8);
    at
}

/// The leaf that a byte of a bundle belongs to.
fn leaf_at(bundle: &[u8], first: u64, at: usize) -> usize {
    let (mut begin, mut leaf) = (0, usize::try_from(first).unwrap());
    loop {
        let end = begin + 2 + usize::from(u16::from_be_bytes([bundle[begin], bundle[begin + 1]]));
        if at < end {
            return leaf;
        }
        (begin, leaf) = (end, leaf + 1);
    }
}

fn line_at(bytes: &[u8], at: usize) -> usize {
    bytes[..at].iter().filter(|&&byte| byte == b'\n').count() + 1
}

fn bundle_of(log: &TestLog, leaf: usize) -> TileId {
    TileId::at(Holds::Entries, leaf as u64 / 256, log.len() as u64).unwrap()
}

/// Writes a bundle anew from other leaves, and no hash.
fn rewrite(files: &mut Files, id: TileId, leaves: &[Vec<u8>]) {
    let mut bundle = Vec::new();
    leaves.iter().for_each(|leaf| push_entry(&mut bundle, leaf));
    files.insert(id.path(), bundle);
}

fn leaves_of(log: &TestLog, id: TileId) -> Vec<Vec<u8>> {
    let first = usize::try_from(id.first()).unwrap();
    log.leaves[first..first + usize::try_from(id.width).unwrap()].to_vec()
}

/// Two leaves that differ.
fn two(log: &TestLog, dice: &mut Dice) -> (usize, usize) {
    let (a, b) = (dice.roll(log.len() - 1), dice.roll(log.len() - 1));
    if a == b { (a, a + 1) } else { (a.min(b), a.max(b)) }
}

fn backdate(leaf: &mut [u8], dice: &mut Dice) {
    let time = u64::from_le_bytes(leaf[8..16].try_into().unwrap());
    leaf[8..16].copy_from_slice(&(time - 1 - dice.roll(100_000) as u64).to_le_bytes());
}

fn flipped_in_a_bundle(_: &TestLog, clean: &Files, dice: &mut Dice) -> Tampered {
    let mut files = clean.clone();
    let path = any(clean, "tile/entries", dice).to_owned();
    let at = flip(&mut files, &path, dice);
    let leaf = leaf_at(&clean[&path], TileId::parse(&path).unwrap().first(), at);
    of("bit flipped in a bundle", files, vec![Where::Leaf(leaf)])
}

fn flipped_in_a_tile(_: &TestLog, clean: &Files, dice: &mut Dice) -> Tampered {
    let mut files = clean.clone();
    let path = tile(clean, dice);
    let at = flip(&mut files, &path, dice);
    of("bit flipped in a tile", files, vec![Where::Hash(path, at as u64 / 32)])
}

fn flipped_in_the_checkpoint(_: &TestLog, clean: &Files, dice: &mut Dice) -> Tampered {
    let mut files = clean.clone();
    flip(&mut files, CHECKPOINT, dice);
    of("bit flipped in the checkpoint", files, vec![Where::Path(CHECKPOINT.to_owned())])
}

fn flipped_in_a_kept_checkpoint(_: &TestLog, clean: &Files, dice: &mut Dice) -> Tampered {
    let mut files = clean.clone();
    let at = flip(&mut files, CHECKPOINTS, dice);
    of(
        "bit flipped in a kept checkpoint",
        files,
        vec![Where::Line(CHECKPOINTS, line_at(&clean[CHECKPOINTS], at))],
    )
}

fn flipped_in_a_detail(_: &TestLog, clean: &Files, dice: &mut Dice) -> Tampered {
    let mut files = clean.clone();
    let at = flip(&mut files, DETAILS, dice);
    of("bit flipped in a detail", files, vec![Where::Line(DETAILS, line_at(&clean[DETAILS], at))])
}

fn cut_to_an_older_log(log: &TestLog, _: &Files, dice: &mut Dice) -> Tampered {
    let at = dice.roll(log.kept.len() - 1);
    let size = size_of(&log.kept[at]);
    let since = log.kept[at + 1 + dice.roll(log.kept.len() - at - 1)].clone();
    Tampered {
        since: Some(since),
        ..of("cut to an older log", log.cut_at(at).files(), vec![Where::Leaf(size)])
    }
}

fn file_cut(_: &TestLog, clean: &Files, dice: &mut Dice) -> Tampered {
    let mut files = clean.clone();
    let path = loop {
        let path = any(clean, "", dice);
        if path != POLICY {
            break path.to_owned();
        }
    };
    let bytes = files.get_mut(&path).unwrap();
    let mut at = 1 + dice.roll(bytes.len() - 2);
    // A file of lines that ends with a line is a shorter file, and no damaged one.
    at += usize::from(bytes[at - 1] == b'\n' && !path.starts_with("tile"));
    bytes.truncate(at);
    of("file cut", files, vec![Where::Path(path)])
}

fn leaf_removed(log: &TestLog, clean: &Files, dice: &mut Dice) -> Tampered {
    let (mut files, leaf) = (clean.clone(), dice.roll(log.len()));
    let id = bundle_of(log, leaf);
    let mut leaves = leaves_of(log, id);
    leaves.remove(leaf % 256);
    rewrite(&mut files, id, &leaves);
    of("leaf removed", files, vec![Where::Leaf(leaf)])
}

fn tile_removed(_: &TestLog, clean: &Files, dice: &mut Dice) -> Tampered {
    let mut files = clean.clone();
    let path = any(clean, "tile/", dice).to_owned();
    files.remove(&path);
    of("tile or bundle removed", files, vec![Where::Path(path)])
}

fn detail_removed(log: &TestLog, _: &Files, dice: &mut Dice) -> Tampered {
    let (mut log, leaf) = (log.clone(), dice.roll(log.len()));
    log.details.remove(leaf);
    Tampered { all_details: true, ..of("detail removed", log.files(), vec![Where::Leaf(leaf)]) }
}

fn kept_checkpoint_removed(log: &TestLog, _: &Files, dice: &mut Dice) -> Tampered {
    let mut log = log.clone();
    let since = log.kept.remove(dice.roll(log.kept.len() - 1));
    let places = vec![Where::Path(CHECKPOINTS.to_owned())];
    Tampered { since: Some(since), ..of("kept checkpoint removed", log.files(), places) }
}

fn leaves_exchanged(log: &TestLog, clean: &Files, dice: &mut Dice) -> Tampered {
    let (mut files, (a, b)) = (clean.clone(), two(log, dice));
    let mut changed = log.clone();
    changed.leaves.swap(a, b);
    for id in [bundle_of(log, a), bundle_of(log, b)] {
        rewrite(&mut files, id, &leaves_of(&changed, id));
    }
    of("leaves exchanged", files, vec![Where::Leaf(a)])
}

fn leaves_exchanged_and_hashed_again(log: &TestLog, _: &Files, dice: &mut Dice) -> Tampered {
    let (mut log, (a, b)) = (log.clone(), two(log, dice));
    log.leaves.swap(a, b);
    of("leaves exchanged, hashed again", log.files(), vec![Where::Leaf(a)])
}

fn leaf_replayed(log: &TestLog, clean: &Files, dice: &mut Dice) -> Tampered {
    let (mut files, leaf) = (clean.clone(), dice.roll(log.len()));
    let id = bundle_of(log, leaf);
    let mut leaves = leaves_of(log, id);
    leaves.insert(leaf % 256, leaves[leaf % 256].clone());
    rewrite(&mut files, id, &leaves);
    of("leaf replayed", files, vec![Where::Leaf(leaf + 1), Where::Path(id.path())])
}

fn leaf_replayed_and_hashed_again(log: &TestLog, _: &Files, dice: &mut Dice) -> Tampered {
    let (mut log, leaf) = (log.clone(), dice.roll(log.len() - 1));
    log.leaves.insert(leaf, log.leaves[leaf].clone());
    log.leaves.pop();
    of("leaf replayed, hashed again", log.files(), vec![Where::Leaf(leaf + 1)])
}

fn older_checkpoint_as_newest(log: &TestLog, _: &Files, dice: &mut Dice) -> Tampered {
    let mut log = log.clone();
    log.newest = log.kept[dice.roll(log.kept.len() - 1)].clone();
    of("older checkpoint as newest", log.files(), vec![Where::Path(CHECKPOINT.to_owned())])
}

fn leaf_backdated(log: &TestLog, clean: &Files, dice: &mut Dice) -> Tampered {
    let (mut files, leaf) = (clean.clone(), dice.roll(log.len()));
    let mut changed = log.clone();
    backdate(&mut changed.leaves[leaf], dice);
    let id = bundle_of(log, leaf);
    rewrite(&mut files, id, &leaves_of(&changed, id));
    of("leaf backdated", files, vec![Where::Leaf(leaf)])
}

fn leaf_backdated_and_hashed_again(log: &TestLog, _: &Files, dice: &mut Dice) -> Tampered {
    let (mut log, leaf) = (log.clone(), dice.roll(log.len()));
    backdate(&mut log.leaves[leaf], dice);
    of("leaf backdated, hashed again", log.files(), vec![Where::Leaf(leaf)])
}

fn signed_again(how: &'static str, mut log: TestLog, leaf: usize, dice: &mut Dice) -> Tampered {
    log.sign_again(dice.roll(2) == 0);
    of(how, log.files(), vec![Where::Leaf(leaf)])
}

fn backdated(log: &TestLog, _: &Files, dice: &mut Dice) -> Tampered {
    let (mut log, leaf) = (log.clone(), dice.roll(log.len()));
    backdate(&mut log.leaves[leaf], dice);
    signed_again("signed again: leaf backdated", log, leaf, dice)
}

fn removed(log: &TestLog, _: &Files, dice: &mut Dice) -> Tampered {
    let (mut log, leaf) = (log.clone(), dice.roll(log.len() - 1));
    log.leaves.remove(leaf);
    log.details.truncate(leaf);
    signed_again("signed again: leaf removed", log, leaf, dice)
}

fn exchanged(log: &TestLog, _: &Files, dice: &mut Dice) -> Tampered {
    let (mut log, (a, b)) = (log.clone(), two(log, dice));
    log.leaves.swap(a, b);
    signed_again("signed again: leaves exchanged", log, a, dice)
}

fn replayed(log: &TestLog, _: &Files, dice: &mut Dice) -> Tampered {
    let (mut log, leaf) = (log.clone(), dice.roll(log.len()));
    log.leaves.insert(leaf, log.leaves[leaf].clone());
    log.details.truncate(leaf);
    signed_again("signed again: leaf replayed", log, leaf + 1, dice)
}

/// Another continuation from some leaf on, by itself beyond reproach: its rules hold, its details
/// fit.
fn forked(log: &TestLog, _: &Files, dice: &mut Dice) -> Tampered {
    let (leaves, from) = (log.len(), dice.roll(log.len() - 1));
    let mut log = log.clone();
    log.details.truncate(from);
    let rest = log.leaves.split_off(from);
    for mut leaf in rest.into_iter().take(leaves) {
        leaf[16 + dice.roll(32)] ^= 1;
        log.leaves.push(leaf);
    }
    signed_again("signed again: another continuation", log, from, dice)
}

/// The log ends before the checkpoint that the auditor kept; where it ends, nobody cosigned.
fn cut(log: &TestLog, _: &Files, dice: &mut Dice) -> Tampered {
    let size = 1 + dice.roll(log.len() - 1);
    let mut cut = log.clone();
    cut.leaves.truncate(size);
    cut.details.truncate(size);
    cut.sign_again(false);
    Tampered {
        since: Some(log.newest.clone()),
        ..of("signed again: cut", cut.files(), vec![Where::Leaf(size)])
    }
}
