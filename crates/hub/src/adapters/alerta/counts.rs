//! What the API did since the start, for `/management/status` and `/management/metrics`.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// How often something was done, and how long it took together.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    count: AtomicU64,
    micros: AtomicU64,
}

impl Timer {
    /// Counts something that began then and is done now.
    pub(super) fn note(&self, began: Instant) {
        let micros = began.elapsed().as_micros().try_into().unwrap_or(u64::MAX);
        self.count.fetch_add(1, Relaxed);
        self.micros.fetch_add(micros, Relaxed);
    }

    /// How often, and how many milliseconds together.
    pub(super) fn read(&self) -> (u64, u64) {
        (self.count.load(Relaxed), self.micros.load(Relaxed) / 1_000)
    }
}

/// What became of what senders said, and how long lists took.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    /// Alerts that were kept, until they were durable: new, and said again.
    pub(super) created: Timer,
    pub(super) duplicate: Timer,
    pub(super) correlated: Timer,
    /// Lists of alerts.
    pub(super) queries: Timer,
    /// Held back by a blackout.
    pub(super) suppressed: AtomicU64,
    /// Not wanted by the owner, or more than an alert may hold.
    pub(super) rejected: AtomicU64,
    /// More in a second than a sender may send.
    pub(super) limited: AtomicU64,
}

impl Counts {
    /// Each timer with its name and what it is.
    pub(super) fn timers(&self) -> [(&'static str, &'static str, &Timer); 4] {
        [
            ("create", "New alerts, until they were durable", &self.created),
            ("duplicate", "Alerts that were said again", &self.duplicate),
            ("correlate", "Alerts that became another severity or event", &self.correlated),
            ("queries", "Lists of alerts", &self.queries),
        ]
    }

    /// Each counter with its name and what it is.
    pub(super) fn counters(&self) -> [(&'static str, &'static str, u64); 3] {
        [
            ("blackout", "Alerts held back by a blackout", self.suppressed.load(Relaxed)),
            ("rejected", "Alerts that were refused", self.rejected.load(Relaxed)),
            ("ratelimit", "Alerts over what a sender may send", self.limited.load(Relaxed)),
        ]
    }
}

/// One more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
