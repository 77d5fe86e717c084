//! Before a session, and in place of one: logging on, the first key, the banner, the lock screen,
//! and what is refused.

use maud::{Markup, html};

use super::components::{Field, ending, line};
use super::layout::outside;
use crate::booking::Identifier;
use crate::limits::{
    APPOINTMENT_HOURS_MAX, IDENTIFIER_CHARS_MAX, LOG_ON_TRIES_MAX, SESSION_ENDS_MINUTES,
};
use crate::store::StateKind;

/// Where somebody logs on.
#[derive(Clone, Debug)]
pub struct LogOnView {
    /// What the state folder is for.
    pub state: StateKind,
    /// Why the last session is over, if there was one.
    pub why: Option<String>,
}

/// What is read before anything else.
#[derive(Clone, Debug)]
pub struct BannerView<'a> {
    /// What the state folder is for.
    pub state: StateKind,
    /// Who has logged on.
    pub person: Identifier,
    /// The banner's words.
    pub banner: &'a str,
    /// Where to go on: the `home` of the person's role.
    pub next: &'a str,
}

/// A hidden screen.
#[derive(Clone, Debug)]
pub struct LockView {
    /// What the state folder is for.
    pub state: StateKind,
    /// Whose it is.
    pub person: Identifier,
}

/// Something that isn't shown, and why.
#[derive(Clone, Debug)]
pub struct ProblemView {
    /// What the state folder is for.
    pub state: StateKind,
    /// In a few words.
    pub title: String,
    /// What was found and what was wanted.
    pub detail: String,
    /// The request's id in the box's journal.
    pub request: Option<String>,
    /// Where to go on, and how that is called.
    pub next: Option<(String, String)>,
}

const PERSON: Field<'static> = Field {
    name: "person",
    label: "Account name",
    hint: "As it stands in the roster: small letters, digits and hyphens.",
    value: "",
    required: true,
    most: IDENTIFIER_CHARS_MAX,
    id: "",
    first: true,
};

/// The log-on page: `/console/log-on`.
pub fn log_on(view: &LogOnView) -> Markup {
    let main = html! {
        h1 { "Log on" }
        @if let Some(why) = &view.why { p.note { (why) } }
        form.panel data-verb="POST /v1/session" data-challenge="POST /v1/session/challenge"
            data-next="/console/banner" {
            (line(PERSON))
            p.hint {
                "Then touch your security key: it proves who you are to this box, on this device, \
                 once. "
                (LOG_ON_TRIES_MAX) " refused tries lock the account until an administrator \
                    releases it."
            }
            (ending(&html! { button.main { "Log on with your key" } }))
        }
        p { "Appointed at the box, and no key yet? " a href="/console/enrol"
            { "Enrol your first key" } }
        p { a href="/console/policy" { "Read the special order" } }
    };
    outside("Log on", view.state, &main)
}

/// The page on which somebody who was appointed at the box enrols a key: `/console/enrol`.
pub fn enrol(state: StateKind) -> Markup {
    let code = Field {
        name: "code",
        label: "Code",
        hint: "The 32 digits and letters that the box printed.",
        required: true,
        ..Field::default()
    };
    let main = html! {
        h1 { "Enrol your first key" }
        p {
            "For those whom the installer appointed at the box itself: the first commander and the \
             first administrator. The code holds for "
            (APPOINTMENT_HOURS_MAX) " hours, and once. Everybody else gets a key from an \
                administrator, and the commander approves it."
        }
        form.panel data-verb="POST /v1/enrolment" data-enrol="POST /v1/enrolment/challenge"
            data-person="person" data-next="/console/log-on" {
            (line(PERSON))
            (line(code))
            p.hint { "Use a key that stays with you. Keys whose secret can be copied to another \
                device are refused." }
            (ending(&html! { button.main { "Make and enrol the key" }
                a href="/console/log-on" { "Back" } }))
        }
    };
    outside("Enrol your first key", state, &main)
}

/// The use banner, held until acknowledged: `/console/banner`.
pub fn banner(view: &BannerView<'_>) -> Markup {
    let main = html! {
        h1 { "Before you go on, " (view.person) }
        p.banner { (view.banner) }
        form data-verb="POST /v1/session/banner" data-next=(view.next) {
            (ending(&html! { button.main autofocus { "I have read this and go on" } }))
        }
        form data-verb="DELETE /v1/session" data-next="/console/log-on" {
            (ending(&html! { button.plain { "Log off" } }))
        }
    };
    outside("Terms of use", view.state, &main)
}

/// The lock screen as a page: `/console/lock`. It shows nothing of what was there before.
pub fn lock(view: &LockView) -> Markup {
    outside("Locked", view.state, &lock_form(&view.person))
}

/// What stands on a hidden screen.
pub(super) fn lock_form(person: &Identifier) -> Markup {
    html! {
        h1 { "Locked" }
        p { "The screen is hidden. " strong { (person) }
            " goes on with a touch of the key; after " (SESSION_ENDS_MINUTES)
            " minutes without use the session ends." }
        form.panel data-verb="POST /v1/session/unlock"
            data-challenge="POST /v1/session/unlock/challenge" data-next="/console/" data-unlocks {
            (ending(&html! { button.main autofocus { "Touch your key to go on" } }))
        }
        p { "Somebody else? " a href="/console/log-on" { "Log on under another name" } }
    }
}

/// Something that isn't shown, and why: refused, ended, not there, or failed.
pub fn problem(view: &ProblemView) -> Markup {
    let main = html! {
        h1 { (view.title) }
        p { (view.detail) }
        @if let Some(request) = &view.request {
            p.quiet { "Request " code { (request) } ": the box's journal knows it by this number." }
        }
        div.actions {
            @if let Some((href, words)) = &view.next { a.button.main href=(href) { (words) } }
            a href="/console/" { "To the beginning" }
        }
    };
    outside(&view.title, view.state, &main)
}
