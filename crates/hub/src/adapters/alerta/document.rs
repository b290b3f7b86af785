//! A JSON object that a client sent, and its fields by name and type.
//!
//! Fields that nobody asks for are ignored, and a null is the same as an absent field.

use std::collections::BTreeMap;

use bergfried_event::Timestamp;
use serde_json::{Map, Value};

use super::error::Refusal;
use super::wire;

/// The most elements of a list, and the most attributes.
pub(crate) const MAX_LIST: usize = 1_000;
/// The longest name or word, in bytes.
pub(crate) const MAX_NAME: usize = 4_096;
/// The longest text for people, in bytes.
pub(crate) const MAX_TEXT: usize = 64 * 1024;

/// An object of JSON that a client sent.
#[derive(Debug, Default)]
pub(crate) struct Document(pub(crate) Map<String, Value>);

impl Document {
    /// Reads a body.
    ///
    /// # Errors
    /// 400 where it is no JSON, or no object.
    pub(crate) fn read(body: &[u8]) -> Result<Document, Refusal> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Document(fields)),
            Ok(_) => Err(Refusal::invalid("the body must be an object of JSON")),
            Err(error) => Err(Refusal::invalid(format!("cannot read the body as JSON: {error}"))),
        }
    }

    /// What a field holds, where it is there and not null.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A name or word.
    pub(crate) fn name(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.bounded(name, MAX_NAME)
    }

    /// A name or word that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<String, Refusal> {
        mandatory(name, self.name(name)?)
    }

    /// A text for people.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Refusal> {
        self.bounded(name, MAX_TEXT)
    }

    fn bounded(&self, name: &str, limit: usize) -> Result<Option<String>, Refusal> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() <= limit => Ok(Some(text.clone())),
            Some(_) => Err(Refusal::field(name, &format!("a text of at most {limit} bytes"))),
        }
    }

    /// A list of words; a number or truth value in it counts as its text.
    pub(crate) fn words(&self, name: &str) -> Result<Option<Vec<String>>, Refusal> {
        let expected =
            || format!("a list of at most {MAX_LIST} texts of at most {MAX_NAME} bytes each");
        let Some(value) = self.value(name) else { return Ok(None) };
        let Value::Array(list) = value else { return Err(Refusal::field(name, &expected())) };
        let words: Option<Vec<String>> = list.iter().map(scalar).collect();
        words
            .filter(|words| words.len() <= MAX_LIST && words.iter().all(|w| w.len() <= MAX_NAME))
            .map(Some)
            .ok_or_else(|| Refusal::field(name, &expected()))
    }

    /// Attributes: an object whose keys have no `.` and no `$`.
    pub(crate) fn attributes(
        &self,
        name: &str,
    ) -> Result<Option<BTreeMap<String, Value>>, Refusal> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let Value::Object(fields) = value else {
            return Err(Refusal::field(name, "an object of JSON"));
        };
        if fields.len() > MAX_LIST {
            let expected = format!("an object of at most {MAX_LIST} attributes");
            return Err(Refusal::field(name, &expected));
        }
        for key in fields.keys() {
            if key.contains(['.', '$']) {
                let expected = "an object whose keys contain no `.` and no `$`";
                let key = key.escape_debug();
                return Err(Refusal::invalid(format!("`{name}` must be {expected}, not `{key}`")));
            }
            if key.is_empty() || key.len() > MAX_NAME {
                let expected = format!("an object whose keys have 1 to {MAX_NAME} bytes");
                return Err(Refusal::field(name, &expected));
            }
        }
        Ok(Some(fields.iter().map(|(key, value)| (key.clone(), value.clone())).collect()))
    }

    /// Whole seconds, 0 or more.
    pub(crate) fn seconds(&self, name: &str) -> Result<Option<u32>, Refusal> {
        let Some(value) = self.value(name) else { return Ok(None) };
        // What lasts longer than an `u32` of seconds, 136 years, is for ever as well as another.
        let seconds = value.as_u64().map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX));
        match seconds {
            Some(seconds) => Ok(Some(seconds)),
            None => Err(Refusal::field(name, "an integer, the seconds, 0 or more")),
        }
    }

    /// A date in the form of the API; what is no text is ignored.
    pub(crate) fn date(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        match self.value(name) {
            Some(Value::String(text)) => match wire::read_date(text) {
                Some(date) => Ok(Some(date)),
                None => Err(Refusal::invalid(format!(
                    "cannot read `{name}`: dates must be ISO 8601 date format \
                     YYYY-MM-DDThh:mm:ss.sssZ"
                ))),
            },
            _ => Ok(None),
        }
    }
}

/// What stands in a field that must be there.
pub(crate) fn mandatory(name: &str, text: Option<String>) -> Result<String, Refusal> {
    text.filter(|text| !text.is_empty()).ok_or_else(|| {
        Refusal::invalid(format!(
            "missing mandatory value for `{name}`, expected a text that is not empty"
        ))
    })
}

/// The text of a text, number or truth value.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(value: Value) -> Document {
        Document::read(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn fields_have_their_types() {
        let document = document(json!({
            "word": "w", "null": null, "list": ["a", 1, true], "deep": ["a", {}],
            "seconds": 5, "minus": -1, "quoted": "10", "far": 99_999_999_999_u64,
            "attributes": {"a": {"b.c": 1}}, "dotted": {"a.b": 1}, "dollar": {"$a": 1},
            "date": "2026-11-21T01:40:17.508Z", "no date": "yesterday", "number": 1,
        }));
        assert_eq!(document.name("word").unwrap().as_deref(), Some("w"));
        assert_eq!(document.name("null").unwrap(), None);
        assert_eq!(document.words("list").unwrap().unwrap(), ["a", "1", "true"]);
        assert_eq!(document.seconds("seconds").unwrap(), Some(5));
        assert_eq!(document.seconds("far").unwrap(), Some(u32::MAX));
        assert!(document.attributes("attributes").unwrap().unwrap().contains_key("a"));
        assert!(document.date("date").unwrap().is_some());
        assert_eq!(document.date("number").unwrap(), None);
        let message = |refusal: Refusal| refusal.message().to_owned();
        for (error, part) in [
            (message(document.required("none").unwrap_err()), "`none`"),
            (message(document.name("list").unwrap_err()), "`list` must be a text"),
            (message(document.words("deep").unwrap_err()), "`deep` must be a list"),
            (message(document.words("word").unwrap_err()), "`word` must be a list"),
            (message(document.seconds("minus").unwrap_err()), "`minus` must be an integer"),
            (message(document.seconds("quoted").unwrap_err()), "`quoted` must be an integer"),
            (message(document.attributes("list").unwrap_err()), "`list` must be an object"),
            (message(document.attributes("dotted").unwrap_err()), "not `a.b`"),
            (message(document.attributes("dollar").unwrap_err()), "not `$a`"),
            (message(document.date("no date").unwrap_err()), "YYYY-MM-DDThh:mm:ss.sssZ"),
        ] {
            assert!(error.contains(part), "{error}");
        }
    }
}
