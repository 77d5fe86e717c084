//! The sample of an audit, drawn again from its seed.

use crate::audit::sample::SampleKey;

/// A sample: its key, its rate, and the leaves among which it is drawn.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) key: SampleKey,
    pub(super) rate_ppm: u64,
    pub(super) first: u64,
    pub(super) end: u64,
}

impl Sample {
    /// The searches that it is drawn from.
    pub(super) fn among<'a>(&self, asked: &'a [u64]) -> &'a [u64] {
        let at = |bound| asked.partition_point(|&asked| asked < bound);
        asked.get(at(self.first)..at(self.end)).unwrap_or_default()
    }

    /// Those of them that it draws.
    pub(super) fn drawn<'a>(&self, asked: &'a [u64]) -> impl Iterator<Item = u64> + use<'a, '_> {
        self.among(asked).iter().copied().filter(|&asked| self.key.draws(asked, self.rate_ppm))
    }

    /// Whether this leaf is one of them.
    pub(super) fn draws(&self, leaf: u64, asked: &[u64]) -> bool {
        self.among(asked).binary_search(&leaf).is_ok() && self.key.draws(leaf, self.rate_ppm)
    }
}
