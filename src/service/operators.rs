//! How operators search, as the log shows it: what the ceilings count from after a start, and how
//! regular the gaps are, for auditors.

use std::collections::BTreeMap;

use super::Service;
use super::error::ServiceError;
use super::ledger::Ledger;
use super::sessions::AtDesk;
use crate::audit::{Detail, Entry, LeafKind};
use crate::booking::Identifier;
use crate::limits::RHYTHM_DAYS;
use crate::roster::{Duty, Rhythm};

const DAY_CS: u64 = 8_640_000;

impl Ledger {
    /// The first leaf that isn't dated before this.
    pub(super) fn first_leaf_since(&self, since_cs: u64) -> Result<u64, ServiceError> {
        let (mut first, mut end) = (0, self.leaves());
        while first < end {
            let middle = first + (end - first) / 2;
            let row =
                self.core().store.leaf(middle)?.ok_or(ServiceError::NotFound { what: "leaf" })?;
            if Entry::read(&row.leaf)?.time_cs() < since_cs {
                first = middle + 1
            } else {
                end = middle
            }
        }
        Ok(first)
    }

    /// When each operator asked for searches since a time, the earliest first. What the box doesn't
    /// know any more is left out.
    pub(super) fn searched_since(
        &self,
        since_cs: u64,
    ) -> Result<BTreeMap<Identifier, Vec<u64>>, ServiceError> {
        let mut asked = Vec::new();
        self.core().store.for_each_leaf::<ServiceError>(
            self.first_leaf_since(since_cs)?..self.leaves(),
            |leaf, bytes| {
                if let Entry::Known(view) = Entry::read(bytes)?
                    && view.kind == LeafKind::Asked
                {
                    asked.push((leaf, view.time_cs));
                }
                Ok(())
            },
        )?;
        let mut searched: BTreeMap<Identifier, Vec<u64>> = BTreeMap::new();
        for (leaf, time_cs) in asked {
            if let Some(Detail::Asked { approval, .. }) = self.detail_of(leaf)? {
                searched.entry(approval.operator).or_default().push(time_cs);
            }
        }
        Ok(searched)
    }
}

impl Service {
    /// How regular each operator's searches of the last `RHYTHM_DAYS` days were, by their names,
    /// for an auditor at a desk; that the details were opened for it is logged before.
    ///
    /// Errors: another role.
    pub fn rhythms(&self, desk: &AtDesk) -> Result<Vec<(Identifier, Rhythm)>, ServiceError> {
        self.allowed(desk, Duty::Audit, "look at how operators search")?;
        let since_cs = self.ledger.now_cs().saturating_sub(RHYTHM_DAYS * DAY_CS);
        let (first, end) = (self.ledger.first_leaf_since(since_cs)?, self.ledger.leaves());
        self.ledger.note(
            Vec::new(),
            vec![end - first],
            Detail::DetailsOpened { actor: desk.actor(), first, end },
        )?;
        let searched = self.ledger.searched_since(since_cs)?;
        Ok(searched
            .into_iter()
            .map(|(operator, times_cs)| (operator, Rhythm::of(&times_cs)))
            .collect())
    }
}
