//! Rules that no line reaches, because one before them takes all that they would match.
//!
//! Only what is certain counts: the rule before has no context, ends matching in the file (or jumps
//! past the other one), and its pattern holds wherever the other's does.

use super::{Warnings, files};
use crate::pattern::{Pattern, Regex, Second, Test};
use crate::rule::{Condition, Continue, Kind, Rule, RuleFile, RuleSet};

pub(super) fn check(rules: &RuleSet, warnings: &mut Warnings) {
    for (at, file) in files(rules) {
        let ends = ends(file);
        for (number, rule) in file.rules().iter().enumerate() {
            let taken: Vec<&End<'_>> =
                ends.iter().filter(|end| end.rule < number && end.takes(number)).collect();
            if taken.is_empty() {
                continue;
            }
            let by = |pattern: &Pattern| taken.iter().find(|end| covers(end.pattern, pattern));
            let mut all = rule.conditions().map(by);
            let line = |end: &End<'_>| file.rules().get(end.rule).map_or(0, |rule| rule.line);
            let message = match all.next() {
                Some(Some(first)) if all.all(|end| end.is_some()) => Some(format!(
                    "the rule is never reached: the one at line {} matches every line that this one does and lets none \
                     through; put this one first, or give that one continue=TakeNext",
                    line(first)
                )),
                _ => match rule.second() {
                    Some(Second::Fixed(pattern)) => by(pattern).map(|end| {
                        format!(
                            "the second pattern is never reached: the rule at line {} takes every line that it matches; \
                             put this rule first",
                            line(end)
                        )
                    }),
                    _ => None,
                },
            };
            if let Some(message) = message {
                warnings.about((at, file), rule, message);
            }
        }
    }
}

/// A pattern after which rules are left out.
struct End<'r> {
    rule: usize,
    pattern: &'r Pattern,
    /// The first rule that a line may still come to, if any.
    next: Option<usize>,
}

impl End<'_> {
    fn takes(&self, rule: usize) -> bool {
        self.next.is_none_or(|next| next > rule)
    }
}

/// How many patterns of a file are compared with those behind them.
const ENDS: usize = 2_000;

fn ends(file: &RuleFile) -> Vec<End<'_>> {
    let mut ends = Vec::new();
    // Lines may come past a rule by a jump to a label behind it.
    let mut jumped_to = 0;
    for (number, rule) in file.rules().iter().enumerate() {
        let always_tried = number >= jumped_to;
        for when in conditions(rule) {
            let next = match when.next {
                Continue::Next => continue,
                Continue::GoTo(next) => {
                    jumped_to = jumped_to.max(next);
                    Some(next)
                }
                Continue::Stop | Continue::End => None,
            };
            let pattern = &when.pattern;
            // What a cache holds differs from rule to rule.
            let steady = !matches!(pattern.test, Test::Cached(_) | Test::Perl { .. });
            if when.context.is_none() && steady && always_tried && ends.len() < ENDS {
                ends.push(End { rule: number, pattern, next });
            }
        }
        if let Kind::Pair(pair) = &rule.kind
            && let Continue::GoTo(next) = pair.second.next
        {
            jumped_to = jumped_to.max(next);
        }
    }
    ends
}

fn conditions(rule: &Rule) -> Vec<&Condition> {
    match &rule.kind {
        Kind::Single { when, .. }
        | Kind::Script { when, .. }
        | Kind::Suppressed { when, .. }
        | Kind::Threshold { when, .. }
        | Kind::Suppress { when }
        | Kind::Jump { when, .. } => vec![when],
        Kind::TwoThresholds(rule) => vec![&rule.when],
        Kind::Pair(pair) => vec![&pair.when],
        // Of a group's members the first alone sees every line.
        Kind::Group(group) => {
            group.members.first().map(|member| &member.when).into_iter().collect()
        }
        Kind::Calendar { .. } => Vec::new(),
    }
}

/// Whether one pattern holds wherever another does.
fn covers(one: &Pattern, other: &Pattern) -> bool {
    if always(one) {
        return true;
    }
    if one.negated || other.negated {
        return one.negated == other.negated && same(&one.test, &other.test);
    }
    if same(&one.test, &other.test) {
        return true;
    }
    let Some(needle) = needle(&one.test) else { return false };
    match &other.test {
        Test::Substring { lines: 1, finder } => holds(finder.needle(), needle),
        Test::Regex { lines: 1, regex } => regex
            .required
            .as_ref()
            .is_some_and(|choices| choices.iter().all(|literal| holds(literal, needle))),
        _ => false,
    }
}

fn same(one: &Test, other: &Test) -> bool {
    match (one, other) {
        (Test::Regex { lines, regex }, Test::Regex { lines: others, regex: other }) => {
            lines == others && regex.text() == other.text()
        }
        (Test::Substring { lines, finder }, Test::Substring { lines: others, finder: other }) => {
            lines == others && finder.needle() == other.needle()
        }
        _ => false,
    }
}

/// Whether a pattern matches every line.
fn always(pattern: &Pattern) -> bool {
    match &pattern.test {
        Test::Truth(truth) => *truth != pattern.negated,
        Test::Regex { regex, .. } if !pattern.negated => is_anything(regex),
        Test::Substring { finder, .. } => !pattern.negated && finder.needle().is_empty(),
        _ => false,
    }
}

/// Whether an expression matches any text: nothing at all, or any characters between the anchors.
fn is_anything(regex: &Regex) -> bool {
    let text = regex.text();
    let text = text.strip_prefix('^').unwrap_or(text);
    let text = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(text);
    matches!(text, "" | ".*" | "(.*)")
        || matches!(regex.text(), ".*$" | "^.*$" | "^(.*)$" | "(.*)$" | "$")
}

/// The text that a pattern looks for in one line, where it looks for nothing else.
fn needle(test: &Test) -> Option<&[u8]> {
    match test {
        Test::Substring { lines: 1, finder } => Some(finder.needle()),
        Test::Regex { lines: 1, regex } => {
            let text = regex.text().as_bytes();
            let plain = text
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b" _-:,;'\"/=<>@#%&~!".contains(byte));
            plain.then_some(text)
        }
        _ => None,
    }
}

fn holds(text: &[u8], needle: &[u8]) -> bool {
    memchr::memmem::find(text, needle).is_some()
}
