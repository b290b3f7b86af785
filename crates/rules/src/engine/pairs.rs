//! The first-seen index: which pairs of values were seen together, such as a user and a host, so that
//! rules can say "never seen before" by a field of the event.
//!
//! Only what succeeded teaches it: who guesses at passwords must not become known by that. It is made
//! of events alone, so the same events in the same order mark the same ones; what it said stays with
//! the stored event, and history judged again says what it said at its time.

mod kind;

use std::fmt::Write as _;

use bergfried_event::{Event, FieldName, Timestamp, Value};

use self::kind::KINDS;
use super::bytes::{Bytes, Malformed, put_signed, put_text, put_varint};
use super::correlation::turn;
use super::first_seen::entry;
use super::groups::{Groups, Used};
use super::snapshot::SnapshotError;
use super::state::{read_entry, write_groups};

/// The kinds of pairs that an event is the first of: `user-host`, `user-network` and so on.
pub const FIRST_SEEN: &str = "event.first_seen";
/// The same while what the pair is measured by has been watched for less than a day.
pub const LEARNT: &str = "event.learnt";

/// So long what a kind is measured by (a host, a user) must be known before a pair of it is new.
const LEARNING: i64 = Timestamp::DAY;
/// After so long without it a pair is new again.
const FORGOTTEN: i64 = 90 * Timestamp::DAY;
/// The most pairs of each kind; the least recently used are dropped and counted.
const MAX_PAIRS: usize = 250_000;
/// Tells this form of snapshots from others.
const VERSION: u64 = 1;

/// Which pairs were seen.
#[derive(Debug)]
pub struct Pairs {
    /// One for each of [`KINDS`].
    known: Vec<Known>,
    observed: u64,
    evicted: u64,
    key: String,
    new: Vec<&'static str>,
    learnt: Vec<&'static str>,
}

/// The pairs of one kind.
#[derive(Debug)]
struct Known {
    /// When each was seen last, in microseconds.
    pairs: Groups<i64>,
    /// Since when there were pairs with each value of the baseline, in microseconds.
    baselines: Groups<i64>,
}

impl Default for Pairs {
    fn default() -> Self {
        Pairs::with_limit(MAX_PAIRS)
    }
}

impl Pairs {
    /// The kinds of pairs, with what each is made of.
    pub fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
        KINDS.iter().map(|kind| (kind.name, kind.about))
    }

    fn with_limit(most: usize) -> Pairs {
        let known = || Known { pairs: Groups::new(most), baselines: Groups::new(most) };
        Pairs {
            known: KINDS.iter().map(|_| known()).collect(),
            observed: 0,
            evicted: 0,
            key: String::new(),
            new: Vec::new(),
            learnt: Vec::new(),
        }
    }

    /// Learns from the event and says in [`FIRST_SEEN`] and [`LEARNT`] what it is the first of; what
    /// it says there of itself is taken out.
    pub fn mark(&mut self, event: &mut Event<'_>) {
        let own = |name: &FieldName<'_>| [FIRST_SEEN, LEARNT].contains(&name.as_str());
        if event.fields().iter().any(|(name, _)| own(name)) {
            event.retain(|name| !own(name));
        }
        self.learn(event);
        for (field, words) in [(FIRST_SEEN, &self.new), (LEARNT, &self.learnt)] {
            if !words.is_empty() {
                let words = words.iter().map(|word| Value::from(*word)).collect();
                event.push_named(FieldName::new(field), Value::List(words));
            }
        }
    }

    /// Learns from an event that was marked before.
    pub fn learn(&mut self, event: &Event<'_>) {
        self.new.clear();
        self.learnt.clear();
        let (is_login, is_start) = (kind::is_login(event), kind::is_start(event));
        if !is_login && !is_start {
            return;
        }
        self.observed = self.observed.wrapping_add(1);
        let now = event.created().micros();
        for (kind, known) in KINDS.iter().zip(&mut self.known) {
            if !(is_login && kind.of_logins || is_start && !kind.of_logins) {
                continue;
            }
            let Some(baseline) = kind.baseline.text(event) else { continue };
            let Some(other) = kind.other.text(event) else { continue };
            let used = Used { turn: turn(self.observed), second: 0 };
            let (since, _) = entry(&mut known.baselines, &baseline, now, used, &mut self.evicted);
            let Some(since) = since.and_then(|slot| known.baselines.get_mut(slot)) else {
                continue;
            };
            *since = now.min(*since);
            let is_learnt = now.saturating_sub(*since) >= LEARNING;
            self.key.clear();
            // The length keeps the two apart whatever they hold.
            if write!(self.key, "{}:{baseline}{other}", baseline.len()).is_err() {
                continue;
            }
            let (slot, is_new) = entry(&mut known.pairs, &self.key, now, used, &mut self.evicted);
            let Some(last) = slot.and_then(|slot| known.pairs.get_mut(slot)) else { continue };
            if is_new || now.saturating_sub(*last) > FORGOTTEN {
                let said = if is_learnt { &mut self.new } else { &mut self.learnt };
                said.push(kind.name);
            }
            *last = now.max(*last);
        }
    }

    /// How many pairs are known.
    pub fn len(&self) -> usize {
        self.known.iter().map(|known| known.pairs.len()).sum()
    }

    /// Whether nothing is known yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many were forgotten because there were too many.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// About how many bytes it takes.
    pub fn bytes(&self) -> usize {
        self.known.iter().map(|known| known.pairs.bytes() + known.baselines.bytes()).sum()
    }

    /// What it knows, to be read by [`Pairs::restore`].
    pub fn snapshot(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, VERSION);
        put_varint(&mut out, self.observed);
        put_varint(&mut out, self.known.len() as u64);
        for (kind, known) in KINDS.iter().zip(&self.known) {
            put_text(&mut out, kind.name);
            for groups in [&known.baselines, &known.pairs] {
                write_groups(groups, &mut out, |_, time, out| put_signed(out, *time));
            }
        }
        out
    }

    /// Knows again what a snapshot knew.
    ///
    /// # Errors
    /// Where the bytes are no snapshot of this form and these kinds.
    pub fn restore(bytes: &[u8]) -> Result<Pairs, SnapshotError> {
        Ok(Pairs::read(bytes)?)
    }

    fn read(bytes: &[u8]) -> Result<Pairs, Malformed> {
        let mut bytes = Bytes(bytes);
        let mut pairs = Pairs::default();
        if bytes.varint()? != VERSION {
            return Err(Malformed);
        }
        pairs.observed = bytes.varint()?;
        if bytes.varint()? != KINDS.len() as u64 {
            return Err(Malformed);
        }
        for (kind, known) in KINDS.iter().zip(&mut pairs.known) {
            if bytes.text()? != kind.name {
                return Err(Malformed);
            }
            for groups in [&mut known.baselines, &mut known.pairs] {
                read_times(groups, &mut bytes)?;
            }
        }
        if bytes.0.is_empty() { Ok(pairs) } else { Err(Malformed) }
    }
}

fn read_times(groups: &mut Groups<i64>, bytes: &mut Bytes<'_>) -> Result<(), Malformed> {
    for _ in 0..bytes.length()? {
        let (key, used) = read_entry(bytes)?;
        let time = bytes.signed()?;
        if groups.is_full() || groups.find(key).is_some() {
            return Err(Malformed);
        }
        groups.insert(key, time, used);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
