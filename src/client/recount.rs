//! Recount of a public report from a copy of the log: anybody can recount the totals, and every
//! figure with the opened details too.

use std::collections::BTreeSet;

use serde_json::Value;

use super::log_folder::{LogFolder, LogFolderError, OpenedDetail};
use crate::audit::{
    AuditError, Detail, Edge, Entry, Holds, Quorum, SALT_BYTES, TileId, VerifierKey, commit,
    entries,
};
use crate::public_report::{
    CosignedCheckpoints, DetailCoverage, PublicReport, PublicReportError, ReportBuilder,
};

/// Why a report can't be recounted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecountError {
    #[error(transparent)]
    Folder(#[from] LogFolderError),
    #[error(transparent)]
    Audit(#[from] AuditError),
    #[error(transparent)]
    Report(#[from] PublicReportError),
    #[error("the folder holds no checkpoint, wanted a copy of the log")]
    NoLog,
    #[error("the folder holds the log '{found}', the report is about '{wanted}'")]
    OtherLog { found: String, wanted: String },
    #[error(
        "the folder's log has {found} leaves, the report was counted over {wanted}: get a newer \
         copy of the log"
    )]
    Older { found: u64, wanted: u64 },
    #[error(
        "the folder's checkpoint is not signed by the log's key that the policy beside it names"
    )]
    Unsigned,
    #[error(
        "the folder's leaves are not those that its checkpoint signs: the copy is damaged or forged"
    )]
    Damaged,
    #[error("the opened details are not in the order of their leaves at leaf {leaf}")]
    Order { leaf: u64 },
    #[error("the report has format {found}, this program recounts format {wanted}")]
    Form { found: u32, wanted: u32 },
}

/// Result of a recount, figure by figure.
#[derive(Clone, Debug, Default)]
pub struct Recount {
    /// Number of figures that come out as stated.
    pub agree: u64,
    /// Groups of figures that can't be recounted, and why not.
    pub missing: Vec<(String, String)>,
    /// Figures that come out otherwise.
    pub differ: Vec<FigureDifference>,
    /// Number of opened details that aren't what their leaves commit to; they are left out.
    pub forged_details: u64,
}

/// A figure of which the report and the recount differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigureDifference {
    /// Its name: the names on the way to it in the report, joined by dots.
    pub figure: String,
    /// What the report states; none where it says nothing.
    pub stated: Option<String>,
    /// What was counted; none where nothing was.
    pub counted: Option<String>,
}

/// Recounts a report from the leaves, checkpoints, policy and opened details of a folder.
///
/// Errors: a folder that holds another log, or only a part of the log that the report is about.
pub fn recount(folder: &LogFolder, report: &PublicReport) -> Result<Recount, RecountError> {
    if report.form != crate::public_report::FORM {
        return Err(RecountError::Form { found: report.form, wanted: crate::public_report::FORM });
    }
    let leaves = Leaves::open(folder, report)?;
    let quorum = folder.policy()?.map(|policy| Quorum::parse(&policy)).transpose()?;
    let notes = folder.checkpoints()?;
    // Where the report says nothing of witnesses, there is nothing to count again.
    let until =
        report.witnesses.as_ref().map(|witnesses| witnesses.until_seconds().unwrap_or(u64::MAX));
    let witnessing = quorum.as_ref().zip(until).map(|(quorum, until)| CosignedCheckpoints {
        notes: &notes,
        quorum,
        until,
    });
    let counter = ReportBuilder::new(report.period, report.log.leaves, witnessing);
    let (counted, forged_details) = leaves.count(folder, counter, report)?;
    let mut recount = Recount { forged_details, ..Recount::default() };
    recount.compare(report, &counted, quorum.is_some());
    Ok(recount)
}

/// The leaves of a copy of the log, read bundle by bundle.
struct Leaves<'a> {
    folder: &'a LogFolder,
    /// Number of leaves of the copy.
    all: u64,
    root: [u8; 32],
    /// Number of leaves that the report was counted over.
    wanted: u64,
}

/// Pass over the leaves in their order, each given to the counter.
struct Walk<'a> {
    leaves: &'a Leaves<'a>,
    edge: Edge,
    bundle: Option<(TileId, Vec<Vec<u8>>)>,
    counter: ReportBuilder,
}

impl<'a> Leaves<'a> {
    fn open(folder: &'a LogFolder, report: &PublicReport) -> Result<Self, RecountError> {
        let note = folder.checkpoint()?.ok_or(RecountError::NoLog)?;
        let checkpoint = note.checkpoint()?;
        if checkpoint.origin != report.log.origin {
            return Err(RecountError::OtherLog {
                found: checkpoint.origin,
                wanted: report.log.origin.clone(),
            });
        }
        if checkpoint.leaves < report.log.leaves {
            return Err(RecountError::Older {
                found: checkpoint.leaves,
                wanted: report.log.leaves,
            });
        }
        let policy = folder.policy()?.map(|policy| Quorum::parse(&policy)).transpose()?;
        let signed = |key: &VerifierKey| key.signed(&note);
        if policy.is_some_and(|policy| !policy.logs().iter().any(signed)) {
            return Err(RecountError::Unsigned);
        }
        Ok(Self {
            folder,
            all: checkpoint.leaves,
            root: checkpoint.root,
            wanted: report.log.leaves,
        })
    }

    /// Counts the report's leaves, each with its detail where that is opened, and checks that they
    /// and the rest make the signed root.
    fn count(
        &self,
        folder: &LogFolder,
        counter: ReportBuilder,
        report: &PublicReport,
    ) -> Result<(PublicReport, u64), RecountError> {
        let mut walk = Walk { leaves: self, edge: Edge::default(), bundle: None, counter };
        let mut forged = 0;
        folder.for_each_detail(|_, opened| -> Result<(), RecountError> {
            if opened.leaf < walk.edge.leaves() {
                return Err(RecountError::Order { leaf: opened.leaf });
            }
            while walk.edge.leaves() < opened.leaf.min(self.wanted) {
                walk.step(None, &mut forged)?;
            }
            if opened.leaf < self.wanted { walk.step(Some(&opened), &mut forged) } else { Ok(()) }
        })?;
        while walk.edge.leaves() < self.all {
            walk.step(None, &mut forged)?;
        }
        if walk.edge.root() != self.root {
            return Err(RecountError::Damaged);
        }
        Ok((walk.counter.finish(&report.log.origin), forged))
    }
}

impl Walk<'_> {
    fn step(
        &mut self,
        opened: Option<&OpenedDetail>,
        forged: &mut u64,
    ) -> Result<(), RecountError> {
        let index = self.edge.leaves();
        let id = TileId::at(Holds::Entries, index / crate::audit::TILE_WIDTH, self.leaves.all)
            .ok_or(RecountError::Damaged)?;
        if self.bundle.as_ref().is_none_or(|(held, _)| *held != id) {
            let bytes = self.leaves.folder.tile(id)?;
            self.bundle =
                Some((id, entries(id, &bytes)?.into_iter().map(<[u8]>::to_vec).collect()));
        }
        let at = usize::try_from(index - id.first()).expect("a bundle is small");
        let leaf = self
            .bundle
            .as_ref()
            .and_then(|(_, leaves)| leaves.get(at))
            .ok_or(RecountError::Damaged)?;
        self.edge.append(leaf);
        if index < self.leaves.wanted {
            self.counter.take(leaf, |_| {
                let detail = opened.and_then(|opened| proven(opened, leaf));
                *forged += u64::from(opened.is_some() && detail.is_none());
                Ok::<_, RecountError>(detail)
            })?;
        }
        Ok(())
    }
}

/// The detail, where it is what the leaf commits to.
fn proven(opened: &OpenedDetail, leaf: &[u8]) -> Option<Detail> {
    let salt: [u8; SALT_BYTES] = hex::decode(&opened.salt).ok()?.try_into().ok()?;
    let Ok(Entry::Known(leaf)) = Entry::read(leaf) else { return None };
    let committed = commit(&salt, opened.detail.as_bytes()) == *leaf.commitment;
    committed.then(|| serde_json::from_str(&opened.detail).ok()).flatten()
}

impl Recount {
    fn compare(&mut self, stated: &PublicReport, counted: &PublicReport, witnesses_known: bool) {
        let [mut left, mut right] = [stated, counted].map(|report| {
            let committed = PublicReport { measured: None, ..report.clone() };
            serde_json::to_value(committed)
                .expect("a report holds only strings, numbers and maps of them")
        });
        if stated.measured.is_some() {
            self.missing.push(("measured".to_owned(), "measured apart from the log".to_owned()));
        }
        if stated.witnesses.is_none() {
            self.missing
                .push(("witnesses".to_owned(), "the report says nothing of them".to_owned()));
        } else if !witnesses_known {
            left["witnesses"].take();
            right["witnesses"].take();
            self.missing.push((
                "witnesses".to_owned(),
                "the folder has no policy that names them".to_owned(),
            ));
        }
        let details = |report: &PublicReport| {
            let opened = &report.opened;
            [
                ("site", opened.site.details),
                ("inquiries", opened.inquiries.details),
                ("refusals", opened.refusals.details),
                ("agencies", opened.agencies.details),
                ("audits", opened.audits.details),
            ]
        };
        for ((section, stated), (_, counted)) in details(stated).into_iter().zip(details(counted)) {
            // Details that the report had and this folder hasn't: its figures can't come out.
            if counted.opened < stated.opened && counted.leaves == stated.leaves {
                for value in [&mut left, &mut right] {
                    value["opened"][section].take();
                }
                let DetailCoverage { leaves, opened } = counted;
                self.missing.push((
                    format!("opened.{section}"),
                    format!("{opened} of {leaves} details are opened here"),
                ));
            }
        }
        self.walk("", Some(&left), Some(&right));
    }

    fn walk(&mut self, name: &str, stated: Option<&Value>, counted: Option<&Value>) {
        let below =
            |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
        match (stated, counted) {
            (Some(Value::Object(left)), Some(Value::Object(right))) => {
                let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
                keys.into_iter()
                    .for_each(|key| self.walk(&below(key), left.get(key), right.get(key)));
            }
            (Some(Value::Array(left)), Some(Value::Array(right))) => {
                (0..left.len().max(right.len()))
                    .for_each(|at| self.walk(&below(&at.to_string()), left.get(at), right.get(at)));
            }
            (left, right) if left == right => {
                self.agree += u64::from(!left.is_none_or(Value::is_null))
            }
            (left, right) => {
                let words = |value: Option<&Value>| value.map(ToString::to_string);
                self.differ.push(FigureDifference {
                    figure: name.to_owned(),
                    stated: words(left),
                    counted: words(right),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use time::macros::date;

    use super::*;
    use crate::audit::{CosignerKey, Leaf, LogKey, Note, Witness, push_entry};
    use crate::calendar::{Span, Time};
    use crate::public_report::Period;

    const ORIGIN: &str = "test.example/log";
    const SALT: [u8; SALT_BYTES] = [4; SALT_BYTES];

    fn key(seed: u8) -> LogKey {
        LogKey::new(ORIGIN, &[seed; 32]).unwrap()
    }

    fn quorum(log: &LogKey) -> Quorum {
        let witness = CosignerKey::new("court.example/w", &[6; 32]).unwrap();
        let court = Witness {
            name: "court".to_owned(),
            key: witness.verifier().clone(),
            independent: true,
        };
        Quorum::new(log.verifier().clone(), vec![court], 1, 5).unwrap()
    }

    /// A log of three days, each with a start and a checkpoint that the court cosigned a minute
    /// later; and its report.
    fn kept(folder: &LogFolder) -> PublicReport {
        let period = Period::new(date!(2026 - 01 - 01), date!(2026 - 01 - 31)).unwrap();
        let (log, quorum) = (key(3), quorum(&key(3)));
        let witness = CosignerKey::new("court.example/w", &[6; 32]).unwrap();
        let (mut edge, mut bundle, mut notes, mut details, mut leaves) =
            (Edge::default(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for day in 0..3 {
            let detail = Detail::Started {
                software: "0".to_owned(),
                state: "test".to_owned(),
                model: format!("model {day}"),
                engine: String::new(),
                device: String::new(),
                roster_sha256: String::new(),
            };
            let text = String::from_utf8(detail.to_bytes()).unwrap();
            let time = Time::from_date(period.from()) + Span::days(1 + day);
            let commitment = commit(&SALT, text.as_bytes());
            let leaf = Leaf {
                kind: detail.kind(),
                time,
                follows: Vec::new(),
                counts: vec![day],
                commitment,
            }
            .to_bytes();
            details.push(OpenedDetail {
                leaf: edge.append(&leaf),
                salt: hex::encode(SALT),
                detail: text,
            });
            push_entry(&mut bundle, &leaf);
            let mut note = Note::parse(&log.sign(edge.leaves(), edge.root())).unwrap();
            witness.cosign(&mut note, time.seconds() + 60);
            notes.push(note);
            leaves.push((leaf, detail));
        }
        folder.put_tile(TileId::at(Holds::Entries, 0, 3).unwrap(), &bundle, false).unwrap();
        folder.put_checkpoints(&notes).unwrap();
        folder.put_details(details).unwrap();
        folder.put_policy(&quorum.to_string()).unwrap();
        folder.put_checkpoint(&notes[2]).unwrap();
        let until = period.days()[1] * 86_400;
        let mut builder = ReportBuilder::new(
            period,
            3,
            Some(CosignedCheckpoints { notes: &notes, quorum: &quorum, until }),
        );
        for (leaf, detail) in leaves {
            builder.take::<PublicReportError>(&leaf, |_| Ok(Some(detail))).unwrap();
        }
        builder.finish(ORIGIN)
    }

    #[test]
    fn witnesses_are_counted_again_from_kept_checkpoints_where_the_policy_names_them() {
        let temp = tempfile::tempdir().unwrap();
        let folder = LogFolder::at(temp.path());
        let report = kept(&folder);
        assert_eq!(report.witnesses.as_ref().unwrap().longest_seconds, Some(60));
        let all = recount(&folder, &report).unwrap();
        assert!(all.differ.is_empty() && all.missing.is_empty() && all.agree > 100, "{all:?}");

        let mut forged = report.clone();
        forged.witnesses.as_mut().unwrap().longest_seconds = Some(59);
        let difference = FigureDifference {
            figure: "witnesses.longest_seconds".to_owned(),
            stated: Some("59".to_owned()),
            counted: Some("60".to_owned()),
        };
        assert_eq!(recount(&folder, &forged).unwrap().differ, [difference]);

        // A checkpoint of another history, kept since.
        let mut notes = folder.checkpoints().unwrap();
        notes.insert(0, Note::parse(&key(3).sign(1, [8; 32])).unwrap());
        folder.put_checkpoints(&notes).unwrap();
        let forked = recount(&folder, &report).unwrap().differ;
        assert!(
            forked.iter().any(|difference| difference.figure == "witnesses.contradicting"),
            "{forked:?}"
        );

        fs::remove_file(folder.path().join("policy")).unwrap();
        let without = recount(&folder, &report).unwrap();
        assert!(
            without.differ.is_empty()
                && without.missing.len() == 1
                && without.missing[0].0 == "witnesses",
            "{without:?}"
        );
    }

    #[test]
    fn a_checkpoint_by_another_key_and_details_out_of_order_are_refused() {
        let temp = tempfile::tempdir().unwrap();
        let folder = LogFolder::at(temp.path());
        let report = kept(&folder);
        folder.put_policy(&quorum(&key(5)).to_string()).unwrap();
        assert!(matches!(recount(&folder, &report), Err(RecountError::Unsigned)));
        folder.put_policy(&quorum(&key(3)).to_string()).unwrap();
        let details = fs::read_to_string(folder.path().join("details.jsonl")).unwrap();
        let turned: String = details.lines().rev().map(|line| format!("{line}\n")).collect();
        fs::write(folder.path().join("details.jsonl"), turned).unwrap();
        assert!(matches!(recount(&folder, &report), Err(RecountError::Order { leaf: 1 })));
    }

    #[test]
    fn a_report_over_the_beginning_of_a_log_is_counted_over_that_beginning() {
        let temp = tempfile::tempdir().unwrap();
        let folder = LogFolder::at(temp.path());
        let whole = kept(&folder);
        let mut builder = ReportBuilder::new(whole.period, 2, None);
        let bundle = folder.tile(TileId::at(Holds::Entries, 0, 3).unwrap()).unwrap();
        for leaf in &entries(TileId::at(Holds::Entries, 0, 3).unwrap(), &bundle).unwrap()[..2] {
            builder.take::<PublicReportError>(leaf, |_| Ok(None)).unwrap();
        }
        let report = builder.finish(ORIGIN);
        fs::remove_file(folder.path().join("policy")).unwrap();
        fs::remove_file(folder.path().join("details.jsonl")).unwrap();
        let recount = recount(&folder, &report).unwrap();
        assert!(recount.differ.is_empty() && recount.missing.len() == 1, "{recount:?}");
    }
}
