//! The same line read twice.
//!
//! On many hosts one message reaches the agent over two ways: rsyslog writes to a file what the
//! journal holds too, or to two files. Both are stored, but only the first counts for the rules, so
//! that three wrong passwords are three, not six.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};

use bergfried_event::{Event, Field, Timestamp, Value};

/// How many lines are remembered, at least; at most twice as many.
const REMEMBERED: usize = 65_536;
/// How many ways one line may take; a further way counts as the last of them.
const WAYS: usize = 4;

/// Remembers recent lines by what they say and the way on which they came.
pub(crate) struct Twins {
    hasher: RandomState,
    young: HashMap<u64, [(u64, u32); WAYS]>,
    old: HashMap<u64, [(u64, u32); WAYS]>,
}

impl Twins {
    /// How many lines it remembers at least.
    pub(crate) const REMEMBERED: usize = REMEMBERED;

    pub(crate) fn new() -> Self {
        Twins { hasher: RandomState::new(), young: HashMap::new(), old: HashMap::new() }
    }

    /// Whether another way has brought this line before, as often as this way has now.
    ///
    /// Lines are the same when host, program, process, text and the second are; a line that really
    /// was logged three times comes three times on each way, and counts three times. A way is a file
    /// (or the journal) and the agent that reads it: a log server receives what hosts also send.
    pub(crate) fn is_repeat(&mut self, event: &Event<'_>) -> bool {
        let line = self.hasher.hash_one((
            event.created().micros().div_euclid(Timestamp::SECOND),
            event.text(Field::HostName),
            event.text(Field::ProcessName),
            event.get(Field::ProcessPid).and_then(Value::as_int),
            event.text(Field::Message),
        ));
        let way =
            self.hasher.hash_one((event.text(Field::AgentName), event.text(Field::LogFilePath)));
        let mut ways = match self.young.get(&line) {
            Some(ways) => *ways,
            None => self.old.remove(&line).unwrap_or_default(),
        };
        let place =
            ways.iter().position(|(known, times)| *known == way || *times == 0).unwrap_or(WAYS - 1);
        let elsewhere = ways
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != place)
            .map(|(_, (_, times))| *times)
            .max()
            .unwrap_or(0);
        let mut here = 0;
        if let Some((known, times)) = ways.get_mut(place) {
            *known = way;
            *times = times.saturating_add(1);
            here = *times;
        }
        if self.young.len() >= REMEMBERED {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(line, ways);
        here <= elsewhere
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(message: &'static str, second: i64, way: &'static str) -> Event<'static> {
        let mut event = Event::new(Timestamp::from_seconds(second), message);
        event.set(Field::Message, message);
        event.set(Field::HostName, "web");
        event.set(Field::LogFilePath, way);
        event
    }

    #[test]
    fn a_second_way_brings_nothing_new() {
        let mut twins = Twins::new();
        let mut comes = |way| twins.is_repeat(&event("Failed password", 1, way));
        assert!(!comes("journal"));
        assert!(!comes("journal"), "logged twice, counts twice");
        assert!(comes("auth.log"));
        assert!(comes("auth.log"));
        assert!(!comes("auth.log"), "a third one is new");
        assert!(comes("journal"));
    }

    #[test]
    fn another_agent_is_another_way() {
        let mut twins = Twins::new();
        let mut line = event("Failed password", 1, "auth.log");
        line.set(Field::AgentName, "web");
        assert!(!twins.is_repeat(&line));
        line.set(Field::AgentName, "log-server");
        assert!(twins.is_repeat(&line));
    }

    #[test]
    fn other_lines_are_other_lines() {
        let mut twins = Twins::new();
        assert!(!twins.is_repeat(&event("one", 1, "a")));
        assert!(!twins.is_repeat(&event("one", 2, "b")));
        assert!(!twins.is_repeat(&event("two", 1, "b")));
    }

    #[test]
    fn memory_is_bounded() {
        let mut twins = Twins::new();
        let line = event("x", 0, "a");
        for second in 0..200_000 {
            let mut line = line.clone();
            line.set_created(Timestamp::from_seconds(second));
            assert!(!twins.is_repeat(&line));
        }
        assert!(twins.young.len() + twins.old.len() <= 2 * REMEMBERED);
    }
}
