//! Readers of texts that carry names and values: pure, bounded, never failing half way.
//!
//! A reader says what a text contains; where that goes in an event, and what it must not replace, is
//! the step's to say. Names come from the text as well as values do, so whoever writes the text
//! chooses them.

pub mod cef;
pub mod csv;
pub mod dissect;
pub mod kv;
pub mod logfmt;

use std::borrow::Cow;

/// How many pairs one text can give.
pub const MAX_PAIRS: usize = 1024;
/// How long a name can be, in bytes.
pub const MAX_NAME: usize = 256;

/// Names and values in the order of the text; a name may come more than once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pairs<'t> {
    pairs: Vec<(Cow<'t, str>, Cow<'t, str>)>,
    dropped: u32,
}

impl<'t> Pairs<'t> {
    /// No pairs.
    pub fn new() -> Pairs<'t> {
        Pairs::default()
    }

    /// Adds a pair, unless there are [`MAX_PAIRS`] or its name is longer than [`MAX_NAME`].
    pub fn push(&mut self, name: impl Into<Cow<'t, str>>, value: impl Into<Cow<'t, str>>) {
        let name = name.into();
        if self.pairs.len() < MAX_PAIRS && name.len() <= MAX_NAME {
            self.pairs.push((name, value.into()));
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// The pairs.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (&**name, &**value))
    }

    /// How many pairs there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// How many pairs were too many or had too long a name.
    pub fn dropped(&self) -> u32 {
        self.dropped
    }
}

impl<'t> IntoIterator for Pairs<'t> {
    type Item = (Cow<'t, str>, Cow<'t, str>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.pairs.into_iter()
    }
}

#[cfg(test)]
mod tests;
