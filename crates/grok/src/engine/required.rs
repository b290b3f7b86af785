//! What every match of an expression contains.

use crate::syntax::Node;

/// The longest text that is part of every match, if there is one.
pub(super) fn literal(node: &Node) -> Option<&str> {
    match node {
        Node::Literal(text) => Some(text),
        Node::Concat(nodes) => nodes.iter().filter_map(literal).max_by_key(|text| text.len()),
        Node::Group { node, .. } | Node::Atomic(node) => literal(node),
        Node::Repeat { node, min, .. } if *min > 0 => literal(node),
        _ => None,
    }
}
