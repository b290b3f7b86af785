//! In which order alerts are shown.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::error::{QueryError, shown};
use super::field::{Field, Held, Kind};
use super::glance::Glance;
use super::test::text_of;
use crate::alert::Alert;
use crate::model::Model;

/// One thing to sort by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The field.
    pub field: Field,
    /// Whether its highest value comes first.
    pub descending: bool,
}

impl SortKey {
    /// Reads a field's name; a time comes with its newest first, a `-` before the name reverses.
    pub(super) fn read(text: &str) -> Result<SortKey, QueryError> {
        let name = text.strip_prefix('-');
        let unsupported = || QueryError::Sort(shown(text));
        let field = Field::named(name.unwrap_or(text)).ok_or_else(unsupported)?;
        let descending = name.is_some() != (field.kind() == Kind::Time);
        Ok(SortKey { field, descending })
    }
}

/// A total order of alerts: by the keys, then by id.
pub(super) struct Order<'a> {
    keys: &'a [SortKey],
    model: &'a Model,
}

impl<'a> Order<'a> {
    pub(super) fn new(keys: &'a [SortKey], model: &'a Model) -> Order<'a> {
        Order { keys, model }
    }

    pub(super) fn compare(&self, one: &Alert, other: &Alert) -> Ordering {
        for key in self.keys {
            let order = match &key.field {
                Field::Severity => {
                    self.model.code(&one.severity).cmp(&self.model.code(&other.severity))
                }
                Field::PreviousSeverity => {
                    let code = |alert: &Alert| self.model.code(&alert.previous_severity);
                    code(one).cmp(&code(other))
                }
                Field::Status => one.status.code().cmp(&other.status.code()),
                field => compare(field.of(one), field.of(other)),
            };
            let order = if key.descending { order.reverse() } else { order };
            if order.is_ne() {
                return order;
            }
        }
        one.id.cmp(&other.id)
    }

    /// The first bits of what [`Order::compare`] compares: where two differ, so do the alerts, in
    /// the same direction.
    pub(super) fn lead(&self, alert: &Alert, glance: &Glance) -> u128 {
        let mut lead = 0_u128;
        let mut room = 128_u32;
        for key in self.keys {
            let (bits, width, whole) = match &key.field {
                Field::Severity => (glance.code.into(), 16, true),
                Field::LastReceiveTime => (flip_sign(glance.last_receive_time.micros()), 64, true),
                Field::CreateTime => (flip_sign(glance.create_time.micros()), 64, true),
                Field::DuplicateCount => (glance.duplicate_count, 64, true),
                Field::Status => (u64::from(glance.status.code() as u32) & 0xff, 8, true),
                field => match self.bits_of(field, alert) {
                    Some(bits) => bits,
                    None => break,
                },
            };
            let bits = if key.descending { !bits & (u64::MAX >> (64 - width)) } else { bits };
            let fits = width.min(room);
            room -= fits;
            lead |= u128::from(bits >> (width - fits)) << room;
            if !whole || room == 0 {
                break;
            }
        }
        lead
    }

    /// The first bits of a field that only the alert itself knows, how many they are, and whether they
    /// are all of it.
    ///
    /// Never inlined: the compiler would fetch the alert before it knows whether it has to, and that
    /// is nearly all the time that a page takes.
    #[inline(never)]
    fn bits_of(&self, field: &Field, alert: &Alert) -> Option<(u64, u32, bool)> {
        match field {
            Field::PreviousSeverity => {
                Some((self.model.code(&alert.previous_severity).into(), 16, true))
            }
            // What may be absent has no number to begin with.
            Field::Value | Field::RawData | Field::Customer => None,
            field => match field.of(alert) {
                Held::Time(time) => Some((flip_sign(time.micros()), 64, true)),
                Held::Number(number) => Some((number, 64, true)),
                Held::Flag(flag) => Some((flag.into(), 1, true)),
                Held::Text(text) => Some((first_bytes(text), 64, false)),
                Held::Nothing | Held::List(_) | Held::Any(_) => None,
            },
        }
    }
}

/// A signed number as an unsigned one in the same order.
fn flip_sign(number: i64) -> u64 {
    number.cast_unsigned() ^ (1 << 63)
}

/// The first eight bytes of a text, as a number in the order of the texts.
fn first_bytes(text: &str) -> u64 {
    let mut first = [0; 8];
    for (to, from) in first.iter_mut().zip(text.bytes()) {
        *to = from;
    }
    u64::from_be_bytes(first)
}

/// Numbers before texts before everything else before nothing.
fn compare(one: Held<'_>, other: Held<'_>) -> Ordering {
    match (one, other) {
        (Held::Text(one), Held::Text(other)) => one.cmp(other),
        (Held::List(one), Held::List(other)) => one.cmp(other),
        (Held::Number(one), Held::Number(other)) => one.cmp(&other),
        (Held::Time(one), Held::Time(other)) => one.cmp(&other),
        (Held::Flag(one), Held::Flag(other)) => one.cmp(&other),
        (Held::Any(one), Held::Any(other)) => compare_values(one, other),
        (one, other) => matches!(one, Held::Nothing).cmp(&matches!(other, Held::Nothing)),
    }
}

fn compare_values(one: &Value, other: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        _ => 2,
    };
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let number = |number: &serde_json::Number| number.as_f64().unwrap_or(f64::MAX);
            number(one).total_cmp(&number(other))
        }
        _ => {
            let text = |value| -> Cow<'_, str> { text_of(value) };
            rank(one).cmp(&rank(other)).then_with(|| text(one).cmp(&text(other)))
        }
    }
}
