//! Further copies of an issued report: ordered by the commander, given out by an auditor, each by
//! touch. Neither has a part in the inquiry, and neither sees more of it than the copy.

use serde::Serialize;

use crate::audit::Sealed;
use crate::audit::touch::{Touch, Verb};
use crate::ids::InquiryId;
use crate::inquiry::{CopyOrder, FurtherCopy};
use crate::roster::Duty;
use crate::service::appliance::Service;
use crate::service::error::ServiceError;
use crate::service::people::{Asked, AtDesk};

/// A further copy of a report, and of which inquiry.
#[derive(Clone, Debug)]
pub struct OrderedCopy {
    /// The inquiry.
    pub inquiry: InquiryId,
    /// Its index among the copies of that inquiry's report.
    pub copy: usize,
    /// For whom, why, by whom, and whether it was given out.
    pub further: FurtherCopy,
}

/// What a touch for one of the verbs is about.
#[derive(Serialize)]
struct About<'a> {
    inquiry: InquiryId,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<&'a CopyOrder>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy: Option<usize>,
}

impl About<'_> {
    fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("it holds only strings and numbers")
    }
}

impl Service {
    /// Further copies that were ordered, the newest first; that they are shown is logged, by the
    /// hour.
    ///
    /// Errors: another role.
    pub fn copies(&self, desk: &AtDesk) -> Result<Vec<OrderedCopy>, ServiceError> {
        self.allowed_any(desk, &[Duty::Command, Duty::Audit], "look at copies of reports")?;
        self.shows(desk.actor(), Sealed::Copies, None)?;
        let mut copies = Vec::new();
        for id in self.ledger.inquiry_ids()? {
            let kept = self.ledger.core().inquiry(id)?.inquiry;
            let of = kept.copies().iter().cloned().enumerate();
            copies.extend(of.map(|(copy, further)| OrderedCopy { inquiry: id, copy, further }));
        }
        copies.sort_by_key(|ordered| std::cmp::Reverse(ordered.further.at_cs));
        Ok(copies)
    }

    /// What the commander touches to order a further copy of a report.
    ///
    /// Errors: another role.
    pub fn challenge_copy_order(
        &self,
        desk: &AtDesk,
        inquiry: InquiryId,
        order: &CopyOrder,
    ) -> Result<Asked, ServiceError> {
        self.allowed(desk, Duty::Command, "order a copy of a report")?;
        let about = About { inquiry, order: Some(order), copy: None };
        self.guard.sessions.ask(desk.approval(self, Verb::OrderCopy, &about.to_bytes()))
    }

    /// Orders a further copy of a report.
    ///
    /// Errors: another role; a touch for anything else; no report, or one that is withheld; a
    /// receiver or a reason that says nothing; a person of the inquiry.
    pub fn order_copy(
        &self,
        desk: &AtDesk,
        inquiry: InquiryId,
        order: CopyOrder,
        nonce: [u8; 32],
        touch: Touch,
    ) -> Result<(), ServiceError> {
        self.allowed(desk, Duty::Command, "order a copy of a report")?;
        let about = About { inquiry, order: Some(&order), copy: None }.to_bytes();
        let approval = self.touched(desk, Verb::OrderCopy, &about, nonce, &touch)?;
        let (actor, who) = (desk.actor(), self.who(desk));
        let ordered = self.ledger.order_copy(inquiry, actor, who, order, (approval, touch));
        self.refused_at(desk, ordered)
    }

    /// What an auditor touches to give out a copy that was ordered.
    ///
    /// Errors: another role.
    pub fn challenge_copy(
        &self,
        desk: &AtDesk,
        inquiry: InquiryId,
        copy: usize,
    ) -> Result<Asked, ServiceError> {
        self.allowed(desk, Duty::Audit, "give out a copy of a report")?;
        let about = About { inquiry, order: None, copy: Some(copy) };
        self.guard.sessions.ask(desk.approval(self, Verb::GiveCopy, &about.to_bytes()))
    }

    /// Gives out a copy that was ordered: the report as it was issued.
    ///
    /// Errors: another role; a touch for anything else; no such order, or it was carried out or is
    /// too old; a report that is withheld; a person of the inquiry.
    pub fn give_copy(
        &self,
        desk: &AtDesk,
        inquiry: InquiryId,
        copy: usize,
        nonce: [u8; 32],
        touch: Touch,
    ) -> Result<Vec<u8>, ServiceError> {
        self.allowed(desk, Duty::Audit, "give out a copy of a report")?;
        let about = About { inquiry, order: None, copy: Some(copy) }.to_bytes();
        let approval = self.touched(desk, Verb::GiveCopy, &about, nonce, &touch)?;
        let (actor, who) = (desk.actor(), self.who(desk));
        let given = self.ledger.give_copy(inquiry, copy, actor, who, (approval, touch));
        self.refused_at(desk, given)
    }
}
