//! The conditions under which a transformation applies: on the rule, on an item, on a field's name.

use rsigma_parser::{ConditionExpr, SigmaValue, StringPart};

use super::attribute::Comparison;
use super::pattern::Start;
use super::run::Run;
use super::subject::Subject;
use super::text::shown;
use super::tree::Item;
use crate::logsource::LogSource;

/// A condition on the rule as a whole.
#[derive(Clone, Debug)]
pub(super) enum RuleCondition {
    LogSource(LogSource),
    ContainsItem { field: String, value: SigmaValue },
    ContainsField(String),
    IsRule,
    IsCorrelation,
    Attribute(Comparison),
    Tag(String),
    Happened(Happened),
}

/// A condition on one item of a selection.
#[derive(Clone, Debug)]
pub(super) enum ItemCondition {
    MatchString { pattern: Start, all: bool, negate: bool },
    MatchValue { value: SigmaValue, all: bool },
    ContainsWildcard { all: bool },
    IsNull { all: bool },
    Happened(Happened),
}

/// A condition on the name of a field.
#[derive(Clone, Debug)]
pub(super) enum FieldCondition {
    Fields { names: Names, exclude: bool },
    Happened(Happened),
}

/// A condition on what was done before.
#[derive(Clone, Debug)]
pub(super) enum Happened {
    Applied(String),
    State { key: String, value: SigmaValue },
}

#[derive(Clone, Debug)]
pub(super) enum Names {
    Plain(Vec<String>),
    Patterns(Vec<Start>),
}

/// How several conditions make one.
#[derive(Clone, Debug)]
pub(super) enum Link {
    All,
    Any,
    Expression(ConditionExpr),
}

/// Conditions of one kind, linked; none at all hold always.
#[derive(Clone, Debug)]
pub(super) struct Group<C> {
    pub(super) conditions: Vec<(String, C)>,
    pub(super) link: Link,
    pub(super) negated: bool,
}

/// The conditions on what a transformation would change.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    pub(super) items: Group<ItemCondition>,
    pub(super) fields: Group<FieldCondition>,
}

impl<C> Group<C> {
    pub(super) fn holds(&self, test: impl Fn(&C) -> bool) -> bool {
        if self.conditions.is_empty() {
            return true;
        }
        let held = match &self.link {
            Link::All => self.conditions.iter().all(|(_, condition)| test(condition)),
            Link::Any => self.conditions.iter().any(|(_, condition)| test(condition)),
            Link::Expression(expression) => self.evaluate(expression, &test),
        };
        held != self.negated
    }

    fn evaluate(&self, expression: &ConditionExpr, test: &impl Fn(&C) -> bool) -> bool {
        match expression {
            ConditionExpr::And(inner) => inner.iter().all(|inner| self.evaluate(inner, test)),
            ConditionExpr::Or(inner) => inner.iter().any(|inner| self.evaluate(inner, test)),
            ConditionExpr::Not(inner) => !self.evaluate(inner, test),
            ConditionExpr::Identifier(name) => {
                self.conditions.iter().any(|(known, condition)| known == name && test(condition))
            }
            // Refused when the pipeline was read.
            ConditionExpr::Selector { .. } => false,
        }
    }
}

impl RuleCondition {
    pub(super) fn holds(&self, subject: &Subject, run: &Run<'_>) -> bool {
        match self {
            RuleCondition::LogSource(asked) => {
                subject.logsources.iter().any(|logsource| gives(logsource, asked))
            }
            RuleCondition::ContainsItem { field, value } => subject.items().any(|item| {
                item.field.as_ref() == Some(field) && item.values.iter().any(|has| same(has, value))
            }),
            RuleCondition::ContainsField(field) => {
                subject.items().any(|item| item.field.as_ref() == Some(field))
            }
            RuleCondition::IsRule => !subject.is_correlation(),
            RuleCondition::IsCorrelation => subject.is_correlation(),
            RuleCondition::Attribute(comparison) => comparison.holds(&subject.attributes),
            RuleCondition::Tag(tag) => subject.tags.contains(tag),
            RuleCondition::Happened(Happened::Applied(id)) => run.applied.contains(id),
            RuleCondition::Happened(Happened::State { key, value }) => run.has_state(key, value),
        }
    }
}

impl ItemCondition {
    fn holds(&self, item: &Item, run: &Run<'_>) -> bool {
        let texts = |test: &dyn Fn(&rsigma_parser::SigmaString) -> bool, all: bool| {
            quantified(item, all, |value| match value {
                SigmaValue::String(text) => item.is_text() && test(text),
                _ => false,
            })
        };
        match self {
            ItemCondition::MatchString { pattern, all, negate } => {
                texts(&|text| pattern.matches(&shown(text)), *all) != *negate
            }
            ItemCondition::MatchValue { value, all } => {
                quantified(item, *all, |has| same(has, value))
            }
            ItemCondition::ContainsWildcard { all } => {
                let wild = |part: &StringPart| matches!(part, StringPart::Special(_));
                texts(&|text| text.parts.iter().any(wild), *all)
            }
            ItemCondition::IsNull { all } => {
                quantified(item, *all, |value| matches!(value, SigmaValue::Null))
            }
            ItemCondition::Happened(Happened::Applied(id)) => item.applied.contains(id),
            ItemCondition::Happened(Happened::State { key, value }) => run.has_state(key, value),
        }
    }
}

impl FieldCondition {
    fn holds(&self, field: Option<&str>, run: &Run<'_>) -> bool {
        match self {
            FieldCondition::Fields { names, exclude } => {
                let included = field.is_some_and(|field| match names {
                    Names::Plain(names) => names.iter().any(|name| name == field),
                    Names::Patterns(patterns) => {
                        patterns.iter().any(|pattern| pattern.matches(field))
                    }
                });
                included != *exclude
            }
            FieldCondition::Happened(Happened::Applied(id)) => {
                field.is_some_and(|field| run.was_applied_to_field(id, field))
            }
            FieldCondition::Happened(Happened::State { key, value }) => run.has_state(key, value),
        }
    }
}

/// Whether all gates let a transformation change the item.
pub(super) fn admits(gates: &[&Gate], item: &Item, run: &Run<'_>) -> bool {
    admits_item(gates, item, run) && admits_field(gates, item.field.as_deref(), run)
}

/// Whether all gates let a transformation change the item, whatever the names of its fields.
pub(super) fn admits_item(gates: &[&Gate], item: &Item, run: &Run<'_>) -> bool {
    gates.iter().all(|gate| gate.items.holds(|condition| condition.holds(item, run)))
}

/// Whether all gates let a transformation change the field's name.
pub(super) fn admits_field(gates: &[&Gate], field: Option<&str>, run: &Run<'_>) -> bool {
    gates.iter().all(|gate| gate.fields.holds(|condition| condition.holds(field, run)))
}

fn gives(logsource: &LogSource, asked: &LogSource) -> bool {
    [
        (&logsource.product, &asked.product),
        (&logsource.category, &asked.category),
        (&logsource.service, &asked.service),
    ]
    .into_iter()
    .all(|(has, asked)| asked.is_none() || has == asked)
}

fn quantified(item: &Item, all: bool, test: impl Fn(&SigmaValue) -> bool) -> bool {
    if all { item.values.iter().all(test) } else { item.values.iter().any(test) }
}

/// Whether two values are the same, texts in the same case and with the same wildcards.
fn same(left: &SigmaValue, right: &SigmaValue) -> bool {
    match (left, right) {
        (SigmaValue::String(left), SigmaValue::String(right)) => left.parts == right.parts,
        (SigmaValue::Integer(left), SigmaValue::Float(right))
        | (SigmaValue::Float(right), SigmaValue::Integer(left)) => *left as f64 == *right,
        _ => left == right,
    }
}
