//! What administrators and the commander look after: what waits for a decision, what is wrong, and
//! figures.

use maud::{Markup, html};

use super::grants::GrantView;
use super::components::{Field, count, ending, line, number, role, span, when};
use super::layout::{Desk, Here, Page, inside};
use crate::audit::Alarm;
use crate::limits::CLOCK_AGREE_SECONDS_MAX;
use crate::report::Period;
use crate::roster::Duty;
use crate::service::{AccountStanding, Doors, Raised};

/// What waits for an administrator.
#[derive(Clone, Debug)]
pub struct DecisionsView<'a> {
    /// Who is here.
    pub desk: &'a Desk,
    /// Changes of the roster that wait for the commander.
    pub grants: &'a [GrantView<'a>],
    /// All accounts.
    pub accounts: &'a [AccountStanding],
    /// Alarms that stand.
    pub alarms: &'a [Raised],
}

/// What is wrong at the moment.
#[derive(Clone, Debug)]
pub struct AlarmsView<'a> {
    /// Who is here.
    pub desk: &'a Desk,
    /// Whether the verbs may be used.
    pub doors: &'a Doors,
    /// Alarms that stand.
    pub alarms: &'a [Raised],
}

/// A number with its name.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What is counted.
    pub name: String,
    /// How much of it.
    pub value: u64,
    /// Since when, or of what.
    pub what: String,
}

/// Counts of the box, and the way to the public report.
#[derive(Clone, Debug)]
pub struct FiguresView<'a> {
    /// Who is here.
    pub desk: &'a Desk,
    /// The figures.
    pub figures: &'a [Figure],
    /// Periods whose public report can be made.
    pub periods: &'a [Period],
}

/// What waits for an administrator: `/console/decisions`.
pub fn decisions(view: &DecisionsView<'_>) -> Markup {
    let desk = view.desk;
    let locked: Vec<_> =
        view.accounts.iter().filter(|standing| standing.account.locked.is_some()).collect();
    let due: Vec<_> = view.accounts.iter().filter(|standing| standing.review_due).collect();
    let doubt = view.alarms.iter().find(|raised| raised.alarm == Alarm::ClockAhead);
    let nothing = locked.is_empty() && due.is_empty() && doubt.is_none();
    let main = html! {
        section.panel {
            h2 { "For you" }
            @if nothing { p.empty { "Nothing waits for you." } }
            ul.plain {
                @for standing in &locked {
                    li { span.bad { "Locked: " } (standing.account.person.name)
                        " (" (role(standing.account.person.role))
                        "). " a href="/console/roster"
                        { "Release by touch" span.unseen { " for " (standing.account.person.id) } }
                        }
                }
                @for standing in &due {
                    li { span.warn { "To be confirmed: " } (standing.account.person.name)
                        ", last confirmed " (span(standing.account.reviewed_cs, desk.now_cs))
                        " ago. " a href="/console/roster"
                        { "Confirm or turn off" span.unseen { " for " (standing.account.person.id) }
                        } }
                }
            }
            @if let Some(doubt) = doubt { (clock(doubt)) }
        }
        section.panel {
            h2 { "Asked for, waiting for the commander" }
            @if view.grants.is_empty() { p.empty { "Nothing." } }
            @else {
                ul.plain {
                    @for waiting in view.grants {
                        li { (waiting.grant.person.name) ": " (role(waiting.grant.person.role))
                            ", asked for by " (waiting.grant.asked_by.name)
                            " " (span(waiting.grant.asked_cs, desk.now_cs)) " ago" }
                    }
                }
                p { a href="/console/grants" { "Look at them" } }
            }
        }
    };
    let beside = html! { @if desk.alarms > 0 {
    p { a.bad href="/console/alarms" { (count(desk.alarms, "alarm stands", "alarms stand")) } }
    } };
    inside(
        desk,
        &Page {
            here: Here::Decisions,
            title: "Decisions",
            beside,
            wide: false,
            scripts: &[],
            keys: &[],
        },
        &main,
    )
}

/// The word of the site's time source, where the clock went ahead.
fn clock(doubt: &Raised) -> Markup {
    let hint = format!(
        "By the site's own time source, of the form 2026-11-23T16:00:00Z. It must agree with the \
         box within {CLOCK_AGREE_SECONDS_MAX} seconds."
    );
    html! {
        h3 { "The clock is in doubt" }
        p { (doubt.what) ". Holds and extensions don't expire until somebody has looked at another \
            clock." }
        form data-verb="POST /v1/clock" data-next="" {
            (line(Field { name: "time_source", label: "What time it is", hint: &hint,
                required: true, ..Field::default() }))
            (ending(&html! { button { "Say what the time source says" } }))
        }
    }
}

/// What is wrong at the moment: `/console/alarms`.
pub fn alarms(view: &AlarmsView<'_>) -> Markup {
    let main = html! {
        @match view.doors {
            Doors::Open => p.panel { span.good { "The doors are open: " } "all verbs may be used."
                },
            Doors::Waiting => p.note.alarm { "The doors wait: the log can be read, nothing else, \
                until a quorum of witnesses has cosigned it as it was found." },
            Doors::Shut(why) => p.note.alarm {
                "The doors are shut: " (why) ". Only a restore opens them again." },
        }
        @if view.alarms.is_empty() { p.panel.empty { "No alarm stands." } }
        @for raised in view.alarms {
            section.panel.alarm {
                h2 { (raised.alarm.words()) }
                p { (raised.what) }
                p { strong { "What to do: " } (remedy(raised.alarm)) }
                @if let Some(leaf) = raised.leaf { p.quiet.small { "Leaf " (leaf) } }
                @if raised.alarm == Alarm::ClockAhead && view.desk.may(Duty::Administer) {
                    p { a href="/console/decisions" { "Confirm the clock" } } }
            }
        }
    };
    inside(
        view.desk,
        &Page {
            here: Here::Alarms,
            title: "Alarms",
            beside: html! {},
            wide: false,
            scripts: &[],
            keys: &[],
        },
        &main,
    )
}

fn remedy(alarm: Alarm) -> &'static str {
    match alarm {
        Alarm::Unwitnessed => {
            "ask the witnesses whether they reach the box; each of them logs why it doesn't cosign."
        }
        Alarm::LogInDoubt => {
            "call the installer and keep what the witness showed; nothing is written until a \
             restore."
        }
        Alarm::ClockBehind => {
            "have the installer correct the clock; no search runs until it is past the newest \
             entry of the log."
        }
        Alarm::ClockAhead => {
            "compare the clock with the site's time source, and confirm it or have it corrected."
        }
        Alarm::DiskLow => "make room or add a disk; changes are refused before the disk is full.",
        Alarm::NoWitnesses => {
            "list witnesses and their quorum in the roster; without one, nobody outside holds the \
             log."
        }
        Alarm::AuditOverdue => {
            "remind the auditors: a sample is to be drawn, reviews of one are open, or nobody went \
             through the log for a week."
        }
    }
}

/// Figures, and the public report: `/console/figures`.
pub fn figures(view: &FiguresView<'_>) -> Markup {
    let main = html! {
        dl.tiles {
            @for figure in view.figures {
                div { dt { (figure.name) } dd { (number(figure.value)) } dd.small { (figure.what) }
                } }
        }
        section.panel {
            h2 { "The public report" }
            p { "Counted from the log, and by anybody who has a copy of it counted again. Making \
                one writes its digest into the log." }
            @if view.periods.is_empty() { p.empty { "There is no full month yet." } }
            ul.plain {
                @for period in view.periods {
                    li { a href={ "/v1/report/public?from=" (period.from()) "&to=" (period.to()) }
                        download={ "smrt-public-report-" (period.from()) ".json" } {
                        "From " (period.from()) " to before " (period.to()) } }
                }
            }
            p.hint { "As a page for the public: "
                code { "smrtctl report public --from DAY --to DAY --out NAME" }
                " writes it beside the same figures." }
        }
        p.quiet.small { "As of " (when(view.desk.now_cs)) "." }
    };
    inside(
        view.desk,
        &Page {
            here: Here::Figures,
            title: "Figures",
            beside: html! {},
            wide: false,
            scripts: &[],
            keys: &[],
        },
        &main,
    )
}
