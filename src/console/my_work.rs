//! My work: what waits for the person at the desk; and the reports whose outcome isn't recorded.

use maud::{Markup, html};

use super::inquiry_facts::{purpose_short, reference};
use super::components::{count, sentence, span, when};
use super::layout::{Desk, Here, Page, inside};
use crate::booking::Identifier;
use crate::inquiry::{Inquiry, InquiryId, Person, Stage};
use crate::roster;
use crate::roster::Duty;

/// What somebody may do next in an inquiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Hand over the probe, choose a face.
    Probe,
    /// Approve the search by touch.
    Approve,
    /// Claim the first review.
    ClaimFirst,
    /// Claim the second, blind review.
    ClaimSecond,
    /// Go on with the own review.
    Review,
    /// Issue the report.
    Issue,
    /// Record the outcome.
    Outcome,
}

/// An inquiry in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Its name.
    pub id: InquiryId,
    /// Where it stands.
    pub stage: Stage,
    /// The case that it belongs to.
    pub reference: String,
    /// What it is for.
    pub purpose: &'static str,
    /// Who asks, and of which agency.
    pub requester: String,
    /// Who opened it.
    pub operator: Identifier,
    /// When.
    pub opened_cs: u64,
    /// When its report was issued.
    pub issued_cs: Option<u64>,
    /// Whether this person takes part in it.
    pub takes_part: bool,
    /// What this person may do next.
    pub step: Option<Step>,
}

/// What the person at the desk may see of the inquiries under way.
#[derive(Clone, Debug)]
pub struct WorkView<'a> {
    /// Who is here.
    pub desk: &'a Desk,
    /// Inquiries that aren't over, and those that ended lately.
    pub inquiries: &'a [Head],
}

/// Reports, those without an outcome first.
#[derive(Clone, Debug)]
pub struct OutcomesView<'a> {
    /// Who is here.
    pub desk: &'a Desk,
    /// Inquiries whose report is issued.
    pub reports: &'a [Head],
}

/// A person of the roster as inquiries name people.
pub(super) fn as_part(person: &roster::Person) -> Person {
    Person { id: person.id.clone(), badge: person.badge.clone(), agency: person.agency.clone() }
}

impl Step {
    /// What this person may do next, by role and by what they did so far.
    pub fn of(inquiry: &Inquiry, person: &roster::Person) -> Option<Self> {
        let me = as_part(person);
        let (operates, examines) = (person.role.may(Duty::Operate), person.role.may(Duty::Examine));
        let own = operates && inquiry.operator().id == me.id;
        let mine = |review: Option<&crate::inquiry::Review>| {
            examines && review.is_some_and(|review| review.examiner.id == me.id)
        };
        let requester = &inquiry.request().requester;
        let second = examines
            && !me.is(inquiry.operator())
            && !me.bears(&requester.badge, &requester.agency)
            && inquiry.first().is_some_and(|first| !me.is(&first.examiner));
        match inquiry.stage() {
            Stage::Opened | Stage::ProbeReceived if own => Some(Self::Probe),
            Stage::FaceChosen if own => Some(Self::Approve),
            Stage::Answered if examines => Some(Self::ClaimFirst),
            Stage::FirstReview if mine(inquiry.first()) => Some(Self::Review),
            Stage::ReviewedOnce if second => Some(Self::ClaimSecond),
            Stage::SecondReview if mine(inquiry.second()) => Some(Self::Review),
            Stage::Reviewed if inquiry.takes_part(&me) => Some(Self::Issue),
            Stage::Issued if operates => Some(Self::Outcome),
            _ => None,
        }
    }

    /// Where it is done, and what it is called.
    pub(super) fn link(self, id: InquiryId) -> (String, &'static str) {
        let (place, words) = match self {
            Self::Probe => ("/probe", "Go on with the probe"),
            Self::Approve => ("/approve", "Approve the search"),
            Self::ClaimFirst => ("", "Take the first review"),
            Self::ClaimSecond => ("", "Take the second, blind review"),
            Self::Review => ("/array", "Go on with your review"),
            Self::Issue => ("/report", "Issue the report"),
            Self::Outcome => ("/report", "Record the outcome"),
        };
        (format!("/console/inquiries/{id}{place}"), words)
    }
}

impl Head {
    /// An inquiry as this person finds it in a list.
    pub fn of(inquiry: &Inquiry, person: &roster::Person) -> Self {
        let request = inquiry.request();
        Self {
            id: inquiry.id(),
            stage: inquiry.stage(),
            reference: reference(&request.reference),
            purpose: request.purpose.kind().short(),
            requester: format!("{}, {}", request.requester.name, request.requester.agency),
            operator: inquiry.operator().id.clone(),
            opened_cs: inquiry.opened_cs(),
            issued_cs: inquiry.report().map(|report| report.at_cs),
            takes_part: inquiry.takes_part(&as_part(person)),
            step: Step::of(inquiry, person),
        }
    }
}

/// My work: `/console/work`.
pub fn work(view: &WorkView<'_>) -> Markup {
    let claims = |head: &&Head| matches!(head.step, Some(Step::ClaimFirst | Step::ClaimSecond));
    let outcome = |head: &&Head| head.step == Some(Step::Outcome);
    let all = || view.inquiries.iter();
    let mine: Vec<&Head> =
        all().filter(|head| head.step.is_some() && !claims(head) && !outcome(head)).collect();
    let claimable: Vec<&Head> = all().filter(claims).collect();
    let open: Vec<&Head> = all().filter(outcome).collect();
    let elsewhere: Vec<&Head> = all()
        .filter(|head| head.step.is_none() && head.takes_part && !head.stage.is_over())
        .collect();
    let over: Vec<&Head> = all().filter(|head| head.takes_part && head.stage.is_over()).collect();
    let desk = view.desk;
    let main = html! {
        (section(desk, "waits", "Waits for you", &mine, "Nothing waits for you."))
        @if desk.may(Duty::Examine) {
            (section(desk, "claimable", "Reviews that you may take", &claimable,
            "No review is free.")) }
        @if desk.may(Duty::Operate) {
            (section(desk, "open", "Reports without an outcome", &open,
            "Every report has its outcome.")) }
        (section(desk, "elsewhere", "Yours, waiting for somebody else", &elsewhere, "None."))
        @if !over.is_empty() { (section(desk, "over", "Yours, ended lately", &over, "None.")) }
    };
    let beside = html! {
        @if desk.may(Duty::Operate) {
            a.button.main href="/console/inquiries/new" data-keys="n" { "New inquiry" } }
    };
    let keys: &[(&str, &str)] = if desk.may(Duty::Operate) { &[("n", "new inquiry")] } else { &[] };
    inside(
        desk,
        &Page { here: Here::Work, title: "My work", beside, wide: false, scripts: &[], keys },
        &main,
    )
}

/// Reports and their outcomes: `/console/outcomes`.
pub fn outcomes(view: &OutcomesView<'_>) -> Markup {
    let (open, recorded): (Vec<&Head>, Vec<&Head>) =
        view.reports.iter().partition(|head| head.stage == Stage::Issued);
    let main = html! {
        p { "Every report gets an outcome; how many have none is published." }
        (section(view.desk, "open", "Without an outcome", &open, "Every report has its outcome."))
        (section(view.desk, "recorded", "With an outcome", &recorded, "None yet."))
    };
    let beside = html! { p.quiet { (count(open.len(), "report is open", "reports are open")) } };
    inside(
        view.desk,
        &Page {
            here: Here::Outcomes,
            title: "Reports and outcomes",
            beside,
            wide: false,
            scripts: &[],
            keys: &[],
        },
        &main,
    )
}

fn section(desk: &Desk, id: &str, title: &str, heads: &[&Head], none: &str) -> Markup {
    let heading = format!("{id}-title");
    html! {
        section.panel {
            h2 id=(heading) { (title) @if !heads.is_empty() { " (" (heads.len()) ")" } }
            @if heads.is_empty() { p.empty { (none) } }
            @else {
                div.scroll tabindex="0" role="region" aria-labelledby=(heading) {
                    table {
                        thead {
                            tr {
                                th scope="col" { "Reference" } th scope="col" { "Purpose" }
                                    th scope="col" { "Requester" }
                                th scope="col" { "Operator" } th scope="col" { "Stands at" }
                                    th scope="col" { "Opened" } th scope="col" { "Next" }
                            }
                        }
                        tbody { @for head in heads { (row(desk, head)) } }
                    }
                }
            }
        }
    }
}

fn row(desk: &Desk, head: &Head) -> Markup {
    let since = head.issued_cs.unwrap_or(head.opened_cs);
    html! {
        tr {
            th.tight scope="row" { (head.reference) }
            td { (head.purpose) }
            td { (head.requester) }
            td { (head.operator) }
            td { (sentence(head.stage.words())) }
            td { (when(head.opened_cs)) br;
                span.quiet.small { (span(since, desk.now_cs))
                @if head.issued_cs.is_some() { " since the report" } @else { " ago" } } }
            td {
                @match head.step {
                    Some(step) => { @let (href, words) = step.link(head.id);
                        a href=(href) { (words) span.unseen { " for " (head.reference) } } }
                    None => a href={ "/console/inquiries/" (head.id) } {
                        "Look at it" span.unseen { " for " (head.reference) } },
                }
            }
        }
    }
}
