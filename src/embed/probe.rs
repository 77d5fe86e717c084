//! Probes: all faces of one to choose from, and the embedding and quality sheet of the one that is
//! chosen.
//!
//! Everything here is of the probe as searched, the original with its edits. Nothing is kept
//! between two verbs: the original and the edits say all, and what comes out is the same each time.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{RgbImage, imageops};

use super::decode::decode_probe;
use super::detect::{UnusableFace, unusable};
use super::edit::{Edited, apply};
use super::error::EmbedError;
use super::examine::{FaceChoice, Models, Timings, timed};
use super::format::Format;
use super::quality::{self, QualitySheet};
use crate::face::{Edits, Embedding, Face};
use crate::ids::Digest;
use crate::limits::{FACE_PICTURE_SIDE_PX_MAX, PICTURE_SIDE_PX_MAX};

/// Of 100: what a compressed picture keeps.
const JPEG_QUALITY: u8 = 92;
/// How much a picture of a face shows around its frame, as a share of the frame's longer side.
const MARGIN: f32 = 0.35;

/// The faces of a probe, before one is chosen.
#[derive(Clone, Debug)]
pub struct ProbeFaces {
    /// The format of the original file.
    pub format: Format,
    /// Width and height of the upright original in pixels.
    pub original_px: [u32; 2],
    /// Width and height of the probe as searched, with its edits.
    pub searched_px: [u32; 2],
    /// Names of the upright original and of the image after each edit: SHA-256 over size and
    /// pixels.
    pub digests: Vec<Digest>,
    /// All faces of the probe as searched, best first; a choice is an index into them.
    pub faces: Vec<ProbeFace>,
}

/// A face of a probe.
#[derive(Clone, Debug)]
pub struct ProbeFace {
    /// Where it is in the probe as searched.
    pub face: Face,
    /// Why it can't be chosen, if so.
    pub unusable: Option<UnusableFace>,
}

/// The chosen face of a probe, with its embedding and quality sheet.
#[derive(Clone, Debug)]
pub struct ChosenFace {
    /// The probe and all its faces.
    pub look: ProbeFaces,
    /// Index of the face that the embedding is of.
    pub chosen: usize,
    pub embedding: Embedding,
    /// How well the face serves; among its readings is the length of the embedder's output before
    /// normalisation.
    pub quality: QualitySheet,
    /// What took how long; edits and their digests count as decoding.
    pub timings: Timings,
}

/// A preview: the pictures that a face is chosen by, all of the same probe as searched.
#[derive(Debug)]
pub struct Preview {
    /// The probe and all its faces.
    pub look: ProbeFaces,
    /// The probe as searched.
    pub whole: EncodedPicture,
    /// Each face in the order of `ProbeFaces::faces`, with some of what is around it.
    pub faces: Vec<EncodedPicture>,
}

/// The encoding of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Small; compression changes pixels slightly.
    Jpeg,
    /// Exact.
    Png,
}

/// A picture to be looked at, as a file without the original's metadata.
pub struct EncodedPicture {
    pub bytes: Vec<u8>,
    pub width: u32,
    pub height: u32,
}

impl ProbeFaces {
    /// The name of the probe as searched.
    pub fn searched_sha256(&self) -> Digest {
        *self.digests.last().expect("the original has a name before any edit")
    }
}

impl std::fmt::Debug for EncodedPicture {
    /// Names the size only: a face doesn't belong into a journal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({}x{} px)", self.width, self.height)
    }
}

impl Models {
    /// Finds all faces of a probe as searched, on this thread; a panic goes through.
    ///
    /// Errors: as `Pool::find_faces`, but for those of the pool itself.
    pub fn find_faces(&self, original: &[u8], edits: &Edits) -> Result<ProbeFaces, EmbedError> {
        self.faces_as_searched(original, edits, &mut Timings::default()).map(|(look, _)| look)
    }

    /// Makes embedding and quality sheet of the chosen face of a probe, on this thread; a panic
    /// goes through.
    ///
    /// Errors: as `Pool::probe`, but for those of the pool itself.
    pub fn probe(
        &self,
        original: &[u8],
        edits: &Edits,
        choice: FaceChoice,
    ) -> Result<ChosenFace, EmbedError> {
        let mut timings = Timings::default();
        let (look, rgb) = self.faces_as_searched(original, edits, &mut timings)?;
        let faces: Vec<Face> = look.faces.iter().map(|found| found.face).collect();
        let embedded = self.embed(&rgb, &faces, choice, &mut timings)?;
        let quality = quality::measure(
            &faces,
            embedded.chosen,
            &embedded.crop,
            self.side(),
            embedded.length,
            self.quality_bounds(),
        );
        Ok(ChosenFace {
            look,
            chosen: embedded.chosen,
            embedding: embedded.embedding,
            quality,
            timings,
        })
    }

    /// Finds all faces of a probe as searched and pictures it and each of them, on this thread; a
    /// panic goes through.
    ///
    /// Errors: as `Pool::preview`, but for those of the pool itself.
    pub fn preview(&self, original: &[u8], edits: &Edits) -> Result<Preview, EmbedError> {
        let (look, rgb) = self.faces_as_searched(original, edits, &mut Timings::default())?;
        let face = |found: &ProbeFace| {
            encoded(around(&rgb, found.face.frame), FACE_PICTURE_SIDE_PX_MAX, Encoding::Jpeg)
        };
        let faces = look.faces.iter().map(face).collect::<Result<_, _>>()?;
        Ok(Preview { look, whole: encoded(rgb, PICTURE_SIDE_PX_MAX, Encoding::Jpeg)?, faces })
    }

    fn faces_as_searched(
        &self,
        original: &[u8],
        edits: &Edits,
        timings: &mut Timings,
    ) -> Result<(ProbeFaces, RgbImage), EmbedError> {
        let (format, original_px, Edited { rgb, digests }) =
            timed(&mut timings.decode_ms, || as_searched(original, edits))?;
        let faces = timed(&mut timings.detect_ms, || self.detect(&rgb))?;
        let faces =
            faces.into_iter().map(|face| ProbeFace { face, unusable: unusable(&face) }).collect();
        Ok((
            ProbeFaces {
                format,
                original_px,
                searched_px: rgb.dimensions().into(),
                digests,
                faces,
            },
            rgb,
        ))
    }
}

/// Replays edits: the names of the upright original and of the image after each edit; the last one
/// is the probe as searched.
///
/// Errors: as `decode`, for files of up to `PROBE_BYTES_MAX`; a crop that reaches beyond the
/// original, a turned image beyond the limits.
pub fn replay(original: &[u8], edits: &Edits) -> Result<Vec<Digest>, EmbedError> {
    as_searched(original, edits).map(|(.., edited)| edited.digests)
}

/// A picture of the probe as searched, scaled down to at most `side_px_max` (and
/// `PICTURE_SIDE_PX_MAX`) along its longer side, never up.
///
/// Errors: as `replay`.
pub(super) fn picture(
    original: &[u8],
    edits: &Edits,
    side_px_max: u32,
    encoding: Encoding,
) -> Result<EncodedPicture, EmbedError> {
    let (.., Edited { rgb, .. }) = as_searched(original, edits)?;
    encoded(rgb, side_px_max, encoding)
}

fn encoded(
    shown: RgbImage,
    side_px_max: u32,
    encoding: Encoding,
) -> Result<EncodedPicture, EmbedError> {
    let longer = shown.width().max(shown.height());
    let most = side_px_max.clamp(1, PICTURE_SIDE_PX_MAX);
    let shown = if longer > most {
        let scaled = |side: u32| {
            u32::try_from(u64::from(side) * u64::from(most) / u64::from(longer))
                .unwrap_or(most)
                .max(1)
        };
        imageops::thumbnail(&shown, scaled(shown.width()), scaled(shown.height()))
    } else {
        shown
    };
    let mut bytes = Vec::new();
    match encoding {
        Encoding::Jpeg => {
            JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY).encode_image(&shown)
        }
        Encoding::Png => shown.write_with_encoder(PngEncoder::new(Cursor::new(&mut bytes))),
    }
    .map_err(|e| EmbedError::Picture { source: Box::new(e) })?;
    Ok(EncodedPicture { bytes, width: shown.width(), height: shown.height() })
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
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, and is held within the image"
    )]
    let range = |middle: f32, side: u32| {
        let from = ((middle - half) as u32).min(side - 1);
        (from, ((middle + half) as u32).clamp(from + 1, side))
    };
    let (left, right) = range(x + width / 2.0, rgb.width());
    let (top, bottom) = range(y + height / 2.0, rgb.height());
    imageops::crop_imm(rgb, left, top, right - left, bottom - top).to_image()
}

#[cfg(test)]
mod tests {
    use super::super::decode::decode;
    use super::super::edit::digest_of;
    use super::super::examine::tests::{MODELS, PORTRAIT};
    use super::super::quality::{QualityMeasure, QualityVerdict};
    use super::*;
    use crate::face::Edit;
    use crate::limits::PHOTO_BYTES_MAX;

    fn edits(list: &[Edit]) -> Edits {
        Edits::new(list.to_vec()).unwrap()
    }

    fn none() -> Edits {
        Edits::default()
    }

    fn portrait() -> RgbImage {
        decode(PORTRAIT).unwrap().rgb
    }

    fn png(photo: &RgbImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        photo.write_with_encoder(PngEncoder::new(Cursor::new(&mut bytes))).unwrap();
        bytes
    }

    /// The portrait, and beside it a small copy whose eyes are too close together.
    fn one_large_one_tiny() -> RgbImage {
        let (photo, tiny) = (portrait(), imageops::thumbnail(&portrait(), 72, 72));
        let mut both = RgbImage::new(600, 512);
        imageops::replace(&mut both, &photo, 0, 0);
        imageops::replace(&mut both, &tiny, 520, 100);
        both
    }

    #[test]
    fn all_faces_are_shown_and_why_one_cannot_be_chosen() {
        let look = MODELS.find_faces(&png(&one_large_one_tiny()), &none()).unwrap();
        assert_eq!(
            (look.original_px, look.searched_px, look.faces.len()),
            ([600, 512], [600, 512], 2)
        );
        let reasons: Vec<Option<String>> =
            look.faces.iter().map(|found| found.unusable.map(|u| u.to_string())).collect();
        assert_eq!(reasons[0], None);
        assert!(
            reasons[1].as_ref().unwrap().contains("px apart, at least 10 are needed"),
            "{reasons:?}"
        );
        assert!(matches!(
            MODELS.probe(&png(&one_large_one_tiny()), &none(), FaceChoice::Face(Some(1))),
            Err(EmbedError::FaceTooSmall { .. })
        ));
        let empty = MODELS
            .find_faces(&png(&RgbImage::from_pixel(200, 200, image::Rgb([90, 120, 90]))), &none())
            .unwrap();
        assert!(empty.faces.is_empty(), "no face is no error while one looks");
    }

    #[test]
    fn a_probe_without_edits_is_searched_as_a_booking_photo_would_be_enrolled() {
        let probe = MODELS.probe(PORTRAIT, &none(), FaceChoice::Face(None)).unwrap();
        let portrait = MODELS.examine(PORTRAIT, FaceChoice::Only).unwrap();
        assert_eq!((&probe.embedding, probe.chosen), (&portrait.embedding, portrait.chosen));
        assert_eq!(probe.look.digests, [digest_of(&self::portrait())]);
        assert_eq!(probe.look.searched_sha256(), replay(PORTRAIT, &none()).unwrap()[0]);
        let length = probe.quality.reading(QualityMeasure::EmbeddingLength).unwrap().value;
        assert!((length - portrait.length).abs() < 1e-3, "{length} {}", portrait.length);
    }

    #[test]
    fn what_is_searched_is_the_edited_image_and_nothing_else() {
        let list = edits(&[
            Edit::Crop { x: 90, y: 4, width: 300, height: 280 },
            Edit::Rotate { tenths: 75 },
            Edit::Exposure { tenths: -6 },
            Edit::Contrast { hundredths: 20 },
        ]);
        let probe = MODELS.probe(PORTRAIT, &list, FaceChoice::Face(None)).unwrap();
        let edited = apply(portrait(), &list).unwrap();
        let alone = MODELS.examine(&png(&edited.rgb), FaceChoice::Only).unwrap();
        assert_eq!(probe.embedding, alone.embedding);
        assert_eq!(
            (probe.look.original_px, probe.look.searched_px),
            ([512, 512], edited.rgb.dimensions().into())
        );
        assert_eq!(
            (&probe.look.digests, probe.look.searched_sha256()),
            (&edited.digests, digest_of(&edited.rgb))
        );
        assert_eq!(replay(PORTRAIT, &list).unwrap(), edited.digests);
        let plain = MODELS.probe(PORTRAIT, &none(), FaceChoice::Face(None)).unwrap();
        assert_ne!(probe.look.searched_sha256(), plain.look.searched_sha256());
        assert!(
            probe.embedding.score(&plain.embedding) > 0.8,
            "{}",
            probe.embedding.score(&plain.embedding)
        );
        let brightness =
            |p: &ChosenFace| p.quality.reading(QualityMeasure::LuminanceMean).unwrap().value;
        assert!(brightness(&probe) < brightness(&plain), "measures are of the probe as searched");
    }

    #[test]
    fn a_photo_on_its_side_is_put_upright_by_an_edit() {
        let upright = MODELS.probe(&png(&portrait()), &none(), FaceChoice::Face(None)).unwrap();
        let lying = png(&imageops::rotate270(&portrait()));
        let turned = MODELS
            .probe(&lying, &edits(&[Edit::Rotate { tenths: 900 }]), FaceChoice::Face(None))
            .unwrap();
        assert_eq!(turned.look.searched_sha256(), upright.look.searched_sha256());
        assert_eq!(turned.embedding, upright.embedding);
        assert_ne!(turned.look.digests[0], upright.look.digests[0]);
    }

    #[test]
    fn an_edit_that_does_not_fit_the_photo_is_refused_by_every_verb() {
        let beyond = edits(&[Edit::Crop { x: 400, y: 0, width: 200, height: 200 }]);
        assert!(matches!(
            MODELS.find_faces(PORTRAIT, &beyond),
            Err(EmbedError::CropOutside { photo: [512, 512], .. })
        ));
        assert!(matches!(
            MODELS.probe(PORTRAIT, &beyond, FaceChoice::Face(None)),
            Err(EmbedError::CropOutside { .. })
        ));
        assert!(matches!(
            picture(PORTRAIT, &beyond, 100, Encoding::Jpeg),
            Err(EmbedError::CropOutside { .. })
        ));
        assert!(matches!(replay(PORTRAIT, &beyond), Err(EmbedError::CropOutside { .. })));
    }

    #[test]
    fn a_preview_shows_the_faces_that_are_seen_with_its_edits_and_in_their_order() {
        let lying = png(&imageops::rotate270(&one_large_one_tiny()));
        let upright = MODELS.preview(&lying, &edits(&[Edit::Rotate { tenths: 900 }])).unwrap();
        assert_eq!((upright.whole.width, upright.whole.height, upright.faces.len()), (600, 512, 2));
        assert_eq!(upright.look.faces.len(), 2);
        for (face, found) in upright.faces.iter().zip(&upright.look.faces) {
            let wanted = around(&one_large_one_tiny(), found.face.frame);
            let shown = image::load_from_memory(&face.bytes).unwrap().to_rgb8();
            assert_eq!(shown.dimensions(), wanted.dimensions());
            let apart: u64 =
                shown.iter().zip(wanted.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            assert!(apart / (shown.len() as u64) < 6, "a JPEG of the same pixels: {apart}");
        }
        let tiny = MODELS.preview(
            &lying,
            &edits(&[
                Edit::Crop { x: 90, y: 0, width: 100, height: 90 },
                Edit::Rotate { tenths: 900 },
            ]),
        );
        let tiny = tiny.unwrap();
        assert_eq!(
            (tiny.look.faces.len(), tiny.faces.len()),
            (1, 1),
            "what was the second face is the only one of the crop"
        );
    }

    #[test]
    fn a_picture_is_upright_small_enough_never_enlarged_and_bare_of_metadata() {
        let tiff = [b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".as_slice()]
            .concat();
        let length = u16::try_from(tiff.len() + 8).unwrap().to_be_bytes();
        let wide = imageops::crop_imm(&portrait(), 0, 0, 512, 256).to_image();
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, 90).encode_image(&wide).unwrap();
        let oriented =
            [&jpeg[..2], &[0xff, 0xe1], &length, b"Exif\0\0", &tiff, &jpeg[2..]].concat();
        for encoding in [Encoding::Jpeg, Encoding::Png] {
            let small = picture(&oriented, &none(), 100, encoding).unwrap();
            assert_eq!(
                (small.width, small.height),
                (50, 100),
                "turned by its orientation, then made smaller"
            );
            assert!(!small.bytes.windows(4).any(|w| w == b"Exif"));
            assert_eq!(decode(&small.bytes).unwrap().rgb.dimensions(), (50, 100));
            let own = picture(&oriented, &none(), u32::MAX, encoding).unwrap();
            assert_eq!((own.width, own.height), (256, 512));
        }
        let exact = picture(&png(&wide), &none(), 512, Encoding::Png).unwrap();
        assert_eq!(decode(&exact.bytes).unwrap().rgb, wide);
        let long =
            picture(&png(&RgbImage::new(5_000, 40)), &none(), u32::MAX, Encoding::Png).unwrap();
        assert_eq!(long.width, PICTURE_SIDE_PX_MAX);
    }

    #[test]
    fn a_picture_of_a_face_shows_it_with_some_of_what_is_around_it() {
        let face = MODELS.find_faces(PORTRAIT, &none()).unwrap().faces[0].face;
        let shown = around(&portrait(), face.frame);
        let longer = face.frame[2].max(face.frame[3]);
        assert!(
            (f64::from(shown.width()) - f64::from(longer) * 1.7).abs() < 2.0 && shown.width() < 512,
            "{} {longer}",
            shown.width()
        );
        let found = MODELS.find_faces(&png(&shown), &none()).unwrap();
        assert_eq!(found.faces.len(), 1);
        for odd in [
            [-50.0, -50.0, 100.0, 100.0],
            [500.0, 500.0, 900.0, 9.0],
            [f32::NAN; 4],
            [1e9, 1e9, 1.0, 1.0],
        ] {
            let shown = around(&portrait(), odd);
            assert!(shown.width() > 0 && shown.height() > 0, "{odd:?}");
        }
        let jp2 = include_bytes!("test_photos/astronaut.jp2");
        assert!(
            picture(jp2, &none(), 640, Encoding::Jpeg).unwrap().bytes.starts_with(&[0xff, 0xd8]),
            "browsers show no JPEG 2000"
        );
    }

    #[test]
    fn the_manifest_rates_every_measure_and_blocks_a_probe_of_too_little_length() {
        let sheet = |photo: &RgbImage| {
            MODELS.probe(&png(photo), &none(), FaceChoice::Face(None)).unwrap().quality
        };
        let good = sheet(&portrait());
        assert_eq!(
            good.0.iter().filter(|reading| reading.verdict == QualityVerdict::Unrated).count(),
            0
        );
        assert!(!good.needs_a_reason(), "{good:?}");
        let soft = sheet(&imageops::blur(&portrait(), 9.0));
        let length = soft.reading(QualityMeasure::EmbeddingLength).unwrap();
        assert!(soft.needs_a_reason() && length.verdict == QualityVerdict::Poor, "{length:?}");
        assert!(length.advice().is_some_and(|advice| advice.contains("another image")));
        let mut dark = portrait();
        dark.iter_mut().for_each(|value| *value /= 10);
        let dark = sheet(&dark);
        assert_eq!(
            dark.reading(QualityMeasure::UnderExposure).unwrap().verdict,
            QualityVerdict::Poor
        );
    }

    #[test]
    fn a_probe_file_may_be_longer_than_a_booking_photo_within_its_own_bound() {
        let mut seed = 1u32;
        let noise = RgbImage::from_fn(2_500, 2_500, |_, _| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [_, r, g, b] = seed.to_le_bytes();
            image::Rgb([r, g, b])
        });
        let long = png(&noise);
        assert!(long.len() > PHOTO_BYTES_MAX);
        assert!(matches!(decode(&long), Err(EmbedError::Bytes { .. })));
        assert_eq!(replay(&long, &none()).unwrap(), [digest_of(&noise)]);
        let error = replay(&vec![0; crate::limits::PROBE_BYTES_MAX + 1], &none()).unwrap_err();
        assert!(
            matches!(error, EmbedError::ProbeBytes { .. })
                && error.to_string().contains("most accepted"),
            "{error}"
        );
    }
}
