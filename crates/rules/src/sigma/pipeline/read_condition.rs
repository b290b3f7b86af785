//! The conditions of a transformation as they are written in a pipeline.

use rsigma_parser::{ConditionExpr, parse_condition};

use super::attribute::Comparison;
use super::condition::{
    FieldCondition, Gate, Group, Happened, ItemCondition, Link, Names, RuleCondition,
};
use super::pattern::Start;
use crate::logsource::LogSource;
use crate::sigma::condition::is_too_deep;
use crate::sigma::fault::unknown;
use crate::sigma::reader::{At, Wrong};

/// The keys of a transformation that say when it applies.
pub(super) const KEYS: &[&str] = &[
    "rule_conditions",
    "rule_cond_op",
    "rule_cond_not",
    "rule_cond_expr",
    "rule_cond_expression",
    "detection_item_conditions",
    "detection_item_cond_op",
    "detection_item_cond_not",
    "detection_item_cond_expr",
    "detection_item_cond_expression",
    "field_name_conditions",
    "field_name_cond_op",
    "field_name_cond_not",
    "field_name_cond_expr",
    "field_name_cond_expression",
];

const RULE_TYPES: &[&str] = &[
    "logsource",
    "contains_detection_item",
    "contains_field",
    "processing_item_applied",
    "processing_state",
    "is_sigma_rule",
    "is_sigma_correlation_rule",
    "rule_attribute",
    "tag",
];
const ITEM_TYPES: &[&str] = &[
    "match_string",
    "match_value",
    "contains_wildcard",
    "is_null",
    "processing_item_applied",
    "processing_state",
];
const FIELD_TYPES: &[&str] =
    &["include_fields", "exclude_fields", "processing_item_applied", "processing_state"];

pub(super) fn rule_conditions(at: &At<'_>) -> Result<Group<RuleCondition>, Wrong> {
    group(at, "rule", rule_condition)
}

pub(super) fn gate(at: &At<'_>) -> Result<Gate, Wrong> {
    Ok(Gate {
        items: group(at, "detection_item", item_condition)?,
        fields: group(at, "field_name", field_condition)?,
    })
}

fn group<C>(
    at: &At<'_>,
    kind: &str,
    read: fn(&At<'_>) -> Result<C, Wrong>,
) -> Result<Group<C>, Wrong> {
    let key = |rest: &str| format!("{kind}_{rest}");
    let listed = at.get(&key("conditions"));
    let operator = at.word(&key("cond_op"), &[("and", true), ("or", false)])?;
    let expression = at.get(&key("cond_expr")).or_else(|| at.get(&key("cond_expression")));
    let negated = at.flag(&key("cond_not"))?;
    let Some(listed) = listed else {
        for rest in ["cond_op", "cond_not", "cond_expr", "cond_expression"] {
            if let Some(at) = at.get(&key(rest)) {
                let message = format!("`{}` has no `{}`", key(rest), key("conditions"));
                return Err(at.wrong(message));
            }
        }
        return Ok(Group { conditions: Vec::new(), link: Link::All, negated: false });
    };
    let named = listed.value.is_mapping();
    let entries: Vec<(&str, At<'_>)> = match named {
        true => listed.entries()?,
        false => listed.list()?.into_iter().map(|at| ("", at)).collect(),
    };
    let entry = |(name, at): (&str, At<'_>)| Ok((name.to_owned(), read(&at)?));
    let conditions = entries.into_iter().map(entry).collect::<Result<Vec<(String, C)>, Wrong>>()?;
    let link = match (operator, expression) {
        (Some(_), Some(at)) => {
            let message = format!("`{}` and an expression exclude each other", key("cond_op"));
            return Err(at.wrong(message));
        }
        (None, Some(at)) if !named => {
            let message =
                format!("an expression needs names: `{}` must be a mapping", key("conditions"));
            return Err(at.wrong(message));
        }
        (None, Some(at)) => {
            let names: Vec<&str> = conditions.iter().map(|(name, _)| name.as_str()).collect();
            Link::Expression(self::expression(&at, &names)?)
        }
        (Some(false), None) => Link::Any,
        (Some(true) | None, None) => Link::All,
    };
    Ok(Group { conditions, link, negated })
}

fn expression(at: &At<'_>, names: &[&str]) -> Result<ConditionExpr, Wrong> {
    let text = at.text()?;
    if is_too_deep(text) {
        return Err(at.wrong("the expression is too long or too deep"));
    }
    let parsed = parse_condition(text)
        .map_err(|_| at.wrong("cannot read the expression, expected one such as `a and not b`"))?;
    check_names(&parsed, names).map_err(|message| at.wrong(message))?;
    Ok(parsed)
}

fn check_names(expression: &ConditionExpr, names: &[&str]) -> Result<(), String> {
    match expression {
        ConditionExpr::And(inner) | ConditionExpr::Or(inner) => {
            inner.iter().try_for_each(|inner| check_names(inner, names))
        }
        ConditionExpr::Not(inner) => check_names(inner, names),
        ConditionExpr::Identifier(name) if names.contains(&name.as_str()) => Ok(()),
        ConditionExpr::Identifier(name) => Err(unknown("condition", name, names)),
        ConditionExpr::Selector { .. } => {
            Err("`of` has no meaning here, name each condition".to_owned())
        }
    }
}

/// The condition's type, which must be one of these.
fn kind<'v>(at: &At<'v>, known: &[&str]) -> Result<&'v str, Wrong> {
    if !at.value.is_mapping() {
        return Err(at.wrong("a condition must be a mapping with a `type`"));
    }
    let kind = at.need("type")?;
    let word = kind.text()?;
    if known.contains(&word) {
        Ok(word)
    } else {
        Err(kind.wrong(unknown("condition type", word, known)))
    }
}

fn rule_condition(at: &At<'_>) -> Result<RuleCondition, Wrong> {
    let text = |key: &str| Ok(at.need(key)?.text()?.to_owned());
    Ok(match kind(at, RULE_TYPES)? {
        "logsource" => {
            at.only(&["type", "category", "product", "service"])?;
            RuleCondition::LogSource(logsource(at)?)
        }
        "contains_detection_item" => {
            at.only(&["type", "field", "value"])?;
            RuleCondition::ContainsItem {
                field: text("field")?,
                value: at.need("value")?.scalar()?,
            }
        }
        "contains_field" => {
            at.only(&["type", "field"])?;
            RuleCondition::ContainsField(text("field")?)
        }
        "is_sigma_rule" => {
            at.only(&["type"])?;
            RuleCondition::IsRule
        }
        "is_sigma_correlation_rule" => {
            at.only(&["type"])?;
            RuleCondition::IsCorrelation
        }
        "rule_attribute" => {
            at.only(&["type", "attribute", "value", "op"])?;
            RuleCondition::Attribute(Comparison::read(at)?)
        }
        "tag" => {
            at.only(&["type", "tag"])?;
            RuleCondition::Tag(text("tag")?)
        }
        _ => RuleCondition::Happened(happened(at)?),
    })
}

fn item_condition(at: &At<'_>) -> Result<ItemCondition, Wrong> {
    let all = || {
        let all = at.word("cond", &[("any", false), ("all", true)])?;
        all.ok_or_else(|| at.wrong("missing `cond`, expected any or all"))
    };
    Ok(match kind(at, ITEM_TYPES)? {
        "match_string" => {
            at.only(&["type", "cond", "pattern", "negate"])?;
            let pattern = pattern(&at.need("pattern")?)?;
            ItemCondition::MatchString { pattern, all: all()?, negate: at.flag("negate")? }
        }
        "match_value" => {
            at.only(&["type", "cond", "value"])?;
            ItemCondition::MatchValue { value: at.need("value")?.scalar()?, all: all()? }
        }
        "contains_wildcard" => {
            at.only(&["type", "cond"])?;
            ItemCondition::ContainsWildcard { all: all()? }
        }
        "is_null" => {
            at.only(&["type", "cond"])?;
            ItemCondition::IsNull { all: all()? }
        }
        _ => ItemCondition::Happened(happened(at)?),
    })
}

fn field_condition(at: &At<'_>) -> Result<FieldCondition, Wrong> {
    let kind = kind(at, FIELD_TYPES)?;
    if !matches!(kind, "include_fields" | "exclude_fields") {
        return happened(at).map(FieldCondition::Happened);
    }
    at.only(&["type", "fields", "mode"])?;
    let fields = at.need("fields")?;
    let names = match at.word("mode", &[("plain", false), ("re", true)])? {
        Some(true) => {
            let patterns = fields.list()?;
            Names::Patterns(patterns.iter().map(pattern).collect::<Result<_, _>>()?)
        }
        Some(false) | None => Names::Plain(fields.texts()?),
    };
    Ok(FieldCondition::Fields { names, exclude: kind == "exclude_fields" })
}

fn happened(at: &At<'_>) -> Result<Happened, Wrong> {
    if at.need("type")?.text()? == "processing_item_applied" {
        at.only(&["type", "processing_item_id"])?;
        return Ok(Happened::Applied(at.need("processing_item_id")?.text()?.to_owned()));
    }
    at.only(&["type", "key", "val"])?;
    let key = at.need("key")?.text()?.to_owned();
    Ok(Happened::State { key, value: at.need("val")?.scalar()? })
}

fn pattern(at: &At<'_>) -> Result<Start, Wrong> {
    Start::new(at.text()?).map_err(|message| at.wrong(message))
}

/// A log source of which at least one part is given.
pub(super) fn logsource(at: &At<'_>) -> Result<LogSource, Wrong> {
    let part = |key: &str| Ok(at.text_of(key)?.map(str::to_owned));
    let logsource = LogSource {
        product: part("product")?,
        category: part("category")?,
        service: part("service")?,
    };
    if logsource == LogSource::default() {
        return Err(at.wrong("expected at least one of product, category and service"));
    }
    Ok(logsource.lower_case())
}
