//! Patterns that never match, and slow ones.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::{Warnings, files};
use crate::pattern::{Pattern, Regex, Second, Test};
use crate::rule::RuleSet;

pub(super) fn check(rules: &RuleSet, warnings: &mut Warnings) {
    for (at, file) in files(rules) {
        for rule in file.rules() {
            let second = match rule.second() {
                Some(Second::Fixed(pattern)) => Some(&**pattern),
                _ => None,
            };
            for pattern in rule.conditions().chain(second) {
                if let Some(why) = never(pattern) {
                    let what = if pattern.negated { "matches every line" } else { "never matches" };
                    warnings.about((at, file), rule, format!("a pattern {what}: {why}"));
                }
                if let Test::Regex { regex, lines } = &pattern.test
                    && let Some(why) = slow(regex, *lines > 1)
                {
                    warnings.about((at, file), rule, why);
                }
            }
        }
    }
}

/// Why nothing matches what a pattern tests for, if that is so.
fn never(pattern: &Pattern) -> Option<String> {
    match &pattern.test {
        Test::Truth(false) => {
            Some("TValue FALSE is never true; remove the rule if it is not needed".to_owned())
        }
        Test::Substring { lines, finder } => {
            let feeds = memchr::memchr_iter(b'\n', finder.needle()).count();
            (feeds >= *lines).then(|| line_feeds("SubStr", feeds))
        }
        Test::Regex { lines, regex } => {
            let hir = tree(regex)?;
            impossible(&hir, *lines == 1)
        }
        _ => None,
    }
}

fn line_feeds(kind: &str, feeds: usize) -> String {
    format!(
        "it looks for a line feed, and lines have none; {kind}{} looks at {} lines joined by line feeds",
        feeds + 1,
        feeds + 1
    )
}

/// The expression as the linear-time engine reads it; nothing where it does not.
fn tree(regex: &Regex) -> Option<Hir> {
    regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(regex.text()).ok()
}

/// Why no text matches, if that is so; in one line there are no line feeds.
fn impossible(hir: &Hir, one_line: bool) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(literal) if one_line && literal.0.contains(&b'\n') => {
            Some(line_feeds("RegExp", 1))
        }
        HirKind::Class(class) => impossible_class(class, one_line),
        HirKind::Capture(capture) => impossible(&capture.sub, one_line),
        HirKind::Repetition(repetition) if repetition.min > 0 => {
            impossible(&repetition.sub, one_line)
        }
        HirKind::Alternation(branches) => {
            let mut reasons = branches.iter().map(|branch| impossible(branch, one_line));
            let first = reasons.next()??;
            reasons.all(|reason| reason.is_some()).then_some(first)
        }
        HirKind::Concat(_) => {
            let mut parts = Vec::new();
            flatten(hir, &mut parts);
            parts
                .iter()
                .find_map(|part| impossible(part, one_line))
                .or_else(|| in_order(&parts, one_line))
        }
        _ => None,
    }
}

fn impossible_class(class: &Class, one_line: bool) -> Option<String> {
    let (least, most) = match class {
        Class::Bytes(class) => (class.ranges().first()?.start(), class.ranges().last()?.end()),
        Class::Unicode(_) => return None,
    };
    (one_line && least == b'\n' && most == b'\n').then(|| line_feeds("RegExp", 1))
}

/// The parts of a sequence, those of sequences and groups within it too.
fn flatten<'h>(hir: &'h Hir, parts: &mut Vec<&'h Hir>) {
    match hir.kind() {
        HirKind::Concat(many) => many.iter().for_each(|part| flatten(part, parts)),
        HirKind::Capture(capture) => flatten(&capture.sub, parts),
        _ => parts.push(hir),
    }
}

/// Whether a sequence wants text before the start or behind the end.
fn in_order(parts: &[&Hir], one_line: bool) -> Option<String> {
    let takes = |part: &&Hir| part.properties().minimum_len().unwrap_or(0) > 0;
    for (at, part) in parts.iter().enumerate() {
        let (before, after) =
            (parts.get(..at).unwrap_or_default(), parts.get(at + 1..).unwrap_or_default());
        match part.kind() {
            HirKind::Look(Look::Start) if before.iter().any(takes) => {
                return Some(
                    "`^` stands behind text; a caret that is meant is written \\^".to_owned(),
                );
            }
            // In several lines `$` may stand before the last line feed.
            HirKind::Look(Look::End) if one_line && after.iter().any(takes) => {
                return Some(
                    "`$` stands before text; a dollar that is meant is written \\$".to_owned(),
                );
            }
            _ => {}
        }
    }
    None
}

/// Why a pattern may be slow, if it may.
fn slow(regex: &Regex, several_lines: bool) -> Option<String> {
    if regex.is_linear() {
        return tree(regex).is_some_and(|hir| is_ambiguous(&hir)).then(|| {
            "a pattern has a repetition within a repetition that can share a text in many ways: it is linear here, but \
             under sec a hostile line takes for ever; write it as one repetition"
                .to_owned()
        });
    }
    let text = regex.text();
    let shape = shape(text.as_bytes());
    let what = if shape.nested {
        "a repetition within a repetition"
    } else if shape.wide >= 3 {
        "several repetitions of any character, which share a text in many ways"
    } else {
        return None;
    };
    // Over several lines `$` may stand before the last line feed, which the linear engine cannot.
    let end = text.strip_suffix('$').map(|text| format!("{text}\\z"));
    let quick = end.is_some_and(|text| {
        several_lines && Regex::new(text.as_bytes(), true).is_ok_and(|regex| regex.is_linear())
    });
    let advice = if quick {
        "end it with \\z in place of $, and it is linear"
    } else {
        "write it without them, or without look-around, back-references and possessive repetitions"
    };
    Some(format!(
        "a pattern has {what}, and is matched by backtracking: a hostile line may take up the limit of steps and then does \
         not match; {advice}"
    ))
}

/// Whether a repetition without an end repeats one without an end, with nothing between that must be
/// there.
fn is_ambiguous(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(outer) => {
            (outer.max.is_none() && is_endless(&outer.sub)) || is_ambiguous(&outer.sub)
        }
        HirKind::Capture(capture) => is_ambiguous(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(is_ambiguous),
        _ => false,
    }
}

/// Whether an expression is, but for what may be missing, a repetition without an end.
fn is_endless(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(inner) => inner.max.is_none() || is_endless(&inner.sub),
        HirKind::Capture(capture) => is_endless(&capture.sub),
        HirKind::Alternation(branches) => branches.iter().any(is_endless),
        HirKind::Concat(parts) => {
            let needed = |part: &&Hir| part.properties().minimum_len().unwrap_or(0) > 0;
            match parts.iter().filter(needed).collect::<Vec<_>>().as_slice() {
                [] => parts.iter().any(is_endless),
                [one] => is_endless(one),
                _ => false,
            }
        }
        _ => false,
    }
}

#[derive(Default)]
struct Shape {
    nested: bool,
    /// How many times any characters are repeated without an end.
    wide: usize,
}

/// What the text of an expression shows of its repetitions; such expressions have no tree.
fn shape(text: &[u8]) -> Shape {
    let mut shape = Shape::default();
    // For each open group whether a repetition without an end stands in it, and whether it may not be
    // taken back.
    let mut open: Vec<(bool, bool)> = Vec::new();
    let mut closed: Option<bool> = None;
    let mut any = false;
    let mut at = 0;
    while let Some(byte) = text.get(at).copied() {
        let rest = text.get(at..).unwrap_or_default();
        let mut step = 1;
        let (mut closed_now, mut any_now) = (None, false);
        match byte {
            b'\\' => step = 2,
            b'[' => step = class_length(rest),
            b'(' => open.push((false, rest.starts_with(b"(?>"))),
            b')' => {
                let (inner, atomic) = open.pop().unwrap_or_default();
                closed_now = Some(inner && !atomic);
                if let Some((around, _)) = open.last_mut() {
                    *around |= inner && !atomic;
                }
            }
            b'.' => any_now = true,
            b'*' | b'+' | b'{' => {
                let length = endless(rest);
                if let Some(length) = length {
                    let possessive = rest.get(length) == Some(&b'+');
                    if !possessive {
                        shape.nested |= closed == Some(true);
                        shape.wide += usize::from(any);
                        if let Some((inner, _)) = open.last_mut() {
                            *inner = true;
                        }
                    }
                    step = length + usize::from(possessive);
                }
            }
            _ => {}
        }
        (closed, any) = (closed_now, any_now);
        at += step;
    }
    shape
}

/// How long a repetition without an end is.
fn endless(rest: &[u8]) -> Option<usize> {
    if matches!(rest.first(), Some(b'*' | b'+')) {
        return Some(1);
    }
    let end = memchr::memchr(b'}', rest)?;
    let inner = rest.get(1..end)?;
    let digits = inner.strip_suffix(b",")?;
    (!digits.is_empty() && digits.iter().all(u8::is_ascii_digit)).then_some(end + 1)
}

/// How long a class in brackets is.
fn class_length(rest: &[u8]) -> usize {
    let mut at = 1 + usize::from(rest.get(1) == Some(&b'^'));
    // A bracket right at the beginning is a member.
    at += usize::from(rest.get(at) == Some(&b']'));
    while let Some(byte) = rest.get(at) {
        match byte {
            b']' => return at + 1,
            b'\\' => at += 2,
            b'[' if rest.get(at + 1) == Some(&b':') => {
                at += memchr::memmem::find(rest.get(at..).unwrap_or_default(), b":]")
                    .map_or(1, |length| length + 2);
            }
            _ => at += 1,
        }
    }
    rest.len()
}
