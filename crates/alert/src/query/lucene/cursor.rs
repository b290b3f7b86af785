//! Walking through a query's text.

use super::super::error::QueryError;

/// A place in a query.
pub(super) struct Cursor<'a> {
    text: &'a str,
    rest: &'a str,
}

/// A word as typed, its escapes undone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word(pub(super) Vec<Glyph>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Glyph {
    Character(char),
    /// `?`: one character.
    One,
    /// `*`: any number of them.
    Many,
}

impl Word {
    pub(super) fn has_wildcards(&self) -> bool {
        self.0.iter().any(|glyph| !matches!(glyph, Glyph::Character(_)))
    }

    /// As text, with the wildcards as they were typed.
    pub(super) fn text(&self) -> String {
        let typed = |glyph: &Glyph| match glyph {
            Glyph::Character(character) => *character,
            Glyph::One => '?',
            Glyph::Many => '*',
        };
        self.0.iter().map(typed).collect()
    }
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Cursor<'a> {
        Cursor { text, rest: text }
    }

    pub(super) fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Goes past `expected` where it comes next.
    pub(super) fn take(&mut self, expected: &str) -> bool {
        let rest = self.rest.strip_prefix(expected);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Whether this operator comes next: a word by itself, or a sign.
    pub(super) fn sees(&self, operator: &str) -> bool {
        let after = self.rest.strip_prefix(operator).map(|rest| rest.chars().next());
        match after {
            None => false,
            Some(_) if !operator.ends_with(char::is_alphabetic) => true,
            Some(next) => next.is_none_or(|next| next.is_whitespace() || "()".contains(next)),
        }
    }

    /// Goes past this operator where it comes next.
    pub(super) fn take_operator(&mut self, operator: &str) -> bool {
        self.sees(operator) && self.take(operator)
    }

    /// Reads up to `end`, where a `\` keeps the next character from being it, and goes past it.
    ///
    /// Other escapes stay as typed where `keep_escapes` says so.
    pub(super) fn until(&mut self, end: char, keep_escapes: bool) -> Result<String, QueryError> {
        let mut read = String::new();
        let mut characters = self.rest.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => match characters.next() {
                    Some((_, escaped)) => {
                        if keep_escapes && escaped != end {
                            read.push('\\');
                        }
                        read.push(escaped);
                    }
                    None => break,
                },
                _ if character == end => {
                    self.rest = self.rest.get(at + end.len_utf8()..).unwrap_or_default();
                    return Ok(read);
                }
                _ => read.push(character),
            }
        }
        self.rest = "";
        Err(self.error(&format!("expected `{end}`")))
    }

    /// Reads a word, which ends at a space, a bracket, or where `ends` says so.
    pub(super) fn word(&mut self, ends: &str) -> Word {
        let mut word = Word::default();
        let mut characters = self.rest.char_indices();
        let mut end = self.rest.len();
        while let Some((at, character)) = characters.next() {
            let rest = self.rest.get(at..).unwrap_or_default();
            if character.is_whitespace()
                || "()[]{}\"^".contains(character)
                || ends.contains(character)
                || rest.starts_with("&&")
                || rest.starts_with("||")
            {
                end = at;
                break;
            }
            word.0.push(match character {
                '*' => Glyph::Many,
                '?' => Glyph::One,
                '\\' => Glyph::Character(characters.next().map_or('\\', |(_, escaped)| escaped)),
                other => Glyph::Character(other),
            });
        }
        self.rest = self.rest.get(end..).unwrap_or_default();
        word
    }

    /// Says what is wrong at this place.
    pub(super) fn error(&self, what: &str) -> QueryError {
        let passed = self.text.len().saturating_sub(self.rest.len());
        let place = self.text.get(..passed).unwrap_or_default().chars().count() + 1;
        QueryError::Search(format!("At character {place}: {what}."))
    }
}
