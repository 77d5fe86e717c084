//! The roster: how each account stands, and what one person alone may do about it.

use maud::{Markup, html};

use super::components::{
    FigureTile, TableColumn, TableName, Tone, named_panel, role_title, table, tiles, unseen, when,
};
use super::form::{Form, ending};
use super::layout::{DeskContext, Page};
use super::navigation::NavigationItem;
use crate::calendar::Time;
use crate::limits::{
    ACCOUNT_REVIEW_DAYS, ACCOUNT_UNUSED_DAYS_MAX, LOG_ON_TRIES_MAX, PERSON_ID_REUSE_DAYS,
};
use crate::roster::{Account, Duty, Role};
use crate::service::AccountStanding;
use crate::wording::{count, span};

/// What the roster shows.
#[derive(Clone, Debug)]
pub struct RosterPage<'a> {
    pub desk: &'a DeskContext,
    /// All accounts.
    pub accounts: &'a [AccountStanding],
}

const COLUMNS: [TableColumn<'_>; 7] = [
    TableColumn::Words("Person"),
    TableColumn::Words("Role"),
    TableColumn::Words("Agency and badge"),
    TableColumn::Words("Training until"),
    TableColumn::Words("Last log-on"),
    TableColumn::Words("Key"),
    TableColumn::Words("State"),
];

/// All accounts: `/console/roster`.
pub fn roster(page: &RosterPage<'_>) -> Markup {
    let RosterPage { desk, accounts } = *page;
    let (on, off): (Vec<_>, Vec<_>) =
        accounts.iter().partition(|standing| standing.account.off.is_none());
    let main = html! {
        (tiles(&figures(accounts)))
        (accounts_table(desk, "Accounts that are on", "on-title", &on))
        @if !off.is_empty() { (accounts_table(desk, "Accounts that are off", "off-title", &off)) }
        p.quiet.small {
            "An account goes off by itself when nobody uses it for " (ACCOUNT_UNUSED_DAYS_MAX)
            " days, when a temporary one's time is over, or when its agency leaves. It takes one \
             person to turn an account off, and an administrator and the commander together to \
             bring it back."
        }
    };
    let beside = html! {
        @if desk.may(Duty::Administer) {
            a.button.main href="/console/grants/new" { "Ask for an account, a role or a key" }
        }
        p.quiet { (count(accounts.len() as u64, "account", "accounts")) }
    };
    Page::at(NavigationItem::Roster, "Roster").beside(beside).of(desk, main)
}

fn figures(accounts: &[AccountStanding]) -> [FigureTile<'static>; 4] {
    let those = |fits: fn(&AccountStanding) -> bool| {
        accounts.iter().filter(|standing| fits(standing)).count()
    };
    let off = those(|standing| standing.account.off.is_some());
    let locked = those(|standing| standing.account.is_locked());
    let due = those(|standing| standing.review_due);
    let where_any = |count: usize, tone| if count > 0 { tone } else { Tone::Plain };
    [
        FigureTile::new("Accounts that are on", accounts.len() - off),
        FigureTile::new("Locked", locked)
            .tone(where_any(locked, Tone::Bad))
            .detail(format_args!("after {LOG_ON_TRIES_MAX} refused log-ons")),
        FigureTile::new("To be confirmed", due)
            .tone(where_any(due, Tone::Warn))
            .detail(format_args!("every {ACCOUNT_REVIEW_DAYS} days")),
        FigureTile::new("Off", off)
            .detail(format_args!("their names are free again after {PERSON_ID_REUSE_DAYS} days")),
    ]
}

fn accounts_table(
    desk: &DeskContext,
    title: &str,
    id: &str,
    accounts: &[&AccountStanding],
) -> Markup {
    let decides = desk.may(Duty::Administer) || desk.may(Duty::Command);
    let mut columns = COLUMNS.to_vec();
    if decides {
        columns.push(TableColumn::Words("Actions"));
    }
    let rows = html! { @for standing in accounts { (row(desk, standing, decides)) } };
    named_panel(id, title, table(TableName::Heading(id), &columns, rows))
}

fn row(desk: &DeskContext, standing: &AccountStanding, decides: bool) -> Markup {
    let account = &standing.account;
    let person = &account.person;
    html! {
        tr {
            th.tight scope="row" { (person.name) br; span.quiet.small { (person.id) } }
            td { (role_title(person.role)) }
            td { (person.agency) br; span.quiet.small { (person.badge) } }
            td.tight { (person.trained_until) }
            td { (last_log_on(account)) }
            td { (key(standing)) }
            td { (stands(account, standing.review_due, desk.now)) }
            @if decides { td { (deeds(desk, account, standing.review_due)) } }
        }
    }
}

fn last_log_on(account: &Account) -> Markup {
    account.used_cs.map_or_else(|| Tone::Quiet.of("never"), when)
}

fn key(standing: &AccountStanding) -> Markup {
    match &standing.key {
        Some(key) if key.software() => Tone::Warn.of("software key"),
        Some(_) => html! { "enrolled" },
        None => Tone::Warn.of("none yet"),
    }
}

fn stands(account: &Account, review_due: bool, now: Time) -> Markup {
    let temporary = account.person.temporary_until_cs.filter(|_| account.off.is_none());
    html! {
        @if let Some(off) = &account.off {
            span.quiet { "Off for " (span(off.since_cs, now)) ": " (off.why.words()) }
        } @else if account.is_locked() { (locked(account)) } @else { "On" }
        @if review_due { br; span.warn { "To be confirmed" } }
        @if let Some(until) = temporary { br; "Temporary, until " (when(until)) }
    }
}

/// Where an account is locked.
fn locked(account: &Account) -> Markup {
    if account.locked.is_some() {
        return html! { span.bad { "Locked" } };
    }
    html! {
        @for lock in &account.locked_at { span.bad { "Locked at " (lock.device) } br; }
        "On at other devices"
    }
}

/// What may be done about an account by this one person; never about their own.
fn deeds(desk: &DeskContext, account: &Account, review_due: bool) -> Markup {
    let id = &account.person.id;
    let administers = desk.may(Duty::Administer);
    if *id == desk.person.id {
        return html! { span.quiet { "Your own account: somebody else decides" } };
    }
    if account.off.is_some() {
        return html! { @if administers { (ask(account, "Ask to bring it back")) } };
    }
    let releases =
        administers || account.person.role == Role::Administrator && desk.may(Duty::Command);
    html! {
        @if account.is_locked() && releases { (release(account)) }
        @if review_due && administers { (confirm(account)) }
        (turn_off(account))
        @if administers { (ask(account, "Ask for a change")) }
    }
}

fn ask(account: &Account, words: &str) -> Markup {
    let id = &account.person.id;
    html! { a href={ "/console/grants/new?person=" (id) } { (words) (for_account(account)) } }
}

fn release(account: &Account) -> Markup {
    let verb = format!("POST /v1/people/{}/release", account.person.id);
    let form = Form::new(&*verb).touched(format!("{verb}/challenge")).then_again();
    form.of(button("Release by touch", account))
}

fn confirm(account: &Account) -> Markup {
    let form = Form::new(format!("POST /v1/people/{}/confirm", account.person.id)).then_again();
    form.of(button("Confirm that it is needed", account))
}

fn turn_off(account: &Account) -> Markup {
    let question = format!(
        "Turn off the account of {}? Its sessions end at once. It takes two people to bring it \
         back.",
        account.person.name
    );
    let verb = format!("POST /v1/people/{}/off", account.person.id);
    Form::new(verb).then_again().sure(&question).of(button("Turn off", account))
}

fn button(words: &str, account: &Account) -> Markup {
    ending(html! { button.plain { (words) (for_account(account)) } })
}

fn for_account(account: &Account) -> Markup {
    unseen(format_args!(" for {}", account.person.id))
}
