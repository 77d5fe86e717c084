//! The probe: brought in, all its faces shown, and one of them chosen.

use maud::{Markup, html};

use super::components::{alarm_note, folded_panel, panel};
use super::form::{Field, ending, revision};
use super::inquiry::{beside, steps, withdraw};
use super::inquiry_facts;
use super::layout::{DeskContext, Page};
use super::probe_edits::edits;
use super::probe_picture::searched_probe;
use super::quality::{QualityLine, quality_sheet};
use crate::inquiry::{Inquiry, Probe};
use crate::limits::{PROBE_BYTES_MAX, PROBE_PIECE_BYTES, REASON_CHARS_MAX, REASON_CHARS_MIN};

/// What the page of a probe shows.
#[derive(Clone, Debug)]
pub struct ProbePage<'a> {
    /// Who is here: the inquiry's operator.
    pub desk: &'a DeskContext,
    /// The inquiry, before its search was asked for.
    pub inquiry: &'a Inquiry,
    /// The chosen face's quality, once one is chosen.
    pub quality: &'a [QualityLine],
}

/// The probe of an inquiry: `/console/inquiries/{id}/probe`.
pub fn probe(page: &ProbePage<'_>) -> Markup {
    let ProbePage { desk, inquiry, .. } = *page;
    let main = html! {
        (steps(inquiry.stage()))
        @match inquiry.probe() {
            None => (upload(inquiry, "Bring the probe")),
            Some(probe) => (received(page, probe)),
        }
        (withdraw(inquiry))
    };
    Page::new("Probe")
        .beside(beside(inquiry))
        .scripts(&["upload.js", "probe.js"])
        .keys(&[("a", "approve, once a face is chosen")])
        .of(desk, main)
}

fn received(page: &ProbePage<'_>, probe: &Probe) -> Markup {
    let inquiry = page.inquiry;
    let another = upload(inquiry, "Another photo");
    let is_chosen = inquiry.choice().is_some();
    html! {
        @if probe.faces.is_empty() && !is_chosen { (alarm_note(NO_FACE)) }
        @if is_chosen {
            (chosen(page))
            (folded_panel("Choose again, or change the edits", choose(inquiry, probe)))
        } @else { (choose(inquiry, probe)) }
        (panel("As received", inquiry_facts::received(probe)))
        @if probe.faces.is_empty() { (another) }
        @else { (folded_panel("Bring another photo instead", another)) }
    }
}

const NO_FACE: &str = "No face is seen in this photo as it was received. If it lies on its side or \
    the face is small, turn or crop it. Else bring another one: facing the camera, uncovered, \
    sharp, evenly lit.";

fn upload(inquiry: &Inquiry, title: &str) -> Markup {
    html! {
        form.panel #upload data-inquiry=(inquiry.id()) data-revision=(inquiry.revision())
            data-piece=(PROBE_PIECE_BYTES) data-bytes-max=(PROBE_BYTES_MAX) {
            h2 { (title) }
            p {
                "The best photo there is: the original file, not a screenshot or a photo of a \
                 screen. From a CD, DVD or stick it may have up to "
                (PROBE_BYTES_MAX >> 20) " MiB. A sketch, a composite, anything generated, or \
                another person's image is not searched."
            }
            (photo_field())
            label for="sent" { "Received by the box" }
            progress #sent max="1" value="0" {}
            p.small {
                "SHA-256, computed here before it is sent: "
                span.digest #probe-sha256 { "not yet" }
            }
            (ending(html! { button.main { "Send the photo" } }))
        }
    }
}

fn photo_field() -> Markup {
    html! {
        div.field {
            label for="probe-file" { "Photo" }
            p.hint #probe-file-hint { "JPEG, JPEG 2000 or PNG." }
            input type="file" #probe-file name="probe"
                accept="image/jpeg,image/png,image/jp2,.jp2,.jpg,.jpeg,.png"
                aria-describedby="probe-file-hint";
        }
    }
}

fn chosen(page: &ProbePage<'_>) -> Markup {
    let inquiry = page.inquiry;
    let approval = format!("/console/inquiries/{}/approve", inquiry.id());
    let picture = "The probe as it would be searched, the chosen face framed";
    let choice = html! {
        @if let Some(choice) = inquiry.choice() { (inquiry_facts::choice(choice)) }
        div.actions {
            a.button.main autofocus href=(approval) data-keys="a" { "Go on to the approval" }
        }
    };
    let content = html! {
        div.split { div { (choice) } (searched_probe(inquiry, picture)) }
        h3 { "Quality of the face" }
        (quality_sheet(page.quality))
    };
    panel("Chosen", content)
}

/// The choice of a face of the probe as searched: the page's module lists the faces that the box
/// sees with the edits that are set.
fn choose(inquiry: &Inquiry, probe: &Probe) -> Markup {
    let base = format!("/v1/inquiries/{}", inquiry.id());
    let here = format!("/console/inquiries/{}/probe", inquiry.id());
    html! {
        form #choose data-verb={ "POST " (base) "/face" } data-preview={ (base) "/preview" }
            data-next=(here) {
            (revision(inquiry.revision()))
            (faces(inquiry))
            (edits(inquiry, probe))
            (poor(inquiry))
            (ending(html! { button.main { "Choose this face" } }))
        }
    }
}

fn faces(inquiry: &Inquiry) -> Markup {
    let chosen = inquiry.choice().and_then(|choice| serde_json::to_string(&choice.frame).ok());
    html! {
        fieldset #faces disabled data-chosen=[chosen] {
            legend { "Which face" }
            p.hint {
                "As the photo would be searched, with the edits below. If there are several \
                 faces, make sure that you choose the person sought."
            }
            div.faces {}
            template { (face_to_choose()) }
        }
    }
}

/// One face in the list, which `assets/probe.js` fills in.
fn face_to_choose() -> Markup {
    html! {
        div {
            div.choice {
                input type="radio" #face name="face" data-type="number" required;
                label for="face" {}
            }
            div.picture { img alt="" width="256" height="256"; }
            p.small.warn {}
        }
    }
}

fn poor(inquiry: &Inquiry) -> Markup {
    let kept = inquiry.choice().and_then(|choice| choice.reason.as_deref());
    let hint = format!(
        "{REASON_CHARS_MIN} to {REASON_CHARS_MAX} characters, in words. It stands in the report."
    );
    let reason = Field::required("reason", "Reason to search all the same")
        .id("poor-reason")
        .hint(&hint)
        .chars_max(REASON_CHARS_MAX)
        .value(kept.unwrap_or_default());
    html! {
        fieldset #poor hidden[kept.is_none()] disabled[kept.is_none()] {
            legend { "The face is poor" }
            p {
                "A poor photo gives poor leads: ask for a better one first. If there is none, \
                 say why the search is needed all the same."
            }
            (reason.lines())
        }
    }
}
