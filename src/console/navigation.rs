//! Navigation: the pages that each role finds at the top of every page, and where it begins.

use crate::roster::Role;

/// A page that the top of every page links to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NavigationItem {
    Work,
    NewInquiry,
    Outcomes,
    Decisions,
    Roster,
    Grants,
    Alarms,
    Figures,
    Log,
    Samples,
    Findings,
    Operators,
    Copies,
    Policy,
}

impl NavigationItem {
    /// Its address and its title.
    pub(super) fn link(self) -> (&'static str, &'static str) {
        match self {
            Self::Work => ("/console/work", "My work"),
            Self::NewInquiry => ("/console/inquiries/new", "New inquiry"),
            Self::Outcomes => ("/console/outcomes", "Reports and outcomes"),
            Self::Decisions => ("/console/decisions", "Decisions"),
            Self::Roster => ("/console/roster", "Roster"),
            Self::Grants => ("/console/grants", "Changes of the roster"),
            Self::Alarms => ("/console/alarms", "Alarms"),
            Self::Figures => ("/console/figures", "Figures"),
            Self::Log => ("/console/log", "Log"),
            Self::Samples => ("/console/samples", "Samples"),
            Self::Findings => ("/console/findings", "Findings"),
            Self::Operators => ("/console/operators", "Operators"),
            Self::Copies => ("/console/copies", "Copies"),
            Self::Policy => ("/console/policy", "Policy"),
        }
    }

    /// What somebody of this role finds, in this order.
    pub(super) fn of(role: Role) -> &'static [Self] {
        match role {
            Role::Operator | Role::OperatorExaminer => {
                &[Self::Work, Self::NewInquiry, Self::Outcomes, Self::Policy]
            }
            Role::Examiner => &[Self::Work, Self::Policy],
            Role::Administrator => {
                &[Self::Decisions, Self::Roster, Self::Grants, Self::Alarms, Self::Policy]
            }
            Role::Commander => &[
                Self::Grants,
                Self::Roster,
                Self::Figures,
                Self::Copies,
                Self::Alarms,
                Self::Policy,
            ],
            Role::Auditor => &[
                Self::Log,
                Self::Samples,
                Self::Findings,
                Self::Operators,
                Self::Copies,
                Self::Roster,
                Self::Policy,
            ],
        }
    }
}

/// Where somebody of this role begins.
pub fn home(role: Role) -> &'static str {
    NavigationItem::of(role)[0].link().0
}
