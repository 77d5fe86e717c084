//! An inquiry's probe: handed over in pieces that a lost line doesn't lose, looked at, edited by
//! what can be replayed, and one face chosen.

use std::sync::Arc;

use crate::audit::{Detail, Sealed};
use crate::booking::{Identifier, Text};
use crate::embed::{self, EncodedPicture, Encoding, Preview, ProbeFaces, QualitySheet};
use crate::face::Edits;
use crate::inquiry::{
    Action, Choice, Frame, Inquiry, InquiryId, Measure, Probe, Quality, Shortfall,
};
use crate::ledger::{Generation, Kept};
use crate::limits::PICTURE_SIDE_PX_MAX;
use crate::roster::Duty;
use crate::service::appliance::Service;
use crate::service::ceilings::TakenName;
use crate::service::error::ServiceError;
use crate::service::people::AtDesk;
use crate::service::probe_memory::Share;
use crate::vault::{Announced, Upload, VaultError};

/// A probe as received, in its share of the memory that all probes have.
pub(in crate::service) struct HeldProbe<'m> {
    /// The file.
    pub(in crate::service) bytes: Arc<[u8]>,
    _share: Share<'m>,
}

impl Service {
    /// Begins the upload of a probe, or says how much of it is durable, so that it goes on there.
    ///
    /// Errors: not the inquiry's operator, or a probe is wanted no more; a size out of bounds;
    /// another file was begun.
    pub fn begin_upload(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        announced: Announced,
    ) -> Result<u64, ServiceError> {
        self.upload(desk, id, announced, |upload| Ok(upload.received()))
    }

    /// Takes a piece of a probe; gives how much is durable.
    pub fn put_piece(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        announced: Announced,
        offset: u64,
        piece: &[u8],
    ) -> Result<u64, ServiceError> {
        self.upload(desk, id, announced, |upload| upload.put(offset, piece))
    }

    fn upload(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        announced: Announced,
        work: impl FnOnce(&mut Upload) -> Result<u64, VaultError>,
    ) -> Result<u64, ServiceError> {
        self.may_hand_over(desk, id, None, announced)?;
        let _alone = self.uploading(id)?;
        let taken = self.ledger.upload(id, announced, |mut upload| work(&mut upload));
        self.refused_at(desk, taken)
    }

    /// Whether a person may hand over this file, before anything that is there makes way for it.
    fn may_hand_over(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        revision: Option<u64>,
        announced: Announced,
    ) -> Result<Kept, ServiceError> {
        self.allowed(desk, Duty::Operate, "hand over a probe")?;
        let kept = self.ledger.core().inquiry(id)?;
        let (sha256, faces) = (announced.sha256, Vec::new());
        let probe = Probe {
            sha256,
            bytes: announced.size,
            media_type: media_type("image/*"),
            px: [0; 2],
            faces,
        };
        let revision = revision.unwrap_or(kept.inquiry.revision());
        let may = kept.inquiry.clone().act(
            &self.who(desk),
            revision,
            self.ledger.now(),
            Action::ReceiveProbe(probe),
        );
        self.refused_at(desk, may.map_err(ServiceError::from))?;
        Ok(kept)
    }

    /// Ends the upload, looks at the probe and takes it into the inquiry.
    ///
    /// Errors: as `begin_upload`; an upload that isn't whole, or other bytes than were announced; a
    /// file that is no photo.
    pub fn receive_probe(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        revision: u64,
        announced: Announced,
    ) -> Result<(), ServiceError> {
        let kept = self.may_hand_over(desk, id, Some(revision), announced)?;
        // Until it is taken: no other piece comes between.
        let _alone = self.uploading(id)?;
        let _share = self.probe_memory.take(announced.size)?;
        let original = self.refused_at(desk, self.ledger.upload(id, announced, Upload::finish))?;
        let generation = self.ledger.generation();
        let looked = self.looked(&generation, original.into(), &Edits::default());
        let refused = |rule, reason| Detail::SearchRefused {
            actor: desk.actor(),
            request: Some(kept.inquiry.request().clone()),
            rule,
            reason,
        };
        let look = match self.logged(looked, refused) {
            Ok(look) => look,
            Err(e) => {
                // What is no photo isn't kept.
                self.ledger.abandon_upload(id)?;
                return Err(e);
            }
        };
        let faces = look.faces.iter().map(|found| Frame::from(found.face.frame)).collect();
        let (sha256, media_type) = (announced.sha256, media_type(look.format.media_type()));
        let probe =
            Probe { sha256, bytes: announced.size, media_type, px: look.original_px, faces };
        let who = self.who(desk);
        self.refused_at(desk, self.ledger.act(id, who, revision, Action::ReceiveProbe(probe)))
    }

    /// All faces of the probe with these edits, and pictures of it and of them, to choose by; that
    /// they are shown is logged, by the hour.
    pub fn preview(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        edits: &Edits,
    ) -> Result<Preview, ServiceError> {
        let held = self.own_probe(desk, id)?;
        self.shows(desk.actor(), Sealed::Probe, Some(id))?;
        let generation = self.ledger.generation();
        Ok(self.examining.during(|| generation.pool().preview(held.bytes.clone(), edits))?)
    }

    /// A picture of the probe, as received or as searched; that it is shown is logged, by the hour.
    ///
    /// Errors: whoever may not see the probe now.
    pub fn probe_picture(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        edits: &Edits,
    ) -> Result<EncodedPicture, ServiceError> {
        let held = self.own_probe(desk, id)?;
        self.shows(desk.actor(), Sealed::Probe, Some(id))?;
        self.picture(&self.ledger.generation(), held.bytes.clone(), edits)
    }

    pub(in crate::service) fn picture(
        &self,
        generation: &Generation,
        photo: Arc<[u8]>,
        edits: &Edits,
    ) -> Result<EncodedPicture, ServiceError> {
        Ok(self.examining.during(|| {
            generation.pool().picture(photo, edits, PICTURE_SIDE_PX_MAX, Encoding::Jpeg)
        })?)
    }

    fn looked(
        &self,
        generation: &Generation,
        original: Arc<[u8]>,
        edits: &Edits,
    ) -> Result<ProbeFaces, ServiceError> {
        Ok(self.examining.during(|| generation.pool().find_faces(original, edits))?)
    }

    fn own_probe(&self, desk: &AtDesk, id: InquiryId) -> Result<HeldProbe<'_>, ServiceError> {
        let kept = self.ledger.core().inquiry(id)?;
        let may = if kept.inquiry.sight(&self.who(desk).person).probe {
            Ok(())
        } else {
            Err(ServiceError::NotShown { what: "probe" })
        };
        self.refused_at(desk, may)?;
        self.held_probe(&kept.inquiry)
    }

    /// An inquiry's probe, once there is memory for it.
    pub(in crate::service) fn held_probe(
        &self,
        inquiry: &Inquiry,
    ) -> Result<HeldProbe<'_>, ServiceError> {
        let not_found = || ServiceError::not_found("probe");
        let share = self.probe_memory.take(inquiry.probe().ok_or_else(not_found)?.bytes)?;
        Ok(HeldProbe {
            bytes: self.ledger.probe(inquiry.id())?.ok_or_else(not_found)?.into(),
            _share: share,
        })
    }

    /// Chooses a face of the probe as these edits make it, by its index among those that `preview`
    /// of the same edits shows; gives its quality sheet.
    ///
    /// Errors: not the operator, not this revision; an unusable face; a poor one without a recorded
    /// reason.
    pub fn choose_face(
        &self,
        desk: &AtDesk,
        id: InquiryId,
        revision: u64,
        edits: Edits,
        face: Option<usize>,
        reason: Option<String>,
    ) -> Result<QualitySheet, ServiceError> {
        self.allowed(desk, Duty::Operate, "choose a face")?;
        let kept = self.ledger.core().inquiry(id)?;
        let held = self.own_probe(desk, id)?;
        let generation = self.ledger.generation();
        let request = kept.inquiry.request().clone();
        let refused = |rule, reason| Detail::SearchRefused {
            actor: desk.actor(),
            request: Some(request.clone()),
            rule,
            reason,
        };
        let probe =
            self.logged(self.examined(&generation, held.bytes.clone(), &edits, face), refused)?;
        let quality = Quality {
            measures: probe
                .quality
                .0
                .iter()
                .map(|reading| measure(reading.measure.label(), reading.value))
                .collect(),
            shortfalls: probe
                .quality
                .0
                .iter()
                .filter(|reading| reading.verdict >= embed::QualityVerdict::Low)
                .map(shortfall)
                .collect(),
        };
        let choice = Choice {
            face: probe.chosen,
            faces: probe.look.faces.len(),
            frame: Frame::from(probe.look.faces[probe.chosen].face.frame),
            edits,
            searched: probe.look.searched_sha256(),
            searched_px: probe.look.searched_px,
            quality,
            reason,
        };
        self.logged(
            self.ledger.act(id, self.who(desk), revision, Action::ChooseFace(choice)),
            refused,
        )?;
        Ok(probe.quality)
    }

    pub(in crate::service) fn examined(
        &self,
        generation: &Generation,
        original: Arc<[u8]>,
        edits: &Edits,
        face: Option<usize>,
    ) -> Result<embed::ChosenFace, ServiceError> {
        Ok(self.examining.during(|| generation.pool().probe(original, edits, face))?)
    }

    pub(in crate::service) fn uploading(
        &self,
        id: InquiryId,
    ) -> Result<TakenName<'_>, ServiceError> {
        self.uploads
            .take(Identifier::parse(&id.to_string()).expect("hexadecimal digits are an identifier"))
    }
}

fn media_type(words: &str) -> Text {
    Text::parse(words).expect("a media type is a text")
}

fn measure(name: &str, value: f64) -> Measure {
    Measure { name: Text::parse(name).expect("a measure's label is a text"), value }
}

fn shortfall(reading: &embed::Reading) -> Shortfall {
    let name = Text::parse(reading.measure.label()).expect("a measure's label is a text");
    Shortfall {
        name,
        blocks: reading.verdict == embed::QualityVerdict::Poor && reading.measure.blocks(),
    }
}
