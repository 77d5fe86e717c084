//! Building a public report: one pass over all leaves of a log, in their order.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::counting::LogCounts;
use super::error::PublicReportError;
use super::opened::DetailCounts;
use super::period::Period;
use super::report::{FORM, LogHead, PublicReport};
use super::times::rfc3339;
use super::witnesses::{CosignedCheckpoints, WitnessCounts};
use crate::audit::{Detail, Edge, Entry, Hash, LeafKind};
use crate::calendar::Time;
use crate::limits::PUBLIC_COUNT_MIN;

/// A public report in the making: takes all leaves of a log in their order, and their opened
/// details where something is counted of them.
pub struct ReportBuilder {
    period: Period,
    edge: Edge,
    newest: Time,
    log_counts: LogCounts,
    detail_counts: DetailCounts,
    witness_counts: Option<WitnessCounts>,
}

impl ReportBuilder {
    /// A report about this period over a log of this many leaves; with the kept checkpoints where a
    /// quorum of witnesses is asked for.
    pub fn new(period: Period, leaves: u64, cosigned: Option<CosignedCheckpoints<'_>>) -> Self {
        let witness_counts = cosigned
            .filter(|cosigned| cosigned.quorum.is_asked())
            .map(|cosigned| WitnessCounts::new(cosigned, leaves));
        Self {
            period,
            edge: Edge::default(),
            newest: Time::EPOCH,
            log_counts: LogCounts::new(&period),
            detail_counts: DetailCounts::default(),
            witness_counts,
        }
    }

    /// Number of leaves taken.
    pub fn leaves(&self) -> u64 {
        self.edge.leaves()
    }

    /// The root over the leaves taken.
    pub fn root(&self) -> Hash {
        self.edge.root()
    }

    /// Takes the next leaf; asks for its detail, by the leaf's index, where something is counted of
    /// it.
    ///
    /// Errors: bytes that are no leaf; whatever `detail` gives.
    pub fn take<E: From<PublicReportError>>(
        &mut self,
        leaf: &[u8],
        detail: impl FnOnce(u64) -> Result<Option<Detail>, E>,
    ) -> Result<(), E> {
        let index = self.edge.append(leaf);
        let entry =
            Entry::read(leaf).map_err(|source| PublicReportError::Leaf { leaf: index, source })?;
        let time = entry.time();
        self.newest = self.newest.max(time);
        let [from, to] = self.period.bounds();
        let within = (from..to).contains(&time);
        if let Some(counts) = &mut self.witness_counts {
            counts.take(time, within, &self.edge);
        }
        // What came after the period changes nothing that is said of it.
        if time >= to {
            return Ok(());
        }
        let Entry::Known(leaf) = entry else {
            self.log_counts.take_unknown(time);
            return Ok(());
        };
        self.log_counts.take(index, &leaf);
        if DetailCounts::wants(leaf.kind, within) {
            self.detail_counts.take(index, &leaf, detail(index)?);
        }
        if leaf.kind == LeafKind::Interrupted {
            self.detail_counts.end(&leaf, "interrupted");
        }
        Ok(())
    }

    /// The report over the leaves taken.
    pub fn finish(self, origin: &str) -> PublicReport {
        let (leaves, newest) = (self.edge.leaves(), self.newest);
        PublicReport {
            form: FORM,
            period: self.period,
            log: LogHead {
                origin: origin.to_owned(),
                leaves,
                root: STANDARD.encode(self.edge.root()),
                newest: (leaves > 0).then(|| rfc3339(newest)),
            },
            count_min: PUBLIC_COUNT_MIN,
            totals: self.log_counts.finish(newest),
            witnesses: self.witness_counts.map(|counts| counts.finish(newest)),
            opened: self.detail_counts.finish(),
            measured: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use time::macros::date;

    use super::*;
    use crate::audit::{Alarm, Leaf, Refusal, SampleFinding};
    use crate::calendar::Span;
    use crate::inquiry::Upshot;
    use crate::public_report::sample::{SampleLog, actor, request, year, year_2026};
    use crate::public_report::{Attendance, Cell, DetailCoverage, Suppressed};
    use crate::rule::Rule;

    fn january() -> Period {
        Period::new(date!(2026 - 01 - 01), date!(2026 - 02 - 01)).unwrap()
    }

    fn january_of(log: &SampleLog) -> PublicReport {
        log.report(january(), |_| true)
    }

    #[test]
    fn leaves_of_every_kind_are_counted_by_name_and_month_and_those_to_come_as_unknown() {
        let mut log = SampleLog::from(date!(2026 - 01 - 31));
        for &kind in LeafKind::ALL {
            let follows: Vec<u64> = (0..kind.follows().most as u64).collect();
            log.add_bare(kind, &follows, &vec![u64::MAX; kind.counts().len()], None);
        }
        let mut foreign = Leaf {
            kind: LeafKind::Asked,
            time: log.now,
            follows: Vec::new(),
            counts: Vec::new(),
            commitment: [0; 32],
        }
        .to_bytes();
        foreign[0] = 9;
        log.add_bytes(foreign);
        log.now += Span::days(1);
        log.add_bare(LeafKind::Asked, &[], &[], None);
        let report = january_of(&log);
        assert!(report.totals.kinds.values().all(|&count| count == 1), "{:?}", report.totals.kinds);
        assert_eq!(
            (report.totals.leaves, report.totals.unknown),
            (LeafKind::ALL.len() as u64 + 1, 1)
        );
        assert_eq!(
            (report.totals.months.len(), report.totals.months[0].month.as_str()),
            (1, "2026-01")
        );
        assert_eq!(report.totals.months[0].kinds.len(), LeafKind::ALL.len());
        assert_eq!(
            report.log.leaves,
            LeafKind::ALL.len() as u64 + 2,
            "later leaves count for the tree"
        );
        let both = log
            .report(Period::new(date!(2026 - 01 - 01), date!(2026 - 03 - 01)).unwrap(), |_| true);
        assert_eq!((both.totals.kinds["asked"], both.totals.months[1].kinds["asked"]), (2, 1));
    }

    #[test]
    fn a_search_counts_in_the_period_in_which_it_was_asked_for_and_ends_or_waits() {
        let mut log = SampleLog::from(date!(2025 - 12 - 31));
        let before = log.asked("crime", "slmpd");
        log.now += Span::days(1);
        log.answered(before, 4);
        let (answered, interrupted, late) =
            (log.asked("crime", "slmpd"), log.asked("crime", "slmpd"), log.asked("crime", "stlco"));
        log.answered(answered, 0);
        log.add(&[interrupted], &[], Detail::Interrupted { search: None });
        log.refused(Rule::ReasonHollow, "crime", "slmpd");
        log.now += Span::days(31);
        log.answered(late, 7);
        let totals = january_of(&log).totals.inquiries;
        assert_eq!(
            (totals.asked, totals.answered, totals.interrupted, totals.waiting, totals.refused),
            (3, 1, 1, 1, 1)
        );
        assert_eq!(
            (totals.candidates, totals.empty_answers),
            (4, 1),
            "answers count when they are given"
        );
    }

    #[test]
    fn purges_are_timed_from_their_notice_and_notices_without_one_stay_open() {
        let mut log = SampleLog::from(date!(2025 - 12 - 25));
        let bookings: Vec<u64> = (0..5).map(|_| log.booking("slmpd", None)).collect();
        let replaced = log.booking("slmpd", Some(bookings[4]));
        let notices: Vec<u64> =
            bookings[..3].iter().map(|&booking| log.released("slmpd", booking)).collect();
        log.now += Span::days(9) + Span::hours(1);
        log.purged("slmpd", Some(notices[0]), bookings[0]);
        log.now += Span::days(2);
        log.purged("slmpd", Some(notices[1]), bookings[1]);
        log.purged("slmpd", None, bookings[4]);
        let again = log.booking("slmpd", None);
        log.booking("slmpd", Some(again));
        log.released("slmpd", replaced);
        log.now += Span::hours(1);
        log.add(&[], &[], Detail::Stopped { software: String::new() });
        let report = january_of(&log);
        let purges = &report.totals.purges;
        assert_eq!((purges.notices, purges.purged, purges.replaced), (1, 3, 1));
        assert_eq!(
            (purges.median_seconds, purges.longest_seconds),
            (Some(9 * 86_400 + 3_600), Some(11 * 86_400 + 3_600))
        );
        assert_eq!(purges.by_days, [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!((purges.over_limit, purges.open, purges.open_over_limit), (1, 2, 1));
        assert_eq!(purges.oldest_open_seconds, Some(11 * 86_400 + 7_200));
        let bookings = &report.totals.bookings;
        assert_eq!(
            (bookings.came_in, bookings.replaced),
            (2, 1),
            "what came in before is of another period"
        );
        assert_eq!(report.totals.gallery.standing, 2);
    }

    #[test]
    fn reviews_reports_and_audits_come_out_as_counted_by_hand() {
        let mut log = SampleLog::from(date!(2026 - 01 - 05));
        let asked = log.asked("crime", "slmpd");
        let answered = log.answered(asked, 9);
        let bare = |log: &mut SampleLog, kind, follows: &[u64], counts: &[u64]| {
            log.add_bare(kind, follows, counts, None)
        };
        let first = log.reviewed(&[answered], [1, 9, 3, 0]);
        let second = log.reviewed(&[answered, first], [2, 9, 2, 1]);
        log.issued(&[answered, first, second], 2);
        log.issued(&[answered, first, second], 0);
        log.now += Span::days(1);
        log.outcome(Upshot::NoArrest);
        let seed = bare(&mut log, LeafKind::SampleSeeded, &[], &[1, 2, 3, 4]);
        let sample = bare(&mut log, LeafKind::SampleDrawn, &[seed], &[40, 3]);
        let (finding, note) = (SampleFinding::Misuse, String::new());
        log.add(
            &[sample],
            &[],
            Detail::SampleReviewed { actor: actor(), asked, finding, note, routed_to: None },
        );
        bare(&mut log, LeafKind::SampleReviewed, &[sample], &[]);
        bare(&mut log, LeafKind::DetailsOpened, &[], &[7]);
        let report = january_of(&log);
        let totals = &report.totals;
        let reviews = &totals.reviews;
        assert_eq!((reviews.first, reviews.second, reviews.candidates_second), (1, 1, 9));
        let reports = &totals.reports;
        assert_eq!((reports.issued, reports.outcomes, reports.open), (2, 1, 1));
        let results = &report.opened.results;
        assert_eq!(results.details, DetailCoverage { leaves: 4, opened: 4 });
        assert_eq!((results.compared.total, results.judged.total), (9, 9));
        assert_eq!((results.reports.total, results.outcomes.total), (2, 1));
        let few = [&results.compared, &results.judged, &results.reports, &results.outcomes];
        let shown = few.iter().flat_map(|few| few.parts.values());
        assert!(
            shown.into_iter().all(|cell| !matches!(cell, Cell::Exact(1..5))),
            "one of them would single somebody out"
        );
        assert_eq!(
            (
                totals.audits.population,
                totals.audits.drawn,
                totals.audits.waiting,
                totals.audits.reviewed
            ),
            (40, 3, 1, 2)
        );
        assert_eq!(totals.audits.details_opened, 7);
        let audits = &report.opened.audits;
        assert_eq!(
            (audits.details, audits.kinds["sample_reviewed"].total),
            (DetailCoverage { leaves: 2, opened: 1 }, 2)
        );
    }

    #[test]
    fn alarms_that_stood_in_the_period_are_listed_whenever_they_were_raised() {
        let mut log = SampleLog::from(date!(2025 - 12 - 30));
        let raise = |log: &mut SampleLog, alarm: Alarm| {
            log.add(&[], &[alarm as u64], Detail::AlarmRaised { alarm, what: String::new() })
        };
        let clear = |log: &mut SampleLog, raised, alarm: Alarm| {
            log.add(&[raised], &[alarm as u64], Detail::AlarmCleared { alarm, what: String::new() })
        };
        let gone = raise(&mut log, Alarm::DiskLow);
        clear(&mut log, gone, Alarm::DiskLow);
        let old = raise(&mut log, Alarm::ClockBehind);
        log.now += Span::days(3);
        clear(&mut log, old, Alarm::ClockBehind);
        raise(&mut log, Alarm::Unwitnessed);
        let alarms = january_of(&log).totals.alarms;
        let spans: Vec<_> = alarms
            .spans
            .iter()
            .map(|span| (span.alarm.as_str(), span.raised.as_str(), span.cleared.as_deref()))
            .collect();
        let expected = [
            ("clock_behind", "2025-12-30T00:00:00Z", Some("2026-01-02T00:00:00Z")),
            ("unwitnessed", "2026-01-02T00:00:00Z", None),
        ];
        assert_eq!(spans, expected);
        let count = |name: &str| {
            (alarms.kinds[name].raised, alarms.kinds[name].cleared, alarms.kinds[name].standing)
        };
        assert_eq!(
            (count("unwitnessed"), count("clock_behind"), count("disk_low")),
            ((1, 0, 1), (0, 1, 0), (0, 0, 0))
        );
    }

    #[test]
    fn refusals_are_counted_by_rule_and_an_agency_only_typed_is_not_published() {
        let mut log = SampleLog::from(date!(2026 - 01 - 05));
        for _ in 0..6 {
            log.refused(Rule::NoFace, "crime", "slmpd");
        }
        for _ in 0..5 {
            log.refused(Rule::AgencyNotListed, "crime", "john-doe");
        }
        let kept = vec![
            Refusal {
                time_cs: Time::EPOCH,
                rule: Rule::NoFace,
                reason: "no face found".to_owned(),
                request: Some(request("crime", "slmpd"))
            };
            2
        ];
        let gathered =
            Detail::RefusalsGathered { actor: actor(), hour_cs: Time::EPOCH, refusals: 9, kept };
        log.add(&[0], &[LeafKind::SearchRefused as u64, 9], gathered);
        let report = january_of(&log);
        let shown = &report.opened.refusals.kinds["search_refused"];
        let exact = |name: &str| shown.parts[name];
        assert_eq!(
            (
                shown.total,
                report.totals.refusals["search_refused"],
                report.totals.months[0].searches_refused
            ),
            (20, 20, 20)
        );
        assert_eq!(
            (exact("no-face"), exact("agency-not-listed"), exact("reason_not_kept")),
            (Cell::Exact(8), Cell::Exact(5), Cell::Exact(7))
        );
        let agencies: Vec<&str> =
            report.opened.inquiries.agencies.cells.keys().map(String::as_str).collect();
        assert_eq!(agencies, ["not_listed", "not_stated", "slmpd"]);
        assert!(!String::from_utf8(report.to_json()).unwrap().contains("john"));
    }

    #[test]
    fn details_that_are_not_open_change_no_total_and_are_counted_as_such() {
        let log = year();
        let (all, none) = (log.report(year_2026(), |_| true), log.report(year_2026(), |_| false));
        assert_eq!(all.totals, none.totals);
        let findings =
            |report: &PublicReport| report.opened.audits.kinds["sample_reviewed"].clone();
        assert_eq!(findings(&all).parts.keys().collect::<Vec<_>>(), ["in_order", "irregular"]);
        assert_eq!(
            findings(&none).parts,
            BTreeMap::from([("not_opened".to_owned(), Cell::Exact(all.totals.audits.reviewed))])
        );
        let inquiries = none.opened.inquiries.details;
        assert_eq!((inquiries.opened, inquiries.leaves), (0, all.opened.inquiries.details.opened));
        assert_eq!(
            none.opened.site,
            crate::public_report::RunningSystem {
                details: DetailCoverage { opened: 0, ..all.opened.site.details },
                ..Default::default()
            }
        );
        let Cell::Exact(asked) = none.opened.inquiries.purposes.row_totals["not_opened"] else {
            panic!("it is a large count")
        };
        assert_eq!(asked, all.totals.inquiries.asked + all.totals.inquiries.refused);
        assert!(
            all.opened
                .inquiries
                .purposes_by_agency
                .cells
                .values()
                .flat_map(BTreeMap::values)
                .any(|cell| *cell == Cell::Suppressed(Suppressed::Primary))
        );
    }

    #[test]
    fn leaves_are_witnessed_by_the_first_quorum_over_any_tree_that_has_them() {
        let mut log = SampleLog::from(date!(2026 - 01 - 05));
        log.booking("slmpd", None);
        log.checkpoint(&[(1, 10), (2, 20)]);
        log.now += Span::hours(1);
        log.booking("slmpd", None);
        log.checkpoint(&[(0, 90), (1, 30)]);
        log.now += Span::hours(2);
        log.booking("slmpd", None);
        log.checkpoint(&[(0, 5)]);
        log.now += Span::hours(2);
        log.booking("slmpd", None);
        let report = log.witnessed_report(january());
        let witnesses = report.witnesses.unwrap();
        assert_eq!(
            (witnesses.witnessed, witnesses.late, witnesses.open, witnesses.overdue),
            (2, 1, 2, 1),
            "one waited for the next quorum"
        );
        assert_eq!(
            (witnesses.checkpoints, witnesses.witnessed_checkpoints, witnesses.contradicting),
            (3, 1, 0)
        );
        assert_eq!((witnesses.median_seconds, witnesses.longest_seconds), (Some(90), Some(3_690)));
        assert_eq!(witnesses.by_spans, [0, 1, 0, 0, 1, 0, 0]);
        assert_eq!(
            witnesses.attendance["circuit-court"],
            Attendance { independent: true, cosigned: 2, missed: 1 }
        );
        assert_eq!(log.report(january(), |_| true).witnesses, None);
        let before = log
            .witnessed_report_until(january(), log.now.seconds() - 4 * 3_600 + 60)
            .witnesses
            .unwrap();
        assert_eq!(
            (before.witnessed, before.open),
            (0, 4),
            "the court cosigned half a minute later"
        );
    }

    #[test]
    fn a_checkpoint_that_the_log_contradicts_is_told() {
        let mut other = SampleLog::from(date!(2026 - 01 - 05));
        other.booking("stlco", None);
        other.now += Span::from_cs(1);
        other.checkpoint(&[(0, 1), (1, 1)]);
        let mut log = SampleLog::from(date!(2026 - 01 - 06));
        log.booking("slmpd", None);
        log.take_checkpoints(&other);
        assert_eq!(log.witnessed_report(january()).witnesses.unwrap().contradicting, 1);
    }

    #[test]
    fn any_bytes_that_are_no_leaf_are_refused_by_their_index() {
        let mut builder = ReportBuilder::new(january(), 1, None);
        let taken = builder.take::<PublicReportError>(b"too short", |_| Ok(None));
        assert!(matches!(taken, Err(PublicReportError::Leaf { leaf: 0, .. })));
    }

    #[test]
    fn a_years_totals_hold_together_and_its_report_survives_its_json() {
        let log = year();
        let report = log.report(year_2026(), |_| true);
        let totals = &report.totals;
        assert_eq!(totals.leaves, totals.kinds.values().sum::<u64>() + totals.unknown);
        assert_eq!(
            totals.leaves,
            totals.months.iter().flat_map(|month| month.kinds.values()).sum::<u64>()
        );
        assert_eq!(
            totals.inquiries.asked,
            totals.inquiries.answered + totals.inquiries.interrupted + totals.inquiries.waiting
        );
        assert_eq!(
            totals.purges.by_days.iter().sum::<u64>(),
            totals.purges.purged - totals.purges.replaced
        );
        let outcomes = &report.opened.inquiries.purposes.column_totals;
        for (name, count) in [
            ("answered", totals.inquiries.answered),
            ("interrupted", totals.inquiries.interrupted),
            ("refused", totals.inquiries.refused),
        ] {
            assert_eq!(
                outcomes[name],
                Cell::Exact(count),
                "{name}: the tables' columns are the log's own totals"
            );
        }
        let read: PublicReport = serde_json::from_slice(&report.to_json()).unwrap();
        assert_eq!((read.to_bytes(), &read), (report.to_bytes(), &report));
        let small = |table: &crate::public_report::Table| {
            table
                .cells
                .values()
                .flat_map(BTreeMap::values)
                .all(|cell| !matches!(cell, Cell::Exact(1..5)))
        };
        let tables = &report.opened.inquiries;
        assert!(
            small(&tables.purposes) && small(&tables.agencies) && small(&tables.purposes_by_agency)
        );
    }
}
