//! What an expression is made of.

use std::sync::Arc;

use ipnet::IpNet;
use regex::bytes::Regex;

use super::functions::Plain;
use super::json::Path;
use super::number::{Number, Operator};
use super::tables::Column;
use crate::template::Variable;

#[derive(Debug, Clone)]
pub(super) enum Node {
    Truth(bool),
    Number(Number),
    Text(Box<[u8]>),
    Variable(Variable),
    /// Texts one after the other: a text with variables in it.
    Joined(Box<[Node]>),
    Not(Box<Node>),
    Negative(Box<Node>),
    /// `and`.
    All(Box<[Node]>),
    /// `or`.
    Any(Box<[Node]>),
    Compare(Comparison, Box<[Node; 2]>),
    /// From left to right.
    Chain(Box<Node>, Box<[(Operator, Node)]>),
    /// `if`: the second where the first is true, else the third.
    Choice(Box<[Node; 3]>),
    /// A function of nothing but its arguments.
    Plain(Plain, Box<[Node]>),
    Matches(Box<Node>, Regex),
    Extract(Box<Node>, Regex, usize),
    Replace(Box<[Node; 2]>, Regex),
    InNetwork(Box<Node>, Box<[IpNet]>),
    Lookup(Box<Node>, Arc<Column>),
    Json(Box<Node>, Path),
    Field(Box<str>),
    Exists(Box<Node>),
    /// A name, a value, seconds.
    Distinct(Box<[Node; 2]>, i64),
    Count(Box<Node>, i64),
    Time,
    Hour,
    Minute,
    Weekday,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Node {
    /// Its text, where it is the same always.
    pub(super) fn constant(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Calls a function for each node in it, itself first.
    pub(super) fn each<'n>(&'n self, call: &mut dyn FnMut(&'n Node)) {
        call(self);
        let many: &[Node] = match self {
            Self::Not(one)
            | Self::Negative(one)
            | Self::Matches(one, _)
            | Self::Extract(one, ..)
            | Self::InNetwork(one, _)
            | Self::Lookup(one, _)
            | Self::Json(one, _)
            | Self::Exists(one)
            | Self::Count(one, _) => std::slice::from_ref(one),
            Self::Compare(_, two) | Self::Replace(two, _) | Self::Distinct(two, _) => &**two,
            Self::Choice(three) => &**three,
            Self::Joined(many) | Self::All(many) | Self::Any(many) | Self::Plain(_, many) => many,
            Self::Chain(first, rest) => {
                first.each(call);
                for (_, node) in rest {
                    node.each(call);
                }
                return;
            }
            Self::Truth(_)
            | Self::Number(_)
            | Self::Text(_)
            | Self::Variable(_)
            | Self::Field(_)
            | Self::Time
            | Self::Hour
            | Self::Minute
            | Self::Weekday => &[],
        };
        for node in many {
            node.each(call);
        }
    }
}
