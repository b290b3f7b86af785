//! The state of one correlation: its groups, and the episodes in which its condition holds.
//!
//! An episode starts when the condition starts to hold for a group: a finding states the events of
//! the window. While it goes on, further events are gathered and stated as follow-ups whose count is
//! only the new ones. It ends with the first match at which the condition does not hold. A match
//! that comes late is judged where its time belongs: what it completes starts, what it adds to an
//! episode of the past is told as a follow-up.
//!
//! A group rests as bytes between its events: most have a few matches, and there can be a million.

use std::hash::{BuildHasher as _, DefaultHasher, Hash as _, Hasher as _, RandomState};

use bergfried_event::{Event, Finding};

use super::Limits;
use super::bytes::{Bytes, Malformed, put_signed, put_varint};
use super::group::Group;
use super::groups::{Groups, Used, on_heap};
use super::judge::{Judge, Point};
use super::key::{self, any_value, number, write_key};
use super::measure::Measure;
use super::state::{read_entry, write_groups};
use super::window::{Match, Stretch};
use crate::rule::{AnyName, Correlation, CorrelationKind, Rule};

/// How far behind the events of other groups those of one group may lag (a host that was offline)
/// and still meet what the group remembers: one hour.
const MAX_LATENESS: i64 = 3_600_000_000;
/// A group with more matches than this does not rest as bytes: writing them would cost more than
/// what is done with them.
const LARGE: usize = 128;

/// A match that reaches a correlation.
pub(super) struct Hit<'h, 'e> {
    pub(super) event: &'h Event<'e>,
    pub(super) event_id: u64,
    /// Counts events; a match of the same event has the same.
    pub(super) sequence: u64,
    pub(super) step: usize,
    /// When it counts, in microseconds.
    pub(super) time: i64,
    /// How many events stand behind it.
    pub(super) weight: u64,
    /// How often it counts.
    pub(super) times: u64,
    /// When the first event behind the match happened, in microseconds.
    pub(super) first: i64,
}

/// What one correlation remembers.
#[derive(Debug)]
pub(super) struct CorrelationState {
    pub(super) groups: Groups<Cell>,
    pub(super) clock: Clock,
    /// Makes hashes of counted values that nobody can foresee; goes on over a restart.
    pub(super) secret: u64,
    /// What groups take beside their entries.
    heap: usize,
    limits: Limits,
    evicted: u64,
    late: u64,
    /// Slots of groups that may have something to state, each once.
    pending: Vec<u32>,
    /// The places in which the event under way was counted, with how much it counted there.
    counted: Counted,
    work: Work,
}

/// A group at rest, or one that is too large for that.
#[derive(Debug)]
pub(super) enum Cell {
    Packed(Box<[u8]>),
    Large(Box<Group>),
}

impl Default for Cell {
    fn default() -> Self {
        Cell::Packed(Box::default())
    }
}

impl Cell {
    fn heap(&self) -> usize {
        match self {
            Cell::Packed(bytes) => on_heap(bytes.len()),
            Cell::Large(group) => group.bytes(),
        }
    }
}

/// Kept between events for its memory alone.
#[derive(Debug, Default)]
struct Work {
    key: String,
    group: Group,
    packed: Vec<u8>,
    measure: Measure,
    stretches: Vec<Stretch>,
}

/// Several matches of one event count as one.
#[derive(Debug, Default)]
struct Counted {
    sequence: u64,
    places: Vec<(u32, u64, u64)>,
}

impl Counted {
    /// How much of a match is new, where the event may have counted in this slot before.
    fn rest(&mut self, sequence: u64, slot: u32, weight: u64, times: u64) -> (u64, u64) {
        if self.sequence != sequence {
            self.sequence = sequence;
            self.places.clear();
        }
        match self.places.iter_mut().find(|(known, ..)| *known == slot) {
            None => {
                self.places.push((slot, weight, times));
                (weight, times)
            }
            Some((_, known_weight, known_times)) => {
                let rest =
                    (weight.saturating_sub(*known_weight), times.saturating_sub(*known_times));
                *known_weight = weight.max(*known_weight);
                *known_times = times.max(*known_times);
                rest
            }
        }
    }
}

/// Event time as it can be trusted to pass: it moves by at most [`MAX_STEP`] for each match, so that
/// a line with a wild stamp does not make the groups of all others look old.
#[derive(Debug, Default)]
pub(super) struct Clock {
    pub(super) now: Option<i64>,
}

/// Ten seconds.
const MAX_STEP: i64 = 10_000_000;

impl Clock {
    /// The time in seconds, after a match at `time`.
    fn tick(&mut self, time: i64) -> u32 {
        let before = self.now.unwrap_or(time);
        let now = time.clamp(before, before.saturating_add(MAX_STEP));
        self.now = Some(now);
        seconds(now)
    }
}

/// Seconds since 1970, as far as they can be told in 32 bits.
fn seconds(micros: i64) -> u32 {
    u32::try_from(micros.div_euclid(1_000_000).max(0)).unwrap_or(u32::MAX)
}

impl CorrelationState {
    pub(super) fn new(limits: Limits) -> Self {
        CorrelationState {
            groups: Groups::new(limits.max_groups),
            clock: Clock::default(),
            secret: RandomState::new().hash_one(0),
            heap: 0,
            limits,
            evicted: 0,
            late: 0,
            pending: Vec::new(),
            counted: Counted::default(),
            work: Work::default(),
        }
    }

    pub(super) fn evicted(&self) -> u64 {
        self.evicted
    }

    pub(super) fn late(&self) -> u64 {
        self.late
    }

    /// About how many bytes the groups take.
    pub(super) fn bytes(&self) -> usize {
        self.groups.bytes() + self.heap
    }

    /// Takes a match in; where the condition came to hold is added to `points`. Without `findings`
    /// (warming up) nothing is stated, now or later.
    pub(super) fn observe(
        &mut self,
        rule: &Rule,
        correlation: &Correlation,
        hit: &Hit<'_, '_>,
        mut findings: Option<&mut Vec<Finding>>,
        points: &mut Vec<Point>,
    ) {
        let Some(step) = correlation.steps.get(hit.step) else { return };
        let mut work = std::mem::take(&mut self.work);
        let counted = self.counted_value(correlation, hit.event, &step.values);
        if let Some(value) = counted
            && write_key(hit.event, &step.group_by, &mut work.key)
        {
            let second = self.clock.tick(hit.time);
            self.expire(rule, correlation, second, findings.as_deref_mut(), &mut work);
            self.count(rule, correlation, hit, value, second, findings, points, &mut work);
        }
        self.work = work;
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one match, taken apart once")]
    fn count(
        &mut self,
        rule: &Rule,
        correlation: &Correlation,
        hit: &Hit<'_, '_>,
        value: u64,
        second: u32,
        mut findings: Option<&mut Vec<Finding>>,
        points: &mut Vec<Point>,
        work: &mut Work,
    ) {
        let used = Used { turn: turn(hit.sequence), second };
        let slot = match self.groups.find(&work.key) {
            Some(slot) => {
                self.groups.touch(slot, used);
                slot
            }
            None => {
                if self.groups.is_full() {
                    self.evict(rule, correlation, findings.as_deref_mut(), work);
                }
                match self.groups.insert(&work.key, Cell::default(), used) {
                    Some(slot) => slot,
                    None => return,
                }
            }
        };
        let (weight, times) = self.counted.rest(hit.sequence, slot, hit.weight, hit.times);
        if weight == 0 && times == 0 && is_count(correlation.kind) {
            return;
        }
        let new = Match {
            time: hit.time,
            first: hit.first,
            event_id: hit.event_id,
            value,
            weight,
            times,
            step: u8::try_from(hit.step).unwrap_or(u8::MAX),
            held: false,
            stated: false,
        };
        let Some(mut cell) = self.open(correlation, slot, work) else { return };
        let group = match &mut cell {
            Cell::Packed(_) => &mut work.group,
            Cell::Large(group) => group,
        };
        if group.window.is_late(correlation, hit.time) {
            self.late = self.late.saturating_add(1);
        } else {
            let mut judge = Judge {
                rule,
                correlation,
                limits: &self.limits,
                key: &work.key,
                measure: &mut work.measure,
                stretches: &mut work.stretches,
                findings,
                points,
            };
            judge.add(group, hit.event, new);
        }
        self.close(correlation, slot, cell, work);
    }

    /// A group to work with: in `work` where it rested as bytes.
    fn open(&mut self, correlation: &Correlation, slot: u32, work: &mut Work) -> Option<Cell> {
        let cell = std::mem::take(self.groups.get_mut(slot)?);
        self.heap = self.heap.saturating_sub(cell.heap());
        if let Cell::Packed(packed) = &cell {
            // A group that was just made has no bytes yet.
            if work.group.unpack(correlation, self.groups.key(slot), packed).is_err() {
                work.group.clear();
            }
        }
        Some(cell)
    }

    /// Lets a group rest again.
    fn close(&mut self, correlation: &Correlation, slot: u32, cell: Cell, work: &mut Work) {
        let (group, before) = match cell {
            Cell::Packed(before) => (&mut work.group, Ok(before)),
            Cell::Large(mut group) => {
                work.group.clear();
                std::mem::swap(&mut work.group, &mut *group);
                (&mut work.group, Err(group))
            }
        };
        if group.pending.is_some() && !self.groups.mark(slot) {
            self.pending.push(slot);
        }
        let cell = match before {
            // Not at once back and forth where one match makes the difference.
            Err(mut large) if group.window.matches.len() > LARGE / 2 => {
                std::mem::swap(&mut *large, group);
                Cell::Large(large)
            }
            Ok(_) if group.window.matches.len() > LARGE => {
                Cell::Large(Box::new(std::mem::take(group)))
            }
            before => {
                work.packed.clear();
                group.pack(correlation, self.groups.key(slot), &mut work.packed);
                Cell::Packed(match before {
                    Ok(mut same) if same.len() == work.packed.len() => {
                        same.copy_from_slice(&work.packed);
                        same
                    }
                    _ => work.packed.as_slice().into(),
                })
            }
        };
        self.heap += cell.heap();
        if let Some(place) = self.groups.get_mut(slot) {
            *place = cell;
        }
    }

    /// Forgets the group that was not used for the longest time, and says what it had to say.
    fn forget(
        &mut self,
        rule: &Rule,
        correlation: &Correlation,
        slot: u32,
        findings: Option<&mut Vec<Finding>>,
        work: &mut Work,
    ) {
        let Some((key, cell)) = self.groups.remove(slot) else { return };
        self.heap = self.heap.saturating_sub(cell.heap());
        if let Some(marked) = self.groups.shrink() {
            self.pending = marked;
            self.counted.places.clear();
        }
        let Some(findings) = findings else { return };
        match cell {
            Cell::Packed(packed) => {
                if work.group.unpack(correlation, &key, &packed).is_ok() {
                    work.group.state(rule, correlation, &key, i64::MAX, findings);
                }
            }
            Cell::Large(mut group) => group.state(rule, correlation, &key, i64::MAX, findings),
        }
    }

    fn evict(
        &mut self,
        rule: &Rule,
        correlation: &Correlation,
        findings: Option<&mut Vec<Finding>>,
        work: &mut Work,
    ) {
        if let Some((slot, _)) = self.groups.oldest() {
            self.evicted = self.evicted.saturating_add(1);
            self.forget(rule, correlation, slot, findings, work);
        }
    }

    /// Forgets some of the groups whose windows are empty, also for events that come late.
    fn expire(
        &mut self,
        rule: &Rule,
        correlation: &Correlation,
        second: u32,
        mut findings: Option<&mut Vec<Finding>>,
        work: &mut Work,
    ) {
        let period = seconds(correlation.timespan.saturating_add(MAX_LATENESS)).saturating_add(1);
        // More than one match can add, so that the list cannot grow.
        for _ in 0..2 {
            match self.groups.oldest() {
                Some((slot, used)) if second.saturating_sub(used.second) > period => {
                    self.forget(rule, correlation, slot, findings.as_deref_mut(), work);
                }
                _ => return,
            }
        }
    }

    /// When the least recently used group was used last.
    pub(super) fn oldest_turn(&self) -> Option<u32> {
        self.groups.oldest().map(|(_, used)| used.turn)
    }

    /// Forgets a group to make room for those of other rules; false where there is none.
    pub(super) fn shed(
        &mut self,
        rule: &Rule,
        correlation: &Correlation,
        findings: Option<&mut Vec<Finding>>,
    ) -> bool {
        let mut work = std::mem::take(&mut self.work);
        let any = self.groups.len() > 0;
        self.evict(rule, correlation, findings, &mut work);
        self.work = work;
        any
    }

    /// States what was gathered by groups that stated nothing for `interval`.
    pub(super) fn flush(
        &mut self,
        rule: &Rule,
        correlation: &Correlation,
        now: i64,
        interval: i64,
        findings: &mut Vec<Finding>,
    ) {
        if self.pending.is_empty() {
            return;
        }
        let from = findings.len();
        let mut work = std::mem::take(&mut self.work);
        for slot in std::mem::take(&mut self.pending) {
            self.groups.unmark(slot);
            let Some(mut cell) = self.open(correlation, slot, &mut work) else { continue };
            let group = match &mut cell {
                Cell::Packed(_) => &mut work.group,
                Cell::Large(group) => group,
            };
            if now.saturating_sub(group.stated) >= interval {
                group.state(rule, correlation, self.groups.key(slot), now, findings);
            }
            self.close(correlation, slot, cell, &mut work);
        }
        self.work = work;
        // Slots have no order; findings of one moment have that of their groups.
        if let Some(new) = findings.get_mut(from..) {
            new.sort_by(|a, b| (a.last_seen, &a.group).cmp(&(b.last_seen, &b.group)));
        }
    }

    /// Writes it for a snapshot.
    pub(super) fn write(&self, correlation: &Correlation, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.secret.to_le_bytes());
        put_varint(out, u64::from(self.clock.now.is_some()));
        put_signed(out, self.clock.now.unwrap_or(0));
        let mut buffer = Vec::new();
        write_groups(&self.groups, out, |key, cell, out| {
            let packed = match cell {
                Cell::Packed(packed) => packed,
                Cell::Large(group) => {
                    buffer.clear();
                    group.pack(correlation, key, &mut buffer);
                    &*buffer
                }
            };
            put_varint(out, packed.len() as u64);
            out.extend_from_slice(packed);
        });
    }

    /// Takes in what was written; the state is to be new.
    ///
    /// # Errors
    /// Where it was not written for this correlation.
    pub(super) fn read(
        &mut self,
        rule: &Rule,
        correlation: &Correlation,
        bytes: &mut Bytes<'_>,
    ) -> Result<(), Malformed> {
        self.secret = bytes.u64()?;
        let known = bytes.varint()? != 0;
        let now = bytes.signed()?;
        self.clock.now = known.then_some(now);
        let mut work = Work::default();
        for _ in 0..bytes.length()? {
            let (key, used) = read_entry(bytes)?;
            let length = bytes.length()?;
            let packed = bytes.take(length)?;
            if self.groups.find(key).is_some()
                || key::values(key).count() != correlation.group_names.len()
            {
                return Err(Malformed);
            }
            // The limits may have become tighter.
            if self.groups.is_full() {
                self.evict(rule, correlation, None, &mut work);
            }
            work.group.unpack(correlation, key, packed)?;
            if let Some(slot) = self.groups.insert(key, Cell::default(), used) {
                self.close(correlation, slot, Cell::default(), &mut work);
            }
        }
        Ok(())
    }

    /// What the condition looks at: nought for events alone, a hash of values, or a number's bits;
    /// `None` where the event lacks it.
    fn counted_value(
        &self,
        correlation: &Correlation,
        event: &Event<'_>,
        fields: &[AnyName],
    ) -> Option<u64> {
        if correlation.kind.is_numeric() {
            return fields.first().and_then(|field| number(event, field)).map(f64::to_bits);
        }
        if fields.is_empty() || is_count(correlation.kind) && !is_of_values(correlation.kind) {
            return Some(0);
        }
        let mut hasher = DefaultHasher::new();
        self.secret.hash(&mut hasher);
        for field in fields {
            any_value(event, field)?.hash(&mut hasher);
        }
        Some(hasher.finish())
    }
}

/// Part of the counter of events that fits an entry; it tells the order of use well enough.
pub(super) fn turn(sequence: u64) -> u32 {
    (sequence >> 6) as u32
}

/// Whether a second match of one event says nothing new.
fn is_count(kind: CorrelationKind) -> bool {
    kind != CorrelationKind::ValueCount && !kind.asks_for_presence()
}

fn is_of_values(kind: CorrelationKind) -> bool {
    matches!(kind, CorrelationKind::ValueCount | CorrelationKind::ValueShare)
}
