//! The search language: what people type, read into a [`Predicate`].
//!
//! ```text
//! failed password                  both words, anywhere in the message, in any case
//! "failed password"                the phrase
//! user:root source.ip:10.0.0.0/8   fields by ECS name or short alias; networks; all must hold
//! user:(root OR admin*) -host:lab  groups, wildcards * and ?, NOT or - or !
//! source.port:>1024                < <= > >=, or ranges [1 TO 1024] and {1 TO 1024}
//! @timestamp:>now-1h               times: RFC 3339, a date, now, now-30m (s m h d w)
//! _exists_:user.name               the field is there; also user.name:*
//! message:/pre(auth|session)/      a regular expression, linear time
//! ```
//!
//! Words next to each other mean `AND`; `OR` binds weaker than `AND`, `NOT` strongest. `AND`, `OR`
//! and `NOT` are written in capitals, as in Lucene's query parser syntax. A bar (`|`) that stands
//! alone, begins or ends a word, or stands right before a step that counts, begins the steps of a
//! [`pipeline`](crate::pipeline).

mod lex;
mod parse;
mod value;

pub(crate) use parse::field_at;
pub use value::duration;

use bergfried_event::Timestamp;

use crate::predicate::Predicate;

/// The longest search text, in bytes.
pub const MAX_LENGTH: usize = 16 * 1024;
/// The deepest nesting of parentheses and negations.
pub const MAX_DEPTH: usize = 64;

/// A search that cannot be read: where and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SearchError {
    /// The byte at which the offending part starts.
    pub offset: usize,
    /// The offending part's length in bytes; zero at the end of the text.
    pub length: usize,
    /// What is wrong, what was expected, and the nearest valid word where there is one.
    pub message: String,
}

impl SearchError {
    /// The message with the search text under it and a caret under the offending place.
    ///
    /// `text` is the text that was searched for; control characters in it are shown as `·`.
    pub fn render(&self, text: &str) -> String {
        let shown: String = text.chars().map(|c| if c.is_control() { '·' } else { c }).collect();
        let column = text.get(..self.offset).unwrap_or(text).chars().count();
        let width = text
            .get(self.offset..self.offset + self.length)
            .map_or(1, |part| part.chars().count().max(1));
        format!("{}\n  {shown}\n  {}{}", self.message, " ".repeat(column), "^".repeat(width))
    }
}

/// Reads a search; the empty text finds everything. `now` is what `now-1h` counts from.
///
/// # Errors
/// Where the text is not in the language; the error names the place and what was expected there.
pub fn parse(text: &str, now: Timestamp) -> Result<Predicate, SearchError> {
    parse_with(text, now, &[])
}

/// As [`parse`], over things that have the fields `also` besides those of events.
///
/// # Errors
/// As [`parse`].
pub fn parse_with(text: &str, now: Timestamp, also: &[&str]) -> Result<Predicate, SearchError> {
    check_length(text)?;
    parse::Parser::new(text, now, also).read()
}

/// As [`parse`], up to the first bar; also gives the byte at which that stands.
pub(crate) fn parse_to_bar(
    text: &str,
    now: Timestamp,
) -> Result<(Predicate, Option<usize>), SearchError> {
    check_length(text)?;
    parse::Parser::new(text, now, &[]).read_to_bar()
}

fn check_length(text: &str) -> Result<(), SearchError> {
    if text.len() > MAX_LENGTH {
        return Err(SearchError {
            offset: 0,
            length: 0,
            message: format!("the search is longer than {MAX_LENGTH} bytes"),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
