//! Edits: a probe as it is searched is the original with its edits, replayed to the byte.
//!
//! Invariant: the same original and the same edits give the same pixels on every machine. All
//! arithmetic from decoded pixels on is in whole numbers; `>>` and `/` round down. Whoever has the
//! upright pixels of the original replays all of it from this table:
//!
//! | edit | each pixel of the result |
//! |---|---|
//! | crop | the original's pixel, from `x`, `y` on |
//! | rotate by a multiple of 900 | the original's pixel |
//! | rotate by another angle | the mean of the four pixels around its place, see `turned` |
//! | exposure | each value v becomes min(255, (v g + 2^15) >> 16), see below |
//! | contrast | each value v becomes 128 + ((v - 128) (100 + hundredths) + 50) / 100, see below |
//!
//! The gain g of an exposure is round(2^16 2^(tenths / 22)), since light is taken as v^2.2. What a
//! contrast gives is held within 0 to 255.
//!
//! No edit enlarges, sharpens, smooths beyond the mean of four neighbours, or fills in: nothing is
//! added to a face that the original doesn't show. What a turned image has beyond the original is
//! black.
//!
//! An image's digest is SHA-256 over `smrt probe as searched v1` and a zero byte, width and height
//! as 32-bit little-endian numbers, and the rows of red, green and blue bytes. The upright pixels
//! of a JPEG are this software's decoder's: the format leaves decoders the last bit.

use image::{RgbImage, imageops};

use super::error::EmbedError;
use super::photo_bounds::check_size;
use crate::face::{Edit, Edits};
use crate::ids::Digest;

const DOMAIN: &[u8] = b"smrt probe as searched v1\0";
/// round(2^16 2^(n / 22)) for n = 0 to 20 tenths of a stop.
const BRIGHTER: [u32; 21] = [
    65_536, 67_634, 69_799, 72_033, 74_338, 76_718, 79_173, 81_708, 84_323, 87_022, 89_807, 92_682,
    95_648, 98_710, 101_870, 105_130, 108_495, 111_968, 115_552, 119_251, 123_068,
];
/// The same for n = 0 to -20.
const DARKER: [u32; 21] = [
    65_536, 63_503, 61_534, 59_625, 57_776, 55_984, 54_248, 52_565, 50_935, 49_355, 47_824, 46_341,
    44_904, 43_511, 42_161, 40_854, 39_587, 38_359, 37_169, 36_016, 34_899,
];
/// Binary places of sines and cosines.
const PLACES: u32 = 30;

/// An edited image, with the digests of all that it was on the way.
pub(super) struct Edited {
    pub(super) rgb: RgbImage,
    /// Of the upright original, and of the image after each edit; the last one names the probe as
    /// searched.
    pub(super) digests: Vec<Digest>,
}

/// Applies edits to an original and gives the probe as searched.
///
/// Errors: a crop that reaches beyond the original, a turned image beyond the limits of a photo.
pub(super) fn apply(original: RgbImage, edits: &Edits) -> Result<Edited, EmbedError> {
    let mut digests = vec![digest_of(&original)];
    let mut rgb = original;
    for &edit in edits.as_slice() {
        rgb = step(rgb, edit)?;
        digests.push(digest_of(&rgb));
    }
    Ok(Edited { rgb, digests })
}

/// The name of an image: SHA-256 over its size and pixels.
pub(super) fn digest_of(rgb: &RgbImage) -> Digest {
    let (width, height) = (rgb.width().to_le_bytes(), rgb.height().to_le_bytes());
    Digest::of_parts(&[DOMAIN, &width, &height, rgb.as_raw()])
}

fn step(mut rgb: RgbImage, edit: Edit) -> Result<RgbImage, EmbedError> {
    match edit {
        Edit::Crop { x, y, width, height } => {
            let fits = |from: u32, length: u32, side: u32| {
                from.checked_add(length).is_some_and(|end| end <= side)
            };
            let (photo_width, photo_height) = rgb.dimensions();
            if !fits(x, width, photo_width) || !fits(y, height, photo_height) {
                return Err(EmbedError::CropOutside {
                    crop: [x, y, width, height],
                    photo: [photo_width, photo_height],
                });
            }
            Ok(imageops::crop_imm(&rgb, x, y, width, height).to_image())
        }
        Edit::Rotate { tenths } => match tenths.rem_euclid(3_600) {
            0 => Ok(rgb),
            900 => Ok(imageops::rotate90(&rgb)),
            1_800 => Ok(imageops::rotate180(&rgb)),
            2_700 => Ok(imageops::rotate270(&rgb)),
            tenths => turned(&rgb, tenths),
        },
        Edit::Exposure { tenths } => {
            let gains = if tenths < 0 { &DARKER } else { &BRIGHTER };
            let gain = gains[tenths.unsigned_abs() as usize];
            map_values(&mut rgb, |v| {
                i32::try_from((u32::from(v) * gain + (1 << 15)) >> 16).unwrap_or(255)
            });
            Ok(rgb)
        }
        Edit::Contrast { hundredths } => {
            map_values(&mut rgb, |v| {
                128 + ((i32::from(v) - 128) * (100 + hundredths) + 50).div_euclid(100)
            });
            Ok(rgb)
        }
    }
}

/// Gives each value another one, whatever its place.
fn map_values(rgb: &mut RgbImage, map: impl Fn(u8) -> i32) {
    let table: Vec<u8> =
        (0..=255).map(|v| u8::try_from(map(v).clamp(0, 255)).expect("clamped to a byte")).collect();
    for value in rgb.iter_mut() {
        *value = table[usize::from(*value)];
    }
}

/// The image turned clockwise by so many tenths of a degree, no multiple of 900.
///
/// With c and s, cosine and sine rounded to 30 binary places, the canvas is ceil((w |c| + h |s|) /
/// 2^30) wide and ceil((w |s| + h |c|) / 2^30) high. Pixel (X, Y) of it, with p = 2 X + 1 - W and q
/// = 2 Y + 1 - H, lies at u = c p + s q + (w - 1) 2^30, v = c q - s p + (h - 1) 2^30 of the image,
/// in units of 2^-31 px. Its value is the mean of the four pixels around that place, weighted by
/// the upper 16 binary places of the fractions, rounded half up; a pixel outside of the image
/// counts as black.
fn turned(rgb: &RgbImage, tenths: i32) -> Result<RgbImage, EmbedError> {
    let (cosine, sine) = cosine_and_sine(tenths);
    let (width, height) = (i64::from(rgb.width()), i64::from(rgb.height()));
    let side = |sum: i64| u32::try_from((sum + (1 << PLACES) - 1) >> PLACES).unwrap_or(u32::MAX);
    let wide = side(width * cosine.abs() + height * sine.abs());
    let high = side(width * sine.abs() + height * cosine.abs());
    check_size(wide, high)?;
    let pixel = |x: i64, y: i64| match (u32::try_from(x), u32::try_from(y)) {
        (Ok(x), Ok(y)) if x < rgb.width() && y < rgb.height() => {
            rgb.get_pixel(x, y).0.map(u64::from)
        }
        _ => [0; 3],
    };
    let mut canvas = RgbImage::new(wide, high);
    for (x, y, to) in canvas.enumerate_pixels_mut() {
        let p = 2 * i64::from(x) + 1 - i64::from(wide);
        let q = 2 * i64::from(y) + 1 - i64::from(high);
        let u = cosine * p + sine * q + ((width - 1) << PLACES);
        let v = cosine * q - sine * p + ((height - 1) << PLACES);
        let (x, y) = (u >> (PLACES + 1), v >> (PLACES + 1));
        if x < -1 || y < -1 || x >= width || y >= height {
            continue;
        }
        let fraction = |t: i64| u64::try_from((t >> (PLACES + 1 - 16)) & 0xffff).expect("16 bits");
        let (right, lower) = (fraction(u), fraction(v));
        let (left, upper) = ((1 << 16) - right, (1 << 16) - lower);
        let around = [pixel(x, y), pixel(x + 1, y), pixel(x, y + 1), pixel(x + 1, y + 1)];
        let weights = [left * upper, right * upper, left * lower, right * lower];
        for (c, value) in to.0.iter_mut().enumerate() {
            let sum: u64 =
                around.iter().zip(weights).map(|(pixel, weight)| pixel[c] * weight).sum();
            *value = u8::try_from((sum + (1 << 31)) >> 32).expect("a mean of bytes is a byte");
        }
    }
    Ok(canvas)
}

/// Cosine and sine of 0 to 3,599 tenths of a degree, rounded to 30 binary places.
fn cosine_and_sine(tenths: i32) -> (i64, i64) {
    let (quarters, rest) = (tenths / 900, tenths % 900);
    let (cosine, sine) = (sine_of(900 - rest), sine_of(rest));
    match quarters {
        0 => (cosine, sine),
        1 => (-sine, cosine),
        2 => (-cosine, -sine),
        _ => (sine, -cosine),
    }
}

/// Sine of 0 to 900 tenths of a degree, rounded to 30 binary places.
///
/// The series of sine and cosine up to an eighth of a turn, in additions, multiplications and
/// divisions of f64, which every machine rounds alike, a library's sine doesn't. Its error is below
/// 2^-50, and no sine here is closer than 2^-11 of a place to where rounding changes.
fn sine_of(tenths: i32) -> i64 {
    let series = |first: f64, from: i32, x: f64| {
        let (mut term, mut sum) = (first, first);
        for n in 0..9 {
            let next = f64::from(from + 2 * n);
            term = -term * x * x / (next * (next + 1.0));
            sum += term;
        }
        sum
    };
    let angle = |tenths: i32| f64::from(tenths) * std::f64::consts::PI / 1_800.0;
    let sine = if tenths <= 450 {
        series(angle(tenths), 2, angle(tenths))
    } else {
        series(1.0, 1, angle(900 - tenths))
    };
    #[expect(clippy::cast_possible_truncation, reason = "0 to 2^30")]
    let whole = (sine * f64::from(1 << PLACES) + 0.5) as i64;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    fn noise(width: u32, height: u32) -> RgbImage {
        let mut seed = 7u32;
        RgbImage::from_fn(width, height, |_, _| {
            Rgb([0; 3].map(|_: u8| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed.to_le_bytes()[3]
            }))
        })
    }

    fn edited(photo: &RgbImage, edits: &[Edit]) -> RgbImage {
        apply(photo.clone(), &Edits::new(edits.to_vec()).unwrap()).unwrap().rgb
    }

    #[test]
    fn sines_and_gains_are_those_of_a_library_to_the_last_place() {
        for tenths in 0..=900 {
            let wanted =
                (f64::from(tenths) * std::f64::consts::PI / 1_800.0).sin() * f64::from(1 << PLACES);
            assert!(
                (wanted - f64::from(u32::try_from(sine_of(tenths)).unwrap())).abs() < 0.5,
                "{tenths}"
            );
            assert!(
                ((wanted - wanted.floor()) - 0.5).abs() > 1.0 / 2_048.0 || wanted.fract() == 0.0,
                "{tenths} is near a half"
            );
        }
        for (n, (&up, &down)) in BRIGHTER.iter().zip(&DARKER).enumerate() {
            let gain = |n: f64| (65_536.0 * (n / 22.0).exp2()).round();
            let n = f64::from(u32::try_from(n).unwrap());
            assert_eq!((f64::from(up), f64::from(down)), (gain(n), gain(-n)));
        }
    }

    /// Digests that a program of another language computed from the table above: what was once
    /// searched can be replayed for ever.
    #[test]
    fn what_was_searched_once_is_replayed_to_the_byte() {
        let photo = noise(97, 64);
        let crop = Edit::Crop { x: 5, y: 9, width: 80, height: 50 };
        let all = [
            crop,
            Edit::Rotate { tenths: 123 },
            Edit::Exposure { tenths: 7 },
            Edit::Contrast { hundredths: 35 },
        ];
        let short = |edits: &[Edit]| digest_of(&edited(&photo, edits)).to_string()[..16].to_owned();
        for (edits, wanted) in [
            (&[][..], "3dc46fa0f9b09843"),
            (&[crop], "68a1073740ed1392"),
            (&[Edit::Rotate { tenths: 900 }], "a3d2e8e1aaa55816"),
            (&[Edit::Rotate { tenths: -25 }], "026ddd6cabca2076"),
            (&[Edit::Rotate { tenths: 1_337 }], "9a0eb03ad15575c1"),
            (&[Edit::Exposure { tenths: -13 }], "b025d63c38eb76bf"),
            (&[Edit::Contrast { hundredths: -50 }], "7176761435dce843"),
            (&all, "64dac001cd13e54c"),
        ] {
            assert_eq!(short(edits), wanted, "{edits:?}");
        }
        let steps = apply(photo.clone(), &Edits::new(all.to_vec()).unwrap()).unwrap();
        assert_eq!(steps.digests.len(), 5);
        assert_eq!(steps.digests[0], digest_of(&photo));
        assert_eq!(steps.digests[4], digest_of(&steps.rgb));
    }

    #[test]
    fn a_crop_and_quarter_turns_keep_every_pixel_as_it_is() {
        let photo = noise(70, 40);
        let crop = edited(&photo, &[Edit::Crop { x: 20, y: 3, width: 50, height: 37 }]);
        assert_eq!(
            (crop.dimensions(), crop.get_pixel(0, 0), crop.get_pixel(49, 36)),
            ((50, 37), photo.get_pixel(20, 3), photo.get_pixel(69, 39))
        );
        let quarter = edited(&photo, &[Edit::Rotate { tenths: 900 }]);
        assert_eq!(
            (quarter.dimensions(), quarter.get_pixel(39, 0)),
            ((40, 70), photo.get_pixel(0, 0)),
            "clockwise"
        );
        assert_eq!(edited(&edited(&quarter, &[Edit::Rotate { tenths: -900 }]), &[]), photo);
        let half = edited(&photo, &[Edit::Rotate { tenths: 1_800 }]);
        assert_eq!(edited(&half, &[Edit::Rotate { tenths: 1_800 }]), photo);
    }

    #[test]
    fn a_crop_that_reaches_beyond_the_original_is_refused() {
        let photo = noise(70, 40);
        for [x, y, width, height] in
            [[21, 0, 50, 40], [0, 5, 70, 36], [u32::MAX, 0, 32, 32], [70, 0, 32, 32]]
        {
            let edits = Edits::new(vec![Edit::Crop { x, y, width, height }]).unwrap();
            let error = apply(photo.clone(), &edits).err().unwrap();
            assert!(matches!(error, EmbedError::CropOutside { photo: [70, 40], .. }), "{error}");
        }
    }

    #[test]
    fn a_turned_image_grows_its_canvas_shows_all_of_the_original_and_black_around_it() {
        let grey = RgbImage::from_pixel(200, 100, Rgb([100, 150, 200]));
        for tenths in [1, -25, 300, 450, 899, 901, 1_799, -1_350] {
            let turned = edited(&grey, &[Edit::Rotate { tenths }]);
            assert_eq!(
                *turned.get_pixel(turned.width() / 2, turned.height() / 2),
                Rgb([100, 150, 200])
            );
            let sum: u64 = turned.pixels().map(|p| u64::from(p.0[0])).sum();
            // Every pixel of the original is there once; bilinear borders spread what they hold.
            assert!(sum.abs_diff(200 * 100 * 100) < 200 * 100 * 100 / 100, "{tenths}: {sum}");
            // Within a few degrees of a quarter turn a corner's pixel is grey still.
            assert!(
                !(100..800).contains(&(tenths.rem_euclid(900)))
                    || *turned.get_pixel(0, 0) == Rgb([0; 3]),
                "{tenths}"
            );
        }
        assert_eq!(edited(&grey, &[Edit::Rotate { tenths: 450 }]).dimensions(), (213, 213));
    }

    #[test]
    fn a_turn_goes_clockwise_by_its_angle() {
        // One white spot right of the middle moves down.
        let mut photo = RgbImage::new(101, 101);
        for (x, y) in [(89, 50), (90, 50), (91, 50), (90, 49), (90, 51)] {
            photo.put_pixel(x, y, Rgb([255; 3]));
        }
        let turned = edited(&photo, &[Edit::Rotate { tenths: 300 }]);
        let (x, y, _) = turned.enumerate_pixels().max_by_key(|(.., p)| p.0[0]).unwrap();
        let (dx, dy) = (
            f64::from(x) + 0.5 - f64::from(turned.width()) / 2.0,
            f64::from(y) + 0.5 - f64::from(turned.height()) / 2.0,
        );
        assert!((dx - 40.0 * 0.866).abs() < 1.0 && (dy - 20.0).abs() < 1.0, "{dx} {dy}");
    }

    #[test]
    fn an_image_that_turning_makes_too_large_is_refused() {
        assert_eq!(
            edited(&RgbImage::new(3_000, 40), &[Edit::Rotate { tenths: 450 }]).dimensions(),
            (2_150, 2_150)
        );
        let large = RgbImage::new(7_000, 7_000);
        let error =
            apply(large, &Edits::new(vec![Edit::Rotate { tenths: 450 }]).unwrap()).err().unwrap();
        assert!(matches!(error, EmbedError::TooLarge { width: 9_900, height: 9_900 }), "{error}");
    }

    #[test]
    fn tones_move_alike_for_every_pixel_and_stay_within_a_byte() {
        let ramp = RgbImage::from_fn(256, 40, |x, _| Rgb([u8::try_from(x).unwrap(); 3]));
        let row = |edit: Edit| {
            edited(&ramp, &[edit]).rows().next().unwrap().map(|p| p.0[0]).collect::<Vec<u8>>()
        };
        for edit in [
            Edit::Exposure { tenths: 20 },
            Edit::Exposure { tenths: -20 },
            Edit::Contrast { hundredths: 100 },
            Edit::Contrast { hundredths: -50 },
        ] {
            assert!(row(edit).is_sorted(), "{edit}");
        }
        let (brighter, harder) =
            (row(Edit::Exposure { tenths: 10 }), row(Edit::Contrast { hundredths: 100 }));
        assert_eq!((brighter[0], brighter[100], brighter[255]), (0, 137, 255), "one stop");
        assert_eq!(
            (harder[0], harder[100], harder[128], harder[140], harder[255]),
            (0, 72, 128, 152, 255)
        );
    }
}
