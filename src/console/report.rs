//! The report of an inquiry: issued, handed out, received as evidence.

use maud::{Markup, html};

use super::candidates::Biography;
use super::components::{
    TableColumn, TableName, Tone, alarm_note, digest, empty, facts, folded, named_panel,
    order_note, panel, table, when,
};
use super::form::{Field, Form, ending, revision};
use super::inquiry::{beside, steps};
use super::layout::{DeskContext, Page};
use super::next_step::participant;
use super::outcome::outcome;
use crate::booking::VersionId;
use crate::inquiry::{Evidence, Inquiry, Ranked, Report, Review, Sight, Stage};
use crate::limits::TEXT_CHARS_MAX;
use crate::roster::Duty;
use crate::wording::capital;

/// What stands on every report beside the NOTE.
const LINE_UP: &str =
    "Do not build a line-up from a photo of this report without independent evidence.";
const TITLE: &str = "Facial Recognition Image Compare Report";
const COLUMNS: [TableColumn<'_>; 5] = [
    TableColumn::Numbers("Rank"),
    TableColumn::Numbers("Score"),
    TableColumn::Words("Booking"),
    TableColumn::Words("First examiner"),
    TableColumn::Words("Second examiner"),
];

/// What the page of a report shows.
#[derive(Clone, Debug)]
pub struct ReportPage<'a> {
    pub desk: &'a DeskContext,
    /// The inquiry, reviewed by two.
    pub inquiry: &'a Inquiry,
    /// What this person may see of it.
    pub sight: &'a Sight,
    /// What the bookings of candidates say; what the sight hides may be left out.
    pub biographies: &'a [(VersionId, Biography)],
    /// Whether a quorum of witnesses has cosigned the log with the leaf `issued` in it.
    pub witnessed: bool,
}

/// The report of an inquiry: `/console/inquiries/{id}/report`.
pub fn report(page: &ReportPage<'_>) -> Markup {
    let ReportPage { desk, inquiry, .. } = *page;
    let operates = desk.may(Duty::Operate);
    let of_report = html! {
        @match inquiry.report() {
            Some(report) => (issued(page, report)),
            None => (panel(TITLE, issue(page))),
        }
        @if page.sight.others { (array(page)) }
    };
    let afterwards = html! {
        @if inquiry.report().is_some() {
            (outcome(inquiry, operates))
            (evidence(inquiry, operates))
        }
    };
    let main = html! {
        (steps(inquiry.stage()))
        (order_note())
        (alarm_note(html! { strong { (LINE_UP) } }))
        div.split { div { (of_report) } div { (afterwards) } }
    };
    Page::new("Report").beside(beside(inquiry)).of(desk, main)
}

fn issue(page: &ReportPage<'_>) -> Markup {
    let inquiry = page.inquiry;
    let takes_part = inquiry.takes_part(&participant(&page.desk.person));
    if inquiry.stage() != Stage::Reviewed || !takes_part {
        return html! {
            p { "There is no report yet: the inquiry is " (inquiry.stage().words()) "." }
        };
    }
    let form = Form::new(format!("POST /v1/inquiries/{}/report", inquiry.id())).then_again();
    html! {
        p {
            "Two examiners have finished. The report shows what both found, with the probe, the \
             array, who asked and why, and the proofs of the log."
        }
        (form.of(html! {
            (revision(inquiry.revision()))
            (ending(html! { button.main { "Issue the report" } }))
        }))
    }
}

fn issued(page: &ReportPage<'_>, report: &Report) -> Markup {
    let proof = html! {
        @if page.witnessed { span.good { "Cosigned by a quorum of witnesses" } } @else {
            span.warn { "Not yet witnessed" }
            ": fetch the proof again once a quorum has cosigned the log"
        }
    };
    let content = html! {
        (facts(&[
            ("Issued", html! { (when(report.at_cs)) " by " (report.by.id) }),
            ("Leaf", html! { (report.leaf) }),
            ("SHA-256 of the PDF", digest(report.sha256)),
            ("Proof", proof),
        ]))
        @match page.inquiry.given_report() {
            Ok(_) => (downloads(page.inquiry)),
            Err(why) => p { (capital(&why.to_string())) "." },
        }
    };
    panel(TITLE, content)
}

fn downloads(inquiry: &Inquiry) -> Markup {
    let pdf = format!("/v1/inquiries/{}/report.pdf", inquiry.id());
    html! {
        div.actions {
            a.button.main href=(pdf) download { "Download the PDF" }
            a.button href={ (pdf) ".tlog-proof" } download { "Download its proof" }
        }
        p.hint {
            "Whoever has both checks them without the box: "
            code { "smrtctl report verify FILE" } "."
        }
    }
}

fn array(page: &ReportPage<'_>) -> Markup {
    let candidates = page.inquiry.candidates();
    let content = html! {
        @if candidates.is_empty() { p { "No candidate was found. That is a result too." } } @else {
            (table(TableName::Heading("array-title"), &COLUMNS,
                html! { @for candidate in candidates { (row(page, candidate)) } }))
        }
    };
    named_panel("array-title", "Array in rank order", content)
}

fn row(page: &ReportPage<'_>, candidate: &Ranked) -> Markup {
    let inquiry = page.inquiry;
    let seen = page
        .sight
        .candidates
        .iter()
        .any(|sight| sight.version == candidate.version && sight.score_and_biography);
    let differ = inquiry.disagreements().unwrap_or_default().contains(&candidate.version);
    html! {
        tr {
            th.number scope="row" { (candidate.rank) }
            td.number {
                @if seen { (format_args!("{:.3}", candidate.score)) }
                @else { span.quiet { "hidden" } }
            }
            td { (booking(page, candidate, seen)) }
            td { (disposed(candidate, inquiry.first())) }
            td {
                (disposed(candidate, inquiry.second()))
                @if differ { br; span.warn { "The two disagree" } }
            }
        }
    }
}

fn booking(page: &ReportPage<'_>, candidate: &Ranked, seen: bool) -> Markup {
    let known = page.biographies.iter().find(|(version, _)| *version == candidate.version && seen);
    match known {
        Some((_, known)) => html! {
            (known.booking.name) br; span.quiet.small { (known.agency) " " (known.number) }
        },
        None if candidate.released_cs.is_some() => Tone::Quiet.of("Released by its agency"),
        None => Tone::Quiet.of("not shown"),
    }
}

fn disposed(candidate: &Ranked, review: Option<&Review>) -> String {
    let words = review.and_then(|review| Some(review.disposed(candidate)?.words()));
    capital(words.unwrap_or("none"))
}

fn evidence(inquiry: &Inquiry, operates: bool) -> Markup {
    let handed = inquiry.evidence();
    let content = html! {
        p {
            "A report that is used for a positive identification is seized as evidence. Each \
             hand-over is recorded here."
        }
        @if handed.is_empty() { (empty("Nobody has received it as evidence.")) } @else {
            ol { @for link in handed { li { (hand_over(link)) } } }
        }
        @if operates { (folded("Record who received it", hand_over_form(inquiry))) }
    };
    panel("As evidence", content)
}

fn hand_over(link: &Evidence) -> Markup {
    let to = &link.handover;
    html! {
        (when(link.at_cs)) ": " (to.received_by) ", " (to.of) ", recorded by " (link.by.id)
        @if let Some(number) = &to.leads_number { ", I/Leads " (number) }
    }
}

fn hand_over_form(inquiry: &Inquiry) -> Markup {
    let receiver = Field::required("handover.received_by", "Received by").hint("A person's name.");
    let of = Field::required("handover.of", "Of which agency, court or office");
    let number = Field::optional("handover.leads_number", "I/Leads number")
        .hint("Under which the identification is documented.");
    Form::new(format!("POST /v1/inquiries/{}/evidence", inquiry.id())).then_again().of(html! {
        (revision(inquiry.revision()))
        (receiver.chars_max(TEXT_CHARS_MAX).line())
        (of.chars_max(TEXT_CHARS_MAX).line())
        (number.chars_max(TEXT_CHARS_MAX).line())
        (ending(html! { button { "Record the hand-over" } }))
    })
}
