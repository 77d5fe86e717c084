//! Which counts of a table stay unshown, so that sums over those shown give none of them away.
//!
//! Tables with their margins are a circulation: each sum is a node whose inflow is its outflow,
//! each count an arc. Two sets of counts that agree in all shown ones differ by circles of arcs,
//! along which every count goes up or down by one. So a count that isn't shown is safe if and only
//! if it lies on such a circle: then another value of it fits all that is shown, its own bounds and
//! those of the others included.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::limits::PUBLIC_COUNT_MIN;

/// Sums and counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Net {
    nodes: usize,
    arcs: Vec<Arc>,
}

/// A count: what flows from one sum to another.
#[derive(Clone, Debug)]
struct Arc {
    from: usize,
    to: usize,
    value: u64,
    shown: Shown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// The log itself publishes it.
    Public,
    /// Shown; may be withheld.
    Exact,
    /// Shown as one of 1 to `PUBLIC_COUNT_MIN` - 1.
    Few,
    /// Not shown, though it is `PUBLIC_COUNT_MIN` or more, because it would give another one away.
    Withheld,
}

/// One step along a count, up or down by one.
#[derive(Clone, Copy, Debug)]
struct Step {
    arc: usize,
    to: usize,
    /// What it costs: the count, if it had to be withheld for it.
    cost: u64,
}

/// What it costs to come to a sum, and by which count from which other sum; none at the beginning.
type Reached = (u64, Option<(usize, usize)>);

impl Net {
    /// A sum.
    pub(super) fn node(&mut self) -> usize {
        self.nodes += 1;
        self.nodes - 1
    }

    /// A count that flows from one sum to another; `public`: the log itself publishes it.
    pub(super) fn arc(&mut self, from: usize, to: usize, value: u64, public: bool) -> usize {
        let shown = match value {
            _ if public => Shown::Public,
            1..PUBLIC_COUNT_MIN => Shown::Few,
            _ => Shown::Exact,
        };
        self.arcs.push(Arc { from, to, value, shown });
        self.arcs.len() - 1
    }

    pub(super) fn shown(&self, arc: usize) -> Shown {
        self.arcs[arc].shown
    }

    /// Withholds further counts, the smallest that will do, until no count that isn't shown can be
    /// computed.
    ///
    /// Gives whether that can be done; where it can't, none of these tables may be shown.
    pub(super) fn close(&mut self) -> bool {
        let few: Vec<usize> =
            (0..self.arcs.len()).filter(|&arc| self.arcs[arc].shown == Shown::Few).collect();
        // A circle makes all counts on it safe, and withholding more never makes one unsafe again.
        few.into_iter().all(|arc| {
            let ways = [true, false].map(|up| self.circle(arc, up));
            match ways.into_iter().flatten().min_by_key(|(cost, _)| *cost) {
                Some((_, circle)) => {
                    for arc in circle {
                        if self.arcs[arc].shown == Shown::Exact {
                            self.arcs[arc].shown = Shown::Withheld;
                        }
                    }
                    true
                }
                None => false,
            }
        })
    }

    /// The cheapest circle through a count that goes up by one, or down: its cost and its counts.
    fn circle(&self, arc: usize, up: bool) -> Option<(u64, Vec<usize>)> {
        self.step(arc, up)?;
        let Arc { from, to, .. } = self.arcs[arc];
        let (begin, end) = if up { (to, from) } else { (from, to) };
        let mut steps: Vec<Vec<Step>> = vec![Vec::new(); self.nodes];
        for other in (0..self.arcs.len()).filter(|&other| other != arc) {
            let Arc { from, to, .. } = self.arcs[other];
            if let Some(cost) = self.step(other, true) {
                steps[from].push(Step { arc: other, to, cost });
            }
            if let Some(cost) = self.step(other, false) {
                steps[to].push(Step { arc: other, to: from, cost });
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
        let mut circle = Vec::new();
        while let Some((arc, before)) = by {
            circle.push(arc);
            by = best[before].expect("every node on the way was reached").1;
        }
        Some((cost, circle))
    }

    /// Whether a count may be one more, or one less, for all that a reader knows, and what it
    /// costs.
    fn step(&self, arc: usize, up: bool) -> Option<u64> {
        let Arc { value, shown, .. } = self.arcs[arc];
        let fits = |least: u64, most: u64| if up { value < most } else { value > least };
        match shown {
            Shown::Public => None,
            Shown::Few => fits(1, PUBLIC_COUNT_MIN - 1).then_some(0),
            Shown::Withheld => fits(PUBLIC_COUNT_MIN, u64::MAX).then_some(0),
            Shown::Exact => {
                (value >= PUBLIC_COUNT_MIN && fits(PUBLIC_COUNT_MIN, u64::MAX)).then_some(value)
            }
        }
    }
}
