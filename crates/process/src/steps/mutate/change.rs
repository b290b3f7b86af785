//! The changes of single values.

use std::borrow::Cow;
use std::str::FromStr;

use bergfried_event::{Value, nearest};
use regex::Regex;

use crate::scene::{MAX_LIST, MAX_TEXT, part};

/// What a value can be converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Integer,
    /// With points between thousands.
    IntegerEu,
    Float,
    /// With points between thousands and a comma before the fraction.
    FloatEu,
    Text,
    Boolean,
}

const TYPES: [(&str, Type); 6] = [
    ("integer", Type::Integer),
    ("integer_eu", Type::IntegerEu),
    ("float", Type::Float),
    ("float_eu", Type::FloatEu),
    ("string", Type::Text),
    ("boolean", Type::Boolean),
];

impl FromStr for Type {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        if let Some((_, kind)) = TYPES.iter().find(|(name, _)| *name == word) {
            return Ok(*kind);
        }
        let names = TYPES.map(|(name, _)| name);
        let mut message =
            format!("unknown type `{}`, expected one of {}", word.escape_debug(), names.join(", "));
        if let Some(meant) = nearest(word, names) {
            message.push_str(&format!(", did you mean `{meant}`?"));
        }
        Err(message)
    }
}

impl Type {
    pub(super) fn name(self) -> &'static str {
        TYPES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// Converts a value, of a list each; false where one cannot be converted and stays as it is.
    pub(super) fn convert(self, value: &mut Value<'_>) -> bool {
        match value {
            Value::List(values) => {
                let mut good = true;
                for value in values {
                    good &= self.convert(value);
                }
                good
            }
            Value::Null => true,
            one => match self.converted(one) {
                Some(converted) => {
                    *one = converted;
                    true
                }
                None => false,
            },
        }
    }

    fn converted(self, value: &Value<'_>) -> Option<Value<'static>> {
        let text = value.to_text();
        let text = text.trim();
        match self {
            Type::Text => Some(Value::from(value.to_text().into_owned())),
            Type::Boolean => match text.to_ascii_lowercase().as_str() {
                "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(Value::Bool(true)),
                "false" | "f" | "no" | "n" | "0" | "0.0" | "" => Some(Value::Bool(false)),
                _ => None,
            },
            Type::Integer | Type::IntegerEu => match value {
                Value::Bool(truth) => Some(Value::Int(i64::from(*truth))),
                Value::Int(number) => Some(Value::Int(*number)),
                _ => self.plain(text).parse().ok().map(Value::Int).or_else(|| {
                    // What has a fraction loses it.
                    let number = self.number(text)?.trunc();
                    #[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
                    (number.abs() < 9e15).then_some(Value::Int(number as i64))
                }),
            },
            Type::Float | Type::FloatEu => match value {
                Value::Bool(truth) => Some(Value::Float(f64::from(u8::from(*truth)))),
                _ => self.number(text).map(Value::Float),
            },
        }
    }

    fn number(self, text: &str) -> Option<f64> {
        self.plain(text).parse::<f64>().ok().filter(|number| number.is_finite())
    }

    /// The text with a point before the fraction and nothing between thousands.
    fn plain(self, text: &str) -> String {
        match self {
            Type::IntegerEu | Type::FloatEu => text.replace('.', "").replace(',', "."),
            _ => text.replace(',', ""),
        }
    }
}

/// What becomes of the letters of a text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Letters {
    Upper,
    Capital,
    Lower,
    Stripped,
}

impl Letters {
    pub(super) fn change(self, value: &mut Value<'_>) {
        each_text(value, &mut |text| {
            let changed = match self {
                Letters::Upper => text.to_uppercase(),
                Letters::Lower => text.to_lowercase(),
                Letters::Stripped => text.trim().to_owned(),
                Letters::Capital => {
                    let mut letters = text.chars();
                    let first = letters.next();
                    let first = first.into_iter().flat_map(char::to_uppercase);
                    first.chain(letters.flat_map(char::to_lowercase)).collect()
                }
            };
            (changed != text).then_some(changed)
        });
    }
}

/// Replaces what the expression matches.
pub(super) fn substitute(value: &mut Value<'_>, regex: &Regex, replacement: &str) {
    each_text(value, &mut |text| {
        if !regex.is_match(text) {
            return None;
        }
        let mut out = String::with_capacity(text.len());
        let mut end = 0;
        for found in regex.captures_iter(text) {
            // A long replacement of each byte of a long text is cut, not built.
            if out.len() > MAX_TEXT {
                break;
            }
            let Some(whole) = found.get(0) else { continue };
            out.push_str(text.get(end..whole.start()).unwrap_or_default());
            found.expand(replacement, &mut out);
            end = whole.end();
        }
        if out.len() <= MAX_TEXT {
            out.push_str(text.get(end..).unwrap_or_default());
        }
        out.truncate(out.floor_char_boundary(MAX_TEXT));
        Some(out)
    });
}

/// A replacement as Logstash has it (`\1`, `\k<name>`) in the form of the `regex` crate.
pub(super) fn replacement(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '$' => out.push_str("$$"),
            '\\' => match rest.peek() {
                Some(digit) if digit.is_ascii_digit() => {
                    out.push_str(&format!("${{{digit}}}"));
                    rest.next();
                }
                Some('k') => {
                    let name: String = rest.clone().skip(1).take_while(|c| *c != '>').collect();
                    match name.strip_prefix('<') {
                        Some(inner) if rest.clone().count() > name.len() + 1 => {
                            out.push_str(&format!("${{{inner}}}"));
                            for _ in 0..name.chars().count() + 2 {
                                rest.next();
                            }
                        }
                        _ => out.push('\\'),
                    }
                }
                Some('\\') => {
                    out.push('\\');
                    rest.next();
                }
                _ => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    out
}

/// The parts of a text; without a separator, its characters.
pub(super) fn split<'e>(text: &Cow<'e, str>, between: &str) -> Vec<Value<'e>> {
    fn parts<'t>(text: &'t str, between: &'t str) -> Vec<&'t str> {
        if between.is_empty() {
            let ends = text.char_indices().map(|(start, c)| text.get(start..start + c.len_utf8()));
            return ends.flatten().take(MAX_LIST + 1).collect();
        }
        text.split(between).take(MAX_LIST + 1).collect()
    }
    parts(text, between).into_iter().map(|one| Value::Text(part(text, one))).collect()
}

fn each_text(value: &mut Value<'_>, change: &mut dyn FnMut(&str) -> Option<String>) {
    match value {
        Value::Text(text) => {
            if let Some(changed) = change(text) {
                *text = Cow::Owned(changed);
            }
        }
        Value::List(values) => {
            for value in values {
                each_text(value, change);
            }
        }
        _ => {}
    }
}
