//! What models make of a booking's photo, and how it is sealed.

use std::sync::Arc;

use crate::embed::{EmbedError, ExaminedPhoto, FaceChoice, Pool};
use crate::face::{Embedding, FaceError, ModelId};

/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 4 D | the embedding's components |
/// | 4 D | 8 | its length before normalisation |
/// | 4 D + 8 | 16 | the face's frame |
///
/// Little-endian. Vectors that were sealed before there could be a second model end after 4 D;
/// their booking's record has the rest.
const MEASURES_BYTES: usize = 8 + 16;

/// What a photo's examination gives to the ledger.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// The embedding.
    pub embedding: Embedding,
    /// Its length before normalisation.
    pub length: f64,
    /// The face: left edge, upper edge, width, height in pixels of the photo as shown.
    pub frame: [f32; 4],
    /// Width and height of the photo as shown, in pixels; no part of what is sealed with the
    /// vector.
    pub px: [u32; 2],
}

/// What the models make of one photo.
#[derive(Clone, Debug)]
pub struct Faces {
    /// The active model.
    pub model: ModelId,
    /// What it makes of the photo.
    pub active: Enrolled,
    /// The next model and what it makes of the photo, while a switch is under way.
    pub next: Option<(ModelId, NextFace)>,
}

/// What the next model makes of a photo, or a short name of the reason why it makes nothing.
pub type NextFace = Result<Enrolled, &'static str>;

impl Enrolled {
    /// The embedding and its measures as they are sealed.
    pub(super) fn to_le_bytes(&self) -> Vec<u8> {
        let mut bytes = self.embedding.to_le_bytes();
        bytes.extend_from_slice(&self.length.to_le_bytes());
        bytes.extend(self.frame.iter().flat_map(|side| side.to_le_bytes()));
        bytes
    }
}

impl From<ExaminedPhoto> for Enrolled {
    fn from(portrait: ExaminedPhoto) -> Self {
        let (frame, px) =
            (portrait.faces[portrait.chosen].frame, [portrait.width, portrait.height]);
        Self { embedding: portrait.embedding, length: portrait.length, frame, px }
    }
}

/// What a model to come makes of a booking photo.
///
/// Errors: those that aren't the photo's fault.
pub(crate) fn next_face(pool: &Pool, photo: Arc<[u8]>) -> Result<NextFace, EmbedError> {
    match pool.examine(photo, FaceChoice::Only) {
        Ok(portrait) => Ok(Ok(portrait.into())),
        Err(e) => e.about_the_photo().map(Err).ok_or(e),
    }
}

/// The embedding of a sealed vector.
///
/// Errors: what is no embedding of `dimension` components.
pub(super) fn embedding(dimension: usize, bytes: &[u8]) -> Result<Embedding, FaceError> {
    let embedding_bytes = 4 * dimension;
    match bytes.len().checked_sub(embedding_bytes) {
        Some(0 | MEASURES_BYTES) => Embedding::from_le_bytes(&bytes[..embedding_bytes]),
        _ => Err(FaceError::Bytes { found: bytes.len() }),
    }
}

/// Length and frame of a sealed vector, where it has them.
pub(super) fn measures(dimension: usize, bytes: &[u8]) -> Option<(f64, [f32; 4])> {
    let measures: &[u8; MEASURES_BYTES] = bytes.get(4 * dimension..)?.try_into().ok()?;
    let (length, frame) = measures.split_first_chunk::<8>()?;
    let mut sides = [0.0; 4];
    for (side, bytes) in sides.iter_mut().zip(frame.as_chunks::<4>().0) {
        *side = f32::from_le_bytes(*bytes);
    }
    Some((f64::from_le_bytes(*length), sides))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_vector_gives_back_what_went_in_and_an_older_one_its_embedding() {
        let raw: Vec<f32> = (0..64u8).map(|at| f32::from(at) - 20.0).collect();
        let (embedding, frame) = (Embedding::from_raw(&raw).unwrap().0, [1.0, -2.5, 30.0, 41.0]);
        let enrolled = Enrolled { embedding, length: 9.25, frame, px: [64, 64] };
        let bytes = enrolled.to_le_bytes();
        assert_eq!(super::embedding(64, &bytes).unwrap(), enrolled.embedding);
        assert_eq!(measures(64, &bytes), Some((9.25, [1.0, -2.5, 30.0, 41.0])));
        let older = enrolled.embedding.to_le_bytes();
        assert_eq!(
            (super::embedding(64, &older).unwrap(), measures(64, &older)),
            (enrolled.embedding, None)
        );
        for wrong in [&bytes[..bytes.len() - 1], &bytes[..200], &[]] {
            assert!(super::embedding(64, wrong).is_err(), "{} bytes", wrong.len());
        }
        assert!(super::embedding(128, &bytes).is_err(), "of another dimension");
    }
}
