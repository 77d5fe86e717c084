//! The approval: everything that the touch binds, in plain words, and one button.

use maud::{Markup, html};

use super::inquiry_facts;
use super::inquiry::{beside, steps, withdraw};
use super::components::{digest, ending, facts as lines, number, revision};
use super::probe::chosen_face;
use super::layout::{Desk, Here, Page, inside};
use crate::face::ModelId;
use crate::inquiry::Inquiry;
use crate::limits::TOUCH_SECONDS_MAX;

/// What the page of an approval shows.
#[derive(Clone, Debug)]
pub struct ApproveView<'a> {
    /// Who is here: the inquiry's operator.
    pub desk: &'a Desk,
    /// The inquiry, with a face chosen.
    pub inquiry: &'a Inquiry,
    /// SHA-256 of the inquiry's canonical request.
    pub fields_sha256: [u8; 32],
    /// SHA-256 of the device's certificate.
    pub certificate_sha256: [u8; 32],
    /// The log's name.
    pub log: &'a str,
    /// The model by which faces are compared.
    pub model: ModelId,
    /// Bookings that the search may find.
    pub gallery_rows: u64,
}

/// The approval of a search: `/console/inquiries/{id}/approve`.
pub fn approve(view: &ApproveView<'_>) -> Markup {
    let ApproveView { desk, inquiry, .. } = *view;
    let id = inquiry.id();
    let approval = lines(&[
        ("Operator", html! { (desk.person.name) " (" (desk.person.id) ")" }),
        ("Device", html! { (desk.device) }),
        ("Its certificate, SHA-256", digest(hex::encode(view.certificate_sha256))),
        ("Inquiry", html! { code { (id) } ", revision " (inquiry.revision()) }),
        ("All fields of the request, SHA-256", digest(hex::encode(view.fields_sha256))),
        ("Candidates, at most", html! { (inquiry.request().candidates) }),
        (
            "Compared with",
            html! { (number(view.gallery_rows)) @if view.gallery_rows == 1 { " booking" }
            @else { " bookings" } },
        ),
        ("Model", digest(view.model)),
        ("Log", html! { code { (view.log) } }),
        ("Holds for", html! { (TOUCH_SECONDS_MAX) " seconds, one search, once" }),
    ]);
    let main = html! {
        (steps(inquiry.stage()))
        div.split {
            div {
                section.panel { h2 { "What is asked for, why and for whom" }
                    (inquiry_facts::request(inquiry.request())) }
                section.panel {
                    h2 { "What you attest" }
                    ul {
                        li { "The search is not solely for speech or action that the First \
                            Amendment protects." }
                        li { "The probe is a photo of the person sought: no sketch, composite, \
                            generated or other person's image." }
                        li { "The probe comes from the source that is stated." }
                    }
                }
                section.panel {
                    h2 { "The probe" }
                    @if let Some(probe) = inquiry.probe() { (inquiry_facts::received(probe)) }
                    @if let Some(choice) = inquiry.choice() { (inquiry_facts::choice(choice)) }
                }
                section.panel { h2 { "The search" } (approval) }
            }
            div.beside {
                figure.panel {
                    div.picture.low {
                        img src={ "/v1/inquiries/" (id) "/probe?part=searched" }
                            alt="The probe as it is searched, the chosen face framed" width="800"
                            height="1000";
                        @if let Some(choice) = inquiry.choice() { (chosen_face(choice)) }
                    }
                    figcaption { "As it is searched: the framed face." }
                }
                form.panel data-verb={ "POST /v1/inquiries/" (id) "/search" }
                    data-challenge={ "POST /v1/inquiries/" (id) "/challenge" }
                    data-next={ "/console/inquiries/" (id) } {
                    (revision(inquiry.revision()))
                    h2 { "Approve by touch" }
                    p { "Your key signs exactly what stands on this page. The box writes it to the \
                        log, then searches. What comes back are investigative leads." }
                    (ending(&html! {
                        button.main data-keys="t" { "Touch your key to search" }
                        a href={ "/console/inquiries/" (id) "/probe" } { "Back to the probe" }
                    }))
                }
                (withdraw(inquiry))
            }
        }
    };
    let page = Page {
        here: Here::Elsewhere,
        title: "Approve the search",
        beside: beside(inquiry),
        wide: false,
        scripts: &[],
        keys: &[("t", "approve: then touch your key")],
    };
    inside(desk, &page, &main)
}
