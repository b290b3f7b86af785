//! The sliding window of one group: which matches stand within the time span, and whether the
//! correlation's condition holds of them.
//!
//! The window ends at the group's newest event and reaches back by the time span, both ends
//! included. A match that comes late is put where its time belongs; one older than the window is
//! refused.

use std::collections::{HashMap, VecDeque};

use super::details::MAX_IDS;
use crate::rule::{Correlation, CorrelationKind};

/// The most matches kept for each group where the condition does not need them one by one; older
/// ones are then added to their neighbours.
const MAX_MATCHES: usize = 1_024;

/// One match in a window.
#[derive(Clone, Copy, Debug)]
struct Match {
    time: i64,
    /// When the first event behind it happened (earlier than `time` for a correlation's match).
    first: i64,
    weight: u64,
    event_id: u64,
}

/// A match to be added.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) time: i64,
    pub(super) first: i64,
    pub(super) weight: u64,
    pub(super) event_id: u64,
    /// Tells events apart: several matches of one event are one match for the count.
    pub(super) sequence: u64,
    pub(super) step: usize,
    /// A hash of the counted value, for `value_count`.
    pub(super) value: u64,
}

/// The matches of one group within the time span.
#[derive(Debug)]
pub(super) struct Window {
    /// Sorted by time.
    matches: VecDeque<Match>,
    newest: i64,
    last_sequence: u64,
    last_weight: u64,
    measure: Measure,
}

/// What the condition looks at.
#[derive(Debug)]
enum Measure {
    Events,
    /// Hash of a value → when it was seen last.
    Values(HashMap<u64, i64>),
    /// For each step when it matched last.
    Steps(Vec<i64>),
    /// For each step: start and end of the latest chain of all steps up to it.
    Chain(Vec<Option<(i64, i64)>>),
}

/// What became of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// Older than the window.
    Late,
    /// Counted as so many events (0 for a further match of the same event).
    Counted { weight: u64, holds: bool },
}

impl Window {
    pub(super) fn new(correlation: &Correlation) -> Self {
        let steps = correlation.steps.len();
        let measure = match correlation.kind {
            CorrelationKind::EventCount => Measure::Events,
            CorrelationKind::ValueCount => Measure::Values(HashMap::new()),
            CorrelationKind::Temporal => Measure::Steps(vec![i64::MIN; steps]),
            CorrelationKind::TemporalOrdered => Measure::Chain(vec![None; steps]),
        };
        Window {
            matches: VecDeque::new(),
            newest: i64::MIN,
            last_sequence: 0,
            last_weight: 0,
            measure,
        }
    }

    /// Whether nothing in the window is left at this time.
    pub(super) fn is_over(&self, correlation: &Correlation, time: i64) -> bool {
        self.newest < time.saturating_sub(correlation.timespan)
    }

    /// Adds a match and says whether the condition holds now.
    pub(super) fn add(&mut self, correlation: &Correlation, arrival: Arrival) -> Added {
        let newest = self.newest.max(arrival.time);
        let horizon = newest.saturating_sub(correlation.timespan);
        if arrival.time < horizon {
            return Added::Late;
        }
        self.newest = newest;
        while self.matches.front().is_some_and(|oldest| oldest.time < horizon) {
            self.matches.pop_front();
        }
        let repeated = self.last_sequence == arrival.sequence;
        let counted = if repeated { self.last_weight } else { 0 };
        let weight = arrival.weight.saturating_sub(counted);
        self.last_sequence = arrival.sequence;
        self.last_weight = counted.max(arrival.weight);
        if weight > 0 {
            self.insert(Match {
                time: arrival.time,
                first: arrival.first,
                weight,
                event_id: arrival.event_id,
            });
        }
        let saturation = correlation.threshold.saturation();
        self.note(arrival, saturation);
        self.bound(saturation);
        Added::Counted { weight, holds: self.holds(correlation, horizon) }
    }

    /// Events in the window, the time of the first, of the last, and the ids of the last ones.
    pub(super) fn evidence(&self) -> (u64, i64, i64, Vec<u64>) {
        let count = self.matches.iter().fold(0_u64, |sum, m| sum.saturating_add(m.weight));
        let first = self.matches.iter().map(|m| m.first).min().unwrap_or(self.newest);
        let skipped = self.matches.len().saturating_sub(MAX_IDS);
        let ids = self.matches.iter().skip(skipped).map(|m| m.event_id).collect();
        (count, first, self.newest, ids)
    }

    fn insert(&mut self, new: Match) {
        let later = self.matches.iter().rev().take_while(|m| m.time > new.time).count();
        self.matches.insert(self.matches.len() - later, new);
    }

    fn note(&mut self, arrival: Arrival, saturation: usize) {
        let horizon = arrival.time;
        match &mut self.measure {
            Measure::Events => {}
            Measure::Values(values) => {
                let last = values.entry(arrival.value).or_insert(horizon);
                *last = arrival.time.max(*last);
                if values.len() > saturation.max(2) {
                    let oldest = values.iter().min_by_key(|(_, time)| **time).map(|(key, _)| *key);
                    if let Some(oldest) = oldest {
                        values.remove(&oldest);
                    }
                }
            }
            Measure::Steps(steps) => {
                if let Some(last) = steps.get_mut(arrival.step) {
                    *last = arrival.time.max(*last);
                }
            }
            Measure::Chain(chain) => {
                let before = match arrival.step.checked_sub(1) {
                    None => Some((arrival.time, arrival.time)),
                    Some(step) => chain.get(step).copied().flatten(),
                };
                let Some((start, _)) = before.filter(|(_, end)| *end <= arrival.time) else {
                    return;
                };
                if let Some(slot) = chain.get_mut(arrival.step)
                    && slot.is_none_or(|(known, _)| start >= known)
                {
                    *slot = Some((start, arrival.time));
                }
            }
        }
    }

    fn bound(&mut self, saturation: usize) {
        match self.measure {
            // So many matches decide any condition on their count.
            Measure::Events => {
                while self.matches.len() > saturation {
                    self.matches.pop_front();
                }
            }
            _ => {
                while self.matches.len() > MAX_MATCHES {
                    let dropped = self.matches.pop_front();
                    if let (Some(dropped), Some(oldest)) = (dropped, self.matches.front_mut()) {
                        oldest.weight = oldest.weight.saturating_add(dropped.weight);
                        oldest.first = oldest.first.min(dropped.first);
                    }
                }
            }
        }
    }

    fn holds(&self, correlation: &Correlation, horizon: i64) -> bool {
        let within = |time: &&i64| **time >= horizon;
        let count = match &self.measure {
            Measure::Events => {
                self.matches.iter().fold(0_u64, |sum, m| sum.saturating_add(m.weight))
            }
            Measure::Values(values) => values.values().filter(within).count() as u64,
            Measure::Steps(steps) => steps.iter().filter(within).count() as u64,
            Measure::Chain(chain) => {
                return chain.last().copied().flatten().is_some_and(|(start, _)| start >= horizon);
            }
        };
        correlation.threshold.holds(count)
    }
}
