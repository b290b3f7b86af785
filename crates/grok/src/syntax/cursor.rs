//! A place in a text that is read character by character.

use crate::error::{GrokError, Place};

/// A text and how far it is read.
pub(super) struct Cursor<'t> {
    text: &'t str,
    at: usize,
    /// The definition that the text is; none for the expression itself.
    pattern: Option<&'t str>,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str, pattern: Option<&'t str>) -> Cursor<'t> {
        Cursor { text, at: 0, pattern }
    }

    /// What is not read yet.
    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    /// Reads `expected` if it comes next.
    pub(super) fn eat(&mut self, expected: &str) -> bool {
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// Reads up to `end` and `end` itself.
    pub(super) fn until(&mut self, end: char) -> Option<&'t str> {
        let rest = self.rest();
        let length = rest.find(end)?;
        self.at += length + end.len_utf8();
        rest.get(..length)
    }

    /// Reads as long as `wanted` holds, at most `most` characters.
    pub(super) fn take(&mut self, most: usize, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest
            .char_indices()
            .take(most)
            .take_while(|(_, character)| wanted(*character))
            .map(|(at, character)| at + character.len_utf8())
            .last()
            .unwrap_or(0);
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    /// How far it is read, to come [back](Self::back) to.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn back(&mut self, at: usize) {
        self.at = at;
    }

    pub(super) fn place(&self) -> Place {
        self.place_of(self.at)
    }

    pub(super) fn place_of(&self, at: usize) -> Place {
        let before = self.text.get(..at).unwrap_or(self.text);
        Place { pattern: self.pattern.map(str::to_owned), column: before.chars().count() + 1 }
    }

    pub(super) fn error(&self, message: impl Into<String>) -> GrokError {
        GrokError::Syntax { message: message.into(), place: self.place() }
    }
}
