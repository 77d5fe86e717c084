//! An agency's verbs: book, look, release. An agency sees and changes its own bookings only.

use std::sync::Arc;

use super::appliance::Service;
use super::error::ServiceError;
use crate::audit::{Actor, Detail, Sealed};
use crate::booking::{BookingData, BookingNumber, Identifier};
use crate::embed::FaceChoice;
use crate::ledger::{Faces, LedgerError, StandingBooking, Taken, next_face};
use crate::limits::BOOK_TRIES_MAX;
use crate::roster::Caller;

impl Service {
    /// Takes a booking: durable, logged and findable on return. The same bytes again give the same
    /// answer.
    ///
    /// Errors: a caller that is no active contributor; a photo without exactly one usable face; a
    /// released number; full queues.
    pub fn book(
        &self,
        caller: &Caller,
        number: &BookingNumber,
        booking: BookingData,
        photo: Arc<[u8]>,
    ) -> Result<Taken, ServiceError> {
        let agency =
            self.admitted(caller, self.roster.feed(caller, "push bookings", self.today()))?;
        self.guard.list_allows()?;
        self.ledger.room()?;
        let taken = self.take(caller, &agency.id, number, &booking, &photo);
        self.logged(taken, |rule, reason| {
            let actor = Actor::from(caller);
            Detail::BookingRefused { actor, rule, reason }
        })
    }

    /// Examines and books, again where the model was switched in between.
    fn take(
        &self,
        caller: &Caller,
        agency: &Identifier,
        number: &BookingNumber,
        booking: &BookingData,
        photo: &Arc<[u8]>,
    ) -> Result<Taken, ServiceError> {
        for _ in 0..BOOK_TRIES_MAX {
            match self.ledger.book(
                caller,
                agency,
                number,
                booking.clone(),
                photo.clone(),
                self.faces(photo)?,
            ) {
                Err(LedgerError::ModelChanged) => {}
                taken => return Ok(taken?),
            }
        }
        Err(ServiceError::busy())
    }

    /// What the model in use makes of a photo, and while a switch is under way what the next one
    /// does.
    fn faces(&self, photo: &Arc<[u8]>) -> Result<Faces, ServiceError> {
        let next = self.ledger.next_pool();
        let generation = self.ledger.generation();
        let active = self.examine(generation.pool(), photo.clone(), FaceChoice::Only)?.into();
        let next = next
            .map(|pool| {
                Ok::<_, ServiceError>((
                    pool.id(),
                    self.examining.during(|| next_face(&pool, photo.clone()))?,
                ))
            })
            .transpose()?;
        Ok(Faces { model: generation.model(), active, next })
    }

    /// A booking of the caller's own agency; that it is shown is logged, by the hour.
    ///
    /// Errors: a caller that is no active contributor; nothing of its own under that number.
    pub fn booking(
        &self,
        caller: &Caller,
        number: &BookingNumber,
    ) -> Result<StandingBooking, ServiceError> {
        let agency =
            self.admitted(caller, self.roster.feed(caller, "look at bookings", self.today()))?;
        self.shows(Actor::from(caller), Sealed::Bookings, None)?;
        Ok(self.ledger.standing(&agency.id, number)?)
    }

    /// Suppresses a booking of the caller's own agency: on return no search finds it. Gives the
    /// leaf and whether it was this call's.
    ///
    /// Errors: a caller that is no active contributor; nothing of its own under that number.
    pub fn release(
        &self,
        caller: &Caller,
        number: &BookingNumber,
        reason: &str,
    ) -> Result<(u64, bool), ServiceError> {
        let agency =
            self.admitted(caller, self.roster.feed(caller, "release bookings", self.today()))?;
        Ok(self.ledger.release(caller, &agency.id, number, reason)?)
    }
}
