//! An attribute that Sigma lacks: `bergfried: first-seen`, "never seen before".
//!
//! The other one has the file beside this.

use serde::Deserialize;
use yaml_serde::Value;

use super::alert::ALERT;
use super::correlation::timespan;
use super::document::{Document, get};
use super::fault::{Fault, unknown};
use crate::fields::Names;
use crate::rule::{AnyName, FirstSeen};

/// The key of a rule under which our own attributes stand.
pub(super) const KEY: &str = "bergfried";
const FIRST_SEEN: &str = "first-seen";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstSeenAttribute {
    #[serde(rename = "group-by")]
    group_by: Vec<String>,
    baseline: String,
    learning: String,
}

/// A rule's `first-seen` with its fields as they are called there.
pub(super) struct FirstSeenDraft {
    group_by: Vec<String>,
    baseline: String,
    learning: i64,
}

impl FirstSeenDraft {
    /// The names of its fields.
    pub(super) fn names(&self) -> Vec<String> {
        self.group_by.iter().chain([&self.baseline]).cloned().collect()
    }

    /// Gives its fields other names, in the order of [`FirstSeenDraft::names`].
    pub(super) fn rename(&mut self, names: Vec<String>) {
        let own = self.group_by.iter_mut().chain([&mut self.baseline]);
        own.zip(names).for_each(|(own, name)| *own = name);
    }

    /// The same with the fields of events.
    pub(super) fn resolve(&self, names: Names<'_>) -> FirstSeen {
        FirstSeen {
            group_by: self.group_by.iter().map(|name| AnyName(names.fields(name))).collect(),
            baseline: AnyName(names.fields(&self.baseline)),
            learning: self.learning,
        }
    }
}

/// Refuses what is none of our own attributes.
pub(super) fn check(document: &Document<'_>, value: &Value, faults: &mut Vec<Fault>) {
    let Some(section) = get(value, KEY) else { return };
    let Some(mapping) = section.as_mapping() else {
        let message = format!("`{KEY}` must be a mapping of {FIRST_SEEN} or {ALERT}");
        faults.push(Fault::error(document.key(&[KEY]), message));
        return;
    };
    for (key, _) in mapping {
        let key = key.as_str().unwrap_or_default();
        if ![FIRST_SEEN, ALERT].contains(&key) {
            let message = unknown("key", key, &[FIRST_SEEN, ALERT]);
            faults.push(Fault::error(document.key(&[KEY, key]), message));
        }
    }
}

/// The rule's `first-seen`, where it has one.
pub(super) fn first_seen(
    document: &Document<'_>,
    value: &Value,
) -> Result<Option<FirstSeenDraft>, Fault> {
    let Some(value) = get(value, KEY).and_then(|own| get(own, FIRST_SEEN)) else {
        return Ok(None);
    };
    let fault =
        |key: &str, message: String| Fault::error(document.key(&[KEY, FIRST_SEEN, key]), message);
    let attribute: FirstSeenAttribute = yaml_serde::from_value(value.clone())
        .map_err(|error| fault("", format!("cannot read `{KEY}`: {FIRST_SEEN}: {error}")))?;
    if attribute.group_by.is_empty() {
        return Err(fault("group-by", "`group-by` must name at least one field".to_owned()));
    }
    let learning = timespan(&attribute.learning).map_err(|message| fault("learning", message))?;
    Ok(Some(FirstSeenDraft {
        group_by: attribute.group_by,
        baseline: attribute.baseline,
        learning,
    }))
}
