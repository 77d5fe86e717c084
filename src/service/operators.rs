//! How operators search, as the log shows it: what the ceilings count from after a start, and how
//! regular the gaps are, for auditors.

use super::appliance::Service;
use super::error::ServiceError;
use super::people::AtDesk;
use crate::audit::Detail;
use crate::booking::Identifier;
use crate::calendar::Span;
use crate::limits::RHYTHM_DAYS;
use crate::roster::{Duty, Rhythm};

impl Service {
    /// How regular each operator's searches of the last `RHYTHM_DAYS` days were, by their names,
    /// for an auditor at a desk; that the details were opened for it is logged before.
    ///
    /// Errors: another role.
    pub fn rhythms(&self, desk: &AtDesk) -> Result<Vec<(Identifier, Rhythm)>, ServiceError> {
        self.allowed(desk, Duty::Audit, "look at how operators search")?;
        let since = self.ledger.now() - Span::days(RHYTHM_DAYS);
        let (first, end) = (self.ledger.first_leaf_since(since)?, self.ledger.leaves());
        self.ledger.note(
            Vec::new(),
            vec![end - first],
            Detail::DetailsOpened { actor: desk.actor(), first, end },
        )?;
        let searched = self.ledger.searched_since(since)?;
        Ok(searched.into_iter().map(|(operator, times)| (operator, Rhythm::of(&times))).collect())
    }
}
