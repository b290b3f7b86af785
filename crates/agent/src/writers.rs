//! Who changed which file, as audit says: from the intake, which joins its events, to the observer
//! of files, which asks.
//!
//! The intake only copies events that name files; they are read where somebody asks. Bounded, and
//! the oldest are forgotten: who asks late asks in vain.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bergfried_audit::{RecordType, glimpse};
use bergfried_event::{Event, FieldName, Timestamp, Value};

/// How many events, and how many bytes of them, are kept.
const EVENTS: usize = 1_024;
const BYTES: usize = 1 << 20;
/// An event counts for a change that was noticed so much earlier or later.
const NEAR: i64 = 10 * Timestamp::SECOND;
/// Fields of an audit event that say who it was.
const WHO: [&str; 14] = [
    "auditd.actor",
    "group.id",
    "process.args",
    "process.command_line",
    "process.executable",
    "process.name",
    "process.parent.executable",
    "process.parent.name",
    "process.parent.pid",
    "process.pid",
    "user.audit.id",
    "user.audit.name",
    "user.id",
    "user.name",
];

/// Clones share one memory. One that nobody asks takes nothing in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writers(Option<Arc<Mutex<Recent>>>);

#[derive(Debug, Default)]
struct Recent {
    /// Events of audit that name files, oldest first.
    groups: VecDeque<(Timestamp, Box<[u8]>)>,
    bytes: usize,
    /// When the last event of any kind came.
    fed: Option<Timestamp>,
}

impl Writers {
    /// One that remembers where somebody will ask.
    pub(crate) fn new(asked: bool) -> Self {
        Writers(asked.then(Arc::default))
    }

    /// Takes an event of audit: its lines.
    pub(crate) fn offer(&self, group: &[u8], now: Timestamp) {
        let Some(recent) = &self.0 else { return };
        // Cheap first: nearly every event of a busy host starts a program.
        let Some(found) = glimpse(group) else { return };
        let mut recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.fed = Some(now);
        let has = |kind| found.types.contains(&kind);
        if !has(RecordType::PATH) || has(RecordType::EXECVE) || group.len() > BYTES {
            return;
        }
        recent.bytes += group.len();
        recent.groups.push_back((found.created, group.into()));
        while recent.groups.len() > EVENTS || recent.bytes > BYTES {
            let Some((_, oldest)) = recent.groups.pop_front() else { break };
            recent.bytes -= oldest.len();
        }
    }

    /// Whether audit speaks on this host, so that it is worth to wait for it a moment.
    pub(crate) fn are_known(&self, now: Timestamp) -> bool {
        let Some(recent) = &self.0 else { return false };
        let fed = recent.lock().unwrap_or_else(PoisonError::into_inner).fed;
        fed.is_some_and(|fed| now.micros() - fed.micros() < 600 * Timestamp::SECOND)
    }

    /// The fields that say who last touched the path about that time, as the last event says that
    /// names it.
    pub(crate) fn who(&self, path: &Path, about: Timestamp) -> Vec<(&'static str, Value<'static>)> {
        let Some(recent) = &self.0 else { return Vec::new() };
        let Some(name) = path.file_name().map(OsStr::as_encoded_bytes) else { return Vec::new() };
        let recent = recent.lock().unwrap_or_else(PoisonError::into_inner);
        let near = |created: Timestamp| (created.micros() - about.micros()).abs() < NEAR;
        for (created, group) in recent.groups.iter().rev() {
            // Names with a blank are in hex.
            let may_name = || {
                let hex: String = name.iter().map(|byte| format!("{byte:02X}")).collect();
                contains(group, name) || contains(group, hex.as_bytes())
            };
            if !near(*created) || !may_name() {
                continue;
            }
            let Ok(text) = std::str::from_utf8(group) else { continue };
            let event = bergfried_audit::parse(text, about, "");
            if changes(&event) && names(&event, path) {
                return who(&event);
            }
        }
        Vec::new()
    }
}

fn contains(group: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(group, part).is_some()
}

fn field<'e>(event: &'e Event<'_>, name: &str) -> Option<&'e Value<'e>> {
    event.get_named(&FieldName::new(name))
}

/// Whether the event is about the path.
fn names(event: &Event<'_>, path: &Path) -> bool {
    let is_path = |value: &Value<'_>| value.as_str() == path.to_str();
    ["file.path", "auditd.paths"].iter().any(|name| match field(event, name) {
        Some(Value::List(values)) => values.iter().any(is_path),
        Some(value) => is_path(value),
        None => false,
    })
}

/// Whether the event may have changed anything: one that failed, or only read, blames somebody else.
fn changes(event: &Event<'_>) -> bool {
    let is = |name: &str, word: &str| {
        field(event, name).is_some_and(|value| match value {
            Value::List(values) => values.iter().any(|value| value.as_str() == Some(word)),
            value => value.as_str() == Some(word),
        })
    };
    let reads = is("event.action", "opened-file") || is("event.action", "checked-metadata-of");
    let writes = is("event.type", "change") || is("event.type", "creation");
    !is("event.outcome", "failure") && (!reads || writes)
}

fn who(event: &Event<'_>) -> Vec<(&'static str, Value<'static>)> {
    let found = |name: &'static str| Some((name, field(event, name)?.clone().into_owned()));
    WHO.into_iter().filter_map(found).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = "type=SYSCALL msg=audit(1700000000.5:9): arch=c000003e syscall=257 success=yes \
        exit=3 a0=ffffff9c a1=7ffd a2=241 a3=1b6 items=2 ppid=7 pid=8 auid=1000 uid=0 gid=0 euid=0 \
        comm=\"tee\" exe=\"/usr/bin/tee\" key=\"bergfried-identity\"\n\
        type=CWD msg=audit(1700000000.5:9): cwd=\"/etc\"\n\
        type=PATH msg=audit(1700000000.5:9): item=0 name=\"/etc/\" inode=1 nametype=PARENT\n\
        type=PATH msg=audit(1700000000.5:9): item=1 name=\"/etc/passwd\" inode=2 nametype=NORMAL";

    #[test]
    fn who_touched_a_path_is_known_for_a_while() {
        let writers = Writers::new(true);
        let at = Timestamp::from_seconds(1_700_000_002);
        assert!(!writers.are_known(at));
        writers.offer(EVENT.as_bytes(), at);
        assert!(writers.are_known(at));
        let who = writers.who(Path::new("/etc/passwd"), at);
        let of = |name: &str| who.iter().find(|(field, _)| *field == name).map(|(_, value)| value);
        assert_eq!(of("process.name").and_then(Value::as_str), Some("tee"), "{who:?}");
        assert!(of("user.audit.id").is_some(), "{who:?}");
        assert!(writers.who(Path::new("/etc/passwd-"), at).is_empty());
        let late = Timestamp::from_seconds(1_700_000_020);
        assert!(writers.who(Path::new("/etc/passwd"), late).is_empty());
        for _ in 0..2 * EVENTS {
            writers.offer(EVENT.as_bytes(), at);
        }
        let recent = writers.0.as_ref().unwrap().lock().unwrap();
        assert!(recent.groups.len() <= EVENTS && recent.bytes <= BYTES);
    }

    #[test]
    fn who_only_read_or_failed_is_not_blamed() {
        let at = Timestamp::from_seconds(1_700_000_002);
        let failed = EVENT.replace("success=yes exit=3", "success=no exit=-13");
        let reading = EVENT.replace("a2=241", "a2=80000");
        for other in [failed, reading] {
            let writers = Writers::new(true);
            writers.offer(EVENT.as_bytes(), at);
            writers.offer(other.replace("\"tee\"", "\"mallory\"").as_bytes(), at);
            let who = writers.who(Path::new("/etc/passwd"), at);
            let name = who.iter().find(|(field, _)| *field == "process.name");
            assert_eq!(name.and_then(|(_, value)| value.as_str()), Some("tee"), "{other}");
        }
    }

    #[test]
    fn nothing_is_kept_where_nobody_asks() {
        let writers = Writers::new(false);
        let at = Timestamp::from_seconds(1_700_000_002);
        writers.offer(EVENT.as_bytes(), at);
        assert!(writers.who(Path::new("/etc/passwd"), at).is_empty());
        assert!(!writers.are_known(at));
    }
}
