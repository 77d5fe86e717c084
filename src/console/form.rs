//! Forms: each sends one verb of the box, by the attributes that `assets/form.js` reads.

use maud::{Markup, Render, html};

/// A form that sends a verb.
#[derive(Default)]
pub(super) struct Form<'a> {
    verb: String,
    challenge: Option<String>,
    next: Option<&'a str>,
    sure: Option<&'a str>,
    id: Option<&'a str>,
    panel: bool,
    unlocks: bool,
}

/// A field of a form with its label.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    /// The name that its value has in the verb's JSON.
    name: &'a str,
    label: &'a str,
    hint: &'a str,
    value: &'a str,
    required: bool,
    chars_max: Option<usize>,
    /// Its id on the page; made of its name where there is none.
    id: Option<&'a str>,
    /// Whether the page begins here.
    first: bool,
}

impl<'a> Form<'a> {
    pub(super) fn new(verb: impl Into<String>) -> Self {
        Self { verb: verb.into(), ..Self::default() }
    }

    /// Sent with a touch of the key, which answers this challenge.
    pub(super) fn touched(self, challenge: impl Into<String>) -> Self {
        Self { challenge: Some(challenge.into()), ..self }
    }

    /// Where to go then.
    pub(super) fn then(self, next: &'a str) -> Self {
        Self { next: Some(next), ..self }
    }

    /// The same page again then.
    pub(super) fn then_again(self) -> Self {
        self.then("")
    }

    /// Asked back before anything is sent.
    pub(super) fn sure(self, question: &'a str) -> Self {
        Self { sure: Some(question), ..self }
    }

    pub(super) fn id(self, id: &'a str) -> Self {
        Self { id: Some(id), ..self }
    }

    pub(super) fn panel(self) -> Self {
        Self { panel: true, ..self }
    }

    /// Unlocks a hidden screen.
    pub(super) fn unlocks(self) -> Self {
        Self { unlocks: true, ..self }
    }

    /// The form with what is in it.
    pub(super) fn of(&self, content: impl Render) -> Markup {
        html! {
            form class=[self.panel.then_some("panel")] id=[self.id] data-verb=(self.verb)
                data-challenge=[self.challenge.as_deref()] data-next=[self.next]
                data-sure=[self.sure] data-unlocks[self.unlocks] { (content) }
        }
    }
}

impl<'a> Field<'a> {
    /// A field that must be filled.
    pub(super) fn required(name: &'a str, label: &'a str) -> Self {
        Self { required: true, ..Self::optional(name, label) }
    }

    /// A field that may be left out.
    pub(super) fn optional(name: &'a str, label: &'a str) -> Self {
        Self {
            name,
            label,
            hint: "",
            value: "",
            required: false,
            chars_max: None,
            id: None,
            first: false,
        }
    }

    /// How to fill it, and what is refused.
    pub(super) fn hint(self, hint: &'a str) -> Self {
        Self { hint, ..self }
    }

    /// What it holds already.
    pub(super) fn value(self, value: &'a str) -> Self {
        Self { value, ..self }
    }

    pub(super) fn chars_max(self, chars: usize) -> Self {
        Self { chars_max: Some(chars), ..self }
    }

    pub(super) fn id(self, id: &'a str) -> Self {
        Self { id: Some(id), ..self }
    }

    /// The page begins here.
    pub(super) fn first(self) -> Self {
        Self { first: true, ..self }
    }

    /// One line of text.
    pub(super) fn line(&self) -> Markup {
        self.with(html! {
            input type="text" id=(self.own_id()) name=(self.name) value=(self.value)
                autocomplete="off" spellcheck="false" autofocus[self.first]
                required[self.required] maxlength=[self.chars_max]
                aria-describedby=[self.hint_id()];
        })
    }

    /// Text of several lines.
    pub(super) fn lines(&self) -> Markup {
        self.with(html! {
            textarea id=(self.own_id()) name=(self.name)
                required[self.required] maxlength=[self.chars_max]
                aria-describedby=[self.hint_id()] { (self.value) }
        })
    }

    /// A whole number within bounds.
    pub(super) fn whole(&self, least: u64, most: u64) -> Markup {
        self.number("number", least, most)
    }

    /// Hours from now, which the verb takes as a time.
    pub(super) fn hours(&self, least: u64, most: u64) -> Markup {
        self.number("hours", least, most)
    }

    /// A date.
    pub(super) fn date(&self) -> Markup {
        self.with(html! {
            input type="date" id=(self.own_id()) name=(self.name) value=(self.value)
                required[self.required] aria-describedby=[self.hint_id()];
        })
    }

    /// One of a list; each with its value and its words. Nothing is chosen beforehand unless the
    /// field's value says so.
    pub(super) fn one_of(&self, choices: &[(String, String)]) -> Markup {
        self.with(html! {
            select id=(self.own_id()) name=(self.name)
                required[self.required] aria-describedby=[self.hint_id()] {
                option value="" selected[self.value.is_empty()] { "Choose" }
                @for (value, words) in choices {
                    option value=(value) selected[self.value == value] { (words) }
                }
            }
        })
    }

    fn number(&self, of: &str, least: u64, most: u64) -> Markup {
        self.with(html! {
            input type="number" id=(self.own_id()) name=(self.name) value=(self.value)
                data-type=(of) min=(least) max=(most) step="1"
                required[self.required] aria-describedby=[self.hint_id()];
        })
    }

    /// The field's label and hint with its input below.
    fn with(&self, input: Markup) -> Markup {
        html! {
            div.field {
                label for=(self.own_id()) {
                    (self.label)
                    @if !self.required { span.quiet { " (may be left out)" } }
                }
                @if let Some(id) = self.hint_id() { p.hint id=(id) { (self.hint) } }
                (input)
            }
        }
    }

    fn own_id(&self) -> String {
        let of_name = || format!("f-{}", self.name.replace(['.', '_'], "-"));
        self.id.map_or_else(of_name, str::to_owned)
    }

    fn hint_id(&self) -> Option<String> {
        (!self.hint.is_empty()).then(|| format!("{}-hint", self.own_id()))
    }
}

/// A form's end: where a refusal is said, the buttons, and where it is said what goes on.
pub(super) fn ending(buttons: impl Render) -> Markup {
    html! {
        div.refusal tabindex="-1" hidden {}
        div.actions { (buttons) }
        p.status role="status" {}
    }
}

/// A value that goes along unseen.
pub(super) fn hidden_number(name: &str, value: u64) -> Markup {
    html! { input type="hidden" name=(name) value=(value) data-type="number" required; }
}

/// The revision on which a form's verb is decided.
pub(super) fn revision(of: u64) -> Markup {
    hidden_number("revision", of)
}

/// A box to tick, or a radio button, before its label.
pub(super) fn choice(input: Markup, id: &str, label: impl Render) -> Markup {
    html! { div.choice { (input) label for=(id) { (label) } } }
}
