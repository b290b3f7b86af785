//! A value of a YAML file and where it stands, so that a fault in it can be placed.

use rsigma_parser::SigmaValue;
use yaml_serde::Value;

use super::place::{self, Step};
use crate::sigma::document::{Document, Place, keys};
use crate::sigma::fault::{Fault, unknown};

/// A value and the way to it.
#[derive(Clone, Debug)]
pub(crate) struct At<'v> {
    pub(crate) value: &'v Value,
    path: Vec<Step>,
}

/// What is wrong with the value at a path.
#[derive(Debug)]
pub(crate) struct Wrong {
    path: Vec<Step>,
    message: String,
}

impl Wrong {
    pub(crate) fn fault(self, document: &Document<'_>) -> Fault {
        Fault::error(place::find(document, &self.path), self.message)
    }

    pub(crate) fn warning(self, document: &Document<'_>) -> Fault {
        Fault::warning(place::find(document, &self.path), self.message)
    }
}

impl<'v> At<'v> {
    pub(crate) fn top(value: &'v Value) -> At<'v> {
        At { value, path: Vec::new() }
    }

    pub(crate) fn wrong(&self, message: impl Into<String>) -> Wrong {
        Wrong { path: self.path.clone(), message: message.into() }
    }

    /// Where it stands.
    pub(crate) fn place(&self, document: &Document<'_>) -> Place {
        place::find(document, &self.path)
    }

    fn step(&self, value: &'v Value, step: Step) -> At<'v> {
        let path = self.path.iter().cloned().chain([step]).collect();
        At { value, path }
    }

    /// The value of a key; `None` where the key is not there.
    pub(crate) fn get(&self, key: &str) -> Option<At<'v>> {
        let value = self.value.as_mapping()?.get(Value::String(key.to_owned()))?;
        Some(self.step(value, Step::Key(key.to_owned())))
    }

    /// The value of a key that must be there.
    pub(crate) fn need(&self, key: &str) -> Result<At<'v>, Wrong> {
        self.get(key).ok_or_else(|| self.wrong(format!("missing `{key}`")))
    }

    /// Refuses keys other than these.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Wrong> {
        match keys(self.value).find(|key| !known.contains(key)) {
            None => Ok(()),
            Some(key) => {
                let path = self.path.iter().cloned().chain([Step::Key(key.to_owned())]).collect();
                Err(Wrong { path, message: unknown("key", key, known) })
            }
        }
    }

    pub(crate) fn text(&self) -> Result<&'v str, Wrong> {
        self.value.as_str().ok_or_else(|| self.wrong("expected a text"))
    }

    /// A key's text, where the key is there.
    pub(crate) fn text_of(&self, key: &str) -> Result<Option<&'v str>, Wrong> {
        self.get(key).map(|at| at.text()).transpose()
    }

    /// A text, or a list of texts that is not empty.
    pub(crate) fn texts(&self) -> Result<Vec<String>, Wrong> {
        match self.value {
            Value::String(text) => Ok(vec![text.clone()]),
            Value::Sequence(list) if !list.is_empty() => {
                self.list()?.iter().map(|at| at.text().map(str::to_owned)).collect()
            }
            _ => Err(self.wrong("expected a text or a list of texts that is not empty")),
        }
    }

    /// A key's `true` or `false`; `false` where the key is not there.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, Wrong> {
        let Some(at) = self.get(key) else { return Ok(false) };
        at.value.as_bool().ok_or_else(|| at.wrong(format!("`{key}` must be true or false")))
    }

    /// A key's word, which must be one of these.
    pub(crate) fn word<T: Copy>(&self, key: &str, known: &[(&str, T)]) -> Result<Option<T>, Wrong> {
        let Some(at) = self.get(key) else { return Ok(None) };
        let word = at.text()?;
        let found = known.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        found.map(Some).ok_or_else(|| at.wrong(unknown(key, word, &names)))
    }

    /// The values of a list.
    pub(crate) fn list(&self) -> Result<Vec<At<'v>>, Wrong> {
        let list = self.value.as_sequence().ok_or_else(|| self.wrong("expected a list"))?;
        let step = |(index, value)| self.step(value, Step::Index(index));
        Ok(list.iter().enumerate().map(step).collect())
    }

    /// The keys and values of a mapping that is not empty.
    pub(crate) fn entries(&self) -> Result<Vec<(&'v str, At<'v>)>, Wrong> {
        let mapping = self.value.as_mapping().filter(|mapping| !mapping.is_empty());
        let mapping = mapping.ok_or_else(|| self.wrong("expected a mapping that is not empty"))?;
        let entry = |(key, value): (&'v Value, &'v Value)| {
            let key = key.as_str().ok_or_else(|| self.wrong("a key must be a text"))?;
            Ok((key, self.step(value, Step::Key(key.to_owned()))))
        };
        mapping.iter().map(entry).collect()
    }

    /// A text, a number, true, false or null.
    pub(crate) fn scalar(&self) -> Result<SigmaValue, Wrong> {
        match self.value {
            Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => {
                Err(self.wrong("expected a text, a number, true, false or null"))
            }
            value => Ok(SigmaValue::from_yaml(value)),
        }
    }

    /// A scalar, or a list of scalars that is not empty.
    pub(crate) fn scalars(&self) -> Result<Vec<SigmaValue>, Wrong> {
        match self.value {
            Value::Sequence(list) if list.is_empty() => {
                Err(self.wrong("expected at least one value"))
            }
            Value::Sequence(_) => self.list()?.iter().map(At::scalar).collect(),
            _ => self.scalar().map(|value| vec![value]),
        }
    }
}
