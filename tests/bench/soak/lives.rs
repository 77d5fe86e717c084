//! What soaks have in common: a clock of all threads, what a search between two of its moments can
//! have seen, and memory's growth.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use smrt::face::Embedding;

/// How much memory may grow from the second quarter to the last: rows come and go by chance, and so
/// does what the allocator holds.
pub(crate) const GROWTH_MAX: f64 = 1.05;

/// Moments in one order, and those since which a search is under way.
#[derive(Default)]
pub(crate) struct Clock {
    last: AtomicU64,
    under_way: Mutex<BTreeSet<u64>>,
}

impl Clock {
    pub(crate) fn now(&self) -> u64 {
        self.last.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// A search begins: until it ends, what it may see is kept.
    pub(crate) fn begin(&self) -> u64 {
        let mut under_way = self.under_way.lock().expect("nobody panics with it");
        let begin = self.now();
        under_way.insert(begin);
        begin
    }

    pub(crate) fn end(&self, begin: u64) {
        self.under_way.lock().expect("nobody panics with it").remove(&begin);
    }

    /// When the oldest search that is under way began.
    pub(crate) fn oldest(&self) -> u64 {
        self.under_way.lock().expect("nobody panics with it").first().copied().unwrap_or(u64::MAX)
    }
}

/// What was done with something, in the order of the clock.
#[derive(Default)]
pub(crate) struct Changes<T>(Vec<(u64, Option<u64>, T)>);

impl<T: Copy> Changes<T> {
    /// With one change that was sent and acknowledged.
    pub(crate) fn begun(sent: u64, acknowledged: u64, to: T) -> Self {
        Self(vec![(sent, Some(acknowledged), to)])
    }

    pub(crate) fn sent(&mut self, at: u64, to: T) {
        self.0.push((at, None, to));
    }

    pub(crate) fn acknowledged(&mut self, at: u64) {
        self.0.last_mut().expect("something was sent").1 = Some(at);
    }

    /// What it was at the first of two moments, if anything for certain, and what it may have
    /// become until the second.
    pub(crate) fn between(&self, begin: u64, end: u64) -> (Option<T>, Vec<T>) {
        let before = |change: &&(u64, Option<u64>, T)| {
            change.1.is_some_and(|acknowledged| acknowledged < begin)
        };
        let was = self.0.iter().rev().find(before).map(|change| change.2);
        (
            was,
            self.0
                .iter()
                .filter(|change| !before(change) && change.0 < end)
                .map(|change| change.2)
                .collect(),
        )
    }
}

impl Changes<bool> {
    /// Whether a search between two moments saw it for certain, and whether it may have.
    pub(crate) fn seen(&self, begin: u64, end: u64) -> (bool, bool) {
        let (was, meanwhile) = self.between(begin, end);
        let was = was == Some(true);
        (was && !meanwhile.contains(&false), was || meanwhile.contains(&true))
    }
}

/// Numbers that are the same everywhere (splitmix64).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Between -1 and 1.
    pub(crate) fn unit(&mut self) -> f32 {
        f32::from(u16::try_from(self.next() >> 48).expect("16 bits")) / 32_768.0 - 1.0
    }

    pub(crate) fn embedding(&mut self, dimension: usize) -> Embedding {
        let raw: Vec<f32> = (0..dimension).map(|_| self.unit()).collect();
        Embedding::from_raw(&raw).expect("a random vector has a direction").0
    }

    /// A face that is like another.
    pub(crate) fn near(&mut self, other: &Embedding) -> Embedding {
        let near: Vec<f32> = other.components().iter().map(|&x| x + self.unit() * 0.02).collect();
        Embedding::from_raw(&near).expect("near a direction is a direction").0
    }
}

/// Memory over a soak's time.
#[derive(Default)]
pub(crate) struct Resident(Vec<f64>);

impl Resident {
    pub(crate) fn look(&mut self) {
        let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
        let resident =
            pages.split(' ').nth(1).and_then(|pages| pages.parse::<f64>().ok()).unwrap_or_default();
        self.0.push(resident * 4_096.0);
    }

    /// Bytes at the end, and how many times those of the second quarter: medians of whole quarters,
    /// because memory goes up and down with the galleries and models that come and go.
    pub(crate) fn growth(&self) -> (f64, f64) {
        let quarter = self.0.len() / 4;
        let (early, last) = (median(&self.0[quarter..2 * quarter]), median(&self.0[3 * quarter..]));
        (last, last / early)
    }
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
