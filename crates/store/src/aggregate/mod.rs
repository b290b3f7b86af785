//! Figures over matching events, by groups.

mod dictionary;
mod execute;
mod figures;
mod groups;
mod numbers;
mod source;
mod table;

use bergfried_event::{FieldName, Timestamp};
use bergfried_query::Predicate;

pub(crate) use execute::{aggregate, aggregate_all};
pub use table::{Column, Kind, Sort, Table};

/// The most keys to group by.
pub const MAX_KEYS: usize = 4;

/// What to group, and what to say of each group.
#[derive(Clone, Debug)]
pub struct Aggregation {
    /// The events.
    pub predicate: Predicate,
    /// Events that happened at this time or later.
    pub from: Timestamp,
    /// Events that happened before this time; [`Timestamp::MAX`] is no end.
    pub to: Timestamp,
    /// What makes a group; at most [`MAX_KEYS`]. Without any, all events are the one group, also
    /// where there are none.
    pub by: Vec<Key>,
    /// What to say of each group.
    pub figures: Vec<Figure>,
    /// By which columns the rows are put in order, the first of them first. Rows that these leave
    /// equal are in the order of their keys, ascending.
    pub order: Vec<Sort>,
    /// The most rows.
    pub limit: usize,
}

/// What makes a group.
///
/// An event is in the group of each value of a list, once, and in none where it lacks the field or
/// the field is null.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// The text of the field's value.
    Field(FieldName<'static>),
    /// When it happened, in buckets of so many microseconds, aligned to the epoch.
    Time(i64),
}

/// What to say of a group.
///
/// Numbers are those of [`bergfried_query::number`] that are finite; times count as microseconds.
/// A list gives each of its values. Where there are none the figure is null (0 of counts).
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    /// How many events.
    Count,
    /// How many different values, told apart by their text.
    Distinct(FieldName<'static>),
    /// The sum of the numbers.
    Sum(FieldName<'static>),
    /// The mean of the numbers.
    Avg(FieldName<'static>),
    /// The least number.
    Min(FieldName<'static>),
    /// The greatest number.
    Max(FieldName<'static>),
    /// The least number that at least this share (0 to 1) of the numbers do not exceed.
    Percentile(FieldName<'static>, f64),
}
