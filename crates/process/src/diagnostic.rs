//! What is wrong with a chain, and where in its file.

use std::fmt;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// One part of the way to a value in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// A key of a table.
    Key(String),
    /// An element of a list, counted from 0.
    Index(usize),
}

/// Something wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where, from the top of the file: `chain`, 0, `step`, 2, `grok`, `patterns`, 1.
    pub path: Vec<Part>,
    /// What, what was expected, and the nearest valid word where there is one.
    pub message: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.path.iter().enumerate() {
            match part {
                Part::Key(key) if place == 0 => f.write_str(key)?,
                Part::Key(key) => write!(f, ".{key}")?,
                Part::Index(index) => write!(f, "[{index}]")?,
            }
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Diagnostic {}

impl Diagnostic {
    /// The bytes of the file's text that it is about; of a value that is not there, those of the
    /// innermost table around it.
    pub fn locate(&self, text: &str) -> Range<usize> {
        let Ok(table) = DeTable::parse(text) else { return 0..0 };
        let mut span = 0..0;
        let mut value = DeValue::Table(table.into_inner());
        for part in &self.path {
            let inner = match (part, value) {
                (Part::Key(key), DeValue::Table(table)) => table
                    .into_iter()
                    .find(|(name, _)| name.get_ref() == key.as_str())
                    .map(|(name, value)| {
                        let key = name.span();
                        (key, value)
                    }),
                (Part::Index(index), DeValue::Array(array)) => {
                    array.into_iter().nth(*index).map(|value| (value.span(), value))
                }
                // A single text stands for a list of one.
                (Part::Index(0), single @ DeValue::String(_)) => {
                    value = single;
                    continue;
                }
                _ => None,
            };
            let Some((key, inner)) = inner else { return span };
            let own = inner.span();
            span = if matches!(inner.get_ref(), DeValue::Table(_)) { key } else { own };
            value = inner.into_inner();
        }
        span
    }
}
