//! What a hidden screen shows: it lies ready in every page of a session.

use maud::{Markup, html};

use super::form::{Form, ending};
use crate::booking::Identifier;
use crate::limits::{SESSION_ENDS_MINUTES, SESSION_LOCKS_MINUTES};

/// The words and the form of a hidden screen, and nothing of what was there before.
pub(super) fn lock_screen(person: &Identifier) -> Markup {
    let unlock = Form::new("POST /v1/session/unlock")
        .touched("POST /v1/session/unlock/challenge")
        .then("/console/")
        .unlocks()
        .panel();
    html! {
        h1 { "Locked" }
        p {
            "The screen is hidden. " strong { (person) }
            " goes on with a touch of the key; after " (SESSION_ENDS_MINUTES)
            " minutes without use the session ends."
        }
        div role="status" {
            p data-lock="told" hidden { "The box hides its pages too." }
            p.bad data-lock="untold" hidden {
                "The box did not confirm it: it may serve this session for up to "
                (SESSION_LOCKS_MINUTES) " minutes more. Close the browser before you leave."
            }
        }
        (unlock.of(ending(html! { button.main autofocus { "Touch your key to go on" } })))
        p { "Somebody else? " a href="/console/log-on" { "Log on under another name" } }
    }
}
