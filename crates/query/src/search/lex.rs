//! Cuts a search into tokens with their places.

use super::SearchError;
use crate::pipeline::begins_step;

/// One token and the bytes it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind<'t>,
    pub(super) offset: usize,
    pub(super) length: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind<'t> {
    Open,
    Close,
    And,
    Or,
    Not,
    /// `name:`, directly followed by its value.
    Field(&'t str),
    /// `"name":`, a field by exactly this name.
    QuotedField(String),
    /// `"text"`
    Phrase(String),
    /// `/expression/`
    Regex(String),
    /// `[from TO to]`: the bounds, and whether each belongs to the range.
    Range {
        from: &'t str,
        to: &'t str,
        with_from: bool,
        with_to: bool,
    },
    /// `>value` and the like, after a field.
    Compare(&'t str, &'t str),
    /// Any other run of characters.
    Word(&'t str),
    /// `|`, behind which the steps of a pipeline begin.
    Bar,
    End,
}

pub(super) struct Lexer<'t> {
    text: &'t str,
    at: usize,
    /// A field was just read, so a value must follow.
    after_field: bool,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Lexer { text, at: 0, after_field: false }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error(&self, length: usize, message: impl Into<String>) -> SearchError {
        SearchError { offset: self.at, length, message: message.into() }
    }

    pub(super) fn next(&mut self) -> Result<Token<'t>, SearchError> {
        if !self.after_field {
            self.at += self.rest().len() - self.rest().trim_start().len();
        }
        let offset = self.at;
        let (kind, length) = self.read()?;
        self.after_field = matches!(kind, Kind::Field(_) | Kind::QuotedField(_));
        self.at += length;
        Ok(Token { kind, offset, length })
    }

    fn read(&self) -> Result<(Kind<'t>, usize), SearchError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok((Kind::End, 0)) };
        match first {
            '(' => return Ok((Kind::Open, 1)),
            ')' => return Ok((Kind::Close, 1)),
            '"' => return self.quoted(rest),
            '|' if !self.after_field && !rest.starts_with("||") => return Ok((Kind::Bar, 1)),
            '!' | '-' if !self.after_field && starts_operand(rest.get(1..)) => {
                return Ok((Kind::Not, 1));
            }
            '[' | '{' if self.after_field => return self.range(rest),
            '/' if self.after_field => return self.regex(rest),
            '<' | '>' if self.after_field => {
                let operator = if rest.get(1..2) == Some("=") { 2 } else { 1 };
                let (operator, value) = rest.split_at(operator);
                let value = word(value);
                if value.is_empty() {
                    return Err(self.error(operator.len(), "expected a number or a time after it"));
                }
                return Ok((Kind::Compare(operator, value), operator.len() + value.len()));
            }
            _ => {}
        }
        let run = before_bar(word(rest));
        match run {
            _ if self.after_field => {}
            "AND" | "&&" => return Ok((Kind::And, run.len())),
            "OR" | "||" => return Ok((Kind::Or, run.len())),
            "NOT" => return Ok((Kind::Not, run.len())),
            _ => {}
        }
        if !self.after_field
            && let Some((name, value)) = run.split_once(':')
            && is_field_name(name)
            && !is_one_word(run, value)
        {
            return Ok((Kind::Field(name), name.len() + 1));
        }
        if run.is_empty() && first.is_whitespace() {
            let message = "expected a value directly after the colon; a colon that is looked for \
                           stands in quotation marks";
            return Err(self.error(first.len_utf8(), message));
        }
        if run.is_empty() {
            return Err(self.error(first.len_utf8(), format!("unexpected `{first}`")));
        }
        Ok((Kind::Word(run), run.len()))
    }

    fn quoted(&self, rest: &'t str) -> Result<(Kind<'t>, usize), SearchError> {
        let Some((text, end)) = until(rest, '"') else {
            return Err(self.error(1, "this quotation mark is never closed"));
        };
        if !self.after_field && rest.get(end..).is_some_and(|after| after.starts_with(':')) {
            return Ok((Kind::QuotedField(text), end + 1));
        }
        Ok((Kind::Phrase(text), end))
    }

    fn regex(&self, rest: &'t str) -> Result<(Kind<'t>, usize), SearchError> {
        // A value such as /usr/bin/ls is a path; an expression ends in a slash before a space.
        let run = word(rest);
        if run.len() > 1 && run.ends_with('/') || run.matches('/').count() == 1 {
            let mut end = None;
            let mut escaped = false;
            for (at, character) in rest.char_indices().skip(1) {
                match character {
                    _ if escaped => escaped = false,
                    '\\' => escaped = true,
                    '/' => {
                        end = Some(at);
                        break;
                    }
                    _ => {}
                }
            }
            if let Some(end) = end {
                let expression = rest.get(1..end).unwrap_or_default().replace("\\/", "/");
                return Ok((Kind::Regex(expression), end + 1));
            }
        }
        Ok((Kind::Word(run), run.len()))
    }

    fn range(&self, rest: &'t str) -> Result<(Kind<'t>, usize), SearchError> {
        let Some(end) = rest.find([']', '}']) else {
            return Err(self.error(1, "this range is never closed, expected `]` or `}`"));
        };
        let inner = rest.get(1..end).unwrap_or_default();
        let Some((from, to)) = inner.split_once(" TO ") else {
            return Err(self.error(end + 1, "expected a range such as [1 TO 10]"));
        };
        let kind = Kind::Range {
            from: from.trim(),
            to: to.trim(),
            with_from: rest.starts_with('['),
            with_to: rest.get(end..).is_some_and(|end| end.starts_with(']')),
        };
        Ok((kind, end + 1))
    }
}

/// Text up to the closing mark, with `\` taking away its meaning; and the bytes taken, marks included.
fn until(rest: &str, mark: char) -> Option<(String, usize)> {
    let mut text = String::new();
    let mut escaped = false;
    for (at, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => {
                if character != mark && character != '\\' {
                    text.push('\\');
                }
                text.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            _ if character == mark => return Some((text, at + character.len_utf8())),
            _ => text.push(character),
        }
    }
    None
}

/// The run of characters up to white space, a parenthesis or a quotation mark.
fn word(text: &str) -> &str {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' | ')' | '"' => return text.get(..at).unwrap_or_default(),
            _ if character.is_whitespace() => return text.get(..at).unwrap_or_default(),
            _ => {}
        }
    }
    text
}

/// The run up to a bar that begins a step: at its end as in `failed| top user`, or right before the step.
fn before_bar(run: &str) -> &str {
    let bar = run.match_indices('|').map(|(at, _)| at).find(|at| {
        let before = run.get(..*at).unwrap_or_default();
        let behind = run.get(at + 1..).unwrap_or_default();
        let begins = behind.is_empty() || begins_step(behind);
        begins && !before.is_empty() && !before.ends_with(['|', '\\'])
    });
    bar.and_then(|bar| run.get(..bar)).unwrap_or(run)
}

fn starts_operand(after: Option<&str>) -> bool {
    after
        .and_then(|after| after.chars().next())
        .is_some_and(|next| !next.is_whitespace() && next != ')' && next != '-')
}

/// Whether a run whose beginning could name a field is a word with colons in it: an address of version
/// 6 (`fe80::1`) or of a network card, a URL, a path such as `std::io`. `value` is what stands behind
/// its first colon.
fn is_one_word(run: &str, value: &str) -> bool {
    let is_group = |group: &str| {
        (1..=4).contains(&group.len()) && group.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    value.starts_with(':')
        || value.starts_with("//")
        || (run.split(':').count() >= 6 && run.split(':').all(is_group))
}

fn is_field_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || matches!(first, '_' | '@'))
        && characters.all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '@'))
}
