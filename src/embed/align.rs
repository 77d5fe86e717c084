//! Face alignment: the face cut out, turned and scaled so that its landmarks lie where the embedder
//! expects them.
//!
//! Sampling is from the full-resolution photo. Where the photo is finer than the crop, whole
//! squares of pixels are averaged first, so that no pixel in the face is skipped.

use image::RgbImage;

/// The places of the five landmarks in a crop of 112 px: eyes, nose, corners of the mouth.
const TEMPLATE: [[f64; 2]; 5] = [
    [38.2946, 51.6963],
    [73.5318, 51.5014],
    [56.0252, 71.7366],
    [41.5493, 92.3655],
    [70.7299, 92.2041],
];
/// The crop for which the template is given.
const TEMPLATE_SIDE_PX: f64 = 112.0;

/// A similarity transform: turned, scaled and shifted. x' = a x - b y + dx, y' = b x + a y + dy.
#[derive(Clone, Copy, Debug)]
struct Similarity {
    a: f64,
    b: f64,
    dx: f64,
    dy: f64,
}

/// The aligned face, interleaved RGB of 0 to 255; outside of the photo it is black.
///
/// Shapes: `side` x `side` x 3.
/// Errors: none; landmarks in one point give `None`.
pub(super) fn align(photo: &RgbImage, landmarks: &[[f32; 2]; 5], side: u32) -> Option<Vec<f32>> {
    let scale = f64::from(side) / TEMPLATE_SIDE_PX;
    let template = TEMPLATE.map(|[x, y]| [x * scale, y * scale]);
    let to_photo =
        Similarity::between(&landmarks.map(|[x, y]| [f64::from(x), f64::from(y)]), &template)?
            .inverted();
    // How many pixels of the photo one pixel of the crop covers along a side.
    let covers = to_photo.a.hypot(to_photo.b);
    #[expect(clippy::cast_possible_truncation, reason = "clamped to 1 to 256")]
    let square = covers.floor().clamp(1.0, 256.0) as i64;
    let mut crop = Vec::with_capacity(side as usize * side as usize * 3);
    if square == 1 {
        let pixel = |x, y| pixel_at(photo, x, y);
        for y in 0..side {
            for x in 0..side {
                let [u, v] = to_photo.apply([f64::from(x), f64::from(y)]);
                crop.extend(bilinear(u, v, pixel));
            }
        }
        return Some(crop);
    }
    let reduced = Reduced::around(photo, &to_photo, side, square);
    #[expect(clippy::cast_precision_loss, reason = "at most 256")]
    let step = square as f64;
    for y in 0..side {
        for x in 0..side {
            let [u, v] = to_photo.apply([f64::from(x), f64::from(y)]);
            // The centre of square i is the point (i + 1/2) step - 1/2 of the photo.
            crop.extend(bilinear((u + 0.5) / step - 0.5, (v + 0.5) / step - 0.5, |x, y| {
                reduced.at(x, y)
            }));
        }
    }
    Some(crop)
}

/// The crop as a mirror shows it.
pub(super) fn mirrored(crop: &[f32], side: u32) -> Vec<f32> {
    let (pixels, _) = crop.as_chunks::<3>();
    pixels.chunks(side as usize).flat_map(|row| row.iter().rev().flatten().copied()).collect()
}

impl Similarity {
    /// The one that brings `from` closest to `to` in the sum of squared distances; `None` where
    /// `from` is one point.
    ///
    /// Source: Umeyama's least squares in two dimensions, where it has a closed form: with points
    /// as complex numbers around their means, a + ib is the sum of conj(from) to over the sum of
    /// |from|^2.
    fn between(from: &[[f64; 2]; 5], to: &[[f64; 2]; 5]) -> Option<Self> {
        let mean =
            |points: &[[f64; 2]; 5]| [0, 1].map(|c| points.iter().map(|p| p[c]).sum::<f64>() / 5.0);
        let (from_mean, to_mean) = (mean(from), mean(to));
        let (mut along, mut across, mut spread) = (0.0, 0.0, 0.0);
        for (f, t) in from.iter().zip(to) {
            let (fx, fy) = (f[0] - from_mean[0], f[1] - from_mean[1]);
            let (tx, ty) = (t[0] - to_mean[0], t[1] - to_mean[1]);
            along += fx * tx + fy * ty;
            across += fx * ty - fy * tx;
            spread += fx * fx + fy * fy;
        }
        let (a, b) = (along / spread, across / spread);
        if !(a.hypot(b).is_normal() && a.hypot(b) > 1e-6) {
            return None;
        }
        Some(Self {
            a,
            b,
            dx: to_mean[0] - a * from_mean[0] + b * from_mean[1],
            dy: to_mean[1] - b * from_mean[0] - a * from_mean[1],
        })
    }

    fn inverted(self) -> Self {
        let squared = self.a * self.a + self.b * self.b;
        let (a, b) = (self.a / squared, -self.b / squared);
        Self { a, b, dx: -a * self.dx + b * self.dy, dy: -b * self.dx - a * self.dy }
    }

    fn apply(self, [x, y]: [f64; 2]) -> [f64; 2] {
        [self.a * x - self.b * y + self.dx, self.b * x + self.a * y + self.dy]
    }
}

/// Means of squares of pixels, for the part of the photo that a crop needs.
struct Reduced {
    left: i64,
    top: i64,
    width: i64,
    means: Vec<[f32; 3]>,
}

impl Reduced {
    fn around(photo: &RgbImage, to_photo: &Similarity, side: u32, square: i64) -> Self {
        let far = f64::from(side);
        let corners = [[0.0, 0.0], [far, 0.0], [0.0, far], [far, far]].map(|c| to_photo.apply(c));
        let range = |c: usize, length: u32| {
            let (low, high) =
                corners.iter().fold((f64::MAX, f64::MIN), |(l, h), p| (l.min(p[c]), h.max(p[c])));
            #[expect(
                clippy::cast_possible_truncation,
                reason = "clamped to the photo, whose sides fit u32"
            )]
            let squares = |v: f64| v.clamp(0.0, f64::from(length)) as i64 / square;
            // One square more on each side: sampling looks at neighbours.
            ((squares(low) - 1).max(0), squares(high) + 2)
        };
        let ((left, right), (top, bottom)) = (range(0, photo.width()), range(1, photo.height()));
        let means = (top..bottom)
            .flat_map(|y| (left..right).map(move |x| (x, y)))
            .map(|(x, y)| mean_of(photo, x, y, square))
            .collect();
        Self { left, top, width: right - left, means }
    }

    fn at(&self, x: i64, y: i64) -> [f32; 3] {
        let (x, y) = (x - self.left, y - self.top);
        if x < 0 || x >= self.width || y < 0 {
            return [0.0; 3];
        }
        usize::try_from(y * self.width + x)
            .ok()
            .and_then(|at| self.means.get(at))
            .copied()
            .unwrap_or([0.0; 3])
    }
}

/// The mean of one square; what lies outside of the photo counts as black.
fn mean_of(photo: &RgbImage, x: i64, y: i64, square: i64) -> [f32; 3] {
    let mut sum = [0u32; 3];
    let clip = |from: i64, length: u32| {
        let to = (from + square).min(i64::from(length));
        (u32::try_from(from).unwrap_or(u32::MAX), u32::try_from(to).unwrap_or(0))
    };
    let ((left, right), (top, bottom)) =
        (clip(x * square, photo.width()), clip(y * square, photo.height()));
    for py in top..bottom {
        for px in left..right {
            for (s, &v) in sum.iter_mut().zip(&photo.get_pixel(px, py).0) {
                *s += u32::from(v);
            }
        }
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "256 x 256 pixels of 255 are below 2^24"
    )]
    sum.map(|s| (f64::from(s) / (square * square) as f64) as f32)
}

fn pixel_at(photo: &RgbImage, x: i64, y: i64) -> [f32; 3] {
    match (u32::try_from(x), u32::try_from(y)) {
        (Ok(x), Ok(y)) if x < photo.width() && y < photo.height() => {
            photo.get_pixel(x, y).0.map(f32::from)
        }
        _ => [0.0; 3],
    }
}

fn bilinear(u: f64, v: f64, pixel: impl Fn(i64, i64) -> [f32; 3]) -> [f32; 3] {
    #[expect(clippy::cast_possible_truncation, reason = "saturates; what is far outside is black")]
    let (x, y) = (u.floor() as i64, v.floor() as i64);
    #[expect(clippy::cast_possible_truncation, reason = "0 to 1")]
    let (fx, fy) = ((u - u.floor()) as f32, (v - v.floor()) as f32);
    let (x1, y1) = (x.saturating_add(1), y.saturating_add(1));
    let (p00, p10, p01, p11) = (pixel(x, y), pixel(x1, y), pixel(x, y1), pixel(x1, y1));
    let mut mixed = [0.0; 3];
    for (c, m) in mixed.iter_mut().enumerate() {
        let upper = p00[c] + (p10[c] - p00[c]) * fx;
        let lower = p01[c] + (p11[c] - p01[c]) * fx;
        *m = upper + (lower - upper) * fy;
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::cast_possible_truncation, reason = "landmarks are f32")]
    fn landmarks(turn: f64, scale: f64, dx: f64, dy: f64) -> [[f32; 2]; 5] {
        let to = Similarity { a: scale * turn.cos(), b: scale * turn.sin(), dx, dy };
        TEMPLATE.map(|p| to.apply(p).map(|v| v as f32))
    }

    #[test]
    fn landmarks_that_fit_the_template_are_brought_onto_it() {
        for (turn, scale) in [(0.0, 1.0), (0.4, 3.0), (-1.5, 0.5), (3.0, 20.0)] {
            let from = landmarks(turn, scale, 70.0, -20.0).map(|p| p.map(f64::from));
            let found = Similarity::between(&from, &TEMPLATE).unwrap();
            for (f, t) in from.iter().zip(&TEMPLATE) {
                let [x, y] = found.apply(*f);
                assert!((x - t[0]).abs() < 1e-3 && (y - t[1]).abs() < 1e-3, "{turn} {scale}");
                let [x, y] = found.inverted().apply([x, y]);
                assert!((x - f[0]).abs() < 1e-3 && (y - f[1]).abs() < 1e-3, "{turn} {scale}");
            }
        }
        assert!(Similarity::between(&[[5.0, 5.0]; 5], &TEMPLATE).is_none());
        assert!(Similarity::between(&[[f64::NAN, 5.0]; 5], &TEMPLATE).is_none());
    }

    /// A photo whose colours are slopes from 0 to 250: sampling between pixels must give the value
    /// of the slope.
    fn slopes(side: u32) -> RgbImage {
        let value = |t: u32| u8::try_from(t * 250 / side).unwrap();
        RgbImage::from_fn(side, side, |x, y| image::Rgb([value(x), value(y), 128]))
    }

    #[test]
    fn a_crop_of_a_larger_photo_averages_what_it_covers() {
        for (scale, side) in [(1.0, 150), (2.5, 375), (6.0, 900)] {
            let photo = slopes(side);
            let crop = align(&photo, &landmarks(0.0, scale, 10.0, 10.0), 112).unwrap();
            assert_eq!(crop.len(), 112 * 112 * 3);
            for (x, y) in [(20u32, 30u32), (60, 60), (100, 90)] {
                let at = ((y * 112 + x) * 3) as usize;
                let wanted = |t: u32| (f64::from(t) * scale + 10.0) / f64::from(side) * 250.0;
                assert!(
                    (f64::from(crop[at]) - wanted(x)).abs() < 1.6,
                    "{scale} {x}: {} {}",
                    crop[at],
                    wanted(x)
                );
                assert!((f64::from(crop[at + 1]) - wanted(y)).abs() < 1.6, "{scale} {y}");
                assert!((crop[at + 2] - 128.0).abs() < 0.01);
            }
        }
    }

    #[test]
    fn what_lies_outside_of_the_photo_is_black() {
        let photo = RgbImage::from_pixel(60, 60, image::Rgb([200, 200, 200]));
        for scale in [0.5, 4.0] {
            let crop = align(&photo, &landmarks(0.0, scale, -20.0, -20.0), 112).unwrap();
            assert_eq!(&crop[..3], &[0.0; 3]);
        }
        let far = align(&photo, &landmarks(0.0, 1.0, 1e5, 1e5), 112).unwrap();
        assert!(far.iter().all(|&v| v == 0.0));
    }

    #[test]
    fn a_mirrored_crop_is_mirrored_row_by_row() {
        let crop: Vec<f32> = (0..12u8).map(f32::from).collect();
        assert_eq!(
            mirrored(&crop, 2),
            [3.0, 4.0, 5.0, 0.0, 1.0, 2.0, 9.0, 10.0, 11.0, 6.0, 7.0, 8.0]
        );
        assert_eq!(mirrored(&mirrored(&crop, 2), 2), crop);
    }
}
