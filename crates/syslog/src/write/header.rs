//! The header of an RFC 5424 message: `<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID `.

use bergfried_event::{Event, Field};

/// Names of facilities by code, RFC 5424 section 6.2.1.
const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv",
    "ftp", "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4",
    "local5", "local6", "local7",
];
/// Names of severities by code, RFC 5424 section 6.2.1.
const SEVERITIES: [&str; 8] =
    ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
/// What a message without a facility is said to be from: a user's program.
const USER: i64 = 1;
/// The severity of a message that has none: `info`.
const INFORMATIONAL: i64 = 6;

/// Appends the header; gives the fields that stand in it as they are.
pub(super) fn write(event: &Event<'_>, out: &mut Vec<u8>) -> Vec<Field> {
    let (priority, mut written) = priority(event);
    out.extend_from_slice(format!("<{priority}>1 {} ", event.created()).as_bytes());
    for (field, limit) in [
        (Field::HostName, 255),
        (Field::ProcessName, 48),
        (Field::ProcessPid, 128),
        (Field::SyslogMsgId, 32),
    ] {
        let text = event.get(field).map(|value| value.to_text()).unwrap_or_default();
        let whole = text.len() <= limit && text.bytes().all(|byte| byte.is_ascii_graphic());
        match text.as_ref() {
            "" => out.push(b'-'),
            text => {
                let kept = text.chars().take(limit);
                out.extend(kept.map(|c| if c.is_ascii_graphic() { c as u8 } else { b'_' }));
            }
        }
        out.push(b' ');
        if whole {
            written.push(field);
        }
    }
    written
}

/// The number of facility and severity, and the fields that it holds.
fn priority(event: &Event<'_>) -> (i64, Vec<Field>) {
    let known = event.get(Field::SyslogPriority).and_then(|value| value.as_int());
    if let Some(known @ 0..=191) = known {
        let names = [Field::SyslogPriority, Field::SyslogFacility, Field::SyslogSeverity];
        return (known, names.to_vec());
    }
    let facility = code(event, Field::SyslogFacility, &FACILITIES);
    let severity = severity(event);
    let mut written = Vec::new();
    written.extend(facility.map(|_| Field::SyslogFacility));
    written.extend(severity.map(|_| Field::SyslogSeverity));
    (facility.unwrap_or(USER) * 8 + severity.unwrap_or(INFORMATIONAL), written)
}

/// The code of the event's syslog severity, 0 (emerg) to 7 (debug).
pub(super) fn severity(event: &Event<'_>) -> Option<i64> {
    code(event, Field::SyslogSeverity, &SEVERITIES)
}

fn code(event: &Event<'_>, field: Field, names: &[&str]) -> Option<i64> {
    let name = event.text(field)?;
    let code = names.iter().position(|known| *known == name)?;
    i64::try_from(code).ok()
}
