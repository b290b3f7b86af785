//! Processing pipelines in pySigma's YAML form: how rules are changed before they are lowered, to
//! fit the names and values of the events that are at hand.
//!
//! What each transformation and condition means follows the documentation of pySigma ("Processing
//! Pipelines"). What needs a query language to stand behind is refused by name, or left out with a
//! warning. A pipeline is read whole or not at all.

mod attribute;
mod condition;
mod fields;
mod hashes;
mod pattern;
mod placeholder;
mod read;
mod read_condition;
mod read_transformation;
mod run;
mod subject;
mod text;
mod transformation;
mod tree;
mod values;

use std::fmt;

use rsigma_parser::{Detection, Detections, FieldSpec, Modifier, SigmaValue};
use yaml_serde::Value;

use crate::diagnostic::{Diagnostic, Source};
use crate::lists::{List, Lists};
use crate::logsource::LogSource;
use placeholder::{Choice, Filling, Values};
use run::Run;
use subject::Kind;
pub(crate) use subject::Subject;
use transformation::Transformation;
use tree::Node;

/// A processing pipeline: transformations of rules, in their order.
///
/// A file may also hold nothing but `placeholders`, a mapping of names to lists of values.
#[derive(Clone, Debug)]
pub struct Pipeline {
    /// That of its file where it gives none.
    name: String,
    /// When it runs among others: those of lower priority first.
    priority: i64,
    vars: Values,
    placeholders: Values,
    transformations: Vec<Transformation>,
}

impl Pipeline {
    /// Reads a pipeline; what is wrong with it, or is left out, goes to `diagnostics`. `None` where
    /// there was an error.
    pub fn read(source: &Source, diagnostics: &mut Vec<Diagnostic>) -> Option<Pipeline> {
        read::pipeline(source, diagnostics)
    }
}

/// Several pipelines as one, in the order of their priorities.
pub(crate) struct Pipelines<'p> {
    /// Each with the name of its pipeline.
    transformations: Vec<(&'p str, &'p Transformation)>,
    vars: Values,
    placeholders: Values,
    /// Those of the lists that rules share.
    lists: Values,
}

/// What pipelines change of a rule besides its selections.
pub(crate) struct Facts {
    pub(crate) logsource: LogSource,
    /// Names of fields to show with a match.
    pub(crate) fields: Vec<String>,
    /// Names of fields that the rule groups by.
    pub(crate) keys: Vec<String>,
}

/// Why a rule cannot be used as pipelines leave it.
#[derive(Debug)]
pub(crate) struct Unfit {
    pub(crate) reason: String,
    /// The word of the rule that it is about.
    pub(crate) word: Option<String>,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "this rule is loaded but never fires: {}", self.reason)
    }
}

impl Unfit {
    fn new(reason: impl Into<String>) -> Unfit {
        Unfit { reason: reason.into(), word: None }
    }

    fn about(reason: impl Into<String>, word: &str) -> Unfit {
        Unfit { reason: reason.into(), word: Some(word.to_owned()) }
    }
}

impl<'p> Pipelines<'p> {
    /// Those of the same priority keep their order; a variable of a later one wins.
    pub(crate) fn new(pipelines: &'p [Pipeline], lists: &Lists) -> Pipelines<'p> {
        let mut sorted: Vec<&Pipeline> = pipelines.iter().collect();
        sorted.sort_by_key(|pipeline| pipeline.priority);
        let mut all = Pipelines {
            transformations: Vec::new(),
            vars: Values::from([(
                "backend".to_owned(),
                vec![SigmaValue::from_raw_string("bergfried")],
            )]),
            placeholders: Values::new(),
            lists: lists.iter().map(|(name, list)| (name.to_owned(), shared(list))).collect(),
        };
        for pipeline in sorted {
            let named = pipeline.transformations.iter().map(|one| (pipeline.name.as_str(), one));
            all.transformations.extend(named);
            all.vars.extend(pipeline.vars.clone());
            all.placeholders.extend(pipeline.placeholders.clone());
        }
        all
    }

    /// Transforms a rule, and what is known of it besides its selections.
    ///
    /// # Errors
    /// Why the rule cannot be used then; it is left as it was.
    pub(crate) fn rule(
        &self,
        value: &Value,
        detections: &mut Detections,
        facts: &mut Facts,
    ) -> Result<(), Unfit> {
        if self.transformations.is_empty() && !expands(detections) {
            return Ok(());
        }
        let mut subject = Subject::of(value).with(Kind::Rule, detections);
        subject.logsources = vec![facts.logsource.clone()];
        subject.fields.clone_from(&facts.fields);
        subject.keys.clone_from(&facts.keys);
        self.run(&mut subject)?;
        subject.write_back(detections)?;
        if let Some(logsource) = subject.logsources.into_iter().next() {
            facts.logsource = logsource;
        }
        facts.fields = subject.fields;
        facts.keys = subject.keys;
        Ok(())
    }

    /// Transforms a filter as a rule of this log source is; conditions are not added to it.
    ///
    /// # Errors
    /// Why the filter cannot be used then; it is left as it was.
    pub(crate) fn filter(
        &self,
        subject: Subject,
        logsource: &LogSource,
        detections: &mut Detections,
    ) -> Result<(), Unfit> {
        if self.transformations.is_empty() && !expands(detections) {
            return Ok(());
        }
        let mut subject = subject.with(Kind::Filter, detections);
        subject.logsources = vec![logsource.clone()];
        self.run(&mut subject)?;
        subject.write_back(detections)
    }

    /// Transforms the names of fields that a correlation groups by or counts, given the log sources
    /// of the rules that it refers to.
    ///
    /// # Errors
    /// Why the correlation cannot be used then.
    pub(crate) fn correlation(
        &self,
        mut subject: Subject,
        logsources: Vec<LogSource>,
        keys: Vec<String>,
    ) -> Result<Vec<String>, Unfit> {
        subject.kind = Kind::Correlation;
        subject.logsources = logsources;
        subject.keys = keys;
        self.run(&mut subject)?;
        Ok(subject.keys)
    }

    fn run(&self, subject: &mut Subject) -> Result<(), Unfit> {
        let mut run = Run::new(self);
        for (pipeline, transformation) in &self.transformations {
            transformation.apply(subject, &mut run, &[]).map_err(|unfit| Unfit {
                reason: format!("{} (pipeline `{}`)", unfit.reason, pipeline.escape_debug()),
                ..unfit
            })?;
        }
        for values in [&self.placeholders, &self.vars, &self.lists] {
            let filling = Filling::Values(values);
            subject.rewrite(&mut |item| {
                placeholder::fill(item, &Choice::Every, filling).map(|(node, _)| Some(node))
            })?;
        }
        subject.rewrite(&mut |item| placeholder::finish(item).map(Node::Item).map(Some))
    }
}

/// The values of a list, as the parser would read them in a rule.
fn shared(list: &List) -> Vec<SigmaValue> {
    let value = |value: &bergfried_event::Value<'_>| match value {
        bergfried_event::Value::Int(number) => SigmaValue::Integer(*number),
        other => SigmaValue::from_yaml(&Value::String(other.to_text().into_owned())),
    };
    list.values.iter().map(value).collect()
}

/// Whether any item may have placeholders.
pub(super) fn expands(detections: &Detections) -> bool {
    fn any(detection: &Detection) -> bool {
        match detection {
            Detection::AllOf(items) => {
                items.iter().any(|item| item.field.has_modifier(Modifier::Expand))
            }
            Detection::AnyOf(inner) | Detection::And(inner) => inner.iter().any(any),
            Detection::Keywords(_)
            | Detection::ArrayMatch { .. }
            | Detection::Conditional { .. } => false,
        }
    }
    detections.named.values().any(any)
}

/// A value as the parser would read it on this field.
fn value_of(field: &FieldSpec, value: &Value) -> SigmaValue {
    match value {
        Value::String(text) if field.has_modifier(Modifier::Re) => {
            SigmaValue::from_raw_string(text)
        }
        value => SigmaValue::from_yaml(value),
    }
}
