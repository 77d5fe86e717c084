//! Further copies of issued reports: ordered, and given out once.

use super::error::LedgerError;
use super::handle::Ledger;
use super::inquiries::kept_report;
use super::write::{NewLeaf, Subject, Write};
use crate::audit::touch::{ActApproval, Touch};
use crate::audit::{Actor, Detail};
use crate::ids::InquiryId;
use crate::inquiry::{Action, CopyOrder, Who};

impl Ledger {
    /// Has the writer log that a further copy of a report is ordered.
    ///
    /// Errors: what the inquiry refuses.
    pub(crate) fn order_copy(
        &self,
        id: InquiryId,
        actor: Actor,
        who: Who,
        order: CopyOrder,
        (approval, touch): (ActApproval, Touch),
    ) -> Result<(), LedgerError> {
        self.write(Subject::Inquiry(id), move |core, group| {
            let mut kept = core.inquiry_beside(id, Some(group))?;
            let (now, revision) = (group.now, kept.inquiry.revision());
            let ordered = order.clone();
            let order_copy = move |leaf| Action::OrderCopy { order: ordered.clone(), leaf };
            kept.inquiry.clone().act(&who, revision, now, order_copy(0))?;
            let counts = vec![core.master.inquiry_tag(kept.row.opened)];
            let inquiry = id.to_string();
            let detail = Detail::CopyOrdered { actor, inquiry, order, approval, touch };
            Write::logged(NewLeaf::new(Vec::new(), counts, detail), move |core, tables, leaf| {
                kept.inquiry.act(&who, revision, now, order_copy(leaf))?;
                core.put_inquiry(tables, &kept)
            })
            .answering(())
            .decided()
        })
    }

    /// Gives out a further copy of a report that was ordered: the file that was issued, once its
    /// leaf says by whom.
    ///
    /// Errors: what the inquiry refuses; a file that isn't the one that was issued.
    pub(crate) fn give_copy(
        &self,
        id: InquiryId,
        copy: usize,
        actor: Actor,
        who: Who,
        (approval, touch): (ActApproval, Touch),
    ) -> Result<Vec<u8>, LedgerError> {
        let file = self.issued_file(&self.core().inquiry(id)?)?;
        self.write(Subject::Inquiry(id), move |core, group| {
            let mut kept = core.inquiry_beside(id, Some(group))?;
            let (now, revision) = (group.now, kept.inquiry.revision());
            let give_copy = move |leaf| Action::GiveCopy { copy, leaf };
            kept.inquiry.clone().act(&who, revision, now, give_copy(0))?;
            let report_sha256 = kept_report(&kept)?.sha256.to_string();
            let follows = kept.inquiry.copies().get(copy).map(|ordered| ordered.leaf);
            let counts = vec![core.master.inquiry_tag(kept.row.opened)];
            let inquiry = id.to_string();
            let detail = Detail::CopyGiven { actor, inquiry, report_sha256, approval, touch };
            let leaf = NewLeaf::new(follows.into_iter().collect(), counts, detail);
            Write::logged(leaf, move |core, tables, leaf| {
                kept.inquiry.act(&who, revision, now, give_copy(leaf))?;
                core.put_inquiry(tables, &kept)
            })
            .answering(file)
            .decided()
        })
    }
}
