//! Counts that may be unshown, alone and in tables.
//!
//! What is held: sums over what one report shows give no unshown count away. What isn't: two
//! reports of periods that overlap can be subtracted from each other; and which searches make up
//! three tables at once may bound a count more narrowly than their sums do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rules::says_nothing;
use super::suppression::{Net, Shown};
use crate::limits::PUBLIC_COUNT_MIN;

/// A count, or why it isn't shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Cell {
    /// The count.
    Exact(u64),
    /// It isn't shown.
    Hidden(Hidden),
}

/// Why a count isn't shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Hidden {
    /// It is so small that somebody could be singled out.
    #[serde(rename = "1 to 4")]
    Few,
    /// It isn't small, but with it a small one could be computed.
    #[serde(rename = "withheld")]
    Withheld,
}

const _: () = assert!(PUBLIC_COUNT_MIN == 5, "the words '1 to 4' say the threshold");

/// Counts of a whole, by one thing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Breakdown {
    /// The whole, as the log publishes it.
    pub total: u64,
    /// True where so few were counted that no part can be shown.
    pub withheld: bool,
    /// Its parts; empty where they are withheld.
    pub parts: BTreeMap<String, Cell>,
}

/// Counts by two things, with their sums.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// True where so few were counted that nothing of it can be shown.
    pub withheld: bool,
    /// Counts by row and column; empty where they are withheld.
    pub cells: BTreeMap<String, BTreeMap<String, Cell>>,
    /// The sum of each row.
    pub row_totals: BTreeMap<String, Cell>,
    /// The sum of each column.
    pub column_totals: BTreeMap<String, Cell>,
    /// Outcomes that aren't counted in it, because there are so few of them, with what the log
    /// publishes of each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, u64>,
}

/// Counts by name.
pub(super) type Counts = BTreeMap<String, u64>;
impl Breakdown {
    pub(super) fn withheld(total: u64) -> Self {
        Self { total, withheld: true, parts: BTreeMap::new() }
    }

    /// The parts of a whole that the log publishes.
    pub(super) fn of(parts: &Counts) -> Self {
        let total = parts.values().sum();
        let mut net = Net::default();
        let (whole, parted) = (net.node(), net.node());
        net.arc(parted, whole, total, true);
        let arcs: Vec<usize> = parts
            .iter()
            .map(|(name, &count)| net.arc(whole, parted, count, says_nothing(name)))
            .collect();
        if !net.close() {
            return Self::withheld(total);
        }
        let cells = parts
            .iter()
            .zip(arcs)
            .map(|((name, &count), arc)| (name.clone(), cell(&net, arc, count)));
        Self { total, withheld: false, parts: cells.collect() }
    }
}

impl Table {
    pub(super) fn withheld() -> Self {
        Self { withheld: true, ..Self::default() }
    }
}

/// How a count of the net is shown.
pub(super) fn cell(net: &Net, arc: usize, count: u64) -> Cell {
    match net.shown(arc) {
        Shown::Public | Shown::Exact => Cell::Exact(count),
        Shown::Few => Cell::Hidden(Hidden::Few),
        Shown::Withheld => Cell::Hidden(Hidden::Withheld),
    }
}
