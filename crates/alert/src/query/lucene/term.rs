//! What one term asks of its field.

use std::ops::Bound;

use super::super::error::{self, QueryError};
use super::super::field::{Field, Kind};
use super::super::params::flag;
use super::super::test::{Edge, Node, Test, regex};
use super::super::time;
use super::Context;
use super::cursor::{Glyph, Word};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// The ends of a range; none: open.
pub(super) struct Ends {
    pub(super) low: Option<String>,
    pub(super) low_included: bool,
    pub(super) high: Option<String>,
    pub(super) high_included: bool,
}

pub(super) fn word(field: &Field, word: &Word, context: &Context<'_>) -> Result<Node, QueryError> {
    if word.0 == [Glyph::Many] {
        return Ok(Node::Field(field.clone(), Test::Exists));
    }
    let typed = word.text();
    if let Some((_, distance)) = typed.rsplit_once('~')
        && distance.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        let what = "A distance (`~`) is not supported.".to_owned();
        return Err(QueryError::Search(what));
    }
    match field.kind() {
        Kind::Text | Kind::Any if word.has_wildcards() => wildcards(field, word, false),
        Kind::List if word.has_wildcards() => wildcards(field, word, true),
        Kind::Text | Kind::Any => found(field, &regex::escape(&typed)),
        _ => exactly(field, typed, context),
    }
}

pub(super) fn phrase(
    field: &Field,
    phrase: &str,
    context: &Context<'_>,
) -> Result<Node, QueryError> {
    match field.kind() {
        Kind::Text | Kind::Any => {
            let bound = |edge: Option<char>| if edge.is_some_and(is_word) { "\\b" } else { "" };
            let (start, end) = (bound(phrase.chars().next()), bound(phrase.chars().last()));
            found(field, &format!("{start}{}{end}", regex::escape(phrase)))
        }
        _ => exactly(field, phrase.to_owned(), context),
    }
}

pub(super) fn regular(field: &Field, pattern: &str) -> Result<Node, QueryError> {
    match field.kind() {
        Kind::Text | Kind::List | Kind::Any => found(field, pattern),
        _ => Err(error::value(&field.to_string(), pattern, "no regular expression")),
    }
}

pub(super) fn range(field: &Field, ends: Ends, context: &Context<'_>) -> Result<Node, QueryError> {
    let refused = |text: &str, expected| error::value(&field.to_string(), text, expected);
    let test = match field.kind() {
        Kind::Text if matches!(field, Field::Severity | Field::PreviousSeverity) => {
            return severities(field, ends, context);
        }
        Kind::Text | Kind::List | Kind::Any => {
            let (low, high) = ends.read(|text| Ok(Edge::new(text.to_owned())))?;
            Test::Between(low, high)
        }
        Kind::Number => {
            let number = |text: &str| text.parse().map_err(|_| refused(text, "a whole number"));
            let (low, high) = ends.read(number)?;
            Test::Number(low, high)
        }
        Kind::Time => {
            let time = |text: &str| {
                time::read(text, context.now).ok_or_else(|| refused(text, time::EXPECTED))
            };
            let (low, high) = ends.read(time)?;
            Test::Time(low, high)
        }
        Kind::Flag => return Err(refused("a range", "true or false")),
    };
    Ok(Node::Field(field.clone(), test))
}

/// Where a field has a value: one of an alert's own, or else an attribute of that name.
pub(super) fn exists(name: &str) -> Option<Node> {
    if name.is_empty() {
        return None;
    }
    let there = |field| Node::Field(field, Test::Exists);
    let attribute = || there(Field::Attribute(name.to_owned()));
    Some(match Field::named(name) {
        None => attribute(),
        Some(field @ Field::Attribute(_)) => there(field),
        Some(field) => Node::Any(vec![there(field), attribute()]),
    })
}

impl Ends {
    fn read<T>(
        &self,
        read: impl Fn(&str) -> Result<T, QueryError>,
    ) -> Result<(Bound<T>, Bound<T>), QueryError> {
        let bound = |end: &Option<String>, included| {
            Ok(match end {
                None => Bound::Unbounded,
                Some(text) if included => Bound::Included(read(text)?),
                Some(text) => Bound::Excluded(read(text)?),
            })
        };
        Ok((bound(&self.low, self.low_included)?, bound(&self.high, self.high_included)?))
    }
}

/// The severities between two: more is worse, whatever the words' codes are.
fn severities(field: &Field, ends: Ends, context: &Context<'_>) -> Result<Node, QueryError> {
    let model = context.model;
    let (low, high) = ends.read(|text| {
        let word = model.severity(text);
        let expected = "a severity of the alarm model";
        let word = word.map_err(|_| error::value(&field.to_string(), text, expected))?;
        Ok(model.code(word))
    })?;
    let lies = |code: u16| {
        let not_milder = match low {
            Bound::Unbounded => true,
            Bound::Included(low) => code <= low,
            Bound::Excluded(low) => code < low,
        };
        not_milder
            && match high {
                Bound::Unbounded => true,
                Bound::Included(high) => code >= high,
                Bound::Excluded(high) => code > high,
            }
    };
    let words = model.severities.iter().filter(|(_, code)| lies(*code));
    let words = words.map(|(word, _)| word.clone()).collect();
    Ok(Node::Field(field.clone(), Test::Is(words)))
}

/// A value that is compared whole: an element of a list, a number, a time, a flag.
fn exactly(field: &Field, typed: String, context: &Context<'_>) -> Result<Node, QueryError> {
    let refused = |expected| error::value(&field.to_string(), &typed, expected);
    let test = match field.kind() {
        Kind::Number => {
            let number = typed.parse().map_err(|_| refused("a whole number"))?;
            Test::Number(Bound::Included(number), Bound::Included(number))
        }
        Kind::Time => {
            let start = time::read(&typed, context.now).ok_or_else(|| refused(time::EXPECTED))?;
            let is_date = typed.len() == "2026-11-21".len() && !typed.starts_with("now");
            let end = if is_date { start.saturating_add(DAY - 1) } else { start };
            Test::Time(Bound::Included(start), Bound::Included(end))
        }
        Kind::Flag => Test::Flag(flag(&typed).ok_or_else(|| refused("true or false"))?),
        Kind::Text | Kind::List | Kind::Any => Test::Is(vec![typed]),
    };
    Ok(Node::Field(field.clone(), test))
}

/// A pattern over whole words of a text, or over a whole element of a list.
fn wildcards(field: &Field, word: &Word, whole: bool) -> Result<Node, QueryError> {
    let is_word_at = |glyph: Option<&Glyph>| matches!(glyph, Some(Glyph::Character(character)) if is_word(*character));
    let (one, many) = if whole { (".", ".*") } else { ("\\S", "\\S*") };
    let mut pattern = String::new();
    if whole {
        pattern.push('^');
    } else if is_word_at(word.0.first()) {
        pattern.push_str("\\b");
    }
    let mut buffer = [0; 4];
    for glyph in &word.0 {
        match glyph {
            Glyph::Character(character) => {
                pattern.push_str(&regex::escape(character.encode_utf8(&mut buffer)));
            }
            Glyph::One => pattern.push_str(one),
            Glyph::Many => pattern.push_str(many),
        }
    }
    if whole {
        pattern.push('$');
    } else if is_word_at(word.0.last()) {
        pattern.push_str("\\b");
    }
    found(field, &pattern)
}

fn found(field: &Field, pattern: &str) -> Result<Node, QueryError> {
    Ok(Node::Field(field.clone(), Test::Found(regex(&field.to_string(), pattern)?)))
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
