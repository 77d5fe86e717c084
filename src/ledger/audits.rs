//! What the log itself says of audits and searches: samples with their reviews, what is overdue,
//! and when each operator searched.

use std::collections::BTreeMap;

use super::error::LedgerError;
use super::handle::Ledger;
use crate::audit::{Detail, Entry, LeafKind, SampleFinding};
use crate::booking::Identifier;
use crate::calendar::{Span, Time};
use crate::limits::{LOG_REVIEW_DAYS_MAX, REVIEW_DAYS_MAX, SAMPLE_DAYS_MAX, SAMPLES_SHOWN_MAX};

/// A sample and how far its reviews are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drawn {
    /// The leaf with its seed.
    pub seeded: u64,
    /// The leaf that says what was drawn.
    pub leaf: u64,
    /// When it was drawn.
    pub time: Time,
    /// Searches in its range.
    pub population: u64,
    /// The leaves `asked` that were drawn.
    pub asked: Vec<u64>,
    /// Those that were reviewed, with what was found.
    pub reviewed: Vec<(u64, SampleFinding)>,
    /// When its reviews are due.
    pub due: Time,
}

impl Ledger {
    /// The newest samples whose details are still there, as `samples` gives them.
    ///
    /// Details expire in the order of their leaves, so a sample that is there has its reviews, too.
    /// The exception is a log that was restored without them: nobody knows any more what such a
    /// review was about, so it counts for none, and the search is to be looked at again.
    pub(crate) fn samples(&self) -> Result<Vec<Drawn>, LedgerError> {
        let mut drawn: Vec<(u64, Vec<u64>)> = Vec::new();
        for leaf in self.core().audit_leaves() {
            let Some(row) = self.core().store.leaf(leaf)? else { continue };
            let Entry::Known(view) = Entry::read(&row.leaf)? else { continue };
            match view.kind {
                LeafKind::SampleDrawn => drawn.push((leaf, Vec::new())),
                LeafKind::SampleReviewed => {
                    let sample = view.follows().next();
                    if let Some((_, reviews)) =
                        drawn.iter_mut().find(|(leaf, _)| Some(*leaf) == sample)
                    {
                        reviews.push(leaf);
                    }
                }
                _ => {}
            }
        }
        let shown = drawn.split_off(drawn.len().saturating_sub(SAMPLES_SHOWN_MAX));
        let mut samples = Vec::new();
        for (leaf, reviews) in shown {
            let Some(mut drawn) = self.drawn(leaf)? else { continue };
            for review in reviews {
                if let Some(Detail::SampleReviewed { asked, finding, .. }) =
                    self.detail_of(review)?
                {
                    drawn.reviewed.retain(|(other, _)| *other != asked);
                    drawn.reviewed.push((asked, finding));
                }
            }
            samples.push(drawn);
        }
        Ok(samples)
    }

    /// A sample by the leaf that says what was drawn; nothing of its reviews.
    pub(crate) fn drawn(&self, leaf: u64) -> Result<Option<Drawn>, LedgerError> {
        let Some(row) = self.core().store.leaf(leaf)? else { return Ok(None) };
        let Entry::Known(view) = Entry::read(&row.leaf)? else { return Ok(None) };
        let Some(seeded) = view.follows().next().filter(|_| view.kind == LeafKind::SampleDrawn)
        else {
            return Ok(None);
        };
        let asked = match self.detail_of(leaf)? {
            Some(Detail::SampleDrawn { leaves, .. }) => leaves,
            // Expired with its term; nobody is asked for its reviews any more.
            _ => return Ok(None),
        };
        Ok(Some(Drawn {
            seeded,
            leaf,
            time: view.time,
            population: view.count(0),
            asked,
            reviewed: Vec::new(),
            due: view.time + Span::days(REVIEW_DAYS_MAX),
        }))
    }

    pub(crate) fn detail_of(&self, leaf: u64) -> Result<Option<Detail>, LedgerError> {
        let detail = self
            .open_detail(leaf)?
            .map(|opened| serde_json::from_slice(&opened.detail))
            .transpose();
        detail.map_err(|source| LedgerError::Sealed { what: "detail", source })
    }

    /// Up to which leaf auditors went through the log, and when the last of them did; where nobody
    /// did yet, since when there is a log.
    pub(crate) fn reviewed_to(&self) -> Result<(u64, Time), LedgerError> {
        for leaf in self.core().audit_leaves().into_iter().rev() {
            let Some(row) = self.core().store.leaf(leaf)? else { continue };
            if let Entry::Known(view) = Entry::read(&row.leaf)?
                && view.kind == LeafKind::LogReviewed
            {
                return Ok((view.count(1), view.time));
            }
        }
        let begun = self
            .core()
            .store
            .leaf(0)?
            .map(|row| Entry::read(&row.leaf).map(|entry| entry.time()))
            .transpose()?;
        Ok((0, begun.unwrap_or_else(|| self.now())))
    }

    /// What of audits is overdue, in words: a sample, reviews of one, or the weekly look through
    /// the log.
    pub(crate) fn audit_overdue(&self) -> Result<Option<String>, LedgerError> {
        let now = self.now();
        let samples = self.samples()?;
        let late = samples.iter().filter(|drawn| drawn.due < now);
        let open: usize = late
            .map(|drawn| {
                drawn
                    .asked
                    .iter()
                    .filter(|asked| !drawn.reviewed.iter().any(|(done, _)| done == *asked))
                    .count()
            })
            .sum();
        if open > 0 {
            return Ok(Some(format!(
                "{open} searches of samples are not reviewed after {REVIEW_DAYS_MAX} days"
            )));
        }
        let last = match samples.last() {
            Some(drawn) => Some(drawn.time),
            None => self
                .core()
                .store
                .leaf(0)?
                .map(|row| Entry::read(&row.leaf).map(|entry| entry.time()))
                .transpose()?,
        };
        if last.is_some_and(|last| last + Span::days(SAMPLE_DAYS_MAX) < now) {
            return Ok(Some(format!("no sample was drawn for more than {SAMPLE_DAYS_MAX} days")));
        }
        let overdue = self.reviewed_to()?.1 + Span::days(LOG_REVIEW_DAYS_MAX) < now;
        Ok(overdue.then(|| {
            format!("nobody went through the log for more than {LOG_REVIEW_DAYS_MAX} days")
        }))
    }

    /// The first leaf that isn't dated before this.
    pub(crate) fn first_leaf_since(&self, since: Time) -> Result<u64, LedgerError> {
        let (mut first, mut end) = (0, self.leaves());
        while first < end {
            let middle = first + (end - first) / 2;
            if Entry::read(&self.leaf(middle)?)?.time() < since {
                first = middle + 1
            } else {
                end = middle
            }
        }
        Ok(first)
    }

    /// When each operator asked for searches since a time, the earliest first. What the box doesn't
    /// know any more is left out.
    pub(crate) fn searched_since(
        &self,
        since: Time,
    ) -> Result<BTreeMap<Identifier, Vec<Time>>, LedgerError> {
        let mut asked = Vec::new();
        self.core().store.for_each_leaf::<LedgerError>(
            self.first_leaf_since(since)?..self.leaves(),
            |leaf, bytes| {
                if let Entry::Known(view) = Entry::read(bytes)?
                    && view.kind == LeafKind::Asked
                {
                    asked.push((leaf, view.time));
                }
                Ok(())
            },
        )?;
        let mut searched: BTreeMap<Identifier, Vec<Time>> = BTreeMap::new();
        for (leaf, time) in asked {
            if let Some(Detail::Asked { approval, .. }) = self.detail_of(leaf)? {
                searched.entry(approval.operator).or_default().push(time);
            }
        }
        Ok(searched)
    }
}
