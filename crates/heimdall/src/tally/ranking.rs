//! Which texts come most often within a window that moves on by slots.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The most texts, and the most counts of a text in a slot: some tens of MiB.
const LIMITS: Limits = Limits { texts: 200_000, pairs: 1_000_000 };
/// A longer text is neither an address nor the name of a domain (RFC 1035, section 2.3.4).
const MAX_TEXT: usize = 253;

#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) texts: usize,
    pub(super) pairs: usize,
}

/// Counts texts by slots of time.
#[derive(Debug)]
pub(super) struct Ranking {
    limits: Limits,
    numbers: HashMap<Arc<str>, u32>,
    /// Each text by its number, with its count over all slots.
    sums: HashMap<u32, (Arc<str>, u64)>,
    next: u32,
    slots: BTreeMap<i64, HashMap<u32, u32>>,
    pairs: usize,
    shed: u64,
}

impl Default for Ranking {
    fn default() -> Self {
        Ranking::new(LIMITS)
    }
}

impl Ranking {
    pub(super) fn new(limits: Limits) -> Self {
        Ranking {
            limits,
            numbers: HashMap::new(),
            sums: HashMap::new(),
            next: 0,
            slots: BTreeMap::new(),
            pairs: 0,
            shed: 0,
        }
    }

    /// Counts a text in a slot; one that is too long is shed.
    pub(super) fn add(&mut self, slot: i64, text: &str, count: u64) {
        if text.len() > MAX_TEXT {
            self.shed += count;
            return;
        }
        let number = match self.numbers.get(text) {
            Some(number) => *number,
            None => self.number(text),
        };
        let counts = self.slots.entry(slot).or_default();
        let before = counts.len();
        let known = counts.entry(number).or_default();
        // Four thousand million within ten minutes are as many as matter.
        let added = u32::try_from(count).unwrap_or(u32::MAX).min(u32::MAX - *known);
        *known += added;
        self.pairs += counts.len() - before;
        if let Some((_, sum)) = self.sums.get_mut(&number) {
            *sum += u64::from(added);
        }
        while self.numbers.len() > self.limits.texts || self.pairs > self.limits.pairs {
            self.shed_rare();
        }
    }

    /// A number for a new text.
    fn number(&mut self, text: &str) -> u32 {
        // The numbers of texts that are gone come round again.
        while self.sums.contains_key(&self.next) {
            self.next = self.next.wrapping_add(1);
        }
        let text: Arc<str> = Arc::from(text);
        self.numbers.insert(Arc::clone(&text), self.next);
        self.sums.insert(self.next, (text, 0));
        self.next
    }

    /// Lets go of the rarer half of all texts, and always of one.
    fn shed_rare(&mut self) {
        let mut order: Vec<(u64, u32)> =
            self.sums.iter().map(|(number, (_, sum))| (*sum, *number)).collect();
        let half = order.len() / 2;
        if half < order.len() {
            order.select_nth_unstable(half);
        }
        for (sum, number) in order.into_iter().take(half.max(1)) {
            self.shed += sum;
            self.remove(number);
        }
        let (sums, pairs) = (&self.sums, &mut self.pairs);
        self.slots.retain(|_, counts| {
            let before = counts.len();
            counts.retain(|number, _| sums.contains_key(number));
            *pairs -= before - counts.len();
            !counts.is_empty()
        });
    }

    fn remove(&mut self, number: u32) {
        if let Some((text, _)) = self.sums.remove(&number) {
            self.numbers.remove(&text);
        }
    }

    /// Forgets the slots before this one.
    pub(super) fn forget_before(&mut self, first: i64) {
        while let Some(slot) = self.slots.first_entry().filter(|slot| *slot.key() < first) {
            let counts = slot.remove();
            self.pairs -= counts.len();
            for (number, count) in counts {
                let Some((_, sum)) = self.sums.get_mut(&number) else { continue };
                *sum = sum.saturating_sub(u64::from(count));
                if *sum == 0 {
                    self.remove(number);
                }
            }
        }
    }

    /// The texts that come most often, most first, then by text.
    pub(super) fn top(&self, count: usize) -> Vec<(String, u64)> {
        let mut ranked: Vec<(Reverse<u64>, &str)> =
            self.sums.values().map(|(text, sum)| (Reverse(*sum), text.as_ref())).collect();
        if count < ranked.len() {
            ranked.select_nth_unstable(count);
            ranked.truncate(count);
        }
        ranked.sort_unstable();
        ranked.into_iter().map(|(sum, text)| (text.to_owned(), sum.0)).collect()
    }

    /// How much was counted of texts that were let go.
    pub(super) fn shed(&self) -> u64 {
        self.shed
    }
}
