//! An issued report, verified offline: by the file, by its proof, and by the keys that somebody
//! trusts.
//!
//! Invariant: nothing in the two files is believed. The file's digest must stand in the detail, the
//! detail in the leaf's commitment, the leaf under the root, the root in a checkpoint that the
//! log's key signed, and enough witnesses must have cosigned that checkpoint.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;

use crate::audit::{Checkpoint, Detail, Note, Quorum, ShownLeaf, VerifierKey, when};

/// What stands behind a report's name in its proof's.
pub const PROOF_ENDING: &str = ".tlog-proof";

/// Where the proof of a report lies that wasn't put elsewhere.
pub fn proof_beside(report: &Path) -> PathBuf {
    let mut name = report.as_os_str().to_owned();
    name.push(PROOF_ENDING);
    name.into()
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ReportVerdict {
    /// What doesn't hold; empty where all does that could be checked.
    pub violations: Vec<String>,
    /// What the log says of the report; none where the proof says nothing that holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued: Option<Issued>,
    /// Whether the log's key signed the checkpoint; none where no key was given.
    pub signed: Option<bool>,
    /// Who cosigned the checkpoint, with their times; empty where no keys were given.
    pub cosigned: Vec<String>,
    /// Whether enough of those whom the keys ask for did.
    pub witnessed: bool,
    /// Whether the keys ask for witnesses at all.
    pub witnesses_asked: bool,
    /// Whose keys would be needed to check more: those who signed in a name of which no key was
    /// given.
    pub keys_wanting: Vec<String>,
}

/// What the log says of a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issued {
    /// The inquiry.
    pub inquiry: String,
    /// When it was issued, in hundredths of a second since 1970-01-01 UTC.
    pub time_cs: u64,
    /// The leaf that says so.
    pub leaf: u64,
    /// Bookings that it calls leads.
    pub leads: usize,
    /// The log.
    pub origin: String,
    /// The size of the log at the checkpoint.
    pub leaves: u64,
}

/// How a verdict ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All holds, and enough witnesses vouch for it.
    Holds,
    /// All holds, and the log's owner alone vouches for it.
    NotWitnessed,
    /// Something doesn't hold.
    Violated,
    /// Without the log's key nobody knows who wrote the proof.
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
    let sha256 = hex::encode(digest(&SHA256, report));
    match shown.open() {
        Ok((Detail::ReportIssued { inquiry, report_sha256, leads, .. }, checkpoint)) => {
            if report_sha256 != sha256 {
                verdict.violations.push(format!(
                    "the report's SHA-256 is {sha256}, and the log was told {report_sha256}: it is \
                     another file, or was changed"
                ));
            }
            let Checkpoint { origin, leaves, .. } = checkpoint;
            let (time_cs, leaf) = (shown.leaf.time_cs, shown.proof.index);
            verdict.issued =
                Some(Issued { inquiry, time_cs, leaf, leads: leads.len(), origin, leaves });
        }
        Ok((detail, _)) => verdict.violations.push(format!(
            "the proof is of an entry '{}', wanted one that issues a report",
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
        .map(|(name, time)| format!("{name}, {}", when(time.saturating_mul(100))))
        .collect();
}

impl ReportVerdict {
    /// How it ends.
    pub fn standing(&self) -> Standing {
        match (self.violations.is_empty(), self.signed) {
            (false, _) => Standing::Violated,
            (true, None | Some(false)) => Standing::NoKeys,
            (true, Some(true)) if self.witnesses_asked && !self.witnessed => Standing::NotWitnessed,
            (true, Some(true)) => Standing::Holds,
        }
    }

    /// The verdict in words, for people.
    pub fn words(&self) -> String {
        let mut text = match self.standing() {
            Standing::Holds if self.witnesses_asked => {
                "HOLDS: the report is the one that was \
                issued, the log has it, and its witnesses vouch for the log.\n"
            }
            Standing::Holds => {
                "HOLDS: the report is the one that was issued, and the log has it. \
                The keys ask for no witnesses.\n"
            }
            Standing::NotWitnessed => {
                "NOT YET WITNESSED: the report is the one that was issued, and the log has it; but \
                 the log's owner alone vouches for that. Ask for the proof again when more \
                 witnesses have cosigned.\n"
            }
            Standing::Violated => "DOES NOT HOLD\n",
            Standing::NoKeys => {
                "NOT VERIFIED: file and proof belong together, but nobody knows \
                whose proof it is without the keys. Get them from somebody whom you trust, and \
                give them by --keys.\n"
            }
        }
        .to_owned();
        for violation in &self.violations {
            text += &format!("  {violation}\n");
        }
        if let Some(issued) = self.issued.as_ref().filter(|_| self.violations.is_empty()) {
            let Issued { inquiry, time_cs, leaf, leads, origin, leaves } = issued;
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
            text += &format!("  no key    of {name}, who signed too\n");
        }
        text
    }
}

#[cfg(test)]
mod tests;
