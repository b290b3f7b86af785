//! The plain walk: a predicate over one event.

use std::borrow::Cow;
use std::net::IpAddr;

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use ipnet::IpNet;

use crate::pattern::fold;
use crate::predicate::{Condition, Predicate, Target};
use crate::words::{has_words, has_words_folded};

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
            Predicate::AtLeast(needed, choices) => {
                let held = choices.iter().filter(|predicate| predicate.matches(event));
                held.take(*needed).count() == *needed
            }
            Predicate::Atom(Target::Anything, condition) => anything(event, condition),
            Predicate::Atom(Target::Field(name), condition) => field(event, name, condition),
        }
    }
}

fn anything(event: &Event<'_>, condition: &Condition) -> bool {
    in_original(event, condition)
        || event
            .fields()
            .iter()
            .filter(|(name, _)| !is_added_by_store(name))
            .any(|(_, value)| any_value(value, condition, event))
}

/// Whether the raw text meets a condition over [`Target::Anything`].
pub(crate) fn in_original(event: &Event<'_>, condition: &Condition) -> bool {
    match condition {
        Condition::Network(network) => has_address(event.original(), network),
        condition => condition.holds(&Value::from(event.original()), event),
    }
}

/// Whether the store adds this field: a rule, which sees an event before it is stored, must find the
/// same, so [`Target::Anything`] leaves it out.
pub fn is_added_by_store(name: &FieldName<'_>) -> bool {
    matches!(name, FieldName::Known(Field::EventId | Field::EventIngested))
}

fn field(event: &Event<'_>, name: &FieldName<'_>, condition: &Condition) -> bool {
    with_value(event, name, condition, |value| condition.holds_field(value, event))
}

/// Hands the value that a condition over this field looks at to `look`; some are computed.
pub(crate) fn with_value<R>(
    event: &Event<'_>,
    name: &FieldName<'_>,
    condition: &Condition,
    look: impl FnOnce(Option<&Value<'_>>) -> R,
) -> R {
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
    look(value)
}

fn timestamp_value<'e>(event: &Event<'_>, condition: &Condition) -> Value<'e> {
    match condition {
        Condition::Number(..) => Value::Int(event.created().micros()),
        _ => Value::from(event.created().to_string()),
    }
}

pub(crate) fn any_value(value: &Value<'_>, condition: &Condition, event: &Event<'_>) -> bool {
    match value {
        // A list that has a value is not null.
        Value::List(values) if matches!(condition, Condition::Null) => {
            values.iter().all(|value| any_value(value, condition, event))
        }
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

    /// Whether a field of this value meets this condition: of a list, any of its values; `None` is
    /// a field that the event does not have.
    ///
    /// `event` answers [`Condition::SameAs`].
    pub fn holds_field(&self, value: Option<&Value<'_>>, event: &Event<'_>) -> bool {
        match (value, self) {
            (None, condition) => matches!(condition, Condition::Null),
            (Some(_), Condition::Exists) => true,
            (Some(value), condition) => any_value(value, condition, event),
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
            Condition::TimePart(part, comparison, right) => {
                let left = value.as_str().and_then(|text| part.of(text));
                left.is_some_and(|left| comparison.holds(f64::from(left), *right))
            }
            Condition::SameAs { field, any_before, any_after, cased } => {
                let same =
                    |other: &str| same_as(&value.to_text(), other, *any_before, *any_after, *cased);
                match field {
                    FieldName::Known(Field::Timestamp) => same(&event.created().to_string()),
                    FieldName::Known(Field::EventOriginal) => same(event.original()),
                    field => event.get_named(field).is_some_and(|other| any_text(other, &same)),
                }
            }
        }
    }
}

/// Whether the text of some value that is not null is such.
fn any_text(value: &Value<'_>, is_such: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::Null => false,
        Value::List(values) => values.iter().any(|value| any_text(value, is_such)),
        value => is_such(&value.to_text()),
    }
}

/// The number that [`Condition::Number`] compares: a number, text that is one (also hexadecimal behind
/// `0x`), or a time as its microseconds.
pub fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "compared as floating point by definition")]
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        Value::Text(text) => {
            text.parse().ok().or_else(|| hexadecimal(text)).or_else(|| time_number(text))
        }
        _ => None,
    }
}

/// The number of a text such as `0x17`, as Windows writes masks and codes.
#[expect(clippy::cast_precision_loss, reason = "compared as floating point by definition")]
fn hexadecimal(text: &str) -> Option<f64> {
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(digits, 16).ok().filter(|_| plain).map(|number| number as f64)
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

/// Whether a text holds an address of the network, set apart from other letters and digits.
fn has_address(text: &str, network: &IpNet) -> bool {
    let is_part = |character: char| character.is_ascii_hexdigit() || matches!(character, '.' | ':');
    text.split(|character| !is_part(character)).any(|part| {
        // A full stop or colon that ends the address belongs to the sentence around it, as does
        // `:22` behind an IPv4 address.
        let bare = part.trim_matches('.');
        let bare = bare.strip_suffix(':').unwrap_or(bare);
        let before_port = bare.split_once(':').map_or(bare, |(host, _)| host);
        [part, bare, before_port]
            .iter()
            .find_map(|part| address(part))
            .is_some_and(|address| network.contains(&address))
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Pattern;
    use crate::predicate::Comparison;
    use crate::regex::TextRegex;
    use crate::time::TimePart;

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
        let hour = |hour| Condition::TimePart(TimePart::Minute, Comparison::GreaterOrEqual, hour);
        assert!(holds(Field::Timestamp, hour(16.0)) && !holds(Field::Timestamp, hour(17.0)));
        assert!(!holds(Field::SourcePort, hour(0.0)) && !holds(Field::GroupName, hour(0.0)));
        let same = |cased| Condition::SameAs {
            field: Field::UserEffectiveName.into(),
            any_before: false,
            any_after: false,
            cased,
        };
        assert!(holds(Field::UserName, same(false)) && !holds(Field::UserName, same(true)));
    }

    #[test]
    fn other_fields_are_compared_value_by_value() {
        let same = |field: Field| Condition::SameAs {
            field: field.into(),
            any_before: false,
            any_after: false,
            cased: false,
        };
        let mut event = event();
        event.set(Field::GroupName, "iam");
        event.set(Field::EventType, "");
        event.set(Field::EventKind, "1970-01-01T00:16:40Z");
        event.set(Field::EventModule, "raw failed line");
        for (field, other, expected) in [
            (Field::GroupName, Field::EventCategory, true),
            (Field::EventCategory, Field::GroupName, true),
            (Field::EventType, Field::EventReason, false),
            (Field::EventReason, Field::EventReason, false),
            (Field::GroupName, Field::UserHash, false),
            (Field::EventKind, Field::Timestamp, true),
            (Field::EventModule, Field::EventOriginal, true),
        ] {
            let predicate = Predicate::field(field, same(other));
            assert_eq!(predicate.matches(&event), expected, "{field:?} {other:?}");
        }
    }

    #[test]
    fn a_list_is_null_where_nothing_in_it_is_a_value() {
        let text = || Value::from("x");
        for (list, expected) in [
            (vec![], true),
            (vec![Value::Null, Value::Null], true),
            (vec![Value::Null, text()], false),
            (vec![Value::List(vec![]), Value::List(vec![text()])], false),
        ] {
            let mut event = event();
            event.set(Field::UserName, Value::List(list));
            let null = Predicate::field(Field::UserName, Condition::Null);
            assert_eq!(null.matches(&event), expected, "{event:?}");
        }
    }

    #[test]
    fn so_many_of_the_choices_are_needed() {
        let choices = || [true, false, true].map(Predicate::Constant).to_vec();
        for (needed, expected) in [(0, true), (1, true), (2, true), (3, false), (9, false)] {
            assert_eq!(Predicate::AtLeast(needed, choices()).matches(&event()), expected);
        }
        assert!(Predicate::AtLeast(0, Vec::new()).matches(&event()));
    }

    #[test]
    fn addresses_are_found_in_raw_text() {
        let network = "10.0.0.0/8".parse().unwrap();
        for (text, expected) in [
            ("from 10.1.2.3 port 22", true),
            ("to 10.1.2.3:443.", true),
            ("[::ffff:10.1.2.3]", true),
            ("rhost=10.1.2.3.", true),
            ("from 110.1.2.3", false),
            ("version 10.1.2", false),
            ("from 192.0.2.1", false),
        ] {
            assert_eq!(has_address(text, &network), expected, "{text}");
        }
        assert!(has_address("peer fe80::1: gone", &"fe80::/10".parse().unwrap()));
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
