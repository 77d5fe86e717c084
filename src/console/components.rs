//! What pages are made of: words for times and names, fields with their labels, places for
//! refusals.

use maud::{Markup, html};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::inquiry::NOTE;
use crate::roster::Role;

const MINUTE_CS: u64 = 6_000;

/// A field's words and bounds.
#[derive(Clone, Copy, Default)]
pub(super) struct Field<'a> {
    /// The name that its value has in the verb's JSON.
    pub(super) name: &'a str,
    /// What is wanted.
    pub(super) label: &'a str,
    /// How, and what is refused.
    pub(super) hint: &'a str,
    /// What it holds already.
    pub(super) value: &'a str,
    /// Whether it must be filled.
    pub(super) required: bool,
    /// Characters, at most; 0 where nothing bounds it.
    pub(super) most: usize,
    /// Its id on the page; made of its name where this is empty.
    pub(super) id: &'a str,
    /// Whether the page begins here.
    pub(super) first: bool,
}

/// A time to the minute, for eyes and machines.
///
/// Units: hundredths of a second since 1970-01-01 UTC.
pub(super) fn when(time_cs: u64) -> Markup {
    let time = i64::try_from(time_cs / 100)
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    let Some(time) = time else { return html! { "at no time that a calendar has" } };
    let machine = time
        .format(format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z"))
        .unwrap_or_default();
    let words = time
        .format(format_description!("[year]-[month]-[day] [hour]:[minute] UTC"))
        .unwrap_or_default();
    html! { time datetime=(machine) { (words) } }
}

/// How long ago, or how far ahead, in the largest unit that fits.
pub(super) fn span(from_cs: u64, to_cs: u64) -> String {
    let minutes = to_cs.abs_diff(from_cs) / MINUTE_CS;
    match minutes {
        0 => "less than a minute".to_owned(),
        1 => "1 minute".to_owned(),
        2..120 => format!("{minutes} minutes"),
        120..2_880 => format!("{} hours", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}

/// A number with its thousands apart.
pub(super) fn number(count: u64) -> String {
    let digits = count.to_string();
    let mut apart = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}

/// Many things of one kind, counted in words.
pub(super) fn count(of: usize, one: &str, many: &str) -> String {
    format!("{} {}", number(of as u64), if of == 1 { one } else { many })
}

/// A digest, whole.
pub(super) fn digest(hex: impl std::fmt::Display) -> Markup {
    html! { span.digest { (hex.to_string()) } }
}

/// The first letter made a capital.
pub(super) fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

/// A role without its article, for lists.
pub(super) fn role(role: Role) -> String {
    sentence(role.title())
}

/// The order's NOTE, where candidates are shown.
pub(super) fn note() -> Markup {
    html! { p.note { (NOTE) } }
}

/// Names and values, one below the other.
pub(super) fn facts(of: &[(&str, Markup)]) -> Markup {
    html! { dl.facts { @for (name, value) in of { dt { (name) } dd { (value) } } } }
}

/// Where a form says what goes on and what was refused, and its buttons.
pub(super) fn ending(buttons: &Markup) -> Markup {
    html! {
        div.refusal tabindex="-1" hidden {}
        div.actions { (buttons) }
        p.status role="status" {}
    }
}

impl Field<'_> {
    fn id(&self) -> String {
        if self.id.is_empty() {
            format!("f-{}", self.name.replace(['.', '_'], "-"))
        } else {
            self.id.to_owned()
        }
    }
}

fn described(field: &Field<'_>) -> Option<String> {
    (!field.hint.is_empty()).then(|| format!("{}-hint", field.id()))
}

fn around(field: &Field<'_>, input: &Markup) -> Markup {
    html! {
        div.field {
            label for=(field.id()) {
                (field.label)
                @if !field.required { span.quiet { " (may be left out)" } }
            }
            @if !field.hint.is_empty() { p.hint id={ (field.id()) "-hint" } { (field.hint) } }
            (input)
        }
    }
}

/// One line of text.
pub(super) fn line(field: Field<'_>) -> Markup {
    around(
        &field,
        &html! {
            input type="text" id=(field.id()) name=(field.name) value=(field.value)
                autocomplete="off" spellcheck="false" autofocus[field.first]
                required[field.required] maxlength=[(field.most > 0).then_some(field.most)]
                    aria-describedby=[described(&field)];
        },
    )
}

/// Text of several lines.
pub(super) fn lines(field: Field<'_>) -> Markup {
    around(
        &field,
        &html! {
            textarea id=(field.id()) name=(field.name)
                required[field.required] maxlength=[(field.most > 0).then_some(field.most)]
                aria-describedby=[described(&field)] { (field.value) }
        },
    )
}

/// A whole number within bounds.
pub(super) fn whole(field: Field<'_>, least: u64, most: u64) -> Markup {
    around(
        &field,
        &html! {
            input type="number" id=(field.id()) name=(field.name) value=(field.value)
                data-type="number" min=(least) max=(most) step="1"
                required[field.required] aria-describedby=[described(&field)];
        },
    )
}

/// A date.
pub(super) fn date(field: Field<'_>) -> Markup {
    around(
        &field,
        &html! {
            input type="date" id=(field.id()) name=(field.name) value=(field.value)
                required[field.required]
                aria-describedby=[described(&field)];
        },
    )
}

/// One of a list; each with its value and its words. Nothing is chosen beforehand unless
/// `field.value` says so.
pub(super) fn one_of(field: Field<'_>, choices: &[(String, String)]) -> Markup {
    around(
        &field,
        &html! {
            select id=(field.id()) name=(field.name)
                required[field.required] aria-describedby=[described(&field)] {
                option value="" selected[field.value.is_empty()] { "Choose" }
                @for (value, words) in choices {
                    option value=(value) selected[field.value == value] { (words) } }
            }
        },
    )
}

/// The revision on which a form's verb is decided.
pub(super) fn revision(of: u64) -> Markup {
    html! { input type="hidden" name="revision" value=(of) data-type="number" required; }
}
