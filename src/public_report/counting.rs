//! Figures of the log alone, counted leaf by leaf: what happened in the period, and what stood open
//! when it ended.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::period::Period;
use super::times::{median, month_of, months_of, rfc3339};
use super::totals::{AlarmSpan, MonthFigures, Totals};
use crate::audit::{Alarm, LeafKind, LeafView};
use crate::calendar::Time;
use crate::limits::{RELEASE_TO_PURGE_DAYS_MAX, REPORT_ALARMS_MAX};

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// The counters, and what must be remembered until its end comes.
pub(super) struct LogCounts {
    totals: Totals,
    from: Time,
    to: Time,
    months: BTreeMap<String, usize>,
    /// Searches of the period without an end.
    asked: HashSet<u64>,
    /// Inquiries opened and not closed, reports issued and without an outcome: which ones, the log
    /// doesn't say.
    open_inquiries: u64,
    open_reports: u64,
    /// Notices with their times, and whether a purge followed.
    notices: HashMap<u64, (Time, bool)>,
    /// How long the purges of the period took, in seconds.
    took: Vec<u64>,
    /// Searches of each sample that nobody reviewed yet.
    samples: HashMap<u64, u64>,
    /// Alarms that stood in the period: code, when raised, when cleared.
    alarms: BTreeMap<u64, (u64, Time, Option<Time>)>,
}

impl LogCounts {
    pub(super) fn new(period: &Period) -> Self {
        let [from, to] = period.bounds();
        let mut totals = Totals::default();
        for kind in LeafKind::ALL {
            totals.kinds.insert(kind.name().to_owned(), 0);
            if kind.is_refusal() {
                totals.refusals.insert(kind.name().to_owned(), 0);
            }
        }
        for alarm in Alarm::ALL {
            totals.alarms.kinds.insert(alarm.name().to_owned(), Default::default());
        }
        totals.purges.by_days =
            vec![0; usize::try_from(RELEASE_TO_PURGE_DAYS_MAX + 1).expect("a few days")];
        let months = months_of(period);
        totals.months = months
            .iter()
            .map(|month| MonthFigures { month: month.clone(), ..Default::default() })
            .collect();
        Self {
            totals,
            from,
            to,
            months: months.into_iter().zip(0..).collect(),
            asked: HashSet::new(),
            open_inquiries: 0,
            open_reports: 0,
            notices: HashMap::new(),
            took: Vec::new(),
            samples: HashMap::new(),
            alarms: BTreeMap::new(),
        }
    }

    /// A leaf of a kind to come.
    pub(super) fn take_unknown(&mut self, time: Time) {
        if time >= self.from {
            self.totals.leaves += 1;
            self.totals.unknown += 1;
        }
    }

    /// A leaf that was written before the period ended.
    pub(super) fn take(&mut self, index: u64, leaf: &LeafView<'_>) {
        let within = leaf.time >= self.from;
        self.follow(index, leaf, within);
        if within {
            self.count(leaf);
        }
    }

    /// What stands open is followed from the log's first leaf on.
    fn follow(&mut self, index: u64, leaf: &LeafView<'_>, within: bool) {
        let first = leaf.follows().next();
        let once = u64::from(within);
        let totals = &mut self.totals;
        match leaf.kind {
            LeafKind::Started => totals.gallery.rows_at_last_start = Some(leaf.count(0)),
            LeafKind::InquiryOpened => self.open_inquiries += 1,
            LeafKind::InquiryClosed => self.open_inquiries = self.open_inquiries.saturating_sub(1),
            LeafKind::Asked if within => _ = self.asked.insert(index),
            LeafKind::Answered if first.is_some_and(|asked| self.asked.remove(&asked)) => {
                totals.inquiries.answered += 1
            }
            LeafKind::Interrupted if first.is_some_and(|asked| self.asked.remove(&asked)) => {
                totals.inquiries.interrupted += 1
            }
            LeafKind::ReportIssued => self.open_reports += 1,
            LeafKind::OutcomeRecorded => self.open_reports = self.open_reports.saturating_sub(1),
            // The tag is of an older version of the same booking, which falls in its place.
            LeafKind::BookingIn if leaf.count(0) != 0 => totals.bookings.replaced += once,
            LeafKind::BookingIn => totals.gallery.standing += 1,
            LeafKind::Released => {
                self.notices.insert(index, (leaf.time, false));
                totals.gallery.standing = totals.gallery.standing.saturating_sub(1);
            }
            LeafKind::Purged => match first.and_then(|notice| self.notices.get_mut(&notice)) {
                Some((noticed, done)) => {
                    *done = true;
                    if within {
                        self.took.push(leaf.time.since(*noticed).whole_seconds());
                    }
                }
                None => totals.purges.replaced += once,
            },
            LeafKind::SampleDrawn => _ = self.samples.insert(index, bounded(leaf.count(1))),
            LeafKind::SampleReviewed => {
                if let Some(left) = first.and_then(|sample| self.samples.get_mut(&sample)) {
                    *left = left.saturating_sub(1);
                }
            }
            LeafKind::AlarmRaised => {
                _ = self.alarms.insert(index, (leaf.count(0), leaf.time, None))
            }
            LeafKind::AlarmCleared if !within => {
                _ = first.map(|raised| self.alarms.remove(&raised))
            }
            LeafKind::AlarmCleared => {
                if let Some((_, _, cleared)) = first.and_then(|raised| self.alarms.get_mut(&raised))
                {
                    *cleared = Some(leaf.time);
                }
            }
            _ => {}
        }
    }

    fn count(&mut self, leaf: &LeafView<'_>) {
        let counted = |at: usize| bounded(leaf.count(at));
        let totals = &mut self.totals;
        totals.leaves += 1;
        let name = leaf.kind.name();
        *totals.kinds.entry(name.to_owned()).or_default() += 1;
        let month = self.months.get(&month_of(leaf.time)).and_then(|&at| totals.months.get_mut(at));
        let refused = |kind: LeafKind| match leaf.kind {
            LeafKind::RefusalsGathered if leaf.count(0) == kind as u64 => counted(1),
            own if own == kind => 1,
            _ => 0,
        };
        if let Some(month) = month {
            *month.kinds.entry(name.to_owned()).or_default() += 1;
            month.searches_refused += refused(LeafKind::SearchRefused);
        }
        for kind in LeafKind::ALL.iter().filter(|kind| kind.is_refusal()) {
            *totals.refusals.entry(kind.name().to_owned()).or_default() += refused(*kind);
        }
        let yes = |at: usize| u64::from(leaf.count(at) != 0);
        let no = |at: usize| u64::from(leaf.count(at) == 0);
        match leaf.kind {
            LeafKind::Started => totals.gallery.starts += 1,
            LeafKind::InquiryOpened => totals.inquiries.opened += 1,
            LeafKind::InquiryClosed => {
                totals.inquiries.closed += 1;
                totals.inquiries.withdrawn += yes(1);
            }
            LeafKind::Asked => totals.inquiries.asked += 1,
            LeafKind::Answered => {
                totals.inquiries.candidates += counted(0);
                totals.inquiries.empty_answers += no(0);
            }
            LeafKind::PhotoViewed => totals.inquiries.photo_views += 1,
            LeafKind::Reviewed if leaf.count(0) == 1 => {
                totals.reviews.first += 1;
                totals.reviews.candidates_first += counted(1);
            }
            LeafKind::Reviewed => {
                totals.reviews.second += 1;
                totals.reviews.candidates_second += counted(1);
            }
            LeafKind::ReportIssued => totals.reports.issued += 1,
            LeafKind::OutcomeRecorded => totals.reports.outcomes += 1,
            LeafKind::BookingIn => totals.bookings.came_in += 1,
            LeafKind::BookingsDamaged => totals.bookings.damaged += counted(0),
            LeafKind::BookingsSuppressed => totals.bookings.unusable += counted(0),
            LeafKind::Released => totals.purges.notices += 1,
            LeafKind::Purged => totals.purges.purged += 1,
            LeafKind::SampleDrawn => {
                totals.audits.samples += 1;
                totals.audits.population += counted(0);
                totals.audits.drawn += counted(1);
            }
            LeafKind::SampleReviewed => totals.audits.reviewed += 1,
            LeafKind::DetailsOpened => totals.audits.details_opened += counted(0),
            LeafKind::ProbeOpened => totals.audits.probes_opened += 1,
            LeafKind::Exported => totals.audits.exports += 1,
            LeafKind::AlarmRaised => {
                totals.alarms.kinds.entry(alarm_name(leaf.count(0))).or_default().raised += 1
            }
            LeafKind::AlarmCleared => {
                totals.alarms.kinds.entry(alarm_name(leaf.count(0))).or_default().cleared += 1
            }
            LeafKind::ModelSwitched => totals.gallery.model_switches += 1,
            _ => {}
        }
    }

    /// The totals; `newest` is the time of the newest leaf, which may lie before the period's end.
    pub(super) fn finish(mut self, newest: Time) -> Totals {
        let end = self.to.min(newest);
        let age = |since: Time| end.since(since).whole_seconds();
        let totals = &mut self.totals;
        totals.inquiries.open = self.open_inquiries;
        totals.inquiries.waiting = self.asked.len() as u64;
        totals.inquiries.refused =
            totals.refusals.get(LeafKind::SearchRefused.name()).copied().unwrap_or(0);
        totals.bookings.refused =
            totals.refusals.get(LeafKind::BookingRefused.name()).copied().unwrap_or(0);
        totals.reports.open = self.open_reports;
        self.took.sort_unstable();
        totals.purges.median_seconds = median(&self.took);
        totals.purges.longest_seconds = self.took.last().copied();
        for &seconds in &self.took {
            let day = (seconds / DAY_SECONDS).min(RELEASE_TO_PURGE_DAYS_MAX);
            totals.purges.by_days[usize::try_from(day).expect("a few days")] += 1;
        }
        let over = |seconds: &&u64| **seconds > RELEASE_TO_PURGE_DAYS_MAX * DAY_SECONDS;
        totals.purges.over_limit = self.took.iter().filter(over).count() as u64;
        let open: Vec<u64> = self
            .notices
            .values()
            .filter(|(_, done)| !done)
            .map(|&(noticed, _)| age(noticed))
            .collect();
        totals.purges.open = open.len() as u64;
        totals.purges.open_over_limit = open.iter().filter(over).count() as u64;
        totals.purges.oldest_open_seconds = open.into_iter().max();
        totals.audits.waiting = self.samples.values().sum();
        totals.audits.overdue =
            totals.alarms.kinds.get(Alarm::AuditOverdue.name()).map_or(0, |count| count.raised);
        for (code, _, cleared) in self.alarms.values() {
            totals.alarms.kinds.entry(alarm_name(*code)).or_default().standing +=
                u64::from(cleared.is_none());
        }
        let spans = self.alarms.values().map(|&(code, raised, cleared)| AlarmSpan {
            alarm: alarm_name(code),
            raised: rfc3339(raised),
            cleared: cleared.map(rfc3339),
        });
        totals.alarms.more = (self.alarms.len() as u64).saturating_sub(REPORT_ALARMS_MAX as u64);
        totals.alarms.spans = spans.take(REPORT_ALARMS_MAX).collect();
        self.totals
    }
}

/// A count of a leaf, such that no sum over a log's leaves overflows: nothing that is counted here
/// comes near it.
pub(super) fn bounded(count: u64) -> u64 {
    count.min(1 << 30)
}

fn alarm_name(code: u64) -> String {
    Alarm::of(code).map_or_else(|| format!("alarm_{code}"), |alarm| alarm.name().to_owned())
}
