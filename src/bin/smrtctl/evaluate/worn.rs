//! Probes as they come in practice: the labelled photos made small, soft, dark or strongly
//! compressed.
//!
//! A labelled folder of public portraits has few probes that are hard to search for their quality
//! alone; of these there are enough.

use std::io::Cursor;

use anyhow::Context;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, RgbImage, imageops};
use serde::Serialize;
use smrt::embed::decode;

/// What was done to a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Wear {
    /// Each side a quarter as long.
    Small,
    /// A Gaussian blur of 3 px.
    Soft,
    /// An eighth of each value, as under-exposed and then compressed.
    Dark,
    /// Half as large, JPEG of quality 10.
    Compressed,
}

impl Wear {
    pub(super) const ALL: [Self; 4] = [Self::Small, Self::Soft, Self::Dark, Self::Compressed];

    /// The worn photo as a file.
    pub(super) fn of(self, photo: &[u8]) -> anyhow::Result<Vec<u8>> {
        let rgb = decode(photo).context("a photo can't be worn")?.rgb;
        let shorter = |by: u32| {
            imageops::thumbnail(&rgb, (rgb.width() / by).max(1), (rgb.height() / by).max(1))
        };
        match self {
            Self::Small => png(shorter(4)),
            Self::Soft => png(imageops::blur(&rgb, 3.0)),
            Self::Dark => {
                let mut dark = rgb;
                dark.iter_mut().for_each(|value| *value /= 8);
                jpeg(&dark, 60)
            }
            Self::Compressed => jpeg(&shorter(2), 10),
        }
    }
}

fn png(rgb: RgbImage) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(rgb).write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

fn jpeg(rgb: &RgbImage, quality: u8) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(rgb)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worn_photo_is_a_photo_still_with_less_in_it() {
        let plain = include_bytes!("../../../embed/test_photos/astronaut.jpg");
        for (wear, side) in
            [(Wear::Small, 128), (Wear::Soft, 512), (Wear::Dark, 512), (Wear::Compressed, 256)]
        {
            let worn = wear.of(plain).unwrap();
            let found = decode(&worn).unwrap().rgb;
            assert_eq!(found.dimensions(), (side, side), "{wear:?}");
            assert_eq!(wear.of(plain).unwrap(), worn, "the same each time");
        }
        assert!(Wear::Small.of(b"no photo").is_err());
    }
}
