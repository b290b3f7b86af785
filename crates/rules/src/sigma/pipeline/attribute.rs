//! The condition `rule_attribute`: a rule's own words compared with a value.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use yaml_serde::Value;

use crate::sigma::fault::unknown;
use crate::sigma::reader::{At, Wrong};

const LEVELS: &[&str] = &["informational", "low", "medium", "high", "critical"];
/// From the least to the most dependable.
const STATUSES: &[&str] = &["unsupported", "deprecated", "experimental", "test", "stable"];
const DATES: &[&str] = &["date", "modified"];
/// Attributes that are compared for being the same only.
const TEXTS: &[&str] = &["title", "id", "name", "description", "author", "license", "taxonomy"];

/// An attribute of a rule compared with a value.
#[derive(Clone, Debug)]
pub(super) struct Comparison {
    attribute: String,
    relation: Relation,
    values: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    In,
    NotIn,
}

const RELATIONS: &[(&str, Relation)] = &[
    ("eq", Relation::Equal),
    ("ne", Relation::NotEqual),
    ("gt", Relation::Greater),
    ("gte", Relation::GreaterOrEqual),
    ("lt", Relation::Less),
    ("lte", Relation::LessOrEqual),
    ("in", Relation::In),
    ("not_in", Relation::NotIn),
];

impl Comparison {
    /// # Errors
    /// Where a value cannot be the attribute's, or the attribute has no order.
    pub(super) fn read(at: &At<'_>) -> Result<Comparison, Wrong> {
        let attribute = at.need("attribute")?.text()?.to_owned();
        let relation = at.word("op", RELATIONS)?.unwrap_or(Relation::Equal);
        let value = at.need("value")?;
        let several = matches!(relation, Relation::In | Relation::NotIn);
        let values = match several {
            true => value.list()?,
            false => vec![value.clone()],
        };
        let mut texts = Vec::new();
        for value in values {
            let text =
                written(value.value).ok_or_else(|| value.wrong("expected a text or a number"))?;
            let known = match attribute.as_str() {
                "level" => Some(LEVELS),
                "status" => Some(STATUSES),
                _ => None,
            };
            if let Some(known) = known.filter(|known| !known.contains(&text.as_str())) {
                return Err(value.wrong(unknown(&attribute, &text, known)));
            }
            if DATES.contains(&attribute.as_str()) && !is_date(&text) {
                return Err(value.wrong("expected a date such as 2026-11-21"));
            }
            texts.push(text);
        }
        let ordering = !several && !matches!(relation, Relation::Equal | Relation::NotEqual);
        if ordering && TEXTS.contains(&attribute.as_str()) {
            let message = format!("`{attribute}` has no order, expected eq, ne, in or not_in");
            return Err(at.wrong(message));
        }
        Ok(Comparison { attribute, relation, values: texts })
    }

    /// Whether it holds; never where the rule has no such attribute.
    pub(super) fn holds(&self, attributes: &BTreeMap<String, Value>) -> bool {
        let Some(has) = attributes.get(&self.attribute).and_then(written) else { return false };
        let first = self.values.first().map(String::as_str).unwrap_or_default();
        let orders = |wanted: &[Ordering]| {
            self.order(&has, first).is_some_and(|order| wanted.contains(&order))
        };
        match self.relation {
            Relation::Equal => self.is_same(&has, first),
            Relation::NotEqual => !self.is_same(&has, first),
            Relation::Greater => orders(&[Ordering::Greater]),
            Relation::GreaterOrEqual => orders(&[Ordering::Greater, Ordering::Equal]),
            Relation::Less => orders(&[Ordering::Less]),
            Relation::LessOrEqual => orders(&[Ordering::Less, Ordering::Equal]),
            Relation::In => self.values.iter().any(|value| self.is_same(&has, value)),
            Relation::NotIn => !self.values.iter().any(|value| self.is_same(&has, value)),
        }
    }

    fn is_same(&self, left: &str, right: &str) -> bool {
        left == right || self.order(left, right) == Some(Ordering::Equal)
    }

    fn order(&self, left: &str, right: &str) -> Option<Ordering> {
        let rank = |words: &[&str], word: &str| words.iter().position(|known| *known == word);
        match self.attribute.as_str() {
            "level" => Some(rank(LEVELS, left)?.cmp(&rank(LEVELS, right)?)),
            "status" => Some(rank(STATUSES, left)?.cmp(&rank(STATUSES, right)?)),
            name if DATES.contains(&name) => {
                Some(left.replace('/', "-").cmp(&right.replace('/', "-")))
            }
            name if TEXTS.contains(&name) => None,
            _ => left.parse::<f64>().ok()?.partial_cmp(&right.parse::<f64>().ok()?),
        }
    }
}

fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// `2026-11-21`, or with slashes as in old rules.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => matches!(byte, b'-' | b'/'),
            _ => byte.is_ascii_digit(),
        })
}
