//! What a match knows: the lines, the groups of its expression, names for them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::template::{Name, Values, Variable};
use crate::text::{Shared, Text};

/// Bytes that many hold.
pub(crate) type Bytes = Arc<[u8]>;

/// The variables of a match.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Match {
    /// `$0`.
    pub lines: Option<Bytes>,
    /// `$1` and on, as parts of `lines` or as values of code.
    pub groups: Groups,
    /// Names for groups; the first that is set counts.
    pub names: Names,
    /// `$+{_inputsrc}`.
    pub source: Option<Bytes>,
    /// `$+{_intcontext}`.
    pub context: Option<Bytes>,
    /// Other named ones: what code set, fields of the event.
    pub others: Vec<(Box<str>, Option<Bytes>)>,
}

impl Default for Match {
    fn default() -> Self {
        Self {
            lines: None,
            groups: Groups::None,
            names: Arc::from([]),
            source: None,
            context: None,
            others: Vec::new(),
        }
    }
}

/// Names for numbered variables.
pub(crate) type Names = Arc<[(Box<str>, usize)]>;

/// `$1` and on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) enum Groups {
    /// There are none, not even `$1`.
    #[default]
    None,
    /// An expression without groups matched: `$1` is 1.
    One,
    /// Where they begin and end in the lines.
    Spans(Box<[Option<(u32, u32)>]>),
    /// What code gave back.
    Values(Box<[Option<Bytes>]>),
}

impl Match {
    /// The value of a variable, where it is set.
    pub(crate) fn get(&self, name: &Name) -> Option<&[u8]> {
        match name {
            Name::Number(number) => self.number(*number),
            Name::Named(name) => self.named(name),
        }
    }

    fn named(&self, name: &str) -> Option<&[u8]> {
        if let Some((_, value)) = self.others.iter().find(|(known, _)| **known == *name) {
            return value.as_deref();
        }
        let numbers =
            self.names.iter().filter(|(known, _)| **known == *name).map(|(_, number)| *number);
        let group = numbers.filter_map(|number| self.number(number)).next();
        group.or(match name {
            "_inputsrc" => self.source.as_deref(),
            "_intcontext" => self.context.as_deref(),
            _ => None,
        })
    }

    /// `$N`.
    pub(crate) fn number(&self, number: usize) -> Option<&[u8]> {
        let Some(index) = number.checked_sub(1) else { return self.lines.as_deref() };
        match &self.groups {
            Groups::None => None,
            Groups::One => (index == 0).then_some(b"1"),
            Groups::Spans(spans) => {
                let (start, end) = (*spans.get(index)?)?;
                self.lines.as_deref()?.get(start as usize..end as usize)
            }
            Groups::Values(values) => values.get(index)?.as_deref(),
        }
    }

    /// Sets a named variable.
    pub(crate) fn set(&mut self, name: &str, value: Option<Bytes>) {
        match self.others.iter_mut().find(|(known, _)| **known == *name) {
            Some((_, old)) => *old = value,
            None => self.others.push((name.into(), value)),
        }
    }

    /// All variables by name, as code in Perl sees an entry of the match cache.
    pub(crate) fn all(&self) -> Vec<(Vec<u8>, Option<Vec<u8>>)> {
        let numbers = match &self.groups {
            Groups::None => 0,
            Groups::One => 1,
            Groups::Spans(spans) => spans.len(),
            Groups::Values(values) => values.len(),
        };
        let numbered =
            (0..=numbers).filter(|number| *number > 0 || self.lines.is_some()).map(|number| {
                (number.to_string().into_bytes(), self.number(number).map(<[u8]>::to_vec))
            });
        let owned = |value: Option<&[u8]>| value.map(<[u8]>::to_vec);
        let named = self
            .names
            .iter()
            .map(|(name, number)| (name.as_bytes().to_vec(), owned(self.number(*number))));
        let special = [("_inputsrc", &self.source), ("_intcontext", &self.context)];
        let special = special
            .into_iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), owned(value.as_deref())));
        let others = self
            .others
            .iter()
            .map(|(name, value)| (name.as_bytes().to_vec(), owned(value.as_deref())));
        numbered
            .chain(special)
            .chain(named.filter(|(_, value)| value.is_some()))
            .chain(others)
            .collect()
    }
}

/// The variables that a rule's texts are filled in with, kept as long as an operation or a context
/// needs them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Bound {
    /// Of the match.
    pub found: Option<Arc<Match>>,
    /// Of a pair's first match.
    pub first: Option<Arc<Match>>,
    /// Entries of the match cache that the rule's texts name.
    pub cached: Vec<(Box<str>, Arc<Match>)>,
}

impl Bound {
    /// The value of a match variable, where it is set.
    pub(crate) fn get(&self, variable: &Variable) -> Option<&[u8]> {
        match variable {
            Variable::Match(name) => self.found.as_deref()?.get(name),
            Variable::First(name) => self.first.as_deref()?.get(name),
            Variable::Cached(entry, name) => {
                self.cached.iter().find(|(known, _)| known == entry)?.1.get(name)
            }
            Variable::List(_) => None,
        }
    }
}

impl Values for Bound {
    fn push(&self, variable: &Variable, to: &mut Text) {
        if let Some(value) = self.get(variable) {
            to.push_data(value);
        }
    }
}

/// What an action list runs with.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Scene {
    /// Match variables.
    pub bound: Arc<Bound>,
    /// `%s`.
    pub description: Shared,
}
