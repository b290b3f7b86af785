//! One transformation of a pipeline, and what it does to a rule.

use rsigma_parser::{FieldSpec, SigmaValue};
use yaml_serde::Value;

use super::Unfit;
use super::condition::{Gate, Group, RuleCondition, admits};
use super::fields::Renaming;
use super::hashes::SplitHashes;
use super::placeholder::{self, Choice, Filling};
use super::run::Run;
use super::subject::{Kind, Subject};
use super::tree::{Item, Node};
use super::values::Revaluing;
use crate::logsource::LogSource;

/// What to do, and when.
#[derive(Clone, Debug)]
pub(super) struct Transformation {
    pub(super) id: Option<String>,
    pub(super) when: Group<RuleCondition>,
    pub(super) gate: Gate,
    pub(super) action: Action,
}

/// What to do.
#[derive(Clone, Debug)]
pub(super) enum Action {
    Rename(Renaming),
    AddFields(Vec<String>),
    RemoveFields(Vec<String>),
    SetFields(Vec<String>),
    Drop,
    AddCondition(AddedCondition),
    ChangeLogSource(LogSource),
    Revalue(Revaluing),
    SplitHashes(SplitHashes),
    FillPlaceholders { choice: Choice, wildcard: bool },
    SetState { key: String, value: SigmaValue },
    SetAttribute { name: String, value: Value },
    FailRule(String),
    FailItem(String),
    FailUnmapped,
    Nest(Vec<Transformation>),
}

/// Fields and the values that they must have too, or must not.
#[derive(Clone, Debug)]
pub(super) struct AddedCondition {
    pub(super) items: Vec<(FieldSpec, Vec<Value>)>,
    pub(super) template: bool,
    pub(super) negated: bool,
}

impl Transformation {
    /// Does it, where its conditions hold. `outer` are the gates of the nests that it is in.
    ///
    /// # Errors
    /// Why the rule cannot be used: it is refused, or cannot be expressed any more.
    pub(super) fn apply(
        &self,
        subject: &mut Subject,
        run: &mut Run<'_>,
        outer: &[&Gate],
    ) -> Result<(), Unfit> {
        if !self.when.holds(|condition| condition.holds(subject, run)) {
            return Ok(());
        }
        let gates: Vec<&Gate> = outer.iter().copied().chain([&self.gate]).collect();
        let done = self.act(subject, run, &gates);
        if let Some(id) = &self.id {
            run.applied.insert(id.clone());
        }
        done
    }

    fn act(&self, subject: &mut Subject, run: &mut Run<'_>, gates: &[&Gate]) -> Result<(), Unfit> {
        match &self.action {
            Action::Rename(renaming) => renaming.apply(subject, run, gates, self.id.as_deref())?,
            Action::AddFields(names) => {
                let known = |name: &&String| !subject.fields.contains(name);
                let new: Vec<String> = names.iter().filter(known).cloned().collect();
                subject.fields.extend(new);
            }
            Action::RemoveFields(names) => subject.fields.retain(|name| !names.contains(name)),
            Action::SetFields(names) => subject.fields.clone_from(names),
            Action::Drop => subject.rewrite(&mut |item| {
                Ok((!admits(gates, &item, run)).then_some(Node::Item(item)))
            })?,
            Action::AddCondition(added) if subject.kind == Kind::Rule => {
                let selection = added.selection(subject, run, self.id.as_deref())?;
                subject.demand(selection, added.negated)?;
            }
            Action::ChangeLogSource(logsource) if !subject.is_correlation() => {
                subject.logsources = vec![logsource.clone()];
            }
            Action::Revalue(revaluing) => {
                self.each(subject, run, gates, &|item| revaluing.apply(item))?;
            }
            Action::SplitHashes(split) => {
                self.each(subject, run, gates, &|item| Ok(split.apply(item)))?;
            }
            Action::FillPlaceholders { choice, wildcard } => {
                let vars = &run.pipelines.vars;
                let filling = if *wildcard { Filling::Wildcard } else { Filling::Values(vars) };
                self.each(subject, run, gates, &|item| placeholder::fill(item, choice, filling))?;
            }
            Action::SetState { key, value } => run.set_state(key.clone(), value.clone()),
            Action::SetAttribute { name, value } => {
                subject.attributes.insert(name.clone(), value.clone());
            }
            Action::FailRule(message) if subject.kind != Kind::Filter => {
                return Err(Unfit::new(format!("it is refused: {message}")));
            }
            Action::FailItem(message) => {
                if let Some(item) = subject.items().find(|item| admits(gates, item, run)) {
                    let message = format!("it is refused: {message}");
                    return Err(match &item.field {
                        Some(field) => Unfit::about(message, field),
                        None => Unfit::new(message),
                    });
                }
            }
            Action::FailUnmapped => fail_unmapped(subject, run, gates)?,
            Action::Nest(inner) => {
                for transformation in inner {
                    transformation.apply(subject, run, gates)?;
                }
            }
            Action::AddCondition(_) | Action::ChangeLogSource(_) | Action::FailRule(_) => {}
        }
        Ok(())
    }

    /// Changes the items that the gates let through.
    fn each(
        &self,
        subject: &mut Subject,
        run: &Run<'_>,
        gates: &[&Gate],
        change: &dyn Fn(Item) -> Result<(Node, bool), Unfit>,
    ) -> Result<(), Unfit> {
        subject.rewrite(&mut |item| {
            if !admits(gates, &item, run) {
                return Ok(Some(Node::Item(item)));
            }
            let (node, changed) = change(item)?;
            let Some(id) = self.id.as_ref().filter(|_| changed) else { return Ok(Some(node)) };
            node.rewrite(&mut |mut item| {
                item.applied.insert(id.clone());
                Ok(Some(Node::Item(item)))
            })
        })
    }
}

fn fail_unmapped(subject: &Subject, run: &Run<'_>, gates: &[&Gate]) -> Result<(), Unfit> {
    for item in subject.items().filter(|item| admits(gates, item, run)) {
        if let Some(field) = item.field.as_ref().filter(|field| !run.is_mapped(field)) {
            let message = format!("no mapping covers the field `{field}`");
            return Err(Unfit::about(message, field));
        }
    }
    Ok(())
}

impl AddedCondition {
    fn selection(&self, subject: &Subject, run: &Run<'_>, id: Option<&str>) -> Result<Node, Unfit> {
        let mut items = Vec::new();
        for (field, values) in &self.items {
            let values: Result<Vec<SigmaValue>, Unfit> = values
                .iter()
                .map(|value| match value {
                    Value::String(text) => {
                        let text = self.filled(text, subject, run)?;
                        Ok(super::value_of(field, &Value::String(text)))
                    }
                    other => Ok(super::value_of(field, other)),
                })
                .collect();
            let node = Node::item(field, values?).rewrite(&mut |mut item| {
                item.applied.extend(id.map(str::to_owned));
                Ok(Some(Node::Item(item)))
            })?;
            items.extend(node);
        }
        Ok(Node::All(items))
    }

    /// The text with `{vars.name}`, and in templates `$product` and the like, filled in.
    fn filled(&self, text: &str, subject: &Subject, run: &Run<'_>) -> Result<String, Unfit> {
        let mut filled = text.to_owned();
        while let Some((before, (name, after))) = filled
            .split_once("{vars.")
            .and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
        {
            let value = run.pipelines.vars.get(name).map(Vec::as_slice);
            let Some([value]) = value else {
                return Err(Unfit::new(format!(
                    "a condition is added with the variable `{}`, which is not one value",
                    name.escape_debug()
                )));
            };
            let value = value.to_string();
            if value.contains("{vars.") || filled.len() + value.len() > MAX_TEMPLATE {
                return Err(Unfit::new("a condition is added with a variable of variables"));
            }
            filled = format!("{before}{value}{after}");
        }
        if let Some(logsource) = subject.logsources.first().filter(|_| self.template) {
            for (name, word) in [
                ("product", &logsource.product),
                ("category", &logsource.category),
                ("service", &logsource.service),
            ] {
                let word = word.as_deref().unwrap_or_default();
                filled = filled.replace(&format!("${{{name}}}"), word);
                filled = filled.replace(&format!("${name}"), word);
            }
        }
        Ok(filled)
    }
}

/// The most bytes of a value with its variables filled in.
const MAX_TEMPLATE: usize = 64 << 10;
