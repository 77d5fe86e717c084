//! Components of the page: words for names, tables, and frames around plots.

use maud::{Markup, PreEscaped, Render, html};

use super::cell::{Breakdown, Cell, Suppressed, Table};
use super::times::span;
use super::totals::DetailCoverage;
use crate::audit::{Alarm, SampleFinding};
use crate::inquiry::{PurposeKind, Upshot};
use crate::rule::Rule;
use crate::wording::{capital, number};

/// Words for a name in figures.
pub(super) fn words(name: &str) -> String {
    let noun = (PurposeKind::named(name).map(PurposeKind::short))
        .or(Rule::of(name).map(Rule::words))
        .or(Alarm::named(name).map(Alarm::words))
        .or(SampleFinding::named(name).map(SampleFinding::words))
        .or(Upshot::named(name).map(Upshot::words));
    if let Some(noun) = noun {
        return capital(noun);
    }
    let known = match name {
        "not_stated" => "Not stated",
        "not_opened" => "Detail not opened",
        "not_listed" => "Not a member agency",
        "not_named" => "No agency named",
        "asked" => "Asked",
        "waiting" => "Waiting at the end",
        "searches" => "Searches",
        "reason_not_kept" => "Repeated, own reason not kept",
        "booking_in" => "Bookings that came in",
        "released" => "Notices of release",
        "search_refused" => "Searches",
        "booking_refused" => "Bookings",
        "caller_refused" => "Callers",
        "log_on_refused" => "Log-ons",
        other => return capital(&other.replace('_', " ")),
    };
    known.to_owned()
}

impl Render for Cell {
    fn render(&self) -> Markup {
        match self {
            Self::Exact(count) => html! { (number(*count)) },
            Self::Suppressed(Suppressed::Primary) => html! { span.hid { "1 to 4" } },
            Self::Suppressed(Suppressed::Complementary) => html! { span.hid { "withheld" } },
        }
    }
}

/// A part of a breakdown in one word: its count, or why there is none.
pub(super) fn part(of: &Breakdown, name: &str) -> String {
    match of.parts.get(name) {
        Some(Cell::Exact(count)) => number(*count),
        Some(Cell::Suppressed(Suppressed::Primary)) => "1 to 4".to_owned(),
        Some(Cell::Suppressed(Suppressed::Complementary)) => "withheld".to_owned(),
        None if of.withheld => "withheld".to_owned(),
        None if of.total == 0 => "\u{2013}".to_owned(),
        None => "0".to_owned(),
    }
}

/// A table of words and numbers: its caption, the heads of its columns, and its rows, each
/// beginning with its head.
pub(super) fn table(
    caption: &str,
    note: Option<&str>,
    heads: &[&str],
    rows: &[(String, Vec<Markup>)],
    foot: Option<(String, Vec<Markup>)>,
) -> Markup {
    let words = |at: usize| IN_WORDS.contains(&heads[at]);
    let table = html! {
        table {
            caption { (caption) @if let Some(note) = note { small { (note) } } }
            thead { tr { @for (at, head)
                in heads.iter().enumerate() { th.words[words(at)] scope="col" { (head) } } } }
            tbody {
                @for (head, cells) in rows {
                    tr { th scope="row" { (head) } @for (at, cell)
                        in cells.iter().enumerate() { td.words[words(at + 1)] { (cell) } } }
                }
            }
            @if let Some((head, cells)) = foot {
                tfoot { tr { th scope="row" { (head) } @for cell in cells { td { (cell) } } } }
            }
        }
    };
    // A table of many columns scrolls by itself on a small screen, by keys too; the others wrap.
    html! {
        @if heads.len() > 3 {
            div.wide tabindex="0" role="group" aria-label=(caption) { (table) }
        } @else {
            (table)
        }
    }
}

/// Heads of columns that hold words, beside the first.
const IN_WORDS: [&str; 2] = ["Kind", "What it is"];

/// Counts, one a row.
pub(super) fn counts(caption: &str, heads: [&str; 2], rows: &[(String, u64)]) -> Markup {
    let rows: Vec<_> =
        rows.iter().map(|(name, count)| (name.clone(), vec![text(number(*count))])).collect();
    table(caption, None, &heads, &rows, None)
}

/// Counts by two things; rows and columns in the given order, then those that no order names.
pub(super) fn two_ways(
    caption: &str,
    note: Option<&str>,
    corner: &str,
    shown: &Table,
    rows: &[&str],
    columns: &[&str],
    name: impl Fn(&str) -> String,
) -> Markup {
    if shown.withheld {
        return html! {
            p { strong { (caption) } }
            p { "So few searches were counted that no part of this table can be shown without \
                singling somebody out." }
        };
    }
    if shown.cells.is_empty() {
        return html! { p { strong { (caption) } } p { "Nothing was counted." } };
    }
    let in_order = |names: Vec<&String>, order: &[&str]| -> Vec<String> {
        let known = order
            .iter()
            .filter(|name| names.iter().any(|found| found == *name))
            .map(|name| (*name).to_owned());
        let rest = names
            .iter()
            .filter(|found| !order.contains(&found.as_str()))
            .map(|found| (*found).clone());
        known.chain(rest).collect()
    };
    let columns = in_order(shown.column_totals.keys().collect(), columns);
    let rows = in_order(shown.cells.keys().collect(), rows);
    let cell = |cells: &std::collections::BTreeMap<String, Cell>, key: &String| {
        cells.get(key).copied().unwrap_or(Cell::Exact(0)).render()
    };
    let heads: Vec<String> = std::iter::once(corner.to_owned())
        .chain(columns.iter().map(|column| name(column)))
        .chain(["All".to_owned()])
        .collect();
    let lines: Vec<_> = rows
        .iter()
        .map(|row| {
            let counts = columns.iter().map(|column| cell(&shown.cells[row], column));
            (name(row), counts.chain([cell(&shown.row_totals, row)]).collect())
        })
        .collect();
    let whole: Option<u64> = shown
        .column_totals
        .values()
        .map(|cell| if let Cell::Exact(count) = cell { Some(*count) } else { None })
        .sum();
    let sums = columns.iter().map(|column| cell(&shown.column_totals, column));
    let few: Vec<String> = shown
        .left_out
        .iter()
        .map(|(outcome, count)| format!("{} ({})", words(outcome).to_lowercase(), number(*count)))
        .collect();
    let left_out = (!few.is_empty()).then(|| {
        format!(
            "Without searches of which there were too few to show by anything: {}",
            few.join(", ")
        )
    });
    let note = left_out.as_deref().or(note);
    let last = whole.map_or_else(|| html! {}, |whole| text(number(whole)));
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    table(caption, note, &heads, &lines, Some(("All".to_owned(), sums.chain([last]).collect())))
}

/// Parts of a whole, the largest shown ones first.
pub(super) fn parts(
    caption: &str,
    head: &str,
    shown: &Breakdown,
    name: impl Fn(&str) -> String,
) -> Markup {
    if shown.withheld {
        return html! {
            p { strong { (caption) } }
            p { (number(shown.total)) " in all: too few to show their parts without singling \
                somebody out." }
        };
    }
    if shown.total == 0 {
        return html! { p { strong { (caption) } } p { "None." } };
    }
    let mut rows: Vec<(&String, &Cell)> = shown.parts.iter().collect();
    let size = |cell: &Cell| match cell {
        Cell::Exact(count) => *count,
        Cell::Suppressed(Suppressed::Complementary) => 5,
        Cell::Suppressed(Suppressed::Primary) => 1,
    };
    rows.sort_by_key(|(_, cell)| std::cmp::Reverse(size(cell)));
    let rows: Vec<_> =
        rows.into_iter().map(|(part, cell)| (name(part), vec![cell.render()])).collect();
    table(
        caption,
        None,
        &[head, "Number"],
        &rows,
        Some(("All".to_owned(), vec![text(number(shown.total))])),
    )
}

/// A picture with its caption, that scrolls by itself where it doesn't fit.
pub(super) fn figure(caption: &str, note: &str, picture: Markup) -> Markup {
    html! {
        figure {
            figcaption { (caption) small { (note) } }
            div.wide tabindex="0" role="group" aria-label={ "Plot: " (caption) } { (picture) }
        }
    }
}

/// A sentence on the details that a figure's count lacked, where it lacked any.
pub(super) fn lacking(details: DetailCoverage) -> Markup {
    html! {
        @if details.opened < details.leaves {
            p { "Of " (number(details.leaves))
                " entries that say this, " (number(details.leaves - details.opened))
                " could not be opened." }
        }
    }
}

/// A span of time; a dash where there is none.
pub(super) fn spanned(seconds: Option<u64>) -> Markup {
    text(seconds.map_or_else(|| "\u{2013}".to_owned(), span))
}

pub(super) fn text(words: impl Into<String>) -> Markup {
    let words: String = words.into();
    html! { (words) }
}

/// Text that is markup already.
pub(super) fn raw(text: &'static str) -> PreEscaped<&'static str> {
    PreEscaped(text)
}
