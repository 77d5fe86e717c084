//! An opened leaf with its proof: a file that somebody can keep beside a document, so that whoever
//! is given both needs nothing else but keys.
//!
//! It is a C2SP `tlog-proof`; other software that reads such proofs reads it too. Its `extra` line,
//! which that format leaves to whoever writes it, is the base64 of one line of JSON:
//!
//! | field | holds |
//! |---|---|
//! | `leaf` | the leaf's bytes, base64 |
//! | `salt` | the salt of its commitment, hexadecimal |
//! | `detail` | the detail as the very text that was committed to |
//!
//! Nothing vouches for the extra line but the leaf's own hash, at which the path begins. There is
//! one way to write a proof: a file that was changed by one byte is another proof, or none.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::leaf::{Leaf, SALT_BYTES, commit};
use super::note::{Checkpoint, Note};
use super::proof::{TlogProof, is_included};
use super::tree::leaf_hash;
use super::{AuditError, Detail};

const EXTRA: &str = "extra ";

/// The proof that a leaf stands in the log, and what that leaf says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownLeaf {
    /// The way from the leaf to a checkpoint.
    pub proof: TlogProof,
    /// The leaf.
    pub leaf: Leaf,
    /// The salt of its commitment.
    pub salt: [u8; SALT_BYTES],
    /// Its detail as committed to: the JSON of a `Detail`.
    pub detail: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Extra {
    leaf: String,
    salt: String,
    detail: String,
}

impl ShownLeaf {
    /// The proof as text.
    pub fn to_text(&self) -> String {
        let extra = Extra {
            leaf: STANDARD.encode(self.leaf.to_bytes()),
            salt: hex::encode(self.salt),
            detail: self.detail.clone(),
        };
        let extra = serde_json::to_vec(&extra).expect("three strings are JSON");
        let plain = self.proof.to_text();
        let (head, rest) = plain.split_once('\n').unwrap_or((&plain, ""));
        format!("{head}\n{EXTRA}{}\n{rest}", STANDARD.encode(extra))
    }

    /// Reads a proof.
    ///
    /// Errors: no `tlog-proof`, no extra line of this form, or one that is written in another way
    /// than `to_text` writes it.
    pub fn parse(text: &str) -> Result<Self, AuditError> {
        let wrong = AuditError::Proof;
        let proof = TlogProof::parse(text)?;
        let extra = text
            .split('\n')
            .nth(1)
            .and_then(|line| line.strip_prefix(EXTRA))
            .ok_or(wrong("it lays no leaf open"))?;
        let extra = STANDARD.decode(extra).map_err(|_| wrong("its extra line is not base64"))?;
        let Extra { leaf, salt, detail } = serde_json::from_slice(&extra)
            .map_err(|_| wrong("its extra line is not JSON of a leaf, a salt and a detail"))?;
        let leaf = STANDARD.decode(leaf).map_err(|_| wrong("its leaf is not base64"))?;
        let salt = hex::decode(salt)
            .ok()
            .and_then(|salt| salt.try_into().ok())
            .ok_or(wrong("its salt is not 32 bytes in hexadecimal"))?;
        let shown = Self { proof, leaf: Leaf::from_bytes(&leaf)?, salt, detail };
        let note = Note::parse(&shown.proof.checkpoint)?;
        if shown.to_text() != text || note.to_string() != shown.proof.checkpoint {
            return Err(wrong("it is not written as such a proof is"));
        }
        Ok(shown)
    }

    /// What the leaf says, and the checkpoint that the path leads to; whose signatures it bears is
    /// not looked at.
    ///
    /// Errors: a detail that the leaf doesn't commit to or that belongs to another kind of leaf; a
    /// path that doesn't lead from the leaf to the checkpoint's root.
    pub fn open(&self) -> Result<(Detail, Checkpoint), AuditError> {
        let wrong = AuditError::Proof;
        if commit(&self.salt, self.detail.as_bytes()) != self.leaf.commitment {
            return Err(wrong("its leaf does not commit to its detail"));
        }
        let detail: Detail =
            serde_json::from_str(&self.detail).map_err(|_| wrong("its detail can't be read"))?;
        if detail.kind() != self.leaf.kind {
            return Err(wrong("its detail belongs to another kind of leaf"));
        }
        let checkpoint = Note::parse(&self.proof.checkpoint)?.checkpoint()?;
        let hash = leaf_hash(&self.leaf.to_bytes());
        if !is_included(
            &hash,
            self.proof.index,
            checkpoint.leaves,
            &checkpoint.root,
            &self.proof.path,
        ) {
            return Err(wrong("its hashes do not lead from its leaf to its checkpoint"));
        }
        Ok((detail, checkpoint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Actor, LeafKind, LogKey, node_hash};
    use crate::calendar::{Span, Time};

    fn shown() -> ShownLeaf {
        let actor = Actor {
            certificate: "smrt:device/rtcc-1".to_owned(),
            fingerprint: "0".repeat(64),
            person: None,
            agency: None,
        };
        let detail = Detail::PublicReport { actor, report_sha256: "0".repeat(64) };
        let detail = String::from_utf8(detail.to_bytes()).unwrap();
        let commitment = commit(&[0xab; 32], detail.as_bytes());
        let leaf = Leaf {
            kind: LeafKind::PublicReport,
            time: Time::from_cs(1),
            follows: vec![],
            counts: vec![1, 2, 3],
            commitment,
        };
        let root = node_hash(&leaf_hash(&leaf.to_bytes()), &[7; 32]);
        let checkpoint = LogKey::new("fusion.example/smrt", &[5; 32]).unwrap().sign(2, root);
        ShownLeaf {
            proof: TlogProof { index: 0, path: vec![[7; 32]], checkpoint },
            leaf,
            salt: [0xab; 32],
            detail,
        }
    }

    #[test]
    fn a_shown_leaf_survives_its_text_and_other_software_reads_the_proof_in_it() {
        let shown = shown();
        let text = shown.to_text();
        assert_eq!(ShownLeaf::parse(&text).as_ref(), Ok(&shown));
        assert_eq!(TlogProof::parse(&text).as_ref(), Ok(&shown.proof));
        let (detail, checkpoint) = shown.open().unwrap();
        assert_eq!((detail.kind(), checkpoint.leaves), (LeafKind::PublicReport, 2));
        assert!(
            ShownLeaf::parse(&shown.proof.to_text()).is_err(),
            "a plain proof lays nothing open"
        );
    }

    #[test]
    fn a_detail_salt_leaf_or_path_of_another_leaf_does_not_hold() {
        let shown = shown();
        let mut wrong: Vec<ShownLeaf> = (0..5).map(|_| shown.clone()).collect();
        wrong[0].detail = shown.detail.replace("rtcc-1", "rtcc-2");
        wrong[1].salt = [8; 32];
        wrong[2].leaf.time += Span::from_cs(1);
        wrong[3].proof.index = 1;
        wrong[4].leaf.kind = LeafKind::Exported;
        for wrong in wrong {
            assert!(wrong.open().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn another_way_to_write_the_same_is_refused() {
        let text = shown().to_text();
        let extra = text.lines().nth(1).and_then(|line| line.strip_prefix(EXTRA)).unwrap();
        let json = String::from_utf8(STANDARD.decode(extra).unwrap()).unwrap();
        let capitals = json.replace(&"ab".repeat(32), &"AB".repeat(32));
        for other in [capitals, json.replace(":\"", ": \""), format!("{json} ")] {
            let other = text.replace(extra, &STANDARD.encode(&other));
            assert!(other != text && ShownLeaf::parse(&other).is_err(), "{other}");
        }
        assert!(ShownLeaf::parse(&text.replace('\n', "\r\n")).is_err());
    }
}
