//! "Never seen before": combinations of values, and how long their baseline has been watched.

use bergfried_event::Event;

use super::groups::{Groups, write_key};
use crate::rule::FirstSeen;

/// What one first-seen rule remembers.
#[derive(Debug)]
pub(super) struct FirstSeenState {
    seen: Groups<()>,
    /// When the rule first matched for each value of the baseline, in microseconds.
    baselines: Groups<i64>,
    key: String,
}

impl FirstSeenState {
    pub(super) fn new(max_groups: usize) -> Self {
        FirstSeenState {
            seen: Groups::new(max_groups),
            baselines: Groups::new(max_groups),
            key: String::new(),
        }
    }

    /// Remembers the event's combination; whether it is new on a baseline that was learnt already.
    pub(super) fn is_new(&mut self, rule: &FirstSeen, event: &Event<'_>) -> bool {
        let now = event.created().micros();
        if !write_key(event, std::slice::from_ref(&rule.baseline), &mut self.key) {
            return false;
        }
        let (since, _) = self.baselines.entry(&self.key, || now, |_| {});
        *since = now.min(*since);
        let learnt = now.saturating_sub(*since) >= rule.learning;
        if !write_key(event, &rule.group_by, &mut self.key) {
            return false;
        }
        let (_, new) = self.seen.entry(&self.key, || (), |()| {});
        new && learnt
    }

    pub(super) fn evicted(&self) -> u64 {
        self.seen.evicted().saturating_add(self.baselines.evicted())
    }
}
