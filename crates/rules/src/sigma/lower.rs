//! Selections and conditions of the intermediate form into the shared predicate tree.

use std::collections::{BTreeMap, HashMap};

use bergfried_query::{Predicate, Target};
use rsigma_ir::{IrCondition, IrDetection, IrDetectionItem};
use rsigma_parser::{Quantifier, SelectorPattern};

use super::document::Document;
use super::fault::Fault;
use super::matcher;
use crate::fields::Names;

/// The most selections that an `N of` with N above one may choose from: it expands to all choices.
const MAX_CHOICES: usize = 12;

/// Why a detection section cannot be used, and the selection or `condition` that is at fault.
pub(super) struct SectionFault {
    key: String,
    message: String,
}

impl SectionFault {
    /// The same with its place in the document.
    pub(super) fn at(self, document: &Document<'_>) -> Option<Fault> {
        let section = if document.has_key("filter") { "filter" } else { "detection" };
        Some(Fault::error(document.key(&[section, &self.key]), self.message))
    }
}

/// The predicate of a detection section; several conditions hold where any does.
pub(super) fn predicate(
    detections: &HashMap<String, IrDetection>,
    conditions: &[IrCondition],
    names: Names<'_>,
) -> Result<Predicate, SectionFault> {
    let fault = |key: &str, message| SectionFault { key: key.to_owned(), message };
    let mut selections = BTreeMap::new();
    let sorted: BTreeMap<&String, &IrDetection> = detections.iter().collect();
    for (name, detection) in sorted {
        let lowered = selection(detection, names).map_err(|message| fault(name, message))?;
        selections.insert(name.as_str(), lowered);
    }
    let conditions: Result<Vec<Predicate>, String> =
        conditions.iter().map(|expression| condition(expression, &selections)).collect();
    conditions.map(any).map_err(|message| fault("condition", message))
}

fn condition(
    expression: &IrCondition,
    selections: &BTreeMap<&str, Predicate>,
) -> Result<Predicate, String> {
    let list = |inner: &[IrCondition]| -> Result<Vec<Predicate>, String> {
        inner.iter().map(|expression| condition(expression, selections)).collect()
    };
    match expression {
        IrCondition::Detection(name) => {
            let found = selections.get(name.as_str()).cloned();
            found.ok_or_else(|| format!("no selection is named `{name}`"))
        }
        IrCondition::And(inner) => list(inner).map(all),
        IrCondition::Or(inner) => list(inner).map(any),
        IrCondition::Not(inner) => {
            condition(inner, selections).map(|inner| Predicate::Not(Box::new(inner)))
        }
        IrCondition::Selector { quantifier, pattern } => selector(quantifier, pattern, selections),
    }
}

fn selector(
    quantifier: &Quantifier,
    pattern: &SelectorPattern,
    selections: &BTreeMap<&str, Predicate>,
) -> Result<Predicate, String> {
    let chosen: Vec<Predicate> = selections
        .iter()
        .filter(|(name, _)| pattern.matches_detection_name(name))
        .map(|(_, selection)| selection.clone())
        .collect();
    if chosen.is_empty() {
        return Err(format!("no selection is named like `{pattern}`"));
    }
    match quantifier {
        Quantifier::Any => Ok(any(chosen)),
        Quantifier::All => Ok(all(chosen)),
        Quantifier::Count(1) => Ok(any(chosen)),
        Quantifier::Count(count) => {
            let needed = usize::try_from(*count).unwrap_or(usize::MAX);
            if needed == 0 || needed > chosen.len() || chosen.len() > MAX_CHOICES {
                return Err(format!(
                    "cannot choose {count} of {} selections, expected 1 to all of at most \
                     {MAX_CHOICES}",
                    chosen.len()
                ));
            }
            Ok(at_least(needed, &chosen))
        }
    }
}

/// Holds where at least `needed` of the choices do.
fn at_least(needed: usize, choices: &[Predicate]) -> Predicate {
    match choices.split_first() {
        _ if needed == 0 => Predicate::Constant(true),
        None => Predicate::Constant(false),
        Some((first, rest)) => {
            any(vec![first.clone().and(at_least(needed - 1, rest)), at_least(needed, rest)])
        }
    }
}

fn selection(detection: &IrDetection, names: Names<'_>) -> Result<Predicate, String> {
    match detection {
        IrDetection::AllOf(items) => {
            items.iter().map(|each| item(each, names)).collect::<Result<Vec<_>, _>>().map(all)
        }
        IrDetection::AnyOf(inner) => {
            inner.iter().map(|each| selection(each, names)).collect::<Result<Vec<_>, _>>().map(any)
        }
        IrDetection::And(inner) => {
            inner.iter().map(|each| selection(each, names)).collect::<Result<Vec<_>, _>>().map(all)
        }
        IrDetection::Keywords(keywords) => matcher::lower(&[Target::Anything], keywords, names),
        IrDetection::ArrayMatch { field, .. } => {
            Err(format!("array matching (`{field}[..]`) is not supported"))
        }
        IrDetection::Conditional { .. } => {
            Err("conditions inside of array matching are not supported".to_owned())
        }
    }
}

fn item(item: &IrDetectionItem, names: Names<'_>) -> Result<Predicate, String> {
    let targets = match &item.field {
        // The parser escapes brackets of names, which here are characters like any other.
        Some(name) => {
            let fields = names.fields(&name.replace("\\[", "[").replace("\\]", "]"));
            fields.into_iter().map(Target::Field).collect()
        }
        None => vec![Target::Anything],
    };
    matcher::lower(&targets, &item.matcher, names)
}

/// The conjunction; one predicate alone stands for itself.
pub(super) fn all(mut predicates: Vec<Predicate>) -> Predicate {
    match (predicates.pop(), predicates.is_empty()) {
        (Some(only), true) => only,
        (last, _) => Predicate::And(predicates.into_iter().chain(last).collect()),
    }
}

/// The disjunction; one predicate alone stands for itself.
pub(super) fn any(mut predicates: Vec<Predicate>) -> Predicate {
    match (predicates.pop(), predicates.is_empty()) {
        (Some(only), true) => only,
        (last, _) => Predicate::Or(predicates.into_iter().chain(last).collect()),
    }
}
