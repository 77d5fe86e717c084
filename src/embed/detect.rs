//! Face detection: faces and their landmarks, found on a copy of the photo that is small enough to
//! be quick and whose faces are small enough to be found.
//!
//! The detector knows faces of some 10 to 300 px. One that fills the frame is larger than that on
//! the largest copy, so smaller copies are looked at too, until one shows a usable face. A copy
//! lies in the upper left corner of a canvas of one of a few fixed shapes, one compiled network
//! each, chosen by the photo's proportions.

use image::RgbImage;

use super::error::ModelError;
use super::manifest::Manifest;
use super::model::{Graph, Network, Outputs, PixelScale};
use crate::face::Face;
use crate::limits::{
    DETECT_SIDE_PX_MAX, EYES_APART_PX_MIN, FACE_SCORE_MIN, FACES_MAX, USABLE_SCORE_MIN,
};

/// Width and height of the canvases: square, as cameras have them lying and standing, and as
/// booking photos stand.
const CANVASES: [[u32; 2]; 7] =
    [[640, 640], [640, 480], [512, 640], [480, 640], [320, 320], [256, 256], [160, 160]];
/// The longer sides of the copies that are looked at, in this order.
const COPY_SIDES: [u32; 3] = [DETECT_SIDE_PX_MAX, 320, 160];
/// The detector's grids: one cell has so many pixels along a side.
const STRIDES: [u16; 3] = [8, 16, 32];
/// Share of the union that two frames may have in common and still be two faces.
const OVERLAP_MAX: f32 = 0.3;

/// The detector, compiled for every canvas.
pub(super) struct Detector {
    feed: PixelScale,
    canvases: Vec<Canvas>,
}

struct Canvas {
    width: u32,
    height: u32,
    network: Network,
}

impl Detector {
    /// Compiles the detector and checks its outputs.
    pub(super) fn load(manifest: &Manifest, bytes: &[u8]) -> Result<Self, ModelError> {
        if manifest.input != [DETECT_SIDE_PX_MAX; 2] {
            return Err(ModelError::Shape {
                name: manifest.name.clone(),
                found: format!("an input of {:?} px", manifest.input),
                wanted: format!(
                    "{DETECT_SIDE_PX_MAX} px along each side, and any smaller multiple of 32"
                ),
            });
        }
        let graph = Graph::read(&manifest.name, bytes)?;
        let canvases = CANVASES
            .iter()
            .map(|&[width, height]| {
                Ok(Canvas {
                    width,
                    height,
                    network: graph.compile(width, height, &heads(width, height))?,
                })
            })
            .collect::<Result<_, ModelError>>()?;
        Ok(Self { feed: PixelScale::of(manifest), canvases })
    }

    /// All faces of the photo, the surest first, at most `FACES_MAX`.
    ///
    /// Units: pixels of `photo`.
    pub(super) fn faces(&self, photo: &RgbImage) -> Result<Vec<Face>, ModelError> {
        let longer = photo.width().max(photo.height());
        let mut faces = Vec::new();
        let mut looked_at = u32::MAX;
        for side in COPY_SIDES {
            // A photo is never enlarged: a smaller one is the same copy for several sides.
            let side = side.min(longer);
            if side == looked_at {
                continue;
            }
            looked_at = side;
            self.detect_at(photo, side, &mut faces)?;
            faces = distinct(faces);
            if faces.iter().any(|f| unusable(f).is_none()) {
                break;
            }
        }
        faces.truncate(FACES_MAX);
        Ok(faces)
    }

    fn detect_at(
        &self,
        photo: &RgbImage,
        side: u32,
        faces: &mut Vec<Face>,
    ) -> Result<(), ModelError> {
        let longer = f64::from(photo.width().max(photo.height()));
        let shrink = f64::from(side) / longer;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at least 1 and at most `side`"
        )]
        let scaled = |length: u32| (f64::from(length) * shrink).round().max(1.0) as u32;
        let (width, height) = (scaled(photo.width()), scaled(photo.height()));
        let canvas = self
            .canvases
            .iter()
            .filter(|c| c.width >= width && c.height >= height)
            .min_by_key(|c| c.width * c.height)
            .expect("a canvas of the largest side in both directions holds every copy");
        let rgb = on_canvas(photo, [width, height], [canvas.width, canvas.height]);
        let outputs = canvas.network.run(&self.feed.planes(&rgb))?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a ratio of sides: f32 is enough for places in a photo"
        )]
        read_heads(&outputs, canvas.width, canvas.height, shrink as f32, faces);
        Ok(())
    }
}

/// The reason why a face can't be used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum UnusableFace {
    /// The eyes are too close together.
    TooSmall { eyes_apart_px: f32 },
    /// The detector isn't sure.
    Unclear { score: f32 },
}

impl std::fmt::Display for UnusableFace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooSmall { eyes_apart_px } => {
                write!(
                    f,
                    "the eyes are {eyes_apart_px:.1} px apart, at least {EYES_APART_PX_MIN} are \
                     needed"
                )
            }
            Self::Unclear { score } => write!(
                f,
                "it is unclear: the detector gives it {score:.2} of 1, at least \
                 {USABLE_SCORE_MIN} is needed"
            ),
        }
    }
}

/// Why a face can't be used, if so. The rule is one for booking photos and probes: the detector is
/// sure of it, and its eyes are far enough apart.
pub(super) fn unusable(face: &Face) -> Option<UnusableFace> {
    let [left, right, ..] = face.landmarks;
    let apart = (left[0] - right[0]).hypot(left[1] - right[1]);
    if apart < EYES_APART_PX_MIN {
        Some(UnusableFace::TooSmall { eyes_apart_px: apart })
    } else if face.score < USABLE_SCORE_MIN {
        Some(UnusableFace::Unclear { score: face.score })
    } else {
        None
    }
}

/// The outputs that a detector must have: for each grid and cell two scores, a frame and five
/// landmarks.
fn heads(width: u32, height: u32) -> Vec<(String, Vec<usize>)> {
    STRIDES
        .iter()
        .flat_map(|&stride| {
            let cells =
                (width / u32::from(stride)) as usize * (height / u32::from(stride)) as usize;
            [("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)]
                .map(|(head, values)| (format!("{head}_{stride}"), vec![1, cells, values]))
        })
        .collect()
}

/// Reads the faces off the grids and gives their places in the photo.
fn read_heads(outputs: &Outputs<'_>, width: u32, height: u32, shrink: f32, faces: &mut Vec<Face>) {
    for stride in STRIDES {
        let [cls, obj, bbox, kps] =
            ["cls", "obj", "bbox", "kps"].map(|head| outputs.named(&format!("{head}_{stride}")));
        let step = f32::from(stride);
        let columns = width / u32::from(stride);
        let cells = (0..height / u32::from(stride))
            .flat_map(|row| (0..columns).map(move |column| (column, row)));
        for (at, (column, row)) in cells.enumerate() {
            let score = (cls[at].clamp(0.0, 1.0) * obj[at].clamp(0.0, 1.0)).sqrt();
            if score < FACE_SCORE_MIN {
                continue;
            }
            #[expect(clippy::cast_precision_loss, reason = "at most 80 cells along a side")]
            let (column, row) = (column as f32, row as f32);
            let place = |x: f32, y: f32| [(x + column) * step / shrink, (y + row) * step / shrink];
            let b = &bbox[at * 4..at * 4 + 4];
            let [x, y] = place(b[0], b[1]);
            let [w, h] = [b[2], b[3]].map(|v| v.exp() * step / shrink);
            let k = &kps[at * 10..at * 10 + 10];
            let face = Face {
                score,
                frame: [x - w / 2.0, y - h / 2.0, w, h],
                landmarks: [0, 1, 2, 3, 4].map(|p| place(k[p * 2], k[p * 2 + 1])),
            };
            // Numbers that overflow are no face, whatever their score.
            if face.frame.iter().chain(face.landmarks.iter().flatten()).all(|v| v.is_finite()) {
                faces.push(face);
            }
        }
    }
}

/// The surest of each group of frames that overlap, the surest first.
fn distinct(mut faces: Vec<Face>) -> Vec<Face> {
    faces.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Face> = Vec::new();
    for face in faces {
        if kept.len() < FACES_MAX
            && kept.iter().all(|k| overlap(&k.frame, &face.frame) <= OVERLAP_MAX)
        {
            kept.push(face);
        }
    }
    kept
}

fn overlap(a: &[f32; 4], b: &[f32; 4]) -> f32 {
    let along = |at: usize| (a[at] + a[at + 2]).min(b[at] + b[at + 2]) - a[at].max(b[at]);
    let common = along(0).max(0.0) * along(1).max(0.0);
    common / (a[2] * a[3] + b[2] * b[3] - common).max(f32::MIN_POSITIVE)
}

/// The photo scaled to `width` and `height` in the upper left corner of a black canvas.
///
/// Each pixel is the mean of what it covers, so that nothing is skipped however much the photo
/// shrinks.
fn on_canvas(photo: &RgbImage, [width, height]: [u32; 2], canvas: [u32; 2]) -> Vec<f32> {
    let line = canvas[0] as usize * 3;
    let mut rgb = vec![0.0; line * canvas[1] as usize];
    if (width, height) == photo.dimensions() {
        for (to, from) in rgb.chunks_mut(line).zip(photo.as_raw().chunks(width as usize * 3)) {
            for (t, &f) in to.iter_mut().zip(from) {
                *t = f32::from(f);
            }
        }
        return rgb;
    }
    let columns = shares(photo.width(), width);
    let rows = shares(photo.height(), height);
    let photo_line = photo.width() as usize * 3;
    let mut narrow = vec![0.0f32; width as usize * 3];
    let mut narrowed = usize::MAX;
    for (to, row) in rgb.chunks_mut(line).zip(&rows) {
        for (at, share) in row.each() {
            // Neighbouring rows share a line at their border; it is narrowed once.
            if narrowed != at {
                narrow_line(
                    &photo.as_raw()[at * photo_line..(at + 1) * photo_line],
                    &columns,
                    &mut narrow,
                );
                narrowed = at;
            }
            for (t, &n) in to.iter_mut().zip(&narrow) {
                *t += n * share;
            }
        }
    }
    rgb
}

fn narrow_line(from: &[u8], columns: &[Shares], to: &mut [f32]) {
    let (pixels, _) = from.as_chunks::<3>();
    let (narrow, _) = to.as_chunks_mut::<3>();
    for (to, column) in narrow.iter_mut().zip(columns) {
        let mut sum = [0.0; 3];
        for (at, share) in column.each() {
            for (s, &v) in sum.iter_mut().zip(&pixels[at]) {
                *s += f32::from(v) * share;
            }
        }
        *to = sum;
    }
}

/// The shares of one pixel of the copy along one axis: the neighbouring pixels of the photo that it
/// is the mean of, the first and the last only in part.
struct Shares {
    first: usize,
    last: usize,
    first_share: f32,
    last_share: f32,
    share: f32,
}

impl Shares {
    fn each(&self) -> impl Iterator<Item = (usize, f32)> {
        (self.first..=self.last).map(|at| {
            let share = if at == self.first {
                self.first_share
            } else if at == self.last {
                self.last_share
            } else {
                self.share
            };
            (at, share)
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "within the photo's side, shares within 0 to 1"
)]
fn shares(from: u32, to: u32) -> Vec<Shares> {
    let step = f64::from(from) / f64::from(to);
    (0..to)
        .map(|at| {
            let (begin, end) =
                (f64::from(at) * step, (f64::from(at + 1) * step).min(f64::from(from)));
            let first = begin.floor() as usize;
            let last = ((end.ceil() as usize).max(first + 1) - 1).min(from as usize - 1);
            let (first_end, last_begin) =
                ((begin.floor() + 1.0).min(end), (end.ceil() - 1.0).max(begin));
            Shares {
                first,
                last,
                first_share: ((first_end - begin) / (end - begin)) as f32,
                last_share: ((end - last_begin) / (end - begin)) as f32,
                share: (1.0 / (end - begin)) as f32,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(score: f32, frame: [f32; 4], apart: f32) -> Face {
        let mut landmarks = [[frame[0], frame[1]]; 5];
        landmarks[1][0] += apart;
        Face { score, frame, landmarks }
    }

    #[test]
    fn of_overlapping_frames_the_surest_stays() {
        let found = distinct(vec![
            face(0.7, [0.0, 0.0, 10.0, 10.0], 5.0),
            face(0.9, [1.0, 1.0, 10.0, 10.0], 5.0),
            face(0.8, [40.0, 0.0, 10.0, 10.0], 5.0),
        ]);
        assert_eq!(found.iter().map(|f| f.score).collect::<Vec<_>>(), [0.9, 0.8]);
    }

    #[test]
    fn a_face_is_usable_by_its_eyes_and_the_detectors_confidence() {
        let frame = [0.0, 0.0, 50.0, 50.0];
        assert!(unusable(&face(0.9, frame, 20.0)).is_none());
        assert!(matches!(
            unusable(&face(0.9, frame, EYES_APART_PX_MIN - 0.5)),
            Some(UnusableFace::TooSmall { .. })
        ));
        assert!(matches!(
            unusable(&face(USABLE_SCORE_MIN - 0.01, frame, 20.0)),
            Some(UnusableFace::Unclear { .. })
        ));
    }

    #[test]
    fn shares_of_a_pixel_sum_to_one_and_cover_the_photo() {
        for (from, to) in [(640, 640), (1000, 640), (4000, 320), (641, 640), (33, 32), (7, 1)] {
            let shares = shares(from, to);
            assert_eq!(shares[0].first, 0);
            assert_eq!(shares[to as usize - 1].last, from as usize - 1);
            for pixel in &shares {
                assert!(
                    (pixel.each().map(|(_, s)| s).sum::<f32>() - 1.0).abs() < 1e-5,
                    "{from} {to}"
                );
            }
        }
    }

    #[test]
    fn a_copy_keeps_the_mean_of_what_it_covers_and_the_rest_of_the_canvas_is_black() {
        let photo = RgbImage::from_fn(100, 60, |x, y| {
            image::Rgb([if x % 2 == 0 { 0 } else { 200 }, if y < 30 { 10 } else { 250 }, 7])
        });
        let rgb = on_canvas(&photo, [50, 30], [64, 32]);
        assert_eq!(rgb.len(), 64 * 32 * 3);
        let at = |x: usize, y: usize| [0, 1, 2].map(|c| rgb[(y * 64 + x) * 3 + c]);
        for (found, wanted) in [
            (at(0, 0), [100.0, 10.0, 7.0]),
            (at(49, 29), [100.0, 250.0, 7.0]),
            (at(50, 0), [0.0; 3]),
            (at(0, 30), [0.0; 3]),
        ] {
            assert!(
                found.iter().zip(wanted).all(|(f, w)| (f - w).abs() < 1e-3),
                "{found:?} {wanted:?}"
            );
        }
        let same = on_canvas(&photo, [100, 60], [128, 64]);
        assert_eq!(same[3..6], [200.0, 10.0, 7.0]);
    }
}
