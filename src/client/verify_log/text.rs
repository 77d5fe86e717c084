//! Result of a log's verification as text, for readers who don't know what a hash is.

use std::fmt::Write;

use super::verdict::{CheckedCounts, KeyView, LogVerdict, WitnessedView};
use crate::audit::{LeafKind, Remarks, when};
use crate::calendar::Time;
use crate::wording::{count, number};

impl LogVerdict {
    /// The result as text: what holds, what does not and where, and what was checked with whose
    /// keys.
    pub fn words(&self) -> String {
        let name =
            if self.origin.is_empty() { "a log without a valid checkpoint" } else { &self.origin };
        let entries = count(self.leaves, "entry", "entries");
        let mut text = match (self.holds, &self.not_witnessed) {
            (true, None) => format!("The log holds: {name}, {entries}.\n"),
            (true, Some(rest)) => {
                format!(
                    "THE LOG HOLDS AS FAR AS IT IS WITNESSED: {name}, {entries}; for {rest}, only \
                     the log's owner has signed.\n"
                )
            }
            (false, _) => format!("THE LOG DOES NOT HOLD: {name}, {entries}.\n"),
        };
        list(
            &mut text,
            "What does NOT hold (an entry of the log is called a leaf, and the first is leaf 0):",
            &self.violations,
        );
        if !self.violations.is_empty() {
            text += "All else that is listed below as checked holds.\n";
        }
        list(&mut text, "What you should know, though it breaks no rule:", &self.observations);
        text += "\n";
        text += &self.witnesses();
        self.keys(&mut text);
        self.checked(&mut text);
        text += "\nWhat the log has entries of:\n";
        for (name, leaves) in &self.kinds {
            let words = LeafKind::ALL
                .iter()
                .find(|kind| kind.name() == *name)
                .map_or("", |kind| kind.gist());
            writeln!(text, "{:>12}  {name}: {words}", number(*leaves))
                .expect("a string takes all that is written");
        }
        if self.not_understood > 0 {
            let many = number(self.not_understood);
            writeln!(
                text,
                "{many:>12}  of newer kinds, which this program counts but does not know"
            )
            .expect("as above");
        }
        text += match self.holds {
            true => {
                "\nThe log says who asked, when, and what came of it. Whether a reason that was \
                 given is true, no log can say.\n"
            }
            false => {
                "\nKeep this folder as it is. Get the log again from its owner and from a witness, \
                 and compare.\n"
            }
        };
        text
    }

    fn keys(&self, text: &mut String) {
        *text += match self.keys_from_export {
            true => {
                "\nWHOSE KEYS? You gave none, so the keys in the export itself were used. Whoever \
                 forges a log can put forged keys\n\
                 beside it, so this does not prove who signed. Compare these fingerprints with \
                 those \
                 that the log's owner and its\n\
                 witnesses published elsewhere, or verify again with --keys FILE:\n"
            }
            false => "\nKeys, as you gave them:\n",
        };
        self.keys.iter().for_each(|key| *text += &key.words());
    }

    fn checked(&self, text: &mut String) {
        let CheckedCounts { files, checkpoints, cosignatures, details, since_leaves } =
            &self.checked;
        *text += "\nWhat was checked:\n";
        *text += &format!(
            "- every entry, and all hashes over them, computed anew from {}\n",
            count(*files, "file", "files")
        );
        *text += &format!(
            "- {}, each a signed statement of the whole log at one time, and {} of witnesses on \
             them\n",
            count(*checkpoints, "checkpoint", "checkpoints"),
            count(*cosignatures, "cosignature", "cosignatures")
        );
        *text += "- the order of the entries and their times, also against the times at which \
            witnesses cosigned\n\
                  - the rules between entries: a search asked for has its end, a release its purge \
                  in time, a report its two reviews,\n  \
                    a sample its seed, and whatever follows something follows what it may\n";
        *text += &match details {
            0 => "- no details: the export opens none, so who did what for whom, and why, was not \
                looked at\n"
                .to_owned(),
            details => format!(
                "- {} that the export opens: each is the one its entry committed to, and agrees \
                 with it\n",
                count(*details, "detail", "details")
            ),
        };
        if let Some(since) = since_leaves {
            *text += &format!(
                "- that the log continues the checkpoint that you kept, of {}\n",
                count(*since, "entry", "entries")
            );
        }
    }

    fn witnesses(&self) -> String {
        let by = |newest: &WitnessedView| {
            format!("{} on {}", newest.by.join(", "), when(Time::from_seconds(newest.time)))
        };
        match (&self.witnessed, &self.not_witnessed) {
            _ if !self.witnesses_asked => {
                "NO WITNESSES: the keys ask for no cosignature, so only the log's owner has signed \
                 it \
                 and could have rewritten it.\n"
                    .to_owned()
            }
            (None, _) => {
                "NOT WITNESSED: no checkpoint has the cosignatures that are asked for. Whoever \
                 holds the log's key could have written\n\
                 all of it anew. Ask a witness for the checkpoints that it cosigned.\n"
                    .to_owned()
            }
            (Some(newest), None) => format!("Witnessed by {}: all entries.\n", by(newest)),
            (Some(newest), Some(rest)) => format!(
                "Witnessed by {}: all entries but {rest}. Whoever holds the log's key could have \
                 written those anew. Export the log\n\
                 again once they are witnessed, or up to there with --witnessed, or ask a witness \
                 for a newer checkpoint (--since).\n",
                by(newest)
            ),
        }
    }
}

impl KeyView {
    fn words(&self) -> String {
        let of = match (self.of, self.independent) {
            ("log", _) => "log",
            (_, true) => "witness, independent",
            (_, false) => "witness",
        };
        format!("  {} ({of})\n    {}\n", self.name, self.fingerprint)
    }
}

fn list(text: &mut String, title: &str, remarks: &Remarks) {
    if remarks.is_empty() {
        return;
    }
    *text += &format!("\n{title}\n");
    for remark in &remarks.list {
        *text += &format!("- {remark}\n");
    }
    if remarks.more > 0 {
        *text += &format!("- and {} more\n", remarks.more);
    }
}
