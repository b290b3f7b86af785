//! Transformations of the names of fields.

use std::collections::BTreeMap;

use rsigma_parser::{Modifier, SigmaString, SigmaValue};

use super::Unfit;
use super::condition::{Gate, admits_field, admits_item};
use super::run::Run;
use super::subject::Subject;
use super::tree::{Item, Node};

/// How names become others.
#[derive(Clone, Debug)]
pub(super) enum Renaming {
    Names(BTreeMap<String, Vec<String>>),
    Prefixes(BTreeMap<String, Vec<String>>),
    AddPrefix(String),
    AddSuffix(String),
}

impl Renaming {
    /// The names that this one becomes; `None` where it stays.
    fn names(&self, name: &str) -> Option<Vec<String>> {
        match self {
            Renaming::Names(mapping) => mapping.get(name).cloned(),
            Renaming::Prefixes(mapping) => {
                let fitting = mapping.iter().filter_map(|(prefix, others)| {
                    Some((prefix.len(), name.strip_prefix(prefix.as_str())?, others))
                });
                let (_, rest, others) = fitting.max_by_key(|(length, ..)| *length)?;
                Some(others.iter().map(|other| format!("{other}{rest}")).collect())
            }
            Renaming::AddPrefix(prefix) => Some(vec![format!("{prefix}{name}")]),
            Renaming::AddSuffix(suffix) => Some(vec![format!("{name}{suffix}")]),
        }
    }

    fn is_mapping(&self) -> bool {
        matches!(self, Renaming::Names(_) | Renaming::Prefixes(_))
    }

    /// Renames the fields of items, those that items refer to, and those listed or grouped by.
    pub(super) fn apply(
        &self,
        subject: &mut Subject,
        run: &mut Run<'_>,
        gates: &[&Gate],
        id: Option<&str>,
    ) -> Result<(), Unfit> {
        // Names are tracked when all are changed, so that every place sees what was before.
        let mut renamed = Vec::new();
        subject.rewrite(&mut |mut item| {
            if !admits_item(gates, &item, run) {
                return Ok(Some(Node::Item(item)));
            }
            let mut changed = false;
            if item.has(Modifier::FieldRef) {
                changed = self.rename_values(&mut item, run, gates, &mut renamed);
            }
            let field = item.field.clone();
            let names = field.as_deref().filter(|field| admits_field(gates, Some(field), run));
            let names = names.and_then(|field| Some((field.to_owned(), self.names(field)?)));
            if changed || names.is_some() {
                item.applied.extend(id.map(str::to_owned));
            }
            let Some((field, names)) = names else { return Ok(Some(Node::Item(item))) };
            renamed.push((field, names.clone()));
            Ok(Some(on_fields(item, &names)))
        })?;
        let admitted = |name: &String| match admits_field(gates, Some(name), run) {
            true => self.names(name),
            false => None,
        };
        let mut fields = Vec::new();
        for name in &subject.fields {
            fields.extend(admitted(name).unwrap_or_else(|| vec![name.clone()]));
        }
        for key in &mut subject.keys {
            if let Some(names) = admitted(key) {
                let [name] = names.as_slice() else {
                    let message =
                        format!("`{key}` is grouped by or counted, and becomes several fields");
                    return Err(Unfit::new(message));
                };
                renamed.push((key.clone(), names.clone()));
                key.clone_from(name);
            }
        }
        subject.fields = fields;
        for (from, to) in renamed {
            run.renamed(&from, &to, id, self.is_mapping());
        }
        Ok(())
    }

    /// Renames the fields that an item's values refer to; whether there were any.
    fn rename_values(
        &self,
        item: &mut Item,
        run: &Run<'_>,
        gates: &[&Gate],
        renamed: &mut Vec<(String, Vec<String>)>,
    ) -> bool {
        let mut changed = false;
        let mut values = Vec::new();
        for value in item.values.drain(..) {
            let name = match &value {
                SigmaValue::String(text) => text.as_plain(),
                _ => None,
            };
            let name = name.filter(|name| admits_field(gates, Some(name), run));
            match name.and_then(|name| Some((self.names(&name)?, name))) {
                Some((names, name)) => {
                    changed = true;
                    let text = |name: &String| SigmaValue::String(SigmaString::from_raw(name));
                    values.extend(names.iter().map(text));
                    renamed.push((name, names));
                }
                None => values.push(value),
            }
        }
        item.values = values;
        changed
    }
}

/// The item on each of the fields: any may match; where it asks that something is not there, none
/// may have it, since an event has one of the fields at most.
fn on_fields(item: Item, names: &[String]) -> Node {
    let on =
        |item: &Item, name: &String| Node::Item(Item { field: Some(name.clone()), ..item.clone() });
    if let [name] = names {
        return on(&item, name);
    }
    let absent = |value: &SigmaValue| match value {
        SigmaValue::Null => true,
        SigmaValue::Bool(false) => item.has(Modifier::Exists),
        _ => false,
    };
    if item.has(Modifier::Neq) || item.values.iter().all(absent) {
        return Node::All(names.iter().map(|name| on(&item, name)).collect());
    }
    let (without, with): (Vec<SigmaValue>, Vec<SigmaValue>) =
        item.values.iter().cloned().partition(absent);
    let present = Item { values: with, ..item.clone() };
    let mut nodes: Vec<Node> = names.iter().map(|name| on(&present, name)).collect();
    if !without.is_empty() && !item.has(Modifier::All) {
        let missing = Item { values: without, ..item.clone() };
        nodes.push(Node::All(names.iter().map(|name| on(&missing, name)).collect()));
    }
    Node::Any(nodes)
}
