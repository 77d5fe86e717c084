//! An agency's verbs: book, look, release. An agency sees and changes its own bookings only.

use std::sync::Arc;

use super::detail::{Actor, Detail};
use super::error::ServiceError;
use super::ledger::{Enrolled, Standing, Taken};
use super::{Service, today};
use crate::audit::LeafKind;
use crate::booking::{BookingData, BookingNumber};
use crate::embed::Choice;
use crate::roster::Caller;

impl Service {
    /// Takes a booking: durable, logged and findable on return. The same bytes again give the same answer.
    ///
    /// Errors: a caller that is no active contributor; a photo without exactly one usable face; a released number; full queues.
    pub fn book(&self, caller: &Caller, number: &BookingNumber, booking: BookingData, photo: Arc<[u8]>) -> Result<Taken, ServiceError> {
        let agency = self.admitted(caller, self.roster.feed(caller, "push bookings", today()))?;
        let refused = |reason| Detail::BookingRefused { actor: Actor::from(caller), reason };
        let portrait = self.examine(photo.clone(), Choice::Only);
        let portrait = self.logged(portrait, LeafKind::BookingRefused, refused)?;
        let frame = portrait.faces[portrait.chosen].frame;
        let face = Enrolled { embedding: portrait.embedding, length: portrait.length, frame };
        let taken = self.ledger.book(caller, &agency.id, number, booking, photo, face);
        self.logged(taken, LeafKind::BookingRefused, |reason| Detail::BookingRefused { actor: Actor::from(caller), reason })
    }

    /// A booking of the caller's own agency.
    ///
    /// Errors: a caller that is no active contributor; nothing of its own under that number.
    pub fn booking(&self, caller: &Caller, number: &BookingNumber) -> Result<Standing, ServiceError> {
        let agency = self.admitted(caller, self.roster.feed(caller, "look at bookings", today()))?;
        self.ledger.standing(&agency.id, number)
    }

    /// Suppresses a booking of the caller's own agency: on return no search finds it. Gives the leaf and whether it was this call's.
    ///
    /// Errors: a caller that is no active contributor; nothing of its own under that number.
    pub fn release(&self, caller: &Caller, number: &BookingNumber, reason: &str) -> Result<(u64, bool), ServiceError> {
        let agency = self.admitted(caller, self.roster.feed(caller, "release bookings", today()))?;
        self.ledger.release(caller, &agency.id, number, reason)
    }
}
