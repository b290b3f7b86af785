//! The tree of an expression.

use regex_syntax::hir::ClassUnicode;

use crate::grok::FieldKind;

/// One part of an expression.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// Nothing; always there.
    Empty,
    /// These characters.
    Literal(String),
    /// One character out of a set.
    Class(ClassUnicode),
    /// One after the other.
    Concat(Vec<Node>),
    /// The first that leads to a match.
    Alternate(Vec<Node>),
    /// Several times.
    Repeat { node: Box<Node>, min: u32, max: Option<u32>, kind: Kind },
    /// What is captured, by the place in the list of groups.
    Group { index: usize, node: Box<Node> },
    /// Matched once and never again in another way.
    Atomic(Box<Node>),
    /// What comes next, or came before, without being taken.
    Look { behind: bool, negative: bool, node: Box<Node> },
    /// A place.
    Assert(Assertion),
    /// What a group captured, once more; of several groups the last one that is set.
    Backreference { groups: Vec<usize>, ignore_case: bool },
}

/// In which order the numbers of repetitions are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The most first.
    Greedy,
    /// The fewest first.
    Lazy,
    /// The most, nothing else.
    Possessive,
}

/// Places between characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Assertion {
    /// `^`
    LineStart,
    /// `$`
    LineEnd,
    /// `\A`, `\G`
    TextStart,
    /// `\z`
    TextEnd,
    /// `\Z`
    TextEndOrLastLine,
    /// `\b`
    WordBoundary,
    /// `\B`
    NoWordBoundary,
}

/// A group that captures.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    /// The name as written: `SYNTAX`, `SYNTAX:semantic:type` or that of `(?<name>…)`.
    pub(crate) written: String,
    /// The field that it becomes; none for a group that is only referred back to.
    pub(crate) field: Option<(String, FieldKind)>,
}

/// How many characters a node may match, at least and at most.
pub(crate) fn width(node: &Node) -> (u32, Option<u32>) {
    match node {
        Node::Empty | Node::Look { .. } | Node::Assert(_) => (0, Some(0)),
        Node::Literal(text) => {
            let count = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
            (count, Some(count))
        }
        Node::Class(_) => (1, Some(1)),
        Node::Concat(nodes) => {
            nodes.iter().map(width).fold((0, Some(0)), |(low, high), (min, max)| {
                (low.saturating_add(min), high.zip(max).map(|(high, max)| high.saturating_add(max)))
            })
        }
        Node::Alternate(nodes) => nodes
            .iter()
            .map(width)
            .reduce(|(low, high), (min, max)| {
                (low.min(min), high.zip(max).map(|(high, max)| high.max(max)))
            })
            .unwrap_or((0, Some(0))),
        Node::Repeat { node, min, max, .. } => {
            let (low, high) = width(node);
            let most = match (high, max) {
                (Some(0), _) => Some(0),
                (Some(high), Some(max)) => Some(high.saturating_mul(*max)),
                _ => None,
            };
            (low.saturating_mul(*min), most)
        }
        Node::Group { node, .. } | Node::Atomic(node) => width(node),
        Node::Backreference { .. } => (0, None),
    }
}
