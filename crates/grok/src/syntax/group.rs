//! What stands in parentheses.

use super::cursor::Cursor;
use super::parser::{Flags, Parser};
use super::reference::field_name;
use super::tree::{Node, width};
use crate::error::{GrokError, Place};
use crate::grok::FieldKind;

/// How far a lookbehind may look back, in characters.
const MAX_BEHIND: u32 = 255;

/// Whether an expression names any group of its own.
pub(super) fn names_any(expression: &str) -> bool {
    ["(?<", "(?'", "(?P<"].iter().any(|opening| {
        expression.match_indices(opening).any(|(at, _)| {
            let rest = expression.get(at + opening.len()..).unwrap_or_default();
            !(rest.starts_with('=') || rest.starts_with('!'))
        })
    })
}

/// Reads `(?i)` and its like, which change what follows; none where something else comes next.
pub(super) fn switch(cursor: &mut Cursor<'_>, flags: Flags) -> Result<Option<Flags>, GrokError> {
    let start = cursor.at();
    if cursor.eat("(?")
        && let Some(changed) = switches(cursor, flags)
        && cursor.eat(")")
    {
        return Ok(Some(changed));
    }
    cursor.back(start);
    Ok(None)
}

/// Reads the letters of a switch; none where there is none.
fn switches(cursor: &mut Cursor<'_>, mut flags: Flags) -> Option<Flags> {
    let letters = cursor.take(8, |character| matches!(character, 'i' | 'm' | 'x' | '-'));
    let mut on = true;
    for letter in letters.chars() {
        match letter {
            'i' => flags.ignore_case = on,
            'm' => flags.dot_all = on,
            'x' => flags.extended = on,
            _ => on = false,
        }
    }
    (!letters.is_empty()).then_some(flags)
}

impl Parser<'_> {
    /// Reads what follows a `(`, its `)` included.
    pub(super) fn group(
        &mut self,
        cursor: &mut Cursor<'_>,
        flags: Flags,
    ) -> Result<Node, GrokError> {
        let opening = cursor.place_of(cursor.at().saturating_sub(1));
        if !cursor.eat("?") {
            return match self.plain.as_ref().map(Vec::len) {
                None => self.inside(opening, cursor, flags),
                Some(number) => {
                    let index = self.capture(&(number + 1).to_string(), None);
                    if let Some(plain) = &mut self.plain {
                        plain.push(index);
                    }
                    let node = Box::new(self.inside(opening, cursor, flags)?);
                    Ok(Node::Group { index, node })
                }
            };
        }
        if cursor.eat("#") {
            return match cursor.until(')') {
                Some(_) => Ok(Node::Empty),
                None => Err(cursor.error("a comment does not end")),
            };
        }
        for (mark, behind, negative) in
            [("=", false, false), ("!", false, true), ("<=", true, false), ("<!", true, true)]
        {
            if cursor.eat(mark) {
                let node = self.inside(opening.clone(), cursor, flags)?;
                if behind && width(&node).1.is_none_or(|most| most > MAX_BEHIND) {
                    let message = format!("looks back over more than {MAX_BEHIND} characters");
                    return Err(GrokError::Syntax { message, place: opening });
                }
                return Ok(Node::Look { behind, negative, node: Box::new(node) });
            }
        }
        if cursor.eat(":") {
            return self.inside(opening, cursor, flags);
        }
        if cursor.eat(">") {
            return Ok(Node::Atomic(Box::new(self.inside(opening, cursor, flags)?)));
        }
        for (mark, end) in [("<", '>'), ("'", '\''), ("P<", '>')] {
            if cursor.eat(mark) {
                return self.named(end, opening, cursor, flags);
            }
        }
        if let Some(changed) = switches(cursor, flags)
            && cursor.eat(":")
        {
            return self.inside(opening, cursor, changed);
        }
        let what = match cursor.peek() {
            Some('(') => "a condition (?(…)…|…) is not supported",
            Some('~') => "an absence operator (?~…) is not supported",
            Some('R' | '&') => "a recursion is not supported",
            Some('|') => "a branch reset (?|…) is not supported",
            _ => "no such group",
        };
        Err(GrokError::Syntax { message: what.to_owned(), place: opening })
    }

    fn named(
        &mut self,
        end: char,
        opening: Place,
        cursor: &mut Cursor<'_>,
        flags: Flags,
    ) -> Result<Node, GrokError> {
        let Some(name) = cursor.until(end).filter(|name| !name.is_empty()) else {
            return Err(cursor.error("a group's name does not end"));
        };
        // As in Logstash, a name may say a syntax and a type, as %{…} does.
        let mut parts = name.splitn(3, ':');
        let (first, second) = (parts.next().unwrap_or_default(), parts.next());
        let kind = FieldKind::of(parts.next());
        let field = field_name(second.unwrap_or(first));
        if field.is_empty() {
            return Err(cursor.error("a group's name is empty"));
        }
        let index = self.capture(name, Some((field, kind)));
        Ok(Node::Group { index, node: Box::new(self.inside(opening, cursor, flags)?) })
    }

    fn inside(
        &mut self,
        opening: Place,
        cursor: &mut Cursor<'_>,
        flags: Flags,
    ) -> Result<Node, GrokError> {
        let node = self.branches(cursor, flags)?;
        match cursor.eat(")") {
            true => Ok(node),
            false => {
                Err(GrokError::Syntax { message: "a ( without its )".to_owned(), place: opening })
            }
        }
    }
}
