//! Pages without a session, or in place of one: logging on, the first key, the banner, the lock
//! screen, and what is refused.

use maud::{Markup, html};

use super::form::{Field, Form, ending};
use super::layout::page_outside;
use super::lock::lock_screen;
use crate::booking::Identifier;
use crate::limits::{APPOINTMENT_HOURS_MAX, IDENTIFIER_CHARS_MAX, LOG_ON_TRIES_MAX};
use crate::store::StateKind;

/// Where somebody logs on.
#[derive(Clone, Debug)]
pub struct LogOnPage {
    pub state: StateKind,
    /// Why the last session is over, if there was one.
    pub why: Option<String>,
}

/// The use banner, which is read before anything else.
#[derive(Clone, Debug)]
pub struct BannerPage<'a> {
    pub state: StateKind,
    /// Who has logged on.
    pub person: Identifier,
    pub banner: &'a str,
    /// Where to go on: the `home` of the person's role.
    pub next: &'a str,
}

/// A hidden screen.
#[derive(Clone, Debug)]
pub struct LockPage {
    pub state: StateKind,
    /// Whose screen it is.
    pub person: Identifier,
}

/// Something that isn't shown, and why.
#[derive(Clone, Debug)]
pub struct ProblemPage {
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

/// The log-on page: `/console/log-on`.
pub fn log_on(page: &LogOnPage) -> Markup {
    let form = Form::new("POST /v1/session")
        .touched("POST /v1/session/challenge")
        .then("/console/banner")
        .panel();
    let main = html! {
        h1 { "Log on" }
        @if let Some(why) = &page.why { p.note { (why) } }
        (form.of(html! {
            (account_name())
            p.hint {
                "Then touch your security key: it proves who you are to this box, on this device, \
                 once. "
                (LOG_ON_TRIES_MAX) " refused tries lock the account at this device until an \
                administrator releases it."
            }
            (ending(html! { button.main { "Log on with your key" } }))
        }))
        p {
            "Appointed by the installer, and no key yet? "
            a href="/console/enrol" { "Enrol your first key" }
        }
        p { a href="/console/policy" { "Read the special order" } }
    };
    page_outside("Log on", page.state, main)
}

/// The page on which somebody who was appointed at the box enrols a key: `/console/enrol`.
pub fn enrol(state: StateKind) -> Markup {
    let code =
        Field::required("code", "Code").hint("The 32 digits and letters that the box printed.");
    let main = html! {
        h1 { "Enrol your first key" }
        p {
            "Only for the first commander and the first administrator, whom the installer \
             appointed at the box. The code works once, within "
            (APPOINTMENT_HOURS_MAX) " hours. Everybody else gets a key from an administrator, and \
            the commander approves it."
        }
        form.panel data-verb="POST /v1/enrolment" data-enrol="POST /v1/enrolment/challenge"
            data-person="person" data-next="/console/log-on" {
            (account_name())
            (code.line())
            p.hint {
                "Use a key that stays with you. Keys whose secret can be copied to another device \
                 are refused."
            }
            (ending(html! {
                button.main { "Make and enrol the key" }
                a href="/console/log-on" { "Back" }
            }))
        }
    };
    page_outside("Enrol your first key", state, main)
}

fn account_name() -> Markup {
    Field::required("person", "Account name")
        .hint("As it stands in the roster: small letters, digits and hyphens.")
        .chars_max(IDENTIFIER_CHARS_MAX)
        .first()
        .line()
}

/// The use banner, held until acknowledged: `/console/banner`.
pub fn banner(page: &BannerPage<'_>) -> Markup {
    let acknowledge = Form::new("POST /v1/session/banner").then(page.next);
    let log_off = Form::new("DELETE /v1/session").then("/console/log-on");
    let main = html! {
        h1 { "Before you go on, " (page.person) }
        p.banner { (page.banner) }
        (acknowledge.of(ending(html! { button.main autofocus { "I have read this and go on" } })))
        (log_off.of(ending(html! { button.plain { "Log off" } })))
    };
    page_outside("Terms of use", page.state, main)
}

/// The lock screen as a page: `/console/lock`. It shows nothing of what was there before.
pub fn lock(page: &LockPage) -> Markup {
    page_outside("Locked", page.state, lock_screen(&page.person))
}

/// Something that isn't shown, and why: refused, ended, not there, or failed.
pub fn problem(page: &ProblemPage) -> Markup {
    let main = html! {
        h1 { (page.title) }
        p { (page.detail) }
        @if let Some(request) = &page.request {
            p.quiet {
                "Request " code { (request) }
                ". An administrator finds the cause in the box's journal under this number."
            }
        }
        div.actions {
            @if let Some((href, words)) = &page.next { a.button.main href=(href) { (words) } }
            a href="/console/" { "To the start page" }
        }
    };
    page_outside(&page.title, page.state, main)
}
