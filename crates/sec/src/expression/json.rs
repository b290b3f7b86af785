//! `json`: one value out of a JSON text, found while it is read; no tree is built.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::failure::Failure;
use super::number::Number;
use super::value::Value;

/// Where a value is: `a.b[0].c`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(Box<[Step]>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(Box<str>),
    Index(usize),
}

impl Path {
    /// Reads a path. Names with dots, brackets or nothing in them stand in quotes: `["a.b"]`.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (step, after) = if let Some(inner) = rest.strip_prefix('[') {
                bracketed(inner)
                    .ok_or("a bracket of a path holds a number from 0 or a name in quotes")?
            } else {
                let rest =
                    if steps.is_empty() { rest } else { rest.strip_prefix('.').unwrap_or("") };
                let end = rest.find(['.', '[']).unwrap_or(rest.len());
                let (name, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
                if name.is_empty() {
                    return Err("a name is missing in the path; it looks like a.b[0].c".to_owned());
                }
                (Step::Name(name.into()), after)
            };
            steps.push(step);
            rest = after;
        }
        if steps.is_empty() {
            Err("the path is empty; it looks like a.b[0].c".to_owned())
        } else {
            Ok(Self(steps.into()))
        }
    }

    /// The value at the path of the JSON value that a text has: from its beginning, or else from its
    /// first `{`. What comes after that value does not matter.
    pub(super) fn find(&self, text: &[u8]) -> Result<Value<'static>, Failure> {
        let text = text.trim_ascii_start();
        let start = match text.first() {
            Some(b'{' | b'[') => 0,
            _ => memchr::memchr(b'{', text).ok_or(Failure::NoJson)?,
        };
        let mut reader =
            serde_json::Deserializer::from_slice(text.get(start..).unwrap_or_default());
        Follow(&self.0).deserialize(&mut reader).map_err(|_| Failure::NoJson)
    }
}

fn bracketed(inner: &str) -> Option<(Step, &str)> {
    if let Some(quote @ ('"' | '\'')) = inner.chars().next() {
        let (name, after) = inner.get(1..)?.split_once(quote)?;
        return Some((Step::Name(name.into()), after.strip_prefix(']')?));
    }
    let (number, after) = inner.split_once(']')?;
    Some((Step::Index(number.parse().ok()?), after))
}

/// Reads one value and follows the path in it.
struct Follow<'p>(&'p [Step]);

impl<'de> DeserializeSeed<'de> for Follow<'_> {
    type Value = Value<'static>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl Follow<'_> {
    /// A value that has no parts is what is looked for at the end of the path only.
    fn leaf<E>(&self, value: impl Into<Value<'static>>) -> Result<Value<'static>, E> {
        Ok(if self.0.is_empty() { value.into() } else { Value::Undefined })
    }
}

impl<'de> Visitor<'de> for Follow<'_> {
    type Value = Value<'static>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        self.leaf(truth)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        self.leaf(number)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        match i64::try_from(number) {
            Ok(number) => self.leaf(number),
            // Its digits are right where a decimal would not be.
            Err(_) => self.leaf(number.to_string().into_bytes()),
        }
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        match Number::decimal(number) {
            Ok(number) => self.leaf(number),
            Err(_) => Ok(Value::Undefined),
        }
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        self.leaf(text.as_bytes().to_vec())
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Undefined)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut found = Value::Undefined;
        let wanted = match self.0.split_first() {
            Some((Step::Index(index), rest)) => Some((*index, rest)),
            _ => None,
        };
        for index in 0.. {
            let more = match wanted {
                Some((place, rest)) if place == index => {
                    list.next_element_seed(Follow(rest))?.map(|value| found = value).is_some()
                }
                _ => list.next_element::<IgnoredAny>()?.is_some(),
            };
            if !more {
                break;
            }
        }
        Ok(found)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Value::Undefined;
        let wanted = match self.0.split_first() {
            Some((Step::Name(name), rest)) => Some((name, rest)),
            _ => None,
        };
        // A name of the map is text of its own only where it has escapes in it.
        while let Some(is_it) = map.next_key_seed(Is(wanted.map(|(name, _)| &**name)))? {
            match wanted {
                Some((_, rest)) if is_it => found = map.next_value_seed(Follow(rest))?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

/// Whether a name is the one looked for.
struct Is<'n>(Option<&'n str>);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<bool, D::Error> {
        reader.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E>(self, text: &str) -> Result<bool, E> {
        Ok(self.0 == Some(text))
    }
}
