//! The array: all candidates of an inquiry, as far as the person may see them.

use maud::{Markup, html};

use super::candidates::{ArrayPage, CandidateEntry, disposition_words};
use super::components::{alarm_note, order_note};
use super::form::revision;
use super::inquiry::beside;
use super::layout::Page;
use crate::inquiry::Inquiry;
use crate::wording::{capital, count};

const KEYS: [(&str, &str); 2] =
    [("n", "the next candidate without a disposition"), ("e", "finish the review")];

/// The array: `/console/inquiries/{id}/array`.
pub fn array(page: &ArrayPage<'_>) -> Markup {
    let inquiry = page.inquiry;
    let entries = page.entries();
    let photos = entries.iter().any(|entry| entry.sight.photo);
    let visible = photos || page.own().is_some() || page.sight.others;
    let main = html! {
        (order_note())
        @if visible { (candidates(page, &entries)) } @else {
            p.note {
                "The array is shown to the operator once two examiners have finished, and to an \
                 examiner from the moment they take a review."
            }
        }
    };
    let beside = html! {
        (beside(inquiry))
        p.quiet { (count(entries.len() as u64, "candidate", "candidates")) }
    };
    let title = if page.at_work().is_some() { "Array: your review" } else { "Array" };
    Page::new(title).beside(beside).wide().keys(&KEYS).of(page.desk, main)
}

fn candidates(page: &ArrayPage<'_>, entries: &[CandidateEntry<'_>]) -> Markup {
    let inquiry = page.inquiry;
    html! {
        @if page.at_work().is_some() { (progress(inquiry, entries)) }
        @if page.sight.others { (disagreements(inquiry)) }
        @if entries.is_empty() {
            p.panel {
                "The search found no candidate. That is a result too: it needs the same two \
                 examiners, and a report."
            }
        } @else { ol.array { @for entry in entries { li { (card(inquiry, entry)) } } } }
    }
}

fn progress(inquiry: &Inquiry, entries: &[CandidateEntry<'_>]) -> Markup {
    let left: Vec<&CandidateEntry<'_>> =
        entries.iter().filter(|entry| entry.own.is_none()).collect();
    let done = entries.len() - left.len();
    html! {
        section.panel {
            div.actions {
                p {
                    (done) " of " (entries.len()) " have your disposition. "
                    @if left.is_empty() { "You can finish." } @else { "None may be skipped." }
                }
                (go_on(inquiry, left.first().copied()))
            }
            p.quiet {
                "The order says nothing about likeness, and is another one for the other examiner. \
                 You see scores, names and booking data once both reviews are finished."
            }
        }
    }
}

/// The way to the next candidate, or the end of the review.
fn go_on(inquiry: &Inquiry, next: Option<&CandidateEntry<'_>>) -> Markup {
    let id = inquiry.id();
    html! {
        @if let Some(next) = next {
            a.button.main href=(next.compare(inquiry)) data-keys="n" { "Next candidate" }
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
}

fn disagreements(inquiry: &Inquiry) -> Markup {
    let differ = inquiry.disagreements().unwrap_or_default();
    if differ.is_empty() {
        return html! { p.panel { "Both examiners agree on which candidates are leads." } };
    }
    let how_many = count(differ.len() as u64, "candidate", "candidates");
    alarm_note(format_args!(
        "The two examiners disagree on {how_many}: one took it for a lead, the other did not. The \
         report shows both."
    ))
}

fn card(inquiry: &Inquiry, entry: &CandidateEntry<'_>) -> Markup {
    html! {
        @if entry.sight.photo {
            a href=(entry.compare(inquiry)) {
                div.picture.tall {
                    img src=(entry.photo(inquiry)) alt="" width="400" height="500" loading="lazy";
                }
                p { strong { (entry.name()) } }
            }
        } @else {
            div.picture.tall { div.gone { (entry.absent()) } }
            p { strong { (entry.name()) } }
        }
        p.small { (disposition(entry)) }
        @if entry.sight.score_and_biography { p.small.quiet { (score(entry)) } }
    }
}

fn disposition(entry: &CandidateEntry<'_>) -> Markup {
    html! {
        @match (entry.own, entry.both) {
            (_, Some([first, second])) => {
                "First: " (disposition_words(first)) br; "Second: " (disposition_words(second))
            }
            (Some(own), None) => (capital(own.words())),
            (None, None) => span.warn { "No disposition yet" },
        }
    }
}

fn score(entry: &CandidateEntry<'_>) -> Markup {
    html! {
        "Score " (format_args!("{:.3}", entry.ranked.score))
        @if let Some(biography) = entry.biography {
            br; (biography.agency) " " (biography.number)
        }
    }
}
