//! What Heimdall's dashboard asks for: how many events the last 24 hours brought, of which systems and
//! from which addresses, and the domain that was blocked most. Counted as events come, so that the
//! answer costs the same over ten events as over ten million.
//!
//! Events count by the time that they happened. Minutes are exact; addresses and domains leave the
//! count by slots of ten minutes.

mod notes;
mod ranking;

use std::collections::BTreeMap;

use bergfried_event::Timestamp;

use crate::OsType;
pub use notes::Notes;
use ranking::Ranking;

/// The width of a slot of the rankings.
const SLOT: i64 = 10 * MINUTE;
const MINUTE: i64 = 60 * Timestamp::SECOND;
/// What happened longer ago is not counted.
const WINDOW: i64 = Timestamp::DAY;
/// Nor what claims to happen later than this after it was taken: so the minutes have an end.
const AHEAD: i64 = Timestamp::DAY;
/// How many addresses an answer names.
const TOP: usize = 10;

/// The figures of the last 24 hours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// How many events.
    pub total: u64,
    /// How many of each system that had any.
    pub by_os: BTreeMap<OsType, u64>,
    /// The domain that most blocked queries asked for; of several, the first by name.
    pub most_blocked_domain: Option<String>,
    /// The addresses that most events came from, most first, then by name; at most 10.
    pub top_ips: Vec<(String, u64)>,
    /// How many of each minute (its start) and system that had any, ascending.
    pub per_minute: Vec<(Timestamp, OsType, u64)>,
    /// Whether what was stored before the program started is in.
    pub complete: bool,
    /// How many events count no more for their address or domain, which were too many.
    pub shed: u64,
}

/// Counts the events of the last 24 hours.
///
/// Holds a few thousand minutes, at most 200,000 addresses and as many domains; past that the rarest
/// are let go and counted.
#[derive(Debug, Default)]
pub struct Tally {
    /// Events of each system by their minute.
    minutes: BTreeMap<i64, [u64; OsType::ALL.len()]>,
    addresses: Ranking,
    domains: Ranking,
    complete: bool,
}

impl Tally {
    /// Counts these events.
    pub fn take(&mut self, notes: &Notes, now: Timestamp) {
        for note in notes.iter() {
            self.add(note.created, note.os, 1, now);
            if let Some(address) = note.address {
                self.add_address(note.created, address, 1, now);
            }
            if let Some(domain) = note.domain {
                self.add_domain(note.created, domain, 1, now);
            }
        }
        self.advance(now);
    }

    /// Counts so many events of one system and one minute.
    pub fn add(&mut self, at: Timestamp, os: OsType, count: u64, now: Timestamp) {
        if counts(at, MINUTE, now) {
            let minute = self.minutes.entry(at.micros().div_euclid(MINUTE)).or_default();
            if let Some(sum) = minute.get_mut(os as usize) {
                *sum = sum.saturating_add(count);
            }
        }
    }

    /// Counts so many events from one address within one slot of ten minutes.
    pub fn add_address(&mut self, at: Timestamp, address: &str, count: u64, now: Timestamp) {
        if counts(at, SLOT, now) {
            self.addresses.add(at.micros().div_euclid(SLOT), address, count);
        }
    }

    /// Counts so many blocked queries for one domain within one slot of ten minutes.
    pub fn add_domain(&mut self, at: Timestamp, domain: &str, count: u64, now: Timestamp) {
        if counts(at, SLOT, now) {
            self.domains.add(at.micros().div_euclid(SLOT), domain, count);
        }
    }

    /// Says that what was stored before is counted.
    pub fn set_complete(&mut self) {
        self.complete = true;
    }

    /// Lets go of what is no longer in the window.
    fn advance(&mut self, now: Timestamp) {
        let first = oldest(now, MINUTE);
        while let Some(minute) = self.minutes.first_entry().filter(|minute| *minute.key() < first) {
            minute.remove();
        }
        self.addresses.forget_before(oldest(now, SLOT));
        self.domains.forget_before(oldest(now, SLOT));
    }

    /// The figures as they are now.
    pub fn metrics(&mut self, now: Timestamp) -> Metrics {
        self.advance(now);
        let mut metrics = Metrics {
            top_ips: self.addresses.top(TOP),
            most_blocked_domain: self.domains.top(1).pop().map(|(domain, _)| domain),
            complete: self.complete,
            shed: self.addresses.shed() + self.domains.shed(),
            ..Metrics::default()
        };
        for (minute, counts) in &self.minutes {
            let start = Timestamp::from_micros(minute.saturating_mul(MINUTE));
            for (os, count) in OsType::ALL.iter().zip(counts).filter(|(_, count)| **count > 0) {
                metrics.total += count;
                *metrics.by_os.entry(*os).or_default() += count;
                metrics.per_minute.push((start, *os, *count));
            }
        }
        metrics
    }
}

/// The first minute or slot of the window.
fn oldest(now: Timestamp, width: i64) -> i64 {
    now.plus_micros(-WINDOW).micros().div_euclid(width)
}

/// From when to when events count, in whole slots.
pub fn window(now: Timestamp) -> (Timestamp, Timestamp) {
    let end = now.plus_micros(AHEAD + SLOT).floor_to(SLOT);
    (now.plus_micros(-WINDOW).floor_to(SLOT), end)
}

/// The slots of the window: where each begins and ends.
pub fn slots(now: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    let (from, to) = window(now);
    let next = move |start: &Timestamp| Some(start.plus_micros(SLOT));
    std::iter::successors(Some(from), next)
        .take_while(move |start| *start < to)
        .map(|start| (start, start.plus_micros(SLOT)))
}

fn counts(at: Timestamp, width: i64, now: Timestamp) -> bool {
    at.micros().div_euclid(width) >= oldest(now, width) && at <= now.plus_micros(AHEAD)
}

#[cfg(test)]
mod tests;
