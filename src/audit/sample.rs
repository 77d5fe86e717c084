//! The sample of an audit: which searches an auditor must look at, drawn so that anybody can draw
//! it again and nobody can choose it.
//!
//! A leaf commits to a seed. Only the root of the tree right after that leaf makes a key of the
//! seed, so whoever picks the seed doesn't know yet what it draws, and nothing that is drawn from
//! can be changed afterwards. Each search is drawn by itself, by its leaf's index.

use super::tree::Hash;
use crate::ids::Digest;

const DOMAIN: &[u8] = b"smrt sample v1\0";
const PPM: u128 = 1_000_000;

/// What decides which searches a sample draws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleKey(Digest);

impl SampleKey {
    /// The key of a seed, given the root of the tree whose last leaf is the one that holds the
    /// seed.
    pub fn new(seed: u64, root: &Hash) -> Self {
        Self(Digest::of_parts(&[DOMAIN, &seed.to_le_bytes(), root]))
    }

    /// Whether the search asked for in the leaf of this index is drawn.
    ///
    /// Units: `rate_ppm` of a million searches are drawn on average; a million or more draws all.
    pub fn draws(&self, leaf: u64, rate_ppm: u64) -> bool {
        let lot = Digest::of_parts(&[&self.0.0, &leaf.to_le_bytes()]);
        let lot = *lot.0.first_chunk().expect("SHA-256 gives 32 bytes");
        // lot / 2^64 < rate / 10^6, in whole numbers, so that every machine draws alike.
        u128::from(u64::from_le_bytes(lot)) * PPM < u128::from(rate_ppm) << 64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn a_search_is_drawn_as_an_independent_reading_of_the_definition_draws_it() {
        let (seed, root) = (0x0123_4567_89ab_cdef_u64, [7; 32]);
        let key = Sha256::digest([&b"smrt sample v1\0"[..], &seed.to_le_bytes(), &root].concat());
        let sample = SampleKey::new(seed, &root);
        for leaf in 0..2_000_u64 {
            let lot = Sha256::digest([&key[..], &leaf.to_le_bytes()].concat());
            let lot = u64::from_le_bytes(lot[..8].try_into().unwrap());
            // A quarter is exact in both forms.
            assert_eq!(sample.draws(leaf, 250_000), lot < 1 << 62, "{leaf}");
        }
    }

    #[test]
    fn the_rate_is_kept_on_average_and_its_ends_draw_none_and_all() {
        let sample = SampleKey::new(1, &[9; 32]);
        let drawn = |rate| (0..100_000).filter(|&leaf| sample.draws(leaf, rate)).count();
        assert!((4_700..5_300).contains(&drawn(50_000)), "{}", drawn(50_000));
        assert_eq!((drawn(0), drawn(1_000_000), drawn(u64::MAX)), (0, 100_000, 100_000));
    }

    #[test]
    fn another_seed_or_root_draws_another_sample_and_a_higher_rate_more() {
        let drawn = |seed, root: u8, rate| {
            let sample = SampleKey::new(seed, &[root; 32]);
            (0..1_000).filter(|&leaf| sample.draws(leaf, rate)).collect::<Vec<u64>>()
        };
        assert_eq!(drawn(1, 1, 100_000), drawn(1, 1, 100_000));
        assert_ne!(drawn(1, 1, 100_000), drawn(2, 1, 100_000));
        assert_ne!(drawn(1, 1, 100_000), drawn(1, 2, 100_000));
        assert!(drawn(1, 1, 100_000).iter().all(|leaf| drawn(1, 1, 200_000).contains(leaf)));
    }
}
