//! One call of a webhook, and how what it says becomes an alert.

use axum::http::HeaderMap;
use bergfried_alert::{Alert, Settings};
use bergfried_control::Secret;
use bergfried_event::Timestamp;
use serde_json::{Map, Value, json};

use super::super::document::{Document, scalar};
use super::super::error::Refusal;
use super::super::wire;

/// What a call brings.
pub(super) struct Call<'a> {
    pub(super) body: &'a [u8],
    pub(super) headers: &'a HeaderMap,
    pub(super) parameters: &'a [(String, String)],
    pub(super) settings: &'a Settings,
    pub(super) slack_signing_secret: Option<&'a Secret>,
    pub(super) now: Timestamp,
}

/// What a call asks for.
#[derive(Debug)]
pub(super) enum Asked {
    /// To receive these.
    Alerts(Vec<Document>),
    /// To change these alerts in this order; the answer has these fields too.
    Changes { wanted: Vec<Wanted>, answer: Vec<(&'static str, Value)> },
    /// To take every alert of something as over.
    Over(Over),
    /// Nothing that the hub does, but somebody may want to read it.
    Nothing(String),
}

/// A change of one alert.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) id: String,
    pub(super) what: What,
    pub(super) text: String,
    pub(super) user: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum What {
    Action(String),
    Status(String),
}

/// Something that is over, with the alerts that a product opened for it.
#[derive(Debug)]
pub(super) struct Over {
    pub(super) kind: &'static str,
    pub(super) event: String,
    /// None: in every one.
    pub(super) environment: Option<String>,
    /// An attribute and its text.
    pub(super) attribute: (&'static str, String),
    pub(super) text: String,
}

impl Over {
    pub(super) fn is_of(&self, alert: &Alert) -> bool {
        let (name, text) = &self.attribute;
        alert.kind == self.kind
            && alert.event == self.event
            && self.environment.as_ref().is_none_or(|wanted| alert.environment == *wanted)
            && alert.attributes.get(*name).and_then(Value::as_str) == Some(text)
    }
}

/// The most alerts of one call.
pub(super) const MAX_ALERTS: usize = 1_000;
/// The longest text that is read of a message for a field of an alert, in bytes.
const MAX_TEXT: usize = 16 * 1024;
/// The longest part of a message that is kept with the alert, in bytes.
const MAX_RAW_DATA: usize = 256 * 1024;
/// The longest value, in bytes.
const MAX_VALUE: usize = 4_096;
/// The most tags.
const MAX_TAGS: usize = 128;
/// The longest name of a person, in bytes.
const MAX_USER: usize = 256;
/// A number of seconds since 1970 is below this, one of milliseconds above.
const MILLISECONDS_FROM: f64 = 1e11;

impl Call<'_> {
    pub(super) fn json(&self) -> Result<Value, Refusal> {
        serde_json::from_slice(self.body)
            .map_err(|error| Refusal::invalid(format!("cannot read the body as JSON: {error}")))
    }

    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The model's word for another product's severity, and `otherwise` where there is none.
    pub(super) fn severity(&self, word: Option<&str>, otherwise: &str) -> String {
        let known = word.and_then(|word| self.settings.model.severity(word).ok());
        known.unwrap_or(otherwise).to_owned()
    }

    /// An alert with these fields of the API.
    ///
    /// What the parameters of the call say goes before what the product says: the environment, the
    /// service, the group, the origin, the customer, the timeout, tags, and, for what is not over, the
    /// severity.
    pub(super) fn alert(&self, fields: Value) -> Document {
        let Value::Object(mut fields) = fields else { return Document::default() };
        let normal = self.settings.model.normal.as_str();
        fields.entry("environment").or_insert(Value::Null);
        for name in ["environment", "group", "origin", "customer"] {
            if let Some(value) = self.parameter(name) {
                fields.insert(name.to_owned(), json!(value));
            }
        }
        if fields.get("environment").is_none_or(Value::is_null) {
            fields.insert("environment".to_owned(), json!(self.settings.default_environment));
        }
        if let Some(severity) = self.parameter("severity") {
            let over = fields.get("severity").and_then(Value::as_str);
            if !over.is_some_and(|severity| self.settings.model.is_normal(severity)) {
                fields.insert("severity".to_owned(), json!(severity));
            }
        }
        if fields.get("severity").is_none_or(Value::is_null) {
            fields.insert("severity".to_owned(), json!(normal));
        }
        if let Some(services) = self.parameter("service") {
            fields.insert("service".to_owned(), words(services));
        }
        if let Some(timeout) = self.parameter("timeout") {
            // What is no number is refused where the fields are read, by its name.
            let number = timeout.parse::<u64>();
            fields.insert("timeout".to_owned(), number.map_or(json!(timeout), |n| json!(n)));
        }
        if let Some(Value::Array(tags)) = words_of(self.parameter("tags")) {
            let known = fields.entry("tags").or_insert_with(|| json!([]));
            if let Value::Array(known) = known {
                known.extend(tags);
            }
        }
        if let Some(Value::Object(attributes)) = fields.remove("attributes") {
            fields.insert("attributes".to_owned(), Value::Object(cleaned(attributes)));
        }
        for (name, most) in [("text", MAX_TEXT), ("value", MAX_VALUE), ("rawData", MAX_RAW_DATA)] {
            if let Some(Value::String(text)) = fields.get_mut(name) {
                cut(text, most);
            }
        }
        if let Some(Value::Array(tags)) = fields.get_mut("tags") {
            tags.truncate(MAX_TAGS);
        }
        Document(fields)
    }
}

fn cut(text: &mut String, most: usize) {
    text.truncate(text.floor_char_boundary(most));
}

impl Asked {
    pub(super) fn one(document: Document) -> Asked {
        Asked::Alerts(vec![document])
    }

    /// One alert for each item of a list.
    pub(super) fn each(
        items: &[Value],
        read: impl Fn(&Value) -> Result<Document, Refusal>,
    ) -> Result<Asked, Refusal> {
        if items.len() > MAX_ALERTS {
            let message = format!("a call brings at most {MAX_ALERTS} alerts");
            return Err(Refusal::invalid(message));
        }
        items.iter().map(read).collect::<Result<_, _>>().map(Asked::Alerts)
    }
}

impl Wanted {
    pub(super) fn new(id: String, what: What, text: String, user: Option<String>) -> Wanted {
        let user = user.map(|mut user| {
            cut(&mut user, MAX_USER);
            user
        });
        Wanted { id, what, text, user }
    }
}

/// A text at a place that is there and not empty; a number or truth value counts as its text.
pub(super) fn text(value: &Value, place: &str) -> Option<String> {
    value.pointer(place).and_then(scalar).filter(|text| !text.is_empty())
}

/// The same, where it must be there.
pub(super) fn need(value: &Value, place: &str) -> Result<String, Refusal> {
    text(value, place).ok_or_else(|| {
        let name = place.trim_start_matches('/').replace('/', ".");
        Refusal::invalid(format!("missing `{name}`, expected a text that is not empty"))
    })
}

pub(super) fn list<'a>(value: &'a Value, place: &str) -> &'a [Value] {
    value.pointer(place).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Words between commas.
pub(super) fn words(text: &str) -> Value {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect()
}

fn words_of(text: Option<&str>) -> Option<Value> {
    text.map(words)
}

/// A time as the API writes it: from RFC 3339, or from seconds or milliseconds since 1970.
///
/// Null where it is none, and where it stands for none, as the first year does in Go.
pub(super) fn date(value: Option<&Value>) -> Value {
    let time = match value {
        Some(Value::String(text)) => text.parse::<Timestamp>().ok(),
        Some(Value::Number(number)) => number.as_f64().map(|number| {
            let seconds = if number < MILLISECONDS_FROM { number } else { number / 1_000.0 };
            // A cast that does not fit saturates, and so does the time.
            let micros = (seconds * 1e6) as i64;
            Timestamp::from_micros(micros)
        }),
        _ => None,
    };
    time.filter(|time| time.micros() > 0).map_or(Value::Null, |time| json!(wire::date(time)))
}

/// Attributes without those that say nothing, under names that the API takes.
fn cleaned(attributes: Map<String, Value>) -> Map<String, Value> {
    let says = |value: &Value| !(value.is_null() || value.as_str().is_some_and(str::is_empty));
    let named = |(name, value): (String, Value)| (name.replace(['.', '$'], "_"), value);
    attributes
        .into_iter()
        .filter(|(name, value)| !name.is_empty() && says(value))
        .map(named)
        .collect()
}
