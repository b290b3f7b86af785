//! Journal entries as `journalctl -o json` writes them (systemd.journal-fields(7)).

use std::borrow::Cow;
use std::collections::HashMap;

use bergfried_event::{Event, Timestamp, readable};
use serde_json::Value as Json;

use crate::Context;
use crate::line::Line;
use crate::text::number;

/// Reads one entry; `None` where the text is no JSON object with a journal's time stamp.
pub(crate) fn parse<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let mut entry: HashMap<String, Json> = serde_json::from_str(text).ok()?;
    let entered = microseconds(entry.get("__REALTIME_TIMESTAMP")?)?;
    // The time at which the program spoke, where the journal had it from elsewhere.
    let spoken = entry.get("_SOURCE_REALTIME_TIMESTAMP").and_then(microseconds);
    let message = entry.remove("MESSAGE").and_then(message).unwrap_or_default();
    let mut field = |name: &str| entry.remove(name).and_then(message_text);

    let mut line = Line::bare(message, spoken.unwrap_or(entered));
    line.host = field("_HOSTNAME").map(Cow::Owned);
    line.program = field("SYSLOG_IDENTIFIER").or_else(|| field("_COMM")).map(Cow::Owned);
    let mut code = |name: &str| field(name).and_then(|text| number(text.as_bytes()));
    line.pid = code("SYSLOG_PID").or_else(|| code("_PID"));
    line.facility = code("SYSLOG_FACILITY").and_then(|code| u8::try_from(code).ok());
    line.severity = code("PRIORITY").and_then(|code| u8::try_from(code).ok());
    line.has_priority = line.facility.is_some() && line.severity.is_some();
    Some(line.into_event(text, context))
}

fn microseconds(value: &Json) -> Option<Timestamp> {
    let micros = match value {
        Json::String(text) => number(text.as_bytes())?,
        Json::Number(micros) => micros.as_i64()?,
        _ => return None,
    };
    Some(Timestamp::from_micros(micros))
}

/// The message: surrounding spaces off, as in every other form of the same line.
fn message(value: Json) -> Option<String> {
    let text = message_text(value)?;
    Some(text.trim_matches(' ').to_owned())
}

/// A value's text: a string, bytes as numbers (text that is not UTF-8), or the first of several.
fn message_text(value: Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text),
        Json::Number(number) => Some(number.to_string()),
        Json::Array(values) => {
            let bytes: Option<Vec<u8>> = values
                .iter()
                .map(|value| value.as_u64().and_then(|byte| u8::try_from(byte).ok()))
                .collect();
            match bytes {
                Some(bytes) => Some(readable(&bytes).into_owned()),
                None => values.into_iter().find_map(message_text),
            }
        }
        _ => None,
    }
}
