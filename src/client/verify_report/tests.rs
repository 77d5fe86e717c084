use super::*;
use crate::audit::{
    Actor, CosignerKey, Leaf, LeafKind, LogKey, TlogProof, Witness, commit, leaf_hash, node_hash,
};
use crate::booking::VersionId;
use crate::compare_report::sample::{self, SampleReport};

const ORIGIN: &str = "fusion.example/smrt";

fn log() -> LogKey {
    LogKey::new(ORIGIN, &[5; 32]).unwrap()
}

fn cosigner(n: u8) -> CosignerKey {
    CosignerKey::new(&format!("w{n}.example"), &[n; 32]).unwrap()
}

fn keys(least: usize) -> Quorum {
    let witness = |n: u8| Witness {
        name: format!("w{n}"),
        key: cosigner(n).verifier().clone(),
        independent: n == 12,
    };
    Quorum::new(log().verifier().clone(), (10..13).map(witness).collect(), least, 60).unwrap()
}

/// What the log says of a report, at a checkpoint that these witnesses cosigned.
fn issued(report: &[u8], by: &[u8]) -> ShownLeaf {
    let detail = Detail::ReportIssued {
        actor: Actor {
            certificate: "smrt:device/rtcc-1".to_owned(),
            fingerprint: "0".repeat(64),
            person: None,
            agency: None,
        },
        inquiry: "0f".repeat(16),
        report_sha256: Digest::of(report).to_string(),
        leads: vec![VersionId([1; 16]), VersionId([7; 16])],
    };
    let detail = String::from_utf8(detail.to_bytes()).unwrap();
    let commitment = commit(&[9; 32], detail.as_bytes());
    let leaf = Leaf {
        kind: LeafKind::ReportIssued,
        time: sample::ISSUED,
        follows: vec![2, 3, 4],
        counts: Vec::new(),
        commitment,
    };
    let root = node_hash(&[8; 32], &node_hash(&leaf_hash(&leaf.to_bytes()), &[7; 32]));
    let mut note = Note::parse(&log().sign(4, root)).unwrap();
    by.iter().for_each(|&n| cosigner(n).cosign(&mut note, 1_795_000_000 + u64::from(n)));
    let proof = TlogProof { index: 2, path: vec![[7; 32], [8; 32]], checkpoint: note.to_string() };
    ShownLeaf { proof, leaf, salt: [9; 32], detail }
}

#[test]
fn a_report_holds_or_is_not_yet_witnessed_or_lacks_keys() {
    let report = b"%PDF of a report";
    let conclusion = |by: &[u8], keys: Option<&Quorum>| {
        verify_report(report, issued(report, by).to_text().as_bytes(), keys).conclusion()
    };
    assert_eq!(conclusion(&[10, 12], Some(&keys(2))), Conclusion::Holds);
    assert_eq!(
        conclusion(&[10, 11], Some(&keys(2))),
        Conclusion::NotWitnessed,
        "none of them is independent"
    );
    assert_eq!(conclusion(&[], Some(&keys(2))), Conclusion::NotWitnessed);
    assert_eq!(conclusion(&[], Some(&keys(0))), Conclusion::Holds, "no witnesses are asked for");
    assert_eq!(conclusion(&[10, 12], None), Conclusion::NoKeys);
    let verdict = verify_report(report, issued(report, &[10]).to_text().as_bytes(), None);
    assert_eq!(verdict.keys_wanting, [ORIGIN, "w10.example"]);
    let words =
        verify_report(report, issued(report, &[10]).to_text().as_bytes(), Some(&keys(2))).words();
    assert!(
        words.starts_with("NOT YET WITNESSED")
            && words.contains("2026-11-23 00:00:00 UTC")
            && words.contains("entry 2 of 4"),
        "{words}"
    );
}

#[test]
fn another_logs_key_another_report_and_an_entry_of_another_kind_do_not_hold() {
    let report = b"%PDF of a report";
    let text = issued(report, &[10, 12]).to_text();
    assert_eq!(
        verify_report(b"%PDF of another", text.as_bytes(), Some(&keys(2))).conclusion(),
        Conclusion::Violated
    );
    let other =
        Quorum::new(LogKey::new(ORIGIN, &[6; 32]).unwrap().verifier().clone(), Vec::new(), 0, 60)
            .unwrap();
    assert_eq!(
        verify_report(report, text.as_bytes(), Some(&other)).conclusion(),
        Conclusion::Violated
    );
    let elsewhere = Quorum::new(
        LogKey::new("other.example/smrt", &[5; 32]).unwrap().verifier().clone(),
        Vec::new(),
        0,
        60,
    )
    .unwrap();
    assert_eq!(
        verify_report(report, text.as_bytes(), Some(&elsewhere)).conclusion(),
        Conclusion::Violated
    );
    let mut shown = issued(report, &[10, 12]);
    let actor = Actor {
        certificate: "smrt:device/rtcc-1".to_owned(),
        fingerprint: "0".repeat(64),
        person: None,
        agency: None,
    };
    let told = Detail::PublicReport { actor, report_sha256: Digest::of(report).to_string() };
    shown.detail = String::from_utf8(told.to_bytes()).unwrap();
    shown.leaf.kind = LeafKind::PublicReport;
    shown.leaf.commitment = commit(&shown.salt, shown.detail.as_bytes());
    assert_eq!(
        verify_report(report, shown.to_text().as_bytes(), Some(&keys(2))).conclusion(),
        Conclusion::Violated
    );
}

#[test]
fn each_of_200_altered_bytes_in_report_and_proof_is_found() {
    let report = SampleReport::of(3).to_pdf().unwrap();
    let proof = issued(&report, &[10, 11, 12]).to_text().into_bytes();
    let keys = keys(2);
    assert_eq!(verify_report(&report, &proof, Some(&keys)).conclusion(), Conclusion::Holds);
    // Positions all over both files, and bits of all weights: of a letter among them the one that
    // makes it a capital.
    for at in 0..100 {
        let bit = 1 << (at % 8);
        let mut altered = report.clone();
        altered[at * (report.len() - 1) / 99] ^= bit;
        assert_eq!(
            verify_report(&altered, &proof, Some(&keys)).conclusion(),
            Conclusion::Violated,
            "report, {at}"
        );
        let mut altered = proof.clone();
        altered[at * (proof.len() - 1) / 99] ^= bit;
        assert_eq!(
            verify_report(&report, &altered, Some(&keys)).conclusion(),
            Conclusion::Violated,
            "proof, {at}"
        );
    }
}

#[test]
fn every_byte_of_a_proof_counts() {
    let report = b"%PDF of a report";
    let proof = issued(report, &[10, 11, 12]).to_text().into_bytes();
    for at in 0..proof.len() {
        for bit in [0x01, 0x20] {
            let mut altered = proof.clone();
            altered[at] ^= bit;
            assert_eq!(
                verify_report(report, &altered, Some(&keys(2))).conclusion(),
                Conclusion::Violated,
                "byte {at}, bit {bit}"
            );
        }
    }
    let shorter = &proof[..proof.len() - 1];
    assert_eq!(verify_report(report, shorter, Some(&keys(2))).conclusion(), Conclusion::Violated);
}
