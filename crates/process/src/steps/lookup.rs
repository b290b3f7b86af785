//! `lookup`: fields from a table, by what a field holds: the group, region or owner of a host.

mod table;

use std::collections::BTreeMap;

use bergfried_event::{Event, FieldName};
use serde::{Deserialize, Serialize};

use super::cidr::first;
use super::{Action, Kind, Outcome};
use crate::compile::Compile;
use crate::config::StepFile;
use crate::name;
use crate::scene::Scene;
use crate::texts::Texts;
use table::{Keys, Row, Table};

/// `lookup = { field = "host.name", file = "hosts.csv", fields = { owner = "host.owner" } }`, or with
/// `entries` and `target` where the table is short.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupFile {
    /// The field whose value is looked for.
    pub field: String,
    /// A CSV file, read again with the configuration; at most 64 MiB, 1,000,000 rows, 256 columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The names of the file's columns, where its first line does not have them.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub columns: Texts,
    /// The column that is compared with the field; absent: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Column → the field that it becomes; absent: each column but the key, under its own name. An
    /// empty cell becomes no field.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// Value of the field → what `target` becomes, in place of a file.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub entries: BTreeMap<String, String>,
    /// The field that an entry becomes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// How keys are compared; absent: `exact`.
    #[serde(default, rename = "match", skip_serializing_if = "Match::is_exact")]
    pub how: Match,
    /// Field → its value where no key fits; the step has then succeeded.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub default: BTreeMap<String, String>,
    /// Whether fields that are there already are replaced. Absent: true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub overwrite: bool,
}

/// How a key is compared with a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Match {
    /// They are the same, letter by letter.
    #[default]
    Exact,
    /// They are the same but for their case.
    Caseless,
    /// The key is a network or an address; of several that fit, the narrowest.
    Network,
    /// The key has the wildcards `*` and `?`, case does not matter; of several that fit, the first.
    /// At most 10,000 keys.
    Glob,
}

impl Match {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
    fn is_exact(&self) -> bool {
        *self == Match::Exact
    }
}

fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_yes(value: &bool) -> bool {
    *value
}

pub(crate) const KIND: Kind = Kind {
    key: "lookup",
    about: "Adds fields from a table (CSV), by the row whose key fits a field: exactly, by network or \
            by wildcards.",
    example: "lookup = { field = \"host.name\", entries = { gate = \"edge\", \"web*\" = \"shop\" }, \
              match = \"glob\", target = \"host.group\" }",
    failure_tag: None,
    is_set: |step| step.lookup.is_some(),
    compile,
    files: |step| step.lookup.iter().filter_map(|lookup| lookup.file.clone()).collect(),
};

struct Lookup {
    field: FieldName<'static>,
    keys: Keys,
    default: Option<Row>,
    overwrite: bool,
}

fn compile(step: &StepFile, compile: &mut Compile<'_>) -> Option<Box<dyn Action>> {
    let file = step.lookup.as_ref()?;
    let field = compile.readable("field", &file.field)?;
    let default: Row = compile.at("default", |compile| {
        let each = file.default.iter().filter_map(|(name, value)| {
            let name = compile.at(name, |compile| compile.writable_here(name))?;
            Some((name, value.as_str().into()))
        });
        each.collect()
    });
    let table = match (&file.file, file.entries.is_empty()) {
        (Some(path), true) => {
            if file.target.is_some() {
                compile.mistake("`target` is for `entries`, `fields` for `file`".to_owned());
            }
            Table::of_file(path, file, compile)?
        }
        (None, false) => {
            for (key, given) in [
                ("columns", !file.columns.is_empty()),
                ("key", file.key.is_some()),
                ("fields", !file.fields.is_empty()),
            ] {
                if given {
                    compile.at(key, |compile| {
                        compile.mistake(format!("`{key}` is for `file`, not for `entries`"));
                    });
                }
            }
            let Some(target) = &file.target else {
                compile.mistake("`target` is missing, which an entry becomes".to_owned());
                return None;
            };
            Table::of_entries(&file.entries, compile.writable("target", target)?)
        }
        (None, true) => {
            compile.mistake("`file` or `entries` is missing".to_owned());
            return None;
        }
        (Some(_), false) => {
            compile.mistake("`file` and `entries` cannot both be given".to_owned());
            return None;
        }
    };
    let keys = table.keyed(file.how, compile)?;
    let default = (!default.is_empty()).then_some(default);
    Some(Box::new(Lookup { field, keys, default, overwrite: file.overwrite }))
}

impl Action for Lookup {
    fn run<'e>(&'e self, event: &mut Event<'e>, scene: &mut Scene<'_>) -> Outcome {
        let Some(value) = name::value(event, &self.field) else { return Outcome::Missing };
        let found = first(&value, &|text| self.keys.get(text));
        let Some(row) = found.or(self.default.as_ref()) else {
            return Outcome::Failed("no key of the table fits".into());
        };
        for (name, value) in row {
            if self.overwrite || event.get_named(name).is_none() {
                scene.set(event, name.borrowed(), &**value);
            }
        }
        Outcome::Done
    }
}

#[cfg(test)]
mod tests;
