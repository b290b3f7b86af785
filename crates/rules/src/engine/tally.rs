//! What a count measures while the window slides: matches come in at one end and go out at the
//! other, so that a late match that joins many windows costs no more than its neighbours.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::window::Match;
use crate::rule::CorrelationKind;

/// The events, values or steps of a window; kept between events for its memory alone.
#[derive(Debug, Default)]
pub(super) struct Tally {
    events: u128,
    /// How many matches have each value or step.
    matches: HashMap<u64, u32>,
}

impl Tally {
    /// Whether windows of this kind are measured so.
    pub(super) fn measures(kind: CorrelationKind) -> bool {
        use CorrelationKind as K;
        matches!(kind, K::EventCount | K::ValueCount | K::Temporal)
    }

    pub(super) fn clear(&mut self) {
        self.events = 0;
        self.matches.clear();
    }

    pub(super) fn add(&mut self, kind: CorrelationKind, found: &Match) {
        match key(kind, found) {
            Some(key) => *self.matches.entry(key).or_default() += 1,
            None => self.events += u128::from(found.times),
        }
    }

    pub(super) fn remove(&mut self, kind: CorrelationKind, found: &Match) {
        let Some(key) = key(kind, found) else {
            self.events = self.events.saturating_sub(u128::from(found.times));
            return;
        };
        if let Entry::Occupied(mut entry) = self.matches.entry(key) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }

    pub(super) fn measure(&self, kind: CorrelationKind) -> f64 {
        match kind {
            CorrelationKind::EventCount => self.events as f64,
            _ => self.matches.len() as f64,
        }
    }
}

/// What tells matches apart; events are counted one and all.
fn key(kind: CorrelationKind, found: &Match) -> Option<u64> {
    match kind {
        CorrelationKind::EventCount => None,
        CorrelationKind::Temporal => Some(u64::from(found.step)),
        _ => Some(found.value),
    }
}
