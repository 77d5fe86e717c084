//! Accounts: how each stands, and what one person alone may do about it.

use maud::{Markup, html};

use super::components::{count, ending, role, span, when};
use super::layout::{Desk, Here, Page, inside};
use crate::limits::{
    ACCOUNT_REVIEW_DAYS, ACCOUNT_UNUSED_DAYS_MAX, LOG_ON_TRIES_MAX, PERSON_ID_REUSE_DAYS,
};
use crate::roster::{Account, Duty, Role};
use crate::service::AccountStanding;

/// What the roster shows.
#[derive(Clone, Debug)]
pub struct RosterView<'a> {
    /// Who is here.
    pub desk: &'a Desk,
    /// All accounts.
    pub accounts: &'a [AccountStanding],
}

/// All accounts: `/console/roster`.
pub fn roster(view: &RosterView<'_>) -> Markup {
    let RosterView { desk, accounts } = *view;
    let due = accounts.iter().filter(|standing| standing.review_due).count();
    let locked = accounts.iter().filter(|standing| standing.account.locked.is_some()).count();
    let (on, off): (Vec<_>, Vec<_>) =
        accounts.iter().partition(|standing| standing.account.off.is_none());
    let main = html! {
        dl.tiles {
            div { dt { "Accounts that are on" } dd { (on.len()) } }
            div { dt { "Locked" } dd .bad[locked > 0] { (locked) }
                dd.small { "after " (LOG_ON_TRIES_MAX) " refused log-ons" } }
            div { dt { "To be confirmed" } dd .warn[due > 0] { (due) }
                dd.small { "every " (ACCOUNT_REVIEW_DAYS) " days" } }
            div { dt { "Off" } dd { (off.len()) }
                dd.small { "their names are free again after " (PERSON_ID_REUSE_DAYS) " days" } }
        }
        (table(desk, "Accounts that are on", "on", &on))
        @if !off.is_empty() { (table(desk, "Accounts that are off", "off", &off)) }
        p.quiet.small {
            "An account goes off by itself when nobody uses it for " (ACCOUNT_UNUSED_DAYS_MAX)
                " days, when a temporary one's time is over, or when its agency leaves. "
            "It takes one person to turn an account off, and an administrator and the commander \
             together to bring it back."
        }
    };
    let beside = html! {
        @if desk.may(Duty::Administer) {
            a.button.main href="/console/grants/new" { "Ask for an account, a role or a key" } }
        p.quiet { (count(accounts.len(), "account", "accounts")) }
    };
    inside(
        desk,
        &Page { here: Here::Roster, title: "Roster", beside, wide: false, scripts: &[], keys: &[] },
        &main,
    )
}

fn table(desk: &Desk, title: &str, id: &str, accounts: &[&AccountStanding]) -> Markup {
    let heading = format!("{id}-title");
    let decides = desk.may(Duty::Administer) || desk.may(Duty::Command);
    html! {
        section.panel {
            h2 id=(heading) { (title) }
            div.scroll tabindex="0" role="region" aria-labelledby=(heading) {
                table {
                    thead { tr {
                        th scope="col" { "Person" } th scope="col" { "Role" }
                            th scope="col" { "Agency and badge" }
                            th scope="col" { "Training until" }
                        th scope="col" { "Last log-on" } th scope="col" { "Key" }
                            th scope="col" { "Stands" }
                        @if decides { th scope="col" { "Do" } }
                    } }
                    tbody { @for standing in accounts { (row(desk, standing, decides)) } }
                }
            }
        }
    }
}

fn row(desk: &Desk, standing: &AccountStanding, decides: bool) -> Markup {
    let account = &standing.account;
    let person = &account.person;
    html! {
        tr {
            th.tight scope="row" { (person.name) br; span.quiet.small { (person.id) } }
            td { (role(person.role)) }
            td { (person.agency) br; span.quiet.small { (person.badge) } }
            td.tight { (person.trained_until) }
            td { @match account.used_cs {
                Some(used_cs) => (when(used_cs)), None => span.quiet { "never" } } }
            td { @match &standing.key {
                Some(key) if key.software() => span.warn { "of software" }, Some(_) => "enrolled",
                None => span.warn { "none yet" } } }
            td { (stands(account, standing.review_due, desk.now_cs)) }
            @if decides { td { (deeds(desk, account, standing.review_due)) } }
        }
    }
}

fn stands(account: &Account, review_due: bool, now_cs: u64) -> Markup {
    html! {
        @if let Some(off) = &account.off {
            span.quiet { "Off for " (span(off.since_cs, now_cs)) ": " (off.why.words()) } }
        @else if account.locked.is_some() { span.bad { "Locked" } }
        @else { "On" }
        @if review_due { br; span.warn { "To be confirmed" } }
        @if let Some(until_cs) = account.person.temporary_until_cs {
            @if account.off.is_none() { br; "Temporary, until " (when(until_cs)) } }
    }
}

/// What may be done about an account by this one person; never about their own.
fn deeds(desk: &Desk, account: &Account, review_due: bool) -> Markup {
    let id = &account.person.id;
    if *id == desk.person.id {
        return html! { span.quiet { "Your own: for somebody else" } };
    }
    if account.off.is_some() {
        return html! { @if desk.may(Duty::Administer) {
        a href={ "/console/grants/new?person=" (id) } {
        "Ask to bring it back" span.unseen { " for " (id) } } } };
    }
    let releases = desk.may(Duty::Administer)
        || account.person.role == Role::Administrator && desk.may(Duty::Command);
    let base = format!("/v1/people/{id}");
    html! {
        @if account.locked.is_some() && releases {
            form data-verb={ "POST " (base) "/release" }
                data-challenge={ "POST " (base) "/release/challenge" } data-next="" {
                (ending(&html! { button.plain { "Release by touch" span.unseen { " for " (id) } }
                    }))
            }
        }
        @if review_due && desk.may(Duty::Administer) {
            form data-verb={ "POST " (base) "/confirm" } data-next="" {
                (ending(&html! { button.plain {
                    "Confirm that it is needed" span.unseen { " for " (id) } } }))
            }
        }
        form data-verb={ "POST " (base) "/off" }
            data-next="" data-sure={ "Turn off the account of " (account.person.name)
            "? Its sessions end at once. It takes two people to bring it back." } {
            (ending(&html! { button.plain { "Turn off" span.unseen { " for " (id) } } }))
        }
        @if desk.may(Duty::Administer) {
            a href={ "/console/grants/new?person=" (id) } {
            "Ask for a change" span.unseen { " for " (id) } } }
    }
}
