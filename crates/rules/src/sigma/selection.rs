//! The YAML of a `detection` or `filter` section into the parser's tree (Sigma rules specification
//! 2.1, "Detection").
//!
//! Expects what [`super::check`] found sound; what it would have refused is left out.

use std::collections::HashMap;

use rsigma_parser::{
    ConditionExpr, Detection, DetectionItem, Detections, FieldSpec, Modifier, SigmaString,
    SigmaValue, parse_condition,
};
use yaml_serde::Value;

use super::document::get;

/// The selections of a section and its conditions.
pub(super) fn detections(section: &Value) -> Detections {
    let mut named = HashMap::new();
    for (key, value) in section.as_mapping().into_iter().flatten() {
        if let Some(name) = key.as_str().filter(|name| !matches!(*name, "condition" | "rules")) {
            named.insert(name.to_owned(), detection(value));
        }
    }
    let condition_strings = conditions(section);
    let conditions: Vec<ConditionExpr> =
        condition_strings.iter().filter_map(|text| parse_condition(text).ok()).collect();
    Detections { named, conditions, condition_strings, timeframe: None }
}

/// The condition, or each of a list of them.
pub(super) fn conditions(section: &Value) -> Vec<String> {
    match get(section, "condition") {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Sequence(texts)) => {
            texts.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// The ids and names of the rules that a filter is for; `None` means any rule (Sigma filters
/// specification 2.1, "Relative rules").
pub(super) fn filtered(section: &Value) -> Option<Vec<String>> {
    match get(section, "rules") {
        Some(Value::Sequence(rules)) => {
            Some(rules.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        }
        Some(Value::String(rule)) if !rule.eq_ignore_ascii_case("any") => Some(vec![rule.clone()]),
        _ => None,
    }
}

fn detection(value: &Value) -> Detection {
    match value {
        Value::Mapping(fields) => {
            let items = fields.iter().filter_map(|(key, value)| item(key.as_str()?, value));
            Detection::AllOf(items.collect())
        }
        Value::Sequence(list) if list.iter().all(is_plain) => {
            Detection::Keywords(list.iter().map(|value| text_or_other(value, false)).collect())
        }
        Value::Sequence(list) => Detection::AnyOf(list.iter().map(detection).collect()),
        value => Detection::Keywords(vec![text_or_other(value, false)]),
    }
}

fn is_plain(value: &Value) -> bool {
    !value.is_mapping() && !value.is_sequence()
}

fn item(key: &str, value: &Value) -> Option<DetectionItem> {
    let mut words = key.split('|');
    let name = words.next().filter(|name| !name.is_empty()).map(str::to_owned);
    let modifiers: Vec<Modifier> = words.filter_map(|word| word.parse().ok()).collect();
    let raw = modifiers
        .iter()
        .any(|modifier| matches!(modifier, Modifier::Re | Modifier::Cidr | Modifier::FieldRef));
    let values = match value {
        Value::Sequence(values) => values.iter().map(|value| text_or_other(value, raw)).collect(),
        value => vec![text_or_other(value, raw)],
    };
    Some(DetectionItem { field: FieldSpec::new(name, modifiers), values })
}

/// A value; a text in which wildcards mean nothing where it is `raw`.
fn text_or_other(value: &Value, raw: bool) -> SigmaValue {
    match value {
        Value::String(text) if raw => SigmaValue::from_raw_string(text),
        // A whole number beyond the parser's is looked for by its digits.
        Value::Number(number) if number.as_i64().is_none() && number.is_u64() => {
            SigmaValue::String(SigmaString::from_raw(&number.to_string()))
        }
        value => SigmaValue::from_yaml(value),
    }
}
