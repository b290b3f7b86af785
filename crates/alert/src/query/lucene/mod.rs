//! The language of `q=`: words, phrases, wildcards, regexes and ranges, joined in Lucene's way.
//!
//! What it means, from the weakest bond to the strongest:
//! - `a OR b`, `a || b`: either.
//! - `a b`: either, but what is marked `+` must hold (then the unmarked means nothing) and what is
//!   marked `-`, `!` or `NOT` must not, so that `a NOT b` is `a` without `b`.
//! - `a AND b`, `a && b`: both.
//! - `field:word`, `field:"a phrase"`, `field:/regex/`, `field:[a TO b}`, `field:>=a`, `field:(a b)`;
//!   without a field, the default one; `_exists_:field` where it has any value.
//!
//! Case never matters, but in the elements of lists. A boost (`^2`) is read and means nothing, since
//! nothing is scored; a distance (`~2`) is refused.

mod cursor;
mod parse;
mod term;
#[cfg(test)]
mod tests;

use bergfried_event::Timestamp;

use super::error::QueryError;
use super::field::Field;
use super::test::Node;
use crate::model::Model;

/// The longest query, in bytes.
const MAX_LENGTH: usize = 4_096;

/// What a query is read with.
pub(super) struct Context<'a> {
    pub(super) model: &'a Model,
    pub(super) now: Timestamp,
}

/// Reads a query; words without a field are looked for in `default`.
pub(super) fn read(text: &str, default: &Field, context: &Context<'_>) -> Result<Node, QueryError> {
    if text.len() > MAX_LENGTH {
        return Err(QueryError::Search(format!("It is longer than {MAX_LENGTH} bytes.")));
    }
    parse::query(text, default, context)
}
