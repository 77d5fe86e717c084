//! Pictures of a probe with the frames of faces drawn over them.

use maud::{Markup, html};

use crate::inquiry::{Frame, Inquiry};

/// The probe as it is searched, with its chosen face framed.
pub(super) fn searched_probe(inquiry: &Inquiry, words: &str) -> Markup {
    html! {
        div.picture.low {
            img src={ "/v1/inquiries/" (inquiry.id()) "/probe?part=searched" } alt=(words)
                width="800" height="1000";
            @if let Some(choice) = inquiry.choice() {
                (drawn_over(choice.searched_px, None, &framed(choice.frame, "chosen")))
            }
        }
    }
}

/// What is drawn over a picture of a photo of this size. Units: pixels of that photo.
pub(super) fn drawn_over([width, height]: [u32; 2], id: Option<&str>, drawn: &Markup) -> Markup {
    html! {
        svg id=[id] viewBox={ "0 0 " (width) " " (height) } preserveAspectRatio="xMidYMid meet"
            aria-hidden="true" { (drawn) }
    }
}

/// A face's frame on a picture, in dark and light so that it is seen on both.
pub(super) fn framed(frame: Frame, class: &str) -> Markup {
    html! {
        rect x=(frame.x) y=(frame.y) width=(frame.width) height=(frame.height) {}
        rect class=(class) x=(frame.x) y=(frame.y) width=(frame.width) height=(frame.height) {}
    }
}
