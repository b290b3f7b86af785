//! Serials that never came.
//!
//! The kernel numbers its events one after the other. A number that is missing once those after it
//! came, and stays missing, is an event that was lost on the way or removed from the log. auditd's
//! own events (DAEMON_START and others) have numbers of their own; after one of them, as after a
//! restart of the machine, counting begins anew.

use std::collections::BTreeMap;

use bergfried_event::Timestamp;
use bergfried_source::Serials;

/// How long a serial may be late: longer than events wait to be complete.
const PATIENCE: i64 = 5 * Timestamp::SECOND;
/// How many ranges may be missing before the oldest is told.
const MOST_RANGES: usize = 256;
/// How many nodes of one log are counted.
const MOST_NODES: usize = 256;
/// A serial so far below the one expected is the first of a machine that was started again.
const FAR: u64 = 65_536;

/// Serials that did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    /// The node; empty where the log names none.
    pub(crate) node: String,
    pub(crate) first: u64,
    pub(crate) last: u64,
}

impl Gap {
    pub(crate) fn missing(&self) -> u64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }
}

/// The serials of one log.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    nodes: BTreeMap<String, Serials>,
}

impl Tracker {
    /// Goes on after a restart. What was missing may be in what nobody has read yet.
    pub(super) fn resume(known: &BTreeMap<String, Serials>, now: Timestamp) -> Self {
        let mut nodes = known.clone();
        for (_, _, noticed) in nodes.values_mut().flat_map(|serials| &mut serials.missing) {
            *noticed = now.micros();
        }
        Tracker { nodes }
    }

    /// What to keep over a restart.
    pub(super) fn known(&self) -> &BTreeMap<String, Serials> {
        &self.nodes
    }

    /// Notes that a line came: its event is not lost, be it complete or not. What is told at once are
    /// ranges for which there is no room.
    pub(super) fn saw(&mut self, line: &[u8], now: Timestamp) -> Vec<Gap> {
        let Some((node, kind, serial)) = front(line) else { return Vec::new() };
        if !self.nodes.contains_key(node) {
            if self.nodes.len() >= MOST_NODES {
                return Vec::new();
            }
            self.nodes.insert(node.to_owned(), Serials::default());
        }
        let Some(serials) = self.nodes.get_mut(node) else { return Vec::new() };
        if kind.starts_with(b"DAEMON_") {
            serials.next = None;
            return Vec::new();
        }
        note(serials, serial, now);
        let excess = serials.missing.len().saturating_sub(MOST_RANGES);
        let told = serials.missing.drain(..excess);
        told.map(|(first, last, _)| Gap { node: node.to_owned(), first, last }).collect()
    }

    /// What is missing for so long that it does not come.
    pub(super) fn due(&mut self, now: Timestamp) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for (node, serials) in &mut self.nodes {
            serials.missing.retain(|(first, last, noticed)| {
                let waits = now.micros().saturating_sub(*noticed) < PATIENCE;
                if !waits {
                    gaps.push(Gap { node: node.clone(), first: *first, last: *last });
                }
                waits
            });
        }
        gaps
    }
}

/// The node (empty where the line names none), the type and the serial of a record.
fn front(line: &[u8]) -> Option<(&str, &[u8], u64)> {
    let mut rest = line;
    let mut node = "";
    if let Some(named) = line.strip_prefix(b"node=") {
        let end = named.iter().take(256).position(|byte| *byte == b' ')?;
        node = std::str::from_utf8(named.get(..end)?).ok()?;
        rest = named.get(end + 1..)?;
    }
    let rest = rest.strip_prefix(b"type=")?;
    let end = rest.iter().take(64).position(|byte| *byte == b' ')?;
    let kind = rest.get(..end)?;
    let stamp = rest.get(end + 1..)?;
    let stamp = stamp.strip_prefix(b"msg=").unwrap_or(stamp).strip_prefix(b"audit(")?;
    let stamp = stamp.get(..stamp.iter().take(64).position(|byte| *byte == b')')?)?;
    let (_, serial) = std::str::from_utf8(stamp).ok()?.split_once(':')?;
    Some((node, kind, serial.parse().ok()?))
}

fn note(serials: &mut Serials, serial: u64, now: Timestamp) {
    // The kernel counts in 32 bits; anything else is no serial of its.
    if serial > u64::from(u32::MAX) {
        return;
    }
    let Some(next) = serials.next else {
        serials.next = Some(serial + 1);
        return;
    };
    if serial >= next {
        if serial > next {
            serials.missing.push((next, serial - 1, now.micros()));
        }
        serials.next = Some(serial + 1);
        return;
    }
    let place =
        serials.missing.iter().position(|(first, last, _)| (*first..=*last).contains(&serial));
    let Some((first, last, noticed)) = place.map(|place| serials.missing.remove(place)) else {
        if next - serial > FAR {
            serials.next = Some(serial + 1);
        }
        return;
    };
    let at = place.unwrap_or_default();
    if serial < last {
        serials.missing.insert(at, (serial + 1, last, noticed));
    }
    if first < serial {
        serials.missing.insert(at, (first, serial - 1, noticed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saw(tracker: &mut Tracker, kind: &str, serial: u64, seconds: i64) -> Vec<Gap> {
        let line = format!("type={kind} msg=audit(1.5:{serial}): x");
        tracker.saw(line.as_bytes(), Timestamp::from_seconds(seconds))
    }

    fn due(tracker: &mut Tracker, seconds: i64) -> Vec<(u64, u64)> {
        let gaps = tracker.due(Timestamp::from_seconds(seconds));
        gaps.into_iter().map(|gap| (gap.first, gap.last)).collect()
    }

    #[test]
    fn what_comes_late_is_not_missing_and_what_never_comes_is() {
        let mut tracker = Tracker::default();
        for serial in [100, 101, 105, 103, 104, 110, 112, 111, 101] {
            assert_eq!(saw(&mut tracker, "SYSCALL", serial, 0), []);
        }
        assert_eq!(due(&mut tracker, 4), []);
        saw(&mut tracker, "SYSCALL", 108, 4);
        assert_eq!(due(&mut tracker, 5), [(102, 102), (106, 107), (109, 109)]);
        assert_eq!(due(&mut tracker, 50), [], "told once");
    }

    #[test]
    fn counting_begins_anew_with_the_daemon_and_the_machine() {
        let mut tracker = Tracker::default();
        saw(&mut tracker, "SYSCALL", 100, 0);
        // Its own number, and then any.
        saw(&mut tracker, "DAEMON_START", 7_311, 0);
        saw(&mut tracker, "CONFIG_CHANGE", 5, 0);
        saw(&mut tracker, "SYSCALL", 7, 0);
        assert_eq!(due(&mut tracker, 9), [(6, 6)]);
        saw(&mut tracker, "SYSCALL", 1_000_000, 9);
        saw(&mut tracker, "SYSCALL", 3, 9);
        saw(&mut tracker, "SYSCALL", 4, 9);
        assert_eq!(due(&mut tracker, 99), [(8, 999_999)]);
        saw(&mut tracker, "SYSCALL", u64::MAX, 99);
        saw(&mut tracker, "SYSCALL", 5, 99);
        assert_eq!(due(&mut tracker, 200), []);
    }

    #[test]
    fn a_restart_gives_what_is_missing_another_chance() {
        let mut tracker = Tracker::default();
        saw(&mut tracker, "SYSCALL", 1, 0);
        saw(&mut tracker, "SYSCALL", 4, 0);
        let mut after = Tracker::resume(tracker.known(), Timestamp::from_seconds(1_000));
        assert_eq!(due(&mut after, 1_001), []);
        saw(&mut after, "SYSCALL", 2, 1_001);
        assert_eq!(due(&mut after, 1_005), [(3, 3)]);
    }

    #[test]
    fn fronts_are_read() {
        let (kind, daemon) = (&b"SYSCALL"[..], &b"DAEMON_END"[..]);
        for (line, expected) in [
            ("type=SYSCALL msg=audit(1.500:77): arch=1", Some(("", kind, 77))),
            ("node=web1 type=SYSCALL msg=audit(1.500:77): arch=1", Some(("web1", kind, 77))),
            ("type=SYSCALL audit(1.500:77): arch=1", Some(("", kind, 77))),
            ("type=DAEMON_END msg=audit(1.500:5): op=x", Some(("", daemon, 5))),
            ("type=SYSCALL msg=audit(1.500:", None),
            ("type=SYSCALL msg=audit(1.500:x): a", None),
            ("node=web1", None),
            ("a line of something else: type=SYSCALL msg=audit(1.5:7): ", None),
        ] {
            assert_eq!(front(line.as_bytes()), expected, "{line}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut tracker = Tracker::default();
        let mut told = Vec::new();
        for serial in 0..1_000 {
            told.extend(saw(&mut tracker, "SYSCALL", 2 * serial + 1, 0));
        }
        assert_eq!(told.len() + tracker.nodes[""].missing.len(), 999);
        assert_eq!(tracker.nodes[""].missing.len(), MOST_RANGES);
        assert_eq!((told[0].first, told[0].missing()), (2, 1));
        for node in 0..1_000 {
            let line = format!("node=n{node} type=SYSCALL msg=audit(1.5:1): x");
            tracker.saw(line.as_bytes(), Timestamp::from_seconds(0));
        }
        assert_eq!(tracker.nodes.len(), MOST_NODES);
    }
}
