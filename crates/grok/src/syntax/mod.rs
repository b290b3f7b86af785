//! Expressions as text → as a tree.
//!
//! Oniguruma's syntax as Ruby configures it, with grok's `%{SYNTAX:semantic:type}`. What has no
//! place in a grok expression (recursion, conditions, absence) is refused by name.

mod class;
mod cursor;
mod escape;
mod group;
mod parser;
mod reference;
mod tree;

pub(crate) use parser::{Parsed, Settings, parse};
pub(crate) use tree::{Assertion, Kind, Node, width};
