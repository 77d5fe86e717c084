//! Under which owner an inquiry's key lies, and under which id its report.

use crate::booking::Identifier;
use crate::ids::{Digest, InquiryId, ProbeFileId};
use crate::vault::KeyOwner;

const REPORT_DOMAIN: &[u8] = b"smrt compare report v1\0";

/// The owner of an inquiry's key.
pub(crate) fn key_owner(id: InquiryId) -> KeyOwner<ProbeFileId> {
    KeyOwner { owner: Identifier::parse("inquiry").expect("it is an identifier"), id: id.into() }
}

/// The id under which an inquiry's report lies sealed among the probes.
pub(crate) fn report_id(inquiry: InquiryId) -> ProbeFileId {
    let named = Digest::of_parts(&[REPORT_DOMAIN, inquiry.as_ref()]);
    ProbeFileId(*named.0.first_chunk().expect("SHA-256 has more than 16 bytes"))
}
