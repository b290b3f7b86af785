//! What a search with steps gives: the store counts, the steps behind shape the table.
//!
//! One step at most counts, over everything that the search finds, in one pass of the store; sorting
//! and cutting right behind it are the store's work too. Without such a step the rows are events.

mod cell;
mod events;
mod figures;
mod shape;
pub mod write;

use bergfried_event::{Timestamp, Value};
use bergfried_query::pipeline::Pipeline;
use bergfried_store::{Column, Explanation, Limits, Reader, StoreError};

pub use cell::csv_cell;

/// The most rows of an answer.
pub(crate) const MAX_ROWS: usize = bergfried_query::pipeline::MAX_ROWS;
/// The most rows of a timechart by a field: its buckets times the values that are told apart.
const MAX_CHART_ROWS: usize = 50_000;
/// The most values that a timechart tells apart; the others are counted together.
const MAX_SERIES: usize = 10;

/// What a search with steps gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The columns.
    pub columns: Vec<Column>,
    /// As many values as columns each. Times are microseconds since 1970-01-01 UTC.
    pub rows: Vec<Vec<Value<'static>>>,
    /// Whether rows were left out that nobody asked to be left out.
    pub more: bool,
    /// What was read for it.
    pub explanation: Explanation,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It would be too much. Less of it works.
    #[error("{0}")]
    TooMuch(String),
}

/// Runs a pipeline over the events from one time on and before another.
///
/// # Errors
/// Where the store cannot be read, it was told to stop, or the answer would be too large.
pub fn answer(
    reader: &Reader,
    pipeline: &Pipeline,
    times: (Timestamp, Timestamp),
    limits: &Limits,
) -> Result<Answer, QueryError> {
    match figures::figures(reader, pipeline, times, limits)? {
        Some(answer) => Ok(answer),
        None => events::rows(&reader.within(limits), pipeline, times),
    }
}

#[cfg(test)]
mod tests;
