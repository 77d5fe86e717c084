//! Facts of an inquiry: what its request states, its probe and chosen face, and who did what when.

use maud::{Markup, html};

use super::components::{digest, facts, when};
use crate::calendar::Time;
use crate::inquiry::{Choice, Inquiry, Probe, Purpose, Reference, Request};
use crate::wording::{capital, number};

/// A reference in one line.
pub(super) fn reference(of: &Reference) -> String {
    match of {
        Reference::ComplaintNumber { number } => number.to_string(),
        Reference::Other { description, number } => format!("{description} {number}"),
    }
}

/// What a request states.
pub(super) fn request(of: &Request) -> Markup {
    let requester =
        html! { (of.requester.name) ", badge " (of.requester.badge) ", " (of.requester.agency) };
    let reference = match &of.reference {
        Reference::ComplaintNumber { number } => html! { "Complaint number " strong { (number) } },
        Reference::Other { description, number } => html! { (description) " " strong { (number) } },
    };
    facts(&[
        ("Requester", requester),
        ("Reference", reference),
        ("Purpose", stated_purpose(&of.purpose)),
        ("Reason", html! { (of.reason) }),
        ("Source of the probe", html! { (of.probe_source) }),
        ("Candidates, at most", html! { (of.candidates) }),
    ])
}

fn stated_purpose(of: &Purpose) -> Markup {
    html! {
        (of.kind().words())
        @if let Some(stated) = of.stated() { br; (stated) }
    }
}

/// A probe as it was received.
pub(super) fn received(probe: &Probe) -> Markup {
    facts(&[
        ("File", html! { (probe.media_type) ", " (number(probe.bytes)) " bytes" }),
        ("SHA-256", digest(probe.sha256)),
        ("Faces seen", html! { (probe.faces.len()) }),
    ])
}

/// A choice of a face with its edits.
pub(super) fn choice(of: &Choice) -> Markup {
    let frame = of.frame;
    let face = format!(
        "Number {} of {}, {} × {} px at {}, {}",
        of.face + 1,
        of.faces,
        frame.width,
        frame.height,
        frame.x,
        frame.y
    );
    let edits = html! {
        @if of.edits.is_empty() { "None: searched as received" } @else {
            ol { @for edit in of.edits.as_slice() { li { (capital(&edit.to_string())) } } }
        }
    };
    let mut lines = vec![
        ("Face", html! { (face) }),
        ("Edits", edits),
        ("SHA-256 as searched", digest(of.searched)),
    ];
    if let Some(reason) = &of.reason {
        lines.push(("Reason to search a poor photo", html! { (reason) }));
    }
    facts(&lines)
}

/// Who did what when, so far.
pub(super) fn course(of: &Inquiry) -> Markup {
    let mut steps = vec![(of.opened(), format!("Opened by {}", of.operator().id))];
    steps.extend(search_steps(of));
    steps.extend(review_steps(of));
    steps.extend(report_steps(of));
    if let Some(end) = of.ended() {
        let by = end.by.as_ref().map(|by| format!("Withdrawn by {}", by.id));
        let by = by.unwrap_or_else(|| "Refused by the system".to_owned());
        steps.push((end.at_cs, format!("{by}: {}", end.reason)));
    }
    steps.sort_by_key(|(at, _)| *at);
    html! { ol { @for (at, words) in steps { li { (when(at)) ": " (words) } } } }
}

fn search_steps(of: &Inquiry) -> impl Iterator<Item = (Time, String)> {
    let asked = of.searches().iter().map(|search| {
        let end = search.interrupted.map(|leaf| format!(", interrupted (leaf {leaf})"));
        let end = end.unwrap_or_default();
        (search.at_cs, format!("Search approved by touch, leaf {}{end}", search.leaf))
    });
    let answered = of.answer();
    asked.chain(answered.map(|answer| (answer.at_cs, format!("Answered, leaf {}", answer.leaf))))
}

fn review_steps(of: &Inquiry) -> impl Iterator<Item = (Time, String)> {
    [("First", of.first()), ("Second", of.second())].into_iter().filter_map(|(name, review)| {
        let review = review?;
        let end = match review.leaf {
            Some(leaf) => format!("finished (leaf {leaf})"),
            None => "under way".to_owned(),
        };
        let by = &review.examiner.id;
        Some((review.claimed_cs, format!("{name} review claimed by {by}, {end}")))
    })
}

fn report_steps(of: &Inquiry) -> impl Iterator<Item = (Time, String)> {
    let issued = of.report().map(|report| {
        (report.at_cs, format!("Report issued by {}, leaf {}", report.by.id, report.leaf))
    });
    let handed = of.evidence().iter().map(|evidence| {
        let to = &evidence.handover;
        (evidence.at_cs, format!("Handed over to {} of {}", to.received_by, to.of))
    });
    let recorded = of.outcome().map(|recorded| {
        let words = recorded.outcome.upshot.words();
        (recorded.at_cs, format!("Outcome recorded by {}: {words}", recorded.by.id))
    });
    issued.into_iter().chain(handed).chain(recorded)
}
