//! Events in ArcSight's Common Event Format: `CEF:0|vendor|product|version|class|name|severity|` and
//! keys with values, after its implementation standard (version 25).
//!
//! Lengths are those of the standard's dictionary, in bytes; a value is cut between characters.

use std::borrow::Cow;
use std::net::IpAddr;

use bergfried_event::{Event, Field};

use super::header::severity;
use super::shortened;

/// The longest text of a field of the header; the standard's own limit for the name.
const LONGEST_HEADER: usize = 512;

/// Fields that become a key as they are, with the most bytes of the value.
const TEXTS: &[(Field, &str, usize)] = &[
    (Field::EventAction, "act", 63),
    (Field::EventOutcome, "outcome", 63),
    (Field::EventReason, "reason", 1023),
    (Field::EventCategory, "cat", 1023),
    (Field::EventCount, "cnt", 20),
    (Field::SourcePort, "spt", 5),
    (Field::DestinationPort, "dpt", 5),
    (Field::DestinationDomain, "dhost", 1023),
    (Field::UserName, "suser", 1023),
    (Field::UserId, "suid", 1023),
    (Field::UserDomain, "sntdom", 255),
    (Field::UserTargetId, "duid", 1023),
    (Field::UserTargetDomain, "dntdom", 255),
    (Field::HostName, "dvchost", 100),
    (Field::ProcessName, "deviceProcessName", 1023),
    (Field::ProcessPid, "dvcpid", 20),
    (Field::SyslogFacility, "deviceFacility", 1023),
    (Field::AgentId, "deviceExternalId", 255),
    (Field::EventId, "externalId", 40),
    (Field::NetworkTransport, "proto", 31),
    (Field::NetworkProtocol, "app", 31),
    (Field::FilePath, "filePath", 1023),
    (Field::FileHashSha256, "fileHash", 255),
    (Field::Message, "msg", 1023),
];

/// Fields without a key of their own: they go by the six keys for custom texts.
const CUSTOM: [Field; 6] = [
    Field::ProcessCommandLine,
    Field::RuleName,
    Field::LogFilePath,
    Field::SshMethod,
    Field::SessionId,
    Field::Tags,
];
const LONGEST_CUSTOM: usize = 4000;

/// Appends the event.
pub(super) fn write(event: &Event<'_>, out: &mut Vec<u8>) {
    let class = [Field::EventCode, Field::EventAction].into_iter().find_map(|f| text(event, f));
    let name = [Field::EventAction, Field::ProcessName].into_iter().find_map(|f| text(event, f));
    out.extend_from_slice(b"CEF:0|Bergfried|Bergfried|");
    out.extend_from_slice(env!("CARGO_PKG_VERSION").as_bytes());
    for part in [class.as_deref().unwrap_or("log"), name.as_deref().unwrap_or("log")] {
        out.push(b'|');
        head(shortened(part, LONGEST_HEADER), out);
    }
    out.extend_from_slice(format!("|{}|", level(event)).as_bytes());
    out.extend_from_slice(format!("rt={}", event.created().micros().div_euclid(1000)).as_bytes());
    write_addresses(event, out);
    for (field, key, limit) in TEXTS {
        if let Some(value) = text(event, *field) {
            pair(key, &value, *limit, out);
        }
    }
    let target = [Field::UserTargetName, Field::UserEffectiveName];
    if let Some(user) = target.into_iter().find_map(|field| text(event, field)) {
        pair("duser", &user, 1023, out);
    }
    for (index, field) in CUSTOM.into_iter().enumerate() {
        if let Some(value) = text(event, field) {
            pair(&format!("cs{}Label", index + 1), field.name(), 1023, out);
            pair(&format!("cs{}", index + 1), &value, LONGEST_CUSTOM, out);
        }
    }
    pair("rawEvent", event.original(), LONGEST_CUSTOM, out);
}

/// `src`, `dst` and `dvc` hold addresses alone; a name of the source goes to `shost`.
fn write_addresses(event: &Event<'_>, out: &mut Vec<u8>) {
    for (field, key) in
        [(Field::SourceIp, "src"), (Field::DestinationIp, "dst"), (Field::ObserverIp, "dvc")]
    {
        let value = text(event, field).filter(|value| value.parse::<IpAddr>().is_ok());
        if let Some(value) = value {
            pair(key, &value, 45, out);
        }
    }
    let names = [Field::SourceDomain, Field::SourceAddress].into_iter();
    let mut names = names.filter_map(|field| text(event, field));
    if let Some(name) = names.find(|name| name.parse::<IpAddr>().is_err()) {
        pair("shost", &name, 1023, out);
    }
}

fn text<'e>(event: &'e Event<'_>, field: Field) -> Option<Cow<'e, str>> {
    event.get(field).map(|value| value.to_text()).filter(|text| !text.is_empty())
}

/// 0 to 10; syslog's eight severities spread over it, without one as `notice`.
fn level(event: &Event<'_>) -> u8 {
    match severity(event) {
        Some(0) => 10,
        Some(1) => 9,
        Some(2) => 8,
        Some(3) => 7,
        Some(4) => 5,
        Some(6) => 2,
        Some(7) => 0,
        _ => 3,
    }
}

/// In the header `|` and `\` are escaped; it has no line ends.
fn head(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'|' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            byte if byte.is_ascii_control() => out.push(b' '),
            byte => out.push(byte),
        }
    }
}

/// In values `=` and `\` are escaped, line ends are `\n` and `\r`.
fn pair(key: &str, value: &str, limit: usize, out: &mut Vec<u8>) {
    out.push(b' ');
    out.extend_from_slice(key.as_bytes());
    out.push(b'=');
    for byte in shortened(value, limit).bytes() {
        match byte {
            b'=' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            byte if byte.is_ascii_control() => out.push(b' '),
            byte => out.push(byte),
        }
    }
}
