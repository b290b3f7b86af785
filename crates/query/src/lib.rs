//! One predicate, many uses: the condition of a rule, a search, a route or an exception.
//!
//! [`Predicate`] is the shared tree; [`Predicate::matches`] evaluates it over one event in memory by
//! a plain walk that stays the reference for every faster way; [`Predicate::explain`] says why it
//! holds or does not; [`search`] reads the language that people type, [`pipeline`] the steps that may
//! follow. Nothing here does I/O or reads a clock.

mod evaluate;
mod explain;
mod needles;
mod pattern;
pub mod pipeline;
mod predicate;
mod regex;
pub mod search;
mod show;
mod time;
pub mod tokens;
mod words;

pub use evaluate::{is_added_by_store, number};
pub use explain::{Explanation, Node};
pub use pattern::{DASHES, Part, Pattern, fold};
pub use predicate::{Comparison, Condition, Predicate, Target};
pub use regex::{Classes, RegexError, TextRegex};
pub use time::TimePart;
