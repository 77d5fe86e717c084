//! Components: panels, tables, lists of facts, tiles and the like, of which pages are built.

use std::fmt::Display;

use maud::{Markup, Render, html};

use crate::calendar::Time;
use crate::inquiry::NOTE;
use crate::roster::Role;
use crate::wording::{self, capital};

/// How something stands, as a colour.
#[derive(Clone, Copy)]
pub(super) enum Tone {
    Plain,
    Quiet,
    Good,
    Warn,
    Bad,
}

/// A column of a table, by its heading.
#[derive(Clone, Copy)]
pub(super) enum TableColumn<'a> {
    Words(&'a str),
    /// Numbers stand to the right.
    Numbers(&'a str),
}

/// What names a table to a screen reader.
#[derive(Clone, Copy)]
pub(super) enum TableName<'a> {
    /// The id of the heading above it.
    Heading(&'a str),
    /// Words that stand nowhere else.
    Words(&'a str),
}

/// A figure with its name, one of several in a row.
pub(super) struct FigureTile<'a> {
    name: &'a str,
    value: Markup,
    tone: Tone,
    detail: Option<Markup>,
}

impl Tone {
    fn class(self) -> Option<&'static str> {
        Some(match self {
            Self::Plain => return None,
            Self::Quiet => "quiet",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        })
    }

    /// Words in this tone.
    pub(super) fn of(self, words: impl Render) -> Markup {
        html! { span class=[self.class()] { (words) } }
    }
}

impl Render for TableColumn<'_> {
    fn render(&self) -> Markup {
        match self {
            Self::Words(heading) => html! { th scope="col" { (heading) } },
            Self::Numbers(heading) => html! { th.number scope="col" { (heading) } },
        }
    }
}

impl TableName<'_> {
    fn label(&self) -> Option<&str> {
        match self {
            Self::Heading(_) => None,
            Self::Words(words) => Some(words),
        }
    }

    fn heading(&self) -> Option<&str> {
        match self {
            Self::Heading(id) => Some(id),
            Self::Words(_) => None,
        }
    }
}

impl<'a> FigureTile<'a> {
    pub(super) fn new(name: &'a str, value: impl Render) -> Self {
        Self { name, value: value.render(), tone: Tone::Plain, detail: None }
    }

    pub(super) fn tone(self, tone: Tone) -> Self {
        Self { tone, ..self }
    }

    /// What stands below the value.
    pub(super) fn detail(self, words: impl Render) -> Self {
        Self { detail: Some(words.render()), ..self }
    }
}

impl Render for FigureTile<'_> {
    fn render(&self) -> Markup {
        html! {
            div {
                dt { (self.name) }
                dd class=[self.tone.class()] { (self.value) }
                @if let Some(detail) = &self.detail { dd.small { (detail) } }
            }
        }
    }
}

/// Tiles in a row.
pub(super) fn tiles(of: &[FigureTile<'_>]) -> Markup {
    html! { dl.tiles { @for tile in of { (tile) } } }
}

/// A panel with its heading.
pub(super) fn panel(title: impl Render, content: impl Render) -> Markup {
    html! { section.panel { h2 { (title) } (content) } }
}

/// A panel that stands out where something is wrong.
pub(super) fn alarm_panel(alarm: bool, title: impl Render, content: impl Render) -> Markup {
    html! { section.panel .alarm[alarm] { h2 { (title) } (content) } }
}

/// A panel whose heading names what is in it.
pub(super) fn named_panel(id: &str, title: impl Render, content: impl Render) -> Markup {
    html! { section.panel { h2 id=(id) { (title) } (content) } }
}

/// A panel that is folded up until somebody opens it.
pub(super) fn folded_panel(summary: impl Render, content: impl Render) -> Markup {
    html! { details.panel { summary { (summary) } (content) } }
}

/// A part of a panel that is folded up until somebody opens it.
pub(super) fn folded(summary: impl Render, content: impl Render) -> Markup {
    html! { details { summary { (summary) } (content) } }
}

/// A notice that something is wrong.
pub(super) fn alarm_note(words: impl Render) -> Markup {
    html! { p.note.alarm { (words) } }
}

/// What is said where a list is empty.
pub(super) fn empty(words: &str) -> Markup {
    html! { p.empty { (words) } }
}

/// What is said where a whole page is empty.
pub(super) fn empty_panel(words: &str) -> Markup {
    html! { p.panel.empty { (words) } }
}

/// The order's NOTE, where candidates are shown.
pub(super) fn order_note() -> Markup {
    html! { p.note { (NOTE) } }
}

/// Names and values, one below the other.
pub(super) fn facts(of: &[(&str, Markup)]) -> Markup {
    html! { dl.facts { @for (name, value) in of { dt { (name) } dd { (value) } } } }
}

/// A table that scrolls where it is wider than its place; `rows` are its `tr`.
pub(super) fn table(name: TableName<'_>, columns: &[TableColumn<'_>], rows: impl Render) -> Markup {
    html! {
        div.scroll tabindex="0" role="region"
            aria-labelledby=[name.heading()] aria-label=[name.label()] {
            table {
                thead { tr { @for column in columns { (column) } } }
                tbody { (rows) }
            }
        }
    }
}

/// Text of a machine, as it is.
pub(super) fn listing(text: impl Render) -> Markup {
    html! { pre.scroll tabindex="0" { code { (text) } } }
}

/// A role without its article, for lists.
pub(super) fn role_title(role: Role) -> String {
    capital(role.title())
}

/// A digest, whole.
pub(super) fn digest(hex: impl Display) -> Markup {
    html! { span.digest { (hex.to_string()) } }
}

/// A time to the minute, for eyes and machines.
pub(super) fn when(time: Time) -> Markup {
    let (machine, words) = (wording::timestamp(time), wording::minute(time));
    html! {
        @if let (Some(machine), Some(words)) = (machine, words) {
            time datetime=(machine) { (words) }
        } @else { "at no time that a calendar has" }
    }
}

/// What only a screen reader says: of whom or what a link or button is.
pub(super) fn unseen(words: impl Display) -> Markup {
    html! { span.unseen { (words.to_string()) } }
}

/// The link to a leaf's detail in an auditor's log.
pub(super) fn leaf_link(leaf: u64, words: impl Render) -> Markup {
    html! { a href={ "/console/log/" (leaf) } { (words) } }
}
