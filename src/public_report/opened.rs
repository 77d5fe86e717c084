//! Figures that need opened details: counts by purpose, agency and rule, never by person, device or
//! booking.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cell::{Breakdown, Counts, Table};
use super::counting::bounded;
use super::rules::{GATHERED, NOT_OPENED, NOT_STATED, agency_of};
use super::tables::{REFUSED, Searches, tables};
use super::totals::DetailCoverage;
use crate::audit::{Detail, LeafKind, LeafView, Refusal};
use crate::inquiry::{PurposeKind, Request};
use crate::rule::Rule;

/// The names of purposes in the order of the policy (SO-B1, SO-B2).
pub(super) const PURPOSES: [&str; PurposeKind::ALL.len()] = {
    let mut names = [""; PurposeKind::ALL.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = PurposeKind::ALL[at].name();
        at += 1;
    }
    names
};
/// Outcomes of a search, in the order of the tables.
pub(super) const OUTCOMES: [&str; 4] = ["answered", "interrupted", "waiting", REFUSED];
/// Kinds of leaves that are counted by agency.
pub(super) const BY_AGENCY: [LeafKind; 2] = [LeafKind::BookingIn, LeafKind::Released];

/// Figures that need opened details.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenedFigures {
    /// What ran when the period ended.
    pub site: RunningSystem,
    /// Searches by purpose, agency and outcome.
    pub inquiries: InquiryTables,
    /// Refusals by rule.
    pub refusals: OpenedBreakdowns,
    /// Bookings and notices by agency.
    pub agencies: OpenedBreakdowns,
    /// What examiners found, what reports held, and what came of them.
    pub results: Results,
    /// Reviews of an audit's samples by what they found.
    pub audits: OpenedBreakdowns,
}

/// What searches came to. Units: candidates of second reviews; reports; outcomes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// The details that say it.
    pub details: DetailCoverage,
    /// Candidates by whether the two examiners agreed that they are a lead.
    pub compared: Breakdown,
    /// Candidates by what the second examiner made of them.
    pub judged: Breakdown,
    /// Reports by whether they hold any lead.
    pub reports: Breakdown,
    /// Outcomes by what became of the report.
    pub outcomes: Breakdown,
}

/// The system as it ran when the period ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RunningSystem {
    /// The details that say it.
    pub details: DetailCoverage,
    /// What the state folder was made for: `real`, `demo` or `test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
    /// The digest of the models that answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Rows that the last answer of the period could have found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gallery_rows: Option<u64>,
}

/// Searches by purpose, agency and outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InquiryTables {
    /// The details that say it.
    pub details: DetailCoverage,
    /// Purposes by outcome.
    pub purposes: Table,
    /// Requesting agencies by outcome.
    pub agencies: Table,
    /// Purposes by requesting agency.
    pub purposes_by_agency: Table,
}

/// Leaves of some kinds, each kind by one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenedBreakdowns {
    /// The details that say it.
    pub details: DetailCoverage,
    /// By kind of leaf.
    pub kinds: BTreeMap<String, Breakdown>,
}

/// The counters of what opened details say.
#[derive(Default)]
pub(super) struct DetailCounts {
    site: RunningSystem,
    inquiries: DetailCoverage,
    /// Purpose and agency of the period's searches that have no end yet.
    asked: HashMap<u64, (String, String)>,
    /// By purpose, agency and outcome.
    searches: Searches,
    refusals: KindCounts,
    agencies: KindCounts,
    results: ResultCounts,
    audits: KindCounts,
}

/// The counters of what searches came to.
#[derive(Default)]
struct ResultCounts {
    details: DetailCoverage,
    compared: Counts,
    judged: Counts,
    reports: Counts,
    outcomes: Counts,
}

#[derive(Default)]
struct KindCounts {
    details: DetailCoverage,
    kinds: BTreeMap<String, Counts>,
}

impl DetailCounts {
    /// Whether a leaf's detail says anything that is counted.
    pub(super) fn wants(kind: LeafKind, within: bool) -> bool {
        let counted = matches!(
            kind,
            LeafKind::Asked
                | LeafKind::Answered
                | LeafKind::RefusalsGathered
                | LeafKind::SampleReviewed
                | LeafKind::Reviewed
                | LeafKind::ReportIssued
                | LeafKind::OutcomeRecorded
        );
        matches!(kind, LeafKind::Started | LeafKind::ModelSwitched)
            || within && (counted || kind.is_refusal() || BY_AGENCY.contains(&kind))
    }

    /// A leaf whose detail is wanted, with its detail where it is open.
    pub(super) fn take(&mut self, index: u64, leaf: &LeafView<'_>, detail: Option<Detail>) {
        // A detail of another kind says nothing of this leaf.
        let detail = detail.filter(|detail| detail.kind() == leaf.kind);
        let one = DetailCoverage { leaves: 1, opened: u64::from(detail.is_some()) };
        match leaf.kind {
            LeafKind::Started | LeafKind::ModelSwitched | LeafKind::Answered => {
                self.site.details.add(one)
            }
            LeafKind::Asked => self.inquiries.add(one),
            LeafKind::SearchRefused => {
                self.inquiries.add(one);
                self.refusals.details.add(one);
            }
            LeafKind::RefusalsGathered => {
                self.refusals.details.add(one);
                if leaf.count(0) == LeafKind::SearchRefused as u64 {
                    self.inquiries.add(one);
                }
            }
            LeafKind::SampleReviewed => self.audits.details.add(one),
            LeafKind::Reviewed | LeafKind::ReportIssued | LeafKind::OutcomeRecorded => {
                return self.results.take(leaf, detail.as_ref());
            }
            kind if kind.is_refusal() => self.refusals.details.add(one),
            _ => self.agencies.details.add(one),
        }
        if leaf.kind == LeafKind::Answered {
            self.end(leaf, "answered");
        }
        match (leaf.kind, detail) {
            (LeafKind::RefusalsGathered, detail) => self.gathered(leaf, detail),
            (_, Some(detail)) => self.count(index, leaf.kind, detail),
            (LeafKind::Asked, None) => {
                _ = self.asked.insert(index, (NOT_OPENED.to_owned(), NOT_OPENED.to_owned()))
            }
            (kind, None) if kind.is_refusal() => {
                self.refusals.count(kind, NOT_OPENED, 1);
                if kind == LeafKind::SearchRefused {
                    self.refused_search(NOT_OPENED.to_owned(), NOT_OPENED.to_owned(), 1);
                }
            }
            (LeafKind::SampleReviewed, None) => self.audits.count(leaf.kind, NOT_OPENED, 1),
            (kind, None) if BY_AGENCY.contains(&kind) => self.agencies.count(kind, NOT_OPENED, 1),
            _ => {}
        }
    }

    /// A search of the period ended in one way or another.
    pub(super) fn end(&mut self, leaf: &LeafView<'_>, outcome: &'static str) {
        if let Some((purpose, agency)) =
            leaf.follows().next().and_then(|asked| self.asked.remove(&asked))
        {
            *self.searches.entry((purpose, agency, outcome)).or_default() += 1;
        }
    }

    fn count(&mut self, index: u64, kind: LeafKind, detail: Detail) {
        match detail {
            Detail::Started { software, state, model, .. } => {
                (self.site.software, self.site.state, self.site.model) =
                    (Some(software), Some(state), Some(model));
            }
            Detail::ModelSwitched { to, .. } => self.site.model = Some(to),
            Detail::Answered { gallery_rows, .. } => self.site.gallery_rows = Some(gallery_rows),
            Detail::Asked { request, .. } => {
                self.asked.insert(
                    index,
                    (purpose(&request).to_owned(), request.requester.agency.to_string()),
                );
            }
            Detail::SearchRefused { request, rule, .. } => {
                self.refusal(kind, rule, request.as_ref())
            }
            Detail::BookingRefused { rule, .. }
            | Detail::CallerRefused { rule, .. }
            | Detail::LogOnRefused { rule, .. } => self.refusal(kind, rule, None),
            Detail::BookingIn { agency, .. } | Detail::Released { agency, .. } => {
                self.agencies.count(kind, agency.as_str(), 1)
            }
            Detail::SampleReviewed { finding, .. } => self.audits.count(kind, finding.name(), 1),
            _ => {}
        }
    }

    fn refusal(&mut self, kind: LeafKind, rule: Rule, request: Option<&Request>) {
        let rule = rule.code();
        self.refusals.count(kind, rule, 1);
        if kind == LeafKind::SearchRefused {
            let purpose = request.map_or(NOT_STATED, purpose);
            let named = request.map_or("not_named", |request| request.requester.agency.as_str());
            self.refused_search(purpose.to_owned(), agency_of(rule).unwrap_or(named).to_owned(), 1);
        }
    }

    fn gathered(&mut self, leaf: &LeafView<'_>, detail: Option<Detail>) {
        let kind =
            LeafKind::ALL.iter().find(|&&kind| kind.is_refusal() && kind as u64 == leaf.count(0));
        let Some(&kind) = kind else { return };
        let refusals = bounded(leaf.count(1));
        let (kept, rest) = match detail {
            Some(Detail::RefusalsGathered { kept, .. }) => (kept, [GATHERED, NOT_STATED]),
            _ => (Vec::new(), [NOT_OPENED; 2]),
        };
        let mut left = refusals;
        for Refusal { rule, request, .. } in kept {
            if left > 0 {
                left -= 1;
                self.refusal(kind, rule, request.as_ref());
            }
        }
        if left > 0 {
            let [rule, stated] = rest;
            self.refusals.count(kind, rule, left);
            if kind == LeafKind::SearchRefused {
                self.refused_search(stated.to_owned(), stated.to_owned(), left);
            }
        }
    }

    fn refused_search(&mut self, purpose: String, agency: String, searches: u64) {
        *self.searches.entry((purpose, agency, REFUSED)).or_default() += searches;
    }

    pub(super) fn finish(mut self) -> OpenedFigures {
        for (purpose, agency) in self.asked.into_values() {
            *self.searches.entry((purpose, agency, "waiting")).or_default() += 1;
        }
        let refused =
            self.refusals.kinds.remove(LeafKind::SearchRefused.name()).unwrap_or_default();
        let ([purposes, agencies, purposes_by_agency], by_rule) =
            tables(&self.searches, &refused, &PURPOSES, &OUTCOMES);
        let refusals = LeafKind::ALL.iter().copied().filter(|kind| kind.is_refusal());
        let mut refusals = self.refusals.finish(refusals);
        refusals.kinds.insert(LeafKind::SearchRefused.name().to_owned(), by_rule);
        OpenedFigures {
            site: self.site,
            inquiries: InquiryTables {
                details: self.inquiries,
                purposes,
                agencies,
                purposes_by_agency,
            },
            refusals,
            agencies: self.agencies.finish(BY_AGENCY),
            results: self.results.finish(),
            audits: self.audits.finish([LeafKind::SampleReviewed]),
        }
    }
}

impl ResultCounts {
    /// A leaf of a second review, a report or an outcome, with its detail where it is open.
    fn take(&mut self, leaf: &LeafView<'_>, detail: Option<&Detail>) {
        if leaf.kind == LeafKind::Reviewed && leaf.count(0) != 2 {
            return;
        }
        self.details.add(DetailCoverage { leaves: 1, opened: u64::from(detail.is_some()) });
        let candidates = bounded(leaf.count(1));
        let mut add = |to: fn(&mut Self) -> &mut Counts, name: &str, count: u64| {
            if count > 0 {
                *to(self).entry(name.to_owned()).or_default() += count;
            }
        };
        match (leaf.kind, detail) {
            (LeafKind::Reviewed, Some(Detail::Reviewed { findings, disagreements, .. })) => {
                let differ = (*disagreements).min(candidates);
                add(|to| &mut to.compared, "agreed", candidates - differ);
                add(|to| &mut to.compared, "disagreed", differ);
                for finding in findings {
                    add(|to| &mut to.judged, finding.disposition.name(), 1);
                }
                let released = candidates.saturating_sub(findings.len() as u64);
                add(|to| &mut to.judged, "released_meanwhile", released);
            }
            (LeafKind::Reviewed, _) => {
                add(|to| &mut to.compared, NOT_OPENED, candidates);
                add(|to| &mut to.judged, NOT_OPENED, candidates);
            }
            (LeafKind::ReportIssued, Some(Detail::ReportIssued { leads, .. })) => {
                let name = if leads.is_empty() { "without_lead" } else { "with_leads" };
                add(|to| &mut to.reports, name, 1);
            }
            (LeafKind::ReportIssued, _) => add(|to| &mut to.reports, NOT_OPENED, 1),
            (_, Some(Detail::OutcomeRecorded { outcome, .. })) => {
                add(|to| &mut to.outcomes, outcome.upshot.name(), 1)
            }
            _ => add(|to| &mut to.outcomes, NOT_OPENED, 1),
        }
    }

    fn finish(self) -> Results {
        Results {
            details: self.details,
            compared: Breakdown::of(&self.compared),
            judged: Breakdown::of(&self.judged),
            reports: Breakdown::of(&self.reports),
            outcomes: Breakdown::of(&self.outcomes),
        }
    }
}

impl KindCounts {
    fn count(&mut self, kind: LeafKind, name: &str, count: u64) {
        *self
            .kinds
            .entry(kind.name().to_owned())
            .or_default()
            .entry(name.to_owned())
            .or_default() += count;
    }

    fn finish(mut self, kinds: impl IntoIterator<Item = LeafKind>) -> OpenedBreakdowns {
        for kind in kinds {
            self.kinds.entry(kind.name().to_owned()).or_default();
        }
        OpenedBreakdowns {
            details: self.details,
            kinds: self
                .kinds
                .into_iter()
                .map(|(kind, counts)| (kind, Breakdown::of(&counts)))
                .collect(),
        }
    }
}

impl DetailCoverage {
    fn add(&mut self, other: Self) {
        self.leaves += other.leaves;
        self.opened += other.opened;
    }
}

fn purpose(request: &Request) -> &'static str {
    request.purpose.kind().name()
}
