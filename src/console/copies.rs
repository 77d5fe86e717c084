//! Further copies of issued reports: the commander orders one, an auditor gives it out.

use maud::{Markup, html};

use super::components::{TableColumn, TableName, Tone, empty_panel, named_panel, table, when};
use super::form::{Field, Form, ending};
use super::layout::{DeskContext, Page};
use super::navigation::NavigationItem;
use crate::limits::{COPY_ORDER_DAYS_MAX, REASON_CHARS_MAX, REASON_CHARS_MIN, TEXT_CHARS_MAX};
use crate::roster::Duty;
use crate::service::OrderedCopy;

const COLUMNS: [TableColumn<'_>; 4] = [
    TableColumn::Words("Ordered"),
    TableColumn::Words("For"),
    TableColumn::Words("Why"),
    TableColumn::Words("Given out"),
];

/// Further copies of reports, as the commander or an auditor sees them.
#[derive(Clone, Debug)]
pub struct CopiesPage<'a> {
    pub desk: &'a DeskContext,
    /// All that were ordered, the newest first.
    pub copies: &'a [OrderedCopy],
}

/// Further copies of reports: `/console/copies`.
pub fn copies(page: &CopiesPage<'_>) -> Markup {
    let CopiesPage { desk, copies } = *page;
    let main = html! {
        p {
            "Once an inquiry is closed, its people are not given its report any more. A further \
             copy takes two: the commander orders it, an auditor gives it out, each by touch. An \
             order holds for " (COPY_ORDER_DAYS_MAX) " days."
        }
        @if desk.may(Duty::Command) { (named_panel("order", "Order a copy", order())) }
        @if copies.is_empty() { (empty_panel("No copy was ordered.")) } @else {
            (named_panel("copies", "Copies that were ordered", ordered(page)))
        }
    };
    Page::at(NavigationItem::Copies, "Copies of reports").of(desk, main)
}

fn order() -> Markup {
    let inquiry = Field::required("inquiry", "Inquiry")
        .hint("32 digits, as the report names it.")
        .chars_max(32);
    let receiver = Field::required("order.received_by", "For").hint("A person's name.");
    let of = Field::required("order.of", "Of which agency, court or office");
    let hint = format!("In {REASON_CHARS_MIN} to {REASON_CHARS_MAX} characters.");
    let why = Field::required("order.reason", "Why").hint(&hint).chars_max(REASON_CHARS_MAX);
    Form::new("POST /v1/copies").touched("POST /v1/copies/challenge").then_again().of(html! {
        (inquiry.line())
        (receiver.chars_max(TEXT_CHARS_MAX).line())
        (of.chars_max(TEXT_CHARS_MAX).line())
        (why.lines())
        (ending(html! { button.main { "Order the copy by touch" } }))
    })
}

fn ordered(page: &CopiesPage<'_>) -> Markup {
    let rows = html! { @for copy in page.copies { (row(page.desk, copy)) } };
    table(TableName::Heading("copies"), &COLUMNS, rows)
}

fn row(desk: &DeskContext, copy: &OrderedCopy) -> Markup {
    let further = &copy.further;
    html! {
        tr {
            td {
                (when(further.at_cs)) " by " (further.by.id)
                br; code.small { (copy.inquiry) }
            }
            td { (further.order.received_by) br; span.quiet.small { (further.order.of) } }
            td { (further.order.reason) }
            td {
                @match &further.given {
                    Some(given) => { (when(given.at_cs)) " by " (given.by.id) }
                    None if desk.may(Duty::Audit) => (give(copy)),
                    None => (Tone::Warn.of("not yet")),
                }
            }
        }
    }
}

/// The way to a copy: the answer is the file, which the browser keeps.
fn give(copy: &OrderedCopy) -> Markup {
    let verb = format!("POST /v1/copies/{}/{}", copy.inquiry, copy.copy);
    let button = html! { button.main { "Give out by touch" } };
    Form::new(&*verb).touched(format!("{verb}/challenge")).then_again().of(ending(button))
}
