//! The order's text, by version: everybody may read by what this system is held.

use maud::{Markup, html};

use super::assets::AT;
use super::components::{digest, facts, when};
use super::layout::{DeskContext, Page, page_outside};
use super::navigation::Place;
use crate::inquiry::SPECIAL_ORDER;
use crate::store::StateKind;

const TITLE: &str = "The special order";

/// One version of the order.
#[derive(Clone, Debug)]
pub struct PolicyText<'a> {
    /// Its name.
    pub version: &'a str,
    /// Its words.
    pub text: &'a str,
    /// SHA-256 of the text's bytes.
    pub sha256: [u8; 32],
    /// Since when it holds here, in hundredths of a second since 1970-01-01 UTC; none for the text
    /// that ships.
    pub since_cs: Option<u64>,
}

/// The order's versions.
#[derive(Clone, Debug)]
pub struct PolicyPage<'a> {
    pub state: StateKind,
    /// Who is here, if anybody has logged on.
    pub desk: Option<&'a DeskContext>,
    /// Its versions, the newest first.
    pub versions: &'a [PolicyText<'a>],
    /// Which of them is shown.
    pub shown: usize,
}

/// The order's text: `/console/policy`, with `?version=` its index from the newest. Shown to
/// whoever asks, with or without a session.
pub fn policy(page: &PolicyPage<'_>) -> Markup {
    let main = html! {
        @match page.versions.get(page.shown) {
            None => p.panel { "No version of the order is held here." },
            Some(shown) => {
                section.panel {
                    (about(shown))
                    @if page.versions.len() > 1 { (versions(page)) }
                }
                section.panel aria-label="The order" { p.order { (shown.text) } }
            }
        }
    };
    let outside = |main| {
        html! { h1 { (TITLE) } (main) p { a href="/console/log-on" { "Log on" } } }
    };
    match page.desk {
        Some(desk) => Page::at(Place::Policy, TITLE).of(desk, main),
        None => page_outside(TITLE, page.state, outside(main)),
    }
}

fn about(of: &PolicyText<'_>) -> Markup {
    let since = html! {
        @match of.since_cs {
            Some(since_cs) => { "since " (when(since_cs)) }
            None => "as shipped: the public text, redacted by its publisher",
        }
    };
    let check = html! {
        @if of.text == SPECIAL_ORDER {
            code { "sha256sum policy-5-27.txt" } " of "
            a href={ (AT) "policy-5-27.txt" } download { "the file" }
        } @else { "SHA-256 of the text's bytes, UTF-8" }
    };
    facts(&[
        ("Version", html! { (of.version) }),
        ("SHA-256 of the text", digest(hex::encode(of.sha256))),
        ("Holds here", since),
        ("Check it", check),
    ])
}

fn versions(page: &PolicyPage<'_>) -> Markup {
    let link = |at: usize, version: &str| {
        let shown = (at == page.shown).then_some("true");
        html! { a href={ "/console/policy?version=" (at) } aria-current=[shown] { (version) } }
    };
    html! {
        h2 { "Versions" }
        ul {
            @for (at, other) in page.versions.iter().enumerate() {
                li { (link(at, other.version)) }
            }
        }
    }
}
