//! `%{SYNTAX:semantic:type}`: a pattern put in by its name.

use super::cursor::Cursor;
use super::parser::{Flags, Parser};
use super::tree::Node;
use crate::error::GrokError;
use crate::grok::FieldKind;

/// How deep definitions may use others.
const MAX_OPEN: usize = 64;

/// `[a][b]` as `a.b`; other names as they are.
pub(super) fn field_name(name: &str) -> String {
    // Published patterns contain names with a stray ? that Logstash passes over.
    let name = name.trim_end_matches('?');
    if !name.starts_with('[') {
        return name.to_owned();
    }
    name.split(['[', ']'])
        .map(|part| part.trim_end_matches('?'))
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(".")
}

impl Parser<'_> {
    /// Reads a reference if one comes next. What only looks like one is text.
    pub(super) fn reference(
        &mut self,
        cursor: &mut Cursor<'_>,
        flags: Flags,
    ) -> Result<Option<Node>, GrokError> {
        let start = cursor.at();
        if !cursor.eat("%{") {
            return Ok(None);
        }
        let letter = |character: char| matches!(character, 'A'..='z' | '0'..='9');
        let name = cursor.take(usize::MAX, letter);
        let mut semantic = "";
        if cursor.eat(":") {
            semantic = cursor
                .take(usize::MAX, |character| letter(character) || "@_:.-?".contains(character));
        }
        let definition = if cursor.eat("=") { balanced(cursor) } else { None };
        if name.is_empty() || cursor.until('}').is_none() {
            cursor.back(start);
            return Ok(None);
        }
        let place = cursor.place_of(start);
        if let Some(definition) = definition {
            self.inline.insert(name.to_owned(), definition.to_owned());
        }
        let settings = self.settings;
        let inline = self.inline.get(name).cloned();
        let Some(text) = inline.as_deref().or_else(|| settings.patterns.get(name)) else {
            let nearest = settings.patterns.nearest(name);
            return Err(GrokError::UnknownPattern { name: name.to_owned(), nearest, place });
        };
        if self.open.iter().any(|open| open == name) {
            return Err(GrokError::Recursion { name: name.to_owned(), place });
        }
        if self.open.len() >= MAX_OPEN {
            return Err(GrokError::TooLarge { place });
        }
        // The group is numbered before those inside, as its parenthesis comes first.
        let index = match (semantic, self.settings.named_captures_only) {
            ("", true) => None,
            ("", false) => Some(self.capture(name, Some((name.to_owned(), FieldKind::Text)))),
            (semantic, _) => {
                let (field, kind) = semantic.split_once(':').unwrap_or((semantic, ""));
                let field = match field_name(field) {
                    field if field.is_empty() => name.to_owned(),
                    field => field,
                };
                let written = format!("{name}:{semantic}");
                Some(self.capture(&written, Some((field, FieldKind::of(Some(kind))))))
            }
        };
        self.open.push(name.to_owned());
        let node = self.whole(&mut Cursor::new(text, Some(name)), flags)?;
        self.open.pop();
        Ok(Some(match index {
            Some(index) => Node::Group { index, node: Box::new(node) },
            None => node,
        }))
    }
}

/// Reads a definition up to the brace that ends the reference.
fn balanced<'t>(cursor: &mut Cursor<'t>) -> Option<&'t str> {
    let rest = cursor.rest();
    let mut depth = 0usize;
    let mut escaped = false;
    for (at, character) in rest.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '{' => depth += 1,
            '}' if depth == 0 => {
                cursor.back(cursor.at() + at);
                return rest.get(..at).filter(|definition| !definition.is_empty());
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}
