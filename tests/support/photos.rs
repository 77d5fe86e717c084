//! Photos for the stories: the portraits that lie below `models/photos`, and what can be made of
//! them by cropping, light and re-encoding.

use std::io::Cursor;
use std::path::PathBuf;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// The NASA portrait of Eileen Collins, which lies beside what finds faces.
pub(crate) const COLLINS: &str = "src/embed/test_photos/astronaut.jpg";
pub(crate) const OBAMA: &str = "models/photos/obama.jpg";
pub(crate) const OBAMA_LATER: &str = "models/photos/obama2.jpg";
pub(crate) const OBAMA_THIRD: &str = "models/photos/obama3.jpg";
pub(crate) const BIDEN: &str = "models/photos/biden.jpg";

/// The bytes of a photo.
pub(crate) fn photo(path: &str) -> Vec<u8> {
    let path = root().join(path);
    std::fs::read(&path).unwrap_or_else(|e| {
        panic!("{} can't be read ({e}), run: smrtd demo --fetch-only", path.display())
    })
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A photo made smaller, for stories that are about something else than its size.
pub(crate) fn small(path: &str) -> RgbImage {
    let photo = decoded(path);
    let (width, height) = (photo.width(), photo.height());
    imageops::resize(&photo, 256, 256 * height / width, FilterType::Triangle)
}

/// A small portrait as JPEG; each `light` is another photo of the same person.
pub(crate) fn edition(portrait: &RgbImage, light: i32) -> Vec<u8> {
    jpeg(&imageops::brighten(portrait, light))
}

/// Two portraits side by side: a photo with two faces.
pub(crate) fn pair(left: &RgbImage, right: &RgbImage) -> Vec<u8> {
    let mut both = RgbImage::new(left.width() + right.width(), left.height().max(right.height()));
    imageops::replace(&mut both, left, 0, 0);
    imageops::replace(&mut both, right, i64::from(left.width()), 0);
    jpeg(&both)
}

/// A photo of nobody.
pub(crate) fn gradient() -> Vec<u8> {
    let shade = |v: u32| u8::try_from(v % 256).unwrap();
    jpeg(&RgbImage::from_fn(256, 320, |x, y| Rgb([shade(x), shade(y * 2 / 3), shade((x + y) / 3)])))
}

/// A PNG that is a few bytes long and claims 60,000 pixels along each side.
pub(crate) fn bomb() -> Vec<u8> {
    let chunk = |kind: &[u8], content: &[u8]| {
        let mut sum = flate2::Crc::new();
        sum.update(kind);
        sum.update(content);
        let bytes = u32::try_from(content.len()).unwrap();
        [&bytes.to_be_bytes()[..], kind, content, &sum.sum().to_be_bytes()].concat()
    };
    let side = 60_000u32.to_be_bytes();
    let header = [&side[..], &side, &[8, 2, 0, 0, 0]].concat();
    [
        &b"\x89PNG\r\n\x1a\n"[..],
        &chunk(b"IHDR", &header),
        &chunk(b"IDAT", &[0x78, 0x9c, 3, 0, 0, 0, 0, 1]),
        &chunk(b"IEND", &[]),
    ]
    .concat()
}

/// As PNG.
pub(crate) fn png(photo: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    DynamicImage::ImageRgb8(photo.clone())
        .write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)
        .unwrap();
    bytes
}

/// Two hundred photos, no two of them alike, each with one face.
pub(crate) fn two_hundred() -> Vec<Vec<u8>> {
    several(200)
}

/// So many photos, at most two hundred, no two of them alike, each with one face.
pub(crate) fn several(photos: usize) -> Vec<Vec<u8>> {
    let portraits = [OBAMA, OBAMA_LATER, BIDEN, COLLINS].map(small);
    (0..50)
        .flat_map(|light| portraits.iter().map(move |portrait| edition(portrait, light - 25)))
        .take(photos)
        .collect()
}

fn decoded(path: &str) -> RgbImage {
    image::load_from_memory(&photo(path)).unwrap().to_rgb8()
}

fn jpeg(photo: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(photo).unwrap();
    bytes
}
