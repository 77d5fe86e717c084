//! Things in order, for stories and benches to change where they are about something else.

use std::path::Path;
use std::sync::Arc;

use smrt::booking::BookingData;
use smrt::disk::Disk;
use smrt::inquiry::Request;
use smrt::ledger::{LedgerSetup, ModelSet, SystemClock};
use smrt::store::StateKind;

pub(crate) const ORIGIN: &str = "test.example/smrt";
pub(crate) const MASTER_KEY: [u8; 32] = [1; 32];
pub(crate) const LOG_KEY: [u8; 32] = [2; 32];

/// A ledger for tests in a state folder, by the machine's clock, without anchor and reserve.
pub(crate) fn ledger_setup(disk: Arc<dyn Disk>, state: &Path, set: Arc<ModelSet>) -> LedgerSetup {
    LedgerSetup {
        disk,
        state: state.to_owned(),
        create_as: Some(StateKind::Test),
        origin: ORIGIN.to_owned(),
        master_key: MASTER_KEY.to_vec().into(),
        log_key: LOG_KEY.to_vec().into(),
        models: set,
        clock: Arc::new(SystemClock::default()),
        anchor: None,
        reserve_bytes: 0,
        retention: Default::default(),
    }
}

/// An inquiry's request as JSON.
pub(crate) fn request_json() -> serde_json::Value {
    serde_json::json!({
        "requester": {"name": "Det. A. Ortiz", "badge": "2210", "agency": "slmpd"},
        "reference": {"kind": "complaint_number", "number": "26-004711"},
        "purpose": {"kind": "crime"},
        "reason": "robbery at Grand and Gravois, suspect on store camera",
        "probe_source": "store camera",
        "attestations": {"not_solely_protected": true, "shows_person_sought": true,
            "source_as_stated": true}
    })
}

pub(crate) fn request() -> Request {
    serde_json::from_value(request_json()).expect("the request is in order")
}

/// A booking's data as JSON.
pub(crate) fn booking_json(name: &str) -> serde_json::Value {
    serde_json::json!({"name": name, "booked_on": "2026-11-01", "charges": ["trespass"],
        "basis": {"kind": "post_arrest_booking"}})
}

pub(crate) fn booking(name: &str) -> BookingData {
    serde_json::from_value(booking_json(name)).expect("the booking is in order")
}
