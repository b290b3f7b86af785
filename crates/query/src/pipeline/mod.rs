//! Pipelines: a search, then steps that make a table of what it finds.
//!
//! ```text
//! failed | top source.ip                        the values that occur most, with their counts
//! failed | rare 5 user.name                     those that occur least
//! event.outcome:failure | count by user, host   how many events each pair of values has
//! * | timechart 1m by event.action              counts over time, a column of values beside
//! * | stats count, distinct(user), p95(event.duration) by host | sort -count | head 5
//! failed | fields user, source.ip | head 20     of events themselves, the latest first
//! ```
//!
//! At most one step counts (`top`, `rare`, `count`, `timechart`, `stats`), and it comes first, because
//! it counts everything that the search finds; `sort`, `head` and `fields` then shape its table. A
//! text without steps is the search that it always was. Nothing is counted here: a [`Pipeline`] says
//! what is wanted, the store does it.

mod complete;
mod lex;
mod read;
mod show;

use bergfried_event::{FieldName, Timestamp};

pub use complete::{Completion, Wanted, complete};

use crate::predicate::Predicate;
use crate::search::{SearchError, parse_to_bar};

/// The most steps of a pipeline.
pub const MAX_STEPS: usize = 16;
/// The most fields that a step groups by, or that `fields` and `sort` name.
pub const MAX_FIELDS: usize = 16;
/// The most fields to group by.
pub const MAX_KEYS: usize = 4;
/// The most figures of `stats`.
pub const MAX_FIGURES: usize = 16;
/// The most rows that `top`, `rare` and `head` may ask for.
pub const MAX_ROWS: usize = 10_000;
/// How many rows `top`, `rare` and `head` give where nothing says it.
pub const DEFAULT_ROWS: usize = 10;

/// What a person typed: a search and the steps behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// Which events.
    pub predicate: Predicate,
    /// The text of the search, without the steps.
    pub search: String,
    /// What is made of the events; none where the text has no bar.
    pub steps: Vec<Step>,
}

/// One step of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// The values (or the combinations of values) that most events have, most first.
    Top {
        /// At most so many rows.
        limit: usize,
        /// The fields, at least one.
        fields: Vec<FieldName<'static>>,
    },
    /// The values that fewest events have, fewest first.
    Rare {
        /// At most so many rows.
        limit: usize,
        /// The fields, at least one.
        fields: Vec<FieldName<'static>>,
    },
    /// How many events there are, for each combination of these fields' values.
    Count {
        /// The fields; none counts all in one row.
        by: Vec<FieldName<'static>>,
    },
    /// How many events there are in each bucket of time.
    Timechart {
        /// The width of a bucket in microseconds, more than 0.
        span: i64,
        /// Counted for each value of this field.
        by: Option<FieldName<'static>>,
    },
    /// Figures over the events, for each combination of these fields' values.
    Stats {
        /// What is worked out, at least one.
        figures: Vec<Figure>,
        /// The fields; none makes one row.
        by: Vec<FieldName<'static>>,
    },
    /// These columns alone, in this order.
    Fields(Vec<String>),
    /// The rows in this order.
    Sort(Vec<SortKey>),
    /// The first rows.
    Head(usize),
}

impl Step {
    /// The word that names the step.
    pub fn name(&self) -> &'static str {
        match self {
            Step::Top { .. } => "top",
            Step::Rare { .. } => "rare",
            Step::Count { .. } => "count",
            Step::Timechart { .. } => "timechart",
            Step::Stats { .. } => "stats",
            Step::Fields(_) => "fields",
            Step::Sort(_) => "sort",
            Step::Head(_) => "head",
        }
    }

    /// Whether the step counts events; what else there is shapes a table.
    pub fn counts(&self) -> bool {
        !matches!(self, Step::Fields(_) | Step::Sort(_) | Step::Head(_))
    }

    /// The names of the columns that this step makes of events; none where it keeps those it is given.
    pub fn columns(&self) -> Option<Vec<String>> {
        let named = |fields: &[FieldName<'static>]| -> Vec<String> {
            fields.iter().map(|field| field.as_str().to_owned()).collect()
        };
        let mut columns = match self {
            Step::Top { fields, .. } | Step::Rare { fields, .. } => named(fields),
            Step::Count { by } => named(by),
            Step::Timechart { by, .. } => {
                let mut columns = vec![TIME.to_owned()];
                columns.extend(by.iter().map(|field| field.as_str().to_owned()));
                columns
            }
            Step::Stats { figures, by } => {
                let mut columns = named(by);
                columns.extend(figures.iter().map(Figure::to_string));
                return Some(columns);
            }
            Step::Fields(columns) => return Some(columns.clone()),
            Step::Sort(_) | Step::Head(_) => return None,
        };
        columns.push(COUNT.to_owned());
        Some(columns)
    }
}

/// The column of times that `timechart` makes.
pub const TIME: &str = "time";
/// The column of counts.
pub const COUNT: &str = "count";

/// A column to sort by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The name of the column.
    pub column: String,
    /// The greatest first.
    pub descending: bool,
}

/// A figure over events.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    /// How many events.
    Count,
    /// How many different values.
    Distinct(FieldName<'static>),
    /// The sum of the numbers.
    Sum(FieldName<'static>),
    /// Their mean.
    Avg(FieldName<'static>),
    /// The least of them.
    Min(FieldName<'static>),
    /// The greatest.
    Max(FieldName<'static>),
    /// The number that so many hundredths of them do not exceed.
    Percentile(FieldName<'static>, u8),
}

/// The functions of `stats` that take a field.
pub const FUNCTIONS: &[&str] =
    &["distinct", "sum", "avg", "min", "max", "p50", "p90", "p95", "p99"];
/// The words that begin a step which counts.
const STEPS_THAT_COUNT: [&str; 5] = ["top", "rare", "count", "timechart", "stats"];
/// The words that begin a step, with what each needs.
pub const STEPS: &[(&str, &str)] = &[
    ("top", "[N] FIELD, …"),
    ("rare", "[N] FIELD, …"),
    ("count", "[by FIELD, …]"),
    ("timechart", "SPAN [by FIELD]"),
    ("stats", "FUNCTION, … [by FIELD, …]"),
    ("fields", "FIELD, …"),
    ("sort", "[-]FIELD [desc], …"),
    ("head", "[N]"),
];

/// Whether the bar before this text begins a step although it stands within a word, as in
/// `failed|top user`.
///
/// Steps that shape a table stand behind others and are named as programs of the shell are, so
/// `cat|sort` stays a word.
pub(crate) fn begins_step(behind: &str) -> bool {
    let word = behind.split(|c: char| c == '|' || c.is_whitespace()).next();
    word.is_some_and(|word| STEPS_THAT_COUNT.contains(&word))
}

/// Reads a search with its steps. `now` is what `now-1h` counts from.
///
/// # Errors
/// Where the text is not in the language; the error names the place in the whole text and what was
/// expected there.
pub fn parse(text: &str, now: Timestamp) -> Result<Pipeline, SearchError> {
    let (predicate, bar) = parse_to_bar(text, now)?;
    let Some(bar) = bar else {
        return Ok(Pipeline { predicate, search: text.trim().to_owned(), steps: Vec::new() });
    };
    let search = text.get(..bar).unwrap_or_default().trim().to_owned();
    Ok(Pipeline { predicate, search, steps: read::steps(text, bar)? })
}

#[cfg(test)]
mod tests;
