//! Lists of inquiries: what waits for the person at the desk, and reports with and without an
//! outcome.

use maud::{Markup, html};

use super::components::{TableColumn, TableName, empty, named_panel, table, unseen, when};
use super::inquiry_facts::reference;
use super::layout::{DeskContext, Page};
use super::navigation::NavigationItem;
use super::next_step::{NextStep, participant};
use crate::booking::Identifier;
use crate::calendar::Time;
use crate::inquiry::{Inquiry, InquiryId, Stage};
use crate::roster::{Duty, Person};
use crate::wording::{capital, count, span};

const COLUMNS: [TableColumn<'_>; 7] = [
    TableColumn::Words("Reference"),
    TableColumn::Words("Purpose"),
    TableColumn::Words("Requester"),
    TableColumn::Words("Operator"),
    TableColumn::Words("State"),
    TableColumn::Words("Opened"),
    TableColumn::Words("Next"),
];

/// An inquiry in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedInquiry {
    pub id: InquiryId,
    pub stage: Stage,
    /// The case that it belongs to.
    pub reference: String,
    pub purpose: &'static str,
    /// Who asks, and of which agency.
    pub requester: String,
    /// Who opened it.
    pub operator: Identifier,
    pub opened: Time,
    /// When its report was issued.
    pub issued: Option<Time>,
    /// Whether this person takes part in it.
    pub takes_part: bool,
    /// What this person may do next.
    pub step: Option<NextStep>,
}

/// What the person at the desk may see of the inquiries under way.
#[derive(Clone, Debug)]
pub struct WorkPage<'a> {
    pub desk: &'a DeskContext,
    /// Inquiries that aren't over, and those that ended lately.
    pub inquiries: &'a [ListedInquiry],
}

/// Reports, those without an outcome first.
#[derive(Clone, Debug)]
pub struct OutcomesPage<'a> {
    pub desk: &'a DeskContext,
    /// Inquiries whose report is issued.
    pub reports: &'a [ListedInquiry],
}

impl ListedInquiry {
    /// An inquiry as this person finds it in a list.
    pub fn of(inquiry: &Inquiry, person: &Person) -> Self {
        let request = inquiry.request();
        Self {
            id: inquiry.id(),
            stage: inquiry.stage(),
            reference: reference(&request.reference),
            purpose: request.purpose.kind().short(),
            requester: format!("{}, {}", request.requester.name, request.requester.agency),
            operator: inquiry.operator().id.clone(),
            opened: inquiry.opened(),
            issued: inquiry.report().map(|report| report.at_cs),
            takes_part: inquiry.takes_part(&participant(person)),
            step: NextStep::of(inquiry, person),
        }
    }

    fn is_free_review(&self) -> bool {
        matches!(self.step, Some(NextStep::ClaimFirst | NextStep::ClaimSecond))
    }

    fn wants_outcome(&self) -> bool {
        self.step == Some(NextStep::Outcome)
    }

    fn waits_here(&self) -> bool {
        self.step.is_some() && !self.is_free_review() && !self.wants_outcome()
    }

    fn waits_elsewhere(&self) -> bool {
        self.step.is_none() && self.takes_part && !self.stage.is_over()
    }

    fn ended(&self) -> bool {
        self.takes_part && self.stage.is_over()
    }
}

/// My work: `/console/work`.
pub fn work(page: &WorkPage<'_>) -> Markup {
    let desk = page.desk;
    let those = |fits: fn(&ListedInquiry) -> bool| -> Vec<&ListedInquiry> {
        page.inquiries.iter().filter(|row| fits(row)).collect()
    };
    let list = |id, title, fits, none| section(desk, id, title, &those(fits), none);
    let operates = desk.may(Duty::Operate);
    let main = html! {
        (list("waits", "Waits for you", ListedInquiry::waits_here, "Nothing waits for you."))
        @if desk.may(Duty::Examine) {
            (list("claimable", "Reviews that you may take", ListedInquiry::is_free_review,
                "No review is free."))
        }
        @if operates {
            (list("open", "Reports without an outcome", ListedInquiry::wants_outcome,
                "Every report has its outcome."))
        }
        (list("elsewhere", "Yours, waiting for somebody else", ListedInquiry::waits_elsewhere,
            "None."))
        @if page.inquiries.iter().any(ListedInquiry::ended) {
            (list("over", "Yours, ended lately", ListedInquiry::ended, "None."))
        }
    };
    let open_one = html! {
        a.button.main href="/console/inquiries/new" data-keys="n" { "New inquiry" }
    };
    let layout = Page::at(NavigationItem::Work, "My work");
    match operates {
        true => layout.beside(open_one).keys(&[("n", "new inquiry")]).of(desk, main),
        false => layout.of(desk, main),
    }
}

/// Reports and their outcomes: `/console/outcomes`.
pub fn outcomes(page: &OutcomesPage<'_>) -> Markup {
    let desk = page.desk;
    let (open, recorded): (Vec<&ListedInquiry>, Vec<&ListedInquiry>) =
        page.reports.iter().partition(|row| row.stage == Stage::Issued);
    let main = html! {
        p { "Every report needs an outcome. How many have none is published." }
        (section(desk, "open", "Without an outcome", &open, "Every report has its outcome."))
        (section(desk, "recorded", "With an outcome", &recorded, "None yet."))
    };
    let how_many = count(open.len() as u64, "report is open", "reports are open");
    Page::at(NavigationItem::Outcomes, "Reports and outcomes")
        .beside(html! { p.quiet { (how_many) } })
        .of(desk, main)
}

fn section(
    desk: &DeskContext,
    id: &str,
    title: &str,
    rows: &[&ListedInquiry],
    none: &str,
) -> Markup {
    let heading = format!("{id}-title");
    let title = html! { (title) @if !rows.is_empty() { " (" (rows.len()) ")" } };
    let list = html! {
        @if rows.is_empty() { (empty(none)) } @else {
            (table(TableName::Heading(&heading), &COLUMNS,
                html! { @for row in rows { (table_row(desk, row)) } }))
        }
    };
    named_panel(&heading, title, list)
}

fn table_row(desk: &DeskContext, row: &ListedInquiry) -> Markup {
    let since = row.issued.unwrap_or(row.opened);
    let ago = if row.issued.is_some() { " since the report" } else { " ago" };
    let look = || (format!("/console/inquiries/{}", row.id), "Look at it");
    let (href, words) = row.step.map_or_else(look, |step| step.link(row.id));
    html! {
        tr {
            th.tight scope="row" { (row.reference) }
            td { (row.purpose) }
            td { (row.requester) }
            td { (row.operator) }
            td { (capital(row.stage.words())) }
            td { (when(row.opened)) br; span.quiet.small { (span(since, desk.now)) (ago) } }
            td { a href=(href) { (words) (unseen(format_args!(" for {}", row.reference))) } }
        }
    }
}
