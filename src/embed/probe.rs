//! A probe's way: all faces shown to choose from, and of the one that is chosen the embedding with its quality sheet.
//!
//! Everything here is of the probe as searched, the original with its edits. Nothing is kept between two verbs: the original and the edits
//! say all, and what comes out is the same each time.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{RgbImage, imageops};

use super::EmbedError;
use super::decode::{Format, decode_probe};
use super::detect::{Unusable, unusable};
use super::digest::Digest;
use super::edit::{Edited, apply};
use super::examine::{Choice, Models, Timings, timed};
use super::quality::{self, QualitySheet};
use crate::face::{Edits, Embedding, Face};
use crate::limits::PICTURE_SIDE_PX_MAX;

/// Of 100: what a compressed picture keeps.
const JPEG_QUALITY: u8 = 92;
/// How much a picture of a face shows around its frame, as a share of the frame's longer side.
const MARGIN: f32 = 0.35;

/// A probe's faces, before one is chosen.
#[derive(Clone, Debug)]
pub struct Look {
    /// The format of the original file.
    pub format: Format,
    /// Width and height of the upright original in pixels.
    pub original_px: [u32; 2],
    /// Width and height of the probe as searched, with its edits.
    pub searched_px: [u32; 2],
    /// Names of the upright original and of the image after each edit: SHA-256 over size and pixels.
    pub digests: Vec<Digest>,
    /// All faces of the probe as searched, best first; a choice is an index into them.
    pub faces: Vec<Found>,
}

/// One face of a probe.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it is in the probe as searched.
    pub face: Face,
    /// Why it can't be chosen, if so.
    pub unusable: Option<Unusable>,
}

/// The chosen face of a probe.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The probe and all its faces.
    pub look: Look,
    /// Index of the face that the embedding is of.
    pub chosen: usize,
    /// The embedding.
    pub embedding: Embedding,
    /// How well the face serves; among its readings is the length of the embedder's output before normalisation.
    pub quality: QualitySheet,
    /// What took how long; edits and their digests count as decoding.
    pub timings: Timings,
}

/// Which part of the probe as searched a picture shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    /// All of it.
    Whole,
    /// A face, by its frame, with some of what is around it.
    Face([f32; 4]),
}

/// How a picture is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Small; compression changes pixels slightly.
    Jpeg,
    /// Exact.
    Png,
}

/// A picture to be looked at, without the original's metadata.
pub struct Picture {
    /// The file.
    pub bytes: Vec<u8>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Look {
    /// The name of the probe as searched.
    pub fn searched_sha256(&self) -> Digest {
        *self.digests.last().expect("the original has a name before any edit")
    }
}

impl std::fmt::Debug for Picture {
    /// Names the size only: a face doesn't belong into a journal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}x{} px)", self.width, self.height)
    }
}

impl Models {
    /// Finds all faces of a probe as searched, on this thread; a panic goes through.
    ///
    /// Errors: as `Pool::look`, but for those of the pool itself.
    pub fn look(&self, original: &[u8], edits: &Edits) -> Result<Look, EmbedError> {
        self.look_at(original, edits, &mut Timings::default()).map(|(look, _)| look)
    }

    /// Makes embedding and quality sheet of the chosen face of a probe, on this thread; a panic goes through.
    ///
    /// Errors: as `Pool::probe`, but for those of the pool itself.
    pub fn probe(&self, original: &[u8], edits: &Edits, choice: Choice) -> Result<Probe, EmbedError> {
        let mut timings = Timings::default();
        let (look, rgb) = self.look_at(original, edits, &mut timings)?;
        let faces: Vec<Face> = look.faces.iter().map(|found| found.face).collect();
        let embedded = self.embed(&rgb, &faces, choice, &mut timings)?;
        let quality = quality::measure(&faces, embedded.chosen, &embedded.crop, self.side(), embedded.length, self.quality_bounds());
        Ok(Probe { look, chosen: embedded.chosen, embedding: embedded.embedding, quality, timings })
    }

    fn look_at(&self, original: &[u8], edits: &Edits, timings: &mut Timings) -> Result<(Look, RgbImage), EmbedError> {
        let (format, original_px, Edited { rgb, digests }) = timed(&mut timings.decode_ms, || as_searched(original, edits))?;
        let faces = timed(&mut timings.detect_ms, || self.detect(&rgb))?;
        let faces = faces.into_iter().map(|face| Found { face, unusable: unusable(&face) }).collect();
        Ok((Look { format, original_px, searched_px: rgb.dimensions().into(), digests, faces }, rgb))
    }
}

/// Replays edits: the names of the upright original and of the image after each edit; the last one is the probe as searched.
///
/// Errors: as `decode`, for files of up to `PROBE_BYTES_MAX`; a crop that reaches beyond the original, a turned image beyond the limits.
pub fn replay(original: &[u8], edits: &Edits) -> Result<Vec<Digest>, EmbedError> {
    as_searched(original, edits).map(|(.., edited)| edited.digests)
}

/// A picture of the probe as searched, scaled down to at most `side_px_max` (and `PICTURE_SIDE_PX_MAX`) along its longer side, never up.
///
/// Errors: as `replay`.
pub(super) fn picture(original: &[u8], edits: &Edits, part: Part, side_px_max: u32, encoding: Encoding) -> Result<Picture, EmbedError> {
    let (.., Edited { rgb, .. }) = as_searched(original, edits)?;
    let shown = match part {
        Part::Whole => rgb,
        Part::Face(frame) => around(&rgb, frame),
    };
    let longer = shown.width().max(shown.height());
    let most = side_px_max.clamp(1, PICTURE_SIDE_PX_MAX);
    let shown = if longer > most {
        let scaled = |side: u32| u32::try_from(u64::from(side) * u64::from(most) / u64::from(longer)).unwrap_or(most).max(1);
        imageops::thumbnail(&shown, scaled(shown.width()), scaled(shown.height()))
    } else {
        shown
    };
    let mut bytes = Vec::new();
    match encoding {
        Encoding::Jpeg => JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).encode_image(&shown),
        Encoding::Png => shown.write_with_encoder(PngEncoder::new(Cursor::new(&mut bytes))),
    }
    .map_err(|e| EmbedError::Picture { source: Box::new(e) })?;
    Ok(Picture { bytes, width: shown.width(), height: shown.height() })
}

fn as_searched(original: &[u8], edits: &Edits) -> Result<(Format, [u32; 2], Edited), EmbedError> {
    let photo = decode_probe(original)?;
    let original_px = photo.rgb.dimensions().into();
    Ok((photo.format, original_px, apply(photo.rgb, edits)?))
}

/// The square around a frame, as far as the image goes.
fn around(rgb: &RgbImage, [x, y, width, height]: [f32; 4]) -> RgbImage {
    let half = width.max(height) * (0.5 + MARGIN);
    // Numbers that are none, or far outside, become 0 or the side.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates, and is held within the image")]
    let range = |middle: f32, side: u32| {
        let from = ((middle - half) as u32).min(side - 1);
        (from, ((middle + half) as u32).clamp(from + 1, side))
    };
    let (left, right) = range(x + width / 2.0, rgb.width());
    let (top, bottom) = range(y + height / 2.0, rgb.height());
    imageops::crop_imm(rgb, left, top, right - left, bottom - top).to_image()
}
