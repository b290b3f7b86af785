//! `filter_path`: which parts of an answer a client wants (Elasticsearch's common options).
//!
//! Patterns with commas between them; parts with dots between them, where `*` in a part stands for
//! any characters and `**` alone for any number of parts; a pattern that begins with `-` takes away.

use serde_json::{Map, Value};

/// The most patterns, and the most parts of one; what is beyond is not looked at.
const MAX_PATTERNS: usize = 64;
const MAX_PARTS: usize = 16;

/// The value without what the patterns leave out; None where nothing is left.
pub(super) fn filtered(value: Value, patterns: &str) -> Option<Value> {
    let mut wanted = Vec::new();
    let mut unwanted = Vec::new();
    for pattern in patterns.split(',').map(str::trim).filter(|p| !p.is_empty()).take(MAX_PATTERNS) {
        let (list, pattern) = match pattern.strip_prefix('-') {
            Some(pattern) => (&mut unwanted, pattern),
            None => (&mut wanted, pattern),
        };
        list.push(pattern.split('.').take(MAX_PARTS).collect::<Vec<_>>());
    }
    let value =
        if unwanted.is_empty() { Some(value) } else { without(value, &borrowed(&unwanted)) };
    if wanted.is_empty() { value } else { only(value?, &borrowed(&wanted)) }
}

fn borrowed<'p>(patterns: &'p [Vec<&'p str>]) -> Vec<&'p [&'p str]> {
    patterns.iter().map(Vec::as_slice).collect()
}

/// What the patterns name.
fn only(value: Value, patterns: &[&[&str]]) -> Option<Value> {
    if patterns.iter().any(|pattern| ended(pattern)) {
        return Some(value);
    }
    walk(value, patterns, &|value, below| only(value, below), false)
}

/// What the patterns do not name.
fn without(value: Value, patterns: &[&[&str]]) -> Option<Value> {
    if patterns.iter().any(|pattern| ended(pattern)) {
        return None;
    }
    walk(value, patterns, &|value, below| without(value, below), true)
}

type Below<'f> = &'f dyn Fn(Value, &[&[&str]]) -> Option<Value>;

fn walk(value: Value, patterns: &[&[&str]], below: Below<'_>, keep_leaves: bool) -> Option<Value> {
    match value {
        Value::Object(members) => {
            let was_empty = members.is_empty();
            let kept: Map<String, Value> = members
                .into_iter()
                .filter_map(|(name, value)| {
                    let mut next: Vec<&[&str]> =
                        patterns.iter().flat_map(|pattern| descend(pattern, &name)).collect();
                    // Several ways through `**` may lead to the same rest.
                    next.sort_unstable_by_key(|rest| (rest.as_ptr(), rest.len()));
                    next.dedup_by_key(|rest| (rest.as_ptr(), rest.len()));
                    if next.is_empty() {
                        return keep_leaves.then_some((name, value));
                    }
                    Some((name, below(value, &next)?))
                })
                .collect();
            (was_empty && keep_leaves || !kept.is_empty()).then_some(Value::Object(kept))
        }
        // A list is as if its elements stood in its place.
        Value::Array(elements) => {
            let kept: Vec<Value> =
                elements.into_iter().filter_map(|element| below(element, patterns)).collect();
            (keep_leaves || !kept.is_empty()).then_some(Value::Array(kept))
        }
        leaf => keep_leaves.then_some(leaf),
    }
}

/// What is left of a pattern below a member of this name.
fn descend<'p>(pattern: &'p [&'p str], name: &str) -> Vec<&'p [&'p str]> {
    match pattern.split_first() {
        None => Vec::new(),
        Some((&"**", rest)) => {
            // Stays for deeper members, or ends before this one.
            let mut next = vec![pattern];
            next.extend(descend(rest, name));
            next
        }
        Some((part, rest)) if matches(part, name) => vec![rest],
        Some(_) => Vec::new(),
    }
}

fn ended(pattern: &[&str]) -> bool {
    pattern.iter().all(|part| *part == "**")
}

/// Whether `*` in the pattern can stand for what the name has in its place.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let last = pieces.pop().unwrap_or_default();
    for piece in pieces {
        let Some(found) = name.find(piece) else { return false };
        name = name.get(found + piece.len()..).unwrap_or_default();
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_are_cut_to_what_is_asked() {
        let answer = json!({"took": 3, "errors": true, "items": [
            {"create": {"_index": "i", "status": 201}},
            {"index": {"_index": "i", "status": 400, "error": {"type": "t", "reason": "r"}}},
        ]});
        let statuses = json!({"errors": true, "items": [
            {"create": {"status": 201}},
            {"index": {"status": 400, "error": {"type": "t", "reason": "r"}}},
        ]});
        for (patterns, expected) in [
            ("errors,items.*.error,items.*.status", Some(statuses.clone())),
            (
                "errors,items.index.status,items.index.error,items.create.status,items.create.error",
                Some(statuses),
            ),
            ("took", Some(json!({"took": 3}))),
            ("t*k", Some(json!({"took": 3}))),
            ("**.reason", Some(json!({"items": [{"index": {"error": {"reason": "r"}}}]}))),
            ("**", Some(answer.clone())),
            ("-items", Some(json!({"took": 3, "errors": true}))),
            (
                "-items.*._index,-took,-**.reason",
                Some(json!({"errors": true, "items": [
                    {"create": {"status": 201}},
                    {"index": {"status": 400, "error": {"type": "t"}}},
                ]})),
            ),
            (
                "items,-items.*.error",
                Some(json!({"items": [
                    {"create": {"_index": "i", "status": 201}},
                    {"index": {"_index": "i", "status": 400}},
                ]})),
            ),
            ("nothing", None),
            ("took.deeper", None),
            (" , ", Some(answer.clone())),
        ] {
            assert_eq!(filtered(answer.clone(), patterns), expected, "{patterns}");
        }
    }

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, name, expected) in [
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "acb", false),
            ("*", "", true),
            ("abc", "abcd", false),
            ("a*a", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
