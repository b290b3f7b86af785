//! The matches of one group, in the order of time, and whether the correlation's condition holds at
//! each of them.
//!
//! The window at a match ends there and reaches back by the time span, both ends included. A match
//! may come later than a newer one by up to the time span; matches are kept for two time spans, so
//! that every window in which a late one stands can still be measured. A later one is refused.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::measure::Measure;
use super::tally::Tally;
use crate::rule::{Correlation, CorrelationKind};

/// The parts of the time span within which matches that are alike may be added together where there
/// are too many.
const PARTS: i64 = 256;

/// One match of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) time: i64,
    /// When the first event behind it happened (earlier than `time` for a correlation's match).
    pub(super) first: i64,
    pub(super) event_id: u64,
    /// What the condition counts or adds up: a hash, or the bits of a number.
    pub(super) value: u64,
    /// How many events stand behind it.
    pub(super) weight: u64,
    /// How often it counts: an episode of a correlation counts once, whatever its weight.
    pub(super) times: u64,
    pub(super) step: u8,
    /// Whether the condition held at this match.
    pub(super) held: bool,
    /// Whether a finding states it, or will.
    pub(super) stated: bool,
}

/// Matches one after the other at which the condition came to hold, by their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) first: usize,
    pub(super) last: usize,
    /// Whether it held neither right before nor right after.
    pub(super) starts: bool,
}

/// The matches of one group.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    /// Sorted by time; of the same time, as the events behind them came.
    pub(super) matches: Vec<Match>,
}

impl Window {
    /// Whether the condition held at the newest match.
    pub(super) fn is_running(&self) -> bool {
        self.matches.last().is_some_and(|newest| newest.held)
    }

    pub(super) fn newest(&self) -> Option<i64> {
        self.matches.last().map(|newest| newest.time)
    }

    /// Whether a match of this time comes later than one may.
    pub(super) fn is_late(&self, correlation: &Correlation, time: i64) -> bool {
        self.newest().is_some_and(|newest| time < newest.saturating_sub(correlation.timespan))
    }

    /// Puts a match where its time belongs and returns its place.
    pub(super) fn insert(&mut self, new: Match) -> usize {
        // Of one event, later steps stand before earlier ones.
        let order = |found: &Match| (found.time, found.event_id, Reverse(found.step));
        let place = self.matches.partition_point(|found| order(found) <= order(&new));
        self.matches.insert(place, new);
        place
    }

    /// The matches of the window that ends at this place.
    pub(super) fn at(&self, correlation: &Correlation, place: usize) -> &[Match] {
        let until = self.matches.get(..=place).unwrap_or_default();
        let Some(last) = until.last() else { return until };
        let from = last.time.saturating_sub(correlation.timespan);
        let start = until.partition_point(|found| found.time < from);
        until.get(start..).unwrap_or_default()
    }

    /// The places from this one on whose windows hold it.
    pub(super) fn reach(&self, correlation: &Correlation, place: usize) -> std::ops::Range<usize> {
        let time = self.matches.get(place).map_or(i64::MAX, |found| found.time);
        let until = time.saturating_add(correlation.timespan);
        place..self.matches.partition_point(|found| found.time <= until)
    }

    /// Finds out where the condition holds now that there is a new match at `place`.
    ///
    /// It was judged there for the first time; for the newer matches, whose windows it has joined,
    /// again. What held goes on holding where more events cannot end it. Conditions with an upper
    /// bound and those of averages and percentiles are only judged at the new match and the newest.
    pub(super) fn judge(
        &mut self,
        correlation: &Correlation,
        place: usize,
        measure: &mut Measure,
        stretches: &mut Vec<Stretch>,
    ) {
        stretches.clear();
        let newest = self.matches.len().saturating_sub(1);
        let reach = self.reach(correlation, place);
        if correlation.is_monotone() {
            // Where it does not hold of all of them together, it does for none.
            let from = self.at(correlation, place).len();
            let all = (place + 1).saturating_sub(from)..reach.end;
            let all = self.matches.get(all).unwrap_or_default();
            if reach.len() > 1
                && correlation.kind != CorrelationKind::ValueSum
                && !measure.holds(correlation, all)
            {
                return;
            }
            if Tally::measures(correlation.kind) {
                self.slide(correlation, reach, measure.tally(), stretches);
            } else {
                for place in reach {
                    let held = self.matches.get(place).is_some_and(|found| found.held);
                    if !held && measure.holds(correlation, self.at(correlation, place)) {
                        self.hold(place, stretches);
                    }
                }
            }
        } else {
            if measure.holds(correlation, self.at(correlation, place)) {
                self.hold(place, stretches);
            }
            if place != newest && reach.contains(&newest) {
                let held = self.is_running();
                let holds = measure.holds(correlation, self.at(correlation, newest));
                match self.matches.last_mut() {
                    Some(last) if held && !holds => last.held = false,
                    _ if holds && !held => self.hold(newest, stretches),
                    _ => {}
                }
            }
        }
        for stretch in stretches {
            let before = stretch.first.checked_sub(1).and_then(|place| self.matches.get(place));
            let after = self.matches.get(stretch.last + 1);
            stretch.starts = ![before, after].into_iter().flatten().any(|found| found.held);
        }
    }

    /// Judges the windows that end at these places one after the other.
    fn slide(
        &mut self,
        correlation: &Correlation,
        reach: std::ops::Range<usize>,
        tally: &mut Tally,
        stretches: &mut Vec<Stretch>,
    ) {
        let kind = correlation.kind;
        tally.clear();
        let mut start = (reach.start + 1).saturating_sub(self.at(correlation, reach.start).len());
        for found in self.matches.get(start..reach.start).unwrap_or_default() {
            tally.add(kind, found);
        }
        for place in reach {
            let Some(last) = self.matches.get(place).copied() else { return };
            tally.add(kind, &last);
            let from = last.time.saturating_sub(correlation.timespan);
            while let Some(gone) = self.matches.get(start).filter(|found| found.time < from) {
                tally.remove(kind, gone);
                start += 1;
            }
            if !last.held && correlation.threshold.holds(tally.measure(kind)) {
                self.hold(place, stretches);
            }
        }
    }

    fn hold(&mut self, place: usize, stretches: &mut Vec<Stretch>) {
        if let Some(found) = self.matches.get_mut(place) {
            found.held = true;
        }
        match stretches.last_mut() {
            Some(stretch) if stretch.last + 1 == place => stretch.last = place,
            _ => stretches.push(Stretch { first: place, last: place, starts: true }),
        }
    }

    /// Forgets what no window to come can reach, and what is too much.
    pub(super) fn settle(&mut self, correlation: &Correlation) {
        let Some(newest) = self.newest() else { return };
        let from = newest.saturating_sub(correlation.timespan.saturating_mul(2));
        let over = self.matches.partition_point(|found| found.time < from);
        // Moving a long list for each match would cost more than a few matches too many.
        if over > 0 && (over > 16 || over * 4 >= self.matches.len()) {
            self.matches.drain(..over);
        }
        let limit = limit(correlation);
        if self.matches.len() > limit {
            self.thin(correlation, limit - limit / 4);
        }
    }

    fn thin(&mut self, correlation: &Correlation, target: usize) {
        use CorrelationKind as K;
        match correlation.kind {
            // The newest decide on any count, and shares and percentiles are those of the newest.
            K::EventCount | K::ValueShare | K::ValuePercentile(_) => {}
            K::ValueSum | K::ValueAverage => self.merge(correlation, |_, _| true),
            K::ValueCount => {
                self.merge(correlation, |one, other| one.value == other.value);
                let mut seen = HashSet::new();
                self.drop_surplus(target, |found| seen.insert(found.value));
            }
            K::Temporal => {
                self.merge(correlation, |one, other| one.step == other.step);
                let mut seen = 0_u64;
                self.drop_surplus(target, |found| {
                    let step = 1 << (found.step & 63);
                    let new = seen & step == 0;
                    seen |= step;
                    new
                });
            }
            K::TemporalOrdered => {
                self.merge(correlation, |one, other| one.step == other.step);
                let mut needed = self.latest_orders(correlation).into_iter().rev();
                self.drop_surplus(target, |_| needed.next().unwrap_or(false));
            }
        }
        let surplus = self.matches.len().saturating_sub(target);
        self.matches.drain(..surplus);
    }

    /// Adds neighbours together that are alike and lie in the same part of the time span.
    fn merge(&mut self, correlation: &Correlation, alike: impl Fn(&Match, &Match) -> bool) {
        let part = (correlation.timespan / PARTS).max(1);
        self.matches.dedup_by(|newer, older| {
            let together = newer.time.div_euclid(part) == older.time.div_euclid(part)
                && (newer.held, newer.stated) == (older.held, older.stated)
                && alike(newer, older);
            if together {
                let times = newer.times.saturating_add(older.times);
                if correlation.kind.is_numeric() && times > 0 {
                    let sum = |found: &Match| f64::from_bits(found.value) * found.times as f64;
                    let mean = (sum(newer) + sum(older)) / times as f64;
                    older.value = mean.to_bits();
                }
                older.time = newer.time;
                older.event_id = newer.event_id;
                older.first = older.first.min(newer.first);
                older.weight = older.weight.saturating_add(newer.weight);
                older.times = times;
            }
            together
        });
    }

    /// Drops the oldest that are not needed until `target` are left; asks from the newest on.
    fn drop_surplus(&mut self, target: usize, mut is_needed: impl FnMut(&Match) -> bool) {
        let mut needed: Vec<bool> = self.matches.iter().rev().map(&mut is_needed).collect();
        needed.reverse();
        let mut surplus = self.matches.len().saturating_sub(target);
        let mut needed = needed.into_iter();
        self.matches.retain(|_| {
            let keep = needed.next().unwrap_or(true) || surplus == 0;
            if !keep {
                surplus -= 1;
            }
            keep
        });
    }

    /// For each match whether it belongs to the order of steps that begins the latest, up to any
    /// step: a later one can only be completed within the time span if this one is.
    fn latest_orders(&self, correlation: &Correlation) -> Vec<bool> {
        /// A match that ends an order: where the order began, and the place of the match before.
        #[derive(Clone, Copy)]
        struct End {
            began: i64,
            before: Option<usize>,
        }
        let mut ends: Vec<Option<End>> = Vec::with_capacity(self.matches.len());
        let mut best: Vec<Option<usize>> = vec![None; correlation.steps.len()];
        for (place, found) in self.matches.iter().enumerate() {
            let step = usize::from(found.step);
            let before = step.checked_sub(1).and_then(|step| best.get(step).copied().flatten());
            let end = |place: Option<usize>| place.and_then(|at| ends.get(at).copied().flatten());
            let new = match step {
                0 => Some(End { began: found.time, before: None }),
                _ => end(before).map(|end| End { began: end.began, before }),
            };
            let known = best.get(step).copied().flatten();
            let better = new.is_some_and(|new| end(known).is_none_or(|k| new.began >= k.began));
            if better && let Some(best) = best.get_mut(step) {
                *best = Some(place);
            }
            ends.push(new);
        }
        let mut needed = vec![false; self.matches.len()];
        for mut place in best {
            while let Some(at) = place {
                if let Some(needed) = needed.get_mut(at) {
                    *needed = true;
                }
                place = ends.get(at).copied().flatten().and_then(|end| end.before);
            }
        }
        needed
    }
}

/// The most matches kept for each group.
fn limit(correlation: &Correlation) -> usize {
    use CorrelationKind as K;
    let steps = correlation.steps.len();
    let enough = correlation.threshold.saturation();
    match correlation.kind {
        K::EventCount => (enough.saturating_mul(4)).clamp(64, 1_024).max(enough * 2),
        // Past a quarter more than those that are needed there is something to drop.
        K::ValueCount => (enough + enough / 2).max(256),
        K::Temporal => 256,
        K::TemporalOrdered => 256 + steps * (steps + 1),
        K::ValueSum | K::ValueAverage | K::ValuePercentile(_) | K::ValueShare => 1_024,
    }
}
