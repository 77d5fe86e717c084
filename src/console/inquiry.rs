//! One inquiry: where it stands, what it states, what comes next; and the way out of it.

use maud::{Markup, html};

use super::inquiry_facts;
use super::components::{Field, ending, lines, note, revision, sentence, when};
use super::layout::{Desk, Here, Page, inside};
use super::my_work::{Step, as_part};
use crate::inquiry::{Inquiry, Sight, Stage};
use crate::limits::{REASON_CHARS_MAX, REASON_CHARS_MIN};
use crate::roster::Duty;

/// What the page of an inquiry shows.
#[derive(Clone, Debug)]
pub struct InquiryView<'a> {
    /// Who is here.
    pub desk: &'a Desk,
    /// The inquiry.
    pub inquiry: &'a Inquiry,
    /// What this person may see of it.
    pub sight: &'a Sight,
}

/// A part of an inquiry that has a page of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The inquiry itself.
    Whole,
    /// The probe.
    Probe,
    /// The approval.
    Approve,
    /// The array.
    Array,
    /// The report.
    Report,
}

impl Part {
    /// Which page shows where an inquiry stands, to this person.
    pub fn of(inquiry: &Inquiry, desk: &Desk) -> Self {
        match Step::of(inquiry, &desk.person) {
            Some(Step::Probe) => Self::Probe,
            Some(Step::Approve) => Self::Approve,
            Some(Step::Review) => Self::Array,
            Some(Step::Issue | Step::Outcome) => Self::Report,
            Some(Step::ClaimFirst | Step::ClaimSecond) | None => Self::Whole,
        }
    }
}

/// An inquiry: `/console/inquiries/{id}`.
pub fn inquiry(view: &InquiryView<'_>) -> Markup {
    let InquiryView { desk, inquiry, sight } = *view;
    let me = as_part(&desk.person);
    let operates = desk.may(Duty::Operate) && inquiry.operator().id == me.id;
    let leaves = operates && !inquiry.stage().is_over() && inquiry.report().is_none();
    let id = inquiry.id();
    let main = html! {
        (steps(inquiry.stage()))
        div.split {
            div {
                (next(view))
                section.panel { h2 { "What it states" } (inquiry_facts::request(inquiry.request())) }
                @if let Some(probe) = inquiry.probe().filter(|_| sight.probe) {
                    section.panel { h2 { "The probe" } (inquiry_facts::received(probe))
                        @if let Some(choice) = inquiry.choice() { (inquiry_facts::choice(choice)) } }
                }
                @if inquiry.answer().is_some() { (note()) }
            }
            div {
                section.panel { h2 { "What was done" } (inquiry_facts::course(inquiry)) }
                @if inquiry.report().is_some() {
                    p { a href={ "/console/inquiries/" (id) "/report" } { "The report" } } }
                @if sight.others || sight.candidates.iter().any(|candidate| candidate.photo) {
                    p { a href={ "/console/inquiries/" (id) "/array" } { "The array" } }
                }
                @if leaves { (withdraw(inquiry)) }
            }
        }
    };
    inside(desk, &page(inquiry, "Inquiry"), &main)
}

/// The page of one part of an inquiry.
pub(super) fn page<'a>(inquiry: &Inquiry, title: &'a str) -> Page<'a> {
    Page {
        here: Here::Elsewhere,
        title,
        beside: beside(inquiry),
        wide: false,
        scripts: &[],
        keys: &[],
    }
}

/// Which inquiry it is, beside the title.
pub(super) fn beside(inquiry: &Inquiry) -> Markup {
    html! {
        p { a href={ "/console/inquiries/" (inquiry.id()) } {
            (inquiry_facts::reference(&inquiry.request().reference)) } }
        p.quiet { "Opened " (when(inquiry.opened_cs())) " by " (inquiry.operator().id) }
        p { span.tag { (sentence(inquiry.stage().words())) } }
    }
}

/// How far an inquiry is.
pub(super) fn steps(stage: Stage) -> Markup {
    const STEPS: [(&str, Stage, Stage); 7] = [
        ("Request", Stage::Opened, Stage::Opened),
        ("Probe and face", Stage::ProbeReceived, Stage::ProbeReceived),
        ("Approval by touch", Stage::FaceChosen, Stage::Asked),
        ("First review", Stage::Answered, Stage::FirstReview),
        ("Second review", Stage::ReviewedOnce, Stage::SecondReview),
        ("Report", Stage::Reviewed, Stage::Reviewed),
        ("Outcome", Stage::Issued, Stage::Closed),
    ];
    if matches!(stage, Stage::Withdrawn | Stage::Refused) {
        return html! { p.note.alarm {
        "The inquiry is " (stage.words()) ". What is still wanted needs an inquiry of its own."
        } };
    }
    // The request stands once the inquiry is there: what is wanted next is the probe.
    let now = stage.max(Stage::ProbeReceived);
    html! {
        ol.steps aria-label="How far it is" {
            @for (name, from, to) in STEPS {
                @if now > to || stage == Stage::Closed { li.done { (name) span.unseen { ", done" } }
                    }
                @else if now >= from { li aria-current="step" { (name) } }
                @else { li { (name) } }
            }
        }
    }
}

fn next(view: &InquiryView<'_>) -> Markup {
    let InquiryView { desk, inquiry, .. } = *view;
    let id = inquiry.id();
    let words = match inquiry.stage() {
        Stage::Asked => "The search is under way. It is answered in a moment; look again.",
        Stage::Answered => "The array is there. A first examiner looks at each candidate.",
        Stage::ReviewedOnce => {
            "The first review is finished. A second examiner, another person, looks at each \
             candidate without knowing what the first found."
        }
        Stage::FirstReview | Stage::SecondReview => "An examiner is at work.",
        Stage::Reviewed => "Two examiners have finished. The report can be issued.",
        Stage::Issued => "The report is issued. What became of it is wanted.",
        Stage::Opened | Stage::ProbeReceived | Stage::FaceChosen => "The operator goes on with it.",
        Stage::Closed | Stage::Withdrawn | Stage::Refused => "The inquiry is over.",
    };
    html! {
        section.panel {
            h2 { "Next" }
            p { (words) }
            @match Step::of(inquiry, &desk.person) {
                Some(step @ (Step::ClaimFirst | Step::ClaimSecond)) => {
                    p { "Whoever takes a review finishes it: every candidate gets a disposition. \
                        Score and booking data stay hidden until then." }
                    form data-verb={ "POST /v1/inquiries/" (id) "/claim" }
                        data-next={ "/console/inquiries/" (id) "/array" } {
                        (revision(inquiry.revision()))
                        (ending(&html! { button.main { (step.link(id).1) } }))
                    }
                }
                Some(step) => { @let (href, words) = step.link(id);
                    a.button.main href=(href) { (words) } }
                None if inquiry.stage() == Stage::Asked => a.button href={
                    "/console/inquiries/" (id) } { "Look again" },
                None => p.quiet { "Nothing of this is yours to do." },
            }
        }
    }
}

/// The operator's way out.
pub(super) fn withdraw(inquiry: &Inquiry) -> Markup {
    let hint = format!(
        "{REASON_CHARS_MIN} to {REASON_CHARS_MAX} characters, in words. The inquiry ends, and the \
         log says so."
    );
    html! {
        details.panel {
            summary { "Withdraw this inquiry" }
            form data-verb={ "POST /v1/inquiries/" (inquiry.id()) "/withdraw" }
                data-next="/console/work" {
                (revision(inquiry.revision()))
                (lines(Field { name: "reason", id: "withdraw-reason", label: "Why", hint: &hint,
                    required: true, most: REASON_CHARS_MAX, ..Field::default() }))
                (ending(&html! { button { "Withdraw" } }))
            }
        }
    }
}
