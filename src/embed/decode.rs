//! Decoding: photo bytes to upright RGB of 8 bits.
//!
//! The format is told by the first bytes, never by a name. Size, components and the memory that
//! decoding needs are read from the header by the few lines here and held against `limits` before a
//! decoder sees the bytes; decoders get the same limits again. Grey becomes RGB, 16 bits become 8,
//! a palette is resolved, transparency is laid over white, and EXIF orientation is applied.

use std::io::Cursor;

use image::codecs::jpeg::JpegDecoder;
use image::codecs::png::PngDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageResult, Limits, RgbImage, RgbaImage};

use super::error::EmbedError;
use super::format::Format;
use super::jpeg2000;
use super::photo_bounds::{check_memory, check_size};
use crate::limits::{DECODE_BYTES_MAX, PHOTO_BYTES_MAX, PHOTO_SIDE_PX_MAX, PROBE_BYTES_MAX};

const PNG_MAGIC: &[u8] = b"\x89PNG\r\n\x1a\n";
const JPEG_MAGIC: &[u8] = &[0xff, 0xd8, 0xff];

/// A decoded photo.
pub struct Photo {
    /// The format that it had.
    pub format: Format,
    /// Its pixels, upright.
    pub rgb: RgbImage,
}

impl std::fmt::Debug for Photo {
    /// Names format and size only: a face doesn't belong into a journal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Photo({}, {}x{} px)", self.format, self.rgb.width(), self.rgb.height())
    }
}

/// Decodes a photo.
///
/// Errors: what isn't a photo, one beyond the limits, one that is cut off, damaged or of a kind
/// that isn't read.
pub fn decode(bytes: &[u8]) -> Result<Photo, EmbedError> {
    if bytes.len() > PHOTO_BYTES_MAX {
        return Err(EmbedError::Bytes { found: bytes.len() });
    }
    decode_any(bytes)
}

/// Decodes a probe, whose file may be longer than a booking photo's; size and memory are held
/// against the same limits.
///
/// Errors: as `decode`.
pub(super) fn decode_probe(bytes: &[u8]) -> Result<Photo, EmbedError> {
    if bytes.len() > PROBE_BYTES_MAX {
        return Err(EmbedError::ProbeBytes { found: bytes.len() });
    }
    decode_any(bytes)
}

fn decode_any(bytes: &[u8]) -> Result<Photo, EmbedError> {
    let (format, rgb) = if bytes.starts_with(JPEG_MAGIC) {
        (Format::Jpeg, jpeg(bytes)?)
    } else if bytes.starts_with(PNG_MAGIC) {
        (Format::Png, png(bytes)?)
    } else if jpeg2000::is(bytes) {
        (Format::Jpeg2000, flattened(jpeg2000::decode(bytes)?))
    } else {
        return Err(EmbedError::NotAPhoto { found: first_bytes(bytes) });
    };
    Ok(Photo { format, rgb })
}

/// The image in RGB of 8 bits, what is transparent laid over white.
fn flattened(decoded: DynamicImage) -> RgbImage {
    if decoded.color().has_alpha() {
        over_white(&decoded.into_rgba8())
    } else {
        decoded.into_rgb8()
    }
}

fn over_white(rgba: &RgbaImage) -> RgbImage {
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (to, from) in rgb.pixels_mut().zip(rgba.pixels()) {
        let [r, g, b, alpha] = from.0.map(u32::from);
        let laid =
            |c: u32| u8::try_from((c * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(u8::MAX);
        to.0 = [laid(r), laid(g), laid(b)];
    }
    rgb
}

fn png(bytes: &[u8]) -> Result<RgbImage, EmbedError> {
    // The header chunk is always the first: length, name, width, height.
    let at = |from: usize| {
        bytes.get(from..from + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes)
    };
    let truncated = || EmbedError::Truncated { format: Format::Png, found: bytes.len() };
    if bytes.get(12..16).ok_or_else(truncated)? != b"IHDR" {
        return Err(EmbedError::Damaged {
            format: Format::Png,
            source: "the first chunk is not IHDR".into(),
        });
    }
    let (width, height) = (at(16).ok_or_else(truncated)?, at(20).ok_or_else(truncated)?);
    check_size(width, height)?;
    let fail = |e| image_error(Format::Png, bytes.len(), e);
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits()).map_err(fail)?;
    // The decoded pixels, and their copies at 8 bits with and without transparency.
    let pixel = u64::from(decoder.color_type().bytes_per_pixel());
    check_memory(Format::Png, width, height, if pixel == 3 { 3 + 3 } else { pixel + 4 + 3 })?;
    upright(decoder).map_err(fail)
}

fn jpeg(bytes: &[u8]) -> Result<RgbImage, EmbedError> {
    let header = JpegHeader::read(bytes)?;
    check_size(header.width, header.height)?;
    if !matches!(header.components, 1 | 3) {
        return Err(EmbedError::Unsupported {
            format: Format::Jpeg,
            found: format!("{} components", header.components),
            wanted: "1 (grey) or 3 (colour); CMYK has no one meaning in RGB".to_owned(),
        });
    }
    // RGB and its turned copy; a progressive one keeps 16-bit coefficients of every component until
    // its end.
    check_memory(
        Format::Jpeg,
        header.width,
        header.height,
        if header.progressive { 9 } else { 6 },
    )?;
    let fail = |e| image_error(Format::Jpeg, bytes.len(), e);
    let mut decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(fail)?;
    decoder.set_limits(limits()).map_err(fail)?;
    upright(decoder).map_err(fail)
}

fn upright(mut decoder: impl ImageDecoder) -> ImageResult<RgbImage> {
    // An orientation that can't be read turns nothing: the photo itself may still be good.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let decoded = DynamicImage::from_decoder(decoder)?;
    let mut turned = DynamicImage::ImageRgb8(flattened(decoded));
    turned.apply_orientation(orientation);
    Ok(turned.into_rgb8())
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(PHOTO_SIDE_PX_MAX);
    limits.max_image_height = Some(PHOTO_SIDE_PX_MAX);
    limits.max_alloc = Some(DECODE_BYTES_MAX);
    limits
}

fn image_error(format: Format, bytes: usize, error: image::ImageError) -> EmbedError {
    let ended = |e: &std::io::Error| e.kind() == std::io::ErrorKind::UnexpectedEof;
    match error {
        image::ImageError::IoError(e) if ended(&e) => {
            EmbedError::Truncated { format, found: bytes }
        }
        error => {
            let mut cause = std::error::Error::source(&error);
            while let Some(e) = cause {
                if e.downcast_ref::<std::io::Error>().is_some_and(ended)
                    || e.to_string().contains("unexpected end of file")
                {
                    return EmbedError::Truncated { format, found: bytes };
                }
                cause = e.source();
            }
            EmbedError::Damaged { format, source: Box::new(error) }
        }
    }
}

fn first_bytes(bytes: &[u8]) -> String {
    if bytes.is_empty() { "nothing".to_owned() } else { hex::encode(&bytes[..bytes.len().min(8)]) }
}

/// What a JPEG says of itself, read from its markers.
struct JpegHeader {
    width: u32,
    height: u32,
    components: u8,
    progressive: bool,
}

impl JpegHeader {
    /// Walks all markers to the end of the image: decoders fill what is cut off with grey, and a
    /// booking of half a face must not pass.
    fn read(bytes: &[u8]) -> Result<Self, EmbedError> {
        let truncated = || EmbedError::Truncated { format: Format::Jpeg, found: bytes.len() };
        let damaged =
            |reason: String| EmbedError::Damaged { format: Format::Jpeg, source: reason.into() };
        let byte = |at: usize| bytes.get(at).copied().ok_or_else(truncated);
        let pair = |at: usize| Ok::<_, EmbedError>(u16::from_be_bytes([byte(at)?, byte(at + 1)?]));
        let mut header = None;
        let mut at = 2;
        loop {
            if byte(at)? != 0xff {
                return Err(damaged(format!("byte {at} is {:02x}, wanted a marker", byte(at)?)));
            }
            let marker = byte(at + 1)?;
            at += 2;
            match marker {
                // A fill byte: the marker follows.
                0xff => at -= 1,
                // Markers without a length.
                0x01 | 0xd0..=0xd8 => {}
                0xd9 => {
                    return header
                        .ok_or_else(|| damaged("no frame header before the end".to_owned()));
                }
                // A frame header; the three left out of the range are tables and conditions.
                0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) => {
                    if header.is_some() {
                        return Err(damaged("a second frame header".to_owned()));
                    }
                    header = Some(Self {
                        height: u32::from(pair(at + 3)?),
                        width: u32::from(pair(at + 5)?),
                        components: byte(at + 7)?,
                        progressive: !matches!(marker, 0xc0 | 0xc1),
                    });
                    at += usize::from(pair(at)?);
                }
                0xda => {
                    at += usize::from(pair(at)?);
                    // Coded data end where a marker other than a restart begins.
                    while byte(at)? != 0xff || matches!(byte(at + 1)?, 0x00 | 0xd0..=0xd7) {
                        at += 1;
                    }
                }
                _ => at += usize::from(pair(at)?),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ExtendedColorType, ImageEncoder, Luma, Rgb};

    const PORTRAIT: &[u8] = include_bytes!("test_photos/astronaut.jpg");

    /// Red above, green at the left of the lower half, blue at its right: every turn and mirror
    /// looks different.
    fn flag() -> RgbImage {
        RgbImage::from_fn(64, 48, |x, y| match (x < 32, y < 24) {
            (_, true) => Rgb([250, 0, 0]),
            (true, false) => Rgb([0, 250, 0]),
            (false, false) => Rgb([0, 0, 250]),
        })
    }

    fn png_of(pixels: &[u8], width: u32, height: u32, colour: ExtendedColorType) -> Vec<u8> {
        let mut bytes = Vec::new();
        image::codecs::png::PngEncoder::new(&mut bytes)
            .write_image(pixels, width, height, colour)
            .unwrap();
        bytes
    }

    fn jpeg_of(photo: &RgbImage) -> Vec<u8> {
        let mut bytes = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95)
            .encode_image(photo)
            .unwrap();
        bytes
    }

    /// The JPEG with an EXIF segment that says this orientation.
    fn oriented(jpeg: &[u8], orientation: u8) -> Vec<u8> {
        let tiff = [
            b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0",
            &[orientation][..],
            b"\0\0\0\0\0\0",
        ]
        .concat();
        let length = u16::try_from(tiff.len() + 8).unwrap().to_be_bytes();
        [&jpeg[..2], &[0xff, 0xe1], &length, b"Exif\0\0", &tiff, &jpeg[2..]].concat()
    }

    fn near(found: Rgb<u8>, wanted: [u8; 3]) -> bool {
        found.0.iter().zip(wanted).all(|(&f, w)| f.abs_diff(w) < 30)
    }

    #[test]
    fn every_orientation_is_brought_upright() {
        let upright = DynamicImage::ImageRgb8(flag());
        // What a camera that was held so stores: the inverse of what the number asks for.
        for (number, stored) in [
            (1, upright.clone()),
            (2, upright.fliph()),
            (3, upright.rotate180()),
            (4, upright.flipv()),
            (5, upright.rotate90().fliph()),
            (6, upright.rotate270()),
            (7, upright.rotate270().fliph()),
            (8, upright.rotate90()),
        ] {
            let photo = decode(&oriented(&jpeg_of(&stored.into_rgb8()), number)).unwrap();
            assert_eq!(photo.rgb.dimensions(), (64, 48), "{number}");
            for ((x, y), wanted) in
                [((32, 8), [250, 0, 0]), ((10, 40), [0, 250, 0]), ((54, 40), [0, 0, 250])]
            {
                assert!(
                    near(*photo.rgb.get_pixel(x, y), wanted),
                    "{number}: {:?} at {x},{y}",
                    photo.rgb.get_pixel(x, y)
                );
            }
        }
        assert_eq!(
            decode(&oriented(&jpeg_of(&flag()), 99)).unwrap().rgb.dimensions(),
            (64, 48),
            "a nonsense number turns nothing"
        );
    }

    #[test]
    fn grey_deep_transparent_and_palette_photos_become_rgb() {
        let grey = image::GrayImage::from_pixel(40, 40, Luma([77]));
        assert_eq!(
            decode(&png_of(&grey, 40, 40, ExtendedColorType::L8)).unwrap().rgb.get_pixel(5, 5).0,
            [77; 3]
        );
        let mut bytes = Vec::new();
        image::codecs::jpeg::JpegEncoder::new(&mut bytes).encode_image(&grey).unwrap();
        assert!(near(*decode(&bytes).unwrap().rgb.get_pixel(5, 5), [77; 3]));
        let deep: Vec<u8> = [0x1234u16, 0x8000, 0xffff]
            .iter()
            .flat_map(|v| v.to_ne_bytes())
            .cycle()
            .take(40 * 40 * 6)
            .collect();
        assert!(near(
            *decode(&png_of(&deep, 40, 40, ExtendedColorType::Rgb16)).unwrap().rgb.get_pixel(5, 5),
            [0x12, 0x80, 0xff]
        ));
        let clear: Vec<u8> = [10, 20, 30, 0].into_iter().cycle().take(40 * 40 * 4).collect();
        assert_eq!(
            decode(&png_of(&clear, 40, 40, ExtendedColorType::Rgba8))
                .unwrap()
                .rgb
                .get_pixel(5, 5)
                .0,
            [255; 3]
        );
        let half: Vec<u8> = [100, 128].into_iter().cycle().take(40 * 40 * 2).collect();
        assert_eq!(
            decode(&png_of(&half, 40, 40, ExtendedColorType::La8)).unwrap().rgb.get_pixel(5, 5).0,
            [177; 3]
        );
        let palette = decode(include_bytes!("test_photos/palette.png")).unwrap();
        assert!(
            near(*palette.rgb.get_pixel(5, 5), [250, 0, 0])
                && near(*palette.rgb.get_pixel(60, 40), [0, 0, 250])
        );
    }

    #[test]
    fn the_format_is_told_by_the_bytes() {
        assert_eq!(decode(PORTRAIT).unwrap().format, Format::Jpeg);
        assert_eq!(
            decode(&png_of(&flag(), 64, 48, ExtendedColorType::Rgb8)).unwrap().format,
            Format::Png
        );
        for (not_a_photo, says) in [
            (&b""[..], "nothing"),
            (b"GIF89a..........", "4749463839612e2e"),
            (b"%PDF-1.7", "25504446"),
            (b"\xff\xd8", "ffd8"),
        ] {
            let said = decode(not_a_photo).unwrap_err().to_string();
            assert!(said.contains(says) && said.contains("wanted"), "{said}");
        }
    }

    #[test]
    fn a_file_cut_off_anywhere_is_refused() {
        for whole in [jpeg_of(&flag()), png_of(&flag(), 64, 48, ExtendedColorType::Rgb8)] {
            for length in (8..whole.len() - 1).step_by(7).chain([whole.len() - 2]) {
                let error = match decode(&whole[..length]) {
                    Err(error) => error,
                    // The last chunk of a PNG says nothing but that it is the last.
                    Ok(photo) => {
                        assert!(
                            photo.format == Format::Png && length > whole.len() - 12,
                            "{length} of {}",
                            whole.len()
                        );
                        continue;
                    }
                };
                assert!(
                    matches!(error, EmbedError::Truncated { .. } | EmbedError::Damaged { .. }),
                    "{length}: {error}"
                );
            }
        }
    }

    /// A PNG of one colour whose header claims this size; its data end at once.
    fn claiming(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = png_of(&flag(), 64, 48, ExtendedColorType::Rgb8);
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        bytes
    }

    #[test]
    fn a_size_beyond_the_limits_is_refused_by_its_header_alone() {
        for (width, height) in [(60_000, 60_000), (16_385, 40), (40, 16_385), (16_000, 16_000)] {
            assert!(
                matches!(decode(&claiming(width, height)), Err(EmbedError::TooLarge { .. })),
                "{width}x{height}"
            );
        }
        for (width, height) in [(31, 400), (400, 31), (0, 0)] {
            assert!(
                matches!(decode(&claiming(width, height)), Err(EmbedError::TooSmall { .. })),
                "{width}x{height}"
            );
        }
        let mut jpeg = jpeg_of(&flag());
        let frame = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
        jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
        assert!(matches!(
            decode(&jpeg),
            Err(EmbedError::TooLarge { width: 65_535, height: 65_535 })
        ));
        assert!(matches!(decode(&vec![0xff; PHOTO_BYTES_MAX + 1]), Err(EmbedError::Bytes { .. })));
    }

    #[test]
    fn a_photo_that_would_take_too_much_memory_is_refused() {
        let bomb = png_of(&vec![0; 7_000 * 6_000 * 8], 7_000, 6_000, ExtendedColorType::Rgba16);
        assert!(bomb.len() < 2 << 20, "{} bytes hold 336 MB of pixels", bomb.len());
        assert!(matches!(decode(&bomb), Err(EmbedError::Memory { .. })));
    }

    #[test]
    fn a_photo_in_printing_colours_is_refused_by_name() {
        let mut jpeg = jpeg_of(&flag());
        let frame = jpeg.windows(2).position(|w| w == [0xff, 0xc0]).unwrap();
        jpeg[frame + 9] = 4;
        let said = decode(&jpeg).unwrap_err().to_string();
        assert!(said.contains("4 components") && said.contains("CMYK"), "{said}");
    }

    #[test]
    fn noise_behind_a_good_beginning_never_panics() {
        let mut seed = 1u32;
        for whole in [jpeg_of(&flag()), png_of(&flag(), 64, 48, ExtendedColorType::Rgb8)] {
            for _ in 0..300 {
                let mut wrong = whole.clone();
                for _ in 0..4 {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let at = 8 + (seed >> 8) as usize % (whole.len() - 8);
                    wrong[at] = seed.to_le_bytes()[3];
                }
                let _ = decode(&wrong);
            }
        }
    }
}
