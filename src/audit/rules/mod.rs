//! The rules that hold across leaves, checked while the log goes by: each leaf once, in its order,
//! with its detail where it was opened.
//!
//! Invariant: what can't be read or isn't understood is counted, never held against the log. Of
//! each leaf one byte is kept, its kind, and a few numbers of those that others come back to, so
//! that a log of ten million leaves is checked as it is read. Which booking a tag is of only the
//! box can say; what is checked is that a tag which is purged was released or replaced before.

mod details;
mod found;
mod purges;
mod sample;

use std::collections::BTreeMap;

use super::leaf::{Entry, LeafView};
use super::remark::{Place, Remarks, when};
use super::sample::SampleKey;
use super::tree::Hash;
use super::{Alarm, LeafKind};
use crate::calendar::{Span, Time};
use crate::limits::REQUEST_SECONDS_MAX;
pub use details::Opened;
use details::{Before, DetailRules};
use found::Found;
use purges::Purges;
use sample::Sample;

/// The kind of a leaf that wasn't read or isn't understood.
const UNKNOWN: u8 = 0;
const KINDS: usize = 0x80;

/// A checker that is shown a log leaf by leaf.
#[derive(Debug)]
pub struct Rules {
    /// One byte a leaf.
    kinds: Vec<u8>,
    newest: Time,
    not_before: Time,
    not_after: Time,
    tallies: [u64; KINDS],
    foreign: u64,
    unread: u64,
    started: Option<u64>,
    asked: Vec<u64>,
    /// Searches asked for that have no end yet, with their times.
    open: BTreeMap<u64, Time>,
    purges: Purges,
    reviews: Vec<Review>,
    samples: BTreeMap<u64, Sample>,
    /// Samples by the leaves that say that they were drawn.
    drawn: BTreeMap<u64, Sample>,
    /// Alarms that aren't cleared, by their leaves.
    alarms: BTreeMap<u64, u64>,
    /// How often each alarm was raised and cleared.
    alarmed: BTreeMap<u64, (u64, u64)>,
    origins: Vec<OriginOpened>,
    details: DetailRules,
    /// Ranges of leaves whose details were to be given and were not.
    missing: Option<Vec<(u64, u64)>>,
    expired: Vec<(u64, u64)>,
    found: Found,
}

/// What was found of a log.
#[derive(Debug, Default)]
pub struct Ruled {
    /// Rules that don't hold.
    pub violations: Remarks,
    /// What people should know and no rule forbids.
    pub observations: Remarks,
    /// Leaves of each kind that occurs, by their names.
    pub tallies: BTreeMap<&'static str, u64>,
    /// Leaves of a version or kind that this software doesn't know.
    pub foreign: u64,
    /// Details that were held against their leaves.
    pub details: u64,
    /// Where the log went on under another origin.
    pub origins: Vec<OriginOpened>,
    /// Ranges of leaves, first and end, whose details the log itself says have expired.
    pub expired: Vec<(u64, u64)>,
}

/// A leaf that says that the log goes on under another origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OriginOpened {
    /// Its index.
    pub leaf: u64,
    /// Leaves of the former log that the backup held.
    pub backup_leaves: u64,
}

#[derive(Debug)]
struct Review {
    leaf: u64,
    answer: u64,
    examiner: u64,
}

impl Rules {
    /// A checker that has seen nothing. `all_details`: the detail of every leaf is to be given,
    /// unless the log says that it has expired.
    pub fn new(all_details: bool) -> Self {
        Self {
            kinds: Vec::new(),
            newest: Time::EPOCH,
            not_before: Time::EPOCH,
            not_after: Time::MAX,
            tallies: [0; KINDS],
            foreign: 0,
            unread: 0,
            started: None,
            asked: Vec::new(),
            open: BTreeMap::new(),
            purges: Purges::default(),
            reviews: Vec::new(),
            samples: BTreeMap::new(),
            drawn: BTreeMap::new(),
            alarms: BTreeMap::new(),
            alarmed: BTreeMap::new(),
            origins: Vec::new(),
            details: DetailRules::default(),
            missing: all_details.then(Vec::new),
            expired: Vec::new(),
            found: Found::default(),
        }
    }

    /// Number of leaves that went by.
    pub fn leaves(&self) -> u64 {
        self.kinds.len() as u64
    }

    /// The time of the newest leaf that was read.
    pub fn newest(&self) -> Time {
        self.newest
    }

    /// Between which times the leaves from here on must lie, by what witnesses cosigned.
    pub fn bound(&mut self, not_before: Time, not_after: Time) {
        (self.not_before, self.not_after) = (not_before, not_after);
    }

    /// Lets a leaf go by that can't be read: it keeps its place, and nothing is held against what
    /// refers to it.
    pub fn unread(&mut self) {
        self.kinds.push(UNKNOWN);
        self.unread += 1;
    }

    /// Takes the next leaf. `root` gives the root of the tree whose last leaf this is, and is asked
    /// only where a sample needs it.
    pub fn leaf(
        &mut self,
        entry: &Entry<'_>,
        opened: Option<Opened<'_>>,
        root: &mut dyn FnMut() -> Hash,
    ) {
        let index = self.leaves();
        self.time(index, entry.time());
        let byte = match entry {
            Entry::Known(leaf) => {
                self.tallies[leaf.kind as usize] += 1;
                if self.shape(index, leaf) {
                    self.meaning(index, leaf, root);
                }
                leaf.kind as u8
            }
            Entry::Foreign { .. } => {
                self.foreign += 1;
                UNKNOWN
            }
        };
        self.kinds.push(byte);
        match (opened, entry) {
            (Some(opened), Entry::Known(leaf)) => {
                let before =
                    Before { drawn: &self.drawn, asked: &self.asked, purges: &mut self.purges };
                self.details.check(index, leaf, opened, before, &mut self.found);
            }
            (Some(_), Entry::Foreign { .. }) => {}
            (None, _) => self.no_detail(index),
        }
    }

    fn no_detail(&mut self, index: u64) {
        let Some(ranges) = &mut self.missing else { return };
        match ranges.last_mut() {
            Some((_, end)) if *end == index => *end += 1,
            _ => ranges.push((index, index + 1)),
        }
    }

    fn time(&mut self, index: u64, time: Time) {
        if time < self.newest {
            let what = format!("the time goes back from {} to {}", when(self.newest), when(time));
            self.found
                .violations
                .add(Place::Leaves { first: index.saturating_sub(1), end: index + 1 }, what);
        }
        if time < self.not_before {
            let seen = when(self.not_before);
            self.found.wrong(
                index,
                format!(
                    "dated before {seen}, when a witness cosigned the log and it wasn't there yet"
                ),
            );
        }
        if time > self.not_after {
            let seen = when(self.not_after);
            self.found.wrong(
                index,
                format!("dated after {seen}, when a witness had cosigned the log with it already"),
            );
        }
        self.newest = time;
    }

    fn kind(&self, index: u64) -> Option<LeafKind> {
        let byte = self.kinds.get(usize::try_from(index).ok()?)?;
        LeafKind::of(u16::from(*byte))
    }

    /// Whether the leaf follows as many leaves as its kind does, of the kinds that it may, all
    /// before it, and has its counts.
    fn shape(&mut self, index: u64, leaf: &LeafView<'_>) -> bool {
        let (kind, rule) = (leaf.kind, leaf.kind.follows());
        let before = self.found.violations.count();
        let (follows, counts) = (leaf.follows().len(), leaf.counts().len());
        if !(rule.least..=rule.most).contains(&follows) {
            let what = format!(
                "follows {follows} leaves; a leaf '{}' follows {} to {}",
                kind.name(),
                rule.least,
                rule.most
            );
            self.found.wrong(index, what);
        }
        if counts != kind.counts().len() {
            let what = format!(
                "has {counts} counts; a leaf '{}' has {}",
                kind.name(),
                kind.counts().len()
            );
            self.found.wrong(index, what);
        }
        for earlier in leaf.follows() {
            if earlier >= index {
                self.found.wrong(
                    index,
                    format!("says that it follows leaf {earlier}, which does not come before it"),
                );
            } else if let Some(found) =
                self.kind(earlier).filter(|found| !rule.kinds.contains(found))
            {
                let what = format!(
                    "'{}' says that it follows leaf {earlier}, which is '{}'",
                    kind.name(),
                    found.name()
                );
                self.found.wrong(index, what);
            }
        }
        before == self.found.violations.count()
    }

    fn meaning(&mut self, index: u64, leaf: &LeafView<'_>, root: &mut dyn FnMut() -> Hash) {
        let (found, time) = (&mut self.found, leaf.time);
        let first = leaf.follows().next().unwrap_or(index);
        // A leaf that wasn't read or understood may well be what this one needs.
        let known = leaf.follows().all(|earlier| {
            self.kinds.get(usize::try_from(earlier).unwrap_or(usize::MAX)) != Some(&UNKNOWN)
        });
        match leaf.kind {
            LeafKind::Started => self.started = Some(index),
            LeafKind::AlarmRaised => {
                self.alarms.insert(index, leaf.count(0));
                self.alarmed.entry(leaf.count(0)).or_default().0 += 1;
            }
            LeafKind::AlarmCleared => self.cleared(index, first, leaf.count(0)),
            LeafKind::LogRestored => {
                let (backup, supplied) = (leaf.count(0), leaf.count(1));
                // What was taken over from others' copies came without details: those were lost
                // with the state folder.
                if backup <= supplied && supplied <= index {
                    self.expired.push((backup, supplied));
                }
                found.note(
                    index,
                    format!(
                        "the box was restored from a backup of {backup} leaves; witnesses \
                        supplied the log up to {supplied}"
                    ),
                );
            }
            LeafKind::OriginOpened => {
                let (backup_leaves, cosigned) = (leaf.count(0), leaf.count(1));
                self.origins.push(OriginOpened { leaf: index, backup_leaves });
                let what = format!(
                    "the log goes on under another name: of {cosigned} leaves cosigned before, a \
                     backup held {backup_leaves}"
                );
                found.note(index, what);
            }
            LeafKind::BookingIn => self.purges.replaced(leaf.count(0)),
            LeafKind::Released => self.purges.released(index, leaf.count(0), time),
            LeafKind::Purged if known => {
                let sure = self.unread + self.foreign == 0;
                match leaf.follows().next() {
                    Some(release) => {
                        self.purges.purged(index, release, leaf.count(0), time, sure, found)
                    }
                    None => self.purges.purged_replaced(index, leaf.count(0), sure, found),
                }
            }
            LeafKind::HoldNoticed => {
                self.purges.noticed(index, leaf.follows().next(), time, leaf.count(0) != 0)
            }
            LeafKind::HoldDecided => self.purges.decided(index, first, time, leaf.count(0) != 0),
            LeafKind::Transferred => self.purges.transferred(first, time),
            LeafKind::ExtensionDecided if leaf.count(0) != 0 => {
                self.purges.extended(first, time, leaf.count(1))
            }
            LeafKind::Asked => {
                self.asked.push(index);
                self.open.insert(index, time);
            }
            LeafKind::Answered | LeafKind::Interrupted if known => {
                self.ended(index, first, leaf.kind)
            }
            LeafKind::Reviewed => self.reviewed(index, leaf),
            LeafKind::ReportIssued if known => self.reported(index, leaf),
            LeafKind::SampleSeeded => {
                let sample = Sample {
                    key: SampleKey::new(leaf.count(0), &root()),
                    rate_ppm: leaf.count(1),
                    first: leaf.count(2),
                    end: leaf.count(3),
                };
                // Of searches that come after the seed, whoever asks for them could know whether
                // they will be looked at.
                if sample.first > sample.end || sample.end > index {
                    found.wrong(
                        index,
                        "a sample's seed must come after all that the sample is drawn from",
                    );
                }
                self.samples.insert(index, sample);
            }
            LeafKind::SampleDrawn => self.sample(index, first, leaf),
            LeafKind::DetailsExpired => match (leaf.count(0), leaf.count(1)) {
                (first, end) if first <= end && end <= index => self.expired.push((first, end)),
                _ => found
                    .wrong(index, "names details as expired of leaves that do not come before it"),
            },
            LeafKind::LogReviewed if leaf.count(0) >= leaf.count(1) || leaf.count(1) > index => {
                found.wrong(
                    index,
                    "says that somebody went through leaves that do not come before it",
                );
            }
            _ => {}
        }
    }

    fn cleared(&mut self, index: u64, raised: u64, code: u64) {
        self.alarmed.entry(code).or_default().1 += 1;
        if self.alarms.remove(&raised).is_some_and(|of| of != code) {
            self.found.wrong(index, format!("clears another alarm than leaf {raised} raised"));
        }
    }

    fn ended(&mut self, index: u64, asked: u64, kind: LeafKind) {
        if self.open.remove(&asked).is_none() {
            self.found.wrong(
                index,
                format!(
                    "'{}' ends the search of leaf {asked}, which had its end before",
                    kind.name()
                ),
            );
        }
    }

    /// Whether any of these leaves, the end not among them, wasn't read or understood.
    fn any_unknown(&self, first: u64, end: u64) -> bool {
        let at = |leaf| usize::try_from(leaf).unwrap_or(usize::MAX);
        self.kinds.get(at(first)..at(end)).is_none_or(|among| among.contains(&UNKNOWN))
    }

    fn review(&self, leaf: u64) -> Option<&Review> {
        let at = self.reviews.binary_search_by_key(&leaf, |review| review.leaf).ok()?;
        self.reviews.get(at)
    }

    /// A first review follows the answer; a second one the answer, the first review, or both.
    fn reviewed(&mut self, index: u64, leaf: &LeafView<'_>) {
        let examiner = leaf.count(0);
        let of_kind = |kind| leaf.follows().find(|&earlier| self.kind(earlier) == Some(kind));
        let former = of_kind(LeafKind::Reviewed).and_then(|former| self.review(former));
        let Some(answer) = of_kind(LeafKind::Answered).or(former.map(|former| former.answer))
        else {
            return;
        };
        let what = match (examiner, former) {
            (1, None) | (2, None) => None,
            (2, Some(former)) if former.examiner == 1 && former.answer == answer => None,
            (1 | 2, Some(_)) => Some(
                "is a review after another that is not the first of the same answer".to_owned(),
            ),
            _ => Some(format!("is by examiner {examiner}; there is a first and a second")),
        };
        if let Some(what) = what {
            self.found.wrong(index, what);
        }
        self.reviews.push(Review { leaf: index, answer, examiner });
    }

    fn reported(&mut self, index: u64, leaf: &LeafView<'_>) {
        let answers =
            leaf.follows().filter(|&earlier| self.kind(earlier) == Some(LeafKind::Answered));
        let (mut answers, mut by) = (answers.fuse(), [0_u64; 2]);
        let (Some(answer), None) = (answers.next(), answers.next()) else {
            return self
                .found
                .wrong(index, "is a report that does not follow one answer and two reviews of it");
        };
        for review in leaf.follows().filter_map(|earlier| self.review(earlier)) {
            match usize::try_from(review.examiner) {
                Ok(examiner @ 1..=2) if review.answer == answer => by[examiner - 1] += 1,
                _ => {}
            }
        }
        if by != [1, 1] {
            self.found.wrong(
                index,
                format!(
                    "is a report on leaf {answer} without a first and a \
                second review of that answer"
                ),
            );
        }
    }

    /// Draws the sample again.
    fn sample(&mut self, index: u64, seeded: u64, leaf: &LeafView<'_>) {
        let Some(sample) = self.samples.get(&seeded) else { return };
        if self.any_unknown(sample.first, sample.end) {
            // Any of those leaves may be a search.
            return self.found.note(
                index,
                "not drawn again, since some leaves that the sample is \
                drawn from were not read or understood",
            );
        }
        let drawn = sample.drawn(&self.asked);
        let found = (sample.among(&self.asked).len() as u64, drawn.count() as u64);
        let said = (leaf.count(0), leaf.count(1));
        if said != found {
            let what = format!(
                "says that {} of {} searches were drawn by the seed of leaf {seeded}; drawn again, \
                 it is {} of {}",
                said.1, said.0, found.1, found.0
            );
            self.found.wrong(index, what);
        }
        self.drawn.insert(index, sample.clone());
    }

    /// What was found, judged at the time of the newest leaf.
    pub fn end(mut self) -> Ruled {
        let unjudged = self.unread + self.foreign;
        if unjudged == 0 {
            self.unfinished();
        } else if !self.open.is_empty() || self.purges.any_open() {
            let what = format!(
                "what is still open is not judged, since any of {unjudged} leaves that were not \
                 read or understood may end it"
            );
            self.found.observations.add(Place::Log, what);
        }
        let name = |code: u64| Alarm::of(code).map_or("unknown", Alarm::name);
        for (&code, (raised, cleared)) in &self.alarmed {
            let what = format!("the alarm '{}': raised {raised}, cleared {cleared}", name(code));
            self.found.observations.add(Place::Log, what);
        }
        for (&leaf, &code) in &self.alarms {
            self.found
                .note(leaf, format!("the alarm '{}' was raised and never cleared", name(code)));
        }
        for (first, end) in without(self.missing.take().unwrap_or_default(), &self.expired) {
            let what = "its detail is not there, though all were asked for and no leaf says that \
                it has expired";
            self.found.violations.add(Place::Leaves { first, end }, what);
        }
        let tallies = LeafKind::ALL
            .iter()
            .map(|&kind| (kind.name(), self.tallies[kind as usize]))
            .filter(|&(_, count)| count > 0);
        Ruled {
            violations: self.found.violations,
            observations: self.found.observations,
            tallies: tallies.collect(),
            foreign: self.foreign,
            details: self.details.checked(),
            origins: self.origins,
            expired: self.expired,
        }
    }

    /// What should have had its end by now. A search may be under way while the log is copied, but
    /// no longer than a request lives, and not through a start: a start writes `interrupted` for
    /// whatever it finds open.
    fn unfinished(&mut self) {
        for (&asked, &time) in &self.open {
            if let Some(started) = self.started.filter(|&started| started > asked) {
                let what = format!(
                    "a search was asked for and never ended, though the box started again in leaf \
                     {started}"
                );
                self.found.wrong(asked, what);
            } else if self.newest.since(time) > Span::seconds(REQUEST_SECONDS_MAX) {
                self.found.wrong(
                    asked,
                    "a search was asked for and neither answered nor \
                    interrupted in the time that a request lives",
                );
            }
        }
        self.purges.unfinished(self.newest, &mut self.found);
    }
}

/// What is left of ranges in their order when others are taken out.
fn without(mut ranges: Vec<(u64, u64)>, out: &[(u64, u64)]) -> Vec<(u64, u64)> {
    for &(from, to) in out {
        ranges = ranges
            .into_iter()
            .flat_map(|(first, end)| [(first, end.min(from)), (first.max(to), end)])
            .filter(|(f, e)| f < e)
            .collect();
    }
    ranges
}

const _: () = {
    let mut at = 0;
    while at < LeafKind::ALL.len() {
        assert!((LeafKind::ALL[at] as usize) < KINDS && LeafKind::ALL[at] as u8 != UNKNOWN);
        at += 1;
    }
};

#[cfg(test)]
mod details_tests;
#[cfg(test)]
mod tests;
