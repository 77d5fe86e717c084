//! The administrator's verbs, and what every caller may ask of a server: health, roster, clock,
//! public report, a newer revocation list.

use super::connection::Client;
use super::error::ClientError;
use crate::api::wire::{ClockWord, Health, LEAF_HEADER, RevocationListView, RosterView};
use crate::limits::ANSWER_BYTES_MAX;
use crate::public_report::Period;

impl Client {
    /// The server's state: version, engine, number of bookings, alarms.
    pub fn health(&self) -> Result<Health, ClientError> {
        self.get_json("/v1/health")
    }

    /// The roster that the server serves by, for a console with administration.
    pub fn roster(&self) -> Result<RosterView, ClientError> {
        self.get_json("/v1/roster")
    }

    /// Tells the server the time of the site's time source, so that it can compare its clock.
    pub fn confirm_clock(&self, time_source: &str) -> Result<(), ClientError> {
        self.post_empty("/v1/clock", &ClockWord { time_source: time_source.to_owned() })
    }

    /// Brings a newer revocation list of the site's authority, in DER or PEM.
    pub fn bring_list(&self, list: &[u8]) -> Result<RevocationListView, ClientError> {
        let request = self.agent().post(self.url("/v1/revocation-list"));
        Self::read_json(request.content_type("application/pkix-crl").send(list))
    }

    /// The public report of a period, byte for byte as the log commits to it, and the index of the
    /// leaf that does; no leaf where the server takes no requests that are logged.
    pub fn public_report(&self, period: &Period) -> Result<(Vec<u8>, Option<u64>), ClientError> {
        let path = format!("/v1/report/public?from={}&to={}", period.from(), period.to());
        let answer = self.agent().get(self.url(&path)).call();
        let leaf = answer
            .as_ref()
            .ok()
            .and_then(|answer| answer.headers().get(LEAF_HEADER)?.to_str().ok()?.parse().ok());
        Ok((Self::read_bytes(answer, ANSWER_BYTES_MAX)?, leaf))
    }
}
