//! Figures of the witnesses: who cosigned the log, and how soon after each leaf.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::times::{median, parse, rfc3339};
use crate::audit::{Edge, Hash, Note, Quorum};
use crate::calendar::{Span, Time};

/// The ends of the spans by which times to a quorum are counted, in seconds; the last span has no
/// end.
pub(super) const SPANS: [u64; 7] =
    [60, 5 * 60, 15 * 60, 60 * 60, 4 * 60 * 60, 24 * 60 * 60, u64::MAX];

/// Figures of the witnesses, by the checkpoints that were kept. Units: seconds, where a name says
/// so; all else counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WitnessFigures {
    /// Within how many minutes of its time a leaf must be witnessed, where the log states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_minutes: Option<u64>,
    /// Cosignatures up to this time were counted, RFC 3339: later ones change nothing that was
    /// said.
    pub until: String,
    /// Kept checkpoints whose newest leaf is of the period.
    pub checkpoints: u64,
    /// Of these, cosigned by a quorum.
    pub witnessed_checkpoints: u64,
    /// Kept checkpoints of any time that this log contradicts.
    pub contradicting: u64,
    /// Leaves of the period that a quorum vouches for.
    pub witnessed: u64,
    /// Of these, later than they must be.
    pub late: u64,
    /// Leaves of the period that no quorum vouches for yet.
    pub open: u64,
    /// Of these, older than the time within which one must.
    pub overdue: u64,
    /// Half of the witnessed leaves were witnessed within this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub median_seconds: Option<u64>,
    /// The longest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longest_seconds: Option<u64>,
    /// How many took up to 1 minute, 5 minutes, 15 minutes, 1 hour, 4 hours, 24 hours, and longer.
    pub by_spans: Vec<u64>,
    /// Each witness.
    pub attendance: BTreeMap<String, Attendance>,
}

impl WitnessFigures {
    /// The time up to which cosignatures were counted, in seconds since 1970-01-01 UTC; none where
    /// it isn't written as one.
    pub fn until_seconds(&self) -> Option<u64> {
        parse(&self.until).map(Time::seconds)
    }
}

/// How often one witness cosigned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attendance {
    /// Whether it is no agency that feeds the log.
    pub independent: bool,
    /// Kept checkpoints of the period that it cosigned.
    pub cosigned: u64,
    /// Kept checkpoints of the period that it didn't cosign.
    pub missed: u64,
}

/// Kept checkpoints with their cosignatures, from which witnesses are counted.
#[derive(Clone, Copy, Debug)]
pub struct CosignedCheckpoints<'w> {
    /// The checkpoints that were kept, with their cosignatures.
    pub notes: &'w [Note],
    /// Who the witnesses are and how many of them it takes.
    pub quorum: &'w Quorum,
    /// Cosignatures up to this time count, in seconds since 1970-01-01 UTC.
    pub until: u64,
}

/// A kept checkpoint of the log.
struct Kept {
    leaves: u64,
    root: Hash,
    by: Vec<String>,
    complete: bool,
    /// When a quorum vouched for this tree or a larger one, in seconds.
    soonest: Option<u64>,
}

/// The counters of the witnesses.
pub(super) struct WitnessCounts {
    figures: WitnessFigures,
    /// The smallest tree first.
    kept: Vec<Kept>,
    /// The first of these that has the next leaf.
    at: usize,
    took: Vec<u64>,
    /// Times of leaves that no quorum vouches for.
    open: Vec<Time>,
}

impl WitnessCounts {
    /// Over the kept checkpoints of a log of this many leaves; those that the log's key didn't sign
    /// count for nothing.
    pub(super) fn new(
        CosignedCheckpoints { notes, quorum, until }: CosignedCheckpoints<'_>,
        leaves: u64,
    ) -> Self {
        let of_log =
            |note: &Note| quorum.logs().iter().find_map(|log| note.checkpoint_of(log).ok());
        let mut kept: Vec<Kept> = notes
            .iter()
            .filter_map(|note| {
                let checkpoint = of_log(note)
                    .filter(|checkpoint| checkpoint.leaves > 0 && checkpoint.leaves <= leaves)?;
                let witnessed = quorum.witnessed(note);
                let by = witnessed
                    .by
                    .into_iter()
                    .filter(|(_, time)| *time <= until)
                    .map(|(name, _)| name)
                    .collect();
                let soonest = witnessed.complete.filter(|&time| time <= until);
                let complete = soonest.is_some();
                Some(Kept {
                    leaves: checkpoint.leaves,
                    root: checkpoint.root,
                    by,
                    complete,
                    soonest,
                })
            })
            .collect();
        kept.sort_by_key(|kept| kept.leaves);
        let mut soonest = None;
        for kept in kept.iter_mut().rev() {
            soonest = [soonest, kept.soonest].into_iter().flatten().min();
            kept.soonest = soonest;
        }
        let attendance = quorum.witnesses().iter().map(|witness| {
            (
                witness.name.clone(),
                Attendance { independent: witness.independent, ..Attendance::default() },
            )
        });
        let figures = WitnessFigures {
            within_minutes: quorum.within_minutes(),
            until: rfc3339(Time::from_seconds(until)),
            by_spans: vec![0; SPANS.len()],
            attendance: attendance.collect(),
            ..WitnessFigures::default()
        };
        Self { figures, kept, at: 0, took: Vec::new(), open: Vec::new() }
    }

    /// A leaf, after it was appended to the edge.
    pub(super) fn take(&mut self, time: Time, within: bool, edge: &Edge) {
        if within {
            match self.kept.get(self.at).and_then(|kept| kept.soonest) {
                Some(complete) => {
                    self.took.push(Time::from_seconds(complete).since(time).whole_seconds())
                }
                None => self.open.push(time),
            }
        }
        while let Some(kept) = self.kept.get(self.at).filter(|kept| kept.leaves == edge.leaves()) {
            self.figures.contradicting += u64::from(kept.root != edge.root());
            if within {
                self.figures.checkpoints += 1;
                self.figures.witnessed_checkpoints += u64::from(kept.complete);
                for (name, attendance) in &mut self.figures.attendance {
                    let cosigned = kept.by.contains(name);
                    *(if cosigned { &mut attendance.cosigned } else { &mut attendance.missed }) +=
                        1;
                }
            }
            self.at += 1;
        }
    }

    /// The figures; `newest` is the time of the log's newest leaf.
    pub(super) fn finish(mut self, newest: Time) -> WitnessFigures {
        self.took.sort_unstable();
        let figures = &mut self.figures;
        for &seconds in &self.took {
            let span =
                SPANS.iter().position(|&end| seconds <= end).expect("the last span has no end");
            figures.by_spans[span] += 1;
        }
        figures.median_seconds = median(&self.took);
        figures.longest_seconds = self.took.last().copied();
        figures.witnessed = self.took.len() as u64;
        figures.open = self.open.len() as u64;
        if let Some(minutes) = figures.within_minutes {
            figures.late =
                self.took.iter().filter(|&&seconds| seconds > minutes.saturating_mul(60)).count()
                    as u64;
            figures.overdue = self
                .open
                .iter()
                .filter(|&&time| newest.since(time) > Span::minutes(minutes))
                .count() as u64;
        }
        self.figures
    }
}
