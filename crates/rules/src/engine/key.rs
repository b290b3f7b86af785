//! What tells the groups of a correlation apart, and the values that it counts or adds up.

use std::borrow::Cow;
use std::fmt::Write as _;

use bergfried_event::{Event, Field, FieldName, Value};

use crate::rule::AnyName;

/// The most bytes of a value that are remembered; longer ones that begin alike are one.
const MAX_VALUE: usize = 256;

/// Writes the key of the event's group into `key`; false where the event lacks one of the fields.
pub(super) fn write_key(event: &Event<'_>, fields: &[AnyName], key: &mut String) -> bool {
    key.clear();
    for field in fields {
        let Some(text) = any_value(event, field) else { return false };
        // The length keeps `a`, `bc` and `ab`, `c` apart whatever the texts hold.
        if write!(key, "{}:{text}", text.len()).is_err() {
            return false;
        }
    }
    true
}

/// The values that a key was made of.
pub(super) fn values(key: &str) -> impl Iterator<Item = &str> {
    let mut rest = key;
    std::iter::from_fn(move || {
        let (length, after) = rest.split_once(':')?;
        let (text, next) = after.split_at_checked(length.parse().ok()?)?;
        rest = next;
        Some(text)
    })
}

/// The text of a field by the first of its names that has one, see [`value`].
pub(crate) fn any_value<'e>(event: &'e Event<'_>, field: &AnyName) -> Option<Cow<'e, str>> {
    let mut texts = field.0.iter().filter_map(|name| value(event, name));
    let first = texts.next()?;
    if first.is_empty() { texts.find(|text| !text.is_empty()).or(Some(first)) } else { Some(first) }
}

/// The text of a field to group by or to count; `None` where it is absent, null or empty. Lines of
/// a file that names no host are of one host all the same.
///
/// `source.ip` stands for `source.address` where the log has only a name.
pub(super) fn value<'e>(event: &'e Event<'_>, field: &FieldName<'_>) -> Option<Cow<'e, str>> {
    let found = match event.get_named(field) {
        None if *field == FieldName::Known(Field::SourceIp) => event.get(Field::SourceAddress),
        found => found,
    };
    let text = found.map(Value::to_text).map(cut).filter(|text| !text.is_empty());
    let is_host = *field == FieldName::Known(Field::HostName);
    text.or(is_host.then_some(Cow::Borrowed("")))
}

/// The number that a field holds, also one written as text; `None` where it holds none.
pub(super) fn number(event: &Event<'_>, field: &AnyName) -> Option<f64> {
    field.0.iter().find_map(|name| event.get_named(name).and_then(finite))
}

fn finite(value: &Value<'_>) -> Option<f64> {
    let number = match value {
        Value::Int(number) => *number as f64,
        Value::Float(number) => *number,
        Value::Text(text) => text.trim().parse().ok()?,
        Value::Null | Value::Bool(_) | Value::List(_) => return None,
    };
    number.is_finite().then_some(number)
}

fn cut(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.len() <= MAX_VALUE {
        return text;
    }
    let end = text.floor_char_boundary(MAX_VALUE);
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(..end).unwrap_or_default()),
        Cow::Owned(mut text) => {
            text.truncate(end);
            Cow::Owned(text)
        }
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::Timestamp;

    use super::*;

    fn known(field: Field) -> AnyName {
        AnyName(vec![field.into()])
    }

    #[test]
    fn the_first_name_with_a_value_counts() {
        let mut event = Event::new(Timestamp::from_seconds(0), "");
        let own = FieldName::Other("ComputerName".into());
        let names = AnyName(vec![Field::HostName.into(), own.clone()]);
        assert_eq!(any_value(&event, &names).as_deref(), Some(""), "no host is one");
        event.set(Field::HostName, "");
        assert_eq!(any_value(&event, &names).as_deref(), Some(""));
        event.set_named(own, Value::from("7"));
        assert_eq!(any_value(&event, &names).as_deref(), Some("7"));
        assert_eq!(number(&event, &names), Some(7.0));
        event.set(Field::HostName, "web1");
        assert_eq!(any_value(&event, &names).as_deref(), Some("web1"));
    }

    #[test]
    fn a_key_gives_its_values_back() {
        let mut event = Event::new(Timestamp::from_seconds(0), "");
        event.set(Field::UserName, "3:a:b");
        event.set(Field::SourceAddress, "ä:1");
        let fields = [Field::UserName, Field::HostName, Field::SourceIp].map(known);
        let mut key = String::new();
        assert!(write_key(&event, &fields, &mut key));
        assert_eq!(values(&key).collect::<Vec<_>>(), ["3:a:b", "", "ä:1"]);
        assert!(!write_key(&event, &[known(Field::GroupName)], &mut key));
    }

    #[test]
    fn numbers_may_be_text_but_must_be_finite() {
        let mut event = Event::new(Timestamp::from_seconds(0), "");
        let name = known(Field::SourcePort);
        for (value, expected) in [
            (Value::from(7), Some(7.0)),
            (Value::from(" -1.5 "), Some(-1.5)),
            (Value::from("inf"), None),
            (Value::from("NaN"), None),
            (Value::from("7 bytes"), None),
            (Value::from(true), None),
            (Value::Null, None),
            (Value::List(vec![7.into()]), None),
        ] {
            event.set(Field::SourcePort, value);
            assert_eq!(number(&event, &name), expected, "{:?}", event.get(Field::SourcePort));
        }
        assert_eq!(number(&event, &known(Field::UserName)), None);
    }
}
