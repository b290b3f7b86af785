//! Entries of macOS' unified log, as `log stream --style ndjson` and `log show --style ndjson` print
//! them.
//!
//! Who wrote an entry is told by the path of its program, which the kernel knows: only programs of
//! the system, which nobody can replace there, are believed to be what their names say.

use bergfried_event::{Event, Field, FieldName, Value};
use serde_json::Value as Json;

use super::{copy, copy_as_text, get, set_level, set_missing, text};
use crate::programs;

/// Places where System Integrity Protection lets nobody write, not even root.
const OF_THE_SYSTEM: [&str; 7] =
    ["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/usr/libexec/", "/System/", "/Library/Apple/"];

/// The volume of the users, which has this place among those of the system.
const OF_USERS: &str = "/System/Volumes/Data/";

/// Names of the entry that are kept, and how they are called then. The line has the others.
const KEPT: [(&str, &str); 7] = [
    ("subsystem", "macos.subsystem"),
    // What the reader of objects takes `category` for.
    ("event.category", "macos.category"),
    ("messageType", "macos.message_type"),
    ("eventType", "macos.event_type"),
    ("processImagePath", "macos.process_image"),
    ("senderImagePath", "macos.sender_image"),
    ("traceID", "macos.trace_id"),
];

pub(super) fn complete(event: &mut Event<'_>, _has_time: bool) -> bool {
    let is_entry = ["eventMessage", "processImagePath"]
        .iter()
        .all(|name| get(event, name).is_some_and(|value| value.as_str().is_some()));
    // Activities and signposts have no type of message, but one of event.
    let is_other = || {
        text(event, "eventType").is_some()
            && text(event, "processImagePath").is_some()
            && get(event, "machTimestamp").is_some()
    };
    if !is_entry && !is_other() {
        return false;
    }
    copy(event, &KEPT);
    let path = text(event, "processImagePath").unwrap_or_default().to_owned();
    let message = text(event, "eventMessage").unwrap_or_default().to_owned();
    let level = match text(event, "messageType") {
        Some("Fault") => Some(2),
        Some("Error") => Some(3),
        Some("Default") => Some(5),
        Some("Info") => Some(6),
        Some("Debug") => Some(7),
        _ => None,
    };
    copy(event, &[("processID", "process.pid")]);
    copy_as_text(event, &[("userID", "process.user.id")]);
    event.remove(Field::EventCategory);
    event.retain(|name| !is_of_the_entry(name));
    if let Some(level) = level {
        set_level(event, level);
    }
    event.set(Field::EventModule, "macos");
    set_missing(event, "host.os.type", "macos");
    let name = path.rsplit('/').next().unwrap_or_default().to_owned();
    set_missing(event, "process.name", name.clone());
    set_missing(event, "process.executable", path.clone());
    event.set(Field::Message, message.clone());
    let is_log = text(event, "macos.event_type").is_none_or(|kind| kind == "logEvent");
    let is_system = path == "/kernel"
        || OF_THE_SYSTEM.iter().any(|place| path.starts_with(place)) && !path.starts_with(OF_USERS);
    if is_log && is_system && !path.contains("/../") {
        read(&name, &message, event);
    }
    true
}

/// Every name that the entries have; objects below them too.
fn is_of_the_entry(name: &FieldName<'_>) -> bool {
    const NAMES: [&str; 23] = [
        "activityIdentifier",
        "backtrace",
        "bootUUID",
        "creatorActivityID",
        "eventMessage",
        "eventType",
        "formatString",
        "machTimestamp",
        "messageType",
        "parentActivityIdentifier",
        "processID",
        "processImagePath",
        "processImageUUID",
        "senderImagePath",
        "senderImageUUID",
        "senderProgramCounter",
        "source",
        "subsystem",
        "threadID",
        "timestamp",
        "timezoneName",
        "traceID",
        "userID",
    ];
    let name = name.as_str();
    let top = name.split('.').next().unwrap_or(name);
    // `source.ip` is no part of an entry.
    NAMES.contains(&top) && (top == name || top == "backtrace")
}

/// Adds what the message says, as that of a line of this program would.
fn read(name: &str, message: &str, event: &mut Event<'_>) {
    if text(event, "macos.subsystem") == Some("com.apple.XProtectFramework.PluginAPI") {
        return scan(message, event);
    }
    let mut found = Event::new(event.created(), "");
    programs::read(Some(name), None, message, &mut found);
    for (field, value) in found.into_owned().fields() {
        event.set_named(field.clone(), value.clone());
    }
    // A parser that knows the program by its messages calls it so.
    event.set(Field::EventModule, "macos");
}

/// The result of one of XProtect's scanners: an object in which `caused_by` says what it acted on.
fn scan(message: &str, event: &mut Event<'_>) {
    let Ok(Json::Object(result)) = serde_json::from_str::<Json>(message) else { return };
    let Some(said) = result.get("status_message").and_then(Json::as_str) else { return };
    let found = result.get("caused_by").and_then(Json::as_array).is_some_and(|of| !of.is_empty());
    event.set(Field::EventCategory, "malware");
    event.set(Field::EventAction, if found { "malware-detected" } else { "malware-scan" });
    event.set(Field::EventReason, said.to_owned());
    if let Some(Value::Text(name)) = get(event, "process.name").cloned() {
        set_missing(event, "rule.name", name);
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::{SourceKind, Timestamp};
    use serde_json::json;

    use super::*;

    #[test]
    fn only_programs_of_the_system_are_what_their_names_say() {
        for (path, expected) in [
            ("/usr/sbin/sshd", Some("sshd")),
            ("/usr/libexec/sshd-session", Some("sshd-session")),
            ("/tmp/sshd", None),
            ("/usr/local/bin/sshd", None),
            ("/usr/bin/../../tmp/sshd", None),
            ("/System/Volumes/Data/Users/eve/sshd", None),
            ("/System/Volumes/Data/usr/sbin/sshd", None),
        ] {
            let line = json!({
                "timestamp": "2026-11-21 12:00:00.000000+0000", "eventType": "logEvent",
                "messageType": "Default", "processImagePath": path, "processID": 7,
                "eventMessage": "Accepted password for root from 6.6.6.6 port 1 ssh2",
            })
            .to_string();
            let context = crate::Context {
                received: Timestamp::from_seconds(1_795_262_400),
                host: "mac",
                time_zone: jiff::tz::TimeZone::UTC,
                year: None,
            };
            let event = crate::parse(SourceKind::Json, &line, &context);
            let action = event.text(Field::EventAction);
            assert_eq!(action, expected.map(|_| "ssh_login"), "{path}");
        }
    }
}
