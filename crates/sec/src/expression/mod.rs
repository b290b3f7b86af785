//! Expressions in rules: what rules of SEC use Perl for, without Perl.
//!
//! `expr( … )` in a context expression, `ptype=Expr` and the action `let %name (…)` hold one. It is
//! read once, when the rule is loaded; values of variables are values and never become part of the
//! program. Its length, its depth and its work are bounded, and it never fails: a part that cannot be
//! worked out has no value, and [`Scope::failed`] is told why.

mod evaluate;
mod failure;
mod functions;
mod hints;
mod json;
mod mistake;
mod number;
mod parser;
mod sets;
mod tables;
#[cfg(test)]
mod tests;
mod tree;
mod value;
mod variable;

use std::borrow::Cow;

use jiff::tz::TimeZone;

pub use crate::template::{Name, Variable};
pub use failure::Failure;
pub use hints::instead_of_perl;
pub use mistake::Mistake;
pub use number::Number;
pub use sets::Sets;
pub use tables::Tables;
pub use value::Value;

use evaluate::Evaluation;
use parser::Parser;
use tree::Node;

/// An expression, read and ready.
#[derive(Debug, Clone)]
pub struct Expression {
    root: Node,
}

/// What an expression sees of the engine.
pub trait Scope {
    /// The value of a variable, where it is set.
    fn variable(&self, variable: &Variable) -> Option<Cow<'_, [u8]>>;

    /// A field of the event by its name, where the event has it.
    fn field(&self, name: &str) -> Option<Vec<u8>>;

    /// Whether a context is there; one whose time is over may end by being asked for.
    fn exists(&mut self, context: &[u8]) -> bool;

    /// The named sets of `distinct` and `count`.
    fn sets(&mut self) -> &mut Sets;

    /// The time zone of `hour`, `minute` and `weekday`.
    fn time_zone(&self) -> &TimeZone;

    /// A part has no value, for this reason.
    fn failed(&mut self, failure: Failure);
}

impl Expression {
    /// Reads an expression; tables that it names are read with it.
    pub fn parse(text: &str, tables: &mut Tables<'_>) -> Result<Self, Mistake> {
        Ok(Self { root: Parser::read(text, tables)? })
    }

    /// What it gives at a time, in seconds since 1970.
    pub fn evaluate(&self, scope: &mut dyn Scope, now: i64) -> Value<'_> {
        Evaluation::new(scope, now).value(&self.root)
    }

    /// The variables in it, in their order; one that stands twice comes twice.
    pub fn variables(&self) -> Vec<&Variable> {
        let mut variables = Vec::new();
        self.root.each(&mut |node| {
            if let Node::Variable(variable) = node {
                variables.push(variable);
            }
        });
        variables
    }

    /// The contexts that it asks for by a name without variables.
    pub fn contexts(&self) -> Vec<&[u8]> {
        let mut contexts = Vec::new();
        self.root.each(&mut |node| {
            if let Node::Exists(name) = node {
                contexts.extend(name.constant());
            }
        });
        contexts
    }

    /// The fields of the event that it reads.
    pub fn fields(&self) -> Vec<&str> {
        let mut fields = Vec::new();
        self.root.each(&mut |node| {
            if let Node::Field(name) = node {
                fields.push(&**name);
            }
        });
        fields
    }
}
