//! The tree itself.

use bergfried_event::FieldName;
use ipnet::IpNet;

use crate::pattern::Pattern;
use crate::regex::TextRegex;
use crate::time::TimePart;

/// A condition over one event.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// Holds for every event, or for none.
    Constant(bool),
    /// Holds where all of these do; an empty list holds.
    And(Vec<Predicate>),
    /// Holds where any of these does; an empty list does not.
    Or(Vec<Predicate>),
    /// Holds where this does not.
    Not(Box<Predicate>),
    /// Holds where at least so many of these do; none needed always holds.
    AtLeast(usize, Vec<Predicate>),
    /// Holds where a value of the target meets the condition.
    Atom(Target, Condition),
}

/// What an atom looks at.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// One field; where it is a list, any of its values.
    Field(FieldName<'static>),
    /// The raw text and the text of every value (Sigma's field-less keywords).
    Anything,
}

/// What a value must meet.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// The field is there, with any value, null included.
    Exists,
    /// The field is absent or null, or a list of nothing else.
    Null,
    /// The whole text of the value matches.
    Text(Pattern),
    /// The pattern occurs in the text between word boundaries (see [`crate::tokens`]).
    Words(Pattern),
    /// The regular expression finds a match somewhere in the text.
    Regex(TextRegex),
    /// The text is an address in this network. IPv4-mapped IPv6 addresses count as IPv4.
    ///
    /// Of [`Target::Anything`], the raw text may also hold the address among other text.
    Network(IpNet),
    /// The value is a number (or text that is one, or a time as microseconds) that compares so.
    Number(Comparison, f64),
    /// The value is a date or a time whose part, as it is written, compares so.
    TimePart(TimePart, Comparison, f64),
    /// The value is truth or falsehood (or text that says so).
    Bool(bool),
    /// The whole text equals, starts with, … the text of another field of the same event; where
    /// that is a list, of any of its values.
    SameAs {
        /// The other field.
        field: FieldName<'static>,
        /// Anything may stand before the other field's text.
        any_before: bool,
        /// Anything may stand after the other field's text.
        any_after: bool,
        /// Whether case matters.
        cased: bool,
    },
}

/// How two numbers compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// Whether `left` compares so to `right`.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
            Comparison::Less => left < right,
            Comparison::LessOrEqual => left <= right,
            Comparison::Greater => left > right,
            Comparison::GreaterOrEqual => left >= right,
        }
    }
}

impl Predicate {
    /// The predicate that holds where both do; flattens nested conjunctions.
    pub fn and(self, other: Predicate) -> Predicate {
        match (self, other) {
            (Predicate::Constant(true), kept) | (kept, Predicate::Constant(true)) => kept,
            (Predicate::And(mut all), Predicate::And(more)) => {
                all.extend(more);
                Predicate::And(all)
            }
            (Predicate::And(mut all), one) => {
                all.push(one);
                Predicate::And(all)
            }
            (one, other) => Predicate::And(vec![one, other]),
        }
    }

    /// An atom over one field.
    pub fn field(name: impl Into<FieldName<'static>>, condition: Condition) -> Predicate {
        Predicate::Atom(Target::Field(name.into()), condition)
    }

    /// Every field that the predicate names, in order of appearance, with repeats.
    pub fn fields(&self) -> Vec<&FieldName<'static>> {
        let mut found = Vec::new();
        self.collect_fields(&mut found);
        found
    }

    fn collect_fields<'p>(&'p self, found: &mut Vec<&'p FieldName<'static>>) {
        match self {
            Predicate::Constant(_) => {}
            Predicate::And(inner) | Predicate::Or(inner) | Predicate::AtLeast(_, inner) => {
                for predicate in inner {
                    predicate.collect_fields(found);
                }
            }
            Predicate::Not(inner) => inner.collect_fields(found),
            Predicate::Atom(target, condition) => {
                if let Target::Field(name) = target {
                    found.push(name);
                }
                if let Condition::SameAs { field, .. } = condition {
                    found.push(field);
                }
            }
        }
    }
}
