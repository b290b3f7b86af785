//! The numbers of one group, to tell percentiles of: exact up to a bound, past it within 1 percent.
//!
//! Past the bound numbers are counted in buckets whose limits grow by a constant factor, as in
//! DDSketch (Masson, Rim, Lee: "DDSketch: A Fast and Fully-Mergeable Quantile Sketch with
//! Relative-Error Guarantees", VLDB 2019), so that the same numbers in any order give the same answer.

use std::collections::BTreeMap;

use bergfried_event::Value;

/// A group keeps so many different numbers exactly.
const MAX_EXACT: usize = 1 << 16;
/// How far a number may be from the middle of its bucket, of itself.
const ERROR: f64 = 0.01;
/// No bucket of a finite number is as far from the first.
const FAR: i64 = 1 << 20;

/// Numbers, and how often each came.
#[derive(Clone, Debug)]
pub(super) enum Numbers {
    /// By what sorts as the number does.
    Exact(BTreeMap<u64, u64>),
    /// By bucket.
    Buckets(BTreeMap<i64, u64>),
}

impl Default for Numbers {
    fn default() -> Self {
        Numbers::Exact(BTreeMap::new())
    }
}

impl Numbers {
    /// Adds a finite number.
    pub(super) fn add(&mut self, number: f64, times: u64) {
        match self {
            Numbers::Exact(counts) => {
                *counts.entry(sortable(number)).or_default() += times;
                if counts.len() > MAX_EXACT {
                    self.give_up_exactness();
                }
            }
            Numbers::Buckets(counts) => *counts.entry(bucket(number)).or_default() += times,
        }
    }

    /// Takes in the numbers of another.
    pub(super) fn join(&mut self, other: Numbers) {
        match other {
            Numbers::Exact(counts) => {
                counts.into_iter().for_each(|(key, times)| self.add(unsortable(key), times));
            }
            Numbers::Buckets(more) => {
                self.give_up_exactness();
                if let Numbers::Buckets(counts) = self {
                    for (bucket, times) in more {
                        *counts.entry(bucket).or_default() += times;
                    }
                }
            }
        }
    }

    /// How many entries it keeps.
    pub(super) fn entries(&self) -> usize {
        match self {
            Numbers::Exact(counts) => counts.len(),
            Numbers::Buckets(counts) => counts.len(),
        }
    }

    /// Whether it tells numbers within 1 percent only.
    pub(super) fn is_approximate(&self) -> bool {
        matches!(self, Numbers::Buckets(_))
    }

    /// The least number that at least this share of them do not exceed.
    pub(super) fn percentile(&self, share: f64) -> Option<f64> {
        match self {
            Numbers::Exact(counts) => nth(counts, share).map(unsortable),
            Numbers::Buckets(counts) => nth(counts, share).map(middle),
        }
    }

    fn give_up_exactness(&mut self) {
        if let Numbers::Exact(counts) = self {
            let mut buckets = BTreeMap::new();
            for (key, times) in std::mem::take(counts) {
                *buckets.entry(bucket(unsortable(key))).or_default() += times;
            }
            *self = Numbers::Buckets(buckets);
        }
    }
}

/// The first key up to which at least this share of all was counted.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts are far below 2^53, and a share of one is not negative"
)]
fn nth<K: Copy>(counts: &BTreeMap<K, u64>, share: f64) -> Option<K> {
    let all: u64 = counts.values().sum();
    let place = ((share.clamp(0.0, 1.0) * all as f64).ceil() as u64).clamp(1, all.max(1));
    let mut seen = 0;
    counts.iter().find_map(|(key, times)| {
        seen += times;
        (seen >= place).then_some(*key)
    })
}

/// Bits that sort as the numbers do.
fn sortable(number: f64) -> u64 {
    // Both zeros are the same number.
    let bits = (number + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn unsortable(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

/// The factor from one bucket to the next.
fn factor() -> f64 {
    (1.0 + ERROR) / (1.0 - ERROR)
}

/// The bucket of a finite number; buckets sort as their numbers do.
#[expect(clippy::cast_possible_truncation, reason = "logarithms of finite numbers are small")]
fn bucket(number: f64) -> i64 {
    if number == 0.0 {
        return 0;
    }
    let place = FAR + (number.abs().ln() / factor().ln()).ceil() as i64;
    if number < 0.0 { -place } else { place }
}

/// The number that is nearest to all of a bucket.
#[expect(clippy::cast_precision_loss, reason = "places of buckets are small")]
fn middle(bucket: i64) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    let top = ((bucket.abs() - FAR) as f64 * factor().ln()).exp();
    let middle = 2.0 * top / (factor() + 1.0);
    if bucket < 0 { -middle } else { middle }
}

/// A number as a whole number, where it is one and floating point tells it from its neighbours.
#[expect(clippy::cast_possible_truncation, reason = "it was looked at before")]
pub(super) fn whole(number: f64) -> Value<'static> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        Value::Int(number as i64)
    } else {
        Value::Float(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_numbers_do_and_give_them_back() {
        let numbers = [f64::MIN, -2.5, -1e-300, 0.0, 5e-324, 1.0, 1.5, 1e9, f64::MAX];
        assert!(numbers.is_sorted_by_key(|number| sortable(*number)));
        assert!(numbers.iter().all(|number| unsortable(sortable(*number)) == *number));
        assert_eq!(sortable(-0.0), sortable(0.0));
        assert!(numbers.is_sorted_by_key(|number| bucket(*number)));
        for number in [-2.5, 1.0, 1e9, 123_456.789] {
            let told = middle(bucket(number));
            assert!((told - number).abs() <= ERROR * number.abs() * 1.000_001, "{number} {told}");
        }
    }

    #[test]
    fn many_numbers_are_told_within_a_percent_in_any_order() {
        let mut up = Numbers::default();
        let mut down = Numbers::default();
        let (mut low, mut high) = (Numbers::default(), Numbers::default());
        for number in 0..200_000 {
            up.add(f64::from(number), 1);
            down.add(f64::from(199_999 - number), 1);
            (if number % 2 == 0 { &mut low } else { &mut high }).add(f64::from(number), 1);
        }
        low.join(high);
        assert!(up.is_approximate());
        for share in [0.0_f64, 0.01, 0.5, 0.95, 0.99, 1.0] {
            let exact = (200_000.0 * share).ceil().max(1.0) - 1.0;
            let told = up.percentile(share).unwrap();
            assert!((told - exact).abs() <= ERROR * exact * 1.000_001, "{share} {told} {exact}");
            assert_eq!(down.percentile(share), Some(told));
            assert_eq!(low.percentile(share), Some(told));
        }
    }

    #[test]
    fn few_numbers_are_told_exactly() {
        let mut numbers = Numbers::default();
        assert_eq!(numbers.percentile(0.5), None);
        for number in [5.0, 1.0, 4.0, 1.0] {
            numbers.add(number, 1);
        }
        let told = [0.0, 0.5, 0.51, 0.75, 1.0].map(|share| numbers.percentile(share));
        assert_eq!(told, [Some(1.0), Some(1.0), Some(4.0), Some(4.0), Some(5.0)]);
        assert!(!numbers.is_approximate());
    }
}
