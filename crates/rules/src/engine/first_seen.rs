//! "Never seen before": combinations of values, and how long their baseline has been watched.

use bergfried_event::Event;

use super::groups::{Groups, Used};
use super::key::write_key;
use crate::rule::FirstSeen;

/// What one first-seen rule remembers.
#[derive(Debug)]
pub(super) struct FirstSeenState {
    pub(super) seen: Groups<()>,
    /// When the rule first matched for each value of the baseline, in microseconds.
    pub(super) baselines: Groups<i64>,
    evicted: u64,
    key: String,
}

impl FirstSeenState {
    pub(super) fn new(max_groups: usize) -> Self {
        FirstSeenState {
            seen: Groups::new(max_groups),
            baselines: Groups::new(max_groups),
            evicted: 0,
            key: String::new(),
        }
    }

    /// Remembers the event's combination; whether it is new on a baseline that was learnt already.
    pub(super) fn is_new(&mut self, rule: &FirstSeen, event: &Event<'_>, turn: u32) -> bool {
        let now = event.created().micros();
        let used = Used { turn, second: 0 };
        if !write_key(event, std::slice::from_ref(&rule.baseline), &mut self.key) {
            return false;
        }
        let (slot, _) = entry(&mut self.baselines, &self.key, now, used, &mut self.evicted);
        let Some(since) = slot.and_then(|slot| self.baselines.get_mut(slot)) else { return false };
        *since = now.min(*since);
        let learnt = now.saturating_sub(*since) >= rule.learning;
        if !write_key(event, &rule.group_by, &mut self.key) {
            return false;
        }
        let (_, new) = entry(&mut self.seen, &self.key, (), used, &mut self.evicted);
        new && learnt
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.seen.bytes() + self.baselines.bytes()
    }

    /// When what was not used for the longest time was used last.
    pub(super) fn oldest_turn(&self) -> Option<u32> {
        let (seen, baseline) = (turn(&self.seen), turn(&self.baselines));
        seen.into_iter().chain(baseline).min()
    }

    /// Forgets the least recently used combination or baseline to make room for what other rules
    /// remember; false where there is none.
    pub(super) fn shed(&mut self) -> bool {
        let (seen, baseline) = (turn(&self.seen), turn(&self.baselines));
        let is_seen = match (seen, baseline) {
            (Some(seen), Some(baseline)) => seen <= baseline,
            (seen, _) => seen.is_some(),
        };
        let shed =
            if is_seen { drop_oldest(&mut self.seen) } else { drop_oldest(&mut self.baselines) };
        self.evicted = self.evicted.saturating_add(u64::from(shed));
        shed
    }
}

fn turn<V: Default>(groups: &Groups<V>) -> Option<u32> {
    groups.oldest().map(|(_, used)| used.turn)
}

fn drop_oldest<V: Default>(groups: &mut Groups<V>) -> bool {
    let dropped = groups.oldest().and_then(|(slot, _)| groups.remove(slot)).is_some();
    groups.shrink();
    dropped
}

/// The slot of a key, made where there is none: then true.
pub(super) fn entry<V: Default>(
    groups: &mut Groups<V>,
    key: &str,
    value: V,
    used: Used,
    evicted: &mut u64,
) -> (Option<u32>, bool) {
    if let Some(slot) = groups.find(key) {
        groups.touch(slot, used);
        return (Some(slot), false);
    }
    if groups.is_full() {
        *evicted = evicted.saturating_add(u64::from(drop_oldest(groups)));
    }
    (groups.insert(key, value, used), true)
}
