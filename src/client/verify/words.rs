//! The verdict in plain words, for people who neither know what a hash is nor should have to.

use std::fmt::Write;

use super::{KeyView, Verdict};
use crate::audit::{Remarks, when};

impl Verdict {
    /// What was checked, what holds, what does not and where, and what else one should know.
    pub fn words(&self) -> String {
        let mut text = String::new();
        let name = if self.origin.is_empty() { "a log without a believable checkpoint" } else { &self.origin };
        let mut line = |words: String| {
            text += &words;
            text.push('\n');
        };
        line(match self.holds {
            true => format!("The log holds: {name}, {}.", leaves(self.leaves)),
            false => format!("THE LOG DOES NOT HOLD: {name}, {}, {}.", leaves(self.leaves), counted(self.violations.count(), "violation")),
        });
        line(String::new());
        if self.keys_from_export {
            line(
                "WHOSE KEYS? No keys were given, so those were used that the export itself states. Whoever forges a log can put".to_owned(),
            );
            line(
                "forged keys beside it. What follows proves who signed only if you compare these fingerprints with what the log's"
                    .to_owned(),
            );
            line("owner and its witnesses published elsewhere, or verify again with --keys FILE:".to_owned());
        } else {
            line("Keys, as you gave them:".to_owned());
        }
        self.keys.iter().for_each(|key| line(key.words()));
        line(String::new());
        line("What was checked:".to_owned());
        line(format!(
            "- every leaf was hashed anew, the whole tree over {} and {} of it",
            leaves(self.leaves),
            counted(self.checked.files, "file")
        ));
        line(format!(
            "- {} with {} of known witnesses: signatures, and that each is of this very log",
            counted(self.checked.checkpoints, "checkpoint"),
            counted(self.checked.cosignatures, "cosignature")
        ));
        line(
            "- the order of the leaves, their times, and the rules between them: each search asked for has its end, each release its"
                .to_owned(),
        );
        line("  purge in time, each report its two reviews, each sample its seed".to_owned());
        line(match self.checked.details {
            0 => "- no details: the export holds none, so who did what and why was not checked".to_owned(),
            details => {
                format!("- {} that the export opens: each is what its leaf committed to, and agrees with it", counted(details, "detail"))
            }
        });
        if let Some(since) = self.checked.since_leaves {
            line(format!("- that the log continues your checkpoint of {}", leaves(since)));
        }
        line(String::new());
        line(self.witnesses());
        if self.not_understood > 0 {
            let count = leaves(self.not_understood);
            line(format!("{count} of a newer version or kind were not understood by this software; they are hashed and counted, no more."));
        }
        list(&mut text, "What does NOT hold:", &self.violations);
        list(&mut text, "What you should know (no rule is broken by it):", &self.observations);
        text += "\nLeaves by kind:\n";
        for (kind, count) in &self.kinds {
            writeln!(text, "{count:>12} {kind}").expect("a string takes all that is written");
        }
        text += match self.holds {
            true => "\nThe log says who asked, when and what came of it; whether a reason was true, no log can say.\n",
            false => "\nKeep this folder as it is. Get the log again from its owner and from a witness, and compare.\n",
        };
        text
    }

    fn witnesses(&self) -> String {
        match &self.witnessed {
            _ if !self.witnesses_asked => {
                "NO WITNESSES: the keys ask for no cosignature, so the log's owner alone vouches for it and could have rewritten it."
                    .to_owned()
            }
            None => {
                "NOT WITNESSED: no checkpoint has the cosignatures that are asked for. The log's owner alone vouches for it.".to_owned()
            }
            Some(newest) => {
                let rest = match self.not_witnessed {
                    0 => "all leaves".to_owned(),
                    rest => format!("all but the last {rest}, which are not witnessed yet"),
                };
                format!("Witnessed by {} on {}: {rest}.", newest.by.join(", "), when(newest.time.saturating_mul(100)))
            }
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
        format!("  {} ({of})\n    {}", self.name, self.fingerprint)
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

fn leaves(count: u64) -> String {
    match count {
        1 => "1 leaf".to_owned(),
        count => format!("{count} leaves"),
    }
}

fn counted(count: u64, of: &str) -> String {
    format!("{count} {of}{}", if count == 1 { "" } else { "s" })
}
