//! JPEG 2000 decoding: a JP2 file or a bare codestream.
//!
//! The decoder is a translation of a C library; what it is told to allocate is bounded here, from
//! the codestream's own header.

use image::{DynamicImage, RgbImage, RgbaImage};
use jpeg2k::{DecodeParameters, Image, ImagePixelData};

use super::error::EmbedError;
use super::format::Format;
use super::photo_bounds::{check_memory, check_size};
use crate::limits::{PHOTO_COMPONENTS_MAX, PHOTO_TILES_MAX};

const JP2_MAGIC: &[u8] = b"\x00\x00\x00\x0cjP  \r\n\x87\n";
/// Start of codestream, then the size segment.
const CODESTREAM_MAGIC: &[u8] = &[0xff, 0x4f, 0xff, 0x51];

/// Whether the bytes begin like a JPEG 2000 photo.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(JP2_MAGIC) || bytes.starts_with(CODESTREAM_MAGIC)
}

/// Decodes a photo for which `is` holds.
pub(super) fn decode(bytes: &[u8]) -> Result<DynamicImage, EmbedError> {
    let header = Header::read(codestream(bytes)?)?;
    check_size(header.width, header.height)?;
    header.check_kind()?;
    // The decoder keeps a 32-bit value for each component, then come the copies at 8 bits with and
    // without transparency.
    check_memory(
        Format::Jpeg2000,
        header.width,
        header.height,
        u64::from(header.components) * 4 + 4 + 3,
    )?;
    let damaged = |e: jpeg2k::error::Error| EmbedError::Damaged {
        format: Format::Jpeg2000,
        source: Box::new(e),
    };
    let image =
        Image::from_bytes_with(bytes, DecodeParameters::new().strict(true)).map_err(damaged)?;
    let components = image.components();
    let uneven =
        components.iter().find(|c| (c.width(), c.height()) != (header.width, header.height));
    if components.is_empty()
        || components.len() > usize::from(PHOTO_COMPONENTS_MAX)
        || uneven.is_some()
    {
        return Err(unsupported(
            format!("{} components, some of another size", components.len()),
            "components of the photo's size",
        ));
    }
    let pixels = image.get_pixels(None).map_err(damaged)?;
    let (width, height) = (pixels.width, pixels.height);
    let rgb =
        |values| whole(RgbImage::from_raw(width, height, values)).map(DynamicImage::ImageRgb8);
    let rgba =
        |values| whole(RgbaImage::from_raw(width, height, values)).map(DynamicImage::ImageRgba8);
    match pixels.data {
        ImagePixelData::L8(v) => rgb(v.into_iter().flat_map(|l| [l; 3]).collect()),
        ImagePixelData::Rgb8(v) => rgb(v),
        ImagePixelData::L16(v) => rgb(v.into_iter().flat_map(|l| [upper_byte(l); 3]).collect()),
        ImagePixelData::Rgb16(v) => rgb(v.into_iter().map(upper_byte).collect()),
        ImagePixelData::La8(v) => {
            rgba(v.as_chunks::<2>().0.iter().flat_map(|&[l, a]| [l, l, l, a]).collect())
        }
        ImagePixelData::Rgba8(v) => rgba(v),
        ImagePixelData::La16(v) => rgba(
            v.as_chunks::<2>().0.iter().flat_map(|&[l, a]| [l, l, l, a].map(upper_byte)).collect(),
        ),
        ImagePixelData::Rgba16(v) => rgba(v.into_iter().map(upper_byte).collect()),
    }
}

/// The codestream inside a JP2 file, or the bytes themselves.
fn codestream(bytes: &[u8]) -> Result<&[u8], EmbedError> {
    if bytes.starts_with(CODESTREAM_MAGIC) {
        return Ok(bytes);
    }
    // A JP2 file is a list of boxes: length with its own 8 bytes, name, content. Length 1 means
    // that 8 bytes of length follow the name, length 0 that the box reaches to the end of the file.
    let truncated = || EmbedError::Truncated { format: Format::Jpeg2000, found: bytes.len() };
    let mut rest = bytes;
    loop {
        let (length, name) =
            (be32(rest, 0).ok_or_else(truncated)?, rest.get(4..8).ok_or_else(truncated)?);
        let (head, length) = match length {
            0 => (8, rest.len() as u64),
            1 => (
                16,
                rest.get(8..16)
                    .and_then(|b| b.try_into().ok())
                    .map(u64::from_be_bytes)
                    .ok_or_else(truncated)?,
            ),
            n => (8, u64::from(n)),
        };
        if length < head {
            return Err(EmbedError::Damaged {
                format: Format::Jpeg2000,
                source: format!("a box of {length} bytes").into(),
            });
        }
        let length =
            usize::try_from(length).ok().filter(|&l| l <= rest.len()).ok_or_else(truncated)?;
        if name == b"jp2c" {
            return rest
                .get(usize::try_from(head).unwrap_or(usize::MAX)..length)
                .ok_or_else(truncated);
        }
        rest = &rest[length..];
    }
}

/// The header of a codestream.
struct Header {
    width: u32,
    height: u32,
    tiles: u64,
    components: u16,
    /// The greatest depth of a component in bits.
    depth: u8,
    /// Whether a component has fewer samples than the photo has pixels.
    subsampled: bool,
}

impl Header {
    /// Reads the size segment, all numbers big-endian.
    ///
    /// | offset | bytes | field |
    /// |---|---|---|
    /// | 0 | 4 | start of codestream, marker of the segment |
    /// | 4 | 4 | length of the segment, capabilities |
    /// | 8 | 8 | right and lower edge of the photo |
    /// | 16 | 8 | left and upper edge of the photo |
    /// | 24 | 8 | width and height of a tile |
    /// | 32 | 8 | left and upper edge of the first tile |
    /// | 40 | 2 | components |
    /// | 42 | 3 each | depth - 1 and sign, horizontal step, vertical step |
    fn read(stream: &[u8]) -> Result<Self, EmbedError> {
        let truncated = || EmbedError::Truncated { format: Format::Jpeg2000, found: stream.len() };
        let damaged =
            |reason: &str| EmbedError::Damaged { format: Format::Jpeg2000, source: reason.into() };
        if !stream.starts_with(CODESTREAM_MAGIC) {
            return Err(damaged("the codestream doesn't begin with its size"));
        }
        let field = |at: usize| be32(stream, at).ok_or_else(truncated);
        let span = |to: u32, from: u32| {
            to.checked_sub(from).ok_or_else(|| damaged("an edge lies before the opposite one"))
        };
        let (right, lower, left, upper) = (field(8)?, field(12)?, field(16)?, field(20)?);
        let tiles_along = |end: u32, first: u32, side: u32| {
            if side == 0 {
                Err(damaged("a tile without a side"))
            } else {
                Ok(u64::from(span(end, first)?.div_ceil(side)))
            }
        };
        let tiles = tiles_along(right, field(32)?, field(24)?)?.saturating_mul(tiles_along(
            lower,
            field(36)?,
            field(28)?,
        )?);
        let components =
            stream.get(40..42).map(|b| u16::from_be_bytes([b[0], b[1]])).ok_or_else(truncated)?;
        let each = stream
            .get(42..42 + 3 * usize::from(components))
            .ok_or_else(truncated)?
            .as_chunks::<3>()
            .0;
        Ok(Self {
            width: span(right, left)?,
            height: span(lower, upper)?,
            tiles,
            components,
            depth: each.iter().map(|c| (c[0] & 0x7f) + 1).max().unwrap_or(0),
            subsampled: each.iter().any(|c| (c[1], c[2]) != (1, 1)),
        })
    }

    fn check_kind(&self) -> Result<(), EmbedError> {
        if !(1..=PHOTO_COMPONENTS_MAX).contains(&self.components) {
            return Err(unsupported(
                format!("{} components", self.components),
                &format!("1 to {PHOTO_COMPONENTS_MAX}"),
            ));
        }
        if !(1..=16).contains(&self.depth) {
            return Err(unsupported(format!("{} bits a component", self.depth), "1 to 16"));
        }
        if self.subsampled {
            return Err(unsupported(
                "components with fewer samples than pixels".to_owned(),
                "components of the photo's size",
            ));
        }
        if self.tiles == 0 || self.tiles > PHOTO_TILES_MAX {
            return Err(unsupported(
                format!("{} tiles", self.tiles),
                &format!("1 to {PHOTO_TILES_MAX}"),
            ));
        }
        Ok(())
    }
}

fn unsupported(found: String, wanted: &str) -> EmbedError {
    EmbedError::Unsupported { format: Format::Jpeg2000, found, wanted: wanted.to_owned() }
}

fn whole<T>(image: Option<T>) -> Result<T, EmbedError> {
    image.ok_or_else(|| EmbedError::Damaged {
        format: Format::Jpeg2000,
        source: "fewer samples than pixels".into(),
    })
}

fn upper_byte(v: u16) -> u8 {
    v.to_be_bytes()[0]
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JP2: &[u8] = include_bytes!("test_photos/astronaut.jp2");

    #[test]
    fn a_jp2_file_and_its_bare_codestream_decode_alike() {
        let photo = decode(JP2).unwrap().into_rgb8();
        assert_eq!(photo.dimensions(), (256, 256));
        let bare = codestream(JP2).unwrap();
        assert!(is(bare) && is(JP2));
        assert_eq!(decode(bare).unwrap().into_rgb8(), photo);
        // The astronaut's suit is orange: red leads blue by far over the whole photo.
        let mean = |c: usize| photo.pixels().map(|p| u64::from(p.0[c])).sum::<u64>() / (256 * 256);
        assert!(mean(0) > mean(2) + 5, "{} {}", mean(0), mean(2));
    }

    #[test]
    fn a_file_cut_off_anywhere_is_refused() {
        let bare = codestream(JP2).unwrap();
        for length in (12..JP2.len() - 2).step_by(397) {
            assert!(decode(&JP2[..length]).is_err(), "{length}");
        }
        for length in (4..bare.len() - 2).step_by(397) {
            assert!(decode(&bare[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn what_the_header_asks_for_is_bounded_before_decoding() {
        let bare = codestream(JP2).unwrap();
        let with = |at: usize, value: &[u8]| {
            let mut wrong = bare.to_vec();
            wrong[at..at + value.len()].copy_from_slice(value);
            decode(&wrong).err().unwrap()
        };
        assert!(matches!(
            with(8, &60_000u32.to_be_bytes()),
            EmbedError::TooLarge { width: 60_000, .. }
        ));
        assert!(matches!(with(8, &20u32.to_be_bytes()), EmbedError::TooSmall { .. }));
        assert!(
            matches!(with(8, &[0, 0, 0x20, 0, 0, 0, 0x17, 0x70]), EmbedError::Memory { .. }),
            "8192 x 6000 of 3 components"
        );
        assert!(with(24, &[0, 0, 0, 1, 0, 0, 0, 1]).to_string().contains("65536 tiles"));
        assert!(with(24, &[0, 0, 0, 0]).to_string().contains("damaged"));
        assert!(with(40, &[0, 0]).to_string().contains("0 components"));
        assert!(with(42, &[31]).to_string().contains("32 bits"));
        assert!(with(43, &[2, 2]).to_string().contains("fewer samples"));
        assert!(matches!(with(16, &300u32.to_be_bytes()), EmbedError::Damaged { .. }));
    }

    #[test]
    fn noise_behind_a_good_beginning_never_panics() {
        let mut seed = 7u32;
        for _ in 0..60 {
            let mut wrong = JP2.to_vec();
            for _ in 0..3 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = 12 + (seed >> 8) as usize % (JP2.len() - 12);
                wrong[at] = seed.to_le_bytes()[3];
            }
            let _ = decode(&wrong);
        }
    }
}
