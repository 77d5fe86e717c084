//! What auditors see: the log and how well it is held, one leaf's detail, samples with their
//! reviews, and findings.

use maud::{Markup, html};
use serde_json::Value;

use super::components::{Field, count, ending, facts, line, number, one_of, sentence, when, whole};
use super::layout::{Desk, Here, Page, inside};
use crate::audit::{Finding, LeafKind};
use crate::booking::Identifier;
use crate::limits::{
    REVIEW_DAYS_MAX, RHYTHM_DAYS, RHYTHM_GAPS_MIN, RHYTHM_REGULAR_BELOW, SAMPLE_DAYS_MAX,
    TEXT_CHARS_MAX,
};
use crate::roster::Rhythm;
use crate::service::{Doors, Drawn, LogReview, Raised, Witnessing};

/// The largest whole number that a page's script holds exactly.
const SEED_MAX: u64 = (1 << 53) - 1;
const PPM: u64 = 1_000_000;

/// The log as it is now.
#[derive(Clone, Debug)]
pub struct LogView<'a> {
    /// Who is here.
    pub desk: &'a Desk,
    /// The log's name.
    pub log: &'a str,
    /// Its leaves.
    pub leaves: u64,
    /// The newest checkpoint with its signatures, as it is served.
    pub checkpoint: &'a str,
    /// What witnesses have cosigned.
    pub witnessing: &'a Witnessing,
    /// Whether the verbs may be used.
    pub doors: &'a Doors,
    /// Alarms that stand.
    pub alarms: &'a [Raised],
    /// The newest leaves, the newest first: index, kind, time in hundredths of a second since
    /// 1970-01-01 UTC.
    pub newest: &'a [(u64, LeafKind, u64)],
    /// What nobody went through yet.
    pub review: &'a LogReview,
}

/// One leaf with its detail, opened.
#[derive(Clone, Debug)]
pub struct LeafPage<'a> {
    /// Who is here.
    pub desk: &'a Desk,
    /// Its index.
    pub leaf: u64,
    /// Its kind.
    pub kind: LeafKind,
    /// When, in hundredths of a second since 1970-01-01 UTC.
    pub time_cs: u64,
    /// The leaves that it follows.
    pub follows: &'a [u64],
    /// Its detail; none once it has expired.
    pub detail: Option<&'a Value>,
    /// The search whose probe can be opened, hexadecimal.
    pub search: Option<&'a str>,
}

/// Samples and how far their reviews are.
#[derive(Clone, Debug)]
pub struct SamplesView<'a> {
    /// Who is here.
    pub desk: &'a Desk,
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
    /// What was found.
    pub finding: SampleFinding,
    /// In words.
    pub note: String,
}

/// What audits found.
#[derive(Clone, Debug)]
pub struct FindingsView<'a> {
    /// Who is here.
    pub desk: &'a Desk,
    /// The findings, the newest first.
    pub findings: &'a [FindingRow],
}

/// How regular each operator's searches are.
#[derive(Clone, Debug)]
pub struct OperatorsView<'a> {
    /// Who is here.
    pub desk: &'a Desk,
    /// The operators who searched.
    pub rhythms: &'a [(Identifier, Rhythm)],
}

/// The log: `/console/log`.
pub fn log(view: &LogView<'_>) -> Markup {
    let Witnessing { cosigned, complete } = view.witnessing;
    let main = html! {
        dl.tiles {
            div { dt { "Leaves" } dd { (number(view.leaves)) } dd.small { code { (view.log) } } }
            div {
                dt { "Cosigned by a quorum" }
                @match complete {
                    Some((leaves, at)) => { dd { (number(*leaves)) }
                        dd.small { "complete " (when(at * 100)) } }
                    None => { dd.warn { "none yet" } dd.small { "no quorum has cosigned this log" }
                        }
                }
            }
            div { dt { "Cosigned by any witness" }
                dd { @match cosigned { Some(leaves) => (number(*leaves)),
                None => span.warn { "none yet" } } } }
            div {
                dt { "Doors" }
                @match view.doors {
                    Doors::Open => dd.good { "open" },
                    Doors::Waiting => dd.warn { "waiting" },
                    Doors::Shut(why) => { dd.bad { "shut" } dd.small { (why) } }
                }
            }
        }
        @for raised in view.alarms {
            p.note.alarm { (sentence(&raised.what))
            @if let Some(leaf) = raised.leaf { " (leaf " (leaf) ")" } } }
        div.split {
            section.panel {
                h2 #newest-title { "Newest leaves" }
                p.quiet { "Opening a detail writes a leaf of its own that says who looked." }
                div.scroll tabindex="0" role="region" aria-labelledby="newest-title" {
                    table {
                        thead { tr { th.number scope="col" { "Leaf" } th scope="col" { "When" }
                            th scope="col" { "What" } th scope="col" { "Detail" } } }
                        tbody {
                            @for (leaf, kind, time_cs) in view.newest {
                                tr {
                                    th.number scope="row" { (leaf) }
                                    td { (when(*time_cs)) }
                                    td { (kind.words()) br; code.quiet { (kind.name()) } }
                                    td { a href={ "/console/log/" (leaf) } {
                                        "Open" span.unseen { " leaf " (leaf) } } }
                                }
                            }
                        }
                    }
                }
            }
            div {
                (weekly(view.review, view.desk.now_cs))
                section.panel { h2 { "Newest checkpoint" }
                    pre.scroll tabindex="0" { code { (view.checkpoint) } } }
                section.panel {
                    h2 { "Verify it yourself" }
                    p { "On your own machine, with a copy in the folder LOG, and the log's keys in \
                        FILE from somebody else than this box:" }
                    pre.scroll tabindex="0" { code { "smrtctl log export LOG --witnessed \
                        ...\nsmrtctl log verify LOG --keys FILE" } }
                    p { "The second works offline: it hashes every leaf, holds every checkpoint \
                        and cosignature against them, and names the place where one is wrong." }
                }
            }
        }
    };
    inside(
        view.desk,
        &Page {
            here: Here::Log,
            title: "Log",
            beside: html! {},
            wide: false,
            scripts: &[],
            keys: &[],
        },
        &main,
    )
}

/// What nobody went through yet, and the word that somebody did.
fn weekly(review: &LogReview, now_cs: u64) -> Markup {
    let LogReview { first, last_cs, due_cs, end, kinds } = review;
    let late = *due_cs < now_cs;
    html! {
        section.panel .alarm[late] {
            h2 { "Weekly look through the log" }
            (facts(&[
                ("Last", when(*last_cs)),
                ("Due", html! { (when(*due_cs)) @if late { span.bad { " overdue" } } }),
                ("Since then", html! { (number(end - first)) " leaves, from " (first) " on" }),
            ]))
            details {
                summary { "How many of each kind" }
                ul { @for (kind, found) in kinds {
                    li { (number(*found)) " " code { (kind.name()) }
                    span.quiet { " " (kind.gist()) } } } }
            }
            form data-verb="POST /v1/log/looks" data-next="" {
                input type="hidden" name="end" value=(end) data-type="number" required;
                (line(Field { name: "note", id: "look-note", label: "What you found",
                    hint: "Refusals, log-ons, locked accounts, changes of the roster, alarms: what \
                        was unusual, and what was done about \
                        it.", required: true, most: TEXT_CHARS_MAX, ..Field::default() }))
                (ending(&html! { button {
                    "I went through the log up to leaf " (end.saturating_sub(1)) } }))
            }
        }
    }
}

/// One leaf, opened: `/console/log/{leaf}`.
pub fn leaf(view: &LeafPage<'_>) -> Markup {
    let follows = html! {
        @if view.follows.is_empty() { "none" }
        @for (at, leaf) in view.follows.iter().enumerate() {
            @if at > 0 { ", " } a href={ "/console/log/" (leaf) } { "leaf " (leaf) } }
    };
    let main = html! {
        section.panel {
            (facts(&[("What", html! { (view.kind.words()) }),
                ("Kind", html! { code { (view.kind.name()) } }), ("When", when(view.time_cs)),
                ("Follows", follows)]))
        }
        section.panel {
            h2 { "Detail" }
            @match view.detail {
                Some(detail) => pre.scroll tabindex="0" { code { (format!("{detail:#}")) } },
                None => p.empty { "It has expired with its term; the commitment stays." },
            }
            @if let Some(search) = view.search {
                p { a href={ "/v1/log/probes/" (search) }
                    download={ "probe-" (search) } { "Fetch the probe as it was received" }
                    span.quiet { " (one leaf says so)" } }
            }
        }
        p { a href="/console/log" { "Back to the log" } }
    };
    let title = format!("Leaf {}", view.leaf);
    inside(
        view.desk,
        &Page {
            here: Here::Log,
            title: &title,
            beside: html! {},
            wide: false,
            scripts: &[],
            keys: &[],
        },
        &main,
    )
}

/// Samples: `/console/samples`.
pub fn samples(view: &SamplesView<'_>) -> Markup {
    let open = |drawn: &Drawn| {
        drawn
            .asked
            .iter()
            .filter(|asked| !drawn.reviewed.iter().any(|(done, _)| done == *asked))
            .copied()
            .collect::<Vec<_>>()
    };
    let left: usize = view.samples.iter().map(|drawn| open(drawn).len()).sum();
    let main = html! {
        div.split {
            div {
                @if view.samples.is_empty() { p.panel.empty { "No sample was drawn yet." } }
                @for drawn in view.samples.iter().rev() {
                    (sample(drawn, &open(drawn), view.desk.now_cs)) }
            }
            (draw(view.leaves))
        }
    };
    let beside = html! { p.quiet { (count(left, "search is", "searches are")) " to be reviewed" } };
    inside(
        view.desk,
        &Page {
            here: Here::Samples,
            title: "Samples",
            beside,
            wide: false,
            scripts: &[],
            keys: &[],
        },
        &main,
    )
}

fn draw(leaves: u64) -> Markup {
    html! {
        form.panel data-verb="POST /v1/log/samples" data-next="" {
            h2 { "Draw a sample" }
            p { "At least every " (SAMPLE_DAYS_MAX) " days, reviewed within " (REVIEW_DAYS_MAX) ". \
                The seed is logged before it draws, so nobody can choose what comes." }
            (whole(Field { name: "seed", label: "Seed", hint: "Any number: throw dice.",
                required: true, ..Field::default() }, 0, SEED_MAX))
            (whole(Field { name: "rate_ppm", label: "Of a million searches, draw",
                hint: "50,000 is one in twenty.", required: true, value: "50000", ..Field::default()
                }, 1, PPM))
            (whole(Field { name: "first", label: "From leaf", hint: "Up to the newest.",
                required: true, value: "0", ..Field::default() }, 0, leaves.saturating_sub(1)))
            (ending(&html! { button.main { "Draw" } }))
        }
    }
}

fn sample(drawn: &Drawn, open: &[u64], now_cs: u64) -> Markup {
    let late = drawn.due_cs < now_cs && !open.is_empty();
    let findings: Vec<(String, String)> =
        [SampleFinding::InOrder, SampleFinding::Irregular, SampleFinding::Misuse]
            .iter()
            .map(|finding| (finding.name().to_owned(), finding.words().to_owned()))
            .collect();
    html! {
        section.panel .alarm[late] {
            h2 { "Sample of leaf " (drawn.leaf) }
            (facts(&[
                ("Drawn", html! { (when(drawn.time_cs)) ", seed in leaf " (drawn.seeded) }),
                ("Drawn of", html! { (drawn.asked.len()) " of " (number(drawn.population))
                    " searches" }),
                ("Reviewed", html! { (drawn.asked.len() - open.len()) ", " (open.len()) " left" }),
                ("Due", html! { (when(drawn.due_cs)) @if late { span.bad { " overdue" } } }),
            ]))
            @for asked in open {
                @let finding = format!("finding-{}-{asked}", drawn.leaf);
                @let note = format!("note-{}-{asked}", drawn.leaf);
                details {
                    summary { "Search of leaf " (asked) }
                    p { a href={ "/console/log/" (asked) } {
                        "Open its detail" span.unseen { " for leaf " (asked) } } }
                    form data-verb="POST /v1/log/reviews" data-next="" {
                        input type="hidden" name="sample" value=(drawn.leaf)
                            data-type="number" required;
                        input type="hidden" name="asked" value=(asked) data-type="number" required;
                        (one_of(Field { name: "finding", id: &finding, label: "What you find",
                            hint: "Misuse is told to the agency that employs the person.",
                            required: true, ..Field::default() }, &findings))
                        (line(Field { name: "note", id: &note, label: "In words", required: true,
                            most: TEXT_CHARS_MAX, ..Field::default() }))
                        (ending(&html! { button {
                            "Record the finding" span.unseen { " for leaf " (asked) } } }))
                    }
                }
            }
            @if !drawn.reviewed.is_empty() {
                ul { @for (asked, finding)
                    in &drawn.reviewed { li { "Leaf " (asked) ": " (finding.words()) } } }
            }
        }
    }
}

/// Findings: `/console/findings`.
pub fn findings(view: &FindingsView<'_>) -> Markup {
    let main = html! {
        p { "What reviews of samples found. Misuse goes to the agency that employed the person \
            when they asked; nobody else is told which search it was." }
        @if view.findings.is_empty() { p.panel.empty { "No review was recorded yet." } }
        @else {
            section.panel {
                div.scroll tabindex="0" role="region" aria-label="Findings, by review" {
                    table {
                        thead { tr { th scope="col" { "SampleFinding" } th.number scope="col" { "Search" }
                            th.number scope="col" { "Sample" } th scope="col" { "In words" } } }
                        tbody {
                            @for row in view.findings {
                                tr {
                                    th scope="row"
                                        { span class=(if row.finding == SampleFinding::InOrder { "good" }
                                        else if row.finding == SampleFinding::Misuse { "bad" }
                                        else { "warn" }) { (row.finding.words()) } }
                                    td.number { a href={ "/console/log/" (row.asked) } {
                                        "leaf " (row.asked) } }
                                    td.number { (row.sample) }
                                    td { (row.note) }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    inside(
        view.desk,
        &Page {
            here: Here::Findings,
            title: "Findings",
            beside: html! {},
            wide: false,
            scripts: &[],
            keys: &[],
        },
        &main,
    )
}

/// Operators: `/console/operators`.
pub fn operators(view: &OperatorsView<'_>) -> Markup {
    let regular = view.rhythms.iter().filter(|(_, rhythm)| rhythm.is_regular()).count();
    let main = html! {
        p {
            "The coefficient of variation of the gaps between an operator's searches of the \
             last " (RHYTHM_DAYS) " days: their standard deviation (of a sample) "
            "divided by their mean. A gap is from one search to the next on the same day, UTC; \
             nights are none. A clock's beat has 0, events that know nothing of each other about \
             1, work that comes in bursts more. "
            "Below " (RHYTHM_REGULAR_BELOW) " it is called regular. That proves nothing: it says \
             whose searches to look at."
        }
        @if view.rhythms.is_empty() { p.panel.empty { "Nobody searched in these days." } }
        @else {
            section.panel {
                div.scroll tabindex="0" role="region" aria-label="Rhythm, by operator" {
                    table {
                        thead { tr {
                            th scope="col" { "Operator" } th.number scope="col" { "Searches" }
                                th.number scope="col" { "Days" } th.number scope="col" { "Gaps" }
                            th.number scope="col" { "Mean gap, s" }
                                th.number scope="col" { "Variation" } th scope="col" { "Means" }
                        } }
                        tbody {
                            @for (operator, rhythm) in view.rhythms {
                                tr {
                                    th scope="row" { (operator) }
                                    td.number { (number(rhythm.searches)) }
                                    td.number { (rhythm.days) }
                                    td.number { (number(rhythm.gaps)) }
                                    td.number { (format!("{:.0}", rhythm.mean_gap_s)) }
                                    @match rhythm.variation {
                                        Some(variation) => { td.number { (format!("{variation:.2}"))
                                            } td { @if rhythm.is_regular() { span.warn { "Regular" }
                                            } @else { span.good { "As people work" } } } }
                                        None => { td.number { "none" }
                                            td { span.quiet { "Fewer than " (RHYTHM_GAPS_MIN)
                                            " gaps, or all at once" } } }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        p.quiet.small { "Details of searches were opened to count this; a leaf says that you did." }
    };
    let beside = html! { p.quiet {
    (count(regular, "operator searches", "operators search")) " regularly" } };
    inside(
        view.desk,
        &Page {
            here: Here::Operators,
            title: "Operators",
            beside,
            wide: false,
            scripts: &[],
            keys: &[],
        },
        &main,
    )
}
