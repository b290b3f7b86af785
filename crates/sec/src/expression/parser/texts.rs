//! Texts in quotes, and names of contexts, with variables in them.

use super::super::tree::Node;
use super::super::variable::variable;
use super::{Parsed, Parser};

impl Parser<'_, '_> {
    /// A text in quotes. Double ones take variables and the escapes `\n \r \t \\ \" \$ \%`, single
    /// ones `\'` and `\\`; any other backslash stays, for regular expressions.
    pub(super) fn text(&mut self, quote: u8) -> Parsed {
        let start = self.at;
        let double = quote == b'"';
        let mut parts = Vec::new();
        let mut literal = Vec::new();
        self.at += 1;
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let (bytes, length): (&[u8], usize) = match rest.as_bytes() {
                [] => return Err(self.mistake(start, "the quote is not closed")),
                [byte, ..] if *byte == quote => {
                    self.at += 1;
                    break;
                }
                [b'\\', b'\\', ..] => (b"\\", 2),
                [b'\\', b'\'', ..] if !double => (b"'", 2),
                [b'\\', b'n', ..] if double => (b"\n", 2),
                [b'\\', b'r', ..] if double => (b"\r", 2),
                [b'\\', b't', ..] if double => (b"\t", 2),
                [b'\\', sign @ (b'"' | b'$' | b'%'), ..] if double => {
                    (std::slice::from_ref(sign), 2)
                }
                [b'$' | b'%', ..] if double && let Some((variable, length)) = variable(rest) => {
                    parts.push(Node::Text(std::mem::take(&mut literal).into()));
                    parts.push(Node::Variable(variable));
                    self.parts += 2;
                    (b"", length)
                }
                bytes => {
                    let length = rest.chars().next().map_or(1, char::len_utf8);
                    (bytes.get(..length).unwrap_or_default(), length)
                }
            };
            literal.extend_from_slice(bytes);
            self.at += length;
        }
        Ok(joined(parts, literal))
    }

    /// The name of a context as rules write it, variables included, if that is all up to the closing
    /// parenthesis.
    pub(super) fn context_name(&mut self) -> Option<Node> {
        let rest = self.rest();
        let (name, _) = rest.split_once(')')?;
        let name = name.trim_ascii_end();
        let starts =
            name.starts_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '%'));
        if !starts
            || name.contains(|c: char| {
                c.is_ascii_whitespace() || matches!(c, '(' | ',' | '\'' | '"' | '\\')
            })
        {
            return None;
        }
        let mut parts = Vec::new();
        let mut literal = Vec::new();
        let mut at = 0;
        while let Some(c) = name.get(at..).and_then(|left| left.chars().next()) {
            // What only looks like the beginning of a variable is no name.
            let length = match variable(name.get(at..).unwrap_or_default()) {
                Some((variable, length)) => {
                    parts.push(Node::Text(std::mem::take(&mut literal).into()));
                    parts.push(Node::Variable(variable));
                    self.parts += 2;
                    length
                }
                None if matches!(c, '$' | '%' | '{' | '}') => return None,
                None => {
                    literal.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    c.len_utf8()
                }
            };
            at += length;
        }
        self.at += name.len();
        Some(joined(parts, literal))
    }
}

fn joined(mut parts: Vec<Node>, literal: Vec<u8>) -> Node {
    if parts.is_empty() {
        return Node::Text(literal.into());
    }
    parts.push(Node::Text(literal.into()));
    parts.retain(|part| part.constant() != Some(b""));
    // A variable alone is still a text, never a number.
    Node::Joined(parts.into())
}
