//! Linux audit: the lines of one event, a single record of a log, and entries of the journal that
//! came from the kernel's audit.

use std::borrow::Cow;
use std::fmt::Write as _;

use bergfried_audit::RecordType;
use bergfried_event::{Event, Timestamp};

use crate::Context;

/// Whether a text begins as a record of audit does.
pub(crate) fn is_record(text: &str) -> bool {
    (text.starts_with("type=") || text.starts_with("node="))
        && bergfried_audit::is_record(text.as_bytes())
}

/// The event of these lines.
pub(crate) fn read<'a>(text: &'a str, context: &Context<'_>) -> Event<'a> {
    bergfried_audit::parse(text, context.received, context.host)
}

/// An entry of the journal with `_TRANSPORT=audit` as the record that it was: the journal writes the
/// type as a word of its own before the fields, and keeps number and serial beside them
/// (systemd.journal-fields(7)).
pub(crate) fn of_journal(
    kind: &str,
    serial: &str,
    created: Timestamp,
    message: &str,
) -> Option<Cow<'static, str>> {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(kind) || !is_number(serial) {
        return None;
    }
    let fields = match message.split_once(' ') {
        Some((name, fields)) if !name.contains('=') => fields,
        _ => message,
    };
    Some(Cow::Owned(record(kind, created, serial, fields)))
}

/// What syslog has of such an entry: the type, then the fields; the number is lost, and written as 0,
/// which the kernel gives to none.
pub(crate) fn of_syslog(
    program: Option<&str>,
    message: &str,
    created: Timestamp,
) -> Option<Cow<'static, str>> {
    let (kind, fields) = message.split_once(' ').filter(|_| program == Some("audit"))?;
    let is_name = kind.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    if !is_name || RecordType::read(kind.as_bytes()) == RecordType::UNKNOWN {
        return None;
    }
    Some(Cow::Owned(record(kind, created, "0", fields)))
}

fn record(kind: &str, created: Timestamp, serial: &str, fields: &str) -> String {
    let (seconds, micros) = (
        created.micros().div_euclid(Timestamp::SECOND),
        created.micros().rem_euclid(Timestamp::SECOND),
    );
    let mut record = String::with_capacity(fields.len() + 64);
    // Writing to a String cannot fail.
    let _infallible =
        write!(record, "type={kind} msg=audit({seconds}.{micros:06}:{serial}): {fields}");
    record
}
