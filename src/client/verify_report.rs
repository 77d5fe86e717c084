//! Offline verification of an issued compare report: from its PDF, its proof, and the keys of the
//! log and its witnesses.
//!
//! Invariant: nothing in the two files is believed. The file's digest must stand in the detail, the
//! detail in the leaf's commitment, the leaf under the root, the root in a checkpoint that the
//! log's key signed, and enough witnesses must have cosigned that checkpoint.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::audit::{Checkpoint, Detail, Note, Quorum, ShownLeaf, VerifierKey, when};
use crate::calendar::Time;
use crate::ids::Digest;

/// Ending that a proof's file name has after the report's.
pub const PROOF_ENDING: &str = ".tlog-proof";

/// Usual path of a report's proof: beside it, as `NAME.pdf.tlog-proof`.
pub fn proof_beside(report: &Path) -> PathBuf {
    let mut name = report.as_os_str().to_owned();
    name.push(PROOF_ENDING);
    name.into()
}

/// Result of a verification.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReportVerdict {
    /// What doesn't hold; empty where all that could be checked does.
    pub violations: Vec<String>,
    /// The log's entry on the report; none where the proof holds none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued: Option<IssuedReport>,
    /// Whether the log's key signed the checkpoint; none where no key was given.
    pub signed: Option<bool>,
    /// Who cosigned the checkpoint, with their times; empty where no keys were given.
    pub cosigned: Vec<String>,
    /// Whether a quorum cosigned, as the keys define it.
    pub witnessed: bool,
    /// Whether the keys name a quorum at all.
    pub witnesses_asked: bool,
    /// Names on the checkpoint's signatures of which no key was given.
    pub keys_wanting: Vec<String>,
}

/// The log's entry on an issued report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IssuedReport {
    pub inquiry: String,
    pub time_cs: Time,
    pub leaf: u64,
    /// Number of bookings that it calls leads.
    pub leads: usize,
    /// The log's name.
    pub origin: String,
    /// The size of the log at the checkpoint.
    pub leaves: u64,
}

/// Conclusion of a verification: its exit status and first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// All holds, and a quorum of witnesses cosigned, where the keys ask for one.
    Holds,
    /// All holds, but only the log's owner signed so far.
    NotWitnessed,
    /// Something doesn't hold.
    Violated,
    /// Without the log's key nobody can tell who wrote the proof.
    NoKeys,
}

/// Verifies a report by its proof.
pub fn verify_report(report: &[u8], proof: &[u8], keys: Option<&Quorum>) -> ReportVerdict {
    let mut verdict = ReportVerdict::default();
    let shown = match std::str::from_utf8(proof)
        .map_err(|_| "it is not text".to_owned())
        .and_then(|text| ShownLeaf::parse(text).map_err(|e| e.to_string()))
    {
        Ok(shown) => shown,
        Err(why) => {
            verdict.violations.push(format!("the proof can't be read: {why}"));
            return verdict;
        }
    };
    let sha256 = Digest::of(report).to_string();
    match shown.open() {
        Ok((Detail::ReportIssued { inquiry, report_sha256, leads, .. }, checkpoint)) => {
            if report_sha256 != sha256 {
                verdict.violations.push(format!(
                    "the report's SHA-256 is {sha256}, the log has {report_sha256}: this is \
                     another \
                     file, or it was changed"
                ));
            }
            let Checkpoint { origin, leaves, .. } = checkpoint;
            let (time_cs, leaf) = (shown.leaf.time, shown.proof.index);
            verdict.issued =
                Some(IssuedReport { inquiry, time_cs, leaf, leads: leads.len(), origin, leaves });
        }
        Ok((detail, _)) => verdict.violations.push(format!(
            "the proof is of an entry '{}', wanted one of an issued report",
            detail.kind().name()
        )),
        Err(e) => verdict.violations.push(e.to_string()),
    }
    match Note::parse(&shown.proof.checkpoint) {
        Ok(note) => look_at_signatures(&note, keys, &mut verdict),
        Err(e) => verdict.violations.push(e.to_string()),
    }
    verdict
}

fn look_at_signatures(note: &Note, keys: Option<&Quorum>, verdict: &mut ReportVerdict) {
    let Some(quorum) = keys else {
        verdict.keys_wanting = note.names().map(str::to_owned).collect();
        return;
    };
    let origin = note.checkpoint().map(|checkpoint| checkpoint.origin).unwrap_or_default();
    let known: Vec<&VerifierKey> =
        quorum.logs().iter().chain(quorum.witnesses().iter().map(|witness| &witness.key)).collect();
    match quorum.logs().iter().find(|key| key.name() == origin) {
        Some(key) => {
            let signed = key.signed(note);
            verdict.signed = Some(signed);
            if !signed {
                verdict.violations.push(format!(
                    "the checkpoint is not signed by the key of the log '{origin}': \
                        it was changed, or is somebody else's"
                ));
            }
        }
        None => verdict
            .violations
            .push(format!("the proof is of a log '{origin}', of which no key was given")),
    }
    for name in note.forged(&known) {
        verdict.violations.push(format!(
            "the checkpoint bears a signature in the name of '{name}' that is not by the key given \
             for it, or not over this checkpoint"
        ));
    }
    let named = |name: &&str| known.iter().any(|key| key.name() == *name);
    verdict.keys_wanting = note.names().filter(|name| !named(name)).map(str::to_owned).collect();
    let witnessed = quorum.witnessed(note);
    verdict.witnesses_asked = quorum.is_asked();
    verdict.witnessed = witnessed.complete.is_some();
    verdict.cosigned = witnessed
        .by
        .into_iter()
        .map(|(name, time)| format!("{name}, {}", when(Time::from_seconds(time))))
        .collect();
}

impl ReportVerdict {
    /// The conclusion that these findings lead to.
    pub fn conclusion(&self) -> Conclusion {
        match (self.violations.is_empty(), self.signed) {
            (false, _) => Conclusion::Violated,
            (true, None | Some(false)) => Conclusion::NoKeys,
            (true, Some(true)) if self.witnesses_asked && !self.witnessed => {
                Conclusion::NotWitnessed
            }
            (true, Some(true)) => Conclusion::Holds,
        }
    }

    /// The result as text for people.
    pub fn words(&self) -> String {
        let mut text = match self.conclusion() {
            Conclusion::Holds if self.witnesses_asked => {
                "HOLDS: this is the report that was issued, the log has it, and witnesses have \
                 cosigned the log.\n"
            }
            Conclusion::Holds => {
                "HOLDS: this is the report that was issued, and the log has it. The keys ask for \
                 no \
                 witnesses.\n"
            }
            Conclusion::NotWitnessed => {
                "NOT YET WITNESSED: this is the report that was issued, and the log has it, but \
                 only \
                 the log's owner has signed that so far. Get the proof again once more witnesses \
                 have cosigned.\n"
            }
            Conclusion::Violated => "DOES NOT HOLD\n",
            Conclusion::NoKeys => {
                "NOT VERIFIED: report and proof belong together, but without keys nobody can tell \
                 who made the proof. Get the keys from somebody whom you trust, and name their \
                 file \
                 with --keys.\n"
            }
        }
        .to_owned();
        for violation in &self.violations {
            text += &format!("  {violation}\n");
        }
        if let Some(issued) = self.issued.as_ref().filter(|_| self.violations.is_empty()) {
            let IssuedReport { inquiry, time_cs, leaf, leads, origin, leaves } = issued;
            text += &format!(
                "  inquiry   {inquiry}\n  issued    {}\n  leads     {leads}\n  log       {origin}, \
                 entry {leaf} of {leaves}\n",
                when(*time_cs)
            );
        }
        for cosigned in &self.cosigned {
            text += &format!("  cosigned  {cosigned}\n");
        }
        for name in &self.keys_wanting {
            text += &format!("  no key    of {name}, who also signed\n");
        }
        text
    }
}

#[cfg(test)]
mod tests;
