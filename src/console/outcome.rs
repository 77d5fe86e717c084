//! What became of a report, for the page of the report.

use maud::{Markup, html};

use super::components::{empty, facts, panel, when};
use super::form::{Field, Form, ending, revision};
use crate::inquiry::{Inquiry, Recorded, Upshot};
use crate::limits::{REASON_CHARS_MAX, REASON_CHARS_MIN, TEXT_CHARS_MAX};
use crate::wording::capital;

/// What became of an inquiry's report, or the form that asks for it.
pub(super) fn outcome(inquiry: &Inquiry, operates: bool) -> Markup {
    let content = match inquiry.outcome() {
        Some(recorded) => known(inquiry, recorded),
        None if operates => form(inquiry),
        None => empty("Not recorded yet."),
    };
    panel("Outcome", content)
}

fn known(inquiry: &Inquiry, recorded: &Recorded) -> Markup {
    let evidence = recorded.outcome.independent_evidence.as_deref().unwrap_or("none stated");
    let number = html! {
        @match inquiry.leads_number() { Some(number) => (number), None => "none" }
    };
    facts(&[
        ("What became of it", html! { (capital(recorded.outcome.upshot.words())) }),
        ("Independent evidence", html! { (evidence) }),
        ("I/Leads number", number),
        ("Recorded", html! { (when(recorded.at_cs)) " by " (recorded.by.id) }),
    ])
}

fn form(inquiry: &Inquiry) -> Markup {
    let hint = format!(
        "What supports the outcome beside this report, in {REASON_CHARS_MIN} to \
         {REASON_CHARS_MAX} characters. Needed for an arrest, an identification, or a person found."
    );
    let choices = Upshot::ALL.map(|upshot| (upshot.name().to_owned(), capital(upshot.words())));
    let upshot = Field::required("outcome.upshot", "What became of it");
    let evidence = Field::optional("outcome.independent_evidence", "Independent evidence")
        .hint(&hint)
        .chars_max(REASON_CHARS_MAX);
    let number = Field::optional("outcome.leads_number", "I/Leads number")
        .hint("Needed for a positive identification, and where the report is evidence.")
        .chars_max(TEXT_CHARS_MAX);
    Form::new(format!("POST /v1/inquiries/{}/outcome", inquiry.id())).then_again().of(html! {
        (revision(inquiry.revision()))
        (upshot.one_of(&choices))
        (evidence.lines())
        (number.line())
        (ending(html! { button.main { "Record the outcome" } }))
    })
}
