//! Operators: how regular each one's searches are, so that auditors see what looks automated.

use maud::{Markup, html};

use super::components::{TableColumn, TableName, Tone, empty_panel, table};
use super::layout::{DeskContext, Page};
use super::navigation::NavigationItem;
use crate::booking::Identifier;
use crate::limits::{RHYTHM_DAYS, RHYTHM_GAPS_MIN, RHYTHM_REGULAR_BELOW};
use crate::roster::Rhythm;
use crate::wording::{count, number};

const COLUMNS: [TableColumn<'_>; 7] = [
    TableColumn::Words("Operator"),
    TableColumn::Numbers("Searches"),
    TableColumn::Numbers("Days"),
    TableColumn::Numbers("Gaps"),
    TableColumn::Numbers("Mean gap, s"),
    TableColumn::Numbers("Variation"),
    TableColumn::Words("Meaning"),
];

/// How regular each operator's searches are.
#[derive(Clone, Debug)]
pub struct OperatorsPage<'a> {
    pub desk: &'a DeskContext,
    /// The operators who searched.
    pub rhythms: &'a [(Identifier, Rhythm)],
}

/// Operators: `/console/operators`.
pub fn operators(page: &OperatorsPage<'_>) -> Markup {
    let regular = page.rhythms.iter().filter(|(_, rhythm)| rhythm.is_regular()).count();
    let rows = html! { @for (operator, rhythm) in page.rhythms { (row(operator, rhythm)) } };
    let main = html! {
        (explained())
        @if page.rhythms.is_empty() { (empty_panel("Nobody searched in these days.")) } @else {
            section.panel { (table(TableName::Words("Rhythm, by operator"), &COLUMNS, rows)) }
        }
        p.quiet.small {
            "To count this, details of searches were opened. The log records that you did so."
        }
    };
    let how_many = count(regular as u64, "operator searches", "operators search");
    Page::at(NavigationItem::Operators, "Operators")
        .beside(html! { p.quiet { (how_many) " regularly" } })
        .of(page.desk, main)
}

fn explained() -> Markup {
    html! {
        p {
            "Searches that come at regular times may have been made by a program. The figure is \
             the coefficient of variation of the gaps between an operator's searches of the last "
            (RHYTHM_DAYS) " days: their standard deviation (of a sample) divided by their mean. A \
            gap is from one search to the next on the same day, UTC; nights don't count. A timer \
            gives about 0, searches independent of each other about 1, work in bursts more. Below "
            (RHYTHM_REGULAR_BELOW) " it is called regular. That proves nothing: it says whose \
            searches to look at first."
        }
    }
}

fn row(operator: &Identifier, rhythm: &Rhythm) -> Markup {
    let variation = rhythm.variation.map(|variation| format!("{variation:.2}"));
    html! {
        tr {
            th scope="row" { (operator) }
            td.number { (number(rhythm.searches)) }
            td.number { (rhythm.days) }
            td.number { (number(rhythm.gaps)) }
            td.number { (format_args!("{:.0}", rhythm.mean_gap_s)) }
            td.number { (variation.as_deref().unwrap_or("none")) }
            td { (meaning(rhythm)) }
        }
    }
}

fn meaning(rhythm: &Rhythm) -> Markup {
    match rhythm.variation {
        Some(_) if rhythm.is_regular() => Tone::Warn.of("Regular"),
        Some(_) => Tone::Good.of("Not regular"),
        None => Tone::Quiet.of(format_args!(
            "Not enough to tell: fewer than {RHYTHM_GAPS_MIN} gaps, or all at the same time"
        )),
    }
}
