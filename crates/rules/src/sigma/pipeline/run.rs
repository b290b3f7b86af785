//! What pipelines did to a rule so far.

use std::collections::{BTreeMap, BTreeSet};

use rsigma_parser::SigmaValue;

use super::Pipelines;

/// The state of pipelines while they go over one rule; every rule starts anew.
pub(super) struct Run<'p> {
    pub(super) pipelines: &'p Pipelines<'p>,
    /// Ids of the transformations whose conditions on the rule held.
    pub(super) applied: BTreeSet<String>,
    state: BTreeMap<String, SigmaValue>,
    /// For each field's name: ids of the transformations that made it.
    fields: BTreeMap<String, BTreeSet<String>>,
    /// Names that a mapping covers.
    mapped: BTreeSet<String>,
}

impl<'p> Run<'p> {
    pub(super) fn new(pipelines: &'p Pipelines<'p>) -> Run<'p> {
        let mut run = Run {
            pipelines,
            applied: BTreeSet::new(),
            state: BTreeMap::new(),
            fields: BTreeMap::new(),
            mapped: BTreeSet::new(),
        };
        for (name, values) in &pipelines.vars {
            if let [value] = values.as_slice() {
                run.set_state(name.clone(), value.clone());
            }
        }
        run
    }

    pub(super) fn set_state(&mut self, key: String, value: SigmaValue) {
        self.state.insert(key, value);
    }

    pub(super) fn has_state(&self, key: &str, value: &SigmaValue) -> bool {
        self.state.get(key) == Some(value)
    }

    pub(super) fn was_applied_to_field(&self, id: &str, field: &str) -> bool {
        self.fields.get(field).is_some_and(|ids| ids.contains(id))
    }

    pub(super) fn is_mapped(&self, field: &str) -> bool {
        self.mapped.contains(field)
    }

    /// Notes that a field's name became others.
    pub(super) fn renamed(&mut self, from: &str, to: &[String], id: Option<&str>, mapping: bool) {
        let mut ids = self.fields.get(from).cloned().unwrap_or_default();
        ids.extend(id.map(str::to_owned));
        for name in to {
            self.fields.entry(name.clone()).or_default().extend(ids.iter().cloned());
            if mapping || self.mapped.contains(from) {
                self.mapped.insert(name.clone());
            }
        }
    }
}
