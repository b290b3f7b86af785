//! What pipelines transform: a rule, a filter or a correlation, apart from how it was written.

use std::collections::BTreeMap;

use rsigma_parser::{ConditionExpr, Detections, Quantifier};
use yaml_serde::Value;

use super::Unfit;
use super::tree::{Item, Node};
use crate::logsource::LogSource;
use crate::sigma::document::get;
use crate::sigma::selector;

/// The most characters of a rule's condition once others were added to it.
const MAX_CONDITIONS: usize = 256;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    #[default]
    Rule,
    Filter,
    Correlation,
}

/// A rule while pipelines go over it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subject {
    pub(super) kind: Kind,
    pub(super) attributes: BTreeMap<String, Value>,
    pub(super) tags: Vec<String>,
    /// The one of a rule, or those of the rules that a correlation refers to.
    pub(super) logsources: Vec<LogSource>,
    pub(super) selections: BTreeMap<String, Node>,
    conditions: Vec<ConditionExpr>,
    /// Selections that pipelines added, which no `1 of` of the rule may choose.
    added: Vec<String>,
    /// Names of fields to show with a match.
    pub(super) fields: Vec<String>,
    /// Names of fields that the rule groups by or counts.
    pub(super) keys: Vec<String>,
}

impl Subject {
    /// What a document says of itself.
    pub(crate) fn of(value: &Value) -> Subject {
        let mut attributes = BTreeMap::new();
        let own = value.as_mapping().into_iter().flatten();
        let custom = get(value, "custom_attributes").and_then(Value::as_mapping);
        for (name, value) in own.chain(custom.into_iter().flatten()) {
            if let Some(name) =
                name.as_str().filter(|_| !value.is_mapping() && !value.is_sequence())
            {
                attributes.insert(name.to_owned(), value.clone());
            }
        }
        let tags = get(value, "tags").and_then(Value::as_sequence).into_iter().flatten();
        let tags = tags.filter_map(Value::as_str).map(str::to_owned).collect();
        Subject { attributes, tags, ..Subject::default() }
    }

    /// The same of this kind, with these selections.
    pub(super) fn with(self, kind: Kind, detections: &Detections) -> Subject {
        let named = detections.named.iter();
        Subject {
            kind,
            selections: named.map(|(name, found)| (name.clone(), Node::of(found))).collect(),
            conditions: detections.conditions.clone(),
            ..self
        }
    }

    pub(super) fn is_correlation(&self) -> bool {
        self.kind == Kind::Correlation
    }

    /// The items of all selections.
    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.selections.values().flat_map(Node::items)
    }

    /// Replaces every item by what `change` makes of it; selections of which nothing is left go.
    pub(super) fn rewrite(
        &mut self,
        change: &mut dyn FnMut(Item) -> Result<Option<Node>, Unfit>,
    ) -> Result<(), Unfit> {
        let mut rewritten = BTreeMap::new();
        for (name, node) in std::mem::take(&mut self.selections) {
            if let Some(node) = node.rewrite(change)? {
                rewritten.insert(name, node);
            }
        }
        self.selections = rewritten;
        Ok(())
    }

    /// Demands that a further selection holds too, or that it does not.
    pub(super) fn demand(&mut self, selection: Node, negated: bool) -> Result<(), Unfit> {
        if self.added.len() >= MAX_CONDITIONS {
            return Err(Unfit::new(format!("over {MAX_CONDITIONS} conditions are added")));
        }
        let mut number = self.added.len();
        let name = loop {
            let name = format!("_added_{number}");
            if !self.selections.contains_key(&name) {
                break name;
            }
            number += 1;
        };
        for condition in &mut self.conditions {
            let added = ConditionExpr::Identifier(name.clone());
            let added = if negated { ConditionExpr::Not(Box::new(added)) } else { added };
            let before = std::mem::replace(condition, ConditionExpr::And(Vec::new()));
            *condition = ConditionExpr::And(vec![added, before]);
        }
        self.selections.insert(name.clone(), selection);
        self.added.push(name);
        Ok(())
    }

    /// Writes the transformed selections and conditions back.
    ///
    /// # Errors
    /// Where a condition would ask for nothing any more.
    pub(super) fn write_back(&mut self, detections: &mut Detections) -> Result<(), Unfit> {
        let mut conditions = Vec::new();
        for condition in &self.conditions {
            let left = self.pruned(condition).map_err(Unfit::new)?;
            conditions.push(left.ok_or_else(|| {
                Unfit::new("all that its condition asks for was dropped by a pipeline")
            })?);
        }
        detections.conditions = conditions;
        let selections = std::mem::take(&mut self.selections).into_iter();
        detections.named = selections.map(|(name, node)| (name, node.detection())).collect();
        Ok(())
    }

    /// The condition without selections of which nothing is left, and with `1 of` naming those of
    /// the rule alone where it would choose added ones.
    fn pruned(&self, condition: &ConditionExpr) -> Result<Option<ConditionExpr>, String> {
        let list = |inner: &[ConditionExpr]| -> Result<Vec<ConditionExpr>, String> {
            inner.iter().filter_map(|condition| self.pruned(condition).transpose()).collect()
        };
        Ok(match condition {
            ConditionExpr::Identifier(name) => {
                self.selections.contains_key(name).then(|| condition.clone())
            }
            ConditionExpr::And(inner) => {
                Some(list(inner)?).filter(|left| !left.is_empty()).map(ConditionExpr::And)
            }
            ConditionExpr::Or(inner) => {
                Some(list(inner)?).filter(|left| !left.is_empty()).map(ConditionExpr::Or)
            }
            ConditionExpr::Not(inner) => {
                self.pruned(inner)?.map(|left| ConditionExpr::Not(Box::new(left)))
            }
            ConditionExpr::Selector { quantifier, pattern } => {
                let (added, own): (Vec<&String>, Vec<&String>) = self
                    .selections
                    .keys()
                    .filter(|name| selector::chooses(pattern, name))
                    .partition(|name| self.added.contains(name));
                let names = || own.iter().map(|name| ConditionExpr::Identifier((*name).clone()));
                match quantifier {
                    _ if own.is_empty() => None,
                    _ if added.is_empty() => Some(condition.clone()),
                    Quantifier::All => Some(ConditionExpr::And(names().collect())),
                    Quantifier::Any | Quantifier::Count(1) => {
                        Some(ConditionExpr::Or(names().collect()))
                    }
                    Quantifier::Count(_) => {
                        return Err(format!("cannot add a condition beside `{condition}`"));
                    }
                }
            }
        })
    }
}
