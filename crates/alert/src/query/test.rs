//! What one field is asked for, and trees of that.

use std::borrow::Cow;
use std::ops::{Bound, RangeBounds};

use regex::{Regex, RegexBuilder};
use serde_json::Value;

use super::error::{QueryError, shown};
use super::field::{Field, Held};
use super::time::millis;
use crate::alert::Alert;

/// The most memory that one compiled regex may take, in bytes.
const REGEX_SIZE: usize = 256 << 10;
/// The deepest nesting of a regex.
const REGEX_DEPTH: u32 = 50;
/// How many words an expression costs as much as.
const EXPRESSION: usize = 32;

/// A tree of tests.
#[derive(Clone, Debug)]
pub(super) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Field(Field, Test),
}

/// What one field is asked for.
#[derive(Clone, Debug)]
pub(super) enum Test {
    /// It is one of these texts, or one of its elements is; the empty text is also what is absent.
    Is(Vec<String>),
    /// It begins with one of these.
    Prefix(Vec<String>),
    /// The regex is found in it, or in one of its elements.
    Found(Regex),
    /// The text, or an element, lies between these.
    Between(Bound<Edge>, Bound<Edge>),
    /// The number lies between these.
    Number(Bound<u64>, Bound<u64>),
    /// The time in milliseconds lies between these.
    Time(Bound<i64>, Bound<i64>),
    /// It is this.
    Flag(bool),
    /// It is there and not empty.
    Exists,
}

/// An end of a range of texts; where it is a number, only numbers lie beside it.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    text: String,
    number: Option<f64>,
}

impl Edge {
    pub(super) fn new(text: String) -> Edge {
        let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite());
        Edge { text, number }
    }
}

impl Node {
    pub(super) fn holds(&self, alert: &Alert) -> bool {
        match self {
            Node::All(nodes) => nodes.iter().all(|node| node.holds(alert)),
            Node::Any(nodes) => nodes.iter().any(|node| node.holds(alert)),
            Node::Not(node) => !node.holds(alert),
            Node::Field(Field::Id, Test::Prefix(prefixes)) => prefixes.iter().any(|prefix| {
                alert.id.starts_with(prefix) || alert.last_receive_id.starts_with(prefix)
            }),
            Node::Field(field, test) => test.holds(field.of(alert)),
        }
    }

    /// About how many words are compared with one alert; an expression counts as many.
    pub(super) fn cost(&self) -> usize {
        match self {
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().map(Node::cost).sum(),
            Node::Not(node) => node.cost(),
            Node::Field(_, Test::Found(_)) => EXPRESSION,
            Node::Field(_, Test::Is(words) | Test::Prefix(words)) => words.len(),
            Node::Field(..) => 1,
        }
    }

    pub(super) fn not(self) -> Node {
        Node::Not(Box::new(self))
    }
}

impl Test {
    fn holds(&self, held: Held<'_>) -> bool {
        match self {
            Test::Is(words) => match held {
                Held::Nothing => words.iter().any(String::is_empty),
                Held::List([]) => words.iter().any(String::is_empty),
                Held::Any(value) => is(value, words),
                other => any_text(other, |text| words.iter().any(|word| word == text)),
            },
            Test::Prefix(words) => {
                any_text(held, |text| words.iter().any(|word| text.starts_with(word.as_str())))
            }
            Test::Found(regex) => any_text(held, |text| regex.is_match(text)),
            Test::Between(low, high) => any_text(held, |text| between(text, low, high)),
            Test::Number(low, high) => {
                matches!(held, Held::Number(number) if (*low, *high).contains(&number))
            }
            Test::Time(low, high) => {
                matches!(held, Held::Time(time) if (*low, *high).contains(&millis(time)))
            }
            Test::Flag(wanted) => matches!(held, Held::Flag(flag) if flag == *wanted),
            Test::Exists => match held {
                Held::Nothing | Held::List([]) => false,
                Held::Text(text) => !text.is_empty(),
                _ => true,
            },
        }
    }
}

/// Whether any text of the value does; numbers and flags of an attribute count as their text.
fn any_text(held: Held<'_>, does: impl Fn(&str) -> bool) -> bool {
    match held {
        Held::Text(text) => does(text),
        Held::List(texts) => texts.iter().any(|text| does(text)),
        Held::Any(Value::Array(values)) => values.iter().any(|value| does(&text_of(value))),
        Held::Any(value) => does(&text_of(value)),
        Held::Nothing | Held::Number(_) | Held::Time(_) | Held::Flag(_) => false,
    }
}

/// An attribute's value as text: a string as it is, everything else as JSON.
pub(super) fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

fn is(value: &Value, words: &[String]) -> bool {
    match value {
        Value::Array(values) => values.iter().any(|value| is(value, words)),
        Value::Number(number) => {
            let text = number.to_string();
            let same = |word: &String| word.parse() == Ok(number.as_f64().unwrap_or(f64::NAN));
            words.iter().any(|word| *word == text || same(word))
        }
        other => words.iter().any(|word| *word == text_of(other)),
    }
}

fn between(text: &str, low: &Bound<Edge>, high: &Bound<Edge>) -> bool {
    let mut number = None;
    let mut order = |edge: &Edge| match edge.number {
        None => Some(text.cmp(edge.text.as_str())),
        Some(wanted) => {
            let number = *number.get_or_insert_with(|| text.trim().parse().unwrap_or(f64::NAN));
            number.partial_cmp(&wanted)
        }
    };
    let above = match low {
        Bound::Unbounded => true,
        Bound::Included(edge) => order(edge).is_some_and(|order| order.is_ge()),
        Bound::Excluded(edge) => order(edge).is_some_and(|order| order.is_gt()),
    };
    above
        && match high {
            Bound::Unbounded => true,
            Bound::Included(edge) => order(edge).is_some_and(|order| order.is_le()),
            Bound::Excluded(edge) => order(edge).is_some_and(|order| order.is_lt()),
        }
}

/// A regex that ignores case, with a cap on its size.
pub(super) fn regex(parameter: &str, pattern: &str) -> Result<Regex, QueryError> {
    let built = RegexBuilder::new(pattern)
        .case_insensitive(true)
        .dot_matches_new_line(true)
        .size_limit(REGEX_SIZE)
        .dfa_size_limit(REGEX_SIZE)
        .nest_limit(REGEX_DEPTH)
        .build();
    built.map_err(|error| {
        let reason = match &error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            regex::Error::Syntax(text) => text.lines().last().unwrap_or(text).to_owned(),
            other => other.to_string(),
        };
        QueryError::Regex { parameter: shown(parameter), value: shown(pattern), reason }
    })
}

/// A regex for a part of a text as SQL's `ILIKE` finds it: `%` is any text, `_` any character.
pub(super) fn substring(parameter: &str, wanted: &str) -> Result<Regex, QueryError> {
    let mut pattern = String::with_capacity(wanted.len() + 8);
    let mut characters = wanted.chars();
    let mut buffer = [0; 4];
    while let Some(character) = characters.next() {
        let literal = match character {
            '%' => {
                pattern.push_str(".*");
                continue;
            }
            '_' => {
                pattern.push('.');
                continue;
            }
            '\\' => characters.next().unwrap_or('\\'),
            other => other,
        };
        pattern.push_str(&regex::escape(literal.encode_utf8(&mut buffer)));
    }
    regex(parameter, &pattern)
}
