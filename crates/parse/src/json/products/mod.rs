//! Objects that a known program writes: told by the names that it always uses, and given the fields of
//! ECS beside its own. One file for each, one line each in [`PRODUCTS`].

mod docker;
mod falco;
mod macos;
mod pihole;
mod snort;
mod suricata;
mod web;

use bergfried_event::{Event, Field, FieldName, Value};

use super::time;
use crate::syslog::SEVERITIES;

/// A reader of an object, which may have said when it happened: true where it was this program's.
type Complete = fn(&mut Event<'_>, bool) -> bool;

const PRODUCTS: &[Complete] = &[
    falco::complete,
    suricata::complete,
    snort::complete,
    docker::complete,
    pihole::complete,
    web::complete,
    macos::complete,
];

/// Completes the event of a known program.
pub(super) fn complete(event: &mut Event<'_>, has_time: bool) -> bool {
    PRODUCTS.iter().any(|complete| complete(event, has_time))
}

fn name(name: &str) -> FieldName<'_> {
    FieldName::Other(name.into())
}

/// The value of a field by the name that the object gives it.
fn get<'e, 'a>(event: &'e Event<'a>, path: &str) -> Option<&'e Value<'a>> {
    event.get_named(&name(path))
}

fn text<'e>(event: &'e Event<'_>, path: &str) -> Option<&'e str> {
    get(event, path).and_then(Value::as_str)
}

/// Whether a value says nothing: null, empty, or what programs write for nothing.
fn is_nothing(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => matches!(text.as_ref(), "" | "<NA>" | "-" | "N/A"),
        Value::List(list) => list.is_empty(),
        _ => false,
    }
}

/// Sets a field of ECS unless the event has it, or there is nothing to set.
fn set_missing<'a>(event: &mut Event<'a>, path: &'static str, value: impl Into<Value<'a>>) {
    let (field, value) = (FieldName::new(path), value.into());
    if !is_nothing(&value) && event.get_named(&field).is_none() {
        event.push_named(field, value);
    }
}

/// Copies fields of the object to those of ECS.
fn copy(event: &mut Event<'_>, pairs: &[(&str, &'static str)]) {
    for (from, to) in pairs {
        if let Some(value) = get(event, from) {
            let value = value.clone();
            set_missing(event, to, value);
        }
    }
}

/// As [`copy`], to fields that are text: numbers become their digits.
fn copy_as_text(event: &mut Event<'_>, pairs: &[(&str, &'static str)]) {
    for (from, to) in pairs {
        if let Some(value) = get(event, from) {
            let value = match value {
                Value::Int(number) => Value::from(number.to_string()),
                value => value.clone(),
            };
            set_missing(event, to, value);
        }
    }
}

/// Takes the time of a count since 1970, in whatever unit.
fn set_created(event: &mut Event<'_>, path: &str) {
    if let Some(Value::Int(count)) = get(event, path)
        && let Some(created) = time::epoch(*count)
    {
        event.set_created(created);
    }
}

/// How bad a program says that it is, by its number in syslog.
fn set_level(event: &mut Event<'_>, code: u8) {
    if let Some(word) = SEVERITIES.get(usize::from(code)) {
        event.set(Field::LogLevel, *word);
        event.set(Field::EventSeverity, i64::from(code));
    }
}

fn words(words: &[&'static str]) -> Value<'static> {
    match words {
        [word] => Value::from(*word),
        words => Value::List(words.iter().map(|word| Value::from(*word)).collect()),
    }
}

#[cfg(test)]
mod tests;
