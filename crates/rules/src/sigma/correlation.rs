//! Correlation documents (Sigma correlation rules specification 2.1): their shape and their draft.

use std::collections::{BTreeMap, HashSet};

use bergfried_query::Comparison;
use rsigma_ir::IrCorrelation;
use rsigma_parser::{
    ConditionOperator, CorrelationCondition, CorrelationType, Timespan, WindowMode,
};
use yaml_serde::Value;

use super::document::{Document, Place, get, keys};
use super::fault::{Fault, unknown};
use crate::rule::{CorrelationKind, Threshold};

const KEYS: &[&str] =
    &["type", "rules", "group-by", "timespan", "timeframe", "condition", "aliases", "generate"];
const TYPES: &[&str] = &["event_count", "value_count", "temporal", "temporal_ordered"];
/// Types of the specification that are not carried out here.
const METRICS: &[&str] = &["value_sum", "value_avg", "value_percentile", "value_median"];
const CONDITIONS: &[&str] = &["gt", "gte", "lt", "lte", "eq", "neq", "field"];
/// The highest count that a condition may ask for: so many matches are kept for each group.
pub(crate) const MAX_COUNT: u64 = 10_000;
/// The most rules that one correlation may refer to.
const MAX_RULES: usize = 64;

/// A rule that another refers to by id or name, and where it does so.
pub(crate) struct Reference {
    pub(crate) rule: String,
    pub(crate) place: Place,
}

/// A correlation whose references are not looked up yet.
pub(crate) struct CorrelationDraft {
    pub(crate) kind: CorrelationKind,
    pub(crate) rules: Vec<Reference>,
    pub(crate) group_by: Vec<String>,
    pub(crate) values: Vec<String>,
    /// Alias → rule (id or name) → field.
    pub(crate) aliases: BTreeMap<String, BTreeMap<String, String>>,
    /// Microseconds.
    pub(crate) timespan: i64,
    pub(crate) threshold: Threshold,
    pub(crate) generate: bool,
}

/// Adds what is wrong with the shape of a correlation document.
pub(super) fn check(document: &Document<'_>, value: &Value, faults: &mut Vec<Fault>) {
    let Some(section) = get(value, "correlation").filter(|section| section.is_mapping()) else {
        let message = "`correlation` must be a mapping of type, rules, group-by and timespan";
        faults.push(Fault::error(document.key(&["correlation"]), message));
        return;
    };
    for key in keys(section).filter(|key| !KEYS.contains(key)) {
        let place = document.key(&["correlation", key]);
        faults.push(Fault::error(place, unknown("key", key, KEYS)));
    }
    let kind = get(section, "type").and_then(Value::as_str);
    match kind {
        None => {
            let message = format!("missing `type` in `correlation`, expected {}", TYPES.join(", "));
            faults.push(Fault::error(document.key(&["correlation"]), message));
        }
        Some(kind) if METRICS.contains(&kind) => {
            let message = format!("the correlation type `{kind}` is not supported");
            faults.push(Fault::error(document.word(&["correlation", "type"], kind), message));
        }
        Some(kind) if !TYPES.contains(&kind) => {
            let message = unknown("correlation type", kind, TYPES);
            faults.push(Fault::error(document.word(&["correlation", "type"], kind), message));
        }
        Some(_) => {}
    }
    check_lists(document, section, faults);
    check_timespan(document, section, faults);
    check_condition(document, section, kind.unwrap_or_default(), faults);
}

fn check_lists(document: &Document<'_>, section: &Value, faults: &mut Vec<Fault>) {
    for (key, needed) in [("rules", true), ("group-by", false)] {
        let path = ["correlation", key];
        match get(section, key) {
            None if !needed => {}
            Some(Value::String(_)) => {}
            Some(Value::Sequence(list))
                if !list.is_empty() && list.iter().all(Value::is_string) =>
            {
                if list.len() > MAX_RULES {
                    let message = format!("`{key}` holds more than {MAX_RULES} entries");
                    faults.push(Fault::error(document.key(&path), message));
                }
            }
            _ => {
                let message = format!("`{key}` must be a list of texts that is not empty");
                faults.push(Fault::error(document.key(&path), message));
            }
        }
    }
    if let Some(aliases) = get(section, "aliases") {
        let sound = aliases.as_mapping().is_some_and(|aliases| {
            aliases.iter().all(|(name, rules)| {
                name.is_string()
                    && rules.as_mapping().is_some_and(|rules| {
                        rules.iter().all(|(rule, field)| rule.is_string() && field.is_string())
                    })
            })
        });
        if !sound {
            let message = "`aliases` must map a name to a mapping of rules to fields";
            faults.push(Fault::error(document.key(&["correlation", "aliases"]), message));
        }
    }
}

fn check_timespan(document: &Document<'_>, section: &Value, faults: &mut Vec<Fault>) {
    let key = if get(section, "timespan").is_none() { "timeframe" } else { "timespan" };
    let Some(value) = get(section, key) else {
        let message = "missing `timespan` in `correlation`, expected one such as 10m";
        faults.push(Fault::error(document.key(&["correlation"]), message));
        return;
    };
    let text = value.as_str().unwrap_or_default();
    if let Err(message) = timespan(text) {
        faults.push(Fault::error(document.word(&["correlation", key], text), message));
    }
}

/// Reads a time span such as `10m` as microseconds.
pub(super) fn timespan(text: &str) -> Result<i64, String> {
    let seconds = Timespan::parse(text).ok().and_then(|span| i64::try_from(span.seconds).ok());
    let micros = seconds.and_then(|seconds| seconds.checked_mul(1_000_000));
    micros.filter(|micros| *micros > 0).ok_or_else(|| {
        format!(
            "`{}` is no time span, expected a number and s, m, h or d such as 10m",
            text.escape_debug()
        )
    })
}

fn check_condition(document: &Document<'_>, section: &Value, kind: &str, faults: &mut Vec<Fault>) {
    let path = ["correlation", "condition"];
    let counting = matches!(kind, "event_count" | "value_count");
    let Some(condition) = get(section, "condition") else {
        if counting {
            let message = "missing `condition` in `correlation`, expected one such as gte: 10";
            faults.push(Fault::error(document.key(&["correlation"]), message));
        }
        return;
    };
    if !condition.is_mapping() {
        let message = "`condition` of a correlation must be a mapping such as gte: 10";
        faults.push(Fault::error(document.key(&path), message));
        return;
    }
    if kind == "temporal_ordered" {
        let message = "`temporal_ordered` takes no condition: all rules must match in order";
        faults.push(Fault::error(document.key(&path), message));
    }
    for key in keys(condition) {
        let place = document.key(&["correlation", "condition", key]);
        if !CONDITIONS.contains(&key) {
            faults.push(Fault::error(place, unknown("condition", key, CONDITIONS)));
        } else if key != "field" {
            let bound = get(condition, key).and_then(Value::as_u64);
            if bound.is_none_or(|bound| bound > MAX_COUNT) {
                let message = format!("`{key}` must be a whole number from 0 to {MAX_COUNT}");
                faults.push(Fault::error(place, message));
            }
        }
    }
    if kind == "value_count" && get(condition, "field").is_none() {
        let message = "missing `field` in the condition of a value_count correlation";
        faults.push(Fault::error(document.key(&path), message));
    }
}

/// The draft of a correlation whose shape was found sound.
pub(super) fn draft(
    document: &Document<'_>,
    value: &Value,
    ir: &IrCorrelation,
) -> Result<CorrelationDraft, Option<Fault>> {
    let kind = match ir.correlation_type {
        CorrelationType::EventCount => CorrelationKind::EventCount,
        CorrelationType::ValueCount => CorrelationKind::ValueCount,
        CorrelationType::Temporal => CorrelationKind::Temporal,
        CorrelationType::TemporalOrdered => CorrelationKind::TemporalOrdered,
        _ => return Err(None),
    };
    if ir.window != WindowMode::Sliding {
        let message = "only sliding windows are supported";
        return Err(Some(Fault::error(document.key(&["correlation"]), message)));
    }
    let (threshold, values) = threshold(value, ir)?;
    let unique: HashSet<&String> = ir.rules.iter().collect();
    if unique.len() != ir.rules.len() {
        let place = document.key(&["correlation", "rules"]);
        return Err(Some(Fault::error(place, "`rules` refers to one rule twice")));
    }
    let timespan = timespan(&ir.timespan.original)
        .map_err(|message| Some(Fault::error(document.key(&["correlation"]), message)))?;
    let aliases = ir.aliases.iter().map(|alias| {
        let mapping = alias.mapping.iter().map(|(rule, field)| (rule.clone(), field.clone()));
        (alias.alias.clone(), mapping.collect())
    });
    Ok(CorrelationDraft {
        kind,
        rules: references(document, &["correlation", "rules"], &ir.rules),
        group_by: ir.group_by.clone(),
        values,
        aliases: aliases.collect(),
        timespan,
        threshold,
        generate: ir.generate,
    })
}

/// The rules referred to, with the places of the references.
pub(super) fn references(
    document: &Document<'_>,
    path: &[&str],
    rules: &[String],
) -> Vec<Reference> {
    let reference =
        |rule: &String| Reference { rule: rule.clone(), place: document.word(path, rule) };
    rules.iter().map(reference).collect()
}

fn threshold(value: &Value, ir: &IrCorrelation) -> Result<(Threshold, Vec<String>), Option<Fault>> {
    let every = u64::try_from(ir.rules.len()).unwrap_or(u64::MAX);
    let given = get(value, "correlation").and_then(|section| get(section, "condition"));
    match &ir.condition {
        _ if given.is_none() => {
            Ok((Threshold(vec![(Comparison::GreaterOrEqual, every)]), Vec::new()))
        }
        CorrelationCondition::Threshold { predicates, field, .. } => {
            let bounds = predicates.iter().map(|(operator, bound)| (comparison(*operator), *bound));
            Ok((Threshold(bounds.collect()), field.clone().unwrap_or_default()))
        }
        CorrelationCondition::Extended(_) => Err(None),
    }
}

fn comparison(operator: ConditionOperator) -> Comparison {
    match operator {
        ConditionOperator::Lt => Comparison::Less,
        ConditionOperator::Lte => Comparison::LessOrEqual,
        ConditionOperator::Gt => Comparison::Greater,
        ConditionOperator::Gte => Comparison::GreaterOrEqual,
        ConditionOperator::Eq => Comparison::Equal,
        ConditionOperator::Neq => Comparison::NotEqual,
    }
}
