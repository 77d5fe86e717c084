//! Under which owner an inquiry's key lies, and under which id its report.

use aws_lc_rs::digest::{SHA256, digest};

use crate::booking::Identifier;
use crate::vault::KeyOwner;

const REPORT_DOMAIN: &[u8] = b"smrt compare report v1\0";

/// The owner of an inquiry's key.
pub(crate) fn key_owner(id: [u8; 16]) -> KeyOwner {
    KeyOwner { owner: Identifier::parse("inquiry").expect("it is an identifier"), id }
}

/// The id under which an inquiry's report lies sealed among the probes.
pub(crate) fn report_id(inquiry: [u8; 16]) -> [u8; 16] {
    let named = digest(&SHA256, &[REPORT_DOMAIN, &inquiry].concat());
    *named.as_ref().first_chunk().expect("SHA-256 has more than 16 bytes")
}
