//! A new inquiry: every field that the order wants, and what is refused, said before it is.

use maud::{Markup, html};

use super::inquiry_facts::purpose_words;
use super::components::{Field, date, ending, line, lines, one_of, whole};
use super::layout::{Desk, Here, Page, inside};
use crate::booking::{Identifier, Text};
use crate::inquiry::{Attestations, NumberPattern, PurposeField, PurposeKind};
use crate::limits::{
    CANDIDATES_DEFAULT, REASON_CHARS_MAX, REASON_CHARS_MIN, REVIEWED_CANDIDATES_MAX, TEXT_CHARS_MAX,
};

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
pub struct RequestView<'a> {
    /// Who is here.
    pub desk: &'a Desk,
    /// Agencies that may ask today.
    pub agencies: &'a [AgencyChoice],
}

/// A new inquiry: `/console/inquiries/new`.
pub fn request(view: &RequestView<'_>) -> Markup {
    let main = html! {
        form data-verb="POST /v1/inquiries" data-next="/console/inquiries/{inquiry}/probe" {
            div.columns {
                div {
                    (requester(view.agencies))
                    (reference(view.agencies))
                }
                (purpose())
            }
            (reason())
            (attestations())
            section.panel {
                h2 { "What happens next" }
                p { "You hand over the probe and choose a face. Nothing is searched before you \
                    have approved exactly that by touching your key." }
                (ending(&html! { button.main { "Open the inquiry" }
                    a href="/console/work" { "Back to my work" } }))
            }
        }
    };
    inside(
        view.desk,
        &Page {
            here: Here::Request,
            title: "New inquiry",
            beside: html! {},
            wide: false,
            scripts: &[],
            keys: &[],
        },
        &main,
    )
}

fn requester(agencies: &[AgencyChoice]) -> Markup {
    let choices: Vec<(String, String)> =
        agencies.iter().map(|agency| (agency.id.to_string(), agency.name.to_string())).collect();
    html! {
        fieldset {
            legend { "Who asks" }
            (line(Field {
                name: "requester.name", label: "Name of the detective or officer", required: true,
                    most: TEXT_CHARS_MAX,
                hint: "A person's name. A title alone is refused, and so is your own name: nobody \
                    runs their own request.", ..Field::default()
            }))
            (line(Field {
                name: "requester.badge", label: "Badge", hint: "As the agency numbers them.",
                    required: true, most: TEXT_CHARS_MAX, ..Field::default()
            }))
            (one_of(Field { name: "requester.agency", label: "Agency",
                hint: "Only agencies whose agreement or admission is in force.", required: true,
                ..Field::default() }, &choices))
        }
    }
}

fn reference(agencies: &[AgencyChoice]) -> Markup {
    let patterns: Vec<(&Text, String)> = agencies
        .iter()
        .filter_map(|agency| Some((&agency.name, agency.pattern.as_ref()?.to_string())))
        .collect();
    html! {
        fieldset {
            legend { "Which case" }
            div.choice {
                input type="radio" id="reference-complaint" name="reference.kind"
                    value="complaint_number" required data-shows="complaint";
                label for="reference-complaint" { "A complaint number" }
            }
            fieldset.bare.when #complaint hidden disabled {
                legend.unseen { "Complaint number" }
                (line(Field {
                    name: "reference.number", label: "Complaint number", required: true,
                        most: TEXT_CHARS_MAX,
                    hint: "Placeholders, zeros and numbers that the agency wouldn't write are \
                        refused.", ..Field::default()
                }))
                @if !patterns.is_empty() {
                    p.hint { "As these agencies write them (9 is a digit, A a letter, * any of \
                        both):" }
                    ul.plain.small { @for (agency, pattern)
                        in &patterns { li { (agency) ": " code { (pattern) } } } }
                }
            }
            div.choice {
                input type="radio" id="reference-other" name="reference.kind" value="other"
                    required data-shows="other-reference";
                label for="reference-other" { "Another identifier" }
            }
            fieldset.bare.when #other-reference hidden disabled {
                legend.unseen { "Another identifier" }
                (line(Field {
                    name: "reference.description", label: "Kind", hint: "What it is a number of.",
                        required: true, most: TEXT_CHARS_MAX, ..Field::default()
                }))
                (line(Field { name: "reference.number", id: "other-number", label: "Identifier",
                    required: true, most: TEXT_CHARS_MAX, ..Field::default() }))
            }
        }
    }
}

fn purpose() -> Markup {
    html! {
        fieldset {
            legend { "What for" }
            p.hint { "The order's closed list. What fits none of these is not searched." }
            @for kind in PurposeKind::ALL {
                @let name = kind.name();
                @let shows = (!kind.fields().is_empty()).then(|| format!("purpose-{name}-more"));
                div.choice {
                    input type="radio" id={ "purpose-" (name) } name="purpose.kind" value=(name)
                        required data-shows=[&shows];
                    label for={ "purpose-" (name) } { (kind.words()) }
                }
                @if shows.is_some() {
                    fieldset.bare.when id=[&shows] hidden disabled {
                        legend.unseen { (kind.short()) }
                        @for field in kind.fields() { (purpose_field(field)) }
                    }
                }
            }
        }
    }
}

/// A field that a purpose states beside itself.
fn purpose_field(of: &PurposeField) -> Markup {
    let name = format!("purpose.{}", of.name);
    let field =
        Field { name: &name, label: of.label, hint: of.hint, required: true, ..Field::default() };
    if of.is_date { date(field) } else { line(Field { most: TEXT_CHARS_MAX, ..field }) }
}

fn reason() -> Markup {
    let hint = format!(
        "{REASON_CHARS_MIN} to {REASON_CHARS_MAX} characters in words: what happened, and why this \
         face. A placeholder, one thing said over and over, \
         or the reference and the source once more are refused."
    );
    let default = CANDIDATES_DEFAULT.to_string();
    let most = format!("1 to {REVIEWED_CANDIDATES_MAX}. Two examiners look at each of them.");
    html! {
        fieldset {
            legend { "Why, and with which photo" }
            (lines(Field { name: "reason", label: "Reason", hint: &hint, required: true,
                most: REASON_CHARS_MAX, ..Field::default() }))
            div.row {
                (line(Field {
                    name: "probe_source", label: "Where the photo comes from", required: true,
                        most: TEXT_CHARS_MAX,
                    hint: "For example which camera, and how it was exported.", ..Field::default()
                }))
                (whole(
                    Field { name: "candidates", label: "Candidates, at most", hint: &most,
                        required: true, value: &default, ..Field::default() },
                    1,
                    REVIEWED_CANDIDATES_MAX as u64,
                ))
            }
        }
    }
}

fn attestations() -> Markup {
    html! {
        fieldset {
            legend { "What you attest" }
            p.hint { "You sign these by touch before the search, and auditors read them. Without \
                each of them nothing is searched." }
            @for (name, statement) in Attestations::STATEMENTS {
                div.choice {
                    input type="checkbox" id={ "attest-" (name) } name={ "attestations." (name) }
                        value="true" required;
                    label for={ "attest-" (name) } { (sentence(statement)) "." }
                }
            }
        }
    }
}
