//! How much an alert may hold: senders are not trusted, and an alert lives in memory.
//!
//! What a sender says beyond this is refused ([`Incoming::check`]); what a rule finds is cut, because
//! an attacker who writes long lines must not keep a rule from saying so ([`Incoming::cut`]). What adds
//! up over several receives (tags, attributes) stops growing at the same bounds: the first stay.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::blackout::Blackout;
use crate::heartbeat::Heartbeat;
use crate::incoming::Incoming;

/// The most bytes of a name: resource, event, environment, group, a tag, a service, an attribute's key.
pub const MAX_NAME: usize = 512;
/// The most bytes of the text, the value or a note.
pub const MAX_TEXT: usize = 16 * 1024;
/// The most bytes of the raw data.
pub const MAX_RAW_DATA: usize = 256 * 1024;
/// The most tags, services and correlated events, each.
pub const MAX_LIST: usize = 128;
/// The most attributes.
pub const MAX_ATTRIBUTES: usize = 128;
/// The most bytes of all attributes together, as JSON.
pub const MAX_ATTRIBUTES_BYTES: usize = 64 * 1024;
/// The most notes of an alert.
pub const MAX_NOTES: usize = 100;
/// The most levels of lists and objects within an attribute.
const MAX_DEPTH: usize = 16;

/// More than an alert may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TooMuch {
    /// What there is too much of, in the API's word.
    pub field: &'static str,
    /// How much there may be, such as `at most 512 bytes`.
    pub limit: String,
}

impl fmt::Display for TooMuch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "too much in `{}`, expected {}", self.field, self.limit)
    }
}

impl std::error::Error for TooMuch {}

impl Incoming {
    /// Whether it is small enough to be kept.
    ///
    /// # Errors
    /// Names the first field that is not.
    pub fn check(&self) -> Result<(), TooMuch> {
        let names = [
            ("id", Some(&self.id)),
            ("environment", Some(&self.environment)),
            ("resource", Some(&self.resource)),
            ("event", Some(&self.event)),
            ("severity", Some(&self.severity)),
            ("group", Some(&self.group)),
            ("origin", Some(&self.origin)),
            ("type", Some(&self.kind)),
            ("customer", self.customer.as_ref()),
        ];
        for (field, name) in names {
            check_bytes(field, name.map_or("", String::as_str), MAX_NAME)?;
        }
        check_bytes("value", self.value.as_deref().unwrap_or_default(), MAX_TEXT)?;
        check_bytes("text", &self.text, MAX_TEXT)?;
        check_bytes("rawData", self.raw_data.as_deref().unwrap_or_default(), MAX_RAW_DATA)?;
        check_list("correlate", &self.correlate)?;
        check_list("service", &self.service)?;
        check_list("tags", &self.tags)?;
        check_attributes(&self.attributes)
    }

    /// Cuts what is too large to be kept.
    pub fn cut(&mut self) {
        for name in [
            &mut self.id,
            &mut self.environment,
            &mut self.resource,
            &mut self.event,
            &mut self.severity,
            &mut self.group,
            &mut self.origin,
            &mut self.kind,
        ] {
            cut(name, MAX_NAME);
        }
        if let Some(customer) = &mut self.customer {
            cut(customer, MAX_NAME);
        }
        cut(&mut self.text, MAX_TEXT);
        if let Some(value) = &mut self.value {
            cut(value, MAX_TEXT);
        }
        if let Some(raw_data) = &mut self.raw_data {
            cut(raw_data, MAX_RAW_DATA);
        }
        for list in [&mut self.correlate, &mut self.service, &mut self.tags] {
            list.truncate(MAX_LIST);
            list.iter_mut().for_each(|text| cut(text, MAX_NAME));
        }
        let mut kept = BTreeMap::new();
        merge_attributes(&mut kept, std::mem::take(&mut self.attributes));
        self.attributes = kept;
    }
}

impl Heartbeat {
    /// See [`Heartbeat::fit`].
    pub(crate) fn check_bounds(&self) -> Result<(), TooMuch> {
        check_bytes("origin", &self.origin, MAX_NAME)?;
        check_bytes("customer", self.customer.as_deref().unwrap_or_default(), MAX_NAME)?;
        check_list("tags", &self.tags)?;
        check_attributes(&self.attributes)
    }
}

impl Blackout {
    /// Whether it is within the bounds: it stays in memory, and each alert is compared with it.
    ///
    /// # Errors
    /// What is too much.
    pub fn check(&self) -> Result<(), TooMuch> {
        check_bytes("environment", &self.environment, MAX_NAME)?;
        for (field, name) in [
            ("resource", &self.resource),
            ("event", &self.event),
            ("group", &self.group),
            ("origin", &self.origin),
            ("customer", &self.customer),
        ] {
            check_bytes(field, name.as_deref().unwrap_or_default(), MAX_NAME)?;
        }
        check_list("service", &self.service)?;
        check_list("tags", &self.tags)?;
        check_bytes("text", &self.text, MAX_TEXT)
    }
}

pub(crate) fn check_bytes(field: &'static str, text: &str, most: usize) -> Result<(), TooMuch> {
    let limit = || format!("at most {most} bytes");
    if text.len() > most { Err(TooMuch { field, limit: limit() }) } else { Ok(()) }
}

pub(crate) fn check_list(field: &'static str, list: &[String]) -> Result<(), TooMuch> {
    if list.len() > MAX_LIST {
        return Err(TooMuch { field, limit: format!("at most {MAX_LIST} texts") });
    }
    list.iter().try_for_each(|text| check_bytes(field, text, MAX_NAME))
}

pub(crate) fn check_attributes(attributes: &BTreeMap<String, Value>) -> Result<(), TooMuch> {
    let too_much = |limit: String| Err(TooMuch { field: "attributes", limit });
    if attributes.len() > MAX_ATTRIBUTES {
        return too_much(format!("at most {MAX_ATTRIBUTES} attributes"));
    }
    if attributes.keys().any(|key| key.len() > MAX_NAME) {
        return too_much(format!("keys of at most {MAX_NAME} bytes"));
    }
    if attributes.values().any(|value| !is_flat(value, MAX_DEPTH)) {
        return too_much(format!("at most {MAX_DEPTH} levels"));
    }
    if size(attributes) > MAX_ATTRIBUTES_BYTES {
        return too_much(format!("at most {MAX_ATTRIBUTES_BYTES} bytes"));
    }
    Ok(())
}

/// Adds the tags that are not there yet, in their order, while there is room.
pub(crate) fn merge_tags(tags: &mut Vec<String>, added: &[String]) {
    for tag in added {
        if tags.len() < MAX_LIST && !tags.contains(tag) {
            tags.push(tag.clone());
        }
    }
}

/// Sets attributes, and takes away those that are null; what there is no room for is left out.
pub(crate) fn merge_attributes(
    attributes: &mut BTreeMap<String, Value>,
    added: BTreeMap<String, Value>,
) {
    if added.is_empty() {
        return;
    }
    let mut bytes = size(attributes);
    for (key, value) in added {
        let before = attributes.get(&key).map_or(0, |value| one_size(&key, value));
        if value.is_null() {
            attributes.remove(&key);
            bytes -= before;
            continue;
        }
        let after = one_size(&key, &value);
        let has_room = before > 0 || attributes.len() < MAX_ATTRIBUTES;
        let is_sound = key.len() <= MAX_NAME && is_flat(&value, MAX_DEPTH);
        if has_room && is_sound && bytes - before + after <= MAX_ATTRIBUTES_BYTES {
            bytes = bytes - before + after;
            attributes.insert(key, value);
        }
    }
}

/// About how many bytes these attributes take.
pub(crate) fn size(attributes: &BTreeMap<String, Value>) -> usize {
    attributes.iter().map(|(key, value)| one_size(key, value)).sum()
}

fn one_size(key: &str, value: &Value) -> usize {
    key.len() + value_size(value) + 4
}

fn value_size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 24,
        Value::String(text) => text.len() + 24,
        // Empty ones take memory as well.
        Value::Array(values) => 24 + values.iter().map(value_size).sum::<usize>(),
        Value::Object(map) => {
            24 + map.iter().map(|(key, value)| one_size(key, value)).sum::<usize>()
        }
    }
}

/// Whether lists and objects lie at most so many levels deep.
fn is_flat(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(values) => levels > 0 && values.iter().all(|value| is_flat(value, levels - 1)),
        Value::Object(map) => levels > 0 && map.values().all(|value| is_flat(value, levels - 1)),
        _ => true,
    }
}

fn cut(text: &mut String, limit: usize) {
    if text.len() > limit {
        *text = clip(text, limit);
    }
}

/// At most `limit` bytes of `text`, cut between characters; `…` stands for what is missing.
pub(crate) fn clip(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut cut = text.get(..end).unwrap_or_default().to_owned();
    cut.push('…');
    cut
}
