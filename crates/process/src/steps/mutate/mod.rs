//! `mutate`: changes fields, in Logstash's order whatever order it is written in.

mod change;

use std::collections::BTreeMap;

use bergfried_event::{Event, FieldName, Value};
use regex::Regex;
use serde::{Deserialize, Serialize};

use super::{Action, Kind, Outcome, no_files};
use crate::compile::Compile;
use crate::config::StepFile;
use crate::options::remove;
use crate::scene::{Scene, append};
use crate::template::Template;
use crate::texts::Texts;
use change::{Letters, Type};

/// The most bytes of one compiled expression of `gsub`.
const REGEX_SIZE: usize = 1 << 20;

/// `mutate = { rename = { src = "source.ip" }, lowercase = "user.name" }`. Done in the order in which
/// the keys stand here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MutateFile {
    /// Field → the text that it gets where it is null.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub coerce: BTreeMap<String, String>,
    /// Field → its new name; what has that name is replaced.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rename: BTreeMap<String, String>,
    /// Field → its new text, where the field is there; `%{field}` is replaced.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub update: BTreeMap<String, String>,
    /// Field → its new text, also where the field is not there; `%{field}` is replaced.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub replace: BTreeMap<String, String>,
    /// Field → `integer`, `integer_eu`, `float`, `float_eu`, `string` or `boolean`; `_eu` has the
    /// comma before the fraction. What cannot be converted stays as it is, and the step has failed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub convert: BTreeMap<String, String>,
    /// Field, regular expression (linear time) and replacement, in which `\1` is the first group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gsub: Vec<[String; 3]>,
    /// Fields whose letters become upper case.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub uppercase: Texts,
    /// Fields whose first letter becomes upper case and whose others lower case.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub capitalize: Texts,
    /// Fields whose letters become lower case.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub lowercase: Texts,
    /// Fields that lose white space at both ends.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub strip: Texts,
    /// Fields that are removed.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub remove: Texts,
    /// Field → the text between the values of the list that it becomes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub split: BTreeMap<String, String>,
    /// Field that is a list → the text that is put between its values, which become one text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub join: BTreeMap<String, String>,
    /// Field → fields whose values are added to it; they become one list.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub merge: BTreeMap<String, Texts>,
    /// Field → the field that becomes the same.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub copy: BTreeMap<String, String>,
}

pub(crate) const KIND: Kind = Kind {
    key: "mutate",
    about: "Changes fields: renames, converts, replaces, splits and joins, always in the order \
            coerce, rename, update, replace, convert, gsub, uppercase, capitalize, lowercase, strip, \
            remove, split, join, merge, copy.",
    example: "mutate = { rename = { src = \"source.ip\" }, convert = { bytes = \"integer\" }, \
              gsub = [[\"message\", '\\s+', \" \"]], lowercase = \"user.name\" }",
    failure_tag: Some("_mutate_error"),
    is_set: |step| step.mutate.is_some(),
    compile,
    files: no_files,
};

type Name = FieldName<'static>;

/// One change of one field.
enum Change {
    Coerce(Name, Template),
    Rename(Name, Name),
    Update(Name, Template),
    Replace(Name, Template),
    Convert(Name, Type),
    Substitute(Name, Regex, String),
    Letters(Name, Letters),
    Remove(Name),
    Split(Name, String),
    Join(Name, String),
    Merge(Name, Name),
    Copy(Name, Name),
}

struct Mutate {
    changes: Vec<Change>,
}

fn compile(step: &StepFile, compile: &mut Compile<'_>) -> Option<Box<dyn Action>> {
    let file = step.mutate.as_ref()?;
    let mut changes = Vec::new();
    let made = &mut changes;
    texts("coerce", &file.coerce, Change::Coerce, made, compile);
    pairs("rename", &file.rename, Change::Rename, (true, true), made, compile);
    texts("update", &file.update, Change::Update, made, compile);
    texts("replace", &file.replace, Change::Replace, made, compile);
    compile.at("convert", |compile| {
        for (name, kind) in &file.convert {
            compile.at(name, |compile| {
                let name = compile.writable_here(name);
                match kind.parse::<Type>() {
                    Ok(kind) => made.extend(name.map(|name| Change::Convert(name, kind))),
                    Err(error) => compile.mistake(error),
                }
            });
        }
    });
    compile.at("gsub", |compile| {
        for (index, [name, pattern, replacement]) in file.gsub.iter().enumerate() {
            compile.nth(index, |compile| {
                let name = compile.writable_here(name);
                let regex = regex::RegexBuilder::new(pattern).size_limit(REGEX_SIZE).build();
                match regex {
                    Ok(regex) => made.extend(name.map(|name| {
                        Change::Substitute(name, regex, change::replacement(replacement))
                    })),
                    Err(error) => {
                        let error = error.to_string();
                        let reason = error.lines().last().unwrap_or_default();
                        compile.mistake(format!("cannot use the expression `{pattern}`: {reason}"));
                    }
                }
            });
        }
    });
    for (key, names, letters) in [
        ("uppercase", &file.uppercase, Letters::Upper),
        ("capitalize", &file.capitalize, Letters::Capital),
        ("lowercase", &file.lowercase, Letters::Lower),
        ("strip", &file.strip, Letters::Stripped),
    ] {
        names_of(key, names, |name| Change::Letters(name, letters), made, compile);
    }
    names_of("remove", &file.remove, Change::Remove, made, compile);
    plain("split", &file.split, Change::Split, made, compile);
    plain("join", &file.join, Change::Join, made, compile);
    compile.at("merge", |compile| {
        for (name, sources) in &file.merge {
            compile.at(name, |compile| {
                let name = compile.writable_here(name);
                for source in &sources.0 {
                    let source = compile.readable_here(source);
                    made.extend(
                        name.clone().zip(source).map(|(name, from)| Change::Merge(name, from)),
                    );
                }
            });
        }
    });
    pairs("copy", &file.copy, Change::Copy, (false, true), made, compile);
    Some(Box::new(Mutate { changes }))
}

fn texts(
    key: &str,
    map: &BTreeMap<String, String>,
    change: fn(Name, Template) -> Change,
    made: &mut Vec<Change>,
    compile: &mut Compile<'_>,
) {
    compile.at(key, |compile| {
        for (name, text) in map {
            compile.at(name, |compile| {
                let name = compile.writable_here(name);
                let template = compile.template(text);
                made.extend(name.zip(template).map(|(name, template)| change(name, template)));
            });
        }
    });
}

/// Pairs of names; `sets` says which of the two are set and so must not be the hub's own.
fn pairs(
    key: &str,
    map: &BTreeMap<String, String>,
    change: fn(Name, Name) -> Change,
    sets: (bool, bool),
    made: &mut Vec<Change>,
    compile: &mut Compile<'_>,
) {
    compile.at(key, |compile| {
        for (from, to) in map {
            compile.at(from, |compile| {
                let mut name = |text: &str, set: bool| {
                    if set { compile.writable_here(text) } else { compile.readable_here(text) }
                };
                let (from, to) = (name(from, sets.0), name(to, sets.1));
                made.extend(from.zip(to).map(|(from, to)| change(from, to)));
            });
        }
    });
}

fn plain(
    key: &str,
    map: &BTreeMap<String, String>,
    change: fn(Name, String) -> Change,
    made: &mut Vec<Change>,
    compile: &mut Compile<'_>,
) {
    compile.at(key, |compile| {
        for (name, text) in map {
            compile.at(name, |compile| {
                made.extend(compile.writable_here(name).map(|name| change(name, text.clone())));
            });
        }
    });
}

fn names_of(
    key: &str,
    names: &Texts,
    change: impl Fn(Name) -> Change,
    made: &mut Vec<Change>,
    compile: &mut Compile<'_>,
) {
    compile.at(key, |compile| {
        for (index, name) in names.0.iter().enumerate() {
            compile.nth(index, |compile| made.extend(compile.writable_here(name).map(&change)));
        }
    });
}

impl Action for Mutate {
    fn run<'e>(&'e self, event: &mut Event<'e>, scene: &mut Scene<'_>) -> Outcome {
        let mut failed = None;
        for change in &self.changes {
            if !change.make(event, scene) && failed.is_none() {
                failed = Some(change);
            }
        }
        match failed {
            Some(Change::Convert(name, kind)) => {
                Outcome::Failed(format!("cannot convert `{name}` to {}", kind.name()).into())
            }
            Some(_) | None => Outcome::Done,
        }
    }
}

impl Change {
    /// Makes it; false where the value is none that it can be made of.
    fn make<'e>(&'e self, event: &mut Event<'e>, scene: &mut Scene<'_>) -> bool {
        match self {
            Change::Coerce(name, text) => {
                if event.get_named(name) == Some(&Value::Null) {
                    let text = text.render(event, scene.context.received);
                    scene.set(event, name.borrowed(), text);
                }
            }
            Change::Rename(from, to) => {
                if from != to
                    && let Some(value) = event.take_named(from)
                {
                    event.set_named(to.borrowed(), value);
                }
            }
            Change::Update(name, text) => {
                if event.get_named(name).is_some() {
                    let text = text.render(event, scene.context.received);
                    scene.set(event, name.borrowed(), text);
                }
            }
            Change::Replace(name, text) => {
                let text = text.render(event, scene.context.received);
                scene.set(event, name.borrowed(), text);
            }
            Change::Convert(name, kind) => {
                let Some(value) = event.get_named_mut(name) else { return true };
                return kind.convert(value);
            }
            Change::Substitute(name, regex, replacement) => {
                if let Some(value) = event.get_named_mut(name) {
                    change::substitute(value, regex, replacement);
                }
            }
            Change::Letters(name, letters) => {
                if let Some(value) = event.get_named_mut(name) {
                    letters.change(value);
                }
            }
            Change::Remove(name) => remove(event, name),
            Change::Split(name, between) => {
                if let Some(Value::Text(text)) = event.get_named(name) {
                    let parts = change::split(text, between);
                    scene.set(event, name.borrowed(), Value::List(parts));
                }
            }
            Change::Join(name, between) => {
                if let Some(Value::List(values)) = event.get_named(name) {
                    let texts: Vec<_> = values.iter().map(Value::to_text).collect();
                    let joined = texts.join(between);
                    scene.set(event, name.borrowed(), joined);
                }
            }
            Change::Merge(name, from) => {
                let Some(more) = crate::name::value(event, from) else { return true };
                match event.get_named_mut(name) {
                    Some(value) => append(value, more),
                    None => scene.set(event, name.borrowed(), more),
                }
            }
            Change::Copy(from, to) => {
                if let Some(value) = crate::name::value(event, from) {
                    scene.set(event, to.borrowed(), value);
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests;
