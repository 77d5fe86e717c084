//! One inquiry: where it stands, what it states, what comes next; and how it is withdrawn.

use maud::{Markup, html};

use super::components::{alarm_note, folded_panel, order_note, panel, when};
use super::form::{Field, Form, ending, revision};
use super::inquiry_facts;
use super::layout::{DeskContext, Page};
use super::next_step::{NextStep, participant};
use crate::inquiry::{Inquiry, Sight, Stage};
use crate::limits::{REASON_CHARS_MAX, REASON_CHARS_MIN};
use crate::roster::Duty;
use crate::wording::capital;

/// What the page of an inquiry shows.
#[derive(Clone, Debug)]
pub struct InquiryPage<'a> {
    pub desk: &'a DeskContext,
    pub inquiry: &'a Inquiry,
    /// What this person may see of it.
    pub sight: &'a Sight,
}

/// The steps of an inquiry by name, each from its first stage to its last.
const STEPS: [(&str, Stage, Stage); 7] = [
    ("Request", Stage::Opened, Stage::Opened),
    ("Probe and face", Stage::ProbeReceived, Stage::ProbeReceived),
    ("Approval by touch", Stage::FaceChosen, Stage::Asked),
    ("First review", Stage::Answered, Stage::FirstReview),
    ("Second review", Stage::ReviewedOnce, Stage::SecondReview),
    ("Report", Stage::Reviewed, Stage::Reviewed),
    ("Outcome", Stage::Issued, Stage::Closed),
];

/// An inquiry: `/console/inquiries/{id}`.
pub fn inquiry(page: &InquiryPage<'_>) -> Markup {
    let InquiryPage { desk, inquiry, sight } = *page;
    let stated = html! {
        (next(page))
        (panel("What the request says", inquiry_facts::request(inquiry.request())))
        @if sight.probe { (probe_facts(inquiry)) }
        @if inquiry.answer().is_some() { (order_note()) }
    };
    let done = html! {
        (panel("What was done so far", inquiry_facts::course(inquiry)))
        (links(inquiry, sight))
        @if may_withdraw(inquiry, desk) { (withdraw(inquiry)) }
    };
    let main = html! {
        (steps(inquiry.stage()))
        div.split { div { (stated) } div { (done) } }
    };
    Page::new("Inquiry").beside(beside(inquiry)).of(desk, main)
}

/// What is known of an inquiry's probe.
fn probe_facts(inquiry: &Inquiry) -> Markup {
    let facts = |probe| {
        html! {
            (inquiry_facts::received(probe))
            @if let Some(choice) = inquiry.choice() { (inquiry_facts::choice(choice)) }
        }
    };
    html! { @if let Some(probe) = inquiry.probe() { (panel("The probe", facts(probe))) } }
}

fn links(inquiry: &Inquiry, sight: &Sight) -> Markup {
    let id = inquiry.id();
    let array = sight.others || sight.candidates.iter().any(|candidate| candidate.photo);
    html! {
        @if inquiry.report().is_some() {
            p { a href={ "/console/inquiries/" (id) "/report" } { "The report" } }
        }
        @if array { p { a href={ "/console/inquiries/" (id) "/array" } { "The array" } } }
    }
}

/// Which inquiry it is, beside the title.
pub(super) fn beside(inquiry: &Inquiry) -> Markup {
    let reference = inquiry_facts::reference(&inquiry.request().reference);
    html! {
        p { a href={ "/console/inquiries/" (inquiry.id()) } { (reference) } }
        p.quiet { "Opened " (when(inquiry.opened())) " by " (inquiry.operator().id) }
        p { span.tag { (capital(inquiry.stage().words())) } }
    }
}

/// How far an inquiry is.
pub(super) fn steps(stage: Stage) -> Markup {
    if matches!(stage, Stage::Withdrawn | Stage::Refused) {
        let words = stage.words();
        return alarm_note(format_args!(
            "The inquiry is {words}. If a search is still needed, open a new inquiry."
        ));
    }
    // The request stands once the inquiry is there: what is wanted next is the probe.
    let now = stage.max(Stage::ProbeReceived);
    html! {
        ol.steps aria-label="How far it is" {
            @for (name, from, to) in STEPS {
                @if now > to || stage == Stage::Closed {
                    li.done { (name) span.unseen { ", done" } }
                } @else { li aria-current=[(now >= from).then_some("step")] { (name) } }
            }
        }
    }
}

fn next(page: &InquiryPage<'_>) -> Markup {
    let InquiryPage { desk, inquiry, .. } = *page;
    let id = inquiry.id();
    let step = NextStep::of(inquiry, &desk.person);
    let way = html! {
        p { (where_it_stands(inquiry.stage())) }
        @match step {
            Some(step @ (NextStep::ClaimFirst | NextStep::ClaimSecond)) => (claim(inquiry, step)),
            Some(step) => {
                @let (href, words) = step.link(id);
                a.button.main href=(href) { (words) }
            }
            None if inquiry.stage() == Stage::Asked => {
                a.button href={ "/console/inquiries/" (id) } { "Look again" }
            }
            None => p.quiet { "You can't act on this inquiry now." },
        }
    };
    panel("Next", way)
}

fn where_it_stands(stage: Stage) -> &'static str {
    match stage {
        Stage::Asked => "The search is running. Its answer comes in a moment: look again.",
        Stage::Answered => "The array is there. Next, a first examiner looks at each candidate.",
        Stage::ReviewedOnce => {
            "The first review is finished. A second examiner, another person, looks at each \
             candidate next, without knowing what the first found."
        }
        Stage::FirstReview | Stage::SecondReview => {
            "An examiner is looking at each candidate. The inquiry goes on when the review is \
             finished."
        }
        Stage::Reviewed => "Two examiners have finished. The report can be issued.",
        Stage::Issued => "The report is issued. An operator records what became of it.",
        Stage::Opened | Stage::ProbeReceived | Stage::FaceChosen => {
            "The operator who opened it brings the probe, chooses a face and approves the search."
        }
        Stage::Closed | Stage::Withdrawn | Stage::Refused => "The inquiry has ended.",
    }
}

fn claim(inquiry: &Inquiry, step: NextStep) -> Markup {
    let id = inquiry.id();
    let array = format!("/console/inquiries/{id}/array");
    let form = Form::new(format!("POST /v1/inquiries/{id}/claim")).then(&array);
    let button = html! { button.main { (step.link(id).1) } };
    html! {
        p {
            "Whoever takes a review finishes it: every candidate gets a disposition. Scores, names \
             and booking data stay hidden until both reviews are finished."
        }
        (form.of(html! { (revision(inquiry.revision())) (ending(button)) }))
    }
}

fn may_withdraw(inquiry: &Inquiry, desk: &DeskContext) -> bool {
    let own = participant(&desk.person).is(inquiry.operator());
    // What was answered, two look at before it is dropped.
    let open = inquiry.stage() < Stage::Answered || inquiry.stage() == Stage::Reviewed;
    desk.may(Duty::Operate) && own && open
}

/// The operator's way out.
pub(super) fn withdraw(inquiry: &Inquiry) -> Markup {
    let hint = format!(
        "{REASON_CHARS_MIN} to {REASON_CHARS_MAX} characters, in words. The inquiry ends, and the \
         log says so."
    );
    let reason = Field::required("reason", "Why")
        .id("withdraw-reason")
        .hint(&hint)
        .chars_max(REASON_CHARS_MAX);
    let verb = format!("POST /v1/inquiries/{}/withdraw", inquiry.id());
    let form = Form::new(verb).then("/console/work").of(html! {
        (revision(inquiry.revision()))
        (reason.lines())
        (ending(html! { button { "Withdraw" } }))
    });
    folded_panel("Withdraw this inquiry", form)
}
