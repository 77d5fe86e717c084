//! Faces as numbers: what a detector found, what an embedder made of it, what a search returns; and
//! what may be done to a probe before it.
//!
//! An `Embedding` is on the grid or doesn't exist: every component is a multiple of 2^-23 and the
//! squared length is within 2^-16 of 1. That makes each product of two components a multiple of
//! 2^-46 and each partial sum of a dot product smaller than 2, so **an f64 dot product of two
//! embeddings is exact in every order of summation**. The gallery's promise stands on this.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use crate::ids::ModelId;
use crate::limits::{
    CONTRAST_HUNDREDTHS_MAX, CONTRAST_HUNDREDTHS_MIN, DIMENSION_MAX, DIMENSION_MIN,
    EXPOSURE_TENTHS_MAX, PHOTO_SIDE_PX_MAX, PHOTO_SIDE_PX_MIN,
};
use crate::rule::Rule;

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
    /// Normalises `raw` in f64 and rounds each component to the grid; also gives the length before
    /// normalisation, a figure of quality.
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
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "at most 2^23 steps: exact in f32"
                )]
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
    /// The detector's score, 0 to 1.
    pub score: f32,
    /// Left edge, upper edge, width, height.
    pub frame: [f32; 4],
    /// x and y of the eye at the left of the photo, the one at the right, the nose's tip, the
    /// mouth's left and right corner.
    pub landmarks: [[f32; 2]; 5],
}

/// One change to a probe. The list is closed: none adds a pixel to a face, sharpens, smooths or
/// fills in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Edit {
    /// Keeps a part. Units: pixels of the original as shown (EXIF orientation applied), from its
    /// upper left corner.
    Crop {
        /// Left edge.
        x: u32,
        /// Upper edge.
        y: u32,
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// Turns clockwise around the middle; the canvas grows so that nothing is cut off, and what is
    /// outside becomes black.
    Rotate {
        /// Tenths of a degree, -1,799 to 1,800; 900 is a quarter turn.
        tenths: i32,
    },
    /// Brighter or darker, every pixel alike.
    Exposure {
        /// Tenths of a stop; positive is brighter.
        tenths: i32,
    },
    /// Moves every value away from middle grey or towards it, every pixel alike.
    Contrast {
        /// Hundredths by which the distance to middle grey grows.
        hundredths: i32,
    },
}

/// What is done to one probe: at most one edit of each kind, always in the order crop, rotate,
/// exposure, contrast, and none that changes nothing. So one outcome has one list, and two lists
/// are the same where they are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "Vec<Edit>", into = "Vec<Edit>")]
#[schema(value_type = Vec<Edit>, max_items = 4)]
pub struct Edits(Vec<Edit>);

/// Why edits aren't accepted.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum EditError {
    /// Two of a kind, or out of order.
    #[error(
        "edit {at} is {found} after {before}, wanted at most one each of crop, rotate, exposure \
         and contrast, in this order"
    )]
    Order {
        /// Its index.
        at: usize,
        /// Its kind.
        found: &'static str,
        /// The kind of the one before.
        before: &'static str,
    },
    /// A crop that is too small to hold a usable face, or larger than any photo.
    #[error(
        "the crop is {width}x{height} px, wanted {PHOTO_SIDE_PX_MIN} to {PHOTO_SIDE_PX_MAX} along \
         each side"
    )]
    Crop {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// A number out of its bounds, or one that changes nothing.
    #[error("{kind} by {found}, wanted {least} to {most} and not 0")]
    Amount {
        /// Kind and unit.
        kind: &'static str,
        /// Number given.
        found: i32,
        /// Least accepted.
        least: i32,
        /// Most accepted.
        most: i32,
    },
}

impl EditError {
    /// The rule by which they are refused.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Order { .. } | Self::Crop { .. } | Self::Amount { .. } => Rule::EditsOutOfBounds,
        }
    }
}

impl Edit {
    /// The kind in words.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Crop { .. } => "crop",
            Self::Rotate { .. } => "rotate",
            Self::Exposure { .. } => "exposure",
            Self::Contrast { .. } => "contrast",
        }
    }

    fn place(self) -> u8 {
        match self {
            Self::Crop { .. } => 0,
            Self::Rotate { .. } => 1,
            Self::Exposure { .. } => 2,
            Self::Contrast { .. } => 3,
        }
    }

    fn check(self) -> Result<(), EditError> {
        let within = |kind, found, least: i32, most: i32| {
            if found != 0 && (least..=most).contains(&found) {
                Ok(())
            } else {
                Err(EditError::Amount { kind, found, least, most })
            }
        };
        match self {
            Self::Crop { width, height, .. } => {
                let side = PHOTO_SIDE_PX_MIN..=PHOTO_SIDE_PX_MAX;
                if side.contains(&width) && side.contains(&height) {
                    Ok(())
                } else {
                    Err(EditError::Crop { width, height })
                }
            }
            Self::Rotate { tenths } => within("rotate, tenths of a degree,", tenths, -1_799, 1_800),
            Self::Exposure { tenths } => within(
                "exposure, tenths of a stop,",
                tenths,
                -EXPOSURE_TENTHS_MAX,
                EXPOSURE_TENTHS_MAX,
            ),
            Self::Contrast { hundredths } => within(
                "contrast, hundredths,",
                hundredths,
                CONTRAST_HUNDREDTHS_MIN,
                CONTRAST_HUNDREDTHS_MAX,
            ),
        }
    }
}

impl Edits {
    /// Takes a list that is in order and within its bounds.
    ///
    /// Errors: two of a kind or another order, a number out of bounds or one that changes nothing.
    pub fn new(edits: Vec<Edit>) -> Result<Self, EditError> {
        for (at, edit) in edits.iter().enumerate() {
            edit.check()?;
            if let Some(before) = at.checked_sub(1).map(|before| edits[before])
                && before.place() >= edit.place()
            {
                return Err(EditError::Order { at, found: edit.kind(), before: before.kind() });
            }
        }
        Ok(Self(edits))
    }

    /// The edits in their order, at most four.
    pub fn as_slice(&self) -> &[Edit] {
        &self.0
    }

    /// Whether the probe is searched as it is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Vec<Edit>> for Edits {
    type Error = EditError;

    fn try_from(edits: Vec<Edit>) -> Result<Self, EditError> {
        Self::new(edits)
    }
}

impl From<Edits> for Vec<Edit> {
    fn from(edits: Edits) -> Self {
        edits.0
    }
}

impl std::fmt::Display for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // One decimal without rounding: tenths are what is kept.
        let tenths =
            |n: i32| format!("{}{}.{}", if n < 0 { "-" } else { "+" }, n.abs() / 10, n.abs() % 10);
        match *self {
            Self::Crop { x, y, width, height } => {
                write!(f, "crop to {width}x{height} px at {x},{y}")
            }
            Self::Rotate { tenths: n } => write!(f, "rotate {} degrees", tenths(n)),
            Self::Exposure { tenths: n } => write!(f, "exposure {} stops", tenths(n)),
            Self::Contrast { hundredths } => write!(f, "contrast {hundredths:+} hundredths"),
        }
    }
}

/// The nearest whole number, of two the even one, for anything below 2^51; what is larger comes
/// back changed or whole.
///
/// Adding and taking away a number whose neighbours are 1 apart rounds in the two additions; the
/// library's function is a call for each component on processors of the plainest kind, and this
/// runs for every component of every row at each start.
fn whole(x: f64) -> f64 {
    const ONE_APART: f64 = 6_755_399_441_055_744.0;
    (x + ONE_APART) - ONE_APART
}

fn check_dimension(found: usize) -> Result<(), FaceError> {
    if (DIMENSION_MIN..=DIMENSION_MAX).contains(&found) {
        Ok(())
    } else {
        Err(FaceError::Dimension { found })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn raw() -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec(-4.0f32..4.0, DIMENSION_MIN..200)
            .prop_filter("has a direction", |v| v.iter().any(|x| x.abs() > 0.1))
    }

    proptest! {
        #[test]
        fn a_dot_product_is_the_same_in_any_order(a in raw(), seed in any::<u64>()) {
            let (a, _) = Embedding::from_raw(&a).unwrap();
            let mut b: Vec<f32> = a.components().to_vec();
            b.rotate_left(usize::try_from(seed % 7).unwrap() + 1);
            let forward: f64 = a.components().iter().zip(&b).map(|(&x, &y)| f64::from(x)
                * f64::from(y)).sum();
            let backward: f64 = a.components().iter().zip(&b).rev().map(|(&x, &y)| f64::from(x)
                * f64::from(y)).sum();
            let fused = a.components().iter().zip(&b).fold(0.0f64, |s,
                (&x, &y)| f64::from(x).mul_add(f64::from(y), s));
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
        assert_eq!(ModelId::parse(&id.to_string()), Ok(id));
        for wrong in ["", "a7", &"a7".repeat(33), &"g7".repeat(32)] {
            assert!(ModelId::parse(wrong).is_err(), "{wrong}");
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

    #[test]
    fn edits_are_one_of_each_kind_in_one_order_within_bounds() {
        let crop = Edit::Crop { x: 10, y: 0, width: 64, height: 32 };
        let (rotate, exposure, contrast) = (
            Edit::Rotate { tenths: -25 },
            Edit::Exposure { tenths: 20 },
            Edit::Contrast { hundredths: -50 },
        );
        for list in
            [vec![], vec![contrast], vec![crop, exposure], vec![crop, rotate, exposure, contrast]]
        {
            assert_eq!(Edits::new(list.clone()).unwrap().as_slice(), list);
        }
        for (wrong, says) in [
            (vec![rotate, crop], "edit 1 is crop after rotate"),
            (vec![rotate, rotate], "edit 1 is rotate after rotate"),
            (vec![crop, contrast, exposure], "edit 2 is exposure after contrast"),
            (vec![Edit::Crop { x: 0, y: 0, width: 31, height: 900 }], "31x900"),
            (vec![Edit::Crop { x: 0, y: 0, width: 900, height: u32::MAX }], "4294967295"),
            (vec![Edit::Rotate { tenths: 0 }], "by 0"),
            (vec![Edit::Rotate { tenths: -1_800 }], "-1799 to 1800"),
            (vec![Edit::Exposure { tenths: 21 }], "by 21"),
            (vec![Edit::Contrast { hundredths: -51 }], "-50 to 100"),
        ] {
            let said = Edits::new(wrong).unwrap_err().to_string();
            assert!(said.contains(says), "{said}");
        }
    }

    #[test]
    fn edits_are_read_as_they_are_written_and_refused_where_they_are_read() {
        let text = concat!(
            r#"[{"kind":"crop","x":1,"y":2,"width":300,"height":400},"#,
            r#"{"kind":"rotate","tenths":-905}]"#,
        );
        let edits: Edits = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&edits).unwrap(), text);
        let said: Vec<String> = edits.as_slice().iter().map(Edit::to_string).collect();
        assert_eq!(said, ["crop to 300x400 px at 1,2", "rotate -90.5 degrees"]);
        for wrong in [
            r#"[{"kind":"sharpen","by":3}]"#,
            r#"[{"kind":"rotate","tenths":0}]"#,
            r#"[{"kind":"rotate","tenths":5,"scale":2}]"#,
            "{}",
        ] {
            assert!(serde_json::from_str::<Edits>(wrong).is_err(), "{wrong}");
        }
    }
}
