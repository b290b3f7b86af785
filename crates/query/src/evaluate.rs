//! The plain walk: a predicate over one event.

use std::borrow::Cow;
use std::net::IpAddr;

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};

use crate::pattern::{Part, Pattern, fold, glob};
use crate::predicate::{Condition, Predicate, Target};
use crate::tokens::is_word;

impl Predicate {
    /// Whether the event meets this predicate.
    ///
    /// Conditions over an absent field do not hold, but for [`Condition::Null`].
    pub fn matches(&self, event: &Event<'_>) -> bool {
        match self {
            Predicate::Constant(truth) => *truth,
            Predicate::And(all) => all.iter().all(|predicate| predicate.matches(event)),
            Predicate::Or(any) => any.iter().any(|predicate| predicate.matches(event)),
            Predicate::Not(inner) => !inner.matches(event),
            Predicate::Atom(Target::Anything, condition) => anything(event, condition),
            Predicate::Atom(Target::Field(name), condition) => field(event, name, condition),
        }
    }
}

fn anything(event: &Event<'_>, condition: &Condition) -> bool {
    condition.holds(&Value::from(event.original()), event)
        || event
            .fields()
            .iter()
            .filter(|(name, _)| !is_added_by_store(name))
            .any(|(_, value)| any_value(value, condition, event))
}

/// Whether the store adds this field: a rule, which sees an event before it is stored, must find the
/// same.
fn is_added_by_store(name: &FieldName<'_>) -> bool {
    matches!(name, FieldName::Known(Field::EventId | Field::EventIngested))
}

fn field(event: &Event<'_>, name: &FieldName<'_>, condition: &Condition) -> bool {
    let computed;
    let value = match name {
        FieldName::Known(Field::Timestamp) => {
            computed = timestamp_value(event, condition);
            Some(&computed)
        }
        FieldName::Known(Field::EventOriginal) => {
            computed = Value::from(event.original());
            Some(&computed)
        }
        FieldName::Known(Field::EventIngested) if matches!(condition, Condition::Number(..)) => {
            computed = event
                .text(Field::EventIngested)
                .and_then(|text| text.parse().ok())
                .map_or(Value::Null, |ingested: Timestamp| Value::Int(ingested.micros()));
            Some(&computed)
        }
        name => event.get_named(name),
    };
    match (value, condition) {
        (None, condition) => matches!(condition, Condition::Null),
        (Some(_), Condition::Exists) => true,
        (Some(value), condition) => any_value(value, condition, event),
    }
}

fn timestamp_value<'e>(event: &Event<'_>, condition: &Condition) -> Value<'e> {
    match condition {
        Condition::Number(..) => Value::Int(event.created().micros()),
        _ => Value::from(event.created().to_string()),
    }
}

fn any_value(value: &Value<'_>, condition: &Condition, event: &Event<'_>) -> bool {
    match value {
        Value::List(values) => values.iter().any(|value| any_value(value, condition, event)),
        value => condition.holds(value, event),
    }
}

impl Condition {
    /// Whether text that [`fold`] lower-cased already meets this condition; `None` where the
    /// condition looks at more than that.
    pub fn holds_folded(&self, folded: &str) -> Option<bool> {
        match self {
            Condition::Text(pattern) if !pattern.is_cased() => Some(pattern.matches_folded(folded)),
            Condition::Words(pattern) if !pattern.is_cased() => {
                Some(has_words_folded(pattern, folded))
            }
            _ => None,
        }
    }

    /// Whether one value (not a list) meets this condition.
    ///
    /// `event` answers [`Condition::SameAs`].
    pub fn holds(&self, value: &Value<'_>, event: &Event<'_>) -> bool {
        match self {
            Condition::Exists => true,
            Condition::Null => matches!(value, Value::Null),
            _ if matches!(value, Value::Null) => false,
            Condition::Text(pattern) => pattern.matches(&value.to_text()),
            Condition::Words(pattern) => has_words(pattern, &value.to_text()),
            Condition::Regex(regex) => regex.is_match(&value.to_text()),
            Condition::Network(network) => {
                address(&value.to_text()).is_some_and(|address| network.contains(&address))
            }
            Condition::Number(comparison, right) => {
                number(value).is_some_and(|left| comparison.holds(left, *right))
            }
            Condition::Bool(truth) => match value {
                Value::Bool(value) => value == truth,
                value => {
                    value.to_text().eq_ignore_ascii_case(if *truth { "true" } else { "false" })
                }
            },
            Condition::SameAs { field, any_before, any_after, cased } => {
                let Some(other) = event.get_named(field) else { return false };
                same_as(&value.to_text(), &other.to_text(), *any_before, *any_after, *cased)
            }
        }
    }
}

/// The number that [`Condition::Number`] compares: a number, text that is one, or a time as its
/// microseconds.
pub fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "compared as floating point by definition")]
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Text(text) => text.trim().parse().ok().or_else(|| time_number(text)),
        _ => None,
    }
}

/// A time in RFC 3339 as its microseconds.
#[expect(clippy::cast_precision_loss, reason = "microseconds of these centuries fit in 53 bits")]
fn time_number(text: &str) -> Option<f64> {
    if !text.as_bytes().first()?.is_ascii_digit() || !text.contains('-') {
        return None;
    }
    text.parse::<bergfried_event::Timestamp>().ok().map(|time| time.micros() as f64)
}

/// The address that a text is; IPv4-mapped IPv6 becomes IPv4.
fn address(text: &str) -> Option<IpAddr> {
    text.trim().parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn same_as(left: &str, right: &str, any_before: bool, any_after: bool, cased: bool) -> bool {
    let (left, right) =
        if cased { (Cow::Borrowed(left), Cow::Borrowed(right)) } else { (fold(left), fold(right)) };
    match (any_before, any_after) {
        (false, false) => left == right,
        (false, true) => left.starts_with(right.as_ref()),
        (true, false) => left.ends_with(right.as_ref()),
        (true, true) => left.contains(right.as_ref()),
    }
}

/// Whether the pattern occurs in `text` with a word boundary at each end that is a word character.
fn has_words(pattern: &Pattern, text: &str) -> bool {
    let folded = if pattern.is_cased() { Cow::Borrowed(text) } else { fold(text) };
    has_words_folded(pattern, &folded)
}

/// As [`has_words`], for text in the case of the pattern.
fn has_words_folded(pattern: &Pattern, folded: &str) -> bool {
    if let Some(literal) = pattern.as_literal() {
        return literal.is_empty() || has_literal_words(literal, folded);
    }
    // Wildcards stop at white space, so each run of other text is looked at on its own.
    folded.split_whitespace().any(|run| has_wildcard_words(pattern.parts(), run))
}

/// Whether the pattern matches some part of `run` that starts and ends at word boundaries.
///
/// A part that is longer at either end still matches wherever the pattern's first and last pieces
/// fit, because a `*` takes what lies between: the longest such part alone is tried, so that a long
/// hostile line costs no more than its length.
fn has_wildcard_words(parts: &[Part], run: &str) -> bool {
    let places: Vec<usize> = boundaries(run).collect();
    let first_star = parts.iter().position(|part| *part == Part::AnyRun);
    let last_star = parts.iter().rposition(|part| *part == Part::AnyRun);
    let (Some(first_star), Some(last_star)) = (first_star, last_star) else {
        let length = characters(parts);
        return places.iter().any(|start| {
            let text = run.get(*start..).unwrap_or_default();
            let end = start + after(text, length).unwrap_or(run.len());
            places.binary_search(&end).is_ok()
                && run.get(*start..end).is_some_and(|part| glob(parts, part))
        });
    };
    let opening = parts.get(..first_star).unwrap_or_default();
    let closing = parts.get(last_star + 1..).unwrap_or_default();
    let opens = |start: &&usize| {
        let text = run.get(**start..).unwrap_or_default();
        let end = after(text, characters(opening));
        end.and_then(|end| text.get(..end)).is_some_and(|text| glob(opening, text))
    };
    let closes = |end: &&usize| {
        let text = run.get(..**end).unwrap_or_default();
        let start = before_end(text, characters(closing));
        start.and_then(|start| text.get(start..)).is_some_and(|text| glob(closing, text))
    };
    let (start, end) = (places.iter().find(opens), places.iter().rfind(closes));
    start
        .zip(end)
        .and_then(|(start, end)| run.get(*start..*end))
        .is_some_and(|part| glob(parts, part))
}

/// How many characters parts without `*` match.
fn characters(parts: &[Part]) -> usize {
    parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.chars().count(),
            Part::AnyOne => 1,
            Part::AnyRun => 0,
        })
        .sum()
}

/// The byte after the first `count` characters, where there are so many.
fn after(text: &str, count: usize) -> Option<usize> {
    let ends = text.char_indices().map(|(at, character)| at + character.len_utf8());
    std::iter::once(0).chain(ends).nth(count)
}

/// The byte at which the last `count` characters begin, where there are so many.
fn before_end(text: &str, count: usize) -> Option<usize> {
    let starts = text.char_indices().rev().map(|(at, _)| at);
    std::iter::once(text.len()).chain(starts).nth(count)
}

/// Where words begin and end, in ascending order, and both ends of the run.
fn boundaries(run: &str) -> impl Iterator<Item = usize> + '_ {
    std::iter::once(0)
        .chain(crate::tokens::ranges(run).flat_map(|(start, end)| [start, end]))
        .chain(std::iter::once(run.len()))
}

fn has_literal_words(literal: &str, text: &str) -> bool {
    let Some(first) = literal.chars().next() else { return true };
    let closes = literal.chars().next_back().is_some_and(is_word);
    let mut from = 0;
    while let Some(rest) = text.get(from..)
        && let Some(found) = memchr::memmem::find(rest.as_bytes(), literal.as_bytes())
    {
        let start = from + found;
        let before = text.get(..start).and_then(|before| before.chars().next_back());
        let after = text.get(start + literal.len()..).and_then(|after| after.chars().next());
        let glued =
            is_word(first) && before.is_some_and(is_word) || closes && after.is_some_and(is_word);
        if !glued {
            return true;
        }
        // The next one may overlap this one: 0.0.1 in 10.0.0.0.1.
        from = start + first.len_utf8();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predicate::{Comparison, TextRegex};

    fn event() -> Event<'static> {
        let mut event = Event::new(Timestamp::from_seconds(1_000), "raw Failed line");
        event.set(Field::SourceIp, "::ffff:10.1.2.3");
        event.set(Field::SourcePort, 22);
        event.set(Field::UserName, "Bob");
        event.set(Field::UserEffectiveName, "bob");
        event.set(Field::EventReason, Value::Null);
        event.set(Field::EventCategory, Value::List(vec!["session".into(), "iam".into()]));
        event.set(Field::Message, "Failed password for invalid-user x from 10.0.0.1");
        event
    }

    fn holds(field: Field, condition: Condition) -> bool {
        Predicate::field(field, condition).matches(&event())
    }

    #[test]
    fn conditions_over_fields() {
        let text = |text: &str| Condition::Text(Pattern::with_wildcards(text, false));
        assert!(holds(Field::UserName, text("bob")));
        assert!(!holds(Field::UserName, Condition::Text(Pattern::with_wildcards("bob", true))));
        assert!(holds(Field::EventCategory, text("iam")));
        assert!(holds(Field::SourcePort, text("2?")));
        assert!(!holds(Field::GroupName, text("*")));
        assert!(holds(Field::SourceIp, Condition::Network("10.0.0.0/8".parse().unwrap())));
        assert!(!holds(Field::SourceIp, Condition::Network("fe80::/10".parse().unwrap())));
        assert!(holds(Field::SourcePort, Condition::Number(Comparison::LessOrEqual, 22.0)));
        assert!(!holds(Field::UserName, Condition::Number(Comparison::NotEqual, 22.0)));
        assert!(holds(Field::Timestamp, Condition::Number(Comparison::Equal, 1e9)));
        assert!(holds(Field::EventReason, Condition::Null));
        assert!(holds(Field::EventReason, Condition::Exists));
        assert!(holds(Field::GroupName, Condition::Null));
        assert!(!holds(Field::GroupName, Condition::Exists));
        assert!(holds(
            Field::Message,
            Condition::Regex(TextRegex::new("for (invalid|bad)").unwrap())
        ));
        let same = |cased| Condition::SameAs {
            field: Field::UserEffectiveName.into(),
            any_before: false,
            any_after: false,
            cased,
        };
        assert!(holds(Field::UserName, same(false)) && !holds(Field::UserName, same(true)));
    }

    #[test]
    fn words_have_boundaries() {
        for (words, expected) in [
            ("failed", true),
            ("fail", false),
            ("fail*", true),
            ("*word", true),
            ("invalid-user", true),
            ("user", true),
            ("10.0.0.1", true),
            ("0.0.1", true),
            ("10.0.0", true),
            ("10.0.0.11", false),
            ("password for", true),
            ("sword for", false),
            ("pass?ord", true),
            ("pass?or", false),
            ("invalid*ser", true),
            ("nvalid*user", false),
            ("i?v*us?r", true),
            ("?0.0.0.1", true),
        ] {
            let condition = Condition::Words(Pattern::with_wildcards(words, false));
            assert_eq!(holds(Field::Message, condition), expected, "{words}");
        }
    }

    #[test]
    fn words_that_overlap_are_found() {
        assert!(has_literal_words("0.0.0", "10.0.0.0"));
        assert!(!has_literal_words("0.0.0", "10.0.01"));
        assert!(has_literal_words("ä-ä", "xä-ä-ä"));
    }

    #[test]
    fn a_long_hostile_line_costs_little() {
        let line = "a.".repeat(500_000);
        for words in ["a*b", "*a*b*", "a.?.a*x", "a?a.c"] {
            assert!(!has_words(&Pattern::with_wildcards(words, false), &line), "{words}");
        }
        assert!(has_words(&Pattern::with_wildcards("a.a*.a", false), &line));
    }

    proptest::proptest! {
        /// The longest part stands for all of them.
        #[test]
        fn wildcard_words_agree_with_every_part(
            pattern in "[ab.*?]{1,6}", run in "[abä.-]{0,10}",
        ) {
            let pattern = Pattern::with_wildcards(&pattern, false);
            proptest::prop_assume!(pattern.has_wildcard());
            let naive = boundaries(&run).any(|start| {
                boundaries(&run).filter(|end| *end >= start).any(|end| {
                    run.get(start..end).is_some_and(|part| pattern.matches_folded(part))
                })
            });
            proptest::prop_assert_eq!(has_wildcard_words(pattern.parts(), &run), naive);
        }
    }

    #[test]
    fn keywords_look_everywhere() {
        let anywhere = |text: &str| {
            Predicate::Atom(
                Target::Anything,
                Condition::Text(Pattern::with_wildcards(text, false).anywhere()),
            )
        };
        assert!(anywhere("raw failed").matches(&event()));
        assert!(anywhere("10.1.2.3").matches(&event()));
        assert!(!anywhere("absent").matches(&event()));
        let mut stored = event();
        stored.set(Field::EventId, 4711);
        stored.set(Field::EventIngested, "2026-01-31T12:00:00Z");
        assert!(!anywhere("4711").matches(&stored) && !anywhere("2026").matches(&stored));
        let ingested = |micros: f64| {
            let later = Condition::Number(Comparison::GreaterOrEqual, micros);
            Predicate::field(Field::EventIngested, later).matches(&stored)
        };
        assert!(ingested(1_769_860_800e6) && !ingested(1_769_860_801e6));
    }
}
