//! What follows a backslash.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::class;
use super::cursor::Cursor;
use super::parser::{Flags, Parser, literal};
use super::tree::{Assertion, Node};
use crate::error::GrokError;

/// A character, or a set of them.
pub(super) enum Escaped {
    Character(char),
    Class(ClassUnicode),
}

impl Parser<'_> {
    /// Reads an escape outside of brackets whose backslash is read already.
    pub(super) fn escape(
        &mut self,
        cursor: &mut Cursor<'_>,
        flags: Flags,
    ) -> Result<Node, GrokError> {
        let assertion = match cursor.peek() {
            Some('A' | 'G') => Some(Assertion::TextStart),
            Some('z') => Some(Assertion::TextEnd),
            Some('Z') => Some(Assertion::TextEndOrLastLine),
            Some('b') => Some(Assertion::WordBoundary),
            Some('B') => Some(Assertion::NoWordBoundary),
            _ => None,
        };
        if let Some(assertion) = assertion {
            cursor.next();
            return Ok(Node::Assert(assertion));
        }
        match cursor.peek() {
            // Where a match starts is of no interest here, only what the groups captured.
            Some('K') => {
                cursor.next();
                Ok(Node::Empty)
            }
            Some('R') => {
                cursor.next();
                let ends = [('\n', '\r'), ('\u{85}', '\u{85}'), ('\u{2028}', '\u{2029}')];
                let class = ends.map(|(low, high)| ClassUnicodeRange::new(low, high));
                Ok(Node::Atomic(Box::new(Node::Alternate(vec![
                    Node::Literal("\r\n".to_owned()),
                    Node::Class(ClassUnicode::new(class)),
                ]))))
            }
            Some('X') => Err(cursor.error("\\X is not supported")),
            Some('g') => Err(cursor.error("a call of a group, \\g, is not supported")),
            Some('k') => {
                cursor.next();
                self.named_backreference(cursor, flags)
            }
            Some('1'..='9') => self.numbered_backreference(cursor, flags),
            _ => Ok(match character(cursor)? {
                Escaped::Character(character) => literal(character, flags.ignore_case),
                Escaped::Class(class) => Node::Class(class),
            }),
        }
    }

    fn named_backreference(
        &mut self,
        cursor: &mut Cursor<'_>,
        flags: Flags,
    ) -> Result<Node, GrokError> {
        let end = match cursor.next() {
            Some('<') => '>',
            Some('\'') => '\'',
            _ => return Err(cursor.error("\\k has no name")),
        };
        let Some(name) = cursor.until(end) else {
            return Err(cursor.error("the name of a backreference does not end"));
        };
        let field = super::reference::field_name(name);
        let groups: Vec<usize> = self
            .groups
            .iter()
            .enumerate()
            .filter(|(_, group)| {
                group.written == name
                    || group.field.as_ref().is_some_and(|(known, _)| *known == field)
            })
            .map(|(index, _)| index)
            .collect();
        if groups.is_empty() {
            return Err(cursor.error(format!("no group before this one is named {name}")));
        }
        Ok(Node::Backreference { groups, ignore_case: flags.ignore_case })
    }

    fn numbered_backreference(
        &mut self,
        cursor: &mut Cursor<'_>,
        flags: Flags,
    ) -> Result<Node, GrokError> {
        let Some(plain) = &self.plain else {
            return Err(cursor.error(
                "a backreference by number where groups have names, use \\k<name> instead",
            ));
        };
        let number: usize =
            cursor.take(4, |character| character.is_ascii_digit()).parse().unwrap_or(0);
        match number.checked_sub(1).and_then(|index| plain.get(index)) {
            Some(group) => {
                Ok(Node::Backreference { groups: vec![*group], ignore_case: flags.ignore_case })
            }
            None => Err(cursor.error(format!("no group before this one has the number {number}"))),
        }
    }
}

/// Reads an escape that means a character or a set of them, in or out of brackets.
pub(super) fn character(cursor: &mut Cursor<'_>) -> Result<Escaped, GrokError> {
    let Some(letter) = cursor.next() else {
        return Err(cursor.error("a backslash at the end"));
    };
    if let Some(class) = class::ascii(letter) {
        return Ok(Escaped::Class(class));
    }
    let hexadecimal = |cursor: &mut Cursor<'_>, most: usize| {
        let digits = cursor.take(most, |character| character.is_ascii_hexdigit());
        u32::from_str_radix(digits, 16).ok()
    };
    let code = match letter {
        'p' | 'P' => return Ok(Escaped::Class(class::property(cursor, letter == 'P')?)),
        't' => Some(9),
        'n' => Some(10),
        'v' => Some(11),
        'f' => Some(12),
        'r' => Some(13),
        'a' => Some(7),
        'e' => Some(27),
        'x' | 'u' if cursor.eat("{") => {
            let code = hexadecimal(cursor, 8);
            code.filter(|_| cursor.eat("}"))
        }
        'x' => hexadecimal(cursor, 2).filter(|code| *code < 0x80),
        'u' => hexadecimal(cursor, 4),
        '0'..='7' => {
            let more = cursor.take(2, |character| matches!(character, '0'..='7'));
            u32::from_str_radix(&format!("{letter}{more}"), 8).ok().filter(|code| *code < 0x80)
        }
        'c' => cursor.next().map(|control| u32::from(control) & 0x1f),
        'C' | 'M' => return Err(cursor.error(format!("\\{letter}-… is not supported"))),
        _ => Some(u32::from(letter)),
    };
    match code.and_then(char::from_u32) {
        Some(character) => Ok(Escaped::Character(character)),
        None => Err(cursor.error(format!("\\{letter} does not name a character"))),
    }
}
