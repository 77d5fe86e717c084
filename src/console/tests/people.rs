//! The people of a made-up shift, and the desk that each sits at.

use time::macros::date;

use crate::booking::{Identifier, Text};
use crate::calendar::Time;
use crate::console::DeskContext;
use crate::roster::{Person, Role};
use crate::store::StateKind;

pub(super) const NOW: Time = Time::from_cs(179_548_200_000);

pub(super) fn text(of: &str) -> Text {
    Text::parse(of).unwrap()
}

pub(super) fn id(of: &str) -> Identifier {
    Identifier::parse(of).unwrap()
}

pub(super) fn person(name: &str, words: &str, badge: &str, agency: &str, role: Role) -> Person {
    Person {
        id: id(name),
        name: text(words),
        badge: text(badge),
        agency: id(agency),
        role,
        trained_until: date!(2027 - 06 - 30),
        temporary_until_cs: None,
    }
}

pub(super) fn operator() -> Person {
    person("m-weber", "Maria Weber", "DSN 2204", "slmpd", Role::OperatorExaminer)
}

pub(super) fn second() -> Person {
    person("j-okafor", "James Okafor", "DSN 3117", "slcpd", Role::Examiner)
}

pub(super) fn administrator() -> Person {
    person("t-lind", "Tove Lind", "CIV 88", "slfc", Role::Administrator)
}

pub(super) fn commander() -> Person {
    person("r-hayes", "Capt. Ruth Hayes", "DSN 1002", "slmpd", Role::Commander)
}

pub(super) fn auditor() -> Person {
    person("p-novak", "Petra Novak", "A-17", "slfc", Role::Auditor)
}

pub(super) fn desk(person: Person, state: StateKind) -> DeskContext {
    let alarms = usize::from(person.role == Role::Administrator);
    DeskContext { state, person, device: id("rtcc-3"), alarms, now: NOW }
}
