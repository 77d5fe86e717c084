//! Alarms: what is wrong at the moment, and what to do about it.

use maud::{Markup, html};

use super::components::{alarm_note, alarm_panel, empty_panel};
use super::layout::{DeskContext, Page};
use super::navigation::NavigationItem;
use crate::audit::Alarm;
use crate::roster::Duty;
use crate::service::{Doors, Raised};
use crate::wording::capital;

/// What is wrong at the moment.
#[derive(Clone, Debug)]
pub struct AlarmsPage<'a> {
    pub desk: &'a DeskContext,
    /// Whether the verbs may be used.
    pub doors: &'a Doors,
    /// Alarms that stand.
    pub alarms: &'a [Raised],
}

/// What is wrong at the moment: `/console/alarms`.
pub fn alarms(page: &AlarmsPage<'_>) -> Markup {
    let main = html! {
        (doors(page.doors))
        @if page.alarms.is_empty() { (empty_panel("No alarm is active.")) }
        @for raised in page.alarms { (standing(raised, page.desk)) }
    };
    Page::at(NavigationItem::Alarms, "Alarms").of(page.desk, main)
}

fn doors(doors: &Doors) -> Markup {
    match doors {
        Doors::Open => html! {
            p.panel { span.good { "In service: " } "bookings, searches and all other work go on." }
        },
        Doors::Waiting => alarm_note(
            "The box waits for its witnesses: until a quorum of them has cosigned the log as it \
             was found at the start, the log can be read and nothing else. Ask the witnesses to \
             cosign.",
        ),
        Doors::Shut(why) => alarm_note(format_args!(
            "The box is stopped: {why}. The log can be read and nothing else. Only a restore \
             brings the box back: call the installer."
        )),
    }
}

fn standing(raised: &Raised, desk: &DeskContext) -> Markup {
    let confirms = raised.alarm == Alarm::ClockAhead && desk.may(Duty::Administer);
    let content = html! {
        p { (capital(&raised.what)) "." }
        p { strong { "What to do: " } (remedy(raised.alarm)) }
        @if let Some(leaf) = raised.leaf { p.quiet.small { "Leaf " (leaf) } }
        @if confirms { p { a href="/console/decisions" { "Confirm the clock" } } }
    };
    alarm_panel(true, raised.alarm.words(), content)
}

/// What to do about an alarm.
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
        Alarm::PurgeOverdue => {
            "have the installer read the journal, which says why each of them is not purged; \
             nobody finds these bookings any more."
        }
        Alarm::RevocationListUnfit => {
            "have the installer put the authority's newest list in place; the last good one counts."
        }
        Alarm::RevocationListOver => {
            "have the authority make a new list and the installer put it in place; no search runs \
             and no booking is taken until then, releases are."
        }
        Alarm::CredentialEnds => {
            "have the installer renew it before its end, after which searches or connections stop."
        }
        Alarm::ReleasedAtBox => {
            "ask the commander and the installer who did it and why; it stands here for a week, so \
             that everybody hears of it."
        }
    }
}
