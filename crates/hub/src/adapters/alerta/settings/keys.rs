//! The settings of a file, taken out one by one with what each must be.

use std::net::IpAddr;

use ipnet::IpNet;
use regex::RegexBuilder;
use serde_json::{Map, Value};

use super::Pattern;

const MAX_WORDS: usize = 1_000;
const MAX_TEXT: usize = 4_096;
/// Of an expression that is compiled, in bytes.
const REGEX_SIZE: usize = 64 * 1024;

/// A file of settings, or an argument, that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {message}")]
pub struct SettingsError {
    /// The file or the argument.
    place: String,
    /// What is wrong and what was expected.
    message: String,
}

impl SettingsError {
    pub(crate) fn new(place: &str, message: impl Into<String>) -> Self {
        SettingsError { place: place.to_owned(), message: message.into() }
    }
}

/// The settings that nobody took yet.
pub(super) struct Keys<'a> {
    file: &'a str,
    map: Map<String, Value>,
    /// The names that were asked for: all that there are.
    asked: Vec<&'static str>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(map: Map<String, Value>, file: &'a str) -> Self {
        Keys { file, map, asked: Vec::new() }
    }

    pub(super) fn wrong(&self, key: &str, message: &str) -> SettingsError {
        SettingsError::new(self.file, format!("{key}: {message}"))
    }

    /// The value of a setting; null says nothing.
    pub(super) fn value(&mut self, key: &'static str) -> Option<Value> {
        self.asked.push(key);
        self.map.remove(key).filter(|value| !value.is_null())
    }

    fn expected(&self, key: &str, expected: &str, value: &Value) -> SettingsError {
        let got = match value {
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a text",
            Value::Array(_) => "a list",
            _ => "an object",
        };
        self.wrong(key, &format!("expected {expected}, got {got}"))
    }

    pub(super) fn flag(&mut self, key: &'static str, into: &mut bool) -> Result<(), SettingsError> {
        match self.value(key) {
            None => Ok(()),
            Some(Value::Bool(flag)) => {
                *into = flag;
                Ok(())
            }
            Some(other) => Err(self.expected(key, "true or false", &other)),
        }
    }

    /// A whole number from `least` up to a thousand million.
    pub(super) fn number<T: TryFrom<u64>>(
        &mut self,
        key: &'static str,
        least: u64,
        into: &mut T,
    ) -> Result<(), SettingsError> {
        let Some(value) = self.value(key) else { return Ok(()) };
        let number = value.as_u64().filter(|number| (least..=1_000_000_000).contains(number));
        match number.and_then(|number| T::try_from(number).ok()) {
            Some(number) => {
                *into = number;
                Ok(())
            }
            None if value.is_number() => Err(self.wrong(
                key,
                &format!("expected a whole number from {least} to 1000000000, got {value}"),
            )),
            None => {
                let expected = format!("a whole number from {least} up");
                Err(self.expected(key, &expected, &value))
            }
        }
    }

    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<String>, SettingsError> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() > MAX_TEXT => {
                Err(self.wrong(key, &format!("expected at most {MAX_TEXT} bytes")))
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.expected(key, "a text", &other)),
        }
    }

    pub(super) fn text_into(
        &mut self,
        key: &'static str,
        into: &mut String,
    ) -> Result<(), SettingsError> {
        if let Some(text) = self.text(key)? {
            *into = text;
        }
        Ok(())
    }

    pub(super) fn words(
        &mut self,
        key: &'static str,
        into: &mut Vec<String>,
    ) -> Result<(), SettingsError> {
        let Some(value) = self.value(key) else { return Ok(()) };
        let Value::Array(list) = value else {
            return Err(self.expected(key, "a list of texts", &value));
        };
        if list.len() > MAX_WORDS {
            return Err(self.wrong(key, &format!("expected at most {MAX_WORDS} texts")));
        }
        let mut words = Vec::with_capacity(list.len());
        for item in list {
            match item {
                Value::String(word) if word.len() <= MAX_TEXT => words.push(word),
                other => return Err(self.expected(key, "a list of short texts", &other)),
            }
        }
        *into = words;
        Ok(())
    }

    pub(super) fn patterns(
        &mut self,
        key: &'static str,
        whole: bool,
        into: &mut Vec<Pattern>,
    ) -> Result<(), SettingsError> {
        let mut words = None;
        if self.map.get(key).is_some_and(|value| !value.is_null()) {
            self.words(key, words.insert(Vec::new()))?;
        }
        self.asked.push(key);
        let Some(words) = words else { return Ok(()) };
        let compiled = words.iter().map(|word| {
            pattern(word, whole).map_err(|error| {
                let word = word.escape_debug();
                self.wrong(key, &format!("expected regular expressions, `{word}` is none: {error}"))
            })
        });
        *into = compiled.collect::<Result<_, _>>()?;
        Ok(())
    }

    pub(super) fn networks(
        &mut self,
        key: &'static str,
        into: &mut Vec<IpNet>,
    ) -> Result<(), SettingsError> {
        let mut words = into.iter().map(ToString::to_string).collect();
        self.words(key, &mut words)?;
        let parse = |word: &String| {
            word.parse::<IpNet>().or_else(|_| word.parse::<IpAddr>().map(IpNet::from)).map_err(
                |_| {
                    let word = word.escape_debug();
                    self.wrong(key, &format!("expected addresses or networks, got `{word}`"))
                },
            )
        };
        *into = words.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// A value of any shape of this kind.
    pub(super) fn shaped(
        &mut self,
        key: &'static str,
        expected: &str,
        fits: fn(&Value) -> bool,
        into: &mut Value,
    ) -> Result<(), SettingsError> {
        match self.value(key) {
            None => Ok(()),
            Some(value) if fits(&value) => {
                *into = value;
                Ok(())
            }
            Some(other) => Err(self.expected(key, expected, &other)),
        }
    }

    /// The names that nobody took, and the known name that each may be a slip of.
    pub(super) fn rest(self) -> Vec<(String, Option<&'static str>)> {
        let near = |key: &str| {
            bergfried_event::nearest(key, self.asked.iter().copied())
                .and_then(|near| self.asked.iter().copied().find(|asked| *asked == near))
        };
        self.map.keys().map(|key| (key.clone(), near(key))).collect()
    }
}

/// Compiles an expression; `whole`: it has to match a whole text, not a part of it.
pub(super) fn pattern(text: &str, whole: bool) -> Result<Pattern, regex::Error> {
    let anchored = if whole { format!("^(?:{text})$") } else { format!("^(?:{text})") };
    let regex = RegexBuilder::new(&anchored).size_limit(REGEX_SIZE).build()?;
    Ok(Pattern { text: text.to_owned(), regex })
}
