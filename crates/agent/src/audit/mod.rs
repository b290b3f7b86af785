//! Audit logs on their way into a batch: the records of one event joined, events of users that nobody
//! watches left out, the parent process added, and serials that never came told.
//!
//! Lines whose event is not complete become part of the checkpoint, so that an event is joined whole
//! and once, also where the agent was killed in the middle of it.

mod options;
mod parents;
mod serials;
mod users;

use std::collections::BTreeMap;
use std::time::Duration;

use bergfried_audit::{Glimpse, Joined, Joiner, Limits, glimpse};
use bergfried_event::{SourceKind, Timestamp};
use bergfried_source::{AuditLog, Checkpoint, HeldLine, Line, Patterns};

use crate::stats::Stats;
use crate::tamper;
pub(crate) use options::AuditTable;
pub use options::{AuditOptions, DEFAULT_AUDIT_LOG};
use parents::Parents;
pub(crate) use serials::Gap;
use serials::Tracker;
use users::is_watched;

/// How many logs are joined at a time; past it the one that was silent longest is closed. With
/// [`LIMITS`] this bounds the checkpoint, which the spool takes up to 32 MiB of.
const MOST_LOGS: usize = 8;
const LIMITS: Limits =
    Limits { events: 4_096, bytes: (1 << 20) + (256 << 10), patience: Duration::from_secs(2) };
/// The most that the agent's own clock moves at once; see [`Audit::caught_up`].
const LONGEST_STEP: i64 = Timestamp::SECOND;
/// The longest group; what a record of Bergfried may hold.
const LONGEST: usize = 1 << 20;

/// What is complete: a record for the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ready<'a> {
    pub(crate) kind: SourceKind,
    pub(crate) line: Line<'a>,
}

/// All audit logs of this host.
pub(crate) struct Audit {
    files: Patterns,
    logs: Vec<Log>,
    /// Logs that were closed since the last changes.
    closed: Vec<String>,
    gate: Gate,
    /// A clock that stands still while there is more to read, so that no event is given up whose
    /// lines wait in the file.
    clock: Timestamp,
    looked: Option<Timestamp>,
    /// Counts pushes, to know which log was silent longest.
    turn: u64,
    /// Whether the path of the line before is an audit log.
    last: Option<(String, bool)>,
}

struct Log {
    path: String,
    joiner: Joiner,
    serials: Tracker,
    touched: bool,
    used: u64,
}

/// What every event passes on its way out.
struct Gate {
    watched: Vec<u32>,
    parents: Option<Parents>,
    host: String,
    stats: Stats,
    grown: Vec<u8>,
}

impl Audit {
    pub(crate) fn new(options: &AuditOptions, host: &str, stats: &Stats) -> Self {
        Audit {
            files: Patterns::new(&options.files),
            logs: Vec::new(),
            closed: Vec::new(),
            gate: Gate {
                watched: options.watched_users.clone(),
                parents: options.parents.then(|| Parents::new("/proc")),
                host: host.to_owned(),
                stats: stats.clone(),
                grown: Vec::new(),
            },
            clock: Timestamp::from_seconds(0),
            looked: None,
            turn: 0,
            last: None,
        }
    }

    /// Takes up what the checkpoint knows; what is complete by now is handed out.
    pub(crate) fn restore(
        &mut self,
        checkpoint: &Checkpoint,
        now: Timestamp,
        sink: &mut dyn FnMut(Ready<'_>),
    ) {
        self.clock = now;
        for (path, known) in &checkpoint.audit {
            if let Some(log) = self.log(path, sink) {
                log.serials = Tracker::resume(&known.serials, now);
            }
            for HeldLine(raw) in &known.held {
                self.push(Line { path, raw, truncated: false }, now, sink);
            }
        }
    }

    /// Whether lines of this file are to be pushed: it is configured as an audit log, or named as one.
    pub(crate) fn is_audit_log(&mut self, path: &str) -> bool {
        if let Some((last, is_audit_log)) = &self.last
            && last == path
        {
            return *is_audit_log;
        }
        let is_audit_log = path.rsplit('/').next() == Some("audit.log") || self.files.matches(path);
        self.last = Some((path.to_owned(), is_audit_log));
        is_audit_log
    }

    /// Takes the next line of an audit log, and hands out what is complete.
    pub(crate) fn push(&mut self, line: Line<'_>, now: Timestamp, sink: &mut dyn FnMut(Ready<'_>)) {
        let clock = self.clock;
        if self.log(line.path, sink).is_none() {
            return;
        }
        let Audit { logs, gate, .. } = self;
        let Some(Log { path, joiner, serials, .. }) = logs.last_mut() else { return };
        for gap in serials.saw(line.raw, clock) {
            gate.tell(path, &gap, now, sink);
        }
        joiner.push(line.raw, clock, &mut |joined| {
            let cut = line.truncated && joined.lines.len() >= line.raw.trim_ascii_end().len();
            gate.pass(path, joined, cut, now, sink);
        });
    }

    /// Everything that was written until `now` has been pushed: hands out what waited too long, and
    /// tells which serials did not come.
    ///
    /// The clock moves by a second at most, so that a pause of the agent (a full disk, a suspended
    /// machine) makes no event old before the rest of it was read.
    pub(crate) fn caught_up(&mut self, now: Timestamp, sink: &mut dyn FnMut(Ready<'_>)) {
        let passed = self.looked.map_or(0, |before| now.since(before)).clamp(0, LONGEST_STEP);
        self.looked = Some(now);
        self.clock = Timestamp::from_micros(self.clock.micros().saturating_add(passed));
        let (clock, gate) = (self.clock, &mut self.gate);
        for Log { path, joiner, serials, touched, .. } in &mut self.logs {
            joiner.tick(clock, &mut |joined| {
                *touched = true;
                gate.pass(path, joined, false, now, sink);
            });
            for gap in serials.due(clock) {
                *touched = true;
                gate.tell(path, &gap, now, sink);
            }
        }
    }

    /// What changed since this was asked last.
    pub(crate) fn changes(&mut self) -> BTreeMap<String, AuditLog> {
        let closed = std::mem::take(&mut self.closed);
        let mut changes: BTreeMap<String, AuditLog> =
            closed.into_iter().map(|path| (path, AuditLog::default())).collect();
        for log in self.logs.iter_mut().filter(|log| log.touched) {
            log.touched = false;
            let held = log.joiner.held().map(|line| HeldLine(line.to_vec())).collect();
            let known = AuditLog { held, serials: log.serials.known().clone() };
            changes.insert(log.path.clone(), known);
        }
        changes
    }

    /// The log of this path, moved to the end of `logs`; the one that was silent longest makes room.
    fn log(&mut self, path: &str, sink: &mut dyn FnMut(Ready<'_>)) -> Option<&mut Log> {
        self.turn += 1;
        let known = match self.logs.last() {
            Some(last) if last.path == path => self.logs.pop(),
            _ => {
                let place = self.logs.iter().position(|log| log.path == path);
                place.map(|place| self.logs.remove(place))
            }
        };
        let mut log = known.unwrap_or_else(|| {
            if self.logs.len() >= MOST_LOGS {
                self.close_one(sink);
            }
            Log {
                path: path.to_owned(),
                joiner: Joiner::new(LIMITS),
                serials: Tracker::default(),
                touched: true,
                used: 0,
            }
        });
        log.touched = true;
        log.used = self.turn;
        self.logs.push(log);
        self.logs.last_mut()
    }

    fn close_one(&mut self, sink: &mut dyn FnMut(Ready<'_>)) {
        let oldest = self.logs.iter().enumerate().min_by_key(|(_, log)| log.used);
        let Some(place) = oldest.map(|(place, _)| place) else { return };
        let Log { path, mut joiner, .. } = self.logs.remove(place);
        let (clock, gate) = (self.clock, &mut self.gate);
        joiner.finish(&mut |joined| {
            gate.pass(&path, joined, false, clock, sink);
        });
        self.closed.push(path);
    }
}

impl Gate {
    fn pass(
        &mut self,
        path: &str,
        joined: Joined<'_>,
        cut: bool,
        now: Timestamp,
        sink: &mut dyn FnMut(Ready<'_>),
    ) {
        let truncated = cut || joined.flags.cut;
        if joined.flags.foreign {
            let line = Line { path, raw: joined.lines, truncated };
            return sink(Ready { kind: SourceKind::File, line });
        }
        self.stats.audit_events(1);
        self.stats.audit_lines_torn(u64::from(joined.flags.torn));
        if joined.flags.by_cap || joined.flags.cut {
            self.stats.audit_events_parted(1);
        }
        let mut raw = joined.lines;
        if let Some(glimpse) = glimpse(joined.lines) {
            let node = node(joined.lines);
            if !is_watched(&self.watched, &glimpse) {
                return self.stats.audit_events_unwatched(1);
            }
            raw = self.with_parent(joined.lines, node, &glimpse, now);
        }
        sink(Ready { kind: SourceKind::Audit, line: Line { path, raw, truncated } });
    }

    /// The event, with a line about the parent process where it is of this host and still runs, or was
    /// seen to begin a moment before. It stands before the PROCTITLE, which ends an event: written to
    /// a file and read again, all lines join as they were.
    fn with_parent<'a>(
        &'a mut self,
        lines: &'a [u8],
        node: &str,
        glimpse: &Glimpse,
        now: Timestamp,
    ) -> &'a [u8] {
        let Some(parents) = &mut self.parents else { return lines };
        if !(node.is_empty() || node == self.host) {
            return lines;
        }
        if let Some(pid) = glimpse.pid {
            parents.saw(pid, glimpse.created, lines);
        }
        let parent = glimpse.ppid.and_then(|pid| parents.find(pid, glimpse.created, now));
        let Some(parent) = parent else { return lines };
        let Some(stamp) = front(lines) else { return lines };
        let more = "\nnode= type=PARENT_INFO ".len() + node.len() + stamp.len() + parent.len();
        if lines.len() + more > LONGEST {
            return lines;
        }
        let end = title(lines).unwrap_or(lines.len());
        let (before, title) = lines.split_at_checked(end).unwrap_or((lines, b""));
        self.grown.clear();
        self.grown.extend_from_slice(before);
        if title.is_empty() {
            self.grown.extend_from_slice(b"\n");
        }
        if !node.is_empty() {
            self.grown.extend_from_slice(b"node=");
            self.grown.extend_from_slice(node.as_bytes());
            self.grown.extend_from_slice(b" ");
        }
        self.grown.extend_from_slice(b"type=PARENT_INFO ");
        self.grown.extend_from_slice(stamp);
        self.grown.extend_from_slice(parent);
        if !title.is_empty() {
            self.grown.extend_from_slice(b"\n");
            self.grown.extend_from_slice(title);
        }
        &self.grown
    }

    fn tell(&self, path: &str, gap: &Gap, now: Timestamp, sink: &mut dyn FnMut(Ready<'_>)) {
        self.stats.audit_serials_missing(gap.missing());
        let json = tamper::audit_gap(path, gap, now);
        let line = Line { path: tamper::ORIGIN, raw: &json, truncated: false };
        sink(Ready { kind: SourceKind::Json, line });
    }
}

/// The node that the lines name; empty where they name none.
fn node(lines: &[u8]) -> &str {
    let Some(rest) = lines.strip_prefix(b"node=") else { return "" };
    let end = rest.iter().position(|byte| *byte == b' ').unwrap_or(0);
    rest.get(..end).and_then(|node| std::str::from_utf8(node).ok()).unwrap_or("")
}

/// Where the last line begins, where it is a PROCTITLE and others are before it.
fn title(lines: &[u8]) -> Option<usize> {
    let begin = lines.iter().rposition(|byte| *byte == b'\n')? + 1;
    let last = lines.get(begin..)?;
    let bare = match last.starts_with(b"node=") {
        true => last.splitn(2, |byte| *byte == b' ').nth(1)?,
        false => last,
    };
    bare.starts_with(b"type=PROCTITLE ").then_some(begin)
}

/// `msg=audit(…): ` of the first line; none in lines that the kernel printed itself.
fn front(lines: &[u8]) -> Option<&[u8]> {
    let begin = lines.windows(10).position(|at| at == b"msg=audit(")?;
    let rest = lines.get(begin..)?;
    let end = rest.iter().position(|byte| *byte == b')')?;
    rest.get(..end + 3).filter(|front| front.ends_with(b"): "))
}

#[cfg(test)]
mod tests;
