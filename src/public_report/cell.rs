//! Published counts: alone, as parts of a whole, and in tables; each exact or suppressed.
//!
//! What is held: sums over what one report shows give no unshown count away. What isn't: two
//! reports of periods that overlap can be subtracted from each other; and which searches make up
//! three tables at once may bound a count more narrowly than their sums do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rules::says_nothing;
use super::suppression::{SuppressionGraph, Visibility};
use crate::limits::PUBLIC_COUNT_MIN;

/// A published count, or why it isn't shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Cell {
    Exact(u64),
    /// It isn't shown.
    Suppressed(Suppressed),
}

/// Why a count is suppressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Suppressed {
    /// It is so small that somebody could be singled out.
    #[serde(rename = "1 to 4")]
    Primary,
    /// It isn't small, but it protects a small one that could else be computed.
    #[serde(rename = "withheld")]
    Complementary,
}

const _: () = assert!(PUBLIC_COUNT_MIN == 5, "the words '1 to 4' say the threshold");

/// A breakdown: a whole, and the counts of its parts.
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

/// A two-way table: counts by row and column, with their sums.
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
        let mut graph = SuppressionGraph::default();
        let (whole, parted) = (graph.node(), graph.node());
        graph.arc(parted, whole, total, true);
        let arcs: Vec<usize> = parts
            .iter()
            .map(|(name, &count)| graph.arc(whole, parted, count, says_nothing(name)))
            .collect();
        if !graph.suppress() {
            return Self::withheld(total);
        }
        let cells = parts
            .iter()
            .zip(arcs)
            .map(|((name, &count), arc)| (name.clone(), cell(&graph, arc, count)));
        Self { total, withheld: false, parts: cells.collect() }
    }
}

impl Table {
    pub(super) fn withheld() -> Self {
        Self { withheld: true, ..Self::default() }
    }
}

/// A count as the suppression shows it.
pub(super) fn cell(graph: &SuppressionGraph, arc: usize, count: u64) -> Cell {
    match graph.visibility(arc) {
        Visibility::Public | Visibility::Exact => Cell::Exact(count),
        Visibility::Primary => Cell::Suppressed(Suppressed::Primary),
        Visibility::Complementary => Cell::Suppressed(Suppressed::Complementary),
    }
}
