//! Counts texts in bounded memory.

use std::collections::HashMap;

/// The most different texts that are counted one by one.
const MAX_TEXTS: usize = 100_000;

/// How often each text came; texts that find no room are counted together.
#[derive(Default)]
pub(super) struct Counter {
    counts: HashMap<String, u64>,
    others: u64,
}

impl Counter {
    pub(super) fn add(&mut self, text: &str, times: u64) {
        if let Some(count) = self.counts.get_mut(text) {
            *count += times;
        } else if self.counts.len() < MAX_TEXTS {
            self.counts.insert(text.to_owned(), times);
        } else {
            self.others += times;
        }
    }

    /// The `limit` most frequent texts, most frequent first, equal ones by text.
    pub(super) fn top(&self, limit: usize) -> Vec<(&str, u64)> {
        let mut all: Vec<(&str, u64)> =
            self.counts.iter().map(|(text, count)| (text.as_str(), *count)).collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        all.truncate(limit);
        all
    }

    pub(super) fn distinct(&self) -> usize {
        self.counts.len()
    }

    /// How many were counted without their text.
    pub(super) fn others(&self) -> u64 {
        self.others
    }
}
