//! Logstash's configuration language as a tree with places: sections, plugins, settings, branches.
//!
//! Written from Logstash's public reference ("Structure of a pipeline", "Event data and fields",
//! "Using environment variables"). Nothing here knows what a plugin does.

mod condition;
mod read;
mod value;

use std::fmt;

pub use read::{MAX_DEPTH, MAX_LENGTH, parse};

/// Where something stands in the file that was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The number of the file among those that were read together, from 0.
    pub file: usize,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

/// The sections of one or more files, those of the same kind put together in their order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pipeline {
    /// What stands in `input { … }`.
    pub inputs: Vec<Item>,
    /// What stands in `filter { … }`.
    pub filters: Vec<Item>,
    /// What stands in `output { … }`.
    pub outputs: Vec<Item>,
}

impl Pipeline {
    /// Puts the sections of another file behind those of this one, as Logstash does with the files
    /// of a directory.
    pub fn append(&mut self, mut other: Pipeline) {
        self.inputs.append(&mut other.inputs);
        self.filters.append(&mut other.filters);
        self.outputs.append(&mut other.outputs);
    }
}

/// One element of a section.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// `name { … }`
    Plugin(Plugin),
    /// `if … { … } else if … { … } else { … }`
    Branch(Branch),
}

/// A plugin and its settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Plugin {
    /// Where its name stands.
    pub place: Place,
    /// Its name, such as `grok`.
    pub name: String,
    /// Its settings in their order; a name may come several times.
    pub settings: Vec<Setting>,
}

/// One `name => value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Where its name stands.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub kind: ValueKind,
}

/// What a setting can be set to.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueKind {
    /// A text in quotation marks; a backslash in it stands for itself.
    Text(String),
    /// A word without quotation marks.
    Word(String),
    /// A number as it is written.
    Number(String),
    /// `[a, b]`
    Array(Vec<Value>),
    /// `{ a => b }`
    Hash(Vec<(Value, Value)>),
    /// A plugin within a setting, such as a codec.
    Plugin(Plugin),
}

/// A chain of conditions, the first of which that holds decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// `if` and each `else if`; at least one.
    pub arms: Vec<Arm>,
    /// What stands in `else`.
    pub otherwise: Vec<Item>,
}

/// A condition and what is done where it holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    /// Where `if` stands.
    pub place: Place,
    /// The condition.
    pub condition: Condition,
    /// What is done.
    pub items: Vec<Item>,
}

/// A condition over one event.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// All of them hold; at least two.
    And(Vec<Condition>),
    /// One of them holds; at least two.
    Or(Vec<Condition>),
    /// Exactly one of them holds.
    Xor(Box<Condition>, Box<Condition>),
    /// It does not hold; `a nand b` is `!(a and b)`.
    Not(Box<Condition>),
    /// A value alone: a field is there and neither null nor false.
    Truth(Operand),
    /// `left OPERATOR right`
    Compare(Operand, Operator, Operand),
}

/// How two operands are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the sign that its name spells")]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Matches,
    DoesNotMatch,
    In,
    NotIn,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Operand {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub kind: OperandKind,
}

/// What can be compared.
#[derive(Clone, Debug, PartialEq)]
pub enum OperandKind {
    /// `[a][b]`: the names along the way.
    Field(Vec<String>),
    /// A text in quotation marks, or a word.
    Text(String),
    /// A number as it is written.
    Number(String),
    /// `/expression/`, or a text where one is expected.
    Regex(String),
    /// `[a, b]`
    Array(Vec<Operand>),
}

/// A file that is not in Logstash's language: where, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}:{}: {message}", place.line, place.column)]
pub struct SyntaxError {
    /// Where it went wrong.
    pub place: Place,
    /// What was expected, and what was there.
    pub message: String,
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Operator::Equal => "==",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::Matches => "=~",
            Operator::DoesNotMatch => "!~",
            Operator::In => "in",
            Operator::NotIn => "not in",
        })
    }
}

#[cfg(test)]
mod tests;
