//! Layout: what stands around every page. It says what the state folder is for, who is here and
//! how to reach the other pages, and it holds the lock screen.

use maud::{DOCTYPE, Markup, Render, html};

use super::assets::AT;
use super::components::{role_title, when};
use super::form::choice;
use super::lock::lock_screen;
use super::navigation::NavigationItem;
use crate::booking::Identifier;
use crate::calendar::Time;
use crate::ledger::VERSION;
use crate::limits::SESSION_LOCKS_MINUTES;
use crate::roster::{Duty, Person};
use crate::store::StateKind;
use crate::wording::count;

/// Minutes after which a page tells the box that somebody only types there.
const WAKES_MINUTES: u64 = 5;
const LEADS_ONLY: &str = "Investigative leads only, never identifications.";
/// Keys that every page has, and what they do.
const KEYS: [(&str, &str); 3] =
    [("?", "show this list"), ("L", "lock the screen"), ("Esc", "close this list")];

/// Who is at which desk, and what every page there says.
#[derive(Clone, Debug)]
pub struct DeskContext {
    /// What the state folder is for.
    pub state: StateKind,
    /// Who has logged on.
    pub person: Person,
    pub device: Identifier,
    /// How many alarms stand.
    pub alarms: usize,
    pub now: Time,
}

/// A page at a desk: what is its own beside its main part.
pub(super) struct Page<'a> {
    /// The link at the top that leads here, if one does.
    place: Option<NavigationItem>,
    title: &'a str,
    beside: Markup,
    wide: bool,
    scripts: &'a [&'a str],
    keys: &'a [(&'a str, &'a str)],
}

impl DeskContext {
    pub(super) fn may(&self, duty: Duty) -> bool {
        self.person.role.may(duty)
    }
}

impl<'a> Page<'a> {
    /// A page that the top of every page links to.
    pub(super) fn at(place: NavigationItem, title: &'a str) -> Self {
        Self { place: Some(place), ..Self::new(title) }
    }

    /// A page to which other pages lead.
    pub(super) fn new(title: &'a str) -> Self {
        Self { place: None, title, beside: html! {}, wide: false, scripts: &[], keys: &[] }
    }

    /// What stands beside the title.
    pub(super) fn beside(self, beside: impl Render) -> Self {
        Self { beside: beside.render(), ..self }
    }

    /// It takes the whole breadth of the screen.
    pub(super) fn wide(self) -> Self {
        Self { wide: true, ..self }
    }

    /// Modules of its own.
    pub(super) fn scripts(self, scripts: &'a [&'a str]) -> Self {
        Self { scripts, ..self }
    }

    /// Keys of its own, and what they do.
    pub(super) fn keys(self, keys: &'a [(&'a str, &'a str)]) -> Self {
        Self { keys, ..self }
    }

    /// The page with its main part.
    pub(super) fn of(&self, desk: &DeskContext, main: impl Render) -> Markup {
        let scripts: Vec<&str> =
            std::iter::once("console.js").chain(self.scripts.iter().copied()).collect();
        html! {
            (DOCTYPE)
            html lang="en" data-session="yes" data-locks-minutes=(SESSION_LOCKS_MINUTES)
                data-wakes-minutes=(WAKES_MINUTES) {
                (head(self.title, desk.state, &scripts))
                body {
                    a.skip href="#main" { "To the page" }
                    (mark(desk.state))
                    (self.top(desk))
                    main #main tabindex="-1" .wide[self.wide] {
                        div.head { h1 { (self.title) } (self.beside) }
                        (main)
                    }
                    (foot(desk.state, &alarms(desk)))
                    (self.keys_dialog())
                    (idle_warning())
                    template #lock-screen { (mark(desk.state)) (hidden_main(desk)) }
                }
            }
        }
    }

    fn top(&self, desk: &DeskContext) -> Markup {
        html! {
            header.top {
                span.name { "SMRT" }
                nav aria-label="Pages" {
                    ul {
                        @for item in NavigationItem::of(desk.person.role) {
                            (self.link(*item, desk))
                        }
                    }
                }
                div.who {
                    p {
                        (desk.person.name) br;
                        span.quiet.small { (role_title(desk.person.role)) " at " (desk.device) }
                    }
                    button.plain type="button" data-opens="keys" { "Keys and light" }
                    button.plain type="button" data-locks data-keys="L" { "Lock" }
                    (log_off())
                }
            }
        }
    }

    fn link(&self, to: NavigationItem, desk: &DeskContext) -> Markup {
        let (href, name) = to.link();
        let here = self.place == Some(to);
        html! {
            li {
                a href=(href) aria-current=[here.then_some("page")] {
                    (name)
                    @if to == NavigationItem::Alarms && desk.alarms > 0 { " (" (desk.alarms) ")" }
                }
            }
        }
    }

    fn keys_dialog(&self) -> Markup {
        let keys = self.keys.iter().chain(&KEYS);
        html! {
            dialog #keys aria-labelledby="keys-title" {
                h2 #keys-title { "Keys and light" }
                table {
                    thead { tr { th scope="col" { "Key" } th scope="col" { "Does" } } }
                    tbody { @for (key, does) in keys { (key_row(key, does)) } }
                }
                (setting("keys-off", "Switch single keys off in this browser"))
                (setting("light", "Light pages in this browser, for a bright room"))
                div.actions { button.main type="button" data-closes { "Close" } }
            }
        }
    }
}

/// A page without a session, or beside one: nothing but what it says.
pub(super) fn page_outside(title: &str, state: StateKind, main: impl Render) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title, state, &["form.js"]))
            body {
                (mark(state))
                div.centre { main #main tabindex="-1" { (main) } }
                (foot(state, &html! {}))
            }
        }
    }
}

fn head(title: &str, state: StateKind, scripts: &[&str]) -> Markup {
    let mark = match state {
        StateKind::Real => "",
        StateKind::Demo => "DEMO: ",
        StateKind::Test => "TEST: ",
    };
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="dark";
            title { (mark) (title) " - SMRT" }
            link rel="icon" href={ (AT) "icon.svg" };
            link rel="stylesheet" href={ (AT) "console.css" };
            script type="module" async blocking="render" src={ (AT) "light.js" } {}
            @for script in scripts { script type="module" src={ (AT) (script) } {} }
        }
    }
}

/// What a state folder is for, said plainly; nothing of a real one.
fn mark(state: StateKind) -> Markup {
    let words = match state {
        StateKind::Real => return html! {},
        StateKind::Demo => "DEMO: public photos and made-up cases, no police data, no casework",
        StateKind::Test => "TEST: a test system, no police data, no casework",
    };
    html! { aside.mark aria-label="What this system is for" { (words) } }
}

fn foot(state: StateKind, desk: &Markup) -> Markup {
    let state = match state {
        StateKind::Real => "In service",
        StateKind::Demo => "Demonstration",
        StateKind::Test => "Test",
    };
    html! {
        footer.foot { p { "SMRT " (VERSION) } p { (state) } (desk) p { (LEADS_ONLY) } }
    }
}

/// The box's time and whether anything is wrong, for the foot of a page.
fn alarms(desk: &DeskContext) -> Markup {
    html! {
        p { (when(desk.now)) }
        p {
            @if desk.alarms > 0 {
                strong.bad {
                    (count(desk.alarms as u64, "active alarm", "active alarms"))
                    ". Tell an administrator."
                }
            } @else { "No active alarm." }
        }
    }
}

fn log_off() -> Markup {
    html! {
        form data-verb="DELETE /v1/session" data-next="/console/log-on" {
            button.plain { "Log off" }
            div.refusal tabindex="-1" hidden {}
        }
    }
}

fn key_row(keys: &str, does: &str) -> Markup {
    html! {
        tr { td { @for key in keys.split(' ') { kbd { (key) } " " } } td { (does) } }
    }
}

fn setting(id: &str, words: &str) -> Markup {
    choice(html! { input type="checkbox" id=(id); }, id, words)
}

fn idle_warning() -> Markup {
    html! {
        div #idle-warning .warning role="status" hidden {
            "Nobody has touched this desk for " (SESSION_LOCKS_MINUTES - 1) " minutes. The screen \
             is hidden in a minute; press any key to stay."
        }
    }
}

fn hidden_main(desk: &DeskContext) -> Markup {
    html! {
        div.centre { main #locked tabindex="-1" { (lock_screen(&desk.person.id)) } }
    }
}
