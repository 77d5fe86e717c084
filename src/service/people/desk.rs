//! Who acts: a person at a desk, or a device by itself.

use crate::audit::Actor;
use crate::booking::Identifier;
use crate::roster::{Caller, Person};

/// A person at a desk: a device's certificate and a session that stands.
#[derive(Clone, Debug)]
pub struct AtDesk {
    /// The device's certificate.
    pub caller: Caller,
    /// The device.
    pub device: Identifier,
    /// Who has logged on there, as the account says now.
    pub person: Person,
}

/// Who acts where a command without a way to a security key may act, too.
#[derive(Clone, Debug)]
pub enum Acting {
    /// A person at a desk: their role decides, whatever the device.
    Person(AtDesk),
    /// A device by itself: what the roster says of it decides, and leaves name no person.
    Device(Caller),
}

impl Acting {
    /// Who that is in leaves.
    pub fn actor(&self) -> Actor {
        match self {
            Self::Person(desk) => desk.actor(),
            Self::Device(caller) => Actor::from(caller),
        }
    }
}

impl AtDesk {
    /// The person as an actor of the log.
    pub(in crate::service) fn actor(&self) -> Actor {
        Actor::at(&self.caller, &self.person)
    }
}
