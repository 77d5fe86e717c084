//! The report: issued, handed out, received as evidence; and what became of it.

use maud::{Markup, html};

use super::compare::Biography;
use super::inquiry::{beside, steps};
use super::components::{
    Field, digest, ending, facts, line, lines, note, one_of, revision, sentence, when,
};
use super::layout::{Desk, Here, Page, inside};
use super::my_work::as_part;
use crate::booking::VersionId;
use crate::inquiry::{Inquiry, Report, Sight, Stage, Upshot};
use crate::limits::{REASON_CHARS_MAX, REASON_CHARS_MIN, TEXT_CHARS_MAX};
use crate::roster::Duty;

/// What stands on every report beside the NOTE.
const LINE_UP: &str =
    "Do not build a line-up from a photo of this report without independent evidence.";

/// What the page of a report shows.
#[derive(Clone, Debug)]
pub struct ReportView<'a> {
    /// Who is here.
    pub desk: &'a Desk,
    /// The inquiry, reviewed by two.
    pub inquiry: &'a Inquiry,
    /// What this person may see of it.
    pub sight: &'a Sight,
    /// What the bookings of candidates say; what the sight hides may be left out.
    pub biographies: &'a [(VersionId, Biography)],
    /// Whether a quorum of witnesses has cosigned the log with the leaf `issued` in it.
    pub witnessed: bool,
    /// Whether the box still has its copy of the report.
    pub kept: bool,
}

/// The report of an inquiry: `/console/inquiries/{id}/report`.
pub fn report(view: &ReportView<'_>) -> Markup {
    let ReportView { desk, inquiry, .. } = *view;
    let operates = desk.may(Duty::Operate);
    let main = html! {
        (steps(inquiry.stage()))
        (note())
        p.note.alarm { strong { (LINE_UP) } }
        div.split {
            div {
                @match inquiry.report() {
                    Some(report) => (issued(view, report)),
                    None => (issue(view)),
                }
                @if view.sight.others { (dispositions(view)) }
            }
            div {
                @if inquiry.report().is_some() {
                    (outcome(inquiry, operates))
                    (evidence(inquiry, operates))
                }
            }
        }
    };
    let page = Page {
        here: Here::Elsewhere,
        title: "Report",
        beside: beside(inquiry),
        wide: false,
        scripts: &[],
        keys: &[],
    };
    inside(desk, &page, &main)
}

fn issue(view: &ReportView<'_>) -> Markup {
    let inquiry = view.inquiry;
    let part = inquiry.takes_part(&as_part(&view.desk.person));
    html! {
        section.panel {
            h2 { "Facial Recognition Image Compare Report" }
            @if inquiry.stage() == Stage::Reviewed && part {
                p { "Two examiners have dispositioned every candidate. The report shows both, with \
                    the probe, the array, who asked, why, and the proofs of the log." }
                form data-verb={ "POST /v1/inquiries/" (inquiry.id()) "/report" } data-next="" {
                    (revision(inquiry.revision()))
                    (ending(&html! { button.main { "Issue the report" } }))
                }
            } @else { p { "There is no report yet: the inquiry is " (inquiry.stage().words()) "." }
                }
        }
    }
}

fn issued(view: &ReportView<'_>, report: &Report) -> Markup {
    let pdf = format!("/v1/inquiries/{}/report.pdf", view.inquiry.id());
    html! {
        section.panel {
            h2 { "Facial Recognition Image Compare Report" }
            (facts(&[
                ("Issued", html! { (when(report.at_cs)) " by " (report.by.id) }),
                ("Leaf", html! { (report.leaf) }),
                ("SHA-256 of the PDF", digest(report.sha256)),
                ("Proof", html! {
                    @if view.witnessed { span.good { "Cosigned by a quorum of witnesses" } }
                    @else { span.warn { "Not yet witnessed" } ": fetch the proof again once a \
                        quorum has cosigned the log" }
                }),
            ]))
            @if view.kept {
                div.actions {
                    a.button.main href=(pdf) download { "Download the PDF" }
                    a.button href={ (pdf) ".tlog-proof" } download { "Download its proof" }
                }
                p.hint { "Whoever has both checks them without the box: "
                    code { "smrtctl report verify FILE" } "." }
            } @else { p { "The box's copy is gone with a booking that it carried; the log keeps \
                its digest." } }
        }
    }
}

fn dispositions(view: &ReportView<'_>) -> Markup {
    let inquiry = view.inquiry;
    let disposed = |version, review: Option<&crate::inquiry::Review>| {
        let words = inquiry
            .candidate(version)
            .and_then(|candidate| Some(review?.disposed(candidate)?.words()));
        sentence(words.unwrap_or("none"))
    };
    let seen = |version| {
        view.sight
            .candidates
            .iter()
            .any(|sight| sight.version == version && sight.score_and_biography)
    };
    let biography = |version| {
        view.biographies
            .iter()
            .find(|(other, _)| *other == version && seen(version))
            .map(|(_, biography)| biography)
    };
    let differ = inquiry.disagreements().unwrap_or_default();
    html! {
        section.panel {
            h2 #array-title { "Array in rank order" }
            @if inquiry.candidates().is_empty() { p { "No candidate. That is a finding too." } }
            @else {
                div.scroll tabindex="0" role="region" aria-labelledby="array-title" {
                    table {
                        thead { tr {
                            th.number scope="col" { "Rank" } th.number scope="col" { "Score" }
                                th scope="col" { "Booking" }
                            th scope="col" { "First examiner" } th scope="col" { "Second examiner" }
                        } }
                        tbody {
                            @for candidate in inquiry.candidates() {
                                @let version = candidate.version;
                                tr {
                                    th.number scope="row" { (candidate.rank) }
                                    td.number { @if seen(version) {
                                        (format!("{:.3}", candidate.score)) }
                                        @else { span.quiet { "hidden" } } }
                                    td {
                                        @match biography(version) {
                                            Some(known) => { (known.booking.name) br;
                                                span.quiet.small { (known.agency) " " (known.number)
                                                } }
                                            None if candidate.released_cs.is_some() => span.quiet {
                                                "Released by its agency" },
                                            None => span.quiet { "not shown" },
                                        }
                                    }
                                    td { (disposed(version, inquiry.first())) }
                                    td { (disposed(version, inquiry.second()))
                                        @if differ.contains(&version) {
                                        br; span.warn { "The two disagree" } } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn evidence(inquiry: &Inquiry, operates: bool) -> Markup {
    html! {
        section.panel {
            h2 { "As evidence" }
            p { "A report that is used for a positive identification is seized as evidence. Each \
                hand-over is recorded here." }
            @if inquiry.evidence().is_empty() { p.empty { "Nobody has received it as evidence." } }
            @else {
                ol {
                    @for link in inquiry.evidence() {
                        li {
                            (when(link.at_cs)) ": " (link.handover.received_by)
                                ", " (link.handover.of) ", recorded by " (link.by.id)
                            @if let Some(number) = &link.handover.leads_number {
                                ", I/Leads " (number) }
                        }
                    }
                }
            }
            @if operates {
                details {
                    summary { "Record who received it" }
                    form data-verb={ "POST /v1/inquiries/" (inquiry.id()) "/evidence" }
                        data-next="" {
                        (revision(inquiry.revision()))
                        (line(Field { name: "handover.received_by", label: "Received by",
                            hint: "A person's name.", required: true, most: TEXT_CHARS_MAX,
                            ..Field::default() }))
                        (line(Field { name: "handover.of",
                            label: "Of which agency, court or office", required: true,
                            most: TEXT_CHARS_MAX, ..Field::default() }))
                        (line(Field { name: "handover.leads_number", label: "I/Leads number",
                            hint: "Under which the identification is documented.",
                            most: TEXT_CHARS_MAX, ..Field::default() }))
                        (ending(&html! { button { "Record the hand-over" } }))
                    }
                }
            }
        }
    }
}

fn outcome(inquiry: &Inquiry, operates: bool) -> Markup {
    html! {
        section.panel {
            h2 { "Outcome" }
            @match inquiry.outcome() {
                Some(recorded) => {
                    (facts(&[
                        ("What became of it", html! { (sentence(recorded.outcome.upshot.words()))
                            }),
                        ("Independent evidence", html! {
                            @match &recorded.outcome.independent_evidence {
                            Some(words) => (words), None => "none stated" } }),
                        ("I/Leads number", html! {
                            @match inquiry.leads_number() { Some(number) => (number), None => "none"
                            } }),
                        ("Recorded", html! { (when(recorded.at_cs)) " by " (recorded.by.id) }),
                    ]))
                }
                None if operates => (outcome_form(inquiry)),
                None => p.empty { "Not recorded yet." },
            }
        }
    }
}

fn outcome_form(inquiry: &Inquiry) -> Markup {
    let hint = format!(
        "What it stands on beside this report, in words: {REASON_CHARS_MIN} to {REASON_CHARS_MAX} \
         characters. Wanted for an arrest, an identification, or somebody found."
    );
    let choices: Vec<(String, String)> =
        Upshot::ALL.map(|upshot| (upshot.name().to_owned(), sentence(upshot.words()))).into();
    html! {
        form data-verb={ "POST /v1/inquiries/" (inquiry.id()) "/outcome" } data-next="" {
            (revision(inquiry.revision()))
            (one_of(Field { name: "outcome.upshot", label: "What became of it", required: true,
                ..Field::default() }, &choices))
            (lines(Field { name: "outcome.independent_evidence", label: "Independent evidence",
                hint: &hint, most: REASON_CHARS_MAX, ..Field::default() }))
            (line(Field { name: "outcome.leads_number", label: "I/Leads number", hint: "Wanted for \
                a positive identification, and where the report is \
                evidence.", most: TEXT_CHARS_MAX, ..Field::default() }))
            (ending(&html! { button.main { "Record the outcome" } }))
        }
    }
}
