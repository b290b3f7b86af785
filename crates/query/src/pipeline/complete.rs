//! What may stand at the cursor of a half-typed search.
//!
//! Only the text is looked at, never what is stored: for values, the caller asks the store.

use bergfried_event::FieldName;

use super::{FUNCTIONS, STEPS, begins_step, read};
use crate::search::MAX_LENGTH;

/// The part of the text that a completion would take the place of, and what may stand there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// The byte at which the part starts.
    pub from: usize,
    /// The byte behind it: the cursor.
    pub to: usize,
    /// What may stand there.
    pub wanted: Wanted,
    /// What is typed of it already.
    pub typed: String,
}

/// What may stand at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A word to look for, a field with its colon, or `AND`, `OR`, `NOT`.
    Term,
    /// A value of this field.
    Value {
        /// The field.
        field: FieldName<'static>,
        /// The search without the term that is being typed.
        others: String,
        /// Whether the value stands in quotation marks that are open.
        quoted: bool,
    },
    /// The name of a step.
    Step,
    /// A field of events.
    Field,
    /// A function of `stats`.
    Function,
    /// The width of a bucket.
    Span,
    /// One of these columns.
    Column(Vec<String>),
    /// `by`, a comma or a bar.
    Next,
}

/// What may stand at the byte `at` of a text that is being typed.
pub fn complete(text: &str, at: usize) -> Completion {
    let mut at = at.min(text.len()).min(MAX_LENGTH);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = text.get(..at).unwrap_or_default();
    match last_bar(before) {
        Some(bar) => in_step(before, bar),
        None => in_search(before),
    }
}

/// The last bar outside of quotation marks.
fn last_bar(text: &str) -> Option<usize> {
    let mut last = None;
    let (mut quoted, mut escaped) = (false, false);
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        let behind = text.get(at + character.len_utf8()..).unwrap_or_default();
        let after = behind.chars().next();
        let alone = before != '|' && after != Some('|');
        let stands = last.is_some()
            || before.is_whitespace()
            || matches!(before, ')' | '"')
            || after.is_none_or(char::is_whitespace)
            || begins_step(behind);
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '|' if !quoted && alone && stands => last = Some(at),
            _ => {}
        }
        before = character;
    }
    last
}

fn in_search(before: &str) -> Completion {
    let to = before.len();
    // An odd number of quotation marks: one is open.
    let mut opened = None;
    let mut escaped = false;
    for (at, character) in before.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => opened = if opened.is_some() { None } else { Some(at) },
            _ => {}
        }
    }
    let boundary = |c: char| c.is_whitespace() || matches!(c, '(' | ')');
    let head = before.get(..opened.unwrap_or(to)).unwrap_or_default();
    let start = head.rfind(boundary).map_or(0, |at| at + 1);
    let start = if before.is_char_boundary(start) { start } else { to };
    let term = before.get(start..).unwrap_or_default();
    let sign = term.len() - term.trim_start_matches(['-', '!']).len();
    let start = start + sign;
    let term = term.get(sign..).unwrap_or_default();
    if let Some((name, value)) = term.split_once(':')
        && !name.is_empty()
        && !name.contains('"')
    {
        let quoted = value.starts_with('"');
        let from = start + name.len() + 1;
        let typed = value.trim_start_matches('"').to_owned();
        if name == "_exists_" {
            return Completion { from, to, wanted: Wanted::Field, typed };
        }
        let field = FieldName::new(name.to_owned());
        let others = before.get(..start - sign).unwrap_or_default().trim().to_owned();
        return Completion { from, to, wanted: Wanted::Value { field, others, quoted }, typed };
    }
    let from = opened.unwrap_or(start);
    let typed = before.get(from..).unwrap_or_default().to_owned();
    Completion { from, to, wanted: Wanted::Term, typed }
}

fn in_step(before: &str, bar: usize) -> Completion {
    let to = before.len();
    let step = before.get(bar + 1..).unwrap_or_default();
    let boundary = |c: char| c.is_whitespace() || matches!(c, ',' | '(' | ')');
    let typed = step.rsplit(boundary).next().unwrap_or_default();
    let minus = usize::from(typed.starts_with('-'));
    let typed = typed.get(minus..).unwrap_or_default();
    let from = to - typed.len();
    let said = step.get(..step.len() - typed.len() - minus).unwrap_or_default();
    let (name, rest) = match said.trim_start().split_once(char::is_whitespace) {
        Some((name, rest)) => (name, rest.trim()),
        None => (said.trim(), ""),
    };
    let follows = rest.is_empty() || rest.ends_with(',') || is_word(rest, "by");
    let numbered = !rest.contains(',') && rest.bytes().all(|byte| byte.is_ascii_digit());
    let wanted = match name {
        "" => Wanted::Step,
        "top" | "rare" if follows || numbered => Wanted::Field,
        "count" | "timechart" if !rest.is_empty() && follows => Wanted::Field,
        "timechart" if rest.is_empty() => Wanted::Span,
        "stats" if rest.ends_with('(') => Wanted::Field,
        "stats" if follows && rest.split_whitespace().any(|word| word == "by") => Wanted::Field,
        "stats" if follows => Wanted::Function,
        "fields" | "sort" if follows => columns(before, bar).map_or(Wanted::Field, Wanted::Column),
        _ => Wanted::Next,
    };
    Completion { from, to, wanted, typed: typed.to_owned() }
}

fn is_word(rest: &str, word: &str) -> bool {
    rest.split_whitespace().next_back() == Some(word)
}

/// The columns that the steps before this bar make; none where they leave events as they are.
fn columns(before: &str, bar: usize) -> Option<Vec<String>> {
    let earlier = before.get(..bar).unwrap_or_default();
    let first = first_bar(earlier)?;
    let steps = read::steps(earlier.trim_end(), first).ok()?;
    steps.iter().rev().find_map(super::Step::columns)
}

fn first_bar(text: &str) -> Option<usize> {
    let mut end = last_bar(text)?;
    while let Some(earlier) = last_bar(text.get(..end).unwrap_or_default().trim_end()) {
        end = earlier;
    }
    Some(end)
}

impl Wanted {
    /// The words of the language itself that may stand there, each with what it is.
    pub fn words(&self) -> Vec<(String, &'static str)> {
        let named = |words: &[&str], what: &'static str| -> Vec<(String, &'static str)> {
            words.iter().map(|word| ((*word).to_owned(), what)).collect()
        };
        match self {
            Wanted::Term => named(&["AND", "OR", "NOT"], "operator"),
            Wanted::Step => STEPS.iter().map(|(name, what)| ((*name).to_owned(), *what)).collect(),
            Wanted::Function => named(&["count"], "function")
                .into_iter()
                .chain(FUNCTIONS.iter().map(|name| (format!("{name}("), "function")))
                .collect(),
            Wanted::Span => named(&["1m", "5m", "15m", "1h", "6h", "1d"], "span"),
            Wanted::Column(columns) => {
                columns.iter().map(|column| (column.clone(), "column")).collect()
            }
            Wanted::Next => named(&["by", "|"], "keyword"),
            Wanted::Value { .. } | Wanted::Field => Vec::new(),
        }
    }
}
