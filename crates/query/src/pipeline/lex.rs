//! Cuts the steps of a pipeline into tokens with their places.

use crate::search::SearchError;

/// One token and the bytes it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind<'t>,
    pub(super) offset: usize,
    pub(super) length: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind<'t> {
    Bar,
    Comma,
    Open,
    Close,
    /// A `-` directly before the name of a column.
    Minus,
    /// `"name"`, a field by exactly this name.
    Quoted(String),
    /// Any other run of characters.
    Word(&'t str),
    End,
}

impl Kind<'_> {
    /// The token as a message names it.
    pub(super) fn shown(&self) -> String {
        match self {
            Kind::Bar => "`|`".to_owned(),
            Kind::Comma => "`,`".to_owned(),
            Kind::Open => "`(`".to_owned(),
            Kind::Close => "`)`".to_owned(),
            Kind::Minus => "`-`".to_owned(),
            Kind::Quoted(name) => format!("`\"{}\"`", name.escape_debug()),
            Kind::Word(word) => format!("`{}`", word.escape_debug()),
            Kind::End => "the end".to_owned(),
        }
    }
}

/// Every token of `text` from the byte `at` on; the last one is [`Kind::End`].
pub(super) fn tokens(text: &str, mut at: usize) -> Result<Vec<Token<'_>>, SearchError> {
    let mut tokens = Vec::new();
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let offset = at + rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        let (kind, length) = match rest.chars().next() {
            None => (Kind::End, 0),
            Some('|') => (Kind::Bar, 1),
            Some(',') => (Kind::Comma, 1),
            Some('(') => (Kind::Open, 1),
            Some(')') => (Kind::Close, 1),
            Some('-') => (Kind::Minus, 1),
            Some('"') => quoted(rest).ok_or_else(|| SearchError {
                offset,
                length: 1,
                message: "this quotation mark is never closed".to_owned(),
            })?,
            Some(_) => {
                let word = word(rest);
                (Kind::Word(word), word.len())
            }
        };
        let ends = kind == Kind::End;
        tokens.push(Token { kind, offset, length });
        if ends {
            return Ok(tokens);
        }
        at = offset + length;
    }
}

fn word(rest: &str) -> &str {
    let ends = |c: char| c.is_whitespace() || matches!(c, '|' | ',' | '(' | ')' | '"');
    rest.split(ends).next().unwrap_or_default()
}

fn quoted<'t>(rest: &str) -> Option<(Kind<'t>, usize)> {
    let mut name = String::new();
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => {
                name.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => return Some((Kind::Quoted(name), at + 1)),
            _ => name.push(character),
        }
    }
    None
}
