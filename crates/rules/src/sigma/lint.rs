//! What a careful reader would say of a rule that loads: what is missing, what nothing uses, which
//! regular expressions cost more than they need to.
//!
//! Asked for by people who check their rules ([`crate::Options::lint`]), never by a program that runs
//! them. Everything here is a warning.

use std::collections::BTreeSet;

use rsigma_parser::{ConditionExpr, parse_condition};
use yaml_serde::Value;

use super::document::{Document, get, keys};
use super::fault::Fault;

/// Repetitions past this make a regular expression large: each is a copy of what is repeated.
const MANY_TIMES: usize = 500;

/// The fewest characters of fixed text by which a matcher can pass over a value quickly.
const FIXED_TEXT: usize = 3;

/// Adds what could be better in a document of sound shape.
pub(super) fn lint(document: &Document<'_>, value: &Value, faults: &mut Vec<Fault>) {
    if get(value, "filter").is_some() {
        lint_section(document, "filter", value, faults);
        return;
    }
    for (key, message) in [
        (
            "id",
            "missing `id`: without a UUID the rule is known by its title, and renaming it loses \
                what it learnt",
        ),
        ("level", "missing `level`, taken as medium"),
    ] {
        if get(value, key).is_none() {
            faults.push(Fault::warning(document.start(), message));
        }
    }
    lint_section(document, "detection", value, faults);
}

fn lint_section(document: &Document<'_>, key: &str, value: &Value, faults: &mut Vec<Fault>) {
    let Some(section) = get(value, key) else { return };
    let names: Vec<&str> =
        keys(section).filter(|name| !matches!(*name, "condition" | "rules")).collect();
    let used = used_names(section, &names);
    for name in names {
        if used.as_ref().is_some_and(|used| !used.contains(name)) {
            let message = format!("no condition uses the selection `{name}`");
            faults.push(Fault::warning(document.key(&[key, name]), message));
        }
        if let Some(selection) = get(section, name) {
            lint_items(document, &[key, name], selection, faults);
        }
    }
}

/// The selections that the conditions use; `None` where a condition cannot be read.
fn used_names<'n>(section: &Value, names: &[&'n str]) -> Option<BTreeSet<&'n str>> {
    let texts: Vec<&str> = match get(section, "condition")? {
        Value::String(text) => vec![text],
        Value::Sequence(texts) => texts.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let mut used = BTreeSet::new();
    for text in texts {
        collect(&parse_condition(text).ok()?, names, &mut used);
    }
    Some(used)
}

fn collect<'n>(expression: &ConditionExpr, names: &[&'n str], used: &mut BTreeSet<&'n str>) {
    match expression {
        ConditionExpr::And(inner) | ConditionExpr::Or(inner) => {
            inner.iter().for_each(|inner| collect(inner, names, used));
        }
        ConditionExpr::Not(inner) => collect(inner, names, used),
        ConditionExpr::Identifier(known) => {
            used.extend(names.iter().filter(|name| *name == known));
        }
        ConditionExpr::Selector { pattern, .. } => {
            used.extend(names.iter().filter(|name| pattern.matches_detection_name(name)));
        }
    }
}

/// Looks at the modifiers `all` and `re` of every key.
fn lint_items(document: &Document<'_>, path: &[&str], selection: &Value, faults: &mut Vec<Fault>) {
    match selection {
        Value::Sequence(inner) => {
            inner.iter().for_each(|inner| lint_items(document, path, inner, faults));
        }
        Value::Mapping(fields) => {
            for (key, value) in fields {
                let Some(key) = key.as_str() else { continue };
                let has = |wanted: &str| key.split('|').skip(1).any(|modifier| modifier == wanted);
                if has("all") && value.as_sequence().is_none_or(|values| values.len() < 2) {
                    let message = "`all` needs more than one value, it changes nothing here";
                    faults.push(Fault::warning(document.word(path, key), message));
                }
                if !has("re") {
                    continue;
                }
                let texts = match value {
                    Value::Sequence(texts) => texts.iter().filter_map(Value::as_str).collect(),
                    value => Vec::from_iter(value.as_str()),
                };
                for text in texts {
                    if let Some(message) = costly(text) {
                        faults.push(Fault::warning(document.word(path, text), message));
                    }
                }
            }
        }
        _ => {}
    }
}

/// Why a regular expression costs more than it needs to.
fn costly(expression: &str) -> Option<String> {
    if expression.starts_with(".*") || expression.starts_with("(.*") {
        let message = "the expression starts with `.*`, which matches anywhere anyway and costs \
                       time: leave it out";
        return Some(message.to_owned());
    }
    let repeated = most_repeated(expression);
    if repeated >= MANY_TIMES {
        return Some(format!(
            "the expression repeats a part up to {repeated} times, which makes it large and slow"
        ));
    }
    (fixed_text(expression) < FIXED_TEXT).then(|| {
        format!(
            "the expression has no fixed text of {FIXED_TEXT} characters, so it runs over every \
             value of its field"
        )
    })
}

/// The highest bound of any `{n}`, `{n,}` or `{n,m}`.
fn most_repeated(expression: &str) -> usize {
    expression
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .flat_map(|(bounds, _)| bounds.split(','))
        .filter_map(|bound| bound.trim().parse().ok())
        .max()
        .unwrap_or(0)
}

/// The longest run of characters that stand for themselves and must be there, as far as that is seen
/// without reading groups: an optional group counts as if it had to match.
fn fixed_text(expression: &str) -> usize {
    let (mut longest, mut run) = (0_usize, 0_usize);
    let mut characters = expression.chars().peekable();
    while let Some(character) = characters.next() {
        let stands = match character {
            '\\' => characters.next().is_some_and(|escaped| !escaped.is_ascii_alphanumeric()),
            '[' => {
                skip_class(&mut characters);
                false
            }
            '{' => {
                characters.by_ref().find(|character| *character == '}');
                false
            }
            '.' | '*' | '+' | '?' | '(' | ')' | '|' | '^' | '$' => false,
            _ => true,
        };
        let optional = characters.peek().is_some_and(|next| matches!(next, '*' | '?' | '{'));
        run = if stands && !optional { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Passes over a class such as `[^]\]a-z]`, whose `[` was read.
fn skip_class(characters: &mut impl Iterator<Item = char>) {
    let mut first = true;
    while let Some(character) = characters.next() {
        match character {
            '^' if first => continue,
            '\\' => {
                characters.next();
            }
            ']' if !first => return,
            _ => {}
        }
        first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sigma::document::split;

    fn said(text: &str) -> Vec<String> {
        let mut faults = Vec::new();
        for document in split(text) {
            lint(&document, &yaml_serde::from_str(document.text).unwrap(), &mut faults);
        }
        faults
            .into_iter()
            .map(|fault| format!("{}:{} {}", fault.place.line, fault.place.column, fault.message))
            .collect()
    }

    #[test]
    fn what_nothing_uses_and_what_is_missing_is_placed() {
        let rule = "title: a\nid: b\ntags: []\ndetection:\n  one_a:\n    x: 1\n  one_b:\n    x: 2\n  \
                    two:\n    x: 3\n  condition:\n    - 1 of one*\n";
        let said = said(rule);
        assert_eq!(said.len(), 2, "{said:#?}");
        assert!(said[0].starts_with("1:1 missing `level`"), "{}", said[0]);
        assert_eq!(said[1], "9:3 no condition uses the selection `two`");
        assert_eq!(super::tests::said(&rule.replace("1 of one*", "all of them")).len(), 1);
    }

    #[test]
    fn costly_expressions_are_told() {
        for (expression, part) in [
            (r".*\\evil\.exe", "starts with `.*`"),
            (r"[a-z]{4,1000}evil", "up to 1000 times"),
            (r"\d+\.\d+", "no fixed text"),
            (r"[^]abc]{2}\w?x*", "no fixed text"),
        ] {
            assert!(costly(expression).unwrap().contains(part), "{expression}");
        }
        for expression in [r"^\\\\[a-z]+\\evil", r"(?i)foo|bar", r"C:\\Windows"] {
            assert_eq!(costly(expression), None, "{expression}");
        }
    }
}
