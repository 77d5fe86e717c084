//! Cell suppression: which counts of a table are not shown, so that nobody can compute a small one
//! from the sums that are.
//!
//! Small counts are suppressed first (primary suppression), then as few others as protect them
//! (complementary suppression). Tables with their margins are a network flow: each sum is a node
//! whose inflow is its outflow, each count an arc. Two sets of counts that agree in all shown ones
//! differ by cycles of arcs, along which every count goes up or down by one. So a suppressed count
//! is safe if and only if it lies on such a cycle: then another value of it fits all that is shown,
//! its own bounds and those of the others included.
//!
//! Source: network flow methods for cell suppression (Cox 1995; Fischetti and Salazar 1999), here
//! one shortest cycle after another: safe, and not always the fewest cells.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::limits::PUBLIC_COUNT_MIN;

/// The network of all sums (nodes) and counts (arcs) that are published together.
#[derive(Clone, Debug, Default)]
pub(super) struct SuppressionGraph {
    nodes: usize,
    arcs: Vec<Arc>,
}

/// A count: what flows from one sum to another.
#[derive(Clone, Debug)]
struct Arc {
    from: usize,
    to: usize,
    value: u64,
    visibility: Visibility,
}

/// Whether a count is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visibility {
    /// The log itself publishes it.
    Public,
    /// Shown, and may yet be suppressed to protect another one.
    Exact,
    /// Primary suppression: shown as one of 1 to `PUBLIC_COUNT_MIN` - 1.
    Primary,
    /// Complementary suppression: `PUBLIC_COUNT_MIN` or more, and it would give a small one away.
    Complementary,
}

/// An arc of the residual network: a count that may go up or down by one.
#[derive(Clone, Copy, Debug)]
struct Residual {
    arc: usize,
    to: usize,
    /// The count, where it would have to be suppressed for it; else nothing.
    cost: u64,
}

/// The cost of the cheapest way to a sum, and by which count from which other sum it comes; none at
/// the beginning.
type Reached = (u64, Option<(usize, usize)>);

impl SuppressionGraph {
    /// A sum.
    pub(super) fn node(&mut self) -> usize {
        self.nodes += 1;
        self.nodes - 1
    }

    /// A count that flows from one sum to another; `public`: the log itself publishes it.
    pub(super) fn arc(&mut self, from: usize, to: usize, value: u64, public: bool) -> usize {
        let visibility = match value {
            _ if public => Visibility::Public,
            1..PUBLIC_COUNT_MIN => Visibility::Primary,
            _ => Visibility::Exact,
        };
        self.arcs.push(Arc { from, to, value, visibility });
        self.arcs.len() - 1
    }

    pub(super) fn visibility(&self, arc: usize) -> Visibility {
        self.arcs[arc].visibility
    }

    /// Complementary suppression: suppresses further counts, the smallest that will do, until no
    /// suppressed count can be computed.
    ///
    /// Gives whether that can be done; where it can't, none of these tables may be shown.
    pub(super) fn suppress(&mut self) -> bool {
        let primary: Vec<usize> = (0..self.arcs.len())
            .filter(|&arc| self.arcs[arc].visibility == Visibility::Primary)
            .collect();
        // A cycle makes all counts on it safe, and suppressing more never makes one unsafe again.
        primary.into_iter().all(|arc| {
            let ways = [true, false].map(|up| self.cycle(arc, up));
            match ways.into_iter().flatten().min_by_key(|(cost, _)| *cost) {
                Some((_, cycle)) => {
                    for arc in cycle {
                        if self.arcs[arc].visibility == Visibility::Exact {
                            self.arcs[arc].visibility = Visibility::Complementary;
                        }
                    }
                    true
                }
                None => false,
            }
        })
    }

    /// The cheapest cycle through a count that goes up by one, or down: its cost and its counts.
    fn cycle(&self, arc: usize, up: bool) -> Option<(u64, Vec<usize>)> {
        self.step(arc, up)?;
        let Arc { from, to, .. } = self.arcs[arc];
        let (begin, end) = if up { (to, from) } else { (from, to) };
        let mut steps: Vec<Vec<Residual>> = vec![Vec::new(); self.nodes];
        for other in (0..self.arcs.len()).filter(|&other| other != arc) {
            let Arc { from, to, .. } = self.arcs[other];
            if let Some(cost) = self.step(other, true) {
                steps[from].push(Residual { arc: other, to, cost });
            }
            if let Some(cost) = self.step(other, false) {
                steps[to].push(Residual { arc: other, to: from, cost });
            }
        }
        let mut best: Vec<Option<Reached>> = vec![None; self.nodes];
        let mut reached = BinaryHeap::from([Reverse((0, begin, None))]);
        while let Some(Reverse((cost, node, by))) = reached.pop() {
            if best[node].is_some() {
                continue;
            }
            best[node] = Some((cost, by));
            if node == end {
                break;
            }
            for step in steps[node].iter().filter(|step| best[step.to].is_none()) {
                reached.push(Reverse((cost + step.cost, step.to, Some((step.arc, node)))));
            }
        }
        let (cost, mut by) = best[end]?;
        let mut cycle = Vec::new();
        while let Some((arc, before)) = by {
            cycle.push(arc);
            by = best[before].expect("every node on the way was reached").1;
        }
        Some((cost, cycle))
    }

    /// Whether a count may be one more, or one less, for all that a reader knows, and what it
    /// costs.
    fn step(&self, arc: usize, up: bool) -> Option<u64> {
        let Arc { value, visibility, .. } = self.arcs[arc];
        let fits = |least: u64, most: u64| if up { value < most } else { value > least };
        match visibility {
            Visibility::Public => None,
            Visibility::Primary => fits(1, PUBLIC_COUNT_MIN - 1).then_some(0),
            Visibility::Complementary => fits(PUBLIC_COUNT_MIN, u64::MAX).then_some(0),
            Visibility::Exact => {
                (value >= PUBLIC_COUNT_MIN && fits(PUBLIC_COUNT_MIN, u64::MAX)).then_some(value)
            }
        }
    }
}
