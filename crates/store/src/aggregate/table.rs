//! What an aggregation gives.

use std::cmp::Ordering;

use bergfried_event::{Field, FieldName, Value};

use super::{Aggregation, Figure, Key, MAX_KEYS};
use crate::error::StoreError;
use crate::explain::Explanation;

/// Rows of keys and figures.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Keys first, then figures, in the order of the aggregation.
    pub columns: Vec<Column>,
    /// As many values as columns each.
    pub rows: Vec<Vec<Value<'static>>>,
    /// Whether the limit left out rows.
    pub more: bool,
    /// What was read for it.
    pub explanation: Explanation,
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The field of a key, `time`, or the figure as it is typed, such as `avg(event.duration)`.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
    /// Whether values may be off by up to 1 percent: percentiles of too many different numbers.
    pub approximate: bool,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`Value::Text`].
    Text,
    /// [`Value::Int`] where it is whole, else [`Value::Float`]; [`Value::Null`] where there is none.
    Number,
    /// [`Value::Int`], microseconds since 1970-01-01 UTC; [`Value::Null`] where there is none.
    Time,
}

/// A column by which rows are put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// Its number among the table's columns.
    pub column: usize,
    /// The greatest first; null is last either way.
    pub descending: bool,
}

impl Aggregation {
    /// The columns of the table that this gives.
    pub fn columns(&self) -> Vec<Column> {
        let exact = |name: String, kind| Column { name, kind, approximate: false };
        let keys = self.by.iter().map(|key| match key {
            Key::Field(field) => exact(field.as_str().to_owned(), Kind::Text),
            Key::Time(_) => exact("time".to_owned(), Kind::Time),
        });
        keys.chain(self.figures.iter().map(|figure| exact(figure.name(), figure.kind()))).collect()
    }

    /// # Errors
    /// Where there are too many keys, a bucket without width, or an order by what is no column.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let wrong = |reason: String| Err(StoreError::Aggregation(reason));
        if self.by.len() > MAX_KEYS {
            return wrong(format!("{} keys, expected at most {MAX_KEYS}", self.by.len()));
        }
        if self.by.iter().any(|key| matches!(key, Key::Time(width) if *width <= 0)) {
            return wrong("a bucket of time without width".to_owned());
        }
        let columns = self.by.len() + self.figures.len();
        match self.order.iter().find(|sort| sort.column >= columns) {
            Some(sort) => wrong(format!("an order by column {} of {columns}", sort.column)),
            None => Ok(()),
        }
    }

    /// Whether both look at the same events.
    pub(super) fn is_over_the_events_of(&self, other: &Aggregation) -> bool {
        (self.from, self.to) == (other.from, other.to) && self.predicate == other.predicate
    }

    /// The field whose most frequent values are asked for, where that is all.
    pub(super) fn most_frequent(&self) -> Option<&FieldName<'static>> {
        match (self.by.as_slice(), self.figures.as_slice(), self.order.as_slice()) {
            ([Key::Field(field)], [Figure::Count], [Sort { column: 1, descending: true }]) => {
                Some(field)
            }
            _ => None,
        }
    }

    /// Puts rows in the order asked for and cuts them; whether any were cut.
    pub(super) fn arrange(&self, rows: &mut Vec<Vec<Value<'static>>>) -> bool {
        let keys = self.by.len();
        let order = |one: &Vec<Value<'_>>, other: &Vec<Value<'_>>| {
            let sorted = self.order.iter().map(|sort| {
                let pair = (one.get(sort.column), other.get(sort.column));
                compare(pair.0, pair.1, sort.descending)
            });
            let by_keys = (0..keys).map(|key| compare(one.get(key), other.get(key), false));
            sorted.chain(by_keys).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        };
        let more = rows.len() > self.limit;
        if more && self.limit > 0 {
            rows.select_nth_unstable_by(self.limit, order);
        }
        rows.truncate(self.limit);
        rows.sort_unstable_by(order);
        more
    }
}

impl Figure {
    /// The field that it looks at.
    pub fn field(&self) -> Option<&FieldName<'static>> {
        match self {
            Figure::Count => None,
            Figure::Distinct(field)
            | Figure::Sum(field)
            | Figure::Avg(field)
            | Figure::Min(field)
            | Figure::Max(field)
            | Figure::Percentile(field, _) => Some(field),
        }
    }

    fn name(&self) -> String {
        match self {
            Figure::Count => "count".to_owned(),
            Figure::Distinct(field) => format!("distinct({field})"),
            Figure::Sum(field) => format!("sum({field})"),
            Figure::Avg(field) => format!("avg({field})"),
            Figure::Min(field) => format!("min({field})"),
            Figure::Max(field) => format!("max({field})"),
            Figure::Percentile(field, share) => format!("p{}({field})", share * 100.0),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Figure::Min(field) | Figure::Max(field) | Figure::Percentile(field, _)
                if is_time(field) =>
            {
                Kind::Time
            }
            _ => Kind::Number,
        }
    }
}

/// Whether the values of the field are times that the store keeps.
fn is_time(field: &FieldName<'_>) -> bool {
    matches!(field, FieldName::Known(Field::Timestamp | Field::EventIngested))
}

/// The order of two values of one column.
fn compare(one: Option<&Value<'_>>, other: Option<&Value<'_>>, descending: bool) -> Ordering {
    let (Some(one), Some(other)) = (one, other) else { return Ordering::Equal };
    let order = match (one, other) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => return Ordering::Greater,
        (_, Value::Null) => return Ordering::Less,
        (Value::Int(one), Value::Int(other)) => one.cmp(other),
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        (one, other) => {
            let number = |value| bergfried_query::number(value).unwrap_or(f64::NAN);
            number(one).total_cmp(&number(other))
        }
    };
    if descending { order.reverse() } else { order }
}
