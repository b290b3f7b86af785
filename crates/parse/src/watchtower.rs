//! Logins reported over the Watchtower protocol, one JSON document each.
//!
//! They become the event that sshd's own `Accepted` line gives, so that every rule meets them, and
//! keep what the protocol adds under `watchtower.`.

use std::borrow::Cow;

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use serde_json::{Map, Value as Json};

use crate::programs;
use crate::text::port;
use crate::{Context, push_host};

/// A stamp further ahead of its receipt than this is wrong.
const AHEAD_LIMIT: i64 = Timestamp::DAY;
/// 1990-01-01: no login was reported over this protocol earlier.
const EARLIEST: Timestamp = Timestamp::from_seconds(631_152_000);

/// Reads one document; `None` where the text is no JSON object.
pub(crate) fn parse<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let document: Map<String, Json> = serde_json::from_str(text).ok()?;
    let word = |name: &str| document.get(name).and_then(Json::as_str).filter(|w| !w.is_empty());

    let limit = context.received.plus_micros(AHEAD_LIMIT);
    let created = word("timestamp")
        .and_then(|stamp| stamp.parse::<jiff::Timestamp>().ok())
        .map(Timestamp::from)
        .filter(|time| (EARLIEST..=limit).contains(time))
        .unwrap_or(context.received);
    let mut event = Event::new(created, text);
    push_host(&mut event, word("hostname").map(|host| host.to_owned().into()), context);
    event.push(Field::ProcessName, "sshd");
    event.push(Field::EventModule, "watchtower");
    event.push(Field::Message, word("raw_message").unwrap_or_default().to_owned());
    programs::accepted(&mut event);
    if let Some(user) = word("user") {
        event.push(Field::UserName, user.to_owned());
    }
    if let Some(method) = word("method") {
        event.push(Field::SshMethod, method.to_owned());
    }
    if let Some(address) = word("source_ip") {
        programs::push_address_owned(&mut event, address);
    }
    let number = document.get("source_port").and_then(Json::as_u64).map(|port| port.to_string());
    if let Some(port) = word("source_port").or(number.as_deref()).and_then(port) {
        event.push(Field::SourcePort, port);
    }
    for (key, name) in [
        ("timestamp", "watchtower.timestamp"),
        ("source_port", "watchtower.source_port"),
        ("region", "watchtower.region"),
        ("host_group", "watchtower.host_group"),
        ("severity", "watchtower.severity"),
        ("flagged", "watchtower.flagged"),
    ] {
        let value = match document.get(key) {
            None | Some(Json::Null) => continue,
            Some(value) => Value::from(value.clone()),
        };
        event.set_named(FieldName::Other(Cow::Borrowed(name)), value);
    }
    Some(event)
}
