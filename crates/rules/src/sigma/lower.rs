//! Selections and conditions of the parser's tree into the shared predicate tree.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

use bergfried_query::{Predicate, Target};
use rsigma_parser::{ConditionExpr, Detection, DetectionItem, Detections, Quantifier};

use super::document::{Document, Place};
use super::fault::Fault;
use super::item::{self, ItemFault};
use super::selector;
use crate::fields::Names;

/// The most conditions on values that one rule may come to, each use of a selection counted.
const MAX_CONDITIONS: usize = 500_000;

/// What lowering a rule needs to know everywhere.
#[derive(Clone, Copy)]
pub(super) struct Context<'c> {
    pub(super) names: Names<'c>,
    /// How many conditions the rule may still come to.
    room: &'c Cell<usize>,
}

impl Context<'_> {
    /// # Errors
    /// Where there is no room for so many more conditions.
    pub(super) fn take(self, conditions: usize) -> Result<(), String> {
        let left = self.room.get().checked_sub(conditions).ok_or_else(|| {
            format!("the rule comes to more than {MAX_CONDITIONS} conditions on values")
        })?;
        self.room.set(left);
        Ok(())
    }
}

/// A selection and how many conditions it has.
type Selection = (Predicate, usize);

/// Why a detection section cannot be used, and the selection or `condition` that is at fault.
pub(super) struct SectionFault {
    key: String,
    item: ItemFault,
}

impl SectionFault {
    /// The same with its place in the document.
    pub(super) fn at(self, document: &Document<'_>, section: &str) -> Fault {
        Fault::error(self.place(document, section), self.item.message)
    }

    pub(super) fn message(self) -> String {
        self.item.message
    }

    fn place(&self, document: &Document<'_>, section: &str) -> Place {
        let path = [section, self.key.as_str()];
        let Some(key) = &self.item.key else { return document.key(&path) };
        let place = document.word(&path, key);
        match &self.item.within {
            None => place,
            Some((value, character)) => document.after(place, value).map_or(place, |mut place| {
                place.column += character;
                place
            }),
        }
    }
}

/// The predicate of a detection section; several conditions hold where any does.
pub(super) fn predicate(
    detections: &Detections,
    names: Names<'_>,
) -> Result<Predicate, SectionFault> {
    let fault = |key: &str, item| SectionFault { key: key.to_owned(), item };
    let room = Cell::new(MAX_CONDITIONS);
    let context = Context { names, room: &room };
    let selections =
        selections(&detections.named, context).map_err(|(name, item)| fault(&name, item))?;
    let conditions = detections.conditions.iter();
    let conditions: Result<Vec<Predicate>, String> =
        conditions.map(|expression| condition(expression, &selections, context)).collect();
    conditions.map(any).map_err(|message| fault("condition", ItemFault::new(message)))
}

fn selections<'d>(
    named: &'d HashMap<String, Detection>,
    context: Context<'_>,
) -> Result<BTreeMap<&'d str, Selection>, (String, ItemFault)> {
    // In the order of their names, so that the first fault is the same each time.
    let sorted: BTreeMap<&String, &Detection> = named.iter().collect();
    let lowered = sorted.into_iter().map(|(name, detection)| {
        let before = context.room.get();
        let lowered = selection(detection, context).map_err(|fault| (name.clone(), fault))?;
        Ok((name.as_str(), (lowered, before - context.room.get())))
    });
    lowered.collect()
}

fn condition(
    expression: &ConditionExpr,
    selections: &BTreeMap<&str, Selection>,
    context: Context<'_>,
) -> Result<Predicate, String> {
    let list = |inner: &[ConditionExpr]| -> Result<Vec<Predicate>, String> {
        inner.iter().map(|expression| condition(expression, selections, context)).collect()
    };
    let copy = |(selection, size): &Selection| context.take(*size).map(|()| selection.clone());
    match expression {
        ConditionExpr::Identifier(name) => {
            let found = selections.get(name.as_str());
            copy(found.ok_or_else(|| format!("no selection is named `{name}`"))?)
        }
        ConditionExpr::And(inner) => list(inner).map(all),
        ConditionExpr::Or(inner) => list(inner).map(any),
        ConditionExpr::Not(inner) => {
            condition(inner, selections, context).map(|inner| Predicate::Not(Box::new(inner)))
        }
        ConditionExpr::Selector { quantifier, pattern } => {
            let chosen = selections.iter().filter(|(name, _)| selector::chooses(pattern, name));
            let chosen = chosen.map(|(_, selection)| copy(selection));
            let chosen: Vec<Predicate> = chosen.collect::<Result<_, _>>()?;
            if chosen.is_empty() {
                return Err(format!("no selection is named like `{pattern}`"));
            }
            choose(quantifier, chosen)
        }
    }
}

fn choose(quantifier: &Quantifier, chosen: Vec<Predicate>) -> Result<Predicate, String> {
    let needed = match quantifier {
        Quantifier::Any | Quantifier::Count(1) => return Ok(any(chosen)),
        Quantifier::All => return Ok(all(chosen)),
        Quantifier::Count(count) => usize::try_from(*count).unwrap_or(usize::MAX),
    };
    if needed == 0 || needed > chosen.len() {
        return Err(format!(
            "cannot choose {quantifier} of {} selections, expected 1 to {}",
            chosen.len(),
            chosen.len()
        ));
    }
    Ok(if needed == chosen.len() { all(chosen) } else { Predicate::AtLeast(needed, chosen) })
}

fn selection(detection: &Detection, context: Context<'_>) -> Result<Predicate, ItemFault> {
    let list = |inner: &[Detection]| -> Result<Vec<Predicate>, ItemFault> {
        inner.iter().map(|detection| selection(detection, context)).collect()
    };
    match detection {
        Detection::AllOf(items) => {
            let items = items.iter().map(|each| item(each, context));
            items.collect::<Result<Vec<_>, _>>().map(all)
        }
        Detection::AnyOf(inner) => list(inner).map(any),
        Detection::And(inner) => list(inner).map(all),
        Detection::Keywords(values) => item::lower(&[Target::Anything], &[], values, context),
        Detection::ArrayMatch { field, .. } => {
            Err(ItemFault::new(format!("array matching (`{field}[..]`) is not supported")))
        }
        Detection::Conditional { .. } => {
            Err(ItemFault::new("conditions inside of array matching are not supported"))
        }
    }
}

fn item(item: &DetectionItem, context: Context<'_>) -> Result<Predicate, ItemFault> {
    let targets = match &item.field.name {
        Some(name) => context.names.fields(name).into_iter().map(Target::Field).collect(),
        None => vec![Target::Anything],
    };
    item::lower(&targets, &item.field.modifiers, &item.values, context)
        .map_err(|fault| fault.of(item.field.name.as_deref().unwrap_or("|")))
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
