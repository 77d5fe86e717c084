//! The verdict in plain words, for people who neither know what a hash is nor should have to.

use std::fmt::Write;

use super::{Checked, KeyView, Verdict, WitnessedView};
use crate::audit::{LeafKind, Remarks, when};

impl Verdict {
    /// What holds, what does not and where, what else one should know, and what was checked by
    /// whose keys.
    pub fn words(&self) -> String {
        let name = if self.origin.is_empty() {
            "a log without a believable checkpoint"
        } else {
            &self.origin
        };
        let entries = counted(self.leaves, "entry");
        let mut text = match (self.holds, &self.not_witnessed) {
            (true, None) => format!("The log holds: {name}, {entries}.\n"),
            (true, Some(rest)) => {
                format!(
                    "THE LOG HOLDS AS FAR AS IT IS WITNESSED: {name}, {entries}, of which its \
                     owner alone vouches for {rest}.\n"
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
            text += "Whatever else is listed below as checked holds.\n";
        }
        list(&mut text, "What you should know, though it breaks no rule:", &self.observations);
        text += "\n";
        text += &self.witnesses();
        self.keys(&mut text);
        self.checked(&mut text);
        text += "\nWhat the log has entries of:\n";
        for (name, count) in &self.kinds {
            let words = LeafKind::ALL
                .iter()
                .find(|kind| kind.name() == *name)
                .map_or("", |kind| kind.gist());
            writeln!(text, "{:>12}  {name}: {words}", grouped(*count))
                .expect("a string takes all that is written");
        }
        if self.not_understood > 0 {
            let count = grouped(self.not_understood);
            writeln!(
                text,
                "{count:>12}  of newer kinds, which this software counts and does not understand"
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
                "\nWHOSE KEYS? You gave none, so those were used that the export itself states. \
                 Whoever forges a log can put forged keys\n\
                 beside it: nothing here proves who signed, unless these fingerprints are the ones \
                 that the log's owner and its witnesses\n\
                 published elsewhere. Compare them, or verify again with --keys FILE:\n"
            }
            false => "\nKeys, as you gave them:\n",
        };
        self.keys.iter().for_each(|key| *text += &key.words());
    }

    fn checked(&self, text: &mut String) {
        let Checked { files, checkpoints, cosignatures, details, since_leaves } = &self.checked;
        *text += "\nWhat was checked:\n";
        *text += &format!(
            "- every entry, and all hashes over them, computed anew from {}\n",
            counted(*files, "file")
        );
        *text += &format!(
            "- {}, each a signed statement of the whole log at one time, and {} of witnesses on \
             them\n",
            counted(*checkpoints, "checkpoint"),
            counted(*cosignatures, "cosignature")
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
                counted(*details, "detail")
            ),
        };
        if let Some(since) = since_leaves {
            *text += &format!(
                "- that the log continues the checkpoint that you kept, of {}\n",
                counted(*since, "entry")
            );
        }
    }

    fn witnesses(&self) -> String {
        let by = |newest: &WitnessedView| {
            format!("{} on {}", newest.by.join(", "), when(newest.time.saturating_mul(100)))
        };
        match (&self.witnessed, &self.not_witnessed) {
            _ if !self.witnesses_asked => {
                "NO WITNESSES: the keys ask for no cosignature, so the log's owner alone vouches \
                 for it and could have rewritten it.\n"
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

fn counted(count: u64, of: &str) -> String {
    match (count, of.strip_suffix('y')) {
        (1, _) => format!("1 {of}"),
        (count, Some(stem)) => format!("{} {stem}ies", grouped(count)),
        (count, None) => format!("{} {of}s", grouped(count)),
    }
}

/// A number as people read it, in groups of three.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_people_read_them() {
        assert_eq!([0, 999, 1_000, 12_345_678].map(grouped), ["0", "999", "1,000", "12,345,678"]);
        assert_eq!(
            (counted(1, "entry"), counted(2_000, "entry"), counted(3, "file")),
            ("1 entry".into(), "2,000 entries".into(), "3 files".into())
        );
    }
}
