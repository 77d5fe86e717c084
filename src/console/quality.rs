//! The quality sheet of a chosen face: what falls short first, with what to do about it.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::components::{TableColumn, TableName, Tone, folded, table};
use crate::embed::{QualityMeasure, QualityVerdict, Reading};
use crate::inquiry::{self, Quality};

const COLUMNS: [TableColumn<'_>; 4] = [
    TableColumn::Words("Measure"),
    TableColumn::Numbers("Value"),
    TableColumn::Words("Meaning"),
    TableColumn::Words("Advice"),
];

/// One line of a quality sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct QualityLine {
    /// What was measured.
    pub name: String,
    /// Its value in its own unit.
    pub value: f64,
    /// The unit; empty where it has none.
    pub unit: &'static str,
    pub verdict: QualityVerdict,
    /// Whether nothing is searched because of it unless a reason is recorded.
    pub blocks: bool,
    /// What to do about it, where something is wrong.
    pub advice: Option<&'static str>,
}

impl QualityLine {
    /// The lines of a sheet as the inquiry keeps it: measures by their labels, and which of them
    /// fall short.
    pub fn of_record(quality: &Quality) -> Vec<Self> {
        quality.measures.iter().map(|kept| Self::of(kept, quality)).collect()
    }

    fn of(kept: &inquiry::Measure, quality: &Quality) -> Self {
        let short = quality.shortfalls.iter().find(|shortfall| shortfall.name == kept.name);
        let blocks = short.is_some_and(|shortfall| shortfall.blocks);
        let verdict = match short {
            Some(_) if blocks => QualityVerdict::Poor,
            Some(_) => QualityVerdict::Low,
            None => QualityVerdict::Fine,
        };
        let known =
            QualityMeasure::ALL.into_iter().find(|measure| measure.label() == kept.name.as_str());
        let reading =
            known.map(|measure| Reading { measure, value: kept.value, score: None, verdict });
        Self {
            name: kept.name.to_string(),
            value: kept.value,
            unit: known.map_or("", QualityMeasure::unit),
            verdict,
            blocks,
            advice: reading.and_then(|reading| reading.advice()),
        }
    }

    fn falls_short(&self) -> bool {
        matches!(self.verdict, QualityVerdict::Low | QualityVerdict::Poor)
    }
}

/// A quality sheet: what falls short, the worst first; the rest folded up.
pub(super) fn quality_sheet(lines: &[QualityLine]) -> Markup {
    let (mut short, rest): (Vec<&QualityLine>, Vec<&QualityLine>) =
        lines.iter().partition(|line| line.falls_short());
    short.sort_by_key(|line| Reverse(line.verdict));
    html! {
        @if short.is_empty() {
            p.good { "No measure falls short." }
        } @else { (measures("What falls short", &short)) }
        @if !rest.is_empty() {
            (folded(format_args!("{} other measures", rest.len()),
                measures("Other measures", &rest)))
        }
        p.quiet.small { "The measures are like those of OFIQ, but don't conform to it." }
    }
}

fn measures(title: &str, lines: &[&QualityLine]) -> Markup {
    table(TableName::Words(title), &COLUMNS, html! { @for line in lines { (row(line)) } })
}

fn row(line: &QualityLine) -> Markup {
    html! {
        tr {
            th.tight scope="row" { (line.name) }
            td.number.tight {
                (format_args!("{:.2}", line.value))
                @if !line.unit.is_empty() { " " span.quiet { (line.unit) } }
            }
            td { (tone(line.verdict).of(line.verdict.word())) }
            td {
                @match line.advice {
                    Some(advice) => (advice),
                    None => span.quiet { "Nothing to do." },
                }
            }
        }
    }
}

fn tone(verdict: QualityVerdict) -> Tone {
    match verdict {
        QualityVerdict::Poor => Tone::Bad,
        QualityVerdict::Low => Tone::Warn,
        QualityVerdict::Fine => Tone::Good,
        QualityVerdict::Unrated => Tone::Quiet,
    }
}
