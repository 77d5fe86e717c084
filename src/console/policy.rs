//! The special order's text: everybody may read by what this system is held.

use maud::{Markup, html};

use super::assets::AT;
use super::components::{digest, facts};
use super::layout::{DeskContext, Page, page_outside};
use super::navigation::NavigationItem;
use crate::ids::Digest;
use crate::store::StateKind;

const TITLE: &str = "The special order";

/// The order in force.
#[derive(Clone, Debug)]
pub struct PolicyPage<'a> {
    pub state: StateKind,
    /// Who is here, if anybody has logged on.
    pub desk: Option<&'a DeskContext>,
    pub version: &'a str,
    pub text: &'a str,
    /// SHA-256 of the text's bytes.
    pub sha256: Digest,
}

/// The order's text: `/console/policy`. Shown to whoever asks, with or without a session.
pub fn policy(page: &PolicyPage<'_>) -> Markup {
    let main = html! {
        section.panel { (about(page)) }
        section.panel aria-label="The order" { p.order { (page.text) } }
    };
    let outside = |main| {
        html! { h1 { (TITLE) } (main) p { a href="/console/log-on" { "Log on" } } }
    };
    match page.desk {
        Some(desk) => Page::at(NavigationItem::Policy, TITLE).of(desk, main),
        None => page_outside(TITLE, page.state, outside(main)),
    }
}

fn about(page: &PolicyPage<'_>) -> Markup {
    let check = html! {
        code { "sha256sum policy-5-27.txt" } " of "
        a href={ (AT) "policy-5-27.txt" } download { "the file" }
    };
    facts(&[
        ("Version", html! { (page.version) }),
        ("SHA-256 of the text", digest(page.sha256)),
        ("Holds here", html! { "as shipped: the public text, redacted by its publisher" }),
        ("Check it", check),
    ])
}
