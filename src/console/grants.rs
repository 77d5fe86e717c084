//! Changes of the roster that wait: asked for by an administrator's touch, approved by the
//! commander's.

use maud::{Markup, html};

use super::components::{Tone, empty_panel, facts, folded, named_panel, role_title, unseen, when};
use super::form::{Field, Form, ending};
use super::layout::{DeskContext, Page};
use super::navigation::NavigationItem;
use crate::audit::touch::Credential;
use crate::ids::GrantId;
use crate::ledger::Grant;
use crate::limits::{GRANT_DAYS_MAX, TEXT_CHARS_MAX};
use crate::roster::{Duty, Person};
use crate::service::AccountStanding;

/// One change of the roster that waits for the commander.
#[derive(Clone, Debug)]
pub struct WaitingGrant<'a> {
    pub id: GrantId,
    /// What is asked for.
    pub grant: &'a Grant,
    /// The account as it is, where there is one.
    pub known: Option<&'a AccountStanding>,
}

/// What waits for the commander.
#[derive(Clone, Debug)]
pub struct GrantsPage<'a> {
    pub desk: &'a DeskContext,
    /// The changes that wait.
    pub grants: &'a [WaitingGrant<'a>],
}

/// Changes of the roster that wait: `/console/grants`.
pub fn grants(page: &GrantsPage<'_>) -> Markup {
    let desk = page.desk;
    let main = html! {
        p {
            "An account, a role or a key takes two people: an administrator asks, the commander \
             approves, each by touch. What isn't approved within " (GRANT_DAYS_MAX) " days is \
             dropped."
        }
        @if page.grants.is_empty() { (empty_panel("No change is waiting.")) }
        @for waiting in page.grants { (waiting.panel(desk)) }
    };
    let beside = html! {
        @if desk.may(Duty::Administer) {
            a.button.main href="/console/grants/new" { "Ask for an account, a role or a key" }
        }
    };
    Page::at(NavigationItem::Grants, "Changes of the roster").beside(beside).of(desk, main)
}

impl WaitingGrant<'_> {
    fn panel(&self, desk: &DeskContext) -> Markup {
        let person = &self.grant.person;
        let what = if self.known.is_some() { "a change" } else { "a new account" };
        let title = format!("{}: {what}", person.name);
        let content = html! { (self.asked_for()) (self.decision(desk)) };
        named_panel(&format!("grant-{}", self.id), title, content)
    }

    fn asked_for(&self) -> Markup {
        let Grant { person, key, asked_by, asked_cs, .. } = self.grant;
        let temporary = html! {
            @match person.temporary_until_cs {
                Some(until) => { "until " (when(until)) }
                None => "no",
            }
        };
        let asked = html! { (when(*asked_cs)) " by " (asked_by.name) " (" (asked_by.id) ")" };
        facts(&[
            ("Account name", html! { (person.id) }),
            ("Role", self.changed(|of| role_title(of.role))),
            ("Agency", self.changed(|of| of.agency.to_string())),
            ("Badge", self.changed(|of| of.badge.to_string())),
            ("Training until", self.changed(|of| of.trained_until.to_string())),
            ("Temporary", temporary),
            ("Key", new_key(key.as_ref())),
            ("Asked for", asked),
        ])
    }

    /// A property of the person as it shall be, with what it was where that was something else.
    fn changed(&self, property: impl Fn(&Person) -> String) -> Markup {
        let is = property(&self.grant.person);
        let was = self.known.map(|known| property(&known.account.person));
        html! {
            (is)
            @if let Some(was) = was.filter(|was| *was != is) { span.warn { " (was " (was) ")" } }
        }
    }

    fn decision(&self, desk: &DeskContext) -> Markup {
        let Grant { person, asked_by, .. } = self.grant;
        let own = person.id == desk.person.id || asked_by.id == desk.person.id;
        if !desk.may(Duty::Command) {
            return html! { p.quiet { "Waits for the commander." } };
        }
        if own {
            return html! {
                p.quiet {
                    "You can't approve this: it is your own account, or you asked for it yourself."
                }
            };
        }
        html! { (self.approve()) (folded("Decline", self.decline())) }
    }

    fn approve(&self) -> Markup {
        let verb = format!("POST /v1/grants/{}/approval", self.id);
        let button = html! { button.main { "Approve by touch" (self.for_person()) } };
        let form = Form::new(&*verb).touched(format!("{verb}/challenge")).then_again();
        form.of(ending(button))
    }

    fn decline(&self) -> Markup {
        let id = self.id;
        let field = format!("reason-{id}");
        let why = Field::required("reason", "Why")
            .id(&field)
            .hint("In words; the log keeps it.")
            .chars_max(TEXT_CHARS_MAX);
        let button = html! { button { "Decline" (self.for_person()) } };
        let form = Form::new(format!("DELETE /v1/grants/{id}")).then_again();
        form.of(html! { (why.line()) (ending(button)) })
    }

    fn for_person(&self) -> Markup {
        unseen(format_args!(" for {}", self.grant.person.id))
    }
}

fn new_key(key: Option<&Credential>) -> Markup {
    let kind = |key: &Credential| html! { ", kind " code { (key.aaguid) } };
    html! {
        @match key {
            Some(key) if key.software() => { (Tone::Warn.of("a new software key")) (kind(key)) }
            Some(key) => { "a new one" (kind(key)) }
            None => "stays as it is",
        }
    }
}
