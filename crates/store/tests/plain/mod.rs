//! The plain way to aggregate: one event after the other, every value kept.
#![allow(unreachable_pub, clippy::panic, reason = "a module of a test")]

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bergfried_store::{Aggregation, Figure, Key};

/// The rows of the aggregation over these events, and whether there are more.
pub fn aggregate(
    events: &[&Event<'_>],
    aggregation: &Aggregation,
) -> (Vec<Vec<Value<'static>>>, bool) {
    let mut groups: BTreeMap<Vec<Part>, Vec<&Event<'_>>> = BTreeMap::new();
    if aggregation.by.is_empty() {
        groups.insert(Vec::new(), Vec::new());
    }
    for event in events {
        for key in keys(event, &aggregation.by) {
            groups.entry(key).or_default().push(event);
        }
    }
    let row = |(key, events): (Vec<Part>, Vec<&Event<'_>>)| -> Vec<Value<'static>> {
        let figures = aggregation.figures.iter().map(|figure| tell(&events, figure));
        key.into_iter().map(Part::value).chain(figures).collect()
    };
    let mut rows: Vec<_> = groups.into_iter().map(row).collect();
    // Stable, and groups come in the order of their keys.
    rows.sort_by(|one, other| {
        let orders = aggregation.order.iter().map(|sort| {
            let order = compare(&one[sort.column], &other[sort.column]);
            let with_null = one[sort.column] == Value::Null || other[sort.column] == Value::Null;
            if sort.descending && !with_null { order.reverse() } else { order }
        });
        orders.fold(Ordering::Equal, Ordering::then)
    });
    let more = rows.len() > aggregation.limit;
    rows.truncate(aggregation.limit);
    (rows, more)
}

fn compare(one: &Value<'_>, other: &Value<'_>) -> Ordering {
    match (one, other) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        (one, other) => number(one).total_cmp(&number(other)),
    }
}

fn number(value: &Value<'_>) -> f64 {
    match value {
        Value::Int(number) => *number as f64,
        Value::Float(number) => *number,
        other => panic!("{other:?} is no number"),
    }
}

/// The value of one key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Time(Timestamp),
    Text(String),
}

impl Part {
    fn value(self) -> Value<'static> {
        match self {
            Part::Time(at) => Value::Int(at.micros()),
            Part::Text(text) => Value::from(text),
        }
    }
}

/// The groups that the event is in.
fn keys(event: &Event<'_>, by: &[Key]) -> Vec<Vec<Part>> {
    let mut keys = vec![Vec::new()];
    for key in by {
        let choices: Vec<Part> = match key {
            Key::Time(width) => vec![Part::Time(event.created().floor_to(*width))],
            Key::Field(field) => texts(event, field).into_iter().map(Part::Text).collect(),
        };
        let mut longer = Vec::new();
        for key in &keys {
            for choice in &choices {
                longer.push([key.as_slice(), std::slice::from_ref(choice)].concat());
            }
        }
        keys = longer;
    }
    keys
}

/// The different texts of the field's values.
pub fn texts(event: &Event<'_>, field: &FieldName<'_>) -> BTreeSet<String> {
    values(event, field).iter().map(|value| value.to_text().into_owned()).collect()
}

/// The values of the field, those of lists one by one, without null.
fn values(event: &Event<'_>, field: &FieldName<'_>) -> Vec<Value<'static>> {
    fn flatten(value: &Value<'_>) -> Vec<Value<'static>> {
        match value {
            Value::Null => Vec::new(),
            Value::List(values) => values.iter().flat_map(flatten).collect(),
            value => vec![value.clone().into_owned()],
        }
    }
    match field {
        FieldName::Known(Field::Timestamp) => vec![event.created().to_string().into()],
        FieldName::Known(Field::EventOriginal) => vec![event.original().to_owned().into()],
        name => event.get_named(name).map(flatten).unwrap_or_default(),
    }
}

/// The sum of the sizes of what a sum or a mean is made of; 0 of other figures, which are exact.
pub fn magnitude(events: &[&Event<'_>], figure: &Figure) -> f64 {
    match figure {
        Figure::Sum(field) | Figure::Avg(field) => numbers(events, field).map(f64::abs).sum(),
        _ => 0.0,
    }
}

fn numbers<'e>(
    events: &'e [&'e Event<'e>],
    field: &'e FieldName<'_>,
) -> impl Iterator<Item = f64> + 'e {
    let values = events.iter().flat_map(|event| values(event, field));
    let numbers = values.filter_map(|value| bergfried_query::number(&value));
    numbers.filter(|number| number.is_finite())
}

fn tell(events: &[&Event<'_>], figure: &Figure) -> Value<'static> {
    let Some(field) = figure.field() else { return Value::Int(events.len() as i64) };
    if let Figure::Distinct(_) = figure {
        let all: BTreeSet<String> = events.iter().flat_map(|event| texts(event, field)).collect();
        return Value::Int(all.len() as i64);
    }
    let mut numbers: Vec<f64> = numbers(events, field).collect();
    if numbers.is_empty() {
        return Value::Null;
    }
    numbers.sort_by(f64::total_cmp);
    let sum: f64 = numbers.iter().sum();
    let told = match figure {
        Figure::Sum(_) => sum,
        Figure::Avg(_) => sum / numbers.len() as f64,
        Figure::Min(_) => numbers[0],
        Figure::Max(_) => numbers[numbers.len() - 1],
        Figure::Percentile(_, share) => {
            let place = (share * numbers.len() as f64).ceil() as usize;
            numbers[place.max(1) - 1]
        }
        other => panic!("{other:?} was told before"),
    };
    if told.fract() == 0.0 && told.abs() < 9e15 {
        Value::Int(told as i64)
    } else {
        Value::Float(told)
    }
}
