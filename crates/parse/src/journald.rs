//! Journal entries as `journalctl -o json` writes them (systemd.journal-fields(7)).

use std::borrow::Cow;
use std::fmt;

use bergfried_event::{Event, Timestamp, readable};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::Context;
use crate::audit;
use crate::line::Line;
use crate::text::number;

/// Reads one entry; `None` where the text is no JSON object with a journal's time stamp.
pub(crate) fn parse<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let entry: Entry<'a> = serde_json::from_str(text).ok()?;
    let entered = microseconds(entry.realtime_timestamp.0.as_deref()?)?;
    // The time at which the program spoke, where the journal had it from elsewhere.
    let spoken = entry.source_realtime_timestamp.0.as_deref().and_then(microseconds);
    // Surrounding spaces off, as in every other form of the same line.
    let message = match entry.message.0.or(entry.shipped_message.0).unwrap_or_default() {
        Cow::Borrowed(message) => Cow::Borrowed(message.trim_matches(' ')),
        Cow::Owned(message) => Cow::Owned(message.trim_matches(' ').to_owned()),
    };
    let code = |text: Text<'_>| text.0.and_then(|text| number(text.as_bytes()));

    let created = spoken.unwrap_or(entered);
    let record = match (entry.transport.0.as_deref(), &entry.audit_type.0, &entry.audit_id.0) {
        (Some("audit"), Some(kind), Some(serial)) => {
            audit::of_journal(kind, serial, created, &message)
        }
        _ => None,
    };
    let is_audit = record.is_some();
    let mut line = Line::bare(record.unwrap_or(message), created);
    line.host = entry.hostname.0.or(entry.shipped_host.0);
    line.program = if is_audit {
        Some(Cow::Borrowed("audit"))
    } else {
        let transport = entry.transport.0.as_deref();
        match entry.syslog_identifier.0 {
            Some(name) if is_assumed(&name, transport, entry.uid.0.as_deref()) => entry.comm.0,
            name => name.or(entry.comm.0),
        }
    };
    line.pid = code(entry.syslog_pid).or_else(|| code(entry.pid));
    line.facility = code(entry.syslog_facility).and_then(|code| u8::try_from(code).ok());
    line.severity = code(entry.priority).and_then(|code| u8::try_from(code).ok());
    line.has_priority = line.facility.is_some() && line.severity.is_some();
    Some(line.into_event(text, context))
}

/// Whether somebody else calls itself the kernel, or the daemon of audit: any user may choose a name
/// (`logger -t kernel`), but no field that begins with `_`.
fn is_assumed(name: &str, transport: Option<&str>, uid: Option<&str>) -> bool {
    match name {
        "kernel" => transport.is_some_and(|transport| transport != "kernel"),
        "audit" | "auditd" | "audispd" | "audisp-syslog" => uid.is_some_and(|uid| uid != "0"),
        _ => false,
    }
}

fn microseconds(text: &str) -> Option<Timestamp> {
    number(text.as_bytes()).map(Timestamp::from_micros)
}

/// The fields of an entry that matter; the others are skipped unread.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry<'a> {
    #[serde(rename = "__REALTIME_TIMESTAMP", borrow)]
    realtime_timestamp: Text<'a>,
    #[serde(rename = "_SOURCE_REALTIME_TIMESTAMP", borrow)]
    source_realtime_timestamp: Text<'a>,
    #[serde(rename = "MESSAGE", borrow)]
    message: Text<'a>,
    #[serde(rename = "_HOSTNAME", borrow)]
    hostname: Text<'a>,
    /// Vector gives these two other names, and leaves the rest.
    #[serde(rename = "message", borrow)]
    shipped_message: Text<'a>,
    #[serde(rename = "host", borrow)]
    shipped_host: Text<'a>,
    #[serde(rename = "SYSLOG_IDENTIFIER", borrow)]
    syslog_identifier: Text<'a>,
    #[serde(rename = "_COMM", borrow)]
    comm: Text<'a>,
    #[serde(rename = "SYSLOG_PID", borrow)]
    syslog_pid: Text<'a>,
    #[serde(rename = "_PID", borrow)]
    pid: Text<'a>,
    #[serde(rename = "SYSLOG_FACILITY", borrow)]
    syslog_facility: Text<'a>,
    #[serde(rename = "PRIORITY", borrow)]
    priority: Text<'a>,
    #[serde(rename = "_UID", borrow)]
    uid: Text<'a>,
    #[serde(rename = "_TRANSPORT", borrow)]
    transport: Text<'a>,
    #[serde(rename = "_AUDIT_TYPE", borrow)]
    audit_type: Text<'a>,
    #[serde(rename = "_AUDIT_ID", borrow)]
    audit_id: Text<'a>,
}

/// A value as text: a string or number, bytes as numbers (text that is not UTF-8), or the first of
/// several values; nothing for anything else.
#[derive(Default)]
struct Text<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the value of a journal field")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(value.to_string())))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(value.to_string())))
    }

    fn visit_f64<E>(self, _value: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _value: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        let mut bytes = Vec::new();
        let mut first = None;
        while let Some(item) = values.next_element::<Item<'de>>()? {
            match item {
                Item::Byte(byte) => bytes.push(byte),
                Item::Text(text) => first = first.or(text),
            }
        }
        Ok(first.or_else(|| Some(Cow::Owned(readable(&bytes).into_owned()))))
    }
}

/// One of several values.
enum Item<'a> {
    Byte(u8),
    Text(Option<Cow<'a, str>>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Item<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemVisitor)
    }
}

struct ItemVisitor;

impl<'de> Visitor<'de> for ItemVisitor {
    type Value = Item<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a byte or one of several values of a journal field")
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(u8::try_from(value).map_or(Item::Text(None), Item::Byte))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Item::Text(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Item::Text(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Item::Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<Self::Value, A::Error> {
        // Several binary values: each is an array of bytes.
        TextVisitor.visit_seq(values).map(Item::Text)
    }
}
