//! The Facial Recognition Image Compare Report: made of a complete inquiry, sealed, logged, and
//! given out with its proof.
//!
//! The log holds the digest of the whole file. The box keeps its own copy sealed under the
//! inquiry's key, until the first booking that it carries is purged: what an agency withdrew lies
//! nowhere here any more, and the log still says what was issued.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};

use super::core::Core;
use super::error::ServiceError;
use super::sessions::AtDesk;
use super::stage::NewLeaf;
use super::{Service, VERSION};
use crate::audit::{Detail, Entry, Leaf, ShownLeaf};
use crate::booking::{Identifier, VersionId};
use crate::compare_report;
use crate::embed::{self, Encoding};
use crate::face::Edits;
use crate::inquiry::{
    self, Action, Attestations, Digest, Disposed, Inquiry, InquiryId, Purpose, Ranked, Reference,
    Review as InquiryReview,
};
use crate::inquiry::{SPECIAL_ORDER, SPECIAL_ORDER_VERSION};
use crate::limits::{PAPER_FACE_PX_MAX, PAPER_PROBE_PX_MAX};
use crate::roster::Duty;
use crate::store::StateKind;

const PAPER_DOMAIN: &[u8] = b"smrt compare report v1\0";

/// The id under which an inquiry's report lies sealed among the probes.
pub(super) fn paper_id(inquiry: [u8; 16]) -> [u8; 16] {
    let named = digest(&SHA256, &[PAPER_DOMAIN, &inquiry].concat());
    *named.as_ref().first_chunk().expect("SHA-256 has more than 16 bytes")
}

fn sha256_of(bytes: &[u8]) -> [u8; 32] {
    digest(&SHA256, bytes).as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

impl Core {
    /// Removes the box's own copies of reports that carry one of these bookings; durable on return.
    pub(super) fn destroy_papers(&self, purged: &[VersionId]) -> Result<(), ServiceError> {
        let mut ids = Vec::new();
        self.store.for_each_inquiry::<ServiceError>(|id, _| {
            ids.push(id);
            Ok(())
        })?;
        let mut gone = Vec::new();
        for id in ids {
            let kept = self.inquiry(id)?;
            let carries = kept
                .inquiry
                .candidates()
                .iter()
                .any(|candidate| purged.contains(&candidate.version));
            if carries && kept.inquiry.report().is_some() {
                self.vault.probes.unlink_photo(paper_id(id))?;
                gone.push(paper_id(id));
            }
        }
        Ok(self.vault.probes.sync_names(gone)?)
    }
}

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
        let (kept, who) = (self.ledger.core().inquiry(id.0)?, self.who(desk));
        let issue = |sha256, leaf| Action::Issue { sha256: Digest(sha256), leaf };
        let may = kept.inquiry.clone().act(&who, revision, self.ledger.now_cs(), issue([0; 32], 0));
        self.refused_at(desk, may.map_err(ServiceError::from))?;
        let paper = self.compare_report(&kept.inquiry)?.to_pdf()?;
        let sha256 = sha256_of(&paper);
        let probes = &self.ledger.core().vault.probes;
        probes.write_photo(paper_id(id.0), &kept.key, &paper)?;
        probes.sync_names([paper_id(id.0)])?;
        let actor = desk.actor();
        let act = move |inquiry: &mut Inquiry, leaf: u64, now_cs: u64| {
            inquiry.act(&who, revision, now_cs, issue(sha256, leaf))
        };
        let log = move |inquiry: &Inquiry| {
            let reviewed = [inquiry.first(), inquiry.second()]
                .into_iter()
                .flatten()
                .filter_map(|review| review.leaf);
            let follows =
                inquiry.answer().map(|answer| answer.leaf).into_iter().chain(reviewed).collect();
            let leads: Vec<VersionId> = inquiry
                .candidates()
                .iter()
                .filter(|c| is_lead(inquiry, c))
                .map(|c| c.version)
                .collect();
            let counts = vec![leads.len() as u64];
            let (inquiry, report_sha256) = (inquiry.id().to_string(), hex::encode(sha256));
            vec![NewLeaf::new(
                follows,
                counts,
                Detail::ReportIssued { actor, inquiry, report_sha256, leads },
            )]
        };
        self.refused_at(desk, self.ledger.step(id.0, act, log)).map(|_| ())
    }

    /// The report as it was issued.
    ///
    /// Errors: a person with no part in the inquiry; no report, or the box's copy went with a
    /// booking that it carried.
    pub fn report_file(&self, desk: &AtDesk, id: InquiryId) -> Result<Vec<u8>, ServiceError> {
        let kept = self.own_report(desk, id)?;
        match self.ledger.core().vault.probes.read_photo(paper_id(id.0), &kept.key) {
            Err(e) if e.is_lost() => Err(ServiceError::NotFound {
                what: "report; the box's copy went with a booking that it carried, and none",
            }),
            read => Ok(read?),
        }
    }

    /// The proof of a report as it stands now, with the newest checkpoint that witnesses cosigned
    /// if it covers the leaf.
    ///
    /// Errors: as `report_file`; a detail whose term is over.
    pub fn report_proof(&self, desk: &AtDesk, id: InquiryId) -> Result<String, ServiceError> {
        let kept = self.own_report(desk, id)?;
        let leaf = kept
            .inquiry
            .report()
            .map(|report| report.leaf)
            .ok_or(ServiceError::NotFound { what: "report" })?;
        Ok(self.shown_leaf(leaf)?.to_text())
    }

    fn own_report(
        &self,
        desk: &AtDesk,
        id: InquiryId,
    ) -> Result<super::inquire::Kept, ServiceError> {
        self.allowed_any(desk, &[Duty::Inquire, Duty::Audit], "read a report")?;
        let kept = self.ledger.core().inquiry(id.0)?;
        let own =
            kept.inquiry.takes_part(&self.who(desk).person) || desk.person.role.may(Duty::Audit);
        self.refused_at(
            desk,
            if own { Ok(()) } else { Err(ServiceError::NotShown { what: "report" }) },
        )?;
        Ok(kept)
    }

    fn shown_leaf(&self, leaf: u64) -> Result<ShownLeaf, ServiceError> {
        let not_found = || ServiceError::NotFound { what: "leaf" };
        let row = self.ledger.core().store.leaf(leaf)?.ok_or_else(not_found)?;
        let opened = self.ledger.open_detail(leaf)?.ok_or_else(not_found)?;
        let detail = String::from_utf8(opened.detail)
            .map_err(|_| ServiceError::Log { what: format!("leaf {leaf}'s detail is not text") })?;
        Ok(ShownLeaf {
            proof: self.ledger.proof(leaf)?,
            leaf: Leaf::from_bytes(&row.leaf)?,
            salt: opened.salt,
            detail,
        })
    }

    fn compare_report(&self, inquiry: &Inquiry) -> Result<sheet::CompareReport, ServiceError> {
        let request = inquiry.request();
        let (Some(first), Some(second)) = (inquiry.first(), inquiry.second()) else {
            return Err(ServiceError::NotFound { what: "two reviews" });
        };
        let (Some(answer), Some(search)) = (inquiry.answer(), inquiry.searches().last()) else {
            return Err(ServiceError::NotFound { what: "answer" });
        };
        let (reference_kind, reference) = match &request.reference {
            Reference::ComplaintNumber { number } => {
                ("Complaint number".to_owned(), number.as_str().to_owned())
            }
            Reference::Other { description, number } => {
                (description.as_str().to_owned(), number.as_str().to_owned())
            }
        };
        let proven = |what: &str, leaf: Option<u64>| -> Result<sheet::Proven, ServiceError> {
            let index = leaf.ok_or(ServiceError::NotFound { what: "leaf" })?;
            let row = self
                .ledger
                .core()
                .store
                .leaf(index)?
                .ok_or(ServiceError::NotFound { what: "leaf" })?;
            Ok(sheet::Proven {
                what: what.to_owned(),
                leaf: Leaf::from_bytes(&row.leaf)?,
                proof: self.ledger.proof(index)?,
            })
        };
        let event = |what: &str, time_cs: u64, leaf: Option<u64>| sheet::Event {
            what: what.to_owned(),
            time_cs,
            leaf,
        };
        let reviewed_cs = |review: &InquiryReview| {
            review.leaf.map_or(Ok(review.claimed_cs), |leaf| self.time_of_leaf(leaf))
        };
        let opened = self.ledger.core().inquiry(inquiry.id().0)?.row.opened;
        Ok(sheet::CompareReport {
            state: match self.ledger.kind() {
                StateKind::Real => sheet::StateMark::Real,
                StateKind::Demo => sheet::StateMark::Demo,
                StateKind::Test => sheet::StateMark::Test,
            },
            inquiry: inquiry.id().to_string(),
            issuer: "Real Time Crime Center".to_owned(),
            issued_cs: self.ledger.now_cs(),
            software: format!("SMRT {VERSION}"),
            policy: Some(sheet::Policy {
                version: SPECIAL_ORDER_VERSION.to_owned(),
                sha256: sha256_of(SPECIAL_ORDER.as_bytes()),
            }),
            request: sheet::Request {
                reference_kind,
                reference,
                purpose: purpose(&request.purpose),
                reason: request.reason.clone(),
                requester: sheet::Person {
                    name: request.requester.name.as_str().to_owned(),
                    badge: request.requester.badge.as_str().to_owned(),
                    agency: self.agency_name(&request.requester.agency),
                },
                operator: self.person_of(inquiry.operator())?,
                attestations: Attestations::STATEMENTS
                    .map(|(_, statement)| statement.to_owned())
                    .into(),
            },
            events: vec![
                event("Inquiry opened", inquiry.opened_cs(), Some(opened)),
                event("Search approved by touch and asked for", search.at_cs, Some(search.leaf)),
                event("Search answered", answer.at_cs, Some(answer.leaf)),
                event("First review finished", reviewed_cs(first)?, first.leaf),
                event("Second review finished", reviewed_cs(second)?, second.leaf),
            ],
            probe: self.probe_of(inquiry)?,
            search: self.search_of(answer.leaf, request.candidates)?,
            candidates: inquiry
                .candidates()
                .iter()
                .map(|ranked| self.candidate_of(inquiry, ranked))
                .collect::<Result<_, _>>()?,
            first: self.review_of(first)?,
            second: self.review_of(second)?,
            proofs: vec![
                proven("asked", Some(search.leaf))?,
                proven("answered", Some(answer.leaf))?,
                proven("reviewed by the first examiner", first.leaf)?,
                proven("reviewed by the second examiner", second.leaf)?,
            ],
            evidence: None,
        })
    }

    fn probe_of(&self, inquiry: &Inquiry) -> Result<sheet::Probe, ServiceError> {
        let (probe, choice) = inquiry
            .probe()
            .zip(inquiry.choice())
            .ok_or(ServiceError::NotFound { what: "probe" })?;
        let held = self.held_probe(inquiry)?;
        let original = &held.bytes;
        let generation = self.ledger.generation();
        let digests =
            self.examining.during(|| generation.pool().replay(original.clone(), &choice.edits))?;
        let edits = choice.edits.as_slice().iter().zip(digests.iter().skip(1));
        let inquiry::Frame { x, y, width, height } = choice.frame;
        let measure = |measure: &inquiry::Measure| sheet::Measure {
            name: measure.name.as_str().to_owned(),
            value: format!("{:.3}", measure.value),
            advice: choice
                .quality
                .shortfalls
                .iter()
                .find(|shortfall| shortfall.name == measure.name)
                .map_or_else(String::new, |shortfall| {
                    if shortfall.blocks {
                        "poor: a reason is recorded".to_owned()
                    } else {
                        "a better image would help".to_owned()
                    }
                }),
        };
        let searched = self.pictured(original.clone(), &choice.edits, PAPER_PROBE_PX_MAX)?;
        // The frame is in pixels of what was searched, and the picture on paper may be smaller.
        #[expect(clippy::cast_precision_loss, reason = "pixels of a photo are few")]
        let face = {
            let scale = searched.width as f32 / choice.searched_px[0].max(1) as f32;
            Some([x as f32, y as f32, width as f32, height as f32].map(|edge| edge * scale))
        };
        Ok(sheet::Probe {
            source: inquiry.request().probe_source.as_str().to_owned(),
            original: self.printed(original.clone(), &Edits::default(), PAPER_PROBE_PX_MAX)?,
            original_sha256: probe.sha256.0,
            searched: sheet::Picture::Jpeg(searched.bytes),
            searched_sha256: choice.searched.0,
            edits: edits
                .map(|(edit, sha256)| sheet::Edit { what: edit.to_string(), sha256: sha256.0 })
                .collect(),
            face,
            faces: choice.faces,
            quality: choice.quality.measures.iter().map(measure).collect(),
            poor_because: choice.reason.clone(),
        })
    }

    /// A photo as it is printed: upright, without its metadata, never enlarged.
    fn printed(
        &self,
        photo: Arc<[u8]>,
        edits: &Edits,
        side_px_max: u32,
    ) -> Result<sheet::Picture, ServiceError> {
        Ok(sheet::Picture::Jpeg(self.pictured(photo, edits, side_px_max)?.bytes))
    }

    fn pictured(
        &self,
        photo: Arc<[u8]>,
        edits: &Edits,
        side_px_max: u32,
    ) -> Result<embed::Picture, ServiceError> {
        let generation = self.ledger.generation();
        let picture = || generation.pool().picture(photo, edits, side_px_max, Encoding::Jpeg);
        Ok(self.examining.during(picture)?)
    }

    fn search_of(&self, answered: u64, asked_for: usize) -> Result<sheet::Search, ServiceError> {
        let (model, rows) = match self.ledger.detail_of(answered)? {
            Some(Detail::Answered { model, gallery_rows, .. }) => (model, gallery_rows),
            _ => return Err(ServiceError::NotFound { what: "answer's detail" }),
        };
        let model = crate::face::ModelId::parse(&model)
            .ok_or_else(|| ServiceError::Log { what: format!("leaf {answered} names no model") })?;
        let shelf = &self.ledger.core().shelf;
        Ok(sheet::Search {
            model_name: shelf
                .name_of(model)
                .unwrap_or_else(|| "models no longer at hand".to_owned()),
            model,
            measured: shelf.measured(model),
            origin: self.ledger.core().log_key.origin().to_owned(),
            leaves: answered,
            root: self.ledger.core().root_at(answered)?,
            rows,
            asked_for,
        })
    }

    fn candidate_of(
        &self,
        inquiry: &Inquiry,
        ranked: &Ranked,
    ) -> Result<sheet::Candidate, ServiceError> {
        let shown = match ranked.released_cs {
            None => {
                self.shown_record(ranked.version)?.zip(self.ledger.shown_photo(ranked.version)?)
            }
            Some(_) => None,
        };
        let booking = match shown {
            None => None,
            Some(((agency, record), photo)) => {
                let mut photo_sha256 = [0; 32];
                let damaged =
                    |_| ServiceError::Log { what: "a record's digest is not one".to_owned() };
                hex::decode_to_slice(&record.photo_sha256, &mut photo_sha256).map_err(damaged)?;
                Some(sheet::Booking {
                    photo: self.printed(photo.into(), &Edits::default(), PAPER_FACE_PX_MAX)?,
                    photo_sha256,
                    name: record.booking.name,
                    date_of_birth: record.booking.date_of_birth,
                    booked_on: record.booking.booked_on,
                    charges: record.booking.charges,
                    number: record.number,
                    agency: self.agency_name(&agency),
                })
            }
        };
        Ok(sheet::Candidate {
            rank: ranked.rank,
            version: ranked.version,
            score: ranked.score,
            booking,
            first: disposition(inquiry.first(), ranked),
            second: disposition(inquiry.second(), ranked),
        })
    }

    fn review_of(&self, review: &InquiryReview) -> Result<sheet::Review, ServiceError> {
        let leaf = review.leaf.ok_or(ServiceError::NotFound { what: "finished review" })?;
        Ok(sheet::Review {
            examiner: self.person_of(&review.examiner)?,
            time_cs: self.time_of_leaf(leaf)?,
            leaf,
        })
    }

    fn time_of_leaf(&self, leaf: u64) -> Result<u64, ServiceError> {
        let row =
            self.ledger.core().store.leaf(leaf)?.ok_or(ServiceError::NotFound { what: "leaf" })?;
        Ok(Entry::read(&row.leaf)?.time_cs())
    }

    /// A person as the report names them: by name, where the account is still known.
    fn person_of(&self, person: &inquiry::Person) -> Result<sheet::Person, ServiceError> {
        let known = self.ledger.core().member(&person.id)?.map(|member| member.account.person);
        let name = known
            .filter(|known| known.badge == person.badge)
            .map(|known| known.name.as_str().to_owned());
        Ok(sheet::Person {
            name: name.unwrap_or_else(|| person.id.to_string()),
            badge: person.badge.as_str().to_owned(),
            agency: self.agency_name(&person.agency),
        })
    }

    fn agency_name(&self, agency: &Identifier) -> String {
        let known = self.roster.agencies.iter().find(|known| known.id == *agency);
        known.map_or_else(|| agency.to_string(), |known| known.name.as_str().to_owned())
    }
}

/// Whether both examiners left a candidate a lead.
fn is_lead(inquiry: &Inquiry, candidate: &Ranked) -> bool {
    let lead = |review: Option<&InquiryReview>| {
        review
            .and_then(|review| review.finding(candidate.version))
            .is_some_and(|finding| finding.disposition == inquiry::Disposition::Lead)
    };
    inquiry.both_finished() && lead(inquiry.first()) && lead(inquiry.second())
}

fn disposition(review: Option<&InquiryReview>, ranked: &Ranked) -> sheet::Disposition {
    let disposed = review.and_then(|review| review.disposed(ranked));
    let words = disposed.map_or("not dispositioned", Disposed::words).to_owned();
    let Some(Disposed::By(finding)) = disposed else {
        return sheet::Disposition {
            lead: false,
            words,
            features: Vec::new(),
            remark: String::new(),
        };
    };
    let feature = |seen: &inquiry::Observation| sheet::Feature {
        name: format!("{}: {}", seen.feature.component().words(), seen.feature.words()),
        finding: seen.seen.words().to_owned(),
        remark: String::new(),
    };
    sheet::Disposition {
        lead: finding.disposition == inquiry::Disposition::Lead,
        words,
        features: finding.observations.iter().map(feature).collect(),
        remark: finding.note.as_ref().map_or_else(String::new, |note| note.as_str().to_owned()),
    }
}

fn purpose(purpose: &Purpose) -> String {
    let words = purpose.kind().words();
    purpose.stated().map_or_else(|| words.to_owned(), |stated| format!("{words}: {stated}"))
}
