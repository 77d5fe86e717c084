//! The form by which an administrator asks for an account, a role or a key.

use maud::{Markup, html};

use super::components::role_title;
use super::form::{Field, choice, ending};
use super::layout::{DeskContext, Page};
use super::navigation::NavigationItem;
use super::new_inquiry::AgencyChoice;
use crate::limits::{IDENTIFIER_CHARS_MAX, TEMPORARY_HOURS_MAX, TEXT_CHARS_MAX};
use crate::roster::{Person, Role};
use crate::service::AccountStanding;

/// What an administrator asks for.
#[derive(Clone, Debug)]
pub struct NewGrantPage<'a> {
    /// Who is here: an administrator.
    pub desk: &'a DeskContext,
    /// Agencies that may employ people here today.
    pub agencies: &'a [AgencyChoice],
    /// The account that is to change, where it is known already.
    pub known: Option<&'a AccountStanding>,
}

/// An administrator asks: `/console/grants/new`, with `?person=` for an account that is known.
pub fn new_grant(page: &NewGrantPage<'_>) -> Markup {
    let person = page.known.map(|known| &known.account.person);
    let main = html! {
        form data-verb="POST /v1/grants" data-challenge="POST /v1/grants/challenge"
            data-enrol="POST /v1/people/{order.person.id}/key/challenge"
            data-enrol-fields="none" data-person="order.person.id" data-next="/console/grants" {
            div.columns { (who(person, page.agencies)) (what(person)) (key(person)) }
            section.panel { (ask()) }
        }
    };
    Page::at(NavigationItem::Grants, "Ask for an account, a role or a key").of(page.desk, main)
}

fn who(person: Option<&Person>, agencies: &[AgencyChoice]) -> Markup {
    let now = |property: fn(&Person) -> String| person.map(property).unwrap_or_default();
    let id = now(|person| person.id.to_string());
    let name = now(|person| person.name.to_string());
    let badge = now(|person| person.badge.to_string());
    let agency = now(|person| person.agency.to_string());
    let agencies: Vec<(String, String)> =
        agencies.iter().map(|agency| (agency.id.to_string(), agency.name.to_string())).collect();
    let account_name = Field::required("order.person.id", "Account name")
        .hint("Small letters, digits and hyphens. A known name changes that account.")
        .chars_max(IDENTIFIER_CHARS_MAX);
    let badge_of_agency = Field::required("order.person.badge", "Badge")
        .hint("One badge of one agency has one account.")
        .chars_max(TEXT_CHARS_MAX);
    let own_name = Field::required("order.person.name", "Name").chars_max(TEXT_CHARS_MAX);
    let employer = Field::required("order.person.agency", "Employing agency");
    html! {
        fieldset {
            legend { "Who" }
            (account_name.value(&id).line())
            (own_name.value(&name).line())
            (badge_of_agency.value(&badge).line())
            (employer.value(&agency).one_of(&agencies))
        }
    }
}

fn what(person: Option<&Person>) -> Markup {
    let role_now = person.map(|person| person.role.name()).unwrap_or_default();
    let trained = person.map(|person| person.trained_until.to_string()).unwrap_or_default();
    let roles = Role::ALL.map(|role| (role.name().to_owned(), role_title(role)));
    let hours = format!(
        "1 to {TEMPORARY_HOURS_MAX}, from the moment that you ask. Leave it out for an account \
         that stays."
    );
    let one_role = Field::required("order.person.role", "Role").hint("One person, one role.");
    let training = Field::required("order.person.trained_until", "Training counts until")
        .hint("Without a training in date nobody searches or compares.");
    let temporary = Field::optional("order.person.temporary_until_cs", "Temporary, hours")
        .id("temporary")
        .hint(&hours);
    html! {
        fieldset {
            legend { "What" }
            (one_role.value(role_now).one_of(&roles))
            (training.value(&trained).date())
            (temporary.hours(1, TEMPORARY_HOURS_MAX))
        }
    }
}

fn key(person: Option<&Person>) -> Markup {
    let makes = html! {
        input type="checkbox" #makes-key data-wants-key checked[person.is_none()];
    };
    let label = html! {
        "Make a new key for this person"
        @if person.is_some() { span.quiet { ", in place of the present one" } }
    };
    html! {
        fieldset {
            legend { "Key" }
            p {
                "The person plugs in their own key here and touches it: it makes a credential for \
                 this box alone. Then " strong { "your" } " key is asked, and your touch signs \
                 the whole order."
            }
            (choice(makes, "makes-key", label))
        }
    }
}

fn ask() -> Markup {
    ending(html! {
        button.main { "Ask the commander, by touch" }
        a href="/console/roster" { "Back to the roster" }
    })
}
