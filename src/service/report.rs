//! The public report: counted on the box, since only the box opens the sealed details; its digest is in the log before it leaves.

use aws_lc_rs::digest::{SHA256, digest};
use time::OffsetDateTime;

use super::Service;
use super::error::ServiceError;
use super::ledger::Ledger;
use crate::audit::{Actor, Detail, Leaf, Note, Quorum, SALT_BYTES, commit};
use crate::report::{Period, PublicReport, Reckoner, ReportError, Witnessing};
use crate::roster::Caller;

/// A report and the leaf that holds its digest.
#[derive(Clone, Debug)]
pub struct Published {
    /// The report's JSON, byte for byte as the log commits to it.
    pub json: Vec<u8>,
    /// The leaf.
    pub leaf: u64,
}

impl Service {
    /// Counts the public report of a period over the log as it is now, and logs its digest.
    ///
    /// Errors: a caller that is no console; a stored log that doesn't hold together.
    pub fn public_report(&self, caller: &Caller, period: Period) -> Result<Published, ServiceError> {
        self.admitted(caller, self.roster.console(caller, "make the public report"))?;
        let report = count(&self.ledger, period)?;
        let json = report.to_bytes();
        let report_sha256 = hex::encode(digest(&SHA256, &json));
        let [from, to] = period.days();
        let made = Detail::PublicReport { actor: Actor::from(caller), report_sha256 };
        let leaf = self.ledger.note(Vec::new(), vec![from, to, report.log.leaves], made)?;
        Ok(Published { json, leaf })
    }
}

/// A leaf's detail with what proves that it is the leaf's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsealed {
    /// The salt of the leaf's commitment.
    pub salt: [u8; SALT_BYTES],
    /// The detail, byte for byte as it was committed to.
    pub detail: Vec<u8>,
}

impl Ledger {
    /// A leaf's detail as it was committed to, checked against the leaf.
    pub fn opened(&self, leaf: u64) -> Result<Option<Unsealed>, ServiceError> {
        let core = self.core();
        let Some(row) = core.store.leaf(leaf)? else { return Ok(None) };
        let plain = core.master.open_detail(core.log_key.origin(), leaf, &row.detail)?;
        let opened = plain.split_first_chunk().map(|(salt, detail)| Unsealed { salt: *salt, detail: detail.to_vec() });
        let commitment = Leaf::from_bytes(&row.leaf)?.commitment;
        let proven = opened.filter(|opened| commit(&opened.salt, &opened.detail) == commitment);
        proven.map(Some).ok_or_else(|| ServiceError::Log { what: format!("leaf {leaf} is not about its detail") })
    }
}

/// Counts over all leaves that the newest checkpoint signs; what is written meanwhile is left to the next report.
fn count(ledger: &Ledger, period: Period) -> Result<PublicReport, ServiceError> {
    let signed = Note::parse(&ledger.checkpoint())?.checkpoint()?;
    let (notes, quorum) = witnessing(ledger);
    let until = u64::try_from(OffsetDateTime::now_utc().unix_timestamp()).unwrap_or(0);
    let mut reckoner = Reckoner::new(period, signed.leaves, quorum.as_ref().map(|quorum| Witnessing { notes: &notes, quorum, until }));
    ledger.for_each_leaf(signed.leaves, |leaf| {
        reckoner.take(leaf, |index| {
            let opened = ledger.opened(index)?;
            let detail = opened.map(|opened| serde_json::from_slice(&opened.detail)).transpose();
            detail.map_err(|source| ServiceError::Sealed { what: "detail", source })
        })
    })?;
    if (reckoner.leaves(), reckoner.root()) != (signed.leaves, signed.root) {
        let what = format!("{} leaves have another root than the newest checkpoint signs", reckoner.leaves());
        return Err(ServiceError::Log { what });
    }
    Ok(reckoner.finish(&signed.origin))
}

/// The kept checkpoints, and the quorum that they are held against: a box that keeps no cosignatures has neither.
fn witnessing(_: &Ledger) -> (Vec<Note>, Option<Quorum>) {
    (Vec::new(), None)
}

impl From<ReportError> for ServiceError {
    fn from(e: ReportError) -> Self {
        match e {
            ReportError::Leaf { source, .. } => Self::Audit(source),
            other => Self::Log { what: other.to_string() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::{EmbedError, Format};
    use crate::face::Face;
    use crate::report::rule_of;

    #[test]
    fn every_reason_for_which_a_verb_refuses_has_a_rule_in_the_report() {
        let face = Face { score: 0.9, frame: [0.0; 4], landmarks: Default::default() };
        let photo = |e: EmbedError| ServiceError::Photo(e);
        for (error, rule) in [
            (photo(EmbedError::NotAPhoto { found: "00".to_owned() }), "photo_kind"),
            (photo(EmbedError::Bytes { found: 1 << 30 }), "photo_too_large"),
            (photo(EmbedError::TooLarge { width: 90_000, height: 9 }), "photo_too_large"),
            (photo(EmbedError::TooSmall { width: 9, height: 9 }), "photo_too_small"),
            (photo(EmbedError::Memory { format: Format::Jpeg, needed: 9 }), "photo_too_large"),
            (photo(EmbedError::Truncated { format: Format::Jpeg, found: 9 }), "photo_damaged"),
            (photo(EmbedError::Unsupported { format: Format::Png, found: "12 bits".to_owned(), wanted: "8".to_owned() }), "photo_kind"),
            (photo(EmbedError::Damaged { format: Format::Png, source: "torn".into() }), "photo_damaged"),
            (photo(EmbedError::NoFace), "no_face"),
            (photo(EmbedError::FaceTooSmall { found: 3.0 }), "face_too_small"),
            (photo(EmbedError::FaceUnclear { found: 0.5 }), "face_unclear"),
            (photo(EmbedError::SeveralFaces { faces: vec![face; 2] }), "several_faces"),
            (photo(EmbedError::NoSuchFace { asked: 4, found: 2 }), "no_such_face"),
            (photo(EmbedError::Panicked { reason: "at most a session".to_owned() }), "photo_unusable"),
            (ServiceError::Released { leaf: 9 }, "number_released"),
            (ServiceError::NotFound { what: "booking" }, "not_theirs"),
            (ServiceError::NoSearchDoor, "no_plain_search"),
            (ServiceError::Unreadable, "booking_damaged"),
            (ServiceError::NotSuppressed { version: "00".to_owned() }, "not_suppressed"),
            (ServiceError::NotSwitchable { found: "a".to_owned(), wanted: "b".to_owned() }, "model_not_switched"),
            (ServiceError::NoSwitch, "model_not_switched"),
        ] {
            assert_eq!(error.fate(), crate::service::Fate::Refuse, "{error}");
            assert_eq!(rule_of(&error.to_string()), rule, "{error}");
        }
    }
}
