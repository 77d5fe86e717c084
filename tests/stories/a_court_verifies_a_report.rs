//! A court is given a report and its proof, gets the keys from the witnesses, and verifies both
//! offline.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use aws_lc_rs::digest::{SHA256, digest};
use smrt::audit::{
    Actor, CosignerKey, Detail, Leaf, LeafKind, LogKey, Note, Quorum, ShownLeaf, TlogProof,
    Witness, commit, leaf_hash, node_hash,
};
use smrt::calendar::Time;

use crate::site::{Ended, ended};

const REPORT: &[u8] = b"%PDF-1.7 the bytes of a report";

struct Given {
    folder: tempfile::TempDir,
}

impl Given {
    /// Report, proof and keys, in three files.
    fn new(cosigned: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = LogKey::new("fusion.example/smrt", &[5; 32]).unwrap();
        let court = CosignerKey::new("court.example", &[6; 32]).unwrap();
        let detail = Detail::ReportIssued {
            actor: Actor {
                certificate: "smrt:device/rtcc-1".to_owned(),
                fingerprint: "0".repeat(64),
                person: None,
                agency: None,
            },
            inquiry: "0f".repeat(16),
            report_sha256: hex::encode(digest(&SHA256, REPORT)),
            leads: Vec::new(),
        };
        let detail = String::from_utf8(detail.to_bytes()).unwrap();
        let commitment = commit(&[9; 32], detail.as_bytes());
        let leaf = Leaf {
            kind: LeafKind::ReportIssued,
            time: Time::from_cs(179_539_200_000),
            follows: vec![1, 2, 3],
            counts: Vec::new(),
            commitment,
        };
        let mut note =
            Note::parse(&log.sign(2, node_hash(&[7; 32], &leaf_hash(&leaf.to_bytes())))).unwrap();
        if cosigned {
            court.cosign(&mut note, 1_795_392_060);
        }
        let proof = TlogProof { index: 1, path: vec![[7; 32]], checkpoint: note.to_string() };
        let witness =
            Witness { name: "court".to_owned(), key: court.verifier().clone(), independent: true };
        let keys = Quorum::new(log.verifier().clone(), vec![witness], 1, 60).unwrap();
        let given = Self { folder };
        fs::write(given.report(), REPORT).unwrap();
        fs::write(
            given.path("report.pdf.tlog-proof"),
            ShownLeaf { proof, leaf, salt: [9; 32], detail }.to_text(),
        )
        .unwrap();
        fs::write(given.path("keys"), keys.to_string()).unwrap();
        given
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn report(&self) -> PathBuf {
        self.path("report.pdf")
    }

    fn verify(&self, more: &[&str]) -> Ended {
        verify(&self.report(), more)
    }

    fn verify_by_keys(&self) -> Ended {
        self.verify(&["--keys", self.path("keys").to_str().unwrap()])
    }
}

fn verify(report: &Path, more: &[&str]) -> Ended {
    ended(
        Command::new(env!("CARGO_BIN_EXE_smrtctl"))
            .args(["report", "verify", report.to_str().unwrap()])
            .args(more),
    )
}

#[test]
fn a_report_with_its_proof_is_verified_offline_and_a_changed_one_is_not() {
    let given = Given::new(true);
    let holds = given.verify_by_keys();
    assert_eq!(holds.status, Some(0), "{}{}", holds.stdout, holds.stderr);
    assert!(
        holds.stdout.contains("2026-11-23 00:00:00 UTC")
            && holds.stdout.contains("cosigned  court"),
        "{}",
        holds.stdout
    );
    let json = given.verify(&["--keys", given.path("keys").to_str().unwrap(), "--json"]);
    let verdict: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (verdict["issued"]["leaf"].as_u64(), verdict["witnessed"].as_bool()),
        (Some(1), Some(true))
    );

    let mut changed = REPORT.to_vec();
    changed[10] ^= 1;
    fs::write(given.report(), changed).unwrap();
    let fails = given.verify_by_keys();
    assert_eq!(fails.status, Some(2), "{}", fails.stdout);
    assert!(
        fails.stdout.contains("DOES NOT HOLD") && fails.stdout.contains("was changed"),
        "{}",
        fails.stdout
    );
}

#[test]
fn a_report_that_no_witness_has_vouched_for_says_so() {
    let early = Given::new(false).verify_by_keys();
    assert_eq!(early.status, Some(3), "{}", early.stdout);
    assert!(early.stdout.starts_with("NOT YET WITNESSED"), "{}", early.stdout);
}

#[test]
fn without_keys_or_without_its_proof_a_report_can_not_be_verified() {
    let given = Given::new(true);
    let keyless = given.verify(&[]);
    assert_eq!(keyless.status, Some(1), "{}", keyless.stdout);
    for name in ["fusion.example/smrt", "court.example", "--keys"] {
        assert!(keyless.stdout.contains(name), "{}", keyless.stdout);
    }
    fs::rename(given.path("report.pdf.tlog-proof"), given.path("elsewhere")).unwrap();
    let alone = given.verify_by_keys();
    assert_eq!(alone.status, Some(1));
    assert!(alone.stderr.contains("report.pdf.tlog-proof"), "{}", alone.stderr);
    let given_by_name = given.verify(&[
        "--proof",
        given.path("elsewhere").to_str().unwrap(),
        "--keys",
        given.path("keys").to_str().unwrap(),
    ]);
    assert_eq!(given_by_name.status, Some(0), "{}{}", given_by_name.stdout, given_by_name.stderr);
}
