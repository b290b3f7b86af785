//! What each key of an event must be, in the words of pydantic.

use bergfried_heimdall::{EventType, OsType, read_time};
use serde_json::{Value, json};

use super::body::MAX_ID;
use crate::adapters::detail::OBJECT;
use crate::adapters::query::read_number;

/// The longest input that is shown beside a mistake, in bytes of JSON.
pub(super) const MAX_SHOWN: usize = 2_000;

/// What a value is taken for, where it is not as documented; none where it is.
pub(super) type Checked = Result<Option<Value>, Mistake>;

/// Looks at a value.
type Check = fn(&Value) -> Checked;

/// The keys of an event in the order of the document, each with what it must be.
pub(super) const KEYS: [(&str, Check); 9] = [
    ("event_id", event_id),
    ("timestamp", timestamp),
    ("source_host", text),
    ("os_type", os_type),
    ("event_type", event_type),
    ("severity", severity),
    ("source_ip", text),
    ("user", text),
    ("raw_message", text),
];

/// What is wrong with a value.
pub(super) struct Mistake {
    kind: &'static str,
    message: String,
    context: Option<Value>,
}

impl Mistake {
    pub(super) fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Mistake { kind, message: message.into(), context: None }
    }

    pub(super) fn missing() -> Self {
        Mistake::new("missing", "Field required")
    }

    pub(super) fn no_object() -> Self {
        Mistake::new("model_attributes_type", OBJECT)
    }

    /// The entry of FastAPI's list.
    pub(super) fn entry(self, place: Value, input: &Value) -> Value {
        let mut entry =
            json!({"type": self.kind, "loc": place, "msg": self.message, "input": shown(input)});
        if let (Some(context), Some(entry)) = (self.context, entry.as_object_mut()) {
            entry.insert("ctx".to_owned(), context);
        }
        entry
    }
}

fn text(value: &Value) -> Checked {
    match value {
        Value::String(_) => Ok(None),
        _ => Err(Mistake::new("string_type", "Input should be a valid string")),
    }
}

fn event_id(value: &Value) -> Checked {
    match value {
        Value::Null => Ok(None),
        Value::String(id) if id.len() > MAX_ID => Err(Mistake {
            context: Some(json!({"max_length": MAX_ID})),
            ..Mistake::new(
                "string_too_long",
                format!("String should have at most {MAX_ID} characters"),
            )
        }),
        value => text(value),
    }
}

fn timestamp(value: &Value) -> Checked {
    match value {
        Value::String(text) if read_time(text).is_some() => Ok(None),
        Value::String(_) => Err(Mistake::new(
            "datetime_parsing",
            "Input should be a valid datetime in ISO 8601 such as 2026-01-31T12:00:00Z",
        )),
        Value::Number(number) if read_time(&number.to_string()).is_some() => {
            Ok(Some(Value::String(number.to_string())))
        }
        _ => Err(Mistake::new("datetime_type", "Input should be a valid datetime")),
    }
}

fn os_type(value: &Value) -> Checked {
    let words = OsType::ALL.iter().map(|word| word.name());
    one_of(value, words, |word| OsType::from_name(word).is_some())
}

fn event_type(value: &Value) -> Checked {
    let words = EventType::ALL.iter().map(|word| word.name());
    one_of(value, words, |word| EventType::from_name(word).is_some())
}

fn one_of<'w>(
    value: &Value,
    words: impl Iterator<Item = &'w str>,
    is_one: impl Fn(&str) -> bool,
) -> Checked {
    if value.as_str().is_some_and(is_one) {
        return Ok(None);
    }
    let words: Vec<String> = words.map(|word| format!("'{word}'")).collect();
    let expected = match words.split_last() {
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    };
    let context = Some(json!({"expected": expected}));
    Err(Mistake { context, ..Mistake::new("enum", format!("Input should be {expected}")) })
}

fn severity(value: &Value) -> Checked {
    let number = whole_number(value)?;
    let out = |kind, sign, key: &str, limit| Mistake {
        context: Some(json!({key: limit})),
        ..Mistake::new(kind, format!("Input should be {sign} than or equal to {limit}"))
    };
    match number {
        ..=0 => Err(out("greater_than_equal", "greater", "ge", 1)),
        6.. => Err(out("less_than_equal", "less", "le", 5)),
        number => Ok(Some(json!(number)).filter(|better| better != value)),
    }
}

/// The number that pydantic takes a value for.
fn whole_number(value: &Value) -> Result<i64, Mistake> {
    match value {
        Value::Bool(truth) => Ok(i64::from(*truth)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => Ok(number),
            #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
            (None, Some(float)) if float.fract() == 0.0 => Ok(float as i64),
            _ => Err(Mistake::new(
                "int_from_float",
                "Input should be a valid integer, got a number with a fractional part",
            )),
        },
        Value::String(text) => read_number(text).ok_or_else(|| {
            Mistake::new(
                "int_parsing",
                "Input should be a valid integer, unable to parse string as an integer",
            )
        }),
        _ => Err(Mistake::new("int_type", "Input should be a valid integer")),
    }
}

/// An input as it is, where it is short; else the beginning of its JSON as a text.
fn shown(input: &Value) -> Value {
    let text = input.to_string();
    if text.len() <= MAX_SHOWN { input.clone() } else { cut(&text) }
}

pub(super) fn cut(text: &str) -> Value {
    let mut end = MAX_SHOWN.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    Value::String(format!("{}…", text.get(..end).unwrap_or_default()))
}
