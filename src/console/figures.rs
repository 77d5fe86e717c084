//! Figures: counts of the box, and the way to the public report.

use maud::{Markup, html};

use super::components::{FigureTile, empty, panel, tiles, when};
use super::layout::{DeskContext, Page};
use super::navigation::NavigationItem;
use crate::public_report::Period;
use crate::wording::number;

/// A number with its name.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What is counted.
    pub name: String,
    pub value: u64,
    /// Since when, or of what.
    pub what: String,
}

/// Counts of the box, and the way to the public report.
#[derive(Clone, Debug)]
pub struct FiguresPage<'a> {
    pub desk: &'a DeskContext,
    pub figures: &'a [Figure],
    /// Periods whose public report can be made.
    pub periods: &'a [Period],
}

impl Figure {
    fn tile(&self) -> FigureTile<'_> {
        FigureTile::new(&self.name, number(self.value)).detail(&self.what)
    }
}

/// Figures, and the public report: `/console/figures`.
pub fn figures(page: &FiguresPage<'_>) -> Markup {
    let counted: Vec<FigureTile<'_>> = page.figures.iter().map(Figure::tile).collect();
    let main = html! {
        (tiles(&counted))
        (panel("The public report", public_report(page.periods)))
        p.quiet.small { "As of " (when(page.desk.now)) "." }
    };
    Page::at(NavigationItem::Figures, "Figures").of(page.desk, main)
}

fn public_report(periods: &[Period]) -> Markup {
    html! {
        p {
            "Its figures are counted from the log. Anybody who has a copy of the log can count \
             them again. Making a report writes its digest into the log."
        }
        @if periods.is_empty() { (empty("No report can be made yet.")) }
        ul.plain { @for period in periods { li { (report_link(*period)) } } }
        p.hint {
            "As a page for the public: "
            code { "smrtctl report public --from DAY --to DAY --out NAME" }
            " writes it beside the same figures."
        }
    }
}

fn report_link(period: Period) -> Markup {
    let (from, to) = (period.from(), period.to());
    html! {
        a href={ "/v1/report/public?from=" (from) "&to=" (to) }
            download={ "smrt-public-report-" (from) ".json" } {
            "From " (from) " to before " (to)
        }
    }
}
