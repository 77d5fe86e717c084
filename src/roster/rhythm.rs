//! The rhythm of searches: how regular somebody's are, as a pure function of their times. People
//! pause for as long as a case takes, a machine as it was told.

use crate::calendar::Time;
use crate::limits::{RHYTHM_GAPS_MIN, RHYTHM_REGULAR_BELOW};

/// The rhythm of one operator's searches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rhythm {
    /// Searches.
    pub searches: u64,
    /// Days, UTC, with a search.
    pub days: u64,
    /// Gaps: from one search to the next on the same day. Nights and days off are none.
    pub gaps: u64,
    /// Their mean, in seconds; 0 where there is none.
    pub mean_gap_s: f64,
    /// The coefficient of variation of the gaps, their standard deviation (of a sample: n - 1)
    /// divided by their mean: 0 of a clock's beat, 1 of events that know nothing of each other.
    /// None of fewer than `RHYTHM_GAPS_MIN` gaps, or where all searches came at once.
    ///
    /// Source: Cox and Lewis, The Statistical Analysis of Series of Events, 1966.
    pub variation: Option<f64>,
}

impl Rhythm {
    /// Of searches at these times, the earliest first.
    #[expect(
        clippy::cast_precision_loss,
        reason = "gaps of a day and their number are exact in 53 bits"
    )]
    pub fn of(times: &[Time]) -> Self {
        let same_day = |pair: &&[Time]| pair[0].days() == pair[1].days();
        let gaps: Vec<f64> = times
            .windows(2)
            .filter(same_day)
            .map(|pair| pair[1].since(pair[0]).cs() as f64 / 100.0)
            .collect();
        let nights = times.windows(2).filter(|pair| !same_day(pair)).count() as u64;
        let count = gaps.len() as f64;
        let mean_gap_s = if gaps.is_empty() { 0.0 } else { gaps.iter().sum::<f64>() / count };
        let squares: f64 = gaps.iter().map(|gap| (gap - mean_gap_s).powi(2)).sum();
        let enough = gaps.len() as u64 >= RHYTHM_GAPS_MIN && mean_gap_s > 0.0;
        Self {
            searches: times.len() as u64,
            days: if times.is_empty() { 0 } else { nights + 1 },
            gaps: gaps.len() as u64,
            mean_gap_s,
            variation: enough.then(|| (squares / (count - 1.0)).sqrt() / mean_gap_s),
        }
    }

    /// Whether somebody should look at what was searched, and why so evenly.
    pub fn is_regular(&self) -> bool {
        self.variation.is_some_and(|variation| variation < RHYTHM_REGULAR_BELOW)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::Span;

    /// Midnight of a day.
    const MIDNIGHT: Time = Time::from_cs(Span::days(20_780).cs());

    fn of(days: &[&[u64]]) -> Rhythm {
        let at = |(day, seconds): (u64, &&[u64])| {
            let midnight = MIDNIGHT + Span::days(day);
            seconds.iter().map(move |&s| midnight + Span::seconds(s)).collect::<Vec<_>>()
        };
        Rhythm::of(&(0..).zip(days).flat_map(at).collect::<Vec<_>>())
    }

    #[test]
    fn a_clocks_beat_has_no_variation_and_pauses_as_they_come_have_much() {
        let beat: Vec<u64> = (0..20).map(|n| 30_000 + n * 60).collect();
        let even = of(&[&beat]);
        assert_eq!(
            (even.searches, even.days, even.gaps, even.mean_gap_s, even.variation),
            (20, 1, 19, 60.0, Some(0.0))
        );
        assert!(even.is_regular());
        // Gaps of 60 and 180 in turn: their deviation is 60 (n / (n - 1)) ^ 0.5, their mean 120.
        let turns: Vec<u64> = (0..21).map(|n| 30_000 + n / 2 * 240 + n % 2 * 60).collect();
        let turns = of(&[&turns]);
        assert!(
            (turns.variation.unwrap() - 0.5 * (20.0f64 / 19.0).sqrt()).abs() < 1e-12,
            "{turns:?}"
        );
        // Ten quick ones and an hour between two bursts: what work looks like.
        let bursts: Vec<u64> =
            (0..6).map(|n| 30_000 + n * 40).chain((0..6).map(|n| 40_000 + n * 40)).collect();
        assert!(of(&[&bursts]).variation.unwrap() > 2.0 && !of(&[&bursts]).is_regular());
    }

    #[test]
    fn nights_are_no_gaps_and_of_few_gaps_nothing_is_said() {
        let day: Vec<u64> = (0..6).map(|n| 30_000 + n * 300).collect();
        let two = of(&[&day, &day]);
        assert_eq!(
            (two.searches, two.days, two.gaps, two.mean_gap_s, two.variation),
            (12, 2, 10, 300.0, Some(0.0))
        );
        assert_eq!((of(&[&day]).gaps, of(&[&day]).variation), (5, None));
        let single = of(&[&[30_000], &[30_000], &[], &[30_000]]);
        assert_eq!((single.searches, single.days, single.gaps, single.variation), (3, 3, 0, None));
        assert_eq!((of(&[]).searches, of(&[]).days, of(&[]).variation), (0, 0, None));
        assert_eq!(of(&[&[7; 30]]).variation, None, "all at once has no rhythm");
    }
}
