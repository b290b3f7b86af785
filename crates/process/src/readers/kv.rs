//! `name=value` pairs, as Logstash's `kv` filter reads them.

use std::collections::HashSet;

use super::Pairs;

/// Whether blanks around what splits a name from its value belong to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Whitespace {
    /// They do not: in `IN= OUT=eth0` the value of `IN` is empty.
    #[default]
    Strict,
    /// They do: `a = 1` is a pair. Logstash's default.
    Lenient,
}

/// What happens to the letters of a name or a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transform {
    /// All small.
    Lowercase,
    /// All large.
    Uppercase,
    /// The first large, the others small.
    Capitalize,
}

impl Transform {
    fn apply(self, text: &str) -> String {
        match self {
            Transform::Lowercase => text.to_lowercase(),
            Transform::Uppercase => text.to_uppercase(),
            Transform::Capitalize => {
                let mut letters = text.chars();
                let first: String =
                    letters.next().into_iter().flat_map(char::to_uppercase).collect();
                first + &letters.as_str().to_lowercase()
            }
        }
    }
}

/// How pairs are written, and which are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyValue {
    /// The characters any of which ends a pair. Default a space.
    pub field_split: String,
    /// The characters any of which ends a name. Default `=`.
    pub value_split: String,
    /// Whether blanks may stand around those. Default [`Whitespace::Strict`].
    pub whitespace: Whitespace,
    /// Whether a value may stand in `()`, `[]` or `<>`, which are taken off. Default true.
    pub include_brackets: bool,
    /// Characters taken off both ends of names, and of values.
    pub trim_key: String,
    /// See [`Self::trim_key`].
    pub trim_value: String,
    /// Characters taken out of names, and of values.
    pub remove_char_key: String,
    /// See [`Self::remove_char_key`].
    pub remove_char_value: String,
    /// What happens to the letters of names, and of values.
    pub transform_key: Option<Transform>,
    /// See [`Self::transform_key`].
    pub transform_value: Option<Transform>,
    /// The only names that are wanted; none: all.
    pub include_keys: Vec<String>,
    /// Names that are not wanted.
    pub exclude_keys: Vec<String>,
    /// What is put before each name.
    pub prefix: String,
    /// Whether a pair is kept that was there before. Default true.
    pub allow_duplicate_values: bool,
    /// Whether pairs without a value are kept. Default false.
    pub allow_empty_values: bool,
}

impl Default for KeyValue {
    fn default() -> KeyValue {
        KeyValue {
            field_split: " ".to_owned(),
            value_split: "=".to_owned(),
            whitespace: Whitespace::Strict,
            include_brackets: true,
            trim_key: String::new(),
            trim_value: String::new(),
            remove_char_key: String::new(),
            remove_char_value: String::new(),
            transform_key: None,
            transform_value: None,
            include_keys: Vec::new(),
            exclude_keys: Vec::new(),
            prefix: String::new(),
            allow_duplicate_values: true,
            allow_empty_values: false,
        }
    }
}

impl KeyValue {
    /// Adds the pairs of a text. What is no pair is passed over.
    pub fn read<'t>(&self, text: &'t str, pairs: &mut Pairs<'t>) {
        let mut seen: HashSet<(&'t str, &'t str)> = HashSet::new();
        // Brackets that nothing closes any more: looked for once, not at each of them.
        let mut open = String::new();
        let mut rest = text;
        loop {
            rest = rest.trim_start_matches(|character| self.ends_field(character));
            if rest.is_empty() {
                return;
            }
            let (key, after) = self.key(rest, &mut open);
            let Some(value) = self.split(after) else {
                // Not a pair: on after it, at least by one character.
                rest = if after.len() < rest.len() { after } else { skip_one(rest) };
                continue;
            };
            let (value, after) = self.value(value, &mut open);
            rest = after;
            let new = self.allow_duplicate_values || seen.insert((key, value));
            if new && !key.is_empty() && (self.allow_empty_values || !value.is_empty()) {
                self.keep(key, value, pairs);
            }
        }
    }

    fn ends_field(&self, character: char) -> bool {
        self.field_split.contains(character)
    }

    /// A name, and what comes after it.
    fn key<'t>(&self, text: &'t str, open: &mut String) -> (&'t str, &'t str) {
        if let Some(found) = enclosed(text, &[('"', '"'), ('\'', '\'')], open) {
            return found;
        }
        plain(text, |character| {
            self.ends_field(character)
                || self.value_split.contains(character)
                || (self.whitespace == Whitespace::Lenient && character == ' ')
        })
    }

    /// What comes after the character that splits a name from its value, if it comes next.
    fn split<'t>(&self, text: &'t str) -> Option<&'t str> {
        let lenient = self.whitespace == Whitespace::Lenient;
        let blank = |text: &'t str| if lenient { text.trim_start_matches(' ') } else { text };
        blank(text).strip_prefix(|character| self.value_split.contains(character)).map(blank)
    }

    /// A value, and what comes after it.
    fn value<'t>(&self, text: &'t str, open: &mut String) -> (&'t str, &'t str) {
        let brackets: &[(char, char)] = match self.include_brackets {
            true => &[('"', '"'), ('\'', '\''), ('(', ')'), ('[', ']'), ('<', '>')],
            false => &[('"', '"'), ('\'', '\'')],
        };
        match enclosed(text, brackets, open) {
            Some(found) => found,
            None => plain(text, |character| self.ends_field(character)),
        }
    }

    fn keep<'t>(&self, key: &'t str, value: &'t str, pairs: &mut Pairs<'t>) {
        let name = clean(key, &self.trim_key, &self.remove_char_key, self.transform_key);
        let listed = |names: &[String]| names.iter().any(|listed| *listed == *name);
        if (!self.include_keys.is_empty() && !listed(&self.include_keys))
            || listed(&self.exclude_keys)
        {
            return;
        }
        let value = clean(value, &self.trim_value, &self.remove_char_value, self.transform_value);
        match self.prefix.is_empty() {
            true => pairs.push(name, value),
            false => pairs.push(format!("{}{name}", self.prefix), value),
        }
    }
}

/// What stands between one of these pairs of characters, and what comes after; a backslash keeps the
/// character after it from ending. Characters that nothing closes are added to `open`.
fn enclosed<'t>(
    text: &'t str,
    marks: &[(char, char)],
    open: &mut String,
) -> Option<(&'t str, &'t str)> {
    let first = text.chars().next()?;
    let (_, end) = marks.iter().find(|(start, _)| *start == first)?;
    if open.contains(first) {
        return None;
    }
    let inside = text.get(first.len_utf8()..)?;
    let (value, rest) = plain(inside, |character| character == *end);
    let after = rest.get(end.len_utf8()..);
    if after.is_none() {
        open.push(first);
    }
    Some((value, after?))
}

/// A text up to where `ends` holds; a backslash keeps the character after it from ending.
fn plain(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if ends(character) => return text.split_at(at),
            _ => {}
        }
    }
    (text, "")
}

fn skip_one(text: &str) -> &str {
    let mut characters = text.chars();
    characters.next();
    characters.as_str()
}

fn clean<'t>(
    text: &'t str,
    trim: &str,
    remove: &str,
    transform: Option<Transform>,
) -> std::borrow::Cow<'t, str> {
    let trimmed = text.trim_matches(|character| trim.contains(character));
    if transform.is_none() && !trimmed.contains(|character| remove.contains(character)) {
        return trimmed.into();
    }
    let removed = trimmed.replace(|character| remove.contains(character), "");
    transform.map_or(removed.clone(), |transform| transform.apply(&removed)).into()
}
