//! Changes of the roster: asked for by an administrator's touch, approved by the commander's.

use maud::{Markup, html};

use super::components::{Field, date, ending, facts, line, one_of, role, role_name, when};
use super::new_inquiry::AgencyChoice;
use super::layout::{Desk, Here, Page, inside};
use crate::limits::{GRANT_DAYS_MAX, IDENTIFIER_CHARS_MAX, TEMPORARY_HOURS_MAX, TEXT_CHARS_MAX};
use crate::roster::{Duty, Role};
use crate::service::{AccountStanding, Grant};

/// One change that waits.
#[derive(Clone, Debug)]
pub struct GrantView<'a> {
    /// Its id.
    pub id: [u8; 16],
    /// What is asked for.
    pub grant: &'a Grant,
    /// The account as it is, where there is one.
    pub known: Option<&'a AccountStanding>,
}

/// What waits for the commander.
#[derive(Clone, Debug)]
pub struct GrantsView<'a> {
    /// Who is here.
    pub desk: &'a Desk,
    /// The changes that wait.
    pub grants: &'a [GrantView<'a>],
}

/// What an administrator asks for.
#[derive(Clone, Debug)]
pub struct NewGrantView<'a> {
    /// Who is here: an administrator.
    pub desk: &'a Desk,
    /// Agencies that may employ people here today.
    pub agencies: &'a [AgencyChoice],
    /// The account that is to change, where it is known already.
    pub known: Option<&'a AccountStanding>,
}

/// Changes of the roster that wait: `/console/grants`.
pub fn grants(view: &GrantsView<'_>) -> Markup {
    let approves = view.desk.may(Duty::Command);
    let main = html! {
        p {
            "An account, a role or a key takes two people: an administrator asks, the commander \
             approves, each by touch. "
            "What isn't approved within " (GRANT_DAYS_MAX) " days is dropped."
        }
        @if view.grants.is_empty() { p.panel.empty { "Nothing waits." } }
        @for waiting in view.grants { (one(view.desk, waiting, approves)) }
    };
    let beside = html! {
        @if view.desk.may(Duty::Administer) {
            a.button.main href="/console/grants/new" { "Ask for an account, a role or a key" } }
    };
    inside(
        view.desk,
        &Page {
            here: Here::Grants,
            title: "Changes of the roster",
            beside,
            wide: false,
            scripts: &[],
            keys: &[],
        },
        &main,
    )
}

fn one(desk: &Desk, waiting: &GrantView<'_>, approves: bool) -> Markup {
    let Grant { person, key, asked_by, asked_cs, .. } = waiting.grant;
    let id = hex::encode(waiting.id);
    let before = waiting.known.map(|known| &known.account.person);
    let changed = |is: String, was: Option<String>| {
        let was = was.filter(|was| *was != is);
        html! { (is) @if let Some(was) = was { span.warn { " (was " (was) ")" } } }
    };
    let own = person.id == desk.person.id || asked_by.id == desk.person.id;
    let base = format!("/v1/grants/{id}");
    let title = format!("grant-{id}");
    html! {
        section.panel {
            h2 id=(title) { (person.name) ": " @if waiting.known.is_some() { "a change" }
                @else { "a new account" } }
            (facts(&[
                ("Account name", html! { (person.id) }),
                ("Role", changed(role(person.role),
                    before.map(|before| role(before.role)))),
                ("Agency", changed(person.agency.to_string(),
                    before.map(|before| before.agency.to_string()))),
                ("Badge", changed(person.badge.to_string(),
                    before.map(|before| before.badge.to_string()))),
                ("Training until", changed(person.trained_until.to_string(),
                    before.map(|before| before.trained_until.to_string()))),
                ("Temporary", html! { @match person.temporary_until_cs {
                    Some(until_cs) => { "until " (when(until_cs)) }, None => "no" } }),
                ("Key", html! {
                    @match key {
                        Some(key) if key.software() => {
                            span.warn { "a new one, of software" } ", kind " code { (key.aaguid) } }
                        Some(key) => { "a new one, kind " code { (key.aaguid) } },
                        None => "stays as it is",
                    }
                }),
                ("Asked for", html! { (when(*asked_cs)) " by " (asked_by.name) " (" (asked_by.id)
                    ")" }),
            ]))
            @if approves && own { p.quiet { "Nobody decides on an account of their own, or twice \
                on the same one." } }
            @else if approves {
                form data-verb={ "POST " (base) "/approval" }
                    data-challenge={ "POST " (base) "/approval/challenge" } data-next="" {
                    (ending(&html! { button.main {
                        "Approve by touch" span.unseen { " for " (person.id) } } }))
                }
                details {
                    summary { "Decline" }
                    form data-verb={ "DELETE " (base) } data-next="" {
                        @let field = format!("reason-{id}");
                        (line(Field { name: "reason", id: &field, label: "Why",
                            hint: "In words; the log keeps it.", required: true,
                            most: TEXT_CHARS_MAX, ..Field::default() }))
                        (ending(&html! { button { "Decline" span.unseen { " for " (person.id) } }
                            }))
                    }
                }
            } @else { p.quiet { "Waits for the commander." } }
        }
    }
}

/// An administrator asks: `/console/grants/new`, with `?person=` for an account that is known.
pub fn new_grant(view: &NewGrantView<'_>) -> Markup {
    let person = view.known.map(|known| &known.account.person);
    let value = |of: Option<String>| of.unwrap_or_default();
    let id = value(person.map(|person| person.id.to_string()));
    let name = value(person.map(|person| person.name.to_string()));
    let badge = value(person.map(|person| person.badge.to_string()));
    let agency = value(person.map(|person| person.agency.to_string()));
    let trained = value(person.map(|person| person.trained_until.to_string()));
    let role_now = value(person.map(|person| person.role.name().to_owned()));
    let agencies: Vec<(String, String)> = view
        .agencies
        .iter()
        .map(|agency| (agency.id.to_string(), agency.name.to_string()))
        .collect();
    let roles: Vec<(String, String)> = Role::ALL.map(|of| (of.name().to_owned(), role(of))).into();
    let hours = format!(
        "1 to {TEMPORARY_HOURS_MAX}, from the moment that you ask. Leave it out for an account \
         that stays."
    );
    let text = Field { required: true, most: TEXT_CHARS_MAX, ..Field::default() };
    let main = html! {
        form data-verb="POST /v1/grants" data-challenge="POST /v1/grants/challenge"
            data-enrol="POST /v1/people/{order.person.id}/key/challenge"
            data-enrol-fields="none" data-person="order.person.id" data-next="/console/grants" {
            div.columns {
                fieldset {
                    legend { "Who" }
                    (line(Field {
                        name: "order.person.id", label: "Account name", hint: "Small letters, \
                            digits and hyphens. A known name changes that account.",
                        value: &id, most: IDENTIFIER_CHARS_MAX, ..text
                    }))
                    (line(Field { name: "order.person.name", label: "Name", value: &name, ..text }))
                    (line(Field { name: "order.person.badge", label: "Badge",
                        hint: "One badge of one agency has one account.", value: &badge, ..text }))
                    (one_of(Field { name: "order.person.agency", label: "Employing agency",
                        value: &agency, ..text }, &agencies))
                }
                fieldset {
                    legend { "What" }
                    (one_of(Field { name: "order.person.role", label: "Role",
                        hint: "One person, one role.", value: &role_now, ..text }, &roles))
                    (date(Field { name: "order.person.trained_until",
                        label: "Training counts until",
                        hint: "Without a training in date nobody searches or compares.",
                        value: &trained, ..text }))
                    div.field {
                        label for="temporary" { "Temporary, hours"
                            span.quiet { " (may be left out)" } }
                        p.hint #temporary-hint { (hours) }
                        input type="number" #temporary name="order.person.temporary_until_cs"
                            data-type="hours" min="1" max=(TEMPORARY_HOURS_MAX)
                            step="1" aria-describedby="temporary-hint";
                    }
                }
                fieldset {
                    legend { "Key" }
                    p {
                        "The person plugs in their own key here and touches it: it makes a \
                         credential for this box alone. Then "
                        strong { "your" } " key is asked, and your touch signs the whole order."
                    }
                    div.choice {
                        input type="checkbox" #makes-key data-wants-key checked[person.is_none()];
                        label for="makes-key" { "Make a new key for this person"
                            @if person.is_some() { span.quiet { ", in place of the present one" } }
                            }
                    }
                }
            }
            section.panel { (ending(&html! {
                button.main { "Ask the commander, by touch" }
                a href="/console/roster" { "Back to the roster" } })) }
        }
    };
    let page = Page {
        here: Here::Grants,
        title: "Ask for an account, a role or a key",
        beside: html! {},
        wide: false,
        scripts: &[],
        keys: &[],
    };
    inside(view.desk, &page, &main)
}
