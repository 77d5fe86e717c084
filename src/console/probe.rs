//! The probe: brought in, all its faces shown, one of them chosen, with the edits of the closed
//! list.

use maud::{Markup, html};

use super::inquiry_facts::{self, QualityLine};
use super::inquiry::{beside, steps, withdraw};
use super::components::{Field, ending, lines, revision};
use super::layout::{Desk, Here, Page, inside};
use crate::face::Edit;
use crate::inquiry::{Choice, Frame, Inquiry, Probe};
use crate::limits::{
    CONTRAST_HUNDREDTHS_MAX, CONTRAST_HUNDREDTHS_MIN, EXPOSURE_TENTHS_MAX, PROBE_BYTES_MAX,
    PROBE_PIECE_BYTES, REASON_CHARS_MAX, REASON_CHARS_MIN,
};

/// What the page of a probe shows.
#[derive(Clone, Debug)]
pub struct ProbeView<'a> {
    /// Who is here: the inquiry's operator.
    pub desk: &'a Desk,
    /// The inquiry, before its search was asked for.
    pub inquiry: &'a Inquiry,
    /// The chosen face's quality, once one is chosen.
    pub quality: &'a [QualityLine],
}

/// The probe of an inquiry: `/console/inquiries/{id}/probe`.
pub fn probe(view: &ProbeView<'_>) -> Markup {
    let ProbeView { desk, inquiry, .. } = *view;
    let main = html! {
        (steps(inquiry.stage()))
        @match inquiry.probe() {
            None => (upload(inquiry, "Bring the probe")),
            Some(probe) => {
                @if probe.faces.is_empty() && inquiry.choice().is_none() {
                    p.note.alarm {
                        "No face is seen in this photo as it was received. If it lies on its side \
                         or the face is small, turn or crop it. "
                        "Else bring another one: facing the camera, uncovered, sharp, evenly lit."
                    }
                }
                @if let Some(choice) = inquiry.choice() {
                    (chosen(inquiry, choice, view.quality))
                    details.panel { summary { "Choose again, or change the edits" }
                        (choose(inquiry, probe)) }
                } @else { (choose(inquiry, probe)) }
                section.panel { h2 { "As received" } (inquiry_facts::received(probe)) }
                @if probe.faces.is_empty() { (upload(inquiry, "Another photo")) }
                @else { details.panel { summary { "Bring another photo instead" }
                    (upload(inquiry, "Another photo")) } }
            }
        }
        (withdraw(inquiry))
    };
    let page = Page {
        here: Here::Elsewhere,
        title: "Probe",
        beside: beside(inquiry),
        wide: false,
        scripts: &["upload.js", "probe.js"],
        keys: &[("a", "approve, once a face is chosen")],
    };
    inside(desk, &page, &main)
}

fn upload(inquiry: &Inquiry, title: &str) -> Markup {
    let most = PROBE_BYTES_MAX >> 20;
    html! {
        form.panel #upload data-inquiry=(inquiry.id()) data-revision=(inquiry.revision())
            data-piece=(PROBE_PIECE_BYTES) data-bytes-max=(PROBE_BYTES_MAX) {
            h2 { (title) }
            p {
                "The best photo there is: the original file, not a screenshot or a photo of a \
                 screen. From a CD, DVD or stick it may have up to "
                (most) " MiB. A sketch, a composite, anything generated, or another person's image \
                    is not searched."
            }
            div.field {
                label for="probe-file" { "Photo" }
                p.hint #probe-file-hint { "JPEG, JPEG 2000 or PNG." }
                input type="file" #probe-file name="probe"
                    accept="image/jpeg,image/png,image/jp2,.jp2,.jpg,.jpeg,.png"
                    aria-describedby="probe-file-hint";
            }
            label for="sent" { "Sealed in the box" }
            progress #sent max="1" value="0" {}
            p.small { "SHA-256, computed here before it is sent: "
                span.digest #probe-sha256 { "not yet" } }
            (ending(&html! { button.main { "Send the photo" } }))
        }
    }
}

fn chosen(inquiry: &Inquiry, choice: &Choice, quality: &[QualityLine]) -> Markup {
    let id = inquiry.id();
    html! {
        section.panel {
            h2 { "Chosen" }
            div.split {
                div {
                    (inquiry_facts::choice(choice))
                    div.actions { a.button.main autofocus href={
                        "/console/inquiries/" (id) "/approve" }
                        data-keys="a" { "Go on to the approval" } }
                }
                div.picture.low {
                    img src={ "/v1/inquiries/" (id) "/probe?part=searched" }
                        alt="The probe as it would be searched, the chosen face framed" width="800"
                        height="1000";
                    (chosen_face(choice))
                }
            }
            h3 { "Quality of the face" }
            (inquiry_facts::quality(quality))
        }
    }
}

/// The frame of the chosen face, to lie over a picture of the probe as searched.
pub(super) fn chosen_face(choice: &Choice) -> Markup {
    over(choice.searched_px, "", &framed(choice.frame, "chosen"))
}

/// What is drawn over a picture of a photo of this size. Units: pixels of that photo.
fn over([width, height]: [u32; 2], id: &str, drawn: &Markup) -> Markup {
    html! {
        svg id=[(!id.is_empty()).then_some(id)] viewBox={ "0 0 " (width) " " (height) }
            preserveAspectRatio="xMidYMid meet" aria-hidden="true" { (drawn) }
    }
}

/// A face's frame on a picture, in dark and light so that it is seen on both.
fn framed(frame: Frame, class: &str) -> Markup {
    html! {
        rect x=(frame.x) y=(frame.y) width=(frame.width) height=(frame.height) {}
        rect class=(class) x=(frame.x) y=(frame.y) width=(frame.width) height=(frame.height) {}
    }
}

/// The choice of a face of the probe as searched: the page's module lists the faces that the box
/// sees with the edits that are set.
fn choose(inquiry: &Inquiry, probe: &Probe) -> Markup {
    let base = format!("/v1/inquiries/{}", inquiry.id());
    let chosen = inquiry.choice().and_then(|choice| serde_json::to_string(&choice.frame).ok());
    let [width, height] = probe.px;
    let edit = |kind: &str| {
        let edits = inquiry.choice().map_or(&[][..], |choice| choice.edits.as_slice());
        edits.iter().copied().find(|edit| edit.kind() == kind)
    };
    html! {
        form #choose data-verb={ "POST " (base) "/face" } data-preview={ (base) "/preview" }
            data-next={ "/console/inquiries/" (inquiry.id()) "/probe" } {
            (revision(inquiry.revision()))
            fieldset #faces disabled data-chosen=[chosen] {
                legend { "Which face" }
                p.hint { "As the photo would be searched, with the edits below. Where several \
                    faces are seen, see that the one you choose is the person sought." }
                div.faces {}
                template {
                    div {
                        div.choice { input type="radio" #face name="face" data-type="number"
                            required; label for="face" {} }
                        div.picture { img alt="" width="256" height="256"; }
                        p.small.warn {}
                    }
                }
            }
            fieldset {
                legend { "Edits" }
                p.hint { "Only these, in this order. Nothing is added to a face, enlarged or \
                    sharpened; each edit is recorded and can be replayed to the byte." }
                div.pair {
                    figure {
                        div.picture.broad #original {
                            img src={ (base) "/probe?part=original" }
                                alt="The probe as received" width="1200" height="900";
                            (over(probe.px, "original-faces",
                                &html! { @for frame in &probe.faces { (framed(*frame, "over")) }
                                g #crop-box {} }))
                        }
                        figcaption { "As received, " (width) " × " (height)
                            " px. Draw with the pointer to crop." }
                    }
                    figure {
                        div.picture.broad {
                            img #edited alt="" width="1200" height="900"
                                src={ (base) "/probe?part=original" };
                            (over(probe.px, "edited-faces", &html! {}))
                        }
                        figcaption { "As it would be searched, its faces numbered." }
                    }
                }
                (edits(edit, [width, height]))
            }
            (poor(inquiry))
            (ending(&html! { button.main { "Choose this face" } }))
        }
    }
}

fn edits(edit: impl Fn(&str) -> Option<Edit>, [width, height]: [u32; 2]) -> Markup {
    let crop = match edit("crop") {
        Some(Edit::Crop { x, y, width, height }) => Some([x, y, width, height]),
        _ => None,
    };
    let [x, y, w, h] = crop.unwrap_or([0, 0, width, height]);
    let amount = |kind: &str| match edit(kind) {
        Some(Edit::Rotate { tenths } | Edit::Exposure { tenths }) => f64::from(tenths) / 10.0,
        Some(Edit::Contrast { hundredths }) => f64::from(hundredths),
        _ => 0.0,
    };
    let stops = f64::from(EXPOSURE_TENTHS_MAX) / 10.0;
    html! {
        div.columns {
            fieldset {
                legend.small { "Crop" }
                div.choice {
                    input type="checkbox" #crop-on checked[crop.is_some()];
                    label for="crop-on" { "Keep a part only" }
                }
                div.row {
                    @for (name, label, value, most) in [
                        ("crop-x", "From the left, px", x, width),
                            ("crop-y", "From above, px", y, height),
                        ("crop-width", "Across, px", w, width),
                            ("crop-height", "Down, px", h, height),
                    ] {
                        div.field { label for=(name) { (label) } input type="number" id=(name)
                            value=(value) min="0" max=(most) step="1"; }
                    }
                }
            }
            fieldset {
                legend.small { "Turn and tone" }
                (slider("rotate", "Rotate clockwise, degrees", amount("rotate"), -179.9, 180.0,
                    0.1))
                (slider("exposure", "Exposure, stops", amount("exposure"), -stops, stops, 0.1))
                (slider("contrast", "Contrast, hundredths", amount("contrast"),
                    CONTRAST_HUNDREDTHS_MIN.into(), CONTRAST_HUNDREDTHS_MAX.into(), 1.0))
                button.plain type="button" #no-edits { "Without edits" }
            }
        }
    }
}

fn slider(name: &str, label: &str, value: f64, least: f64, most: f64, step: f64) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            input type="number" id=(name) value=(value) min=(least) max=(most) step=(step);
            input type="range" id={ (name) "-slider" } aria-label={ (label) ", as a slider" }
                value=(value) min=(least) max=(most) step=(step);
        }
    }
}

fn poor(inquiry: &Inquiry) -> Markup {
    let kept = inquiry.choice().and_then(|choice| choice.reason.as_deref());
    let hint = format!(
        "{REASON_CHARS_MIN} to {REASON_CHARS_MAX} characters, in words. It stands in the report."
    );
    html! {
        fieldset #poor hidden[kept.is_none()] disabled[kept.is_none()] {
            legend { "The face is poor" }
            p { "A poor face brings poor leads: ask for a better photo first. If there is none, \
                say why the search is worth its while all the same." }
            (lines(Field {
                name: "reason", id: "poor-reason", label: "Reason to search all the same",
                    hint: &hint, required: true, most: REASON_CHARS_MAX,
                value: kept.unwrap_or_default(),
                ..Field::default()
            }))
        }
    }
}
