//! One candidate beside the probe, with what to do there and what was found. What an examiner may
//! not see yet isn't on the page at all.

use maud::{Markup, html};

use super::candidates::{ArrayPage, Biography, CandidateEntry, disposition_words};
use super::components::{facts, order_note, panel, unseen};
use super::inquiry::beside;
use super::judgement::judgement_form;
use super::layout::Page;
use crate::booking::{CollectionBasis, VersionId};
use crate::inquiry::{Disposed, Feature, Finding, Frame, Inquiry, Seen};
use crate::wording::{capital, number};

/// What comparing one candidate shows.
#[derive(Clone, Debug)]
pub struct ComparePage<'a> {
    /// The array that it is of.
    pub array: ArrayPage<'a>,
    /// The candidate.
    pub at: VersionId,
}

/// One candidate, in the place of all those of its array.
struct Comparison<'p, 'a> {
    page: &'p ArrayPage<'a>,
    entries: &'p [CandidateEntry<'a>],
    entry: &'p CandidateEntry<'a>,
}

const KEYS: [(&str, &str); 14] = [
    ("j ArrowRight ArrowDown", "next candidate"),
    ("k ArrowLeft ArrowUp", "previous candidate"),
    ("1 2 3", "lead, no lead, inconclusive; then Enter records it"),
    ("f", "find a feature"),
    ("z x", "zoom in, zoom out"),
    ("q w", "turn left, turn right"),
    ("Shift+Arrows", "pan; with the pointer: drag"),
    ("Wheel Shift+Drag", "zoom and rotate with the pointer"),
    ("Double-click", "bring that place to the middle"),
    ("0", "reset zoom, pan and rotation"),
    ("s o b", "side by side, one over the other, in turns"),
    ("m", "move both, the probe alone, the candidate alone"),
    ("a", "the array"),
    ("g", "the next candidate without a disposition"),
];

/// One candidate beside the probe: `/console/inquiries/{id}/compare/{version}`. Nothing where the
/// array has no such candidate.
pub fn compare(page: &ComparePage<'_>) -> Option<Markup> {
    let array = &page.array;
    let entries = array.entries();
    let entry = entries.iter().find(|entry| entry.ranked.version == page.at)?;
    let comparison = Comparison { page: array, entries: &entries, entry };
    let main = html! {
        div.compare {
            div.look { (comparison.viewer()) (view_tools()) (comparison.more_tools()) }
            (comparison.judgement())
            (order_note())
        }
    };
    let title = format!("{} of {}", entry.name(), entries.len());
    let layout =
        Page::new(&title).beside(beside(array.inquiry)).wide().scripts(&["compare.js"]).keys(&KEYS);
    Some(layout.of(array.desk, main))
}

impl Comparison<'_, '_> {
    fn viewer(&self) -> Markup {
        html! {
            div.viewer #viewer role="group" aria-label="Probe and candidate" {
                div.pane { span.label { "Probe" } (self.probe()) }
                div.pane.second { span.label { (self.entry.name()) } (self.candidate()) }
            }
        }
    }

    fn probe(&self) -> Markup {
        let inquiry = self.page.inquiry;
        let face = inquiry.choice().map(|choice| (choice.frame, choice.searched_px));
        if !self.page.sight.probe {
            return html! { div.gone { "You may not see the probe now." } };
        }
        html! {
            img src={ "/v1/inquiries/" (inquiry.id()) "/probe?part=searched" }
                alt="The probe as searched" data-frame=[frame(face)] data-px=[px(face)]
                draggable="false";
        }
    }

    fn candidate(&self) -> Markup {
        let entry = self.entry;
        if !entry.sight.photo {
            return html! { div.gone { (entry.absent()) } };
        }
        html! {
            img src=(entry.photo(self.page.inquiry))
                alt={ "Booking photo of candidate " (entry.at + 1) }
                data-frame=[frame(entry.face)] data-px=[px(entry.face)] draggable="false";
        }
    }

    fn more_tools(&self) -> Markup {
        html! {
            div.tools {
                (what_moves())
                span.swipe.held #swipe-tool {
                    label for="swipe" { "Line" }
                    input type="range" #swipe min="0" max="100" value="50";
                }
                span.apart {}
                (self.ways())
            }
        }
    }

    /// The next candidate without the person's disposition.
    fn next_open(&self) -> Option<&CandidateEntry<'_>> {
        let at = self.entry.at;
        self.entries[at + 1..].iter().chain(&self.entries[..at]).find(|entry| entry.own.is_none())
    }

    fn ways(&self) -> Markup {
        let inquiry = self.page.inquiry;
        let at = self.entry.at;
        let before = at.checked_sub(1).and_then(|before| self.entries.get(before));
        html! {
            nav.tools aria-label="Candidates" {
                @if let Some(before) = before {
                    a.button rel="prev" data-keys="k" href=(before.compare(inquiry)) { "Previous" }
                }
                @if let Some(after) = self.entries.get(at + 1) {
                    a.button rel="next" data-keys="j" href=(after.compare(inquiry)) { "Next" }
                }
                @if let Some(open) = self.next_open() {
                    a.button data-keys="g" href=(open.compare(inquiry)) {
                        "Next open" (unseen(", without a disposition"))
                    }
                }
                a.button data-keys="a" href=(array_of(inquiry)) { "All" (unseen(" candidates")) }
            }
        }
    }

    fn judgement(&self) -> Markup {
        let entry = self.entry;
        let judges = self.page.at_work().is_some() && entry.own.is_none() && entry.sight.photo;
        html! {
            @if judges {
                section.judge aria-label="Your judgement" {
                    (judgement_form(self.page.inquiry, entry))
                }
            } @else {
                section.judge tabindex="0" aria-label="Judgement" {
                    (panel("Disposition", self.disposition()))
                    (booking_data(entry))
                    (self.findings())
                }
            }
        }
    }

    fn disposition(&self) -> Markup {
        let entry = self.entry;
        if let Some([first, second]) = entry.both {
            return facts(&[
                ("First examiner", html! { (capital(&disposition_words(first))) }),
                ("Second examiner", html! { (capital(&disposition_words(second))) }),
            ]);
        }
        html! {
            @match entry.own {
                Some(own) => {
                    p { strong { (capital(own.words())) } }
                    @if self.page.at_work().is_some() { div.actions { (self.way_on()) } }
                }
                None => p { "None yet." },
            }
        }
    }

    fn way_on(&self) -> Markup {
        let inquiry = self.page.inquiry;
        let (href, words) = match self.next_open() {
            Some(next) => (next.compare(inquiry), "Next open candidate"),
            None => (array_of(inquiry), "All are done: to the array"),
        };
        html! { a.button.main autofocus href=(href) { (words) } }
    }

    fn findings(&self) -> Markup {
        let (inquiry, entry) = (self.page.inquiry, self.entry);
        let reviews = [("First examiner", inquiry.first()), ("Second examiner", inquiry.second())];
        let version = entry.ranked.version;
        let of_both = reviews
            .into_iter()
            .filter_map(|(name, review)| Some((name, review?.finding(version)?)));
        html! {
            @if entry.both.is_some() {
                @for (name, finding) in of_both { (noted(name, finding)) }
            } @else if let Some(Disposed::By(finding)) = entry.own {
                (noted("What you noted", finding))
            }
        }
    }
}

fn array_of(inquiry: &Inquiry) -> String {
    format!("/console/inquiries/{}/array", inquiry.id())
}

/// A face's frame, for `assets/compare.js`.
fn frame(face: Option<(Frame, [u32; 2])>) -> Option<String> {
    face.map(|(frame, _)| format!("{} {} {} {}", frame.x, frame.y, frame.width, frame.height))
}

/// The size of the photo that a face is in, for `assets/compare.js`.
fn px(face: Option<(Frame, [u32; 2])>) -> Option<String> {
    face.map(|(_, [width, height])| format!("{width} {height}"))
}

fn view_tools() -> Markup {
    let modes = [("side", "s", "Side by side"), ("swipe", "o", "Swipe"), ("blink", "b", "Blink")];
    let tools = [
        ("in", "z", "Zoom in"),
        ("out", "x", "Zoom out"),
        ("left", "q", "Turn left"),
        ("right", "w", "Turn right"),
        ("reset", "0", "Reset"),
    ];
    html! {
        div.tools role="group" aria-label="View" {
            @for (mode, key, words) in modes {
                button type="button" data-mode=(mode) data-keys=(key)
                    aria-pressed=((mode == "side").to_string()) { (words) }
            }
            span.apart {}
            @for (tool, key, words) in tools {
                button type="button" data-tool=(tool) data-keys=(key) { (words) }
            }
        }
    }
}

fn what_moves() -> Markup {
    html! {
        div.tools role="group" aria-label="What moves" {
            span.quiet { "Moves" }
            @for (moves, words) in [("both", "Both"), ("0", "Probe"), ("1", "Candidate")] {
                button type="button" data-moves=(moves)
                    aria-pressed=((moves == "both").to_string()) { (words) }
            }
        }
    }
}

fn noted(title: &str, finding: &Finding) -> Markup {
    let content = html! {
        (observed("Alike", finding, Seen::Similarity))
        (observed("Different", finding, Seen::Difference))
        @if let Some(note) = &finding.note { p { (note) } }
    };
    panel(title, content)
}

fn observed(title: &str, finding: &Finding, seen: Seen) -> Markup {
    let features: Vec<_> = finding
        .observations
        .iter()
        .filter(|observation| observation.seen == seen)
        .map(|observation| observation.feature)
        .collect();
    let words =
        |feature: Feature| format!("{}: {}", capital(feature.component().words()), feature.words());
    html! {
        @if !features.is_empty() {
            h3 { (title) }
            ul { @for feature in features { li { (words(feature)) } } }
        }
    }
}

fn booking_data(entry: &CandidateEntry<'_>) -> Markup {
    if !entry.sight.score_and_biography {
        return html! {
            p.panel.quiet { "Score and booking data are shown once both reviews are finished." }
        };
    }
    let score = html! {
        (format_args!("{:.3}", entry.ranked.score))
        span.quiet.small { " (a cosine; no measure of certainty)" }
    };
    let mut lines = vec![("Score", score), ("Rank", html! { (number(entry.ranked.rank as u64)) })];
    lines.extend(entry.biography.into_iter().flat_map(biography));
    panel("Basic booking data", facts(&lines))
}

fn biography(of: &Biography) -> [(&'static str, Markup); 6] {
    let Biography { agency, number, booking } = of;
    let charges = booking.charges.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let charges = if charges.is_empty() { "none stated" } else { &charges };
    let born = booking.date_of_birth.map(|date| date.to_string());
    [
        ("Name as booked", html! { (booking.name) }),
        ("Date of birth", html! { (born.as_deref().unwrap_or("not stated")) }),
        ("Booked on", html! { (booking.booked_on) }),
        ("Booking", html! { (agency) " " (number) }),
        ("Charges", html! { (charges) }),
        ("Basis of the photo", html! { (basis(&booking.basis)) }),
    ]
}

fn basis(of: &CollectionBasis) -> String {
    let detail = of.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{}{detail}", of.kind().words())
}
