//! `LEAVES.md`: every kind of leaf with an example, written from the types themselves. A test holds
//! the file against them.

use super::examples::{TIME, example};
use super::{Leaf, LeafKind, SALT_BYTES, commit};

const LINE_CHARS_MAX: usize = 96;
const HEAD: [&str; 3] = [
    "What the log says, kind by kind. A leaf is public: its bytes lie in the entry bundles that \
     everybody in the roster may read, and in every export. Its detail is sealed on the box and \
     opened for auditors only; the leaf commits to it as SHA-256(`smrt leaf detail v1` and a zero \
     byte, 32 random bytes of salt, the detail's JSON), so whoever is shown both can check that \
     they belong together, and nobody can guess one from the other.",
    "The bytes of a leaf stand as a table in `leaf.rs`. Times are hundredths of a second since \
     1970-01-01 UTC. Version, kind and time stand in the same place in every version to come. In \
     the examples the salt is all zeros and the time 2026-11-23 16:00 UTC; digests are shortened \
     to zeros.",
    "This file is written by `SMRT_WRITE=1 cargo test --lib every_kind_of_leaf_is_shown`, and that \
     test fails where it isn't what the types say.",
];

/// Words in lines.
fn filled(words: &str) -> String {
    let mut text = String::new();
    let mut chars = 0;
    for word in words.split(' ') {
        let needed = word.chars().count() + 1;
        if chars > 0 && chars + needed > LINE_CHARS_MAX {
            text.push('\n');
            chars = 0;
        } else if chars > 0 {
            text.push(' ');
        }
        text += word;
        chars += needed;
    }
    text
}

fn document() -> String {
    let mut text = "# Leaves\n".to_owned();
    for paragraph in HEAD {
        text += &format!("\n{}\n", filled(paragraph));
    }
    for &kind in LeafKind::ALL {
        text += &shown(kind);
    }
    text
}

/// The part of the document that shows one kind.
fn shown(kind: LeafKind) -> String {
    let (detail, follows) = (example(kind), kind.follows());
    let leaf = Leaf {
        kind,
        time: TIME,
        follows: (0..follows.least as u64).map(|n| 4_711 + n).collect(),
        counts: (1..=kind.counts().len() as u64).collect(),
        commitment: commit(&[0; SALT_BYTES], &detail.to_bytes()),
    };
    let mut text =
        format!("\n## {} ({})\n\n{}\n\n", kind.name(), kind as u16, filled(kind.words()));
    if !kind.counts().is_empty() {
        text += &format!("- counts: {}\n", kind.counts().join(", ").replace('_', " "));
    }
    if follows.most > 0 {
        let names: Vec<&str> = follows.kinds.iter().map(|kind| kind.name()).collect();
        let many = if follows.least == follows.most {
            follows.most.to_string()
        } else {
            format!("{} to {}", follows.least, follows.most)
        };
        text += &format!("- follows: {many} of {}\n", names.join(", "));
    }
    let json = serde_json::to_string_pretty(&detail).expect("a detail is JSON");
    let bytes: Vec<String> = leaf.to_bytes().chunks(LINE_CHARS_MAX / 2).map(hex::encode).collect();
    let lines = bytes.join("\n");
    text += &format!("- its bytes and its detail:\n\n```text\n{lines}\n```\n\n");
    text + &format!("```json\n{json}\n```\n")
}

#[test]
fn every_kind_of_leaf_is_shown_in_the_document_as_the_types_have_it() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/audit/LEAVES.md");
    let wanted = document();
    if std::env::var_os("SMRT_WRITE").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let differ = found.lines().zip(wanted.lines()).position(|(found, wanted)| found != wanted);
    assert!(
        found == wanted,
        "LEAVES.md is not what the types say, from line {:?} on: write it anew with SMRT_WRITE=1",
        differ.map(|at| at + 1)
    );
}
