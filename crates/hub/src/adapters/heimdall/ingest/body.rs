//! Reads the body of `POST /ingest`, and says of each event that is not as documented where and why,
//! in the words of pydantic. Pure.
//!
//! A body that is as documented is read without building a tree: the bytes of each event are handed
//! on as they came. Only where that fails is the tree built, to name every mistake or to take what
//! pydantic takes too: a severity that is a text, a number for a time.

use std::borrow::Cow;
use std::fmt;

use bergfried_heimdall::{EventType, OsType, Severity, read_time};
use bergfried_wire::MAX_RAW;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::checks::{KEYS, MAX_SHOWN, Mistake, cut};
use crate::adapters::detail::no_json;

/// The most events of one body.
pub(crate) const MAX_EVENTS: usize = 50_000;
/// The most mistakes that are named.
const MAX_MISTAKES: usize = 100;
/// The longest id.
pub(super) const MAX_ID: usize = 512;

/// An event that is as documented.
#[derive(Debug, PartialEq)]
pub(crate) struct Document<'a> {
    /// The id that its sender gave it.
    pub(crate) id: Option<Cow<'a, str>>,
    /// The document, a JSON object.
    pub(crate) raw: Cow<'a, [u8]>,
}

/// What is wrong with a body.
#[derive(Debug, PartialEq)]
pub(crate) enum Wrong {
    /// The entries of FastAPI's list.
    Mistakes(Vec<Value>),
    /// More events than [`MAX_EVENTS`].
    TooMany,
}

/// Reads a body; every event of it is good, or none is taken.
pub(crate) fn read(body: &[u8]) -> Result<Vec<Document<'_>>, Wrong> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    let Ok(Body { events: Events(events) }) = serde_json::from_slice::<Body<'_>>(body) else {
        return Err(Wrong::Mistakes(vec![wrong_body(body)]));
    };
    if events.len() > MAX_EVENTS {
        return Err(Wrong::TooMany);
    }
    let mut documents = Vec::with_capacity(events.len());
    let mut mistakes = Vec::new();
    for (index, raw) in events.into_iter().enumerate() {
        match quick(raw).map_or_else(|| slow(index, raw), Ok) {
            Ok(document) => documents.push(document),
            Err(mut more) => mistakes.append(&mut more),
        }
        if mistakes.len() >= MAX_MISTAKES {
            break;
        }
    }
    mistakes.truncate(MAX_MISTAKES);
    if mistakes.is_empty() { Ok(documents) } else { Err(Wrong::Mistakes(mistakes)) }
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    events: Events<'a>,
}

/// The bytes of the first events of a list, one more than may be.
struct Events<'a>(Vec<&'a RawValue>);

impl<'de: 'a, 'a> Deserialize<'de> for Events<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Events<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of events")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Events<'de>, A::Error> {
                let mut events = Vec::new();
                while let Some(event) = list.next_element()? {
                    events.push(event);
                    if events.len() > MAX_EVENTS {
                        while list.next_element::<IgnoredAny>()?.is_some() {}
                    }
                }
                Ok(Events(events))
            }
        }
        from.deserialize_seq(List)
    }
}

/// A text that is borrowed where it can be.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// An event exactly as documented. Another key may hold what is nested too deep for its readers.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Exact<'a> {
    #[serde(borrow, default)]
    event_id: Option<Text<'a>>,
    #[serde(borrow)]
    timestamp: Text<'a>,
    #[serde(borrow)]
    os_type: Text<'a>,
    #[serde(borrow)]
    event_type: Text<'a>,
    severity: i64,
    #[serde(borrow)]
    #[expect(dead_code, reason = "it must be there, and a text")]
    source_host: Text<'a>,
    #[serde(borrow)]
    #[expect(dead_code, reason = "it must be there, and a text")]
    source_ip: Text<'a>,
    #[serde(borrow)]
    #[expect(dead_code, reason = "it must be there, and a text")]
    user: Text<'a>,
    #[serde(borrow)]
    #[expect(dead_code, reason = "it must be there, and a text")]
    raw_message: Text<'a>,
}

/// The event, where it is exactly as documented.
fn quick(raw: &RawValue) -> Option<Document<'_>> {
    let text = raw.get();
    let exact: Exact<'_> = serde_json::from_str(text).ok().filter(|_| text.len() <= MAX_RAW)?;
    OsType::from_name(&exact.os_type.0)?;
    EventType::from_name(&exact.event_type.0)?;
    Severity::new(exact.severity)?;
    read_time(&exact.timestamp.0)?;
    let id = exact.event_id.map(|id| id.0);
    if id.as_ref().is_some_and(|id| id.len() > MAX_ID) {
        return None;
    }
    Some(Document { id: id.and_then(stored_id), raw: Cow::Borrowed(text.as_bytes()) })
}

/// The id as it is stored, without spaces around it: what is read back after a start must be the same.
fn stored_id(id: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let trimmed = id.trim();
    if trimmed.is_empty() {
        return None;
    }
    Some(if trimmed.len() == id.len() { id } else { Cow::Owned(trimmed.to_owned()) })
}

/// The event with what pydantic would have made of it, or every mistake that it has.
fn slow(index: usize, raw: &RawValue) -> Result<Document<'_>, Vec<Value>> {
    let place = json!(["body", "events", index]);
    if raw.get().len() > MAX_RAW {
        let message = format!("An event should have at most {MAX_RAW} bytes");
        return Err(vec![Mistake::new("too_long", message).entry(place, &Value::Null)]);
    }
    let mut event: Value = serde_json::from_str(raw.get()).map_err(|error| {
        let mistake = Mistake::new("json_invalid", format!("JSON decode error: {error}"));
        vec![mistake.entry(place.clone(), &Value::Null)]
    })?;
    if !event.is_object() {
        return Err(vec![Mistake::no_object().entry(place, &event)]);
    }
    let mut mistakes = Vec::new();
    let mut as_it_came = true;
    for (key, check) in KEYS {
        let found = match event.get(key) {
            Some(value) => check(value),
            None if key == "event_id" => Ok(None),
            None => Err(Mistake::missing()),
        };
        match found {
            Ok(None) => {}
            Ok(Some(better)) => {
                as_it_came = false;
                if let Some(value) = event.get_mut(key) {
                    *value = better;
                }
            }
            Err(mistake) => {
                // Of what is absent, that in which it is absent is shown.
                let input = event.get(key).unwrap_or(&event);
                mistakes.push(mistake.entry(json!(["body", "events", index, key]), input));
            }
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let id = event.get("event_id").and_then(Value::as_str);
    let id = id.and_then(|id| stored_id(Cow::Owned(id.to_owned())));
    let raw = match as_it_came {
        true => Cow::Borrowed(raw.get().as_bytes()),
        false => Cow::Owned(event.to_string().into_bytes()),
    };
    Ok(Document { id, raw })
}

/// What is wrong with a body that is no list of events. Builds no tree of what may be 32 MiB.
fn wrong_body(body: &[u8]) -> Value {
    #[derive(Deserialize)]
    struct Probe<'a> {
        #[serde(borrow, default, deserialize_with = "present")]
        events: Option<&'a RawValue>,
    }
    // Null is a value here.
    fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
        <&RawValue>::deserialize(from).map(Some)
    }
    if body.is_empty() {
        return Mistake::missing().entry(json!(["body"]), &Value::Null);
    }
    let whole: &RawValue = match serde_json::from_slice(body) {
        Ok(whole) => whole,
        Err(error) => return no_json(body, &error),
    };
    let place = json!(["body", "events"]);
    if !body.starts_with(b"{") {
        return Mistake::no_object().entry(json!(["body"]), &brief(whole));
    }
    match serde_json::from_slice(body) {
        Ok(Probe { events: Some(events) }) => {
            Mistake::new("list_type", "Input should be a valid list").entry(place, &brief(events))
        }
        Ok(Probe { events: None }) => Mistake::missing().entry(place, &brief(whole)),
        Err(error) => no_json(body, &error),
    }
}

/// What is shown of a text of JSON.
fn brief(raw: &RawValue) -> Value {
    let text = raw.get();
    let short = Some(text).filter(|text| text.len() <= MAX_SHOWN);
    short.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| cut(text))
}

#[cfg(test)]
mod tests;
