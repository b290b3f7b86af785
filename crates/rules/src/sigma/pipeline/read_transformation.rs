//! Transformations as they are written in a pipeline.

use std::collections::BTreeMap;

use rsigma_parser::{FieldSpec, Modifier, SigmaString, SigmaValue, parse_field_spec};
use yaml_serde::Value;

use super::fields::Renaming;
use super::hashes::SplitHashes;
use super::pattern::Replacement;
use super::placeholder::Choice;
use super::read_condition::{self, gate, logsource, rule_conditions};
use super::transformation::{Action, AddedCondition, Transformation};
use super::values::{Case, Revaluing, number};
use crate::sigma::check::unknown_modifier;
use crate::sigma::fault::unknown;
use crate::sigma::modifiers::Plan;
use crate::sigma::reader::{At, Wrong};

/// The most transformations of one list.
const MAX_TRANSFORMATIONS: usize = 10_000;
/// How deep lists of transformations may stand within one another.
const MAX_NESTS: usize = 4;

/// The most names that one name may become.
const MAX_NAMES: usize = 64;

/// The types that are carried out.
const TYPES: &[&str] = &[
    "field_name_mapping",
    "field_name_prefix_mapping",
    "field_name_prefix",
    "field_name_suffix",
    "add_field",
    "remove_field",
    "set_field",
    "drop_detection_item",
    "add_condition",
    "change_logsource",
    "replace_string",
    "map_string",
    "regex",
    "set_value",
    "convert_type",
    "case",
    "hashes_fields",
    "set_state",
    "set_custom_attribute",
    "value_placeholders",
    "wildcard_placeholders",
    "rule_failure",
    "detection_item_failure",
    "strict_field_mapping_failure",
    "nest",
];

/// The types that are refused, and why.
const REFUSED: &[(&str, &str)] = &[
    (
        "query_expression_placeholders",
        "there is no query language behind, give the values with `value_placeholders`",
    ),
    ("field_name_transform", "it needs a function written in Python, use `field_name_mapping`"),
    ("file_placeholders", "rules read no files, give the values under `vars` or `placeholders`"),
    ("http_placeholders", "rules ask no servers, give the values under `vars` or `placeholders`"),
    (
        "command_placeholders",
        "rules run no commands, give the values under `vars` or `placeholders`",
    ),
    ("extract_fields", "its meaning is not documented"),
];

/// Reads a list of transformations; what is wrong with any goes to `wrongs`.
pub(super) fn transformations(
    list: &At<'_>,
    depth: usize,
    wrongs: &mut Vec<Wrong>,
) -> Vec<Transformation> {
    let items = match list.list() {
        Ok(items) if items.len() <= MAX_TRANSFORMATIONS => items,
        Ok(_) => {
            wrongs.push(list.wrong(format!("over {MAX_TRANSFORMATIONS} transformations")));
            return Vec::new();
        }
        Err(wrong) => {
            wrongs.push(wrong);
            return Vec::new();
        }
    };
    let mut read = Vec::new();
    for item in &items {
        match transformation(item, depth, wrongs) {
            Ok(transformation) => read.push(transformation),
            Err(wrong) => wrongs.push(wrong),
        }
    }
    read
}

fn transformation(
    at: &At<'_>,
    depth: usize,
    wrongs: &mut Vec<Wrong>,
) -> Result<Transformation, Wrong> {
    if !at.value.is_mapping() {
        return Err(at.wrong("a transformation must be a mapping with a `type`"));
    }
    let kind = at.need("type")?;
    let word = kind.text()?;
    if let Some((_, reason)) = REFUSED.iter().find(|(name, _)| *name == word) {
        return Err(kind.wrong(format!("the transformation `{word}` is not supported: {reason}")));
    }
    if !TYPES.contains(&word) {
        return Err(kind.wrong(unknown("transformation", word, TYPES)));
    }
    let action = match word {
        "nest" if depth >= MAX_NESTS => {
            return Err(kind.wrong(format!("`nest` stands in more than {MAX_NESTS} others")));
        }
        "nest" => {
            keys(at, &["items"])?;
            Action::Nest(transformations(&at.need("items")?, depth + 1, wrongs))
        }
        _ => action(at, word)?,
    };
    Ok(Transformation {
        id: at.text_of("id")?.map(str::to_owned),
        when: rule_conditions(at)?,
        gate: gate(at)?,
        action,
    })
}

/// Refuses keys other than these and those of every transformation.
fn keys(at: &At<'_>, own: &[&str]) -> Result<(), Wrong> {
    let known: Vec<&str> = own
        .iter()
        .copied()
        .chain(["id", "type"])
        .chain(read_condition::KEYS.iter().copied())
        .collect();
    at.only(&known)
}

fn action(at: &At<'_>, kind: &str) -> Result<Action, Wrong> {
    let text = |key: &str| Ok(at.need(key)?.text()?.to_owned());
    Ok(match kind {
        "field_name_mapping" => {
            keys(at, &["mapping"])?;
            Action::Rename(Renaming::Names(names(at)?))
        }
        "field_name_prefix_mapping" => {
            keys(at, &["mapping"])?;
            Action::Rename(Renaming::Prefixes(names(at)?))
        }
        "field_name_prefix" => {
            keys(at, &["prefix"])?;
            Action::Rename(Renaming::AddPrefix(text("prefix")?))
        }
        "field_name_suffix" => {
            keys(at, &["suffix"])?;
            Action::Rename(Renaming::AddSuffix(text("suffix")?))
        }
        "add_field" => {
            keys(at, &["field"])?;
            Action::AddFields(at.need("field")?.texts()?)
        }
        "remove_field" => {
            keys(at, &["field"])?;
            Action::RemoveFields(at.need("field")?.texts()?)
        }
        "set_field" => {
            keys(at, &["fields"])?;
            Action::SetFields(at.need("fields")?.texts()?)
        }
        "drop_detection_item" => {
            keys(at, &[])?;
            Action::Drop
        }
        "add_condition" => {
            keys(at, &["conditions", "template", "negated"])?;
            Action::AddCondition(added_condition(at)?)
        }
        "change_logsource" => {
            keys(at, &["category", "product", "service"])?;
            Action::ChangeLogSource(logsource(at)?)
        }
        "hashes_fields" => {
            keys(at, &["valid_hash_algos", "field_prefix", "drop_algo_prefix"])?;
            let algorithms = at.need("valid_hash_algos")?.texts()?;
            Action::SplitHashes(SplitHashes {
                algorithms: algorithms.iter().map(|name| name.to_uppercase()).collect(),
                field_prefix: at.text_of("field_prefix")?.unwrap_or_default().to_owned(),
                drop_algorithm: at.flag("drop_algo_prefix")?,
            })
        }
        "set_state" => {
            keys(at, &["key", "val", "value"])?;
            let value = at.get("value").map_or_else(|| at.need("val"), Ok)?;
            Action::SetState { key: text("key")?, value: value.scalar()? }
        }
        "set_custom_attribute" => {
            keys(at, &["attribute", "value"])?;
            Action::SetAttribute {
                name: text("attribute")?,
                value: at.need("value")?.value.clone(),
            }
        }
        "value_placeholders" | "wildcard_placeholders" => {
            keys(at, &["include", "exclude"])?;
            let wildcard = kind == "wildcard_placeholders";
            Action::FillPlaceholders { choice: choice(at)?, wildcard }
        }
        "rule_failure" => {
            keys(at, &["message"])?;
            Action::FailRule(text("message")?)
        }
        "detection_item_failure" => {
            keys(at, &["message"])?;
            Action::FailItem(text("message")?)
        }
        "strict_field_mapping_failure" => {
            keys(at, &[])?;
            Action::FailUnmapped
        }
        _ => Action::Revalue(revaluing(at, kind)?),
    })
}

fn revaluing(at: &At<'_>, kind: &str) -> Result<Revaluing, Wrong> {
    Ok(match kind {
        "replace_string" => {
            keys(at, &["regex", "replacement", "skip_special", "interpret_special"])?;
            let regex = at.need("regex")?;
            let replacement = at.need("replacement")?.text()?;
            let skip_special = at.flag("skip_special")?;
            if let Some(at) = at.get("interpret_special").filter(|_| !skip_special) {
                return Err(at.wrong("`interpret_special` means nothing without `skip_special`"));
            }
            Revaluing::Replace {
                replacement: Replacement::new(regex.text()?, replacement)
                    .map_err(|message| regex.wrong(message))?,
                skip_special,
                interpret_special: at.flag("interpret_special")?,
            }
        }
        "map_string" => {
            keys(at, &["mapping"])?;
            let entry = |(from, to): (&str, At<'_>)| {
                let others = to.texts()?.iter().map(|text| SigmaString::new(text)).collect();
                Ok((from.to_owned(), others))
            };
            let entries = at.need("mapping")?.entries()?;
            Revaluing::Map(entries.into_iter().map(entry).collect::<Result<_, Wrong>>()?)
        }
        "set_value" => {
            keys(at, &["value", "force_type"])?;
            let value = at.need("value")?;
            let given = value.scalar()?;
            let forced = at.word("force_type", &[("str", true), ("num", false)])?;
            Revaluing::Set(match (forced, &given) {
                (
                    Some(true),
                    SigmaValue::Integer(_) | SigmaValue::Float(_) | SigmaValue::Bool(_),
                ) => SigmaValue::from_raw_string(&given.to_string()),
                (Some(false), SigmaValue::String(text)) => {
                    number(&text.original).ok_or_else(|| value.wrong("`value` is no number"))?
                }
                _ => given,
            })
        }
        "convert_type" => {
            keys(at, &["target_type"])?;
            let to_text = at.word("target_type", &[("str", true), ("num", false)])?;
            match to_text.ok_or_else(|| at.wrong("missing `target_type`, expected str or num"))? {
                true => Revaluing::ToText,
                false => Revaluing::ToNumber,
            }
        }
        "case" => {
            keys(at, &["method"])?;
            let cases =
                [("lower", Case::Lower), ("upper", Case::Upper), ("snake_case", Case::Snake)];
            Revaluing::Case(at.word("method", &cases)?.unwrap_or(Case::Lower))
        }
        _ => {
            keys(at, &["method"])?;
            let methods =
                [("plain", true), ("ignore_case_flag", false), ("ignore_case_brackets", false)];
            Revaluing::Cased(at.word("method", &methods)?.unwrap_or(false))
        }
    })
}

fn names(at: &At<'_>) -> Result<BTreeMap<String, Vec<String>>, Wrong> {
    let entry = |(from, to): (&str, At<'_>)| {
        let names = to.texts()?;
        if names.len() > MAX_NAMES {
            return Err(to.wrong(format!("a field can become at most {MAX_NAMES} others")));
        }
        Ok((from.to_owned(), names))
    };
    at.need("mapping")?.entries()?.into_iter().map(entry).collect()
}

fn choice(at: &At<'_>) -> Result<Choice, Wrong> {
    Ok(match (at.get("include"), at.get("exclude")) {
        (Some(_), Some(exclude)) => {
            return Err(exclude.wrong("`include` and `exclude` exclude each other"));
        }
        (Some(include), None) => Choice::Only(include.texts()?),
        (None, Some(exclude)) => Choice::AllBut(exclude.texts()?),
        (None, None) => Choice::Every,
    })
}

fn added_condition(at: &At<'_>) -> Result<AddedCondition, Wrong> {
    let mut items = Vec::new();
    for (key, value) in at.need("conditions")?.entries()? {
        items.push(added_item(key, &value)?);
    }
    Ok(AddedCondition { items, template: at.flag("template")?, negated: at.flag("negated")? })
}

fn added_item(key: &str, at: &At<'_>) -> Result<(FieldSpec, Vec<Value>), Wrong> {
    if let Some(unknown) = key.split('|').skip(1).find(|word| word.parse::<Modifier>().is_err()) {
        return Err(at.wrong(unknown_modifier(unknown)));
    }
    let field = parse_field_spec(key).map_err(|error| at.wrong(error.to_string()))?;
    at.scalars()?;
    let values = match at.value {
        Value::Sequence(list) => list.clone(),
        value => vec![value.clone()],
    };
    Plan::of(&field.modifiers).map_err(|message| at.wrong(message))?;
    Ok((field, values))
}
