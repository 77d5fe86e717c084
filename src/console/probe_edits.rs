//! The edits of a probe, from the closed list, beside the pictures before and after them.

use maud::{Markup, html};

use super::form::choice;
use super::probe_picture::{drawn_over, framed};
use crate::face::Edit;
use crate::inquiry::{Inquiry, Probe};
use crate::limits::{CONTRAST_HUNDREDTHS_MAX, CONTRAST_HUNDREDTHS_MIN, EXPOSURE_TENTHS_MAX};

/// A number that is set in a field or by a slider.
struct Slider<'a> {
    name: &'a str,
    label: &'a str,
    value: f64,
    least: f64,
    most: f64,
    step: f64,
}

/// The edits that are set, and the fields that set them.
pub(super) fn edits(inquiry: &Inquiry, probe: &Probe) -> Markup {
    let edits = inquiry.choice().map_or(&[][..], |choice| choice.edits.as_slice());
    html! {
        fieldset {
            legend { "Edits" }
            p.hint {
                "Only these edits are allowed, in this order. Nothing is added to a face, \
                 enlarged or sharpened. Each edit is recorded, so that it can be repeated exactly."
            }
            div.pair { (before(inquiry, probe)) (after(inquiry, probe)) }
            div.columns { (crop(edits, probe.px)) (turn_and_tone(edits)) }
        }
    }
}

fn before(inquiry: &Inquiry, probe: &Probe) -> Markup {
    let [width, height] = probe.px;
    let frames = html! {
        @for frame in &probe.faces { (framed(*frame, "over")) }
        g #crop-box {}
    };
    html! {
        figure {
            div.picture.broad #original {
                img src={ "/v1/inquiries/" (inquiry.id()) "/probe?part=original" }
                    alt="The probe as received" width="1200" height="900";
                (drawn_over(probe.px, Some("original-faces"), &frames))
            }
            figcaption {
                "As received, " (width) " × " (height) " px. Draw with the pointer to crop."
            }
        }
    }
}

fn after(inquiry: &Inquiry, probe: &Probe) -> Markup {
    html! {
        figure {
            div.picture.broad {
                img #edited alt="" width="1200" height="900"
                    src={ "/v1/inquiries/" (inquiry.id()) "/probe?part=original" };
                (drawn_over(probe.px, Some("edited-faces"), &html! {}))
            }
            figcaption { "As it would be searched, its faces numbered." }
        }
    }
}

fn crop(edits: &[Edit], [width, height]: [u32; 2]) -> Markup {
    let crop = edits.iter().find_map(|edit| match *edit {
        Edit::Crop { x, y, width, height } => Some([x, y, width, height]),
        _ => None,
    });
    let [x, y, w, h] = crop.unwrap_or([0, 0, width, height]);
    let sides = [
        ("crop-x", "From the left, px", x, width),
        ("crop-y", "From above, px", y, height),
        ("crop-width", "Across, px", w, width),
        ("crop-height", "Down, px", h, height),
    ];
    let on = html! { input type="checkbox" #crop-on checked[crop.is_some()]; };
    html! {
        fieldset {
            legend.small { "Crop" }
            (choice(on, "crop-on", "Keep a part only"))
            div.row {
                @for (name, label, value, most) in sides { (side(name, label, value, most)) }
            }
        }
    }
}

fn side(name: &str, label: &str, value: u32, most: u32) -> Markup {
    html! {
        div.field {
            label for=(name) { (label) }
            input type="number" id=(name) value=(value) min="0" max=(most) step="1";
        }
    }
}

fn turn_and_tone(edits: &[Edit]) -> Markup {
    let amount = |kind: &str| match edits.iter().find(|edit| edit.kind() == kind) {
        Some(Edit::Rotate { tenths } | Edit::Exposure { tenths }) => f64::from(*tenths) / 10.0,
        Some(Edit::Contrast { hundredths }) => f64::from(*hundredths),
        _ => 0.0,
    };
    let stops = f64::from(EXPOSURE_TENTHS_MAX) / 10.0;
    let sliders = [
        Slider {
            name: "rotate",
            label: "Rotate clockwise, degrees",
            value: amount("rotate"),
            least: -179.9,
            most: 180.0,
            step: 0.1,
        },
        Slider {
            name: "exposure",
            label: "Exposure, stops",
            value: amount("exposure"),
            least: -stops,
            most: stops,
            step: 0.1,
        },
        Slider {
            name: "contrast",
            label: "Contrast, hundredths",
            value: amount("contrast"),
            least: CONTRAST_HUNDREDTHS_MIN.into(),
            most: CONTRAST_HUNDREDTHS_MAX.into(),
            step: 1.0,
        },
    ];
    html! {
        fieldset {
            legend.small { "Turn and tone" }
            @for slider in &sliders { (slider.field()) }
            button.plain type="button" #no-edits { "Without edits" }
        }
    }
}

impl Slider<'_> {
    fn field(&self) -> Markup {
        let Self { name, label, value, least, most, step } = *self;
        html! {
            div.field {
                label for=(name) { (label) }
                input type="number" id=(name) value=(value) min=(least) max=(most) step=(step);
                input type="range" id={ (name) "-slider" } aria-label={ (label) ", as a slider" }
                    value=(value) min=(least) max=(most) step=(step);
            }
        }
    }
}
