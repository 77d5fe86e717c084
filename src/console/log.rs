//! The log and how well it is held, for auditors; and one leaf with its detail opened.

use maud::{Markup, html};
use serde_json::Value;

use super::components::{
    FigureTile, TableColumn, TableName, Tone, alarm_note, alarm_panel, empty, facts, folded,
    leaf_link, listing, named_panel, panel, table, tiles, unseen, when,
};
use super::form::{Field, Form, ending, hidden_number};
use super::layout::{DeskContext, Page};
use super::navigation::NavigationItem;
use crate::audit::LeafKind;
use crate::calendar::Time;
use crate::ledger::Witnessing;
use crate::limits::TEXT_CHARS_MAX;
use crate::service::{Doors, LogReview, Raised};
use crate::wording::{capital, number};

/// The log as it is now.
#[derive(Clone, Debug)]
pub struct LogPage<'a> {
    pub desk: &'a DeskContext,
    /// The log's name.
    pub log: &'a str,
    pub leaves: u64,
    /// The newest checkpoint with its signatures, as it is served.
    pub checkpoint: &'a str,
    /// What witnesses have cosigned.
    pub witnessing: &'a Witnessing,
    /// Whether the verbs may be used.
    pub doors: &'a Doors,
    /// Alarms that stand.
    pub alarms: &'a [Raised],
    /// The newest leaves, the newest first: index, kind and time.
    pub newest: &'a [(u64, LeafKind, Time)],
    /// What nobody went through yet.
    pub review: &'a LogReview,
}

/// One leaf with its detail, opened.
#[derive(Clone, Debug)]
pub struct LeafPage<'a> {
    pub desk: &'a DeskContext,
    /// Its index.
    pub leaf: u64,
    pub kind: LeafKind,
    /// When.
    pub time: Time,
    /// The leaves that it follows.
    pub follows: &'a [u64],
    /// Its detail; none once it has expired.
    pub detail: Option<&'a Value>,
    /// The search whose probe can be opened, hexadecimal.
    pub search: Option<&'a str>,
}

const DELETED: &str =
    "It was deleted at the end of its term. Its commitment, a hash, stays in the log.";
const COLUMNS: [TableColumn<'_>; 4] = [
    TableColumn::Numbers("Leaf"),
    TableColumn::Words("When"),
    TableColumn::Words("What"),
    TableColumn::Words("Detail"),
];

/// The log: `/console/log`.
pub fn log(page: &LogPage<'_>) -> Markup {
    let beside = html! {
        (weekly(page.review, page.desk.now))
        (panel("Newest checkpoint", listing(page.checkpoint)))
        (panel("Verify it yourself", verify()))
    };
    let main = html! {
        (tiles(&figures(page)))
        @for raised in page.alarms { (alarm(raised)) }
        div.split { (newest(page)) div { (beside) } }
    };
    Page::at(NavigationItem::Log, "Log").of(page.desk, main)
}

fn figures<'a>(page: &LogPage<'a>) -> [FigureTile<'a>; 4] {
    let Witnessing { cosigned, complete } = page.witnessing;
    let none_yet = |name| FigureTile::new(name, "none yet").tone(Tone::Warn);
    let by_quorum = "Cosigned by a quorum";
    [
        FigureTile::new("Leaves", number(page.leaves)).detail(html! { code { (page.log) } }),
        match complete {
            Some((leaves, at)) => {
                let complete = when(Time::from_seconds(*at));
                FigureTile::new(by_quorum, number(*leaves)).detail(html! { "complete " (complete) })
            }
            None => none_yet(by_quorum).detail("no quorum has cosigned this log"),
        },
        match cosigned {
            Some(leaves) => FigureTile::new("Cosigned by any witness", number(*leaves)),
            None => none_yet("Cosigned by any witness"),
        },
        match page.doors {
            Doors::Open => FigureTile::new("The box is", "in service").tone(Tone::Good),
            Doors::Waiting => {
                FigureTile::new("The box is", "waiting for witnesses").tone(Tone::Warn)
            }
            Doors::Shut(why) => {
                FigureTile::new("The box is", "stopped").tone(Tone::Bad).detail(why)
            }
        },
    ]
}

fn alarm(raised: &Raised) -> Markup {
    alarm_note(html! {
        (capital(&raised.what)) @if let Some(leaf) = raised.leaf { " (leaf " (leaf) ")" }
    })
}

fn newest(page: &LogPage<'_>) -> Markup {
    let rows = html! {
        @for (leaf, kind, time) in page.newest { (newest_row(*leaf, *kind, *time)) }
    };
    let content = html! {
        p.quiet { "Whoever opens a detail is recorded in the log." }
        (table(TableName::Heading("newest-title"), &COLUMNS, rows))
    };
    named_panel("newest-title", "Newest leaves", content)
}

fn newest_row(leaf: u64, kind: LeafKind, time: Time) -> Markup {
    let open = html! { "Open" (unseen(format_args!(" leaf {leaf}"))) };
    html! {
        tr {
            th.number scope="row" { (leaf) }
            td { (when(time)) }
            td { (kind.words()) br; code.quiet { (kind.name()) } }
            td { (leaf_link(leaf, open)) }
        }
    }
}

fn verify() -> Markup {
    html! {
        p {
            "On your own machine. LOG is a folder for the copy; FILE holds the log's keys, which \
             you need from somebody else than this box."
        }
        (listing("smrtctl log export LOG --witnessed ...\nsmrtctl log verify LOG --keys FILE"))
        p {
            "The second command works offline: it hashes every leaf, checks every checkpoint and \
             cosignature against the leaves, and names each place where something is wrong."
        }
    }
}

/// What nobody went through yet, and the word that somebody did.
fn weekly(review: &LogReview, now: Time) -> Markup {
    let LogReview { first, last, due, end, kinds } = review;
    let late = *due < now;
    let due = html! { (when(*due)) @if late { span.bad { " overdue" } } };
    let since = format!("{} leaves, from {first} on", number(end - first));
    let counted = html! {
        ul { @for (kind, found) in kinds { (kind_line(*kind, *found)) } }
    };
    let content = html! {
        (facts(&[
            ("Last review", when(*last)),
            ("Next due", due),
            ("Not reviewed", html! { (since) }),
        ]))
        (folded("How many of each kind", counted))
        (went_through(*end))
    };
    alarm_panel(late, "Weekly review of the log", content)
}

fn kind_line(kind: LeafKind, found: u64) -> Markup {
    html! {
        li { (number(found)) " " code { (kind.name()) } span.quiet { " " (kind.gist()) } }
    }
}

fn went_through(end: u64) -> Markup {
    let note = Field::required("note", "What you found")
        .id("look-note")
        .hint(
            "Refusals, log-ons, locked accounts, changes of the roster, alarms: what was unusual, \
             and what was done about it.",
        )
        .chars_max(TEXT_CHARS_MAX);
    let button = html! {
        button { "I went through the log up to leaf " (end.saturating_sub(1)) }
    };
    Form::new("POST /v1/log/looks").then_again().of(html! {
        (hidden_number("end", end))
        (note.line())
        (ending(button))
    })
}

/// One leaf, opened: `/console/log/{leaf}`.
pub fn leaf(page: &LeafPage<'_>) -> Markup {
    let about = facts(&[
        ("What", html! { (page.kind.words()) }),
        ("Kind", html! { code { (page.kind.name()) } }),
        ("When", when(page.time)),
        ("Follows", follows(page.follows)),
    ]);
    let detail = html! {
        @match page.detail {
            Some(detail) => (listing(format_args!("{detail:#}"))),
            None => (empty(DELETED)),
        }
        @if let Some(search) = page.search { (fetch_probe(search)) }
    };
    let main = html! {
        section.panel { (about) }
        (panel("Detail", detail))
        p { a href="/console/log" { "Back to the log" } }
    };
    Page::at(NavigationItem::Log, &format!("Leaf {}", page.leaf)).of(page.desk, main)
}

fn follows(leaves: &[u64]) -> Markup {
    html! {
        @if leaves.is_empty() { "none" }
        @for (at, leaf) in leaves.iter().enumerate() {
            @if at > 0 { ", " }
            (leaf_link(*leaf, format_args!("leaf {leaf}")))
        }
    }
}

fn fetch_probe(search: &str) -> Markup {
    html! {
        p {
            a href={ "/v1/log/probes/" (search) } download={ "probe-" (search) } {
                "Fetch the probe as it was received"
            }
            span.quiet { " (the log records it)" }
        }
    }
}
