//! Events as JSON lines, as shippers of Windows and Linux hosts write them.
//!
//! Mostly benign, with a small part that looks like an attack. Every event names its log source
//! under `logsource`, as a shipper that knows where it reads can, unless told not to.

mod linux;
mod object;
mod template;
mod windows;

use clap::ValueEnum;
use jiff::{SignedDuration, Timestamp};

use crate::random::Random;
use object::Object;

/// What the events look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Sysmon, Security, PowerShell and System in the proportions of an office network, about 1 KB
    Windows,
    /// Starts of processes by Sysmon alone, which the most rules are about, about 1.5 KB
    WindowsProcesses,
    /// Audit records, starts of processes, and what sshd, sudo and cron say, about 0.5 KB
    Linux,
}

/// How many in a thousand events look like an attack.
const ATTACKS_PER_MILLE: u64 = 4;

/// An endless run of events.
#[derive(Debug)]
pub struct Events {
    world: World,
    kind: Kind,
    object: Object,
}

/// What one event is made from.
#[derive(Debug)]
struct World {
    random: Random,
    now: Timestamp,
    record: u64,
    host: u64,
    attack: bool,
}

impl Events {
    /// Events of this kind; the first happened at `start`, a hundred in each second.
    pub fn new(random: Random, start: Timestamp, kind: Kind) -> Self {
        let world = World { random, now: start, record: 100_000, host: 0, attack: false };
        Events { world, kind, object: Object::default() }
    }

    /// The same events without their log source, as shippers write them that do not name it.
    #[must_use]
    pub fn untagged(mut self) -> Self {
        self.object.leave_untagged();
        self
    }

    /// The next event: one line of JSON, without a line feed.
    ///
    /// # Errors
    /// Where time runs past the year 9999.
    pub fn next_event(&mut self) -> anyhow::Result<&[u8]> {
        let world = &mut self.world;
        world.now = world.now.checked_add(SignedDuration::from_millis(10))?;
        world.record += 1 + world.random.below(3);
        world.host = world.random.below(60);
        world.attack = world.random.below(1000) < ATTACKS_PER_MILLE;
        self.object.begin();
        match self.kind {
            Kind::Windows => windows::event(&mut self.object, world),
            Kind::WindowsProcesses => windows::process_creation(&mut self.object, world),
            Kind::Linux => linux::event(&mut self.object, world),
        }
        Ok(self.object.end())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn events(seed: u64, kind: Kind, count: usize) -> Vec<String> {
        let start = "2026-01-05T08:00:00Z".parse().unwrap();
        let mut events = Events::new(Random::new(seed), start, kind);
        (0..count)
            .map(|_| String::from_utf8(events.next_event().unwrap().to_vec()).unwrap())
            .collect()
    }

    #[test]
    fn the_seed_decides_every_byte() {
        for kind in [Kind::Windows, Kind::WindowsProcesses, Kind::Linux] {
            assert_eq!(events(5, kind, 500), events(5, kind, 500));
            assert_ne!(events(5, kind, 500), events(6, kind, 500));
        }
    }

    #[test]
    fn every_event_is_an_object_with_its_log_source_and_nothing_twice() {
        for kind in [Kind::Windows, Kind::WindowsProcesses, Kind::Linux] {
            for line in events(1, kind, 3000) {
                let json: serde_json::Value = serde_json::from_str(&line).unwrap();
                let object = json.as_object().unwrap();
                assert!(json["logsource"]["product"].is_string(), "{line}");
                let again = serde_json::to_string(object).unwrap();
                assert_eq!(line.len(), again.len(), "a key twice: {line}");
            }
        }
    }

    #[test]
    fn sizes_are_as_stated() {
        for (kind, bytes) in [
            (Kind::Windows, 900..1150),
            (Kind::WindowsProcesses, 1350..1650),
            (Kind::Linux, 420..580),
        ] {
            let lines = events(2, kind, 4000);
            let mean = lines.iter().map(String::len).sum::<usize>() / lines.len();
            assert!(bytes.contains(&mean), "{kind:?}: {mean} bytes");
        }
    }

    #[test]
    fn programs_are_few_and_command_lines_many() {
        let (mut images, mut commands) = (BTreeMap::new(), BTreeMap::new());
        for line in events(3, Kind::WindowsProcesses, 5000) {
            let json: serde_json::Value = serde_json::from_str(&line).unwrap();
            *images.entry(json["Image"].to_string()).or_insert(0) += 1;
            *commands.entry(json["CommandLine"].to_string()).or_insert(0) += 1;
        }
        assert!((30..120).contains(&images.len()), "{} programs", images.len());
        assert!(commands.len() > 1500, "{} command lines", commands.len());
    }
}
