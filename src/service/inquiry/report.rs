//! The Facial Recognition Image Compare Report: made of a complete inquiry, sealed, logged, and
//! given out with its proof.
//!
//! The log holds the digest of the whole file, and only the file of that digest is ever given out.
//! The box keeps it sealed under the inquiry's key. From the release of a booking that it shows
//! nobody is given it, and with that booking's purge it is destroyed; the log still says what was
//! issued.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::audit::{Detail, Leaf, Sealed, ShownLeaf};
use crate::booking::VersionId;
use crate::compare_report::{
    BookedPhoto, CompareReport, Jpeg, Names, ProbePhotos, ProvenLeaf, SearchFacts, Supplement,
};
use crate::embed::Encoding;
use crate::face::{Edits, ModelId};
use crate::inquiry::{Action, Digest, Inquiry, InquiryId};
use crate::ledger::{Kept, LedgerError, Record, VERSION};
use crate::limits::{PRINTED_FACE_PX_MAX, PRINTED_PROBE_PX_MAX};
use crate::roster::Duty;
use crate::service::appliance::Service;
use crate::service::error::ServiceError;
use crate::service::people::AtDesk;

impl Service {
    /// Makes the report of an inquiry that two examiners have finished, seals it, and logs its
    /// digest.
    ///
    /// Errors: a person with no part in it; an inquiry that isn't complete; not this revision; a
    /// photo that can't be printed.
    pub fn issue_report(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        revision: u64,
    ) -> Result<(), ServiceError> {
        self.allowed(desk, Duty::Inquire, "issue a report")?;
        let _alone = self.uploading(id)?;
        let (kept, who) = (self.ledger.core().inquiry(id)?, self.who(desk));
        let issue = |sha256, leaf| Action::Issue { sha256, leaf };
        let may =
            kept.inquiry.clone().act(&who, revision, self.ledger.now(), issue(Digest([0; 32]), 0));
        self.refused_at(desk, may.map_err(ServiceError::from))?;
        let supplement = self.supplement(&kept.inquiry)?;
        let file = CompareReport::new(&kept.inquiry, &supplement)?.to_pdf()?;
        let issued = self.ledger.issue(id, desk.actor(), who, revision, file.into());
        self.refused_at(desk, issued).map(|_| ())
    }

    /// The report as it was issued; who took it is logged before it leaves.
    ///
    /// Errors: a person with no part in the inquiry; one that is closed; no report, or one that
    /// shows a booking that its agency released since.
    pub fn report_file(&self, desk: &AtDesk, id: InquiryId) -> Result<Vec<u8>, ServiceError> {
        self.own_report(desk, id)?;
        self.refused_at(desk, self.ledger.take_report(id, desk.actor()))
    }

    /// The proof of a report as it stands now, with the newest checkpoint that witnesses cosigned
    /// if it covers the leaf; that it is shown is logged, by the hour.
    ///
    /// Errors: a person with no part in the inquiry; no report; a detail whose term is over.
    pub fn report_proof(&self, desk: &AtDesk, id: InquiryId) -> Result<String, ServiceError> {
        let kept = self.own_report(desk, id)?;
        let leaf = kept
            .inquiry
            .report()
            .map(|report| report.leaf)
            .ok_or(ServiceError::not_found("report"))?;
        self.shows(desk.actor(), Sealed::ReportProof, Some(id))?;
        Ok(self.shown_leaf(leaf)?.to_text())
    }

    fn own_report(&self, desk: &AtDesk, id: InquiryId) -> Result<Kept, ServiceError> {
        self.allowed(desk, Duty::Inquire, "read a report")?;
        let kept = self.ledger.core().inquiry(id)?;
        let own = kept.inquiry.takes_part(&self.who(desk).person);
        self.refused_at(
            desk,
            if own { Ok(()) } else { Err(ServiceError::NotShown { what: "report" }) },
        )?;
        Ok(kept)
    }

    fn shown_leaf(&self, leaf: u64) -> Result<ShownLeaf, ServiceError> {
        let bytes = self.ledger.leaf(leaf)?;
        let opened =
            self.ledger.open_detail(leaf)?.ok_or(ServiceError::not_found("leaf's detail"))?;
        let detail = String::from_utf8(opened.detail)
            .map_err(|_| LedgerError::Log { what: format!("leaf {leaf}'s detail is not text") })?;
        Ok(ShownLeaf {
            proof: self.ledger.proof(leaf)?,
            leaf: Leaf::from_bytes(&bytes)?,
            salt: opened.salt,
            detail,
        })
    }

    /// What the report shows beside the inquiry's own record.
    ///
    /// Errors: an inquiry that isn't finished; a photo that can't be printed.
    fn supplement(&self, inquiry: &Inquiry) -> Result<Supplement, ServiceError> {
        let leaves = [
            inquiry.searches().last().map(|search| search.leaf),
            inquiry.answer().map(|answer| answer.leaf),
            inquiry.first().and_then(|review| review.leaf),
            inquiry.second().and_then(|review| review.leaf),
        ];
        Ok(Supplement {
            state: self.ledger.kind(),
            issuer: "Real Time Crime Center".to_owned(),
            issued: self.ledger.now(),
            software: format!("SMRT {VERSION}"),
            names: self.names(inquiry)?,
            opened_leaf: self.ledger.core().inquiry(inquiry.id())?.row.opened,
            probe: self.probe_photos(inquiry)?,
            search: self.search_facts(inquiry)?,
            bookings: self.booked_photos(inquiry)?,
            proofs: leaves
                .into_iter()
                .flatten()
                .map(|leaf| self.proven_leaf(leaf))
                .collect::<Result<_, _>>()?,
        })
    }

    fn proven_leaf(&self, leaf: u64) -> Result<ProvenLeaf, ServiceError> {
        let bytes = self.ledger.leaf(leaf)?;
        Ok(ProvenLeaf { leaf: Leaf::from_bytes(&bytes)?, proof: self.ledger.proof(leaf)? })
    }

    /// Names of the inquiry's people, as far as their accounts still bear the same badge, and of
    /// all agencies.
    fn names(&self, inquiry: &Inquiry) -> Result<Names, ServiceError> {
        let reviews = [inquiry.first(), inquiry.second()].into_iter().flatten();
        let evidence = inquiry.evidence().iter().map(|evidence| &evidence.by);
        let people = [inquiry.operator()]
            .into_iter()
            .chain(reviews.map(|review| &review.examiner))
            .chain(evidence);
        let mut names = Names::default();
        for person in people {
            let known = self.ledger.core().member(&person.id)?.map(|member| member.account.person);
            if let Some(known) = known.filter(|known| known.badge == person.badge) {
                names.people.push((person.clone(), known.name.to_string()));
            }
        }
        let agencies = self.roster.agencies.iter();
        names.agencies =
            agencies.map(|agency| (agency.id.clone(), agency.name.to_string())).collect();
        Ok(names)
    }

    fn probe_photos(&self, inquiry: &Inquiry) -> Result<ProbePhotos, ServiceError> {
        let choice = inquiry.choice().ok_or(ServiceError::not_found("probe"))?;
        let held = self.held_probe(inquiry)?;
        let received = &held.bytes;
        let generation = self.ledger.generation();
        let digests =
            self.examining.during(|| generation.pool().replay(received.clone(), &choice.edits))?;
        Ok(ProbePhotos {
            received: self.jpeg(received.clone(), &Edits::default(), PRINTED_PROBE_PX_MAX)?,
            searched: self.jpeg(received.clone(), &choice.edits, PRINTED_PROBE_PX_MAX)?,
            edit_digests: digests.into_iter().skip(1).collect(),
        })
    }

    /// A photo as it is printed: upright, without its metadata, never enlarged.
    fn jpeg(
        &self,
        photo: Arc<[u8]>,
        edits: &Edits,
        side_px_max: u32,
    ) -> Result<Jpeg, ServiceError> {
        let generation = self.ledger.generation();
        let picture = || generation.pool().picture(photo, edits, side_px_max, Encoding::Jpeg);
        Ok(Jpeg(self.examining.during(picture)?.bytes))
    }

    fn search_facts(&self, inquiry: &Inquiry) -> Result<SearchFacts, ServiceError> {
        let answered = inquiry.answer().ok_or(ServiceError::not_found("answer"))?.leaf;
        let (model, rows) = match self.ledger.detail_of(answered)? {
            Some(Detail::Answered { model, gallery_rows, .. }) => (model, gallery_rows),
            _ => return Err(ServiceError::not_found("answer's detail")),
        };
        let model = ModelId::parse(&model)
            .map_err(|_| LedgerError::Log { what: format!("leaf {answered} names no model") })?;
        let models = self.ledger.models();
        Ok(SearchFacts {
            model,
            model_name: models
                .name_of(model)
                .unwrap_or_else(|| "models no longer at hand".to_owned()),
            error_rates: models.measured(model),
            origin: self.ledger.origin().to_owned(),
            root: self.ledger.core().root_at(answered)?,
            rows,
        })
    }

    /// The candidates' bookings, but for those that their agencies released.
    fn booked_photos(
        &self,
        inquiry: &Inquiry,
    ) -> Result<BTreeMap<VersionId, BookedPhoto>, ServiceError> {
        let mut bookings = BTreeMap::new();
        for candidate in inquiry.candidates().iter().filter(|c| c.released_cs.is_none()) {
            let record = self.shown_record(candidate.version)?;
            let shown = record.zip(self.ledger.shown_photo(candidate.version)?);
            let Some(((agency, record), photo)) = shown else { continue };
            let photo = self.jpeg(photo.into(), &Edits::default(), PRINTED_FACE_PX_MAX)?;
            let Record { photo_sha256, booking, number, .. } = record;
            let booked = BookedPhoto { photo, photo_sha256, booking, number, agency };
            bookings.insert(candidate.version, booked);
        }
        Ok(bookings)
    }
}
