//! The approval of a search: everything that the touch binds, in plain words, and one button.

use maud::{Markup, html};

use super::components::{digest, facts, panel};
use super::form::{Form, ending, revision};
use super::inquiry::{beside, steps, withdraw};
use super::inquiry_facts;
use super::layout::{DeskContext, Page};
use super::probe_picture::searched_probe;
use crate::face::ModelId;
use crate::ids::Digest;
use crate::inquiry::{Attestations, Inquiry};
use crate::limits::TOUCH_SECONDS_MAX;
use crate::wording::{capital, count};

/// What the page of an approval shows.
#[derive(Clone, Debug)]
pub struct ApprovalPage<'a> {
    /// Who is here: the inquiry's operator.
    pub desk: &'a DeskContext,
    /// The inquiry, with a face chosen.
    pub inquiry: &'a Inquiry,
    /// SHA-256 of the inquiry's canonical request.
    pub fields_sha256: Digest,
    /// SHA-256 of the device's certificate.
    pub certificate_sha256: Digest,
    /// The log's name.
    pub log: &'a str,
    /// The model by which faces are compared.
    pub model: ModelId,
    /// Bookings that the search may find.
    pub gallery_rows: u64,
}

/// The approval of a search: `/console/inquiries/{id}/approve`.
pub fn approve(page: &ApprovalPage<'_>) -> Markup {
    let ApprovalPage { desk, inquiry, .. } = *page;
    let probe = html! {
        @if let Some(probe) = inquiry.probe() { (inquiry_facts::received(probe)) }
        @if let Some(choice) = inquiry.choice() { (inquiry_facts::choice(choice)) }
    };
    let stated = html! {
        (panel("What is asked for, why and for whom", inquiry_facts::request(inquiry.request())))
        (panel("What you attest", attested()))
        (panel("The probe", probe))
        (panel("The search", search(page)))
    };
    let main = html! {
        (steps(inquiry.stage()))
        div.split {
            div { (stated) }
            div.beside { (face(inquiry)) (touch(inquiry)) (withdraw(inquiry)) }
        }
    };
    Page::new("Approve the search")
        .beside(beside(inquiry))
        .keys(&[("t", "approve: then touch your key")])
        .of(desk, main)
}

fn attested() -> Markup {
    html! {
        ul { @for (_, statement) in Attestations::STATEMENTS { li { (capital(statement)) "." } } }
    }
}

fn search(page: &ApprovalPage<'_>) -> Markup {
    let ApprovalPage { desk, inquiry, .. } = *page;
    facts(&[
        ("Operator", html! { (desk.person.name) " (" (desk.person.id) ")" }),
        ("Device", html! { (desk.device) }),
        ("Its certificate, SHA-256", digest(page.certificate_sha256)),
        ("Inquiry", html! { code { (inquiry.id()) } ", revision " (inquiry.revision()) }),
        ("All fields of the request, SHA-256", digest(page.fields_sha256)),
        ("Candidates, at most", html! { (inquiry.request().candidates) }),
        ("Compared with", html! { (count(page.gallery_rows, "booking", "bookings")) }),
        ("Model", digest(page.model)),
        ("Log", html! { code { (page.log) } }),
        ("Holds for", html! { (TOUCH_SECONDS_MAX) " seconds, for one search" }),
    ])
}

fn face(inquiry: &Inquiry) -> Markup {
    html! {
        figure.panel {
            (searched_probe(inquiry, "The probe as it is searched, the chosen face framed"))
            figcaption { "As it is searched: the framed face." }
        }
    }
}

fn touch(inquiry: &Inquiry) -> Markup {
    let (id, page) = (inquiry.id(), format!("/console/inquiries/{}", inquiry.id()));
    let form = Form::new(format!("POST /v1/inquiries/{id}/search"))
        .touched(format!("POST /v1/inquiries/{id}/challenge"))
        .then(&page)
        .panel();
    form.of(html! {
        (revision(inquiry.revision()))
        h2 { "Approve by touch" }
        p {
            "Your key signs exactly what this page says. The box writes it to the log, then \
             searches. What comes back are investigative leads."
        }
        (ending(html! {
            button.main data-keys="t" { "Touch your key to search" }
            a href={ (page) "/probe" } { "Back to the probe" }
        }))
    })
}
