//! The array, and each candidate beside the probe. What an examiner may not see yet isn't on the
//! page at all.
//!
//! While somebody's own review isn't finished, candidates stand in the order of their random names,
//! so that the place of one says nothing of its score; both examiners meet the same order. Ranks
//! come with the scores.

use maud::{Markup, html};

use super::inquiry::beside;
use super::components::{Field, count, ending, facts, line, note, number, revision, sentence};
use super::layout::{Desk, Here, Page, inside};
use super::my_work::as_part;
use crate::booking::{BookingData, BookingNumber, CollectionBasis, Identifier, VersionId};
use crate::inquiry::{
    CandidateSight, Component, Disposed, Disposition, Frame, Inquiry, Ranked, Review, Seen, Sight,
};
use crate::limits::TEXT_CHARS_MAX;

/// What a booking says of a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Biography {
    /// The agency that booked.
    pub agency: Identifier,
    /// Its booking number.
    pub number: BookingNumber,
    /// The basic booking data.
    pub booking: BookingData,
}

/// A candidate's photo and data, as far as there is any. Pages show of it what the sight allows.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The candidate.
    pub version: VersionId,
    /// Its booking; may be left out where the sight hides it.
    pub biography: Option<Biography>,
    /// The face that was compared, and the size in pixels of the photo in which it was found.
    pub face: Option<(Frame, [u32; 2])>,
}

/// What the array shows.
#[derive(Clone, Debug)]
pub struct ArrayView<'a> {
    /// Who is here.
    pub desk: &'a Desk,
    /// The inquiry, answered.
    pub inquiry: &'a Inquiry,
    /// What this person may see of it.
    pub sight: &'a Sight,
    /// Its candidates, in any order.
    pub candidates: &'a [Shown],
}

/// What comparing one candidate shows.
#[derive(Clone, Debug)]
pub struct CompareView<'a> {
    /// The array that it is of.
    pub array: ArrayView<'a>,
    /// The candidate.
    pub at: VersionId,
}

/// A candidate with all that this person may see of it.
struct Entry<'a> {
    ranked: &'a Ranked,
    sight: CandidateSight,
    biography: Option<&'a Biography>,
    face: Option<(Frame, [u32; 2])>,
    own: Option<Disposed<'a>>,
    both: Option<[Option<Disposed<'a>>; 2]>,
}

impl<'a> ArrayView<'a> {
    fn own(&self) -> Option<&'a Review> {
        let me = as_part(&self.desk.person).id;
        [self.inquiry.second(), self.inquiry.first()]
            .into_iter()
            .flatten()
            .find(|review| review.examiner.id == me)
    }

    /// The review that this person is at.
    fn at_work(&self) -> Option<&'a Review> {
        self.own().filter(|review| !review.is_finished() && !self.inquiry.stage().is_over())
    }

    fn entries(&self) -> Vec<Entry<'a>> {
        let own = self.own();
        let entry = |version: VersionId| {
            let ranked = self.inquiry.candidate(version)?;
            let sight =
                self.sight.candidates.iter().find(|sight| sight.version == version).copied();
            let sight = sight.unwrap_or(CandidateSight {
                version,
                photo: false,
                score_and_biography: false,
            });
            let shown = self.candidates.iter().find(|shown| shown.version == version);
            let both = [self.inquiry.first(), self.inquiry.second()]
                .map(|review| review.and_then(|review| review.disposed(ranked)));
            Some(Entry {
                ranked,
                sight,
                biography: shown
                    .and_then(|shown| shown.biography.as_ref())
                    .filter(|_| sight.score_and_biography),
                face: shown.and_then(|shown| shown.face).filter(|_| sight.photo),
                own: own.and_then(|review| review.disposed(ranked)),
                both: self.sight.others.then_some(both),
            })
        };
        candidate_order(self.inquiry, self.desk).into_iter().filter_map(entry).collect()
    }
}

/// The order in which somebody meets an inquiry's candidates: by rank once both reviews are
/// finished or the person has no part in one, by their random names before.
pub fn candidate_order(inquiry: &Inquiry, desk: &Desk) -> Vec<VersionId> {
    let mut order: Vec<VersionId> =
        inquiry.candidates().iter().map(|candidate| candidate.version).collect();
    let me = as_part(&desk.person).id;
    let examines = [inquiry.first(), inquiry.second()]
        .into_iter()
        .flatten()
        .any(|review| review.examiner.id == me);
    if examines && !inquiry.both_finished() {
        order.sort_unstable();
    }
    order
}

/// The array: `/console/inquiries/{id}/array`.
pub fn array(view: &ArrayView<'_>) -> Markup {
    let (desk, inquiry) = (view.desk, view.inquiry);
    let entries = view.entries();
    let visible =
        entries.iter().any(|entry| entry.sight.photo) || view.own().is_some() || view.sight.others;
    let left = entries.iter().filter(|entry| entry.own.is_none()).count();
    let first_left =
        entries.iter().find(|entry| entry.own.is_none()).map(|entry| entry.ranked.version);
    let main = html! {
        (note())
        @if !visible {
            p.note { "The array is shown to the operator once two examiners have finished, and to \
                each examiner from taking a review on." }
        } @else {
            @if view.at_work().is_some() { (progress(inquiry, entries.len(), left, first_left)) }
            @if view.sight.others { (disagreements(inquiry)) }
            @if entries.is_empty() {
                p.panel { "The search found no candidate. That is a finding too: it takes the same \
                    two examiners, and a report." }
            } @else {
                ol.array { @for (at, entry)
                    in entries.iter().enumerate() { li { (card(inquiry, entry, at)) } } }
            }
        }
    };
    let page = Page {
        here: Here::Elsewhere,
        title: if view.at_work().is_some() { "Array: your review" } else { "Array" },
        beside: html! { (beside(inquiry))
        p.quiet { (count(entries.len(), "candidate", "candidates")) } },
        wide: true,
        scripts: &[],
        keys: &[("n", "the next candidate without a disposition"), ("e", "finish the review")],
    };
    inside(desk, &page, &main)
}

fn progress(inquiry: &Inquiry, all: usize, left: usize, next: Option<VersionId>) -> Markup {
    let id = inquiry.id();
    html! {
        section.panel {
            div.actions {
                p { (all - left) " of " (all)
                    " have your disposition. " @if left > 0 { "None may be skipped." }
                    @else { "You can finish." } }
                @if let Some(version) = next {
                    a.button.main href={ "/console/inquiries/" (id) "/compare/" (version) }
                        data-keys="n" { "Next candidate" }
                } @else {
                    form data-verb={ "POST /v1/inquiries/" (id) "/finish" }
                        data-next={ "/console/inquiries/" (id) } {
                        (revision(inquiry.revision()))
                        button.main data-keys="e" { "Finish your review" }
                        div.refusal tabindex="-1" hidden {}
                        p.status role="status" {}
                    }
                }
            }
            p.quiet { "Candidates stand in no order of likeness. Score and booking data come with \
                your disposition, or later." }
        }
    }
}

fn disagreements(inquiry: &Inquiry) -> Markup {
    let differ = inquiry.disagreements().unwrap_or_default();
    html! {
        @if differ.is_empty() { p.panel { "Both examiners agree on which candidates are leads." } }
        @else {
            p.note.alarm {
                "The two examiners disagree on " (count(differ.len(), "candidate", "candidates"))
                ": one took it for a lead, the other did not. The report shows both."
            }
        }
    }
}

fn card(inquiry: &Inquiry, entry: &Entry<'_>, at: usize) -> Markup {
    let id = inquiry.id();
    let name = name_of(entry, at);
    html! {
        @if entry.sight.photo {
            a href={ "/console/inquiries/" (id) "/compare/" (entry.ranked.version) } {
                div.picture.tall { img src=(photo(inquiry, entry))
                    alt="" width="400" height="500" loading="lazy"; }
                p { strong { (name) } }
            }
        } @else {
            div.picture.tall { div.gone { (absent(entry)) } }
            p { strong { (name) } }
        }
        p.small {
            @match (&entry.own, entry.both) {
                (_, Some([first, second])) => {
                    "First: " (words(first)) br; "Second: " (words(second)) }
                (Some(own), None) => (sentence(own.words())),
                (None, None) => span.warn { "No disposition yet" },
            }
        }
        @if entry.sight.score_and_biography {
            p.small.quiet { "Score " (format!("{:.3}", entry.ranked.score))
            @if let Some(biography) = entry.biography {
            br; (biography.agency) " " (biography.number) } } }
    }
}

fn absent(entry: &Entry<'_>) -> &'static str {
    if entry.ranked.released_cs.is_some() {
        "Released by its agency and shown to nobody again"
    } else {
        "Not shown to you now"
    }
}

fn words(disposed: Option<Disposed<'_>>) -> String {
    disposed.map_or("none".to_owned(), |disposed| disposed.words().to_owned())
}

/// A candidate's name on pages: by rank where the score may be seen, else by its place among all.
fn name_of(entry: &Entry<'_>, at: usize) -> String {
    if entry.sight.score_and_biography && entry.both.is_some() {
        format!("Rank {}", entry.ranked.rank)
    } else {
        format!("Candidate {}", at + 1)
    }
}

fn photo(inquiry: &Inquiry, entry: &Entry<'_>) -> String {
    format!("/v1/inquiries/{}/candidates/{}/photo", inquiry.id(), entry.ranked.version)
}

/// One candidate beside the probe: `/console/inquiries/{id}/compare/{version}`. Nothing where the
/// array has no such candidate.
pub fn compare(view: &CompareView<'_>) -> Option<Markup> {
    let ArrayView { desk, inquiry, .. } = view.array;
    let entries = view.array.entries();
    let at = entries.iter().position(|entry| entry.ranked.version == view.at)?;
    let entry = &entries[at];
    let main = html! {
        div.compare {
            div.look {
                (viewer(view, entry, at))
                (tools(inquiry, &entries, at))
            }
            (judge(&view.array, &entries, at))
            (note())
        }
    };
    let page = Page {
        here: Here::Elsewhere,
        title: &format!("{} of {}", name_of(entry, at), entries.len()),
        beside: beside(inquiry),
        wide: true,
        scripts: &["compare.js"],
        keys: &KEYS,
    };
    Some(inside(desk, &page, &main))
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

fn viewer(view: &CompareView<'_>, entry: &Entry<'_>, at: usize) -> Markup {
    let inquiry = view.array.inquiry;
    let probe = inquiry.choice().map(|choice| (choice.frame, choice.searched_px));
    let frame = |face: Option<(Frame, [u32; 2])>| {
        face.map(|(f, _)| format!("{} {} {} {}", f.x, f.y, f.width, f.height))
    };
    let px = |face: Option<(Frame, [u32; 2])>| {
        face.map(|(_, [width, height])| format!("{width} {height}"))
    };
    html! {
        div.viewer #viewer role="group" aria-label="Probe and candidate" {
            div.pane {
                span.label { "Probe" }
                @if view.array.sight.probe {
                    img src={ "/v1/inquiries/" (inquiry.id()) "/probe?part=searched" }
                        alt="The probe as searched"
                        data-frame=[frame(probe)] data-px=[px(probe)] draggable="false";
                } @else { div.gone { "The probe is closed to you." } }
            }
            div.pane.second {
                span.label { (name_of(entry, at)) }
                @if entry.sight.photo {
                    img src=(photo(inquiry, entry)) alt={ "Booking photo of candidate " (at + 1) }
                        data-frame=[frame(entry.face)] data-px=[px(entry.face)] draggable="false";
                } @else { div.gone { (absent(entry)) } }
            }
        }
    }
}

fn tools(inquiry: &Inquiry, entries: &[Entry<'_>], at: usize) -> Markup {
    html! {
        div.tools role="group" aria-label="View" {
            button type="button" data-mode="side" data-keys="s" aria-pressed="true"
                { "Side by side" }
            button type="button" data-mode="swipe" data-keys="o" aria-pressed="false" { "Swipe" }
            button type="button" data-mode="blink" data-keys="b" aria-pressed="false" { "Blink" }
            span.apart {}
            button type="button" data-tool="in" data-keys="z" { "Zoom in" }
            button type="button" data-tool="out" data-keys="x" { "Zoom out" }
            button type="button" data-tool="left" data-keys="q" { "Turn left" }
            button type="button" data-tool="right" data-keys="w" { "Turn right" }
            button type="button" data-tool="reset" data-keys="0" { "Reset" }
        }
        div.tools {
            div.tools role="group" aria-label="What moves" {
                span.quiet { "Moves" }
                button type="button" data-moves="both" aria-pressed="true" { "Both" }
                button type="button" data-moves="0" aria-pressed="false" { "Probe" }
                button type="button" data-moves="1" aria-pressed="false" { "Candidate" }
            }
            span.swipe.held #swipe-tool {
                label for="swipe" { "Line" } input type="range" #swipe min="0" max="100" value="50";
                }
            span.apart {}
            (way(inquiry, entries, at))
        }
    }
}

/// The next candidate without the person's disposition.
fn open_after<'a>(entries: &'a [Entry<'a>], at: usize) -> Option<&'a Entry<'a>> {
    entries[at + 1..].iter().chain(&entries[..at]).find(|entry| entry.own.is_none())
}

fn way(inquiry: &Inquiry, entries: &[Entry<'_>], at: usize) -> Markup {
    let id = inquiry.id();
    let href =
        |entry: &Entry<'_>| format!("/console/inquiries/{id}/compare/{}", entry.ranked.version);
    let before = at.checked_sub(1).and_then(|before| entries.get(before));
    let left = open_after(entries, at);
    html! {
        nav.tools aria-label="Candidates" {
            @if let Some(before) = before {
                a.button rel="prev" data-keys="k" href=(href(before)) { "Previous" } }
            @if let Some(after) = entries.get(at + 1) {
                a.button rel="next" data-keys="j" href=(href(after)) { "Next" } }
            @if let Some(left) = left {
                a.button data-keys="g" href=(href(left)) {
                "Next open" span.unseen { ", without a disposition" } } }
            a.button data-keys="a" href={ "/console/inquiries/" (id) "/array" } {
                "All" span.unseen { " candidates" } }
        }
    }
}

fn judge(array: &ArrayView<'_>, entries: &[Entry<'_>], at: usize) -> Markup {
    let entry = &entries[at];
    let next = open_after(entries, at);
    html! {
        @match (array.at_work(), &entry.own) {
            (Some(_), None) if entry.sight.photo => section.judge aria-label="Your judgement"
                { (features(array.inquiry, entry, at)) },
            _ => section.judge tabindex="0" aria-label="Judgement" { (judged(array, entry, next)) },
        }
    }
}

fn features(inquiry: &Inquiry, entry: &Entry<'_>, at: usize) -> Markup {
    let id = inquiry.id();
    html! {
        form #judge data-verb={ "POST /v1/inquiries/" (id) "/findings" } data-next="" {
            (revision(inquiry.revision()))
            input type="hidden" name="finding.candidate" value=(entry.ranked.version) required;
            div.inline {
                label for="find-feature" { "Features " span.quiet #noted { "0 alike, 0 different" }
                    }
                input type="search" #find-feature data-keys="f" placeholder="Find one"
                    autocomplete="off";
            }
            div.features tabindex="0" role="region"
                aria-label={ "Features of candidate " (at + 1) } {
                @for component in Component::ALL {
                    fieldset.component data-words=(component.words()) {
                        legend { (sentence(component.words())) }
                        @for feature in component.features() {
                            fieldset.feature data-words=(feature.words()) {
                                legend { span { (feature.words()) } }
                                div.seg {
                                    (seen(feature.code(), None, "Not noted", "\u{2013}"))
                                    (seen(feature.code(), Some(Seen::Similarity), "Alike", "Alike"))
                                    (seen(feature.code(), Some(Seen::Difference), "Different",
                                        "Differs"))
                                }
                            }
                        }
                    }
                }
            }
            (line(Field { name: "finding.note", label: "Note", most: TEXT_CHARS_MAX,
                ..Field::default() }))
            fieldset.bare {
                legend { "Disposition" }
                div.seg.three {
                    @for (key, disposition) in (1..).zip(Disposition::ALL) {
                        label {
                            input type="radio" name="finding.disposition" value=(disposition.name())
                                required data-keys=(key);
                            span { kbd { (key) } " " (sentence(if disposition == Disposition::Lead {
                                "lead" } else { disposition.words() })) }
                        }
                    }
                }
                p.hint { "A lead needs a feature alike, no lead a feature that differs. A lead is \
                    a lead, and no more than that." }
            }
            (ending(&html! { button.main { "Record the disposition" } }))
        }
    }
}

/// One way in which a feature may have been seen.
fn seen(code: &str, seen: Option<Seen>, words: &str, short: &str) -> Markup {
    let name = seen.map_or("", Seen::name);
    let value = if name.is_empty() {
        String::new()
    } else {
        format!("{{\"feature\":\"{code}\",\"seen\":\"{name}\"}}")
    };
    html! {
        label {
            input type="radio" name={ "seen-" (code) } value=(value)
                data-into="finding.observations" data-seen=(name) aria-label=(words)
                checked[seen.is_none()];
            span aria-hidden="true" { (short) }
        }
    }
}

fn judged(array: &ArrayView<'_>, entry: &Entry<'_>, next: Option<&Entry<'_>>) -> Markup {
    let id = array.inquiry.id();
    let findings =
        [("First examiner", array.inquiry.first()), ("Second examiner", array.inquiry.second())];
    html! {
        section.panel {
            h2 { "Disposition" }
            @if let Some(both) = entry.both {
                (facts(&[("First examiner", html! { (sentence(&words(both[0]))) }),
                    ("Second examiner", html! { (sentence(&words(both[1]))) })]))
            } @else if let Some(own) = &entry.own {
                p { strong { (sentence(own.words())) } }
                @if array.at_work().is_some() {
                    div.actions {
                        @if let Some(next) = next {
                            a.button.main autofocus href={
                            "/console/inquiries/" (id) "/compare/" (next.ranked.version) } {
                            "Next open candidate" } }
                        @else { a.button.main autofocus href={ "/console/inquiries/" (id) "/array"
                            } { "All are done: to the array" } }
                    }
                }
            } @else { p { "None yet." } }
        }
        @if entry.sight.score_and_biography { (biography(entry)) }
        @else { p.panel.quiet { "Score and booking data are hidden from you now." } }
        @if entry.both.is_some() {
            @for (name, review) in findings {
                @if let Some(finding) = review.and_then(|review| review.finding(entry.ranked.version)) { (noted(name, finding)) } }
        } @else if let Some(Disposed::By(finding)) = entry.own { (noted("What you noted", finding))
            }
    }
}

fn noted(title: &str, finding: &crate::inquiry::Finding) -> Markup {
    let of = |seen: Seen| {
        finding.observations.iter().filter(move |observation| observation.seen == seen)
    };
    html! {
        section.panel {
            h2 { (title) }
            @for (words, seen) in [("Alike", Seen::Similarity), ("Different", Seen::Difference)] {
                @if of(seen).next().is_some() {
                    h3 { (words) }
                    ul { @for observation in of(seen) {
                        li { (sentence(observation.feature.component().words()))
                        ": " (observation.feature.words()) } } }
                }
            }
            @if let Some(note) = &finding.note { p { (note) } }
        }
    }
}

fn biography(entry: &Entry<'_>) -> Markup {
    let mut lines = vec![
        (
            "Score",
            html! { (format!("{:.3}", entry.ranked.score))
            span.quiet.small { " (a cosine; no measure of certainty)" } },
        ),
        ("Rank", html! { (number(entry.ranked.rank as u64)) }),
    ];
    if let Some(Biography { agency, number, booking }) = entry.biography {
        let charges =
            booking.charges.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        lines.extend([
            ("Name as booked", html! { (booking.name) }),
            (
                "Date of birth",
                html! {
                @match booking.date_of_birth { Some(date) => (date), None => "not stated" } },
            ),
            ("Booked on", html! { (booking.booked_on) }),
            ("Booking", html! { (agency) " " (number) }),
            ("Charges", html! { @if charges.is_empty() { "none stated" } @else { (charges) } }),
            ("Basis of the photo", html! { (booking.basis) }),
        ]);
    }
    html! { section.panel { h2 { "Basic booking data" } (facts(&lines)) } }
}
