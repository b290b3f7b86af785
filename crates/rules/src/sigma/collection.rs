//! Documents that give others their keys: `action: global`, `reset` and `repeat` of Sigma 1.
//!
//! Rules of before Sigma 2 still come so ("Rule Collections" of the old specification): a global
//! document is merged into all that follow, global ones add up until a reset, and a repeat is the
//! rule before with other keys. Keys win over those that a document is given; mappings are merged,
//! lists and plain values replaced.

use yaml_serde::Value;

use super::document::{Document, get};
use super::fault::{Fault, unknown};

const ACTIONS: &[&str] = &["global", "reset", "repeat"];

/// What the documents of a file so far give those that follow.
#[derive(Default)]
pub(super) struct Collection<'t> {
    global: Option<(Value, Document<'t>)>,
    previous: Option<(Value, Document<'t>)>,
    /// How many rules were made of shared keys.
    made: usize,
}

/// A document with all its keys.
pub(super) struct Whole<'t> {
    pub(super) document: Document<'t>,
    pub(super) value: Value,
    /// Which one it is of the rules that share keys, from 1; 0 for a document of its own.
    pub(super) number: usize,
    /// Whether what it is known by, its id or else name or title, is not its own.
    pub(super) is_named_by_others: bool,
}

impl<'t> Collection<'t> {
    /// The document with the keys that it is given; `None` where it is no rule itself. One that is
    /// `followed` by others may be repeated.
    ///
    /// # Errors
    /// Where its `action` is unknown or has nothing to act on.
    pub(super) fn complete(
        &mut self,
        document: Document<'t>,
        mut value: Value,
        followed: bool,
    ) -> Result<Option<Whole<'t>>, Fault> {
        let action = value.as_mapping_mut().and_then(|mapping| mapping.remove("action"));
        let Some(action) = action else {
            return Ok(Some(self.rule(document, value, followed)));
        };
        let place = document.key(&["action"]);
        match action.as_str().unwrap_or_default() {
            "global" => {
                self.global = Some(match self.global.take() {
                    None => (value, document),
                    Some((mut before, others)) => {
                        merge(&mut before, value);
                        (before, document.inheriting([others]))
                    }
                });
                Ok(None)
            }
            "reset" => {
                self.global = None;
                Ok(None)
            }
            "repeat" => {
                let Some((mut whole, before)) = self.previous.take() else {
                    return Err(Fault::error(place, "`action: repeat` follows no rule"));
                };
                let own = value.clone();
                // What is global by now is older than the rule before, where it is not in it anyway.
                merge(&mut whole, value);
                let is_named_by_others = !names_itself(&own, &whole);
                let document = document.inheriting([before]);
                self.previous = followed.then(|| (whole.clone(), document.clone()));
                self.made += 1;
                let number = self.made;
                Ok(Some(Whole { document, value: whole, number, is_named_by_others }))
            }
            other => Err(Fault::error(place, unknown("action", other, ACTIONS))),
        }
    }

    fn rule(&mut self, document: Document<'t>, value: Value, followed: bool) -> Whole<'t> {
        let whole = match &self.global {
            None => {
                // A repeat of it is the second.
                self.made = 1;
                Whole { document, value, number: 0, is_named_by_others: false }
            }
            Some((global, others)) => {
                let own = value.clone();
                let mut whole = global.clone();
                merge(&mut whole, value);
                let is_named_by_others = !names_itself(&own, &whole);
                let document = document.inheriting([others.clone()]);
                self.made += 1;
                Whole { document, value: whole, number: self.made, is_named_by_others }
            }
        };
        self.previous = followed.then(|| (whole.value.clone(), whole.document.clone()));
        whole
    }
}

/// Whether the document itself says what its rule is known by.
fn names_itself(own: &Value, whole: &Value) -> bool {
    let known_by = ["id", "name", "title"].into_iter().find(|key| get(whole, key).is_some());
    known_by.is_none_or(|key| get(own, key).is_some())
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Mapping(into), Value::Mapping(from)) => {
            for (key, value) in from {
                match into.get_mut(&key) {
                    Some(present) => merge(present, value),
                    None => {
                        into.insert(key, value);
                    }
                }
            }
        }
        (into, from) => *into = from,
    }
}
