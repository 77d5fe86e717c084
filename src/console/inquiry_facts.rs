//! What an inquiry states and what was measured, in plain words.

use maud::{Markup, html};

use super::components::{digest, facts, number, sentence, when};
use crate::embed::{Measure, QualitySheet, Reading, Verdict};
use crate::inquiry::{Choice, Inquiry, Probe, Quality, Reference, Request};

/// One line of a quality sheet.
#[derive(Clone, Debug, PartialEq)]
pub struct QualityLine {
    /// What was measured.
    pub name: String,
    /// Its value in its own unit.
    pub value: f64,
    /// The unit; empty where it has none.
    pub unit: &'static str,
    /// What it means.
    pub verdict: Verdict,
    /// Whether nothing is searched because of it unless a reason is recorded.
    pub blocks: bool,
    /// What to do about it, where something is wrong.
    pub advice: Option<&'static str>,
}

impl QualityLine {
    /// The lines of a sheet as it was measured.
    pub fn of_sheet(sheet: &QualitySheet) -> Vec<Self> {
        let line = |reading: &Reading| Self {
            name: reading.measure.label().to_owned(),
            value: reading.value,
            unit: reading.measure.unit(),
            verdict: reading.verdict,
            blocks: reading.measure.blocks() && reading.verdict == Verdict::Poor,
            advice: reading.advice(),
        };
        sheet.0.iter().map(line).collect()
    }

    /// The lines of a sheet as the inquiry keeps it: measures by their labels, and which of them
    /// fall short.
    pub fn of_record(quality: &Quality) -> Vec<Self> {
        let line = |kept: &crate::inquiry::Measure| {
            let short = quality.shortfalls.iter().find(|shortfall| shortfall.name == kept.name);
            let blocks = short.is_some_and(|shortfall| shortfall.blocks);
            let verdict = match short {
                Some(_) if blocks => Verdict::Poor,
                Some(_) => Verdict::Low,
                None => Verdict::Fine,
            };
            let known =
                Measure::ALL.into_iter().find(|measure| measure.label() == kept.name.as_str());
            let reading =
                known.map(|measure| Reading { measure, value: kept.value, score: None, verdict });
            Self {
                name: kept.name.to_string(),
                value: kept.value,
                unit: known.map_or("", Measure::unit),
                verdict,
                blocks,
                advice: reading.and_then(|reading| reading.advice()),
            }
        };
        quality.measures.iter().map(line).collect()
    }
}

/// A quality sheet: what is wrong, the worst first, with what to do about it; the rest folded away.
pub(super) fn quality(lines: &[QualityLine]) -> Markup {
    let wrong = |line: &&QualityLine| matches!(line.verdict, Verdict::Low | Verdict::Poor);
    let (mut short, rest): (Vec<&QualityLine>, Vec<&QualityLine>) = lines.iter().partition(wrong);
    short.sort_by_key(|line| std::cmp::Reverse(line.verdict));
    html! {
        @if short.is_empty() { p.good { "Nothing that is measured falls short." } }
        @else { (measures("What falls short", &short)) }
        @if !rest.is_empty() { details {
            summary { (rest.len()) " other measures" } (measures("Other measures", &rest)) } }
        p.quiet.small { "Measures in the manner of OFIQ, not conformant to it." }
    }
}

fn measures(title: &str, lines: &[&QualityLine]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(title) {
            table {
                thead { tr { th scope="col" { "Measure" } th.number scope="col" { "Value" }
                    th scope="col" { "Means" } th scope="col" { "Advice" } } }
                tbody {
                    @for line in lines {
                        tr {
                            th.tight scope="row" { (line.name) }
                            td.number.tight { (format!("{:.2}", line.value))
                                @if !line.unit.is_empty() { " " span.quiet { (line.unit) } } }
                            td { span class=(verdict_class(line.verdict)) { (line.verdict.word()) }
                                }
                            td { @if let Some(advice) = line.advice { (advice) }
                                @else { span.quiet { "Nothing to do." } } }
                        }
                    }
                }
            }
        }
    }
}

fn verdict_class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Poor => "bad",
        Verdict::Low => "warn",
        Verdict::Fine => "good",
        Verdict::Unrated => "quiet",
    }
}

/// A reference in one line.
pub(super) fn reference(of: &Reference) -> String {
    match of {
        Reference::ComplaintNumber { number } => number.to_string(),
        Reference::Other { description, number } => format!("{description} {number}"),
    }
}

/// What a request states.
pub(super) fn request(of: &Request) -> Markup {
    let requester =
        html! { (of.requester.name) ", badge " (of.requester.badge) ", " (of.requester.agency) };
    let purpose = html! {
        (of.purpose.kind().words())
        @if let Some(stated) = of.purpose.stated() { br; (stated) }
    };
    let reference = match &of.reference {
        Reference::ComplaintNumber { number } => html! { "Complaint number " strong { (number) } },
        Reference::Other { description, number } => html! { (description) " " strong { (number) } },
    };
    facts(&[
        ("Requester", requester),
        ("Reference", reference),
        ("Purpose", purpose),
        ("Reason", html! { (of.reason) }),
        ("Source of the probe", html! { (of.probe_source) }),
        ("Candidates, at most", html! { (of.candidates) }),
    ])
}

/// A probe as it was received.
pub(super) fn received(probe: &Probe) -> Markup {
    facts(&[
        ("File", html! { (probe.media_type) ", " (number(probe.bytes)) " bytes" }),
        ("SHA-256", digest(probe.sha256)),
        ("Faces seen", html! { (probe.faces.len()) }),
    ])
}

/// A choice of a face with its edits.
pub(super) fn choice(of: &Choice) -> Markup {
    let frame = of.frame;
    let edits = html! {
        @if of.edits.is_empty() { "None: searched as received" }
        @else { ol { @for edit in of.edits.as_slice() { li { (sentence(&edit.to_string())) } } } }
    };
    let mut lines = vec![
        (
            "Face",
            html! { "Number " (of.face + 1) " of " (of.faces) ", " (frame.width)
            " × " (frame.height) " px at " (frame.x) ", " (frame.y) },
        ),
        ("Edits", edits),
        ("SHA-256 as searched", digest(of.searched)),
    ];
    if let Some(reason) = &of.reason {
        lines.push(("Searched though poor, because", html! { (reason) }));
    }
    facts(&lines)
}

/// Who did what when, so far.
pub(super) fn course(of: &Inquiry) -> Markup {
    let mut steps: Vec<(u64, Markup)> =
        vec![(of.opened_cs(), html! { "Opened by " (of.operator().id) })];
    for search in of.searches() {
        let end = match search.interrupted {
            Some(leaf) => html! { ", interrupted (leaf " (leaf) ")" },
            None => html! {},
        };
        steps.push((search.at_cs, html! { "Search approved by touch, leaf " (search.leaf) (end) }));
    }
    if let Some(answer) = of.answer() {
        steps.push((answer.at_cs, html! { "Answered, leaf " (answer.leaf) }));
    }
    for (name, review) in [("First", of.first()), ("Second", of.second())] {
        if let Some(review) = review {
            let end = match review.leaf {
                Some(leaf) => html! { ", finished (leaf " (leaf) ")" },
                None => html! { ", under way" },
            };
            steps.push((
                review.claimed_cs,
                html! { (name) " review claimed by " (review.examiner.id) (end) },
            ));
        }
    }
    if let Some(report) = of.report() {
        steps.push((
            report.at_cs,
            html! { "Report issued by " (report.by.id) ", leaf " (report.leaf) },
        ));
    }
    for evidence in of.evidence() {
        steps.push((
            evidence.at_cs,
            html! { "Handed over to " (evidence.handover.received_by) " of " (evidence.handover.of)
            },
        ));
    }
    if let Some(recorded) = of.outcome() {
        steps.push((
            recorded.at_cs,
            html! { "Outcome recorded by " (recorded.by.id) ": " (recorded.outcome.upshot.words())
            },
        ));
    }
    if let Some(end) = of.ended() {
        let by = end
            .by
            .as_ref()
            .map_or("Refused by the house".to_owned(), |by| format!("Withdrawn by {}", by.id));
        steps.push((end.at_cs, html! { (by) ": " (end.reason) }));
    }
    steps.sort_by_key(|(at_cs, _)| *at_cs);
    html! { ol { @for (at_cs, words) in steps { li { (when(at_cs)) ": " (words) } } } }
}
