//! The order's text, by version: everybody may read by what this system is held.

use maud::{Markup, html};

use super::assets::AT;
use super::components::{digest, facts, when};
use super::layout::{Desk, Here, Page, inside, outside};
use crate::inquiry::SPECIAL_ORDER;
use crate::store::StateKind;

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
pub struct PolicyView<'a> {
    /// What the state folder is for.
    pub state: StateKind,
    /// Who is here, if anybody has logged on.
    pub desk: Option<&'a Desk>,
    /// Its versions, the newest first.
    pub versions: &'a [PolicyText<'a>],
    /// Which of them is shown.
    pub shown: usize,
}

/// The order's text: `/console/policy`, with `?version=` its index from the newest. Shown to
/// whoever asks, with or without a session.
pub fn policy(view: &PolicyView<'_>) -> Markup {
    let shown = view.versions.get(view.shown);
    let main = html! {
        @match shown {
            None => p.panel { "No version of the order is held here." },
            Some(text) => {
                section.panel {
                    (facts(&[
                        ("Version", html! { (text.version) }),
                        ("SHA-256 of the text", digest(hex::encode(text.sha256))),
                        ("Holds here", html! { @match text.since_cs {
                            Some(since_cs) => { "since " (when(since_cs)) },
                            None => "as shipped: the public text, redacted by its publisher" } }),
                        ("Check it", html! {
                            @if text.text == SPECIAL_ORDER {
                                code { "sha256sum policy-5-27.txt" }
                                " of " a href={ (AT) "policy-5-27.txt" } download { "the file" } }
                            @else { "SHA-256 of the text's bytes, UTF-8" }
                        }),
                    ]))
                    @if view.versions.len() > 1 {
                        h2 { "Versions" }
                        ul { @for (at, other) in view.versions.iter().enumerate() {
                            li { a href={ "/console/policy?version=" (at) }
                            aria-current=[(at == view.shown).then_some("true")] { (other.version) }
                            } } }
                    }
                }
                section.panel aria-label="The order" { p.order { (text.text) } }
            }
        }
    };
    match view.desk {
        Some(desk) => inside(
            desk,
            &Page {
                here: Here::Policy,
                title: "The special order",
                beside: html! {},
                wide: false,
                scripts: &[],
                keys: &[],
            },
            &main,
        ),
        None => outside(
            "The special order",
            view.state,
            &html! { h1 { "The special order" } (main) p { a href="/console/log-on" { "Log on" } }
            },
        ),
    }
}
