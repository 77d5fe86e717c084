//! The end of what a crash left: purges, ends of inquiries and searches without an answer.

use super::error::LedgerError;
use super::handle::Ledger;

impl Ledger {
    /// Finishes what a crash left: purges and ends of inquiries that had begun, and searches that
    /// were never answered; their operators must ask again.
    pub(crate) fn begin(&self) -> Result<(), LedgerError> {
        let mut unfinished = self.unfinished.lock().expect("nothing panics while it holds them");
        if !unfinished.purging.is_empty() {
            log::info!("finishing {} purges", unfinished.purging.len());
            self.purge(unfinished.purging.clone())?;
            unfinished.purging.clear();
        }
        if !unfinished.ending.is_empty() {
            log::info!("finishing the end of {} inquiries", unfinished.ending.len());
            self.end_inquiries(unfinished.ending.clone())?;
            unfinished.ending.clear();
        }
        while let Some(&inquiry) = unfinished.searching.last() {
            self.interrupt(inquiry)?;
            unfinished.searching.pop();
        }
        Ok(())
    }
}
