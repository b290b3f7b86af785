//! Placeholders: `%name%` in the values of items with the modifier `expand` (Sigma modifiers
//! appendix 2.1, "Specific modifiers").

use std::collections::BTreeMap;

use rsigma_parser::{Modifier, SigmaValue, SpecialChar, StringPart};

use super::Unfit;
use super::text;
use super::tree::{Item, MAX_VALUES, Node};

/// The values of placeholders, by their names.
pub(super) type Values = BTreeMap<String, Vec<SigmaValue>>;

/// Which placeholders a transformation replaces.
#[derive(Clone, Debug)]
pub(super) enum Choice {
    Every,
    Only(Vec<String>),
    AllBut(Vec<String>),
}

/// What takes a placeholder's place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Filling<'v> {
    Values(&'v Values),
    Wildcard,
}

impl Choice {
    fn includes(&self, name: &str) -> bool {
        match self {
            Choice::Every => true,
            Choice::Only(names) => names.iter().any(|known| known == name),
            Choice::AllBut(names) => !names.iter().any(|known| known == name),
        }
    }
}

/// A value's text, cut at its placeholders.
enum Piece {
    Part(StringPart),
    Placeholder(String),
}

/// Replaces those of the item's placeholders that are chosen and have values; the flag says whether
/// there was one.
///
/// # Errors
/// Where an item grows too large.
pub(super) fn fill(
    item: Item,
    choice: &Choice,
    filling: Filling<'_>,
) -> Result<(Node, bool), Unfit> {
    if !item.has(Modifier::Expand) {
        return Ok((Node::Item(item), false));
    }
    let is_text = item.is_text();
    item.revalued(|value| filled(is_text, value, choice, filling))
}

/// Takes the modifier `expand` off an item that has no placeholder left.
///
/// # Errors
/// Names the first placeholder that is left.
pub(super) fn finish(mut item: Item) -> Result<Item, Unfit> {
    if !item.has(Modifier::Expand) {
        return Ok(item);
    }
    for value in &item.values {
        let SigmaValue::String(text) = value else { continue };
        let left = text.parts.iter().flat_map(pieces).find_map(|piece| match piece {
            Piece::Placeholder(name) => Some(name),
            Piece::Part(_) => None,
        });
        if let Some(name) = left {
            let message = format!("the placeholder `{name}` has no values");
            return Err(Unfit::about(message, &format!("%{name}%")));
        }
    }
    item.remove(Modifier::Expand);
    Ok(item)
}

fn filled(
    is_text: bool,
    value: &SigmaValue,
    choice: &Choice,
    filling: Filling<'_>,
) -> Result<Option<Vec<SigmaValue>>, Unfit> {
    let SigmaValue::String(text) = value else { return Ok(None) };
    if let ([StringPart::Plain(plain)], Filling::Values(values)) = (text.parts.as_slice(), filling)
        && let Some(name) = plain.strip_prefix('%').and_then(|rest| rest.strip_suffix('%'))
        && is_name(name)
        && choice.includes(name)
        && is_text
    {
        // Alone it may be a number too.
        return Ok(values.get(name).cloned());
    }
    let mut changed = false;
    let mut forms: Vec<Vec<StringPart>> = vec![Vec::new()];
    for piece in text.parts.iter().flat_map(pieces) {
        let choices: Vec<Vec<StringPart>> = match piece {
            Piece::Part(part) => vec![vec![part]],
            Piece::Placeholder(name) => match replacements(&name, choice, filling) {
                Some(replacements) => {
                    changed = true;
                    replacements
                }
                None => vec![vec![StringPart::Plain(format!("%{name}%"))]],
            },
        };
        if forms.len().saturating_mul(choices.len()) > MAX_VALUES {
            let message = format!("placeholders make more than {MAX_VALUES} values of one");
            return Err(Unfit::new(message));
        }
        let extended = |form: &Vec<StringPart>| -> Vec<Vec<StringPart>> {
            choices.iter().map(|choice| [form.as_slice(), choice].concat()).collect()
        };
        forms = forms.iter().flat_map(extended).collect();
    }
    let value = |form: &Vec<StringPart>| match is_text {
        true => SigmaValue::String(text::of_parts(form)),
        // Expressions, networks and numbers have no wildcards.
        false => SigmaValue::from_raw_string(&raw(form)),
    };
    Ok(changed.then(|| forms.iter().map(value).collect()))
}

fn replacements(name: &str, choice: &Choice, filling: Filling<'_>) -> Option<Vec<Vec<StringPart>>> {
    if !choice.includes(name) {
        return None;
    }
    match filling {
        Filling::Wildcard => Some(vec![vec![StringPart::Special(SpecialChar::WildcardMulti)]]),
        Filling::Values(values) => {
            let parts = |value: &SigmaValue| match value {
                SigmaValue::String(text) => text.parts.clone(),
                other => vec![StringPart::Plain(other.to_string())],
            };
            Some(values.get(name)?.iter().map(parts).collect())
        }
    }
}

fn raw(parts: &[StringPart]) -> String {
    let text = |part: &StringPart| match part {
        StringPart::Plain(plain) => plain.clone(),
        StringPart::Special(SpecialChar::WildcardMulti) => "*".to_owned(),
        StringPart::Special(SpecialChar::WildcardSingle) => "?".to_owned(),
    };
    parts.iter().map(text).collect()
}

fn pieces(part: &StringPart) -> Vec<Piece> {
    let StringPart::Plain(plain) = part else { return vec![Piece::Part(part.clone())] };
    let mut pieces = Vec::new();
    let mut rest = plain.as_str();
    let mut literal = String::new();
    while let Some((before, after)) = rest.split_once('%') {
        literal.push_str(before);
        match after.split_once('%') {
            Some((name, behind)) if is_name(name) => {
                pieces.push(Piece::Part(StringPart::Plain(std::mem::take(&mut literal))));
                pieces.push(Piece::Placeholder(name.to_owned()));
                rest = behind;
            }
            _ => {
                literal.push('%');
                rest = after;
            }
        }
    }
    literal.push_str(rest);
    pieces.push(Piece::Part(StringPart::Plain(literal)));
    pieces
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|character| character.is_alphanumeric() || "_-.".contains(character))
}
