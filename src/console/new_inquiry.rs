//! A new inquiry: every field that the order wants, and what is refused, said before it is.

use maud::{Markup, html};

use super::components::panel;
use super::form::{Field, Form, choice, ending};
use super::layout::{DeskContext, Page};
use super::navigation::NavigationItem;
use crate::booking::{Identifier, Text};
use crate::inquiry::{Attestations, NumberPattern, PurposeField, PurposeKind};
use crate::limits::{
    CANDIDATES_DEFAULT, REASON_CHARS_MAX, REASON_CHARS_MIN, REVIEWED_CANDIDATES_MAX, TEXT_CHARS_MAX,
};
use crate::wording::capital;

/// An agency that may ask today.
#[derive(Clone, Debug)]
pub struct AgencyChoice {
    /// Its name in requests.
    pub id: Identifier,
    /// Its name in words.
    pub name: Text,
    /// How it writes its complaint numbers, where that is set.
    pub pattern: Option<NumberPattern>,
}

/// What the form for a new inquiry needs to know.
#[derive(Clone, Debug)]
pub struct NewInquiryPage<'a> {
    pub desk: &'a DeskContext,
    /// Agencies that may ask today.
    pub agencies: &'a [AgencyChoice],
}

/// A new inquiry: `/console/inquiries/new`.
pub fn new_inquiry(page: &NewInquiryPage<'_>) -> Markup {
    let form = Form::new("POST /v1/inquiries").then("/console/inquiries/{inquiry}/probe");
    let main = form.of(html! {
        div.columns {
            div { (requester(page.agencies)) (reference(page.agencies)) }
            (purpose())
        }
        (reason())
        (attestations())
        (panel("What happens next", next()))
    });
    Page::at(NavigationItem::NewInquiry, "New inquiry").of(page.desk, main)
}

fn next() -> Markup {
    html! {
        p {
            "You hand over the probe and choose a face. Nothing is searched before you have \
             approved exactly that by touching your key."
        }
        (ending(html! {
            button.main { "Open the inquiry" }
            a href="/console/work" { "Back to my work" }
        }))
    }
}

fn requester(agencies: &[AgencyChoice]) -> Markup {
    let choices: Vec<(String, String)> =
        agencies.iter().map(|agency| (agency.id.to_string(), agency.name.to_string())).collect();
    let name = Field::required("requester.name", "Name of the detective or officer")
        .hint(
            "A person's name. A title alone is refused, and so is your own name: nobody runs \
             their own request.",
        )
        .chars_max(TEXT_CHARS_MAX);
    let badge = Field::required("requester.badge", "Badge")
        .hint("As the agency writes it.")
        .chars_max(TEXT_CHARS_MAX);
    let agency = Field::required("requester.agency", "Agency")
        .hint("Only agencies whose agreement or admission is in force.");
    html! {
        fieldset {
            legend { "Who asks" }
            (name.line())
            (badge.line())
            (agency.one_of(&choices))
        }
    }
}

fn reference(agencies: &[AgencyChoice]) -> Markup {
    let complaint = html! {
        input type="radio" id="reference-complaint" name="reference.kind" value="complaint_number"
            required data-shows="complaint";
    };
    let other = html! {
        input type="radio" id="reference-other" name="reference.kind" value="other" required
            data-shows="other-reference";
    };
    html! {
        fieldset {
            legend { "Which case" }
            (choice(complaint, "reference-complaint", "A complaint number"))
            (shown_when("complaint", "Complaint number", &complaint_number(agencies)))
            (choice(other, "reference-other", "Another identifier"))
            (shown_when("other-reference", "Another identifier", &other_identifier()))
        }
    }
}

/// Fields that are shown, and sent, while the radio button that names them is chosen.
fn shown_when(id: &str, legend: &str, fields: &Markup) -> Markup {
    html! {
        fieldset.bare.when id=(id) hidden disabled {
            legend.unseen { (legend) }
            (fields)
        }
    }
}

fn complaint_number(agencies: &[AgencyChoice]) -> Markup {
    let patterns: Vec<(&Text, String)> = agencies
        .iter()
        .filter_map(|agency| Some((&agency.name, agency.pattern.as_ref()?.to_string())))
        .collect();
    let number = Field::required("reference.number", "Complaint number")
        .hint("Placeholders, zeros and numbers that the agency wouldn't write are refused.")
        .chars_max(TEXT_CHARS_MAX);
    html! {
        (number.line())
        @if !patterns.is_empty() {
            p.hint { "As these agencies write them (9 is a digit, A a letter, * either):" }
            ul.plain.small {
                @for (agency, pattern) in &patterns { li { (agency) ": " code { (pattern) } } }
            }
        }
    }
}

fn other_identifier() -> Markup {
    let kind = Field::required("reference.description", "Kind")
        .hint("What kind of number it is, for example a warrant number.")
        .chars_max(TEXT_CHARS_MAX);
    let number = Field::required("reference.number", "Identifier")
        .id("other-number")
        .chars_max(TEXT_CHARS_MAX);
    html! { (kind.line()) (number.line()) }
}

fn purpose() -> Markup {
    html! {
        fieldset {
            legend { "What for" }
            p.hint { "The order allows these purposes and no others." }
            @for kind in PurposeKind::ALL { (purpose_choice(kind)) }
        }
    }
}

/// One purpose of the list, with the fields that it states beside itself.
fn purpose_choice(kind: PurposeKind) -> Markup {
    let id = format!("purpose-{}", kind.name());
    let shows = (!kind.fields().is_empty()).then(|| format!("{id}-more"));
    let button = html! {
        input type="radio" id=(id) name="purpose.kind" value=(kind.name()) required
            data-shows=[&shows];
    };
    let fields = html! { @for field in kind.fields() { (purpose_field(field)) } };
    html! {
        (choice(button, &id, kind.words()))
        @if let Some(shows) = &shows { (shown_when(shows, kind.short(), &fields)) }
    }
}

fn purpose_field(of: &PurposeField) -> Markup {
    let name = format!("purpose.{}", of.name);
    let field = Field::required(&name, of.label).hint(of.hint);
    if of.is_date { field.date() } else { field.chars_max(TEXT_CHARS_MAX).line() }
}

fn reason() -> Markup {
    let hint = format!(
        "{REASON_CHARS_MIN} to {REASON_CHARS_MAX} characters in words: what happened, and why this \
         face. A placeholder, one thing said over and over, or the reference and the source once \
         more are refused."
    );
    let default = CANDIDATES_DEFAULT.to_string();
    let most = format!("1 to {REVIEWED_CANDIDATES_MAX}. Two examiners look at each of them.");
    let reason = Field::required("reason", "Reason").hint(&hint).chars_max(REASON_CHARS_MAX);
    let source = Field::required("probe_source", "Where the photo comes from")
        .hint("For example which camera, and how it was exported.")
        .chars_max(TEXT_CHARS_MAX);
    let candidates =
        Field::required("candidates", "Candidates, at most").hint(&most).value(&default);
    html! {
        fieldset {
            legend { "Why, and with which photo" }
            (reason.lines())
            div.row { (source.line()) (candidates.whole(1, REVIEWED_CANDIDATES_MAX as u64)) }
        }
    }
}

fn attestations() -> Markup {
    html! {
        fieldset {
            legend { "What you attest" }
            p.hint {
                "You sign these by touch before the search, and auditors read them. Without all \
                 three there is no search."
            }
            @for (name, statement) in Attestations::STATEMENTS { (attestation(name, statement)) }
        }
    }
}

fn attestation(name: &str, statement: &str) -> Markup {
    let id = format!("attest-{name}");
    let tick = html! {
        input type="checkbox" id=(id) name={ "attestations." (name) } value="true" required;
    };
    choice(tick, &id, format_args!("{}.", capital(statement)))
}
