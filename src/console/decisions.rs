//! Decisions: what waits for an administrator, and what they asked the commander for.

use maud::{Markup, html};

use super::components::{empty, panel, role_title, unseen};
use super::form::{Field, Form, ending};
use super::grants::WaitingGrant;
use super::layout::{DeskContext, Page};
use super::navigation::NavigationItem;
use crate::audit::Alarm;
use crate::calendar::Time;
use crate::limits::CLOCK_AGREE_SECONDS_MAX;
use crate::roster::Account;
use crate::service::{AccountStanding, Raised};
use crate::wording::{capital, count, span};

/// What waits for an administrator.
#[derive(Clone, Debug)]
pub struct DecisionsPage<'a> {
    pub desk: &'a DeskContext,
    /// Changes of the roster that wait for the commander.
    pub grants: &'a [WaitingGrant<'a>],
    /// All accounts.
    pub accounts: &'a [AccountStanding],
    /// Alarms that stand.
    pub alarms: &'a [Raised],
}

/// What waits for an administrator: `/console/decisions`.
pub fn decisions(page: &DecisionsPage<'_>) -> Markup {
    let desk = page.desk;
    let main = html! {
        (panel("Waiting for you", own(page)))
        (panel("Waiting for the commander", asked_for(page)))
    };
    let alarms = count(desk.alarms as u64, "active alarm", "active alarms");
    let beside = html! {
        @if desk.alarms > 0 { p { a.bad href="/console/alarms" { (alarms) } } }
    };
    Page::at(NavigationItem::Decisions, "Decisions").beside(beside).of(desk, main)
}

fn own(page: &DecisionsPage<'_>) -> Markup {
    let accounts = || page.accounts.iter();
    let locked: Vec<_> = accounts().filter(|standing| standing.account.is_locked()).collect();
    let due: Vec<_> = accounts().filter(|standing| standing.review_due).collect();
    let doubt = page.alarms.iter().find(|raised| raised.alarm == Alarm::ClockAhead);
    html! {
        @if locked.is_empty() && due.is_empty() && doubt.is_none() {
            (empty("Nothing waits for you."))
        }
        ul.plain {
            @for standing in locked { (release(&standing.account)) }
            @for standing in due { (confirm(&standing.account, page.desk.now)) }
        }
        @if let Some(doubt) = doubt { (clock(doubt)) }
    }
}

fn release(account: &Account) -> Markup {
    let person = &account.person;
    html! {
        li {
            span.bad { "Locked: " } (person.name) " (" (role_title(person.role)) "). "
            (in_roster("Release by touch", account))
        }
    }
}

fn confirm(account: &Account, now: Time) -> Markup {
    html! {
        li {
            span.warn { "To be confirmed: " } (account.person.name)
            ", last confirmed " (span(account.reviewed_cs, now)) " ago. "
            (in_roster("Confirm or turn off", account))
        }
    }
}

fn in_roster(words: &str, account: &Account) -> Markup {
    let whose = unseen(format_args!(" for {}", account.person.id));
    html! { a href="/console/roster" { (words) (whose) } }
}

fn asked_for(page: &DecisionsPage<'_>) -> Markup {
    let line = |waiting: &WaitingGrant<'_>| {
        let grant = waiting.grant;
        format!(
            "{}: {}, asked for by {} {} ago",
            grant.person.name,
            role_title(grant.person.role),
            grant.asked_by.name,
            span(grant.asked_cs, page.desk.now)
        )
    };
    html! {
        @if page.grants.is_empty() { (empty("No change is waiting for the commander.")) } @else {
            ul.plain { @for waiting in page.grants { li { (line(waiting)) } } }
            p { a href="/console/grants" { "See all changes" } }
        }
    }
}

/// The word of the site's time source, where the clock went ahead.
fn clock(doubt: &Raised) -> Markup {
    let hint = format!(
        "For example 2026-11-23T16:00:00Z. It must agree with the box within \
         {CLOCK_AGREE_SECONDS_MAX} seconds."
    );
    let time = Field::required("time_source", "Time by the site's time source").hint(&hint);
    let button = html! { button { "Confirm the clock" } };
    html! {
        h3 { "The clock is in doubt" }
        p {
            (capital(&doubt.what)) ". Compare it with the site's own time source and enter that \
            time: until then, holds and extensions don't expire."
        }
        (Form::new("POST /v1/clock").then_again().of(html! { (time.line()) (ending(button)) }))
    }
}
