//! Definitions of patterns by name.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::error::GrokError;
use crate::standard::{self, Names};

/// How many definitions a set may have.
const MAX_DEFINITIONS: usize = 10_000;
/// How long a definition may be, in bytes.
const MAX_DEFINITION: usize = 64 * 1024;

/// A set of definitions: a name, and the expression that it stands for.
#[derive(Clone, Debug, Default)]
pub struct Patterns {
    definitions: HashMap<Cow<'static, str>, Cow<'static, str>>,
}

impl Patterns {
    /// No definitions.
    pub fn empty() -> Patterns {
        Patterns::default()
    }

    /// Logstash's standard set, with the names of fields in the Elastic Common Schema.
    pub fn standard() -> Patterns {
        Patterns::with_names(Names::Ecs)
    }

    /// Logstash's standard set, with one or the other names of fields.
    pub fn with_names(names: Names) -> Patterns {
        let mut patterns = Patterns::empty();
        for (name, expression) in standard::definitions(names) {
            patterns.definitions.insert(name.into(), expression.into());
        }
        patterns
    }

    /// Adds the definitions of a pattern file: `NAME expression` on each line, `#` starts a comment.
    /// Later definitions replace those before.
    ///
    /// # Errors
    ///
    /// The first line that is no definition; those before it were taken.
    pub fn add_file_text(&mut self, text: &str) -> Result<(), GrokError> {
        for (number, line) in text.lines().enumerate() {
            let trimmed = line.trim_start();
            if trimmed.is_empty() || trimmed.starts_with('#') {
                continue;
            }
            let error = |message: String| GrokError::Definition { line: number + 1, message };
            let (name, expression) = match trimmed.split_once(char::is_whitespace) {
                Some((name, expression)) => (name, expression.trim_start()),
                None => return Err(error(format!("{trimmed} has no expression after its name"))),
            };
            self.define(name, expression).map_err(error)?;
        }
        Ok(())
    }

    /// Adds one definition, in place of one with that name.
    ///
    /// # Errors
    ///
    /// What is wrong with the name or the size of the expression. Whether it can be compiled shows
    /// where it is used.
    pub fn define(&mut self, name: &str, expression: &str) -> Result<(), String> {
        let letter = |character: char| character.is_ascii_alphanumeric() || character == '_';
        if name.is_empty() || !name.chars().all(letter) {
            return Err(format!(
                "a pattern's name has letters, digits and underscores, {name:?} does not"
            ));
        }
        if expression.len() > MAX_DEFINITION {
            return Err(format!("the pattern {name} is longer than {MAX_DEFINITION} bytes"));
        }
        let new = !self.definitions.contains_key(name);
        if new && self.definitions.len() >= MAX_DEFINITIONS {
            return Err(format!("more than {MAX_DEFINITIONS} patterns"));
        }
        self.definitions.insert(name.to_owned().into(), expression.to_owned().into());
        Ok(())
    }

    /// The expression that a name stands for.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.definitions.get(name).map(|expression| &**expression)
    }

    /// All names, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.definitions.keys().map(|name| &**name).collect();
        names.sort_unstable();
        names
    }

    /// The defined name that is most like another, if one is like it.
    pub(crate) fn nearest(&self, name: &str) -> Option<String> {
        let upper = name.to_ascii_uppercase();
        self.names()
            .into_iter()
            .map(|known| (distance(&upper, &known.to_ascii_uppercase()), known))
            .filter(|(distance, _)| *distance <= 1 + name.len() / 4)
            .min()
            .map(|(_, known)| known.to_owned())
    }
}

/// How many letters have to be changed, added or taken away to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, left) in one.bytes().enumerate() {
        let mut above_left = at;
        let mut last = at + 1;
        let mut next = vec![last];
        for (right, above) in other.bytes().zip(row.iter().skip(1)) {
            last = (above_left + usize::from(left != right)).min(above + 1).min(last + 1);
            above_left = *above;
            next.push(last);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_pattern_files() {
        let mut patterns = Patterns::empty();
        patterns
            .add_file_text("# comment\n\nPOSTFIX_QUEUEID [0-9A-F]{10,11}\n  X\t a b \r\nX c")
            .unwrap();
        assert_eq!(patterns.names(), ["POSTFIX_QUEUEID", "X"]);
        assert_eq!(patterns.get("POSTFIX_QUEUEID"), Some("[0-9A-F]{10,11}"));
        assert_eq!(patterns.get("X"), Some("c"));
        let error = patterns.add_file_text("A b\nLONELY").unwrap_err();
        assert_eq!(error.to_string(), "line 2: LONELY has no expression after its name");
        assert!(patterns.add_file_text("A-B c").unwrap_err().to_string().contains("\"A-B\""));
    }

    #[test]
    fn counts_the_distance_of_words() {
        for (one, other, expected) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("IPP", "IP", 1)]
        {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn names_the_nearest() {
        let patterns = Patterns::standard();
        assert_eq!(patterns.nearest("SYSLOGTIMESTMP").as_deref(), Some("SYSLOGTIMESTAMP"));
        assert_eq!(patterns.nearest("greedydata").as_deref(), Some("GREEDYDATA"));
        assert_eq!(patterns.nearest("ENTIRELYDIFFERENT"), None);
    }
}
