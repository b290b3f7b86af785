//! Transformations of values.

use std::collections::BTreeMap;

use rsigma_parser::{Modifier, SigmaString, SigmaValue, StringPart};

use super::Unfit;
use super::pattern::Replacement;
use super::text;
use super::tree::{Item, Node};

/// How an item's values become others.
#[derive(Clone, Debug)]
pub(super) enum Revaluing {
    Replace {
        replacement: Replacement,
        skip_special: bool,
        interpret_special: bool,
    },
    Map(BTreeMap<String, Vec<SigmaString>>),
    Set(SigmaValue),
    ToText,
    ToNumber,
    Case(Case),
    /// Whether texts match in their own case only.
    Cased(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Lower,
    Upper,
    Snake,
}

impl Revaluing {
    /// The item with its values changed; the flag says whether any was.
    ///
    /// # Errors
    /// Where a value cannot become what it should.
    pub(super) fn apply(&self, mut item: Item) -> Result<(Node, bool), Unfit> {
        match self {
            Revaluing::Set(value) => {
                item.modifiers
                    .retain(|modifier| matches!(modifier, Modifier::Neq | Modifier::Cased));
                item.values = vec![value.clone()];
                return Ok((Node::Item(item), true));
            }
            _ if !item.is_text() => return Ok((Node::Item(item), false)),
            Revaluing::Cased(cased) => {
                let texts = item.values.iter().any(|value| matches!(value, SigmaValue::String(_)));
                let changes = texts && item.has(Modifier::Cased) != *cased;
                if changes && *cased {
                    item.modifiers.push(Modifier::Cased);
                } else if changes {
                    item.remove(Modifier::Cased);
                }
                return Ok((Node::Item(item), changes));
            }
            _ => {}
        }
        item.revalued(|value| self.values(value))
    }

    /// What a value becomes; `None` where it stays.
    fn values(&self, value: &SigmaValue) -> Result<Option<Vec<SigmaValue>>, Unfit> {
        Ok(match (self, value) {
            (
                Revaluing::Replace { replacement, skip_special, interpret_special },
                SigmaValue::String(text),
            ) => replace(text, replacement, *skip_special, *interpret_special)
                .map_err(Unfit::new)?
                .map(|text| vec![SigmaValue::String(text)]),
            (Revaluing::Map(mapping), SigmaValue::String(text)) => mapping
                .get(&text::shown(text))
                .map(|others| others.iter().cloned().map(SigmaValue::String).collect()),
            (Revaluing::Case(case), SigmaValue::String(text)) => {
                let changed = |part: &StringPart| match part {
                    StringPart::Plain(plain) => StringPart::Plain(case.of(plain)),
                    special @ StringPart::Special(_) => special.clone(),
                };
                let parts: Vec<StringPart> = text.parts.iter().map(changed).collect();
                Some(vec![SigmaValue::String(text::of_parts(&parts))])
            }
            (Revaluing::ToText, SigmaValue::Integer(number)) => {
                Some(vec![SigmaValue::from_raw_string(&number.to_string())])
            }
            (Revaluing::ToText, SigmaValue::Float(number)) => {
                Some(vec![SigmaValue::from_raw_string(&number.to_string())])
            }
            (Revaluing::ToNumber, SigmaValue::String(text)) => {
                let shown = text::shown(text);
                let number = number(&shown)
                    .ok_or_else(|| Unfit::about(format!("`{shown}` is no number"), &shown))?;
                Some(vec![number])
            }
            _ => None,
        })
    }
}

impl Case {
    fn of(self, text: &str) -> String {
        match self {
            Case::Lower => text.to_lowercase(),
            Case::Upper => text.to_uppercase(),
            Case::Snake => {
                let mut snake = String::new();
                let mut before: Option<char> = None;
                for character in text.chars() {
                    let starts = character.is_uppercase()
                        && before
                            .is_some_and(|before| before.is_lowercase() || before.is_numeric());
                    if starts {
                        snake.push('_');
                    }
                    snake.extend(character.to_lowercase());
                    before = Some(character);
                }
                snake
            }
        }
    }
}

/// A text as a number: whole where it is written so.
pub(super) fn number(text: &str) -> Option<SigmaValue> {
    let whole = text.parse::<i64>().ok().map(SigmaValue::Integer);
    whole.or_else(|| {
        text.parse::<f64>().ok().filter(|number| number.is_finite()).map(SigmaValue::Float)
    })
}

fn replace(
    value: &SigmaString,
    replacement: &Replacement,
    skip_special: bool,
    interpret_special: bool,
) -> Result<Option<SigmaString>, String> {
    if !skip_special {
        let replaced = replacement.apply(&text::shown(value))?;
        return Ok(replaced.map(|replaced| text::read(&replaced)));
    }
    let mut parts = Vec::new();
    let mut changed = false;
    for part in &value.parts {
        let replaced = match part {
            StringPart::Plain(plain) => replacement.apply(plain)?,
            StringPart::Special(_) => None,
        };
        match replaced {
            Some(replaced) if interpret_special => parts.extend(text::read(&replaced).parts),
            Some(replaced) => parts.push(StringPart::Plain(replaced.clone())),
            None => {
                parts.push(part.clone());
                continue;
            }
        }
        changed = true;
    }
    Ok(changed.then(|| text::of_parts(&parts)))
}
