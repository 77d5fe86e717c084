//! Image quality: how well a probe serves, as named measures of one face, each with a verdict and a
//! line of plain advice.
//!
//! The measures follow those of ISO/IEC 29794-5 and its reference implementation OFIQ in name and
//! idea. They are **OFIQ-style, not conformant**: they are taken from the embedder's own aligned
//! crop, without a network for face parsing or pose.
//!
//! What is low or poor is said by the embedder's manifest, since it was measured with that model.
//! Measures that block are few: the length of the embedder's output is the one that predicts
//! misses; eyes too close together and a face that the detector isn't sure of are refused before
//! there is a sheet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::face::Face;

/// Luminance up to which a pixel counts as too dark.
const UNDER_MAX: u8 = 25;
/// Luminance from which a pixel counts as too bright.
const OVER_MIN: u8 = 247;
/// Steps of luminance in which the face's halves are compared: fewer than 256, since a half of the
/// crop has few thousand pixels.
const HALF_STEPS: usize = 32;
/// The part of an aligned crop of 112 px that shows the face from brow to chin: left, top, right,
/// bottom. The nose's tip lies at 56.
const INNER: [u32; 4] = [22, 30, 90, 104];
const TEMPLATE_SIDE_PX: u32 = 112;

/// A measure of image quality.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum QualityMeasure {
    /// Length of the embedder's output before normalisation; its scale belongs to the model.
    EmbeddingLength,
    /// Pixels between the centres of the eyes, in the image as searched; score 100 s((px - 70) /
    /// 20) with s(x) = 1 / (1 + e^-x).
    EyesApart,
    /// The detector's score, 0 to 1.
    DetectorScore,
    /// Variance of the Laplacian over the variance of luminance, both of the aligned crop.
    Sharpness,
    /// How much this face outweighs the largest other: score 100 (1 - A2 / A1) of the frames'
    /// areas.
    SingleFace,
    /// Mean luminance of the inner face, 0 to 255.
    LuminanceMean,
    /// Variance of its luminance.
    LuminanceVariance,
    /// Share of its pixels with luminance of at most 25.
    UnderExposure,
    /// Share of its pixels with luminance of at least 247.
    OverExposure,
    /// Common part of the luminance histograms of the face's left and right half, 0 to 1.
    IlluminationUniformity,
    /// 12.5 times the entropy of its luminance in bits, 0 to 100.
    DynamicRange,
}

/// The verdict on a measure: what its value means for the search.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum QualityVerdict {
    /// The model's manifest has no bounds for this measure.
    Unrated,
    /// As good as most.
    Fine,
    /// A better image would help.
    Low,
    /// Among the worst that were measured.
    Poor,
}

/// A reading: one measure of one face.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    pub measure: QualityMeasure,
    /// Its value in the measure's own unit, to three places.
    pub value: f64,
    /// The same on a scale of 0 to 100, higher is better, where the measure has one.
    pub score: Option<f64>,
    pub verdict: QualityVerdict,
}

/// A quality sheet: all readings of one face, in the order of `QualityMeasure`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
pub struct QualitySheet(pub Vec<Reading>);

/// The bounds of a measure: from where on it is low or poor. Each may be absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// A value below is low.
    pub low_below: Option<f64>,
    /// A value below is poor.
    pub poor_below: Option<f64>,
    /// A value above is low.
    pub low_above: Option<f64>,
    /// A value above is poor.
    pub poor_above: Option<f64>,
}

/// The bounds of all measures, as a model's manifest has them.
pub type QualityBounds = BTreeMap<QualityMeasure, Bounds>;

impl QualityMeasure {
    /// All measures, in the order of a sheet.
    pub const ALL: [Self; 11] = [
        Self::EmbeddingLength,
        Self::EyesApart,
        Self::DetectorScore,
        Self::Sharpness,
        Self::SingleFace,
        Self::LuminanceMean,
        Self::LuminanceVariance,
        Self::UnderExposure,
        Self::OverExposure,
        Self::IlluminationUniformity,
        Self::DynamicRange,
    ];

    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::EmbeddingLength => "Embedding length",
            Self::EyesApart => "Distance between the eyes",
            Self::DetectorScore => "Detector score",
            Self::Sharpness => "Sharpness",
            Self::SingleFace => "Single face",
            Self::LuminanceMean => "Brightness",
            Self::LuminanceVariance => "Variation of brightness",
            Self::UnderExposure => "Too dark",
            Self::OverExposure => "Too bright",
            Self::IlluminationUniformity => "Even light from left and right",
            Self::DynamicRange => "Range of tones",
        }
    }

    /// The unit of its value; empty where it has none.
    pub fn unit(self) -> &'static str {
        match self {
            Self::EyesApart => "px",
            Self::UnderExposure | Self::OverExposure => "share of the face",
            Self::LuminanceMean => "of 255",
            Self::SingleFace | Self::DynamicRange => "of 100",
            Self::DetectorScore | Self::IlluminationUniformity => "of 1",
            Self::EmbeddingLength | Self::Sharpness | Self::LuminanceVariance => "",
        }
    }

    /// Whether a poor value stops the search unless a reason to go on is recorded.
    pub fn blocks(self) -> bool {
        matches!(self, Self::EmbeddingLength)
    }

    fn advice(self) -> &'static str {
        match self {
            Self::EmbeddingLength => {
                "The model makes little of this face. Ask for another image: facing the camera, \
                 uncovered, sharp, evenly lit."
            }
            Self::EyesApart => {
                "The face is small. Ask for the original file instead of a screenshot or a photo \
                 of a screen; enlarging adds nothing."
            }
            Self::DetectorScore => {
                "The face is partly covered, turned away or unclear. Choose a frame in which it is \
                 uncovered and facing the camera."
            }
            Self::Sharpness => {
                "The face is blurred. Choose another frame, or ask for the original before it was \
                 compressed or sent on."
            }
            Self::SingleFace => {
                "Other faces are about as large. See that the face chosen is the person sought."
            }
            Self::LuminanceMean => {
                "The face as a whole is very dark or very bright. An exposure edit may help; a \
                 better lit frame helps more."
            }
            Self::LuminanceVariance => {
                "The face has hardly any contrast, or a very hard one. A contrast edit may help; \
                 another frame helps more."
            }
            Self::UnderExposure => {
                "Parts of the face are black and hold nothing to compare. Choose a brighter frame; \
                 brightening won't bring them back."
            }
            Self::OverExposure => {
                "Parts of the face are white and hold nothing to compare. Choose a frame without \
                 glare or flash."
            }
            Self::IlluminationUniformity => {
                "One side of the face is much darker. Choose a frame that is lit from the front."
            }
            Self::DynamicRange => {
                "The face has few tones, as after strong compression or a copy of a copy. Ask for \
                 the original file."
            }
        }
    }
}

impl QualityVerdict {
    /// The verdict in one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unrated => "not rated",
            Self::Fine => "fine",
            Self::Low => "low",
            Self::Poor => "poor",
        }
    }
}

impl Reading {
    /// One line of plain advice; none where nothing is wrong.
    pub fn advice(&self) -> Option<&'static str> {
        matches!(self.verdict, QualityVerdict::Low | QualityVerdict::Poor)
            .then(|| self.measure.advice())
    }
}

impl QualitySheet {
    /// The reading of one measure.
    pub fn reading(&self, measure: QualityMeasure) -> Option<&Reading> {
        self.0.iter().find(|reading| reading.measure == measure)
    }

    /// What stops a search unless a reason to go on is recorded.
    pub fn blocking(&self) -> impl Iterator<Item = &Reading> {
        self.0
            .iter()
            .filter(|reading| reading.verdict == QualityVerdict::Poor && reading.measure.blocks())
    }

    /// Whether a search needs a recorded reason to go on.
    pub fn needs_a_reason(&self) -> bool {
        self.blocking().next().is_some()
    }
}

impl Bounds {
    /// What a value means under these bounds.
    pub fn verdict(&self, value: f64) -> QualityVerdict {
        let beyond = |below: Option<f64>, above: Option<f64>| {
            below.is_some_and(|b| value < b) || above.is_some_and(|a| value > a)
        };
        if beyond(self.poor_below, self.poor_above) {
            QualityVerdict::Poor
        } else if beyond(self.low_below, self.low_above) {
            QualityVerdict::Low
        } else {
            QualityVerdict::Fine
        }
    }

    /// What is wrong with the bounds themselves, if anything.
    pub(super) fn flaw(&self) -> Option<String> {
        let all = [self.poor_below, self.low_below, self.low_above, self.poor_above];
        let given: Vec<f64> = all.into_iter().flatten().collect();
        let in_order = given.iter().all(|v| v.is_finite()) && given.is_sorted();
        (given.is_empty() || !in_order).then(|| {
            format!(
                "{given:?}, wanted at least one of poor_below <= low_below <= \
                low_above <= poor_above"
            )
        })
    }
}

/// Measures the face at `chosen`.
///
/// Shapes: `crop` is the aligned face, `side` x `side` pixels of interleaved RGB, 0 to 255.
pub(super) fn measure(
    faces: &[Face],
    chosen: usize,
    crop: &[f32],
    side: u32,
    length: f64,
    bounds: &QualityBounds,
) -> QualitySheet {
    let face = &faces[chosen];
    let [left, right, ..] = face.landmarks.map(|p| p.map(f64::from));
    let apart = (left[0] - right[0]).hypot(left[1] - right[1]);
    let area = |face: &Face| f64::from(face.frame[2]) * f64::from(face.frame[3]);
    let largest_other =
        (0..faces.len()).filter(|&at| at != chosen).map(|at| area(&faces[at])).fold(0.0, f64::max);
    let single =
        (100.0 * (1.0 - largest_other / area(face).max(f64::MIN_POSITIVE))).clamp(0.0, 100.0);
    let luminance = Luminance::of(crop, side);
    let inner = luminance.inner();
    let readings = [
        (QualityMeasure::EmbeddingLength, length, None),
        (QualityMeasure::EyesApart, apart, Some(100.0 / (1.0 + ((70.0 - apart) / 20.0).exp()))),
        (QualityMeasure::DetectorScore, f64::from(face.score), None),
        (QualityMeasure::Sharpness, luminance.sharpness(), None),
        (QualityMeasure::SingleFace, single, Some(single)),
        (QualityMeasure::LuminanceMean, inner.mean, None),
        (QualityMeasure::LuminanceVariance, inner.variance, None),
        (QualityMeasure::UnderExposure, inner.under, Some(100.0 * (1.0 - inner.under))),
        (QualityMeasure::OverExposure, inner.over, Some(100.0 * (1.0 - inner.over))),
        (QualityMeasure::IlluminationUniformity, inner.uniformity, Some(100.0 * inner.uniformity)),
        (QualityMeasure::DynamicRange, 12.5 * inner.entropy, Some(12.5 * inner.entropy)),
    ];
    let reading = |(measure, value, score): (QualityMeasure, f64, Option<f64>)| {
        // The verdict is of the value that is shown, so that nobody wonders at it.
        let value = places(value);
        let verdict = bounds.get(&measure).map_or(QualityVerdict::Unrated, |b| b.verdict(value));
        Reading { measure, value, score: score.map(places), verdict }
    };
    QualitySheet(readings.into_iter().map(reading).collect())
}

fn places(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

/// An aligned crop in grey.
struct Luminance {
    side: usize,
    grey: Vec<f64>,
}

/// Figures of the inner face.
struct Inner {
    mean: f64,
    variance: f64,
    under: f64,
    over: f64,
    uniformity: f64,
    entropy: f64,
}

impl Luminance {
    fn of(crop: &[f32], side: u32) -> Self {
        let grey = crop.as_chunks::<3>().0.iter().map(|[r, g, b]| {
            0.2126 * f64::from(*r) + 0.7152 * f64::from(*g) + 0.0722 * f64::from(*b)
        });
        Self { side: side as usize, grey: grey.collect() }
    }

    /// Variance of the Laplacian over 1 and the variance: a soft image of much contrast is no
    /// sharper than the same with little.
    fn sharpness(&self) -> f64 {
        let at = |x: usize, y: usize| self.grey[y * self.side + x];
        let inside = (1..self.side - 1).flat_map(|y| (1..self.side - 1).map(move |x| (x, y)));
        let laplacian = inside.map(|(x, y)| {
            at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4.0 * at(x, y)
        });
        let (_, edges) = mean_and_variance(&laplacian.collect::<Vec<_>>());
        let (_, contrast) = mean_and_variance(&self.grey);
        edges / (contrast + 1.0)
    }

    fn inner(&self) -> Inner {
        let scaled = |v: u32| v as usize * self.side / TEMPLATE_SIDE_PX as usize;
        let [left, top, right, bottom] = INNER.map(scaled);
        let middle = scaled(TEMPLATE_SIDE_PX / 2);
        let part = |from: usize, to: usize| -> Vec<f64> {
            (top..bottom)
                .flat_map(|y| self.grey[y * self.side + from..y * self.side + to].iter().copied())
                .collect()
        };
        let all = part(left, right);
        let (mean, variance) = mean_and_variance(&all);
        let histogram = shares(&all, 256);
        let halves =
            [part(left, middle), part(middle, right)].map(|half| shares(&half, HALF_STEPS));
        Inner {
            mean,
            variance,
            under: histogram[..=usize::from(UNDER_MAX)].iter().sum(),
            over: histogram[usize::from(OVER_MIN)..].iter().sum(),
            uniformity: halves[0].iter().zip(&halves[1]).map(|(l, r)| l.min(*r)).sum(),
            entropy: histogram.iter().filter(|&&p| p > 0.0).map(|p| -p * p.log2()).sum(),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "pixels of a crop are far below 2^52")]
fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n)
}

/// A histogram of luminance in so many steps, as shares.
fn shares(values: &[f64], steps: usize) -> Vec<f64> {
    let mut counts = vec![0u32; steps];
    for value in values {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to a byte"
        )]
        let byte = value.round().clamp(0.0, 255.0) as usize;
        counts[byte * steps / 256] += 1;
    }
    #[expect(clippy::cast_precision_loss, reason = "pixels of a crop are far below 2^52")]
    let all = values.len().max(1) as f64;
    counts.into_iter().map(|count| f64::from(count) / all).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: u32 = 112;

    fn crop(value: impl Fn(u32, u32) -> f32) -> Vec<f32> {
        (0..SIDE)
            .flat_map(|y| (0..SIDE).map(move |x| (x, y)))
            .flat_map(|(x, y)| [value(x, y); 3])
            .collect()
    }

    fn face(frame: [f32; 4]) -> Face {
        Face {
            score: 0.9,
            frame,
            landmarks: [[10.0, 10.0], [80.0, 10.0], [40.0, 40.0], [20.0, 70.0], [60.0, 70.0]],
        }
    }

    fn read(crop: &[f32], measure_wanted: QualityMeasure) -> f64 {
        measure(&[face([0.0, 0.0, 100.0, 100.0])], 0, crop, SIDE, 10.0, &QualityBounds::new())
            .reading(measure_wanted)
            .unwrap()
            .value
    }

    #[test]
    fn a_sheet_has_every_measure_once_and_the_published_values() {
        let faces = [face([0.0, 0.0, 100.0, 100.0]), face([0.0, 0.0, 50.0, 100.0])];
        let sheet = measure(&faces, 0, &crop(|_, _| 100.0), SIDE, 7.25, &QualityBounds::new());
        assert_eq!(sheet.0.iter().map(|r| r.measure).collect::<Vec<_>>(), QualityMeasure::ALL);
        let of = |m| sheet.reading(m).map(|r| (r.value, r.score)).unwrap();
        assert_eq!(of(QualityMeasure::EmbeddingLength), (7.25, None));
        assert_eq!(of(QualityMeasure::EyesApart), (70.0, Some(50.0)));
        assert_eq!(of(QualityMeasure::SingleFace), (50.0, Some(50.0)));
        assert_eq!(of(QualityMeasure::LuminanceMean), (100.0, None));
        assert_eq!(of(QualityMeasure::DynamicRange), (0.0, Some(0.0)), "one tone");
        assert!(
            sheet.0.iter().all(|r| r.verdict == QualityVerdict::Unrated && r.advice().is_none())
        );
        let other = measure(&faces, 1, &crop(|_, _| 100.0), SIDE, 7.25, &QualityBounds::new());
        assert_eq!(
            other.reading(QualityMeasure::SingleFace).unwrap().value,
            0.0,
            "the other face is larger"
        );
    }

    #[test]
    fn light_and_sharpness_are_seen_as_they_are() {
        let shaded = |x: u32, _| if x < SIDE / 2 { 15.0 } else { 250.0 };
        assert_eq!(read(&crop(shaded), QualityMeasure::UnderExposure), 0.5);
        assert_eq!(read(&crop(shaded), QualityMeasure::OverExposure), 0.5);
        assert_eq!(read(&crop(shaded), QualityMeasure::IlluminationUniformity), 0.0);
        let even = |_, y: u32| f32::from(u8::try_from(y).unwrap()) * 2.0;
        assert_eq!(read(&crop(even), QualityMeasure::IlluminationUniformity), 1.0);
        assert!(read(&crop(even), QualityMeasure::DynamicRange) > 70.0);
        let wave = |length: f32| {
            move |x: u32, _: u32| {
                128.0 + 60.0 * (f32::from(u8::try_from(x).unwrap()) / length).sin()
            }
        };
        assert!(
            read(&crop(wave(1.0)), QualityMeasure::Sharpness)
                > 10.0 * read(&crop(wave(4.0)), QualityMeasure::Sharpness)
        );
    }

    #[test]
    fn a_verdict_follows_its_bounds_and_only_a_poor_length_blocks() {
        let bounds = Bounds {
            low_below: Some(8.0),
            poor_below: Some(6.0),
            low_above: None,
            poor_above: Some(30.0),
        };
        let wanted = [
            (5.9, QualityVerdict::Poor),
            (6.0, QualityVerdict::Low),
            (8.0, QualityVerdict::Fine),
            (30.0, QualityVerdict::Fine),
            (30.1, QualityVerdict::Poor),
        ];
        for (value, verdict) in wanted {
            assert_eq!(bounds.verdict(value), verdict, "{value}");
        }
        let all: QualityBounds = QualityMeasure::ALL
            .into_iter()
            .map(|m| (m, Bounds { poor_below: Some(1e9), ..Bounds::default() }))
            .collect();
        let sheet = measure(&[face([0.0, 0.0, 9.0, 9.0])], 0, &crop(|_, _| 9.0), SIDE, 5.0, &all);
        assert!(sheet.0.iter().all(|r| r.verdict == QualityVerdict::Poor && r.advice().is_some()));
        assert_eq!(
            sheet.blocking().map(|r| r.measure).collect::<Vec<_>>(),
            [QualityMeasure::EmbeddingLength]
        );
        assert!(sheet.needs_a_reason());
    }

    #[test]
    fn a_sheet_is_read_as_it_is_written() {
        let sheet = measure(
            &[face([0.0, 0.0, 9.0, 9.0])],
            0,
            &crop(|x, _| f32::from(u8::try_from(x).unwrap())),
            SIDE,
            5.0,
            &QualityBounds::new(),
        );
        let text = serde_json::to_string(&sheet).unwrap();
        assert!(
            text.starts_with(
                r#"[{"measure":"embedding_length","value":5.0,"score":null,"verdict":"unrated"}"#
            ),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<QualitySheet>(&text).unwrap(), sheet);
    }
}
