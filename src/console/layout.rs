//! Around every page: what the state folder is for, who is here, the way to the other pages, the
//! lock.

use maud::{DOCTYPE, Markup, html};

use super::assets::AT;
use super::log_on::lock_form;
use super::components::{count, role, when};
use crate::booking::Identifier;
use crate::limits::SESSION_LOCKS_MINUTES;
use crate::roster::{Duty, Person, Role};
use crate::service::VERSION;
use crate::store::StateKind;

/// Minutes after which somebody who only types tells the box that they are here.
const WAKES_MINUTES: u64 = 5;

/// Who is at which desk, and what every page there says.
#[derive(Clone, Debug)]
pub struct Desk {
    /// What the state folder is for.
    pub state: StateKind,
    /// Who has logged on.
    pub person: Person,
    /// The device.
    pub device: Identifier,
    /// How many alarms stand.
    pub alarms: usize,
    /// Now, in hundredths of a second since 1970-01-01 UTC.
    pub now_cs: u64,
}

/// Which page it is, for the way between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    /// My work.
    Work,
    /// A new inquiry.
    Request,
    /// Reports and their outcomes.
    Outcomes,
    /// What waits for an administrator.
    Decisions,
    /// Accounts.
    Roster,
    /// Changes of the roster.
    Grants,
    /// What is wrong.
    Alarms,
    /// Counts.
    Figures,
    /// The log.
    Log,
    /// Samples of an audit.
    Samples,
    /// What audits found.
    Findings,
    /// How regular each operator's searches are.
    Operators,
    /// The order's text.
    Policy,
    /// None of these.
    Elsewhere,
}

/// A page's own parts.
pub(super) struct Page<'a> {
    pub(super) here: Here,
    pub(super) title: &'a str,
    /// Something beside the title.
    pub(super) beside: Markup,
    /// Whether it takes the whole breadth of the screen.
    pub(super) wide: bool,
    /// Modules of its own.
    pub(super) scripts: &'a [&'a str],
    /// Keys of its own, and what they do.
    pub(super) keys: &'a [(&'a str, &'a str)],
}

impl Desk {
    pub(super) fn may(&self, duty: Duty) -> bool {
        self.person.role.may(duty)
    }
}

impl Here {
    /// Where it is, and what it is called.
    fn link(self) -> (&'static str, &'static str) {
        match self {
            Self::Work => ("/console/work", "My work"),
            Self::Request => ("/console/inquiries/new", "New inquiry"),
            Self::Outcomes => ("/console/outcomes", "Reports and outcomes"),
            Self::Decisions => ("/console/decisions", "Decisions"),
            Self::Roster => ("/console/roster", "Roster"),
            Self::Grants => ("/console/grants", "Changes of the roster"),
            Self::Alarms => ("/console/alarms", "Alarms"),
            Self::Figures => ("/console/figures", "Figures"),
            Self::Log => ("/console/log", "Log"),
            Self::Samples => ("/console/samples", "Samples"),
            Self::Findings => ("/console/findings", "Findings"),
            Self::Operators => ("/console/operators", "Operators"),
            Self::Policy | Self::Elsewhere => ("/console/policy", "Policy"),
        }
    }

    fn of(role: Role) -> &'static [Self] {
        match role {
            Role::Operator | Role::OperatorExaminer => {
                &[Self::Work, Self::Request, Self::Outcomes, Self::Policy]
            }
            Role::Examiner => &[Self::Work, Self::Policy],
            Role::Administrator => {
                &[Self::Decisions, Self::Roster, Self::Grants, Self::Alarms, Self::Policy]
            }
            Role::Commander => {
                &[Self::Grants, Self::Roster, Self::Figures, Self::Alarms, Self::Policy]
            }
            Role::Auditor => &[
                Self::Log,
                Self::Samples,
                Self::Findings,
                Self::Operators,
                Self::Roster,
                Self::Policy,
            ],
        }
    }
}

/// Where somebody of this role begins.
pub fn home(role: Role) -> &'static str {
    Here::of(role)[0].link().0
}

/// What a state folder is for, said plainly; nothing of a real one.
pub(super) fn mark(state: StateKind) -> Markup {
    let words = match state {
        StateKind::Real => return html! {},
        StateKind::Demo => "DEMO: public photos and made-up cases, no police data, no casework",
        StateKind::Test => "TEST: a test system, no police data, no casework",
    };
    html! { aside.mark aria-label="What this system is for" { (words) } }
}

/// The state's name, for the foot of a page.
fn state_words(state: StateKind) -> &'static str {
    match state {
        StateKind::Real => "In service",
        StateKind::Demo => "Demonstration",
        StateKind::Test => "Test",
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

/// A page before there is a session, or beside it: nothing but what it says.
pub(super) fn outside(title: &str, state: StateKind, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title, state, &["form.js"]))
            body {
                (mark(state))
                div.centre { main #main tabindex="-1" { (main) } }
                footer.foot { p { "SMRT " (VERSION) } p { (state_words(state)) }
                    p { "Investigative leads only, never identifications." } }
            }
        }
    }
}

/// A page at a desk.
pub(super) fn inside(desk: &Desk, page: &Page<'_>, main: &Markup) -> Markup {
    let scripts: Vec<&str> =
        std::iter::once("console.js").chain(page.scripts.iter().copied()).collect();
    let here = Here::of(desk.person.role);
    let alarmed = desk.alarms > 0;
    html! {
        (DOCTYPE)
        html lang="en" data-session="yes" data-locks-minutes=(SESSION_LOCKS_MINUTES)
            data-wakes-minutes=(WAKES_MINUTES) {
            (head(page.title, desk.state, &scripts))
            body {
                a.skip href="#main" { "To the page" }
                (mark(desk.state))
                header.top {
                    span.name { "SMRT" }
                    nav aria-label="Pages" {
                        ul {
                            @for place in here {
                                @let (href, name) = place.link();
                                li {
                                    a href=(href)
                                        aria-current=[(*place == page.here).then_some("page")] {
                                        (name)
                                        @if *place == Here::Alarms && alarmed {
                                            " (" (desk.alarms) ")" }
                                    }
                                }
                            }
                        }
                    }
                    div.who {
                        p { (desk.person.name) br;
                            span.quiet.small { (role(desk.person.role)) " at " (desk.device) } }
                        button.plain type="button" data-opens="keys" { "Keys and light" }
                        button.plain type="button" data-locks data-keys="L" { "Lock" }
                        (log_off())
                    }
                }
                main #main tabindex="-1" .wide[page.wide] {
                    div.head { h1 { (page.title) } (page.beside) }
                    (main)
                }
                footer.foot {
                    p { "SMRT " (VERSION) } p { (state_words(desk.state)) }
                        p { (when(desk.now_cs)) }
                    p {
                        @if alarmed { strong.bad {
                            (count(desk.alarms, "alarm stands", "alarms stand"))
                            ". Tell an administrator." } }
                        @else { "No alarm stands." }
                    }
                    p { "Investigative leads only, never identifications." }
                }
                (keys(page.keys))
                div #idle-warning .warning role="status" hidden {
                    "Nobody has touched this desk for " (SESSION_LOCKS_MINUTES - 1) " minutes. The \
                     screen is hidden in a minute; press any key to stay."
                }
                template #lock-screen {
                    (mark(desk.state))
                    div.centre { main #locked tabindex="-1" { (lock_form(&desk.person.id)) } }
                }
            }
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

fn keys(own: &[(&str, &str)]) -> Markup {
    html! {
        dialog #keys aria-labelledby="keys-title" {
            h2 #keys-title { "Keys and light" }
            table {
                thead { tr { th scope="col" { "Key" } th scope="col" { "Does" } } }
                tbody {
                    @for (key, does) in own.iter().chain(&[("?", "show this list"),
                        ("L", "lock the screen"), ("Esc", "close this list")]) {
                        tr { td { @for key in key.split(' ') { kbd { (key) } " " } } td { (does) } }
                    }
                }
            }
            div.choice {
                input type="checkbox" id="keys-off";
                label for="keys-off" { "Switch single keys off in this browser" }
            }
            div.choice {
                input type="checkbox" id="light";
                label for="light" { "Light pages in this browser, for a bright room" }
            }
            div.actions { button.main type="button" data-closes { "Close" } }
        }
    }
}
