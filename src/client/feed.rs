//! An agency's verbs: book, look up and release its own bookings, and read what audits found.
//!
//! A new verb of agencies is a method here and a subcommand in `src/bin/smrtctl/feed.rs`.

use super::connection::Client;
use super::error::ClientError;
use super::multipart::Multipart;
use crate::api::wire::{
    BOOKING_PART, Booked, BookingView, FindingView, PHOTO_PART, ReleaseRequest, Released,
};
use crate::booking::{BookingData, BookingNumber};
use crate::limits::PHOTO_BYTES_MAX;

impl Client {
    /// Books a photo with its data: durable, logged and found by searches when this returns. The
    /// same bytes again change nothing.
    ///
    /// Errors: a photo beyond `PHOTO_BYTES_MAX`, which isn't sent; what the server refuses.
    pub fn put_booking(
        &self,
        number: &BookingNumber,
        booking: &BookingData,
        photo: &[u8],
    ) -> Result<Booked, ClientError> {
        if photo.len() > PHOTO_BYTES_MAX {
            return Err(ClientError::PhotoBytes { found: photo.len() });
        }
        let mut form = Multipart::new();
        form.part(BOOKING_PART, "application/json", &Self::to_json(booking)?);
        form.file(PHOTO_PART, "photo", photo);
        let form = form.end();
        let request = self
            .agent()
            .put(self.url(&format!("/v1/bookings/{number}")))
            .content_type(form.content_type());
        Self::read_json(request.send(form.as_bytes()))
    }

    /// One of the agency's own bookings.
    pub fn booking(&self, number: &BookingNumber) -> Result<BookingView, ClientError> {
        self.get_json(&format!("/v1/bookings/{number}"))
    }

    /// Releases a booking: no search finds it any more when this returns.
    pub fn release(&self, number: &BookingNumber, reason: &str) -> Result<Released, ClientError> {
        let body = ReleaseRequest { reason: reason.to_owned() };
        self.post_json(&format!("/v1/bookings/{number}/release"), &body)
    }

    /// Findings of misuse by people whom the caller's agency employed when they asked.
    pub fn findings(&self) -> Result<Vec<FindingView>, ClientError> {
        self.get_json("/v1/findings")
    }
}
