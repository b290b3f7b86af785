//! What a field can hold.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

/// The value of one field: text, a whole number, a number, a truth value, nothing, or a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Present and explicitly null (JSON `null`).
    Null,
    /// Text; addresses and names are text too.
    Text(Cow<'a, str>),
    /// A whole number: ports, process ids, counts.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// Several values; a condition holds when it holds for any of them.
    List(Vec<Value<'a>>),
}

impl<'a> Value<'a> {
    /// The text, where the value is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, where the value is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The value as a person reads it: text as it is, numbers in decimal, lists joined by `,`.
    ///
    /// Null is the empty text.
    pub fn to_text(&self) -> Cow<'_, str> {
        match self {
            Value::Null => Cow::Borrowed(""),
            Value::Text(text) => Cow::Borrowed(text),
            Value::Int(number) => Cow::Owned(number.to_string()),
            Value::Float(number) => Cow::Owned(number.to_string()),
            Value::Bool(true) => Cow::Borrowed("true"),
            Value::Bool(false) => Cow::Borrowed("false"),
            Value::List(values) => {
                let parts: Vec<Cow<'_, str>> = values.iter().map(Value::to_text).collect();
                Cow::Owned(parts.join(","))
            }
        }
    }

    /// The same value, owning its text.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::Int(number) => Value::Int(number),
            Value::Float(number) => Value::Float(number),
            Value::Bool(truth) => Value::Bool(truth),
            Value::List(values) => Value::List(values.into_iter().map(Value::into_owned).collect()),
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::Text(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Value<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Value::Text(text)
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Value::Bool(truth)
    }
}

impl From<serde_json::Value> for Value<'static> {
    /// A JSON object becomes its text; arrays become lists; numbers beyond `i64` become floats.
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(truth) => Value::Bool(truth),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Value::Int(whole),
                None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Value::Text(Cow::Owned(text)),
            serde_json::Value::Array(values) => {
                Value::List(values.into_iter().map(Value::from).collect())
            }
            object @ serde_json::Value::Object(_) => Value::Text(Cow::Owned(object.to_string())),
        }
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Int(number) => serializer.serialize_i64(*number),
            Value::Float(number) => serializer.serialize_f64(*number),
            Value::Bool(truth) => serializer.serialize_bool(*truth),
            Value::List(values) => serializer.collect_seq(values),
        }
    }
}
