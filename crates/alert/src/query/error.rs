//! Why a question cannot be answered.

use thiserror::Error;

/// A question that means nothing; the caller is at fault, and asking again does not help.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QueryError {
    /// A parameter that is no field of an alert.
    #[error("Invalid filter parameter: {0}")]
    UnknownParameter(String),
    /// A field that nothing can be sorted by.
    #[error("Sorting by '{0}' field not supported.")]
    Sort(String),
    /// A field that nothing can be grouped by.
    #[error("Grouping by '{0}' field not supported.")]
    Group(String),
    /// A value that the field cannot have.
    #[error("cannot read `{value}` as `{parameter}`: expected {expected}")]
    Value {
        /// The parameter or field.
        parameter: String,
        /// The value as given, cut to a length.
        value: String,
        /// What it should have been.
        expected: &'static str,
    },
    /// A regex that is none, or one that would be too large.
    #[error("cannot use `{value}` as a regular expression for `{parameter}`: {reason}")]
    Regex {
        /// The parameter or field.
        parameter: String,
        /// The expression as given, cut to a length.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A `q=` that cannot be read.
    #[error("Failed to parse query string. {0}")]
    Search(String),
    /// More parameters than anyone asks with.
    #[error("cannot filter by more than {0} parameters")]
    TooMany(usize),
    /// More `~` than anyone asks with.
    #[error("cannot filter by more than {0} expressions that begin with `~`")]
    TooManyExpressions(usize),
    /// More `q=` than anyone asks with.
    #[error("cannot search by more than {0} `q`")]
    TooManySearches(usize),
}

/// The longest part of what was asked that an error repeats, in characters.
const SHOWN: usize = 80;

/// What was asked, for an error: neutralised and cut.
pub(super) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

pub(super) fn value(parameter: &str, given: &str, expected: &'static str) -> QueryError {
    QueryError::Value { parameter: shown(parameter), value: shown(given), expected }
}
