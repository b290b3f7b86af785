//! What a condition compares: the measure that a correlation type takes of a window.

use super::tally::Tally;
use super::window::Match;
use crate::rule::{Correlation, CorrelationKind};

/// Measures windows; kept between events for its memory alone.
#[derive(Debug, Default)]
pub(super) struct Measure {
    values: Vec<u64>,
    numbers: Vec<(f64, u64)>,
    /// For each step the longest order of steps up to it.
    longest: Vec<u32>,
    tally: Tally,
}

impl Measure {
    /// What measures windows that slide.
    pub(super) fn tally(&mut self) -> &mut Tally {
        &mut self.tally
    }

    /// Whether the correlation's condition holds of a window, which ends with its last match.
    pub(super) fn holds(&mut self, correlation: &Correlation, window: &[Match]) -> bool {
        let measure = match correlation.kind {
            CorrelationKind::EventCount => Some(total(window) as f64),
            CorrelationKind::ValueCount => Some(self.distinct(window) as f64),
            CorrelationKind::Temporal => Some(f64::from(steps(window))),
            CorrelationKind::TemporalOrdered => Some(self.ordered(correlation, window)),
            CorrelationKind::ValueSum => Some(sum(window)),
            CorrelationKind::ValueAverage => match total(window) {
                0 => None,
                total => Some(sum(window) / total as f64),
            },
            CorrelationKind::ValuePercentile(percent) => self.percentile(window, percent),
            CorrelationKind::ValueShare => share(window),
        };
        measure.is_some_and(|measure| correlation.threshold.holds(measure))
    }

    fn distinct(&mut self, window: &[Match]) -> usize {
        self.values.clear();
        self.values.extend(window.iter().map(|found| found.value));
        self.values.sort_unstable();
        self.values.dedup();
        self.values.len()
    }

    /// The most rules that match in the order of the correlation.
    fn ordered(&mut self, correlation: &Correlation, window: &[Match]) -> f64 {
        self.longest.clear();
        self.longest.resize(correlation.steps.len(), 0);
        for found in window {
            let step = usize::from(found.step);
            let before = step.checked_sub(1).and_then(|before| self.longest.get(before));
            let length = before.copied().unwrap_or(0) + 1;
            for longest in self.longest.iter_mut().skip(step) {
                if *longest >= length {
                    break;
                }
                *longest = length;
            }
        }
        self.longest.last().copied().map_or(0.0, f64::from)
    }

    /// The percentile by linear interpolation between the two nearest ranks.
    fn percentile(&mut self, window: &[Match], percent: f64) -> Option<f64> {
        self.numbers.clear();
        self.numbers.extend(window.iter().map(|found| (f64::from_bits(found.value), found.times)));
        let last = total(window).checked_sub(1)?;
        let rank = percent / 100.0 * last as f64;
        let (lower, upper) = if self.numbers.iter().all(|(_, times)| *times == 1) {
            self.around(rank)?
        } else {
            self.numbers.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
            (self.at_rank(rank.floor() as u64)?, self.at_rank(rank.ceil() as u64)?)
        };
        Some(lower + (upper - lower) * rank.fract())
    }

    /// The numbers right below and above a rank, where each counts once: without sorting them all.
    fn around(&mut self, rank: f64) -> Option<(f64, f64)> {
        let place = (rank.floor() as usize).min(self.numbers.len().checked_sub(1)?);
        let (_, lower, above) =
            self.numbers.select_nth_unstable_by(place, |one, other| one.0.total_cmp(&other.0));
        let lower = lower.0;
        if rank.fract() == 0.0 {
            return Some((lower, lower));
        }
        let upper = above.iter().map(|(number, _)| *number).min_by(f64::total_cmp);
        Some((lower, upper.unwrap_or(lower)))
    }

    /// The number at a rank; they are sorted.
    fn at_rank(&self, rank: u64) -> Option<f64> {
        let mut passed = 0_u64;
        let mut found = self.numbers.iter().filter(|(_, times)| {
            passed = passed.saturating_add(*times);
            passed > rank
        });
        found.next().map(|(number, _)| *number)
    }
}

/// How often the events of a window happened.
fn total(window: &[Match]) -> u64 {
    window.iter().fold(0, |total, found| total.saturating_add(found.times))
}

fn sum(window: &[Match]) -> f64 {
    window.iter().map(|found| f64::from_bits(found.value) * found.times as f64).sum()
}

/// How many different steps matched; a correlation has at most 64.
fn steps(window: &[Match]) -> u32 {
    window.iter().fold(0_u64, |seen, found| seen | 1 << (found.step & 63)).count_ones()
}

/// How many percent of the events have the value of the last one.
fn share(window: &[Match]) -> Option<f64> {
    let last = window.last()?;
    let same = window.iter().filter(|found| found.value == last.value);
    let same = same.fold(0_u64, |same, found| same.saturating_add(found.times));
    match total(window) {
        0 => None,
        total => Some(same as f64 * 100.0 / total as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(values: &[(f64, u64)]) -> Vec<Match> {
        let found = |(value, times): &(f64, u64)| Match {
            value: value.to_bits(),
            times: *times,
            ..Match::default()
        };
        values.iter().map(found).collect()
    }

    #[test]
    fn percentiles_lie_between_the_nearest_ranks() {
        let values = window(&[(4.0, 1), (1.0, 1), (3.0, 1), (2.0, 1)]);
        let mut measure = Measure::default();
        for (percent, expected) in [(0.0, 1.0), (50.0, 2.5), (100.0, 4.0), (90.0, 3.7)] {
            let found = measure.percentile(&values, percent).unwrap();
            assert!((found - expected).abs() < 1e-9, "{percent}: {found}");
        }
        assert_eq!(measure.percentile(&window(&[(7.0, 1)]), 99.0), Some(7.0));
        assert_eq!(measure.percentile(&window(&[(1.0, 3), (9.0, 1)]), 50.0), Some(1.0));
        assert_eq!(measure.percentile(&[], 50.0), None);
    }

    #[test]
    fn a_share_is_that_of_the_last_value() {
        assert_eq!(share(&window(&[(1.0, 2), (2.0, 1), (1.0, 1)])), Some(75.0));
        assert_eq!(share(&[]), None);
    }
}
