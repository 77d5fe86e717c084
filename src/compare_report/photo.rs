//! Photos for the page: the JPEG file as it is where it is small enough, else made smaller by
//! averaging. Nothing sharpens, and both sides are scaled alike.

use std::io::Cursor;

use image::codecs::jpeg::{JpegDecoder, JpegEncoder};
use image::metadata::Orientation;
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageError, Limits, RgbImage, imageops,
};
use krilla::image::Image;

use super::supplement::Jpeg;
use crate::limits::{DECODE_BYTES_MAX, PHOTO_SIDE_PX_MAX, PRINTED_BYTES_MAX, PRINTED_SIDE_PX_MAX};

/// Of a picture that is made smaller.
const JPEG_QUALITY: u8 = 90;

/// A photo that is ready for the page.
pub(super) struct PagePhoto {
    pub(super) image: Image,
    /// Width and height of the photo as given and upright, in pixels.
    pub(super) pixels: (u32, u32),
}

/// Why a photo can't be printed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unprintable {
    #[error(transparent)]
    Image(#[from] ImageError),
    #[error("{0}")]
    Page(String),
}

impl PagePhoto {
    pub(super) fn of(Jpeg(bytes): &Jpeg) -> Result<Self, Unprintable> {
        let mut decoder = JpegDecoder::new(Cursor::new(bytes))?;
        let plain = matches!(
            decoder.original_color_type(),
            ExtendedColorType::L8 | ExtendedColorType::Rgb8
        );
        let orientation = decoder.orientation()?;
        let pixels = decoder.dimensions();
        if plain && orientation == Orientation::NoTransforms && bytes.len() <= PRINTED_BYTES_MAX {
            let image = Image::from_jpeg(bytes.clone().into(), false).map_err(Unprintable::Page)?;
            return Ok(Self { image, pixels });
        }
        Self::smaller(upright(decoder, orientation)?.into_rgb8())
    }

    fn smaller(rgb: RgbImage) -> Result<Self, Unprintable> {
        let pixels = rgb.dimensions();
        let (width, height) = within(pixels, PRINTED_SIDE_PX_MAX);
        let shown =
            if (width, height) == pixels { rgb } else { imageops::thumbnail(&rgb, width, height) };
        let mut jpeg = Vec::new();
        JpegEncoder::new_with_quality(&mut jpeg, JPEG_QUALITY).encode_image(&shown)?;
        let image = Image::from_jpeg(jpeg.into(), false).map_err(Unprintable::Page)?;
        Ok(Self { image, pixels })
    }

    /// Width and height that fit into a box with the photo's own proportions.
    ///
    /// Units: points.
    pub(super) fn fitted(&self, width: f32, height: f32) -> (f32, f32) {
        let (wide, high) = (px(self.pixels.0), px(self.pixels.1));
        let scale = (width / wide).min(height / high);
        (wide * scale, high * scale)
    }

    /// The part of the photo around a face, with room for the head, in the proportions of a box.
    ///
    /// Units: left, upper, width and height of face and part as shares of the whole.
    pub(super) fn around(&self, [left, upper, wide, high]: [f32; 4], proportion: f32) -> [f32; 4] {
        let (width, height) = (px(self.pixels.0), px(self.pixels.1));
        let (left, wide) = (left * width, wide * width);
        let (upper, high) = (upper * height, high * height);
        let room = (high.max(wide / proportion) * 1.8).min(height).min(width / proportion).max(1.0);
        let (part_width, part_height) = (room * proportion, room);
        let x = (left + wide / 2.0 - part_width / 2.0).clamp(0.0, (width - part_width).max(0.0));
        let y =
            (upper + high / 2.0 - part_height / 2.0).clamp(0.0, (height - part_height).max(0.0));
        [x / width, y / height, part_width / width, part_height / height]
    }
}

/// Decodes within the bounds that photos have.
fn upright(
    mut decoder: impl ImageDecoder,
    orientation: Orientation,
) -> Result<DynamicImage, ImageError> {
    let mut limits = Limits::no_limits();
    (limits.max_image_width, limits.max_image_height) =
        (Some(PHOTO_SIDE_PX_MAX), Some(PHOTO_SIDE_PX_MAX));
    limits.max_alloc = Some(DECODE_BYTES_MAX);
    decoder.set_limits(limits)?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    Ok(image)
}

/// The largest size of these proportions with no side longer than `most`.
fn within((width, height): (u32, u32), most: u32) -> (u32, u32) {
    let longer = width.max(height);
    if longer <= most {
        return (width, height);
    }
    let scaled = |side: u32| {
        u32::try_from(
            (u64::from(side) * u64::from(most) + u64::from(longer) / 2) / u64::from(longer),
        )
        .unwrap_or(most)
    };
    (scaled(width).max(1), scaled(height).max(1))
}

#[expect(clippy::cast_precision_loss, reason = "a photo's side has at most five digits")]
fn px(n: u32) -> f32 {
    n as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASTRONAUT: &[u8] = include_bytes!("../embed/test_photos/astronaut.jpg");

    fn jpeg(pixels: &RgbImage) -> Jpeg {
        let mut bytes = Vec::new();
        JpegEncoder::new(&mut bytes).encode_image(pixels).unwrap();
        Jpeg(bytes)
    }

    #[test]
    fn what_is_too_large_is_made_smaller_in_its_proportions() {
        // Noise, which no JPEG makes small.
        let noise =
            |x: u32, y: u32| (x.wrapping_mul(0x9e37_79b9) ^ y.wrapping_mul(0x85eb_ca6b)) >> 9;
        let wide =
            RgbImage::from_fn(2_000, 1_500, |x, y| image::Rgb([noise(x, y).to_le_bytes()[0]; 3]));
        let file = jpeg(&wide);
        assert!(file.0.len() > PRINTED_BYTES_MAX);
        let wide = PagePhoto::of(&file).unwrap();
        assert_eq!(wide.pixels, (2_000, 1_500));
        let (width, height) = wide.image.size();
        assert_eq!((width, height), (PRINTED_SIDE_PX_MAX, PRINTED_SIDE_PX_MAX * 3 / 4));
        assert_eq!(wide.fitted(246.0, 230.0), (246.0, 184.5));
        assert_eq!(within((10, 4_000), 1_200), (3, 1_200));
    }

    #[test]
    fn a_photo_that_lies_on_its_side_stands_upright() {
        let mut exif = vec![0xff, 0xd8, 0xff, 0xe1, 0, 34];
        exif.extend_from_slice(
            b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0",
        );
        exif.extend_from_slice(&jpeg(&RgbImage::new(40, 20)).0[2..]);
        let turned = PagePhoto::of(&Jpeg(exif)).unwrap();
        assert_eq!((turned.pixels, turned.image.size()), ((20, 40), (20, 40)));
    }

    #[test]
    fn what_is_no_jpeg_is_refused() {
        let png = include_bytes!("../embed/test_photos/palette.png").to_vec();
        for file in [b"\xff\xd8no".to_vec(), png, ASTRONAUT[..400].to_vec(), Vec::new()] {
            assert!(PagePhoto::of(&Jpeg(file)).is_err());
        }
    }

    #[test]
    fn the_part_around_a_face_lies_within_the_photo() {
        let photo = PagePhoto::of(&jpeg(&RgbImage::new(600, 400))).unwrap();
        for face in [
            [0.0, 0.0, 0.08, 0.15],
            [0.93, 0.87, 0.13, 0.22],
            [0.16, 0.12, 0.5, 0.95],
            [-0.02, -0.02, 0.01, 0.01],
        ] {
            let [x, y, wide, high] = photo.around(face, 0.8);
            assert!(x >= 0.0 && y >= 0.0 && x + wide <= 1.001 && y + high <= 1.001, "{face:?}");
            assert!((wide * 600.0 / (high * 400.0) - 0.8).abs() < 1e-3, "{face:?}");
        }
    }
}
