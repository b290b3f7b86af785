//! The condition of a detection or filter: its syntax and the selections that it names.

use std::collections::BTreeSet;

use rsigma_parser::{ConditionExpr, SigmaParserError, parse_condition};

use super::document::Document;
use super::fault::{Fault, unknown};
use super::selector;

/// The most bytes of one condition.
const MAX_CONDITION: usize = 4096;
/// The most brackets and negations within one another in a condition.
const MAX_DEPTH: usize = 32;

/// Adds what is wrong with a condition over selections of these names.
pub(super) fn check(
    document: &Document<'_>,
    section: &str,
    text: &str,
    names: &BTreeSet<&str>,
    faults: &mut Vec<Fault>,
) {
    let path = [section, "condition"];
    if is_too_deep(text) {
        let message = format!(
            "the condition is too long or too deep, expected at most {MAX_CONDITION} bytes and \
             {MAX_DEPTH} levels"
        );
        faults.push(Fault::error(document.key(&path), message));
        return;
    }
    let first_line = text.lines().next().unwrap_or_default();
    match parse_condition(text) {
        Ok(expression) => check_names(document, &path, &expression, names, faults),
        Err(error) => {
            let mut place = document.word(&path, first_line);
            if let Some(at) = error.location().filter(|at| at.line == 1) {
                place.column += (at.col as usize).saturating_sub(1);
            }
            let message = match &error {
                SigmaParserError::Condition(message, _) => last_line(message),
                other => other.to_string(),
            };
            faults.push(Fault::error(place, format!("cannot read the condition: {message}")));
        }
    }
}

/// Whether the parser, which calls itself for each level, could run out of stack.
pub(super) fn is_too_deep(condition: &str) -> bool {
    let (mut depth, mut nots) = (0_usize, 0_usize);
    let ends = |character: char| matches!(character, '(' | ')') || character.is_whitespace();
    let deep = condition.split_inclusive(ends).any(|word| {
        match word.bytes().last() {
            Some(b'(') => depth += 1,
            Some(b')') => depth = depth.saturating_sub(1),
            _ => {}
        }
        nots = if word.trim() == "not" { nots + 1 } else { 0 };
        depth + nots > MAX_DEPTH
    });
    deep || condition.len() > MAX_CONDITION
}

/// The part of the grammar's message that says what was expected, in the words of the language.
fn last_line(message: &str) -> String {
    let said = message.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let mut said = said.trim_start_matches([' ', '=']).replace(", or ", " or ");
    for (token, word) in [
        ("EOI", "the end"),
        ("and_op", "`and`"),
        ("or_op", "`or`"),
        ("not_op", "`not`"),
        ("ident", "a selection"),
    ] {
        said = said.replace(token, word);
    }
    said
}

fn check_names(
    document: &Document<'_>,
    path: &[&str],
    expression: &ConditionExpr,
    names: &BTreeSet<&str>,
    faults: &mut Vec<Fault>,
) {
    match expression {
        ConditionExpr::And(inner) | ConditionExpr::Or(inner) => {
            for expression in inner {
                check_names(document, path, expression, names, faults);
            }
        }
        ConditionExpr::Not(inner) => check_names(document, path, inner, names, faults),
        ConditionExpr::Identifier(name) if !names.contains(name.as_str()) => {
            let known: Vec<&str> = names.iter().copied().collect();
            let message = unknown("selection", name, &known);
            faults.push(Fault::error(document.word(path, name), message));
        }
        ConditionExpr::Selector { pattern, .. }
            if !names.iter().any(|name| selector::chooses(pattern, name)) =>
        {
            let pattern = pattern.to_string();
            let message = format!("no selection is named like `{pattern}`");
            faults.push(Fault::error(document.word(path, &pattern), message));
        }
        _ => {}
    }
}
