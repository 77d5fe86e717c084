//! The form by which an examiner judges one candidate: features alike or different, a note, and
//! the disposition.

use maud::{Markup, html};

use super::candidates::CandidateEntry;
use super::form::{Field, Form, ending, revision};
use crate::inquiry::{Component, Disposition, Feature, Inquiry, Seen};
use crate::limits::TEXT_CHARS_MAX;
use crate::wording::capital;

/// The judgement of a candidate that has none yet.
pub(super) fn judgement_form(inquiry: &Inquiry, entry: &CandidateEntry<'_>) -> Markup {
    let note = Field::optional("finding.note", "Note").chars_max(TEXT_CHARS_MAX);
    let form = Form::new(format!("POST /v1/inquiries/{}/findings", inquiry.id()));
    form.id("judge").then_again().of(html! {
        (revision(inquiry.revision()))
        input type="hidden" name="finding.candidate" value=(entry.ranked.version) required;
        (find_feature())
        (features(entry))
        (note.line())
        (dispositions())
        (ending(html! { button.main { "Record the disposition" } }))
    })
}

fn find_feature() -> Markup {
    html! {
        div.inline {
            label for="find-feature" { "Features " span.quiet #noted { "0 alike, 0 different" } }
            input type="search" #find-feature data-keys="f" placeholder="Find one"
                autocomplete="off";
        }
    }
}

fn features(entry: &CandidateEntry<'_>) -> Markup {
    html! {
        div.features tabindex="0" role="region"
            aria-label={ "Features of candidate " (entry.at + 1) } {
            @for of in Component::ALL {
                fieldset.component data-words=(of.words()) {
                    legend { (capital(of.words())) }
                    @for feature in of.features() { (feature_field(*feature)) }
                }
            }
        }
    }
}

fn feature_field(feature: Feature) -> Markup {
    let code = feature.code();
    html! {
        fieldset.feature data-words=(feature.words()) {
            legend { span { (feature.words()) } }
            div.seg {
                (seen(code, None, "Not noted", "\u{2013}"))
                (seen(code, Some(Seen::Similarity), "Alike", "Alike"))
                (seen(code, Some(Seen::Difference), "Different", "Differs"))
            }
        }
    }
}

/// One way in which a feature may have been seen.
fn seen(code: &str, seen: Option<Seen>, words: &str, short: &str) -> Markup {
    let name = seen.map_or("", Seen::name);
    let value = match seen {
        None => String::new(),
        Some(_) => format!("{{\"feature\":\"{code}\",\"seen\":\"{name}\"}}"),
    };
    html! {
        label {
            input type="radio" name={ "seen-" (code) } value=(value)
                data-into="finding.observations" data-seen=(name) aria-label=(words)
                checked[seen.is_none()];
            span aria-hidden="true" { (short) }
        }
    }
}

fn dispositions() -> Markup {
    html! {
        fieldset.bare {
            legend { "Disposition" }
            div.seg.three {
                @for (key, of) in (1..).zip(Disposition::ALL) { (disposition(key, of)) }
            }
            p.hint {
                "A lead needs at least one feature alike, no lead at least one that differs. A \
                 lead is never an identification."
            }
        }
    }
}

/// One disposition, which the key of its number chooses.
fn disposition(key: u8, of: Disposition) -> Markup {
    let words = if of == Disposition::Lead { "lead" } else { of.words() };
    html! {
        label {
            input type="radio" name="finding.disposition" value=(of.name()) required
                data-keys=(key);
            span { kbd { (key) } " " (capital(words)) }
        }
    }
}
