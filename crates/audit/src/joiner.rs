//! Joins the records of one event, however they interleave with those of others.
//!
//! The kernel writes an event as several records with the same time and serial. An event is over
//! when its EOE comes, which auditd passes to its plug-ins and leaves out of its log; when its
//! PROCTITLE comes, which is the last record of every event that has one; at once where its record
//! stands alone; and where none of these comes (kernels before 3.15, events without a process), when
//! a later event of the same node is more than `patience` ahead, or it was read so long ago. The
//! EOE itself says nothing and is left out of the group.

mod joined;

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bergfried_event::Timestamp;

use crate::line;
use crate::record_type::RecordType;
pub use joined::{Counters, Flags, Joined};

/// The longest group of lines, in bytes: what a record of Bergfried may hold.
const LONGEST: usize = 1 << 20;
/// How many of the events handed out last are remembered, so that lines that come late are known.
const REMEMBERED: usize = 64;
/// How many nodes of one log are told apart at a time.
const MOST_NODES: usize = 1024;
/// How often events that wait are compared with the time that the log has reached.
const SWEEP: i64 = Timestamp::SECOND / 4;
/// How many events may be compared for each line that came since they were last compared, so that a
/// log whose times go to and fro costs no more than one whose times go forth.
const COMPARED: usize = 8;
/// Buffers kept for the events to come.
const SPARE: usize = 64;

/// The caps of what waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Events that wait; past it the oldest is handed out as it is.
    pub events: usize,
    /// Bytes of lines that wait; past it the oldest events are handed out as they are.
    pub bytes: usize,
    /// How long an event waits for records that may not come.
    pub patience: Duration,
}

impl Default for Limits {
    /// 16,384 events, 4 MiB, two seconds.
    fn default() -> Self {
        Limits { events: 16_384, bytes: 4 << 20, patience: Duration::from_secs(2) }
    }
}

/// Joins the lines of one audit log; one joiner for each log.
#[derive(Debug, Default)]
pub struct Joiner {
    limits: Limits,
    /// In the order in which their first lines came; `None` where handed out since.
    waiting: VecDeque<Option<Waiting>>,
    /// The number of the first of `waiting`, counted from the beginning.
    first: u64,
    /// The numbers of those that wait.
    numbers: HashMap<Key, u64, foldhash::fast::RandomState>,
    /// Bytes of the lines that wait.
    bytes: usize,
    /// The key of the line before, and its number.
    last: Option<(Key, u64)>,
    nodes: Vec<Box<[u8]>>,
    /// The time of the last line of each node, the one without a name first.
    recent: Vec<i64>,
    /// Where the log was when those that wait were last compared with it.
    swept: Timestamp,
    /// How many lines came since.
    since_swept: usize,
    remembered: VecDeque<Key>,
    spare: Vec<Vec<u8>>,
    counters: Counters,
}

/// What the records of one event have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    created: i64,
    serial: u64,
    /// 0 where the line names none, else one more than the place in `nodes`.
    node: usize,
}

#[derive(Debug)]
struct Waiting {
    key: Key,
    lines: Vec<u8>,
    records: u64,
    /// When its first line was read.
    arrived: Timestamp,
    /// Where the log was then: an event has the time at which its system call began, which for a
    /// connection may be a minute before its lines are written.
    reached: i64,
    flags: Flags,
}

impl Joiner {
    /// A joiner that holds at most so much.
    pub fn new(limits: Limits) -> Joiner {
        Joiner { limits, ..Joiner::default() }
    }

    /// Takes the next line of the log, without its line ending, and hands out what is complete.
    ///
    /// `now`: when the line was read; decides only about patience.
    pub fn push(&mut self, line: &[u8], now: Timestamp, sink: &mut dyn FnMut(Joined<'_>)) {
        self.tick(now, sink);
        let whole = line;
        let line = line.trim_ascii_end();
        let Some(header) = line::read(line) else {
            let torn = line::resembles(line);
            let flags = Flags { torn, foreign: !torn, ..Flags::default() };
            self.counters.torn += u64::from(torn);
            self.counters.foreign += u64::from(!torn);
            return self.hand_out_line(whole, flags, sink);
        };
        let node = match header.node {
            None => 0,
            Some(node) => self.node(node, sink),
        };
        let key = Key { created: header.created.micros(), serial: header.serial, node };
        let number = match self.last {
            Some((last, number)) if last == key => Some(number),
            _ => self.numbers.get(&key).copied(),
        };
        let is_end = header.kind == RecordType::EOE;
        let ends = is_end || header.kind == RecordType::PROCTITLE || header.kind.stands_alone();
        match number {
            Some(number) => {
                if is_end {
                    self.counters.ends += 1;
                } else {
                    self.append(number, line);
                }
                if ends {
                    self.hand_out(number, Flags::default(), sink);
                }
            }
            None if is_end => self.counters.ends += 1,
            None => {
                let late = !header.kind.stands_alone() && self.remembered.contains(&key);
                self.counters.late += u64::from(late);
                let flags = Flags { late, ..Flags::default() };
                if ends {
                    self.remember(key);
                    self.hand_out_line(line, flags, sink);
                } else {
                    self.begin(key, line, flags, now);
                }
            }
        }
        if self.recent.len() <= key.node {
            self.recent.resize(key.node + 1, key.created);
        }
        if let Some(recent) = self.recent.get_mut(key.node) {
            *recent = key.created;
        }
        self.keep_to_limits(sink);
        self.since_swept += 1;
        let is_paid = self.waiting.len() / COMPARED <= self.since_swept;
        if is_paid && (key.created - self.swept.micros()).abs() >= SWEEP {
            self.swept = header.created;
            self.since_swept = 0;
            self.sweep(key, sink);
        }
    }

    /// Hands out what has waited longer than `patience`.
    pub fn tick(&mut self, now: Timestamp, sink: &mut dyn FnMut(Joined<'_>)) {
        while let Some(front) = self.waiting.front() {
            let Some(front) = front else {
                self.drop_gaps();
                continue;
            };
            if now.since(front.arrived) < self.patience() {
                return;
            }
            self.hand_out(self.first, Flags { by_time: true, ..Flags::default() }, sink);
        }
    }

    /// Hands out all that waits: the log ends here.
    pub fn finish(&mut self, sink: &mut dyn FnMut(Joined<'_>)) {
        let by_time = Flags { by_time: true, ..Flags::default() };
        self.hand_out_all(by_time, sink);
    }

    /// The lines that wait, those of the oldest event first.
    ///
    /// An agent keeps them over a restart and pushes them again.
    pub fn held(&self) -> impl Iterator<Item = &[u8]> {
        let groups = self.waiting.iter().flatten();
        groups.flat_map(|group| group.lines.split(|byte| *byte == b'\n'))
    }

    /// How often what happened.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// What the lines of a whole text become: the lines of each event, in the order that they are
    /// complete, and lines that are none of audit on their own (then false).
    ///
    /// For texts that are in memory anyway, such as the samples of a rule.
    pub fn groups(text: &str) -> Vec<(bool, String)> {
        let mut groups = Vec::new();
        let mut sink = |joined: Joined<'_>| {
            let lines = String::from_utf8_lossy(joined.lines).into_owned();
            groups.push((!joined.flags.foreign, lines));
        };
        let mut joiner = Joiner::default();
        for line in text.lines() {
            joiner.push(line.as_bytes(), Timestamp::default(), &mut sink);
        }
        joiner.finish(&mut sink);
        groups
    }

    fn patience(&self) -> i64 {
        i64::try_from(self.limits.patience.as_micros()).unwrap_or(i64::MAX)
    }

    /// The number of a node; where there are too many, all that wait go and it is counted anew.
    fn node(&mut self, name: &[u8], sink: &mut dyn FnMut(Joined<'_>)) -> usize {
        if let Some(place) = self.nodes.iter().position(|known| **known == *name) {
            return place + 1;
        }
        if self.nodes.len() >= MOST_NODES {
            self.hand_out_all(Flags { by_cap: true, ..Flags::default() }, sink);
            self.remembered.clear();
            self.nodes.clear();
            self.recent.truncate(1);
        }
        self.nodes.push(name.into());
        self.nodes.len()
    }

    fn begin(&mut self, key: Key, line: &[u8], flags: Flags, now: Timestamp) {
        let number = self.first + self.waiting.len() as u64;
        let lines = self.spare.pop().unwrap_or_default();
        let reached = self.recent.get(key.node).copied().unwrap_or(key.created).max(key.created);
        let group = Waiting { key, lines, records: 0, arrived: now, reached, flags };
        self.waiting.push_back(Some(group));
        self.numbers.insert(key, number);
        self.last = Some((key, number));
        self.append(number, line);
    }

    fn append(&mut self, number: u64, line: &[u8]) {
        let Some(group) = slot(&mut self.waiting, self.first, number).and_then(Option::as_mut)
        else {
            return;
        };
        self.last = Some((group.key, number));
        let before = group.lines.len();
        let room = LONGEST.saturating_sub(before + 1);
        if line.len() > room {
            group.flags.cut = true;
            self.counters.cut += 1;
            if before > 0 {
                return;
            }
        }
        if before > 0 {
            group.lines.push(b'\n');
        }
        group.lines.extend_from_slice(line.get(..room).unwrap_or(line));
        group.records += 1;
        self.bytes += group.lines.len() - before;
    }

    fn keep_to_limits(&mut self, sink: &mut dyn FnMut(Joined<'_>)) {
        while self.waiting.len() > self.limits.events || self.bytes > self.limits.bytes {
            self.drop_gaps();
            if self.waiting.len() <= self.limits.events && self.bytes <= self.limits.bytes {
                return;
            }
            self.hand_out(self.first, Flags { by_cap: true, ..Flags::default() }, sink);
        }
    }

    /// Hands out the events of the node of `newest` that came when the log was more than `patience`
    /// behind it.
    fn sweep(&mut self, newest: Key, sink: &mut dyn FnMut(Joined<'_>)) {
        let patience = self.patience();
        let by_time = Flags { by_time: true, ..Flags::default() };
        let end = self.first + self.waiting.len() as u64;
        for number in self.first..end {
            let old = slot(&mut self.waiting, self.first, number).is_some_and(|group| {
                group.as_ref().is_some_and(|group| {
                    group.key.node == newest.node
                        && newest.created.saturating_sub(group.reached) > patience
                })
            });
            if old {
                self.hand_out(number, by_time, sink);
            }
        }
    }

    fn hand_out_all(&mut self, why: Flags, sink: &mut dyn FnMut(Joined<'_>)) {
        let end = self.first + self.waiting.len() as u64;
        for number in self.first..end {
            self.hand_out(number, why, sink);
        }
    }

    fn hand_out(&mut self, number: u64, why: Flags, sink: &mut dyn FnMut(Joined<'_>)) {
        let taken = slot(&mut self.waiting, self.first, number).and_then(Option::take);
        self.drop_gaps();
        let Some(mut group) = taken else { return };
        self.numbers.remove(&group.key);
        if self.last.is_some_and(|(key, _)| key == group.key) {
            self.last = None;
        }
        self.remember(group.key);
        self.bytes = self.bytes.saturating_sub(group.lines.len());
        self.counters.events += 1;
        self.counters.records += group.records;
        self.counters.by_time += u64::from(why.by_time);
        self.counters.by_cap += u64::from(why.by_cap);
        let flags = Flags { by_time: why.by_time, by_cap: why.by_cap, ..group.flags };
        sink(Joined { lines: &group.lines, flags });
        if self.spare.len() < SPARE && group.lines.capacity() <= 64 << 10 {
            group.lines.clear();
            self.spare.push(group.lines);
        }
    }

    fn hand_out_line(&mut self, line: &[u8], flags: Flags, sink: &mut dyn FnMut(Joined<'_>)) {
        let cut = line.len() > LONGEST;
        self.counters.cut += u64::from(cut);
        let is_event = !flags.foreign && !flags.torn;
        self.counters.events += u64::from(is_event);
        self.counters.records += u64::from(is_event);
        let lines = line.get(..LONGEST).unwrap_or(line);
        sink(Joined { lines, flags: Flags { cut, ..flags } });
    }

    fn remember(&mut self, key: Key) {
        if self.remembered.len() >= REMEMBERED {
            self.remembered.pop_front();
        }
        self.remembered.push_back(key);
    }

    /// Lets go of what was handed out at the front.
    fn drop_gaps(&mut self) {
        while let Some(None) = self.waiting.front() {
            self.waiting.pop_front();
            self.first += 1;
        }
    }
}

/// The place of the event of this number, where it is still kept.
fn slot(
    waiting: &mut VecDeque<Option<Waiting>>,
    first: u64,
    number: u64,
) -> Option<&mut Option<Waiting>> {
    let place = usize::try_from(number.checked_sub(first)?).ok()?;
    waiting.get_mut(place)
}

#[cfg(test)]
mod tests;
