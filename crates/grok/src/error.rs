//! What can be wrong with an expression or a definition.

use std::fmt;

/// Where in an expression a mistake is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The definition that has the mistake; none: the expression itself.
    pub pattern: Option<String>,
    /// Which character it is at, counted from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.pattern {
            Some(pattern) => write!(f, "column {} of the pattern {pattern}", self.column),
            None => write!(f, "column {}", self.column),
        }
    }
}

/// Why an expression cannot be compiled, or a definition not be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrokError {
    /// A name that nothing defines.
    #[error("no pattern is named {name} ({place}){}", nearest.as_ref().map(|near| format!(", did you mean {near}?")).unwrap_or_default())]
    UnknownPattern {
        /// The name as written.
        name: String,
        /// The defined name that is most like it.
        nearest: Option<String>,
        /// Where it is used.
        place: Place,
    },
    /// A definition that uses itself.
    #[error("the pattern {name} uses itself ({place})")]
    Recursion {
        /// The name of the definition.
        name: String,
        /// Where it is used again.
        place: Place,
    },
    /// More than [`crate::Options::max_size`] allows once all names are replaced.
    #[error("the expression is too large when its patterns are put in ({place})")]
    TooLarge {
        /// How far reading came.
        place: Place,
    },
    /// Not a regular expression that can be followed here.
    #[error("{message} ({place})")]
    Syntax {
        /// What is wrong.
        message: String,
        /// Where.
        place: Place,
    },
    /// A line of a pattern file that is no definition.
    #[error("line {line}: {message}")]
    Definition {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}
