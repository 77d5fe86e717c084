//! What the measures of a quality sheet say about misses: the figures from which a manifest's
//! bounds are taken.

use std::fmt;

use serde::Serialize;
use smrt::embed::{QualityMeasure, QualitySheet, QualityVerdict};

use super::outcome::share;

/// One in so many probes is taken for the worst.
const WORST_ONE_IN: usize = 20;

/// One probe that was searched: what was measured of it, and how the search went.
pub(super) struct Searched<'a> {
    pub(super) sheet: &'a QualitySheet,
    pub(super) went: Went,
}

/// How a search went.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Went {
    /// The subject is enrolled: the score of the subject's best photo, and whether it was missed.
    Mated { score: f64, missed: bool },
    /// The subject isn't: whether somebody else came above the threshold.
    NonMated { alarm: bool },
}

/// What one measure says.
#[derive(Debug, Serialize)]
pub(super) struct MeasureFigures {
    measure: QualityMeasure,
    /// The value that 1, 5, 25, 50, 75, 95 and 99 of 100 photos as they are stay below.
    quantiles: [f64; 7],
    /// Rank correlation of the measure, better being higher, with the score of the probe's own
    /// subject.
    correlation: Option<f64>,
    /// Misses among the worst twentieth of the mated probes by this measure.
    missed_of_worst: usize,
    /// The worst twentieth.
    worst: usize,
    /// Share of misses in each tenth of the mated probes by this measure, the worst tenth first.
    missed_by_tenth: Vec<Option<f64>>,
    /// Mated probes that the model's manifest calls low, and misses among them.
    low: [usize; 2],
    /// Mated probes that it calls poor, and misses among them.
    poor: [usize; 2],
    /// Whether poor blocks.
    blocks: bool,
}

/// Searches at one threshold.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Errors {
    mated: usize,
    missed: usize,
    non_mated: usize,
    alarms: usize,
}

/// All measures, at the threshold of one false alarm in twenty photos as they are.
#[derive(Debug, Serialize)]
pub(super) struct QualityFigures {
    /// Worn probes in which no face can be used: they are refused without a sheet.
    refused: usize,
    all: Errors,
    /// Those that nothing blocks.
    passed: Errors,
    measures: Vec<MeasureFigures>,
}

impl QualityFigures {
    /// Shapes: `photos` are the sheets of all photos as they are, `searched` all probes with a
    /// face, as they are and worn.
    pub(super) fn of(photos: &[&QualitySheet], searched: &[Searched<'_>], refused: usize) -> Self {
        let mated: Vec<(&QualitySheet, f64, bool)> = searched
            .iter()
            .filter_map(|probe| match probe.went {
                Went::Mated { score, missed } => Some((probe.sheet, score, missed)),
                Went::NonMated { .. } => None,
            })
            .collect();
        let measures = QualityMeasure::ALL
            .into_iter()
            .map(|measure| MeasureFigures::of(measure, photos, &mated))
            .collect();
        let passed = searched.iter().filter(|probe| !probe.sheet.needs_a_reason());
        Self { refused, all: Errors::of(searched.iter()), passed: Errors::of(passed), measures }
    }
}

impl Errors {
    fn of<'a>(searched: impl Iterator<Item = &'a Searched<'a>>) -> Self {
        let mut errors = Self::default();
        for probe in searched {
            match probe.went {
                Went::Mated { missed, .. } => {
                    errors.mated += 1;
                    errors.missed += usize::from(missed);
                }
                Went::NonMated { alarm } => {
                    errors.non_mated += 1;
                    errors.alarms += usize::from(alarm);
                }
            }
        }
        errors
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |part, of| {
            share(part, of).map_or_else(|| "-".to_owned(), |share| format!("{share:.3}"))
        };
        write!(
            f,
            "{} of {} mated probes missed, {}; {} of {} non-mated probes a false alarm, {}",
            self.missed,
            self.mated,
            shown(self.missed, self.mated),
            self.alarms,
            self.non_mated,
            shown(self.alarms, self.non_mated)
        )
    }
}

impl MeasureFigures {
    fn of(
        measure: QualityMeasure,
        photos: &[&QualitySheet],
        mated: &[(&QualitySheet, f64, bool)],
    ) -> Self {
        let value =
            |sheet: &QualitySheet| sheet.reading(measure).map_or(f64::NAN, |reading| reading.value);
        let mut values: Vec<f64> = photos.iter().map(|sheet| value(sheet)).collect();
        values.sort_by(f64::total_cmp);
        let quantiles = [1, 5, 25, 50, 75, 95, 99]
            .map(|of_100| values.get(values.len() * of_100 / 100).copied().unwrap_or(f64::NAN));
        let goodness: Vec<f64> =
            mated.iter().map(|(sheet, ..)| goodness(measure, value(sheet), quantiles[3])).collect();
        let scores: Vec<f64> = mated.iter().map(|(_, score, _)| *score).collect();
        let mut order: Vec<usize> = (0..mated.len()).collect();
        order.sort_by(|&a, &b| goodness[a].total_cmp(&goodness[b]));
        let missed = |of: &[usize]| of.iter().filter(|&&at| mated[at].2).count();
        let tenth = |n: usize| &order[order.len() * n / 10..order.len() * (n + 1) / 10];
        let worst = &order[..order.len() / WORST_ONE_IN];
        let rated = |wanted: QualityVerdict| {
            let rated = mated.iter().filter(|(sheet, ..)| {
                sheet.reading(measure).is_some_and(|reading| reading.verdict == wanted)
            });
            rated.fold([0, 0], |[all, lost], (_, _, missed)| [all + 1, lost + usize::from(*missed)])
        };
        Self {
            measure,
            quantiles,
            correlation: correlation(&ranks(&goodness), &ranks(&scores)),
            missed_of_worst: missed(worst),
            worst: worst.len(),
            missed_by_tenth: (0..10).map(|n| share(missed(tenth(n)), tenth(n).len())).collect(),
            low: rated(QualityVerdict::Low),
            poor: rated(QualityVerdict::Poor),
            blocks: measure.blocks(),
        }
    }
}

impl fmt::Display for QualityFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nprobes as they are and worn, at the threshold of 0.05; in {} no face can be used",
            self.refused
        )?;
        writeln!(f, "all:             {}", self.all)?;
        writeln!(f, "nothing blocks:  {}", self.passed)?;
        writeln!(
            f,
            "\n{:<32}{:^35}  rank  misses of the       low      poor",
            "", "of 100 photos as they are below"
        )?;
        writeln!(
            f,
            "{:<32}{:>7}{:>7}{:>7}{:>7}{:>7}  corr  worst twentieth  missed    missed",
            "", 1, 5, 50, 95, 99
        )?;
        for m in &self.measures {
            let [q1, q5, _, q50, _, q95, q99] =
                m.quantiles.map(|q| if q < 100.0 { format!("{q:.2}") } else { format!("{q:.0}") });
            let rank = m.correlation.map_or_else(|| "-".to_owned(), |r| format!("{r:.2}"));
            let of = |[all, missed]: [usize; 2]| format!("{missed}/{all}");
            writeln!(
                f,
                "{:<32}{q1:>7}{q5:>7}{q50:>7}{q95:>7}{q99:>7}{rank:>6}{:>17}{:>8}{:>10}{}",
                m.measure.label(),
                of([m.worst, m.missed_of_worst]),
                of(m.low),
                of(m.poor),
                if m.blocks { "  blocks" } else { "" }
            )?;
        }
        Ok(())
    }
}

/// The value as better being higher: what is worse above is turned, and what is worse on both sides
/// counts from the middle.
fn goodness(measure: QualityMeasure, value: f64, median: f64) -> f64 {
    match measure {
        QualityMeasure::UnderExposure | QualityMeasure::OverExposure => -value,
        QualityMeasure::LuminanceMean | QualityMeasure::LuminanceVariance => {
            -(value - median).abs()
        }
        _ => value,
    }
}

/// Each value's place in order, equal values sharing the mean of theirs.
#[expect(clippy::cast_precision_loss, reason = "counts of probes are far below 2^52")]
fn ranks(values: &[f64]) -> Vec<f64> {
    values
        .iter()
        .map(|value| {
            let below = values.iter().filter(|other| *other < value).count();
            let equal = values.iter().filter(|other| *other == value).count();
            below as f64 + (equal as f64 + 1.0) / 2.0
        })
        .collect()
}

/// Pearson's correlation; none where one side doesn't vary.
#[expect(clippy::cast_precision_loss, reason = "counts of probes are far below 2^52")]
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let (a_mean, b_mean) = (mean(a), mean(b));
    let (mut common, mut of_a, mut of_b) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        common += (x - a_mean) * (y - b_mean);
        of_a += (x - a_mean) * (x - a_mean);
        of_b += (y - b_mean) * (y - b_mean);
    }
    let spread = (of_a * of_b).sqrt();
    (spread > 0.0).then(|| common / spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use smrt::embed::Reading;

    #[test]
    fn a_measure_that_orders_misses_says_so_and_one_that_does_not_vary_says_nothing() {
        let sheet = |length: f64| {
            let reading =
                |measure, value, verdict| Reading { measure, value, score: None, verdict };
            let verdict = if length < 2.0 { QualityVerdict::Poor } else { QualityVerdict::Fine };
            QualitySheet(vec![
                reading(QualityMeasure::EmbeddingLength, length, verdict),
                reading(QualityMeasure::UnderExposure, 40.0 - length, QualityVerdict::Low),
                reading(QualityMeasure::DetectorScore, 0.9, QualityVerdict::Fine),
            ])
        };
        let sheets: Vec<QualitySheet> = (0..40u8).map(|n| sheet(f64::from(n))).collect();
        let mated = |n: u8| Went::Mated { score: f64::from(n) / 40.0, missed: n == 1 || n == 30 };
        let mut searched: Vec<Searched<'_>> =
            sheets.iter().zip(0u8..).map(|(sheet, n)| Searched { sheet, went: mated(n) }).collect();
        searched.push(Searched { sheet: &sheets[0], went: Went::NonMated { alarm: true } });
        searched.push(Searched { sheet: &sheets[9], went: Went::NonMated { alarm: false } });
        let figures = QualityFigures::of(&sheets.iter().collect::<Vec<_>>(), &searched, 3);
        let of =
            |wanted: QualityMeasure| figures.measures.iter().find(|m| m.measure == wanted).unwrap();
        let length = of(QualityMeasure::EmbeddingLength);
        assert_eq!((length.correlation, length.missed_of_worst, length.worst), (Some(1.0), 1, 2));
        assert_eq!(
            (length.missed_by_tenth[0], length.missed_by_tenth[1], length.poor),
            (Some(0.25), Some(0.0), [2, 1])
        );
        assert_eq!((length.quantiles[1], length.quantiles[3]), (2.0, 20.0));
        let under = of(QualityMeasure::UnderExposure);
        assert_eq!((under.correlation, under.low), (Some(1.0), [40, 2]), "less of it is better");
        assert_eq!(of(QualityMeasure::DetectorScore).correlation, None);
        assert_eq!(figures.all, Errors { mated: 40, missed: 2, non_mated: 2, alarms: 1 });
        assert_eq!(figures.passed, Errors { mated: 38, missed: 1, non_mated: 1, alarms: 0 });
        assert!(figures.to_string().contains("1 of 38 mated probes missed"));
    }
}
