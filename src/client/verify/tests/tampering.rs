//! The tamperings, one class after the other, each drawn from its number.

use super::*;

type Class = fn(&Log, &Files, &mut Dice) -> Tampered;

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
const SIGNED_AGAIN: [Class; 6] = [backdated, removed, exchanged, replayed, forked, cut];

/// One in ten is signed again with the log's own key.
pub(super) fn tampered(log: &Log, clean: &Files, number: u64) -> Tampered {
    let mut dice = Dice(number);
    let at = usize::try_from(number / 10).unwrap();
    match number % 10 {
        9 => SIGNED_AGAIN[at % SIGNED_AGAIN.len()](log, clean, &mut dice),
        n => CLASSES[(at * 9 + usize::try_from(n).unwrap()) % CLASSES.len()](log, clean, &mut dice),
    }
}

fn of(how: &'static str, files: Files, places: Vec<Where>) -> Tampered {
    Tampered { how, files, terms: terms(None, false), places }
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

fn bundle_of(log: &Log, leaf: usize) -> TileId {
    TileId::at(Holds::Entries, leaf as u64 / 256, log.len() as u64).unwrap()
}

/// Writes a bundle anew from other leaves, and no hash.
fn rewrite(files: &mut Files, id: TileId, leaves: &[Vec<u8>]) {
    let mut bundle = Vec::new();
    leaves.iter().for_each(|leaf| push_entry(&mut bundle, leaf));
    files.insert(id.path(), bundle);
}

fn leaves_of(log: &Log, id: TileId) -> Vec<Vec<u8>> {
    let first = usize::try_from(id.first()).unwrap();
    log.leaves[first..first + usize::try_from(id.width).unwrap()].to_vec()
}

/// Two leaves that differ.
fn two(log: &Log, dice: &mut Dice) -> (usize, usize) {
    let (a, b) = (dice.roll(log.len() - 1), dice.roll(log.len() - 1));
    if a == b { (a, a + 1) } else { (a.min(b), a.max(b)) }
}

fn backdate(leaf: &mut [u8], dice: &mut Dice) {
    let time = u64::from_le_bytes(leaf[8..16].try_into().unwrap());
    leaf[8..16].copy_from_slice(&(time - 1 - dice.roll(100_000) as u64).to_le_bytes());
}

fn flipped_in_a_bundle(_: &Log, clean: &Files, dice: &mut Dice) -> Tampered {
    let mut files = clean.clone();
    let path = any(clean, "tile/entries", dice).to_owned();
    let at = flip(&mut files, &path, dice);
    let leaf = leaf_at(&clean[&path], TileId::parse(&path).unwrap().first(), at);
    of("bit flipped in a bundle", files, vec![Where::Leaf(leaf)])
}

fn flipped_in_a_tile(_: &Log, clean: &Files, dice: &mut Dice) -> Tampered {
    let mut files = clean.clone();
    let path = tile(clean, dice);
    let at = flip(&mut files, &path, dice);
    of("bit flipped in a tile", files, vec![Where::Hash(path, at as u64 / 32)])
}

fn flipped_in_the_checkpoint(_: &Log, clean: &Files, dice: &mut Dice) -> Tampered {
    let mut files = clean.clone();
    flip(&mut files, CHECKPOINT, dice);
    of("bit flipped in the checkpoint", files, vec![Where::Path(CHECKPOINT.to_owned())])
}

fn flipped_in_a_kept_checkpoint(_: &Log, clean: &Files, dice: &mut Dice) -> Tampered {
    let mut files = clean.clone();
    let at = flip(&mut files, CHECKPOINTS, dice);
    of("bit flipped in a kept checkpoint", files, vec![Where::Line(CHECKPOINTS, line_at(&clean[CHECKPOINTS], at))])
}

fn flipped_in_a_detail(_: &Log, clean: &Files, dice: &mut Dice) -> Tampered {
    let mut files = clean.clone();
    let at = flip(&mut files, DETAILS, dice);
    of("bit flipped in a detail", files, vec![Where::Line(DETAILS, line_at(&clean[DETAILS], at))])
}

fn cut_to_an_older_log(log: &Log, _: &Files, dice: &mut Dice) -> Tampered {
    let at = dice.roll(log.kept.len() - 1);
    let size = size_of(&log.kept[at]);
    let cut = Log {
        leaves: log.leaves[..size].to_vec(),
        details: log.details[..size].to_vec(),
        kept: log.kept[..=at].to_vec(),
        newest: log.kept[at].clone(),
    };
    let since = log.kept[at + 1 + dice.roll(log.kept.len() - at - 1)].clone();
    Tampered { how: "cut to an older log", files: cut.files(), terms: terms(Some(since), false), places: vec![Where::Leaf(size)] }
}

fn file_cut(_: &Log, clean: &Files, dice: &mut Dice) -> Tampered {
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

fn leaf_removed(log: &Log, clean: &Files, dice: &mut Dice) -> Tampered {
    let (mut files, leaf) = (clean.clone(), dice.roll(log.len()));
    let id = bundle_of(log, leaf);
    let mut leaves = leaves_of(log, id);
    leaves.remove(leaf % 256);
    rewrite(&mut files, id, &leaves);
    of("leaf removed", files, vec![Where::Leaf(leaf)])
}

fn tile_removed(_: &Log, clean: &Files, dice: &mut Dice) -> Tampered {
    let mut files = clean.clone();
    let path = any(clean, "tile/", dice).to_owned();
    files.remove(&path);
    of("tile or bundle removed", files, vec![Where::Path(path)])
}

fn detail_removed(log: &Log, _: &Files, dice: &mut Dice) -> Tampered {
    let (mut log, leaf) = (log.clone(), dice.roll(log.len()));
    log.details.remove(leaf);
    Tampered { how: "detail removed", files: log.files(), terms: terms(None, true), places: vec![Where::Leaf(leaf)] }
}

fn kept_checkpoint_removed(log: &Log, _: &Files, dice: &mut Dice) -> Tampered {
    let mut log = log.clone();
    let since = log.kept.remove(dice.roll(log.kept.len() - 1));
    let places = vec![Where::Path(CHECKPOINTS.to_owned())];
    Tampered { how: "kept checkpoint removed", files: log.files(), terms: terms(Some(since), false), places }
}

fn leaves_exchanged(log: &Log, clean: &Files, dice: &mut Dice) -> Tampered {
    let (mut files, (a, b)) = (clean.clone(), two(log, dice));
    let mut changed = log.clone();
    changed.leaves.swap(a, b);
    for id in [bundle_of(log, a), bundle_of(log, b)] {
        rewrite(&mut files, id, &leaves_of(&changed, id));
    }
    of("leaves exchanged", files, vec![Where::Leaf(a)])
}

fn leaves_exchanged_and_hashed_again(log: &Log, _: &Files, dice: &mut Dice) -> Tampered {
    let (mut log, (a, b)) = (log.clone(), two(log, dice));
    log.leaves.swap(a, b);
    of("leaves exchanged, hashed again", log.files(), vec![Where::Leaf(a)])
}

fn leaf_replayed(log: &Log, clean: &Files, dice: &mut Dice) -> Tampered {
    let (mut files, leaf) = (clean.clone(), dice.roll(log.len()));
    let id = bundle_of(log, leaf);
    let mut leaves = leaves_of(log, id);
    leaves.insert(leaf % 256, leaves[leaf % 256].clone());
    rewrite(&mut files, id, &leaves);
    of("leaf replayed", files, vec![Where::Leaf(leaf + 1), Where::Path(id.path())])
}

fn leaf_replayed_and_hashed_again(log: &Log, _: &Files, dice: &mut Dice) -> Tampered {
    let (mut log, leaf) = (log.clone(), dice.roll(log.len() - 1));
    log.leaves.insert(leaf, log.leaves[leaf].clone());
    log.leaves.pop();
    of("leaf replayed, hashed again", log.files(), vec![Where::Leaf(leaf + 1)])
}

fn older_checkpoint_as_newest(log: &Log, _: &Files, dice: &mut Dice) -> Tampered {
    let mut log = log.clone();
    log.newest = log.kept[dice.roll(log.kept.len() - 1)].clone();
    of("older checkpoint as newest", log.files(), vec![Where::Path(CHECKPOINT.to_owned())])
}

fn leaf_backdated(log: &Log, clean: &Files, dice: &mut Dice) -> Tampered {
    let (mut files, leaf) = (clean.clone(), dice.roll(log.len()));
    let mut changed = log.clone();
    backdate(&mut changed.leaves[leaf], dice);
    let id = bundle_of(log, leaf);
    rewrite(&mut files, id, &leaves_of(&changed, id));
    of("leaf backdated", files, vec![Where::Leaf(leaf)])
}

fn leaf_backdated_and_hashed_again(log: &Log, _: &Files, dice: &mut Dice) -> Tampered {
    let (mut log, leaf) = (log.clone(), dice.roll(log.len()));
    backdate(&mut log.leaves[leaf], dice);
    of("leaf backdated, hashed again", log.files(), vec![Where::Leaf(leaf)])
}

fn signed_again(how: &'static str, mut log: Log, leaf: usize, dice: &mut Dice) -> Tampered {
    log.sign_again(dice.roll(2) == 0);
    of(how, log.files(), vec![Where::Leaf(leaf)])
}

fn backdated(log: &Log, _: &Files, dice: &mut Dice) -> Tampered {
    let (mut log, leaf) = (log.clone(), dice.roll(log.len()));
    backdate(&mut log.leaves[leaf], dice);
    signed_again("signed again: leaf backdated", log, leaf, dice)
}

fn removed(log: &Log, _: &Files, dice: &mut Dice) -> Tampered {
    let (mut log, leaf) = (log.clone(), dice.roll(log.len() - 1));
    log.leaves.remove(leaf);
    log.details.truncate(leaf);
    signed_again("signed again: leaf removed", log, leaf, dice)
}

fn exchanged(log: &Log, _: &Files, dice: &mut Dice) -> Tampered {
    let (mut log, (a, b)) = (log.clone(), two(log, dice));
    log.leaves.swap(a, b);
    signed_again("signed again: leaves exchanged", log, a, dice)
}

fn replayed(log: &Log, _: &Files, dice: &mut Dice) -> Tampered {
    let (mut log, leaf) = (log.clone(), dice.roll(log.len()));
    log.leaves.insert(leaf, log.leaves[leaf].clone());
    log.details.truncate(leaf);
    signed_again("signed again: leaf replayed", log, leaf + 1, dice)
}

/// Another continuation from some leaf on, by itself beyond reproach: its rules hold, its details fit.
fn forked(log: &Log, _: &Files, dice: &mut Dice) -> Tampered {
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
fn cut(log: &Log, _: &Files, dice: &mut Dice) -> Tampered {
    let size = 1 + dice.roll(log.len() - 1);
    let mut cut = Log {
        leaves: log.leaves[..size].to_vec(),
        details: log.details[..size].to_vec(),
        kept: log.kept.clone(),
        newest: log.newest.clone(),
    };
    cut.sign_again(false);
    let terms = terms(Some(log.newest.clone()), false);
    Tampered { how: "signed again: cut", files: cut.files(), terms, places: vec![Where::Leaf(size)] }
}
