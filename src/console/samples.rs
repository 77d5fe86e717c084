//! Samples: searches drawn for an audit, how far their reviews are, and what was found.

use maud::{Markup, html};

use super::components::{
    TableColumn, TableName, Tone, alarm_panel, empty_panel, facts, folded, leaf_link, table,
    unseen, when,
};
use super::form::{Field, Form, ending, hidden_number};
use super::layout::{DeskContext, Page};
use super::navigation::NavigationItem;
use crate::audit::SampleFinding;
use crate::calendar::Time;
use crate::ledger::Drawn;
use crate::limits::{REVIEW_DAYS_MAX, SAMPLE_DAYS_MAX, TEXT_CHARS_MAX};
use crate::wording::{count, number};

/// The largest whole number that a page's script holds exactly.
const SEED_MAX: u64 = (1 << 53) - 1;
const PPM: u64 = 1_000_000;
const COLUMNS: [TableColumn<'_>; 4] = [
    TableColumn::Words("Finding"),
    TableColumn::Numbers("Search"),
    TableColumn::Numbers("Sample"),
    TableColumn::Words("In words"),
];

/// Samples and how far their reviews are.
#[derive(Clone, Debug)]
pub struct SamplesPage<'a> {
    pub desk: &'a DeskContext,
    /// The samples, the newest last.
    pub samples: &'a [Drawn],
    /// Leaves of the log.
    pub leaves: u64,
}

/// What an audit found of one search.
#[derive(Clone, Debug)]
pub struct FindingRow {
    /// The leaf of the sample.
    pub sample: u64,
    /// The leaf of the search.
    pub asked: u64,
    pub finding: SampleFinding,
    /// The finding in the auditor's words.
    pub note: String,
}

/// What audits found.
#[derive(Clone, Debug)]
pub struct FindingsPage<'a> {
    pub desk: &'a DeskContext,
    /// The findings, the newest first.
    pub findings: &'a [FindingRow],
}

/// Samples: `/console/samples`.
pub fn samples(page: &SamplesPage<'_>) -> Markup {
    let left: usize = page.samples.iter().map(|drawn| not_reviewed(drawn).len()).sum();
    let drawn = html! {
        @if page.samples.is_empty() { (empty_panel("No sample was drawn yet.")) }
        @for drawn in page.samples.iter().rev() { (sample(drawn, page.desk.now)) }
    };
    let main = html! {
        div.split { div { (drawn) } (draw(page.leaves)) }
    };
    let beside = html! {
        p.quiet { (count(left as u64, "search is", "searches are")) " to be reviewed" }
    };
    Page::at(NavigationItem::Samples, "Samples").beside(beside).of(page.desk, main)
}

/// The searches of a sample that nobody reviewed yet, by their leaves.
fn not_reviewed(drawn: &Drawn) -> Vec<u64> {
    let is_open = |asked: &&u64| !drawn.reviewed.iter().any(|(done, _)| done == *asked);
    drawn.asked.iter().filter(is_open).copied().collect()
}

fn draw(leaves: u64) -> Markup {
    let seed = Field::required("seed", "Seed")
        .hint("A whole number that nobody can guess, for example from dice.");
    let rate = Field::required("rate_ppm", "Of a million searches, draw")
        .hint("50,000 is one in twenty.")
        .value("50000");
    let first = Field::required("first", "From leaf").hint("Up to the newest.").value("0");
    Form::new("POST /v1/log/samples").then_again().panel().of(html! {
        h2 { "Draw a sample" }
        p {
            "Draw a sample at least every " (SAMPLE_DAYS_MAX) " days, and review it within "
            (REVIEW_DAYS_MAX) " days. The seed is written to the log before the draw, so nobody \
            can choose which searches are drawn."
        }
        (seed.whole(0, SEED_MAX))
        (rate.whole(1, PPM))
        (first.whole(0, leaves.saturating_sub(1)))
        (ending(html! { button.main { "Draw" } }))
    })
}

fn sample(drawn: &Drawn, now: Time) -> Markup {
    let open = not_reviewed(drawn);
    let late = drawn.due < now && !open.is_empty();
    let done = drawn.asked.len() - open.len();
    let (of, all) = (drawn.asked.len(), number(drawn.population));
    let content = html! {
        (facts(&[
            ("Drawn", html! { (when(drawn.time)) ", seed in leaf " (drawn.seeded) }),
            ("Size", html! { (of) " of " (all) " searches" }),
            ("Reviewed", html! { (done) ", " (open.len()) " left" }),
            ("Due", html! { (when(drawn.due)) @if late { span.bad { " overdue" } } }),
        ]))
        @for asked in open {
            (folded(format_args!("Search of leaf {asked}"), review(drawn, asked)))
        }
        @if !drawn.reviewed.is_empty() { (reviewed(drawn)) }
    };
    alarm_panel(late, format_args!("Sample of leaf {}", drawn.leaf), content)
}

fn reviewed(drawn: &Drawn) -> Markup {
    html! {
        ul {
            @for (asked, finding) in &drawn.reviewed {
                li { "Leaf " (asked) ": " (finding.words()) }
            }
        }
    }
}

/// The form by which an auditor says what one search of a sample was.
fn review(drawn: &Drawn, asked: u64) -> Markup {
    let findings =
        SampleFinding::ALL.map(|finding| (finding.name().to_owned(), finding.words().to_owned()));
    let finding_id = format!("finding-{}-{asked}", drawn.leaf);
    let note_id = format!("note-{}-{asked}", drawn.leaf);
    let finding = Field::required("finding", "What you find")
        .id(&finding_id)
        .hint("Misuse is told to the agency that employs the person.");
    let note = Field::required("note", "In words").id(&note_id).chars_max(TEXT_CHARS_MAX);
    let which = unseen(format_args!(" for leaf {asked}"));
    let form = Form::new("POST /v1/log/reviews").then_again().of(html! {
        (hidden_number("sample", drawn.leaf))
        (hidden_number("asked", asked))
        (finding.one_of(&findings))
        (note.line())
        (ending(html! { button { "Record the finding" (which) } }))
    });
    html! {
        p { (leaf_link(asked, html! { "Open its detail" (which) })) }
        (form)
    }
}

/// Findings: `/console/findings`.
pub fn findings(page: &FindingsPage<'_>) -> Markup {
    let rows = html! { @for row in page.findings { (finding_row(row)) } };
    let main = html! {
        p {
            "What reviews of samples found. Misuse goes to the agency that employed the person \
             when they asked; nobody else is told which search it was."
        }
        @if page.findings.is_empty() { (empty_panel("No review was recorded yet.")) } @else {
            section.panel { (table(TableName::Words("Findings, by review"), &COLUMNS, rows)) }
        }
    };
    Page::at(NavigationItem::Findings, "Findings").of(page.desk, main)
}

fn finding_row(row: &FindingRow) -> Markup {
    let tone = match row.finding {
        SampleFinding::InOrder => Tone::Good,
        SampleFinding::Irregular => Tone::Warn,
        SampleFinding::Misuse => Tone::Bad,
    };
    html! {
        tr {
            th scope="row" { (tone.of(row.finding.words())) }
            td.number { (leaf_link(row.asked, format_args!("leaf {}", row.asked))) }
            td.number { (row.sample) }
            td { (row.note) }
        }
    }
}
