//! Faces as numbers: what a detector found, what an embedder made of it, and what a search returns.
//!
//! An `Embedding` is on the grid or doesn't exist: every component is a multiple of 2^-23 and the squared length is within 2^-16 of 1.
//! That makes each product of two components a multiple of 2^-46 and each partial sum of a dot product smaller than 2, so
//! **an f64 dot product of two embeddings is exact in every order of summation**. The gallery's promise stands on this.

use crate::limits::{DIMENSION_MAX, DIMENSION_MIN};

/// The distance between neighbouring values of a component: 2^-23.
pub const GRID_STEP: f64 = 1.0 / 8_388_608.0;
/// How far the squared length of an embedding may be from 1: 2^-16.
pub const LENGTH_SLACK: f64 = 1.0 / 65_536.0;

/// Why numbers are no embedding.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum FaceError {
    /// The number of components is out of bounds.
    #[error("{found} components, an embedding has {DIMENSION_MIN} to {DIMENSION_MAX}")]
    Dimension {
        /// Components given.
        found: usize,
    },
    /// A component isn't finite.
    #[error("component {at} is not a finite number")]
    NotFinite {
        /// Its index.
        at: usize,
    },
    /// The vector can't be normalised.
    #[error("the vector's length is {length}, which has no direction")]
    NoLength {
        /// Length found.
        length: f64,
    },
    /// The vector isn't normalised.
    #[error("the squared length is {squared}, wanted within 2^-16 of 1")]
    NotUnit {
        /// Squared length found.
        squared: f64,
    },
    /// A component isn't a multiple of 2^-23.
    #[error("component {at} is not a multiple of 2^-23")]
    OffGrid {
        /// Its index.
        at: usize,
    },
    /// Stored bytes aren't whole components.
    #[error("{found} bytes are not whole f32 components")]
    Bytes {
        /// Bytes given.
        found: usize,
    },
}

/// A unit vector on the 2^-23 grid.
///
/// Shapes: D components, `DIMENSION_MIN` to `DIMENSION_MAX`.
/// Units: none; the dot product of two is a cosine.
#[derive(Clone, PartialEq)]
pub struct Embedding(Box<[f32]>);

impl Embedding {
    /// Normalises `raw` in f64 and rounds each component to the grid; also gives the length before normalisation, a figure of quality.
    ///
    /// Errors: too few or too many components, one that isn't finite, no length.
    pub fn from_raw(raw: &[f32]) -> Result<(Self, f64), FaceError> {
        check_dimension(raw.len())?;
        if let Some(at) = raw.iter().position(|x| !x.is_finite()) {
            return Err(FaceError::NotFinite { at });
        }
        let length = raw.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        if length < 1e-12 {
            return Err(FaceError::NoLength { length });
        }
        let on_grid = raw
            .iter()
            .map(|&x| {
                let steps = whole(f64::from(x) / length / GRID_STEP);
                #[expect(clippy::cast_possible_truncation, reason = "at most 2^23 steps: exact in f32")]
                let component = (steps * GRID_STEP) as f32;
                // A negative zero would order differently from zero in a total order.
                component + 0.0
            })
            .collect();
        Ok((Self::from_grid(on_grid)?, length))
    }

    /// Takes components that are already on the grid.
    ///
    /// Errors: every way of not being an embedding; nothing is rounded or normalised here.
    pub fn from_grid(components: Vec<f32>) -> Result<Self, FaceError> {
        check_dimension(components.len())?;
        let mut squared = 0.0;
        for (at, &x) in components.iter().enumerate() {
            let x = f64::from(x);
            if !x.is_finite() {
                return Err(FaceError::NotFinite { at });
            }
            if whole(x / GRID_STEP) != x / GRID_STEP {
                return Err(FaceError::OffGrid { at });
            }
            squared += x * x;
        }
        if (squared - 1.0).abs() > LENGTH_SLACK {
            return Err(FaceError::NotUnit { squared });
        }
        Ok(Self(components.into_boxed_slice()))
    }

    /// Reads what `to_le_bytes` wrote.
    ///
    /// Errors: as `from_grid`, and bytes that aren't whole components.
    pub fn from_le_bytes(bytes: &[u8]) -> Result<Self, FaceError> {
        let (whole, rest) = bytes.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(FaceError::Bytes { found: bytes.len() });
        }
        Self::from_grid(whole.iter().map(|&b| f32::from_le_bytes(b)).collect())
    }

    /// The components as little-endian f32, 4 D bytes.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|x| x.to_le_bytes()).collect()
    }

    /// The D components.
    pub fn components(&self) -> &[f32] {
        &self.0
    }

    /// D.
    pub fn dimension(&self) -> usize {
        self.0.len()
    }

    /// The cosine with another embedding, exact.
    ///
    /// Shapes: both have the same D; the caller holds one gallery's D for all.
    pub fn score(&self, other: &Self) -> f64 {
        dot(&self.0, &other.0)
    }
}

impl std::fmt::Debug for Embedding {
    /// Names the dimension only: components are biometric data and don't belong into a journal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Embedding({} components)", self.0.len())
    }
}

/// The dot product of two slices on the grid, exact, never a negative zero.
///
/// Shapes: D and D.
pub fn dot(a: &[f32], b: &[f32]) -> f64 {
    debug_assert_eq!(a.len(), b.len(), "one gallery has one dimension");
    a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>() + 0.0
}

/// One row of the gallery with its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// The row's index in the gallery.
    pub row: u32,
    /// Cosine of probe and row, exact.
    pub score: f64,
}

impl Candidate {
    /// Best first: the higher score, and of equal scores the lower row.
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        other.score.total_cmp(&self.score).then(self.row.cmp(&other.row))
    }
}

/// A face that the detector found.
///
/// Units: pixels of the photo as shown (EXIF orientation applied), from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Face {
    /// The detector's confidence, 0 to 1.
    pub score: f32,
    /// Left edge, upper edge, width, height.
    pub frame: [f32; 4],
    /// x and y of the eye at the left of the photo, the one at the right, the nose's tip, the mouth's left and right corner.
    pub landmarks: [[f32; 2]; 5],
}

/// Which models made an embedding: SHA-256 over all that decides its value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ModelId(pub [u8; 32]);

impl ModelId {
    /// Reads what `Display` writes, 64 hexadecimal digits; anything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut id = [0; 32];
        hex::decode_to_slice(text, &mut id).ok().map(|()| Self(id))
    }
}

impl std::fmt::Display for ModelId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl std::fmt::Debug for ModelId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ModelId({self})")
    }
}

/// The nearest whole number, of two the even one, for anything below 2^51; what is larger comes back changed or whole.
///
/// Adding and taking away a number whose neighbours are 1 apart rounds in the two additions; the library's function is a call for each
/// component on processors of the plainest kind, and this runs for every component of every row at each start.
fn whole(x: f64) -> f64 {
    const ONE_APART: f64 = 6_755_399_441_055_744.0;
    (x + ONE_APART) - ONE_APART
}

fn check_dimension(found: usize) -> Result<(), FaceError> {
    if (DIMENSION_MIN..=DIMENSION_MAX).contains(&found) { Ok(()) } else { Err(FaceError::Dimension { found }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn raw() -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec(-4.0f32..4.0, DIMENSION_MIN..200).prop_filter("has a direction", |v| v.iter().any(|x| x.abs() > 0.1))
    }

    proptest! {
        #[test]
        fn a_dot_product_is_the_same_in_any_order(a in raw(), seed in any::<u64>()) {
            let (a, _) = Embedding::from_raw(&a).unwrap();
            let mut b: Vec<f32> = a.components().to_vec();
            b.rotate_left(usize::try_from(seed % 7).unwrap() + 1);
            let forward: f64 = a.components().iter().zip(&b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
            let backward: f64 = a.components().iter().zip(&b).rev().map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
            let fused = a.components().iter().zip(&b).fold(0.0f64, |s, (&x, &y)| f64::from(x).mul_add(f64::from(y), s));
            prop_assert_eq!(forward, backward);
            prop_assert_eq!(forward, fused);
        }

        #[test]
        fn stored_bytes_give_the_same_embedding(a in raw()) {
            let (a, _) = Embedding::from_raw(&a).unwrap();
            prop_assert_eq!(Embedding::from_le_bytes(&a.to_le_bytes()).unwrap(), a);
        }
    }

    #[test]
    fn a_models_id_is_read_as_it_is_written() {
        let id = ModelId([0xa7; 32]);
        assert_eq!(ModelId::parse(&id.to_string()), Some(id));
        for wrong in ["", "a7", &"a7".repeat(33), &"g7".repeat(32)] {
            assert_eq!(ModelId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_no_embedding_is_refused_by_name() {
        let unit = |n: usize| {
            let mut v = vec![0.0f32; n];
            v[0] = 1.0;
            v
        };
        assert!(Embedding::from_grid(unit(128)).is_ok());
        assert_eq!(Embedding::from_grid(unit(8)), Err(FaceError::Dimension { found: 8 }));
        assert_eq!(Embedding::from_grid(vec![0.0; 128]), Err(FaceError::NotUnit { squared: 0.0 }));
        assert!(matches!(Embedding::from_raw(&[0.0; 128]), Err(FaceError::NoLength { .. })));
        let mut v = unit(128);
        v[3] = f32::NAN;
        assert_eq!(Embedding::from_grid(v.clone()), Err(FaceError::NotFinite { at: 3 }));
        v[3] = 1e-9;
        assert_eq!(Embedding::from_grid(v), Err(FaceError::OffGrid { at: 3 }));
        assert_eq!(Embedding::from_le_bytes(&[0; 65]), Err(FaceError::Bytes { found: 65 }));
    }
}
